"""Gradients by hand beside the derivation: what agrees, what is a multiple, where it goes wrong."""

import inspect
import io
import linecache
import textwrap

import numpy as np
import pytest

import chainrule as cr
from chainrule.base.errors import MismatchError
from chainrule.cli.demo.subject import example
from chainrule.explainer.compare import compare
from chainrule.explainer.matching import stem
from tests.check.corpus import attention, dense, norm, recurrent
from tests.check.corpus.base import Pair

rng = np.random.default_rng(0)
X, T = rng.normal(size=(6, 4)), rng.normal(size=(6, 3))
W0 = rng.normal(size=(4, 3))


def row(c, name):
    return next(r for r in c.rows if r.computed.name == name)


# ---------------------------------------------------------------- the network of the examples


@pytest.fixture(scope="module")
def digits():
    module = example("digits")
    images, labels, _, _ = module.load()
    return module, (module.init(), images[:50], labels[:50])


def test_each_statement_by_hand_is_found_in_the_derivation(digits):
    module, args = digits
    c = compare(module.loss, module.loss_grad, *args)
    assert c and c.ok and c.culprit is None
    found = {r.computed.name: str(r.match) for r in c.rows if r.computed.returned is None}
    assert found["H"] == "H" and found["Z"] == "Z"
    assert found["dZ"] == "Z_bar" and found["dH"] == "H_bar"
    assert row(c, "result['W1']").match.ours.name == "W1_bar"
    assert "The gradients agree." in str(c)
    assert all(part.difference < 1e-12 for part in c.gradient)


def test_the_line_with_the_slip_is_named(digits):
    module, args = digits
    c = compare(module.loss, module.loss_grad_buggy, *args)
    assert not c
    made = c.culprit.row.computed
    assert made.name == "dA" and made.line.text.startswith("dA = dH * (1 - H)")
    assert c.culprit.expected.text == "H_bar * (1 - H**2)"
    text = str(c)
    assert f"dA (digits.py:{made.line.number}) is where it goes wrong" in text
    assert {p.name: p.ok for p in c.gradient} == {
        "W1_bar": False, "W2_bar": True, "b1_bar": False, "b2_bar": True,
    }  # fmt: skip


def test_it_prints_in_a_terminal_and_a_notebook(digits):
    from rich.console import Console

    module, args = digits
    c = compare(module.loss, module.loss_grad_buggy, *args)
    console = Console(record=True, width=200, file=io.StringIO())
    console.print(c)
    assert "goes wrong" in console.export_text()
    html = c._repr_html_()
    assert html.count("<tr>") == len({r.computed.key for r in c.rows}) + 1
    assert "1 - H" in html and repr(c) == "<Comparison of loss_grad_buggy with loss: differs>"


# ---------------------------------------------------------------- factors, signs, transposes


def squares(W):
    R = X @ W - T
    return np.sum(R**2) / len(X)


def test_a_factor_that_comes_later_is_said_and_no_mistake():
    def gradient(W):
        R = X @ W - T
        dR = 2 * R
        return X.T @ dR / len(X)

    c = compare(squares, gradient, W0)
    assert c.ok and str(row(c, "dR").match) == "6 * R_bar"
    assert row(c, "dR").verdict == "6 times ours"


def test_a_factor_that_stays_is_the_mistake():
    def gradient(W):
        R = X @ W - T
        dR = R / len(X)
        return X.T @ dR

    c = compare(squares, gradient, W0)
    assert not c.ok and str(c.culprit.row.match) == "1/2 * R_bar"
    assert c.culprit.row.computed.name == "dR" and c.culprit.expected.name == "R_bar"


def test_transposes_and_signs_are_recognised():
    def gradient(W):
        minus = T - X @ W
        dR = -2 * minus / len(X)
        columns = dR.T
        negative = -columns
        return (columns @ X).T + 0 * negative[0, 0]

    c = compare(squares, gradient, W0)
    assert c.ok
    assert str(row(c, "columns").match) == "R_bar.T"
    assert row(c, "negative").match.factor == -1
    assert row(c, "negative").verdict == "other sign"


def test_value_and_gradient_together():
    def both(W):
        R = X @ W - T
        return np.sum(R**2) / len(X), 2 * X.T @ R / len(X)

    assert compare(squares, both, W0).ok


def test_statements_of_functions_that_are_called_count_too():
    def back(R):
        dR = 2 * R / len(X)
        return X.T @ dR

    def gradient(W):
        return back(X @ W - T)

    c = compare(squares, gradient, W0)
    assert str(row(c, "dR").match) == "R_bar"


def test_writes_in_place_are_seen_when_they_happen():
    rows = np.array([0, 2, 0])

    def picked(W):
        return np.sum(W[rows] ** 2)

    def gradient(W):
        G = np.zeros_like(W)
        np.add.at(G, rows, 2 * W[rows])
        return G

    def wrong(W):
        G = np.zeros_like(W)
        G[rows] += 2 * W[rows]  # the row that is there twice is added once
        return G

    assert compare(picked, gradient, W0).ok
    c = compare(picked, wrong, W0)
    assert c.culprit.row.computed.line.text.startswith("G[rows] += ")


def test_the_result_may_be_in_the_wrong_order():
    def f(a, b):
        return np.sum(np.sin(a) * b)

    def swapped(a, b):
        da = np.cos(a) * b
        db = np.sin(a)
        return db, da

    c = compare(f, swapped, X[0], X[1])
    assert not c.ok and c.culprit.row.computed.returned is not None


def test_a_gradient_of_other_things_is_refused():
    with pytest.raises(MismatchError, match="none of that fits"):
        compare(squares, lambda W: (W, W, W), W0)


def test_the_hand_written_function_runs_once_and_untraced_afterwards():
    import sys

    calls = []

    def gradient(W):
        calls.append(1)
        return 2 * X.T @ (X @ W - T) / len(X)

    before = sys.gettrace()
    assert compare(squares, gradient, W0).ok
    assert calls == [1] and sys.gettrace() is before


@pytest.mark.parametrize(
    ("name", "expected"),
    [("dZ", "Z"), ("grad_W", "W"), ("Z_bar", "Z"), ("result['W1']", "W1"), ("h", "h"), ("dx", "x")],
)
def test_names_of_gradients(name, expected):
    assert stem(name) == expected


# ---------------------------------------------------------------- models with known mistakes


def pairs():
    modules = (dense, norm, recurrent, attention)
    return [p for m in modules for p in vars(m).values() if isinstance(p, Pair)]


@pytest.mark.parametrize("pair", pairs(), ids=str)
def test_right_gradients_agree(pair):
    c = compare(pair.f, pair.gradient, *pair.args, wrt=pair.wrt)
    assert c.ok and c.culprit is None


def with_source(pair, bug):
    """The wrong gradient with a source that Python can show, and the lines of the mistake."""
    source = textwrap.dedent(inspect.getsource(pair.gradient))
    first = bug.diff[0]
    start = source[: source.index(first)].count("\n") + 1
    for old, new in zip(bug.diff[::2], bug.diff[1::2]):
        source = source.replace(old, new)
    file = f"<{pair}: {bug}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    made = {}
    exec(compile(source, file, "exec"), dict(pair.gradient.__globals__), made)
    return made[pair.gradient.__name__], range(start, start + first.count("\n") + 1)


def test_mistakes_in_dense_networks_are_found_where_they_are():
    """Of gross mistakes in layers and norms the line is named for nine of ten."""
    found, wrong = 0, []
    for pair in (p for m in (dense, norm) for p in vars(m).values() if isinstance(p, Pair)):
        for bug in pair.bugs:
            gradient, lines = with_source(pair, bug)
            c = compare(pair.f, gradient, *pair.args, wrt=pair.wrt)
            assert not c.ok, f"{pair}: {bug}"
            assert c.culprit is not None, f"{pair}: {bug}"
            if c.culprit.row.computed.line.number in lines:
                found += 1
            else:
                wrong.append(f"{pair}: {bug}: {c.culprit}")
    assert found >= 0.88 * (found + len(wrong)), "\n".join(wrong)


def test_it_is_the_public_function():
    assert cr.compare is compare
