"""Loops over calls, and the arguments that only a loop has."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from chainrule.explainer.calls import Call


@dataclass(frozen=True)
class Step:
    """An integer that grows with the turn k: scale * k + offset."""

    scale: int
    offset: int

    def at(self, k: int) -> int:
        return self.scale * k + self.offset


@dataclass(eq=False)
class Gathered:
    """What a loop makes turn by turn, as a list; ``start`` is what comes before the first turn."""

    var: int
    turns: int
    start: Any = None


@dataclass(frozen=True)
class Item:
    """An element of such a list."""

    of: Gathered
    at: Any  # a number or a Step


@dataclass(eq=False)
class Loop:
    """``count`` turns of ``body``."""

    count: int
    body: list[Call]
    carried: list[tuple[int, Any, int]]  # variable, first value, what becomes the next value
    each: list[tuple[int, list[Any]]] = field(default_factory=list)  # variable, values by turn
    lists: dict[int, Gathered] = field(default_factory=dict)  # by variable of the body


def steps_in(call: Call) -> Iterator[Step]:
    """The evenly growing numbers among the arguments of a call."""

    def inside(x: Any) -> Iterator[Step]:
        if type(x) is Step:
            yield x
        elif type(x) is Item:
            yield from inside(x.at)
        elif type(x) in (tuple, list):
            for v in x:
                yield from inside(v)
        elif type(x) is slice:
            yield from inside((x.start, x.stop, x.step))

    yield from inside(call.args)
    yield from inside(tuple(call.kwargs.values()))
    for _, step in call.path:
        yield from inside(step.args)
