"""Samples of ``rules/scipy_special.py``: interior points, tails, and the points that need care."""

from inspect import signature

import numpy as np
from scipy import special

from chainrule.core.primitive import FUNCTIONS, existing
from chainrule.rules import scipy_parameters as rules
from chainrule.rules import scipy_special as _declared  # noqa: F401
from tests.samples import sample

X = np.array([-2.3, -0.6, 0.4, 1.7])
POSITIVE = np.array([[0.2, 0.9], [1.6, 4.5]])
UNIT = np.array([0.05, 0.3, 0.6, 0.93])
ROW, COLUMN = np.array([0.4, 1.3, 2.2]), np.array([[0.7], [1.9]])
# double and multiple ones are of integers only before SciPy 1.15
FACTORIALS = [POSITIVE] if "extend" in signature(special.factorial2).parameters else []


def _unary(points, *functions, complex=False):
    """Each function at an array, at one of its numbers, and at an empty array."""
    return {
        f.__name__: [
            sample(f, points, complex=complex),
            sample(f, float(points.flat[1])),
            sample(f, np.zeros(0)),
        ]
        for f in functions
    }


def _orders(points, *functions, orders=(0.0, 1.0, 2.5)):
    return {
        f.__name__: [sample(lambda x, f=f, v=v: f(v, x), points) for v in orders] for f in functions
    }


_diric, _factorial2, _factorialk, _lambertw, _multigammaln, _polygamma, _zeta = (
    FUNCTIONS[f]
    for f in (
        special.diric,
        special.factorial2,
        special.factorialk,
        special.lambertw,
        special.multigammaln,
        special.polygamma,
        special.zeta,
    )
)
logsumexp, softmax, log_softmax = (
    FUNCTIONS[f] for f in (special.logsumexp, special.softmax, special.log_softmax)
)

SAMPLES = {
    **_unary(X, special.expit, special.log_expit, special.exprel, special.cosm1, special.exp10),
    **_unary(X, special.erf, special.erfc, special.erfi, complex=True),
    **_unary(X, special.erfcx, special.dawsn, special.ndtr, special.log_ndtr),
    **_unary(X, special.wofz, complex=True),
    **_unary(X, special.sindg, special.cosdg, special.tandg),
    **_unary(X, special.rgamma, special.gamma, special.psi, complex=True),
    **_unary(POSITIVE, special.loggamma, complex=True),
    **_unary(X, special.gammaln),
    **_unary(X, special.i1, special.i0e, special.j0, special.j1),
    **_unary(POSITIVE, special.i1e, special.entr, special.y0, special.y1),
    **_unary(
        POSITIVE,
        special.k0,
        special.k1,
        special.k0e,
        special.k1e,
        special.exp1,
        special.expi,
        special.spence,
    ),
    **_unary(UNIT, special.logit, special.ndtri, special.erfcinv, special.ellipk, special.ellipe),
    **_unary(UNIT - 0.5, special.erfinv),
    **_unary(-POSITIVE, special.ndtri_exp),
    **_orders(X, special.jv, orders=(0.0, 1.0, 3.0)),
    **_orders(POSITIVE, special.iv, special.kv, special.yv, special.ive, special.kve),
    **_orders(POSITIVE, special.hankel1, special.hankel2, orders=(1.0,)),
    **_orders(POSITIVE, special.yn, special.kn, special.expn, orders=(2, 3)),
    "polygamma": [
        sample(lambda x: _polygamma(2, x), POSITIVE),
        sample(lambda x: _polygamma(np.array([0, 1, 2]), x), COLUMN),
    ],
    "_zeta": [
        sample(FUNCTIONS[special.zeta], 1 + COLUMN, ROW),
        sample(lambda q: _zeta(2.5, q), POSITIVE),
        sample(lambda q: _zeta(np.array([2.0, 3.0, 4.5]), q), COLUMN),
    ],
    "psi_step": [
        sample(rules.psi_step, COLUMN, ROW),
        sample(rules.psi_step, np.array([40.0, 1e3]), np.array([0.5, 2e3])),
        sample(rules.psi_step, -0.3, 2.0),
    ],
    "special.log1p": [sample(special.log1p, UNIT)],
    "special.expm1": [sample(special.expm1, X)],
    "special.exp2": [sample(special.exp2, X)],
    "special.cbrt": [sample(special.cbrt, X)],
    "special.i0": [sample(special.i0, X)],
    "powm1": [sample(special.powm1, ROW, COLUMN)],
    "boxcox": [sample(special.boxcox, ROW, COLUMN), sample(special.boxcox, ROW, 0.0)],
    "boxcox1p": [sample(special.boxcox1p, ROW, COLUMN), sample(special.boxcox1p, ROW, 0.0)],
    "inv_boxcox": [
        sample(special.inv_boxcox, ROW, COLUMN),
        sample(special.inv_boxcox, ROW, 1e-3),
        sample(lambda x: special.inv_boxcox(x, 0.0), ROW),
    ],
    "inv_boxcox1p": [
        sample(special.inv_boxcox1p, ROW, COLUMN),
        sample(special.inv_boxcox1p, 0.7, -0.3),
    ],
    "tklmbda": [
        sample(special.tklmbda, X / 3, 0.4),
        sample(special.tklmbda, X / 3, -0.7),
        sample(lambda x: special.tklmbda(x, 1.7), np.array([-3.0, 0.2, 5.0])),
    ],
    **_unary(UNIT, *existing("_log1pmx _lgam1p", special._ufuncs)),
    **_unary(-POSITIVE, *existing("_log1mexp", special._ufuncs)),
    **_unary(X, *existing("_cospi _sinpi", special._ufuncs)),
    **_unary(POSITIVE, special.cotdg),
    "radian": [sample(special.radian, ROW, COLUMN, 0.3)],
    "diric": [sample(lambda x, n=n: _diric(x, n), X) for n in (1, 5, 8)]
    + [sample(lambda x: _diric(x, 7), 0.0)],
    "owens_t": [sample(special.owens_t, X, COLUMN), sample(special.owens_t, 0.3, 0.7)],
    "voigt_profile": [
        sample(special.voigt_profile, X, COLUMN, 0.4),
        sample(special.voigt_profile, 30.0, 0.7, 0.4),
        sample(special.voigt_profile, 0.3, 0.7, 0.0, smooth=False, note="gamma is no less than 0"),
    ],
    **_unary(POSITIVE / 2, special.kolmogorov),
    **_unary(UNIT, special.kolmogi),
    "smirnov": [
        sample(lambda d: special.smirnov(5, d), UNIT, smooth=False, note="its slope has no rule")
    ],
    "smirnovi": [
        sample(lambda p: special.smirnovi(5, p), UNIT, smooth=False, note="its slope has no rule")
    ],
    "multigammaln": [
        sample(lambda a: _multigammaln(a, 3), 1 + POSITIVE),
        sample(lambda a: _multigammaln(a, 1), 0.4),
    ],
    **_unary(POSITIVE, *existing("_factorial", special._ufuncs)),
    "factorial2": [sample(lambda n: _factorial2(n, extend="complex"), x) for x in FACTORIALS],
    "factorialk": [sample(lambda n: _factorialk(n, 3, extend="complex"), x) for x in FACTORIALS],
    "factorial": [sample(FUNCTIONS[special.factorial], POSITIVE)],
    "_riemann_zeta": [
        sample(FUNCTIONS[special.zeta], 1 + POSITIVE),
        sample(FUNCTIONS[special.zeta], np.array([-2.0, -0.7, -3.3, 0.4])),
    ],
    **_unary(1 + POSITIVE, special.zetac),
    **_unary(POSITIVE, special.shichi, complex=True),
    **_unary(POSITIVE / 2, special.modfresnelp, special.modfresnelm),
    **{
        f.__name__: [sample(lambda x, f=f: f(0.7, 1.3, x), POSITIVE)]
        for f in existing("wright_bessel log_wright_bessel", special)
    },
    "xlogy": [
        sample(special.xlogy, ROW, COLUMN),
        sample(special.xlogy, np.array([0.0, 1.0]), np.array([2.0, 0.5])),
        sample(
            lambda y: special.xlogy(0.0, y),
            np.array([0.0, 2.0]),
            smooth=False,
            note="constant, at its edge",
        ),
    ],
    "xlog1py": [sample(special.xlog1py, ROW, COLUMN), sample(special.xlog1py, 0.0, 0.5)],
    "rel_entr": [sample(special.rel_entr, ROW, COLUMN)],
    "kl_div": [sample(special.kl_div, ROW, COLUMN), sample(special.kl_div, 1.0, 1.0)],
    "huber": [
        sample(special.huber, 1.0, np.array([-2.0, -0.5, 0.3, 1.8])),
        sample(special.huber, COLUMN, ROW),
        sample(special.huber, 1.0, 1.0, smooth=False, note="the slope in r has a kink"),
    ],
    "pseudo_huber": [
        sample(special.pseudo_huber, COLUMN, X),
        sample(special.pseudo_huber, 1.3, 0.0),
    ],
    "beta": [sample(special.beta, COLUMN, ROW)],
    "betaln": [sample(special.betaln, COLUMN, ROW), sample(special.betaln, 30.0, 0.2)],
    "binom": [
        sample(special.binom, np.array([[5.5], [9.2]]), ROW),
        sample(special.binom, 3.0, 5.0, smooth=False, note="poles in the second slope"),
    ],
    "poch": [
        sample(special.poch, COLUMN, ROW),
        sample(lambda z: special.poch(z, 2.0), np.array([-3.0, 0.0]), smooth=False, note="poles"),
    ],
    "lambertw": [
        sample(lambda z: np.real(_lambertw(z)), POSITIVE),
        sample(lambda z: _lambertw(z, -1), X, complex=True),
    ],
    **_unary(X, special.wrightomega, complex=True),
    **_unary(POSITIVE, special.sici, special.airy, complex=True),
    **_unary(X, special.fresnel, complex=True),
    **_orders(
        UNIT,
        special.eval_legendre,
        special.eval_chebyt,
        special.eval_chebyu,
        orders=(0, 1, 4, -1, -4),
    ),
    **_orders(
        X, special.eval_laguerre, special.eval_hermite, special.eval_hermitenorm, orders=(0, 1, 4)
    ),
    "eval_jacobi": [
        sample(lambda x, n=n: special.eval_jacobi(n, 0.5, 1.2, x), UNIT) for n in (0, 3)
    ],
    "eval_gegenbauer": [
        sample(lambda x, n=n: special.eval_gegenbauer(n, 0.7, x), UNIT) for n in (0, 3)
    ],
    "eval_genlaguerre": [
        sample(lambda x, n=n: special.eval_genlaguerre(n, 0.7, x), UNIT) for n in (0, 3)
    ],
    "hyp2f1": [sample(lambda z: special.hyp2f1(0.5, 1.5, 2.2, z), UNIT - 0.2)],
    "hyp1f1": [sample(lambda z: special.hyp1f1(0.5, 1.5, z), X)],
    "hyp0f1": [sample(lambda z: special.hyp0f1(1.5, z), X)],
    "hyperu": [sample(lambda z: special.hyperu(0.5, 1.5, z), POSITIVE)],
    "logsumexp": [
        sample(logsumexp, X, complex=True),
        sample(logsumexp, 0.7),
        sample(lambda a: logsumexp(a, axis=-1), POSITIVE, complex=True),
        sample(lambda a: logsumexp(a, axis=(0, -1), keepdims=True), POSITIVE),
        sample(logsumexp, np.array([1.0, 1.0, -np.inf]), smooth=False, note="an entry at -inf"),
        sample(logsumexp, np.array([800.0, 801.0, -900.0])),
    ],
    "logsumexp_weighted": [
        sample(lambda a, b: logsumexp(a, b=b), X, np.array([0.5, 1.5, 0.1, 2.0]), complex=True),
        sample(lambda a, b: logsumexp(a, b=b), X, np.array([0.5, 1.5, -0.1, 2.0])),
        sample(lambda a, b: logsumexp(a, 1, b), POSITIVE, np.array([0.5, 1.5])),
    ],
    "logsumexp_signed": [
        sample(
            lambda a, b: logsumexp(a, b=b, axis=1, return_sign=True)[0],
            POSITIVE,
            np.array([0.5, -1.5]),
        ),
        sample(
            lambda a, b: logsumexp(a, b=b, return_sign=True), X, np.array([0.5, 1.5, 0.1, -2.0])
        ),
    ],
    "softmax": [
        sample(softmax, X),
        sample(lambda a: softmax(a, axis=0), POSITIVE),
        sample(softmax, X - 800),
    ],
    "log_softmax": [
        sample(log_softmax, X),
        sample(lambda a: log_softmax(a, axis=-1), POSITIVE),
        sample(log_softmax, 900 * X),
    ],
    "logsumexp of complex numbers with a sign": [
        sample(lambda a: logsumexp(a, return_sign=True), X + 0.3j * X[::-1]),
    ],
    "softplus": [sample(lambda x: np.logaddexp(0.0, x), X)],
}
