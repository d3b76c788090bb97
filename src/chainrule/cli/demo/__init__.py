"""The demo: one real objective, its gradient computed, checked, written down and used.

What is measured is in `costs` and `methods`, what it looks like in `picture`; here is what is said.
"""

import contextlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

import chainrule
from chainrule.base import tree
from chainrule.base.progress import Progress
from chainrule.cli.demo import costs, methods
from chainrule.cli.demo.costs import Backprop, Differences
from chainrule.cli.demo.methods import Run
from chainrule.cli.demo.picture import Results, draw, expect_place
from chainrule.cli.demo.subject import Subject, load

HIDDEN = (1, 3, 13, 53, 213, 853, 3413, 13653)  # 75 parameters each: from 85 to a million


def show(console: Console, picture: Path, quick: bool = False) -> Results:
    """Run the whole demo, printing as it goes, and write the picture and, beside it, the page."""
    expect_place(picture)
    with one_thread():
        return _show(console, picture, quick)


def one_thread() -> contextlib.AbstractContextManager[Any]:
    """Keeps BLAS to one thread: matrices this small gain nothing, and lose on a busy machine."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return contextlib.nullcontext()
    return threadpool_limits(limits=1)


def _show(console: Console, picture: Path, quick: bool) -> Results:
    start = perf_counter()
    hidden, budget, sizes = (12, 60, HIDDEN[:5]) if quick else (32, 200, HIDDEN)
    speak = Speaker(console)
    subject = load(hidden)
    introduce(speak, subject)
    backprop = by_backprop(speak, subject)
    differences = by_differences(speak, subject, backprop)
    check(speak, subject)
    buggy = catch_the_slip(speak, subject)
    derive(speak, subject, picture.with_suffix(".html"))
    runs = minimise(speak, subject, budget)

    with Progress("cost against size", len(sizes)) as progress:
        scaling = costs.scaling(subject, list(sizes), progress.advance)
    results = Results(subject, backprop, differences, buggy, scaling, runs)
    speak.heading("The picture")
    if find_spec("matplotlib"):
        draw(results, picture)
        speak(f"All of this at a glance: [bold]{escape(str(picture))}[/]")
    else:
        speak(escape("None, for want of matplotlib: pip install 'chainrule[report]' brings it."))
    speak(f"The demo took {perf_counter() - start:.0f} s.")
    return results


class Speaker:
    """Prints numbered headings, paragraphs and tables in one style."""

    def __init__(self, console: Console):
        self.console = console
        self.chapter = 0

    def heading(self, text: str) -> None:
        self.chapter += 1
        self.console.print(f"\n[bold cyan]{self.chapter}  {text}[/]", highlight=False)

    def __call__(self, thing: Any) -> None:
        """A paragraph (with rich's markup) or anything rich can print, indented."""
        width = min(self.console.width, 100)
        indented = Padding(thing, (0, 0, 0, 3), expand=False)
        self.console.print(indented, width=width, highlight=False)

    def rows(self, rows: Sequence[tuple[str, str]]) -> None:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        for row in rows:
            table.add_row(*row)
        self(table)


# --- the chapters


def introduce(speak: Speaker, subject: Subject) -> None:
    speak.heading("A function")
    speak(
        "[bold]examples/digits.py[/] is plain NumPy and imports nothing of chainrule. "
        "[bold]loss(params, X, Y)[/] is the cross-entropy of a network of two layers that reads "
        "handwritten digits: one number, a composition of matrix products, tanh, exp, log and sums."
    )
    shapes = ", ".join(f"{name} {array.shape}" for name, array in subject.params.items())
    speak.rows(
        [
            ("parameters", f"{subject.size:,}: {shapes}"),
            ("images", f"{len(subject.X):,} to learn from, {len(subject.X_test):,} held out"),
        ]
    )


def by_backprop(speak: Speaker, subject: Subject) -> Backprop:
    speak.heading("Its gradient by backpropagation")
    speak(
        "Backpropagation is the chain rule, applied to the steps of the function from the last to "
        "the first. It computes a gradient. It is not gradient descent, and it trains nothing."
    )
    speak("[bold]value, gradient = cr.value_and_grad(loss)(params, X, Y)[/]")
    repeats = 25
    with Progress("timing backprop", repeats) as progress:
        backprop = costs.backprop(subject, repeats, progress.advance)
    speak.rows(
        [
            ("value", f"{backprop.value:.6f}"),
            ("gradient", f"{subject.size:,} partial derivatives, exact to rounding"),
            (
                "cost",
                f"{backprop.evaluations:.1f} evaluations of the function "
                f"({1e3 * backprop.seconds:.2f} ms, the function alone "
                f"{1e3 * backprop.seconds_f:.2f} ms; the fastest of {repeats} runs)",
            ),
        ]
    )
    return backprop


def by_differences(speak: Speaker, subject: Subject, backprop: Backprop) -> Differences:
    speak.heading("The same gradient by finite differences")
    speak(
        "Move one parameter, see how the value changes, and do so for each of them. This knows no "
        "calculus, so it is an independent witness; but it is approximate, and its cost grows with "
        "the number of parameters."
    )
    differences = costs.differences(subject)
    apart = np.max(np.abs(differences.gradient - backprop.gradient))
    largest = np.max(np.abs(backprop.gradient))
    speak.rows(
        [
            (
                "cost",
                f"{differences.evaluations:,} evaluations of the function for "
                f"{subject.size:,} parameters ({differences.seconds:.1f} s)",
            ),
            ("against backprop", f"{differences.seconds / backprop.seconds:,.0f} times the time"),
            ("largest difference", f"{apart:.1e}, where the largest derivative is {largest:.1e}"),
        ]
    )
    return differences


def check(speak: Speaker, subject: Subject) -> None:
    speak.heading("Checked")
    speak(
        "Few evaluations are enough to compare a gradient with the function it belongs to: "
        "[bold]cr.check(loss, params, X, Y)[/]"
    )
    speak(chainrule.check(subject.digits.loss, *subject.point))


def catch_the_slip(speak: Speaker, subject: Subject) -> np.ndarray:
    speak.heading("A slip, caught")
    speak(
        "The same file holds backpropagation written by hand, once right and once with a slip: "
        "1 - H where the derivative of tanh is 1 - H**2. Nothing crashes with it; training just "
        "ends up worse. [bold]cr.check(loss, params, X, Y, grad=loss_grad_buggy)[/]"
    )
    wrong = subject.digits.loss_grad_buggy
    speak(chainrule.check(subject.digits.loss, *subject.point, grad=wrong))
    return tree.ravel(wrong(*subject.point))[0]


def derive(speak: Speaker, subject: Subject, page: Path) -> None:
    speak.heading("The derivation")
    speak(
        "The chain rule written down as by hand: each statement of the function with the line it "
        "comes from, then the way back, where [bold]v_bar[/] is the derivative of the value by v. "
        "[bold]cr.explain(loss, params, X, Y, wrt=0)[/]"
    )
    derivation = chainrule.explain(subject.digits.loss, *subject.point, wrt=0)
    speak("\n[bold]forward[/]")
    speak(forward_table(derivation))
    speak("\n[bold]backward[/]")
    speak(steps_table(derivation.backward))
    derivation.html(page)
    speak(f"\nTo step through it, code and graph beside it: [bold]{escape(str(page))}[/]")


def forward_table(derivation: chainrule.Derivation) -> Table:
    """The user's lines, and under each what it defines."""
    table = steps_table(())
    for statement in derivation.forward:
        source = Text(str(statement.line), style="dim", no_wrap=True, overflow="ellipsis")
        table.add_row(source, "")
        add_steps(table, statement.definitions, indent=2)
    return table


def steps_table(steps: Sequence[Any]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(ratio=1)
    table.add_column(justify="right", no_wrap=True)
    add_steps(table, steps)
    return table


def add_steps(table: Table, steps: Sequence[Any], indent: int = 0) -> None:
    for step in steps:
        shape = Text(" × ".join(map(str, step.shape)), style="dim")
        table.add_row(Padding(Text(f"{step.name} = {step.text}"), (0, 0, 0, indent)), shape)


def minimise(speak: Speaker, subject: Subject, budget: int) -> list[Run]:
    speak.heading("One gradient, four methods")
    speak(
        "The gradient is a fact about the function. What to do with it is another matter: here "
        "four methods get the same function and the same gradient, from the same start, and may "
        f"use {budget} gradients each. Gradient descent is ten lines in "
        "examples/gradient_descent.py, with a step size found by hand; the other three are SciPy's."
    )
    runs = []
    with Progress("minimising", budget * len(methods.METHODS)) as progress:
        for k, name in enumerate(methods.METHODS):
            tick = lambda used, k=k: progress.advance(k * budget + used - progress.done)
            runs.append(methods.run(name, subject, budget, tick))
    start = subject.digits.loss(*subject.point)
    speak(methods_table(runs, float(start), subject.accuracy(subject.params)))
    speak(
        f"Accuracy is that on the {len(subject.X_test)} held-out images. Each gradient comes with "
        "the value. A product is one of the Hessian with a vector, the derivative of the gradient "
        "in one direction, by the same chain rule; only Newton-CG asks for it."
    )
    return runs


def methods_table(runs: list[Run], loss: float, accuracy: float) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("method", no_wrap=True)
    for column in ("loss", "accuracy", "gradients", "products", "seconds"):
        table.add_column(column, justify="right")
    table.add_row("(start)", f"{loss:.4f}", f"{100 * accuracy:.1f} %", "", "", "", style="dim")
    best = max(run.accuracy for run in runs)
    for run in runs:
        table.add_row(
            run.name,
            f"{run.loss:.4f}",
            f"{100 * run.accuracy:.1f} %",
            f"{run.gradients}",
            f"{run.products}",
            f"{run.seconds:.1f}",
            style="bold" if run.accuracy == best else "",
        )
    return table
