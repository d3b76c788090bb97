"""The search for the limit of difference quotients: which steps to take, what is known by then.

Steps go down from the natural scale, each a quarter of the one before, until noise has taken over;
upwards instead where noise has taken over at once.
"""

from collections.abc import Sequence

import numpy as np

from chainrule.numeric.lines import Line
from chainrule.numeric.points import Function
from chainrule.numeric.rungs import Rungs
from chainrule.numeric.stencils import RATIO, Limit, limit

DEEPEST = 26  # rungs downwards: to 2e-16
_CLIMBS = 34  # rungs upwards: to 1e20
_EARLY = 8  # from this rung on, a kink or a domain's edge is believed when both sides converged


class Search:
    """Decides which rungs to evaluate; keeps what is known of each line."""

    order = 2
    growth = RATIO  # of noise from one rung to the next

    def __init__(self, function: Function, lines: Sequence[Line], noise: np.ndarray, rtol: float):
        self.function = function
        self.lines = lines
        self.noise = np.tile(noise, (len(lines), 1))
        self.rtol = rtol
        self.rungs = Rungs(function, lines)
        self.deepest = np.full(len(lines), -1)
        shape = (len(lines), len(function.base))
        self.value = np.full(shape, np.nan)
        self.bound = np.full(shape, np.inf)
        self.rounding = np.full(shape, np.nan)
        self.noisy = np.full(shape, np.nan)
        self.first = np.zeros(shape, int)
        self.last = np.zeros(shape, int)
        self.left = np.full(shape, np.nan)
        self.right = np.full(shape, np.nan)

    # movements

    def descend(self, active: np.ndarray, until: np.ndarray | None = None) -> None:
        """Smaller steps for these lines until they are settled, or down to the rungs ``until``."""
        start = int(self.deepest[active].min(initial=DEEPEST)) + 1
        for k in range(start, DEEPEST):
            if not active.size:
                return
            is_next = self.deepest[active] == k - 1
            waiting, now = active[~is_next], active[is_next]
            self.rungs.evaluate(k, now)
            self.deepest[now] = k
            if k >= 2:
                settled = self.is_settled(now, self.judge(now))
                if k >= _EARLY:
                    settled |= self.is_one_sided(now)
                done = settled.all(axis=1) if until is None else k >= until[now]
                now = now[~done]
            fits = [self.rungs.step(k + 1, i) >= self.lines[i].smallest for i in now.tolist()]
            now = now[np.array(fits, bool)]
            active = np.concatenate([waiting, now])

    def climb(self, lines: np.ndarray | None = None) -> None:
        """Larger steps for lines where noise had taken over at the first ones, while it helps.

        A slope that is still lost in the noise when far away is no better known than before: the
        quotients of a function that is bounded approach zero there, whatever its slope is here.
        """
        active = np.flatnonzero((self.is_noisy() & (self.first <= 1)).any(axis=1))
        if lines is not None:
            active = np.intersect1d(active, lines)
        climbing, at_first = active, [table[active].copy() for table in self.judgements]
        for k in range(1, _CLIMBS + 1):
            if not active.size:
                break
            before = self.bound[active].copy()
            significant = (before < np.abs(self.value[active])).any(axis=1)
            active, before = (a[significant | (k <= 6)] for a in (active, before))
            known = [table[active].copy() for table in self.judgements]
            self.rungs.evaluate(-k, active)
            self.judge(active)
            self.keep(active, known, self.bound[active] > before)  # too far, which blurs the rest
            better = (self.bound[active] < before / 1.5) & self.is_noisy()[active]
            active = active[better.any(axis=1)]
        lost = np.abs(self.value[climbing]) <= 2 * self.bound[climbing]
        self.keep(climbing, at_first, lost & (self.first[climbing] < -2))

    def keep(self, lines: np.ndarray, known: list[np.ndarray], where: np.ndarray) -> None:
        """Return to what was known of these lines, where (lines, m) that is so."""
        for table, old in zip(self.judgements, known):
            table[lines] = np.where(where, old, table[lines])

    # judgement

    @property
    def judgements(self) -> tuple[np.ndarray, ...]:
        return self.value, self.bound, self.rounding, self.noisy, self.first, self.last

    def quotients(self, lines: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Quotients, their rounding, and whether they look smooth from one rung to the next."""
        data = self.rungs.of(lines)
        rounding = data.rounding(self.noise[lines])
        jump = np.abs(data.jump)
        return data.central, rounding, jump[1:] <= jump[:-1] / 2 + 4 * rounding[1:]

    def judge(self, lines: np.ndarray) -> np.ndarray:
        """Bring what is known of these lines up to date; the rounding at their finest rungs."""
        central, rounding, smooth = self.quotients(lines)
        found = limit(central, rounding, smooth, self.order, self.growth)
        coarsest = min(self.rungs.rows)
        self.value[lines], self.bound[lines] = found.value, found.bound
        self.rounding[lines], self.noisy[lines] = found.rounding, found.noise
        self.first[lines], self.last[lines] = found.first + coarsest, found.last + coarsest
        rows = self.deepest[lines] - coarsest
        return rounding[rows, np.arange(len(lines))]

    def is_settled(self, lines: np.ndarray, finest: np.ndarray) -> np.ndarray:
        """Whether the bounds are good enough, or smaller steps cannot better them."""
        value, bound, rounding = self.value[lines], self.bound[lines], self.rounding[lines]
        enough = bound <= self.rtol * np.abs(value)
        hopeless = (bound <= 2 * rounding) | (finest > bound)
        return np.isfinite(bound) & (enough | hopeless)

    def is_noisy(self) -> np.ndarray:
        """Where noise is most of a bound that leaves something to be desired."""
        unsatisfied = self.bound > max(self.rtol, 1e-11) * np.abs(self.value)
        unsatisfied &= self.value != 0  # an exact zero: nothing changes, or it is symmetric
        return np.isfinite(self.bound) & unsatisfied & (self.bound <= 4 * self.noisy)

    def sides(self, lines: np.ndarray) -> tuple[Limit, Limit, np.ndarray]:
        """Limits of the quotients to the right and to the left, and whether f exists there."""
        data = self.rungs.of(lines)
        rounding = 2 * data.rounding(self.noise[lines])
        near = np.max(np.abs(data.values), axis=0)  # NaN if one side is
        known = (
            2 * np.maximum(self.noise[lines], 2 * data.eps * np.abs(data.base)) / (data.width / 2)
        )
        rounding = np.where(np.isfinite(near), rounding, known)
        smooth = np.ones((len(rounding) - 1, *rounding.shape[1:]), bool)
        rows = self.deepest[lines] - min(self.rungs.rows)
        here = np.arange(len(lines))
        finite = np.isfinite(data.values)[:, rows, here]
        last = np.maximum(rows - np.arange(6)[:, None], 0)
        right, left = (
            limit(side, rounding, smooth, 1).only_where(~_diverging(side[last, here]))
            for side in data.sides
        )
        return right, left, finite

    def is_one_sided(self, lines: np.ndarray) -> np.ndarray:
        """Whether this is the edge of the domain or a plain kink, with settled slopes beside it."""
        right, left, (exists_right, exists_left) = self.sides(lines)
        fine_right, fine_left = (
            side.found & ((side.bound <= 4 * side.rounding) | (side.bound < 1e-9 * abs(side.value)))
            for side in (right, left)
        )
        size = np.maximum(np.abs(right.value), np.abs(left.value))
        kink = fine_right & fine_left & (np.abs(right.value - left.value) > 1e-3 * size)
        edge = (fine_right & ~exists_left) | (fine_left & ~exists_right)
        return ~np.isfinite(self.bound[lines]) & (kink | edge)


def _diverging(quotients: np.ndarray) -> np.ndarray:
    """Whether the quotients (finest first) grow with every rung, as beside a square root's edge."""
    size = np.abs(quotients)
    return np.all(size[:-1] >= 1.4 * size[1:], axis=0) & (size[0] > 0)
