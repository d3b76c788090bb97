"""Lines through the point, along which slopes are taken."""

from typing import Protocol

import numpy as np

from chainrule.numeric.points import Point

FIRST = 0.5  # the first step, in units of the line's scale


class Line(Protocol):
    """A direction to move in. ``scale``: a natural first step; ``smallest``: where rounding of the
    point itself makes steps meaningless; ``at(t)``: the point and the exact distance moved."""

    scale: float
    smallest: float

    def at(self, t: float) -> tuple[np.ndarray, float]: ...


class Coordinate:
    """The line along one coordinate; distances are those of the coordinate.

    factor : on the first step; another power of two than 1 gives other steps throughout.
    """

    def __init__(self, point: Point, index: int, factor: float = 1.0):
        self.point = point
        self.index = index
        self.scale = factor * float(point.scale[index])
        size = max(abs(float(point.vector[index])), 2.0**-1000)
        self.smallest = 4.0 * float(point.eps[index]) * size

    def at(self, t: float) -> tuple[np.ndarray, float]:
        return self.point.move(self.index, t)


class Direction:
    """The line x + t v. Its steps are powers of two: where the components of v have few bits, the
    points of the line are exact, and their rounding adds no noise."""

    def __init__(self, point: Point, v: np.ndarray):
        self.point = point
        self.v = v
        moved = v != 0
        speed = np.abs(v[moved]) / point.scale[moved]
        self.scale = float(np.exp2(np.floor(-np.log2(np.max(speed))))) if speed.size else 1.0
        self.smallest = 16.0 * float(np.max(point.eps[moved], initial=0.0)) * self.scale

    def at(self, t: float) -> tuple[np.ndarray, float]:
        return self.point.vector + t * self.v, t


class Rescaled:
    """A line whose first step is this one."""

    def __init__(self, line: Line, first: float):
        self._line = line
        self.scale = first / FIRST
        self.smallest = line.smallest

    def at(self, t: float) -> tuple[np.ndarray, float]:
        return self._line.at(t)
