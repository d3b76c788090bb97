"""Elementwise operations: one line each, the partials as functions of operands and output ``y``.

Conventions where a slope does not exist are in ``docs/rules.md``: ties share, abs has slope 0 at 0,
sqrt has slope inf at 0.
"""

import numpy as np

from chainrule.core.array import as_constant
from chainrule.core.primitive import (
    adjoint_pair,
    composite,
    elementwise,
    piecewise_constant,
    together,
)
from chainrule.core.products import is_surely_finite
from chainrule.core.trace import is_watched

LN2 = float(np.log(2.0))
LN10 = float(np.log(10.0))
LONG = {LN2: np.log(np.longdouble(2)), LN10: np.log(np.longdouble(10))}


def _exact(constant, x):
    """The constant with all digits that x has."""
    return LONG[constant] if x.dtype.char in "gG" else constant


# ---------------------------------------------------------------- arithmetic

elementwise(np.add, a=1, b=1)
elementwise(np.subtract, a=1, b=-1)
elementwise(np.multiply, a=lambda b: b, b=lambda a: a)
together(
    np.divide,
    lambda slots, b, y: _quotient(b, y),
    a=lambda b: 1 / _float(b),
    b=lambda b, y: -y / b,
)
elementwise(np.negative, x=-1)
elementwise(np.positive, x=1)
elementwise(np.reciprocal, x=lambda y: -y * y)
elementwise(np.square, x=lambda x: 2 * x)
elementwise(np.sqrt, x=lambda y: 0.5 / y)
elementwise(np.cbrt, x=lambda y: 1 / (3 * y * y))
elementwise(np.power, a=lambda a, b: power_base(a, b), b=lambda a, y: _power_exponent(a, y))
elementwise(np.float_power, a=lambda a, b: power_base(a, b), b=lambda a, y: _power_exponent(a, y))
elementwise(np.hypot, a=lambda a, y: _ratio(a, y), b=lambda b, y: _ratio(b, y))


def _float(x):
    """Python's 0 as NumPy's, which divides by zero as arrays do."""
    return np.float64(x) if type(x) in (int, float) and x == 0 else x


def _quotient(b, y):
    by_a = 1 / _float(b)
    return by_a, -y * by_a


def power_base(a, b):
    """b a^(b-1), with 0 where b is 0 (a constant, also at a = 0)."""
    if type(b) in (int, float):
        if b == 0:
            return np.zeros_like(a)
        return b * _power(a, b - 1)
    if np.asarray(_plain(b)).dtype.kind in "iu":
        b = np.asarray(b, float)[()]
    power = _number(a) ** (b - 1)
    slope = b * power
    if type(slope) is np.ndarray and is_surely_finite(slope):
        return slope
    # not where it is 0 by itself: its own slope by b, 1/a, is wanted for second derivatives
    return np.where(((b == 0) | (power == 0)) & ~np.isfinite(slope), 0.0, slope)


def _power(a, k):
    """a^k, by multiplication where that is much faster."""
    if k not in (-3, -2, 3):
        return a**k
    r = a if k > 0 else 1 / _float(a)  # not 1 / (a * a), whose own slope overflows early
    return r * r if k == -2 else r * r * r


def _power_exponent(a, y):
    """a^b log a, with 0 where a^b is 0 (the limit for b > 0 at a = 0)."""
    slope = y * np.log(_number(a))
    if type(slope) is np.ndarray and is_surely_finite(slope):
        return slope
    # not where it is 0 by itself, as a^b may have underflown: its own slope is another number
    return np.where((y == 0) & ~np.isfinite(slope), 0.0, slope)


def _number(a):
    """A Python number as NumPy's, which has no complex powers and logarithms of negative ones."""
    return np.float64(a) if type(a) in (int, float) else a


def _ratio(a, y):
    """a / y with 0 at 0/0: the subgradient of least norm of hypot at the origin."""
    zero = np.equal(y, 0)
    return np.where(zero, 0.0, a / np.where(zero, 1.0, y)) if zero.any() else a / y


def _plain(x):
    from chainrule.core.trace import plain

    return plain(x)


# ---------------------------------------------------------------- exponentials and logarithms

elementwise(np.exp, x=lambda y: y)
elementwise(np.exp2, x=lambda y: _exact(LN2, y) * y)
elementwise(np.expm1, x=lambda x: np.exp(x))
elementwise(np.log, x=lambda x: 1 / x)
elementwise(np.log2, x=lambda x: 1 / (_exact(LN2, x) * x))
elementwise(np.log10, x=lambda x: 1 / _exact(LN10, x) / x)
elementwise(np.log1p, x=lambda x: 1 / (1 + x))
together(
    np.logaddexp,
    lambda slots, a, b: _shares(np.exp, a, b),
    a=lambda a, b: _share(np.exp, a, b),
    b=lambda a, b: _share(np.exp, b, a),
)
together(
    np.logaddexp2,
    lambda slots, a, b: _shares(np.exp2, a, b),
    a=lambda a, b: _share(np.exp2, a, b),
    b=lambda a, b: _share(np.exp2, b, a),
)


def _share(exp, a, b):
    """e^a / (e^a + e^b) = 1 / (1 + e^(b - a)), by differences of operands, which keep the digits
    that a large result has lost; two equal infinities share"""
    difference = b - a
    if type(difference) is np.ndarray:
        p = 1 / (1 + exp(difference))
        if is_surely_finite(p):
            return p
    d = np.where(np.isinf(a) & np.equal(a, b), 0.0, difference)
    e = exp(np.where(d > 0, -d, d))
    return np.where(d > 0, e, 1.0) / (1 + e)


def _shares(exp, a, b):
    ratio = exp(b - a)
    if type(ratio) is np.ndarray and is_surely_finite(ratio):
        p = 1 / (1 + ratio)
        ratio *= p
        return p, ratio
    return _share(exp, a, b), _share(exp, b, a)


# ---------------------------------------------------------------- trigonometric and hyperbolic

elementwise(np.sin, x=lambda x: np.cos(x))
elementwise(np.cos, x=lambda x: -np.sin(x))
elementwise(np.tan, x=lambda x, y: _sec2(x, y))
elementwise(np.arcsin, x=lambda x: 1 / _cathetus(x))
elementwise(np.arccos, x=lambda x: -1 / _cathetus(x))
elementwise(np.arctan, x=lambda x: _arctan_slope(x))
together(
    np.arctan2,
    lambda slots, a, b: _turns(a, b),
    a=lambda a, b: _over_r2(b, a),
    b=lambda a, b: -_over_r2(a, b),
)
elementwise(np.sinh, x=lambda x: np.cosh(x))
elementwise(np.cosh, x=lambda x: np.sinh(x))
elementwise(np.tanh, x=lambda x, y: _sech2(x, y))
elementwise(np.arcsinh, x=lambda x: _arcsinh_slope(x))
elementwise(np.arccosh, x=lambda x: 1 / (np.sqrt(x - 1) * np.sqrt(x - -1)))
elementwise(np.arctanh, x=lambda x: _arctanh_slope(x))
adjoint_pair(np.deg2rad, np.deg2rad)
adjoint_pair(np.radians, np.radians)
adjoint_pair(np.rad2deg, np.rad2deg)
adjoint_pair(np.degrees, np.degrees)


def _is_real(x):
    return x.dtype.kind != "c"


def _sech2(x, y):
    """1 - y^2; where that has lost digits, 4 e / (1 + e)^2 with e = e^(-2 |x|)."""
    slope = 1 - y * y
    if is_watched(y):
        return slope
    size = slope if _is_real(y) else np.abs(slope)
    if not slope.size or size.min() > 1e-4:
        return slope
    near = ~(size > 1e-4)
    if not slope.shape:
        return _sech2_of_large(x)
    slope[near] = _sech2_of_large(np.broadcast_to(x, slope.shape)[near])
    return slope


def _sech2_of_large(x):
    e = np.exp(-2 * np.copysign(1.0, np.real(x)) * x)
    return 4 * e / ((1 + e) * (1 + e))


def _sec2(x, y):
    """1 + y^2; of complex x by tan(x) = -i tanh(i x)."""
    return 1 + y * y if _is_real(y) else _sech2(1j * x, 1j * y)


def _by_size(x, slope, leading):
    """The slope, and of huge complex x, whose squares overflow, its leading term."""
    if _is_real(x):
        return slope(x)
    huge = np.abs(_plain(x)) > 1e8
    return np.where(huge, leading(np.where(huge, x, 1.0)), slope(np.where(huge, 0.0, x)))


def _arctan_slope(x):
    """1 / (1 + x^2)."""
    return _by_size(x, lambda x: 1 / (1 + x * x), lambda x: 1 / x / x)


def _arctanh_slope(x):
    """1 / ((1 - x) (1 + x))."""
    return _by_size(x, lambda x: 1 / ((1 - x) * (1 + x)), lambda x: -1 / x / x)


def _arcsinh_slope(x):
    """1 / sqrt(1 + x^2), with its cut on the imaginary axis."""
    if _is_real(x):
        return 1 / _hypotenuse(x)
    side = np.copysign(1.0, np.real(_plain(x)))
    return _by_size(x, lambda x: 1 / np.sqrt(x * x - -1), lambda x: side / x)


def _cathetus(x):
    """sqrt(1 - x^2).

    On the cuts of complex ones the sign of a zero imaginary part says which side
    is meant: x - -1 keeps it, x + 1 does not.
    """
    return np.sqrt((1 - x) * (1 + x)) if _is_real(x) else np.sqrt(-(x - 1)) * np.sqrt(x - -1)


def _hypotenuse(x):
    """sqrt(1 + x^2), without overflow."""
    square = 1 + x * x
    return np.sqrt(square) if _is_moderate(square) else np.hypot(1.0, x)


def _is_moderate(x):
    """Whether no square that went into these positive numbers can have lost digits or overflowed.

    Not of traced ones: a derivative that is recorded holds at other points too.
    """
    return (
        type(x) is np.ndarray
        and x.dtype.char == "d"
        and x.size > 0
        and np.min(x) > 1e-280
        and np.max(x) < 1e280
    )


def _turns(a, b):
    r2 = a * a + b * b
    if not _is_moderate(r2):
        return _over_r2(b, a), -_over_r2(a, b)
    inverse = np.divide(1.0, r2, out=r2)
    by_a = b * inverse
    inverse *= a
    return by_a, np.negative(inverse, out=inverse)


def _over_r2(p, q):
    """p / (p^2 + q^2) without overflow, and 0 at the origin and at infinity."""
    r2 = p * p + q * q
    if _is_moderate(r2):
        return p / r2
    size = np.maximum(np.abs(_plain(p)), np.abs(_plain(q)))
    far = (size == 0) | np.isinf(size)
    safe = np.where(far, 1.0, size)
    u, v = p / safe, q / safe
    return np.where(far, 0.0, u / (u * u + v * v) / safe)


# ---------------------------------------------------------------- signs and rests

elementwise(np.absolute, x=lambda x, y: _direction(x, y))
elementwise(np.fabs, x=lambda x: np.sign(x))
elementwise(np.copysign, a=lambda a, y: np.sign(a) * np.sign(y), b=None)
elementwise(np.remainder, a=1, b=lambda a, b: -np.floor_divide(a, b))
elementwise(np.fmod, a=1, b=lambda a, b: -np.trunc(a / b))
elementwise(np.ldexp, x=lambda n: np.ldexp(1.0, n), n=None)
elementwise(np.nextafter, a=1, b=None)  # a and the last digit


def _direction(x, r):
    """-1, 0 or 1 if x is real, x / r (0 at 0) if it is complex, r = |x|."""
    if x.dtype.kind != "c":
        return as_constant(np.sign(_plain(x)))
    if type(r) is np.ndarray and np.min(r, initial=1.0) > np.finfo(r.dtype).tiny:
        return x * (1 / r)
    return np.where(r == 0, 0.0, x / np.where(r == 0, 1.0, r))


@composite(np.sign)
def _sign(x):
    """The direction of x: -1, 0 or 1 if it is real, x / |x| (0 at 0) if it is complex."""
    if x.dtype.kind != "c":
        return as_constant(np.sign(_plain(x)))
    r = np.absolute(x)
    return np.where(r == 0, 0.0, x / np.where(r == 0, 1.0, r))


piecewise_constant(np.floor, np.ceil, np.trunc, np.rint, np.heaviside, np.floor_divide, np.spacing)
