"""The user's code that a derivation walks through: functions, and the lines of statements."""

import ast
import linecache
import os
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field

from chainrule.explainer.derivation import Derivation, Statement

LONGEST = 2000  # lines of a function that are shown


@dataclass(frozen=True)
class Listing:
    """Lines of one file: a function, or statements outside of any. ``first`` is a line number."""

    file: str
    name: str
    first: int
    lines: tuple[str, ...]

    def holds(self, file: str, number: int) -> bool:
        return self.file == file and self.first <= number < self.first + len(self.lines)


@dataclass
class Listings:
    """The functions of a derivation, in the order of their first use, outermost first."""

    parts: list[Listing] = field(default_factory=list)

    @classmethod
    def of(cls, d: Derivation) -> "Listings":
        found = cls()
        files: dict[str, list[tuple[int, int, str]]] = {}
        for s in sorted(d.forward, key=lambda s: s.line.function != d.function):
            file, number = s.line.file, s.line.number
            if not s.line.text or any(x.holds(file, number) for x in found.parts):
                continue
            if file not in files:
                files[file] = list(_functions(file))
            around = [f for f in files[file] if f[0] <= number <= f[1]]
            if around:
                found._show(file, *min(around, key=lambda f: f[1] - f[0]))
            else:
                found._show(file, min(lines_of(s)), max(lines_of(s)), s.line.function)
        return found

    def _show(self, file: str, first: int, last: int, name: str) -> None:
        last = min(last, first + LONGEST - 1)
        text = "".join(linecache.getlines(file)[first - 1 : last])
        lines = tuple(textwrap.dedent(text.expandtabs(4)).splitlines())
        name = "lambda" if name == "<lambda>" else name
        self.parts = [p for p in self.parts if not (p.file == file and first <= p.first <= last)]
        self.parts.append(Listing(file, name, first, lines))

    def places(self, s: Statement) -> list[tuple[int, int]]:
        """(part, line in it) of the lines of a statement."""
        return [
            (k, number - part.first)
            for number in lines_of(s)
            for k, part in enumerate(self.parts)
            if part.holds(s.line.file, number)
        ]


def lines_of(s: Statement) -> range:
    """The numbers of the lines of a statement, of a compound one those of its header."""
    node = None if s.block.statement is None else s.block.statement.node
    if node is None or not isinstance(node, ast.stmt | ast.expr):
        return range(s.line.number, s.line.number + 1)
    body = getattr(node, "body", None)
    last = node.end_lineno or node.lineno
    if isinstance(body, list) and body:
        last = max(node.lineno, body[0].lineno - 1)
    return range(node.lineno, last + 1)


def file_name(listing: Listing) -> str:
    """``model.py``; what is no file is called as Python calls it."""
    return os.path.basename(listing.file)


def _functions(file: str) -> Iterator[tuple[int, int, str]]:
    """(first line, last line, name) of all functions of a file."""
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.end_lineno or node.lineno, node.name
