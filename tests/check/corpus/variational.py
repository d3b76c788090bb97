"""Variational losses: autoencoders, Bayesian regression, flows, actor and critic."""

import numpy as np

from tests.check.corpus.base import logsumexp, onehot, pair, sigmoid, softmax, softplus

rng = np.random.default_rng(12)


def normal(*shape, scale=1.0):
    return scale * rng.standard_normal(shape)


# --- variational autoencoder: linear encoder and decoder, Bernoulli pixels, one sample

PIXELS = (rng.random((6, 5)) < 0.5) * 1.0
NOISE = normal(6, 2)
BETA = 0.5


def autoencoder(M, S, D):
    m, logv = PIXELS @ M, PIXELS @ S
    z = m + np.exp(0.5 * logv) * NOISE
    a = np.tanh(z) @ D
    kl = 0.5 * np.sum(m**2 + np.exp(logv) - 1 - logv)
    return (np.sum(softplus(a) - PIXELS * a) + BETA * kl) / 6


def autoencoder_gradient(M, S, D):
    m, logv = PIXELS @ M, PIXELS @ S
    s = np.exp(0.5 * logv)
    z = m + s * NOISE
    h = np.tanh(z)
    da = (sigmoid(h @ D) - PIXELS) / 6
    dz = da @ D.T * (1 - h**2)
    dm = dz + BETA * m / 6
    dlogv = 0.5 * dz * s * NOISE + BETA * 0.5 * (s**2 - 1) / 6
    return PIXELS.T @ dm, PIXELS.T @ dlogv, h.T @ da


VAE = pair(
    autoencoder,
    autoencoder_gradient,
    normal(5, 2, scale=0.6),
    normal(5, 2, scale=0.6),
    normal(2, 5),
    name="variational autoencoder",
    bugs={
        "divergence forgotten in the mean": (" + BETA * m / 6", ""),
        "divergence forgotten in the variance": (" + BETA * 0.5 * (s**2 - 1) / 6", ""),
        "beta forgotten": ("BETA * m / 6", "m / 6"),
        "deviation for log variance: the half": ("0.5 * dz * s * NOISE", "dz * s * NOISE"),
        "noise detached": ("0.5 * dz * s * NOISE + ", ""),
        "variance for the deviation": ("0.5 * dz * s * NOISE", "0.5 * dz * s**2 * NOISE"),
        "divergence: sign of the one": ("(s**2 - 1)", "(s**2 + 1)"),
        "divergence not averaged": ("BETA * m / 6", "BETA * m"),
        "slope at the mean, not the sample": ("(1 - h**2)", "(1 - np.tanh(m) ** 2)"),
        "squared error's slope": (
            "(sigmoid(h @ D) - PIXELS) / 6",
            "(sigmoid(h @ D) - PIXELS) * sigmoid(h @ D) * (1 - sigmoid(h @ D)) / 6",
        ),
    },
    tiny={"guard of the deviation": ("s = np.exp(0.5 * logv)", "s = np.exp(0.5 * logv) + 1e-5")},
)


# --- mean-field Bayesian logistic regression, four fixed samples

X = normal(12, 3)
SIGN = np.where(rng.random(12) < 0.5, 1.0, -1.0)
SAMPLES = normal(4, 3)
PRIOR = 4.0


def bayes(mean, logs):
    s = np.exp(logs)
    fit = np.mean(np.sum(softplus(-SIGN[:, None] * (X @ (mean + s * SAMPLES).T)), axis=0))
    return fit + np.sum(0.5 * (s**2 + mean**2) / PRIOR - logs)


def bayes_gradient(mean, logs):
    s = np.exp(logs)
    w = mean + s * SAMPLES
    dz = -SIGN[:, None] * sigmoid(-SIGN[:, None] * (X @ w.T)) / 4
    dw = dz.T @ X
    dmean = dw.sum(axis=0) + mean / PRIOR
    dlogs = (dw * SAMPLES).sum(axis=0) * s + s**2 / PRIOR - 1
    return dmean, dlogs


BAYES = pair(
    bayes,
    bayes_gradient,
    normal(3),
    normal(3, scale=0.4),
    bugs={
        "entropy forgotten": (" + s**2 / PRIOR - 1", " + s**2 / PRIOR"),
        "prior forgotten": (" + mean / PRIOR", ""),
        "prior's deviation for its variance": ("mean / PRIOR", "mean / np.sqrt(PRIOR)"),
        "chain through the log": (".sum(axis=0) * s + s**2", ".sum(axis=0) + s**2"),
        "noise forgotten": ("(dw * SAMPLES)", "dw"),
        "first sample only": ("dw.sum(axis=0) + mean", "dw[0] + mean"),
        "samples summed, not averaged": ("(X @ w.T)) / 4", "(X @ w.T))"),
        "sign of the label": ("dz = -SIGN", "dz = SIGN"),
    },
)


# --- a planar flow of three layers: log density of the base plus log determinants

BASE = normal(10, 2)


def flow(W, U, b):
    z, total = BASE, 0.0
    for w, u, c in zip(W, U, b):
        h = np.tanh(z @ w + c)
        total = total + np.sum(np.log(1 + (1 - h**2) * (u @ w)))
        z = z + np.outer(h, u)
    return np.sum((z - 1) ** 2) / 10 - total / 10


def flow_gradient(W, U, b):
    tape, z = [], BASE
    for w, u, c in zip(W, U, b):
        h = np.tanh(z @ w + c)
        tape.append((z, h))
        z = z + np.outer(h, u)
    dz = 2 * (z - 1) / 10
    dW, dU, db = np.zeros_like(W), np.zeros_like(U), np.zeros_like(b)
    for k in reversed(range(3)):
        (z, h), w, u = tape[k], W[k], U[k]
        det = 1 + (1 - h**2) * (u @ w)
        ddet = -1 / det / 10
        dot = np.sum(ddet * (1 - h**2))
        dh = dz @ u - 2 * h * (u @ w) * ddet
        da = dh * (1 - h**2)
        dU[k] = h @ dz + dot * w
        dW[k] = z.T @ da + dot * u
        db[k] = da.sum()
        dz = dz + np.outer(da, w)
    return dW, dU, db


FLOW = pair(
    flow,
    flow_gradient,
    normal(3, 2, scale=0.6),
    normal(3, 2, scale=0.5),
    normal(3),
    bugs={
        "determinant detached": ("ddet = -1 / det / 10", "ddet = 0 * det"),
        "determinant's sign": ("ddet = -1 / det", "ddet = 1 / det"),
        "curvature of tanh": (" - 2 * h * (u @ w) * ddet", ""),
        "curvature: factor 2": ("- 2 * h * (u", "- h * (u"),
        "product u w: one factor": ("dU[k] = h @ dz + dot * w", "dU[k] = h @ dz"),
        "product u w: factors mixed up": ("z.T @ da + dot * u", "z.T @ da + dot * w"),
        "carry": ("dz = dz + np.outer(da, w)", "dz = np.outer(da, w)"),
        "input of the layer after": ("dW[k] = z.T @ da", "dW[k] = (z + np.outer(h, u)).T @ da"),
    },
)


# --- policy gradient's surrogate: clipped ratio, entropy bonus

STATES = normal(9, 3)
ACTIONS = rng.integers(0, 3, 9)
ADVANTAGE = normal(9)
OLD = np.log(rng.random(9) * 0.5 + 0.2)
CLIP, BONUS = 0.2, 0.01


def surrogate(W):
    z = STATES @ W
    logp = z - logsumexp(z)[:, None]
    ratio = np.exp(logp[np.arange(9), ACTIONS] - OLD)
    gain = ratio * ADVANTAGE
    cut = np.where(ratio > 1 + CLIP, 1 + CLIP, np.where(ratio < 1 - CLIP, 1 - CLIP, ratio))
    cut = cut * ADVANTAGE
    entropy = -np.sum(np.exp(logp) * logp, axis=1)
    return -np.mean(np.where(gain < cut, gain, cut) + BONUS * entropy)


def surrogate_gradient(W):
    z = STATES @ W
    p = softmax(z)
    logp = np.log(p)
    ratio = np.exp(logp[np.arange(9), ACTIONS] - OLD)
    outside = (ratio > 1 + CLIP) & (ADVANTAGE > 0) | (ratio < 1 - CLIP) & (ADVANTAGE < 0)
    dlogp = np.where(outside, 0, ratio * ADVANTAGE)
    dentropy = -p * (logp - np.sum(p * logp, axis=1, keepdims=True))
    dz = dlogp[:, None] * (onehot(ACTIONS, 3) - p) + BONUS * dentropy
    return -STATES.T @ dz / 9


POLICY = pair(
    surrogate,
    surrogate_gradient,
    normal(3, 3),
    bugs={
        "not clipped": ("np.where(outside, 0, ratio * ADVANTAGE)", "ratio * ADVANTAGE"),
        "clipped on both sides": (
            "outside = (ratio > 1 + CLIP) & (ADVANTAGE > 0) | (ratio < 1 - CLIP) & (ADVANTAGE < 0)",
            "outside = np.abs(ratio - 1) > CLIP",
        ),
        "ratio forgotten": ("ratio * ADVANTAGE)", "ADVANTAGE)"),
        "baseline's sign": ("(onehot(ACTIONS, 3) - p)", "(p - onehot(ACTIONS, 3))"),
        "own action only": ("(onehot(ACTIONS, 3) - p)", "onehot(ACTIONS, 3) * (1 - p)"),
        "entropy forgotten": (" + BONUS * dentropy", ""),
        "entropy's sign": ("dentropy = -p", "dentropy = p"),
        "entropy: mean log forgotten": (
            "(logp - np.sum(p * logp, axis=1, keepdims=True))",
            "(logp + 1)",
        ),
    },
    tiny={"entropy's guard": ("logp = np.log(p)", "logp = np.log(p + 1e-6)")},
)

PAIRS = [VAE, BAYES, FLOW, POLICY]
