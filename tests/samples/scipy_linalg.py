"""Samples of ``scipy.linalg``. Vectors enter by functions that do not depend on their choice.

Where SciPy's own function is called by name, ``of`` stands for what lifting does in user code.
"""

import numpy as np
import scipy
from scipy import linalg

from chainrule.core.primitive import FUNCTIONS
from chainrule.core.trace import Tracer
from chainrule.rules import scipy_linalg as rules  # noqa: F401  (declares them)
from tests.samples import sample


def of(function):
    """SciPy's function on plain arrays, its rule on traced ones."""
    run = FUNCTIONS[function]

    def call(*args, **options):
        parts = [x for a in args for x in (a if type(a) is tuple else (a,))]
        return (run if any(isinstance(x, Tracer) for x in parts) else function)(*args, **options)

    return call


A = np.array([[0.3, -0.2, 0.5], [0.1, 0.4, -0.6], [0.7, 0.2, 0.1]])
NILPOTENT = np.array([[0.0, 1.0], [0.0, 0.0]])
M = np.array([[3.0, 0.7, -0.4], [0.2, 2.1, 0.9], [-0.6, 0.5, 1.7]])
N = np.array([[1.2, -2.0, 0.3], [0.8, 0.4, 2.2], [-1.5, 0.9, 0.6]])
SPD = M @ M.T + np.eye(3)
TALL = np.array([[1.3, 0.2], [-0.4, 0.9], [0.7, -1.1], [0.5, 0.6]])
WIDE = TALL.T.copy()
SPREAD = M + np.diag([6.0, 0.0, -5.0])  # real eigenvalues
b = np.array([0.7, -1.2, 0.4])
B = np.array([[0.7, 1.0], [-1.2, 0.3], [0.4, -0.8]])
BANDS = np.array([[9.0, 0.4, -0.3, 0.2], [3.0, 2.5, 2.0, 4.0], [0.5, 0.6, -0.7, 9.0]])

solve = of(linalg.solve)
solve_triangular = of(linalg.solve_triangular)
inv = of(linalg.inv)
det = of(linalg.det)
norm = of(linalg.norm)
solve_banded = of(linalg.solve_banded)
solveh_banded = of(linalg.solveh_banded)
cholesky = of(linalg.cholesky)
cho_solve = of(linalg.cho_solve)
lu = of(linalg.lu)
lu_factor = of(linalg.lu_factor)
lu_solve = of(linalg.lu_solve)
qr = of(linalg.qr)
expm = of(linalg.expm)
expm_frechet = of(linalg.expm_frechet)
logm = of(linalg.logm)
sqrtm = of(linalg.sqrtm)
fractional_matrix_power = of(linalg.fractional_matrix_power)
solve_sylvester = of(linalg.solve_sylvester)
solve_continuous_lyapunov = of(linalg.solve_continuous_lyapunov)
solve_discrete_lyapunov = of(linalg.solve_discrete_lyapunov)
eigh = of(linalg.eigh)
eigvalsh = of(linalg.eigvalsh)
eig = of(linalg.eig)
eigvals = of(linalg.eigvals)
svd = of(linalg.svd)
svdvals = of(linalg.svdvals)
polar = of(linalg.polar)
pinv = of(linalg.pinv)
pinvh = of(linalg.pinvh)
lstsq = of(linalg.lstsq)


def _pair(w, v):
    """Values, and the squares of the vectors' entries."""
    return w, np.real(v) ** 2 + np.imag(v) ** 2


def _svd(a, **options):
    u, s, vh = svd(a, **options)
    k = s.shape[-1]
    return (u[..., :k] * s**2) @ vh[..., :k, :], s


def _own(a):
    """A Hermitian matrix near ``a``, positive definite."""
    return a + np.conj(a.T) + 8 * np.eye(a.shape[-1])


def _double(a):
    """SciPy doubts its own result in single precision."""
    return a.astype(np.result_type(a.dtype, np.float64))


SAMPLES = {
    "scipy_solve": [
        sample(solve, M, b, complex=True),
        sample(solve, M, B, complex=True),
        sample(lambda a, y: solve(a, y, transposed=True), M, B),
        *(
            sample(lambda a, y, s=s: solve(a, y, assume_a=s), _own(M), B, complex=True)
            for s in ("gen", "sym", "her", "pos")
        ),
        *(
            sample(lambda a, y, s=s: solve(a, y, assume_a=s, lower=True), _own(M), b, complex=True)
            for s in ("sym", "her", "pos")
        ),
        sample(lambda a: solve(_own(a), b, assume_a="pos"), M, complex=True),
    ],
    "solve_triangular": [
        sample(
            lambda a, y, o=o: solve_triangular(a, y, trans=o[0], lower=o[1], unit_diagonal=o[2]),
            M,
            B if o[1] else b,
            complex=True,
        )
        for o in [
            (trans, lower, unit)
            for trans in (0, 1, 2)
            for lower in (False, True)
            for unit in (False, True)
        ]
    ]
    + [sample(lambda a, y: solve_triangular(a, y, "T"), M, B)],
    "scipy_inv": [sample(inv, M, complex=True), sample(lambda a: inv(a[:2, :2]), N)],
    "scipy_det": [sample(det, M, complex=True), sample(det, np.ones((2, 2)))],
    "scipy_norm": [
        sample(norm, b, complex=True),
        sample(norm, np.zeros(2), smooth=False, note="slope 0 at 0"),
    ],
    "norms_of_scipy": [sample(lambda a, p=p: norm(a, p), M) for p in (None, "nuc", -2, 1, np.inf)],
    "solve_banded": [
        sample(lambda ab, y: solve_banded((1, 1), ab, y), BANDS, np.append(b, 0.3), complex=True),
        sample(lambda ab, y: solve_banded((0, 2), ab, y), BANDS + 1, np.ones((4, 2))),
        sample(lambda ab, y: solve_banded((2, 0), ab, y), BANDS + 1, np.ones(4)),
    ],
    "solveh_banded": [
        sample(lambda ab, y: solveh_banded(ab, y), BANDS[:2] * 1.5, np.append(b, 0.3)),
        sample(
            lambda ab, y: solveh_banded(ab, y, lower=True), BANDS[1:] * 1.5, np.ones((4, 2)) + 1
        ),
        sample(
            lambda ab, y: solveh_banded(np.stack([ab, np.real(ab) + 5])[:, 0] * 1.0, y),
            BANDS[:1] * 0.2,
            np.ones(4),
            complex=True,
        ),
    ],
    "scipy_cholesky": [
        sample(cholesky, SPD),
        sample(lambda a: cholesky(a, lower=True), SPD),
        sample(lambda a: cholesky(_own(a)), M, complex=True),
    ],
    "cho_solve": [
        sample(lambda c, y: cho_solve((c, False), y), M, b, complex=True),
        sample(lambda c, y: cho_solve((c, True), y), M, B, complex=True),
    ],
    "lu": [
        sample(lu, N, complex=True),
        sample(lambda a: lu(a, permute_l=True), TALL, complex=True),
        sample(lambda a: lu(a, p_indices=True)[1:], WIDE, complex=True),
        sample(lu, np.stack([M, N])),
    ],
    "lu_factor": [
        sample(lambda a: lu_factor(a)[0], N, complex=True),
        sample(lambda a: lu_factor(a)[0], TALL),
        sample(lambda a: lu_factor(a)[0], WIDE),
    ],
    "lu_solve": [
        sample(lambda f, y, t=t: lu_solve((f, np.array([1, 2, 2])), y, trans=t), M, y, complex=True)
        for t, y in ((0, b), (1, B), (2, B))
    ],
    "scipy_qr": [
        sample(lambda a: qr(a, mode="economic"), TALL, complex=True),
        sample(lambda a: qr(a, mode="economic", pivoting=True)[:2], TALL),
        sample(qr, TALL, complex=True),
        sample(lambda a: qr(a, mode="r")[0], WIDE),
        sample(qr, N, complex=True),
    ],
    "expm": [
        sample(expm, A, complex=True),
        sample(expm, NILPOTENT),
        sample(expm, np.array([[1.5]])),
        sample(expm, np.stack([A, N])),
    ],
    "expm_frechet": [
        sample(expm_frechet, A, N / 3, complex=True),
        sample(lambda a, e: expm_frechet(a, e, compute_expm=False), A, A.T),
    ],
    "functions_of_expm": [
        sample(of(f), A, complex=True)
        for f in (
            linalg.cosm,
            linalg.sinm,
            linalg.tanm,
            linalg.coshm,
            linalg.sinhm,
            linalg.tanhm,
        )
    ],
    "logm": [
        sample(lambda a: logm(_double(a)), _own(M) / 3, complex=True),
        sample(lambda a: logm(_double(a)), np.eye(2) + NILPOTENT),
    ],
    "sqrtm": [
        sample(sqrtm, _own(M), complex=True),
    ],
    "fractional_matrix_power": [
        sample(lambda a: fractional_matrix_power(a, 0.3), _own(M) / 3, complex=True),
        sample(lambda a: fractional_matrix_power(a, -1.5), SPD),
    ],
    "solve_sylvester": [sample(solve_sylvester, M, SPD[:2, :2], B, complex=True)],
    "solve_continuous_lyapunov": [sample(solve_continuous_lyapunov, M, N, complex=True)],
    "solve_discrete_lyapunov": [
        sample(solve_discrete_lyapunov, A, N, complex=True),
        sample(lambda a, q: solve_discrete_lyapunov(a, q, method="bilinear"), A, N),
    ],
    "scipy_eigh": [
        sample(lambda a: _pair(*eigh(a)), SPD, complex=True),
        sample(lambda a: _pair(*eigh(a, lower=False)), SPD, complex=True),
    ],
    "scipy_eigvalsh": [
        sample(eigvalsh, SPD, complex=True),
        sample(lambda a: eigh(a, eigvals_only=True, lower=False), SPD),
    ],
    "eigh_generalized": [
        sample(lambda a, c: _pair(*eigh(a, c)), M + M.T, SPD, complex=True),
        sample(lambda a, c: _pair(*eigh(a, c, lower=False)), M + M.T, SPD),
    ],
    "scipy_eig": [
        sample(lambda a: _pair(*eig(a)), SPREAD, complex=True),
        sample(lambda a: _pair(*eig(a)), N),
    ],
    "scipy_eigvals": [sample(eigvals, SPREAD, complex=True), sample(eigvals, N)],
    "scipy_svd": [
        sample(_svd, M, complex=True),
        sample(lambda a: _svd(a, full_matrices=False), TALL, complex=True),
        sample(lambda a: _svd(a, lapack_driver="gesvd"), WIDE),
    ],
    "scipy_svdvals": [sample(svdvals, TALL, complex=True)],
    "polar": [
        sample(polar, N, complex=True),
        sample(lambda a: polar(a, side="left"), TALL, complex=True),
        sample(polar, WIDE, complex=True),
        sample(polar, np.array([[0.6, 0.8], [-0.8, 0.6]])),
    ],
    "scipy_pinv": [
        sample(pinv, TALL, complex=True),
        sample(lambda x: pinv(np.outer(x, x[:2]), rtol=1e-4), b),
    ],
    "pinvh": [
        sample(pinvh, SPD, complex=True),
        sample(lambda a: pinvh(a, lower=False), SPD),
    ],
    "scipy_lstsq": [
        sample(lambda a, y: lstsq(a, y)[0], TALL, np.append(b, 0.2), complex=True),
        sample(lambda a, y: lstsq(a, y), TALL, TALL + np.outer(np.append(b, 0.2), [1.0, 2.0])),
        sample(lambda a, y: lstsq(a, y)[:2], TALL, np.append(b, 0.2)),
        sample(lambda a, y: lstsq(a, y, lapack_driver="gelsy")[0], WIDE, b[:2]),
    ],
}

STACKS = {
    "scipy_solve": [
        sample(solve, M, np.stack([B, 2 * B])),
        sample(solve, np.stack([M, N]), b),
    ],
    "solve_triangular": [
        sample(lambda a, y: solve_triangular(a, y, "T"), np.stack([M, N]), B),
    ],
    "scipy_inv": [sample(inv, np.stack([M, N])), sample(inv, np.zeros((0, 0)))],
    "scipy_cholesky": [sample(cholesky, np.stack([SPD, 2 * SPD]))],
    "lu_solve": [
        sample(lambda f, y: lu_solve((f, np.array([1, 2, 2])), y), M, np.stack([B, 2 * B]))
    ],
    "scipy_eigh": [sample(lambda a: np.square(eigh(a)[1]), np.stack([SPD, 2 * SPD]))],
    "sqrtm": [sample(sqrtm, np.eye(3)), sample(sqrtm, np.stack([SPD, 2 * SPD]))],
}
if np.lib.NumpyVersion(scipy.__version__) >= "1.17.0":  # before, fewer stacks and other dtypes
    for name, samples in STACKS.items():
        SAMPLES[name] += samples
