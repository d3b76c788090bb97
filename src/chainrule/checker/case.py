"""f at a point beside what is claimed of it: values as vectors, random vectors on both sides."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule import numeric
from chainrule.base import tree
from chainrule.base.arguments import Wrt, select
from chainrule.base.errors import MismatchError
from chainrule.checker.claim import claimed_vector
from chainrule.checker.judge import Mode, judged
from chainrule.checker.purity import Call, copied
from chainrule.checker.report import Report, Verdict
from chainrule.numeric.points import Point

_DRAWS = 2  # random cotangents, and directions
_ROWS = 64  # values of f that are told apart when something is wrong


@dataclass(frozen=True)
class Options:
    """What every check takes."""

    wrt: Wrt = 0
    seed: int = 0
    tol: float = 1e-6
    mode: Mode = "auto"

    def for_judge(self) -> dict[str, Any]:
        return {"wrt": self.wrt, "seed": self.seed, "tol": self.tol, "mode": self.mode}


class ClaimError(Exception):
    """A claim raised, or gave something that cannot be its derivative."""

    def __init__(self, text: str, error: Exception | None = None):
        super().__init__(text)
        self.error = error


class Case:
    """f at a point: its value as a vector, and random vectors on both sides."""

    def __init__(self, f: Callable, args: tuple, options: Options):
        self.f, self.args, self.options = f, args, options
        self.selection = select(f, args, {}, options.wrt)
        selection = self.selection
        self.x = selection.values[0] if selection.single else tuple(selection.values)
        self.point = Point(self.x, selection.names[0] if selection.single else "")
        self.call = Call(f, selection)
        self.value = self.call(copied(self.x))
        self.rng = np.random.default_rng(options.seed)

    # --- vectors

    def cotangents(self) -> Iterator[np.ndarray]:
        """Random real vectors for the values, each value counting by its own size."""
        vector = self.value_vector(self.value)
        scale = Point(np.where(np.isfinite(vector), vector, 0.0)).scale
        return iter([_signs(self.rng, len(vector)) / scale for _ in range(_DRAWS)])

    def directions(self) -> Iterator[np.ndarray]:
        size = self.point.size
        return iter([_signs(self.rng, size) * self.point.scale for _ in range(_DRAWS)])

    def value_vector(self, y: Any) -> np.ndarray:
        return tree.ravel(y, "f(x)")[0].astype(float)

    def like_value(self, u: np.ndarray) -> Any:
        return tree.ravel(self.value)[1](u)

    def unit(self, i: int) -> Any:
        vector = self.value_vector(self.value)
        return self.like_value(np.where(np.arange(len(vector)) == i, 1.0, 0.0))

    def tree_of(self, v: np.ndarray) -> Any:
        return self.point.at(v)

    def tangent_vector(self, dy: Any) -> np.ndarray:
        y = self.value_vector(self.value)
        try:
            leaves = tree.leaves_like(tree.flatten(self.value)[1], dy, "the tangent")
        except MismatchError as mismatch:
            raise ClaimError(mismatch.what) from None
        for leaf, like in zip(leaves, tree.flatten(self.value)[0]):
            if np.shape(leaf) != np.shape(like):
                shapes = f"{np.shape(leaf)}, and f(x) has {np.shape(like)}"
                raise ClaimError(f"the tangent has shape {shapes}")
            if np.iscomplexobj(leaf) and not np.iscomplexobj(like):
                raise ClaimError("the tangent is complex, and f(x) is real")
        complexes = [np.iscomplexobj(like) for like in tree.flatten(self.value)[0]]
        parts = [np.asarray(x, complex if c else float) for x, c in zip(leaves, complexes)]
        vector = tree.ravel(parts)[0].astype(float)
        assert vector.shape == y.shape
        return vector

    def bars(self, claimed: Any) -> Any:
        """What a vjp gave; a tuple of one is its entry where one argument was asked for."""
        single = self.selection.single and not isinstance(self.x, tuple)
        if single and isinstance(claimed, tuple) and len(claimed) == 1:
            return claimed[0]
        return claimed

    def vector_of(self, claimed: Any) -> np.ndarray:
        try:
            return claimed_vector(self.bars(claimed), self.point)
        except MismatchError as mismatch:
            raise ClaimError(mismatch.what) from None

    def exact(self, tolerance: float) -> float:
        """The tolerance of an identity; wider where numbers are stored in float32."""
        leaves = [*self.point.leaves, *tree.flatten(self.value)[0]]
        eps = max([float(np.finfo(tree.float_dtype(leaf)).eps) for leaf in leaves], default=0.0)
        return max(tolerance, 1e4 * eps if eps > 1e-10 else 0.0)

    # --- functions to judge

    def weighted(self, u: np.ndarray) -> Callable:
        @functools.wraps(self.f)
        def f(*args: Any) -> float:
            return float(u @ self.value_vector(self.f(*args)))

        return f

    def values(self, x: Any) -> np.ndarray:
        return self.value_vector(self.call(x))

    def plain(self, vector: np.ndarray) -> Any:
        return self.call(self.point.at(vector))

    def along(self, values: Callable, v: np.ndarray, u: np.ndarray, claimed: float) -> Report:
        """The slope of <u, values(x + t v)> at t = 0."""
        start = self.point.vector
        options = {**self.options.for_judge(), "wrt": 0, "mode": "coordinates"}
        return judged(
            lambda t: float(u @ values(self.point.at(start + float(t) * v))),
            0.0,
            grad=lambda t: claimed,
            **options,
        )

    # --- which entry

    def with_entry(
        self,
        report: Report,
        row: Callable[[int], np.ndarray],
        letter: str = "J",
        stored: Callable[[int, int], bool] = lambda i, j: True,
    ) -> Report:
        """The report with the wrong entry of the column where a combination was wrong."""
        j = self._column(report)
        if j is None:
            return report
        v = np.where(np.arange(self.point.size) == j, 1.0, 0.0)
        found = numeric.directional(self.values, self.x, self.tree_of(v))
        faults = []
        for i in range(min(len(found.value), _ROWS)):
            claimed = float(row(i)[j])
            tolerated = 2 * found.error[i] + self.options.tol * abs(claimed)
            if not abs(claimed - found.value[i]) <= tolerated and np.isfinite(found.error[i]):
                outside = "" if stored(i, j) else " (not in the sparse pattern)"
                faults.append(
                    f"{letter}[{i}, {j}]: claimed {claimed:.8g}{outside}, numeric "
                    f"{found.value[i]:.8g} ± {found.error[i]:.1e}"
                )
        if not faults:
            return report
        more = f" and {len(faults) - 1} more in this column" if len(faults) > 1 else ""
        return replace(report, fault=faults[0] + more)

    def _column(self, report: Report) -> int | None:
        if report.worst is None:
            return None
        return next(
            (j for j in range(self.point.size) if self.point.name(j) == report.worst.name), None
        )

    def with_value(self, report: Report, v: np.ndarray, tangent: np.ndarray) -> Report:
        """The report of a wrong tangent with the values that are wrong."""
        found = numeric.directional(self.values, self.x, self.tree_of(v))
        gap = np.abs(found.value - tangent)
        wrong = np.flatnonzero(gap > 2 * found.error + self.options.tol * np.abs(tangent))
        reason = f"along a random direction: {report.reason}"
        if not wrong.size:
            return replace(report, reason=reason)
        i = int(wrong[0])
        fault = (
            f"{wrong.size} of {len(tangent)} values have a wrong tangent, as value {i}: claimed "
            f"{tangent[i]:.8g}, numeric {found.value[i]:.8g} ± {found.error[i]:.1e}"
        )
        return replace(report, reason=reason, fault=fault)

    def plain_report(self, verdict: Verdict, reason: str, calls: int = 0, **others: Any) -> Report:
        return Report(verdict, reason, calls, 0, self.options.seed, self.options.tol, **others)


def _signs(rng: np.random.Generator, size: int) -> np.ndarray:
    """Signs and sizes of few bits, none of them small: points on the line are exact."""
    return rng.choice([-1.0, 1.0], size) * rng.integers(4, 13, size) / 8
