"""``chainrule.testing``: the assertion, several points, the strategy, and the plugin of pytest."""

import pickle
from importlib.metadata import entry_points

import numpy as np
import pytest
from hypothesis import given, settings

from chainrule.base import tree
from chainrule.base.errors import InputError
from chainrule.testing import GradientError, assert_gradient, limit, points

pytest_plugins = "pytester"

X = np.array([0.3, -1.2, 2.0])


def f(x):
    return np.sum(x**3)


def right(x):
    return 3 * x**2


def wrong(x):
    return np.where(x > 1.9, 3 * x, 3 * x**2)


# --- the assertion


def test_a_right_gradient_gives_the_report():
    assert assert_gradient(f, X, grad=right).ok


def test_the_text_of_the_error_is_the_report():
    with pytest.raises(GradientError) as caught:
        assert_gradient(f, X, grad=wrong)
    error = caught.value
    assert isinstance(error, AssertionError)
    assert str(error) == str(error.report)
    assert "x[2]: claimed 6, numeric 12" in str(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_several_points_find_the_branch():
    x = np.array([0.1, 0.2])
    assert assert_gradient(f, x, grad=wrong).ok
    with pytest.raises(GradientError, match="point 2"):
        assert_gradient(f, x, grad=wrong, also=[(x + 0.1,), (x + 2,)])
    with pytest.raises(GradientError):
        assert_gradient(f, np.array([1.5, 1.6]), grad=wrong, near=5)
    report = assert_gradient(f, x, grad=right, near=3)
    assert len(report.parts) == 4


def test_inconclusive_is_an_error_unless_allowed():
    with pytest.raises(GradientError, match="INCONCLUSIVE"):
        assert_gradient(lambda x: np.nan * x.sum(), X, grad=right)
    report = assert_gradient(lambda x: np.nan * x.sum(), X, grad=right, allow_inconclusive=True)
    assert report.verdict == "inconclusive"


def test_options_go_to_check():
    assert_gradient(lambda a, b: a @ b, X, X, grad=lambda a, b: a, wrt="b", near=2, seed=3)
    assert_gradient(np.sin, X, jvp=lambda x, v: np.cos(x) * v)


# --- the strategy


@pytest.mark.parametrize(
    "like",
    [3, (2, 3), (), np.zeros(2, np.float32), 1.0, 1j, {"a": np.zeros((2, 1)), "b": [0.0, 2j]}],
)
def test_points_are_like_the_example(like):
    @given(points(like))
    @settings(max_examples=20, deadline=None, database=None)
    def run(point):
        shape = isinstance(like, (int, tuple))
        example = np.zeros(like) if shape else like
        assert tree.structure_equal(point, example)
        for leaf, other in zip(tree.flatten(point)[0], tree.flatten(example)[0]):
            assert np.shape(leaf) == np.shape(other)
            assert np.asarray(leaf).dtype == np.asarray(other).dtype
            assert np.all(np.isfinite(leaf))
            assert np.all(np.abs(np.real(leaf)) <= 10)

    run()


def test_points_of_something_else_are_refused():
    with pytest.raises(InputError, match="a str"):
        points({"a": "text"}).example


def test_indices_stay():
    @given(points({"i": np.array([0, 2])}))
    @settings(max_examples=5, deadline=None, database=None)
    def run(point):
        assert point["i"].tolist() == [0, 2]

    run()


# --- the budget


def test_a_budget_around_checks():
    with limit(evaluations=20):
        report = assert_gradient(f, X, grad=right, allow_inconclusive=True)
    assert report.verdict == "inconclusive"
    assert "the budget of 20 evaluations is used up" in report.reason
    assert assert_gradient(f, X, grad=right).ok


# --- pytest


def installed():
    return any(e.name == "chainrule" for e in entry_points(group="pytest11"))


def run(pytester, *options):
    load = () if installed() else ("-p", "chainrule.testing.plugin")
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *load, *options)


TEST = """
import numpy as np
import pytest
from chainrule.testing import assert_gradient

def f(x):
    return np.sum(x**3)

def test_right():
    assert_gradient(f, np.ones(3), grad=lambda x: 3 * x**2)

def test_wrong():
    assert_gradient(f, np.full(3, 2.0), grad=lambda x: 3 * x)

@pytest.mark.gradient_budget(evaluations=15)
def test_short():
    assert_gradient(f, np.ones(3), grad=lambda x: 3 * x**2)
"""


def test_the_plugin_of_pytest(pytester):
    pytester.makepyfile(TEST)
    result = run(pytester, "--strict-markers", "--gradient-html=pages")
    result.assert_outcomes(passed=1, failed=2)
    text = result.stdout.str()
    assert "FAIL: 3 of 3 measured numbers are wrong" in text
    assert "numeric 12" in text
    assert "the budget of 15 evaluations is used up" in text
    pages = sorted(path.name for path in (pytester.path / "pages").iterdir())
    assert len(pages) == 2
    assert all(page.endswith(".html") for page in pages)
    assert pages[0] in text
    markers = run(pytester, "--markers").stdout.str()
    assert "gradient_budget" in markers
