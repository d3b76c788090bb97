"""Derivations in LaTeX and Markdown: the formulas of the textbooks, and all of them can be read."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.cli.demo.subject import example
from chainrule.explainer.expressions import substituted
from chainrule.explainer.latex import broken, parts, visible
from chainrule.explainer.latex_formulas import Formulas
from chainrule.explainer.latex_names import Names

rng = np.random.default_rng(0)
S = rng.normal(size=(3, 3))
SEQUENCE = rng.normal(size=(6, 2))


def network(W1, b1, X, y):
    H = np.tanh(X @ W1 + b1)
    return np.sum((H - y) ** 2) / 2


def many_operations(x, W):
    y = np.maximum(x, 0) * np.abs(x)
    z = W @ y / (1 + np.sum(y**2))
    u = np.where(z > 0, z, 2 * z)
    m = u.mean()
    return np.sum((u - m) / np.std(u) * np.sqrt(1 + x * x)) + x.max() + (W.T @ W).trace()


def written_into(x):
    out = np.zeros(4)
    for i in range(3):
        out[i + 1] = out[i] * x[i] + x[i] ** 2 / 2
    return out[-1] / (1 + out[0]) + out.sum()


def recurrent(W, U, sigma_x):
    h = np.zeros(3)
    for t in range(len(SEQUENCE)):
        h = np.tanh(W @ h + U @ SEQUENCE[t])
    return h @ h / (2 * sigma_x**2)


def deep(x, Ws):
    for W in Ws:
        x = np.tanh(x @ W)
    return np.sum(x**2)


def gaussian_process(K, y, λ_2):
    M = K + λ_2 * np.eye(3)
    L = np.linalg.cholesky(M)
    a = np.linalg.solve(M, y)
    return 0.5 * y @ a + np.log(np.diag(L)).sum() + (np.linalg.inv(K).T @ y) @ y


def strange_names(größe, x_train_2, lam, α):
    z = größe[:, None] * x_train_2[None, :]
    q = z.reshape(2, -1)[:, 1:3]
    return (q**3).sum() * lam**α + np.prod(größe) + np.einsum("i,j->", größe, x_train_2)


def spectrum(x):
    w, V = np.linalg.eigh(np.outer(x, x) + np.diag([1.0, 2.0, 4.0]))
    return np.log(w).sum() + V[0, 0]


def complex_power(z):
    return np.sum(np.abs(np.exp(z)) ** 2)


def digits():
    module = example("digits")
    X, Y, _, _ = module.load()
    return cr.explain(module.loss, module.init(), X[:20], Y[:20], wrt="params")


DERIVATIONS = {
    "network": lambda: cr.explain(network, np.ones((3, 2)), np.ones(2), S, S[:, :2]),
    "many operations": lambda: cr.explain(many_operations, rng.normal(size=3), S),
    "written into": lambda: cr.explain(written_into, np.array([1.0, 2.0, 3.0])),
    "recurrent": lambda: cr.explain(recurrent, S, S[:, :2], 0.4),
    "deep": lambda: cr.explain(deep, S[0], [S] * 5),
    "gaussian process": lambda: cr.explain(gaussian_process, S @ S.T + np.eye(3), S[0], 0.3),
    "strange names": lambda: cr.explain(strange_names, np.ones(2), np.ones(4), 0.5, 2.0),
    "spectrum": lambda: cr.explain(spectrum, np.array([1.0, 2.0, 3.0])),
    "complex": lambda: cr.explain(complex_power, np.ones(2) * 1j),
    "digits": digits,
}


def rows(d):
    return [row for part in parts(d) for row in part.rows if not row.words]


def formula(d, left):
    """The right-hand side of the only line that defines ``left``."""
    (right,) = {row.right for row in rows(d) if row.left == left and row.note.startswith(r"\in")}
    return right


# ---------------------------------------------------------------- as the books write it


def test_a_layer_is_written_as_in_a_textbook():
    d = DERIVATIONS["network"]()
    assert formula(d, "t_{1}") == r"X\,W_{1} + \mathbf{1}\,b_{1}^{\top}"
    assert formula(d, "H") == r"\tanh\left(t_{1}\right)"
    assert formula(d, r"\bar{t}_{1}") == r"\bar{H} \odot \left(\mathbf{1} - H^{\odot 2}\right)"
    assert formula(d, r"\bar{W}_{1}") == r"X^{\top}\,\bar{t}_{1}"
    assert formula(d, r"\bar{b}_{1}") == r"\sum_{i} \left[\bar{t}_{1}\right]_{i,:}"
    assert {r.note for r in rows(d) if r.left == "W_{1}"} == {r"\in \mathbb{R}^{3 \times 2}"}


def test_a_rolled_loop_has_subscripts_and_a_sum():
    d = DERIVATIONS["recurrent"]()
    assert formula(d, "h_{t}") == r"\tanh\left(t_{1, t}\right)"
    assert formula(d, "t_{1, t}") == r"W\,h_{t-1} + U\,\mathrm{SEQUENCE}_{t}"
    assert formula(d, r"\bar{h}_{t}") == r"W^{\top}\,\bar{t}_{1, t+1}"
    assert formula(d, r"\bar{U}") == r"\sum_{t=0}^{5} \bar{t}_{1, t}\,\mathrm{SEQUENCE}_{t}^{\top}"
    assert r"\bar{h}_{5} &= 2\,\bar{t}_{7}\,h_{5}" in d.latex(), "the last round is another one"


def value_of(f, *args):
    """The value as one formula, whatever intermediate results the derivation names."""
    d = cr.explain(f, *args)
    known = {x.var: x.node for s in d.forward for x in s.definitions}
    written_out = lambda leaf: (
        substituted(known[leaf.var], written_out) if leaf.var in known else leaf
    )
    output = d.forward[-1].result.node
    return Formulas(Names())(substituted(output, written_out), d.program.names.__getitem__)


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda A: np.sum(A**2), r"\left\lVert A \right\rVert_F^{2}"),
        (lambda A: np.trace(A), r"\operatorname{tr}\left(A\right)"),
        (lambda A: A[0] @ np.linalg.inv(A) @ A[1], r"A_{ 0 }^{\top}\,A^{-1}\,A_{ 1 }"),
        (lambda A: np.linalg.norm(A), r"\left\lVert A \right\rVert_F"),
        (lambda A: np.mean(A), r"\frac{ 1 }{ 9 }\,\sum_{i,j} A_{ij}"),
        (lambda A: np.max(np.sum(A, axis=0)), r"\max_{i} \left[\sum_{i} A_{i,:}\right]_{i}"),
        (lambda A: np.prod(A[0] + A[1]), r"\prod_{i} \left[A_{ 0 } + A_{ 1 }\right]_{i}"),
        (lambda A: 2.0 * (A[0, 0] - A[1, 1]), r"2\,\left(A_{ 0,0 } - A_{ 1,1 }\right)"),
        (lambda A: np.linalg.det(A) ** 3, r"\left(\det\left(A\right)\right)^{3}"),
    ],
)  # fmt: skip
def test_operations_have_their_usual_signs(f, expected):
    assert value_of(f, S @ S.T + np.eye(3)) == expected


def test_the_gradient_of_a_bilinear_form_is_an_outer_product():
    form = lambda x, A, y: x @ A @ y
    assert value_of(form, S[0], S, S[1]) == r"x^{\top}\,A\,y"
    d = cr.explain(form, S[0], S, S[1])
    assert formula(d, r"\bar{A}") == r"x\,\bar{t}_{1}^{\top}"


def test_sums_get_the_brackets_they_need():
    f = lambda a: np.sum((a[0] - a[1]) * (a[1] + a[2]) - (a[0] - a[2]))
    minuend = r"\left(a_{ 0 } - a_{ 1 }\right) \odot \left(a_{ 1 } + a_{ 2 }\right)"
    expected = rf"\sum_{{i}} \left[{minuend} - \left(a_{{ 0 }} - a_{{ 2 }}\right)\right]_{{i}}"
    assert value_of(f, S) == expected


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("name", "letter", "bar"),
    [
        ("h", "h", r"\bar{h}"),
        ("W1", "W_{1}", r"\bar{W}_{1}"),
        ("sigma_x", r"\sigma_{x}", r"\bar{\sigma}_{x}"),
        ("λ", r"\lambda", r"\bar{\lambda}"),
        ("log_total", r"\mathrm{log\_total}", r"\overline{\mathrm{log\_total}}"),
        ("h_{t-1}", "h_{t-1}", r"\bar{h}_{t-1}"),
        ("Ws[2]", r"\mathrm{Ws}_{ 2 }", r"\overline{\mathrm{Ws}}_{ 2 }"),
        ("self.W", r"\mathtt{self.W}", r"\overline{\mathtt{self.W}}"),
        ("größe", r"\text{größe}", r"\overline{\text{größe}}"),
    ],
)
def test_names_become_symbols(name, letter, bar):
    names = Names()
    assert (names(name), names.bar(name)) == (letter, bar)


def test_two_names_never_look_alike():
    names = Names()
    wanted = ["W1", "W_1", "lam", "lambda_", "λ", "h_{t}", "h_t", "x[t]", "x_t"]
    assert len({names(n) for n in wanted}) == len(wanted)
    assert len({names.bar(n) for n in wanted}) == len(wanted)


# ---------------------------------------------------------------- long formulas


def test_long_formulas_break_between_terms_only():
    text = " + ".join(rf"\left(a_{{{k}}} + b_{{{k}}}\right)" for k in range(30))
    lines = broken(text)
    assert len(lines) > 2 and " ".join(lines) == text
    assert all(line.count(r"\left") == line.count(r"\right") for line in lines)
    assert all(len(visible(line)) <= 80 for line in lines)


# ---------------------------------------------------------------- it can be read


@pytest.mark.parametrize("which", DERIVATIONS)
def test_every_formula_parses(which):
    converter = pytest.importorskip("latex2mathml.converter")
    d = DERIVATIONS[which]()
    for row in rows(d):
        for text in (row.left, row.right, row.note):
            assert text.count("{") == text.count("}"), text
            assert "\\" not in re.sub(r"\\ ", "", converter.convert(text)) if text else True, text


KATEX = """
const katex = require("katex");
for (const text of JSON.parse(require("fs").readFileSync(0, "utf8")))
  katex.renderToString(text, {displayMode: true, strict: "ignore"});
"""


def test_katex_reads_every_display(tmp_path):
    found = shutil.which("node")
    roots = [Path.cwd() / "node_modules"]
    if found is not None and shutil.which("npm") is not None:
        command = ["npm", "root", "--global"]
        roots.append(Path(subprocess.run(command, capture_output=True, text=True).stdout.strip()))
    folder = next((r for r in roots if (r / "katex").is_dir()), None)
    if found is None or folder is None:
        pytest.skip("KaTeX is not installed (npm install katex)")
    displays = []
    for make in DERIVATIONS.values():
        d = make()
        displays += d._repr_latex_().split("$$") + d.markdown().split("$$")[1::2]
    texts = [x.strip() for x in displays if x.strip()]
    run = subprocess.run(
        [found, "-e", KATEX],
        input=json.dumps(texts),
        text=True,
        capture_output=True,
        env={"NODE_PATH": str(folder)},
    )
    assert run.returncode == 0, run.stderr[-2000:]


@pytest.mark.parametrize("which", DERIVATIONS)
def test_the_article_is_well_formed(which):
    text = DERIVATIONS[which]().latex()
    for environment in ("align*", "cases"):
        begins, ends = f"\\begin{{{environment}}}", f"\\end{{{environment}}}"
        assert text.count(begins) == text.count(ends)
    assert text.count(r"\begin{align*}") == text.count(r"\paragraph")
    assert "ndarray" not in text and "<" not in re.sub(r"(?<= )<(?= )", "", text)


# ---------------------------------------------------------------- Markdown


def test_markdown_has_each_statement_and_a_table_of_inputs():
    d = digits()
    text = d.markdown()
    for heading in ("# The gradient of `loss`", "## Inputs", "## Forward", "## Backward"):
        assert f"\n{heading}\n" in "\n" + text
    for s in d.forward:
        assert f"**{s.number}.** `{s.source}`" in text
        assert f"**{s.number}.** Back through `{s.source}`" in text
    assert (
        "| $W_{1} \\in \\mathbb{R}^{64 \\times 32}$ | `params['W1']` | `float64[64,32]` |" in text
    )
    assert text.count("$$") % 2 == 0 and text.endswith("|\n")


def test_a_bar_in_code_does_not_break_the_table():
    d = cr.explain(lambda x: np.sum(np.where((x > 0) | (x < -1), x, 0.0)), S[0])
    table = d.markdown().partition("## Rules used")[2]
    assert all(len(re.split(r"(?<!\\)\|", line)) == 4 for line in table.splitlines() if line)


def test_the_letter_of_an_axis_is_no_name_of_the_program():
    d = cr.explain(lambda i, j: np.sum(np.outer(i, j), axis=0) @ j, S[0], S[1])
    text = d.latex().partition("Rules used")[0]
    assert r"\sum_{k} " in text and r"\sum_{i}" not in text
