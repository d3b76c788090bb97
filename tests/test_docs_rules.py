"""docs/rules.md is what the declarations say, and says it of every operation."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy

from chainrule.core.primitive import PRIMITIVES

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = (DOCS / "rules.md").read_text()


def _version(module) -> str:
    return ".".join(module.__version__.split(".")[:2])


@pytest.fixture(scope="module")
def formulas():
    sys.path.insert(0, str(DOCS))
    try:
        yield importlib.import_module("formulas")
    finally:
        sys.path.remove(str(DOCS))


def test_the_page_of_rules_is_what_the_code_says():
    """In a process of its own: other tests declare operations too."""
    if f"NumPy {_version(np)} and SciPy {_version(scipy)};" not in PAGE:
        pytest.skip("the page is made with other versions, which have other functions")
    command = [sys.executable, str(DOCS / "rules.py"), "-"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == PAGE, "run python docs/rules.py"


def test_every_operation_is_on_the_page():
    ours = [
        p for p in PRIMITIVES.values() if _module(p.fun).split(".")[0] in ("numpy", "chainrule")
    ]
    last_names = {name.rpartition(".")[2] for name in re.findall(r"`([\w.]+)`", PAGE)}
    names = {p.name.rpartition(".")[2].removeprefix("scipy_") for p in ours}
    assert not names - last_names


def _module(function) -> str:
    return getattr(function, "__module__", None) or "scipy"


def test_every_picture_exists_and_is_small():
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", PAGE)
    assert len(pictures) >= 12
    for picture in pictures:
        assert 2_000 < (DOCS / picture).stat().st_size < 40_000, picture


LN2 = float(np.log(2.0))


def _helper(x):
    return x + 1


@pytest.mark.parametrize(
    ("partial", "text"),
    [
        (lambda y: 1 - y * y, "1 - y²"),
        (lambda y: -y * y, "-y²"),
        (lambda x: 2 * x, "2 x"),
        (lambda a, y: -y / a, "-y / a"),
        (lambda x: -1 / np.sqrt(x), "-1 / sqrt(x)"),
        (lambda y: 1 / (3 * y * y), "1 / (3 y²)"),
        (lambda x: 1 / ((1 - x) * (1 + x)), "1 / ((1 - x) (1 + x))"),
        (lambda x, p: np.power(x, p - 1), "x^(p - 1)"),
        (lambda x, y: -(x - y) * 2, "-(x - y) 2"),
        (lambda x: x - -1, "x + 1"),
        (lambda x: x - (x - 1), "x - (x - 1)"),
        (lambda x: x / (x / 2), "x / (x / 2)"),
        (lambda y: LN2 * y, "ln(2) y"),
        (lambda x: np.pi * np.cos(x) ** 2, "π cos(x)²"),
        (lambda x: np.where(x <= 0, 0.0, np.abs(x)), "0 where x ≤ 0, else |x|"),
        (lambda z, y: y * 1j, "i y"),
        (lambda g, v: g[..., None] * v, "g[..., None] v"),
        (lambda x: _helper(x), "helper(x)"),
    ],
)
def test_formulas_are_printed_as_a_person_writes_them(formulas, partial, text):
    assert formulas.Printer(partial).text(formulas.expression(partial)) == text


def test_lambdas_on_one_line_are_told_apart(formulas):
    first, second = (lambda a: a + 1), (lambda a: a + 2)
    assert formulas.Printer(first).text(formulas.expression(first)) == "a + 1"
    assert formulas.Printer(second).text(formulas.expression(second)) == "a + 2"


def test_markup_in_formulas_is_escaped(formulas):
    assert formulas.escaped("x_bar_i = |x|*g  =>  A^-1 [Giles]") == (
        "x̄\\_i = \\|x\\|\\*g  ⇒  A⁻¹ \\[Giles\\]"
    )
