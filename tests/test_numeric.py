"""Numerical derivatives: accuracy and honesty against mpmath and closed forms."""

import random
import struct
import zlib

import mpmath as mp
import numpy as np
import pytest

from chainrule import numeric
from chainrule.base.errors import ArgumentError, InputError, MismatchError, NotScalarError
from chainrule.numeric.noise import noise_level
from chainrule.numeric.points import Function, quiet

M = mp.mpf
WAVES = np.random.default_rng(0).standard_normal(500)


def hashed(x, size):
    """Noise that looks random, but is the same for the same x."""
    seed = zlib.crc32(struct.pack("d", float(x)))
    return size * (random.Random(seed).random() - 0.5)


def newton(a):
    y = 0.5
    for _ in range(50):
        step = (y - a * np.cos(y)) / (1 + a * np.sin(y))
        y -= step
        if abs(step) < 1e-12:
            break
    return y


# name, f, x, the same in mpmath (None: see SLOPES), digits that are asked for
CASES = [
    ("exp", np.exp, 1.0, mp.exp, 13),
    ("sin", np.sin, 0.7, mp.sin, 13),
    ("power", lambda x: x**5, 1.3, lambda x: x**5, 13),
    ("reciprocal", lambda x: 1 / x, 2.5, lambda x: 1 / x, 13),
    ("log", np.log, 3.0, mp.log, 12),
    ("tanh", np.tanh, 0.3, mp.tanh, 12),
    ("polynomial", lambda x: 3 * x * x + 2 * x, 1.7, lambda x: 3 * x * x + 2 * x, 13),
    ("linear", lambda x: 3 * x + 1, 2.0, lambda x: 3 * x + 1, 13),
    ("constant", lambda x: 7.0, 2.0, lambda x: M(7), 15),
    ("exp at 0", np.exp, 0.0, mp.exp, 12),
    ("cos at 0", np.cos, 0.0, mp.cos, 15),
    ("exp at 1e-12", np.exp, 1e-12, mp.exp, 11),
    ("log at 1e-12", np.log, 1e-12, mp.log, 11),
    ("scale 1e-12", lambda x: np.sin(x / 1e-12), 3e-13, lambda x: mp.sin(x / M(1e-12)), 12),
    ("scale 1e12", lambda x: np.sin(x / 1e12), 0.7e12, lambda x: mp.sin(x / M(1e12)), 12),
    ("argument offset", lambda x: np.sin(x - 1e8), 1e8 + 0.3, lambda x: mp.sin(x - M(1e8)), 12),
    ("value offset", lambda x: 1e8 + np.sin(x), 0.7, lambda x: M(1e8) + mp.sin(x), 6),
    ("value offset 1e12", lambda x: 1e12 + x * x, 0.7, lambda x: M(1e12) + x * x, 8),
    ("tiny", lambda x: 1e-200 * np.exp(x), 0.7, lambda x: M(1e-200) * mp.exp(x), 12),
    ("huge", lambda x: 1e200 * np.exp(x), 0.7, lambda x: M(1e200) * mp.exp(x), 12),
    ("exp at 709", np.exp, 709.0, mp.exp, 11),
    ("exp at -700", np.exp, -700.0, mp.exp, 11),
    ("x^20", lambda x: x**20, 1.1, lambda x: x**20, 12),
    ("sin 1e5 x", lambda x: np.sin(1e5 * x), 0.7, lambda x: mp.sin(M(1e5) * x), 9),
    ("sin 1e3 x^2", lambda x: np.sin(1e3 * x * x), 1.3, lambda x: mp.sin(1000 * x * x), 11),
    ("cos exp", lambda x: np.cos(np.exp(x)), 8.0, lambda x: mp.cos(mp.exp(x)), 9),
    (
        "ripple",
        lambda x: x + 1e-9 * np.sin(1e6 * x),
        0.7,
        lambda x: x + M(1e-9) * mp.sin(M(1e6) * x),
        7,
    ),
    ("kink 1e-7 away", lambda x: np.abs(x - 1), 1 + 1e-7, None, 12),
    ("kink 3e-9 away", lambda x: np.abs(x - 1) + x, 1 - 3e-9, None, 12),
    ("kink beside a curve", lambda x: np.sin(x) + np.abs(x - 0.7000001), 0.7, None, 6),
    ("curvature jumps", lambda x: x * x / 2 if abs(x) < 1 else abs(x) - 0.5, 1.0000001, None, 7),
    (
        "smoothed abs",
        lambda x: np.sqrt(x * x + 1e-12),
        1e-6,
        lambda x: mp.sqrt(x * x + M(1e-12)),
        12,
    ),
    ("step", lambda x: x + np.floor(3 * x), 0.7, None, 12),
    ("sqrt near its edge", np.sqrt, 1e-12, mp.sqrt, 12),
    ("arcsin near its edge", np.arcsin, 1 - 1e-9, mp.asin, 7),
    ("log1p near its edge", np.log1p, -1 + 1e-10, mp.log1p, 6),
    ("x^2.5 at its edge", lambda x: np.power(x, 2.5) + x, 0.0, None, 9),
    ("tan near its pole", np.tan, np.pi / 2 - 1e-6, mp.tan, 9),
    ("pole", lambda x: 1 / (x - 1), 1 + 1e-7, lambda x: 1 / (x - 1), 12),
    ("noise 1e-10", lambda x: np.sin(x) + hashed(x, 1e-10), 0.7, mp.sin, 7),
    ("noise 1e-6", lambda x: np.sin(x) + hashed(x, 1e-6), 0.7, mp.sin, 4),
    ("noise 1e-3", lambda x: np.exp(x) + hashed(x, 1e-3), 0.7, mp.exp, 2),
    ("rounded", lambda x: np.round(np.sin(x), 4), 0.7, mp.sin, 2),
    ("float32 inside", lambda x: float(np.sin(np.float32(x))), 0.7, mp.sin, 4),
    ("cancellation", lambda x: (np.exp(x) - 1) / x, 1e-5, lambda x: (mp.exp(x) - 1) / x, 6),
    ("solver", newton, 0.8, None, 10),
    ("many terms", lambda x: np.sum(np.sin(WAVES * x)), 1.1, None, 12),
    ("stationary", lambda x: (x - 1.3) ** 2, 1.3, None, 12),
    ("nearly stationary", lambda x: (x - 1) ** 2, 1 + 1e-6, lambda x: (x - 1) ** 2, 11),
    (
        "narrow",
        lambda x: np.exp(-(((x - 1) / 1e-4) ** 2)),
        1.00003,
        lambda x: mp.exp(-(((x - 1) / M(1e-4)) ** 2)),
        11,
    ),
    ("saturated", lambda x: 1 / (1 + np.exp(-x)), 20.0, lambda x: 1 / (1 + mp.exp(-x)), 4),
    ("runge", lambda x: 1 / (1 + 25 * x * x), 0.2, lambda x: 1 / (1 + 25 * x * x), 12),
    ("x sin 1/x", lambda x: x * np.sin(1 / x), 1e-3, lambda x: x * mp.sin(1 / x), 9),
    ("cube root", np.cbrt, 1e-9, mp.cbrt, 12),
]
ROOT = mp.findroot(lambda y: y - M(0.8) * mp.cos(y), 0.5)
SLOPES = {
    "kink 1e-7 away": 1,
    "kink 3e-9 away": 0,
    "kink beside a curve": mp.cos(M(0.7)) - 1,
    "curvature jumps": 1,
    "step": 1,
    "x^2.5 at its edge": 1,
    "solver": mp.cos(ROOT) / (1 + M(0.8) * mp.sin(ROOT)),
    "many terms": mp.fsum(M(a) * mp.cos(M(a) * M(1.1)) for a in WAVES.tolist()),
    "stationary": 0,
}


def true_slope(name, x, precise):
    with mp.workdps(60):
        if precise is None:
            return mp.mpf(SLOPES[name])
        size = max(1e-9, min(abs(x), 1)) if x else 1
        return mp.diff(precise, M(x), h=M(10) ** -25 * size)


def relative_error(value, truth):
    return abs(mp.mpf(value) - truth) / (abs(truth) if truth else 1)


@pytest.mark.parametrize("method", ["auto", "ladder"])
@pytest.mark.parametrize(("name", "f", "x", "precise", "digits"), CASES, ids=[c[0] for c in CASES])
def test_accurate_and_honest(name, f, x, precise, digits, method):
    truth = true_slope(name, x, precise)
    estimate = numeric.derivative(f, x, method)
    error = abs(mp.mpf(estimate.value) - truth)
    assert relative_error(estimate.value, truth) < 10.0**-digits, str(estimate)
    assert error <= estimate.error + 1e-15 * abs(truth), f"true error {error}, {estimate}"


def test_median_accuracy_and_cost():
    digits, costs = [], []
    for name, f, x, precise, _ in CASES:
        estimate = numeric.derivative(f, x, "ladder")
        error = relative_error(estimate.value, true_slope(name, x, precise))
        digits.append(16.0 if error == 0 else min(16.0, -float(mp.log10(error))))
        costs.append(estimate.evaluations)
    assert np.median(digits) >= 12.0
    assert np.median(costs) <= 25


# --- what can be said where there is no derivative


def test_kink_at_the_point_gives_the_mean_and_says_so():
    estimate = numeric.gradient(lambda x: np.sum(np.abs(x)) + x[0], np.array([0.0, 2.0]))
    assert np.allclose(estimate.value, [1.0, 1.0])
    assert estimate.error[0] >= 1.0
    assert estimate.error[1] < 1e-10
    assert "x[0]: kink" in str(estimate)


def test_edge_of_the_domain_says_so():
    estimate = numeric.derivative(lambda x: np.power(x, 2.5) + x, 0.0)
    assert "one side" in estimate.notes[0]


def test_infinite_slope_is_not_a_number_with_an_error():
    estimate = numeric.derivative(np.sqrt, 0.0, "ladder")
    assert np.isnan(estimate.value)
    assert estimate.error == np.inf
    assert "no slope" in estimate.notes[0]


def test_exceptions_at_probing_points_count_as_outside_the_domain():
    import math

    estimate = numeric.derivative(lambda x: math.log(x) if x > 0 else 1 / 0, 1e-9)
    assert relative_error(estimate.value, 10**9) < 1e-10


# --- complex step


def test_complex_step_costs_eight_evaluations_of_a_number():
    estimate = numeric.derivative(lambda x: np.exp(x) * np.sin(x), 0.7)
    assert estimate.evaluations == 8
    assert estimate.step == 0
    assert relative_error(estimate.value, np.exp(0.7) * (np.sin(0.7) + np.cos(0.7))) < 1e-15


@pytest.mark.parametrize("weight", [1.0, 1e-3, 1e-8])
def test_complex_step_is_not_believed_where_f_is_not_analytic(weight):
    x = np.array([1.0, -2.0, 0.5])
    estimate = numeric.gradient(lambda x: np.sum(np.sin(x)) + weight * np.sum(np.abs(x)), x)
    assert np.all(np.abs(estimate.value - np.cos(x) - weight * np.sign(x)) <= estimate.error)
    with pytest.raises(InputError, match="not analytic"):
        numeric.gradient(lambda x: np.sum(np.sin(x)) + weight * np.sum(np.abs(x)), x, "complex")


def test_complex_step_refused_by_f_is_no_error():
    estimate = numeric.derivative(lambda x: float(x) ** 2, 3.0)
    assert relative_error(estimate.value, 6) < 1e-12


# --- gradients, Jacobians, Hessians


@pytest.mark.parametrize("method", ["auto", "complex", "ladder", "central"])
def test_gradient_of_a_tree(method):
    p = {"W": np.array([[1.0, 2.0], [3.0, 4.0]]), "b": [0.5, np.array(2.0)], "none": None}

    def f(p):
        return np.sum(np.sin(p["W"])) * p["b"][0] + p["b"][1] ** 2

    estimate = numeric.gradient(f, p, method)
    tolerance = 1e-7 if method == "central" else 1e-11
    assert list(estimate.value) == list(p)
    assert np.allclose(estimate.value["W"], 0.5 * np.cos(p["W"]), rtol=0, atol=tolerance)
    assert abs(estimate.value["b"][0] - np.sum(np.sin(p["W"]))) < tolerance
    assert abs(estimate.value["b"][1] - 4.0) < tolerance
    assert type(estimate.value["b"][0]) is float
    assert np.all(np.abs(estimate.value["W"] - 0.5 * np.cos(p["W"])) <= estimate.error["W"])


def test_evaluations_are_counted_exactly():
    x = np.linspace(0.1, 1, 7)
    for method in ("auto", "ladder", "central"):
        calls = []
        estimate = numeric.gradient(lambda x: calls.append(1) or np.sum(x**3), x, method)
        assert estimate.evaluations == len(calls)
    assert numeric.gradient(lambda x: np.sum(x**3), x).evaluations == 1 + 1 + 7 + 2 * 6


def test_central_costs_two_evaluations_a_coordinate():
    x = np.random.default_rng(0).standard_normal(2500)
    estimate = numeric.gradient(lambda x: np.sum(np.abs(x) ** 3), x)  # abs: no complex step
    truth = 3 * x * np.abs(x)
    assert estimate.evaluations < 2 * 2500 + 400
    assert np.mean(np.abs(estimate.value - truth) <= estimate.error) > 0.9
    assert np.max(np.abs(estimate.value - truth)) < 1e-6 * np.max(np.abs(truth))


def test_arguments_are_never_changed_and_f_may_write_to_its_own():
    x = np.array([1.0, 2.0])
    x.flags.writeable = False

    def f(x):
        x *= 2
        return x @ x

    assert np.allclose(numeric.gradient(f, x).value, 8 * x)
    assert np.array_equal(x, [1, 2])


def test_float32_is_evaluated_in_float32_and_says_how_little_that_is():
    x = np.array([0.3, -1.2, 2.0], np.float32)
    seen = set()

    def f(x):
        seen.add(x.dtype)
        return np.sum(np.sin(np.abs(x)))

    estimate = numeric.gradient(f, x, "ladder")
    truth = np.cos(x.astype(float)) * np.sign(x)
    assert seen == {np.dtype(np.float32)}
    assert estimate.value.dtype == np.float32
    assert np.all(np.abs(estimate.value - truth) <= estimate.error)
    assert np.all(estimate.error > 1e-7)
    assert np.all(np.abs(estimate.value - truth) < 1e-3)


def test_integers_are_read_as_floats():
    assert np.allclose(numeric.gradient(lambda x: x @ x, np.array([1, 2])).value, [2.0, 4.0])
    assert abs(numeric.derivative(lambda x: x**2, 3).value - 6) < 1e-12


@pytest.mark.parametrize("method", ["auto", "ladder"])
def test_complex_gradient_is_the_direction_of_steepest_ascent(method):
    z = np.array([1 + 2j, 0.3 - 1j])
    estimate = numeric.gradient(lambda z: np.sum(np.abs(z) ** 2) + z[0].real, z, method)
    assert np.allclose(estimate.value, 2 * z + [1, 0])
    assert estimate.error.dtype == np.float64
    assert abs(numeric.gradient(lambda z: z.imag, 2 + 1j).value - 1j) < 1e-12


def test_empty_and_zero_dimensional_arguments():
    assert numeric.gradient(np.sum, np.zeros((0, 3))).value.shape == (0, 3)
    value = numeric.gradient(lambda x: x**2, np.array(3.0)).value
    assert isinstance(value, np.ndarray)
    assert value.shape == ()
    assert abs(value - 6) < 1e-12


def test_jacobian_has_the_shape_of_value_and_argument():
    A = np.random.default_rng(0).standard_normal((2, 3, 4))
    x = np.ones((3, 4))
    estimate = numeric.jacobian(lambda x: np.sum(A * x, axis=2), x)
    truth = A[:, :, None, :] * np.eye(3)[None, :, :, None]
    assert estimate.value.shape == (2, 3, 3, 4)
    assert np.allclose(estimate.value, truth)
    assert np.all(np.abs(estimate.value - truth) <= estimate.error + 1e-16)


def test_jacobian_of_complex_values():
    x = np.array([0.1, 0.2])
    estimate = numeric.jacobian(lambda x: np.exp(1j * x), x)
    assert np.allclose(estimate.value, np.diag(1j * np.exp(1j * x)))
    assert estimate.error.dtype == np.float64


def test_derivative_of_array_values():
    estimate = numeric.derivative(lambda t: np.array([[np.sin(t), abs(t)]]), 2.0)
    assert np.allclose(estimate.value, [[np.cos(2.0), 1.0]])


def test_directional_derivative():
    x, v = {"a": np.array([1.0, 2.0]), "b": 3.0}, {"a": np.array([1.0, -1.0]), "b": 0.0}
    estimate = numeric.directional(lambda p: np.abs(p["a"]) ** 3 * p["b"], x, v)
    assert np.allclose(estimate.value, [9.0, -36.0])
    assert np.all(np.abs(estimate.value - [9.0, -36.0]) <= estimate.error)


def test_hessian_of_an_array_and_of_a_tree():
    x = np.array([0.5, -0.7, 1.3])

    def f(x):
        return 100 * (x[1] - x[0] ** 2) ** 2 + np.exp(x[2] * x[0])

    e = np.exp(x[2] * x[0])
    mixed = (1 + x[0] * x[2]) * e
    truth = np.array(
        [
            [1200 * x[0] ** 2 - 400 * x[1] + x[2] ** 2 * e, -400 * x[0], mixed],
            [-400 * x[0], 200, 0],
            [mixed, 0, x[0] ** 2 * e],
        ]
    )
    estimate = numeric.hessian(f, x)
    assert np.max(np.abs(estimate.value - truth)) < 1e-8
    assert np.all(np.abs(estimate.value - truth) <= estimate.error)
    blocks = numeric.hessian(
        lambda p: np.sum(p["a"] ** 2) * p["b"], {"a": np.ones((2, 1)), "b": 3.0}
    ).value
    assert np.allclose(blocks["a"]["a"].reshape(2, 2), 6 * np.eye(2))
    assert blocks["a"]["b"].shape == (2, 1)
    assert np.allclose(blocks["b"]["a"], 2)


def test_noise_level_is_found():
    for size in (1e-10, 1e-6, 1e-2):
        function = Function(lambda x, s=size: np.sin(x) + hashed(x, s), 0.7)
        with quiet():
            level = noise_level(function)[0]
        assert size / 8 < level < 8 * size


# --- refusals


def test_gradient_of_an_array_is_refused_with_the_remedy():
    with pytest.raises(NotScalarError, match=r"shape \(2,\)(.|\n)*jacobian"):
        numeric.gradient(lambda x: x, np.ones(2))
    with pytest.raises(NotScalarError, match="complex"):
        numeric.gradient(lambda x: 1j * x, 1.0)


def test_bad_arguments_are_named():
    with pytest.raises(ArgumentError, match=r"x\['name'\] is a str"):
        numeric.gradient(lambda x: 1.0, {"name": "text"})
    with pytest.raises(ArgumentError, match="returned a str"):
        numeric.gradient(lambda x: "text", 1.0)
    with pytest.raises(ArgumentError, match="jacobian"):
        numeric.derivative(np.sin, np.ones(2))
    with pytest.raises(InputError, match=r"x\[1\] is nan"):
        numeric.gradient(np.sum, np.array([1.0, np.nan]))
    with pytest.raises(InputError, match="not finite"), np.errstate(all="ignore"):
        numeric.derivative(np.log, -1.0)
    with pytest.raises(InputError, match="unknown"):
        numeric.gradient(np.sum, np.ones(2), "magic")
    with pytest.raises(MismatchError, match="v"):
        numeric.directional(np.sum, np.ones(2), [1.0, 2.0])
    with pytest.raises(InputError, match="shape of the value"):
        numeric.jacobian(lambda x: np.ones(1 if float(x) == 1 else 2), 1.0)


def test_exceptions_at_the_point_itself_pass():
    with pytest.raises(ZeroDivisionError):
        numeric.derivative(lambda x: 1 / 0, 1.0)


def test_estimate_prints_well():
    estimate = numeric.derivative(np.exp, 1.0)
    assert repr(estimate).startswith("Estimate(2.71828182845904")
    assert "±" in str(estimate)
    assert "8 evaluations" in str(estimate)
    tree = numeric.gradient(lambda p: p["a"] ** 2, {"a": 1.0})
    assert "['a'] = 2 ±" in str(tree)
