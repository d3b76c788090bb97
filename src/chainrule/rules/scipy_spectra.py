"""``scipy.linalg``: eigenvalues, singular values, and what is made of them.

The rules are those of ``np.linalg``, the values SciPy's. See ``spectral`` for repeated values.
"""

import numpy as np
import scipy.linalg

from chainrule.base.errors import NoRuleError
from chainrule.core.primitive import General, apply, composite, general
from chainrule.core.trace import plain
from chainrule.rules import least_squares, phases, repeated, spectral
from chainrule.rules.joins import operand
from chainrule.rules.matrices import H, checked, columns, diagonals, folded, on_diagonal, unfolded
from chainrule.rules.scipy_functions import sylvester

# ---------------------------------------------------------------- Hermitian matrices


def _uplo(lower):
    return "L" if lower else "U"


def hermitian_parts(a, *, lower=True, driver=None):
    return scipy.linalg.eigh(a, lower=lower, driver=driver, check_finite=False)


def _with_uplo(rule):
    def call(g, y, a, *, lower, driver):
        return rule(g, y, a, UPLO=_uplo(lower))

    return call


EIGH = General(
    "scipy_eigh",
    hermitian_parts,
    _with_uplo(spectral.eigh.vjp_rule),
    _with_uplo(spectral.eigh.jvp_rule),
    multiple=True,
)
EIGH.turn = _with_uplo(spectral.eigh.turn)


def hermitian_values(a, *, lower=True, driver=None):
    """The eigenvalues as SciPy's eigvalsh has them, and for their derivatives the vectors."""
    w = scipy.linalg.eigvalsh(a, lower=lower, driver=driver, check_finite=False)
    return w, scipy.linalg.eigh(a, lower=lower, check_finite=False)[1]


EIGVALSH = General("scipy_eigvalsh", hermitian_values, EIGH.vjp_rule, EIGH.jvp_rule, multiple=True)
EIGVALSH.turn = EIGH.turn


def pencil_parts(a, b, *, lower=True, driver=None):
    return scipy.linalg.eigh(a, b, lower=lower, driver=driver, check_finite=False)


def _pencil_jvp(tangents, y, _a, _b, *, lower=True, driver=None):
    w, v = y
    _refuse_repeated_pencil(w)
    da, db = (0.0 if d is None else H(v) @ unfolded(d, lower) @ v for d in tangents)
    m = da if tangents[1] is None else da - columns(db, w)
    dv = v @ (repeated.inverse_gaps(w, repeated.clusters(w)) * m)
    if tangents[1] is not None:
        dv = dv - 0.5 * columns(v, np.real(diagonals(db)))
    return np.real(diagonals(m)), dv


def _refuse_repeated_pencil(w):
    if repeated.any_in(repeated.clusters(w)):
        raise NoRuleError(
            "scipy.linalg.eigh(a, b) at repeated eigenvalues has no derivative rule",
            "Reduce it by hand: L = cholesky(b, lower=True), then eigh of L^-1 a L^-H.",
        )


@general(pencil_parts, name="eigh_generalized", multiple=True, jvp=_pencil_jvp)
def pencil_rule(g, y, _a, _b, *, lower=True, driver=None):
    """A V = B V diag(w),   V^H B V = 1.   With M_ij = v_i^H (dA - w_j dB) v_j:   dw = diag(M),
    dV = V (F * M) - V diag(V^H dB V) / 2,   F_ij = 1/(w_j - w_i)."""
    g_w, g_v = g
    w, v = y
    _refuse_repeated_pencil(w)
    inner = 0.0 if g_w is None else on_diagonal(g_w)
    b_inner = 0.0
    if g_v is not None:
        x = H(v) @ phases.pulled_phase(g_v, v, None, "eigh")
        inner = inner + repeated.inverse_gaps(w, repeated.clusters(w)) * x
        b_inner = -0.5 * on_diagonal(np.real(diagonals(x)))
    b_inner = b_inner - columns(inner, w)
    return folded(v @ inner @ H(v), lower), folded(v @ b_inner @ H(v), lower)


def _chosen(w, subset_by_index, subset_by_value):
    """Which of all the eigenvalues are asked for."""
    if subset_by_index is not None:
        low, high = subset_by_index
        return slice(int(low), int(high) + 1)
    if subset_by_value is not None:
        low, high = subset_by_value
        first, last = np.searchsorted(plain(w), [low, high], side="right")
        return slice(int(first), int(last))
    return slice(None)


def _refuse_type(type):
    if type != 1:
        raise NoRuleError(
            f"scipy.linalg.eigh with type={type} has no derivative rule",
            "Reduce it to type=1: a b v = w v is a u = w b^-1 u with u = b v.",
        )


@composite(scipy.linalg.eigh)
def eigh(
    a, b=None, *, lower=True, eigvals_only=False, overwrite_a=False, overwrite_b=False, type=1,
    check_finite=True, subset_by_index=None, subset_by_value=None, driver=None,
):  # fmt: skip
    """Of a subset all are computed; the signs of its vectors are those SciPy gives them."""
    _refuse_type(type)
    a, b = checked(a, check_finite), None if b is None else checked(b, check_finite)
    options = {"lower": bool(lower), "driver": driver}
    subset = {"subset_by_index": plain(subset_by_index), "subset_by_value": plain(subset_by_value)}
    if all(chosen is None for chosen in subset.values()):
        return _eigh_of_all(a, b, eigvals_only, options)
    rest = {} if b is None else {"b": plain(b)}
    known = scipy.linalg.eigh(plain(a), **rest, **subset, **options)
    w, v = _eigh_of_all(a, b, False, {"lower": bool(lower), "driver": None})
    part = _chosen(w, **subset)
    w, v = w[..., part], v[..., part]
    signs = np.sum(np.conj(plain(v)) * known[1], axis=-2)
    signs = np.where(np.abs(signs) > 0.5, np.sign(signs), 1.0).astype(v.dtype)
    return w if eigvals_only else (w, columns(v, signs))


def _eigh_of_all(a, b, eigvals_only, options):
    if b is not None:
        w, v = apply(pencil_rule, a, b, **options)
        return w if eigvals_only else (w, v)
    return apply(EIGVALSH, a, **options)[0] if eigvals_only else apply(EIGH, a, **options)


@composite(scipy.linalg.eigvalsh)
def eigvalsh(a, b=None, **options):
    return eigh(a, b, eigvals_only=True, **options)


# ---------------------------------------------------------------- other square matrices


def general_parts(a):
    return scipy.linalg.eig(a, check_finite=False)


def general_values(a):
    return scipy.linalg.eigvals(a, check_finite=False)


EIG = General(
    "scipy_eig", general_parts, spectral.eig.vjp_rule, spectral.eig.jvp_rule, multiple=True
)
EIGVALS = General(
    "scipy_eigvals", general_values, spectral.eigvals.vjp_rule, spectral.eigvals.jvp_rule
)


@composite(scipy.linalg.eig)
def eig(
    a, b=None, left=False, right=True, overwrite_a=False, overwrite_b=False, check_finite=True,
    homogeneous_eigvals=False,
):  # fmt: skip
    if b is not None or left or homogeneous_eigvals:
        raise NoRuleError(
            "scipy.linalg.eig with b=, left= or homogeneous_eigvals= has no derivative rule",
            "Use scipy.linalg.eig(solve(b, a)); left vectors are those of a.conj().T.",
        )
    return apply(EIG if right else EIGVALS, checked(a, check_finite))


@composite(scipy.linalg.eigvals)
def eigvals(a, b=None, overwrite_a=False, check_finite=True, homogeneous_eigvals=False):
    return eig(
        a, b, right=False, check_finite=check_finite, homogeneous_eigvals=homogeneous_eigvals
    )


# ---------------------------------------------------------------- singular values


def singular_parts(a, *, full_matrices=True, lapack_driver="gesdd"):
    return scipy.linalg.svd(a, full_matrices, lapack_driver=lapack_driver, check_finite=False)


def singular_values(a):
    """The singular values as SciPy's svdvals has them, and for their derivatives the vectors."""
    u, _, vh = scipy.linalg.svd(a, full_matrices=False, check_finite=False)
    return u, scipy.linalg.svdvals(a, check_finite=False), vh


SVD = General(
    "scipy_svd", singular_parts, spectral.svd.vjp_rule, spectral.svd.jvp_rule, multiple=True
)
SVD.turn = spectral.svd.turn
SVDVALS = General("scipy_svdvals", singular_values, SVD.vjp_rule, SVD.jvp_rule, multiple=True)
SVDVALS.turn = SVD.turn


@composite(scipy.linalg.svd)
def svd(
    a, full_matrices=True, compute_uv=True, overwrite_a=False, check_finite=True,
    lapack_driver="gesdd",
):  # fmt: skip
    a = checked(a, check_finite)
    if not compute_uv:
        return apply(SVDVALS, a)[1]
    return apply(SVD, a, full_matrices=bool(full_matrices), lapack_driver=lapack_driver)


@composite(scipy.linalg.svdvals)
def svdvals(a, overwrite_a=False, check_finite=True):
    return apply(SVDVALS, checked(a, check_finite))[1]


def _rank(a, s, rcond):
    if rcond is None:
        rcond = np.finfo(plain(s).dtype).eps * max(a.shape[-2:])
    counts = np.sum(plain(s) > np.amax(plain(s), initial=0.0) * plain(rcond), axis=-1)
    return int(np.min(counts, initial=s.shape[-1]))


@composite(scipy.linalg.null_space)
def null_space(A, rcond=None, *, overwrite_a=False, check_finite=True, lapack_driver="gesdd"):
    """Of constant rank; functions of the space have a derivative, its basis vectors have none."""
    A = checked(A, check_finite)
    _, s, vh = svd(A, lapack_driver=lapack_driver, check_finite=False)
    return H(vh[..., _rank(A, s, rcond) :, :])


@composite(scipy.linalg.orth)
def orth(A, rcond=None):
    A = operand(A)
    u, s, _ = svd(A, full_matrices=False)
    return u[..., : _rank(A, s, rcond)]


@composite(scipy.linalg.orthogonal_procrustes)
def orthogonal_procrustes(A, B, check_finite=True):
    """The orthogonal factor of A^H B, and the sum of its singular values."""
    A, B = checked(A, check_finite), checked(B, check_finite)
    u, w, vh = svd(np.swapaxes(np.swapaxes(B, -1, -2) @ np.conj(A), -1, -2))
    return u @ vh, np.sum(w, axis=-1)


def polar_parts(a, *, side="right"):
    return scipy.linalg.polar(a, side)


@general(polar_parts, name="polar", multiple=True)
def polar_rule(g, y, a, *, side="right"):
    """A = U P of full rank, P = U^H A:   U^H dU = W with W P + P W = U^H dA - dA^H U, and outside
    the range of U, dU = (1 - U U^H) dA P^-1. On the left A = P U, P = A U^H.

    No singular vectors enter, so that repeated singular values, as of rotations, do no harm.
    """
    u = y[0]
    g_u, g_p = g
    a_bar = 0.0
    u_bar = np.zeros_like(u) if g_u is None else g_u
    if g_p is not None:
        right = side == "right"
        u_bar = u_bar + (a @ H(g_p) if right else H(g_p) @ a)
        a_bar = u @ g_p if right else g_p @ u
    if u.shape[-2] >= u.shape[-1]:
        return a_bar + _pulled_unitary(u_bar, u, a)
    return a_bar + H(_pulled_unitary(H(u_bar), H(u), H(a)))


def _pulled_unitary(u_bar, u, a):
    p = H(u) @ a
    p = (p + H(p)) * 0.5
    x = H(u) @ u_bar
    z = apply(sylvester, p, p, x - H(x))
    return u @ z + H(np.linalg.solve(p, H(u_bar - u @ x)))


@composite(scipy.linalg.polar)
def polar(a, side="right"):
    return apply(polar_rule, operand(a), side=side)


# ---------------------------------------------------------------- least squares


def pseudo_inverse(a, *, atol=None, rtol=None):
    return scipy.linalg.pinv(a, atol=atol, rtol=rtol, check_finite=False)


def hermitian_pseudo_inverse(a, *, atol=None, rtol=None, lower=True):
    return scipy.linalg.pinvh(a, atol=atol, rtol=rtol, lower=lower, check_finite=False)


def _pinv_jvp(tangents, y, a, **_tolerance):
    return least_squares.pinv.jvp_rule(tangents, y, a)


def _pinvh_jvp(tangents, y, a, *, lower=True, **_tolerance):
    return least_squares.pinv.jvp_rule((unfolded(tangents[0], lower),), y, unfolded(a, lower))


@general(pseudo_inverse, name="scipy_pinv", jvp=_pinv_jvp)
def pinv_rule(g, y, a, *, atol=None, rtol=None):
    """As that of ``np.linalg.pinv``."""
    return least_squares.pinv.vjp_rule(g, y, a)


@general(hermitian_pseudo_inverse, name="pinvh", jvp=_pinvh_jvp)
def pinvh_rule(g, y, a, *, atol=None, rtol=None, lower=True):
    """As that of ``np.linalg.pinv``, for the triangle that is read."""
    return folded(least_squares.pinv.vjp_rule(g, y, unfolded(a, lower)), lower)


def _with_rank(result, function, a, return_rank, options):
    if not return_rank:
        return result
    return result, function(plain(a), return_rank=True, **options)[1]


@composite(scipy.linalg.pinv)
def pinv(a, *, atol=None, rtol=None, return_rank=False, check_finite=True):
    options = {"atol": plain(atol), "rtol": plain(rtol)}
    y = apply(pinv_rule, checked(a, check_finite), **options)
    return _with_rank(y, scipy.linalg.pinv, a, return_rank, options)


@composite(scipy.linalg.pinvh)
def pinvh(a, atol=None, rtol=None, lower=True, return_rank=False, check_finite=True):
    options = {"atol": plain(atol), "rtol": plain(rtol), "lower": bool(lower)}
    y = apply(pinvh_rule, checked(a, check_finite), **options)
    return _with_rank(y, scipy.linalg.pinvh, a, return_rank, options)


def solve_least_squares(a, b, *, rcond=None, lapack_driver=None):
    """As ``np.linalg.lstsq``; the driver gelsy has no singular values."""
    x, residuals, rank, s = scipy.linalg.lstsq(
        a, b, rcond, lapack_driver=lapack_driver, check_finite=False
    )
    return x, np.asarray(residuals), np.float64(rank), np.empty(0) if s is None else s


def _lstsq_jvp(tangents, y, a, b, *, rcond=None, lapack_driver=None):
    rcond = float(np.finfo(y[0].dtype).eps) if rcond is None else rcond
    dx, residuals, _, values = least_squares.lstsq.jvp_rule(tangents, y, a, b, rcond=rcond)
    return dx, residuals.reshape(y[1].shape), None, values if y[3].size else None


@general(solve_least_squares, name="scipy_lstsq", multiple=True, jvp=_lstsq_jvp)
def lstsq_rule(g, y, a, b, *, rcond=None, lapack_driver=None):
    """As that of ``np.linalg.lstsq``; SciPy takes eps for the default of cond."""
    rcond = float(np.finfo(y[0].dtype).eps) if rcond is None else rcond
    g_s = g[3] if y[3].size else None
    return least_squares.lstsq.vjp_rule((*g[:3], g_s), y, a, b, rcond=rcond)


@composite(scipy.linalg.lstsq)
def lstsq(
    a, b, cond=None, overwrite_a=False, overwrite_b=False, check_finite=True, lapack_driver=None
):
    a, b = checked(a, check_finite), checked(b, check_finite)
    if a.ndim > 2 or b.ndim > 2:
        raise NoRuleError(
            "scipy.linalg.lstsq of a stack has no derivative rule",
            "Use scipy.linalg.pinv(a) @ b, or a loop.",
        )
    options = {"rcond": plain(cond), "lapack_driver": lapack_driver}
    x, residuals, rank, s = apply(lstsq_rule, a, b, **options)
    values = s if s.size or not x.size else None
    return x, residuals, int(plain(rank)), values
