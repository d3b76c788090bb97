"""Layered drawing of a graph: boxes in columns from left to right, few crossings, short edges.

Columns that do not fit the width go on below, like lines of text. An edge over several columns
keeps a free track in those between (a box without content), one to a later band runs through the
gutter between the bands.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

COLUMN, ROW, TRACK = 46.0, 14.0, 12.0  # gaps between boxes, the height of a track
GUTTER, LANE, LANES = 38.0, 4.0, 6  # between bands, and between the edges in there
ENTRY, EXIT = -1, -2  # ends of edges that come from outside on the left, or leave on the right
SWEEPS = 6

Point = tuple[float, float]


@dataclass(frozen=True)
class Layout:
    """Upper left corners of the boxes, and for each edge the points it passes on its way.

    ``margin`` is what the edges need on both sides of ``width``.
    """

    corners: list[Point]
    bends: dict[tuple[int, int], list[Point]]
    wraps: frozenset[tuple[int, int]]  # edges to a later band: their bends are right angles
    width: float
    height: float
    margin: float


def layered(
    sizes: Sequence[Point], edges: Sequence[tuple[int, int]], width: float = 1200.0
) -> Layout:
    """Places for boxes of these (width, height); ``edges`` go from lower to higher numbers.

    Edges may begin at ENTRY or end at EXIT: they get a free way to or from the side.

    >>> layered([(10, 10), (10, 10)], [(0, 1)]).corners
    [(0.0, 0.0), (56.0, 0.0)]
    """
    through = [e for e in edges if ENTRY not in e and EXIT not in e]
    layer = layers_of(len(sizes), through)
    bands = _bands(sizes, layer, width)
    band_of = {k: n for n, band in enumerate(bands) for k in band}
    corners = [(0.0, 0.0)] * len(sizes)
    bends: dict[tuple[int, int], list[Point]] = {}
    columns: dict[int, tuple[float, float]] = {}  # left and right end of each layer
    ends = []  # lower end of each band
    top = right = 0.0

    def band_at(box: int) -> int:
        return {ENTRY: 0, EXIT: len(bands) - 1}[box] if box < 0 else band_of[layer[box]]

    for n, band in enumerate(bands):
        inside = [e for e in edges if band_at(e[0]) == band_at(e[1]) == n]
        grid = _Band(sizes, layer, band, inside)
        left = 0.0
        for k, column in zip(band, grid.columns):
            wide = max((sizes[b][0] for b in column if b < len(sizes)), default=0.0)
            columns[k] = (left, left + wide)
            for b in column:
                if b < len(sizes):
                    corners[b] = (left, top + grid.middles[b] - sizes[b][1] / 2)
                else:
                    y = top + grid.middles[b]
                    bends.setdefault(grid.tracks[b], []).extend([(left, y), (left + wide, y)])
            left += wide + COLUMN
        right = max(right, left - COLUMN)
        ends.append(top + grid.height)
        top = ends[-1] + GUTTER
    wraps = frozenset(e for e in through if band_at(e[0]) != band_at(e[1]))
    lanes = _lanes(wraps, band_at)
    margin = 24.0 + LANE * max(lanes.values()) if lanes else 0.0
    for i, j in wraps:
        x, to = columns[layer[i]][1], columns[layer[j]][0]
        bends[i, j] = _around(x, to, ends[band_at(i)], ends[band_at(j) - 1], lanes[i])
    return Layout(corners, bends, wraps, right, ends[-1] if ends else 0.0, margin)


def layers_of(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """The column of each box: after all it comes from; what comes from nothing just before its use.

    >>> layers_of(4, [(0, 1), (1, 3), (2, 3)])
    [0, 1, 1, 2]
    """
    layer = [0] * count
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for i, j in edges:
        before[j].append(i)
        after[i].append(j)
    for j in range(count):
        layer[j] = max((layer[i] + 1 for i in before[j]), default=0)
    for i in reversed(range(count)):
        if not before[i] and after[i]:
            layer[i] = min(layer[j] for j in after[i]) - 1
    used = {k: n for n, k in enumerate(sorted(set(layer)))}
    return [used[k] for k in layer]


def _bands(sizes: Sequence[Point], layer: Sequence[int], width: float) -> list[list[int]]:
    """The layers of each line, as many as fit."""
    wide = [0.0] * (max(layer, default=-1) + 1)
    for (w, _), k in zip(sizes, layer):
        wide[k] = max(wide[k], w)
    bands: list[list[int]] = []
    total = width + 1
    for k, w in enumerate(wide):
        if total + w > width:
            bands.append([])
            total = 0.0
        bands[-1].append(k)
        total += w + COLUMN
    return bands


def _lanes(wraps: frozenset[tuple[int, int]], band_at: Callable[[int], int]) -> dict[int, int]:
    """A lane in the gutter for each box that has edges to later bands."""
    lanes: dict[int, int] = {}
    used: dict[int, int] = {}
    for i in sorted({i for i, _ in wraps}):
        lanes[i] = used.get(band_at(i), 0) % LANES
        used[band_at(i)] = lanes[i] + 1
    return lanes


def _around(x: float, to: float, end: float, last: float, lane: int) -> list[Point]:
    """From the right of a column into the gutter, along it, and down to the left of another."""
    aside = LANE * lane
    x, to = x + 12 + aside, to - 14 - aside
    first, y = end + 9 + aside, last + 9 + aside
    if first == y or to < 0:  # left of all columns the way down is free
        return [(x, first), (to, first)]
    edge = -22.0 - aside  # left of all columns
    return [(x, first), (edge, first), (edge, y), (to, y)]


class _Band:
    """The columns of one band, in order, with the heights of the boxes' middles.

    Numbers from ``len(sizes)`` on are tracks of edges that pass.
    """

    def __init__(self, sizes, layer, band, edges):
        self.sizes = sizes
        self.tracks: dict[int, tuple[int, int]] = {}
        self.links: list[tuple[int, int]] = []  # between neighbouring columns
        place = {k: n for n, k in enumerate(band)}
        self.columns: list[list[int]] = [[] for _ in band]
        for b, k in enumerate(layer):
            if k in place:
                self.columns[place[k]].append(b)
        free = len(sizes)
        for i, j in edges:
            last = i
            start = -1 if i == ENTRY else place[layer[i]]
            stop = len(band) if j == EXIT else place[layer[j]]
            for k in range(start + 1, stop):
                self.tracks[free] = (i, j)
                self.columns[k].append(free)
                if last != ENTRY:
                    self.links.append((last, free))
                last, free = free, free + 1
            if last != ENTRY and j != EXIT:
                self.links.append((last, j))
        self.before: dict[int, list[int]] = {}
        self.after: dict[int, list[int]] = {}
        for i, j in self.links:
            self.after.setdefault(i, []).append(j)
            self.before.setdefault(j, []).append(i)
        self._order()
        self.middles = self._heights()
        if self.middles:
            highest = min(m - self._tall(b) / 2 for b, m in self.middles.items())
            self.middles = {b: m - highest for b, m in self.middles.items()}
        self.height = max((m + self._tall(b) / 2 for b, m in self.middles.items()), default=0.0)

    def _tall(self, b: int) -> float:
        return self.sizes[b][1] if b < len(self.sizes) else TRACK

    def _order(self) -> None:
        """Boxes at the mean place of their neighbours, back and forth; the best order is kept."""
        best, fewest = [list(c) for c in self.columns], self._crossings()
        for sweep in range(SWEEPS):
            forward = sweep % 2 == 0
            near = self.before if forward else self.after
            for k in (
                range(1, len(self.columns)) if forward else range(len(self.columns) - 2, -1, -1)
            ):
                known = {b: n for n, b in enumerate(self.columns[k - 1 if forward else k + 1])}
                place = {
                    b: mean([known[x] for x in near.get(b, ())], n)
                    for n, b in enumerate(self.columns[k])
                }
                self.columns[k].sort(key=place.__getitem__)
            crossings = self._crossings()
            if crossings < fewest:
                best, fewest = [list(c) for c in self.columns], crossings
        self.columns = best

    def _crossings(self) -> int:
        place = {b: n for c in self.columns for n, b in enumerate(c)}
        column = {b: k for k, c in enumerate(self.columns) for b in c}
        ends: list[list[Point]] = [[] for _ in self.columns]
        for i, j in self.links:
            ends[column[i]].append((place[i], place[j]))
        return sum(
            (a[0] - b[0]) * (a[1] - b[1]) < 0 for e in ends for n, a in enumerate(e) for b in e[:n]
        )

    def _heights(self) -> dict[int, float]:
        middles: dict[int, float] = {}
        for column in self.columns:
            middles.update(_stacked(column, [0.0] * len(column), self._tall))
        for sweep in range(2 * SWEEPS):
            columns = self.columns if sweep % 2 else self.columns[::-1]
            for column in columns:
                wanted = [
                    mean([middles[x] for x in (*self.before.get(b, ()), *self.after.get(b, ()))],
                         middles[b])
                    for b in column
                ]  # fmt: skip
                middles.update(_stacked(column, wanted, self._tall))
        return middles


def mean(numbers: Sequence[float], default: float) -> float:
    return sum(numbers) / len(numbers) if numbers else default


def _stacked(column: Sequence[int], wanted: Sequence[float], tall) -> dict[int, float]:
    """Heights in this order, without overlap, as near as can be to the wanted ones.

    Least squares with order: neighbours that are too close move as one block.
    """
    offsets, total = [], 0.0
    for n, b in enumerate(column):
        total += 0.0 if n == 0 else (tall(column[n - 1]) + tall(b)) / 2 + ROW
        offsets.append(total)
    blocks: list[list[float]] = []  # (sum, count)
    for w, o in zip(wanted, offsets):
        blocks.append([w - o, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            last = blocks.pop()
            blocks[-1][0] += last[0]
            blocks[-1][1] += last[1]
    levels = [s / n for s, n in blocks for _ in range(int(n))]
    return {b: level + o for b, level, o in zip(column, levels, offsets)}
