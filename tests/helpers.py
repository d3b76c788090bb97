"""Shared by the tests: a judge that knows nothing of chainrule, random directions, inner products.

The judge is central differences in float64, extrapolated to step zero, with an error estimate of
its own; tolerances come from that estimate.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import chainrule as cr

STEPS = 2.0 ** -np.arange(3, 22, 2)  # each a quarter of the one before


@dataclass(frozen=True)
class Slope:
    """Derivative of a vector function of one number, and a bound on its error."""

    value: np.ndarray
    error: np.ndarray

    def refutes(self, claimed: Any, rtol: float = 1e-7) -> np.ndarray:
        """Where ``claimed`` is further away than the estimate's own error and rounding explain."""
        claimed = np.asarray(claimed)
        size = np.max(np.abs(self.value), initial=0.0, where=np.isfinite(self.value))
        tolerance = 8 * self.error + rtol * (np.abs(self.value) + 1e-3 * size) + 1e-11
        return ~(np.abs(claimed - self.value) <= tolerance)

    def knows(self, rtol: float = 1e-4) -> np.ndarray:
        """Where the estimate is sharp enough to be a judge."""
        size = np.max(np.abs(self.value), initial=1e-3, where=np.isfinite(self.value))
        return self.error <= rtol * (np.abs(self.value) + size)


def slope(F: Callable[[float], np.ndarray]) -> Slope:
    """dF/ds at 0 by extrapolated central differences (2 x 10 evaluations)."""
    with np.errstate(all="ignore"):
        return _extrapolate([(F(h) - F(-h)) / (2 * h) for h in STEPS], 2, _size(F))


def one_sided(F: Callable[[float], np.ndarray], sign: int) -> Slope:
    """The slope of F to the right (sign 1) or to the left (-1) of 0."""
    with np.errstate(all="ignore"):
        at0 = F(0.0)
        return _extrapolate([(F(sign * h) - at0) / (sign * h) for h in STEPS], 1, _size(F))


def _size(F):
    return np.maximum(np.abs(F(STEPS[-1])), np.abs(F(-STEPS[-1])))


def _extrapolate(quotients: list, order: int, size: np.ndarray) -> Slope:
    """Richardson's table; of its entries the one whose neighbours in the table agree best."""
    best = np.full(np.shape(quotients[0]), np.nan, dtype=np.result_type(quotients[0], float))
    error = np.full(best.shape, np.inf)
    previous: list[np.ndarray] = []
    for h, q in zip(STEPS, quotients):
        row = [q]
        rounding = 4e-16 * size / h
        for j, coarse in enumerate(previous[:5]):
            row.append(row[j] + (row[j] - coarse) / (4.0 ** (order * (j + 1)) - 1))
            change = np.maximum(np.abs(row[-1] - row[-2]), np.abs(row[-1] - coarse))
            guess = np.where(np.isfinite(change), change + rounding, np.inf)
            better = guess < error
            best = np.where(better, row[-1], best)
            error = np.where(better, guess, error)
        previous = row
    return Slope(best, error)


def direction(rng: np.random.Generator, x: Any) -> Any:
    """A random direction like ``x``: same shape, dtype, realness; entries away from zero."""
    x = np.asarray(x)

    def draw():
        return rng.uniform(0.4, 1.0, x.shape) * rng.choice([-1.0, 1.0], x.shape)

    t = draw() + 1j * draw() if x.dtype.kind == "c" else draw()
    return t.astype(x.dtype)[()]


def inner(xs: Any, ys: Any) -> float:
    """Re sum conj(x) y over all arrays of two equal sequences."""
    return float(sum(np.sum(np.real(np.conj(np.asarray(x)) * y)) for x, y in zip(xs, ys)))


def weight(xs: Any, ys: Any) -> float:
    """The size of the terms of ``inner``: what its rounding errors are relative to."""
    return float(sum(np.sum(np.abs(x) * np.abs(y)) for x, y in zip(xs, ys)))


def flat(xs: Any) -> np.ndarray:
    """All numbers of a sequence of arrays in one real vector."""
    parts = [np.ravel(np.asarray(x)) for x in xs]
    parts = [p.view(p.real.dtype) if p.dtype.kind == "c" else p for p in parts]
    return np.concatenate(parts).astype(float) if parts else np.zeros(0)


def numeric_gradient(f: Callable[[np.ndarray], Any], x: np.ndarray) -> np.ndarray:
    """Gradient of a scalar function of one real array, entry by entry."""
    x = np.asarray(x, float)
    out = np.empty(x.shape)
    for i in np.ndindex(*x.shape):
        e = np.zeros_like(x)  # laid out as x: views and copies are the same
        e[i] = 1.0
        out[i] = slope(lambda s, e=e: np.asarray(f(x + s * e), float)).value
    return out


def assert_as_numpy(f: Callable[[Any], Any], x: Any, second: bool = True) -> np.ndarray:
    """``f(x)`` on handles is what it is on arrays; its derivatives agree with numbers in all modes.

    Values and dtype must be equal, x unchanged. Reverse, forward and, if ``second``, forward over
    reverse and reverse over reverse. Returns the gradient of a weighted sum of the values.
    """
    x = np.asarray(x, float)
    before = x.copy()
    want = np.asarray(f(x.copy(order="K")))
    w = np.cos(1.0 + np.arange(want.size)).reshape(want.shape)
    t = np.empty_like(x)
    t[...] = np.sin(2.0 + np.arange(x.size)).reshape(x.shape)

    def weighted(z):
        y = f(z)
        return np.sum(y * w) if second is False else np.sum(y * w + 0.25 * y * y)

    y, pullback = cr.vjp(f, x)
    got = np.asarray(y)
    assert got.dtype == want.dtype and got.shape == want.shape, (got, want)
    assert np.array_equal(got, want, equal_nan=True), f"vjp's value {got}, NumPy's {want}"
    (bar,) = pullback(w.astype(want.dtype)[()])
    numbers = numeric_gradient(lambda z: np.sum(np.asarray(f(z.copy(order="K"))) * w), x)
    _close("vjp", bar, numbers)

    pushed, dy = cr.jvp(f, (x,), (t,))
    assert np.array_equal(pushed, want, equal_nan=True), f"jvp's value {pushed}, NumPy's {want}"
    along = slope(lambda s: np.ravel(f(x + s * t)).astype(float)).value.reshape(want.shape)
    _close("jvp", dy, along)

    if second:
        gradient = cr.grad(weighted)
        _, forward = cr.jvp(gradient, (x,), (t,))
        along = slope(lambda s: np.ravel(gradient(x + s * t))).value.reshape(x.shape)
        _close("jvp of grad", forward, along, 1e-6)
        (backward,) = cr.vjp(gradient, x)[1](t)
        _close("vjp of grad", backward, forward, 1e-9)
    assert np.array_equal(x, before), "the caller's argument was changed"
    return bar


def _close(mode: str, got: Any, want: Any, rtol: float = 1e-7) -> None:
    scale = 1 + np.max(np.abs(want), initial=0.0)
    assert np.shape(got) == np.shape(want), f"{mode}: shape {np.shape(got)}, not {np.shape(want)}"
    assert np.allclose(got, want, rtol=rtol, atol=rtol * scale), f"{mode} {got}\nnumbers {want}"
