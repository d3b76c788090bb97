"""Samples of ``rules/scipy_fft.py``; all options are in test_rules_scipy_fft."""

import numpy as np
from scipy import fft

from chainrule.core.primitive import FUNCTIONS
from chainrule.rules import scipy_fft as rules  # noqa: F401  (declares them)
from tests.samples import sample

X, M = (np.random.default_rng(0).normal(size=s) for s in (5, (3, 4)))


DCT, DST = FUNCTIONS[fft.dct], FUNCTIONS[fft.dst]


def transform(run, type, **kwargs):
    return lambda x: run(x, type, **kwargs)


def both(x, **options):
    return [
        sample(transform(f, type, norm=norm, **options), x, complex=True)
        for f in (DCT, DST)
        for type in (1, 2, 3, 4)
        for norm in (None, "ortho", "forward")
    ]


SAMPLES = {
    "trigonometric": [*both(X), *both(M, axis=0)],
    "trigonometric_adjoint": both(X),
}
