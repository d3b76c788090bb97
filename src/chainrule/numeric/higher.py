"""Derivatives of higher order of a function of one number, each with a bound on its error.

The even and the odd part of f around x are series in u = t^2. Their values at steps t, each the one
before divided by the square root of two, are fitted by polynomials in u through some neighbouring
steps (a *window*): the coefficient wanted is a sum of values with known weights, so its noise is
known too. Truncation shows in the change from one window to a smaller one. Where f is smooth at the
scale of the steps that change halves from step to step at least; beyond a kink it does not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import factorial
from typing import NamedTuple

import numpy as np

from chainrule.numeric.points import Function

MOST = 10  # the highest order: beyond, values in double precision have few digits left to give
_TOP, _ROWS = -4, 9  # the first rungs; at rung k the step is scale / 2^(k/2)
_DEEPEST, _HIGHEST = 56, -64
_TERMS = 6  # removed from the truncation, at most
_SHRINK = 0.6  # of changes from rung to rung: smooth functions give 1/2, kinks 0.7 and more
_SUDDEN = 100.0  # no series loses that much in a rung: the coarser one was beyond a kink
_PLATEAU = 0.9  # of second differences
_BEYOND = 3  # rungs finer than the best: they tell how noisy it is
_SLACK = 4.0  # by which truncation may shrink more slowly than its power of the step
_GROWING = 7  # windows
_SAFETY = 2.0
_NOISIER = tuple(16.0**k for k in range(1, 9))  # if nothing converges, noise was underestimated


@dataclass(frozen=True, eq=False)
class High:
    """Derivatives (m,), bounds on their errors, and the smallest and the largest step used."""

    value: np.ndarray
    bound: np.ndarray
    step: np.ndarray
    reach: np.ndarray


class _Found(NamedTuple):
    value: np.ndarray
    bound: np.ndarray
    noise: np.ndarray  # the share of the bound that is noise
    first: np.ndarray  # the coarsest rung used
    last: np.ndarray  # the finest


def by_differences(function: Function, order: int, noise: np.ndarray) -> High:
    """The derivative of this order from values at real points; about 30 to 150 evaluations.

    noise : (m,) bound on the noise of the values. Where nothing converges (a kink, the edge of the
    domain) the bound is infinite and the value NaN. Call inside ``quiet()``.
    """
    rungs = _Rungs(function, order, noise)
    rungs.evaluate(range(_TOP, _TOP + _ROWS))
    found = rungs.best()
    while (k := rungs.next(found)) is not None:
        rungs.evaluate([k])
        found = rungs.best()
    found = rungs.best(rungs.seen_noise())
    for factor in _NOISIER:
        missing = ~np.isfinite(found.bound)
        if not missing.any():
            break
        found = _Found(*(np.where(missing, b, a) for a, b in zip(found, rungs.best(factor))))
    steps = rungs.scale * 2.0 ** (-np.stack([found.last, found.first]) / 2)
    known = np.isfinite(found.bound) & ~rungs.diverge()
    bound, unit = np.where(known, found.bound, np.inf), factorial(order) / rungs.scale**order
    value, (step, reach) = np.where(known, found.value, np.nan), np.where(known, steps, np.nan)
    return High(value * unit, bound * unit, step, reach)


class _Rungs:
    """Values at x + t and x - t for a growing set of steps t, and what windows of them say."""

    def __init__(self, function: Function, order: int, noise: np.ndarray):
        self.function = function
        self.noise = noise
        self.is_odd = order % 2 == 1
        self.power = (order - 1) // 2  # of u, in the odd part / t and in the even part / t^2
        self.scale = float(function.point.scale[0])
        self.u: dict[int, float] = {}
        self.quotient: dict[int, np.ndarray] = {}
        self.rounding: dict[int, np.ndarray] = {}
        self.bend: dict[int, np.ndarray] = {}
        self.windows: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}
        self.size = np.abs(function.base)  # of values near the point
        self.before = np.inf  # the sum of all bounds before the last rung that was climbed

    def evaluate(self, rungs: Iterable[int]) -> None:
        """Values at these rungs; a rung below the resolution of the point is left out."""
        steps = {k: t for k in rungs if (t := self.step(k))}
        moves = [self.function.point.move(0, side * t) for t in steps.values() for side in (1, -1)]
        values = self.function.many([vector for vector, _ in moves])
        for n, (k, t) in reversed(list(enumerate(steps.items()))):  # near ones first
            (right, left), base = values[2 * n : 2 * n + 2], self.function.base
            astray = max(abs(abs(moves[2 * n + side][1]) - t) for side in (0, 1))
            a, b = right - base, left - base
            largest = np.maximum(abs(right), abs(left))
            if k >= 0:
                self.size = np.fmax(self.size, largest)
            growth = np.maximum(largest / np.where(self.size > 0, self.size, np.inf), 1.0)
            noise = np.maximum(self.noise * growth, 2 * self.function.eps * largest)
            noise = noise + 2 * astray / t * np.maximum(abs(a), abs(b))
            tau = t / self.scale
            self.u[k] = tau * tau
            self.bend[k] = np.stack([np.abs(a + b), noise])
            self.quotient[k] = (a - b) / 2 / tau if self.is_odd else (a + b) / 2 / tau**2
            self.rounding[k] = noise / tau if self.is_odd else 2 * noise / tau**2

    def step(self, k: int) -> float:
        """The step of rung k, such that points are exact where they can be; 0 if too small."""
        t, point = self.scale * 2.0 ** (-k / 2), self.function.point
        size = max(abs(float(point.vector[0])), t)
        quantum = 4 * float(point.eps[0]) * 2.0 ** np.floor(np.log2(size))
        rounded = float(np.round(t / quantum) * quantum)
        return rounded if rounded > 256 * quantum else 0.0

    def window(self, k: int, size: int) -> tuple[np.ndarray, np.ndarray]:
        """The coefficient and its noise from the rungs k to k + size - 1."""
        if (k, size) not in self.windows:
            rows = range(k, k + size)
            weights = _weights(np.array([self.u[i] for i in rows]), self.power)
            value = weights @ np.stack([self.quotient[i] for i in rows])
            noise = np.abs(weights) @ np.stack([self.rounding[i] for i in rows])
            self.windows[k, size] = value, noise
        return self.windows[k, size]

    def table(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Values and noise (S, m) of all windows of this size, the coarsest first."""
        starts = range(min(self.u), max(self.u) - size + 2)
        value, noise = zip(*(self.window(k, size) for k in starts))
        return np.stack(value), np.stack(noise)

    def seen_noise(self) -> np.ndarray:
        """(S, m) by how much windows are noisier than expected, as finer ones show it.

        Changes from one window to the next shrink by a power of two as long as they are truncation.
        """
        least, count = self.power + 1, len(self.u)
        seen = np.ones((count, *self.noise.shape))
        for size in range(least, min(least + _TERMS, count - 2) + 1):
            value, noise = self.table(size)
            change = np.abs(np.diff(value, axis=0))
            shrink = min(_SHRINK, _SLACK / 2.0 ** (size - self.power))
            excess = (change[1:] - shrink * change[:-1]) / (noise[1:-1] + noise[2:])
            rows = slice(2, 2 + len(excess))
            seen[rows] = np.maximum(seen[rows], 2 * np.nan_to_num(excess, posinf=0.0))
        return np.maximum.accumulate(seen[::-1], axis=0)[::-1]

    def diverge(self) -> np.ndarray:
        """(m,) whether windows grow and grow, as beside a kink at the point itself."""
        value, noise = self.table(self.power + 1)
        value, noise = value[-_GROWING:], noise[-_GROWING:]
        grows = value[1:] / np.where(value[:-1] == 0, np.inf, value[:-1]) >= 1.2
        return np.all(grows & (np.abs(np.diff(value, axis=0)) > 4 * noise[1:]), axis=0)

    def best(self, noisier: float | np.ndarray = 1.0) -> _Found:
        """Of all windows that converge the one with the smallest bound, after each bound was
        widened to agree with the finer ones.   noisier : than expected, by this factor."""
        first, least = min(self.u), self.power + 1
        count, tables = len(self.u), []
        for size in range(least, min(least + _TERMS, count) + 1):
            value, noise = self.table(size)
            tables.append((value, noise * _first(noisier, value) + 4e-16 * np.abs(value)))
        nothing = np.full((1, *self.noise.shape), np.nan)
        zero = np.full(nothing.shape, first)
        entries: list[tuple] = [(nothing, np.full(nothing.shape, np.inf), nothing, zero, zero)]
        fits = np.zeros(0, bool)
        if len(tables) > 2:
            fits = _converging(*tables[0]) & self.is_bent(least + 2)
        for terms in range(2, len(tables)):
            (value, noise), (coarse, _), (coarser, _) = (tables[terms - n] for n in range(3))
            if terms > 2:
                fits = fits[:-1] & fits[1:]
            change = np.maximum(np.abs(value - coarse[1:]), np.abs(coarse[1:] - coarser[2:]) / 32)
            bound = np.where(fits & np.isfinite(value), _SAFETY * change + noise, np.inf)
            if terms == 2:
                finer = value, bound.copy()
            s = np.arange(len(value))[:, None] + np.zeros(value.shape[1:], int)
            bound = _widened(value, bound, *finer)
            entries.append((value, bound, noise, first + s, first + s + least + terms - 1))
        columns = [np.concatenate(part) for part in zip(*entries)]
        at = np.argmin(columns[1], axis=0)[None]
        return _Found(*(np.take_along_axis(column, at, 0)[0] for column in columns))

    def is_bent(self, size: int) -> np.ndarray:
        """(S, m) whether in windows of this size f bends the more the larger the step is.

        Far from a narrow peak f is as flat on one side as on the other, and knows nothing of it.
        """
        bend, noise = np.stack([self.bend[k] for k in sorted(self.u)], axis=1)
        bent = bend[1:] <= _PLATEAU * bend[:-1] + 4 * noise[1:]
        return np.all([bent[s : len(bent) - size + 2 + s] for s in range(size - 1)], axis=0)

    def next(self, found: _Found) -> int | None:
        """The rung to evaluate next: a finer one, a coarser one where noise is all, or None."""
        first, last = min(self.u), max(self.u)
        noisy = found.bound <= 4 * found.noise
        if not (noisy & (found.last <= last - _BEYOND)).all():
            k = last + 1
            return k if k <= _DEEPEST and self.step(k) else None
        top = (found.first == first) & (found.bound > 1e-13 * np.abs(found.value))
        total = float(np.sum(found.bound, where=top, initial=0.0))
        helps, self.before = total < self.before / 1.1, total
        return first - 1 if top.any() and helps and first > _HIGHEST else None


def _first(noisier: float | np.ndarray, value: np.ndarray) -> float | np.ndarray:
    return noisier if isinstance(noisier, float) else noisier[: len(value)]


def _weights(u: np.ndarray, power: int) -> np.ndarray:
    """Of the values at ``u`` in the coefficient of ``u^power`` of the polynomial through them."""
    rows = []
    for i in range(len(u)):
        others = np.delete(u, i)
        rows.append(np.atleast_1d(np.poly(others))[len(others) - power] / np.prod(u[i] - others))
    return np.array(rows)


def _converging(value: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """(S-2, m) whether windows s, s+1, s+2 approach a limit as those of smooth functions do."""
    change, floor = np.abs(np.diff(value, axis=0)), 1.5 * noise[2:]
    return (
        (change[1:] <= _SHRINK * change[:-1] + floor)
        & (change[:-1] <= _SUDDEN * (change[1:] + floor))
        & np.isfinite(value[:-2])
    )


def _widened(
    value: np.ndarray, bound: np.ndarray, finer: np.ndarray, finer_bound: np.ndarray
) -> np.ndarray:
    """The bounds, so large that no smaller window contradicts the value."""
    gap = np.abs(value[:, None] - finer) - finer_bound
    later = np.arange(len(finer))[None, :, None] > np.arange(len(value))[:, None, None]
    gap = np.where(later & np.isfinite(gap), gap, 0.0)
    return np.maximum(bound, np.max(gap, axis=1, initial=0.0))
