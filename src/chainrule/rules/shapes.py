"""Other arrangements of the same elements: reshape, transpose, repeat, pad, diagonals.

Where NumPy gives a view so do these, by the handle's own views: writing to it reaches the base.
What only moves elements about is a gather: NumPy arranges the elements' numbers, ``x[numbers]``.
"""

import math

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple
from numpy.lib.stride_tricks import sliding_window_view

from chainrule.core.array import store_out
from chainrule.core.handle import Array, ReadOnly
from chainrule.core.primitive import adjoint_pair, composite, linear
from chainrule.core.trace import NOTED, bind, plain
from chainrule.rules.joins import is_float, operand, view

# ---------------------------------------------------------------- the two behind most views


def transpose(x, *, axes):
    return x.transpose(axes)


def reshape(x, *, to):
    return x.reshape(to)


@linear(transpose)
def TRANSPOSE(g, shapes, slots, *, axes):
    """The axes go back to their places."""
    n = len(axes)
    return [g.transpose(axes if n == 2 else tuple(np.argsort([a % n for a in axes]).tolist()))]


@linear(reshape)
def RESHAPE(g, shapes, slots, *, to):
    """Back to its shape."""
    return [g.reshape(shapes[0])]


@composite(np.transpose)
def _transpose(a, axes=None):
    """The axes in another order; a view."""
    return operand(a).transpose(axes)


@composite(np.reshape)
def _reshape(a, /, shape=None, order="C", *, newshape=None, copy=None):
    """The elements in their order, in another shape; a view where NumPy has one."""
    a = operand(a)
    shape = plain(newshape if shape is None else shape)
    if copy is False:
        plain(a).reshape(shape, order=order, copy=False)  # NumPy's error if it needs a copy
    y = a.reshape(shape, order=order)
    return np.copy(y) if copy else y


@composite(np.ravel)
def ravel(a, order="C"):
    """One axis, a view of contiguous memory and else a copy; order "K" is that of the strides."""
    a, order = operand(a), order.upper()
    if order == "K":
        strides = a.strides
        a = a.transpose(sorted(range(a.ndim), key=lambda i: -abs(strides[i])))
    elif order == "F" or (order == "A" and a.flags.fnc):
        a = a.transpose()
    if a.flags.c_contiguous:
        return a.reshape(-1)
    return bind(RESHAPE, (a,), {"to": (a.size,)})  # a copy, where reshape could give a view


@composite(np.swapaxes)
def swapaxes(a, axis1, axis2):
    """Two axes interchanged; a view."""
    a = operand(a)
    axes = list(range(a.ndim))
    i = normalize_axis_index(axis1, a.ndim, "axis1")
    j = normalize_axis_index(axis2, a.ndim, "axis2")
    axes[i], axes[j] = j, i
    return a.transpose(axes)


@composite(np.moveaxis)
def moveaxis(a, source, destination):
    """Axes moved to new places; a view."""
    a = operand(a)
    source = normalize_axis_tuple(source, a.ndim, "source")
    destination = normalize_axis_tuple(destination, a.ndim, "destination")
    if len(source) != len(destination):
        raise ValueError(
            "`source` and `destination` arguments must have the same number of elements"
        )
    axes = [i for i in range(a.ndim) if i not in source]
    for to, i in sorted(zip(destination, source)):
        axes.insert(to, i)
    return a.transpose(axes)


@composite(np.rollaxis)
def rollaxis(a, axis, start=0):
    """An axis moved before another one; a view."""
    a = operand(a)
    np.rollaxis(np.broadcast_to(False, a.shape), axis, start)  # NumPy's own errors
    axis = normalize_axis_index(axis, a.ndim)
    start += a.ndim if start < 0 else 0
    return moveaxis(a, axis, start - 1 if axis < start else start)


@composite(np.matrix_transpose, np.linalg.matrix_transpose)
def matrix_transpose(x, /):
    """The last two axes interchanged; a view."""
    x = operand(x)
    return swapaxes(x, -1, -2) if x.ndim >= 2 else np.matrix_transpose(plain(x))


@composite(np.squeeze)
def squeeze(a, axis=None):
    """Without the axes of length one; a view."""
    a = operand(a)
    return a.reshape(np.squeeze(np.broadcast_to(False, a.shape), axis).shape)


@composite(np.expand_dims)
def expand_dims(a, axis):
    """With new axes of length one; a view."""
    a = operand(a)
    if type(axis) is int and 0 <= axis <= a.ndim:
        return a.reshape((*a.shape[:axis], 1, *a.shape[axis:]))
    return a.reshape(np.expand_dims(np.broadcast_to(False, a.shape), axis).shape)


def _at_least(function, ndim):
    def at_least(*arys):
        """With axes of length one added."""
        ys = [_with_axes(operand(a), ndim) for a in arys]
        return ys[0] if len(ys) == 1 else tuple(ys)

    at_least.__name__ = at_least.__qualname__ = function.__name__
    return at_least


def _with_axes(a, ndim):
    if a.ndim >= ndim:
        return a
    missing = ndim - a.ndim
    before = missing if ndim < 3 or missing == 3 else missing - 1  # the third axis comes last
    return a.reshape((1,) * before + a.shape + (1,) * (missing - before))


for _n, _function in ((1, np.atleast_1d), (2, np.atleast_2d), (3, np.atleast_3d)):
    composite(_function)(_at_least(_function, _n))


# ---------------------------------------------------------------- broadcasting


def _broadcast_to(x, *, to):
    return np.broadcast_to(x, to)


# its transpose is the sum over what was repeated, which `project` does to every cotangent
BROADCAST = linear(_broadcast_to, name="broadcast_to")(lambda g, shapes, slots, *, to: [g])


@composite(np.broadcast_to)
def broadcast_to(array, shape, subok=False):
    """The array repeated along new and unit axes."""
    shape = plain(shape)
    to = tuple(int(n) for n in shape) if np.iterable(shape) else (int(shape),)
    x = operand(array)
    if isinstance(x, Array):
        return ReadOnly(x, BROADCAST, {"to": to})
    return bind(BROADCAST, (x,), {"to": to})


@composite(np.broadcast_arrays)
def broadcast_arrays(*args, subok=False):
    """All arguments broadcast to their common shape."""
    arrays = [operand(a) for a in args]
    shape = np.broadcast_shapes(*(a.shape for a in arrays))
    return tuple(a if a.shape == shape else np.broadcast_to(a, shape) for a in arrays)


def windows(x, *, window, axis):
    return sliding_window_view(x, window, axis)


def overlap_add(g, *, shape, window, axis):
    """Each element's cotangents from all the windows it is in, added up.

    Place by place of a window, for all windows at once; or window by window if they are fewer.
    """
    along = [*range(len(shape))] if axis is None else (np.atleast_1d(axis) % len(shape)).tolist()
    count, places = g.shape[: len(shape)], g.shape[len(shape) :]
    x_bar = np.zeros_like(g, shape=shape)
    if math.prod(count) < math.prod(places) and along == sorted(set(along)):
        sizes = [dict(zip(along, places)).get(i) for i in range(len(shape))]
        for start in np.ndindex(*count):
            place = tuple(s if n is None else slice(s, s + n) for s, n in zip(start, sizes))
            x_bar[place] += g[start]
        return x_bar
    for k in np.ndindex(*places):
        start = [0] * len(shape)
        for i, step in zip(along, k):
            start[i] += step
        x_bar[tuple(slice(s, s + n) for s, n in zip(start, count))] += g[(..., *k)]
    return x_bar


WINDOWS = adjoint_pair(windows, overlap_add)


@composite(sliding_window_view)
def _sliding_window_view(x, window_shape, axis=None, *, subok=False, writeable=False):
    """All windows of a shape, a view; it cannot be written, ``writeable`` or not."""
    x, params = operand(x), {"window": plain(window_shape), "axis": plain(axis)}
    return ReadOnly(x, WINDOWS, params) if isinstance(x, Array) else bind(WINDOWS, (x,), params)


# ---------------------------------------------------------------- flips and rotations (views)


@composite(np.flip)
def flip(m, axis=None):
    """Reversed along the axes; a view."""
    m = operand(m)
    axes = range(m.ndim) if axis is None else normalize_axis_tuple(axis, m.ndim)
    return m[tuple(slice(None, None, -1) if i in axes else slice(None) for i in range(m.ndim))]


@composite(np.flipud)
def flipud(m):
    """Reversed along the first axis; a view."""
    m = operand(m)
    return m[::-1] if m.ndim else np.flipud(plain(m))


@composite(np.fliplr)
def fliplr(m):
    """Reversed along the second axis; a view."""
    m = operand(m)
    return m[:, ::-1] if m.ndim > 1 else np.fliplr(plain(m))


@composite(np.rot90)
def rot90(m, k=1, axes=(0, 1)):
    """Turned by k right angles in a plane; a view."""
    m = operand(m)
    np.rot90(np.broadcast_to(False, m.shape), k, axes)  # NumPy's own errors
    k %= 4
    if k == 0:
        return m[:]
    if k == 2:
        return flip(m, axes)
    if k == 1:
        return swapaxes(flip(m, axes[1]), *axes)
    return flip(swapaxes(m, *axes), axes[1])


# ---------------------------------------------------------------- gathers


def gathered(x, numbers):
    """The elements of ``x`` in the order of the numbers NumPy has arranged."""
    return x.reshape(-1)[numbers]


def numbered(x):
    """The numbers of the elements of ``x``, in its shape."""
    return np.arange(x.size).reshape(x.shape)


def _roll(x, *, shift, axis):
    return np.roll(x, shift, 0 if axis is None and x.ndim == 1 else axis)  # an array of its own


@linear(_roll, name="roll")
def ROLL(g, shapes, slots, *, shift, axis):
    """Rolled back."""
    back = tuple(-s for s in shift) if isinstance(shift, tuple) else -shift
    return [bind(ROLL, (g,), {"shift": back, "axis": axis})]


@composite(np.roll)
def roll(a, shift, axis=None):
    """Elements moved along the axes; those that leave come in at the other end."""
    shift = plain(shift)
    shift = tuple(int(s) for s in shift) if np.iterable(shift) else int(shift)
    axis = tuple(axis) if np.iterable(axis) else axis
    return bind(ROLL, (operand(a),), {"shift": shift, "axis": axis})


@composite(np.repeat)
def repeat(a, repeats, axis=None):
    """Each element several times: a broadcast if all alike, a gather if each has its own number."""
    a, repeats = operand(a), np.asarray(plain(repeats))
    if repeats.size != 1 or repeats.dtype.kind not in "iu" or int(repeats.reshape(-1)[0]) < 0:
        return gathered(a, np.repeat(numbered(a), repeats, axis))
    n = int(repeats.reshape(-1)[0])
    a = a if a.ndim else a.reshape(1)
    if axis is None:
        a, axis = a.reshape(-1), 0
    axis = normalize_axis_index(axis, a.ndim)
    before, after = a.shape[: axis + 1], a.shape[axis + 1 :]
    wide = np.broadcast_to(a.reshape((*before, 1, *after)), (*before, n, *after))
    return np.copy(wide.reshape((*before[:-1], before[-1] * n, *after)))


@composite(np.tile)
def tile(A, reps):
    """Copies of the array side by side."""
    A, reps = operand(A), plain(reps)
    reps = tuple(int(r) for r in reps) if np.iterable(reps) else (int(reps),)
    reps = (1,) * (A.ndim - len(reps)) + reps
    shape = (1,) * (len(reps) - A.ndim) + A.shape
    pairs = [p for r, n in zip(reps, shape) for p in (r, n)]
    wide = np.broadcast_to(A.reshape([p for n in shape for p in (1, n)]), pairs)
    return np.copy(wide.reshape([r * n for r, n in zip(reps, shape)]))


@composite(np.resize)
def resize(a, new_shape):
    """The elements repeated until the new shape is full."""
    a = operand(a)
    if a.size == 0:
        return np.zeros_like(a, shape=np.resize(plain(a), new_shape).shape)
    return gathered(a, np.resize(np.arange(a.size), new_shape))


@composite(np.delete)
def delete(arr, obj, axis=None):
    """Without the elements at the given positions."""
    arr = operand(arr)
    return gathered(arr, np.delete(numbered(arr), plain(obj), axis))


@composite(np.trim_zeros)
def trim_zeros(filt, trim="fb", axis=None):
    """Without the zeros at the ends; a view."""
    filt = operand(filt)
    values = plain(filt)
    shape = np.trim_zeros(values, trim, **({} if axis is None else {"axis": axis})).shape
    if values.ndim == 1:
        axis = 0
    axes = normalize_axis_tuple(range(values.ndim) if axis is None else axis, values.ndim)
    first = [int(places.min()) if places.size else 0 for places in np.nonzero(values)]
    front = [first[i] if "f" in trim.lower() and i in axes else 0 for i in range(values.ndim)]
    return filt[tuple(slice(start, start + n) for start, n in zip(front, shape))]


# ---------------------------------------------------------------- padding


def _pad(x, *, width):
    return np.pad(x, width)


@linear(_pad, name="pad")
def PAD(g, shapes, slots, *, width):
    """The transpose of padding by zeros is the slice they surround."""
    return [g[tuple(slice(before, before + n) for (before, _), n in zip(width, shapes[0]))]]


@composite(np.pad)
def pad(array, pad_width, mode="constant", **kwargs):
    """Padded by constants (which may be traced), copies of elements, or statistics of them."""
    array, width = operand(array), plain(pad_width)
    if array.ndim == 0:
        np.pad(plain(array), width, mode, **plain(kwargs))  # NumPy's errors
        return np.copy(array)
    if mode in _ARRANGED and kwargs.get("reflect_type") != "odd":
        return gathered(array, np.pad(numbered(array), width, mode, **plain(kwargs)))
    if not callable(mode):
        names = {k: 0 if k in ("constant_values", "end_values") else v for k, v in kwargs.items()}
        np.pad(np.broadcast_to(np.int8(0), array.shape), width, mode, **names)  # NumPy's errors
    width = _widths(width, array.ndim)
    if mode in ("constant", "empty"):  # what an empty frame holds is not defined: zeros
        y = bind(PAD, (array,), {"width": width})
        return _with_frame(y, array.shape, width, kwargs.get("constant_values", 0))
    if callable(mode):
        return _padded_by(mode, bind(PAD, (array,), {"width": width}), width, kwargs)
    for axis, (before, after) in enumerate(width):
        if mode in _ARRANGED:
            array = _odd_padding(array, axis, before, after, mode)
        else:
            array = _PADDED[mode](array, axis, before, after, **kwargs)
    return array


_ARRANGED = ("edge", "reflect", "symmetric", "wrap")


def _widths(width, ndim):
    if isinstance(width, dict):
        width = [width.get(i, width.get(i - ndim, 0)) for i in range(ndim)]
        width = [w if np.iterable(w) else (w, w) for w in width]
    return _pairs(width, ndim)


def _padded_by(function, padded, width, kwargs):
    """The function writes the frame into each line along each axis, as NumPy calls it."""
    for axis in range(padded.ndim):
        lines = np.moveaxis(padded, axis, -1)
        for index in np.ndindex(lines.shape[:-1]):
            function(lines[index], width[axis], axis, kwargs)
    return padded


def _odd_padding(array, axis, before, after, mode):
    """Twice the edge less the reflected elements: the map NumPy makes of the unit vectors."""
    n = array.shape[axis]
    unit = np.eye(n, dtype=array.dtype)
    frame = np.pad(unit, ((before, after), (0, 0)), mode, reflect_type="odd")
    parts = [np.tensordot(frame[:before], array, (1, axis)), np.moveaxis(array, axis, 0)]
    parts.append(np.tensordot(frame[before + n :], array, (1, axis)))
    return np.moveaxis(np.concatenate(parts), 0, axis)


def _pairs(width, ndim):
    pairs = np.broadcast_to(np.asarray(width), (ndim, 2))
    return tuple((int(a), int(b)) for a, b in pairs)


def _value_pairs(values, ndim):
    """Values before and after for each axis, which may be traced."""
    values = operand(values)
    if values.size == 1:
        value = values.reshape(())
        return [(value, value)] * ndim
    table = np.broadcast_to(values, (ndim, 2))
    return [(table[i, 0], table[i, 1]) for i in range(ndim)]


def _with_frame(y, shape, width, values):
    """The constants written around the middle, axis after axis, as NumPy does."""
    if type(values) in (int, float) and values == 0:
        return y
    for axis, ((before, after), (left, right)) in enumerate(
        zip(width, _value_pairs(values, len(shape)))
    ):
        lead = (slice(None),) * axis
        if before:
            y[(*lead, slice(0, before))] = left
        if after:
            y[(*lead, slice(before + shape[axis], None))] = right
    return y


def _sides(array, axis, before, after, left, right):
    """An axis extended by slices of length one repeated before and after it."""
    shape = list(array.shape)
    parts = [array]
    if before:
        shape[axis] = before
        parts.insert(0, np.broadcast_to(left, shape))
    if after:
        shape[axis] = after
        parts.append(np.broadcast_to(right, shape))
    return np.concatenate(parts, axis) if len(parts) > 1 else array


def _statistic_padding(function):
    def padded(array, axis, before, after, stat_length=None):
        n = array.shape[axis]
        left_length, right_length = (
            (n, n) if stat_length is None else _pairs(stat_length, array.ndim)[axis]
        )
        lead = (slice(None),) * axis
        left = function(array[(*lead, slice(0, min(left_length, n)))], axis=axis, keepdims=True)
        right = function(
            array[(*lead, slice(n - min(right_length, n), n))], axis=axis, keepdims=True
        )
        return _sides(array, axis, before, after, left, right)

    return padded


def _ramp_padding(array, axis, before, after, end_values=0):
    """Straight lines from the end values to the edges."""
    lead = (slice(None),) * axis
    left_end, right_end = _value_pairs(end_values, array.ndim)[axis]
    parts = [array]
    if before:
        edge = array[(*lead, 0)]
        parts.insert(0, np.linspace(left_end, edge, before, endpoint=False, axis=axis))
    if after:
        edge = array[(*lead, -1)]
        ramp = np.linspace(right_end, edge, after, endpoint=False, axis=axis)
        parts.append(np.flip(ramp, axis))
    return np.concatenate([p.astype(array.dtype, copy=False) for p in parts], axis)


_PADDED = {
    "maximum": _statistic_padding(np.max),
    "minimum": _statistic_padding(np.min),
    "mean": _statistic_padding(np.mean),
    "median": _statistic_padding(np.median),
    "linear_ramp": _ramp_padding,
}


# ---------------------------------------------------------------- diagonals and triangles


def _diagonal(x, *, offset, axis1, axis2):
    return np.diagonal(x, offset, axis1, axis2)


def diagonal_view(x, offset, axis1, axis2):
    """As np.diagonal, but writable."""
    if type(x) in NOTED:  # by a function whose result is writable
        if (axis1 % x.ndim, axis2 % x.ndim) != (x.ndim - 2, x.ndim - 1):
            x = np.moveaxis(x, (axis1, axis2), (-2, -1))
        if offset or x.shape[-2] != x.shape[-1]:
            x = x[..., offset:] if offset > 0 else x[..., -offset:, :]
            n = min(x.shape[-2:])
            x = x[..., :n, :n]
        return np.einsum("ii->i" if x.ndim == 2 else "...ii->...i", x)
    part = np.diagonal(x, offset, axis1, axis2)
    if type(part) is np.ndarray and x.flags.writeable:
        part.flags.writeable = True
    return part


def embed_diagonal(g, *, shape, offset, axis1, axis2):
    """Zeros of ``shape`` with g, whose last axis runs along it, on a diagonal."""
    y = np.zeros_like(g, shape=shape)
    diagonal_view(y, offset, axis1, axis2)[...] = g
    return y


DIAGONAL = adjoint_pair(_diagonal, embed_diagonal, name="diagonal")


@composite(np.diagonal)
def diagonal(a, offset=0, axis1=0, axis2=1):
    """A diagonal; a view."""
    params = {"offset": int(plain(offset)), "axis1": axis1, "axis2": axis2}
    return view(operand(a), diagonal_view, tuple(params.values()), params, DIAGONAL)


@composite(np.linalg.diagonal)
def linalg_diagonal(x, /, *, offset=0):
    """The diagonals of the matrices in the last two axes."""
    return diagonal(x, offset, -2, -1)


@composite(np.diag)
def diag(v, k=0):
    """The diagonal of a matrix, or the matrix with this diagonal."""
    v, k = operand(v), int(plain(k))
    if v.ndim != 1:
        return diagonal(v, k) if v.ndim == 2 else np.diag(plain(v), k)
    n = v.size + abs(k)
    return bind(DIAGONAL.transpose, (v,), {"shape": (n, n), "offset": k, "axis1": 0, "axis2": 1})


@composite(np.diagflat)
def diagflat(v, k=0):
    """The matrix with these elements on a diagonal."""
    return diag(np.ravel(operand(v)), k)


@composite(np.trace)
def trace(a, offset=0, axis1=0, axis2=1, dtype=None, out=None):
    """The sum along a diagonal."""
    if out is not None:
        return store_out(out, trace(a, offset, axis1, axis2, dtype))
    a = operand(a)
    if dtype is not None and not is_float(dtype):
        return np.trace(plain(a), offset, axis1, axis2, dtype)
    params = {"offset": int(plain(offset)), "axis1": axis1, "axis2": axis2}
    return np.sum(bind(DIAGONAL, (a,), params), axis=-1, dtype=dtype)


@composite(np.linalg.trace)
def linalg_trace(x, /, *, offset=0, dtype=None):
    """The traces of the matrices in the last two axes."""
    return trace(x, offset, -2, -1, dtype)


# projections on a triangle are their own transposes
adjoint_pair(np.tril, np.tril)
adjoint_pair(np.triu, np.triu)


@composite(np.vander)
def vander(x, N=None, increasing=False):
    """Columns of powers, made by repeated multiplication."""
    x = operand(x)
    if x.ndim != 1:
        return np.vander(plain(x))  # NumPy's own error
    x = x.astype(np.promote_types(x.dtype, int), copy=False)
    n = x.size if N is None else int(N)
    columns = [np.ones_like(x)]
    while len(columns) < n:
        columns.append(columns[-1] * x if len(columns) > 1 else x)
    if n <= 0:
        return np.vander(plain(x), n)
    return np.stack(columns if increasing else columns[::-1], axis=1)
