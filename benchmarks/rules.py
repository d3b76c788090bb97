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

import numpy as np
import scipy
import scipy.linalg
import scipy.special
from timing import medians, versions

import chainrule as cr

SLOW, COSTLY = 1.3, 5.0  # marked: times the hand-written pullback, times the operation


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


def T(a):
    return np.swapaxes(a, -1, -2)


# ---------------------------------------------------------------- hand-written pullbacks


def hand_divide(a, b):
    y = a / b
    return lambda g: (g / b, -g * y / b)


def hand_hypot(a, b):
    y = np.hypot(a, b)
    return lambda g: (g * a / y, g * b / y)


def hand_expit(x):
    y = scipy.special.expit(x)
    return lambda g: g * (y * (1 - y))


def hand_tanh(x):
    y = np.tanh(x)
    return lambda g: g * (1 - y * y)


def hand_exp(x):
    y = np.exp(x)
    return lambda g: g * y


def hand_sqrt(x):
    y = np.sqrt(x)
    return lambda g: g * (0.5 / y)


def hand_power(x):
    return lambda g: g * (3.0 * x**2.0)


def hand_max(x):
    y = x.max(axis=1, keepdims=True)
    chosen = x == y
    ties = chosen.sum(axis=1, keepdims=True)
    return lambda g: np.where(chosen, g[:, None] / ties, 0.0)


def hand_sort(x):
    order = np.argsort(x, axis=1)

    def back(g):
        x_bar = np.empty_like(g)
        np.put_along_axis(x_bar, order, g, 1)
        return x_bar

    return back


def hand_softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    y = e / e.sum(axis=1, keepdims=True)
    return lambda g: y * (g - (g * y).sum(axis=1, keepdims=True))


def softmax(x):
    e = np.exp(x - np.max(x, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


def hand_std(x):
    d = x - x.mean(axis=1, keepdims=True)
    y = np.sqrt((d * d).mean(axis=1))
    return lambda g: (g / (y * x.shape[1]))[:, None] * d


def hand_prod(x):
    y = x.prod(axis=1)
    return lambda g: (g * y)[:, None] / x


def hand_solve(A, b):
    x = np.linalg.solve(A, b)

    def back(g):
        b_bar = np.linalg.solve(A.T, g)
        return -b_bar @ x.T, b_bar

    return back


def hand_inv(A):
    Y = np.linalg.inv(A)
    return lambda g: -T(Y) @ g @ T(Y)


def hand_det(A):
    y = np.linalg.det(A)
    return lambda g: g * y * np.linalg.inv(A).T


def hand_cholesky(A):
    L = np.linalg.cholesky(A)

    def back(g):
        P = np.tril(L.T @ g)
        P[np.diag_indices_from(P)] *= 0.5
        S = scipy.linalg.solve_triangular(L, P, lower=True, trans=1, check_finite=False)
        S = scipy.linalg.solve_triangular(L, S.T, lower=True, trans=1, check_finite=False).T
        return 0.5 * (S + S.T)

    return back


def hand_eigh(A):
    w, V = np.linalg.eigh(A)
    gap = w - w[:, None]
    np.fill_diagonal(gap, np.inf)

    def back(gs):
        return V @ (np.diag(gs[0]) + (V.T @ gs[1]) / gap) @ V.T

    return back


def hand_getitem(x):
    def back(g):
        x_bar = np.zeros_like(x)
        x_bar[10:-10] = g
        return x_bar

    return back


def hand_gather(x):
    def back(g):
        return np.bincount(INDEX, g, len(x))

    return back


def hand_norm(x):
    y = np.linalg.norm(x, axis=1)
    return lambda g: (g / y)[:, None] * x


def hand_logsumexp(x):
    y = scipy.special.logsumexp(x, axis=1)
    return lambda g: g[:, None] * np.exp(x - y[:, None])


def hand_take(x):
    def back(g):
        x_bar = np.zeros_like(x)
        np.put_along_axis(x_bar, ORDER, g, 1)
        return x_bar

    return back


def hand_maximum(x, y):
    def back(g):
        first = x > y
        return g * first, g * ~first

    return back


# ---------------------------------------------------------------- the table

N, M, K = 100_000, 300, 150
X, Y = arrays(N, N)
A, B = arrays((M, M), (M, M), seed=1)
S, C = spd(K), arrays((K, 20))[0]
SMALL = spd(4, (2000,))
INDEX = np.random.default_rng(2).integers(0, N, N)
ORDER = np.argsort(A, axis=1)
MASK = X > 0.7
KERNEL = arrays(60)[0]

TABLE = [
    Row("add", np.add, (X, Y), lambda a, b: lambda g: (g.copy(), g.copy())),
    Row("multiply", np.multiply, (X, Y), lambda a, b: lambda g: (g * b, g * a)),
    Row("divide", np.divide, (X, Y), hand_divide),
    Row("x**3", lambda x: x**3.0, (X,), hand_power),
    Row("power", np.power, (X, Y)),
    Row("exp", np.exp, (X,), hand_exp),
    Row("log", np.log, (X,), lambda x: lambda g: g / x),
    Row("sqrt", np.sqrt, (X,), hand_sqrt),
    Row("sin", np.sin, (X,), lambda x: lambda g: g * np.cos(x)),
    Row("tanh", np.tanh, (X,), hand_tanh),
    Row("maximum", np.maximum, (X, Y), hand_maximum),
    Row("abs", np.abs, (X,), lambda x: lambda g: g * np.sign(x)),
    Row("where", lambda x, y: np.where(MASK, x, y), (X, Y),
        lambda x, y: lambda g: (np.where(MASK, g, 0.0), np.where(MASK, 0.0, g))),
    Row("clip", lambda x: np.clip(x, 0.4, 0.9), (X,),
        lambda x: lambda g: g * ((x > 0.4) & (x < 0.9))),
    Row("hypot", np.hypot, (X, Y), hand_hypot),
    Row("logaddexp", np.logaddexp, (X, Y)),
    Row("row + column", lambda a, b: a[:, None] + b, (X[:500], Y[:500]),
        lambda a, b: lambda g: (g.sum(axis=1), g.sum(axis=0))),
    Row("sum", lambda x: np.sum(x, axis=1), (A,),
        lambda x: lambda g: np.broadcast_to(g[:, None], x.shape).copy()),
    Row("mean", lambda x: np.mean(x, axis=0), (A,),
        lambda x: lambda g: np.broadcast_to(g / len(x), x.shape).copy()),
    Row("std", lambda x: np.std(x, axis=1), (A,), hand_std),
    Row("max", lambda x: np.max(x, axis=1), (A,), hand_max),
    Row("prod", lambda x: np.prod(x, axis=1), (A,), hand_prod),
    Row("cumsum", lambda x: np.cumsum(x, axis=1), (A,),
        lambda x: lambda g: np.cumsum(g[:, ::-1], axis=1)[:, ::-1]),
    Row("cumprod", lambda x: np.cumprod(x, axis=1), (A,)),
    Row("sort", lambda x: np.sort(x, axis=1), (A,), hand_sort),
    Row("median", lambda x: np.median(x, axis=1), (A,)),
    Row("softmax", softmax, (A,), hand_softmax),
    Row("logsumexp", lambda x: scipy.special.logsumexp(x, axis=1), (A,), hand_logsumexp),
    Row("norm", lambda x: np.linalg.norm(x, axis=1), (A,), hand_norm),
    Row("matmul", np.matmul, (A, B), lambda a, b: lambda g: (g @ b.T, a.T @ g)),
    Row("einsum ij,jk", lambda a, b: np.einsum("ij,jk->ik", a, b), (A[:150], B[:, :150]),
        lambda a, b: lambda g: (g @ b.T, a.T @ g)),
    Row("outer", np.outer, (X[:500], Y[:500]), lambda a, b: lambda g: (g @ b, a @ g)),
    Row("convolve", np.convolve, (X[:20_000], KERNEL),
        lambda x, k: lambda g: (np.correlate(g, k, "valid"), np.correlate(g, x, "valid"))),
    Row("x[10:-10]", lambda x: x[10:-10], (X,), hand_getitem),
    Row("x[index]", lambda x: x[INDEX], (X,), hand_gather),
    Row("take_along_axis", lambda x: np.take_along_axis(x, ORDER, 1), (A,), hand_take),
    Row("transpose", lambda x: np.ascontiguousarray(x.T), (A,), lambda x: lambda g: g.T.copy()),
    Row("concatenate", lambda a, b: np.concatenate([a, b]), (X, Y),
        lambda a, b: lambda g: (g[: len(a)].copy(), g[len(a) :].copy())),
    Row("pad", lambda x: np.pad(x, 3), (A,), lambda x: lambda g: g[3:-3, 3:-3].copy()),
    Row("diff", lambda x: np.diff(x, axis=1), (A,)),
    Row("rfft", np.fft.rfft, (X[: 2**16],)),
    Row("solve", np.linalg.solve, (S, C), hand_solve),
    Row("inv", np.linalg.inv, (S,), hand_inv),
    Row("det", np.linalg.det, (S / K,), hand_det),
    Row("cholesky", np.linalg.cholesky, (S,), hand_cholesky),
    Row("eigh", lambda a: tuple(np.linalg.eigh(a)), (S,), hand_eigh),
    Row("svd", lambda a: tuple(np.linalg.svd(a, full_matrices=False)), (A[:150, :100],)),
    Row("qr", lambda a: tuple(np.linalg.qr(a)), (A[:150, :100],)),
    Row("solve 2000 x 4 x 4", np.linalg.solve, (SMALL, SMALL[:, :, :1])),
    Row("inv 2000 x 4 x 4", np.linalg.inv, (SMALL,), hand_inv),
    Row("gammaln", scipy.special.gammaln, (X,), lambda x: lambda g: g * scipy.special.psi(x)),
    Row("erf", scipy.special.erf, (X,),
        lambda x: lambda g: g * (2 / np.sqrt(np.pi) * np.exp(-x * x))),
    Row("expit", scipy.special.expit, (X,), hand_expit),
]  # fmt: skip


# ---------------------------------------------------------------- measuring


def like(y):
    if isinstance(y, tuple):
        return tuple(like(part) for part in y)
    return np.random.default_rng(3).normal(size=np.shape(y)).astype(np.asarray(y).dtype)[()]


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
        slow = vjp > SLOW * hand[0]
    return line + ("   <-- slow" if slow else "")


def _check(ours, hand, name):
    """The hand is right, up to rounding and to what one triangle means."""
    hand = hand if isinstance(hand, tuple) else (hand,)
    for a, b in zip(ours, hand, strict=True):
        if name in ("cholesky", "eigh"):
            a, b = a + a.T, b + b.T
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-8 * np.max(np.abs(b)), err_msg=name)


def main(names=()):
    print(versions(np, scipy, cr))
    for row in TABLE:
        if not names or row.name in names:
            print(measure(row), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
