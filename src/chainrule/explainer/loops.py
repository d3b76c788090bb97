"""Loops as statements: their headers, what they carry, the lists they gather."""

import ast
from collections import Counter
from typing import Any

import numpy as np

from chainrule.explainer.calls import Ref
from chainrule.explainer.literals import identifier
from chainrule.explainer.names import statement_at
from chainrule.explainer.statements import WIDTH, Statements
from chainrule.explainer.turns import Gathered, Item, Loop, Step, steps_in


class Program(Statements):
    """Statements with loops."""

    def __init__(self, *args: Any):
        super().__init__(*args)
        self.items: dict[int, str] = {}  # leaf -> what it is called in a loop over the container
        self._counters: dict[str, str] = {}
        for node in self.nodes:
            if isinstance(node, Loop):
                self._name_items(node)

    def last_item(self, var: int) -> Item | None:
        """A result of a loop's last turn as the last element of its list."""
        for of in self.lists:
            if of.var == var:
                return Item(of, of.turns - 1)
        return None

    def _loop(self, loop: Loop) -> None:
        for v in list(self._pending):
            if v in self._pending:
                self.materialise(v)
        start = self._position[id(loop.body[0])] - 1
        outer = self.counter
        self.counter = self._counter(loop)
        for of in loop.lists.values():
            self._begin_list(of)
        for c, first, _ in loop.carried:
            self._begin_carried(c, first, start)
        header = self._header(loop)
        self.line(header)
        held = set(self._living)
        self._living.clear()
        free, self._free = self._free, {}
        self.indent += 4
        self._gathering = loop.lists
        self.block(loop.body)
        self._gathering = {}
        for v in list(self._pending):
            if v in self._pending:
                self.materialise(v)
        for c, _, nxt in loop.carried:
            if self.names[c] != self.name(nxt):
                self.line(f"{self.names[c]} = {self.names[nxt]}")
        self.indent -= 4
        self._living |= held
        self._free = free
        self.counter = outer
        self._release(self._position[id(loop.body[-1])] + 1)

    def _begin_list(self, of: Gathered) -> None:
        base = self._wanted(of.var) or self._described(of.var)
        self.lists[of] = name = self.new_name(_plural(base))
        self.line(f"{name} = [{'' if of.start is None else self.text(of.start)}]")

    def _begin_carried(self, c: int, first: Any, start: int) -> None:
        """The first value: under the name it has, or copied if the loop writes into it."""
        if type(first) is Ref and first.var in self.names:
            same = self._wanted(c) in ("", self._wanted(first.var))
            if (
                same
                and first.var in self._living
                and self._last[first.var] <= start
                and first.var not in self.table.inputs
            ):
                if self._is_free(first.var, start) or c not in self._owned:
                    self.names[c] = self.names[first.var]
                    self._living.discard(first.var)
                    self._living.add(c)
                    return
        copied = c in self._owned and type(first) is Ref
        self.line(f"{self.name(c)} = {self._copy(first) if copied else self.text(first)}")

    def _counter(self, loop: Loop) -> tuple[str, Step] | None:
        """The loop's counter: the index most used, under the user's name for it."""
        steps = Counter(step for call in loop.body for step in steps_in(call))
        if not steps:
            return None
        best = max((s for s in steps if abs(s.scale) == 1), key=lambda s: steps[s], default=None)
        taken = [s.scale for s in steps]
        own = best or Step(1, 0)
        if any(s % own.scale for s in taken):
            own = Step(1, 0)
        wanted = identifier((_users_counter(loop) or "").strip("_") or "k")
        if wanted not in self._counters:
            self._counters[wanted] = self.new_name(wanted)
        return self._counters[wanted], own

    def _header(self, loop: Loop) -> str:
        names = [] if self.counter is None else [self.counter[0]]
        runs = [] if self.counter is None else [_range(self.counter[1], loop.count)]
        together: dict[Any, dict[Any, str]] = {}  # w and b of "for w, b in params"
        for v, values in loop.each:
            run = self._runs.get(v)
            if run is None:
                names.append(self.name(v))
                runs.append(self._values(values))
            else:
                together.setdefault((run.text, run.width), {})[run.last] = self.name(v)
        for (text, width), parts in together.items():
            targets = [parts.get(k, "_") for k in (range(width) if width else (None,))]
            many = ", ".join(targets) + "," * (width == 1)
            names.append(f"({many})" if names or (len(together) > 1 and width) else many)
            runs.append(text)
        if not names:
            return f"for _ in range({loop.count}):"
        run_over = runs[0] if len(runs) == 1 else f"zip({', '.join(runs)})"
        return f"for {', '.join(names)} in {run_over}:"

    def _name_items(self, loop: Loop) -> None:
        """The variables that run over lists are called as in the user's loop."""
        target = getattr(_users_loop(loop), "target", None)
        names = self.table.names
        for v, values in loop.each:
            node, run = target, self._runs.get(v)
            if isinstance(node, ast.Tuple) and run is not None and type(run.last) is int:
                node = node.elts[run.last] if run.last < len(node.elts) else None
            alone = run is not None or (len(loop.each) == 1 and _users_counter(loop) is None)
            if isinstance(node, ast.Name) and alone and node.id != "_":
                names[v] = node.id
            else:
                names.pop(v, None)
            if run is not None and v in names:
                for x in values:
                    self.items.setdefault(x.var, names[v])

    def _values(self, values: list[Any]) -> str:
        if all(type(x) in (int, float) for x in values):
            return f"{self.constant(np.array(values))}.tolist()"
        if all(isinstance(x, np.generic) for x in values):
            return self.constant(np.array(values))
        text = f"[{', '.join(self.text(x) for x in values)}]"
        if len(text) <= WIDTH // 3:
            return text
        name = self.new_name("items")
        self.line(f"{name} = {text}")
        return name


def _plural(name: str) -> str:
    """What the list of the values of a variable is called."""
    if not name:
        return "kept"
    return f"{name}_kept" if "_" in name.removesuffix("_bar") else f"{name}s"


def _range(step: Step, count: int) -> str:
    first, last = step.at(0), step.at(count)
    if step.scale == 1:
        return f"range({f'{first}, ' if first else ''}{last})"
    return f"range({first}, {last}, {step.scale})"


def _users_counter(loop: Loop) -> str | None:
    """What the user calls the counter of the loop around these calls."""
    node = _users_loop(loop)
    target, run = getattr(node, "target", None), getattr(node, "iter", None)
    ranges = isinstance(run, ast.Call) and getattr(run.func, "id", "") in ("range", "prange")
    return target.id if ranges and isinstance(target, ast.Name) else None


def _users_loop(loop: Loop) -> ast.AST | None:
    for call in loop.body:
        statement = None if call.place is None else statement_at(*call.place)
        if statement is not None and statement.loops:
            return statement.loops[-1]
    return None
