"""Samples of rules/choosing.py and rules/sorting.py: conditions, broadcast, ties, sinc and i0."""

import numpy as np

import chainrule as cr
from tests.samples import sample

X = np.array([0.35, -1.2, 0.8, 2.1, -0.4])
MATRIX = np.array([[0.7, -1.3, 0.45, 1.9], [1.1, 0.6, -0.9, -0.25], [-2.2, 1.7, 0.3, 0.55]])
COLUMN = np.array([[0.9], [-1.4], [2.3]])
MASK = np.array([[True, False, True, True], [False, True, True, False], [True, True, True, True]])
TIES = np.array([[1.0, 2.0, 1.0, 1.5], [3.0, 2.0, 4.0, -2.0], [0.0, -1.0, 0.5, 0.0]])
KINK = "not differentiable where elements tie"


def slope(f):
    """The derivative of f as a function: its program holds what the partial of f calls."""
    return lambda x: cr.vjp(f, x)[1](np.ones_like(x))[0]


SORTED_TIES = [
    sample(np.sort, np.array([1.0, 2.0, 1.0, 0.0, 2.0]), smooth=False, note=KINK),
    sample(np.sort, TIES, smooth=False, note=KINK),
    sample(lambda x: np.sort(x, axis=0), TIES, smooth=False, note=KINK),
    sample(lambda x: np.sort(x, axis=None), TIES, smooth=False, note=KINK),
]

SAMPLES = {
    "where": [
        sample(lambda x, y: np.where(MASK, x, y), MATRIX, -MATRIX, complex=True),
        sample(lambda x, y: np.where(MASK, x, y), MATRIX, COLUMN, complex=True),
        sample(lambda x, y: np.where(MASK[0], x, y), COLUMN, 0.7),
        sample(lambda x: np.where(x > 0.1, x * x, 0), MATRIX),
        sample(lambda x: np.where(MASK, 1.5, x), MATRIX),
        sample(lambda x, y: np.where(x > y, x, y), 0.3, 0.4),
        sample(lambda x, y: np.where(x > y, x, y), np.array(0.5), np.array(0.4)),
        sample(lambda x, y: np.where(np.zeros((3, 0), bool), x, y), COLUMN, 0.3),
        sample(
            lambda x: np.where(x > 0, np.sqrt(x), x * x),
            MATRIX,
            note="the branch not taken is NaN",
        ),
    ],
    "clip": [
        sample(lambda x: np.clip(x, -0.5, 1.0), MATRIX),
        sample(lambda x: x.clip(-0.5, 1.0), 0.3),
        sample(np.clip, MATRIX, np.full(4, -0.5), COLUMN),
        sample(lambda x, low: np.clip(x, low, 1.0), X, -0.3),
        sample(lambda x: np.clip(x, 0.0, 1.0), np.array([0.0, 0.5, 1.0]), smooth=False, note=KINK),
        sample(lambda x: np.clip(x, 0.0, 1.0), np.zeros(0)),
    ],
    "sinc": [
        sample(np.sinc, X),
        sample(np.sinc, MATRIX),
        sample(np.sinc, np.array([0.0, 1.0, 2.0, 1e-9, -1e-4, 0.3])),
        sample(np.sinc, 0.3),
        sample(np.sinc, np.array(0.0)),
        sample(np.sinc, np.zeros(0)),
    ],
    "spherical_bessel": [
        sample(slope(np.sinc), X),
        sample(slope(np.sinc), np.array([0.0, 1.0, 30.0])),
    ],
    "i0": [
        sample(np.i0, X),
        sample(np.i0, MATRIX),
        sample(np.i0, np.array([0.0, 9.0])),
        sample(np.i0, 0.3),
        sample(np.i0, np.zeros(0)),
    ],
    "bessel_i": [
        sample(slope(np.i0), X),
        sample(slope(np.i0), np.array([0.0, -3.0])),
    ],
    "permuted": [
        sample(np.sort, X),
        sample(lambda x: np.sort(x, axis=0), MATRIX),
        sample(lambda x: np.partition(x, 2, axis=-1), MATRIX),
    ],
    "put_back": [sample(slope(lambda x: np.sort(x) ** 2), X)],
    "tied": SORTED_TIES,
    "group_means": SORTED_TIES,
}
