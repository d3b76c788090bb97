"""One value taken for another: the derivative of a step, computed with a wrong operand."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from chainrule.checker.pools import Entry, is_float, same_rounds, value_words, values
from chainrule.checker.search import Group, Guess, Search
from chainrule.checker.sweep import FAILS, Change, Edge

# what people make of the right value
_MADE: tuple[tuple[str, Callable[[np.ndarray], np.ndarray]], ...] = (
    ("{own}**2", np.square),
    ("the square root of {own}", lambda v: np.sqrt(np.abs(v))),
    ("1 / {own}", lambda v: 1 / v),
    ("1 - {own}", lambda v: 1 - v),
    ("|{own}|", np.abs),
    ("{own} in reverse order", lambda v: np.flip(v, 0) if v.ndim else v),
    ("{own} reversed along its last axis", lambda v: np.flip(v, -1) if v.ndim > 1 else v),
    ("{own} shifted by +1", lambda v: np.roll(v, 1, 0) if v.ndim else v),
    ("{own} shifted by -1", lambda v: np.roll(v, -1, 0) if v.ndim else v),
)


def mistaken(search: Search) -> Iterator[Guess]:
    """Another value in the place of one that the derivative of a step needs."""
    pool = values(search)
    for group in search.groups:
        for slot in _needed(search, group):
            own = value_words(search, group.last[0], slot)
            for cost, words, found in _alternatives(search, group, slot, pool):
                text = (
                    f"the derivative of {search.step(group)} by {search.operand(group)} is "
                    f"computed with {words.format(own=own)} in the place of {own}"
                )
                slip = _with(search, group, slot, found)
                yield Guess(cost, text, slip, group.is_serial)


def _needed(search: Search, group: Group) -> list[int]:
    """The operands whose values the rule needs; -1 for the result."""
    steps = search.steps
    equation, plan = steps.equations[group.last[0]], steps.program.plans[group.last[0]]
    kind = equation.primitive.kind
    if plan.write or kind in ("adjoint_pair", "linear"):
        return []
    result = [-1] if len(equation.results) == 1 and kind != "multilinear" else []
    return result + [slot for slot in plan.kept if slot < len(equation.operands)]


def _alternatives(
    search: Search, group: Group, slot: int, pool: dict[int, list[Entry]]
) -> Iterator[tuple[float, str, list[Any]]]:
    """(cost, words, a value for each edge), each once."""
    own = [_value(search, i, slot) for i, _ in group.edges]
    if not all(is_float(v) for v in own):
        return
    own = [np.asarray(v) for v in own]
    seen = [own]
    for cost, words, found in _every(own, pool):
        found = [np.asarray(v) for v in found]
        search.compared += 0.3 * len(own)
        if any(a.shape != b.shape or not np.isfinite(a).all() for a, b in zip(found, own)):
            continue
        if not any(all(map(np.array_equal, found, other)) for other in seen):
            seen.append(found)
            yield cost, words, found


def _every(own: list[Any], pool: dict[int, list[Entry]]) -> Iterator[tuple[float, str, list[Any]]]:
    rounds = len(own)
    yield 2.0, "1", [np.ones_like(v) for v in own]
    yield 2.0, "{own}.T", [v.T for v in own]
    if rounds > 1:
        yield 2.0, "{own} of the next round", [*own[1:], own[-1]]
        yield 2.0, "{own} of the round before", [own[0], *own[:-1]]
        yield 2.0, "{own} of the rounds in reverse order", own[::-1]
    for words, found, _ in same_rounds(pool, rounds):
        words = words.replace("{", "{{").replace("}", "}}")
        yield 2.0, words, found
        yield 2.0, f"{words}.T", [np.transpose(v) for v in found]
    for words, f in _MADE:
        with np.errstate(all="ignore"):
            made = [f(v) for v in own]
        yield 2.1, words, made  # outside: a generator that waits would leave the caller silent


def _value(search: Search, i: int, slot: int) -> Any:
    steps = search.steps
    equation = steps.equations[i]
    if slot < 0:
        return steps.values[equation.results[0]]
    kind, x = equation.operands[slot]
    return steps.values[x] if kind == "var" else x


def _with(search: Search, group: Group, slot: int, found: list[Any]) -> dict[Edge, Change]:
    return {edge: _computed(search, edge, slot, v) for edge, v in zip(group.edges, found)}


def _computed(search: Search, edge: Edge, slot: int, value: Any) -> Change:
    """The edge's cotangent by the rule of its step, with the value in the place of its own."""
    steps, (i, k) = search.steps, edge
    equation = steps.equations[i]
    xs = [steps.values[x] if kind == "var" else x for kind, x in equation.operands]
    ys = tuple(steps.values[v] for v in equation.results)
    y = ys if len(ys) > 1 else ys[0]
    if slot < 0:
        y = value
    else:
        xs[slot] = value

    def change(g: Any, bar: Any) -> Any:
        try:
            kept = steps.program.plans[i].capture(xs, y)
            return search.sweep.pulled(i, g, kept)[k]
        except FAILS:
            return None

    return change
