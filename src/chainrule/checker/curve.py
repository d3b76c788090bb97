"""Error against step size: the V of truncation on one side and rounding on the other."""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

import numpy as np

from chainrule.base.arguments import Wrt, select
from chainrule.checker.purity import Call, copied
from chainrule.checker.report import Report
from chainrule.numeric.lines import Coordinate
from chainrule.numeric.points import Function, quiet

_STEPS = 2.0 ** -np.arange(1.0, 50.0, 2.0)  # relative to the scale of the coordinate
_PATIENCE = 2.0  # seconds


@dataclass(frozen=True, eq=False)
class Curve:
    """Central differences along one coordinate, and how far they are from two numbers.

    name : of the coordinate.   step, quotient : (k,).   numeric, bound, claimed : of the report.
    evaluations : of f, for this curve.
    """

    name: str
    step: np.ndarray
    quotient: np.ndarray
    numeric: float
    bound: float
    claimed: float
    evaluations: int

    @property
    def best(self) -> int:
        """The place of the step with the smallest error."""
        return int(np.argmin(np.abs(self.quotient - self.numeric)))


@dataclass(frozen=True, eq=False)
class Case:
    """f at the point of a check, kept to evaluate it again for a picture."""

    f: Callable
    args: tuple
    wrt: Wrt

    @classmethod
    def of(cls, f: Callable, args: tuple, wrt: Wrt) -> "Case":
        return cls(f, copied(args), wrt)

    def curve(self, report: Report) -> Curve | None:
        """For the worst coordinate of the report; None where nothing was measured."""
        found = self._coordinate(report)
        if found is None:
            return None
        function, i, claimed, numeric, bound = found
        line = Coordinate(function.point, i)
        steps, quotients = [], []
        start = monotonic()
        with quiet():
            for relative in _STEPS:
                (right, far), (left, near) = (line.at(s * relative * line.scale) for s in (1, -1))
                if far == near or monotonic() - start > _PATIENCE:
                    break
                difference = function(right)[0] - function(left)[0]
                steps.append((far - near) / 2)
                quotients.append(float(difference / (far - near) * np.ravel(function.unit)[0]))
        step, quotient = np.array(steps), np.array(quotients)
        kept = np.isfinite(quotient)
        if not kept.any():
            return None
        name, calls = function.point.name(i), function.evaluations
        return Curve(name, step[kept], quotient[kept], numeric, bound, claimed, calls)

    def _coordinate(self, report: Report) -> tuple[Function, int, float, float, float] | None:
        """The worst coordinate; where none is wrong, the one with the largest slope."""
        selection = select(self.f, self.args, {}, self.wrt)
        x: Any = selection.values[0] if selection.single else tuple(selection.values)
        rows = [row.evidence for row in report.arguments]
        if any(evidence is None for evidence in rows) or not rows:
            return None
        flat = lambda name: np.concatenate([np.ravel(getattr(e, name)) for e in rows])
        claimed, numeric, bound = flat("claimed"), flat("numeric"), flat("bound")
        measured = np.isfinite(numeric)
        function = Function(Call(self.f, selection), x, selection.names[0])
        if not measured.any() or len(measured) != function.point.size or function.shape != ():
            return None
        i = int(np.argmax(np.where(measured, np.abs(numeric), -1.0)))
        if report.worst is not None:
            names = [row.name for row in report.arguments]
            function.point.paths = names
            every = (function.point.name(k) for k in range(len(measured)))
            i = next((k for k, name in enumerate(every) if name == report.worst.name), i)
        return function, i, float(claimed[i]), float(numeric[i]), float(bound[i])
