"""The backward sweep with names: which intermediate results get a line, and what is inlined.

A statement of the user's is several operations. Its results keep their names; of what lies between
only that is named which is needed more than once, or would make a line too long to read.
"""

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from chainrule.base.progress import track
from chainrule.core.primitive import masked_product
from chainrule.core.program import Program
from chainrule.core.project import project
from chainrule.core.trace import Recording, Tracer, plain
from chainrule.explainer import expressions as ex
from chainrule.explainer.expressions import Node
from chainrule.explainer.names import index_label, operand_texts
from chainrule.explainer.observing import instruction_at

LONG_BAR, LONG_VALUE = 60, 30  # characters of what may be inlined
LARGE = 60  # operations in one right-hand side


@dataclass(frozen=True, eq=False)
class Term:
    """One cotangent that arrives at a variable: from one use of it, in equation ``equation``.

    ``rules`` are the operations it came through since the last named cotangent.
    """

    node: Node
    text: str
    equation: int
    rules: tuple[str, ...]
    value: Any


class Inlining:
    """All cotangents of a program, and which of its variables are shown.

    ``groups`` are the equations of each statement.
    """

    def __init__(self, program: Program, groups: Sequence[Sequence[int]]):
        self.program = program
        self.labels = [constant_labels(program, i) for i in range(len(program))]
        self._named: dict[int, tuple[str, Any]] = {}  # constant arrays without a name, by id
        for i in range(len(program)):
            self._name_constants(i)
        self._forward: dict[int, Node] = {}
        self._pulled: dict[int, list[Pulled]] = {}
        self._makers = {v: i for i in range(len(program)) for v in results_of(program, i)}
        self._home = {v: k for k, g in enumerate(groups) for i in g for v in results_of(program, i)}
        self._members = [[v for i in g for v in results_of(program, i)] for g in groups]
        output = program.outputs[0]
        self._output = output if type(output) is int else -1
        self.shown = self._visible(groups)
        self._limit_size()
        self._choose()
        if self._alike():  # the rounds of a loop: what is shown in one is shown in all
            self._choose()

    def _choose(self) -> None:
        """Sweep, and show what had better be shown."""
        self._terms: dict[int, list[Term]] = {}
        self.bars: dict[int, Any] = {}
        self._resolved: dict[int, Node] = {}
        self._rules: dict[int, tuple[str, ...]] = {}
        if self._output >= 0:
            self._sweep()
        self._name_values()

    def _alike(self) -> bool:
        """Show what an instruction computes always if it is shown once; whether that is new."""
        program = self.program

        def kind(v: int) -> Any:
            i = self._makers[v]
            k = results_of(program, i).index(v)
            instruction = instruction_at(program.codes[i], program.instructions[i])
            return program.codes[i], instruction, program.plans[i].primitive, k

        kinds = {kind(v) for v in self.shown if v in self._makers}
        before = len(self.shown)
        self.shown.update(v for v in self._makers if kind(v) in kinds)
        return len(self.shown) > before

    # -- what the derivation asks

    def named_in(self, k: int) -> list[int]:
        return [v for v in self._members[k] if v in self.shown]

    def has_bar(self, v: int) -> bool:
        return v in self.bars

    def value(self, v: int) -> Any:
        bar = self.bars.get(v)
        return np.zeros(self.program.shapes[v], self.program.dtypes[v])[()] if bar is None else bar

    def definition(self, v: int) -> Node:
        """The right-hand side of a shown variable."""
        return ex.substituted(self._equation_node(v), self._inline_value)

    def terms(self, v: int) -> list[Term]:
        name = self.program.names.__getitem__
        found = []
        for t in self._terms.get(v, ()):
            node = ex.substituted(t.node, self._inline_value)
            found.append(Term(node, ex.text_of(node, name), t.equation, t.rules, t.value))
        return found

    def constants(self) -> list[tuple[str, Any]]:
        """The names we made up for constant arrays, and these arrays."""
        return list(self._named.values())

    def _name_constants(self, i: int) -> None:
        plan = self.program.plans[i]
        for k, value in enumerate(self.program.constants[i]):
            value = plain(value)
            if k in plan.slots or not isinstance(value, np.ndarray) or not value.ndim:
                continue
            if plan.primitive.name == "array":  # the frame into which the elements are put
                continue
            if k not in self.labels[i]:
                name, _ = self._named.setdefault(id(value), (f"c{len(self._named) + 1}", value))
                self.labels[i][k] = name

    # -- which variables are shown

    def _visible(self, groups: Sequence[Sequence[int]]) -> set[int]:
        """Inputs, the output, and what is used by another statement than the one it is made in."""
        shown = {*self.program.inputs, self._output}
        for k, group in enumerate(groups):
            for i in group:
                shown.update(v for v in self.program.operands[i] if self._home.get(v) != k)
        for members in self._members:  # what nothing uses any more
            if members and shown.isdisjoint(members):
                shown.add(members[-1])
        return shown

    def _limit_size(self) -> None:
        """Show intermediate results so that no right-hand side grows without bound."""
        program = self.program
        size: dict[int, int] = {}
        for i in range(len(program)):
            inlined = (size.get(v, 0) for v in program.operands[i] if v not in self.shown)
            total = 1 + sum(inlined)
            for v in results_of(program, i):
                size[v] = total
                if total > LARGE:
                    self.shown.add(v)

    def _sweep(self) -> None:
        program = self.program
        self._terms[self._output] = [Term(ex.constant(1), "1", -1, (), 1.0)]
        self.bars[self._output] = np.ones((), program.dtypes[self._output])[()]
        for i in track(range(len(program) - 1, -1, -1), "deriving"):
            results = results_of(program, i)
            if not any(v in self.bars for v in results):
                continue
            pulled = self._pulled.get(i)
            if pulled is None:
                gs = [self.bars.get(v) for v in results]
                pulled = self._pulled[i] = pulled_back(program, i, gs, self.labels[i])
            for v in results:
                if v in self.bars:
                    self._resolve(v, sum(_mentions(node, v) for _, _, node, _ in pulled))
            rule = (program.plans[i].primitive.name,)
            for _, var, node, value in pulled:
                through = [
                    r
                    for leaf in node.leaves()
                    if leaf.op == "bar"
                    for r in self._rules.get(leaf.var, ())
                ]
                node = ex.substituted(node, self._inline_bar)
                rules = tuple(dict.fromkeys((*through, *rule)))
                self._terms.setdefault(var, []).append(Term(node, "", i, rules, value))
                old = self.bars.get(var)
                self.bars[var] = value if old is None else old + value

    def _resolve(self, v: int, mentions: int) -> None:
        """Give the cotangent of v a line of its own, or write it out where it is used."""
        if v in self.shown:
            return
        terms = self._terms[v]
        node = ex.total([t.node for t in terms])
        text = ex.text_of(node, self.program.name)
        if (mentions > 1 and not _is_light(node)) or len(text) > LONG_BAR:
            self.shown.add(v)
        else:
            self._resolved[v] = node
            self._rules[v] = tuple(dict.fromkeys(r for t in terms for r in t.rules))

    def _name_values(self) -> None:
        """Show the intermediate results that the cotangents mention too often or at length."""
        mentions: dict[int, int] = {}
        for v in self.shown:
            for t in self._terms.get(v, ()):
                for leaf in t.node.leaves():
                    if leaf.op == "var" and leaf.var not in self.shown:
                        mentions[leaf.var] = mentions.get(leaf.var, 0) + 1
        for v in sorted(mentions):
            text = ex.text_of(self._inline_value(ex.variable(self.program, v)), self.program.name)
            if len(text) > LONG_VALUE or (mentions[v] > 1 and len(text) > 12):
                self.shown.add(v)

    def _inline_bar(self, leaf: Node) -> Node:
        return self._resolved.get(leaf.var, leaf) if leaf.op == "bar" else leaf

    def _inline_value(self, leaf: Node) -> Node:
        if leaf.op != "var" or leaf.var in self.shown:
            return leaf
        return ex.substituted(self._equation_node(leaf.var), self._inline_value)

    # -- one equation

    def _equation_node(self, v: int) -> Node:
        if v not in self._forward:
            i = self._makers[v]
            self._forward[v] = own_node(self.program, i, v, self.labels[i])
        return self._forward[v]


def own_node(program: Program, i: int, v: int, labels: Mapping[int, str]) -> Node:
    """Result v of equation i in terms of the equation's operands."""
    plan, result = program.plans[i], program.results[i]
    operands = [
        ex.constant(plain(c), labels.get(k, "")) for k, c in enumerate(program.constants[i])
    ]
    for slot, var in zip(plan.slots, program.operands[i]):
        operands[slot] = ex.variable(program, var)
    k = None if type(result) is int else result.index(v)
    return _labelled(ex.equation_node(program, i, operands, k), program, i)


class Pulled(NamedTuple):
    """What one operand of an equation gets: the operand in place ``slot``, variable ``var``."""

    slot: int
    var: int
    node: Node
    value: Any


def pulled_back(
    program: Program,
    i: int,
    gs: Sequence[Any],
    labels: Mapping[int, str],
    letters: Sequence[str] | None = None,
    masked: bool = True,
) -> list[Pulled]:
    """The cotangents that equation i sends back.

    gs : cotangents of its results, None is zero. labels : of constant operands, by position.
    letters : what to call the other operands, by position, if not by their variables' names.
    masked : whether 0 times inf is 0, as in a gradient.
    The equation's pullback runs on tracers of its own operands: a small program.
    """
    plan, params, results = program.plans[i], program.params[i], results_of(program, i)
    leaves: dict[int, Node] = {}
    with Recording(full=True) as local, np.errstate(all="ignore"):

        def enter(value: Any, leaf: Node) -> Any:
            handle = local.input(value)
            leaves[handle._var] = leaf
            return handle

        values = list(program.constants[i])
        for k, called in labels.items():
            values[k] = enter(plain(values[k]), ex.constant(plain(values[k]), called))
        for slot, var in zip(plan.slots, program.operands[i]):
            leaf = ex.variable(program, var)
            if letters is not None:
                leaf = Node("name", shape=leaf.shape, label=letters[slot])
            values[slot] = enter(program.values[var], leaf)
        ys = [enter(program.values[v], ex.variable(program, v)) for v in results]
        bars = [
            None if g is None else enter(g, ex.cotangent(program, v)) for v, g in zip(results, gs)
        ]
        several = plan.primitive.multiple
        g = tuple(bars) if several else bars[0]
        residuals = plan.capture(values, tuple(ys) if several else ys[0])
        out = plan.pullback(g, operator.mul, residuals, params)
        safe = out
        if masked and not all(b is None or np.isfinite(plain(b)).all() for b in out):
            safe = plan.pullback(plain(g), masked_product, plain(residuals), plain(params))
        found = []
        for slot, var, bar, value in zip(plan.slots, program.operands[i], out, safe):
            if bar is not None:
                shape, dtype = program.shapes[var], program.dtypes[var]
                bar, value = project(bar, shape, dtype), project(plain(value), shape, dtype)
                found.append((slot, var, bar, value))
    pulled = []
    for slot, var, bar, value in found:
        traced = isinstance(bar, Tracer) and bar._var >= 0
        node = ex.tree_of(local.program, bar._var, leaves) if traced else ex.constant(plain(bar))
        pulled.append(Pulled(slot, var, _labelled(node, program, i), value))
    return pulled


def results_of(program: Program, i: int) -> tuple[int, ...]:
    result = program.results[i]
    return (result,) if type(result) is int else result


def constant_labels(program: Program, i: int) -> dict[int, str]:
    """What the user calls the arrays among the constant operands of an equation."""
    plan, values = program.plans[i], program.constants[i]
    wanted = [k for k in range(len(values)) if k not in plan.slots and np.ndim(plain(values[k]))]
    if not wanted:
        return {}
    texts = operand_texts(program.codes[i], program.instructions[i], len(values))
    return {k: text for k in wanted if (text := texts[k]) is not None}


def _labelled(node: Node, program: Program, i: int) -> Node:
    """The tree with indices and conditions as the user wrote them, or as comparisons."""
    name = program.plans[i].primitive.name
    label = ""
    if name == "getitem" or (name == "where" and "condition" in program.params[i]):
        label = index_label(program.codes[i], program.instructions[i])

    def visit(x: Node) -> Node:
        params, operands = x.params, tuple(map(visit, x.operands))
        if x.op == "where" and "condition" in params:
            condition = np.asarray(plain(params["condition"]))
            called = label if name == "where" else ""
            if called and not np.array_equal(condition, program.params[i]["condition"]):
                called = f"~({label})"
            compared = None if called else _comparison(condition, program, i)
            if compared is not None:
                sign, a, b = compared
                return Node("chosen", (a, b, *operands), {"sign": sign}, x.shape)
            params = {**params, "label": called}
        elif label and x.op in ("getitem", "scatter") and _has_array(params):
            params = {**params, "label": label}
        elif x.op == "const" and not x.label and x.shape:
            return _sign(x, program, i)
        return Node(x.op, operands, params, x.shape, x.var, x.value, x.label)

    return visit(node)


def _sign(x: Node, program: Program, i: int) -> Node:
    """A constant partial as ``sign(x)`` where it is that of an operand."""
    for v in program.operands[i]:
        if np.array_equal(np.sign(program.values[v]), plain(x.value)):
            return Node("sign", (ex.variable(program, v),), {}, x.shape)
    return x


def _has_array(params: Any) -> bool:
    index = params.get("index")
    parts = index if isinstance(index, tuple) else (index,)
    return any(isinstance(x, np.ndarray) and x.size > 1 for x in parts)


_SIGNS = {
    "==": np.equal,
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
}


def _comparison(condition: np.ndarray, program: Program, i: int) -> Any:
    """The comparison among operands and results of equation i that gives the condition."""
    equation = program.equation(i)
    sides = [(ex.variable(program, v), program.values[v]) for v in equation.results]
    for k, (kind, x) in enumerate(equation.operands):
        leaf = ex.variable(program, x) if kind == "var" else ex.constant(plain(x))
        value = program.values[x] if kind == "var" else program.constants[i][k]
        if kind == "var" or np.ndim(plain(x)) == 0:
            sides.insert(k, (leaf, value))
    sides.append((ex.constant(0), 0))
    for n, (a, x) in enumerate(sides):
        for b, y in sides[n + 1 :]:
            for sign, compare in _SIGNS.items():
                try:
                    found = np.broadcast_to(compare(plain(x), plain(y)), condition.shape)
                except (ValueError, TypeError):
                    continue
                if condition.any() and not condition.all() and np.array_equal(found, condition):
                    return sign, a, b
    return None


def _mentions(node: Node, v: int) -> int:
    return sum(leaf.op == "bar" and leaf.var == v for leaf in node.leaves())


def _is_light(node: Node) -> bool:
    """A cotangent handed on as it is, or with another sign or factor."""
    if not node.operands:
        return True
    if node.op in ("negative", "spread", "reshape", "transpose"):
        return _is_light(node.operands[0])
    if node.op in ("multiply", "divide"):
        return all(not x.operands and x.op in ("const", "bar") for x in node.operands)
    return False
