"""``scipy.linalg``: Cholesky, LU and QR factors, and the systems they solve."""

import numpy as np
import scipy.linalg

from chainrule.base.errors import NoRuleError
from chainrule.core.primitive import apply, composite, general
from chainrule.core.trace import plain
from chainrule.rules import factorizations
from chainrule.rules.factorizations import divided, divided_by
from chainrule.rules.matrices import H, as_columns, as_given, checked, mT, tri

# ---------------------------------------------------------------- Cholesky


def cholesky_factor(a, *, lower=False):
    return scipy.linalg.cholesky(a, lower=lower, check_finite=False)


def _cholesky_jvp(tangents, y, a, *, lower=False):
    return factorizations.cholesky_jvp(tangents, y, a, upper=not lower)


@general(cholesky_factor, name="scipy_cholesky", jvp=_cholesky_jvp)
def cholesky_rule(g, y, a, *, lower=False):
    """As that of ``np.linalg.cholesky``."""
    return factorizations.cholesky.vjp_rule(g, y, a, upper=not lower)


@composite(scipy.linalg.cholesky)
def cholesky(a, lower=False, overwrite_a=False, check_finite=True):
    return apply(cholesky_rule, checked(a, check_finite), lower=bool(lower))


_CLEARS = not scipy.linalg.cho_factor(np.eye(2) + 1)[0][1, 0]  # from SciPy 1.18


@composite(scipy.linalg.cho_factor)
def cho_factor(a, lower=False, overwrite_a=False, check_finite=True):
    """The factor; the other triangle holds what was there, or zeros, as in the installed SciPy."""
    a = checked(a, check_finite)
    factor = cholesky(a, lower)
    lower = np.full(a.shape[:-2], lower) if a.ndim > 2 else lower  # as SciPy's stacks have it
    if _CLEARS:
        return factor, lower
    return factor + (np.triu(a, 1) if np.all(lower) else np.tril(a, -1)), lower


def solve_by_cholesky(c, b, *, lower=False):
    return scipy.linalg.cho_solve((c, lower), b, check_finite=False)


def _cho_solve_jvp(tangents, y, c, _b, *, lower=False):
    dc, right = tangents
    vector = y.ndim < c.ndim
    right = None if right is None else as_columns(right, vector)
    if dc is not None:  # A = L L^H
        factor, step = (c * tri(c), dc * tri(dc)) if lower else (H(np.triu(c)), H(np.triu(dc)))
        x = as_columns(y, vector)
        moved = step @ (H(factor) @ x) + factor @ (H(step) @ x)
        right = -moved if right is None else right - moved
    return as_given(apply(cho_solve_rule, c, right, lower=lower), vector)


@general(solve_by_cholesky, name="cho_solve", jvp=_cho_solve_jvp)
def cho_solve_rule(g, y, c, _b, *, lower=False):
    """A = L L^H is its own adjoint:   b_bar = A^-1 g,   A_bar = -b_bar Y^H,
    L_bar = (A_bar + A_bar^H) L in its triangle; of U = L^H alike."""
    vector = y.ndim < c.ndim
    b_bar = apply(cho_solve_rule, c, as_columns(g, vector), lower=lower)

    def c_bar():
        full = b_bar @ H(as_columns(y, vector))
        full = -(full + H(full))
        return (full @ np.tril(c)) * tri(c) if lower else (np.triu(c) @ full) * tri(c).T

    return c_bar, as_given(b_bar, vector)


@composite(scipy.linalg.cho_solve)
def cho_solve(c_and_lower, b, overwrite_b=False, check_finite=True):
    c, lower = c_and_lower
    c, b = checked(c, check_finite), checked(b, check_finite)
    return apply(cho_solve_rule, c, b, lower=bool(np.all(lower)))


# ---------------------------------------------------------------- LU


def _divided_right(x, upper_factor):
    """x U^-H."""
    return H(divided(H(upper_factor), H(x)))


def pulled_lu(l_bar, u_bar, lower_factor, upper_factor):
    """The cotangent of A = L U from those of its factors (None is zero).

    Square: dL = L tril(F, -1), dU = triu(F) U with F = L^-1 dA U^-1. Of a tall A = [A1; A2] the
    rest is L2 = A2 U^-1, of a wide one U2 = L^-1 A2.
    """
    m, n = lower_factor.shape[-2], upper_factor.shape[-1]
    k = min(m, n)
    left, right = lower_factor[..., :k, :], upper_factor[..., :k]
    l_bar = np.zeros_like(lower_factor) if l_bar is None else l_bar
    u_bar = np.zeros_like(upper_factor) if u_bar is None else u_bar
    l_square, u_square, rest = l_bar[..., :k, :], u_bar[..., :k], None
    if m > k:
        rest = _divided_right(l_bar[..., k:, :], right)
        u_square = u_square - H(lower_factor[..., k:, :]) @ rest
    if n > k:
        rest = divided(left, u_bar[..., k:])
        l_square = l_square - rest @ H(upper_factor[..., k:])
    f = (H(left) @ l_square) * tri(left, -1) + (u_square @ H(right)) * tri(right).T
    square = _divided_right(divided(left, f), right)
    return square if rest is None else np.concatenate([square, rest], axis=-2 if m > k else -1)


def pushed_lu(da, lower_factor, upper_factor):
    """dL and dU, by the formulas above."""
    m, n = da.shape[-2:]
    k = min(m, n)
    left, right = lower_factor[..., :k, :], upper_factor[..., :k]
    over_l = divided_by(left, da[..., :k, :])
    f = H(divided_by(H(right), H(over_l[..., :k])))
    d_lower, d_upper = left @ (f * tri(f, -1)), _upper(f) @ right
    if m > k:
        rest = da[..., k:, :] - lower_factor[..., k:, :] @ d_upper
        rest = H(divided_by(H(right), H(rest)))
        return np.concatenate([d_lower, rest], axis=-2), d_upper
    if n > k:
        rest = over_l[..., k:] - (f * tri(f, -1)) @ upper_factor[..., k:]
        return d_lower, np.concatenate([d_upper, rest], axis=-1)
    return d_lower, d_upper


def lu_parts(a):
    p, lower_factor, upper_factor = scipy.linalg.lu(a, p_indices=True, check_finite=False)
    return p.astype(float), lower_factor, upper_factor


def _lu_jvp(tangents, y, _a):
    back = np.argsort(plain(y[0]), axis=-1)
    da = np.take_along_axis(tangents[0], back[..., None], axis=-2)
    return (None, *pushed_lu(da, y[1], y[2]))


@general(lu_parts, name="lu", multiple=True, jvp=_lu_jvp)
def lu_rule(g, y, _a):
    """A = (L U)[p]; the order of the rows is constant."""
    p, lower_factor, upper_factor = y
    bar = pulled_lu(g[1], g[2], lower_factor, upper_factor)
    return np.take_along_axis(bar, plain(p).astype(int)[..., None], axis=-2)


@composite(scipy.linalg.lu)
def lu(a, permute_l=False, overwrite_a=False, check_finite=True, p_indices=False):
    a = checked(a, check_finite)
    p, lower_factor, upper_factor = apply(lu_rule, a)
    p = plain(p).astype(int)
    if permute_l:
        return np.take_along_axis(lower_factor, p[..., None], axis=-2), upper_factor
    given = scipy.linalg.lu(plain(a), p_indices=p_indices)[0]
    return given, lower_factor, upper_factor


def lu_compact(a):
    factors, pivots = scipy.linalg.lu_factor(a, check_finite=False)
    return factors, pivots.astype(float)


def _upper(x):
    return x * ~tri(x, -1)


def _halves(factors):
    """L with its unit diagonal, and U, of their compact form."""
    k = min(factors.shape[-2:])
    left = factors[..., :k]
    return left * tri(left, -1) + np.eye(*left.shape[-2:], dtype=bool), _upper(factors[..., :k, :])


def _order(pivots, rows):
    """The permutation that LAPACK's successive interchanges make: A[order] = L U."""
    orders = np.empty((*pivots.shape[:-1], rows), int)
    for index in np.ndindex(*pivots.shape[:-1]):
        order = list(range(rows))
        for i, j in enumerate(pivots[index].tolist()):
            order[i], order[j] = order[j], order[i]
        orders[index] = order
    return orders


def _lu_factor_jvp(tangents, y, _a):
    factors, pivots = y
    order = _order(plain(pivots).astype(int), factors.shape[-2])
    da = np.take_along_axis(tangents[0], order[..., None], axis=-2)
    d_lower, d_upper = pushed_lu(da, *_halves(factors))
    m, n = factors.shape[-2:]
    if m > n:
        zeros = np.zeros_like(d_upper, shape=(*d_upper.shape[:-2], m - n, n))
        d_upper = np.concatenate([d_upper, zeros], axis=-2)
    elif n > m:
        zeros = np.zeros_like(d_lower, shape=(*d_lower.shape[:-2], m, n - m))
        d_lower = np.concatenate([d_lower, zeros], axis=-1)
    return d_lower + d_upper, None


@general(lu_compact, name="lu_factor", multiple=True, jvp=_lu_factor_jvp)
def lu_factor_rule(g, y, _a):
    """As for ``lu``."""
    factors, pivots = y
    lower_factor, upper_factor = _halves(factors)
    k = min(factors.shape[-2:])
    l_bar, u_bar = (g[0] * tri(g[0], -1))[..., :k], _upper(g[0])[..., :k, :]
    bar = pulled_lu(l_bar, u_bar, lower_factor, upper_factor)
    back = np.argsort(_order(plain(pivots).astype(int), factors.shape[-2]), axis=-1)
    return np.take_along_axis(bar, back[..., None], axis=-2)


@composite(scipy.linalg.lu_factor)
def lu_factor(a, overwrite_a=False, check_finite=True):
    factors, pivots = apply(lu_factor_rule, checked(a, check_finite))
    return factors, plain(pivots).astype(np.int32)


def solve_by_lu(factors, b, *, pivots, trans=0):
    return scipy.linalg.lu_solve((factors, pivots), b, trans, check_finite=False)


def _lu_solve_jvp(tangents, y, factors, _b, *, pivots, trans=0):
    d_factors, right = tangents
    vector = y.ndim < factors.ndim
    right = None if right is None else as_columns(right, vector)
    if d_factors is not None:  # dA[order] = dL U + L dU
        lower_factor, upper_factor = _halves(factors)
        da = (d_factors * tri(d_factors, -1)) @ upper_factor + lower_factor @ _upper(d_factors)
        order = np.broadcast_to(_order(pivots, factors.shape[-2]), da.shape[:-1])
        da = np.take_along_axis(da, np.argsort(order, axis=-1)[..., None], axis=-2)
        moved = ((da, mT(da), H(da))[trans] if trans else da) @ as_columns(y, vector)
        right = -moved if right is None else right - moved
    return as_given(apply(lu_solve_rule, factors, right, pivots=pivots, trans=trans), vector)


@general(solve_by_lu, name="lu_solve", jvp=_lu_solve_jvp)
def lu_solve_rule(g, y, factors, _b, *, pivots, trans=0):
    """b_bar = op(A)^-H g,   op(A)_bar = -b_bar Y^H,   A[order] = L U:   L_bar = A_bar U^H,
    U_bar = L^H A_bar in their triangles."""
    vector = y.ndim < factors.ndim
    held = np.conj(factors) if trans == 1 else factors
    options = {"pivots": pivots, "trans": 0 if trans else 2}
    b_bar = apply(lu_solve_rule, held, as_columns(g, vector), **options)

    def factors_bar():
        full = -(b_bar @ H(as_columns(y, vector)))
        full = (full, mT(full), H(full))[trans] if trans else full
        order = np.broadcast_to(_order(pivots, factors.shape[-2]), full.shape[:-1])
        full = np.take_along_axis(full, order[..., None], axis=-2)
        lower_factor, upper_factor = _halves(factors)
        strict = (full @ H(upper_factor)) * tri(factors, -1)
        return strict + _upper(H(lower_factor) @ full)

    return factors_bar, as_given(b_bar, vector)


@composite(scipy.linalg.lu_solve)
def lu_solve(lu_and_piv, b, trans=0, overwrite_b=False, check_finite=True):
    factors, pivots = lu_and_piv
    pivots = np.array(plain(pivots))
    factors, b = checked(factors, check_finite), checked(b, check_finite)
    return apply(lu_solve_rule, factors, b, pivots=pivots, trans=trans)


# ---------------------------------------------------------------- QR

_NUMPYS = {"full": "complete", "qr": "complete", "economic": "reduced", "r": "r"}


def qr_parts(a, *, mode, pivoting):
    if pivoting:
        q, r, p = scipy.linalg.qr(a, mode=mode, pivoting=True, check_finite=False)
        return q, r, p.astype(float)
    return scipy.linalg.qr(a, mode=mode, check_finite=False)


def _qr_jvp(tangents, y, a, *, mode, pivoting):
    if y[0].shape[-1] > y[1].shape[-1]:  # a complete basis
        return qr_rule.derive_jvp(tangents, (a,), y, {"mode": mode, "pivoting": pivoting})
    if not pivoting:
        return factorizations.qr_jvp(tangents, y, a)
    order = plain(y[2]).astype(int)[..., None, :]
    da = np.take_along_axis(tangents[0], order, axis=-1)
    return (*factorizations.qr_jvp((da,), y[:2], None), None)


@general(qr_parts, name="scipy_qr", multiple=True, jvp=_qr_jvp)
def qr_rule(g, y, _a, *, mode, pivoting):
    """As that of ``np.linalg.qr``; with pivoting A[:, p] = Q R, and the order is constant."""
    m, n = y[0].shape[-2], y[1].shape[-1]
    complete = mode == "full" and m > n
    rule = factorizations.QR_COMPLETE if complete else factorizations.qr
    bar = rule.vjp_rule(g[:2], y[:2], None)
    if not pivoting:
        return bar
    back = np.argsort(plain(y[2]).astype(int), axis=-1)
    return np.take_along_axis(bar, back[..., None, :], axis=-1)


@composite(scipy.linalg.qr)
def qr(a, overwrite_a=False, lwork=None, mode="full", pivoting=False, check_finite=True):
    a = checked(a, check_finite)
    if mode not in _NUMPYS:
        scipy.linalg.qr(plain(a), mode=mode)  # SciPy's own error
        raise NoRuleError(
            f"scipy.linalg.qr with mode={mode!r} has no derivative rule",
            "Use mode='full', 'economic' or 'r'.",
        )
    wanted = "economic" if mode == "economic" else "full"
    parts = apply(qr_rule, a, mode=wanted, pivoting=bool(pivoting))
    order = (plain(parts[2]).astype(np.int32),) if pivoting else ()
    return (*parts[mode == "r" : 2], *order)
