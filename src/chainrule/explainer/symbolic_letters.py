"""Letters for lengths: two derivations at different sizes become one with symbols."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chainrule.base.errors import ArgumentError
from chainrule.base.where import Line
from chainrule.core.program import depends_on
from chainrule.core.trace import plain
from chainrule.explainer.derivation import Bar, Definition, Derivation, Statement
from chainrule.explainer.expressions import Node, text_of
from chainrule.explainer.rules_used import Rule
from chainrule.explainer.symbolic_text import Formula

_NO_DTYPE: Any = None


class Letter(int):
    """A length that prints as its letter."""

    letter: str

    def __new__(cls, value: int, letter: str) -> "Letter":
        new = super().__new__(cls, value)
        new.letter = letter
        return new

    def __repr__(self) -> str:
        return self.letter

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return self.letter


@dataclass(frozen=True)
class Sizes:
    """Each letter with its number in the first and in the second derivation."""

    letters: tuple[tuple[str, int, int], ...]

    def expression(self, a: float, b: float) -> Node | None:
        """What is ``a`` in the first derivation and ``b`` in the second: n, n - 1, 2 / n, n / d."""
        for above, a1, b1 in self._products():
            for below, a2, b2 in self._products():
                first, second = a * a2 / a1, b * b2 / b1
                if abs(first - second) <= 1e-13 * abs(first):
                    return _quotient(first, above, below)
        return None

    def _products(self) -> Iterator[tuple[Node | None, float, float]]:
        """1, n, n - 1, n * d, ..., the simplest first."""
        yield None, 1, 1
        lengths = [(Node("name", label=x), a, b) for x, a, b in self.letters]
        yield from lengths
        for k in (1, -1, 2, -2, 3, -3):
            sign = "add" if k > 0 else "subtract"
            for node, a, b in lengths:
                yield Node(sign, (node, _constant(abs(k)))), a + k, b + k
        for i, (x, a1, b1) in enumerate(lengths):
            for y, a2, b2 in lengths[i:]:
                yield Node("multiply", (x, y)), a1 * a2, b1 * b2

    def axis(self, a: int, b: int) -> int:
        """A length as a number that prints as its letter."""
        if a == b:
            return a
        node = self.expression(a, b)
        if node is None:
            raise _Different
        return Letter(a, text_of(node, str).replace(" ", ""))

    def shape(self, first: Sequence[int], second: Sequence[int]) -> tuple[int, ...]:
        if len(first) != len(second):
            raise _Different
        return tuple(map(self.axis, first, second))


class _Different(Exception):
    """The derivations are not alike."""


def _quotient(number: float, above: Node | None, below: Node | None) -> Node:
    number = round(number) if abs(number - round(number)) < 1e-12 * abs(number) else number
    node = above
    if above is None or number != 1:
        node = _constant(number)
        if above is not None:
            node = Node("multiply", (node, above))
    assert node is not None
    return node if below is None else Node("divide", (node, below))


def _constant(number: float) -> Node:
    return Node("const", value=number)


class Lettering:
    """The first derivation with letters for lengths and without values; checked by the second."""

    def __init__(
        self,
        formula: Formula,
        first: Derivation,
        second: Derivation,
        sizes: Sizes,
        wanted: set[str],
    ):
        self.formula, self.first, self.second, self.sizes = formula, first, second, sizes
        program = first.program
        self.leads = depends_on(program, [x.var for x in first.inputs if x.name in wanted])

    def derivation(self, note: str) -> Derivation:
        try:
            return self._derivation(note)
        except _Different:
            raise ArgumentError(
                "the derivation of this formula is not the same for all sizes",
                'Give sizes as numbers where it depends on them: shapes={"x": "3"}.',
            ) from None

    def _derivation(self, note: str) -> Derivation:
        d, other = self.first, self.second
        program = d.program
        shapes = _pairs(program.shapes, other.program.shapes)
        program.shapes[:] = [self.sizes.shape(a, b) for a, b in shapes]
        program.values[:] = [None] * len(program.values)
        forward = tuple(self._statement(*p) for p in _pairs(d.forward, other.forward))
        bars = tuple(
            self._bar(*p) for p in _pairs(d.input_bars, other.input_bars) if p[0].var in self.leads
        )
        used = {r for b in (*bars, *(b for s in forward for b in s.bars)) for r in b.rules}
        inputs = tuple(self._definition(*p) for p in _pairs(d.inputs, other.inputs))
        rules = [self._rule(*p) for p in _pairs(d.rules, other.rules) if p[0].name in used]
        text = "; ".join(self.formula.text.split("\n"))
        return replace(
            d,
            title=f"f({', '.join(self.formula.symbols)}) = {text}\nwith {_types(inputs)}{note}",
            inputs=inputs,
            forward=forward,
            input_bars=bars,
            rules=tuple(rules),
            value=None,
            constants=tuple(self._definition(*p) for p in _pairs(d.constants, other.constants)),
        )

    def _statement(self, s: Statement, other: Statement) -> Statement:
        bars = [p for p in _pairs(s.bars, other.bars) if p[0].var in self.leads]
        return replace(
            s,
            line=Line("", 0, ""),
            definitions=tuple(
                self._definition(*p) for p in _pairs(s.definitions, other.definitions)
            ),
            bars=tuple(self._bar(*p) for p in bars),
            operations=(),
        )

    def _definition(self, x: Definition, other: Definition) -> Definition:
        node = self._node(x.node, other.node)
        text = x.text if x.var in self.first.program.inputs or x.var < 0 else self._text(node)
        shape = self.sizes.shape(x.shape, other.shape)
        return replace(x, text=text, shape=shape, dtype=_NO_DTYPE, value=None, node=node)

    def _bar(self, b: Bar, other: Bar) -> Bar:
        node = self._node(b.node, other.node)
        terms = []
        for t, t2 in _pairs(b.terms, other.terms):
            part = self._node(t.node, t2.node)
            terms.append(replace(t, node=part, text=self._text(part), value=None))
        return replace(
            b,
            text=self._text(node),
            terms=tuple(terms),
            shape=self.sizes.shape(b.shape, other.shape),
            dtype=_NO_DTYPE,
            value=None,
            node=node,
        )

    def _rule(self, rule: Rule, other: Rule) -> Rule:
        pairs = _pairs(rule.trees, other.trees)
        trees = tuple((left, self._node(node, node2)) for (left, node), (_, node2) in pairs)
        name = rule.letters.__getitem__
        forward, *backward = [f"{left} = {text_of(node, name)}" for left, node in trees]
        return replace(rule, forward=forward, backward=tuple(backward), trees=trees)

    def _text(self, node: Node) -> str:
        return text_of(node, self.first.program.names.__getitem__)

    # -- trees

    def _node(self, node: Node, other: Node) -> Node:
        if (node.op, node.label) != (other.op, other.label):
            raise _Different
        shape = self.sizes.shape(node.shape, other.shape)
        if node.op == "const" and not node.shape and not node.label:
            return self._number(node, plain(node.value), plain(other.value))
        operands = tuple(self._node(*p) for p in _pairs(node.operands, other.operands))
        if node.op in ("multiply", "divide") and not node.params:
            found = self._moved(node, operands, shape)
            if found is not None:
                return found
        params = self._params(node.params, other.params)
        return replace(node, operands=operands, params=params, shape=shape)

    def _moved(self, node: Node, operands: tuple[Node, ...], shape: tuple) -> Node | None:
        """2 / n * x as 2 * x / n, and x / (n / 2) as that too."""
        first, second = operands
        if node.op != "multiply" or node.operands[0].op != "const" or first.op != "divide":
            return None
        above, below = first.operands
        if above.op == "const" and plain(above.value) == 1:
            return Node("divide", (second, below), {}, shape)
        return Node("divide", (Node("multiply", (above, second), {}, shape), below), {}, shape)

    def _number(self, node: Node, a: Any, b: Any) -> Node:
        if type(a) is not type(b):
            raise _Different
        if a == b or (a != a and b != b):
            return node
        found = self.sizes.expression(a, b) if isinstance(a, (int, float)) else None
        if found is None:
            raise _Different
        return found

    def _params(self, params: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters that are lengths or shapes."""
        found = {}
        for key, value in params.items():
            second = other.get(key)
            if type(value) is int and type(second) is int:
                value = self.sizes.axis(value, second)
            elif key != "index" and _is_shape(value) and _is_shape(second):
                value = self.sizes.shape(value, second or ())
            found[key] = value
        return found


def _pairs(first: Sequence[Any], second: Sequence[Any]) -> list[tuple[Any, Any]]:
    if len(first) != len(second):
        raise _Different
    return list(zip(first, second))


def _is_shape(value: Any) -> bool:
    return type(value) is tuple and all(type(n) is int for n in value)


def _types(inputs: Sequence[Definition]) -> str:
    texts = [f"{x.name} [{','.join(map(str, x.shape))}]" for x in inputs if x.shape]
    numbers = [x.name for x in inputs if not x.shape]
    if numbers:
        kind = "a number" if len(numbers) == 1 else "numbers"
        texts.append(f"{', '.join(numbers)} {kind}")
    return ", ".join(texts)
