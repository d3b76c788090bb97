"""``scipy.stats`` is Python code and runs lifted; here are the steps that need a rule.

They are private ufuncs, and the factor of a covariance: multivariate densities take eigenvectors,
whose derivative does not exist where eigenvalues are equal (a multiple of the identity), though
that of the density does.
"""

import numpy as np
from scipy import special
from scipy.stats import _multivariate

import chainrule.rules.scipy_special  # noqa: F401  the rules of what the slopes call
from chainrule.base.errors import NoRuleError
from chainrule.core.primitive import (
    apply,
    composite,
    general,
    piecewise_constant,
)
from chainrule.core.trace import plain
from chainrule.rules.matrices import unfolded
from chainrule.rules.scipy_distributions import binomial_density, over
from chainrule.rules.scipy_outputs import if_private, private
from chainrule.rules.scipy_parameters import (
    PARAMETER,
    beta_density,
    betainc_a,
    betainc_b,
    psi_step,
)

# ---------------------------------------------------------------- covariances

_PSD = _multivariate._PSD


def _factor(M, **options):
    """U with U U^T = M^-1, and log det M."""
    parts = _PSD(M, **options)
    return parts.U, parts.log_pdet


def _factor_jvp(tangents, y, _M, *, lower=True, **options):
    U, _ = y
    dM, P = unfolded(tangents[0], lower), U @ U.T
    return -0.5 * (P @ dM @ U), np.sum(P * dM)


@general(_factor, name="stats_covariance", multiple=True, jvp=_factor_jvp)
def factor(g, y, _M, *, lower=True, **options):
    """For functions of P = U U^T = M^-1:  dU = -P dM U / 2 gives dP = -P dM P; d log det = tr P dM.
    One triangle of M is read."""
    U, _ = y
    g_U, g_log = g
    P = U @ U.T
    M_bar = 0.0 if g_log is None else g_log * P
    if g_U is not None:
        M_bar = M_bar - 0.5 * (P @ g_U @ U.T)
    triangle = np.tri(len(U), k=-1)
    return (M_bar + M_bar.T) * (triangle if lower else triangle.T) + M_bar * np.eye(len(U))


@composite(_PSD)
def psd(M, *args, **kwargs):
    """SciPy's object, whose factor and determinant are traced."""
    found = _PSD(plain(M), *args, **kwargs)
    if found.rank < len(found.U):
        raise NoRuleError(
            "the density of a singular covariance has no derivative rule",
            "Add a small multiple of the identity to it, or treat it as constant: "
            "chainrule.constant(cov).",
        )
    names = "cond", "rcond", "lower", "check_finite", "allow_singular"
    found._M = M
    found.U, found.log_pdet = apply(factor, M, **dict(zip(names, args)), **kwargs)
    return found


# ---------------------------------------------------------------- ufuncs

if_private(
    "_beta_pdf",
    x=lambda x, a, b, y: _beta_pdf_slope(x, a, b, y),
    a=lambda x, a, b, y: y * (np.log(x) + psi_step(a, b)),
    b=lambda x, a, b, y: y * (np.log1p(-x) + psi_step(b, a)),
)
for _name, _sign in (("_beta_cdf", 1), ("_beta_sf", -1)):
    if_private(
        _name,
        x=lambda x, a, b, *, s=_sign: s * beta_density(a, b, x),
        a=lambda x, a, b, *, s=_sign: s * betainc_a(a, b, x, 1 - x),
        b=lambda x, a, b, *, s=_sign: s * betainc_b(a, b, x, 1 - x),
    )
for _name, _sign in (("_beta_ppf", 1), ("_beta_isf", -1)):
    if_private(
        _name,
        p=lambda a, b, y, *, s=_sign: s / beta_density(a, b, y),
        a=lambda a, b, y: -over(betainc_a(a, b, y, 1 - y), beta_density(a, b, y)),
        b=lambda a, b, y: -over(betainc_b(a, b, y, 1 - y), beta_density(a, b, y)),
    )


def _beta_pdf_slope(x, a, b, y):
    return y * ((a - 1) / x - (b - 1) / (1 - x))


if_private(  # d pmf(x; n, p) / dp = n (pmf(x - 1; n - 1, p) - pmf(x; n - 1, p))
    "_binom_pmf _binom_pdf",
    x=PARAMETER,
    n=PARAMETER,
    p=lambda x, n, p: _binom_pmf_slope(x, n, p),
)
if_private("_binom_cdf", x=PARAMETER, n=PARAMETER, p=lambda x, n, p: -binomial_density(x, n, p))
if_private("_binom_sf", x=PARAMETER, n=PARAMETER, p=lambda x, n, p: binomial_density(x, n, p))


def _binom_pmf_slope(x, n, p):
    """A count below 0 or above n - 1 is impossible."""
    pmf = private("_binom_pmf") or private("_binom_pdf")
    less = np.maximum(n - 1, 0.0)
    fewer, same = pmf(np.maximum(x - 1, 0.0), less, p), pmf(np.minimum(x, less), less, p)
    return n * (np.where(x > 0, fewer, 0.0) - np.where(x < n, same, 0.0))


if_private(
    "_nbinom_pmf _nbinom_pdf",
    x=PARAMETER,
    n=lambda x, n, p, y: y * (psi_step(n, x) + np.log(p)),
    p=lambda x, n, p, y: y * (n / p - x / (1 - p)),
)
if_private(
    "_nbinom_cdf",
    x=PARAMETER,
    n=lambda x, n, p: betainc_a(n, np.floor(x) + 1, p, 1 - p),
    p=lambda x, n, p: beta_density(n, np.floor(x) + 1, p),
)
if_private(
    "_nbinom_sf",
    x=PARAMETER,
    n=lambda x, n, p: -betainc_a(n, np.floor(x) + 1, p, 1 - p),
    p=lambda x, n, p: -beta_density(n, np.floor(x) + 1, p),
)
_QUANTILES = map(private, ("_binom_ppf", "_binom_isf", "_nbinom_ppf", "_nbinom_isf"))
piecewise_constant(*[f for f in _QUANTILES if f is not None])

# Cauchy, loc - scale cot(pi p); its isf has the other sign
if_private(
    "_cauchy_ppf",
    p=lambda loc, scale, y: np.pi * scale * (1 + ((y - loc) / scale) ** 2),
    loc=1,
    scale=lambda loc, scale, y: (y - loc) / scale,
)
if_private(
    "_cauchy_isf",
    p=lambda loc, scale, y: -np.pi * scale * (1 + ((y - loc) / scale) ** 2),
    loc=1,
    scale=lambda loc, scale, y: (y - loc) / scale,
)
if_private("_cosine_cdf", x=lambda x: np.cos(x / 2) ** 2 / np.pi)
if_private("_cosine_invcdf", p=lambda y: np.pi / np.cos(y / 2) ** 2)


# ---------------------------------------------------------------- skew normal, inverse Gaussian


def _skew_slopes(x, loc, scale, shape):
    """z = (x - loc) / scale, and the slopes of Phi(z) - 2 T(z, shape), T Owen's, in both."""
    z = (x - loc) / scale
    density = 2 * np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi) * special.ndtr(shape * z)
    growth = 1 + shape * shape
    return z, density, -np.exp(-0.5 * z * z * growth) / (np.pi * growth)


def _skew_cdf(i):
    def slope(x, loc, scale, shape):
        z, density, by_shape = _skew_slopes(x, loc, scale, shape)
        return (density / scale, -density / scale, -z * density / scale, by_shape)[i]

    return slope


def _skew_inverse(i, sign):
    def slope(loc, scale, shape, y):
        z, density, by_shape = _skew_slopes(y, loc, scale, shape)
        return (sign * scale / density, 1.0, z, -scale * over(by_shape, density))[i]

    return slope


if_private("_skewnorm_cdf", **{n: _skew_cdf(i) for i, n in enumerate("x loc scale shape".split())})
for _name, _sign in (("_skewnorm_ppf", 1), ("_skewnorm_isf", -1)):
    _names = enumerate("p loc scale shape".split())
    if_private(_name, **{n: _skew_inverse(i, _sign) for i, n in _names})


def _invgauss_slopes(x, mu, scale):
    """Of F in x, mu and the scale l: with a, b = sqrt(l / x) (+-x / mu - 1), F = Phi(a) +
    e^(2 l / mu) Phi(b), and e^(2 l / mu) phi(b) = phi(a); F is homogeneous of degree 0."""
    root = np.sqrt(scale / x)
    a, b = root * (x / mu - 1), -root * (x / mu + 1)
    bell = np.exp(-0.5 * a * a)
    by_x = bell * root / (x * np.sqrt(2 * np.pi))
    by_mu = -scale / (mu * mu) * bell * special.erfcx(-b / np.sqrt(2.0))
    return by_x, by_mu, -(x * by_x + mu * by_mu) / scale


def _invgauss_inverse(i, sign):
    def slope(mu, scale, y):
        by_x, by_mu, by_scale = _invgauss_slopes(y, mu, scale)
        return (sign / by_x, -by_mu / by_x, -by_scale / by_x)[i]

    return slope


for _name, _sign in (("_invgauss_ppf", 1), ("_invgauss_isf", -1)):
    _names = enumerate("p mu scale".split())
    if_private(_name, **{n: _invgauss_inverse(i, _sign) for i, n in _names})
