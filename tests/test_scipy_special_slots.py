"""Every smooth argument of ``scipy.special``: a right slope, or an error that names the argument.

``TABLE`` lists the functions that have a smooth argument, each at a point, with the arguments that
are smooth in principle. The count of those with a rule may not fall.
"""

import numpy as np
import pytest
from scipy import special

import chainrule as cr
from chainrule.base.errors import NoRuleError
from tests.helpers import slope
from tests.samples.scipy_special_distributions import NONCENTRAL_F_IS_EXACT

COVERED = 340  # of 425

# name: the point, the smooth arguments (all of them where nothing is said)
TABLE = {
    "agm": ((1.3, 2.1), "01"),
    "airy": ((-0.7,), "0"),
    "airye": ((1.7,), "0"),
    "bdtr": ((2, 7, 0.3), "2"),
    "bdtrc": ((2, 7, 0.3), "2"),
    "bdtri": ((2, 7, 0.3), "2"),
    "bdtrik": ((0.6, 7.3, 0.4), "012"),
    "bdtrin": ((2.2, 0.6, 0.4), "012"),
    "bei": ((1.7,), "0"),
    "beip": ((1.7,), "0"),
    "ber": ((1.7,), "0"),
    "berp": ((1.7,), "0"),
    "besselpoly": ((1.2, 0.7, 1.4), "012"),
    "beta": ((1.2, 0.7), "01"),
    "betainc": ((1.2, 0.7, 0.4), "012"),
    "betaincc": ((1.2, 0.7, 0.4), "012"),
    "betainccinv": ((1.2, 0.7, 0.4), "012"),
    "betaincinv": ((1.2, 0.7, 0.4), "012"),
    "betaln": ((1.2, 0.7), "01"),
    "binom": ((5.3, 2.2), "01"),
    "boxcox": ((1.7, 0.4), "01"),
    "boxcox1p": ((1.7, 0.4), "01"),
    "btdtria": ((0.4, 1.7, 0.3), "012"),
    "btdtrib": ((1.7, 0.4, 0.3), "012"),
    "cbrt": ((1.7,), "0"),
    "chdtr": ((3.2, 1.7), "01"),
    "chdtrc": ((3.2, 1.7), "01"),
    "chdtri": ((3.2, 0.4), "01"),
    "chdtriv": ((0.4, 1.7), "01"),
    "chndtr": ((2.7, 3.2, 1.4), "012"),
    "chndtridf": ((2.7, 0.4, 1.4), "012"),
    "chndtrinc": ((2.7, 1.2, 0.4), "012"),
    "chndtrix": ((0.4, 3.2, 1.4), "012"),
    "comb": ((5.3, 2.2), "01"),
    "cosdg": ((40.0,), "0"),
    "cosm1": ((1.7,), "0"),
    "cotdg": ((40.0,), "0"),
    "dawsn": ((1.7,), "0"),
    "digamma": ((1.7,), "0"),
    "diric": ((1.7, 5), "0"),
    "ellip_harm": ((1.3, 2.9, 2, 2, 3.1), "014"),
    "ellipe": ((0.4,), "0"),
    "ellipeinc": ((0.8, 0.4), "01"),
    "ellipj": ((0.8, 0.4), "01"),
    "ellipk": ((0.4,), "0"),
    "ellipkinc": ((0.8, 0.4), "01"),
    "ellipkm1": ((0.4,), "0"),
    "elliprc": ((1.3, 0.6), "01"),
    "elliprd": ((1.3, 0.6, 2.2), "012"),
    "elliprf": ((1.3, 0.6, 2.2), "012"),
    "elliprg": ((1.3, 0.6, 2.2), "012"),
    "elliprj": ((1.3, 0.6, 2.2, 0.9), "0123"),
    "entr": ((1.7,), "0"),
    "erf": ((0.7,), "0"),
    "erfc": ((0.7,), "0"),
    "erfcinv": ((0.7,), "0"),
    "erfcx": ((0.7,), "0"),
    "erfi": ((0.7,), "0"),
    "erfinv": ((0.7,), "0"),
    "eval_chebyc": ((2.3, 0.6), "01"),
    "eval_chebys": ((2.3, 0.6), "01"),
    "eval_chebyt": ((2.3, 0.6), "01"),
    "eval_chebyu": ((2.3, 0.6), "01"),
    "eval_gegenbauer": ((3.0, 1.2, 0.6), "012"),
    "eval_genlaguerre": ((3.0, 1.2, 0.6), "012"),
    "eval_jacobi": ((3.0, 1.2, 0.7, 0.6), "0123"),
    "eval_laguerre": ((2.3, 0.6), "01"),
    "eval_legendre": ((2.3, 0.6), "01"),
    "eval_sh_chebyt": ((2.3, 0.6), "01"),
    "eval_sh_chebyu": ((2.3, 0.6), "01"),
    "eval_sh_jacobi": ((3.0, 1.8, 0.7, 0.6), "0123"),
    "eval_sh_legendre": ((2.3, 0.6), "01"),
    "exp1": ((0.7,), "0"),
    "exp10": ((0.7,), "0"),
    "exp2": ((0.7,), "0"),
    "expi": ((0.7,), "0"),
    "expit": ((0.7,), "0"),
    "expm1": ((0.7,), "0"),
    "expn": ((2, 0.7), "1"),
    "exprel": ((0.7,), "0"),
    "factorial": ((3.3,), "0"),
    "fdtr": ((3.2, 5.1, 0.8), "012"),
    "fdtrc": ((3.2, 5.1, 0.8), "012"),
    "fdtri": ((3.2, 5.1, 0.4), "012"),
    "fdtridfd": ((3.2, 0.4, 0.8), "012"),
    "fresnel": ((0.7,), "0"),
    "gamma": ((1.7,), "0"),
    "gammainc": ((1.7, 0.8), "01"),
    "gammaincc": ((1.7, 0.8), "01"),
    "gammainccinv": ((1.7, 0.4), "01"),
    "gammaincinv": ((1.7, 0.4), "01"),
    "gammaln": ((1.7,), "0"),
    "gdtr": ((0.6, 1.7, 0.8), "012"),
    "gdtrc": ((0.6, 1.7, 0.8), "012"),
    "gdtria": ((0.4, 1.7, 0.8), "012"),
    "gdtrib": ((0.6, 0.4, 0.8), "012"),
    "gdtrix": ((0.6, 1.7, 0.4), "012"),
    "h1vp": ((1.3, 0.8), "01"),
    "h2vp": ((1.3, 0.8), "01"),
    "hankel1": ((1.3, 0.8), "01"),
    "hankel1e": ((1.3, 0.8), "01"),
    "hankel2": ((1.3, 0.8), "01"),
    "hankel2e": ((1.3, 0.8), "01"),
    "huber": ((0.6, 1.7), "01"),
    "hyp0f1": ((1.3, 0.8), "01"),
    "hyp1f1": ((1.3, 0.8, 0.6), "012"),
    "hyp2f1": ((1.3, 0.8, 2.1, 0.4), "0123"),
    "hyperu": ((1.3, 0.8, 0.6), "012"),
    "i0": ((0.7,), "0"),
    "i0e": ((0.7,), "0"),
    "i1": ((0.7,), "0"),
    "i1e": ((0.7,), "0"),
    "inv_boxcox": ((0.7, 0.4), "01"),
    "inv_boxcox1p": ((0.7, 0.4), "01"),
    "it2i0k0": ((0.7,), "0"),
    "it2j0y0": ((0.7,), "0"),
    "it2struve0": ((0.7,), "0"),
    "itairy": ((0.7,), "0"),
    "iti0k0": ((0.7,), "0"),
    "itj0y0": ((0.7,), "0"),
    "itmodstruve0": ((0.7,), "0"),
    "itstruve0": ((0.7,), "0"),
    "iv": ((1.3, 0.8), "01"),
    "ive": ((1.3, 0.8), "01"),
    "ivp": ((1.3, 0.8), "01"),
    "j0": ((0.7,), "0"),
    "j1": ((0.7,), "0"),
    "jn": ((1.3, 0.8), "01"),
    "jv": ((1.3, 0.8), "01"),
    "jve": ((1.3, 0.8), "01"),
    "jvp": ((1.3, 0.8), "01"),
    "k0": ((0.7,), "0"),
    "k0e": ((0.7,), "0"),
    "k1": ((0.7,), "0"),
    "k1e": ((0.7,), "0"),
    "kei": ((0.7,), "0"),
    "keip": ((0.7,), "0"),
    "kelvin": ((0.7,), "0"),
    "ker": ((0.7,), "0"),
    "kerp": ((0.7,), "0"),
    "kl_div": ((0.7, 1.2), "01"),
    "kn": ((2, 0.8), "1"),
    "kolmogi": ((0.4,), "0"),
    "kolmogorov": ((0.8,), "0"),
    "kv": ((1.3, 0.8), "01"),
    "kve": ((1.3, 0.8), "01"),
    "kvp": ((1.3, 0.8), "01"),
    "lambertw": ((0.7,), "0"),
    "log1p": ((0.7,), "0"),
    "log_expit": ((0.7,), "0"),
    "log_ndtr": ((0.7,), "0"),
    "log_wright_bessel": ((0.7, 1.3, 0.6), "012"),
    "loggamma": ((0.7,), "0"),
    "logit": ((0.7,), "0"),
    "logsumexp": ((np.array([0.7, 0.2]),), "0"),
    "lpmv": ((1, 2.3, 0.6), "12"),
    "mathieu_a": ((2, 0.8), "1"),
    "mathieu_b": ((2, 0.8), "1"),
    "mathieu_cem": ((2, 0.8, 30.0), "12"),
    "mathieu_modcem1": ((2, 0.8, 0.7), "12"),
    "mathieu_modcem2": ((2, 0.8, 0.7), "12"),
    "mathieu_modsem1": ((2, 0.8, 0.7), "12"),
    "mathieu_modsem2": ((2, 0.8, 0.7), "12"),
    "mathieu_sem": ((2, 0.8, 30.0), "12"),
    "modfresnelm": ((0.7,), "0"),
    "modfresnelp": ((0.7,), "0"),
    "modstruve": ((1.3, 0.8), "01"),
    "nbdtr": ((2, 5, 0.6), "2"),
    "nbdtrc": ((2, 5, 0.6), "2"),
    "nbdtri": ((2, 5, 0.6), "2"),
    "nbdtrik": ((0.4, 5.2, 0.6), "012"),
    "nbdtrin": ((2.2, 0.4, 0.6), "012"),
    "ncfdtr": ((3.2, 5.1, 1.4, 0.8), "0123"),
    "ncfdtri": ((3.2, 5.1, 1.4, 0.4), "0123"),
    "ncfdtridfd": ((3.2, 0.4, 1.4, 0.8), "0123"),
    "ncfdtridfn": ((0.4, 5.1, 1.4, 0.8), "0123"),
    "ncfdtrinc": ((3.2, 5.1, 0.2, 0.8), "0123"),
    "nctdtr": ((3.2, 0.8, 0.6), "012"),
    "nctdtridf": ((0.3, 0.8, 0.6), "012"),
    "nctdtrinc": ((3.2, 0.4, 0.6), "012"),
    "nctdtrit": ((3.2, 0.8, 0.4), "012"),
    "ndtr": ((0.7,), "0"),
    "ndtri": ((0.7,), "0"),
    "nrdtrimn": ((0.7, 1.3, 0.4), "012"),
    "nrdtrisd": ((0.7, 0.8, 1.4), "012"),
    "obl_cv": ((1, 2, 1.3), "2"),
    "owens_t": ((0.7, 0.4), "01"),
    "pbdv": ((1.3, 0.8), "01"),
    "pbvv": ((1.3, 0.8), "01"),
    "pbwa": ((1.3, 0.8), "01"),
    "pdtr": ((2, 1.7), "1"),
    "pdtrc": ((2, 1.7), "1"),
    "pdtri": ((2, 0.4), "1"),
    "pdtrik": ((0.4, 3.7), "01"),
    "perm": ((5.3, 2.2), "01"),
    "poch": ((1.3, 2.2), "01"),
    "polygamma": ((2, 0.8), "1"),
    "powm1": ((1.3, 0.4), "01"),
    "pro_cv": ((1, 2, 1.3), "2"),
    "pseudo_huber": ((1.3, 0.4), "01"),
    "psi": ((0.7,), "0"),
    "radian": ((10.0, 20.0, 30.0), "012"),
    "rel_entr": ((1.3, 0.4), "01"),
    "rgamma": ((0.7,), "0"),
    "shichi": ((0.7,), "0"),
    "sici": ((0.7,), "0"),
    "sinc": ((0.7,), "0"),
    "sindg": ((40.0,), "0"),
    "smirnov": ((5, 0.4), "1"),
    "smirnovi": ((5, 0.4), "1"),
    "softplus": ((0.7,), "0"),
    "spence": ((0.7,), "0"),
    "spherical_in": ((2, 0.8), "1"),
    "spherical_jn": ((2, 0.8), "1"),
    "spherical_kn": ((2, 0.8), "1"),
    "spherical_yn": ((2, 0.8), "1"),
    "stdtr": ((3.2, 0.8), "01"),
    "stdtridf": ((0.7, 0.8), "01"),
    "stdtrit": ((3.2, 0.7), "01"),
    "struve": ((1.3, 0.8), "01"),
    "tandg": ((40.0,), "0"),
    "tklmbda": ((0.7, 0.4), "01"),
    "voigt_profile": ((0.7, 0.4, 0.6), "012"),
    "wofz": ((0.7,), "0"),
    "wright_bessel": ((0.7, 1.3, 0.6), "012"),
    "wrightomega": ((0.7,), "0"),
    "xlog1py": ((1.3, 0.4), "01"),
    "xlogy": ((1.3, 0.4), "01"),
    "y0": ((0.7,), "0"),
    "y1": ((0.7,), "0"),
    "yn": ((2, 0.8), "1"),
    "yv": ((1.3, 0.8), "01"),
    "yve": ((1.3, 0.8), "01"),
    "yvp": ((1.3, 0.8), "01"),
    "zeta": ((1.7, 0.8), "01"),
    "zetac": ((1.7,), "0"),
}

# SciPy's own iterations or expansions have no more digits than this: the judge sees their noise.
NOISY = {"ncfdtrinc": 1e-4}
if not NONCENTRAL_F_IS_EXACT:
    NOISY |= {"ncfdtr": 1e-4, "ncfdtri": 1e-4}

FUNCTIONS = {name: getattr(special, name) for name in TABLE if hasattr(special, name)}
SLOTS = [(name, int(i)) for name in FUNCTIONS for i in TABLE[name][1]]


def _along(name, i):
    """The function of one argument, as one real vector (several and complex results)."""
    f, point = FUNCTIONS[name], TABLE[name][0]

    def of(x):
        ys = f(*point[:i], x, *point[i + 1 :])
        parts = []
        for y in ys if isinstance(ys, tuple) else (ys,):
            parts += [np.real(y), np.imag(y)]
        return np.stack([np.sum(p) for p in parts])

    return of, point[i]


def _claimed(name, i):
    """chainrule's slope forwards, and whether backwards is the same; None if it refuses."""
    of, x = _along(name, i)
    x = np.asarray(x, float)[()]
    try:
        forward = cr.jvp(of, (x,), (np.ones_like(x),))[1]
    except NoRuleError as error:
        return error
    ys, pullback = cr.vjp(of, x)
    backward = [np.sum(pullback(e)[0]) for e in np.eye(len(ys))]
    np.testing.assert_allclose(backward, forward, rtol=1e-12, atol=1e-300)
    return forward


@pytest.mark.parametrize(("name", "i"), SLOTS, ids=lambda v: str(v))
def test_slope_is_right_or_refused(name, i):
    claimed = _claimed(name, i)
    if isinstance(claimed, NoRuleError):
        assert "derivative" in str(claimed)
        return
    of, x = _along(name, i)
    estimate = slope(lambda s: of(np.asarray(x, float)[()] + s))
    wrong = estimate.refutes(claimed, NOISY.get(name, 1e-7))
    assert not wrong.any(), f"{name}, argument {i}: {claimed}, numbers say {estimate}"


def test_table_is_complete():
    assert sum(len(slots) for _, slots in TABLE.values()) == 425


def test_covered_slots():
    """Slots with a rule; the number may only grow."""
    covered = [s for s in SLOTS if not isinstance(_claimed(*s), NoRuleError)]
    missing = 425 - len(SLOTS)  # of functions that an older SciPy does not have
    assert len(covered) >= COVERED - missing, len(covered)
