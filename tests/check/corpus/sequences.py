"""Chains of states: conditional random fields, hidden Markov models, Kalman filters, alignments."""

import numpy as np

from tests.check.corpus.base import logsumexp, onehot, pair, softmax

rng = np.random.default_rng(7)


def normal(*shape, scale=1.0):
    return scale * rng.standard_normal(shape)


# --- linear-chain CRF: scores of the tags at each step, transition scores, a path wanted

FEATURES = normal(7, 3)
TAGS = np.array([0, 2, 2, 1, 3, 3, 0])


def crf(W, A):
    """W : (features, tags), A : (tags, tags) from - to."""
    s = FEATURES @ W
    alpha = s[0]
    for t in range(1, len(s)):
        alpha = logsumexp(alpha[:, None] + A, axis=0) + s[t]
    path = s[np.arange(7), TAGS].sum() + A[TAGS[:-1], TAGS[1:]].sum()
    return logsumexp(alpha) - path


def crf_gradient(W, A):
    s = FEATURES @ W
    alpha, beta = [s[0]], [np.zeros(4)]
    for t in range(1, len(s)):
        alpha.append(logsumexp(alpha[-1][:, None] + A, axis=0) + s[t])
    for t in range(len(s) - 1, 0, -1):
        beta.insert(0, logsumexp(A + s[t] + beta[0], axis=1))
    total = logsumexp(alpha[-1])
    ds = np.exp(np.stack(alpha) + np.stack(beta) - total) - onehot(TAGS, 4)
    dA = np.zeros_like(A)
    for t in range(1, len(s)):
        dA += np.exp(alpha[t - 1][:, None] + A + s[t] + beta[t] - total)
        dA[TAGS[t - 1], TAGS[t]] -= 1
    return FEATURES.T @ ds, dA


CRF = pair(
    crf,
    crf_gradient,
    normal(3, 4),
    normal(4, 4),
    bugs={
        "transitions transposed": ("return FEATURES.T @ ds, dA", "return FEATURES.T @ ds, dA.T"),
        "path's transition transposed": (
            "dA[TAGS[t - 1], TAGS[t]] -= 1",
            "dA[TAGS[t], TAGS[t - 1]] -= 1",
        ),
        "beta with its own score twice": (
            "A + s[t] + beta[t] - total",
            "A + 2 * s[t] + beta[t] - total",
        ),
        "transition's score forgotten": (
            "alpha[t - 1][:, None] + A + s[t]",
            "alpha[t - 1][:, None] + s[t]",
        ),
        "backward sweep transposed": (
            "logsumexp(A + s[t] + beta[0], axis=1)",
            "logsumexp(A + s[t] + beta[0], axis=0)",
        ),
        "off by one: alpha": ("alpha[t - 1][:, None]", "alpha[t][:, None]"),
        "off by one: beta": ("s[t] + beta[t] - total", "s[t] + beta[t - 1] - total"),
        "first transition lost": (
            "        dA[TAGS[t - 1], TAGS[t]] -= 1",
            "        dA[TAGS[t - 1], TAGS[t]] -= t > 1",
        ),
        "path forgotten": (" - onehot(TAGS, 4)", ""),
        "marginals not normalised": (
            "ds = np.exp(np.stack(alpha) + np.stack(beta) - total)",
            "ds = softmax(np.stack(alpha))",
        ),
        "log for probability": (
            "ds = np.exp(np.stack(alpha) + np.stack(beta) - total)",
            "ds = (np.stack(alpha) + np.stack(beta) - total)",
        ),
    },
)


# --- HMM with Gaussian outputs, by scaled forward-backward

SEEN = np.cumsum(normal(9, scale=0.7))


def hmm(first, A, means):
    """first : logits (3,), A : logits (3, 3) of each row, means (3,), unit variance."""
    T, p = softmax(A), softmax(first)
    loss = 0.0
    for t, y in enumerate(SEEN):
        p = (p if t == 0 else p @ T) * np.exp(-0.5 * (y - means) ** 2)
        loss = loss - np.log(p.sum())
        p = p / p.sum()
    return loss


def hmm_gradient(first, A, means):
    T, start = softmax(A), softmax(first)
    likely = np.exp(-0.5 * (SEEN[:, None] - means) ** 2)
    alphas, scales, p = [], [], start
    for t in range(len(SEEN)):
        p = (p if t == 0 else p @ T) * likely[t]
        scales.append(p.sum())
        p = p / p.sum()
        alphas.append(p)
    beta = np.ones(3)
    pairs, dmeans = np.zeros_like(A), np.zeros(3)
    for t in range(len(SEEN) - 1, -1, -1):
        gamma = alphas[t] * beta
        dmeans -= gamma * (SEEN[t] - means)
        if t:
            right = likely[t] * beta / scales[t]
            pairs += alphas[t - 1][:, None] * T * right
            beta = T @ right
    dfirst = start - gamma
    dA = T * pairs.sum(axis=1, keepdims=True) - pairs
    return dfirst, dA, dmeans


HMM = pair(
    hmm,
    hmm_gradient,
    normal(3),
    normal(3, 3),
    normal(3),
    bugs={
        "filtered for smoothed": ("gamma = alphas[t] * beta", "gamma = alphas[t]"),
        "transitions not transposed": ("beta = T @ right", "beta = T.T @ right"),
        "scale forgotten": ("likely[t] * beta / scales[t]", "likely[t] * beta"),
        "scale of the step before": ("beta / scales[t]", "beta / scales[t - 1]"),
        "likelihood forgotten": ("right = likely[t] * beta", "right = beta"),
        "rows not normalised": ("T * pairs.sum(axis=1, keepdims=True) - pairs", "-pairs"),
        "columns for rows": ("pairs.sum(axis=1, keepdims=True)", "pairs.sum(axis=0)"),
        "counts in the place of logits": (
            "T * pairs.sum(axis=1, keepdims=True) - pairs",
            "-pairs / T",
        ),
        "first state forgotten": ("dfirst = start - gamma", "dfirst = 0 * gamma"),
        "last state for first": ("dfirst = start - gamma", "dfirst = start - alphas[-1]"),
        "sign of the means": ("dmeans -= gamma", "dmeans += gamma"),
        "off by one: outputs": ("(SEEN[t] - means)", "(SEEN[t - 1] - means)"),
    },
)


# --- Kalman filter of a level with noise: log q of the level, log r of the observation, first level

LEVELS = np.cumsum(normal(12, scale=0.5)) + normal(12, scale=0.5)


def kalman(logq, logr, m):
    q, r, P, loss = np.exp(logq), np.exp(logr), 1.0, 0.0
    for y in LEVELS:
        P = P + q
        S, v = P + r, y - m
        loss = loss + 0.5 * (np.log(S) + v * v / S)
        m, P = m + P / S * v, P * r / S
    return loss


def kalman_gradient(logq, logr, m):
    q, r, P, tape = np.exp(logq), np.exp(logr), 1.0, []
    for y in LEVELS:
        P = P + q
        S, v = P + r, y - m
        tape.append((P, S, v))
        m, P = m + P / S * v, P * r / S
    dq = dr = dm = dP = 0.0
    for P, S, v in reversed(tape):
        dS = 0.5 / S - 0.5 * (v / S) ** 2 - (dm * P * v + dP * P * r) / S**2
        dv = v / S + dm * P / S
        dr += dS + dP * P / S
        dP = dP * r / S + dm * v / S + dS
        dm = dm - dv
        dq += dP
    return dq * q, dr * r, dm


KALMAN = pair(
    kalman,
    kalman_gradient,
    -1.0,
    -0.5,
    0.3,
    bugs={
        "determinant forgotten": ("dS = 0.5 / S - 0.5", "dS = -0.5"),
        "gain detached": ("- (dm * P * v + dP * P * r) / S**2", "- dP * P * r / S**2"),
        "variance detached": ("dP = dP * r / S + dm * v / S + dS", "dP = dS"),
        "quotient rule: S for its square": (
            "(dm * P * v + dP * P * r) / S**2",
            "(dm * P * v + dP * P * r) / S",
        ),
        "innovation detached from the level": ("dm = dm - dv", "dm = dm"),
        "sign of the innovation": ("dm = dm - dv", "dm = dm + dv"),
        "chain through the log": ("return dq * q, dr * r, dm", "return dq, dr, dm"),
        "noise: last use only": ("dr += dS", "dr = dS"),
        "noise: second term": ("dr += dS + dP * P / S", "dr += dS"),
        "noise before its time": (
            "dP = dP * r / S + dm * v / S + dS\n        dm = dm - dv\n        dq += dP",
            "dq += dP\n        dP = dP * r / S + dm * v / S + dS\n        dm = dm - dv",
        ),
    },
    tiny={"jitter in the backward only": ("S, v = P + r, y - m", "S, v = P + r + 1e-5, y - m")},
)


# --- soft alignment of two sequences (soft-DTW)

TEMPLATE = np.sin(np.arange(6.0))


def soft_alignment(x):
    gamma, big = 0.5, 1e8
    R = {(i, -1): big for i in range(len(x))} | {(-1, j): big for j in range(6)} | {(-1, -1): 0.0}
    for i in range(len(x)):
        for j in range(6):
            last = np.stack([R[i - 1, j - 1], R[i - 1, j], R[i, j - 1]])
            R[i, j] = (x[i] - TEMPLATE[j]) ** 2 - gamma * logsumexp(-last / gamma)
    return R[len(x) - 1, 5]


def soft_alignment_gradient(x):
    n, gamma = len(x), 0.5
    R = np.full((n + 1, 7), 1e8)
    R[0, 0] = 0.0
    D = (x[:, None] - TEMPLATE) ** 2
    for i in range(n):
        for j in range(6):
            last = np.array([R[i, j], R[i, j + 1], R[i + 1, j]])
            R[i + 1, j + 1] = D[i, j] - gamma * logsumexp(-last / gamma)
    E = np.zeros((n + 1, 7))
    E[n, 6] = 1.0
    for i in range(n - 1, -1, -1):
        for j in range(5, -1, -1):
            p = softmax(-np.array([R[i, j], R[i, j + 1], R[i + 1, j]]) / gamma)
            E[i, j] += E[i + 1, j + 1] * p[0]
            E[i, j + 1] += E[i + 1, j + 1] * p[1]
            E[i + 1, j] += E[i + 1, j + 1] * p[2]
    return np.sum(E[1:, 1:] * 2 * (x[:, None] - TEMPLATE), axis=1)


ALIGNMENT = pair(
    soft_alignment,
    soft_alignment_gradient,
    normal(7),
    bugs={
        "off by one in the table": ("np.sum(E[1:, 1:]", "np.sum(E[:-1, :-1]"),
        "factor 2": ("* 2 * (x[:, None]", "* (x[:, None]"),
        "diagonal steps lost": ("            E[i, j] += E[i + 1, j + 1] * p[0]\n", ""),
        "steps mixed up": ("E[i + 1, j + 1] * p[1]", "E[i + 1, j + 1] * p[2]"),
        "temperature forgotten": ("R[i + 1, j]]) / gamma)", "R[i + 1, j]]))"),
        "hard minimum": (
            "p = softmax(-np.array([R[i, j], R[i, j + 1], R[i + 1, j]]) / gamma)",
            "p = np.eye(3)[np.argmin([R[i, j], R[i, j + 1], R[i + 1, j]])]",
        ),
        "template's sum": ("TEMPLATE), axis=1)", "TEMPLATE), axis=0).sum() + 0 * x"),
    },
)

PAIRS = [CRF, HMM, KALMAN, ALIGNMENT]
