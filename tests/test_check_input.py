"""Bad input: a clear sentence, a partial report, and nothing of the caller's changed."""

import time

import numpy as np
import pytest
import scipy.sparse

from chainrule import check
from chainrule.base.errors import ArgumentError, InputError

X = np.array([0.3, -1.2, 2.0])


def f(x):
    return x @ x


def grad(x):
    return 2 * x


# --- functions that raise


def test_f_that_raises_at_the_point():
    def broken(x):
        raise RuntimeError("no data")

    report = check(broken, X, grad=grad)
    assert report.verdict == "inconclusive"
    assert "f raised RuntimeError: no data, at test_check_input.py:" in report.reason
    assert 'raise RuntimeError("no data")' in report.reason
    assert isinstance(report.error, RuntimeError)


def test_grad_that_raises():
    report = check(f, X, grad=lambda x: {}["key"])
    assert report.verdict == "fail"
    assert "grad raised KeyError: 'key'" in report.reason
    assert "at test_check_input.py:" in report.reason


@pytest.mark.parametrize("error", [IndexError, RuntimeError, AssertionError, TypeError, OSError])
def test_f_that_raises_near_the_point(error):
    def edge(x):
        if x[0] > 0.3:
            raise error("outside")
        return x @ x

    report = check(edge, X, grad=grad)
    assert report.verdict != "fail"
    assert check(edge, X, grad=lambda x: 3 * x).verdict == "fail"


def test_f_defined_at_the_point_only():
    def lonely(x):
        if not np.array_equal(x, X):
            raise LookupError("unknown point")
        return 1.0

    report = check(lonely, X, grad=grad)
    assert report.verdict == "inconclusive"
    assert "unknown point" in report.reason


def test_interrupts_pass():
    def stopped(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check(stopped, X, grad=grad)


# --- values that are no numbers


@pytest.mark.parametrize("value", [None, "text", [1.0, None], object()])
def test_f_that_returns_no_number(value):
    with pytest.raises(ArgumentError, match="returned a"):
        check(lambda x: value, X, grad=grad)


def test_f_that_returns_the_gradient_too():
    with pytest.raises(ArgumentError, match="say grad=True"):
        check(lambda x: (x @ x, 2 * x), X, grad=grad)
    with pytest.raises(ArgumentError, match="say grad=True"):
        check(lambda x: (x @ x, 2 * x), X)


def test_grad_of_the_wrong_kind_is_said_in_a_sentence():
    for wrong, words in (
        (lambda x: None, "None"),
        (lambda x: "text", "str"),
        (lambda x: x[:2], "shape (2,)"),
        (lambda x: [x, x], "list"),
        (lambda x: {"x": x}, "dict"),
        (lambda x: x.astype(object), "not numbers"),
    ):
        report = check(f, X, grad=wrong)
        assert report.verdict == "fail"
        assert words in report.reason


def test_a_list_of_numbers_is_a_gradient_of_an_array():
    assert check(f, X, grad=lambda x: [2 * v for v in x]).ok
    assert check(f, X, grad=lambda x: [3 * v for v in x]).verdict == "fail"


def test_nan_in_the_gradient_fails_and_names_where():
    report = check(f, X, grad=lambda x: np.where(x > 1, np.nan, 2 * x))
    assert report.verdict == "fail"
    assert report.worst.index == (2,)


# --- points


def test_integers_are_read_as_floats():
    report = check(f, np.array([1, 2]), grad=grad)
    assert report.ok
    assert check(lambda x: x**2, 3, grad=lambda x: 2 * x).ok


@pytest.mark.parametrize("x", [np.zeros(0), {}, np.zeros((2, 0))])
def test_an_empty_point_has_nothing_to_differentiate(x):
    report = check(lambda x: 1.0, x, grad=lambda x: x)
    assert report.ok
    assert "nothing to differentiate" in report.reason


def test_points_that_are_no_numbers():
    with pytest.raises(ArgumentError, match="an array of object"):
        check(f, np.array([1.0, None]), grad=grad)
    with pytest.raises(ArgumentError, match="an array of bool"):
        check(f, np.array([True]), grad=grad)
    with pytest.raises(ArgumentError, match="a str"):
        check(f, "text", grad=grad)
    with pytest.raises(InputError, match=r"x\[1\] is nan"):
        check(f, np.array([1.0, np.nan]), grad=grad)


def test_points_that_are_no_plain_arrays():
    with pytest.raises(ArgumentError, match="x is a MaskedArray"):
        check(f, np.ma.array(X, mask=[0, 1, 0]), grad=grad)
    with pytest.raises(ArgumentError, match="x is a csr_array"):
        check(f, scipy.sparse.csr_array(np.eye(2)), grad=grad)


@pytest.mark.parametrize(
    "options",
    [
        {"tol": -1},
        {"tol": np.nan},
        {"seed": "a"},
        {"seed": -1},
        {"seconds": -1},
        {"evaluations": -1},
    ],
)
def test_options_that_mean_nothing(options):
    (name,) = options
    with pytest.raises(InputError, match=f"{name}="):
        check(f, X, grad=grad, **options)
    with pytest.raises(InputError, match="is no function"):
        check(3, X, grad=grad)


def test_objects_and_booleans_as_values():
    with pytest.raises(ArgumentError, match="returned an array of object"):
        check(lambda x: np.array(x @ x, dtype=object), X, grad=grad)
    assert check(lambda x: bool(x[0] > 0), X, grad=np.zeros_like).verdict != "fail"


def test_a_value_beside_the_gradient_that_is_not_that_of_f():
    report = check(f, X, grad=lambda x: (1.0, 2 * x))
    assert report.verdict == "fail"
    assert "with the value 1, and f(x) is 5.53" in report.reason


def test_the_point_is_never_changed():
    def writes(x):
        x[:] = 0
        return 0.0

    x, p = X.copy(), {"a": [X.copy()], "b": X.copy()}
    check(writes, x, grad=lambda x: x)
    check(f, x, grad=writes)
    check(lambda p: writes(p["b"]), p, grad=lambda p: p)
    check(f, x, jac=lambda x: writes(x))
    check(np.sin, x, vjp=lambda x, g: writes(x) + g, jvp=lambda x, v: writes(v) + x)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(p["b"], X)


# --- budgets


def test_a_budget_of_evaluations_ends_the_check_with_what_is_known():
    report = check(f, X, grad=grad, evaluations=10)
    assert report.verdict == "inconclusive"
    assert "the budget of 10 evaluations is used up after 10 evaluations of f" in report.reason
    assert report.evaluations >= 10
    assert len(report.arguments) == 1


@pytest.mark.parametrize("evaluations", range(1, 40, 3))
def test_every_budget_ends_in_a_report(evaluations):
    report = check(f, X, grad=grad, evaluations=evaluations)
    assert report.verdict in ("pass", "inconclusive")
    assert report.ok or "the budget" in report.reason
    options = {"jac": lambda x: np.diag(np.cos(x)), "jvp": lambda x, v: np.cos(x) * v}
    report = check(np.sin, X, **options, evaluations=evaluations)
    assert report.verdict in ("pass", "inconclusive")
    report = check(f, X, hess=lambda x: 2 * np.eye(3), evaluations=evaluations)
    assert report.verdict in ("pass", "inconclusive")


def test_a_budget_of_seconds():
    calls = [0]

    def slow(x):
        calls[0] += 1
        time.sleep(0.02)
        return x @ x

    x = np.ones(100)
    report = check(slow, x, grad=lambda x: 2 * x, seconds=0.3)
    assert report.verdict == "inconclusive"
    assert calls[0] <= 20
    assert "the budget of 0.3 s" in report.reason and "ms each" in report.reason


def test_a_budget_that_is_large_enough_changes_nothing():
    plain = check(f, X, grad=grad)
    report = check(f, X, grad=grad, seconds=60, evaluations=10_000)
    assert report == plain


def test_what_is_wrong_within_the_budget_is_found():
    report = check(f, X, grad=lambda x: -x, evaluations=60)
    assert report.verdict == "fail"


# --- what a report says of itself


def test_both_sides_and_a_line_to_run_again():
    report = check(f, X, grad=grad, seed=3, tol=1e-5)
    assert (report.claimed_by, report.numeric_from) == ("grad", "differences of f")
    assert report.reproduce == "chainrule.check(f, x, grad=grad, seed=3, tol=1e-05)"
    text = str(report)
    assert "claimed: grad; numeric: differences of f" in text
    assert report.reproduce in text
    own = check(lambda x, n: np.sum(x**n), X, 2)
    assert own.claimed_by == "chainrule"
    assert own.reproduce == "chainrule.check(..., x, n, seed=0)"
