"""The methods of ufuncs: reduce, accumulate, reduceat, outer and at.

add, multiply, maximum, minimum and logaddexp have their own reductions; any other elementwise ufunc
of two operands is a loop along the axis, as NumPy defines it.
"""

import math
from typing import Any

import numpy as np

from chainrule.core.array import as_constant, plain_index
from chainrule.core.indexing import SCATTER, is_basic
from chainrule.core.primitive import FUNCTIONS, adjoint_pair, general
from chainrule.core.trace import bind, is_traced, plain
from chainrule.rules import reductions as r
from chainrule.rules.indexing import numbers
from chainrule.rules.reductions import NO, operand

# ---------------------------------------------------------------- reduce


def _reduction(run, takes_dtype=True):
    """The calling convention of ufunc.reduce in front of a reduction: axis 0 is the default."""

    def reduce(a, axis=0, dtype=None, keepdims=False, initial=NO, where=True):
        if axis == 0 and np.ndim(plain(a)) == 0:
            axis = None
        if takes_dtype:
            return run(a, axis, dtype, None, keepdims, initial, where)
        y = run(a, axis, None, keepdims, initial, where)
        return y if dtype is None else y.astype(dtype)

    return reduce


FUNCTIONS[np.add, "reduce"] = _reduction(r.sum_)
FUNCTIONS[np.multiply, "reduce"] = _reduction(r.prod)
FUNCTIONS[np.maximum, "reduce"] = _reduction(r.max_, False)
FUNCTIONS[np.minimum, "reduce"] = _reduction(r.min_, False)
FUNCTIONS[np.fmax, "reduce"] = _reduction(r.fmax_, False)
FUNCTIONS[np.fmin, "reduce"] = _reduction(r.fmin_, False)


def _log_sum(ufunc, exp, name):
    """The reduction by logaddexp: the log of a sum of exponentials, which never overflows."""

    def reduce(x, *, axis, keepdims=False):
        return ufunc.reduce(x, axis=axis, keepdims=keepdims)

    @general(reduce, name=name)
    def rule(g, y, x, *, axis, keepdims=False):
        """x_bar = g softmax(x),  softmax(x) = exp(x - y) / sum exp(x - y). Equal infinities tie."""
        y, g = r.stretch(y, x.shape, axis), r.stretch(g, x.shape, axis)
        p = exp(np.where((x == y) & np.isinf(x), 0.0, x - y))
        return g * (p / np.sum(p, axis=axis, keepdims=True))

    def run(a, axis=0, dtype=None, keepdims=False, initial=NO, where=True):
        a = operand(a) if dtype is None else operand(a).astype(dtype)
        if where is not True:
            a = np.where(r.frozen(where), a, -np.inf)
        params = {"axis": plain(axis)}
        if keepdims:
            params["keepdims"] = True
        y = bind(rule, (a,), params)
        return y if initial is NO or initial is None else ufunc(y, initial)

    FUNCTIONS[ufunc, "reduce"] = run


_log_sum(np.logaddexp, np.exp, "logaddexp_reduce")
_log_sum(np.logaddexp2, np.exp2, "logaddexp2_reduce")


def reduce(ufunc, a, axis=0, dtype=None, keepdims=False, initial=NO, where=True):
    """((x_0 op x_1) op x_2) ..., a loop along the axis."""
    a = operand(a)
    some: Any = True if where is True else np.broadcast_to(r.frozen(where), a.shape)
    kwargs = {"axis": axis, "where": some}
    if initial is not NO:
        kwargs["initial"] = plain(initial)
    shape = ufunc.reduce(np.ones(a.shape), **kwargs, keepdims=keepdims).shape  # NumPy's errors
    if dtype is not None:
        a = a.astype(dtype)
    x, _ = r.flat_last(a, plain(axis))
    mask = some if where is True else r.flat_last(some, plain(axis))[0]
    n = x.shape[-1]
    if n == 0 and not is_traced(initial):
        return as_constant(ufunc.reduce(plain(a), **kwargs, keepdims=keepdims))
    initial = ufunc.identity if initial is NO else initial
    y, start = (x[..., 0], 1) if initial is None else (initial, 0)
    for i in range(start, n):
        step = ufunc(y, x[..., i])
        y = step if where is True else np.where(mask[..., i], step, y)
    if np.shape(plain(y)) != shape:
        y = np.broadcast_to(y, x.shape[:-1]).reshape(shape)
    return y


FUNCTIONS["reduce"] = reduce


# ---------------------------------------------------------------- accumulate


def _prefixes(primitive):
    def accumulate(a, axis=0, dtype=None):
        return r.along(primitive, operand(a), axis, dtype)

    return accumulate


FUNCTIONS[np.add, "accumulate"] = _prefixes(r.CUMSUM)
FUNCTIONS[np.multiply, "accumulate"] = _prefixes(r.CUMPROD)


def _running(ufunc):
    """Running extrema are a gather, y = x[place of the extremum so far], as long as none tie."""

    def run(a, axis=0, dtype=None):
        a = operand(a) if dtype is None else operand(a).astype(dtype)
        value = plain(a)
        best = ufunc.accumulate(value, axis=axis)
        new = np.ones(value.shape, bool)
        along = [slice(None)] * value.ndim
        along[axis] = slice(1, None)
        before = [slice(None)] * value.ndim
        before[axis] = slice(None, -1)
        new[tuple(along)] = value[tuple(along)] != best[tuple(before)]
        if not (new | (value != best)).all():
            return accumulate(ufunc, a, axis)
        shape = [1] * value.ndim
        shape[axis] = -1
        steps = np.arange(value.shape[axis]).reshape(shape)
        attained = (value == best) | np.isnan(value)
        places = np.maximum.accumulate(np.where(attained, steps, 0), axis=axis)
        return np.take_along_axis(a, places, axis=axis)

    return run


FUNCTIONS[np.maximum, "accumulate"] = _running(np.maximum)
FUNCTIONS[np.minimum, "accumulate"] = _running(np.minimum)


def accumulate(ufunc, a, axis=0, dtype=None):
    """x_0, x_0 op x_1, (x_0 op x_1) op x_2, ...: a loop along the axis."""
    a = operand(a)
    ufunc.accumulate(np.ones(a.shape), axis=axis)  # NumPy's errors
    if dtype is not None:
        a = a.astype(dtype)
    if a.size == 0:
        return a
    x = a.swapaxes(axis, -1)
    ys = [x[..., 0]]
    for i in range(1, x.shape[-1]):
        ys.append(ufunc(ys[-1], x[..., i]))
    return np.stack(ys, axis=-1).swapaxes(axis, -1)


FUNCTIONS["accumulate"] = accumulate


# ---------------------------------------------------------------- reduceat


def segment_sum(x, *, indices, axis):
    return np.add.reduceat(x, indices, axis=axis)


def segment_spread(g, *, shape, indices, axis):
    """The transpose of the sums of segments: each element gets the cotangent of its segment."""
    lengths = np.diff(np.append(indices, shape[axis]))
    repeated = np.repeat(g, lengths, axis=axis)
    if indices[0] == 0:
        return repeated
    x = np.zeros_like(g, shape=shape)
    x[(slice(None),) * (axis % len(shape)) + (slice(int(indices[0]), None),)] = repeated
    return x


SEGMENTS = adjoint_pair(segment_sum, segment_spread)


def add_reduceat(a, indices, axis=0, dtype=None):
    a = operand(a) if dtype is None else operand(a).astype(dtype)
    indices = numbers(indices)
    if indices.size == 0 or np.any(np.diff(indices) <= 0):
        return reduceat(np.add, a, indices, axis)
    return bind(SEGMENTS, (a,), {"indices": indices, "axis": plain(axis)})


def reduceat(ufunc, a, indices, axis=0, dtype=None):
    """Reductions of x[i_k : i_(k+1)], or the element x[i_k] where i_k >= i_(k+1)."""
    a, indices = operand(a), numbers(indices)
    ufunc.reduceat(np.ones(a.shape), indices, axis=axis)  # NumPy's errors
    if dtype is not None:
        a = a.astype(dtype)
    x = a.swapaxes(axis, -1)
    parts = []
    for start, stop in zip(indices, [*indices[1:], x.shape[-1]]):
        alone = stop - start <= 1
        parts.append(x[..., start] if alone else ufunc.reduce(x[..., start:stop], axis=-1))
    if not parts:
        return x[..., :0].swapaxes(axis, -1)
    return np.stack(parts, axis=-1).swapaxes(axis, -1)


FUNCTIONS[np.add, "reduceat"] = add_reduceat
FUNCTIONS["reduceat"] = reduceat


# ---------------------------------------------------------------- outer


def outer(ufunc, a, b, **kwargs):
    """ufunc(a[i], b[j]) for all pairs."""
    a, b = operand(a), operand(b)
    return ufunc(a.reshape(a.shape + (1,) * len(b.shape)), b, **kwargs)


FUNCTIONS["outer"] = outer


# ---------------------------------------------------------------- at


def places(shape, index):
    """An index that repeats nothing, and for each element of ``x[index]`` its place in that.

    ``None`` if the index cannot repeat (slices and integers).
    """
    index = plain_index(index)
    if is_basic(index):
        return index, None
    parts: Any = index if isinstance(index, tuple) else (index,)
    parts = tuple(np.asarray(p) if isinstance(p, list) else p for p in parts)
    if all(type(p) is int or getattr(p, "dtype", np.dtype(bool)).kind in "iu" for p in parts):
        lead = shape[: len(parts)]
        parts = [np.where(p < 0, np.asarray(p) + n, p) for p, n in zip(parts, lead)]
        flat = np.ravel_multi_index(np.broadcast_arrays(*parts), lead)
        rest = shape[len(parts) :]
    else:  # masks, ellipses and slices among arrays
        flat = np.arange(math.prod(shape)).reshape(shape)[index]
        lead, rest = shape, ()
    unique, inverse = np.unique(flat, return_inverse=True)
    return np.unravel_index(unique, lead), (inverse.reshape(flat.shape), unique.size, rest)


def add_at(target, index, v, sign=1):
    """target[index] += v, where repeated indices add up, at the cost of the index."""
    if target.shape == () and not is_basic(
        plain_index(index)
    ):  # 0-d, with a mask or an empty index
        target[...] = target + sign * np.sum(
            np.broadcast_to(v, np.empty(())[plain_index(index)].shape)
        )
        return
    where, repeats = places(target.shape, index)
    if repeats is None:
        target[where] = _like(target[where] + sign * v, target)
        return
    inverse, n, rest = repeats
    v = np.broadcast_to(operand(v), inverse.shape + rest)
    v = v.astype(np.result_type(v.dtype, target.dtype))  # added up in the precision of the target
    total = bind(SCATTER, (v,), {"shape": (n, *rest), "index": inverse})
    target[where] = _like(target[where] + sign * total, target)


def at(ufunc, target, index, *v):
    """target[index] = ufunc(target[index], v), one after the other where an index repeats."""
    where, repeats = places(target.shape, index)
    if repeats is None:
        target[where] = _like(ufunc(target[where], *v), target)
        return
    inverse, n, rest = repeats
    flat = inverse.reshape(-1)
    values = [
        np.broadcast_to(operand(x), inverse.shape + rest).reshape((flat.size, *rest)) for x in v
    ]
    order = np.argsort(flat, kind="stable")
    turn = np.empty(flat.size, int)
    first = np.searchsorted(flat[order], np.arange(n))
    turn[order] = np.arange(flat.size) - first[flat[order]]  # the how-manieth visit of its place
    for k in range(turn.max(initial=-1) + 1):
        now = np.flatnonzero(turn == k)
        spot = tuple(w[flat[now]] for w in where)
        target[spot] = _like(ufunc(target[spot], *[x[now] for x in values]), target)


def _like(y, target):
    """NumPy's casting of what is written back."""
    return y if y.dtype == target.dtype else y.astype(target.dtype)


FUNCTIONS["at"] = at
FUNCTIONS[np.add, "at"] = add_at
FUNCTIONS[np.subtract, "at"] = lambda target, index, v: add_at(target, index, v, -1)
