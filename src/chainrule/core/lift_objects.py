"""Classes inside a trace: stand-ins that make views; and the objects of a trace."""

import functools
import sys
import weakref
from collections.abc import Callable
from types import MemberDescriptorType
from typing import Any

from chainrule.core.lift_views import (
    KIND,
    ORIGINAL,
    Kind,
    Slot,
    View,
    _attribute_of,
    class_of,
    eligible,
    find,
    kind_of,
    live_lifter,
    original_of,
    unview,
)
from chainrule.core.settle import UNVIEW

# ---------------------------------------------------------------- classes


class StandIn(type):
    """The type of stand-ins: calls make a real object and return its view, initialised lifted."""

    def __new__(mcs, name, bases, names, **keywords):  # type(name, bases, names) by others
        bases = tuple(map(unview, bases))
        kinds = {type(b) for b in bases} - {type}
        made = (kinds.pop() if kinds else type)(name, bases, names, **keywords)
        lifter = live_lifter()
        return made if lifter is None else lifter.map(made)

    def __init__(cls, *args, **keywords):
        pass

    def __call__(cls, *args, **kwargs):
        kind = class_of(cls)
        lifter = live_lifter()
        if lifter is None:
            return kind(*args, **kwargs)
        new = find(kind, "__new__")
        if new is object.__new__:
            if (args or kwargs) and find(kind, "__init__") is object.__init__:
                raise TypeError(f"{kind.__name__}() takes no arguments")
            view = lifter.map(object.__new__(kind))
        else:
            view = lifter.map(kind.__new__)(cls, *args, **kwargs)
            if not isinstance(unview(view), kind):
                return view
        if find(kind, "__init__") is not object.__init__:
            result = kind_of(view)["__init__"].read(view)(*args, **kwargs)
            if result is not None:
                raise TypeError(f"__init__() should return None, not {type(result).__name__!r}")
        return view

    def __getattribute__(cls, name):
        kind = class_of(cls)
        lifter = live_lifter()
        if lifter is None:
            return getattr(kind, name)
        try:
            value = getattr(kind, name)
        except AttributeError:
            if name == "__copy__":
                return View.__copy__
            raise
        if type(value) is property:
            return property(*map(lifter.map, (value.fget, value.fset, value.fdel)))
        if name == "__subclasses__":
            return lambda: [lifter.map(k) for k in kind.__subclasses__()]
        return lifter.map(value)

    def __setattr__(cls, name, value):
        kind = class_of(cls)
        lifter = live_lifter()
        if lifter is None:
            setattr(kind, name, value)
            return
        setattr(kind, name, lifter.settler.original(value))
        lifter.objects.class_changed(kind, name)
        if name[:2] == "__":
            _forward_all(cls, kind)

    def __delattr__(cls, name):
        kind = class_of(cls)
        delattr(kind, name)
        lifter = live_lifter()
        if lifter is not None:
            lifter.objects.class_changed(kind, name)

    def __instancecheck__(cls, x):
        return isinstance(unview(x), class_of(cls))

    def __subclasscheck__(cls, other):
        return issubclass(unview(other), class_of(cls))

    def __eq__(cls, other):
        return unview(other) is class_of(cls)

    def __hash__(cls):
        return hash(class_of(cls))

    def __repr__(cls):
        return repr(class_of(cls))

    def __dir__(cls):
        return dir(class_of(cls))


UNVIEW[StandIn] = original_of
_NEVER_FORWARDED = frozenset(
    "__new__ __init__ __init_subclass__ __class_getitem__ __subclasshook__ __del__ __class__ "
    "__dict__ "
    "__weakref__ __doc__ __module__ __slots__ __setattr__ __delattr__ __getattribute__ __reduce__ "
    "__reduce_ex__ __copy__ __deepcopy__ __getstate__ __setstate__ __annotations__ __qualname__ "
    "__name__ __firstlineno__ __static_attributes__ __orig_bases__ __parameters__ __match_args__ "
    "__annotate__ __annotate_func__ __abstractmethods__".split()
)
_shared: dict[type, Any] = {}  # stand-ins of classes that live in a module: for every trace


def stand_in(cls: type) -> Any:
    known = _shared.get(cls)
    if known is not None:
        if _attribute_of(known, "__dict__")["_cr_size"] != _size(cls):
            _forward_all(known, cls)
        return known
    names: dict[str, Any] = {
        "__slots__": ("__dict__",) if cls.__dictoffset__ else (),
        "__module__": cls.__module__,
        "__qualname__": cls.__qualname__,
        "_cr_class": cls,
    }
    for base in cls.__mro__:
        for name, value in base.__dict__.items():
            if type(value) is MemberDescriptorType:
                names[name] = Slot(name)
    ours = type.__new__(StandIn, cls.__name__, (View,), names)
    _forward_all(ours, cls)
    if getattr(sys.modules.get(cls.__module__), cls.__name__, None) is cls:
        _shared[cls] = ours
    return ours


def _size(cls: type) -> list[int]:
    return [len(base.__dict__) for base in cls.__mro__]


def _forward_all(ours: Any, cls: type) -> None:
    """Give the stand-in the special methods that Python looks up in the type."""
    for base in cls.__mro__[:-1]:
        for name in base.__dict__:
            if name[:2] == "__" == name[-2:] and name not in _NEVER_FORWARDED:
                value = find(cls, name)
                forwarded = (
                    _forward(name) if callable(value) or hasattr(value, "__get__") else value
                )
                type.__setattr__(ours, name, forwarded)
    type.__setattr__(ours, "_cr_size", _size(cls))


@functools.cache
def _forward(name: str) -> Callable[..., Any]:
    def call(self, *args, **kwargs):
        kind = kind_of(self)
        if not kind.lifter.live:
            return getattr(original_of(self), name)(*args, **kwargs)
        return kind[name].read(self)(*args, **kwargs)

    call.__name__ = name
    return call


# ---------------------------------------------------------------- the objects of a trace


class Objects:
    """Views and stand-ins of one trace."""

    def __init__(self, lifter: Any):
        self.lifter = lifter
        self.kinds: dict[type, Kind | None] = {}
        self.views: dict[int, Callable[[], Any]] = {}  # by id of the original
        self.written: list[tuple[type, str]] = []  # attributes of classes

    def of(self, x: Any) -> Any:
        """What lifted code sees of an object: its view, if there can be one."""
        cls = type(x)
        if type(cls) is StandIn:
            return x if kind_of(x).lifter is self.lifter else self.of(original_of(x))
        if cls not in self.kinds:
            self.kinds[cls] = Kind(cls, self.lifter) if eligible(cls) else None
        kind = self.kinds[cls]
        if kind is None:
            return self.of_named_tuple(x) if isinstance(x, tuple) else x
        known = self.views.get(id(x))
        view: Any = known() if known is not None else None
        if view is not None and original_of(view) is x:
            return view
        view = object.__new__(kind.stand_in)
        self.link(view, x)
        return view

    def link(self, view: Any, original: Any) -> None:
        cls = type(original)
        kind = self.kinds.get(cls)
        if kind is None:
            kind = self.kinds[cls] = Kind(cls, self.lifter)
        KIND.__set__(view, kind)
        ORIGINAL.__set__(view, original)
        if kind.has_dict:
            object.__setattr__(view, "__dict__", original.__dict__)
        settler = self.lifter.settler
        # A temporary object goes when the user's code drops it, although it was viewed.
        settler.objects[id(original)] = weakref.ref(original) if kind.weak else lambda: original
        self.views[id(original)] = weakref.ref(view)

    def of_class(self, cls: type) -> Any:
        if not eligible(cls):
            return cls
        return self.lifter.once(cls, lambda: stand_in(cls))

    def of_named_tuple(self, x: Any) -> Any:
        if not hasattr(x, "_fields"):
            return x
        lifter = self.lifter
        known = lifter.seen.get(id(x))
        if known is not None:
            return known[1]
        parts = tuple(map(lifter.map, x))
        same = all(a is b for a, b in zip(parts, x))
        return x if same else lifter.stands(x, tuple.__new__(type(x), parts))

    def class_changed(self, cls: type, name: str) -> None:
        self.written.append((cls, name))
        for kind in self.kinds.values():
            if kind is not None:
                kind.clear()
                kind.own_setattr = find(kind.cls, "__setattr__") is not object.__setattr__

    def end(self) -> None:
        """Before the settler ends: attributes of classes become originals and plain values."""
        for cls, name in self.written:
            value = cls.__dict__.get(name)
            settled = self.lifter.settler.settled(value)
            if settled is not value:
                setattr(cls, name, settled)
        for kind in self.kinds.values():
            if kind is not None:
                kind.clear()
        self.kinds.clear()
        self.views.clear()
        self.written.clear()
        del self.lifter


def outside(x: Any) -> Any:
    """A result without views: originals, in lists, tuples and dicts too."""
    if type(x) in (list, tuple):
        parts = [outside(v) for v in x]
        return x if all(a is b for a, b in zip(parts, x)) else type(x)(parts)
    if type(x) is dict:
        values = {k: outside(v) for k, v in x.items()}
        return x if all(values[k] is x[k] for k in x) else values
    return unview(x)
