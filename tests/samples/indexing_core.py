"""Samples of the three primitives that handles are made of."""

import numpy as np

from tests.samples import sample

V = np.array([0.3, -1.2, 2.5, 0.7])
M = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
S = np.float64(1.25)
EMPTY = np.zeros((0, 3))


def assigned(index):
    """x with v stored at the index (a handle also where only v is traced: f is not lifted here)."""

    def f(x, v):
        y = x + 0.0 * v.sum()
        y[index] = v
        return y

    return f


SAMPLES = {
    "setitem": [
        sample(assigned(1), V, S),
        sample(assigned(slice(1, 3)), V, V[:2] * 3, complex=True),
        sample(assigned(slice(None, None, -2)), V, S),
        sample(assigned((slice(None), 1)), M, V[:2]),
        sample(assigned(np.array([0, 0, 2])), V, V[:3] * 2),
        sample(assigned(np.array([True, False, True, False])), V, V[:2]),
        sample(assigned((..., None)), M, S),
        sample(assigned(slice(0, 0)), V, EMPTY[:, 0]),
    ],
    "scatter": [
        sample(lambda w: np.bincount([0, 2, 0, 1], weights=w), V),
        sample(lambda w: np.histogram([0.1, 0.2, 0.7, 0.9], bins=3, weights=w)[0], V),
    ],
}
