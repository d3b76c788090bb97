"""``np.linalg``: systems, inverses, powers and determinants.

Notation and sources as in ``matrices``. A second rule (``jvp=``) stands where transposing the first
took 1.6 to 2 times as long.
"""

import operator

import numpy as np

from chainrule.base.errors import NoRuleError
from chainrule.core.primitive import apply, composite, general, piecewise_constant
from chainrule.core.trace import plain
from chainrule.rules.matrices import H, array, columns, diagonals, mT, on_diagonal

piecewise_constant(np.linalg.matrix_rank)

# ---------------------------------------------------------------- inverse and systems


def inv_jvp(tangents, y, _a):
    return -(y @ tangents[0] @ y)


@general(np.linalg.inv, jvp=inv_jvp)
def inv(g, y, _a):
    """dY = -Y dA Y   =>   A_bar = -Y^H g Y^H."""
    yh = H(y)
    return -(yh @ g @ yh)


def _solve_jvp(tangents, y, a, _b):
    da, db = tangents
    if da is None:
        return np.linalg.solve(a, db)
    vector = y.ndim < a.ndim
    moved = (da @ y[..., None])[..., 0] if vector else da @ y
    right = -moved if db is None else db - moved
    return np.linalg.solve(a, right[..., None])[..., 0] if vector else np.linalg.solve(a, right)


@general(np.linalg.solve, jvp=_solve_jvp)
def solve(g, y, a, _b):
    """A Y = b.   dY = A^-1 (db - dA Y)   =>   b_bar = A^-H g,   A_bar = -b_bar Y^H.

    b is a vector if it has one axis, whatever the stack A: then Y has one axis fewer than A.
    """
    if y.ndim < a.ndim:
        b_bar = np.linalg.solve(H(a), g[..., None])
        return lambda: -(b_bar * np.conj(y)[..., None, :]), b_bar[..., 0]
    b_bar = np.linalg.solve(H(a), g)
    return lambda: -(b_bar @ H(y)), b_bar


@composite(np.linalg.solve)
def _solve_call(a, b):
    return apply(solve, array(a), array(b))


@composite(np.linalg.inv)
def _inv_call(a):
    return apply(inv, array(a))


@composite(np.linalg.tensorinv)
def tensorinv(a, ind=2):
    a = array(a)
    if ind <= 0:
        raise ValueError("Invalid ind argument.")
    rows = int(np.prod(a.shape[ind:]))
    return np.linalg.inv(a.reshape(rows, -1)).reshape(a.shape[ind:] + a.shape[:ind])


@composite(np.linalg.tensorsolve)
def tensorsolve(a, b, axes=None):
    a, b = array(a), array(b)
    if axes is not None:
        order = list(range(a.ndim))
        for k in axes:
            order.remove(k)
            order.insert(a.ndim, k)
        a = np.transpose(a, order)
    shape = a.shape[b.ndim - a.ndim :] if a.ndim != b.ndim else a.shape
    rows = int(np.prod(shape))
    if a.size != rows**2:
        np.linalg.tensorsolve(plain(a), plain(b))  # NumPy's own error
    return np.linalg.solve(a.reshape(rows, rows), b.reshape(-1)).reshape(shape)


@composite(np.linalg.matrix_power)
def matrix_power(a, n):
    """Repeated squaring, as NumPy multiplies."""
    a, n = array(a), operator.index(n)
    if n == 0:
        return np.linalg.matrix_power(plain(a), 0)
    if n < 0:
        a, n = np.linalg.inv(a), -n
    if n == 3:
        return a @ a @ a
    square = result = None
    while n:
        square = a if square is None else square @ square
        n, bit = divmod(n, 2)
        if bit:
            result = square if result is None else result @ square
    return result


# ---------------------------------------------------------------- determinants


def det_jvp(tangents, y, a):
    inverse = _inverse_beside(y, a)
    if inverse is None:
        return np.sum(apply(COFACTORS, a) * tangents[0], axis=(-2, -1))
    return y * np.sum(mT(inverse) * tangents[0], axis=(-2, -1))


@general(np.linalg.det, jvp=det_jvp)
def det(g, y, a):
    """d det = sum C * dA with the cofactors C = det(A) A^-T, finite where det is 0 too."""
    inverse = _inverse_beside(y, a)
    if inverse is None:
        return g[..., None, None] * np.conj(apply(COFACTORS, a))
    return (g * np.conj(y))[..., None, None] * H(inverse)


def _inverse_beside(y, a):
    """The inverse if det(A) inverse(A) has digits: neither is A singular, nor underflows y."""
    underflows = np.any(np.abs(plain(y)) < np.finfo(a.dtype).tiny)
    return None if underflows else _regular_inverse(a)


def cofactors(a):
    """The partial derivatives of det where A = U S V^H is (nearly) singular, exact at any rank:
    C = det(U) det(V^H) conj(U) diag(prod_(j != i) s_j) V^T."""
    u, s, vh = np.linalg.svd(a)
    phase = np.linalg.det(u) * np.linalg.det(vh)
    rest = _products_without(s, 1)
    return phase[..., None, None] * (columns(np.conj(u), rest) @ np.conj(vh))


def _regular_inverse(a):
    """The inverse if every matrix of the stack is so far from singular that it has digits."""
    try:
        inverse = np.linalg.inv(a)
    except np.linalg.LinAlgError:
        return None
    rows, inverse_rows = np.abs(plain(a)).sum(-1), np.abs(plain(inverse)).sum(-1)
    condition = rows.max(-1, initial=0.0) * inverse_rows.max(-1, initial=0.0)
    return inverse if np.all(condition < 1e-4 / np.finfo(a.dtype).eps) else None


def _products_without(s, count):
    """Products of all s but one (..., n), or but two (..., n, n) with a zero diagonal."""
    n = s.shape[-1]
    keep = ~np.eye(n, dtype=bool)
    if count == 2:
        keep = keep[:, None] & keep
    products = np.where(keep, s[(..., *[None] * count, slice(None))], 1.0).prod(-1)
    return products if count == 1 else np.where(np.eye(n, dtype=bool), 0.0, products)


@general(cofactors)
def _cofactors_rule(g, _y, a):
    """The Hessian of det is symmetric: the transpose of its product with a direction is itself."""
    return np.conj(_cofactors_along(a, np.conj(g)))


COFACTORS = _cofactors_rule


def _cofactors_along(a, e):
    """dC along E:   det(A) (tr(W^T E) W - W E^T W) with W = A^-T."""
    inverse = _regular_inverse(a)
    if inverse is None:
        return apply(SINGULAR, a, e)
    w = mT(inverse)
    trace = np.sum(w * e, axis=(-2, -1), keepdims=True)
    return np.linalg.det(a)[..., None, None] * (trace * w - w @ mT(e) @ w)


def cofactors_at_singular(a, e):
    """dC along E by the singular values, exact at any rank. With E~ = U^H E V and P_ij the product
    of all s but s_i, s_j:   C~_ii = sum_j P_ij E~_jj,   C~_ij = -P_ij E~_ji,
    dC = det(U) det(V^H) conj(U) C~ V^T."""
    u, s, vh = np.linalg.svd(a)
    phase = np.linalg.det(u) * np.linalg.det(vh)
    inner = H(u) @ e @ H(vh)
    p = _products_without(s, 2)
    traces = np.sum(p * diagonals(inner)[..., None, :], axis=-1)
    along = on_diagonal(traces) - p * mT(inner)
    return phase[..., None, None] * (np.conj(u) @ along @ np.conj(vh))


@general(cofactors_at_singular)
def _singular_rule(g, _y, a, _e):
    def third():
        raise NoRuleError(
            "the third derivative of np.linalg.det at a singular matrix has no rule",
            "Move the point, or write the determinant out in its elements.",
        )

    return third, np.conj(apply(SINGULAR, a, np.conj(g)))


SINGULAR = _singular_rule


@general(np.linalg.slogdet, multiple=True)
def slogdet(g, y, a):
    """d(log det) = tr(A^-1 dA) =: t;   d logabs = Re t,   d sign = i sign Im t (0 for real A).

    At a singular A, where the value is -inf, the slope is C / 0: inf, as that of log at 0.
    """
    g_sign, t_bar = g
    if g_sign is not None and y[0].dtype.kind == "c":
        turn = np.imag(g_sign * np.conj(y[0])) * 1j
        t_bar = turn if t_bar is None else t_bar + turn
    if t_bar is None:
        return None
    return t_bar[..., None, None] * H(_inverse_or_infinite(a, plain(y[0])))


def _inverse_or_infinite(a, sign):
    if np.all(sign):
        return np.linalg.inv(a)
    size = np.abs(mT(cofactors(plain(a))))
    singular = (sign == 0)[..., None, None]
    infinite = np.where(size > 0, np.inf, 0.0).astype(size.dtype)
    regular = np.linalg.inv(np.where(singular, np.eye(a.shape[-1], dtype=size.dtype), a))
    return np.where(singular, infinite, regular)
