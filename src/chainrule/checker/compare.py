"""When a measured slope contradicts a claimed one, and when it confirms it.

A claim is *wrong* when it is farther from the measurement than twice the bound on the measurement's
own error (four times, if that is large), plus tolerances. It is *verified* when it is not wrong,
and the measurement is so sharp that an error of 2 % would have shown. In between, nothing is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chainrule.numeric.points import Point
from chainrule.numeric.slopes import Slopes

RESOLUTION = 2e-2  # relative error of a claim that would have shown
_POOR = 0.05
_HUGE = 1e300
_TINY = 5e-324  # so that nothing is divided by zero


@dataclass(frozen=True, eq=False)
class Claim:
    """The claimed gradient (N,) at a point, and how exactly it can be meant.

    tol : relative tolerance.   eps : the rounding of the gradient's own arithmetic.
    size : what counts as a large change of f.   noise : of its values.
    """

    point: Point
    gradient: np.ndarray
    tol: float
    eps: float
    size: float
    noise: float = 0.0

    @property
    def share(self) -> np.ndarray:
        """(N,) how much each coordinate, moved by its own scale, changes f."""
        with np.errstate(over="ignore"):
            share = np.minimum(np.abs(self.gradient) * self.point.scale, _HUGE)
        return np.where(np.isfinite(self.gradient), share, 0.0)

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
        to the largest in its array, and to what f does when coordinates move by their scale."""
        largest = float(np.max(self.share, initial=0.0))
        change = max(
            1e-6 * self.size,
            1e-2 * min(largest, self.size),
            min(256 * self.noise, 1e-4 * self.size),
            _TINY,
        )
        absolute = change / self.point.scale
        meant = np.where(self.is_zero, 0.0, np.abs(self.gradient))
        for start, end in self.point.ranges():
            beside = meant[start:end]
            most = float(np.max(beside, where=np.isfinite(beside), initial=0.0))
            if most > 0:
                absolute[start:end] = np.minimum(absolute[start:end], RESOLUTION * most)
        return np.where(self.is_zero, absolute, RESOLUTION * np.abs(self.gradient))


class Measured:
    """What is known of each coordinate's slope; bound infinite where nothing is (yet).

    For a kink the claim may be anything between ``left`` and ``right``, NaN elsewhere.   noise : of
    the values along this coordinate.   appealed : f has treads, and the claim is right on its own.
    certificate : error that would have shown in a direction, for those that were not ``tried``.
    """

    def __init__(self, n: int):
        self.table = np.full((5, n), np.nan)
        self.table[1] = np.inf
        self.tried = np.zeros(n, bool)
        self.appealed = np.zeros(n, bool)
        self.certificate = np.full(n, np.inf)

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

    @property
    def noise(self) -> np.ndarray:
        return self.table[4]

    def take(self, indices: Sequence[int], found: Slopes) -> None:
        """Note the slopes of these coordinates."""
        where = np.asarray(indices, int)
        self.tried[where] = True
        self.table[:, where] = columns(found)

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
        # a poor measurement, of which one digit is known, has to be far away to convict
        bounds = np.where(self.margin > _POOR * np.abs(self.value), 4, 2)
        tolerated = bounds * self.margin + claim.tol * np.abs(claim.gradient) + claim.rounding
        tolerated = np.where(finite, tolerated, 1.0)
        with np.errstate(all="ignore"):
            excess = self.gap(claim.gradient) / np.maximum(tolerated, _TINY)
            large = np.maximum(np.abs(self.value), claim.size / claim.point.scale)
        known = np.where(finite, np.isfinite(self.bound), self.margin <= RESOLUTION * large)
        return np.where(known, excess, 0.0)

    def wrong(self, claim: Claim) -> np.ndarray:
        return self.excess(claim) > 1

    def resolution(self, claim: Claim) -> np.ndarray:
        """(N,) error of the claim that would have shown; infinite where nothing is known."""
        alone = 2 * self.margin + claim.tol * np.abs(claim.gradient) + claim.rounding
        return np.where(self.tried, alone, self.certificate)

    def verified(self, claim: Claim) -> np.ndarray:
        return ~self.wrong(claim) & (self.resolution(claim) <= claim.visible)


def columns(found: Slopes) -> np.ndarray:
    """(5, lines): value, bound, slopes on both sides of a kink, noise."""
    kink = found.kink[:, 0]
    left, right = (np.where(kink, side[:, 0], np.nan) for side in (found.left, found.right))
    return np.stack([found.value[:, 0], found.bound[:, 0], left, right, found.noise[:, 0]])
