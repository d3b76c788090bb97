"""Linear algebra and distances as a careful person pushes a tangent forward:
``hand_forward_linalg.f(operands, tangents)``, value and tangent.
"""

import numpy as np
import scipy.linalg
import scipy.spatial.distance
from hand_linalg import triangular


def sylvester(xs, ts):
    (A, B, Q), (dA, dB, dQ) = xs, ts
    X = scipy.linalg.solve_sylvester(A, B, Q)
    return X, scipy.linalg.solve_sylvester(A, B, dQ - dA @ X - X @ dB)


def lyapunov(xs, ts):
    (A, Q), (dA, dQ) = xs, ts
    X = scipy.linalg.solve_continuous_lyapunov(A, Q)
    return X, scipy.linalg.solve_continuous_lyapunov(A, dQ - dA @ X - X @ dA.T)


def discrete_lyapunov(xs, ts):
    (A, Q), (dA, dQ) = xs, ts
    X = scipy.linalg.solve_discrete_lyapunov(A, Q)
    return X, scipy.linalg.solve_discrete_lyapunov(A, dQ + dA @ X @ A.T + A @ X @ dA.T)


def sqrtm(xs, ts):
    Y = scipy.linalg.sqrtm(*xs)
    return Y, scipy.linalg.solve_sylvester(Y, Y, *ts)


def read(dA):
    """Of a tangent of a symmetric matrix the lower triangle is read."""
    return np.tril(dA) + np.tril(dA, -1).T


def solve(xs, ts):
    (A, b), (dA, db) = xs, ts
    x = np.linalg.solve(A, b)
    return x, np.linalg.solve(A, db - dA @ x)


def solve_triangular(xs, ts):
    (L, b), (dL, db) = xs, ts
    x = triangular(L, b, lower=True)
    return x, triangular(L, db - np.tril(dL) @ x, lower=True)


def inv(xs, ts):
    Y = np.linalg.inv(*xs)
    return Y, -Y @ ts[0] @ Y


def pinv(xs, ts):
    (A,), (dA,) = xs, ts
    P = np.linalg.pinv(A)
    step = dA.T - (dA.T @ A) @ P  # dA^T (1 - A P)
    return P, -P @ dA @ P + P @ (P.T @ step)


def lstsq(xs, ts):
    """Of full column rank: A^T A dx = dA^T (b - A x) + A^T (db - dA x)."""
    (A, b), (dA, db) = xs, ts
    x = np.linalg.lstsq(A, b)[0]
    Q, R = np.linalg.qr(A)
    right = Q.T @ (db - dA @ x) + triangular(R, dA.T @ (b - A @ x), trans=1)
    return x, triangular(R, right)


def det(xs, ts):
    y = np.linalg.det(*xs)
    return y, y * np.vdot(np.linalg.inv(*xs).T, ts[0])


def slogdet(xs, ts):
    return np.linalg.slogdet(*xs)[1], np.vdot(np.linalg.inv(*xs).T, ts[0])


def cholesky(xs, ts):
    L = np.linalg.cholesky(*xs)
    S = triangular(L, read(*ts), lower=True)
    S = np.tril(triangular(L, S.T, lower=True))
    S[np.diag_indices_from(S)] *= 0.5
    return L, L @ S


def eigh(xs, ts, solver=np.linalg.eigh):
    w, V = solver(*xs)
    gap = w - w[:, None]
    np.fill_diagonal(gap, np.inf)
    M = V.T @ read(*ts) @ V
    return (w, V), (np.diag(M).copy(), V @ (M / gap))


def eigvalsh(xs, ts):
    _, V = np.linalg.eigh(*xs)
    return np.linalg.eigvalsh(*xs), np.sum(V * (read(*ts) @ V), axis=0)


def svd(xs, ts):
    """Of a tall matrix."""
    U, s, Vh = np.linalg.svd(*xs, full_matrices=False)
    gap = s * s - (s * s)[:, None]
    np.fill_diagonal(gap, np.inf)
    AV = ts[0] @ Vh.T
    M = U.T @ AV
    Ms, sM = M * s, s[:, None] * M
    dU = U @ ((Ms + Ms.T) / gap) + (AV - U @ M) / s
    dV = Vh.T @ ((sM + sM.T) / gap)
    return (U, s, Vh), (dU, np.diag(M).copy(), dV.T)


def svdvals(xs, ts):
    U, _, Vh = np.linalg.svd(*xs, full_matrices=False)
    return np.linalg.svdvals(*xs), np.sum(U * (ts[0] @ Vh.T), axis=0)


def qr(xs, ts):
    """Of a tall matrix."""
    Q, R = np.linalg.qr(*xs)
    S = triangular(R, ts[0].T, trans=1).T  # dA R^-1
    M = Q.T @ S
    low = np.tril(M, -1)
    turn = low - low.T
    return (Q, R), (S - Q @ (M - turn), (M - turn) @ R)


def expm(xs, ts):
    return scipy.linalg.expm(*xs), scipy.linalg.expm_frechet(*xs, *ts, compute_expm=False)


def approach(a, b, da, db):
    """(a_i - b_j) . (da_i - db_j): products of sums would cancel."""
    columns = zip(a.T, b.T, da.T, db.T)
    return sum((x[:, None] - z) * (dx[:, None] - dz) for x, z, dx, dz in columns)


def cdist(xs, ts):
    d = scipy.spatial.distance.cdist(*xs)
    return d, approach(*xs, *ts) / d


def cdist_squared(xs, ts):
    return scipy.spatial.distance.cdist(*xs, "sqeuclidean"), 2 * approach(*xs, *ts)


def pdist(xs, ts):
    d = scipy.spatial.distance.pdist(*xs)
    products = approach(*xs, *xs, *ts, *ts)
    return d, scipy.spatial.distance.squareform(products, checks=False) / d


def pdist_squared(xs, ts):
    products = scipy.spatial.distance.squareform(approach(*xs, *xs, *ts, *ts), checks=False)
    return scipy.spatial.distance.pdist(*xs, "sqeuclidean"), 2 * products


def pinvh(xs, ts):
    P = np.linalg.pinv(*xs, hermitian=True)
    return P, -P @ read(*ts) @ P


def eigvals(xs, ts):
    _, V = np.linalg.eig(*xs)
    return np.linalg.eigvals(*xs), np.sum(np.linalg.inv(V).T * (ts[0] @ V), axis=0)
