"""When a measured slope contradicts a claimed one, and when it confirms it.

A claim is *wrong* when it is farther from the measurement than twice the bound on the measurement's
own error, plus tolerances. It is *verified* when it is not wrong, and the measurement is so sharp
that an error of 2 % would have shown. In between, nothing is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chainrule.numeric.lines import FIRST, Coordinate, Direction, Line, Rescaled
from chainrule.numeric.partials import in_chunks
from chainrule.numeric.points import Function, Point
from chainrule.numeric.rungs import Rungs
from chainrule.numeric.slopes import Slopes, slopes
from chainrule.numeric.stencils import RATIO

RESOLUTION = 2e-2  # relative error of a claim that would have shown
RTOL = 1e-9  # bound at which a slope is sharp enough
_APPEALS = 20
_PAIRS = 4  # of kinks that are moved together
_NEARLY = 1e-3  # relative error of a claim that gets the benefit of the doubt


@dataclass(frozen=True, eq=False)
class Claim:
    """The claimed gradient (N,) at a point, and how exactly it can be meant.

    tol : relative tolerance.   eps : the rounding of the gradient's own arithmetic.
    size : what counts as a large change of f.
    """

    point: Point
    gradient: np.ndarray
    tol: float
    eps: float
    size: float

    @property
    def share(self) -> np.ndarray:
        """(N,) how much each coordinate, moved by its own scale, changes f."""
        share = np.abs(self.gradient) * self.point.scale
        return np.where(np.isfinite(share), share, 0.0)

    @property
    def rounding(self) -> np.ndarray:
        """(N,) error the gradient has from rounding, for terms as large as the largest share."""
        return 8 * self.eps * np.max(self.share, initial=0.0) / self.point.scale

    @property
    def is_zero(self) -> np.ndarray:
        """(N,) zero, or so small beside the others that it may be the rounding of a zero."""
        return self.share <= 1e-13 * np.max(self.share, initial=0.0)

    @property
    def visible(self) -> np.ndarray:
        """(N,) an error of this size would matter: relative to the claim, or where that is zero
        to what the largest coordinate does and to the value itself."""
        largest = max(RESOLUTION * float(np.max(self.share, initial=0.0)), 1e-6 * self.size)
        absolute = max(largest, 1e-300) / self.point.scale
        return np.where(self.is_zero, absolute, RESOLUTION * np.abs(self.gradient))


class Measured:
    """What is known of each coordinate's slope; bound infinite where nothing is (yet).

    For a kink the claim may be anything between ``left`` and ``right``, NaN elsewhere.
    """

    def __init__(self, n: int):
        self.table = np.full((4, n), np.nan)
        self.table[1] = np.inf
        self.tried = np.zeros(n, bool)

    @property
    def value(self) -> np.ndarray:
        return self.table[0]

    @property
    def bound(self) -> np.ndarray:
        return self.table[1]

    @property
    def left(self) -> np.ndarray:
        return self.table[2]

    @property
    def right(self) -> np.ndarray:
        return self.table[3]

    def take(self, indices: Sequence[int], found: Slopes) -> None:
        """Note the slopes of these coordinates."""
        where = np.asarray(indices, int)
        self.tried[where] = True
        kink = found.kink[:, 0]
        left, right = (np.where(kink, side[:, 0], np.nan) for side in (found.left, found.right))
        self.table[:, where] = found.value[:, 0], found.bound[:, 0], left, right

    @property
    def kink(self) -> np.ndarray:
        return np.isfinite(self.left) & np.isfinite(self.right)

    @property
    def margin(self) -> np.ndarray:
        """The error bound; at a kink that of the one-sided slopes."""
        with np.errstate(all="ignore"):
            half = np.abs(self.right - self.left) / 2
            return np.where(self.kink, self.bound - half, self.bound)

    def gap(self, claimed: np.ndarray) -> np.ndarray:
        """Distance of the claims from the slopes, or from the interval of slopes at a kink."""
        with np.errstate(all="ignore"):
            distance = np.abs(claimed - self.value)
            half = np.abs(self.right - self.left) / 2
            distance = np.where(self.kink, np.maximum(distance - half, 0.0), distance)
        return np.where(np.isnan(distance), np.inf, distance)

    def excess(self, claim: Claim) -> np.ndarray:
        """(N,) the gap in units of what is tolerated: above 1 the claim is wrong.

        A claim that is not finite is wrong where the slope is sharp, not where it is only bounded:
        next to an infinite slope, as of cbrt at 0, differences are huge but finite.
        """
        finite = np.isfinite(claim.gradient)
        tolerated = 2 * self.margin + claim.tol * np.abs(claim.gradient) + claim.rounding
        tolerated = np.where(finite, tolerated, 1.0)
        with np.errstate(all="ignore"):
            excess = self.gap(claim.gradient) / np.maximum(tolerated, 1e-300)
            large = np.maximum(np.abs(self.value), claim.size / claim.point.scale)
        known = np.where(finite, np.isfinite(self.bound), self.margin <= RESOLUTION * large)
        return np.where(known, excess, 0.0)

    def wrong(self, claim: Claim) -> np.ndarray:
        return self.excess(claim) > 1

    def resolution(self, claim: Claim) -> np.ndarray:
        """(N,) error of the claim that would have shown; infinite where nothing is known."""
        return 2 * self.margin + claim.tol * np.abs(claim.gradient) + claim.rounding

    def verified(self, claim: Claim) -> np.ndarray:
        return ~self.wrong(claim) & (self.resolution(claim) <= claim.visible)


def measure(
    function: Function, indices: Sequence[int], noise: np.ndarray, claim: Claim
) -> Measured:
    """The slopes of these coordinates: cheaply where that is enough.

    What is not verified at first is measured again, at other steps and as well as can be; what
    looks wrong must look wrong both times, and stand an appeal. Call inside ``quiet()``.
    """
    measured = Measured(function.point.size)
    lines = [Coordinate(function.point, i) for i in indices]
    measured.take(indices, in_chunks(_to_rtol, function, lines, noise, None))
    verified = measured.verified(claim)
    again = [i for i in indices if not verified[i]]
    if again:
        first = measured.table[:, again].copy()
        lines = [Coordinate(function.point, i, 0.5) for i in again]
        measured.take(again, in_chunks(slopes, function, lines, noise, None))
        second = measured.table[:, again].copy()
        measured.table[:, again] = _reconciled(first, second)
        for table in (first, second):  # what is nearly right must look wrong with each of them
            close = (measured.wrong(claim) & _nearly_right(measured, claim))[again]
            measured.table[:, again] = np.where(close, table, measured.table[:, again])
        _hear(function, measured, noise, claim)
    return measured


def tied(function: Function, measured: Measured, noise: np.ndarray, claim: Claim) -> str:
    """How the claim contradicts the slope along coordinates that share a kink; "" if it does not.

    At a tie of ``max`` each coordinate alone has a kink, but moving all of them together meets
    none, and the slope is no sum of theirs: there subgradients have no choice. (Where it is that
    sum, kinks are independent, and each may have been given a slope by a rule of its own.)
    """
    kinks = np.flatnonzero(measured.kink)
    if len(kinks) < 2:
        return ""
    point, groups = function.point, [kinks, *(kinks[k : k + 2] for k in range(_PAIRS))]
    for group in (g for g in groups if len(g) > 1):
        v = np.zeros(point.size)
        v[group] = np.min(point.scale[group])
        found = slopes(function, [Direction(point, v)], noise)
        slope, bound = float(found.value[0, 0]), float(found.bound[0, 0])
        sides = [float(v[group] @ side[group]) for side in (measured.right, measured.left)]
        slack = float(v[group] @ measured.margin[group]) + bound
        apart = min(abs(side - slope) for side in sides)
        if found.special.any() or not apart > 4 * slack + 1e-3 * abs(slope):
            continue
        terms = v[group] * claim.gradient[group]
        tolerated = 2 * bound + (claim.tol + 8 * claim.eps) * float(np.sum(np.abs(terms)))
        if abs(float(np.sum(terms)) - slope) > tolerated:
            names = ", ".join(point.name(int(i)) for i in group[:3])
            more = f" and {len(group) - 3} more" if len(group) > 3 else ""
            numbers = (
                f"claimed {np.sum(terms) / v[group[0]]:.6g}, numeric {slope / v[group[0]]:.6g}"
            )
            return f"{names}{more}, which share a kink, moved together: {numbers}"
    return ""


def _hear(function: Function, measured: Measured, noise: np.ndarray, claim: Claim) -> None:
    """Let claims that look wrong appeal, the worst first, until one of them is wrong indeed."""
    for _ in range(_APPEALS):
        excess = measured.excess(claim)
        excess[measured.kink | ~np.isfinite(claim.gradient)] = 0.0
        i = int(np.argmax(excess))
        if not excess[i] > 1:
            return
        line, gap = Coordinate(function.point, i), measured.gap(claim.gradient)[i]
        if not _nearly_right(measured, claim)[i]:
            return
        if not _is_right_closer(function, line, claim.gradient[i], gap, noise):
            return
        measured.bound[i] = gap


def _nearly_right(measured: Measured, claim: Claim) -> np.ndarray:
    return measured.gap(claim.gradient) <= _NEARLY * np.abs(measured.value)


def _is_right_closer(
    function: Function, line: Line, claimed: float, gap: float, noise: np.ndarray
) -> bool:
    """Whether quotients at steps just large enough to tell the slopes apart agree with the claim.

    What the search's probe at a tiny step tolerates can be fine structure, the pieces of a table.
    """
    unit = float(np.ravel(function.unit)[0])
    step = max(16 * float(noise[0]) * unit / gap, 64 * line.smallest)
    if not RATIO * step < FIRST * line.scale:
        return False
    first = RATIO * 2.0 ** np.ceil(np.log2(step))
    rungs, one = Rungs(function, [Rescaled(line, first)]), np.array([0])
    for k in range(2):
        rungs.evaluate(k, one)
    found = rungs.of(one)
    apart = np.abs(found.central * unit - claimed)
    return bool((apart < gap / 4).all())


def _to_rtol(function: Function, lines: Sequence[Line], noise: np.ndarray) -> Slopes:
    return slopes(function, lines, noise, RTOL)


def _reconciled(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The sharper of two measurements (4, n) each, its bound widened until it covers the other."""
    sharper = first[1] < second[1]
    best, other = np.where(sharper, first, second), np.where(sharper, second, first)
    gap = np.abs(best[0] - other[0]) - other[1]
    plain = np.isfinite(gap) & np.isnan(best[2])
    best[1] = np.where(plain, np.maximum(best[1], gap), best[1])
    return best
