"""Samples: complex numbers viewed as pairs, and back."""

import numpy as np

from tests.samples import sample

X = np.array([[0.3, -1.1, 0.5, 0.7], [2.0, 0.1, -0.4, 1.3]])


def as_pairs(x):
    return (x * (1 + 2j)).copy().view(x.real.dtype)


def from_pairs(x):
    return x.copy().view((x[:0] * 1j).dtype) ** 2


SAMPLES = {
    "view": [sample(as_pairs, X), sample(as_pairs, X[:0]), sample(from_pairs, X)],
    "view_back": [sample(lambda x: np.abs(from_pairs(as_pairs(x))), X)],
}
