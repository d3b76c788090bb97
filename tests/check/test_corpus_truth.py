"""The corpus is what it says: right gradients are right and bugs are wrong, by other means."""

import warnings
from functools import cache

import numpy as np
import pytest

from tests.check.corpus import BUGS, HARD, HUGE, MANY, ORDINARY, probed
from tests.check.corpus.base import Pair, leaves
from tests.check.truth import error, outside, quotient, slope, true_gradient

SMOOTH = [pair for pair in ORDINARY + HARD + MANY if not pair.kinks]
KINKS = [pair for pair in HARD if pair.kinks]

# What a bug must change, relative to the gradient: more is gross, less is within the tolerance.
TINY = (3e-6, 1.2e-4)


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


@cache
def truth(pair: Pair) -> list[np.ndarray]:
    return true_gradient(pair)


def test_names_are_unique_and_the_corpus_is_large():
    pairs = ORDINARY + HARD + MANY
    assert len({pair.name for pair in pairs}) == len(pairs)
    assert len(ORDINARY) >= 60
    assert len(HARD) >= 50
    assert sum(not bug.tiny for _, bug in BUGS) >= 700
    assert sum(bug.tiny for _, bug in BUGS) >= 30
    for pair in pairs:
        assert len({bug.name for bug in pair.bugs}) == len(pair.bugs), pair.name


@pytest.mark.parametrize("pair", SMOOTH, ids=str)
def test_gradient_is_right(pair):
    claimed = pair.gradient(*pair.args)
    for c, arg in zip(leaves(claimed, len(pair.args)), pair.args):
        assert c.shape == np.shape(arg)
    assert error(claimed, truth(pair)) < pair.tol


@pytest.mark.parametrize("pair", [p for p in SMOOTH if p.exact is not None], ids=str)
def test_exact_function_has_the_same_value(pair):
    value = float(pair.f(*pair.args))
    complex_args = [np.asarray(arg, complex)[()] for arg in pair.args]
    if pair.name in ("kinks 1e-7 away", "dead units", "a step 0.01 away"):
        return  # it differs by a constant
    assert complex(pair.exact(*complex_args)).real == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("pair", ORDINARY + MANY, ids=str)
def test_differences_in_doubles_agree(pair):
    """Complex step is silent where a function does not take complex numbers: look again."""
    rng = np.random.default_rng(0)
    along = [rng.choice([-1.0, 1.0], np.shape(a)) * np.maximum(np.abs(a), 1e-9) for a in pair.args]
    claimed = leaves(pair.gradient(*pair.args), len(pair.args))
    expected = sum(np.sum(c * d) for c, d in zip(claimed, along))
    size = sum(np.sum(np.abs(c * d)) for c, d in zip(claimed, along))
    gaps = [abs(quotient(pair.f, pair.args, along, h) - expected) for h in (1e-4, 1e-5, 1e-6)]
    assert min(gaps) < 1e-6 * size


@pytest.mark.parametrize("pair", [p for p in SMOOTH if p.bugs], ids=str)
def test_bugs_are_wrong(pair):
    for bug in pair.bugs:
        wrong = bug.gradient(*pair.args)
        for c, arg in zip(leaves(wrong, len(pair.args)), pair.args):
            assert c.shape == np.shape(arg), bug.name
        gap = error(wrong, truth(pair))
        if bug.tiny:
            assert TINY[0] < gap < TINY[1], bug.name
        else:
            assert gap > TINY[1], bug.name


@pytest.mark.parametrize("pair", KINKS, ids=str)
def test_bugs_at_kinks_are_no_subgradients(pair):
    assert not outside(pair, pair.gradient(*pair.args))
    for bug in pair.bugs:
        assert outside(pair, bug.gradient(*pair.args)), bug.name


@pytest.mark.parametrize("pair", HUGE, ids=str)
def test_huge_gradient_is_right_along_directions(pair):
    rng = np.random.default_rng(0)
    (x,), claimed = pair.args, pair.gradient(*pair.args)
    for _ in range(3):
        v = rng.standard_normal(x.size)
        assert slope(pair.f, x, v) == pytest.approx(claimed @ v, rel=1e-9, abs=1e-6)
    for bug in pair.bugs:
        wrong = bug.gradient(x) != claimed
        i = int(np.flatnonzero(wrong)[0])
        v = np.zeros(x.size)
        v[i] = 1
        assert abs(bug.gradient(x)[i] - slope(pair.f, x, v)) > 0.05 * abs(claimed[i])


@pytest.mark.parametrize("pair", probed.NAMES, ids=str)
def test_probes_are_of_values_and_their_cotangents(pair):
    shown = probed.seen(pair)
    assert list(shown) == probed.NAMES[pair].split()
    for value, cotangent in shown.values():
        assert np.shape(value) == np.shape(cotangent)
