"""Models of all trades: graphs, splines, radial bases, rankings, mixed effects, determinants."""

import numpy as np

from tests.check.corpus.base import onehot, pair, sigmoid, softmax, softplus

rng = np.random.default_rng(29)


def normal(*shape, scale=0.5):
    return scale * rng.standard_normal(shape)


# --- batch normalisation with fixed statistics, between two linear layers

X = normal(8, 4, scale=1.0)
MEAN, VARIANCE = normal(3, scale=0.2), 0.5 + rng.random(3)
Y = normal(8, scale=1.0)


def frozen_norm(W, gain, v):
    z = gain * (X @ W - MEAN) / np.sqrt(VARIANCE + 1e-5)
    return np.mean((np.tanh(z) @ v - Y) ** 2)


def frozen_norm_gradient(W, gain, v):
    s = np.sqrt(VARIANCE + 1e-5)
    a = (X @ W - MEAN) / s
    h = np.tanh(gain * a)
    dy = 2 * (h @ v - Y) / len(Y)
    dz = np.outer(dy, v) * (1 - h**2)
    return X.T @ (dz * gain / s), np.sum(dz * a, axis=0), h.T @ dy


FROZEN = pair(
    frozen_norm,
    frozen_norm_gradient,
    normal(4, 3),
    1 + normal(3, scale=0.3),
    normal(3, scale=1.0),
    bugs={
        "statistics differentiated": (
            "(dz * gain / s)",
            "((dz - dz.mean(axis=0)) * gain / s)",
        ),
        "variance for deviation": ("gain / s)", "gain / s**2)"),
        "mean forgotten": ("np.sum(dz * a, axis=0)", "np.sum(dz * (a + MEAN / s), axis=0)"),
        "gain after tanh": ("(1 - h**2)", "(1 - h**2) / gain"),
        "output weights forgotten": ("np.outer(dy, v)", "np.outer(dy, np.ones(3))"),
    },
)


# --- a network of radial bases

GRID = rng.uniform(-1, 1, (10, 2))
HEIGHT = np.sin(3 * GRID[:, 0]) + GRID[:, 1]


def radial_bases(C, logw, a):
    """C : (4, 2) centres."""
    D = GRID[:, None] - C
    k = np.exp(-np.sum(D**2, axis=2) * np.exp(-2 * logw))
    return 0.5 * np.sum((k @ a - HEIGHT) ** 2)


def radial_bases_gradient(C, logw, a):
    D = GRID[:, None] - C
    q, w = np.sum(D**2, axis=2), np.exp(-2 * logw)
    k = np.exp(-q * w)
    r = k @ a - HEIGHT
    dk = r[:, None] * a * k
    dC = np.sum((2 * dk * w)[..., None] * D, axis=0)
    return dC, np.sum(2 * dk * q * w, axis=0), k.T @ r


RADIAL = pair(
    radial_bases,
    radial_bases_gradient,
    rng.uniform(-1, 1, (4, 2)),
    normal(4, scale=0.3),
    normal(4, scale=1.0),
    bugs={
        "sign of the distance": ("dC = np.sum", "dC = -np.sum"),
        "kernel forgotten": ("dk = r[:, None] * a * k", "dk = r[:, None] * a"),
        "width forgotten": ("(2 * dk * w)[..., None]", "(2 * dk)[..., None]"),
        "factor 2 of the log width": ("np.sum(2 * dk * q * w", "np.sum(dk * q * w"),
        "distance for its square": ("2 * dk * q * w", "2 * dk * np.sqrt(q) * w"),
        "amplitude forgotten": ("r[:, None] * a * k", "r[:, None] * k"),
    },
)


# --- softmax regression with class weights and a penalty

CLASSES = rng.integers(0, 3, 9)
FEATURES = normal(9, 4, scale=1.0)
BALANCE = np.array([1.0, 2.0, 5.0])


def weighted_classes(W, b):
    p = softmax(FEATURES @ W + b)
    weight = BALANCE[CLASSES]
    loss = -np.sum(weight * np.log(p[np.arange(9), CLASSES])) / np.sum(weight)
    return loss + 0.05 * np.sum(W**2)


def weighted_classes_gradient(W, b):
    p = softmax(FEATURES @ W + b)
    weight = BALANCE[CLASSES]
    dz = weight[:, None] * (p - onehot(CLASSES, 3)) / np.sum(weight)
    return FEATURES.T @ dz + 0.1 * W, dz.sum(axis=0)


WEIGHTED = pair(
    weighted_classes,
    weighted_classes_gradient,
    normal(4, 3),
    normal(3),
    bugs={
        "class weights forgotten": ("weight[:, None] * (p", "(p"),
        "weight of the class that is predicted": ("weight[:, None] * (p", "BALANCE * (p"),
        "divided by the number of samples": ("/ np.sum(weight)", "/ 9"),
        "penalty on the bias": ("dz.sum(axis=0)", "dz.sum(axis=0) + 0.1 * b"),
        "penalty forgotten": (" + 0.1 * W", ""),
        "factor 2 of the penalty": ("0.1 * W", "0.05 * W"),
    },
)


# --- a graph convolution of two layers, sums over the nodes

A = (rng.random((6, 6)) < 0.4) * 1.0
A = A + A.T + np.eye(6)
DEGREE = A.sum(axis=1)
A[0, 3] = 2.0  # one direction counts more
NODES = normal(6, 3, scale=1.0)


def graph_convolution(W, V):
    S = A / DEGREE[:, None]
    h = np.tanh(S @ NODES @ W)
    return np.sum(np.sin(S @ h @ V))


def graph_convolution_gradient(W, V):
    S = A / DEGREE[:, None]
    m = S @ NODES
    h = np.tanh(m @ W)
    n = S @ h
    dy = np.cos(n @ V)
    dn = dy @ V.T
    dh = S.T @ dn
    dz = dh * (1 - h**2)
    return m.T @ dz, n.T @ dy


GRAPH = pair(
    graph_convolution,
    graph_convolution_gradient,
    normal(3, 4, scale=1.0),
    normal(4, 4, scale=1.0),
    bugs={
        "graph not transposed": ("dh = S.T @ dn", "dh = S @ dn"),
        "graph forgotten": ("dh = S.T @ dn", "dh = dn"),
        "degrees forgotten": ("dh = S.T @ dn", "dh = A.T @ dn"),
        "own features only": ("return m.T @ dz", "return NODES.T @ dz"),
        "before the convolution": ("n.T @ dy", "h.T @ dy"),
        "second weights not transposed": ("dy @ V.T", "dy @ V"),
    },
)


# --- a covariance with its determinant: maximum likelihood of a Gaussian

SAMPLES = normal(7, 3, scale=1.0)


def gaussian_likelihood(mu, L):
    """Precision L L^T + 1."""
    P = L @ L.T + np.eye(3)
    d = SAMPLES - mu
    return 0.5 * np.sum((d @ P) * d) - 3.5 * np.log(np.linalg.det(P))


def gaussian_likelihood_gradient(mu, L):
    P = L @ L.T + np.eye(3)
    d = SAMPLES - mu
    dP = 0.5 * d.T @ d - 3.5 * np.linalg.inv(P)
    return -np.sum(d @ P, axis=0), (dP + dP.T) @ L


GAUSSIAN = pair(
    gaussian_likelihood,
    gaussian_likelihood_gradient,
    normal(3),
    normal(3, 3, scale=1.0),
    bugs={
        "determinant forgotten": (" - 3.5 * np.linalg.inv(P)", ""),
        "determinant's sign": ("- 3.5 * np.linalg", "+ 3.5 * np.linalg"),
        "half forgotten": ("0.5 * d.T @ d", "d.T @ d"),
        "one side of the product": ("(dP + dP.T) @ L", "dP @ L"),
        "factor not transposed": ("(dP + dP.T) @ L", "(dP + dP.T) @ L.T"),
        "inverse forgotten": ("np.linalg.inv(P)", "P"),
        "precision forgotten": ("np.sum(d @ P, axis=0)", "np.sum(d, axis=0)"),
        "mean's sign": ("return -np.sum", "return np.sum"),
    },
)


# --- pairwise ranking of items by a linear score

ITEMS = normal(6, 4, scale=1.0)
BETTER, WORSE = np.array([0, 0, 1, 2, 4, 4]), np.array([1, 3, 2, 5, 5, 0])


def ranking(U, w):
    s = np.tanh(ITEMS @ U) @ w
    return np.sum(softplus(s[WORSE] - s[BETTER] + 0.1)) + 0.5 * w @ w


def ranking_gradient(U, w):
    h = np.tanh(ITEMS @ U)
    s = h @ w
    g = sigmoid(s[WORSE] - s[BETTER] + 0.1)
    ds = np.zeros(6)
    np.add.at(ds, WORSE, g)
    np.add.at(ds, BETTER, -g)
    dz = np.outer(ds, w) * (1 - h**2)
    return ITEMS.T @ dz, h.T @ ds + w


RANKING = pair(
    ranking,
    ranking_gradient,
    normal(4, 3),
    normal(3, scale=1.0),
    bugs={
        "each item once": ("np.add.at(ds, BETTER, -g)", "ds[BETTER] -= g"),
        "the worse ones only": ("    np.add.at(ds, BETTER, -g)\n", ""),
        "both pushed the same way": ("BETTER, -g", "BETTER, g"),
        "margin forgotten": ("s[BETTER] + 0.1", "s[BETTER]"),
        "hinge's slope": ("g = sigmoid(s[WORSE]", "g = 1.0 * (0 < s[WORSE]"),
        "penalty twice": ("h.T @ ds + w", "h.T @ ds + 2 * w"),
    },
)


# --- logistic regression with an effect for each group, drawn to zero

GROUP = np.array([0, 0, 1, 1, 1, 2, 3, 3])
EVENT = np.array([1.0, 0, 1, 1, 0, 0, 1, 0])
RISKS = normal(8, 2, scale=1.0)


def mixed_effects(b, u, logs):
    z = RISKS @ b + u[GROUP]
    penalty = 0.5 * np.exp(-2 * logs) * u @ u + len(u) * logs
    return np.sum(softplus(z) - EVENT * z) + penalty


def mixed_effects_gradient(b, u, logs):
    z = RISKS @ b + u[GROUP]
    dz = sigmoid(z) - EVENT
    du = np.exp(-2 * logs) * u
    np.add.at(du, GROUP, dz)
    return RISKS.T @ dz, du, len(u) - np.exp(-2 * logs) * u @ u


MIXED = pair(
    mixed_effects,
    mixed_effects_gradient,
    normal(2),
    normal(4),
    np.float64(-0.3),
    bugs={
        "one member of each group": ("np.add.at(du, GROUP, dz)", "du[GROUP] += dz"),
        "penalty overwritten": ("np.add.at(du, GROUP, dz)", "du[GROUP] = dz"),
        "penalty forgotten": ("du = np.exp(-2 * logs) * u", "du = np.zeros_like(u)"),
        "deviation for variance": ("du = np.exp(-2 * logs)", "du = np.exp(-logs)"),
        "group sizes": ("return RISKS.T @ dz, du, len(u)", "return RISKS.T @ dz, du, len(GROUP)"),
        "chain through the log": ("- np.exp(-2 * logs) * u @ u", "- np.exp(-3 * logs) * u @ u"),
        "event's sign": ("sigmoid(z) - EVENT", "sigmoid(z) + EVENT"),
    },
)


# --- a smoothing spline on knots, and a travelling wave: the residual of Burgers' equation

KNOTS = np.linspace(0, 1, 9)
PLACES = rng.uniform(0.05, 0.95, 12)
HATS = np.maximum(0, 1 - np.abs(PLACES[:, None] - KNOTS) * 8)
NOISY = np.sin(6 * PLACES) + normal(12, scale=0.1)


def spline(c, loglam):
    bend = c[2:] - 2 * c[1:-1] + c[:-2]
    return np.sum((HATS @ c - NOISY) ** 2) + np.exp(loglam) * np.sum(bend**2)


def spline_gradient(c, loglam):
    bend = c[2:] - 2 * c[1:-1] + c[:-2]
    d = 2 * HATS.T @ (HATS @ c - NOISY)
    g = 2 * np.exp(loglam) * bend
    d[2:] += g
    d[1:-1] -= 2 * g
    d[:-2] += g
    return d, np.exp(loglam) * np.sum(bend**2)


SPLINE = pair(
    spline,
    spline_gradient,
    normal(9, scale=1.0),
    np.float64(-1.0),
    bugs={
        "one end": ("    d[:-2] += g\n", ""),
        "middle counted once": ("d[1:-1] -= 2 * g", "d[1:-1] -= g"),
        "sign of the middle": ("d[1:-1] -= 2 * g", "d[1:-1] += 2 * g"),
        "shifted by one": ("d[2:] += g", "d[1:-1] += g"),
        "smoothness forgotten": ("g = 2 * np.exp(loglam) * bend", "g = 0 * bend"),
        "chain through the log": ("return d, np.exp(loglam) * np", "return d, np"),
    },
)


def burgers(u):
    """u : (time, space), periodic in space."""
    slope = (np.roll(u, -1, axis=1) - np.roll(u, 1, axis=1)) / 2
    r = u[1:] - u[:-1] + (u * slope)[:-1]
    return 0.5 * np.sum(r**2)


def burgers_gradient(u):
    slope = (np.roll(u, -1, axis=1) - np.roll(u, 1, axis=1)) / 2
    r = u[1:] - u[:-1] + (u * slope)[:-1]
    d = np.zeros_like(u)
    d[1:] += r
    d[:-1] -= r
    d[:-1] += r * slope[:-1]
    g = r * u[:-1] / 2
    d[:-1] += np.roll(g, 1, axis=1) - np.roll(g, -1, axis=1)
    return d


BURGERS = pair(
    burgers,
    burgers_gradient,
    normal(4, 5, scale=1.0),
    bugs={
        "rolled the same way": (
            "np.roll(g, 1, axis=1) - np.roll(g, -1, axis=1)",
            "np.roll(g, -1, axis=1) - np.roll(g, 1, axis=1)",
        ),
        "product rule: first term": ("    d[:-1] += r * slope[:-1]\n", ""),
        "not periodic": ("np.roll(g, 1, axis=1) -", "np.pad(g, ((0, 0), (1, 0)))[:, :-1] -"),
        "half forgotten": ("g = r * u[:-1] / 2", "g = r * u[:-1]"),
        "time step before": ("d[1:] += r", "d[:-1] += r"),
        "slope of the next time": ("r * slope[:-1]", "r * slope[1:]"),
    },
)

PAIRS = [FROZEN, RADIAL, WEIGHTED, GRAPH, GAUSSIAN, RANKING, MIXED, SPLINE, BURGERS]
