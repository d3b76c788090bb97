"""Which coordinates are wrong, when a direction says that some are: two evaluations a question."""

from dataclasses import dataclass, field

import numpy as np

from chainrule.checker.compare import Claim
from chainrule.checker.directions import Crossing
from chainrule.numeric.points import Function
from chainrule.numeric.stencils import RATIO

_ENOUGH = 3  # coordinates found
_STEPS = RATIO ** np.arange(3.0)  # tried, relative to the finest that the slope was taken from


@dataclass(frozen=True)
class Block:
    """Coordinates start..end: how far claim and quotient are apart along them, and by how much
    they may be."""

    start: int
    end: int
    apart: float
    tolerated: float

    @property
    def is_wrong(self) -> bool:
        return abs(self.apart) > self.tolerated


@dataclass
class Suspects:
    """coordinates : probably wrong.   leaves : arrays that hold some.   rest : blocks that hold
    some, too, but were not looked into."""

    coordinates: list[int] = field(default_factory=list)
    leaves: list[int] = field(default_factory=list)
    rest: list[Block] = field(default_factory=list)


def suspects(
    function: Function, crossing: Crossing, noise: np.ndarray, claim: Claim, most: int
) -> Suspects:
    """Halves of what is wrong, then halves of these: about 2 log2(N) evaluations a coordinate.

    crossing : has a direction whose slope contradicts the claim.   most : evaluations to spend.
    Call inside ``quiet()``.
    """
    search = _Halving(function, crossing, noise, claim)
    last = function.evaluations + most
    found = Suspects()
    waiting = [search.all]
    while waiting and len(found.coordinates) < _ENOUGH and function.evaluations < last:
        # whole arrays first, so that none is missed; then the worst
        block = max(waiting, key=lambda b: (search.spans_leaves(b), abs(b.apart) / b.tolerated))
        waiting.remove(block)
        if block.end - block.start == 1:
            found.coordinates.append(block.start)
        else:
            waiting += [half for half in search.halves(block) if half.is_wrong]
    found.rest = waiting
    firsts = found.coordinates + [b.start for b in waiting if not search.spans_leaves(b)]
    ends = claim.point.ends
    found.leaves = sorted({int(np.searchsorted(ends, i, side="right")) for i in firsts})
    return found


class _Halving:
    """Central quotients along parts of one direction, all at one step, beside the claim."""

    def __init__(self, function: Function, crossing: Crossing, noise: np.ndarray, claim: Claim):
        worst = int(np.argmax(crossing.excess))
        self.function, self.claim = function, claim
        self.v = crossing.v[worst]
        self.terms = self.v * claim.gradient
        self.noise = float(noise[0] * np.ravel(function.unit)[0])
        slope = crossing.slope[worst]
        # the step where the quotient of the whole direction is closest to its slope
        errors = []
        for self.step in _STEPS * crossing.step[worst]:
            off = abs(self.quotient(0, len(self.v)) - slope)
            errors.append((off + 2 * self.noise / self.step, self.step))
        self.error, self.step = min(errors)
        apart = slope - crossing.claims[worst]
        self.all = Block(0, len(self.v), apart, self.tolerated(0, len(self.v)))

    def quotient(self, start: int, end: int) -> float:
        x, unit = self.function.point.vector, float(np.ravel(self.function.unit)[0])
        values = []
        for t in (self.step, -self.step):
            moved = x.copy()
            moved[start:end] += t * self.v[start:end]
            values.append(float(self.function(moved)[0]))
        return (values[0] - values[1]) / (2 * self.step) * unit

    def tolerated(self, start: int, end: int) -> float:
        terms = self.terms[start:end]
        claimed = self.claim.tol * float(np.linalg.norm(terms))
        rounding = 8 * self.claim.eps * float(np.sum(np.abs(terms)))
        return 2 * self.error + claimed + rounding

    def halves(self, block: Block) -> tuple[Block, Block]:
        """Both parts, measured in one of them: the other has what is left."""
        ends = self.claim.point.ends
        inside = ends[(ends > block.start) & (ends < block.end)]
        middle = int(inside[len(inside) // 2]) if inside.size else (block.start + block.end) // 2
        apart = self.quotient(block.start, middle) - float(np.sum(self.terms[block.start : middle]))
        low = Block(block.start, middle, apart, self.tolerated(block.start, middle))
        rest = block.apart - apart
        return low, Block(middle, block.end, rest, self.tolerated(middle, block.end))

    def spans_leaves(self, block: Block) -> bool:
        ends = self.claim.point.ends
        return bool(np.any((ends > block.start) & (ends < block.end)))
