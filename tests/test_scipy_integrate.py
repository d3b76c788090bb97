"""Integrals of samples by ``scipy.integrate``: SciPy's Python code, lifted."""

import numpy as np
import pytest
from scipy import integrate

from tests.helpers import assert_as_numpy

X = np.linspace(0.0, 1.0, 6) ** 1.2
Y = np.random.default_rng(0).normal(size=(2, 6))
RULES = [
    integrate.trapezoid,
    integrate.simpson,
    integrate.cumulative_trapezoid,
    integrate.cumulative_simpson,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda f: f.__name__)
def test_integrals_of_samples(rule):
    assert_as_numpy(lambda y: rule(y, x=X), Y)
    assert_as_numpy(lambda y: rule(y[:, :5], x=X[:5]), Y)
    assert_as_numpy(lambda y: rule(y, dx=0.3, axis=0), Y.T)
    assert_as_numpy(lambda x: rule(Y, x=x), X)
    assert_as_numpy(lambda dx: rule(Y, dx=dx), 0.3)


@pytest.mark.parametrize("rule", RULES[2:], ids=lambda f: f.__name__)
def test_running_integrals_with_an_initial_value(rule):
    assert_as_numpy(lambda y: rule(y, x=X, initial=0), Y)


def test_other_rules():
    assert_as_numpy(lambda y: integrate.romb(y, dx=0.2), Y.ravel()[:9])
    assert_as_numpy(lambda y: integrate.newton_cotes(5)[0] @ y, Y[0])
    assert_as_numpy(
        lambda p: integrate.fixed_quad(lambda u: np.exp(-p[0] * u), 0, p[1], n=5)[0],
        np.array([0.3, 1.2]),
    )
