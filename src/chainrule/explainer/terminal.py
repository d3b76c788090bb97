"""A derivation as text: plain in aligned columns, or coloured for a terminal."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.core.printing import type_text
from chainrule.core.trace import plain
from chainrule.explainer.derivation import Bar, Definition, Derivation, Statement
from chainrule.explainer.expressions import bar_name, text_of
from chainrule.explainer.folding import Fold, Folds, Line, unbraced
from chainrule.explainer.outline import Block, Item, LoopBlock

WIDTH = 64  # of the column of formulas; a longer one has its other columns on the next line
OTHERS = 8  # rounds of a rolled loop that are shown because they are different
LIMIT = 160  # lines of a part before its middle is left out

SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "matmul": "@", "power": "**",
         "square": "**2", "negative": "-", "getitem": "[ ]", "setitem": "[ ]="}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One line: a heading if it has a style only."""

    style: str
    formula: str
    columns: tuple[str, ...] = ()


def plain_text(d: Derivation) -> str:
    return "\n".join(line for _, lines in _laid_out(_rows(d)) for line, _ in lines)


_STYLES = {"title": "bold", "heading": "dim", "input": "cyan", "forward": "bold", "detail": "",
           "call": "magenta", "backward": "green"}  # fmt: skip


def rich_text(d: Derivation) -> Any:
    from rich.text import Text

    text = Text(no_wrap=True, overflow="ellipsis")
    for row, lines in _laid_out(_rows(d)):
        for line, formula in lines:
            text.append(line[:formula], _STYLES[row.style])
            text.append(line[formula:] + "\n", "dim")
    text.rstrip()
    return text


def _laid_out(rows: list[Row]) -> Iterator[tuple[Row, list[tuple[str, int]]]]:
    """The lines of each row, and how much of each line is the formula."""
    width = min(max((len(r.formula) for r in rows if r.columns), default=0), WIDTH)
    rows = [replace(row, formula=unbraced(row.formula)) for row in rows]
    count = max((len(r.columns) for r in rows), default=0)
    widths = [max(len(r.columns[k]) for r in rows if len(r.columns) > k) for k in range(count)]
    for row in rows:
        tail = "  ".join(f"{x:<{w}}" for x, w in zip(row.columns, widths)).rstrip()
        if not tail:
            yield row, [(row.formula, len(row.formula))]
        elif len(row.formula) > width:
            yield row, [(row.formula, len(row.formula)), (f"{'':<{width}}  {tail}", 0)]
        else:
            yield row, [(f"{row.formula:<{width}}  {tail}", width)]


# ---------------------------------------------------------------- rows


def _rows(d: Derivation) -> list[Row]:
    folds = Folds(d)
    output = d.program.outputs[0]
    result = folds.name()(output) if type(output) is int else d.result
    back = (
        f"backward: v_bar is the derivative of {result} by v, the sum of what comes from each "
        "use of v"
    )
    rows = [Row("title", d.title), Row("heading", ""), Row("heading", "inputs")]
    rows += [_input(x) for x in (*d.inputs, *d.constants)]
    rows += [Row("heading", ""), Row("heading", "forward: your statements in order")]
    rows += _cut(list(_forward(d, folds, d.outline, 0)))
    rows += [Row("heading", ""), Row("heading", back)]
    swept = list(_backward(d, folds, d.outline, 0))
    swept += [_bar_row(b, 0, 0, f"{b.name} = {folds.sum_text(b, text_of)}") for b in d.input_bars]
    rows += _cut(swept)
    if d.rules:
        rows += [Row("heading", ""), Row("heading", "rules used")]
        width = max(len(r.forward) for r in d.rules)
        rows += [
            Row("detail", f"     {r.forward:<{width}}   =>   {',   '.join(r.backward)}")
            for r in d.rules
        ]
    return rows


def _cut(rows: list[Row]) -> list[Row]:
    if len(rows) <= LIMIT:
        return rows
    half = LIMIT // 2
    left_out = f"  ... {len(rows) - 2 * half} more lines ..."
    return [*rows[:half], Row("heading", left_out), *rows[-half:]]


def _input(x: Definition) -> Row:
    of = f" = {x.text}" if x.text not in ("", x.name) else ""
    return Row("input", f"     {x.name}{of}", (type_text(x.shape, x.dtype), summary(x.value)))


def _at(number: int, depth: int) -> str:
    return f"{number or '':>3}  " + "    " * depth


def _forward(d: Derivation, folds: Folds, items: Sequence[Item], depth: int) -> Iterator[Row]:
    for item in items:
        if isinstance(item, LoopBlock):
            yield from _forward_loop(d, folds, item, depth)
            continue
        yield from _calls(d, folds, item, depth, _forward)
        s = d.statement(item)
        if s is not None:
            name = folds.name()
            yield _statement_row(s, depth, name(s.definitions[-1].var))
            for x in s.definitions[:-1]:
                text = f"{name(x.var)} = {text_of(x.node, name)}"
                yield _row("detail", _at(0, depth + 1) + text, x)


def _calls(d: Derivation, folds: Folds, block: Block, depth: int, walk: Any) -> Iterator[Row]:
    """What a statement calls, indented below the statement, or the call's name if it does more."""
    for call in block.calls:
        header = block.text if len(block.calls) == 1 and not block.equations else f"{call.name}(…)"
        yield Row("call", _at(0, depth) + header)
        yield from walk(d, folds, call.body, depth + 1)


def _forward_loop(d: Derivation, folds: Folds, loop: LoopBlock, depth: int) -> Iterator[Row]:
    fold = folds.of(loop)
    for k, one in enumerate(loop.rounds):
        if fold is None or not fold.first <= k <= fold.last:
            yield Row("call", f"{_at(0, depth)}{loop.text}:   # round {k}")
            yield from _forward(d, folds, one, depth + 1)
        elif k == fold.first:
            yield Row("call", _at(0, depth) + fold.header)
            for result, inner in folds.forward(fold, text_of):
                s = result.of
                yield _statement_row(s, depth + 1, result.text.partition(" = ")[0])
                for line, x in zip(inner, s.definitions):
                    yield _row("detail", _at(0, depth + 2) + line.text, x)
                    yield from _others(fold, line, depth)


def _statement_row(s: Statement, depth: int, name: str) -> Row:
    last = s.definitions[-1]
    source = s.source or f"{last.name} = {last.text}"
    named = source.startswith((f"{name} ", f"{name}="))
    text = _at(s.number, depth) + source + ("" if named else f"   # {name}")
    where = str(s.line).partition("   ")[0] if s.line.file else ""
    return Row("forward", text, (type_text(last.shape, last.dtype), summary(last.value), where))


def _row(style: str, text: str, x: Definition) -> Row:
    return Row(style, text, (type_text(x.shape, x.dtype), summary(x.value)))


def _backward(d: Derivation, folds: Folds, items: Sequence[Item], depth: int) -> Iterator[Row]:
    for item in reversed(items):
        if isinstance(item, LoopBlock):
            yield from _backward_loop(d, folds, item, depth)
            continue
        s = d.statement(item)
        for bar in () if s is None else s.bars:
            assert s is not None
            text = f"{bar_name(folds.name()(bar.var))} = {folds.sum_text(bar, text_of)}"
            yield _bar_row(bar, s.number, depth, text)
        for call in reversed(item.calls):
            yield Row("call", _at(0, depth) + f"backward through {call.name}")
            yield from _backward(d, folds, call.body, depth + 1)


def _backward_loop(d: Derivation, folds: Folds, loop: LoopBlock, depth: int) -> Iterator[Row]:
    fold = folds.of(loop)
    for k in reversed(range(len(loop.rounds))):
        if fold is None or not fold.first <= k <= fold.last:
            yield Row("call", f"{_at(0, depth)}{loop.text}, backward:   # round {k}")
            yield from _backward(d, folds, loop.rounds[k], depth + 1)
        elif k == fold.last:
            span = f"{fold.letter} = {fold.last} … {fold.first}"
            yield Row("call", f"{_at(0, depth)}{loop.text}, backward:   # {span}")
            numbers = {b.var: s.number for one in fold.rounds for s in one for b in s.bars}
            for line in folds.backward(fold, text_of):
                yield _bar_row(line.of, numbers[line.of.var], depth + 1, line.text)
                yield from _others(fold, line, depth)


def _others(fold: Fold, line: Line, depth: int) -> Iterator[Row]:
    """The rounds whose line is another one."""
    for t, text in line.others[:OTHERS]:
        yield Row("detail", f"{_at(0, depth + 2)}{fold.letter} = {t}: {text}")
    if len(line.others) > OTHERS:
        more = len(line.others) - OTHERS
        yield Row("detail", f"{_at(0, depth + 2)}... {more} more rounds are different ...")


def _bar_row(bar: Bar, number: int, depth: int, text: str) -> Row:
    uses = f"from {', '.join(map(str, bar.uses[:4]))}" if bar.uses else ""
    uses += " …" if len(bar.uses) > 4 else ""
    rules = f"by {' '.join(SIGNS.get(r, r) for r in bar.rules)}" if bar.rules else ""
    columns = (type_text(bar.shape, bar.dtype), summary(bar.value), f"{uses} {rules}".strip())
    return Row("backward", _at(number, depth) + text, columns)


def summary(value: Any) -> str:
    """The values seen: a number, or the smallest and the largest, and how many are not finite."""
    x = np.asarray(plain(value))
    if x.dtype.kind not in "fciub" or not x.size:
        return ""
    if x.size == 1:
        return f"{x.reshape(-1)[0]:.4g}"
    if x.dtype.kind == "c":
        x = abs(x)
        return f"|.| {np.min(x):.3g} … {np.max(x):.3g}"
    finite = x[np.isfinite(x)]
    bad = "" if finite.size == x.size else f" ({x.size - finite.size} not finite)"
    if not finite.size:
        return "not finite"
    low, high = finite.min(), finite.max()
    return (f"{low:.3g}" if low == high else f"{low:.3g} … {high:.3g}") + bad
