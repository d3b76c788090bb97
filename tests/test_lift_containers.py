"""Objects in containers, and classes of unusual making: their methods run lifted."""

import collections
import functools
import math
import types
import typing
import weakref

import numpy as np
import pytest

import chainrule as cr
from tests.helpers import numeric_gradient

X = np.array([0.5, 0.3, 0.7])


class Model:
    def __init__(self, last):
        self.k = np.array([1.0, 2.0, last])

    def loss(self, x):
        out = np.zeros(3)
        out[:] = self.k * x * x
        return float(out.sum())


class Mapping(collections.UserDict):
    pass


SET, FROZEN = {Model(3.0)}, frozenset([Model(3.0)])
DEQUE = collections.deque([Model(3.0), Model(4.0)], maxlen=2)
DEFAULT = collections.defaultdict(lambda: Model(5.0), a=Model(2.0))
ORDERED = collections.OrderedDict(a=Model(2.0), b=Model(1.0))
SPACE = types.SimpleNamespace(model=Model(3.0), n=2)
USER = Mapping(model=Model(2.0))
MODEL = Model(3.0)
WEAK = weakref.ref(MODEL)


class Marks(type):
    def __call__(cls, *args, **kwargs):
        made = super().__call__(*args, **kwargs)
        made.marked = True
        return made


class Marked(Model, metaclass=Marks):
    pass


class Single(type):
    made: typing.ClassVar = {}

    def __call__(cls, *args):
        if cls not in cls.made:
            cls.made[cls] = super().__call__(*args)
        return cls.made[cls]


class OnlyOne(Model, metaclass=Single):
    pass


class Dispatching:
    @functools.singledispatchmethod
    def g(self, v):
        return math.exp(v)

    @g.register
    def _(self, v: np.ndarray):
        out = np.zeros(3)
        out[:] = v**2
        return out.sum()


T = typing.TypeVar("T")


class Generic(typing.Generic[T]):
    def __init__(self, k):
        self.k = k

    def loss(self, x):
        out = np.zeros(3)
        out[:] = self.k * x * x
        return out.sum()


class Vector:
    def __init__(self, a):
        self.a = a

    def __add__(self, other):
        return Vector(self.a + other.a)

    def __radd__(self, other):
        return Vector(self.a + other.a)

    def __lt__(self, other):
        return bool(self.a[0] < other.a[0])

    def sum(self):
        out = np.zeros(3)
        out[:] = self.a**2
        return out.sum()


class Doubled(Vector):
    def __radd__(self, other):
        return Doubled(2 * (self.a + other.a))

    def __gt__(self, other):
        return True


class Boxed:
    def __init__(self, v):
        self.v = v

    def __float__(self):
        return float(self.v) * 2

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.v) * 2


def grow(x):
    DEQUE.append(Model(x[0]))
    value = sum(m.loss(x) for m in DEQUE)
    DEQUE.append(Model(4.0))
    return value


FUNCTIONS = {
    "set": lambda x: sum(m.loss(x) for m in SET),
    "frozenset": lambda x: sum(m.loss(x) for m in FROZEN),
    "deque": lambda x: DEQUE[0].loss(x) + sum(m.loss(x) for m in DEQUE),
    "defaultdict": lambda x: DEFAULT["a"].loss(x) + DEFAULT["new"].loss(x),
    "ordered dict": lambda x: sum(m.loss(x) * i for i, m in enumerate(ORDERED.values(), 1)),
    "namespace": lambda x: SPACE.model.loss(x) * SPACE.n,
    "UserDict": lambda x: USER["model"].loss(x),
    "metaclass with __call__": lambda x: Marked(2.0).loss(x) * Marked(1.0).marked,
    "singleton": lambda x: OnlyOne(2.0).loss(x) + OnlyOne(7.0).loss(x),
    "singledispatchmethod": lambda x: Dispatching().g(x) + Dispatching().g(x[0]),
    "generic": lambda x: Generic[float](2.0).loss(x),
    "weak reference": lambda x: WEAK().loss(x) * isinstance(WEAK, weakref.ref),
    "__class__": lambda x: (
        MODEL.loss(x) * (getattr(MODEL, "__class__") is Model) * (MODEL.__class__ is Model)  # noqa: B009
    ),
    "reflected operator of a subclass": lambda x: (Vector(x) + Doubled(x)).sum(),
    "comparison of a subclass": lambda x: Vector(x).sum() * (Vector(x) < Doubled(x)),
    "operator of one class": lambda x: (Vector(x) + Vector(x)).sum(),
    "__float__": lambda x: float(Boxed(x[0])) ** 2,
    "__array__": lambda x: (np.asarray(Boxed(x)) ** 2).sum() + np.array(Boxed(x))[1],
    "operand with __array__": lambda x: (x * Boxed(x)).sum() + (x / Boxed(X)).sum(),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_methods_run_lifted(name):
    f = FUNCTIONS[name]
    value, gradient = cr.value_and_grad(f)(X)
    assert value == pytest.approx(float(f(X)), rel=1e-14)
    np.testing.assert_allclose(gradient, numeric_gradient(f, X), rtol=1e-6, atol=1e-8)
    assert cr.jvp(f, (X,), (X,))[1] == pytest.approx(gradient @ X)


def test_containers_keep_kinds_and_originals():
    def f(x):
        assert type(DEQUE) is collections.deque and isinstance(DEQUE, collections.deque)
        assert type(DEFAULT) is collections.defaultdict and type(SET) is set
        assert isinstance(SPACE, types.SimpleNamespace) and DEQUE.maxlen == 2
        SPACE.last = DEFAULT["kept"]
        SET.add(SPACE.last)
        DEQUE.rotate(1)
        ORDERED.move_to_end("a")
        return DEFAULT["kept"].loss(x)

    before = list(DEQUE)
    cr.grad(f)(X)
    assert type(DEFAULT["kept"]) is Model and SPACE.last is DEFAULT["kept"]
    assert SPACE.last in SET and all(type(m) is Model for m in SET)
    assert list(DEQUE) == before[::-1] and list(ORDERED) == ["b", "a"]
    SET.discard(SPACE.last)
    DEFAULT.pop("kept")
    DEQUE.rotate(1)
    ORDERED.move_to_end("b")


def test_traced_values_put_into_containers_become_plain():
    values, places = collections.deque(), collections.defaultdict(list)

    def f(x):
        values.append(x * 2)
        places["x"].append(x[0])
        return (values[-1] ** 2).sum() + places["x"][-1]

    np.testing.assert_allclose(cr.grad(f)(X), 8 * X + np.array([1.0, 0.0, 0.0]))
    assert type(values[0]) is np.ndarray and type(places["x"][0]) is np.float64


MASKED = np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0])


@pytest.mark.parametrize("f", [lambda x: (x * MASKED).sum(), lambda x: (MASKED * x).sum()])
def test_arrays_that_compute_otherwise_are_refused(f):
    with pytest.raises(cr.ChainruleError, match="MaskedArray"):
        cr.grad(f)(X)
    with pytest.raises(cr.ChainruleError, match="MaskedArray"):
        cr.jvp(f, (X,), (X,))


def test_record_arrays_are_plain_arrays():
    record = np.arange(3.0).view(np.recarray)
    np.testing.assert_array_equal(cr.grad(lambda x: (record * x).sum())(X), np.arange(3.0))


PARAMETERS = [np.ones(3), [np.arange(3.0), {"b": np.full(3, 2.0)}], Model(3.0)]


def test_inner_derivative_with_respect_to_a_container_of_arrays():
    def loss(p, x):
        return np.sum(p[0] ** 2 * x) + np.sum(p[1][0] * p[1][1]["b"] * x**2)

    def f(x):
        g = cr.grad(loss)(PARAMETERS[:2], x)
        return np.sum(g[0] * x) + np.sum(g[1][1]["b"]) + PARAMETERS[2].loss(x)

    np.testing.assert_allclose(cr.grad(f)(X), numeric_gradient(f, X), rtol=1e-7)
