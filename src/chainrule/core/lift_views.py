"""Views: how lifted code sees an object of a user class.

A method runs on a view of its instance. The view shares the instance's ``__dict__``, so that state
is changed once and on the real object; what is read through it is mapped (arrays are handles,
methods run lifted), what is stored through it is un-viewed first. Its type stands in for the user's
class but does not derive from it: no registry and no ``__subclasses__`` ever sees it::

    view  --type-->  StandIn  -- _cr_class -->  the user's class
      +-- _cr_original -->  the instance (which knows nothing of the view)
"""

import copy
import functools
import sys
import weakref
from collections.abc import Callable
from dis import opmap
from enum import EnumMeta
from types import FunctionType, MemberDescriptorType, MethodType
from typing import Any

from chainrule.core.array import HANDLES
from chainrule.core.lift_code import may_lift, opcode_at
from chainrule.core.number import Number  # noqa: F401  (before HANDLES is used below)
from chainrule.core.settle import UNVIEW
from chainrule.core.trace import current

_AS_IS = frozenset({int, float, str, bool, type(None), *HANDLES})
NOTHING = object()
_READS_ATTRIBUTE = {opmap[n] for n in ("LOAD_ATTR", "LOAD_METHOD") if n in opmap}
_look_up = object.__getattribute__
_attribute_of = type.__getattribute__

# ---------------------------------------------------------------- which classes


_eligible: "weakref.WeakKeyDictionary[type, bool]" = weakref.WeakKeyDictionary()


def eligible(cls: type) -> bool:
    """Whether instances can be viewed: a class of Python code that may be lifted, without C state.

    Exceptions, enums, named tuples and subclasses of list, dict, int, ndarray have C state or
    identity that a view cannot have; classes with a ``__getattribute__`` of their own decide alone.
    """
    known = _eligible.get(cls)
    if known is None:
        known = _eligible[cls] = _find_out(cls)
    return known


def _find_out(cls: type) -> bool:
    if not may_lift(cls.__module__) or isinstance(cls, EnumMeta):
        return False
    if not _is_python(find(type(cls), "__call__")) and type(cls).__call__ is not type.__call__:
        return False  # a metaclass in C that decides what a call makes
    for base in cls.__mro__[:-1]:
        names = base.__dict__
        if "__getattribute__" in names or not _is_python(names.get("__new__")):
            return False
    return cls.__mro__[-1] is object and cls is not object


def _is_python(new: Any) -> bool:
    return new is None or isinstance(new, (FunctionType, staticmethod))


def find(cls: type, name: str) -> Any:
    """The attribute as it lies in the class or a base, unbound."""
    for base in cls.__mro__:
        if name in base.__dict__:
            return base.__dict__[name]
    return NOTHING


# ---------------------------------------------------------------- attributes of a class


class Entry:
    """How an attribute is read and written through a view."""

    __slots__ = ("attribute", "data", "read")

    def __init__(self, attribute: Any, data: bool, read: Callable[[Any], Any] | None):
        self.attribute = attribute
        self.data = data  # has precedence over the instance's own
        self.read = read


class Kind(dict):
    """A class inside a trace: name -> Entry, found when it is first asked for."""

    def __init__(self, cls: type, lifter: Any):
        self.cls = cls
        self.lifter = lifter
        self.stand_in: Any = lifter.objects.of_class(cls)
        self.has_dict = cls.__dictoffset__ != 0
        self.weak = cls.__weakrefoffset__ != 0
        self.own_setattr = find(cls, "__setattr__") is not object.__setattr__

    def __missing__(self, name: str) -> Entry:
        attribute = find(self.cls, name)
        if name == "__class__":
            entry = Entry(attribute, True, _read_class)
        elif name == "__dict__":
            entry = Entry(attribute, True, self.names)
        elif attribute is NOTHING and name in ("__copy__", "__deepcopy__"):
            entry = Entry(attribute, False, lambda view: _look_up(view, name))
        elif attribute is NOTHING:
            entry = Entry(attribute, False, None)
        else:
            entry = Entry(attribute, *reader(self, name, attribute))
        self[name] = entry
        return entry

    def names(self, view: Any) -> Any:
        """``view.__dict__``."""
        return self.lifter.names_of(original_of(view).__dict__)


def reader(kind: Kind, name: str, attribute: Any) -> tuple[bool, Callable[[Any], Any]]:
    """Whether the attribute is a data descriptor, and how a view reads it."""
    cls, lifter = kind.cls, kind.lifter
    if type(attribute) is FunctionType:
        f = lifter.function(attribute)
        return False, lambda view: MethodType(f, view)
    if isinstance(attribute, property):
        return True, functools.partial(_read_property, lifter, attribute)
    if isinstance(attribute, functools.cached_property):
        return False, functools.partial(_read_cached, lifter, attribute)
    if isinstance(attribute, (staticmethod, classmethod)):
        return False, lambda view: lifter.map(attribute.__get__(None, cls))
    if isinstance(attribute, functools.singledispatchmethod):
        return False, functools.partial(_dispatching, kind, attribute)
    if type(attribute) is MemberDescriptorType:
        return True, lambda view: lifter.map(attribute.__get__(original_of(view), cls))
    if attribute is object.__dict__.get(name, NOTHING):
        return False, lambda view: getattr(View, name).__get__(view)
    get = find(type(attribute), "__get__")
    if get is NOTHING:
        return False, lambda view: lifter.map(getattr(cls, name))
    data = hasattr(type(attribute), "__set__") or hasattr(type(attribute), "__delete__")
    if type(get) is not FunctionType:
        if hasattr(attribute, "__wrapped__"):  # functools.lru_cache
            return data, lambda view: MethodType(lifter.map(attribute), view)
        return data, lambda view: lifter.map(attribute.__get__(view, cls))
    lifted = lifter.function(get)
    return data, lambda view: lifter.map(lifted(lifter.map(attribute), view, kind.stand_in))


def bound(x: Any, name: str, attribute: Any) -> Any:
    """An attribute that ``super()`` found in a class, bound to a view or to a stand-in."""
    if is_view(x):
        if attribute is object.__setattr__:
            return MethodType(store, x)
        if attribute is object.__delattr__:
            return functools.partial(object.__delattr__, original_of(x))
        if not hasattr(type(attribute), "__get__"):
            return kind_of(x).lifter.map(attribute)
        return reader(kind_of(x), name, attribute)[1](x)
    if attribute is type.__dict__["__call__"]:
        return type(x)._make.__get__(x)
    if (
        isinstance(unview(x), type)
        and type(attribute) is FunctionType
        and isinstance(unview(x), _owner(type(unview(x)), attribute))
    ):
        return MethodType(live_lifter().map(attribute), x)  # of the metaclass
    if attribute is object.__new__:
        return lambda cls, *args, **kwargs: seen_object(
            object.__new__(unview(cls), *args, **kwargs)
        )
    return seen_object(attribute.__get__(None, unview(x)))


def _dispatching(kind: Kind, attribute: functools.singledispatchmethod, view: Any) -> Any:
    def call(*args, **kwargs):
        chosen = attribute.dispatcher.dispatch(unview(args[0].__class__))
        bound = chosen.__get__(None if isinstance(chosen, staticmethod) else view, kind.cls)
        return kind.lifter.map(bound)(*args, **kwargs)

    return call


def _owner(cls: type, attribute: Any) -> Any:
    """The class in the mro of ``cls`` that defines the function; an empty tuple if none does."""
    return next((b for b in cls.__mro__ if attribute in b.__dict__.values()), ())


def _read_property(lifter: Any, attribute: property, view: Any) -> Any:
    if attribute.fget is None:
        return attribute.__get__(view)  # raises as Python does
    return lifter.map(attribute.fget)(view)


def _read_cached(lifter: Any, attribute: functools.cached_property, view: Any) -> Any:
    value = lifter.map(attribute.func)(view)
    name = attribute.attrname
    original_of(view).__dict__[name] = lifter.settler.original(value)
    return value


def _read_class(view: Any) -> Any:
    """The stand-in where code reads ``x.__class__``; the class itself where C asks (isinstance)."""
    frame = sys._getframe(2)
    kind = kind_of(view)
    return kind.stand_in if opcode_at(frame) in _READS_ATTRIBUTE else kind.cls


# ---------------------------------------------------------------- views


class View:
    """The base of all views. Slots of its own; all else is the original's."""

    __slots__ = ("__weakref__", "_cr_kind", "_cr_original")

    def __getattribute__(self, name):
        kind = kind_of(self)
        original = original_of(self)
        lifter = kind.lifter
        if not lifter.live:
            return getattr(original, name)
        entry = kind[name]
        if kind.has_dict and not entry.data:
            value = original.__dict__.get(name, NOTHING)
            if value is not NOTHING:
                return value if type(value) in _AS_IS else lifter.map(value)
        if entry.read is None:
            raise AttributeError(
                f"{kind.cls.__name__!r} object has no attribute {name!r}", name=name, obj=original
            )
        return entry.read(self)

    def __setattr__(self, name, value):
        kind = kind_of(self)
        if not kind.lifter.live:
            setattr(original_of(self), name, value)
        elif kind.own_setattr:
            kind["__setattr__"].read(self)(name, value)
        else:
            store(self, name, value)

    def __delattr__(self, name):
        kind = kind_of(self)
        entry = kind[name]
        if not kind.lifter.live:
            delattr(original_of(self), name)
        elif find(kind.cls, "__delattr__") is not object.__delattr__:
            kind["__delattr__"].read(self)(name)
        elif isinstance(entry.attribute, property) and entry.attribute.fdel is not None:
            kind.lifter.map(entry.attribute.fdel)(self)
        else:
            object.__delattr__(original_of(self), name)

    def __eq__(self, other):
        return True if unview(other) is original_of(self) else NotImplemented

    def __hash__(self):
        return hash(original_of(self))

    def __reduce_ex__(self, protocol):
        return original_of(self).__reduce_ex__(protocol)

    def __copy__(self):
        return kind_of(self).lifter.map(copy.copy(original_of(self)))

    def __deepcopy__(self, memo):
        return kind_of(self).lifter.map(copy.deepcopy(original_of(self), memo))

    def __dir__(self):
        return dir(original_of(self))


KIND: Any = View.__dict__["_cr_kind"]
ORIGINAL: Any = View.__dict__["_cr_original"]


def kind_of(view: Any) -> Kind:
    try:
        return KIND.__get__(view)
    except AttributeError:  # made by object.__new__(cls)
        cls = class_of(type(view))
        live_lifter().objects.link(view, object.__new__(cls))
        return KIND.__get__(view)


def original_of(view: Any) -> Any:
    try:
        return ORIGINAL.__get__(view)
    except AttributeError:
        kind_of(view)
        return ORIGINAL.__get__(view)


def is_view(x: Any) -> bool:
    return issubclass(type(x), View)


def unview(x: Any) -> Any:
    """The instance of a view, the class of a stand-in; else ``x``."""
    kind = type(x)
    how = UNVIEW.get(type(kind))
    if how is not None:
        return how(x)
    return class_of(x) if kind in UNVIEW else x


def store(view: Any, name: str, value: Any) -> None:
    """``object.__setattr__`` on a view: on the original, with originals."""
    kind = kind_of(view)
    lifter, attribute = kind.lifter, kind[name].attribute
    original = original_of(view)
    if isinstance(attribute, property):
        if attribute.fset is None:
            attribute.__set__(original, value)  # raises as Python does
        lifter.map(attribute.fset)(view, value)
        return
    write = find(type(attribute), "__set__")
    if type(write) is FunctionType:
        lifter.function(write)(lifter.map(attribute), view, value)
        return
    object.__setattr__(original, name, lifter.settler.original(value))
    if name == "__class__":
        lifter.objects.link(view, original)
        object.__setattr__(view, "__class__", kind_of(view).stand_in)
    elif name == "__dict__":
        object.__setattr__(view, name, original.__dict__)


class DataDescriptor:
    """A property or a member of ``__slots__``, for ``object.__setattr__`` on a view."""

    def __init__(self, name: str):
        self.name = name

    def __get__(self, view, owner=None):
        return kind_of(view)[self.name].read(view)

    def __set__(self, view, value):
        store(view, self.name, value)


# ---------------------------------------------------------------- the live trace


def class_of(cls: Any) -> Any:
    """The user's class of a stand-in."""
    return _attribute_of(cls, "__dict__")["_cr_class"]


def live_lifter() -> Any:
    """The lifter of the outermost live trace, if it has one."""
    trace = current()
    if trace is None:
        return None
    while trace.outer is not None:
        trace = trace.outer
    return trace.lifter


def seen_object(x: Any) -> Any:
    """``x`` as lifted code sees it."""
    lifter = live_lifter()
    return x if lifter is None else lifter.map(x)
