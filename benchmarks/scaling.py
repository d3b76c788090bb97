"""Cost of a gradient in evaluations of the function, from 10 to a million parameters.

Backprop stays flat; finite differences need two evaluations a parameter. Writes docs/scaling.png.
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from timing import medians

import chainrule as cr

SIZES = [20, 100, 1_000, 10_000, 100_000, 1_000_000]


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def network(w, batch=256):
    """A two-layer network with N weights: h = tanh(X A), sum (h B)^2."""
    width = max(1, w.size // 20)
    x = np.linspace(-1, 1, batch * 10).reshape(batch, 10)
    a = w[: 10 * width].reshape(10, width)
    b = w[10 * width : 20 * width].reshape(width, 10)
    return np.mean((np.tanh(x @ a) @ b) ** 2)


def differences(f, x, h=1e-6):
    """Central differences of every coordinate, for sizes where one can wait for them."""
    g = np.empty_like(x)
    for i in range(x.size):
        e = np.zeros_like(x)
        e[i] = h
        g[i] = (f(x + e) - f(x - e)) / (2 * h)
    return g


def main():
    figure, axes = plt.subplots(figsize=(6.4, 4.0), constrained_layout=True)
    for f, colour in ((rosenbrock, "#0b6e99"), (network, "#c2571a")):
        backprop, sizes_fd, fd = [], [], []
        for n in SIZES:
            x = np.random.default_rng(0).normal(size=n) * 0.1 + 0.5
            plain, both = medians(
                lambda f=f, x=x: f(x), lambda f=f, x=x: cr.value_and_grad(f)(x), rounds=7
            )
            backprop.append(both / plain)
            text = f"{f.__name__:<11} N={n:<8} f {plain * 1e6:9.1f} us"
            text += f"   gradient {both / plain:5.1f} f"
            if n <= 1_000:
                (slow,) = medians(lambda f=f, x=x: differences(f, x), rounds=3)
                sizes_fd.append(n)
                fd.append(slow / plain)
                text += f"   differences {slow / plain:8.0f} f"
            print(text, flush=True)
        axes.loglog(SIZES, backprop, "o-", color=colour, label=f"backprop, {f.__name__}")
        axes.loglog(
            sizes_fd, fd, "s--", color=colour, alpha=0.6, label=f"differences, {f.__name__}"
        )
    axes.loglog(SIZES, [2 * n for n in SIZES], ":", color="grey", label="2 N evaluations")
    axes.set_xlabel("parameters N")
    axes.set_ylabel("cost of the gradient, evaluations of f")
    axes.set_title("Backprop costs a few evaluations, whatever the number of parameters")
    axes.title.set_fontsize(10)
    axes.grid(alpha=0.25)
    axes.legend(fontsize=8, frameon=False)
    target = Path(__file__).resolve().parent.parent / "docs" / "scaling.png"
    figure.savefig(target, dpi=110)
    print("wrote docs/scaling.png")


if __name__ == "__main__":
    main()
