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
from itertools import islice

import numpy as np

from chainrule.numeric.jumps import find_jump
from chainrule.numeric.points import Function

_TINY = 2.0**-66  # relative to the coordinate; its square vanishes beside 1, and float32 holds it
_SPACINGS = (1.37 * 2.0**-26, 1.83 * 2.0**-31, 1.21 * 2.0**-36)
_UNEVEN = 0.618  # the other side's share of a spacing: rounded values may be symmetric
_FINE = 1e-14  # noise of slopes that needs no second look, relative to their terms
_STEPS = (2.0**-10, 2.0**-16, 2.0**-24)  # for the comparison with real differences
_BEYOND = 2.0**-5  # as far as there should be no jump


@dataclass(frozen=True, eq=False)
class ComplexSlopes:
    """Partial derivatives (N, m) and bounds on their errors."""

    value: np.ndarray
    bound: np.ndarray


def complex_slopes(function: Function, rows: Iterable[int]) -> ComplexSlopes | None:
    """All partial derivatives, or None where f does not take complex points or is not analytic.

    rows : the coordinates to go through (a progress bar, perhaps); all of them, in order. Costs
    N + 14 evaluations where it works (8 for a single number), and usually one where it does not.
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
    waiting = iter(rows)
    while group := list(islice(waiting, function.batch)):
        units = np.zeros((len(group), point.size))
        units[range(len(group)), group] = point.scale[group]
        values = complex_values(function, point.vector + 1j * _TINY * units)
        if values is None:
            return None
        table[group] = values.imag / _TINY / point.scale[group, None]
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
    """Im f(vector + ih direction) / h, (m,); None where f refuses or its value is not finite."""
    y = _complex(function, vector, direction, h)
    return None if y is None else y.imag


def _complex(
    function: Function, vector: np.ndarray, direction: np.ndarray, h: float
) -> np.ndarray | None:
    """The value (m,) beside the same slope as its imaginary part."""
    y = complex_values(function, [vector + 1j * h * direction])
    return None if y is None else y[0].real + 1j * (y[0].imag / h)


def complex_values(function: Function, vectors: Iterable[np.ndarray]) -> np.ndarray | None:
    """Values (K, m) at complex points; None where f refuses one or its value is not finite."""
    rows = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            for value in function.complex_many(vectors):
                y = np.asarray(value)
                if y.dtype.kind != "c" or y.shape != function.shape:
                    return None
                rows.append(y.reshape(-1).astype(complex) / function.unit)
    except Exception:  # whatever it is, it says that f is not made for complex numbers
        return None
    return np.stack(rows) if np.isfinite(rows).all() else None


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
    """Relative error (m,) of the slopes as evaluations close by show it; None where real
    differences say that they are wrong."""
    point = function.point
    slope = direction @ table
    size = np.abs(direction) @ np.abs(table)
    rough = _roughness(function, slope, size, direction)
    if rough is None:
        return None
    rounding = 4 * rough / np.where(size > 0, size, 1.0)
    if not (rounding < 1e-3).all():
        return None
    eps = max(function.eps, float(np.max(point.eps)))
    beyond = _BEYOND
    for h in _STEPS:
        across = _imaginary(function, point.vector, direction, h)
        values = [function(point.vector + side * h * direction) for side in (1.0, -1.0)]
        if across is None:
            beyond = h
            continue
        central = (values[0] - values[1]) / (2 * h)
        truncation = np.abs(central - across)
        noise = 8 * eps * np.abs(values).max(axis=0) / h
        if (truncation <= 1e-3 * size + noise).all():  # smooth at this scale: this step decides
            gap = np.abs((central + across) / 2 - slope)
            if not (gap <= truncation / 256 + noise + 4 * rounding * size).all():
                return None
            return None if _jumps(function, direction, slope, values, h, beyond) else rounding
        beyond = h
    return None


def _roughness(
    function: Function, slope: np.ndarray, size: np.ndarray, direction: np.ndarray
) -> np.ndarray | None:
    """The noise (m,) of slopes: second differences of them, at spacings where nothing else is.

    Noise does not depend on the spacing; where they go with its square, f is curved. A slope is no
    better than the values: digits that they lost, factors in it have lost too.
    """
    rough = None
    values = np.maximum(np.abs(function.base), size)
    for spacing in _SPACINGS:
        right, left = (
            _complex(function, function.point.vector + side * spacing * direction, direction, h)
            for side, h in ((1.0, 0.7 * _TINY), (-_UNEVEN, _TINY))
        )
        if right is None or left is None:
            return None
        between = (_UNEVEN * right + left) / (1 + _UNEVEN) - function.base
        lost = np.abs(between.real) / np.where(values > 0, values, 1.0)
        second = np.maximum(np.abs(between.imag - slope), lost * size)
        curved = second
        if rough is not None:
            curved = np.where(second <= rough / 200, second, np.maximum(second, rough))
        if (curved <= _FINE * size).all() or (rough is not None and (curved >= rough).all()):
            return curved
        rough = curved
    return rough


def _jumps(
    function: Function,
    direction: np.ndarray,
    slope: np.ndarray,
    values: list[np.ndarray],
    near: float,
    far: float,
) -> bool:
    """Whether a value jumps between a step where all is well and a larger one.

    Between two jumps of a rounded value all quotients agree, and are wrong.   values : on both
    sides at the step ``near``; they tell how much is curvature.
    """
    if far != _BEYOND:  # where steps have disagreed: the reason is wanted, on either side
        nothing = np.zeros_like(slope)
        sides = (direction, slope), (-direction, -slope)
        return any(_jumps_ahead(function, v, along, nothing, near, far) for v, along in sides)
    bend = np.abs(values[0] + values[1] - 2 * function.base) * (far / near) ** 2 / 2
    return _jumps_ahead(function, direction, slope, bend, near, far)


def _jumps_ahead(
    function: Function,
    direction: np.ndarray,
    slope: np.ndarray,
    bend: np.ndarray,
    near: float,
    far: float,
) -> bool:
    """The same on one side.   bend : how far from straight a smooth value would be at ``far``."""
    vector, base = function.point.vector, function.base
    noise = 4 * function.eps * np.abs(base)
    apart = np.abs(function(vector + far * direction) - base - far * slope)
    excess = apart / np.maximum(8 * bend + 4 * noise, 1e-300)
    j = int(np.argmax(excess))
    if not 1 < excess[j] < np.inf:
        return False

    def residual(t: float) -> float:
        return float(function(vector + t * direction)[j] - base[j] - t * slope[j])

    return find_jump(residual, near, far, float(noise[j]), 2.0**-44) is not None
