"""Eigenvalues and singular values: ``np.linalg.eigh, eigvalsh, eig, eigvals, svd, svdvals``.

Vectors have the phases that LAPACK gives them: one entry of each is real (``phases.anchor``).

Where values repeat (see ``repeated``):

* A symmetric function of the values, or a function of the space that the vectors span, has right
  derivatives. Values that tie and have different cotangents share them (a kink, as in ``max``).
* Reverse mode refuses what depends on the choice of the vectors, and values and vectors used
  together: the derivative of V f(w) V^H needs f' between the vectors, which the cotangents at the
  point do not tell.
* Forward mode takes the limit along its direction: the values get their one-sided slopes, the
  vectors of one repeated value are turned to the limit of those nearby, and every function that
  does not depend on their choice has a right derivative; so has its gradient (``chainrule.hvp``).

What neither can see is a result that does depend on the choice where that does not show at the
point. Forward mode: how fast the vectors of one value turn into each other depends on the second
derivative of A along the direction (perturbation theory of degenerate values), which a tangent does
not carry; it is taken to be 0, and whether the result cares is decided by what follows. Reverse
mode: cotangents that vanish, or that are Hermitian by chance (``np.sum(v[:, 0] ** 4)`` at A = 1),
are those of a function that does not depend on it. ``chainrule.check`` does not pass such a
function: its values jump from point to point.
"""

import numpy as np

from chainrule.core.primitive import General, apply, composite, general
from chainrule.core.trace import _like, plain
from chainrule.rules import phases, repeated
from chainrule.rules.matrices import (
    H,
    array,
    columns,
    diagonals,
    folded,
    on_diagonal,
    plus_diagonal,
    triangle,
    unfolded,
)
from chainrule.rules.repeated import inverse_gaps, over_gaps, spread, steady

# ---------------------------------------------------------------- Hermitian matrices


def _first_or_last(v, UPLO):
    """LAPACK's phases: the first entry of each vector is real, the last for UPLO = 'U'."""
    return phases.anchor(v, 0 if UPLO.upper() == "L" else -1)


def _eigh_turned(tangents, y, a, *, UPLO="L"):
    """The eigenvectors, turned within repeated eigenvalues to their limits along the tangent."""
    w, v = y
    same = repeated.clusters(w)
    if not repeated.any_in(same):
        return y
    e = H(plain(v)) @ unfolded(plain(tangents[0]), UPLO.upper() == "L") @ plain(v)
    turn = repeated.turn(e, same)
    if turn is None:
        return y
    repeated.refuse_inner_forward("np.linalg.eigh", v, tangents[0])
    return _like(y, [w, v @ turn])


def _eigh_jvp(tangents, y, _a, *, UPLO="L"):
    w, v = y
    e = H(v) @ unfolded(tangents[0], UPLO.upper() == "L") @ v
    dv = v @ (inverse_gaps(w, repeated.clusters(w)) * e)
    return np.real(diagonals(e)), phases.with_phase(dv, v, _first_or_last(v, UPLO))


@general(np.linalg.eigh, multiple=True, jvp=_eigh_jvp, turn=_eigh_turned)
def eigh(g, y, _a, *, UPLO="L"):
    """A = V diag(w) V^H.   dw = diag(V^H dA V),   dV = V (F * V^H dA V),   F_ij = 1/(w_j - w_i).

    F is 0 where w_i = w_j: what a rotation among the vectors of one eigenvalue changes, is no
    function of A. Only the triangle that UPLO names is read.
    """
    g_w, g_v = g
    w, v = y
    lower = UPLO.upper() == "L"
    if g_v is None and repeated.are_apart(w):
        return triangle(columns(v, 2 * g_w) @ H(v), lower)
    if g_v is None:
        return folded(spread(v, g_w, v, repeated.clusters(w), "eigenvalues"), lower)
    g_v = phases.pulled_phase(g_v, v, _first_or_last(v, UPLO), "eigh")
    x = H(v) @ g_v
    if repeated.are_apart(w):
        x = x / repeated.gaps(w)
        return folded(v @ (x if g_w is None else plus_diagonal(x, g_w)) @ H(v), lower)
    same = repeated.clusters(w)
    if not repeated.any_in(same):
        inner = over_gaps(w, same, x, g_v)
        return folded(v @ (inner if g_w is None else inner + on_diagonal(g_w)) @ H(v), lower)
    repeated.refuse_undetermined("eigenvalues", same, x, g_v, g_w)
    a_bar = v @ over_gaps(steady(w, "eigenvalues"), same, x, g_v) @ H(v)
    return folded(a_bar if g_w is None else a_bar + spread(v, g_w, v, same, "eigenvalues"), lower)


@composite(np.linalg.eigh)
def _eigh_call(a, UPLO="L"):
    return apply(eigh, array(a), UPLO=UPLO)


def values_and_vectors(a, *, UPLO="L"):
    """The eigenvalues as np.linalg.eigvalsh has them, and for their derivatives the vectors."""
    return np.linalg.eigvalsh(a, UPLO), np.linalg.eigh(a, UPLO)[1]


VALUES = General("eigvalsh", values_and_vectors, eigh.vjp_rule, _eigh_jvp, multiple=True)
VALUES.turn = _eigh_turned


@composite(np.linalg.eigvalsh)
def _eigvalsh_call(a, UPLO="L"):
    return apply(VALUES, array(a), UPLO=UPLO)[0]


# ---------------------------------------------------------------- other square matrices


def _eig_jvp(tangents, y, _a):
    w, v = y
    same = repeated.pairs(w)
    repeated.refuse_repeated("np.linalg.eig", same)
    e = np.linalg.solve(v, tangents[0] @ v)
    dv = v @ (inverse_gaps(w, same) * e)
    dv = dv - columns(v, np.real(np.sum(np.conj(v) * dv, axis=-2)))
    return diagonals(e), phases.with_phase(dv, v, phases.largest(v))


@general(np.linalg.eig, multiple=True, jvp=_eig_jvp)
def eig(g, y, _a):
    """A V = V diag(w), |v_i| = 1 and the largest entry of v_i real.   E = V^-1 dA V,
    dw = diag(E),   dV = V (F * E), less what would change the lengths and the phases."""
    g_w, g_v = g
    w, v = y
    same = repeated.pairs(w)
    inner = 0.0 if g_w is None else on_diagonal(repeated.shared_or_refused(g_w, g_v, v, same))
    if g_v is not None:
        repeated.refuse_repeated("np.linalg.eig", same)
        g_v = phases.pulled_phase(g_v, v, phases.largest(v), "eig")
        lengths = np.real(np.sum(np.conj(v) * g_v, axis=-2))
        along = H(v) @ (g_v - columns(v, lengths))
        inner = inner + np.conj(inverse_gaps(w, same)) * along
    return np.linalg.solve(H(v), inner @ H(v))


def _eigvals_jvp(tangents, _y, a):
    w, v = np.linalg.eig(a)
    slopes = diagonals(np.linalg.solve(v, tangents[0] @ v))
    return repeated.mean_or_refused(slopes, v, repeated.pairs(w))


@general(np.linalg.eigvals, jvp=_eigvals_jvp)
def eigvals(g, _y, a):
    """dw = diag(V^-1 dA V)."""
    w, v = np.linalg.eig(a)
    g = repeated.shared_or_refused(g, None, v, repeated.pairs(w))
    return np.linalg.solve(H(v), on_diagonal(g) @ H(v))


# ---------------------------------------------------------------- singular values


def svd_full(a, *, full_matrices=True):
    return np.linalg.svd(a, full_matrices)


def _thin(u, s, vh):
    k = s.shape[-1]
    return u[..., :k], H(vh)[..., :k]


def _svd_turned(tangents, y, a, **params):
    """The singular vectors, turned within repeated and zero values to their limits."""
    u, s, vh = y
    if not repeated.any_singular(s, a.shape):
        return y
    turned = repeated.singular_turned(plain(u), plain(s), plain(vh), plain(tangents[0]))
    if turned is None:
        return y
    repeated.refuse_inner_forward("np.linalg.svd", u, tangents[0])
    return _like(y, [turned[0], s, turned[1]])


def _quotients(s, positive):
    """1/(s_j + s_i) and 1/s, with 0 for 1/0."""
    if type(s) is np.ndarray and positive.all():
        return 1 / (s[..., None, :] + s[..., :, None]), 1 / s
    both = positive[..., None, :] | positive[..., :, None]
    sums = np.where(both, s[..., None, :] + s[..., :, None], 1.0)
    over_s = np.where(positive, 1 / np.where(positive, s, 1.0), 0.0)
    return np.where(both, 1 / sums, 0.0), over_s


def _svd_jvp(tangents, y, a, **_params):
    u, s, vh = y
    da = tangents[0]
    u1, v1 = _thin(u, s, vh)
    positive = repeated.is_positive(s, a.shape)
    f = inverse_gaps(s, repeated.clusters(s))
    t, over_s = _quotients(s, positive)
    e = H(u1) @ da @ v1
    turn, slide = f * (e + H(e)) * 0.5, t * (e - H(e)) * 0.5
    du = u1 @ (turn + slide) + columns(da @ v1 - u1 @ e, over_s)
    dv = v1 @ (turn - slide) + columns(H(da) @ u1 - v1 @ H(e), over_s)
    du, dv = phases.with_phases(du, dv, u1, v1, positive)
    du, dv = _with_rest(du, u, u1), _with_rest(dv, H(vh), v1)
    return du, np.real(diagonals(e)), H(dv)


def _with_rest(du, u, u1):
    """The tangent of a full basis: dU2 = -U1 dU1^H U2."""
    k = u1.shape[-1]
    if u.shape[-1] == k:
        return du
    return np.concatenate([du, -u1 @ (H(du) @ u[..., k:])], axis=-1)


@general(svd_full, name="svd", multiple=True, jvp=_svd_jvp, turn=_svd_turned)
def svd(g, y, _a, **_params):
    """A = U S V^H.   E = U^H dA V,   dS = Re diag(E),   dU = U W + ...,   dV = V Z + ... with

        W + Z = (E + E^H)_ij / (s_j - s_i),     W - Z = (E - E^H)_ij / (s_j + s_i)

    skew-Hermitian, and dU, dV outside the ranges of U and V: (1 - U U^H) dA V S^-1, and alike.
    0 stands for 1/0: repeated values leave a rotation free, which is no function of A.
    """
    g_u, g_s, g_vh = g
    u, s, vh = y
    u1, v1 = _thin(u, s, vh)
    positive = repeated.is_positive(s, (u.shape[-2], vh.shape[-1]))
    apart = positive.all() and repeated.are_apart(s)
    same = None if apart else repeated.clusters(s)
    if g_u is None and g_vh is None:
        if apart:
            return columns(u1, g_s) @ H(v1)
        return spread(u1, g_s, v1, same, "singular values", positive)
    g_u = np.zeros_like(u) if g_u is None else g_u
    g_v = np.zeros_like(H(vh)) if g_vh is None else H(g_vh)
    if apart or (positive.all() and not repeated.any_in(same)):
        if max(u.shape[-1], vh.shape[-2]) > s.shape[-1]:
            repeated.refuse_null(positive, (u, g_u), (H(vh), g_v))
        return _pulled_singular(g_u, g_v, g_s, u, s, H(vh), same, positive)
    repeated.refuse_undetermined_svd(same, positive, (u, g_u), (H(vh), g_v), g_s)
    s = steady(s, "singular values")
    a_bar = _pulled_singular(g_u, g_v, None, u, s, H(vh), same, positive)
    if g_s is None:
        return a_bar
    return a_bar + spread(u1, g_s, v1, same, "singular values", positive)


def _pulled_singular(g_u, g_v, g_s, u, s, v, same, positive):
    k = s.shape[-1]
    u1, v1 = u[..., :k], v[..., :k]
    left, right = g_u[..., :k], g_v[..., :k]
    left, right = phases.pulled_phases(left, right, u1, v1, positive)
    t, over_s = _quotients(s, positive)
    x_u, x_v = H(u1) @ left, H(v1) @ right
    turn = x_u + x_v
    turn = turn / repeated.gaps(s) if same is None else over_gaps(s, same, turn, left, right)
    slide = t * (x_u - x_v)
    inner = (turn + H(turn) + slide - H(slide)) * 0.5
    on_left = u1 @ (inner if g_s is None else plus_diagonal(inner, g_s))
    if u.shape[-2] > k:
        on_left = on_left + _outside(u, u1, left, g_u[..., k:], x_u, over_s)
    a_bar = on_left @ H(v1)
    if v.shape[-2] > k:
        a_bar = a_bar + u1 @ H(_outside(v, v1, right, g_v[..., k:], x_v, over_s))
    return a_bar


def _outside(u, u1, g1, g2, x, over_s):
    """(1 - U1 U1^H) g1 S^-1, and where U is a full basis [U1 U2] the reaction of U2 too."""
    k = u1.shape[-1]
    if u.shape[-1] == k:
        return columns(g1 - u1 @ x, over_s)
    u2 = u[..., k:]
    return u2 @ columns(H(u2) @ g1 - H(g2) @ u1, over_s)


def pushed_values(tangents, parts, a):
    """The tangent of the singular values of A = U S V^H."""
    u, s, vh = parts
    da = tangents[0]
    if repeated.any_singular(s, a.shape):
        turned = repeated.singular_turned(plain(u), plain(s), plain(vh), plain(da))
        if turned is not None:
            repeated.refuse_inner_forward("np.linalg.svdvals", u, da)
            u, vh = turned
    return np.real(np.sum(np.conj(u) * (da @ H(vh)), axis=-2))


def pulled_values(g, s, a):
    """The cotangent of a matrix from that of its singular values."""
    u, _, vh = np.linalg.svd(a, full_matrices=False)
    positive = repeated.is_positive(s, a.shape)
    return spread(u, g, H(vh), repeated.clusters(s), "singular values", positive)


def singular_values_and_vectors(a):
    """The singular values as np.linalg.svdvals has them, and for their derivatives the vectors."""
    u, _, vh = np.linalg.svd(a, full_matrices=False)
    return u, np.linalg.svd(a, compute_uv=False), vh


SINGULAR_VALUES = General(
    "svdvals", singular_values_and_vectors, svd.vjp_rule, _svd_jvp, multiple=True
)
SINGULAR_VALUES.turn = _svd_turned


@composite(np.linalg.svd)
def _svd_call(a, full_matrices=True, compute_uv=True, hermitian=False):
    a = array(a)
    if not hermitian:
        return (
            apply(svd, a, full_matrices=bool(full_matrices)) if compute_uv else np.linalg.svdvals(a)
        )
    if not compute_uv:
        return np.flip(np.sort(np.abs(np.linalg.eigvalsh(a)), axis=-1), -1)
    w, v = np.linalg.eigh(a)
    order = np.argsort(np.abs(plain(w)))[..., ::-1]
    w = np.take_along_axis(w, order, axis=-1)
    u = np.take_along_axis(v, order[..., None, :], axis=-1)
    sign = np.copysign(1.0, plain(w)).astype(plain(w).dtype)
    return type(np.linalg.svd(np.eye(1)))(u, np.abs(w), H(columns(u, sign)))


@composite(np.linalg.svdvals)
def _svdvals_call(x):
    return apply(SINGULAR_VALUES, array(x))[1]
