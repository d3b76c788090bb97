"""Pullbacks as a careful person writes them: ``hand.f(*operands)(g)``.

What is outside the inner function the forward sweep has kept. Results are arrays of their own.
"""

import numpy as np
import scipy.linalg
import scipy.spatial
import scipy.special


def T(a):
    return np.swapaxes(a, -1, -2)


# ---------------------------------------------------------------- elementwise


def divide(a, b):
    y = a / b
    return lambda g: (g / b, -g * y / b)


def power(a, b):
    y = a**b
    return lambda g: (g * b * a ** (b - 1), g * y * np.log(a))


def logaddexp(a, b):
    y = np.logaddexp(a, b)
    return lambda g: (g * np.exp(a - y), g * np.exp(b - y))


def arctan2(a, b):
    def back(g):
        scaled = g / (a * a + b * b)
        return scaled * b, -scaled * a

    return back


def hypot(a, b):
    y = np.hypot(a, b)
    return lambda g: (g * a / y, g * b / y)


def expit(x):
    y = scipy.special.expit(x)
    return lambda g: g * (y * (1 - y))


def tanh(x):
    y = np.tanh(x)
    return lambda g: g * (1 - y * y)


def exp(x):
    y = np.exp(x)
    return lambda g: g * y


def sqrt(x):
    y = np.sqrt(x)
    return lambda g: g * (0.5 / y)


def maximum(x, y):
    def back(g):
        first = x > y
        return g * first, g * ~first

    return back


def xlogy(x, y):
    return lambda g: (g * np.log(y), g * x / y)


# ---------------------------------------------------------------- along an axis


def var(x):
    d = x - x.mean(axis=1, keepdims=True)
    return lambda g: (g * (2 / x.shape[1]))[:, None] * d


def std(x):
    d = x - x.mean(axis=1, keepdims=True)
    y = np.sqrt((d * d).mean(axis=1))
    return lambda g: (g / (y * x.shape[1]))[:, None] * d


def max_of(x):
    y = x.max(axis=1, keepdims=True)
    chosen = x == y
    ties = chosen.sum(axis=1, keepdims=True)
    return lambda g: np.where(chosen, g[:, None] / ties, 0.0)


def prod(x):
    y = x.prod(axis=1)
    return lambda g: (g * y)[:, None] / x


def cumprod(x):
    y = np.cumprod(x, axis=1)
    return lambda g: np.cumsum((g * y)[:, ::-1], axis=1)[:, ::-1] / x


def norm(x):
    y = np.linalg.norm(x, axis=1)
    return lambda g: (g / y)[:, None] * x


def logsumexp(x):
    y = scipy.special.logsumexp(x, axis=1)
    return lambda g: g[:, None] * np.exp(x - y[:, None])


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    y = e / e.sum(axis=1, keepdims=True)
    return lambda g: y * (g - (g * y).sum(axis=1, keepdims=True))


def softmax_in_steps(x):
    """The steps of softmax written in NumPy one by one; one formula for all: a compiler's."""
    top = np.max(x, axis=1, keepdims=True)
    e = np.exp(x - top)
    total = np.sum(e, axis=1, keepdims=True)
    y = e / total

    def back(g):
        e_bar = g / total
        e_bar += np.sum(-g * y, axis=1, keepdims=True) / total
        x_bar = e_bar * e
        top_bar = -np.sum(x_bar, axis=1, keepdims=True)
        chosen = x == top
        x_bar += np.where(chosen, top_bar / np.sum(chosen, axis=1, keepdims=True), 0.0)
        return x_bar

    return back


def log_softmax(x):
    y = scipy.special.log_softmax(x, axis=1)
    return lambda g: g - np.exp(y) * g.sum(axis=1, keepdims=True)


def sort(x):
    order = np.argsort(x, axis=1)

    def back(g):
        x_bar = np.empty_like(g)
        np.put_along_axis(x_bar, order, g, 1)
        return x_bar

    return back


def median(x):
    n = x.shape[1]
    middle = np.argsort(x, axis=1)[:, (n - 1) // 2 : n // 2 + 1]

    def back(g):
        x_bar = np.zeros_like(x)
        share = np.broadcast_to(g[:, None] / middle.shape[1], middle.shape)
        np.put_along_axis(x_bar, middle, share, 1)
        return x_bar

    return back


def diff(x):
    def back(g):
        x_bar = np.zeros_like(x)
        x_bar[:, 1:] = g
        x_bar[:, :-1] -= g
        return x_bar

    return back


# ---------------------------------------------------------------- moving elements


def getitem(x):
    def back(g):
        x_bar = np.zeros_like(x)
        x_bar[10:-10] = g
        return x_bar

    return back


def gather(index):
    return lambda x: lambda g: np.bincount(index, g, len(x))


def rows(index):
    def operand(x):
        def back(g):
            x_bar = np.zeros_like(x)
            np.add.at(x_bar, index, g)
            return x_bar

        return back

    return operand


def filtered(mask):
    def operand(x):
        def back(g):
            x_bar = np.zeros_like(x)
            x_bar[mask] = g
            return x_bar

        return back

    return operand


def along(order):
    def operand(x):
        def back(g):
            x_bar = np.zeros_like(x)
            np.put_along_axis(x_bar, order, g, 1)
            return x_bar

        return back

    return operand


def interp(at, points):
    def operand(values):
        right = np.clip(np.searchsorted(points, at), 1, len(points) - 1)
        weight = (at - points[right - 1]) / (points[right] - points[right - 1])
        weight = np.clip(weight, 0.0, 1.0)

        def back(g):
            n = len(values)
            return np.bincount(right, g * weight, n) + np.bincount(right - 1, g * (1 - weight), n)

        return back

    return operand


# ---------------------------------------------------------------- linear algebra


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


def eigh(A):
    w, V = np.linalg.eigh(A)
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
