"""Samples of ``rules/scipy_linalg.py``; its compositions are tested in test_rules_scipy_linalg."""

import numpy as np
from scipy import linalg

from chainrule.core.primitive import FUNCTIONS
from chainrule.rules import scipy_linalg as rules  # noqa: F401  (declares them)
from tests.samples import sample

A = np.array([[0.3, -0.2, 0.5], [0.1, 0.4, -0.6], [0.7, 0.2, 0.1]])
NILPOTENT = np.array([[0.0, 1.0], [0.0, 0.0]])


def expm(a):
    return FUNCTIONS[linalg.expm](a) if not isinstance(a, float) else linalg.expm(a)


SAMPLES = {
    "expm": [
        sample(expm, A, complex=True),
        sample(expm, NILPOTENT),
        sample(expm, np.array([[1.5]])),
    ]
}
