"""What lifted code sees in place of names that NumPy's protocols cannot reach.

As little as possible: creation and coercion of arrays, ``math``, ``float``, ``type``. Ufuncs and
dtype classes keep their identity. NumPy's dispatched functions are replaced by what only adds that
a list with traced values in it is an array; the replacement is one object wherever it is met.
"""

import builtins
import cmath
import functools
import importlib
import math
import re
import sys
from types import CodeType, FrameType
from typing import Any

import numpy as np

from chainrule.base.errors import NonDifferentiableError
from chainrule.core.array import Protocols, _any_traced, any_watched, as_constant, as_operand
from chainrule.core.escape import escape
from chainrule.core.lift import CALLED, LATE_MAKERS, MAKERS, Lifter, Shadow, replace
from chainrule.core.lift_containers import LIFTED, unlifted
from chainrule.core.lift_memory import is_loose, owner_of
from chainrule.core.lift_text import comes_back_as_text, comes_back_from_file
from chainrule.core.lift_views import is_view, seen_object, unview
from chainrule.core.number import Number, as_number, as_scalar
from chainrule.core.primitive import FUNCTIONS
from chainrule.core.trace import (
    Tracer,
    current,
    followed,
    is_traced,
    is_watched,
    peek,
    plain,
    refuse,
)

# ---------------------------------------------------------------- arrays born in lifted code


_SIMPLE = frozenset(
    {int, float, str, bool, complex, type, type(None), np.dtype, np.float64, np.int64}
)


def _simple(args: Any) -> bool:
    """Whether there is nothing of ours among the arguments; the common case, found out fast."""
    for x in args:
        kind = type(x)
        if kind not in _SIMPLE and not (
            (kind is tuple or kind is list) and _SIMPLE.issuperset(map(type, x))
        ):
            return False
    return True


def _seen(y: Any, args: Any) -> Any:
    """The handle of an array NumPy made of plain arguments; over their memory if it is theirs."""
    if type(y) is np.ndarray and (y.base is not None or any(y is a for a in args)):
        trace = current()
        if trace is not None and (
            owner_of(y) is not None or is_loose(y) or any(y is a for a in args)
        ):
            return Lifter.of(trace).map(y)
    return as_constant(y)


def _creation(function):
    """A new array is a writable handle: traced values may be assigned into it later."""

    @functools.wraps(function)
    def create(*args, **kwargs):
        if _simple(args) and (not kwargs or _simple(kwargs.values())):
            return as_constant(function(*args, **kwargs))
        if any_watched(args) or any_watched(kwargs.values()):
            run = FUNCTIONS.get(function)
            if run is not None:
                return followed(run)(*args, **_plain_dtype(kwargs))
        return as_constant(function(*plain(args), **_plain_dtype(plain(kwargs))))

    return create


def _reading_file(function):
    @functools.wraps(function)
    def read(*args, **kwargs):
        comes_back_from_file(f"np.{function.__name__}")
        return as_constant(function(*plain(args), **_plain_dtype(plain(kwargs))))

    return read


def _reading_bytes(function):
    """Over the memory of the buffer, which nobody else may know as an array's."""

    @functools.wraps(function)
    def read(buffer, *args, **kwargs):
        if type(buffer) is str:
            comes_back_as_text(buffer, f"np.{function.__name__}")
        if is_traced(buffer):
            raise escape(f"np.{function.__name__}", buffer)
        if isinstance(buffer, Tracer):
            return _same_memory(function, buffer, *args, **kwargs)
        y = function(plain(buffer), *plain(args), **_plain_dtype(plain(kwargs)))
        trace = current()
        return y if trace is None else Lifter.of(trace).map(y)

    return read


def _same_memory(function, x, dtype=float, count=-1, offset=0, **kwargs):
    """Elements of a constant array as a view of it: traced values may be written into it later."""
    y = function(plain(x), dtype, count, offset, **kwargs)  # and its errors
    first, rest = divmod(offset, y.itemsize)
    if y.dtype != x.dtype or rest:
        raise refuse(
            NonDifferentiableError(
                "np.frombuffer of an array reads its bits as other numbers", "Use x.view(dtype)."
            )
        )
    return x.reshape(-1)[first : first + y.size]


def _coercion(function):
    """``np.asarray`` and its kin: handles pass through, lists with traced values become arrays."""

    @functools.wraps(function)
    def coerce(x, *args, **kwargs):
        kwargs = _plain_dtype(kwargs)
        if _simple((x,)):
            return as_constant(function(x, *args, **kwargs))
        x = unlifted(x)
        if is_view(x) and hasattr(x, "__array__"):
            x = x.__array__()
        elif hasattr(type(x), "__chainrule_array__"):
            x = x.__chainrule_array__()
        if isinstance(x, Tracer) or any_watched((x,)):
            return FUNCTIONS[function](x, *args, **kwargs)
        return _seen(function(plain(x), *args, **kwargs), (x,))

    return coerce


def _plain_dtype(kwargs: dict[str, Any]) -> dict[str, Any]:
    if kwargs and isinstance(kwargs.get("dtype"), _NumberLike):
        return {**kwargs, "dtype": kwargs["dtype"].dtype}
    return kwargs


for _name in (
    "zeros ones empty full eye identity arange linspace tri indices fromfunction bartlett blackman "
    "hamming hanning kaiser"
).split():
    replace(getattr(np, _name), _creation(getattr(np, _name)))
for _name in ("fromfile", "loadtxt", "genfromtxt", "load"):
    replace(getattr(np, _name), _reading_file(getattr(np, _name)))
for _name in ("frombuffer", "fromstring"):
    replace(getattr(np, _name), _reading_bytes(getattr(np, _name)))
for _f in (np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray, np.copy):
    replace(_f, _coercion(_f))


@functools.wraps(np.asarray_chkfinite)
def _asarray_chkfinite(a, dtype=None, order=None):
    np.asarray_chkfinite(plain(a), dtype, order)  # raises
    return _asarray(a, dtype=dtype)


@functools.wraps(np.require)
def _require(a, dtype=None, requirements=None, *, like=None):
    if _any_traced((a,)):
        return _asarray(a, dtype=dtype)
    value = plain(a)
    y = np.require(value, dtype, requirements)
    return a if y is value else y  # the array itself stays what writes to it are seen in


@functools.wraps(np.fromiter)
def _fromiter(iter, dtype, count=-1, *, like=None):
    values = [x for x, _ in zip(iter, range(count))] if count >= 0 else list(iter)
    return _asarray(values, dtype=dtype)


@functools.wraps(np.from_dlpack)
def _from_dlpack(x, /, **kwargs):
    return x.view() if isinstance(x, Tracer) and not is_traced(x) else np.from_dlpack(x, **kwargs)


replace(np.from_dlpack, _from_dlpack)
_asarray = _coercion(np.asarray)
replace(np.asarray_chkfinite, _asarray_chkfinite)
replace(np.require, _require)
replace(np.fromiter, _fromiter)

# ---------------------------------------------------------------- lists as arrays


def _accepting_lists(function):
    """A dispatched function that also sees traced values in lists, where NumPy does not look."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        y = _run(function, args, kwargs)
        if type(y) is np.ndarray:
            return _seen(y, args)
        return _several(y, args) if isinstance(y, (list, tuple)) else y

    return call


def _run(function, args, kwargs):
    for x in args:
        if isinstance(x, Tracer):  # perhaps where NumPy does not look: np.full_like(a, x)
            return _dispatched(function, args, kwargs)
        if isinstance(x, (list, tuple)):
            args = tuple(map(unlifted, args))
            if _any_traced(args):
                return _dispatched(function, args, kwargs)
            break
    for x in kwargs.values():
        if isinstance(x, Tracer) or (type(x) in (list, tuple) and _any_traced(x)):
            return _dispatched(function, args, kwargs)
    return function(*args, **kwargs)


def _several(parts, args):
    """The results of np.unique, np.split, np.linalg.eigh: a list, a tuple or a named tuple."""
    seen = [_seen(y, args) if type(y) is np.ndarray else y for y in parts]
    if all(a is b for a, b in zip(seen, parts)):
        return parts
    return type(parts)._make(seen) if hasattr(parts, "_make") else type(parts)(seen)


def _dispatched(function, args, kwargs):
    if function not in _OF_SEQUENCES and args and type(args[0]) in (list, tuple):
        args = (as_operand(args[0]), *args[1:])
    return Protocols.__array_function__(None, function, (), args, kwargs)  # type: ignore[arg-type]


_OF_SEQUENCES = {  # their first argument is a list of arrays, not an array
    getattr(np, n)
    for n in (
        "concatenate stack vstack hstack dstack column_stack block select choose ix_ einsum "
        "einsum_path "
        "piecewise lexsort histogramdd"
    ).split()
} | {np.linalg.multi_dot}


for _module in (np, np.linalg, np.fft):
    for _f in list(vars(_module).values()):  # not dir: it would import numpy's late submodules
        if type(_f) is type(np.concatenate) and _f not in (np.copy,):
            replace(_f, _accepting_lists(_f))

# ---------------------------------------------------------------- np.vectorize


class Vectorized(np.vectorize):
    """``np.vectorize`` whose calls with traced values go through Python and not through C."""

    def __call__(self, *args, **kwargs):
        if self.signature is not None:
            if not (_any_traced(args) or _any_traced(kwargs.values())):
                return as_constant(super().__call__(*plain(args), **plain(kwargs)))
            return self._by_signature(*self._arranged(args, kwargs))
        function, operands = self._arranged(args, kwargs)
        traced = _any_traced(operands)
        if traced:
            arrays = [as_operand(a) if type(a) in (list, tuple) else a for a in operands]
        else:  # the function sees Python's numbers
            arrays = [np.array(plain(a), dtype=object) for a in operands]
        arrays = np.broadcast_arrays(*arrays)
        if not arrays or not arrays[0].size:
            return as_constant(super().__call__(*plain(args), **plain(kwargs)))
        results = [function(*values) for values in zip(*[a.reshape(-1) for a in arrays])]
        return self._gathered(results, arrays[0].shape)

    def _by_signature(self, function, operands):
        """A loop over all but the core dimensions: "(n),(m,n)->(m)"."""
        inputs, outputs = self.signature.replace(" ", "").split("->")
        cores = [
            len(names.split(",")) if names else 0 for names in re.findall(r"\((.*?)\)", inputs)
        ]
        arrays = [as_operand(a) if type(a) in (list, tuple) else a for a in operands]
        shapes = [np.shape(plain(a)) for a in arrays]
        loops = [shape[: len(shape) - core] for shape, core in zip(shapes, cores)]
        loop = np.broadcast_shapes(*loops)
        arrays = [
            np.broadcast_to(a, loop + shape[len(shape) - core :])
            for a, shape, core in zip(arrays, shapes, cores)
        ]
        results = [function(*[a[index] for a in arrays]) for index in np.ndindex(loop)]
        if outputs.count("(") == 1:
            results = [(y,) for y in results]
        parts = tuple(
            _asarray(list(part)).reshape(loop + np.shape(plain(part[0]))) for part in zip(*results)
        )
        return parts[0] if outputs.count("(") == 1 else parts

    def _arranged(self, args, kwargs):
        """The function of what is looped over, and that; the rest is excluded."""
        if not (kwargs or self.excluded):
            return self.pyfunc, args
        named = [n for n in kwargs if n not in self.excluded]
        looped = [i for i in range(len(args)) if i not in self.excluded]
        fixed, rest = list(args), {n: x for n, x in kwargs.items() if n in self.excluded}

        def function(*values):
            for i, value in zip(looped, values):
                fixed[i] = value
            return self.pyfunc(*fixed, **rest, **dict(zip(named, values[len(looped) :])))

        return function, tuple(args[i] for i in looped) + tuple(kwargs[n] for n in named)

    def _gathered(self, results, shape):
        if type(results[0]) is tuple:
            types = self.otypes or [None] * len(results[0])
            return tuple(_gather(part, t, shape) for part, t in zip(zip(*results), types))
        return _gather(results, self.otypes[0] if self.otypes else None, shape)


def _gather(results, dtype, shape):
    """Results of np.vectorize: of the type asked for, or of the first."""
    if not _any_traced(results):
        dtype = np.asarray(plain(results[0])).dtype if dtype is None else dtype
    y = _asarray(list(results))
    y = y if dtype is None else y.astype(dtype, copy=False)
    return y.reshape(shape) if shape else y.reshape(-1)[0]


def _vectorized(original, map):
    ours = Vectorized(
        map(original.pyfunc), original.otypes, original.__doc__, signature=original.signature
    )
    ours.excluded = original.excluded
    return ours


MAKERS[np.vectorize] = _vectorized
replace(np.vectorize, Vectorized)


@functools.wraps(np.frompyfunc)
def _frompyfunc(func, /, nin, nout, **kwargs):
    """The ufunc; calls with traced values go element by element, as those of np.vectorize."""
    plain_ufunc, traced = np.frompyfunc(func, nin, nout, **kwargs), Vectorized(func)

    @functools.wraps(func)
    def call(*args, **kwargs):
        if not _any_traced(args):
            return plain_ufunc(*args, **kwargs)
        if 0 in map(np.size, plain(args)):
            return as_constant(plain_ufunc(*plain(args), **plain(kwargs)))
        return traced(*args, **kwargs)

    return call


replace(np.frompyfunc, _frompyfunc)

# ---------------------------------------------------------------- np.r_ and np.c_


class _Joined:
    """``np.r_`` and ``np.c_`` with traced values among the parts; NumPy's own without."""

    def __init__(self, original: Any):
        self.original = original

    def __getattr__(self, name):
        return getattr(self.original, name)

    def __len__(self):
        return 0

    def __getitem__(self, key):
        parts = key if type(key) is tuple else (key,)
        if not _any_traced(parts):
            return as_constant(self.original[plain(key)])
        value = self.original[plain(key)]  # and its errors
        if isinstance(value, np.matrix):
            raise refuse(
                NonDifferentiableError(
                    f"np.r_ with the directive {parts[0]!r} got a traced value",
                    "Use np.concatenate, np.stack or np.column_stack.",
                )
            )
        return self.gathered(parts).astype(value.dtype)

    def gathered(self, parts):
        """NumPy arranges the numbers of the elements, then they are gathered."""
        arrays, numbers, n = [], [], 0
        for part in parts:
            if type(part) is str:
                numbers.append(part)
                continue
            x = np.r_[plain(part)] if type(part) is slice else _asarray(part)
            numbers.append(np.arange(n, n + x.size).reshape(x.shape))
            arrays.append(x.reshape(-1))
            n += x.size
        return np.concatenate(arrays)[self.original[tuple(numbers)]]


for _kind in (type(np.r_), type(np.c_)):
    MAKERS[_kind] = lambda original, map: _Joined(original)

# ---------------------------------------------------------------- random numbers


def _load_random() -> None:
    import chainrule.rules.lifting_random  # noqa: F401


for _name in ("numpy.random", "numpy.random.mtrand", "numpy.random._generator"):
    LATE_MAKERS[_name] = _load_random

# ---------------------------------------------------------------- float, complex, type


class _NumberLike(type):
    """Answers as the built-in type does when it is compared, hashed or used in isinstance."""

    number: type
    dtype: np.dtype

    def __instancecheck__(cls, x):
        return isinstance(x, cls.number) if _stands_in(cls) else type.__instancecheck__(cls, x)

    def __subclasscheck__(cls, kind):
        return (
            issubclass(kind, cls.number) if _stands_in(cls) else type.__subclasscheck__(cls, kind)
        )

    def __eq__(cls, other):
        return other is cls or (other is cls.number and _stands_in(cls))

    def __hash__(cls):
        return hash(cls.number) if _stands_in(cls) else type.__hash__(cls)

    def __call__(cls, *args, **kwargs):
        if len(args) == 1 and type(args[0]) in _NUMBERS and cls is LiftedFloat:
            return float(args[0])
        if not _stands_in(cls):  # a subclass made in lifted code
            return type.__call__(cls, *args, **kwargs)
        if len(args) == 2 and cls is LiftedComplex and _any_traced(args):
            return as_number(args[0] + 1j * args[1])
        if args and type(args[0]) is str:
            comes_back_as_text(args[0], cls.__name__)
        if len(args) == 1 and is_view(args[0]):  # of a class with __float__ or __complex__
            convert = getattr(args[0], f"__{cls.__name__}__", None)
            value = cls.number(args[0]) if convert is None else convert()
            return value if isinstance(value, Tracer) else cls.number(value)
        if not (len(args) == 1 and isinstance(args[0], Tracer)):
            return cls.number(*args, **kwargs)
        (x,) = args
        value = cls.number(peek(x))  # raises as NumPy does
        if not is_watched(x):
            return value
        x = x.reshape(())[()]
        return as_number(x if x.dtype == cls.dtype else x.astype(cls.dtype))


def _stands_in(cls: type) -> bool:
    return "number" in cls.__dict__


class LiftedFloat(float, metaclass=_NumberLike):
    number = float
    dtype = np.dtype(float)


class LiftedComplex(complex, metaclass=_NumberLike):
    number = complex
    dtype = np.dtype(complex)


def _scalar_type(kind: Any) -> Any:
    """What ``np.float64(x)`` runs: a NumPy scalar or array of that dtype, traced if x is."""
    dtype = np.dtype(kind)

    @functools.wraps(kind, updated=())
    def convert(*args):
        if len(args) != 1 or not _any_traced(args):
            if args and isinstance(args[0], str):
                comes_back_as_text(args[0], kind.__name__)
            return kind(*plain(args))
        (x,) = args
        x = as_scalar(as_operand(x) if type(x) in (list, tuple) else x)
        return x if x.dtype == dtype else x.astype(dtype)

    return convert


for _kind in (np.float16, np.float32, np.float64, np.longdouble, np.complex64, np.complex128):
    CALLED[_kind] = _scalar_type(_kind)


class _TypeLike(type):
    """``type(x)`` of a handle is what it stands for; of a float, what lifted code calls so."""

    def __call__(cls, *args, **kwargs):
        if len(args) != 1:
            name, bases, names = args
            module = sys._getframe(1).f_globals["__name__"]
            made = type(name, tuple(map(unview, bases)), {"__module__": module, **names}, **kwargs)
            return seen_object(made)
        kind = args[0].__class__ if isinstance(args[0], Tracer) else type(args[0])
        ours = _KINDS.get(kind)
        return seen_object(kind) if ours is None else ours

    def __instancecheck__(cls, x):
        return isinstance(x, type)

    def __subclasscheck__(cls, kind):
        return issubclass(kind, type)

    def __eq__(cls, other):
        return other is type or other is cls

    def __hash__(cls):
        return hash(type)


class LiftedType(type, metaclass=_TypeLike):
    pass


_KINDS: dict[type, type] = {
    float: LiftedFloat,
    complex: LiftedComplex,
    np.vectorize: Vectorized,
    **{lifted: kind for kind, lifted in LIFTED.items()},
}
for _number in (LiftedFloat, LiftedComplex):
    _number.__name__ = _number.__qualname__ = _number.number.__name__
LiftedType.__name__ = LiftedType.__qualname__ = "type"
replace(float, LiftedFloat)
replace(complex, LiftedComplex)
replace(type, LiftedType)


@functools.wraps(hasattr)
def _hasattr(x, name, /):
    if isinstance(x, Tracer):
        x = plain(x).item() if type(x) is Number else plain(x)
    return hasattr(x, name)


replace(hasattr, _hasattr)

# ---------------------------------------------------------------- globals, eval, exec


def _caller() -> FrameType:
    return sys._getframe(2)


@functools.wraps(builtins.globals)
def _globals():
    namespace = _caller().f_globals
    return namespace.original if type(namespace) is Shadow else namespace


def _evaluating(function):
    """``eval`` and ``exec`` look names up without asking ``__missing__``: put them there before."""

    @functools.wraps(function)
    def run(source, /, globals=None, locals=None, **closure):
        if type(source) is str:
            comes_back_as_text(source, function.__name__)
        frame = _caller()
        if globals is None and type(frame.f_globals) is Shadow:
            globals = frame.f_globals
            if locals is None:
                # a function's own from Python 3.13 writes through; these built-ins take a copy
                locals = frame.f_locals
                locals = locals if isinstance(locals, dict) else dict(locals)
        if type(globals) is Shadow:
            if not isinstance(source, CodeType):
                source = compile(source, "<string>", function.__name__)
            for name in source.co_names:
                globals.prepare(name)
        return function(source, globals, locals, **closure)

    return run


@functools.wraps(importlib.import_module)
def _import_module(name, package=None):
    module = importlib.import_module(name, package)
    trace = current()
    return module if trace is None else Lifter.of(trace).map(module)


replace(importlib.import_module, _import_module)
replace(globals, _globals)
replace(eval, _evaluating(eval))
replace(exec, _evaluating(exec))

# ---------------------------------------------------------------- math

_MATH: dict[str, Any] = {
    name: getattr(np, name)
    for name in (
        "sqrt exp log2 log10 log1p expm1 sin cos tan sinh cosh tanh fabs fmod copysign "
        "degrees radians "
        "exp2 cbrt"
    ).split()
    if hasattr(math, name)
}
_ARCS = {
    name: getattr(np, "arc" + name[1:])
    for name in ("asin", "acos", "atan", "asinh", "acosh", "atanh")
}


def _add_up(terms, start=0.0):
    return functools.reduce(lambda a, b: a + b, terms, start)


_MATH |= _ARCS
_MATH |= {
    "atan2": np.arctan2,
    "pow": np.power,
    "log": lambda x, base=None: np.log(x) if base is None else np.log(x) / np.log(base),
    "ldexp": lambda x, i: x * 2.0 ** plain(i),
    "frexp": lambda x: (x / 2.0 ** math.frexp(plain(x))[1], math.frexp(plain(x))[1]),
    "modf": lambda x: (x - math.trunc(plain(x)), float(math.trunc(plain(x)))),
    "remainder": lambda x, y: x - np.rint(plain(x) / plain(y)) * y,
    "fma": lambda x, y, z: x * y + z,
    "hypot": lambda *xs: functools.reduce(np.hypot, xs, 0.0),
    "dist": lambda p, q: functools.reduce(np.hypot, [a - b for a, b in zip(p, q)], 0.0),
    "fsum": _add_up,
    "prod": lambda xs, *, start=1: functools.reduce(lambda a, b: a * b, xs, start),
    "sumprod": lambda p, q: _add_up([a * b for a, b in zip(p, q)], 0),
    "erf": lambda x: _special("erf")(x),
    "erfc": lambda x: _special("erfc")(x),
    "gamma": lambda x: _special("gamma")(x),
    "lgamma": lambda x: _special("gammaln")(x),
}
_OF_ITERABLES = ("fsum", "prod", "dist", "sumprod")
_DISCRETE = ("floor", "ceil", "trunc", "isnan", "isinf", "isfinite", "isclose", "ulp", "nextafter")


def _special(name: str):
    import scipy.special

    return getattr(scipy.special, name)


_NUMBERS = frozenset({float, int, np.float64, bool, complex})


def _numeric(module, name: str, traced: Any) -> Any:
    """A function of ``math`` or ``cmath`` that leaves traced numbers to NumPy."""
    function = getattr(module, name)

    @functools.wraps(function)
    def call(*args, **kwargs):
        if name in _OF_ITERABLES:
            args = tuple(list(x) if hasattr(x, "__iter__") else x for x in args)
        if name in _DISCRETE:
            return function(*plain(args), **plain(kwargs))
        value = function(*peek(args), **peek(kwargs))  # raises as it does: domain, range
        if not (any_watched(args) or any_watched(kwargs.values())):
            return value
        if traced is None:
            raise refuse(
                NonDifferentiableError(
                    f"{module.__name__}.{name} has no derivative in chainrule",
                    "Use a NumPy or SciPy function, or treat its argument as constant: "
                    "chainrule.constant(x).",
                )
            )
        y = traced(*args, **kwargs)
        return tuple(map(as_number, y)) if type(y) is tuple else as_number(y)

    return _fast_for_numbers(function, call)


def _fast_for_numbers(function: Any, call: Any) -> Any:
    """Loops of bare ``math`` calls are bound by this: no ``*args`` where one number is the rule."""
    parameters = function.__text_signature__ or ""
    if parameters.count(",") == 2 and parameters.endswith(", /)"):  # ($module, x, /)

        def fast(x, /):
            return function(x) if type(x) in _NUMBERS else call(x)

    elif parameters.count(",") == 3 and parameters.endswith(", /)"):

        def fast(x, y, /):
            if type(x) in _NUMBERS and type(y) in _NUMBERS:
                return function(x, y)
            return call(x, y)

    else:

        def fast(*args, **kwargs):
            if not kwargs and _NUMBERS.issuperset(map(type, args)):
                return function(*args)
            return call(*args, **kwargs)

    return functools.update_wrapper(fast, function)


def _complex(ufunc):
    return lambda z: ufunc(z + 0j)


_CMATH: dict[str, Any] = {
    name: _complex(f)
    for name, f in {**_MATH, **_ARCS}.items()
    if name in "sqrt exp log10 sin cos tan sinh cosh tanh".split() or name in _ARCS
}
_CMATH |= {
    "log": lambda z, base=None: (
        np.log(z + 0j) if base is None else np.log(z + 0j) / np.log(base + 0j)
    ),
    "phase": lambda z: np.angle(z),
    "polar": lambda z: (np.abs(z), np.angle(z)),
    "rect": lambda r, phi: r * np.exp(1j * phi),
}

for _module, _table in ((math, _MATH), (cmath, _CMATH)):
    for _name in dir(_module):
        if callable(getattr(_module, _name)) and not _name.startswith("_"):
            replace(getattr(_module, _name), _numeric(_module, _name, _table.get(_name)))
