"""Arrays as small maps of colours, packed for a page: one byte a cell, of large arrays a block.

A byte is the sign and the square root of the size, as a part of the largest: small values stay
visible beside large ones, and zero is the middle of the scale.
"""

import base64
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.core.trace import plain
from chainrule.explainer.terminal import summary

SIDE = 24  # cells in a row or column at most
BUDGET = 900_000  # bytes of all maps of a page
NUMBERS = 12  # arrays so small are shown by their numbers as well
ZERO, LEVELS, NAN, PLUS_INF, MINUS_INF = 128, 125, 0, 255, 1


@dataclass
class Maps:
    """The arrays of a page, each once."""

    values: list[np.ndarray] = field(default_factory=list)
    _known: dict[int, int] = field(default_factory=dict)
    _kept: list[Any] = field(default_factory=list)  # so that no id comes twice

    def add(self, value: Any) -> int:
        """The number under which the page finds the array."""
        value = plain(value)
        number = self._known.get(id(value))
        if number is None:
            number = self._known[id(value)] = len(self.values)
            self._kept.append(value)
            self.values.append(np.asarray(value))
        return number

    def packed(self) -> tuple[list[list], str]:
        """For each array [shape, summary, rows, columns, largest, numbers]; and all cells, base64.

        Rows and columns are those of the map; the cells follow one another.
        """
        side = self._side()
        records, cells = [], []
        for x in self.values:
            table = _table(x)
            grid, largest = reduced(table, side) if table.size > 1 else (table[:0], 0.0)
            numbers = [f"{v:.4g}" for v in table.ravel()] if 1 < table.size <= NUMBERS else []
            shape = "×".join(map(str, x.shape))
            records.append([shape, summary(x), *table.shape, *grid.shape, largest, numbers])
            cells.append(encoded(grid, largest))
        whole = np.concatenate(cells) if cells else np.zeros(0, np.uint8)
        return records, base64.b64encode(whole.tobytes()).decode()

    def _side(self) -> int:
        """As many cells as the budget allows."""
        shapes = [_table(x).shape for x in self.values]
        for side in (SIDE, 20, 16, 12, 10, 8, 6, 5, 4, 3):
            if sum(min(r, side) * min(c, side) for r, c in shapes) <= BUDGET:
                return side
        return 2


def _table(x: np.ndarray) -> np.ndarray:
    """The numbers as rows and columns; the size of complex ones, nothing of what are no numbers."""
    if x.dtype.kind not in "fciub":
        return np.zeros((0, 0))
    x = np.abs(x) if x.dtype.kind == "c" else x.astype(float)
    return x.reshape(-1, x.shape[-1] if x.ndim else 1) if x.size else np.zeros((0, 0))


def reduced(table: np.ndarray, side: int) -> tuple[np.ndarray, float]:
    """At most side x side cells, each the mean of its block; and the largest size of a cell.

    A single row may have three times as many.

    >>> reduced(np.array([[1.0, -3.0, 2.0, 0.5], [1.0, 1.0, 0.0, 0.0]]), 2)
    (array([[-1.  ,  1.25],
           [ 1.  ,  0.  ]]), 1.25)
    """
    for axis, most in enumerate((side, side if len(table) > 1 else 3 * side)):
        count = table.shape[axis]
        if count > most:
            starts = np.linspace(0, count, most + 1).astype(int)[:-1]
            sizes = np.diff([*starts, count])
            with np.errstate(all="ignore"):
                each = table / (sizes.repeat(sizes)[:, None] if axis == 0 else sizes.repeat(sizes))
                table = np.add.reduceat(each, starts, axis)
    finite = np.abs(table[np.isfinite(table)])
    return table, float(finite.max(initial=0.0))


def encoded(grid: np.ndarray, largest: float) -> np.ndarray:
    """One byte a cell.

    >>> encoded(np.array([4.0, 0.0, -1.0, np.nan, np.inf]), 4.0)
    array([253, 128,  66,   0, 255], dtype=uint8)
    """
    flat = grid.ravel()
    finite = np.isfinite(flat)
    part = np.where(finite, flat, 0.0) / (largest or 1.0)
    levels = ZERO + np.rint(LEVELS * np.sign(part) * np.sqrt(np.abs(part)))
    levels[np.isnan(flat)] = NAN
    levels[flat == np.inf] = PLUS_INF
    levels[flat == -np.inf] = MINUS_INF
    return levels.astype(np.uint8)
