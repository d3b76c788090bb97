"""Choosing between values: where, clip, select, choose, piecewise, and functions built on them.

Conditions are plain: they steer and have no derivative. What is not chosen has derivative zero,
also where its own slope is NaN or infinite.
"""

import inspect
import math
from typing import Any

import numpy as np

from chainrule.base.errors import NoRuleError
from chainrule.core.array import as_operand, store_out
from chainrule.core.primitive import (
    FUNCTIONS,
    composite,
    elementwise,
    linear,
    together,
)
from chainrule.core.products import selected
from chainrule.core.trace import Tracer, bind, frozen_array, is_traced, plain
from chainrule.rules.reductions import NO, operand, unless_constant

# ---------------------------------------------------------------- where


def _where(x, y, *, condition):
    return np.where(condition, x, y)


@linear(_where, name="where")
def WHERE(g, shapes, slots, *, condition):
    """To each branch the part of g where it was taken, and 0 elsewhere."""
    return [selected(condition if i == 0 else ~condition, g) for i in slots]


@composite(np.where)
def where(condition, x=NO, y=NO, /):
    if x is NO or y is NO:  # the places, as np.nonzero; or NumPy's error
        return np.where(plain(condition), *[plain(v) for v in (x, y) if v is not NO])
    if type(x) in (list, tuple):
        x = as_operand(x)
    if type(y) in (list, tuple):
        y = as_operand(y)
    if isinstance(condition, (Tracer, list, tuple)):
        condition = plain(condition)
    return bind(WHERE, (x, y), {"condition": frozen_array(condition, bool)})


# ---------------------------------------------------------------- maximum, minimum


ABOVE = (np.greater, np.greater_equal)
BELOW = (np.less, np.less_equal)


def _extremum(ufunc, order, share):
    """Declare the larger, or the smaller, of two operands."""

    def partials(slots, a, b):
        chosen = order[0](a, b), order[0](b, a)
        if not np.logical_xor(*chosen).all():  # ties, or a NaN
            chosen = share(a, b, order), share(b, a, order)
        return [chosen[i] for i in slots]

    together(
        ufunc,
        partials,
        masks=True,
        a=lambda a, b: share(a, b, order),
        b=lambda a, b: share(b, a, order),
    )


def _wins(a, b, order):
    """1 where a is chosen, 1/2 where it ties with b (they share), 0 elsewhere; a NaN is chosen."""
    before, not_after = order
    nan = np.not_equal(a, a)
    twice = np.add(before(a, b), not_after(a, b), dtype=np.int8) + nan + nan
    return twice * np.result_type(a, b).type(0.5)


def _fwins(a, b, order):
    """1 where a is chosen, 1/2 where it ties with b (they share), 0 elsewhere; not a NaN if b is
    a number."""
    before, not_after = order
    alone = np.not_equal(b, b) & np.equal(a, a)
    twice = np.add(before(a, b), not_after(a, b), dtype=np.int8) + alone + alone
    return twice * np.result_type(a, b).type(0.5)


_extremum(np.maximum, ABOVE, _wins)
_extremum(np.minimum, BELOW, _wins)
_extremum(np.fmax, ABOVE, _fwins)
_extremum(np.fmin, BELOW, _fwins)


# ---------------------------------------------------------------- clip


def _clip(a, low, high):
    return np.clip(a, low, high)


def _clip_partials(slots, a, low, high, y):
    if slots == [0]:
        outside = np.less_equal(a, low) | np.greater_equal(a, high)
        if np.logical_xor(outside, np.equal(a, y)).all():  # no ties, no NaN
            return [np.logical_not(outside)]
    return [_clip_share(i, a, low, high) for i in slots]


def _clip_share(slot, a, low, high):
    """As for minimum(maximum(a, low), high): at a bound both share, so the slope there is 1/2."""
    middle = np.maximum(a, low)
    if slot == 2:
        return _wins(high, middle, BELOW)
    chosen = _wins(a, low, ABOVE) if slot == 0 else _wins(low, a, ABOVE)
    return chosen * _wins(middle, high, BELOW)


CLIP = together(
    _clip,
    _clip_partials,
    masks=True,
    a=lambda a, low, high: _clip_share(0, a, low, high),
    low=lambda a, low, high: _clip_share(1, a, low, high),
    high=lambda a, low, high: _clip_share(2, a, low, high),
)


TAKES_MIN = "min" in inspect.signature(np.clip).parameters  # new in NumPy 2.1


@composite(np.clip)
def clip(a, a_min=NO, a_max=NO, out=None, *, min=NO, max=NO, **kwargs):
    """minimum(maximum(a, low), high): at a bound both share, so the slope there is 1/2."""
    named = [v for v in (min, max) if v is not NO]
    old = [v for v in (a_min, a_max) if v is not NO]
    if (named and (old or not TAKES_MIN)) or (not named and len(old) != 2):
        bounds = {"a_min": a_min, "a_max": a_max, "min": min, "max": max}
        given = {k: plain(v) for k, v in bounds.items() if v is not NO}
        return np.clip(plain(a), **given)  # NumPy's error
    if any(k not in ("dtype", "casting") for k in kwargs):
        raise NoRuleError(
            f"np.clip with {', '.join(kwargs)}= has no derivative rule in chainrule",
            "Write np.where(mask, np.clip(x, low, high), x).",
        )
    low, high = (min, max) if named else (a_min, a_max)
    a = operand(a)
    low, high = (operand(v) if type(v) in (list, tuple) else v for v in (low, high))
    has_low, has_high = (v is not None and v is not NO for v in (low, high))
    if has_low and has_high:
        y = bind(CLIP, (a, low, high), {})
    elif has_low:
        y = np.maximum(a, low)
    elif has_high:
        y = np.minimum(a, high)
    else:
        np.clip(plain(a), None, None)  # an error before NumPy 2.1
        y = np.positive(a)
    if kwargs.get("dtype") is not None:
        y = y.astype(kwargs["dtype"])
    return y if out is None else store_out(out, y, broadcast=True)


composite(np._core.umath.clip)(lambda x, low, high: clip(x, low, high))  # of (array of int).clip


# ---------------------------------------------------------------- select, choose, piecewise


@composite(np.select)
def select(condlist, choicelist, default=0):
    """A chain of where: the first condition that holds decides."""
    if len(condlist) != len(choicelist) or len(condlist) == 0:
        return np.select(plain(condlist), plain(choicelist), plain(default))  # NumPy's error
    conditions = [np.asarray(plain(c)) for c in condlist]
    for i, c in enumerate(conditions):
        if c.dtype != np.bool:
            raise TypeError(f"invalid entry {i} in condlist: should be boolean ndarray")
    choices = [_choice(c) for c in choicelist]
    default = _choice(default)
    dtype = np.result_type(*[plain(c) for c in (*choices, default)])
    shape = np.broadcast_shapes(*[np.shape(plain(c)) for c in (*conditions, *choices)])
    y = np.broadcast_to(default, shape) if np.shape(plain(default)) != shape else default
    for condition, choice in zip(conditions[::-1], choices[::-1]):
        y = np.where(condition, choice, y)
    return _as_type(y, dtype)


def _choice(x):
    """As np.select reads a choice: Python numbers stay weak, the rest is an array."""
    return x if type(x) in (int, float, complex) or isinstance(x, Tracer) else operand(x)


def _as_type(y, dtype):
    return y if y.dtype == dtype else y.astype(dtype)


@composite(np.choose)
def choose(a, choices, out=None, mode="raise"):
    """choices[a[i]][i], as a chain of where over the choices."""
    index = np.asarray(plain(a))
    choices = list(choices) if isinstance(choices, (list, tuple)) else list(operand(choices))
    choices = [operand(c) if type(c) in (list, tuple) else c for c in choices]
    index = np.choose(index, np.arange(len(choices)), mode=mode)  # bounds as NumPy treats them
    dtype = np.result_type(*[np.asarray(plain(c)) for c in choices])
    shape = np.broadcast_shapes(index.shape, *[np.shape(plain(c)) for c in choices])
    y = _as_type(np.broadcast_to(choices[0], shape), dtype)
    for i, choice in enumerate(choices[1:], 1):
        y = np.where(index == i, choice, y)
    return y if out is None else store_out(out, y)


@composite(np.piecewise)
def piecewise(x, condlist, funclist, *args, **kw):
    """Each function on the part of x where its condition holds (the last one that does decides)."""
    x, condlist = operand(x), plain(condlist)
    count = len(funclist)
    if np.isscalar(condlist) or (not isinstance(condlist[0], (list, np.ndarray)) and x.ndim != 0):
        condlist = [condlist]
    conditions = np.asarray(condlist, dtype=bool)
    n = len(conditions)
    if n == count - 1:
        rest = ~np.any(conditions, axis=0, keepdims=True)
        conditions = np.concatenate([conditions, rest], axis=0)
    elif n != count:
        np.piecewise(plain(x), condlist, funclist)  # NumPy's error
    y = np.zeros_like(x)
    for condition, function in zip(conditions, funclist):
        if callable(function):
            part = x[condition]
            if part.size > 0:
                y[condition] = function(part, *args, **kw)
        else:
            y[condition] = function
    return y


# ---------------------------------------------------------------- NaN and infinities


@unless_constant(np.nan_to_num)
def nan_to_num(x, copy=True, nan=0.0, posinf=None, neginf=None):
    """x where it is finite, else a constant."""
    x = operand(x)
    if x.dtype.kind == "c":
        y = _finite(x.real, nan, posinf, neginf) + 1j * _finite(x.imag, nan, posinf, neginf)
    else:
        y = _finite(x, nan, posinf, neginf)
    if not copy and isinstance(x, Tracer) and y.shape:
        x[...] = y  # type: ignore[index]
        return x
    return y


def _finite(x, nan, posinf, neginf):
    info = np.finfo(x.dtype)
    y = np.where(np.isnan(x), nan, x)
    y = np.where(np.isposinf(x), info.max if posinf is None else posinf, y)
    y = np.where(np.isneginf(x), info.min if neginf is None else neginf, y)
    y = _as_type(y, x.dtype)
    return y if x.shape else y[()]


@unless_constant(np.real_if_close)
def real_if_close(a, tol=100):
    a = operand(a)
    return np.real(a) if np.isrealobj(np.real_if_close(plain(a), tol)) else a


# ---------------------------------------------------------------- functions with two results


def _floor_and_rest(a, b):
    """The pair of np.floor_divide, a constant, and np.remainder."""
    return np.floor_divide(plain(a), plain(b)), np.remainder(a, b)


def _fraction_and_whole(x):
    """x - trunc(x), slope 1, and trunc(x), a constant."""
    whole = np.trunc(plain(x))
    endless = np.isinf(whole)
    if endless.any():  # modf(inf) is (0, inf)
        rest = np.where(endless, np.copysign(0.0, whole), x - np.where(endless, 0.0, whole))
        return rest, whole
    return x - whole, whole


def _mantissa_and_exponent(x):
    """x 2^-n, slope 2^-n, and n, a constant."""
    exponent = np.frexp(plain(x))[1]
    return np.ldexp(x, -exponent), exponent


FUNCTIONS[np.divmod] = _floor_and_rest
FUNCTIONS[np.modf] = _fraction_and_whole
FUNCTIONS[np.frexp] = _mantissa_and_exponent


# ---------------------------------------------------------------- sinc and i0

TINY = 1e-150  # below, SciPy's Bessel functions overflow on the way; their first term is exact


def _double(x):
    """SciPy's functions know nothing wider than double precision, and overflow in a narrower."""
    if x.dtype.char in "dD":
        return x
    return x.astype(complex if x.dtype.kind == "c" else float)


def _spherical_bessel(n, x):
    from scipy.special import spherical_jn

    z = _double(x)
    if x.dtype.kind == "c":
        return spherical_jn(n, z).astype(x.dtype)
    # even or odd in x, said here because SciPy before 1.15 gives NaN below 0
    r = np.abs(z)
    y = np.where(r < TINY, r**n / math.prod(range(1, 2 * n + 2, 2)), spherical_jn(n, r))
    return (y * np.sign(z) if n % 2 else y).astype(x.dtype)


def _bessel_i(n, x):
    from scipy.special import i0, i1, iv

    z = _double(x)
    n = abs(n)  # I_(-n) is I_n
    if n < 2 and z.dtype.kind == "f":
        return (i1 if n else i0)(z).astype(x.dtype)
    y = np.where(np.abs(z) < TINY, (z / 2) ** n / math.factorial(n), iv(n, z))
    return y.astype(x.dtype)


def _spherical_slope(n, x):
    """j_n' = (n j_(n-1) - (n + 1) j_(n+1)) / (2n + 1): no division by x, so right at 0."""
    right = (n + 1) / (2 * n + 1) * _j(n + 1, x)
    return -right if n == 0 else n / (2 * n + 1) * _j(n - 1, x) - right


def _bessel_slope(n, x):
    """I_n' = (I_(n-1) + I_(n+1)) / 2."""
    return (_iv(n - 1, x) + _iv(n + 1, x)) / 2


elementwise(_spherical_bessel, name="spherical_bessel", n=None, x=_spherical_slope)
elementwise(_bessel_i, name="bessel_i", n=None, x=_bessel_slope)
_j: Any = FUNCTIONS[_spherical_bessel]
_iv: Any = FUNCTIONS[_bessel_i]
elementwise(np.sinc, x=lambda x: -np.pi * _j(1, np.pi * x))  # sinc(x) = j_0(pi x)
elementwise(np.i0, x=lambda x: _iv(1, x))


# ---------------------------------------------------------------- unwrap


@unless_constant(np.unwrap)
def unwrap(p, discont=None, axis=-1, *, period=2 * np.pi):
    """p plus whole periods, how many is piecewise constant."""
    p = operand(p)
    value = plain(p)
    y = np.unwrap(value, plain(discont), axis, period=plain(period))
    jumps = np.zeros_like(y)
    np.subtract(y, value, out=jumps, where=y != value)  # infinite values stay
    if not is_traced(period):
        return p + np.asarray(jumps, p.dtype)
    return p + np.round(jumps / plain(period)) * period
