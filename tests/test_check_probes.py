"""Where a wrong gradient goes wrong: probes, slips in the backward pass, rules of our own."""

import re

import numpy as np
import pytest

import chainrule as cr
from chainrule import check, probe

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
PARAMS = {"W1": rng.normal(size=(3, 4)), "b1": rng.normal(size=4), "W2": rng.normal(size=(4, 2))}


def loss(p):
    z = X @ p["W1"] + p["b1"]
    h = np.tanh(z)
    out = h @ p["W2"]
    return np.mean((out - Y) ** 2)


def backward(p, bug="", show=True):
    """The gradient of ``loss`` by hand, with a slip if asked for."""
    z = X @ p["W1"] + p["b1"]
    h = np.tanh(z)
    out = h @ p["W2"]
    see = probe if show else lambda *_: None
    d_out = 2 * (out - Y) / (len(Y) if bug == "mean" else Y.size)
    see("out", out, d_out)
    d_h = d_out @ p["W2"].T
    see("h", h, d_h)
    slope = {"no tanh": 1.0, "not squared": 1 - h, "odd": 1 - h**3 + 0.3 * z}.get(bug, 1 - h**2)
    d_z = d_h * slope
    see("z", z, d_z)
    b1 = d_z.mean(axis=0) if bug == "bias" else d_z.sum(axis=0)
    W1 = X.T @ d_z
    W2 = -h.T @ d_out if bug == "sign" else h.T @ d_out
    return {"W1": W1, "b1": b1, "W2": W2}


def verdicts(report):
    return {finding.where: finding.verdict for finding in report.findings}


# --- probes


def test_a_right_gradient_is_not_searched():
    report = check(loss, PARAMS, grad=backward)
    assert report.ok
    assert report.findings == ()
    assert report.fault == ""


def test_the_first_wrong_cotangent_is_named():
    report = check(loss, PARAMS, grad=lambda p: backward(p, "not squared"))
    assert verdicts(report) == {"out": "pass", "h": "pass", "z": "fail"}
    assert "the cotangent of 'z' is wrong" in report.fault
    assert "that of 'h' is right" in report.fault
    assert "from 'h' to 'z'" in report.fault
    assert "h = np.tanh(z)" in report.fault
    assert "z[" in report.fault


def test_the_first_of_all_may_be_wrong():
    report = check(loss, PARAMS, grad=lambda p: backward(p, "mean"))
    assert verdicts(report) == {"out": "fail"}
    assert "twice too large" in report.fault
    assert "from the end to 'out'" in report.fault


def test_right_probes_leave_what_is_before_them():
    report = check(loss, PARAMS, grad=lambda p: backward(p, "bias"))
    assert set(verdicts(report).values()) == {"pass"}
    assert "the cotangents of all probes are right" in report.fault
    assert "between 'z' and the gradient" in report.fault


def test_probes_in_code_that_cannot_be_traced():
    import json

    def f(p):
        z = probe("z", X @ np.array(json.loads(json.dumps(p["W1"].tolist()))) + p["b1"])
        h = np.tanh(z)
        probe("h", h)  # as a statement
        return np.mean((h @ p["W2"] - Y) ** 2)

    assert check(f, PARAMS, grad=backward).ok
    report = check(f, PARAMS, grad=lambda p: backward(p, "no tanh"))
    assert verdicts(report)["h"] == "pass"
    assert verdicts(report)["z"] == "fail"
    assert verdicts(report)["out"] == "inconclusive"
    out = next(finding for finding in report.findings if finding.where == "out")
    assert 'mark the value there, probe("out", ...)' in out.text


def test_probes_in_a_loop_are_told_apart_by_their_values():
    def f(x):
        for _ in range(3):
            x = np.sin(x)
        return np.sum(x)

    def grad(x):
        values = [x]
        for _ in range(3):
            values.append(np.sin(values[-1]))
        bar = np.ones_like(x)
        for k in (2, 1, 0):
            slope = np.cos(values[k]) if k != 1 else -np.cos(values[k])
            bar = slope * bar
            probe("x", values[k], bar)
        return bar

    report = check(f, np.array([0.3, 1.0]), grad=grad)
    assert [finding.verdict for finding in report.findings] == ["pass", "fail"]


def test_a_stale_forward_value_is_told():
    def grad(p):
        q = {**p, "W1": p["W1"] * 1.01}
        return backward(q)

    report = check(loss, PARAMS, grad=grad)
    assert verdicts(report) == {"out": "fail"}
    assert "the value of 'out' is wrong: out[" in report.fault
    assert "the forward passes differ" in report.fault


def test_a_value_that_f_never_has_is_told():
    def grad(p):
        d_z = np.ones((6, 4))
        probe("slope", 1 - np.tanh(X @ p["W1"]) ** 2, d_z)
        return backward(p, "sign")

    report = check(loss, PARAMS, grad=grad)
    assert verdicts(report)["slope"] == "inconclusive"
    assert "stale" in next(f for f in report.findings if f.where == "slope").text


def test_views_and_values_that_are_made_twice():
    def f(x):
        halves = x.reshape(2, 3)
        first, second = halves[0], halves[1]
        return np.sum(np.sin(first) * second) + np.sum(np.cos(np.sin(first)))

    def grad(x, factor=1.0):
        a, b = x[:3], x[3:]
        s = np.sin(a)
        probe("s", s, b - np.sin(s))
        probe("a", a, factor * np.cos(a) * (b - np.sin(s)))
        return np.concatenate([np.cos(a) * (b - np.sin(s)), s + (factor - 1)])

    x = rng.normal(size=6)
    assert verdicts(check(f, x, grad=lambda x: grad(x, 2.0))) == {"s": "pass", "a": "fail"}
    report = check(f, x, grad=lambda x: 2 * grad(x))
    assert verdicts(report) == {"s": "pass", "a": "pass"}


def test_a_cotangent_of_the_wrong_shape():
    def grad(p):
        h = np.tanh(X @ p["W1"] + p["b1"])
        probe("h", h, np.ones(4))
        return backward(p, "sign", show=False)

    report = check(loss, PARAMS, grad=grad)
    assert "it has shape (4,), the value has (6, 4)" in report.fault


def test_outside_of_a_check_a_probe_does_nothing():
    x = np.ones(2)
    assert probe("x", x) is x
    assert probe("x", 3.0, 1.0) == 3.0
    assert cr.grad(lambda x: np.sum(probe("x", x) ** 2))(x).tolist() == [2, 2]


# --- slips, without probes


@pytest.mark.parametrize(
    ("bug", "pattern"),
    [
        ("no tanh", r"the factor of tanh in .* h = np\.tanh\(z\) is left out"),
        ("sign", r"the sign of W2's cotangent from matmul in .* out = h @ p\[.W2.\] is flipped"),
        ("bias", r"b1's cotangent from add in .* is divided by 6"),
        ("not squared", r"the slope of tanh in .* by z is taken as 1 - h"),
    ],
)
def test_a_slip_of_the_backward_pass_is_found(bug, pattern):
    report = check(loss, PARAMS, grad=lambda p: backward(p, bug, show=False))
    assert report.verdict == "fail"
    assert re.search(pattern, report.fault), report.fault


def square(x, W):
    h = W @ x
    a = np.sin(h)
    b = h * h
    return np.sum(W @ a) + np.sum(b)


@pytest.mark.parametrize(
    ("wrong", "pattern"),
    [
        # the inner matrix transposed
        (lambda W, c, s, h: W.T @ (W @ np.ones(3) * c + 2 * h), "a's cotangent.*transposed|"),
        # one of two uses forgotten
        (lambda W, c, s, h: W.T @ (W.T @ np.ones(3) * c), "left out|counts for h"),
        (lambda W, c, s, h: W.T @ (2 * h), "left out|counts for h"),
        # h*h as if it were linear in h
        (lambda W, c, s, h: W.T @ (W.T @ np.ones(3) * c + h), "halved|left out"),
    ],
)
def test_slips_deep_inside(wrong, pattern):
    x, W = rng.normal(size=3), rng.normal(size=(3, 3))

    def grad(x, W):
        h = W @ x
        return wrong(W, np.cos(h), np.sin(h), h)

    report = check(square, x, W, grad=grad)
    assert report.verdict == "fail"
    assert re.search(pattern, report.fault), report.fault


def test_square_matrices_that_are_not_transposed():
    W, V = rng.normal(size=(2, 4, 4))
    x = rng.normal(size=(3, 4))
    f = lambda x, W, V: np.sum(np.tanh(x @ W) @ V)

    def grad(x, W, V):
        g = np.ones((3, 4)) @ V.T * (1 - np.tanh(x @ W) ** 2)
        return g @ W  # should be W.T

    report = check(f, x, W, V, grad=grad)
    assert "the derivative of matmul in" in report.fault
    assert "by x is computed with W.T in the place of W" in report.fault


@pytest.mark.parametrize(("k", "word"), [(0, "first"), (-1, "last")])
def test_one_sample_in_place_of_the_batch(k, word):
    def f(W, b):
        return np.sum(np.tanh(X @ W + b))

    def grad(W, b):
        g = 1 - np.tanh(X @ W + b) ** 2
        return X.T @ g, g[k]

    report = check(f, PARAMS["W1"], PARAMS["b1"], grad=grad, wrt=(0, 1))
    assert f"only the {word} index of axis 0 counts for b in add" in report.fault

    def one(W, b):
        g = 1 - np.tanh(X @ W + b) ** 2
        return np.outer(X[k], g[k]), g.sum(axis=0)

    report = check(f, PARAMS["W1"], PARAMS["b1"], grad=one, wrt=(0, 1))
    assert f"only the {word} index of axis 0 counts for W in matmul" in report.fault


def test_the_last_step_of_a_loop_only():
    def f(w):
        total = 0.0
        for x in X:
            total = total + np.tanh(x @ w)
        return total

    def grad(w):
        for x in X:
            g = (1 - np.tanh(x @ w) ** 2) * x  # = for +=
        return g

    report = check(f, rng.normal(size=3), grad=grad)
    assert "cotangents of several uses must be added" in report.fault


def test_assignment_where_indices_repeat():
    index = np.array([0, 2, 2, 1])

    def f(E):
        return np.sum(np.sin(E[index]))

    def grad(E):
        g = np.zeros_like(E)
        g[index] = np.cos(E[index])
        return g

    report = check(f, rng.normal(size=(4, 2)), grad=grad)
    assert "where an index repeats, cotangents must be added" in report.fault


def test_a_slip_in_a_loop_happens_every_time():
    def f(x):
        for _ in range(4):
            x = np.tanh(x) + x
        return np.sum(x)

    def grad(x):
        g = np.ones_like(x)
        return g * 2.0**4  # 1 in place of 1 - tanh^2

    report = check(f, np.array([0.4, -1.0]), grad=grad)
    assert re.search("the factor of tanh .* is left out", report.fault), report.fault


def test_an_unknown_slip_is_not_guessed_but_where_it_is():
    report = check(loss, PARAMS, grad=lambda p: backward(p, "odd", show=False))
    assert report.verdict == "fail"
    assert "it is what results" not in report.fault
    assert "the gradient of W2 is right: if one step is wrong, it is in" in report.fault
    assert "h = np.tanh(z)" in report.fault


def test_gradients_that_have_changed_places():
    f = lambda a, b: np.sum(np.sin(a) * b)
    a, b = rng.normal(size=(2, 5))
    report = check(f, a, b, wrt=(0, 1), grad=lambda a, b: (np.sin(a), np.cos(a) * b))
    assert "the gradients of a and b have changed places" in report.fault


# --- rules of our own


def test_a_wrong_rule_is_named_with_its_line():
    @cr.custom_rule(check=False)
    def soft(x):
        return np.log1p(np.exp(x))

    @soft.vjp
    def soft_vjp(g, y, x):
        return g / (1 + np.exp(x))  # should be exp(-x)

    def f(x):
        y = soft(x * 2)
        return np.sum(y**2)

    report = check(f, np.array([0.3, -1.0, 2.0]))
    assert report.verdict == "fail"
    assert "the rule of soft in test_check_probes.py" in report.fault
    assert "y = soft(x * 2)" in report.fault
    assert list(verdicts(report).values()).count("fail") == 1
    assert verdicts(report)[next(k for k in verdicts(report) if k.startswith("soft"))] == "fail"


# --- patterns


@pytest.mark.parametrize(
    ("wrong", "pattern"),
    [
        (lambda g, x: np.abs(g), "the absolute value"),
        (lambda g, x: g * np.where(np.arange(12).reshape(3, 4) % 3 == 0, -1, 1), "sign is flipped"),
        (lambda g, x: np.clip(g, -0.5, 0.5), r"clipped to ±0.5"),
        (lambda g, x: g.astype(np.float16), "rounded to float16"),
        (lambda g, x: np.rint(100 * g) / 100, "^$"),
        (lambda g, x: np.roll(g, 1, 0), r"shifted by \+1 along axis 0"),
        (lambda g, x: np.vstack([np.zeros(4), g[:-1]]), "with zeros at the end"),
        (lambda g, x: g.reshape(-1, order="F").reshape(3, 4), "other order"),
        (lambda g, x: np.where(x > 0, g, 2 * g), "where the argument is negative"),
        (lambda g, x: np.broadcast_to(g.sum(0), g.shape), "along axis 0: the sum over it"),
        (lambda g, x: np.broadcast_to(g.mean(1)[:, None], g.shape), "axis 1: the mean over it"),
        (lambda g, x: g * np.array([1.0, 3.0, 1.5])[:, None], "index of axis 0 has a wrong factor"),
        (lambda g, x: np.vstack([g[:1], 0 * g[1:]]), "zero where it is not: the last 2 of axis 0"),
        (lambda g, x: g - 0.01 * np.sign(x), r"0.01 × sign\(argument\) is missing"),
        (
            lambda g, x: g * np.where(np.arange(4) == 3, 1.1, 1),
            r"1\.1 × numeric at index 3 of axis 1",
        ),
        (lambda g, x: g + (np.arange(4) == 3) * x**2, "wrong only at index 3 of axis 1"),
    ],
)
def test_patterns_in_one_array(wrong, pattern):
    A = np.random.default_rng(4).normal(size=(3, 4)) + 0.1
    x = np.random.default_rng(5).normal(size=(3, 4))

    def gradient(x):
        return wrong(A * np.cos(x), x)

    report = check(lambda x: np.sum(A * np.sin(x)), x, grad=gradient)
    assert report.verdict == "fail"
    assert re.search(pattern, report.arguments[0].pattern), report.arguments[0].pattern


@pytest.mark.parametrize(
    ("f", "gradient", "pattern"),
    [
        (lambda x: np.sum(np.exp(3 * x)), lambda x: 3 * np.exp(2 * x), r"factor exp\(argument\)"),
        (lambda x: np.sum(x**3), lambda x: 3 * x, "the factor argument is missing"),
        (
            lambda x: np.sum(np.log(x * x)),
            lambda x: 2 + 0 * x,
            "factor (1 / argument is missing|argument is too much)",
        ),
    ],
)
def test_factors_that_depend_on_the_argument(f, gradient, pattern):
    report = check(f, np.array([0.3, 1.2, -0.7, 2.0]), grad=gradient)
    assert re.search(pattern, report.arguments[0].pattern), report.arguments[0].pattern


def test_axes_of_three_dimensions():
    A = rng.normal(size=(3, 2, 3))
    report = check(
        lambda x: np.sum(A * np.sin(x)), A, grad=lambda x: np.swapaxes(A * np.cos(x), 0, 2)
    )
    assert report.arguments[0].pattern == "axes 0 and 2 are exchanged"
