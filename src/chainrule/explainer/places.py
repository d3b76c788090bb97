"""Where the boxes of a computation graph stand, and the ways of its edges between them.

Each group is laid out by itself and is one box in the group around it, so groups never overlap.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chainrule.explainer.graph import Cluster, Edge, Graph, Vertex
from chainrule.explainer.layers import ENTRY, EXIT, Layout, Point, layered

PAD, HEAD, LANE = 10.0, 18.0, 9.0  # around a group, its heading, a lane for what a loop carries
CHARACTER, SMALL = 7.25, 6.7  # of the monospaced fonts, in pixels
WIDEST = 300.0  # of a heading that is wider than what is below it
NARROWEST = 160.0  # for what is deep inside

Size = Callable[[Vertex], Point]


@dataclass(frozen=True)
class Box:
    """Left, top, width and height."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


@dataclass(frozen=True)
class Way:
    """The points that an edge passes, from ``bends[0]`` to ``bends[1]`` at right angles."""

    edge: Edge
    points: tuple[Point, ...]
    bends: tuple[int, int] = (0, 0)

    def path(self, shift: float) -> str:
        """As an SVG path, moved down by ``shift``."""
        first, last = self.bends
        before, after = self.points[: first + 1], self.points[last:]
        bent = corners(self.points[first : last + 1], shift)
        return f"M{before[0][0]:.1f} {before[0][1] + shift:.1f}" + "".join(
            [curve(before, shift), bent, curve(after, shift)]
        )


@dataclass(eq=False)
class _Inside:
    """The layout of a group, before it is known where the group stands.

    ``parts`` are those of the groups in it; the first box is ``left`` and ``top`` of its corner.
    """

    layout: Layout
    parts: list["_Inside | None"]
    size: Point
    left: float
    top: float
    heading: str


class Places:
    """``boxes`` of vertices and groups, ``ways`` of edges, and the ``size`` of it all.

    ``size`` gives that of a box; ``headings`` are the texts of groups, as long as they may be.
    """

    def __init__(self, graph: Graph, size: Size, width: float):
        self.graph = graph
        self._size = size
        self._path: dict[Vertex, list[tuple[Cluster, int]]] = {}
        self._trace(graph.root, [])
        self._depth: dict[Edge, int] = {}  # of the innermost group that holds both ends
        self._passed: dict[Cluster, set[tuple[int, int]]] = {}  # edges between members
        self._carried: dict[Cluster, list[Edge]] = {}
        for edge in graph.edges:
            self._meet(edge)
        self._measured: dict[tuple[Cluster, float], _Inside] = {}
        self._inside: dict[Cluster, _Inside] = {}
        self.boxes: dict[Vertex | Cluster, Box] = {}
        whole = self._measure(graph.root, width - 2 * PAD)
        self.size = whole.size
        self._put(graph.root, whole, 0.0, 0.0)
        self.headings = {c: inside.heading for c, inside in self._inside.items()}
        self.ways = [self._way(edge) for edge in graph.edges]

    def _trace(self, cluster: Cluster, path: list[tuple[Cluster, int]]) -> None:
        for k, member in enumerate(cluster.members):
            here = [*path, (cluster, k)]
            if isinstance(member, Vertex):
                self._path[member] = here
            else:
                self._trace(member, here)

    def _meet(self, edge: Edge) -> None:
        """Note which groups the edge passes, and between which members."""
        a, b = self._path[edge.source], self._path[edge.target]
        depth = next(n for n, (x, y) in enumerate(zip(a, b)) if x != y or x is a[-1])
        self._depth[edge] = depth
        if edge.carried:
            self._carried.setdefault(self._loop(edge), []).append(edge)
            return
        self._passed.setdefault(a[depth][0], set()).add((a[depth][1], b[depth][1]))
        for inner, k in a[depth + 1 :]:
            self._passed.setdefault(inner, set()).add((k, EXIT))
        for inner, k in b[depth + 1 :]:
            self._passed.setdefault(inner, set()).add((ENTRY, k))

    def _loop(self, edge: Edge) -> Cluster:
        around = self._path[edge.source][: self._depth[edge] + 1]
        return [cluster for cluster, _ in around if cluster.kind == "loop"][-1]

    # -- from inside out: sizes

    def _measure(self, cluster: Cluster, width: float) -> _Inside:
        """The layout of a group that should not be wider than ``width``, if it can be."""
        width = max(width, NARROWEST)
        found = self._measured.get((cluster, width))
        if found is None:
            edges = sorted(self._passed.get(cluster, ()))
            found = self._arranged(cluster, edges, width)
            if found.layout.wraps:
                found = self._arranged(cluster, edges, width - 2 * found.layout.margin)
            self._measured[cluster, width] = found
        return found

    def _arranged(self, cluster: Cluster, edges: list[tuple[int, int]], width: float) -> _Inside:
        parts = [
            None if isinstance(m, Vertex) else self._measure(m, width - 2 * PAD)
            for m in cluster.members
        ]
        sizes = [
            self._size(m) if isinstance(m, Vertex) else part.size if part else (0.0, 0.0)
            for m, part in zip(cluster.members, parts)
        ]
        layout = layered(sizes, edges, width)
        lanes = self._carried.get(cluster, [])
        beside = layout.margin + (14.0 if lanes else 0.0)
        inner, head, heading = layout.width + 2 * beside, 0.0, ""
        if cluster is not self.graph.root:
            room = max(inner, min(width, WIDEST))
            head, heading = HEAD, shortened(cluster.text, int(room / SMALL) - 1)
        wide = max(inner, len(heading) * SMALL + 8) + 2 * PAD
        high = layout.height + head + 2 * PAD + LANE * len(lanes) + (8 if lanes else 0)
        return _Inside(layout, parts, (wide, high), PAD + beside, PAD + head, heading)

    # -- from outside in: places

    def _put(self, cluster: Cluster, inside: _Inside, x: float, y: float) -> None:
        self._inside[cluster] = inside
        self.boxes[cluster] = Box(x, y, *inside.size)
        for member, part, (left, top) in zip(cluster.members, inside.parts, inside.layout.corners):
            at = x + inside.left + left, y + inside.top + top
            if isinstance(member, Vertex):
                self.boxes[member] = Box(*at, *self._size(member))
            elif part is not None:
                self._put(member, part, *at)

    def _way(self, edge: Edge) -> Way:
        a, b = self.boxes[edge.source], self.boxes[edge.target]
        start, end = (a.right, a.middle), (b.x, b.middle)
        if edge.carried:
            return self._way_round(edge, start, end)
        depth = self._depth[edge]
        out, into = self._path[edge.source], self._path[edge.target]
        cluster, ends = out[depth][0], (out[depth][1], into[depth][1])
        between = self._bends(cluster, ends)
        leave = [p for x, k in reversed(out[depth + 1 :]) for p in self._bends(x, (k, EXIT))]
        enter = [p for x, k in into[depth + 1 :] for p in self._bends(x, (ENTRY, k))]
        points = (start, *leave, *between, *enter, end)
        if ends not in self._inside[cluster].layout.wraps:
            return Way(edge, points)
        begin, stop = [start, *leave][-1], [*enter, end][0]
        turns = ((between[0][0], begin[1]), *between, (between[-1][0], stop[1]))
        n = len(leave)
        return Way(edge, (start, *leave, *turns, *enter, end), (n, n + len(turns) + 1))

    def _way_round(self, edge: Edge, start: Point, end: Point) -> Way:
        """Back to the beginning of the loop, in a lane of its own below."""
        loop = self._loop(edge)
        lanes, home = self._carried[loop], self.boxes[loop]
        y = home.y + home.height - 6 - LANE * (lanes.index(edge) + 0.5)
        out, back = start[0] + 14, end[0] - 14
        turns = ((out, start[1]), (out, y), (back, y), (back, end[1]))
        return Way(edge, (start, *turns, end), (0, 5))

    def _bends(self, cluster: Cluster, ends: tuple[int, int]) -> tuple[Point, ...]:
        inside, home = self._inside[cluster], self.boxes[cluster]
        x, y = home.x + inside.left, home.y + inside.top
        return tuple((x + p, y + q) for p, q in inside.layout.bends.get(ends, ()))


def shortened(text: str, most: int) -> str:
    """
    >>> shortened("a long statement", 8)
    'a long …'
    """
    return text if len(text) <= most else text[: most - 1] + "…"


def curve(points: Sequence[Point], shift: float) -> str:
    """On from the first point through the others, level at each; pairs of them are tracks."""
    (x, y), *rest = points
    parts = []
    for to, down in rest:
        if down == y:
            parts.append(f"H{to:.1f}")
        else:
            half = (x + to) / 2
            parts.append(
                f"C{half:.1f} {y + shift:.1f} {half:.1f} {down + shift:.1f} "
                f"{to:.1f} {down + shift:.1f}"
            )
        x, y = to, down
    return "".join(parts)


def corners(points: Sequence[Point], shift: float) -> str:
    """The same at right angles, with round corners, moved aside as well."""
    if len(points) < 3:
        return ""
    inner = [(x + shift, y + shift) for x, y in points[1:-1]]
    (x, y), (to, down) = points[0], points[-1]
    moved = [(x, y + shift), *inner, (to, down + shift)]
    parts = []
    for before, here, after in zip(moved, moved[1:], moved[2:]):
        a, b = _towards(here, before), _towards(here, after)
        parts.append(f"L{a[0]:.1f} {a[1]:.1f}Q{here[0]:.1f} {here[1]:.1f} {b[0]:.1f} {b[1]:.1f}")
    return "".join(parts) + f"H{to:.1f}"


def _towards(here: Point, other: Point) -> Point:
    dx, dy = other[0] - here[0], other[1] - here[1]
    length = max(abs(dx), abs(dy))
    part = min(7.0, length / 2) / length if length else 0.0
    return here[0] + dx * part, here[1] + dy * part
