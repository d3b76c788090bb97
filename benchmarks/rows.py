"""What a row of ``rules.py`` is, and the short ways to write one.

A row is an operation, its operands, and the two derivatives a person would write by hand::

    vjp(*operands)(g)            the pullback; what is outside the inner function was kept by the
                                 forward sweep, and results are arrays of their own, as ours are
    jvp(operands, tangents)      value and tangent
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Row:
    name: str
    f: Callable
    operands: tuple
    vjp: Callable[..., Callable[[Any], Any]] | None = None
    jvp: Callable[[Any, Any], tuple] | None = None


def each(name, f, operands, *terms, vjp=None) -> Row:
    """Elementwise: ``term(d, *operands, y)`` is d times the slope in one operand, for a tangent
    or a cotangent d. ``vjp`` where a person would share work between the operands."""

    def back_of(*xs):
        y = f(*xs)
        return lambda g: tuple(term(g, *xs, y) for term in terms)

    def push(xs, ts):
        y = f(*xs)
        return y, sum_of(term(t, *xs, y) for term, t in zip(terms, ts))

    return Row(name, f, operands, vjp or back_of, push if terms else None)


def several(name, f, x, slopes) -> Row:
    """Several results of one operand: ``slopes(x, *ys)``."""

    def back_of(x):
        ys = f(x)
        return lambda gs: sum_of(g * p for g, p in zip(gs, slopes(x, *ys)))

    def push(xs, ts):
        ys = f(*xs)
        return ys, tuple(ts[0] * p for p in slopes(*xs, *ys))

    return Row(name, f, (x,), back_of, push)


def linear(name, f, operands, vjp=None) -> Row:
    return Row(name, f, operands, vjp, lambda xs, ts: (f(*xs), f(*ts)))


def bilinear(name, f, operands, vjp=None) -> Row:
    def push(xs, ts):
        (a, b), (da, db) = xs, ts
        return f(a, b), f(da, b) + f(a, db)

    return Row(name, f, operands, vjp, push)


def plain(name, f, operands) -> Row:
    """One that nobody writes by hand."""
    return Row(name, f, operands)


def sum_of(terms):
    first, *rest = terms
    return sum(rest, first)


def uniform(*shape, low=0.2, high=1.2, seed=0):
    return np.random.default_rng([seed, *shape]).uniform(low, high, shape)


def spd(n, *count):
    """Symmetric positive definite matrices."""
    a = uniform(*count, n, n, seed=7)
    return a @ np.swapaxes(a, -1, -2) + n * np.eye(n)
