"""The judge on a scalar function, with the numbers it saw kept in the report."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.base import tree
from chainrule.base.arguments import Wrt, select
from chainrule.base.errors import InputError
from chainrule.checker.compare import Claim, Measured
from chainrule.checker.judge import Mode, _Judge
from chainrule.checker.purity import Call
from chainrule.checker.report import ArgumentReport, Evidence, Report
from chainrule.numeric.derivative import scalar_function


def judged(
    f: Callable,
    *args: Any,
    grad: Callable,
    wrt: Wrt = 0,
    seed: int = 0,
    tol: float = 1e-6,
    mode: Mode = "auto",
) -> Report:
    """The verdict on the gradient of a scalar function, as of ``check``."""
    if mode not in ("auto", "coordinates", "directions"):
        raise InputError(f"mode={mode!r} is unknown.", "Choose auto, coordinates or directions.")
    selection = select(f, args, {}, wrt)
    x = selection.values[0] if selection.single else tuple(selection.values)
    call, claiming = Call(f, selection), Call(grad, selection)
    function = scalar_function(call, x, "" if not selection.single else selection.names[0])
    function.point.paths = [
        path
        for value, name in zip(selection.values, selection.names)
        for path in tree.paths(value, name)
    ]
    return _Witness(function, call, claiming, x, seed, tol).verdict(mode)


class _Witness(_Judge):
    def arguments(
        self, claim: Claim, measured: Measured, verified: np.ndarray
    ) -> Iterator[ArgumentReport]:
        rows = super().arguments(claim, measured, verified)
        arrays = claim.gradient, measured.value, measured.margin, self.point.vector
        for row, leaf, dtype, (start, end) in zip(
            rows, self.point.leaves, self.point.dtypes, self.point.ranges()
        ):
            shape = (*np.shape(leaf), 2) if dtype.kind == "c" else np.shape(leaf)
            numbers = (a[start:end].reshape(shape).copy() for a in arrays)
            yield replace(row, evidence=Evidence(*numbers))
