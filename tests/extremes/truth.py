"""Derivatives by mpmath: differences with more digits than their errors and rounding need."""

import mpmath
import numpy as np

mp = mpmath.mp
LONG = np.longdouble


def exact(x):
    """The number that a NumPy scalar is; mpmath reads long doubles as doubles."""
    if np.iscomplexobj(x):
        return mp.mpc(exact(np.real(x)), exact(np.imag(x)))
    if not isinstance(x, LONG) or not np.isfinite(x):
        return mp.mpf(float(x))
    fraction, exponent = np.frexp(x)
    high = int(np.floor(fraction * LONG(2) ** 32))
    low = int((fraction * LONG(2) ** 32 - high) * LONG(2) ** 40)
    with mp.workdps(50):
        return mp.ldexp(mp.mpf(high) * 2**40 + low, int(exponent) - 72)


def rounded(v, dtype):
    """mpmath's number in a precision of NumPy."""
    if np.dtype(dtype).kind == "c":
        return dtype(complex(v))
    if dtype is not LONG or v == 0:
        with np.errstate(over="ignore"):
            return dtype(float(v))
    with mp.workdps(50):
        fraction, exponent = mp.frexp(v)
        high = mp.floor(fraction * 2**32)
        low = mp.nint((fraction * 2**32 - high) * 2**32)
    with np.errstate(over="ignore", under="ignore"):
        return np.ldexp(LONG(int(high)) + np.ldexp(LONG(int(low)), -32), int(exponent) - 32)


def derivative(f, point, slots, digits):
    """The derivative of f by the arguments in ``slots``, one after the other, by steps far below
    the size of every argument."""
    scale = min([1, *(abs(x) for x in point if x)])
    part = digits // (8 if len(slots) == 1 else 10)

    def along(point, slots):
        if not slots:
            return f(*point)
        i, *rest = slots
        h = mp.mpf(10) ** -part * scale
        ends = [along([*point[:i], point[i] + s * h, *point[i + 1 :]], rest) for s in (1, -1)]
        return (ends[0] - ends[1]) / (2 * h)

    with mp.workdps(digits):
        return +along(list(point), list(slots))


def digits_for(point):
    """Digits in which steps of ``derivative`` resolve changes of f at these arguments."""
    sizes = [abs(np.log10(float(abs(x)))) for x in point if x]
    return 500 + int(6 * max(sizes, default=0))
