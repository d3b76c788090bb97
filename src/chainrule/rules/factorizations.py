"""``np.linalg.cholesky`` and ``qr``."""

import numpy as np

from chainrule.base.errors import NoRuleError
from chainrule.core.primitive import apply, composite, general
from chainrule.core.trace import plain
from chainrule.rules.matrices import (
    H,
    array,
    diagonals,
    eye,
    folded,
    on_diagonal,
    real_dtype,
    tri,
    triangle,
    unfolded,
)
from chainrule.rules.reflections import reflections


def cholesky_jvp(tangents, y, _a, *, upper=False):
    y = H(y) if upper else y
    half = divided_by(y, unfolded(tangents[0], not upper))
    dy = y @ triangle(divided_by(y, H(half)))
    return H(dy) if upper else dy


@general(np.linalg.cholesky, jvp=cholesky_jvp)
def cholesky(g, y, _a, *, upper=False):
    """A = L L^H.   dL = L Phi(L^-1 dA L^-H), Phi the lower triangle with half the diagonal, so that
    A_bar = L^-H Phi(L^H g) L^-1, Hermitian part, folded onto the triangle that NumPy reads."""
    if upper:
        y, g = H(y), H(g)
    half = divided(y, triangle(H(y) @ g))
    return folded(H(divided(y, H(half))), lower=not upper)


def divided(lower_factor, x):
    """L^-H x, by SciPy's triangular solver where there is one matrix and not a stack."""
    if lower_factor.ndim > 2 or not x.size or not isinstance(plain(x), np.ndarray):
        return np.linalg.solve(H(lower_factor), x)
    from chainrule.rules.scipy_triangular import solve_triangular

    return solve_triangular(lower_factor, x, trans=2, lower=True, check_finite=False)


def divided_by(lower_factor, x):
    """L^-1 x, likewise."""
    if lower_factor.ndim > 2 or not x.size or not isinstance(plain(x), np.ndarray):
        return np.linalg.solve(lower_factor, x)
    from chainrule.rules.scipy_triangular import solve_triangular

    return solve_triangular(lower_factor, x, lower=True, check_finite=False)


# ---------------------------------------------------------------- QR


def qr_reduced(a):
    return np.linalg.qr(a)


def qr_jvp(tangents, y, _a):
    """dQ = dA R^-1 - Q (C - W),   dR = (C - W) R with the skew-Hermitian part W of C."""
    (q, r), da = y, tangents[0]
    n = q.shape[-1]
    square, first = r[..., :n], da[..., :n]
    _refuse_dependent(square)
    over_r = H(divided_by(H(square), H(first)))
    c = H(q) @ over_r
    low = c * tri(c, -1)
    turn = low - H(low)
    if c.dtype.kind == "c":
        turn = turn + on_diagonal(1j * np.imag(diagonals(c)))
    dq, dr = over_r - q @ (c - turn), (c - turn) @ square
    if r.shape[-1] > n:
        dr = np.concatenate([dr, H(q) @ da[..., n:] - turn @ r[..., n:]], axis=-1)
    return dq, dr


@general(qr_reduced, name="qr", multiple=True, jvp=qr_jvp)
def qr(g, y, _a):
    """A = Q R with m >= n: C = Q^H dA R^-1 = Q^H dQ + dR R^-1, skew-Hermitian plus upper triangular
    with a real diagonal. Of a wide A = [A1 A2], A1 = Q R1 and R2 = Q^H A2."""
    q, r = y
    return _pulled(g[0], g[1], q, r)


def _pulled(g_q, g_r, q, r):
    m, n = q.shape[-2], r.shape[-1]
    g_q = np.zeros_like(q) if g_q is None else g_q
    g_r = np.zeros_like(r) if g_r is None else g_r
    if m >= n:
        return _tall(g_q, g_r, q, r)
    a2 = q @ r[..., m:]
    g_q = g_q + a2 @ H(g_r[..., m:])
    left = _tall(g_q, g_r[..., :m], q, r[..., :m])
    return np.concatenate([left, q @ g_r[..., m:]], axis=-1)


def _tall(g_q, g_r, q, r):
    _refuse_dependent(r)
    omega = H(q) @ g_q
    t = g_r @ H(r)
    low = omega - H(omega) + H(t)
    c_bar = low * tri(low, -1) + t * tri(t, -1).T + (low + t) * (0.5 * eye(t)).astype(real_dtype(t))
    return H(divided(H(r), H(g_q + q @ (c_bar - omega))))


def _refuse_dependent(r):
    size = np.abs(diagonals(plain(r)))
    tolerance = r.shape[-1] * np.finfo(r.dtype).eps * size.max(-1, initial=0.0)
    if np.any(size <= tolerance[..., None]):
        raise NoRuleError(
            "np.linalg.qr of a matrix whose first columns are linearly dependent has no "
            "derivative: Q jumps there",
            "Use functions of A^H A, np.linalg.svd or np.linalg.pinv, or move the point.",
        )


def qr_complete(a):
    return np.linalg.qr(a, "complete")


@general(qr_complete, multiple=True)
def _complete_rule(g, y, _a):
    """A = [Q1 Q2] [R; 0], Q a product of Householder reflections 1 - V T V^H, V unit lower
    triangular: from Q1 = [Q11; Q21] follows

        Q2 = [0; 1] - (Q1 - [1; 0]) K^H,     K = Q21 (1 - Q11)^-1,

    because 1 - Q11 = V1 T V1^H and Q21 = -V2 T V1^H.
    """
    g_q, g_r = g
    q, r = y
    n = r.shape[-1]
    q1, g1 = q[..., :n], None
    if g_q is not None:
        g1 = g_q[..., :n] + _pulled_rest(g_q[..., n:], q1)
    return _pulled(g1, None if g_r is None else g_r[..., :n, :], q1, r[..., :n, :])


QR_COMPLETE = _complete_rule


def _pulled_rest(g2, q1):
    """The cotangent of Q1 from that of Q2."""
    n = q1.shape[-1]
    if not n:
        return np.zeros_like(q1)
    rest = H(eye(q1[..., :n, :]) - q1[..., :n, :])
    if np.any(np.linalg.cond(plain(rest)) > np.finfo(q1.dtype).eps ** -0.5):
        raise NoRuleError(
            "np.linalg.qr with mode='complete' has no derivative where a column is zero below the "
            "diagonal: LAPACK reflects nothing there, and the columns beyond the range jump",
            "Use mode='reduced', or move the point.",
        )
    k = H(np.linalg.solve(rest, H(q1[..., n:, :])))
    k_bar = -(H(g2) @ (q1 - np.eye(*q1.shape[-2:], dtype=bool)))
    z = H(np.linalg.solve(H(rest), H(k_bar)))
    return np.concatenate([H(k) @ z, z], axis=-2) - g2 @ k


@composite(np.linalg.qr)
def _qr_call(a, mode="reduced"):
    a = array(a)
    m, n = a.shape[-2:] if a.ndim > 1 else (0, 0)
    if mode == "reduced" or (mode == "complete" and m <= n):
        return apply(qr, a)
    if mode == "complete":
        return apply(QR_COMPLETE, a)
    if mode == "r":
        return apply(qr, a)[1]
    np.linalg.qr(plain(a), mode)  # NumPy's own errors first
    if mode == "raw":
        return reflections(a)
    raise NoRuleError(
        f"np.linalg.qr with mode={mode!r} has no derivative rule",
        "Use mode='reduced', 'complete', 'r' or 'raw'.",
    )
