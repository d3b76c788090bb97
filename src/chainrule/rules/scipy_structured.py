"""``scipy.linalg``: matrices made of vectors and blocks."""

import numpy as np
import scipy.linalg

from chainrule.core.primitive import composite
from chainrule.rules.joins import operand


@composite(scipy.linalg.block_diag)
def block_diag(*arrays):
    """Zeros with the arrays along the diagonal."""
    blocks = [np.atleast_2d(operand(a)) for a in arrays]
    batch = np.broadcast_shapes(*[b.shape[:-2] for b in blocks])
    blocks = [np.broadcast_to(b, (*batch, *b.shape[-2:])) if batch else b for b in blocks]
    dtype = np.result_type(*blocks)
    rows = [
        [
            b if i == j else np.zeros((*batch, b.shape[-2], c.shape[-1]), dtype)
            for j, c in enumerate(blocks)
        ]
        for i, b in enumerate(blocks)
    ]
    return np.concatenate([np.concatenate(row, -1) for row in rows], -2)


def _vector(x):
    return np.atleast_1d(operand(x))


_FLATTENS = scipy.linalg.toeplitz(np.ones((1, 2))).ndim == 2  # before SciPy 1.17: no stacks


@composite(scipy.linalg.toeplitz)
def toeplitz(c, r=None):
    c = _vector(c)
    r = np.conj(c) if r is None else _vector(r)
    if _FLATTENS:
        c, r = np.ravel(c), np.ravel(r)
    n, m = c.shape[-1], r.shape[-1]
    batch = np.broadcast_shapes(c.shape[:-1], r.shape[:-1])
    parts = (c[..., ::-1], r[..., 1:])
    parts = [np.broadcast_to(p, (*batch, p.shape[-1])) for p in parts] if batch else parts
    values = np.concatenate(parts, -1)
    return values[..., np.arange(n - 1, -1, -1)[:, None] + np.arange(m)]


@composite(scipy.linalg.circulant)
def circulant(c):
    c = _vector(c)
    n = c.shape[-1]
    return c[..., (np.arange(n)[:, None] - np.arange(n)) % max(n, 1)]


@composite(scipy.linalg.hankel)
def hankel(c, r=None):
    c = np.ravel(operand(c))
    r = np.zeros_like(c) if r is None else np.ravel(operand(r))
    values = np.concatenate([c, r[1:]])
    return values[np.arange(len(c))[:, None] + np.arange(len(r))]


@composite(scipy.linalg.companion)
def companion(a):
    """The first row holds -a[1:] / a[0], ones stand below the diagonal."""
    a = _vector(a)
    scipy.linalg.companion(np.array(a.shape[-1] * [1.0]))  # SciPy's own error for the length
    first = -a[..., 1:] / (1.0 * a[..., :1])
    n = first.shape[-1]
    below = np.broadcast_to(np.eye(n - 1, n), (*first.shape[:-1], n - 1, n))
    return np.concatenate([first[..., None, :], below.astype(first.dtype)], -2)


@composite(scipy.linalg.khatri_rao)
def khatri_rao(a, b):
    """The Kronecker products of the columns."""
    a, b = operand(a), operand(b)
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-1]:
        scipy.linalg.khatri_rao(np.empty(a.shape), np.empty(b.shape))  # SciPy's own error
    products = a[..., :, None, :] * b[..., None, :, :]
    *batch, m, n, columns = products.shape
    y = products.reshape(*batch, m * n, columns)
    return y if y.size else y.astype(a.dtype)


@composite(scipy.linalg.leslie)
def leslie(f, s):
    """The first row is f, s stands below the diagonal."""
    f, s = _vector(f), _vector(s)
    n = f.shape[-1]
    if n != s.shape[-1] + 1:
        scipy.linalg.leslie(np.empty(f.shape), np.empty(s.shape))  # SciPy's own error
    below = s[..., :, None] * np.eye(n - 1, n, dtype=s.dtype)
    first = np.broadcast_to(f[..., None, :], (*below.shape[:-2], 1, n))
    return np.concatenate([first, below], -2)


@composite(scipy.linalg.fiedler)
def fiedler(a):
    """|a_i - a_j|."""
    a = _vector(a)
    if a.size < 2:
        return scipy.linalg.fiedler(np.zeros(a.shape))
    return np.abs(a[..., :, None] - a[..., None, :])


@composite(scipy.linalg.diagsvd)
def diagsvd(s, M, N):
    s = operand(s)
    scipy.linalg.diagsvd(np.empty(s.shape), M, N)  # SciPy's own error
    n = s.shape[-1]
    if n == M:
        return s[..., :, None] * np.eye(n, N, dtype=s.dtype)
    return s[..., None, :] * np.eye(M, n, dtype=s.dtype)


@composite(scipy.linalg.convolution_matrix)
def convolution_matrix(a, n, mode="full"):
    """Column k holds a, shifted down by k; its modes are those of np.convolve."""
    a = operand(a)
    if a.ndim != 1 or mode not in ("full", "same", "valid") or n <= 0 or not a.size:
        shape = scipy.linalg.convolution_matrix(np.empty(a.shape), n, mode).shape  # its errors
        rows = [convolution_matrix(row, n, mode) for row in a.reshape(-1, a.shape[-1])]
        return np.stack(rows).reshape(shape)
    m = len(a)
    places = np.arange(m + n - 1)[:, None] - np.arange(n)
    inside = (places >= 0) & (places < m)
    full = np.where(inside, a[np.where(inside, places, 0)], 0.0)
    if mode == "full":
        return full
    cut = min(n, m) - 1
    first = cut // 2 if mode == "same" else cut
    last = cut - cut // 2 if mode == "same" else cut
    return full[first : len(full) - last]
