import inspect

import numpy as np
import pytest

import chainrule as cr


def test_the_version_is_the_one_of_the_distribution():
    from importlib.metadata import version

    assert cr.__version__ == version("chainrule")


def test_submodules_are_there_when_asked_for():
    assert cr.interop.scipy_optimize.problem and cr.interop.torch.check_torch
    assert cr.testing.assert_gradient
    with pytest.raises(AttributeError, match="nothing"):
        cr.interop.nothing


def test_signatures_for_help():
    assert list(inspect.signature(cr.grad).parameters)[:2] == ["f", "wrt"]
    assert str(inspect.signature(cr.grad(lambda x, y=2: x))) == "(x, y=2)"


def test_second_derivatives_by_a_number_are_numbers():
    f = lambda p: p["a"] @ p["a"] * p["b"] ** 2
    found = cr.hessian(f)({"a": np.ones(2), "b": 3.0})
    assert type(found["b"]["b"]) is np.float64 and found["b"]["b"] == 4
    assert type(cr.jacobian(lambda x: x**2)(2.0)) is np.float64
    assert type(cr.jacobian(lambda x: x**2)(np.array(2.0))) is np.ndarray
