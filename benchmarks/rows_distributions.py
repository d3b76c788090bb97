"""``scipy.special``: distribution functions and their inverses, orthogonal polynomials."""

import numpy as np
import scipy.stats  # noqa: F401  (declares the rules of its private ufuncs)
from rows import Row, each, plain, uniform
from scipy import special as s

from chainrule.rules.scipy_outputs import private

ROOT_2PI = np.sqrt(2 * np.pi)


def gamma_density(a, x):
    return np.exp((a - 1) * np.log(x) - x - s.gammaln(a))


def beta_density(a, b, x):
    return np.exp((a - 1) * np.log(x) + (b - 1) * np.log1p(-x) - s.betaln(a, b))


def f_density(m, n, x):
    share = m * x + n
    return beta_density(m / 2, n / 2, m * x / share) * (m * n / (share * share))


def student_density(n, t):
    return (1 + t * t / n) ** (-(n + 1) / 2) / (np.sqrt(n) * s.beta(0.5, n / 2))


def rows(n: int) -> list[Row]:
    table = [*_gamma(n), *_beta(n), *_counts(n), *_noncentral(n), *_of_stats(n)]
    return [row for row in table if row.f is not None] + _polynomials(n)


def _gamma(n):
    x, a, p = uniform(n), uniform(n, low=1.2, high=3.0, seed=1), uniform(n, seed=2) / 1.3
    few = n // 20
    xs, as_, ps, bs = x[:few], a[:few], p[:few], a[few : 2 * few]
    return [
        each("gammainc", lambda x: s.gammainc(2.5, x), (x,),
             lambda d, x, y: d * gamma_density(2.5, x)),
        each("gammaincc", lambda x: s.gammaincc(2.5, x), (x,),
             lambda d, x, y: d * -gamma_density(2.5, x)),
        each("gammaincinv", lambda p: s.gammaincinv(2.5, p), (ps,),
             lambda d, p, y: d / gamma_density(2.5, y)),
        each("gammainccinv", lambda p: s.gammainccinv(2.5, p), (ps,),
             lambda d, p, y: -d / gamma_density(2.5, y)),
        each("chdtr", lambda x: s.chdtr(3.2, x), (x,),
             lambda d, x, y: d * (0.5 * gamma_density(1.6, x / 2))),
        each("chdtrc", lambda x: s.chdtrc(3.2, x), (x,),
             lambda d, x, y: d * (-0.5 * gamma_density(1.6, x / 2))),
        each("chdtri", lambda p: s.chdtri(3.2, p), (ps,),
             lambda d, p, y: d * (-2 / gamma_density(1.6, y / 2))),
        each("gdtr", lambda x: s.gdtr(0.7, 1.7, x), (x,),
             lambda d, x, y: d * (0.7 * gamma_density(1.7, 0.7 * x))),
        each("gdtrc", lambda x: s.gdtrc(0.7, 1.7, x), (x,),
             lambda d, x, y: d * (-0.7 * gamma_density(1.7, 0.7 * x))),
        each("gdtrix", lambda p: s.gdtrix(0.7, 1.7, p), (ps,),
             lambda d, p, y: d / (0.7 * gamma_density(1.7, 0.7 * y))),
        each("gdtria", lambda p: s.gdtria(p, 1.7, 0.7), (ps,),
             lambda d, p, y: d / (0.7 * gamma_density(1.7, 0.7 * y))),
        each("pdtr", lambda m: s.pdtr(2, m), (x,),
             lambda d, m, y: d * -gamma_density(3, m)),
        each("pdtrc", lambda m: s.pdtrc(2, m), (x,),
             lambda d, m, y: d * gamma_density(3, m)),
        each("pdtri", lambda p: s.pdtri(2, p), (ps,),
             lambda d, p, y: -d / gamma_density(3, y)),
        plain("gammainc in both", s.gammainc, (as_, xs)),
        plain("gammaincc in both", s.gammaincc, (as_, xs)),
        plain("gammaincinv in both", s.gammaincinv, (as_, ps)),
        plain("gammainccinv in both", s.gammainccinv, (as_, ps)),
        plain("chdtr in both", s.chdtr, (as_, xs)),
        plain("chdtrc in both", s.chdtrc, (as_, xs)),
        plain("chdtri in both", s.chdtri, (as_, ps)),
        plain("chdtriv", s.chdtriv, (ps, as_)),
        plain("gdtr in all", s.gdtr, (as_, bs, xs)),
        plain("gdtrc in all", s.gdtrc, (as_, bs, xs)),
        plain("gdtria in all", s.gdtria, (ps, bs, as_)),
        plain("gdtrix in all", s.gdtrix, (as_, bs, ps)),
        plain("gdtrib", s.gdtrib, (as_, ps, xs)),
        plain("pdtrik", s.pdtrik, (0.3 + 0.1 * ps, xs + 2)),
    ]  # fmt: skip


def _beta(n):
    x, a = uniform(n) / 1.3, uniform(n, low=1.2, high=3.0, seed=1)
    t, p = uniform(n, low=-2.0, high=2.0, seed=2), uniform(n, seed=3) / 1.3
    few = n // 20
    xs, as_, ts, ps, bs = x[:few], a[:few], t[:few], p[:few], a[few : 2 * few]
    return [
        each("betainc", lambda x: s.betainc(1.4, 2.5, x), (x,),
             lambda d, x, y: d * beta_density(1.4, 2.5, x)),
        each("betaincc", lambda x: s.betaincc(1.4, 2.5, x), (x,),
             lambda d, x, y: d * -beta_density(1.4, 2.5, x)),
        each("betaincinv", lambda p: s.betaincinv(1.4, 2.5, p), (ps,),
             lambda d, p, y: d / beta_density(1.4, 2.5, y)),
        each("betainccinv", lambda p: s.betainccinv(1.4, 2.5, p), (ps,),
             lambda d, p, y: -d / beta_density(1.4, 2.5, y)),
        each("fdtr", lambda x: s.fdtr(3.2, 5.1, x), (x,),
             lambda d, x, y: d * f_density(3.2, 5.1, x)),
        each("fdtrc", lambda x: s.fdtrc(3.2, 5.1, x), (x,),
             lambda d, x, y: d * -f_density(3.2, 5.1, x)),
        each("fdtri", lambda p: s.fdtri(3.2, 5.1, p), (ps,),
             lambda d, p, y: d / f_density(3.2, 5.1, y)),
        each("stdtr", lambda t: s.stdtr(3.2, t), (t,),
             lambda d, t, y: d * student_density(3.2, t)),
        each("stdtrit", lambda p: s.stdtrit(3.2, p), (ps,),
             lambda d, p, y: d / student_density(3.2, y)),
        each("nrdtrimn", s.nrdtrimn, (p, a, t), lambda d, p, std, x, y:
             d * (-std * ROOT_2PI * np.exp(0.5 * s.ndtri(p) ** 2)),
             lambda d, p, std, x, y: d * -s.ndtri(p), lambda d, p, std, x, y: d.copy()),
        each("nrdtrisd", s.nrdtrisd, (t, 0.6 + p / 3, a), lambda d, mn, p, x, y: -d / s.ndtri(p),
             lambda d, mn, p, x, y:
             d * (-y * ROOT_2PI * np.exp(0.5 * s.ndtri(p) ** 2) / s.ndtri(p)),
             lambda d, mn, p, x, y: d / s.ndtri(p)),
        plain("betainc in all", s.betainc, (as_, bs, xs)),
        plain("betaincc in all", s.betaincc, (as_, bs, xs)),
        plain("betaincinv in all", s.betaincinv, (as_, bs, ps)),
        plain("betainccinv in all", s.betainccinv, (as_, bs, ps)),
        plain("btdtria", s.btdtria, (ps, bs, xs)),
        plain("btdtrib", s.btdtrib, (as_, ps, xs)),
        plain("fdtr in all", s.fdtr, (as_, bs, xs)),
        plain("fdtrc in all", s.fdtrc, (as_, bs, xs)),
        plain("fdtri in all", s.fdtri, (as_, bs, ps)),
        plain("fdtridfd", s.fdtridfd, (3 + xs, 0.45 + 0.05 * ps, 0.8 + 0 * xs)),
        plain("stdtr in both", s.stdtr, (as_, ts)),
        plain("stdtrit in both", s.stdtrit, (as_, ps)),
        plain("stdtridf", s.stdtridf, (0.65 + 0.05 * ps, 0.6 + 0 * ps)),
    ]  # fmt: skip


def _counts(n):
    p = uniform(n) / 1.3
    few = p[: n // 20]
    two, seven = np.int64(2), np.int64(7)
    pmf, cdf, sf = (private(f"_binom_{kind}") for kind in ("pmf", "cdf", "sf"))
    n_pmf, n_cdf, n_sf = (private(f"_nbinom_{kind}") for kind in ("pmf", "cdf", "sf"))
    table = [
        each("bdtr", lambda p: s.bdtr(two, seven, p), (p,),
             lambda d, p, y: d * -beta_density(3, 5, p)),
        each("bdtrc", lambda p: s.bdtrc(two, seven, p), (p,),
             lambda d, p, y: d * beta_density(3, 5, p)),
        each("bdtri", lambda p: s.bdtri(two, seven, p), (few,),
             lambda d, p, y: -d / beta_density(3, 5, y)),
        each("nbdtr", lambda p: s.nbdtr(two, seven, p), (p,),
             lambda d, p, y: d * beta_density(7, 3, p)),
        each("nbdtrc", lambda p: s.nbdtrc(two, seven, p), (p,),
             lambda d, p, y: d * -beta_density(7, 3, p)),
        each("nbdtri", lambda p: s.nbdtri(two, seven, p), (few,),
             lambda d, p, y: d / beta_density(7, 3, y)),
        plain("bdtrik", s.bdtrik, (0.6 + 0.2 * few, 7 + few, 0.3 + 0.1 * few)),
        plain("bdtrin", s.bdtrin, (2 + few, 0.5 + 0.1 * few, 0.3 + 0.1 * few)),
        plain("nbdtrik", s.nbdtrik, (0.4 + 0.2 * few, 5 + few, 0.5 + 0.1 * few)),
        plain("nbdtrin", s.nbdtrin, (2 + few, 0.4 + 0.1 * few, 0.5 + 0.1 * few)),
    ]  # fmt: skip
    if cdf is None:
        return table
    return [
        *table,
        plain("_binom_pmf", lambda p: pmf(2.0, 7.0, p), (p,)),
        each("_binom_cdf", lambda p: cdf(2.0, 7.0, p), (p,),
             lambda d, p, y: d * -beta_density(3, 5, p)),
        each("_binom_sf", lambda p: sf(2.0, 7.0, p), (p,),
             lambda d, p, y: d * beta_density(3, 5, p)),
        each("_nbinom_pmf", lambda p: n_pmf(2.0, 7.0, p), (p,),
             lambda d, p, y: d * (y * (7 / p - 2 / (1 - p)))),
        each("_nbinom_cdf", lambda p: n_cdf(2.0, 7.0, p), (p,),
             lambda d, p, y: d * beta_density(7, 3, p)),
        each("_nbinom_sf", lambda p: n_sf(2.0, 7.0, p), (p,),
             lambda d, p, y: d * -beta_density(7, 3, p)),
    ]  # fmt: skip


def _noncentral(n):
    few = n // 50
    x, p = uniform(few, high=4.0), uniform(few) / 1.3
    nc, t = uniform(few, seed=1), uniform(few, low=-2.0, high=2.0, seed=2)
    pdf, sf = private("_ncx2_pdf"), private("_ncx2_sf")
    table = [
        plain("chndtr", lambda x, nc: s.chndtr(x, 3.2, nc), (x, nc)),
        plain("chndtrix", lambda p, nc: s.chndtrix(p, 3.2, nc), (p, nc)),
        plain("chndtrinc", lambda p: s.chndtrinc(2.7, 1.2, p), (0.3 + 0.2 * p,)),
        plain("ncfdtr", lambda nc, x: s.ncfdtr(3.2, 5.1, nc, x), (nc, x)),
        plain("ncfdtri", lambda nc, p: s.ncfdtri(3.2, 5.1, nc, p), (nc, p)),
        plain("ncfdtrinc", lambda p: s.ncfdtrinc(3.2, 5.1, p, 0.8), (0.2 + 0.1 * p,)),
        plain("nctdtr", lambda nc, t: s.nctdtr(3.2, nc, t), (nc, t)),
        plain("nctdtrit", lambda nc, p: s.nctdtrit(3.2, nc, p), (nc, p)),
        plain("nctdtrinc", lambda p: s.nctdtrinc(3.2, p, 0.6), (0.2 + 0.4 * p,)),
    ]
    if pdf is not None:
        table += [
            plain("_ncx2_pdf", lambda x, nc: pdf(x, 3.2, nc), (x, nc)),
            plain("_ncx2_sf", lambda x, nc: sf(x, 3.2, nc), (x, nc)),
        ]
    return table


def _of_stats(n):
    """The private ufuncs that ``scipy.stats`` calls."""
    x, t = uniform(n) / 1.3, uniform(n, low=-2.0, high=2.0, seed=2)
    few = x[: n // 50]
    beta_pdf, beta_ppf = private("_beta_pdf"), private("_beta_ppf")
    ppf, isf = private("_cauchy_ppf"), private("_cauchy_isf")
    cdf, skew_ppf, skew_isf = (private(f"_skewnorm_{k}") for k in ("cdf", "ppf", "isf"))
    gauss_ppf, gauss_isf = private("_invgauss_ppf"), private("_invgauss_isf")
    if beta_pdf is None:
        return []

    def cauchy(name, f, sign):
        return each(name, f, (x, t, 1 + x),
                    lambda d, p, m, w, y: d * (sign * np.pi * w * (1 + ((y - m) / w) ** 2)),
                    lambda d, p, m, w, y: d.copy(),
                    lambda d, p, m, w, y: d * (y - m) / w)  # fmt: skip

    table = [
        each("_beta_pdf", lambda x: beta_pdf(x, 1.7, 2.4), (x,),
             lambda d, x, y: d * (y * (0.7 / x - 1.4 / (1 - x)))),
        each("_beta_ppf", lambda p: beta_ppf(p, 1.7, 2.4), (few,),
             lambda d, p, y: d / beta_density(1.7, 2.4, y)),
    ]  # fmt: skip
    if ppf is not None:
        table += [cauchy("_cauchy_ppf", ppf, 1), cauchy("_cauchy_isf", isf, -1)]
    return [
        *table,
        each("_cosine_cdf", private("_cosine_cdf"), (t,),
             lambda d, x, y: d * ((1 + np.cos(x)) / (2 * np.pi))),
        each("_cosine_invcdf", private("_cosine_invcdf"), (x,),
             lambda d, x, y: d * (2 * np.pi / (1 + np.cos(y)))),
        each("_skewnorm_cdf", lambda x: cdf(x, 0.0, 1.0, 1.5), (t,), lambda d, x, y:
             d * (2 / ROOT_2PI * np.exp(-0.5 * x * x) * s.ndtr(1.5 * x))),
        each("_skewnorm_ppf", lambda p: skew_ppf(p, 0.0, 1.0, 1.5), (few,), lambda d, p, x:
             d / (2 / ROOT_2PI * np.exp(-0.5 * x * x) * s.ndtr(1.5 * x))),
        each("_skewnorm_isf", lambda p: skew_isf(p, 0.0, 1.0, 1.5), (few,), lambda d, p, x:
             -d / (2 / ROOT_2PI * np.exp(-0.5 * x * x) * s.ndtr(1.5 * x))),
        each("_invgauss_ppf", lambda p: gauss_ppf(p, 0.8, 1.2), (few,), lambda d, p, x:
             d / (np.sqrt(1.2 / x**3) / ROOT_2PI * np.exp(-1.2 * (x - 0.8) ** 2 / (1.28 * x)))),
        each("_invgauss_isf", lambda p: gauss_isf(p, 0.8, 1.2), (few,), lambda d, p, x:
             -d / (np.sqrt(1.2 / x**3) / ROOT_2PI * np.exp(-1.2 * (x - 0.8) ** 2 / (1.28 * x)))),
    ]  # fmt: skip


def _polynomials(n):
    x, a, b = uniform(n) / 1.3, uniform(n, seed=1), uniform(n, seed=2)
    xs, as_, bs = x[: n // 10], a[: n // 10], b[: n // 10]

    def legendre(x):
        return s.eval_gegenbauer(3, 1.5, x)

    def second_kind(x):
        return 2 * s.eval_gegenbauer(3, 2.0, x)

    return [
        each("eval_legendre", lambda x: s.eval_legendre(4, x), (x,),
             lambda d, x, y: d * legendre(x)),
        each("eval_sh_legendre", lambda x: s.eval_sh_legendre(4, x), (x,),
             lambda d, x, y: d * (2 * legendre(2 * x - 1))),
        each("eval_chebyt", lambda x: s.eval_chebyt(4, x), (x,),
             lambda d, x, y: d * (4 * s.eval_chebyu(3, x))),
        each("eval_chebyu", lambda x: s.eval_chebyu(4, x), (x,),
             lambda d, x, y: d * second_kind(x)),
        each("eval_chebyc", lambda x: s.eval_chebyc(4, x), (x,),
             lambda d, x, y: d * (4 * s.eval_chebys(3, x))),
        each("eval_chebys", lambda x: s.eval_chebys(4, x), (x,),
             lambda d, x, y: d * (0.5 * second_kind(0.5 * x))),
        each("eval_sh_chebyt", lambda x: s.eval_sh_chebyt(4, x), (x,),
             lambda d, x, y: d * (8 * s.eval_sh_chebyu(3, x))),
        each("eval_sh_chebyu", lambda x: s.eval_sh_chebyu(4, x), (x,),
             lambda d, x, y: d * (2 * second_kind(2 * x - 1))),
        each("eval_gegenbauer", lambda x: s.eval_gegenbauer(4, 0.7, x), (x,),
             lambda d, x, y: d * (1.4 * s.eval_gegenbauer(3, 1.7, x))),
        each("eval_laguerre", lambda x: s.eval_laguerre(4, x), (x,),
             lambda d, x, y: d * -s.eval_genlaguerre(3, 1, x)),
        each("eval_genlaguerre", lambda x: s.eval_genlaguerre(4, 0.7, x), (x,),
             lambda d, x, y: d * -s.eval_genlaguerre(3, 1.7, x)),
        each("eval_hermite", lambda x: s.eval_hermite(4, x), (x,),
             lambda d, x, y: d * (8 * s.eval_hermite(3, x))),
        each("eval_hermitenorm", lambda x: s.eval_hermitenorm(4, x), (x,),
             lambda d, x, y: d * (4 * s.eval_hermitenorm(3, x))),
        each("eval_jacobi", lambda x: s.eval_jacobi(4, 0.5, 1.2, x), (x,),
             lambda d, x, y: d * (3.35 * s.eval_jacobi(3, 1.5, 2.2, x))),
        each("eval_sh_jacobi", lambda x: s.eval_sh_jacobi(4, 2.1, 0.6, x), (x,),
             lambda d, x, y: d * (4 * s.eval_sh_jacobi(3, 4.1, 1.6, x))),
        each("lpmv", lambda x: s.lpmv(1, 2.3, x), (x,),
             lambda d, x, y: d * ((2.3 * x * y - 3.3 * s.lpmv(1, 1.3, x)) / (x * x - 1))),
        plain("eval_chebyt in degree", s.eval_chebyt, (2 + a, x)),
        plain("eval_gegenbauer in a", lambda a, x: s.eval_gegenbauer(4, a, x), (as_, xs)),
        plain("eval_genlaguerre in a", lambda a, x: s.eval_genlaguerre(4, a, x), (as_, xs)),
        plain("eval_jacobi in a, b", lambda a, b, x: s.eval_jacobi(4, a, b, x), (as_, bs, xs)),
        plain("eval_sh_jacobi in p, q", lambda p, q, x: s.eval_sh_jacobi(4, p, q, x),
              (as_ + 2, bs, xs)),
    ]  # fmt: skip
