"""Gaussian processes and linear algebra: evidence, Cholesky, implicit solves, eigenvectors."""

import numpy as np
import scipy.linalg

from tests.check.corpus.base import pair

rng = np.random.default_rng(8)


def normal(*shape, scale=1.0):
    return scale * rng.standard_normal(shape)


# --- evidence with a squared exponential kernel: log lengths, log amplitude, log noise

X = normal(10, 2)
Y = np.sin(X[:, 0]) + 0.3 * normal(10)
SQUARES = (X[:, None] - X) ** 2
JITTER = 2e-6


def evidence(lengths, amplitude, noise):
    K = np.exp(2 * amplitude - 0.5 * SQUARES @ np.exp(-2 * lengths))
    K = K + (np.exp(2 * noise) + JITTER) * np.eye(10)
    L = np.linalg.cholesky(K)
    a = scipy.linalg.solve_triangular(L, Y, lower=True)
    return 0.5 * a @ a + np.sum(np.log(np.diag(L)))


def evidence_exact(lengths, amplitude, noise):
    K = np.exp(2 * amplitude - 0.5 * SQUARES @ np.exp(-2 * lengths))
    K = K + (np.exp(2 * noise) + JITTER) * np.eye(10)
    return 0.5 * Y @ np.linalg.solve(K, Y) + 0.5 * np.log(np.linalg.det(K))


def evidence_gradient(lengths, amplitude, noise):
    k = np.exp(2 * amplitude - 0.5 * SQUARES @ np.exp(-2 * lengths))
    K = k + (np.exp(2 * noise) + JITTER) * np.eye(10)
    a = np.linalg.solve(K, Y)
    dK = 0.5 * (np.linalg.inv(K) - np.outer(a, a))
    dlengths = np.einsum("ij,ijd->d", dK * k, SQUARES) * np.exp(-2 * lengths)
    return dlengths, 2 * np.sum(dK * k), 2 * np.exp(2 * noise) * np.trace(dK)


EVIDENCE = pair(
    evidence,
    evidence_gradient,
    np.array([0.1, 0.5]),
    0.2,
    -1.0,
    exact=evidence_exact,
    bugs={
        "half forgotten": ("0.5 * (np.linalg.inv(K)", "(np.linalg.inv(K)"),
        "determinant forgotten": ("np.linalg.inv(K) - np.outer(a, a)", "-np.outer(a, a)"),
        "data term forgotten": (" - np.outer(a, a))", ")"),
        "sign of the data term": ("- np.outer(a, a)", "+ np.outer(a, a)"),
        "outer product of y": ("np.outer(a, a)", "np.outer(a, Y)"),
        "chain through the log length": (" * np.exp(-2 * lengths)\n    return", "\n    return"),
        "length for its square": ("SQUARES) * np.exp(-2 * lengths)", "SQUARES) * np.exp(-lengths)"),
        "noise: factor 2": (
            "2 * np.exp(2 * noise) * np.trace(dK)",
            "np.exp(2 * noise) * np.trace(dK)",
        ),
        "noise: sum for trace": ("np.trace(dK)", "np.sum(dK)"),
        "amplitude: with the noise": ("2 * np.sum(dK * k)", "2 * np.sum(dK * K)"),
        "product of matrices for elements": ("2 * np.sum(dK * k)", "2 * np.sum(dK @ k)"),
    },
    tiny={
        "jitter forgotten": ("K = k + (np.exp(2 * noise) + JITTER)", "K = k + np.exp(2 * noise)")
    },
)


# --- the Cholesky factor itself: f = sum C * L(A A^T + 2 I), backward by the classical formula

C = np.tril(normal(4, 4))


def cholesky_sum(A):
    return np.sum(C * np.linalg.cholesky(A @ A.T + 2 * np.eye(4)))


def cholesky_sum_exact(A):
    K = A @ A.T + 2 * np.eye(4)
    L = [[0.0] * 4 for _ in range(4)]
    for i in range(4):
        for j in range(i + 1):
            rest = K[i, j] - sum(L[i][k] * L[j][k] for k in range(j))
            L[i][j] = np.sqrt(rest) if i == j else rest / L[j][j]
    return sum(C[i, j] * L[i][j] for i in range(4) for j in range(4))


def cholesky_sum_gradient(A):
    L = np.linalg.cholesky(A @ A.T + 2 * np.eye(4))
    P = np.tril(L.T @ C)
    P[np.diag_indices(4)] *= 0.5
    inverse = np.linalg.inv(L)
    S = inverse.T @ P @ inverse
    return (S + S.T) @ A


CHOLESKY = pair(
    cholesky_sum,
    cholesky_sum_gradient,
    normal(4, 4),
    exact=cholesky_sum_exact,
    bugs={
        "diagonal not halved": ("*= 0.5", "*= 1.0"),
        "lower triangle forgotten": ("np.tril(L.T @ C)", "L.T @ C"),
        "upper triangle": ("np.tril(L.T @ C)", "np.triu(L.T @ C)"),
        "not symmetrised": ("(S + S.T) @ A", "2 * S @ A"),
        "factor 2 of A A^T": ("(S + S.T) @ A", "0.5 * (S + S.T) @ A"),
        "inverse not transposed": ("inverse.T @ P", "inverse @ P"),
        "factor not transposed": ("L.T @ C", "L @ C"),
    },
)


# --- ridge regression tuned through its solution: bilevel, by an adjoint solve

TRAIN, VALID = normal(12, 4), normal(8, 4)
TRAIN_Y, VALID_Y = normal(12), normal(8)


def bilevel_ridge(logs):
    """Loss on the validation set of the ridge solution with penalty exp(logs) (one per weight)."""
    w = np.linalg.solve(TRAIN.T @ TRAIN + np.diag(np.exp(logs)), TRAIN.T @ TRAIN_Y)
    return 0.5 * np.mean((VALID @ w - VALID_Y) ** 2)


def bilevel_ridge_gradient(logs):
    H = TRAIN.T @ TRAIN + np.diag(np.exp(logs))
    w = np.linalg.solve(H, TRAIN.T @ TRAIN_Y)
    dw = VALID.T @ (VALID @ w - VALID_Y) / len(VALID)
    adjoint = np.linalg.solve(H, dw)
    return -adjoint * w * np.exp(logs)


BILEVEL = pair(
    bilevel_ridge,
    bilevel_ridge_gradient,
    normal(4),
    bugs={
        "sign of the implicit term": ("return -adjoint", "return adjoint"),
        "solve forgotten": ("adjoint = np.linalg.solve(H, dw)", "adjoint = dw"),
        "Hessian of the validation set": (
            "adjoint = np.linalg.solve(H, dw)",
            "adjoint = np.linalg.solve(VALID.T @ VALID, dw)",
        ),
        "penalty forgotten in the adjoint": (
            "adjoint = np.linalg.solve(H, dw)",
            "adjoint = np.linalg.solve(TRAIN.T @ TRAIN, dw)",
        ),
        "chain through the exp": (" * np.exp(logs)\n", "\n"),
        "size of the training set": ("/ len(VALID)", "/ len(TRAIN)"),
        "one Neumann step": (
            "adjoint = np.linalg.solve(H, dw)",
            "adjoint = 2 * dw / np.diag(H) - H @ (dw / np.diag(H)) / np.diag(H)",
        ),
    },
    tiny={
        "adjoint solve damped": (
            "np.linalg.solve(H, dw)",
            "np.linalg.solve(H + 1e-4 * np.eye(4), dw)",
        ),
    },
)


# --- eigenvalues and an eigenvector of a symmetric matrix

V = normal(5)


def spectral(A):
    S = (A + A.T) / 2
    w, Q = np.linalg.eigh(S)
    return np.log1p(w[-1] ** 2) + (Q[:, -1] @ V) ** 2


def spectral_exact(A):
    """Rayleigh quotient iteration from the eigenvector: it converges cubically, in complex too."""
    S = (A + A.T) / 2
    w, Q = np.linalg.eigh(S.real)
    q, shift = Q[:, -1] + 0j, w[-1] + 1e-3
    for _ in range(40):
        q = np.linalg.solve(S - shift * np.eye(5), q)
        q = q / np.sqrt(q @ q)
    return np.log1p((q @ S @ q) ** 2) + (q @ V) ** 2


def spectral_gradient(A):
    S = (A + A.T) / 2
    w, Q = np.linalg.eigh(S)
    q, top = Q[:, -1], w[-1]
    gaps = np.append(1 / (top - w[:-1]), 0.0)
    dq = 2 * (q @ V) * V
    dS = 2 * top / (1 + top**2) * np.outer(q, q) + np.outer(Q @ (gaps * (Q.T @ dq)), q)
    return (dS + dS.T) / 2


SPECTRAL = pair(
    spectral,
    spectral_gradient,
    normal(5, 5) + np.diag([0, 1, 2, 3, 4]),
    exact=spectral_exact,
    bugs={
        "eigenvector detached": (" + np.outer(Q @ (gaps * (Q.T @ dq)), q)", ""),
        "gaps with the wrong sign": ("1 / (top - w[:-1])", "1 / (w[:-1] - top)"),
        "not symmetrised": ("return (dS + dS.T) / 2", "return dS"),
        "symmetrised without the half": ("return (dS + dS.T) / 2", "return dS + dS.T"),
        "gaps forgotten": ("gaps * (Q.T @ dq)", "(gaps > 0) * (Q.T @ dq)"),
        "eigenvectors as rows": ("Q @ (gaps * (Q.T @ dq))", "Q.T @ (gaps * (Q @ dq))"),
        "lowest eigenvalue": ("dS = 2 * top / (1 + top**2)", "dS = 2 * w[0] / (1 + w[0] ** 2)"),
    },
)

PAIRS = [EVIDENCE, CHOLESKY, BILEVEL, SPECTRAL]
