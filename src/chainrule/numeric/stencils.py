"""Extrapolation of difference quotients to step zero, with an error bound that can be trusted.

A *ladder* is a sequence of steps h, h/4, h/16, ... and the quotients at each. Where the function
is smooth at the scale of the steps, a central quotient is a series in h^2, a one-sided one in h,
and Richardson's extrapolation removes its terms one by one. Where it is not (a kink inside the
step, a pole, an oscillation), the quotients do not converge as they should, and nothing is taken
from there.
"""

from dataclasses import dataclass, replace

import numpy as np

RATIO = 4.0  # from one step of a ladder to the next
# By order of the error. A one-sided limit may hide a fractional power of the step: be careful.
_TERMS = {2: 4, 1: 3}  # removed at most
_SAFETY = {2: 1.5, 1: 4.0}
_DISTRUST = {2: 1 / 32, 1: 1.0}  # of the change before the last, in the bound
_SHRINK = {2: 1 / 8, 1: 0.35}  # smooth functions give 1/16 and 1/4, kinks 1/4 and square roots 1/2
_SLACK = 16.0  # by which truncation may shrink more slowly than its power of the step
_TOO_COARSE = 4  # rungs that may be left out
_SUDDEN = 2000.0  # no series loses that much in a rung: the coarser one was beyond a kink


@dataclass(frozen=True, eq=False)
class Limit:
    """The extrapolated quotients and a bound on their error, infinite where nothing converged."""

    value: np.ndarray
    bound: np.ndarray
    rounding: np.ndarray  # the share of the bound that is the noise that was expected
    noise: np.ndarray  # the share of the bound that is noise: smaller steps do not help
    first: np.ndarray  # the coarsest rung used
    last: np.ndarray  # the finest

    @property
    def found(self) -> np.ndarray:
        return np.isfinite(self.bound)

    def parts(self, dropped: int) -> tuple[np.ndarray, ...]:
        """All of it, for a ladder with so many rungs before."""
        first, last = self.first + dropped, self.last + dropped
        return self.value, self.bound, self.rounding, self.noise, first, last

    def only_where(self, believed: np.ndarray) -> "Limit":
        """The same, with nothing found elsewhere."""
        value = np.where(believed, self.value, np.nan)
        return replace(self, value=value, bound=np.where(believed, self.bound, np.inf))


def limit(
    quotients: np.ndarray,
    rounding: np.ndarray,
    smooth: np.ndarray,
    order: int,
    growth: float = RATIO,
) -> Limit:
    """The limit of ``quotients`` for step zero.

    quotients : (K, ...) at steps each a quarter of the one before.   rounding : (K, ...) bounds on
    their noise.   smooth : (K-1, ...) whether something else speaks for smoothness between rung k
    and k+1.   order : the error goes with this power of the step: 2 for central quotients.

    Windows of three to five rungs are tried. Within one, successive quotients must converge; its
    bound is the effect of its coarsest rung plus the noise. The window with the smallest bound is
    taken, after each bound was widened to agree with all windows of smaller steps.
    """
    found = _limit(quotients, rounding, smooth, order, growth)
    for k in range(1, min(_TOO_COARSE, len(quotients) - 3) + 1):
        # rungs too coarse to converge say nothing of noise: as if the ladder began below them
        coarse = ~_converging(quotients[k - 1 :], rounding[k - 1 :], smooth[k - 1 :], order)[0]
        if not coarse.any():
            break
        rest = _limit(quotients[k:], rounding[k:], smooth[k:], order, growth)
        better = coarse & (rest.bound < found.bound)
        found = Limit(
            *(np.where(better, new, old) for new, old in zip(rest.parts(k), found.parts(0)))
        )
    return found


def _limit(
    quotients: np.ndarray, rounding: np.ndarray, smooth: np.ndarray, order: int, growth: float
) -> Limit:
    rungs = len(quotients)
    shape = quotients.shape[1:]
    values, bounds, noises, expected, firsts, lasts = [], [], [], [], [], []
    tables = _tableau(quotients, order)
    fits = _converging(quotients, rounding, smooth, order)
    larger = np.maximum(rounding, _seen_noise(tables, fits[:1], order, growth))
    for terms in range(2, len(tables)):
        table, coarse, coarser = tables[terms], tables[terms - 1][1:], tables[terms - 2][2:]
        # that two values coincide is no proof of convergence: hence the change before the last
        before = _DISTRUST[order] * np.abs(coarse - coarser)
        change = np.maximum(np.abs(table - coarse), before)
        noise = 1.1 * larger[terms:] + 4e-16 * np.abs(table)
        if terms > 2:
            fits = fits[:-1] & fits[1:]
        bound = np.where(fits, _SAFETY[order] * change + noise, np.inf)
        values += list(table)
        bounds += list(np.where(np.isfinite(bound), bound, np.inf))
        noises += list(noise)
        expected += list(1.1 * rounding[terms:] + 4e-16 * np.abs(table))
        firsts += list(range(rungs - terms))
        lasts += list(range(terms, rungs))
    if not values:
        nothing = np.full(shape, np.nan)
        return Limit(nothing, np.full(shape, np.inf), nothing, nothing, *[np.zeros(shape, int)] * 2)
    value, bound = np.stack(values), np.stack(bounds)
    _widen(value, bound, firsts, rungs - 2)
    best = np.argmin(bound, axis=0)[None]
    value, bound, noise, usual = (
        np.take_along_axis(np.asarray(a), best, 0)[0] for a in (value, bound, noises, expected)
    )
    first, last = (np.asarray(a)[best[0]] for a in (firsts, lasts))
    return Limit(np.where(np.isfinite(bound), value, np.nan), bound, usual, noise, first, last)


def _tableau(quotients: np.ndarray, order: int) -> list[np.ndarray]:
    """Neville's scheme: entry n has n powers of the step removed, from rungs j to j+n."""
    tables = [quotients]
    for terms in range(1, min(_TERMS[order], len(quotients) - 1) + 1):
        previous = tables[-1]
        change = np.diff(previous, axis=0)
        tables.append(previous[1:] + change / (RATIO ** (order * terms) - 1))
    return tables


def _seen_noise(
    tables: list[np.ndarray], fits: np.ndarray, order: int, growth: float
) -> np.ndarray:
    """(K, ...) noise of the quotient at each rung, as this one and the rungs beside it show it.

    Differences in a column of the tableau shrink by a power of the ratio as long as they are
    truncation. What is left above that is noise of the finest quotient in them. The first
    difference of a column has none before it: it should be to the last column's as that was to its
    own last.
    """
    late, early = np.zeros_like(tables[0]), np.zeros_like(tables[0])
    changes: list[np.ndarray] = []
    for terms, table in enumerate(tables[:-1]):
        change = np.abs(np.diff(table, axis=0))
        shrink = RATIO ** (order * (terms + 1))
        excess = change[1:] - change[:-1] * min(_SLACK / shrink, 1 / RATIO)
        excess = np.where(np.isfinite(excess), excess, 0.0)
        late[terms + 2 :] = np.maximum(late[terms + 2 :], excess)
        if changes:
            steadier = changes[-1][0] / changes[-2][1] if terms > 1 else 1.0
            expected = np.minimum(1 / 2, _SLACK * steadier) * changes[-1][1]
            early[terms + 1] = np.where(fits[0] & (change[0] > expected), change[0], 0.0)
        changes.append(change)
    near = np.maximum(late, early)
    near[1:] = np.maximum(near[1:], late[:-1] * growth)
    for k in (1, 2):
        near[:-k] = np.maximum(near[:-k], np.maximum(late, early)[k:] / growth**k)
    return 2 * near


def _converging(
    quotients: np.ndarray, rounding: np.ndarray, smooth: np.ndarray, order: int
) -> np.ndarray:
    """(K-2, ...) whether rungs k, k+1, k+2 approach a limit as those of smooth functions do."""
    change = np.abs(np.diff(quotients, axis=0))
    if len(quotients) < 3:
        return np.zeros((0, *quotients.shape[1:]), bool)
    noise = 1.5 * rounding[2:]
    return (
        (change[1:] <= _SHRINK[order] * change[:-1] + noise)
        & (change[:-1] <= _SUDDEN * (change[1:] + noise))
        & np.isfinite(quotients[:-2])
        & smooth[:-1]
        & smooth[1:]
    )


def _widen(value: np.ndarray, bound: np.ndarray, firsts: list[int], triples: int) -> None:
    """Raise each bound so that no window of three smaller steps contradicts it."""
    reference_value, reference_bound = value[:triples].copy(), bound[:triples].copy()
    for candidate, first in enumerate(firsts):
        finer = slice(first + 1, triples)
        gap = np.abs(value[candidate] - reference_value[finer]) - reference_bound[finer]
        if gap.size:
            worst = np.max(np.where(np.isfinite(gap), gap, 0.0), axis=0)
            bound[candidate] = np.maximum(bound[candidate], worst)
