"""The standard library's ``statistics`` on traced values: it would turn them into fractions."""

import functools
import statistics

import numpy as np

from chainrule.core.array import _any_traced, as_operand
from chainrule.core.lift import replace
from chainrule.core.trace import plain


def _mean(xs, weights=None):
    return np.average(as_operand(xs), weights=weights)


def _spread(function, ddof):
    def spread(xs, mu=None):
        xs = as_operand(xs)
        mean = xs.mean() if mu is None else mu
        variance = ((xs - mean) ** 2).sum() / (len(xs) - ddof)
        return function(variance)

    return spread


def _middle(pick):
    """The element in the middle, or ``pick`` of the two around it."""

    def middle(xs):
        ordered, n = np.sort(as_operand(xs)), len(xs)
        return ordered[n // 2] if n % 2 else pick(ordered[n // 2 - 1], ordered[n // 2])

    return middle


def _covariance(xs, ys):
    xs, ys = as_operand(xs), as_operand(ys)
    return (xs - xs.mean()) @ (ys - ys.mean()) / (len(xs) - 1)


def _correlation(xs, ys):
    return _covariance(xs, ys) / np.sqrt(_covariance(xs, xs) * _covariance(ys, ys))


_FORMULAS = {
    "mean": _mean,
    "fmean": _mean,
    "geometric_mean": lambda xs: np.exp(np.mean(np.log(as_operand(xs)))),
    "harmonic_mean": lambda xs, weights=None: 1 / _mean(1 / as_operand(xs), weights),
    "variance": _spread(lambda v: v, 1),
    "stdev": _spread(np.sqrt, 1),
    "pvariance": _spread(lambda v: v, 0),
    "pstdev": _spread(np.sqrt, 0),
    "median": _middle(lambda a, b: (a + b) / 2),
    "median_low": _middle(lambda a, b: a),
    "median_high": _middle(lambda a, b: b),
    "covariance": _covariance,
    "correlation": _correlation,
}


def _numeric(function, formula):
    @functools.wraps(function)
    def call(*data, **kwargs):
        data = tuple(list(d) if hasattr(d, "__iter__") else d for d in data)
        if _any_traced(data) or _any_traced(kwargs.values()):
            function(*plain(data), **plain(kwargs))  # raises as it does: too few data
            return formula(*data, **kwargs)
        return function(*plain(data), **plain(kwargs))

    return call


for _name, _formula in _FORMULAS.items():
    _function = getattr(statistics, _name)
    replace(_function, _numeric(_function, _formula))
