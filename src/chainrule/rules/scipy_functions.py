"""``scipy.linalg``: functions of matrices and linear matrix equations.

A function f of matrices has its derivative in a corner [Mathias 1996; Najfeld and Havel 1995]:

    f([[A, E], [0, A]]) = [[f(A), L(A, E)], [0, f(A)]],     and the adjoint of E -> L(A, E) is
    g -> L(A^H, g) for an f with real coefficients.
"""

import warnings

import numpy as np
import scipy.linalg

from chainrule.base.errors import NoRuleError
from chainrule.core.primitive import General, apply, composite, existing, general
from chainrule.core.trace import is_traced, plain
from chainrule.rules.joins import operand
from chainrule.rules.matrices import H, checked

# ---------------------------------------------------------------- by blocks


def _block(a, e):
    """[[A, E], [0, A]]."""
    zero = np.zeros_like(a)
    return np.concatenate([np.concatenate([a, e], -1), np.concatenate([zero, a], -1)], -2)


def _by_blocks(name, fun):
    """The primitive of a function of matrices whose derivative is a corner of itself."""

    def corner(a, e, params):
        n = a.shape[-1]
        return apply(primitive, _block(a, e), **{**params, "quiet": True})[..., :n, n:]

    primitive = General(
        name,
        fun,
        lambda g, _y, a, **params: corner(H(a), g, params),
        lambda tangents, _y, a, **params: corner(a, tangents[0], params),
    )
    return primitive


def _run(function, *args, quiet):
    """SciPy remarks that a result may be inaccurate: once, for the value."""
    with warnings.catch_warnings():
        if quiet:
            warnings.simplefilter("ignore")
        return function(*args)


def logarithm(a, *, quiet=False):
    return _run(scipy.linalg.logm, a, quiet=quiet)


def fractional_power(a, *, t, quiet=False):
    return _run(scipy.linalg.fractional_matrix_power, a, t, quiet=quiet)


LOGM = _by_blocks("logm", logarithm)
POWER = _by_blocks("fractional_matrix_power", fractional_power)


def _refuse_options(name, options):
    if options:
        raise NoRuleError(
            f"scipy.linalg.{name} with {', '.join(options)}= has no derivative rule",
            "Leave the option out.",
        )


@composite(scipy.linalg.logm)
def logm(A, **options):
    _refuse_options("logm", options)
    return apply(LOGM, operand(A))


@composite(scipy.linalg.fractional_matrix_power)
def fractional_matrix_power(A, t):
    if is_traced(t):
        raise NoRuleError(
            "scipy.linalg.fractional_matrix_power has no derivative rule for t",
            "Write scipy.linalg.expm(t * scipy.linalg.logm(A)).",
        )
    return apply(POWER, operand(A), t=plain(t))


# ---------------------------------------------------------------- exponential


def frechet(a, e):
    """expm at a, and its derivative along e."""
    if a.ndim == e.ndim == 2 and a.size:
        return scipy.linalg.expm_frechet(a, e, check_finite=False)
    n = a.shape[-1]
    whole = scipy.linalg.expm(_block(a, e))
    return whole[..., :n, :n], whole[..., :n, n:]


@general(frechet, name="expm_frechet", multiple=True)
def frechet_rule(g, _y, a, e):
    """L(A, E) is linear in E, and the corner of exp [[A, E], [0, A]]."""
    g_y, g_l = g
    n = a.shape[-1]

    def a_bar():
        bar = 0.0 if g_y is None else _along(H(a), g_y)
        if g_l is None:
            return bar
        zero = np.zeros_like(g_l)
        corner = np.concatenate([zero, g_l], -1)
        corner = np.concatenate([corner, np.zeros_like(corner)], -2)
        whole = _along(H(_block(a, e)), corner)
        return bar + whole[..., :n, :n] + whole[..., n:, n:]

    return a_bar, None if g_l is None else _along(H(a), g_l)


def _along(a, e):
    return apply(frechet_rule, a, e)[1]


def _expm_jvp(tangents, _y, a):
    return _along(a, tangents[0])


@general(scipy.linalg.expm, jvp=_expm_jvp)
def expm_rule(g, _y, a):
    """A_bar = L(A^H, g)."""
    return _along(H(a), g)


@composite(scipy.linalg.expm)
def expm(A):
    return apply(expm_rule, operand(A))


@composite(scipy.linalg.expm_frechet)
def expm_frechet(A, E, method=None, compute_expm=True, check_finite=True):
    if method not in (None, "SPS"):
        raise NoRuleError(
            f"scipy.linalg.expm_frechet with method={method!r} has no derivative rule",
            "Leave method out: the result is the same.",
        )
    y, along = apply(frechet_rule, checked(A, check_finite), checked(E, check_finite))
    return (y, along) if compute_expm else along


@composite(scipy.linalg.cosm)
def cosm(A):
    A = operand(A)
    if A.dtype.kind == "c":
        return 0.5 * (expm(1j * A) + expm(-1j * A))
    return np.real(expm(1j * A))


@composite(scipy.linalg.sinm)
def sinm(A):
    A = operand(A)
    if A.dtype.kind == "c":
        return -0.5j * (expm(1j * A) - expm(-1j * A))
    return np.imag(expm(1j * A))


@composite(scipy.linalg.coshm)
def coshm(A):
    A = operand(A)
    return 0.5 * (expm(A) + expm(-A))


@composite(scipy.linalg.sinhm)
def sinhm(A):
    A = operand(A)
    return 0.5 * (expm(A) - expm(-A))


# imported late: ``scipy_linalg`` imports this module
def _solved(a, b):
    from chainrule.rules.scipy_linalg import solve

    return solve(a, b)


@composite(scipy.linalg.tanm)
def tanm(A):
    return _solved(cosm(A), sinm(A))


@composite(scipy.linalg.tanhm)
def tanhm(A):
    return _solved(coshm(A), sinhm(A))


# ---------------------------------------------------------------- linear matrix equations


def _sylvester_jvp(tangents, y, a, b, q):
    da, db, dq = tangents
    right = np.zeros_like(q) if dq is None else dq
    right = right if da is None else right - da @ y
    return apply(sylvester, a, b, right if db is None else right - y @ db)


@general(scipy.linalg.solve_sylvester, jvp=_sylvester_jvp)
def sylvester(g, y, a, b, _q):
    """A Y + Y B = Q:   Q_bar solves the adjoint equation A^H Q_bar + Q_bar B^H = g,
    A_bar = -Q_bar Y^H,   B_bar = -Y^H Q_bar."""
    q_bar = apply(sylvester, H(a), H(b), g)
    return lambda: -(q_bar @ H(y)), lambda: -(H(y) @ q_bar), q_bar


def _continuous_jvp(tangents, y, a, q):
    da, dq = tangents
    right = np.zeros_like(q) if dq is None else dq
    return apply(continuous_lyapunov, a, right if da is None else right - da @ y - y @ H(da))


@general(scipy.linalg.solve_continuous_lyapunov, jvp=_continuous_jvp)
def continuous_lyapunov(g, y, a, _q):
    """A Y + Y A^H = Q, as above with B = A^H."""
    q_bar = apply(continuous_lyapunov, H(a), g)
    return lambda: -(q_bar @ H(y)) - H(q_bar) @ y, q_bar


def discrete_lyapunov(a, q, *, method=None):
    return scipy.linalg.solve_discrete_lyapunov(a, q, method)


def _discrete_jvp(tangents, y, a, q, *, method=None):
    da, dq = tangents
    right = np.zeros_like(q) if dq is None else dq
    if da is not None:
        right = right + da @ y @ H(a) + a @ y @ H(da)
    return apply(discrete_lyapunov_rule, a, right, method=method)


@general(discrete_lyapunov, name="solve_discrete_lyapunov", jvp=_discrete_jvp)
def discrete_lyapunov_rule(g, y, a, _q, *, method=None):
    """A Y A^H - Y + Q = 0:   A^H Q_bar A - Q_bar + g = 0,   A_bar = Q_bar A Y^H + Q_bar^H A Y."""
    q_bar = apply(discrete_lyapunov_rule, H(a), g, method=method)
    return lambda: q_bar @ a @ H(y) + H(q_bar) @ a @ y, q_bar


@composite(scipy.linalg.solve_sylvester)
def solve_sylvester(a, b, q):
    return apply(sylvester, operand(a), operand(b), operand(q))


@composite(*existing("solve_continuous_lyapunov solve_lyapunov", scipy.linalg))
def solve_continuous_lyapunov(a, q):
    return apply(continuous_lyapunov, operand(a), operand(q))


@composite(scipy.linalg.solve_discrete_lyapunov)
def solve_discrete_lyapunov(a, q, method=None):
    return apply(discrete_lyapunov_rule, operand(a), operand(q), method=method)


# ---------------------------------------------------------------- square root


def _halved(y, e):
    """The solution Z of Y Z + Z Y = E; none where Y has eigenvalues of sum 0."""
    z = apply(sylvester, y, y, e)
    rest = np.abs(plain(y @ z + z @ y - e)).max(initial=0.0)
    if not rest <= np.finfo(e.dtype).eps ** 0.4 * np.abs(plain(e)).max(initial=0.0):
        raise NoRuleError(
            "scipy.linalg.sqrtm of a singular matrix has no derivative: the slope is infinite",
            "Move the point, or use functions of the matrix itself.",
        )
    return z


def _sqrtm_jvp(tangents, y, _a):
    return _halved(y, tangents[0])


@general(scipy.linalg.sqrtm, jvp=_sqrtm_jvp)
def sqrtm_rule(g, y, _a):
    """Y Y = A   =>   dY Y + Y dY = dA,   so that Y^H A_bar + A_bar Y^H = g."""
    return _halved(H(y), g)


@composite(scipy.linalg.sqrtm)
def sqrtm(A, **options):
    _refuse_options("sqrtm", options)
    return apply(sqrtm_rule, operand(A))
