"""Elementwise operators of PyTorch's test database as plain NumPy and SciPy: name -> function.

The functions take what PyTorch's take, in its order and under its names.
"""

import numpy as np
import scipy.special as sp


def add(a, b, *, alpha=1):
    return a + alpha * b


def subtract(a, b, *, alpha=1):
    return a - alpha * b


def divide(a, b, *, rounding_mode=None):
    rounding = {None: lambda q: q, "trunc": np.trunc, "floor": np.floor}[rounding_mode]
    return rounding(a / b)


def clamp(x, min=None, max=None):
    return np.clip(x, min, max)


def masked_fill(x, mask, value):
    return np.where(mask, value, x)


def logit(x, eps=None):
    return sp.logit(x if eps is None else np.clip(x, eps, 1 - eps))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softplus(x, beta=1, threshold=20):
    large = beta * x > threshold
    return np.where(large, x, np.log1p(np.exp(np.where(large, 0.0, beta * x))) / beta)


def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


def elu(x, alpha=1.0, scale=1.0):
    return scale * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0.0)))


def celu(x, alpha=1.0):
    return np.maximum(x, 0.0) + np.minimum(alpha * np.expm1(x / alpha), 0.0)


def gelu(x, approximate="none"):
    if approximate == "none":
        return x * sp.ndtr(x)
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def prelu(x, weight):
    shape = [1, -1] + [1] * (x.ndim - 2) if x.ndim > 1 else weight.shape[: x.ndim]
    return np.where(x > 0, x, weight.reshape(shape) * x)


def threshold(x, threshold, value):
    return np.where(x <= threshold, value, x)


def hardshrink(x, lambd=0.5):
    return np.where(np.abs(x) > lambd, x, 0.0)


def softshrink(x, lambd=0.5):
    return np.sign(x) * np.maximum(np.abs(x) - lambd, 0.0)


def glu(x, dim=-1):
    a, b = np.split(x, 2, axis=dim)
    return a * sigmoid(b)


def rsqrt(x):
    return 1 / np.sqrt(x)


def polar(r, angle):
    return r * np.exp(1j * angle)


def lerp(start, end, weight):
    return start + weight * (end - start)


def logaddexp(a, b):
    return NotImplemented if np.iscomplexobj(a) else np.logaddexp(a, b)


SELU = {"alpha": 1.6732632423543772, "scale": 1.0507009873554805}

ELEMENTWISE = {
    # NumPy has a function of that name or sense
    "abs": np.abs,
    "acos": np.acos,
    "acosh": np.acosh,
    "asin": np.asin,
    "asinh": np.asinh,
    "atan": np.atan,
    "atanh": np.atanh,
    "angle": np.angle,
    "ceil": np.ceil,
    "conj": np.conj,
    "conj_physical": np.conjugate,
    "resolve_conj": np.positive,
    "resolve_neg": np.positive,
    "cos": np.cos,
    "cosh": np.cosh,
    "deg2rad": np.deg2rad,
    "exp": np.exp,
    "exp2": np.exp2,
    "expm1": np.expm1,
    "floor": np.floor,
    "frexp": np.frexp,
    "i0": np.i0,
    "imag": np.imag,
    "log": np.log,
    "log10": np.log10,
    "log1p": np.log1p,
    "log2": np.log2,
    "nan_to_num": nan_to_num,
    "neg": np.negative,
    "positive": np.positive,
    "rad2deg": np.rad2deg,
    "real": np.real,
    "reciprocal": np.reciprocal,
    "round": lambda x, decimals=0: np.round(x, decimals),
    "sgn": np.sign,
    "sign": np.sign,
    "sin": np.sin,
    "sinc": np.sinc,
    "sinh": np.sinh,
    "sqrt": np.sqrt,
    "square": np.square,
    "tan": np.tan,
    "tanh": np.tanh,
    "trunc": np.trunc,
    "atan2": np.atan2,
    "copysign": np.copysign,
    "float_power": np.float_power,
    "fmax": np.fmax,
    "fmin": np.fmin,
    "fmod": np.fmod,
    "hypot": np.hypot,
    "logaddexp": logaddexp,
    "logaddexp2": np.logaddexp2,
    "max.binary": np.maximum,
    "maximum": np.maximum,
    "min.binary": np.minimum,
    "minimum": np.minimum,
    "mul": np.multiply,
    "nextafter": np.nextafter,
    "pow": np.power,
    "remainder": np.remainder,
    "true_divide": np.true_divide,
    "where": lambda a, mask, b: np.where(mask, a, b),
    # arithmetic
    "add": add,
    "sub": subtract,
    "rsub": lambda a, b, *, alpha=1: b - alpha * a,
    "div": divide,
    "frac": lambda x: x - np.trunc(x),
    "rsqrt": rsqrt,
    "ldexp": lambda x, n: x * 2.0**n,
    "complex": lambda a, b: a + 1j * b,
    "polar": polar,
    "lerp": lerp,
    "addcdiv": lambda c, a, b, *, value=1: c + value * a / b,
    "addcmul": lambda c, a, b, *, value=1: c + value * a * b,
    "clamp": clamp,
    "clamp_max": np.minimum,
    "clamp_min": np.maximum,
    "masked_fill": masked_fill,
    "__radd__": lambda a, b: b + a,
    "__rdiv__": lambda a, b: b / a,
    "__rmod__": lambda a, b: b % a,
    "__rmul__": lambda a, b: b * a,
    "__rpow__": lambda a, b: b**a,
    "__rsub__": lambda a, b: b - a,
    # activations
    "sigmoid": sigmoid,
    "logit": logit,
    "nn.functional.celu": celu,
    "nn.functional.elu": elu,
    "nn.functional.gelu": gelu,
    "nn.functional.glu": glu,
    "nn.functional.hardshrink": hardshrink,
    "nn.functional.hardsigmoid": lambda x: np.clip(x / 6 + 0.5, 0.0, 1.0),
    "nn.functional.hardswish": lambda x: x * np.clip(x + 3, 0.0, 6.0) / 6,
    "nn.functional.hardtanh": lambda x, min_val=-1.0, max_val=1.0: np.clip(x, min_val, max_val),
    "nn.functional.leaky_relu": lambda x, negative_slope=0.01: np.where(
        x >= 0, x, negative_slope * x
    ),
    "nn.functional.logsigmoid": lambda x: -np.logaddexp(0.0, -x),
    "nn.functional.mish": lambda x: x * np.tanh(softplus(x)),
    "nn.functional.prelu": prelu,
    "nn.functional.relu": lambda x: np.maximum(x, 0.0),
    "nn.functional.relu6": lambda x: np.clip(x, 0.0, 6.0),
    "nn.functional.selu": lambda x: elu(x, **SELU),
    "nn.functional.silu": lambda x: x * sigmoid(x),
    "nn.functional.softplus": softplus,
    "nn.functional.softshrink": softshrink,
    "nn.functional.softsign": lambda x: x / (1 + np.abs(x)),
    "nn.functional.tanhshrink": lambda x: x - np.tanh(x),
    "nn.functional.threshold": threshold,
    # scipy.special
    "digamma": sp.digamma,
    "erf": sp.erf,
    "erfc": sp.erfc,
    "erfinv": sp.erfinv,
    "lgamma": sp.gammaln,
    "mvlgamma": sp.multigammaln,
    "polygamma": lambda x, n: sp.polygamma(n, x),
    "special.entr": sp.entr,
    "special.erfcx": sp.erfcx,
    "special.i0e": sp.i0e,
    "special.i1": sp.i1,
    "special.i1e": sp.i1e,
    "special.log_ndtr": sp.log_ndtr,
    "special.ndtr": sp.ndtr,
    "special.ndtri": sp.ndtri,
    "special.polygamma": lambda x, n: sp.polygamma(n, x),
    "special.xlog1py": sp.xlog1py,
    "xlogy": sp.xlogy,
}
# PyTorch has no derivative of these: numbers judge
WITHOUT_DERIVATIVE = {
    "igamma": sp.gammainc,
    "igammac": sp.gammaincc,
    "special.airy_ai": lambda x: sp.airy(x)[0],
    "special.bessel_j0": sp.j0,
    "special.bessel_j1": sp.j1,
    "special.bessel_y0": sp.y0,
    "special.bessel_y1": sp.y1,
    "special.chebyshev_polynomial_t": lambda x, n: sp.eval_chebyt(n, x),
    "special.chebyshev_polynomial_u": lambda x, n: sp.eval_chebyu(n, x),
    "special.hermite_polynomial_h": lambda x, n: sp.eval_hermite(n, x),
    "special.hermite_polynomial_he": lambda x, n: sp.eval_hermitenorm(n, x),
    "special.laguerre_polynomial_l": lambda x, n: sp.eval_laguerre(n, x),
    "special.legendre_polynomial_p": lambda x, n: sp.eval_legendre(n, x),
    "special.shifted_chebyshev_polynomial_t": lambda x, n: sp.eval_sh_chebyt(n, x),
    "special.shifted_chebyshev_polynomial_u": lambda x, n: sp.eval_sh_chebyu(n, x),
    "special.modified_bessel_i0": sp.i0,
    "special.modified_bessel_i1": sp.i1,
    "special.modified_bessel_k0": sp.k0,
    "special.modified_bessel_k1": sp.k1,
    "special.scaled_modified_bessel_k0": sp.k0e,
    "special.scaled_modified_bessel_k1": sp.k1e,
    "special.spherical_bessel_j0": lambda x: sp.spherical_jn(0, x),
    "special.zeta": sp.zeta,
}
