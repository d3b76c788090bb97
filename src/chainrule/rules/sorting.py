"""Sorting, partitions, distinct values and set operations: gathers by a plain order.

Sorting is piecewise linear; where elements tie, those that tie share the cotangents of their places
equally, as maximum and minimum do (``np.sort([a, b])`` is ``[minimum(a, b), maximum(a, b)]``).
"""

import numpy as np

from chainrule.core.primitive import adjoint_pair, general
from chainrule.core.trace import bind, plain
from chainrule.rules.reductions import operand, unless_constant

# ---------------------------------------------------------------- ties


def group_means(x, *, groups, axis):
    """Each element replaced by the mean of its group along the axis: its own transpose."""
    x, groups = np.moveaxis(x, axis, -1), np.moveaxis(groups, axis, -1)
    rows, n = x.reshape(-1, x.shape[-1]), x.shape[-1]
    places = (groups.reshape(-1, n) + n * np.arange(len(rows))[:, None]).ravel()
    total = np.zeros_like(x, shape=rows.size)
    np.add.at(total, places, rows.ravel())
    size = np.maximum(np.bincount(places, minlength=rows.size), 1).astype(x.real.dtype)
    return np.moveaxis((total / size)[places].reshape(x.shape), -1, axis)


GROUP_MEANS = adjoint_pair(group_means, group_means)


def _tied(y, *, groups, axis):
    return y.copy()


@general(_tied, name="tied")
def TIED(g, _y, _x, *, groups, axis):
    """Equal elements are passed on unchanged; each gets the mean of their cotangents."""
    return bind(GROUP_MEANS, (g,), {"groups": groups, "axis": axis})


def shared(y, order, axis):
    """``y`` with ties sharing; ``order`` sorts it along the axis."""
    value = plain(y)
    if order is not None:
        value = np.take_along_axis(value, order, axis)
    value = np.moveaxis(value, axis, -1)
    new = value[..., 1:] != value[..., :-1]
    if new.all():
        return y
    groups = np.zeros(value.shape, int)
    np.add.accumulate(new, axis=-1, out=groups[..., 1:], dtype=int)
    groups = np.moveaxis(groups, -1, axis)
    if order is not None:
        sorted_groups, groups = groups, np.empty_like(groups)
        np.put_along_axis(groups, order, sorted_groups, axis)
    return bind(TIED, (y,), {"groups": groups, "axis": axis})


# ---------------------------------------------------------------- sort and partition


def permuted(x, *, order, axis):
    """The elements in another order along the axis."""
    return np.take_along_axis(x, order, axis)


def put_back(g, *, order, axis):
    """The transpose: each element at the place it came from."""
    x_bar = np.empty_like(g)
    np.put_along_axis(x_bar, order, g, axis)
    return x_bar


PERMUTED = adjoint_pair(permuted, put_back)


def reordered(a, order, axis):
    return bind(PERMUTED, (a,), {"order": order, "axis": axis})


@unless_constant(np.sort)
def sort(a, axis=-1, kind=None, order=None, *, stable=None):
    """x[argsort(x)]; places that tie share."""
    a, axis = operand(a), plain(axis)
    if axis is None:
        a, axis = a.reshape(-1), 0
    places = np.argsort(plain(a), axis, kind, order, stable=stable)
    return shared(reordered(a, places, axis), None, axis)


@unless_constant(np.partition)
def partition(a, kth, axis=-1, kind="introselect", order=None):
    """The gather that gives NumPy's partition: its k-th smallest element is x's k-th smallest."""
    a, axis = operand(a), plain(axis)
    if axis is None:
        a, axis = a.reshape(-1), 0
    value = np.partition(plain(a), plain(kth), axis, kind, order)
    rank, source = np.argsort(value, axis, stable=True), np.argsort(plain(a), axis, stable=True)
    places = np.empty_like(source)
    np.put_along_axis(places, rank, source, axis)
    return shared(reordered(a, places, axis), rank, axis)


@unless_constant(np.sort_complex)
def sort_complex(a):
    """x[argsort(x)], complex."""
    y = sort(operand(a))
    return y if y.dtype.kind == "c" else y.astype(np.result_type(y.dtype, complex))


# ---------------------------------------------------------------- distinct values


@unless_constant(np.unique)
def unique(ar, return_index=False, return_inverse=False, return_counts=False, axis=None, **kwargs):
    """The first of equal elements, gathered in the order NumPy gives."""
    ar = operand(ar)
    value = plain(ar)
    found = np.unique(value, True, return_inverse, return_counts, axis, **kwargs)
    first, rest = found[1], found[2:]
    y = ar.reshape(-1)[first] if axis is None else np.take(ar, first, axis)
    if return_index:
        rest = (first, *rest)
    return (y, *rest) if rest else y


def _named(function, **wanted):
    @unless_constant(function)
    def run(x, /):
        """As np.unique: the first of equal elements."""
        result = function(plain(x))
        values = unique(x, equal_nan=False)
        return type(result)(values, *result[1:]) if isinstance(result, tuple) else values


for _f in (np.unique_all, np.unique_counts, np.unique_inverse):
    _named(_f)


@unless_constant(np.unique_values)
def unique_values(x, /):
    """As np.unique: the first of equal elements."""
    x = operand(x)
    order: dict = {}
    for i, v in enumerate(plain(x).ravel().tolist()):
        order.setdefault(v, i)
    found = np.unique_values(plain(x))
    return x.reshape(-1)[np.asarray([order[v] for v in found.tolist()], dtype=int)]


# ---------------------------------------------------------------- sets


@unless_constant(np.union1d)
def union1d(ar1, ar2):
    """The distinct ones of both arrays: the first of equal elements."""
    return unique(np.concatenate([operand(ar1).reshape(-1), operand(ar2).reshape(-1)]))


@unless_constant(np.setdiff1d)
def setdiff1d(ar1, ar2, assume_unique=False):
    """The elements of the first array that are not in the second."""
    x = operand(ar1).reshape(-1) if assume_unique else unique(ar1)
    return x[np.isin(plain(x), plain(ar2), assume_unique=True, invert=True)]


@unless_constant(np.intersect1d)
def intersect1d(ar1, ar2, assume_unique=False, return_indices=False):
    """The common values, as elements of the first array."""
    _, i, j = np.intersect1d(plain(ar1), plain(ar2), assume_unique, return_indices=True)
    y = operand(ar1).reshape(-1)[i]
    return (y, i, j) if return_indices else y


@unless_constant(np.setxor1d)
def setxor1d(ar1, ar2, assume_unique=False):
    """The elements that are in one array only, sorted."""
    x, y = operand(ar1).reshape(-1), operand(ar2).reshape(-1)
    if not assume_unique:
        x, y = unique(x), unique(y)
    return sort(
        np.concatenate(
            [
                x[np.isin(plain(x), plain(y), invert=True)],
                y[np.isin(plain(y), plain(x), invert=True)],
            ]
        )
    )
