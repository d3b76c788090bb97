"""Factorisations: recommender, nonnegative, tensor, autoencoder, neighbour embedding, clusters."""

import numpy as np

from tests.check.corpus.base import logsumexp, pair, sigmoid, softmax

rng = np.random.default_rng(10)


def normal(*shape, scale=1.0):
    return scale * rng.standard_normal(shape)


# --- recommender with biases, ratings seen in part

RATINGS = normal(6, 5)
KNOWN = rng.random((6, 5)) < 0.6
RIDGE = 2e-5


def recommender(U, V, bu, bv):
    R = np.where(KNOWN, U @ V.T + bu[:, None] + bv - RATINGS, 0)
    return np.sum(R**2) / KNOWN.sum() + RIDGE * (np.sum(U**2) + np.sum(V**2))


def recommender_gradient(U, V, bu, bv):
    R = np.where(KNOWN, U @ V.T + bu[:, None] + bv - RATINGS, 0)
    dR = 2 * R / KNOWN.sum()
    dU = dR @ V + 2 * RIDGE * U
    dV = dR.T @ U + 2 * RIDGE * V
    return dU, dV, dR.sum(axis=1), dR.sum(axis=0)


RECOMMENDER = pair(
    recommender,
    recommender_gradient,
    normal(6, 3),
    normal(5, 3),
    normal(6),
    normal(5),
    bugs={
        "mask forgotten": (
            "R = np.where(KNOWN, U @ V.T + bu[:, None] + bv - RATINGS, 0)",
            "R = U @ V.T + bu[:, None] + bv - RATINGS",
        ),
        "all ratings counted": ("KNOWN.sum()", "KNOWN.size"),
        "factor 2": ("2 * R / KNOWN", "R / KNOWN"),
        "second factor already moved": ("dV = dR.T @ U", "dV = dR.T @ (U - 0.01 * dU)"),
        "biases left out of the residual": (
            "U @ V.T + bu[:, None] + bv - RATINGS",
            "U @ V.T - RATINGS",
        ),
        "bias: mean": ("dR.sum(axis=0)", "dR.mean(axis=0)"),
        "bias forgotten": ("dR.sum(axis=1), dR", "np.zeros(6), dR"),
        "factors of the wrong side": ("dU = dR @ V +", "dU = dR @ V[::-1] +"),
    },
    tiny={
        "regulariser forgotten": (" + 2 * RIDGE * U", ""),
        "regulariser's factor 2": ("dR.T @ U + 2 * RIDGE", "dR.T @ U + RIDGE"),
        "regulariser of the biases": ("dR.sum(axis=1), dR", "dR.sum(axis=1) + 2 * RIDGE * bu, dR"),
    },
)


# --- nonnegative factors, generalised Kullback-Leibler divergence

TABLE = rng.random((5, 4)) + 0.2


def divergence(W, H):
    P = W @ H
    return np.sum(TABLE * np.log(TABLE / P) - TABLE + P)


def divergence_gradient(W, H):
    dP = 1 - TABLE / (W @ H)
    return dP @ H.T, W.T @ dP


DIVERGENCE = pair(
    divergence,
    divergence_gradient,
    rng.random((5, 2)) + 0.1,
    rng.random((2, 4)) + 0.1,
    bugs={
        "squared error's residual": ("1 - TABLE / (W @ H)", "W @ H - TABLE"),
        "ratio upside down": ("TABLE / (W @ H)", "(W @ H) / TABLE"),
        "mass forgotten": ("1 - TABLE / (W @ H)", "-TABLE / (W @ H)"),
        "derivative of the reverse divergence": ("1 - TABLE / (W @ H)", "np.log(W @ H / TABLE)"),
        "sign": ("1 - TABLE / (W @ H)", "TABLE / (W @ H) - 1"),
        "one factor only": ("W.T @ dP", "0 * H"),
    },
    tiny={"guard in the quotient": ("TABLE / (W @ H)", "TABLE / (W @ H + 1e-5)")},
)


# --- canonical tensor decomposition

CUBE = normal(4, 3, 2)


def tensor(A, B, C):
    return 0.5 * np.sum((np.einsum("ir,jr,kr->ijk", A, B, C) - CUBE) ** 2)


def tensor_gradient(A, B, C):
    R = np.einsum("ir,jr,kr->ijk", A, B, C) - CUBE
    dA = np.einsum("ijk,jr,kr->ir", R, B, C)
    dB = np.einsum("ijk,ir,kr->jr", R, A, C)
    dC = np.einsum("ijk,ir,jr->kr", R, A, B)
    return dA, dB, dC


TENSOR = pair(
    tensor,
    tensor_gradient,
    normal(4, 2),
    normal(3, 2),
    normal(2, 2),
    bugs={
        "rank transposed": ('"ijk,ir,jr->kr", R, A, B', '"ijk,ir,jr->rk", R, A, B'),
        "components mixed": ('"ijk,jr,kr->ir", R, B, C', '"ijk,js,kr->ir", R, B, C'),
        "mode left out": ('"ijk,jr,kr->ir", R, B, C', '"ijk,jr->ir", R, B'),
        "data in the place of the residual": (
            '"ijk,ir,kr->jr", R, A, C',
            '"ijk,ir,kr->jr", CUBE, A, C',
        ),
        "factor 2": ("C) - CUBE\n", "C) * 2 - 2 * CUBE\n"),
        "stale factor": (
            'dB = np.einsum("ijk,ir,kr->jr", R, A, C)',
            'dB = np.einsum("ijk,ir,kr->jr", R, A - 0.1 * dA, C)',
        ),
    },
)


# --- autoencoder with tied weights and a sparsity penalty (KL of the mean activation)

DATA = rng.random((8, 4))
RHO, BETA = 0.1, 0.3


def autoencoder(W, b, c):
    h = sigmoid(DATA @ W + b)
    q = h.mean(axis=0)
    sparse = np.sum(RHO * np.log(RHO / q) + (1 - RHO) * np.log((1 - RHO) / (1 - q)))
    return 0.5 * np.sum((h @ W.T + c - DATA) ** 2) / 8 + BETA * sparse


def autoencoder_gradient(W, b, c):
    h = sigmoid(DATA @ W + b)
    q = h.mean(axis=0)
    dy = (h @ W.T + c - DATA) / 8
    dq = BETA * ((1 - RHO) / (1 - q) - RHO / q)
    dh = dy @ W + dq / 8
    da = dh * h * (1 - h)
    return DATA.T @ da + dy.T @ h, da.sum(axis=0), dy.sum(axis=0)


AUTOENCODER = pair(
    autoencoder,
    autoencoder_gradient,
    normal(4, 3),
    normal(3),
    normal(4),
    bugs={
        "decoder's use of W": (" + dy.T @ h", ""),
        "encoder's use of W": ("DATA.T @ da + dy.T @ h", "dy.T @ h"),
        "sparsity forgotten": ("dh = dy @ W + dq / 8", "dh = dy @ W"),
        "sparsity: not divided by the batch": ("dq / 8", "dq"),
        "sparsity: sign": ("(1 - RHO) / (1 - q) - RHO / q", "RHO / q - (1 - RHO) / (1 - q)"),
        "sparsity of each sample": (
            "((1 - RHO) / (1 - q) - RHO / q)",
            "((1 - RHO) / (1 - h) - RHO / h)",
        ),
        "sparsity: weight forgotten": ("dq = BETA * (", "dq = ("),
        "slope of the sigmoid at the input": (
            "dh * h * (1 - h)",
            "dh * sigmoid(h) * (1 - sigmoid(h))",
        ),
    },
)


# --- t-SNE: given similarities, points in the plane

P = rng.random((8, 8))
P = (P + P.T) * (1 - np.eye(8))
P = P / P.sum()


def tsne(Y):
    D = ((Y[:, None] - Y) ** 2).sum(axis=2)
    N = (1 - np.eye(8)) / (1 + D)
    return np.sum(P * np.log((P + np.eye(8)) * N.sum() / (N + np.eye(8))))


def tsne_gradient(Y):
    D = ((Y[:, None] - Y) ** 2).sum(axis=2)
    N = (1 - np.eye(8)) / (1 + D)
    Q = N / N.sum()
    F = (P - Q) * N
    return 4 * (F.sum(axis=1)[:, None] * Y - F @ Y)


TSNE = pair(
    tsne,
    tsne_gradient,
    normal(8, 2),
    bugs={
        "2 for 4": ("4 * (F.sum", "2 * (F.sum"),
        "kernel forgotten (SNE)": ("F = (P - Q) * N", "F = P - Q"),
        "not normalised": ("F = (P - Q) * N", "F = (P - N) * N"),
        "repulsion forgotten": ("F = (P - Q) * N", "F = P * N"),
        "sign": ("(P - Q)", "(Q - P)"),
        "diagonal of the kernel": ("N = (1 - np.eye(8)) / (1 + D)", "N = 1 / (1 + D)"),
        "own point forgotten": ("F.sum(axis=1)[:, None] * Y - F @ Y", "-F @ Y"),
        "normalised by rows": ("N / N.sum()", "N / N.sum(axis=1, keepdims=True)"),
    },
    tiny={"guard in the sum": ("Q = N / N.sum()", "Q = N / (N.sum() + 1e-4)")},
)


# --- k-means (hard) with soft weights of the clusters, and its entropic twin

POINTS = normal(20, 2)


def kmeans(centres):
    D = ((POINTS[:, None] - centres) ** 2).sum(axis=2)
    return np.mean(D[np.arange(20), D.argmin(axis=1)])


def kmeans_gradient(centres):
    D = ((POINTS[:, None] - centres) ** 2).sum(axis=2)
    nearest = D.argmin(axis=1)
    d = np.zeros_like(centres)
    np.add.at(d, nearest, 2 * (centres[nearest] - POINTS) / 20)
    return d


KMEANS = pair(
    kmeans,
    kmeans_gradient,
    normal(3, 2),
    bugs={
        "one point a cluster": (
            "np.add.at(d, nearest, 2 * (centres[nearest] - POINTS) / 20)",
            "d[nearest] = 2 * (centres[nearest] - POINTS) / 20",
        ),
        "mean of the cluster": (
            "d = np.zeros_like(centres)",
            "d = np.zeros_like(centres)\n    count = np.bincount(nearest)[nearest][:, None] / 20",
            "(centres[nearest] - POINTS) / 20",
            "(centres[nearest] - POINTS) / 20 / count",
        ),
        "farthest centre": ("nearest = D.argmin(axis=1)", "nearest = D.argmax(axis=1)"),
        "sign": ("(centres[nearest] - POINTS)", "(POINTS - centres[nearest])"),
        "factor 2": ("2 * (centres", "(centres"),
        "nearest by the first coordinate": (
            "nearest = D.argmin(axis=1)",
            "nearest = np.abs(POINTS[:, None, 0] - centres[:, 0]).argmin(axis=1)",
        ),
    },
)


# --- contrastive: similarities of two views, symmetric cross-entropy with a temperature


def contrastive(A, B, logt):
    S = A @ B.T * np.exp(logt)
    return -np.mean(np.diag(S)) + 0.5 * np.mean(logsumexp(S)) + 0.5 * np.mean(logsumexp(S.T))


def contrastive_gradient(A, B, logt):
    t = np.exp(logt)
    S = A @ B.T * t
    dS = (0.5 * softmax(S) + 0.5 * softmax(S.T).T - np.eye(len(S))) / len(S)
    return t * dS @ B, t * dS.T @ A, np.sum(dS * S)


CONTRASTIVE = pair(
    contrastive,
    contrastive_gradient,
    normal(5, 3),
    normal(5, 3),
    0.3,
    bugs={
        "one direction": ("0.5 * softmax(S) + 0.5 * softmax(S.T).T", "softmax(S)"),
        "softmax not turned back": ("softmax(S.T).T", "softmax(S.T)"),
        "temperature forgotten": ("t * dS @ B", "dS @ B"),
        "temperature: chain through the log": ("np.sum(dS * S)", "np.sum(dS * S) / t"),
        "second view not transposed": ("t * dS.T @ A", "t * dS @ A"),
        "positives forgotten": (" - np.eye(len(S))", ""),
        "temperature detached": ("np.sum(dS * S)", "0.0"),
    },
)


# --- optimal transport: Sinkhorn iterations unrolled, cost matrix wanted

MASS, GOAL = softmax(normal(4)), softmax(normal(5))


def sinkhorn(C):
    f, g = np.zeros(4), np.zeros(5)
    for _ in range(30):
        f = 0.4 * (np.log(MASS) - logsumexp((g - C) / 0.4))
        g = 0.4 * (np.log(GOAL) - logsumexp((f[:, None] - C).T / 0.4))
    return MASS @ f + GOAL @ g


def sinkhorn_gradient(C):
    """The plan itself, at convergence: the envelope theorem."""
    f, g = np.zeros(4), np.zeros(5)
    for _ in range(30):
        f = 0.4 * (np.log(MASS) - logsumexp((g - C) / 0.4))
        g = 0.4 * (np.log(GOAL) - logsumexp((f[:, None] - C).T / 0.4))
    return np.exp((f[:, None] + g - C) / 0.4)


SINKHORN = pair(
    sinkhorn,
    sinkhorn_gradient,
    rng.random((4, 5)) * 2,
    bugs={
        "independent plan": ("np.exp((f[:, None] + g - C) / 0.4)", "np.outer(MASS, GOAL)"),
        "sign": ("return np.exp", "return -np.exp"),
        "temperature forgotten": ("+ g - C) / 0.4)", "+ g - C))"),
        "rows normalised only": (
            "return np.exp((f[:, None] + g - C) / 0.4)",
            "return MASS[:, None] * softmax((g - C) / 0.5)",
        ),
        "stopped after two": ("range(30)", "range(2)"),
    },
    tiny={"stopped early": ("range(30)", "range(11)")},
)

PAIRS = [RECOMMENDER, DIVERGENCE, TENSOR, AUTOENCODER, TSNE, KMEANS, CONTRASTIVE, SINKHORN]
