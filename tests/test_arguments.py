"""What ``wrt=`` selects, for every kind of callable."""

import functools

import numpy as np
import pytest

from chainrule.base.arguments import select
from chainrule.base.errors import ArgumentError


def f(params, x, scale=2.0, *rest, flag=False, **others):
    return params, x, scale, rest, flag, others


def test_default_is_the_first_argument():
    chosen = select(f, (1, 2))
    assert chosen.values == [1]
    assert chosen.single
    assert chosen.names == ["params"]
    assert chosen.rebuild([10]) == ((10, 2), {})


def test_default_does_not_look_at_the_signature():
    class Sly:
        @property
        def __signature__(self):
            raise AssertionError

        def __call__(self, x):
            return x

    assert select(Sly(), (1,), {}, 0).values == [1]


@pytest.mark.parametrize(
    ("wrt", "values", "keys"),
    [
        (1, [2], (1,)),
        (-1, [2], (1,)),
        ("x", [2], (1,)),
        (np.int64(1), [2], (1,)),
        ((0, "x"), [1, 2], (0, 1)),
        (["x", 0], [2, 1], (1, 0)),
        ("scale", [2.0], ("scale",)),
        (2, [2.0], ("scale",)),
    ],
)
def test_positions_and_names(wrt, values, keys):
    chosen = select(f, (1, 2), {}, wrt)
    assert chosen.values == values
    assert chosen.keys == keys


def test_tuple_of_one_is_not_single():
    assert not select(f, (1, 2), {}, (0,)).single


def test_keyword_arguments_by_name_and_by_position():
    for wrt in ("x", 1):
        chosen = select(f, (1,), {"x": 2}, wrt)
        assert chosen.values == [2]
        assert chosen.rebuild([20]) == ((1,), {"x": 20})


def test_name_only_known_as_keyword():
    assert select(f, (1, 2), {"anything": 3}, "anything").values == [3]


def test_rebuild_leaves_the_call_alone():
    args, kwargs = (1, 2), {"flag": 3}
    chosen = select(f, args, kwargs, (0, "flag"))
    assert chosen.rebuild([10, 30]) == ((10, 2), {"flag": 30})
    assert (args, kwargs) == ((1, 2), {"flag": 3})


def test_names_of_rest_arguments():
    assert select(f, (1, 2, 3, 4, 5), {}, (3, 4)).names == ["rest[0]", "rest[1]"]


def test_bound_method_counts_without_self():
    class Model:
        def loss(self, weights, x):
            return weights * x

    chosen = select(Model().loss, (1, 2), {}, "x")
    assert chosen.keys == (1,)
    assert chosen.names == ["x"]


def test_partial_counts_what_is_left():
    part = functools.partial(f, 1, scale=5.0)
    assert select(part, (2,), {}, "x").keys == (0,)
    chosen = select(part, (2,), {}, "scale")
    assert chosen.values == [5.0]
    assert part(*chosen.rebuild([6.0])[0], **chosen.rebuild([6.0])[1])[2] == 6.0


def test_callable_instance_and_lambda():
    class Loss:
        def __call__(self, w, b):
            return w + b

    assert select(Loss(), (1, 2), {}, "b").values == [2]
    assert select(lambda w, b: w, (1, 2), {}, "b").values == [2]


def test_builtin_without_signature_by_position_only():
    chosen = select(max, (1, 2), {}, 1)
    assert chosen.names == ["argument 1"]
    with pytest.raises(ArgumentError, match="no names Python can see"):
        select(max, (1, 2), {}, "x")


@pytest.mark.parametrize(
    ("wrt", "message"),
    [
        ("scael", "Did you mean 'scale'"),
        ("nothing", r"f\(params, x, scale, \*rest, flag, \*\*others\)"),
        (9, "out of range: 2 positional"),
        (-3, "out of range"),
        ((), "names no argument"),
        ((0, "params"), "twice"),
        (True, "neither a position nor"),
        (1.5, "neither a position nor"),
        ("rest", "any number of arguments"),
        ("others", "any number of arguments"),
    ],
)
def test_wrong_wrt_names_the_parameters(wrt, message):
    with pytest.raises(ArgumentError, match=message):
        select(f, (1, 2), {}, wrt)


def test_required_argument_that_was_not_passed():
    with pytest.raises(ArgumentError, match="was not passed"):
        select(f, (1,), {}, "x")
    with pytest.raises(ArgumentError, match="was not passed"):
        select(f, (1,), {}, 1)


def test_error_shows_the_users_line():
    with pytest.raises(ArgumentError, match=r"test_arguments\.py"):
        select(f, (1, 2), {}, "nothing")
