"""Medians, quantiles and percentiles: interpolation between sorted elements at plain positions.

Elements that tie share, as in sorting. A quantile is differentiable in q too where the method is
continuous in it.
"""

import warnings

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from chainrule.core.array import as_constant, store_out
from chainrule.core.trace import plain
from chainrule.rules.reductions import flat_last, keep, kept_shape, operand, unless_constant
from chainrule.rules.sorting import sort

# ---------------------------------------------------------------- sorted rows


class _Sorted:
    """The reduced axes as sorted rows (..., n), and where their NaN begin."""

    def __init__(self, a, axis, skip_nan):
        if axis is not None:
            normalize_axis_tuple(axis, a.ndim)  # NumPy's error
        flat, self.unflatten = flat_last(a, axis)
        self.flat = plain(flat)
        self.order = np.argsort(self.flat, axis=-1)
        ascending = np.take_along_axis(self.flat, self.order, -1)
        ties = np.any(ascending[..., 1:] == ascending[..., :-1])
        self.y = sort(flat, -1) if ties else None  # where none tie, elements are read in place
        self.x = flat
        self.n = flat.shape[-1]
        self.kept = kept_shape(a.shape, axis)
        nan = np.isnan(self.flat)
        self.lost = None  # the rows whose result is NaN
        self.counts = self.n
        if nan.any():
            self.lost = nan.all(axis=-1) if skip_nan else nan.any(axis=-1)
            if skip_nan:
                self.counts = self.n - nan.sum(axis=-1)
                if self.lost.any():
                    warnings.warn("All-NaN slice encountered", RuntimeWarning, stacklevel=4)

    def pick(self, index):
        """y[..., index]: a number for all rows, or an array (q..., rows...)."""
        if np.ndim(index) == 0:
            index = int(index)
            if self.y is not None:
                return self.y[..., index] if self.y.ndim > 1 else self.y[index]
            if self.flat.ndim == 1:
                return self.x[int(self.order[index])]
        rows = np.indices(self.flat.shape[:-1], sparse=True)
        index = np.asarray(index)
        if self.y is not None:
            return self.y[(*rows, index)]
        return self.x[(*rows, self.order[(*rows, index)])]

    def finish(self, y, keepdims, where=()):
        """NaN into the rows that have one; the reduced axes back as ones where they are kept."""
        if self.lost is not None and self.lost.any():
            y = np.where(self.lost, np.nan, y)
            y = y if y.shape else y[()]
        return y.reshape(where + self.kept) if keep(keepdims) else y


# ---------------------------------------------------------------- median


def _median(function, skip_nan):
    @unless_constant(function)
    def median(a, axis=None, out=None, overwrite_input=False, keepdims=False):
        """The middle element of the sorted ones, or the mean of the two; ties share as in sort."""
        a, axis = operand(a), _axis(axis)
        if a.size == 0:
            return as_constant(function(plain(a), axis, keepdims=keepdims))
        rows = _Sorted(a, axis, skip_nan)
        low, high = np.maximum(rows.counts - 1, 0) // 2, rows.counts // 2
        y = rows.pick(low)
        if np.any(low != high):
            y = (y + rows.pick(high)) / 2
        y = rows.finish(y, keepdims)
        return y if out is None else store_out(out, y)


_median(np.median, False)
_median(np.nanmedian, True)


def _axis(axis):
    return tuple(plain(axis)) if isinstance(axis, (list, tuple)) else plain(axis)


# ---------------------------------------------------------------- positions

# Methods that take one element; those that read at n q + (a + q (1 - a - b)) - 1, by their (a, b).
_ONE_ELEMENT = {"inverted_cdf", "closest_observation", "lower", "higher", "nearest"}
_PLOTTING = {
    "interpolated_inverted_cdf": (0.0, 1.0),
    "hazen": (0.5, 0.5),
    "weibull": (0.0, 0.0),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
}


def _position(n, q, method):
    """Where in n sorted elements q is read, perhaps before the first or after the last of them."""
    if method == "linear":
        return (n - 1) * q
    if method in _PLOTTING:
        a, b = _PLOTTING[method]
        return n * q + (a + q * (1 - a - b)) - 1
    # The others jump. NumPy itself says where to: their quantile of 0, 1, ..., n-1.
    return np.quantile(np.arange(n, dtype=float), plain(q), method=method).astype(q.dtype)


def _positions(rows, q, method, weights, axis, skip_nan):
    """Positions as one number, or an array (q..., rows...)."""
    if weights is not None:
        rank = np.argsort(np.argsort(rows.flat, axis=-1), axis=-1).astype(float)
        rank = rows.unflatten(np.where(np.isnan(rows.flat), np.nan, rank))
        function = np.nanquantile if skip_nan else np.quantile
        at = function(rank, plain(q), axis=axis, method=method, weights=plain(weights))
        return np.nan_to_num(at)
    if type(rows.counts) is int:
        at = _position(rows.n, q, method)
        return at.reshape(q.shape + (1,) * (rows.flat.ndim - 1)) if q.shape else at
    full = q.shape + rows.counts.shape
    at = np.zeros(full, q.dtype)
    q = q.reshape(q.shape + (1,) * rows.counts.ndim)
    for n in np.unique(rows.counts[rows.counts > 0]).tolist():
        at = np.where(rows.counts == n, _position(n, q, method), at)
    return at


# ---------------------------------------------------------------- quantile


def _quantile(a, q, weak, axis, out, method, keepdims, weights, skip_nan):
    axis = _axis(axis)
    if a.size == 0:
        empty = np.nanquantile if skip_nan else np.quantile  # q is not in percent any more
        return as_constant(empty(plain(a), plain(q), axis, method=method, keepdims=keepdims))
    np.quantile(np.zeros(1, a.dtype), plain(q), method=method)  # NumPy's errors
    rows = _Sorted(a, axis, skip_nan)
    at = _positions(rows, q, method, weights, axis, skip_nan)
    place = np.asarray(plain(at))
    low = np.clip(np.floor(place), 0, np.maximum(rows.counts - 1, 0)).astype(int)
    if method in _ONE_ELEMENT:
        y = rows.pick(low)
    else:
        high = np.where(place < 0, 0, np.minimum(low + 1, np.maximum(rows.counts - 1, 0)))
        t = at - low.astype(place.dtype)
        if weak:
            t = t.astype(a.dtype) if np.ndim(t) else float(t)
        y = _between(rows.pick(low), rows.pick(high), t)
    y = rows.finish(y, keepdims, plain(q).shape)
    return y if out is None else store_out(out, y, broadcast=True)


def _between(a, b, t):
    """a + t (b - a), from the nearer end, as NumPy interpolates."""
    step = b - a
    upper = plain(t) >= 0.5
    if not np.shape(upper):
        return b - step * (1 - t) if upper else a + step * t
    return np.where(upper, b - step * (1 - t), a + step * t)


def _declare(function, scale, skip_nan):
    @unless_constant(function)
    def quantile(
        a,
        q,
        axis=None,
        out=None,
        overwrite_input=False,
        method="linear",
        keepdims=False,
        *,
        weights=None,
        **kwargs,
    ):
        """(1 - t) of one sorted element and t of the next; t depends on q. Ties share."""
        a = operand(a)
        weak = type(q) in (int, float)  # a Python number does not decide the dtype of the result
        q = np.float64(q) if weak else operand(q)[()]
        if scale != 1:
            q = q / scale
        method = kwargs.get("interpolation", method)
        return _quantile(a, q, weak, axis, out, method, keepdims, weights, skip_nan)


_declare(np.quantile, 1, False)
_declare(np.percentile, 100, False)
_declare(np.nanquantile, 1, True)
_declare(np.nanpercentile, 100, True)
