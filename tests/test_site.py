"""The site is built without a warning, shows formulas, and asks no other server for anything."""

import importlib.util
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
RESOURCES = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src"}
ELSEWHERE = re.compile(r"(?:https?:)?//", re.I)
IN_STYLE = re.compile(r"(?:url\(|@import\s)\s*['\"]?((?:https?:)?//[^'\")]+)", re.I)


class Page(HTMLParser):
    """What a browser would load for a page, what the page links to, and its formulas."""

    def __init__(self, text: str):
        super().__init__()
        self.resources: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        address = dict(attrs).get(RESOURCES.get(tag, ""))
        if address and dict(attrs).get("rel") not in ("canonical", "next", "prev"):
            self.resources.append(address)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("material", reason="make docs installs what builds the site")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site):
    return {p.relative_to(site).as_posix(): p.read_text() for p in site.rglob("*.html")}


@pytest.mark.slow
def test_every_page_is_there(pages):
    sources = {p.relative_to(DOCS).with_suffix("").as_posix() for p in DOCS.rglob("*.md")}
    for source in sources:
        assert re.sub(r"README$", "index", source) + ".html" in pages, source


@pytest.mark.slow
def test_no_page_loads_anything_from_elsewhere(site, pages):
    for name, text in pages.items():
        for address in Page(text).resources:
            assert not ELSEWHERE.match(address), (name, address)
            if name != "404.html":
                target = (site / name).parent / address.split("#")[0].split("?")[0]
                assert target.exists(), (name, address)
    for file in site.rglob("*.css"):
        assert not IN_STYLE.findall(file.read_text()), file.name


@pytest.mark.slow
def test_formulas_are_mathml_and_sessions_are_whole(pages):
    text = pages["tutorial/network.html"]
    source = (DOCS / "tutorial" / "network.md").read_text()
    inline = re.sub(r"```.*?```|`[^`]*`", "", source, flags=re.S).replace("$$", "")
    blocks, spans = source.count("$$") // 2, inline.count("$") // 2
    assert Page(text).tags.count("math") == blocks + spans
    for name, text in pages.items():
        assert "arithmatex" not in text, name
        assert "BLANKLINE" not in text, name
        assert "doctest: +" not in text, name


@pytest.mark.slow
def test_the_reference_shows_signatures_and_examples(pages):
    text = re.sub(r"<[^>]+>", "", pages["reference/gradients.html"])
    assert "grad(f, wrt=0" in text
    assert "&gt;&gt;&gt; grad(lambda x: np.sum(np.sin(x)))" in text
    assert "--value-and-grad" in pages["reference/command_line.html"]


def test_pictures_are_drawn_for_day_and_night():
    pytest.importorskip("matplotlib")
    spec = importlib.util.spec_from_file_location("pictures", DOCS / "pictures.py")
    pictures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pictures)
    for path, draw in pictures.PICTURES.items():
        for text in (pictures.svg(draw), (DOCS / path).read_text()):
            assert text.count("var(--ink)") > 3, path
            assert "prefers-color-scheme:dark" in text
            drawn = {colour for colour, _, _ in pictures.COLOURS.values()}
            assert not drawn & set(re.findall(r"#[0-9a-f]{6}", text)), path
        assert 5_000 < len(text) < 100_000, path
