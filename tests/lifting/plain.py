"""Functions of x = (0.6, 1.3, 2.2), as people write them. Every function here is differentiated."""

import cmath
import functools
import math
import math as m
import random
from contextlib import contextmanager
from dataclasses import dataclass
from math import *  # noqa: F403
from math import sin

import numpy
import numpy as np
from numpy import array, zeros
from numpy import linalg as la
from numpy.linalg import norm

# ---------------------------------------------------------------- creation, then assignment


def zeros_then_assignment(x):
    y = np.zeros(3)
    y[0] = x[0] ** 2
    y[1:] = x[1:] * x[0]
    return y.sum()


def zeros_of_a_shape_with_dtype(x):
    y = np.zeros((2, 3), dtype=float)
    y[0] = x
    y[1, ::2] = x[:2] * 3
    return np.sum(y * y)


def names_taken_from_numpy(x):
    z = zeros(2, float)
    z[0] = sin(x[0])
    z[1] = x[1]
    return (z * array([x[1], 2.0])).sum()


def aliased_modules(x):
    y = numpy.empty(3)
    for i in range(3):
        y[i] = m.cos(x[i])
    return la.norm(y) + norm(x)


def star_import_from_math(x):
    return exp(x[0]) * tanh(x[1]) * pi  # noqa: F405


def array_of_traced_scalars(x):
    return np.sum(np.array([x[0], 1.0, x[1] * x[2]]) ** 2)


def nested_array(x):
    A = np.array([[x[0], 1.0], [2.0, x[1]]])
    return la.det(A @ A.T + np.eye(2))


def asarray_with_dtype(x):
    return np.sum(np.asarray(x, dtype=float) ** 2) + np.sum(np.asarray(x, float) ** 3)


def asarray_of_a_list(x):
    xs = np.asarray([x[0], x[1]], dtype=np.float64)
    return np.dot(xs, xs)


def atleast_and_ravel(x):
    return np.sum(np.atleast_2d(x).ravel() * np.atleast_1d(x[0]))


def ones_full_eye_linspace(x):
    y = np.ones(3)
    y *= x
    z = np.full(3, x[0])
    E = np.eye(3)
    E[0] = x
    t = np.linspace(0.0, x[2], 3)
    return np.sum(y * z) + E.sum() ** 2 + np.sum(t**2)


def copy_of_a_constant_then_write(x):
    K = K0.copy()
    K[0, 0] += x[0]
    K[np.diag_indices(3)] += x[1]
    return la.slogdet(K)[1] * x[2]


K0 = np.eye(3) * 2.0


def fromiter_and_generator(x):
    return np.fromiter((v * v for v in x), float).sum()


def object_list_to_array(x):
    rows = []
    for i in range(3):
        rows.append([x[i], x[i] ** 2])
    return np.array(rows).T[1].sum()


def import_inside(x):
    from math import cos

    import numpy as npp

    z = npp.zeros(3)
    z[0] = cos(x[0])
    return z.sum()


def index_tricks(x):
    total = np.r_[x, x[0], 1:3].prod() + (np.c_[x, x**2, [1, 2, 3]] @ x).sum()
    return total + np.r_[1.0, 2.0].sum() + np.c_[x[0], x[1]].sum()


# ---------------------------------------------------------------- conversions and builtins


def float_and_math(x):
    return float(x[0]) * math.exp(float(x[1])) + math.log(x[2], 3.0)


def float_of_zero_dim_array(x):
    return float(np.array(x[0])) ** 2 + float(np.sum(x))


def item_and_tolist(x):
    a, b, c = x.tolist()
    return x[0].item() * x.sum().item() + x.item(1) * a * b * c


def nested_tolist(x):
    return sum(v * v for row in np.outer(x, x).tolist() for v in row)


def builtins_on_scalars(x):
    a = abs(-x[0])
    b = max(x[0], x[1]) + min(x) + min(x[2], 3.0, key=lambda v: -v)
    d = round(float(x[0]), 1)
    e = pow(x[1], 2) + pow(2.0, x[0])
    q, r = divmod(x[2], 0.7)
    return a + b + d + e + r + q


def builtins_on_iterables(x):
    total = sum(x) + sum([x[0], x[1]], 1.0) + sorted(x, reverse=True)[1] ** 2
    total += sum(v * i for i, v in enumerate(x)) + sum(a * b for a, b in zip(x, x[::-1]))
    total += sum(map(lambda v: v * v, x)) + sum(filter(lambda v: v > 1, x))
    total += sum(v**3 for v in reversed(x))
    if all(v > 0 for v in x) and any(x > 2) and len(x) == 3:
        total = total * x[0]
    return total


def int_steers_only(x):
    n = int(x[2])
    y = x[0]
    for _ in range(n + int(np.floor(x[1]))):
        y = y * x[1]
    return y + np.arange(n).sum()


def math_functions(x):
    total = math.hypot(x[0], x[1]) + math.hypot(*x) + math.atan2(x[0], x[1]) + math.pow(x[0], 2)
    total += math.fsum(x) + math.fsum(v * v for v in x) + math.prod(x) + math.floor(x[0])
    total += math.dist(x, [0.0, 1.0, 2.0]) + math.erf(x[0]) + math.lgamma(x[1]) + math.gamma(x[2])
    total += math.copysign(x[0], -1.0) + math.fmod(x[2], 0.7) + math.modf(x[1])[0]
    return total + math.frexp(x[2])[0] + math.ldexp(x[0], 3) + math.remainder(x[1], 0.4)


def complex_functions(x):
    z = cmath.exp(1j * x[0]) * cmath.sqrt(-x[1]) + complex(x[0], x[1]) + cmath.rect(x[2], x[0])
    return abs(z) + z.real * cmath.phase(z)


def lists_where_numpy_wants_arrays(x):
    total = np.sum([x[0], x[1] * 2]) + np.mean([v * v for v in x]) + np.max((x[0], 1.0))
    total += np.linalg.norm([x[0], x[1]]) + np.dot([x[0], x[1]], [1.0, 2.0]) + np.prod([x[0], x[1]])
    return total + np.sum(np.concatenate([[x[0], 1.0], x]) ** 2) + np.sum(np.stack([x, 2 * x]))


def formatted_text(x):
    s = f"{x[0]:.2f} {x} {x[1]!r}" + "%.2f %s %d" % (x[0], x, x[2]) + "{:.3f}".format(x[1])  # noqa: UP032
    s += "%5.1e" % x[1] + str(x[0]) + repr(x)
    assert s.startswith(("0.", "1."))
    return x.sum()


def type_tests(x):
    total = 0.0
    if type(x) is np.ndarray and isinstance(x, np.ndarray) and x.__class__ is np.ndarray:
        total += x[0]
    if type(x[0]) is np.float64 and isinstance(x[0], float) and not isinstance(x, (float, int)):
        total += 2 * x[1]
    if float is float and isinstance(2.5, (int, float)) and type(total) is not int:
        total += 3 * x[2]
    if x.dtype.type is np.float64 and x.dtype == float and issubclass(float, float):
        total += x[0] * x[1]
    return total


def scalars_are_not_containers(x):
    if hasattr(x[0], "__len__") or not hasattr(x, "__len__") or np.iterable(x[0]):
        return 0.0
    return x[0] * x[1] if np.isscalar(x[0]) else 0.0


def dtype_given_as_float(x):
    return np.sum(x.astype(float)) + np.sum(np.zeros_like(x, dtype=float) + x) * 2


def vectorized_function(x):
    f = np.vectorize(lambda v, c: v * c if v > 1 else math.exp(v))
    return np.sum(f(x, 2.0)) + np.sum(MODULE_VECTORIZED(x))


MODULE_VECTORIZED = np.vectorize(lambda v: math.sin(v) ** 2)


# ---------------------------------------------------------------- functions and control flow


def helper(x, weights=np.ones(3) * 2.0, power=lambda v: v**2):
    out = np.zeros(3)
    out[:] = power(x) * weights
    return out


def calls_a_helper(x):
    return helper(x).sum() + helper(x, power=np.sin)[0]


def stars(x):
    def f(*args, **kwargs):
        a, *rest = args
        return float(a) * sum(rest) * kwargs["scale"]

    return f(*x, scale=x[0])


def recursion(x):
    def power(n):
        return 1.0 if n == 0 else float(x[0]) * power(n - 1)

    return power(5) + even(4, x[1])


def even(n, v):
    return v if n == 0 else odd(n - 1, v) * 2.0


def odd(n, v):
    return even(n - 1, math.sin(v))


def nonlocal_counter(x):
    total = 0.0

    def add(v):
        nonlocal total
        total += float(v) ** 2

    for v in x:
        add(v)
    return total


@functools.cache
def fibonacci(n):
    return 1.0 if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


@functools.cache
def legendre(n, v):
    if n < 2:
        return v if n else 1.0
    return ((2 * n - 1) * v * legendre(n - 1, v) - (n - 1) * legendre(n - 2, v)) / n


def memoised(x):
    return x.sum() * fibonacci(60) * 1e-12 + legendre(25, x[0])


def twice(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        return np.array([1.0, 2.0]) * f(*args, **kwargs)

    return wrapper


@twice
def decorated(x):
    """The docstring."""
    return math.sin(x[0])


def decorators(x):
    return decorated(x).sum()


partial = functools.partial(helper, weights=np.array([1.0, 2.0, 3.0]))


def partials_and_reduce(x):
    return partial(x).sum() + functools.reduce(lambda a, b: a * float(b), x, 1.0)


def generators(x):
    def squares():
        for v in x:
            sent = yield math.pow(v, 2)
            assert sent is None

    return sum(squares()) + sum(delegating(x))


def delegating(x):
    yield from (float(v) for v in x)


def comprehensions(x):
    table = {i: math.exp(v) for i, v in enumerate(x)}
    return sum([table[i] * v for i, v in enumerate(x)]) + len({int(v) for v in x})


def try_except_finally(x):
    total = np.zeros(1)
    try:
        math.sqrt(-1.0 - x[0])
    except ValueError as error:
        assert "domain" in str(error) or "nonnegative" in str(error)
        total[0] += x[0]
    else:
        total[0] = 100.0
    finally:
        total *= x[1]
    return total[0]


@contextmanager
def scope(x):
    yield float(x[0]) * np.array([x[1], 1.0])


def with_statement(x):
    with scope(x) as y, np.errstate(all="ignore"):
        return y.sum()


def match_statement(x):
    match x.shape:
        case (n,) if (k := n) > 2:
            return x.sum() * k
        case _:
            return 0.0


def loops_with_else(x):
    y = 1.0
    for i in range(100):
        if y > 50:
            break
        y = y * (1 + x[i % 3])
    else:
        y = 0.0
    while y > 3:
        y = y / 2
    return y


def local_class(x):
    class Model:
        scale = np.ones(3)

        def __init__(self, w):
            self.w = np.asarray(w, dtype=float)

        def value(self, y):
            z = np.zeros(3)
            z[:] = y * self.w
            return z * self.scale

    return Model([x[0], 1.0, 2.0]).value(x).sum()


@dataclass
class Point:
    a: float
    b: float

    def product(self):
        return self.a * self.b


def dataclass_of_scalars(x):
    return Point(x[0], x[1]).product()


def evaluated_text(x):
    return eval("np.zeros(3).sum() + float(x[0]) * helper(x).sum()")


def random_numbers(x):
    np.random.seed(3)
    z = np.random.randn(3)
    z[0] = x[0]
    rng = np.random.default_rng(0)
    e = rng.normal(size=3)
    e *= x
    return np.sum(z * e) + np.random.normal(x[0], x[1]) + random.Random(0).random() * x[2]


GENERATOR_SEED = 7


def reparameterised(x):
    rng = np.random.default_rng(GENERATOR_SEED)
    a = rng.normal(x, 0.5) + rng.normal(loc=1.0, scale=x[0], size=3)
    b = rng.uniform(0.0, x[1], size=(2, 3)).sum() + rng.exponential(x[2])
    return a.sum() + b + rng.lognormal(0.1, x[0])


def polynomials(x):
    return np.polynomial.polynomial.polyval(x[0], np.array([1.0, 2.0, 3.0]))


def globals_function(x):
    return x.sum() * globals()["GENERATOR_SEED"]


def function_attribute(x):
    function_attribute.calls = getattr(function_attribute, "calls", 0) + 1
    return x.sum() * function_attribute.factor


function_attribute.factor = 2.5
table = {"sin": math.sin, "helper": helper}
stack = [helper, float]


def functions_in_containers(x):
    return table["sin"](x[0]) + table["helper"](x).sum() + stack[0](x)[1] * stack[1](x[0])
