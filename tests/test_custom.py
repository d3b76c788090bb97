"""Functions with a rule of the user's: every mode and order, trees, methods, and wrong rules."""

import ctypes
import ctypes.util
import math
import pickle
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import pytest

import chainrule as cr
from chainrule.transforms.custom import Custom

X = np.array([0.5, 1.0, 2.0])


def opaque_cube(x):
    """x**3 as C code would do it: on plain floats only."""
    return np.array([math.pow(v, 3.0) for v in np.asarray(x, dtype=float).tolist()])


def cube_vjp(g, y, x):
    return 3 * x**2 * g


def cube_jvp(tangents, y, x):
    (dx,) = tangents
    return 3 * x**2 * dx


RULES = {
    "vjp": {"vjp": cube_vjp},
    "jvp": {"jvp": cube_jvp},
    "both": {"vjp": cube_vjp, "jvp": cube_jvp},
}


@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
@pytest.mark.parametrize("make", [cr.primitive, cr.custom_rule])
class TestModes:
    """One rule of either kind is enough for everything; the truth is x**3 in NumPy."""

    def cube(self, make, rules):
        return make(**rules)(opaque_cube)

    def test_value_outside_a_derivative_is_the_function_itself(self, make, rules):
        assert np.array_equal(self.cube(make, rules)(X), X**3)

    def test_reverse(self, make, rules):
        cube = self.cube(make, rules)
        assert np.allclose(cr.grad(lambda x: np.sum(np.sin(cube(x))))(X), np.cos(X**3) * 3 * X**2)

    def test_forward(self, make, rules):
        y, dy = cr.jvp(self.cube(make, rules), (X,), (np.ones(3),))
        assert np.allclose(y, X**3) and np.allclose(dy, 3 * X**2)

    def test_jacobian(self, make, rules):
        assert np.allclose(cr.jacobian(self.cube(make, rules))(X), np.diag(3 * X**2))

    def test_second_order_in_every_combination(self, make, rules):
        cube = self.cube(make, rules)
        f = lambda x: np.sum(cube(x))
        v = np.array([1.0, -1.0, 0.5])
        assert np.allclose(cr.hessian(f)(X), np.diag(6 * X))
        assert np.allclose(cr.hvp(f, X, v), 6 * X * v)
        slope = lambda x: cr.jvp(f, (x,), (v,))[1]
        assert np.allclose(cr.grad(slope)(X), 6 * X * v)
        assert np.allclose(cr.jvp(slope, (X,), (v,))[1], np.sum(6 * X * v * v))

    def test_third_order(self, make, rules):
        cube = self.cube(make, rules)
        third = cr.grad(lambda x: np.sum(cr.grad(lambda z: np.sum(cr.grad(
            lambda w: np.sum(cube(w)))(z)))(x)))  # fmt: skip
        assert np.allclose(third(X), 6.0)


def test_rules_are_registered_by_decorators():
    @cr.primitive
    def scaled(x, factor):
        return opaque_cube(x) * factor

    @scaled.vjp
    def scaled_vjp(g, y, x, factor):
        return factor * 3 * x**2 * g, np.sum(g * y) / factor

    @scaled.jvp
    def scaled_jvp(tangents, y, x, factor):
        dx, dfactor = tangents
        return factor * 3 * x**2 * dx + y / factor * dfactor

    dx, dfactor = cr.grad(lambda x, a: np.sum(scaled(x, a)), wrt=(0, 1))(X, 2.0)
    assert np.allclose(dx, 6 * X**2) and np.isclose(dfactor, np.sum(X**3))
    _, dy = cr.jvp(scaled, (X, 2.0), (X, 1.0))
    assert np.allclose(dy, 6 * X**3 + X**3)
    assert callable(scaled_vjp) and not isinstance(scaled_vjp, Custom)


def test_scipy_or_c_inside():
    library = ctypes.util.find_library("m")
    if library is None:
        pytest.skip("no C library of mathematics")
    c_erf = ctypes.CDLL(library).erf
    c_erf.restype, c_erf.argtypes = ctypes.c_double, [ctypes.c_double]
    erf = cr.primitive(
        lambda x: c_erf(x), vjp=lambda g, y, x: g * 2 / np.sqrt(np.pi) * np.exp(-(x**2)), name="erf"
    )
    assert np.isclose(cr.grad(erf)(0.3), 2 / np.sqrt(np.pi) * np.exp(-0.09))
    assert np.isclose(cr.grad(cr.grad(erf))(0.3), -4 * 0.3 / np.sqrt(np.pi) * np.exp(-0.09))


# ---------------------------------------------------------------- arguments and results


@dataclass
class Layer:
    W: np.ndarray
    b: np.ndarray
    name: str = "dense"


def test_trees_of_arguments_and_results():
    @cr.primitive
    def dense(layer, inputs, options):
        x = inputs["x"]
        return {"out": np.array(layer.W) @ x + layer.b, "size": x.size, "label": layer.name}

    @dense.vjp
    def dense_vjp(g, y, layer, inputs, options):
        g_out = g["out"]
        assert g["size"] is None and y["size"] == 3
        bar = Layer(np.outer(g_out, inputs["x"]), g_out, None)
        return bar, {"x": layer.W.T @ g_out, "n": None}, None

    rng = np.random.default_rng(0)
    layer = Layer(rng.normal(size=(2, 3)), rng.normal(size=2))
    inputs = {"x": X, "n": 3}

    def loss(call, W, x):
        y = call(Layer(W, layer.b), {"x": x, "n": 3}, {"verbose": True})
        assert y["size"] == 3 and y["label"] == "dense"
        return np.sum(y["out"] ** 2)

    def plain_loss(W, x):
        return np.sum((W @ x + layer.b) ** 2)

    ours = cr.grad(lambda W, x: loss(dense, W, x), wrt=(0, 1))(layer.W, X)
    truth = cr.grad(plain_loss, wrt=(0, 1))(layer.W, X)
    assert all(np.allclose(a, b) for a, b in zip(ours, truth))
    assert np.allclose(
        cr.jvp(lambda x: loss(dense, layer.W, x), (X,), (X,))[1],
        cr.jvp(lambda x: plain_loss(layer.W, x), (X,), (X,))[1],
    )
    assert dense(layer, inputs, None)["label"] == "dense"


def test_a_tuple_is_one_argument():
    pair = cr.primitive(lambda p: np.sum(p[0] * p[1]), vjp=lambda g, y, p: (g * p[1], g * p[0]))
    a, b = cr.grad(pair)((X, 2 * X))
    assert np.allclose(a, 2 * X) and np.allclose(b, X)


def test_several_results_of_which_one_is_not_used():
    @cr.primitive(vjp=lambda g, y, x: g[0] * np.cos(x) - g[1] * np.sin(x))
    def sincos(x):
        return np.sin(x), np.cos(x)

    assert np.allclose(cr.grad(lambda x: np.sum(sincos(x)[1]))(X), -np.sin(X))
    assert np.allclose(cr.hessian(lambda x: np.sum(sincos(x)[0]))(X), np.diag(-np.sin(X)))
    (dsin, dcos) = cr.jvp(sincos, (X,), (X,))[1]
    assert np.allclose(dsin, X * np.cos(X)) and np.allclose(dcos, -X * np.sin(X))


def test_named_tuples_and_jvp_with_tree_tangents():
    @cr.primitive(jvp=lambda t, y, p, k: {"r": k * t[0]["a"] * p["b"] + k * p["a"] * t[0]["b"]})
    def product(p, k):
        return {"r": k * p["a"] * p["b"]}

    p = {"a": X, "b": 3.0}
    bar = cr.grad(lambda p: np.sum(product(p, 2)["r"]))(p)
    assert np.allclose(bar["a"], 6.0) and np.isclose(bar["b"], 2 * X.sum())


def test_keyword_arguments_and_defaults_reach_the_rule():
    @cr.primitive
    def power(x, n=2, *, scale=1.0, mode="plain"):
        assert mode in ("plain", "fancy")
        return scale * np.asarray(x) ** n

    @power.vjp
    def power_vjp(g, y, x, n, *, scale, mode):
        return {"x": g * scale * n * x ** (n - 1), "scale": np.sum(g * y) / scale}

    assert np.allclose(cr.grad(lambda x: np.sum(power(x)))(X), 2 * X)
    assert np.allclose(cr.grad(lambda x: np.sum(power(n=3, x=x, mode="fancy")))(X), 3 * X**2)
    assert np.isclose(cr.grad(lambda s: np.sum(power(X, scale=s)))(2.0), np.sum(X**2))


def test_callables_and_integers_are_handed_on():
    @cr.primitive(vjp=lambda g, y, f, x, n: g * n * x ** (n - 1))
    def apply(f, x, n):
        assert type(n) is int and callable(f)
        return f(x) ** n

    assert np.isclose(cr.grad(lambda x: apply(float, x, 3))(2.0), 12.0)


def test_nondiff_by_name():
    @cr.primitive(nondiff="tol", vjp=lambda g, y, x, tol: g * 2 * x)
    def square(x, tol):
        return x**2 + 0.0 * tol

    assert np.isclose(cr.grad(lambda x: square(x, 1e-8))(3.0), 6.0)
    with pytest.raises(cr.NonDifferentiableError, match=r"tol.*nondiff(.|\n)*test_custom.py"):
        cr.grad(lambda x: square(x, x))(3.0)
    assert np.isclose(cr.grad(lambda x: square(x, cr.constant(x)))(3.0), 6.0)
    with pytest.raises(cr.ArgumentError, match="tolerance"):
        cr.primitive(lambda x: x, nondiff=("tolerance",))


class Spring:
    def __init__(self, k):
        self.k = k

    @cr.custom_rule
    def energy(self, x):
        return float(0.5 * self.k * np.sum(np.asarray(x) ** 2))

    @energy.vjp
    def energy_vjp(g, y, self, x):
        return None, g * self.k * x


def test_methods():
    spring = Spring(3.0)
    assert np.allclose(cr.grad(spring.energy)(X), 3 * X)
    assert np.allclose(cr.hessian(lambda x: spring.energy(x))(X), 3 * np.eye(3))
    assert spring.energy(X) == pytest.approx(1.5 * np.sum(X**2))


def test_broadcasting_is_undone_by_the_engine():
    product = cr.primitive(lambda a, b: a * b, vjp=lambda g, y, a, b: (g * b, g * a))
    da, db = cr.grad(lambda a, b: np.sum(product(a, b)), wrt=(0, 1))(np.ones((2, 3)), X)
    assert np.allclose(da, np.broadcast_to(X, (2, 3))) and np.allclose(db, 2.0)
    total = cr.primitive(lambda x: x.sum(), vjp=lambda g, y, x: g)
    assert np.allclose(cr.grad(total)(X), 1.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtypes_are_kept(dtype):
    square = cr.primitive(lambda x: x * x, vjp=lambda g, y, x: 2 * x * g)
    x = X.astype(dtype)
    y, bar = cr.value_and_grad(lambda x: np.sum(square(x)))(x)
    assert y.dtype == dtype and bar.dtype == dtype and np.allclose(bar, 2 * x)


def test_complex_operands_follow_the_inner_product_of_the_library():
    z = np.array([1 + 2j, -0.5 + 0.3j])
    square = cr.primitive(lambda z: z * z, vjp=lambda g, y, z: g * np.conj(2 * z))
    f = lambda z: np.sum(np.abs(square(z)) ** 2)
    assert np.allclose(cr.grad(f)(z), cr.grad(lambda z: np.sum(np.abs(z * z) ** 2))(z))


def test_empty_and_zero_dimensional():
    square = cr.primitive(lambda x: x * x, vjp=lambda g, y, x: 2 * x * g)
    assert cr.grad(lambda x: np.sum(square(x)))(np.zeros(0)).shape == (0,)
    assert cr.grad(lambda x: square(x))(np.array(3.0)) == 6.0


def test_results_that_are_no_floats_are_constants():
    count = cr.primitive(lambda x: int(np.sum(x > 0.7)))
    assert np.allclose(cr.grad(lambda x: count(x) * np.sum(x))(X), 2.0)


def test_the_function_and_the_rule_may_write_to_what_they_get():
    buffer = np.zeros(3)

    def into_buffer(x):
        buffer[:] = x**2
        return buffer

    def rule(g, y, x):
        g *= 2
        g *= x
        x[:] = 0
        y[:] = 0
        return g

    square = cr.primitive(into_buffer, vjp=rule)
    f = lambda x: np.sum(square(x) * square(2 * x))
    assert np.allclose(cr.grad(f)(X), 16 * X**3)
    _, pullback = cr.vjp(square, X)
    assert np.allclose(pullback(np.ones(3))[0], pullback(np.ones(3))[0])


def test_repeated_assignment_and_views_keep_working():
    square = cr.primitive(lambda x: x * x, vjp=lambda g, y, x: 2 * x * g)

    def f(x):
        out = np.zeros(3)
        out[:2] = square(x[1:])
        out += square(out)
        return np.sum(out)

    plain = lambda x: np.sum(x[1:] ** 2 + x[1:] ** 4)
    assert np.allclose(cr.grad(f)(X), cr.grad(plain)(X))


def test_pickled_by_name():
    assert pickle.loads(pickle.dumps(module_level)) is module_level
    other = pickle.loads(pickle.dumps(cr.primitive(opaque_cube, vjp=cube_vjp)))
    assert np.allclose(cr.grad(lambda x: np.sum(other(x)))(X), 3 * X**2)


@cr.primitive(vjp=cube_vjp)
def module_level(x):
    return opaque_cube(x)


def test_program_shows_the_name_and_evaluates():
    square = cr.primitive(lambda x: x * x, vjp=lambda g, y, x: 2 * x * g, name="my_square")
    program = cr.trace(lambda x: np.sum(square(x)))(X)
    assert "my_square(x)" in str(program)
    assert np.allclose(program.verify().evaluate(2 * X), [np.sum(4 * X**2)])
    assert "x_bar = 2 * x * " in str(cr.explain(lambda x: np.sum(square(x)), X))


# ---------------------------------------------------------------- the place of existing functions


def test_a_function_of_somebody_else_is_replaced_wherever_lifted_code_reaches_it():
    package = ModuleType("somebody_else")
    exec(
        "import numpy as np\n"
        "def kernel(x):\n    return np.frombuffer(x.tobytes()) ** 2\n"
        "def model(x):\n    return np.sum(kernel(x) * x)\n",
        package.__dict__,
    )
    with pytest.raises((cr.ChainruleError, TypeError, ValueError)):
        cr.grad(package.model)(X)
    cr.custom_rule(package.kernel, vjp=lambda g, y, x: 2 * x * g)
    assert np.allclose(cr.grad(package.model)(X), 3 * X**2)
    assert package.model(X) == pytest.approx(np.sum(X**3))


def test_methods_ufuncs_and_objects_of_somebody_else():
    class Kernel:
        def evaluate(self, x):
            return np.frombuffer(x.tobytes()) ** 2

        def __call__(self, x):
            return np.frombuffer(x.tobytes()) ** 3

    kernel, square = Kernel(), np.frompyfunc(lambda a: float(a) ** 2, 1, 1)
    cr.custom_rule(Kernel.evaluate, vjp=lambda g, y, self, x: 2 * x * g)
    cr.custom_rule(kernel, vjp=lambda g, y, x: 3 * x**2 * g)
    assert np.allclose(cr.vjp(kernel.evaluate, X)[1](np.ones(3))[0], 2 * X)
    assert np.allclose(cr.grad(lambda x: np.sum(kernel(x)))(X), 3 * X**2)
    cr.custom_rule(square, vjp=lambda g, y, x: 2 * x * g)
    with pytest.raises(cr.NonDifferentiableError, match="ndarray of dtype object"):
        cr.grad(lambda x: np.sum(square(x)))(X)


def test_results_nobody_can_look_into_are_refused():
    class Box:
        def __init__(self, x):
            self.x = x

    with pytest.raises(cr.NonDifferentiableError, match="returned a Box"):
        cr.grad(lambda x: np.sum(cr.primitive(Box)(x).x))(X)


def test_functions_with_a_rule_are_not_replaced():
    with pytest.raises(cr.RuleError, match="already"):
        cr.custom_rule(np.sin, vjp=lambda g, y, x: g)


# ---------------------------------------------------------------- wrong rules and refusals


def test_a_wrong_rule_is_told_with_numbers():
    def product(x, y):
        return np.sum(x * y)

    wrong = cr.primitive(product, vjp=lambda g, out, x, y: (g * y, 2 * g * x))
    with pytest.raises(cr.RuleError) as caught:
        cr.grad(wrong, wrt=(0, 1))(X, X + 1)
    text = str(caught.value)
    assert "rule of product is wrong" in text and "y alone" in text and "x alone" not in text
    assert "check=False" in text and "test_custom.py" in text
    with pytest.raises(cr.RuleError):  # and again
        cr.grad(wrong, wrt=(0, 1))(X, X + 1)


@pytest.mark.parametrize(
    "rule",
    [
        {"jvp": lambda t, y, x: 2 * x**2 * t[0]},
        {"vjp": lambda g, y, x: 3 * x**2 * g * 1.0001},
        {"vjp": lambda g, y, x: None},
        {"vjp": lambda g, y, x: g * np.nan},
        {"vjp": cube_vjp, "jvp": lambda t, y, x: -3 * x**2 * t[0]},
    ],
    ids=["jvp", "slightly", "zero", "nan", "one of two"],
)
def test_wrong_rules_are_found_in_the_first_call(rule):
    cube = cr.primitive(opaque_cube, **rule)
    with pytest.raises(cr.RuleError, match="wrong"):
        cr.jvp(cube, (X,), (X,))
    unchecked = cr.primitive(opaque_cube, check=False, **rule)
    cr.vjp(unchecked, X)


def test_a_rule_meant_to_differ_is_taken_without_check():
    rounded = cr.custom_rule(vjp=lambda g, y, x: g, check=False)(np.round)
    assert np.allclose(cr.grad(lambda x: np.sum(rounded(x) * 2))(X), 2.0)
    reversal = {"vjp": lambda g, y, x: -g}
    with pytest.raises(cr.RuleError, match="check=False"):
        cr.vjp(cr.primitive(lambda x: x, **reversal), X)
    assert np.allclose(cr.vjp(cr.primitive(lambda x: x, check=False, **reversal), X)[1](X)[0], -X)


@pytest.mark.parametrize(
    ("f", "vjp", "x"),
    [
        (np.abs, lambda g, y, x: g * np.sign(x), np.array([0.0, 1.0])),
        (lambda x: np.maximum(x, 0), lambda g, y, x: g * (x > 0), np.zeros(4)),
        (np.floor, lambda g, y, x: 0 * g, np.array([1.0, 2.5])),
        (np.sqrt, lambda g, y, x: g * 0.5 / np.maximum(y, 1e-300), np.array([0.0, 1.0])),
        (lambda x: 1 / x, lambda g, y, x: -g * y * y, np.array([0.0, 1.0])),
        (lambda x: x + np.random.normal(size=2), lambda g, y, x: g, np.array([1.0, 2.0])),
        (lambda x: np.float32(1) * x.astype("f4"), lambda g, y, x: g, np.array([0.1, 2.0])),
        (lambda x: np.sqrt(x - 1), lambda g, y, x: g / (2 * y), np.array([1 + 1e-9, 2.0])),
        (lambda x: np.exp(30 * x), lambda g, y, x: 30 * g * y, np.array([1.0, -2.0])),
        (lambda x: 1e9 + np.sin(x), lambda g, y, x: g * np.cos(x), np.array([1.0, -2.0])),
    ],
    ids="abs relu floor sqrt pole noise float32 edge steep offset".split(),
)
def test_right_rules_pass_where_differences_are_hard(f, vjp, x):
    with np.errstate(all="ignore"):
        cr.vjp(cr.primitive(lambda x: f(x), vjp=vjp), x)


def test_the_check_runs_once_a_signature_and_costs_two_runs():
    calls = []

    @cr.primitive(vjp=lambda g, y, x, mode: 2 * x * g)
    def square(x, mode):
        calls.append(mode)
        return x * x

    df = cr.grad(lambda x, mode: np.sum(square(x, mode)))
    for _ in range(3):
        df(X, "a")
    assert calls == ["a"] * 5
    df(X, "b")
    assert calls.count("b") == 3
    df(X[:2], "a")
    assert calls.count("a") == 8


def test_the_check_leaves_the_random_stream_alone():
    noisy = cr.primitive(lambda x: x * 2 + 0 * np.random.normal(), vjp=lambda g, y, x: 2 * g)
    np.random.seed(0)
    np.random.normal()
    expected = np.random.normal()
    np.random.seed(0)
    cr.grad(noisy)(1.0)
    assert np.random.normal() == expected


def test_no_rule():
    nothing = cr.primitive(opaque_cube)
    assert np.allclose(nothing(X), X**3)
    for run in (
        lambda: cr.grad(lambda x: np.sum(nothing(x)))(X),
        lambda: cr.jvp(nothing, (X,), (X,)),
    ):
        with pytest.raises(cr.NoRuleError, match=r"opaque_cube has no(.|\n)*test_custom(.|\n)*vjp"):
            run()


def test_rules_that_return_something_else():
    def at(vjp, **arguments):
        f = cr.primitive(lambda x, n: x * n, vjp=vjp, **arguments)
        return cr.grad(lambda x: np.sum(f(x, 2)))(X)

    assert np.allclose(at(lambda g, y, x, n: (2 * g, None)), 2)
    assert np.allclose(at(lambda g, y, x, n: (2 * g,)), 2)
    with pytest.raises(cr.RuleError, match="must return 1 cotangents, not 3"):
        at(lambda g, y, x, n: (g, g, g))
    with pytest.raises(cr.RuleError, match="'n', which is not differentiable"):
        at(lambda g, y, x, n: (2 * g, np.sum(g * x)))
    with pytest.raises(cr.RuleError, match=r"shape \(2,\), and should have shape \(3,\)"):
        at(lambda g, y, x, n: 2 * g[:2])
    with pytest.raises(cr.RuleError, match="no array of numbers"):
        at(lambda g, y, x, n: "two")
    with pytest.raises(cr.MismatchError, match="cotangent of p"):
        f = cr.primitive(lambda p: p["a"] * p["b"], vjp=lambda g, y, p: {"a": g * p["b"]})
        cr.grad(f)({"a": 1.0, "b": 2.0})


def test_a_rule_that_cannot_be_differentiated_says_so():
    c_code = cr.primitive(opaque_cube, vjp=lambda g, y, x: g * np.frombuffer(x.tobytes()) ** 2 * 3)
    assert np.allclose(cr.grad(lambda x: np.sum(c_code(x)))(X), 3 * X**2)
    with pytest.raises(Exception) as caught:
        cr.hessian(lambda x: np.sum(c_code(x)))(X)
    assert any("rule of opaque_cube" in note for note in caught.value.__notes__)


def test_a_traced_value_that_is_no_argument_is_refused():
    def outer(x):
        inner = cr.primitive(lambda z: z * x[0], vjp=lambda g, y, z: g * x[0], check=False)
        return np.sum(inner(x))

    with pytest.raises(cr.NonDifferentiableError, match="none of its arguments"):
        cr.grad(outer)(X)


def test_writing_to_an_argument_is_refused():
    def in_place(x):
        x *= 2
        return x

    doubled = cr.primitive(in_place, vjp=lambda g, y, x: 2 * g)
    with pytest.raises(cr.RuleError, match="writes to its argument x"):
        cr.grad(lambda x: np.sum(doubled(x)))(X)
