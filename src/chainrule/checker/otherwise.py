"""Backward passes that belong to another forward pass: one in which a step is skipped."""

from collections.abc import Hashable, Iterator
from typing import Any

import numpy as np

from chainrule.checker.search import Guess, Search
from chainrule.checker.sweep import FAILS, differs


def skipped(search: Search) -> Iterator[Guess]:
    """Forward passes without one step whose gradient is the claimed one."""
    steps, shapes = search.steps, search.steps.program.shapes
    table: dict[Hashable, list[int]] = {}
    for e in steps.equations:
        if len(e.results) == 1:
            instruction = steps.instruction(e.index), e.primitive.name
            table.setdefault(instruction, []).append(e.index)
    for equations in reversed(list(table.values())):
        last = steps.equations[equations[-1]]
        for slot, (kind, x) in enumerate(last.operands):
            if kind != "var" or shapes[x] != shapes[last.results[0]] or search.is_over:
                continue
            for also_back in (False, True):
                made = _gradient(search, equations, slot, also_back)
                if made is not None and not any(differs(made, search.claimed, search.tolerance)):
                    text = f"the backward pass has a forward pass without {steps.text(last.index)}"
                    yield Guess(2.6, text, {})


def _gradient(search: Search, equations: list[int], slot: int, also_back: bool) -> Any:
    """The gradient with the values of a forward pass that skips these equations.

    also_back : the backward pass skips them, too.
    """
    try:
        with np.errstate(all="ignore"):
            kept = _forward(search, equations, slot)
            return _backward(search, kept, equations if also_back else [])
    except FAILS:
        return None


def _forward(search: Search, equations: list[int], slot: int) -> dict[int, tuple]:
    """The residuals of the equations from the first one on."""
    steps, values = search.steps, dict(search.steps.values)
    kept = {}
    for e in steps.equations[equations[0] :]:
        search.compared += 0.5
        xs = [values[x] if kind == "var" else x for kind, x in e.operands]
        y = xs[slot] if e.index in equations else e.primitive.fun(*xs, **e.params)
        several = len(e.results) > 1 or e.primitive.multiple
        values.update(zip(e.results, y if several else (y,)))
        kept[e.index] = steps.program.plans[e.index].capture(xs, y)
    return kept


def _backward(search: Search, kept: dict[int, tuple], passing: list[int]) -> list[Any]:
    """The gradient from these residuals; ``passing`` equations hand on what they get."""
    sweep, program, output = search.sweep, search.steps.program, search.steps.output
    bars: dict[int, Any] = {output: np.ones((), program.dtypes[output])}
    for i in reversed(range(len(program))):
        g = sweep.of_results(i, bars)
        if g is None:
            continue
        parts = sweep.pulled(i, g, kept.get(i))
        if i in passing:
            parts = [g if np.shape(part) == np.shape(g) else None for part in parts]
        for v, bar in zip(program.operands[i], parts):
            if bar is not None:
                bars[v] = bars[v] + bar if v in bars else bar
    return [bars.get(v, np.zeros(program.shapes[v])) for v in program.inputs]
