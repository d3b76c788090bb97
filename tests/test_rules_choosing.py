"""Choosing, sorting, differences, functions without a derivative: as NumPy, right in every mode."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.base.errors import NoRuleError
from chainrule.core.trace import Tracer
from tests.test_rules_reductions import MASK, X1, X2, X3, Z2, check

rng = np.random.default_rng(2)
X11, XS, YS = rng.normal(size=11), rng.normal(size=9), rng.normal(size=9)
W = np.abs(rng.normal(size=9))
SINGLE = X2.astype(np.float32)

CASES = {
    # -- where, clip
    "where": (lambda x, y: np.where(MASK, x, y), X2, X2[:, :1] + 1),
    "where number": (lambda x: np.where(x > 0, x, 0), X2),
    "where 0-d": (lambda x, y: np.where(x > y, x, y), 0.3, 0.4),
    "where complex and real": (lambda x, y: np.where(MASK, x, y), Z2, X2),
    "where float32": (lambda x: np.where(x > 0, x, 0.0), SINGLE),
    "where list": (lambda x: np.where(x > 0, x, [1.0, 2.0, 3.0, 4.0]), X2),
    "clip": (lambda x: np.clip(x, -0.5, 0.5), X2),
    "clip min": (lambda x: np.clip(x, -0.5, None), X2),
    "clip a_max": (lambda x: np.clip(x, a_min=None, a_max=0.2), X2),
    "clip bounds": (lambda x, a, b: np.clip(x, a, b), X2, -0.4, np.abs(X2[0])),
    "clip method": (lambda x: x.clip(0, 1), X2),
    "clip method min": (lambda x: x.clip(-0.5), X2),
    "clip method max=": (lambda x: x.clip(max=0.2), X2),
    "clip float32": (lambda x: x.clip(0, 1), SINGLE),
    "clip 0-d": (lambda x: np.clip(x, 0, 1), 0.3),
    # -- select, choose, piecewise
    "select": (lambda x: np.select([x < -0.4, x < 0.7], [x**2, x**3], 0.0), X1),
    "select default": (lambda x: np.select([x < -0.4, x < 0.7], [x**2, 1], x), X2),
    "select broadcast": (lambda x: np.select([x[:, :1] > 0, MASK], [x, x[0]]), X2),
    "choose": (lambda x: np.choose([0, 1, 0, 1], [x[:4], x[1:5]]), X1),
    "choose rows": (lambda x: np.choose(np.array([[0], [1], [2]]), x), X2),
    "choose wrap": (lambda x: np.choose([0, 4, -1], [x[:3], x[1:4]], mode="wrap"), X1),
    "piecewise": (
        lambda x: np.piecewise(x, [x < 0.1, x >= 0.1], [lambda t: t**2, lambda t: t**3]),
        X1,
    ),
    "piecewise else": (lambda x: np.piecewise(x, [x < 0.1], [lambda t: t**2, 7.0]), X2),
    "piecewise 0-d": (lambda x: np.piecewise(x, [x < 1, x >= 1], [lambda t: t**2, 1.0]), 0.5),
    "piecewise argument": (lambda x: np.piecewise(x, [x < 0.1], [lambda t, a: t**a, 2.0], 3), X1),
    "piecewise condition": (lambda x: np.piecewise(x, x < 0.1, [lambda t: t**2, 1.0]), X1),
    # -- NaN, parts, bumps
    "nan_to_num": (np.nan_to_num, X2),
    "nan_to_num complex": (np.nan_to_num, Z2),
    "nan_to_num 0-d": (np.nan_to_num, 0.3),
    "nan_to_num float32": (np.nan_to_num, SINGLE),
    "nan_to_num values": (
        lambda x: np.nan_to_num(x * [1, np.nan, np.inf, -np.inf, 2], nan=1, posinf=2, neginf=3),
        np.abs(X1),
    ),
    "nan_to_num in place": (lambda x: [y := x * 2, np.nan_to_num(y, copy=False), y][-1], X1),
    "real_if_close": (lambda x: np.real_if_close(x + 0j), X1),
    "real_if_close complex": (np.real_if_close, Z2),
    "divmod": (np.divmod, 5 * X1, np.abs(X1) + 0.3),
    "divmod operator": (lambda x: divmod(x, 0.3), X1),
    "modf": (np.modf, 3 * X1),
    "modf 0-d": (np.modf, 3.3),
    "frexp": (np.frexp, 3 * X1),
    "sinc complex": (np.sinc, Z2),
    "sinc float32": (np.sinc, SINGLE),
    "i0 float32": (np.i0, SINGLE),
    "unwrap": (lambda x: np.unwrap(9 * x), X1),
    "unwrap axis": (lambda x: np.unwrap(9 * x, axis=0), X2),
    "sign complex": (np.sign, Z2),
    "abs complex": (np.abs, Z2),
    # -- sorting
    "sort": (np.sort, X1),
    "sort axis": (lambda x: np.sort(x, axis=0), X3),
    "sort flat": (lambda x: np.sort(x, axis=None), X3),
    "sort stable": (lambda x: np.sort(x, stable=True), X2),
    "sort kind": (lambda x: np.sort(x, kind="heapsort"), X2),
    "sort complex": (np.sort, Z2),
    "sort empty": (np.sort, X1[:0]),
    "sort in place": (lambda x: [y := x.copy(), y.sort(), y][-1], X1),
    "partition": (lambda x: np.partition(x, 3)[3], X11),
    "partition axis": (lambda x: np.partition(x, [1, 2], axis=0)[1:], X2),
    "partition in place": (lambda x: [y := x.copy(), y.partition(2), y[2]][-1], X1),
    "sort_complex": (lambda x: np.sort_complex(x + 1j * x), X1),
    "sort_complex of real": (np.sort_complex, X1),
    "argsort": (lambda x: x[np.argsort(x)], X1),
    "argsort axis": (lambda x: np.take_along_axis(x, np.argsort(x, axis=1), 1), X2),
    "unique": (np.unique, XS),
    "unique more": (lambda x: np.unique(x, True, True, True), X1),
    "unique axis": (lambda x: np.unique(x, axis=0), X2),
    "unique_values": (np.unique_values, X1),
    "unique_all": (np.unique_all, X1),
    "unique_counts": (np.unique_counts, X1),
    "unique_inverse": (np.unique_inverse, X1),
    "union1d": (lambda x: np.union1d(x[:3], x[2:]), X1),
    "setdiff1d": (lambda x: np.setdiff1d(x, x[2:4]), X1),
    "intersect1d": (lambda x: np.intersect1d(x, x[2:4]), X1),
    "setxor1d": (lambda x: np.setxor1d(x, x[2:4]), X1),
    # -- differences
    "diff": (np.diff, X1),
    "diff twice": (lambda x: np.diff(x, 2, axis=0), X2),
    "diff ends": (lambda x: np.diff(x, prepend=0, append=x[:, :1]), X2),
    "diff none": (lambda x: np.diff(x, 0), X1),
    "diff too many": (lambda x: np.diff(x, 7), X1),
    "ediff1d": (np.ediff1d, X2),
    "ediff1d ends": (lambda x: np.ediff1d(x, to_end=x[:2], to_begin=[1.0, 2.0]), X1),
    "trapezoid": (np.trapezoid, X2),
    "trapezoid x": (lambda y, x: np.trapezoid(y, x), X2, X2[0]),
    "trapezoid axis": (lambda y, x: np.trapezoid(y, x, axis=0), X2, X2),
    "trapezoid dx": (lambda y, d: np.trapezoid(y, dx=d, axis=0), X2, 0.3),
    "interp": (np.interp, X2, [-1.0, 0.0, 1.5, 2.0], [1.0, 3.0, 2.0, 5.0]),
    "interp one": (lambda f: np.interp(0.3, [0.0, 1.0, 2.0], f), X1[:3]),
    "interp ends": (
        lambda x, a, b: np.interp(x, [-0.5, 0.0, 0.4], [1.0, 3.0, 2.0], left=a, right=b),
        2 * X2,
        0.3,
        0.4,
    ),
    "interp period": (
        lambda x, f, p: np.interp(x, [-1.0, 0.0, 1.5], f, period=p),
        3 * X2,
        X1[:3],
        3.3,
    ),
    "interp complex": (lambda x, f: np.interp(x, [-1.0, 0.0, 1.5], f), X2, Z2[0, :3]),
    "interp single knot": (lambda x, f: np.interp(x, [0.0], f), X2, X1[:1]),
    "interp float32": (lambda x: np.interp(x, [-1.0, 0.0, 1.5], [1.0, 3.0, 2.0]), SINGLE),
    # -- counting with weights, edges
    "bincount": (lambda w: np.bincount([0, 2, 2, 1, 5], w), X1),
    "bincount minlength": (lambda w: np.bincount([0, 2, 2, 1, 5], weights=w, minlength=9), X1),
    "histogram": (lambda w: np.histogram(XS, bins=4, weights=w), W),
    "histogram density": (lambda w: np.histogram(XS, bins=4, weights=w, density=True), W),
    "histogram range": (lambda w: np.histogram(XS, 4, range=(-1, 1), weights=w)[0], W),
    "histogram of data": (lambda x: np.histogram(x, bins=4), XS),
    "histogram density of data": (lambda x: np.histogram(x, bins=4, density=True), XS),
    "histogram_bin_edges": (np.histogram_bin_edges, XS),
    "histogram2d": (lambda w: np.histogram2d(XS, YS, bins=2, weights=w)[0], W),
    "histogram2d density": (
        lambda w: np.histogram2d(XS, YS, bins=[2, 3], weights=w, density=True)[0],
        W,
    ),
    "histogramdd": (lambda w: np.histogramdd(XS[:, None], bins=2, weights=w)[0], W),
    "histogramdd edges": (lambda x: np.histogramdd(x, bins=3)[1][0], rng.normal(size=(9, 2))),
}


@pytest.mark.parametrize("case", CASES)
def test_as_numpy_in_every_mode(case):
    f, *xs = CASES[case]
    check(f, *xs)


@pytest.mark.parametrize("edge_order", [1, 2])
def test_gradient(edge_order):
    check(lambda x: np.gradient(x, edge_order=edge_order), X1)
    check(lambda x: np.gradient(x, edge_order=edge_order), X2)
    check(lambda x: np.gradient(x, 0.5, axis=1, edge_order=edge_order), X2)
    steps = np.array([0.0, 1.0, 1.5, 3.0])
    check(lambda x, h, k: np.gradient(x, h, k, edge_order=edge_order), X2, 0.5, steps)
    check(lambda x: np.gradient(x, edge_order=edge_order), SINGLE)


# ---------------------------------------------------------------- conventions


def test_the_branch_not_taken_keeps_its_nan():
    x = np.array([-1.0, 0.0, 4.0])
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(
            cr.grad(lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0.0)))(x), [0, 0, 0.25]
        )
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(
            cr.grad(lambda x: np.sum(np.where(x == 0, 1.0, 1 / x)))(np.array([0.0, 2.0])),
            [0, -0.25],
        )


def test_the_condition_may_change_before_the_sweep():
    condition = np.array([True, False])
    _, pullback = cr.vjp(lambda x: np.where(condition, x, 2 * x), np.array([1.0, 1.0]))
    condition[:] = False
    np.testing.assert_array_equal(pullback(np.ones(2))[0], [1, 2])


@pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.1.0", reason="an error before NumPy 2.1"
)
@pytest.mark.parametrize(
    "f",
    [lambda x: np.clip(x, min=-0.5), lambda x: np.clip(x, None, None), lambda x: x.clip()],
)
def test_clip_without_a_bound(f):
    check(f, X2)


def test_clip_has_slope_one_half_at_a_bound():
    x = np.array([-1.0, 0.0, 0.5, 1.0, 2.0])
    np.testing.assert_array_equal(
        cr.grad(lambda x: np.sum(np.clip(x, 0, 1)))(x), [0, 0.5, 1, 0.5, 0]
    )
    lows = cr.grad(lambda low: np.sum(np.clip(x, low, 1.0)))(0.0)
    assert lows == 1.5


def test_sorting_shares_between_ties_as_minimum_and_maximum_do():
    w = np.array([1.0, 2.0, 10.0])
    x = np.array([3.0, 1.0, 3.0])
    np.testing.assert_array_equal(cr.grad(lambda x: np.sort(x) @ w)(x), [6, 1, 6])
    np.testing.assert_array_equal(cr.grad(lambda x: np.partition(x, 1)[1])(x), [0.5, 0, 0.5])
    two = np.array([2.0, 2.0])
    by_sort = cr.grad(lambda x: np.sort(x)[1])(two)
    np.testing.assert_array_equal(by_sort, cr.grad(lambda x: np.maximum(x[0], x[1]))(two))
    rows = np.array([[1.0, 2.0, 1.0], [0.0, 2.0, 2.0], [1.0, 2.0, 3.0]])
    bar = cr.grad(lambda x: np.sum(np.sort(x, axis=0)[0] * w))(rows)
    np.testing.assert_allclose(bar, [[0, 2 / 3, 10], [1, 2 / 3, 0], [0, 2 / 3, 0]], rtol=1e-15)


def test_sinc_is_smooth_at_zero():
    assert cr.grad(np.sinc)(0.0) == 0
    np.testing.assert_allclose(cr.grad(cr.grad(np.sinc))(0.0), -(np.pi**2) / 3, rtol=1e-14)
    third = cr.grad(cr.grad(cr.grad(cr.grad(np.sinc))))(0.0)
    np.testing.assert_allclose(third, np.pi**4 / 5, rtol=1e-14)
    np.testing.assert_allclose(cr.grad(cr.grad(np.i0))(0.0), 0.5, rtol=1e-14)


def test_the_period_of_unwrap_counts_turns():
    slope = cr.jvp(lambda p: np.unwrap(9 * X1, period=p), (3.3,), (1.0,))[1]
    np.testing.assert_array_equal(slope, np.round((np.unwrap(9 * X1, period=3.3) - 9 * X1) / 3.3))


def test_modf_and_frexp_of_infinities():
    value, _ = cr.vjp(np.modf, np.array([np.inf, -np.inf, 2.5]))
    np.testing.assert_array_equal(value[0], [0, 0, 0.5])
    np.testing.assert_array_equal(cr.grad(lambda x: np.frexp(x)[0])(6.0), 0.125)


@pytest.mark.parametrize(
    "f, error",
    [
        (lambda x: np.select([x > 0], [x, x]), ValueError),
        (lambda x: np.select([x], [x]), TypeError),
        (lambda x: np.clip(x, 0, 1, max=1), (ValueError, TypeError)),  # TypeError in NumPy 2.0
        (lambda x: np.clip(x, 0), TypeError),
        (lambda x: np.choose([0, 5], [x[:2], x[1:3]]), ValueError),
        (lambda x: np.where(x > 0, x), ValueError),
        (lambda x: np.sort(x, axis=1), np.exceptions.AxisError),
        (lambda x: np.partition(x, 9), ValueError),
        (lambda x: np.diff(x, -1), ValueError),
        (lambda x: np.gradient(x[:1]), ValueError),
        (lambda x: np.interp(x, [0.0, 1.0], [0.0]), ValueError),
        (lambda x: np.piecewise(x, [x > 0], [1, 2, 3]), ValueError),
    ],
)
def test_errors_are_numpys(f, error):
    with pytest.raises(error) as numpys:
        f(X1)
    with pytest.raises(error) as ours:
        cr.vjp(f, X1)
    assert str(ours.value) == str(numpys.value)


def test_clip_with_a_mask_is_refused():
    with pytest.raises(NoRuleError, match=r"np\.where"):
        cr.vjp(lambda x: np.clip(x, 0, 1, where=x > 0), X1)


# ---------------------------------------------------------------- no derivative to lose

CONSTANT = [
    np.shape, np.ndim, np.size, np.iscomplexobj, np.isrealobj, np.isfinite, np.isnan, np.isinf,
    np.signbit, np.isreal, np.iscomplex, np.all, np.any, np.count_nonzero, np.argmax, np.argmin,
    np.argsort, np.nonzero, np.flatnonzero, np.argwhere, np.round, np.floor, np.ceil, np.rint,
    np.trunc, np.fix, np.sign, np.spacing, np.where, np.array_repr, np.array_str, np.array2string,
    np.common_type, np.min_scalar_type, np.isneginf, np.isposinf, np.logical_not, np.nanargmax,
    lambda x: np.result_type(x, np.float32),
    lambda x: np.can_cast(x.dtype, np.float32),
    lambda x: np.isclose(x, 0.3),
    lambda x: np.allclose(x, x),
    lambda x: np.array_equal(x, x),
    lambda x: np.array_equiv(x, x),
    lambda x: np.isin(x, [0.3]),
    lambda x: np.searchsorted(np.sort(x), 0.1),
    lambda x: np.searchsorted([0.0, 1.0], x),
    lambda x: np.digitize(x, [0.0, 1.0]),
    lambda x: np.lexsort((x, x)),
    lambda x: np.argpartition(x, 1),
    lambda x: np.histogram(x, [0.0, 1.0])[0],
    lambda x: np.bincount(np.argsort(x)),
    lambda x: np.heaviside(x, 0.5),
    lambda x: x // 0.3,
    lambda x: np.greater(x, 0),
    lambda x: x > 0,
    lambda x: (x > 0) & (x < 1),
    lambda x: np.logical_and(x, x > 0),
    lambda x: np.may_share_memory(x, x[1:]),
    lambda x: np.shares_memory(x, x * 2),
    lambda x: np.round(x, 2),
    lambda x: np.around(x, 1),
    lambda x: np.unique_inverse(x).inverse_indices,
]  # fmt: skip


@pytest.mark.parametrize("f", CONSTANT, ids=lambda f: getattr(f, "__name__", "f"))
@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated:DeprecationWarning")  # NumPy 2.5
def test_steering_functions_give_plain_values_and_leave_the_tape_whole(f):
    want = f(X1)

    def used(x):
        seen = f(x)
        assert type(plain(seen)) is type(want)
        for a, b in zip(parts(plain(seen)), parts(want), strict=True):
            assert np.array_equal(a, b)
        return np.sum(x * x)

    np.testing.assert_array_equal(cr.grad(used, lift=False)(X1), 2 * X1)
    for_jvp = cr.jvp(used, (X1,), (np.ones(5),), lift=False)[1]
    np.testing.assert_allclose(for_jvp, 2 * np.sum(X1))


def plain(x):
    return x._value if isinstance(x, Tracer) else x


def parts(x):
    return x if isinstance(x, tuple) else (x,)


def test_a_rounded_array_can_be_written_to():
    def f(x):
        y = np.round(x)
        y[0] = x[0] ** 2
        return np.sum(y)

    np.testing.assert_array_equal(cr.grad(f)(X1), [2 * X1[0], 0, 0, 0, 0])


def test_what_is_not_chosen_has_slope_zero_also_below_an_infinite_one():
    x = np.array([-1.0, 4.0])
    for f in (lambda x: np.maximum(x, 0.0), lambda x: np.clip(x, 0.0, 9.0)):
        np.testing.assert_array_equal(cr.grad(lambda x: np.sum(np.sqrt(f(x))))(x), [0.0, 0.25])


@pytest.mark.parametrize("share", [0.5, 0.01])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_many_elements_are_chosen_as_few_are(share, dtype):
    """Large masks go another way: by the bits of the numbers, or only the few there are."""
    rng = np.random.default_rng(0)
    mask = rng.random((150, 100)) < share
    x, y, g = (rng.normal(size=(150, 100)).astype(dtype) for _ in range(3))
    g[0, 0] = np.inf
    x_bar, y_bar = cr.vjp(lambda x, y: np.where(mask, x, y), x, y)[1](g)
    np.testing.assert_array_equal(x_bar, np.where(mask, g, 0.0))
    np.testing.assert_array_equal(y_bar, np.where(mask, 0.0, g))
    assert x_bar.dtype == dtype
    for f, chosen in ((np.maximum, x > y), (np.fmin, x < y)):
        for bar, want in zip(cr.vjp(f, x, y)[1](g), (chosen, ~chosen)):
            np.testing.assert_array_equal(bar, np.where(want, g, 0.0))
    clipped = cr.vjp(lambda x: np.clip(x, -0.5, 1.0), x)[1](g)[0]
    np.testing.assert_array_equal(clipped, np.where((x > -0.5) & (x < 1.0), g, 0.0))


def test_ties_among_many_elements_are_shared():
    x = np.arange(20_000.0)
    y = x.copy()
    y[1], y[2] = -1.0, 3.0
    x_bar, y_bar = cr.vjp(np.maximum, x, y)[1](np.ones(20_000))
    np.testing.assert_array_equal(x_bar[:4], [0.5, 1.0, 0.0, 0.5])
    np.testing.assert_array_equal(y_bar[:4], [0.5, 0.0, 1.0, 0.5])
    at_bounds = cr.grad(lambda x: np.sum(np.clip(x, 0.0, 2.0)))(x)
    np.testing.assert_array_equal(at_bounds[:4], [0.5, 1.0, 0.5, 0.0])
