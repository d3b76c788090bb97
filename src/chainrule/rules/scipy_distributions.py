"""``scipy.special``: incomplete gamma and beta functions, distribution functions, their inverses.

An inverse y of F(.., y, ..) = p has slopes 1 / F_y in p and -F_a / F_y in a parameter a. The
letters P, Q stand for the incomplete gamma functions, I for the incomplete beta function.
"""

import numpy as np
from scipy import special

from chainrule.core.primitive import apply, elementwise
from chainrule.rules.scipy_parameters import (
    BETA_ORDER,
    DROP,
    NODES,
    PARAMETER,
    WEIGHTS,
    above,
    at_masks,
    beta_density,
    beta_weight,
    betainc_a,
    betainc_b,
    gamma_density,
    gammainc_order,
    horner,
    in_double,
    log1p_gap,
    log_beta,
    psi_step,
)


def over(a, b):
    """a / b, and 0 at 0/0: at the ends of the range an inverse does not move."""
    return a / np.where((a == 0) & (b == 0), 1.0, b)


# ---------------------------------------------------------------- incomplete gamma

elementwise(special.gammainc, a=gammainc_order, x=gamma_density)
elementwise(
    special.gammaincc,
    a=lambda a, x: -gammainc_order(a, x),
    x=lambda a, x: -gamma_density(a, x),
)
elementwise(
    special.gammaincinv,
    a=lambda a, y: -over(gammainc_order(a, y), gamma_density(a, y)),
    p=lambda a, y: 1 / gamma_density(a, y),
)
elementwise(
    special.gammainccinv,
    a=lambda a, y: -over(gammainc_order(a, y), gamma_density(a, y)),
    p=lambda a, y: -1 / gamma_density(a, y),
)

# chi-squared: P(v / 2, x / 2)
elementwise(
    special.chdtr,
    v=lambda v, x: 0.5 * gammainc_order(v / 2, x / 2),
    x=lambda v, x: 0.5 * gamma_density(v / 2, x / 2),
)
elementwise(
    special.chdtrc,
    v=lambda v, x: -0.5 * gammainc_order(v / 2, x / 2),
    x=lambda v, x: -0.5 * gamma_density(v / 2, x / 2),
)
elementwise(
    special.chdtri,
    v=lambda v, y: -over(gammainc_order(v / 2, y / 2), gamma_density(v / 2, y / 2)),
    p=lambda v, y: -2 / gamma_density(v / 2, y / 2),
)
elementwise(
    special.chdtriv,
    p=lambda x, y: 2 / gammainc_order(y / 2, x / 2),
    x=lambda x, y: -gamma_density(y / 2, x / 2) / gammainc_order(y / 2, x / 2),
)

# gamma: P(b, a x)
elementwise(
    special.gdtr,
    a=lambda a, b, x: x * gamma_density(b, a * x),
    b=lambda a, b, x: gammainc_order(b, a * x),
    x=lambda a, b, x: a * gamma_density(b, a * x),
)
elementwise(
    special.gdtrc,
    a=lambda a, b, x: -x * gamma_density(b, a * x),
    b=lambda a, b, x: -gammainc_order(b, a * x),
    x=lambda a, b, x: -a * gamma_density(b, a * x),
)
elementwise(
    special.gdtria,
    p=lambda b, x, y: 1 / (x * gamma_density(b, y * x)),
    b=lambda b, x, y: -over(gammainc_order(b, y * x), x * gamma_density(b, y * x)),
    x=lambda x, y: -y / x,
)
elementwise(
    special.gdtrix,
    a=lambda a, y: -y / a,
    b=lambda a, b, y: -over(gammainc_order(b, a * y), a * gamma_density(b, a * y)),
    p=lambda a, b, y: 1 / (a * gamma_density(b, a * y)),
)
elementwise(
    special.gdtrib,
    a=lambda a, x, y: -x * gamma_density(y, a * x) / gammainc_order(y, a * x),
    p=lambda a, x, y: 1 / gammainc_order(y, a * x),
    x=lambda a, x, y: -a * gamma_density(y, a * x) / gammainc_order(y, a * x),
)

# Poisson: Q(floor(k) + 1, m)
elementwise(special.pdtr, k=PARAMETER, m=lambda k, m: -gamma_density(np.floor(k) + 1, m))
elementwise(special.pdtrc, k=PARAMETER, m=lambda k, m: gamma_density(np.floor(k) + 1, m))
elementwise(special.pdtri, k=PARAMETER, p=lambda k, y: -1 / gamma_density(np.floor(k) + 1, y))
elementwise(
    special.pdtrik,
    p=lambda m, y: -1 / gammainc_order(y + 1, m),
    m=lambda m, y: -gamma_density(y + 1, m) / gammainc_order(y + 1, m),
)

# ---------------------------------------------------------------- incomplete beta

elementwise(
    special.betainc,
    a=lambda a, b, x: betainc_a(a, b, x, 1 - x),
    b=lambda a, b, x: betainc_b(a, b, x, 1 - x),
    x=beta_density,
)
elementwise(
    special.betaincc,
    a=lambda a, b, x: -betainc_a(a, b, x, 1 - x),
    b=lambda a, b, x: -betainc_b(a, b, x, 1 - x),
    x=lambda a, b, x: -beta_density(a, b, x),
)
elementwise(
    special.betaincinv,
    a=lambda a, b, y: -over(betainc_a(a, b, y, 1 - y), beta_density(a, b, y)),
    b=lambda a, b, y: -over(betainc_b(a, b, y, 1 - y), beta_density(a, b, y)),
    p=lambda a, b, y: 1 / beta_density(a, b, y),
)
elementwise(
    special.betainccinv,
    a=lambda a, b, y: -over(betainc_a(a, b, y, 1 - y), beta_density(a, b, y)),
    b=lambda a, b, y: -over(betainc_b(a, b, y, 1 - y), beta_density(a, b, y)),
    p=lambda a, b, y: -1 / beta_density(a, b, y),
)
elementwise(
    special.btdtria,
    p=lambda b, x, y: 1 / betainc_a(y, b, x, 1 - x),
    b=lambda b, x, y: -betainc_b(y, b, x, 1 - x) / betainc_a(y, b, x, 1 - x),
    x=lambda b, x, y: -beta_density(y, b, x) / betainc_a(y, b, x, 1 - x),
)
elementwise(
    special.btdtrib,
    a=lambda a, x, y: -betainc_a(a, y, x, 1 - x) / betainc_b(a, y, x, 1 - x),
    p=lambda a, x, y: 1 / betainc_b(a, y, x, 1 - x),
    x=lambda a, x, y: -beta_density(a, y, x) / betainc_b(a, y, x, 1 - x),
)

# binomial: I_(1-p)(n - k, k + 1), its complement I_p(k + 1, n - k)


def binomial_density(k, n, p):
    k = np.floor(k)
    return beta_density(k + 1, n - k, p)


elementwise(
    special.bdtr, k=PARAMETER, n=PARAMETER, p=lambda k, n, p: -binomial_density(k, n, p)
)  # fmt: skip
elementwise(special.bdtrc, k=PARAMETER, n=PARAMETER, p=binomial_density)
elementwise(
    special.bdtri, k=PARAMETER, n=PARAMETER, p=lambda k, n, y: -1 / binomial_density(k, n, y)
)


def _binomial_slopes(k, n, p):
    """Of I_(1-p)(n - k, k + 1) in k, n and p, for real k."""
    by_a = betainc_a(n - k, k + 1, 1 - p, p)
    by_b = betainc_b(n - k, k + 1, 1 - p, p)
    return by_b - by_a, by_a, -beta_density(k + 1, n - k, p)


def _implicit(slopes, known, solved):
    """-F_known / F_solved."""
    return -slopes[known] / slopes[solved]


elementwise(
    special.bdtrik,
    p=lambda n, p_, y: 1 / _binomial_slopes(y, n, p_)[0],
    n=lambda n, p_, y: _implicit(_binomial_slopes(y, n, p_), 1, 0),
    p_=lambda n, p_, y: _implicit(_binomial_slopes(y, n, p_), 2, 0),
)
elementwise(
    special.bdtrin,
    k=lambda k, p_, y: _implicit(_binomial_slopes(k, y, p_), 0, 1),
    p=lambda k, p_, y: 1 / _binomial_slopes(k, y, p_)[1],
    p_=lambda k, p_, y: _implicit(_binomial_slopes(k, y, p_), 2, 1),
)

# negative binomial: I_p(n, k + 1)
elementwise(
    special.nbdtr,
    k=PARAMETER,
    n=PARAMETER,
    p=lambda k, n, p: beta_density(n, np.floor(k) + 1, p),
)
elementwise(
    special.nbdtrc,
    k=PARAMETER,
    n=PARAMETER,
    p=lambda k, n, p: -beta_density(n, np.floor(k) + 1, p),
)
elementwise(
    special.nbdtri,
    k=PARAMETER,
    n=PARAMETER,
    p=lambda k, n, y: 1 / beta_density(n, np.floor(k) + 1, y),
)


def _negative_binomial_slopes(k, n, p):
    """Of I_p(n, k + 1) in k, n and p, for real k."""
    by_a, by_b = betainc_a(n, k + 1, p, 1 - p), betainc_b(n, k + 1, p, 1 - p)
    return by_b, by_a, beta_density(n, k + 1, p)


elementwise(
    special.nbdtrik,
    p=lambda n, p_, y: 1 / _negative_binomial_slopes(y, n, p_)[0],
    n=lambda n, p_, y: _implicit(_negative_binomial_slopes(y, n, p_), 1, 0),
    p_=lambda n, p_, y: _implicit(_negative_binomial_slopes(y, n, p_), 2, 0),
)
elementwise(
    special.nbdtrin,
    k=lambda k, p_, y: _implicit(_negative_binomial_slopes(k, y, p_), 0, 1),
    p=lambda k, p_, y: 1 / _negative_binomial_slopes(k, y, p_)[1],
    p_=lambda k, p_, y: _implicit(_negative_binomial_slopes(k, y, p_), 2, 1),
)

# ---------------------------------------------------------------- F and Student's t


def f_places(m, n, x):
    """a, b, w and 1 - w of the F distribution, I_w(m / 2, n / 2) with w = m x / (n + m x)."""
    total = n + m * x
    return m / 2, n / 2, m * x / total, n / total


def _f_x(m, n, x):
    a, b, w, v = f_places(m, n, x)
    small = w < 1e-80  # there w^a may underflow where w^(a-1) does not, and dw/dx = m / n
    inside = beta_weight(a, b, w, v) / np.where(small, 1.0, x)
    return np.where(small, beta_density(a, b, np.where(small, w, 0.0)) * m / n, inside)


def _f_m(m, n, x):
    a, b, w, v = f_places(m, n, x)
    return 0.5 * betainc_a(a, b, w, v) + beta_weight(a, b, w, v) / m


def _f_n(m, n, x):
    a, b, w, v = f_places(m, n, x)
    return 0.5 * betainc_b(a, b, w, v) - beta_weight(a, b, w, v) / n


elementwise(
    special.fdtr,
    dfn=lambda dfn, dfd, x: _f_m(dfn, dfd, x),
    dfd=lambda dfn, dfd, x: _f_n(dfn, dfd, x),
    x=lambda dfn, dfd, x: _f_x(dfn, dfd, x),
)
elementwise(
    special.fdtrc,
    dfn=lambda dfn, dfd, x: -_f_m(dfn, dfd, x),
    dfd=lambda dfn, dfd, x: -_f_n(dfn, dfd, x),
    x=lambda dfn, dfd, x: -_f_x(dfn, dfd, x),
)
elementwise(
    special.fdtri,
    dfn=lambda dfn, dfd, y: -over(_f_m(dfn, dfd, y), _f_x(dfn, dfd, y)),
    dfd=lambda dfn, dfd, y: -over(_f_n(dfn, dfd, y), _f_x(dfn, dfd, y)),
    p=lambda dfn, dfd, y: 1 / _f_x(dfn, dfd, y),
)
elementwise(
    special.fdtridfd,
    dfn=lambda dfn, x, y: -_f_m(dfn, y, x) / _f_n(dfn, y, x),
    p=lambda dfn, x, y: 1 / _f_n(dfn, y, x),
    x=lambda dfn, x, y: -_f_x(dfn, y, x) / _f_n(dfn, y, x),
)


def _student_density(df, t):
    """(1 + t^2/n)^(-(n+1)/2) / (sqrt(n) beta(1/2, n/2))."""
    power = -0.5 * (df + 1) * np.log1p(t * t / df)
    return np.exp(power - log_beta(0.5, df / 2)) / np.sqrt(df)


def _student_places(df, t):
    """a, w and 1 - w of 1 - I_w(n / 2, 1/2) / 2 for t > 0, w = n / (n + t^2)."""
    total = df + t * t
    return df / 2, df / total, t * t / total


def _student_order(df, t):
    return in_double(_student_order_double, (df, t))


def _student_order_double(df, t):
    valid = (df > 0) & (np.abs(t) < np.inf)
    functions = (_student_order_beta, _student_order_integral, lambda df, t: 0.0)
    masks = valid & (df < 60), valid & (df >= 60), (df > 0) & np.isinf(t)
    return np.sign(t) * at_masks(masks, functions, df, np.abs(t))


def _student_order_beta(df, t):
    a, w, v = _student_places(df, t)
    return -0.25 * betainc_a(a, 0.5, w, v) - 0.5 * beta_weight(a, 0.5, w, v) / df


def _student_order_integral(df, t):
    """For many degrees of freedom, where the two terms cancel: of the slope of the density from
    0 to t, or, in the tail, from t e^s for s = 0 to where the density has fallen by e^-40."""
    tail = t > 1.5
    start = np.where(tail, t, 1.5)
    drop = 2 * DROP / (df + 1) + np.log1p(start * start / df)
    end = 0.5 * np.log(df * np.expm1(drop)) - np.log(start)
    total = 0.0
    for node, weight in zip(NODES, WEIGHTS):
        s = end * node
        place = np.where(tail, start * np.exp(s), t * node)
        total = total + weight * np.where(tail, -end * place, t) * _student_density_n(df, place)
    return total


def _student_curve(df, t):
    """The second derivative in n, where dw/dn = w v / n."""
    a, w, v = _student_places(df, t)
    mixed = (np.log(w) + psi_step(a, 0.5)) / df + ((a - 1) * v + v - 0.5 * w - 1) / (df * df)
    twice = 0.25 * apply(BETA_ORDER, a, 0.5, w, v, 2, 0) + beta_weight(a, 0.5, w, v) * mixed
    return -0.5 * np.sign(t) * twice


_PSI_HALF = [1 / 2, -1 / 4, 1 / 2, -17 / 8, 31 / 2]


def _student_density_n(df, t):
    """Of the density f:  f d(log f)/dn, by psi((n+1)/2) - psi(n/2) - 1/n = 1/(2 n^2) - ..."""
    many = df > 50
    u = 1 / above(df, 50.0) ** 2
    few = np.where(many, 1.0, df)
    psi_gap = np.where(many, u * horner(u, _PSI_HALF), psi_step(few / 2, 0.5) - 1 / few)
    z = t * t / df
    return 0.5 * _student_density(df, t) * (psi_gap - z * z * log1p_gap(z) + z / (df * (1 + z)))


STUDENT_ORDER = elementwise(
    _student_order, name="stdtr_order", df=_student_curve, t=_student_density_n
)


def student_order(df, t):
    """d/dn of Student's distribution function with n degrees of freedom."""
    return apply(STUDENT_ORDER, df, t)


elementwise(special.stdtr, df=student_order, t=_student_density)
elementwise(
    special.stdtrit,
    df=lambda df, y: -over(student_order(df, y), _student_density(df, y)),
    p=lambda df, y: 1 / _student_density(df, y),
)
elementwise(
    special.stdtridf,
    p=lambda t, y: 1 / student_order(y, t),
    t=lambda t, y: -_student_density(y, t) / student_order(y, t),
)

# ---------------------------------------------------------------- normal, solved for a parameter

elementwise(  # mean = x - std ndtri(p)
    special.nrdtrimn,
    p=lambda p, std: -std * np.sqrt(2 * np.pi) * np.exp(0.5 * special.ndtri(p) ** 2),
    std=lambda p: -special.ndtri(p),
    x=1,
)
elementwise(  # std = (x - mean) / ndtri(p)
    special.nrdtrisd,
    mn=lambda p: -1 / special.ndtri(p),
    p=lambda p, y: -y * np.sqrt(2 * np.pi) * np.exp(0.5 * special.ndtri(p) ** 2) / special.ndtri(p),
    x=lambda p: 1 / special.ndtri(p),
)
