"""Arrays put together and taken apart: np.array of nested lists, concatenate, stack, split.

Splits are views of their operand, as in NumPy.
"""

from itertools import accumulate

import numpy as np

from chainrule.base.errors import NonDifferentiableError
from chainrule.core.array import as_constant, as_operand, store_out
from chainrule.core.escape import escape
from chainrule.core.handle import Scalar
from chainrule.core.primitive import composite, existing, linear
from chainrule.core.trace import Tracer, bind, is_traced, is_watched, peek, plain

# ---------------------------------------------------------------- operands


def operand(x):
    """What NumPy would make of an argument that must be an array: lists are read, handles kept."""
    if isinstance(x, Tracer) or type(x) is np.ndarray or is_watched(x):
        return x
    if type(x) in (list, tuple):
        return as_operand(x)
    return np.asarray(x)


def view(x, step, argument, params, primitive):
    """The view ``step(x, *argument)`` of an array; its derivative is that of the primitive."""
    make_view = getattr(x, "view_step", None)
    if make_view is None:  # a scalar, or a plain array
        return bind(primitive, (x,), params)
    return make_view(step, argument, params, primitive)


def is_float(dtype):
    """Whether values of this dtype can carry a derivative."""
    return np.dtype(dtype).kind in "fc"


# ---------------------------------------------------------------- conversions


def _astype(x, *, dtype):
    return x.astype(dtype)


# `project` casts the cotangents back
ASTYPE = linear(_astype, name="astype")(lambda g, shapes, slots, *, dtype: [g])
COPY = linear(np.copy)(lambda g, shapes, slots, *, order="K": [g])


@composite("astype", np.astype)
def astype(x, dtype, *, copy=True, device=None):
    """A cast; to integers or booleans it is piecewise constant and plain."""
    x = operand(x)
    dtype = np.dtype(dtype)
    if not is_float(dtype):
        if dtype.kind in "OSUV" and is_traced(x):
            raise escape(f"x.astype({dtype})", x)
        return plain(x).astype(dtype)
    if x.dtype == dtype:
        return bind(COPY, (x,), {}) if copy and not isinstance(x, Scalar) else x
    return bind(ASTYPE, (x,), {"dtype": dtype})


@composite(np.copy)
def copy(a, order="K", subok=False):
    """A new array with the same values."""
    return bind(COPY, (operand(a),), {} if order == "K" else {"order": order})


@composite(np.array)
def array(object, dtype=None, *, copy=True, order="K", subok=False, ndmin=0, **rest):
    """An array of what nested lists hold, traced scalars and arrays and numbers: one equation."""
    if isinstance(object, Tracer):
        y = laid_out(_converted(object, dtype, copy), order)
    elif is_traced_inside(object):
        if copy is False:
            np.array(plain(object), copy=False)  # NumPy's own error
        y = laid_out(_from_nested(object, dtype), order)
    else:
        return as_constant(
            np.array(plain(object), dtype, copy=copy, order=order, ndmin=ndmin, **rest)
        )
    return y if ndmin <= y.ndim else y.reshape((1,) * (ndmin - y.ndim) + y.shape)


@composite("laid_out")
def laid_out(y, order):
    """The array in the order of memory asked for: itself, or a copy."""
    if order not in ("C", "F") or not isinstance(y, Tracer) or y.ndim < 2:
        return y
    flags = y._peek().flags
    is_so = flags.c_contiguous if order == "C" else flags.f_contiguous
    return y if is_so else bind(COPY, (y,), {"order": order})


def is_traced_inside(nested):
    if type(nested) in (list, tuple):
        return any(map(is_traced_inside, nested))
    return is_watched(nested)


def _traced_leaves(nested):
    for x in nested:
        if type(x) in (list, tuple):
            yield from _traced_leaves(x)
        elif is_watched(x):
            yield x


def _converted(x, dtype, copy):
    """A handle as an array of a dtype; itself if nothing has to change and no copy is wanted."""
    if dtype is not None and x.dtype != dtype:
        y = astype(x, dtype)
        return y if isinstance(y, Tracer) and not isinstance(y, Scalar) else array(y)
    if isinstance(x, Scalar) or (copy is not np._CopyMode.IF_NEEDED and copy):
        return bind(COPY, (x,), {})
    return x


def _from_nested(nested, dtype):
    template = np.array(peek(nested), dtype)  # NumPy's own dtype, and its error if ragged
    if not is_float(template.dtype):
        if template.dtype.kind == "O":
            raise NonDifferentiableError(
                "an object array of traced values cannot hold derivatives",
                "Keep them in a list, or make all elements numbers.",
            )
        if template.dtype.kind in "SU":
            raise escape("np.array of numbers and text", next(_traced_leaves(nested)))
        return template
    leaves: list = []
    starts: list = []
    _collect(nested, template.shape, 0, 0, leaves, starts)
    return bind(ARRAY, (template, *leaves), {"starts": np.array(starts)})


def _collect(nested, shape, depth, start, leaves, starts):
    """The traced leaves and where in the flat result each begins."""
    size = int(np.prod(shape[depth + 1 :]))
    for i, x in enumerate(nested):
        if type(x) in (list, tuple):
            _collect(x, shape, depth + 1, start + i * size, leaves, starts)
        elif is_watched(x):
            leaves.append(x)
            starts.append(start + i * size)


def _array(template, *leaves, starts):
    is_full = sum(map(np.size, leaves)) == template.size
    y = np.empty_like(template) if is_full else template.copy()
    flat = y.reshape(-1)
    if not any(np.ndim(x) for x in leaves):
        flat[starts] = leaves
    else:
        for x, start in zip(leaves, starts.tolist()):
            flat[start : start + np.size(x)] = np.ravel(x)
    return y


@linear(_array, name="array")
def ARRAY(g, shapes, slots, *, starts):
    """Each leaf gets its piece of the cotangent; the template holds what is constant."""
    flat = g.reshape(-1)
    leaves = [i - 1 for i in slots]
    if not any(shapes[1:]):
        return list(flat[starts[leaves]])
    return [
        flat[start : start + int(np.prod(shapes[i]))].reshape(shapes[i])
        for i, start in zip(slots, starts[leaves].tolist())
    ]


@composite(np.asarray, np.asanyarray)
def asarray(a, dtype=None, order=None, *, device=None, copy=None, like=None):
    """The array itself if it is one of that dtype and order, else a new one."""
    return array(a, dtype, copy=copy, order=order)


@composite(np.ascontiguousarray)
def ascontiguousarray(a, dtype=None, *, like=None):
    """As asarray, with at least one axis."""
    return array(a, dtype, copy=None, order="C", ndmin=1)


@composite(np.asfortranarray)
def asfortranarray(a, dtype=None, *, like=None):
    return array(a, dtype, copy=None, order="F", ndmin=1)


@composite(np.asarray_chkfinite)
def asarray_chkfinite(a, dtype=None, order=None):
    """As asarray; ValueError if a value is inf or NaN."""
    np.asarray_chkfinite(plain(a), dtype)
    return asarray(a, dtype)


@composite(np.require)
def require(a, dtype=None, requirements=None, *, like=None):
    """As asarray; a handle is writable and aligned, and its layout is NumPy's business."""
    wanted = {requirements} if isinstance(requirements, str) else set(requirements or ())
    owned = {"O", "OWNDATA", "W", "WRITEABLE"} & {r.upper() for r in wanted}
    return array(a, dtype, copy=True if owned else None)


# ---------------------------------------------------------------- joining


def _concatenate(*arrays, axis=0, **cast):
    return np.concatenate(arrays, axis, **cast)


@linear(_concatenate, name="concatenate")
def CONCATENATE(g, shapes, slots, *, axis=0, **cast):
    """Each operand gets its piece of the cotangent."""
    if axis is None:
        stops = [0, *accumulate(int(np.prod(s)) for s in shapes)]
        return [g[stops[i] : stops[i + 1]].reshape(shapes[i]) for i in slots]
    axis %= g.ndim
    stops = [0, *accumulate(s[axis] for s in shapes)]
    before = (slice(None),) * axis
    return [g[(*before, slice(stops[i], stops[i + 1]))] for i in slots]


def _stack(*arrays, axis=0, **cast):
    return np.stack(arrays, axis, **cast)


@linear(_stack, name="stack")
def STACK(g, shapes, slots, *, axis=0, **cast):
    """Each operand gets its slice of the cotangent."""
    before = (slice(None),) * (axis % g.ndim)
    return [g[(*before, i)] for i in slots]


def _cast(dtype, casting):
    return {} if dtype is None and casting == "same_kind" else {"dtype": dtype, "casting": casting}


def _join(primitive, arrays, axis, dtype, casting):
    arrays = [operand(a) if type(a) in (list, tuple) else a for a in arrays]
    if dtype is not None and not is_float(dtype):
        return primitive.fun(*plain(arrays), axis=axis, dtype=dtype, casting=casting)
    return bind(primitive, arrays, {"axis": axis, **_cast(dtype, casting)})


@composite(np.concatenate)
def concatenate(arrays, axis=0, out=None, *, dtype=None, casting="same_kind"):
    """Arrays one after the other along an axis; flat if axis is None."""
    y = _join(CONCATENATE, arrays, axis, dtype, casting)
    return y if out is None else store_out(out, y)


@composite(np.stack)
def stack(arrays, axis=0, out=None, *, dtype=None, casting="same_kind"):
    """Arrays along a new axis."""
    y = _join(STACK, arrays, axis, dtype, casting)
    return y if out is None else store_out(out, y)


@composite(np.vstack)
def vstack(tup, *, dtype=None, casting="same_kind"):
    """Rows, one below the other."""
    return concatenate([np.atleast_2d(operand(a)) for a in tup], 0, dtype=dtype, casting=casting)


@composite(np.hstack)
def hstack(tup, *, dtype=None, casting="same_kind"):
    """Side by side: along the second axis, or the only one."""
    parts = [np.atleast_1d(operand(a)) for a in tup]
    axis = 0 if parts and parts[0].ndim == 1 else 1
    return concatenate(parts, axis, dtype=dtype, casting=casting)


@composite(np.dstack)
def dstack(tup):
    """Along the third axis."""
    return concatenate([np.atleast_3d(operand(a)) for a in tup], 2)


@composite(np.column_stack)
def column_stack(tup):
    """One-dimensional arrays as the columns of a matrix."""
    parts = [operand(a) for a in tup]
    return concatenate([np.atleast_2d(a).T if a.ndim < 2 else a for a in parts], 1)


@composite(np.append)
def append(arr, values, axis=None):
    """Values behind an array, both flat if axis is None."""
    return concatenate([operand(arr), operand(values)], axis)


@composite(np.block)
def block(arrays):
    """A matrix of blocks. NumPy arranges the numbers of the elements, then they are gathered."""
    leaves: list = []
    places = [0]

    def numbered(x):
        if type(x) is list:
            return [numbered(v) for v in x]
        if type(x) is tuple:
            return x  # NumPy's own error
        x = operand(x)
        start = places[-1]
        leaves.append(x)
        places.append(start + x.size)
        return np.arange(start, places[-1]).reshape(x.shape)

    order = np.block(numbered(arrays))
    return concatenate(leaves, None)[order]


@composite(np.insert)
def insert(arr, obj, values, axis=None):
    """Values put before the given positions. NumPy arranges the numbers of the elements."""
    arr, values = operand(arr), operand(values)
    n = arr.size
    own = np.arange(n).reshape(arr.shape)
    new = n + np.arange(values.size).reshape(values.shape)
    order = np.insert(own, plain(obj), new, axis)
    return concatenate([arr, values.astype(arr.dtype, copy=False)], None)[order]


# ---------------------------------------------------------------- splitting


@composite(np.array_split)
def array_split(ary, indices_or_sections, axis=0):
    """Views of the parts, which may differ in size."""
    return _split(np.array_split, ary, indices_or_sections, axis)


@composite(np.split)
def split(ary, indices_or_sections, axis=0):
    """Views of equal parts, or between the given positions."""
    return _split(np.split, ary, indices_or_sections, axis)


def _split(function, ary, sections, axis):
    ary = operand(ary)
    parts = function(np.arange(ary.shape[axis]), plain(sections))
    before = (slice(None),) * (axis % ary.ndim)
    return [ary[(*before, slice(p[0], p[-1] + 1) if p.size else slice(0, 0))] for p in parts]


def _split_along(function, axis):
    def split_along(ary, indices_or_sections):
        ary = operand(ary)
        along = 0 if function is np.hsplit and ary.ndim == 1 else axis
        if ary.ndim <= along:
            function(plain(ary), plain(indices_or_sections))  # NumPy's own error
        return split(ary, indices_or_sections, along)

    split_along.__name__ = split_along.__qualname__ = function.__name__
    return split_along


for _function, _axis in ((np.hsplit, 1), (np.vsplit, 0), (np.dsplit, 2)):
    composite(_function)(_split_along(_function, _axis))


@composite(*existing("unstack"))
def unstack(x, /, *, axis=0):
    """A tuple of views, one for each index of an axis."""
    return tuple(np.moveaxis(operand(x), axis, 0))


@composite(np.meshgrid)
def meshgrid(*xi, copy=True, sparse=False, indexing="xy"):
    """Coordinate arrays: each vector along its own axis, broadcast to all unless sparse."""
    if indexing not in ("xy", "ij"):
        np.meshgrid(indexing=indexing)  # NumPy's own error
    n = len(xi)
    vectors = [operand(x) for x in xi]
    axes = [1 - i if indexing == "xy" and i < 2 and n > 1 else i for i in range(n)]
    grids = [v.reshape((1,) * a + (-1,) + (1,) * (n - 1 - a)) for v, a in zip(vectors, axes)]
    if not sparse:
        shape = np.broadcast_shapes(*(g.shape for g in grids))
        grids = [np.broadcast_to(g, shape) for g in grids]
    return tuple(np.copy(g) if copy else g for g in grids)


# ---------------------------------------------------------------- writing into arrays


def _target(array, function, *args, **kwargs):
    """Whether to write through a handle; into a plain array NumPy writes if nothing is traced."""
    if isinstance(array, Tracer):
        return True
    if is_traced_inside(args) or is_traced_inside(list(kwargs.values())):
        raise NonDifferentiableError(
            f"np.{function.__name__} writes a traced value into a plain array of shape "
            f"{np.shape(array)}, which cannot hold a derivative",
            "Make the array inside the differentiated function (np.zeros_like(x)).",
        )
    function(array, *plain(args), **plain(kwargs))
    return False


def _repeated(values, count):
    """The first ``count`` of the values, from the start again when they run out; flat."""
    values = operand(values).reshape(-1)
    return values if values.size in (1, count) else values[np.arange(count) % max(values.size, 1)]


@composite(np.copyto)
def copyto(dst, src, casting="same_kind", where=True):
    """``dst[where] = src`` with a check of the cast."""
    if not _target(dst, np.copyto, src, casting=casting, where=where):
        return
    np.copyto(np.zeros(dst.shape, dst.dtype), plain(src), casting=casting, where=plain(where))
    if where is True:
        dst[...] = src
    else:
        mask = np.broadcast_to(plain(where), dst.shape)
        dst[mask] = np.broadcast_to(operand(src), dst.shape)[mask]


@composite(np.put)
def put(a, ind, v, mode="raise"):
    """``a.flat[ind] = v``, v repeated if it is short."""
    if not _target(a, np.put, ind, v, mode=mode):
        return
    order = np.arange(a.size)
    where = order.take(np.ravel(plain(ind)), mode=mode) if np.size(ind) else order[:0]
    if where.size and operand(v).size:
        a.flat[where] = _repeated(v, where.size)


@composite(np.place)
def place(arr, mask, vals):
    """The first values where the mask holds."""
    if not _target(arr, np.place, mask, vals):
        return
    where = np.flatnonzero(plain(mask))
    if operand(vals).size == 0 or np.size(plain(mask)) != arr.size:
        np.place(np.zeros(arr.shape), plain(mask), [])  # NumPy's own error
    if where.size:
        arr.flat[where] = _repeated(vals, where.size)


@composite(np.putmask)
def putmask(a, mask, values):
    """``a.flat[n] = values[n]`` where the mask holds."""
    if not _target(a, np.putmask, mask, values):
        return
    where = np.flatnonzero(plain(mask))
    if operand(values).size == 0 or np.size(plain(mask)) != a.size:
        np.putmask(np.zeros(a.shape), plain(mask), [])  # NumPy's own error
    elif where.size:
        values = operand(values).reshape(-1)
        a.flat[where] = values if values.size == 1 else values[where % values.size]


@composite(np.put_along_axis)
def put_along_axis(arr, indices, values, axis):
    """``arr`` at ``indices`` along the axis becomes ``values``."""
    if not _target(arr, np.put_along_axis, indices, values, axis):
        return
    indices = np.asarray(plain(indices))
    if axis is None:
        arr.flat[indices] = operand(values)
    else:
        arr[along_axis(indices, arr.shape, axis)] = values


def along_axis(indices, shape, axis):
    """The index arrays of take_along_axis and put_along_axis."""
    axis = np.lib.array_utils.normalize_axis_index(axis, len(shape))
    return tuple(
        indices if i == axis else np.arange(n).reshape((-1,) + (1,) * (len(shape) - 1 - i))
        for i, n in enumerate(shape)
    )


@composite(np.fill_diagonal)
def fill_diagonal(a, val, wrap=False):
    """The main diagonal becomes ``val``, repeated if it is short."""
    if not _target(a, np.fill_diagonal, val, wrap):
        return
    mask = np.zeros(a.shape, bool)
    np.fill_diagonal(mask, True, wrap)  # and its errors
    where = np.flatnonzero(mask)
    a.flat[where] = _repeated(val, where.size)
