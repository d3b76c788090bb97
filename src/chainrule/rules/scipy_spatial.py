"""``scipy.spatial.distance``: pdist, cdist, squareform and the distances of single pairs.

Every metric is stated once, for all rows of A against all rows of B (``METRICS``), as NumPy code
whose parameters (w, p, V, VI) may be traced too; ``euclidean`` and ``sqeuclidean`` without weights
are SciPy's own loops with a rule that needs no array of all differences. A distance of 0 has slope
0. Metrics of booleans are piecewise constant.
"""

import numpy as np
from scipy import spatial, special
from scipy.spatial import distance

from chainrule.core.array import _any_traced, as_constant, store_out
from chainrule.core.lift import replace
from chainrule.core.primitive import composite, existing, general, piecewise_constant
from chainrule.core.trace import Tracer, bind, followed, is_traced, plain
from chainrule.rules.joins import operand

# ---------------------------------------------------------------- euclidean and sqeuclidean

BLOCK = 2**20  # numbers in a block of differences
SHEET = 2**15  # pairs at a time, coordinate by coordinate: they fit into the cache
CLOSE = 1e-3  # of the extent of all points: nearer ones are subtracted before they are multiplied


def _attraction(weights, a, b):
    """sum_j w_ij (a_i - b_j), from the differences themselves: their parts would cancel."""
    step = max(1, BLOCK // max(1, b.shape[0] * b.shape[1]))
    rows = [
        np.matmul(weights[i : i + step, None, :], a[i : i + step, None, :] - b)[:, 0, :]
        for i in range(0, max(1, a.shape[0]), step)
    ]
    return rows[0] if len(rows) == 1 else np.concatenate(rows)


def _attraction_where_close(weights, a, b, y, power=1):
    """As ``_attraction``: a_i sum_j w_ij - sum_j w_ij b_j, where no b_j is close to a_i.

    y is the distances to that power, condensed where b is a. From the point b_0 all numbers are at
    most the extent of the points, so the two parts cancel at most by extent / distance.
    """
    if is_traced(weights) or is_traced(a) or is_traced(b) or min(weights.shape) < 2:
        return _attraction(weights, a, b)
    from_a, from_b = a - b[0], b - b[0]
    extent = max(np.abs(from_a).max(initial=0.0), np.abs(from_b).max(initial=0.0))
    is_close = _are_close(y, (CLOSE * extent) ** power, len(a))
    if is_close.all():
        return _attraction(weights, a, b)
    with_ones = np.concatenate([from_b, np.ones((len(b), 1))], axis=1)
    sums = weights @ with_ones  # sum_j w_ij b_j, and sum_j w_ij
    x_bar = from_a * sums[:, -1:] - sums[:, :-1]
    if is_close.any():
        x_bar[is_close] = _attraction(weights[is_close], a[is_close], b)
    return x_bar


def _are_close(y, bound, count):
    """Which of the rows have a distance below the bound, or one that is NaN."""
    if y.min() >= bound:
        return np.zeros(count, bool)
    if y.ndim == 1:
        y = _to_matrix(y)
        np.fill_diagonal(y, np.inf)  # no point is close to itself
    return ~(y.min(axis=1) >= bound)


def _over_length(g, y):
    """g / y, and 0 where y is 0: equal points have slope 0."""
    if plain(y).min(initial=np.inf) > 0:
        return g / y
    return np.where(y == 0, 0.0, g / np.where(y == 0, 1.0, y))


def _cdist_rule(weights, y, a, b, power=1):
    y = plain(y)
    return (
        lambda: _attraction_where_close(weights, a, b, y, power),
        lambda: _attraction_where_close(weights.T, b, a, y.T, power),
    )


def _pdist_rule(weights, y, x, power=1):
    """The matrices are symmetric."""
    return _attraction_where_close(_to_matrix(weights), x, x, plain(y), power)


def _sheet(a, b, da, db, out):
    """(a_i - b_j) . (da_i - db_j), coordinate by coordinate: products of sums would cancel."""
    apart, moved = np.empty((2, *out.shape))
    for k in range(a.shape[1]):
        np.subtract(a[:, k, None], b[:, k], out=apart)
        np.subtract(da[:, k, None], db[:, k], out=moved)
        apart *= moved
        out += apart


def _cdist_push(tangents, a, b):
    """Half the tangent of the squared distances."""
    da, db = (np.zeros_like(x) if t is None else t for t, x in zip(tangents, (a, b)))
    if any(map(is_traced, (a, b, da, db))):
        return np.sum(_differences(a, b) * _differences(da, db), axis=-1)
    out = np.zeros((len(a), len(b)))
    b, db = np.asfortranarray(b), np.asfortranarray(db)
    step = max(1, SHEET // max(1, len(b)))
    for i in range(0, len(a), step):
        rows = slice(i, i + step)
        _sheet(a[rows], b, da[rows], db, out[rows])
    return out


def _pdist_push(tangents, x):
    """Half the tangent of the squared distances."""
    (dx,) = tangents
    if is_traced(x) or is_traced(dx):
        return _to_vector(_cdist_push((dx, dx), x, x))
    out = np.zeros((len(x), len(x)))
    columns = np.asfortranarray(x), np.asfortranarray(dx)
    step = max(1, SHEET // max(1, len(x)))
    for i in range(0, len(x), step):  # what stands above the diagonal
        rows = slice(i, i + step)
        _sheet(x[rows], columns[0][i:], dx[rows], columns[1][i:], out[rows, i:])
    return _to_vector(out)


def cdist_euclidean(a, b):
    return distance.cdist(a, b)


def _cdist_jvp(tangents, y, a, b):
    return _over_length(_cdist_push(tangents, a, b), y)


@general(cdist_euclidean, jvp=_cdist_jvp)
def CDIST(g, y, a, b):
    """y_ij = |a_i - b_j|   =>   a_bar_i = sum_j (g_ij / y_ij) (a_i - b_j), and so for b."""
    return _cdist_rule(_over_length(g, y), y, a, b)


def cdist_sqeuclidean(a, b):
    return distance.cdist(a, b, "sqeuclidean")


@general(cdist_sqeuclidean, jvp=lambda ts, _y, a, b: 2.0 * _cdist_push(ts, a, b))
def CDIST_SQUARED(g, y, a, b):
    """y_ij = |a_i - b_j|^2   =>   a_bar_i = sum_j 2 g_ij (a_i - b_j), and so for b."""
    return _cdist_rule(2.0 * g, y, a, b, power=2)


def pdist_euclidean(x):
    return distance.pdist(x)


@general(pdist_euclidean, jvp=lambda ts, y, x: _over_length(_pdist_push(ts, x), y))
def PDIST(g, y, x):
    return _pdist_rule(_over_length(g, y), y, x)


def pdist_sqeuclidean(x):
    return distance.pdist(x, "sqeuclidean")


@general(pdist_sqeuclidean, jvp=lambda ts, _y, x: 2.0 * _pdist_push(ts, x))
def PDIST_SQUARED(g, y, x):
    return _pdist_rule(2.0 * g, y, x, power=2)


_CDIST = {"euclidean": CDIST, "sqeuclidean": CDIST_SQUARED}
_PDIST = {"euclidean": PDIST, "sqeuclidean": PDIST_SQUARED}

# ---------------------------------------------------------------- all metrics, rows against rows


def _differences(a, b):
    return a[:, None, :] - b


def _weighted(x, w):
    return x if w is None else x * w


def _power(x, p):
    """x^p of numbers >= 0, with slope 0 at 0 whatever p > 0 is."""
    return np.where(x == 0, 0.0, np.where(x == 0, 1.0, x) ** p)


def _minkowski(a, b, w=None, p=2.0):
    if np.isposinf(plain(p)):
        return _chebyshev(a, b, w)
    if p == 1 and not is_traced(p):
        return _cityblock(a, b, w)
    return _power(np.sum(_weighted(_power(np.abs(_differences(a, b)), p), w), axis=-1), 1 / p)


def _sqeuclidean(a, b, w=None):
    return np.sum(_weighted(_differences(a, b) ** 2, w), axis=-1)


def _euclidean(a, b, w=None):
    return _power(_sqeuclidean(a, b, w), 0.5)


def _cityblock(a, b, w=None):
    return np.sum(_weighted(np.abs(_differences(a, b)), w), axis=-1)


def _chebyshev(a, b, w=None):
    used = None if w is None else plain(w) > 0
    return np.max(_weighted(np.abs(_differences(a, b)), used), axis=-1, initial=0.0)


def _cosine(a, b, w=None):
    """1 - a.b / (|a| |b|)."""
    a_norm, b_norm = (np.sum(_weighted(x * x, w), axis=-1, keepdims=True) ** 0.5 for x in (a, b))
    return 1.0 - np.clip((_weighted(a, w) / a_norm) @ (b / b_norm).T, -1.0, 1.0)


def _correlation(a, b, w=None, centered=True):
    if centered:
        a, b = (x - np.expand_dims(np.average(x, axis=-1, weights=w), -1) for x in (a, b))
    return _cosine(a, b, w)


def _canberra(a, b, w=None):
    size = np.abs(a)[:, None, :] + np.abs(b)
    terms = np.abs(_differences(a, b)) / np.where(size == 0, 1.0, size)
    return np.sum(_weighted(terms, w), axis=-1)


def _braycurtis(a, b, w=None):
    size = np.sum(_weighted(np.abs(a[:, None, :] + b), w), axis=-1)
    return np.sum(_weighted(np.abs(_differences(a, b)), w), axis=-1) / size


def _seuclidean(a, b, V):
    return _euclidean(a, b, 1.0 / V)


def _mahalanobis(a, b, VI):
    d = _differences(a, b)
    return _power(np.sum((d @ VI) * d, axis=-1), 0.5)


def _jensenshannon(p, q, base=None):
    return _divergence(p[:, None, :], q, base, -1)


def _divergence(p, q, base, axis, keepdims=False):
    """The root of the mean of two relative entropies, each to the mean of both distributions."""
    p, q = (x / np.sum(x, axis=axis, keepdims=True) for x in (p, q))
    m = (p + q) / 2.0
    parts = [np.sum(special.rel_entr(x, m), axis=axis, keepdims=keepdims) for x in (p, q)]
    return _power((parts[0] + parts[1]) / (2.0 if base is None else 2.0 * np.log(base)), 0.5)


def _hamming(a, b, w=None):
    """The share of the weight where a and b differ: constant in a and b, not in w."""
    w = np.ones(a.shape[1]) if w is None else w
    return (plain(a)[:, None, :] != plain(b)) @ (w / np.sum(w))


METRICS = {
    "minkowski": _minkowski,
    "euclidean": _euclidean,
    "sqeuclidean": _sqeuclidean,
    "cityblock": _cityblock,
    "chebyshev": _chebyshev,
    "cosine": _cosine,
    "correlation": _correlation,
    "canberra": _canberra,
    "braycurtis": _braycurtis,
    "seuclidean": _seuclidean,
    "mahalanobis": _mahalanobis,
    "jensenshannon": _jensenshannon,
    "hamming": _hamming,
}
BOOLEAN = "jaccard yule dice rogerstanimoto russellrao sokalsneath sokalmichener"
_ALIASES = {
    "minkowski": "mi m pnorm",
    "euclidean": "euclid eu e",
    "sqeuclidean": "sqe sqeuclid",
    "cityblock": "cblock cb c",
    "chebyshev": "chebychev cheby cheb ch",
    "cosine": "cos",
    "correlation": "co",
    "seuclidean": "se s",
    "mahalanobis": "mahal mah",
    "jensenshannon": "js",
    "hamming": "matching hamm ha h",
}
_NAMES = {alias: name for name, all_ in _ALIASES.items() for alias in all_.split()}
_NAMES |= {name: name for name in METRICS}


def _completed(name, rows, parameters):
    """The parameters with those that SciPy estimates from the data."""
    parameters = {k: _parameter(v) for k, v in parameters.items() if v is not None}
    if name == "seuclidean" and "V" not in parameters:
        parameters["V"] = np.var(np.concatenate(rows), axis=0, ddof=1)
    if name == "mahalanobis" and "VI" not in parameters:
        covariance = np.atleast_2d(np.cov(np.concatenate(rows).T))
        parameters["VI"] = np.linalg.inv(covariance).T
    return parameters


def _parameter(x):
    return operand(x) if isinstance(x, (list, tuple)) else x


def _rows(x):
    """The points as float64, which SciPy computes with."""
    x = operand(x)
    return x if x.dtype == np.float64 else x.astype(np.float64)


# ---------------------------------------------------------------- pdist and cdist


def _known(metric):
    """The name of a metric we have a formula for; None for callables and metrics of booleans."""
    return _NAMES.get(metric.lower().removeprefix("test_")) if isinstance(metric, str) else None


@composite(distance.cdist)
def cdist(XA, XB, metric="euclidean", *, out=None, **kwargs):
    """The distances of all rows of XA from all rows of XB."""
    name = _known(metric)
    if name in _CDIST and not kwargs:
        y = bind(_CDIST[name], (operand(XA), operand(XB)), {})
        return y if out is None else store_out(out, y)
    value = _of_scipy(distance.cdist, (XA, XB), metric, kwargs)
    if name is None and not callable(metric):
        y = as_constant(value)
    elif name in _CDIST and kwargs.get("w") is None:
        y = bind(_CDIST[name], (operand(XA), operand(XB)), {})
    elif name is not None:
        a, b = _rows(XA), _rows(XB)
        y = METRICS[name](a, b, **_completed(name, (a, b), kwargs))
    else:
        a, b = operand(XA), operand(XB)
        kwargs = _of_callable(metric, (a, b), kwargs)
        y = _collected([metric(u, v, **kwargs) for u in a for v in b], (len(a), len(b)))
    return y if out is None else store_out(out, y)


@composite(distance.pdist)
def pdist(X, metric="euclidean", *, out=None, **kwargs):
    """The distances of all pairs of rows, those of row 0 first."""
    name = _known(metric)
    if name in _PDIST and not kwargs:
        y = bind(_PDIST[name], (operand(X),), {})
        return y if out is None else store_out(out, y)
    value = _of_scipy(distance.pdist, (X,), metric, kwargs)
    if name is None and not callable(metric):
        y = as_constant(value)
    elif name in _PDIST and kwargs.get("w") is None:
        y = bind(_PDIST[name], (operand(X),), {})
    elif name is not None:
        x = _rows(X)
        y = METRICS[name](x, x, **_completed(name, (x,), kwargs))[np.triu_indices(len(x), 1)]
    else:
        x = operand(X)
        kwargs = _of_callable(metric, (x,), kwargs)
        pairs = [metric(u, v, **kwargs) for i, u in enumerate(x) for v in x[i + 1 :]]
        y = _collected(pairs, (len(pairs),))
    return y if out is None else store_out(out, y)


def _of_scipy(function, rows, metric, kwargs):
    """SciPy's value and its errors; a callable metric is only called once, by us."""
    if not callable(metric):
        return function(*plain(rows), metric, **plain(kwargs))
    return function(*plain(rows))


def _of_callable(metric, rows, kwargs):
    """A function called as a metric of SciPy's is given what that one estimates from the data."""
    name = _NAMES.get(getattr(metric, "__name__", ""))
    return kwargs if name is None else _completed(name, rows, kwargs)


def _collected(distances, shape):
    y = operand(distances) if distances else np.zeros(0)
    return y.reshape(shape).astype(np.float64, copy=False)


def _lifted(function, run):
    """A callable metric may use traced values that are not among the arguments."""

    def call(*args, **kwargs):
        if (
            any(map(callable, (*args, *kwargs.values())))
            or _any_traced(args)
            or _any_traced(kwargs.values())
        ):
            return followed(run)(*args, **kwargs)
        return as_constant(function(*plain(args), **plain(kwargs)))

    call.__name__ = call.__qualname__ = function.__name__
    call.__doc__ = function.__doc__
    return call


replace(distance.cdist, _lifted(distance.cdist, cdist))
replace(distance.pdist, _lifted(distance.pdist, pdist))

# ---------------------------------------------------------------- condensed and square


def _to_matrix(v):
    """The symmetric matrix with v above its diagonal, row by row, and zeros on it."""
    if type(v) is np.ndarray and v.dtype == np.float64:
        return distance.squareform(v, "tomatrix", checks=False)
    n = round((1 + (1 + 8 * v.size) ** 0.5) / 2)
    places = np.zeros((n, n), int)
    i, j = np.triu_indices(n, 1)
    places[i, j] = places[j, i] = np.arange(1, v.size + 1)
    return np.concatenate([np.zeros_like(v, shape=(1,)), v])[places]


def _to_vector(x):
    """What stands above the diagonal of a symmetric matrix, row by row."""
    if type(x) is np.ndarray and x.dtype == np.float64:
        return distance.squareform(x, "tovector", checks=False)
    return x[np.triu_indices(len(x), 1)]


@composite(distance.squareform)
def squareform(X, force="no", checks=True):
    """A condensed vector of distances as a symmetric matrix, or such a matrix as a vector."""
    distance.squareform(plain(X), force, checks)  # SciPy's errors
    X = operand(X)
    return _to_matrix(X) if X.ndim == 1 else _to_vector(X)


piecewise_constant(
    distance.is_valid_dm, distance.is_valid_y, distance.num_obs_dm, distance.num_obs_y
)
piecewise_constant(*existing(BOOLEAN, distance))

# ---------------------------------------------------------------- single pairs


def _of_pair(name):
    function, metric = getattr(distance, name), METRICS[name]
    order = _ORDER.get(name, ("w",))

    def pair(u, v, *args, **kwargs):
        value = np.asarray(function(*plain((u, v, *args)), **plain(kwargs)))  # SciPy's errors
        u, v = operand(u), operand(v)
        given = {**dict(zip(order, args)), **kwargs}
        given = {k: _parameter(x) for k, x in given.items() if x is not None}
        y = metric(u[None], v[None], **given)[0, 0]
        return y if not isinstance(y, Tracer) or y.dtype == value.dtype else y.astype(value.dtype)

    pair.__name__ = pair.__qualname__ = name
    composite(function)(pair)


_ORDER = {
    "minkowski": ("p", "w"),
    "correlation": ("w", "centered"),
    "seuclidean": ("V",),
    "mahalanobis": ("VI",),
}
for _name in METRICS:
    if _name != "jensenshannon":
        _of_pair(_name)


@composite(distance.jensenshannon)
def jensenshannon(p, q, base=None, *, axis=0, keepdims=False):
    """Of distributions along an axis."""
    distance.jensenshannon(plain(p), plain(q), plain(base), axis=axis, keepdims=keepdims)
    return _divergence(operand(p), operand(q), base, axis, keepdims)[()]


@composite(spatial.minkowski_distance_p)
def minkowski_distance_p(x, y, p=2.0):
    """The p-th power of the distance along the last axis, or the distance if p is infinite."""
    spatial.minkowski_distance_p(plain(x), plain(y), plain(p))  # SciPy's errors
    d = np.abs(operand(y) - operand(x))
    if np.isposinf(plain(p)):
        return np.max(d, axis=-1)
    return np.sum(d if not is_traced(p) and p == 1 else _power(d, p), axis=-1)


@composite(spatial.minkowski_distance)
def minkowski_distance(x, y, p=2.0):
    power = minkowski_distance_p(x, y, p)
    return power if plain(p) in (1, np.inf) else _power(power, 1.0 / p)


@composite(spatial.distance_matrix)
def distance_matrix(x, y, p=2.0, threshold=1000000):
    """All distances by the p-norm."""
    spatial.distance_matrix(plain(x), plain(y), plain(p))  # SciPy's errors
    return minkowski_distance(operand(x)[:, None, :], operand(y), p)
