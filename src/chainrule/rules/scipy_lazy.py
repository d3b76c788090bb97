"""SciPy's rules without SciPy's import: they are declared once someone else has imported it."""

import functools
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from chainrule.core.array import OPERANDS, _any_traced, as_constant
from chainrule.core.lift import LATE_MAKERS, MAKERS, REPLACEMENTS, replace
from chainrule.core.primitive import FUNCTIONS, LATE, PRIMITIVES, UFUNCS
from chainrule.core.trace import followed, plain

REGISTRIES: list = [PRIMITIVES, FUNCTIONS, UFUNCS, REPLACEMENTS, MAKERS, LATE_MAKERS, OPERANDS]


def _loader(library: str, rules: str) -> Callable[[], bool]:
    """Declares the rules of a SciPy module if it is imported (core asks when a lookup misses)."""

    def load() -> bool:
        if library not in sys.modules:
            return False
        _import_whole(rules)
        for function in list(FUNCTIONS):
            module = getattr(function, "__module__", None) or ""
            if module.startswith("scipy.") and not isinstance(function, np.ufunc):
                if function not in REPLACEMENTS:
                    replace(function, _lifted(function))
        return True

    return load


def _import_whole(rules: str) -> None:
    """Import a module of rules, or nothing of it: the next attempt fails with the same error."""
    modules, before = set(sys.modules), [dict(registry) for registry in REGISTRIES]
    try:
        import_module(rules)
    except BaseException:
        for registry, entries in zip(REGISTRIES, before):
            registry.clear()
            registry.update(entries)
        for name in set(sys.modules) - modules:
            package, _, module = name.rpartition(".")
            if package == __package__:
                del sys.modules[name]
                vars(sys.modules[package]).pop(module, None)
        raise


def _lifted(function: Callable[..., Any]) -> Callable[..., Any]:
    """What lifted code sees of a SciPy function that the protocols cannot reach."""
    run = FUNCTIONS[function]

    @functools.wraps(function)
    def call(*args, **kwargs):
        if _any_traced(args) or _any_traced(kwargs.values()):
            return followed(run)(*args, **kwargs)
        return as_constant(function(*plain(args), **plain(kwargs)))

    return call


LATE.append(_loader("statistics", "chainrule.rules.lifting_statistics"))
LATE.append(_loader("scipy.special", "chainrule.rules.scipy_special"))
LATE.append(_loader("scipy.linalg", "chainrule.rules.scipy_linalg"))
LATE.append(_loader("scipy.stats", "chainrule.rules.scipy_stats"))
LATE.append(_loader("scipy.spatial.distance", "chainrule.rules.scipy_spatial"))
LATE.append(_loader("scipy.signal", "chainrule.rules.scipy_signal"))
LATE.append(load_fft := _loader("scipy.fft", "chainrule.rules.scipy_fft"))
LATE_MAKERS["uarray"] = load_fft  # type of the functions of scipy.fft
LATE.append(load_sparse := _loader("scipy.sparse", "chainrule.rules.scipy_sparse_building"))
for _name in "base bsr coo csc csr dia dok lil matrix".split():
    LATE_MAKERS[f"scipy.sparse._{_name}"] = load_sparse
LATE.append(load_linalg := _loader("scipy.sparse.linalg", "chainrule.rules.scipy_sparse_linalg"))
LATE_MAKERS["SuperLU"] = load_linalg
