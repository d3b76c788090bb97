"""The report as a page, as JSON, in notebooks: complete, well formed, and without a network."""

import html.parser
import json
import pickle
import re

import numpy as np
import pytest

from chainrule import check
from chainrule.checker.curve import Case
from chainrule.checker.pictures import heat_maps

A = np.random.default_rng(0).normal(size=(3, 4))


def f(W, b):
    return np.sum(np.sin(W) @ b)


def wrong(W, b):
    g = np.outer(np.ones(3), b) * np.cos(W)
    g[1] *= 2
    return g, np.sin(W).sum(0)


@pytest.fixture
def report():
    return check(f, A, np.arange(1.0, 5.0), grad=wrong, wrt=(0, 1))


class Tags(html.parser.HTMLParser):
    """Every tag that is opened is closed, in order."""

    VOID = frozenset({"meta", "br", "rect", "circle", "line", "path", "polyline"})

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID or tag == "rect":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(text):
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    return tags


def test_the_page_says_what_the_report_says(report, tmp_path):
    path = tmp_path / "report.html"
    text = report.to_html(path)
    assert path.read_text(encoding="utf-8") == text
    tags = read(text)
    words = "".join(tags.text)
    assert "FAIL" in words
    assert str(report.worst) in words
    assert "claimed: wrong; numeric: differences of f" in words
    assert "seed 0" in words and f"{report.evaluations} evaluations of f" in words
    assert report.reproduce in words
    assert "wrong only at index 1 of axis 0" in words or report.arguments[0].pattern in words


def test_the_page_needs_no_network_and_no_scripts(report):
    text = report.to_html()
    assert not re.search(r"https?://|<script|<link|<img|@import|url\(", text)
    assert "prefers-color-scheme:dark" in text


def test_every_number_has_its_cell(report):
    picture = heat_maps(report.arguments[0], report.tol)
    cells = [attrs for tag, attrs in read(picture).seen if tag == "rect"]
    assert len(cells) == 3 * 12
    assert sum(cell["class"] == "bad" for cell in cells) == 4
    assert "[1, 2] claimed" in picture


def test_many_numbers_make_a_small_picture():
    x = np.random.default_rng(1).normal(size=(300, 100))

    def gradient(x):
        g = np.cos(x)
        g[123, 45] *= 3
        return g

    report = check(lambda x: np.sum(np.sin(x)), x, grad=gradient)
    assert report.verdict == "fail"
    picture = heat_maps(report.arguments[0], report.tol)
    assert len(picture) < 400_000
    assert "[123, 45] claimed" in picture
    assert "worst number of a block" in picture


def test_the_curve_is_a_v(report):
    curve = report.case.curve(report)
    assert curve.name == report.worst.name
    error = np.abs(curve.quotient - curve.numeric)
    assert 0 < curve.best < len(error) - 1
    assert error[0] > 1e3 * error[curve.best] and error[-1] > 1e3 * error[curve.best]
    assert curve.evaluations <= 60
    assert "best step" in report.to_html()


def test_awkward_names_are_escaped():
    report = check(
        lambda p: np.sum(p["<b>&"] ** 2), {"<b>&": np.ones(2)}, grad=lambda p: {"<b>&": p["<b>&"]}
    )
    text = report.to_html()
    assert "<b>&" not in text.replace("<b>a lambda</b>", "")
    assert "&lt;b&gt;&amp;" in text
    read(text)


@pytest.mark.parametrize(
    "make",
    [
        lambda: check(lambda x: np.nan * x.sum(), np.ones(2), grad=np.ones_like),
        lambda: check(lambda x: 0.0, np.zeros(0), grad=lambda x: x),
        lambda: check(lambda x: x**2, 3.0, grad=lambda x: 2 * x),
        lambda: check(np.sin, np.ones(2)),
        lambda: check(lambda x: np.sum(x), np.ones(2), grad=lambda x: x * np.nan),
        lambda: check(lambda z: np.sum(np.abs(z) ** 2), np.ones(2) + 1j, grad=lambda z: z),
        lambda: check(lambda x: x @ x, np.ones(2), grad=lambda x: 1 / 0),
        lambda: check(lambda x: x @ x, np.zeros(3), grad=lambda x: 2 * x),
    ],
)
def test_every_kind_of_report_has_a_page(make):
    report = make()
    read(report.to_html())
    read(report._repr_html_())
    assert json.loads(report.to_json())["verdict"] == report.verdict


def test_notebooks_see_the_report_without_more_evaluations():
    calls = [0]

    def counted(x):
        calls[0] += 1
        return x @ x

    report = check(counted, np.ones(3), grad=lambda x: x)
    before = calls[0]
    text = report._repr_html_()
    assert calls[0] == before
    assert "FAIL" in text and "<html" not in text
    report.to_html()
    assert before < calls[0] <= before + 60


def test_json_is_strict_and_complete():
    report = check(lambda x: np.sum(x), np.ones(2), grad=lambda x: x * np.nan)
    data = json.loads(report.to_json())
    assert data["worst"]["claimed"] == "nan"
    assert data["kind"] == "gradient"
    assert data["seed"] == 0
    assert "case" not in data and "evidence" not in data["arguments"][0]
    both = check(np.sin, np.ones(2))
    kinds = [part["kind"] for part in json.loads(both.to_json())["parts"]]
    assert kinds == ["vjp", "jvp", "dot test"]


def test_reports_pickle_without_the_function(report):
    again = pickle.loads(pickle.dumps(report))
    assert str(again) == str(report)
    assert isinstance(report.case, Case) and again.case is None
    read(again.to_html())
