"""Slips of bookkeeping: a sample or a round lost, an axis turned, two things exchanged."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from chainrule.checker.moves import TRIANGLES, diagonal, shifted
from chainrule.checker.pools import cotangents, same_rounds
from chainrule.checker.search import Group, Guess, Search
from chainrule.checker.slips import instead
from chainrule.checker.sweep import Change, Edge
from chainrule.checker.words import named

_LONG = 64  # indices of an axis that are looked at one by one
_MANY = 60  # variables that may be exchanged

Part = Callable[[Sequence[int], Edge, Any], Any]  # of (indices, edge, g), what the edge sends


# --- lost


def slices(search: Search) -> Iterator[Guess]:
    """Only a part of an axis counts, or all but a part: one sample, the last position lost."""
    for group in search.groups:
        gs = [search.sweep.g[i] for i, _ in group.edges]
        if group.is_serial or isinstance(gs[0], tuple) or len({np.shape(g) for g in gs}) > 1:
            continue
        for axis, length in enumerate(np.shape(gs[0])):
            if 2 <= length <= _LONG and not search.is_over:
                part = _sliced(search, axis)
                rows = []
                for j in range(length):
                    bars = [(e, part([j], e, g)) for e, g in zip(group.edges, gs)]
                    rows.append(np.sum([search.along(e, bar) for e, bar in bars], axis=0))
                if np.isfinite(rows).all():
                    yield from _ranges(search, group, np.stack(rows), f"of axis {axis}", part)


def _sliced(search: Search, axis: int) -> Part:
    def sent(indices: Sequence[int], edge: Edge, g: Any) -> Any:
        part = np.zeros_like(g)
        index = (slice(None),) * axis + (list(indices),)
        part[index] = g[index]
        return search.sweep.pulled(edge[0], part)[edge[1]]

    return sent


def rounds(search: Search) -> Iterator[Guess]:
    """Only some rounds of a loop count, or all but some."""
    for group in search.groups:
        if len(group.edges) > 1 and not group.is_serial:
            place = {edge: t for t, edge in enumerate(group.edges)}

            def sent(indices: Sequence[int], edge: Edge, g: Any, place: dict = place) -> Any:
                return search.sweep.sent[edge] * (place[edge] in indices)

            rows = np.stack([search.along(e, search.sweep.sent[e]) for e in group.edges])
            yield from _ranges(search, group, rows, f"of {len(rows)} rounds", sent)


def _ranges(
    search: Search, group: Group, rows: np.ndarray, where: str, part: Part
) -> Iterator[Guess]:
    """Every range of the parts that explains the gap."""
    length = len(rows)
    sums = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0)])
    ranges = [(0, m) for m in range(1, length)] + [(m, length) for m in range(1, length)]
    step, name = search.step(group), search.operand(group)
    for start, end in ranges + [(j, j + 1) for j in range(1, length - 1)]:
        inside, indices = sums[end] - sums[start], list(range(start, end))
        which = f"{_which(start, end, length)} {where}"
        rest = [j for j in range(length) if j not in indices]
        for text, gap, kept in (
            (f"only {which} counts for {name} in {step}", inside - sums[-1], indices),
            (f"{which} is lost in what {step} sends to {name}", -inside, rest),
        ):
            if search.is_near(gap):
                slip = {edge: _partly(part, kept, edge) for edge in group.edges}
                yield Guess(1.8 + 0.001 * (end - start), text, slip)


def _partly(part: Part, kept: Sequence[int], edge: Edge) -> Change:
    return lambda g, bar: part(kept, edge, g)


def _which(start: int, end: int, length: int) -> str:
    count = end - start
    if start and end < length:
        return f"index {start}"
    return ("the last" if start else "the first") + (f" {count}" if count > 1 else " index")


# --- turned


def turned(search: Search) -> Iterator[Guess]:
    """A cotangent shifted, reversed or transposed before the step or after it; of another round."""
    for group in search.groups:
        g, bar = search.sweep.g[group.last[0]], search.sweep.sent[group.last]
        if isinstance(g, tuple):
            continue
        step, name = search.step(group), search.operand(group)
        for words, move in _moves(np.ndim(bar)):
            slip = dict.fromkeys(group.edges, _after(move))
            text = f"{name}'s cotangent from {step} is {words}"
            yield Guess(2.2, text, slip, group.is_serial)
        for words, move in _moves(np.ndim(g)):
            slip = {edge: _before(search, edge, move) for edge in group.edges}
            text = f"{step} starts from its own cotangent {words}"
            yield Guess(2.4, text, slip, group.is_serial)
        for words, order in _orders(len(group.edges)):
            slip = {
                edge: _of_round(search, edge, group.edges[order[t]])
                for t, edge in enumerate(group.edges)
            }
            text = f"{step} sends to {name} what comes from the cotangent of {words}"
            yield Guess(2.3, text, slip, group.is_serial)


def _after(move: Callable) -> Change:
    return lambda g, bar: move(bar)


def _before(search: Search, edge: Edge, move: Callable) -> Change:
    def change(g: Any, bar: Any) -> Any:
        moved = move(g)
        if moved is None or np.shape(moved) != np.shape(g):
            return None
        return search.sweep.pulled(edge[0], moved)[edge[1]]

    return change


def _of_round(search: Search, edge: Edge, other: Edge) -> Change:
    def change(g: Any, bar: Any) -> Any:
        there = search.sweep.g[other[0]]
        same = np.shape(there) == np.shape(g)
        return search.sweep.pulled(edge[0], there)[edge[1]] if same else None

    return change


def _orders(rounds: int) -> Iterator[tuple[str, list[int]]]:
    if rounds > 1:
        every = list(range(rounds))
        yield "the next round", [*every[1:], rounds - 1]
        yield "the round before", [0, *every[:-1]]
        yield "the rounds in reverse order", every[::-1]


def _moves(ndim: int) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    for axis in range(ndim):
        along = f" along axis {axis}" if ndim > 1 else ""
        yield f"reversed{along}", partial(np.flip, axis=axis)
        for by in (1, -1):
            words = f"shifted by {by:+d}{along}"
            yield words, partial(np.roll, shift=by, axis=axis)
            yield f"{words}, with zeros at the end", partial(shifted, by=by, axis=axis)
    if ndim == 2:
        yield from _TRIANGLES
    for i, j in combinations(range(ndim), 2):
        yield f"with axes {i} and {j} exchanged", partial(np.swapaxes, axis1=i, axis2=j)
    if ndim > 1:
        yield "flattened in the other order", lambda a: a.reshape(-1, order="F").reshape(a.shape)


_TRIANGLES: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    *TRIANGLES,
    ("the lower triangle with half its diagonal", lambda a: np.tril(a) - diagonal(a) / 2),
    ("the upper triangle, mirrored", lambda a: np.triu(a) + np.triu(a, 1).T),
    ("the lower triangle, mirrored", lambda a: np.tril(a) + np.tril(a, -1).T),
)


def mixed_up(search: Search) -> Iterator[Guess]:
    """A step that starts from the cotangent of something else, of equal shape."""
    pool = cotangents(search)
    for group in search.groups:
        own = search.sweep.g[group.last[0]]
        for words, _, bars in same_rounds(pool, len(group.edges)):
            if isinstance(own, tuple) or np.shape(bars[-1]) != np.shape(own):
                continue
            slip = {edge: _given(search, edge, bar) for edge, bar in zip(group.edges, bars)}
            text = f"{search.step(group)} sends to {search.operand(group)} what comes from the "
            yield Guess(2.3, f"{text}cotangent of {words}", slip, group.is_serial)


def _given(search: Search, edge: Edge, g: Any) -> Change:
    return lambda own, bar: search.sweep.pulled(edge[0], g)[edge[1]]


# --- exchanged


def exchanged(search: Search) -> Iterator[Guess]:
    """The cotangents of two variables of equal shape in each other's place."""
    steps, sweep, shapes = search.steps, search.sweep, search.steps.program.shapes
    arriving: dict[int, list[Edge]] = {}
    for edge in sweep.sent:
        arriving.setdefault(search.variable(edge), []).append(edge)
    variables = [v for v in arriving if shapes[v]]
    if len(variables) > _MANY:
        return
    for u, v in combinations(variables, 2):
        if shapes[u] != shapes[v] or not search.may_explain(search.masks[u] | search.masks[v]):
            continue
        gap = sweep.bars[v] - sweep.bars[u]
        to_u, to_v = arriving[u], arriving[v]
        if search.is_near(search.along(to_u[0], gap) - search.along(to_v[0], gap)):
            slip = {**instead(to_u, sweep.bars[v]), **instead(to_v, sweep.bars[u])}
            names = f"{named(steps, u)} and {named(steps, v)}"
            yield Guess(2.0, f"the cotangents of {names} have changed places", slip)
