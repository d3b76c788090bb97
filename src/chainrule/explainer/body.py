"""The exported function: its parameters, statements and results."""

import ast
import re
from collections import Counter
from typing import Any

import numpy as np

from chainrule.base import tree
from chainrule.base.errors import ProgramError
from chainrule.core.primitive import General
from chainrule.explainer import noting
from chainrule.explainer.calls import Call, Ref
from chainrule.explainer.containers import display, has_empty, is_literal, refuse_objects
from chainrule.explainer.literals import dtype_text, identifier, laid_out, quoted
from chainrule.explainer.loops import Program
from chainrule.explainer.noting import Derivative
from chainrule.explainer.rolling import roll
from chainrule.explainer.runs import Leaf
from chainrule.explainer.simplify import simplify
from chainrule.explainer.turns import Item, Loop
from chainrule.explainer.versions import name_versions, prune, versioned, without_copies
from chainrule.explainer.writes import whole_writes

# what of= may be: the name of the function, what it returns, what its docstring says
OF = {
    "value": ("value", "value", "The value of {}"),
    "grad": ("value_and_grad", "value, gradient", "The value of {} and its gradient"),
    "jvp": ("jvp", "value, derivative", "The value of {} and its derivative along a tangent"),
    "hvp": ("hvp", "gradient, product", "The gradient of {} and its Hessian times a vector"),
    "jacobian": ("jacobian", "value, jacobian", "The value of {} and its Jacobian"),
}
TOGETHER = 4  # from so many arrays on, a container is checked as a whole


def title_of(f: Any) -> str:
    name = getattr(f, "__name__", type(f).__name__)
    return "f" if name == "<lambda>" else name


def flat(x: Any) -> list[Any]:
    return tree.flatten(x)[0]


class Body:
    """One exported function."""

    def __init__(self, f: Any, found: Derivative, of: str, simplified: bool, limit: int):
        self.f, self.found, self.of, self.simplified = f, found, of, simplified
        self.arguments, self.table = found.arguments, found.calls
        for value in self.arguments.every.values:
            refuse_objects(value)
        outputs = self._program([*flat(found.value), *found.results], limit)
        count = len(flat(found.value))
        self.values, self.results = outputs[:count], outputs[count:]
        self.name = f"{identifier(title_of(f)).rstrip('_')}_{OF[of][0]}"
        taken = {"np", "scipy", "self_test", self.name}
        names = self.arguments.names
        self.parameters = {key: _free(identifier(names[key]), taken) for key in names}
        moved = self.arguments.keys if of in ("jvp", "hvp") else ()
        self.tangents = {key: _free(f"d{self.parameters[key]}", taken) for key in moved}
        self.places = {x.var: self._place(x) for x in self.arguments.leaves if x.var >= 0}
        inner = {v: place for v, place in self.places.items() if place.keys}
        self.writer = Program(self.table, self.nodes, outputs, taken, inner, self._source_of)
        for leaf, x in zip(self.arguments.wanted, self.results):
            self._name_bar(leaf, x)

    def short_name(self, leaf: noting.Leaf) -> str:
        """What an array among the arguments is called: w9 if the user's loop calls it w."""
        item = self.writer.items.get(leaf.var)
        if item is None:
            return self.arguments.name(leaf)
        return f"{item}{next(k for k in self.places[leaf.var].keys if type(k) is int)}"

    def _name_bar(self, leaf: noting.Leaf, x: Any) -> None:
        """Gradients are called after what the user calls the arrays: w_bar in a loop."""
        var = x.of.var if type(x) is Item else x.var if type(x) is Ref else -1
        if self.table.names.get(var) == f"{self.arguments.name(leaf)}_bar":
            repeats = type(x) is Item or self.writer.is_repeated(var)
            name = self.writer.items.get(leaf.var) if repeats else None
            self.table.names[var] = f"{name or self.short_name(leaf)}_bar"

    def _program(self, outputs: list[Any], limit: int) -> list[Any]:
        """Calls and loops in ``nodes``; returns the outputs in terms of them."""
        table, value = self.table, self.found.value
        if type(value) is Ref and value.var not in table.inputs:
            table.names.setdefault(value.var, "value")
        calls, outputs = versioned(table, table.calls, outputs)
        calls = prune(whole_writes(table, prune(calls, outputs)), outputs)
        calls, outputs = without_copies(table, calls, outputs, bitwise=not self.simplified)
        if self.simplified:
            calls, outputs = simplify(table, calls, outputs)
        name_versions(table, calls)
        self.nodes: list[Any] = calls
        if self.of != "jacobian":
            whole = {x.var for x in self.arguments.leaves if not x.path} | set(self.found.tangents)
            self.nodes, outputs = roll(table, calls, outputs, whole)
        count = sum(len(_calls(node)) for node in self.nodes)
        if count > limit:
            raise _too_long(title_of(self.f), len(calls), count, self.nodes, limit)
        return outputs

    def lines(self) -> list[str]:
        """The function's text."""
        self._unpack()
        if self.of == "jacobian":
            self._jacobian()
        else:
            self._value_and_sweep()
            self._return()
        return [
            laid_out(f"def {self.name}({self.signature})", 0) + ":",
            f'    """{self.summary}."""',
            *self.writer.lines,
        ]

    @property
    def signature(self) -> str:
        return ", ".join([*self.parameters.values(), *self.tangents.values()])

    @property
    def summary(self) -> str:
        return OF[self.of][2].format(title_of(self.f))

    # -- arguments

    def _place(self, leaf: noting.Leaf) -> Leaf:
        keys = [ast.literal_eval(k) for k in re.findall(r"\[(.*?)\](?=\[|$)", leaf.path)]
        value = self.arguments.every.values[list(self.parameters).index(leaf.key)]
        return Leaf(self.parameters[leaf.key], value, tuple(keys))

    def path(self, leaf: noting.Leaf) -> str:
        """How the body reaches a leaf: params["W"]."""
        return self._place(leaf).text

    def _unpack(self) -> None:
        w = self.writer
        for key, root in self.parameters.items():
            leaves = [x for x in self.arguments.leaves if x.key == key]
            self._unpack_one(root, leaves, [x.var for x in leaves], "")
        for key, root in self.tangents.items():
            leaves = [x for x in self.arguments.wanted if x.key == key]
            moved = dict(zip(map(id, self.arguments.wanted), self.found.tangents))
            self._unpack_one(root, leaves, [moved[id(x)] for x in leaves], "d")
        if w.lines:
            w.lines.append("")

    def _unpack_one(self, root: str, leaves: list, variables: list[int], prefix: str) -> None:
        """Check an argument, and give its arrays names."""
        w, table = self.writer, self.table
        together = self._checked_together(leaves, variables)
        if together is not None:
            shapes, dtype = together
            more = "" if dtype == np.float64 else f", {dtype_text(dtype)}"
            w.line(f"{root} = _inputs({root}, {shapes}, {quoted(root)}{more})")
        for leaf, var in zip(leaves, variables):
            path = root + self._place(leaf).text[len(self.parameters[leaf.key]) :]
            if var < 0:
                if is_literal(leaf.value):
                    w.line(f"_same({path}, {w.value(leaf.value)}, {quoted(path)})")
                continue
            if not w.is_used(var):
                continue
            short = prefix + self.short_name(leaf)
            name = w.names[var] = root if path == root else w.new_name(identifier(short))
            if together is not None:
                w.line(f"{name} = {path}")
            else:
                shape, dtype = table.shapes[var], dtype_text(table.dtypes[var])
                w.line(f"{name} = _input({path}, {shape!r}, {dtype}, {quoted(path)})")

    def _checked_together(self, leaves: list, variables: list[int]) -> tuple[str, Any] | None:
        """Shapes in the form of the argument, and the dtype; None if it is checked leaf by leaf."""
        if len(leaves) < TOGETHER or min(variables) < 0 or not any(map(self._is_part, variables)):
            return None
        dtypes = {self.table.dtypes[v] for v in variables}
        value = self.arguments.every.values[list(self.parameters).index(leaves[0].key)]
        if len(dtypes) != 1 or has_empty(value):
            return None
        structure = tree.flatten(value)[1]
        texts = tree.unflatten(structure, [repr(self.table.shapes[v]) for v in variables])
        return display(texts), dtypes.pop()

    def _is_part(self, var: int) -> bool:
        return self.writer.is_used(var) or var in self.writer.leaves

    # -- statements, with what they come from

    def _source_of(self, calls: list[Any]) -> list[str]:
        """Where calls come from: the user's statement; in the sweep with the rules applied."""
        line = calls[0].line
        text = "" if line is None else " ".join(line.text.split())
        if not calls[0].backward:
            return [text] if text else []
        used = [p for p in dict.fromkeys(map(self._primitive, calls)) if p is not None]
        names = ", ".join(p.name for p in used)
        formulas = [f"  {p.name}: {formula}" for p in used if (formula := _formula(p))]
        cited = f"{text}   [{names}]" if text and names else text or names
        return [cited, *formulas] if cited else []

    def _primitive(self, call: Call) -> Any:
        """The operation whose rule a call of the sweep belongs to."""
        program = self.found.program
        if program is None or not 0 <= call.equation < len(program.plans):
            return None
        return program.plans[call.equation].primitive

    def _value_and_sweep(self) -> None:
        w, backward = self.writer, [_calls(node)[0].backward for node in self.nodes]
        begins = backward.index(True) if self.of == "grad" and True in backward else len(backward)
        if not 0 < begins < len(backward):
            w.block(self.nodes)
            return
        w.lines.append("    # the value")
        w.block(self.nodes[:begins])
        w.lines += ["", "    # its gradient, backwards: x_bar is the derivative of the value by x"]
        w.block(self.nodes[begins:])
        w.lines.append("")

    # -- results

    def _return(self) -> None:
        values = [self._out(x, set()) for x in self.values]
        seen: set[int] = set()
        results = [self._out(x, seen) for x in self.results]
        if self.of == "value":
            self.writer.line(f"return {self._display(self._like_value(values))}")
            return
        if self.of == "hvp":
            first, second = self._gathered(values), self._gathered(results)
        elif self.of == "jvp":
            first, second = (self._display(self._like_value(x)) for x in (values, results))
        else:
            first, second = self._display(self._like_value(values)), self._gathered(results)
        if len(first) + len(second) > 80:
            name = self.writer.new_name(OF[self.of][1].rpartition(" ")[2])
            self.writer.line(f"{name} = {second}")
            second = name
        self.writer.line(f"return {first}, {second}")

    def _like_value(self, outputs: list[Any]) -> Any:
        return tree.unflatten(tree.flatten(self.found.value)[1], outputs)

    def _gathered(self, outputs: list[Any]) -> str:
        """The results in the form of the differentiated arguments."""
        rest = iter(outputs)
        trees = []
        for value in (self.arguments.every.values[i] for i in self.positions()):
            leaves, structure = tree.flatten(value)
            trees.append(tree.unflatten(structure, [next(rest) for _ in leaves]))
        return self._display(trees[0] if self.arguments.single else tuple(trees))

    def _display(self, x: Any) -> str:
        return display(x, self.writer)

    def positions(self) -> list[int]:
        """Where the differentiated arguments are among the parameters."""
        return [list(self.parameters).index(key) for key in self.arguments.keys]

    def _out(self, x: Any, seen: set[Any]) -> Any:
        """A result as it leaves: memory of its own, which no other result shares."""
        w, table = self.writer, self.table
        if type(x) is Ref and (item := w.last_item(x.var)) is not None:
            x = item
        if type(x) is Item:
            if x not in seen and w.root(x.of.var) == x.of.var:
                seen.add(x)
                return x
            return f"{w.text(x, 9)}.copy()"
        if type(x) is not Ref:
            return w.value(np.asarray(x)) if np.ndim(x) else w.scalar(np.asarray(x)[()])
        text, root = w.text(x, 9), w.root(x.var)
        if table.scalars[x.var]:
            return w.text(x)
        if root != x.var or root in seen or root in table.inputs:
            text = f"{text}.copy()"
        seen.add(root)
        return text

    # -- Jacobians: one sweep a row

    def _jacobian(self) -> None:
        w, table = self.writer, self.table
        (seed,) = self.found.seeds
        shape, dtype = table.shapes[seed], table.dtypes[seed]
        wanted = self.arguments.wanted
        if "c" in {dtype.kind, *(table.dtypes[leaf.var].kind for leaf in wanted)}:
            raise ProgramError(
                "the Jacobian of complex values cannot be written down",
                "Export of='jvp', or real and imaginary parts.",
            )
        inside = self._depending(seed)
        w.block([c for c in self.nodes if id(c) not in inside])
        rows = [w.new_name(f"{self.arguments.name(leaf)}_rows") for leaf in wanted]
        w.comment("one sweep for each element of the value: its cotangent g is 1 there")
        for name in rows:
            w.line(f"{name} = []")
        size = int(np.prod(shape))
        eye = f"np.eye({size}{'' if dtype.name == 'float64' else ', dtype=' + dtype_text(dtype)})"
        g = w.names[seed] = w.new_name("g")
        full = ", ".join(map(str, (size, *shape)))
        w.line(f"for {g} in {eye}{'.reshape(' + full + ')' if len(shape) != 1 else ''}:")
        w.indent = 8
        w.hold()
        w.block([c for c in self.nodes if id(c) in inside])
        for name, x in zip(rows, self.results):
            w.line(f"{name}.append({self._out(x, set())})")
        w.indent = 4
        parts = [
            f"np.reshape({name}, {(*shape, *table.shapes[leaf.var])!r})"
            for name, leaf in zip(rows, wanted)
        ]
        w.line(f"return {self._out(self.values[0], set())}, {self._gathered(parts)}")

    def _depending(self, seed: int) -> set[int]:
        """The calls that depend on the cotangent the sweep starts with, and their buffers."""
        moving = {seed}
        inside, outside = set(), set()
        for call in self.nodes:
            if not moving.isdisjoint(call.refs()):
                moving.update(call.results)
                inside.add(id(call))
            else:
                outside.update(call.refs())
        buffers = (c for c in self.nodes if c.kind == "make")
        inside.update(id(c) for c in buffers if outside.isdisjoint(c.results) and c.backward)
        return inside


def _calls(node: Any) -> list[Call]:
    return node.body if type(node) is Loop else [node]


def _formula(primitive: Any) -> str:
    """The derivation in the rule's docstring, up to where it goes into details."""
    if not isinstance(primitive, General) or primitive.vjp_rule is None:
        return ""
    return " ".join((primitive.vjp_rule.__doc__ or "").split("\n\n")[0].split())


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _too_long(title: str, noted: int, count: int, nodes: list[Any], limit: int) -> ProgramError:
    lines = Counter(c.line for node in nodes for c in _calls(node) if c.line is not None)
    worst = [f"{times} are of {line}" for line, times in lines.most_common(3)]
    return ProgramError(
        f"the derivative of {title} is {noted} NumPy operations long; with its loops rolled up "
        f"{count} are left, more than {limit}: " + "; ".join(worst),
        "Loops whose turns differ are written out turn by turn: use array operations, or limit=.",
        at=None,
    )
