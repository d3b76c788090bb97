"""Bridges to what uses gradients: plain functions and arrays. None is imported before its use."""

from importlib import import_module
from types import ModuleType

_MODULES = ("adapters", "jax", "scipy_optimize", "torch")


def __getattr__(name: str) -> ModuleType:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.{name}")
