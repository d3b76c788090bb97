"""The claimed gradient as a vector beside the vector of the point."""

from typing import Any

import numpy as np

from chainrule.base import tree
from chainrule.base.errors import MismatchError
from chainrule.numeric.points import Point


def claimed_vector(claimed: Any, point: Point) -> np.ndarray:
    """The numbers (N,) of the claimed gradient; MismatchError naming what does not fit."""
    leaves = tree.leaves_like(point.treedef, claimed, "the gradient")
    parts = [
        _leaf_vector(g, leaf, dtype, path)
        for g, leaf, dtype, path in zip(leaves, point.leaves, point.dtypes, point.paths)
    ]
    return np.concatenate(parts) if parts else np.zeros(0)


def without_value(claimed: Any, point: Point, value: float) -> Any:
    """The gradient alone, where ``grad`` returned (value, gradient)."""
    if isinstance(claimed, tuple) and len(claimed) == 2 and np.ndim(claimed[0]) == 0:
        fits = tree.flatten(claimed)[1] != point.treedef and not isinstance(claimed[0], str)
        if fits and claimed[0] is not None and np.isclose(complex(claimed[0]), value, rtol=1e-6):
            return claimed[1]
    return claimed


def _leaf_vector(g: Any, leaf: Any, dtype: np.dtype, path: str) -> np.ndarray:
    array = np.asarray(g)
    if array.dtype.kind not in "fciu":
        raise MismatchError(f"The gradient of {path} is a {type(g).__name__}, not numbers.")
    if array.shape != np.shape(leaf):
        hint = ""
        if array.shape == np.shape(leaf)[::-1]:
            hint = " (is it transposed?)"
        elif array.size == np.size(leaf):
            hint = " (is it flattened?)"
        elif array.shape[1:] == np.shape(leaf):
            hint = " (is the sum over the first axis, the batch, missing?)"
        what = f"The gradient of {path} has shape {array.shape}, and {path} has {np.shape(leaf)}"
        raise MismatchError(what + hint + ".")
    if dtype.kind == "c":
        return np.ascontiguousarray(array, complex).reshape(-1).view(float)
    if array.dtype.kind == "c":
        if np.any(array.imag != 0):
            raise MismatchError(f"The gradient of {path} is complex, and {path} is real.")
        array = array.real
    return array.reshape(-1).astype(float)


def is_single_precision(claimed: Any) -> bool:
    """Whether every number of the gradient is a float32, and not just a small whole number."""
    arrays = [np.asarray(leaf) for leaf in tree.flatten(claimed)[0]]
    reals = [a.view(a.real.dtype) if a.dtype.kind == "c" and a.ndim else a for a in arrays]
    numbers = np.concatenate([np.ravel(a).real.astype(float) for a in reals] or [np.zeros(0)])
    with np.errstate(all="ignore"):
        single = numbers == numbers.astype(np.float32)
        plain = numbers * 4096 == np.round(numbers * 4096)
    return bool(numbers.size and single.all() and not plain.all())
