"""Sums, means, extrema, products and cumulative sums and products.

Sums are linear, with spreading over the summed axes as their transpose; extrema, products and
cumulative products have a rule; the rest are compositions. No rule divides by an operand: products
with zeros in them have exact derivatives of every order.
"""

import math
import warnings

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from chainrule.core.array import as_constant, as_operand, store_out
from chainrule.core.primitive import (
    FUNCTIONS,
    General,
    adjoint_pair,
    composite,
    elementwise,
    existing,
    general,
)
from chainrule.core.products import selected
from chainrule.core.trace import Tracer, bind, frozen_array, is_traced, plain

NO = np._NoValue  # NumPy's own "not given"
SMALL = 4096  # up to this size filling an array is faster than broadcasting one


def operand(a):
    """A list or tuple, perhaps with traced values in it, as the array NumPy makes of it."""
    if isinstance(a, (Tracer, np.ndarray)):
        return a
    return as_operand(a) if isinstance(a, (list, tuple)) else np.asarray(a)


def frozen(mask):
    """A ``where=`` argument as a copy: its owner may change it before the sweep."""
    return mask if mask is True or mask is False else frozen_array(mask, bool)


def keep(keepdims):
    return keepdims is not False and keepdims is not NO and bool(keepdims)


def given(axis, keepdims, where, dtype=None):
    """The parameters of a reduction that differ from their defaults."""
    params = {}
    if axis is not None:
        params["axis"] = plain(axis)
    if keep(keepdims):
        params["keepdims"] = True
    if where is not True and where is not NO:
        params["where"] = frozen(where)
    if dtype is not None:
        params["dtype"] = dtype
    return params


def unless_constant(function):
    """Declare a composition for ``function``; where nothing is traced, NumPy's own code runs."""

    def declare(code):
        def run(a, *args, **kwargs):
            for x in (a, *args, *kwargs.values()):
                if is_traced(x) if isinstance(x, Tracer) else type(x) in (list, tuple) and _deep(x):
                    return code(a, *args, **kwargs)
            value = plain(a)
            y = function(value, *plain(args), **plain(kwargs))
            return a if y is value else as_constant(y)

        run.__name__ = run.__qualname__ = function.__name__
        FUNCTIONS[function] = run
        return code

    return declare


def _deep(xs):
    return any(
        is_traced(x) if isinstance(x, Tracer) else type(x) in (list, tuple) and _deep(x) for x in xs
    )


# ---------------------------------------------------------------- axes


def reduced_axes(axis, ndim):
    """The reduced axes as non-negative numbers."""
    if axis is None:
        return tuple(range(ndim))
    return tuple(a % ndim for a in (axis if isinstance(axis, tuple) else (axis,))) if ndim else ()


def kept_shape(shape, axis):
    """The shape with length 1 on the reduced axes."""
    axes = reduced_axes(axis, len(shape))
    return tuple([1 if i in axes else n for i, n in enumerate(shape)])


def stretch(y, shape, axis):
    """A result of a reduction of ``shape``, with its axes in place so that it broadcasts."""
    return y.reshape(kept_shape(shape, axis))


def flat_last(x, axis):
    """``x`` with the reduced axes joined into the last one, and the function that undoes it."""
    shape = x.shape
    if axis is None:
        return x.reshape(-1), lambda y: y.reshape(shape)
    axes = reduced_axes(axis, len(shape))
    order = tuple(i for i in range(len(shape)) if i not in axes) + axes
    moved = x.transpose(order)
    full = moved.shape
    flat = moved.reshape(
        (*full[: len(shape) - len(axes)], math.prod(full[len(shape) - len(axes) :]))
    )
    back = tuple(order.index(i) for i in range(len(shape)))
    return flat, lambda y: y.reshape(full).transpose(back)


def count(shape, axis, where, keepdims, dtype):
    """How many elements each result is made of: a number, or an array where a mask says so."""
    if where is not True and where is not NO:
        mask = np.broadcast_to(frozen(where), shape)
        n = np.add.reduce(mask, axis=axis, dtype=np.intp, keepdims=keepdims)
        return n.astype(np.finfo(dtype).dtype)
    if axis is None:
        return math.prod(shape)
    axes = axis if isinstance(axis, tuple) else (axis,)
    return math.prod([shape[normalize_axis_index(i, len(shape))] for i in axes])


# ---------------------------------------------------------------- sum


def _sum(x, *, axis=None, keepdims=False, dtype=None, where=True):
    return np.add.reduce(x, axis=axis, dtype=dtype, keepdims=keepdims, where=where)


def spread(g, *, shape, axis=None, keepdims=False, dtype=None, where=True):
    """The transpose of sum: g repeated over the summed axes."""
    if axis is not None and not keepdims:
        g = g.reshape(kept_shape(shape, axis))
    if where is not True:
        return np.where(np.broadcast_to(where, shape), g, g.dtype.type(0))
    if math.prod(shape) > SMALL:
        return np.broadcast_to(g, shape)
    x = np.empty_like(g, shape=shape)
    x[...] = g
    return x


SUM = adjoint_pair(_sum, spread, name="sum")


@composite(np.sum)
def sum_(a, axis=None, dtype=None, out=None, keepdims=False, initial=NO, where=True):
    if type(a) is list or type(a) is tuple:
        a = as_operand(a)
    params = given(axis, keepdims, where, dtype)
    y = bind(SUM, (a,), params)
    if initial is not NO and initial is not None:
        y = (y + initial).astype(y.dtype)
    return y if out is None else store_out(out, y)


# ---------------------------------------------------------------- mean, var, std, average


@unless_constant(np.mean)
def mean(a, axis=None, dtype=None, out=None, keepdims=False, *, where=True):
    """sum(x) / n."""
    a = operand(a)
    half = dtype is None and a.dtype == np.float16
    y, n = _mean(a, axis, np.float32 if half else dtype, keepdims, where)
    if n == 0 if type(n) is int else np.any(n == 0):
        warnings.warn("Mean of empty slice.", RuntimeWarning, stacklevel=2)
    y = y.astype(np.float16) if half else y
    return y if out is None else store_out(out, y)


def _mean(a, axis, dtype, keepdims, where):
    """The mean, and of how many elements."""
    total = sum_(a, axis, dtype, None, keepdims, where=where)
    n = count(a.shape, plain(axis), where, keep(keepdims), total.dtype)
    return total / n, n


def _root(v):
    return np.sqrt(v)


# The root of a sum of squares, as a norm has slope 0 at 0: the subgradient of least norm.
elementwise(
    _root,
    name="root",
    v=lambda y: np.where(y == 0, 0.0, 0.5 / np.where(y == 0, 1.0, y)),
)
root = FUNCTIONS[_root]


def squared_length(d):
    """|d|^2, real also for complex d."""
    if d.dtype.kind == "c":
        return np.square(d.real) + np.square(d.imag)
    return np.square(d)


def _variance(x, *, n, ddof, axis=None, keepdims=False):
    """The variance of real numbers, and their deviations from the mean, which its derivative is
    made of. Of nearly equal numbers the rounding of the mean is taken off those."""
    mean = np.add.reduce(x, axis=axis, keepdims=True) / n
    d = x - mean
    v = np.add.reduce(np.square(d), axis=axis, keepdims=True) / (n - ddof)
    if type(x) is not np.ndarray or np.any(v < 0.01 * mean * mean):
        d = _centred(d, axis, n)
    return v if keepdims else np.squeeze(v, axis)[()], d


def _variance_jvp(tangents, y, _x, *, n, ddof, axis=None, keepdims=False):
    dd = _centred(tangents[0], axis, n)
    return np.sum(y[1] * dd, axis=axis, keepdims=keepdims) * (2 / (n - ddof)), dd


def _centred(d, axis, n):
    return d - np.sum(d, axis=axis, keepdims=True) / n


@general(_variance, name="variance", multiple=True, jvp=_variance_jvp)
def VARIANCE(g, y, _x, *, n, ddof, axis=None, keepdims=False):
    """v = sum d^2 / (n - ddof), d = x - mean(x), whose sum is 0:   x_bar = 2 g d / (n - ddof)."""
    (g_v, g_d), d = g, y[1]
    if g_d is not None:
        g_d = _centred(g_d, axis, n)
    if g_v is None:
        return g_d
    x_bar = stretch(g_v * (2 / (n - ddof)), d.shape, axis) * d
    return x_bar if g_d is None else x_bar + g_d


@unless_constant(np.var)
def var(
    a,
    axis=None,
    dtype=None,
    out=None,
    ddof=0,
    keepdims=False,
    *,
    where=True,
    mean=NO,
    correction=NO,
):
    """sum |x - mean(x)|^2 / (n - ddof): two passes, no cancellation."""
    a = operand(a)
    if correction is not NO:
        if ddof != 0:
            return np.var(np.ones(2), ddof=ddof, correction=correction)  # NumPy's error
        ddof = correction
    if mean is NO and where is True and dtype is None and a.dtype.char in "df" and out is None:
        n = count(a.shape, plain(axis), True, False, a.dtype)
        if n > plain(ddof):
            params = given(axis, keepdims, where) | {"n": n, "ddof": plain(ddof)}
            return bind(VARIANCE, (a,), params)[0]
    d = a - (_mean(a, axis, dtype, True, where)[0] if mean is NO else mean)
    total = sum_(squared_length(d), axis, _real_dtype(dtype), None, keepdims, where=where)
    n = count(a.shape, plain(axis), where, keep(keepdims), total.dtype) - plain(ddof)
    if n <= 0 if type(n) is int else np.any(n <= 0):
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=2)
        n = np.maximum(n, 0).astype(total.dtype)[()]
    y = total / n
    return y if out is None else store_out(out, y)


def _real_dtype(dtype):
    return np.finfo(dtype).dtype if dtype is not None and np.dtype(dtype).kind == "c" else dtype


@unless_constant(np.std)
def std(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, **kwargs):
    """sqrt(var(x)), and slope 0 where that is 0."""
    y = root(var(a, axis, dtype, None, ddof, keepdims, **kwargs))
    return y if out is None else store_out(out, y)


@unless_constant(np.average)
def average(a, axis=None, weights=None, returned=False, *, keepdims=False):
    """sum(w x) / sum(w), differentiable in the weights too."""
    a = operand(a)
    axis = plain(axis)
    if weights is None:
        y = mean(a, axis, keepdims=keepdims)
        n = y.dtype.type(math.prod(a.shape) / math.prod(y.shape))  # or NumPy's ZeroDivisionError
        return (y, np.full(y.shape, n)[()]) if returned else y
    weights = operand(weights)
    if weights.shape != a.shape or a.shape == ():
        np.average(np.empty(a.shape), axis, np.ones(weights.shape))  # NumPy's errors
    if weights.shape != a.shape:
        axes = reduced_axes(axis, a.ndim)
        weights = weights.transpose(tuple(np.argsort(axes)))
        weights = weights.reshape(tuple(n if i in axes else 1 for i, n in enumerate(a.shape)))
    scale = sum_(weights, axis, np.result_type(a.dtype, weights.dtype), keepdims=keepdims)
    if np.any(scale == 0.0):
        raise ZeroDivisionError("Weights sum to zero, can't be normalized")
    y = sum_(a * weights, axis, keepdims=keepdims) / scale
    if not returned:
        return y
    return y, scale if scale.shape == y.shape else np.broadcast_to(scale, y.shape).copy()


# ---------------------------------------------------------------- max, min, ptp


def _winners(y, x, axis, where, initial):
    """Where x attains y or a NaN wins, and how many do; None if it is one for each result."""
    count, no_nan, y = np.size(y), np.all(y == y), stretch(y, x.shape, axis)
    chosen = x == y
    if where is True and initial is NO and no_nan and np.count_nonzero(chosen) == count:
        return chosen, None
    chosen = chosen | ((x != x) & (y != y))
    if where is not True:
        chosen = chosen & where
    ties = np.add.reduce(chosen, axis=axis, keepdims=True)
    if initial is not NO:
        ties = ties + (y == initial)
    return chosen, np.maximum(ties, 1)


def _extremum_jvp(tangents, y, x, *, axis=None, keepdims=False, where=True, initial=NO):
    chosen, ties = _winners(y, x, axis, where, initial)
    dy = np.sum(selected(chosen, tangents[0]), axis=axis, keepdims=keepdims)
    return dy if ties is None else dy / ties.reshape(dy.shape).astype(dy.dtype)


def _extremum(ufunc, name: str) -> General:
    """The reduction by maximum, minimum, fmax or fmin: the places that attain it share equally."""

    def reduce(x, *, axis=None, keepdims=False, where=True, initial=NO):
        kwargs = {} if initial is NO else {"initial": initial}
        return ufunc.reduce(x, axis=axis, keepdims=keepdims, where=where, **kwargs)

    @general(reduce, name=name, jvp=_extremum_jvp)
    def rule(g, y, x, *, axis=None, keepdims=False, where=True, initial=NO):
        """y = max x or min x:  x_bar = g / (number of ties) where x == y, or where a NaN wins."""
        chosen, ties = _winners(y, x, axis, where, initial)
        g = stretch(g, x.shape, axis)
        return selected(chosen, g if ties is None else g / ties.astype(g.dtype))

    return rule


MAX = _extremum(np.maximum, "max")
MIN = _extremum(np.minimum, "min")
FMAX = _extremum(np.fmax, "fmax_reduce")
FMIN = _extremum(np.fmin, "fmin_reduce")


def _extremum_entry(primitive, ufunc):
    """Calling convention of np.max in front of the primitive; a traced ``initial`` takes part."""

    def run(a, axis=None, out=None, keepdims=False, initial=NO, where=True):
        if type(a) is list or type(a) is tuple:
            a = as_operand(a)
        params = given(axis, keepdims, where)
        if initial is not NO and initial is not None:
            params["initial"] = plain(initial)
        y = bind(primitive, (a,), params)
        if is_traced(initial):
            low = (
                np.min(plain(a), initial=np.inf)
                if ufunc in _UP
                else np.max(plain(a), initial=-np.inf)
            )
            params["initial"] = low
            y = ufunc(bind(primitive, (a,), params), initial)
        return y if out is None else store_out(out, y)

    run.__name__ = run.__qualname__ = primitive.name
    return run


_UP = (np.maximum, np.fmax)
max_ = FUNCTIONS[np.max] = FUNCTIONS[np.amax] = _extremum_entry(MAX, np.maximum)
min_ = FUNCTIONS[np.min] = FUNCTIONS[np.amin] = _extremum_entry(MIN, np.minimum)
fmax_ = _extremum_entry(FMAX, np.fmax)
fmin_ = _extremum_entry(FMIN, np.fmin)


@composite(np.ptp)
def ptp(a, axis=None, out=None, keepdims=False):
    """max x - min x."""
    y = max_(a, axis, keepdims=keepdims) - min_(a, axis, keepdims=keepdims)
    return y if out is None else store_out(out, y)


# ---------------------------------------------------------------- cumulative sums


def _cumsum(x, *, axis, dtype=None):
    return np.add.accumulate(x, axis=axis, dtype=dtype)


def reverse_cumsum(g, *, axis, dtype=None):
    """The transpose of cumsum: g summed from each place to the end."""
    if type(g) is not np.ndarray:
        return np.flip(np.add.accumulate(np.flip(g, axis), axis=axis), axis)
    sums = np.empty_like(g)
    np.add.accumulate(np.flip(g, axis), axis=axis, out=np.flip(sums, axis))
    return sums


CUMSUM = adjoint_pair(_cumsum, reverse_cumsum, name="cumsum")


@composite(np.cumsum)
def cumsum(a, axis=None, dtype=None, out=None):
    y = along(CUMSUM, operand(a), axis, dtype)
    return y if out is None else store_out(out, y)


def along(primitive, a, axis, dtype):
    """A cumulative operation along an axis, or over the flattened array."""
    if axis is None or a.shape == ():
        if a.shape == () and axis is not None:
            np.cumsum(np.empty(()), axis)  # NumPy's error for a bad axis
        a, axis = a.reshape(-1), 0
    params = {"axis": plain(axis)}
    if dtype is not None:
        a = real_where_asked(a, dtype)
        params["dtype"] = dtype
    return bind(primitive, (a,), params)


def real_where_asked(a, dtype):
    """NumPy casts the factors of a product to ``dtype`` first: imaginary parts may be lost."""
    return a.astype(dtype) if a.dtype.kind == "c" and np.dtype(dtype).kind != "c" else a


# ---------------------------------------------------------------- products and their prefixes


def _cumprod(x, *, axis, dtype=None):
    return np.multiply.accumulate(x, axis=axis, dtype=dtype)


def _cumprod_jvp(tangents, y, x, *, axis, dtype=None):
    """dy_k = x_k dy_(k-1) + L_k dx_k:  the same recurrence from the other end."""
    (dx,) = tangents
    if may_divide(x, y):
        return y * np.cumsum(dx / x, axis=axis)
    x, dx = x.swapaxes(axis, -1), dx.swapaxes(axis, -1)
    b = exclusive_cumprod(x) * dx
    return _suffix_scan(x[..., :0:-1], b[..., ::-1])[..., ::-1].swapaxes(axis, -1)


@general(_cumprod, name="cumprod", jvp=_cumprod_jvp)
def CUMPROD(g, y, x, *, axis, dtype=None):
    """y_k = x_0 ... x_k.  x_bar_i = L_i S_i,  L_i = x_0 ... x_(i-1),  S_i = g_i + x_(i+1) S_(i+1).

    No division: the recurrence is solved by doubling, in log2(n) passes. Numbers without zeros are
    spared that: x_bar_i = (g_i y_i + g_(i+1) y_(i+1) + ...) / x_i.
    """
    if may_divide(x, y):
        return reverse_cumsum(g * conjugate(y), axis=axis) / conjugate(x)
    x, g = conjugate(x).swapaxes(axis, -1), g.swapaxes(axis, -1)
    x_bar = exclusive_cumprod(x) * _suffix_scan(x[..., 1:], g)
    return x_bar.swapaxes(axis, -1)


def may_divide(x, y):
    """Whether the others in a product y are y / x to rounding: plain arrays, no zero, no overflow.

    Not in a derivative that is recorded: it would be wrong at other points.
    """
    if type(x) is not np.ndarray or not isinstance(y, (np.ndarray, np.generic)) or not x.size:
        return False
    size = np.abs(y)
    return np.min(size) >= np.finfo(y.dtype).tiny and np.max(size) < np.inf


def conjugate(x):
    return np.conjugate(x) if x.dtype.kind == "c" else x


def exclusive_cumprod(x):
    """The product of all elements before each, along the last axis."""
    ones = np.ones_like(x[..., :1])
    return np.concatenate([ones, np.cumprod(x[..., :-1], axis=-1)], axis=-1)


def _suffix_scan(a, b):
    """S_i = b_i + a_i S_(i+1) along the last axis, where a is one shorter than b.

    After the pass with distance d:  S_i = b_i + a_i S_(i+d),  a_i the product of d coefficients.
    """
    n, d = b.shape[-1], 1
    while d < n:
        b = np.concatenate([b[..., :-d] + a * b[..., d:], b[..., -d:]], axis=-1)
        a = a[..., :-d] * a[..., d:]
        d *= 2
    return b


@composite(np.cumprod)
def cumprod(a, axis=None, dtype=None, out=None):
    y = along(CUMPROD, operand(a), axis, dtype)
    return y if out is None else store_out(out, y)


def _prod(x, *, axis=None, keepdims=False, dtype=None, where=True):
    return np.multiply.reduce(x, axis=axis, keepdims=keepdims, dtype=dtype, where=where)


def _prod_jvp(tangents, y, x, *, axis=None, keepdims=False, dtype=None, where=True):
    (dx,) = tangents
    if where is True and may_divide(x, y):
        return y * np.sum(dx / x, axis=axis, keepdims=keepdims)
    return np.sum(_others(x, axis, where) * dx, axis=axis, keepdims=keepdims, where=where)


def _others(x, axis, where):
    """The product of all elements but one, for each."""
    used = x if where is True else np.where(where, x, 1.0)
    flat, unflatten = flat_last(used, axis)
    return unflatten(exclusive_cumprod(flat) * exclusive_cumprod(flat[..., ::-1])[..., ::-1])


@general(_prod, name="prod", jvp=_prod_jvp)
def PROD(g, y, x, *, axis=None, keepdims=False, dtype=None, where=True):
    """y = x_0 ... x_(n-1).  x_bar_i = g (product of the others), from both sides; no division
    where an x is 0."""
    if where is True and may_divide(x, y):
        return stretch(g * conjugate(y), x.shape, axis) / conjugate(x)
    x_bar = stretch(g, x.shape, axis) * _others(conjugate(x), axis, where)
    return x_bar if where is True else np.where(where, x_bar, 0.0)


@composite(np.prod)
def prod(a, axis=None, dtype=None, out=None, keepdims=False, initial=NO, where=True):
    if type(a) is list or type(a) is tuple:
        a = as_operand(a)
    if dtype is not None:
        a = real_where_asked(a, dtype)
    params = given(axis, keepdims, where, dtype)
    y = bind(PROD, (a,), params)
    if initial is not NO and initial is not None:
        y = (y * initial).astype(y.dtype)
    return y if out is None else store_out(out, y)


def _cumulative(function, run, identity):
    @composite(function)
    def cumulative(x, /, *, axis=None, dtype=None, out=None, include_initial=False):
        """As cumsum and cumprod, along one axis, perhaps with the empty sum or product first."""
        x = operand(x)
        if axis is None and x.ndim > 1:
            return function(plain(x))  # NumPy's error: it wants an axis
        if x.shape == ():
            x = x.reshape(1)
        axis = 0 if axis is None else plain(axis)
        y = run(x, axis, dtype)
        if include_initial:
            shape = tuple(1 if i == axis % x.ndim else n for i, n in enumerate(y.shape))
            first = np.full(shape, identity, y.dtype)
            y = np.concatenate([first, y], axis=axis)
        return y if out is None else store_out(out, y)


for _function in existing("cumulative_sum"):
    _cumulative(_function, cumsum, 0)
for _function in existing("cumulative_prod"):
    _cumulative(_function, cumprod, 1)
