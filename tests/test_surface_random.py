"""Random numbers with traced parameters: NumPy's own numbers, and their slopes."""

import numpy as np
import pytest

import chainrule as cr
from tests.helpers import slope

X = np.array([0.3, 0.9, 1.7])
T = np.array([0.2, -0.5, 0.3])
COV = np.diag([1.0, 2.0, 3.0]) + 0.1
GENERATORS = {"generator": np.random.default_rng, "old": np.random.RandomState}
CASES = {
    "exponential": lambda rng, x: rng.exponential(x),
    "rayleigh": lambda rng, x: rng.rayleigh(x),
    "lognormal": lambda rng, x: rng.lognormal(x, x),
    "laplace": lambda rng, x: rng.laplace(x, x, (2, 3)),
    "gamma by its scale": lambda rng, x: rng.gamma(2.0, x),
    "gamma of several shapes": lambda rng, x: rng.gamma([0.5, 1, 2], x[0], size=(4, 3)),
    "weibull": lambda rng, x: rng.weibull(x),
    "weibull by a list": lambda rng, x: rng.weibull([x[0], 2.0, x[1]]),
    "pareto": lambda rng, x: rng.pareto(x, (5, 3)),
    "power": lambda rng, x: rng.power(x[1], 6),
    "triangular": lambda rng, x: rng.triangular(x[0], x[1], x[2], 30),
    "triangular broadcast": lambda rng, x: rng.triangular(x - 1, x, [5.0, 6.0, x[0] + 4]),
    "multivariate_normal": lambda rng, x: rng.multivariate_normal(x, COV, size=4),
    "the stream goes on": lambda rng, x: rng.weibull(x) + rng.gamma(2.0, x) * rng.normal(size=3),
}
REFUSED = {
    "gamma by its shape": lambda rng, x: rng.gamma(x, 1.0),
    "standard_gamma": lambda rng, x: rng.standard_gamma(x),
    "multivariate_normal by its covariance": lambda rng, x: rng.multivariate_normal(X, np.diag(x)),
    "a negative exponent": lambda rng, x: rng.weibull(x - 1),
    "beyond the mode": lambda rng, x: rng.triangular(x[2], x[1], x[0]),
}


@pytest.mark.parametrize("kind", GENERATORS)
@pytest.mark.parametrize("name", CASES)
def test_random_numbers(name, kind):
    def f(x):
        return CASES[name](GENERATORS[kind](5), x)

    y, pullback = cr.vjp(f, X)
    np.testing.assert_allclose(y, f(X), rtol=1e-13)
    w = np.cos(np.arange(y.size)).reshape(y.shape)
    along = slope(lambda s: np.array([np.sum(w * f(X + s * T))]))
    assert along.knows().all()
    assert not along.refutes(np.sum(pullback(w)[0] * T)).any()
    assert not along.refutes(np.sum(w * cr.jvp(f, (X,), (T,))[1])).any()


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    with pytest.raises(cr.NonDifferentiableError):
        cr.grad(lambda x: np.sum(REFUSED[name](np.random.default_rng(1), x)))(X)
