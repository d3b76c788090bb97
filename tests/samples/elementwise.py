"""Samples of rules/elementwise.py: one or two operands, broadcast, 0-d, empty, special points."""

import numpy as np

from tests.samples import sample

X = np.array([0.35, -1.2, 0.8, 2.1])
POSITIVE = np.array([0.35, 1.2, 0.8, 2.1])
SMALL = np.array([0.35, -0.62, 0.11, 0.87])  # inside (-1, 1)
LARGE = np.array([1.35, 2.2, 1.8, 4.1])  # above 1
MATRIX = np.array([[0.7, -1.3, 0.45, 1.9], [1.1, 0.6, -0.9, -0.25], [-2.2, 1.7, 0.3, 0.55]])
COLUMN = np.array([[0.9], [-1.4], [2.3]])
EMPTY = np.zeros((0, 4))


def unary(f, x, *more, complex=True):
    """Vector, 0-d array, scalar, matrix, empty; then what else there is to say."""
    matrix = np.abs(MATRIX).clip(0.1, 0.9) if f in BOUNDED else 1 + np.abs(MATRIX)
    return [
        sample(f, x, complex=complex),
        sample(f, np.array(x[0])),
        sample(f, float(x[2]), complex=complex),
        sample(f, matrix),
        sample(f, EMPTY, complex=complex),
        *more,
    ]


def binary(f, a, b, *more, complex=True, other=None):
    """Equal shapes, each broadcast against the other, scalars, a constant operand."""
    column, row = (np.abs(COLUMN), np.abs(b)) if (a > 0).all() else (COLUMN, b)
    return [
        sample(f, a, b, complex=complex),
        sample(f, column, row, complex=complex),
        sample(f, row, column),
        sample(f, a, float(b[2]), complex=complex),
        sample(f, np.array(a[1]), b),
        sample(f, float(a[0]), float(b[2]), complex=complex),
        sample(lambda x: f(x, 1.7), a, complex=complex),
        sample(lambda x: f(1.7, x), b, complex=complex),
        sample(lambda x: f(x, np.array([[3], [2]])), a),
        sample(f, EMPTY, b, complex=complex),
        *more,
    ]


def kinked(f, *operands, note):
    return sample(f, *operands, smooth=False, note=note)


BOUNDED = {np.arcsin, np.arccos, np.arctanh}
TIES = (np.array([1.0, 2.0, 3.0, -0.5]), np.array([1.0, 3.0, 2.0, -0.5]))
A = np.array([0.7, -1.3, 1.45, 0.9])
B = np.array([1.6, 0.8, -1.1, 2.65])
TURNS = np.array([30.0, -75.0, 110.0, 250.0])

SAMPLES = {
    "add": binary(np.add, A, B, sample(lambda x: x + x, X, complex=True)),
    "subtract": binary(np.subtract, A, B, sample(lambda x: 3 - x, X)),
    "multiply": binary(
        np.multiply,
        A,
        B,
        sample(lambda x: x * x, X, complex=True),
        sample(lambda x: x * True, X),
        sample(lambda x: x * 2j, X, complex=True),
        sample(np.multiply, MATRIX[:, None], COLUMN, complex=True),
    ),
    "divide": binary(
        np.divide, A, B, sample(lambda x: 1 / x, X, complex=True), sample(lambda x: x / 4, X)
    ),
    "negative": unary(np.negative, X),
    "positive": unary(np.positive, X),
    "reciprocal": unary(np.reciprocal, X),
    "square": unary(
        np.square, X, sample(np.square, np.array([0.0, 1.0])), sample(lambda x: x**2, X)
    ),
    "sqrt": unary(np.sqrt, POSITIVE, sample(lambda x: x**0.5, POSITIVE)),
    "cbrt": unary(np.cbrt, X, complex=False),
    "power": [
        *binary(np.power, POSITIVE, B),
        sample(lambda x: x**3, np.array([0.0, -1.5, 2.0]), complex=True),
        sample(lambda x: x**-2, X),
        sample(lambda x: x**1, np.array([0.0, 2.0])),
        sample(lambda x: x**0, np.array([0.0, 2.0])),
        sample(lambda x: x ** np.array([0, 1, 2, 3]), X),
        sample(lambda x: x ** np.array([0.0, 1.0, 2.0, 3.0]), X),
        sample(lambda x: 2**x, X),
        sample(lambda x: 0.0**x, POSITIVE),
        sample(lambda x: x**x, POSITIVE),
    ],
    "float_power": binary(np.float_power, POSITIVE, B),
    "hypot": binary(
        np.hypot,
        A,
        B,
        kinked(np.hypot, np.zeros(2), np.array([0.0, 1.0]), note="the origin"),
        complex=False,
    ),
    "exp": unary(np.exp, X),
    "exp2": unary(np.exp2, X),
    "expm1": unary(np.expm1, X, sample(np.expm1, np.array([1e-9, 0.0]))),
    "log": unary(np.log, POSITIVE),
    "log2": unary(np.log2, POSITIVE),
    "log10": unary(np.log10, POSITIVE),
    "log1p": unary(np.log1p, POSITIVE, sample(np.log1p, np.array([-0.5, 0.0, 1e-9]))),
    "logaddexp": binary(
        np.logaddexp,
        A,
        B,
        sample(np.logaddexp, np.array([1.0, 500.0, -500.0]), np.array([1.0, -500.0, 500.0])),
        complex=False,
    ),
    "logaddexp2": binary(
        np.logaddexp2,
        A,
        B,
        sample(np.logaddexp2, np.array([1.0, 500.0, -500.0]), np.array([1.0, -500.0, 500.0])),
        complex=False,
    ),
    "sin": unary(np.sin, X),
    "cos": unary(np.cos, X),
    "tan": unary(np.tan, X),
    "arcsin": unary(np.arcsin, SMALL),
    "arccos": unary(np.arccos, SMALL),
    "arctan": unary(np.arctan, X),
    "arctan2": binary(
        np.arctan2,
        A,
        B,
        sample(np.arctan2, np.array([1.0, -1.0, 0.0]), np.array([0.0, 0.0, 2.0])),
        complex=False,
    ),
    "sinh": unary(np.sinh, X),
    "cosh": unary(np.cosh, X),
    "tanh": unary(np.tanh, X, sample(np.tanh, np.array([0.0, 25.0, -25.0]))),
    "arcsinh": unary(np.arcsinh, X),
    "arccosh": unary(np.arccosh, LARGE),
    "arctanh": unary(np.arctanh, SMALL),
    "deg2rad": unary(np.deg2rad, TURNS, complex=False),
    "radians": unary(np.radians, TURNS, complex=False),
    "rad2deg": unary(np.rad2deg, X, complex=False),
    "degrees": unary(np.degrees, X, complex=False),
    "maximum": binary(
        np.maximum, A, B, kinked(np.maximum, *TIES, note="ties share equally"), complex=False
    ),
    "minimum": binary(
        np.minimum, A, B, kinked(np.minimum, *TIES, note="ties share equally"), complex=False
    ),
    "fmax": binary(np.fmax, A, B, kinked(np.fmax, *TIES, note="ties share equally"), complex=False),
    "fmin": binary(np.fmin, A, B, kinked(np.fmin, *TIES, note="ties share equally"), complex=False),
    "absolute": unary(
        np.absolute, X, kinked(np.absolute, np.array([0.0, 1.0]), note="slope 0 at 0")
    ),
    "fabs": unary(
        np.fabs, X, kinked(np.fabs, np.array([0.0, 1.0]), note="slope 0 at 0"), complex=False
    ),
    "copysign": binary(np.copysign, A, B, complex=False),
    "remainder": binary(
        np.remainder,
        A,
        B,
        sample(lambda x: x % 0.73, X),
        sample(lambda x: 7.3 % x, X),
        complex=False,
    ),
    "fmod": binary(np.fmod, A, B, complex=False),
    "nextafter": [
        sample(lambda x: np.nextafter(x, 5.0), X),
        sample(lambda x: np.nextafter(x, x.T[:, ::-1]), MATRIX[:2, :2]),
        sample(lambda x: np.nextafter(x, -1), 0.7),
    ],
    "ldexp": [
        sample(lambda x: np.ldexp(x, 3), X),
        sample(lambda x: np.ldexp(x, np.array([[1], [-2]])), X),
        sample(lambda x: np.ldexp(x, -1), 0.7),
    ],
}
