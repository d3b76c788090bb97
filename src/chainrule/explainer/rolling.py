"""Repeated calls as loops: the turns of the user's loop, and of its sweep, become one body again.

Turns are found by their pattern: the same operations from the same places of the user's code, a
fixed number of calls apart. Then every operand must be one of: the same in all turns; made in the
same turn; made in the turn before (carried); an index that grows evenly; or one of a list, which
another loop made or which is written out. What does not fit stays as it is.
"""

import functools
from collections.abc import Collection, Iterator
from dataclasses import replace
from types import CodeType
from typing import Any

import numpy as np

from chainrule.explainer.calls import Call, Calls, Ref
from chainrule.explainer.turns import Gathered, Item, Loop, Step
from chainrule.explainer.versions import substituted
from chainrule.explainer.writes import hashable

TURNS = 3  # fewer are not worth a loop
SAVED = 10  # nor are fewer calls that need not be written
PERIOD = 400  # calls in one turn
LISTED = 64  # different arrays that a loop may run over


def roll(
    table: Calls, calls: list[Call], outputs: list[Any], whole: set[int]
) -> tuple[list[Any], list[Any]]:
    """Calls and loops, and the outputs in terms of them; ``whole`` are arguments that are arrays,
    which no loop runs over."""
    segments = _segments(table, calls, whole)
    return _Roller(table, calls, outputs, segments).run() if segments else (calls, outputs)


# ---------------------------------------------------------------- patterns


def _flattened(x: Any, leaves: list[Any], parent: int) -> Any:
    """The structure of an argument, with what may differ between turns among the leaves."""
    if type(x) in (tuple, list):
        return (type(x).__name__, *[_flattened(v, leaves, parent) for v in x])
    if type(x) is slice:
        return ("slice", *[_flattened(v, leaves, parent) for v in (x.start, x.stop, x.step)])
    if type(x) is Ref and x.var == parent:
        return "parent"
    if type(x) is Ref or isinstance(x, (float, complex, np.ndarray, np.generic)):
        leaves.append(x)
        return type(x).__name__
    if type(x) is int:
        leaves.append(x)
        return "int"
    return hashable(x) if not isinstance(x, (np.dtype, type)) else repr(x)


@functools.cache
def _positions(code: CodeType) -> list[Any]:
    """The place in the file of each instruction: the offset of one that Python has specialised
    may lie behind it."""
    return list(code.co_positions())


def _pattern(table: Calls, call: Call, leaves: list[Any], whole: Collection[int] = ()) -> Any:
    parts: list[Any] = [call.kind, call.name, call.backward, call.several]
    if call.place is not None:
        code, instruction = call.place
        parts += [id(code), _positions(code)[instruction // 2]]
    for v in (*call.results, *call.refs()):
        parts.append((table.scalars[v], table.dtypes[v].str))
    if call.kind == "get":  # x[i] and dx[i] are not two turns
        parts.append(tuple(v for v in call.refs() if v in whole))
    parts.append(_flattened(call.args, leaves, -1))
    parts.append(tuple(call.kwargs))
    parts.append(_flattened(tuple(call.kwargs.values()), leaves, -1))
    for parent, step in call.path:
        parts += [step.kind, step.name, _flattened(step.args, leaves, parent)]
    return tuple(parts)


def _leaves(table: Calls, call: Call) -> list[Any]:
    leaves: list[Any] = []
    _pattern(table, call, leaves)
    return leaves


def _with_leaves(call: Call, leaves: list[Any]) -> Call:
    rest = iter(leaves)

    def again(x: Any, parent: int) -> Any:
        if type(x) in (tuple, list):
            return type(x)(again(v, parent) for v in x)
        if type(x) is slice:
            return slice(*(again(v, parent) for v in (x.start, x.stop, x.step)))
        if type(x) is Ref and x.var == parent:
            return x
        is_leaf = type(x) in (Ref, int) or isinstance(x, (float, complex, np.ndarray, np.generic))
        return next(rest) if is_leaf else x

    args = again(call.args, -1)
    kwargs = {k: again(v, -1) for k, v in call.kwargs.items()}
    path = tuple((p, replace(step, args=again(step.args, p))) for p, step in call.path)
    return replace(call, args=args, kwargs=kwargs, path=path)


def _segments(table: Calls, calls: list[Call], whole: set[int]) -> list[tuple[int, int, int]]:
    """Stretches (start, period, end) in which every call is like the one a period before."""
    numbers: dict[Any, int] = {}
    codes = np.empty(len(calls), np.int64)
    for i, call in enumerate(calls):
        try:
            codes[i] = numbers.setdefault(_pattern(table, call, [], whole), len(numbers))
        except TypeError:  # an argument without a key
            codes[i] = -1 - i
    found = []
    for period in range(1, min(PERIOD, len(calls) // TURNS) + 1):
        same = np.concatenate([[False], codes[:-period] == codes[period:], [False]])
        edges = np.flatnonzero(np.diff(same.astype(np.int8)))
        for start, end in zip(edges[::2].tolist(), edges[1::2].tolist()):
            if end - start >= (TURNS - 1) * period:
                found.append((start, period, end + period))
    found.sort(key=lambda s: (-(s[2] - s[0] - s[1]), s[1]))  # what saves most, short turns first
    chosen: list[tuple[int, int, int]] = []
    for start, period, end in found:
        for s, _, e in chosen:
            if start < e and s < end:
                start, end = (e, end) if s <= start else (start, s)
        if end - start >= max(TURNS * period, period + SAVED):
            chosen.append((start, period, end))
    return sorted(chosen)


# ---------------------------------------------------------------- operands


class _Roller:
    def __init__(self, table: Calls, calls: list[Call], outputs: list[Any], segments: list):
        self.table, self.calls, self.outputs, self.segments = table, calls, outputs, segments
        self.made: dict[int, tuple[Loop, int, int]] = {}  # variable -> loop, turn, of the body
        self.turns: dict[tuple[int, int], int] = {}  # (body variable, turn) -> variable
        self.starts: dict[int, Any] = {}  # body variable -> what is carried into the first turn

    def run(self) -> tuple[list[Any], list[Any]]:
        out: list[Any] = []
        at = 0
        for start, period, end in self.segments:
            loop = None
            for first, count in self._attempts(start, period, end):
                loop = self._loop(first, period, count)
                if loop is not None:
                    break
            if loop is not None:
                out += [*self.calls[at:first], loop]
                at = first + period * count
        out += self.calls[at:]
        return [self._outside(node) for node in out], [self._listed(x) for x in self.outputs]

    def _attempts(self, start: int, period: int, end: int) -> Iterator[tuple[int, int]]:
        """Where turns may begin and how many they are: at the user's own loop first, and with
        the first or last turns left out."""
        offsets = sorted(
            range(min(period, end - start)), key=lambda o: (not self._begins(start + o), o)
        )
        for cut in range(3):
            for offset in offsets[:12]:
                first = start + offset + cut * period
                whole = (end - first) // period
                for less in range(2):
                    if whole - less >= TURNS:
                        yield first, whole - less

    def _begins(self, i: int) -> bool:
        """Whether a turn of the user's loop begins here: the code jumps back (on, in the sweep)."""
        here, before = self.calls[i], self.calls[i - 1] if i else None
        if before is None or here.place is None or before.place is None:
            return True
        if here.backward != before.backward or here.place[0] is not before.place[0]:
            return False
        ahead = here.place[1] - before.place[1]
        return ahead > 0 if here.backward else ahead < 0

    def _loop(self, first: int, period: int, count: int) -> Loop | None:
        """The loop of ``count`` turns that begin at ``first``; None if an operand does not fit."""
        turns = [self.calls[first + k * period : first + (k + 1) * period] for k in range(count)]
        where = {}  # variable -> turn, variable of the last turn
        for k, turn in enumerate(turns):
            for call, last in zip(turn, turns[-1]):
                for v, w in zip(call.results, last.results):
                    where[v] = k, w
        loop = Loop(count, [], [])
        carried: dict[int, int] = {}
        for q in range(period):
            columns = list(zip(*[_leaves(self.table, turn[q]) for turn in turns]))
            leaves = [self._operand(list(c), where, loop, carried) for c in columns]
            if any(x is None for x in leaves):
                return None
            loop.body.append(_with_leaves(turns[-1][q], leaves))
        for v, (k, w) in where.items():
            self.made[v] = loop, k, w
            self.turns[w, k] = v
        for _, start, nxt in loop.carried:
            self.starts[nxt] = start
        return loop

    def _operand(self, column: list[Any], where: dict, loop: Loop, carried: dict) -> Any:
        """What stands in the body for an operand, given turn by turn; None if nothing can."""
        first = column[0]
        if type(first) is not Ref:
            return self._constant(column, loop)
        variables = [x.var for x in column]
        inside = [where.get(v) for v in variables]
        if inside[0] is None and len(set(variables)) == 1:
            return self._listed(first)
        last = inside[-1]
        if last is not None and all(at == (k, last[1]) for k, at in enumerate(inside)):
            return column[-1]
        if inside[0] is None and inside[1] is not None:
            if all(at == (k, inside[1][1]) for k, at in enumerate(inside[1:])):
                return self._carried(variables[0], inside[1][1], loop, carried)
        if any(at is not None for at in inside):
            return None
        return self._gathered(variables) or self._each(column, loop)

    def _carried(self, start: int, nxt: int, loop: Loop, carried: dict) -> Any:
        known = carried.get(nxt)
        if known is None:
            known = carried[nxt] = self.table.like(nxt)
            loop.carried.append((known, self._listed(Ref(start)), nxt))
        else:
            mine = next(s for c, s, _ in loop.carried if c == known)
            if mine != self._listed(Ref(start)):
                return None
        return Ref(known)

    def _constant(self, column: list[Any], loop: Loop) -> Any:
        keys = {hashable(x) for x in column}
        if len(keys) == 1:
            return column[0]
        if type(column[0]) is int:
            scale = column[1] - column[0]
            if all(x == column[0] + scale * k for k, x in enumerate(column)):
                return Step(scale, column[0])
        if any(isinstance(x, np.ndarray) and x.ndim for x in column) and len(column) > LISTED:
            return None
        return self._each(column, loop)

    def _each(self, column: list[Any], loop: Loop) -> Any:
        """A variable that runs over a list."""
        key = [hashable(x) for x in column]
        for v, values in loop.each:
            if [hashable(x) for x in values] == key:
                return Ref(v)
        if type(column[0]) is Ref:
            if len(column) > LISTED or any(x.var not in self.table.inputs for x in column):
                return None
            var = self.table.like(column[0].var)
        else:
            var = self.table.new(np.asarray(column[0])[()], False)
        loop.each.append((var, [self._listed(x) for x in column]))
        return Ref(var)

    # -- lists that another loop makes

    def _gathered(self, variables: list[int]) -> Any:
        known = [self.made.get(v) for v in variables]
        owner = next((x for x in known if x is not None), None)
        if owner is None:
            return None
        loop, _, w = owner
        start = self.starts.get(w)
        places = []
        for v, x in zip(variables, known):
            if x is not None and x[0] is loop and x[2] == w:
                places.append(x[1])
            elif start is not None and self._listed(Ref(v)) == start:
                places.append(-1)
            else:
                return None
        scale = places[1] - places[0]
        if any(p != places[0] + scale * k for k, p in enumerate(places)):
            return None
        return self._item(loop, w, Step(scale, places[0]), min(places) < 0)

    def _item(self, loop: Loop, w: int, at: Any, with_start: bool) -> Item:
        of = loop.lists.setdefault(w, Gathered(w, loop.count))
        if with_start:
            of.start = self.starts[w]
        return Item(of, at)

    def _listed(self, x: Any) -> Any:
        """A reference from outside the loop that made it: all turns but the last are in lists."""
        if type(x) is not Ref or x.var not in self.made:
            return x
        loop, k, w = self.made[x.var]
        return Ref(w) if k == loop.count - 1 else self._item(loop, w, k, False)

    def _outside(self, node: Any) -> Any:
        if type(node) is Loop:
            return node
        new = {v: self._listed(Ref(v)) for v in node.refs() if v in self.made}
        if not new:
            return node
        kwargs = {k: substituted(v, new) for k, v in node.kwargs.items()}
        path = tuple((p, replace(s, args=substituted(s.args, new))) for p, s in node.path)
        return replace(node, args=substituted(node.args, new), kwargs=kwargs, path=path)
