"""Which arguments of a call are differentiated: what ``wrt=`` means, for every callable.

A *key* is a position in ``args`` (int) or a name in ``kwargs`` (str). The default, a position that
was passed, never looks at the function's signature: it is on the hot path of every gradient.
"""

import difflib
import inspect
from collections.abc import Callable, Mapping, Sequence
from operator import index
from typing import Any, TypeAlias

from chainrule.base.errors import ArgumentError

Wrt: TypeAlias = int | str | Sequence[int | str]

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Selection:
    """The chosen arguments of one call, and how to repeat the call with others in their place."""

    __slots__ = ("_args", "_f", "_kwargs", "keys", "single", "values")

    def __init__(
        self, f: Callable, args: tuple, kwargs: Mapping[str, Any], keys: tuple, single: bool
    ):
        self._f = f
        self._args = args
        self._kwargs = kwargs
        self.keys: tuple[int | str, ...] = keys
        self.single = single  # wrt was one argument, not a tuple: give one gradient, not a tuple
        self.values = [args[key] if type(key) is int else kwargs[key] for key in keys]

    def rebuild(self, values: Sequence) -> tuple[tuple, dict[str, Any]]:
        """``(args, kwargs)`` of the call with ``values`` in place of the chosen arguments."""
        args, kwargs = list(self._args), dict(self._kwargs)
        for key, value in zip(self.keys, values):
            if isinstance(key, int):
                args[key] = value
            else:
                kwargs[key] = value
        return tuple(args), kwargs

    @property
    def names(self) -> list[str]:
        """What the function calls the chosen arguments; ``argument 0`` where nobody knows."""
        parameters = _parameters(self._f)
        return [_name_of(key, parameters) for key in self.keys]


def select(
    f: Callable, args: Sequence, kwargs: Mapping[str, Any] | None = None, wrt: Wrt = 0
) -> Selection:
    """The arguments of the call ``f(*args, **kwargs)`` that ``wrt`` names.

    wrt : a position, a parameter's name, or a tuple of them. Negative positions count from the last
    positional argument passed. A parameter that was not passed but has a default counts as passed.
    Raises ArgumentError, naming the parameters of ``f``.

    >>> chosen = select(lambda x, y: x * y, (2, 3), {}, wrt="y")
    >>> chosen.values, chosen.rebuild([30]), chosen.names
    ([3], ((2, 30), {}), ['y'])
    """
    if type(args) is not tuple:
        args = tuple(args)
    if type(wrt) is int and 0 <= wrt < len(args):
        return Selection(f, args, kwargs or {}, (wrt,), True)
    return _select(f, args, dict(kwargs or {}), wrt)


def _select(f: Callable, args: tuple, kwargs: dict[str, Any], wrt: Wrt) -> Selection:
    single = isinstance(wrt, str) or not isinstance(wrt, (tuple, list))
    wanted = [wrt] if single else list(wrt)  # type: ignore[arg-type]
    if not wanted:
        raise ArgumentError("wrt=() names no argument.", _remedy(f))
    keys = tuple(_key(f, args, kwargs, name) for name in wanted)
    if len(set(keys)) < len(keys):
        raise ArgumentError(f"wrt={wrt!r} names an argument twice.", _remedy(f))
    return Selection(f, args, kwargs, keys, single)


def _key(f: Callable, args: tuple, kwargs: dict[str, Any], name: Any) -> int | str:
    """Where the argument is; one that only has a default is put into ``kwargs``."""
    if isinstance(name, str):
        return name if name in kwargs else _find(f, args, kwargs, name)
    try:
        if isinstance(name, bool):
            raise TypeError
        position = index(name)
    except TypeError:
        what = f"wrt={name!r} is neither a position nor the name of an argument."
        raise ArgumentError(what, _remedy(f)) from None
    if -len(args) <= position < len(args):
        return position % len(args)
    parameters = _parameters(f) or []
    if 0 <= position < len(parameters) and parameters[position].kind in _POSITIONAL:
        name = parameters[position].name
        return name if name in kwargs else _find(f, args, kwargs, name)
    given = "1 positional argument was" if len(args) == 1 else f"{len(args)} positional were"
    raise ArgumentError(f"wrt={position} is out of range: {given} passed.", _remedy(f))


def _find(f: Callable, args: tuple, kwargs: dict[str, Any], name: str) -> int | str:
    parameters = _parameters(f)
    if parameters is None:
        what = f"wrt={name!r}: the parameters of {_title(f)} have no names Python can see."
        raise ArgumentError(what, "Use a position, wrt=0.")
    for position, parameter in enumerate(parameters):
        if parameter.name != name:
            continue
        if parameter.kind in _POSITIONAL and position < len(args):
            return position
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            what = f"wrt={name!r} stands for any number of arguments of {_title(f)}."
            raise ArgumentError(what, "Name one of them: a position, or its keyword.")
        if parameter.default is parameter.empty or parameter.kind is parameter.POSITIONAL_ONLY:
            what = f"wrt={name!r}: this argument of {_title(f)} was not passed."
            raise ArgumentError(what, "Pass it in the call.")
        kwargs[name] = parameter.default
        return name
    names = [parameter.name for parameter in parameters]
    close = difflib.get_close_matches(name, [*names, *kwargs], 1)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    raise ArgumentError(f"wrt={name!r} names no argument of {_title(f)}.", hint + _remedy(f))


# --- what a callable says about itself


def _parameters(f: Callable) -> list[inspect.Parameter] | None:
    """The parameters of a call; None where Python cannot know (some functions written in C)."""
    try:
        return list(inspect.signature(f).parameters.values())
    except (ValueError, TypeError):
        return None


def _name_of(key: int | str, parameters: list[inspect.Parameter] | None) -> str:
    if isinstance(key, str):
        return key
    for position, parameter in enumerate(parameters or ()):
        if parameter.kind is parameter.VAR_POSITIONAL:
            return f"{parameter.name}[{key - position}]"
        if position == key:
            return parameter.name
    return f"argument {key}"


def _title(f: Callable) -> str:
    """``loss(params, x, y)``, as short as it can be and still be recognised."""
    name = getattr(f, "__name__", None)
    if name is None:  # functools.partial, an instance with __call__
        name = getattr(getattr(f, "func", None), "__name__", type(f).__name__)
    parameters = _parameters(f)
    if parameters is None:
        return f"{name}(...)"
    return f"{name}({', '.join(_starred(parameter) for parameter in parameters)})"


def _starred(parameter: inspect.Parameter) -> str:
    if parameter.kind is parameter.VAR_POSITIONAL:
        return "*" + parameter.name
    return "**" + parameter.name if parameter.kind is parameter.VAR_KEYWORD else parameter.name


def _remedy(f: Callable) -> str:
    return f"Choose from {_title(f)}, by position or by name."
