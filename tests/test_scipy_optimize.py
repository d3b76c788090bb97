"""SciPy's minimisers on functions of trees."""

import subprocess
import sys
import threading
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.optimize import minimize

from chainrule.base.errors import ArgumentError, NotScalarError
from chainrule.interop.scipy_optimize import problem

T = np.linspace(0.0, 2.0, 20)
Y = 1.5 * np.exp(-0.7 * T)
START = {"amplitude": 1.0, "shape": {"rate": np.array([0.1])}}


def decay(params, t, y):
    return np.sum((params["amplitude"] * np.exp(-params["shape"]["rate"][0] * t) - y) ** 2)


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def counted(f):
    calls = []

    def g(*args):
        calls.append(1)
        return f(*args)

    return g, calls


def test_the_gradient_is_the_one_of_the_flat_function():
    p = problem(decay, START, T, Y)
    steps = 1e-6 * np.eye(2)
    slopes = [(p.fun(p.x0 + h) - p.fun(p.x0 - h)) / 2e-6 for h in steps]
    np.testing.assert_allclose(p.jac(p.x0), slopes, rtol=1e-8)


def test_hessp_is_the_derivative_of_jac():
    p = problem(rosenbrock, np.array([-1.2, 1.0, 0.5]))
    v = np.array([0.3, -1.0, 2.0])
    slope = (p.jac(p.x0 + 1e-5 * v) - p.jac(p.x0 - 1e-5 * v)) / 2e-5
    np.testing.assert_allclose(p.hessp(p.x0, v), slope, rtol=1e-7)
    assert p.products == 1


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "CG", "TNC", "SLSQP"])
def test_a_problem_unpacks_into_minimize(method):
    p = problem(decay, START, T, Y)
    res = p.result(minimize(**p, method=method, tol=1e-10))
    np.testing.assert_allclose(res.x["amplitude"], 1.5, rtol=1e-4)
    np.testing.assert_allclose(res.x["shape"]["rate"], [0.7], rtol=1e-4)
    assert res.jac["shape"]["rate"].shape == (1,)


@pytest.mark.parametrize("method", ["Newton-CG", "trust-ncg", "trust-krylov", "trust-constr"])
def test_methods_of_second_order_take_hessp(method):
    p = problem(rosenbrock, np.array([-1.2, 1.0]))
    res = minimize(**p, hessp=p.hessp, method=method)
    np.testing.assert_allclose(res.x, [1, 1], rtol=1e-3)
    assert p.products > 0


def test_value_and_gradient_at_one_point_cost_one_sweep():
    f, calls = counted(rosenbrock)
    p = problem(f, np.array([-1.2, 1.0]))
    p.fun(p.x0), p.jac(p.x0.copy()), p.fun_and_jac(p.x0)
    assert len(calls) == p.sweeps == 1


def test_a_vector_changed_in_place_is_another_point():
    p = problem(rosenbrock, np.array([-1.2, 1.0]))
    x = p.x0.copy()
    first = p.fun(x)
    x += 0.5
    assert p.fun(x) != first
    assert p.fun(x) == rosenbrock(x)


def test_a_gradient_given_out_can_be_changed():
    p = problem(rosenbrock, np.array([-1.2, 1.0]))
    p.jac(p.x0)[:] = 0
    assert np.all(p.jac(p.x0) != 0)


def test_the_result_of_scipy_stays_as_it_is():
    p = problem(decay, START, T, Y)
    res = minimize(**p, method="BFGS")
    assert isinstance(p.result(res).x, dict)
    assert isinstance(res.x, np.ndarray)


@dataclass
class Line:
    slope: np.ndarray
    offset: float


def test_dtypes_and_dataclasses_come_back():
    def f(line, t):
        assert line.slope.dtype == np.float32
        return np.sum((line.slope * t + line.offset - 3 * t) ** 2)

    p = problem(f, Line(np.zeros(1, np.float32), 0.0), T)
    assert p.x0.dtype == p.jac(p.x0).dtype == np.float64
    line = p.unravel(p.x0)
    assert isinstance(line, Line) and line.slope.dtype == np.float32
    assert isinstance(line.offset, float)


def test_a_complex_unknown_counts_as_two():
    p = problem(lambda z: np.abs(z - (1 + 2j)) ** 2, 0j)
    assert p.x0.shape == (2,)
    res = p.result(minimize(**p, method="BFGS"))
    assert abs(res.x - (1 + 2j)) < 1e-6


def test_callbacks_of_both_kinds_get_trees():
    p = problem(decay, START, T, Y)
    seen = []

    def with_result(intermediate_result):
        seen.append(intermediate_result.x["amplitude"])

    minimize(**p, method="BFGS", callback=p.callback(with_result))
    minimize(**p, method="BFGS", callback=p.callback(lambda x: seen.append(x["amplitude"])))
    assert len(seen) > 4
    half = len(seen) // 2
    assert seen[:half] == seen[half:]


def test_trust_constr_passes_its_state_to_the_callback():
    p = problem(decay, START, T, Y)
    seen = []
    callback = p.callback(lambda x, state: seen.append((x, state)))
    minimize(**p, method="trust-constr", callback=callback, options={"maxiter": 3})
    x, state = seen[-1]
    assert x["amplitude"] == state.x["amplitude"]


def test_a_callback_can_stop_the_method():
    p = problem(rosenbrock, np.array([-1.2, 1.0]))

    def enough(x):
        if p.sweeps > 5:
            raise StopIteration

    minimize(**p, method="BFGS", callback=p.callback(enough))
    assert p.sweeps < 10


def test_threads_get_their_own_points_right():
    p = problem(rosenbrock, np.array([-1.2, 1.0]))
    points = np.random.default_rng(0).normal(size=(4, 20, 2))
    wrong = []

    def work(xs):
        wrong.extend(x for x in xs if p.fun(x) != rosenbrock(x))

    threads = [threading.Thread(target=work, args=(xs,)) for xs in points]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_function_that_is_not_scalar_is_refused_by_name():
    p = problem(lambda x: 2 * x, np.ones(3))
    with pytest.raises(NotScalarError):
        p.fun(p.x0)


@pytest.mark.parametrize("x0", [{}, np.zeros(0), {"name": "text"}])
def test_a_start_without_numbers_is_refused(x0):
    with pytest.raises(ArgumentError):
        problem(rosenbrock, x0)


def test_a_problem_is_shown_in_one_line():
    p = problem(rosenbrock, np.ones(3))
    p.fun(p.x0)
    assert repr(p) == "<Problem: rosenbrock over 3 numbers, sweeps: 1>"
    assert len(p) == 3 and "hessp" not in p and p == p


def test_scipy_is_imported_only_by_who_minimises():
    code = (
        "import sys, chainrule.interop.scipy_optimize as s; import numpy as np;"
        "p = s.problem(lambda x: np.sum(x * x), np.ones(2)); p.jac(p.x0);"
        "sys.exit('scipy.optimize' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
