"""Mixtures: of Gaussians, of experts, zero-inflated counts, robust regression."""

import numpy as np
from scipy.special import digamma, gammaln, loggamma

from tests.check.corpus.base import logsumexp, pair, sigmoid, softmax, softplus

rng = np.random.default_rng(6)


def normal(*shape, scale=1.0):
    return scale * rng.standard_normal(shape)


# --- diagonal Gaussians: logits of the weights, means, log deviations

POINTS = normal(15, 2)
LOG2PI = np.log(2 * np.pi)


def gaussian_mixture(logits, means, logs):
    z = (POINTS[:, None] - means) * np.exp(-logs)
    parts = -0.5 * np.sum(z**2 + LOG2PI, axis=2) - logs.sum(axis=1)
    return -np.mean(logsumexp(parts + logits - logsumexp(logits)))


def gaussian_mixture_gradient(logits, means, logs):
    z = (POINTS[:, None] - means) * np.exp(-logs)
    parts = -0.5 * np.sum(z**2 + LOG2PI, axis=2) - logs.sum(axis=1)
    r = softmax(parts + logits - logsumexp(logits)) / len(POINTS)
    dlogits = softmax(logits) - r.sum(axis=0)
    dmeans = -np.einsum("nk,nkd->kd", r, z * np.exp(-logs))
    dlogs = np.einsum("nk,nkd->kd", r, 1 - z**2)
    return dlogits, dmeans, dlogs


GAUSSIANS = pair(
    gaussian_mixture,
    gaussian_mixture_gradient,
    normal(3),
    normal(3, 2),
    normal(3, 2, scale=0.3),
    bugs={
        "weights not normalised": ("softmax(logits) - r.sum", "-r.sum"),
        "responsibilities without the weights": (
            "softmax(parts + logits - logsumexp(logits))",
            "softmax(parts)",
        ),
        "hard assignment": (
            "r = softmax(parts + logits - logsumexp(logits)) / len(POINTS)",
            "r = 1.0 * (parts + logits == (parts + logits).max(axis=1)[:, None]) / len(POINTS)",
        ),
        "responsibilities over the points": (
            "r = softmax(parts + logits - logsumexp(logits)) / len(POINTS)",
            "r = softmax((parts + logits).T).T / len(POINTS)",
        ),
        "deviation for variance": ("r, z * np.exp(-logs)", "r, z"),
        "variance of the wrong power": ("r, z * np.exp(-logs)", "r, z * np.exp(-2 * logs)"),
        "log deviation: determinant forgotten": ("1 - z**2", "-(z**2)"),
        "log variance's half": ("r, 1 - z**2", "r, 0.5 * (1 - z**2)"),
        "sum for mean": (" / len(POINTS)", ""),
        "sign of the means": ("dmeans = -np", "dmeans = np"),
    },
)


# --- experts: a softmax gate and linear experts, squared error of the blend

INPUTS = normal(14, 3)
OUTPUT = normal(14)


def experts(G, W):
    p = softmax(INPUTS @ G)
    return 0.5 * np.mean((np.sum(p * (INPUTS @ W), axis=1) - OUTPUT) ** 2)


def experts_gradient(G, W):
    p = softmax(INPUTS @ G)
    e = INPUTS @ W
    y = np.sum(p * e, axis=1)
    dy = (y - OUTPUT)[:, None] / len(OUTPUT)
    dz = dy * p * (e - y[:, None])
    return INPUTS.T @ dz, INPUTS.T @ (dy * p)


EXPERTS = pair(
    experts,
    experts_gradient,
    normal(3, 4),
    normal(3, 4),
    bugs={
        "gate: blend forgotten": ("(e - y[:, None])", "e"),
        "gate: own share only": ("p * (e - y[:, None])", "p * (1 - p) * e"),
        "gate detached": ("dz = dy * p", "dz = 0 * dy * p"),
        "experts not weighted": ("(dy * p)", "(dy + 0 * p)"),
        "experts: top one only": ("(dy * p)", "(dy * p * (p == p.max(axis=1)[:, None]))"),
        "gate and experts swapped": (
            "return INPUTS.T @ dz, INPUTS.T @ (dy * p)",
            "return INPUTS.T @ (dy * p), INPUTS.T @ dz",
        ),
        "target for the blend": ("(e - y[:, None])", "(e - OUTPUT[:, None])"),
    },
)


# --- counts with too many zeros: p = sigmoid(X a) of a zero, Poisson of mean exp(X b) else

COUNTS = np.array([0, 0, 3, 1, 0, 0, 2, 5, 0, 1, 0, 0, 4, 0])
NONE = COUNTS == 0


def zero_inflated(a, b):
    u, v = INPUTS @ a, INPUTS @ b
    zero = np.log(sigmoid(u) + sigmoid(-u) * np.exp(-np.exp(v)))
    some = -softplus(u) + COUNTS * v - np.exp(v) - gammaln(COUNTS + 1.0)
    return -np.sum(np.where(NONE, zero, some))


def zero_inflated_gradient(a, b):
    u, v = INPUTS @ a, INPUTS @ b
    p, q, none = sigmoid(u), sigmoid(-u), np.exp(-np.exp(v))
    zero = p + q * none
    du = np.where(NONE, p * q * (1 - none) / zero, -p)
    dv = np.where(NONE, -q * none * np.exp(v) / zero, COUNTS - np.exp(v))
    return -INPUTS.T @ du, -INPUTS.T @ dv


INFLATED = pair(
    zero_inflated,
    zero_inflated_gradient,
    normal(3, scale=0.7),
    normal(3, scale=0.5),
    bugs={
        "zeros as plain Poisson": (
            "np.where(NONE, -q * none * np.exp(v) / zero, COUNTS - np.exp(v))",
            "COUNTS - np.exp(v)",
        ),
        "zeros all inflated": ("p * q * (1 - none) / zero", "q"),
        "quotient forgotten": ("p * q * (1 - none) / zero", "p * q * (1 - none)"),
        "chain through exp forgotten": ("-q * none * np.exp(v) / zero", "-q * none / zero"),
        "branches swapped": ("du = np.where(NONE,", "du = np.where(~NONE,"),
        "sign of the likelihood": ("return -INPUTS.T @ du", "return INPUTS.T @ du"),
        "gate of the other sign": ("(1 - none) / zero, -p)", "(1 - none) / zero, q)"),
    },
)


# --- Student's t regression with its degrees of freedom


def student(w, logs, nu):
    z = (OUTPUT - INPUTS @ w) * np.exp(-logs)
    const = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(nu * np.pi) - logs
    return -np.mean(const - (nu + 1) / 2 * np.log1p(z**2 / nu))


def student_exact(w, logs, nu):
    z = (OUTPUT - INPUTS @ w) * np.exp(-logs)
    const = loggamma((nu + 1) / 2) - loggamma(nu / 2) - 0.5 * np.log(nu * np.pi) - logs
    return -np.mean(const - (nu + 1) / 2 * np.log1p(z**2 / nu))


def student_gradient(w, logs, nu):
    z = (OUTPUT - INPUTS @ w) * np.exp(-logs)
    n = len(z)
    dz = (nu + 1) * z / (nu + z**2) / n
    dw = -INPUTS.T @ dz * np.exp(-logs)
    dlogs = 1 - dz @ z
    dnu = -0.5 * (digamma((nu + 1) / 2) - digamma(nu / 2) - 1 / nu)
    dnu += np.mean(0.5 * np.log1p(z**2 / nu) - 0.5 * (nu + 1) / nu * z**2 / (nu + z**2))
    return dw, dlogs, dnu


STUDENT = pair(
    student,
    student_gradient,
    normal(3),
    0.2,
    3.7,
    exact=student_exact,
    bugs={
        "weights of the normal": ("(nu + 1) * z / (nu + z**2) / n", "z / n"),
        "nu for nu + 1": ("dz = (nu + 1) * z", "dz = nu * z"),
        "determinant forgotten": ("dlogs = 1 - dz @ z", "dlogs = -dz @ z"),
        "chain through the scale": (" * np.exp(-logs)\n    dlogs", "\n    dlogs"),
        "digamma: half forgotten": ("-0.5 * (digamma((nu + 1) / 2)", "-(digamma((nu + 1) / 2)"),
        "log nu forgotten": (" - 1 / nu)", ")"),
        "nu inside the logarithm forgotten": (" - 0.5 * (nu + 1) / nu * z**2 / (nu + z**2))", ")"),
    },
    tiny={
        "digamma by a difference": (
            "digamma(nu / 2)",
            "(gammaln(nu / 2 + 1e-6) - gammaln(nu / 2)) / 1e-6",
        )
    },
)

PAIRS = [GAUSSIANS, EXPERTS, INFLATED, STUDENT]
