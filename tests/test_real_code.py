"""Functions as people write them, unmodified: value, gradient, tangent and curvature are right.

Each is distilled from a habit met in public scientific code. Truth is finite differences of the
function itself (``tests.helpers``); the second table is of code that has to be refused, clearly.
"""

import collections
import functools
import itertools
import math
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import pytest
from scipy import stats
from scipy.special import logsumexp

import chainrule as cr
from tests.helpers import slope

rng = np.random.default_rng(11)
X = rng.normal(size=(12, 3))
Y = X @ [0.5, -1.0, 0.3] + 0.2 * rng.normal(size=12)
POINT = np.array([0.3, 0.7, 0.2])
CASES = []


def case(x):
    def register(f):
        CASES.append(pytest.param(f, x, id=f.__name__))
        return f

    return register


# ---------------------------------------------------------------- statistics and learning


@case(np.array([100.0, 105.0, 0.5, 0.03, 0.25]))
def black_scholes(p):
    spot, strike, t, r, sigma = p
    d1 = (math.log(spot / strike) + (r + sigma * sigma / 2) * t) / (sigma * math.sqrt(t))
    d2 = d1 - sigma * math.sqrt(t)

    def normal(z):
        return 0.5 * (1 + math.erf(z / math.sqrt(2)))

    return spot * normal(d1) - strike * math.exp(-r * t) * normal(d2)


@case(np.array([100.0, 105.0, 0.5, 0.03, 0.25]))
def binomial_tree(p, n=8):
    spot, strike, t, r, sigma = p
    dt = t / n
    up = np.exp(sigma * np.sqrt(dt))
    q = (np.exp(r * dt) - 1 / up) / (up - 1 / up)
    value = np.zeros((n + 1, n + 1))
    for j in range(n + 1):
        value[j, n] = max(0, strike - spot * up ** (n - 2 * j))
    for i in range(n - 1, -1, -1):
        for j in range(i + 1):
            held = math.exp(-r * dt) * (q * value[j, i + 1] + (1 - q) * value[j + 1, i + 1])
            value[j, i] = max(strike - spot * up ** (i - 2 * j), held)
    return value[0, 0]


@case(np.array([100.0, 0.2, 0.03]))
def monte_carlo_option(p):
    spot, sigma, r = p
    drift = np.random.RandomState(0).normal((r - 0.5 * sigma**2), sigma, 40)
    return np.exp(-r) * np.maximum(spot * np.exp(drift) - 100, 0).mean()


@case(np.array([0.1, 0.2, 0.6]))
def garch(p):
    omega, alpha, beta = p
    variance = np.empty(12)
    variance[0] = np.var(Y)
    for t in range(1, 12):
        variance[t] = omega + alpha * Y[t - 1] ** 2 + beta * variance[t - 1]
    return 0.5 * np.sum(np.log(variance) + Y**2 / variance)


@case(np.full(3, 0.1))
def cox_partial_likelihood(beta):
    order = np.argsort(np.abs(Y))
    event = (Y > 0)[order]
    eta = X[order] @ beta
    total = 0.0
    for i in range(len(order)):
        if event[i]:
            total += eta[i] - np.log(np.sum(np.exp(eta[i:])))
    return -total


@case(rng.normal(size=9) * 0.3)
def softmax_loss(w):
    scores = X @ w.reshape(3, 3)
    scores -= scores.max(axis=1, keepdims=True)
    p = np.exp(scores)
    p /= p.sum(axis=1)[:, np.newaxis]
    return -np.log(p[range(12), np.arange(12) % 3]).mean()


@case(rng.normal(size=4) * 0.2)
def tobit(p):
    censored = np.maximum(Y, 0)
    mean, scale = X @ p[:3], np.exp(p[3])
    terms = np.zeros(12)
    terms[Y > 0] = stats.norm.logpdf(censored[Y > 0], mean[Y > 0], scale)
    terms[Y <= 0] = stats.norm.logcdf(-mean[Y <= 0] / scale)
    return terms.sum()


@case(rng.normal(size=15) * 0.5)
def crf_partition(e):
    e = e.reshape(5, 3)
    alpha = e[0]
    for t in range(1, 5):
        alpha = np.array([logsumexp(alpha + 0.1 * j) + e[t, j] for j in range(3)])
    return logsumexp(alpha)


@case(rng.normal(size=15) * 0.5)
def viterbi(e):
    best = np.zeros((5, 3))
    back = np.zeros((5, 3), int)
    best[0] = e[:3]
    for t in range(1, 5):
        for j in range(3):
            scores = best[t - 1] + 0.3 * np.arange(3)
            back[t, j] = np.argmax(scores)
            best[t, j] = scores[back[t, j]] + e[3 * t + j]
    return np.max(best[-1])


@case(rng.normal(size=6))
def soft_dtw(x, gamma=0.5):
    other = [0.1, 0.5, -0.2, 0.8]
    cost = np.full((7, 5), np.inf)
    cost[0, 0] = 0
    for i in range(1, 7):
        for j in range(1, 5):
            r = np.array([cost[i - 1, j - 1], cost[i - 1, j], cost[i, j - 1]]) / -gamma
            top = r.max()
            soft = -gamma * (np.log(np.exp(r - top).sum()) + top)
            cost[i, j] = (x[i - 1] - other[j - 1]) ** 2 + soft
    return cost[6, 4]


@case(rng.normal(size=4))
def soft_alignment(s):
    a, b = "GATTA", "GCATG"
    table = [[0.0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, j in itertools.product(range(1, len(a) + 1), range(1, len(b) + 1)):
        match = table[i - 1][j - 1] + (s[0] if a[i - 1] == b[j - 1] else s[1])
        table[i][j] = functools.reduce(
            np.logaddexp, [match, table[i - 1][j] + s[2], table[i][j - 1] + s[3]]
        )
    return table[-1][-1]


@case(rng.normal(size=6) * 0.6)
def k_means(c):
    centres = c.reshape(2, 3)
    total = 0
    for x in X:
        k = min(range(2), key=lambda j: np.sum((x - centres[j]) ** 2))
        total += np.sum((x - centres[k]) ** 2)
    return total


@case(np.array([0.1, -0.4, 0.3]))
def gaussian_process(theta):
    k = np.zeros((12, 12))
    for i in range(12):
        for j in range(i, 12):
            distance = np.sum((X[i] - X[j]) ** 2)
            k[i, j] = k[j, i] = np.exp(theta[1] - distance / (2 * np.exp(theta[0]) ** 2))
    k[np.diag_indices_from(k)] += np.exp(theta[2])
    return 0.5 * np.linalg.slogdet(k)[1] + 0.5 * Y.dot(np.linalg.solve(k, Y))


@case(np.array([0.9, 0.4, 0.5]))
def kalman_filter(p):
    a, q, r = p
    x, var, total = 0.0, 1.0, 0
    for z in [0.1, 0.5, -0.2, 0.3, 0.8]:
        x, var = a * x, a * var * a + q
        gain = var / (var + r)
        total -= 0.5 * (math.log(2 * math.pi * (var + r)) + (z - x) ** 2 / (var + r))
        x, var = x + gain * (z - x), (1 - gain) * var
    return total


@case(np.array([0.9, 0.1, 0.5]))
def particle_filter(p):
    np.random.seed(0)
    x, total = np.random.randn(30), 0
    for seen in [0.1, 0.5, -0.2]:
        x = p[0] * x + p[1] * np.random.randn(30)
        total += np.log(np.mean(np.exp(-0.5 * ((seen - x) / p[2]) ** 2) / p[2]))
    return total


@case(rng.normal(size=72) * 0.3)
def lstm(p):
    weights = p.reshape(6, 12)
    h, c, outputs = np.zeros(3), np.zeros(3), []
    for x in np.sin(np.arange(8.0)).reshape(4, 2):
        i, f, o, g = np.split(np.hstack([x, h, 1.0]) @ weights, 4)
        c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
        h = np.tanh(c) / (1 + np.exp(-o))
        outputs.append(h)
    return np.stack(outputs).sum()


@case(rng.normal(size=18) * 0.3)
def convolution(w):
    images = np.sin(np.arange(50.0)).reshape(2, 5, 5)
    columns = np.zeros((2, 3, 3, 3, 3))
    for i in range(3):
        for j in range(3):
            columns[:, i, j] = images[:, i : i + 3, j : j + 3]
    return np.maximum(np.einsum("nijkl,ijc->nklc", columns, w.reshape(3, 3, 2)), 0).sum()


@case(rng.normal(size=48) * 0.4)
def causal_attention(p):
    x = np.sin(np.arange(12.0)).reshape(3, 4)
    q, k, v = (x @ w for w in p.reshape(3, 4, 4))
    scores = np.where(np.tril(np.ones((3, 3))) == 0, -np.inf, q @ k.T / 2)
    a = np.exp(scores - scores.max(-1, keepdims=True))
    return np.sum((a / a.sum(-1, keepdims=True) @ v) ** 2)


# ---------------------------------------------------------------- simulation, geometry, algebra


@case(np.array([0.3, 0.1]))
def epidemic(p):
    s, i, r = np.zeros(30), np.zeros(30), np.zeros(30)
    s[0], i[0] = 0.99, 0.01
    for t in range(29):
        new = p[0] * s[t] * i[t]
        s[t + 1], i[t + 1], r[t + 1] = s[t] - new, i[t] + new - p[1] * i[t], r[t] + p[1] * i[t]
    return np.max(i) + r[-1]


@case(np.array([1.1, 0.4, 0.4, 0.1]))
def runge_kutta(p):
    def f(u):
        return np.array([p[0] * u[0] - p[1] * u[0] * u[1], p[3] * u[0] * u[1] - p[2] * u[1]])

    u, h = np.array([10.0, 5.0]), 0.1
    for _ in range(10):
        k1 = f(u)
        k2 = f(u + h / 2 * k1)
        k3 = f(u + h / 2 * k2)
        u += h / 6 * (k1 + 2 * k2 + 2 * k3 + f(u + h * k3))
    return u.sum()


@case(rng.normal(size=8))
def n_body(v):
    pos = v.reshape(4, 2).copy()
    vel = np.zeros_like(pos)
    for _ in range(3):
        for i, j in itertools.permutations(range(4), 2):
            d = pos[j] - pos[i]
            vel[i] += 0.1 * d / (np.dot(d, d) + 0.1) ** 1.5
        pos += 0.1 * vel
    return np.sum(vel**2)


@case(np.array([0.3, 1.2]))
def stencil(p):
    u = np.ones(12) * p[1]
    u[4:8] = 2
    for _ in range(6):
        old = u.copy()
        u[1:-1] = old[1:-1] + p[0] * (old[2:] - 2 * old[1:-1] + old[:-2])
        u[0] = u[-1] = 0
    return np.sum(u**2)


@case(np.abs(rng.normal(size=5)) + 0.5)
def truss(areas):
    nodes = np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]])
    stiffness = np.zeros((8, 8))
    for a, (i, j) in zip(areas, [(0, 1), (1, 2), (2, 3), (0, 2), (1, 3)]):
        d = nodes[j] - nodes[i]
        length = np.hypot(*d)
        c, s = d / length
        k = np.array([[c * c, c * s], [c * s, s * s]])
        dofs = [2 * i, 2 * i + 1, 2 * j, 2 * j + 1]
        stiffness[np.ix_(dofs, dofs)] += a / length * np.block([[k, -k], [-k, k]])
    free = [2, 4, 5, 7]
    return np.linalg.solve(stiffness[np.ix_(free, free)], [0, 0, -1.0, 0]) @ [0, 0, -1.0, 0]


@case(np.abs(rng.normal(size=5)) + 0.5)
def assembly_from_triplets(e):
    rows, columns, values = [], [], []
    for k, (a, b) in itertools.product(range(5), itertools.product((0, 1), repeat=2)):
        rows.append(k + a)
        columns.append(k + b)
        values.append(e[k] * (1 if a == b else -1))
    matrix = np.zeros((6, 6))
    np.add.at(matrix, (rows, columns), values)
    return np.linalg.slogdet(matrix[1:, 1:])[1]


@case(np.array([0.4, 0.7]))
def kepler(p):
    mean, e = p
    anomaly = mean if e < 0.8 else np.pi
    while True:
        step = (anomaly - e * math.sin(anomaly) - mean) / (1 - e * math.cos(anomaly))
        anomaly -= step
        if abs(step) < 1e-14:
            return anomaly


class Quaternion:
    __slots__ = ("w", "x", "y", "z")

    def __init__(self, w, x, y, z):
        self.w, self.x, self.y, self.z = w, x, y, z

    def __mul__(self, o):
        if not isinstance(o, Quaternion):
            return Quaternion(self.w * o, self.x * o, self.y * o, self.z * o)
        return Quaternion(
            self.w * o.w - self.x * o.x - self.y * o.y - self.z * o.z,
            self.w * o.x + self.x * o.w + self.y * o.z - self.z * o.y,
            self.w * o.y - self.x * o.z + self.y * o.w + self.z * o.x,
            self.w * o.z + self.x * o.y - self.y * o.x + self.z * o.w,
        )

    @property
    def conjugate(self):
        return Quaternion(self.w, -self.x, -self.y, -self.z)

    @property
    def norm(self):
        return math.sqrt(sum(c * c for c in (self.w, self.x, self.y, self.z)))

    def rotate(self, v):
        unit = self * (1 / self.norm)
        q = unit * Quaternion(0, *v) * unit.conjugate
        return np.array([q.x, q.y, q.z])


@case(rng.normal(size=4))
def rotated_vector(q):
    return Quaternion(*q).rotate([1.0, 2.0, 3.0]) @ [1, -1, 2]


@case(rng.normal(size=4))
def robot_arm(angles):
    def link(t, a=0.3):
        c, s = np.cos(t), np.sin(t)
        return np.array([[c, -s, a * c], [s, c, a * s], [0, 0, 1]])

    tip = functools.reduce(np.matmul, map(link, angles))[:2, 2]
    return np.sum((tip - np.array([0.4, 0.6])) ** 2)


@case(np.array([0.1, 0.2, 2.0]))
def ray_tracer(centre):
    light = 0.0
    for i, j in itertools.product(range(4), range(4)):
        d = np.array([i / 4 - 0.5, j / 4 - 0.5, 1.0])
        d /= np.linalg.norm(d)
        b = d @ centre
        inside = b * b - centre @ centre + 0.64
        if inside > 0:
            normal = ((b - np.sqrt(inside)) * d - centre) / 0.8
            light += max(0.0, normal @ np.array([0.0, 0.6, -0.8]))
    return light


@case(rng.normal(size=16))
def recursive_fft(x):
    def transform(x):
        n = len(x)
        if n == 1:
            return x
        even, odd = transform(x[::2]), transform(x[1::2])
        factor = np.exp(-2j * np.pi * np.arange(n // 2) / n)
        return np.concatenate([even + factor * odd, even - factor * odd])

    return np.sum(np.abs(transform(x.astype(complex)))[1:4])


@case(rng.normal(size=12))
def recursive_filter(x):
    memory = collections.deque([0.0, 0.0], maxlen=2)
    out = []
    for v in x:
        memory.append(v + 0.4 * memory[-1] - 0.1 * memory[-2])
        out.append(0.2 * memory[-1] + 0.3 * memory[-2])
    return np.sum(np.array(out) ** 2)


@case(rng.normal(size=9))
def pivoted_elimination(v):
    a = np.hstack([v.reshape(3, 3) + 2 * np.eye(3), np.eye(3)])
    for i in range(3):
        p = i + np.argmax(np.abs(a[i:, i]))
        a[[i, p]] = a[[p, i]]
        a[i] /= a[i, i]
        for j in {0, 1, 2} - {i}:
            a[j] -= a[j, i] * a[i]
    return a[:, 3:].sum()


@case(np.array([0.3, 0.7, 0.2]))
def polynomial_root(c):
    z = 1 + 1j
    for _ in range(30):
        z = z - (z**3 + c[0] * z**2 + c[1] * z + c[2]) / (3 * z**2 + 2 * c[0] * z + c[1])
    return z.real + 2 * z.imag


# ---------------------------------------------------------------- the language


@dataclass
class Settings:
    a: float
    b: float = 2.0
    history: list = field(default_factory=list)

    @property
    def total(self):
        return self.a + self.b


@case(POINT)
def dataclasses_replaced(x):
    s = replace(Settings(x[0], x[1]), a=x[2] * 3)
    s.history.append(s.total)
    return s.history[-1] ** 2 * s.a


class Pair(NamedTuple):
    x: float
    y: float


@case(POINT)
def named_tuples(x):
    p = Pair(*x[:2])._replace(x=x[1] ** 2)
    return p.x * p.y + sum(p)


@case(POINT)
def generators_and_closures(x):
    total = 0.0

    def add(v):
        nonlocal total
        total += v**2
        return total

    def sent():
        acc = 0.0
        while True:
            acc += (yield acc) or 0.0

    g = sent()
    next(g)
    return sum(add(v) * g.send(v) for v in x) + total


@case(POINT)
def scalars_as_floats(x):
    a, b, c = x.tolist()
    smallest = float(x.min().item())
    return math.sin(a) * math.exp(b) / math.pow(c + 1, 2) + smallest**2 + len(f"{a:.2f}")


@case(POINT)
def views_and_in_place(x):
    a = np.zeros((3, 3))
    row = a[1]
    row[:] = x
    a.T[0] += x
    a.ravel()[4] *= 3
    np.fill_diagonal(a, a.diagonal() * 2)
    a[a == 0] = x[0] * x[1]
    return (a @ a).sum()


class Checked:
    """Attributes go through a method of the class's own, properties with setters included."""

    def __init__(self):
        self.names = ["scale"]
        self.buffer = np.zeros(3)

    def __setattr__(self, name, value):
        if name == "nothing":
            return None
        return object.__setattr__(self, name, value)

    @property
    def parameters(self):
        return self.buffer

    @parameters.setter
    def parameters(self, values):
        self.buffer.flat = values

    def objective(self, p):
        self.parameters = p
        return np.sum(np.exp(self.parameters))


CHECKED = Checked()


@case(POINT)
def property_set_by_object_setattr(p):
    return CHECKED.objective(p)


class Bookkeeper:
    def __init__(self):
        self.scale = np.ones(2)

    def objective(self, x):
        total = 0.0
        for k in range(30):
            names = self.__dict__  # another object may get the id of what lifted code saw
            assert "scale" in names
            del names
            self.table = collections.defaultdict(int)
            self.table["k"] = k
            total = total + x[0] * len(self.table)
        return total * x[1]


@case(POINT)
def attributes_as_a_dict(x):
    return Bookkeeper().objective(x)


# ---------------------------------------------------------------- arrays born among constants


@case(POINT)
def written_results_of_several(x):
    levels, where = np.unique([3.0, 1.0, 3.0], return_inverse=True)
    levels[0] = x[0]
    grid, step = np.linspace(0, 1, 3, retstep=True)
    grid[1] *= x[1]
    base, other = np.broadcast_arrays(1.0, X[:3, 0])
    base = base.copy()
    base[2] = x[2]
    first, second = np.split(np.arange(4.0), 2)
    second[0] = x[0] * x[2]
    return np.sum(levels[where]) + grid @ grid * step + base @ other + first @ second


@case(POINT)
def traced_where_numpy_does_not_look(x):
    filled = np.full_like(np.arange(3), x[0], dtype=float)
    bounded = np.array([1, 2, 3]).clip(x[1], 10 * x[2])
    return np.sum(filled * bounded) + np.sum(np.pad(np.ones(2), 1, constant_values=x[2]) ** 2)


@case(POINT)
def vectorized(x):
    @np.vectorize
    def by_closure(t):
        return t * x[0] if t > 0.5 else math.sin(t * x[1])

    def with_options(t, power, scale=1.0):
        return scale * t**power

    optional = np.vectorize(with_options, excluded={"power"}, otypes=[float])
    return np.sum(by_closure(np.linspace(0, 1, 5))) + np.sum(optional(x, power=2, scale=x[::-1]))


@case(POINT)
def generators_of_random_numbers(x):
    old, new = np.random.RandomState(3), np.random.Generator(np.random.PCG64(3))
    assert isinstance(old, np.random.RandomState)
    weights = old.randn(3)
    weights[0] = x[0]
    return np.sum(old.normal(x[1], x[2], 4)) + new.normal(x[0]) + weights @ weights


# ---------------------------------------------------------------- the table


@pytest.mark.parametrize(("f", "x"), CASES)
def test_real_code(f, x):
    before = x.copy()
    value, gradient = cr.value_and_grad(f)(x)
    assert np.array_equal(x, before)
    assert value == pytest.approx(f(x), rel=1e-12)
    d = np.random.default_rng(0).normal(size=x.shape) * 1e-2 * (np.abs(x) + 0.1)
    truth = slope(lambda h: np.atleast_1d(f(x + h * d)))
    assert truth.knows().all()
    assert not truth.refutes(gradient @ d)
    assert cr.jvp(f, (x,), (d,))[1] == pytest.approx(gradient @ d, rel=1e-9, abs=1e-12)
    curvature = slope(lambda h: cr.grad(f)(x + h * d))
    assert not curvature.refutes(cr.hvp(f, x, d), rtol=1e-5).any()


# ---------------------------------------------------------------- refused, clearly


class Tagged(np.ndarray):
    pass


class Table(dict):
    def total(self):
        return float(np.sum(self["a"]))


BUFFER = np.zeros(3)
TAGGED = BUFFER.view(Tagged)
TABLE = Table(a=BUFFER)


def through_a_subclass(x):
    BUFFER[:] = x * 2
    return np.sum(np.asarray(TAGGED))


def through_a_method_that_is_not_lifted(x):
    BUFFER[:] = x * 2
    return TABLE.total() + x[0]


@pytest.mark.parametrize("f", [through_a_subclass, through_a_method_that_is_not_lifted])
def test_memory_read_where_nobody_sees_is_refused(f):
    with pytest.raises(cr.NonDifferentiableError, match="may read") as caught:
        cr.grad(f)(POINT)
    assert caught.value.at.text == "BUFFER[:] = x * 2"
    assert np.array_equal(BUFFER, 2 * POINT)  # the write happened, as without chainrule


def test_compiled_functions_take_constants_and_are_named_where_they_fail():
    def slope(y):  # what stats.siegelslopes called before SciPy 1.18
        return stats._stats_pythran.siegelslopes(y, X[:, 0].copy(), "hierarchical")[0]

    assert cr.grad(lambda x: x[0] * slope(Y))(POINT)[0] == slope(Y)
    with pytest.raises(cr.NonDifferentiableError, match=r"siegelslopes.*compiled"):
        cr.grad(slope)(Y)


def test_errors_of_compiled_code_name_the_users_line():
    import hashlib

    with pytest.raises(cr.NonDifferentiableError, match=r"buffer|x\.data") as caught:
        cr.grad(lambda x: len(hashlib.md5(np.array([x[0]])).hexdigest()) * x[0])(POINT)
    assert "hashlib" in caught.value.at.text


# ---------------------------------------------------------------- other packages


def test_numba_functions_run_in_python_where_a_derivative_is_wanted():
    numba = pytest.importorskip("numba")

    @numba.njit
    def helper(a):
        return math.sin(a)

    @numba.njit
    def total(x):
        s = 0.0
        for i in range(len(x)):
            s += helper(x[i]) * x[i]
        return s

    gradient = cr.grad(total)(POINT)
    assert np.allclose(gradient, np.cos(POINT) * POINT + np.sin(POINT), rtol=1e-14)


def test_scikit_learn():
    pytest.importorskip("sklearn")
    from sklearn.gaussian_process import GaussianProcessRegressor, kernels
    from sklearn.metrics.pairwise import chi2_kernel
    from sklearn.mixture import GaussianMixture

    kernel = kernels.ConstantKernel(1.2) * kernels.RBF([1.0, 2.0, 0.5]) + kernels.WhiteKernel(0.1)
    gp = GaussianProcessRegressor(kernel, optimizer=None).fit(X, Y)
    theta = gp.kernel_.theta + 0.1
    by_hand = gp.log_marginal_likelihood(theta, eval_gradient=True)[1]
    assert np.allclose(cr.grad(gp.log_marginal_likelihood)(theta), by_hand, rtol=1e-9)

    mixture = GaussianMixture(2, random_state=0).fit(X)
    x = X[:1] + 0.1
    truth = slope(lambda h: mixture.score_samples(x + h * np.ones(3)))
    assert not truth.refutes(cr.grad(lambda x: mixture.score_samples(x)[0])(x).sum()).any()

    with pytest.raises(cr.NonDifferentiableError, match="_chi2_kernel_fast"):
        cr.grad(lambda z: np.sum(chi2_kernel(z, np.abs(X))))(np.abs(X[:2]))


def test_statsmodels():
    sm = pytest.importorskip("statsmodels.api")
    design = sm.add_constant(X)
    model = sm.Poisson(np.arange(12) % 4, design)
    beta = np.array([0.1, 0.2, -0.3, 0.1])
    assert np.allclose(cr.grad(model.loglike)(beta), model.score(beta), rtol=1e-9)

    arima = sm.tsa.SARIMAX(Y, order=(1, 0, 0))
    arima.loglike([0.4, 0.5])  # now an object in C holds the memory of its matrices
    with pytest.raises(cr.NonDifferentiableError, match="may read"):
        cr.grad(arima.loglike)(np.array([0.4, 0.5]))
