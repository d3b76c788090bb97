"""Rules that keep noted values noted: SciPy and ``np.asarray`` do not ask NumPy's protocols.

A rule's own code object runs with globals in which those names are ours, as lifting does for the
user's functions. Nothing is patched; the clones live as long as the log.
"""

import builtins
import contextlib
import copy
from collections.abc import Callable
from types import CellType, FunctionType, ModuleType
from typing import Any

import numpy as np

from chainrule.core.primitive import Primitive
from chainrule.explainer.calls import public_name
from chainrule.explainer.log import Log
from chainrule.explainer.noted import Noted

_CLONED = ("chainrule.rules.", "chainrule.core.indexing")
_RULES = ("fun", "jvp_rule", "partials_of", "transpose", "turn", "vjp_rule")
_TABLES = ("partials", "transposes")


class Follower:
    """Clones of rules for one log."""

    def __init__(self, log: Log):
        self.log = log
        self.primitives: dict[Primitive, Primitive] = {}
        self.functions: dict[Any, Any] = {}
        self.globals: dict[int, _Globals] = {}
        self.numpy = _Numpy(self)

    def primitive(self, original: Primitive) -> Primitive:
        """The primitive with its rules as clones."""
        clone = self.primitives.get(original)
        if clone is None:
            clone = copy.copy(original)
            clone.plans = {}
            for name in _RULES:
                rule = getattr(original, name, None)
                if type(rule) is FunctionType:
                    setattr(clone, name, self.map(rule))
            for name in _TABLES:
                if hasattr(original, name):
                    setattr(clone, name, [self.map(r) for r in getattr(original, name)])
            self.primitives[original] = self.primitives[clone] = clone
        return clone

    def map(self, value: Any) -> Any:
        """What stands for a value among the globals or in a cell of a rule."""
        if type(value) is FunctionType:
            module = value.__module__ or ""
            if (value.__globals__.get("__name__") or "").startswith(_CLONED):
                return self.clone(value)
            return self.noted(value) if module.startswith("scipy.") else value
        if type(value) is ModuleType:
            if value is np:
                return self.numpy
            known = value.__name__.startswith(("scipy", *_CLONED))
            return _Module(self, value) if known else value
        if callable(value) and not isinstance(value, (type, np.ufunc, Primitive)):
            if (getattr(value, "__module__", None) or "").startswith("scipy."):
                return self.noted(value)
        return value

    def clone(self, function: FunctionType) -> FunctionType:
        known = self.functions.get(function)
        if known is not None:
            return known
        home = self.globals.get(id(function.__globals__))
        if home is None:
            home = self.globals[id(function.__globals__)] = _Globals(self, function.__globals__)
        cells = function.__closure__
        mine = tuple(CellType() for _ in cells) if cells else None
        new = FunctionType(function.__code__, home, function.__name__, function.__defaults__, mine)
        new.__kwdefaults__ = function.__kwdefaults__
        new.__doc__, new.__module__ = function.__doc__, function.__module__
        self.functions[function] = self.functions[new] = new
        for ours, theirs in zip(mine or (), cells or ()):
            with contextlib.suppress(ValueError):  # an empty cell
                ours.cell_contents = self.map(theirs.cell_contents)
        return new

    def noted(self, function: Any) -> Callable[..., Any]:
        """A function of SciPy that notes its call if it is given noted values."""
        known = self.functions.get(function)
        if known is None:

            def known(*args: Any, **kwargs: Any) -> Any:
                if not has_noted((args, kwargs)):
                    return function(*args, **kwargs)
                return self.log.call("call", public_name(function), function, args, kwargs)

            self.functions[function] = known
        return known


def has_noted(x: Any) -> bool:
    if type(x) in (tuple, list):
        return any(map(has_noted, x))
    return any(map(has_noted, x.values())) if type(x) is dict else type(x) is Noted


class _Globals(dict):
    """The globals of a module of rules, mapped when they are looked up."""

    def __init__(self, follower: Follower, original: dict[str, Any]):
        super().__init__(__builtins__=vars(builtins) | {"__import__": self._import})
        self.follower, self.original = follower, original

    def _import(self, name, globals=None, locals=None, fromlist=(), level=0):
        """``import`` inside a rule."""
        module = __import__(name, self.original, locals, fromlist, level)
        return self.follower.map(module)

    def __missing__(self, name: str) -> Any:
        value = self.follower.map(self.original[name])
        self[name] = value
        return value


class _Module:
    """A module whose functions are mapped."""

    def __init__(self, follower: Follower, original: ModuleType):
        self._follower, self._original = follower, original

    def __getattr__(self, name: str) -> Any:
        value = self._follower.map(getattr(self._original, name))
        self.__dict__[name] = value
        return value


class _Numpy:
    """NumPy, with conversions that let noted values be."""

    def __init__(self, follower: Follower):
        self._follower = follower
        for name in ("asarray", "asanyarray", "ascontiguousarray", "array"):
            self.__dict__[name] = self._converter(name)
        for name in ("zeros", "empty", "full", "zeros_like", "empty_like"):
            self.__dict__[name] = self._maker(name)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def _maker(self, name: str) -> Callable[..., Any]:
        real = getattr(np, name)

        def make(*args: Any, **kwargs: Any) -> Any:
            y = real(*args, **kwargs)
            log = self._follower.log
            if name != "full":
                return log.made(name.partition("_")[0], y)
            return y if has_noted(args) else log.copied(y)

        return make

    def _converter(self, name: str) -> Callable[..., Any]:
        real = getattr(np, name)

        def convert(x: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
            if type(x) is Noted:
                if dtype is not None and np.dtype(dtype) != x.dtype:
                    return x.astype(dtype)
                return x.copy() if name == "array" and x.ndim else x
            if type(x) in (list, tuple) and has_noted(x):
                given = {} if dtype is None else {"dtype": np.dtype(dtype)}
                return self._follower.log.call("call", "np.array", np.array, (x,), given)
            return real(x, dtype, *args, **kwargs)

        return convert
