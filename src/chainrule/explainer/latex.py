"""A derivation in LaTeX, in the notation of matrix calculus.

``rows`` lays it out; ``latex`` prints the rows as aligned displays for an article (amsmath,
amssymb), ``notebook`` as one display that MathJax and KaTeX know.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from chainrule.explainer.derivation import Bar, Definition, Derivation
from chainrule.explainer.expressions import Node
from chainrule.explainer.folding import Fold, Folds
from chainrule.explainer.latex_formulas import Formulas
from chainrule.explainer.latex_names import Names, code, words
from chainrule.explainer.outline import Item, LoopBlock
from chainrule.explainer.rules_used import Rule

WIDTH = 72  # characters of a formula as it is seen; a longer sum goes on in the next line


@dataclass(frozen=True)
class Row:
    """One line: ``left = right``, and to the right of it a note; or words only.

    ``number`` is that of the user's statement, 0 for none.
    """

    left: str = ""
    right: str = ""
    note: str = ""
    words: str = ""
    number: int = 0


@dataclass(frozen=True)
class Part:
    title: str
    rows: tuple[Row, ...]


def latex(d: Derivation) -> str:
    """The derivation for an article: a paragraph and an ``align*`` for each part."""
    blocks = [
        f"\\paragraph{{{part.title}}}\n\\begin{{align*}}\n{_lines(part.rows)}\n\\end{{align*}}"
        for part in parts(d)
    ]
    return "\n".join(["% needs amsmath and amssymb", *blocks]) + "\n"


def notebook(d: Derivation) -> str:
    """The derivation as one display for each part."""
    return "\n".join(
        f"$$\\begin{{aligned}}\n&\\textbf{{{part.title}}} \\\\\n{_lines(part.rows)}\n"
        "\\end{aligned}$$"
        for part in parts(d)
    )


def _lines(rows: Sequence[Row]) -> str:
    return " \\\\\n".join(line for row in rows for line in aligned(row))


def aligned(row: Row) -> list[str]:
    """The row in columns, on several lines where its formula is long."""
    if row.words:
        return [f"&{words(row.words)}"]
    first, *more = broken(row.right)
    lines = [
        f"{row.left} &" + (f"= {first}" if first else ""),
        *(rf"&\quad {line}" for line in more),
    ]
    if row.note:
        lines[-1] += f" && {row.note}"
    return lines


# ---------------------------------------------------------------- long formulas


def broken(text: str) -> list[str]:
    """The formula in lines: it breaks before a plus or minus that no bracket is around."""
    if len(visible(text)) <= WIDTH:
        return [text]
    lines = [""]
    for term in _terms(text):
        if lines[-1] and len(visible(lines[-1] + term)) > WIDTH:
            lines.append("")
        lines[-1] += term
    return [line.strip() for line in lines]


def visible(text: str) -> str:
    """About what is seen of a formula: a letter for each command.

    >>> visible(r"\\operatorname{tanh}\\left(W_{1}\\right)")
    'tanh(W1)'
    """
    text = re.sub(r"\\(?:left|right|operatorname|mathrm|mathtt|text|bar|overline|quad)\b", "", text)
    return re.sub(r"[{}_^ ]", "", re.sub(r"\\[a-zA-Z]+|\\.", "x", text))


def _terms(text: str) -> Iterator[str]:
    depth, start = 0, 0
    for match in re.finditer(r"\\left|\\right|\\begin|\\end|[{}]|(?<= )[+-] ", text):
        token = match[0]
        if token in ("\\left", "\\begin", "{"):
            depth += 1
        elif token in ("\\right", "\\end", "}"):
            depth -= 1
        elif not depth:
            yield text[start : match.start()]
            start = match.start()
    yield text[start:]


# ---------------------------------------------------------------- rows


def parts(d: Derivation) -> list[Part]:
    """Inputs, forward, backward and the rules used, as rows of formulas."""
    return list(_Layout(d).parts())


class _Layout:
    def __init__(self, d: Derivation):
        self.d = d
        self.names = Names()
        self.folds = Folds(d)
        is_real = all(x.kind != "c" for x in d.program.dtypes)
        taken = {*d.program.names.values(), *(f.letter for f in self.folds.folds.values())}
        letters = "".join(c for c in "ijklmpqrsuvwabc" if c not in taken)
        self.formulas = Formulas(self.names, is_real, letters)
        self.rule_formulas = Formulas(Names(), is_real)

    def parts(self) -> Iterator[Part]:
        d = self.d
        yield Part("Inputs", tuple(map(self._input, (*d.inputs, *d.constants))))
        yield Part("Forward", tuple(self._forward(d.outline)))
        gradient = [
            Row(self.names.bar(d.program.names[b.var]), self._sum(b), space(b))
            for b in d.input_bars
        ]
        yield Part("Backward", (*self._backward(d.outline), *gradient))
        if d.rules:
            yield Part("Rules used", tuple(row for rule in d.rules for row in self._rule(rule)))

    def _input(self, x: Definition) -> Row:
        of = "" if x.text in ("", x.name) else code(x.text)
        return Row(self.names(x.name), of, space(x))

    # -- forward

    def _forward(self, items: Sequence[Item]) -> Iterator[Row]:
        for item in items:
            if isinstance(item, LoopBlock):
                yield from self._forward_loop(item)
                continue
            for call in item.calls:
                yield Row(words=f"in {call.name}:")
                yield from self._forward(call.body)
            s = self.d.statement(item)
            if s is not None:
                name = self.folds.name()
                for x in s.definitions:
                    left = self.names(name(x.var))
                    yield Row(left, self.formulas(x.node, name), space(x), number=s.number)

    def _forward_loop(self, loop: LoopBlock) -> Iterator[Row]:
        fold = self.folds.of(loop)
        for k, one in enumerate(loop.rounds):
            if fold is None or not fold.first <= k <= fold.last:
                yield Row(words=f"{loop.text}, round {k}:")
                yield from self._forward(one)
            elif k == fold.first:
                yield Row(words=f"for {fold.letter} = {fold.first}, …, {fold.last}:")
                for result, inner in self.folds.forward(fold, self.formulas):
                    for line, x in zip((*inner, result), result.of.definitions):
                        yield from self._rolled(fold, line, x, result.of.number, self.names)

    # -- backward

    def _backward(self, items: Sequence[Item]) -> Iterator[Row]:
        for item in reversed(items):
            if isinstance(item, LoopBlock):
                yield from self._backward_loop(item)
                continue
            s = self.d.statement(item)
            for bar in () if s is None else s.bars:
                left = self.names.bar(self.folds.name()(bar.var))
                yield Row(left, self._sum(bar), space(bar), number=s.number if s else 0)
            for call in reversed(item.calls):
                yield Row(words=f"back through {call.name}:")
                yield from self._backward(call.body)

    def _backward_loop(self, loop: LoopBlock) -> Iterator[Row]:
        fold = self.folds.of(loop)
        for k in reversed(range(len(loop.rounds))):
            if fold is None or not fold.first <= k <= fold.last:
                yield Row(words=f"{loop.text}, round {k}, backward:")
                yield from self._backward(loop.rounds[k])
            elif k == fold.last:
                yield Row(words=f"for {fold.letter} = {fold.last}, …, {fold.first}:")
                numbers = {b.var: s.number for one in fold.rounds for s in one for b in s.bars}
                for line in self.folds.backward(fold, self.formulas):
                    number = numbers[line.of.var]
                    yield from self._rolled(fold, line, line.of, number, self.names.bar)

    def _rolled(
        self, fold: Fold, line, x: Definition | Bar, number: int, write: Callable[[str], str]
    ) -> Iterator[Row]:
        """A line of a loop as most rounds have it, then as the other rounds do."""
        base = fold.where[x.var][1]
        left = write(f"{base}_{{{fold.letter}}}")
        yield Row(left, self._mended(_right(line.text)), space(x), number=number)
        for k, text in line.others:
            left = write(f"{base}_{{{k}}}")
            here = rf"((?<=_\{{)|(?<=, )){fold.letter}([+-]\d+)?(?=\}})"
            right = re.sub(here, partial(_in_round, k), _right(text))
            yield Row(left, self._mended(right), number=number)

    def _sum(self, bar: Bar) -> str:
        return self._mended(self.folds.sum_text(bar, self.formulas))

    def _mended(self, text: str) -> str:
        """What rolling up wrote as text: sums over rounds, and multiples of t."""
        text = re.sub(r"Σ_(\w+)(?:=(\d+)…(\d+))? ", self._sigma, text)
        return re.sub(r"(\d)\*(?=\w)", r"\1 ", text).replace("+ -", "- ").replace("…", r"\dots ")

    def _sigma(self, match: re.Match[str]) -> str:
        letter, first, last = match.groups()
        if first is None:
            spans = {(f.first, f.last) for f in self.folds.folds.values() if f.letter == letter}
            if len(spans) > 1:
                return rf"\sum_{{{letter}}} "
            first, last = spans.pop()
        return rf"\sum_{{{letter}={first}}}^{{{last}}} "

    # -- rules

    def _rule(self, rule: Rule) -> Iterator[Row]:
        (left, whole), *backward = rule.trees
        write = self.rule_formulas
        name = rule.letters.__getitem__
        lefts = ", ".join(map(write.names, left.split(", ")))
        backs = dict.fromkeys(
            f"{write.names.bar(bar.removesuffix('_bar'))} = {write(node, name)}"
            for bar, node in backward
        )
        yield Row(lefts, write(whole, name), r"\Rightarrow\quad " + r",\quad ".join(backs))


def _in_round(k: int, letter: re.Match[str]) -> str:
    return str(k + int(letter[2] or 0))


def _right(text: str) -> str:
    return text.partition(" = ")[2]


def space(x: Definition | Bar) -> str:
    r"""``\in \mathbb{R}^{3 \times 4}``."""
    field = {"c": "C", "i": "Z", "u": "Z"}.get(np.dtype(x.dtype).kind, "R")
    size = r" \times ".join(str(n) for n in x.shape)
    return rf"\in \mathbb{{{field}}}" + (f"^{{{size}}}" if size else "")


__all__ = ["Node", "Part", "Row", "aligned", "broken", "latex", "notebook", "parts"]
