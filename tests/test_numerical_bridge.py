"""``numerical``: functions nobody can look into, among exact derivatives; truth is their NumPy
code differentiated exactly, or a closed form."""

import math
import pickle
from dataclasses import dataclass

import mpmath
import numpy as np
import pytest

import chainrule as cr

X = np.array([0.7, -1.2, 2.0])


def transparent(x):
    return np.stack([np.sin(x[0]) * x[1], x[0] ** 2 + x[2] ** 3, np.exp(x[1] * x[2] / 4)])


def opaque(x):
    """The same for plain float64 arrays only."""
    assert type(x) is np.ndarray and x.dtype == np.float64
    a, b, c = np.frombuffer(x.tobytes())
    return [math.sin(a) * b, a**2 + c**3, math.exp(b * c / 4)]


def loss(y):
    return np.sum(y**2) + y[..., 0]


def asarray(simulate):
    return lambda x: np.stack(simulate(x))


def G(simulate):
    return lambda x: loss(asarray(simulate)(np.tanh(x)) * 1.0)


def H(x):
    return loss(transparent(np.tanh(x)))


def test_untraced_calls_run_the_function():
    assert cr.numerical(opaque)(X) == opaque(X)


def test_reverse_and_forward():
    s = cr.numerical(opaque)
    assert np.allclose(cr.grad(G(s))(X), cr.grad(H)(X), rtol=1e-9)
    dx = np.array([1.0, 2.0, -1.0])
    y, dy = cr.jvp(G(s), (X,), (dx,))
    truth = cr.jvp(H, (X,), (dx,))
    assert np.isclose(y, truth[0], rtol=1e-14) and np.isclose(dy, truth[1], rtol=1e-9)


def test_second_order_in_every_combination():
    s = cr.numerical(opaque)
    v = np.array([1.0, 2.0, -1.0])
    truth = cr.hessian(H)(X)
    assert np.allclose(cr.hessian(G(s))(X), truth, atol=1e-6)
    assert s.error < 1e-6
    assert np.allclose(cr.hvp(G(s), X, v), truth @ v, atol=1e-6)
    slope = lambda x: cr.jvp(G(s), (x,), (v,))[1]
    assert np.allclose(cr.grad(slope)(X), truth @ v, atol=1e-6)
    assert np.isclose(cr.jvp(slope, (X,), (v,))[1], v @ truth @ v, atol=1e-6)


def test_third_order_has_the_digits_that_are_left():
    s = cr.numerical(lambda x: math.sin(x))
    third = cr.grad(cr.grad(cr.grad(lambda x: s(x) * x)))(0.5)
    with mpmath.workdps(30):
        truth = float(mpmath.diff(lambda x: mpmath.sin(x) * x, 0.5, 3))
    assert third == pytest.approx(truth, rel=1e-4)


def test_the_error_bound_is_kept():
    s = cr.numerical(opaque)
    assert s.last is None and math.isnan(s.error)
    jacobian = cr.jacobian(asarray(s))(X)
    truth = cr.jacobian(transparent)(X)
    assert np.max(np.abs(s.last.value - truth)) <= s.error < 1e-9
    assert np.allclose(jacobian, s.last.value)
    assert s.last.evaluations > 6


def test_cost_is_chosen_by_what_is_asked():
    runs = []

    def f(x):
        runs.append(1)
        return np.cumsum(x**2)

    x = np.linspace(1.0, 2.0, 50)
    s = cr.numerical(f)
    cr.jvp(s, (x,), (x,))
    assert len(runs) < 80  # a direction, not 50
    runs.clear()
    _, pullback = cr.vjp(s, x)
    assert len(runs) == 1  # nothing is measured before somebody asks
    pullback(np.ones(50))
    once = len(runs)
    assert 100 < once <= 21 * 50
    pullback(np.arange(50.0))
    assert len(runs) == once  # the Jacobian is kept
    runs.clear()
    cr.jacobian(cr.numerical(f, method="central"))(x)
    assert len(runs) < 6 * 50


@dataclass
class Model:
    mass: float
    speeds: np.ndarray
    name: str = "m"


def test_trees_strings_integers_and_keywords_pass_through():
    @cr.numerical
    def simulate(model, setup, *, steps=3):
        assert model.name == "m" and type(setup["n"]) is int and type(steps) is int
        total = math.fsum(model.speeds.tolist()) ** 2 * float(model.mass)
        return {"energy": total * setup["n"], "path": (model.speeds * steps, steps), "tag": "done"}

    def f(mass, speeds):
        y = simulate(Model(mass, speeds), {"n": 2, "how": "rk4"}, steps=4)
        assert y["tag"] == "done" and y["path"][1] == 4
        return y["energy"] + np.sum(y["path"][0])

    dm, ds = cr.grad(f, wrt=(0, 1))(3.0, X)
    assert np.isclose(dm, 2 * np.sum(X) ** 2)
    assert np.allclose(ds, 2 * 3 * 2 * np.sum(X) + 4)
    _, dy = cr.jvp(f, (3.0, X), (1.0, X))
    assert np.isclose(dy, dm + ds @ X)


def test_only_what_is_differentiated_is_moved():
    seen = set()

    @cr.numerical
    def f(x, y):
        seen.add(float(y))
        return x * y

    assert np.isclose(cr.grad(lambda x: f(x, 3.0))(2.0), 3.0) and seen == {3.0}


def test_complex_arguments_and_values():
    z = np.array([1 + 2j, -0.5 + 0.3j])
    square = cr.numerical(lambda z: z * z)
    f = lambda z: np.sum(np.abs(square(z)) ** 2)
    truth = cr.grad(lambda z: np.sum(np.abs(z * z) ** 2))(z)
    assert np.allclose(cr.grad(f)(z), truth)
    dz = np.array([1j, 2.0])
    assert np.allclose(cr.jvp(square, (z,), (dz,))[1], 2 * z * dz)


def test_float32_keeps_its_dtype():
    s = cr.numerical(lambda x: x**2)
    y, bar = cr.value_and_grad(lambda x: np.sum(s(x)))(X.astype(np.float32))
    assert y.dtype == np.float32 and bar.dtype == np.float32 and np.allclose(bar, 2 * X)


def test_matrices_and_empty_arrays():
    a = np.arange(6.0).reshape(2, 3) + 1
    s = cr.numerical(lambda a, b: np.asarray(a) @ b)
    da, db = cr.grad(lambda a, b: np.sum(s(a, b) ** 2), wrt=(0, 1))(a, X)
    ta, tb = cr.grad(lambda a, b: np.sum((a @ b) ** 2), wrt=(0, 1))(a, X)
    assert np.allclose(da, ta) and np.allclose(db, tb)
    assert cr.grad(lambda x: np.sum(cr.numerical(np.abs)(x)))(np.zeros(0)).shape == (0,)


def test_kinks_are_noted_and_noise_is_refused():
    s = cr.numerical(lambda x: abs(float(x)))
    assert np.isclose(cr.grad(s)(2.0), 1.0)
    assert np.isclose(cr.grad(s)(0.0), 0.0) and "kink" in s.last.notes[0]
    rng = np.random.default_rng(0)
    noisy = cr.numerical(lambda x: float(x) + rng.normal())
    with pytest.raises(cr.NonDifferentiableError, match=r"order 1(.|\n)*test_numerical_bridge"):
        cr.grad(noisy)(1.0)
    rough = cr.numerical(lambda x: round(math.sin(x), 3))
    assert np.isclose(cr.grad(rough)(1.0), math.cos(1.0), atol=1e-2)
    with pytest.raises(cr.NonDifferentiableError, match="order 2"):
        cr.grad(cr.grad(rough))(1.0)


def test_a_constant_and_a_straight_line_are_no_noise():
    constant = cr.numerical(lambda x: 3.0)
    assert cr.grad(lambda x: constant(x) + x)(2.0) == 1.0
    line = cr.numerical(lambda x: 3.0 * x + 1.0)
    assert abs(cr.grad(cr.grad(lambda x: line(x) ** 2))(2.0) - 18.0) < 1e-6


def test_methods():
    class Simulator:
        gain = 2.0

        @cr.numerical
        def run(self, x):
            return self.gain * float(np.sum(x.copy() ** 2))

    assert np.allclose(cr.grad(Simulator().run)(X), 4 * X)


def test_explain_and_trace_announce_it():
    s = cr.numerical(opaque, name="simulate")
    f = lambda x: np.sum(np.stack(s(x)))
    program = cr.trace(f)(X)
    assert "numerical(simulate)(x)" in str(program)
    assert np.allclose(program.verify().evaluate(2 * X)[0], np.sum(transparent(2 * X)))
    text = str(cr.explain(lambda x: cr.numerical(math.sin, name="c_sin")(x) * 2.0, 0.3))
    assert "= numerical(c_sin)(x)" in text and "jacobian(numerical(c_sin))(x)" in text


def test_the_argument_may_not_be_written_to():
    def f(x):
        x[0] = 0.0
        return x

    with pytest.raises(cr.RuleError, match="writes to its argument x"):
        cr.jvp(cr.numerical(f), (X,), (X,))


def test_pickle():
    s = pickle.loads(pickle.dumps(cr.numerical(opaque)))
    assert np.allclose(cr.jacobian(asarray(s))(X), cr.jacobian(transparent)(X))
