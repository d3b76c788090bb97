"""The judge: right gradients are never failed, wrong ones never passed, and reasons are given."""

import io
import json
import re

import numpy as np
import pytest

from chainrule.base.errors import ArgumentError, InputError, NotScalarError
from chainrule.checker import check
from tests.check_corpus import HARD, MANY, ORDINARY, PAIRS, mutants

X = np.array([0.3, -1.2, 2.0, 0.7])


def names(pairs):
    return [pair.name for pair in pairs]


def numbers(x):
    leaves = x.values() if isinstance(x, dict) else x if isinstance(x, tuple) else [x]
    return sum(np.size(leaf) for leaf in leaves)


# --- the corpus


@pytest.mark.parametrize("pair", ORDINARY + MANY, ids=names(ORDINARY + MANY))
def test_right_gradients_pass(pair):
    report = check(pair.f, pair.x, grad=pair.gradient)
    assert report.verdict == "pass", str(report)
    assert report.ok
    assert bool(report)


@pytest.mark.parametrize("pair", HARD, ids=names(HARD))
def test_right_but_hard_gradients_do_not_fail(pair):
    report = check(pair.f, pair.x, grad=pair.gradient)
    assert report.verdict != "fail", str(report)
    assert report.verdict == "pass" or report.reason


def test_few_of_the_hard_ones_are_inconclusive():
    verdicts = [check(pair.f, pair.x, grad=pair.gradient).verdict for pair in HARD]
    assert verdicts.count("inconclusive") <= 2


@pytest.mark.parametrize("pair", PAIRS, ids=names(PAIRS))
def test_wrong_gradients_fail(pair):
    for name, wrong in mutants(pair.gradient(pair.x)):
        report = check(pair.f, pair.x, grad=lambda x, wrong=wrong: wrong)
        assert report.verdict == "fail", f"{name}: {report}"
        assert not report


def test_cost_is_about_ten_evaluations_a_number_and_some_hundred_for_many():
    costs = [
        check(pair.f, pair.x, grad=pair.gradient).evaluations / max(numbers(pair.x), 1)
        for pair in ORDINARY + HARD
    ]
    assert np.median(costs) <= 20
    for pair in MANY:
        assert check(pair.f, pair.x, grad=pair.gradient).evaluations <= 300


@pytest.mark.parametrize("seed", range(1, 4))
def test_other_seeds_give_the_same_verdicts(seed):
    for pair in MANY:
        assert check(pair.f, pair.x, grad=pair.gradient, seed=seed).ok
        name, wrong = next(iter(mutants(pair.gradient(pair.x))))
        report = check(pair.f, pair.x, grad=lambda x, wrong=wrong: wrong, seed=seed)
        assert report.verdict == "fail", name
        assert report.seed == seed


# --- realistic bugs


def loss(w, decay=1e-5):
    data = np.random.default_rng(3).standard_normal((50, 4))
    sign = np.where(np.arange(50) % 3 == 0, 1.0, -1.0)
    return np.mean(np.logaddexp(0, -sign * (data @ w))) + 0.5 * decay * w @ w


def loss_gradient(w, decay=1e-5, last=50):
    data = np.random.default_rng(3).standard_normal((50, 4))
    sign = np.where(np.arange(50) % 3 == 0, 1.0, -1.0)
    share = -sign / (1 + np.exp(sign * (data @ w)))
    return data[:last].T @ share[:last] / 50 + decay * w


@pytest.mark.parametrize(
    "wrong",
    [
        lambda w: loss_gradient(w, 0.0),
        lambda w: loss_gradient(w, 2e-5),
        lambda w: loss_gradient(w, -1e-5),
        lambda w: loss_gradient(w, last=49),
        lambda w: 50 * loss_gradient(w),
        lambda w: loss_gradient(w).astype(np.float16),
        lambda w: loss_gradient(w) + 1e-5,
        lambda w: loss_gradient(w)[[1, 0, 2, 3]],
        lambda w: np.where(np.arange(4) == 2, np.nan, loss_gradient(w)),
    ],
)
def test_small_but_real_errors_fail(wrong):
    assert check(loss, X, grad=loss_gradient)
    assert check(loss, X, grad=wrong).verdict == "fail"


def test_single_precision_gradient_passes_and_is_reported():
    report = check(loss, X, grad=lambda w: loss_gradient(w).astype(np.float32))
    assert report.ok
    assert "single precision" in report.warnings[0]
    assert report.tol == 2e-6


def test_errors_in_many_numbers():
    a = np.random.default_rng(0).standard_normal(5000)

    def f(x):
        return np.sum(a * np.sin(x))

    def right(x):
        return a * np.cos(x)

    def last_batch_lost(x):
        g = right(x)
        g[-64:] = 0
        return g

    def one_sign(x):
        g = right(x)
        g[777] *= -1
        return g

    x = np.random.default_rng(1).standard_normal(5000)
    report = check(f, x, grad=right)
    assert report.ok
    assert report.coverage > 0.99
    assert report.mode == "directions"
    assert report.evaluations <= 300
    report = check(f, x, grad=one_sign)
    assert report.verdict == "fail"
    assert report.worst.index == (777,)
    assert report.arguments[0].pattern == "wrong only at [777]"
    report = check(f, x, grad=last_batch_lost)
    assert report.verdict == "fail"
    assert report.worst.index[0] >= 5000 - 64


def test_accumulating_index_assigned_instead_of_added():
    index = [1, 2, 2, 5]

    def f(E):
        return np.sum(np.sin(E[index]))

    def assigned(E):
        g = np.zeros_like(E)
        g[index] = np.cos(E[index])
        return g

    def added(E):
        g = np.zeros_like(E)
        np.add.at(g, index, np.cos(E[index]))
        return g

    E = np.random.default_rng(0).standard_normal((300, 4))
    assert check(f, E, grad=added)
    report = check(f, E, grad=assigned)
    assert report.verdict == "fail"
    assert report.worst.index[0] == 2


# --- what the report says


@pytest.mark.parametrize(
    ("wrong", "pattern"),
    [
        (lambda g: -g, "the sign is flipped"),
        (lambda g: 2 * g, "twice too large"),
        (lambda g: g / 2, "half of it is missing"),
        (lambda g: 4 * g, "the length of axis 0"),
        (lambda g: g[::-1], "reversed"),
        (lambda g: np.roll(g, 1), r"shifted by \+1"),
        (lambda g: g[[0, 2, 3, 1]], "permuted"),
        (lambda g: g * (np.arange(4) > 1), "zero where it is not"),
        (lambda g: g + 0.1, "constant 0.1"),
        (lambda g: g - 0.1 * X, r"0\.1 × argument is missing"),
        (lambda g: g * np.array([1, 1, 1.1, 1]), r"wrong only at \[2\]"),
    ],
)
def test_simple_patterns_are_named(wrong, pattern):
    def gradient(x):
        return wrong(np.cosh(x) + 0.05 * x)

    report = check(lambda x: np.sum(np.sinh(x) + 0.025 * x * x), X, grad=gradient)
    assert report.verdict == "fail"
    assert re.search(pattern, report.arguments[0].pattern), report.arguments[0].pattern


def test_transposed_gradient_is_named():
    A = np.random.default_rng(0).standard_normal((3, 3))
    report = check(lambda x: np.sum(A * np.sin(x)), A, grad=lambda x: (A * np.cos(x)).T)
    assert report.arguments[0].pattern == "transposed"


def test_worst_number_has_path_index_and_bound():
    report = check(
        lambda p: np.sum(p["W"] ** 2) * p["b"],
        {"W": np.ones((2, 2)), "b": 3.0},
        grad=lambda p: {
            "W": 2 * p["W"] * p["b"] * np.array([[1, 1], [1.5, 1]]),
            "b": np.sum(p["W"] ** 2),
        },
    )
    worst = report.worst
    assert worst.name == "p['W'][1, 0]"
    assert worst.claimed == 9.0
    assert abs(worst.numeric - 6) <= worst.error_bound < 1e-9
    assert "p['W'][1, 0]: claimed 9, numeric 6" in str(report)
    assert [argument.wrong for argument in report.arguments] == [1, 0]


def test_report_as_text_dict_and_rich():
    report = check(lambda x: np.sum(x**2), X, grad=lambda x: x)
    assert str(report).startswith("FAIL: 4 of 4 measured numbers are wrong")
    assert "seed 0" in str(report)
    assert repr(report).startswith("Report('fail'")
    data = json.loads(json.dumps(report.to_dict()))
    assert data["verdict"] == "fail"
    assert data["ok"] is False
    assert data["arguments"][0]["pattern"].endswith("half of it is missing")
    from rich.console import Console

    console = Console(width=100, record=True, file=io.StringIO())
    console.print(report)
    assert "half of it is" in console.export_text()


def test_only_pass_is_true():
    assert not check(lambda x: x @ x, X, grad=lambda x: x)
    assert not check(lambda x: np.nan * x.sum(), X, grad=lambda x: x)


# --- kinks, edges, noise


def test_subgradient_at_a_kink_passes_with_a_warning():
    x = np.array([0.0, 1.0])
    for slope in (-1.0, 0.0, 0.5, 1.0):
        report = check(
            lambda x: np.sum(np.abs(x)), x, grad=lambda x, s=slope: np.where(x == 0, s, np.sign(x))
        )
        assert report.ok
        assert "x[0]" in report.warnings[0]
    report = check(lambda x: np.sum(np.abs(x)), x, grad=lambda x: np.where(x == 0, 1.5, np.sign(x)))
    assert report.verdict == "fail"
    assert report.worst.left == pytest.approx(-1)
    assert report.worst.right == pytest.approx(1)
    assert "kink" in str(report)


def test_infinite_slope_is_inconclusive():
    report = check(
        lambda x: np.sum(np.sqrt(x)), np.array([0.0, 1.0]), grad=lambda x: np.array([np.inf, 0.5])
    )
    assert report.verdict == "inconclusive"
    assert "x[0]" in report.reason


def test_value_that_is_not_finite_is_inconclusive():
    report = check(lambda x: np.nan * x.sum(), X, grad=lambda x: x)
    assert report.verdict == "inconclusive"
    assert "f(x) is nan" in report.reason


def test_noise_too_large_is_inconclusive_and_named():
    def f(x):
        bits = int(np.float64(x @ np.arange(1.0, 5)).view(np.int64)) & (2**62 - 1)
        return np.sum(np.sin(x)) + 0.02 * np.random.default_rng(bits).random()

    report = check(f, X, grad=np.cos)
    assert report.verdict == "inconclusive"
    assert "noise" in report.reason
    assert report.worst is not None
    assert check(f, X, grad=lambda x: 9 * np.cos(x)).verdict == "fail"


# --- impure functions


def test_state_and_randomness_of_f_are_named():
    count = [0]

    def stateful(x):
        count[0] += 1
        return x @ x + 1e-3 * count[0]

    generator = np.random.default_rng(0)

    def dropout(x):
        return np.sum(x * x * (generator.random(x.size) < 0.5))

    for f in (stateful, dropout):
        report = check(f, X, grad=lambda x: 2 * x)
        assert report.verdict == "inconclusive"
        assert "random, or it keeps a state" in report.reason


def test_changed_arguments_are_named():
    def f_changes(x):
        x *= 2
        return x @ x

    def grad_changes(x):
        x *= 2
        return x

    report = check(f_changes, X, grad=lambda x: 8 * x)
    assert (report.verdict, report.reason) == ("inconclusive", "f changes its argument x")
    report = check(lambda x: x @ x, X, grad=grad_changes)
    assert (report.verdict, report.reason) == ("fail", "grad changes its argument x")
    assert X[0] == 0.3


def test_buffers_of_grad_are_named():
    buffer = np.zeros(4)

    def accumulating(x):
        buffer[:] += 2 * x
        return buffer.copy()

    def aliased(x):
        buffer[:] = 2 * x
        return buffer

    report = check(lambda x: x @ x, X, grad=accumulating)
    assert report.verdict == "fail"
    assert "two gradients at the same point" in report.reason
    report = check(lambda x: x @ x, X, grad=aliased)
    assert report.verdict == "fail"
    assert "overwrites" in report.reason


# --- shapes and arguments


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (lambda x: 2 * x[:, None], "flattened"),
        (lambda x: np.tile(2 * x, (5, 1)), "the batch"),
        (lambda x: [2 * x], "should be a leaf, but it is a list"),
        (lambda x: None, "should be a leaf, but it is None"),
        (lambda x: 2j * x, "is complex"),
        (lambda x: "text", "a str, not numbers"),
        (lambda x: x @ x, "has shape"),
    ],
)
def test_gradient_of_the_wrong_kind_fails(wrong, reason):
    report = check(lambda x: x @ x, X, grad=wrong)
    assert report.verdict == "fail"
    assert reason in report.reason


def test_transposed_shape_is_guessed():
    A = np.ones((2, 3))
    report = check(lambda x: np.sum(x * x), A, grad=lambda x: 2 * x.T)
    assert "is it transposed?" in report.reason


def test_value_and_gradient_is_accepted():
    assert check(lambda x: x @ x, X, grad=lambda x: (x @ x, 2 * x))


def test_wrt_selects_by_position_and_name():
    def f(a, b, scale=3.0):
        return scale * np.sum(a * b * b)

    a, b = X, X + 1
    assert check(f, a, b, grad=lambda a, b: 3 * b * b)
    assert check(f, a, b, wrt="b", grad=lambda a, b: 6 * a * b)
    assert check(f, a, b, wrt=(0, "b"), grad=lambda a, b: (3 * b * b, 6 * a * b))
    report = check(f, a, b, wrt=(0, 1), grad=lambda a, b: (6 * a * b, 3 * b * b))
    assert report.verdict == "fail"
    assert {argument.name for argument in report.arguments} == {"a", "b"}
    with pytest.raises(ArgumentError, match="Choose from f"):
        check(f, a, b, wrt="c", grad=lambda a, b: a)


def test_fixed_arguments_may_be_anything():
    assert check(
        lambda x, power, text: np.sum(x**power), X, 3, "cubic", grad=lambda x, p, t: 3 * x**2
    )


def test_float32_arguments():
    report = check(lambda x: np.sum(np.sin(x)), X.astype(np.float32), grad=np.cos)
    assert report.ok
    assert report.arguments[0].digits > 2
    assert not check(
        lambda x: np.sum(np.sin(x)), X.astype(np.float32), grad=lambda x: 1.05 * np.cos(x)
    )


def test_both_modes_on_request():
    for mode in ("coordinates", "directions"):
        report = check(lambda x: np.sum(np.sin(x)), X, grad=np.cos, mode=mode)
        assert report.ok
        assert report.mode == mode
    with pytest.raises(InputError, match="unknown"):
        check(np.sum, X, grad=np.ones_like, mode="magic")


def test_array_valued_function_is_refused():
    with pytest.raises(NotScalarError, match=r"shape \(4,\)"):
        check(np.sin, X, grad=np.cos)


def test_tolerance_can_be_set():
    assert check(lambda x: x @ x, X, grad=lambda x: 2.0001 * x).verdict == "fail"
    assert check(lambda x: x @ x, X, grad=lambda x: 2.0001 * x, tol=1e-3)
