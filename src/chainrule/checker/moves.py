"""Ways to put the right numbers in wrong places."""

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from chainrule.checker.evidence import differs

Move = Callable[[np.ndarray], np.ndarray]

_BLOCKS = (2, 3, 4)  # equal parts of an axis: gates, heads


def every_move(shape: tuple[int, ...]) -> Iterator[tuple[str, Move]]:
    """(words, move) of all moves that keep the shape."""
    axes = range(len(shape))
    for i, j in itertools.combinations(axes, 2):
        if shape[i] == shape[j]:
            words = "transposed" if len(shape) == 2 else f"axes {i} and {j} are exchanged"
            yield words, partial(np.swapaxes, axis1=i, axis2=j)
    if len(shape) > 1:
        words = "flattened in the other order (C for Fortran, or the reverse)"
        yield words, lambda a: a.reshape(-1, order="F").reshape(shape)
        yield words, lambda a: a.reshape(-1).reshape(shape, order="F")
    for axis in axes:
        along = f" along axis {axis}" if len(shape) > 1 else ""
        yield f"reversed{along}", partial(np.flip, axis=axis)
        for by in (1, -1):
            words = f"shifted by {by:+d}{along}"
            yield words, partial(np.roll, shift=by, axis=axis)
            yield f"{words}, with zeros at the end", partial(shifted, by=by, axis=axis)
            yield f"summed up along axis {axis}", partial(_summed, by=by, axis=axis)
    for i, j in itertools.combinations(axes, 2):
        yield f"reversed along axes {i} and {j}", partial(np.flip, axis=(i, j))
    if len(shape) == 2:
        yield from TRIANGLES


def shifted(a: np.ndarray, by: int, axis: int) -> np.ndarray:
    """Rolled by one, with zeros where the last ones would come back."""
    moved = np.moveaxis(np.roll(a, by, axis), axis, 0).copy()
    moved[0 if by > 0 else -1] = 0
    return np.moveaxis(moved, 0, axis)


def _summed(a: np.ndarray, by: int, axis: int) -> np.ndarray:
    return np.flip(np.cumsum(np.flip(a, axis), axis), axis) if by < 0 else np.cumsum(a, axis)


def diagonal(a: np.ndarray) -> np.ndarray:
    """The matrix with zeros beside its diagonal."""
    return a * np.eye(*a.shape)


TRIANGLES: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("the lower triangle alone", np.tril),
    ("the upper triangle alone", np.triu),
    ("the diagonal alone", diagonal),
    ("without its diagonal", lambda a: a - diagonal(a)),
    ("with half its diagonal", lambda a: a - diagonal(a) / 2),
    ("with twice its diagonal", lambda a: a + diagonal(a)),
    ("with all but its diagonal doubled", lambda a: 2 * a - diagonal(a)),
    ("with all but its diagonal halved", lambda a: (a + diagonal(a)) / 2),
    ("symmetrised", lambda a: (a + a.T) / 2 if a.shape[0] == a.shape[1] else np.nan * a),
    ("added to its transpose", lambda a: a + a.T if a.shape[0] == a.shape[1] else np.nan * a),
)


def blocks(c: np.ndarray, n: np.ndarray, b: np.ndarray) -> str:
    """How slices of an axis, or equal parts of it, have changed places; "" if they have not."""
    for axis, length in enumerate(c.shape):
        for parts in (*_BLOCKS, length):
            if length % parts or not 1 < parts <= length:
                continue
            claimed, numeric, bound = (np.split(a, parts, axis) for a in (c, n, b))
            order = _order(claimed, numeric, bound)
            if order is not None:
                moved = [k for k in range(parts) if order[k] != k]
                if c.size == parts and len(moved) != 2:
                    continue  # single numbers: any permutation is one
                what = "indices" if parts == length else f"blocks (of {parts})"
                if len(moved) == 2:
                    return f"{what} {moved[0]} and {moved[1]} of axis {axis} have changed places"
                return f"{what} of axis {axis} in another order: {order}"
    return ""


def _order(c: list, n: list, b: list) -> list[int] | None:
    """Which part of n each part of c is."""
    order: list[int] = []
    for part in c:
        free = (k for k in range(len(n)) if k not in order)
        found = next((k for k in free if not differs(part, n[k], b[k]).any()), None)
        if found is None:
            return None
        order.append(found)
    return order
