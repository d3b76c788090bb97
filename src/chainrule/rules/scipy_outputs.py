"""Helpers of SciPy's rules: ``several`` declares ufuncs with several results by the slopes of all
results in each operand, ``if_there`` and ``if_private`` ufuncs that not every SciPy has;
``as_array`` reads arguments.
"""

from contextlib import suppress
from importlib import import_module

import numpy as np
from scipy import special

from chainrule.base.errors import NoRuleError
from chainrule.core.array import as_operand
from chainrule.core.primitive import (
    Plan,
    Primitive,
    Unknown,
    elementwise,
    positional_names,
    register,
)


def as_array(x):
    """A traced value or an array as it is, lists and numbers as arrays."""
    if hasattr(x, "ndim"):
        return x
    return as_operand(x) if isinstance(x, (list, tuple)) else np.asarray(x)


def private(name):
    """A private ufunc of SciPy, which scipy.stats kept before SciPy 1.15; None if it has none."""
    fun = getattr(special._ufuncs, name, None)
    if fun is None:
        with suppress(ImportError):
            fun = getattr(import_module("scipy.stats._boost"), name, None)
    return fun


def if_there(name, /, **partials):
    """Declare a ufunc of scipy.special that not every SciPy has: a private or a newer one."""
    fun = getattr(special, name, None) or getattr(special._ufuncs, name, None)
    if fun is not None:
        elementwise(fun, **partials)


def if_private(names, /, **partials):
    """Declare a private ufunc by the names it has in the versions of SciPy that have it."""
    for fun in filter(None, map(private, names.split())):
        elementwise(fun, **partials)


class Several(Primitive):
    """Elementwise with several results; ``slopes[name](*operands and y)`` gives one each."""

    kind = "several"
    multiple = True

    def __init__(self, name, fun, slopes):
        super().__init__(name, fun)
        self.operands = list(slopes)
        self.slopes = list(slopes.values())

    def _make_plan(self, mask, is_complex):
        slots = [i for i in range(len(self.operands)) if mask >> i & 1]
        self._refuse_unknown(slots)
        plan = Plan(self, mask, range(len(self.operands)))
        plan.capture = lambda values, y: (y, *values)

        def pullback(gs, mul, residuals, params):
            y, *values = residuals
            return [
                sum(
                    mul(g, np.conj(s) if s.dtype.kind == "c" else s)
                    for g, s in zip(gs, self._at(i, values, y))
                    if g is not None
                )
                for i in slots
            ]

        plan.pullback = pullback
        return plan

    def jvp(self, tangents, values, y, params):
        slots = [i for i, t in enumerate(tangents) if t is not None]
        self._refuse_unknown(slots)
        columns = [[s * tangents[i] for s in self._at(i, values, y)] for i in slots]
        return tuple(sum(terms[1:], terms[0]) for terms in zip(*columns))

    def _at(self, i, values, y):
        named = dict(zip(self.operands, values), y=y)
        slopes = self.slopes[i]
        return slopes(*[named[n] for n in positional_names(slopes)])

    def _refuse_unknown(self, slots):
        for i in slots:
            if isinstance(self.slopes[i], Unknown):
                raise NoRuleError(
                    f"{self.name} has no derivative with respect to {self.operands[i]!r}",
                    self.slopes[i].remedy,
                )


def several(fun, /, **slopes):
    """Declare a ufunc of several results: ``several(special.fresnel, z=lambda z: (s, c))``.

    The keywords are the operands in order; a lambda names the operands it needs and ``y``, the
    tuple of results, and gives the slope of each result.
    """
    primitive = Several(fun.__name__, fun, slopes)
    register(fun, primitive, primitive.operands)
    return primitive
