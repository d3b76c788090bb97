"""``scipy.linalg``: systems of equations. The other families are in the modules imported below.

SciPy's own function computes the value. Functions that read one triangle or some diagonals only
have slope zero elsewhere. Options that only save work (``overwrite_a``) do nothing.
"""

import numpy as np
import scipy.linalg

from chainrule.base.errors import NoRuleError
from chainrule.core.primitive import General, apply, composite, existing, general
from chainrule.core.trace import plain
from chainrule.rules import linalg as numpy_linalg
from chainrule.rules import norms as numpy_norms
from chainrule.rules import (  # noqa: F401
    scipy_factors,
    scipy_functions,
    scipy_spectra,
    scipy_structured,
    scipy_triangular,
)
from chainrule.rules.matrices import (
    H,
    as_columns,
    as_given,
    checked,
    eye,
    folded,
    mT,
    real_dtype,
    tri,
    unfolded,
)

# ---------------------------------------------------------------- what is read of a matrix


def _within(x, below, above):
    """x on the main diagonal, ``below`` under it and ``above`` over it, zeros elsewhere."""
    return x * (tri(x, above) & ~tri(x, -below - 1))


def _symmetric(x, lower):
    """As ``folded``, for matrices equal to their transposes without conjugation."""
    part = (tri(x, -1) if lower else tri(x, -1).T).astype(real_dtype(x))
    return (x + mT(x)) * part + x * eye(x)


_READ = {
    "diagonal": lambda x, lower: _within(x, 0, 0),
    "tridiagonal": lambda x, lower: _within(x, 1, 1),
    "lower triangular": lambda x, lower: _within(x, x.shape[-1], 0),
    "upper triangular": lambda x, lower: _within(x, 0, x.shape[-1]),
    **dict.fromkeys(["sym", "symmetric"], _symmetric),
    **dict.fromkeys(["her", "hermitian", "pos", "positive definite"], folded),
}
_ADJOINT = {"lower triangular": "upper triangular", "upper triangular": "lower triangular"}


def _read(x, assume_a, lower):
    return _READ[assume_a](x, lower) if assume_a in _READ else x


def _options(assume_a, lower):
    """Only what is not the default: older versions of SciPy know fewer options."""
    given = {"assume_a": assume_a, "lower": lower}
    return {"check_finite": False} | {k: v for k, v in given.items() if v}


# ---------------------------------------------------------------- general systems


def solve_general(a, b, *, assume_a=None, lower=False, transposed=False):
    return scipy.linalg.solve(a, b, transposed=transposed, **_options(assume_a, lower))


def _meant(da, assume_a, lower):
    """The tangent of the matrix, from that of the part of it which is read."""
    if _READ.get(assume_a) is folded:
        return unfolded(da, lower)
    if _READ.get(assume_a) is _symmetric:
        part = da * (tri(da, -1) if lower else tri(da, -1).T)
        return part + mT(part) + da * eye(da)
    return _read(da, assume_a, lower)


def _solve_jvp(tangents, y, a, _b, **options):
    da, right = tangents
    vector = y.ndim < a.ndim
    right = None if right is None else as_columns(right, vector)
    if da is not None:
        meant = _meant(da, options["assume_a"], options["lower"])
        moved = (mT(meant) if options["transposed"] else meant) @ as_columns(y, vector)
        right = -moved if right is None else right - moved
    return as_given(apply(solve_rule, a, right, **options), vector)


@general(solve_general, name="scipy_solve", jvp=_solve_jvp)
def solve_rule(g, y, a, _b, **options):
    """op(A) Y = b   =>   b_bar = op(A)^-H g,   op(A)_bar = -b_bar Y^H, and of it what is read."""
    vector = y.ndim < a.ndim
    b_bar = _solve_adjoint(a, as_columns(g, vector), **options)

    def a_bar():
        full = -(b_bar @ H(as_columns(y, vector)))
        full = mT(full) if options["transposed"] else full
        return _read(full, options["assume_a"], options["lower"])

    return a_bar, as_given(b_bar, vector)


def _solve_adjoint(a, g, *, assume_a, lower, transposed):
    options = {"assume_a": assume_a, "lower": lower, "transposed": False}
    if transposed or _READ.get(assume_a) is folded:  # A^T of a real A; A is its own adjoint
        return apply(solve_rule, a, g, **options)
    if _READ.get(assume_a) is _symmetric:
        return apply(solve_rule, np.conj(a), g, **options)
    options["assume_a"] = _ADJOINT.get(assume_a, assume_a)
    return apply(solve_rule, H(a), g, **options)


@composite(scipy.linalg.solve)
def solve(
    a, b, lower=False, overwrite_a=False, overwrite_b=False, check_finite=True, assume_a=None,
    transposed=False,
):  # fmt: skip
    a, b = checked(a, check_finite), checked(b, check_finite)
    if a.size == 1 and b.ndim and b.shape[-2:][0] != 1:
        return b / a.reshape(())  # a 1 by 1 matrix is a number
    if a.size == 1 and _READ.get(assume_a) is folded:
        assume_a = None  # the imaginary part counts then
    options = {"assume_a": assume_a, "lower": bool(lower), "transposed": bool(transposed)}
    return apply(solve_rule, a, b, **options)


# ---------------------------------------------------------------- banded systems


def _shifted(x, by, axis):
    """x[j + by] in place of x[j], and 0 where there is none."""
    if by == 0:
        return x
    n = x.shape[axis]
    by = max(-n, min(by, n))
    rest = (slice(None),) * (-1 - axis)
    kept = x[(..., slice(by, None) if by > 0 else slice(n + by), *rest)]
    zeros = np.zeros_like(x[(..., slice(abs(by)), *rest)])
    return np.concatenate([kept, zeros] if by > 0 else [zeros, kept], axis=axis)


# The bands of A: ab[r, j] = A[j + r - above, j].


def _adjoint_bands(ab, below):
    """The bands of A^H; it has ``below`` of them above its diagonal."""
    bands = ab.shape[-2]
    rows = [_shifted(ab[..., bands - 1 - r, :], r - below, -1) for r in range(bands)]
    return np.conj(np.stack(rows, axis=-2))


def _outer_on_bands(u, v, ab, above):
    """The bands of U V^H."""
    v = np.conj(v)
    rows = [np.sum(_shifted(u, r - above, -2) * v, axis=-1) for r in range(ab.shape[-2])]
    return np.stack(rows, axis=-2)


def _bands_times(ab, x, above):
    """A x of the matrix with these bands."""
    bands = ab.shape[-2]
    return sum(_shifted(ab[..., r, :, None] * x, above - r, -2) for r in range(bands))


def _change(tangents, y, ab, product):
    """db - dA Y, by the product of dA with a matrix of columns, and whether they are vectors."""
    d_ab, right = tangents
    vector = y.ndim < ab.ndim
    right = None if right is None else as_columns(right, vector)
    if d_ab is not None:
        moved = product(d_ab, as_columns(y, vector))
        right = -moved if right is None else right - moved
    return right, vector


def _banded_jvp(tangents, y, ab, _b, *, l_and_u):
    right, vector = _change(tangents, y, ab, lambda d, x: _bands_times(d, x, l_and_u[1]))
    return as_given(apply(banded_rule, ab, right, l_and_u=l_and_u), vector)


def _hermitian_bands_jvp(tangents, y, ab, _b, *, lower=False):
    main = 0 if lower else ab.shape[-2] - 1
    half = np.where(np.arange(ab.shape[-2]) == main, 0.5, 1.0)[:, None].astype(real_dtype(ab))

    def product(d_ab, x):
        part, below = d_ab * half, ab.shape[-2] - 1 - main
        return _bands_times(part, x, main) + _bands_times(_adjoint_bands(part, below), x, below)

    right, vector = _change(tangents, y, ab, product)
    return as_given(apply(hermitian_bands_rule, ab, right, lower=lower), vector)


def solve_bands(ab, b, *, l_and_u):
    return scipy.linalg.solve_banded(l_and_u, ab, b, check_finite=False)


@general(solve_bands, name="solve_banded", jvp=_banded_jvp)
def banded_rule(g, y, ab, _b, *, l_and_u):
    """b_bar = A^-H g by the bands of A^H;   A_bar = -b_bar Y^H on the bands."""
    below, above = l_and_u
    vector = y.ndim < ab.ndim
    adjoint = _adjoint_bands(ab, below)
    b_bar = apply(banded_rule, adjoint, as_columns(g, vector), l_and_u=(above, below))
    return (
        lambda: -_outer_on_bands(b_bar, as_columns(y, vector), ab, above),
        as_given(b_bar, vector),
    )


@composite(scipy.linalg.solve_banded)
def solve_banded(l_and_u, ab, b, overwrite_ab=False, overwrite_b=False, check_finite=True):
    below, above = l_and_u
    ab, b = checked(ab, check_finite), checked(b, check_finite)
    return apply(banded_rule, ab, b, l_and_u=(int(below), int(above)))


def solve_hermitian_bands(ab, b, *, lower=False):
    return scipy.linalg.solveh_banded(ab, b, lower=lower, check_finite=False)


@general(solve_hermitian_bands, name="solveh_banded", jvp=_hermitian_bands_jvp)
def hermitian_bands_rule(g, y, ab, _b, *, lower=False):
    """A is its own adjoint; a number off the diagonal stands for itself and its mirror image."""
    vector = y.ndim < ab.ndim
    b_bar = apply(hermitian_bands_rule, ab, as_columns(g, vector), lower=lower)
    main = 0 if lower else ab.shape[-2] - 1

    def ab_bar():
        u, v = b_bar, as_columns(y, vector)
        u_h, v_h = np.conj(u), np.conj(v)
        rows = [
            np.sum(_shifted(u, by, -2) * v_h + _shifted(v, by, -2) * u_h, axis=-1)
            if by
            else np.sum(np.real(u * v_h), axis=-1)
            for by in range(-main, ab.shape[-2] - main)
        ]
        return -np.stack(rows, axis=-2)

    return ab_bar, as_given(b_bar, vector)


@composite(scipy.linalg.solveh_banded)
def solveh_banded(ab, b, overwrite_ab=False, overwrite_b=False, lower=False, check_finite=True):
    ab, b = checked(ab, check_finite), checked(b, check_finite)
    return apply(hermitian_bands_rule, ab, b, lower=bool(lower))


# ---------------------------------------------------------------- inverse, determinant, norm


def invert(a, *, assume_a=None, lower=False):
    return scipy.linalg.inv(a, **_options(assume_a, lower))


def _inv_jvp(tangents, y, _a, *, assume_a=None, lower=False):
    return -(y @ _meant(tangents[0], assume_a, lower) @ y)


@general(invert, name="scipy_inv", jvp=_inv_jvp)
def inv_rule(g, y, _a, *, assume_a=None, lower=False):
    """dY = -Y dA Y   =>   A_bar = -Y^H g Y^H, and of it what is read."""
    yh = H(y)
    return _read(-(yh @ g @ yh), assume_a, lower)


@composite(scipy.linalg.inv)
def inv(a, overwrite_a=False, check_finite=True, *, assume_a=None, lower=False):
    return apply(inv_rule, checked(a, check_finite), assume_a=assume_a, lower=bool(lower))


def determinant(a):
    return scipy.linalg.det(a, check_finite=False)


def euclidean(a):
    return np.asarray(scipy.linalg.norm(a, check_finite=False), float)[()]


DET = General("scipy_det", determinant, numpy_linalg.det.vjp_rule, numpy_linalg.det_jvp)


@composite(scipy.linalg.det)
def det(a, overwrite_a=False, check_finite=True):
    return apply(DET, checked(a, check_finite))


EUCLIDEAN = General("scipy_norm", euclidean, numpy_norms.norm.vjp_rule, numpy_norms.norm.jvp_rule)


@composite(scipy.linalg.norm)
def norm(a, ord=None, axis=None, keepdims=False, check_finite=True):
    a = checked(a, check_finite)
    if ord in (None, 2) and axis is None and not keepdims and a.ndim == 1:
        return apply(EUCLIDEAN, a)
    y = np.linalg.norm(a, ord, axis, keepdims)
    lapacks = a.ndim == 2 and a.size and ord in (1, np.inf) and axis is None and not keepdims
    return y.astype(np.float64) if lapacks and plain(a).flags.forc else y  # a Python float


# ---------------------------------------------------------------- refusals

_NO_VECTORS = "Use scipy.linalg.eigh or np.linalg.eig; their vectors have derivatives."
_REMEDIES = {
    "schur hessenberg qz ordqz rsf2csf cdf2rdf": _NO_VECTORS,
    "eigh_tridiagonal eigvalsh_tridiagonal eig_banded eigvals_banded": (
        "Build the full matrix and use scipy.linalg.eigh."
    ),
    "cholesky_banded cho_solve_banded": "Use scipy.linalg.solveh_banded, or the full matrix.",
    "ldl": "Use scipy.linalg.cholesky or lu.",
    "rq": "Use scipy.linalg.qr of the matrix with its rows reversed, transposed.",
    "solve_toeplitz": "Use scipy.linalg.solve(scipy.linalg.toeplitz(c, r), b).",
    "matmul_toeplitz": "Use scipy.linalg.toeplitz(c, r) @ x.",
    "solve_circulant": "Use scipy.linalg.solve(scipy.linalg.circulant(c), b).",
    "funm signm": "Use expm, logm, sqrtm, fractional_matrix_power or np.linalg.eigh.",
    "solve_continuous_are solve_discrete_are": (
        "State the derivative of the equation it solves: chainrule.custom_rule."
    ),
    "qr_delete qr_insert qr_update qr_multiply cossin subspace_angles matrix_balance": (
        "Write it with qr and svd."
    ),
}


def _refusal(name, remedy):
    def refuse(*args, **options):
        raise NoRuleError(f"scipy.linalg.{name} has no derivative rule", remedy)

    return refuse


for _names, _remedy in _REMEDIES.items():
    for _function in existing(_names, scipy.linalg):
        composite(_function)(_refusal(_function.__name__, _remedy))
