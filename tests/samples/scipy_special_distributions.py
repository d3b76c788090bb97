"""Samples of incomplete gamma and beta functions, of distribution functions and their inverses."""

import numpy as np
from scipy import special

import chainrule.rules.scipy_special  # noqa: F401
from chainrule.rules import scipy_distributions as distributions
from chainrule.rules import scipy_parameters as parameters
from chainrule.rules.scipy_outputs import private
from tests.samples import sample

X = np.array([-2.3, -0.6, 0.4, 1.7])
POSITIVE = np.array([[0.2, 0.9], [1.6, 4.5]])
UNIT = np.array([0.05, 0.3, 0.6, 0.93])
ROW, COLUMN = np.array([0.4, 1.3, 2.2]), np.array([[0.7], [1.9]])
PROBABILITY = np.array([0.1, 0.45, 0.8])
EMPTY = np.zeros(0)
ONCE = "the density has no rule of its own"


def _all(f, *operands, **options):
    """Broadcast, at single numbers, and at empty arrays."""
    firsts = [float(np.ravel(x)[0]) for x in operands]
    return [
        sample(f, *operands, **options),
        sample(f, *firsts, **options),
        sample(f, EMPTY, *firsts[1:], **options),
    ]


def _slots(f, *operands, slots, **options):
    """With the operands outside ``slots`` constant: they have no rule."""

    def of(*active):
        full = list(operands)
        for i, x in zip(slots, active):
            full[i] = x
        return f(*full)

    return [sample(of, *[operands[i] for i in slots], **options)]


def _counts(f):
    """In float64: SciPy's float32 loops of these have floats for counts, and warn of that."""
    return [
        sample(lambda p, k=k: f(np.int64(k), np.int64(7), p.astype(float)), p)
        for k, p in ((2, UNIT), (0, np.array(0.4)))
    ]


def _noncentral_f(dfn, dfd, nc, f):
    """By its definition: the mixture of central ones by Poisson's weights."""
    j = np.arange(60)
    weights = np.exp(special.xlogy(j, nc / 2) - nc / 2 - special.gammaln(j + 1))
    return np.sum(weights * special.betainc(dfn / 2 + j, dfd / 2, dfn * f / (dfd + dfn * f)))


# SciPy 1.13 has five digits of the noncentral F distribution only: the judge sees that
_F = 3.2, 5.1, 1.4, 0.9
NONCENTRAL_F_IS_EXACT = np.isclose(special.ncfdtr(*_F), _noncentral_f(*_F), rtol=1e-12)
F_PLACES, F_LEVELS = (POSITIVE, PROBABILITY) if NONCENTRAL_F_IS_EXACT else (EMPTY, EMPTY)

SAMPLES = {
    "stdtr_order": [sample(distributions.student_order, COLUMN + 1, X)],
    "gammainc_order": [
        sample(lambda a, x: parameters.apply(parameters.GAMMA_ORDER, a, x, 1), COLUMN, ROW),
        sample(lambda a, x: parameters.apply(parameters.GAMMA_ORDER, a, x, 2), 40.0, 38.0),
    ],
    "betainc_order": [
        sample(lambda a, b: parameters.betainc_a(a, b, UNIT, 1 - UNIT), COLUMN, 2.5),
        sample(lambda a, x: parameters.betainc_b(a, 30.0, x, 1 - x), 20.0, PROBABILITY),
    ],
    "gammainc": [*_all(special.gammainc, COLUMN, ROW), sample(special.gammainc, 40.0, POSITIVE)],
    "gammaincc": [*_all(special.gammaincc, COLUMN, ROW), sample(special.gammaincc, 30.0, 80.0)],
    "gammaincinv": [*_all(special.gammaincinv, COLUMN, PROBABILITY)],
    "gammainccinv": [*_all(special.gammainccinv, COLUMN, PROBABILITY)],
    "chdtr": [*_all(special.chdtr, COLUMN, ROW)],
    "chdtrc": [*_all(special.chdtrc, COLUMN, ROW)],
    "chdtri": [*_all(special.chdtri, COLUMN, PROBABILITY)],
    "chdtriv": [*_all(special.chdtriv, PROBABILITY, COLUMN)],
    "gdtr": [*_all(special.gdtr, COLUMN, 1.7, ROW)],
    "gdtrc": [*_all(special.gdtrc, COLUMN, 1.7, ROW)],
    "gdtria": [*_all(special.gdtria, PROBABILITY, 1.7, COLUMN)],
    "gdtrix": [*_all(special.gdtrix, COLUMN, 1.7, PROBABILITY)],
    "gdtrib": [*_all(special.gdtrib, COLUMN, PROBABILITY, 1.4)],
    "pdtr": [sample(special.pdtr, 2, POSITIVE), sample(special.pdtr, 0, 1.5)],
    "pdtrc": [sample(special.pdtrc, 2, POSITIVE), sample(special.pdtrc, 0, 1.5)],
    "pdtri": [sample(special.pdtri, 2, UNIT), sample(special.pdtri, 0, 0.3)],
    "pdtrik": [*_all(special.pdtrik, 0.3 + 0 * ROW, COLUMN + 2)],
    "betainc": [
        *_all(special.betainc, COLUMN, 1.5, UNIT),
        sample(special.betainc, 40.0, 60.0, PROBABILITY),
    ],
    "betaincc": [*_all(special.betaincc, COLUMN, 1.5, UNIT)],
    "betaincinv": [*_all(special.betaincinv, COLUMN, 1.5, UNIT)],
    "betainccinv": [*_all(special.betainccinv, COLUMN, 1.5, UNIT)],
    "btdtria": [*_all(special.btdtria, PROBABILITY, 1.5, np.array([[0.3], [0.6]]))],
    "btdtrib": [*_all(special.btdtrib, 1.5, PROBABILITY, np.array([[0.3], [0.6]]))],
    "bdtr": _counts(special.bdtr),
    "bdtrc": _counts(special.bdtrc),
    "bdtri": _counts(special.bdtri),
    "bdtrik": [*_all(special.bdtrik, 0.6 + 0.1 * ROW, 7.3, 0.4)],
    "bdtrin": [*_all(special.bdtrin, 2.2 + ROW, 0.6, 0.4)],
    "nbdtr": _counts(special.nbdtr),
    "nbdtrc": _counts(special.nbdtrc),
    "nbdtri": _counts(special.nbdtri),
    "nbdtrik": [*_all(special.nbdtrik, 0.4 + 0.1 * ROW, 5.2, 0.6)],
    "nbdtrin": [*_all(special.nbdtrin, 2.2 + ROW, 0.4, 0.6)],
    "fdtr": [*_all(special.fdtr, 3.2, 5.1, POSITIVE)],
    "fdtrc": [*_all(special.fdtrc, 3.2, 5.1, POSITIVE)],
    "fdtri": [*_all(special.fdtri, 3.2, 5.1, PROBABILITY)],
    "fdtridfd": [*_all(special.fdtridfd, 3.2, PROBABILITY[:2], 0.8)],
    "stdtr": [*_all(special.stdtr, COLUMN + 1, X), sample(special.stdtr, 3.0, 0.0)],
    "stdtrit": [*_all(special.stdtrit, COLUMN + 1, UNIT)],
    "stdtridf": [*_all(special.stdtridf, 0.65 + 0.02 * ROW, 0.6)],
    "_ncx2_pdf": [*_slots(private("_ncx2_pdf"), POSITIVE, 3.2, 1.4, slots=(0, 2))],
    "chndtr": [*_slots(special.chndtr, POSITIVE, 3.2, 1.4, slots=(0, 2))],
    "chndtrix": [*_slots(special.chndtrix, PROBABILITY, 3.2, 1.4, slots=(0, 2))],
    "chndtrinc": [*_slots(special.chndtrinc, 2.7, 1.2, 0.4, slots=(0, 2))],
    "_ncx2_sf": [*_slots(private("_ncx2_sf"), POSITIVE, 3.2, 1.4, slots=(0, 2))],
    "ncfdtr": [
        *_slots(special.ncfdtr, 3.2, 5.1, 1.4, F_PLACES, slots=(2, 3), smooth=False, note=ONCE)
    ],
    "ncfdtri": [
        *_slots(special.ncfdtri, 3.2, 5.1, 1.4, F_LEVELS, slots=(2, 3), smooth=False, note=ONCE)
    ],
    "ncfdtrinc": [
        # SciPy solves to six digits only: elsewhere the judge sees that
        *_slots(special.ncfdtrinc, 3.2, 5.1, EMPTY, 0.8, slots=(2, 3), smooth=False, note=ONCE)
    ],
    "nctdtr": [
        *_slots(special.nctdtr, 3.2, 0.8, X, slots=(1, 2), smooth=False, note=ONCE),
        *_slots(special.nctdtr, 0.7, 0.8, X, slots=(1, 2), smooth=False, note=ONCE),
    ],
    "nctdtrit": [*_slots(special.nctdtrit, 3.2, 0.8, UNIT, slots=(1, 2), smooth=False, note=ONCE)],
    "nctdtrinc": [*_slots(special.nctdtrinc, 3.2, 0.4, 0.6, slots=(1, 2), smooth=False, note=ONCE)],
    "nrdtrimn": [*_all(special.nrdtrimn, UNIT, 1.3, 0.4)],
    "nrdtrisd": [*_all(special.nrdtrisd, 0.2, UNIT, 1.4)],
}
