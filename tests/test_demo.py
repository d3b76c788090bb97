"""The demo: its measurements, its picture, and the whole of it as a user sees it."""

import io
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from chainrule.base import tree
from chainrule.base.errors import InputError
from chainrule.cli import demo
from chainrule.cli.demo import costs, methods, picture
from chainrule.cli.demo.subject import load


@pytest.fixture(scope="module")
def subject():
    """A small network on few images."""
    whole = load(4)
    return replace(whole, X=whole.X[:100], Y=whole.Y[:100])


def test_backprop_is_the_gradient_by_hand(subject):
    backprop = costs.backprop(subject, repeats=3)
    by_hand = tree.ravel(subject.digits.loss_grad(*subject.point))[0]
    np.testing.assert_allclose(backprop.gradient, by_hand, atol=1e-12)
    assert backprop.value == subject.digits.loss(*subject.point)
    assert backprop.evaluations > 0


def test_differences_agree_and_cost_more_with_every_parameter(subject):
    differences = costs.differences(subject)
    by_hand = tree.ravel(subject.digits.loss_grad(*subject.point))[0]
    np.testing.assert_allclose(differences.gradient, by_hand, atol=1e-7)
    assert differences.evaluations >= 2 * subject.size


def test_scaling_is_measured_at_growing_sizes(subject):
    ticks = []
    scaling = costs.scaling(subject, [1, 2], lambda: ticks.append(1))
    assert scaling.parameters == [85, 160]
    assert len(scaling.backprop) == len(ticks) == 2


@pytest.mark.parametrize("name", methods.METHODS)
def test_each_method_goes_down_within_its_budget(subject, name):
    seen = []
    run = methods.run(name, subject, 15, seen.append)
    assert run.loss < 0.8 * subject.digits.loss(*subject.point)
    assert run.losses == sorted(run.losses, reverse=True)
    assert run.used == sorted(run.used) and max(seen) <= 15
    assert run.gradients == 15 if name == "gradient descent" else run.gradients > 2
    assert (run.products > 0) == (name == "Newton-CG")


def test_labels_move_apart_without_changing_order():
    moved = picture._spread(np.array([0.0, 0.1, 3.0, 0.05]), 1.0)
    assert moved.tolist() == [0.0, 2.0, 3.0, 1.0]


def test_a_picture_that_cannot_be_written_is_bad_input(subject, tmp_path):
    runs = [methods.run("CG", subject, 5)]
    gradient = tree.ravel(subject.params)[0]
    results = picture.Results(
        subject,
        costs.Backprop(1.0, gradient, 1.0, 1.0),
        costs.Differences(gradient, 1, 1.0),
        gradient,
        costs.Scaling([10, 100], [2.0, 3.0]),
        runs,
    )
    with pytest.raises(InputError, match="was not written"):
        picture.draw(results, tmp_path / "missing" / "x.png")
    picture.draw(results, tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("place", ["missing/x.png", "x.unknown", "x"])
def test_a_bad_place_for_the_picture_is_refused_at_once(place, tmp_path):
    with pytest.raises(InputError, match="--picture"):
        demo.show(Console(file=io.StringIO()), tmp_path / place)


def show(path, quick):
    """The demo's results and what it prints where there is no terminal."""
    stream = io.StringIO()
    results = demo.show(Console(file=stream, width=80), path, quick)
    return results, stream.getvalue()


def expect_everything(results, text, path):
    assert path.stat().st_size > 10_000
    assert "\x1b" not in text and max(map(len, text.splitlines())) <= 80
    page = path.with_suffix(".html").read_text()
    assert page.startswith("<!doctype html>") and "log_total" in page
    assert page.endswith("</html>\n") and path.with_suffix(".html").name in "".join(text.split())
    for shown in ("It is not gradient descent", "pass", "FAIL", "W1_bar", "Newton-CG", "%"):
        assert shown.lower() in text.lower(), shown
    backprop, differences = results.backprop.gradient, results.differences.gradient
    assert np.abs(backprop - differences).max() < 1e-7


def test_the_quick_demo_shows_everything(tmp_path):
    results, text = show(tmp_path / "picture.png", quick=True)
    expect_everything(results, text, tmp_path / "picture.png")


@pytest.mark.slow
def test_the_whole_demo_reads_digits(tmp_path):
    results, text = show(tmp_path / "picture.png", quick=False)
    expect_everything(results, text, tmp_path / "picture.png")
    assert results.best.accuracy >= 0.95
