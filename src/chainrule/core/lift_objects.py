"""Classes inside a trace: stand-ins that make views; and the objects of a trace."""

import functools
import sys
import weakref
from collections.abc import Callable
from types import FunctionType
from typing import Any, Generic, TypeVar

from chainrule.core.lift_views import (
    KIND,
    NOTHING,
    ORIGINAL,
    DataDescriptor,
    Kind,
    View,
    _attribute_of,
    class_of,
    eligible,
    find,
    is_view,
    kind_of,
    live_lifter,
    original_of,
    seen_object,
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
        makes = find(type(kind), "__call__")
        if type(makes) is FunctionType:  # a metaclass that decides what a call makes
            return lifter.map(makes)(cls, *args, **kwargs)
        return StandIn._make(cls, *args, **kwargs)

    def _make(cls, *args, **kwargs):
        """What ``type.__call__`` does."""
        kind, lifter = class_of(cls), live_lifter()
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

    def __getitem__(cls, key):
        item = class_of(cls)[key]
        return Alias(cls, item) if isinstance(item, GenericAlias) else seen_object(item)

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
GenericAlias: Any = type(Generic[TypeVar("T")])  # type: ignore[index]  # of user classes: Model[float]


class Alias:
    """``Model[float]`` of a stand-in: it makes what the stand-in makes."""

    def __init__(self, made_by: StandIn, alias: Any):
        self._made_by, self._alias = made_by, alias

    def __call__(self, *args, **kwargs):
        return self._made_by(*args, **kwargs)

    def __getattr__(self, name):
        return getattr(self._alias, name)

    def __mro_entries__(self, bases):
        return self._alias.__mro_entries__(tuple(getattr(b, "_alias", b) for b in bases))


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
    for name in {name for base in cls.__mro__ for name in base.__dict__ if name[:2] != "__"}:
        if hasattr(type(find(cls, name)), "__set__"):
            names[name] = DataDescriptor(name)
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


_COMPARED = {"__lt__": "__gt__", "__le__": "__ge__", "__eq__": "__eq__", "__ne__": "__ne__"}
_REFLECTED = {
    **_COMPARED,
    **{b: a for a, b in _COMPARED.items()},
    **{
        f"__{n}__": f"__r{n}__"
        for n in (
            "add sub mul matmul truediv floordiv mod divmod pow lshift rshift and xor or"
        ).split()
    },
}


def _comes_first(self: Any, other: Any, name: str) -> bool:
    """Whether ``other``, of a subclass, has its reflected operator asked first, as in Python; our
    stand-ins do not derive from each other."""
    if not is_view(other):
        return False
    mine, its = kind_of(self).cls, kind_of(other).cls
    if its is mine or not issubclass(its, mine):
        return False
    reflected = find(its, _REFLECTED[name])
    return reflected is not NOTHING and (
        name in _COMPARED or reflected is not find(mine, _REFLECTED[name])
    )


@functools.cache
def _forward(name: str) -> Callable[..., Any]:
    def call(self, *args, **kwargs):
        if name in _REFLECTED and args and _comes_first(self, args[0], name):
            y = kind_of(args[0])[_REFLECTED[name]].read(args[0])(self)
            if y is not NotImplemented:
                return y
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
