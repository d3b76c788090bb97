"""Draws the functions of docs/rules.md that have a kink: value, slope, and our slope at the kink.

``python docs/rules/pictures.py`` rewrites the pictures beside this file.
"""

import sys
import warnings
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import chainrule as cr

LINE, DOT, GRID = "#20558a", "#c0392b", "#dddddd"
INK = "#333333"

# name: (text, function of a number, range, kinks)
FUNCTIONS: dict[str, tuple[str, Callable, tuple[float, float], list[float]]] = {
    "abs": ("abs(x)", np.abs, (-2, 2), [0]),
    "relu": ("maximum(x, 0)", lambda x: np.maximum(x, 0), (-2, 2), [0]),
    "maximum": ("maximum(x, 1 - x)", lambda x: np.maximum(x, 1 - x), (-1, 2), [0.5]),
    "clip": ("clip(x, -1, 1)", lambda x: np.clip(x, -1, 1), (-2, 2), [-1, 1]),
    "sign": ("sign(x)", lambda x: np.sign(x) + 0 * x, (-2, 2), [0]),
    "mod": ("mod(x, 1)", lambda x: np.mod(x, 1.0), (-1.5, 1.5), [-1, 0, 1]),
    "sqrt": ("sqrt(x)", np.sqrt, (0, 2), [0]),
    "cbrt": ("cbrt(x)", np.cbrt, (-1, 1), [0]),
    "hypot": ("hypot(x, 0)", lambda x: np.hypot(x, 0.0), (-2, 2), [0]),
    "sort": ("sort([x, 1])[0]", lambda x: np.sort(np.array([x, 1.0]))[0], (-1, 3), [1]),
    "median": ("median([x, 0, 1])", lambda x: np.median(np.array([x, 0, 1])), (-1, 2), [0, 1]),
    "where": ("where(x > 1, log(x), 0)", lambda x: np.where(x > 1, np.log(x), 0), (-1, 3), [1]),
    "sinc": ("sinc(x)", np.sinc, (-3, 3), [0]),
    "arctan2": ("arctan2(x, -1)", lambda x: np.arctan2(x, -1.0), (-2, 2), [0]),
    "interp": (
        "interp(x, [-1, 0, 1], [0, 1, 0.5])",
        lambda x: np.interp(x, [-1, 0, 1], [0, 1, 0.5]),
        (-2, 2),
        [-1, 0, 1],
    ),
}  # fmt: skip


def table(f: Callable, xs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values and slopes of a function of a number."""
    pairs = [cr.value_and_grad(f)(float(x)) for x in xs]
    return tuple(np.array(column, float) for column in zip(*pairs))


def pieces(low: float, high: float, kinks: list[float]) -> list[np.ndarray]:
    """Points between the kinks, up to a little before them."""
    ends = [low, *[k for k in kinks if low < k < high], high]
    gap = 1e-6 * (high - low)
    return [np.linspace(a + gap, b - gap, 160) for a, b in pairwise(ends)]


def draw(name: str, file: Path) -> None:
    text, f, (low, high), kinks = FUNCTIONS[name]
    figure, (left, right) = plt.subplots(1, 2, figsize=(6, 2.1), dpi=100, layout="constrained")
    for x in pieces(low, high, kinks):
        y, dy = table(f, x)
        left.plot(x, y, color=LINE, lw=1.8)
        right.plot(x, np.where(np.abs(dy) < 6, dy, np.nan), color=LINE, lw=1.8)
    at, slopes = table(f, np.array(kinks, float))
    left.plot(kinks, at, "o", color=DOT, ms=5, zorder=3)
    _slopes_at(right, kinks, slopes)
    left.set_title(text, fontsize=10, color=INK)
    right.set_title("slope", fontsize=10, color=INK)
    for axes in (left, right):
        axes.set_xlim(low, high)
        axes.margins(y=0.15)
        axes.grid(color=GRID, lw=0.6)
        axes.tick_params(labelsize=8, colors=INK)
        for side in axes.spines.values():
            side.set_color("#aaaaaa")
    figure.savefig(file, metadata={"Software": None}, facecolor="white")
    plt.close(figure)


def _slopes_at(axes, kinks: list[float], slopes: np.ndarray) -> None:
    """A dot and its number at each kink; an arrow upwards where the slope is infinite."""
    for x, slope in zip(kinks, slopes):
        if np.isfinite(slope):
            axes.plot([x], [slope], "o", color=DOT, ms=5, zorder=3)
        else:
            top = axes.get_ylim()[1]
            axes.plot([x], [top], "^", color=DOT, ms=7, zorder=3, clip_on=False)
        label = f"{slope + 0:.3g}" if np.isfinite(slope) else "inf"
        y = slope if np.isfinite(slope) else axes.get_ylim()[1]
        axes.annotate(
            label, (x, y), (6, 5 if np.isfinite(slope) else -9), textcoords="offset points",
            fontsize=8, color=DOT,
        )  # fmt: skip


def main(folder: Path) -> None:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", cr.IndependentOutputWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        for name in FUNCTIONS:
            draw(name, folder / f"{name}.png")


if __name__ == "__main__":
    main(Path(__file__).parent)
    print(f"drew {len(FUNCTIONS)} pictures", file=sys.stderr)
