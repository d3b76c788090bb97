"""Samples of ``rules/scipy_stats.py``: the factor of a covariance, by what is unique of it, and
private ufuncs."""

import numpy as np

from chainrule.rules import scipy_stats as rules
from chainrule.rules.scipy_outputs import private
from tests.samples import sample

COVARIANCE = np.array([[2.0, 0.3, -0.4], [0.3, 1.5, 0.2], [-0.4, 0.2, 0.9]])


def _inverse_and_determinant(M, lower=True):
    U, log_det = rules.apply(rules.factor, M, lower=lower)
    return U @ U.T, log_det


X = np.array([-2.3, -0.6, 0.4, 1.7])
UNIT = np.array([0.05, 0.3, 0.6, 0.93])
COLUMN, PROBABILITY = np.array([[0.7], [1.9]]), np.array([0.1, 0.45, 0.8])


def _all(name, *operands):
    """Broadcast, at single numbers, and at empty arrays; nothing where SciPy has no such ufunc."""
    f = private(name)
    firsts = [float(np.ravel(x)[0]) for x in operands]
    samples = [sample(f, *operands), sample(f, *firsts), sample(f, np.zeros(0), *firsts[1:])]
    return samples if f is not None else []


def _counts(name, *operands, counts=(0.0, 2.0), trials=(), **options):
    """At constant counts, and of a constant number of trials."""
    f = private(name)
    k = np.array(counts)

    def of(*rest):
        return f(k.reshape(k.shape + (1,) * np.ndim(operands[0])), *trials, *rest)

    return [sample(of, *operands, **options)] if f is not None else []


SAMPLES = {
    "stats_covariance": [
        sample(_inverse_and_determinant, COVARIANCE),
        sample(_inverse_and_determinant, 1.3 * np.eye(2)),
        sample(_inverse_and_determinant, np.array([[0.7]])),
        sample(lambda M: _inverse_and_determinant(M, False), COVARIANCE),
    ],
    **{
        name: _all(name, UNIT, 1.7, 2.4)
        for name in ("_beta_pdf", "_beta_cdf", "_beta_sf", "_beta_ppf", "_beta_isf")
    },
    **{
        name: [
            *_counts(name, PROBABILITY, counts=(0.0, 2.0, 7.0), trials=(7.0,)),
            *_counts(name, 0.3, counts=(0.0, 1.0), trials=(1.0,)),
            *_counts(name, 0.0, trials=(3.0,), smooth=False, note="at an edge"),
        ]
        for name in ("_binom_pmf", "_binom_pdf")
    },
    "_binom_cdf": _counts("_binom_cdf", PROBABILITY, trials=(7.0,)),
    "_binom_sf": _counts("_binom_sf", PROBABILITY, trials=(7.0,)),
    **{name: _counts(name, COLUMN, PROBABILITY) for name in ("_nbinom_pmf", "_nbinom_pdf")},
    "_nbinom_cdf": _counts("_nbinom_cdf", COLUMN, PROBABILITY),
    "_nbinom_sf": _counts("_nbinom_sf", COLUMN, PROBABILITY),
    "_cauchy_ppf": _all("_cauchy_ppf", UNIT, 0.3, 1.4),
    "_cauchy_isf": _all("_cauchy_isf", UNIT, 0.3, 1.4),
    "_cosine_cdf": _all("_cosine_cdf", X),
    "_cosine_invcdf": _all("_cosine_invcdf", UNIT),
    "_skewnorm_cdf": _all("_skewnorm_cdf", X, 0.2, 1.3, 1.5),
    "_skewnorm_ppf": _all("_skewnorm_ppf", PROBABILITY, 0.2, 1.3, 1.5),
    "_skewnorm_isf": _all("_skewnorm_isf", PROBABILITY, 0.2, 1.3, 1.5),
    "_invgauss_ppf": _all("_invgauss_ppf", PROBABILITY, 0.8, 1.2),
    "_invgauss_isf": _all("_invgauss_isf", PROBABILITY, 0.8, 1.2),
}
