"""Densities, probabilities and quantiles of ``scipy.stats``, in every argument and parameter.

They are SciPy's Python code, lifted; the judge is numbers, and mpmath in the tails.
"""

import mpmath
import numpy as np
import pytest
from scipy import stats

import chainrule as cr
from chainrule.base.errors import NoRuleError
from tests.helpers import numeric_gradient

mp = mpmath.mp
# the density of the uniform distribution, quantiles of counts
pytestmark = pytest.mark.filterwarnings("ignore::chainrule.base.errors.IndependentOutputWarning")

DATA = np.array([0.3, 1.2, 2.5])
COUNTS = np.array([0, 2, 5])
LEVELS = np.array([0.2, 0.45, 0.9])

# name: data, all parameters, of which the first few are counts
CONTINUOUS = {
    "norm": (DATA, (0.2, 1.3)),
    "t": (DATA, (3.5, 0.2, 1.3)),
    "gamma": (DATA, (2.3, -0.1, 1.3)),
    "beta": (DATA / 3, (2.3, 1.4, -0.1, 1.3)),
    "expon": (DATA, (0.1, 1.3)),
    "chi2": (DATA, (3.5, -0.1, 1.3)),
    "lognorm": (DATA, (0.7, -0.1, 1.3)),
    "uniform": (DATA, (-0.5, 4.0)),
    "laplace": (DATA, (0.2, 1.3)),
    "cauchy": (DATA, (0.2, 1.3)),
    "weibull_min": (DATA, (1.7, -0.1, 1.3)),
    "logistic": (DATA, (0.2, 1.3)),
    "f": (DATA, (3.0, 5.0, -0.1, 1.3)),
    "invgamma": (DATA, (2.5, -0.1, 1.3)),
    "pareto": (DATA + 1, (2.5, 0.1, 1.1)),
    "gumbel_r": (DATA, (0.1, 1.2)),
    "halfnorm": (DATA, (0.0, 1.2)),
    "rayleigh": (DATA, (-0.1, 1.2)),
    "genextreme": (DATA, (-0.2, 0.1, 1.2)),
    "genpareto": (DATA, (0.2, 0.1, 1.2)),
    "skewnorm": (DATA, (1.5, 0.1, 1.2)),
    "truncnorm": (DATA, (-1.0, 3.0, 0.1, 1.2)),
    "invgauss": (DATA, (0.8, -0.1, 1.2)),
    "loggamma": (DATA, (1.4, 0.1, 1.2)),
    "johnsonsu": (DATA, (0.5, 1.2, 0.1, 1.2)),
}
DISCRETE = {
    "poisson": (COUNTS, (), (2.3,)),
    "binom": (COUNTS, (7,), (0.4,)),
    "nbinom": (COUNTS, (), (4.5, 0.4)),
    "bernoulli": (np.array([0, 1, 1]), (), (0.4,)),
    "geom": (COUNTS + 1, (), (0.4,)),
    "betabinom": (COUNTS, (7,), (2.0, 3.0)),
}
DENSITIES = ["logpdf", "pdf", "cdf", "sf", "logcdf", "logsf"]


def _agree(f, q):
    q = np.asarray(q, float)
    np.testing.assert_allclose(cr.vjp(f, q)[0], f(q), rtol=1e-14, atol=1e-300)
    got, want = cr.grad(f)(q), numeric_gradient(f, q)
    np.testing.assert_allclose(got, want, rtol=2e-7, atol=1e-8 * (1 + np.abs(want).max()))


@pytest.mark.parametrize("name", CONTINUOUS)
@pytest.mark.parametrize("method", DENSITIES)
def test_continuous_in_the_data_and_all_parameters(name, method):
    data, parameters = CONTINUOUS[name]
    f = getattr(getattr(stats, name), method)
    _agree(lambda p: np.sum(f(data, *p)), parameters)
    _agree(lambda x: np.sum(f(x, *parameters) * np.array([1.0, -2.0, 3.0])), data)


@pytest.mark.parametrize("name", CONTINUOUS)
@pytest.mark.parametrize("method", ["ppf", "isf"])
def test_quantiles_in_the_level_and_all_parameters(name, method):
    _, parameters = CONTINUOUS[name]
    f = getattr(getattr(stats, name), method)
    _agree(lambda p: np.sum(f(LEVELS, *p)), parameters)
    _agree(lambda q: np.sum(f(q, *parameters)), LEVELS)


@pytest.mark.parametrize("name", DISCRETE)
@pytest.mark.parametrize("method", ["logpmf", "pmf", "cdf", "sf", "logcdf"])
def test_discrete_in_all_parameters(name, method):
    data, counts, parameters = DISCRETE[name]
    f = getattr(getattr(stats, name), method)
    _agree(lambda p: np.sum(f(data, *counts, *p)), parameters)


def test_quantiles_of_counts_do_not_move():
    assert np.array_equal(cr.grad(lambda m: np.sum(stats.poisson.ppf(LEVELS, m)))(2.3), 0.0)
    assert np.array_equal(cr.grad(lambda p: np.sum(stats.binom.ppf(LEVELS, 7, p)))(0.4), 0.0)


def test_user_code_as_it_is_written():
    data = np.array([0.1, 0.7, -0.4])

    def loss(p):
        return -np.sum(stats.norm.logpdf(data, loc=p[0], scale=np.exp(p[1])))

    _agree(loss, [0.2, -0.3])
    _agree(lambda p: stats.norm(p[0], p[1]).logpdf(data).sum(), [0.2, 1.3])
    _agree(lambda p: stats.gamma(a=p[0], scale=p[1]).cdf(data**2).sum(), [2.2, 1.3])
    _agree(lambda p: stats.gamma.entropy(p[0], scale=p[1]), [2.2, 1.3])
    _agree(lambda p: stats.norm.nnlf(p, data), [0.2, 1.3])


def test_data_off_the_support_has_slope_zero():
    x = np.array([-1.0, 0.5])
    assert cr.grad(lambda x: np.sum(stats.gamma.pdf(x, 2.0)))(x)[0] == 0
    assert cr.grad(lambda x: np.sum(stats.uniform.cdf(x)))(x)[0] == 0
    assert np.isfinite(cr.grad(lambda a: np.sum(stats.gamma.cdf(x, a)))(2.0))


@pytest.mark.parametrize("x", [-40.0, -300.0, 30.0])
def test_tails_of_the_normal_distribution(x):
    with mp.workdps(50):
        X = mp.mpf(x)
        lower = mp.npdf(X) / mp.ncdf(X)
    assert cr.grad(stats.norm.logcdf)(x) == pytest.approx(float(lower), rel=1e-12)
    assert cr.grad(stats.norm.logsf)(-x) == pytest.approx(-float(lower), rel=1e-12)


def test_far_tail_of_gamma_in_its_shape():
    with mp.workdps(60):
        want = mp.diff(lambda a: mp.log(mp.gammainc(a, 90, mp.inf, regularized=True)), 2.5)
    got = cr.grad(lambda a: stats.gamma.logsf(90.0, a))(2.5)
    assert got == pytest.approx(float(want), rel=1e-10)


# ---------------------------------------------------------------- several variables

RNG = np.random.default_rng(0)
ROOT = RNG.normal(size=(3, 3))
COVARIANCE = ROOT @ ROOT.T + np.eye(3)
POINTS = RNG.normal(size=(4, 3))
MEAN = np.array([0.1, -0.3, 0.4])


@pytest.mark.parametrize("method", ["logpdf", "pdf"])
def test_multivariate_normal(method):
    f = getattr(stats.multivariate_normal, method)
    _agree(lambda x: np.sum(f(x, MEAN, COVARIANCE)), POINTS)
    _agree(lambda m: np.sum(f(POINTS, m, COVARIANCE)), MEAN)
    _agree(lambda C: np.sum(f(POINTS, MEAN, C)), COVARIANCE)
    _agree(lambda R: np.sum(f(POINTS, MEAN, R @ R.T + np.eye(3))), ROOT)


def test_multivariate_normal_of_equal_eigenvalues():
    f = stats.multivariate_normal
    _agree(lambda v: np.sum(f.logpdf(POINTS, MEAN, v * np.eye(3))), 1.3)
    _agree(lambda C: np.sum(f.logpdf(POINTS, MEAN, C)), 1.3 * np.eye(3))
    _agree(lambda v: np.sum(f(MEAN, v).logpdf(POINTS)), 1.3)
    hessian = cr.grad(cr.grad(lambda v: np.sum(f.logpdf(POINTS, MEAN, v))))(1.3)
    d2 = np.sum((POINTS - MEAN) ** 2)
    assert hessian == pytest.approx(6 / 1.3**2 - d2 / 1.3**3, rel=1e-12)


def test_multivariate_relatives():
    _agree(lambda C: stats.multivariate_normal(MEAN, C).entropy(), COVARIANCE)
    _agree(lambda m: np.sum(stats.multivariate_t.logpdf(POINTS, m, COVARIANCE, df=3)), MEAN)
    _agree(lambda R: stats.wishart.logpdf(COVARIANCE, 5, R @ R.T), ROOT + 2 * np.eye(3))


def test_singular_covariance_is_refused():
    C = np.diag([1.0, 0.0])
    with pytest.raises(NoRuleError, match="singular"):
        cr.grad(lambda C: stats.multivariate_normal.logpdf([0, 0], cov=C, allow_singular=True))(C)


@pytest.mark.parametrize("method", ["logpdf", "pdf"])
def test_dirichlet(method):
    f = getattr(stats.dirichlet, method)
    p, alpha = np.array([0.2, 0.5, 0.3]), np.array([1.2, 2.3, 0.8])
    _agree(lambda a: f(p, a), alpha)
    _agree(lambda z: f(z / z.sum(), alpha), p)


# ---------------------------------------------------------------- statistics of samples


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(stats.zscore(x) ** 3),
        stats.skew,
        stats.kurtosis,
        stats.sem,
        lambda x: stats.gmean(x**2),
        lambda x: stats.entropy(x**2),
        lambda x: stats.pearsonr(x, np.arange(5.0) ** 2)[0],
        lambda x: stats.linregress(np.arange(5.0), x).slope,
        lambda x: stats.ttest_1samp(x, 0.1).pvalue,
    ],
)
def test_statistics(f):
    _agree(f, np.array([0.4, -1.1, 0.9, 2.3, 1.6]))
