"""Every NumPy protocol, operator and ndarray method of traced values, in one file.

Operators bind their ufunc's primitive directly; everything else goes through the two registries of
``core.primitive``. Comparisons and truth give plain answers: they steer, they are not
differentiated.
"""

import builtins
import operator as _operator
import sys
import warnings
from functools import lru_cache
from threading import get_ident
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.base.errors import NonDifferentiableError, NoRuleError
from chainrule.core.escape import escape, formats_text, stores, untraceable_target
from chainrule.core.lift_code import may_lift
from chainrule.core.lift_text import leaves_as_text, leaves_formatted
from chainrule.core.primitive import FUNCTIONS, PRIMITIVES, UFUNCS, load_late
from chainrule.core.trace import (
    NOTED,
    Tracer,
    bind,
    current,
    followed,
    is_traced,
    is_watched,
    plain,
    refuse,
)

_PLAIN_OPERANDS = frozenset(
    {int, float, complex, bool, np.ndarray, np.float64, np.float32, list, tuple}
)


HANDLES: set[type] = set()  # the handle classes, filled in by core.handle
_NONE: dict[str, Any] = {}  # no parameters; shared, because a tape has a million equations

# ---------------------------------------------------------------- operators


def _defers(other: Any) -> bool:
    """Whether NumPy's own operators would leave this to ``other`` (pandas, scipy.sparse)."""
    if isinstance(other, (Tracer, np.ndarray, np.generic, int, float, complex)):
        return False
    kind = type(other)
    if hasattr(kind, "__array_ufunc__"):
        return kind.__array_ufunc__ is None
    return getattr(kind, "__array_priority__", -1.0) > 0


def _is_objects_business(x: Any, kind: type) -> bool:
    """A number times an object of the user's: NumPy asks the object too, after some detours."""
    if isinstance(x, np.ndarray) or hasattr(kind, "__array__") or hasattr(kind, "__array_ufunc__"):
        return False
    return may_lift(kind.__module__) and not issubclass(kind, (list, tuple))


# What a handle on the left makes of an operand that NumPy leaves the operator to (scipy.sparse)
OPERANDS: dict[type, Any] = {}
NUMBERS = frozenset({int, float, np.float64})


def constant_of(trace: Any, ufunc: Any, a: Any, b: Any) -> Any:
    """An operator on constants only: nothing is recorded, so nothing need be looked at."""
    if trace.owner != get_ident():
        trace.check(UFUNCS[ufunc], (a, b))
        return ufunc(plain(a), plain(b))
    y = ufunc(a, b)
    return trace.array(y, trace, trace.no_variable) if type(y) is np.ndarray else as_constant(y)


def _binary(ufunc):
    def operator(self, other):
        kind, trace = type(other), self._trace
        if kind in _PLAIN_OPERANDS:
            if kind in NUMBERS and self._var is trace.no_variable:
                return constant_of(trace, ufunc, self._value, other)
            return trace.process(UFUNCS[ufunc], (self, other), _NONE)  # bind, decided at once
        if kind in HANDLES and other._trace is trace:
            none = trace.no_variable
            if self._var is none and other._var is none:
                return constant_of(trace, ufunc, self._value, other._value)
            return trace.process(UFUNCS[ufunc], (self, other), _NONE)
        if kind not in HANDLES:
            if _defers(other) or _is_objects_business(self, kind):
                run = OPERANDS.get(kind) or (load_late() and OPERANDS.get(kind))
                return run(ufunc, self, other) if run else NotImplemented
            if hasattr(kind, "__array__") and not isinstance(other, (np.ndarray, np.generic)):
                if not hasattr(kind, "__array_ufunc__"):  # as NumPy asks objects for their arrays
                    other = other.__array__()
        return bind(UFUNCS[ufunc], (self, other), _NONE)

    def reflected(self, other):
        kind, trace = type(other), self._trace
        if kind in NUMBERS and self._var is trace.no_variable:
            return constant_of(trace, ufunc, other, self._value)
        if kind in _PLAIN_OPERANDS:
            return trace.process(UFUNCS[ufunc], (other, self), _NONE)
        return bind(UFUNCS[ufunc], (other, self), _NONE)

    def in_place(self, other):
        return self.replace(ufunc_call(ufunc, (self, other)), ufunc)

    return operator, reflected, in_place


def _constant_binary(ufunc):
    """Operators without a derivative: bit operations, floor division."""

    def operator(self, other):
        return ufunc_call(ufunc, (self, other))

    def reflected(self, other):
        return ufunc_call(ufunc, (other, self))

    def in_place(self, other):
        return self.replace(ufunc_call(ufunc, (self, other)), ufunc)

    return operator, reflected, in_place


def _unary(ufunc):
    def operator(self):
        primitive = UFUNCS.get(ufunc)
        if primitive is not None:
            return self._trace.process(primitive, (self,), _NONE)
        return run_constant(ufunc, (self,))

    return operator


def _compare(compare):
    return lambda self, other: compare(plain(self), plain(other))


def ufunc_call(ufunc: Any, operands: tuple) -> Any:
    primitive: Any = UFUNCS.get(ufunc, _MISSING)
    if primitive is _MISSING:
        composite = FUNCTIONS.get(ufunc)  # several results (divmod, modf), declared as compositions
        if composite is not None:
            return followed(composite)(*operands)
        return ufunc_call(ufunc, operands) if load_late() else run_constant(ufunc, operands)
    if primitive is None:
        return as_constant(FUNCTIONS[ufunc](*operands))
    return bind(primitive, operands, {})


_MISSING = object()


def run_constant(
    function: Any, args: tuple, kwargs: dict | None = None, allowed: bool = False
) -> Any:
    """Run a function without a derivative on plain values; refuse if a derivative would be lost."""
    kwargs = kwargs or {}
    if not allowed and (_any_traced(args) or _any_traced(kwargs.values())):
        if not _is_discrete(function):
            raise refuse(
                NoRuleError(
                    f"{function_name(function)} has no derivative rule in chainrule",
                    "Write it with other NumPy functions; or state its derivative "
                    "(chainrule.primitive), let it be measured (chainrule.numerical), or treat "
                    "its argument as constant: chainrule.constant(x).",
                )
            )
    return as_constant(function(*plain(args), **plain(kwargs)))


@lru_cache(1024)
def _is_discrete(function: Any) -> bool:
    """Ufuncs that only make booleans and integers (isfinite): nothing to differentiate."""
    if not isinstance(function, np.ufunc):
        return False
    loops = [t.split("->")[1][0] for t in function.types if "O" not in t]
    return bool(loops) and all(t in "?bBhHiIlLqQ" for t in loops)


def _any_traced(xs: Any) -> bool:
    return any(
        is_traced(x) if isinstance(x, Tracer) else type(x) in (list, tuple) and _any_traced(x)
        for x in xs
    )


def any_watched(nested: Any) -> bool:
    if not NOTED:
        return _any_traced(nested)
    return any(any_watched(x) if type(x) in (list, tuple) else is_watched(x) for x in nested)


def function_name(function: Any) -> str:
    module = (getattr(function, "__module__", None) or "").replace("numpy", "np", 1)
    if isinstance(function, np.ufunc) and not module:
        known = getattr(np, function.__name__, None)
        module = (
            "np" if known is function or "scipy.special" not in sys.modules else "scipy.special"
        )
    return f"{module}.{getattr(function, '__name__', function)}".lstrip(".")


def as_constant(result: Any, like: Any = None) -> Any:
    """A float array made of constants; traced values may later be written into it.

    Its trace is that of ``like``, or the innermost one.
    """
    if type(result) is np.ndarray and result.dtype.kind in "fc":
        trace = like._trace if isinstance(like, Tracer) and like._trace.owner else current()
        return result if trace is None else trace.constant(result)
    return result.as_constant() if type(result) in NOTED else result


def as_operand(nested: Any) -> Any:
    """A (nested) list or tuple as NumPy would read it: an array, traced if an element is."""
    return FUNCTIONS[np.array](nested) if any_watched(nested) else np.asarray(plain(nested))


def _real_part(value: Any) -> Any:
    """What NumPy stores in a real part, with its warning."""
    value = as_operand(value) if type(value) in (list, tuple) else value
    if not np.iscomplexobj(plain(value)):
        return value
    what = "Casting complex values to real discards the imaginary part"
    warnings.warn(what, np.exceptions.ComplexWarning, stacklevel=3)
    return value.real


def _of_parts(re: Any, im: Any) -> Any:
    return bind(PRIMITIVES["from_parts"], (re, im), {})


def plain_index(index: Any) -> Any:
    """The index with plain values for the handles inside; NumPy refuses floats."""
    if type(index) is tuple:
        for i in index:
            if isinstance(i, (Tracer, list, slice)):
                return tuple(map(plain_index, index))
        return index
    if type(index) is slice:
        bounds = (index.start, index.stop, index.step)
        if _BOUNDS.issuperset(map(type, bounds)):
            return index
        return slice(*(_operator.index(plain(b)) if b is not None else b for b in bounds))
    if isinstance(index, (Tracer, list)):
        return plain(index)
    return index


_BOUNDS = frozenset({int, type(None)})


def check_inplace(target: Any, y: Any, ufunc: Any) -> Any:
    """The result of in-place arithmetic cast and shaped as NumPy does it, or NumPy's own error."""
    if y.shape != target.shape or y.dtype != target.dtype:
        if y.shape != target.shape or not np.can_cast(y.dtype, target.dtype, "same_kind"):
            out = np.ones(target.shape, target.dtype)
            fun = ufunc if isinstance(ufunc, np.ufunc) and ufunc.nin == 2 else np.add
            fun(np.ones(y.shape, y.dtype), np.ones((), y.dtype), out=out)  # raises
        y = y.astype(target.dtype)
    return y


# ---------------------------------------------------------------- ufunc methods and keywords


def _ufunc_slow(ufunc, method, inputs, kwargs):
    """Ufunc calls with keywords, and the methods reduce, accumulate, reduceat, outer, at."""
    if ufunc not in UFUNCS:
        load_late()
    out = kwargs.pop("out", None)
    if method == "__call__":
        y = _call_with_keywords(ufunc, inputs, kwargs, out)
    elif method == "at":
        return _at(ufunc, *inputs)
    else:
        run = FUNCTIONS.get((ufunc, method)) or FUNCTIONS.get(method)
        if run is None or UFUNCS.get(ufunc) is None:
            allowed = ufunc in UFUNCS or _is_discrete(ufunc)
            y = run_constant(getattr(ufunc, method), inputs, kwargs, allowed)
        elif (ufunc, method) in FUNCTIONS:
            y = run(*inputs, **kwargs)
        else:
            y = run(ufunc, *inputs, **kwargs)
    return y if out is None else store_out(out, y, broadcast=method == "__call__")


def _call_with_keywords(ufunc, inputs, kwargs, out):
    where = kwargs.pop("where", True)
    dtype = kwargs.pop("dtype", None)
    if dtype is not None:
        _check_casting(ufunc, inputs, dtype, kwargs.get("casting", "same_kind"))
    kwargs = {k: v for k, v in kwargs.items() if k not in ("casting", "order", "subok")}
    if kwargs and UFUNCS.get(ufunc) is not None and ufunc.signature is None:
        raise NoRuleError(
            f"{function_name(ufunc)} with {', '.join(kwargs)}= has no derivative rule"
        )
    if dtype is not None:
        inputs = tuple(
            FUNCTIONS["astype"](x, dtype) if isinstance(x, Tracer) else x for x in inputs
        )
    if where is True:
        if kwargs:  # axes=, axis=, keepdims= of generalised ufuncs
            return FUNCTIONS[ufunc](*inputs, **kwargs) if ufunc in FUNCTIONS else NotImplemented
        y = ufunc_call(ufunc, inputs)
        return y if dtype is None else FUNCTIONS["astype"](y, dtype)
    with np.errstate(all="ignore"):
        y = ufunc_call(ufunc, inputs)
    rest = out[0] if out is not None else np.zeros_like(plain(y))
    return FUNCTIONS[np.where](where, y, rest)


def _check_casting(ufunc, inputs, dtype, casting):
    """NumPy's error for operands that may not be cast to the ``dtype=`` of an operation."""
    kinds = [x.dtype for x in inputs if hasattr(x, "dtype")]
    if not all(np.can_cast(kind, dtype, casting) for kind in kinds):
        plain_inputs = [np.ones((), x.dtype) if hasattr(x, "dtype") else x for x in inputs]
        if ufunc.signature is None:
            ufunc(*plain_inputs, dtype=dtype, casting=casting)


def _at(ufunc, target, index, *operand):
    if not isinstance(target, Tracer):
        raise untraceable_target(target, f"{function_name(ufunc)}.at")
    if not _any_traced((target, *operand)):
        values = np.copy(plain(target))
        ufunc.at(values, plain(index), *plain(operand))
        target[...] = values
        return None
    run = FUNCTIONS.get((ufunc, "at"))
    if run is not None:
        return run(target, index, *operand)
    if UFUNCS.get(ufunc) is None:
        raise NoRuleError(f"{function_name(ufunc)}.at has no derivative rule in chainrule")
    return FUNCTIONS["at"](ufunc, target, index, *operand)


# Functions that fill a larger ``out=`` by broadcasting, as all ufuncs do
FILL_OUT = {
    np.clip,
    np.outer,
    np.quantile,
    np.percentile,
    np.nanquantile,
    np.nanpercentile,
    np.nanmedian,
}


def store_out(out: Any, y: Any, broadcast: bool = False) -> Any:
    """Write a result into ``out=`` with NumPy's casting and hand ``out`` back."""
    targets = out if isinstance(out, tuple) else (out,)
    ys = y if isinstance(y, tuple) else (y,)
    for target, part in zip(targets, ys):
        if target is None:
            continue
        if not broadcast and np.shape(target) != np.shape(part):
            raise ValueError(
                f"out= has shape {np.shape(target)}, the result has shape {np.shape(part)}"
            )
        if isinstance(target, Tracer):
            target[...] = check_inplace(target, part, None) if isinstance(part, Tracer) else part
        elif is_traced(part):
            raise untraceable_target(target, "out=")
        else:
            target[...] = plain(part)
    return targets[0] if len(targets) == 1 else targets


# ---------------------------------------------------------------- the class


class Protocols(Tracer):
    """Operators, attributes, methods and protocols shared by arrays and scalars."""

    __slots__ = ()
    __array_priority__ = 1000.0

    if TYPE_CHECKING:

        def __getitem__(self, index: Any) -> Any: ...
        def __setitem__(self, index: Any, value: Any) -> None: ...
        def __iter__(self) -> Any: ...

    # -- NumPy's two protocols

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        if method == "__call__" and not kwargs:
            primitive = UFUNCS.get(ufunc)
            if primitive is not None:
                if len(inputs) == 1:
                    return self._trace.process(primitive, inputs, _NONE)
                return bind(primitive, inputs, _NONE)
            return ufunc_call(ufunc, inputs)
        return _ufunc_slow(ufunc, method, inputs, kwargs)

    def __array_function__(self, function, types, args, kwargs):
        run = FUNCTIONS.get(function)
        if run is None and load_late():
            run = FUNCTIONS.get(function)
        if run is None:
            return run_constant(function, args, kwargs)
        run = followed(run)
        out = kwargs.pop("out", None)
        if out is None:
            return run(*args, **kwargs)
        return store_out(out, run(*args, **kwargs), broadcast=function in FILL_OUT)

    def __array__(self, dtype=None, copy=None):
        if is_traced(self):
            if stores(sys._getframe(1)):
                raise untraceable_target(None, "an assignment")
            raise escape(
                "np.asarray, np.array, np.float64 (or C code that makes an array of its argument)",
                self,
            )
        return np.array(self._shared(), dtype=dtype, copy=copy)

    # -- attributes

    def _peek(self):
        """The plain value of now, laid out in memory as NumPy's; nothing is recorded."""
        return plain(self)

    @property
    def shape(self):
        return self._value.shape

    @property
    def dtype(self):
        return self._value.dtype

    @property
    def ndim(self):
        return len(self.shape)

    @property
    def size(self):
        return int(np.prod(self.shape))

    nbytes = property(lambda self: self.size * self.dtype.itemsize)
    itemsize = property(lambda self: self.dtype.itemsize)
    strides = property(lambda self: self._peek().strides)
    flags = property(lambda self: self._peek().flags)
    device = property(lambda self: plain(self).device)
    base = property(lambda self: None)
    data = property(lambda self: self._bits("data"))
    ctypes = property(lambda self: self._bits("ctypes"))

    def _bits(self, name):
        """What hands out the numbers in memory, without derivatives."""
        if is_traced(self):
            raise escape(f"x.{name}", self)
        return getattr(self._shared(has_address=name == "ctypes"), name)

    def _exposed(self):
        """The plain value for code that may write into it."""
        return plain(self)

    def _shared(self, has_address=False):
        """The plain value for those who may keep it, and read or write it later."""
        return plain(self)

    @property
    def T(self):
        return self.transpose()

    @property
    def mT(self):
        return self.swapaxes(-1, -2)

    @property
    def real(self):
        return FUNCTIONS[np.real](self)

    @real.setter
    def real(self, value):
        value = _real_part(value)
        self[...] = _of_parts(value, self.imag) if self.dtype.kind == "c" else value

    @property
    def imag(self):
        return FUNCTIONS[np.imag](self)

    @imag.setter
    def imag(self, value):
        if self.dtype.kind != "c":
            raise TypeError("array does not have imaginary part to set")
        self[...] = _of_parts(self.real, _real_part(value))

    @property
    def flat(self):
        return Flat(self if self.shape else self.reshape(1))

    @flat.setter
    def flat(self, values):
        n = self.size
        values = as_operand(values) if type(values) in (list, tuple) else values
        count = max(np.size(plain(values)), 1)  # repeated as often as it takes
        self[...] = np.ravel(values)[np.arange(n) % count].reshape(self.shape)

    # -- views where NumPy has views

    def transpose(self, *axes):
        if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], (tuple, list))):
            axes = tuple(axes[0] or ())
        axes = tuple(int(a) for a in axes or range(self.ndim)[::-1])
        if self.ndim == 0:
            np.empty(()).transpose(axes)  # NumPy's error
            return self
        return self.view_step("transpose", (axes,), {"axes": axes})

    def swapaxes(self, axis1, axis2):
        return FUNCTIONS[np.swapaxes](self, axis1, axis2)

    def reshape(self, *shape, order="C", copy=None):
        if len(shape) == 1 and not isinstance(shape[0], (int, np.integer)):
            shape = shape[0]
        shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
        here = self._peek()
        full = here.reshape(shape).shape  # -1 resolved, NumPy's own errors
        if order not in ("C", "F", "A"):
            np.empty(0).reshape(0, order=order)  # NumPy's error, of other letters than c, f, a
            order = order.upper()
        if order == "F" or (order == "A" and np.isfortran(here)):
            return self.transpose().reshape(full[::-1]).transpose()
        if copy or not hasattr(self, "view_step"):
            return bind(PRIMITIVES["reshape"], (self,), {"to": full})
        return self.view_step("reshape", (full,), {"to": full})

    def ravel(self, order="C"):
        return FUNCTIONS[np.ravel](self, order)

    def flatten(self, order="C"):
        return FUNCTIONS[np.ravel](self, order).copy()

    def squeeze(self, axis=None):
        return self.reshape(np.squeeze(np.empty(self.shape, bool), axis=axis).shape)

    def view(self, dtype=None, type=None):
        if dtype is None or dtype is np.ndarray:
            return self[...]
        if isinstance(dtype, builtins.type) and issubclass(dtype, np.ndarray):
            raise refuse(
                NonDifferentiableError(
                    f"{dtype.__module__}.{dtype.__name__} of a traced value: only plain arrays can "
                    "be differentiated",
                    "Use a plain array (np.asarray, np.array); for masked elements np.where.",
                )
            )
        given = getattr(dtype, "dtype", None)  # of what lifted code calls float
        dtype = given if isinstance(given, np.dtype) else np.dtype(dtype)
        pair = {dtype.kind, self.dtype.kind}
        if dtype == self.dtype:
            return self[...]
        if pair != {"c", "f"} or max(dtype.itemsize, self.itemsize) != 2 * min(
            dtype.itemsize, self.itemsize
        ):
            raise refuse(
                NonDifferentiableError(
                    f"x.view({dtype}) reads the bits of a traced array of {self.dtype} as other "
                    "numbers",
                    "Use x.astype(dtype), x.real or x.imag.",
                )
            )
        return self.view_step("view", (dtype,), {"to": dtype, "of": self.dtype})

    # -- copies and conversions

    def copy(self, order="C"):
        if order == "C" and self.flags.c_contiguous:
            order = "K"  # the same, and np.copy's own default
        return FUNCTIONS[np.copy](self, order)

    def astype(self, dtype, order="K", casting="unsafe", subok=True, copy=True):
        if casting != "unsafe":
            plain(self).astype(dtype, casting=casting)  # NumPy's error
        y = FUNCTIONS["astype"](self, dtype, copy=copy)
        return y if order == "K" else FUNCTIONS["laid_out"](y, order)

    def item(self, *index):
        """The traced scalar, while its trace is live: Python's float would drop the derivative."""
        value = plain(self).item(*index)
        if not is_traced(self):
            return value
        if len(index) == 1 and not isinstance(index[0], tuple):
            return FUNCTIONS["number"](self.reshape(-1)[index[0]])
        index = index[0] if len(index) == 1 else index
        return FUNCTIONS["number"](self[index] if index else self.reshape(-1)[0])

    def tolist(self):
        """A (nested) list of traced scalars, while their trace is live."""
        if not is_traced(self):
            return plain(self).tolist()
        return [x.tolist() for x in self] if self.shape else FUNCTIONS["number"](self[()])

    def __float__(self):
        if not is_traced(self):
            return float(plain(self))
        frame = sys._getframe(1)
        if formats_text(frame):
            return leaves_formatted(self, float(plain(self)))
        if stores(frame):
            raise untraceable_target(None, "an assignment")
        raise escape("float(x), math.* (or C code that calls it)", self)

    def __complex__(self):
        if is_traced(self):
            raise escape("complex(x)", self)
        return complex(plain(self))

    def __int__(self):  # int(x) is piecewise constant; storing into integers is a mistake
        if is_traced(self) and stores(sys._getframe(1)):
            raise refuse(
                NonDifferentiableError(
                    "a traced value is stored into an array of integers, which would drop its "
                    "derivative",
                    "Make the array of floats (dtype=float), or store a constant: "
                    "chainrule.constant(x).",
                )
            )
        return int(plain(self))

    def __index__(self):
        return _operator.index(plain(self))

    def __bool__(self):
        return bool(plain(self))

    def __buffer__(self, flags):  # of Python 3.12; before, C code finds no buffer at all
        return memoryview(self._bits("data"))

    def __reduce_ex__(self, protocol):
        if is_traced(self):
            raise escape("pickling", self)
        return plain(self).__reduce_ex__(protocol)

    def __repr__(self):
        return leaves_as_text(self, repr(plain(self)))

    def __str__(self):
        return leaves_as_text(self, str(plain(self)))

    def __format__(self, spec):
        return leaves_as_text(self, format(plain(self), spec))

    def __round__(self, digits=None):
        return FUNCTIONS[np.round](self, digits or 0) if digits is not None else round(plain(self))

    def __trunc__(self):
        return int(plain(self))

    def __divmod__(self, other):
        return self // other, self % other

    def __rdivmod__(self, other):
        return other // self, other % self

    def __pow__(self, other, modulo=None):
        """Powers by small constants as NumPy computes them: x**2 is np.square."""
        if type(other) in (int, float):
            if other == 2 and (self.shape or self.dtype.kind == "f"):
                return bind(UFUNCS[np.square], (self,), {})
            if other == 0.5 and self.shape:
                return bind(UFUNCS[np.sqrt], (self,), {})
        elif type(other) not in _PLAIN_OPERANDS and _defers(other):
            return NotImplemented
        return bind(UFUNCS[np.power], (self, other), {})

    def __rpow__(self, other):
        return bind(UFUNCS[np.power], (other, self), {})

    # -- methods that change the array

    def sort(self, axis=-1, kind=None, order=None, *, stable=None):
        self[...] = FUNCTIONS[np.sort](self, axis)

    def partition(self, kth, axis=-1, kind="introselect", order=None):
        order_ = np.argpartition(plain(self), plain(kth), axis=axis)
        self[...] = FUNCTIONS[np.take_along_axis](self, order_, axis)

    def fill(self, value):
        self[...] = value

    def clip(self, min=None, max=None, out=None, **kwargs):
        kwargs = kwargs if out is None else {"out": out, **kwargs}
        return Protocols.__array_function__(self, np.clip, (), (self, min, max), kwargs)

    def compress(self, condition, axis=None, out=None):
        return FUNCTIONS[np.compress](condition, self, axis, out)

    def put(self, indices, values, mode="raise"):
        FUNCTIONS[np.put](self, indices, values, mode=mode)

    def resize(self, *shape, **kwargs):
        raise ValueError("cannot resize an array that references or is referenced by another array")

    def setflags(self, write=None, align=None, uic=None):
        pass

    def to_device(self, device, /, *, stream=None):
        return self if device == "cpu" else plain(self).to_device(device, stream=stream)

    def __array_namespace__(self, *, api_version=None):
        return plain(self).__array_namespace__(api_version=api_version)


class Flat:
    """``x.flat``: iteration, indexing and assignment in C order."""

    def __init__(self, array):
        self._array = array

    def __iter__(self):
        return iter(self._array.reshape(-1))

    def __len__(self):
        return self._array.size

    def __getitem__(self, index):
        part = self._array.reshape(-1)[index]
        return part.copy() if part.shape else part

    def __setitem__(self, index, value):
        flat = np.arange(self._array.size)[plain_index(index)]
        self._array[np.unravel_index(flat, self._array.shape)] = value

    def copy(self):
        return self._array.flatten()


def _install() -> None:
    binary = {
        "add": np.add,
        "sub": np.subtract,
        "mul": np.multiply,
        "truediv": np.divide,
        "mod": np.remainder,
        "matmul": np.matmul,
    }
    constant = {
        "floordiv": np.floor_divide,
        "and": np.bitwise_and,
        "or": np.bitwise_or,
        "xor": np.bitwise_xor,
        "lshift": np.left_shift,
        "rshift": np.right_shift,
    }
    unary = {"neg": np.negative, "pos": np.positive, "abs": np.absolute, "invert": np.invert}
    compare = {
        "lt": _operator.lt,
        "le": _operator.le,
        "gt": _operator.gt,
        "ge": _operator.ge,
        "eq": _operator.eq,
        "ne": _operator.ne,
    }
    for table, make in ((binary, _binary), (constant, _constant_binary)):
        for name, ufunc in table.items():
            operator, reflected, in_place = make(ufunc)
            setattr(Protocols, f"__{name}__", operator)
            setattr(Protocols, f"__r{name}__", reflected)
            in_place.__name__ = f"__i{name}__"
            INPLACE[in_place.__name__] = in_place
    INPLACE["__ipow__"] = lambda self, other: self.replace(self**other, np.power)
    for name, ufunc in unary.items():
        setattr(Protocols, f"__{name}__", _unary(ufunc))
    for name, compares in compare.items():
        setattr(Protocols, f"__{name}__", _compare(compares))
    for name in "byteswap dump dumps getfield setfield tobytes tofile __dlpack__".split():
        setattr(Protocols, name, _bit_method(name))
    for name in (
        "all any argmax argmin argpartition argsort choose conj conjugate cumprod cumsum "
        "diagonal dot max mean min nonzero prod repeat round searchsorted std sum take "
        "trace var"
    ).split():
        setattr(Protocols, name, _method(name))


def _bit_method(name: str):
    def method(self, *args, **kwargs):
        return self._bits(name)(*args, **kwargs)

    method.__name__ = name
    return method


INPLACE: dict[str, Any] = {}  # installed on Array only: scalars are immutable


def _method(name: str):
    function = getattr(np, name)

    def method(self, *args, **kwargs):
        return Protocols.__array_function__(self, function, (), (self, *args), kwargs)

    def ufunc_method(self, *args, **kwargs):
        return function(self, *args, **kwargs)

    chosen = ufunc_method if isinstance(function, np.ufunc) else method
    chosen.__name__ = name
    return chosen


_install()
