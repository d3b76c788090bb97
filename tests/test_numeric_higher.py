"""Derivatives of higher order: accuracy and honesty against mpmath, and what is refused."""

import mpmath as mp
import numpy as np
import pytest

from chainrule import numeric
from chainrule.base.errors import ArgumentError, InputError
from tests.test_numeric import CASES as FIRST

ORDERS = (2, 3, 4, 5, 6)
CASES = [case[:4] for case in FIRST if case[3] is not None]


def truth_of(name, x, precise, order):
    size = max(1e-9, min(abs(x), 1)) if x else 1
    with mp.workdps(60):
        return mp.diff(precise, mp.mpf(x), order, h=mp.mpf(10) ** -20 * size)


def measured(order, method):
    for name, f, x, precise in CASES:
        with np.errstate(all="ignore"):
            yield name, numeric.derivative(f, x, method, order), truth_of(name, x, precise, order)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("method", ["ladder", "auto"])
def test_errors_are_within_their_bounds(order, method):
    digits = []
    for name, estimate, truth in measured(order, method):
        if np.isnan(estimate.value):
            assert estimate.error == np.inf and "can be measured" in estimate.notes[0]
            digits.append(0.0)
            continue
        error = abs(mp.mpf(estimate.value) - truth)
        assert error <= estimate.error + 4e-16 * abs(truth), f"{name}: {estimate}, {truth}"
        digits.append(-float(mp.log10(max(error / abs(truth) if truth else error, 1e-16))))
    least = {2: 11.5, 3: 9, 4: 8.5, 5: 7, 6: 6} if method == "ladder" else dict.fromkeys(ORDERS, 10)
    assert np.median(digits) >= least[order]


@pytest.mark.parametrize(
    ("f", "x", "order", "truth"),
    [
        (np.exp, 1.0, 6, np.e),
        (np.sin, 0.7, 6, -np.sin(0.7)),
        (lambda x: x**5, 1.3, 5, 120.0),
        (np.log, 3.0, 4, -6 / 81),
        (np.exp, 1.0, 10, np.e),
    ],
)
def test_on_a_circle_hardly_a_digit_is_lost(f, x, order, truth):
    estimate = numeric.derivative(f, x, "complex", order)
    assert estimate.step == 0
    assert abs(estimate.value - truth) <= estimate.error < 1e-10 * abs(truth)


def test_evaluations_are_counted():
    for method in ("auto", "ladder"):
        calls = []
        estimate = numeric.derivative(lambda x: calls.append(1) or np.exp(x), 1.0, method, 4)
        assert estimate.evaluations == len(calls) <= 90


def test_what_is_not_analytic_is_left_to_real_steps():
    f = lambda x: abs(x) ** 3 * np.exp(x)
    estimate = numeric.derivative(f, 1.0, order=3)
    assert estimate.step > 0
    assert abs(estimate.value - 34 * np.e) <= estimate.error < 1e-6
    with pytest.raises(InputError, match="not analytic"):
        numeric.derivative(f, 1.0, "complex", 3)


def test_a_kink_close_by_and_a_narrow_peak_are_seen():
    kinked = numeric.derivative(lambda x: np.abs(x - 1) + x * x, 1.001, order=2)
    assert abs(kinked.value - 2.0) <= kinked.error < 1e-6
    peak = numeric.derivative(lambda x: np.exp(-((x - 1) ** 2) * 1e8), 1.00003, "ladder", 3)
    u = 0.3  # exp(-u^2) has the third derivative (12 u - 8 u^3) exp(-u^2)
    truth = (12 * u - 8 * u**3) * np.exp(-(u**2)) * 1e12
    assert abs(peak.value - truth) <= peak.error + 1e-9 * truth


def test_a_kink_at_the_point_has_no_second_derivative():
    estimate = numeric.derivative(np.abs, 0.0, order=2)
    assert np.isnan(estimate.value)
    assert "order 2" in estimate.notes[0]


def test_arrays_and_complex_values():
    estimate = numeric.derivative(lambda t: np.array([[np.sin(t), t**4]]), 2.0, order=2)
    assert np.all(np.abs(estimate.value - [[-np.sin(2.0), 48.0]]) <= estimate.error)
    spiral = numeric.derivative(lambda t: np.exp(1j * t), 0.5, order=3)
    assert abs(spiral.value + 1j * np.exp(0.5j)) <= spiral.error < 1e-8


def test_float32_says_how_little_is_left():
    estimate = numeric.derivative(np.sin, np.float32(0.7), "ladder", 2)
    assert abs(float(estimate.value) + np.sin(np.float64(np.float32(0.7)))) <= estimate.error < 0.1


def test_refusals():
    with pytest.raises(InputError, match="order=11: derivatives of order 1 to 10"):
        numeric.derivative(np.exp, 1.0, order=11)
    with pytest.raises(InputError, match="order=0"):
        numeric.derivative(np.exp, 1.0, order=0)
    with pytest.raises(ArgumentError, match="whole number"):
        numeric.derivative(np.exp, 1.0, order=2.5)
    with pytest.raises(InputError, match="central"):
        numeric.derivative(np.exp, 1.0, "central", 2)
    with pytest.raises(ArgumentError, match="complex"):
        numeric.derivative(lambda z: abs(z), 1j, order=2)
