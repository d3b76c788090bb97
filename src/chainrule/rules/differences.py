"""Differences, finite-difference gradients, the trapezoidal rule, interpolation and histograms.

All are compositions; the place of a point among knots or bins is plain.
"""

import numpy as np

from chainrule.core.array import as_constant
from chainrule.core.indexing import SCATTER
from chainrule.core.trace import bind, is_traced, plain
from chainrule.rules.reductions import NO, operand, unless_constant

# ---------------------------------------------------------------- differences


def _along(ndim, axis, part):
    """An index that takes ``part`` along one axis."""
    return (*(slice(None),) * (axis % ndim), part)


@unless_constant(np.diff)
def diff(a, n=1, axis=-1, prepend=NO, append=NO):
    a, n, axis = operand(a), plain(n), plain(axis)
    if n == 0:
        return a
    if n < 0 or a.ndim == 0:
        return np.diff(plain(a), n)  # NumPy's error
    np.sum(np.empty((1,) * a.ndim), axis=axis)  # NumPy's error
    parts = [_edge(prepend, a, axis), a, _edge(append, a, axis)]
    if parts[0] is not None or parts[2] is not None:
        a = np.concatenate([p for p in parts if p is not None], axis=axis)
    after, before = (_along(a.ndim, axis, slice(*s)) for s in ((1, None), (None, -1)))
    for _ in range(n):
        a = a[after] - a[before]
    return a


def _edge(x, a, axis):
    if x is NO:
        return None
    x = operand(x)
    if x.shape:
        return x
    return np.broadcast_to(x, tuple(1 if i == axis % a.ndim else n for i, n in enumerate(a.shape)))


@unless_constant(np.ediff1d)
def ediff1d(ary, to_end=None, to_begin=None):
    a = operand(ary).reshape(-1)
    parts = [to_begin, a[1:] - a[:-1], to_end]
    parts = [operand(p).reshape(-1) for p in parts if p is not None]
    for p in parts:
        if not np.can_cast(p.dtype, a.dtype, casting="same_kind"):
            return np.ediff1d(plain(ary), plain(to_end), plain(to_begin))  # NumPy's error
    y = parts[0] if len(parts) == 1 else np.concatenate(parts)
    return y if y.dtype == a.dtype else y.astype(a.dtype)


@unless_constant(np.trapezoid)
def trapezoid(y, x=None, dx=1.0, axis=-1):
    y = operand(y)
    if not y.ndim:
        np.trapezoid(plain(y), plain(x), plain(dx), axis)  # NumPy's error
    after, before = (_along(y.ndim, axis, slice(*s)) for s in ((1, None), (None, -1)))
    if x is None:
        d = operand(dx) if isinstance(dx, (list, tuple)) else dx
    else:
        x = operand(x)
        d = diff(x) if x.ndim == 1 else diff(x, axis=axis)
        if x.ndim == 1:
            d = d.reshape(tuple(d.size if i == axis % y.ndim else 1 for i in range(y.ndim)))
    return np.sum(d * (y[after] + y[before]) / 2.0, axis=axis)


# ---------------------------------------------------------------- gradient


@unless_constant(np.gradient)
def gradient(f, *varargs, axis=None, edge_order=1):
    """Central differences inside, one-sided ones at the edges; the spacings may be traced."""
    f = operand(f)
    spacings = [operand(v) if isinstance(v, (list, tuple)) else v for v in varargs]
    samples = [
        np.arange(np.size(plain(v)), dtype=float) if np.ndim(plain(v)) else 1.0 for v in spacings
    ]
    np.gradient(np.empty(f.shape), *samples, axis=axis, edge_order=edge_order)  # NumPy's errors
    if axis is None:
        axes = tuple(range(f.ndim))
    else:
        axes = tuple(a % f.ndim for a in (axis if isinstance(axis, (tuple, list)) else (axis,)))
    spacings = spacings or [1.0]
    spacings = spacings * len(axes) if len(spacings) == 1 else spacings
    results = tuple(_gradient(f, h, a, edge_order) for h, a in zip(spacings, axes))
    return results[0] if len(results) == 1 else results


def _gradient(f, h, axis, edge_order):
    def at(part):
        return f[_along(f.ndim, axis, part)]

    first, second, third = at(slice(0, 1)), at(slice(1, 2)), at(slice(2, 3))
    last, before, earlier = at(slice(-1, None)), at(slice(-2, -1)), at(slice(-3, -2))
    left, middle, right = at(slice(None, -2)), at(slice(1, -1)), at(slice(2, None))
    if np.ndim(plain(h)) == 0:
        inner = (right - left) / (2.0 * h)
        h0 = h1 = k0 = k1 = h
    else:
        d = diff(h)
        column = (-1,) + (1,) * (f.ndim - axis - 1)
        dl, dr = d[:-1].reshape(column), d[1:].reshape(column)
        a, b, c = -dr / (dl * (dl + dr)), (dr - dl) / (dl * dr), dl / (dr * (dl + dr))
        inner = a * left + b * middle + c * right
        h0, k0 = d[0], d[-1]
        h1, k1 = (d[1], d[-2]) if edge_order == 2 else (None, None)
    if edge_order == 1:
        start, end = (second - first) / h0, (last - before) / k0
    else:
        start = _one_sided(first, second, third, h0, h1)
        end = -_one_sided(last, before, earlier, k0, k1)
    y = np.concatenate([start, inner, end], axis=axis)
    return y if y.dtype == f.dtype or f.dtype.kind not in "fc" else y.astype(f.dtype)


def _one_sided(f0, f1, f2, h0, h1):
    """Slope at the first of three points h0 and h1 apart, exact for parabolas."""
    total = h0 + h1
    return -(2.0 * h0 + h1) / (h0 * total) * f0 + total / (h0 * h1) * f1 - h0 / (h1 * total) * f2


# ---------------------------------------------------------------- interpolation


@unless_constant(np.interp)
def interp(x, xp, fp, left=None, right=None, period=None):
    """Piecewise linear through (xp, fp); at a knot with the slope of the interval to its right."""
    x, xp, fp = (v if type(v) in (int, float) else operand(v) for v in (x, xp, fp))
    kind = complex if np.iscomplexobj(plain(x)) and np.ndim(plain(x)) else float
    kind = np.longdouble if np.asarray(plain(x)).dtype == np.longdouble else kind
    np.interp(np.zeros(1, kind), plain(xp), plain(fp), period=plain(period))  # NumPy's errors
    x, xp, fp = _double(x), _double(xp), _double(fp, np.iscomplexobj(plain(fp)))
    if period is not None:
        period = abs(period)
        left = right = None
        x, xp = x % period, xp % period
        order = np.argsort(plain(xp))
        xp, fp = xp[order], fp[order]
        xp = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
        fp = np.concatenate([fp[-1:], fp, fp[:1]])
    place, knots = np.asarray(plain(x)), plain(xp)
    left = fp[0] if left is None else left
    right = fp[-1] if right is None else right
    if len(knots) == 1:
        y = np.where(place == knots[0], fp[0], x - x)
    else:
        j = np.clip(np.searchsorted(knots, place, side="right") - 1, 0, len(knots) - 2)
        y = (fp[j + 1] - fp[j]) / (xp[j + 1] - xp[j]) * (x - xp[j]) + fp[j]
    outside = (place < knots[0]) | (place > knots[-1])
    if outside.any():
        y = np.where(place < knots[0], left, np.where(place > knots[-1], right, y))
    return y if place.shape else y[()]


def _double(x, is_complex=False):
    """As np.interp reads its arguments: in double precision, whatever they are."""
    if type(x) in (int, float):
        return x
    dtype = np.dtype(complex if is_complex else float)
    x = x.real if x.dtype.kind == "c" and not is_complex else x
    return x if x.dtype == dtype else x.astype(dtype)


# ---------------------------------------------------------------- counting with weights


@unless_constant(np.bincount)
def bincount(x, /, weights=None, minlength=0):
    """The weights that fall on each number, summed; linear in the weights."""
    counts = np.bincount(plain(x), plain(weights), plain(minlength))
    index = np.array(plain(x))
    return bind(SCATTER, (operand(weights).astype(float),), {"shape": counts.shape, "index": index})


@unless_constant(np.histogram)
def histogram(a, bins=10, range=None, density=None, weights=None):
    """Counts are constant (linear in the weights); edges follow the data and the bins given."""
    value = plain(a)
    counts, plain_edges = np.histogram(value, plain(bins), plain(range), False, plain(weights))
    edges = _edges(operand(a), bins, range, plain_edges)
    if is_traced(weights):
        sample, w = np.ravel(value), operand(weights).reshape(-1)
        exact = w.astype(np.result_type(w.dtype, float))
        counts = _weighted_counts([sample], [plain_edges], exact).astype(w.dtype)
    if density:
        counts = counts / (edges[1:] - edges[:-1]).astype(float) / np.sum(counts)
    return counts, edges


@unless_constant(np.histogram_bin_edges)
def histogram_bin_edges(a, bins=10, range=None, weights=None):
    edges = np.histogram_bin_edges(plain(a), plain(bins), plain(range), plain(weights))
    return _edges(operand(a), bins, range, edges)


def _edges(a, bins, limits, edges):
    """Bin edges: given, or even between limits, which are the extremes of the data by default."""
    if not isinstance(bins, str) and np.ndim(plain(bins)) == 1:
        return operand(bins)
    if not a.size:
        return as_constant(edges)
    if not is_traced(a) if limits is None else not any(is_traced(v) for v in limits):
        return as_constant(edges)
    low, high = (np.min(a), np.max(a)) if limits is None else limits
    if plain(low) == plain(high):
        low, high = low - 0.5, high + 0.5
    t = np.arange(len(edges)) / (len(edges) - 1)
    y = low * (1 - t) + high * t
    return y if y.dtype == edges.dtype else y.astype(edges.dtype)


def _weighted_counts(samples, edges, weights):
    """Sums of the weights in the cells of a grid; the last cell of each axis includes its end."""
    cells, inside = [], np.ones(len(samples[0]), bool)
    for x, e in zip(samples, edges):
        cells.append(np.where(x == e[-1], len(e) - 2, np.searchsorted(e, x, side="right") - 1))
        inside &= (x >= e[0]) & (x <= e[-1])
    index = tuple(c[inside] for c in cells)
    shape = tuple(len(e) - 1 for e in edges)
    return bind(SCATTER, (weights[inside],), {"shape": shape, "index": index})


@unless_constant(np.histogramdd)
def histogramdd(sample, bins=10, range=None, density=None, weights=None):
    """As histogram, in several dimensions."""
    values = plain(sample)
    counts, plain_edges = np.histogramdd(values, plain(bins), plain(range), False, plain(weights))
    d = len(plain_edges)
    if isinstance(sample, np.ndarray):
        columns = [sample[:, i] if sample.ndim == 2 else sample for i in np.arange(d)]
    else:
        columns = [operand(v) for v in sample]
    bins = [bins] * d if np.ndim(plain(bins)) == 0 else bins
    limits = [None] * d if range is None else range
    edges = [_edges(*parts) for parts in zip(columns, bins, limits, plain_edges)]
    if is_traced(weights):
        weights = operand(weights).astype(float)
        counts = _weighted_counts([plain(c) for c in columns], plain_edges, weights)
    if density:
        total = np.sum(counts)
        for i, e in enumerate(edges):
            counts = counts / (e[1:] - e[:-1]).reshape((-1,) + (1,) * (d - i - 1))
        counts = counts / total
    return counts, edges


@unless_constant(np.histogram2d)
def histogram2d(x, y, bins=10, range=None, density=None, weights=None):
    one = np.ndim(bins) == 0 if not isinstance(bins, (list, tuple)) else len(bins) in (1, 2)
    bins = bins if one else [operand(bins)] * 2
    counts, edges = histogramdd([x, y], bins, range, density, weights)
    return counts, edges[0], edges[1]
