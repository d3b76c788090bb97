"""``np.linalg``: solving, factorisations, eigenvalues, singular values, norms.

Notation: ``H(A)`` is the conjugate transpose of the last two axes, so that with
<A, B> = Re tr(A^H B) every rule holds for real and complex matrices and for stacks of them. What a
factorisation does not read (the other triangle) has slope zero: derivatives are those of the
numbers that come back. A second rule (``jvp=``) stands where transposing the first took 1.6 to 2
times as long (norm, solve).
Most formulas: Giles, *Collected matrix derivative results for forward and reverse mode AD* (2008).
"""

import operator
import warnings

import numpy as np

from chainrule.base.errors import NoRuleError, message
from chainrule.core.array import as_operand
from chainrule.core.primitive import apply, composite, general, piecewise_constant
from chainrule.core.trace import is_traced, plain


def mT(x):
    """The transpose of each matrix of a stack."""
    return np.swapaxes(x, -1, -2)


def H(x):
    """The conjugate transpose of each matrix of a stack."""
    return np.conj(mT(x)) if x.dtype.kind == "c" else mT(x)


def _array(x):
    """An operand as an array: nested lists (of traced values too) are what NumPy reads them as."""
    return x if hasattr(x, "ndim") else as_operand(x)


def _tri(x, k=0):
    """The mask of the lower triangle, up to the k-th diagonal, of the matrices of x."""
    rows, columns = x.shape[-2:]
    return np.tri(rows, columns, k, dtype=bool)


def _eye(x):
    return np.eye(x.shape[-1], dtype=bool)


def _on_diagonal(d):
    """Diagonal matrices of the vectors in the last axis."""
    return d[..., None, :] * _eye(d)


def _columns(x, d):
    """X diag(d)."""
    return x * d[..., None, :]


def _folded(s, lower=True):
    """The cotangent of the triangle that was read, from the Hermitian one of the whole matrix.

    A_ij and A_ji = conj(A_ij) are one number: the triangle gets both, the other one nothing.
    """
    s = (s + H(s)) * 0.5
    strict = _tri(s, -1) if lower else _tri(s, -1).T
    return s * (2.0 * strict + _eye(s)).astype(plain(s).real.dtype)


# ---------------------------------------------------------------- inverse and systems


@general(np.linalg.inv)
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
    return apply(solve, _array(a), _array(b))


@composite(np.linalg.inv)
def _inv_call(a):
    return apply(inv, _array(a))


@composite(np.linalg.tensorinv)
def tensorinv(a, ind=2):
    a = _array(a)
    if ind <= 0:
        raise ValueError("Invalid ind argument.")
    rows = int(np.prod(a.shape[ind:]))
    return np.linalg.inv(a.reshape(rows, -1)).reshape(a.shape[ind:] + a.shape[:ind])


@composite(np.linalg.tensorsolve)
def tensorsolve(a, b, axes=None):
    a, b = _array(a), _array(b)
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
    a, n = _array(a), operator.index(n)
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


@general(np.linalg.det)
def det(g, _y, a):
    """d det = sum C * dA with the cofactors C, which are finite also where det is 0."""
    return g[..., None, None] * np.conj(apply(COFACTORS, a))


def cofactors(a):
    """The partial derivatives of det: det(A) A^-T, and where A is (nearly) singular from
    A = U S V^H:   C = det(U) det(V^H) conj(U) diag(prod_(j != i) s_j) V^T."""
    if _is_regular(a):
        return np.linalg.det(a)[..., None, None] * mT(np.linalg.inv(a))
    u, s, vh = np.linalg.svd(a)
    phase = np.linalg.det(u) * np.linalg.det(vh)
    rest = _products_without(s, 1)
    return phase[..., None, None] * (_columns(np.conj(u), rest) @ np.conj(vh))


def _is_regular(a):
    """Whether every matrix of the stack is so far from singular that its inverse has digits."""
    try:
        inverse = np.linalg.inv(a)
    except np.linalg.LinAlgError:
        return False
    size = np.abs(a).sum(-1).max(-1, initial=0.0) * np.abs(inverse).sum(-1).max(-1, initial=0.0)
    return bool(np.all(size < 1e-4 / np.finfo(a.dtype).eps))


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
    if not _is_regular(plain(a)):
        return apply(SINGULAR, a, e)
    w = mT(np.linalg.inv(a))
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
    traces = np.sum(p * np.diagonal(inner, axis1=-2, axis2=-1)[..., None, :], axis=-1)
    along = _on_diagonal(traces) - p * mT(inner)
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
    """d(log det) = tr(A^-1 dA) =: t;   d logabs = Re t,   d sign = i sign Im t (0 for real A)."""
    g_sign, t_bar = g
    if g_sign is not None and y[0].dtype.kind == "c":
        turn = np.imag(g_sign * np.conj(y[0])) * 1j
        t_bar = turn if t_bar is None else t_bar + turn
    if t_bar is None:
        return None
    return t_bar[..., None, None] * H(np.linalg.inv(a))


# ---------------------------------------------------------------- Cholesky and QR


@general(np.linalg.cholesky)
def cholesky(g, y, _a, *, upper=False):
    """A = L L^H.   dL = L Phi(L^-1 dA L^-H), Phi the lower triangle with half the diagonal, so that
    A_bar = L^-H Phi(L^H g) L^-1, Hermitian part, folded onto the triangle that NumPy reads."""
    if upper:
        y, g = H(y), H(g)
    inner = H(y) @ g
    phi = inner * (_tri(inner) - 0.5 * _eye(inner)).astype(plain(inner).real.dtype)
    inverse = np.linalg.inv(y)
    return _folded(H(inverse) @ phi @ inverse, lower=not upper)


def qr_reduced(a):
    return np.linalg.qr(a)


@general(qr_reduced, name="qr", multiple=True)
def qr(g, y, _a):
    """A = Q R with m >= n: C = Q^H dA R^-1 = Q^H dQ + dR R^-1, skew-Hermitian plus upper triangular
    with a real diagonal. Of a wide A = [A1 A2], A1 = Q R1 and R2 = Q^H A2."""
    g_q, g_r = g
    q, r = y
    m, n = q.shape[-2], r.shape[-1]
    g_q = np.zeros_like(q) if g_q is None else g_q
    g_r = np.zeros_like(r) if g_r is None else g_r
    if m >= n:
        return _tall_qr(g_q, g_r, q, r)
    a2 = q @ r[..., m:]
    g_q = g_q + a2 @ H(g_r[..., m:])
    left = _tall_qr(g_q, g_r[..., :m], q, r[..., :m])
    return np.concatenate([left, q @ g_r[..., m:]], axis=-1)


def _tall_qr(g_q, g_r, q, r):
    omega = H(q) @ g_q
    t = g_r @ H(r)
    low = omega - H(omega) + H(t)
    c_bar = (
        low * _tri(low, -1)
        + t * _tri(t, -1).T
        + (low + t) * (0.5 * _eye(t)).astype(plain(t).real.dtype)
    )
    return mT(np.linalg.solve(np.conj(r), mT(g_q + q @ (c_bar - omega))))


@composite(np.linalg.qr)
def _qr_call(a, mode="reduced"):
    a = _array(a)
    m, n = a.shape[-2:] if a.ndim > 1 else (0, 0)
    if mode == "reduced" or (mode == "complete" and m <= n):
        return apply(qr, a)
    if mode == "r":
        return apply(qr, a)[1]
    np.linalg.qr(plain(a), mode)  # NumPy's own errors first
    raise NoRuleError(
        f"np.linalg.qr with mode={mode!r} has no derivative rule",
        "Use mode='reduced' or mode='r': the columns beyond the range of A are arbitrary.",
    )


# ---------------------------------------------------------------- eigenvalues


def _inverse_gaps(w):
    """1 / (w_j - w_i), and 0 where the two are equal to rounding; where they are."""
    gaps = w[..., None, :] - w[..., :, None]
    size = np.abs(plain(w)).max(-1, initial=0.0)[..., None, None]
    equal = np.abs(plain(gaps)) <= w.shape[-1] * np.finfo(plain(w).dtype).eps * size
    return np.where(equal, 0.0, 1 / np.where(equal, 1.0, gaps)), equal


def _warn_if_mixed(name, what, equal, along):
    """Of repeated values the vectors' own slopes do not exist; V f(w) V^H needs f' between them,
    which the cotangents of w and V at the point do not tell: say so where they are asked for."""
    if np.any(plain(along)[equal & ~_eye(equal)]):
        warnings.warn(
            message(
                f"{name} at repeated {what}: the derivative through their vectors is right for "
                "functions of the space they span (projectors, sums over all), and not for single "
                "vectors or functions of the matrix such as sqrt, log, exp",
                f"Move the point, or use the {what} only.",
            ),
            RuntimeWarning,
            stacklevel=2,
        )


@general(np.linalg.eigh, multiple=True)
def eigh(g, y, _a, *, UPLO="L"):
    """A = V diag(w) V^H.   dw = diag(V^H dA V),   dV = V (F * V^H dA V),   F_ij = 1/(w_j - w_i).

    F is 0 where w_i = w_j: what a rotation among the vectors of one eigenvalue changes, is no
    function of A. Only the triangle that UPLO names is read.
    """
    g_w, g_v = g
    w, v = y
    inner = 0.0 if g_w is None else _on_diagonal(g_w)
    if g_v is not None:
        f, equal = _inverse_gaps(w)
        along = H(v) @ g_v
        _warn_if_mixed("np.linalg.eigh", "eigenvalues", equal, along)
        inner = inner + f * along
    return _folded(v @ inner @ H(v), UPLO.upper() == "L")


@general(np.linalg.eigvalsh)
def eigvalsh(g, _y, a, *, UPLO="L"):
    """dw = diag(V^H dA V)."""
    _, v = np.linalg.eigh(a, UPLO)
    return _folded(_columns(v, g) @ H(v), UPLO.upper() == "L")


@general(np.linalg.eig, multiple=True)
def eig(g, y, _a):
    """A V = V diag(w), |v_i| = 1.   E = V^-1 dA V,   dw = diag(E),   dV = V (F * E), less what
    would change the lengths. For functions that do not depend on the phases of the vectors."""
    g_w, g_v = g
    w, v = y
    inner = 0.0 if g_w is None else _on_diagonal(g_w)
    if g_v is not None:
        f, equal = _inverse_gaps(w)
        along = H(v) @ g_v
        _warn_if_mixed("np.linalg.eig", "eigenvalues", equal, along)
        lengths = np.real(np.diagonal(along, axis1=-2, axis2=-1))
        inner = inner + np.conj(f) * (along - _columns(H(v) @ v, lengths))
    return np.linalg.solve(H(v), inner @ H(v))


@general(np.linalg.eigvals)
def eigvals(g, _y, a):
    """dw = diag(V^-1 dA V)."""
    _, v = np.linalg.eig(a)
    return np.linalg.solve(H(v), _on_diagonal(g) @ H(v))


for _fun, _primitive in (
    (np.linalg.eigh, eigh),
    (np.linalg.eigvalsh, eigvalsh),
):

    @composite(_fun)
    def _triangle_call(a, UPLO="L", _primitive=_primitive):
        return apply(_primitive, _array(a), UPLO=UPLO)


# ---------------------------------------------------------------- singular values


def svd_full(a, *, full_matrices=True):
    return np.linalg.svd(a, full_matrices)


def singular_values(a):
    return np.linalg.svd(a, compute_uv=False)


def _is_positive(s, shape):
    """1 where a singular value is above rounding: at 0 it has a kink, and slope 0 as ``abs``."""
    s = plain(s)
    tolerance = max(shape) * np.finfo(s.dtype).eps * s.max(-1, keepdims=True, initial=0.0)
    return s > tolerance


@general(svd_full, name="svd", multiple=True)
def svd(g, y, _a, *, full_matrices=True):
    """A = U S V^H.   E = U^H dA V,   dS = Re diag(E),   dU = U W + ...,   dV = V Z + ... with

        W + Z = (E + E^H)_ij / (s_j - s_i),     W - Z = (E - E^H)_ij / (s_j + s_i)

    skew-Hermitian, and dU, dV outside the ranges of U and V: (1 - U U^H) dA V S^-1, and alike.
    0 stands for 1/0: repeated values leave a rotation free, which is no function of A.
    """
    g_u, g_s, g_vh = g
    u, s, vh = y
    k = s.shape[-1]
    u1, v1 = u[..., :k], H(vh)[..., :k]
    positive = _is_positive(s, (u.shape[-2], vh.shape[-1]))
    inner = 0.0 if g_s is None else _on_diagonal(g_s * positive)
    outer = 0.0
    if g_u is not None or g_vh is not None:
        f, equal = _inverse_gaps(s)
        both = positive[..., None, :] | positive[..., :, None]
        t = np.where(both, 1 / np.where(both, s[..., None, :] + s[..., :, None], 1.0), 0.0)
        over_s = np.where(positive, 1 / np.where(positive, s, 1.0), 0.0)
        x_u = x_v = 0.0
        if g_u is not None:
            x_u = H(u1) @ g_u[..., :k]
            outer = outer + _outside(u, u1, g_u, x_u, over_s) @ H(v1)
        if g_vh is not None:
            g_v = H(g_vh)
            x_v = H(v1) @ g_v[..., :k]
            outer = outer + u1 @ H(_outside(H(vh), v1, g_v, x_v, over_s))
        _warn_if_mixed("np.linalg.svd", "singular values", equal, x_u + x_v)
        turn, slide = f * (x_u + x_v) * 0.5, t * (x_u - x_v) * 0.5
        inner = inner + turn + H(turn) + slide - H(slide)
    return u1 @ inner @ H(v1) + outer


def _outside(u, u1, g, x, over_s):
    """(1 - U1 U1^H) g1 S^-1, and where U is a full basis [U1 U2] the reaction of U2 too."""
    k = u1.shape[-1]
    if u.shape[-1] == k:
        return _columns(g - u1 @ x, over_s)
    u2 = u[..., k:]
    return u2 @ _columns(H(u2) @ g[..., :k] - H(g[..., k:]) @ u1, over_s)


@general(singular_values, name="svdvals")
def svdvals(g, y, a):
    """dS = Re diag(U^H dA V)."""
    u, _, vh = np.linalg.svd(a, full_matrices=False)
    return _columns(u, g * _is_positive(y, a.shape[-2:])) @ vh


@composite(np.linalg.svd)
def _svd_call(a, full_matrices=True, compute_uv=True, hermitian=False):
    a = _array(a)
    if not hermitian:
        return apply(svd, a, full_matrices=bool(full_matrices)) if compute_uv else apply(svdvals, a)
    if not compute_uv:
        return np.flip(np.sort(np.abs(np.linalg.eigvalsh(a)), axis=-1), -1)
    w, v = np.linalg.eigh(a)
    order = np.argsort(np.abs(plain(w)))[..., ::-1]
    w = np.take_along_axis(w, order, axis=-1)
    u = np.take_along_axis(v, order[..., None, :], axis=-1)
    sign = np.copysign(1.0, plain(w)).astype(plain(w).dtype)
    return type(np.linalg.svd(np.eye(1)))(u, np.abs(w), H(_columns(u, sign)))


@composite(np.linalg.svdvals)
def _svdvals_call(x):
    return apply(svdvals, _array(x))


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
    a = _array(a)
    tolerance = {"rcond": plain(rcond), **plain(rtol)}
    if not hermitian:
        return apply(pinv, a, **tolerance)
    low = a * _tri(a, -1)
    diagonal = a * _eye(a)
    whole = low + H(low) + (np.real(diagonal) if a.dtype.kind == "c" else diagonal)
    return apply(pinv, whole, hermitian=True, **tolerance)


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
        u, _, vh = np.linalg.svd(a, full_matrices=False)
        a_bar = a_bar + _columns(u, g_s * _is_positive(y[3], a.shape)) @ vh
    return a_bar, b_bar[:, 0] if y[0].ndim == 1 else b_bar


def _least_squares_tolerance(a, rcond):
    """Below which LAPACK, which works in double precision, takes a singular value for 0."""
    eps = float(np.finfo(float).eps)
    if rcond is None:
        return max(a.shape) * eps
    return rcond if rcond >= 0 else eps


@composite(np.linalg.lstsq)
def _lstsq_call(a, b, rcond=None):
    x, residuals, rank, s = apply(lstsq, _array(a), _array(b), rcond=plain(rcond))
    return x, residuals, np.int32(plain(rank)), s


@composite(np.linalg.cond)
def cond(x, p=None):
    x = _array(x)
    if p is None or p in (2, -2):
        s = np.linalg.svd(x, compute_uv=False)
        first, last = s[..., 0], s[..., -1]
        with np.errstate(all="ignore"):
            return last / first if p == -2 else first / last
    inverse = np.linalg.inv(x.astype(np.result_type(x.dtype, np.float64)))  # not rounded to single
    y = np.linalg.norm(x, p, axis=(-2, -1)) * np.linalg.norm(inverse, p, axis=(-2, -1))
    return y.astype(x.real.dtype)


piecewise_constant(np.linalg.matrix_rank)


# ---------------------------------------------------------------- norms


def _spread(g, axis, keepdims):
    """A reduced cotangent with the axes that were summed, of length one."""
    return g if axis is None or keepdims else np.expand_dims(g, axis)


def euclidean_norm(x, *, axis=None, keepdims=False):
    return np.linalg.norm(x, None, axis, keepdims)


def _norm_jvp(tangents, y, x, *, axis=None, keepdims=False):
    products = np.conj(x) * tangents[0] if x.dtype.kind == "c" else x * tangents[0]
    along = np.sum(np.real(products), axis=axis, keepdims=keepdims)
    if not y.shape:
        return along / y if y != 0 else 0.0 * along
    zero = plain(y) == 0
    return np.where(zero, 0.0, along / np.where(zero, 1.0, y))


@general(euclidean_norm, name="norm", jvp=_norm_jvp)
def norm(g, y, x, *, axis=None, keepdims=False):
    """x_bar = g x / |x|, and 0 at x = 0."""
    if not y.shape:
        return x * (g / y if y != 0 else 0.0 * g)
    zero = plain(y) == 0
    return x * _spread(np.where(zero, 0.0, g / np.where(zero, 1.0, y)), axis, keepdims)


def power_norm(x, *, p, axis=None, keepdims=False):
    return np.linalg.norm(x, p, axis, keepdims)


@general(power_norm)
def _power_norm_rule(g, y, x, *, p, axis=None, keepdims=False):
    """y = (sum |x|^p)^(1/p):   x_bar = g sign(x) (|x| / y)^(p - 1), and 0 where x is 0."""
    y, g = _spread(y, axis, keepdims), _spread(g, axis, keepdims)
    at_zero = (plain(x) == 0) | (plain(y) == 0)
    size = np.where(at_zero, 1.0, np.abs(x))
    slope = (size / np.where(plain(y) == 0, 1.0, y)) ** (p - 1)
    return g * np.where(at_zero, 0.0, x / size * slope)


def _singular_norm(x, axes, reduce):
    s = np.linalg.svd(np.moveaxis(x, axes, (-2, -1)), compute_uv=False)
    return reduce(s, axis=-1)


def _vector_norm(x, order, axis, keepdims):
    if order is None or order == 2:
        return apply(norm, x, axis=axis, keepdims=keepdims)
    if isinstance(order, str):
        raise ValueError(f"Invalid norm order '{order}' for vectors")
    if order == np.inf:
        return _largest(np.abs(x), axis, keepdims)
    if order == -np.inf:
        return np.min(np.abs(x), axis=axis, keepdims=keepdims)
    if order == 1:
        return np.sum(np.abs(x), axis=axis, keepdims=keepdims)
    if order == 0:  # counts: piecewise constant
        return np.linalg.norm(plain(x), 0, axis, keepdims)
    return apply(_power_norm_rule, x, p=order, axis=axis, keepdims=keepdims)


def _largest(x, axis, keepdims=False):
    """The maximum, or 0 of nothing."""
    return (
        np.max(x, axis=axis, keepdims=keepdims)
        if x.size
        else np.sum(x, axis=axis, keepdims=keepdims)
    )


def _matrix_norm(x, order, axis, keepdims):
    row, column = (int(i) % x.ndim if -x.ndim <= i < x.ndim else i for i in axis)
    if order in (None, "fro", "f"):
        return apply(norm, x, axis=(row, column), keepdims=keepdims)
    if order == "nuc":
        y = _singular_norm(x, (row, column), np.sum)
    elif order == 2:
        y = _singular_norm(x, (row, column), _largest)
    elif order == -2:
        y = _singular_norm(x, (row, column), np.min)
    else:
        along, across = (row, column) if abs(order) == 1 else (column, row)
        sums = np.sum(np.abs(x), axis=along)
        across -= across > along
        y = _largest(sums, across) if order > 0 else np.min(sums, axis=across)
    return np.expand_dims(y, (row, column)) if keepdims else y


@composite(np.linalg.norm)
def _norm_call(x, ord=None, axis=None, keepdims=False):
    x = _array(x)
    if is_traced(ord):
        raise NoRuleError(
            "np.linalg.norm has no derivative rule for ord", "Write np.sum(np.abs(x)**p)**(1/p)."
        )
    ord = plain(ord)
    if axis is None:
        if ord is None or (ord == 2 and x.ndim == 1):
            return apply(norm, x, keepdims=keepdims)
        axis = tuple(range(x.ndim))
    elif not isinstance(axis, tuple):
        axis = (int(axis),)
    if len(axis) == 1:
        return _vector_norm(x, ord, axis[0], keepdims)
    if len(axis) != 2 or axis[0] % x.ndim == axis[1] % x.ndim or not _is_matrix_order(ord):
        np.linalg.norm(plain(x), ord, axis)  # NumPy's own error
    return _matrix_norm(x, ord, axis, keepdims)


def _is_matrix_order(order):
    return order in (None, "fro", "f", "nuc", 1, -1, 2, -2, np.inf, -np.inf)


@composite(np.linalg.matrix_norm)
def matrix_norm(x, /, *, keepdims=False, ord="fro"):
    return np.linalg.norm(_array(x), ord, axis=(-2, -1), keepdims=keepdims)


@composite(np.linalg.vector_norm)
def vector_norm(x, /, *, axis=None, keepdims=False, ord=2):
    """Over several axes: those axes are made one in front."""
    x = _array(x)
    if axis is not None and not isinstance(axis, tuple):
        return np.linalg.norm(x, ord, axis=axis, keepdims=keepdims)
    axes = tuple(range(x.ndim)) if axis is None else axis
    y = np.linalg.norm(
        np.moveaxis(x, axes, range(len(axes))).reshape(-1, *_rest(x.shape, axes)), ord, axis=0
    )
    return np.expand_dims(y, axes) if keepdims else y


def _rest(shape, axes):
    gone = {a % len(shape) for a in axes}
    return [n for i, n in enumerate(shape) if i not in gone]
