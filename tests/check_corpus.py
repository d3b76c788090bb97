"""Functions with their gradients by hand: ordinary models, and what is right but hard to judge.

``PAIRS``: (name, f, gradient, point), the gradient exact to rounding unless the name says float32.
``mutants(gradient)``: the mistakes people make, as (name, wrong gradient).
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np


class Pair(NamedTuple):
    name: str
    f: Callable
    gradient: Callable
    x: Any


rng = np.random.default_rng(12345)
X = rng.standard_normal((40, 5))
T = (rng.random(40) < 0.5) * 2.0 - 1.0
Y3 = rng.integers(0, 3, 40)
S = rng.standard_normal((6, 6))
SPD = S @ S.T + 6 * np.eye(6)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


# --- ordinary


def logistic(w):
    return np.mean(np.logaddexp(0, -T * (X @ w))) + 0.5e-5 * w @ w


def logistic_gradient(w):
    return -X.T @ (T * sigmoid(-T * (X @ w))) / len(T) + 1e-5 * w


def softmax_loss(p):
    z = X @ p["W"] + p["b"]
    z = z - z.max(axis=1, keepdims=True)
    return -np.mean(z[np.arange(40), Y3] - np.log(np.exp(z).sum(axis=1)))


def softmax_gradient(p):
    z = X @ p["W"] + p["b"]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    d = e / e.sum(axis=1, keepdims=True)
    d[np.arange(40), Y3] -= 1
    return {"W": X.T @ d / 40, "b": d.sum(axis=0) / 40}


def network(p, activation=np.tanh):
    W, b, v = p
    return 0.5 * np.mean((activation(X @ W + b) @ v - T) ** 2)


def network_gradient(p):
    W, b, v = p
    h = np.tanh(X @ W + b)
    r = (h @ v - T) / 40
    d = np.outer(r, v) * (1 - h * h)
    return X.T @ d, d.sum(axis=0), h.T @ r


def relu_network(p):
    return network(p, lambda z: np.maximum(z, 0))


def relu_gradient(p):
    W, b, v = p
    z = X @ W + b
    h = np.maximum(z, 0)
    r = (h @ v - T) / 40
    d = np.outer(r, v) * (z > 0)
    return X.T @ d, d.sum(axis=0), h.T @ r


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rosenbrock_gradient(x):
    g = np.zeros_like(x)
    r = x[1:] - x[:-1] ** 2
    g[:-1] = -400 * x[:-1] * r - 2 * (1 - x[:-1])
    g[1:] += 200 * r
    return g


def gaussian_evidence(A):
    K = A @ A.T + 3 * np.eye(6)
    t = T[:6]
    return 0.5 * t @ np.linalg.solve(K, t) + 0.5 * np.linalg.slogdet(K)[1]


def gaussian_gradient(A):
    K = A @ A.T + 3 * np.eye(6)
    a = np.linalg.solve(K, T[:6])
    return (np.linalg.inv(K) - np.outer(a, a)) @ A


def layer_norm(x):
    z = (x - x.mean()) / np.sqrt(x.var() + 1e-5)
    return z @ S[0]


def layer_norm_gradient(x):
    n, s = len(x), np.sqrt(x.var() + 1e-5)
    z = (x - x.mean()) / s
    return (S[0] - S[0].mean() - z * (z @ S[0]) / n) / s


def factorisation(p):
    U, V = p
    return 0.5 * np.sum((U @ V.T - S[:4, :5]) ** 2) + 1e-5 * np.sum(U * U)


def factorisation_gradient(p):
    U, V = p
    R = U @ V.T - S[:4, :5]
    return R @ V + 2e-5 * U, R.T @ U


def ode(theta):
    y, h = np.array([1.0, 0.0]), 0.1
    for _ in range(20):
        y = y + h * np.array([theta[0] * y[1], -theta[1] * y[0]])
    return y @ y


def ode_gradient(theta):
    h, ys = 0.1, [np.array([1.0, 0.0])]
    for _ in range(20):
        y = ys[-1]
        ys.append(y + h * np.array([theta[0] * y[1], -theta[1] * y[0]]))
    a, g = 2 * ys[-1], np.zeros(2)
    for y in reversed(ys[:-1]):
        g += h * np.array([a[0] * y[1], -a[1] * y[0]])
        a = a + h * np.array([-theta[1] * a[1], theta[0] * a[0]])
    return g


W0 = (0.5 * rng.standard_normal((5, 3)), 0.1 * rng.standard_normal(3), rng.standard_normal(3))

ORDINARY = [
    Pair("logistic", logistic, logistic_gradient, rng.standard_normal(5)),
    Pair(
        "softmax",
        softmax_loss,
        softmax_gradient,
        {"W": rng.standard_normal((5, 3)), "b": np.array([0.1, -0.2, 0.0])},
    ),
    Pair("tanh network", network, network_gradient, W0),
    Pair("relu network", relu_network, relu_gradient, W0),
    Pair("rosenbrock", rosenbrock, rosenbrock_gradient, rng.standard_normal(12)),
    Pair("gaussian process", gaussian_evidence, gaussian_gradient, rng.standard_normal((6, 6))),
    Pair("layer norm", layer_norm, layer_norm_gradient, rng.standard_normal(6)),
    Pair(
        "factorisation",
        factorisation,
        factorisation_gradient,
        (rng.standard_normal((4, 2)), rng.standard_normal((5, 2))),
    ),
    Pair("ode", ode, ode_gradient, np.array([0.7, 1.3])),
    Pair(
        "quadratic",
        lambda x: 0.5 * x @ SPD @ x - T[:6] @ x,
        lambda x: SPD @ x - T[:6],
        rng.standard_normal(6),
    ),
    Pair("scalar", lambda x: np.sin(x) * x, lambda x: np.cos(x) * x + np.sin(x), 0.7),
    Pair(
        "complex",
        lambda z: np.sum(np.abs(z @ z.T) ** 2),
        lambda z: 4 * (z @ z.T) @ np.conj(z),
        rng.standard_normal((2, 2)) + 1j * rng.standard_normal((2, 2)),
    ),
]

# --- right, but hard


def float32(f):
    return lambda x: float(f(np.asarray(x, np.float32)))


A9 = rng.standard_normal(9)
P9 = np.abs(rng.standard_normal(9)) + 0.5
KINK = P9 - 1e-7 * np.sign(A9)
NARROW = np.array([1.0, -1.0, 1.0])


def solver(x):
    y = 0.5
    for _ in range(100):
        step = (y - x[0] * np.cos(y * x[1])) / (1 + x[0] * x[1] * np.sin(y * x[1]))
        y -= step
        if abs(step) < 1e-12:
            break
    return y


def solver_gradient(x):
    y = solver(x)
    d = 1 + x[0] * x[1] * np.sin(y * x[1])
    return np.array([np.cos(y * x[1]), -x[0] * y * np.sin(y * x[1])]) / d


HARD = [
    Pair(
        "kink 1e-7 away",
        lambda x: np.sum(A9 * np.abs(x - KINK)),
        lambda x: A9 * np.sign(x - KINK),
        P9,
    ),
    Pair(
        "kink 3e-9 away",
        lambda x: np.abs(x[0] - 1) + np.sin(x[1]),
        lambda x: np.array([np.sign(x[0] - 1), np.cos(x[1])]),
        np.array([1 + 3e-9, 0.7]),
    ),
    Pair(
        "at a kink",
        lambda x: np.sum(np.abs(x)) + x @ x,
        lambda x: np.sign(x) + 2 * x,
        np.array([0.0, 1.3, 0.0, -0.4]),
    ),
    Pair("max, near tie", np.max, lambda x: 1.0 * (x == x.max()), np.array([1.0, 1.0 + 1e-7, 0])),
    Pair(
        "scale 1e-12",
        lambda x: np.sum(np.sin(x / 1e-12)),
        lambda x: np.cos(x / 1e-12) / 1e-12,
        P9 * 1e-12,
    ),
    Pair(
        "scale 1e12",
        lambda x: np.sum(np.sin(x / 1e12)),
        lambda x: np.cos(x / 1e12) / 1e12,
        P9 * 1e12,
    ),
    Pair(
        "scales mixed",
        lambda x: np.sum(np.log1p((x * 10.0 ** np.arange(-12, 13, 3)) ** 2)),
        lambda x: (
            2 * x * 10.0 ** np.arange(-24, 25, 6) / (1 + (x * 10.0 ** np.arange(-12, 13, 3)) ** 2)
        ),
        P9 * 10.0 ** np.arange(12, -13, -3),
    ),
    Pair("offset 1e8", lambda x: 1e8 + np.sum(np.sin(x)), np.cos, P9),
    Pair(
        "argument offset 1e8",
        lambda x: np.sum(np.sin(x - 1e8)),
        lambda x: np.cos(x - 1e8),
        1e8 + P9,
    ),
    Pair("tiny values", lambda x: 1e-200 * np.sum(x**3), lambda x: 3e-200 * x**2, P9),
    Pair("huge values", lambda x: 1e200 * np.sum(x**3), lambda x: 3e200 * x**2, P9),
    Pair("overflow near", lambda x: np.sum(np.exp(x)), np.exp, np.array([709.0, 700.0])),
    Pair("constant", lambda x: 7.0, np.zeros_like, P9),
    Pair("stationary", lambda x: np.sum((x - P9) ** 2), lambda x: 2 * (x - P9), P9.copy()),
    Pair(
        "unused coordinates",
        lambda x: np.sum(x[::2] ** 3),
        lambda x: 3 * x**2 * (np.arange(9) % 2 == 0),
        P9,
    ),
    Pair(
        "oscillation 1e5",
        lambda x: np.sum(np.sin(1e5 * x)),
        lambda x: 1e5 * np.cos(1e5 * x),
        P9[:3],
    ),
    Pair("edge sqrt", lambda x: np.sum(np.sqrt(x)), lambda x: 0.5 / np.sqrt(x), P9 * 1e-12),
    Pair(
        "edge arcsin",
        lambda x: np.sum(np.arcsin(x)),
        lambda x: 1 / np.sqrt((1 - x) * (1 + x)),
        np.array([0.3, 1 - 1e-9]),
    ),
    Pair("edge x^2.5 at 0", lambda x: np.sum(x**2.5 + x), lambda x: 2.5 * x**1.5 + 1, np.zeros(2)),
    Pair("pole", lambda x: np.sum(1 / (x - 1)), lambda x: -1 / (x - 1) ** 2, 1 + 1e-7 * P9),
    Pair(
        "float32 inside",
        float32(lambda x: np.sum(np.sin(x) * x)),
        lambda x: np.cos(x) * x + np.sin(x),
        P9,
    ),
    Pair(
        "float32 all",
        lambda x: np.sum(np.sin(x) * x),
        lambda x: np.cos(x) * x + np.sin(x),
        P9.astype(np.float32),
    ),
    Pair(
        "float32 gradient",
        lambda x: np.sum(np.sin(x) * x),
        lambda x: (np.cos(x) * x + np.sin(x)).astype(np.float32),
        P9,
    ),
    Pair("rounded value", lambda x: np.round(np.sum(np.sin(x)), 7), np.cos, P9),
    Pair("solver", solver, solver_gradient, np.array([0.8, 1.1])),
    Pair(
        "narrow",
        lambda x: np.exp(-np.sum((x - NARROW) ** 2) / 1e-8),
        lambda x: -2e8 * (x - NARROW) * np.exp(-np.sum((x - NARROW) ** 2) / 1e-8),
        NARROW + 1e-5 * np.array([3.0, -4, 2]),
    ),
    Pair("zero point", lambda x: np.sum(np.expm1(x) * P9), lambda x: np.exp(x) * P9, np.zeros(9)),
    Pair("empty", np.sum, np.ones_like, np.zeros((0, 3))),
    Pair("0-d", lambda x: x**3, lambda x: 3 * x**2, np.array(1.7)),
    Pair(
        "vanishing layer",
        lambda p: np.tanh(1e-6 * p["first"] @ P9) * p["last"].sum(),
        lambda p: {
            "first": 1e-6 * (1 - np.tanh(1e-6 * p["first"] @ P9) ** 2) * p["last"].sum() * P9,
            "last": np.full(4, np.tanh(1e-6 * p["first"] @ P9)),
        },
        {"first": A9, "last": np.array([1.0, 2, -4, 3])},
    ),
    Pair(
        "regulariser 1e-6",
        lambda x: np.sum(np.sin(x)) + 5e-7 * x @ x,
        lambda x: np.cos(x) + 1e-6 * x,
        P9,
    ),
]
A3000 = rng.standard_normal(3000)
MANY = [
    Pair(
        "3000 numbers",
        lambda x: np.sum(A3000 * np.sin(x)),
        lambda x: A3000 * np.cos(x),
        rng.standard_normal(3000),
    ),
    Pair(
        "3000, relu",
        lambda x: np.sum(A3000 * np.maximum(x, 0) ** 2) + np.sum(np.maximum(x[:800] - 1e-3, 0)),
        lambda x: 2 * A3000 * np.maximum(x, 0) + (np.arange(3000) < 800) * (x > 1e-3),
        rng.standard_normal(3000),
    ),
    Pair(
        "3000, two arrays",
        lambda p: np.sum(np.tanh(p[0])) * np.mean(p[1] ** 2),
        lambda p: (
            (1 - np.tanh(p[0]) ** 2) * np.mean(p[1] ** 2),
            np.sum(np.tanh(p[0])) * 2 * p[1] / p[1].size,
        ),
        (rng.standard_normal(2900), rng.standard_normal((10, 10)) + 2),
    ),
]
PAIRS = ORDINARY + HARD + MANY


def mutants(g: Any) -> Iterator[tuple[str, Any]]:
    """Wrong gradients from a right one (an array, a tuple or a dict of arrays)."""
    leaves = list(g.values()) if isinstance(g, dict) else list(g) if isinstance(g, tuple) else [g]

    def rebuilt(k: int, leaf: Any) -> Any:
        new = [*leaves[:k], leaf, *leaves[k + 1 :]]
        if isinstance(g, dict):
            return dict(zip(g, new))
        return tuple(new) if isinstance(g, tuple) else new[0]

    for k, leaf in enumerate(map(np.asarray, leaves)):
        if not leaf.size or not np.any(leaf):
            continue
        yield f"sign {k}", rebuilt(k, -leaf)
        yield f"twice {k}", rebuilt(k, 2 * leaf)
        yield f"zero {k}", rebuilt(k, np.zeros_like(leaf))
        yield f"1e-3 too large {k}", rebuilt(k, leaf * leaf.dtype.type(1.001))
        if leaf.size > 2:
            one = leaf.copy().reshape(-1)
            largest = int(np.argmax(np.abs(one)))
            one[largest] *= 1.1
            yield f"one coordinate {k}", rebuilt(k, one.reshape(leaf.shape))
            last = leaf.copy().reshape(-1)
            last[np.flatnonzero(last)[-1]] = 0
            yield f"last one zero {k}", rebuilt(k, last.reshape(leaf.shape))
            flipped = leaf.reshape(-1)[::-1].reshape(leaf.shape)
            if np.max(np.abs(flipped - leaf)) > 1e-2 * np.max(np.abs(leaf)):
                yield f"reversed {k}", rebuilt(k, flipped.copy())
        square = leaf.ndim == 2 and leaf.shape[0] == leaf.shape[1]
        if square and np.max(np.abs(leaf - leaf.T)) > 1e-2 * np.max(np.abs(leaf)):
            yield f"transposed {k}", rebuilt(k, leaf.T.copy())
