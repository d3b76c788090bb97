"""``scipy.special``: the partials of its ufuncs, one line each, in forms that keep their digits.

A slope is often a difference of two nearly equal values, or a product of a huge and a tiny one; the
helpers of these files are the forms without that, so that relative errors stay near rounding at
extreme arguments too. Slots without a formula (the order of a Bessel function) are ``Unknown``:
tracing them is an error. Functions of SciPy that are no ufuncs are reached by lifting
(``FUNCTIONS``). This file has the elementary functions, and imports the other families; importing
it imports SciPy: ``scipy_lazy`` does it when it is needed.
"""

from math import factorial

import numpy as np
from scipy import special

from chainrule.core.primitive import (
    Elementwise,
    apply,
    composite,
    elementwise,
    existing,
)
from chainrule.core.products import is_surely_finite
from chainrule.core.trace import plain
from chainrule.rules import (  # noqa: F401
    scipy_bessel,
    scipy_distributions,
    scipy_elliptic,
    scipy_error,
    scipy_gamma,
    scipy_hypergeometric,
    scipy_logsumexp,
    scipy_noncentral,
    scipy_orthogonal,
)
from chainrule.rules.elementwise import power_base
from chainrule.rules.scipy_outputs import as_array, if_there
from chainrule.rules.scipy_parameters import PARAMETER, horner, log1p_gap, pick

LN2 = float(np.log(2.0))
LN10 = float(np.log(10.0))
DEGREE = float(np.pi / 180.0)

# ---------------------------------------------------------------- exponentials and logarithms

elementwise(special.log1p, name="special.log1p", x=lambda x: 1 / (1 + x))
elementwise(special.expm1, name="special.expm1", x=lambda x: np.exp(x))
elementwise(special.exp2, name="special.exp2", x=lambda y: LN2 * y)
elementwise(special.exp10, x=lambda y: LN10 * y)
elementwise(special.cbrt, name="special.cbrt", x=lambda y: 1 / (3 * y * y))
elementwise(special.exprel, x=lambda x: _exprel_slope(x))
elementwise(special.cosm1, x=lambda x: -np.sin(x))
elementwise(
    special.powm1,
    a=lambda a, b: power_base(a, b),
    b=lambda a, b: special.xlogy(np.power(a, b), a),
)
if_there("_log1pmx", x=lambda x: -x / (1 + x))
if_there("_log1mexp", x=lambda x: -1 / np.expm1(-x))
if_there("_cospi", x=lambda x: -np.pi * special._ufuncs._sinpi(x))
if_there("_sinpi", x=lambda x: np.pi * special._ufuncs._cospi(x))

# ---------------------------------------------------------------- transformations of Box and Cox

elementwise(
    special.boxcox, x=lambda x, p: np.power(x, p - 1), p=lambda x, p: boxcox_slope(np.log(x), p)
)
elementwise(
    special.boxcox1p,
    x=lambda x, p: np.exp((p - 1) * np.log1p(x)),
    p=lambda x, p: boxcox_slope(np.log1p(x), p),
)
elementwise(
    special.inv_boxcox, x=lambda p, y: y ** (1 - p), p=lambda x, p, y: -y * _log_power_slope(x, p)
)
elementwise(
    special.inv_boxcox1p,
    x=lambda p, y: (1 + y) ** (1 - p),
    p=lambda x, p, y: -(1 + y) * _log_power_slope(x, p),
)
elementwise(
    special.tklmbda,
    x=lambda x, lmbda, y: _tukey_density(y, special.tklmbda(-x, lmbda), lmbda),
    lmbda=lambda x, lmbda, y: _tukey_shape(y, special.tklmbda(-x, lmbda), lmbda),
)

_EXPREL = [(k + 1) / factorial(k + 2) for k in range(16)]


def _exprel_slope(x):
    """((x - 1) e^x + 1) / x^2, by its series near 0."""
    small = np.abs(x) < 0.5

    def apart():
        far = np.where(small, 1.0, x)
        return (np.exp(far) - special.exprel(far)) / far

    return pick(small, lambda: horner(np.where(small, x, 0.0), _EXPREL), apart, x)


def boxcox_slope(log_x, p):
    """d/dp (e^(p l) - 1) / p = l^2 exprel'(p l)."""
    return log_x * log_x * _exprel_slope(p * log_x)


def _log_power_slope(x, p):
    """-d/dp log(1 + p x) / p."""
    return x * x * log1p_gap(p * x)


def _tukey_density(p, q, shape):
    """x = (p^l - q^l) / l, q = 1 - p:   dp/dx = 1 / (p^(l-1) + q^(l-1)), 0 off the support."""
    inside = (p > 0) & (q > 0)
    p, q = np.where(inside, p, 0.5), np.where(inside, q, 0.5)
    return np.where(inside, 1 / (np.power(p, shape - 1) + np.power(q, shape - 1)), 0.0)


def _tukey_shape(p, q, shape):
    inside = (p > 0) & (q > 0)
    log_p, log_q = np.log(np.where(inside, p, 0.5)), np.log(np.where(inside, q, 0.5))
    slope = boxcox_slope(log_p, shape) - boxcox_slope(log_q, shape)
    return -slope * _tukey_density(p, q, shape)


# ---------------------------------------------------------------- logistic, entropies, losses

elementwise(special.expit, x=lambda x, y: _expit_slope(x, y))
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


def _expit_slope(x, y):
    """y (1 - y), and y^2 e^-x where y is near 1 and the difference would have no digits."""
    near = np.greater(y, 0.9)
    slope = y * (1 - y)
    if not near.any():
        return slope
    if type(slope) is np.ndarray:
        slope[near] = y[near] ** 2 * np.exp(-x[near])
        return slope
    return np.where(near, y * y * np.exp(-np.where(near, x, 0.0)), slope)


def _over(x, y):
    """x / y, and 0 at 0/0: 0 log y is the constant 0."""
    quotient = x / y
    if type(quotient) is np.ndarray and is_surely_finite(quotient):
        return quotient
    return x / np.where((x == 0) & (y == 0), 1.0, y)


def _log_ratio(x, y):
    """log(x / y), also where x is near y, and where the quotient overflows."""
    near = np.abs(x - y) < 0.5 * y
    return np.where(near, np.log1p(np.where(near, x - y, 0.0) / y), np.log(x) - np.log(y))


def _pseudo_huber_delta(delta, r):
    """delta (2 (h - 1) - u^2 / h) = delta u^4 / (h (1 + h)^2), u = r / delta, h = sqrt(1 + u^2)."""
    u = r / delta
    h = np.hypot(1.0, u)
    return delta * (u * u / (1 + h)) ** 2 / h


@composite(*existing("softplus", special))
def softplus(x):
    return np.logaddexp(0.0, as_array(x))


# ---------------------------------------------------------------- degrees

elementwise(special.sindg, x=lambda x: DEGREE * special.cosdg(x))
elementwise(special.cosdg, x=lambda x: -DEGREE * special.sindg(x))
elementwise(special.tandg, x=lambda x: DEGREE / special.cosdg(x) ** 2)
elementwise(special.cotdg, x=lambda x: -DEGREE / special.sindg(x) ** 2)
elementwise(special.radian, d=DEGREE, m=DEGREE / 60, s=DEGREE / 3600)


@composite(special.diric)
def diric(x, n):
    return apply(DIRIC, as_array(x), n)


def _diric_slope(x, n):
    """D(x) = sum_j cos(c_j x) / n with c_j = j - (n - 1) / 2, j < n: no division by sin(x / 2)."""
    count = np.max(plain(n), initial=1)
    j = np.arange(int(count) // 2)  # the positive c_j are (n - 1) / 2 - j
    c = (np.asarray(plain(n), float)[..., None] - 1) / 2 - j
    c = np.where(c > 0, c, 0.0)
    return -2 / np.asarray(plain(n), float) * np.sum(c * np.sin(c * x[..., None]), axis=-1)


DIRIC = Elementwise("diric", special.diric, {"x": _diric_slope, "n": PARAMETER})
