"""``scipy.special``: noncentral distributions.

Noncentral distributions are Poisson mixtures of central ones; their slopes in the noncentrality are
densities of neighbouring degrees of freedom.
"""

import numpy as np
from scipy import special

from chainrule.core.primitive import elementwise
from chainrule.rules.scipy_distributions import f_places, over
from chainrule.rules.scipy_outputs import if_private, private
from chainrule.rules.scipy_parameters import (
    PARAMETER,
    beta_weight,
)


def _ncx2_pdf(x, df, nc):
    return private("_ncx2_pdf")(x, df, nc)


# ---------------------------------------------------------------- noncentral distributions

if_private(  # the density f_k of df = k solves df_k/dnc = (f_(k+2) - f_k) / 2
    "_ncx2_pdf",
    x=lambda x, df, nc, y: _ncx2_slope(x, df, nc, y),
    df=PARAMETER,
    nc=lambda x, df, nc, y: 0.5 * (_ncx2_pdf(x, df + 2, nc) - y),
)
elementwise(
    special.chndtr,
    x=lambda x, df, nc: _ncx2_pdf(x, df, nc),
    df=PARAMETER,
    nc=lambda x, df, nc: -_ncx2_pdf(x, df + 2, nc),
)
elementwise(
    special.chndtrix,
    p=lambda df, nc, y: 1 / _ncx2_pdf(y, df, nc),
    df=PARAMETER,
    nc=lambda df, nc, y: over(_ncx2_pdf(y, df + 2, nc), _ncx2_pdf(y, df, nc)),
)
elementwise(
    special.chndtrinc,
    x=lambda x, df, y: _ncx2_pdf(x, df, y) / _ncx2_pdf(x, df + 2, y),
    df=PARAMETER,
    p=lambda x, df, y: -1 / _ncx2_pdf(x, df + 2, y),
)
if_private(
    "_ncx2_sf",
    x=lambda x, df, nc: -_ncx2_pdf(x, df, nc),
    df=PARAMETER,
    nc=lambda x, df, nc: _ncx2_pdf(x, df + 2, nc),
)


def _ncx2_slope(x, df, nc, y):
    """df_k/dx = (f_(k-2) - f_k) / 2 with Bessel's recurrence
    x f_(k-2) = nc f_(k+2) + (k - 2) f_k."""
    return 0.5 * ((nc * _ncx2_pdf(x, df + 2, nc) + (df - 2) * y) / x - y)


def _ncf_nc(dfn, dfd, nc, f):
    """-e^(-l/2) w^a v^b / (2 a beta(a, b)) M(a + b, a + 1, l w / 2), l = nc: the sum over Poisson's
    weights of the difference of I_w(a + j, b) between neighbours."""
    a, b, w, v = f_places(dfn, dfd, f)
    series = special.hyp1f1(a + b, a + 1, 0.5 * nc * w)
    return -0.5 * np.exp(-0.5 * nc) * beta_weight(a, b, w, v) / a * series


def _ncf_f(dfn, dfd, nc, f):
    return private("_ncf_pdf")(f, dfn, dfd, nc)


elementwise(
    special.ncfdtr,
    dfn=PARAMETER,
    dfd=PARAMETER,
    nc=lambda dfn, dfd, nc, f: _ncf_nc(dfn, dfd, nc, f),
    f=lambda dfn, dfd, nc, f: _ncf_f(dfn, dfd, nc, f),
)
elementwise(
    special.ncfdtri,
    dfn=PARAMETER,
    dfd=PARAMETER,
    nc=lambda dfn, dfd, nc, y: -over(_ncf_nc(dfn, dfd, nc, y), _ncf_f(dfn, dfd, nc, y)),
    p=lambda dfn, dfd, nc, y: 1 / _ncf_f(dfn, dfd, nc, y),
)
elementwise(
    special.ncfdtrinc,
    dfn=PARAMETER,
    dfd=PARAMETER,
    p=lambda dfn, dfd, f, y: 1 / _ncf_nc(dfn, dfd, y, f),
    f=lambda dfn, dfd, f, y: -_ncf_f(dfn, dfd, y, f) / _ncf_nc(dfn, dfd, y, f),
)


def _nct_moment(df, nc, t, m):
    """e^(-nc^2 / (2 q)) q^(-(m+1)/2) int_0^inf y^m e^(-(y-z)^2/2) dy, by the density of m degrees
    of freedom; q = 1 + t^2/df, z = t nc / sqrt(df q)."""
    log_size = special.gammaln(m / 2) + 0.5 * (m - 1) * np.log(2.0) + 0.5 * np.log(np.pi * m)
    return np.exp(log_size) * private("_nct_pdf")(t * np.sqrt(m / df), m, nc)


def _nct_nc(df, nc, t):
    """-E phi(t sqrt(v/n) - nc), v chi-squared with n = df: moment n - 1, below n = 1 by the
    recurrence n M_(n-1) = M_(n+1) - z M_n."""
    q = 1 + t * t / df
    z = t * nc / np.sqrt(df * q)
    many = df > 1.5
    n = np.where(many, df, 2.5)
    direct = _nct_moment(n, nc, t * np.sqrt(n / df), n - 1)
    up = q * _nct_moment(df, nc, t, df + 1) - z * np.sqrt(q) * _nct_moment(df, nc, t, df)
    size = np.exp(0.5 * (1 - df) * np.log(2.0) - special.gammaln(df / 2)) / np.sqrt(np.pi)
    return -size * np.where(many, direct, up / df)


def _nct_t(df, nc, t):
    return private("_nct_pdf")(t, df, nc)


elementwise(
    special.nctdtr,
    df=PARAMETER,
    nc=lambda df, nc, t: _nct_nc(df, nc, t),
    t=lambda df, nc, t: _nct_t(df, nc, t),
)
elementwise(
    special.nctdtrit,
    df=PARAMETER,
    nc=lambda df, nc, y: -over(_nct_nc(df, nc, y), _nct_t(df, nc, y)),
    p=lambda df, nc, y: 1 / _nct_t(df, nc, y),
)
elementwise(
    special.nctdtrinc,
    df=PARAMETER,
    p=lambda df, t, y: 1 / _nct_nc(df, y, t),
    t=lambda df, t, y: -_nct_t(df, y, t) / _nct_nc(df, y, t),
)
