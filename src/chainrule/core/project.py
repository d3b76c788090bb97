"""``project`` gives a cotangent its primal's shape, dtype and realness; ``match`` transposes it."""

from typing import Any

import numpy as np

from chainrule.base.errors import RuleError


def project(bar: Any, shape: tuple[int, ...], dtype: np.dtype) -> Any:
    """``bar`` summed over the axes that broadcasting made, and real if the primal is real.

    >>> project(np.ones((2, 3)), (3,), np.dtype(float))
    array([2., 2., 2.])
    """
    if bar.dtype != dtype:
        if bar.dtype.kind == "c" and dtype.kind != "c":
            bar = bar.real
        if bar.dtype != dtype:
            bar = bar.astype(dtype)
    return bar if bar.shape == shape else unbroadcast(bar, shape)


def unbroadcast(bar: Any, shape: tuple[int, ...]) -> Any:
    """The transpose of ``broadcast_to``: sum over what it repeated."""
    extra = bar.ndim - len(shape)
    if extra < 0:  # an operand with leading axes of length one, (1, 3) stored into (3,)
        bar, extra = bar.reshape((1,) * -extra + bar.shape), 0
    if extra:
        bar = np.sum(bar, axis=tuple(range(extra)))
    stretched = tuple(i for i, n in enumerate(shape) if n == 1 and bar.shape[i] != 1)
    if stretched:
        bar = np.sum(bar, axis=stretched, keepdims=True)
    if bar.shape != shape:
        # A rule's cotangent that is too small: one number stands for all elements alike.
        try:
            return np.broadcast_to(bar, shape)
        except ValueError:
            raise RuleError(
                f"a rule returned a cotangent of shape {bar.shape} for an operand of shape {shape}"
            ) from None
    return bar


def match(tangent: Any, y: Any) -> Any:
    """A tangent with the shape and dtype of the primal ``y``."""
    if tangent.shape != y.shape:
        tangent = np.broadcast_to(tangent, y.shape)
    if tangent.dtype != y.dtype:
        if tangent.dtype.kind == "c" and y.dtype.kind != "c":
            tangent = tangent.real
        tangent = tangent.astype(y.dtype)
    return tangent
