"""Arrays over memory that is not chainrule's alone: the caller's, or handed out by user code.

Code that is not followed (C, another thread, a memoryview) reads such memory without derivatives.
So while a number in it has one, the memory holds a NaN with a mark; ``check_hidden`` finds the mark
in results.
"""

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.base import tree
from chainrule.base.errors import NonDifferentiableError
from chainrule.core import trace as _trace
from chainrule.core.array import HANDLES
from chainrule.core.handle import GETITEM, Array, View, alone
from chainrule.core.indexing import Path, assign
from chainrule.core.trace import Trace, is_traced, peek, plain

_set_class = object.__dict__["__class__"].__set__  # the layouts are equal; Array's own hides it


@dataclass(slots=True)
class Outside:
    """What a Foreign knows of its memory.

    is_ours: user code made the array, and then took its memory (x.data) or let others take it
    has_address: it asked for the address (x.ctypes); who holds that cannot be known
    is_hidden: parts of it are NaN: see ``Foreign._show``
    is_apart: an array shares it in a way that no view describes
    """

    memory: np.ndarray
    is_ours: bool = False
    has_address: bool = False
    is_hidden: bool = False
    is_apart: bool = False


class Foreign(Array):
    """A constant over memory that others reach too, until a traced value is written into it: then
    it has a buffer of ours as well, which equations may keep, and every write goes to both."""

    __slots__ = ()

    def __init__(self, memory: np.ndarray, trace: Trace, var: Any):
        super().__init__(memory, trace, var)
        self._outside = Outside(memory)

    @staticmethod
    def become(array: Array) -> None:
        """A constant of user code whose memory others may reach from now on."""
        _set_class(array, Foreign)
        array._outside = Outside(array._value, is_ours=True)

    @property
    def _memory(self) -> np.ndarray:
        return self._outside.memory

    def snapshot(self) -> Array:
        value = self._value
        return Array(value.copy() if value is self._memory else value, self._trace, self._var)

    def write_memory(self, index: Any, value: Any) -> bool:
        """Write to the caller's memory; True if that is all: only constants are involved."""
        outside, memory = self._outside, self._memory
        if outside.is_ours and self._value is memory:
            is_held = sys.getrefcount(memory) > alone + 1
            if is_held and is_traced(value):
                raise _trace.refuse(_handed_out(memory))
            if not (is_held or outside.has_address or outside.is_apart):
                _set_class(self, Array)  # given back
                return False
        if is_traced(value):
            if outside.is_apart:
                raise _trace.refuse(_overlap(memory))
            _trace.refuse_lossy_store(self, value)
            if not outside.is_hidden:
                outside.is_hidden = True
                outermost = self._trace
                while outermost.outer is not None:
                    outermost = outermost.outer
                outermost.at_end.insert(0, self._show)
                outermost.hidden.append(self)
            assign(memory, index, np.full_like(peek(value), HIDDEN))
            return False
        assign(memory, index, plain(value))
        if self._value is not memory:
            return False
        self._version += 1
        return True

    def _show(self) -> None:
        """The numbers, in the caller's memory. While they had a derivative it held NaN: code that
        reads memory without us (C, another thread) would take them for constants."""
        self._memory[...] = plain(self._value)
        self._outside.is_hidden = False

    def part(self, steps: tuple, array: np.ndarray) -> "View":
        """The handle of an array that is a view of this one's memory."""
        return View(self, steps, GETITEM, {"index": Path(steps)}, array)

    def set_apart(self) -> None:
        """Another array overlaps this one and cannot share its handle: it stays a constant."""
        if self._value is not self._memory:
            raise _trace.refuse(_overlap(self._memory))
        self._outside.is_apart = True


def _handed_out(memory: np.ndarray) -> NonDifferentiableError:
    return NonDifferentiableError(
        f"a traced value is written into an array of shape {memory.shape} whose memory was handed "
        "out before (x.data, np.ma.array(x), an object that keeps np.asarray(x)) and is still "
        "held: there its derivative would be lost",
        "Hand out a copy (x.copy()), or write before handing out.",
    )


def _overlap(memory: np.ndarray) -> NonDifferentiableError:
    return NonDifferentiableError(
        f"a traced value is written into an array of shape {memory.shape} whose memory is "
        f"also used "
        "as an array of other dtype or strides, which would not see its derivative",
        "Copy one of the two arrays before (a.copy()), or return new arrays instead of writing.",
    )


HANDLES.add(Foreign)
_trace.Foreign = Foreign

# ---------------------------------------------------------------- the marked NaN

# Bits that float32 keeps too; arithmetic passes the bits of a NaN on.
_MARK = 0x7FFC_5EED_C000_0000
_KEPT = np.uint64(0x7FFF_FFFF_E000_0000)
HIDDEN = np.array([_MARK], np.uint64).view(np.float64)[0]


def check_hidden(trace: Trace, y: Any) -> None:
    """Refuse a result made from memory whose numbers have derivatives, but read without them."""
    for leaf in tree.flatten(y)[0]:
        x = np.asarray(peek(leaf))
        if x.dtype.kind in "fc" and np.isnan(x).any() and _is_marked(x):
            memory = trace.hidden[0]._memory
            raise NonDifferentiableError(
                f"the result is made from the memory of an array of shape {memory.shape}, read by "
                "its address or by compiled code, where its derivative is lost",
                "Read the array itself, or return new arrays instead of writing into it.",
            )


def _is_marked(x: np.ndarray) -> bool:
    parts = (x.real, x.imag) if x.dtype.kind == "c" else (x,)
    bits = [np.ascontiguousarray(p, np.float64).view(np.uint64) & _KEPT for p in parts]
    return any(bool((b == _MARK).any()) for b in bits)
