"""Objects of user classes are differentiated as they stand, and hold nothing of ours afterwards."""

import gc
import threading
import types
import weakref

import numpy as np
import pytest

import chainrule as cr
from chainrule.core.lift_objects import StandIn
from chainrule.core.lift_views import is_view
from chainrule.core.trace import Tracer
from tests.helpers import numeric_gradient, slope
from tests.lifting import objects

X = np.array([0.6, 1.3, 2.2])
CASES = {
    name: f
    for name, f in vars(objects).items()
    if isinstance(f, types.FunctionType)
    and f.__module__ == objects.__name__
    and f.__code__.co_varnames[:1] == ("x",)
    and name != "with_model"
}


@pytest.mark.parametrize("name", CASES)
def test_value_and_derivatives(name):
    """Value, gradient, tangent and two second derivatives, against numbers."""
    f = CASES[name]
    want = f(X.copy())
    value, gradient = cr.value_and_grad(f)(X)
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
    assert not ours_in(vars(objects))


def ours_in(place, seen=None):
    """Handles, views and stand-ins that can be reached from here."""
    seen = {} if seen is None else seen
    if id(place) in seen:
        return []
    seen[id(place)] = place
    if isinstance(place, Tracer) or is_view(place) or type(place) is StandIn:
        return [place]
    if isinstance(place, dict):
        parts = [*place, *place.values()]
    elif isinstance(place, (list, tuple, set)):
        parts = list(place)
    elif isinstance(place, types.MethodType):
        parts = [place.__func__, place.__self__]
    elif isinstance(place, type) and place.__module__ == objects.__name__:
        parts = [*vars(place).values(), *place.__subclasses__()]
    elif type(place).__module__ == objects.__name__:
        parts = list(getattr(place, "__dict__", {}).values())
        parts += [getattr(place, n) for n in getattr(type(place), "__slots__", ())]
    else:
        return []
    return [t for p in parts for t in ours_in(p, seen)]


def test_bound_methods_callable_objects_and_arguments():
    want = numeric_gradient(objects.gp.nll, X)
    np.testing.assert_allclose(cr.grad(objects.gp.nll)(X), want, rtol=1e-7)
    np.testing.assert_allclose(cr.grad(objects.GP.nll, wrt=1)(objects.gp, X), want, rtol=1e-7)
    np.testing.assert_allclose(
        cr.grad(objects.with_model)(X, objects.gp, scale=2.0), 2 * want, rtol=1e-7
    )
    np.testing.assert_allclose(
        cr.grad(lambda x, models: models[0]["gp"].nll(x))(X, [{"gp": objects.gp}]), want, rtol=1e-7
    )
    layer = objects.Linear(objects.W0[:1])
    np.testing.assert_allclose(cr.grad(lambda x: layer(x)[0])(X), objects.W0[0])
    np.testing.assert_allclose(cr.jacobian(layer)(X), objects.W0[:1])
    assert isinstance(layer, objects.Linear) and type(layer) is objects.Linear


def test_dataclass_that_is_the_argument_and_the_result():
    p = objects.Params(2.0, X)
    gradient = cr.grad(lambda p: p.energy(X))(p)
    assert type(gradient) is objects.Params
    np.testing.assert_allclose(gradient.b, X * 2.0)
    assert gradient.a == X @ X and p.b is X
    (value, aux), _ = cr.value_and_grad(
        lambda x: (x.sum(), [objects.Params(x[0], x), objects.gp, objects.GP]), has_aux=True
    )(X)
    assert type(aux[0]) is objects.Params and type(aux[0].b) is np.ndarray and value == X.sum()
    assert aux[1] is objects.gp and aux[2] is objects.GP and not ours_in(aux)


@pytest.mark.parametrize("method", ["run", "run_and_fail"])
def test_state_afterwards(method):
    s = objects.State()
    members = dict(vars(s))
    for k in (1, 2):
        try:
            gradient = cr.grad(getattr(s, method))(X)
            np.testing.assert_allclose(gradient, [2 * X[0] + 2, 2, 2])
        except ValueError:
            assert method == "run_and_fail"
        assert s.calls == k and type(s.calls) is int
    assert not ours_in(s) and not ours_in(objects.State)
    for name in ("work", "history", "unchanged"):
        assert vars(s)[name] is members[name]
    np.testing.assert_array_equal(s.work, [X[0], 0, 0])
    np.testing.assert_array_equal(s.best, 2 * X)
    assert s.history == [X[1]] * 2 and type(s.history[0]) is np.float64
    assert type(s.friend) is objects.State and s.friend.friend is s and s.kind is objects.State
    assert s.friend.members == {s: X[0]} and s.pair[0] is s and s.callback == s.run
    assert type(objects.State.total) is np.float64
    assert s.run(X) == pytest.approx(X[0] ** 2 + 2 * X.sum())


def test_nothing_is_changed():
    before = {
        k: (dict(vars(k)), k.__subclasses__())
        for k in vars(objects).values()
        if isinstance(k, type) and k.__module__ == objects.__name__
    }
    state = dict(vars(objects.gp))
    cr.grad(objects.gaussian_process)(X)
    cr.hessian(objects.kernels_made_inside)(X)
    with pytest.raises(ZeroDivisionError):
        cr.grad(lambda x: objects.gp.nll(x) * (1 // 0))(X)
    assert all(vars(objects.gp)[n] is v for n, v in state.items()) and len(state) == 4
    for kind, (names, below) in before.items():
        assert dict(vars(kind)) == names and kind.__subclasses__() == below


def test_views_that_live_on_act_as_the_object():
    kept = []
    s = objects.State()

    def f(x):
        kept.append(lambda: s)
        local = s
        kept.append(lambda v: local.run(v))
        return s.run(x)

    cr.grad(f)(X)
    assert kept[0]() is s
    assert kept[1](X) == s.run(X) and s.calls == 3 and not ours_in(s)
    assert cr.grad(lambda x: kept[1](x))(X)[1] == 2.0


def test_long_chains_and_many_temporaries():
    node = None
    for _ in range(5000):
        node = objects.Patched() if node is None else node
        link = objects.Patched()
        link.next, node = node, link
    first = node

    def walk(x):
        at, total = first, 0.0
        while hasattr(at, "next"):
            at.seen = x[0]
            total = total + 1e-3 * at.seen
            at = at.next
        return total

    assert cr.grad(walk)(X)[0] == pytest.approx(5.0)
    assert type(first.next.seen) is np.float64


def test_other_threads_see_the_object():
    s, seen, go, done = objects.State(), [], threading.Event(), threading.Event()

    def other():
        go.wait(5)
        seen.append((type(s), type(s.work), type(s.history), objects.State() is not None))
        done.set()

    thread = threading.Thread(target=other)
    thread.start()

    def f(x):
        y = s.run(x)
        go.set()
        done.wait(5)
        return y

    cr.grad(f)(X)
    thread.join()
    assert seen == [(objects.State, np.ndarray, list, True)]


def test_memory_is_freed_without_the_collector():
    alive = []

    def f(x):
        p = objects.Params(x[0], x)
        s = objects.State()
        s.best = np.exp(x)
        alive.append(weakref.ref(cr.core.trace.plain(s.best)))
        return p.energy(x) + s.best.sum() + objects.gp.nll(x)

    gc.collect()
    gc.disable()
    try:
        cr.grad(f)(X)
        assert alive and all(ref() is None for ref in alive)
    finally:
        gc.enable()


def test_errors_are_pythons_own():
    with pytest.raises(AttributeError, match="'Ridge' object has no attribute 'no_such'"):
        cr.grad(lambda x: objects.ridge.no_such)(X)
    with pytest.raises(TypeError, match="abstract"):
        cr.grad(lambda x: objects.Layer("a")(x))(X)
    with pytest.raises(TypeError, match="takes no arguments"):
        cr.grad(lambda x: objects.Patched(1))(X)
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        cr.grad(lambda x: objects.RBF())(X)
    with pytest.raises(AttributeError, match=r"area|setter"):
        cr.grad(lambda x: setattr(objects.Circle(1.0), "area", x[0]))(X)
    with pytest.raises(ValueError, match="not positive"):
        cr.grad(lambda x: objects.Checked(-x[0]).width)(X)
