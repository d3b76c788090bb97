"""Slopes of ``scipy.special`` in parameters and at extreme arguments, to ten digits of mpmath's."""

import mpmath
import numpy as np
import pytest
from scipy import special

import chainrule as cr
from chainrule.base.errors import NonFiniteGradientWarning

mp = mpmath.mp


def truth_of(f, x, digits=120):
    """By central differences of step 1e-35 x, in so many digits that rounding is far below."""
    with mp.workdps(digits):
        x = mp.mpf(float(x))
        h = mp.mpf(10) ** -35 * (abs(x) if x else 1)
        return float(mp.re((f(x + h) - f(x - h)) / (2 * h)))


def check(f, exact, x, digits=120, rel=1e-10):
    got, want = cr.grad(f)(float(x)), truth_of(exact, x, digits)
    assert got == pytest.approx(want, rel=rel, abs=1e-300), x


# ---------------------------------------------------------------- parameters without closed form


@pytest.mark.parametrize("a", [1e-8, 0.1, 1.5, 26.0, 1e3, 1e6])
def test_incomplete_gamma_in_its_parameter(a):
    sd = np.sqrt(a)
    for x in (1e-300, 1e-3, 0.99, 1.01, 3.0, a, a - 3 * sd, a + 8 * sd):
        if x > 0:
            X = mp.mpf(float(x))
            lower = x < a
            ends = (0, X) if lower else (X, mp.inf)
            sign = 1 if lower else -1
            check(
                lambda t, x=x: special.gammainc(t, x),
                lambda t, ends=ends, s=sign: s * mp.gammainc(t, *ends, regularized=True),
                a,
                digits=80,
            )


@pytest.mark.parametrize("order", [2, 3])
def test_higher_derivatives_of_incomplete_gamma_in_its_parameter(order):
    def derivative(a, x):
        f = special.gammainc
        for _ in range(order):
            f = cr.grad(f)
        return f(a, x)

    for a, x in ((0.1, 3.0), (1e-3, 1.5), (1.5, 1.01), (26.0, 20.0), (100.0, 130.0)):
        with mp.workdps(140):
            A, X, h = mp.mpf(a), mp.mpf(x), mp.mpf(a) * mp.mpf(10) ** -25
            want = mp.diff(lambda t, X=X: mp.gammainc(t, 0, X, regularized=True), A, order, h=h)
        assert derivative(a, x) == pytest.approx(float(want), rel=1e-9)


@pytest.mark.parametrize("a", [1e-3, 0.3, 1.0, 30.0, 2e3])
@pytest.mark.parametrize("b", [0.1, 5.0, 300.0])
def test_incomplete_beta_in_its_parameters(a, b):
    mean = a / (a + b)
    width = np.sqrt(mean * (1 - mean) / (a + b + 1))
    for x in (1e-300, 0.3, 1 - 1e-6, mean, mean - 3 * width, mean + 5 * width):
        if not 0 < x < 1:
            continue
        X = mp.mpf(float(x))

        def exact(a, b, X=X, lower=x < mean):
            if lower:
                return mp.betainc(a, b, 0, X, regularized=True)
            return -mp.betainc(b, a, 0, 1 - X, regularized=True)

        B, A = mp.mpf(b), mp.mpf(a)
        check(lambda t, x=x: special.betainc(t, b, x), lambda t: exact(t, B), a, digits=60)
        check(lambda t, x=x: special.betainc(a, t, x), lambda t: exact(A, t), b, digits=60)


@pytest.mark.parametrize("t", [-30.0, -3.0, 0.5, 1.0, 2.0, 8.0])
def test_student_in_its_degrees_of_freedom(t):
    T = mp.mpf(t)

    def exact(n):
        return -mp.sign(T) * mp.betainc(n / 2, 0.5, 0, n / (n + T * T), regularized=True) / 2

    for n in (0.1, 1.0, 30.0, 59.0, 61.0, 1e4):
        check(lambda n: special.stdtr(n, t), exact, n, digits=60)


def test_second_derivative_of_student_at_zero():
    mixed = cr.grad(cr.grad(special.stdtr), 1)(3.0, 0.0)
    density = lambda n: mp.gamma((n + 1) / 2) / mp.gamma(n / 2) / mp.sqrt(n * mp.pi)
    assert mixed == pytest.approx(truth_of(density, 3.0), rel=1e-12)


def test_inverses_in_their_parameters():
    """dy/da = -F_a / F_y: the inverse undoes the function along any curve of parameters."""
    p = np.array([1e-200, 1e-8, 0.3, 0.9])
    for inverse, f in (
        (special.gammaincinv, special.gammainc),
        (special.gammainccinv, special.gammaincc),
        (special.chdtri, special.chdtrc),
        (special.stdtrit, special.stdtr),
    ):
        q = p[1:] if f is special.stdtr else p
        slope = cr.jvp(lambda a, f=f, g=inverse, q=q: f(a, g(a, q)) / q, (2.7,), (1.0,))[1]
        np.testing.assert_allclose(slope, 0, atol=1e-11)


# ---------------------------------------------------------------- noncentral


@pytest.mark.parametrize("n", [0.7, 1.2, 3.0, 20.0])
def test_noncentral_t_in_its_noncentrality(n):
    for t in (-1.0, 0.0, 0.8, 5.0):
        with mp.workdps(25):
            N = mp.mpf(n)

            def integrand(v, N=N, t=t):
                chi2 = v ** (N / 2 - 1) * mp.exp(-v / 2) / (2 ** (N / 2) * mp.gamma(N / 2))
                return -mp.npdf(t * mp.sqrt(v / N) - 0.9) * chi2

            want = mp.quad(integrand, [0, 1e-8, 1e-4, 0.01, 1, 3, 10, 30, 100, 300])
        assert cr.grad(special.nctdtr, 1)(n, 0.9, t) == pytest.approx(float(want), rel=1e-9)


# ---------------------------------------------------------------- scaled Bessel and Airy functions

SIZES = [1e-3, 0.5, 5.0, 40.0, 60.0, 200.0, 1e4]


@pytest.mark.parametrize("v", [0.0, 1.3, 10.0])
def test_scaled_bessel_functions(v):
    for z in SIZES:
        check(lambda z: special.kve(v, z), lambda z: mp.besselk(v, z) * mp.exp(z), z)
        check(lambda z: special.ive(v, z), lambda z: mp.besseli(v, z) * mp.exp(-z), z, 200)
        if z > 0.1:
            for part, of in ((np.real, mp.re), (np.imag, mp.im)):
                check(
                    lambda z, part=part: part(special.hankel1e(v, z)),
                    lambda z, of=of: of(mp.hankel1(v, z) * mp.exp(-1j * z)),
                    z,
                )


def test_scaled_airy_functions():
    def scale(x, sign):
        return mp.exp(sign * mp.mpf(2) / 3 * x**1.5)

    exact = (
        lambda x: mp.airyai(x) * scale(x, 1),
        lambda x: mp.airyai(x, derivative=1) * scale(x, 1),
        lambda x: mp.airybi(x) * scale(x, -1),
        lambda x: mp.airybi(x, derivative=1) * scale(x, -1),
    )
    for i, f in enumerate(exact):
        for x in (1e-3, 1.0, 19.0, 21.0, 1e3):
            check(lambda x, i=i: special.airye(x)[i], f, x)


def test_struve_functions():
    for v in (0.0, 0.5, 3.0):
        for x in (1e-8, 0.1, 3.0, 30.0):
            check(lambda x, v=v: special.struve(v, x), lambda x, v=v: mp.struveh(v, x), x)
            check(lambda x, v=v: special.modstruve(v, x), lambda x, v=v: mp.struvel(v, x), x)
    assert cr.grad(lambda x: special.struve(0.0, x))(0.0) == pytest.approx(2 / np.pi, rel=1e-15)


# ---------------------------------------------------------------- elliptic

CARLSON = [
    (special.elliprc, mp.elliprc, [(1.0, 1.0), (1e-5, 1e5), (1.0, 1 + 1e-9), (1.3, -0.6)]),
    (special.elliprf, mp.elliprf, [(1.0, 1.0, 1.0), (1e-8, 1.0, 1e8), (1.0, 1.0, 1 + 1e-9)]),
    (special.elliprd, mp.elliprd, [(1.0, 1.0, 1.0), (1e-8, 1.0, 1e8), (1.0, 1.0, 1 + 1e-9)]),
    (special.elliprg, mp.elliprg, [(1.0, 1.0, 1.0), (1e-8, 1.0, 1e8), (1.0, 1.0, 1 + 1e-9)]),
    (
        special.elliprj,
        mp.elliprj,
        [(1.0, 1.0, 1.0, 1.0), (1e-6, 1.0, 1e6, 3.0), (1.0, 2.0, 3.0, 2 + 1e-9)]
        + [(1.0, 2.0, 3.0, 1e-6), (1.0, 2.0, 3.0, -1.3)],
    ),
    (special.agm, mp.agm, [(1.0, 1.0), (1e-100, 1.0), (3.0, 5.0)]),
]


@pytest.mark.parametrize(
    ("f", "exact", "points"), CARLSON, ids=lambda v: getattr(v, "__name__", "")
)
def test_symmetric_integrals_also_where_arguments_are_equal(f, exact, points):
    for point in points:
        for i, x in enumerate(point):
            before, after = point[:i], point[i + 1 :]
            check(
                lambda x, a=before, b=after: f(*a, x, *b),
                lambda x, a=before, b=after: exact(*map(mp.mpf, a), x, *map(mp.mpf, b)),
                x,
                digits=90,
            )


@pytest.mark.parametrize("phi", [1e-5, 0.7, 1.5, 1.6, -20.0])
def test_legendre_integrals_in_their_parameter(phi):
    for m in (-5.0, 0.0, 1e-9, 0.5, 0.99):
        check(lambda m: special.ellipkinc(phi, m), lambda m: mp.ellipf(phi, m), m)
        check(lambda m: special.ellipeinc(phi, m), lambda m: mp.ellipe(phi, m), m)


@pytest.mark.parametrize(("i", "name"), [(0, "sn"), (1, "cn"), (2, "dn")])
def test_jacobi_functions(i, name):
    for m in (1e-8, 0.5, 0.99):
        for u in (1e-3, 0.5, 3.0, 20.0):
            exact = lambda u, m: mp.ellipfun(name, u, m=m)
            check(lambda u, m=m: special.ellipj(u, m)[i], lambda u, m=m: exact(u, mp.mpf(m)), u)
            check(lambda m, u=u: special.ellipj(u, m)[i], lambda m, u=u: exact(mp.mpf(u), m), m)


# ---------------------------------------------------------------- gamma, zeta, elementary


def test_zeta():
    for q in (1e-5, 0.3, 1.0, 50.0):
        for s in (1.001, 1.5, 10.0, 60.0):
            check(lambda s, q=q: special.zeta(s, q), lambda s, q=q: mp.zeta(s, q), s, 70)
    for s in (-51.3, -10.0, -2.0, 0.0, 0.5, 0.999, 3.0, 40.0):
        check(lambda s: special.zeta(s), mp.zeta, s, 70)


def test_binomials_and_factorials_at_poles_and_zeros():
    for n in (3.0, 0.0, 1e8, 4.5):
        check(lambda n: special.binom(n, 5.0), lambda n: mp.binomial(n, 5), n)
    for k in (5.0, -1.0, 2.0, 0.0, 4.0):
        check(lambda k: special.binom(3.0, k), lambda k: mp.binomial(3, k), k)
    for z in (-3.0, -1.0, 0.0, 1e6):
        check(lambda z: special.poch(z, 2.0), lambda z: mp.rf(z, 2), z)
    for x in (0.0, 0.5, 170.0):
        check(lambda x: special.factorial(x), lambda x: mp.gamma(x + 1), x)


@pytest.mark.parametrize("x", [0.7, 1e-8, -0.3])
def test_inverse_of_box_cox_in_its_power(x):
    for p in (0.0, 1e-9, 0.05, 0.3, 2.0, -0.5):
        check(
            lambda p: special.inv_boxcox(x, p),
            lambda p: (1 + p * mp.mpf(x)) ** (1 / p) if p else mp.exp(x),
            p,
        )


@pytest.mark.parametrize(("sigma", "gamma"), [(1.0, 0.5), (1e-3, 1.0), (1.0, 1e-6), (1.0, 0.0)])
def test_voigt_profile(sigma, gamma):
    def exact(x, s, g):
        z = (x + 1j * g) / (s * mp.sqrt(2))
        return mp.re(mp.exp(-z * z) * mp.erfc(-1j * z)) / (s * mp.sqrt(2 * mp.pi))

    S, G = mp.mpf(sigma), mp.mpf(gamma)
    for x in (0.0, 0.3, 13.0, 16.0):
        X = mp.mpf(x)
        check(lambda t: special.voigt_profile(t, sigma, gamma), lambda t: exact(t, S, G), x, 250)
        check(
            lambda t, x=x: special.voigt_profile(x, t, gamma),
            lambda t, X=X: exact(X, t, G),
            sigma,
            250,
        )
        if gamma:
            check(
                lambda t, x=x: special.voigt_profile(x, sigma, t),
                lambda t, X=X: exact(X, S, t),
                gamma,
                250,
            )


def test_kolmogorov():
    def exact(x):
        return 2 * sum((-1) ** (k - 1) * mp.exp(-2 * (k * x) ** 2) for k in range(1, 100))

    for x in (0.2, 0.5, 0.99, 1.01, 2.0, 8.0):
        check(special.kolmogorov, exact, x)
    assert cr.grad(special.kolmogorov)(1e-3) == 0


def test_no_nan_where_the_slope_is_fine():
    grad = cr.grad
    with pytest.warns(NonFiniteGradientWarning):
        assert grad(special.entr)(0.0) == np.inf  # -log 0 - 1
    assert grad(special.xlogy)(0.0, 2.0) == np.log(2)
    assert grad(special.expit)(-800.0) == 0 == grad(special.expit)(800.0)
    assert grad(special.log_ndtr)(-40.0) == pytest.approx(40.02496888, rel=1e-8)
    assert grad(special.gammainc, 0)(2.0, 0.0) == 0
    assert grad(special.betainc, 0)(2.0, 3.0, 1.0) == 0
    assert grad(special.diric)(0.0, 5) == 0
    assert grad(special.expn, 1)(0, 2.0) == pytest.approx(-np.exp(-2) * 0.75, rel=1e-15)
    assert grad(lambda x: special.beip(x))(0.0) == 0.5
    assert grad(lambda x: special.shichi(x)[0])(0.0) == 1
    assert grad(lambda x: special.tklmbda(x, 2.0))(5.0) == 0  # off the support
    for x in (5e-324, 1e-310):  # subnormal
        assert grad(special.erf)(x) == pytest.approx(2 / np.sqrt(np.pi), rel=1e-15)
        assert grad(special.expm1)(x) == 1
