"""Each case of ``tests/surface/cases.py`` in reverse, forward and second order, against numbers."""

import re

import numpy as np
import pytest

import chainrule as cr
from tests.helpers import slope
from tests.surface.cases import CASES, MORE, REFUSED

X = np.array(
    [0.61, 0.23, 0.87, 0.36, 0.74, 0.15, 0.43, 0.92, 0.29, 0.57, 0.81, 0.12, 0.68, 0.33, 0.77, 0.48]
)
DIRECTIONS = 0.05 * np.random.default_rng(7).normal(size=(2, 16))  # short: kinks stay away
TABLE = {
    f"{group}: {name}": text
    for group, part in (CASES | MORE).items()
    for name, text in part.items()
}

pytestmark = [
    pytest.mark.filterwarnings("ignore::chainrule.base.errors.IndependentOutputWarning"),
    pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:numpy.fix is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning"),
]


def function(text):
    """x -> sum cos(k) y_k over all numbers of the expression's value; imaginary parts twice."""
    code = compile(f"lambda x, M, S: {text}", f"<{text}>", "eval")
    expression = eval(code, {"np": np})

    def f(x):
        M = x.reshape(4, 4) + 2 * np.eye(4)
        total, k = 0.0, 0
        for part in parts(expression(x, M, M @ M.T)):
            y = np.ravel(part)
            w = np.cos(np.arange(k, k + y.size))
            k += y.size
            total = total + np.sum(w * np.real(y))
            if np.iscomplexobj(y):
                total = total + 2 * np.sum(w * np.imag(y))
        return total

    return f


def parts(y):
    return [p for part in y for p in parts(part)] if isinstance(y, (tuple, list)) else [y]


def judged(text):
    """What numbers are taken of: a cast to float32 would drown the differences in its rounding."""
    return function(re.sub("float32", "float64", text))


@pytest.mark.parametrize("name", TABLE)
def test_case(name):
    text = REFUSED.get(name) or TABLE[name]
    if name in REFUSED:
        with pytest.raises(cr.NonDifferentiableError):
            cr.grad(function(TABLE[name]))(X)
    f, reference = function(text), judged(text)
    try:
        want = f(X)
    except (AttributeError, TypeError):
        pytest.skip("not in the installed NumPy")
    value, gradient = cr.value_and_grad(f)(X)
    np.testing.assert_allclose(value, want, rtol=1e-12, atol=1e-12)
    rtol = 1e-6 if "float32" in text else 1e-8  # rounding of the cast itself
    for t in DIRECTIONS:
        along = slope(lambda s, t=t: np.array([reference(X + s * t)]))
        assert along.knows().all(), f"the judge cannot tell: {along}"
        assert not along.refutes(gradient @ t, rtol).any(), ("reverse", gradient @ t, along)
        forward = cr.jvp(f, (X,), (t,))[1]
        assert not along.refutes(forward, rtol).any(), ("forward", forward, along)


@pytest.mark.parametrize("name", TABLE)
def test_second_order(name):
    text = REFUSED.get(name) or TABLE[name]
    f, reference = function(text), judged(text)
    try:
        f(X)
    except (AttributeError, TypeError):
        pytest.skip("not in the installed NumPy")
    t = DIRECTIONS[0]
    over = cr.hvp(f, X, t)
    gradient = cr.grad(reference)
    along = slope(lambda s: gradient(X + s * t))
    assert along.knows().all(), f"the judge cannot tell: {along}"
    rtol = 1e-5 if "float32" in text else 1e-7
    assert not along.refutes(over, rtol).any(), (over, along)
