"""How far computed values of a function are from smooth: rounding, iterations, float32 inside.

The difference table of Hamming, as in ECnoise [Moré and Wild 2011]: at equally spaced points, so
close together that a smooth function is a straight line, the differences of higher order hold
nothing but the noise.
"""

from math import comb

import numpy as np

from chainrule.numeric.points import Function

_POINTS = 7
_FIRST_SPACING = 1024.0  # in ulps of the argument; 2e-13 in float64
_NEXT_SPACING = 16.0  # where values at that spacing differ as if f moved in between
_MUCH = 1e-10  # noise relative to the values that is worth another look
_CURVED = 1000.0  # curvature goes with the cube of the spacing, or more; noise stays
_GROWTH = 64.0
_GROWTHS = 7  # up to moves of the size of the point
_TABLE_GROWTHS = 4  # up to here a table sees no curvature
_SINGLE = 2.0**-24
_HALVINGS = 12
SAFETY = 3.0  # from the estimated standard deviation to a bound


def noise_level(function: Function) -> np.ndarray:
    """A bound (m,) on the noise in the values of ``function`` around its point.

    Costs 6 evaluations; 12 where it seems to be large; up to 25 where the function does not notice
    moves of 1e-13, as with float32 inside. Never below 2 ulps of the value. NaN values count as
    none. Call inside ``quiet()``.
    """
    point = function.point
    signs = np.random.default_rng(0).choice([-1.0, 1.0], point.size)
    step = _FIRST_SPACING * point.eps * point.scale * signs  # powers of two: the moves are exact
    values = _table(function, step)
    level = _deviation(values)
    if (level > _MUCH * np.max(np.abs(values), axis=0)).any():
        closer = _table(function, step * (_NEXT_SPACING / _FIRST_SPACING))
        near = _deviation(closer)
        smooth = (closer != function.base).any(axis=0) & (near < level / _CURVED)
        level = np.where(smooth, near, level)
    floor = 2 * function.eps * np.max(np.abs(values), axis=0)
    flat = (values == function.base).all(axis=0)
    if flat.any():
        level = np.where(flat, _level_beyond_plateau(function, step, flat), level)
    level = np.where(np.isfinite(level), level, 0.0)
    return np.maximum(SAFETY * level, np.where(np.isfinite(floor), floor, 0.0))


def _table(function: Function, step: np.ndarray) -> np.ndarray:
    vector = function.point.vector
    beside = function.many(vector + i * step for i in range(1, _POINTS))
    return np.stack([function.base, *beside])


def _deviation(values: np.ndarray) -> np.ndarray:
    """Standard deviation (m,) of the noise in equally spaced ``values`` (points, m)."""
    orders = range(3, len(values))
    estimates = [
        np.sqrt(np.mean(np.diff(values, k, axis=0) ** 2, axis=0) / comb(2 * k, k)) for k in orders
    ]
    return np.max(estimates, axis=0)


def _level_beyond_plateau(function: Function, step: np.ndarray, flat: np.ndarray) -> np.ndarray:
    """The same for values that are equal near the point, from moves so large that they change.

    They may change in a jump, because the values are rounded, or without one, because the slope
    just happens to be zero up to a kink. Only the first is noise; halving the move tells. Values
    that never change are constant, or rounded to single precision: that cannot be excluded.
    """
    vector, base = function.point.vector, function.base
    change = np.zeros(len(base))
    growths = 0
    while not (change > 0).any():
        if growths == _GROWTHS:
            return np.where(base == base.astype(np.float32), _SINGLE * np.abs(base), 0.0)
        growths += 1
        step = step * _GROWTH
        change = np.abs(function(vector + step) - base) * flat
    low, high, first = 1 / _GROWTH, 1.0, change
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        there = np.abs(function(vector + middle * step) - base) * flat
        if (there > 0).any():
            high, first = middle, there
        else:
            low = middle
    level = first / SAFETY
    if growths <= _TABLE_GROWTHS:
        level = np.maximum(level, _deviation(_table(function, step)))
    return np.where(first * 1000 > change, level, 0.0)
