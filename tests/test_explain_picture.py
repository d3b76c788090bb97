"""The computation graph: who uses whom, where the boxes stand, what the SVG says."""

import itertools
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.explainer.graph import Cluster, Graph
from chainrule.explainer.layers import ENTRY, EXIT, layered, layers_of
from chainrule.explainer.picture import picture
from chainrule.explainer.places import Places
from tests import explained

SVG = "{http://www.w3.org/2000/svg}"


def names_of_edges(graph, **kind):
    return {
        (e.source.name, e.target.name)
        for e in graph.edges
        if all(getattr(e, key) == value for key, value in kind.items())
    }


def read(d, **options):
    return ET.fromstring(str(picture(d, **options)))


def texts(root):
    return ["".join(t.itertext()) for t in root.iter(f"{SVG}text")]


# --- the graph


def test_edges_are_the_uses():
    d, uses = explained.chain(40)
    truth = {("x", "v0"), ("v39", "value")}
    truth |= {(f"v{a}", f"v{k}") for k, pair in uses.items() for a in pair}
    assert names_of_edges(Graph(d)) == truth


def test_cotangents_come_back_along_the_edges_that_reach_the_result():
    d, uses = explained.chain(40)
    reached = {39}
    for k in reversed(range(1, 40)):
        reached |= set(uses[k]) if k in reached else set()
    truth = {("x", "v0"), ("v39", "value")}
    truth |= {(f"v{a}", f"v{k}") for k in reached if k for a in uses[k]}
    assert names_of_edges(Graph(d), back=True) == truth


def test_no_cotangent_comes_from_what_is_not_used():
    def f(x):
        n = np.sin(x)  # noqa: F841
        m = x * x
        return np.sum(m)

    graph = Graph(cr.explain(f, np.array([1.5, 2.5])))
    assert names_of_edges(graph, back=False) == {("x", "n")}


def test_calls_and_statements_are_groups():
    root = Graph(explained.network()).root
    call = next(m for m in root.members if isinstance(m, Cluster))
    assert (call.kind, call.text) == ("call", "Z = predict(params, X)")
    kinds = {m.kind for m in root.members if isinstance(m, Cluster)}
    assert kinds == {"call", "statement"}


def test_a_rolled_loop_is_one_group_with_the_edges_to_its_next_round():
    graph = Graph(explained.loop())
    assert [c.kind for c in graph.root.members if isinstance(c, Cluster)] == ["loop"]
    assert names_of_edges(graph, carried=True) == {("x_t", "a_t"), ("v_t", "v_t"), ("x_t", "x_t")}
    assert {("a_t", "v_t"), ("v_t", "r_t"), ("A", "a_t"), ("x_t", "value")} <= names_of_edges(
        graph, carried=False
    )


@pytest.mark.parametrize("limit", [5, 20, 60, 150])
def test_no_more_boxes_than_the_limit(limit):
    for d in (explained.unrolled(), explained.chain(200)[0], explained.network()):
        graph = Graph(d, limit)
        assert len(graph.vertices) <= limit
        everything = {x.var for s in d.forward for x in s.definitions}
        assert set(graph.vertex_of) == everything | set(d.program.inputs)


def test_the_middle_of_a_long_program_is_one_box():
    names = [v.name for v in Graph(explained.chain(200)[0], 100).vertices]
    assert names[:3] == ["x", "v0", "v1"] and names[-1] == "value"
    assert any(name.endswith("more statements") for name in names)


def test_many_inputs_are_summed_up():
    def f(xs):
        return sum(np.sum(x) for x in xs)

    graph = Graph(cr.explain(f, [np.ones(2)] * 300), limit=40)
    assert any(v.name.endswith("more inputs") for v in graph.vertices)
    assert len(graph.vertices) <= 40


def test_edges_in_a_loop_go_with_the_order_of_its_round():
    graph = Graph(explained.interrupted())
    order = {v: k for k, v in enumerate(graph.vertices)}
    assert all(order[e.source] < order[e.target] for e in graph.edges if not e.carried)


def test_groups_inside_one_another_take_no_more_time():
    assert len(str(picture(explained.recursive(), width=300))) < 100_000


# --- the layout


@st.composite
def graphs(draw):
    count = draw(st.integers(1, 25))
    sizes = draw(
        st.lists(st.tuples(st.floats(5, 90), st.floats(5, 60)), min_size=count, max_size=count)
    )
    pairs = [(i, j) for j in range(count) for i in range(j)]
    edges = draw(st.lists(st.sampled_from(pairs), max_size=40, unique=True)) if pairs else []
    sides = draw(st.lists(st.integers(0, count - 1), max_size=4, unique=True))
    return sizes, edges, [(ENTRY, k) for k in sides] + [(k, EXIT) for k in sides]


@settings(max_examples=60, deadline=None)
@given(graphs(), st.floats(100, 2000))
def test_boxes_do_not_overlap_and_edges_go_right_or_down(graph, width):
    sizes, edges, sides = graph
    layout = layered(sizes, [*edges, *sides], width)
    boxes = [(x, y, x + w, y + h) for (x, y), (w, h) in zip(layout.corners, sizes)]
    for a, b in itertools.combinations(boxes, 2):
        beside = a[2] <= b[0] + 1e-6 or b[2] <= a[0] + 1e-6
        assert beside or a[3] <= b[1] + 1e-6 or b[3] <= a[1] + 1e-6
    for a in boxes:
        assert -1e-6 <= a[0] <= a[2] <= layout.width + 1e-6
        assert -1e-6 <= a[1] <= a[3] <= layout.height + 1e-6
    for i, j in edges:
        if (i, j) in layout.wraps:
            assert boxes[i][3] < boxes[j][1]
        else:
            xs = [boxes[i][2], *(x for x, _ in layout.bends.get((i, j), ())), boxes[j][0]]
            assert xs == sorted(xs)


@given(graphs())
def test_every_box_is_in_a_later_column_than_what_it_comes_from(graph):
    sizes, edges, _ = graph
    layer = layers_of(len(sizes), edges)
    assert all(layer[i] < layer[j] for i, j in edges)
    assert sorted(set(layer)) == list(range(max(layer) + 1))


def test_groups_hold_their_members_and_nothing_else():
    for d in (explained.network(), explained.interrupted(), explained.unrolled(20)):
        graph = Graph(d)
        places = Places(graph, lambda v: (60.0, 30.0), 900.0)
        for cluster in (c for c in places.boxes if isinstance(c, Cluster)):
            box = places.boxes[cluster]
            members = set(cluster.vertices())
            for v in graph.vertices:
                x = places.boxes[v]
                inside = box.x < x.x and x.right < box.right and box.y < x.y < box.y + box.height
                apart = (
                    x.right <= box.x or box.right <= x.x
                    or x.y + x.height <= box.y or box.y + box.height <= x.y
                )  # fmt: skip
                assert inside if v in members else apart


# --- the SVG


@pytest.mark.parametrize("count", [5, 200])
def test_small_and_large_pictures_stay_in_their_width(count):
    root = read(explained.chain(count)[0], width=900)
    width, height = float(root.get("width")), float(root.get("height"))
    assert width <= 900
    for rect in root.iter(f"{SVG}rect"):
        assert float(rect.get("x", 0)) + float(rect.get("width")) <= width
        assert float(rect.get("y", 0)) + float(rect.get("height")) <= height


def test_the_picture_shows_names_shapes_and_formulas():
    shown = texts(read(explained.network()))
    assert "W1 6×30" in shown and "params['W1']" in shown
    assert "H 50×30" in shown and "H @ W2 + b2" in shown
    assert "Z = predict(params, X)" in shown


def test_a_cotangent_is_drawn_beside_each_edge_it_comes_back_on():
    d, _ = explained.chain(40)
    edges = [g for g in read(d).iter(f"{SVG}g") if g.get("class") == "edge"]
    count = {"go": 0, "back": 0}
    for path in (p for g in edges for p in g if p.get("class") in count):
        count[path.get("class")] += 1
    graph = Graph(d)
    assert count == {"go": len(graph.edges), "back": sum(e.back for e in graph.edges)}


def test_text_of_the_user_is_text():
    shown = texts(read(explained.attacked()))
    assert any("</script><img src=x" in text for text in shown)
    assert any("ünïcode" in text for text in shown)
    tags = {e.tag.removeprefix(SVG) for e in read(explained.attacked()).iter()}
    assert tags <= {"svg", "style", "rect", "g", "title", "text", "tspan", "path"}


def test_light_and_dark_without_anything_from_outside():
    text = str(picture(explained.network()))
    assert "prefers-color-scheme:dark" in text
    assert text.count("http") == 1  # the name space
    assert "url(" not in text and "@import" not in text and "@font-face" not in text


def test_a_picture_is_shown_by_notebooks_and_saved(tmp_path):
    made = explained.network().picture()
    assert made._repr_svg_() == str(made) and str(made).startswith("<svg")
    path = made.save(tmp_path / "graph.svg")
    assert path.read_text(encoding="utf-8") == str(made)
    with pytest.raises(ValueError, match=r"graph\.svg"):
        made.save(tmp_path / "graph.png")


def test_a_function_that_returns_its_argument():
    root = read(cr.explain(lambda x: x, 2.0))
    assert "x" in texts(root)
