"""Coordinates that share a kink: alone each has a choice of slopes, together they have none."""

import numpy as np
import pytest

from chainrule.checker import check

X = np.array([1.0, 3.0, 3.0, 2.0])
W = np.array([2.0, -1.0, 3.0])


def twice_max(x):
    return 2 * np.max(x)


@pytest.mark.parametrize("g", [[0, 2.0, 2.0, 0], [0, 1.1, 1.0, 0]])
def test_wrong_shares_of_a_tie_fail(g):
    report = check(twice_max, X, grad=lambda x: np.array(g))
    assert report.verdict == "fail"
    assert "share a kink" in report.reason


@pytest.mark.parametrize("g", [[0, 1.0, 1.0, 0], [0, 2.0, 0, 0], [0, 0.5, 1.5, 0]])
def test_any_right_shares_of_a_tie_pass(g):
    assert check(twice_max, X, grad=lambda x: np.array(g)).verdict == "pass"


@pytest.mark.parametrize("at_zero", [0.0, 0.5, 1.0])
def test_kinks_of_their_own_may_each_have_any_slope(at_zero):
    report = check(
        lambda x: W @ np.maximum(x, 0), np.zeros(3), grad=lambda x: W * np.heaviside(x, at_zero)
    )
    assert report.verdict == "pass"


def test_two_ties_may_be_broken_in_different_ways():
    f = lambda x: 2 * max(x[0], x[1]) - max(x[2], x[3])
    for g in ([2.0, 0, -1, 0], [2.0, 0, 0, -1], [1.0, 1, -0.5, -0.5]):
        assert check(f, np.ones(4), grad=lambda x, g=g: np.array(g)).verdict == "pass"
