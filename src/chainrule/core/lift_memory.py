"""Arrays that share memory, reached under different names, share one root handle."""

import sys
from typing import Any

import numpy as np

Steps = tuple[tuple[str, Any], ...]


def owner_of(a: np.ndarray) -> np.ndarray | None:
    """The array whose memory ``a`` is a part of, if somebody else may reach that memory too."""
    owner = a.base
    if type(owner) is not np.ndarray or a.size == 0:
        return None
    if sys.getrefcount(owner) <= 3:  # a.base, the name here, the argument: only ``a`` refers to it
        return None
    while type(owner.base) is np.ndarray:
        owner = owner.base
    return owner


def base_of(a: np.ndarray) -> np.ndarray:
    """The array at the end of the chain of ``.base``."""
    while type(a.base) is np.ndarray:
        a = a.base
    return a


def is_loose(a: np.ndarray) -> bool:
    """Whether the memory belongs to no array, so that others may lie over it unknown to us."""
    return base_of(a).base is not None


def steps_to(owner: np.ndarray, part: np.ndarray) -> Steps | None:
    """Steps that make ``part`` of ``owner``: an index and a transposition, or a slice reshaped.

    None where there are none (other dtype, broadcast, sliding windows).
    """
    if part.dtype != owner.dtype or 0 in owner.strides:
        return None
    for find in (_by_index, _by_block):
        steps = find(owner, part)
        if steps is not None and _same_view(apply(owner, steps), part):
            return steps
    return None


def apply(x: Any, steps: Steps) -> Any:
    for kind, argument in steps:
        x = x[argument] if kind == "index" else getattr(x, kind)(*argument)
    return x


def _same_view(a: np.ndarray, b: np.ndarray) -> bool:
    if a.shape != b.shape or _address(a) != _address(b):
        return False
    return all(n == 1 or s == t for n, s, t in zip(a.shape, a.strides, b.strides))


def _address(a: np.ndarray) -> int:
    return a.__array_interface__["data"][0]


def _by_index(owner: np.ndarray, part: np.ndarray) -> Steps | None:
    """A slice or an integer an axis of the owner, then the order of the axes."""
    rest = _address(part) - _address(owner)
    axes = sorted(range(owner.ndim), key=lambda k: -abs(owner.strides[k]))
    if any(s < 0 for s in owner.strides):
        return None
    start = [0] * owner.ndim
    for k in axes:
        if owner.shape[k] > 1:
            start[k], rest = divmod(rest, owner.strides[k])
    if rest:
        return None
    index: list[Any] = list(start)
    taken: dict[int, int] = {}  # axis of the owner -> axis of the part
    for j, (n, stride) in enumerate(zip(part.shape, part.strides)):
        if n == 1:
            continue
        fitting = [k for k in axes if k not in taken and _fits(owner, k, start[k], n, stride)]
        if not fitting:
            return None
        k = fitting[0]
        step = stride // owner.strides[k]
        stop = start[k] + step * n
        index[k] = slice(start[k], stop if stop >= 0 else None, step)
        taken[k] = j
    order = [taken[k] for k in sorted(taken)]  # axes of the part, as the index leaves them
    steps: list[tuple[str, Any]] = [("index", tuple(index) + ((...,) if not taken else ()))]
    steps.append(("transpose", (tuple(np.argsort(order).tolist()),)))
    ones = [j for j, n in enumerate(part.shape) if n == 1]
    if ones:
        steps.append(("index", tuple(None if n == 1 else slice(None) for n in part.shape)))
    return tuple(steps)


def _fits(owner: np.ndarray, k: int, start: int, n: int, stride: int) -> bool:
    unit = owner.strides[k]
    if owner.shape[k] == 1 or stride == 0 or stride % unit:
        return False
    return 0 <= start + stride // unit * (n - 1) < owner.shape[k]


def _by_block(owner: np.ndarray, part: np.ndarray) -> Steps | None:
    """A contiguous piece of a contiguous owner, in another shape and order of axes."""
    order = np.argsort([-abs(s) for s in part.strides], kind="stable").tolist()
    block = part.transpose(order)
    if not (owner.flags.c_contiguous and block.flags.c_contiguous):
        return None
    start, rest = divmod(_address(part) - _address(owner), owner.itemsize)
    if rest:
        return None
    return (
        ("reshape", (-1,)),
        ("index", slice(start, start + part.size)),
        ("reshape", (block.shape,)),
        ("transpose", (tuple(np.argsort(order).tolist()),)),
    )
