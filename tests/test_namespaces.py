"""``chainrule.numpy``, ``chainrule.math`` and ``chainrule.scipy``: the originals, and traced
values too.
"""

import math

import numpy as np
import pytest
import scipy.special

import chainrule as cr
import chainrule.math as cmath
import chainrule.numpy as cnp
import chainrule.scipy as csp


def test_with_nothing_traced_they_are_the_originals():
    np.testing.assert_array_equal(cnp.zeros((2, 3)), np.zeros((2, 3)))
    assert type(cnp.array([1.0, 2.0])) is np.ndarray
    assert cnp.pi == np.pi and cnp.float64 is np.float64 and cnp.sin is np.sin
    assert cmath.sqrt(2.0) == math.sqrt(2.0) and cmath.tau == math.tau
    assert csp.special.erf(0.5) == scipy.special.erf(0.5)


def test_creation_conversion_and_math_work_without_lifting():
    def f(x):
        y = cnp.zeros(3)
        y[1:] = x
        z = cnp.array([y[1], 2.0, cmath.exp(x[0])])
        return cnp.sum(z * y) + csp.special.logsumexp(x)

    x = np.array([0.3, -0.7])
    gradient = cr.grad(f, lift=False)(x)
    numeric = cr.numeric.gradient(lambda x: float(f(x)), x)
    np.testing.assert_allclose(gradient, numeric.value, rtol=1e-9)
    np.testing.assert_array_equal(gradient, cr.grad(f)(x))


def test_submodules_are_mirrored_too():
    m = np.array([[2.0, 1.0], [1.0, 3.0]])
    f = lambda m: cnp.linalg.det(m) + cnp.linalg.norm(m)
    np.testing.assert_allclose(
        cr.grad(f, lift=False)(m), cr.numeric.gradient(lambda m: float(f(m)), m).value, rtol=1e-9
    )


def test_help_says_whose_function_it_is():
    assert cnp.zeros.__doc__.startswith("``numpy.zeros``")
    assert "Return a new array" in cnp.zeros.__doc__
    assert cmath.sin.__doc__.startswith("``math.sin``")


def test_names_that_are_not_there_raise():
    for module in (cnp, cmath, csp):
        with pytest.raises(AttributeError):
            module.no_such_name
    assert "zeros" in dir(cnp) and "sin" in dir(cmath) and "special" in dir(csp)
