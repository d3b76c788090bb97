"""What lifted code stored outside becomes originals and plain values when the trace has ended.

While the trace is live, a handle in a global or a list is the handle (code that is not lifted and
reads it must not lose its derivative); afterwards nobody may find one.
"""

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from types import MemberDescriptorType, MethodType
from typing import Any

from chainrule.core import trace as _trace
from chainrule.core.indexing import Path
from chainrule.core.lift_code import may_lift
from chainrule.core.trace import Tracer, plain

DICTS = frozenset({dict, defaultdict, OrderedDict})
UNVIEW: dict[type, Callable[[Any], Any]] = {}  # metaclass of views -> how to get their originals
_PLAIN = frozenset({int, float, str, bool, complex, bytes, type(None)})


class Settler:
    """Where handles and stand-ins may have been left, and what they become."""

    def __init__(self) -> None:
        self.originals: dict[int, Any] = {}  # id of what we made -> what it stands for
        self.names: list[tuple[dict[str, Any], str]] = []  # globals written
        self.places: dict[int, Any] = {}  # lists, dicts and objects that lifted code reached
        self.values: dict[
            int, Any
        ] = {}  # id of a handle -> its value: names of one array stay that
        self.visited: dict[int, Any] = {}  # alive, so that no other object gets its id
        self.objects: dict[int, Callable[[], Any]] = {}  # viewed; None for one that is gone
        self.pending: list[Any] = []  # visited, what is inside not yet looked at

    def original(self, value: Any) -> Any:
        """What to store outside while the trace is live: originals, but handles as they are."""
        if isinstance(value, Tracer):
            return value
        unview = UNVIEW.get(type(type(value)))
        if unview is not None:
            return unview(value)
        if type(value) is MethodType:
            f, owner = self.original(value.__func__), self.original(value.__self__)
            same = f is value.__func__ and owner is value.__self__
            return value if same else MethodType(f, owner)
        return self.originals.get(id(value), value)

    def stored(self, value: Any, namespace: dict[str, Any], name: str) -> Any:
        """The same, for a global, which is settled at the end."""
        if type(value) not in _PLAIN:
            self.names.append((namespace, name))
        return self.original(value)

    def reached(self, place: Any) -> None:
        """Lifted code holds this list, dict or object and may put something into it."""
        self.places[id(place)] = place

    def end(self) -> None:
        for namespace, name in self.names:
            if name in namespace:
                value = namespace[name]
                settled = self.settled(value)
                if settled is not value:
                    namespace[name] = settled
        for place in list(self.places.values()):
            self.settled(place)
        for viewed in list(self.objects.values()):
            self.settled(viewed())
        while self.pending:  # no recursion: linked lists may be long
            self.inside(self.pending.pop())
        for table in (self.originals, self.names, self.places, self.values, self.visited):
            table.clear()
        self.objects.clear()

    def namespace(self, names: dict[str, Any]) -> None:
        """A function's attributes, an object's ``__dict__``."""
        if _nothing_in(names.values()):
            return
        for name, value in list(names.items()):
            settled = self.settled(value)
            if settled is not value:
                names[name] = settled

    def settled(self, value: Any) -> Any:
        """``value`` as it may stay outside; lists, dicts and objects are changed in place,
        later.
        """
        kind = type(value)
        if kind in _PLAIN:
            return value
        if isinstance(value, Tracer):
            return self.number(value)
        original = self.original(value)
        if original is not value:
            return original
        if kind is tuple or (isinstance(value, tuple) and hasattr(kind, "_make")):
            if _nothing_in(value):
                return value
            parts = tuple(map(self.settled, value))
            if all(a is b for a, b in zip(parts, value)):
                return value
            return parts if kind is tuple else kind._make(parts)
        if id(value) not in self.visited:
            self.visited[id(value)] = value
            self.pending.append(value)
        return value

    def inside(self, value: Any) -> None:
        """Settle what a list, dict, set or object holds."""
        kind = type(value)
        if kind is list or kind is deque:
            if not _nothing_in(value):
                for i, part in enumerate(value):
                    settled = self.settled(part)
                    if settled is not part:
                        value[i] = settled
        elif kind in DICTS:
            self.keys(value)
            self.namespace(value)
        elif kind is set:
            if not _nothing_in(value):
                settled_parts = [self.settled(part) for part in value]
                if any(a is not b for a, b in zip(settled_parts, value)):
                    value.clear()
                    value.update(settled_parts)
        elif id(value) in self.places or may_lift(kind.__module__):
            names = getattr(value, "__dict__", None)
            if type(names) is dict:
                self.namespace(names)
            if hasattr(kind, "__slots__"):
                self.slots(value)

    def keys(self, x: dict[Any, Any]) -> None:
        """Objects as keys are the originals again, in the same order."""
        if not _nothing_in(x):
            items = [(self.original(k), v) for k, v in x.items()]
            if any(a is not b for (a, _), b in zip(items, x)):
                x.clear()
                x.update(items)

    def slots(self, value: Any) -> None:
        for cls in type(value).__mro__:
            for member in vars(cls).values():
                if type(member) is MemberDescriptorType and may_lift(cls.__module__):
                    part = getattr(value, member.__name__, None)
                    settled = self.settled(part)
                    if settled is not part:
                        member.__set__(value, settled)

    def number(self, x: Any) -> Any:
        """The plain value of a handle; the caller's own memory if it stands for that."""
        known = self.values.get(id(x))
        if known is not None:
            return known[1]
        value: Any
        if isinstance(x, _trace.Array):
            root, steps = x._steps()
            if steps:
                value = Path(steps).apply(self.number(root))
            else:
                value = root._memory if type(root) is _trace.Foreign else plain(root).copy()
        else:
            value = plain(x)
        self.values[id(x)] = (x, value)
        return value


def _nothing_in(values: Iterable[Any]) -> bool:
    return _PLAIN.issuperset(map(type, values))
