"""Samples of ``rules/polynomials.py``: roots, and characteristic polynomials of matrices."""

import numpy as np

from tests.samples import sample

REAL = np.poly([-3.0, 0.5, 4.0])
PAIR = np.array([2.0, 0.3, 1.5, 0.7])  # one real root and two conjugate ones
A = np.random.default_rng(0).normal(size=(4, 4))


SAMPLES = {
    "roots": [
        sample(np.roots, REAL),
        sample(np.roots, PAIR),
        sample(np.roots, REAL[:2]),
        sample(lambda p: np.sort_complex(np.roots(p)), np.array([1.0, -2.0 + 1j, 0.5j, 0.3])),
        sample(lambda p: np.abs(np.roots(p)), PAIR),
        sample(lambda p: np.sort(np.roots(p)), REAL),
        sample(lambda p: np.roots([0.0, *p]), REAL),
    ],
    "characteristic_polynomial": [
        sample(np.poly, A, complex=True),
        sample(np.poly, A[:1, :1]),
        sample(np.poly, np.diag([0.5, 0.5, 2.0]), note="equal eigenvalues"),
        sample(np.poly, np.array([[0.0, 1.0], [0.0, 0.0]]), note="not diagonalisable"),
    ],
}
