"""Transposition: the missing rule of a ``general`` primitive from the one that was stated.

A vjp is linear in the cotangent, so its transpose is the jvp, and the other way round::

    g -> rule(g)  recorded as a program,  swept backwards with dx as seed  =  J dx
"""

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.core.primitive import General, _force
from chainrule.core.project import project
from chainrule.core.trace import Recording, Tracer, plain
from chainrule.transforms.reverse import sweep


def transpose(linear: Any, like: Sequence[Any], seeds: Sequence[Any]) -> list[Any]:
    """The transpose of ``linear(*xs) -> ys`` applied to ``seeds`` (one per y, None is zero)."""
    with Recording() as trace, np.errstate(all="ignore"):
        handles = [trace.input(np.ones_like(plain(x))[()]) for x in like]
        ys = linear(*handles)
        start: dict[int, Any] = {}
        for y, seed in zip(ys, seeds):
            if seed is None or not isinstance(y, Tracer) or y._trace is not trace or y._var < 0:
                continue
            seed = project(seed, y.shape, y.dtype)
            start[y._var] = start[y._var] + seed if y._var in start else seed
    return sweep(trace.program, start, trace.program.inputs, operator.mul)


def derive_jvp(
    self: General, tangents: Sequence[Any], values: Sequence[Any], y: Any, params: dict
) -> Any:
    rule = self.vjp_rule
    assert rule is not None
    ys = y if self.multiple else (y,)
    wanted = [i for i, t in enumerate(tangents) if t is not None]

    def pulled(*gs):
        bars = rule(gs if self.multiple else gs[0], y, *values, **params)
        bars = bars if isinstance(bars, tuple) else (bars,)
        chosen = [_force(bars[i]) for i in wanted]
        return [
            None if b is None else project(b, values[i].shape, values[i].dtype)
            for b, i in zip(chosen, wanted)
        ]

    dys = transpose(pulled, ys, [tangents[i] for i in wanted])
    return tuple(dys) if self.multiple else dys[0]


def derive_vjp(self: General):
    """A vjp rule made of the jvp rule."""

    def rule(g, y, *values, **params):
        jvp_rule = self.jvp_rule
        assert jvp_rule is not None
        n = len(values)

        def pushed(*dx):
            dy = jvp_rule(dx, y, *values, **params)
            return dy if self.multiple else (dy,)

        return tuple(transpose(pushed, values, g if self.multiple else (g,))[:n])

    return rule


General.derive_jvp = derive_jvp
General.derive_vjp = property(derive_vjp)  # type: ignore[assignment]
