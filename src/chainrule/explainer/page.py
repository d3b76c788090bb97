"""A derivation as a page: code, derivation and graph side by side, to read and to step through.

One file that needs no network. The rows are in the page as text; what a step shows besides (values,
maps of colours, links to code and graph) is in one block of JSON that page.js reads.
"""

import json
import re
from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from chainrule.explainer.derivation import Bar, Definition, Derivation
from chainrule.explainer.expressions import bar_name, text_of
from chainrule.explainer.folding import unbraced
from chainrule.explainer.graph import Graph
from chainrule.explainer.heat import Maps
from chainrule.explainer.listing import Listings, file_name
from chainrule.explainer.picture import svg_of
from chainrule.explainer.places import shortened
from chainrule.explainer.sheet import Group, Row, Sheet, rows_of
from chainrule.explainer.terminal import SIGNS, summary

GRAPH_WIDTH = 480.0  # of the column, in pixels
LONGEST = 800  # characters of a line
MOST_TERMS = 12  # of a cotangent, with a map each

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title><style>{style}</style></head>
<body>{body}
<script type="application/json" id="data">{data}</script>
<script>{script}</script></body></html>
"""

_BODY = """
<header><h1>{title}</h1><p>{how}</p>
<div class="bar" role="toolbar" aria-label="Step through the sweep">
<button id="first" title="First step (Home)" aria-label="First step">|◀</button>
<button id="back" title="One step back (left arrow)" aria-label="One step back">◀</button>
<output id="where" aria-live="polite"></output>
<button id="next" title="One step on (right arrow)" aria-label="One step on">▶</button>
<button id="last" title="Last step (End)" aria-label="Last step">▶|</button>
<input id="search" type="search" placeholder="Search  ( / )" aria-label="Search the derivation"
autocomplete="off" spellcheck="false"><span id="hits" aria-live="polite"></span></div></header>
<main>
<section id="left"><section id="code" aria-label="Code"><h2>Your code</h2>{code}</section>
<section id="step" aria-label="This step"></section></section>
<section id="derivation" style="--digits:{digits}ch" aria-label="Derivation">{derivation}</section>
<section id="graph" aria-label="Computation graph"><h2>Graph</h2>
<div class="scroll">{graph}</div></section>
</main>"""


def write_html(d: Derivation, path: Any) -> Path:
    """Write the page, and return its path."""
    path = Path(path)
    path.write_text(page(d), encoding="utf-8", errors="replace")
    return path


def page(d: Derivation) -> str:
    """The whole page."""
    sheet, graph, listings = Sheet(d), Graph(d), Listings.of(d)
    body = _BODY.format(
        title=escape(d.title),
        how=how_to_read(sheet),
        code=_code(listings),
        derivation=_derivation(sheet),
        digits=len(str(len(d.forward))) + 1,
        graph=svg_of(d, graph, GRAPH_WIDTH, brief=True),
    )
    data = _Facts(d, sheet, graph, listings).all()
    return _PAGE.format(
        title=escape(d.title),
        style=_resource("page.css"),
        body=body,
        data=_json(data),
        script=_resource("page.js"),
    )


@cache
def _resource(name: str) -> str:
    return (files("chainrule.explainer") / name).read_text(encoding="utf-8")


def _json(data: Any) -> str:
    """JSON that may stand inside a script element."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def how_to_read(sheet: Sheet) -> str:
    """One line for a reader who has not seen a cotangent before, as HTML."""
    output = sheet.d.program.outputs[0]
    result = sheet.folds.name()(output) if type(output) is int else sheet.d.result
    return (
        "<code><i>v_bar</i></code>, the cotangent of v, is the derivative of "
        f"<code>{escape(unbraced(result))}</code> by v. Start at the result, where it is 1, and go "
        "back: each use of v sends a part, and where v is used twice, the parts add."
    )


# ---------------------------------------------------------------- the columns


def _code(listings: Listings) -> str:
    parts = []
    for k, part in enumerate(listings.parts):
        lines = "".join(
            f'<li id="L{k}-{n}" value="{part.first + n}"><code>{escape(line) or " "}</code></li>'
            for n, line in enumerate(part.lines)
        )
        where = f"<small>{escape(file_name(part))}</small>"
        parts.append(f"<h3>{escape(part.name)} {where}</h3><ol>{lines}</ol>")
    return "".join(parts) or "<p class=dim>The source of this function is not available.</p>"


def _derivation(sheet: Sheet) -> str:
    numbered = _numbered(sheet)
    columns: list[tuple[str, Sequence[Row | Group]]] = [
        ("Inputs", sheet.inputs),
        ("Forward: your statements in order", sheet.forward),
        ("Backward: from the result to the inputs", sheet.backward),
    ]
    parts = [f"<h2>{h}</h2><ul class=rows>{_rows(x, numbered)}</ul>" for h, x in columns]
    if sheet.d.rules:
        rules = "".join(
            f'<li id="rule{k}" tabindex=-1><code>{marked(r.forward)}</code>'
            f"<code>{'<br>'.join(map(marked, r.backward))}</code></li>"
            for k, r in enumerate(sheet.d.rules)
        )
        parts.append(f"<h2>Rules used</h2><ul id=rules>{rules}</ul>")
    return "".join(parts)


def _numbered(sheet: Sheet) -> dict[Row, int]:
    rows = [*sheet.inputs, *rows_of(sheet.forward), *rows_of(sheet.backward)]
    return {row: k for k, row in enumerate(rows)}


def _rows(items: Sequence[Row | Group], numbered: dict[Row, int]) -> str:
    parts = []
    for item in items:
        if isinstance(item, Row):
            parts.append(_row(item, numbered[item]))
        elif not item.items:
            parts.append(f"<li class=dim>{escape(item.text)}</li>")
        else:
            is_open = " open" if item.kind != "round" or len(items) < 30 else ""
            inner = _rows(item.items, numbered)
            parts.append(
                f"<li><details{is_open} class={item.kind}><summary><code>{escape(item.text)}"
                f"</code></summary><ul>{inner}</ul></details></li>"
            )
    return "".join(parts)


def _row(row: Row, k: int) -> str:
    x = row.first
    number = row.number if row.number and row.kind in ("forward", "backward") else ""
    text = shortened(row.text, LONGEST)
    text = marked(text) if row.kind in ("backward", "detail") else escape(text)
    shape = "×".join(map(str, x.shape)) if x.shape or row.fold else summary(x.value)
    return (
        f'<li id=r{k} class="row {row.kind}" tabindex=-1><b>{number}</b><code>{text}</code>'
        f"<span>{shape}</span></li>"
    )


_NAME = re.compile(r"[^\W\d]\w*_bar(?:_\{[^}]*\}|_\w+)?")


def marked(text: str) -> str:
    """Escaped, with cotangents marked.

    >>> marked("h_bar = 2 * y_bar_{t+1}")
    '<i>h_bar</i> = 2 * <i>y_bar_{t+1}</i>'
    """
    parts, last = [], 0
    for found in _NAME.finditer(text):
        parts += [escape(text[last : found.start()]), f"<i>{escape(found[0])}</i>"]
        last = found.end()
    return "".join(parts) + escape(text[last:])


# ---------------------------------------------------------------- what page.js reads


class _Facts:
    """What the page knows of a row besides its text.

    k kind, n statement, l lines of code, g boxes of the graph, m [name, name of the cotangent],
    v values and b cotangents by round (-1 is none), f [letter, first round], o texts of other
    rounds, d the statement in the names of the derivation; of a cotangent t terms
    [text, statement, map], u rules and s statements it comes from.
    """

    def __init__(self, d: Derivation, sheet: Sheet, graph: Graph, listings: Listings):
        self.d, self.sheet, self.graph, self.listings = d, sheet, graph, listings
        self._maps = Maps()
        self._rules = {r.name: k for k, r in enumerate(d.rules)}
        self._boxes = {x: k for k, x in enumerate(graph.vertices)}
        shown = {  # in a rolled loop the statement of the round that is shown
            s.number: first.number
            for fold in sheet.folds.folds.values()
            for one in fold.rounds
            for s, first in zip(one, fold.rounds[0])
        }
        numbers = {s.number: shown.get(s.number, s.number) for s in d.forward}
        self._number = numbers.__getitem__
        self._statement_of = {i: numbers[s.number] for s in d.forward for i in s.block.equations}

    def all(self) -> dict[str, Any]:
        rows = [self._row(row) for row in _numbered(self.sheet)]
        records, cells = self._maps.packed()
        names = [SIGNS.get(r.name, r.name) for r in self.d.rules]
        return {"rows": rows, "rules": names, "maps": records, "cells": cells}

    def _row(self, row: Row) -> dict[str, Any]:
        facts: dict[str, Any] = {"k": row.kind[0], "n": row.number, "g": self._nodes(row)}
        facts["m"] = self._names(row)
        facts["v"] = [-1 if x is None else self._value(x) for x in row.of]
        facts["b"] = [self._cotangent(x) for x in row.of]
        if row.statement is not None:
            facts["l"] = [f"{k}-{n}" for k, n in self.listings.places(row.statement)]
        if row.fold is not None:
            facts["f"] = [row.fold.letter, row.fold.first]
            facts["o"] = dict(row.others)
        if row.formula not in ("", row.text):
            facts["d"] = row.formula
        if isinstance(row.first, Bar):
            facts["u"] = [self._rules[r] for r in row.first.rules if r in self._rules]
            facts["s"] = list(dict.fromkeys(map(self._number, row.first.uses)))[:8]
            if row.fold is None and len(row.first.terms) > 1:
                facts["t"] = self._terms(row.first)
        return facts

    def _nodes(self, row: Row) -> list[int]:
        of = self.graph.vertex_of
        return sorted({self._boxes[of[x.var]] for x in row.of if x is not None and x.var in of})

    def _names(self, row: Row) -> list[str]:
        x, fold = row.first, row.fold
        if x.var < 0:
            return [x.name, ""]
        name = self.sheet.folds.name(fold, fold.where[x.var][0] if fold else 0)(x.var)
        return [unbraced(name), unbraced(bar_name(name))]

    def _value(self, x: Definition | Bar) -> int:
        return self._maps.add(self.d.program.values[x.var] if x.var >= 0 else x.value)

    def _cotangent(self, x: Definition | Bar | None) -> int:
        bar = None if x is None or x.var < 0 else self.sheet.bar_of(x.var)
        return -1 if bar is None else self._maps.add(bar.value)

    def _terms(self, bar: Bar) -> list[list]:
        name = self.sheet.folds.name()
        terms: list[list] = []
        for t in bar.terms[:MOST_TERMS]:
            text = shortened(unbraced(text_of(t.node, name)), LONGEST)
            terms.append([text, self._statement_of.get(t.equation, 0), self._maps.add(t.value)])
        if len(bar.terms) > MOST_TERMS:
            terms.append([f"… {len(bar.terms) - MOST_TERMS} more", 0, -1])
        return terms
