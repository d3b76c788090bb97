"""Reductions that skip NaN: compositions in which a NaN is replaced before it reaches anything."""

import warnings

import numpy as np

from chainrule.core.array import store_out
from chainrule.core.trace import plain
from chainrule.rules import reductions as r
from chainrule.rules.reductions import NO, operand, unless_constant


def _filled(a, value):
    """``a`` with NaN replaced, and where it was not NaN."""
    a = operand(a)
    nan = np.isnan(a)
    return (np.where(nan, value, a) if nan.any() else a), ~nan


def _valid(present, where):
    return present if where is True or where is NO else present & r.frozen(where)


@unless_constant(np.nansum)
def nansum(a, axis=None, dtype=None, out=None, keepdims=False, initial=NO, where=True):
    """The sum, with 0 for NaN."""
    return r.sum_(_filled(a, 0.0)[0], axis, dtype, out, keepdims, initial, where)


@unless_constant(np.nanprod)
def nanprod(a, axis=None, dtype=None, out=None, keepdims=False, initial=NO, where=True):
    """The product, with 1 for NaN."""
    return r.prod(_filled(a, 1.0)[0], axis, dtype, out, keepdims, initial, where)


@unless_constant(np.nancumsum)
def nancumsum(a, axis=None, dtype=None, out=None):
    """The sums up to each place, with 0 for NaN."""
    return r.cumsum(_filled(a, 0.0)[0], axis, dtype, out)


@unless_constant(np.nancumprod)
def nancumprod(a, axis=None, dtype=None, out=None):
    """The products up to each place, with 1 for NaN."""
    return r.cumprod(_filled(a, 1.0)[0], axis, dtype, out)


@unless_constant(np.nanmean)
def nanmean(a, axis=None, dtype=None, out=None, keepdims=False, *, where=True):
    """The mean of what is not NaN."""
    a, present = _filled(a, 0.0)
    return r.mean(a, axis, dtype, out, keepdims, where=_valid(present, where))


@unless_constant(np.nanvar)
def nanvar(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=True, **kwargs):
    """The variance of what is not NaN."""
    a, present = _filled(a, 0.0)
    mask = _valid(present, where)
    with warnings.catch_warnings():  # all-NaN slices: NaN, and NumPy's own words
        warnings.simplefilter("ignore", RuntimeWarning)
        y = r.var(a, axis, dtype, None, ddof, keepdims, where=mask, **kwargs)
    ddof = kwargs.get("correction", ddof)
    ddof = 0 if ddof is NO else plain(ddof)
    n = np.sum(np.broadcast_to(mask, a.shape), axis=plain(axis), keepdims=r.keep(keepdims))
    if np.any(n - ddof <= 0):
        warnings.warn("Degrees of freedom <= 0 for slice.", RuntimeWarning, stacklevel=2)
        y = np.where(n - ddof <= 0, np.nan, y)
        y = y if y.shape else y[()]
    return y if out is None else store_out(out, y)


@unless_constant(np.nanstd)
def nanstd(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, **kwargs):
    """sqrt(nanvar(x)), and slope 0 where that is 0."""
    y = r.root(nanvar(a, axis, dtype, None, ddof, keepdims, **kwargs))
    return y if out is None else store_out(out, y)


def _extremum(function, run):
    @unless_constant(function)
    def extremum(a, axis=None, out=None, keepdims=False, initial=NO, where=True):
        """The largest or smallest of what is not NaN; ties share."""
        y = run(a, axis, None, keepdims, initial, where)
        if np.isnan(plain(y)).any():
            warnings.warn("All-NaN slice encountered", RuntimeWarning, stacklevel=2)
        return y if out is None else store_out(out, y)


_extremum(np.nanmax, r.fmax_)
_extremum(np.nanmin, r.fmin_)
