"""What may be wrong with a slope that was found: values on stairs, structure between small steps.

Smaller steps are never overruled by larger ones, except where bisection shows a jump between them,
or where even smaller ones scatter: then what they saw was noise.
"""

from collections.abc import Sequence

import numpy as np

from chainrule.numeric.jumps import stairs
from chainrule.numeric.lines import Line, Rescaled
from chainrule.numeric.points import Function
from chainrule.numeric.rungs import Column, Quotients, Rungs
from chainrule.numeric.search import DEEPEST, Search
from chainrule.numeric.stencils import RATIO

_STAIRCASES = 3  # one upon the other, at most
_SENSITIVE = 1e-4  # the relative error of a slope that a probe at a tiny step would see
_SMALL = 1e-5  # noise relative to values
_CLOSER = (2.75, 7.25)  # times closer than a probe, to see whether that was noise


class Doubting(Search):
    """A search that looks again at what it has found."""

    def __init__(self, function: Function, lines: Sequence[Line], noise: np.ndarray, rtol: float):
        super().__init__(function, lines, noise, rtol)
        self.looked_at: set[tuple[int, int, int]] = set()  # line, value, rung: is it a jump?

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
        bent = jump > 2 * noise
        noise = np.where(bent, noise + jump / 2, noise)
        gap = np.abs(central - self.value[lines]) - noise
        wrong = (~(gap <= self.bound[lines]) & np.isfinite(self.bound[lines])).any(axis=1)
        wrong |= (bent & (jump > self.known_jump(lines))).any(axis=1)
        for k in np.flatnonzero(wrong).tolist():
            probe = int(lines[k]), float(steps[lines[k]]), central[k], noise[k]
            if self.probe_is_on_a_tread(*probe) or self.probe_is_noise(*probe):
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
                until[line] = min(int(np.ceil(np.log(ratio) / np.log(RATIO))) + 2, DEEPEST - 1)
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

    def probe_is_noise(self, line: int, step: float, slope: np.ndarray, noise: np.ndarray) -> bool:
        """Whether quotients at even smaller steps scatter: values are noisier than was known.

        Beside a kink or on a ripple, that the larger steps did not see, they agree.
        """
        probes = Rungs(self.function, [Rescaled(self.lines[line], step / k) for k in _CLOSER])
        both = np.arange(len(_CLOSER))
        probes.evaluate(0, both)
        closer = probes.of(both).central[0]
        gap = np.abs(slope - self.value[line])
        doubtful = gap - noise > self.bound[line]
        scatter = np.abs(closer[1] - closer[0])
        scattered = doubtful & (scatter > np.maximum(gap / 4, 2 * _CLOSER[1] * noise))
        level = np.maximum(gap, scatter / _CLOSER[1]) * step
        scattered &= level <= _SMALL * np.abs(self.function.base)  # more is meant: an oscillation
        self.noise[line] = np.where(
            scattered, np.maximum(self.noise[line], level), self.noise[line]
        )
        return bool(scattered.any())

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
