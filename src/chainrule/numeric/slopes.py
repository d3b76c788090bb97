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

from chainrule.numeric.doubts import Doubting
from chainrule.numeric.lines import FIRST, Line
from chainrule.numeric.points import Function
from chainrule.numeric.stencils import RATIO

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


class _Search(Doubting):
    """The whole search, with slopes on each side where there is no central one."""

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
