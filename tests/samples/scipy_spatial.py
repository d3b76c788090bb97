"""Samples of ``rules/scipy_spatial.py``; its compositions are in test_rules_scipy_spatial."""

import numpy as np
from scipy.spatial import distance

from chainrule.core.primitive import FUNCTIONS
from chainrule.rules import scipy_spatial as rules  # noqa: F401  (declares them)
from tests.samples import sample

A = np.random.default_rng(0).normal(size=(4, 3))
B = np.random.default_rng(1).normal(size=(5, 3))
TWINS = np.array([[1.0, 2.0], [1.0, 2.0], [0.5, 1.0]])
CDIST = FUNCTIONS[distance.cdist]
PDIST = FUNCTIONS[distance.pdist]


def cdist(metric):
    return lambda a, b: CDIST(a, b, metric)


def pdist(metric):
    return lambda x: PDIST(x, metric)


def cdists(metric):
    return [
        sample(cdist(metric), A, B),
        sample(cdist(metric), np.zeros((0, 3)), B),
        sample(cdist(metric), A, np.zeros((0, 3))),
        sample(cdist(metric), TWINS[:1], TWINS, smooth=False, note="equal points"),
    ]


def pdists(metric):
    return [
        sample(pdist(metric), A),
        sample(pdist(metric), A[:1]),
        sample(pdist(metric), TWINS, smooth=False, note="equal points"),
    ]


SAMPLES = {
    "cdist_euclidean": cdists("euclidean"),
    "cdist_sqeuclidean": cdists("sqeuclidean"),
    "pdist_euclidean": pdists("euclidean"),
    "pdist_sqeuclidean": pdists("sqeuclidean"),
}
