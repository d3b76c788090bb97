"""The page of a derivation: what is in the file, and how it behaves in a browser."""

import base64
import itertools
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.explainer.heat import LEVELS, ZERO, encoded, reduced
from chainrule.explainer.page import page
from tests import explained

VOID = {"meta", "input", "br", "rect", "path"}
TAGS = VOID | set(
    "html head title style body header h1 h2 h3 p code i b div button output span main section "
    "small ol ul li details summary script svg g text tspan table tbody tr td th".split()
)


class Reader(HTMLParser):
    """Elements, attributes, and the text inside each element with an id."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.open = set(), [], []
        self.by_id, self.scripts = {}, []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes += attributes
        named = dict(attributes).get("id")
        if named is not None:
            assert named not in self.by_id, f"two elements have the id {named}"
            self.by_id[named] = ""
        if tag == "script":
            self.scripts.append("")
        if tag not in VOID:
            self.open.append((tag, named))

    def handle_startendtag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes += attributes

    def handle_endtag(self, tag):
        assert self.open and self.open[-1][0] == tag, f"{tag} closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, text):
        for tag, named in self.open:
            if named is not None:
                self.by_id[named] += text
            if tag == "script":
                self.scripts[-1] += text


def facts_of(reader):
    return json.loads(reader.by_id["data"])


# ---------------------------------------------------------------- the file


@pytest.mark.parametrize(
    "make",
    [
        explained.network,
        explained.loop,
        explained.attacked,
        explained.interrupted,
        explained.recursive,
        explained.nested_function,
    ],
)
def test_the_page_is_well_formed_and_needs_nothing_from_outside(make):
    text = page(make())
    read = Reader(text)
    assert read.tags <= TAGS
    assert len(read.scripts) == 2
    assert not {k for k, _ in read.attributes} & {"src", "srcset", "action", "background"}
    assert all(v.startswith("#") for k, v in read.attributes if k == "href")
    assert not [k for k, _ in read.attributes if k.startswith("on")]
    assert set(re.findall(r"https?://[^\"' ]*", text)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest|\.innerHTML|eval\(", text)


def test_text_of_the_user_is_text():
    read = Reader(page(explained.attacked()))
    code = read.by_id["code"]
    assert """# </script><b onclick="x">&amp;'""" in code
    assert "</style>&<!--\\u2028" in code and "ünïcode" in code
    assert "img" not in read.tags
    inputs = read.by_id["r0"] + read.by_id["r1"]
    assert "params['</script><img src=x onerror=alert(1)>']" in inputs
    assert "<" not in read.scripts[0]


def test_the_title_says_what_and_how_much():
    d = explained.network()
    value = explained.loss(explained.PARAMS, explained.X, explained.Y)
    assert f"<title>loss(W1, W2, b1, b2) = {value:.10g}</title>" in page(d)


def test_each_row_is_there_with_its_links():
    d = explained.network()
    read = Reader(page(d))
    rows = facts_of(read)["rows"]
    assert [r["k"] for r in rows].count("b") == len(d.backward)
    assert [r["k"] for r in rows].count("f") == len(d.forward)
    for k, row in enumerate(rows):
        assert f"r{k}" in read.by_id
        assert all(f"L{line}" in read.by_id for line in row.get("l", ()))
        assert all(f"n{n}" in read.by_id for n in row["g"])
        assert all(f"rule{r}" in read.by_id for r in row.get("u", ()))
    top = next(k for k, r in enumerate(rows) if read.by_id[f"r{k}"].startswith("3top"))
    (line,) = rows[top]["l"]
    assert read.by_id[f"L{line}"].strip() == "top = np.max(Z, axis=1, keepdims=True)"


def test_a_statement_on_several_lines_is_marked_on_all_of_them():
    read = Reader(page(explained.nested_function()))
    rows = facts_of(read)["rows"]
    row = next(r for r in rows if r["k"] == "f" and r["m"][0] == "y")
    marked = [read.by_id[f"L{line}"].strip() for line in row["l"]]
    assert marked[0] == "y = (" and marked[-1].startswith(")") and len(marked) == 4
    assert read.by_id["code"].count("def inner(z)") == 1


def test_very_long_lines_are_cut():
    def f(x):
        return np.sum(x[0] * sum(x[(7 * k * k) % 90] for k in range(200)))

    d = cr.explain(f, np.ones(90))
    assert max(len(bar.text) for bar in d.backward) > 2000
    read = Reader(page(d))
    assert max(len(text) for key, text in read.by_id.items() if key[0] == "r") < 900


def test_a_cotangent_that_is_a_sum_lists_its_parts_and_where_they_come_from():
    d = explained.network()
    rows = facts_of(Reader(page(d)))["rows"]
    bar = next(r for r in rows if r["m"][1] == "W1_bar" and r["k"] == "b")
    decay, hidden = (s.number for name in ("decay", "H") for s in d.forward if s.name == name)
    assert [number for _, number, _ in bar["t"]] == [decay, hidden]


def test_the_maps_hold_the_gradient():
    d = explained.network()
    facts = facts_of(Reader(page(d)))
    row = next(r for r in facts["rows"] if r["m"][1] == "W2_bar" and r["k"] == "b")
    starts = np.cumsum([0, *(m[4] * m[5] for m in facts["maps"])])
    _, _, _, _, rows, columns, largest, _ = facts["maps"][row["b"][0]]
    cells = np.frombuffer(base64.b64decode(facts["cells"]), np.uint8)
    part = (cells[starts[row["b"][0]] :][: rows * columns].astype(float) - ZERO) / LEVELS
    shown = (np.sign(part) * part**2 * largest).reshape(rows, columns)

    def of_W2(W2):
        return explained.loss({**explained.PARAMS, "W2": W2}, explained.X, explained.Y)

    truth = cr.numeric.gradient(of_W2, explained.PARAMS["W2"]).value
    # 30 rows as 24: each the mean of one or of two; a byte has 125 levels of the square root
    starts = np.linspace(0, 30, 25).astype(int)
    truth = np.stack([truth[a:b].mean(axis=0) for a, b in itertools.pairwise(starts)])
    assert np.max(np.abs(shown - truth)) < np.max(np.abs(truth)) * (2 * 0.5 / LEVELS + 1e-6)


def test_maps_of_values_that_are_not_numbers():
    x = np.array([[1.0, np.nan], [np.inf, -np.inf]])
    grid, largest = reduced(x, 24)
    assert largest == 1.0
    assert encoded(grid, largest).tolist() == [ZERO + LEVELS, 0, 255, 1]
    assert np.isnan(reduced(np.array([np.nan, *np.zeros(99)])[:, None], 10)[0][0, 0])


@pytest.mark.parametrize("make", [explained.loop, explained.unrolled])
def test_a_program_of_two_thousand_operations_stays_small(make, tmp_path):
    d = make()
    assert len(d.program) > 2000
    path = d.html(tmp_path / "page.html")
    assert path.stat().st_size < 3_000_000


def test_large_arrays_are_packed_to_a_budget():
    def f(x):
        for _ in range(120):
            x = np.sin(x)
        return np.sum(x)

    text = page(cr.explain(f, np.ones((300, 200))))
    assert len(text) < 500_000


def test_html_returns_the_path(tmp_path):
    path = explained.attacked().html(str(tmp_path / "page.html"))
    assert isinstance(path, Path) and path.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_functions_without_source_have_a_page_as_well():
    scope = {"np": np}
    exec("def f(x):\n    y = np.sin(x)\n    return np.sum(x * y)", scope)
    read = Reader(page(cr.explain(scope["f"], np.ones(3))))
    assert "is not available" in read.by_id["code"]
    assert facts_of(read)["rows"]


def test_a_function_that_returns_its_argument_has_a_page():
    rows = facts_of(Reader(page(cr.explain(lambda x: x, 2.0))))["rows"]
    assert [row["k"] for row in rows] == ["i", "b"]


@pytest.mark.parametrize("make", [explained.network, explained.loop, explained.attacked])
def test_the_notebook_table_is_one_element_that_keeps_its_style_to_itself(make):
    text = make()._repr_html_()
    read = Reader(text)
    assert text.startswith("<div") and text.endswith("</div>")
    assert read.tags <= TAGS | {"table"} and not read.scripts
    rules = re.search(r"<style>(.*)</style>", text, re.S)[1].replace("@media(", "")
    selectors = re.findall(r"([^{}]+)\{[^{}]*\}", rules)
    parts = [s.strip() for rule in selectors for s in rule.split(",")]
    assert all(s.startswith((".cr-derivation", "prefers-color-scheme")) for s in parts)


# ---------------------------------------------------------------- in a browser

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = """--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-component-update
--disable-background-networking --disable-sync""".split()
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (Debian, Ubuntu: apt-get install chromium)")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def visit(browser, tmp_path):
    """Open the page of a derivation; at the end there were no errors and no requests."""
    troubles, contexts = [], []

    def visit(d, **options):
        path = d.html(tmp_path / "page.html")
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda message: troubles.append(message.text))
        tab.on("pageerror", lambda error: troubles.append(str(error)))
        tab.on("dialog", lambda dialog: troubles.append(dialog.message))
        address = path.as_uri()
        tab.on("request", lambda r: r.url.partition("#")[0] == address or troubles.append(r.url))
        tab.goto(address)
        return tab

    yield visit
    for context in contexts:
        context.close()
    assert not troubles


def current(tab):
    return tab.inner_text("#derivation .cur code")


def test_steps_go_forward_and_then_back(visit):
    d = explained.network()
    tab = visit(d)
    assert current(tab).startswith("H = np.tanh")
    assert tab.inner_text("#code .cur").endswith('H = np.tanh(X @ params["W1"] + params["b1"])')
    for _ in d.forward:
        tab.keyboard.press("ArrowRight")
    assert current(tab) == "value_bar = 1"
    tab.click("#back")
    assert current(tab).startswith("return cross_entropy + decay")
    tab.keyboard.press("End")
    assert current(tab).startswith("b2_bar =")
    count = len(d.forward) + len(d.backward)
    assert tab.inner_text("#where") == f"step {count} of {count}"
    tab.keyboard.press("Home")
    assert tab.inner_text("#where") == f"step 1 of {count}"


def test_a_step_shows_values_their_maps_and_the_rules(visit):
    tab = visit(explained.network())
    tab.click("#derivation .row:has-text('W1_bar =')")
    shown = tab.inner_text("#step")
    assert "The sum of 2 parts" in shown and "W1_bar 6×30" in shown
    assert tab.locator("#step canvas").count() == 4  # the cotangent, the value, both parts
    tab.click("#step a:has-text('@')")
    assert tab.evaluate("document.querySelector(':target').id").startswith("rule")
    numbers, different = tab.evaluate(
        """() => { const c = document.querySelector('#step canvas');
        const data = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
        return [data.length, new Set(data).size]; }"""
    )
    assert numbers == 4 * 6 * 24 and different > 20


def test_pointing_at_one_column_marks_all_three(visit):
    tab = visit(explained.network())
    tab.hover("#code li:has-text('top = np.max')")
    assert tab.locator("#derivation .lit").count() == 2  # the statement and its cotangent
    assert tab.text_content("#graph .node.lit .name") == "top"
    tab.hover("#graph .node:has-text('decay')")
    assert "decay = 1e-3" in tab.inner_text("#code .lit")
    tab.focus("#derivation .row:has-text('Z_bar =')")
    assert "return H @" in tab.inner_text("#code .lit")
    assert tab.text_content("#graph .node.lit .name") == "Z"


def test_boxes_and_lines_lead_to_their_step(visit):
    tab = visit(explained.network())
    tab.click("#graph .node:has-text('top')")
    assert current(tab).startswith("top = np.max")
    tab.click("#graph .node:has-text('top')")
    assert current(tab).startswith("top_bar =")
    assert tab.locator("#graph .edge.on.b").count() == 2  # top is used twice
    tab.click("#code li:has-text('cross_entropy = ')")
    assert current(tab).startswith("cross_entropy_bar")


def test_everything_can_be_reached_by_keyboard(visit):
    tab = visit(explained.network())
    tab.focus("#last")
    stops = []
    for _ in range(12):
        tab.keyboard.press("Tab")
        stops.append(tab.evaluate("document.activeElement.closest('section, header')?.id"))
    assert [s for s in dict.fromkeys(stops) if s] == ["code", "derivation", "graph"]
    tab.focus("#graph [tabindex='0']")
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    assert tab.locator("#graph .node.cur").count() == 1
    assert tab.evaluate("document.activeElement.classList.contains('cur')")


def test_search_counts_marks_and_goes_there(visit):
    tab = visit(explained.network())
    tab.keyboard.press("/")
    tab.keyboard.type("keepdims")
    found = tab.locator(".hit").count()
    assert found > 3 and tab.inner_text("#hits") == f"{found} found"
    tab.keyboard.press("Enter")
    first = current(tab)
    assert "keepdims" in first
    tab.keyboard.press("Enter")
    assert current(tab) != first and "keepdims" in current(tab)
    tab.keyboard.press("Escape")
    assert tab.locator(".hit").count() == 0


def test_the_rounds_of_a_loop_are_chosen_with_a_slider(visit):
    tab = visit(explained.loop())
    tab.click("#derivation .row:has-text('v_bar_t =')")
    assert tab.inner_text("#step output") == "t = 289 of 289"
    tab.focus("#step input")
    before = tab.inner_text("#details")
    tab.keyboard.press("Home")
    assert tab.inner_text("#step output") == "t = 0 of 289"
    assert tab.inner_text("#details") != before


def test_closed_parts_open_when_a_step_is_in_them(visit):
    tab = visit(explained.network())
    tab.keyboard.press("End")
    tab.click("#derivation summary >> nth=0")
    assert not tab.is_visible("#derivation .row:has-text('H = np.tanh')")
    tab.keyboard.press("Home")
    assert tab.is_visible("#derivation .row:has-text('H = np.tanh')")


@pytest.mark.parametrize("make", [explained.network, explained.loop, explained.attacked])
def test_a_phone_scrolls_down_only(visit, make):
    tab = visit(make(), viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    assert tab.evaluate("document.documentElement.scrollWidth") == 390
    assert tab.evaluate("visualViewport.scale") == 1
    tab.tap("#next")
    assert tab.inner_text("#where").startswith("step 2 of")


def test_dark_screens_have_dark_paper(visit):
    def brightness(tab, name):
        colour = tab.evaluate("name => getComputedStyle(document.body)[name]", name)
        return sum(map(int, re.findall(r"\d+", colour)[:3]))

    light, dark = (visit(explained.network(), color_scheme=s) for s in ("light", "dark"))
    assert brightness(light, "color") < 250 and brightness(light, "background-color") > 600
    assert brightness(dark, "color") > 600 and brightness(dark, "background-color") < 150


def test_a_network_fits_on_one_screen(visit):
    tab = visit(explained.network())
    last = tab.locator("#derivation .row").last.bounding_box()
    assert last["y"] + last["height"] <= 900


def test_text_of_the_user_does_nothing(visit):
    tab = visit(explained.attacked())
    for _ in range(6):
        tab.keyboard.press("ArrowRight")
    assert tab.locator("img").count() == 0
    assert "ünïcode = np.sin(a)" in tab.inner_text("#code")


@pytest.mark.parametrize("make", [explained.loop, explained.unrolled])
def test_a_program_of_two_thousand_operations_opens(visit, make):
    tab = visit(make())
    tab.keyboard.press("End")
    assert current(tab)
