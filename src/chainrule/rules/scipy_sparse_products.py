"""Products with sparse matrices, linear in the values that are stored and in the other factor.

A matrix is its values and a ``Pattern``, the rest of it. Two primitives are each other's
transposes in every slot, so derivatives of any order cost O(nonzeros) and nothing becomes dense::

    y = S(data) x                   sparse_matmul
    d_k = sum_j g[i_k, j] x[j_k, j]     sparse_sampled: the product g x^T where S has values
"""

import copy
from typing import Any

import numpy as np
from scipy import sparse

from chainrule.core.primitive import apply, multilinear

BLOCK = 2**20  # numbers in a block of gathered rows


def conj(x):
    return np.conj(x) if x.dtype.kind == "c" else x


# ---------------------------------------------------------------- patterns


def structure(matrix: Any) -> tuple[str, ...]:
    """The attributes that say where the values of an array format lie."""
    return _STRUCTURE[matrix.format]


_STRUCTURE = {
    **dict.fromkeys(("csr", "csc", "bsr"), ("indptr", "indices")),
    "coo": ("coords",),
    "dia": ("offsets",),
}


def with_data(matrix: Any, data: Any) -> Any:
    """Another matrix with the same structure (shared, not copied)."""
    other = copy.copy(matrix)
    other.data = data
    return other


def frozen(matrix: Any) -> Any:
    """A copy that shares no array with the matrix."""
    other = with_data(matrix, matrix.data.copy())
    for name in structure(matrix):
        part = getattr(matrix, name)
        setattr(other, name, _copied(part))
    return other


def _copied(part: Any) -> Any:
    return tuple(map(np.copy, part)) if type(part) is tuple else part.copy()


def same_structure(a: Any, b: Any) -> bool:
    if a.format != b.format or a.shape != b.shape:
        return False
    return all(_same(getattr(a, name), getattr(b, name)) for name in structure(a))


def _same(a: Any, b: Any) -> bool:
    return all(map(np.array_equal, a, b)) if type(a) is tuple else np.array_equal(a, b)


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Equality that takes NaN as equal to itself; O(n) and without a copy of the numbers."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if a.dtype.kind == "c":
        a, b = a.view(a.real.dtype), b.view(b.real.dtype)
    if a.itemsize in (4, 8) and a.flags.c_contiguous and b.flags.c_contiguous:
        bits = f"i{a.itemsize}"
        return np.array_equal(a.view(bits), b.view(bits))
    return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


class Pattern:
    """Where a sparse matrix has its values: a SciPy matrix of an array format, which nobody else
    changes."""

    __slots__ = ("_matrix", "_places", "_transposed", "flipped")

    def __init__(self, matrix: Any, flipped: bool = False):
        self._matrix = matrix
        self.flipped = flipped  # the transpose of it is meant
        self._transposed: Pattern | None = None
        self._places: tuple | None = None

    def __repr__(self) -> str:
        shape = self._matrix.shape[::-1] if self.flipped else self._matrix.shape
        return f"<{self._matrix.format} {shape}>"

    def matrix(self, data: Any) -> Any:
        """The matrix with these values."""
        held = self._matrix
        made = held if data is held.data else with_data(held, data)
        return made.T if self.flipped else made

    @property
    def T(self) -> "Pattern":
        """The pattern of the transpose, of the same values in the same order."""
        if self._transposed is None:
            if self._matrix.format in ("csr", "csc", "coo"):
                other = Pattern(self._matrix.T)
            else:
                other = Pattern(self._matrix, not self.flipped)
            self._transposed, other._transposed = other, self
        return self._transposed

    @property
    def places(self) -> tuple[np.ndarray, np.ndarray, Any]:
        """Row and column of each value, and None or which of them lie in the matrix at all."""
        if self._places is None:
            rows, columns, inside = places(self._matrix)
            self._places = (columns, rows, inside) if self.flipped else (rows, columns, inside)
        return self._places

    @property
    def data_shape(self) -> tuple[int, ...]:
        return self._matrix.data.shape


def places(matrix: Any) -> tuple[np.ndarray, np.ndarray, Any]:
    """Row and column of each value, flat, and which of them are inside (dia) or None: all."""
    if matrix.format in ("csr", "csc"):
        major = np.repeat(np.arange(len(matrix.indptr) - 1), np.diff(matrix.indptr))
        minor = matrix.indices[: len(major)]
        return (major, minor, None) if matrix.format == "csr" else (minor, major, None)
    if matrix.format == "coo":
        return matrix.row, matrix.col, None
    if matrix.format == "bsr":
        r, c = matrix.blocksize
        block = np.repeat(np.arange(len(matrix.indptr) - 1), np.diff(matrix.indptr))
        shape = (len(block), r, c)
        rows = np.broadcast_to(block[:, None, None] * r + np.arange(r)[:, None], shape)
        columns = np.broadcast_to(matrix.indices[:, None, None] * c + np.arange(c), shape)
        return rows.reshape(-1), columns.reshape(-1), None
    m, n = matrix.shape  # dia: data[k, j] is in column j
    columns = np.broadcast_to(np.arange(matrix.data.shape[1]), matrix.data.shape).reshape(-1)
    rows = columns - np.repeat(matrix.offsets, matrix.data.shape[1])
    inside = (columns < n) & (rows >= 0) & (rows < m)
    return np.where(inside, rows, 0), np.where(inside, columns, 0), inside


# ---------------------------------------------------------------- the two products


def sparse_matmul(data, x, *, pattern):
    return pattern.matrix(data) @ x


def sparse_sampled(g, x, *, pattern):
    rows, columns, inside = pattern.places
    if g.ndim == 1:
        values = g[rows] * x[columns]
    else:
        step = max(1, BLOCK // max(1, g.shape[1]))
        parts = [
            np.einsum("kj,kj->k", g[rows[k : k + step]], x[columns[k : k + step]])
            for k in range(0, max(1, len(rows)), step)
        ]
        values = parts[0] if len(parts) == 1 else np.concatenate(parts)
    if inside is not None:
        values = np.where(inside, values, 0)
    return values.reshape(pattern.data_shape)


MATMUL = multilinear(
    sparse_matmul,
    data=lambda g, x, *, pattern: apply(SAMPLED, g, conj(x), pattern=pattern),
    x=lambda g, data, *, pattern: apply(MATMUL, conj(data), g, pattern=pattern.T),
)
SAMPLED = multilinear(
    sparse_sampled,
    g=lambda d, x, *, pattern: apply(MATMUL, d, conj(x), pattern=pattern),
    x=lambda d, g, *, pattern: apply(MATMUL, d, conj(g), pattern=pattern.T),
)


def sums(values: Any, group: np.ndarray, count: int) -> Any:
    """y[group[k]] += values[k]: the values of each group added up."""
    n = len(group)
    ones = np.ones(n, values.dtype)
    pattern = Pattern(sparse.coo_array((ones, (group, np.arange(n))), shape=(count, n)).tocsr())
    return apply(MATMUL, pattern.matrix(ones).data, values, pattern=pattern)
