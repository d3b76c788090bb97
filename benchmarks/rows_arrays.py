"""Reductions, elements that move, transforms and products."""

from functools import partial

import hand
import hand_forward
import hand_forward_linalg
import hand_linalg
import numpy as np
import scipy.fft
import scipy.linalg
import scipy.signal
import scipy.sparse
import scipy.spatial.distance
import scipy.special
from numpy.lib.stride_tricks import as_strided, sliding_window_view
from rows import Row, bilinear, linear, plain, uniform


def rows(n: int) -> list[Row]:
    """Vectors of n numbers, matrices of about as many."""
    m = int(n**0.5)
    return [*_reductions(n, m), *_moving(n, m), *_transforms(n), *_products(n, m)]


def softmax_in_steps(x):
    e = np.exp(x - np.max(x, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


def _reductions(n, m):
    x, a = uniform(n), uniform(m, m)
    w, short, few = uniform(m, m, seed=2), a[:, : m // 5 + 2], np.arange(0, n, 10)
    return [
        linear("sum", lambda x: np.sum(x, axis=1), (a,),
               lambda x: lambda g: np.broadcast_to(g[:, None], x.shape).copy()),
        linear("sum of all", np.sum, (a,), lambda x: lambda g: np.full(x.shape, g)),
        linear("mean", lambda x: np.mean(x, axis=0), (a,),
               lambda x: lambda g: np.broadcast_to(g / len(x), x.shape).copy()),
        Row("var", lambda x: np.var(x, axis=1), (a,), hand.var, hand_forward.var),
        Row("std", lambda x: np.std(x, axis=1), (a,), hand.std, hand_forward.std),
        Row("max", lambda x: np.max(x, axis=1), (a,), hand.max_of, hand_forward.max_of),
        Row("min", lambda x: np.min(x, axis=1), (a,), hand.min_of, hand_forward.min_of),
        Row("fmax.reduce", lambda x: np.fmax.reduce(x, axis=1), (a,), hand.max_of,
            hand_forward.max_of),
        Row("fmin.reduce", lambda x: np.fmin.reduce(x, axis=1), (a,), hand.min_of,
            hand_forward.min_of),
        Row("prod", lambda x: np.prod(x, axis=1), (a,), hand.prod, hand_forward.prod),
        linear("cumsum", lambda x: np.cumsum(x, axis=1), (a,),
               lambda x: lambda g: np.cumsum(g[:, ::-1], axis=1)[:, ::-1]),
        Row("cumprod", lambda x: np.cumprod(x, axis=1), (short,), hand.cumprod,
            hand_forward.cumprod),
        linear("diff", lambda x: np.diff(x, axis=1), (a,), hand.diff),
        Row("sort", lambda x: np.sort(x, axis=1), (a,), hand.sort, hand_forward.sort),
        Row("median", lambda x: np.median(x, axis=1), (a,), hand.median, hand_forward.median),
        Row("norm", lambda x: np.linalg.norm(x, axis=1), (a,), hand.norm, hand_forward.norm),
        Row("norm of all", np.linalg.norm, (a,), lambda x: lambda g: x * (g / np.linalg.norm(x)),
            hand_forward.norm_of_all),
        Row("scipy_norm", lambda x: scipy.linalg.norm(x), (x,),
            lambda x: lambda g: x * (g / np.linalg.norm(x)),
            partial(hand_forward.norm_of_all, norm=scipy.linalg.norm)),
        Row("power_norm", lambda x: np.linalg.norm(x, 3, axis=1), (a,), hand.norm_3,
            hand_forward.norm_3),
        Row("logsumexp", lambda x: scipy.special.logsumexp(x, axis=1), (a,), hand.logsumexp,
            hand_forward.logsumexp),
        Row("logaddexp.reduce", lambda x: np.logaddexp.reduce(x, axis=1), (a,), hand.logsumexp,
            partial(hand_forward.logsumexp, value=np.logaddexp.reduce)),
        plain("logaddexp2.reduce", lambda x: np.logaddexp2.reduce(x, axis=1), (a,)),
        Row("logsumexp_weighted", lambda x, b: scipy.special.logsumexp(x, 1, b), (a, w),
            hand.logsumexp_weighted),
        plain("logsumexp_signed", lambda x, b: scipy.special.logsumexp(
            x, 1, b, return_sign=True)[0], (a, w - 0.7)),
        Row("softmax", lambda x: scipy.special.softmax(x, axis=1), (a,), hand.softmax,
            hand_forward.softmax),
        Row("log_softmax", lambda x: scipy.special.log_softmax(x, axis=1), (a,),
            hand.log_softmax, hand_forward.log_softmax),
        Row("softmax in NumPy", softmax_in_steps, (a,), hand.softmax_in_steps,
            hand_forward.softmax),
        linear("add.reduceat", lambda x: np.add.reduceat(x, few), (x,),
               lambda x: lambda g: np.repeat(g, np.diff(few, append=n))),
    ]  # fmt: skip


def _moving(n, m):
    x, y, a = uniform(n), uniform(n, seed=1), uniform(m, m)
    z = x + 1j * y
    rng = np.random.default_rng(2)
    index, mask, bins = rng.integers(0, n, n), y > 0.7, rng.integers(0, 100, n)
    some, order = rng.integers(0, m, 3 * m), np.argsort(a, axis=1)
    points, third = np.sort(uniform(1 + n // 100, seed=4)), x[: n // 3]
    values = uniform(1 + n // 100, seed=5)

    def assigned(x, v):
        y = x.copy()
        y[2:-2] = v
        return y

    def with_real_part(z, x):
        y = z.copy()
        y.real = x
        return y

    def every_third(x):
        return as_strided(x, (n // 3,), (3 * x.strides[0],)).copy()

    return [
        linear("x[2:-2]", lambda x: x[2:-2].copy(), (x,), hand.inner),
        linear("x[index]", lambda x: x[index], (x,), hand.gather(index)),
        linear("x[rows]", lambda x: x[some], (a,), hand.rows(some)),
        linear("x[mask]", lambda x: x[mask], (x,), hand.filtered(mask)),
        linear("x[2:-2] = v", assigned, (x, y[2:-2]), hand.assigned),
        linear("take", lambda x: np.take(x, some, axis=0), (a,), hand.rows(some)),
        linear("take_along_axis", lambda x: np.take_along_axis(x, order, 1), (a,),
               hand.along(order)),
        linear("bincount of weights", lambda x: np.bincount(bins, x), (x,),
               lambda x: lambda g: g[bins]),
        linear("transpose", lambda x: np.ascontiguousarray(x.T), (a,),
               lambda x: lambda g: g.T.copy()),
        linear("reshape", lambda x: x.T.reshape(-1), (a,),
               lambda x: lambda g: g.reshape(x.shape).T.copy()),
        linear("broadcast_to", lambda x: np.broadcast_to(x, (m, m)).copy(), (x[:m],),
               lambda x: lambda g: g.sum(axis=0)),
        bilinear("row times column", lambda a, b: a[:, None] * b, (x[:m], y[:m]),
                 lambda a, b: lambda g: (g @ b, a @ g)),
        linear("row + column", lambda a, b: a[:, None] + b, (x[:m], y[:m]),
               lambda a, b: lambda g: (g.sum(axis=1), g.sum(axis=0))),
        linear("copy", np.copy, (x,), lambda x: np.copy),
        linear("astype", lambda x: x.astype(complex), (x,), lambda x: lambda g: g.real.copy()),
        linear("array", lambda x, y: np.array([x, y]), (x, y),
               lambda x, y: lambda g: (g[0].copy(), g[1].copy())),
        linear("concatenate", lambda a, b: np.concatenate([a, b]), (x, y),
               lambda a, b: lambda g: (g[: len(a)].copy(), g[len(a) :].copy())),
        linear("stack", lambda a, b: np.stack([a, b], 1), (x, y),
               lambda a, b: lambda g: (g[:, 0].copy(), g[:, 1].copy())),
        linear("pad", lambda x: np.pad(x, 3), (a,), lambda x: lambda g: g[3:-3, 3:-3].copy()),
        linear("roll", lambda x: np.roll(x, 5), (x,), lambda x: lambda g: np.roll(g, -5)),
        linear("tile", lambda x: np.tile(x, 3), (x,), lambda x: lambda g: g.reshape(3, -1).sum(0)),
        linear("repeat", lambda x: np.repeat(x, 3), (third,),
               lambda x: lambda g: g.reshape(-1, 3).sum(1)),
        linear("tril", np.tril, (a,), lambda x: np.tril),
        linear("triu", np.triu, (a,), lambda x: np.triu),
        linear("diagonal", lambda x: np.diagonal(x).copy(), (a,), lambda x: np.diag),
        linear("diag", np.diag, (x[:m],), lambda x: lambda g: np.diagonal(g).copy()),
        linear("sliding_window_view", lambda x: sliding_window_view(x, 3).copy(), (x,),
               hand.windows),
        linear("as_strided", every_third, (x,), hand.every_third),
        linear("view", lambda z: z.view(float).copy(), (z,),
               lambda z: lambda g: g.view(complex).copy()),
        linear("y.real = x", with_real_part, (z, x),
               lambda z, x: lambda g: (1j * g.imag, g.real.copy())),
        linear("interp", lambda v: np.interp(x, points, v), (values,), hand.interp(x, points)),
    ]  # fmt: skip


def _transforms(n):
    x = uniform(2 * (n // 2))
    z = x[: len(x) // 2] + 1j * x[len(x) // 2 :]
    size = len(x)
    return [
        linear("fft", np.fft.fft, (x,), lambda x: lambda g: np.fft.ifft(g).real * size),
        linear("ifft of complex", np.fft.ifft, (z,), lambda z: lambda g: np.fft.fft(g) / len(z)),
        linear("rfft", np.fft.rfft, (x,), hand.rfft),
        linear("irfft", lambda z: np.fft.irfft(z, 2 * len(z) - 1), (z,), hand.irfft),
        linear("dct", lambda x: scipy.fft.dct(x, norm="ortho"), (x,),
               lambda x: lambda g: scipy.fft.idct(g, norm="ortho")),
        linear("dst", lambda x: scipy.fft.dst(x), (x,), lambda x: lambda g: _dst_adjoint(g)),
    ]  # fmt: skip


def _dst_adjoint(g):
    """Of type 2: 2 sum_k g_k sin(pi (k + 1) (2 j + 1) / (2 n)) is type 3 with its end doubled."""
    g = g.copy()
    g[-1] *= 2
    return scipy.fft.dst(g, 3)


def _products(n, m):
    x, y, a, b = uniform(n), uniform(n, seed=1), uniform(m, m), uniform(m, m, seed=1)
    half, stack, kernel = m // 2, uniform(3, m // 2, m // 2), uniform(1 + n // 2000, seed=3)
    image, patch = a, uniform(3, 4, seed=4)
    s = scipy.sparse.random_array((n // 5, n // 5), density=50 / n, format="csr", random_state=5)

    def values_of(v):
        """The product as a function of the stored numbers."""
        return lambda data: scipy.sparse.csr_array((data, s.indices, s.indptr), s.shape) @ v

    cdist, pdist = scipy.spatial.distance.cdist, scipy.spatial.distance.pdist
    p, q = a[:, :5], b[:, :5]
    table = [
        bilinear("matmul", np.matmul, (a, b), lambda a, b: lambda g: (g @ b.T, a.T @ g)),
        bilinear("matrix @ vector", np.matmul, (a, x[:m]),
                 lambda a, b: lambda g: (np.outer(g, b), a.T @ g)),
        bilinear("dot", np.dot, (x, y), lambda a, b: lambda g: (g * b, g * a)),
        bilinear("dot of a stack", np.dot, (stack, a[:half, :half]),
                 lambda a, b: lambda g: (g @ b.T, np.tensordot(a, g, ([0, 1], [0, 1])))),
        bilinear("vecdot", np.vecdot, (a, b),
                 lambda a, b: lambda g: (g[:, None] * b, g[:, None] * a)),
        bilinear("einsum ij,jk", lambda a, b: np.einsum("ij,jk->ik", a, b),
                 (a[:half], b[:, :half]), lambda a, b: lambda g: (g @ b.T, a.T @ g)),
        bilinear("einsum ij,ij->i", lambda a, b: np.einsum("ij,ij->i", a, b), (a, b),
                 lambda a, b: lambda g: (g[:, None] * b, g[:, None] * a)),
        bilinear("outer", np.outer, (x[:m], y[:m]), lambda a, b: lambda g: (g @ b, a @ g)),
        bilinear("tensordot", lambda a, b: np.tensordot(a, b, ([1], [1])), (a, b),
                 lambda a, b: lambda g: (g @ b, g.T @ a)),
        bilinear("convolve", np.convolve, (x[: n // 5], kernel), lambda x, k: lambda g: (
            np.correlate(g, k, "valid"), np.correlate(g, x, "valid"))),
        bilinear("convolve2d", lambda a, v: scipy.signal.convolve2d(a, v), (image, patch),
                 lambda a, v: lambda g: (scipy.signal.correlate2d(g, v, "valid"),
                                         scipy.signal.correlate2d(g, a, "valid"))),
        linear("lfilter of x", lambda x: scipy.signal.lfilter([0.3, 0.5], [1.5, -0.4, 0.1], x),
               (x,), lambda x: lambda g:
               scipy.signal.lfilter([0.3, 0.5], [1.5, -0.4, 0.1], g[::-1])[::-1]),
        plain("lfilter of all", lambda b, a, x: scipy.signal.lfilter(b, a, x),
              (np.array([0.3, 0.5]), np.array([1.5, -0.4, 0.1]), x)),
        linear("sparse @ vector", lambda x: s @ x, (x[: n // 5],), lambda x: lambda g: s.T @ g),
        linear("values of sparse @", values_of(x[: n // 5]), (s.data,), lambda data: lambda g:
               np.repeat(g, np.diff(s.indptr)) * x[s.indices]),
        Row("cdist", cdist, (p, q), hand_linalg.cdist, hand_forward_linalg.cdist),
        Row("cdist squared", lambda a, b: cdist(a, b, "sqeuclidean"), (p, q),
            hand_linalg.cdist_squared, hand_forward_linalg.cdist_squared),
        Row("pdist", pdist, (p,), hand_linalg.pdist, hand_forward_linalg.pdist),
        Row("pdist squared", lambda a: pdist(a, "sqeuclidean"), (p,),
            hand_linalg.pdist_squared, hand_forward_linalg.pdist_squared),
    ]  # fmt: skip
    if not hasattr(np, "matvec"):  # before NumPy 2.2
        return table
    stack, v = uniform(30, half, half), uniform(30, half)
    return [
        *table,
        bilinear("matvec", np.matvec, (stack, v), lambda a, v: lambda g: (
            g[:, :, None] * v[:, None, :], (g[:, None, :] @ a)[:, 0])),
        bilinear("vecmat", np.vecmat, (v, stack), lambda v, a: lambda g: (
            (a @ g[:, :, None])[:, :, 0], v[:, :, None] * g[:, None, :])),
    ]  # fmt: skip
