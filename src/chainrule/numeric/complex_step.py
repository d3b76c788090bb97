"""Derivatives from one evaluation at a complex point: Im f(x + ih) / h, without cancellation.

Right only where f is made of analytic operations: ``abs``, ``conj``, ``real`` or a branch on the
imaginary part make it wrong in silence. So it is believed only where it agrees with real
differences. For those the complex values help too: with D(h) the central quotient and C(h) the
complex one, D = f' + h^2 f'''/6 + ... and C = f' - h^2 f'''/6 + ..., and the mean of both is f' up
to h^4.   [Squire and Trapp 1998; Martins, Sturdza and Alonso 2003]
"""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from chainrule.numeric.points import Function

_TINY = 2.0**-66  # relative to the coordinate; its square vanishes beside 1, and float32 holds it
_STEPS = (2.0**-10, 2.0**-16, 2.0**-24)  # for the comparison with real differences


@dataclass(frozen=True, eq=False)
class ComplexSlopes:
    """Partial derivatives (N, m) and bounds on their errors."""

    value: np.ndarray
    bound: np.ndarray


def complex_slopes(function: Function, rows: Iterable[int]) -> ComplexSlopes | None:
    """All partial derivatives, or None where f does not take complex points or is not analytic.

    rows : the coordinates to go through (a progress bar, perhaps); all of them, in order. Costs
    N + 8 evaluations where it works (6 for a single number), and usually one where it does not.
    Call inside ``quiet()``.
    """
    point = function.point
    if not point.is_real or function.dtype.kind == "c" or not np.isfinite(function.base).all():
        return None
    rng = np.random.default_rng(0)
    # powers of two times a sign: real moves along it are exact, see Coordinate and Direction
    first = point.scale * rng.choice([-1.0, -0.5, 0.5, 1.0], point.size)
    if point.size > 1 and _imaginary(function, point.vector, first, _TINY) is None:
        return None
    table = np.empty((point.size, len(function.base)))
    unit = np.zeros(point.size)
    for i in rows:
        unit[i] = point.scale[i]
        slope = _imaginary(function, point.vector, unit, _TINY)
        if slope is None:
            return None
        table[i] = slope / point.scale[i]
        unit[i] = 0.0
    directions = [first] if point.size == 1 else [first, _equal_shares(table, first, point.scale)]
    relative = np.full(len(function.base), 8 * max(function.eps, float(np.max(point.eps))))
    for direction in directions:
        rounding = _disagreement(function, table, direction)
        if rounding is None:
            return None
        relative = np.maximum(relative, rounding)
    return ComplexSlopes(table, relative * np.abs(table))


def _imaginary(
    function: Function, vector: np.ndarray, direction: np.ndarray, h: float
) -> np.ndarray | None:
    """Im f(vector + ih direction) / h, (m,); None where f refuses or its real part is not f."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            y = np.asarray(function.complex_value(vector + 1j * h * direction))
    except Exception:  # whatever it is, it says that f is not made for complex numbers
        return None
    if y.dtype.kind != "c" or y.shape != function.shape:
        return None
    slope = y.imag.reshape(-1).astype(float) / h / function.unit
    return slope if np.isfinite(slope).all() else None


def _equal_shares(table: np.ndarray, direction: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """A direction in which all coordinates change f alike, as far as their scale allows."""
    share = np.max(np.abs(table), axis=1) * scale
    positive = share[share > 0]
    if not positive.size:
        return direction
    fraction = np.clip(np.min(positive) / np.where(share > 0, share, 1.0), 2.0**-20, 1.0)
    return direction * np.exp2(np.round(np.log2(fraction)))


def _disagreement(
    function: Function, table: np.ndarray, direction: np.ndarray
) -> np.ndarray | None:
    """Relative error (m,) of the slopes as a second evaluation close by shows it; None where real
    differences say that they are wrong."""
    point = function.point
    slope = direction @ table
    size = np.abs(direction) @ np.abs(table)
    close = point.vector + 4 * point.eps * direction
    again = _imaginary(function, close, direction, 0.7 * _TINY)
    if again is None:
        return None
    rounding = 2 * np.abs(again - slope) / np.where(size > 0, size, 1.0)
    if not (rounding < 1e-3).all():
        return None
    for h in _STEPS:
        across = _imaginary(function, point.vector, direction, h)
        values = [function(point.vector + side * h * direction) for side in (1.0, -1.0)]
        if across is None:
            continue
        central = (values[0] - values[1]) / (2 * h)
        truncation = np.abs(central - across)
        noise = 8 * max(function.eps, float(np.max(point.eps))) * np.abs(values).max(axis=0) / h
        if (truncation <= 1e-3 * size + noise).all():  # smooth at this scale: this step decides
            gap = np.abs((central + across) / 2 - slope)
            agree = gap <= truncation / 256 + noise + 4 * rounding * size
            return rounding if agree.all() else None
    return None
