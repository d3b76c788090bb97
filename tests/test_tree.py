"""Trees of arguments."""

import dataclasses
from collections import OrderedDict, namedtuple
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.base import tree
from chainrule.base.errors import ArgumentError, MismatchError

Pair = namedtuple("Pair", ["first", "second"])


@dataclasses.dataclass
class Layer:
    weight: Any
    bias: Any
    name: str = "layer"
    calls: int = dataclasses.field(default=0, init=False)

    def __post_init__(self):
        assert self.name != "rebuilt", "__post_init__ must not run again"


@dataclasses.dataclass(frozen=True)
class Frozen:
    layers: Any
    scale: Any = 1.0


@dataclasses.dataclass(slots=True)
class Slotted:
    x: Any


LEAVES = st.one_of(st.integers(), st.floats(allow_nan=False), st.text(max_size=3))
TREES = st.recursive(
    LEAVES | st.none(),
    lambda children: st.one_of(
        st.lists(children, max_size=3),
        st.tuples(children, children),
        st.dictionaries(st.text(max_size=3), children, max_size=3),
        st.builds(Pair, children, children),
        st.builds(Frozen, children, children),
        st.builds(Slotted, children),
    ),
    max_leaves=8,
)


@given(TREES)
def test_unflatten_is_the_inverse_of_flatten(t):
    leaves, treedef = tree.flatten(t)
    again = tree.unflatten(treedef, leaves)
    assert again == t
    assert type(again) is type(t)


@given(TREES)
def test_map_of_identity_is_identity(t):
    assert tree.map(lambda leaf: leaf, t) == t
    assert tree.structure_equal(t, tree.map(str, t))


@given(TREES)
def test_one_path_for_each_leaf(t):
    leaves, paths = tree.flatten(t)[0], tree.paths(t, "t")
    assert len(paths) == len(leaves)
    for leaf, path in zip(leaves, paths):
        assert eval(path, {"t": t}) == leaf


def test_single_leaves_are_trees():
    array = np.ones(3)
    for leaf in (array, 1.0, 2, 1j, np.float32(3), "text", object(), np.array(1.0)):
        leaves, treedef = tree.flatten(leaf)
        assert leaves == [leaf] or leaves[0] is leaf
        assert tree.unflatten(treedef, ["new"]) == "new"
        assert treedef == tree.LEAF


def test_dict_keeps_insertion_order_and_takes_keys_that_do_not_sort():
    t = {"b": 1, 3: 2, "a": 3, None: 4, (1, 2): 5, 1j: 6, 2j: 7}
    leaves, treedef = tree.flatten(t)
    assert list(tree.unflatten(treedef, leaves).items()) == list(t.items())


def test_map_pairs_dicts_by_key_whatever_their_order():
    assert tree.map(lambda x, y: (x, y), {1j: 1, 2j: 2}, {2j: 20, 1j: 10}) == {
        1j: (1, 10),
        2j: (2, 20),
    }
    ordered = OrderedDict([("b", 1), ("a", 2)])
    assert list(tree.map(lambda x: x, ordered)) == ["b", "a"]


def test_dataclass_is_rebuilt_without_init_and_keeps_other_attributes():
    layer = Layer(np.ones(2), 3.0)
    layer.name, layer.calls, layer.extra = "rebuilt", 7, "kept"
    new = tree.map(lambda leaf: leaf, layer)
    assert new is not layer
    assert (new.name, new.calls, new.extra, new.bias) == ("rebuilt", 7, "kept", 3.0)


def test_nested_and_frozen_dataclasses():
    model = Frozen([Layer(1.0, 2.0), {"deep": Slotted((3.0, None))}])
    assert tree.paths(model, "m") == [
        "m.layers[0].weight",
        "m.layers[0].bias",
        "m.layers[0].name",
        "m.layers[0].calls",
        "m.layers[1]['deep'].x[0]",
        "m.scale",
    ]
    assert tree.map(lambda leaf: leaf, model) == model


def test_dataclasses_made_in_functions_do_not_accumulate():
    import gc
    import weakref

    def make():
        local = dataclasses.make_dataclass("Local", ["x"])
        assert tree.map(lambda v: v + 1, local(1)).x == 2
        return weakref.ref(local)

    reference = make()
    gc.collect()
    assert reference() is None


def test_dataclass_classes_and_array_likes_are_leaves():
    @dataclasses.dataclass
    class ArrayLike:
        data: Any

        def __array__(self, dtype=None, copy=None):
            return np.asarray(self.data)

    for leaf in (Layer, ArrayLike([1.0])):
        assert tree.flatten(leaf)[0] == [leaf]


def test_paths_as_a_person_writes_them():
    params = {"W1": [np.ones(2), 1.0], "p": Pair(1, 2)}
    assert tree.paths(params, "params") == [
        "params['W1'][0]",
        "params['W1'][1]",
        "params['p'].first",
        "params['p'].second",
    ]
    assert tree.paths(1.0, "x") == ["x"]


@pytest.mark.parametrize(
    ("expected", "found", "message"),
    [
        ({"a": 1, "b": [1, 2]}, {"a": 1, "b": [1, 2, 3]}, r"params\['b'\] should have length 2"),
        ({"a": 1, "b": [1, 2]}, {"a": 1, "b": (1, 2)}, r"params\['b'\] should be a list, but it"),
        ({"a": 1}, {"c": 1}, "params has no 'a' and should have no 'c'"),
        ({"a": 1}, {"a": [1]}, r"params\['a'\] should be a leaf, but it is a list"),
        ({"a": None}, {"a": 1}, "should be None, but it is a leaf"),
        (Frozen(1, Slotted(2)), Frozen(1, Frozen(2)), r"params\.scale should be a Slotted, but"),
        (Pair(1, 2), (1, 2), "should be a Pair, but it is a tuple"),
        ([], (), "should be a list, but it is a tuple"),
        (1.0, {"a": 1}, "params should be a leaf, but it is a dict"),
    ],
)
def test_mismatch_says_where(expected, found, message):
    treedef = tree.flatten(expected)[1]
    with pytest.raises(MismatchError, match=message):
        tree.leaves_like(treedef, found, "params")
    assert not tree.structure_equal(expected, found)
    with pytest.raises(MismatchError):
        tree.map(lambda x, y: x, expected, found)


# --- ravel


def test_ravel_promotes_and_restores_every_leaf():
    t = {
        "f32": np.ones((2, 2), np.float32),
        "int": np.arange(3),
        "number": 2,
        "z": np.array([1 + 2j], np.complex64),
        "scalar": np.float32(5),
        "zero-d": np.array(6.0),
        "empty": np.zeros((0, 3)),
        "c": 1 - 1j,
    }
    vector, unravel = tree.ravel(t)
    assert vector.dtype == np.float64
    assert vector.shape == (4 + 3 + 1 + 2 + 1 + 1 + 0 + 2,)
    back = unravel(vector)
    assert list(back) == list(t)
    for key, dtype in {"f32": "f4", "int": "f8", "z": "c8", "zero-d": "f8", "empty": "f8"}.items():
        assert back[key].dtype == dtype
        assert np.array_equal(back[key], t[key])
        assert np.shape(back[key]) == np.shape(t[key])
    assert type(back["number"]) is float
    assert type(back["scalar"]) is np.float32
    assert back["c"] == 1 - 1j


def test_unravel_makes_new_arrays():
    vector, unravel = tree.ravel(np.ones(3))
    unravel(vector)[0] = 7
    assert vector[0] == 1


def test_unravel_of_a_complex_vector_makes_real_leaves_complex():
    _, unravel = tree.ravel({"a": np.ones(2, np.float32), "b": 1.0})
    back = unravel(np.array([1j, 2j, 3j]))
    assert back["a"].dtype == np.complex64
    assert back["b"] == 3j


def test_ravel_of_one_dtype_keeps_it():
    assert tree.ravel([np.ones(2, np.float32)])[0].dtype == np.float32
    assert tree.ravel([])[0].shape == (0,)


def test_unravel_refuses_the_wrong_size():
    _, unravel = tree.ravel([1.0, np.ones(2)])
    with pytest.raises(MismatchError, match=r"shape \(3,\) is needed, not \(2,\)"):
        unravel(np.ones(2))


@pytest.mark.parametrize("leaf", ["text", True, np.array(["a"]), object(), np.array([True])])
def test_ravel_refuses_what_is_no_number(leaf):
    with pytest.raises(ArgumentError, match=r"x\['p'\]\[0\] is"):
        tree.ravel({"p": [leaf]}, "x")
