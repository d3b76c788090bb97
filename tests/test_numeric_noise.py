"""Functions that lost digits: derivatives say how little they know, and right claims stand."""

import mpmath as mp
import numpy as np
import pytest

from chainrule import numeric
from chainrule.checker import check
from chainrule.numeric.jumps import find_jump
from tests.numeric_corpus import drawn

CASES = [case for case in drawn(12, seed=11) if case.slope != 0]
SPARE = 4 * 2.0**-52  # of the truth: rounding of the comparison


def measured(method):
    for case in CASES:
        estimate = numeric.derivative(case.f, case.x, method)
        error = abs(mp.mpf(estimate.value) - case.slope)
        yield case, estimate, error, SPARE * abs(case.slope)


@pytest.mark.parametrize("method", ["ladder", "auto"])
def test_errors_are_within_their_bounds(method):
    # What is left: f is flat, and so far from any tread's end that nothing shows how rounded it is.
    table = list(measured(method))
    wrong = [row for row in table if row[2] > row[1].error + row[3]]
    far = [row for row in table if row[2] > 10 * row[1].error + row[3]]
    names = [f"{case.name} at {case.x}: {estimate}, {case.slope}" for case, estimate, *_ in wrong]
    assert len(wrong) <= 0.03 * len(table), "\n".join(names)
    assert len(far) <= 0.01 * len(table), "\n".join(names)


def test_digits_and_cost():
    digits, costs = [], []
    for case, estimate, error, _ in measured("ladder"):
        digits.append(-np.log10(max(float(error / abs(case.slope)), 1e-16)))
        costs.append(estimate.evaluations)
    assert np.median(digits) >= 7
    assert np.quantile(digits, 0.05) >= 2
    assert np.median(costs) <= 52


def test_right_slopes_do_not_fail_and_wrong_ones_do_not_pass():
    with np.errstate(all="ignore"):
        for case in CASES[::3]:
            slope = float(case.slope)
            right = check(case.f, case.x, grad=lambda x, s=slope: s)
            assert right.verdict != "fail", f"{case.name} at {case.x}: {right}"
            close = check(case.f, case.x, grad=lambda x, s=slope: s * (1 + 1e-5))
            if close.verdict == "pass" and case.family != "table":
                # Honest where fewer digits are certified than would have shown it. The pieces of a
                # fine table differ less from the curve through them than a probe can see.
                assert close.arguments[0].digits < 5.1, f"{case.name} at {case.x}: {close}"
            twice = check(case.f, case.x, grad=lambda x, s=slope: 2 * s)
            assert twice.verdict != "pass", f"{case.name} at {case.x}: {twice}"


def cancelled(s):
    return (1 - np.tanh(7.0 - 0.8 * s) ** 2) * np.cosh(0.64 + 0.1 * s)


def cancelled_slope(s):
    u = 7.0 - 0.8 * s
    lost, smooth = np.cosh(u) ** -2, np.cosh(0.64 + 0.1 * s)
    return 1.6 * lost * np.tanh(u) * smooth + 0.1 * lost * np.sinh(0.64 + 0.1 * s)


@pytest.mark.parametrize("s", [0.0, 0.3, -0.7, 1.1])
@pytest.mark.parametrize("method", ["ladder", "auto"])
def test_the_slope_of_a_tread_is_not_believed(s, method):
    estimate = numeric.derivative(cancelled, s, method)
    gap = abs(estimate.value - cancelled_slope(s))
    assert gap <= estimate.error + 1e-15 * estimate.value
    assert estimate.error < 1e-5 * estimate.value


def test_gradient_and_jacobian_of_lost_digits():
    x = np.array([0.0, 0.3, -0.7, 1.1, 0.52])
    truth = cancelled_slope(x)
    scalar = numeric.gradient(lambda x: np.sum(np.abs(cancelled(x))), x)
    vector = numeric.jacobian(lambda x: np.abs(cancelled(x)), x)
    assert np.all(np.abs(scalar.value - truth) <= scalar.error)
    assert np.all(np.abs(vector.value - np.diag(truth)) <= vector.error + 1e-15 * truth)
    assert check(lambda x: np.sum(cancelled(x)), x, grad=cancelled_slope).verdict != "fail"
    wrong = check(lambda x: np.sum(cancelled(x)), x, grad=lambda x: 1.01 * cancelled_slope(x))
    assert wrong.verdict == "fail"


@pytest.mark.parametrize("s", [0.0, 0.3, -0.7, 1.1])
def test_second_derivatives_of_lost_digits(s):
    with mp.workdps(50):
        exact = lambda s: (
            (1 - mp.tanh(7 - mp.mpf(0.8) * s) ** 2) * mp.cosh(mp.mpf(0.64) + mp.mpf(0.1) * s)
        )
        truth = float(mp.diff(exact, mp.mpf(s), 2))
    matrix = numeric.hessian(lambda x: cancelled(x[0]), np.array([s]))
    number = numeric.derivative(cancelled, s, order=2)
    for value, error in ((matrix.value[0, 0], matrix.error[0, 0]), (number.value, number.error)):
        assert abs(value - truth) <= error < 1e-2 * truth


def test_one_step_for_all_is_learnt_from_values_as_rounded_as_they_are():
    x = np.linspace(-0.9, 0.9, 40)
    estimate = numeric.gradient(lambda x: np.sum(cancelled(x)), x, "central")
    inside = np.abs(estimate.value - cancelled_slope(x)) <= estimate.error
    assert np.mean(inside) >= 0.9
    assert np.max(estimate.error / cancelled_slope(x)) < 1e-3


def test_complex_step_is_not_believed_on_a_tread():
    estimate = numeric.derivative(lambda x: np.round(np.sin(x), 4) * np.exp(x), 0.7)
    truth = np.exp(0.7) * (np.sin(0.7) + np.cos(0.7))
    assert abs(estimate.value - truth) <= estimate.error < 0.1


def test_complex_step_says_how_many_digits_cancellation_left():
    f, x = (lambda s: (np.exp(1e-5 * (1 + s)) - 1) * np.exp(s)), 0.3
    estimate = numeric.derivative(f, x)
    v = mp.mpf(1e-5) * (1 + mp.mpf(x))
    truth = mp.exp(x) * (mp.expm1(v) + mp.mpf(1e-5) * mp.exp(v))
    assert abs(estimate.value - truth) <= estimate.error < 1e-8 * truth


def test_pieces_of_a_table_are_no_noise():
    knots = np.linspace(-4, 4, 40001)
    heights, s = np.exp(knots), 0.51833
    k = np.searchsorted(knots, s) - 1
    slope = (heights[k + 1] - heights[k]) / (knots[k + 1] - knots[k])
    estimate = numeric.derivative(lambda s: np.interp(s, knots, heights), s)
    assert abs(estimate.value - slope) < 1e-9
    report = check(lambda s: np.interp(s, knots, heights), s, grad=lambda s: slope)
    assert report.verdict == "pass"


# --- jumps


def jump_of(f, near=1e-3, far=4e-3, noise=1e-16):
    return find_jump(f, near, far, noise, 1e-15)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_staircase_jumps(count):
    width = 3e-3 / count
    jump = jump_of(lambda t: np.floor((t - 1.1e-3) / width) * 1e-9)
    assert jump is not None
    assert abs(jump.change) == pytest.approx(1e-9)


@pytest.mark.parametrize(
    "f",
    [
        lambda t: 1e-9 * t,
        lambda t: t**2,
        lambda t: t**5,
        lambda t: max(t - 2.3e-3, 0.0),
        lambda t: 1e-9 * np.sin(3e3 * t),
        lambda t: np.sqrt(t),
        lambda t: 0.0,
    ],
)
def test_a_continuous_function_does_not(f):
    assert jump_of(f) is None


def test_a_pole_is_no_jump():
    assert jump_of(lambda t: 1e-9 * np.log(np.abs(t - 2.3e-3))) is None


def test_waves_around_a_large_argument_are_no_noise():
    x = 7.0e11 + 0.375
    estimate = numeric.derivative(lambda x: np.sin(x - 7.0e11), x, "ladder")
    assert abs(estimate.value - np.cos(0.375)) <= estimate.error < 1e-3


@pytest.mark.parametrize("offset", [1e4, 1e6])
def test_a_slope_lost_in_noise_is_not_said_to_be_zero(offset):
    f = lambda x: float(np.float32(offset + 1e-4 * np.sin(x)))
    estimate = numeric.derivative(f, 0.3, "ladder")
    assert abs(estimate.value - 1e-4 * np.cos(0.3)) <= estimate.error


def test_a_jump_is_found_across_many_scales():
    jump = jump_of(lambda t: 1e-9 * (t > 3.3e-8), near=1e-9, far=1e-3)
    assert jump is not None
    assert jump.distance == pytest.approx(3.3e-8, rel=0.1)
