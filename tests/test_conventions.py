"""The table of docs/conventions.md, at the point itself, in reverse and forward mode."""

import numpy as np
import pytest
import scipy.special

import chainrule as cr

INF = np.inf


def both_modes(f, x):
    """The gradient by the backward sweep, after checking that forward mode agrees with it."""
    x = np.asarray(x, float)
    g = cr.grad(f)(x)
    forward = [cr.jvp(f, (x,), (e.reshape(x.shape),))[1] for e in np.eye(x.size)]
    np.testing.assert_array_equal(np.ravel(g), forward)
    return g


TABLE = [
    ("abs at 0", lambda x: np.abs(x).sum(), [0.0, 2.0], [0, 1]),
    ("fabs at 0", lambda x: np.fabs(x).sum(), [0.0, -2.0], [0, -1]),
    ("norm at 0", lambda x: np.linalg.norm(x), [0.0, 0.0], [0, 0]),
    ("norm 1 at 0", lambda x: np.linalg.norm(x, 1), [0.0, 2.0], [0, 1]),
    ("hypot at 0", lambda x: np.hypot(x[0], x[1]), [0.0, 0.0], [0, 0]),
    ("std of a constant", lambda x: np.std(x), [3.0, 3.0, 3.0], [0, 0, 0]),
    ("var of a constant", lambda x: np.var(x), [3.0, 3.0, 3.0], [0, 0, 0]),
    ("maximum tie", lambda x: np.maximum(x[0], x[1]), [1.0, 1.0], [0.5, 0.5]),
    (
        "minimum tie of arrays",
        lambda x: np.minimum(x[:2], x[2:]).sum(),
        [1, 5, 1, 2],
        [0.5, 0, 0.5, 1],
    ),
    ("max tie", lambda x: np.max(x), [3.0, 1.0, 3.0], [0.5, 0, 0.5]),
    ("min tie of three", lambda x: x.min(), [1.0, 1.0, 1.0], [1 / 3, 1 / 3, 1 / 3]),
    ("Python's max takes the first", lambda x: max(x[0], x[1]), [1.0, 1.0], [1, 0]),
    ("clip on a bound", lambda x: np.clip(x, 0, 1).sum(), [0.0, 0.5, 1.0, 2.0], [0.5, 1, 0.5, 0]),
    ("where drops NaN", lambda x: np.where(x > 0, x, np.sqrt(x)).sum(), [1.0], [1]),
    ("where drops inf", lambda x: np.where(x > 0, np.sqrt(x), 0.0).sum(), [0.0, 4.0], [0, 0.25]),
    ("an unread element", lambda x: np.sqrt(x)[1:].sum(), [0.0, 4.0], [0, 0.25]),
    ("logaddexp of -inf", lambda x: np.logaddexp(x[0], x[1]), [-INF, -INF], [0.5, 0.5]),
    ("logaddexp with one -inf", lambda x: np.logaddexp(x[0], x[1]), [-INF, 1.0], [0, 1]),
    ("x**0", lambda x: x[0] ** 0, [0.0], [0]),
    ("x**0.0 elsewhere", lambda x: (x**0.0).sum(), [0.0, 3.0], [0, 0]),
    ("0**p by p", lambda x: np.power(0.0, x[0]), [2.0], [0]),
    ("prod with a zero", lambda x: np.prod(x), [0.0, 2.0, 3.0], [6, 0, 0]),
    ("prod with two zeros", lambda x: np.prod(x), [0.0, 2.0, 0.0], [0, 0, 0]),
    ("cumprod with a zero", lambda x: np.cumprod(x).sum(), [0.0, 2.0, 3.0], [9, 0, 0]),
    ("arctan2 at the origin", lambda x: np.arctan2(x[0], x[1]), [0.0, 0.0], [0, 0]),
    ("floor", lambda x: (np.floor(x) * x).sum(), [1.5, 2.5], [1, 2]),
    ("sort", lambda x: np.sort(x) @ np.array([1.0, 10.0, 100.0]), [3.0, 1.0, 2.0], [100, 1, 10]),
    ("argsort then index", lambda x: x[np.argsort(x)][0], [3.0, 1.0, 2.0], [0, 1, 0]),
]


@pytest.mark.parametrize("name, f, x, expected", TABLE, ids=[row[0] for row in TABLE])
def test_convention(name, f, x, expected):
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(both_modes(f, x), expected)


def test_last_of_repeated_assignments_counts():
    def f(v):
        y = np.zeros(2)
        y[[0, 0]] = v
        return y.sum()

    np.testing.assert_array_equal(both_modes(f, [1.0, 2.0]), [0, 1])


def test_sqrt_at_zero_is_inf_and_says_so():
    with pytest.warns(cr.NonFiniteGradientWarning):
        assert cr.grad(np.sqrt)(0.0) == INF
    with np.errstate(divide="ignore"):
        assert cr.grad(np.sqrt)(0.0) == INF
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        cr.grad(np.sqrt)(0.0)


def test_logsumexp_of_minus_infinity_is_finite():
    f = lambda x: scipy.special.logsumexp(x)
    g = cr.grad(f)(np.array([-INF, 0.0]))
    np.testing.assert_array_equal(g, [0, 1])
    assert np.isfinite(cr.grad(f)(np.array([-INF, -INF]))).all()


def test_second_order_of_prod_with_zeros_is_exact():
    h = cr.hessian(np.prod)(np.array([0.0, 2.0, 0.0]))
    np.testing.assert_array_equal(h, [[0, 0, 2], [0, 0, 0], [2, 0, 0]])


def test_where_drops_nan_in_second_order_too():
    f = lambda x: np.where(x > 0, x**3, np.sqrt(x) * np.log(x))
    with np.errstate(all="ignore"):
        assert cr.grad(cr.grad(f))(2.0) == 12.0
        assert cr.grad(cr.grad(lambda x: np.where(x >= 0, x**3, np.sqrt(-x))))(1.0) == 6.0


def test_integers_are_read_as_floats():
    assert cr.grad(lambda x: x**2)(3) == 6.0
    g = cr.grad(lambda x: (x * x).sum())(np.array([1, 2]))
    assert g.dtype == np.float64 and list(g) == [2.0, 4.0]


def test_a_float_stored_into_integers_is_refused():
    def f(x):
        out = np.zeros(2, dtype=int)
        out[0] = x[0]
        return out.sum() * x[1]

    with pytest.raises(cr.NonDifferentiableError, match="integers"):
        cr.grad(f)(np.array([1.5, 2.0]))


def test_complex_gradient_is_steepest_ascent():
    z = 1.0 + 2.0j
    g = cr.grad(lambda z: np.abs(z) ** 2)(z)
    assert g == 2 * z
    f = lambda z: np.real(np.exp(z) * (2 - 1j))
    g = cr.grad(f)(z)
    h = 1e-6
    numeric = (f(z + h) - f(z - h)) / (2 * h) + 1j * (f(z + 1j * h) - f(z - 1j * h)) / (2 * h)
    assert abs(g - numeric) < 1e-8 * abs(g)


def test_float32_stays_float32():
    x = np.array([1.0, 2.0], np.float32)
    value, g = cr.value_and_grad(lambda x: np.sum(np.tanh(x) * 2.0))(x)
    assert value.dtype == np.float32 and g.dtype == np.float32
