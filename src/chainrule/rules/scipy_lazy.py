"""SciPy's rules without SciPy's import: they are declared once someone else has imported it."""

import functools
import sys
from collections.abc import Callable
from importlib import import_module
from types import FunctionType
from typing import Any

from chainrule.core.array import _any_traced, as_constant
from chainrule.core.lift import REPLACEMENTS, replace
from chainrule.core.primitive import FUNCTIONS, LATE
from chainrule.core.trace import plain


def _loader(library: str, rules: str) -> Callable[[], bool]:
    """Declares the rules of a SciPy module if it is imported (core asks when a lookup misses)."""

    def load() -> bool:
        if library not in sys.modules:
            return False
        import_module(rules)
        for function in list(FUNCTIONS):
            if isinstance(function, FunctionType) and function not in REPLACEMENTS:
                if function.__module__.startswith("scipy."):
                    replace(function, _lifted(function))
        return True

    return load


def _lifted(function: Callable[..., Any]) -> Callable[..., Any]:
    """What lifted code sees of a SciPy function that the protocols cannot reach."""
    run = FUNCTIONS[function]

    @functools.wraps(function)
    def call(*args, **kwargs):
        if _any_traced(args) or _any_traced(kwargs.values()):
            return run(*args, **kwargs)
        return as_constant(function(*plain(args), **plain(kwargs)))

    return call


LATE.append(_loader("scipy.special", "chainrule.rules.scipy_special"))
LATE.append(_loader("scipy.linalg", "chainrule.rules.scipy_linalg"))
