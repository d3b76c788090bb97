"""Compiled code (Cython, C extensions, Numba) that lifted code reaches: it takes no traced value.

Its functions get plain arrays where all is constant, and are named where they fail. Its objects are
as they are: what they raise about our handles is explained, and a traced value in memory that they
may hold on to is refused, because nobody sees them read it.
"""

import functools
import re
import weakref
from collections.abc import Callable
from enum import Enum
from types import FunctionType, TracebackType
from typing import Any

import numpy as np

from chainrule.base.errors import ChainruleError, NonDifferentiableError
from chainrule.base.where import Line, is_internal, line_of
from chainrule.core.array import _any_traced, as_constant
from chainrule.core.lift_code import may_lift
from chainrule.core.lift_containers import unlifted
from chainrule.core.lift_views import unview
from chainrule.core.program import Program
from chainrule.core.trace import Tracer, is_traced, plain

_REMEDY = (
    "Write this step with NumPy; or state its derivative (chainrule.primitive), let it be "
    "measured (chainrule.numerical), or treat the value as constant: chainrule.constant(x)."
)


class Compiled:
    """A compiled function as lifted code sees it; ``python`` is the same in Python, lifted."""

    def __init__(self, function: Any, python: Callable[..., Any] | None = None):
        functools.update_wrapper(self, function, updated=())
        self.function = function
        self.python = python

    def __call__(self, *args, **kwargs):
        if _any_traced(args) or _any_traced(kwargs.values()):
            return self.traced(*args, **kwargs)
        given = [_given(x) for x in args]
        y = self.function(*given, **{k: _given(x) for k, x in kwargs.items()})
        for x, array in zip(args, given):
            if y is array:
                return x
        return as_constant(y)

    def traced(self, *args, **kwargs):
        """In Python if there is Python; else it may be code that takes any object."""
        if self.python is not None:
            return self.python(*args, **kwargs)
        try:
            return self.function(*map(unview, args), **{k: unview(x) for k, x in kwargs.items()})
        except TypeError as error:
            below = error.__traceback__ and error.__traceback__.tb_next
            if isinstance(error, ChainruleError) or _raised_at(below)[0]:
                raise  # by Python code that it called back
            name = re.sub(r"__pyx_fuse_\w*?\d", "", self.function.__name__)
            raise NonDifferentiableError(
                f"{self.function.__module__}.{name} is compiled code and cannot take a traced "
                f"value ({_short(str(error).splitlines()[0])})",
                _REMEDY,
            ) from error

    def __getattr__(self, name):
        return getattr(self.function, name)

    def __getitem__(self, types):  # of a function fused over several types
        return Compiled(self.function[types])

    def __eq__(self, other):
        return other is self.function or getattr(other, "function", None) is self.function

    def __hash__(self):
        return hash(self.function)


# Objects of ours -> what those who do not know them get (``what`` names them), or an error
GIVEN: dict[type, Callable[[Any, str], Any]] = {}


def _given(x: Any) -> Any:
    if isinstance(x, Tracer):
        return x._exposed()  # it may be written into
    if type(x) in GIVEN:
        return GIVEN[type(x)](x, "compiled code")
    return plain(unlifted(x)) if isinstance(x, (list, tuple)) else unview(x)


# ---------------------------------------------------------------- objects


_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: made by a class statement, or by newer C code
_WITHOUT_STATE = (tuple, str, int, float, complex, Enum, BaseException)

_known: "weakref.WeakKeyDictionary[type, bool]" = weakref.WeakKeyDictionary()


def is_unseen(cls: type) -> bool:
    """Whether instances of a class without views compute where lifting does not reach: in C, or in
    methods that run as they are (of subclasses of list, dict and ndarray).
    """
    known = _known.get(cls)
    if known is None:
        liftable = [base for base in cls.__mro__ if may_lift(base.__module__)]
        known = _known[cls] = any(map(_is_compiled, liftable)) or (
            not issubclass(cls, _WITHOUT_STATE)
            and any(type(f) is FunctionType for base in liftable for f in vars(base).values())
        )
    return known


def _is_compiled(cls: type) -> bool:
    return (
        not cls.__flags__ & _HEAP_TYPE
        or "__reduce_cython__" in cls.__dict__
        or type(cls).__name__ == "pybind11_type"
    )


def check_memory(handles: list[Any], unseen: type | None, bare: list[np.ndarray]) -> None:
    """Refuse if a derivative was written into memory that is read where nobody sees it: by an
    object of the class ``unseen``, or as one of ``bare``, the arrays that have no handle.
    """
    for x in handles:
        if not (x._trace.owner and is_traced(x)):
            continue
        kinds = [type(a).__name__ for a in bare if np.may_share_memory(x._memory, a)]
        if kinds:
            reader = f"a {kinds[0]} over the same memory"
        elif unseen is not None:
            reader = f"an object of the class {unseen.__module__}.{unseen.__qualname__}"
        else:
            continue
        raise NonDifferentiableError(
            f"a traced value was written into an array of shape {x.shape} that {reader} may read "
            "without its derivative",
            _REMEDY,
            at=_written_at(x),
        )


def _written_at(x: Any) -> Line | None:
    program = getattr(x._trace, "program", None)
    if type(program) is Program and x._var in program.results:
        return program.line(program.results.index(x._var))
    return None


# ---------------------------------------------------------------- what they raise


_NAMES = "(Array|Scalar|Number|Foreign|View|ReadOnly)"  # of our handles, as C code prints them
_OURS = re.compile(
    rf"(?<!: )'{_NAMES}'|(got|not|type) {_NAMES}\b|\({_NAMES}[,)]|class 'chainrule\."
    "|buffer (API|protocol)"
)
_COMPILED = (".pyx", ".pxd", ".pxi", "<stringsource>", "View.MemoryView")


def explained(error: Exception) -> NonDifferentiableError | None:
    """What an error of compiled code means that was handed one of our arrays; None of others."""
    if isinstance(error, ChainruleError):
        return None
    line, compiled = _raised_at(error.__traceback__)
    if isinstance(error, (AttributeError, ImportError)) or not (
        compiled or _OURS.search(str(error))
    ):
        return None
    return NonDifferentiableError(
        f"code that is not Python's cannot take an array that chainrule follows "
        f"({type(error).__name__}: {_short(str(error))})",
        _REMEDY,
        at=line,
    )


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) < 200 else text[:199] + "…"


def _raised_at(traceback: TracebackType | None) -> tuple[Line | None, bool]:
    """The last line of the user's code, and whether compiled code was below it."""
    line, compiled = None, False
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_filename.endswith(_COMPILED):
            compiled = True
        elif not is_internal(code.co_filename):
            line, compiled = line_of(code, traceback.tb_lasti), False
        traceback = traceback.tb_next
    return line, compiled
