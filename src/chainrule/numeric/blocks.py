"""From tables of partial derivatives back to arrays and trees: the shapes of x and of f(x)."""

from typing import Any

import numpy as np

from chainrule.base import tree
from chainrule.numeric.points import Function


def like_value(function: Function, flat: np.ndarray) -> np.ndarray:
    """Numbers (m,) in the shape of f(x), complex again if it was."""
    if function.dtype.kind == "c":
        flat = np.ascontiguousarray(flat).view(complex)
    return flat.reshape(function.shape)


def like_point(function: Function, numbers: np.ndarray, is_error: bool = False) -> Any:
    """Numbers (N,) as a tree like x; errors stay real where x is complex."""
    if is_error:
        return _tree(function, _split(function, numbers, is_error))
    return function.point.tree_of(numbers)


def jacobian_blocks(function: Function, table: np.ndarray, is_error: bool = False) -> Any:
    """A table (N, m) as a tree like x, with leaves of shape ``f(x).shape + leaf.shape``."""
    blocks = []
    for leaf, block in zip(function.point.leaves, _split(function, table, is_error)):
        columns = np.moveaxis(block, -1, 0)
        if function.dtype.kind == "c":
            columns = _joined(columns[::2], columns[1::2], is_error)
        blocks.append(columns.reshape(function.shape + np.shape(leaf)))
    return _tree(function, blocks)


def hessian_blocks(function: Function, matrix: np.ndarray) -> Any:
    """A matrix (N, N) as a tree like x of trees like x."""
    rows = []
    for leaf, row in zip(function.point.leaves, _split(function, matrix)):
        axes = np.ndim(leaf)
        columns = _split(function, np.moveaxis(row, -1, 0))  # the leaf's own axes come last now
        last, front = range(-axes, 0), range(axes)
        rows.append(_tree(function, [np.moveaxis(block, last, front) for block in columns]))
    return tree.unflatten(function.point.treedef, rows)


def _tree(function: Function, arrays: list[np.ndarray]) -> Any:
    return tree.unflatten(function.point.treedef, [array[()] for array in arrays])


def _split(function: Function, rows: np.ndarray, is_error: bool = False) -> list[np.ndarray]:
    """Arrays (N, ...) cut into one array ``leaf.shape + (...)`` for each leaf."""
    point, parts = function.point, []
    for leaf, dtype, (start, end) in zip(point.leaves, point.dtypes, point.ranges()):
        part = rows[start:end]
        if dtype.kind == "c":
            part = _joined(part[::2], part[1::2], is_error)
        parts.append(part.reshape(np.shape(leaf) + rows.shape[1:]))
    return parts


def _joined(real: np.ndarray, imag: np.ndarray, is_error: bool) -> np.ndarray:
    return np.hypot(real, imag) if is_error else real + 1j * imag
