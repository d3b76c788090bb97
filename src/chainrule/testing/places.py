"""Points to test at: random ones around a given one, and a Hypothesis strategy."""

from typing import Any

import numpy as np

from chainrule.base import tree
from chainrule.base.errors import InputError


def near(point: Any, rng: np.random.Generator) -> Any:
    """A random point around this one, moved by about half of its size; trees in, trees out.

    What holds no floats stays as it is.
    """

    def moved(leaf: Any) -> Any:
        array = np.asarray(leaf)
        if array.dtype.kind not in "fc":
            return leaf
        size = np.abs(array) + (np.mean(np.abs(array)) if array.size else 0.0)
        step = 0.25 * np.where(size > 0, size, 1.0) * rng.standard_normal(array.shape)
        return (array + step).astype(array.dtype)[()]

    return tree.map(moved, point)


def points(like: Any, scale: float = 10.0, special: bool = True) -> Any:
    """A Hypothesis strategy of points: finite floats up to ``scale`` in size, trees in, trees out.

    like : a shape (a number or a tuple of numbers), or an example: an array, or a tree of arrays.
    special : 0, 1, -1 and equal numbers come often: ties and kinks are where derivatives break.

    >>> from hypothesis import given, settings
    >>> from chainrule.testing import assert_gradient, points
    >>> @given(points({"w": np.zeros(3), "b": 0.0}))
    ... @settings(max_examples=5, deadline=None)
    ... def test(p):
    ...     f = lambda p: np.sum(np.sin(p["w"])) * p["b"]
    ...     assert_gradient(f, p, allow_inconclusive=True)
    >>> test()
    """
    from hypothesis import strategies as st

    if _is_shape(like):
        like = np.zeros(like)
    leaves, treedef = tree.flatten(like)
    parts = [_leaf(leaf, scale, special) for leaf in leaves]
    return st.tuples(*parts).map(lambda found: tree.unflatten(treedef, found))


def _is_shape(like: Any) -> bool:
    lengths = like if isinstance(like, tuple) else (like,)
    return all(type(n) is int for n in lengths)


def _leaf(leaf: Any, scale: float, special: bool) -> Any:
    from hypothesis import strategies as st
    from hypothesis.extra import numpy as arrays

    dtype = np.asarray(leaf).dtype
    if dtype.kind in "iub" and isinstance(leaf, np.ndarray):
        return st.just(leaf)  # indices and the like
    if dtype.kind not in "fciu":
        what = f"like holds a {type(leaf).__name__}."
        raise InputError(what, "Give a shape, an array of floats, or a tree of arrays.")
    width: Any = 32 if dtype in (np.float32, np.complex64) else 64
    plain = st.floats(-scale, scale, width=width, allow_subnormal=False)
    often = st.sampled_from([0.0, 1.0, -1.0, 0.5])
    elements: Any = st.one_of(plain, often) if special else plain
    if dtype.kind == "c":
        elements = st.builds(complex, elements, elements)
    if np.ndim(leaf) == 0:
        return elements.map(dtype.type if isinstance(leaf, np.generic) else lambda number: number)
    kind = dtype if dtype.kind in "fc" else np.dtype(float)
    return arrays.arrays(kind, np.shape(leaf), elements=elements)
