"""Normalisations: batch, layer, group, root mean square, weight, cosine."""

import numpy as np

from tests.check.corpus.base import pair

rng = np.random.default_rng(3)
EPS = 1e-5


def normal(*shape, scale=1.0):
    return scale * rng.standard_normal(shape)


# --- batch normalisation after a linear layer, tanh; statistics over the batch

X = normal(9, 4)
T = normal(9, 3)


def batch_norm(W, gamma, beta):
    a = X @ W
    z = (a - a.mean(axis=0)) / np.sqrt(a.var(axis=0) + EPS)
    return 0.5 * np.mean((np.tanh(gamma * z + beta) - T) ** 2)


def batch_norm_exact(W, gamma, beta):  # a.var() is of the absolute value for complex numbers
    a = X @ W
    c = a - a.mean(axis=0)
    z = c / np.sqrt((c * c).mean(axis=0) + EPS)
    return 0.5 * np.mean((np.tanh(gamma * z + beta) - T) ** 2)


def batch_norm_gradient(W, gamma, beta):
    a = X @ W
    s = np.sqrt(a.var(axis=0) + EPS)
    z = (a - a.mean(axis=0)) / s
    y = np.tanh(gamma * z + beta)
    du = (y - T) / T.size * (1 - y**2)
    dgamma = (du * z).sum(axis=0)
    dbeta = du.sum(axis=0)
    dz = du * gamma
    da = (dz - dz.mean(axis=0) - z * (dz * z).mean(axis=0)) / s
    return X.T @ da, dgamma, dbeta


BATCH = pair(
    batch_norm,
    batch_norm_gradient,
    normal(4, 3, scale=0.5),
    1 + normal(3, scale=0.2),
    normal(3, scale=0.2),
    exact=batch_norm_exact,
    bugs={
        "statistics detached": (" - dz.mean(axis=0) - z * (dz * z).mean(axis=0)", ""),
        "mean detached": (" - dz.mean(axis=0)", ""),
        "variance detached": (" - z * (dz * z).mean(axis=0)", ""),
        "sum for mean": ("(dz * z).mean(axis=0)", "(dz * z).sum(axis=0)"),
        "wrong axis": ("dz.mean(axis=0)", "dz.mean(axis=1, keepdims=True)"),
        "gamma forgotten": ("dz = du * gamma", "dz = du"),
        "gamma twice": ("(dz - dz.mean", "gamma * (dz - dz.mean"),
        "deviation not divided": (") / s\n    return", ")\n    return"),
        "eps outside the root": ("np.sqrt(a.var(axis=0) + EPS)", "np.sqrt(a.var(axis=0)) + 1e-3"),
        "variance of a sample": ("a.var(axis=0)", "a.var(axis=0, ddof=1)"),
        "gamma: before normalisation": ("(du * z).sum", "(du * a).sum"),
        "beta and gamma swapped": ("dgamma, dbeta\n", "dbeta, dgamma\n"),
        "mean over features of the square": ("/ T.size", "/ len(T)"),
    },
    tiny={"eps forgotten": ("a.var(axis=0) + EPS", "a.var(axis=0)")},
)


# --- layer normalisation of each row, then a product

ROWS = normal(6, 6)
WEIGHTS = normal(6, 6)


def layer_norm(x, gamma, beta):
    c = x - x.mean(axis=1, keepdims=True)
    z = c / np.sqrt((c * c).mean(axis=1, keepdims=True) + EPS)
    return np.sum(WEIGHTS * np.tanh(z * gamma + beta))


def layer_norm_gradient(x, gamma, beta):
    c = x - x.mean(axis=1, keepdims=True)
    s = np.sqrt((c * c).mean(axis=1, keepdims=True) + EPS)
    z = c / s
    dy = WEIGHTS * (1 - np.tanh(z * gamma + beta) ** 2)
    dz = dy * gamma
    dx = (dz - dz.mean(axis=1, keepdims=True) - z * (dz * z).mean(axis=1, keepdims=True)) / s
    return dx, (dy * z).sum(axis=0), dy.sum(axis=0)


LAYER = pair(
    layer_norm,
    layer_norm_gradient,
    ROWS,
    1 + normal(6, scale=0.2),
    normal(6, scale=0.2),
    bugs={
        "gamma after the statistics": (
            "(dz - dz.mean(axis=1, keepdims=True) - z * (dz * z)",
            "gamma * (dy - dy.mean(axis=1, keepdims=True) - z * (dy * z)",
        ),
        "mean over the batch": ("dz.mean(axis=1, keepdims=True) -", "dz.mean(axis=0) -"),
        "last term with the wrong sign": ("- z * (dz * z)", "+ z * (dz * z)"),
        "last term without z": ("- z * (dz * z)", "- (dz * z)"),
        "variance for deviation": ("keepdims=True)) / s\n", "keepdims=True)) / s**2\n"),
        "beta without the slope": ("dy.sum(axis=0)", "WEIGHTS.sum(axis=0)"),
        "gamma: sum over the wrong axis": ("(dy * z).sum(axis=0)", "(dy * z).sum(axis=1)"),
        "one over n - 1": (
            "(dz * z).mean(axis=1, keepdims=True)",
            "(dz * z).sum(axis=1, keepdims=True) / 5",
        ),
    },
    tiny={
        "eps outside the root": (
            "s = np.sqrt((c * c).mean(axis=1, keepdims=True) + EPS)",
            "s = np.sqrt((c * c).mean(axis=1, keepdims=True)) + EPS",
        )
    },
)


# --- group normalisation of (batch, channels, positions) and a squared error

MAPS = normal(2, 4, 5)
GOAL = normal(2, 4, 5)


def group_norm(x, gamma):
    g = x.reshape(2, 2, 10)
    c = g - g.mean(axis=2, keepdims=True)
    z = (c / np.sqrt((c * c).mean(axis=2, keepdims=True) + EPS)).reshape(2, 4, 5)
    return 0.5 * np.sum((z * gamma[:, None] - GOAL) ** 2)


def group_norm_gradient(x, gamma):
    g = x.reshape(2, 2, 10)
    c = g - g.mean(axis=2, keepdims=True)
    s = np.sqrt((c * c).mean(axis=2, keepdims=True) + EPS)
    z = (c / s).reshape(2, 4, 5)
    dy = z * gamma[:, None] - GOAL
    dgamma = (dy * z).sum(axis=(0, 2))
    dz = (dy * gamma[:, None]).reshape(2, 2, 10)
    z = z.reshape(2, 2, 10)
    dg = (dz - dz.mean(axis=2, keepdims=True) - z * (dz * z).mean(axis=2, keepdims=True)) / s
    return dg.reshape(2, 4, 5), dgamma


GROUP = pair(
    group_norm,
    group_norm_gradient,
    MAPS,
    1 + normal(4, scale=0.3),
    bugs={
        "groups of neighbouring positions": (
            "dz = (dy * gamma[:, None]).reshape(2, 2, 10)",
            "dz = (dy * gamma[:, None]).swapaxes(1, 2).reshape(2, 2, 10)",
        ),
        "gamma: batch not summed": ("(dy * z).sum(axis=(0, 2))", "(dy * z).sum(axis=2)[0]"),
        "gamma: positions averaged": (
            "(dy * z).sum(axis=(0, 2))",
            "(dy * z).sum(axis=0).mean(axis=1)",
        ),
        "gamma forgotten": ("dz = (dy * gamma[:, None])", "dz = (dy)"),
        "count of a channel, not of a group": (
            "(dz * z).mean(axis=2, keepdims=True)",
            "(dz * z).sum(axis=2, keepdims=True) / 5",
        ),
        "statistics detached": (
            "(dz - dz.mean(axis=2, keepdims=True) - z * (dz * z).mean(axis=2, keepdims=True))",
            "dz",
        ),
    },
)


# --- root mean square normalisation, weight normalisation and cosine similarity

QUERY = normal(4)


def rms_norm(x, gain):
    return np.sum(np.sin(gain * (x / np.sqrt(np.mean(x * x) + EPS))))


def rms_norm_gradient(x, gain):
    r = np.sqrt(np.mean(x * x) + EPS)
    z = x / r
    dy = np.cos(gain * z)
    dz = dy * gain
    return (dz - z * np.mean(dz * z)) / r, dy * z


RMS = pair(
    rms_norm,
    rms_norm_gradient,
    normal(7),
    1 + normal(7, scale=0.3),
    bugs={
        "norm detached": ("(dz - z * np.mean(dz * z)) / r", "dz / r"),
        "sum for mean": ("np.mean(dz * z)", "np.sum(dz * z)"),
        "centred like layer norm": ("(dz - z", "(dz - dz.mean() - z"),
        "x for z": ("- z * np.mean(dz * z)", "- x * np.mean(dz * x)"),
        "gain forgotten": ("dz = dy * gain", "dz = dy"),
    },
    tiny={"eps forgotten in one place": ("z = x / r", "z = x / np.sqrt(np.mean(x * x))")},
)


def weight_norm(V, g):
    W = g * V / np.sqrt(np.sum(V * V, axis=0))
    return 0.5 * np.mean((X @ W - T) ** 2)


def weight_norm_gradient(V, g):
    n = np.sqrt(np.sum(V * V, axis=0))
    U = V / n
    dW = X.T @ (X @ (g * U) - T) / T.size
    dg = np.sum(dW * U, axis=0)
    dV = g / n * (dW - U * dg)
    return dV, dg


WEIGHT = pair(
    weight_norm,
    weight_norm_gradient,
    normal(4, 3),
    1 + normal(3, scale=0.3),
    bugs={
        "projection forgotten": ("(dW - U * dg)", "dW"),
        "projection of V": ("(dW - U * dg)", "(dW - V * dg)"),
        "norm of the rows": ("g / n *", "g / np.sqrt(np.sum(V * V, axis=1))[:, None] *"),
        "norm squared": ("g / n *", "g / n**2 *"),
        "gain forgotten": ("g / n *", "1 / n *"),
        "length: not normalised": ("np.sum(dW * U, axis=0)", "np.sum(dW * V, axis=0)"),
    },
)


def cosine_similarity(x, y):
    c = x @ y / np.sqrt((x @ x) * (y @ y))
    return (1 - c) ** 2 + c * (x @ QUERY)


def cosine_similarity_gradient(x, y):
    nx, ny = np.sqrt(x @ x), np.sqrt(y @ y)
    c = x @ y / (nx * ny)
    dc = -2 * (1 - c) + x @ QUERY
    dx = dc * (y / (nx * ny) - c * x / nx**2) + c * QUERY
    dy = dc * (x / (nx * ny) - c * y / ny**2)
    return dx, dy


COSINE = pair(
    cosine_similarity,
    cosine_similarity_gradient,
    normal(4),
    normal(4),
    bugs={
        "quotient rule: second term": (" - c * x / nx**2", ""),
        "quotient rule: sign": ("- c * y / ny**2", "+ c * y / ny**2"),
        "quotient rule: norm not squared": ("c * x / nx**2", "c * x / nx"),
        "second use of x": (" + c * QUERY", ""),
        "second use of c": ("-2 * (1 - c) + x @ QUERY", "-2 * (1 - c)"),
        "inner sign": ("-2 * (1 - c)", "2 * (1 - c)"),
        "norms swapped": ("c * y / ny**2", "c * y / nx**2"),
    },
)

PAIRS = [BATCH, LAYER, GROUP, RMS, WEIGHT, COSINE]
