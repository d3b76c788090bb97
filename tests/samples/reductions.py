"""Samples of rules/reductions.py and rules/ufunc_methods.py: axes, masks, zeros, ties, empty."""

import numpy as np

from tests.samples import sample

X = np.array([0.35, -1.2, 0.8, 2.1, -0.4])
MATRIX = np.array([[0.7, -1.3, 0.45, 1.9], [1.1, 0.6, -0.9, -0.25], [-2.2, 1.7, 0.3, 0.55]])
CUBE = np.linspace(-1.1, 1.3, 24).reshape(2, 3, 4) ** 3 + np.cos(np.arange(24.0)).reshape(2, 3, 4)
ZEROS = np.array([[0.7, 0.0, 0.45, 1.9], [0.0, 0.6, 0.0, -0.25], [-2.2, 1.7, 0.3, 0.55]])
TIES = np.array([1.0, 2.0, 2.0])
EMPTY = np.zeros((3, 0))
MASK = np.array([[True, False, True, True], [False, True, True, False], [True, True, True, True]])
KINK = "not differentiable where elements tie"


def reduction(f, *more, complex=True, empty=True):
    """Over all, over one axis, a negative and several ones, kept; a 0-d array and a scalar."""
    return [
        sample(f, X, complex=complex),
        sample(f, MATRIX, complex=complex),
        sample(lambda x: f(x, axis=0), MATRIX, complex=complex),
        sample(lambda x: f(x, axis=-1, keepdims=True), MATRIX),
        sample(lambda x: f(x, axis=(0, -1)), CUBE, complex=complex),
        sample(lambda x: f(x, axis=(-1, 1), keepdims=True), CUBE),
        sample(lambda x: f(x, axis=None, keepdims=True), MATRIX),
        sample(f, np.array(0.7)),
        sample(f, 0.7),
        *([sample(f, EMPTY), sample(lambda x: f(x, axis=-1), EMPTY)] if empty else []),
        *more,
    ]


def masked(f, **kwargs):
    return [
        sample(lambda x: f(x, where=MASK, **kwargs), MATRIX),
        sample(lambda x: f(x, axis=1, where=MASK, **kwargs), MATRIX),
        sample(lambda x: f(x, axis=0, where=MASK[:1], keepdims=True, **kwargs), MATRIX),
    ]


def extremum(f):
    return [
        *reduction(f, complex=False, empty=False),
        *masked(f, initial=0.4),
        sample(lambda x: f(x, axis=1, initial=0.5), MATRIX),
        sample(lambda x: f(x, axis=1, initial=0.5), EMPTY),
        sample(lambda x: f(x, axis=0, initial=x[1, 1]), MATRIX),
        sample(f, TIES, smooth=False, note=KINK),
        sample(lambda x: f(x, axis=0, keepdims=True), -TIES, smooth=False, note=KINK),
        sample(lambda x: f(x, initial=2.0), TIES, smooth=False, note=KINK),
    ]


def cumulative(f, complex=True):
    return [
        sample(f, X, complex=complex),
        sample(f, MATRIX, complex=complex),
        sample(lambda x: f(x, axis=0), MATRIX, complex=complex),
        sample(lambda x: f(x, axis=-2), CUBE),
        sample(lambda x: f(x, axis=-1), CUBE.transpose(2, 0, 1)),
        sample(f, np.array(0.7)),
        sample(f, 0.7),
        sample(lambda x: f(x, axis=1), EMPTY),
        sample(lambda x: f(x, axis=1), ZEROS),
    ]


def log_sum(f):
    low = np.array([[-np.inf, 0.5, 1.0], [0.3, 0.2, -np.inf]])
    return [
        sample(lambda x: f(x, axis=0), X),
        sample(lambda x: f(x, axis=1, keepdims=True), MATRIX),
        sample(lambda x: f(x, axis=-2), CUBE),
        sample(lambda x: f(x, axis=None), MATRIX),
        sample(lambda x: f(x, axis=(0, 2)), CUBE),
        sample(lambda x: f(x, axis=1), 300 * MATRIX),
        sample(lambda x: f(x, axis=1), low, smooth=False, note="an infinite operand"),
    ]


def fmax(x, **kwargs):
    return np.fmax.reduce(x, **{"axis": None, **kwargs})


def fmin(x, **kwargs):
    return np.fmin.reduce(x, **{"axis": None, **kwargs})


SUMS = [
    *masked(np.sum),
    sample(lambda x: np.sum(x, axis=0, dtype=complex), MATRIX),
]

SEGMENTS = [
    sample(lambda x: np.add.reduceat(x, [0, 2, 3]), X, complex=True),
    sample(lambda x: np.add.reduceat(x, [1, 2], axis=-1), MATRIX),
    sample(lambda x: np.add.reduceat(x, [1], axis=1), CUBE),
]

SAMPLES = {
    "sum": reduction(np.sum, *SUMS),
    "spread": reduction(np.sum, *SUMS),
    "root": [
        sample(np.std, X, complex=True),
        sample(lambda x: np.std(x, axis=-1), MATRIX),
        sample(lambda x: np.std(x, axis=(0, 2), keepdims=True, ddof=1), CUBE),
        sample(np.std, np.full(3, 0.5), smooth=False, note="the root of 0"),
    ],
    "max": extremum(np.max),
    "min": extremum(np.min),
    "fmax_reduce": extremum(fmax),
    "fmin_reduce": extremum(fmin),
    "variance": [
        *(sample(np.var, x) for x in (X, MATRIX, 1e6 + X, 0.7)),
        sample(lambda x: np.var(x, axis=0), MATRIX),
        sample(lambda x: np.var(x, axis=(0, -1), ddof=2), CUBE),
        sample(lambda x: np.std(x, axis=-1, keepdims=True), MATRIX),
    ],
    "prod": reduction(
        np.prod,
        *masked(np.prod),
        sample(lambda x: np.prod(x, axis=0), ZEROS),
        sample(lambda x: np.prod(x, axis=1), ZEROS),
        sample(lambda x: np.prod(x, axis=(0, 1)), ZEROS),
        sample(np.prod, np.array([0.0, 1.3, 2.0])),
        sample(np.prod, np.array([0.0, 1.3, 0.0])),
        sample(np.prod, np.zeros(3)),
    ),
    "cumsum": cumulative(np.cumsum),
    "reverse_cumsum": cumulative(np.cumsum),
    "cumprod": [
        *cumulative(np.cumprod),
        sample(np.cumprod, np.array([1.2, 0.0, 0.7, 0.0, 2.0])),
    ],
    "logaddexp_reduce": log_sum(np.logaddexp.reduce),
    "logaddexp2_reduce": log_sum(np.logaddexp2.reduce),
    "segment_sum": SEGMENTS,
    "segment_spread": SEGMENTS,
}
