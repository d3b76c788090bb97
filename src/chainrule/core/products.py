"""Products of a cotangent and a partial where zeros meet infinities; parts under a mask."""

from typing import Any

import numpy as np


def masked_product(g: Any, partial: Any) -> Any:
    """``g * partial`` with 0 where g is 0, also where the partial is inf or NaN.

    A zero cotangent says that this element does not reach the result: its slope does not matter.
    """
    product = g * partial
    if type(product) is np.ndarray and is_surely_finite(product):
        return product
    finite = np.isfinite(product)
    if finite.all():
        return product
    # only there: elsewhere the product is also the derivative by g, which may be traced itself
    masked = np.where((g == 0) & ~finite, 0.0, product)
    return masked if masked.shape else masked[()]


def is_surely_finite(x: np.ndarray) -> bool:
    """One dot product, half the time of isfinite: no inf, no NaN, and nothing so large that its
    square overflows."""
    flat = x.reshape(-1, order="A")
    square = flat.dot(flat)
    return bool(square - square == 0)


_BITS = {"d": np.int64, "f": np.int32}
MANY = 10_000  # elements; fewer fit into the cache, where np.where is as fast


def selected(mask: Any, g: Any) -> Any:
    """``g`` where the mask holds and 0 elsewhere, also where g is inf or NaN.

    Of many numbers by their bits, or only the few there are: np.where has a branch for each, and
    takes ten times as long for a mask without a pattern.
    """
    if type(mask) is np.bool:
        return g if mask else np.zeros_like(g)[()]
    if type(g) is np.ndarray and type(mask) is np.ndarray and mask.size > MANY:
        bits = _BITS.get(g.dtype.char)
        if bits is not None and np.broadcast_shapes(mask.shape, g.shape) == mask.shape:
            if np.count_nonzero(mask) * 16 < mask.size:
                part = np.zeros_like(g, shape=mask.shape)
                np.copyto(part, g, where=mask)
                return part
            part = np.empty_like(g, shape=mask.shape)
            ones = part.view(bits)
            ones[...] = np.negative(mask.view(np.int8))  # all bits of a number, or none
            ones &= g.view(bits)
            return part
    return np.where(mask, g, 0.0)
