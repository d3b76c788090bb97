"""Derivations of formulas: the textbook's gradient, for all sizes, and nothing but formulas."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.base.errors import ArgumentError, InputError
from chainrule.explainer.expressions import substituted, text_of
from chainrule.explainer.symbolic import derive


def types(d):
    return {x.name: ",".join(map(str, x.shape)) for x in d.inputs}


def gradient(d, name):
    """The gradient as one expression, all intermediate results and cotangents written out."""
    values = {x.var: x.node for s in d.forward for x in s.definitions}
    bars = {b.var: b.node for b in d.backward}
    inputs = {x.var for x in d.inputs}

    def written_out(leaf):
        if leaf.op == "var" and leaf.var not in inputs:
            return substituted(values[leaf.var], written_out)
        return substituted(bars[leaf.var], written_out) if leaf.op == "bar" else leaf

    (wanted,) = (b for b in d.input_bars if b.name == f"{name}_bar")
    return text_of(substituted(wanted.node, written_out), d.program.names.__getitem__)


SCATTER = {":-1": np.s_[:-1], "1:": np.s_[1:]}


def evaluated(text, values, sizes):
    """A printed expression as a number: what a reader would type."""
    scope = {n: getattr(np, n) for n in "sum tanh exp log where outer conjugate".split()}
    scope |= {
        "broadcast": np.broadcast_to,
        "solve": np.linalg.solve,
        "inv": np.linalg.inv,
        "norm": np.linalg.norm,
        "maximum": np.maximum,
    }
    return eval(text, {**scope, **values, **sizes})


FORMULAS = [
    ("sum((y - X @ w)**2)/2 + lam*sum(w**2)", "w", "y:n X:n,d w:d lam:"),
    ("mean((X @ w + b - y)**2)", "w", "X:n,d w:d b:n y:n"),
    ("mean((X @ w + b - y)**2)", "X", "X:n,d w:d b:n y:n"),
    ("x @ A @ x", "A", "x:n A:n,n"),
    ("x @ A @ x", "x", "x:n A:n,n"),
    ("mean(X**2)", "X", "X:n,d"),
    ("log(sum(exp(x)))", "x", "x:n"),
    ("h = tanh(X @ W1 + b1); sum((h @ w2 - y)**2)", "W1", "X:n,d W1:d,k b1:k w2:k y:n"),
    ("h = tanh(X @ W1 + b1); sum((h @ w2 - y)**2)", "b1", "X:n,d W1:d,k b1:k w2:k y:n"),
    ("sum(maximum(X @ W + b, 0))", "W", "X:n,d W:d,k b:k"),
    ("norm(A @ x - b)", "x", "A:n,d x:d b:n"),
    ("sum(exp(-(x - mu)**2 / (2*sigma**2)))", "sigma", "x:n mu: sigma:"),
    ("sum((x - mean(X, axis=0))**2) / len(X)", "X", "x:d X:n,d"),
    ("log(det(S @ S.T + eye(3)))", "S", None),
    ("sum(solve(A, b) * c)", "b", "A:n,n b:n c:n"),
]


@pytest.mark.parametrize(("formula", "wrt", "expected"), FORMULAS)
def test_the_printed_gradient_is_the_gradient_at_sizes_never_traced(formula, wrt, expected):
    d = derive(formula, wrt=wrt)
    if expected is not None:
        assert types(d) == dict(part.split(":") for part in expected.split())
    rng = np.random.default_rng(1)
    sizes = {"n": 4, "d": 3, "k": 2}
    number = lambda axis: sizes.get(str(axis)) or int(axis)
    values = {x.name: rng.uniform(0.5, 1.5, [number(a) for a in x.shape])[()] for x in d.inputs}
    if "solve" in formula or "det" in formula or "norm" in formula:
        pytest.importorskip("scipy")
    scope = {n: getattr(np, n) for n in "sum mean log exp tanh maximum eye".split()}
    scope |= {n: getattr(np.linalg, n) for n in ("norm", "det", "solve")} | {"len": len}

    def f(x):
        local = {**scope, **values, wrt: x}
        *first, last = formula.split(";")
        for statement in first:
            exec(statement.strip(), local)
        return eval(last.strip(), local)

    text = gradient(d, wrt)
    assert not any(str(p) in text for p in (13, 17, 19, 23, 29, 31)), "a size was left in"
    if formula.startswith("log(det"):
        return  # its gradient is in the words of the library, not NumPy's
    ours = evaluated(text, values, sizes)
    numeric = cr.numeric.gradient(f, values[wrt])
    np.testing.assert_allclose(ours, numeric.value, rtol=1e-6, atol=1e-9)


def test_the_layer_of_the_lecture():
    shapes = {"X": "n,d", "W": "d,k", "y": "n,k"}
    d = derive("sum((y - tanh(X @ W))**2)", wrt="W", shapes=shapes)
    text = str(d)
    assert "f(y, X, W) = sum((y - tanh(X @ W))**2)" in text and "inferred" not in text
    assert "[d,k]" in text and "X.T @" in text
    assert "y_bar" not in [b.name for b in d.backward], "only what leads to W is derived"
    assert "float64" not in text and "…" not in text, "no values, no dtypes"
    assert r"\in \mathbb{R}^{d \times k}" in d.latex()
    assert "`[d,k]`" in d.markdown()


def test_means_have_the_letter_of_their_length():
    d = derive("sum((x - mean(x))**2) / len(x)", wrt="x")
    assert "/ n" in str(d)
    assert "/ (n * d)" in str(derive("mean(X)"))
    assert "(n - 1)" in str(derive("mean(x[1:] * x[:-1])"))


def test_what_was_inferred_is_said_and_can_be_changed():
    text = "sum((y - tanh(X @ W))**2)"
    assert types(derive(text)) == {"y": "k", "X": "n,d", "W": "d,k"}
    assert "inferred" in str(derive(text))
    assert types(derive(text, shapes={"y": "n,k"})) == {"y": "n,k", "X": "n,d", "W": "d,k"}
    assert types(derive(text, shapes={"X": "m,p"}))["X"] == "m,p"
    assert types(derive(text, shapes={"X": ("n", 3)})) == {"y": "d", "X": "n,3", "W": "3,d"}


def test_letters_of_lengths_are_no_symbols_of_the_formula():
    assert types(derive("sum(n * x)")) == {"n": "d", "x": "d"}


def test_a_number_of_the_formula_stays_that_number():
    d = derive("13 * sum(x**17) + 29 * mean(x)", wrt="x")
    assert "221 *" in gradient(d, "x") and "29" in gradient(d, "x")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("open('f')", "open"),
        ("__import__('os').system('ls')", "system"),
        ("sum(x.__class__)", ".__class__"),
        ("sum(x.tofile('f'))", ".tofile()"),
        ("np.save('f', x)", "np.save"),
        ("np.linalg.eig(x)", "eig"),
        ("(lambda: 1)()", "(lambda: 1)()"),
        ("[a for a in x]", "comprehension"),
        ("x if a else b", "where"),
        ("'text'", "text"),
        ("f'{x}'", "string"),
        ("import os", "import os"),
        ("x[0] = 1; sum(x)", "x[0]"),
        ("for i in x: pass", "for i in x"),
        ("max(x, 0)", "maximum"),
        ("sigmoid(x)", "expit"),
        ("a and b", "and/or"),
        ("(y := x)", "assignment"),
        ("sum(*x)", "star"),
        ("x @@ y", "no formula"),
        ("", "no formula"),
        ("sum = 2; sum(x)", "sum"),
    ],
)
def test_anything_but_a_formula_is_refused_by_name(text, named):
    with pytest.raises(InputError) as error:
        derive(text)
    assert named in str(error.value), error.value


@pytest.mark.parametrize(
    ("text", "options", "named"),
    [
        ("X @ X @ x", {}, "not a number"),
        ("sum(X @ Y)", {"shapes": {"X": "n,3", "Y": "4,k"}}, "lengths 3 and 4"),
        ("sum(x + y)", {"shapes": {"x": "n", "y": "m"}}, "must be equal"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(text, options, named):
    with pytest.raises(InputError, match=named):
        derive(text, **options)


def test_a_name_that_is_not_there_is_refused():
    with pytest.raises(ArgumentError, match="W"):
        derive("sum(x)", wrt="W")
    with pytest.raises(ArgumentError, match="z"):
        derive("sum(x)", shapes={"z": "n"})


def test_a_derivation_that_depends_on_the_size_is_refused():
    with pytest.raises(ArgumentError, match="sizes"):
        derive("sum(x * sort(x)[2:len(x) - 5].reshape(-1, 2)[0, 0])", shapes={"x": "n"})


def test_logarithms_and_factorisations_find_a_point_of_theirs():
    assert "/ x" in str(derive("sum(log(x))", wrt="x"))
    assert types(derive("sum(log(diag(cholesky(K))))")) == {"K": "n,n"}


def test_no_value_is_kept():
    d = derive("sum(tanh(x))")
    assert d.value is None and all(b.value is None for b in d.backward)
    assert "\n" in d.title and "random" not in repr(d)


def test_pages_and_pictures_have_letters_too(tmp_path):
    d = derive("mean((tanh(X @ W) - Y)**2)", wrt="W")
    page = d.html(tmp_path / "page.html").read_text()
    assert "n×d" in page and "n * k" in page and "float64" not in page
    assert "n×d" in str(d.picture())
    assert "W_bar" in d._repr_html_() and r"n \times d" in d._repr_latex_()
