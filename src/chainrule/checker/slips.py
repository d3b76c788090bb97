"""The common slips: a derivative left out, a factor, a sign, ``=`` where ``+=`` is meant."""

from collections.abc import Iterator
from itertools import combinations, product
from typing import Any

import numpy as np

from chainrule.checker.search import Group, Guess, Search
from chainrule.checker.sweep import Change, Edge
from chainrule.checker.words import named
from chainrule.core.indexing import add_at, assign
from chainrule.core.project import project

_FEW = 3  # numbers that any factor could explain
_USES = 256
_PAIRED = 80

# factor: cost, and what it means
NICE = {
    0.0: (1.0, "the derivative of {step} by {operand} is left out"),
    -1.0: (1.0, "the sign of {operand}'s cotangent from {step} is flipped"),
    2.0: (1.5, "{operand}'s cotangent from {step} is doubled"),
    0.5: (1.5, "{operand}'s cotangent from {step} is halved"),
}


def _text(search: Search, group: Group, text: str) -> str:
    return text.format(step=search.step(group), operand=search.operand(group))


def _all(group: Group, change: Change) -> dict[Edge, Change]:
    return dict.fromkeys(group.edges, change)


def _times(factor: float) -> Change:
    return lambda g, bar: factor * bar


# --- factors


def scaled(search: Search) -> Iterator[Guess]:
    """A constant factor: what explains the gap along all directions, if one does."""
    every = [(group, 0.0) for group in search.groups] + [(group, 0.3) for group in search.rounds]
    for group, later in every:
        if group.is_serial:
            continue
        right = search.contribution(group.edges)
        size = float(right @ right)
        extra = float(right @ search.target) / size if size else 0.0
        if not extra or not search.is_near(extra * right):
            continue
        cost, text = _factor_words(search, group, 1 + extra)
        if cost < 3 or search.numbers(group.mask) >= _FEW:
            yield Guess(cost + later, _text(search, group, text), _all(group, _times(1 + extra)))


def _factor_words(search: Search, group: Group, factor: float) -> tuple[float, str]:
    for nice, (cost, text) in NICE.items():
        if abs(factor - nice) < 1e-6:
            is_shared = len(search.steps.uses(search.variable(group.last))) > 1
            return cost - 0.2 * (nice == 0 and is_shared), text
    lengths = {n for shape in search.steps.program.shapes for n in shape if n > 2}
    start = "{operand}'s cotangent from {step} is "
    for n in sorted(lengths):
        if abs(factor - n) < 1e-6 * n:
            return 1.6, f"{start}multiplied by {n}"
        if abs(factor * n - 1) < 1e-6:
            return 1.6, f"{start}divided by {n}"
    return 4.0, f"{start}multiplied by {factor:.6g}"


def scaled_rounds(search: Search) -> Iterator[Guess]:
    """The same where each round of a loop feeds the next: by trial."""
    for factor, (cost, text) in NICE.items():
        for group in search.groups:
            if group.is_serial:
                change = _all(group, _times(factor))
                yield Guess(cost, _text(search, group, text), change, is_serial=True)


def pairs(search: Search) -> Iterator[Guess]:
    """Two such factors at once."""
    groups = [g for g in search.every_group if not g.is_serial and g.mask & search.wrong][:_PAIRED]
    if search.numbers(search.wrong) < 2 * _FEW:
        return
    rows = [search.contribution(g.edges) for g in groups]
    nonzero = [n for n in range(len(groups)) if rows[n].any()]
    factors = sorted(NICE)
    for a, b in combinations(nonzero, 2):
        if not search.may_explain(groups[a].mask | groups[b].mask):
            continue
        for p, q in product(factors, factors):
            if search.is_near((p - 1) * rows[a] + (q - 1) * rows[b]):
                both = ((p, groups[a]), (q, groups[b]))
                text = " and ".join(_text(search, group, NICE[f][1]) for f, group in both)
                slip = {**_all(groups[a], _times(p)), **_all(groups[b], _times(q))}
                yield Guess(3.9, text, slip)


# --- the local derivative


def local(search: Search) -> Iterator[Guess]:
    """The factor of a step taken as 1, the matrix of it not transposed."""
    for group in search.groups:
        for cost, text, change in (
            (1.2, "the factor of {step} is left out (taken as 1)", _taken_as_one),
            (1.4, "{operand}'s cotangent from {step} is transposed", _transposed),
        ):
            text = _text(search, group, text)
            yield Guess(cost, text, _all(group, change), group.is_serial)


def _taken_as_one(g: Any, bar: Any) -> Any:
    if isinstance(g, tuple):
        return None
    if np.ndim(g) == 0:
        return np.broadcast_to(g, np.shape(bar))
    if np.broadcast_shapes(np.shape(g), np.shape(bar)) != np.shape(g):
        return None
    return project(np.asarray(g), np.shape(bar), np.asarray(bar).dtype)


def _transposed(g: Any, bar: Any) -> Any:
    return bar.T if np.ndim(bar) == 2 and bar.shape[0] == bar.shape[1] > 1 else None


# --- several uses of a variable


def overwritten(search: Search) -> Iterator[Guess]:
    """``=`` for ``+=``: of several uses only one counts."""
    for var, edges in _uses(search):
        rows = np.stack([search.along(edge, search.sweep.sent[edge]) for edge in edges])
        for place in np.flatnonzero(search.is_near(rows - rows.sum(axis=0))):
            kept = edges[int(place)]
            name = named(search.steps, var)
            text = (
                f"only {search.steps.text(kept[0])} counts for {name}: cotangents of several uses "
                "must be added"
            )
            yield Guess(1.0, text, {edge: _times(0.0) for edge in edges if edge != kept})


def overlaid(search: Search) -> Iterator[Guess]:
    """Reads of one variable undone by assignments, one after the other."""
    steps, sweep = search.steps, search.sweep
    for var, edges in _uses(search):
        reads = [e for e in edges if steps.equations[e[0]].primitive.name == "getitem"]
        others = np.zeros_like(sweep.bars[var])
        for edge in edges:
            if edge not in reads:
                others = others + sweep.sent[edge]
        for order in (reads, reads[::-1]) if reads else ():
            for where, start, more in (
                (" over what other steps have sent", others, 0.0),
                ("", np.zeros_like(others), others),
            ):
                made = np.array(start)
                for i, _ in order:
                    assign(made, steps.equations[i].params["index"], sweep.g[i])
                made = made + more
                if search.is_near(search.along(edges[0], made - sweep.bars[var])):
                    text = (
                        f"{steps.text(order[-1][0])} is undone by assignment{where}: cotangents "
                        "must be added"
                    )
                    yield Guess(1.2, text, instead(edges, made))


def _uses(search: Search) -> Iterator[tuple[int, list[Edge]]]:
    """Variables that are read several times, with the edges to them."""
    operands = search.steps.program.operands
    for var, mask in enumerate(search.masks):
        if search.may_explain(mask):
            edges = [
                (i, k)
                for i in search.steps.uses(var)
                for k, v in enumerate(operands[i])
                if v == var and (i, k) in search.sweep.sent
            ]
            if 2 <= len(edges) <= _USES:
                yield var, edges


def instead(edges: list[Edge], bar: Any) -> dict[Edge, Change]:
    """The first edge sends this, the others nothing."""
    slip: dict[Edge, Change] = {edge: _times(0.0) for edge in edges[1:]}
    slip[edges[0]] = lambda g, old: bar
    return slip


# --- reads


def reads(search: Search) -> Iterator[Guess]:
    """``bar[index] = g`` where an index comes twice; another index."""
    steps = search.steps
    every = [e for e in steps.equations if e.primitive.name == "getitem"][:_USES]
    for group in search.groups:
        own = steps.equations[group.last[0]]
        if own.primitive.name != "getitem":
            continue
        text = "{step} is undone by assignment: where an index repeats, cotangents must be added"
        change = _undone(own.params["index"], assign)
        yield Guess(0.5, _text(search, group, text), {group.last: change})
        shape = np.shape(steps.values[own.results[0]])
        indices = {repr(own.params["index"])}
        for other in every:
            same = np.shape(steps.values[other.results[0]]) == shape
            if same and repr(other.params["index"]) not in indices:
                indices.add(repr(other.params["index"]))
                text = _text(search, group, "{step} is undone at the place of ")
                change = _undone(other.params["index"], add_at)
                slip = _all(group, change)
                yield Guess(2.3, text + steps.text(other.index), slip, group.is_serial)


def _undone(index: Any, write: Any) -> Change:
    def change(g: Any, bar: Any) -> Any:
        made = np.zeros_like(bar)
        write(made, index, g)
        return made

    return change
