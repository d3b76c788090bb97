"""Tracers, traces, levels and ``bind``: everything that happens to a traced value passes here.

A tracer is (value, trace, variable). The value is an array or, inside nested derivatives, a tracer
of an outer trace; the variable is its number in the trace's program (negative: a constant).
Levels come from one increasing counter: an operand of a lower level is a constant to a higher one,
which is all that is needed to keep perturbations apart.
"""

import itertools
import os
import sys
from collections.abc import Sequence
from contextvars import ContextVar
from threading import get_ident
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from chainrule.base.errors import (
    ChainruleError,
    LeakedTracerError,
    NonDifferentiableError,
    Refusal,
)
from chainrule.base.where import _internal, is_internal
from chainrule.core.indexing import Path, assign
from chainrule.core.primitive import Primitive
from chainrule.core.program import Program

CONSTANT = -1
_Refusal = TypeVar("_Refusal", bound=ChainruleError)

_levels = itertools.count(1)
_live: ContextVar["Trace | None"] = ContextVar("chainrule_trace", default=None)
_getframe = sys._getframe
_ndarray = np.ndarray


def current() -> "Trace | None":
    """The innermost live trace of this context (thread or task), if any."""
    return _live.get()


class Tracer:
    """What all traced values are: a value, the trace it belongs to, and its variable there."""

    __slots__ = ("__weakref__", "_trace", "_value", "_var")
    _value: Any
    _trace: "Trace"
    _var: Any

    if TYPE_CHECKING:  # the handles of core.handle have all that arrays have

        def __getattr__(self, name: str) -> Any: ...


# The kinds of handle, filled in by core.handle, core.foreign and core.number, which build on this
# module.
Scalar: Any = None
Number: Any = None
Array: Any = None
Foreign: Any = None


def bind(primitive: Primitive, operands: Sequence[Any], params: dict[str, Any]) -> Any:
    """Apply a primitive: the operand of the highest level decides which trace records it."""
    trace = None
    for x in operands:
        if isinstance(x, Tracer):
            t = x._trace
            if trace is None or t.level > trace.level:
                trace = t
    if trace is None:
        for x in operands if NOTED else ():
            if type(x) in NOTED:
                return x.bind(primitive, operands, params)
        return primitive.fun(*operands, **params)
    return trace.process(primitive, operands, params)


class Trace:
    """One run of a function under observation. Use as a context manager; ended when it exits."""

    __slots__ = (
        "_token",
        "at_end",
        "code",
        "hidden",
        "keyed",
        "level",
        "lifter",
        "outer",
        "owner",
        "program",
        "refusal",
    )
    no_variable: Any = CONSTANT
    array: Any = None  # the class of array handles, filled in by core.handle

    def __init__(self) -> None:
        self.level = next(_levels)
        self.outer = _live.get()
        self.owner = get_ident()  # 0 once the trace has ended: one comparison checks both
        self.refusal: ChainruleError | None = (
            None  # the first one; raised at the end if someone swallowed it
        )
        self.lifter: Any = None  # of the outermost trace: see core.lift
        self.at_end: list[Any] = []  # what to tidy up when the trace has ended
        self.hidden: list[Any] = []  # of the outermost trace: see core.foreign
        self.code: Any = None  # of the function that runs, for the error of a leaked value
        self.keyed = False  # whether a scalar has been hashed: see Scalar.__eq__
        self.program: Program

    def __enter__(self):
        self._token = _live.set(self)
        return self

    def __exit__(self, kind, error, traceback) -> None:
        _live.reset(self._token)
        self.owner = 0
        for tidy in self.at_end:
            tidy()
        self.at_end.clear()
        self.hidden.clear()
        self.lifter = None
        if self.refusal is not None and not isinstance(error, ChainruleError):
            refusal, self.refusal = self.refusal, None
            raise refusal from error

    def process(self, primitive: Primitive, operands: Sequence[Any], params: dict[str, Any]) -> Any:
        """Apply the primitive to tracers of this trace, constants and tracers of outer traces."""
        raise NotImplementedError

    def write(self, array: Any, index: Any, value: Any, primitive: Primitive) -> None:
        """``array[index] = value`` on a root handle: the buffer changes, the variable is new."""
        raise NotImplementedError

    def input(self, value: Any, name: str = "") -> Any:
        """A handle for a differentiated argument."""
        raise NotImplementedError

    def constant(self, value: Any) -> Any:
        """A handle whose derivative is zero until a traced value is written into it."""
        return self.handle(value, self.no_variable)

    def foreign(self, array: Any, apart: Any = None) -> Any:
        """A constant handle over memory that is not ours: what is written is written there too.

        ``apart`` is a handle over the same memory of which it cannot be made a view.
        """
        handle = Foreign(array, self, self.no_variable)
        if apart is not None:
            apart.set_apart()
            handle.set_apart()
        return handle

    def followed(self, composition: Any) -> Any:
        """A function of ours that NumPy's protocols lead to, as it is to be run: see ``NOTED``."""
        return composition

    def is_constant(self, var: Any) -> bool:
        raise NotImplementedError

    def same(self, a: Any, b: Any) -> bool:
        """Whether two variables of equal value have the same derivative beyond doubt."""
        raise NotImplementedError

    def handle(self, value: Any, var: Any) -> Any:
        kind = Array if isinstance(value, (_ndarray, Array)) or not _is_scalar(value) else Scalar
        return kind(value, self, var)

    def lower(self, x: Tracer) -> Any:
        """An operand of another trace, as this trace sees it: a constant that will not change."""
        if x._trace.owner == 0:
            raise leaked(x._trace)
        return x.snapshot()

    def check(self, primitive: Primitive, operands: Sequence[Any]) -> None:
        """Refuse work in another thread, or after the end while another trace is live."""
        if self.owner:
            error = LeakedTracerError(
                f"a traced value was used in another thread ({primitive.name})",
                "Derivatives are recorded in the thread that asks for them: call grad inside "
                "the thread.",
            )
            self.refusal = self.refusal or error  # the thread may swallow it
            raise error
        if _live.get() is not None:
            raise leaked(self, primitive.name)


def leaked(trace: Trace, name: str = "") -> LeakedTracerError:
    """The error for a value of ``trace``, which has ended, that another trace meets."""
    made = ""
    if trace.code is not None:
        file = os.path.basename(trace.code.co_filename)
        made = f" of {trace.code.co_name} ({file}:{trace.code.co_firstlineno})"
    where = f" in {name}" if name else ""
    return LeakedTracerError(
        f"a traced value{made} was used{where} after its trace had ended, inside another "
        "derivative",
        "Return it from that function (has_aux=True) instead of keeping it in a global, list or "
        "attribute.",
    )


def _is_scalar(value: Any) -> bool:
    return isinstance(value, (np.generic, Scalar, float, complex, int))


def user_frame_above(frame: FrameType) -> FrameType:
    """The innermost frame of user code at or above ``frame``; ``frame`` itself if there is none."""
    f: FrameType | None = frame
    while f is not None:
        name = f.f_code.co_filename
        internal = _internal.get(name)
        if internal is None:
            internal = is_internal(name)
        if not internal:
            return f
        f = f.f_back
    return frame


class Recording(Trace):
    """The tape: each operation is an equation of ``program``, with the residuals of its rule."""

    __slots__ = ()

    def __init__(self, full: bool = False):
        super().__init__()
        self.program = Program(full)

    def take_program(self) -> Program:
        """The program, which handles that live on (in a recursive closure) no longer keep alive."""
        program = self.program
        del self.program
        return program

    def input(self, value, name=""):
        var = self.program.new_variable(value)
        self.program.inputs.append(var)
        if name:
            self.program.names[var] = name
        return self.handle(value, var)

    def is_constant(self, var):
        return var < 0

    def same(self, a, b):
        return self.program.same(a, b)

    def process(self, primitive, operands, params):
        if self.owner != get_ident():
            self.check(primitive, operands)
            return primitive.fun(*plain(operands), **plain(params))
        values: list[Any] = []
        variables: list[int] = []
        mask, bit, foreign = 0, 1, False
        for x in operands:
            if isinstance(x, Tracer):
                if x._trace is self:
                    values.append(x._value)
                    if x._var >= 0:
                        variables.append(x._var)
                        mask |= bit
                    else:
                        foreign = True
                else:
                    values.append(self.lower(x))
            else:
                kind = type(x)
                if kind is _ndarray:
                    foreign = True
                elif kind is list or kind is tuple:
                    return bind(primitive, [_as_operand(o) for o in operands], params)
                elif kind not in _ORDINARY:
                    x = from_outside(x)
                values.append(x)
            bit += bit
        if primitive.promotes and Number in map(type, operands):
            y = bind(primitive, weak(operands, values), params)
        elif self.outer is not None:
            y = bind(primitive, values, params)
        elif params:
            y = primitive.fun(*values, **params)
        else:  # a fifth of the time of a small operation less than with **params
            y = primitive.fun(*values)
        if primitive.multiple:
            return self._several(primitive, operands, values, variables, mask, y, params)
        if not mask:
            return Array(y, self, CONSTANT) if type(y) is _ndarray else y
        kind = Array if type(y) is _ndarray or isinstance(y, Array) else Scalar
        program = self.program
        try:
            dtype = y.dtype
        except AttributeError:  # with a Fraction: Python did it, and not NumPy
            raise not_of_numpy(primitive) from None
        letter = dtype.kind
        if letter == "O":
            raise not_of_numpy(primitive)
        key = mask + mask + (letter == "c")
        plan = primitive.plans.get(key) or primitive.plan(mask, key & 1)
        if foreign and (plan.kept or self.program.full):
            own_copies(operands, values, range(len(values)) if self.program.full else plan.kept)
        if self.outer is not None:
            values = [as_numpy(v) for v in values]
        # Program.record, written out: this is the hot path
        program.plans.append(plan)
        program.operands.append(tuple(variables))
        program.params.append(params)
        program.residuals.append(() if plan.write else plan.capture(values, y))
        shapes = program.shapes
        var = len(shapes)
        program.results.append(var)
        shapes.append(y.shape)
        program.dtypes.append(dtype)
        frame = _getframe(2)
        if _internal.get(frame.f_code.co_filename, True):
            frame = user_frame_above(frame)
        program.codes.append(frame.f_code)
        program.instructions.append(frame.f_lasti)
        if program.full:
            program.values.append(y)
            program.constants.append(values)
        return kind(y, self, var)

    def _several(self, primitive, operands, values, variables, mask, ys, params):
        if not mask:
            return _like(ys, [self.handle(y, CONSTANT) for y in ys])
        own_copies(operands, values, range(len(values)))
        var = self.record(primitive, values, variables, mask, ys, params)
        return _like(ys, [self.handle(y, v) for y, v in zip(ys, var)])

    def record(self, primitive, values, variables, mask, y, params):
        """Append an equation whose result is already known; returns the result's variable(s)."""
        program = self.program
        several = primitive.multiple
        dtype = y[0].dtype if several else y.dtype
        plan = primitive.plan(mask, dtype.kind == "c")
        program.plans.append(plan)
        program.operands.append(tuple(variables))
        program.params.append(params)
        program.residuals.append(() if plan.write else plan.capture(values, y))
        var = tuple(program.new_variable(p) for p in y) if several else program.new_variable(y)
        program.results.append(var)
        frame = user_frame_above(_getframe(2))
        program.codes.append(frame.f_code)
        program.instructions.append(frame.f_lasti)
        if program.full:
            program.constants.append(list(values))
        return var

    def write(self, array, index, value, primitive) -> None:
        """``array[index] = value`` on a root handle: the buffer changes, the variable is new."""
        if self.owner != get_ident():
            self.check(primitive, ())
            raise leaked(self, "an assignment")
        if isinstance(value, Tracer):
            v, v_var = (
                (value._value, value._var)
                if value._trace is self
                else (self.lower(value), CONSTANT)
            )
        else:
            v, v_var = value, CONSTANT
        adopt(self, array)
        x_var = array._var
        mask = (x_var >= 0) + 2 * (v_var >= 0)
        if mask & 2 or isinstance(v, Tracer):
            refuse_lossy_store(array, v)
        buffer = own_buffer(array, v)
        assign(buffer, index, v)
        array._value = buffer
        array._version += 1
        if mask:
            variables = [a for a in (x_var, v_var) if a >= 0]
            params = {"index": frozen_index(index)}
            array._var = self.record(primitive, (buffer, v), variables, mask, buffer, params)


def weak(operands: Sequence[Any], values: Sequence[Any]) -> list[Any]:
    """The values with Python's numbers where the operand is one: they do not decide a dtype."""
    return [
        v.item() if type(x) is Number and isinstance(v, np.inexact) else v
        for x, v in zip(operands, values)
    ]


def as_numpy(x: Any) -> Any:
    """A value as rules take it: they divide by zero as NumPy does, not as Python."""
    return x._as_scalar() if type(x) is Number else x


def adopt(trace: Trace, array: Any) -> None:
    """Make a handle of an outer trace one of ``trace``, to which its value is a constant."""
    if array._trace is not trace:
        hand_back_at_end(trace, array)
        value = trace.lower(array)
        array._value = value if is_traced(value) else plain(value)
        array._trace = trace
        array._var = trace.no_variable


def hand_back_at_end(trace: Trace, array: Any) -> None:
    """An array of an outer trace, written by an inner one, is the outer one's again afterwards."""
    outer = array._trace
    if outer is trace:
        return

    def hand_back():
        if array._trace is trace:
            value = array._value
            if isinstance(value, Tracer):
                array._trace, array._value, array._var = value._trace, value._value, value._var
            else:
                array._trace, array._var = outer, outer.no_variable
            array._version += 1

    trace.at_end.append(hand_back)


def own_copies(operands: Sequence[Any], values: list[Any], kept: Sequence[int]) -> None:
    """Copy the constants an equation keeps that lie in memory of others, who may change it."""
    for k in kept:
        value = values[k]
        if type(value) is _ndarray and not is_traced(operands[k]):
            if type(operands[k]) is not Array or value.base is not None:
                values[k] = value.copy()


# ---------------------------------------------------------------- values that note their uses

# What only ``source`` and ``cost`` need: kinds of value that lie below all tracers, where arrays
# lie else, answer NumPy's protocols as arrays of other libraries do, and note what is done with
# them. ``explainer.noted`` puts its kind in when it is imported; without it nothing asks further.
NOTED: set[type] = set()


def peek(x: Any) -> Any:
    """``plain``, to look at and not to compute with (shapes, layouts, errors): nothing is noted."""
    x = plain(x)
    if not NOTED:
        return x
    if type(x) in (list, tuple):
        return type(x)(map(peek, x))
    if type(x) is dict:
        return {k: peek(v) for k, v in x.items()}
    return x.bare if type(x) in NOTED else x


def is_watched(x: Any) -> bool:
    """Whether a derivative may flow through this value, or its uses are noted."""
    return is_traced(x) or (bool(NOTED) and type(plain(x)) in NOTED)


def followed(composition: Any) -> Any:
    """NumPy code of ours as the outermost trace wants it run."""
    root = _live.get() if NOTED else None
    while root is not None and root.outer is not None:
        root = root.outer
    return composition if root is None else root.followed(composition)


def frozen_array(x: Any, dtype: Any = None) -> Any:
    """A plain array as a copy: its owner may change it before the sweep."""
    x = plain(x)
    return x.astype(dtype or x.dtype) if type(x) in NOTED else np.array(x, dtype)


_ORDINARY = frozenset({float, int, bool, complex, np.float64, np.float32, np.int64, np.bool_})
_CHANGES_ARITHMETIC = (
    "__array_ufunc__", "__array_function__", "__mul__", "__matmul__", "__add__", "sum"
)  # fmt: skip


def from_outside(x: Any) -> Any:
    """An operand of a kind that computes differently from NumPy's arrays is refused."""
    kind = type(x)
    if kind in NOTED:
        return x
    name = f"{kind.__module__.partition('.')[0]}.{kind.__name__}"
    if isinstance(x, _ndarray):
        ours = _ndarray.__dict__
        if all(getattr(kind, n) is ours.get(n, getattr(_ndarray, n)) for n in _CHANGES_ARITHMETIC):
            return np.asarray(x)  # a memory map, a record array
    elif not name.startswith(("pandas.", "xarray.", "polars.")):
        return x
    raise NonDifferentiableError(
        f"a {name} is an operand of a traced value: it computes otherwise than a plain array",
        "Use a plain array: np.asarray(x), series.to_numpy(), masked.filled(0.0), quantity.value.",
    )


def _as_operand(x: Any) -> Any:
    """A list among the operands as NumPy reads it, an array of our own."""
    from chainrule.core.array import as_operand

    return as_operand(x) if type(x) in (list, tuple) else x


def _like(ys: Any, handles: list[Any]) -> Any:
    """Several results in the container NumPy returns them in (tuple or named tuple)."""
    return type(ys)(*handles) if hasattr(ys, "_fields") else tuple(handles)


def frozen_index(index: Any) -> Any:
    """The index with copies of its arrays, which their owner may change before the sweep."""
    if isinstance(index, _ndarray):
        return index.copy()
    if type(index) is tuple:
        return tuple(i.copy() if isinstance(i, _ndarray) else i for i in index)
    if type(index) is list:
        return np.array(index) if np.size(index) else np.array(index, np.intp)
    if type(index) is Path:  # only its last step may hold arrays
        kind, last = index.steps[-1]
        return Path((*index.steps[:-1], (kind, frozen_index(last)))) if kind == "index" else index
    return index


def refuse(error: _Refusal, of: Any = None) -> _Refusal:
    """The error, remembered by the live trace: it is raised at its end if someone swallows it.

    ``of``: the tracer in question, whose trace may be live in another thread.
    """
    for trace in (_live.get(), of._trace if isinstance(of, Tracer) else None):
        if trace is not None and trace.owner and trace.refusal is None:
            trace.refusal = error
    return error


Refusal.remember = staticmethod(refuse)


def not_of_numpy(primitive: Primitive) -> NonDifferentiableError:
    """The error where NumPy leaves an operation to Python; raising it makes the trace remember."""
    return NonDifferentiableError(
        f"{primitive.name} of a traced value and a number or array that NumPy knows only as an "
        "object (fractions.Fraction, dtype=object)",
        "Make it a number before: float(q), or a.astype(float).",
    )


def refuse_lossy_store(x: Any, v: Any) -> None:
    kind = x.dtype.kind
    if kind in "fc" and (kind == "c" or getattr(v, "dtype", np.dtype(float)).kind != "c"):
        return
    raise refuse(
        NonDifferentiableError(
            f"a traced value is stored into an array of dtype {x.dtype}, which would drop its "
            f"derivative",
            "Make the array of floats (dtype=float), or store a constant: chainrule.constant(x).",
        )
    )


# A buffer may be changed in place if only its handle refers to it: equations that keep it and views
# of it hold references of their own. What the count then is, is measured once, on a handle.
_exclusive = 0


def calibrate(array: Any) -> None:
    """Learn the reference count of a buffer that only its handle refers to."""
    global _exclusive
    _exclusive = sys.getrefcount(array._value)


def own_buffer(array: Any, stored: Any) -> Any:
    """The handle's buffer, copied if anything else refers to it."""
    if type(array._value) is _ndarray:
        if type(stored) in NOTED:
            stored = stored.as_handle()
        if isinstance(stored, Tracer):  # from here on the buffer is a value of that outer trace
            return stored._trace.constant(array._value.copy(order="K"))
        if sys.getrefcount(array._value) <= _exclusive and array._value.base is None:
            return array._value
        return array._value.copy(order="K")
    if isinstance(array._value, Tracer):
        if sys.getrefcount(array._value) <= _exclusive:
            return array._value
        return array._value.snapshot()
    return array._value.copy(order="K")


def plain(x: Any) -> Any:
    """``x`` with tracers replaced by their plain values, in lists, tuples and dicts too."""
    if isinstance(x, Tracer):
        return plain(x._value)
    if type(x) in (list, tuple):
        return type(x)(plain(v) for v in x)
    if type(x) is dict:
        return {k: plain(v) for k, v in x.items()}
    if type(x) is slice:
        return slice(plain(x.start), plain(x.stop), plain(x.step))
    return x


def is_traced(x: Any) -> bool:
    """Whether a derivative may flow through this value: a tracer that is not a constant."""
    while isinstance(x, Tracer):
        if x._trace.owner and not x._trace.is_constant(x._var):
            return True
        x = x._value
    return False
