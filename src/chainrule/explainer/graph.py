"""The computation graph of a derivation: named values, grouped by statement, call and loop.

A rolled loop is one group with the values of one round. What does not fit the limit is shown as
single boxes: first the largest calls and loops, then the middle of a long program.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from chainrule.explainer.derivation import Definition, Derivation, Statement
from chainrule.explainer.expressions import text_of
from chainrule.explainer.folding import Fold, Folds, unbraced
from chainrule.explainer.outline import Block, Item, LoopBlock
from chainrule.explainer.sheet import call_text, span

LIMIT = 200  # boxes
DEEPEST = 12  # groups inside one another


@dataclass(eq=False)
class Vertex:
    """A value, or a part of the program that is not shown in detail.

    ``kind`` is "input", "value", "result" or "group"; ``number`` that of the statement.
    """

    kind: str
    name: str
    shape: tuple[int, ...] | None
    text: str
    variables: tuple[int, ...]
    number: int = 0


@dataclass(eq=False)
class Cluster:
    """``kind`` is "statement", "call", "loop" or "round"."""

    kind: str
    text: str
    members: list["Vertex | Cluster"] = field(default_factory=list)

    def vertices(self) -> Iterator[Vertex]:
        for member in self.members:
            if isinstance(member, Vertex):
                yield member
            else:
                yield from member.vertices()


@dataclass(frozen=True, eq=False)
class Edge:
    """``source`` is used in ``target``; ``back`` tells whether a cotangent comes back.

    ``carried``: from one round of a loop to the next.
    """

    source: Vertex
    target: Vertex
    back: bool
    carried: bool


class Graph:
    """The tree of groups under ``root`` with at most about ``limit`` boxes, and the edges."""

    def __init__(self, d: Derivation, limit: int = LIMIT):
        self.d = d
        self.folds = Folds(d)
        self._limit = limit
        self._statements = {id(s.block): s for s in d.forward}
        self._output = d.program.outputs[0]
        inputs = [
            Vertex("input", x.name, x.shape, "" if x.text == x.name else x.text, (x.var,))
            for x in d.inputs
        ]
        inputs = _few(inputs, max(limit // 4, 2))
        body = _cut(self._members(d.outline), limit - len(inputs))
        self.root = _opened(Cluster("call", d.function, [*inputs, *body]), limit)
        self.vertices = list(self.root.vertices())
        self.vertex_of = {v: x for x in self.vertices for v in x.variables}
        self.edges = self._edges()

    # -- the tree

    def _members(self, items: Sequence[Item]) -> list[Vertex | Cluster]:
        found: list[Vertex | Cluster] = []
        for item in items:
            if isinstance(item, LoopBlock):
                found.append(self._loop(item))
            else:
                found += self._block(item)
        return found

    def _block(self, block: Block) -> list[Vertex | Cluster]:
        s = self._statements.get(id(block))
        calls: list[Vertex | Cluster] = [
            Cluster("call", call_text(block, c.name), self._members(c.body)) for c in block.calls
        ]
        own = [] if s is None else [self._vertex(x, s) for x in s.definitions]
        if len(calls) + len(own) <= 1 or not own:
            return [*calls, *own]
        members = sorted([*calls, *own], key=_last_variable)
        return [Cluster("statement", block.text, members)]

    def _vertex(self, x: Definition, s: Statement) -> Vertex:
        name = self.folds.name()
        kind = "result" if x.var == self._output else "value"
        text = unbraced(text_of(x.node, name))
        return Vertex(kind, unbraced(name(x.var)), x.shape, text, (x.var,), s.number)

    def _loop(self, loop: LoopBlock) -> Cluster:
        """A rolled loop as one group; other rounds are groups of their own in it."""
        fold = self.folds.of(loop)
        parts: list[Vertex | Cluster] = []
        for k, one in enumerate(loop.rounds):
            if fold is None or not fold.first <= k <= fold.last:
                parts.append(Cluster("round", f"round {k}", self._members(one)))
            elif k == fold.first:
                parts.append(Cluster("loop", span(fold), list(self._round(fold))))
        if fold is not None and len(fold.rounds) == len(loop.rounds):
            return Cluster("loop", f"{loop.text}:  {span(fold)}", list(self._round(fold)))
        return Cluster("loop", loop.text, _cut(parts, self._limit // 3))

    def _round(self, fold: Fold) -> Iterator[Vertex | Cluster]:
        """One round for all, in the order in which it was computed.

        The parts of a statement before and after a call that it makes are two groups.
        """
        same: dict[str, list[int]] = {}
        for var, (_, base) in fold.where.items():
            same.setdefault(base, []).append(var)
        found = []
        for (result, inner), s in zip(self.folds.forward(fold, text_of), fold.rounds[0]):
            for line, x in zip([*inner, result], s.definitions):
                name, _, text = unbraced(line.text).partition(" = ")
                variables = tuple(same[fold.where[x.var][1]])
                kind = "result" if self._output in variables else "value"
                found.append((s, Vertex(kind, name, x.shape, text, variables, s.number)))
        found.sort(key=lambda part: part[1].variables[0])
        for s, run in itertools.groupby(found, key=lambda part: part[0]):
            members: list[Vertex | Cluster] = [vertex for _, vertex in run]
            yield members[0] if len(members) == 1 else Cluster("statement", s.source, members)

    # -- the edges

    def _edges(self) -> list[Edge]:
        program = self.d.program
        shown = {x.var for s in self.d.forward for x in s.definitions} | set(program.inputs)
        makers = {}
        for i, result in enumerate(program.results):
            makers.update(dict.fromkeys((result,) if type(result) is int else result, i))
        sends = {(b.var, t.equation) for b in self.d.backward for t in b.terms}
        swept = {b.var for b in self.d.backward}
        found: dict[tuple, bool] = {}
        for target in shown - set(program.inputs):
            seen, todo = {makers[target]}, [makers[target]]
            while todo:
                i = todo.pop()
                for u in program.operands[i]:
                    if u in shown:
                        back = target in swept and (u, i) in sends
                        self._note(found, u, target, back)
                    elif makers[u] not in seen:
                        seen.add(makers[u])
                        todo.append(makers[u])
        return [Edge(a, b, back, carried) for (a, b, carried), back in found.items()]

    def _note(self, found: dict, u: int, v: int, back: bool) -> None:
        source, target = self.vertex_of[u], self.vertex_of[v]
        carried = source.kind != "group" and target.kind != "group" and self._carried(u, v)
        if source is not target or carried:
            key = (source, target, carried)
            found[key] = found.get(key, False) or back

    def _carried(self, u: int, v: int) -> bool:
        for fold in self.folds.folds.values():
            if u in fold.where and v in fold.where:
                return fold.where[u][0] != fold.where[v][0]
        return False


def _last_variable(member: Vertex | Cluster) -> int:
    one = [member] if isinstance(member, Vertex) else member.vertices()
    return max((v for x in one for v in x.variables), default=-1)


# ---------------------------------------------------------------- not more than fits


def _few(inputs: list[Vertex], most: int) -> list[Vertex]:
    """Of very many inputs the first ones."""
    if len(inputs) <= most:
        return inputs
    more = f"{len(inputs) - most + 1} more inputs"
    return [*inputs[: most - 1], _closed(Cluster("inputs", more, list(inputs[most - 1 :])))]


def _cut(members: list[Vertex | Cluster], most: int) -> list[Vertex | Cluster]:
    """Of very many members the first and the last."""
    if len(members) <= max(most, 3):
        return members
    half = max((most - 1) // 2, 1)
    middle = Cluster("left out", "", members[half:-half])
    middle.text = f"{len({v.number for v in middle.vertices()})} more statements"
    return [*members[:half], _closed(middle), *members[-half:]]


def _closed(cluster: Cluster) -> Vertex:
    """A cluster as one box."""
    vertices = list(cluster.vertices())
    variables = tuple(v for x in vertices for v in x.variables)
    count = "" if cluster.kind in ("inputs", "left out") else f"{len(vertices)} values"
    number = min((x.number for x in vertices), default=0)
    return Vertex("group", cluster.text, None, count, variables, number)


def _opened(root: Cluster, limit: int) -> Cluster:
    """The tree with clusters opened, the smallest first, as long as there is room."""
    total = len(root.members)
    opened: set[int] = set()
    waiting = [(1, m) for m in root.members if isinstance(m, Cluster)]
    while waiting:
        waiting.sort(key=lambda one: -len(one[1].members))
        depth, cluster = waiting.pop()
        if total - 1 + len(cluster.members) > limit:
            break
        total += len(cluster.members) - 1
        opened.add(id(cluster))
        if depth < DEEPEST:
            waiting += [(depth + 1, m) for m in cluster.members if isinstance(m, Cluster)]
    return _rebuilt(root, opened)


def _rebuilt(cluster: Cluster, opened: set[int]) -> Cluster:
    members: list[Vertex | Cluster] = []
    for m in cluster.members:
        if isinstance(m, Vertex):
            members.append(m)
        else:
            members.append(_rebuilt(m, opened) if id(m) in opened else _closed(m))
    return Cluster(cluster.kind, cluster.text, members)
