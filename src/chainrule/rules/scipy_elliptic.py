"""``scipy.special``: elliptic integrals and functions, the arithmetic-geometric mean.

Slopes are Carlson's integrals of positive integrands [DLMF 19.18, 19.25], where Legendre's formulas
cancel near m = 0 or 1.
"""

import numpy as np
from scipy import special

from chainrule.core.primitive import elementwise
from chainrule.core.trace import plain
from chainrule.rules.scipy_outputs import several
from chainrule.rules.scipy_parameters import horner, pick

LOG_4 = float(np.log(4.0))
_R_D = special.elliprd

# ---------------------------------------------------------------- Legendre's integrals

elementwise(special.ellipk, m=lambda m, y: _ellipk_slope(m, 1 - m, y))
elementwise(special.ellipkm1, p=lambda p, y: -_ellipk_slope(1 - p, p, y))
elementwise(special.ellipe, m=lambda m, y: _ellipe_slope(m, y))
elementwise(
    special.ellipkinc,
    phi=lambda phi, m: 1 / np.sqrt(1 - m * np.sin(phi) ** 2),
    m=lambda phi, m: _ellipkinc_m(phi, m),
)
elementwise(
    special.ellipeinc,
    phi=lambda phi, m: np.sqrt(1 - m * np.sin(phi) ** 2),
    m=lambda phi, m: _ellipeinc_m(phi, m),
)
elementwise(
    special.agm, a=lambda a, b, y: _agm_slope(a, b, y), b=lambda a, b, y: _agm_slope(b, a, y)
)


def _series(a, b, count=16):
    """Coefficients of (pi / 8) F(a, b; 2; m)."""
    k = np.arange(count - 1)
    return [
        float(c) for c in np.pi / 8 * np.cumprod([1.0, *((a + k) * (b + k) / (2 + k) / (k + 1))])
    ]


_ELLIPK, _ELLIPE = _series(1.5, 1.5), _series(0.5, 1.5)


def _ellipk_slope(m, p, y):
    """(E - p K) / (2 m p), p = 1 - m, and near m = 0, where the terms cancel, its series."""
    near = np.abs(m) < 0.1

    def direct():
        return (special.ellipe(m) - p * y) / (2 * np.where(near, 0.1, m) * p)

    return pick(near, lambda: horner(np.where(near, m, 0.0), _ELLIPK), direct, m, y)


def _ellipe_slope(m, y):
    """(E - K) / (2 m), likewise."""
    near = np.abs(m) < 0.1

    def direct():
        return (y - special.ellipk(m)) / (2 * np.where(near, 0.1, m))

    return pick(near, lambda: -horner(np.where(near, m, 0.0), _ELLIPE), direct, m, y)


def _ellipkinc_m(phi, m):
    """sin^3 R_D(cos^2, 1, 1 - m sin^2) / 6 for |phi| <= pi / 2, and a K' for each half turn."""
    turns = np.round(plain(phi) / np.pi)
    s, c = np.sin(phi - turns * np.pi), np.cos(phi - turns * np.pi)
    inside = np.where(turns == 0, 0.0, m)
    part = s * s * s * _R_D(c * c, 1.0, 1 - m * s * s) / 6

    def with_turns():
        return part + 2 * turns * _ellipk_slope(inside, 1 - inside, special.ellipk(inside))

    return pick(turns == 0, lambda: part, with_turns, phi, m)


def _ellipeinc_m(phi, m):
    """-sin^3 R_D(cos^2, 1 - m sin^2, 1) / 6, likewise."""
    turns = np.round(plain(phi) / np.pi)
    s, c = np.sin(phi - turns * np.pi), np.cos(phi - turns * np.pi)
    inside = np.where(turns == 0, 0.0, m)
    part = s * s * s * _R_D(c * c, 1 - m * s * s, 1.0) / -6

    def with_turns():
        return part + 2 * turns * _ellipe_slope(inside, special.ellipe(inside))

    return pick(turns == 0, lambda: part, with_turns, phi, m)


def _agm_slope(a, b, y):
    """M(a, b) = pi / (2 R_F(0, a^2, b^2)):   dM/da = (M / a)^2 2 R_D(0, (b / a)^2, 1) / (3 pi).

    Where one argument is far greater, M = pi/2 max / L with L = log(4 max / min).
    """
    ratio = b / a
    size = np.abs(plain(ratio))
    small, large = size < 1e-8, size > 1e8
    far = small | large
    near = np.where(far, 1.0, ratio)
    between = np.where(far, 0.0, y / a) ** 2 * _R_D(0.0, near * near, 1.0) * (2 / (3 * np.pi))
    length = LOG_4 + np.abs(np.log(np.abs(a)) - np.log(np.abs(b)))
    of_less, of_more = ratio / (length * length), (length - 1) / (length * length)
    return np.where(far, np.pi / 2 * np.where(large, of_less, of_more), between)


def _jacobi_in_m(m, y):
    """u = F(phi, m) is constant: dphi/dm = -F_m dn, and the functions are sin, cos and
    sqrt(1 - m sin^2) of phi."""
    sn, cn, dn, phi = y
    by_m = _ellipkinc_m(phi, m)
    turn = -by_m * dn
    return cn * turn, -sn * turn, m * sn * cn * by_m - sn * sn / (2 * dn), turn


several(
    special.ellipj,
    u=lambda m, y: (y[1] * y[2], -y[0] * y[2], -m * y[0] * y[1], y[2]),
    m=_jacobi_in_m,
)

# ---------------------------------------------------------------- Carlson's integrals

elementwise(
    special.elliprc,
    x=lambda x, y_, y: _rc_x(x, y_, y),
    y_=lambda x, y_, y: _rc_y(x, y_, y),
)
elementwise(
    special.elliprf,
    x=lambda x, y_, z: _R_D(y_, z, x) / -6,
    y_=lambda x, y_, z: _R_D(x, z, y_) / -6,
    z=lambda x, y_, z: _R_D(x, y_, z) / -6,
)
elementwise(
    special.elliprg,
    x=lambda x, y_, z: _rg_slope(x, y_, z),
    y_=lambda x, y_, z: _rg_slope(y_, x, z),
    z=lambda x, y_, z: _rg_slope(z, x, y_),
)
elementwise(
    special.elliprd,
    x=lambda x, y_, z: -0.75 * _carlson((x, 1.5), (y_, 0.5), (z, 1.5)),
    y_=lambda x, y_, z: -0.75 * _carlson((x, 0.5), (y_, 1.5), (z, 1.5)),
    z=lambda x, y_, z: -2.25 * _carlson((x, 0.5), (y_, 0.5), (z, 2.5)),
)
elementwise(
    special.elliprj,
    x=lambda x, y_, z, p, y: _rj_slope(x, y_, z, p, y),
    y_=lambda x, y_, z, p, y: _rj_slope(y_, x, z, p, y),
    z=lambda x, y_, z, p, y: _rj_slope(z, x, y_, p, y),
    p=lambda x, y_, z, p, y: _rj_p(x, y_, z, p, y),
)


def _rg_slope(x, *others):
    """12 dR_G/dx = y R_D(x, z, y) + z R_D(x, y, z); a term is 0 where its factor is."""
    y, z = others

    def term(a, b):
        return np.where(a == 0, 0.0, a * _R_D(x, b, np.where(a == 0, 1.0, a)))

    return (term(y, z) + term(z, y)) / 12


def _rc_x(x, y_, y):
    """-1/4 int (t + x)^(-3/2) (t + y)^-1 dt;  2 (y - x) dR_C/dx = R_C - x^(-1/2) where y < 0."""
    cut = _negative(y_)
    principal = (y - 1 / np.sqrt(x)) / (2 * (np.where(cut, y_, -1.0) - x))
    return np.where(cut, principal, -0.25 * _carlson((x, 1.5), (np.where(cut, 1.0, y_), 1.0)))


def _rc_y(x, y_, y):
    """-1/2 int (t + x)^(-1/2) (t + y)^-2 dt;  R_C is homogeneous of degree -1/2."""
    cut = _negative(y_)
    principal = -(0.5 * y + x * _rc_x(x, y_, y)) / np.where(cut, y_, -1.0)
    return np.where(cut, principal, -0.5 * _carlson((x, 0.5), (np.where(cut, 1.0, y_), 2.0)))


def _rj_slope(x, y_, z, p, y):
    """-3/4 int (t + x)^(-3/2) ((t + y)(t + z))^(-1/2) (t + p)^-1 dt, for p < 0 in its principal
    value, 2 (p - x) dR_J/dx = R_J - R_D(y, z, x)."""
    cut = _negative(p)
    principal = (y - _R_D(y_, z, x)) / (2 * (np.where(cut, p, -1.0) - x))
    integral = _carlson((x, 1.5), (y_, 0.5), (z, 0.5), (np.where(cut, 1.0, p), 1.0))
    return np.where(cut, principal, -0.75 * integral)


def _rj_p(x, y_, z, p, y):
    """-3/2 int ((t + x)(t + y)(t + z))^(-1/2) (t + p)^-2 dt;  R_J is homogeneous of degree -3/2."""
    cut = _negative(p)
    weighted = sum(a * _rj_slope(a, b, c, p, y) for a, b, c in ((x, y_, z), (y_, x, z), (z, x, y_)))
    principal = -(1.5 * y + weighted) / np.where(cut, p, -1.0)
    integral = _carlson((x, 0.5), (y_, 0.5), (z, 0.5), (np.where(cut, 1.0, p), 2.0))
    return np.where(cut, principal, -1.5 * integral)


def _negative(y):
    """Where Carlson's integrals are principal values."""
    return (np.imag(plain(y)) == 0) & (np.real(plain(y)) < 0)


def _carlson(*factors):
    """int_0^inf prod (t + z)^-power dt over factors (z, power), at most one z being 0.

    By the trapezoidal rule in log t: the integrand is analytic up to the distance pi - |arg z| of
    the real line, so a step of half of that over pi leaves an error of e^-39.
    """
    z = np.broadcast_arrays(*[plain(v) for v, _ in factors])
    powers = [b for _, b in factors]
    sizes = np.abs(np.stack(z))
    with np.errstate(divide="ignore"):
        logs = np.log(sizes)
    bottom = np.min(np.where(sizes > 0, logs, np.inf), axis=0)
    rise = 1 - sum(b * (s == 0) for b, s in zip(powers, sizes))
    left, right = bottom - 38 / rise, np.max(logs, axis=0) + 38 / (sum(powers) - 1)
    angle = np.max(np.abs(np.angle(np.stack(z))), initial=0.0)
    count = np.max((right - left) / (0.5 * (1 - angle / np.pi)), initial=1.0, where=right > left)
    count = int(np.ceil(min(count, 1e5))) if np.isfinite(count) else 1
    step = (right - left) / count
    t = np.exp(left[..., None] + step[..., None] * (np.arange(count) + 0.5))
    total = t
    for v, b in factors:
        total = total * np.power(np.expand_dims(v, -1) + t, -b)
    return step * np.sum(total, axis=-1)
