"""Views by strides, ``np.lib.stride_tricks.as_strided``: elements by their place in memory."""

import functools
import math

import numpy as np
from numpy.lib.array_utils import byte_bounds
from numpy.lib.stride_tricks import as_strided

from chainrule.base.errors import NonDifferentiableError
from chainrule.core.handle import Array, ReadOnly
from chainrule.core.indexing import add_at
from chainrule.core.lift import replace
from chainrule.core.primitive import FUNCTIONS, adjoint_pair
from chainrule.core.trace import bind, is_traced, plain


def read_places(x, *, places):
    return x.reshape(-1)[places]


def add_places(g, *, shape, places):
    """Zeros of ``shape`` with g added at the places; those read several times add up."""
    x_bar = np.zeros_like(g, shape=math.prod(shape))
    add_at(x_bar, places, g)
    return x_bar.reshape(shape)


STRIDED = adjoint_pair(read_places, add_places, name="as_strided")


def places_in_memory(value, shape, strides):
    """The number of the element of ``value`` at each place that the strides lead to."""
    low, high = byte_bounds(value)
    size = value.itemsize
    start = value.__array_interface__["data"][0] - low
    numbers = np.full((high - low) // size, -1)
    steps = [s // size * numbers.itemsize for s in value.strides]
    own = np.ndarray(value.shape, numbers.dtype, numbers, start // size * numbers.itemsize, steps)
    own[...] = np.arange(value.size).reshape(value.shape)

    offsets = np.full(shape, start)
    for axis, (n, stride) in enumerate(zip(shape, strides)):
        offsets += (stride * np.arange(n)).reshape([-1] + [1] * (len(shape) - axis - 1))
    places = offsets // size
    if np.any(offsets % size) or np.any(places < 0) or np.any(places >= numbers.size):
        return None
    places = numbers[places]
    return None if np.any(places < 0) else places


@functools.wraps(as_strided)
def strided(x, shape=None, strides=None, subok=False, writeable=True, **kwargs):
    """A view by strides; it cannot be written, ``writeable`` or not."""
    shape, strides = plain(shape), plain(strides)
    if not isinstance(x, Array) and not is_traced(x):
        return as_strided(x, shape, strides, subok, writeable, **kwargs)
    value = x._peek() if isinstance(x, Array) else np.asarray(plain(x))
    shape = value.shape if shape is None else tuple(shape)
    strides = value.strides if strides is None else tuple(strides)
    if len(shape) != len(strides):
        as_strided(value, shape, strides)  # NumPy's error
    places = places_in_memory(value, shape, strides)
    if places is not None:
        params = {"places": places}
        return ReadOnly(x, STRIDED, params) if isinstance(x, Array) else bind(STRIDED, (x,), params)
    if not is_traced(x):
        return as_strided(value, shape, strides, subok, writeable, **kwargs)
    raise NonDifferentiableError(
        f"np.lib.stride_tricks.as_strided of shape {shape} and strides {strides} leaves the "
        f"memory of its array, of shape {value.shape} and strides {value.strides}",
        "Give it the whole array, or take the elements by index.",
    )


FUNCTIONS[as_strided] = strided
replace(as_strided, strided)
