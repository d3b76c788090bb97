"""What is no evidence: kinks, treads and ripples nearer than steps can tell; and what is, though
steps that look natural do not show it."""

import numpy as np
import pytest
from scipy import special

from chainrule.checker.judge import judged
from tests.check.corpus import HUGE
from tests.check.judging import verdict


@pytest.fixture(autouse=True)
def quiet():
    with np.errstate(all="ignore"):
        yield


def of(f, x, grad, **options):
    return judged(f, x, grad=grad, **options)


# --- kinks


@pytest.mark.parametrize("distance", [1e-9, 1e-11, 1e-13, 1e-14, 1e-15])
@pytest.mark.parametrize("n", [3, 7, 300])
def test_kinks_however_near_make_no_right_gradient_fail(n, distance):
    A = np.random.default_rng(n).standard_normal(n)
    x = 1 + distance * np.sign(A)
    report = of(lambda x: np.sum(np.maximum(x - 1, 0) * A), x, lambda x: A * (x > 1))
    assert report.verdict != "fail", str(report)
    assert report.ok or report.reason


def test_right_slopes_beside_a_knot_of_a_fine_table_stand():
    grid = np.arange(0, 3, 3e-6)
    heights = np.exp(grid)

    def slope(x):
        k = np.searchsorted(grid, x) - 1
        return (heights[k + 1] - heights[k]) / (grid[k + 1] - grid[k])

    x = np.append(np.linspace(0.5, 1.9, 9), grid[400_000] + 1e-7)
    report = of(lambda x: np.sum(np.interp(x, grid, heights)), x, slope)
    assert report.verdict != "fail", str(report)


def test_many_zeros_under_a_penalty_pass_with_a_warning():
    x = np.random.default_rng(0).standard_normal(400)
    x[::3] = 0
    f = lambda x: np.sum(np.abs(x)) + x @ x
    report = of(f, x, lambda x: np.sign(x) + 2 * x)
    assert report.ok, str(report)
    assert 0.6 < report.coverage < 1
    assert any("are zero, f has kinks there" in text for text in report.warnings)
    assert of(f, x, lambda x: np.sign(x) + 3 * x).verdict == "fail"
    wrong = lambda x: np.where(x == 0, 2.0, np.sign(x) + 2 * x)
    assert of(f, x, wrong).verdict == "fail"


# --- treads, ripples, poles


@pytest.mark.parametrize("width", [0.02, 0.05])
def test_the_slope_between_two_steps_of_a_staircase_may_be_meant(width):
    x = np.array([0.313, 1.127, 2.891])
    report = of(lambda x: np.sum(np.floor(x / width) * width), x, np.zeros_like)
    assert report.verdict == "inconclusive"
    assert "f goes in steps of" in report.reason


def test_zero_is_wrong_where_the_steps_are_those_of_single_precision():
    x = np.array([0.313, 1.127, 2.891])
    report = of(lambda x: float(np.sum(np.exp(x.astype(np.float32)))), x, np.zeros_like)
    assert report.verdict == "fail"


@pytest.mark.parametrize("count", [1999, 123_457])
def test_steps_that_meet_a_ripple_in_step_do_not_convict(count):
    k = 2 * np.pi * 2**7 * count + 0.3  # at steps of 1/2 to 1/128 it looks like sin(0.3 x)
    x = np.array([0.6, 0.9])
    report = of(lambda x: np.sum(np.sin(k * x)), x, lambda x: k * np.cos(k * x))
    assert report.verdict != "fail", str(report)


def test_zero_beside_a_pole_is_not_verified():
    x = np.array([6.3, 24.2, 14928.0, 0.65, 0.0024663, 609.0])
    f = lambda x: np.sum(special.gammaln(x))
    assert of(f, x, special.digamma).ok
    report = of(f, x, lambda x: special.digamma(x) * (x != x.min()))
    assert report.verdict == "fail"
    assert report.worst.index == (4,)


def test_waves_around_a_large_offset_are_no_noise():
    x = 7.0e11 + np.arange(20) / 8
    report = of(lambda x: np.sum(np.sin(x - 7.0e11)), x, lambda x: np.cos(x - 7.0e11))
    assert report.ok, str(report)


# --- small slopes


def test_small_slopes_are_told_from_the_noise_of_large_ones():
    weight = 10.0 ** np.arange(-6, 7, 2)
    x = np.array([0.7, 1.1, 0.4, 0.9, 0.6, 0.5, 0.8])
    assert of(lambda x: weight @ np.sin(x), x, lambda x: weight * np.cos(x)).ok
    wrong = lambda x: weight * np.cos(x) * np.where(weight < 1e-5, 1.2, 1.0)
    assert of(lambda x: weight @ np.sin(x), x, wrong).verdict == "fail"


@pytest.mark.parametrize("size", [1e-6, 1e-10, 1e-20])
def test_arguments_far_below_the_scale_of_f(size):
    a = np.array([0.5, -1.2, 0.8])
    x = size * np.array([1.0, -0.7, 0.3])
    f = lambda x: np.sum(np.exp(a * x))
    assert of(f, x, lambda x: a * np.exp(a * x)).ok
    assert of(f, x, lambda x: a * np.exp(a * x) * np.array([0, 1, 1])).verdict != "pass"
    assert of(f, x, lambda x: 1.1 * a * np.exp(a * x)).verdict == "fail"


@pytest.mark.parametrize("size", [1e-300, 1e-200, 1e200, 1e300])
def test_values_near_the_ends_of_the_range(size):
    x = np.array([0.3, -1.2, 2.0])
    f = lambda x: size * np.sum(np.cosh(x))
    assert of(f, x, lambda x: size * np.sinh(x)).ok
    assert of(f, x, lambda x: 1.1 * (size * np.sinh(x))).verdict == "fail"


# --- many numbers


def test_a_softmax_of_thousands_passes():
    x = 5 * np.random.default_rng(0).standard_normal(3000)
    report = of(special.logsumexp, x, special.softmax)
    assert report.ok, str(report)
    assert report.evaluations <= 300
    wrong = lambda x: special.softmax(x) * (1 - 1 / 3000)
    assert of(special.logsumexp, x, wrong).verdict == "fail"


def test_what_only_directions_can_see_fails():
    x = np.random.default_rng(0).standard_normal(3000)
    f = lambda x: float(np.float32(1e4 + np.mean(np.sin(x))))
    report = of(f, x, lambda x: 3 * np.cos(x) / 3000)
    assert report.verdict == "fail"
    assert "no single number is sharp enough" in report.reason


@pytest.mark.slow
@pytest.mark.parametrize("bug", HUGE[0].bugs, ids=str)
def test_what_is_wrong_among_a_million_is_found_with_300_evaluations(bug):
    report = verdict(HUGE[0], bug.gradient)
    assert report.verdict == "fail"
    assert report.evaluations <= 300
    assert "of 1000000 were looked at" in report.reason


# --- f itself


def test_f_that_changes_while_it_is_checked():
    count = [0]

    def f(x):
        count[0] += 1
        return x @ x + (count[0] > 15)

    report = of(f, np.array([0.3, -1.2, 2.0]), lambda x: 2 * x)
    assert report.verdict == "inconclusive"
    assert "keeps a state" in report.reason


# --- single precision


@pytest.mark.parametrize(
    "numbers", [np.arange(7.0), 2.0 ** -np.arange(9), np.arange(9) / 8, np.full(3, 1234567.0)]
)
def test_numbers_of_few_bits_are_not_taken_for_single_precision(numbers):
    x = np.ones(len(numbers))
    report = of(lambda x: numbers @ x, x, lambda x: numbers)
    assert report.ok
    assert report.tol == 1e-6
    assert not report.warnings


def test_one_array_in_single_precision_is_named():
    p = {"a": np.array([0.3, 0.7]), "b": np.array([0.1, 0.9])}
    f = lambda p: np.sum(np.sin(p["a"])) + np.sum(np.exp(p["b"]))
    grad = lambda p: {"a": np.cos(p["a"]), "b": np.exp(p["b"]).astype(np.float32)}
    report = of(f, p, grad)
    assert report.ok
    assert "p['b'] is in single precision" in report.warnings[0]
    half = lambda p: {"a": np.cos(p["a"]), "b": np.exp(p["b"]).astype(np.float16)}
    assert of(f, p, half).verdict == "fail"
