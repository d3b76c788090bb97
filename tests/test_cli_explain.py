"""``chainrule explain``: each form of the derivation, and one clear message for each bad input."""

import numpy as np
import pytest
from typer.testing import CliRunner

import chainrule as cr
from chainrule.cli.commands import app
from chainrule.cli.files import load_function, load_module

MODEL = """
import numpy as np

def loss(params, X, y):
    r = np.tanh(X @ params["w"]) - y
    return np.mean(r ** 2)

def residuals(params, X, y):
    return X @ params["w"] - y

def broken(params, X, y):
    return X @ y[:1]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "model.py").write_text(MODEL)
    rng = np.random.default_rng(0)
    point = {"params.w": rng.normal(size=3), "X": rng.normal(size=(5, 3)), "y": np.ones(5)}
    np.savez(tmp_path / "point.npz", **point)
    monkeypatch.chdir(tmp_path)
    load_module.cache_clear()
    return tmp_path


def explain(*words):
    result = CliRunner().invoke(app, ["explain", *words])
    return result.exit_code, result.output


AT = ("model.py:loss", "--at", "point.npz")


def expected(folder, wrt=0):
    f = load_function("model.py:loss")
    with np.load("point.npz") as file:
        args = ({"w": file["params.w"]}, file["X"], file["y"])
    return cr.explain(f, *args, wrt=wrt)


def test_the_text_is_the_default(folder):
    status, output = explain(*AT)
    assert status == 0 and output == f"{expected(folder)}\n"
    assert "w_bar = " in output and "X_bar" not in output


def test_wrt_may_be_repeated(folder):
    status, output = explain(*AT, "--wrt", "params", "--wrt", "X")
    assert status == 0 and output == f"{expected(folder, (0, 1))}\n"


def test_latex_markdown_and_source_are_printed(folder):
    d = expected(folder)
    assert explain(*AT, "--latex") == (0, d.latex())
    assert explain(*AT, "--markdown") == (0, d.markdown())
    status, source = explain(*AT, "--source")
    assert status == 0
    made: dict = {"__name__": "made"}
    exec(source, made)
    with np.load("point.npz") as file:
        args = ({"w": file["params.w"]}, file["X"], file["y"])
    value, gradient = made["loss_value_and_grad"](*args)
    wanted, by_us = cr.value_and_grad(load_function("model.py:loss"))(*args)
    assert value == wanted
    np.testing.assert_allclose(gradient["w"], by_us["w"])


def test_pages_and_pictures_are_written(folder):
    status, output = explain(*AT, "--html", "page.html")
    assert status == 0 and "page.html" in output
    assert "w_bar" in (folder / "page.html").read_text()
    status, output = explain(*AT, "--picture", "graph.svg")
    assert status == 0 and (folder / "graph.svg").read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("model.py:lose", "--at", "point.npz"), "Did you mean 'loss'"),
        (("model.py:loss", "--at", "pint.npz"), "point.npz"),
        (("model.py:residuals", "--at", "point.npz"), "array of shape (5,)"),
        (("model.py:broken", "--at", "point.npz"), "return X @ y[:1]"),
        ((*AT, "--wrt", "w"), "Choose from params, X, y"),
        ((*AT, "--latex", "--markdown"), "--latex and --markdown are different forms"),
        ((*AT, "--picture", "graph.png"), "graph.svg"),
        ((*AT, "--html", "nowhere/page.html"), "There is no folder nowhere"),
    ],
)
def test_bad_input_ends_as_one_message(folder, words, said):
    status, output = explain(*words)
    assert status == 2 and said in output and "Traceback" not in output


def test_the_point_is_needed(folder):
    status, output = explain("model.py:loss")
    assert status == 2 and "--at" in output


def test_help_has_examples(folder):
    status, output = explain("--help")
    assert status == 0 and "chainrule explain model.py:loss --at point.npz" in output
