"""A program by its operations: forward, one line an equation; backward, one line a variable."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.base.where import Line
from chainrule.core.program import Program
from chainrule.explainer.expressions import Node, constant, text_of, total
from chainrule.explainer.steps import constant_labels, own_node, pulled_back, results_of


@dataclass(frozen=True)
class Step:
    """One line: ``name = text``, its shape, the value seen, and where it comes from."""

    name: str
    text: str
    shape: tuple[int, ...]
    dtype: np.dtype
    line: Line | None
    value: Any


def name_of(f: Any) -> str:
    return getattr(f, "__name__", type(f).__name__)


def forward_steps(program: Program) -> list[tuple[Step, ...]]:
    """The steps of each equation."""
    return [
        tuple(
            _step(program, v, own_node(program, i, v, labels), program.values[v], program.line(i))
            for v in results_of(program, i)
        )
        for i, labels in enumerate(_all_labels(program))
    ]


def backward_steps(program: Program, output: int, masked: bool = True) -> Iterator[Step]:
    """Steps of the sweep: a variable's line stands where all its uses have been passed.

    ``masked=False`` leaves 0 times inf as it is, to see where NaN comes from.
    """
    labels = _all_labels(program)
    terms: dict[int, list[Node]] = {output: [constant(1)]}
    bars: dict[int, Any] = {output: np.ones((), program.dtypes[output])[()]}
    for i in reversed(range(len(program))):
        results = results_of(program, i)
        if not any(v in bars for v in results):
            continue
        for v in results:
            if v in bars:
                yield _step(program, v, total(terms[v]), bars[v], program.line(i), "_bar")
        gs = [bars.get(v) for v in results]
        for _, var, node, value in pulled_back(program, i, gs, labels[i], masked=masked):
            terms.setdefault(var, []).append(node)
            bars[var] = value if var not in bars else bars[var] + value
    for v in program.inputs:
        value = bars[v] if v in bars else np.zeros(program.shapes[v])
        yield _step(program, v, total(terms.get(v, [constant(0)])), value, None, "_bar")


def _all_labels(program: Program) -> list[dict[int, str]]:
    return [constant_labels(program, i) for i in range(len(program))]


def _step(
    program: Program, v: int, node: Node, value: Any, line: Line | None, suffix: str = ""
) -> Step:
    text = text_of(node, program.name)
    name = program.names[v] + suffix
    return Step(name, text, program.shapes[v], program.dtypes[v], line, value)
