"""``scipy.linalg`` in plain user code: values, gradients, and second order, through lifting."""

import warnings

import numpy as np
import pytest
import scipy.linalg as sl

import chainrule as cr

RNG = np.random.default_rng(0)
A = RNG.normal(size=(4, 4)) * 0.3 + 2 * np.eye(4)
S = A @ A.T
B = RNG.normal(size=4)
C = RNG.normal(size=(4, 2))
W = np.cos(np.arange(16.0)).reshape(4, 4)

CASES = {
    "solve": (lambda a: sl.solve(a, B).sum(), A),
    "solve of the right side": (lambda b: (sl.solve(A, b) ** 2).sum(), B),
    "solve many": (lambda a: (sl.solve(a, C) ** 2).sum(), A),
    "solve transposed": (lambda a: sl.solve(a, B, transposed=True).sum(), A),
    "solve reads the upper triangle": (lambda a: sl.solve(a, B, assume_a="pos").sum(), S),
    "solve reads the lower triangle": (
        lambda a: sl.solve(a, B, assume_a="sym", lower=True).sum(),
        S,
    ),
    "solve_triangular": (lambda a: sl.solve_triangular(a, B).sum(), A),
    "solve_triangular with options": (
        lambda a: sl.solve_triangular(a, B, trans="T", lower=True, unit_diagonal=True).sum(),
        A,
    ),
    "inv": (lambda a: (sl.inv(a) * W).sum(), A),
    "det": (lambda a: sl.det(a), A),
    "norm": (lambda a: sl.norm(a), A),
    "cholesky": (lambda a: (sl.cholesky(a) * W).sum(), S),
    "cholesky lower": (lambda a: (sl.cholesky(a, lower=True) * W).sum(), S),
    "cho_solve": (lambda a: sl.cho_solve(sl.cho_factor(a), B).sum(), S),
    "cho_solve lower": (lambda a: sl.cho_solve(sl.cho_factor(a, lower=True), C).sum(), S),
    "cho_factor with the other triangle": (lambda a: (sl.cho_factor(a)[0] * W).sum(), S),
    "lu_solve": (lambda a: (sl.lu_solve(sl.lu_factor(a), C) ** 2).sum(), A),
    "lu_solve transposed": (lambda a: sl.lu_solve(sl.lu_factor(a), B, trans=1).sum(), A[::-1]),
    "lu": (lambda a: sum((part**2).sum() for part in sl.lu(a)), A[::-1]),
    "lu of a stack": (lambda a: (sl.lu(a.reshape(2, 2, 4)[..., :2])[2] ** 2).sum(), A + 1),
    "qr": (lambda a: sum((part * W[:, : part.shape[1]]).sum() for part in sl.qr(a)), A),
    "qr of a tall matrix": (
        lambda a: sum((part * W[:, : part.shape[1]]).sum() for part in sl.qr(a[:, :2])),
        A,
    ),
    "qr with pivoting": (
        lambda a: sum((part * W).sum() for part in sl.qr(a, pivoting=True)[:2]),
        A[:, ::-1] + np.diag([0.0, 3.0, 0.0, 1.0]),
    ),
    "qr mode r": (lambda a: (sl.qr(a, mode="r")[0] ** 2 * W).sum(), A),
    "eigh": (lambda a: sum((part**2 * W[0]).sum() for part in sl.eigh(a)), S),
    "eigh of a subset": (
        lambda a: sum((part**2 * W[0, :2]).sum() for part in sl.eigh(a, subset_by_index=(1, 2))),
        S,
    ),
    "eigh of values in a range": (
        lambda a: (sl.eigh(a, eigvals_only=True, subset_by_value=(4.0, np.inf)) ** 2).sum(),
        S,
    ),
    "eigh generalized": (
        lambda a: sum((part**2 * W[0]).sum() for part in sl.eigh(a + a.T, a @ a.T)),
        A,
    ),
    "eigvalsh": (lambda a: (sl.eigvalsh(a, lower=False) * W[0]).sum(), S),
    "eigvals": (lambda a: np.real(sl.eigvals(a) ** 3).sum(), A),
    "eig": (lambda a: (np.real(sl.eig(a)[1]) ** 2 * W).sum(), A),
    "svd": (lambda a: sum((part**2 * W[0]).sum() for part in sl.svd(a)), A),
    "svdvals": (lambda a: (sl.svdvals(a) * W[0]).sum(), A),
    "null_space": (lambda a: (lambda n: ((n @ n.T) * W).sum())(sl.null_space(a[:2])), A),
    "orth": (lambda a: (lambda n: ((n @ n.T) * W).sum())(sl.orth(a[:, :2])), A),
    "polar": (lambda a: sum((part * W).sum() for part in sl.polar(a)), A),
    "orthogonal_procrustes": (
        lambda a: (sl.orthogonal_procrustes(a, W + A)[0] * W).sum(),
        A,
    ),
    "pinv": (lambda a: (sl.pinv(a[:, :2]) * W[:2]).sum(), A),
    "pinvh": (lambda a: (sl.pinvh(a) * W).sum(), S),
    "lstsq": (lambda a: (sl.lstsq(a[:, :2], B)[0] ** 2).sum(), A),
    "solve_banded": (lambda a: sl.solve_banded((1, 1), a[:3] + 1, B).sum(), A),
    "solveh_banded": (lambda a: sl.solveh_banded(a[:2] + 9 * np.eye(2)[:, 1:], C).sum(), A),
    "expm": (lambda a: (sl.expm(a) * W).sum(), A * 0.3),
    "expm_frechet": (lambda a: (sl.expm_frechet(a, a.T)[1] * W).sum(), A * 0.3),
    "logm": (lambda a: (sl.logm(a) * W).sum(), A),
    "sqrtm": (lambda a: (np.real(sl.sqrtm(a)) * W).sum(), A),
    "fractional_matrix_power": (
        lambda a: (np.real(sl.fractional_matrix_power(a, 0.4)) * W).sum(),
        A,
    ),
    "cosm": (lambda a: (sl.cosm(a) * W).sum(), A),
    "tanhm": (lambda a: (sl.tanhm(a) * W).sum(), A * 0.3),
    "solve_sylvester": (lambda a: (sl.solve_sylvester(a, S, W) * W).sum(), A),
    "solve_continuous_lyapunov": (lambda a: (sl.solve_continuous_lyapunov(a, W) * W).sum(), A),
    "solve_discrete_lyapunov": (
        lambda a: (sl.solve_discrete_lyapunov(a, W) * W).sum(),
        A * 0.3,
    ),
    "block_diag": (lambda a: (sl.block_diag(a[:2, :2], a[2:, 2:], a[0, 0]) ** 2).sum(), A),
    "toeplitz": (lambda x: (sl.toeplitz(x, x[::-1] * 2) * W).sum(), B),
    "circulant": (lambda x: (sl.circulant(x) ** 2 * W).sum(), B),
    "hankel": (lambda x: (sl.hankel(x, x * 2) ** 2 * W).sum(), B),
    "hankel with zeros": (lambda x: (sl.hankel(x) ** 2 * W).sum(), B),
    "companion": (lambda x: (sl.companion(x) ** 2 * W[:3, :3]).sum(), B),
    "khatri_rao": (lambda a: (sl.khatri_rao(a, a[:2]) * np.cos(np.arange(4))).sum(), A),
    "leslie": (lambda x: (sl.leslie(x, x[1:] ** 2) ** 2 * W).sum(), B),
    "fiedler": (lambda x: (sl.fiedler(x) ** 2 * W).sum(), B),
    "diagsvd": (lambda x: (sl.diagsvd(x, 4, 6) ** 2).sum() + sl.diagsvd(x, 6, 4).sum(), B),
    "convolution_matrix": (
        lambda x: sum(
            (sl.convolution_matrix(x, n, mode) ** 2 * np.cos(np.arange(n))).sum()
            for n in (2, 6)
            for mode in ("full", "same", "valid")
        ),
        B,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_value_gradient_and_second_order(name):
    f, x = CASES[name]
    value, gradient = cr.value_and_grad(f)(x)
    np.testing.assert_allclose(value, f(x), rtol=1e-13)
    numeric = cr.numeric.gradient(lambda z: float(f(z)), x)
    scale = np.abs(numeric.value).max()
    np.testing.assert_allclose(gradient, numeric.value, rtol=1e-8, atol=1e-9 * scale)
    t = np.cos(np.arange(x.size)).reshape(x.shape)
    second = cr.hvp(f, x, t)
    h = 1e-5
    differences = (cr.grad(f)(x + h * t) - cr.grad(f)(x - h * t)) / (2 * h)
    size = max(np.abs(differences).max(), scale)
    # differences of a gradient with h = 1e-5 carry an error of about h^2 of its scale
    np.testing.assert_allclose(second, differences, atol=2e-8 * size)


@pytest.mark.parametrize(
    ("f", "remedy"),
    [
        (lambda a: sl.eigh(a, S, type=2)[0].sum(), "type=1"),
        (lambda a: sl.eig(a, S)[0].real.sum(), "solve"),
        (lambda a: sl.qr(a, mode="raw")[1].sum(), "economic"),
        (lambda a: sl.fractional_matrix_power(A, a[0, 0]).sum(), "logm"),
        (lambda a: sl.schur(a)[0].sum(), "eigh"),
        (lambda a: sl.solve_toeplitz(a[0], B).sum(), "toeplitz"),
        (lambda a: sl.sqrtm(a - a).sum(), "singular"),
    ],
)
def test_what_has_no_rule_says_so(f, remedy):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SciPy's own remarks
        with pytest.raises(cr.NoRuleError, match=remedy):
            cr.grad(f)(A)


def test_polar_factor_of_a_rotation_has_a_derivative():
    q = sl.qr(A)[0]
    t = np.cos(np.arange(16.0)).reshape(4, 4)
    along = q.T @ t
    dy = cr.jvp(lambda a: sl.polar(a)[0], (q,), (t,))[1]
    np.testing.assert_allclose(dy, q @ (along - along.T) / 2, atol=1e-13)


def test_single_precision_stays_and_infinite_values_are_scipys_business():
    a = A.astype(np.float32)
    assert cr.grad(lambda a: sl.solve(a, B.astype(np.float32)).sum())(a).dtype == np.float32
    with pytest.raises(ValueError, match="infs or NaNs"):
        cr.grad(lambda a: sl.inv(a).sum())(A * np.nan)
    y, _ = cr.vjp(lambda b: sl.solve(A, b, check_finite=False), B * np.inf)
    assert np.isnan(y).any()
