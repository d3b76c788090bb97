"""``np.linalg.pinv`` and ``lstsq``, at constant rank."""

import numpy as np

from chainrule.core.primitive import apply, composite, general
from chainrule.core.trace import plain
from chainrule.rules.matrices import H, array, unfolded
from chainrule.rules.spectral import pulled_values


def pseudo_inverse(a, **tolerance):
    return np.linalg.pinv(a, **tolerance)


@general(pseudo_inverse, name="pinv")
def pinv(g, y, a, **_tolerance):
    """P = A^+ of constant rank [Golub and Pereyra 1973]:
    dP = -P dA P + P P^H dA^H (1 - A P) + (1 - P A) dA^H P^H P."""
    ph, gh = H(y), H(g)
    first = gh @ y @ ph
    second = ph @ y @ gh
    return -(ph @ g @ ph) + first - a @ (y @ first) + second - (second @ y) @ a


@composite(np.linalg.pinv)
def _pinv_call(a, rcond=None, hermitian=False, **rtol):
    a = array(a)
    tolerance = {"rcond": plain(rcond), **plain(rtol)}
    if not hermitian:
        return apply(pinv, a, **tolerance)
    return apply(pinv, unfolded(a), hermitian=True, **tolerance)


def least_squares(a, b, *, rcond=None):
    x, residuals, rank, s = np.linalg.lstsq(a, b, rcond)
    return x, residuals, np.float64(rank), s


@general(least_squares, name="lstsq", multiple=True)
def lstsq(g, y, a, b, *, rcond=None):
    """x = A^+ b,   residuals |b - A x|^2 per column,   rank (constant),   singular values of A."""
    g_x, g_res, _, g_s = g
    x = y[0]
    if b.ndim == 1:
        x, b = x[:, None], b[:, None]
        g_x = None if g_x is None else g_x[:, None]
    residual = b - a @ x
    a_bar, b_bar = np.zeros_like(a), np.zeros_like(b)
    if g_res is not None and g_res.size:
        b_bar = b_bar + 2.0 * residual * g_res
        a_bar = a_bar - b_bar @ H(x)
    if g_x is not None:
        p = np.linalg.pinv(a, rtol=_least_squares_tolerance(a, rcond))
        back = H(p) @ g_x
        b_bar = b_bar + back
        a_bar = a_bar - back @ H(x) + residual @ H(p @ back) + H(p) @ x @ H(g_x - H(a) @ back)
    if g_s is not None:
        a_bar = a_bar + pulled_values(g_s, y[3], a)
    return a_bar, b_bar[:, 0] if y[0].ndim == 1 else b_bar


def _least_squares_tolerance(a, rcond):
    """Below which LAPACK, which works in double precision, takes a singular value for 0."""
    eps = float(np.finfo(float).eps)
    if rcond is None:
        return max(a.shape) * eps
    return rcond if rcond >= 0 else eps


@composite(np.linalg.lstsq)
def _lstsq_call(a, b, rcond=None):
    x, residuals, rank, s = apply(lstsq, array(a), array(b), rcond=plain(rcond))
    return x, residuals, np.int32(plain(rank)), s
