"""Right, and hard to judge: kinks, edges, noise, extreme scales, cancellation, single precision.

Each is a trap for differences: a step too long or too short, a kink inside the stencil, a value
that is not what it is in exact arithmetic. ``exact`` is the function as it is meant.
"""

import zlib

import numpy as np
import scipy.optimize

from tests.check.corpus.base import Bug, leaves, pair

rng = np.random.default_rng(16)
A = rng.standard_normal(7)
P = np.abs(rng.standard_normal(7)) + 0.5
SIGN = np.sign(A)


def hard(name, f, gradient, *args, **how):
    return pair(f, gradient, *args, name=name, more=common_bugs(gradient, *args), **how)


def common_bugs(gradient, *args):
    """What can be wrong with any gradient: each number, or one of them."""
    several = isinstance(gradient(*args), tuple)

    def changed(change):
        if several:
            return lambda *args: tuple(change(np.array(d)) for d in gradient(*args))
        return lambda *args: change(np.array(gradient(*args)))

    def one(d):
        flat = d.reshape(-1)
        flat[np.argmax(np.abs(flat))] *= 1.1
        return d

    if not any(np.any(d) for d in leaves(gradient(*args), len(args))):
        return ()
    table = {"sign": np.negative, "twice": lambda d: 2 * d, "one number": one}
    return tuple(Bug(name, changed(change)) for name, change in table.items())


def size(z):
    """|z| for complex step: of the real part's sign."""
    return np.where(np.real(z) < 0, -z, z)


# --- kinks nearby

NEAR = P - 1e-7 * SIGN
HINGES = rng.standard_normal((300, 4))
OFFSETS = rng.standard_normal(300)
GRID = np.linspace(0, 4, 401)


def on_table(x):
    """The sine of real numbers, linear between the points of the grid."""
    k = np.floor(x.real * 100)
    low, high = np.sin(k / 100), np.sin((k + 1) / 100)
    return low + (high - low) * (x * 100 - k)


KINKS_NEAR = [
    hard(
        "kinks 1e-7 away",
        lambda x: A @ np.abs(x - NEAR),
        lambda x: A * np.sign(x - NEAR),
        P,
        exact=lambda x: A @ size(x - NEAR),
    ),
    hard(
        "kinks 1e-11 away",
        lambda x: np.sum(np.maximum(x - 1, 0) * A + np.sin(x)),
        lambda x: (x > 1) * A + np.cos(x),
        1 + 1e-11 * SIGN,
        exact=lambda x: np.sum(np.where(x.real > 1, x - 1, 0) * A + np.sin(x)),
    ),
    hard(
        "nearly a tie",
        lambda x: np.max(x) + np.max(-x),
        lambda x: 1.0 * (x == x.max()) - 1.0 * (x == x.min()),
        np.array([1.0, 1 + 1e-8, -2.0, -2 + 3e-7, 0.1]),
        exact=lambda x: x[np.argmax(x.real)] - x[np.argmin(x.real)],
    ),
    hard(
        "median of many",
        lambda x: np.median(x) ** 2,
        lambda x: 2 * np.median(x) * (x == np.median(x)),
        A,
        exact=lambda x: x[np.argsort(x.real)[3]] ** 2,
    ),
    hard(
        "piecewise linear table",
        lambda x: np.sum(np.interp(x, GRID, np.sin(GRID))),
        lambda x: 100 * np.diff(np.sin(GRID))[np.floor(x * 100).astype(int)],
        P + 0.0031,
        exact=lambda x: np.sum(on_table(x)),
    ),
    hard(
        "a step 0.01 away",
        lambda x: np.sum(np.floor(x / 0.37)) + np.sum(np.sin(x)),
        np.cos,
        0.37 * np.arange(1, 5) + 0.01,
        exact=lambda x: np.sum(np.sin(x)),
    ),
    hard(
        "hinge with 300 kinks",
        lambda x: np.sum(np.maximum(HINGES @ x - OFFSETS, 0)),
        lambda x: HINGES.T @ (HINGES @ x > OFFSETS),
        A[:4],
        exact=lambda x: np.sum(np.where((HINGES @ x).real > OFFSETS, HINGES @ x - OFFSETS, 0)),
    ),
]
# --- at a kink: the gradient claimed is one of the subgradients

KINKS_HERE = [
    hard(
        "abs at 0",
        lambda x: np.sum(np.abs(x)) + x @ x,
        lambda x: np.sign(x) + 2 * x,
        np.array([0.0, 1.3, 0.0, -0.4]),
        kinks=True,
    ),
    hard(
        "relu at 0, slope 0",
        lambda x: np.sum(A * np.maximum(x, 0) * np.cos(x)),
        lambda x: A * (x > 0) * (np.cos(x) - x * np.sin(x)),
        np.array([0.0, 1.0, -1.0, 0.0, 2.0, -0.5, 0.0]),
        kinks=True,
    ),
    hard(
        "a tie of maxima, shared",
        lambda x: 2 * np.max(x),
        lambda x: 2.0 * (x == x.max()) / np.sum(x == x.max()),
        np.array([1.0, 3.0, 3.0, 2.0]),
        kinks=True,
    ),
    hard(
        "lasso at zeros",
        lambda w: 0.5 * np.sum((HINGES @ w - OFFSETS) ** 2) / 300 + 0.1 * np.sum(np.abs(w)),
        lambda w: HINGES.T @ (HINGES @ w - OFFSETS) / 300 + 0.1 * np.sign(w),
        np.array([0.0, 0.3, 0.0, -0.2]),
        kinks=True,
    ),
]

# --- edges of the domain, poles

EDGES = [
    hard(
        "root near 0",
        lambda x: np.sum(np.sqrt(x)),
        lambda x: 0.5 / np.sqrt(x),
        P * 1e-12,
    ),
    hard(
        "logarithm near 0",
        lambda x: A @ np.log(x),
        lambda x: A / x,
        P * 10.0 ** np.arange(-9, -2),
    ),
    hard(
        "arcsine near 1",
        lambda x: np.sum(np.arcsin(x)),
        lambda x: 1 / np.sqrt((1 - x) * (1 + x)),
        np.array([0.3, 1 - 1e-9, -1 + 1e-6]),
        tol=1e-7,
    ),
    hard(
        "power 2.5 at its edge",
        lambda x: np.sum(x**2.5 + x),
        lambda x: 2.5 * x**1.5 + 1,
        np.zeros(2),
        kinks=True,
    ),
    hard(
        "power with a side of its own",
        lambda x: np.sum(np.where(x < 0, np.nan, np.sin(x) + x)),
        lambda x: np.cos(x) + 1,
        np.zeros(3),
        kinks=True,
    ),
    hard(
        "poles 1e-7 away", lambda x: np.sum(1 / (x - 1)), lambda x: -1 / (x - 1) ** 2, 1 + 1e-7 * P
    ),
    hard(
        "tangent near its pole",
        lambda x: np.sum(np.tan(x)),
        lambda x: 1 / np.cos(x) ** 2,
        np.array([np.pi / 2 - 1e-5, 0.3]),
    ),
    hard("overflow near", lambda x: np.sum(np.exp(x)), np.exp, np.array([709.0, 700.0])),
]

# --- scales

TENS = 10.0 ** np.arange(-12, 13, 4)
SCALES = [
    hard(
        "arguments of 1e-12",
        lambda x: A @ np.sin(x / 1e-12),
        lambda x: A * np.cos(x / 1e-12) / 1e-12,
        P * 1e-12,
    ),
    hard(
        "arguments of 1e12",
        lambda x: A @ np.sin(x / 1e12),
        lambda x: A * np.cos(x / 1e12) / 1e12,
        P * 1e12,
    ),
    hard(
        "arguments of 1e-12 to 1e12",
        lambda x: np.sum(np.log1p((x * TENS) ** 2)),
        lambda x: 2 * x * TENS**2 / (1 + (x * TENS) ** 2),
        P / TENS,
    ),
    hard(
        "slopes of 1e-6 to 1e6",
        lambda x: 10.0 ** np.arange(-6, 7, 2) @ np.sin(x),
        lambda x: 10.0 ** np.arange(-6, 7, 2) * np.cos(x),
        P,
    ),
    hard("values of 1e-200", lambda x: 1e-200 * np.sum(x**3), lambda x: 3e-200 * x**2, P, tol=1e-9),
    hard("values of 1e200", lambda x: 1e200 * np.sum(x**3), lambda x: 3e200 * x**2, P),
    hard("likelihood of -1e8", lambda x: np.sum(np.sin(x)) - 1e8, np.cos, P),
    hard(
        "far from zero",
        lambda x: A @ np.sin(x - 1e8),
        lambda x: A * np.cos(x - 1e8),
        1e8 + P,
    ),
    hard(
        "badly conditioned quadratic",
        lambda x: 0.5 * x @ (10.0 ** np.arange(-7, 7, 2) * x),
        lambda x: 10.0 ** np.arange(-7, 7, 2) * x,
        P,
    ),
    hard(
        "oscillation 1e5",
        lambda x: np.sum(np.sin(1e5 * x)),
        lambda x: 1e5 * np.cos(1e5 * x),
        P[:3],
    ),
    hard(
        "a narrow peak",
        lambda x: np.exp(-np.sum((x - 1) ** 2) / 1e-8),
        lambda x: -2e8 * (x - 1) * np.exp(-np.sum((x - 1) ** 2) / 1e-8),
        1 + 1e-5 * np.array([3.0, -4, 2]),
    ),
    hard(
        "a saturated sigmoid",
        lambda x: np.sum(1 / (1 + np.exp(-x))),
        lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2,
        np.array([12.0, -12.0, 1.0]),
    ),
]

# --- zeros and constants

ZEROS = [
    hard("constant", lambda x: 7.0 + 0 * x[0], np.zeros_like, P),
    hard("minimum", lambda x: np.sum((x - P) ** 2), lambda x: 2 * (x - P), P.copy()),
    hard("flat minimum", lambda x: np.sum((x - P) ** 4), lambda x: 4 * (x - P) ** 3, P.copy()),
    hard(
        "unused numbers",
        lambda x: np.sum(x[::2] ** 3),
        lambda x: 3 * x**2 * (np.arange(7) % 2 == 0),
        P,
    ),
    hard(
        "sums to a constant",
        lambda x: np.sum(np.exp(x) / np.exp(x).sum()) + np.sin(x[0]),
        lambda x: np.cos(x) * (np.arange(7) == 0),
        P,
    ),
    hard("at zero", lambda x: A @ np.expm1(x), lambda x: A * np.exp(x), np.zeros(7)),
    hard(
        "dead units",
        lambda W, v: np.maximum(W @ P - 100, 0) @ v + v @ v,
        lambda W, v: (np.zeros_like(W), 2 * v),
        rng.standard_normal((3, 7)),
        A[:3],
        exact=lambda W, v: v @ v + 0 * np.sum(W),
    ),
    hard(
        "a vanishing first layer",
        lambda W, v: np.tanh(1e-6 * W @ P) * np.sum(v),
        lambda W, v: (
            1e-6 * (1 - np.tanh(1e-6 * W @ P) ** 2) * v.sum() * P,
            np.full(4, np.tanh(1e-6 * W @ P)),
        ),
        A,
        np.array([1.0, 2, -4, 3]),
    ),
]

# --- noise: cancellation, rounding, solvers, single precision


def newton(x):
    y = 0.5
    for _ in range(100):
        step = (y - x[0] * np.cos(y * x[1])) / (1 + x[0] * x[1] * np.sin(y * x[1]))
        y = y - step
        if abs(step) < 1e-12:
            break
    return y


def newton_gradient(x):
    y = newton(x)
    d = 1 + x[0] * x[1] * np.sin(y * x[1])
    return np.array([np.cos(y * x[1]), -x[0] * y * np.sin(y * x[1])]) / d


def jacobi_exact(b):
    return np.sum(np.linalg.solve(BAND, b) ** 2)


def jacobi(b):
    """x by an iteration that stops when it moves by less than 1e-10."""
    x = np.zeros(6)
    for _ in range(1000):
        new = (b - (BAND - np.diag(np.diag(BAND))) @ x) / np.diag(BAND)
        if np.max(np.abs(new - x)) < 1e-10:
            break
        x = new
    return np.sum(x**2)


BAND = 4 * np.eye(6) - np.eye(6, k=1) - np.eye(6, k=-1)


def bracketed(x):
    return scipy.optimize.brentq(lambda y: y**3 + x[0] * y - x[1], 0, 5, xtol=1e-13)


def bracketed_gradient(x):
    y = bracketed(x)
    return np.array([-y, 1.0]) / (3 * y * y + x[0])


def bracketed_exact(x):
    y = bracketed(x.real) + 0j
    for _ in range(4):
        y = y - (y**3 + x[0] * y - x[1]) / (3 * y * y + x[0])
    return y


def simpson(x, cells=200):
    t = np.linspace(0, 1, cells + 1)
    w = np.full(cells + 1, 2.0)
    w[1::2], w[[0, -1]] = 4.0, 1.0
    return w @ np.exp(-x[0] * t) / 3 / cells * x[1]


def simpson_gradient(x, cells=200):
    t = np.linspace(0, 1, cells + 1)
    w = np.full(cells + 1, 2.0)
    w[1::2], w[[0, -1]] = 4.0, 1.0
    e = w * np.exp(-x[0] * t) / 3 / cells
    return np.array([-(t @ e) * x[1], e.sum()])


def running_sum(x):
    total = np.float32(0)
    for number in np.sin(x).astype(np.float32):
        total += number
    return float(total)


def float32(f):
    return lambda x: float(f(np.asarray(x, np.float32)))


def wave(x):
    return np.sum(np.sin(x) * x)


def wave_gradient(x):
    return np.cos(x) * x + np.sin(x)


NOISE = [
    hard(
        "cancellation of 1e6",
        lambda x: np.sum((1e6 + np.sin(x)) ** 2 - 1e12),
        lambda x: 2 * (1e6 + np.sin(x)) * np.cos(x),
        P,
    ),
    hard(
        "variance by squares",
        lambda x: np.mean((x + 1e4) ** 2) - np.mean(x + 1e4) ** 2,
        lambda x: 2 * (x - x.mean()) / len(x),
        A,
    ),
    hard(
        "rounded to seven digits",
        lambda x: np.round(np.sum(np.sin(x)), 7),
        np.cos,
        P,
        exact=lambda x: np.sum(np.sin(x)),
    ),
    hard(
        "printed with nine digits",
        lambda x: float(f"{np.prod(x):.9g}"),
        lambda x: np.prod(x) / x,
        P,
        exact=np.prod,
    ),
    hard("newton to 1e-12", newton, newton_gradient, np.array([0.8, 1.1]), exact=newton),
    hard(
        "jacobi to 1e-10",
        jacobi,
        lambda b: 2 * np.linalg.solve(BAND, np.linalg.solve(BAND, b)),
        A[:6],
        exact=jacobi_exact,
    ),
    hard(
        "brentq to 1e-13",
        bracketed,
        bracketed_gradient,
        np.array([1.5, 2.5]),
        exact=bracketed_exact,
    ),
    hard("quadrature", simpson, simpson_gradient, np.array([2.0, 3.0])),
    hard("float32 inside", float32(wave), wave_gradient, P, exact=wave),
    hard("float32 everywhere", wave, wave_gradient, P.astype(np.float32), tol=1e-6),
    hard(
        "float32 gradient",
        wave,
        lambda x: wave_gradient(x).astype(np.float32),
        P,
        tol=1e-6,
    ),
    hard(
        "float32 running sum",
        running_sum,
        np.cos,
        np.linspace(0.1, 3, 60),
        exact=lambda x: np.sum(np.sin(x)),
    ),
    hard(
        "deterministic noise 1e-9",
        lambda x: np.sum(np.sin(x)) + 1e-9 * zlib.crc32(np.asarray(x).tobytes()) / 2**32,
        np.cos,
        P,
        exact=lambda x: np.sum(np.sin(x)),
    ),
]

# --- complex arguments, containers, odd shapes

Z = rng.standard_normal((2, 2)) + 1j * rng.standard_normal((2, 2))
SHAPES = [
    hard(
        "complex numbers",
        lambda z: np.sum(np.abs(z @ z.T) ** 2),
        lambda z: 4 * (z @ z.T) @ np.conj(z),
        Z,
    ),
    hard(
        "phase retrieval",
        lambda z: np.sum((np.abs(np.fft.fft(z)) ** 2 - np.arange(1.0, 6)) ** 2),
        lambda z: (
            20 * np.fft.ifft((np.abs(np.fft.fft(z)) ** 2 - np.arange(1.0, 6)) * np.fft.fft(z))
        ),
        rng.standard_normal(5) + 1j * rng.standard_normal(5),
    ),
    hard("a number", lambda x: x**3, lambda x: 3 * x**2, 1.7),
    hard("no numbers", lambda x: np.sum(x), np.ones_like, np.zeros((0, 3))),
    hard(
        "four dimensions",
        lambda x: np.sum(np.prod(x, axis=(1, 3)) ** 2),
        lambda x: 2 * np.prod(x, axis=(1, 3), keepdims=True) ** 2 / x,
        rng.standard_normal((2, 2, 3, 2)),
    ),
]

PAIRS = KINKS_NEAR + KINKS_HERE + EDGES + SCALES + ZEROS + NOISE + SHAPES
