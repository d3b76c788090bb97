"""Sets of indices in words: the last row, the diagonal, rows 1 and 3."""

import numpy as np

_LISTED = 6


def place_of(where: np.ndarray) -> str:
    """``[3]``, ``index 4 of axis 0``, ``the last 2 of axis 1``, ``the diagonal``, ``5 places``."""
    indices = np.argwhere(where)
    if len(indices) == 1:
        return "[" + ", ".join(str(int(i)) for i in indices[0]) + "]"
    if where.all():
        return "everywhere"
    for axis in range(where.ndim):
        others = tuple(k for k in range(where.ndim) if k != axis)
        used = np.any(where, axis=others, keepdims=True).reshape(-1)
        if np.array_equal(np.all(where, axis=others, keepdims=True).reshape(-1), used):
            words = _run(np.flatnonzero(used), len(used)) or _list(np.flatnonzero(used))
            if words:
                return words + (f" of axis {axis}" if where.ndim > 1 else "")
    for axis in range(where.ndim):
        if where.ndim > 1 and len(set(indices[:, axis].tolist())) == 1:
            return f"index {int(indices[0, axis])} of axis {axis}"
    return _shape_of(where) or f"{len(indices)} places"


def _list(indices: np.ndarray) -> str:
    """Some indices with gaps between them."""
    if len(indices) > _LISTED:
        return ""
    return "indices " + ", ".join(map(str, indices[:-1])) + f" and {indices[-1]}"


def _run(indices: np.ndarray, length: int) -> str:
    """Neighbouring indices in words."""
    first, last, count = int(indices[0]), int(indices[-1]), len(indices)
    if last - first + 1 != count:
        return ""
    if count == 1:
        return f"index {first}"
    if first == 0:
        return f"the first {count}"
    return f"the last {count}" if last == length - 1 else f"indices {first} to {last}"


def _shape_of(where: np.ndarray) -> str:
    if where.ndim != 2:
        return ""
    rows, columns = np.indices(where.shape)
    edge = (rows == 0) | (columns == 0)
    edge |= (rows == where.shape[0] - 1) | (columns == where.shape[1] - 1)
    shapes = (
        ("the diagonal", rows == columns),
        ("everywhere but the diagonal", rows != columns),
        ("the upper triangle", rows < columns),
        ("the lower triangle", rows > columns),
        ("the border", edge),
    )
    return next((words for words, shape in shapes if np.array_equal(where, shape)), "")
