"""Arrays made like others, filled, or counted: constants that can be written, traced fills.

An array made like a traced one is a handle of its trace: traced values may be stored in it.
"""

from typing import Any

import numpy as np

from chainrule.core.array import as_constant
from chainrule.core.primitive import composite
from chainrule.core.trace import Tracer, is_traced, plain
from chainrule.rules.joins import is_float, operand


def _made_like(function):
    def make(a, *args, **kwargs):
        """Constants, which traced values may be stored into."""
        return as_constant(function(plain(a), *plain(args), **plain(kwargs)), like=a)

    make.__name__ = make.__qualname__ = function.__name__
    return make


for _function in (np.zeros_like, np.ones_like):
    composite(_function)(_made_like(_function))


@composite(np.empty_like)
def empty_like(prototype, dtype=None, order="K", subok=True, shape=None, *, device=None):
    """Zeros: what has no value yet must not have a random one."""
    return np.zeros_like(prototype, dtype, order, subok, shape)


@composite(np.full_like)
def full_like(a, fill_value, dtype=None, order="K", subok=True, shape=None, *, device=None):
    """An array like ``a`` filled with a value, which may be traced."""
    fill = operand(fill_value)
    dtype = plain(a).dtype if dtype is None and isinstance(a, Tracer) else dtype
    if not is_traced(fill) or not is_float(dtype or np.asarray(plain(a)).dtype):
        filled = np.full_like(plain(a), plain(fill), dtype, order, subok, plain(shape))
        return as_constant(filled, like=a)
    return _filled(
        fill, np.shape(plain(a)) if shape is None else shape, dtype or np.asarray(plain(a)).dtype
    )


@composite(np.full)
def full(shape, fill_value, dtype=None, order="C", *, device=None):
    """An array filled with a value, which may be traced."""
    fill = operand(fill_value)
    if not is_traced(fill) or not (dtype is None or is_float(dtype)):
        return as_constant(np.full(plain(shape), plain(fill), dtype, order))
    return _filled(fill, shape, dtype)


def _filled(fill, shape, dtype):
    y = np.broadcast_to(fill, shape)
    return np.copy(y) if dtype is None or y.dtype == dtype else y.astype(dtype)


def _made(function):
    def make(*args, **kwargs):
        kwargs.pop("like", None)
        return as_constant(function(*plain(args), **plain(kwargs)))

    make.__name__ = make.__qualname__ = function.__name__
    return make


for _constant in (np.zeros, np.ones, np.eye, np.identity, np.tri):
    composite(_constant)(_made(_constant))


@composite(np.empty)
def empty(shape, dtype=float, order="C", *, device=None):
    """Zeros: what has no value yet must not have a random one."""
    return as_constant(np.zeros(plain(shape), dtype, order))


@composite(np.fromfunction)
def fromfunction(function, shape, *, dtype=float, **kwargs):
    """The function of the coordinate arrays; what it returns may be traced."""
    return function(*np.indices(shape, dtype=dtype), **kwargs)


# ---------------------------------------------------------------- ranges


@composite(np.arange)
def arange(start, stop=None, step: Any = 1, *, dtype=None, device=None):
    """start + k step; the number of elements is the one at this point."""
    if stop is None:
        start, stop = 0, start
    step = 1 if step is None else step
    y = np.arange(*plain([start, stop, step]), dtype=dtype)
    if not (is_traced(start) or is_traced(step)) or not is_float(y.dtype):
        return as_constant(y)
    delta = (start + step) - start  # as NumPy, which takes the difference of the first two
    values = start + np.arange(y.size, dtype=y.dtype) * delta
    return values if dtype is None else values.astype(dtype)


def _number_or_array(x):
    """Python numbers stay as they are: they do not decide a dtype."""
    return x if type(x) in (int, float, complex) else operand(x)


@composite(np.linspace)
def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0, *, device=None):
    """start + k (stop - start) / n, in the order of operations of NumPy."""
    num, axis = int(plain(num)), int(axis)
    start, stop = _number_or_array(start), _number_or_array(stop)
    values: Any = np.linspace  # NumPy's types know no flag for retstep
    plain_y, plain_step = values(*plain([start, stop]), num, endpoint, True, dtype, axis)
    if not is_float(plain_y.dtype) or not (is_traced(start) or is_traced(stop)):
        plain_y = as_constant(plain_y)
        return (plain_y, plain_step) if retstep else plain_y
    start, stop = start * 1.0, stop * 1.0
    intervals = num - 1 if endpoint else num
    delta = stop - start
    real_type = np.zeros(0, plain(delta).dtype).real.dtype
    k = np.arange(num, dtype=real_type).reshape((num,) + (1,) * delta.ndim)
    step = delta / intervals if intervals > 0 else np.nan
    if intervals > 0 and not (plain(step) == 0).any():
        y = k * step + start
    else:
        y = (k / max(intervals, 1)) * delta + start
    if endpoint and num > 1:
        y = np.concatenate([y[:-1], np.broadcast_to(stop, (1, *delta.shape))])
    y = np.moveaxis(y, 0, axis) if delta.ndim else y
    y = y.astype(plain_y.dtype, copy=False)
    return (y, step) if retstep else y


@composite(np.logspace)
def logspace(start, stop, num=50, endpoint=True, base=10.0, dtype=None, axis=0):
    """base to the powers of ``linspace``; base may be an array."""
    start, stop, base = map(_number_or_array, (start, stop, base))
    if np.ndim(plain(base)) > 0:
        dims = np.broadcast(plain(start), plain(stop), plain(base)).ndim
        start, stop, base = (
            np.expand_dims(x, tuple(range(dims - np.ndim(plain(x))))) for x in (start, stop, base)
        )
        base = np.expand_dims(base, axis)
    y = np.power(base, np.linspace(start, stop, num, endpoint, axis=axis))
    return y if dtype is None else y.astype(dtype)


@composite(np.geomspace)
def geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    """Equal ratios from start to stop; both ends are met exactly."""
    start, stop = operand(start), operand(stop)
    plain_y = np.geomspace(plain(start), plain(stop), num, endpoint, dtype, axis)  # and its errors
    dt = np.result_type(plain(start), plain(stop), float(num), np.zeros((), dtype))
    start, stop = start.astype(dt, copy=False), stop.astype(dt, copy=False)
    sign = np.sign(plain(start)) if plain(start).dtype.kind != "c" else start / np.abs(start)
    first, last = start / sign, stop / sign
    shape = np.broadcast_shapes(first.shape, last.shape)
    y = np.logspace(np.log10(first), np.log10(last), num, endpoint, axis=0)
    parts = [y]
    if num > 0:
        parts = [np.broadcast_to(first, (1, *shape)), y[1:]]
        if endpoint and num > 1:
            parts = [parts[0], y[1:-1], np.broadcast_to(last, (1, *shape))]
    y = np.concatenate(parts) * sign
    y = np.moveaxis(y, 0, axis) if len(shape) else y
    return y.astype(plain_y.dtype, copy=False)


# ---------------------------------------------------------------- windows


@composite(np.kaiser)
def kaiser(M, beta):
    """I0(beta sqrt(1 - t^2)) / I0(beta) for t from -1 to 1."""
    if plain(M) <= 1:
        return as_constant(np.kaiser(plain(M), plain(beta)))
    beta = operand(beta)
    beta = beta.astype(np.result_type(beta.dtype, float))  # as NumPy reads it
    half = (plain(M) - 1) / 2.0
    t = (np.arange(plain(M)).astype(beta.dtype) - half) / half
    return np.i0(beta * np.sqrt(1 - t**2.0)) / np.i0(beta)
