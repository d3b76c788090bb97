"""Repeated eigenvalues and singular values: what is determined there, and the errors where not.

The vectors of one repeated value are known up to a rotation, so only functions that do not change
under it have derivatives. In reverse mode such a function shows itself: X = V^H g_V is Hermitian
between those vectors. In forward mode the direction chooses the rotation (``turn``).
Values are repeated if they are equal to rounding (``clusters``).
"""

import warnings

import numpy as np

from chainrule.base.errors import NoRuleError, message
from chainrule.core.primitive import General, apply
from chainrule.core.trace import is_traced, plain
from chainrule.rules.matrices import H, column_scale, columns, diagonals, eye, loose, mT

# ---------------------------------------------------------------- which values are one


def clusters(w):
    """Which of the ordered values are one number to rounding, (..., n, n), True on the diagonal."""
    w = plain(w)
    steps = np.abs(np.diff(w)) > _tolerance(w)
    if steps.all():
        return np.broadcast_to(np.eye(w.shape[-1], dtype=bool), (*w.shape, w.shape[-1]))
    number = np.zeros(w.shape, int)
    number[..., 1:] = np.cumsum(steps, axis=-1)
    return number[..., None, :] == number[..., :, None]


def pairs(w):
    """As ``clusters`` for complex values, which have no order."""
    w = plain(w)
    return np.abs(w[..., None, :] - w[..., :, None]) <= _tolerance(w)[..., None]


def _tolerance(w):
    """What rounding may do to equal values, with room: at ten times that a slope 1/gap would have
    one digit."""
    size = np.abs(w).max(-1, keepdims=True, initial=0.0)
    return (1000 + 16 * w.shape[-1]) * np.finfo(w.dtype).eps * size


def any_in(same):
    """Whether there are repeated values at all."""
    n = same.shape[-1]
    return bool(np.count_nonzero(same) > same.size // max(n, 1))


def is_positive(s, shape):
    """Which singular values of a matrix of this shape are above rounding."""
    s = plain(s)
    tolerance = max(shape[-2:]) * np.finfo(s.dtype).eps * s.max(-1, keepdims=True, initial=0.0)
    return s > tolerance


def any_singular(s, shape):
    """Whether singular values are repeated or zero."""
    return any_in(clusters(s)) or not is_positive(s, shape).all()


def are_apart(w):
    """Whether plain ordered values differ by so much that no difference is rounding."""
    if type(w) is not np.ndarray:
        return False
    limit = np.maximum(_tolerance(w), loose(w) * np.abs(w).max(initial=0.0))
    return bool(np.all(np.abs(w[..., 1:] - w[..., :-1]) > limit))


def gaps(w):
    """w_j - w_i, and inf on the diagonal."""
    d = w[..., None, :] - w[..., :, None]
    np.einsum("...ii->...i", d)[...] = np.inf
    return d


def inverse_gaps(w, same):
    """1 / (w_j - w_i), and 0 where the two are one."""
    gaps = w[..., None, :] - w[..., :, None]
    return np.where(same, 0.0, 1 / np.where(same, 1.0, gaps))


def over_gaps(w, same, x, *bars):
    """F * X, F = inverse_gaps, without what is rounding in X and would be divided by a small gap.
    X is made of the cotangents ``bars`` of vectors.

    Only the skew-Hermitian part of X counts; a function that does not tell two nearly equal values
    apart has none there.
    """
    small = loose(w) * np.abs(plain(w)).max(initial=0.0)
    f = inverse_gaps(w, same)
    if is_traced(w):
        _refuse_close(plain(w), same, plain(x), bars)
    if is_traced(x) or is_traced(w) or np.all(np.abs(np.diff(plain(w))) > small):
        return f * x
    near = np.abs(w[..., None, :] - w[..., :, None]) <= small
    scale = sum(map(column_scale, bars))
    rounding = 8 * w.shape[-1] * np.finfo(x.dtype).eps * (scale + mT(scale))
    return f * np.where(near & (np.abs(x - H(x)) <= rounding), 0.0, x)


CLOSE = 1e-6  # of the largest value; eps / CLOSE^2 is what rounding does to a second derivative
PLAIN = 1e-3  # of its cotangents: by less, a function that mixes vectors does not tell them apart


def _refuse_close(w, same, x, bars):
    """An error where second derivatives are lost to cancellation: the terms divided by the square
    of a small gap add up to something of normal size, as f does not tell the two vectors apart."""
    gap = np.abs(w[..., None, :] - w[..., :, None])
    close = (gap < CLOSE * np.abs(w).max(initial=0.0)) & ~same
    if not close.any():
        return
    scale = sum(column_scale(plain(bar)) for bar in bars)
    scale = scale + mT(scale)
    if np.any(close & (np.abs(x - H(x)) < PLAIN * scale)):
        raise NoRuleError(
            f"a second derivative of a function of nearly equal values (they differ by "
            f"{gap[close].min():.1g}) and of their vectors has no digits left",
            "Use a function of the matrix itself (np.linalg.inv, matrix_power, scipy.linalg.expm, "
            "logm, sqrtm), or differences (chainrule.numeric), or move the point.",
        )


# ---------------------------------------------------------------- U diag(d) V^H


def spread(u, d, v, same, what, positive=None):
    """U diag(d) V^H, the cotangent of a matrix from the cotangents d of its values.

    Repeated values with different cotangents share them; a singular value 0 has a kink, and slope
    0 as ``abs``, unless the function is flat there (its second derivative may count).
    """
    plain_everywhere = not any_in(same) and (positive is None or positive.all())
    if plain_everywhere:
        return columns(u, d) @ H(v)
    if positive is not None:
        size = np.abs(plain(d)).max(-1, keepdims=True, initial=0.0)
        d = np.where(positive | (np.abs(plain(d)) <= loose(d) * size), d, 0.0)
    return apply(SPREAD, u, shared(d, same), v, same=same, what=what)


def shared(d, same):
    """d, or its means over repeated values if it differs there."""
    mean = (same @ plain(d)[..., None])[..., 0] / same.sum(-1)
    size = np.abs(plain(d)).max(-1, keepdims=True, initial=0.0)
    if np.all(np.abs(plain(d) - mean) <= loose(d) * size):
        return d
    weights = same / same.sum(-1, keepdims=True)
    return (weights.astype(plain(d).dtype) @ d[..., None])[..., 0]


def _spread(u, d, v, *, same, what="values"):
    return columns(u, d) @ H(v)


def _spread_jvp(tangents, _y, u, d, v, **_params):
    du, dd, dv = tangents
    terms = []
    if du is not None:
        terms.append(columns(du, d) @ H(v))
    if dd is not None:
        terms.append(columns(u, dd) @ H(v))
    if dv is not None:
        terms.append(columns(u, d) @ H(dv))
    return sum(terms[1:], terms[0])


def _spread_vjp(g, _y, u, d, v, *, same, what="values"):
    def d_bar():
        inner = H(u) @ g @ v
        if _is_mixed(plain(inner), same):
            raise NoRuleError(
                f"the second derivative by two reverse sweeps of a function of repeated {what} has "
                "no rule",
                "Differentiate the gradient forward: chainrule.hvp, or chainrule.jvp of "
                "chainrule.grad.",
            )
        return np.real(diagonals(inner))

    return lambda: columns(g @ v, d), d_bar, lambda: columns(H(g) @ u, d)


def _is_mixed(x, same):
    """Whether the Hermitian part between the vectors of one value is no multiple of one."""
    x = np.where(same, x + H(x), 0.0)
    d = np.real(diagonals(x))
    mean = (same @ d[..., None])[..., 0] / same.sum(-1)
    rest = x - mean[..., None, :] * eye(x)
    repeated = same & (same.sum(-1, keepdims=True) > 1)
    return bool(np.any(np.abs(rest)[repeated] > loose(x) * np.abs(x).max(initial=0.0)))


SPREAD = General("from_values", _spread, _spread_vjp, _spread_jvp)


# ---------------------------------------------------------------- second derivatives


def _steady(w, *, what):
    return w.copy()


def _steady_jvp(tangents, _y, _w, *, what):
    return tangents[0]


def _steady_vjp(_g, _y, _w, *, what):
    def refuse():
        raise NoRuleError(
            f"the second derivative by two reverse sweeps of vectors at repeated {what} has no "
            "rule",
            "Differentiate the gradient forward: chainrule.hvp, or chainrule.jvp of "
            "chainrule.grad.",
        )

    return (refuse,)


STEADY = General("steady_values", _steady, _steady_vjp, _steady_jvp)


def steady(w, what):
    """The values, which a second reverse sweep may not pass: of repeated ones it would need the
    slopes between the vectors."""
    return apply(STEADY, w, what=what) if is_traced(w) else w


# ---------------------------------------------------------------- reverse mode: what is determined


def refuse_undetermined(what, same, x, g_v, g_w):
    """Errors for cotangents of vectors that no function of the matrix has, or that do not tell
    enough. X = V^H g_V."""
    x, scale = plain(x), column_scale(g_v)
    _refuse_rotations(what, same, x, scale)
    if g_w is not None:
        _refuse_both(what, same, x, scale, plain(g_w))


def _refuse_rotations(what, same, x, scale):
    skew = np.where(same & ~eye(x), np.abs(x - H(x)), 0.0)
    if np.any(skew > loose(x) * (scale + mT(scale))):
        raise NoRuleError(
            f"the vectors of repeated {what} are arbitrary within the space they span, and the "
            "result depends on their choice: it has no derivative",
            "Use functions of that space (v @ v.T summed over the repeated ones), or the "
            f"{what} only, or move the point.",
        )


def _refuse_both(what, same, x, scale, g_w, kinks=False):
    """Values and vectors together are determined only if nothing tells the vectors apart, and
    singular values 0, where they have kinks, if the function is flat there."""
    between = np.where(same, x, 0.0)
    d = np.real(diagonals(between))
    count = same.sum(-1)
    repeated = count > 1
    means = [(same @ y[..., None])[..., 0] / count for y in (d, g_w)]
    mixed = np.abs(between - d[..., None, :] * eye(x)) > loose(x) * (scale + mT(scale))
    unequal = np.abs(d - means[0]) > loose(x) * 2 * scale[..., 0, :]
    rounding = loose(x) * np.abs(g_w).max(-1, keepdims=True, initial=0.0)
    unequal |= np.abs(g_w - means[1]) > rounding
    steep = (np.abs(g_w) > rounding) & kinks
    if np.any(mixed & repeated[..., None]) or np.any(unequal & repeated | steep):
        raise NoRuleError(
            f"the derivative of a function of repeated (or zero) {what} and of their vectors "
            "together, such as V f(w) V^H, is not determined by one backward sweep",
            "Use forward mode (chainrule.jvp), a function of the matrix itself (np.linalg.inv, "
            "matrix_power, scipy.linalg.expm, logm, sqrtm), or move the point.",
        )
    if not np.any(g_w) and not np.any(scale):
        warnings.warn(
            message(
                f"all cotangents of {what} and vectors are 0 at repeated {what}: a function such "
                "as V f(w) V^H with f(w) = 0 there may still have a derivative",
                "Check it with forward mode (chainrule.jvp), or move the point.",
            ),
            RuntimeWarning,
            stacklevel=2,
        )


def refuse_undetermined_svd(same, positive, left, right, g_s):
    """As ``refuse_undetermined`` for (U, g_U) and (V, g_V), which rotate together where s > 0 and
    each by itself where s = 0 and beyond the range of A."""
    refuse_null(positive, left, right)
    what = "singular values"
    k = positive.shape[-1]
    both = positive[..., None, :] & positive[..., :, None]
    x = sum(H(plain(u))[..., :k, :] @ plain(g)[..., :k] for u, g in (left, right))
    scale = sum(column_scale(g)[..., :k] for _, g in (left, right))
    apart = (same & both) | eye(x)
    _refuse_rotations(what, apart, x, scale)
    if g_s is not None:
        _refuse_both(what, apart, x, scale, plain(g_s), ~positive)


def refuse_null(positive, *sides):
    """An error where a result depends on bases of the null spaces; sides are (U, g_U), (V, g_V)."""
    for u, g in sides:
        x, scale = _null_part(plain(u), plain(g), positive)
        if np.any(np.abs(x - H(x)) > loose(x) * (scale + mT(scale))):
            raise NoRuleError(
                "the singular vectors of the value 0 (and those of full_matrices=True beyond the "
                "range) are arbitrary within the space they span, and the result depends on their "
                "choice: it has no derivative",
                "Use functions of that space (u2 @ u2.T), full_matrices=False, forward mode "
                "(chainrule.jvp), or move the point.",
            )


def _null_part(u, g, positive):
    """U0^H g0 of the columns of U that belong to the value 0 or to none.

    Of a thin U, what would leave its columns counts as turned into the rest of the space.
    """
    first = int(np.min(positive.sum(-1), initial=positive.shape[-1]))
    null = np.ones((*positive.shape[:-1], u.shape[-1]), bool)
    null[..., : positive.shape[-1]] = ~positive
    null, u0, g0 = null[..., first:], u[..., first:], g[..., first:]
    x, scale = H(u0) @ g0, column_scale(g0)
    if u.shape[-1] < u.shape[-2] and first < u.shape[-1]:
        outside = np.abs(g0 - u @ (H(u) @ g0)).max(-2) * null
        if np.any(outside > loose(x) * scale[..., 0, :]):
            x = x + 1j * np.inf
    return np.where(null[..., None, :] & null[..., :, None], x, 0.0), scale


def refuse_repeated(name, same):
    if any_in(same):
        raise NoRuleError(
            f"{name} at repeated eigenvalues: the eigenvectors of a matrix that is not Hermitian "
            "have no derivative there, nor have single eigenvalues",
            "Use symmetric functions of the eigenvalues (np.trace, np.linalg.det, matrix_power), "
            "np.linalg.eigh if the matrix is Hermitian, or move the point.",
        )


def shared_or_refused(g_w, g_v, v, same):
    """The cotangents of eigenvalues that are not those of a Hermitian matrix.

    Of repeated ones only symmetric functions have a derivative, if there are enough vectors.
    """
    if not any_in(same):
        return g_w
    size = np.abs(plain(g_w)).max(initial=0.0)
    unequal = np.abs(plain(g_w)[..., None, :] - plain(g_w)[..., :, None]) > loose(g_w) * size
    if g_v is not None or is_traced(g_w) or np.any(unequal & same) or _is_defective(v):
        refuse_repeated("np.linalg.eig", same)
    return g_w


def mean_or_refused(slopes, v, same):
    """The slopes of such eigenvalues, which repeated ones share; the transpose."""
    if not any_in(same):
        return slopes
    if is_traced(slopes) or _is_defective(v):
        refuse_repeated("np.linalg.eigvals", same)
    return (same / same.sum(-1, keepdims=True) @ slopes[..., None])[..., 0]


def _is_defective(v):
    """Whether there are fewer independent eigenvectors than columns, to rounding."""
    return bool(np.any(np.linalg.cond(plain(v)) > 1 / loose(v)))


# ---------------------------------------------------------------- forward mode: the limits


def turn(e, same):
    """The rotation within each group of vectors that diagonalises the Hermitian e, ascending.

    None where e does not tell those of a group apart.
    """
    e = np.where(same, (e + H(e)) * 0.5, 0.0)
    if not _is_mixed(e, same):
        return None
    size = np.abs(e).max(initial=0.0)
    number = np.argmax(same, axis=-1)  # the first of its group: groups in order, far apart
    lift = number * (4.0 * e.shape[-1] * size)
    _, r = np.linalg.eigh(e + lift[..., None, :] * eye(e))
    return np.where(same, r, 0.0).astype(e.dtype)


def refuse_inner_forward(name, v, tangent):
    """The limits along two directions at once depend on their order."""
    if is_traced(v) or is_traced(tangent):
        raise NoRuleError(
            f"the derivative of a forward derivative of {name} at repeated values has no rule",
            "Differentiate the gradient forward instead: chainrule.hvp, or chainrule.jvp of "
            "chainrule.grad.",
        )


def singular_turned(u, s, vh, da):
    """(U, V^H), turned to their limits along da within repeated values and where s = 0.

    None if nothing has to be turned.
    """
    shape = (u.shape[-2], vh.shape[-1])
    batch = s.shape[:-1]
    new_u, new_v = u.copy(), H(vh).copy()
    turned = False
    for i in np.ndindex(*batch):
        positive = is_positive(s[i], shape)
        turned |= _turn_positive(new_u[i], new_v[i], da[i], clusters(s[i]), positive)
        turned |= _turn_null(new_u[i], new_v[i], da[i], int(positive.sum()))
    return (new_u, H(new_v)) if turned else None


def _turn_positive(u, v, da, same, positive):
    r = int(positive.sum())
    turned = turn(-(H(u[:, :r]) @ da @ v[:, :r]), same[:r, :r])
    if turned is None:
        return False
    u[:, :r], v[:, :r] = u[:, :r] @ turned, v[:, :r] @ turned
    return True


def _turn_null(u, v, da, r):
    """Left and right null vectors: those of the singular values of da between the null spaces."""
    if r == min(len(u), len(v)):
        return False
    u0, v0 = (np.linalg.qr(x[:, :r], mode="complete")[0][:, r:] for x in (u, v))
    p, ds, qh = np.linalg.svd(H(u0) @ da @ v0)
    if not np.any(ds > loose(ds) * np.abs(da).max(initial=0.0)):
        return False
    u[:, r:] = (u0 @ p)[:, : u.shape[1] - r]
    v[:, r:] = (v0 @ H(qh))[:, : v.shape[1] - r]
    return True
