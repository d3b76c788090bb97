"""``assert_gradient``: ``check`` as an assertion."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.base.arguments import select
from chainrule.checker import Report, check
from chainrule.checker.report import merged
from chainrule.testing.places import near as near_point


class GradientError(AssertionError):
    """A derivative is wrong, or could not be verified; ``report`` is the evidence."""

    def __init__(self, report: Report):
        super().__init__(str(report))
        self.report = report

    def __reduce__(self) -> Any:
        return GradientError, (self.report,)


def assert_gradient(
    f: Callable,
    *args: Any,
    also: Iterable[tuple] = (),
    near: int = 0,
    allow_inconclusive: bool = False,
    **options: Any,
) -> Report:
    """Raise an AssertionError, whose text is the report, unless the derivative is verified.

    also : more points, each a tuple of arguments.   near : so many random points around the first:
    a mistake in a branch shows only where the branch is taken.   allow_inconclusive : only a
    wrong derivative is an error.   options : those of ``check``, as ``grad=``, ``wrt=``, ``seed=``.

    >>> from chainrule.testing import assert_gradient
    >>> assert_gradient(lambda x: np.sum(x**3), np.ones(2), grad=lambda x: 3 * x**2, near=2).ok
    True
    """
    __tracebackhide__ = True
    rng = np.random.default_rng(options.get("seed", 0))
    places = [args, *also, *(_moved(f, args, options.get("wrt", 0), rng) for _ in range(near))]
    reports = [
        replace(check(f, *place, **options), kind=f"point {k}") for k, place in enumerate(places)
    ]
    report = reports[0] if len(reports) == 1 else merged("points", reports)
    if report.verdict == "fail" or not (report.ok or allow_inconclusive):
        raise GradientError(report)
    return report


def _moved(f: Callable, args: tuple, wrt: Any, rng: np.random.Generator) -> tuple:
    selection = select(f, args, {}, wrt)
    moved, _ = selection.rebuild([near_point(value, rng) for value in selection.values])
    return moved
