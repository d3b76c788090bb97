"""Functions of ``scipy.special``: what they are in mpmath, and where they are tried."""

import mpmath

mp = mpmath.mp

TINY = [5e-324, 1e-310, 1e-200, 1e-16, 1e-8]
MIDDLE = [0.01, 0.3, 0.5, 1.0, 1 + 2.0**-52, 1.5, 2.0, 3.0, 7.0, 17.5]
LARGE = [40.0, 1e3, 1e5, 1e8, 1e16, 1e154, 1e300]
POSITIVE = [*TINY, *MIDDLE, *LARGE]
REAL = [*POSITIVE, *[-x for x in POSITIVE], 0.0]
SHARES = [1e-300, 1e-100, 1e-16, 1e-5, 0.1, 0.5, 0.9, 1 - 1e-6, 1 - 2.0**-53]
FEW = [1e-200, 1e-16, 0.3, 1.0, 3.0, 1e8, 1e200]
SIGNED = [*FEW, *[-x for x in FEW], 0.0]
POWERS = [1e-16, 0.3, 1.0, 2.5, 7.0, -1.0, -2.0]
MODULI = [*SHARES, 0.0, -1e-300, -1e-9, -1.0, -1e3, -1e8]
ANGLES = [1e-300, 1e-8, 0.3, 1.5, 3.0, -20.0]


def between(low, high, points=REAL):
    return [x for x in points if low < x < high]


def _boxcox(x, p):
    return mp.expm1(p * mp.log(x)) / p if p else mp.log(x)


def _f(m, n, x):
    return mp.betainc(m / 2, n / 2, 0, m * x / (n + m * x), regularized=True)


# name: in mpmath; points of each argument. Slow ones of mpmath are in SLOW.
SPECIAL = {
    "expit": (lambda x: 1 / (1 + mp.exp(-x)), [between(-1e5, 1e301)]),
    "log_expit": (lambda x: -mp.log1p(mp.exp(-x)), [between(-1e5, 700)]),
    "logit": (lambda x: mp.log(x / (1 - x)), [SHARES]),
    "expm1": (lambda x: mp.exp(x) - 1, [between(-600, 700)]),
    "log1p": (lambda x: mp.log(1 + x), [[*POSITIVE, *[-x for x in SHARES]]]),
    "exp2": (lambda x: mp.mpf(2) ** x, [between(-1000, 1000)]),
    "exp10": (lambda x: mp.mpf(10) ** x, [between(-300, 300)]),
    "cbrt": (lambda x: mp.sign(x) * mp.cbrt(abs(x)), [[x for x in REAL if x]]),
    "exprel": (lambda x: mp.expm1(x) / x if x else mp.mpf(1), [between(-1e300, 700)]),
    "cosm1": (lambda x: mp.cos(x) - 1, [between(-1e17, 1e17)]),
    "erf": (mp.erf, [between(-30, 10)]),
    "erfc": (mp.erfc, [between(-10, 26)]),
    "erfcx": (lambda x: mp.exp(x * x) * mp.erfc(x), [between(-26, 1e4)]),
    "erfi": (mp.erfi, [between(-26, 26)]),
    "dawsn": (lambda x: mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x), [between(-1e4, 1e4)]),
    "ndtr": (mp.ncdf, [between(-37, 37)]),
    "log_ndtr": (lambda x: mp.log(mp.erfc(-x / mp.sqrt(2)) / 2), [between(-1e4, 20)]),
    "entr": (lambda x: -x * mp.log(x), [POSITIVE]),
    "i0": (lambda x: mp.besseli(0, x), [between(-700, 700)]),
    "j0": (lambda x: mp.besselj(0, x), [between(-1e4, 1e4)]),
    "expi": (mp.ei, [[x for x in between(-700, 700) if x]]),
    "exp1": (mp.e1, [between(0, 700)]),
    "ellipk": (mp.ellipk, [MODULI]),
    "ellipe": (mp.ellipe, [MODULI]),
    "ellipkm1": (lambda p: mp.ellipk(1 - p), [[*SHARES, 2.0, 1e3]]),
    "sindg": (lambda x: mp.sin(x * mp.pi / 180), [[*between(-1e6, 1e6), 30.0, 90.0, 180.0]]),
    "cosdg": (lambda x: mp.cos(x * mp.pi / 180), [[*between(-1e6, 1e6), 30.0, 90.0, 180.0]]),
    "tandg": (lambda x: mp.tan(x * mp.pi / 180), [[*between(-1e6, 1e6), 30.0, 180.0]]),
    "cotdg": (lambda x: mp.cot(x * mp.pi / 180), [[x for x in between(-1e6, 1e6) if x]]),
    "wrightomega": (lambda x: mp.lambertw(mp.exp(x)), [between(-700, 700)]),
    "xlogy": (lambda x, y: x * mp.log(y), [SIGNED, FEW]),
    "xlog1py": (lambda x, y: x * mp.log1p(y), [SIGNED, [*FEW, -1e-16, -0.5, 2.0**-53 - 1]]),
    "rel_entr": (lambda x, y: x * mp.log(x / y), [FEW, FEW]),
    "kl_div": (lambda x, y: x * mp.log(x / y) - x + y, [FEW, [2 * y for y in FEW]]),
    "huber": (
        lambda d, r: r * r / 2 if abs(r) <= d else d * (abs(r) - d / 2),
        [FEW, [2 * r for r in SIGNED]],
    ),
    "pseudo_huber": (lambda d, r: d * d * (mp.sqrt(1 + (r / d) ** 2) - 1), [FEW, SIGNED]),
    "boxcox": (_boxcox, [FEW, [*POWERS, 0.0]]),
    "boxcox1p": (lambda x, p: _boxcox(1 + x, p), [[*FEW, -1e-16, -0.5], [*POWERS, 0.0]]),
    "inv_boxcox": (
        lambda x, p: (1 + p * x) ** (1 / p) if p else mp.exp(x),
        [[1e-200, 1e-16, 0.3, 3.0, 30.0, -0.1], [1e-9, 0.3, 1.0, 2.5, 7.0, 0.0]],
    ),
    "inv_boxcox1p": (
        lambda x, p: mp.expm1(mp.log1p(p * x) / p) if p else mp.expm1(x),
        [[1e-200, 1e-16, 0.3, 3.0, 30.0, -0.1], [1e-9, 0.3, 1.0, 2.5, 7.0, 0.0]],
    ),
    "powm1": (lambda a, b: mp.expm1(b * mp.log(a)), [FEW, POWERS]),
    "agm": (mp.agm, [FEW, [2 * x for x in FEW]]),
    "ellipkinc": (mp.ellipf, [ANGLES, [-1e8, -1.0, 0.0, 1e-300, 1e-9, 0.5, 0.99, 1 - 1e-9]]),
    "ellipeinc": (mp.ellipe, [ANGLES, [-1e8, -1.0, 0.0, 1e-300, 1e-9, 0.5, 0.99, 1 - 1e-9]]),
    "zetac": (lambda x: mp.zeta(x) - 1, [[-20.5, -2.0, -0.6, -0.5, -0.4, -1e-8, -1e-16, 1e-16]]),
    "zeta": (mp.zeta, [[1.001, 1.5, 20.0, 60.0], [1e-8, 0.3, 1.0, 40.0, 1e5, 1e16]]),
    "beta": (mp.beta, [[1e-200, 1e-8, 0.3, 3.0, 40.0], [1e-200, 0.5, 1.0, 7.0, 100.0]]),
    "fdtr": (_f, [[3.0, 1.0], [3.0, 0.5], [1e-300, 1e-150, 1e-8, 3.0]]),
    "betainc": (
        lambda a, b, x: mp.betainc(a, b, 0, x, regularized=True),
        [[1.5, 0.3, 1.0], [0.5, 3.0], [1e-300, 1e-100, 1e-60, 0.3, 0.9]],
    ),
    "gammainc": (
        lambda a, x: mp.gammainc(a, 0, x, regularized=True),
        [[1.5, 0.3, 1.0, 40.0], [1e-300, 1e-100, 0.3, 30.0]],
    ),
    "gamma": (mp.gamma, [[1e-200, 1e-8, 0.3, 1.0, 40.0, 170.0, -0.5, -1e-9, -1e-200, -20.5]]),
    "rgamma": (mp.rgamma, [[1e-200, 0.3, 40.0, 0.0, -1.0, -10.0, -1e-9, -1e-200, -20.5, -150.5]]),
    "gammaln": (mp.loggamma, [[1e-310, 1e-200, 1e-8, 0.3, 1.0, 2 + 1e-9, 40.0, 1e8, 1e16]]),
    "psi": (lambda x: mp.psi(0, x), [[1e-200, 1e-8, 0.3, 40.0, 1e8, 1e16, -0.5, -1e-9, -20.5]]),
    "spence": (lambda z: mp.polylog(2, 1 - z).real, [[1e-200, 1e-8, 0.3, 1.0, 1.5, 40.0, 1e5]]),
}
SLOW = set("zeta zetac spence gamma rgamma psi beta betainc gammaln ellipkinc ellipeinc".split())
# These take real orders and parameters as constants.
FIXED = {"fdtr": (0, 1), "betainc": (0, 1), "gammainc": (0,)}

# Compared with mpmath in test_scipy_special.py and test_scipy_special_hard.py, or the function of
# another precision, another scale or the inverse of one that is compared.
ELSEWHERE = set(
    """
    y0 y1 i1 j1 i0e i1e k0 k1 k0e k1e jv yv iv kv yn kn hankel1 hankel2 jve yve ive kve hankel1e
    hankel2e jvp yvp ivp kvp h1vp h2vp spherical_jn spherical_yn spherical_in spherical_kn
    struve modstruve loggamma polygamma multigammaln betaln binom poch factorial expn voigt_profile
    gammaincc gammaincinv gammainccinv chdtr chdtrc chdtri chdtriv gdtr gdtrc gdtria gdtrix gdtrib
    pdtr pdtrc pdtri pdtrik betaincc betaincinv betainccinv btdtria btdtrib bdtr bdtrc bdtri bdtrik
    bdtrin nbdtr nbdtrc nbdtri nbdtrik nbdtrin fdtrc fdtri fdtridfd stdtr stdtrit stdtridf
    nrdtrimn nrdtrisd elliprc elliprf elliprg elliprd elliprj erfinv erfcinv ndtri ndtri_exp
    kolmogorov kolmogi nctdtr radian diric tklmbda
    """.split()
)
# mpmath has no such function: ordinary points against numbers only (test_scipy_special_slots.py).
WITHOUT_TRUTH = set(
    """
    ber bei ker kei berp beip kerp keip itstruve0 it2struve0 itmodstruve0 besselpoly wofz owens_t
    smirnov smirnovi hyp2f1 hyp1f1 hyp0f1 hyperu wright_bessel log_wright_bessel chndtr chndtrix
    chndtrinc ncfdtr ncfdtri ncfdtrinc nctdtrit nctdtrinc eval_jacobi eval_legendre eval_chebyt
    eval_chebyu eval_gegenbauer eval_laguerre eval_genlaguerre eval_hermite eval_hermitenorm
    eval_chebyc eval_chebys eval_sh_chebyt eval_sh_chebyu eval_sh_legendre eval_sh_jacobi lpmv
    """.split()
)
