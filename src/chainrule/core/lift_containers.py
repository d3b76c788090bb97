"""Lists and dicts that lifted code reaches by name, with lifted elements; writes reach both."""

from typing import Any

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


def _mirrored(kind: type, name: str):
    method = getattr(kind, name)

    def call(self, *args, **kwargs):
        result = method(self, *args, **kwargs)
        self.mirror()
        return result

    call.__name__ = name
    return call


for _name in (
    "extend insert pop remove clear sort reverse __setitem__ __delitem__ __iadd__ __imul__"
).split():
    setattr(LiftedList, _name, _mirrored(list, _name))
for _name in "pop popitem clear update setdefault __delitem__ __ior__".split():
    setattr(LiftedDict, _name, _mirrored(dict, _name))


def unlifted(x: Any) -> Any:
    """Lists as NumPy and our own code know them: of the exact type."""
    if isinstance(x, (list, tuple)):
        kind = list if type(x) is LiftedList else type(x)
        if kind is list or kind is tuple:
            return kind(map(unlifted, x))
    return x
