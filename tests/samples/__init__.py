"""Inputs for the test table: samples per primitive, one file a family (``SAMPLES`` in each).

A sample is plain NumPy code of its differentiable operands: ``Sample(f, a, b)``. The table
(``test_primitives.py``) runs it in every mode; a primitive without a sample fails.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any


@dataclass(frozen=True)
class Sample:
    """``f(*operands)`` at a point; ``smooth=False`` skips second order, with the reason in
    ``note``.

    f returns an array (or a tuple of arrays). operands are float64 arrays or scalars. The table
    makes float32 copies of them, and complex128 ones where ``complex=True``.
    """

    f: Callable[..., Any]
    operands: tuple
    smooth: bool = True
    complex: bool = False
    note: str = ""


def sample(f, *operands, **options) -> Sample:
    return Sample(f, operands, **options)


def collect() -> dict[str, list[Sample]]:
    """All samples by primitive name."""
    table: dict[str, list[Sample]] = {}
    for module in iter_modules(__path__):
        for name, samples in import_module(f"{__name__}.{module.name}").SAMPLES.items():
            table.setdefault(name, []).extend(samples)
    return table
