"""Handles: what user code holds in place of an array or a NumPy scalar.

``Scalar`` is immutable, like ``np.float64``: ``s += 1`` re-binds the name.
``Array`` is mutable: it points at the current SSA value of its buffer; other names of it and views
see what is written. A ``View`` is a root handle plus a path; it re-reads its root when the root has
been written since, and writes through to it::

    root (buffer, variable, version) <- path [2:5] <- path [2:5].T ...

A buffer is changed in place if only its handle refers to it, and copied first if an equation keeps
it.
"""

import gc
import sys
from dis import opmap
from threading import get_ident
from types import FrameType
from typing import Any

import numpy as np

from chainrule.base.errors import NonDifferentiableError
from chainrule.core import trace as _trace
from chainrule.core.array import (
    HANDLES,
    INPLACE,
    NUMBERS,
    Protocols,
    as_operand,
    check_inplace,
    plain_index,
)
from chainrule.core.escape import escape
from chainrule.core.indexing import GETITEM, SETITEM, Path, assign, is_basic
from chainrule.core.lift_code import opcode_at
from chainrule.core.primitive import PRIMITIVES
from chainrule.core.trace import Trace, Tracer, bind, calibrate, is_traced, peek, plain

_ndarray, _getrefcount = np.ndarray, sys.getrefcount  # looked up in loops over elements


class Scalar(Protocols):
    """An immutable traced scalar: of a reduction, full indexing, or scalar arithmetic."""

    __slots__ = ()
    __iter__ = None  # type: ignore[assignment]  # not a sequence, though it has __getitem__

    def __init__(self, value: Any, trace: Trace, var: Any):
        self._value = value
        self._trace = trace
        self._var = var

    @property  # type: ignore[misc]
    def __class__(self):
        return plain(self._value).__class__

    def snapshot(self) -> "Scalar":
        return self

    def __hash__(self) -> int:
        """That of the value, as NumPy's; who hashes may look the scalar up: see ``__eq__``."""
        self._trace.keyed = True
        return hash(plain(self._value))

    def __eq__(self, other):
        return self._equals(other, sys._getframe(1))

    def _equals(self, other: Any, caller: FrameType) -> Any:
        """A plain answer. A dict that finds another key of equal value would hand out what belongs
        to that one, perhaps with another derivative: refused."""
        equal = plain(self) == plain(other)
        if self._trace.keyed and type(equal) is not np.ndarray and equal:
            if self._looked_up(other) and not _compares(caller):
                raise NonDifferentiableError(
                    "a traced number was looked up as a key of a dict or set, and equals a key "
                    "that may have another derivative",
                    "Look it up by its plain value: table[chainrule.constant(x)].",
                )
        return equal

    def _looked_up(self, other: Any) -> bool:
        """Whether equal values would hide that the derivatives may differ."""
        if not isinstance(other, Tracer):
            return is_traced(self)
        trace = self._trace
        if other._trace is not trace or trace.owner == 0:
            return is_traced(self) or is_traced(other)
        constant = trace.is_constant(self._var), trace.is_constant(other._var)
        return not (all(constant) or (not any(constant) and trace.same(self._var, other._var)))

    def __getitem__(self, index):
        return bind(GETITEM, (self,), {"index": plain_index(index)})

    def is_integer(self):
        return plain(self).is_integer()

    def hex(self):
        return plain(self).hex()

    def as_integer_ratio(self):
        if is_traced(self):
            raise escape("x.as_integer_ratio() (fractions.Fraction)", self)
        return plain(self).as_integer_ratio()

    def copy(self, order="C"):
        return self

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self


class Array(Protocols):
    """A mutable traced array."""

    __slots__ = ("_outside", "_version")
    _outside: Any  # only a Foreign has it
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, value: Any, trace: Trace, var: Any):
        self._value = value
        self._trace = trace
        self._var = var
        self._version = 0

    @property  # type: ignore[misc]
    def __class__(self):
        return np.ndarray

    shape = property(lambda self: self._value.shape, lambda self, shape: _reshape(self, shape))

    def snapshot(self) -> "Array":
        """Another handle with the value of now, which later writes to this one do not reach."""
        return Array(self._value, self._trace, self._var)

    # ------------------------------------------------------------ reading

    def _steps(self) -> tuple["Array", tuple]:
        return self, ()

    def _peek(self) -> Any:
        """The plain array of now; nothing is recorded."""
        return peek(self._value)

    def __getitem__(self, index):
        kind = type(index)
        if type(self) is Array and self._var is self._trace.no_variable:
            value = self._value
            if type(value) is _ndarray and (kind is int or kind is tuple):
                part = value[index]
                if type(part) is not _ndarray:
                    return part  # a number read from a constant needs no handle
        if kind is int and type(self) is not View and len(self._value.shape) == 1:
            return self._trace.process(GETITEM, (self,), {"index": index})
        if kind is not int:
            index = plain_index(index)
            if not is_basic(index):
                return bind(GETITEM, (self,), {"index": _trace.frozen_index(index)})
        part = self._peek()[index]
        root, steps = self._steps()
        if type(part) is not np.ndarray:
            if type(root._value) is np.ndarray and root._trace.is_constant(root._var):
                return part  # a number, which needs no handle
            return bind(GETITEM, (root,), {"index": _joined(steps, ("index", index))})
        path = _further(root, steps, index)
        return View(root, path, GETITEM, {"index": path[-1][1]}, part)

    def view_step(self, step: Any, argument: tuple, params: dict, primitive: Any = None) -> Any:
        """A view by a method (transpose, reshape) or a function; a copy where NumPy makes one."""
        here = self._peek()
        part = step(here, *argument) if primitive else getattr(here, step)(*argument)
        primitive = primitive or PRIMITIVES[step]
        if not np.may_share_memory(part, here):
            return bind(primitive, (self,), params)
        root, steps = self._steps()
        return View(root, (*steps, (step, argument)), primitive, params, part)

    def _exposed(self):
        root, _ = self._steps()
        if type(root) is Array and root._trace.owner:  # what equations keep stays what it is
            root._value = _trace.own_buffer(root, None)
            root._version += 1
        return self._peek()

    def _shared(self, has_address=False):
        memory = self._exposed()
        root, _ = self._steps()
        if type(root) is Array and root._trace.owner and type(root._value) is _ndarray:
            _trace.Foreign.become(root)
        if type(root) is _trace.Foreign and has_address:
            root._outside.has_address = True
        return memory

    def __len__(self):
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __contains__(self, x):
        return plain(x) in plain(self)

    def __iter__(self):
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(self.shape[0]))

    # ------------------------------------------------------------ writing

    def __setitem__(self, index, value):
        if type(value) in NUMBERS and type(self) is Array:
            trace = self._trace
            if self._var is trace.no_variable and trace.owner == get_ident():
                buffer = self._value
                if type(buffer) is _ndarray:  # a number stored in a constant
                    if _getrefcount(buffer) > alone or buffer.base is not None:
                        buffer = self._value = buffer.copy(order="K")
                    if type(index) is not tuple:
                        index = plain_index(index)
                    buffer[index] = value
                    self._version += 1
                    return
        if type(index) is not int:
            index = plain_index(index)
        root, steps = self._steps()
        if type(value) is View and value._root is root and is_basic(index):
            if value._path == _further(root, steps, index):
                return  # y[1:3] *= 2 assigns the view it has just changed
        if type(value) in (list, tuple):
            value = as_operand(value)
        write(root, _joined(steps, ("index", index)), value)

    def replace(self, y: Any, ufunc: Any) -> "Array":
        """In-place arithmetic: this array, all of it, becomes ``y``."""
        y = check_inplace(self, y, ufunc)
        root, steps = self._steps()
        if steps or not isinstance(y, Array) or type(self) in (_trace.Foreign, ReadOnly):
            write(root, _joined(steps, ("index", ...)), y)
        else:
            _trace.hand_back_at_end(y._trace, self)
            self._trace, self._value, self._var = y._trace, y._value, y._var
            self._version += 1
        return self

    def __copy__(self):
        return self.copy()

    def __deepcopy__(self, memo):
        return self.copy()


def _reshape(array: Any, shape: Any) -> None:
    """``x.shape = shape``, in place; views made before would be of another array than what it is
    then."""
    here = array._peek()[...]
    here.shape = shape  # raises as NumPy does
    if type(array) is not Array or any(type(r) is View for r in gc.get_referrers(array)):
        raise NonDifferentiableError(
            "x.shape = ... of an array that has views, is a view, or comes from outside",
            "Make a new name: x = x.reshape(shape).",
        )
    y = bind(PRIMITIVES["reshape"], (array,), {"to": here.shape})
    array._trace, array._value, array._var = y._trace, y._value, y._var
    array._version += 1


_COMPARES = {opmap["COMPARE_OP"], opmap["CONTAINS_OP"]}


def _compares(frame: FrameType) -> bool:
    """Whether the frame is at a comparison or ``in``, and not at something that looks a key up."""
    return opcode_at(frame) in _COMPARES


def write(root: Array, index: Any, value: Any) -> None:
    """``root[index] = value``, recorded by the operand of the higher level."""
    if type(root) is ReadOnly:
        raise ValueError("assignment destination is read-only")
    trace = root._trace
    if isinstance(value, Tracer):
        if value._trace.level > trace.level:
            trace = value._trace
    elif type(value) is np.ndarray:
        value = value.copy() if np.may_share_memory(value, root._peek()) else value
    if trace.owner == 0:  # after the end: a plain array outside traces, an error inside one
        trace.check(SETITEM, ())
        root._value = np.array(plain(root._value))
        assign(root._value, index, plain(value))
        if type(root) is _trace.Foreign:
            assign(root._memory, index, plain(value))
        root._version += 1
        return
    if type(root) is _trace.Foreign and root.write_memory(index, value):
        return
    trace.write(root, index, value, SETITEM)


def _further(root: Array, steps: tuple, index: Any) -> tuple:
    """The path to a part of a view; a slice of a slice is one, so ``x = x[1:]`` stays short."""
    if steps and type(index) is slice:
        kind, before = steps[-1]
        if kind == "index" and type(before) is slice:
            n = Path(steps[:-1]).apply(root._peek()).shape[0]
            r = range(n)[before][index]
            index = slice(r.start, r.stop if r.stop >= 0 else None, r.step) if r else slice(0, 0)
            steps = steps[:-1]
    return (*steps, ("index", index))


def _joined(steps: tuple, last: tuple) -> Any:
    return last[1] if not steps else Path((*steps, last))


class View(Array):
    """Part of a root array: reads through to it and writes through to it."""

    __slots__ = ("_cached", "_params", "_path", "_primitive", "_root", "_seen", "_shape")

    def __init__(self, root: Array, path: tuple, primitive: Any, params: dict, part: Any):
        self._root = root
        self._path = path
        if len(path) > 1:
            primitive, params = GETITEM, {"index": Path(path)}
        self._primitive = primitive
        self._params = params
        self._shape = part.shape
        self._seen = -1
        self._cached: Any = None
        if root._version == 0 and root._trace.owner:
            self._sync()  # now, where the user wrote it; of a written root, when it is needed

    def _sync(self) -> Any:
        root = self._root
        if self._seen != root._version or getattr(self._cached, "_trace", None) is not root._trace:
            part = self._read()
            if isinstance(part, Tracer) and part._trace is not root._trace and root._trace.owner:
                part = root._trace.constant(part)  # all constant here: a value of an outer trace
            self._cached = part
            self._seen = root._version
        return self._cached

    def _read(self) -> Any:
        root = self._root
        if type(root) is _trace.Foreign and root._value is root._memory and root._trace.owner:
            # as NumPy's view, because code that is not lifted may write to the memory as well
            return root._trace.constant(Path(self._path).apply(root._memory))
        return bind(self._primitive, (root,), self._params)

    @property
    def _trace(self):  # type: ignore[override]
        return self._root._trace

    @property
    def _value(self):
        cached = self._sync()
        return cached._value if isinstance(cached, Tracer) else cached

    @property
    def _var(self):
        cached = self._sync()
        return cached._var if isinstance(cached, Tracer) else None

    @property
    def base(self):
        return self._root

    shape = property(lambda self: self._shape, lambda self, shape: _reshape(self, shape))

    @property
    def _version(self):  # type: ignore[override]
        return self._root._version

    def snapshot(self) -> Array:
        cached = self._sync()
        root = self._root
        if type(root) is _trace.Foreign and root._value is root._memory:
            return cached.copy()
        return cached.snapshot()

    def _steps(self):
        return self._root, self._path

    def _peek(self):
        return Path(self._path).apply(self._root._peek())


class ReadOnly(View):
    """What NumPy shows of an array without letting it be written (``broadcast_to``).

    It stands as the root of its own views; it re-reads the array it shows when that was written.
    """

    __slots__ = ("_shown",)

    def __init__(self, shown: Array, primitive: Any, params: dict):
        self._shown = shown
        part = primitive.fun(shown._peek(), **params)
        super().__init__(shown._steps()[0], (), primitive, params, part)

    def _read(self) -> Any:
        return bind(self._primitive, (self._shown,), self._params)

    def _steps(self):
        return self, ()

    def _peek(self):
        return self._primitive.fun(self._shown._peek(), **self._params)


for _name, _operator in INPLACE.items():
    setattr(Array, _name, _operator)
HANDLES.update((Scalar, Array, View, ReadOnly))
_trace.Scalar, _trace.Array = Scalar, Array
Trace.array = Array
calibrate(Array(np.zeros(1), None, -1))  # type: ignore[arg-type]
alone = _trace._exclusive + 1  # with a local name of the buffer

__all__ = ["Array", "Scalar", "View", "is_traced"]
