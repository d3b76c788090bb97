"""Expressions as statements: names, what goes into another expression, what is written in place.

A result that is used once and has no name of its own goes into the expression that uses it; all
others are statements. A new version of an array takes the memory of the one before where nothing
needs that any more, and a copy where something does.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from chainrule.explainer.calls import Call, Calls, Ref
from chainrule.explainer.lifetimes import Lifetimes, Node
from chainrule.explainer.literals import identifier, laid_out, quoted, wrapped
from chainrule.explainer.runs import Leaf
from chainrule.explainer.turns import Gathered, Loop, Step, steps_in
from chainrule.explainer.versions import PURE, WRITES, is_elementwise
from chainrule.explainer.writing import Text, Verbatim

WIDTH = 96
INLINE = 56  # longest expression that goes into another one
_REDUCED = {
    f"np.{name}" for name in (
        "add.reduce", "maximum.reduce", "minimum.reduce", "sum", "max", "min", "mean", "linalg.norm"
    )
}  # fmt: skip


class Statements(Lifetimes):
    """The statements of one function body, with the constants they need."""

    def __init__(
        self,
        table: Calls,
        nodes: Sequence[Node],
        results: list[Any],
        taken: Iterable[str],
        leaves: dict[int, Leaf],
        source_of: Callable[[list[Any]], list[str]],
    ):
        super().__init__(table, nodes, results, taken, leaves)
        self.source_of = source_of  # the comments on calls: where they come from
        self._cited: list[str] = []
        self.lines: list[str] = []
        self.indent = 4
        self._pending: dict[int, None] = {}  # inlined, and not yet part of a statement
        self._free: dict[str, list[str]] = {}  # names that nothing alive has, by what they mean
        self._living: set[int] = set()
        self._gathering: dict[int, Gathered] = {}  # of the loop that is being written

    # -- names

    def name(self, var: int) -> str:
        if var not in self.names:
            base = self._wanted(var)
            free = self._free.get(base) if base else None
            base = base or self._described(var)
            self.names[var] = free.pop(0) if free else self.new_name(base)
            self._living.add(var)
        return self.names[var]

    def _wanted(self, var: int) -> str:
        wanted = self.table.names.get(var)
        return "" if wanted is None else identifier(wanted)

    def _described(self, var: int) -> str:
        """A name that says what the value is, where that is short: exp_z, z_sum, x_i."""
        call = self._makers.get(var)
        x = call.args[0] if call is not None and call.args else None
        if call is None or type(x) is not Ref or x.var not in self.names or len(call.results) > 1:
            return ""
        name = re.sub(r"_\d+$", "", self.names[x.var])
        word = call.name.removesuffix(".reduce").rpartition(".")[2]
        word = {"add": "sum", "maximum": "max", "minimum": "min"}.get(word, word)
        if call.kind == "get" and type(call.args[1]) is Step:
            word = self.counter[0] if self.counter else ""
        elif call.kind == "get":
            word = "" if any(steps_in(call)) else self.index(call.args[1])
        is_short = len(name) <= 8 and re.fullmatch(r"[a-z]\w{0,6}|\d", word)
        if re.fullmatch(r"t\d+", name) or not is_short:
            return ""
        if call.kind == "get" or call.name in _REDUCED:
            return identifier(f"{name}_{word}")
        is_unary = is_elementwise(call) and len(call.args) == 1
        return identifier(f"{word}_{name}") if is_unary else ""

    def _release(self, at: int) -> None:
        """The names of what no statement after this position needs."""
        reads = {r for v in self._pending for r in self._reads(v)}
        for v in [v for v in self._living if self._last.get(v, -1) <= at and v not in reads]:
            self._living.discard(v)
            if self.names[v] not in {self.names[x] for x in self._living}:
                base = self._wanted(v)
                self._free.setdefault(base, []).append(self.names[v])
                self._free[base].sort(key=lambda name: (len(name), name))

    def _reads(self, var: int) -> Iterator[int]:
        """The named variables in the expression of an inlined one."""
        for v in self.inlined[var].refs():
            if v in self.inlined:
                yield from self._reads(v)
            else:
                yield v

    # -- statements

    def block(self, nodes: Sequence[Node]) -> None:
        """Calls in order; before those of one statement of the user's, that statement."""
        for _, group in itertools.groupby(nodes, _origin):
            start, part = len(self.lines), list(group)
            for node in part:
                self.write(node)
            new = self.lines[start:]
            comments = self.source_of(part) if isinstance(part[0], Call) else []
            says_more = "".join("".join(comments).split()) != "".join("".join(new).split())
            if new and says_more and comments != self._cited:
                del self.lines[start:]
                for comment in comments:
                    self.comment(comment)
                self.lines += new
            self._cited = comments if new else self._cited

    def write(self, node: Node) -> None:
        if isinstance(node, Loop):
            self._loop(node)
            return
        at = self._position[id(node)]
        if node.kind == "guard":
            self._guard(node)
        elif node.kind in WRITES:
            self._written(node, at)
        elif self._goes_inline(node):
            self.inlined[node.results[0]] = node
            self._pending[node.results[0]] = None
            return
        else:
            self._assignment(node, at)
        self._consumed(node)
        for v in node.results:
            if v in self._gathering:
                self.line(f"{self.lists[self._gathering[v]]}.append({self.name(v)})")
        self._release(at)

    def _consumed(self, call: Call) -> None:
        for v in call.refs():
            if v in self._pending:
                del self._pending[v]
                self._consumed(self.inlined[v])

    def line(self, text: str) -> None:
        self.lines.append(laid_out(text, self.indent))

    def comment(self, text: str) -> None:
        self.lines += wrapped(text, self.indent)

    def materialise(self, var: int) -> None:
        """An expression that was to go into another one gets a statement after all."""
        call = self.inlined.pop(var)
        del self._pending[var]
        text, _ = self._fitting(call)
        self.line(f"{self.name(var)} = {text}")
        self._consumed(call)

    def _keep(self, var: int, call: Call) -> None:
        """Expressions that still read a variable, but for those in this call, are evaluated."""
        mine = self._inside(call)
        for v in list(self._pending):
            if v in self._pending and v not in mine:
                if any(self._roots.get(r, r) == var for r in self._reads(v)):
                    self.materialise(v)

    def _inside(self, call: Call) -> set[int]:
        inside = {v for v in call.refs() if v in self.inlined}
        for v in list(inside):
            inside |= self._inside(self.inlined[v])
        return inside

    def put(self, template: str, value: Any) -> None:
        """A statement around one value."""
        text = self.text(value, 0)
        if len(template) + len(text) > WIDTH - self.indent and type(value) is Ref:
            if value.var in self.inlined:
                self.materialise(value.var)
                text = self.text(value, 0)
        self.line(template.replace("{}", text))

    def _written(self, call: Call, at: int) -> None:
        """A new version of an array: in place, or in a copy if the old one is needed."""
        old, new = call.args[0], call.results[0]
        if type(old) is Ref and old.var in self.inlined:
            self.materialise(old.var)
        if type(old) is Ref and self._is_free(old.var, at):
            self._keep(old.var, call)
            name = self.names[new] = self.name(old.var)
            self._living.discard(old.var)
        else:
            name = self.name(new)
            self.line(f"{name} = {self._copy(old) if type(old) is Ref else self.text(old)}")
        self._living.add(new)
        target = self.path(name, call)
        if call.kind == "into":
            self.line(self.call(call.name, (Verbatim(target), *call.args[1:]), call))
        elif call.kind == "into method":
            inside = [self.text(x) for x in call.args[1:]]
            inside += [f"{k}={self.text(v)}" for k, v in call.kwargs.items()]
            self.line(f"{target}.{call.name}({', '.join(inside)})")
        else:
            _, index, value = call.args
            sign = f"{call.name}=" if call.kind == "update" else "="
            whole = index is Ellipsis and call.kind == "update" and not call.path
            place = "" if whole else f"[{self.index(index)}]"
            self.put(f"{target}{place} {sign} {{}}", value)

    def _copy(self, x: Ref) -> str:
        """A copy with the elements in the same order."""
        if self.table.contiguous[x.var]:
            return f"{self.text(x, 9)}.copy()"
        return f"np.copy({self.text(x)})"

    def _assignment(self, call: Call, at: int) -> None:
        if not call.several and self._adds_in_place(call, at):
            a, b = call.args
            y = call.results[0]
            self._keep(a.var, call)
            self.names[y] = name = self.names[a.var]
            self._living.discard(a.var)
            self._living.add(y)
            sign = "+" if call.name == "np.add" else "-"
            self.put(f"{name} {sign}= {{}}", b)
            return
        text, _ = self._fitting(call)
        self._consumed(call)
        self._release(at)  # h = np.tanh(h @ w): the result may take the name of what went in
        self._carry_names(call, at)
        used = [self.name(v) if self._uses[v] else "_" for v in call.results]
        targets = ", ".join(used) + ("," if call.several and len(used) == 1 else "")
        self.line(f"{targets} = {text}")

    def _carry_names(self, call: Call, at: int) -> None:
        """What is carried into the next turn takes the name it has there, if that is free."""
        for v in call.results:
            c = self._next.get(v)
            if c is not None and v not in self.names and self._last.get(c, -1) <= at:
                if not any(c in self._reads(p) for p in self._pending):
                    self.names[v] = self.names[c]
                    self._living.add(v)

    def _fitting(self, call: Call) -> Text:
        """The expression, with operands as statements of their own until it fits on a line."""
        text = self.expression(call)
        while len(text[0]) > WIDTH - self.indent - 16:
            inside = [v for v in call.refs() if v in self.inlined]
            if not inside:
                break
            self.materialise(max(inside, key=lambda v: len(self.expression(self.inlined[v])[0])))
            text = self.expression(call)
        return text

    def _goes_inline(self, call: Call) -> bool:
        if call.kind not in PURE or call.several or len(call.results) != 1:
            return False
        var = call.results[0]
        if self._uses[var] != 1 or var in self.table.names or var in self.names:
            return False
        if call.kind == "make" and not self.table.scalars[var]:
            return False  # a buffer
        return len(self.expression(call)[0]) <= INLINE

    def _adds_in_place(self, call: Call, at: int) -> bool:
        """A sum that may replace its first term: an array of ours that nobody needs any more."""
        if call.kind != "call" or call.name not in ("np.add", "np.subtract"):
            return False
        if len(call.args) != 2 or call.kwargs or not call.backward:
            return False
        a, table, y = call.args[0], self.table, call.results[0]
        if type(a) is not Ref or a.var not in self.names or not self._is_free(a.var, at):
            return False
        wanted = table.names.get(y)
        return (
            table.shapes[a.var] == table.shapes[y] and table.dtypes[a.var] == table.dtypes[y]
            and not table.scalars[a.var] and self._last.get(a.var) == at
            and (wanted is None or table.names.get(a.var) in (None, wanted))
        )  # fmt: skip

    def _guard(self, call: Call) -> None:
        x, expected = call.args
        line = call.line
        where = "" if line is None else f"{line.file.rpartition('/')[2]}:{line.number} {line.text}"
        where = where if len(where) <= 78 else where[:75] + "..."
        if call.name == "shape":
            shape = self.value(expected)
            self.line(f"_same({self.text(x, 9)}.shape, {shape}, {quoted(where)})")
            return
        if type(expected) is Ref or np.ndim(expected):
            value = self.text(expected)
        else:
            value = repr(np.asarray(expected).item())
        self.line(f"_same({self.text(x, 0)}, {value}, {quoted(where)})")

    def hold(self) -> None:
        """From here on what was made so far stays as it is: a loop begins."""
        for v in list(self._pending):
            if v in self._pending:
                self.materialise(v)
        self._living.clear()
        self._free.clear()
        self._owned = {v for v in self._owned if v not in self.names}

    def _loop(self, loop: Loop) -> None:
        raise NotImplementedError


def _origin(node: Node) -> Any:
    """Equal for calls of one statement."""
    if isinstance(node, Loop):
        return id(node)
    return node.backward, node.line
