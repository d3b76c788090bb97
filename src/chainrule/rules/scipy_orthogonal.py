"""``scipy.special``: orthogonal polynomials and Legendre functions.

In x the slope is a polynomial of one degree less. In the degree only Chebyshev's have a closed
form, cos(n t) and sin((n + 1) t) / sin t with x = cos t; in the parameters the others have a finite
sum where n is an integer.
"""

import numpy as np
from scipy import special

from chainrule.base.errors import NoRuleError
from chainrule.core.primitive import composite, elementwise
from chainrule.core.trace import plain, refuse
from chainrule.rules.scipy_parameters import PARAMETER

elementwise(
    special.eval_jacobi,
    n=PARAMETER,
    alpha=lambda n, alpha, beta, x, y: _jacobi_parameter(n, alpha, beta, x, y, 1),
    beta=lambda n, alpha, beta, x, y: _jacobi_parameter(n, alpha, beta, x, y, -1),
    x=lambda n, alpha, beta, x: _degree(
        n, (n + alpha + beta + 1) / 2, special.eval_jacobi, alpha + 1, beta + 1, x
    ),
)
elementwise(
    special.eval_legendre,
    n=PARAMETER,
    x=lambda n, x: _legendre_slope(n, x),
)
elementwise(
    special.eval_chebyt,
    n=lambda n, x: _chebyt_degree(n, x),
    x=lambda n, x: _degree(n, n, special.eval_chebyu, x),
)
elementwise(
    special.eval_chebyu,
    n=lambda n, x: _chebyu_degree(n, x),
    x=lambda n, x: _chebyu_slope(n, x),
)
elementwise(
    special.eval_gegenbauer,
    n=PARAMETER,
    alpha=lambda n, alpha, x, y: _gegenbauer_alpha(n, alpha, x, y),
    x=lambda n, alpha, x: _degree(n, 2 * alpha, special.eval_gegenbauer, alpha + 1, x),
)
elementwise(
    special.eval_laguerre,
    n=PARAMETER,
    x=lambda n, x: _degree(n, -1.0, special.eval_genlaguerre, 1.0, x),
)
elementwise(
    special.eval_genlaguerre,
    n=PARAMETER,
    alpha=lambda n, alpha, x: _genlaguerre_alpha(n, alpha, x),
    x=lambda n, alpha, x: _degree(n, -1.0, special.eval_genlaguerre, alpha + 1, x),
)
elementwise(
    special.eval_hermite, n=PARAMETER, x=lambda n, x: _degree(n, 2 * n, special.eval_hermite, x)
)
elementwise(
    special.eval_hermitenorm, n=PARAMETER, x=lambda n, x: _degree(n, n, special.eval_hermitenorm, x)
)

# shifted and scaled ones

elementwise(
    special.eval_chebyc,
    n=lambda n, x: 2 * _chebyt_degree(n, x / 2),
    x=lambda n, x: _degree(n, n, special.eval_chebys, x),
)
elementwise(
    special.eval_chebys,
    n=lambda n, x: _chebyu_degree(n, x / 2),
    x=lambda n, x: _chebyu_slope(n, x / 2) / 2,
)
elementwise(
    special.eval_sh_chebyt,
    n=lambda n, x: _chebyt_degree(n, 2 * x - 1),
    x=lambda n, x: _degree(n, 2 * n, special.eval_chebyu, 2 * x - 1),
)
elementwise(
    special.eval_sh_chebyu,
    n=lambda n, x: _chebyu_degree(n, 2 * x - 1),
    x=lambda n, x: 2 * _chebyu_slope(n, 2 * x - 1),
)
elementwise(
    special.eval_sh_legendre,
    n=PARAMETER,
    x=lambda n, x: 2 * _legendre_slope(n, 2 * x - 1),
)
elementwise(
    special.eval_sh_jacobi,
    n=PARAMETER,
    p=lambda n, p, q, x, y: _sh_jacobi_p(n, p, q, x, y),
    q=lambda n, p, q, x, y: _sh_jacobi_q(n, p, q, x, y),
    x=lambda n, p, q, x: _degree(n, n, special.eval_sh_jacobi, p + 2, q + 1, x),
)
elementwise(
    special.lpmv,
    m=PARAMETER,
    v=PARAMETER,
    x=lambda m, v, x, y: _lpmv_slope(m, v, x, y),
)


def _degree(n, factor, polynomial, *rest):
    """factor times the polynomial of degree n - 1, 0 for degree 0."""
    constant = np.equal(plain(n), 0)
    return np.where(constant, 0.0, factor) * polynomial(np.where(constant, 0, n - 1), *rest)


def _legendre_slope(n, x):
    """Of P_n, which is P_(-n-1) too."""
    n = np.where(np.less(plain(n), 0), -n - 1, n)
    return _degree(n, (n + 1) / 2, special.eval_jacobi, 1.0, 1.0, x)


def _chebyu_slope(n, x):
    """Of U_n, which is -U_(-n-2) too."""
    negative = np.less(plain(n), -1)
    n = np.where(negative, -n - 2, np.where(np.equal(plain(n), -1), 0, n))  # U_(-1) is 0
    slope = _degree(n, 2.0, special.eval_gegenbauer, 2.0, x)
    return np.where(negative, -slope, slope)


def _lpmv_slope(m, v, x, y):
    """(x^2 - 1) P' = v x P - (v + m) P_(v-1)."""
    below = np.where(v + m == 0, 0.0, (v + m) * special.lpmv(m, v - 1, x))
    return (v * x * y - below) / ((x - 1) * (x + 1))


# ---------------------------------------------------------------- slopes in the degree


def _chebyt_degree(n, x):
    """-t sin(n t), x = cos t; right of 1 t sinh(n t), x = cosh t; left of -1 there is none."""
    inside = np.abs(x) <= 1
    t, s = np.arccos(np.where(inside, x, 0.0)), np.arccosh(np.where(inside, 1.0, x))
    return np.where(inside, -t * np.sin(n * t), s * np.sinh(n * s))


def _chebyu_degree(n, x):
    """t cos((n + 1) t) / sin t."""
    inside = np.abs(x) <= 1
    t, s = np.arccos(np.where(inside, x, 0.0)), np.arccosh(np.where(x > 1, x, 1.5))
    right = np.where(x > 1, s * np.cosh((n + 1) * s) / np.sinh(s), np.nan)
    return np.where(inside, np.cos((n + 1) * t) / np.sinc(t / np.pi), right)


# ---------------------------------------------------------------- slopes in the parameters


def _integer_degree(n, name):
    """n as plain numbers; other degrees have no finite sum."""
    n = np.asarray(plain(n))
    if not np.all(n == np.round(n)):
        raise NoRuleError(
            f"{name} has no derivative with respect to a parameter where its degree is no integer",
            PARAMETER.remedy,
        )
    return n


def _finite_sum(n, term):
    """sum of term(k) over k < n, for arrays of degrees too."""
    total = 0.0
    for k in range(int(np.max(n, initial=0))):
        used = k < n
        total = total + np.where(used, term(k, np.where(used, n - k, 1)), 0.0)
    return total


def _genlaguerre_alpha(n, alpha, x):
    """sum_(k < n) L_k / (n - k)."""
    n = _integer_degree(n, "eval_genlaguerre")
    zero = 0.0 * (alpha + x)
    return zero + _finite_sum(n, lambda k, gap: special.eval_genlaguerre(k, alpha, x) / gap)


def _gegenbauer_alpha(n, alpha, x, y):
    """[Szmytkowski 2011, J. Phys. A 44, 395201]  sum_(k < n) of
    2 (1 + (-1)^(n-k)) (k + l) / ((k + n + 2 l)(n - k)) C_k
    + (2 (k + 1) / ((k + 2 l)(2 k + 2 l + 1)) + 2 / (k + n + 2 l)) C_n."""
    n = _integer_degree(n, "eval_gegenbauer")

    def term(k, gap):
        total = 2 * k + gap + 2 * alpha
        lower = 2 * (1 + (-1.0) ** gap) * (k + alpha) / (total * gap)
        upper = 2 * (k + 1) / ((k + 2 * alpha) * (2 * k + 2 * alpha + 1)) + 2 / total
        return lower * special.eval_gegenbauer(k, alpha, x) + upper * y

    return 0.0 * (alpha + x) + _finite_sum(n, term)


def _jacobi_parameter(n, a, b, x, y, sign):
    """In a (sign 1):  sum_(k < n) 1 / (a + b + n + k + 1) (P_n + (a + b + 2k + 1) / (n - k)
    (b + k + 1)_(n-k) / (a + b + k + 1)_(n-k) P_k);  in b (sign -1) with (a + k + 1)_(n-k) and the
    sign (-1)^(n-k).   [Froehlich 1994]"""
    n = _integer_degree(n, "eval_jacobi")
    other = b if sign > 0 else a

    def term(k, gap):
        total = a + b + k + 1
        ratio = special.poch(other + k + 1, gap) / special.poch(total, gap) * float(sign) ** gap
        below = (total + k) / gap * ratio * special.eval_jacobi(k, a, b, x)
        return (y + below) / (total + k + gap)

    return 0.0 * (a + b + x) + _finite_sum(n, term)


def _sh_jacobi_norm(n, p):
    """n! gamma(n + p) / gamma(2 n + p), and the slope of its logarithm."""
    size = special.gamma(n + 1.0) / special.poch(n + p, n)
    return size, special.psi(n + p) - special.psi(2 * n + p)


def _sh_jacobi_p(n, p, q, x, y):
    """G = c(p) P^(p-q, q-1)(2 x - 1)."""
    size, growth = _sh_jacobi_norm(n, p)
    return growth * y + size * _jacobi_parameter(n, p - q, q - 1, 2 * x - 1, y / size, 1)


def _sh_jacobi_q(n, p, q, x, y):
    size, _ = _sh_jacobi_norm(n, p)
    place = (n, p - q, q - 1, 2 * x - 1, y / size)
    return size * (_jacobi_parameter(*place, -1) - _jacobi_parameter(*place, 1))


# ---------------------------------------------------------------- refused

# SciPy's code of these has branches that read a parameter without using it (alpha == beta, an
# integer order), and would lose its derivative.


def _refused(function):
    @composite(function)
    def run(*args, **kwargs):
        raise refuse(
            NoRuleError(
                f"scipy.special.{function.__name__} has no derivative rule", PARAMETER.remedy
            )
        )


for _function in (
    special.jacobi,
    special.lmbda,
    special.roots_jacobi,
    special.roots_sh_jacobi,
    special.sh_jacobi,
):
    _refused(_function)
