"""Linear algebra: NumPy's, SciPy's, sparse systems, polynomials."""

from functools import partial

import hand_forward_linalg as forward
import hand_linalg as hand
import numpy as np
import scipy.linalg
import scipy.sparse.linalg
import scipy.stats
from rows import Row, linear, plain, spd, uniform


def rows(n: int) -> list[Row]:
    """Matrices of n rows."""
    return [*_solving(n), *_numpy(n), *_scipy(n), *_spectra_of_scipy(n), *_bands(20 * n)]


def _solving(n):
    s, b, small = spd(n), uniform(n, 1 + n // 8), spd(4, 13 * n)
    low, tall = np.linalg.cholesky(s), uniform(n, 2 * n // 3)
    packed, half = scipy.linalg.lu_factor(s), spd(n // 2)

    def triangular(a, b):
        return scipy.linalg.solve_triangular(a, b, lower=True)

    def minimiser(a, b):
        return np.linalg.lstsq(a, b)[0]

    return [
        Row("solve", np.linalg.solve, (s, b), hand.solve, forward.solve),
        Row("scipy_solve", lambda a, b: scipy.linalg.solve(a, b, assume_a="gen"), (s, b),
            hand.solve, forward.solve),
        Row("solve_triangular", triangular, (low, b), hand.solve_triangular,
            forward.solve_triangular),
        Row("cho_solve", lambda c, b: scipy.linalg.cho_solve((c, True), b), (low, b),
            hand.cho_solve),
        linear("lu_solve", lambda b: scipy.linalg.lu_solve(packed, b), (b,),
               lambda b: lambda g: scipy.linalg.lu_solve(packed, g, trans=1)),
        Row("inv", np.linalg.inv, (s,), hand.inv, forward.inv),
        Row("scipy_inv", lambda a: scipy.linalg.inv(a, assume_a="gen"), (s,), hand.inv,
            forward.inv),
        Row("pinv", np.linalg.pinv, (tall,), hand.pinv, forward.pinv),
        Row("scipy_pinv", lambda a: scipy.linalg.pinv(a), (tall,), hand.pinv, forward.pinv),
        Row("pinvh", lambda a: scipy.linalg.pinvh(a), (s,), hand.pinvh, forward.pinvh),
        Row("lstsq", minimiser, (tall, b[:, 0]), hand.lstsq, forward.lstsq),
        Row("scipy_lstsq", lambda a, b: scipy.linalg.lstsq(a, b)[0], (tall, b[:, 0]), hand.lstsq,
            forward.lstsq),
        Row("det", np.linalg.det, (s / n,), hand.det, forward.det),
        Row("scipy_det", lambda a: scipy.linalg.det(a), (s / n,), hand.det, forward.det),
        Row("slogdet", lambda a: np.linalg.slogdet(a)[1], (s,),
            lambda a: lambda g: g * np.linalg.inv(a).T, forward.slogdet),
        Row("solve of a stack", np.linalg.solve, (small, small[:, :, :1]), hand.solve,
            forward.solve),
        Row("inv of a stack", np.linalg.inv, (small,), hand.inv, forward.inv),
        Row("solve_sylvester", lambda a, b, q: scipy.linalg.solve_sylvester(a, b, q),
            (half, half + 1, half - 2), hand.sylvester, forward.sylvester),
        Row("solve_continuous_lyapunov",
            lambda a, q: scipy.linalg.solve_continuous_lyapunov(a, q),
            (half, uniform(n // 2, n // 2)), hand.lyapunov, forward.lyapunov),
        Row("solve_discrete_lyapunov", lambda a, q: scipy.linalg.solve_discrete_lyapunov(a, q),
            (half / (2 * n), uniform(n // 2, n // 2)), hand.discrete_lyapunov,
            forward.discrete_lyapunov),
    ]  # fmt: skip


def _numpy(n):
    s, tall, mixed = spd(n), uniform(n, 2 * n // 3), uniform(n // 2, n // 2) - 0.5
    return [
        Row("cholesky", np.linalg.cholesky, (s,), hand.cholesky, forward.cholesky),
        Row("qr", lambda a: tuple(np.linalg.qr(a)), (tall,), hand.qr, forward.qr),
        plain("qr_complete", lambda a: tuple(np.linalg.qr(a, mode="complete")), (tall,)),
        Row("eigh", lambda a: tuple(np.linalg.eigh(a)), (s,), hand.eigh, forward.eigh),
        Row("eigvalsh", np.linalg.eigvalsh, (s,), hand.eigvalsh, forward.eigvalsh),
        plain("eig", lambda a: tuple(np.linalg.eig(a)), (mixed,)),
        Row("eigvals", np.linalg.eigvals, (mixed,), hand.eigvals, forward.eigvals),
        Row("svd", lambda a: tuple(np.linalg.svd(a, full_matrices=False)), (tall,), hand.svd,
            forward.svd),
        Row("svdvals", np.linalg.svdvals, (tall,), hand.svdvals, forward.svdvals),
        plain("matrix_power", lambda a: np.linalg.matrix_power(a, 5), (s / (2 * n),)),
        plain("roots", np.roots, (1 + mixed[0],)),
        plain("poly of a matrix", np.poly, (mixed / 4,)),
    ]  # fmt: skip


def _scipy(n):
    s, tall, mixed = spd(n), uniform(n, 2 * n // 3), uniform(n // 2, n // 2) - 0.5
    half = spd(n // 2) / n
    mean, points = uniform(n // 5), uniform(2 * n, n // 5)
    log_density = scipy.stats.multivariate_normal.logpdf

    def economic(a):
        return tuple(scipy.linalg.qr(a, mode="economic"))

    return [
        Row("scipy_cholesky", lambda a: scipy.linalg.cholesky(a, lower=True), (s,),
            hand.cholesky, forward.cholesky),
        Row("scipy_qr", economic, (tall,), hand.qr, forward.qr),
        plain("lu", lambda a: scipy.linalg.lu(a)[1:], (s,)),
        Row("lu_factor", lambda a: scipy.linalg.lu_factor(a)[0], (uniform(n, n),),
            hand.lu_factor),
        plain("polar", lambda a: tuple(scipy.linalg.polar(a)), (mixed,)),
        Row("expm", scipy.linalg.expm, (s / (8 * n),), hand.expm, forward.expm),
        plain("expm_frechet", lambda a, e: scipy.linalg.expm_frechet(a, e)[1], (half, mixed)),
        Row("sqrtm", lambda a: scipy.linalg.sqrtm(a), (half,), hand.sqrtm, forward.sqrtm),
        plain("logm", lambda a: scipy.linalg.logm(a), (half,)),
        plain("fractional_matrix_power",
              lambda a: scipy.linalg.fractional_matrix_power(a, 0.3), (half,)),
        plain("multivariate_normal.logpdf", lambda c: log_density(points, mean, c),
              (spd(n // 5),)),
    ]  # fmt: skip


def _spectra_of_scipy(n):
    s, tall, mixed = spd(n), uniform(n, 2 * n // 3), uniform(n // 2, n // 2) - 0.5
    other = spd(n, 1)[0] / n
    return [
        Row("scipy_eigh", lambda a: tuple(scipy.linalg.eigh(a)), (s,),
            partial(hand.eigh, solver=scipy.linalg.eigh),
            partial(forward.eigh, solver=scipy.linalg.eigh)),
        Row("scipy_eigvalsh", lambda a: scipy.linalg.eigvalsh(a), (s,), hand.eigvalsh,
            forward.eigvalsh),
        Row("eigh_generalized", lambda a, b: tuple(scipy.linalg.eigh(a, b)), (s, other),
            hand.eigh_generalized),
        plain("scipy_eig", lambda a: tuple(scipy.linalg.eig(a)), (mixed,)),
        Row("scipy_eigvals", lambda a: scipy.linalg.eigvals(a), (mixed,), hand.eigvals,
            forward.eigvals),
        Row("scipy_svd", lambda a: tuple(scipy.linalg.svd(a, full_matrices=False)), (tall,),
            hand.svd, forward.svd),
        Row("scipy_svdvals", lambda a: scipy.linalg.svdvals(a), (tall,), hand.svdvals,
            forward.svdvals),
    ]  # fmt: skip


def _bands(n):
    """Tridiagonal and sparse systems of n unknowns."""
    b, bands = uniform(n), uniform(3, n)
    bands[1] += 4
    matrix = scipy.sparse.diags_array([bands[2, :-1], bands[1], bands[0, 1:]], offsets=[-1, 0, 1])
    by_columns = matrix.tocsc()
    even = scipy.sparse.diags_array([-0.4, 1.5, -0.4], offsets=[-1, 0, 1], shape=(n, n)).tocsr()
    solve, cg = scipy.sparse.linalg.spsolve, scipy.sparse.linalg.cg

    def of_values(data, b):
        parts = (data, by_columns.indices, by_columns.indptr)
        return solve(scipy.sparse.csc_array(parts, shape=(n, n)), b)

    return [
        Row("solve_banded", lambda ab, b: scipy.linalg.solve_banded((1, 1), ab, b), (bands, b),
            hand.solve_banded),
        Row("solveh_banded", lambda ab, b: scipy.linalg.solveh_banded(ab, b), (bands[:2], b),
            hand.solveh_banded),
        linear("spsolve of b", lambda b: solve(by_columns, b), (b,),
               lambda b: lambda g: solve(by_columns.T.tocsc(), g)),
        Row("spsolve", of_values, (by_columns.data, b), hand.spsolve(by_columns)),
        linear("cg", lambda b: cg(even, b, rtol=1e-12)[0], (b,),
               lambda b: lambda g: cg(even, g, rtol=1e-12)[0]),
    ]  # fmt: skip
