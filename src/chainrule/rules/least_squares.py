"""``np.linalg.pinv`` and ``lstsq``, at constant rank."""

import numpy as np

from chainrule.core.primitive import apply, composite, general
from chainrule.core.trace import is_traced, plain
from chainrule.rules.matrices import H, array, columns, unfolded
from chainrule.rules.spectral import pulled_values, pushed_values


def pseudo_inverse(a, **tolerance):
    return np.linalg.pinv(a, **tolerance)


def _pinv_jvp(tangents, y, a, **_tolerance):
    if a.shape[-2] < a.shape[-1]:
        return H(_pushed_pinv(H(tangents[0]), H(y), H(a)))
    return _pushed_pinv(tangents[0], y, a)


def _pushed_pinv(da, y, a):
    """Of a tall A."""
    across, ph = H(da), H(y)
    dp = (y @ ph) @ (across - (across @ a) @ y) - (y @ da) @ y
    if _is_deficient(y, a):
        rest = (across @ ph) @ y
        dp = dp + rest - y @ (a @ rest)
    return dp


def _is_deficient(y, a):
    """Whether 1 - P A of a tall A is not 0."""
    rank = np.sum(plain(y) * np.swapaxes(plain(a), -1, -2), axis=(-2, -1)).real
    return np.any(rank < a.shape[-1] - 0.5)


@general(pseudo_inverse, name="pinv", jvp=_pinv_jvp)
def pinv(g, y, a, **_tolerance):
    """P = A^+ of constant rank [Golub and Pereyra 1973]:
    dP = -P dA P + P P^H dA^H (1 - A P) + (1 - P A) dA^H P^H P."""
    if a.shape[-2] < a.shape[-1]:
        return H(_pulled_pinv(H(g), H(y), H(a)))
    return _pulled_pinv(g, y, a)


def _pulled_pinv(g, y, a):
    """Of a tall A, by products of no more than n columns; 1 - P A is 0 at full rank."""
    ph = H(y)
    gp = g @ ph
    left = H(g) @ (y @ ph)
    inner = -gp
    if _is_deficient(y, a):
        inner = inner + H(gp) - H(gp) @ (y @ a)
    return left - a @ (y @ left) + ph @ inner


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


def _lstsq_jvp(tangents, y, a, b, *, rcond=None):
    """dx = A^+ (db - dA x) + A^+ A^+^H dA^H (b - A x) + (1 - A^+ A) dA^H A^+^H x."""
    x, residuals, _, _ = y
    is_vector = b.ndim == 1
    x, b, db = (t[:, None] if is_vector and t is not None else t for t in (x, b, tangents[1]))
    da = np.zeros_like(a) if tangents[0] is None else tangents[0]
    db = np.zeros_like(b) if db is None else db
    parts = np.linalg.svd(a, full_matrices=False)
    p = _inverse_of(parts, a, _least_squares_tolerance(a, rcond))
    residual, change = b - a @ x, db - da @ x
    turned = H(da) @ (H(p) @ x)
    dx = p @ (change + H(p) @ (H(da) @ residual)) + turned - p @ (a @ turned)
    d_residuals = 2.0 * np.sum(np.real(np.conj(residual) * change), axis=0)
    d_residuals = d_residuals if residuals.size else np.zeros_like(residuals)
    return dx[:, 0] if is_vector else dx, d_residuals, None, pushed_values((da,), parts, a)


@general(least_squares, name="lstsq", multiple=True, jvp=_lstsq_jvp)
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
    if g_x is not None and plain(y[2]) == a.shape[1]:  # A = Q R of full rank: A^+ = R^-1 Q^H
        q, r = np.linalg.qr(a)
        w = np.linalg.solve(H(r), g_x)
        back = q @ w
        b_bar = b_bar + back
        a_bar = a_bar - back @ H(x) + residual @ H(np.linalg.solve(r, w))
    elif g_x is not None:
        p = np.linalg.pinv(a, rtol=_least_squares_tolerance(a, rcond))
        back = H(p) @ g_x
        b_bar = b_bar + back
        a_bar = a_bar - back @ H(x) + residual @ H(p @ back) + H(p) @ x @ H(g_x - H(a) @ back)
    if g_s is not None:
        a_bar = a_bar + pulled_values(g_s, y[3], a)
    return a_bar, b_bar[:, 0] if y[0].ndim == 1 else b_bar


def _inverse_of(parts, a, tolerance):
    """A^+ from A = U S V^H; where it is differentiated itself, by its own rule."""
    if is_traced(a):
        return np.linalg.pinv(a, rtol=tolerance)
    u, s, vh = parts
    kept = s > tolerance * s.max(initial=0.0)
    return columns(H(vh), np.where(kept, 1 / np.where(kept, s, 1.0), 0.0)) @ H(u)


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
