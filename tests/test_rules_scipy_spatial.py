"""``scipy.spatial.distance`` in plain user code: values, gradients and second order."""

import numpy as np
import pytest
from scipy import spatial
from scipy.spatial import distance
from scipy.spatial.distance import cdist, pdist, squareform

import chainrule as cr
from tests.agreement import agree
from tests.helpers import assert_as_numpy, numeric_gradient

RNG = np.random.default_rng(3)
A = RNG.uniform(0.2, 1.5, (6, 3))
B = RNG.uniform(0.2, 1.5, (7, 3))
W = np.array([0.5, 2.0, 1.3])
VI = np.array([[2.0, 0.3, 0.1], [0.2, 1.5, 0.0], [0.1, -0.2, 1.0]])
V = np.array([0.4, 0.9, 1.6])

METRICS = {
    "euclidean": {},
    "euclidean weighted": {"w": W},
    "sqeuclidean": {},
    "sqeuclidean weighted": {"w": W},
    "cityblock": {},
    "cityblock weighted": {"w": W},
    "chebyshev": {},
    "chebyshev weighted": {"w": np.array([1.0, 0.0, 2.0])},
    "minkowski": {},
    "minkowski p": {"p": 1.5},
    "minkowski weighted": {"p": 3, "w": W},
    "minkowski one": {"p": 1},
    "minkowski largest": {"p": np.inf},
    "minkowski root": {"p": 0.5},
    "cosine": {},
    "cosine weighted": {"w": W},
    "correlation": {},
    "correlation weighted": {"w": W},
    "canberra": {},
    "canberra weighted": {"w": W},
    "braycurtis": {},
    "braycurtis weighted": {"w": W},
    "seuclidean V": {"V": V},
    "seuclidean": {},
    "mahalanobis VI": {"VI": VI},
    "mahalanobis": {},
    "jensenshannon": {},
    "hamming": {},
    "hamming weighted": {"w": W},
}
EVERY = [pytest.param(n.split()[0], k, id=n) for n, k in METRICS.items()]


@pytest.mark.filterwarnings("ignore::chainrule.base.errors.IndependentOutputWarning")
@pytest.mark.parametrize(("metric", "kwargs"), EVERY)
def test_cdist(metric, kwargs):
    agree(lambda a: cdist(a, B, metric, **kwargs), A)
    agree(lambda b: cdist(A, b, metric, **kwargs), B)


@pytest.mark.filterwarnings("ignore::chainrule.base.errors.IndependentOutputWarning")
@pytest.mark.parametrize(("metric", "kwargs"), EVERY)
def test_pdist(metric, kwargs):
    agree(lambda a: pdist(a, metric, **kwargs), A)


@pytest.mark.filterwarnings("ignore::chainrule.base.errors.IndependentOutputWarning")
@pytest.mark.parametrize(("metric", "kwargs"), EVERY)
def test_single_pairs(metric, kwargs):
    if not kwargs and metric in ("seuclidean", "mahalanobis"):
        pytest.skip("a single pair needs the parameter")
    agree(lambda a: getattr(distance, metric)(a[0], a[1], **kwargs), A[:2])


def test_jensenshannon_of_a_pair():
    agree(lambda a: distance.jensenshannon(a[0], a[1], base=2.0), A[:2])
    agree(lambda a: distance.jensenshannon(a, B[:6], 3.0, axis=1, keepdims=True), A)


PARAMETERS = {
    "w": (lambda w: cdist(A, B, "euclidean", w=w), W),
    "w of minkowski": (lambda w: pdist(A, "minkowski", p=3, w=w), W),
    "p": (lambda p: pdist(A, "minkowski", p=p), np.array(2.5)),
    "V": (lambda v: cdist(A, B, "seuclidean", V=v), V),
    "VI": (lambda m: pdist(A, "mahalanobis", VI=m), VI),
    "w of hamming": (lambda w: pdist(np.round(A), "hamming", w=w), W),
    "w of a pair": (lambda w: distance.cosine(A[0], A[1], w), W),
    "positional p and w of a pair": (lambda w: distance.minkowski(A[0], A[1], 3, w), W),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters(name):
    agree(*PARAMETERS[name])


CALLABLES = {
    "a lambda": lambda a: pdist(a, lambda u, v: np.exp(-np.sum((u - v) ** 2))),
    "by position": lambda a: cdist(a, B, lambda u, v: u @ v),
    "with parameters": lambda a: cdist(a, B, lambda u, v, k: k * np.abs(u - v).max(), k=2.0),
    "SciPy's own": lambda a: pdist(a, distance.canberra),
    "SciPy's own, estimated": lambda a: pdist(a, distance.seuclidean),
    "traced inside only": lambda a: cdist(A, B, lambda u, v: (a[0] * (u - v) ** 2).sum()),
    "one row": lambda a: pdist(a[:1], lambda u, v: u @ v) + a[0, 0],
}


@pytest.mark.parametrize("name", CALLABLES)
def test_callable_metrics(name):
    agree(CALLABLES[name], A)


def test_equal_points_have_slope_zero():
    x = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [0.0, 2.0, 5.0]])
    for metric in ("euclidean", "minkowski", "cityblock", "chebyshev", "canberra", "cosine"):
        kwargs = {"p": 1.5} if metric == "minkowski" else {}
        both = cr.grad(lambda a, m=metric, k=kwargs: pdist(a, m, **k)[0])(x)
        assert np.allclose(both, 0, atol=1e-15), metric
    for metric, kwargs in (("seuclidean", {"V": V}), ("mahalanobis", {"VI": VI})):
        assert not cr.grad(lambda a, m=metric, k=kwargs: pdist(a, m, **k)[0])(x).any()
        assert not cr.grad(lambda u, m=metric, k=kwargs: getattr(distance, m)(u, x[0], **k))(
            x[0]
        ).any()
    assert np.isfinite(cr.hvp(lambda a: pdist(a).sum(), x, np.ones_like(x))).all()


def test_ties_of_chebyshev_share():
    gradient = cr.grad(lambda u: distance.chebyshev(u, np.zeros(3)))(np.array([2.0, -2.0, 1.0]))
    assert gradient.tolist() == [0.5, -0.5, 0.0]


def test_far_away_points_lose_no_digits():
    """a_bar is made of differences: an offset common to all points changes nothing."""
    x = np.round(A * 64) / 64  # exact at this offset
    near, far = (cr.grad(lambda a: pdist(a).sum())(z) for z in (x, x + 2.0**40))
    np.testing.assert_allclose(far, near, rtol=1e-13, atol=1e-14)


def test_many_blocks(monkeypatch):
    want = cr.grad(lambda a: cdist(a, B).sum())(A)
    monkeypatch.setattr("chainrule.rules.scipy_spatial.BLOCK", 40)
    np.testing.assert_allclose(cr.grad(lambda a: cdist(a, B).sum())(A), want, rtol=1e-14)


def test_squareform():
    v = RNG.normal(size=10)
    assert_as_numpy(lambda v: squareform(v), v)
    m = squareform(v)
    assert_as_numpy(lambda m: squareform(m, checks=False), m)
    assert_as_numpy(lambda x: squareform(pdist(x)) @ x, A)
    assert_as_numpy(lambda x: squareform(x[:0]) + x[0], v)
    assert_as_numpy(lambda x: squareform(x[None, :1], checks=False).sum() + x[0], v)
    with pytest.raises(ValueError, match="binomial"):
        cr.grad(lambda v: squareform(v).sum())(np.ones(4))


@pytest.mark.filterwarnings("ignore:`(distance_m|mink)\\w*` is deprecated:DeprecationWarning")
def test_matrix_of_distances():
    for p in (2, 1, 3.5, np.inf):
        agree(lambda a, p=p: spatial.distance_matrix(a, B, p), A)
        agree(lambda a, p=p: spatial.minkowski_distance(a, B[:6], p), A)
    agree(lambda p: spatial.minkowski_distance_p(A, B[:6], p), np.array(3.0))


def test_out_and_dtypes():
    def f(a):
        out = np.zeros((6, 7))
        cdist(a, B, out=out)
        return out

    agree(f, A)
    y, pullback = cr.vjp(lambda a: cdist(a, B), A.astype(np.float32))
    assert y.dtype == np.float64 and pullback(np.ones_like(y))[0].dtype == np.float32
    assert cr.grad(lambda u: distance.cityblock(u, u[::-1]))(np.float32([1, 2])).dtype == "f4"
    assert cr.vjp(lambda u: distance.cityblock(u, 0 * u), np.float32([1]))[0].dtype == "f4"


def test_metrics_of_booleans_are_piecewise_constant():
    g = cr.grad(lambda a: (a * pdist(a > 1, "jaccard").sum()).sum())(A)
    assert np.allclose(g, pdist(A > 1, "jaccard").sum())


def test_errors_are_scipys():
    for call in (lambda a: cdist(a, B[:, :2]), lambda a: pdist(a[0]), lambda a: pdist(a, "wrong")):
        with pytest.raises(ValueError) as want:
            call(A)
        with pytest.raises(ValueError, match=str(want.value)[:20]):
            cr.grad(lambda a, call=call: call(a).sum())(A)


def test_gaussian_process():
    """The log likelihood of a process with one scale per feature, by its hyperparameters."""
    y = np.sin(A.sum(1))

    def likelihood(theta):
        scales = np.exp(theta[:3])
        k = np.exp(-0.5 * squareform(pdist(A / scales, metric="sqeuclidean")))
        k = k + np.exp(theta[3]) * np.eye(len(A))
        return -0.5 * y @ np.linalg.solve(k, y) - 0.5 * np.linalg.slogdet(k)[1]

    theta = np.array([0.1, -0.3, 0.2, -2.0])
    want = numeric_gradient(likelihood, theta)
    np.testing.assert_allclose(cr.grad(likelihood)(theta), want, rtol=1e-8)


def _pulls(a, b, weights, metric):
    """sum_j w_ij (a_i - b_j) for each i, in extended precision."""
    difference = a[:, None].astype(np.longdouble) - b
    length = np.sqrt(np.sum(difference**2, axis=-1))
    scale = 2.0 if metric == "sqeuclidean" else 1 / np.where(length == 0, np.inf, length)
    return np.sum((weights * scale)[..., None] * difference, axis=1)


@pytest.mark.parametrize("metric", ["euclidean", "sqeuclidean"])
@pytest.mark.parametrize("offset", [0.0, 1e6])
@pytest.mark.parametrize("closeness", [1.0, 1e-5, 0.0])
def test_many_points_some_of_them_close(metric, offset, closeness):
    """Close points are subtracted first: no digit is lost to the extent of the others."""
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=(30, 3)), rng.normal(size=(40, 3))
    a[:9] *= closeness
    b[:7] *= closeness
    a, b = a + offset, b + offset
    weights = rng.normal(size=(30, 40))
    f = lambda a, b: np.sum(weights * distance.cdist(a, b, metric))
    a_bar, b_bar = cr.grad(f, wrt=(0, 1))(a, b)
    for bar, truth in [
        (a_bar, _pulls(a, b, weights, metric)),
        (b_bar, _pulls(b, a, weights.T, metric)),
    ]:
        np.testing.assert_allclose(bar, truth.astype(float), rtol=1e-12, atol=1e-13)

    pairs = rng.normal(size=30 * 29 // 2)
    bar = cr.grad(lambda x: np.sum(pairs * distance.pdist(x, metric)))(a)
    truth = _pulls(a, a, distance.squareform(pairs), metric)
    np.testing.assert_allclose(bar, truth.astype(float), rtol=1e-12, atol=1e-13)
