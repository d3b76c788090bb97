"""Samples of ``rules/scipy_signal.py``; modes and options are in test_rules_scipy_signal."""

import numpy as np
from scipy import signal

from chainrule.core.primitive import FUNCTIONS
from chainrule.rules import scipy_signal as rules  # noqa: F401  (declares them)
from tests.samples import sample

RNG = np.random.default_rng(0)
X, V, IMAGE, KERNEL = (RNG.normal(size=s) for s in (7, 3, (4, 5), (2, 3)))
B, A = np.array([0.3, 0.5]), np.array([1.5, -0.4, 0.1])
CONVOLVE = FUNCTIONS[signal.convolve]
FFTCONVOLVE = FUNCTIONS[signal.fftconvolve]
LFILTER = FUNCTIONS[signal.lfilter]


def convolve(mode, method="direct"):
    return lambda a, v: CONVOLVE(a, v, mode, method)


def lfilter(b, a, x):
    return LFILTER(b, a, x)


SAMPLES = {
    "convolve_nd": [
        sample(convolve("full"), X, V, complex=True),
        sample(convolve("full"), V, X),
        sample(convolve("valid"), X, V, complex=True),
        sample(convolve("valid"), X, X),
        sample(convolve("full"), IMAGE, KERNEL, complex=True),
        sample(convolve("valid"), IMAGE, KERNEL),
        sample(convolve("full"), X[:1], V[:1]),
        sample(
            lambda a, v: FFTCONVOLVE(a, v, axes=1),
            IMAGE,
            KERNEL[:1],
        ),
    ],
    "linear_filter": [
        sample(lfilter, B, A, X, complex=True),
        sample(lfilter, V, A[:1], X),
        sample(lfilter, B[:1], A, IMAGE),
        sample(lfilter, V, A, X[:1]),
    ],
}
