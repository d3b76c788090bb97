"""A comparison as a table: their statements with what they computed, and what it is of ours."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Any

from chainrule.explainer.compare import Comparison
from chainrule.explainer.matching import Match
from chainrule.explainer.mistakes import Row, is_exact
from chainrule.explainer.terminal import summary


@dataclass(frozen=True)
class Line:
    """A statement with what it computed: of a loop, all rounds together."""

    where: str
    statement: str
    seen: str
    ours: str
    verdict: str


def lines(c: Comparison) -> list[Line]:
    found = []
    for _, group in groupby(_by_statement(c.rows), key=lambda row: row.computed.key):
        same = list(group)
        row = same[0]
        made = row.computed
        verdicts = list(dict.fromkeys(r.verdict for r in same))
        if len(verdicts) > 1 and is_exact(same[-1]):  # a sum over the rounds
            verdicts = ["agrees in the end"]
        rounds = f" ({len(same)} times)" if len(same) > 1 else ""
        ours = "" if row.match is None else _ours(row.match)
        if row.match is not None and len(same) > 1 and same[-1].match is not None:
            ours = f"{row.match} … {same[-1].match}"
        found.append(
            Line(
                str(made.line).partition("   ")[0],
                made.text,
                f"{made.name}: {summary(made.value)}{rounds}",
                ours,
                ", ".join(verdicts),
            )
        )
    return found


def _by_statement(rows: Sequence[Row]) -> list[Row]:
    """Rounds of a loop together, at the place of the first."""
    first: dict[Any, int] = {}
    for k, row in enumerate(rows):
        first.setdefault(row.computed.key, k)
    return sorted(rows, key=lambda row: first[row.computed.key])


def _ours(match: Match) -> str:
    q = match.ours
    name = str(match)
    return (
        name
        if q.text in (q.name, "") or q.kind == "value"
        else f"{name}   where {q.name} = {q.text}"
    )


def _verdict_lines(c: Comparison) -> Iterator[str]:
    for part in c.gradient:
        word = "agrees" if part.ok else "DIFFERS"
        yield f"{part.name}: {word}, largest difference {part.difference:.1e} of the largest number"
    yield "The gradients agree." if c.ok else "The gradients differ."
    if c.culprit is not None:
        yield from str(c.culprit).splitlines()


_LIMITS = (60, 40, 70, 30)  # characters of the columns after the first


def _beginning(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _end(place: str) -> str:
    """The line number stays."""
    return place if len(place) <= 24 else "…" + place[-23:]


def text_lines(c: Comparison) -> Iterator[str]:
    yield f"{c.name}, beside the derivation of {c.derivation.title}"
    yield ""
    table = [("", "by hand", "value", "ours", "")]
    table += [(x.where, x.statement, x.seen, x.ours, x.verdict) for x in lines(c)]
    rows = [[_end(r[0]), *(_beginning(x, n) for x, n in zip(r[1:], _LIMITS))] for r in table]
    widths = [max(len(r[k]) for r in rows) for k in range(5)]
    for r in rows:
        yield "  ".join(f"{cell:<{w}}" for cell, w in zip(r, widths)).rstrip()
    yield ""
    yield from _verdict_lines(c)


_STYLES = {"agrees": "green", "agrees in the end": "green", "no counterpart": "dim", "zero": "dim"}


def rich_table(c: Comparison) -> Any:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"{c.name}, beside {c.derivation.title}", title_justify="left")
    for heading in ("", "by hand", "value", "ours", ""):
        table.add_column(heading, overflow="fold")
    for x in lines(c):
        style = _STYLES.get(x.verdict, "yellow")
        cells = [Text(t) for t in (x.where, x.statement, x.seen, x.ours)]
        table.add_row(*cells, Text(x.verdict, style=style))
    style = "green" if c.ok else "bold red"
    return Group(table, Text("\n".join(_verdict_lines(c)), style=style))


def html_table(c: Comparison) -> str:
    rows = "".join(
        f"<tr><td>{escape(x.where)}</td><td><code>{escape(x.statement)}</code></td>"
        f"<td>{escape(x.seen)}</td><td><code>{escape(x.ours)}</code></td>"
        f'<td style="color:{_colour(x)}">{escape(x.verdict)}</td></tr>'
        for x in lines(c)
    )
    head = "<tr><th></th><th>by hand</th><th>value</th><th>ours</th><th></th></tr>"
    end = escape("\n".join(_verdict_lines(c)))
    colour = "#1a7f37" if c.ok else "#cf222e"
    return f'<table>{head}{rows}</table><pre style="color:{colour}">{end}</pre>'


def _colour(x: Line) -> str:
    return _COLOURS[_STYLES.get(x.verdict, "yellow")]


_COLOURS = {"green": "#1a7f37", "dim": "#6e7781", "yellow": "#b35900"}
