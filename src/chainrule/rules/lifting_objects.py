"""Builtins that ask what an object is, as lifted code sees them: ``super``, ``id``, ``issubclass``.

And ``weakref.ref``, which must refer to the user's object and not to its view.
"""

import builtins
import functools
import sys
import weakref
from typing import Any

from chainrule.core.lift import MAKERS, replace
from chainrule.core.lift_objects import StandIn
from chainrule.core.lift_views import bound, is_view, kind_of, live_lifter, unview

_look_up = object.__getattribute__


@functools.wraps(builtins.super)
def _super(*args):
    """Without arguments, ``__class__`` and the first argument are read in the caller's frame."""
    if not args:
        frame = sys._getframe(1)
        code, names = frame.f_code, frame.f_locals
        if not code.co_argcount or "__class__" not in names:
            raise RuntimeError("super(): no arguments")
        args = (names["__class__"], names[code.co_varnames[0]])
    cls = unview(args[0])
    if len(args) == 2 and (is_view(args[1]) or type(args[1]) is StandIn):
        return Super(cls, args[1])
    return builtins.super(cls, *map(unview, args[1:]))


class Super:
    """``super(cls, x)`` of a view or a stand-in: the attributes after ``cls``, lifted."""

    __slots__ = ("_cls", "_x")

    def __init__(self, cls: type, x: Any):
        self._cls = cls
        self._x = x

    def __getattribute__(self, name):
        cls, x = _look_up(self, "_cls"), _look_up(self, "_x")
        kind = type(unview(x)) if is_view(x) else unview(x)
        if issubclass(cls, type) and isinstance(kind, cls):  # in a method of a metaclass
            kind = type(kind)
        if not issubclass(kind, cls):
            raise TypeError("super(type, obj): obj must be an instance or subtype of type")
        mro = kind.__mro__
        for base in mro[mro.index(cls) + 1 :]:
            if name in base.__dict__:
                return bound(x, name, base.__dict__[name])
        raise AttributeError(f"'super' object has no attribute {name!r}")

    def _special(name):  # type: ignore[misc]
        return lambda self, *args: Super.__getattribute__(self, name)(*args)

    for _name in "getitem setitem delitem len iter contains call".split():
        locals()[f"__{_name}__"] = _special(f"__{_name}__")


replace(super, _super)


@functools.wraps(builtins.id)
def _id(x, /):
    return id(unview(x))


@functools.wraps(builtins.issubclass)
def _issubclass(cls, classes, /):
    classes = tuple(map(unview, classes)) if isinstance(classes, tuple) else unview(classes)
    return issubclass(unview(cls), classes)


replace(id, _id)
replace(issubclass, _issubclass)


@functools.wraps(builtins.getattr)
def _getattr(x, name, /, *default):
    if name == "__class__" and is_view(x):
        return kind_of(x).stand_in
    return getattr(x, name, *default)


replace(getattr, _getattr)


class _ReferenceType(type):
    """Makes references to the user's object; compares as ``weakref.ref``."""

    def __call__(cls, x, callback=None, /):
        reference = weakref.ref(unview(x), callback)
        lifter = live_lifter()
        return reference if lifter is None else lifter.map(reference)

    def __instancecheck__(cls, x):
        return isinstance(x, weakref.ref)

    def __eq__(cls, other):
        return other is cls or other is weakref.ref

    def __hash__(cls):
        return hash(weakref.ref)


class Weak(metaclass=_ReferenceType):
    """A weak reference as lifted code sees it: to the object, called for its view."""

    __slots__ = ("__weakref__", "_reference")
    _reference: weakref.ref

    @property  # type: ignore[misc]
    def __class__(self):
        return weakref.ref

    def __call__(self):
        x = self._reference()
        lifter = live_lifter()
        return x if lifter is None else lifter.map(x)

    def __eq__(self, other):
        other = other._reference if type(other) is Weak else other
        return self._reference == other

    def __hash__(self):
        return hash(self._reference)


def _weak(reference: weakref.ref, map: Any) -> Weak:
    made = object.__new__(Weak)
    made._reference = reference
    return made


MAKERS[weakref.ref] = _weak
replace(weakref.ref, Weak)
