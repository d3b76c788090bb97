"""The basics of ``scipy.linalg`` as compositions of NumPy's rules.

SciPy's functions read one triangle where they say so: what is not read has derivative zero. Options
that only save work (``overwrite_a``, ``check_finite``) are accepted and do nothing.
"""

import numpy as np
import scipy.linalg

from chainrule.base.errors import NoRuleError
from chainrule.core.primitive import General, apply, composite
from chainrule.rules.joins import operand

_T = {0: "N", 1: "T", 2: "C", "N": "N", "T": "T", "C": "C"}


def _adjoint(a):
    return np.conj(np.swapaxes(a, -1, -2))


def _hermitian(a, lower, conjugate):
    """The matrix whose named triangle is that of ``a`` and whose other is its mirror image."""
    part, strict = (np.tril(a), np.tril(a, -1)) if lower else (np.triu(a), np.triu(a, 1))
    mirror = np.swapaxes(strict, -1, -2)
    return part + (np.conj(mirror) if conjugate else mirror)


def _solve(a, b):
    """A x = b with SciPy's reading of b: one axis is a vector."""
    return np.linalg.solve(operand(a), operand(b))


@composite(scipy.linalg.solve)
def solve(
    a, b, lower=False, overwrite_a=False, overwrite_b=False, check_finite=True, assume_a=None,
    transposed=False,
):  # fmt: skip
    a = operand(a)
    if assume_a in ("sym", "symmetric"):
        a = _hermitian(a, lower, conjugate=False)
    elif assume_a in ("her", "hermitian", "pos", "positive definite"):
        a = _hermitian(a, lower, conjugate=True)
    elif assume_a in ("lower triangular",):
        a = np.tril(a)
    elif assume_a in ("upper triangular",):
        a = np.triu(a)
    elif assume_a not in (None, "gen", "general"):
        raise NoRuleError(
            f"scipy.linalg.solve with assume_a={assume_a!r} has no derivative rule",
            "Leave assume_a out: the solution is the same.",
        )
    return _solve(np.swapaxes(a, -1, -2) if transposed else a, b)


@composite(scipy.linalg.solve_triangular)
def solve_triangular(
    a, b, trans=0, lower=False, unit_diagonal=False, overwrite_b=False, check_finite=True
):
    a = operand(a)
    t = np.tril(a, -1 if unit_diagonal else 0) if lower else np.triu(a, 1 if unit_diagonal else 0)
    if unit_diagonal:
        t = t + np.eye(a.shape[-1], dtype=a.dtype)
    kind = _T[trans]
    if kind != "N":
        t = np.swapaxes(t, -1, -2)
    return _solve(np.conj(t) if kind == "C" else t, b)


@composite(scipy.linalg.inv)
def inv(a, overwrite_a=False, check_finite=True, **options):
    if options:
        raise NoRuleError(
            f"scipy.linalg.inv with {', '.join(options)}= has no derivative rule",
            "Leave the option out: the inverse is the same.",
        )
    return np.linalg.inv(operand(a))


@composite(scipy.linalg.det)
def det(a, overwrite_a=False, check_finite=True):
    return np.linalg.det(operand(a))


@composite(scipy.linalg.norm)
def norm(a, ord=None, axis=None, keepdims=False, check_finite=True):
    return np.linalg.norm(operand(a), ord, axis, keepdims)


@composite(scipy.linalg.cholesky)
def cholesky(a, lower=False, overwrite_a=False, check_finite=True):
    a = operand(a)
    if lower:
        return np.linalg.cholesky(a)
    return _adjoint(np.linalg.cholesky(_adjoint(a)))


_CLEARS = not scipy.linalg.cho_factor(np.eye(2) + 1)[0][1, 0]  # from SciPy 1.18


@composite(scipy.linalg.cho_factor)
def cho_factor(a, lower=False, overwrite_a=False, check_finite=True):
    """The factor; the other triangle holds what was there, or zeros, as in the installed SciPy."""
    a = operand(a)
    factor = cholesky(a, lower)
    if _CLEARS:
        return factor, lower
    return factor + (np.triu(a, 1) if lower else np.tril(a, -1)), lower


@composite(scipy.linalg.cho_solve)
def cho_solve(c_and_lower, b, overwrite_b=False, check_finite=True):
    c, lower = c_and_lower
    c = operand(c)
    factor = np.tril(c) if lower else _adjoint(np.triu(c))
    return _solve(_adjoint(factor), _solve(factor, b))


@composite(scipy.linalg.expm)
def expm(A):
    return _expm(operand(A))


def _expm(a):
    return apply(EXPM, a)


def _expm_vjp(g, _y, a):
    """The derivative in direction E is the corner of exp [[A, E], [0, A]]; its adjoint has A^H.

    [Mathias 1996; Najfeld and Havel 1995]
    """
    n = a.shape[-1]
    adjoint = _adjoint(a)
    top = np.concatenate([adjoint, g], -1)
    bottom = np.concatenate([np.zeros_like(adjoint), adjoint], -1)
    return _expm(np.concatenate([top, bottom], -2))[..., :n, n:]


EXPM = General("expm", scipy.linalg.expm, _expm_vjp)


@composite(scipy.linalg.block_diag)
def block_diag(*arrays):
    """Zeros with the arrays along the diagonal."""
    blocks = [np.atleast_2d(operand(a)) for a in arrays]
    rows = [
        [b if i == j else np.zeros((b.shape[0], c.shape[1])) for j, c in enumerate(blocks)]
        for i, b in enumerate(blocks)
    ]
    return np.concatenate([np.concatenate(row, 1) for row in rows], 0)


@composite(scipy.linalg.toeplitz)
def toeplitz(c, r=None):
    c = np.ravel(operand(c))
    r = np.conj(c) if r is None else np.ravel(operand(r))
    n, m = len(c), len(r)
    values = np.concatenate([c[::-1], r[1:]])
    return values[np.arange(n - 1, -1, -1)[:, None] + np.arange(m)]
