"""NumPy's elementwise functions: what they are in mpmath, and where they are tried."""

import mpmath
import numpy as np

mp = mpmath.mp

# the numbers of each precision: subnormal, tiny, small beside 1, large beside 1, huge
TINY = {"f": ("1e-45", "1e-40", "1e-30", "1e-8"), "d": ("5e-324", "1e-310", "1e-200", "1e-16")}
HUGE = {"f": ("1e8", "1e19", "1e30"), "d": ("1e16", "1e154", "1e200", "1e300")}
TINY["g"], HUGE["g"] = ("1e-310", "1e-200", "1e-20"), ("1e20", "1e200", "1e300")


def _both(points):
    return [s * x for x in points for s in (1, -1)]


def points(domain, dtype):
    """The points of a domain in a precision."""
    char, info = np.dtype(dtype).char, np.finfo(dtype)
    tiny, huge = ([dtype(v) for v in table[char]] for table in (TINY, HUGE))
    positive = [*tiny, dtype("0.3"), dtype(1), dtype(3), dtype(17), *huge]
    if domain == "positive":
        return positive
    if domain == "real":
        return [*_both(positive), dtype(0), dtype("-0.0")]
    if domain == "not 0":
        return _both(positive)
    if domain == "moderate":
        return [x for x in _both(positive) if abs(x) < 5] + [dtype(0)]
    if domain == "above 1":
        return [1 + info.eps, 1 + dtype("1e-6"), dtype("1.5"), dtype(30), *huge]
    near = [dtype("0.3"), dtype("0.9"), 1 - info.eps / 2, 1 - 2 * info.eps, 1 - dtype("1e-6")]
    if domain == "inside 1":
        return [*_both([*tiny, *near]), dtype(0)]
    if domain == "above -1":
        return [*positive, *[-x for x in [*tiny, *near]]]
    assert domain == "exponent"
    limit = np.log(np.finfo("f" if char == "f" else "d").max).astype(dtype)
    shares = [dtype(s) * limit for s in ("0.4", "0.499", "0.501", "0.99")]
    return [
        *_both([*tiny, dtype("0.3"), dtype(1), dtype(9), dtype(20), dtype(40), *shares]),
        dtype(0),
    ]


def sinc(x):
    return mp.sin(mp.pi * x) / (mp.pi * x) if x else mp.mpf(1)


# name: in mpmath, where
UNARY = {
    "reciprocal": (lambda x: 1 / x, "not 0"),
    "square": (lambda x: x * x, "real"),
    "sqrt": (mp.sqrt, "positive"),
    "cbrt": (lambda x: mp.sign(x) * mp.cbrt(abs(x)), "not 0"),
    "negative": (lambda x: -x, "real"),
    "positive": (lambda x: x, "real"),
    "absolute": (abs, "not 0"),
    "fabs": (abs, "not 0"),
    "exp": (mp.exp, "exponent"),
    "exp2": (lambda x: mp.mpf(2) ** x, "exponent"),
    "expm1": (lambda x: mp.exp(x) - 1, "exponent"),
    "log": (mp.log, "positive"),
    "log2": (lambda x: mp.log(x) / mp.log(2), "positive"),
    "log10": (lambda x: mp.log(x) / mp.log(10), "positive"),
    "log1p": (lambda x: mp.log(1 + x), "above -1"),
    "sin": (mp.sin, "real"),
    "cos": (mp.cos, "real"),
    "tan": (mp.tan, "real"),
    "arcsin": (mp.asin, "inside 1"),
    "arccos": (mp.acos, "inside 1"),
    "arctan": (mp.atan, "real"),
    "sinh": (mp.sinh, "exponent"),
    "cosh": (mp.cosh, "exponent"),
    "tanh": (mp.tanh, "exponent"),
    "arcsinh": (mp.asinh, "real"),
    "arccosh": (mp.acosh, "above 1"),
    "arctanh": (mp.atanh, "inside 1"),
    "deg2rad": (lambda x: x * mp.pi / 180, "real"),
    "radians": (lambda x: x * mp.pi / 180, "real"),
    "rad2deg": (lambda x: x / mp.pi * 180, "real"),
    "degrees": (lambda x: x / mp.pi * 180, "real"),
    "sinc": (sinc, "moderate"),
    "i0": (lambda x: mp.besseli(0, x), "moderate"),
}
# Their second derivative is a difference of two terms of the size of the first.
DIFFERENCES = {"arcsin", "arccos", "arctanh"}
# NumPy's own value has the digits of a double only.
DOUBLE_INSIDE = {"sinc", "i0"}


def _logaddexp(base):
    def f(a, b):
        large, small = max(a, b), min(a, b)
        return large + mp.log1p(mp.mpf(base) ** (small - large)) / mp.log(base)

    return f


SIZES = [1e-310, 1e-200, 1e-16, 0.3, 1 - 2.0**-53, 1.0, 1 + 2.0**-52, 3.0, 1e16, 1e154, 1e200]
EXPONENTS = [0.0, 1e-16, 0.3, 1.0, 30.0, 37.0, 600.0, 745.0, 800.0, 1e5, 1e300]
BASES = [1e-200, 1e-16, 0.3, 1 - 2.0**-53, 1.0, 1 + 2.0**-52, 2.0, 10.0, 1e16, 1e200]
POWERS = [1e-200, 1e-16, 0.3, 1.0, 2.0, 3.0, 2.5, 10.0, 100.0, 1e16, -1.0, -2.0, -3.0, -0.5, -100.0]

# name: in mpmath, points of the first operand, of the second
BINARY = {
    "add": (lambda a, b: a + b, _both(SIZES), SIZES),
    "subtract": (lambda a, b: a - b, _both(SIZES), SIZES),
    "multiply": (lambda a, b: a * b, [0.0, *_both(SIZES)], SIZES),
    "divide": (lambda a, b: a / b, [0.0, *_both(SIZES)], _both(SIZES[1:])),
    "hypot": (lambda a, b: mp.sqrt(a * a + b * b), [0.0, *_both(SIZES)], SIZES),
    "arctan2": (mp.atan2, SIZES, [0.0, *_both(SIZES)]),
    "power": (lambda a, b: a**b, BASES, POWERS),
    "float_power": (lambda a, b: a**b, BASES, POWERS),
    "logaddexp": (_logaddexp(mp.e), _both(EXPONENTS), EXPONENTS[1:]),
    "logaddexp2": (_logaddexp(2), _both(EXPONENTS), EXPONENTS[1:]),
}
# Chosen by comparing, or linear with whole numbers as slopes: nothing there can be inaccurate.
CHOICES = set("maximum minimum fmax fmin copysign remainder fmod ldexp nextafter".split())

COMPLEX = {
    name: getattr(mp, name.replace("arc", "a"))
    for name in (
        "sqrt exp log sin cos tan sinh cosh tanh arcsin arccos arctan arcsinh arccosh arctanh"
    ).split()
}
COMPLEX |= {
    "log1p": lambda z: mp.log(1 + z),
    "expm1": lambda z: mp.exp(z) - 1,
    "log2": UNARY["log2"][0],
    "log10": UNARY["log10"][0],
    "reciprocal": UNARY["reciprocal"][0],
    "square": UNARY["square"][0],
}
