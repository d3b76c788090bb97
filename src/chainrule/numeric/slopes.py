"""Certified slopes of a function along lines through a point, from its values alone.

Per line: steps from the natural scale downwards, each a quarter of the one before, until noise has
taken over; upwards instead where noise has taken over at once. The result is verified at a much
smaller step, which sees kinks and structure that the larger steps cannot; where small and larger
steps contradict each other, bisection tells structure from the stairs of rounded values. Where no
central quotients converge there is a kink at the point, or the edge of the domain: then the slopes
on both sides are what can be said.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from chainrule.numeric.jumps import stairs
from chainrule.numeric.lines import FIRST, Line, Rescaled
from chainrule.numeric.points import Function
from chainrule.numeric.rungs import Column, Quotients, Rungs
from chainrule.numeric.stencils import RATIO, Limit, limit

_DEEPEST = 26  # rungs downwards: to 2e-16
_CLIMBS = 34  # rungs upwards: to 1e20
_STAIRCASES = 3  # one upon the other, at most
_SENSITIVE = 1e-4  # the relative error of a slope that a probe at a tiny step would see
_EARLY = 8  # from this rung on, a kink or a domain's edge is believed when both sides converged


# --- the answer


@dataclass(frozen=True, eq=False)
class Slopes:
    """Slopes (lines, m) of the m values along each line.

    value, bound : the slope and a bound on its error; NaN and infinity where nothing can be said.
    step : the smallest step that was used.   left, right : the one-sided slopes where they are not
    the same (a kink at the point: ``value`` is their mean) or only one exists (the edge of the
    domain); NaN elsewhere.   noise : of the values, with that of the stairs that were met.
    """

    value: np.ndarray
    bound: np.ndarray
    step: np.ndarray
    left: np.ndarray
    right: np.ndarray
    noise: np.ndarray

    @property
    def kink(self) -> np.ndarray:
        return np.isfinite(self.left) & np.isfinite(self.right)

    @property
    def edge(self) -> np.ndarray:
        return np.isfinite(self.left) ^ np.isfinite(self.right)

    @property
    def special(self) -> np.ndarray:
        """Where ``value`` alone would mislead: a kink, an edge, or nothing found."""
        return np.isfinite(self.left) | np.isfinite(self.right) | ~np.isfinite(self.bound)

    @classmethod
    def join(cls, parts: Sequence["Slopes"], values: int) -> "Slopes":
        """The lines of all parts; ``values`` is m."""
        none = [np.zeros((0, values))]
        names = [field.name for field in fields(cls)]
        return cls(*(np.concatenate(none + [getattr(p, name) for p in parts]) for name in names))


def slopes(
    function: Function, lines: Sequence[Line], noise: np.ndarray, rtol: float = 0.0
) -> Slopes:
    """Slopes along ``lines``; about 8 to 20 evaluations a line, 50 where it is hard.

    noise : (m,) bound on the noise of the values.   rtol : stop at this relative bound; 0 goes on
    until noise has taken over. Call inside ``quiet()``.
    """
    search = _Search(function, lines, noise, rtol)
    search.descend(np.arange(len(lines)))
    search.distrust_stairs()
    search.climb()
    search.distrust_stairs()
    search.verify()
    search.look_at_each_side()
    return search.answer()


def curvatures(function: Function, lines: Sequence[Line], noise: np.ndarray) -> Slopes:
    """Second derivatives along ``lines`` from second differences; 6 to 14 evaluations a line, and
    up to 40 where the slopes from the same values show that digits were lost."""
    search = _Curvature(function, lines, noise, 0.0)
    search.descend(np.arange(len(lines)))
    search.hear_of_stairs()
    search.climb()
    return search.answer()


# --- the search


class _Search:
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
        self.looked_at: set[tuple[int, int, int]] = set()  # line, value, rung: is it a jump?
        self.first = np.zeros(shape, int)
        self.last = np.zeros(shape, int)
        self.left = np.full(shape, np.nan)
        self.right = np.full(shape, np.nan)

    # the three movements

    def descend(self, active: np.ndarray, until: np.ndarray | None = None) -> None:
        """Smaller steps for these lines until they are settled, or down to the rungs ``until``."""
        start = int(self.deepest[active].min(initial=_DEEPEST)) + 1
        for k in range(start, _DEEPEST):
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

    def distrust_stairs(self) -> None:
        """Take small jumps for noise where quotients of other steps contradict what was found.

        Rounding inside a function, as in (1 - cos x) / x^2 or with float32 in one term, makes a
        staircase: at steps shorter than a tread quotients converge, and mean nothing.
        """
        lines = np.flatnonzero(np.isfinite(self.bound).any(axis=1))
        for _ in range(_STAIRCASES):
            if not lines.size:
                return
            data = self.rungs.of(lines)
            rows, gaps = self.contradictions(lines, data)
            rough = np.zeros(len(lines), bool)
            for i, j in np.argwhere(rows >= 0).tolist():
                line, row = int(lines[i]), int(rows[i, j])
                if (line, j, row + min(self.rungs.rows)) not in self.looked_at:
                    self.looked_at.add((line, j, row + min(self.rungs.rows)))
                    slope, apart = float(self.value[line, j]), float(gaps[row, i, j])
                    rough[i] |= self.has_stairs(line, j, data.column(i, j), slope, apart)
            lines = lines[rough]
            self.judge(lines)

    def contradictions(self, lines: np.ndarray, data: Quotients) -> tuple[np.ndarray, np.ndarray]:
        """The finest row (lines, m) of steps too large for what was found, where quotients do not
        approach it as those of smooth functions do, -1 if none; and all gaps (rungs, lines, m)."""
        gap = np.abs(data.central - self.value[lines])
        contradicts = gap > 4 * (self.bound[lines] + data.rounding(self.noise[lines]))
        rows = np.arange(len(gap))[:, None, None]
        contradicts &= rows < self.first[lines] - min(self.rungs.rows)
        # where f is smooth, gaps grow 16 times with the step
        contradicts[1:] &= gap[:-1] < 3 * gap[1:]
        contradicts[0] &= gap[0] > 64 * gap[1]
        return np.max(np.where(contradicts, rows, -1), axis=0), gap

    def has_stairs(
        self, line: int, j: int, column: Column, slope: float, apart: float, near: float = 0.0
    ) -> bool:
        """Whether value ``j`` jumps where it leaves the line of this slope; it is then noisier."""
        noise, bound = float(self.noise[line, j]), float(self.bound[line, j])
        level = stairs(self.function, self.lines[line], j, column, slope, apart, near, noise, bound)
        self.noise[line, j] = max(noise, level)
        return level > 0

    def climb(self, lines: np.ndarray | None = None) -> None:
        """Larger steps for lines where noise had taken over at the first ones, while it helps."""
        active = np.flatnonzero((self.is_noisy() & (self.first <= 1)).any(axis=1))
        if lines is not None:
            active = np.intersect1d(active, lines)
        for k in range(1, _CLIMBS + 1):
            if not active.size:
                return
            before = self.bound[active].copy()
            significant = (before < np.abs(self.value[active])).any(axis=1)
            active, before = (a[significant | (k <= 6)] for a in (active, before))
            self.rungs.evaluate(-k, active)
            self.judge(active)
            better = (self.bound[active] < before / 1.5) & self.is_noisy()[active]
            active = active[better.any(axis=1)]

    def verify(self) -> None:
        """Compare with a quotient at a step so small that only noise keeps it from the limit.

        Lines that are contradicted get the smaller steps they avoided; bounds then cover what the
        small step says.
        """
        lines = np.arange(len(self.lines))
        steps = self.small_steps()
        lines = lines[np.isfinite(steps[lines])]
        if not lines.size:
            return
        probes = Rungs(self.function, [Rescaled(self.lines[i], steps[i]) for i in lines])
        probes.evaluate(0, np.arange(len(lines)))
        quotients = probes.of(np.arange(len(lines)))
        central, jump = quotients.central[0], np.abs(quotients.jump[0])
        noise = 2 * quotients.rounding(self.noise[lines])[0]
        noise = np.where(jump > 2 * noise, noise + jump / 2, noise)
        gap = np.abs(central - self.value[lines]) - noise
        wrong = (~(gap <= self.bound[lines]) & np.isfinite(self.bound[lines])).any(axis=1)
        wrong |= ((jump > 2 * noise) & (jump > self.known_jump(lines))).any(axis=1)
        for k in np.flatnonzero(wrong).tolist():
            if self.probe_is_on_a_tread(int(lines[k]), steps[lines[k]], central[k], noise[k]):
                wrong[k] = False
                again = lines[[k]]
                self.judge(again)
                self.climb(again)
                self.distrust_stairs()
        if wrong.any():
            doubtful = lines[wrong]
            until = np.zeros(len(self.lines), int)
            for line in doubtful.tolist():
                ratio = self.rungs.step(0, line) / steps[line]
                until[line] = min(int(np.ceil(np.log(ratio) / np.log(RATIO))) + 2, _DEEPEST - 1)
            self.descend(doubtful, until)
            self.distrust_stairs()
            gap = np.abs(central - self.value[lines]) - noise
            gap = np.where(np.isfinite(central), gap, np.inf)
            found = np.isfinite(self.bound[lines]) & wrong[:, None]
            wider = np.where(found, np.maximum(self.bound[lines], gap), self.bound[lines])
            self.bound[lines] = wider

    def probe_is_on_a_tread(
        self, line: int, step: float, slope: np.ndarray, noise: np.ndarray
    ) -> bool:
        """Whether f jumps between a probe and the rungs whose quotients it contradicts."""
        data = self.rungs.of(np.array([line]))
        gap = np.abs(slope - self.value[line])
        found = False
        for j in np.flatnonzero(gap - noise > self.bound[line]).tolist():
            column = data.column(0, j)
            found |= self.has_stairs(line, j, column, float(slope[j]), float(gap[j]), step)
        return found

    def look_at_each_side(self) -> None:
        """One-sided slopes for what has no central one: at a kink, at the edge of the domain."""
        lines = np.flatnonzero(~np.isfinite(self.bound).all(axis=1))
        if not lines.size:
            return
        right, left, exists = self.sides(lines)
        missing = ~np.isfinite(self.bound[lines])
        both = right.found & left.found
        gap = np.abs(right.value - left.value)
        margin = np.maximum(right.bound, left.bound)
        smooth = both & (gap <= right.bound + left.bound)
        only_right, only_left = (
            right.found & ~left.found & ~exists[1],
            left.found & ~right.found & ~exists[0],
        )
        kink = both & ~smooth
        value = np.where(only_right, right.value, np.where(only_left, left.value, np.nan))
        value = np.where(both, (right.value + left.value) / 2, value)
        bound = np.where(only_right, right.bound, np.where(only_left, left.bound, np.inf))
        bound = np.where(both, gap / 2 + margin, bound)
        self.value[lines] = np.where(missing, value, self.value[lines])
        self.bound[lines] = np.where(missing, bound, self.bound[lines])
        last = np.where(left.found, left.last, right.last)
        self.last[lines] = np.where(missing, last + min(self.rungs.rows), self.last[lines])
        self.right[lines] = np.where(missing & (kink | only_right), right.value, np.nan)
        self.left[lines] = np.where(missing & (kink | only_left), left.value, np.nan)

    def answer(self) -> Slopes:
        unit = self.function.unit
        scale = np.array([FIRST * line.scale for line in self.lines])[:, None]
        step = np.where(np.isfinite(self.bound), scale * RATIO ** -self.last.astype(float), np.nan)
        found = (self.value, self.bound, step, self.left, self.right, self.noise)
        return Slopes(*(a if a is step else a * unit for a in found))

    # judgement

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

    def small_steps(self) -> np.ndarray:
        """Per line the step at which noise is 1e-4 of the slope; NaN where that is no news."""
        tolerable = np.maximum(_SENSITIVE * np.abs(self.value), 4 * self.bound)
        with np.errstate(all="ignore"):
            wanted = np.where(np.isfinite(tolerable), self.noise / tolerable, np.nan)
        wanted = np.where((wanted > 0) & np.isfinite(wanted), wanted, np.nan)
        steps = np.full(len(self.lines), np.nan)
        for i, line in enumerate(self.lines):
            row = wanted[i][np.isfinite(wanted[i])]
            if row.size:
                step = max(float(np.median(row)), 64 * line.smallest)
                if step < self.rungs.step(int(self.deepest[i]), i) / 16:
                    steps[i] = step
        return steps

    def known_jump(self, lines: np.ndarray) -> np.ndarray:
        """How far the slopes on both sides differ at the finest rung."""
        jump = np.abs(self.rungs.of(lines).jump)
        rows = self.deepest[lines] - min(self.rungs.rows)
        return jump[rows, np.arange(len(lines))]


def _diverging(quotients: np.ndarray) -> np.ndarray:
    """Whether the quotients (finest first) grow with every rung, as beside a square root's edge."""
    size = np.abs(quotients)
    return np.all(size[:-1] >= 1.4 * size[1:], axis=0) & (size[0] > 0)


class _Curvature(_Search):
    """The same search with second differences in place of first ones."""

    growth = RATIO**2

    def quotients(self, lines: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        data = self.rungs.of(lines)
        second = data.jump / (data.width / 2)
        rounding = 4 * data.rounding(self.noise[lines]) / (data.width / 2)
        return second, rounding, np.ones((len(second) - 1, *second.shape[1:]), bool)

    def is_one_sided(self, lines: np.ndarray) -> np.ndarray:
        return np.zeros((len(lines), 1), bool)

    def hear_of_stairs(self) -> None:
        """The noise that a search for slopes finds, which starts from the values known here."""
        search, lines = _Search(self.function, self.lines, self.noise[0], 0.0), self.lines
        search.noise = self.noise.copy()
        search.rungs, search.deepest = self.rungs, self.deepest
        search.judge(np.arange(len(lines)))
        search.distrust_stairs()
        search.verify()
        self.noise = np.maximum(self.noise, search.noise)
        self.judge(np.arange(len(lines)))
