"""Slopes of the incomplete gamma and beta functions in their parameters, by quadrature.

They have no closed form. With p the density, d^k/da^k p = p f_k(log t), a polynomial, so that

    d^k/da^k P(a, x) = int_0^x p f_k dt = -int_x^inf p f_k dt,

and the side of the centre on which x lies is integrated, where f_1 keeps its sign: no
cancellation, and far tails keep their digits. In the logarithm of t the integrand is entire (gamma)
or analytic in a strip (beta), which Gauss-Legendre rules of 40 nodes integrate to rounding.
"""

from math import comb

import numpy as np
from scipy import special

from chainrule.core.primitive import Elementwise, Unknown, apply, elementwise
from chainrule.core.trace import Tracer

PARAMETER = Unknown(
    "The slope in a parameter has no closed form: treat it as constant, chainrule.constant(v), "
    "or take numbers for this function, chainrule.numerical(f)."
)
NODES, WEIGHTS = np.polynomial.legendre.leggauss(40)
NODES, WEIGHTS = (NODES + 1) / 2, WEIGHTS / 2  # on [0, 1]
DROP = 40.0  # an integral ends where the density has fallen by e^-40
_zeta = special._ufuncs._zeta  # special.zeta(x, q) is a Python function around it


def horner(x, coefficients):
    """sum of c_k x^k, lowest first."""
    total = coefficients[-1]
    for c in coefficients[-2::-1]:
        total = total * x + c
    return total


def above(x, bound):
    """x where it is greater than ``bound``, else the bound: the argument of an expansion."""
    return np.where(x > bound, x, bound)


def pick(condition, inside, outside, *operands):
    """np.where(condition, inside(), outside()), without the one that no element takes.

    Where a program is recorded it has both: it is to hold at other points too.
    """
    if not any(isinstance(x, Tracer) for x in operands):
        count = np.count_nonzero(condition)
        if count == 0:
            return outside()
        if count == np.size(condition):
            return inside()
    return np.where(condition, inside(), outside())


_LOG1P_GAP = [(-1) ** k * (1 - 1 / (k + 2)) for k in range(18)]


def log1p_gap(u):
    """(log(1 + u) - u / (1 + u)) / u^2, 1/2 at 0."""
    small = np.abs(u) < 0.1

    def apart():
        far = np.where(small, 1.0, u)
        return (np.log1p(far) - far / (1 + far)) / (far * far)

    return pick(small, lambda: horner(np.where(small, u, 0.0), _LOG1P_GAP), apart, u)


# ---------------------------------------------------------------- polygamma functions

POLYGAMMA = Elementwise(
    "polygamma",
    special.polygamma,
    {"n": PARAMETER, "x": lambda n, x: apply(POLYGAMMA, n + 1, x)},
)

_PSI = [1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12]  # B_2k / 2k
_SHIFT = 16


def _psi_difference(a, b):
    """psi(a + b) - psi(a), by terms where it is small beside them (for a > 0, a + b > 0)."""
    with np.errstate(all="ignore"):
        here, there = special.psi(a), special.psi(a + b)
        step = there - here
        size = np.maximum(np.maximum(np.abs(here), np.abs(there)), 1.0)  # psi is right to eps size
        near = ~((a > 0) & (a + b > 0) & (np.abs(step) >= 0.25 * size))
        if not near.any():
            return step
        if step.ndim == 0:
            return _psi_difference_by_steps(a, b)
        a, b = np.broadcast_arrays(a, b)
        step[near] = _psi_difference_by_steps(a[near], b[near])
        return step


def _psi_difference_by_steps(a, b):
    """16 steps of psi(x + 1) = psi(x) + 1/x, then the difference of the asymptotic series by terms.

    For integer b left of 0 by psi(1 - x) = psi(x) + pi cot(pi x), whose cotangents are equal.
    """
    left = (a < 1) & (a + b < 1) & (b == np.round(b))
    a, b = np.where(left, 1 - a, a), np.where(left, -b, b)
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
    return np.where(ok, near, special.psi(a + b) - special.psi(a))[()]


PSI_STEP = elementwise(
    _psi_difference,
    name="psi_step",
    a=lambda a, b: _zeta(2.0, a + b) - _zeta(2.0, a),
    b=lambda a, b: _zeta(2.0, a + b),
)


def psi_step(a, b):
    """psi(a + b) - psi(a)."""
    return apply(PSI_STEP, a, b)


def _log_less_psi(a):
    """log(a) - psi(a + 1) for large a, by the asymptotic series."""
    return horner(1 / (a * a), _PSI) / (a * a) - 0.5 / a


# ---------------------------------------------------------------- densities

_STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188]  # of log gamma, in 1/a^(2k-1)


def _stirling(a):
    """log gamma(a) less its leading terms, (a - 1/2) log a - a + log(2 pi) / 2, for large a."""
    return horner(1 / (a * a), _STIRLING) / a


def gamma_density(a, x):
    """x^(a-1) e^-x / gamma(a); for large a centred at a, with the big terms cancelled by hand."""

    def direct():
        return np.exp(special.xlogy(a - 1, x) - x - special.gammaln(a))

    def centred():
        big = above(a, 25.0)
        away = (x - big) / big
        height = np.sqrt(big / (2 * np.pi)) / np.where(x == 0, 1.0, x)
        return height * np.exp(big * (np.log1p(away) - away) - _stirling(big))

    return pick(a > 25, centred, direct, a, x)


def log_beta(a, b):
    """log beta(a, b); where the greater argument is large, by the difference of two Stirling
    series: SciPy's loses the digits of log gamma of it."""

    def far():
        small, large = np.minimum(a, b), above(np.maximum(a, b), 25.0)
        total = small + large
        step = (large - 0.5) * np.log1p(small / large) + small * (np.log(total) - 1)
        return special.gammaln(small) - step - _stirling(total) + _stirling(large)

    return pick(np.maximum(a, b) > 25, far, lambda: special.betaln(a, b), a, b)


def beta_weight(a, b, x, y):
    """x^a y^b / beta(a, b) with y = 1 - x; for large a and b centred at x = a / (a + b)."""
    inside = (x > 0) & (y > 0)

    def direct():
        return np.exp(special.xlogy(a, x) + special.xlogy(b, y) - log_beta(a, b))

    def centred():
        p, q = above(a, 25.0), above(b, 25.0)
        n = p + q
        away = np.where(inside, np.where(x < 0.5, x - p / n, q / n - y), 0.0)
        power = p * np.log1p(away * n / p) + q * np.log1p(-away * n / q)
        rest = _stirling(n) - _stirling(p) - _stirling(q)
        return np.sqrt(p * q / n / (2 * np.pi)) * np.exp(power + rest)

    return pick((a > 25) & (b > 25) & inside, centred, direct, a, b, x, y)


def beta_density(a, b, x):
    """x^(a-1) (1-x)^(b-1) / beta(a, b), also at 0 and 1."""
    inside = (x > 1e-80) & (x < 1)  # below, x^a may underflow where x^(a-1) does not

    def between():
        safe = np.where(inside, x, 0.5)
        return beta_weight(a, b, safe, 1 - safe) / safe / (1 - safe)

    def edge():
        return np.exp(special.xlogy(a - 1, x) + special.xlog1py(b - 1, -x) - log_beta(a, b))

    return pick(inside, between, edge, a, b, x)


# ---------------------------------------------------------------- d^k/da^k P(a, x)


def _gamma_powers(k, log_t, a):
    """f_k, f_(k-1) of q(a) = t^a e^-t / gamma(a + 1): d^k/da^k q = q f_k, the complete Bell
    polynomials of the derivatives of log q."""
    f = [1.0]
    for m in range(k):
        terms = [comb(m, j) * -apply(POLYGAMMA, j, a + 1) * f[m - j] for j in range(1, m + 1)]
        f.append(sum(terms, log_t * f[m]))
    return f[k], f[k - 1]


def _gamma_slope(a, x, k):
    """d^k/da^k p(a, x) with p = a q / x, so that a -> 0 is no special case."""
    f, g = _gamma_powers(k, np.log(x) - special.psi(a + 1), a)
    return gamma_density(a + 1, x) / x * (a * f + k * g)


def at_masks(masks, functions, *operands):
    """Each function at the elements of its mask; the masks cover all elements that are not NaN."""
    out = np.full(operands[0].shape, np.nan)
    for mask, function in zip(masks, functions):
        if mask.any():
            out[mask] = function(*[v[mask] for v in operands])
    return out


def in_double(function, operands, *orders):
    """Evaluate in float64 on broadcast operands, in the dtype of the operands."""
    dtype = np.result_type(*operands)
    wide = np.broadcast_arrays(*[np.asarray(v, float) for v in operands])
    with np.errstate(all="ignore"):
        y = function(*wide, *orders)
    return y.astype(dtype if dtype.kind == "f" else float)[()]


def _gamma_order(a, x, k):
    return in_double(_gamma_order_double, (a, x), k)


def _gamma_order_double(a, x, k):
    valid = (a >= 0) & (x > 0) & (x < np.inf)
    masks = valid & (x <= 1), valid & (x > 1), (a >= 0) & ((x == 0) | (x == np.inf))
    functions = (
        lambda a, x: _gamma_order_series(a, x, k),
        lambda a, x: _gamma_order_integral(a, x, k),
        lambda a, x: 0.0,
    )
    return at_masks(masks, functions, a, x)


def _gamma_order_series(a, x, k):
    """P = sum_n q(a + n, x) for x <= 1, term by term."""
    weight = np.exp(special.xlogy(a, x) - x - special.gammaln(a + 1))
    total, log_x = 0.0, np.log(x)
    for n in range(20):
        c = a + n
        total = total + weight * _gamma_powers(k, log_x - special.psi(c + 1), c)[0]
        weight = weight * x / (c + 1)
    return total


def _gamma_order_integral(a, x, k):
    """With t = x e^s; s runs to where p has fallen by e^-40: x (e^s - 1) - a s = 40."""
    big = above(a, 25.0)
    log_t = np.where(
        a > 25, np.log1p((x - big) / big) + _log_less_psi(big), np.log(x) - special.psi(a + 1)
    )
    side = np.where(x < a, -1.0, 1.0)
    end = np.where(side < 0, (DROP + x) / a, 1 + np.log1p(DROP / x) + np.sqrt(2 * DROP / x))
    for _ in range(60):  # Newton's method on a convex function, from beyond the root
        growth = np.exp(side * end)
        step = (x * (growth - 1) - side * a * end - DROP) / (side * (x * growth - a))
        end = end - step
        if np.all(np.abs(step) <= 0.01 * end):
            break
    total = 0.0
    for node, weight in zip(NODES, WEIGHTS):
        s = side * end * node
        f, g = _gamma_powers(k, log_t + s, a)
        total = total + weight * np.exp(a * s - x * np.expm1(s)) * (a * f + k * g)
    return -side * gamma_density(a + 1, x) * end * total


GAMMA_ORDER = elementwise(
    _gamma_order,
    name="gammainc_order",
    a=lambda a, x, k: apply(GAMMA_ORDER, a, x, k + 1),
    x=_gamma_slope,
    k=PARAMETER,
)


def gammainc_order(a, x):
    """d/da of the regularised lower incomplete gamma function P(a, x)."""
    return apply(GAMMA_ORDER, a, x, 1)


# ---------------------------------------------------------------- d^j/da^j d^k/db^k I_x(a, b)


def _beta_powers(j, k, log_t, log_u, a, b, first=0):
    """f_jk of t^a u^b / beta(a, b): its derivatives, divided by it.

    ``log_t`` and ``log_u`` are the first derivatives of its logarithm; ``first`` is added to a in
    gamma(a), which makes it a beta(a, b) instead of beta(a, b).
    """

    def cumulant(i, m):
        if i + m == 1:
            return log_t if i else log_u
        c = apply(POLYGAMMA, i + m - 1, a + b)
        if not m:
            c = c - apply(POLYGAMMA, i - 1, a + first)
        return c if i else c - apply(POLYGAMMA, m - 1, b)

    f = {(0, 0): 1.0}
    for m in range(1, k + 1):
        f[0, m] = sum(comb(m - 1, i) * cumulant(0, i + 1) * f[0, m - 1 - i] for i in range(m))
    for i in range(1, j + 1):
        for m in range(k + 1):
            f[i, m] = sum(
                comb(i - 1, p) * comb(m, r) * cumulant(p + 1, r) * f[i - 1 - p, m - r]
                for p in range(i)
                for r in range(m + 1)
            )
    return f[j, k]


def _beta_slope(a, b, x, y, j, k):
    log_x, log_y = _logs(x, y)
    f = _beta_powers(j, k, log_x + psi_step(a, b), log_y + psi_step(b, a), a, b)
    return beta_weight(a, b, x, y) / x / y * f


def _logs(x, y):
    """log(x) and log(y) by the smaller one, which has more digits; x + y = 1."""
    left = x < 0.5
    s, t = np.where(left, x, 0.5), np.where(left, 0.5, y)
    return np.where(left, np.log(s), np.log1p(-t)), np.where(left, np.log1p(-s), np.log(t))


def _beta_order(a, b, x, y, j, k):
    return in_double(_beta_order_double, (a, b, x, y), j, k)


def _beta_order_double(a, b, x, y, j, k):
    inside = (a > 0) & (b > 0) & (x > 0) & (y > 0)
    left = x * b <= a * y
    edges = (a > 0) & (b > 0) & ((x == 0) | (y == 0))
    functions = (
        lambda a, b, x, y: _beta_order_below(a, b, x, y, j, k),
        lambda a, b, x, y: -_beta_order_below(b, a, y, x, k, j),
        lambda a, b, x, y: 0.0,
    )
    return at_masks((inside & left, inside & ~left, edges), functions, a, b, x, y)


def _beta_order_below(a, b, x, y, j, k):
    """For x below the mean, with t / (1 - t) = x / y e^-s.

    For a < 1 the mass lies at 0: I_x(a, b) = I_x(a + 1, b) + x^a y^b / (a beta(a, b)).
    """
    weight_x = beta_weight(a, b, x, y)
    log_x, log_y = _logs(x, y)
    log_t, log_u = log_x + psi_step(a + 1, b - 1), log_y + psi_step(b, a)
    first = weight_x / a * _beta_powers(j, k, log_t, log_u, a, b, first=1)
    small = a < 1
    weight_x = np.where(small, x * weight_x * (a + b) / a, weight_x)
    a = np.where(small, a + 1, a)
    log_t, log_u = log_x + psi_step(a, b), log_y + psi_step(b, a)
    total = 0.0
    for start, length, sign in _beta_panels(a, b, x, y, log_x - log_y, log_y):
        top = np.log1p(length)
        for node, weight in zip(NODES, WEIGHTS):
            v = top * node
            s = start + sign * np.expm1(v)
            fall = x * np.expm1(-s)  # (1 - t) / y = 1 + fall
            r = np.where(fall > -0.5, np.log1p(np.maximum(fall, -0.9)), np.log(y + x * np.exp(-s)))
            f = _beta_powers(j, k, log_t - s - r, log_u - r, a, b)
            total = total + weight * top * np.exp(v - a * s - (a + b) * r) * f
    return np.where(small, first, 0.0) + weight_x * total


def _beta_panels(a, b, x, y, logit, log_y):
    """(start, length, sign) of the panels s = start + sign (e^v - 1), v from 0 to log(1 + length).

    They run away from s = logit(x), that is t = 1/2, near which the poles +- i pi lie, to 0 and to
    where the density has fallen by e^-40: a s + (a + b) log(y + x e^-s) = 40.
    """
    end = (DROP - (a + b) * log_y) / a
    for _ in range(100):  # Newton's method on a convex function, from beyond the root
        decay = x * np.exp(-end)
        rest = y + decay
        step = (a * end + (a + b) * np.log(rest) - DROP) / (a - (a + b) * decay / rest)
        end = end - step
        if np.all(np.abs(step) <= 0.01 * end):
            break
    middle = np.clip(logit, 0.0, end)
    panels = [(middle, end - middle, 1.0)]
    return [*panels, (middle, middle, -1.0)] if np.any(middle) else panels


BETA_ORDER = elementwise(
    _beta_order,
    name="betainc_order",
    a=lambda a, b, x, y_, j, k: apply(BETA_ORDER, a, b, x, y_, j + 1, k),
    b=lambda a, b, x, y_, j, k: apply(BETA_ORDER, a, b, x, y_, j, k + 1),
    x=lambda a, b, x, y_, j, k: _beta_slope(a, b, x, y_, j, k),
    y_=None,  # it is 1 - x, with its own digits
    j=PARAMETER,
    k=PARAMETER,
)


def betainc_a(a, b, x, y):
    """d/da of the regularised incomplete beta function I_x(a, b), y = 1 - x."""
    return apply(BETA_ORDER, a, b, x, y, 1, 0)


def betainc_b(a, b, x, y):
    """d/db of I_x(a, b), y = 1 - x."""
    return apply(BETA_ORDER, a, b, x, y, 0, 1)
