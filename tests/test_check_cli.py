"""``chainrule check``: other derivatives, random points, JSON data, pages, PyTorch and JAX."""

import json
import re
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from chainrule.cli.commands import app
from chainrule.cli.files import load_module

MODEL = """
import numpy as np

def loss(w, X, power=2):
    return np.sum((X @ w) ** power)

def grad(w, X):
    return 2 * X.T @ (X @ w)

def both(w, X):
    return loss(w, X), grad(w, X)

def branch(x):
    return np.sum(np.where(x > 3, x**3, x**2))

def branch_grad(x):
    return np.where(x > 3, 2 * x, 2 * x)

def residual(w, X):
    return X @ w

def jacobian(w, X):
    return X

def vjp(w, X, g):
    return X.T @ g

def jvp(w, X, v):
    return 2 * X @ v

def hessian(w, X):
    return 2 * X.T @ X

def of_dict(p, n):
    return np.sum(p["a"] ** n) + p["b"][0]
"""

TORCH = """
import torch

class Twice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return 2 * x

    @staticmethod
    def backward(ctx, g):
        return 3 * g

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(3, 2)

    def forward(self, x):
        return torch.tanh(self.layer(x))

net = Net()

def cube(x):
    return (x**3).sum()
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    load_module.cache_clear()
    (tmp_path / "model.py").write_text(MODEL)
    rng = np.random.default_rng(0)
    np.savez("point.npz", w=rng.normal(size=3), X=rng.normal(size=(5, 3)))
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


def run(*args):
    return CliRunner().invoke(app, ["check", *map(str, args)])


def error(*args):
    result = run(*args)
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.stderr
    return re.sub(r"\s+", " ", result.stderr)


AT = ("--at", "point.npz")


@pytest.mark.parametrize(
    ("options", "status"),
    [
        (("model.py:residual", "--jac", "model.py:jacobian"), 0),
        (("model.py:residual", "--vjp", "model.py:vjp"), 0),
        (("model.py:residual", "--jvp", "model.py:jvp"), 1),
        (("model.py:loss", "--hess", "model.py:hessian"), 0),
        (("model.py:loss", "--grad", "model.py:grad", "--hess", "model.py:hessian"), 0),
        (("model.py:both", "--value-and-grad"), 0),
        (("model.py:loss", "--tol", "1e-3", "--seed", "4"), 0),
    ],
)
def test_other_claims(folder, options, status):
    result = run(*options, *AT)
    assert result.exit_code == status, result.output


def test_a_pair_suggests_the_option(folder):
    assert "add --value-and-grad" in error("model.py:both", *AT)
    assert "--jac" in error("model.py:residual", *AT)


def test_random_points_of_a_shape(folder):
    result = run("model.py:loss", "--random", 2, "--shape", "w=3", "--shape", "X=4,3", "--json")
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout)
    assert [part["kind"] for part in data["parts"]] == ["random point 1", "random point 2"]
    assert run("model.py:branch", "--random", 1, "--shape", 5).exit_code == 0


def test_random_points_around_one_find_the_branch(folder):
    np.savez("x.npz", x=np.array([1.0, 2.9]))
    command = ("model.py:branch", "--at", "x.npz", "--grad", "model.py:branch_grad")
    assert run(*command).exit_code == 0
    result = run(*command, "--random", 8, "--json")
    assert result.exit_code == 1
    data = json.loads(result.stdout)
    assert len(data["parts"]) == 9
    assert data["reproduce"] == f"chainrule check {' '.join(command)} --random 8 --seed 0"


def test_points_that_are_missing_or_misspelt(folder):
    assert "There is no point to check at" in error("model.py:loss")
    assert "needs w, X" in error("model.py:loss", "--random", 1)
    assert "--shape w=3,x is no shape" in error("model.py:loss", "--random", 1, "--shape", "w=3,x")
    assert "does not say which" in error("model.py:loss", "--random", 1, "--shape", "3")
    assert "Give one of the two" in error("model.py:loss", *AT, "--shape", "w=3")
    assert "is negative" in error("model.py:branch", "--random", 1, "--shape", "-3")


def test_points_in_json(folder):
    (folder / "point.json").write_text('{"p": {"a": [1.0, 2.5], "b": [[1.0], 3]}, "n": 3}')
    np.savez("b.npz", n=3)
    (folder / "point.json").write_text('{"p": {"a": [1.0, 2.5], "b": [3.0]}, "n": 3}')
    result = run("model.py:of_dict", "--at", "point.json")
    assert result.exit_code == 0, result.output
    (folder / "bad.json").write_text("{")
    assert "bad.json is not JSON" in error("model.py:of_dict", "--at", "bad.json")
    (folder / "list.json").write_text("[1, 2]")
    assert "does not hold arguments by name" in error("model.py:of_dict", "--at", "list.json")


def test_a_page_is_written(folder):
    result = run("model.py:loss", *AT, "--html", "report.html")
    assert result.exit_code == 0, result.output
    text = (folder / "report.html").read_text()
    assert "PASS" in text and "chainrule check model.py:loss --at point.npz --seed 0" in text
    assert "cannot be written" in error("model.py:loss", *AT, "--html", "nowhere/report.html")


def test_a_budget(folder):
    (folder / "slow.py").write_text(
        "import time\ndef f(x):\n    time.sleep(0.02)\n    return (x * x).sum()\n"
    )
    np.savez("x.npz", x=np.ones(40))
    result = run("slow.py:f", "--at", "x.npz", "--seconds", 0.2)
    assert result.exit_code == 3
    assert "budget" in result.stdout


def test_modules_of_pytorch(folder):
    pytest.importorskip("torch")
    (folder / "nets.py").write_text(TORCH)
    np.savez("x.npz", x=np.ones((2, 3)))
    for name in ("net", "Net"):
        result = run(f"nets.py:{name}", "--at", "x.npz")
        assert result.exit_code == 0, result.output
        assert "layer.weight" in result.stdout
    result = run("nets.py:Twice", "--at", "x.npz")
    assert result.exit_code == 1, result.output
    result = run("nets.py:cube", "--with", "torch", "--at", "x.npz", "--random", 1)
    assert result.exit_code == 0, result.output
    assert "what PyTorch computes" in error(
        "nets.py:net", "--at", "x.npz", "--grad", "model.py:grad"
    )


def test_functions_of_jax(folder):
    pytest.importorskip("jax")
    (folder / "jaxes.py").write_text(
        "import jax.numpy as jnp\ndef f(x, n):\n    return jnp.sum(jnp.sin(x) ** n)\n"
    )
    np.savez("x.npz", x=np.ones(3), n=2)
    result = run("jaxes.py:f", "--with", "jax", "--at", "x.npz")
    assert result.exit_code == 0, result.output
    result = run("jaxes.py:f", "--with", "jax", "--at", "x.npz", "--wrt", "x")
    assert result.exit_code == 0, result.output
