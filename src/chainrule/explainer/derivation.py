"""``explain``: the derivation of a gradient, written down as a person would do it by hand.

Forward, the user's statements. Backward, statement by statement, the cotangent ``h_bar`` of each
variable h, which is the derivative of the result by h: the sum of what comes from every use of h.
"""

import functools
import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.base.errors import NotScalarError
from chainrule.base.where import Line
from chainrule.core.program import Program
from chainrule.core.trace import plain
from chainrule.explainer.expressions import Node, bar_name, constant, text_of, total, variable
from chainrule.explainer.names import name_variables, short_names
from chainrule.explainer.observing import Observing
from chainrule.explainer.operations import Step, forward_steps, name_of
from chainrule.explainer.outline import Block, CallBlock, Item, LoopBlock, all_blocks, outline
from chainrule.explainer.outline import targets as user_names
from chainrule.explainer.rules_used import Rule, rules_used
from chainrule.explainer.steps import Inlining, Term, constant_labels
from chainrule.transforms.tracing import record

if TYPE_CHECKING:
    from chainrule.explainer.picture import Picture


@dataclass(frozen=True, eq=False)
class Definition:
    """``name = text``: a variable of the program, and the value it had."""

    name: str
    text: str
    shape: tuple[int, ...]
    dtype: np.dtype
    value: Any
    node: Node
    var: int


@dataclass(frozen=True, eq=False)
class Bar:
    """The cotangent of a variable: ``text`` is the sum of its ``terms``, one for each use.

    ``uses`` are the numbers of the statements that the terms come from, ``rules`` the operations
    that were differentiated.
    """

    name: str
    text: str
    terms: tuple[Term, ...]
    shape: tuple[int, ...]
    dtype: np.dtype
    value: Any
    node: Node
    var: int
    uses: tuple[int, ...]
    rules: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Statement:
    """One statement of the user's: what it defines, and the cotangents of that.

    ``source`` is the statement as written. ``definitions`` end with what later statements use;
    before these are the intermediate results that the backward sweep needs.
    """

    number: int
    source: str
    line: Line
    definitions: tuple[Definition, ...]
    bars: tuple[Bar, ...]
    operations: tuple[Step, ...]
    block: Block

    @property
    def result(self) -> Definition:
        """What the statement is for: ``h`` of ``h = np.tanh(z)``."""
        return self.definitions[-1]

    @property
    def name(self) -> str:
        return self.result.name

    @property
    def text(self) -> str:
        """The result in the names of the derivation: ``tanh(z)``."""
        return self.result.text

    @property
    def shape(self) -> tuple[int, ...]:
        return self.result.shape

    @property
    def value(self) -> Any:
        return self.result.value


@dataclass(frozen=True, eq=False)
class Derivation:
    """A derivation: ``print`` it. ``forward`` are the statements, ``backward`` the cotangents.

    ``inputs`` are the differentiated arguments, ``input_bars`` the gradient by them; ``rules``
    holds the derivative of each operation that occurs, as the derivative table has it. ``outline``
    is the tree of statements, calls and loops; ``operations`` are the single operations.
    """

    title: str
    function: str
    program: Program
    inputs: tuple[Definition, ...]
    forward: tuple[Statement, ...]
    input_bars: tuple[Bar, ...]
    rules: tuple[Rule, ...]
    result: str
    value: Any
    outline: tuple[Item, ...]
    constants: tuple[Definition, ...] = ()

    @property
    def backward(self) -> tuple[Bar, ...]:
        """All cotangents, in the order of the backward sweep."""
        swept = [bar for statement in reversed(self.forward) for bar in statement.bars]
        return (*swept, *self.input_bars)

    @property
    def operations(self) -> tuple[Step, ...]:
        """Every single operation, in order."""
        return tuple(step for statement in self.forward for step in statement.operations)

    def statement(self, block: Block) -> Statement | None:
        """The statement of a block of the outline; None where it only makes calls."""
        return self._by_block.get(id(block))

    @functools.cached_property
    def _by_block(self) -> dict[int, Statement]:
        return {id(s.block): s for s in self.forward}

    def latex(self) -> str:
        """The derivation for an article: ``align*`` displays; it needs amsmath and amssymb."""
        from chainrule.explainer.latex import latex

        return latex(self)

    def markdown(self) -> str:
        """The derivation as a Markdown document: statements, formulas and a table of the inputs."""
        from chainrule.explainer.markdown import markdown

        return markdown(self)

    def picture(self, width: float = 1200.0, limit: int = 200) -> "Picture":
        """The computation graph as SVG: ``str``, ``.save(path)``, or look at it in a notebook.

        width : pixels, about. limit : boxes at most; the rest is summed up in boxes of its own.
        """
        from chainrule.explainer.picture import picture

        return picture(self, width, limit)

    def html(self, path: Any) -> Path:
        """Write a page to step through: code, derivation, graph side by side; returns the path."""
        from chainrule.explainer.page import write_html

        return write_html(self, path)

    def _repr_html_(self) -> str:
        from chainrule.explainer.notebook import fragment

        return fragment(self)

    def _repr_latex_(self) -> str:
        from chainrule.explainer.latex import notebook

        return notebook(self)

    def __str__(self) -> str:
        from chainrule.explainer.terminal import plain_text

        return plain_text(self)

    def __rich__(self) -> Any:
        from chainrule.explainer.terminal import rich_text

        return rich_text(self)

    def __repr__(self) -> str:
        count = f"{len(self.forward)} statements, {len(self.program)} operations"
        return f"<Derivation of {self.title}: {count}>"


def explain(
    f: Callable, *args: Any, wrt: Any = None, lift: bool = True, **kwargs: Any
) -> Derivation:
    """The derivation of the gradient of scalar ``f`` at ``args``, statement by statement.

    wrt : the differentiated arguments; default all that hold floats.
    Raises NotScalarError if f is not scalar. Cost: f once, and each operation's rule once.

    >>> def f(x):
    ...     y = np.sin(x)
    ...     return np.sum(x * y)
    >>> print(explain(f, np.ones(3)))  # doctest: +ELLIPSIS
    f(x) = 2.52441...
    ...
    """
    recording = Observing()
    program, value = record(f, args, kwargs, wrt, lift, recording)
    value = plain(value)
    if len(program.outputs) != 1 or not _is_number(value):
        raise NotScalarError(
            f"explain writes down a gradient, and {name_of(f)} returned {_described(value)}",
            "Explain a scalar function of it, e.g. lambda *a: np.sum(f(*a)).",
        )
    return derivation_of(name_of(f), program, recording.places, value)


def _is_number(value: Any) -> bool:
    if isinstance(value, (np.ndarray, np.generic)):
        return value.shape == () and value.dtype.kind in "fciub"
    return isinstance(value, (int, float, complex))


def _described(value: Any) -> str:
    shape = np.shape(value)
    return f"shape {shape}" if shape or not callable(value) else f"a {type(value).__name__}"


def derivation_of(function: str, program: Program, places: Sequence, value: Any) -> Derivation:
    paths = [program.names.get(v, "x") for v in program.inputs]
    names = user_names(places)
    output = program.outputs[0]
    if type(output) is int and output not in program.inputs:
        maker = _maker(program, output)
        names[maker] = names[maker] or _free_name("value", {*names, *short_names(program)})
    labels = {x for i in range(len(program)) for x in constant_labels(program, i).values()}
    name_variables(program, names, labels)
    items = outline(places)
    blocks = [b for b in all_blocks(items) if b.equations]
    operations = forward_steps(program)
    inlining = Inlining(program, [b.equations for b in blocks])
    _renumber(program, inlining.shown)
    name = program.names.__getitem__
    numbers = {i: k + 1 for k, block in enumerate(blocks) for i in block.equations}

    def definition(v: int) -> Definition:
        node = inlining.definition(v)
        return Definition(
            name(v),
            text_of(node, name),
            program.shapes[v],
            program.dtypes[v],
            program.values[v],
            node,
            v,
        )

    def bar(v: int) -> Bar:
        terms = inlining.terms(v)
        node = total([t.node for t in terms]) if terms else Node("const", value=0)
        uses = dict.fromkeys(numbers[t.equation] for t in terms if t.equation >= 0)
        rules = dict.fromkeys(r for t in terms for r in t.rules)
        return Bar(
            bar_name(name(v)),
            text_of(node, name),
            tuple(terms),
            program.shapes[v],
            program.dtypes[v],
            inlining.value(v),
            node,
            v,
            tuple(uses),
            tuple(rules),
        )

    statements = []
    for k, block in enumerate(blocks):
        shown = inlining.named_in(k)
        bars = tuple(bar(v) for v in reversed(shown) if inlining.has_bar(v))
        statements.append(
            Statement(
                k + 1,
                block.text,
                block.line,
                tuple(map(definition, shown)),
                bars,
                tuple(step for i in block.equations for step in operations[i]),
                block,
            )
        )
    inputs = tuple(
        Definition(
            name(v),
            path,
            program.shapes[v],
            program.dtypes[v],
            program.values[v],
            variable(program, v),
            v,
        )
        for v, path in zip(program.inputs, paths)
    )
    arguments = ", ".join(dict.fromkeys(name(v) for v in program.inputs))
    shown_value = f"{value:.10g}" if np.isrealobj(value) else f"{value}"
    return Derivation(
        f"{function}({arguments}) = {shown_value}",
        function,
        program,
        inputs,
        tuple(statements),
        tuple(bar(v) for v in program.inputs),
        rules_used(program, inlining.bars),
        name(output) if type(output) is int else shown_value,
        value,
        tuple(items),
        tuple(
            Definition(called, "", np.shape(x), x.dtype, x, constant(x, called), -1)
            for called, x in inlining.constants()
        ),
    )


def _renumber(program: Program, shown: set[int]) -> None:
    """Number the made-up names that are shown from t1 on, in order."""
    names = program.names
    made_up = [v for v in sorted(shown) if v >= 0 and re.fullmatch(r"t\d+", names[v])]
    users = {name for v, name in names.items() if v in program.inputs}
    taken = {names[v] for v in shown if v >= 0} - {names[v] for v in made_up} | users
    free = (f"t{k}" for k in itertools.count(1))
    for v in made_up:
        if v not in program.inputs:
            names[v] = next(x for x in free if x not in taken)


def _maker(program: Program, var: int) -> int:
    for i, result in enumerate(program.results):
        if result == var or (type(result) is tuple and var in result):
            return i
    raise AssertionError("an output that nothing computes")


def _free_name(name: str, taken: set) -> str:
    while name in taken:
        name += "_"
    return name


__all__ = [
    "Bar",
    "CallBlock",
    "Definition",
    "Derivation",
    "LoopBlock",
    "Statement",
    "derivation_of",
    "explain",
]
