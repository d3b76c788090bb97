"""Lines of NumPy and SciPy code over random operands and keyword arguments, one file a family.

Each file has ``LINES``: description of the operands (``tests/random_operands.py``) -> lines, where
``<a|b|>`` is one of its alternatives and AXIS, AXES stand for axes, seldom wrong ones. Beside the
operands a line may use m (a mask of the shape of x), i (integers of that shape), s (the shape),
np and the modules of SciPy by name. ``EXACT``: values are NumPy's to the last bit. A backslash
joins a line with the next.
``tests/test_random_lines.py`` runs them, and fails for a function that is in none.
"""

from importlib import import_module
from pkgutil import iter_modules


def collect():
    """(family, line, description of its operands, exact)."""
    for module in iter_modules(__path__):
        family = import_module(f"{__name__}.{module.name}")
        for attribute, exact in (("LINES", False), ("EXACT", True)):
            for description, lines in getattr(family, attribute, {}).items():
                for line in lines.strip().splitlines():
                    yield module.name, line, description, exact
