"""Loops that were unrolled, rolled up again: one line for a statement of all rounds.

In a rolled loop the value that a name gets in round t is ``h_t``, in the round before
``h_{t-1}``. Lines are compared as text, round by round; numbers in them that grow with the round
are written in t. A line that differs in some rounds (the first, the last) is shown for these on
its own.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from chainrule.explainer.derivation import Bar, Derivation, Statement
from chainrule.explainer.expressions import Node, bar_name, total
from chainrule.explainer.observing import instruction_at
from chainrule.explainer.outline import Item, LoopBlock, all_blocks

FEWEST = 3  # rounds that are worth rolling up
FEW = 2  # rounds that may differ from the others' formula
Printer = Callable[[Node, Callable[[int], str]], str]


@dataclass(eq=False)
class Fold:
    """A loop that is written once: its rounds with statements alike, which ``letter`` counts.

    ``first`` is the number of the first of them: there may be others before and after.
    ``where`` maps a variable to its round and its base name.
    """

    loop: LoopBlock
    letter: str
    rounds: list[list[Statement]]
    first: int
    where: dict[int, tuple[int, str]] = field(default_factory=dict)

    @property
    def last(self) -> int:
        return self.first + len(self.rounds) - 1

    @property
    def header(self) -> str:
        """``for x in X:   # 50 rounds, t = 0 … 49``"""
        n = len(self.rounds)
        return f"{self.loop.text}:   # {n} rounds, {self.letter} = {self.first} … {self.last}"

    def numbered(self) -> Iterator[tuple[int, list[Statement]]]:
        return enumerate(self.rounds, self.first)


@dataclass(frozen=True, eq=False)
class Line:
    """A line of a rolled loop: its text in most rounds, and the texts in the others.

    ``of`` is the statement or cotangent in the first round.
    """

    text: str
    others: tuple[tuple[int, str], ...]
    of: Any


class Folds:
    """The rolled loops of a derivation, and the names that variables have in them."""

    def __init__(self, d: Derivation):
        self.d = d
        self._statements = {id(s.block): s for s in d.forward}
        self.folds: dict[int, Fold] = {}  # by id of the loop's block
        self._of: dict[int, Fold] = {}  # by variable
        self._find(d.outline)

    def of(self, loop: LoopBlock) -> Fold | None:
        return self.folds.get(id(loop))

    # -- which loops are rolled up

    def _find(self, items: Sequence[Item]) -> None:
        for item in items:
            if isinstance(item, LoopBlock):
                fold = self._fold(item)
                if fold is None:
                    for one in item.rounds:
                        self._find(one)
                else:
                    self.folds[id(item)] = fold
                    self._of.update(dict.fromkeys(fold.where, fold))
            else:
                for call in item.calls:
                    self._find(call.body)

    def _fold(self, loop: LoopBlock) -> Fold | None:
        if len(loop.rounds) < FEWEST:
            return None
        rounds = [
            [self._statements[id(b)] for b in all_blocks(one) if id(b) in self._statements]
            for one in loop.rounds
        ]
        shapes = [[(s.source, len(s.definitions)) for s in one] for one in rounds]
        first = last = len(shapes) // 2
        while first > 0 and shapes[first - 1] == shapes[first]:
            first -= 1
        while last + 1 < len(shapes) and shapes[last + 1] == shapes[last]:
            last += 1
        if last - first + 1 < FEWEST:
            return None
        fold = Fold(loop, self._letter(loop), rounds[first : last + 1], first)
        names = self._base_names(rounds[first])
        for k, one in fold.numbered():
            variables = [x.var for s in one for x in s.definitions]
            fold.where.update((v, (k, name)) for v, name in zip(variables, names))
        return fold

    def _letter(self, loop: LoopBlock) -> str:
        target = loop.text.partition(" in ")[0].removeprefix("for ").strip()
        counted = loop.text.partition(" in ")[2].startswith("range(") and "," not in loop.text
        taken = set(self.d.program.names.values())
        wanted = [target] if counted and target.isalpha() and len(target) == 1 else []
        return next(x for x in [*wanted, "t", "k", "n", "round"] if x not in taken or x in wanted)

    def _base_names(self, statements: Sequence[Statement]) -> list[str]:
        bases: list[str] = []
        for s in statements:
            for x in s.definitions:
                base = re.sub(r"_\d+$", "", x.name)
                while base in bases:
                    base += "'"
                bases.append(base)
        return bases

    # -- names

    def name(self, fold: Fold | None = None, t: int = 0) -> Callable[[int], str]:
        """How variables are called in round t of a rolled loop, or outside of all."""
        names = self.d.program.names

        def name(v: int) -> str:
            home = self._of.get(v)
            if home is None:
                return names[v]
            k, base = home.where[v]
            if home is not fold:
                return f"{base}_{{{k}}}"
            if k == t:
                return f"{base}_{{{fold.letter}}}"
            return f"{base}_{{{fold.letter}{k - t:+d}}}"

        return name

    # -- lines

    def forward(self, fold: Fold, printer: Printer) -> list[tuple[Line, list[Line]]]:
        """For each statement of a round its result, and the intermediate results it names."""
        found = []
        for j in range(len(fold.rounds[0])):
            ones = [one[j] for one in fold.rounds]
            lines = [
                self._line(
                    fold,
                    [(k, s, s.definitions[n]) for k, s in enumerate(ones, fold.first)],
                    printer,
                )
                for n in range(len(ones[0].definitions))
            ]
            found.append((lines[-1], lines[:-1]))
        return found

    def _line(self, fold: Fold, of: list, printer: Printer) -> Line:
        texts = {
            k: f"{self.name(fold, k)(x.var)} = {printer(x.node, self.name(fold, k))}"
            for k, s, x in of
        }
        pattern, fits = rolled(texts, fold.letter)
        others = tuple((k, text) for k, text in texts.items() if k not in fits)
        return Line(pattern, others, of[0][1])

    def backward(self, fold: Fold, printer: Printer) -> list[Line]:
        """The cotangents of a round, in the order of the sweep."""
        lines = []
        for j in reversed(range(len(fold.rounds[0]))):
            definitions = [x.var for x in fold.rounds[0][j].definitions]
            for n in reversed(range(len(definitions))):
                bars: dict[int, Bar] = {}
                for k, one in fold.numbered():
                    var = one[j].definitions[n].var
                    bars.update((k, b) for b in one[j].bars if b.var == var)
                if not bars:
                    continue
                texts = {k: self._bar_text(fold, k, bar, printer) for k, bar in bars.items()}
                pattern, fits = rolled(texts, fold.letter)
                others = tuple((k, text) for k, text in texts.items() if k not in fits)
                lines.append(Line(pattern, others, bars[min(bars)]))
        return lines

    def _bar_text(self, fold: Fold, k: int, bar: Bar, printer: Printer) -> str:
        name = bar_name(self.name(fold, k)(bar.var))
        return f"{name} = {self.sum_text(bar, printer, fold, k)}"

    def sum_text(self, bar: Bar, printer: Printer, fold: Fold | None = None, t: int = 0) -> str:
        """The terms of a cotangent; those of a rolled loop's rounds as one sum over t."""
        groups: dict[tuple, dict[int, Node]] = {}
        rest: list[Node] = []
        for term in bar.terms:
            loop, k, key = self._use(term.equation)
            if loop is None or loop is fold:
                rest.append(term.node)
            else:
                rounds = groups.setdefault((id(loop.loop), *key), {})
                rounds[k] = term.node if k not in rounds else total([rounds[k], term.node])
        parts = []
        for key, nodes in groups.items():
            loop = self.folds[key[0]]
            texts = {k: printer(node, self.name(loop, k)) for k, node in nodes.items()}
            pattern, fits = rolled(texts, loop.letter)
            if len(fits) < FEWEST:
                rest += nodes.values()
                continue
            rest += [node for k, node in nodes.items() if k not in fits]
            span = (
                loop.letter
                if len(fits) == len(loop.rounds)
                else f"{loop.letter}={min(fits)}…{max(fits)}"
            )
            parts.append(f"Σ_{span} {pattern}")
        if rest or not parts:
            node = total(rest) if rest else bar.node
            parts.insert(0, printer(node, self.name(fold, t)))
        return " + ".join(parts)

    def _use(self, equation: int) -> tuple[Fold | None, int, tuple]:
        """The rolled loop, the round, and the place in the round of an equation."""
        if not hasattr(self, "_uses"):
            codes, instructions = self.d.program.codes, self.d.program.instructions
            self._uses = {
                i: (fold, k, (j, instruction_at(codes[i], instructions[i])))
                for fold in self.folds.values()
                for k, one in fold.numbered()
                for j, s in enumerate(one)
                for i in s.block.equations
            }
        return self._uses.get(equation, (None, 0, ()))


# ---------------------------------------------------------------- text in t


def unbraced(text: str) -> str:
    """``h_{t}`` as ``h_t``; braces stay around more than one word.

    >>> unbraced("h_{t} + h_{t-1}")
    'h_t + h_{t-1}'
    """
    return re.sub(r"_\{(\w+)\}", r"_\1", text)


_NUMBER = re.compile(r"(?<![\w.{])\d+(?![\w.}])")


def rolled(texts: dict[int, str], letter: str) -> tuple[str, set[int]]:
    """The text of most rounds, with numbers that change written in ``letter``, and which rounds.

    A number that grows evenly with the round becomes a formula, another one ``…``.

    >>> rolled({0: "a", 1: "x[0] * 2", 2: "x[1] * 2", 3: "x[2] * 2"}, "t")
    ('x[t-1] * 2', {1, 2, 3})
    >>> rolled({0: "x[0]", 1: "x[5]", 2: "x[1]", 3: "x[9]", 4: "x[2]"}, "t")
    ('x[…]', {0, 1, 2, 3, 4})
    """
    by_form: dict[str, list[int]] = {}
    for k, text in texts.items():
        by_form.setdefault(_NUMBER.sub("#", text), []).append(k)
    rounds = max(by_form.values(), key=len)
    numbers = {k: [int(x) for x in _NUMBER.findall(texts[k])] for k in rounds}
    middle = rounds[len(rounds) // 2]
    columns = [{k: numbers[k][n] for k in rounds} for n in range(len(numbers[middle]))]
    fits, written = set(rounds), []
    for column in columns:
        even, formula = _evenly(column, middle, letter)
        if len(even & fits) + FEW < len(rounds):
            written.append("…")
        else:
            fits &= even
            written.append(formula)
    formulas = iter(written)
    return _NUMBER.sub(lambda _: next(formulas), texts[middle]), fits


def _evenly(column: dict[int, int], middle: int, letter: str) -> tuple[set[int], str]:
    """The rounds whose number lies on the line through the middle one and its neighbour."""
    other = min((k for k in column if k != middle), key=lambda k: abs(k - middle), default=middle)
    slope = (column[middle] - column[other]) / (middle - other) if other != middle else 0
    start = column[middle] - slope * middle
    return {k for k, n in column.items() if slope * k + start == n}, _formula(slope, start, letter)


def _formula(slope: float, start: float, letter: str) -> str:
    if slope == 0:
        return f"{start:g}"
    sign = "-" if slope < 0 else ""
    times = letter if abs(slope) == 1 else f"{abs(slope):g}*{letter}"
    return f"{sign}{times}" if start == 0 else f"{sign}{times}{start:+g}"
