"""A derivation as a table for notebooks: one element with its own style, without scripts."""

from collections.abc import Iterator, Sequence
from html import escape

from chainrule.core.printing import type_text
from chainrule.explainer.derivation import Derivation
from chainrule.explainer.page import how_to_read, marked
from chainrule.explainer.sheet import Group, Row, Sheet
from chainrule.explainer.terminal import summary

LIMIT = 120  # lines of one direction; the middle of more is left out

# The colours suit light and dark: a notebook's theme is its own, whatever the screen prefers.
_STYLE = """
.cr-derivation{font:14px/1.45 system-ui,sans-serif;max-width:72rem;overflow-x:auto}
.cr-derivation .cr-title{font:600 15px ui-monospace,monospace}
.cr-derivation p{margin:.2rem 0;opacity:.75}
.cr-derivation table{border-collapse:collapse;margin:.3rem 0}
.cr-derivation td,.cr-derivation th{text-align:left!important;padding:.08rem .8rem .08rem 0;
border:0;vertical-align:baseline;font-size:13px}
.cr-derivation th{font-weight:600;padding-top:.6rem;opacity:.75}
.cr-derivation tr{background:none!important;border:0}
.cr-derivation code{font:12.5px ui-monospace,monospace;background:none;color:inherit;padding:0;
white-space:pre-wrap}
.cr-derivation code i{font-style:normal;color:#c9641c}
.cr-derivation td.cr-dim,.cr-derivation tr.cr-dim>td{opacity:.7}
"""


def fragment(d: Derivation) -> str:
    """The derivation as one element, as for notebooks."""
    sheet = Sheet(d)
    parts: list[tuple[str, Sequence[Row | Group]]] = [
        ("Inputs", sheet.inputs),
        ("Forward: your statements in order", sheet.forward),
        ("Backward: from the result to the inputs", sheet.backward),
    ]
    body = "".join(
        f"<tr><th></th><th colspan=3>{heading}</th></tr>{''.join(_cut(list(_lines(rows, 0))))}"
        for heading, rows in parts
    )
    return (
        f'<div class="cr-derivation"><style>{_STYLE}</style>'
        f'<div class="cr-title">{escape(d.title)}</div><p>{how_to_read(sheet)}</p>'
        f"<table><tbody>{body}</tbody></table>"
        '<p>To step through it: <code>.html("page.html")</code></p></div>'
    )


def _lines(items: Sequence[Row | Group], depth: int) -> Iterator[str]:
    for item in items:
        deeper = depth + (isinstance(item, Row) and item.kind == "detail")
        indent = f' style="padding-left:{1.6 * deeper:g}em"' if deeper else ""
        if isinstance(item, Group):
            text = f"<code>{escape(item.text)}</code>"
            yield f'<tr class="cr-dim"><td></td><td{indent} colspan=3>{text}</td></tr>'
            yield from _lines(item.items, depth + 1)
            continue
        x = item.first
        shown = item.number if item.kind in ("forward", "backward") and item.number else ""
        text = escape(item.text) if item.kind == "forward" else marked(item.text)
        kind = ' class="cr-dim"' if item.kind == "detail" else ""
        yield (
            f'<tr{kind}><td class="cr-dim">{shown}</td><td{indent}><code>{text}</code></td>'
            f'<td class="cr-dim"><code>{type_text(x.shape, x.dtype)}</code></td>'
            f'<td class="cr-dim">{escape(summary(x.value))}</td></tr>'
        )


def _cut(lines: list[str]) -> list[str]:
    if len(lines) <= LIMIT:
        return lines
    half = LIMIT // 2
    more = f"<tr><td></td><td colspan=3>… {len(lines) - 2 * half} more lines …</td></tr>"
    return [*lines[:half], more, *lines[-half:]]
