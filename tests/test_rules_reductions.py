"""Reductions, ufunc methods, quantiles: NumPy's values and dtypes, right in every mode.

Primitives also have rows in the table; here are the compositions, the keywords and the conventions.
"""

import warnings

import numpy as np
import pytest
import scipy.special

import chainrule as cr
from chainrule.base.errors import NonDifferentiableError
from tests.helpers import direction, flat, inner, slope

rng = np.random.default_rng(1)
X1, X2, X3 = rng.normal(size=5), rng.normal(size=(3, 4)), rng.normal(size=(2, 3, 4))
Z2 = rng.normal(size=(3, 4)) + 1j * rng.normal(size=(3, 4))
ABOVE = np.abs(X2) + 0.1
MASK = np.array([[True, False, True, True], [False, True, True, False], [True, True, True, True]])
NAN = np.where(MASK, 0.0, np.nan)
HOLES = np.array([0.0, np.nan, 0.0, np.nan, 0.0])


def parts(y):
    return tuple(y) if isinstance(y, (tuple, list)) else (y,)


def is_float(y):
    return np.asarray(y).dtype.kind in "fc"


def like(y, gs):
    """The parts in the container of y."""
    if hasattr(y, "_fields"):
        return type(y)(*gs)
    return type(y)(gs) if isinstance(y, (tuple, list)) else gs[0]


def check(f, *xs, smooth=True, second=True):
    """Value, dtype, type as NumPy's; jvp against differences; vjp its adjoint; second order."""
    xs = tuple(np.asarray(x)[()] for x in xs)
    rng = np.random.default_rng(0)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        want = f(*xs)
        got, pullback = cr.vjp(f, *xs)
    for a, b in zip(parts(got), parts(want), strict=True):
        assert type(a) is type(b) and np.asarray(a).dtype == np.asarray(b).dtype
        eps = np.finfo(np.asarray(b).dtype).eps if is_float(b) else 0
        np.testing.assert_allclose(a, b, rtol=8 * eps, atol=8 * eps)
    single = any(x.dtype in (np.float32, np.float16, np.complex64) for x in xs)
    gs = tuple(direction(rng, y) if is_float(y) else np.zeros(np.shape(y)) for y in parts(want))
    ts = tuple(direction(rng, x) for x in xs)
    bars = pullback(like(want, gs))
    for bar, x in zip(bars, xs):
        assert np.shape(bar) == x.shape and bar.dtype == x.dtype
    dys = parts(cr.jvp(f, xs, ts)[1])
    tolerance = 2e-3 if single else 1e-9
    kept = [(g, d) for g, d, y in zip(gs, dys, parts(want)) if is_float(y)]
    forward, backward = inner(*zip(*kept)), inner(bars, ts)
    np.testing.assert_allclose(backward, forward, rtol=tolerance, atol=tolerance)
    if single or not smooth:
        return
    dy = flat([d for _, d in kept])
    judge = slope(lambda s: flat([y for y in parts(along(f, xs, ts, s)) if is_float(y)]))
    wrong = judge.refutes(dy)
    assert not wrong.any(), f"jvp {dy[wrong]}, numbers {judge.value[wrong]}"
    if second:
        check_second_order(f, xs, ts, gs)


def along(f, xs, ts, s):
    return f(*[x + s * t for x, t in zip(xs, ts)])


def check_second_order(f, xs, ts, gs):
    """Of <g, f> + |f|^2, so that linear functions bend too."""

    def bent(*xs):
        floats = [(y, g) for y, g in zip(parts(f(*xs)), gs) if is_float(g) and y.dtype.kind in "fc"]
        return sum(
            np.sum(np.real(y) ** 2 + np.imag(y) ** 2 + np.real(np.conj(g) * y)) for y, g in floats
        )

    gradient = cr.grad(bent, wrt=tuple(range(len(xs))))
    over = flat(cr.jvp(gradient, xs, ts)[1])
    judge = slope(lambda s: flat(along(gradient, xs, ts, s)))
    wrong = judge.refutes(over, 1e-6)
    assert not wrong.any(), f"jvp of grad {over[wrong]}, numbers {judge.value[wrong]}"
    twice = flat(cr.vjp(gradient, *xs)[1](ts))
    np.testing.assert_allclose(twice, over, rtol=1e-8, atol=1e-9)


# ---------------------------------------------------------------- axes, keepdims, masks, dtypes

SUMS = ["sum", "mean", "var", "std", "prod", "nansum", "nanmean", "nanvar", "nanstd", "nanprod"]
EXTREMA = ["max", "min", "amax", "amin", "nanmax", "nanmin"]
OTHERS = ["ptp", "average", "median", "nanmedian"]


@pytest.mark.parametrize("name", SUMS + EXTREMA + OTHERS)
def test_reduction_over_axes(name):
    f = getattr(np, name)
    check(f, X2)
    check(lambda x: f(x, axis=-1), X3)
    check(lambda x: f(x, axis=(2, 0)), X3)
    check(lambda x: f(x, axis=(0, -1), keepdims=True), X3)
    check(f, X3.transpose(1, 2, 0), second=False)
    check(f, X2.astype(np.float32))
    check(lambda x: f(x, 0), X2.astype(np.float32))
    if "std" not in name and "var" not in name:
        check(f, 0.7)
        check(f, np.array(0.7))


@pytest.mark.parametrize("name", SUMS)
def test_masks_dtypes_and_complex_numbers_in_sums(name):
    f = getattr(np, name)
    check(lambda x: f(x, axis=1, where=MASK), X2)
    check(lambda x: f(x, where=MASK, keepdims=True), X2)
    check(lambda x: f(x, axis=1), Z2)
    check(lambda x: f(x, axis=1), X2.astype(np.float16))
    if name not in ("nanvar", "nanstd"):  # NumPy rounds to float32 on the way
        check(lambda x: f(x, axis=1, dtype=np.float64), X2.astype(np.float32))


@pytest.mark.parametrize(
    "name", ["sum", "prod", "max", "min", "nansum", "nanprod", "nanmax", "nanmin"]
)
def test_initial(name):
    f = getattr(np, name)
    check(lambda x: f(x, axis=1, initial=0.3), X2)
    check(lambda x: f(x, axis=1, initial=0.3, where=MASK), X2)
    check(lambda x, i: f(x, axis=1, initial=i), X2, 0.3)


@pytest.mark.parametrize("name", ["var", "std", "nanvar", "nanstd"])
def test_degrees_of_freedom(name):
    f = getattr(np, name)
    check(lambda x: f(x, axis=0, ddof=1), X2)
    check(lambda x: f(x, axis=0, correction=1.5), X2)
    check(lambda x: f(x, axis=0, mean=np.mean(x, axis=0, keepdims=True)), X2)
    check(lambda x: f(x, axis=1, ddof=1, where=MASK), X2)


@pytest.mark.parametrize(
    "name", ["sum", "mean", "var", "std", "prod", "max", "min", "nanmean", "nanmax", "nanmedian"]
)
def test_errors_are_numpys(name):
    f = getattr(np, name)
    with pytest.raises(np.exceptions.AxisError):
        cr.grad(lambda x: np.sum(f(x, axis=2)))(X2)
    if name in ("max", "min", "nanmax"):
        with pytest.raises(ValueError, match="zero-size"):
            cr.grad(lambda x: f(x))(np.zeros(0))


def test_empty_slices():
    check(np.sum, np.zeros((3, 0)))
    check(lambda x: x.prod(axis=1), np.zeros((3, 0)))
    with pytest.warns(RuntimeWarning, match="Mean of empty slice"), np.errstate(invalid="ignore"):
        assert np.isnan(cr.vjp(np.mean, np.zeros(0))[0])
    with pytest.warns(RuntimeWarning, match="Degrees of freedom"), np.errstate(all="ignore"):
        cr.vjp(lambda x: np.var(x, ddof=1), np.ones(1))


def test_average():
    check(lambda x, w: np.average(x, axis=1, weights=w), X2, ABOVE)
    check(lambda x, w: np.average(x, axis=1, weights=w), X2, ABOVE[0])
    check(lambda x, w: np.average(x, axis=(2, 0), weights=w, returned=True), X3, ABOVE[:2].T + 1)
    check(lambda x: np.average(x, axis=1, returned=True), X2)
    check(lambda x, w: np.average(x, axis=1, weights=w, keepdims=True), X2, ABOVE)
    check(lambda w: np.average([1.0, 3.0, 2.0, 5.0, 4.0], weights=w), np.abs(X1))
    with pytest.raises(ZeroDivisionError):
        cr.grad(lambda x: np.average(x, weights=np.zeros(5)))(X1)
    with pytest.raises(TypeError, match="Axis must be specified"):
        cr.grad(lambda x: np.average(x, weights=np.ones(4)))(X2)


# ---------------------------------------------------------------- cumulative


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "nancumsum", "nancumprod"])
def test_cumulative(name):
    f = getattr(np, name)
    check(f, X2)
    check(f, 0.4)
    check(lambda x: f(x, axis=-2), X3)
    check(lambda x: f(x, axis=1), Z2)
    check(lambda x: f(x, axis=1), X2 * MASK)
    check(lambda x: f(x, axis=1, dtype=np.float64), X2.astype(np.float32))
    check(lambda x: f(x, axis=1), np.zeros((3, 0)))


@pytest.mark.skipif(not hasattr(np, "cumulative_sum"), reason="new in NumPy 2.1")
@pytest.mark.parametrize("name", ["cumulative_sum", "cumulative_prod"])
def test_cumulative_of_the_array_api(name):
    f = getattr(np, name)
    check(f, X1)
    check(f, 0.4)
    check(lambda x: f(x, axis=-1), X3)
    check(lambda x: f(x, axis=1, include_initial=True), X3)
    with pytest.raises(ValueError, match="axis"):
        cr.grad(lambda x: np.sum(f(x)))(X2)


@pytest.mark.parametrize("zeros", [[0], [0, 2], [0, 1, 2, 3]])
def test_products_with_zeros_are_exact_to_second_order(zeros):
    x = np.array([1.3, -0.7, 2.0, 0.6])
    x[zeros] = 0.0
    others = [np.prod(np.delete(x, i)) for i in range(4)]
    np.testing.assert_array_equal(cr.grad(np.prod)(x), others)
    pairs = [[np.prod(np.delete(x, [i, j])) if i != j else 0.0 for j in range(4)] for i in range(4)]
    np.testing.assert_allclose(cr.hessian(np.prod)(x), pairs, rtol=1e-15)
    check(np.prod, x)
    check(np.cumprod, x)


# ---------------------------------------------------------------- conventions


def test_ties_share_equally():
    np.testing.assert_array_equal(
        cr.grad(np.max)(np.array([2.0, 3.0, 3.0, 3.0])), [0, *[1 / 3] * 3]
    )
    np.testing.assert_array_equal(cr.grad(np.min)(np.array([2.0, 2.0, 3.0])), [0.5, 0.5, 0])
    np.testing.assert_array_equal(cr.grad(np.ptp)(np.array([1.0, 1.0])), [0, 0])
    np.testing.assert_array_equal(cr.grad(np.median)(np.array([1.0, 3.0, 1.0])), [0.5, 0, 0.5])
    np.testing.assert_array_equal(
        cr.grad(lambda x: np.maximum.reduce(x))(np.array([3.0, 3.0, 3.0])), [1 / 3] * 3
    )


@pytest.mark.parametrize("value", [0.0, 0.1, 3.0])
def test_std_of_a_constant_has_slope_zero(value):
    x = np.full(7, value)
    np.testing.assert_allclose(cr.grad(np.std)(x), 0.0, atol=1e-16)
    np.testing.assert_allclose(cr.grad(np.var)(x), 0.0, atol=1e-16)


def test_variance_does_not_cancel():
    x = 1e9 + np.array([4.0, 7.0, 13.0, 16.0])
    np.testing.assert_allclose(cr.grad(lambda x: np.var(x, ddof=1))(x), [-4, -2, 2, 4], rtol=1e-12)


def test_a_nan_wins_and_a_number_beats_it_in_nanmax():
    x = np.array([1.0, np.nan, 5.0])
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(cr.vjp(np.max, x)[1](1.0)[0], [0, 1, 0])
    np.testing.assert_array_equal(cr.grad(np.nanmax)(x), [0, 0, 1])
    np.testing.assert_array_equal(cr.grad(np.nansum)(x), [1, 0, 1])


@pytest.mark.parametrize("ufunc", [np.logaddexp, np.logaddexp2])
@pytest.mark.parametrize(
    "x, want",
    [
        ([-np.inf, -np.inf], [0.5, 0.5]),
        ([np.inf, np.inf], [0.5, 0.5]),
        ([-np.inf, 1.0], [0, 1]),
        ([np.inf, 1.0], [1, 0]),
        ([2000.0, -2000.0], [1, 0]),
        ([5.0, 5.0], [0.5, 0.5]),
    ],
)
def test_log_of_a_sum_of_exponentials_at_infinity(ufunc, x, want):
    x = np.array(x)
    for f in (ufunc.reduce, lambda x: ufunc(x[0], x[1])):
        np.testing.assert_allclose(cr.grad(f)(x), want, rtol=1e-12)
        assert np.isfinite(cr.jvp(cr.grad(f), (x,), (np.array([1.0, 0.5]),))[1]).all()


def test_logaddexp_bends_where_its_operands_are_equal():
    h = cr.hessian(lambda x: np.logaddexp(x[0], x[1]))(np.array([3.0, 3.0]))
    np.testing.assert_allclose(h, [[0.25, -0.25], [-0.25, 0.25]], rtol=1e-12)


def test_the_mask_may_change_before_the_sweep():
    mask = np.array([True, False, True])
    _, pullback = cr.vjp(lambda x: np.sum(x * x, where=mask), np.array([1.0, 2.0, 3.0]))
    mask[:] = False
    np.testing.assert_array_equal(pullback(1.0)[0], [2, 0, 6])


def test_nan_behind_a_mask_stays_there():
    x = np.array([1.0, np.nan, 3.0])
    present = ~np.isnan(x)
    for f in (np.sum, np.mean, np.var, np.std, np.prod):
        assert np.isfinite(cr.grad(lambda x, f=f: f(x, where=present))(x)[present]).all()


# ---------------------------------------------------------------- NaN


@pytest.mark.parametrize(
    "name",
    [
        "nansum",
        "nanprod",
        "nanmean",
        "nanvar",
        "nanstd",
        "nanmax",
        "nanmin",
        "nanmedian",
        "nancumsum",
        "nancumprod",
    ],
)
def test_nan_is_skipped(name):
    f = getattr(np, name)
    check(lambda x: f(x + NAN, axis=1), X2)
    check(lambda x: f(x + NAN), X2)
    gradient = cr.grad(lambda x: np.sum(f(np.where(MASK, x, np.nan), axis=1)))(X2)
    assert np.isfinite(gradient).all() and not gradient[~MASK].any()


# ---------------------------------------------------------------- quantiles

METHODS = [
    "linear",
    "inverted_cdf",
    "averaged_inverted_cdf",
    "closest_observation",
    "interpolated_inverted_cdf",
    "hazen",
    "weibull",
    "median_unbiased",
    "normal_unbiased",
    "lower",
    "higher",
    "midpoint",
    "nearest",
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("f", [np.quantile, np.nanquantile])
def test_quantile_methods(f, method):
    check(lambda x: f(x, 0.37, method=method), X1)
    check(lambda x: f(x, [0.0, 0.37, 0.9, 1.0], axis=1, method=method), X3)
    check(lambda x: f(x, [0.1, 0.9], axis=(0, 2), method=method, keepdims=True), X3, second=False)
    check(lambda x, q: f(x, q, axis=1, method=method), X2, np.array([0.37, 0.66]))
    check(lambda x, q: f(x, q, axis=0, method=method), X2, 0.37)
    check(lambda x: f(x, 0.3, method=method), X1.astype(np.float32))
    check(lambda x: f(x, [0.3], method=method), X1.astype(np.float32))
    if f is np.nanquantile:
        check(lambda x: f(x + NAN, [0.1, 0.8], axis=1, method=method), X2)
        check(lambda x: f(x + NAN, 0.8, axis=0, method=method), X2)


def test_percentile_and_weights():
    check(lambda x: np.percentile(x, [30, 60], axis=1), X2)
    check(lambda x: np.nanpercentile(x + HOLES, 30.0), X1)
    check(lambda x: np.quantile(x, [0.3, 0.6], axis=1, method="inverted_cdf", weights=ABOVE), X2)
    with pytest.raises(ValueError, match="Quantiles must be in the range"):
        cr.grad(lambda x: np.quantile(x, 1.5))(X1)
    with pytest.raises(np.exceptions.AxisError):
        cr.grad(lambda x: np.median(x, axis=1))(X1)


# ---------------------------------------------------------------- ufunc methods

BINARY = [
    np.add, np.multiply, np.maximum, np.minimum, np.fmax, np.fmin,
    np.logaddexp, np.logaddexp2, np.hypot, np.subtract, np.divide,
]  # fmt: skip


@pytest.mark.parametrize("ufunc", BINARY, ids=lambda u: u.__name__)
def test_reduce_accumulate_reduceat_outer(ufunc):
    x = ABOVE
    check(ufunc.reduce, x)
    check(ufunc.reduce, x[0])
    check(lambda x: ufunc.reduce(x, axis=1, keepdims=True), x)
    check(lambda x: ufunc.reduce(x, -1), np.abs(X3))
    check(ufunc.accumulate, x)
    check(lambda x: ufunc.accumulate(x, axis=-2), np.abs(X3))
    check(lambda x: ufunc.reduceat(x, [0, 2, 1], axis=1), x)
    check(lambda x: ufunc.reduceat(x, [1, 2], axis=-1), x)
    check(ufunc.outer, x, np.abs(X1))
    check(lambda x: ufunc.outer([1.0, 2.0], x), x)
    if ufunc not in (np.subtract, np.divide):
        check(lambda x: ufunc.reduce(x, axis=None), x)
        check(lambda x: ufunc.reduce(x, axis=(0, 2)), np.abs(X3))
        check(lambda x: ufunc.reduce(x, axis=1, initial=0.3), x)
        check(lambda x: ufunc.reduce(x, axis=1, initial=0.3, where=MASK), x)


INDICES = {
    "repeated": (np.array([0, 2, 2, 1, 2]), np.abs(X1), np.abs(X1[::-1]) + 0.3),
    "a list": ([1, 1], np.abs(X1), np.array([0.3, 0.2])),
    "a number": (np.array([0, 2, 2]), np.abs(X1), 0.4),
    "pairs": ((np.array([0, 0, 1]), np.array([1, 1, -1])), ABOVE, np.array([0.3, 0.4, 0.5])),
    "rows": (np.array([0, 0, -1]), ABOVE, np.abs(X2[::-1]) + 0.2),
    "slice": (slice(0, 2), ABOVE, 0.3),
    "mask": (MASK, ABOVE, 0.3),
    "mixed": ((slice(None), [1, 1]), ABOVE, 0.3),
}


@pytest.mark.parametrize("where", INDICES)
@pytest.mark.parametrize("ufunc", BINARY, ids=lambda u: u.__name__)
def test_at_adds_up_repeated_indices(ufunc, where):
    index, x, v = INDICES[where]

    def f(x, v):
        y = x.copy()
        ufunc.at(y, index, v)
        return y

    check(f, x, v, second=ufunc in (np.add, np.multiply, np.maximum))


def test_at_of_one_operand_and_on_views():
    def f(x):
        y = x * 1.0
        np.exp.at(y, [0, 0, 1])
        np.add.at(y[2:], [0, 0], x[:2])
        return y

    check(f, 0.3 * X1)


def test_at_into_a_plain_array_is_refused():
    y = np.zeros(5)
    with pytest.raises(NonDifferentiableError, match="plain array"):
        cr.grad(lambda x: np.add.at(y, [0, 1], x[:2]) or np.sum(x), lift=False)(X1)


def test_running_extrema_with_ties_and_nan():
    x = np.array([1.0, 0.0, 1.0, 2.0, 2.0, 1.0, 3.0])
    check(np.maximum.accumulate, x, smooth=False)
    check(np.maximum.accumulate, np.zeros(0))
    x[1] = np.nan
    np.testing.assert_array_equal(cr.vjp(np.minimum.accumulate, x)[0], np.minimum.accumulate(x))


def test_logical_methods_give_plain_answers():
    def f(x):
        assert type(np.logical_and.reduce(x)) is np.bool
        assert type(np.greater.outer(x, x)) is np.ndarray
        assert type(np.array([1.0, 2.0]) < x[:2]) is np.ndarray
        return np.sum(x)

    np.testing.assert_array_equal(cr.grad(f)(X1), 1.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("f", [np.maximum, np.minimum, np.fmax, np.fmin])
def test_choosing_ufuncs_keep_the_dtype_share_ties_and_see_nan(f, dtype):
    a = np.array([1.0, 2.0, 3.0, np.nan, 1.0], dtype)
    b = np.array([2.0, 2.0, 1.0, 1.0, np.nan], dtype)
    from chainrule.core.primitive import UFUNCS

    shares = [p(a, b) for p in UFUNCS[f].partials]
    assert shares[0].dtype == shares[1].dtype == dtype
    np.testing.assert_array_equal(shares[0] + shares[1], 1.0)
    largest = f in (np.maximum, np.fmax)
    first = [0, 0.5, 1] if largest else [1, 0.5, 0]
    last = [1, 0] if f in (np.maximum, np.minimum) else [0, 1]
    np.testing.assert_array_equal(shares[0], [*first, *last])


def test_out_is_filled():
    def f(x):
        y = np.zeros_like(x[0])
        assert np.sum(x, axis=0, out=y) is y
        z = np.empty_like(x)
        np.cumsum(x, axis=1, out=z)
        return y * np.max(x, 0, np.empty_like(y)) + z[0]

    check(f, X2)


def test_a_row_with_a_nan_does_not_hide_the_ties_of_another():
    x = np.array([[np.nan, 1.0], [2.0, 2.0]])
    np.testing.assert_array_equal(cr.grad(lambda x: np.max(x, axis=1)[1])(x), [[0, 0], [0.5, 0.5]])


def test_the_slope_of_std_keeps_its_digits_far_from_zero():
    x = 1e9 + np.array([0.0, 1.0, 3.0, 4.0])
    d = np.array([-2.0, -1.0, 1.0, 2.0])
    np.testing.assert_allclose(cr.grad(np.std)(x), d / (4 * np.sqrt(2.5)), rtol=1e-15)


@pytest.mark.parametrize("shift", [0.0, 1e8, -1e12])
def test_shares_of_large_exponents_keep_their_digits(shift):
    """Against the shares of the differences, which are exact here."""
    a, b = shift + np.array([3.0, 0.5, -2.0]), shift + np.array([1.0, 0.5, 4.0])
    share = 1 / (1 + np.exp(b - a))
    a_bar, b_bar = cr.vjp(np.logaddexp, a, b)[1](np.ones(3))
    np.testing.assert_allclose(a_bar, share, rtol=1e-15)
    np.testing.assert_allclose(b_bar, 1 / (1 + np.exp(a - b)), rtol=1e-15)
    np.testing.assert_allclose(cr.grad(lambda a: np.logaddexp(a, b).sum())(a), share, rtol=1e-15)
    g = cr.grad(lambda a: scipy.special.logsumexp(a))(a)
    e = np.exp(a - a[0])
    np.testing.assert_allclose(g, e / e.sum(), rtol=1e-15)
