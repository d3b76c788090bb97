"""Linear algebra and distances as a careful person pulls a cotangent back:
``hand_linalg.f(*operands)(g)``.

What is outside the inner function the forward sweep has kept. Results are arrays of their own.
"""

import numpy as np
import scipy.linalg
import scipy.sparse.linalg
import scipy.spatial.distance


def T(a):
    return np.swapaxes(a, -1, -2)


def triangular(a, b, **options):
    return scipy.linalg.solve_triangular(a, b, check_finite=False, **options)


def solve(A, b):
    x = np.linalg.solve(A, b)

    def back(g):
        b_bar = np.linalg.solve(T(A), g)
        return -b_bar @ T(x), b_bar

    return back


def solve_triangular(L, b):
    x = scipy.linalg.solve_triangular(L, b, lower=True)

    def back(g):
        b_bar = scipy.linalg.solve_triangular(L, g, lower=True, trans=1, check_finite=False)
        return -np.tril(b_bar @ x.T), b_bar

    return back


def inv(A):
    Y = np.linalg.inv(A)
    return lambda g: -T(Y) @ g @ T(Y)


def pinv(A):
    """Of full column rank: P = (A^T A)^-1 A^T."""
    P = np.linalg.pinv(A)
    gram = P @ P.T

    def back(g):
        return -P.T @ (g @ P.T) + g.T @ gram - A @ (P @ (g.T @ gram))

    return back


def det(A):
    y = np.linalg.det(A)
    return lambda g: g * y * np.linalg.inv(A).T


def cholesky(A):
    L = np.linalg.cholesky(A)

    def back(g):
        P = np.tril(L.T @ g)
        P[np.diag_indices_from(P)] *= 0.5
        S = scipy.linalg.solve_triangular(L, P, lower=True, trans=1, check_finite=False)
        S = scipy.linalg.solve_triangular(L, S.T, lower=True, trans=1, check_finite=False).T
        return 0.5 * (S + S.T)

    return back


def eigh(A, solver=np.linalg.eigh):
    w, V = solver(A)
    gap = w - w[:, None]
    np.fill_diagonal(gap, np.inf)

    def back(gs):
        return V @ (np.diag(gs[0]) + (V.T @ gs[1]) / gap) @ V.T

    return back


def eigvalsh(A):
    _, V = np.linalg.eigh(A)
    return lambda g: (V * g) @ V.T


def svd(A):
    """Of a tall matrix."""
    U, s, Vh = np.linalg.svd(A, full_matrices=False)
    gap = s * s - (s * s)[:, None]
    np.fill_diagonal(gap, np.inf)

    def back(gs):
        g_u, g_s, g_v = gs[0], gs[1], gs[2].T
        x_u, x_v = U.T @ g_u, Vh @ g_v
        inner = (x_u - x_u.T) / gap * s + s[:, None] * ((x_v - x_v.T) / gap) + np.diag(g_s)
        return (U @ inner + (g_u - U @ x_u) / s) @ Vh

    return back


def qr(A):
    """Of a tall matrix."""
    Q, R = np.linalg.qr(A)

    def back(gs):
        g_q, g_r = gs
        M = R @ g_r.T - g_q.T @ Q
        M = np.tril(M) + np.tril(M, -1).T
        return scipy.linalg.solve_triangular(R, (g_q + Q @ M).T, check_finite=False).T

    return back


def expm(A):
    return lambda g: scipy.linalg.expm_frechet(A.T, g, compute_expm=False)


def cdist(a, b):
    d = scipy.spatial.distance.cdist(a, b)

    def back(g):
        w = g / d
        return a * w.sum(1)[:, None] - w @ b, b * w.sum(0)[:, None] - w.T @ a

    return back


def lstsq(A, b):
    x = np.linalg.lstsq(A, b)[0]
    residual = b - A @ x

    def back(g):
        Q, R = np.linalg.qr(A)
        w = scipy.linalg.solve_triangular(R, g, trans=1)
        z = scipy.linalg.solve_triangular(R, w)
        b_bar = Q @ w
        return np.outer(residual, z) - np.outer(b_bar, x), b_bar

    return back


def sylvester(A, B, Q):
    X = scipy.linalg.solve_sylvester(A, B, Q)

    def back(g):
        W = scipy.linalg.solve_sylvester(A.T, B.T, g)
        return -W @ X.T, -X.T @ W, W

    return back


def lyapunov(A, Q):
    """A X + X A^T = Q."""
    X = scipy.linalg.solve_continuous_lyapunov(A, Q)

    def back(g):
        W = scipy.linalg.solve_continuous_lyapunov(A.T, g)
        return -W @ X.T - W.T @ X, W

    return back


def discrete_lyapunov(A, Q):
    """A X A^T - X + Q = 0."""
    X = scipy.linalg.solve_discrete_lyapunov(A, Q)

    def back(g):
        W = scipy.linalg.solve_discrete_lyapunov(A.T, g)
        return W @ A @ X.T + W.T @ A @ X, W

    return back


def sqrtm(A):
    Y = scipy.linalg.sqrtm(A)
    return lambda g: scipy.linalg.solve_sylvester(Y.T, Y.T, g)


def cho_solve(C, b):
    x = scipy.linalg.cho_solve((C, True), b)

    def back(g):
        b_bar = scipy.linalg.cho_solve((C, True), g)
        A_bar = b_bar @ x.T
        return -np.tril((A_bar + A_bar.T) @ np.tril(C)), b_bar

    return back


def lu_factor(A):
    """P A = L U, packed: A_bar = P^T L^-T (low(L^T L_bar) + up(U_bar U^T)) U^-T."""
    F, swaps = scipy.linalg.lu_factor(A)
    order = np.arange(len(A))
    for i, k in enumerate(swaps):
        order[[i, k]] = order[[k, i]]
    L, U = np.tril(F, -1) + np.eye(len(A)), np.triu(F)

    def back(g):
        M = np.tril(L.T @ np.tril(g, -1), -1) + np.triu(np.triu(g) @ U.T)
        M = triangular(L, M, lower=True, trans=1, unit_diagonal=True)
        A_bar = np.empty_like(A)
        A_bar[order] = triangular(U, M.T).T
        return A_bar

    return back


def eigvals(A):
    """The forward sweep has no vectors."""

    def back(g):
        _, V = np.linalg.eig(A)
        return np.linalg.solve(T(V).conj(), g[:, None] * T(V).conj()).real

    return back


def eigh_generalized(A, B):
    w, V = scipy.linalg.eigh(A, B)
    gap = w - w[:, None]
    np.fill_diagonal(gap, np.inf)

    def back(gs):
        inner = V.T @ gs[1]
        K = np.diag(gs[0]) + inner / gap
        return V @ K @ V.T, -V @ (K * w + np.diag(0.5 * np.diag(inner))) @ V.T

    return back


def svdvals(A):
    U, _, Vh = np.linalg.svd(A, full_matrices=False)
    return lambda g: (U * g) @ Vh


def solve_banded(ab, b):
    """Of a tridiagonal matrix."""
    x = scipy.linalg.solve_banded((1, 1), ab, b)

    def back(g):
        turned = np.zeros_like(ab)
        turned[0, 1:], turned[1], turned[2, :-1] = ab[2, :-1], ab[1], ab[0, 1:]
        b_bar = scipy.linalg.solve_banded((1, 1), turned, g)
        ab_bar = np.zeros_like(ab)
        ab_bar[0, 1:] = -b_bar[:-1] * x[1:]
        ab_bar[1] = -b_bar * x
        ab_bar[2, :-1] = -b_bar[1:] * x[:-1]
        return ab_bar, b_bar

    return back


def solveh_banded(ab, b):
    """Of a tridiagonal matrix."""
    x = scipy.linalg.solveh_banded(ab, b)

    def back(g):
        b_bar = scipy.linalg.solveh_banded(ab, g)
        ab_bar = np.zeros_like(ab)
        ab_bar[0, 1:] = -b_bar[:-1] * x[1:] - b_bar[1:] * x[:-1]
        ab_bar[1] = -b_bar * x
        return ab_bar, b_bar

    return back


def pinvh(A):
    """Of full rank; the lower triangle is read."""
    P = np.linalg.pinv(A, hermitian=True)
    return lambda g: -P @ g @ P


def spsolve(pattern):
    """Where the values of a sparse matrix by columns enter too."""

    def operands(data, b):
        A = scipy.sparse.csc_array((data, pattern.indices, pattern.indptr), shape=pattern.shape)
        x = scipy.sparse.linalg.spsolve(A, b)
        columns = np.repeat(np.arange(len(b)), np.diff(pattern.indptr))

        def back(g):
            b_bar = scipy.sparse.linalg.spsolve(A.T.tocsc(), g)
            return -b_bar[pattern.indices] * x[columns], b_bar

        return back

    return operands


def cdist_squared(a, b):
    def back(g):
        w = 2 * g
        return a * w.sum(1)[:, None] - w @ b, b * w.sum(0)[:, None] - w.T @ a

    return back


def _pdist_back(w, a):
    w = scipy.spatial.distance.squareform(w)
    return a * w.sum(1)[:, None] - w @ a


def pdist(a):
    d = scipy.spatial.distance.pdist(a)
    return lambda g: _pdist_back(g / d, a)


def pdist_squared(a):
    return lambda g: _pdist_back(2 * g, a)
