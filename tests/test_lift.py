"""Lifting: plain code is differentiated as it stands, and nothing of it is changed."""

import functools
import gc
import importlib.util
import math
import operator
import pickle
import struct
import sys
import threading
import types
import weakref

import numpy as np
import pytest

import chainrule as cr
from chainrule.base.errors import NonDifferentiableError
from chainrule.core import trace
from chainrule.core.trace import Tracer
from tests.helpers import numeric_gradient, slope
from tests.lifting import plain, stateful

X = np.array([0.6, 1.3, 2.2])
CASES = {
    name: f
    for name, f in vars(plain).items()
    if callable(f)
    and getattr(f, "__module__", "") == plain.__name__
    and getattr(getattr(f, "__code__", None), "co_varnames", ("",))[:1] == ("x",)
    and name not in ("helper", "delegating", "decorated", "scope")
}


@pytest.mark.parametrize("name", CASES)
def test_plain_code_is_differentiated(name):
    """Value, gradient, tangent and two second derivatives, against numbers."""
    f = CASES[name]
    want = f(X.copy())
    value, gradient = cr.value_and_grad(f)(X)
    assert type(gradient) is np.ndarray
    np.testing.assert_allclose(value, want, rtol=1e-13)
    np.testing.assert_allclose(gradient, numeric_gradient(f, X), rtol=1e-7, atol=1e-9)
    t = np.array([0.3, -0.7, 0.5])
    pushed, dy = cr.jvp(f, (X,), (t,))
    np.testing.assert_allclose(pushed, want, rtol=1e-13)
    np.testing.assert_allclose(dy, gradient @ t, rtol=1e-9, atol=1e-12)
    curvature = slope(lambda s: cr.grad(f)(X + s * t)).value
    _, forward = cr.jvp(cr.grad(f), (X,), (t,))
    np.testing.assert_allclose(forward, curvature, rtol=1e-6, atol=1e-7)
    backward = cr.grad(lambda x: cr.grad(f)(x) @ t)(X) if np.any(forward) else 0.0
    np.testing.assert_allclose(backward, forward, rtol=1e-8, atol=1e-10)


# ---------------------------------------------------------------- what lifted code writes


@pytest.fixture
def code():
    """A fresh copy of the module: its state is what is tested."""
    spec = importlib.util.spec_from_file_location("user_code", stateful.__file__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tracers_in(place, seen=None):
    """Handles that can be reached from here."""
    seen = set() if seen is None else seen
    if id(place) in seen:
        return []
    seen.add(id(place))
    if isinstance(place, Tracer):
        return [place]
    if isinstance(place, dict):
        parts = list(place.values())
    elif isinstance(place, (list, tuple, set)):
        parts = list(place)
    elif isinstance(place, types.FunctionType):
        cells = [c.cell_contents for c in place.__closure__ or ()]
        parts = [*cells, *(place.__defaults__ or ()), place.__dict__, (place.__kwdefaults__ or {})]
    elif type(place).__module__ == "user_code":
        parts = list(getattr(place, "__dict__", {}).values())
    else:
        return []
    return [t for p in parts for t in tracers_in(p, seen)]


def test_global_counter_counts_in_the_module(code):
    np.testing.assert_array_equal(cr.grad(code.counts)(X), [1.0, 1, 1])
    np.testing.assert_array_equal(cr.grad(code.counts)(X), [2.0, 2, 2])
    assert code.count == 2 and type(code.count) is int
    code.counts(X)
    assert code.count == 3


def test_traced_values_in_globals_lists_and_dicts_are_plain_afterwards(code):
    np.testing.assert_allclose(cr.grad(code.remembers)(X), 4 * X)
    assert not tracers_in(vars(code))
    assert type(code.last) is np.ndarray and type(code.history[0]) is np.float64
    np.testing.assert_array_equal(code.last, X * 2)
    assert code.record["values"] == [(1, X[1])] and code.record["best"] == X.sum()
    assert type(code.record["best"]) is np.float64


def test_other_containers_are_plain_afterwards(code):
    cr.grad(code.collects)(X)
    kinds = {type(v) for v in (*code.recent, *code.named.values(), *code.unique)}
    assert kinds == {np.float64}


def test_writes_reach_the_module_when_the_function_raises(code):
    with pytest.raises(ValueError, match=r"no good: 0\.6"):
        cr.grad(code.remembers_and_fails)(X)
    assert code.count == 1 and code.last == 1.2 and code.history == [1.2]
    assert not tracers_in(vars(code))


def test_functions_and_arrays_are_stored_as_the_originals(code):
    cr.grad(code.remembers_a_function)(X)
    assert code.chosen is code.counts and code.history == [code.counts]
    assert code.record["best"] is code.work


def test_deleted_global(code):
    np.testing.assert_array_equal(cr.grad(code.deletes)(X), [2.0, 2, 2])
    assert not hasattr(code, "scratch")


def test_functions_that_write_the_same_global_call_each_other(code):
    want = np.full(3, 12.0 + 13.0)
    np.testing.assert_array_equal(cr.grad(code.nested_writers)(X), want)
    assert code.count == 13
    code.count = 0
    np.testing.assert_array_equal(cr.grad(code.uses_generator_writer)(X), [6.0, 3.0, 0.0])
    assert code.count == 3


@pytest.mark.parametrize("name", ["workspace", "workspace_in_place"])
def test_workspace_array_is_written_in_the_callers_memory(code, name):
    f, memory = getattr(code, name), code.work
    np.testing.assert_allclose(cr.grad(f)(X), numeric_gradient(f, X), rtol=1e-7)
    value = cr.value_and_grad(f)(X)[0]
    written = memory.copy()
    assert code.work is memory and f(X) == value
    np.testing.assert_array_equal(written, memory)


def test_array_argument_is_written(code):
    buffer, want = np.ones(5), np.ones(5)
    value, gradient = cr.value_and_grad(code.writes_argument)(X, buffer)
    assert value == code.writes_argument(X, want)
    np.testing.assert_array_equal(buffer, want)
    np.testing.assert_allclose(gradient, 2 * X)


@pytest.mark.parametrize(
    "name", ["writes_middle_reads_whole", "writes_whole_reads_middle", "writes_square_reads_both"]
)
def test_arrays_that_share_memory_see_each_others_writes(code, name):
    f = getattr(code, name)
    gradient = cr.grad(f)(X)
    memory = code.whole.copy()
    np.testing.assert_allclose(gradient, numeric_gradient(f, X), rtol=1e-7, atol=1e-10)
    f(X)
    np.testing.assert_array_equal(memory, code.whole)


VIEWS = {
    "slice": lambda a: a[1:],
    "steps": lambda a: a[::2, 1::2],
    "reversed": lambda a: a[::-1, ::-2],
    "row": lambda a: a[1],
    "column": lambda a: a[:, 2],
    "transposed": lambda a: a.T[1:3],
    "reshaped": lambda a: a.reshape(-1)[2:10].reshape(2, 4),
    "new axis": lambda a: a[:, None, 1:3],
    "element": lambda a: a[1, 2, ...],
    "swapped": lambda a: a[:2].reshape(2, 2, 2).swapaxes(0, 2),
    "flipped column": lambda a: a[::-1, 3],
}


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("name", VIEWS)
def test_every_kind_of_view_shares_the_handle_of_its_owner(name, order):
    if order == "F" and name in ("reshaped", "swapped"):
        pytest.skip("a copy there")
    owner = np.array(np.arange(12.0).reshape(3, 4), order=order)
    part = VIEWS[name](owner)
    assert np.shares_memory(owner, part)

    def f(x):
        part[...] = part * x[0]
        owner[0] *= x[1]
        return np.sum(owner**2) + np.sum(part * np.cos(part))

    def judged(x):
        owner[...] = np.arange(12.0).reshape(3, 4)
        return f(x)

    owner[...] = np.arange(12.0).reshape(3, 4)
    gradient = cr.grad(f)(X[:2])
    after = owner.copy()
    np.testing.assert_allclose(gradient, numeric_gradient(judged, X[:2]), rtol=1e-6)
    judged(X[:2])
    np.testing.assert_array_equal(after, owner)


def test_memory_shared_in_a_way_no_view_describes_is_refused():
    z = np.ones(3, complex)
    real, windows = z.real, np.lib.stride_tricks.sliding_window_view(np.arange(5.0), 3)
    buffer = windows.base if type(windows.base) is np.ndarray else None

    def writes_part(x):
        real[0] = x[0]
        return np.sum(np.abs(z) ** 2)

    with pytest.raises(NonDifferentiableError, match="memory is also used"):
        cr.grad(writes_part)(X)
    np.testing.assert_allclose(
        cr.grad(lambda x: np.sum(np.abs(z + real) ** 2) * x[0])(X), [12.0, 0, 0]
    )
    assert buffer is None or not tracers_in(buffer)


def test_cells_written_by_siblings(code):
    result, state = code.accumulator()
    fresh, _ = code.accumulator()
    value, gradient = cr.value_and_grad(result)(X)
    assert value == fresh(X)
    np.testing.assert_allclose(gradient, 2 * (1 + 2 * X))
    total, calls = state()
    assert type(total) is np.ndarray and calls == 2
    np.testing.assert_allclose(total, X + X * X)
    assert not tracers_in(result) and not tracers_in(state)
    np.testing.assert_allclose(cr.grad(result)(X), 4 * (1 + 2 * X))


def test_array_in_a_cell_is_shared_by_the_functions_that_use_it(code):
    f, buffer = code.buffered()
    g, _ = code.buffered()
    value, gradient = cr.value_and_grad(f)(X)
    assert value == g(X)
    np.testing.assert_allclose(
        gradient, numeric_gradient(lambda x: code.buffered()[0](x), X), rtol=1e-7
    )
    np.testing.assert_allclose(buffer, [X[0], X[1] ** 2, 0.0])


def test_nothing_is_changed(code):
    f = code.workspace
    before = (f.__code__, f.__globals__, f.__defaults__, dict(f.__dict__))
    names = dict(vars(code))
    cr.grad(f)(X)
    cr.hessian(f)(X)
    after = (f.__code__, f.__globals__, f.__defaults__, dict(f.__dict__))
    assert all(a is b or a == b for a, b in zip(before, after))
    assert list(vars(code)) == list(names) and all(vars(code)[n] is v for n, v in names.items())
    assert np.zeros is code.np.zeros and math.sin(1.0) == code.np.sin(1.0)


def test_cells_and_defaults_are_as_before(code):
    buffer, default = np.zeros(3), np.ones(3)

    def f(x, c=default, *, k=default):
        buffer[0] = x[0]
        return (buffer * c * k).sum() + recursive(x, 3)

    def recursive(x, n):
        return 1.0 if n == 0 else x[1] * recursive(x, n - 1)

    cells = [c.cell_contents for c in f.__closure__]
    cr.grad(f)(X)
    assert all(c.cell_contents is old for c, old in zip(f.__closure__, cells))
    assert f.__defaults__[0] is default and f.__kwdefaults__["k"] is default
    assert buffer[0] == X[0]


def test_unlifted_readers_see_what_is_written():
    """A module that another function writes while lifted code runs is not seen stale."""
    namespace = {"np": np, "flag": 1.0}
    exec(
        "def read(x): return x.sum() * flag\ndef write(v):\n    global flag\n    flag = v",
        namespace,
    )
    read, write = namespace["read"], namespace["write"]

    def f(x):
        first = read(x)
        write(2.0)
        second = read(x)
        module_level_set(namespace, 5.0)
        return first + second + read(x)

    assert cr.grad(f)(X)[0] == 1.0 + 2.0 + 5.0
    assert namespace["flag"] == 5.0


module_level_set = lambda names, v: operator.setitem(names, "flag", v)


def test_module_attribute_set_inside(code):
    def f(x):
        a = code.count + 0.0
        code.count = 7
        return x[0] * (a + code.count) + code.counts(x)

    np.testing.assert_allclose(cr.grad(f)(X), [15.0, 8.0, 8.0])
    assert code.count == 8


# ---------------------------------------------------------------- functions of every origin


def test_code_without_source():
    namespace = {"np": np}
    exec("def f(x):\n    y = np.zeros(2)\n    y[0] = x[0]\n    return float(y.sum())**2", namespace)
    assert cr.grad(namespace["f"])(X)[0] == 2 * X[0]
    bare = eval("lambda x: (lambda y: y[0])([float(x[1])])", {})
    assert cr.grad(bare)(X)[1] == 1.0


def test_what_exec_assigns_does_not_reach_the_locals_of_a_function():
    def f(x):
        y = x * 2
        exec("y = 5.0")
        return np.sum(y) * eval("x[0]")

    value, slope = cr.value_and_grad(f)(X)
    np.testing.assert_allclose(value, f(X))
    np.testing.assert_allclose(slope, cr.numeric.gradient(f, X).value, rtol=1e-8)


@pytest.mark.skipif(sys.version_info < (3, 13), reason="these keywords are new in Python 3.13")
def test_eval_with_locals_by_keyword():
    np.testing.assert_array_equal(
        cr.grad(lambda x: eval("2 * float(y)", locals={"y": x[1]}))(X), [0, 2, 0]
    )


@pytest.mark.skipif(sys.version_info < (3, 12), reason="syntax of Python 3.12")
def test_names_in_type_parameters_and_annotations_of_a_class():
    namespace = {"np": np}
    exec(
        """
def f(x):
    class Model[T: (float, int)]:
        scale = float(x[0])
        type number = float
        bias = number.__value__(x[2])

        def at(self, v: T) -> T:
            return self.scale * float(v) + self.bias

    def twice[U](v: U) -> U:
        return 2 * float(v)

    return twice(Model().at(x[1]))
""",
        namespace,
    )
    np.testing.assert_allclose(cr.grad(namespace["f"])(X), [2 * X[1], 2 * X[0], 2])


def test_third_party_code_is_lifted_and_the_standard_library_is_not():
    from chainrule.core.lift_code import may_lift

    assert (
        may_lift("somebodys_package.module") and may_lift("__main__") and may_lift("sklearn.utils")
    )
    assert may_lift("scipy.optimize._x") and may_lift("")
    assert not any(
        map(may_lift, ["json", "os.path", "numpy", "scipy.special", "torch", "chainrule.core"])
    )


def test_callables_of_every_kind(code):
    class Model:
        scale = 2.0

        def __init__(self):
            self.seen = []

        def __call__(self, x):
            y = np.zeros(3)
            y[:] = x * self.scale
            self.seen.append(y)
            self.last = y.sum()
            return y.sum()

        def method(self, x):
            return float(x[0]) * self.scale

        @staticmethod
        def static(x):
            return math.sin(x[0])

        @classmethod
        def of_class(cls, x):
            return math.sin(x[0]) * cls.scale

    Model.__module__ = "user_code"
    model = Model()
    np.testing.assert_array_equal(cr.grad(model)(X), [2.0, 2, 2])
    assert type(model.seen[0]) is np.ndarray and type(model.last) is np.float64
    assert cr.grad(model.method)(X)[0] == 2.0
    assert cr.grad(Model.method, wrt="x")(model, X)[0] == 2.0
    assert cr.grad(Model.static)(X)[0] == math.cos(X[0])
    assert cr.grad(Model.of_class)(X)[0] == 2 * math.cos(X[0])
    scaled = functools.partial(lambda k, x: float(x[0]) * k, 3.0)
    assert cr.grad(scaled)(X)[0] == 3.0
    assert cr.grad(math.sin)(0.5) == math.cos(0.5)
    assert cr.grad(np.sum)(X)[0] == 1.0


def test_lift_by_hand():
    f = cr.lift(lambda v: math.sin(v))
    assert f(0.5) == math.sin(0.5)
    assert cr.grad(f)(0.5) == math.cos(0.5)
    assert cr.grad(lambda x: f(x) * x, lift=False)(0.5) == 0.5 * math.cos(0.5) + math.sin(0.5)


def test_without_a_live_trace_the_original_runs(code):
    assert type(code.plain_only(1.0)) is float
    cr.grad(lambda x: code.plain_only(2.0) * x)(1.0)
    assert type(code.plain_only(1.0)) is float
    born = []

    def f(x):
        def g(v):
            y = np.zeros(2)
            y[0] = v
            return float(y.sum())

        born.append(g)
        return g(x[0]) ** 2

    assert cr.grad(f)(X)[0] == 2 * X[0]
    (g,) = born
    assert g(3.0) == 3.0 and type(g(3.0)) is float
    assert cr.grad(lambda x: g(x) ** 2)(3.0) == 6.0  # born in an earlier trace, lifted again


def test_memoised_functions_keep_their_store(code):
    calls = []

    @functools.lru_cache
    def f(n, v):
        calls.append(n)
        return n * float(v)

    assert f(2, 3.0) == 6.0 and f(2, 3.0) == 6.0

    def g(x):
        return f(2, x) + f(2, x) + f(2, 3.0)

    assert cr.grad(g)(3.0) == 4.0
    assert f.cache_info().currsize == 1 and f(2, 3.0) == 6.0 and type(f(2, 3.0)) is float


# ---------------------------------------------------------------- levels


def test_derivatives_inside_lifted_code():
    def energy(q):
        y = np.zeros(2)
        y[0] = math.sin(q[0])
        y[1] = float(q[1]) ** 2
        return (y * y).sum() * constants[0]

    constants = np.array([0.5, 1.0])

    def force_norm(q):
        force = -cr.grad(energy)(q)
        work = np.zeros(2)
        work[:] = force
        return (work**2).sum()

    q = np.array([0.3, 0.8])
    np.testing.assert_allclose(cr.grad(force_norm)(q), numeric_gradient(force_norm, q), rtol=1e-6)
    H = cr.hessian(energy)(q)
    np.testing.assert_allclose(H, cr.jacobian(cr.grad(energy))(q), rtol=1e-12)
    np.testing.assert_allclose(cr.hvp(energy, q, np.ones(2)), H.sum(1), rtol=1e-12)
    np.testing.assert_allclose(
        cr.jvp(cr.grad(energy), (q,), (np.ones(2),))[1], H.sum(1), rtol=1e-12
    )
    third = cr.grad(lambda q: cr.grad(lambda p: cr.grad(energy)(p)[0])(q)[0])(q)
    numbers = numeric_gradient(lambda q: cr.hessian(energy)(q)[0, 0], q)
    np.testing.assert_allclose(third, numbers, rtol=1e-6, atol=1e-9)


def test_aux_vjp_and_value():
    def f(x):
        y = np.zeros(3)
        y[:] = x * x
        return float(y.sum()), {"y": y, "n": int(x[2]), "K": DATA}

    (_, aux), gradient = cr.value_and_grad(f, has_aux=True)(X)
    assert type(aux["y"]) is np.ndarray and aux["n"] == 2 and not tracers_in(aux)
    np.testing.assert_array_equal(aux["K"], DATA)
    np.testing.assert_allclose(gradient, 2 * X)
    y, pullback = cr.vjp(lambda x: np.array([math.sin(x[0]), x[1]]), X)
    assert type(y) is np.ndarray
    np.testing.assert_allclose(pullback(np.array([2.0, 3.0]))[0], [2 * math.cos(X[0]), 3.0, 0.0])


DATA = np.arange(3.0)


def test_workspace_written_by_an_inner_derivative_is_the_outer_ones_again(code):
    def outer(x):
        g = cr.grad(code.workspace)(x)
        code.work[0] = g[0] * x[1]
        return (g * g).sum() + code.work.sum()

    def judged(x):
        x = np.asarray(x)
        g = cr.grad(code.workspace)(x)
        return (g * g).sum() + g[0] * x[1] + x[1] + x[2] + x[0] * x[1]

    np.testing.assert_allclose(cr.grad(outer)(X), numeric_gradient(judged, X), rtol=1e-6)


def test_constant_changed_after_its_use_keeps_the_derivative_at_every_level():
    c = np.array([1.0, 2.0, 3.0])

    def f(x):
        c[:] = [1.0, 2.0, 3.0]
        y = x * c + c[:2].sum() * x * x
        c[:] = 100.0
        return y.sum()

    want = np.array([1.0, 2.0, 3.0]) + 6 * X
    np.testing.assert_array_equal(cr.grad(f)(X), want)
    np.testing.assert_array_equal(cr.hessian(f)(X), np.eye(3) * 6)
    np.testing.assert_array_equal(cr.jvp(f, (X,), (np.ones(3),))[1], want.sum())
    np.testing.assert_array_equal(cr.jacobian(cr.grad(f))(X), np.eye(3) * 6)
    (value, _), gradient = cr.value_and_grad(lambda x: (cr.grad(f)(x).sum(), 0), has_aux=True)(X)
    np.testing.assert_array_equal(gradient, np.full(3, 6.0))
    assert value == want.sum()


# ---------------------------------------------------------------- threads and memory


def test_other_threads_see_the_originals(code):
    seen, go, done = [], threading.Event(), threading.Event()

    def other():
        go.wait(5)
        seen.append((code.plain_only(1.0), type(np.zeros(2)), code.counts(np.ones(1))))
        done.set()

    thread = threading.Thread(target=other)
    thread.start()

    def f(x):
        y = code.workspace(x)
        go.set()
        done.wait(5)
        return y

    cr.grad(f)(X)
    thread.join()
    ((value, kind, counted),) = seen
    assert type(value) is float and kind is np.ndarray and type(counted) is np.float64


def test_two_threads_differentiate_at_once(code):
    results = {}

    def work(k):
        for _ in range(20):
            results[k] = cr.grad(plain.zeros_then_assignment)(X * k)

    threads = [threading.Thread(target=work, args=(k,)) for k in (1, 2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for k, g in results.items():
        np.testing.assert_array_equal(g, cr.grad(plain.zeros_then_assignment)(X * k))


@pytest.mark.parametrize(
    "transform", [cr.grad, cr.value_and_grad, cr.hessian, lambda f: lambda x: cr.vjp(f, x)[1](1.0)]
)
def test_the_tape_is_freed_without_the_collector(code, transform):
    alive = []

    def watched(x):
        y = np.exp(x)
        alive.append(weakref.ref(trace.plain(y)))
        return np.sum(y)

    def recursive(x, n):
        return 1.0 if n == 0 else x[0] * recursive(x, n - 1)

    def f(x):
        def inner(n):
            return x[0] if n == 0 else inner(n - 1) * x[1]

        code.remembers(x)
        y = np.zeros(3)
        y[:] = np.exp(x)
        return inner(3) + recursive(x, 2) + y.sum() + watched(x) + code.workspace(x)

    gc.collect()
    gc.disable()
    try:
        transform(f)(X)
        assert alive and all(ref() is None for ref in alive)
    finally:
        gc.enable()


# ---------------------------------------------------------------- refusals


def refused(f, *parts, error=NonDifferentiableError):
    """The message of the refusal, which names the user's line."""
    with pytest.raises(error) as e:
        cr.grad(f)(X)
    text = str(e.value)
    assert "test_lift.py:" in text or "stateful.py:" in text or "plain.py:" in text, text
    for part in parts:
        assert part in text, text
    return text


def test_refusals_name_the_line_and_the_remedy():
    refused(lambda x: x.astype(object)[0] * 2, "x.astype(object)[0]", "chainrule.constant")
    refused(lambda x: pickle.loads(pickle.dumps(x)).sum(), "pickl", "chainrule.constant")
    refused(lambda x: x.sum() + struct.unpack("d", struct.pack("d", x[0]))[0], "struct.pack")
    refused(lambda x: np.random.default_rng(0).gamma(x[0]) * x[0], "gamma", "constant")
    refused(stores_in_integers, "INTEGERS[0]")
    refused(lambda x: np.exp([x[0], x[1]]).sum(), "np.exp")


INTEGERS = np.zeros(3, int)


def stores_in_integers(x):
    INTEGERS[0] = x[0]
    return INTEGERS[0] + x[0]


def test_swallowed_refusal_is_raised_at_the_end(code):
    text = refused(code.swallows, "astype(object)")
    assert "stateful.py" in text

    def other_error(x):
        try:
            x.astype(object)
        except TypeError:
            raise KeyError("mine") from None

    with pytest.raises(NonDifferentiableError) as e:
        cr.grad(other_error)(X)
    assert isinstance(e.value.__cause__, KeyError)


def test_errors_of_numpy_and_python_are_their_own(code):
    with pytest.raises(IndexError, match="out of bounds"):
        cr.grad(lambda x: np.zeros(2)[5] * x[0])(X)
    with pytest.raises(ValueError, match="broadcast"):
        cr.grad(lambda x: (np.ones(4) + x).sum())(X)
    with pytest.raises(TypeError, match=r"only 0-dimensional|only length-1|scalar"):
        cr.grad(lambda x: float(x))(X)
    with pytest.raises(ValueError, match="inhomogeneous"):
        cr.grad(lambda x: np.array([x[0], [1.0, x[1]]]).sum())(X)
    with pytest.raises(NameError, match="undefined_name"):
        cr.grad(lambda x: undefined_name * x)(X)  # noqa: F821
    with pytest.raises(AttributeError, match="no_such"):
        cr.grad(lambda x: np.no_such(x))(X)
    frozen = np.zeros(3)
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        cr.grad(lambda x: frozen.__setitem__(0, x[0]))(X)
    with pytest.raises(ValueError, match=r"math domain|nonnegative|positive"):
        cr.grad(lambda x: math.log(-x[0]))(X)
