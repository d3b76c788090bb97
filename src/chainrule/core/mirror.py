"""Drop-in namespaces: a module's names, with what chainrule puts in their place in lifted code.

For people who like to be explicit: ``import chainrule.numpy as np`` needs no lifting. With nothing
traced the functions behave as the originals.
"""

import functools
import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

from chainrule.core.lift import REPLACEMENTS
from chainrule.core.primitive import FUNCTIONS, load_late


def mirror(original: str, ours: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """``__getattr__`` and ``__dir__`` of the module ``ours``, which shows ``original``."""

    def find(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {ours!r} has no attribute {name!r}")
        source = import_module(original)
        value = getattr(source, name)
        found = _mirrored(value, f"{original}.{name}", f"{ours}.{name}")
        setattr(sys.modules[ours], name, found)
        return found

    return find, lambda: sorted(n for n in dir(import_module(original)) if n[0] != "_")


def _mirrored(value: Any, original: str, ours: str) -> Any:
    if isinstance(value, ModuleType):
        return _module(value, ours) if value.__name__ == original else value
    try:
        replacement = REPLACEMENTS.get(value)
    except TypeError:  # unhashable: a constant
        return value
    if replacement is None and original.startswith("scipy.") and callable(value):
        load_late()
        replacement = REPLACEMENTS.get(value) or FUNCTIONS.get(value)
    if replacement is None or isinstance(value, type):
        return value
    return _documented(replacement, value, original)


def _documented(replacement: Any, value: Any, original: str) -> Any:
    """The replacement with a docstring that says whose function it is."""

    @functools.wraps(value)
    def call(*args, **kwargs):
        return replacement(*args, **kwargs)

    call.__doc__ = (
        f"``{original}``, which chainrule lets take traced values.\n\n{value.__doc__ or ''}"
    )
    return call


def _module(value: ModuleType, ours: str) -> ModuleType:
    module: Any = sys.modules.get(ours)
    if module is None:
        module = ModuleType(ours, f"``{value.__name__}`` for traced values.")
        module.__getattr__, module.__dir__ = mirror(value.__name__, ours)
        sys.modules[ours] = module
    return module
