"""A derivation as a Markdown document: the user's statements, and below each its formulas."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from chainrule.core.printing import type_text
from chainrule.explainer.derivation import Definition, Derivation
from chainrule.explainer.latex import Part, Row, aligned, parts
from chainrule.explainer.terminal import summary


def markdown(d: Derivation) -> str:
    """Headings, a table of the inputs, code and ``$$`` formulas; any Markdown page shows it."""
    found = {part.title: part for part in parts(d)}
    lines = [
        f"# The gradient of {code(d.function)}",
        "",
        code(d.title),
        "",
        "## Inputs",
        "",
        *_inputs((*d.inputs, *d.constants), found["Inputs"]),
        "",
        "## Forward",
        "",
        *_statements(d, found["Forward"].rows, ""),
        "## Backward",
        "",
        f"A bar over a variable is the derivative of {code(d.result)} by it: the sum of what comes "
        "from each of its uses. Each statement is passed in turn, from the last to the first.",
        "",
        *_statements(d, found["Backward"].rows, "Back through "),
    ]
    if "Rules used" in found:
        lines += ["## Rules used", "", *_rules(found["Rules used"])]
    return "\n".join(lines).rstrip() + "\n"


def code(text: str) -> str:
    """Code in a line of text or in a table."""
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}".replace("|", "\\|")


def _inputs(inputs: Sequence[Definition], part: Part) -> Iterator[str]:
    yield "| | argument | type | values |"
    yield "|---|---|---|---|"
    for x, row in zip(inputs, part.rows):
        cells = (
            f"${row.left} {row.note}$",
            code(x.text or x.name),
            code(type_text(x.shape, x.dtype)) if type_text(x.shape, x.dtype) else "",
            summary(x.value),
        )
        yield f"| {' | '.join(cells)} |"


def _statements(d: Derivation, rows: Sequence[Row], back: str) -> Iterator[str]:
    """The rows of each statement below its code."""
    for (number, words), group in groupby(rows, key=lambda row: (row.number, row.words)):
        if words:
            yield from (f"*{words}*", "")
            continue
        if number:
            s = d.forward[number - 1]
            at = f" ({str(s.line).partition('   ')[0]})" if s.line.file else ""
            yield from (f"**{number}.** {back}{code(s.source or s.name)}{at}", "")
        else:
            yield from ("### The gradient", "")
        lines = [line for row in group for line in aligned(row)]
        yield from ("$$", r"\begin{aligned}", " \\\\\n".join(lines), r"\end{aligned}", "$$", "")


def _rules(part: Part) -> Iterator[str]:
    yield "| operation | cotangents of its operands |"
    yield "|---|---|"
    for row in part.rows:
        backs = row.note.removeprefix(r"\Rightarrow\quad ")
        yield f"| ${row.left} = {row.right}$ | ${backs}$ |"
