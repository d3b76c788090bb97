"""``scipy.special``: the partials of its ufuncs, one line each, in forms that keep their digits.

A slope is often a difference of two nearly equal values, or a product of a huge and a tiny one; the
helpers below are the forms without that, so that relative errors stay near rounding at extreme
arguments too. Slots without a formula (the order of a Bessel function) are ``Unknown``: tracing
them is an error. Functions of SciPy that are no ufuncs are reached by lifting (``FUNCTIONS``).
Importing this module imports SciPy: ``scipy_lazy`` does it when it is needed.
"""

from math import factorial

import numpy as np
from scipy import special

from chainrule.base.errors import NoRuleError
from chainrule.core.array import as_operand
from chainrule.core.primitive import (
    Elementwise,
    Unknown,
    apply,
    composite,
    elementwise,
    existing,
    general,
)
from chainrule.core.trace import is_traced, plain

ORDER = Unknown(
    "The slope in a parameter has no closed form: treat it as constant, chainrule.constant(v)."
)
LN2 = float(np.log(2.0))
LN10 = float(np.log(10.0))
DEGREE = float(np.pi / 180.0)
SQRT_PI = float(np.sqrt(np.pi))
SQRT_2PI = float(np.sqrt(2.0 * np.pi))
SQRT_2 = float(np.sqrt(2.0))
TWO_OVER_SQRT_PI = 2.0 / SQRT_PI
_zeta = special._ufuncs._zeta  # special.zeta(x, q) is a Python function around it


def _horner(x, coefficients):
    """sum of c_k x^k, lowest first."""
    total = coefficients[-1]
    for c in coefficients[-2::-1]:
        total = total * x + c
    return total


def _above(x, bound):
    """x where it is greater than ``bound``, else the bound: the argument of an expansion."""
    return np.where(x > bound, x, bound)


# ---------------------------------------------------------------- exponentials and logarithms

elementwise(special.log1p, name="special.log1p", x=lambda x: 1 / (1 + x))
elementwise(special.expm1, name="special.expm1", x=lambda x: np.exp(x))
elementwise(special.exp2, name="special.exp2", x=lambda y: LN2 * y)
elementwise(special.exp10, x=lambda y: LN10 * y)
elementwise(special.cbrt, name="special.cbrt", x=lambda y: 1 / (3 * y * y))
elementwise(special.exprel, x=lambda x: _exprel_slope(x))
elementwise(special.cosm1, x=lambda x: -np.sin(x))
elementwise(
    special.powm1, a=lambda a, b: b * np.power(a, b - 1), b=lambda a, y: (y + 1) * np.log(a)
)
elementwise(
    special.boxcox, x=lambda x, p: np.power(x, p - 1), p=lambda x, p: _boxcox_slope(np.log(x), p)
)
elementwise(
    special.boxcox1p,
    x=lambda x, p: np.exp((p - 1) * np.log1p(x)),
    p=lambda x, p: _boxcox_slope(np.log1p(x), p),
)
elementwise(special.inv_boxcox, x=lambda p, y: y ** (1 - p), p=ORDER)
elementwise(special.inv_boxcox1p, x=lambda p, y: (1 + y) ** (1 - p), p=ORDER)
elementwise(special.expit, x=lambda x, y: y * special.expit(-x))
elementwise(special.log_expit, x=lambda x: special.expit(-x))
elementwise(special.logit, x=lambda x: 1 / (x * (1 - x)))
elementwise(special.xlogy, x=lambda y_: np.log(y_), y_=lambda x, y_: _over(x, y_))
elementwise(special.xlog1py, x=lambda y_: np.log1p(y_), y_=lambda x, y_: _over(x, 1 + y_))
elementwise(special.entr, x=lambda x: -np.log(x) - 1)
elementwise(special.rel_entr, x=lambda x, y_: _log_ratio(x, y_) + 1, y_=lambda x, y_: -_over(x, y_))
elementwise(special.kl_div, x=lambda x, y_: _log_ratio(x, y_), y_=lambda x, y_: (y_ - x) / y_)
elementwise(
    special.huber,
    delta=lambda delta, r: np.where(np.abs(r) <= delta, 0.0, np.abs(r) - delta),
    r=lambda delta, r: np.where(np.abs(r) <= delta, r, delta * np.sign(r)),
)
elementwise(
    special.pseudo_huber,
    delta=lambda delta, r: _pseudo_huber_delta(delta, r),
    r=lambda delta, r: r / np.hypot(1.0, r / delta),
)
elementwise(special.sindg, x=lambda x: DEGREE * special.cosdg(x))
elementwise(special.cosdg, x=lambda x: -DEGREE * special.sindg(x))
elementwise(special.tandg, x=lambda y: DEGREE * (1 + y * y))


def _over(x, y):
    """x / y, and 0 at 0/0: 0 log y is the constant 0."""
    return x / np.where((x == 0) & (y == 0), 1.0, y)


def _log_ratio(x, y):
    """log(x / y), also where x is near y, and where the quotient overflows."""
    near = np.abs(x - y) < 0.5 * y
    return np.where(near, np.log1p(np.where(near, x - y, 0.0) / y), np.log(x) - np.log(y))


_EXPREL = [(k + 1) / factorial(k + 2) for k in range(16)]


def _exprel_slope(x):
    """((x - 1) e^x + 1) / x^2, by its series near 0."""
    small = np.abs(x) < 0.5
    series = _horner(np.where(small, x, 0.0), _EXPREL)
    far = np.where(small, 1.0, x)
    return np.where(small, series, (np.exp(far) - special.exprel(far)) / far)


def _boxcox_slope(log_x, p):
    """d/dp (e^(p l) - 1) / p = l^2 exprel'(p l)."""
    return log_x * log_x * _exprel_slope(p * log_x)


def _pseudo_huber_delta(delta, r):
    """delta (2 (h - 1) - u^2 / h) = delta u^4 / (h (1 + h)^2), u = r / delta, h = sqrt(1 + u^2)."""
    u = r / delta
    h = np.hypot(1.0, u)
    return delta * (u * u / (1 + h)) ** 2 / h


# ---------------------------------------------------------------- the normal distribution

elementwise(special.erf, x=lambda x: TWO_OVER_SQRT_PI * np.exp(-x * x))
elementwise(special.erfc, x=lambda x: -TWO_OVER_SQRT_PI * np.exp(-x * x))
elementwise(special.erfcx, x=lambda x, y: _erfcx_slope(x, y))
elementwise(special.erfi, x=lambda x: TWO_OVER_SQRT_PI * np.exp(x * x))
elementwise(special.dawsn, x=lambda x, y: _dawsn_slope(x, y))
elementwise(special.wofz, z=lambda z, y: 1j * TWO_OVER_SQRT_PI - 2 * z * y)
elementwise(special.erfinv, x=lambda y: SQRT_PI / 2 * np.exp(y * y))
elementwise(special.erfcinv, x=lambda y: -SQRT_PI / 2 * np.exp(y * y))
elementwise(special.ndtr, x=lambda x: np.exp(-0.5 * x * x) / SQRT_2PI)
elementwise(special.log_ndtr, x=lambda x: _mills(x))
elementwise(special.ndtri, x=lambda y: SQRT_2PI * np.exp(0.5 * y * y))
elementwise(special.ndtri_exp, x=lambda y: 1 / _mills(y))

# U(1, 1/2, z) ~ (1/z) sum_k (3/2)_k (-1/z)^k, to rounding for z > 100
_TAIL = [float(np.prod(-1.5 - np.arange(k))) for k in range(14)]


def _erfcx_slope(x, y):
    """2 x y - 2/sqrt(pi), whose terms cancel for large x: there -U(1, 1/2, x^2) / sqrt(pi)."""
    if x.dtype.kind == "c":
        return 2 * x * y - TWO_OVER_SQRT_PI
    far = 1 / _above(x, 10.0) ** 2
    tail = -far * _horner(far, _TAIL) / SQRT_PI
    return np.where(x > 10, tail, 2 * x * y - TWO_OVER_SQRT_PI)


def _dawsn_slope(x, y):
    """1 - 2 x y, and its expansion for large |x|."""
    if x.dtype.kind == "c":
        return 1 - 2 * x * y
    far = 1 / _above(np.abs(x), 10.0) ** 2
    tail = -0.5 * far * _horner(-far, _TAIL)
    return np.where(np.abs(x) > 10, tail, 1 - 2 * x * y)


def _mills(x):
    """pdf(x) / cdf(x) of the normal distribution, by erfcx: no cancellation in the lower tail."""
    return SQRT_2 / SQRT_PI / special.erfcx(x / -SQRT_2)


# ---------------------------------------------------------------- gamma and beta

elementwise(special.gammaln, x=lambda x: special.psi(x))
elementwise(special.loggamma, x=lambda x: special.psi(x))
elementwise(special.gamma, x=lambda x, y: y * special.psi(x))
elementwise(special.rgamma, x=lambda x, y: _rgamma_slope(x, y))
elementwise(special.psi, x=lambda x: _trigamma(x))
elementwise(_zeta, x=ORDER, q=lambda x, q: -x * _zeta(x + 1, q))
elementwise(
    special.beta, a=lambda a, b, y: -y * psi_step(a, b), b=lambda a, b, y: -y * psi_step(b, a)
)
elementwise(special.betaln, a=lambda a, b: -psi_step(a, b), b=lambda a, b: -psi_step(b, a))
elementwise(
    special.binom,
    n=lambda n, k, y: y * psi_step(n - k + 1, k),
    k=lambda n, k, y: y * psi_step(k + 1, n - 2 * k),
)
elementwise(
    special.poch, z=lambda z, m, y: y * psi_step(z, m), m=lambda z, m, y: y * special.psi(z + m)
)
elementwise(special.gammainc, a=ORDER, x=lambda a, x: _gamma_density(a, x))
elementwise(special.gammaincc, a=ORDER, x=lambda a, x: -_gamma_density(a, x))
elementwise(special.gammaincinv, a=ORDER, p=lambda a, y: 1 / _gamma_density(a, y))
elementwise(special.gammainccinv, a=ORDER, p=lambda a, y: -1 / _gamma_density(a, y))
elementwise(special.betainc, a=ORDER, b=ORDER, x=lambda a, b, x: _beta_density(a, b, x))
elementwise(special.betaincc, a=ORDER, b=ORDER, x=lambda a, b, x: -_beta_density(a, b, x))
elementwise(special.betaincinv, a=ORDER, b=ORDER, p=lambda a, b, y: 1 / _beta_density(a, b, y))
elementwise(special.betainccinv, a=ORDER, b=ORDER, p=lambda a, b, y: -1 / _beta_density(a, b, y))

_PSI = [1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12]  # B_2k / 2k
_STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188]  # of log gamma, in 1/a^(2k-1)
_SHIFT = 16


def _trigamma(x):
    if x.dtype.kind == "c":
        raise NoRuleError(
            "scipy.special.psi has no derivative rule at complex arguments",
            "SciPy has no complex trigamma function.",
        )
    return _zeta(2.0, x)


def _rgamma_slope(x, y):
    """-y psi(x); left of 1/2 by reflection, which is smooth at the poles of gamma:
    1/gamma(x) = sin(pi x) gamma(1 - x) / pi."""
    if x.dtype.kind == "c":
        return -y * special.psi(x)
    left = x < 0.5
    right, mirror = np.where(left, 1.0, x), np.where(left, 1 - x, 1.0)
    angle = np.pi * (mirror - 2 * np.floor(mirror / 2))
    reflected = np.sin(angle) * special.psi(mirror) / np.pi + np.cos(angle)
    return np.where(left, -special.gamma(mirror) * reflected, -y * special.psi(right))


def _psi_difference(a, b):
    """psi(a + b) - psi(a) without cancellation for a > 0, a + b > 0.

    16 steps of psi(x + 1) = psi(x) + 1/x, then the difference of the asymptotic series by terms.
    """
    with np.errstate(all="ignore"):
        ok = (a > 0) & (a + b > 0)
        a0, b0 = np.where(ok, a, 1.0), np.where(ok, b, 0.0)
        steps = sum(b0 / ((a0 + j) * (a0 + b0 + j)) for j in range(_SHIFT))
        p = a0 + _SHIFT
        q = p + b0
        u, v = 1 / (p * p), 1 / (q * q)
        slope = b0 * (p + q) * u * v  # u - v
        series, power, difference = 0.0, 1.0, 1.0
        for c in _PSI:  # difference = (u^k - v^k) / (u - v)
            series = series + c * difference
            power = power * v
            difference = difference * u + power
        near = steps + np.log1p(b0 / p) + b0 / (2 * p * q) + slope * series
        return np.where(ok, near, special.psi(a + b) - special.psi(a))


PSI_STEP = elementwise(
    _psi_difference,
    name="psi_step",
    a=lambda a, b: _zeta(2.0, a + b) - _zeta(2.0, a),
    b=lambda a, b: _zeta(2.0, a + b),
)


def psi_step(a, b):
    return apply(PSI_STEP, a, b)


def _stirling(a):
    """log gamma(a) less its leading terms, (a - 1/2) log a - a + log(2 pi) / 2, for large a."""
    return _horner(1 / (a * a), _STIRLING) / a


def _gamma_density(a, x):
    """x^(a-1) e^-x / gamma(a); for large a centred at a, with the big terms cancelled by hand."""
    direct = np.exp(special.xlogy(a - 1, x) - x - special.gammaln(a))
    big = _above(a, 25.0)
    away = (x - big) / big
    safe = np.where(x == 0, 1.0, x)
    centred = (
        np.sqrt(big / (2 * np.pi)) / safe * np.exp(big * (np.log1p(away) - away) - _stirling(big))
    )
    return np.where(a > 25, centred, direct)


def _beta_density(a, b, x):
    """x^(a-1) (1-x)^(b-1) / beta(a, b); for large a and b centred at a / (a + b)."""
    direct = np.exp(special.xlogy(a - 1, x) + special.xlog1py(b - 1, -x) - special.betaln(a, b))
    p, q = _above(a, 25.0), _above(b, 25.0)
    n = p + q
    away = x - p / n
    inside = (x > 0) & (x < 1)
    away, safe = np.where(inside, away, 0.0), np.where(inside, x, 0.5)
    power = p * np.log1p(away * n / p) + q * np.log1p(-away * n / q)
    rest = _stirling(n) - _stirling(p) - _stirling(q)
    centred = np.sqrt(p * q / n / (2 * np.pi)) / (safe * (1 - safe)) * np.exp(power + rest)
    return np.where((a > 25) & (b > 25) & inside, centred, direct)


# ---------------------------------------------------------------- distributions

elementwise(special.chdtr, v=ORDER, x=lambda v, x: 0.5 * _gamma_density(v / 2, x / 2))
elementwise(special.chdtrc, v=ORDER, x=lambda v, x: -0.5 * _gamma_density(v / 2, x / 2))
elementwise(special.chdtri, v=ORDER, p=lambda v, y: -2 / _gamma_density(v / 2, y / 2))
elementwise(
    special.gdtr,
    a=lambda a, b, x: x * _gamma_density(b, a * x),
    b=ORDER,
    x=lambda a, b, x: a * _gamma_density(b, a * x),
)
elementwise(
    special.gdtrc,
    a=lambda a, b, x: -x * _gamma_density(b, a * x),
    b=ORDER,
    x=lambda a, b, x: -a * _gamma_density(b, a * x),
)
elementwise(special.pdtr, k=ORDER, m=lambda k, m: -_gamma_density(np.floor(k) + 1, m))
elementwise(special.pdtrc, k=ORDER, m=lambda k, m: _gamma_density(np.floor(k) + 1, m))
elementwise(special.stdtr, df=ORDER, t=lambda df, t: _student_density(df, t))
elementwise(special.stdtrit, df=ORDER, p=lambda df, y: 1 / _student_density(df, y))


def _student_density(df, t):
    """(1 + t^2/n)^(-(n+1)/2) / (sqrt(n) beta(1/2, n/2))."""
    power = -0.5 * (df + 1) * np.log1p(t * t / df)
    return np.exp(power - special.betaln(0.5, df / 2)) / np.sqrt(df)


# ---------------------------------------------------------------- Bessel functions

elementwise(special.j0, x=lambda x: -special.j1(x))
elementwise(special.j1, x=lambda x: 0.5 * (special.j0(x) - special.jv(2.0, x)))
elementwise(special.y0, x=lambda x: -special.y1(x))
elementwise(special.y1, x=lambda x, y: special.y0(x) - y / x)
elementwise(special.i0, name="special.i0", x=lambda x: special.i1(x))
elementwise(special.i1, x=lambda x: 0.5 * (special.i0(x) + special.iv(2.0, x)))
elementwise(special.i0e, x=lambda x, y: -np.sign(x) * _i_gap(np.abs(x)))
elementwise(special.i1e, x=lambda x, y: _i1e_slope(x, y))
elementwise(special.k0, x=lambda x: -special.k1(x))
elementwise(special.k1, x=lambda x, y: -special.k0(x) - y / x)
elementwise(special.k0e, x=lambda x: -_k_gap(x))
elementwise(special.k1e, x=lambda x, y: _k_gap(x) - y / x)
elementwise(special.jv, v=ORDER, z=lambda v, z: 0.5 * (special.jv(v - 1, z) - special.jv(v + 1, z)))
elementwise(special.yv, v=ORDER, z=lambda v, z: 0.5 * (special.yv(v - 1, z) - special.yv(v + 1, z)))
elementwise(special.iv, v=ORDER, z=lambda v, z: 0.5 * (special.iv(v - 1, z) + special.iv(v + 1, z)))
elementwise(
    special.kv, v=ORDER, z=lambda v, z: -0.5 * (special.kv(v - 1, z) + special.kv(v + 1, z))
)
elementwise(
    special.yn, n=ORDER, x=lambda n, x: 0.5 * (special.yv(n - 1.0, x) - special.yv(n + 1.0, x))
)
elementwise(
    special.kn, n=ORDER, x=lambda n, x: -0.5 * (special.kv(n - 1.0, x) + special.kv(n + 1.0, x))
)
elementwise(
    special.hankel1,
    v=ORDER,
    z=lambda v, z: 0.5 * (special.hankel1(v - 1, z) - special.hankel1(v + 1, z)),
)
elementwise(
    special.hankel2,
    v=ORDER,
    z=lambda v, z: 0.5 * (special.hankel2(v - 1, z) - special.hankel2(v + 1, z)),
)


def _hankel_gaps(count=20):
    """a_k(1) - a_k(0) of Hankel's expansions,
    a_k(v) = prod_(j <= k) (4 v^2 - (2 j - 1)^2) / (k! 8^k)."""
    odd = 2.0 * np.arange(1, count) - 1
    k = np.arange(1, count)
    terms = [np.cumprod((4.0 * v - odd**2) / (8.0 * k)) for v in (1, 0)]
    return [float(c) for c in terms[0] - terms[1]]


_GAPS = _hankel_gaps()


def _i_gap(x):
    """i0e - i1e for x >= 0, by the differences of their expansions for large x."""
    far = _above(x, 30.0)
    tail = _horner(-1 / far, _GAPS) / (far * np.sqrt(2 * np.pi * far))
    return np.where(x > 30, tail, special.i0e(x) - special.i1e(x))


def _k_gap(x):
    """k1e - k0e, likewise."""
    far = _above(x, 30.0)
    tail = _horner(1 / far, _GAPS) / (far * np.sqrt(2 * far / np.pi))
    return np.where(x > 30, tail, special.k1e(x) - special.k0e(x))


def _i1e_slope(x, y):
    """(i0e - i1e) - i1e / |x|, and near 0 by i0e + i2e: the quotient is 1/2 there."""
    size = np.abs(x)
    near = size < 1
    apart = np.where(near, 1.0, size)
    inner = 0.5 * (special.i0e(x) + special.ive(2.0, x)) - np.abs(y)
    return np.where(near, inner, _i_gap(size) - np.abs(y) / apart)


elementwise(special.ive, v=ORDER, z=lambda v, z: _ive_slope(v, z))
elementwise(
    special.kve,
    v=ORDER,
    z=lambda v, z, y: _real_only(z) * y - 0.5 * (special.kve(v - 1, z) + special.kve(v + 1, z)),
)


def _ive_slope(v, z):
    """I_v' e^-|z| - sign(z) ive."""
    _real_only(z)
    return 0.5 * (special.ive(v - 1, z) + special.ive(v + 1, z)) - np.sign(z) * special.ive(v, z)


def _real_only(z):
    if z.dtype.kind == "c":
        raise NoRuleError(
            "exponentially scaled Bessel functions have no derivative rule at complex arguments",
            "Use the unscaled function, or a real argument.",
        )
    return 1.0


# ---------------------------------------------------------------- integrals, hypergeometric

elementwise(special.expi, x=lambda x: np.exp(x) / x)
elementwise(special.exp1, x=lambda x: -np.exp(-x) / x)
elementwise(special.expn, n=ORDER, x=lambda n, x: -special.expn(n - 1, x))
elementwise(special.spence, z=lambda z: _spence_slope(z))
elementwise(special.ellipk, m=lambda m, y: _ellipk_slope(m, y))
elementwise(special.ellipe, m=lambda m: _ellipe_slope(m))
elementwise(
    special.hyp2f1,
    a=ORDER,
    b=ORDER,
    c=ORDER,
    z=lambda a, b, c, z: a * b / c * special.hyp2f1(a + 1, b + 1, c + 1, z),
)
elementwise(
    special.hyp1f1, a=ORDER, b=ORDER, x=lambda a, b, x: a / b * special.hyp1f1(a + 1, b + 1, x)
)
elementwise(special.hyp0f1, v=ORDER, z=lambda v, z: special.hyp0f1(v + 1, z) / v)
elementwise(
    special.hyperu, a=ORDER, b=ORDER, x=lambda a, b, x: -a * special.hyperu(a + 1, b + 1, x)
)


def _spence_slope(z):
    """log(z) / (1 - z), which is -1 at 1."""
    near = z == 1
    return np.where(near, -1.0, np.log(z) / np.where(near, 1.0, 1 - z))


def _ellipk_slope(m, y):
    """(E - (1 - m) K) / (2 m (1 - m)), by the hypergeometric series near 0."""
    near = np.abs(m) < 0.1
    small, far = np.where(near, m, 0.0), np.where(near, 0.5, m)
    series = np.pi / 8 * special.hyp2f1(1.5, 1.5, 2.0, small)
    direct = (special.ellipe(far) - (1 - far) * special.ellipk(far)) / (2 * far * (1 - far))
    return np.where(near, series, direct)


def _ellipe_slope(m):
    """(E - K) / (2 m), by the hypergeometric series near 0."""
    near = np.abs(m) < 0.1
    small, far = np.where(near, m, 0.0), np.where(near, 0.5, m)
    series = -np.pi / 8 * special.hyp2f1(0.5, 1.5, 2.0, small)
    return np.where(near, series, (special.ellipe(far) - special.ellipk(far)) / (2 * far))


elementwise(
    special._ufuncs._lambertw, name="lambertw", z=lambda y: np.exp(-y) / (1 + y), k=ORDER, tol=ORDER
)
elementwise(special.wrightomega, z=lambda y: y / (1 + y))


@general(special.sici, multiple=True)
def sici(g, _y, x):
    """Si' = sin x / x,   Ci' = cos x / x."""
    return _sum_of(g, np.sinc(x / np.pi), np.cos(x) / x)


@general(special.fresnel, multiple=True)
def fresnel(g, _y, z):
    """S' = sin(pi z^2 / 2),   C' = cos(pi z^2 / 2)."""
    angle = np.pi / 2 * z * z
    return _sum_of(g, np.sin(angle), np.cos(angle))


@general(special.airy, multiple=True)
def airy(g, y, z):
    """Ai'' = z Ai,   Bi'' = z Bi."""
    ai, ai_slope, bi, bi_slope = y
    return _sum_of(g, ai_slope, z * ai, bi_slope, z * bi)


def _sum_of(gs, *slopes):
    terms = [
        g * np.conj(s) if s.dtype.kind == "c" else g * s
        for g, s in zip(gs, slopes)
        if g is not None
    ]
    return sum(terms[1:], terms[0])


# ---------------------------------------------------------------- orthogonal polynomials

elementwise(
    special.eval_jacobi,
    n=ORDER,
    alpha=ORDER,
    beta=ORDER,
    x=lambda n, alpha, beta, x: _degree(
        n, (n + alpha + beta + 1) / 2, special.eval_jacobi, alpha + 1, beta + 1, x
    ),
)
elementwise(
    special.eval_legendre,
    n=ORDER,
    x=lambda n, x: _degree(n, (n + 1) / 2, special.eval_jacobi, 1.0, 1.0, x),
)
elementwise(special.eval_chebyt, n=ORDER, x=lambda n, x: _degree(n, n, special.eval_chebyu, x))
elementwise(
    special.eval_chebyu, n=ORDER, x=lambda n, x: _degree(n, 2.0, special.eval_gegenbauer, 2.0, x)
)
elementwise(
    special.eval_gegenbauer,
    n=ORDER,
    alpha=ORDER,
    x=lambda n, alpha, x: _degree(n, 2 * alpha, special.eval_gegenbauer, alpha + 1, x),
)
elementwise(
    special.eval_laguerre,
    n=ORDER,
    x=lambda n, x: _degree(n, -1.0, special.eval_genlaguerre, 1.0, x),
)
elementwise(
    special.eval_genlaguerre,
    n=ORDER,
    alpha=ORDER,
    x=lambda n, alpha, x: _degree(n, -1.0, special.eval_genlaguerre, alpha + 1, x),
)
elementwise(
    special.eval_hermite, n=ORDER, x=lambda n, x: _degree(n, 2 * n, special.eval_hermite, x)
)
elementwise(
    special.eval_hermitenorm, n=ORDER, x=lambda n, x: _degree(n, n, special.eval_hermitenorm, x)
)


def _degree(n, factor, polynomial, *rest):
    """factor times the polynomial of degree n - 1, 0 for degree 0."""
    n = np.asarray(n)
    return np.where(n == 0, 0.0, factor) * polynomial(np.where(n == 0, 0, n - 1), *rest)


# ---------------------------------------------------------------- functions that are no ufuncs


def _array(x):
    return x if hasattr(x, "ndim") else as_operand(x)


def _next_polygamma(n, x):
    return apply(POLYGAMMA, n + 1, x)


POLYGAMMA = Elementwise("polygamma", special.polygamma, {"n": ORDER, "x": _next_polygamma})


@composite(special.polygamma)
def polygamma(n, x):
    return apply(POLYGAMMA, n, _array(x))


@composite(special.zeta)
def zeta(x, q=None, out=None):
    if q is None and is_traced(x):
        raise NoRuleError("scipy.special.zeta of one argument has no derivative rule", ORDER.remedy)
    return _zeta(x, q)


def _shifted(a, axis):
    """a less its maximum (a constant: the result does not depend on it). Where the maximum is
    infinite: 0 where it is reached, -inf elsewhere, so that infinities share equally."""
    real = np.real(plain(a))
    top = np.max(real, axis=axis, keepdims=True)
    finite = np.isfinite(top)
    z = a - np.where(finite, top, 0.0).astype(real.dtype)
    if finite.all():
        return z
    return np.where(finite, z, np.where(real == top, 0.0, -np.inf).astype(real.dtype))


def _kept(g, axis, keepdims, ndim):
    axes = tuple(range(ndim)) if axis is None else axis
    return g if keepdims or not ndim else np.expand_dims(g, axes)


def log_sum_exp(a, b=None, *, axis=None, keepdims=False):
    """log |sum b e^a|, NaN where the sum is negative and its sign is not asked for."""
    return special.logsumexp(a, axis=axis, b=b, keepdims=keepdims)


def log_size_sum_exp(a, b, *, axis=None, keepdims=False):
    return special.logsumexp(a, axis=axis, b=b, keepdims=keepdims, return_sign=True)[0]


@general(log_sum_exp, name="logsumexp")
def logsumexp_plain(g, _y, a, *, axis=None, keepdims=False):
    """a_bar = g softmax(a)."""
    e = np.exp(_shifted(a, axis))
    share = e / np.sum(e, axis=axis, keepdims=True)
    return _kept(g, axis, keepdims, a.ndim) * (np.conj(share) if a.dtype.kind == "c" else share)


def _weighted(g, _y, a, b, *, axis=None, keepdims=False):
    """y = log |s|, s = sum b e^a:   a_bar = g b e^a / s,   b_bar = g e^a / s."""
    e = np.exp(_shifted(a + 0.0 * plain(b), axis))
    each = e / np.sum(b * e, axis=axis, keepdims=True)
    g = _kept(g, axis, keepdims, max(a.ndim, b.ndim))
    return lambda: g * (b * each), lambda: g * each


logsumexp_weighted = general(log_sum_exp, name="logsumexp_weighted")(_weighted)
logsumexp_signed = general(log_size_sum_exp, name="logsumexp_signed")(_weighted)


@composite(special.logsumexp)
def logsumexp(a, axis=None, b=None, keepdims=False, return_sign=False):
    a = _array(a)
    b = b if b is None else _array(b)
    if "c" in a.dtype.kind + ("" if b is None else b.dtype.kind) and (b is not None or return_sign):
        raise NoRuleError(
            "scipy.special.logsumexp of complex numbers with b= or return_sign= has no rule",
            "Write np.log(np.sum(b * np.exp(a))).",
        )
    if b is None:
        y = apply(logsumexp_plain, a, axis=axis, keepdims=keepdims)
    else:
        primitive = logsumexp_signed if return_sign else logsumexp_weighted
        y = apply(primitive, a, b, axis=axis, keepdims=keepdims)
    if not return_sign:
        return y
    _, sign = special.logsumexp(
        plain(a), axis=axis, b=plain(b), keepdims=keepdims, return_sign=True
    )
    return y, sign


@composite(special.lambertw)
def lambertw(z, k=0, tol=1e-8):
    return special._ufuncs._lambertw(_array(z), np.asarray(plain(k), np.dtype("long")), tol)


@composite(special.softmax)
def softmax(x, axis=None):
    x = _array(x)
    e = np.exp(x - np.max(plain(x), axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


@composite(special.log_softmax)
def log_softmax(x, axis=None):
    x = _array(x)
    top = np.max(plain(x), axis=axis, keepdims=True)
    z = x - np.where(np.isfinite(top), top, 0.0).astype(top.dtype)
    return z - np.log(np.sum(np.exp(z), axis=axis, keepdims=True))


@composite(*existing("softplus", special))
def softplus(x):
    return np.logaddexp(0.0, _array(x))
