"""Exported source of every primitive, at the samples of the test table.

Without simplification the file gives the bits of the sweep it was noted from: those of the eager
gradient, except where a rule has a faster formula for plain arrays that looks at their numbers (the
file follows the general one). What cannot be exported is listed with the reason.
"""

import numpy as np
import pytest

import chainrule as cr
from chainrule.base.errors import ProgramError
from chainrule.core.primitive import PRIMITIVES
from tests.exporting import assert_close, assert_same_bits, exported
from tests.test_primitives import SAMPLES, _rows

DIRECT = "the sample calls the rule itself, which only the public function lets be followed"
LONG = "the slope by a parameter is a series or an integral of thousands of operations"
SPARSE = "products of sparse matrices are no NumPy calls"
REFUSED = {
    **dict.fromkeys(("linear_filter", "logsumexp_signed", "lu"), DIRECT),
    **dict.fromkeys(("sparse_matmul", "sparse_operator", "sparse_sampled", "sparse_solve"), SPARSE),
    **dict.fromkeys(
        "_beta_ppf _nbinom_cdf _nbinom_sf bdtrik bdtrin betainc betainc_order betaincc betainccinv "
        "betaincinv btdtria btdtrib fdtr fdtrc fdtri fdtridfd gammainc_order gdtrib nbdtrik "
        "nbdtrin pdtrik stdtr stdtr_order stdtridf stdtrit".split(),
        LONG,
    ),
    "stats_covariance": "SciPy's decomposition is an object of a class of its own",
}
# Rules of these kinds have no second formula that looks at the numbers of plain arrays.
BITWISE = ("adjoint_pair", "linear", "multilinear")


def _objective(row, operands):
    """A scalar function of the sample's operands that weights every element of its results."""
    with np.errstate(all="ignore"):
        ys = _several(row.sample.f(*operands))
    weights = [np.cos(np.arange(np.size(y)) + 1.0).reshape(np.shape(y)) for y in ys]

    def objective(*xs):
        total = 0.0
        for y, w in zip(_several(row.sample.f(*xs)), weights):
            total = total + np.sum(np.real(y) * w)
            if np.iscomplexobj(y):
                total = total + np.sum(np.imag(y) * w)
        return total

    return objective


def _several(ys):
    return ys if isinstance(ys, (tuple, list)) else (ys,)


def _compare(row, simplify):
    operands, wrt = row.operands(row.rng), tuple(row.active)
    if not wrt:
        pytest.skip("nothing to differentiate")
    objective = _objective(row, operands)
    with np.errstate(all="ignore"):
        want = cr.value_and_grad(objective, wrt=wrt)(*operands)
        # without simplification this raises if a bit is not the noted sweep's
        text = cr.source(objective, *operands, wrt=wrt, simplify=simplify, limit=4_000)
        got = exported(text)[0](*operands)
    assert_close(got, want)
    primitive = PRIMITIVES.get(row.name)  # or a composition
    if not simplify and primitive is not None and primitive.kind in BITWISE:
        assert_same_bits(got, want)


def _rows_of(names, *dtypes):
    return [p for p in _rows(*dtypes) if p.values[0].number == 0 and p.values[0].name in names]


NAMES = sorted(set(SAMPLES) - set(REFUSED))
SOME = NAMES[::5]


@pytest.mark.parametrize("row", _rows_of(NAMES, "f8"))
def test_exported_sample_is_the_sweep_to_the_last_bit(row):
    _compare(row, simplify=False)


@pytest.mark.parametrize("row", _rows_of(NAMES, "f8") + _rows_of(SOME, "f4", "c16"))
def test_simplified_sample_is_a_few_ulp_away(row):
    _compare(row, simplify=True)


@pytest.mark.parametrize("name", [n for n in REFUSED if REFUSED[n] != LONG] + ["btdtria"])
def test_what_cannot_be_exported_says_so(name):
    (row, *_) = (p.values[0] for p in _rows_of([name], "f8"))
    operands = row.operands(row.rng)
    with pytest.raises(ProgramError), np.errstate(all="ignore"):
        cr.source(_objective(row, operands), *operands, wrt=tuple(row.active), simplify=False)
