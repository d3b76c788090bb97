"""Exported source against derivatives written by hand, and against the eager gradient.

Ratios of medians in one process, in units of the plain NumPy function. The point of exporting is
the first column: it should be within 1.2 of the second.
"""

import sys
from pathlib import Path

import numpy as np
from eager import layers, mlp, mlp_by_hand, recurrence, tiny
from timing import medians, versions

import chainrule as cr

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples"))
import digits


def recurrence_by_hand(x):
    n = len(x)
    y = np.zeros(n)
    y[0] = x[0]
    for i in range(1, n):
        y[i] = 0.9 * y[i - 1] + x[i] * x[i]
    x_bar = np.zeros(n)
    y_bar = np.ones(n)
    for i in range(n - 1, 0, -1):
        x_bar[i] = 2 * y_bar[i] * x[i]
        y_bar[i - 1] += 0.9 * y_bar[i]
    x_bar[0] = y_bar[0]
    return np.sum(y), x_bar


def tiny_by_hand(x):
    ys, y = [], x
    for _ in range(30):
        s = np.sin(y)
        z = s * x + y * 0.5
        e = np.exp(-(z * z))
        ys.append((y, s, z, e))
        y = e + x
    y_bar, x_bar = np.ones_like(x), np.zeros_like(x)
    for y0, s, z, e in reversed(ys):
        x_bar += y_bar
        z_bar = -2 * y_bar * e * z
        x_bar += z_bar * s
        y_bar = z_bar * (x * np.cos(y0) + 0.5)
    return np.sum(y), x_bar + y_bar


def digits_by_hand(params, X, Y):
    return digits.loss(params, X, Y), digits.loss_grad(params, X, Y)


def exported(f, args):
    text = cr.source(f, *args)
    namespace = {}
    exec(compile(text, "<exported>", "exec"), namespace)
    (function,) = [v for k, v in namespace.items() if k.endswith("_value_and_grad")]
    return function, text


def agree(a, b):
    pairs = zip(cr.base.tree.flatten(a)[0], cr.base.tree.flatten(b)[0], strict=True)
    return all(np.allclose(x, y, rtol=1e-9) for x, y in pairs)


def row(name, f, args, by_hand, rounds=15):
    function, text = exported(f, args)
    assert agree(function(*args), by_hand(*args)), name
    eager = cr.value_and_grad(f)
    plain, *times = medians(
        *(lambda g=g: g(*args) for g in (f, function, by_hand, eager)), rounds=rounds
    )
    cells = "  ".join(
        f"{n} {t / plain:5.2f}x" for n, t in zip(("exported", "by hand", "eager"), times)
    )
    lines = text[text.index("\ndef ") :].partition("\n\n\n")[0].count("\n")
    print(
        f"{name:<11} numpy {plain * 1e6:8.0f} us   {cells}   "
        f"exported/by hand {times[0] / times[1]:.2f}   {lines} lines",
        flush=True,
    )


def main():
    print(versions(np, cr))
    rng = np.random.default_rng(0)
    row("tiny", tiny(np), (rng.uniform(size=10),), tiny_by_hand)
    row("mlp", mlp(np), (layers(16, 0.3), rng.normal(size=(8, 16))), mlp_by_hand)
    big = layers(256, 0.05), rng.normal(size=(512, 256))
    row("mlp big", mlp(np), big, mlp_by_hand, rounds=7)
    f, x = recurrence(1000)
    row("recurrence", f, (x,), recurrence_by_hand, rounds=9)
    X, Y, _, _ = digits.load()
    row("digits", digits.loss, (digits.init(), X, Y), digits_by_hand, rounds=9)


if __name__ == "__main__":
    sys.exit(main())
