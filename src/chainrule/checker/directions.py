"""Many coordinates at once: slopes along a few directions, whatever the number of coordinates."""

from dataclasses import dataclass

import numpy as np

from chainrule.checker.compare import RTOL, Claim
from chainrule.numeric.lines import Direction
from chainrule.numeric.points import Function
from chainrule.numeric.slopes import slopes

_BITS = 128.0  # magnitudes are multiples of 1/128: the points of the lines stay exact


@dataclass(frozen=True, eq=False)
class Crossing:
    """Slopes along directions v (d, N), beside what the claim says about them.

    excess : (d,) gap in units of what is tolerated.   certificate : (N,) error of a single
    coordinate that would have shown in one of the directions, infinite where none agreed.
    """

    v: np.ndarray
    slope: np.ndarray
    bound: np.ndarray
    excess: np.ndarray
    certificate: np.ndarray

    @property
    def wrong(self) -> np.ndarray:
        return self.excess > 1


def draw(claim: Claim, rng: np.random.Generator) -> np.ndarray:
    """Four directions (4, N): two scalings times two weightings, random signs and magnitudes.

    Scaled by the coordinates themselves, and by the typical size in their array; plain, and with
    the weight of each coordinate cut down until all change f alike. Magnitudes from 1/2 to 3/2:
    equal ones would let two equal errors of opposite sign cancel.
    """
    point = claim.point
    flat = np.ones(point.size)
    for start, end in point.ranges():
        flat[start:end] = np.median(point.scale[start:end]) if end > start else 1.0
    rows = []
    for scale in (point.scale, flat):
        share = np.abs(claim.gradient) * scale
        seen = share[(share > 0) & np.isfinite(share)]
        low = np.quantile(seen, 0.05) if seen.size else 1.0
        equal = np.where(share > low, low / np.where(share > 0, share, 1.0), 1.0)
        for weight in (np.ones(point.size), np.maximum(equal, 2.0**-20)):
            size = np.exp2(np.round(np.log2(scale * weight)))
            magnitude = np.round(rng.uniform(0.5, 1.5, point.size) * _BITS) / _BITS
            rows.append(size * magnitude * rng.choice([-1.0, 1.0], point.size))
    return np.stack(rows)


def cross(function: Function, v: np.ndarray, noise: np.ndarray, claim: Claim) -> Crossing:
    """Measure the slopes along the rows of ``v``; what looks wrong is measured twice.

    Call inside ``quiet()``.
    """
    point = claim.point
    found = slopes(function, [Direction(point, row) for row in v], noise, RTOL)
    slope, bound = found.value[:, 0], found.bound[:, 0]
    crossing = _compared(v, slope, bound, claim)
    doubtful = np.flatnonzero(crossing.wrong)
    if doubtful.size:
        again = slopes(function, [Direction(point, 2 * v[k]) for k in doubtful], noise)
        other, other_bound = again.value[:, 0] / 2, again.bound[:, 0] / 2
        gap = np.abs(other - slope[doubtful]) - other_bound
        bound = bound.copy()
        bound[doubtful] = np.where(np.isfinite(gap), np.maximum(bound[doubtful], gap), np.inf)
        crossing = _compared(v, slope, bound, claim)
    return crossing


def _compared(v: np.ndarray, slope: np.ndarray, bound: np.ndarray, claim: Claim) -> Crossing:
    terms = v * claim.gradient
    # independent errors of the terms add up like their 2-norm
    size = np.sqrt(np.sum(terms * terms, axis=1))
    tolerated = 2 * bound + claim.tol * size + 8 * claim.eps * np.sum(np.abs(terms), axis=1)
    with np.errstate(all="ignore"):
        excess = np.abs(slope - np.sum(terms, axis=1)) / np.maximum(tolerated, 1e-300)
        excess = np.where(np.isfinite(bound), excess, 0.0)
        agreed = np.isfinite(bound) & (excess <= 1)
        sharp = np.where(agreed, tolerated, np.inf)[:, None] / np.abs(v)
    certificate = np.min(np.where(v != 0, sharp, np.inf), axis=0, initial=np.inf)
    return Crossing(v, slope, bound, excess, certificate)
