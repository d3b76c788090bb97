"""Containers that lifted code reaches by name, with lifted elements; writes reach both.

Of a set, a deque, a defaultdict ... there is one class here each, a subclass with mapped elements.
"""

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from chainrule.base import tree
from chainrule.core.settle import Settler


class LiftedList(list):
    """A list with mapped elements. What changes it changes the original too."""

    __slots__ = ("_original", "_settler")
    _original: list
    _settler: Settler

    def mirror(self) -> None:
        self._original[:] = [self._settler.original(v) for v in self]

    def append(self, value):
        list.append(self, value)
        self._original.append(self._settler.original(value))

    def __reduce_ex__(self, protocol):
        return list, (list(self),)


class LiftedDict(dict):
    """A dict with mapped keys and values. What changes it changes the original too."""

    __slots__ = ("_original", "_settler")
    _original: dict
    _settler: Settler

    def mirror(self) -> None:
        values = {self._settler.original(k): self._settler.original(v) for k, v in self.items()}
        self._original.clear()
        self._original.update(values)

    def __setitem__(self, key, value):
        dict.__setitem__(self, key, value)
        self._original[self._settler.original(key)] = self._settler.original(value)

    def __reduce_ex__(self, protocol):
        return dict, (dict(self),)


class LiftedOrdered(OrderedDict):
    """``collections.OrderedDict``."""

    _original: OrderedDict
    _settler: Settler

    mirror = LiftedDict.mirror
    __reduce_ex__ = LiftedDict.__reduce_ex__

    def __setitem__(self, key, value):
        OrderedDict.__setitem__(self, key, value)
        self._original[self._settler.original(key)] = self._settler.original(value)


class LiftedDefault(defaultdict):
    """``collections.defaultdict``; its factory is mapped too."""

    _original: defaultdict
    _settler: Settler

    mirror = LiftedDict.mirror

    def __setitem__(self, key, value):
        defaultdict.__setitem__(self, key, value)
        self._original[self._settler.original(key)] = self._settler.original(value)

    def __missing__(self, key):
        if self.default_factory is None:
            raise KeyError(key)
        value = self[key] = self.default_factory()
        return value


class LiftedDeque(deque):
    """``collections.deque``."""

    _original: deque
    _settler: Settler

    def mirror(self) -> None:
        self._original.clear()
        self._original.extend(map(self._settler.original, self))


class LiftedSet(set):
    """A set."""

    _original: set
    _settler: Settler

    def mirror(self) -> None:
        self._original.clear()
        self._original.update(map(self._settler.original, self))


class LiftedNamespace:
    """``types.SimpleNamespace`` (and ``argparse.Namespace``): attributes are mapped when read."""

    __slots__ = ("_map", "_original", "_settler")

    def __init__(self, original: Any, map: Any, settler: Settler):
        put = object.__setattr__
        put(self, "_original", original)
        put(self, "_map", map)
        put(self, "_settler", settler)

    @property  # type: ignore[misc]
    def __class__(self):
        return type(self._original)

    def __getattr__(self, name):
        value = getattr(self._original, name)
        return value if name[:2] == "__" else self._map(value)

    def __setattr__(self, name, value):
        setattr(self._original, name, self._settler.original(value))

    def __delattr__(self, name):
        delattr(self._original, name)

    def __eq__(self, other):
        return self._original == getattr(other, "_original", other)

    def __repr__(self):
        return repr(self._original)


LIFTED: dict[type, type] = {
    list: LiftedList,
    dict: LiftedDict,
    OrderedDict: LiftedOrdered,
    defaultdict: LiftedDefault,
    deque: LiftedDeque,
    set: LiftedSet,
    SimpleNamespace: LiftedNamespace,
}


def _mirrored(kind: type, name: str):
    method = getattr(kind, name)

    def call(self, *args, **kwargs):
        result = method(self, *args, **kwargs)
        self.mirror()
        return result

    call.__name__ = name
    return call


_MUTATORS = {
    list: "extend insert pop remove clear sort reverse __setitem__ __delitem__ __iadd__ __imul__",
    dict: "pop popitem clear update setdefault __delitem__ __ior__",
    OrderedDict: "pop popitem clear update setdefault move_to_end __delitem__ __ior__",
    defaultdict: "pop popitem clear update setdefault __delitem__ __ior__",
    deque: "append appendleft extend extendleft insert pop popleft remove clear reverse rotate "
    "__setitem__ __delitem__ __iadd__ __imul__",
    set: "add discard remove pop clear update difference_update intersection_update "
    "symmetric_difference_update __ior__ __iand__ __isub__ __ixor__",
}
for _kind, _names in _MUTATORS.items():
    for _name in _names.split():
        setattr(LIFTED[_kind], _name, _mirrored(_kind, _name))


_EXACT = {lifted: kind for kind, lifted in LIFTED.items()}


def unlifted(x: Any) -> Any:
    """Containers as NumPy and our own code know them: of the exact type, elements as they are."""
    kind = _EXACT.get(type(x), type(x))
    if kind is list or kind is tuple:
        return kind(map(unlifted, x))
    if kind in (dict, OrderedDict):
        return kind((k, unlifted(v)) for k, v in x.items())
    if kind is defaultdict:
        return kind(x.default_factory, ((k, unlifted(v)) for k, v in x.items()))
    read = AS_ARRAY.get(kind)
    return x if read is None else read(x)


AS_ARRAY: dict[type, Callable[[Any], Any]] = {}  # types of ours that are no arrays -> as one


tree.EXACT.update(dict.fromkeys((LiftedList, LiftedDict, LiftedOrdered, LiftedDefault), unlifted))
