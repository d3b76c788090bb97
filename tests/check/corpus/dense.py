"""Dense layers: networks with tanh, relu, gelu and others, skips, dropout, the usual losses."""

import numpy as np

from tests.check.corpus.base import onehot, pair, sigmoid, softmax, softplus

rng = np.random.default_rng(1)
X = rng.standard_normal((12, 5))
T = rng.standard_normal((12, 4))
LABELS = rng.integers(0, 4, 12)
YES = (rng.random(12) < 0.4) * 1.0
DECAY = 1e-5


def normal(*shape, scale=0.5):
    return scale * rng.standard_normal(shape)


# --- two layers, tanh, squared error, weight decay


def tanh_network(W1, b1, W2, b2):
    h = np.tanh(X @ W1 + b1)
    y = h @ W2 + b2
    decay = 0.5 * DECAY * (np.sum(W1**2) + np.sum(W2**2))
    return 0.5 * np.sum((y - T) ** 2) / len(X) + decay


def tanh_network_gradient(W1, b1, W2, b2):
    z = X @ W1 + b1
    h = np.tanh(z)
    y = h @ W2 + b2
    dy = (y - T) / len(X)
    dW2 = h.T @ dy + DECAY * W2
    db2 = dy.sum(axis=0)
    dh = dy @ W2.T
    dz = dh * (1 - h**2)
    dW1 = X.T @ dz + DECAY * W1
    db1 = dz.sum(axis=0)
    return dW1, db1, dW2, db2


TANH = pair(
    tanh_network,
    tanh_network_gradient,
    normal(5, 4),
    normal(4),
    normal(4, 4),
    normal(4),
    bugs={
        "not divided by the batch": ("(y - T) / len(X)", "(y - T)"),
        "factor 2 of the square": ("(y - T) / len(X)", "2 * (y - T) / len(X)"),
        "sign of the residual": ("(y - T)", "(T - y)"),
        "slope of tanh at the input": ("1 - h**2", "1 - z**2"),
        "slope of tanh without the square": ("1 - h**2", "1 - h"),
        "slope of tanh forgotten": ("dh * (1 - h**2)", "dh"),
        "slope of the sigmoid": ("1 - h**2", "h * (1 - h)"),
        "weights not transposed": ("dy @ W2.T", "dy @ W2"),
        "gradient of the weights transposed": ("h.T @ dy", "dy.T @ h"),
        "input in the place of the hidden layer": ("h.T @ dy", "z.T @ dy"),
        "bias: mean for sum": ("dz.sum(axis=0)", "dz.mean(axis=0)"),
        "bias: one sample": ("dy.sum(axis=0)", "dy[0]"),
        "bias of the other layer": ("db1 = dz.sum", "db1 = dy.sum"),
        "last sample lost": ("X.T @ dz", "X[:-1].T @ dz[:-1]"),
        "bias gradient forgotten": ("db1 = dz.sum(axis=0)", "db1 = np.zeros(4)"),
    },
    tiny={
        "weight decay forgotten": (" + DECAY * W1", ""),
        "weight decay with the wrong sign": ("+ DECAY * W2", "- DECAY * W2"),
        "weight decay twice": ("+ DECAY * W1", "+ 2 * DECAY * W1"),
        "weight decay of a bias": ("db1 = dz.sum(axis=0)", "db1 = dz.sum(axis=0) + DECAY * b1"),
    },
)


# --- relu and softmax cross-entropy, labels smoothed

SMOOTH = 1e-4
TARGET = (1 - SMOOTH) * onehot(LABELS, 4) + SMOOTH / 4


def relu_classifier(W1, b1, W2, b2):
    h = np.maximum(X @ W1 + b1, 0)
    z = h @ W2 + b2
    return -np.sum(TARGET * np.log(softmax(z))) / len(X)


def relu_classifier_gradient(W1, b1, W2, b2):
    a = X @ W1 + b1
    h = np.maximum(a, 0)
    q = softmax(h @ W2 + b2)
    dz = (q - TARGET) / len(X)
    dW2 = h.T @ dz
    db2 = dz.sum(axis=0)
    da = (dz @ W2.T) * (a > 0)
    return X.T @ da, da.sum(axis=0), dW2, db2


RELU = pair(
    relu_classifier,
    relu_classifier_gradient,
    normal(5, 6),
    normal(6),
    normal(6, 4),
    normal(4),
    bugs={
        "mask of the wrong sign": ("a > 0", "a < 0"),
        "mask forgotten": (" * (a > 0)", ""),
        "mask from the gradient (deconvnet)": (
            "da = (dz @ W2.T) * (a > 0)",
            "da = np.maximum(dz @ W2.T, 0)",
        ),
        "leak in the backward only": ("(a > 0)", "np.where(a > 0, 1, 0.01)"),
        "softmax backward once more": ("(q - TARGET) / len(X)", "q * (q - TARGET) / len(X)"),
        "target minus output": ("q - TARGET", "TARGET - q"),
        "divided by the classes": ("/ len(X)", "/ 4"),
        "output forgotten": ("q - TARGET", "-TARGET"),
        "scores in the place of probabilities": ("softmax(h @ W2 + b2)", "h @ W2 + b2"),
        "bias summed over classes": ("db2 = dz.sum(axis=0)", "db2 = dz.sum(axis=1)[:4]"),
    },
    tiny={
        "smoothing forgotten": ("q - TARGET", "q - onehot(LABELS, 4)"),
        "smoothing over the other classes": (
            "q - TARGET",
            "q - (1 - SMOOTH) * onehot(LABELS, 4) - SMOOTH / 3 * (1 - onehot(LABELS, 4))",
        ),
    },
)


# --- a residual block used twice (tied weights), softplus, logistic loss with a class weight

WEIGHT = 3.0


def residual_network(W, b, v):
    h = X
    for _ in range(2):
        h = h + softplus(h @ W + b)
    z = h @ v
    return np.mean(WEIGHT * YES * softplus(-z) + (1 - YES) * softplus(z))


def residual_network_gradient(W, b, v):
    hs = [X]
    for _ in range(2):
        hs.append(hs[-1] + softplus(hs[-1] @ W + b))
    z = hs[-1] @ v
    dz = (-WEIGHT * YES * sigmoid(-z) + (1 - YES) * sigmoid(z)) / len(X)
    dv = hs[-1].T @ dz
    dh = np.outer(dz, v)
    dW, db = np.zeros_like(W), np.zeros_like(b)
    for h in reversed(hs[:-1]):
        da = dh * sigmoid(h @ W + b)
        dW += h.T @ da
        db += da.sum(axis=0)
        dh = dh + da @ W.T
    return dW, db, dv


RESIDUAL = pair(
    residual_network,
    residual_network_gradient,
    normal(5, 5, scale=0.2),
    normal(5),
    normal(5),
    bugs={
        "skip forgotten": ("dh = dh + da @ W.T", "dh = da @ W.T"),
        "only the skip": ("dh = dh + da @ W.T", "dh = dh"),
        "tied weights: the last use only": ("dW += h.T @ da", "dW = h.T @ da"),
        "tied bias: the last use only": ("db += da", "db = da"),
        "not transposed": ("da @ W.T", "da @ W"),
        "class weight forgotten": ("-WEIGHT * YES", "-YES"),
        "class weight on the other class": (
            "(-WEIGHT * YES * sigmoid(-z) + (1 - YES)",
            "(-YES * sigmoid(-z) + WEIGHT * (1 - YES)",
        ),
        "layer of the other step": ("hs[-1].T @ dz", "hs[-2].T @ dz"),
        "order of the layers": ("reversed(hs[:-1])", "hs[:-1]"),
        "softplus for its slope": ("dh * sigmoid(h @ W + b)", "dh * softplus(h @ W + b)"),
    },
)


# --- gelu (by tanh), dropout with a kept mask, huber loss

KEEP = 0.8
MASK = rng.random((12, 6)) < KEEP
ROOT = np.sqrt(2 / np.pi)
DELTA = 0.7


def gelu_network(W1, b1, w2):
    a = X @ W1 + b1
    h = 0.5 * a * (1 + np.tanh(ROOT * (a + 0.044715 * a**3)))
    r = (h * MASK / KEEP) @ w2 - T[:, 0]
    size = np.where(r < 0, -r, r)
    return np.mean(np.where(size < DELTA, 0.5 * r**2, DELTA * (size - 0.5 * DELTA)))


def gelu_network_gradient(W1, b1, w2):
    a = X @ W1 + b1
    t = np.tanh(ROOT * (a + 0.044715 * a**3))
    h = 0.5 * a * (1 + t)
    r = (h * MASK / KEEP) @ w2 - T[:, 0]
    dr = np.clip(r, -DELTA, DELTA) / len(X)
    dw2 = (h * MASK / KEEP).T @ dr
    dh = np.outer(dr, w2) * MASK / KEEP
    slope = 0.5 * (1 + t) + 0.5 * a * (1 - t**2) * ROOT * (1 + 3 * 0.044715 * a**2)
    da = dh * slope
    return X.T @ da, da.sum(axis=0), dw2


GELU = pair(
    gelu_network,
    gelu_network_gradient,
    normal(5, 6),
    normal(6),
    normal(6),
    bugs={
        "second term of the product rule": (
            " + 0.5 * a * (1 - t**2) * ROOT * (1 + 3 * 0.044715 * a**2)",
            "",
        ),
        "inner derivative: the cube": ("(1 + 3 * 0.044715 * a**2)", "1"),
        "inner derivative: the factor 3": ("1 + 3 * 0.044715", "1 + 0.044715"),
        "half forgotten": ("slope = 0.5 * (1 + t)", "slope = (1 + t)"),
        "dropout scale forgotten in backward": (
            "np.outer(dr, w2) * MASK / KEEP",
            "np.outer(dr, w2) * MASK",
        ),
        "dropout mask forgotten in backward": (
            "np.outer(dr, w2) * MASK / KEEP",
            "np.outer(dr, w2)",
        ),
        "mask forgotten at the weights": ("dw2 = (h * MASK / KEEP)", "dw2 = h"),
        "huber: clipped at 1": ("np.clip(r, -DELTA, DELTA)", "np.clip(r, -1, 1)"),
        "huber: not clipped": ("np.clip(r, -DELTA, DELTA)", "r"),
        "huber: clipped below only": ("np.clip(r, -DELTA, DELTA)", "np.maximum(r, -DELTA)"),
    },
    tiny={
        "constant with five digits": ("(1 - t**2) * ROOT", "(1 - t**2) * 0.7979"),
        "constant 0.044715 with four": ("1 + 3 * 0.044715", "1 + 3 * 0.04472"),
    },
)


# --- leaky relu, swish, sigmoid gates: a layer of each; mean absolute error at no kink


def gated_network(A, B, c):
    u = X @ A
    z = X @ B
    s = sigmoid(z)
    h = np.where(u > 0, u, 0.1 * u) * z * s
    y = sigmoid(h @ c)
    return np.sum(np.where(y > YES, y - YES, YES - y))


def gated_network_gradient(A, B, c):
    u = X @ A
    z = X @ B
    s = sigmoid(z)
    leaky = np.where(u > 0, u, 0.1 * u)
    h = leaky * z * s
    y = sigmoid(h @ c)
    dy = np.sign(y - YES) * y * (1 - y)
    dh = np.outer(dy, c)
    du = dh * z * s * np.where(u > 0, 1, 0.1)
    dz = dh * leaky * (s + z * s * (1 - s))
    return X.T @ du, X.T @ dz, h.T @ dy


GATED = pair(
    gated_network,
    gated_network_gradient,
    normal(5, 4),
    normal(5, 4),
    normal(4),
    bugs={
        "slope of the sigmoid at its output forgotten": (" * y * (1 - y)", ""),
        "slope of the sigmoid: the square": ("y * (1 - y)", "y * (1 - y**2)"),
        "swish: gate only": ("(s + z * s * (1 - s))", "s"),
        "swish: slope only": ("(s + z * s * (1 - s))", "z * s * (1 - s)"),
        "leak forgotten": ("np.where(u > 0, 1, 0.1)", "(u > 0)"),
        "leak: another slope": ("np.where(u > 0, 1, 0.1)", "np.where(u > 0, 1, 0.2)"),
        "mask of the other branch": ("np.where(u > 0, 1, 0.1)", "np.where(z > 0, 1, 0.1)"),
        "gates swapped": ("return X.T @ du, X.T @ dz", "return X.T @ dz, X.T @ du"),
        "sign of the error": ("np.sign(y - YES)", "np.sign(YES - y)"),
        "squared error's slope": ("np.sign(y - YES)", "2 * (y - YES)"),
    },
)

PAIRS = [TANH, RELU, RESIDUAL, GELU, GATED]
