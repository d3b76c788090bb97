"""``scipy.special``: elementary, gamma, error, Bessel, elliptic, hypergeometric functions.

Without a hand's derivative: slopes in parameters, in a second row, and functions whose textbook
slope cancels or has a pole somewhere, where ours goes on.
"""

import hand
import numpy as np
from rows import Row, each, plain, several, uniform
from scipy import special as s

from chainrule.rules.scipy_outputs import private

DEGREE, LN2, LN10, PI = np.pi / 180, np.log(2), np.log(10), np.pi
ROOT_PI, ROOT_2PI = np.sqrt(np.pi), np.sqrt(2 * np.pi)


def rows(n: int) -> list[Row]:
    table = [*_elementary(n), *_gamma(n), *_error(n), *_bessel(n), *_elliptic(n // 10)]
    table += _hypergeometric(n)
    return [row for row in table if row.f is not None]  # not every SciPy has all of them


def _elementary(n):
    x, y = uniform(n), uniform(n, seed=1)
    inside = x / 1.3
    return [
        each("special.log1p", s.log1p, (x,), lambda d, x, y: d / (1 + x)),
        each("special.expm1", s.expm1, (x,), lambda d, x, y: d * np.exp(x)),
        each("special.exp2", s.exp2, (x,), lambda d, x, y: d * (LN2 * y)),
        each("exp10", s.exp10, (x,), lambda d, x, y: d * (LN10 * y)),
        each("special.cbrt", s.cbrt, (x,), lambda d, x, y: d / (3 * y * y)),
        plain("exprel", s.exprel, (x,)),
        each("cosm1", s.cosm1, (x,), lambda d, x, y: d * -np.sin(x)),
        each("powm1", s.powm1, (x, y), lambda d, a, b, y: d * (b * a ** (b - 1)),
             lambda d, a, b, y: d * ((y + 1) * np.log(a))),
        plain("boxcox", s.boxcox, (x, y)),
        plain("boxcox1p", s.boxcox1p, (x, y)),
        plain("inv_boxcox", s.inv_boxcox, (x, y)),
        plain("inv_boxcox1p", s.inv_boxcox1p, (x, y)),
        plain("tklmbda", lambda x: s.tklmbda(x, 0.4), (x,)),
        plain("tklmbda in both", s.tklmbda, (x, y)),
        each("expit", s.expit, (x,), lambda d, x, y: d * (y * (1 - y))),
        each("log_expit", s.log_expit, (x,), lambda d, x, y: d * s.expit(-x)),
        each("logit", s.logit, (inside,), lambda d, x, y: d / (x * (1 - x))),
        each("xlogy", s.xlogy, (x, y), lambda d, a, b, y: d * np.log(b),
             lambda d, a, b, y: d * a / b),
        each("xlog1py", s.xlog1py, (x, y), lambda d, a, b, y: d * np.log1p(b),
             lambda d, a, b, y: d * a / (1 + b)),
        each("entr", s.entr, (x,), lambda d, x, y: -d * (np.log(x) + 1)),
        plain("rel_entr", s.rel_entr, (x, y)),
        plain("kl_div", s.kl_div, (x, y)),
        each("huber", s.huber, (x, y), lambda d, a, r, y: d * np.maximum(np.abs(r) - a, 0),
             lambda d, a, r, y: d * np.clip(r, -a, a)),
        plain("pseudo_huber", s.pseudo_huber, (x, y)),
        each("sindg", s.sindg, (x,), lambda d, x, y: d * (DEGREE * s.cosdg(x))),
        each("cosdg", s.cosdg, (x,), lambda d, x, y: d * (-DEGREE * s.sindg(x))),
        each("tandg", s.tandg, (x,), lambda d, x, y: d * (DEGREE / s.cosdg(x) ** 2)),
        each("cotdg", s.cotdg, (x,), lambda d, x, y: d * (-DEGREE / s.sindg(x) ** 2)),
        each("radian", s.radian, (x, y, x), lambda d, *_: d * DEGREE,
             lambda d, *_: d * (DEGREE / 60), lambda d, *_: d * (DEGREE / 3600)),
        plain("diric", lambda x: s.diric(x, 7), (x,)),
        each("_log1pmx", private("_log1pmx"), (x,), lambda d, x, y: -d * x / (1 + x)),
        each("_log1mexp", private("_log1mexp"), (-x,), lambda d, x, y: -d / np.expm1(-x)),
        each("_cospi", private("_cospi"), (x,), lambda d, x, y: d * -PI * private("_sinpi")(x)),
        each("_sinpi", private("_sinpi"), (x,), lambda d, x, y: d * PI * private("_cospi")(x)),
    ]  # fmt: skip


def _gamma(n):
    x, y = uniform(n), uniform(n, seed=1)
    psi = s.psi
    factorial = {"extend": "complex"}  # of numbers that are not whole
    return [
        each("gammaln", s.gammaln, (x,), lambda d, x, y: d * psi(x)),
        each("loggamma", s.loggamma, (x,), lambda d, x, y: d * psi(x)),
        each("gamma", s.gamma, (x,), lambda d, x, y: d * (y * psi(x))),
        plain("rgamma", s.rgamma, (x,)),
        each("_lgam1p", private("_lgam1p"), (x,), lambda d, x, y: d * psi(1 + x)),
        each("psi", psi, (x,), lambda d, x, y: d * s.zeta(2, x)),
        each("polygamma", lambda x: s.polygamma(2, x), (x,),
             lambda d, x, y: d * s.polygamma(3, x)),
        each("multigammaln", lambda a: s.multigammaln(a, 3), (x[: n // 10] + 2,),
             lambda d, a, y: d * (psi(a) + psi(a - 0.5) + psi(a - 1))),
        each("beta", s.beta, (x, y), lambda d, a, b, y: d * (y * (psi(a) - psi(a + b))),
             lambda d, a, b, y: d * (y * (psi(b) - psi(a + b)))),
        each("betaln", s.betaln, (x, y), lambda d, a, b, y: d * (psi(a) - psi(a + b)),
             lambda d, a, b, y: d * (psi(b) - psi(a + b))),
        plain("binom", s.binom, (x + 3, y)),
        each("poch", s.poch, (x, y), lambda d, z, m, y: d * (y * (psi(z + m) - psi(z))),
             lambda d, z, m, y: d * (y * psi(z + m))),
        each("factorial", s.factorial, (x,), lambda d, x, y: d * (y * psi(x + 1))),
        each("_factorial", private("_factorial"), (x,), lambda d, x, y: d * (y * psi(x + 1))),
        each("factorial2", lambda x: s.factorial2(x, **factorial), (x,),
             lambda d, x, y: d * (y * (0.5 * (LN2 + psi(0.5 * x + 1))))),
        each("factorialk", lambda x: s.factorialk(x, 3, **factorial), (x,),
             lambda d, x, y: d * (y * ((np.log(3) + psi(x / 3 + 1)) / 3))),
        each("zeta in q", lambda q: s.zeta(2.5, q), (x,),
             lambda d, q, y: d * (-2.5 * s.zeta(3.5, q))),
        plain("zeta in both", s.zeta, (x[: n // 10] + 1, y[: n // 10])),
        plain("zeta of Riemann", s.zeta, (x[: n // 10] + 1,)),
        plain("zetac", s.zetac, (x[: n // 10] + 1,)),
    ]  # fmt: skip


def _error(n):
    x, y, z = uniform(n), uniform(n, seed=1), uniform(n, seed=2)
    inside, few = x / 1.3, uniform(n // 10)
    half = s.erf
    return [
        each("erf", s.erf, (x,), lambda d, x, y: d * (2 / ROOT_PI * np.exp(-x * x))),
        each("erfc", s.erfc, (x,), lambda d, x, y: d * (-2 / ROOT_PI * np.exp(-x * x))),
        each("erfcx", s.erfcx, (x,), lambda d, x, y: d * (2 * x * y - 2 / ROOT_PI)),
        each("erfi", s.erfi, (x,), lambda d, x, y: d * (2 / ROOT_PI * np.exp(x * x))),
        each("dawsn", s.dawsn, (x,), lambda d, x, y: d * (1 - 2 * x * y)),
        each("wofz", s.wofz, (x + 1j * y,), lambda d, z, y: d * (2j / ROOT_PI - 2 * z * y),
             vjp=hand.wofz),
        each("erfinv", s.erfinv, (inside,), lambda d, x, y: d * (ROOT_PI / 2 * np.exp(y * y))),
        each("erfcinv", s.erfcinv, (inside,), lambda d, x, y: d * (-ROOT_PI / 2 * np.exp(y * y))),
        each("ndtr", s.ndtr, (x,), lambda d, x, y: d * (np.exp(-0.5 * x * x) / ROOT_2PI)),
        plain("log_ndtr", s.log_ndtr, (x,)),
        each("ndtri", s.ndtri, (inside,), lambda d, x, y: d * (ROOT_2PI * np.exp(0.5 * y * y))),
        plain("ndtri_exp", s.ndtri_exp, (-x,)),
        each("owens_t", s.owens_t, (x, y), lambda d, h, a, y:
             d * (-np.exp(-0.5 * h * h) * half(a * h / np.sqrt(2)) / (2 * ROOT_2PI)),
             lambda d, h, a, y: d * (np.exp(-0.5 * h * h * (1 + a * a)) / (2 * PI * (1 + a * a)))),
        each("voigt_profile", s.voigt_profile, (x, y, z), vjp=hand.voigt_profile),
        plain("kolmogorov", s.kolmogorov, (x,)),
        plain("kolmogi", s.kolmogi, (inside,)),
        plain("smirnov", lambda d: s.smirnov(5, d), (few / 1.3,)),
        plain("smirnovi", lambda p: s.smirnovi(5, p), (few / 1.3,)),
    ]  # fmt: skip


def _bessel(n):
    x = uniform(n, high=4.5)
    few = x[: n // 5]
    v = 1.5

    def order(name, f, sign=-1, scale=0.5, more=0.0):
        """(f_(v-1) +- f_(v+1)) / 2, and a multiple of f for the scaled ones."""
        return each(name, lambda x: f(v, x), (few,), lambda d, x, y:
                    d * (scale * (f(v - 1, x) + sign * f(v + 1, x)) + more * y))  # fmt: skip

    def real_order(name, f, more=0.0):
        """Hankel's functions: complex numbers of a real one."""

        def slope(x, y):
            return 0.5 * (f(v - 1, x) - f(v + 1, x)) + more * y

        def vjp(x):
            y = f(v, x)
            return lambda g: (g * np.conj(slope(x, y))).real

        return each(name, lambda x: f(v, x), (few,), lambda d, x, y: d * slope(x, y), vjp=vjp)

    def next_derivative(name, f):
        return each(name, lambda x: f(v, x, 1), (few,), lambda d, x, y: d * f(v, x, 2))

    def spherical(name, f):
        return each(name, lambda x: f(2, x), (few,), lambda d, x, y: d * f(2, x, True))

    def hankel_derivative(name, f):
        return each(name, lambda x: f(v, x, 1), (few,), lambda d, x, y: d * f(v, x, 2),
                    vjp=lambda x: lambda g: (g * np.conj(f(v, x, 2))).real)  # fmt: skip

    return [
        each("j0", s.j0, (x,), lambda d, x, y: d * -s.j1(x)),
        each("j1", s.j1, (x,), lambda d, x, y: d * (s.j0(x) - y / x)),
        each("y0", s.y0, (x,), lambda d, x, y: d * -s.y1(x)),
        each("y1", s.y1, (x,), lambda d, x, y: d * (s.y0(x) - y / x)),
        each("special.i0", s.i0, (x,), lambda d, x, y: d * s.i1(x)),
        each("i1", s.i1, (x,), lambda d, x, y: d * (s.i0(x) - y / x)),
        each("i0e", s.i0e, (x,), lambda d, x, y: d * (s.i1e(x) - y)),
        each("i1e", s.i1e, (x,), lambda d, x, y: d * (s.i0e(x) - y - y / x)),
        each("k0", s.k0, (x,), lambda d, x, y: d * -s.k1(x)),
        each("k1", s.k1, (x,), lambda d, x, y: d * -(s.k0(x) + y / x)),
        each("k0e", s.k0e, (x,), lambda d, x, y: d * (y - s.k1e(x))),
        each("k1e", s.k1e, (x,), lambda d, x, y: d * (y - s.k0e(x) - y / x)),
        order("jv", s.jv),
        order("yv", s.yv),
        order("iv", s.iv, 1),
        order("kv", s.kv, 1, -0.5),
        each("yn", lambda x: s.yn(2, x), (few,),
             lambda d, x, y: d * (0.5 * (s.yn(1, x) - s.yn(3, x)))),
        each("kn", lambda x: s.kn(2, x), (few,),
             lambda d, x, y: d * (-0.5 * (s.kn(1, x) + s.kn(3, x)))),
        real_order("hankel1", s.hankel1),
        real_order("hankel2", s.hankel2),
        order("jve", s.jve),
        order("yve", s.yve),
        order("ive", s.ive, 1, 0.5, -1.0),
        order("kve", s.kve, 1, -0.5, 1.0),
        real_order("hankel1e", s.hankel1e, -1j),
        real_order("hankel2e", s.hankel2e, 1j),
        next_derivative("jvp", s.jvp),
        next_derivative("yvp", s.yvp),
        next_derivative("ivp", s.ivp),
        next_derivative("kvp", s.kvp),
        hankel_derivative("h1vp", s.h1vp),
        hankel_derivative("h2vp", s.h2vp),
        spherical("spherical_jn", s.spherical_jn),
        spherical("spherical_yn", s.spherical_yn),
        spherical("spherical_in", s.spherical_in),
        spherical("spherical_kn", s.spherical_kn),
        each("ber", s.ber, (x,), lambda d, x, y: d * s.berp(x)),
        each("bei", s.bei, (x,), lambda d, x, y: d * s.beip(x)),
        each("ker", s.ker, (x,), lambda d, x, y: d * s.kerp(x)),
        each("kei", s.kei, (x,), lambda d, x, y: d * s.keip(x)),
        each("berp", s.berp, (x,), lambda d, x, y: d * -(s.bei(x) + y / x)),
        each("beip", s.beip, (x,), lambda d, x, y: d * (s.ber(x) - y / x)),
        each("kerp", s.kerp, (x,), lambda d, x, y: d * -(s.kei(x) + y / x)),
        each("keip", s.keip, (x,), lambda d, x, y: d * (s.ker(x) - y / x)),
        Row("kelvin", s.kelvin, (few,), hand.kelvin),
        several("airy", s.airy, few, lambda x, a, ap, b, bp: (ap, x * a, bp, x * b)),
        plain("airye", s.airye, (few,)),
        several("itj0y0", s.itj0y0, few, lambda x, *_: (s.j0(x), s.y0(x))),
        several("iti0k0", s.iti0k0, few, lambda x, *_: (s.i0(x), s.k0(x))),
        several("it2j0y0", s.it2j0y0, few, lambda x, *_: ((1 - s.j0(x)) / x, -s.y0(x) / x)),
        several("it2i0k0", s.it2i0k0, few, lambda x, *_: ((s.i0(x) - 1) / x, -s.k0(x) / x)),
        several("itairy", s.itairy, few, lambda x, *_: (
            *s.airy(x)[0:3:2], *s.airy(-x)[0:3:2])),
        each("struve", lambda x: s.struve(v, x), (few,),
             lambda d, x, y: d * (s.struve(v - 1, x) - v * y / x)),
        each("modstruve", lambda x: s.modstruve(v, x), (few,),
             lambda d, x, y: d * (s.modstruve(v - 1, x) - v * y / x)),
        each("itstruve0", s.itstruve0, (few,), lambda d, x, y: d * s.struve(0, x)),
        each("it2struve0", s.it2struve0, (few,), lambda d, x, y: -d * s.struve(0, x) / x),
        each("itmodstruve0", s.itmodstruve0, (few,), lambda d, x, y: d * s.modstruve(0, x)),
        each("besselpoly", lambda a: s.besselpoly(a, 0.7, 1.4), (few,), lambda d, a, y:
             d * (s.besselpoly(a, 1.7, 0.4) - s.besselpoly(a, 1.7, 2.4))),
    ]  # fmt: skip


def _elliptic(n):
    x, y, z, p = (uniform(n, seed=i) for i in range(4))
    m = x / 1.3

    def incomplete(phi, m):
        return np.sqrt(1 - m * np.sin(phi) ** 2)

    def by_m(d, phi, m, y):
        step = np.sin(2 * phi) / (4 * (1 - m) * incomplete(phi, m))
        return d * (s.ellipeinc(phi, m) / (2 * m * (1 - m)) - y / (2 * m) - step)

    return [
        each("ellipk", s.ellipk, (m,), lambda d, m, y:
             d * ((s.ellipe(m) - (1 - m) * y) / (2 * m * (1 - m)))),
        each("ellipkm1", s.ellipkm1, (m,), lambda d, p, y:
             d * ((p * y - s.ellipe(1 - p)) / (2 * p * (1 - p)))),
        each("ellipe", s.ellipe, (m,), lambda d, m, y: d * ((y - s.ellipk(m)) / (2 * m))),
        each("ellipkinc", s.ellipkinc, (y, m), lambda d, phi, m, y: d / incomplete(phi, m), by_m),
        each("ellipeinc", s.ellipeinc, (y, m), lambda d, phi, m, y: d * incomplete(phi, m),
             lambda d, phi, m, y: d * ((y - s.ellipkinc(phi, m)) / (2 * m))),
        plain("agm", s.agm, (x, y)),
        plain("ellipj", s.ellipj, (x, m)),
        plain("elliprc", s.elliprc, (x, y)),
        each("elliprf", s.elliprf, (x, y, z), lambda d, x, y, z, _: d * (s.elliprd(y, z, x) / -6),
             lambda d, x, y, z, _: d * (s.elliprd(z, x, y) / -6),
             lambda d, x, y, z, _: d * (s.elliprd(x, y, z) / -6)),
        plain("elliprg", s.elliprg, (x, y, z)),
        plain("elliprd", s.elliprd, (x, y, z)),
        plain("elliprj", s.elliprj, (x, y, z, p)),
    ]  # fmt: skip


def _hypergeometric(n):
    x = uniform(n)
    few, inside = x[: n // 10], x[: n // 10] / 1.3
    degrees = uniform(n // 50, low=10, high=70)
    turning = np.sqrt(PI / 2)

    def wave(name, f, energy):
        """w'' = energy(x) w."""
        return several(name, lambda x: f(0.7, x), few, lambda x, w, wp: (wp, energy(x) * w))

    def mathieu(name, f, characteristic):
        a = characteristic(2, 0.8)
        return several(name, lambda x: f(2, 0.8, x), degrees, lambda x, w, wp: (
            DEGREE * wp, DEGREE * (1.6 * np.cos(2 * DEGREE * x) - a) * w))  # fmt: skip

    def modified_mathieu(name, f, characteristic):
        a = characteristic(2, 0.8)
        return several(name, lambda x: f(2, 0.8, x), few[: n // 50], lambda x, w, wp: (
            wp, (a - 1.6 * np.cosh(2 * x)) * w))  # fmt: skip

    return [
        each("expi", s.expi, (x,), lambda d, x, y: d * (np.exp(x) / x)),
        each("exp1", s.exp1, (x,), lambda d, x, y: d * (-np.exp(-x) / x)),
        each("expn", lambda x: s.expn(2, x), (x,), lambda d, x, y: d * -s.expn(1, x)),
        each("spence", s.spence, (x,), lambda d, x, y: d * (np.log(x) / (1 - x))),
        several("sici", s.sici, x, lambda x, *_: (np.sin(x) / x, np.cos(x) / x)),
        several("shichi", s.shichi, x, lambda x, *_: (np.sinh(x) / x, np.cosh(x) / x)),
        several("fresnel", s.fresnel, x, lambda x, *_: (
            np.sin((turning * x) ** 2), np.cos((turning * x) ** 2))),
        plain("modfresnelp", s.modfresnelp, (few,)),
        plain("modfresnelm", s.modfresnelm, (few,)),
        each("hyp2f1", lambda z: s.hyp2f1(0.5, 1.5, 2.2, z), (inside,),
             lambda d, z, y: d * (0.75 / 2.2 * s.hyp2f1(1.5, 2.5, 3.2, z))),
        each("hyp1f1", lambda z: s.hyp1f1(0.5, 1.5, z), (few,),
             lambda d, z, y: d * (s.hyp1f1(1.5, 2.5, z) / 3)),
        each("hyp0f1", lambda z: s.hyp0f1(1.5, z), (few,),
             lambda d, z, y: d * (s.hyp0f1(2.5, z) / 1.5)),
        each("hyperu", lambda z: s.hyperu(0.5, 1.5, z), (few,),
             lambda d, z, y: d * (-0.5 * s.hyperu(1.5, 2.5, z))),
        each("wright_bessel", lambda x: s.wright_bessel(0.7, 1.3, x), (few,),
             lambda d, x, y: d * s.wright_bessel(0.7, 2.0, x)),
        each("log_wright_bessel", lambda x: s.log_wright_bessel(0.7, 1.3, x), (few,),
             lambda d, x, y: d * np.exp(s.log_wright_bessel(0.7, 2.0, x) - y)),
        each("lambertw", lambda x: np.real(s.lambertw(x)), (few,),
             lambda d, x, y: d * (y / (x * (1 + y)))),
        each("wrightomega", s.wrightomega, (x,), lambda d, x, y: d * (y / (1 + y))),
        wave("pbdv", s.pbdv, lambda x: 0.25 * x * x - 1.2),
        wave("pbvv", s.pbvv, lambda x: 0.25 * x * x - 1.2),
        wave("pbwa", s.pbwa, lambda x: 0.7 - 0.25 * x * x),
        mathieu("mathieu_cem", s.mathieu_cem, s.mathieu_a),
        mathieu("mathieu_sem", s.mathieu_sem, s.mathieu_b),
        modified_mathieu("mathieu_modcem1", s.mathieu_modcem1, s.mathieu_a),
        modified_mathieu("mathieu_modcem2", s.mathieu_modcem2, s.mathieu_a),
        modified_mathieu("mathieu_modsem1", s.mathieu_modsem1, s.mathieu_b),
        modified_mathieu("mathieu_modsem2", s.mathieu_modsem2, s.mathieu_b),
    ]  # fmt: skip
