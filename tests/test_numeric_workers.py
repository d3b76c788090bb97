"""``workers`` and ``vectorized``: the same numbers as one evaluation after the other."""

import math
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

from chainrule import numeric
from chainrule.base import tree
from chainrule.base.errors import ArgumentError, InputError, MismatchError

X = np.array([0.3, -1.2, 2.0, 0.7])


def smooth(x):
    return np.sum(np.sin(x) * x, axis=-1)


def rough(x):
    return np.sum(np.abs(x) ** 3, axis=-1)


def table(x):
    return np.stack([np.sin(x[..., 0]), np.abs(x[..., 1] * x[..., 2])], axis=-1)


def cube(t):
    return np.abs(t) ** 3


CALLS = [
    lambda **how: numeric.gradient(smooth, X, **how),
    lambda **how: numeric.gradient(rough, X, **how),
    lambda **how: numeric.gradient(rough, X, "central", **how),
    lambda **how: numeric.jacobian(table, X, **how),
    lambda **how: numeric.hessian(rough, X, **how),
    lambda **how: numeric.directional(rough, X, X, **how),
    lambda **how: numeric.derivative(cube, 0.7, **how),
    lambda **how: numeric.derivative(cube, 0.7, order=3, **how),
    lambda **how: numeric.derivative(np.exp, 0.7, order=5, **how),
]


def same(a, b):
    for pair in ((a.value, b.value), (a.error, b.error), (a.step, b.step)):
        assert all(map(np.array_equal, *(tree.flatten(t)[0] for t in pair)))
    assert a.evaluations == b.evaluations
    assert a.notes == b.notes


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("how", [{"workers": 3}, {"vectorized": True}], ids=str)
def test_the_same_numbers(call, how):
    same(call(**how), call())


def test_processes_and_pools_with_map_alone():
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        same(numeric.gradient(rough, X, workers=pool), numeric.gradient(rough, X))
        same(numeric.gradient(smooth, X, workers=pool), numeric.gradient(smooth, X))
        with pytest.raises(InputError, match=r"could not run f(.|\n)*threads"):
            numeric.gradient(lambda x: rough(x), X, "ladder", workers=pool)

    class Mapping:
        def map(self, task, points):
            return [task(x) for x in points]

    same(numeric.gradient(rough, X, workers=Mapping()), numeric.gradient(rough, X))


@pytest.mark.filterwarnings("ignore")  # of the library's own
@pytest.mark.parametrize("processes", [False, True])
def test_a_client_of_dask(processes):
    distributed = pytest.importorskip("distributed")
    how = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.Client(processes=processes, **how) as client:
        same(numeric.gradient(smooth, X, workers=client), numeric.gradient(smooth, X))
        f = lambda x: rough(x)  # dask pickles these, too
        same(numeric.gradient(f, X, workers=client), numeric.gradient(f, X))
        with pytest.raises(KeyError, match="no such key") as caught:
            numeric.gradient(refusing, X, "ladder", workers=client)
        assert "f was evaluated at array([" in caught.value.__notes__[0]


def refusing(x):
    if x[1] != X[1]:
        raise KeyError("no such key")
    return rough(x)


def test_long_work_shows_its_progress_and_the_time_left(monkeypatch):
    from chainrule.numeric import partials

    shown = []
    monkeypatch.setattr(partials, "track", lambda items, text: shown.append(text) or items)
    numeric.gradient(rough, X, "ladder", progress=True, workers=2)
    numeric.gradient(smooth, X, "complex", progress=True)
    numeric.gradient(rough, X, "ladder")
    assert shown == ["differences", "complex steps"]


def test_workers_work_at_the_same_time_and_are_counted():
    company, calls = threading.Barrier(2, timeout=60), []

    def f(x):
        calls.append(1)
        if threading.current_thread() is not threading.main_thread():
            company.wait()  # six points of noise, then pairs: nobody is left alone
        return rough(x)

    estimate = numeric.gradient(f, X, "ladder", workers=2)
    assert estimate.evaluations == len(calls)
    same(estimate, numeric.gradient(rough, X, "ladder"))


@pytest.mark.parametrize("workers", [None, 2])
def test_exceptions_come_through_with_the_point(workers):
    def f(x):
        if x[1] != X[1]:
            raise KeyError("no such key")
        return rough(x)

    with pytest.raises(KeyError, match="no such key") as caught:
        numeric.gradient(f, X, "ladder", workers=workers)
    assert "f was evaluated at array([" in caught.value.__notes__[0]


@pytest.mark.parametrize("how", [{"workers": 2}, {}], ids=str)
def test_outside_the_domain_is_still_an_answer(how):
    f = lambda x: math.log(x) if x > 0 else 1 / 0
    same(numeric.derivative(f, 1e-3, "ladder", **how), numeric.derivative(f, 1e-3, "ladder"))


def test_a_stack_with_a_point_outside_the_domain():
    def f(x):
        if np.any(x < 0):
            raise ValueError("negative")
        return np.sqrt(x) * np.abs(x)

    stacked = numeric.derivative(f, 1e-3, "ladder", vectorized=True)
    assert stacked.value == numeric.derivative(f, 1e-3, "ladder").value


def test_one_call_a_level():
    sizes = []

    def f(x):
        sizes.append(len(x))
        return rough(x)

    estimate = numeric.gradient(f, np.linspace(0.5, 1, 50), "ladder", vectorized=True)
    assert len(sizes) < 25 and max(sizes) == 100
    assert sum(sizes) == estimate.evaluations


def test_stacks_of_trees():
    p = {"a": np.ones((2, 3)), "b": 2.0}
    f = lambda p: np.sum(np.abs(p["a"]), axis=(-2, -1)) * p["b"]
    same(numeric.gradient(f, p, vectorized=True), numeric.gradient(f, p))


def test_refusals():
    with pytest.raises(MismatchError, match=r"stack of 1 points f gave a value of shape \(\)"):
        numeric.gradient(lambda x: np.sum(x**2), X, vectorized=True)
    with pytest.raises(ArgumentError, match="Choose one"):
        numeric.gradient(rough, X, workers=2, vectorized=True)
    for workers in (0, "all", -2):
        with pytest.raises(ArgumentError, match="neither a number nor a pool"):
            numeric.gradient(rough, X, workers=workers)
    with ThreadPoolExecutor(2) as pool:  # belongs to the caller: it stays open
        numeric.gradient(rough, X, workers=pool)
        assert pool.submit(abs, -1).result() == 1
