"""Functions whose values have lost digits, with the slope they would have in exact arithmetic.

A factor that has lost its digits to cancellation, a cast or a tolerance is a staircase: between its
treads nothing of it moves, and the slope seen there is that of the other factors alone. ``drawn``
makes any number of such functions; each is written once, for NumPy and for mpmath alike.
"""

import math
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import mpmath as mp
import numpy as np


class Case(NamedTuple):
    """f(x) in floating point, and its slope at x to 30 digits."""

    family: str
    name: str
    f: Callable[[Any], Any]
    x: float
    slope: mp.mpf


class Doubles:
    """The operations of the expressions below, in double precision."""

    tanh, cosh, cos, sin, exp, log, sqrt = (
        staticmethod(g) for g in (np.tanh, np.cosh, np.cos, np.sin, np.exp, np.log, np.sqrt)
    )
    single = staticmethod(np.float32)
    rounded = staticmethod(np.round)

    @staticmethod
    def noise(y: Any, size: float) -> float:
        seed = zlib.crc32(struct.pack("d", float(y)))
        return size * (random.Random(seed).random() - 0.5)

    @staticmethod
    def root(g: Callable, low: float, high: float, tolerance: float) -> float:
        while high - low > tolerance:
            middle = (low + high) / 2
            low, high = (middle, high) if g(middle) < 0 else (low, middle)
        return (low + high) / 2

    @staticmethod
    def fixed_point(g: Callable, start: float, tolerance: float) -> float:
        y = start + Doubles.noise(g(start), 1.0)  # a warm start, say
        while abs(g(y) - y) > tolerance:
            y = g(y)
        return y


class Exact:
    """The same, as they are meant."""

    tanh, cosh, cos, sin, exp, log, sqrt = (
        staticmethod(g) for g in (mp.tanh, mp.cosh, mp.cos, mp.sin, mp.exp, mp.log, mp.sqrt)
    )
    single = staticmethod(mp.mpf)
    rounded = staticmethod(lambda y, digits: y)
    noise = staticmethod(lambda y, size: mp.mpf(0))

    @staticmethod
    def root(g: Callable, low: float, high: float, tolerance: float) -> mp.mpf:
        return mp.findroot(g, (low, high), solver="anderson", tol=1e-90, maxsteps=200)

    @staticmethod
    def fixed_point(g: Callable, start: float, tolerance: float) -> mp.mpf:
        return mp.findroot(lambda y: g(y) - y, mp.mpf(start), tol=1e-90, maxsteps=200)


Expression = Callable[[Any, Any], Any]  # of the argument and one of the two classes above


def lost_factors(r: random.Random) -> dict[str, Expression]:
    """Small differences of numbers near 1, moving with the argument at about its own scale."""
    a, b, c = r.uniform(4, 9), r.uniform(0.3, 1.2), r.uniform(0.2, 1)
    t, k = 10 ** r.uniform(-6.5, -3), float(round(10 ** r.uniform(2, 6)))  # k * k is exact
    return {
        "1 - tanh^2": lambda s, m: 1 - m.tanh(a - b * s) ** 2,
        "1 + tanh": lambda s, m: 1 + m.tanh(b * s - a),
        "1 - cos": lambda s, m: 1 - m.cos(10 * t * (1 + c + b * s)),
        "exp - 1": lambda s, m: m.exp(t * (c + b * s)) - 1,
        "sqrt - 1": lambda s, m: m.sqrt(1 + t * (2 + m.sin(b * s + c))) - 1,
        "hypot - x": lambda s, m: m.sqrt(k * k + (c + b * s) ** 2) - k,
        "logistic - 1": lambda s, m: 1 - 1 / (1 + m.exp(-2 * a + b * s)),
        "square - square": lambda s, m: (k + c + b * s) ** 2 - k * k,
    }


def smooth_factors(r: random.Random) -> dict[str, Expression]:
    a, b = r.uniform(0.2, 2), r.choice([-1, 1]) * 10 ** r.uniform(-0.6, 0.3)
    return {
        "cosh": lambda s, m: m.cosh(a + b * s),
        "exp": lambda s, m: m.exp(a - b * s),
        "sine": lambda s, m: 2 + m.sin(a + b * s),
        "quotient": lambda s, m: 1 / (4 + a + m.cos(b * s)),
        "square": lambda s, m: (3 + a + m.sin(b * s)) ** 2,
    }


def inaccurate(r: random.Random) -> dict[str, Expression]:
    """Factors of about 1 that are noisy on purpose: casts, rounding, tolerances."""
    a, b, digits = r.uniform(0.5, 1.5), r.uniform(0.3, 1.0), r.choice([4, 6, 8, 10])
    tolerance = 10.0**-digits
    return {
        "float32": lambda s, m: m.single(2 + m.sin(a + b * s)) * 1,
        "float32 argument": lambda s, m: m.exp(m.single(a + b * s)) * 1,
        "rounded": lambda s, m: m.rounded(2 + m.sin(a + b * s), digits),
        "rounded argument": lambda s, m: m.cos(m.rounded(b * s + a / 2, digits)) + 2,
        "random": lambda s, m: 2 + m.sin(a + b * s) + m.noise(s, tolerance),
        "bisection": lambda s, m: m.root(
            lambda y: y + m.exp(y * 0.5) - (2 + a + m.sin(b * s)), -4.0, 7.0, 1e-8
        ),
        "fixed point": lambda s, m: m.fixed_point(
            lambda y: m.cos(y) * (1 + b * m.sin(a * s)) / 2 + 1, 1.0, 1e-8
        ),
    }


def expressions(r: random.Random) -> Iterator[tuple[str, str, Expression]]:
    """One of each kind: (family, name, expression)."""

    def pick(table: dict[str, Expression]) -> tuple[str, Expression]:
        name = r.choice(list(table))
        return name, table[name]

    (p, lost), (q, smooth) = pick(lost_factors(r)), pick(smooth_factors(r))
    (u, other), (v, weight) = pick(lost_factors(r)), pick(smooth_factors(r))
    (w, noisy), L = pick(inaccurate(r)), 10 ** r.uniform(3, 10)
    offset = math.log(L)
    yield "product", f"({p}) {q}", lambda s, m: lost(s, m) * smooth(s, m)
    yield (
        "sum",
        f"({p}) {q} + ({u}) {v}",
        lambda s, m: lost(s, m) * smooth(s, m) + other(s, m) * weight(s, m),
    )
    yield "logarithm", f"log({p}) {q}", lambda s, m: m.log(abs(lost(s, m))) * smooth(s, m)
    yield "quotient", f"{q} / ({p})", lambda s, m: smooth(s, m) / lost(s, m)
    yield (
        "difference",
        f"(({q} + L) - L) {v}",
        lambda s, m: ((smooth(s, m) + L) - L) * weight(s, m),
    )
    yield (
        "log difference",
        f"(log({q} L) - log(L)) {v}",
        lambda s, m: (m.log(smooth(s, m) + L) - offset) * weight(s, m) * L,
    )
    yield "inside", f"{w} × {q}", lambda s, m: noisy(s, m) * smooth(s, m)
    yield "inside", f"{w} + {q}", lambda s, m: noisy(s, m) + 3 * smooth(s, m)


def tables(r: random.Random) -> Iterator[tuple[str, str, Callable, float, mp.mpf]]:
    """A factor interpolated in a table: its slope is that of the table, not of what it is for."""
    spacing, a = 10 ** r.uniform(-4, -1), r.uniform(0.3, 1.5)
    first = math.floor(-4 / spacing) * spacing
    knots = first + spacing * np.arange(int(8 / spacing))
    decimals = r.choice([6, 15])
    heights = np.round(np.exp(a * knots / 2), decimals)
    s = r.uniform(-1, 1)
    k = int(np.searchsorted(knots, s)) - 1
    x0, x1, y0, y1 = (mp.mpf(float(z)) for z in (*knots[k : k + 2], *heights[k : k + 2]))
    slope = (y1 - y0) / (x1 - x0)
    with mp.workdps(30):
        value = y0 + slope * (mp.mpf(s) - x0)
        truth = slope * mp.cosh(a * mp.mpf(s)) + value * a * mp.sinh(a * mp.mpf(s))
    f = lambda s: np.interp(s, knots, heights) * np.cosh(a * s)
    if min(s - knots[k], knots[k + 1] - s) > 0.02 * spacing:  # not at a kink
        yield "table", f"table {spacing:.0e}", f, s, truth


def drawn(count: int, seed: int = 0) -> Iterator[Case]:
    """``count`` rounds of one function of each kind."""
    for k in range(count):
        r = random.Random(f"{seed}/{k}")
        for family, name, expression in expressions(r):
            x = r.choice([0.0, *(r.uniform(-1, 1) for _ in range(4)), 10 ** r.uniform(-3, 0)])
            yield Case(family, name, _double(expression), x, _slope(expression, x))
        for family, name, f, x, slope in tables(r):
            yield Case(family, name, f, x, slope)


def _double(expression: Expression) -> Callable[[Any], Any]:
    return lambda s: expression(s, Doubles)


def _slope(expression: Expression, x: float) -> mp.mpf:
    with mp.workdps(80):
        return mp.diff(lambda s: expression(s, Exact), mp.mpf(x), h=mp.mpf(10) ** -25)
