"""What the documents say is run: every Python block, every command, every docstring example."""

import contextlib
import doctest
import importlib
import importlib.util
import io
import os
import pkgutil
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import chainrule

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.M | re.S)
FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.M)
NEEDS = re.compile(r"^(?:>>> )?(?:import|from) (autograd|jax|torch)\b", re.M)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
MODULES = sorted(
    m.name
    for m in pkgutil.walk_packages(chainrule.__path__, "chainrule.")
    if not m.name.endswith("__main__")
)
OPTIONAL = {"chainrule.interop.jax": "jax", "chainrule.interop.torch": "torch"}


def blocks(page: Path) -> list[tuple[str, str, int]]:
    text = page.read_text()
    return [(m[1], m[2], text.count("\n", 0, m.start()) + 1) for m in BLOCK.finditer(text)]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_python_blocks_of_a_page_run_in_order(page, tmp_path, monkeypatch):
    for name in ("examples", "src"):
        os.symlink(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    namespace: dict = {"__name__": "page"}
    for language, code, line in blocks(page):
        if language != "python":
            assert language in ("sh", "text", "make"), f"{page.name}:{line}: {language} is not run"
            continue
        if any(importlib.util.find_spec(name) is None for name in NEEDS.findall(code)):
            continue  # beside another library, which is not installed here
        # a file of its own, so that the user's line can be shown
        file = tmp_path / f"{page.stem}_{line}.py"
        file.write_text(code)
        if ">>>" in code:
            test = doctest.DocTestParser().get_doctest(code, namespace, page.name, str(page), line)
            out = io.StringIO()
            runner = doctest.DocTestRunner(optionflags=FLAGS)
            runner.run(test, out=out.write, clear_globs=False)
            assert runner.failures == 0, out.getvalue()
            namespace = test.globs
        else:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(code, str(file), "exec"), namespace)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_block_of_a_page_escapes_the_tests(page):
    """Indented blocks and other marks would be shown and not run."""
    assert len(FENCE.findall(page.read_text())) == 2 * len(blocks(page))


def test_the_engine_of_the_tutorial_is_about_100_lines():
    page = ROOT / "docs" / "tutorial" / "inside.md"
    end = page.read_text().split("That is all of it.")[0].count("\n")
    code = "\n".join(code for language, code, line in blocks(page) if line < end)
    assert 90 < sum(bool(line.strip()) for line in code.splitlines()) < 115


def test_every_public_name_is_in_the_reference():
    pages = (ROOT / "docs" / "reference").glob("*.md")
    shown = {
        name
        for page in pages
        for name in re.findall(r"^::: chainrule\.(\w+)", page.read_text(), re.M)
    }
    assert not set(chainrule.__all__) - shown


def test_the_page_of_errors_is_what_the_code_says():
    spec = importlib.util.spec_from_file_location("errors_page", ROOT / "docs" / "errors.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "errors.md").read_text() == module.page(), "run python docs/errors.py"


def commands(page: Path) -> list[str]:
    lines = [
        line for language, code, _ in blocks(page) if language == "sh" for line in code.splitlines()
    ]
    return [line.partition("#")[0].strip() for line in lines if line.partition("#")[0].strip()]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_commands_of_a_page_exist_and_work(page, tmp_path):
    for name in ("examples", "src"):
        os.symlink(ROOT / name, tmp_path / name)
    for line in commands(page):
        words = shlex.split(line)
        if words[0] == "make":
            assert re.search(rf"^{re.escape(words[1])}:", (ROOT / "Makefile").read_text(), re.M), (
                line
            )
        elif words[:2] in (["chainrule", "demo"], ["pip", "install"], ["git", "clone"]):
            continue  # test_demo runs the demo; the others need a network
        elif words[0] in ("chainrule", "python"):
            run = (
                [sys.executable, "-m", "chainrule"] if words[0] == "chainrule" else [sys.executable]
            )
            done = subprocess.run([*run, *words[1:]], cwd=tmp_path, capture_output=True, text=True)
            assert done.returncode == 0, (line, done.stdout, done.stderr)
        else:
            assert shutil.which(words[0]), f"{page.name}: cannot run {line}"


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples(name):
    if name in OPTIONAL:
        pytest.importorskip(OPTIONAL[name])
    module = importlib.import_module(name)
    globs = dict(vars(module), np=importlib.import_module("numpy"))
    result = doctest.testmod(module, globs=globs, optionflags=FLAGS)
    assert result.failed == 0
