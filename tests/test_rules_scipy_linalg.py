"""``scipy.linalg`` in plain user code: values, gradients, and second order, through lifting."""

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
    "expm": (lambda a: (sl.expm(a) * W).sum(), A * 0.3),
    "block_diag": (lambda a: (sl.block_diag(a[:2, :2], a[2:, 2:], a[0, 0]) ** 2).sum(), A),
    "toeplitz": (lambda x: (sl.toeplitz(x, x[::-1] * 2) * W).sum(), B),
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


def test_what_has_no_rule_says_so():
    with pytest.raises(cr.NoRuleError, match="assume_a='banded'"):
        cr.grad(lambda a: sl.solve(a, B, assume_a="banded").sum())(A)
