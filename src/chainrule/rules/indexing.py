"""Elements chosen by number or condition, and functions applied along axes."""

import itertools

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from chainrule.core.array import store_out
from chainrule.core.indexing import add_at
from chainrule.core.primitive import FUNCTIONS, adjoint_pair, composite
from chainrule.core.trace import bind, is_traced, plain
from chainrule.rules.joins import along_axis, operand


def numbers(indices):
    """A copy of an index array; an empty list is one of integers, as NumPy reads it."""
    indices = plain(indices)
    return np.array(indices, int if isinstance(indices, list) and not np.size(indices) else None)


@composite(np.take)
def take(a, indices, axis=None, out=None, mode="raise"):
    """Elements by number along an axis; numbers outside raise, wrap around or are clipped."""
    a, indices = operand(a), numbers(indices)
    if axis is None:
        a, axis = a.reshape(-1), 0
    a = a if a.ndim else a.reshape(1)
    axis = normalize_axis_index(axis, a.ndim)
    n = a.shape[axis]
    if indices.dtype.kind not in "iu" or mode != "raise":
        indices = np.arange(n).take(indices, mode=mode)  # and NumPy's own errors
    y = a[(*(slice(None),) * axis, np.asarray(indices))]
    return y if out is None else store_out(out, y)


def _take_along_axis(x, *, indices, axis):
    return np.take_along_axis(x, indices, axis)


def add_along_axis(g, *, shape, indices, axis):
    """Zeros of ``shape`` with g added at the indices along the axis; repeated ones add up."""
    x_bar = np.zeros_like(g, shape=shape)
    if axis is None:
        np.add.at(x_bar.reshape(-1), indices, g)
    else:
        add_at(x_bar, along_axis(indices, shape, axis), g)
    return x_bar


TAKE_ALONG_AXIS = adjoint_pair(_take_along_axis, add_along_axis, name="take_along_axis")


@composite(np.take_along_axis)
def take_along_axis(arr, indices, axis=-1):
    """Elements at the positions argsort or argmax gave."""
    params = {"indices": np.array(plain(indices)), "axis": axis}
    return bind(TAKE_ALONG_AXIS, (operand(arr),), params)


@composite(np.compress)
def compress(condition, a, axis=None, out=None):
    """The slices along the axis where the condition holds."""
    condition = np.asarray(plain(condition))
    if condition.ndim != 1:
        np.compress(condition, plain(a), axis)  # NumPy's own error
    return take(a, np.flatnonzero(condition), axis, out)


@composite(np.extract)
def extract(condition, arr):
    """The elements where the condition holds; flat."""
    return take(arr, np.flatnonzero(plain(condition)))


@composite(np.ix_)
def ix_(*args):
    """Each along an axis of its own; masks and other constants as NumPy makes indices of them."""
    indices = np.ix_(*plain(args))
    pairs = zip(args, indices)
    return tuple(x.reshape(i.shape) if is_traced(x) and x.size else i for x, i in pairs)


# ---------------------------------------------------------------- functions along axes


@composite(np.apply_along_axis)
def apply_along_axis(func1d, axis, arr, *args, **kwargs):
    """The function of each one-dimensional slice along the axis; results take its place."""
    arr = operand(arr)
    axis = normalize_axis_index(axis, arr.ndim)
    lines = np.moveaxis(arr, axis, -1)
    outer_shape = lines.shape[:-1]
    if not np.prod(outer_shape):
        return np.apply_along_axis(
            func1d, axis, plain(arr), *plain(args), **plain(kwargs)
        )  # NumPy's error
    results = [operand(func1d(lines[i], *args, **kwargs)) for i in np.ndindex(outer_shape)]
    y = np.stack(results)
    inner = results[0].ndim
    y = y.reshape(outer_shape + y.shape[1:])
    n = len(outer_shape)
    return np.moveaxis(y, range(n, n + inner), range(axis, axis + inner))


@composite(np.apply_over_axes)
def apply_over_axes(func, a, axes):
    """The function applied over one axis after another; reduced axes keep length one."""
    y = operand(a)
    ndim = y.ndim
    for axis in np.atleast_1d(plain(axes)).tolist():
        reduced = func(y, axis + ndim if axis < 0 else axis)
        y = reduced if np.ndim(reduced) == ndim else np.expand_dims(reduced, axis)
    return y


class Vectorized:
    """``np.vectorize`` whose calls see traced elements: a loop over the broadcast arguments."""

    def __init__(
        self, pyfunc=None, otypes=None, doc=None, excluded=None, cache=False, signature=None
    ):
        self.pyfunc, self.otypes, self.excluded = pyfunc, otypes, set(excluded or ())
        self.plain = np.vectorize(pyfunc, otypes, doc, excluded, cache, signature)
        self.signature = signature
        self.__doc__ = self.plain.__doc__
        self.__name__ = getattr(pyfunc, "__name__", "vectorized")

    def __call__(self, *args, **kwargs):
        if self.signature or not any(is_traced(x) for x in itertools.chain(args, kwargs.values())):
            return self.plain(*args, **kwargs)
        names = [*range(len(args)), *kwargs]
        looped = [n for n in names if n not in self.excluded]
        values = dict(zip(names, [*args, *kwargs.values()]))
        arrays = np.broadcast_arrays(*(operand(values[n]) for n in looped))
        flats = [a.reshape(-1) for a in arrays]
        results = []
        for i in range(flats[0].size):
            values.update(zip(looped, (flat[i] for flat in flats)))
            results.append(
                self.pyfunc(
                    *(values[k] for k in range(len(args))), **{k: values[k] for k in kwargs}
                )
            )
        if results and isinstance(results[0], tuple):
            return tuple(
                FUNCTIONS[np.array](list(part)).reshape(arrays[0].shape) for part in zip(*results)
            )
        return FUNCTIONS[np.array](results).reshape(arrays[0].shape)


FUNCTIONS[np.vectorize] = Vectorized
