"""What the rules of linear algebra share: transposes, masks, triangles of stacks of matrices.

Notation: ``H(A)`` is the conjugate transpose of the last two axes, so that with
<A, B> = Re tr(A^H B) every rule holds for real and complex matrices and for stacks of them. What a
factorisation does not read (the other triangle) has slope zero: derivatives are those of the
numbers that come back.
Most formulas: Giles, *Collected matrix derivative results for forward and reverse mode AD* (2008).
"""

import numpy as np

from chainrule.core.array import as_operand
from chainrule.core.trace import peek, plain
from chainrule.rules.joins import operand


def mT(x):
    """The transpose of each matrix of a stack."""
    return np.swapaxes(x, -1, -2)


def H(x):
    """The conjugate transpose of each matrix of a stack."""
    return np.conj(mT(x)) if x.dtype.kind == "c" else mT(x)


def array(x):
    """An operand as an array: nested lists (of traced values too) are what NumPy reads them as."""
    return x if hasattr(x, "ndim") else as_operand(x)


def tri(x, k=0):
    """The mask of the lower triangle, up to the k-th diagonal, of the matrices of x."""
    rows, columns = x.shape[-2:]
    return np.tri(rows, columns, k, dtype=bool)


def eye(x):
    """The mask of the diagonal of the square matrices of x."""
    return np.eye(x.shape[-1], dtype=bool)


def on_diagonal(d):
    """Diagonal matrices of the vectors in the last axis."""
    return d[..., None, :] * eye(d)


def plus_diagonal(x, d):
    """X + diag(d), in place of a plain X."""
    if type(x) is not np.ndarray or type(d) is not np.ndarray:
        return x + on_diagonal(d)
    np.einsum("...ii->...i", x)[...] += d
    return x


def diagonals(x):
    """The diagonals of the matrices of x, in the last axis."""
    return np.diagonal(x, axis1=-2, axis2=-1)


def columns(x, d):
    """X diag(d)."""
    return x * d[..., None, :]


def real_dtype(x):
    return plain(x).real.dtype


def loose(x):
    """A tolerance for what has been computed from several roundings."""
    return np.finfo(plain(x).dtype).eps ** 0.5


def column_scale(g):
    """The largest entry of each column, (..., 1, n)."""
    return np.abs(plain(g)).max(-2, keepdims=True, initial=0.0)


def triangle(x, lower=True):
    """The lower triangle, or the upper one, with half the diagonal."""
    mask = tri(x) if lower else tri(x).T
    if type(x) is not np.ndarray:
        return x * (mask - 0.5 * eye(x)).astype(real_dtype(x))
    part = x * mask
    np.einsum("...ii->...i", part)[...] *= 0.5
    return part


def folded(s, lower=True):
    """The cotangent of the triangle that was read, from the Hermitian one of the whole matrix.

    A_ij and A_ji = conj(A_ij) are one number: the triangle gets both, the other one nothing.
    """
    return triangle(s + H(s), lower)


def unfolded(a, lower=True):
    """The Hermitian matrix whose named triangle is that of ``a``: the transpose of ``folded``."""
    part = a * (tri(a, -1) if lower else tri(a, -1).T)
    diagonal = a * eye(a)
    return part + H(part) + (np.real(diagonal) if a.dtype.kind == "c" else diagonal)


def as_columns(x, vector):
    """A stack of vectors as one of matrices with one column."""
    return x[..., None] if vector else x


def as_given(x, vector):
    return x[..., 0] if vector else x


def checked(a, check_finite=True):
    """An operand of SciPy, whose functions refuse inf and NaN unless they are told not to look.

    The rules do not look: a cotangent may be infinite.
    """
    a = operand(a)
    if check_finite:
        np.asarray_chkfinite(peek(a))
    return a
