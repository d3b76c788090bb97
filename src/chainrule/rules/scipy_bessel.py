"""``scipy.special``: Bessel, Hankel, Airy, Kelvin, Struve functions and their integrals.

f_v' is (f_(v-1) - f_(v+1)) / 2 up to signs; Kelvin, parabolic and Mathieu functions come with
their slope, whose own slope is their differential equation. Orders have no closed form.
"""

from math import factorial

import numpy as np
from scipy import special

from chainrule.base.errors import NoRuleError
from chainrule.core.primitive import Elementwise, apply, composite, elementwise
from chainrule.core.trace import is_traced, plain
from chainrule.rules.scipy_outputs import as_array, several
from chainrule.rules.scipy_parameters import PARAMETER, above, horner, pick

TINY = 1e-150  # a smaller x is 0 to its square

elementwise(special.j0, x=lambda x: -special.j1(x))
elementwise(special.j1, x=lambda x, y: _j1_slope(x, y))
elementwise(special.y0, x=lambda x: -special.y1(x))
elementwise(special.y1, x=lambda x, y: special.y0(x) - y / x)
elementwise(special.i0, name="special.i0", x=lambda x: special.i1(x))
elementwise(special.i1, x=lambda x, y: _i1_slope(x, y))
elementwise(special.i0e, x=lambda x, y: -np.sign(x) * _i_gap(np.abs(x), i0e=y))
elementwise(special.i1e, x=lambda x, y: _i1e_slope(x, y))
elementwise(special.k0, x=lambda x: -special.k1(x))
elementwise(special.k1, x=lambda x, y: -special.k0(x) - y / x)
elementwise(special.k0e, x=lambda x, y: -_k_gap(x, k0e=y))
elementwise(special.k1e, x=lambda x, y: _k_gap(x, k1e=y) - y / x)
elementwise(
    special.jv, v=PARAMETER, z=lambda v, z: 0.5 * (special.jv(v - 1, z) - special.jv(v + 1, z))
)
elementwise(
    special.yv, v=PARAMETER, z=lambda v, z: 0.5 * (special.yv(v - 1, z) - special.yv(v + 1, z))
)
elementwise(
    special.iv, v=PARAMETER, z=lambda v, z: 0.5 * (special.iv(v - 1, z) + special.iv(v + 1, z))
)
elementwise(
    special.kv, v=PARAMETER, z=lambda v, z: -0.5 * (special.kv(v - 1, z) + special.kv(v + 1, z))
)
elementwise(special.yn, n=PARAMETER, x=lambda n, x: _yn_slope(n, x))
elementwise(special.kn, n=PARAMETER, x=lambda n, x: _kn_slope(n, x))
elementwise(
    special.hankel1,
    v=PARAMETER,
    z=lambda v, z: 0.5 * (special.hankel1(v - 1, z) - special.hankel1(v + 1, z)),
)
elementwise(
    special.hankel2,
    v=PARAMETER,
    z=lambda v, z: 0.5 * (special.hankel2(v - 1, z) - special.hankel2(v + 1, z)),
)


def _j1_slope(x, y):
    """J_0 - J_1 / x; where its own slope is recorded, which cancels near 0, (J_0 - J_2) / 2."""
    if is_traced(x):
        return 0.5 * (special.j0(x) - special.jv(2.0, x))
    return special.j0(x) - _over_x(y, x, 0.5)


def _i1_slope(x, y):
    """I_0 - I_1 / x, and where the slope of that is recorded, (I_0 + I_2) / 2."""
    if is_traced(x):
        return 0.5 * (special.i0(x) + special.iv(2.0, x))
    return special.i0(x) - _over_x(y, x, 0.5)


def _yn_slope(n, x):
    """(Y_(n-1) - Y_(n+1)) / 2, by integers where n is one: those take a tenth of the time."""
    f, one = (special.yn, 1) if _is_integer(n) else (special.yv, 1.0)
    return 0.5 * (f(n - one, x) - f(n + one, x))


def _kn_slope(n, x):
    """-(K_(n-1) + K_(n+1)) / 2, likewise."""
    f, one = (special.kn, 1) if _is_integer(n) else (special.kv, 1.0)
    return -0.5 * (f(n - one, x) + f(n + one, x))


def _is_integer(n):
    return np.asarray(plain(n)).dtype.kind in "iu"


def _hankel_gaps(count=20):
    """a_k(1) - a_k(0) of Hankel's expansions,
    a_k(v) = prod_(j <= k) (4 v^2 - (2 j - 1)^2) / (k! 8^k)."""
    odd = 2.0 * np.arange(1, count) - 1
    k = np.arange(1, count)
    terms = [np.cumprod((4.0 * v - odd**2) / (8.0 * k)) for v in (1, 0)]
    return [float(c) for c in terms[0] - terms[1]]


_GAPS = _hankel_gaps()


def _i_gap(x, i0e=None, i1e=None):
    """i0e - i1e for x >= 0, by the differences of their expansions for large x."""

    def apart():
        first = special.i0e(x) if i0e is None else i0e
        return first - (special.i1e(x) if i1e is None else i1e)

    def tail():
        far = above(x, 30.0)
        return horner(-1 / far, _GAPS) / (far * np.sqrt(2 * np.pi * far))

    return pick(x > 30, tail, apart, x)


def _k_gap(x, k0e=None, k1e=None):
    """k1e - k0e, likewise."""

    def apart():
        first = special.k1e(x) if k1e is None else k1e
        return first - (special.k0e(x) if k0e is None else k0e)

    def tail():
        far = above(x, 30.0)
        return horner(1 / far, _GAPS) / (far * np.sqrt(2 * far / np.pi))

    return pick(x > 30, tail, apart, x)


def _i1e_slope(x, y):
    """(i0e - i1e) - i1e / |x|, and at 0, where the slope of that cancels, (i0e + i2e) / 2 - i1e."""
    size = np.abs(x)
    if is_traced(x):
        near = size < 1
        inner = 0.5 * (special.i0e(x) + special.ive(2.0, x)) - np.abs(y)
        return np.where(
            near, inner, _i_gap(size, i1e=np.abs(y)) - np.abs(y) / np.where(near, 1.0, size)
        )
    return _i_gap(size, i1e=np.abs(y)) - _over_x(np.abs(y), size, 0.5)


# ---------------------------------------------------------------- exponentially scaled

elementwise(special.jve, v=PARAMETER, z=lambda v, z: _real_half(special.jve, v, z, -1))
elementwise(special.yve, v=PARAMETER, z=lambda v, z: _real_half(special.yve, v, z, -1))
elementwise(special.ive, v=PARAMETER, z=lambda v, z, y: _ive_slope(v, z, y))
elementwise(special.kve, v=PARAMETER, z=lambda v, z, y: _kve_slope(v, z, y))
elementwise(special.hankel1e, v=PARAMETER, z=lambda v, z, y: _hankel_slope(v, z, y, 1j))
elementwise(special.hankel2e, v=PARAMETER, z=lambda v, z, y: _hankel_slope(v, z, y, -1j))


def _real_half(f, v, z, sign):
    """(f_(v-1) +- f_(v+1)) / 2, at real z, where f has no other dependence on z."""
    if z.dtype.kind == "c":
        raise NoRuleError(
            "exponentially scaled Bessel functions have no derivative rule at complex arguments",
            "Use the unscaled function, or a real argument.",
        )
    return 0.5 * (f(v - 1, z) + sign * f(v + 1, z))


def _ive_slope(v, z, y):
    """I_v' e^-|z| - sign(z) y, and for large z by Hankel's expansion."""
    return _by_expansion(lambda: _real_half(special.ive, v, z, 1) - np.sign(z) * y, v, z, y, -1.0)


def _kve_slope(v, z, y):
    """K_v' e^z + y, and for large z by Hankel's expansion."""
    return _by_expansion(
        lambda: y - 0.5 * (special.kve(v - 1, z) + special.kve(v + 1, z)), v, z, y, 1.0
    )


def _hankel_slope(v, z, y, i):
    f = special.hankel1e if i == 1j else special.hankel2e
    return _by_expansion(lambda: 0.5 * (f(v - 1, z) - f(v + 1, z)) - i * y, v, z, y, i)


def hankel_sums(v, u):
    """s = sum_k a_k(v) u^k and sum_k k a_k(v) u^k of Hankel's expansions, 12 terms."""
    term, total, weighted = 1.0, 1.0, 0.0
    for k in range(1, 12):
        term = term * u * ((4 * v * v - (2 * k - 1) ** 2) / (8 * k))
        total, weighted = total + term, weighted + k * term
    return total, weighted


def _by_expansion(near, v, z, y, unit):
    """A scaled function is s(unit / z) / sqrt(z) times a constant, for |z| far above v^2: its slope
    is -y (1/2 + s'/s) / z, where the terms of ``near()`` cancel."""
    v = np.asarray(plain(v), float)
    size = np.abs(z)
    far = size > 50 + v * v

    def tail():
        safe = np.where(far, z if unit != -1.0 else size, 1.0)
        total, weighted = hankel_sums(v, unit / safe * np.where(far, 1.0, 0.0))
        return -y / np.where(far, z, 1.0) * (0.5 + weighted / total)

    return pick(far, tail, near, z, y)


# ---------------------------------------------------------------- derivatives of a given order


def _with_order(function):
    """The primitive of ``function(v, z, n)``, the n-th derivative."""
    primitive = Elementwise(
        function.__name__,
        function,
        {"v": PARAMETER, "z": lambda v, z, n: apply(primitive, v, z, n + 1), "n": PARAMETER},
    )

    @composite(function)
    def run(v, z, n=1):
        return apply(primitive, v, as_array(z), n)


for _function in (
    special.jvp,
    special.yvp,
    special.ivp,
    special.kvp,
    special.h1vp,
    special.h2vp,
):
    _with_order(_function)


def _spherical(function, lower, upper):
    """f_n' = (lower n f_(n-1) + upper (n + 1) f_(n+1)) / (2 n + 1), of f and of its slope."""

    def slope(n, z, derivative):
        if not derivative:
            return apply(primitive, n, z, True)
        n = np.asarray(plain(n))
        below = apply(primitive, np.maximum(n - 1, 0), z, True)
        above_ = apply(primitive, n + 1, z, True)
        return (lower * n * below + upper * (n + 1) * above_) / (2 * n + 1)

    primitive = Elementwise(
        function.__name__, function, {"n": PARAMETER, "z": slope, "derivative": PARAMETER}
    )

    @composite(function)
    def run(n, z, derivative=False):
        return apply(primitive, n, as_array(z), derivative)


_spherical(special.spherical_jn, 1, -1)
_spherical(special.spherical_yn, 1, -1)
_spherical(special.spherical_in, 1, 1)
_spherical(special.spherical_kn, -1, -1)

# ---------------------------------------------------------------- Kelvin functions

elementwise(special.ber, x=lambda x: special.berp(x))
elementwise(special.bei, x=lambda x: special.beip(x))
elementwise(special.ker, x=lambda x: special.kerp(x))
elementwise(special.kei, x=lambda x: special.keip(x))
elementwise(special.berp, x=lambda x, y: -special.bei(x) - _over_x(y, x, 0.0))
elementwise(special.beip, x=lambda x, y: special.ber(x) - _over_x(y, x, 0.5))
elementwise(special.kerp, x=lambda x, y: -special.kei(x) - y / x)
elementwise(special.keip, x=lambda x, y: special.ker(x) - y / x)


def _kelvin_slopes(x, y):
    """w'' = i w - w' / x for w = ber + i bei and w = ker + i kei."""
    be, ke, be_slope, ke_slope = y
    return be_slope, ke_slope, 1j * be - _over_x(be_slope, x, 0.5j), 1j * ke - ke_slope / x


several(special.kelvin, x=_kelvin_slopes)


def _over_x(y, x, limit):
    """y / x, and its limit at 0 and where y has lost digits as a subnormal number."""
    tiny = np.abs(x) < TINY
    return np.where(tiny, limit, y / np.where(tiny, 1.0, x))


# ---------------------------------------------------------------- Airy functions


def _airy_slopes(z, y):
    """Ai'' = z Ai,   Bi'' = z Bi."""
    ai, ai_slope, bi, bi_slope = y
    return ai_slope, z * ai, bi_slope, z * bi


several(special.airy, z=_airy_slopes)


def _airye_slopes(x, y):
    """Of (Ai, Ai') e^s and (Bi, Bi') e^-s, s = 2/3 x^(3/2); for large x by their expansions, as the
    terms cancel. Left of 0, where s is imaginary, SciPy scales by 1 (and the first two are NaN)."""
    if x.dtype.kind == "c":
        raise NoRuleError(
            "scipy.special.airye has no derivative rule at complex arguments", "Use airy."
        )
    ai, ai_slope, bi, bi_slope = y
    root = np.sqrt(np.where(x > 0, x, 0.0))
    near = (
        ai_slope + root * ai,
        x * ai + root * ai_slope,
        bi_slope - root * bi,
        x * bi - root * bi_slope,
    )
    far = x > 20
    safe = np.where(far, x, 20.0)
    u = 1.5 / (safe * np.sqrt(safe))
    out = []
    for f, at_near, v, unit, power in zip(
        y, near, (1 / 3, 2 / 3, 1 / 3, 2 / 3), (1, 1, -1, -1), (-0.25, 0.25, -0.25, 0.25)
    ):
        total, weighted = hankel_sums(v, unit * u)  # f = x^power sum, in x^(-3/2)
        out.append(np.where(far, f / safe * (power - 1.5 * weighted / total), at_near))
    return tuple(out)


several(special.airye, z=lambda z, y: _airye_slopes(z, y))

# ---------------------------------------------------------------- integrals

several(special.itj0y0, x=lambda x: (special.j0(x), special.y0(x)))
several(special.iti0k0, x=lambda x: (special.i0(x), special.k0(x)))
several(special.it2j0y0, x=lambda x: (-_less_one(special.j0, x, -1), -special.y0(x) / x))
several(special.it2i0k0, x=lambda x: (_less_one(special.i0, x, 1), -special.k0(x) / x))
several(
    special.itairy,
    x=lambda x: (*special.airy(x)[0:3:2], *special.airy(-x)[0:3:2]),
)
elementwise(special.itstruve0, x=lambda x: special.struve(0.0, x))
elementwise(special.it2struve0, x=lambda x: -special.struve(0.0, x) / x)
elementwise(special.itmodstruve0, x=lambda x: special.modstruve(0.0, x))
elementwise(
    special.besselpoly,
    a=lambda a, lmb, nu: (
        special.besselpoly(a, lmb + 1, nu - 1) - special.besselpoly(a, lmb + 1, nu + 1)
    ),
    lmb=PARAMETER,
    nu=PARAMETER,
)


def _less_one(f, x, sign):
    """(f(x) - 1) / x for f = I_0 (sign 1) or J_0 (-1), by its series near 0."""
    small = np.abs(x) < 1
    near = np.where(small, x, 0.0)
    c = [sign ** (k + 1) / (4.0 ** (k + 1) * factorial(k + 1) ** 2) for k in range(10)]
    far = np.where(small, 1.0, x)
    return np.where(small, near * horner(near * near, c), (f(far) - 1) / far)


# ---------------------------------------------------------------- Struve functions

elementwise(special.struve, v=PARAMETER, x=lambda v, x, y: _struve_slope(special.struve, v, x, y))
elementwise(
    special.modstruve, v=PARAMETER, x=lambda v, x, y: _struve_slope(special.modstruve, v, x, y)
)


def _struve_slope(f, v, x, y):
    """H_(v-1) - v H_v / x, and at 0 the slope of the first term of the series."""
    at_zero = np.where(np.equal(v, 0), 2 / np.pi, 0.0)
    inside = f(v - 1, x) - v * y / np.where(x == 0, 1.0, x)
    return np.where((x == 0) & (np.equal(v, 0) | np.greater(v, 0)), at_zero, inside)
