"""Each rule's backward and forward derivative in units of the plain operation, and of a hand's.

vjp   one pullback, after the forward sweep
jvp   value and tangent together
hand  the pullback a person would write with what the forward sweep has kept, where one is given;
      its results are arrays of their own, as ours are

Without what a derivative costs that does nothing (``eager.py`` measures that).
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import hand
import numpy as np
import scipy
import scipy.linalg
import scipy.sparse
import scipy.spatial
import scipy.special
from timing import medians, versions

import chainrule as cr

# Marked: times the hand-written pullback, unless that is a small part of the operation; without
# one, times the operation.
SLOW, SMALL_PART, COSTLY = 1.3, 0.1, 5.0


@dataclass
class Row:
    """An operation, its operands, and ``hand(*operands)(g)``, the pullback written by hand."""

    name: str
    f: Callable
    operands: tuple
    hand: Callable[..., Callable[[Any], Any]] | None = None


def arrays(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return tuple(rng.uniform(0.2, 1.2, shape) for shape in shapes)


def spd(n, count=()):
    (a,) = arrays((*count, n, n))
    return a @ np.swapaxes(a, -1, -2) + n * np.eye(n)


# ---------------------------------------------------------------- the table

N, M, K = 100_000, 300, 150
X, Y = arrays(N, N)
A, B = arrays((M, M), (M, M), seed=1)
TALL = A[:K, :100]
S, C = spd(K), arrays((K, 20))[0]
L = np.linalg.cholesky(S)
SMALL = spd(4, (2000,))
INDEX = np.random.default_rng(2).integers(0, N, N)
ROWS = INDEX[:1000] % M
ORDER = np.argsort(A, axis=1)
MASK = X > 0.7
KERNEL = arrays(60)[0]
POINTS = np.sort(arrays(1000, seed=4)[0])
SPARSE = scipy.sparse.random(20_000, 20_000, 5e-4, format="csr", rng=5)


def softmax(x):
    e = np.exp(x - np.max(x, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


def spectrum(x):
    """Of real x of even length: each coefficient but the first and last stands for two."""

    def back(g):
        g = g * (len(x) / 2)
        g[[0, -1]] *= 2
        return np.fft.irfft(g, len(x))

    return back


ELEMENTWISE = [
    Row("add", np.add, (X, Y), lambda a, b: lambda g: (g.copy(), g.copy())),
    Row("multiply", np.multiply, (X, Y), lambda a, b: lambda g: (g * b, g * a)),
    Row("divide", np.divide, (X, Y), hand.divide),
    Row("x / 3", lambda x: x / 3.0, (X,), lambda x: lambda g: g / 3.0),
    Row("1 / x", lambda x: 1.0 / x, (X,), lambda x: lambda g: -g / (x * x)),
    Row("x**2", lambda x: x**2, (X,), lambda x: lambda g: 2 * g * x),
    Row("x**3", lambda x: x**3.0, (X,), lambda x: lambda g: g * (3.0 * x**2.0)),
    Row("x**-1", lambda x: x**-1, (X,), lambda x: lambda g: -g / (x * x)),
    Row("x**-2", lambda x: x**-2.0, (X,), lambda x: lambda g: -2 * g / (x * x * x)),
    Row("x**4", lambda x: x**4, (X,), lambda x: lambda g: 4 * g * (x * x * x)),
    Row("x**1.7", lambda x: x**1.7, (X,), lambda x: lambda g: g * (1.7 * x**0.7)),
    Row("power", np.power, (X, Y), hand.power),
    Row("exp", np.exp, (X,), hand.exp),
    Row("expm1", np.expm1, (X,), lambda x: lambda g: g * np.exp(x)),
    Row("log", np.log, (X,), lambda x: lambda g: g / x),
    Row("log1p", np.log1p, (X,), lambda x: lambda g: g / (1 + x)),
    Row("sqrt", np.sqrt, (X,), hand.sqrt),
    Row("sin", np.sin, (X,), lambda x: lambda g: g * np.cos(x)),
    Row("arctan", np.arctan, (X,), lambda x: lambda g: g / (1 + x * x)),
    Row("arcsinh", np.arcsinh, (X,), lambda x: lambda g: g / np.sqrt(1 + x * x)),
    Row("arctan2", np.arctan2, (X, Y), hand.arctan2),
    Row("tanh", np.tanh, (X,), hand.tanh),
    Row("maximum", np.maximum, (X, Y), hand.maximum),
    Row("relu", lambda x: np.maximum(x - 0.7, 0.0), (X,), lambda x: lambda g: g * (x > 0.7)),
    Row("abs", np.abs, (X,), lambda x: lambda g: g * np.sign(x)),
    Row("where", lambda x, y: np.where(MASK, x, y), (X, Y),
        lambda x, y: lambda g: (np.where(MASK, g, 0.0), np.where(MASK, 0.0, g))),
    Row("clip", lambda x: np.clip(x, 0.4, 0.9), (X,),
        lambda x: lambda g: g * ((x > 0.4) & (x < 0.9))),
    Row("hypot", np.hypot, (X, Y), hand.hypot),
    Row("logaddexp", np.logaddexp, (X, Y), hand.logaddexp),
    Row("row + column", lambda a, b: a[:, None] + b, (X[:500], Y[:500]),
        lambda a, b: lambda g: (g.sum(axis=1), g.sum(axis=0))),
    Row("gammaln", scipy.special.gammaln, (X,), lambda x: lambda g: g * scipy.special.psi(x)),
    Row("erf", scipy.special.erf, (X,),
        lambda x: lambda g: g * (2 / np.sqrt(np.pi) * np.exp(-x * x))),
    Row("expit", scipy.special.expit, (X,), hand.expit),
    Row("xlogy", scipy.special.xlogy, (X, Y), hand.xlogy),
    Row("jv", lambda x: scipy.special.jv(1.5, x), (X[:20_000],), lambda x: lambda g:
        g * 0.5 * (scipy.special.jv(0.5, x) - scipy.special.jv(2.5, x))),
    Row("j0", scipy.special.j0, (X,), lambda x: lambda g: -g * scipy.special.j1(x)),
    Row("ndtr", scipy.special.ndtr, (X,),
        lambda x: lambda g: g * (np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi))),
]  # fmt: skip

ALONG_AN_AXIS = [
    Row("sum", lambda x: np.sum(x, axis=1), (A,),
        lambda x: lambda g: np.broadcast_to(g[:, None], x.shape).copy()),
    Row("sum of all", np.sum, (A,), lambda x: lambda g: np.full(x.shape, g)),
    Row("mean", lambda x: np.mean(x, axis=0), (A,),
        lambda x: lambda g: np.broadcast_to(g / len(x), x.shape).copy()),
    Row("var", lambda x: np.var(x, axis=1), (A,), hand.var),
    Row("std", lambda x: np.std(x, axis=1), (A,), hand.std),
    Row("max", lambda x: np.max(x, axis=1), (A,), hand.max_of),
    Row("prod", lambda x: np.prod(x, axis=1), (A,), hand.prod),
    Row("cumsum", lambda x: np.cumsum(x, axis=1), (A,),
        lambda x: lambda g: np.cumsum(g[:, ::-1], axis=1)[:, ::-1]),
    Row("cumprod", lambda x: np.cumprod(x, axis=1), (A[:, :60],), hand.cumprod),
    Row("diff", lambda x: np.diff(x, axis=1), (A,), hand.diff),
    Row("sort", lambda x: np.sort(x, axis=1), (A,), hand.sort),
    Row("median", lambda x: np.median(x, axis=1), (A,), hand.median),
    Row("norm", lambda x: np.linalg.norm(x, axis=1), (A,), hand.norm),
    Row("norm of all", np.linalg.norm, (A,),
        lambda x: lambda g: x * (g / np.linalg.norm(x))),
    Row("logsumexp", lambda x: scipy.special.logsumexp(x, axis=1), (A,), hand.logsumexp),
    Row("softmax", lambda x: scipy.special.softmax(x, axis=1), (A,), hand.softmax),
    Row("log_softmax", lambda x: scipy.special.log_softmax(x, axis=1), (A,), hand.log_softmax),
    Row("softmax in NumPy", softmax, (A,), hand.softmax_in_steps),
]  # fmt: skip

MOVING = [
    Row("x[10:-10]", lambda x: x[10:-10], (X,), hand.getitem),
    Row("x[index]", lambda x: x[INDEX], (X,), hand.gather(INDEX)),
    Row("x[rows]", lambda x: x[ROWS], (A,), hand.rows(ROWS)),
    Row("x[mask]", lambda x: x[MASK], (X,), hand.filtered(MASK)),
    Row("take", lambda x: np.take(x, ROWS, axis=0), (A,), hand.rows(ROWS)),
    Row("take_along_axis", lambda x: np.take_along_axis(x, ORDER, 1), (A,), hand.along(ORDER)),
    Row("transpose", lambda x: np.ascontiguousarray(x.T), (A,), lambda x: lambda g: g.T.copy()),
    Row("concatenate", lambda a, b: np.concatenate([a, b]), (X, Y),
        lambda a, b: lambda g: (g[: len(a)].copy(), g[len(a) :].copy())),
    Row("stack", lambda a, b: np.stack([a, b], 1), (X, Y),
        lambda a, b: lambda g: (g[:, 0].copy(), g[:, 1].copy())),
    Row("pad", lambda x: np.pad(x, 3), (A,), lambda x: lambda g: g[3:-3, 3:-3].copy()),
    Row("roll", lambda x: np.roll(x, 5), (X,), lambda x: lambda g: np.roll(g, -5)),
    Row("tile", lambda x: np.tile(x, 3), (X,),
        lambda x: lambda g: g.reshape(3, -1).sum(0)),
    Row("repeat", lambda x: np.repeat(x, 3), (X[:30_000],),
        lambda x: lambda g: g.reshape(-1, 3).sum(1)),
    Row("interp", lambda v: np.interp(X, POINTS, v), (Y[:1000],), hand.interp(X, POINTS)),
]  # fmt: skip

PRODUCTS = [
    Row("matmul", np.matmul, (A, B), lambda a, b: lambda g: (g @ b.T, a.T @ g)),
    Row("matrix @ vector", np.matmul, (A, X[:M]),
        lambda a, b: lambda g: (np.outer(g, b), a.T @ g)),
    Row("dot", np.dot, (X, Y), lambda a, b: lambda g: (g * b, g * a)),
    Row("einsum ij,jk", lambda a, b: np.einsum("ij,jk->ik", a, b), (A[:150], B[:, :150]),
        lambda a, b: lambda g: (g @ b.T, a.T @ g)),
    Row("einsum ij,ij->i", lambda a, b: np.einsum("ij,ij->i", a, b), (A, B),
        lambda a, b: lambda g: (g[:, None] * b, g[:, None] * a)),
    Row("outer", np.outer, (X[:500], Y[:500]), lambda a, b: lambda g: (g @ b, a @ g)),
    Row("tensordot", lambda a, b: np.tensordot(a, b, ([1], [1])), (A, B),
        lambda a, b: lambda g: (g @ b, g.T @ a)),
    Row("convolve", np.convolve, (X[:20_000], KERNEL),
        lambda x, k: lambda g: (np.correlate(g, k, "valid"), np.correlate(g, x, "valid"))),
    Row("fft", np.fft.fft, (X[: 2**16],),
        lambda x: lambda g: np.fft.ifft(g).real * len(x)),
    Row("rfft", np.fft.rfft, (X[: 2**16],), spectrum),
    Row("sparse @", lambda x: SPARSE @ x, (X[:20_000],), lambda x: lambda g: SPARSE.T @ g),
    Row("cdist", scipy.spatial.distance.cdist, (A[:, :5], B[:, :5]), hand.cdist),
]  # fmt: skip

LINEAR_ALGEBRA = [
    Row("solve", np.linalg.solve, (S, C), hand.solve),
    Row(
        "solve_triangular",
        lambda a, b: scipy.linalg.solve_triangular(a, b, lower=True),
        (L, C),
        hand.solve_triangular,
    ),
    Row("inv", np.linalg.inv, (S,), hand.inv),
    Row("pinv", np.linalg.pinv, (TALL,), hand.pinv),
    Row("lstsq", lambda a, b: np.linalg.lstsq(a, b)[0], (TALL, X[:K]), hand.lstsq),
    Row("det", np.linalg.det, (S / K,), hand.det),
    Row(
        "slogdet",
        lambda a: np.linalg.slogdet(a)[1],
        (S,),
        lambda a: lambda g: g * np.linalg.inv(a).T,
    ),
    Row("cholesky", np.linalg.cholesky, (S,), hand.cholesky),
    Row("eigh", lambda a: tuple(np.linalg.eigh(a)), (S,), hand.eigh),
    Row("eigvalsh", np.linalg.eigvalsh, (S,), hand.eigvalsh),
    Row("svd", lambda a: tuple(np.linalg.svd(a, full_matrices=False)), (TALL,), hand.svd),
    Row("qr", lambda a: tuple(np.linalg.qr(a)), (TALL,), hand.qr),
    Row("expm", scipy.linalg.expm, (S / 1000,), hand.expm),
    Row("solve 2000 x 4 x 4", np.linalg.solve, (SMALL, SMALL[:, :, :1]), hand.solve),
    Row("inv 2000 x 4 x 4", np.linalg.inv, (SMALL,), hand.inv),
]

TABLE = [*ELEMENTWISE, *ALONG_AN_AXIS, *MOVING, *PRODUCTS, *LINEAR_ALGEBRA]


# ---------------------------------------------------------------- measuring


def like(y):
    if isinstance(y, tuple):
        return tuple(like(part) for part in y)
    return np.random.default_rng(3).normal(size=np.shape(y)).astype(np.asarray(y).dtype)[()]


def keep_memory():
    """After one large array glibc no longer gives memory back between calls: what comes then costs
    arithmetic, and not page faults."""
    np.empty(4_000_000).fill(0.0)


def nothing(*xs):
    return xs[0].reshape(-1)[:1]


def measure(row: Row, rounds: int = 7) -> str:
    f, xs = row.f, row.operands
    y, pullback = cr.vjp(f, *xs)
    g, ts = like(y), like(xs)
    none, pull_nothing = cr.vjp(nothing, *xs)
    functions = [
        lambda: f(*xs),
        lambda: pullback(g),
        lambda: pull_nothing(none),
        lambda: cr.jvp(f, xs, ts),
        lambda: cr.jvp(nothing, xs, ts),
    ]
    if row.hand is not None:
        back = row.hand(*xs)
        _check(pullback(g), back(g), row.name)
        functions.append(lambda: back(g))
    plain, vjp, no_vjp, jvp, no_jvp, *hand = medians(*functions, rounds=rounds, seconds=0.02)
    vjp, jvp = max(vjp - no_vjp, 0.0), max(jvp - no_jvp, 0.0)
    sizes = ", ".join("x".join(map(str, np.shape(x))) or "1" for x in xs)
    line = f"{row.name:<20}{sizes:<22}{plain * 1e6:9.0f} us  vjp {vjp / plain:5.2f}x"
    line += f"  jvp {jvp / plain:5.2f}x"
    slow = vjp > COSTLY * plain
    if hand:
        line += f"  vjp / hand {vjp / hand[0]:5.2f}"
        slow = vjp > SLOW * hand[0] and vjp > SMALL_PART * plain
    return line + ("   <-- slow" if slow else "")


def _check(ours, hand, name):
    """The hand is right, up to rounding and to what one triangle means."""
    hand = hand if isinstance(hand, tuple) else (hand,)
    for a, b in zip(ours, hand, strict=True):
        if name in ("cholesky", "eigh", "eigvalsh"):
            a, b = a + a.T, b + b.T
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-8 * np.max(np.abs(b)), err_msg=name)


def main(names=()):
    print(versions(np, scipy, cr))
    keep_memory()
    for row in TABLE:
        if not names or row.name in names:
            print(measure(row), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
