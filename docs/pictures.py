"""The pictures of the tutorial: ``python docs/pictures.py`` draws them again.

Each is one SVG for day and night: its colours are variables, which a style sheet inside sets for
the colour scheme of the page around it.
"""

import io
import math
import re
import sys
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("svg")
import matplotlib.pyplot as plt

DOCS = Path(__file__).resolve().parent
# drawn in the first colour, which stands for the variable; by day, at night
COLOURS = {
    "ink": ("#010101", "#24292f", "#d5d8de"),
    "faint": ("#020202", "#d8dbe0", "#454a56"),
    "blue": ("#030303", "#0b6c9c", "#6bbbe6"),
    "orange": ("#040404", "#c2571a", "#f0a070"),
    "green": ("#050505", "#12805c", "#5fce9f"),
}
INK, FAINT, BLUE, ORANGE, GREEN = (drawn for drawn, _, _ in COLOURS.values())
STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "mathtext.fontset": "stix",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": FAINT,
    "xtick.color": INK,
    "ytick.color": INK,
    "svg.hashsalt": "chainrule",
}


def f(x):
    """The line of the tutorial; NumPy's sine, so that it takes complex numbers."""
    return x * np.sin(x * x)


def slope(x):
    return np.sin(x * x) + 2 * x * x * np.cos(x * x)


# ---------------------------------------------------------------- the pictures


def one_line():
    """The operations of x sin(x x): values forward, derivatives of the result backward."""
    x = 1.5
    u, v = x * x, math.sin(x * x)
    u_bar, v_bar = x * math.cos(u), x
    figure, axes = blank(8.4, 3.5)
    places = {"x": (0.0, 0.0), "u": (2.2, 1.0), "v": (4.4, 1.0), "y": (6.6, 0.0)}
    texts = {
        "x": ("x", x, slope(x)),
        "u": (r"u = x\cdot x", u, u_bar),
        "v": (r"v = \sin u", v, v_bar),
        "y": (r"y = x\cdot v", x * v, 1.0),
    }
    for start, end, local, above in [
        ("x", "u", rf"$2x = {2 * x:.2f}$", True),
        ("u", "v", rf"$\cos u = {math.cos(u):.2f}$", False),
        ("v", "y", rf"$x = {x:.2f}$", True),
        ("x", "y", rf"$v = {v:.2f}$", False),
    ]:
        arrow(axes, places[start], places[end])
        a, b = np.array(places[start]), np.array(places[end])
        middle = (a + b) / 2 + [0, 0.17 if above else -0.17]
        tilt = math.degrees(math.atan2(*(b - a)[::-1]))
        axes.text(*middle, local, ha="center", va="center", size=11, rotation=tilt)
    for name, (formula, value, bar) in texts.items():
        px, py = places[name]
        axes.plot(px, py, "o", color=INK, ms=7)
        side = 1 if name in "uv" else -1
        lines = [
            (f"${formula}$", INK, 13),
            (f"{value:.4f}", BLUE, 11),
            (rf"$\bar {name} = {bar:.4f}$", ORANGE, 12),
        ]
        if side > 0:
            lines.reverse()
        for i, (text, colour, size) in enumerate(lines):
            height = py + side * (0.22 + 0.21 * i)
            axes.text(px, height, text, color=colour, size=size, ha="center", va="center")
    axes.text(-0.6, 1.85, "values: forward", color=BLUE, ha="left")
    axes.text(7.2, 1.85, r"$\bar v = \partial y/\partial v$: backward", color=ORANGE, ha="right")
    axes.set(xlim=(-0.7, 7.3), ylim=(-0.85, 2.0))
    return figure


def network():
    """The network's values with their shapes, and backward what each line hands to its operands."""
    figure, axes = blank(9.6, 4.0)
    steps = [  # name, shape, operation that gives it, its bar
        ("X", "(n, p)", "", ""),
        ("Z", "(n, k)", "XW + b", r"(1 - H^2)\,\bar H"),
        ("H", "(n, k)", r"\tanh Z", r"\bar s\,w^\top"),
        ("s", "(n,)", "Hw + c", r"t\,\bar m"),
        ("m", "(n,)", "t\\,s", r"-\bar\ell\,/\,(1 + e^m)"),
        (r"\ell", "(n,)", r"\log(1 + e^{-m})", "1/n"),
        ("L", "()", r"\frac{1}{n}\sum\ell + \frac{\lambda}{2}\sum W^2", "1"),
    ]
    for i, (name, shape, operation, bar) in enumerate(steps):
        x = 1.6 * i
        axes.plot(x, 0, "o", color=INK, ms=7)
        axes.text(x, -0.25, f"${name}$  {shape}", ha="center", va="center", size=11)
        if i:
            arrow(axes, (x - 1.6, 0), (x, 0))
            axes.text(x, -0.5, f"${operation}$", ha="center", va="center", color=BLUE, size=11)
            formula = rf"$\bar {name} = {bar}$" if len(name) == 1 else rf"$\bar{{{name}}} = {bar}$"
            axes.text(x, -0.78, formula, ha="center", va="center", color=ORANGE, size=11)
    parameters = [  # name, shape, position, the node it enters, its bar
        ("W", "(p, k)", 0.9, 1.6, r"X^\top\bar Z + \lambda W"),
        ("b", "(k,)", 2.7, 1.6, r"\sum_i \bar Z_{ij}"),
        ("w", "(k,)", 4.2, 4.8, r"H^\top\bar s"),
        ("c", "()", 5.6, 4.8, r"\sum_i \bar s_i"),
    ]
    for name, shape, x, into, bar in parameters:
        axes.plot(x, 0.8, "o", color=INK, ms=7)
        arrow(axes, (x, 0.8), (into, 0))
        side, edge = ("right", x - 0.12) if name == "W" else ("center", x)
        axes.text(edge, 1.03, f"${name}$  {shape}", ha=side, va="center", size=11)
        axes.text(edge, 1.3, rf"$\bar {name} = {bar}$", ha=side, color=ORANGE, size=11)
    bend = {"arrowstyle": "-|>", "color": INK, "lw": 1.2, "shrinkA": 8, "shrinkB": 8}
    bend["connectionstyle"] = "arc,angleA=85,angleB=95,armA=80,armB=138,rad=30"
    axes.annotate("", (9.6, 0), (0.9, 0.8), arrowprops=bend)
    axes.set(xlim=(-1.0, 10.3), ylim=(-0.95, 2.0))
    return figure


def v_curve():
    """Error of three kinds of differences against the step."""
    x, h = 1.5, np.logspace(-16, 0, 161)
    curves = [
        ("forward", (f(x + h) - f(x)) / h, ORANGE),
        ("central", (f(x + h) - f(x - h)) / (2 * h), BLUE),
        ("complex step", np.imag(f(x + 1j * h)) / h, GREEN),
    ]
    figure, axes = plt.subplots(figsize=(7.6, 4.4))
    for _, estimate, colour in curves:
        error = np.abs(estimate - slope(x)) / abs(slope(x))
        axes.loglog(h, np.maximum(error, 1e-16), color=colour, lw=1.8)
    axes.text(1e-7, 1e-4, "forward", color=ORANGE, weight="bold", ha="left")
    axes.text(5e-4, 3e-9, "central", color=BLUE, weight="bold", ha="left")
    axes.text(1e-13, 1e-15, "complex step", color=GREEN, weight="bold", ha="center")
    axes.text(3e-13, 1e-7, "rounding:\ndigits cancel", ha="center", va="top")
    axes.text(2e-5, 3.0, "truncation:\nthe curve bends", ha="center", va="top")
    axes.set(xlabel="step h", ylabel="relative error", xlim=(1e-16, 1), ylim=(5e-17, 5))
    return figure


def noise():
    """Values of a polynomial that lost digits, and slopes of it with two steps."""
    coefficients = [1, -6, 15, -20, 15, -6, 1]
    p = lambda x: np.polyval(coefficients, x)
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.6))
    x = 1 + np.linspace(-4e-3, 4e-3, 201)
    left.plot(1e3 * (x - 1), 1e15 * p(x), ".", color=ORANGE, ms=3)
    left.plot(1e3 * (x - 1), 1e15 * (x - 1) ** 6, color=BLUE, lw=2)
    left.set(xlabel="x - 1, in 1e-3", ylabel="value, in 1e-15", ylim=(-2.5, 6.5))
    left.text(-2.6, 5.6, "as computed", color=ORANGE, weight="bold")
    left.text(-2.6, 4.8, "as it is", color=BLUE, weight="bold")
    h, at, true = np.logspace(-8, 0, 121), 1.5, 6 * 0.5**5
    rough = lambda x: np.float32(p(np.float32(x)))
    for fun, colour in [(p, BLUE), (rough, ORANGE)]:
        estimate = np.array([(float(fun(at + s)) - float(fun(at - s))) / (2 * s) for s in h])
        right.loglog(h, np.maximum(abs(estimate - true) / true, 1e-16), color=colour, lw=1.8)
    right.text(1.2e-8, 2e-4, "in float32", color=ORANGE, weight="bold")
    right.text(1.2e-8, 3e-11, "in float64", color=BLUE, weight="bold")
    right.set(xlabel="step h at x = 1.5", ylabel="relative error of the slope")
    right.set(ylim=(1e-13, 1e4))
    figure.tight_layout(w_pad=2.5)
    return figure


PICTURES = {
    "tutorial/one_line.svg": one_line,
    "tutorial/network.svg": network,
    "tutorial/v_curve.svg": v_curve,
    "tutorial/noise.svg": noise,
}

# ---------------------------------------------------------------- drawing


def blank(width, height):
    figure, axes = plt.subplots(figsize=(width, height))
    axes.axis("off")
    return figure, axes


def arrow(axes, start, end):
    style = {"arrowstyle": "-|>", "color": INK, "shrinkA": 8, "shrinkB": 8, "lw": 1.2}
    axes.annotate("", end, start, arrowprops=style)


def svg(draw) -> str:
    """The picture as text: the same text each time, with variables for colours."""
    with plt.rc_context(STYLE):
        figure = draw()
        file = io.StringIO()
        undated = {"Date": None}
        figure.savefig(file, format="svg", transparent=True, bbox_inches="tight", metadata=undated)
        plt.close(figure)
    text = file.getvalue()
    for name, (drawn, _, _) in COLOURS.items():
        text = text.replace(drawn, f"var(--{name})")
    day, night = ("".join(f"--{name}:{c[i]};" for name, c in COLOURS.items()) for i in (1, 2))
    style = f"<style>:root{{{day}}}@media (prefers-color-scheme:dark){{:root{{{night}}}}}</style>"
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.S)
    return re.sub(r"(<svg [^>]*>)", rf"\1\n{style}", text, count=1)


if __name__ == "__main__":
    for path in sys.argv[1:] or PICTURES:
        (DOCS / path).write_text(svg(PICTURES[path]))
        print(path)
