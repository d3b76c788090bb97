"""Gradients that owe nothing to the judge: complex step, and differences in longdouble."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from tests.check.corpus.base import Pair, leaves

STEP = 1e-40


def complex_step(f: Callable, args: tuple) -> list[np.ndarray]:
    """d f / d x = Im f(x + i h) / h, with no difference taken and nothing cancelled."""
    gradient = []
    for k, arg in enumerate(args):
        flat = np.array(arg, complex).reshape(-1)
        slopes = np.zeros(flat.size)
        for i in range(flat.size):
            moved = flat.copy()
            size = STEP * max(abs(flat[i]), 1e-12)
            moved[i] += 1j * size
            there = [*args[:k], moved.reshape(np.shape(arg))[()], *args[k + 1 :]]
            slopes[i] = np.imag(f(*there)) / size
        gradient.append(slopes.reshape(np.shape(arg)))
    return gradient


def quotient(f: Callable, args: tuple, direction: list[np.ndarray], h: float) -> float:
    """The slope along a direction, in doubles, for a look from another side."""
    there, back = (f(*(a + s * h * d for a, d in zip(args, direction))) for s in (1, -1))
    return float((there - back) / (2 * h))


def slope(f: Callable, x: np.ndarray, v: np.ndarray) -> float:
    """Of f at the array x along v, by complex step."""
    return float(np.imag(f(x + 1j * STEP * v)) / STEP)


def true_gradient(pair: Pair) -> list[np.ndarray]:
    if any(np.iscomplexobj(arg) for arg in pair.args):
        return [_of_complex(pair.f, *pair.args)]
    return complex_step(pair.exact or pair.f, pair.args)


def _of_complex(f: Callable, z: np.ndarray) -> np.ndarray:
    """df/dx + i df/dy of real f, by Richardson's differences in longdouble."""
    gradient = np.zeros(z.shape, complex)
    for i in np.ndindex(z.shape):
        for unit in (1, 1j):
            slopes = []
            for h in (np.longdouble(1e-3), np.longdouble(5e-4), np.longdouble(2.5e-4)):
                moved = [z.astype(np.clongdouble) for _ in range(2)]
                moved[0][i] += h * unit
                moved[1][i] -= h * unit
                slopes.append((f(moved[0]) - f(moved[1])) / (2 * h))
            first = [(4 * b - a) / 3 for a, b in pairwise(slopes)]
            gradient[i] += unit * complex((16 * first[1] - first[0]) / 15)
    return gradient


def one_sided(pair: Pair, argument: int, i: int) -> tuple[float, float]:
    """The slopes on the left and on the right, by one extrapolation; NaN outside of the domain."""
    return _one_side(pair, argument, i, -1), _one_side(pair, argument, i, 1)


def _one_side(pair: Pair, argument: int, i: int, sign: int) -> float:
    def quotient(h: float) -> float:
        args = [np.array(arg, float) for arg in pair.args]
        args[argument].reshape(-1)[i] += sign * h
        return (pair.f(*args) - pair.f(*pair.args)) / (sign * h)

    return float(2 * quotient(1e-6) - quotient(2e-6))


def error(claimed: Any, true: list[np.ndarray]) -> float:
    """The largest relative error of an argument's gradient, in the norm."""
    worst = 0.0
    for c, t in zip(leaves(claimed, len(true)), true):
        size = float(np.max(np.abs(t), initial=0.0))
        unit = size or float(np.max(np.abs(c), initial=0.0)) or 1.0
        gap = float(np.linalg.norm((c - t) / unit))
        worst = max(worst, gap / float(np.linalg.norm(t / unit)) if size else gap)
    return worst


def outside(pair: Pair, claimed: Any) -> bool:
    """Whether a gradient at a kink is no subgradient: a coordinate shows it, or a direction."""
    numbers = leaves(claimed, len(pair.args))
    for k, c in enumerate(numbers):
        for i, number in enumerate(c.reshape(-1)):
            if _beyond(number, one_sided(pair, k, i)):
                return True
    (x,), (c,) = pair.args, numbers
    v = np.sign(pair.gradient(x))
    forward, back = ((pair.f(x + s * 1e-6 * v) - pair.f(x)) / (s * 1e-6) for s in (1, -1))
    return _beyond(float(c @ v), (float(back), float(forward)))


def _beyond(number: float, sides: tuple[float, float]) -> bool:
    finite = [side for side in sides if np.isfinite(side)]
    slack = 1e-4 * (1 + max(map(abs, finite)))
    return not min(finite) - slack <= number <= max(finite) + slack
