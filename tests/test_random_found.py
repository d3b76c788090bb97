"""The smallest inputs of errors that the random lines have found."""

import numpy as np
import pytest

import chainrule as cr
from tests.random_lines import agree, recent_only

pytestmark = recent_only

M = np.array([[0.3, -1.2, 0.7], [0.9, 0.4, -0.5]])
Z = np.array([0.4 + 0.7j, -0.3 + 0.2j, 0.8 - 0.5j])
FOUND = {
    "a product of complex factors read as real ones": ("np.cumprod(x, dtype=float)", Z),
    "a scatter of points as a tuple": ("np.histogramdd((x[0], x[1]), bins=(2, 3))[1]", M),
    "an open grid of floats": ("np.ix_(x[0], x[1])", M),
    "no difference of a number": ("np.diff(x, n=0)", np.array(0.3)),
    "the order of memory asked for": ("np.asfortranarray(x).ravel(order='K')", M),
    "a loop in the order of memory": (
        "np.array([v * v for v in np.nditer(np.array(x, order='F'))])",
        M,
    ),
    "infinite phases": ("np.unwrap(np.where(x > 0.8, np.inf, x))", M),
    "a histogram of nothing": ("np.histogram(x[:0], bins=2)", M[0]),
    "the complement of nothing in Q": ("np.linalg.qr(x[:, :0], mode='complete')", M),
    "a sum of exponentials of nothing": ("special.logsumexp(x[:, :0], axis=1)", M),
    "a weight that is a Python number": ("special.logsumexp(x, b=2.0)", M.astype(np.float32)),
    "correlation with the larger second": ("signal.correlate2d(x[None, :2], x[None], 'valid')", Z),
    "an axis of length one, broadcast": ("signal.oaconvolve(x[:1], x[:, :1], 'valid')", M),
    "one Hermitian number": ("linalg.solve(x[:1, None], x[:1], assume_a='her')", Z),
    "the last length given as -1": ("scipy.fft.irfftn(x, s=(2, -1))", M),
}


@pytest.mark.parametrize("name", FOUND)
def test_found(name):
    from tests.test_random_lines import MODULES

    text, x = FOUND[name]
    agree(text, {"x": x}, **MODULES)


@pytest.mark.parametrize("order", [2, -2, "nuc", "fro", 1, np.inf])
def test_norms_of_the_zero_matrix_have_slope_zero_in_both_modes(order):
    x, t = np.zeros((2, 3)), np.ones((2, 3))
    gradient = cr.grad(lambda x: np.linalg.norm(x, order))(x)
    assert np.array_equal(gradient, x)
    assert cr.jvp(lambda x: np.linalg.norm(x, order), (x,), (t,))[1] == 0


@pytest.mark.parametrize("order", [2, -2, "nuc"])
def test_a_singular_value_of_zero_has_slope_zero_in_norms(order):
    x, t = np.diag([2.0, 0.0]), np.array([[0.3, 0.5], [0.2, 0.7]])
    gradient = cr.grad(lambda x: np.linalg.norm(x, order))(x)
    forward = cr.jvp(lambda x: np.linalg.norm(x, order), (x,), (t,))[1]
    np.testing.assert_allclose(np.sum(gradient * t), forward, atol=1e-15)
    assert forward == pytest.approx(0.0 if order == -2 else 0.3)
