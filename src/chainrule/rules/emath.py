"""``np.emath``: functions that turn complex where a real operand has elements out of their domain.

At the edge of the domain nothing changes: there the real function's slope is taken.
"""

import numpy as np

from chainrule.core.primitive import composite
from chainrule.core.trace import plain
from chainrule.rules.joins import operand


def _complex_if(x, outside):
    """All of x complex, single or double, if an element is outside the domain."""
    x = operand(x)
    if x.dtype.kind == "c" or not np.any(outside(plain(x))):
        return x
    return x.astype(np.complex64 if np.can_cast(x.dtype, np.float32) else np.complex128)


def _negative(x):
    return x < 0


def _beyond_one(x):
    return np.abs(x) > 1


def _extended(name, outside):
    function = getattr(np, name)

    @composite(getattr(np.emath, name))
    def run(x):
        """As the function of np, of complex x where an element is outside the real domain."""
        return function(_complex_if(x, outside))


for _name in ("sqrt", "log", "log2", "log10"):
    _extended(_name, _negative)
for _name in ("arccos", "arcsin", "arctanh"):
    _extended(_name, _beyond_one)


@composite(np.emath.logn)
def logn(n, x):
    """The logarithm of x to the base n."""
    return np.log(_complex_if(x, _negative)) / np.log(_complex_if(n, _negative))


@composite(np.emath.power)
def power(x, p):
    """x^p, complex where an element of x is negative."""
    p = operand(p)
    if p.dtype.kind in "iu" and np.any(plain(p) < 0):
        p = p * 1.0
    return np.power(_complex_if(x, _negative), p)
