"""The rules that a derivation cites, in the notation of the derivative table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.core.program import Program
from chainrule.core.trace import plain
from chainrule.explainer import expressions as ex
from chainrule.explainer.steps import pulled_back, results_of


@dataclass(frozen=True)
class Rule:
    """The derivative of one operation: ``forward`` is it, ``backward`` what each operand gets.

    ``trees`` are the same as pairs of a name and a tree, whose variables ``letters`` names.
    """

    name: str
    forward: str
    backward: tuple[str, ...]
    trees: tuple[tuple[str, ex.Node], ...] = field(default=(), compare=False, repr=False)
    letters: Mapping[int, str] = field(default_factory=dict, compare=False, repr=False)


def rules_used(program: Program, bars: Mapping[int, Any]) -> tuple[Rule, ...]:
    """One rule for each kind of operation that has a cotangent, in the order of the program."""
    best: dict[str, int] = {}
    for i, plan in enumerate(program.plans):
        if bars.keys().isdisjoint(results_of(program, i)):
            continue
        known = best.setdefault(plan.primitive.name, i)
        if len(set(program.operands[i])) > len(set(program.operands[known])):
            best[plan.primitive.name] = i
    return tuple(_rule(program, name, i, bars) for name, i in best.items())


def _rule(program: Program, name: str, i: int, bars: Mapping[int, Any]) -> Rule:
    plan, results = program.plans[i], results_of(program, i)
    count = len(program.constants[i])
    letters = ["x"] if count == 1 else ["a", "b", "c", "d", "e"][:count]
    letters += [f"x{k + 1}" for k in range(len(letters), count)]
    names = ["y"] if len(results) == 1 else [f"y{k + 1}" for k in range(len(results))]
    called = {v: letters[slot] for slot, v in zip(plan.slots, program.operands[i])}
    called |= dict(zip(results, names))
    labels = {
        k: letters[k]
        for k, value in enumerate(program.constants[i])
        if k not in plan.slots and np.ndim(plain(value)) and name != "array"
    }
    operands = [
        ex.constant(plain(c), labels.get(k, "")) for k, c in enumerate(program.constants[i])
    ]
    for slot, var in zip(plan.slots, program.operands[i]):
        operands[slot] = ex.Node("name", shape=program.shapes[var], label=letters[slot])
    whole = ex.Node(name, tuple(operands), program.params[i], program.shapes[results[0]])
    gs = [bars.get(v) for v in results]
    pulled = pulled_back(program, i, gs, labels, letters)
    trees = [(", ".join(names), whole), *((f"{letters[x.slot]}_bar", x.node) for x in pulled)]
    forward, *backward = [f"{left} = {ex.text_of(x, called.__getitem__)}" for left, x in trees]
    return Rule(name, forward, tuple(backward), tuple(trees), called)
