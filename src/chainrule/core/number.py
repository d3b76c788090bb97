"""Traced Python numbers: what ``f(0.5)``, ``float(x)``, ``x.item()`` and ``math.sin(x)`` give.

They differ from NumPy's scalars where Python's floats do: they do not decide a dtype (a float32
array times a number is float32), dividing by zero raises, a fractional power of a negative number
is complex, and they are no array (``type(x) is float``, no ``shape``).
"""

import operator
import sys
from typing import Any

import numpy as np

from chainrule.core import trace as _trace
from chainrule.core.array import HANDLES
from chainrule.core.handle import Scalar
from chainrule.core.lift_text import leaves_as_text
from chainrule.core.primitive import FUNCTIONS
from chainrule.core.trace import Tracer, plain


class Number(Scalar):
    """A traced Python float or complex; its arithmetic with Python numbers gives Numbers."""

    __slots__ = ()
    __hash__ = Scalar.__hash__

    @property  # type: ignore[misc]
    def __class__(self):
        return plain(self).item().__class__

    def __eq__(self, other):
        equal = self._equals(other, sys._getframe(1))
        return bool(equal) if np.ndim(equal) == 0 else equal

    def __repr__(self):
        return leaves_as_text(self, repr(plain(self).item()))

    def _as_scalar(self):
        return as_scalar(self)

    def conjugate(self):
        return as_number(Scalar.conjugate(self))  # type: ignore[attr-defined]

    real: Any = property(lambda self: as_number(Scalar.real.__get__(self)))
    imag: Any = property(lambda self: as_number(Scalar.imag.__get__(self)))

    def __round__(self, digits=None):
        return round(plain(self).item(), digits)

    def __pow__(self, other, modulo=None):
        if type(other) not in _PYTHON:
            return Scalar.__pow__(self, other)
        value = plain(self).item() ** _item(other)  # raises as Python does
        base: Any = self.__add__(0j) if type(value) is complex and self.dtype.kind == "f" else self
        return as_number(Scalar.__pow__(base, other))

    def __rpow__(self, other):
        if type(other) not in _PYTHON:
            return Scalar.__rpow__(self, other)
        value = _item(other) ** plain(self).item()
        return as_number(Scalar.__rpow__(self, other + 0j if type(value) is complex else other))


_PYTHON = frozenset({int, float, complex, bool, Number})


def as_number(x: Any) -> Any:
    """A NumPy scalar, traced or not, as the Python number it is; anything else as it is."""
    if type(x) is Scalar:
        return Number(as_number(x._value) if isinstance(x._value, Tracer) else x._value, *_rest(x))
    return x.item() if isinstance(x, np.inexact) else x


def as_scalar(x: Any) -> Any:
    """A Number as the NumPy scalar of that value; anything else as it is."""
    return Scalar(as_scalar(x._value), *_rest(x)) if type(x) is Number else x


def _rest(x: Scalar) -> tuple[Any, Any]:
    return x._trace, x._var


def _item(x: Any) -> Any:
    return plain(x).item() if type(x) is Number else x


def _arithmetic(name: str, python: Any = None) -> Any:
    """The operator; ``python`` runs on the values first, for the errors it raises."""
    base = getattr(Scalar, name)
    reflected = name.startswith("__r")

    def run(self, other):
        if type(other) not in _PYTHON:
            return base(self, other)
        if python is not None:
            a, b = plain(self).item(), _item(other)
            python(b, a) if reflected else python(a, b)
        return as_number(base(self, other))

    run.__name__ = name
    return run


def _unary(name: str) -> Any:
    base = getattr(Scalar, name)
    return lambda self: as_number(base(self))


def _compared(name: str) -> Any:
    base = getattr(Scalar, name)
    return lambda self, other: bool(y) if np.ndim(y := base(self, other)) == 0 else y


for _name in ("add", "sub", "mul"):
    for _prefix in ("__", "__r"):
        setattr(Number, f"{_prefix}{_name}__", _arithmetic(f"{_prefix}{_name}__"))
for _name, _python in (
    ("truediv", operator.truediv),
    ("floordiv", operator.floordiv),
    ("mod", operator.mod),
):
    for _prefix in ("__", "__r"):
        setattr(Number, f"{_prefix}{_name}__", _arithmetic(f"{_prefix}{_name}__", _python))
for _name in ("__neg__", "__pos__", "__abs__"):
    setattr(Number, _name, _unary(_name))
for _name in ("__lt__", "__le__", "__gt__", "__ge__", "__ne__"):
    setattr(Number, _name, _compared(_name))

HANDLES.add(Number)
FUNCTIONS["number"] = as_number
_trace.Number = Number
