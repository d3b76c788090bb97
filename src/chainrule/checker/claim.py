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
    if not (isinstance(claimed, tuple) and len(claimed) == 2 and np.ndim(claimed[0]) == 0):
        return claimed
    first, gradient = claimed
    if tree.flatten(claimed)[1] == point.treedef or not isinstance(first, (int, float, np.number)):
        return claimed
    if np.isclose(complex(first), value, rtol=1e-6):
        return gradient
    if tree.flatten(gradient)[1] == point.treedef:
        what = (
            f"grad returned (value, gradient) with the value {first:.6g}, and f(x) is {value:.6g}."
        )
        raise MismatchError(what)
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


def in_single_precision(claimed: Any, point: Point) -> str:
    """The path of the first array whose numbers are all float32, and look as if computed so; ""."""
    for leaf, path in zip(tree.flatten(claimed)[0], point.paths):
        if _is_single(np.asarray(leaf)):
            return path
    return ""


def _is_single(array: np.ndarray) -> bool:
    """Whole numbers, and those of few bits as 0.75, are float32 by chance; most others use the
    last eight of its 24 bits."""
    numbers = np.ravel(array.astype(complex)).view(float) if array.size else np.zeros(0)
    with np.errstate(all="ignore"):
        if not np.array_equal(numbers, numbers.astype(np.float32), equal_nan=True):
            return False
    numbers = numbers[np.isfinite(numbers) & (numbers != np.round(numbers))]
    sixteen_bits = np.frexp(numbers)[0] * 2.0**16
    return bool(numbers.size and np.mean(sixteen_bits != np.round(sixteen_bits)) > 0.75)
