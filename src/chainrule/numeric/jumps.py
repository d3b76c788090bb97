"""Whether a function jumps: computed values do, where digits were lost, and then steps mislead.

A factor rounded to few digits is a staircase. Between its treads it does not move, and quotients
at steps shorter than a tread converge, with all signs of a smooth function, to the slope of the
other factors alone. Smooth structure (a ripple, a pole close by) can part the quotients of small
and large steps just so. Bisection tells them apart: when an interval is halved again and again,
the change across a continuous function halves with it, and the change across a jump stays.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from chainrule.numeric.lines import Line
from chainrule.numeric.points import Function
from chainrule.numeric.rungs import Column
from chainrule.numeric.stencils import RATIO

_HALVINGS = 12
_PERSISTS = 0.15  # of a change, after four halvings: a smooth one has 1/16 left
_STEEPER = 100.0  # than at the start: a jump
_SMALL = 1e-2  # relative to the values of f: larger jumps are meant


@dataclass(frozen=True)
class Jump:
    """A change by ``change`` at a point no farther than ``distance``."""

    distance: float
    change: float


def find_jump(
    residual: Callable[[float], float], near: float, far: float, noise: float, smallest: float
) -> Jump | None:
    """A jump of ``residual`` between the distances ``near`` and ``far``, or None.

    residual : f(t) less the straight line that fits f closest to t = 0.   noise : of its values.
    smallest : no interval becomes shorter.   About 5 evaluations where there is no jump, else 10.
    """
    low, high = residual(near), residual(far)
    while far > 4 * near:  # from many scales to one
        middle = (near * far) ** 0.5
        there = residual(middle)
        if abs(there - low) > max(4 * noise, abs(high - low) * middle / far / 4):
            far, high = middle, there
        else:
            near, low = middle, there
    steepness = abs(high - low) / (far - near)
    sizes = [abs(high - low)]
    least, most = min(low, high) - sizes[0], max(low, high) + sizes[0]
    for _ in range(_HALVINGS):
        if not (sizes[-1] > 4 * noise and far - near > smallest):
            return None
        middle = (near + far) / 2
        there = residual(middle)
        if not least <= there <= most:
            return None  # on its way to infinity: a pole
        if abs(high - there) > abs(there - low):
            near, low = middle, there
        else:
            far, high = middle, there
        sizes.append(abs(high - low))
        if len(sizes) > 4 and not sizes[-1] > _PERSISTS * sizes[-5]:
            return None
        if sizes[-1] > _STEEPER * steepness * (far - near):
            return Jump(far, high - low)
    return None


def stairs(
    function: Function,
    line: Line,
    j: int,
    column: Column,
    slope: float,
    apart: float,
    near: float,
    noise: float,
    bound: float,
) -> float:
    """The noise in value ``j`` if f is a staircase where it leaves the line of this slope, else 0.

    column : the rungs of this line and value.   slope, bound : found at small steps.   apart : by
    how much quotients of larger steps differ.   near : a step where f is still straight, or 0.
    """
    gaps = np.abs(column.central - slope)
    leaves = gaps > np.maximum(apart / 2, 8 * noise / np.abs(column.distances[0]))
    if not leaves.any():
        return 0.0
    row = int(np.max(np.flatnonzero(leaves)))
    residuals = column.changes - slope * column.distances
    bends = residuals.mean(axis=0)
    bend = RATIO**2 * bends[row + 1] if row + 1 < len(bends) else 0.0
    side = int(np.argmax(np.abs(residuals[:, row] - bend)))
    sign, reach = (1.0, -1.0)[side], column.reach(row)
    if not abs(residuals[side, row]) <= 8 * _SMALL * reach:
        return 0.0  # meant: a step, the far side of a pole, an oscillation

    def residual(t: float) -> float:
        vector, distance = line.at(sign * t)
        return float(function(vector)[j]) - column.base - slope * distance

    steps = np.abs(column.distances[side])
    far = float(steps[row])
    near = near or float(np.max(steps, where=steps < far, initial=far / RATIO**2))
    jump = find_jump(residual, near, far, noise, line.smallest)
    if jump is None or not abs(jump.change) <= _SMALL * reach:
        return 0.0
    if _is_single(column, row, slope, sign * jump.change, bound):
        return 0.0
    return max(abs(jump.change), _roughness(column, row, _SMALL * reach))


def _is_single(column: Column, row: int, slope: float, change: float, bound: float) -> bool:
    """Whether quotients up to this rung less those of one jump are those of a smooth function."""
    share = change / (column.distances[0] - column.distances[1])[: row + 1]
    gaps = np.abs(column.central[: row + 1] - slope - share)
    telling = gaps[:-1] > 4 * bound + 0.05 * np.abs(share[:-1])
    return bool(telling.sum() > 1 and np.all(gaps[:-1][telling] >= 3 * gaps[1:][telling]))


def _roughness(column: Column, row: int, most: float) -> float:
    """The largest second difference up to this rung that is no curvature; 0 if beyond ``most``."""
    seconds = column.seconds[: row + 1]
    curved = np.logical_and.accumulate(seconds[:-1] >= 8 * seconds[1:])
    rough = float(np.max(seconds[1 + int(curved.sum()) :], initial=0.0))
    return rough if rough <= most else 0.0
