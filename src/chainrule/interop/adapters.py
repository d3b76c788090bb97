"""What the adapters to other systems share: their names in our reports."""

import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np

from chainrule.base.errors import ChainruleError
from chainrule.checker.judge import judged
from chainrule.checker.limits import Budget, Guarded
from chainrule.checker.report import ArgumentReport, Finding, Report, Worst

_PATH = re.compile(r"values\[('[^']*'|\"[^\"]*\")\]")


class Late:
    """A package that is imported when first used; ImportError says how to get it."""

    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        try:
            module = importlib.import_module(self._name)
        except ModuleNotFoundError as error:
            text = f"{self._name} is not installed: pip install {self._name}"
            raise ModuleNotFoundError(text, name=self._name) from error
        return getattr(module, attribute)


Options = dict[str, Any]  # seed, tol, mode of the judge


def judged_by_name(
    f: Callable[[Any], float],
    grad: Callable[[Any], Any],
    values: Mapping[str, np.ndarray],
    options: Options,
    budget: Budget | None = None,
) -> Report:
    """The verdict on a function of named arrays; the report has the names alone.

    What f or grad raise at the point itself makes a report too.
    """
    guarded, claiming = Guarded(lambda values: f(values), budget), Guarded(grad)
    try:
        return named(judged(guarded, dict(values), grad=claiming, **options))
    except Exception as error:
        which = {id(guarded.failure): "the forward pass", id(claiming.failure): "the backward pass"}
        if isinstance(error, ChainruleError) or id(error) not in which:
            raise
        where = which[id(error)]
        reason = f"{where} raised {type(error).__name__}: {error}"
        verdict: Any = "fail" if "back" in where else "inconclusive"
        return Report(verdict, reason, 1, 0, options["seed"], options["tol"], error=error)


def named(report: Report) -> Report:
    """``values['fc.weight'][0]`` becomes ``fc.weight[0]``, everywhere."""
    return _renamed(report)


def _renamed(x: Any) -> Any:
    if isinstance(x, str):
        return _PATH.sub(lambda found: found[1][1:-1], x)
    if isinstance(x, tuple):
        return tuple(map(_renamed, x))
    if isinstance(x, (Report, ArgumentReport, Worst, Finding)):
        names = [f.name for f in fields(x)]
        return replace(x, **{name: _renamed(getattr(x, name)) for name in names})
    return x


def signs(rng: np.random.Generator, shape: tuple[int, ...], is_complex: bool) -> np.ndarray:
    """A random cotangent with no small entries."""
    draw = lambda: rng.choice([-1.0, 1.0], shape) * rng.integers(4, 13, shape) / 8
    return draw() + 1j * draw() if is_complex else draw()


def summary(report: Report) -> str:
    """A few words on a wrong derivative."""
    rows = [row for row in report.arguments if row.pattern]
    if len(report.arguments) == len(rows) == 1:
        return rows[0].pattern
    texts = [f"{row.name}: {row.pattern}" for row in rows]
    return "; ".join(texts) or str(report.worst or report.reason)


def word(f: Any) -> str:
    """How f is written in a call: its name, the name of its class, or an ellipsis."""
    name = getattr(f, "__name__", type(f).__name__)
    return name if name.isidentifier() else "..."
