"""Traces: levels, escaped values, threads, memory, long tapes, captured arrays, the door."""

import copy
import gc
import pickle
import threading
import time
import tracemalloc
import warnings
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import chainrule as cr
from chainrule.base.errors import (
    ArgumentError,
    IndependentOutputWarning,
    LeakedTracerError,
    MismatchError,
    NonDifferentiableError,
    NonFiniteGradientWarning,
    NotScalarError,
)
from chainrule.core.trace import Recording, Tracer, current
from chainrule.transforms.door import enter
from tests.helpers import numeric_gradient

X = np.array([0.5, -1.2, 2.0])


# ---------------------------------------------------------------- levels


def test_inner_derivative_of_outer_variable_is_zero():
    """d/dx (x d/dy (x + y)) = 1, and not 2: the classic perturbation confusion."""
    assert cr.grad(lambda x: x * cr.grad(lambda y: x + y)(1.0))(1.0) == 1.0
    assert (
        cr.jvp(lambda x: x * cr.jvp(lambda y: x + y, (1.0,), (1.0,))[1], (1.0,), (1.0,))[1] == 1.0
    )


@pytest.mark.parametrize("outer", ["grad", "jvp"])
@pytest.mark.parametrize("inner", ["grad", "jvp"])
def test_nested_derivatives_of_a_product(outer, inner):
    def d(kind, f, x):
        return cr.grad(f)(x) if kind == "grad" else cr.jvp(f, (x,), (1.0,))[1]

    # d/dx [x d/dy (x y^2)] = d/dx [2 x^2 y] = 4 x y
    assert d(outer, lambda x: x * d(inner, lambda y: x * y * y, 3.0), 2.0) == 24.0
    # the inner variable is the outer one: d/dx [x d/dx x^3] = 9 x^2
    assert d(outer, lambda x: x * d(inner, lambda y: y * y * y, x), 2.0) == 36.0


def test_third_derivative_in_every_nesting():
    def f(x):
        return np.sin(x) * x

    want = 0.7 * -np.cos(0.7) - 3 * np.sin(0.7)

    def d(kind, g):
        return cr.grad(g) if kind else lambda x: cr.jvp(g, (x,), (1.0,))[1]

    for a in (0, 1):
        for b in (0, 1):
            for c in (0, 1):
                got = d(a, d(b, d(c, f)))(0.7)
                assert np.isclose(got, want, rtol=1e-13), (a, b, c, got, want)


def test_outer_variable_written_into_inner_array():
    def f(x):
        def g(y):
            z = y * y
            z[0] = x[1] * y[2]
            z[1:] *= x[:2]
            return np.sum(z * z)

        return np.sum(cr.grad(g)(x * 2.0) * x)

    assert np.allclose(cr.grad(f)(X), numeric_gradient(f, X), rtol=1e-7)


def test_inner_function_writes_into_outer_array():
    def f(x):
        work = np.zeros_like(x)

        def g(y):
            work[0] = x[0] * x[1]
            work[2] += 1.0
            return np.sum(work * y * y)

        return np.sum(cr.grad(g)(x) * x) + np.sum(work * x)

    assert np.allclose(cr.grad(f)(X), numeric_gradient(f, X), rtol=1e-7)


def test_gradient_of_gradient_with_constants_of_both_levels():
    def f(x):
        h = cr.grad(lambda y: np.sum(np.exp(x * y) * X))(x * x)
        return np.sum(h * h)

    assert np.allclose(cr.grad(f)(X / 2), numeric_gradient(f, X / 2), rtol=1e-6)


def test_vjp_inside_grad():
    def f(x):
        y, pullback = cr.vjp(lambda z: z * z * x, x)
        (bar,) = pullback(x)
        return np.sum(bar * y)

    assert np.allclose(cr.grad(f)(X), numeric_gradient(f, X), rtol=1e-7)


def test_pullback_used_after_its_outer_trace_opened():
    _, pullback = cr.vjp(lambda z: z * z * z, X)

    def f(g):
        return np.sum(pullback(g)[0] * g)

    assert np.allclose(cr.grad(f)(X), numeric_gradient(f, X), rtol=1e-7)


def test_no_trace_is_live_afterwards():
    cr.grad(lambda x: x * x)(1.0)
    assert current() is None
    with pytest.raises(ZeroDivisionError):
        cr.grad(lambda x: 1 // 0)(1.0)
    assert current() is None
    cr.jvp(lambda x: x, (1.0,), (1.0,))
    assert current() is None


# ---------------------------------------------------------------- escaped values


def _escaped(make=lambda x: x * x):
    kept = []

    def f(x):
        kept.append(make(x))
        return np.sum(x * x)

    cr.grad(f, lift=False)(X)
    return kept[0]


def test_escaped_value_is_plain_outside():
    y = _escaped()
    assert isinstance(y, Tracer)
    total = y + 1
    assert type(total) is np.ndarray and np.array_equal(total, X * X + 1)
    assert np.array_equal(np.sin(y), np.sin(X * X))
    assert np.array_equal(np.asarray(y), X * X)
    assert float(y[0]) == 0.25
    assert np.array_equal(y[1:], (X * X)[1:])
    assert y.tolist() == (X * X).tolist()
    assert np.array_equal(np.array([y, y]), [X * X, X * X])


def test_escaped_value_may_be_written_outside():
    y = _escaped()
    v = y[1:]
    y[1] = 7.0
    y += 1.0
    v *= 2.0
    assert np.array_equal(np.asarray(y), [1.25, 16.0, 10.0])


def test_escaped_scalar_is_plain_outside():
    s = _escaped(lambda x: np.sum(x))
    assert s + 1 == X.sum() + 1 and float(s) == X.sum() and f"{s:.2f}" == "1.30"


def test_escaped_value_may_be_an_argument_again():
    y = _escaped()
    assert np.array_equal(cr.grad(lambda x: np.sum(x * x))(y), 2 * X * X)


@pytest.mark.parametrize(
    "use",
    [
        lambda x, y: x * y,
        lambda x, y: y * x,
        lambda x, y: y + 1,
        lambda x, y: np.sin(y) * x,
        lambda x, y: y[0] * x,
        lambda x, y: x.__setitem__(0, y[0]) or x,
        lambda x, y: y.__setitem__(0, x[0]) or x,
        lambda x, y: y.__setitem__(0, 1.0) or x,
        lambda x, y: y.__iadd__(1.0) * x,
    ],
)
@pytest.mark.parametrize("mode", ["grad", "jvp"])
def test_escaped_value_inside_another_trace_is_refused(use, mode):
    y = _escaped()

    def f(x):
        return np.sum(use(x * 1.0, y))  # the line to be named

    with pytest.raises(LeakedTracerError, match="after its trace had ended") as e:
        cr.grad(f)(X) if mode == "grad" else cr.jvp(f, (X,), (X,))
    assert "test_trace.py" in str(e.value) and "lambda x, y" in e.value.at.text


def test_nothing_of_the_trace_comes_out():
    def f(x):
        y = x * x
        return {"a": y, "b": [y[0], y.sum(), y[1:], 3, "text"], "c": (y.T, np.float32(1))}

    y, _ = cr.vjp(f, X)
    leaves = [y["a"], *y["b"], *y["c"]]
    assert not any(isinstance(v, Tracer) for v in leaves)
    _, dy = cr.jvp(f, (X,), (X,))
    assert not any(isinstance(v, Tracer) for v in [dy["a"], *dy["b"], *dy["c"]])
    (value, aux), g = cr.value_and_grad(lambda x: (np.sum(x), {"y": x * x}), has_aux=True)(X)
    assert type(aux["y"]) is np.ndarray and type(value) is np.float64 and type(g) is np.ndarray


# ---------------------------------------------------------------- threads


def test_open_trace_is_refused_in_another_thread():
    errors = []

    def f(x):
        def work():
            try:
                x * x
            except LeakedTracerError as e:
                errors.append(e)

        def write():
            try:
                x[0] = 1.0
            except LeakedTracerError as e:
                errors.append(e)

        for target in (work, write):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
        return np.sum(x * x)

    with pytest.raises(LeakedTracerError, match="another thread") as e:
        cr.grad(f)(X)  # the threads swallowed it
    assert len(errors) == 2 and e.value is errors[0]


def test_threads_with_their_own_traces():
    def job(k):
        def f(x):
            y = x * k
            for _ in range(50):
                y = np.sin(y) + x
                time.sleep(0)
            return np.sum(y)

        return cr.grad(f)(X)

    with ThreadPoolExecutor(4) as pool:
        parallel = list(pool.map(job, range(12)))
    for k, got in enumerate(parallel):
        assert np.array_equal(got, job(k))


def test_thread_started_inside_a_trace_may_differentiate_for_itself():
    seen = []

    def f(x):
        thread = threading.Thread(target=lambda: seen.append(cr.grad(lambda z: np.sum(z * z))(X)))
        thread.start()
        thread.join()
        return np.sum(x)

    cr.grad(f)(X)
    assert np.array_equal(seen[0], 2 * X)


# ---------------------------------------------------------------- captured arrays


def test_constant_changed_between_forward_and_backward():
    c = np.array([1.0, 2.0, 3.0])
    _, pullback = cr.vjp(lambda x: x * c, X)
    c[:] = 100.0
    assert pullback(np.ones(3))[0].tolist() == [1.0, 2.0, 3.0]


def test_argument_changed_between_forward_and_backward():
    x = X.copy()
    _, pullback = cr.vjp(lambda x: np.sin(x) * x[::-1], x)
    want = pullback(np.ones(3))[0]
    x[:] = 100.0
    assert np.array_equal(pullback(np.ones(3))[0], want)


def test_argument_changed_by_the_function_under_another_name():
    a = X.copy()

    def f(x):
        y = x * x
        a.__iadd__(100.0)
        return np.sum(y)

    assert np.array_equal(cr.grad(f, lift=False)(a), 2 * X)
    assert np.array_equal(a, X + 100.0)
    with pytest.raises(cr.NonDifferentiableError, match="under another name"):
        cr.grad(f)(a)  # x would have changed too: had it been read again, with another value


def test_argument_written_onto_itself_under_another_name():
    a = X.copy()

    def f(x):
        a[:] = x
        return np.sum(a * x)

    assert np.array_equal(cr.grad(f)(a), 2 * X)


def test_one_array_as_two_arguments_is_refused_when_written():
    a = X.copy()

    def f(x, y):
        x *= 2
        return np.sum(x * y)

    for wrt in (0, 1, (0, 1)):
        b = a.copy()
        with pytest.raises(cr.NonDifferentiableError, match="another argument"):
            cr.grad(f, wrt=wrt)(b, b)
    assert np.array_equal(cr.grad(lambda x, y: np.sum(x * y))(a, a), X)
    parts = np.arange(6.0)
    assert np.array_equal(cr.grad(f)(parts[:3], parts[3:]), 2 * parts[3:])


def test_value_changed_between_forward_and_backward():
    y, pullback = cr.vjp(np.exp, X)
    want = np.exp(X)
    y[:] = 0.0
    assert np.array_equal(pullback(np.ones(3))[0], want)


def test_view_of_constant_changed_between_forward_and_backward():
    c = np.ones((3, 3))
    row = c[1]
    _, pullback = cr.vjp(lambda x: x * row, X)
    c[:] = 100.0
    assert pullback(np.ones(3))[0].tolist() == [1.0, 1.0, 1.0]


def test_index_array_changed_between_forward_and_backward():
    i, j = np.array([0, 2]), np.array([1, 1])

    def f(x):
        y = x * x
        y[j] = x[i]
        return y[i] + x[(i,)]

    _, pullback = cr.vjp(f, X)
    want = pullback(np.ones(2))[0]
    i[:] = 1
    j[:] = 0
    assert np.array_equal(pullback(np.ones(2))[0], want)


def test_index_list_changed_between_forward_and_backward():
    i = [0, 2]
    _, pullback = cr.vjp(lambda x: x[i] + x[(i,)], X)
    i[0] = 1
    assert pullback(np.ones(2))[0].tolist() == [2.0, 0.0, 2.0]


def test_condition_changed_between_forward_and_backward():
    condition = np.array([True, False, True])
    _, pullback = cr.vjp(lambda x: np.where(condition, x, 0.0) + x[condition].sum(), X)
    condition[:] = False
    assert pullback(np.ones(3))[0].tolist() == [4.0, 0.0, 4.0]


def test_where_keyword_changed_between_forward_and_backward():
    mask = np.array([True, False, True])
    _, pullback = cr.vjp(lambda x: np.sum(x, where=mask), X)
    mask[:] = True
    assert pullback(1.0)[0].tolist() == [1.0, 0.0, 1.0]


# ---------------------------------------------------------------- what pullbacks return


def test_pullback_twice():
    _, pullback = cr.vjp(lambda x: x[1:] * x[:-1] + x[1:], X)
    first = pullback(np.ones(2))[0].copy()
    assert np.array_equal(pullback(np.ones(2))[0], first)
    assert np.array_equal(pullback(2 * np.ones(2))[0], 2 * first)


def test_changing_a_cotangent_that_was_returned_changes_nothing_else():
    def f(x, y):
        z = x * 1.0
        z[0] = 0.0
        return x + y, z, x[1:], y.T

    _, pullback = cr.vjp(f, X, X * 2)
    g = (np.ones(3), np.ones(3), np.ones(2), np.ones(3))
    first = pullback(g)
    want = [b.copy() for b in first]
    assert not np.may_share_memory(*first)
    for b in first:
        b[:] = 99.0
    assert all(np.array_equal(a, b) for a, b in zip(pullback(g), want))
    assert all((part == 1).all() for part in g)


@pytest.mark.parametrize(
    "f", [lambda x, y: x + y, lambda x, y: (x, y), lambda x, y: (x, x), lambda x, y: x - y.T]
)
def test_cotangents_are_arrays_of_their_own(f):
    """Not the one given, not each other, not read-only, although the sweep only hands it on."""
    y, pullback = cr.vjp(f, X, X * 2)
    g = (np.ones(3), np.ones(3)) if isinstance(y, tuple) else np.ones(3)
    a, b = pullback(g)
    assert not np.may_share_memory(a, b)
    assert not any(
        np.may_share_memory(bar, part) for bar in (a, b) for part in g if isinstance(g, tuple)
    )
    assert not isinstance(g, np.ndarray) or not (
        np.may_share_memory(a, g) or np.may_share_memory(b, g)
    )
    assert a.flags.writeable and b.flags.writeable


@pytest.mark.parametrize(
    "f",
    [
        lambda a, b: (a + b) + np.sin(a),
        lambda a, b: np.sin(a) + (a + b),
        lambda a, b: (a + b) + (a + np.sin(a) - a) + (b - b),
    ],
)
def test_a_cotangent_that_goes_several_ways_is_added_to_on_one_of_them_only(f):
    g = np.array([1.0, 2.0, 3.0])
    a_bar, b_bar = cr.vjp(f, X, 2 * X)[1](g)
    np.testing.assert_allclose(a_bar, g * (1 + np.cos(X)), rtol=1e-15)
    np.testing.assert_array_equal(b_bar, g)
    np.testing.assert_array_equal(g, [1.0, 2.0, 3.0])


def test_tangent_given_is_not_shared_with_what_comes_back():
    t = np.ones(3)

    def f(x):
        x[0] = 5.0
        return x

    x = X.copy()
    y, dy = cr.jvp(f, (x,), (t,))
    assert dy.tolist() == [0.0, 1.0, 1.0] and t.tolist() == [1.0, 1.0, 1.0]
    assert np.array_equal(x, X) and not np.may_share_memory(y, x)
    y, dy = cr.jvp(lambda x: x, (x,), (t,))
    dy[:] = 9.0
    y[:] = 9.0
    assert t.tolist() == [1.0, 1.0, 1.0] and np.array_equal(x, X)


def test_gradient_of_broadcast_sum_is_writable():
    g = cr.grad(np.sum)(X)
    g[0] = 5.0
    assert g.tolist() == [5.0, 1.0, 1.0]


# ---------------------------------------------------------------- memory


class Sentinel(np.ndarray):
    """An array that can be watched."""


def test_tape_is_freed_without_the_cyclic_collector():
    watched = []

    def f(x):
        y = np.sin(x) * x
        y[0] = x[1]
        v = y[1:]
        v += np.exp(v)
        for z in (x, y, v, np.sum(v)):
            watched.append(weakref.ref(z))
        watched.append(weakref.ref(y._value))
        watched.append(weakref.ref(x._trace.program.plans.__class__))
        return np.sum(y * y) + np.sum(v)

    gc.collect()
    gc.disable()
    try:
        for run in (
            lambda: cr.grad(f)(X),
            lambda: cr.value_and_grad(f)(X),
            lambda: cr.vjp(f, X)[1](1.0),
        ):
            watched.clear()
            run()
            alive = [r for r in watched if r() is not None and not isinstance(r(), type)]
            assert not alive, f"alive after the gradient: {[type(r()) for r in alive]}"
    finally:
        gc.enable()


def test_repeated_gradients_do_not_grow_memory():
    def f(x):
        y = x * 1.0
        for i in range(3):
            y[i] = np.sin(y[i - 1]) * x[i]
        return np.sum(y * np.tanh(y)) + cr.grad(lambda z: np.sum(z * z * x))(x).sum()

    gradient, big = cr.grad(f), np.ones(3)
    gradient(big)
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        for _ in range(20):
            gradient(big)
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(100):
            gradient(big)
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
        gc.enable()
    kept = (after - before) / 100  # Python's free lists of tuples grow slowly; a tape has 5 kB
    assert kept < 300, f"{kept} bytes kept by a gradient"


def test_pullback_frees_its_tape_when_dropped():
    watched = []

    def f(x):
        y = np.exp(x)
        watched.append(weakref.ref(y))
        return y * y

    gc.disable()
    try:
        _, pullback = cr.vjp(f, X)
        pullback(np.ones(3))
        del pullback, _
        assert watched[0]() is None
    finally:
        gc.enable()


def test_forward_mode_keeps_nothing():
    alive = []

    def f(x):
        y = x
        refs = []
        for _ in range(20):
            y = np.sin(y)
            refs.append(weakref.ref(y))
        alive.append(sum(r() is not None for r in refs))
        return y

    cr.jvp(f, (X,), (X,))
    assert alive == [1]


@pytest.mark.slow
def test_a_million_equations():
    """No recursion, and linear in time: anything else would not end."""

    def f(x):
        y = x
        for _ in range(500_000):
            y = y * 0.999999 + x
        return y

    g = cr.grad(f)(0.5)
    k = np.arange(500_001)
    assert np.isclose(g, np.sum(0.999999**k), rtol=1e-9)


def test_a_deep_chain_needs_no_recursion():
    def f(x):
        y = x
        for _ in range(20_000):
            y = np.sin(y)
        return y

    assert np.isfinite(cr.grad(f)(1.0))
    assert np.isfinite(cr.jvp(f, (1.0,), (1.0,))[1])


# ---------------------------------------------------------------- floating-point errors


def test_forward_warnings_are_numpys():
    def f(x):
        return np.sum(np.where(x > 0, np.log(x), x))

    with warnings.catch_warnings(record=True) as plain:
        warnings.simplefilter("always")
        f(X)
    with warnings.catch_warnings(record=True) as traced:
        warnings.simplefilter("always")
        cr.grad(f)(X)
    assert [str(w.message) for w in traced] == [str(w.message) for w in plain]
    assert len(plain) == 1


def test_backward_sweep_adds_no_warnings():
    x = np.array([1e-320, 1.0, 750.0, 0.0])

    def f(x):
        return np.sum(np.where(x > 0.5, x * x, np.arctan2(x, 0.0) * np.hypot(x, 0.0)))

    with np.errstate(all="raise", under="ignore"):
        assert np.isfinite(cr.grad(f)(x)).all()
        assert np.isfinite(cr.jvp(f, (x,), (np.ones(4),))[1])


def test_errstate_raise_is_respected_in_the_function():
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        cr.grad(lambda x: np.sum(1 / x))(np.array([0.0, 1.0]))


def test_infinite_gradient_warns_as_errstate_says():
    zero = np.array([0.0, 4.0])
    with pytest.warns(NonFiniteGradientWarning, match=r"(?s)not.*finite|inf"):
        g = cr.grad(lambda x: np.sum(np.sqrt(x)))(zero)
    assert g.tolist() == [np.inf, 0.25]
    with np.errstate(divide="ignore"):
        assert cr.grad(lambda x: np.sum(np.sqrt(x)))(zero).tolist() == [np.inf, 0.25]
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        cr.grad(lambda x: np.sum(np.sqrt(x)))(zero)


@pytest.mark.parametrize("x", [1.0, 4.0])
def test_nan_of_the_branch_not_taken_stays_there(x):
    def f(x):
        with np.errstate(all="ignore"):
            return np.sum(np.where(x > 0, np.sqrt(x), np.log(-x) / (x - 1.0) ** 0.5))

    x = np.array([x, 2.0])
    want = 0.5 / np.sqrt(x)
    assert np.allclose(cr.grad(f)(x), want)
    assert np.allclose(cr.jvp(f, (x,), (np.ones(2),))[1], want.sum())
    curve = cr.jvp(cr.grad(f), (x,), (np.ones(2),))[1]
    assert np.allclose(curve, -0.25 * x**-1.5)
    twice = cr.grad(lambda x: cr.grad(f)(x).sum())(x)
    assert np.allclose(twice, -0.25 * x**-1.5)


def test_infinite_slope_of_the_branch_not_taken_stays_there():
    def f(x):
        return np.sum(np.where(x > 1, np.sqrt(x), x * x))

    x = np.array([0.0, 4.0])
    assert cr.grad(f)(x).tolist() == [0.0, 0.25]
    assert cr.jvp(f, (x,), (np.ones(2),))[1] == 0.25


# ---------------------------------------------------------------- the door


def cube(x):
    return np.sum(x**3)


def test_grad_can_be_pickled_and_copied():
    g = cr.grad(cube)
    for other in (pickle.loads(pickle.dumps(g)), copy.copy(g), copy.deepcopy(g)):
        assert np.array_equal(other(X), g(X))
    nested = pickle.loads(pickle.dumps(cr.grad(cr.grad(np.sin))))
    assert np.isclose(nested(1.0), -np.sin(1.0))
    (value, gradient) = pickle.loads(pickle.dumps(cr.value_and_grad(cube, wrt="x")))(X)
    assert np.array_equal(gradient, g(X)) and value == cube(X)


def test_grad_of_a_method():
    class Model:
        k = 3.0

        def loss(self, x):
            return np.sum(self.k * x * x)

        slope = cr.grad(loss, wrt="x")

    assert np.array_equal(cr.grad(Model().loss)(X), 6 * X)
    assert np.array_equal(Model().slope(X), 6 * X)


def test_output_that_does_not_use_the_input():
    def f(x):
        return np.sum(X)

    with pytest.warns(IndependentOutputWarning, match="does not use the differentiated argument"):
        g = cr.grad(f)(X)
    assert g.tolist() == [0.0, 0.0, 0.0]


def test_output_that_lost_the_input_names_the_last_line_that_had_it():
    def f(x):
        y = x * x
        y[:] = np.floor(y)  # nothing is differentiable after this line
        return np.sum(np.ones(3)) + float(len(y))

    with pytest.warns(IndependentOutputWarning, match=r"y\[:\] = np.floor\(y\)|y = x \* x"):
        assert cr.grad(f)(X).tolist() == [0.0, 0.0, 0.0]


def test_argument_that_is_not_used_has_zeros():
    gx, gy = cr.grad(lambda x, y: np.sum(x), wrt=(0, 1))(X, np.ones((2, 2)))
    assert gx.tolist() == [1.0] * 3 and gy.tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_output_overwritten_by_constants():
    def f(x):
        y = x * x
        y[:] = 1.0
        return y.sum()

    assert cr.grad(f)(X).tolist() == [0.0] * 3


@pytest.mark.parametrize(
    ("f", "what"),
    [
        (lambda x: x * x, r"an array of shape \(3,\)"),
        (lambda x: (x[0], x[1]), "a tuple of 2"),
        (lambda x: None, "None"),
        (lambda x: "text", "a str"),
        (lambda x: [x[0]], "a list of 1"),
    ],
)
def test_value_that_is_no_scalar(f, what):
    with pytest.raises(NotScalarError, match=what) as e:
        cr.grad(f)(X)
    assert "jacobian" in str(e.value)


def test_zero_dimensional_value_is_a_scalar():
    assert cr.grad(lambda x: x)(np.array(2.0)) == 1.0
    assert cr.grad(lambda x: x.sum(keepdims=True).reshape(()))(X).tolist() == [1.0] * 3


def test_complex_value_is_refused():
    with pytest.raises(NotScalarError, match="complex"):
        cr.grad(lambda z: z * z)(1 + 2j)


@pytest.mark.parametrize("bad", ["text", np.array(["a"]), object(), True, np.array([True])])
def test_argument_that_cannot_be_differentiated(bad):
    with pytest.raises(ArgumentError, match=r"cannot differentiate|nothing|no numbers"):
        cr.grad(lambda x: np.sum(X))(bad)


def test_argument_inside_a_tree_is_named():
    with pytest.raises(ArgumentError, match=r"p\['name'\]"):
        cr.grad(lambda p: p["w"] * 2)({"w": 1.0, "name": "text"})


@pytest.mark.parametrize("wrt", [3, "z", -4, (0, 7), ("x", "z"), 1.5, None])
def test_wrong_wrt(wrt):
    with pytest.raises(ArgumentError):
        cr.grad(lambda x, y: x * y, wrt=wrt)(1.0, 2.0)


def test_wrt_by_position_name_and_tuple():
    f = lambda x, y, *, k=2.0: x * y * y * k
    assert cr.grad(f)(3.0, 4.0) == 32.0
    assert cr.grad(f, wrt="y")(3.0, y=4.0) == 48.0
    assert cr.grad(f, wrt=("y", 0))(3.0, 4.0) == (48.0, 32.0)
    assert cr.grad(f, argnums=1)(3.0, 4.0) == 48.0
    assert cr.grad(f, wrt="k")(3.0, 4.0, k=1.0) == 48.0


def test_integers_are_read_as_floats():
    assert cr.grad(lambda x: x * x)(3) == 6.0
    assert cr.grad(lambda x: np.sum(x * x))(np.array([1, 2])).tolist() == [2.0, 4.0]


def test_trees_in_trees_out():
    p = {"w": np.ones((2, 2)), "b": [1.0, np.float32(2.0)], "n": None}
    g = cr.grad(lambda p: np.sum(p["w"] * p["b"][0]) + p["b"][1] ** 2)(p)
    assert g["w"].tolist() == [[1.0, 1.0], [1.0, 1.0]] and g["b"][0] == 4.0 and g["n"] is None
    assert g["b"][1] == 4.0 and g["b"][1].dtype == np.float32


def test_cotangent_and_tangent_of_a_wrong_shape():
    _, pullback = cr.vjp(lambda x: x * x, X)
    with pytest.raises(MismatchError, match=r"\(2,\).*\(3,\)"):
        pullback(np.ones(2))
    with pytest.raises(MismatchError):
        pullback((np.ones(3), np.ones(3)))
    with pytest.raises(MismatchError, match="tangent"):
        cr.jvp(np.sin, (X,), (np.ones(2),))
    with pytest.raises(MismatchError):
        cr.jvp(np.sin, (X,), (X, X))


def test_aux_must_be_a_pair():
    with pytest.raises(MismatchError, match="value, aux"):
        cr.value_and_grad(lambda x: np.sum(x), has_aux=True)(X)


def test_conversions_that_would_drop_the_derivative_are_refused():
    for convert in (float, complex, np.asarray, np.array, lambda x: x.tobytes()):
        with pytest.raises(NonDifferentiableError) as e:
            cr.grad(lambda x, convert=convert: convert(x[0]) * 2.0, lift=False)(X)
        assert "constant" in str(e.value)


def test_item_and_tolist_carry_the_derivative_as_they_are_methods():
    for lift in (True, False):
        g = cr.grad(lambda x: x[0].item() * 2.0 + x.tolist()[1] ** 2, lift=lift)(X)
        assert g.tolist() == [2.0, 2 * X[1], 0.0]


def test_functions_run_once_and_side_effects_are_real():
    log = []

    def f(x, workspace):
        log.append(float(len(x)))
        workspace[0] += 1
        return np.sum(x * x)

    workspace = np.zeros(2)
    cr.grad(f)(X, workspace)
    assert log == [3.0] and workspace.tolist() == [1.0, 0.0]


def test_error_of_the_function_is_its_own():
    def f(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        cr.grad(f)(X)


# ---------------------------------------------------------------- programs


def test_program_is_valid_and_names_lines():
    def f(x):
        y = np.sin(x)
        y[0] = x[1]
        return np.sum(y * y)

    with Recording() as trace:
        f(*enter(trace, f, (X,), {}, 0).args)
    program = trace.program.verify()
    lines = [program.line(i).text for i in range(len(program))]
    assert lines[0] == "y = np.sin(x)" and lines[-1] == "return np.sum(y * y)"
    assert "y[0] = x[1]" in lines


def test_an_object_as_result_is_refused():
    class Result:
        def __init__(self, x):
            self.x = x

    for derive in (
        lambda f: cr.vjp(f, X),
        lambda f: cr.jvp(f, (X,), (X,)),
        lambda f: cr.jacobian(f)(X),
    ):
        with pytest.raises(cr.ArgumentError, match="class Result"):
            derive(lambda x: Result(x * 2))
    assert cr.vjp(lambda x: (x * 2, "name", True, None), X)[0][1:] == ("name", True, None)
