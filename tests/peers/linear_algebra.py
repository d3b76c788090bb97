"""Linear algebra and transforms of PyTorch's test database as plain NumPy and SciPy.

Vectors are compared by what does not depend on their free phase, as PyTorch's own tests do.
"""

import numpy as np
import scipy.fft
import scipy.linalg
from numpy.lib.stride_tricks import sliding_window_view


def mH(A):
    return np.conj(A.mT)


def hermitian(function):
    """Of A + A^H: PyTorch's tests give these operators Hermitian matrices only."""
    return lambda A, *args, **kwargs: function(A + mH(A), *args, **kwargs)


def size_of_vectors(w_v):
    return w_v[0], np.abs(w_v[1])


def cholesky(A, upper=False):
    return np.linalg.cholesky(A, upper=upper)


def cholesky_inverse(L, upper=False):
    L = unit_triangle(L, upper)
    return np.linalg.inv(mH(L) @ L if upper else L @ mH(L))


def unit_triangle(A, upper):
    """The triangle with a diagonal of ones."""
    return (np.triu(A, 1) if upper else np.tril(A, -1)) + np.eye(A.shape[-1])


def solve(A, B, *, left=True):
    if not left:
        return solve(A.mT, B.mT).mT
    is_vector = B.ndim == 1 or (B.ndim == A.ndim - 1 and B.shape == A.shape[:-1])
    return np.linalg.solve(A, B[..., None])[..., 0] if is_vector else np.linalg.solve(A, B)


def solve_triangular(A, B, *, upper, left=True, unitriangular=False):
    A = unit_triangle(A, upper) if unitriangular else np.triu(A) if upper else np.tril(A)
    return np.linalg.solve(A, B) if left else np.linalg.solve(A.mT, B.mT).mT


def triangular_solve(B, A, upper=True, transpose=False, unitriangular=False):
    T = unit_triangle(A, upper) if unitriangular else np.triu(A) if upper else np.tril(A)
    return np.linalg.solve(T.mT if transpose else T, B), A.copy()


def lu(A, *, pivot=True):
    if A.size == 0:
        return unpack(A)
    return scipy.linalg.lu(A)[1:]


def lu_factor(A, *args, pivot=True, **kwargs):
    """L below the diagonal and U, in one matrix."""
    L, U = lu(A)
    m, n = A.shape[-2:]
    below = np.tril(L[..., : min(m, n)], -1)
    zeros = [(0, 0)] * (A.ndim - 2)
    return np.pad(below, [*zeros, (0, 0), (0, max(n - m, 0))]) + np.pad(
        U, [*zeros, (0, max(m - n, 0)), (0, 0)]
    )


def unpack(LU):
    n = min(LU.shape[-2:])
    return np.tril(LU[..., :, :n], -1) + np.eye(LU.shape[-2], n), np.triu(LU[..., :n, :])


def lu_unpack(LU, pivots):
    return unpack(LU)


def lu_solve(LU, pivots, B, *, left=True, adjoint=False):
    L, U = unpack(LU)
    A = permutation(pivots, LU.shape[-1]) @ L @ U
    A = mH(A) if adjoint else A
    return np.linalg.solve(A, B) if left else np.linalg.solve(A.mT, B.mT).mT


def permutation(pivots, n):
    P = np.broadcast_to(np.eye(n), (*pivots.shape[:-1], n, n)).copy()
    for batch in np.ndindex(pivots.shape[:-1]):
        for i, j in reversed(list(enumerate(pivots[batch] - 1))):
            P[batch][[i, j]] = P[batch][[j, i]]
    return P


def householder_product(A, tau):
    m, n = A.shape[-2:]
    Q = np.broadcast_to(np.eye(m, n, dtype=A.dtype), A.shape)
    for i in reversed(range(tau.shape[-1])):
        v = np.tril(A, -1)[..., :, i] + np.eye(m)[i]
        Q = Q - tau[..., i, None, None] * v[..., None] * (np.conj(v)[..., None, :] @ Q)
    return Q


def ormqr(A, tau, other, left=True, transpose=False):
    m = A.shape[-2]
    square = np.concatenate([A, np.zeros((*A.shape[:-2], m, max(m - A.shape[-1], 0)))], axis=-1)
    Q = householder_product(square[..., :m], tau)
    Q = mH(Q) if transpose else Q
    return Q @ other if left else other @ Q


def lstsq(A, B, driver=None):
    """NumPy's is of one matrix; the samples have full rank."""
    parts = [np.linalg.lstsq(a, b)[0] for a, b in zip(flat(A), flat(B))]
    return np.stack(parts).reshape(*A.shape[:-2], A.shape[-1], B.shape[-1])


def flat(A):
    return A.reshape(-1, *A.shape[-2:])


def matrix_exp(A):
    if A.shape[-1] == 0 or A.size == 0:
        return A + 0
    if A.ndim == 2:
        return scipy.linalg.expm(A)
    return np.stack([scipy.linalg.expm(M) for M in flat(A)]).reshape(A.shape)


def norm_at_zero(x, ord=None, dim=None, keepdim=False):
    """Of a zero matrix any matrix of norm 1 or less is a subgradient of these."""
    return NotImplemented if x.ndim == 2 and ord in (2, -2, "nuc") else norm(x, ord, dim, keepdim)


def norm(x, ord=None, dim=None, keepdim=False, *, dtype=None):
    dim = tuple(dim) if isinstance(dim, list) else dim
    if ord is None and dim is None:
        return vector_norm(x, 2, None, keepdim)
    return np.linalg.norm(x, ord, axis=dim, keepdims=keepdim)


def vector_norm(x, ord=2, dim=None, keepdim=False, *, dtype=None):
    dim = tuple(dim) if isinstance(dim, list) else dim
    if x.ndim == 0:
        return np.abs(x) if ord != 0 else 1.0 * (np.abs(x) != 0)
    return np.linalg.vector_norm(x, axis=dim if dim != () else None, ord=ord, keepdims=keepdim)


def matrix_norm(x, ord="fro", dim=(-2, -1), keepdim=False, *, dtype=None):
    return np.linalg.norm(x, ord, axis=tuple(dim), keepdims=keepdim)


def pinv(A, rtol=None, atol=None, rcond=None, hermitian=False):
    return np.linalg.pinv(A, 1e-15 if rtol is None else rtol, hermitian=hermitian)


def vander(x, N=None):
    x = np.atleast_1d(x)
    N = x.shape[-1] if N is None else N
    return x[..., None] ** np.arange(N)


def tensorsolve(a, b, dims=None):
    return np.linalg.tensorsolve(a, b, axes=dims)


def logdet(A):
    sign, value = np.linalg.slogdet(A)
    return value + np.log(sign) if np.iscomplexobj(A) else value


# ---------------------------------------------------------------- vectors free of their phase


def svd_by(kind):
    """As the samples ask: sizes of U, singular values, sizes of V, or U V^H."""

    def run(A, full_matrices=True, some=False):
        if min(A.shape[-2:]) == 0:
            U, S, Vh = np.linalg.svd(A, full_matrices=False)
        else:
            U, S, Vh = np.linalg.svd(A, full_matrices=full_matrices and not some)
        k = S.shape[-1]
        U, Vh = U[..., :k], Vh[..., :k, :]
        return {
            "fn_U": np.abs(U),
            "fn_S": S,
            "fn_Vh": (S, np.abs(Vh)),
            "fn_UVh": (U @ Vh, S),
        }[kind]

    return run


def qr(A, mode="reduced"):
    if mode == "r":
        return (A, np.linalg.qr(A, mode="r")) if A.size else (A, A)
    return np.linalg.qr(A, mode=mode)


def old_qr(A, some=True):
    return np.linalg.qr(A, mode="reduced" if some else "complete")


# ---------------------------------------------------------------- Fourier transforms


def transform(function):
    def run(x, n=None, dim=-1, norm=None):
        return function(x, n, axis=dim, norm=norm)

    return run


def transform_n(function, two=False):
    def run(x, s=None, dim=(-2, -1) if two else None, norm=None):
        s = [s] if isinstance(s, int) else s
        dim = [dim] if isinstance(dim, int) else dim
        if dim is None and s is not None:
            dim = tuple(range(-len(s), 0))
        return function(x, s, axes=dim, norm=norm)

    return run


def shift(function):
    return lambda x, dim=None: function(x, axes=dim)


def stft(
    x,
    n_fft,
    hop_length=None,
    window=None,
    center=True,
    return_complex=True,
    onesided=None,
):
    window = np.ones(n_fft) if window is None else window
    if center:
        x = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(n_fft // 2, n_fft // 2)], "reflect")
    frames = sliding_window_view(x, n_fft, axis=-1)[..., :: hop_length or n_fft // 4, :]
    is_complex = np.iscomplexobj(x) or np.iscomplexobj(window)
    half = not is_complex if onesided is None else onesided
    y = (np.fft.rfft if half else np.fft.fft)(frames * window, axis=-1).mT
    return y if return_complex else np.stack([y.real, y.imag], axis=-1)


LINEAR_ALGEBRA = {
    "cholesky": hermitian(cholesky),
    "linalg.cholesky": hermitian(cholesky),
    "linalg.cholesky_ex": hermitian(lambda A, upper=False, check_errors=False: cholesky(A, upper)),
    "cholesky_inverse": cholesky_inverse,
    "logdet": logdet,
    "linalg.det": np.linalg.det,
    "linalg.slogdet": np.linalg.slogdet,
    "linalg.inv": np.linalg.inv,
    "linalg.inv_ex": np.linalg.inv,
    "linalg.solve": solve,
    "linalg.solve_ex": solve,
    "linalg.solve_triangular": solve_triangular,
    "triangular_solve": triangular_solve,
    "linalg.pinv": pinv,
    "linalg.pinv.hermitian": hermitian(pinv),
    "linalg.pinv.singular": lambda a, b: np.linalg.pinv(a @ b.mT),
    "pinverse": pinv,
    "linalg.lstsq": lstsq,
    "linalg.lstsq.grad_oriented": lstsq,
    "linalg.eig": lambda A: size_of_vectors(np.linalg.eig(A)),
    "linalg.eigvals": np.linalg.eigvals,
    "linalg.eigh": hermitian(lambda A, UPLO="L": size_of_vectors(np.linalg.eigh(A, UPLO))),
    "linalg.eigvalsh": hermitian(np.linalg.eigvalsh),
    "linalg.svdvals": np.linalg.svdvals,
    "linalg.svd": svd_by,
    "svd": svd_by,
    "qr": old_qr,
    "linalg.qr": qr,
    "linalg.lu": lu,
    "linalg.lu_factor": lu_factor,
    "linalg.lu_factor_ex": lu_factor,
    "lu": lu_factor,
    "lu_unpack": lu_unpack,
    "linalg.lu_solve": lu_solve,
    "lu_solve": lambda B, LU, pivots: lu_solve(LU, pivots, B),
    "linalg.householder_product": householder_product,
    "ormqr": ormqr,
    "linalg.cond": np.linalg.cond,
    "linalg.norm": norm,
    "linalg.norm.subgradients_at_zero": norm_at_zero,
    "linalg.vector_norm": vector_norm,
    "linalg.matrix_norm": matrix_norm,
    "norm.nuc": lambda x, p, dim=None: np.linalg.norm(x, "nuc", axis=dim and tuple(dim)),
    "linalg.matrix_power": np.linalg.matrix_power,
    "matrix_exp": matrix_exp,
    "linalg.multi_dot": np.linalg.multi_dot,
    "linalg.vecdot": lambda a, b, *, dim=-1: np.vecdot(*np.broadcast_arrays(a, b), axis=dim),
    "linalg.cross": lambda a, b, *, dim=-1: np.linalg.cross(*np.broadcast_arrays(a, b), axis=dim),
    "linalg.diagonal": lambda A, *, offset=0, dim1=-2, dim2=-1: np.diagonal(A, offset, dim1, dim2),
    "linalg.tensorinv": lambda a, ind=2: np.linalg.tensorinv(a, ind=ind),
    "linalg.tensorsolve": tensorsolve,
    "linalg.vander": vander,
    # Fourier transforms
    "fft.fft": transform(np.fft.fft),
    "fft.ifft": transform(np.fft.ifft),
    "fft.rfft": transform(np.fft.rfft),
    "fft.irfft": transform(np.fft.irfft),
    "fft.hfft": transform(np.fft.hfft),
    "fft.ihfft": transform(np.fft.ihfft),
    "fft.fft2": transform_n(np.fft.fft2, two=True),
    "fft.ifft2": transform_n(np.fft.ifft2, two=True),
    "fft.rfft2": transform_n(np.fft.rfft2, two=True),
    "fft.irfft2": transform_n(np.fft.irfft2, two=True),
    "fft.hfft2": transform_n(scipy.fft.hfft2, two=True),
    "fft.ihfft2": transform_n(scipy.fft.ihfft2, two=True),
    "fft.fftn": transform_n(np.fft.fftn),
    "fft.ifftn": transform_n(np.fft.ifftn),
    "fft.rfftn": transform_n(np.fft.rfftn),
    "fft.irfftn": transform_n(np.fft.irfftn),
    "fft.hfftn": transform_n(scipy.fft.hfftn),
    "fft.ihfftn": transform_n(scipy.fft.ihfftn),
    "fft.fftshift": shift(np.fft.fftshift),
    "fft.ifftshift": shift(np.fft.ifftshift),
    "stft": stft,
}
