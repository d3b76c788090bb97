"""The demo's result as one picture."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.base.errors import InputError
from chainrule.cli.demo.costs import Backprop, Differences, Scaling
from chainrule.cli.demo.methods import Run
from chainrule.cli.demo.subject import Subject

INK, MUTED, FAINT = "#1f2933", "#6b7785", "#dde3ea"
BLUE, GREEN, ORANGE, RED, VIOLET = "#0072b2", "#009e73", "#e69f00", "#d55e00", "#9467bd"
METHOD_COLOURS = {
    "gradient descent": ORANGE,
    "CG": VIOLET,
    "L-BFGS-B": BLUE,
    "Newton-CG": GREEN,
}
STYLE: dict[Any, Any] = {
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 24,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.minor.visible": False,
    "ytick.minor.visible": False,
    "legend.frameon": False,
    "savefig.facecolor": "white",
}


@dataclass(frozen=True)
class Results:
    """Everything the demo found out."""

    subject: Subject
    backprop: Backprop
    differences: Differences
    buggy: np.ndarray  # the wrong gradient, flat
    scaling: Scaling
    runs: list[Run]

    @property
    def best(self) -> Run:
        return max(self.runs, key=lambda run: run.accuracy)


def expect_place(path: Path) -> None:
    """Refuse a path the picture cannot be written to, before anything is computed for it."""
    remedy = "Choose another place with --picture, ending in .png, .svg or .pdf."
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise InputError(f"{path} is no picture of a known kind.", remedy, at=None)
    if not path.parent.is_dir():
        raise InputError(f"There is no folder {path.parent}.", remedy, at=None)


def draw(results: Results, path: Path) -> None:
    """Write the picture; needs matplotlib, nothing of it stays open."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(11, 8.2))
        FigureCanvasAgg(figure)
        grid = figure.add_gridspec(
            2, 2, left=0.075, right=0.965, top=0.845, bottom=0.075, hspace=0.46, wspace=0.24
        )
        _heading(figure, results)
        _agreement(figure.add_subplot(grid[0, 0]), results)
        _cost(figure.add_subplot(grid[0, 1]), results)
        _methods(figure.add_subplot(grid[1, 0]), results)
        _digits(figure, grid[1, 1], results)
        try:
            figure.savefig(path, dpi=110)
        except OSError as error:
            remedy = "Choose another place with --picture."
            raise InputError(f"The picture was not written: {error}", remedy, at=None) from error


def _heading(figure: Any, results: Results) -> None:
    subject = results.subject
    figure.text(0.02, 0.957, "The gradient of plain NumPy code", size=17, weight="bold")
    figure.text(
        0.02,
        0.925,
        f"examples/digits.py: a two-layer network's cross-entropy on {len(subject.X):,} "
        f"handwritten digits, {subject.size:,} parameters, no framework",
        color=MUTED,
    )


def _subtitle(axes: Any, text: str) -> None:
    axes.text(0, 1.035, text, transform=axes.transAxes, color=MUTED, size=9.5)


def _agreement(axes: Any, results: Results) -> None:
    """Claimed against measured, for every partial derivative."""
    measured = results.differences.gradient
    axes.set_title("1  Right: each derivative against finite differences")
    worst = np.max(np.abs(results.backprop.gradient - measured))
    _subtitle(axes, f"largest difference over {measured.size:,} coordinates: {worst:.0e}")
    dots = {"linewidths": 0, "rasterized": True}
    axes.scatter(measured, results.buggy, s=7, color=RED, alpha=0.5, **dots)
    axes.scatter(measured, results.backprop.gradient, s=7, color=BLUE, **dots)
    _key(axes, 0.03, 0.94, BLUE, "backprop by chainrule")
    _key(axes, 0.03, 0.865, RED, "backprop by hand, with a slip")
    axes.set_xlabel("measured: finite differences")
    axes.set_ylabel("claimed", labelpad=2)
    axes.locator_params(nbins=6)
    axes.grid(color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)


def _key(axes: Any, x: float, y: float, colour: str, text: str) -> None:
    axes.plot(x, y, "o", color=colour, markersize=5, transform=axes.transAxes, clip_on=False)
    axes.text(
        x + 0.025, y, text, color=colour, transform=axes.transAxes, va="center", weight="bold"
    )


def _cost(axes: Any, results: Results) -> None:
    """Cost of one gradient against the number of parameters, both axes logarithmic."""
    scaling = results.scaling
    axes.set_title("2  Cheap: what one gradient costs")
    _subtitle(axes, "in evaluations of the function, for networks of growing size")
    n = np.array(scaling.parameters)
    axes.loglog(n, scaling.differences, color=RED, linewidth=2)
    axes.loglog(n, scaling.backprop, "o-", color=BLUE, linewidth=2, markersize=5)
    own, evaluations = results.subject.size, results.differences.evaluations
    axes.plot(own, evaluations, "o", color=RED, markersize=7, markeredgecolor="white")
    axes.annotate(
        f"{evaluations:,} evaluations\nfor the {own:,} here",
        (own, evaluations),
        (9, -3),
        textcoords="offset points",
        color=RED,
        va="top",
        size=9.5,
    )
    middle = len(n) // 2
    label = {"textcoords": "offset points", "weight": "bold", "size": 10}
    axes.annotate(
        "finite differences: 2 N",
        (n[middle], scaling.differences[middle]),
        (-12, 10),
        color=RED,
        ha="right",
        **label,
    )
    axes.annotate(
        f"backprop by chainrule: {min(scaling.backprop):.1f} to {max(scaling.backprop):.1f}",
        (n[-1], max(scaling.backprop)),
        (0, 12),
        color=BLUE,
        ha="right",
        **label,
    )
    axes.set_xlabel("parameters N")
    axes.set_ylim(bottom=1)
    axes.grid(color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)


def _methods(axes: Any, results: Results) -> None:
    """Loss against gradients used."""
    axes.set_title("3  Useful: one gradient, four methods")
    _subtitle(axes, "backprop gives the gradient; a method is what uses it")
    right = max(run.used[-1] for run in results.runs)
    axes.set_yscale("log")
    for run in results.runs:
        colour = METHOD_COLOURS[run.name]
        axes.plot(run.used, run.losses, color=colour, linewidth=2)
        axes.plot(run.used[-1], run.losses[-1], "o", color=colour, markersize=5)

    lowest, highest = 0.85 * min(run.losses[-1] for run in results.runs), results.runs[0].losses[0]
    axes.set_ylim(lowest, 1.15 * highest)
    row = 0.075 * np.log(highest / lowest)
    ends = _spread(np.log([run.losses[-1] for run in results.runs]), row)
    name = {"x": 1.05 * right, "va": "center"}
    for run, height in zip(results.runs, ends):
        label = f"{run.name}  {100 * run.accuracy:.1f} %"
        axes.text(y=np.exp(height), s=label, color=METHOD_COLOURS[run.name], weight="bold", **name)
    note = "held-out digits read"
    axes.text(y=np.exp(max(ends) + 1.3 * row), s=note, color=MUTED, size=9.5, **name)

    ticks = [
        tick for tick in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5) if lowest <= tick <= highest
    ]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_yticks([], minor=True)
    axes.set_xlim(0, 1.75 * right)
    axes.set_xticks([tick for tick in axes.get_xticks() if tick <= right])
    axes.set_ylabel("loss", labelpad=2)
    axes.set_xlabel("gradients and Hessian-vector products used", loc="left")
    axes.grid(color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)


def _spread(heights: np.ndarray, gap: float) -> np.ndarray:
    """The heights moved apart, upwards, until neighbours are ``gap`` from each other."""
    moved = np.array(heights, float)
    order = np.argsort(moved)
    for below, above in pairwise(order):
        moved[above] = max(moved[above], moved[below] + gap)
    return moved


def _digits(figure: Any, place: Any, results: Results) -> None:
    """Held-out images as the best network reads them."""
    subject, best = results.subject, results.best
    read = np.argmax(subject.digits.predict(best.params, subject.X_test), axis=1)
    truth = np.argmax(subject.Y_test, axis=1)
    wrong = np.flatnonzero(read != truth)

    frame = figure.add_subplot(place)
    frame.set_axis_off()
    frame.set_title(f"4  Real: {100 * best.accuracy:.1f} % of {len(truth)} held-out digits read")
    _subtitle(frame, f"the first of them, then what {best.name} gets wrong (truth in brackets)")
    columns = 8
    chosen = np.concatenate([np.arange(2 * columns), wrong[:columns]])
    cells = place.subgridspec(4, columns, wspace=0.15, hspace=0.5, height_ratios=[0.06, 1, 1, 1])
    for i, image in enumerate(chosen):
        axes = figure.add_subplot(cells[1 + i // columns, i % columns])
        axes.imshow(-subject.X_test[image].reshape(8, 8), cmap="gray", interpolation="nearest")
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_visible(True)
        axes.spines[:].set_color(FAINT)
        right = read[image] == truth[image]
        label = f"{read[image]}" if right else f"{read[image]} ({truth[image]})"
        colour = BLUE if right else RED
        axes.set_title(label, size=10, color=colour, pad=3, loc="center", weight="bold")
