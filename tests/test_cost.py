"""``cost``: counts against formulas worked out by hand, and against what derivatives are known to
cost."""

import numpy as np
import pytest
import scipy.linalg
import scipy.special

import chainrule as cr

A = np.random.default_rng(0).normal(size=(30, 30)) + 9 * np.eye(30)
X = np.random.default_rng(1).normal(size=(50, 20))


def names(counted):
    return [row.name for row in counted.rows]


def test_flops_of_the_value_are_the_formulas():
    n = 100
    x = np.ones(n)
    values = {
        "sum of squares": (lambda x: np.sum(x * x), n + n),
        "division": (lambda x: np.sum(1 / x), 4 * n + n),
        "transcendental": (lambda x: np.sum(np.exp(x)), 20 * n + n),
        "special": (lambda x: np.sum(scipy.special.gammaln(x)), 40 * n + n),
        "views are free": (lambda x: np.sum(x.reshape(10, 10).T[2:]), 80),
    }
    for name, (f, flops) in values.items():
        assert cr.cost(f, x)["value"].flops == flops, name


def test_flops_of_matrices():
    w = np.ones((20, 7))
    product = 2 * 50 * 20 * 7
    assert cr.cost(lambda w: np.sum(X @ w), w)["value"].flops == product + 50 * 7
    assert cr.cost(lambda w: np.sum(np.einsum("ij,jk->ik", X, w)), w)[
        "value"
    ].flops == pytest.approx(product + 50 * 7)
    solve = cr.cost(lambda b: np.sum(np.linalg.solve(A, b)), np.ones(30))["value"].flops
    assert solve == pytest.approx(2 / 3 * 30**3 + 2 * 30**2 + 30)


def test_complex_numbers_cost_four_times_as_much():
    f = lambda z: np.sum(np.abs(z * z) ** 2)
    real, both = (cr.cost(f, x)["value"].flops for x in (np.ones(64), np.ones(64) + 1j))
    assert real < both <= 4 * real


def test_a_gradient_costs_a_few_f_and_differences_cost_n():
    def f(w):
        h = np.tanh(X @ w)
        return np.sum(h * h)

    w = np.ones((20, 30))
    counted = cr.cost(f, w)
    value, gradient = counted["value"], counted["gradient"]
    assert 1.5 < gradient.flops / value.flops < 4
    assert 1.5 < counted["hvp"].flops / value.flops < 8
    assert counted["finite differences"].flops == (600 + 1) * value.flops
    assert counted["central differences"].flops == 2 * 600 * value.flops
    assert counted.parameters == 600


def test_matrix_products_of_a_network_are_counted_exactly():
    """Forward n, m; backward two more products a layer, but none for the data."""
    n, m, k = 50, 20, 30
    f = lambda w: np.sum(X @ w)
    counted = cr.cost(f, np.ones((m, k)))
    assert counted["value"].flops == 2 * n * m * k + n * k
    assert counted["gradient"].flops >= 2 * (2 * n * m * k)
    assert counted["gradient"].flops <= 2 * (2 * n * m * k) + 6 * n * k


def test_writing_an_element_costs_an_element():
    def f(x):
        y = np.zeros(len(x))
        for i in range(1, len(x)):
            y[i] = 0.5 * y[i - 1] + x[i]
        return y[-1]

    small, large = (cr.cost(f, np.ones(n)) for n in (20, 80))
    for name in ("value", "gradient"):
        assert large[name].flops < 5 * small[name].flops
        assert large[name].bytes < 5 * small[name].bytes


def test_vector_functions_have_no_hessian():
    counted = cr.cost(lambda x: np.sin(x) * x, np.ones(5))
    assert "hvp" not in names(counted) and "gradient" in names(counted)


def test_memory_is_that_of_the_residuals_by_line():
    def f(x):
        a = np.sqrt(x)
        b = a + x
        return np.sum(np.exp(b))

    counted = cr.cost(f, np.ones(1000))
    lines = {kept.line.text: kept.bytes for kept in counted.residuals}
    assert lines == {"a = np.sqrt(x)": 8000, "return np.sum(np.exp(b))": 8000}
    assert counted.memory == 16_000


def test_an_array_kept_twice_is_counted_once():
    f = lambda x: np.sum(np.sin(x) * x * x)
    x = np.ones(1000)
    assert cr.cost(f, x).memory <= 5 * 8000


def test_memory_of_scalars_is_counted():
    def f(x):
        total = 0.0
        for i in range(len(x)):
            total = total + x[i] * x[i]
        return total

    assert cr.cost(f, np.ones(10)).memory >= 10 * 8


def test_second_order_without_a_rule_is_left_out():
    f = lambda x: cr.numerical(lambda v: np.sum(v**3))(x)
    with pytest.raises(cr.ChainruleError):
        cr.cost(f, np.ones(3))


def test_text_shows_ratios_evaluations_and_lines():
    def loss(w):
        return np.sum(np.tanh(X @ w) ** 2)

    text = str(cr.cost(loss, np.ones(20)))
    assert "cost of loss, 20 parameters" in text
    assert "21 evaluations" in text and "times f" in text
    assert "np.tanh(X @ w)" in text
    assert repr(cr.cost(loss, np.ones(20))).startswith("<Cost of loss in flops: value")


def test_dicts_scalars_and_several_arguments():
    f = lambda p, s: np.sum(p["a"] * s)
    counted = cr.cost(f, {"a": np.ones(4)}, 2.0, wrt=(0, 1))
    assert counted.parameters == 5


def test_branches_and_data_do_not_matter_for_counting():
    def f(x, y):
        return np.sum(x**2) if np.sum(y) > 0 else np.sum(x)

    assert cr.cost(f, np.ones(3), np.ones(2))["value"].flops >= 6
