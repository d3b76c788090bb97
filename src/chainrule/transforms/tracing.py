"""``trace``: the program of a function at a point, complete, to print, verify and evaluate."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.base import tree
from chainrule.base.arguments import select
from chainrule.core.program import Program
from chainrule.core.trace import Recording, Tracer
from chainrule.transforms.door import Entered, Transformed, differentiable, run


@dataclass(frozen=True, eq=False)
class trace(Transformed):
    """A function that gives the ``Program`` of ``f`` at its arguments.

    Inputs are the arguments ``wrt`` (default: all that hold floats). The program keeps constants
    and the values seen; it holds for the branches taken at this point.

    >>> print(trace(lambda x: np.sum(np.sin(x) * 2.0))(np.ones(3)))
    x: float64[3] ->
      v1: float64[3] = sin(x)    # ...
      v2: float64[3] = v1 * 2.0  # ...
      v3: float64 = sum(v2)      # ...
    -> v3
    """

    f: Callable[..., Any]
    wrt: Any = None
    lift: bool = True

    def __call__(self, *args, **kwargs) -> Program:
        return record(self.f, args, kwargs, self.wrt, self.lift)[0]


def record(
    f: Callable,
    args: tuple,
    kwargs: dict,
    wrt: Any = None,
    lift: bool = True,
    recording: Recording | None = None,
) -> tuple[Program, Any]:
    """The full program of ``f`` and the plain value it had, on the recording if one is given."""
    if wrt is None:
        keys = [*range(len(args)), *kwargs]
        values = [*args, *kwargs.values()]
        wrt = tuple(k for k, v in zip(keys, values) if _has_floats(v))
    selection = select(f, args, kwargs, wrt) if wrt != () else None
    with recording or Recording(full=True) as recording:
        if selection is None:
            entered = Entered(recording, select(f, args, kwargs, tuple(keys)), lambda x, i: x)
        else:
            names = [p for v, n in zip(selection.values, selection.names) for p in tree.paths(v, n)]
            entered = Entered(recording, selection, lambda x, i: recording.input(x, names[i]))
        out = run(recording, f, lift, entered)
        leaves, structure = tree.flatten(out)
    program = recording.program
    program.structure = structure
    for leaf in leaves:
        mine = isinstance(leaf, Tracer) and leaf._trace is recording and leaf._var >= 0
        program.outputs.append(leaf._var if mine else ("const", leaf))
    return program, tree.unflatten(structure, [_value(x) for x in leaves])


def _value(x: Any) -> Any:
    return x._value if isinstance(x, Tracer) else x


def _has_floats(value: Any) -> bool:
    leaves, _ = tree.flatten(value)
    for leaf in leaves:
        if isinstance(leaf, (float, complex, Tracer)) or (
            isinstance(leaf, (np.ndarray, np.generic)) and leaf.dtype.kind in "fc"
        ):
            continue
        return False
    return bool(leaves) and all(differentiable(leaf) is not None for leaf in leaves)
