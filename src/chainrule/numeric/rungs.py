"""Values of a function on both sides of a point, on a ladder of steps, and their quotients."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from chainrule.numeric.lines import FIRST, Line
from chainrule.numeric.points import Function
from chainrule.numeric.stencils import RATIO


class Rungs:
    """Values on both sides of the point, at steps ``FIRST * scale / 4**k``, k whole numbers."""

    def __init__(self, function: Function, lines: Sequence[Line]):
        self.function = function
        self.lines = lines
        self.rows: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def step(self, k: int, line: int) -> float:
        return FIRST * self.lines[line].scale * RATIO**-k

    def evaluate(self, k: int, lines: np.ndarray) -> None:
        shape = (2, len(self.lines))
        if k not in self.rows:
            values = np.full((*shape, *self.function.base.shape), np.nan)
            self.rows[k] = values, np.full(shape, np.nan)
        values, distances = self.rows[k]
        places = [(side, line) for line in lines.tolist() for side in (0, 1)]

        def points() -> Iterator[np.ndarray]:
            for side, line in places:
                t = self.step(k, line)
                vector, distances[side, line] = self.lines[line].at(-t if side else t)
                yield vector

        for place, value in zip(places, self.function.many(points())):
            values[place] = value

    def of(self, lines: np.ndarray) -> "Quotients":
        rows = [self.rows[k] for k in sorted(self.rows)]
        values = np.stack([row[0][:, lines] for row in rows], axis=1)
        distances = np.stack([row[1][:, lines] for row in rows], axis=1)[..., None]
        zero = -min(self.rows)
        return Quotients(values, distances, self.function.base, self.function.eps, zero)


@dataclass(frozen=True)
class Quotients:
    """Difference quotients (rungs, lines, m) of values (2, rungs, lines, m).

    zero : the rung the descent started from; those before it were climbed.
    """

    values: np.ndarray
    distances: np.ndarray
    base: np.ndarray
    eps: float
    zero: int

    @cached_property
    def width(self) -> np.ndarray:
        return self.distances[0] - self.distances[1]

    @cached_property
    def sides(self) -> np.ndarray:
        """The quotients to the right and to the left."""
        return (self.values - self.base) / self.distances

    @cached_property
    def central(self) -> np.ndarray:
        """Of second order even where rounding of the point made one side longer than the other."""
        ratio = -self.distances[1] / self.distances[0]
        right, left = self.values[0] - self.base, self.base - self.values[1]
        skewed = (right * ratio + left / ratio) / self.width
        return np.where(ratio == 1, (self.values[0] - self.values[1]) / self.width, skewed)

    @cached_property
    def jump(self) -> np.ndarray:
        """Slope to the right less slope to the left: goes with the step, but stays at a kink."""
        return self.sides[0] - self.sides[1]

    def column(self, line: int, j: int) -> "Column":
        """Those of one value along one line, at the rungs that were evaluated there."""
        finite = np.isfinite(self.distances[0, :, line, 0])
        return Column(
            self.distances[:, finite, line, 0],
            self.values[:, finite, line, j] - self.base[j],
            self.central[finite, line, j],
            float(self.base[j]),
        )

    def rounding(self, noise: np.ndarray) -> np.ndarray:
        """Noise of a central quotient; far away, where values are larger, it is larger too."""
        largest = np.max(np.abs(self.values), axis=0)
        near = np.maximum(largest[self.zero], np.abs(self.base))
        growth = largest[: self.zero] / np.where(near > 0, near, np.inf)
        noise = np.broadcast_to(noise, largest.shape).copy()
        noise[: self.zero] *= np.maximum(growth, 1.0)
        return np.maximum(noise, 2 * self.eps * largest) / (self.width / 2)


@dataclass(frozen=True)
class Column:
    """One value along one line, coarsest rung first: distances and changes (2, K), quotients (K,).

    The change is that from the value at the point, ``base``.
    """

    distances: np.ndarray
    changes: np.ndarray
    central: np.ndarray
    base: float

    @cached_property
    def seconds(self) -> np.ndarray:
        """Half of the second differences: the size of what is not straight."""
        return np.abs(self.changes.sum(axis=0)) / 2

    def reach(self, row: int) -> float:
        """How large values are, up to this rung's step and beyond."""
        sizes = np.abs(self.changes[:, : row + 1])
        return float(np.max(sizes, where=np.isfinite(sizes), initial=abs(self.base)))
