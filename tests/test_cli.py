"""The command line: verdicts, exit statuses, and one clear message for every bad input."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

import chainrule
from chainrule.cli.commands import app
from chainrule.cli.files import load_module

MODEL = """
import numpy as np
from helper import shift

def loss(params, X, y, power=2):
    print("evaluating")
    r = shift(X @ params["w"] + params["b"]) - y
    return np.mean(np.abs(r) ** power)

def loss_grad(params, X, y):
    r = X @ params["w"] + params["b"] - y
    return {"w": 2 * X.T @ r / len(y), "b": 2 * np.mean(r)}

def loss_grad_other_order(y, X, params):
    return loss_grad(params, X, y)

def loss_grad_wrong(params, X, y):
    r = X @ params["w"] + params["b"] - y
    return {"w": X.T @ r / len(y), "b": 2 * np.mean(r)}

def residuals(params, X, y):
    return X @ params["w"] + params["b"] - y

def of_complex(params, X, y):
    return 1j * np.sum(X @ params["w"])

def keyword(params, *, X, y):
    return loss(params, X, y)

def anything(params, **others):
    return loss(params, **others)

def broken(params, X, y):
    return loss(params, X.T, y)

def noise(params, X, y):
    return loss(params, X, y) + np.random.random()

def stop(params, X, y):
    raise SystemExit("enough")

class Model:
    @staticmethod
    def loss(params, X, y):
        return loss(params, X, y)

TABLE = {"loss": loss}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a model and a point, and the process as it was before."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    load_module.cache_clear()
    (tmp_path / "model.py").write_text(MODEL)
    (tmp_path / "helper.py").write_text("def shift(z):\n    return z + 0.0\n")
    np.savez("point.npz", **point())
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


def point():
    rng = np.random.default_rng(0)
    return {
        "params.w": rng.normal(size=3),
        "params.b": np.array(0.3),
        "X": rng.normal(size=(5, 3)),
        "y": rng.normal(size=5),
    }


def run(*args):
    return CliRunner().invoke(app, [str(arg) for arg in args])


def error(*args):
    """The message of a run that must fail as bad input, its spaces made single."""
    result = run("check", *args)
    assert result.exit_code == 2, result.output
    assert result.stdout.replace("evaluating\n", "") == ""
    assert "Traceback" not in result.stderr and result.stderr.startswith("Error: ")
    assert "/chainrule/" not in result.stderr and "/typer/" not in result.stderr
    return re.sub(r"\s+", " ", result.stderr)


# --- verdicts


def test_the_gradient_of_chainrule_passes(folder):
    result = run("check", "model.py:loss", "--at", "point.npz")
    assert result.exit_code == 0, result.output
    assert "pass" in result.stdout.lower()


@pytest.mark.parametrize("claim", ["loss_grad", "loss_grad_other_order"])
def test_a_right_claim_passes(folder, claim):
    result = run("check", "model.py:loss", "--at", "point.npz", "--grad", f"model.py:{claim}")
    assert result.exit_code == 0, result.output


def test_a_wrong_claim_fails_and_says_where(folder):
    claim = "model.py:loss_grad_wrong"
    result = run("check", "model.py:loss", "--at", "point.npz", "--grad", claim)
    assert result.exit_code == 1, result.output
    assert "fail" in result.stdout.lower()
    assert "params['w']" in result.stdout


def test_a_random_function_is_inconclusive(folder):
    claim = "model.py:loss_grad"
    result = run("check", "model.py:noise", "--at", "point.npz", "--grad", claim)
    assert result.exit_code == 3, result.output


@pytest.mark.parametrize("name", ["Model.loss", "keyword", "anything"])
def test_every_way_to_write_a_function(folder, name):
    result = run("check", f"model.py:{name}", "--at", "point.npz")
    assert result.exit_code == 0, result.output


def test_wrt_names_other_arguments(folder):
    result = run("check", "model.py:loss", "--at", "point.npz", "--wrt", "X", "--wrt", "y")
    assert result.exit_code == 0, result.output
    result = run("check", "model.py:loss", "--at", "point.npz", "--wrt", "X", "--json")
    assert "X" in result.stdout and "params" not in result.stdout


def test_json_is_all_there_is_on_stdout(folder):
    result = run("check", "model.py:loss", "--at", "point.npz", "--json")
    assert json.loads(result.stdout)["verdict"] == "pass"
    assert "evaluating" in result.stderr


def test_lists_and_options_come_from_names_in_the_file(folder):
    (folder / "layers.py").write_text(
        "import numpy as np\n"
        "def f(layers, x, name='sin', scale=1.0):\n"
        "    assert isinstance(layers, list) and name == 'cos' and scale == 1.0\n"
        "    for layer in layers:\n"
        "        x = np.tanh(layer['W'] @ x)\n"
        "    return x.sum()\n"
    )
    W = np.random.default_rng(0).normal(size=(2, 2, 2))
    np.savez("layers.npz", **{"layers.0.W": W[0], "layers.1.W": W[1]}, x=np.ones(2), name="cos")
    result = run("check", "layers.py:f", "--at", "layers.npz")
    assert result.exit_code == 0, result.output


def test_a_file_in_a_package_imports_its_neighbours(folder):
    (folder / "pack").mkdir()
    (folder / "pack" / "__init__.py").touch()
    (folder / "pack" / "maths.py").write_text("def square(x):\n    return x * x\n")
    (folder / "pack" / "f.py").write_text(
        "from .maths import square\ndef f(x):\n    return square(x).sum()\n"
    )
    np.savez("x.npz", x=np.ones(3))
    result = run("check", "pack/f.py:f", "--at", "x.npz")
    assert result.exit_code == 0, result.output


def test_a_file_named_as_a_module_of_python_does_not_replace_it(folder):
    (folder / "random.py").write_text("def f(x):\n    return (x * x).sum()\n")
    np.savez("x.npz", x=np.ones(3))
    before = sys.modules["random"]
    result = run("check", "random.py:f", "--at", "x.npz")
    assert result.exit_code == 0, result.output
    assert sys.modules["random"] is before


# --- bad input


def test_a_missing_file(folder):
    assert "There is no file modle.py. Did you mean model.py?" in error("modle.py:loss", *at())
    text = error("model.py:loss", "--at", "pont.npz")
    assert "There is no file pont.npz. Did you mean point.npz?" in text
    assert "is a folder" in error(f"{folder}:loss", *at())
    assert "no folder nowhere" in error("nowhere/model.py:loss", *at())


def test_a_missing_function(folder):
    assert "model.py has no 'lost'. Did you mean 'loss'?" in error("model.py:lost", *at())
    text = error("model.py:xyz", *at())
    assert "'loss', 'loss_grad'" in text and "'shift'" not in text
    assert "not a function but of type dict" in error("model.py:TABLE", *at())
    assert "model.py:Model has no 'lass'" in error("model.py:Model.lass", *at())
    text = error("model.py:loss", *at(), "--grad", "model.py:los_grad")
    assert "Did you mean 'loss_grad'?" in text


@pytest.mark.parametrize("spec", ["model.py", "model", ":loss", "model.py:"])
def test_something_else_than_file_and_function(folder, spec):
    text = error(spec, *at())
    assert "not of the form FILE.py:function" in text and "model.py:loss" in text


def test_a_file_that_does_not_import(folder):
    (folder / "bad.py").write_text("import numpy as np\n\nx = np.zeros(3) @ np.zeros(4)\n")
    text = error("bad.py:f", *at())
    assert "Importing bad.py failed. ValueError" in text
    assert "at bad.py:3 x = np.zeros(3) @ np.zeros(4)" in text
    (folder / "worse.py").write_text("def f(x):\n    return (x\n")
    text = error("worse.py:f", *at())
    assert "worse.py:2" in text and "never closed" in text
    (folder / "exits.py").write_text("import sys\nsys.exit(0)\n")
    assert "exits.py:2 sys.exit(0)" in error("exits.py:f", *at())
    (folder / "absent.py").write_text("import not_there\n")
    assert "No module named 'not_there'" in error("absent.py:f", *at())
    (folder / "zeros.py").write_bytes(b"\0\0")
    error("zeros.py:f", *at())
    (folder / "book.ipynb").write_text("{}")
    assert "is a notebook" in error("book.ipynb:f", *at())


def at():
    return "--at", "point.npz"


def test_names_that_do_not_match(folder):
    arrays = point()
    np.savez("less.npz", **{name: a for name, a in arrays.items() if name != "y"})
    text = error("model.py:loss", "--at", "less.npz")
    assert "loss(params, X, y, power) needs 'y', which less.npz does not hold" in text
    np.savez("more.npz", **arrays, z=np.ones(2))
    text = error("model.py:loss", "--at", "more.npz")
    assert "more.npz holds 'z', which loss(params, X, y, power) does not take" in text
    np.savez("clash.npz", **arrays, params=np.ones(2))
    assert "both an array and a dictionary" in error("model.py:loss", "--at", "clash.npz")
    np.savez("empty.npz")
    assert "holds no arrays" in error("model.py:loss", "--at", "empty.npz")
    text = error("model.py:loss", *at(), "--wrt", "parms")
    assert "--wrt parms names no argument" in text and "Did you mean 'params'?" in text


def test_files_that_are_no_points(folder):
    np.save("one.npy", np.ones(3))
    assert "one array without a name" in error("model.py:loss", "--at", "one.npy")
    (folder / "text.npz").write_text("1 2 3")
    text = error("model.py:loss", "--at", "text.npz")
    assert "not an npz file" in text and "np.savez" in text
    (folder / "nothing.npz").touch()
    assert "not an npz file" in error("model.py:loss", "--at", "nothing.npz")
    whole = (folder / "point.npz").read_bytes()
    (folder / "half.npz").write_bytes(whole[: len(whole) // 2])
    assert "half.npz" in error("model.py:loss", "--at", "half.npz")
    middle = len(whole) // 2
    (folder / "bits.npz").write_bytes(whole[:middle] + b"\xff" * 40 + whole[middle + 40 :])
    assert "bits.npz" in error("model.py:loss", "--at", "bits.npz")


class Loud:
    def __reduce__(self):
        return print, ("unpickled",)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_objects_are_never_unpickled(folder, save, capfd):
    save("objects.npz", **point(), extra=np.array([Loud()], dtype=object))
    text = error("model.py:loss", "--at", "objects.npz")
    assert "'extra' in objects.npz" in text and "never loaded" in text
    np.save("objects.npy", np.array([Loud()], dtype=object), allow_pickle=True)
    error("model.py:loss", "--at", "objects.npy")
    assert "unpickled" not in capfd.readouterr().out


def test_a_function_that_raises_shows_its_line(folder):
    text = error("model.py:broken", *at())
    assert "broken(params, X, y) at point.npz failed. ValueError" in text
    assert 'at model.py:7 r = shift(X @ params["w"] + params["b"]) - y' in text
    assert "SystemExit: enough" in error("model.py:stop", *at())


def test_a_value_that_is_not_one_number(folder):
    assert "returned an array of shape (5,)" in error("model.py:residuals", *at())
    assert "returned a complex number" in error("model.py:of_complex", *at())
    (folder / "none.py").write_text("def f(x):\n    x + 1\n")
    np.savez("x.npz", x=np.ones(3))
    assert "returned None" in error("none.py:f", "--at", "x.npz")


def test_an_argument_that_is_not_a_number(folder):
    (folder / "text.py").write_text("def f(name, x):\n    return x.sum()\n")
    np.savez("text.npz", name="sin", x=np.ones(2))
    assert "name" in error("text.py:f", "--at", "text.npz")
    assert run("check", "text.py:f", "--at", "text.npz", "--wrt", "x").exit_code == 0


def test_code_that_cannot_be_traced_names_the_line(folder):
    (folder / "drops.py").write_text(
        "import json\nimport numpy as np\n"
        "def f(x):\n    return np.sum(np.frombuffer(x.tobytes()))\n"
        "def g(x):\n    return sum(json.loads(json.dumps(list(x))))\n"
    )
    np.savez("x.npz", x=np.ones(2))
    assert "drops.py:4 return np.sum" in error("drops.py:f", "--at", "x.npz")
    assert "drops.py:6 return sum" in error("drops.py:g", "--at", "x.npz")


def test_a_claim_of_another_structure_fails(folder):
    (folder / "claim.py").write_text("def g(params, X, y):\n    return X\n")
    result = run("check", "model.py:loss", *at(), "--grad", "claim.py:g")
    assert result.exit_code == 1
    assert "should be a dict" in result.stdout


def test_a_claim_that_raises_shows_its_line(folder):
    (folder / "claim.py").write_text("def g(params, X, y):\n    return X @ y\n")
    text = error("model.py:loss", *at(), "--grad", "claim.py:g")
    assert "g(params, X, y) at point.npz failed" in text and "claim.py:2 return X @ y" in text


def test_a_warning_is_shown_once_and_names_no_line_of_ours(folder):
    (folder / "warns.py").write_text(
        "import warnings\ndef f(x):\n    warnings.warn('careful')\n    return 3.0\n"
    )
    np.savez("x.npz", x=np.ones(2))
    done = shell("check", "warns.py:f", "--at", "x.npz")
    assert done.stderr.count("Warning: careful") == 1
    assert done.stderr.count("its derivative is 0") == 1
    assert " at " not in done.stderr


# --- as a process


def shell(*args, **kwargs):
    command = [sys.executable, "-m", "chainrule", *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, **kwargs)


def test_the_version_and_the_help():
    assert shell("--version").stdout.strip() == f"chainrule {chainrule.__version__}"
    text = shell("check", "--help").stdout
    assert "--at" in text and "--grad" in text and "inconclusive" in text


def test_no_control_codes_where_there_is_no_terminal(folder):
    claim = ("--grad", "model.py:loss_grad_wrong")
    done = shell("check", "model.py:loss", *at(), *claim)
    assert done.returncode == 1
    assert "\x1b" not in done.stdout + done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 100
    done = shell("check", "model.py:absent", *at())
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ") and "\x1b" not in done.stderr
