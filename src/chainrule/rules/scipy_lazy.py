"""SciPy's rules without SciPy's import: they are declared once someone else has imported it."""

import sys

from chainrule.core.primitive import LATE


def load() -> bool:
    """Declare the rules of ``scipy.special`` if it is imported (core asks when a lookup misses)."""
    if "scipy.special" not in sys.modules:
        return False
    import chainrule.rules.scipy_special  # noqa: F401

    return True


LATE.append(load)
