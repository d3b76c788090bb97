"""``scipy.special``: hypergeometric functions, exponential and Fresnel integrals, Lambert's W,
and functions that come with their slope and solve a differential equation (Mathieu, parabolic)."""

import numpy as np
from scipy import special

from chainrule.core.primitive import composite, elementwise
from chainrule.core.trace import plain
from chainrule.rules.scipy_outputs import as_array, if_there, several
from chainrule.rules.scipy_parameters import PARAMETER

# ---------------------------------------------------------------- integrals

elementwise(special.expi, x=lambda x: np.exp(x) / x)
elementwise(special.exp1, x=lambda x: -np.exp(-x) / x)
elementwise(special.expn, n=PARAMETER, x=lambda n, x: _expn_slope(n, x))
elementwise(special.spence, z=lambda z: _spence_slope(z))
several(special.sici, x=lambda x: (np.sinc(x / np.pi), np.cos(x) / x))
several(special.shichi, x=lambda x: (_sinh_over(x), np.cosh(x) / x))
several(special.fresnel, z=lambda z: (np.sin(np.pi / 2 * z * z), np.cos(np.pi / 2 * z * z)))
_PLUS = 1j if special.modfresnelp(0.0)[0].imag > 0 else -1j  # SciPy 1.13 has the conjugate
several(special.modfresnelp, x=lambda x, y: _modified_fresnel(x, y, _PLUS))
several(special.modfresnelm, x=lambda x, y: _modified_fresnel(x, y, -1j))


def _expn_slope(n, x):
    """-E_(n-1), and of E_0 = e^-x / x."""
    zero = np.equal(n, 0)
    below = special.expn(np.where(zero, 1, np.asarray(plain(n)) - 1), x)
    return -np.where(zero, np.exp(-x) / x * (1 + 1 / x), below)


def _spence_slope(z):
    """log(z) / (1 - z), which is -1 at 1."""
    near = z == 1
    return np.where(near, -1.0, np.log(z) / np.where(near, 1.0, 1 - z))


def _sinh_over(x):
    """sinh(x) / x, and 1 at 0."""
    return np.where(x == 0, 1.0, np.sinh(x) / np.where(x == 0, 1.0, x))


def _modified_fresnel(x, y, i):
    """F = int_x^inf e^(i t^2) dt,   K = F e^(-i (x^2 + pi/4)) / sqrt(pi)."""
    return -np.exp(i * x * x), -2 * i * x * y[1] - np.exp(-i * np.pi / 4) / np.sqrt(np.pi)


# ---------------------------------------------------------------- hypergeometric

elementwise(
    special.hyp2f1,
    a=PARAMETER,
    b=PARAMETER,
    c=PARAMETER,
    z=lambda a, b, c, z: a * b / c * special.hyp2f1(a + 1, b + 1, c + 1, z),
)
elementwise(
    special.hyp1f1,
    a=PARAMETER,
    b=PARAMETER,
    x=lambda a, b, x: a / b * special.hyp1f1(a + 1, b + 1, x),
)
elementwise(special.hyp0f1, v=PARAMETER, z=lambda v, z: special.hyp0f1(v + 1, z) / v)
elementwise(
    special.hyperu, a=PARAMETER, b=PARAMETER, x=lambda a, b, x: -a * special.hyperu(a + 1, b + 1, x)
)
elementwise(
    special.wright_bessel,
    a=PARAMETER,
    b=PARAMETER,
    x=lambda a, b, x: special.wright_bessel(a, a + b, x),
)
if_there(
    "log_wright_bessel",
    a=PARAMETER,
    b=PARAMETER,
    x=lambda a, b, x, y: np.exp(special.log_wright_bessel(a, a + b, x) - y),
)

# ---------------------------------------------------------------- Lambert's W

elementwise(
    special._ufuncs._lambertw,
    name="lambertw",
    z=lambda y: np.exp(-y) / (1 + y),
    k=PARAMETER,
    tol=PARAMETER,
)
elementwise(special.wrightomega, z=lambda y: y / (1 + y))


@composite(special.lambertw)
def lambertw(z, k=0, tol=1e-8):
    return special._ufuncs._lambertw(as_array(z), np.asarray(plain(k), np.dtype("long")), tol)


# ---------------------------------------------------------------- with their slopes

several(special.pbdv, v=PARAMETER, x=lambda v, x, y: (y[1], (0.25 * x * x - v - 0.5) * y[0]))
several(special.pbvv, v=PARAMETER, x=lambda v, x, y: (y[1], (0.25 * x * x - v - 0.5) * y[0]))
several(special.pbwa, a=PARAMETER, x=lambda a, x, y: (y[1], (a - 0.25 * x * x) * y[0]))

DEGREE = float(np.pi / 180.0)


def _angular_mathieu(value):
    """y'' = (2 q cos 2t - a) y, t in degrees and y' in radians."""

    def slopes(m, q, x, y):
        growth = 2 * q * np.cos(2 * DEGREE * x) - value(m, q)
        return DEGREE * y[1], DEGREE * growth * y[0]

    return slopes


def _radial_mathieu(value):
    """y'' = (a - 2 q cosh 2t) y."""
    return lambda m, q, x, y: (y[1], (value(m, q) - 2 * q * np.cosh(2 * x)) * y[0])


_A, _B = special.mathieu_a, special.mathieu_b
several(special.mathieu_cem, m=PARAMETER, q=PARAMETER, x=_angular_mathieu(_A))
several(special.mathieu_sem, m=PARAMETER, q=PARAMETER, x=_angular_mathieu(_B))
several(special.mathieu_modcem1, m=PARAMETER, q=PARAMETER, x=_radial_mathieu(_A))
several(special.mathieu_modcem2, m=PARAMETER, q=PARAMETER, x=_radial_mathieu(_A))
several(special.mathieu_modsem1, m=PARAMETER, q=PARAMETER, x=_radial_mathieu(_B))
several(special.mathieu_modsem2, m=PARAMETER, q=PARAMETER, x=_radial_mathieu(_B))
