"""Covariances and correlations with all their keywords; histograms of weights."""

import numpy as np
import pytest

import chainrule as cr
from tests.agreement import agree

RNG = np.random.default_rng(5)
X = RNG.normal(size=(3, 7))
Y = RNG.normal(size=(2, 7))
F = np.array([1, 2, 1, 3, 1, 1, 2])
W = RNG.uniform(0.5, 2.0, 7)


CASES = {
    "rows": lambda x: np.cov(x),
    "columns": lambda x: np.cov(x, rowvar=False),
    "one variable": lambda x: np.cov(x[0]),
    "two arrays": lambda x: np.cov(x, Y),
    "two arrays, one traced twice": lambda x: np.cov(x[0], x[1:]),
    "second array only": lambda x: np.cov(Y, x),
    "columns of two arrays": lambda x: np.cov(x.T, Y.T, rowvar=False),
    "bias": lambda x: np.cov(x, bias=True),
    "ddof": lambda x: np.cov(x, ddof=2),
    "fweights": lambda x: np.cov(x, fweights=F),
    "aweights": lambda x: np.cov(x, aweights=W),
    "both": lambda x: np.cov(x, fweights=F, aweights=W),
    "both, ddof 0": lambda x: np.cov(x, fweights=F, aweights=W, ddof=0),
    "lists": lambda x: np.cov([x[0], x[1] ** 2]),
    "correlations": lambda x: np.corrcoef(x),
    "correlations of columns": lambda x: np.corrcoef(x[:2].T, rowvar=False),
    "correlations of two arrays": lambda x: np.corrcoef(x, Y),
    "correlation with itself": lambda x: np.corrcoef(x[0]) * x[0, 0],
    "complex": lambda x: np.cov(x[:2] + 1j * x[1:]),
    "complex correlations": lambda x: np.corrcoef(x[:2] + 1j * x[1:]),
}


@pytest.mark.parametrize("name", CASES)
def test_of_the_data(name):
    agree(CASES[name], X)


def test_of_the_weights():
    agree(lambda w: np.cov(X, aweights=w), W)
    agree(lambda w: np.cov(X, aweights=w, fweights=F, ddof=2), W)


def test_dtypes():
    got = cr.vjp(lambda x: np.cov(x, dtype=np.float32), X)[0]
    assert got.dtype == np.cov(X, dtype=np.float32).dtype
    assert cr.vjp(lambda x: np.cov(x[:0]), X)[0].shape == (0, 0)


def test_errors_and_warnings_are_numpys():
    with pytest.raises(ValueError, match="2 dimensions"):
        cr.grad(lambda x: np.cov(x[None]).sum())(X)
    with pytest.raises(RuntimeError, match="incompatible"):
        cr.grad(lambda x: np.cov(x, aweights=np.ones(3)).sum())(X)
    with pytest.warns(RuntimeWarning, match="Degrees of freedom"), np.errstate(all="ignore"):
        cr.vjp(lambda x: np.cov(x[:, :1]), X)


def test_histograms_are_linear_in_the_weights():
    x = RNG.uniform(0, 4, 7)
    agree(lambda w: np.histogram(x, bins=4, weights=w)[0], W)
    agree(lambda w: np.histogram(x, bins=[0, 1, 3, 4], weights=w, density=True)[0], W)
    agree(lambda w: np.histogram2d(x, x[::-1], bins=2, weights=w)[0], W)
    agree(lambda w: np.histogramdd(np.c_[x, x], bins=2, weights=w)[0], W)
    agree(lambda w: np.bincount([0, 2, 2, 1, 0, 1, 1], weights=w, minlength=5), W)
