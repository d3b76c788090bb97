"""Pictures of a check as SVG: claimed beside numeric, and error against step size.

Colours are CSS variables of the page, so that one picture serves light and dark.
"""

from html import escape
from typing import Any

import numpy as np

from chainrule.checker.curve import Curve
from chainrule.checker.report import ArgumentReport, Evidence

_CELLS = 24  # rows and columns of a heat map at most
_CELL = 11  # pixels, for many cells
_WIDTH, _HEIGHT = 560, 300
_LEFT, _BOTTOM, _TOP, _RIGHT = 70, 42, 16, 16


# --- heat maps


def heat_maps(row: ArgumentReport, tol: float) -> str:
    """Three maps of one array: claimed, numeric, and where they differ; "" without numbers."""
    evidence = row.evidence
    if evidence is None or not np.size(evidence.claimed):
        return ""
    grid = _Grid(evidence, tol)
    finite = [v[np.isfinite(v)] for v in (grid.claimed, grid.numeric)]
    largest = float(np.max(np.abs(np.concatenate(finite)), initial=0.0)) or 1.0
    panels = [
        ("claimed", [_signed(v, largest) for v in grid.claimed.flat]),
        ("numeric", [_signed(v, largest) for v in grid.numeric.flat]),
        ("difference", [_excess(v) for v in grid.excess.flat]),
    ]
    figures = [
        f"<figure>{grid.svg(styles, title)}<figcaption>{title}</figcaption></figure>"
        for title, styles in panels
    ]
    return f'<div class="maps">{"".join(figures)}{_key(largest, grid)}</div>'


class _Grid:
    """The numbers of one array as a table of cells; of many, the worst of each block."""

    def __init__(self, evidence: Evidence, tol: float):
        shape = np.shape(evidence.claimed)
        c, n, b = (np.ravel(v) for v in (evidence.claimed, evidence.numeric, evidence.bound))
        with np.errstate(all="ignore"):
            gap = np.abs(c - n) / np.maximum(2 * b + tol * np.abs(c), 1e-300)
        excess = np.where(np.isfinite(n), np.where(np.isfinite(gap), gap, np.inf), np.nan)
        size = c.size
        if len(shape) >= 2:
            rows, columns = size // shape[-1], shape[-1]
        else:
            columns = min(size, _CELLS)
            rows = -(-size // columns)
        self.is_wrapped = len(shape) < 2
        places = _worst_places(excess, rows, columns)
        self.shape = (len(places), places.shape[1])
        self.is_reduced = places.size < size
        self.index = places
        take = lambda v: np.where(places >= 0, v[np.maximum(places, 0)], np.nan)
        self.claimed, self.numeric, self.excess = take(c), take(n), take(excess)
        self.names = [
            str([int(k) for k in np.unravel_index(i, shape)]) if i >= 0 and shape else ""
            for i in places.flat
        ]

    def svg(self, styles: list[str], title: str) -> str:
        rows, columns = self.shape
        cell = max(_CELL, min(40, 160 // max(rows, columns, 1)))
        cells = []
        for k, style in enumerate(styles):
            i, j = divmod(k, columns)
            if self.index.flat[k] < 0:
                continue
            text = (
                f"{self.names[k]} claimed {self.claimed.flat[k]:.6g}, "
                f"numeric {_number(self.numeric.flat[k])}"
            )
            cells.append(
                f'<rect x="{j * cell}" y="{i * cell}" width="{cell - 1}" height="{cell - 1}" '
                f"{style}><title>{escape(text)}</title></rect>"
            )
        width, height = columns * cell, rows * cell
        return (
            f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
            f'aria-label="{title}">{"".join(cells)}</svg>'
        )


def _worst_places(excess: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Index of the number that each cell shows; -1 for none."""
    filled = np.full(rows * columns, -1)
    filled[: excess.size] = np.arange(excess.size)
    places = filled.reshape(rows, columns)
    rank = np.where(np.isnan(excess), -1.0, excess)
    edges = [np.linspace(0, n, min(n, _CELLS) + 1).astype(int) for n in (rows, columns)]
    table = np.full([len(e) - 1 for e in edges], -1)
    for i, j in np.ndindex(*table.shape):
        block = places[edges[0][i] : edges[0][i + 1], edges[1][j] : edges[1][j + 1]].ravel()
        block = block[block >= 0]
        if block.size:
            table[i, j] = block[int(np.argmax(rank[block]))]
    return table


def _signed(value: float, largest: float) -> str:
    """Colour by sign, strength by size."""
    if np.isnan(value):
        return 'class="none"'
    if np.isinf(value):
        return 'class="bad"'
    strength = 0.06 + 0.94 * (abs(value) / largest) ** 0.5 if value else 0.0
    kind = "plus" if value >= 0 else "minus"
    return f'class="{kind}" fill-opacity="{strength:.2f}"'


def _excess(value: float) -> str:
    if np.isnan(value):
        return 'class="none"'
    if value <= 1:
        return 'class="good"'
    strength = 0.45 + 0.55 * min(np.log10(value) / 6, 1.0) if np.isfinite(value) else 1.0
    return f'class="bad" fill-opacity="{strength:.2f}"'


def _key(largest: float, grid: _Grid) -> str:
    parts = [
        ("minus", f"to -{largest:.3g}"),
        ("plus", f"to {largest:.3g}"),
        ("good", "agree"),
        ("bad", "differ"),
        ("none", "not measured"),
    ]
    marks = [f'<span><i class="{kind}"></i>{text}</span>' for kind, text in parts]
    note = " Each cell shows the worst number of a block." if grid.is_reduced else ""
    note = note or (" Rows are to be read on, line by line." if grid.shape[0] > 1 else "")
    return (
        f'<p class="key">{"".join(marks)}{note if grid.is_wrapped or grid.is_reduced else ""}</p>'
    )


# --- the V


def v_curve(curve: Curve) -> str:
    """Error of central differences against their step, beside the distance of the claim."""
    error = np.abs(curve.quotient - curve.numeric)
    claim = abs(curve.claimed - curve.numeric)
    size = max(abs(curve.numeric), claim, 1e-300)
    floor = 1e-18 * size
    shown = [*error, curve.bound, claim]
    heights = [max(v, floor) for v in shown if np.isfinite(v)]
    axes = _Axes(curve.step, np.array(heights))
    points = [(axes.x(h), axes.y(max(e, floor))) for h, e in zip(curve.step, error)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in points)
    best = curve.best
    x, y = points[best]
    parts = [
        axes.svg("step", "error of the slope"),
        axes.level(curve.bound, "bound", "error bound of the report") if curve.bound > 0 else "",
        axes.level(claim, "claim", "distance of the claim") if claim > floor else "",
        f'<polyline points="{line}"/>{dots}',
        f'<line class="chosen" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>',
        f'<circle class="chosen" cx="{x:.1f}" cy="{y:.1f}" r="5"/>',
        f'<text x="{x + 8:.1f}" y="{_TOP + 34}">best step {curve.step[best]:.1e}</text>',
    ]
    caption = (
        f"Central differences along {escape(curve.name)}: truncation to the right, rounding to the "
        f"left. {curve.evaluations} more evaluations of f, for this picture."
    )
    return (
        f'<figure class="curve"><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="error against step">{"".join(parts)}</svg>'
        f"<figcaption>{caption}</figcaption></figure>"
    )


class _Axes:
    """Logarithmic axes around the data."""

    def __init__(self, xs: np.ndarray, ys: np.ndarray):
        self.left, self.right = np.floor(np.log10(xs.min())), np.ceil(np.log10(xs.max()))
        self.low, self.high = np.floor(np.log10(ys.min())), np.ceil(np.log10(ys.max()))
        self.right = max(self.right, self.left + 1)
        self.high = max(self.high, self.low + 1)

    def x(self, value: Any) -> float:
        share = (np.log10(value) - self.left) / (self.right - self.left)
        return float(_LEFT + share * (_WIDTH - _LEFT - _RIGHT))

    def y(self, value: Any) -> float:
        share = (np.log10(value) - self.low) / (self.high - self.low)
        return float(_HEIGHT - _BOTTOM - share * (_HEIGHT - _BOTTOM - _TOP))

    def level(self, value: float, kind: str, text: str) -> str:
        y = self.y(max(value, 10.0**self.low))
        return (
            f'<line class="{kind}" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="{kind}" x="{_WIDTH - _RIGHT}" y="{y - 4:.1f}" text-anchor="end">'
            f"{text}</text>"
        )

    def svg(self, x_label: str, y_label: str) -> str:
        bottom = _HEIGHT - _BOTTOM
        parts = [
            f'<path class="axis" d="M{_LEFT} {_TOP}V{bottom}H{_WIDTH - _RIGHT}"/>',
            f'<text x="{(_LEFT + _WIDTH) / 2}" y="{_HEIGHT - 6}" text-anchor="middle">'
            f"{x_label}</text>",
            f'<text transform="translate(14 {(_TOP + bottom) / 2}) rotate(-90)" '
            f'text-anchor="middle">{y_label}</text>',
        ]
        for k in _ticks(self.left, self.right):
            parts.append(
                f'<text x="{self.x(10.0**k):.1f}" y="{bottom + 16}" text-anchor="middle">'
                f"1e{k}</text>"
            )
        for k in _ticks(self.low, self.high):
            y = self.y(10.0**k)
            parts.append(
                f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">1e{k}</text>'
                f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" '
                f'y2="{y:.1f}"/>'
            )
        return "".join(parts)


def _ticks(low: float, high: float) -> range:
    return range(int(low), int(high) + 1, max(1, round((high - low) / 6)))


def _number(value: float) -> str:
    return "not measured" if np.isnan(value) else f"{value:.6g}"
