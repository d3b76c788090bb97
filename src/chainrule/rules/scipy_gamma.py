"""``scipy.special``: gamma, beta, zeta, polygamma, factorials and binomials."""

from math import factorial as factorial_of

import numpy as np
from scipy import special

from chainrule.base.errors import NoRuleError
from chainrule.core.primitive import (
    Elementwise,
    apply,
    composite,
    elementwise,
    piecewise_constant,
)
from chainrule.core.trace import plain
from chainrule.rules.scipy_outputs import as_array, if_there
from chainrule.rules.scipy_parameters import PARAMETER, POLYGAMMA, horner, pick, psi_step

_zeta, _riemann_zeta = special._ufuncs._zeta, special._ufuncs._riemann_zeta
LOG_2PI = float(np.log(2 * np.pi))


# ---------------------------------------------------------------- gamma

elementwise(special.gammaln, x=lambda x: special.psi(x))
elementwise(special.loggamma, x=lambda x: special.psi(x))
elementwise(special.gamma, x=lambda x, y: y * special.psi(x))
elementwise(special.rgamma, x=lambda x, y: _rgamma_slope(x, y))
elementwise(special.psi, x=lambda x: _trigamma(x))
if_there("_lgam1p", x=lambda x: special.psi(1 + x))
piecewise_constant(special.gammasgn)

_BERNOULLI = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6]


def _trigamma(x):
    if x.dtype.kind != "c":
        return _zeta(2.0, x)
    left = np.real(x) < 0.5
    z = np.where(left, 1 - x, x)
    right = _trigamma_right(z)
    safe = np.where(left, x, 0.5)
    return np.where(left, (np.pi / np.sin(np.pi * safe)) ** 2 - right, right)


def _trigamma_right(z):
    """16 steps of psi'(z) = psi'(z + 1) + 1 / z^2, then the asymptotic series."""
    steps = sum(1 / ((z + j) * (z + j)) for j in range(16))
    far = 1 / (z + 16)
    return steps + far * (1 + far / 2 + far * far * horner(far * far, _BERNOULLI))


def _rgamma_slope(x, y):
    """-y psi(x); left of 1/2 by reflection, which is smooth at the poles of gamma:
    1/gamma(x) = sin(pi x) gamma(1 - x) / pi."""
    if np.iscomplexobj(x):
        return -y * special.psi(x)
    left = x < 0.5

    def reflected():
        mirror = np.where(left, 1 - x, 1.0)
        angle = np.pi * (mirror - 2 * np.floor(mirror / 2))
        slope = np.sin(angle) * special.psi(mirror) / np.pi + np.cos(angle)
        return -special.gamma(mirror) * slope

    return pick(left, reflected, lambda: -y * special.psi(np.where(left, 1.0, x)), x, y)


@composite(special.polygamma)
def polygamma(n, x):
    return apply(POLYGAMMA, n, as_array(x))


def _multigammaln_slope(a, d):
    return sum(special.psi(a - 0.5 * j) for j in range(int(plain(d))))


MULTIGAMMALN = Elementwise(
    "multigammaln", special.multigammaln, {"a": _multigammaln_slope, "d": PARAMETER}
)


@composite(special.multigammaln)
def multigammaln(a, d):
    return apply(MULTIGAMMALN, as_array(a), plain(d))


# ---------------------------------------------------------------- beta, binomials, factorials

elementwise(
    special.beta, a=lambda a, b, y: -y * psi_step(a, b), b=lambda a, b, y: -y * psi_step(b, a)
)
elementwise(special.betaln, a=lambda a, b: -psi_step(a, b), b=lambda a, b: -psi_step(b, a))
elementwise(
    special.binom,
    n=lambda n, k, y: _at_zeros(y, psi_step(n - k + 1, k), _binom_zero, n, k, 0),
    k=lambda n, k, y: _at_zeros(y, psi_step(k + 1, n - 2 * k), _binom_zero, n, k, 1),
)
elementwise(
    special.poch,
    z=lambda z, m, y: _at_zeros(y, psi_step(z, m), _poch_zero, z, m),
    m=lambda z, m, y: y * special.psi(z + m),
)
if_there("_factorial", x=lambda x, y: y * special.psi(x + 1))


def _at_zeros(y, step, at_zero, *operands):
    """y times a step of psi; at a zero of y, a pole of psi, the slope of the reciprocal gamma."""
    return pick(y == 0, lambda: at_zero(*operands), lambda: y * step, y, *operands)


def _binom_zero(n, k, slot):
    """Of gamma(n + 1) / (gamma(k + 1) gamma(n - k + 1)) where the quotient is 0."""
    p, q = k + 1, n - k + 1
    p_inverse, q_inverse = special.rgamma(p), special.rgamma(q)
    by_q = p_inverse * _rgamma_slope(q, q_inverse)
    by_p = q_inverse * _rgamma_slope(p, p_inverse)
    return special.gamma(n + 1) * (by_p - by_q if slot else by_q)


def _poch_zero(z, m):
    """Of gamma(z + m) / gamma(z) where gamma(z) has a pole."""
    return special.gamma(z + m) * _rgamma_slope(z, special.rgamma(z))


@composite(special.comb)
def comb(N, k, *, exact=False, repetition=False):
    if exact:
        return special.comb(plain(N), plain(k), exact=True, repetition=repetition)
    N, k = as_array(N), as_array(k)
    if repetition:
        none = (plain(k) == 0) & (plain(N) >= 0)
        return np.where(none, 1.0, special.binom(N + k - 1, k))
    return _where_possible(N, k, special.binom(N, k))


@composite(special.perm)
def perm(N, k, exact=False):
    if exact:
        return special.perm(plain(N), plain(k), exact=True)
    N, k = as_array(N), as_array(k)
    return _where_possible(N, k, special.poch(N - k + 1, k))


def _where_possible(N, k, count):
    n, k = plain(N), plain(k)
    return np.where((k <= n) & (n >= 0) & (k >= 0), count, 0.0)


FACTORIAL = Elementwise(
    "factorial",
    special.factorial,
    {"n": lambda n, y: y * special.psi(np.where(y == 0, 0.0, n) + 1)},
)


@composite(special.factorial)
def factorial(n, exact=False, **extend):  # a parameter since SciPy 1.15
    if exact:
        special.factorial(plain(n), exact=True, **extend)  # integers only: SciPy says so
    if extend.get("extend") == "complex":
        return special.gamma(as_array(n) + 1)
    return apply(FACTORIAL, as_array(n), **extend)


def _factorial2(n):
    return special.factorial2(n, extend="complex")


def _factorialk(n, k):
    return special.factorialk(n, k, extend="complex")


FACTORIAL2 = Elementwise(
    "factorial2",
    _factorial2,
    {"n": lambda n, y: y * (np.log(2.0) + special.psi(n / 2 + 1)) / 2},
)
FACTORIALK = Elementwise(
    "factorialk",
    _factorialk,
    {"n": lambda n, k, y: y * (np.log(k) + special.psi(n / k + 1)) / k, "k": PARAMETER},
)


@composite(special.factorial2)
def factorial2(n, exact=False, **extend):
    if exact or extend != {"extend": "complex"}:  # integers only: SciPy says so
        return special.factorial2(plain(n), exact=exact, **extend)
    return apply(FACTORIAL2, as_array(n))


@composite(special.factorialk)
def factorialk(n, k, exact=False, **extend):
    if exact or extend != {"extend": "complex"}:
        return special.factorialk(plain(n), plain(k), exact=exact, **extend)
    return apply(FACTORIALK, as_array(n), k)


# ---------------------------------------------------------------- zeta

elementwise(
    _zeta, x=lambda x, q: _zeta_slope(x, q), q=lambda x, q: -x * _zeta(x + 1, q)
)  # fmt: skip
elementwise(_riemann_zeta, x=lambda x: _riemann_slope(x))
elementwise(special.zetac, x=lambda x: _riemann_slope(x))

# B_2j / (2j)! of the Euler-Maclaurin formula
_MACLAURIN = [b / factorial_of(2 * j + 2) for j, b in enumerate(_BERNOULLI)]
_STEPS = 16


@composite(special.zeta)
def zeta(x, q=None, out=None):
    return _riemann_zeta(as_array(x)) if q is None else _zeta(x, q)


def _zeta_slope(s, q):
    """d/ds of the Euler-Maclaurin formula: with A = q + 16,
    sum_(n < 16) (q + n)^-s + A^(1-s) / (s - 1) + A^-s / 2 + sum_j c_j (s)_(2j-1) A^(1-s-2j)."""
    total = 0.0
    for n in range(_STEPS):
        total = total - np.log(q + n) * np.power(q + n, -s)
    A = q + _STEPS
    log_A, power = np.log(A), np.power(A, -s)
    lead = np.power(A, 1 - s)  # not A power, which has fewer digits where it underflows
    total = total - lead * (log_A / (s - 1) + 1 / ((s - 1) * (s - 1))) - 0.5 * log_A * power
    rising, rising_slope, power = s, 1.0, power / A
    for j, c in enumerate(_MACLAURIN):
        total = total + c * power * (rising_slope - log_A * rising)
        for i in (2 * j + 1, 2 * j + 2):
            rising, rising_slope = rising * (s + i), rising_slope * (s + i) + rising
        power = power / (A * A)
    return total


def _riemann_slope(x):
    """Left of -1/2 by zeta(x) = 2 (2 pi)^(x-1) gamma(1 - x) zeta(1 - x) sin(pi x / 2)."""
    if x.dtype.kind == "c":
        raise NoRuleError("scipy.special.zeta has no derivative rule at complex arguments")
    left = x < -0.5

    def reflected():
        m = np.where(left, 1 - x, 2.0)  # > 1
        size = 2 * np.exp(special.gammaln(m) - m * LOG_2PI) * _zeta(m, 1.0)
        angle = np.pi / 2 * (m - 4 * np.floor(m / 4))  # sin(pi x / 2) = cos(angle)
        growth = LOG_2PI - special.psi(m) - _zeta_slope(m, 1.0) / _zeta(m, 1.0)
        return size * (np.pi / 2 * np.sin(angle) + np.cos(angle) * growth)

    return pick(left, reflected, lambda: _zeta_slope(np.where(left, 2.0, x), 1.0), x)
