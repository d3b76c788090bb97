"""Closure cells and the wrappers of lifted functions: what they write reaches the originals."""

import functools
from collections.abc import Callable
from types import CellType, FunctionType
from typing import Any

import numpy as np

from chainrule.core.lift_code import Facts
from chainrule.core.settle import Settler
from chainrule.core.trace import Tracer


class Cell:
    """A closure cell: shared with the original function, or one of ours that all clones share."""

    __slots__ = ("filled", "known", "original", "seen", "written")

    def __init__(self, original: CellType):
        self.original = original
        self.written = False
        self.filled = False
        self.known: Any = None  # what the cell of ours holds as far as the original cell knows
        try:
            content = original.cell_contents
        except ValueError:  # empty: its owner will fill it
            self.seen = original
            return
        self.seen = original if type(content) in _UNCHANGED else CellType()

    def fill(self, map: Callable[[Any], Any]) -> None:
        if self.seen is not self.original and not self.filled:
            self.filled = True
            self.known = map(self.original.cell_contents)
            self.seen.cell_contents = self.known

    def write_back(self, settler: Settler) -> None:
        """What lifted code stored, into the original cell."""
        content = _content(self.seen)
        if content is self.known:
            return
        self.known = content
        if content is _EMPTY:
            del self.original.cell_contents
        else:
            self.original.cell_contents = settler.original(content)

    def end(self, settler: Settler) -> None:
        if self.seen is not self.original:
            self.write_back(settler)
        content = _content(self.original)
        if content is not _EMPTY:
            settled = settler.settled(content)
            if settled is not content:
                self.original.cell_contents = settled
        if self.seen is not self.original and content is not _EMPTY:
            self.seen.cell_contents = self.original.cell_contents  # of a function that lives on


_EMPTY = object()
_UNCHANGED = frozenset({int, float, str, bool, complex, type(None), np.float64, np.int64})


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return _EMPTY


def writing_back(
    clone: FunctionType, shadow: Any, known: Facts, cells: list[Cell], lifter: Any
) -> Callable[..., Any]:
    """The clone; globals and cells it writes are copied to the originals, also when it raises."""
    names, deleted = known.stored, known.deleted

    def copy_back(before):
        if shadow.lifter is None:
            return
        for name in names:
            value = dict.get(shadow, name, _EMPTY)
            if value is not before[name] and value is not _EMPTY:
                lifter.store_global(shadow.original, name, value)
            elif value is _EMPTY and name in deleted:
                shadow.original.pop(name, None)
        for cell in cells:
            cell.write_back(lifter.settler)

    def run(*args, **kwargs):
        before = {n: dict.get(shadow, n, _EMPTY) for n in names}
        try:
            return clone(*args, **kwargs)
        finally:
            copy_back(before)

    def run_generator(*args, **kwargs):
        before = {n: dict.get(shadow, n, _EMPTY) for n in names}
        try:
            return (yield from clone(*args, **kwargs))
        finally:
            copy_back(before)

    chosen = run_generator if known.generator else run
    chosen.__name__, chosen.__qualname__ = clone.__name__, clone.__qualname__
    chosen.__doc__, chosen.__module__ = clone.__doc__, clone.__module__
    return chosen


class _Key:
    """A traced argument as a key: by identity, because equal values may have other derivatives."""

    __slots__ = ("x",)

    def __init__(self, x: Tracer):
        if type(x).__hash__ is None:
            raise TypeError("unhashable type: 'numpy.ndarray'")
        self.x = x

    def __hash__(self) -> int:
        return id(self.x)

    def __eq__(self, other: object) -> bool:
        return type(other) is _Key and other.x is self.x


def memoised(f: Callable[..., Any], original: Any) -> Callable[..., Any]:
    store: dict[Any, Any] = {}

    def key(x):
        return _Key(x) if isinstance(x, Tracer) else x

    @functools.wraps(f, updated=())
    def call(*args, **kwargs):
        k = (tuple(map(key, args)), tuple((n, key(x)) for n, x in kwargs.items()))
        if k in store:
            return store[k]
        y = store[k] = f(*args, **kwargs)
        return y

    for name in ("cache_clear", "cache_info", "cache_parameters"):
        setattr(call, name, getattr(original, name))
    return call
