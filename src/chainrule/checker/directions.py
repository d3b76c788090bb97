"""Many coordinates at once: slopes along a few directions, whatever the number of coordinates."""

from dataclasses import dataclass

import numpy as np

from chainrule.checker.compare import Claim
from chainrule.checker.measure import RTOL
from chainrule.numeric.lines import Direction
from chainrule.numeric.points import Function
from chainrule.numeric.slopes import slopes

_HEARD = 100.0  # times the noise: a change that can be measured to some digits
_CUT = 2.0**-20  # weights are not smaller
_BITS = 128.0  # magnitudes are multiples of 1/128: the points of the lines stay exact


@dataclass(frozen=True, eq=False)
class Crossing:
    """Slopes along directions v (d, N), beside what the claim says they are.

    step : (d,) the finest that was used.   kink : (d,) at the point.   excess : (d,) gap in units
    of what is tolerated.   certificate : (N,) error of a single coordinate that would have shown in
    one of the directions, infinite where none agreed.
    """

    v: np.ndarray
    claims: np.ndarray
    slope: np.ndarray
    bound: np.ndarray
    step: np.ndarray
    kink: np.ndarray
    excess: np.ndarray
    certificate: np.ndarray

    @property
    def wrong(self) -> np.ndarray:
        return self.excess > 1


def draw(claim: Claim, rng: np.random.Generator) -> np.ndarray:
    """Four directions (4, N): two scalings times two weightings, random signs and magnitudes.

    Scaled by the coordinates themselves, and by the typical size in their array; plain, and with
    the weight of each coordinate cut down until all change f alike: those that would have to be cut
    too much stay out. Magnitudes from 1/2 to 3/2: equal ones would let two equal errors of opposite
    sign cancel.
    """
    point = claim.point
    flat = np.ones(point.size)
    for start, end in point.ranges():
        flat[start:end] = np.median(point.scale[start:end]) if end > start else 1.0
    rows = []
    for scale in (point.scale, flat):
        share = np.abs(claim.gradient) * scale
        seen = share[(share > _HEARD * claim.noise) & np.isfinite(share)]
        low = np.quantile(seen, 0.05) if seen.size else np.inf
        equal = np.where(share > low, low / np.where(share > 0, share, 1.0), 1.0)
        equal[equal < _CUT] = 0.0
        for weight in (np.ones(point.size), equal):
            with np.errstate(divide="ignore"):
                size = np.exp2(np.round(np.log2(scale * weight)))
            magnitude = np.round(rng.uniform(0.5, 1.5, point.size) * _BITS) / _BITS
            rows.append(size * magnitude * rng.choice([-1.0, 1.0], point.size))
    return np.stack(rows)


def cross(function: Function, v: np.ndarray, noise: np.ndarray, claim: Claim) -> Crossing:
    """Measure the slopes along the rows of ``v``, up to the first that contradicts the claim.

    What looks wrong is measured twice. Call inside ``quiet()``.
    """
    found = np.zeros((4, 0))
    for taken, row in enumerate(v, start=1):
        found = np.column_stack([found, _slope(function, row, noise, RTOL)])
        crossing = _compared(claim, v[:taken], *found)
        if crossing.wrong[-1]:
            again = _slope(function, 2 * row, noise, 0.0) / 2
            gap = abs(again[0] - found[0, -1]) - again[1]
            found[1, -1] = max(found[1, -1], gap) if np.isfinite(gap) else np.inf
            crossing = _compared(claim, v[:taken], *found)
            if crossing.wrong[-1]:
                break
    return crossing


def _slope(function: Function, row: np.ndarray, noise: np.ndarray, rtol: float) -> np.ndarray:
    """Slope, bound, finest step, and whether there is a kink, along one direction."""
    found = slopes(function, [Direction(function.point, row)], noise, rtol)
    return np.array([t[0, 0] for t in (found.value, found.bound, found.step, found.kink)], float)


def _compared(
    claim: Claim,
    v: np.ndarray,
    slope: np.ndarray,
    bound: np.ndarray,
    step: np.ndarray,
    kink: np.ndarray,
) -> Crossing:
    terms = v * claim.gradient
    # independent errors of the terms add up like their 2-norm
    size = np.sqrt(np.sum(terms * terms, axis=1))
    tolerated = 2 * bound + claim.tol * size + 8 * claim.eps * np.sum(np.abs(terms), axis=1)
    with np.errstate(all="ignore"):
        claims = np.sum(terms, axis=1)
        excess = np.abs(slope - claims) / np.maximum(tolerated, 1e-300)
        excess = np.where(np.isfinite(bound), excess, 0.0)
        agreed = np.isfinite(bound) & (excess <= 1)
        sharp = np.where(agreed, tolerated, np.inf)[:, None] / np.abs(v)
        sharp[v == 0] = np.inf
    certificate = np.min(sharp, axis=0, initial=np.inf)
    return Crossing(v, claims, slope, bound, step, kink > 0, excess, certificate)
