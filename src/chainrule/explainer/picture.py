"""The computation graph as SVG: values from left to right, cotangents back along the same edges.

Colours are CSS variables of the picture, so that one picture serves light and dark screens.
"""

from html import escape
from pathlib import Path
from typing import Any

from chainrule.explainer.derivation import Derivation
from chainrule.explainer.expressions import bar_name
from chainrule.explainer.graph import LIMIT, Cluster, Edge, Graph, Vertex
from chainrule.explainer.layers import Point
from chainrule.explainer.places import CHARACTER, Box, Places, Way, shortened

BRIEF = 60  # from so many boxes on they show no formulas
_TEXT = 24  # characters of a formula in a box
_APART = 2.5  # of the two directions of an edge, from its middle line

STYLE = """
.crg{--ink:#1f2328;--dim:#59636e;--paper:#fff;--box:#fff;--line:#d1d9e0;--group:#818b981f;
--go:#0b6c9c;--back:#c2571a;font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",
monospace;max-width:none}
@media(prefers-color-scheme:dark){.crg{--ink:#e6edf3;--dim:#9198a1;--paper:#0d1117;--box:#151b23;
--line:#3d444d;--group:#656c7626;--go:#6bbbe6;--back:#f0a070}}
.crg .paper{fill:var(--paper)}.crg text{fill:var(--ink)}.crg .dim{fill:var(--dim);font-size:11px}
.crg .name{font-weight:600}.crg .group{fill:var(--group);stroke:var(--line)}
.crg .loop>.group,.crg .round>.group{stroke-dasharray:5 3}.crg .statement>.group{stroke:none}
.crg .box{fill:var(--box);stroke:var(--line)}.crg .input .box{stroke:var(--go)}
.crg .result .box{stroke:var(--back);stroke-width:1.5}.crg .more .box{stroke-dasharray:3 3}
.crg .go,.crg .back{fill:none;stroke-width:1.4}.crg .go{stroke:var(--go)}
.crg .back{stroke:var(--back)}.crg .tip-go{fill:var(--go)}.crg .tip-back{fill:var(--back)}
"""


class Picture:
    """A computation graph; ``str`` gives the SVG, which notebooks show."""

    def __init__(self, svg: str):
        self.svg = svg

    def __str__(self) -> str:
        return self.svg

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<Picture: {len(self.svg)} characters of SVG>"

    def save(self, path: Any) -> Path:
        """Write the picture to a file that ends in .svg."""
        path = Path(path)
        if path.suffix.lower() != ".svg":
            raise ValueError(f"a picture is SVG: name the file {path.stem}.svg, not {path.name}")
        path.write_text(self.svg, encoding="utf-8", errors="replace")
        return path


def picture(d: Derivation, width: float = 1200.0, limit: int = LIMIT) -> Picture:
    """The computation graph of a derivation, at most about ``width`` pixels wide."""
    graph = Graph(d, limit)
    return Picture(svg_of(d, graph, width, len(graph.vertices) > BRIEF))


def svg_of(d: Derivation, graph: Graph, width: float, brief: bool) -> str:
    """The SVG, without formulas if ``brief``.

    Boxes have the ids n0, n1, ... of ``graph.vertices``, edges name both their ends.
    """
    places = Places(graph, lambda v: _size(v, brief), width)
    numbers = {v: k for k, v in enumerate(graph.vertices)}
    w, h = places.size
    w, h = max(w, 330.0), h + 24
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="crg" width="{w:.0f}" height="{h:.0f}" '
        f'viewBox="0 0 {w:.0f} {h:.0f}" role="img" aria-label="Computation graph of '
        f'{_clean(d.title)}"><style>{STYLE}</style>'
        f'<rect class="paper" width="{w:.0f}" height="{h:.0f}" rx="6"/>',
        _groups(graph.root, places),
        "".join(_edge(way, numbers) for way in places.ways),
        "".join(_box(v, places.boxes[v], numbers[v], brief) for v in graph.vertices),
        _key(h - 12),
        "</svg>",
    ]
    return "".join(parts)


def _size(v: Vertex, brief: bool) -> Point:
    lines = _lines(v, brief)
    widest = max(len(name) + bool(extra) + len(extra) for name, extra in lines)
    return widest * CHARACTER + 18, 15.0 * len(lines) + 11


def _lines(v: Vertex, brief: bool) -> list[tuple[str, str]]:
    """(strong, dim) text of each line of a box."""
    shape = "" if not v.shape else "×".join(map(str, v.shape))
    lines = [(shortened(v.name, 34), shape)]
    if v.text and not brief:
        lines.append(("", shortened(v.text, _TEXT)))
    return lines


def _groups(cluster: Cluster, places: Places) -> str:
    """The groups inside a group, outer ones first."""
    parts = []
    for member in cluster.members:
        if isinstance(member, Cluster):
            box = places.boxes[member]
            at = f'x="{box.x + 10:.1f}" y="{box.y + 15:.1f}"'
            parts.append(
                f'<g class="{member.kind}"><title>{_clean(member.text)}</title>'
                f'{_rect(box, "group", 8)}<text class="dim" xml:space="preserve" {at}>'
                f"{_clean(places.headings[member])}</text></g>{_groups(member, places)}"
            )
    return "".join(parts)


def _box(v: Vertex, box: Box, number: int, brief: bool) -> str:
    kind = "more" if v.kind == "group" else v.kind
    lines = []
    for k, (strong, dim) in enumerate(_lines(v, brief)):
        spans = f'<tspan class="name">{_clean(strong)}</tspan>' if strong else ""
        if dim:
            space = " " if strong else ""
            spans += f'<tspan class="dim">{space}{_clean(dim)}</tspan>'
        at = f'x="{box.x + 9:.1f}" y="{box.y + 18 + 15 * k:.1f}"'
        lines.append(f'<text {at} xml:space="preserve">{spans}</text>')
    return (
        f'<g class="node {kind}" id="n{number}" data-node="{number}">'
        f"<title>{_clean(_tip(v))}</title>{_rect(box, 'box', 6)}{''.join(lines)}</g>"
    )


def _tip(v: Vertex) -> str:
    if v.kind == "group":
        return f"{v.name}: {v.text}" if v.text else v.name
    shape = "" if not v.shape else f"   {v.shape}"
    where = f"   (statement {v.number})" if v.number else ""
    return f"{v.name} = {v.text or 'input'}{shape}{where}   cotangent: {bar_name(v.name)}"


def _rect(box: Box, kind: str, radius: int) -> str:
    return (
        f'<rect class="{kind}" x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" '
        f'height="{box.height:.1f}" rx="{radius}"/>'
    )


def _edge(way: Way, numbers: dict[Vertex, int]) -> str:
    """The edge, and beside it the cotangent that comes back, each with its tip."""
    edge: Edge = way.edge
    ends = f'data-from="{numbers[edge.source]}" data-to="{numbers[edge.target]}"'
    apart = _APART if edge.back else 0.0
    (x, y), (to, down) = way.points[0], way.points[-1]
    kind = " carried" if edge.carried else ""
    tip = f'<path class="tip-go" d="M{to:.1f} {down - apart:.1f}l-6-3v6z"/>'
    parts = [f'<path class="go{kind}" d="{way.path(-apart)}"/>{tip}']
    if edge.back:
        tip = f'<path class="tip-back" d="M{x:.1f} {y + apart:.1f}l6-3v6z"/>'
        parts.append(f'<path class="back{kind}" d="{way.path(apart)}"/>{tip}')
    return f'<g class="edge" {ends}>{"".join(parts)}</g>'


def _key(y: float) -> str:
    return (
        f'<g class="key"><path class="go" d="M10 {y - 4:.1f}h22"/>'
        f'<path class="tip-go" d="M36 {y - 4:.1f}l-6-3v6z"/>'
        f'<text class="dim" x="42" y="{y:.1f}">value</text>'
        f'<path class="back" d="M94 {y - 4:.1f}h22"/>'
        f'<path class="tip-back" d="M90 {y - 4:.1f}l6-3v6z"/>'
        f'<text class="dim" x="122" y="{y:.1f}">cotangent: the derivative by it</text></g>'
    )


def _clean(text: str) -> str:
    """Escaped, and without the control characters that XML does not allow."""
    return escape("".join(c if c >= " " else " " for c in text))
