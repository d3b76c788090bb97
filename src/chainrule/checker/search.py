"""What all searches for a slip share: the program, the claim, and how a guess is tested.

A guess is a change of what some edges send. Where no changed cotangent flows through another
changed edge, what becomes of the gradient along a few random directions is a sum of inner products,
and nearly all guesses end there. What survives is followed to the inputs and must give every number
that is claimed. The work is counted, not the time: the answer is the same on every machine.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.checker.steps import Steps
from chainrule.checker.sweep import (
    FAILS,
    Change,
    Edge,
    Sweep,
    against,
    differs,
    is_serial,
    reached_from,
)
from chainrule.checker.words import named

CALLS = 4  # so often an instruction may run without being a loop: a function called here and there
_EQUAL = 1e-7  # relative to the largest number of the array
_EQUAL_SINGLE = 1e-5  # where the claim is in single precision
_NEARLY = 1e-6  # along directions

Slip = Mapping[Edge, Change]


@dataclass(frozen=True)
class Group:
    """The edges of one instruction and operand: one, or one for each round of a loop.

    mask : the inputs behind them, as bits.   is_serial : what one sends flows through another.
    is_whole : all the edges to one variable, instead.
    """

    edges: tuple[Edge, ...]
    mask: int
    is_serial: bool = False
    is_whole: bool = False

    @property
    def last(self) -> Edge:
        return self.edges[-1]


@dataclass(frozen=True, order=True)
class Guess:
    """``cost``: the lower the likelier.   ``text``: what went wrong, a clause after "when".

    slip : empty where it has been followed already.
    """

    cost: float
    text: str
    slip: Slip = field(compare=False)
    is_serial: bool = field(default=False, compare=False)


class Search:
    """A claimed gradient of a scalar program, and the backward pass it may have come from.

    wrong : the inputs whose gradient is wrong, as bits.
    """

    def __init__(self, steps: Steps, claimed: Sequence[Any]):
        self.steps = steps
        self.claimed = [np.asarray(c) for c in claimed]
        is_single = all(c.dtype in (np.float32, np.complex64) for c in self.claimed)
        self.tolerance = _EQUAL_SINGLE if is_single else _EQUAL
        self.sweep = Sweep(steps)
        self.right = self.sweep.gradient
        self.masks = reached_from(steps)
        wrong = differs(self.right, self.claimed, self.tolerance)
        self.wrong = sum(1 << bit for bit, is_wrong in enumerate(wrong) if is_wrong)
        self.compared = 0.0
        self.limit = np.inf

    @property
    def work(self) -> float:
        """Equations pulled back and edges compared so far, of up to a thousand numbers each."""
        return self.compared + self.sweep.work

    @property
    def is_over(self) -> bool:
        return self.work > self.limit

    def numbers(self, mask: int) -> int:
        """How many numbers the inputs of the mask have."""
        inputs, shapes = self.steps.program.inputs, self.steps.program.shapes
        return sum(int(np.prod(shapes[v])) for bit, v in enumerate(inputs) if mask >> bit & 1)

    def may_explain(self, mask: int) -> bool:
        """Whether all that is wrong is among these inputs."""
        return mask & self.wrong == self.wrong

    # --- directions

    @cached_property
    def tangents(self) -> dict[int, np.ndarray]:
        return self.sweep.tangents()

    @cached_property
    def target(self) -> np.ndarray:
        """(directions,) by how much the claim is off along each."""
        inputs = self.steps.program.inputs
        gaps = zip(inputs, self.claimed, self.right)
        return np.sum([against(c - r, self.tangents[v]) for v, c, r in gaps], axis=0)

    def variable(self, edge: Edge) -> int:
        return self.steps.program.operands[edge[0]][edge[1]]

    def along(self, edge: Edge, bar: Any) -> np.ndarray:
        """(directions,) what a cotangent sent along the edge makes of the gradient."""
        self.compared += 0.5 + np.size(bar) / 1000
        return against(bar, self.tangents[self.variable(edge)])

    def contribution(self, edges: Iterable[Edge]) -> np.ndarray:
        """(directions,) what is right of these edges."""
        return np.sum([self.along(e, self.sweep.sent[e]) for e in edges], axis=0)

    def is_near(self, made: np.ndarray, wanted: np.ndarray | None = None) -> Any:
        """Whether rows (..., directions) are the target, to a few digits."""
        size = float(np.max(np.abs(self.target), initial=0.0))
        with np.errstate(all="ignore"):
            gap = np.abs(made - (self.target if wanted is None else wanted))
            return np.all(gap <= 10 * self.tolerance * size, axis=-1)

    # --- guesses

    def holds(self, guess: Guess) -> bool:
        """Whether this change gives the claimed gradient, all numbers of it."""
        if not guess.slip:
            return True
        try:
            made = self.sweep.changed(guess.slip)
        except FAILS:  # it makes no sense for this shape
            return False
        return made is not None and not any(differs(made, self.claimed, self.tolerance))

    def is_likely(self, guess: Guess) -> bool:
        """Whether it gives the claimed gradient along a few directions; not for serial ones."""
        if not guess.slip:
            return True
        made = np.zeros(len(self.target))
        for (i, k), change in guess.slip.items():
            bar = self.sweep.sent.get((i, k))
            if bar is None:
                continue
            try:
                wrong = change(self.sweep.g[i], bar)
            except FAILS:
                return False
            if wrong is None or np.shape(wrong) != np.shape(bar):
                return False
            made = made + self.along((i, k), wrong - bar)
        return bool(self.is_near(made))

    # --- groups of edges

    @cached_property
    def every_group(self) -> list[Group]:
        table: dict[Any, list[Edge]] = {}
        plans = self.steps.program.plans
        for i, k in sorted(self.sweep.sent):
            kind = self.steps.instruction(i), plans[i].primitive.name, k
            table.setdefault(kind, []).append((i, k))
        return [self._group(edges) for edges in table.values()]

    @cached_property
    def groups(self) -> list[Group]:
        """Those through which all that is wrong flows; where nothing else flows first."""
        few = [g for g in self.every_group if 1 < len(g.edges) <= CALLS]
        return self._candidates([*self.every_group, *self._single(few)])

    @cached_property
    def rounds(self) -> list[Group]:
        """Single edges of loops."""
        loops = [group for group in self.groups if len(group.edges) > CALLS]
        return self._candidates(self._single(loops))

    @cached_property
    def wholes(self) -> list[Group]:
        """All edges to a variable that is read several times, together."""
        arriving: dict[int, list[Edge]] = {}
        for edge in sorted(self.sweep.sent):
            arriving.setdefault(self.variable(edge), []).append(edge)
        return self._candidates(
            [
                Group(tuple(edges), self.masks[v], is_whole=True)
                for v, edges in arriving.items()
                if 2 <= len(edges) <= 16
            ]
        )

    def _single(self, groups: Iterable[Group]) -> list[Group]:
        return [self._group([edge]) for group in groups for edge in group.edges]

    def _group(self, edges: list[Edge]) -> Group:
        mask = 0
        for edge in edges:
            mask |= self.masks[self.variable(edge)]
        return Group(tuple(edges), mask, is_serial(self.steps, edges))

    def _candidates(self, groups: list[Group]) -> list[Group]:
        found = [group for group in groups if self.may_explain(group.mask)]
        return sorted(found, key=lambda g: (g.mask != self.wrong, -g.last[0]))

    # --- words

    def step(self, group: Group) -> str:
        return self.steps.text(group.last[0])

    def operand(self, group: Group) -> str:
        return named(self.steps, self.variable(group.last))
