"""The example files: plain code that is right, and the one bug that is meant to be wrong."""

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from chainrule.cli.demo.subject import DATA, example, load

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(scope="module")
def small():
    """A small network on few images, as (module, arguments of loss)."""
    subject = load(3)
    return subject.digits, (subject.params, subject.X[:20], subject.Y[:20])


def test_the_digits_are_the_real_ones():
    with np.load(DATA, allow_pickle=False) as file:
        images, labels = file["images"], file["labels"]
    assert images.shape == (1797, 64) and images.dtype == labels.dtype == np.uint8
    assert images.max() == 16
    counts = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert np.bincount(labels).tolist() == counts


def test_held_out_images_are_not_trained_on():
    digits = example("digits")
    X, Y, X_test, Y_test = digits.load()
    assert len(X) == len(Y) == 1297 and len(X_test) == len(Y_test) == 500
    assert not set(map(bytes, X)) & set(map(bytes, X_test))


def test_the_network_knows_numpy_only():
    tree = ast.parse((EXAMPLES / "digits.py").read_text())
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module)
    assert names == {"numpy", "pathlib"}


def slopes(f, params):
    """Central differences, written here so that no one is judged by himself."""
    gradient = {}
    for name, array in params.items():
        gradient[name] = np.zeros_like(array)
        for i in np.ndindex(array.shape):
            ends = []
            for h in (1e-5, -1e-5):
                moved = {**params, name: array.copy()}
                moved[name][i] += h
                ends.append(f(moved))
            gradient[name][i] = (ends[0] - ends[1]) / 2e-5
    return gradient


def test_the_gradient_by_hand_is_right_and_the_slip_is_wrong(small):
    digits, (params, X, Y) = small
    right, wrong = digits.loss_grad(params, X, Y), digits.loss_grad_buggy(params, X, Y)
    numeric = slopes(lambda p: digits.loss(p, X, Y), params)
    for name in params:
        np.testing.assert_allclose(right[name], numeric[name], atol=1e-9)
    for name in ("W1", "b1"):
        assert np.abs(wrong[name] - right[name]).max() > 1e-3


def test_large_scores_do_not_overflow(small):
    digits, (params, X, Y) = small
    large = {**params, "b2": params["b2"] + np.linspace(0, 2000, 10)}
    assert np.isfinite(digits.loss(large, X, Y))


@pytest.mark.parametrize("name, shown", [("digits", "Wrote"), ("gradient_descent", "BFGS")])
def test_examples_run_as_scripts(name, shown, tmp_path):
    command = [sys.executable, EXAMPLES / f"{name}.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert shown in done.stdout


def test_gradient_descent_is_ten_lines():
    source = (EXAMPLES / "gradient_descent.py").read_text()
    function = next(n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef))
    assert function.end_lineno - function.lineno + 1 <= 10
