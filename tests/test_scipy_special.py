"""Slopes of ``scipy.special`` at extreme arguments against mpmath, refusals, lazy registration."""

import subprocess
import sys

import mpmath
import numpy as np
import pytest
from scipy import special

import chainrule as cr
from chainrule.base.errors import NonDifferentiableError, NoRuleError
from tests.helpers import assert_as_numpy

mp = mpmath.mp


def ln_ndtr(x):
    return mp.log(mp.erfc(-x / mp.sqrt(2)) / 2)


def erfcx(x):
    return mp.exp(x * x) * mp.erfc(x)


def expit(x):
    return 1 / (1 + mp.exp(-x))


# function, truth, points
UNARY = [
    (special.expit, expit, [-700.0, -40.0, -0.3, 0.0, 2.0, 40.0, 700.0]),
    (special.log_expit, lambda x: -mp.log1p(mp.exp(-x)), [-800.0, -1.0, 0.0, 5.0, 60.0, 700.0]),
    (special.logit, lambda x: mp.log(x / (1 - x)), [1e-300, 1e-12, 0.3, 1 - 1e-10, 1 - 2.0**-53]),
    (special.expm1, mp.expm1, [-700.0, -40.0, -1e-12, 0.0, 1e-12, 3.0, 600.0]),
    (special.log1p, mp.log1p, [-1 + 2.0**-40, -1e-14, 0.0, 1e-14, 1e10]),
    (special.exp2, lambda x: mp.mpf(2) ** x, [-900.0, 0.0, 900.0]),
    (special.exp10, lambda x: mp.mpf(10) ** x, [-290.0, 0.0, 290.0]),
    (special.cbrt, lambda x: mp.sign(x) * mp.cbrt(abs(x)), [-1e200, -1e-200, 1e-100, 8.0, 1e100]),
    (
        special.exprel,
        lambda x: mp.expm1(x) / x,
        [-50.0, -0.5, -1e-8, 1e-5, 0.4999, 0.5, 3.0, 200.0],
    ),
    (special.cosm1, lambda x: mp.cos(x) - 1, [1e-10, 0.5, 3.0]),
    (special.erf, mp.erf, [-5.0, 0.0, 1e-10, 6.0, 20.0]),
    (special.erfc, mp.erfc, [-3.0, 0.0, 6.0, 20.0, 26.0]),
    (special.erfcx, erfcx, [-20.0, -1.0, 0.0, 1.0, 9.99, 10.01, 50.0, 1e3, 1e8, 1e100]),
    (special.erfi, mp.erfi, [-3.0, 0.0, 5.0, 20.0]),
    (
        special.dawsn,
        lambda x: mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x),
        [0.0, 0.5, -9.9, 10.1, 40.0, -1e6],
    ),
    (special.ndtr, mp.ncdf, [-37.0, -10.0, 0.0, 8.0, 30.0]),
    (special.log_ndtr, ln_ndtr, [-1e6, -1e4, -40.0, -5.0, 0.0, 3.0, 20.0, 37.0]),
    (special.gammaln, mp.loggamma, [1e-300, 1e-5, 1.3, 30.0, 1e10]),
    (special.gamma, mp.gamma, [-1.5, 1e-5, 1.3, 30.0, 170.0]),
    (special.rgamma, mp.rgamma, [-4.0, -3.5, -1.0, -1e-9, 0.0, 1e-9, 0.49, 0.51, 30.0, 100.0]),
    (special.psi, lambda x: mp.psi(0, x), [-1.5, 1e-5, 1.3, 30.0, 1e10]),
    (special.entr, lambda x: -x * mp.log(x), [1e-300, 1e-5, 0.3, 1e5]),
    (special.i0, lambda x: mp.besseli(0, x), [-3.0, 0.0, 1e-8, 5.0, 200.0]),
    (special.i1, lambda x: mp.besseli(1, x), [-3.0, 0.0, 1e-8, 5.0, 200.0]),
    (
        special.i0e,
        lambda x: mp.besseli(0, x) * mp.exp(-abs(x)),
        [-30.1, 1e-5, 0.5, 29.9, 30.1, 700.0, 1e8],
    ),
    (
        special.i1e,
        lambda x: mp.besseli(1, x) * mp.exp(-abs(x)),
        [-30.1, 1e-5, 0.5, 29.9, 30.1, 700.0, 1e8],
    ),
    (special.j0, lambda x: mp.besselj(0, x), [1e-8, 1.0, 20.0, 300.0]),
    (special.j1, lambda x: mp.besselj(1, x), [0.0, 1e-8, 1.0, 20.0, 300.0]),
    (special.y0, lambda x: mp.bessely(0, x), [1e-8, 1.0, 20.0]),
    (special.y1, lambda x: mp.bessely(1, x), [1e-8, 1.0, 20.0]),
    (special.k0, lambda x: mp.besselk(0, x), [1e-8, 1.0, 20.0, 600.0]),
    (special.k1, lambda x: mp.besselk(1, x), [1e-8, 1.0, 20.0, 600.0]),
    (special.k0e, lambda x: mp.besselk(0, x) * mp.exp(x), [1e-8, 1.0, 29.9, 30.1, 600.0, 1e8]),
    (special.k1e, lambda x: mp.besselk(1, x) * mp.exp(x), [1e-8, 1.0, 29.9, 30.1, 600.0, 1e8]),
    (special.expi, mp.ei, [-20.0, 1e-10, 0.5, 300.0]),
    (special.exp1, mp.e1, [1e-10, 0.5, 300.0]),
    (special.ellipk, mp.ellipk, [-10.0, 0.0, 1e-9, 0.0999, 0.1001, 0.9, 1 - 1e-6]),
    (special.ellipe, mp.ellipe, [-10.0, 0.0, 1e-9, 0.0999, 0.1001, 0.9, 1 - 1e-6]),
    (special.spence, lambda z: mp.polylog(2, 1 - z).real, [1e-10, 0.4, 1.7]),
]


BESSEL = {special.k0, special.k1, special.k0e, special.k1e, special.y0, special.y1}


def truth_of(f, x, digits=400):
    """The slope in 20 digits and more: differences in mpmath, with steps far below the argument."""
    with mp.workdps(digits):
        x = mp.mpf(float(x))
        h = mp.mpf(10) ** -(digits // 4) * (abs(x) if x else 1)
        return float((f(x + h) - f(x - h)) / (2 * h))


@pytest.mark.parametrize(("f", "exact", "points"), UNARY, ids=lambda v: getattr(v, "__name__", ""))
def test_slope_to_ten_digits_at_extreme_arguments(f, exact, points):
    digits = 120 if f in BESSEL else 400  # mpmath is slow at these
    for x in points:
        got, want = cr.grad(lambda x: f(x))(x), truth_of(exact, x, digits)
        assert got == pytest.approx(want, rel=1e-10, abs=1e-300), (f.__name__, x)


def test_slopes_of_inverses_to_ten_digits():
    """By the slope of the function at the value: f(y) = x, dy/dx = 1 / f'(y)."""
    for x in (1e-300, 1e-12, 0.3, 0.999):
        y = special.ndtri(x)
        assert cr.grad(special.ndtri)(x) == pytest.approx(float(1 / mp.npdf(mp.mpf(y))), rel=1e-10)
        y = special.erfcinv(x)
        assert cr.grad(special.erfcinv)(x) == pytest.approx(
            float(-mp.sqrt(mp.pi) / 2 * mp.exp(mp.mpf(y) ** 2)), rel=1e-10
        )
    for x in (-1e6, -800.0, -1.0, -1e-3):
        y = special.ndtri_exp(x)
        assert cr.grad(special.ndtri_exp)(x) == pytest.approx(1 / truth_of(ln_ndtr, y), rel=1e-10)


@pytest.mark.parametrize("a", [1e-3, 0.5, 3.0, 16.0, 1e5])
@pytest.mark.parametrize("b", [1e-12, 1e-3, 1.0, 70.0, 1e7])
def test_beta_functions_have_no_cancellation(a, b):
    with mp.workdps(60):
        want = float(mp.psi(0, mp.mpf(a)) - mp.psi(0, mp.mpf(a) + mp.mpf(b)))
    assert cr.grad(special.betaln)(a, b) == pytest.approx(want, rel=1e-12)
    assert cr.grad(special.betaln, 1)(b, a) == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize(
    ("a", "x"),
    [(0.3, 1e-8), (2.0, 500.0), (24.9, 30.0), (25.1, 30.0), (1e4, 1.01e4), (1e10, 1e10 + 2e5)],
)
def test_incomplete_gamma_slopes(a, x):
    with mp.workdps(60):
        A, X = mp.mpf(a), mp.mpf(x)
        want = float(mp.exp((A - 1) * mp.log(X) - X - mp.loggamma(A)))
    assert cr.grad(special.gammainc, 1)(a, x) == pytest.approx(want, rel=2e-10)
    assert cr.grad(special.gammaincc, 1)(a, x) == pytest.approx(-want, rel=2e-10)


@pytest.mark.parametrize(
    ("a", "b", "x"), [(0.3, 0.7, 1e-9), (3.0, 0.5, 1 - 1e-9), (30.0, 40.0, 0.4), (1e6, 2e6, 0.3334)]
)
def test_incomplete_beta_slopes(a, b, x):
    with mp.workdps(60):
        A, B, X = mp.mpf(a), mp.mpf(b), mp.mpf(x)
        want = float(X ** (A - 1) * (1 - X) ** (B - 1) / mp.beta(A, B))
    assert cr.grad(special.betainc, 2)(a, b, x) == pytest.approx(want, rel=1e-10)


def test_points_where_formulas_are_zero_times_infinity():
    assert cr.grad(special.xlogy, 1)(0.0, 0.0) == 0
    assert cr.grad(special.xlogy, 1)(0.0, 3.0) == 0
    assert cr.grad(special.rel_entr, 1)(0.0, 2.0) == 0
    assert cr.grad(special.kl_div, 1)(0.0, 2.0) == 1
    assert cr.grad(special.kl_div, 0)(1.0, 1.0 - 2.0**-40) == pytest.approx(
        -np.log1p(-(2.0**-40)), rel=1e-12
    )
    assert cr.grad(special.gammainc, 1)(30.0, 0.0) == 0
    assert cr.grad(special.gammainc, 1)(1.0, 0.0) == 1
    assert cr.grad(special.spence)(1.0) == -1
    assert cr.grad(special.i0e)(0.0) == 0  # a kink: the mean of the two slopes


def test_second_derivative_of_rgamma_at_a_pole_of_gamma():
    got = cr.grad(cr.grad(special.rgamma))(-2.0)
    assert got == pytest.approx(float(mp.diff(mp.rgamma, -2, 2)), rel=1e-8)


# ---------------------------------------------------------------- reductions

A = np.array([[0.3, -1.0, 2.0], [0.3, 700.0, 701.0]])


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_logsumexp_softmax_and_log_softmax_are_scipys(axis, keepdims):
    for x in (A, A.astype(np.float32)):
        got = cr.vjp(lambda x: special.logsumexp(x, axis=axis, keepdims=keepdims), x)[0]
        want = special.logsumexp(x, axis=axis, keepdims=keepdims)
        assert np.array_equal(got, want)
        assert got.dtype == want.dtype
        for f in (special.softmax, special.log_softmax):
            got, want = cr.vjp(lambda x, f=f: f(x, axis=axis), x)[0], f(x, axis=axis)
            np.testing.assert_allclose(got, want, rtol=4 * np.finfo(x.dtype).eps)
            assert got.dtype == want.dtype


def test_reductions_against_numbers():
    x = np.array([[0.3, -1.0, 2.0], [0.5, 1.7, -0.2]])
    b = np.array([0.4, 1.5, 0.7])
    assert_as_numpy(lambda x: special.logsumexp(x), x)
    assert_as_numpy(lambda x: special.logsumexp(x, axis=1, b=b), x)
    assert_as_numpy(lambda b: special.logsumexp(x, axis=1, b=b), b)
    assert_as_numpy(
        lambda b: special.logsumexp(x, axis=0, b=-b, keepdims=True, return_sign=True)[0], b
    )
    assert_as_numpy(lambda x: special.softmax(x, axis=0), x)
    assert_as_numpy(lambda x: special.log_softmax(x, axis=1), x)


def test_rows_of_minus_infinity_share():
    x = np.array([[-np.inf, -np.inf], [-np.inf, 1.0]])
    _, pullback = cr.vjp(lambda x: special.logsumexp(x, axis=1), x)
    assert np.array_equal(pullback(np.ones(2))[0], [[0.5, 0.5], [0.0, 1.0]])


def test_complex_logsumexp_with_weights_and_sign():
    z, b = np.array([0.3 + 0.2j, -0.5 + 1j]), np.array([1.0, 2.0])
    for f in (
        lambda z: special.logsumexp(z, b=b),
        lambda z: special.logsumexp(z, b=b, return_sign=True)[1],
        lambda z: special.logsumexp(z, return_sign=True, keepdims=True)[0],
    ):
        np.testing.assert_allclose(cr.vjp(f, z)[0], f(z), rtol=1e-14)
    _, pullback = cr.vjp(lambda z: special.logsumexp(z, b=b), z)
    e = b * np.exp(z)
    np.testing.assert_allclose(pullback(1.0 + 0j)[0], np.conj(e / e.sum()), rtol=1e-13)


def test_log_softmax_far_from_the_maximum():
    x = np.array([0.0, -800.0, -np.inf])
    g = cr.grad(lambda x: special.log_softmax(x)[1])(x)
    assert np.array_equal(g, [-1.0, 1.0, 0.0])


def test_sign_of_a_weighted_sum_is_constant():
    x = np.array([0.1, 0.4])
    (_, sign), pullback = cr.vjp(
        lambda x: special.logsumexp(x, b=np.array([1.0, -3.0]), return_sign=True), x
    )
    assert sign == -1
    e = np.exp(x) * [1.0, -3.0]
    np.testing.assert_allclose(pullback((np.float64(1.0), np.float64(1.0)))[0], e / e.sum())


# ---------------------------------------------------------------- refusals and laziness


@pytest.mark.parametrize(
    "f", [special.jv, special.iv, special.kv, special.struve, special.hyp0f1, special.hankel1e]
)
def test_orders_are_refused_never_zero(f):
    with pytest.raises(NoRuleError, match="with respect to"):
        cr.grad(f)(0.7, 1.3)
    with pytest.raises(NoRuleError, match="with respect to"):
        cr.jvp(f, (0.7, 1.3), (1.0, 0.0))
    assert np.isfinite(cr.grad(lambda z: np.real(f(0.7, z)))(1.3))


def test_functions_without_a_rule_are_refused():
    with pytest.raises(NoRuleError):
        cr.grad(lambda x: special.mathieu_a(1, x))(0.3)
    with pytest.raises(NoRuleError, match="'q'"):
        cr.grad(lambda q: special.mathieu_cem(1, q, 30.0)[0])(0.3)
    with pytest.raises(NoRuleError, match="degree is no integer"):
        cr.grad(lambda a: special.eval_gegenbauer(2.5, a, 0.3))(0.7)


@pytest.mark.parametrize("f", [special.factorial2, lambda n: special.factorialk(n, 3)])
def test_factorials_of_integers_only_say_what_scipy_says(f):
    with pytest.raises(ValueError, match="non-integ"):
        cr.grad(f)(3.7)


def test_parameters_that_scipy_reads_only_in_a_branch_are_refused():
    for f in (
        lambda b: special.roots_jacobi(3, 0.5, b)[0],
        lambda v: special.lmbda(v, 0.3)[0],
    ):
        with pytest.raises(NoRuleError):
            cr.vjp(f, 0.5)
        with pytest.raises(NoRuleError):
            cr.vjp(f, 2.0)


def test_scaled_functions_of_complex_arguments_are_refused():
    for f in (special.ive, special.jve):
        with pytest.raises(NoRuleError, match="complex"):
            cr.vjp(lambda z: f(1.0, z), 0.3 + 0.2j)[1](1.0 + 0j)


def test_non_ufunc_without_lifting_is_refused():
    with pytest.raises(NonDifferentiableError, match="plain number"):
        cr.grad(lambda x: special.logsumexp(x), lift=False)(np.ones(3))


def test_import_does_not_import_scipy_and_rules_come_when_it_is_there():
    code = """
import sys, chainrule as cr
assert not [m for m in sys.modules if m.split('.')[0] == 'scipy'], 'chainrule imports scipy'
import numpy as np
from chainrule.core.primitive import UFUNCS
assert cr.grad(np.sin)(0.0) == 1
from scipy.special import expit, logsumexp
assert expit not in UFUNCS
assert cr.grad(expit)(0.0) == 0.25
assert cr.grad(lambda x: np.sum(expit(x, out=np.zeros_like(x))))(np.zeros(1)) == 0.25
assert abs(cr.grad(lambda x: logsumexp(x))(np.zeros(4)) - 0.25).max() < 1e-15
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_rules_that_fail_to_load_say_so_each_time_and_load_once_they_can():
    code = """
import numpy as np, chainrule as cr
from chainrule.core.primitive import PRIMITIVES
from scipy import special
names, wright = set(PRIMITIVES), special.wrightomega
del special.wrightomega
for _ in range(2):
    try:
        cr.grad(special.expit)(0.0)
    except AttributeError as error:
        assert "wrightomega" in str(error), error
    else:
        raise AssertionError("the error was swallowed")
    assert set(PRIMITIVES) == names
special.wrightomega = wright
assert cr.grad(special.expit)(0.0) == 0.25 and cr.grad(wright)(1.0) == 0.5
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_lifting_finds_functions_before_any_ufunc_was_used():
    code = """
import numpy as np, chainrule as cr
from scipy.special import logsumexp
assert abs(cr.grad(lambda x: logsumexp(x))(np.zeros(4)) - 0.25).max() < 1e-15
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
