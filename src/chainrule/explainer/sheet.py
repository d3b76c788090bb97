"""A derivation as a tree of rows and groups, for the views that are not plain text.

Calls and loops are groups. A row of a rolled loop stands for all rounds and knows what it was in
each of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from chainrule.explainer.derivation import Bar, Definition, Derivation, Statement
from chainrule.explainer.expressions import bar_name, text_of
from chainrule.explainer.folding import Fold, Folds, unbraced
from chainrule.explainer.outline import Block, Item, LoopBlock

LIMIT = 3000  # rows of one direction; the middle of more is left out


@dataclass(frozen=True, eq=False)
class Row:
    """One line: ``kind`` is "input", "constant", "forward", "detail" or "backward".

    ``of`` is what it defines: one, or one a round of the loop ``fold`` (None where there is none);
    ``others`` are the texts of rounds in which it differs from ``text``. ``formula`` is a statement
    in the names of the derivation.
    """

    kind: str
    text: str
    of: tuple[Definition | Bar | None, ...]
    statement: Statement | None = None
    fold: Fold | None = None
    others: tuple[tuple[int, str], ...] = ()
    formula: str = ""

    @property
    def number(self) -> int:
        return 0 if self.statement is None else self.statement.number

    @property
    def first(self) -> Definition | Bar:
        return next(x for x in self.of if x is not None)


@dataclass(frozen=True, eq=False)
class Group:
    """A call, a loop, or one round of a loop that could not be rolled up."""

    kind: str
    text: str
    items: list["Row | Group"] = field(default_factory=list)
    fold: Fold | None = None

    def rows(self) -> Iterator[Row]:
        return rows_of(self.items)


def rows_of(items: Sequence[Row | Group]) -> Iterator[Row]:
    for item in items:
        if isinstance(item, Row):
            yield item
        else:
            yield from item.rows()


class Sheet:
    """The rows of a derivation: ``inputs``, ``forward`` and ``backward``, ready to be laid out."""

    def __init__(self, d: Derivation):
        self.d = d
        self.folds = Folds(d)
        self._statements = {id(s.block): s for s in d.forward}
        self._bars = {b.var: b for b in d.backward}
        constants = [Row("constant", x.name, (x,)) for x in d.constants]
        self.inputs = [*(Row("input", _input(x), (x,)) for x in d.inputs), *constants]
        self.forward = cut(self._forward(d.outline))
        last = [self._bar(b, None) for b in d.input_bars]
        self.backward = [*cut(self._backward(d.outline)), *last]

    def bar_of(self, var: int) -> Bar | None:
        """The cotangent of a variable; None if nothing comes back to it."""
        return self._bars.get(var)

    # -- forward

    def _forward(self, items: Sequence[Item]) -> list[Row | Group]:
        found: list[Row | Group] = []
        for item in items:
            if isinstance(item, LoopBlock):
                found.append(self._loop(item))
            else:
                found += [
                    Group("call", call_text(item, call.name), self._forward(call.body))
                    for call in item.calls
                ]
                found += self._statement(item)
        return found

    def _loop(self, loop: LoopBlock) -> Group:
        """A rolled loop as one group; other rounds are groups of their own in it."""
        fold, parts = self.folds.of(loop), []
        for k, one in enumerate(loop.rounds):
            if fold is None or not fold.first <= k <= fold.last:
                parts.append(Group("round", f"round {k}", self._forward(one)))
            elif k == fold.first:
                parts.append(Group("loop", span(fold), list(self._rolled(fold)), fold))
        return _whole(loop.text, parts)

    def _statement(self, block: Block) -> Iterator[Row]:
        s = self._statements.get(id(block))
        if s is None:
            return
        name = self.folds.name()
        formulas = [f"{name(x.var)} = {text_of(x.node, name)}" for x in s.definitions]
        text = _source(s, formulas[-1])
        yield Row("forward", text, (s.result,), s, formula=unbraced(formulas[-1]))
        for x, formula in zip(s.definitions[:-1], formulas):
            yield Row("detail", unbraced(formula), (x,), s)

    def _rolled(self, fold: Fold) -> Iterator[Row]:
        for j, (result, inner) in enumerate(self.folds.forward(fold, text_of)):
            s = fold.rounds[0][j]
            text = _source(s, result.text)
            for n, line in enumerate([result, *inner]):
                of = tuple(one[j].definitions[n - 1] for one in fold.rounds)
                formula = unbraced(line.text)
                if n == 0:
                    yield Row("forward", text, of, s, fold, _others(line.others), formula)
                else:
                    yield Row("detail", formula, of, s, fold, _others(line.others))

    # -- backward

    def _backward(self, items: Sequence[Item]) -> list[Row | Group]:
        found: list[Row | Group] = []
        for item in reversed(items):
            if isinstance(item, LoopBlock):
                found.append(self._loop_back(item))
                continue
            s = self._statements.get(id(item))
            found += [self._bar(bar, s) for bar in (() if s is None else s.bars)]
            found += [
                Group("call", f"back through {call.name}", self._backward(call.body))
                for call in reversed(item.calls)
            ]
        return found

    def _loop_back(self, loop: LoopBlock) -> Group:
        fold, parts = self.folds.of(loop), []
        for k, one in reversed(list(enumerate(loop.rounds))):
            if fold is None or not fold.first <= k <= fold.last:
                parts.append(Group("round", f"round {k}", self._backward(one)))
            elif k == fold.last:
                rows = list(self._rolled_back(fold))
                parts.append(Group("loop", span(fold, back=True), list(rows), fold))
        return _whole(f"back through {loop.text}", parts)

    def _bar(self, bar: Bar, s: Statement | None) -> Row:
        name = bar_name(self.folds.name()(bar.var))
        return Row("backward", unbraced(f"{name} = {self.folds.sum_text(bar, text_of)}"), (bar,), s)

    def _rolled_back(self, fold: Fold) -> Iterator[Row]:
        statements = {x.var: s for one in fold.rounds for s in one for x in s.definitions}
        by_name: dict[str, list[int]] = {}
        for var, (_, base) in fold.where.items():
            by_name.setdefault(base, []).append(var)
        for line in self.folds.backward(fold, text_of):
            same = by_name[fold.where[line.of.var][1]]
            of = tuple(self._bars.get(v) for v in same)
            s = statements[line.of.var]
            yield Row("backward", unbraced(line.text), of, s, fold, _others(line.others))


def span(fold: Fold, back: bool = False) -> str:
    """``t = 0 … 49``"""
    ends = (fold.last, fold.first) if back else (fold.first, fold.last)
    return f"{fold.letter} = {ends[0]} … {ends[1]}"


def _whole(text: str, parts: list[Group]) -> Group:
    if len(parts) == 1 and parts[0].fold is not None:
        return replace(parts[0], text=f"{text}:  {parts[0].text}")
    return Group("loop", text, cut(list(parts)))


def call_text(block: Block, name: str) -> str:
    """A call's heading: the whole statement if that only makes this call."""
    return block.text if len(block.calls) == 1 and not block.equations else f"{name}(…)"


def cut(items: list[Row | Group]) -> list[Row | Group]:
    """The items, or of very many the first and the last."""
    if len(items) <= LIMIT:
        return items
    half = LIMIT // 2
    left_out = sum(1 for _ in rows_of(items[half:-half]))
    return [*items[:half], Group("left out", f"… {left_out} more lines …"), *items[-half:]]


def _input(x: Definition) -> str:
    return f"{x.name} = {x.text}" if x.text not in ("", x.name) else x.name


def _source(s: Statement, formula: str) -> str:
    """The statement as written, and what its result is called if it does not say so."""
    name = unbraced(formula.partition(" = ")[0])
    if not s.source:
        return unbraced(formula)
    named = s.source.startswith((f"{name} ", f"{name}="))
    return s.source if named else f"{s.source}   # {name}"


def _others(others: Sequence[tuple[int, str]]) -> tuple[tuple[int, str], ...]:
    return tuple((k, unbraced(text)) for k, text in others)


__all__ = ["Group", "Row", "Sheet", "rows_of"]
