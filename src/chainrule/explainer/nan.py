"""``explain_nan``: where a NaN or inf was born, forward or backward, and whether it matters."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.base.errors import NotScalarError
from chainrule.base.where import Line
from chainrule.core.program import Program
from chainrule.core.trace import plain
from chainrule.explainer.names import name_variables
from chainrule.explainer.operations import backward_steps, forward_steps, name_of
from chainrule.transforms.tracing import record


@dataclass(frozen=True)
class Origin:
    """The first place a number is not finite: ``name = text`` at ``index``, on the user's line."""

    name: str
    text: str
    index: tuple[int, ...]
    value: Any
    operands: tuple[tuple[str, Any], ...]  # what went in at that element, where that is known
    line: Line | None

    def __str__(self) -> str:
        place = f"[{', '.join(map(str, self.index))}]" if self.index else ""
        text = f"{self.name}{place} is {self.value}:   {self.name} = {self.text}"
        if self.operands:
            text += "   with " + ", ".join(f"{n}{place} = {v}" for n, v in self.operands)
        return text if self.line is None else f"{text}\n      at {self.line}"


@dataclass(frozen=True)
class NanReport:
    """Where NaN and inf come from. ``print`` it; ``forward`` and ``backward`` are the origins."""

    title: str
    value_is_finite: bool
    gradient_is_finite: bool
    forward: Origin | None
    backward: Origin | None
    masked: bool  # a NaN of the plain chain rule that belongs to an element not used

    def __bool__(self) -> bool:
        return not (self.value_is_finite and self.gradient_is_finite)

    def __str__(self) -> str:
        finite = {True: "finite", False: "not finite"}
        lines = [
            f"{self.title}: the value is {finite[self.value_is_finite]}, "
            f"the gradient is {finite[self.gradient_is_finite]}"
        ]
        if self.forward is not None:
            lines.append(f"  forward:  {self.forward}")
            if self.value_is_finite:
                lines.append("      It does not reach the value (np.where or an index drops it).")
        if self.backward is not None:
            lines.append(f"  backward: {self.backward}")
        if self.masked:
            lines.append(
                "      It is 0 times an infinite slope, of an element that does not reach the "
                "value\n"
                "      (the branch not taken of np.where, an unused element): chainrule takes "
                "it as 0."
            )
        elif self.backward is not None and self.forward is None:
            lines.append(
                "      The slope itself is infinite there: move the point, or guard the input."
            )
        return "\n".join(lines)


def explain_nan(f: Callable, *args: Any, wrt: Any = None, **kwargs: Any) -> NanReport:
    """The first statement and element that makes a NaN or inf, in the value and in the gradient of
    f.

    Forward, the first operation with a result that is not finite although what went in was.
    Backward, the first cotangent of the plain chain rule that is not finite, and whether it is only
    0 times inf, which chainrule takes as 0. Raises NotScalarError if f is not scalar.

    >>> def f(x):
    ...     return np.sum(np.where(x > 0, np.sqrt(x), 0.0))
    >>> print(explain_nan(f, np.array([4.0, 0.0])))  # doctest: +ELLIPSIS
    f: the value is finite, the gradient is finite
      backward: x_bar[1] is nan:   x_bar = ...
          It is 0 times an infinite slope, of an element that does not reach the value
          ...
    """
    with np.errstate(all="ignore"):
        program, value = record(f, args, kwargs, wrt)
        if np.shape(value) != () or len(program.outputs) != 1:
            shape = np.shape(value)
            raise NotScalarError(
                f"explain_nan looks at a gradient, and {name_of(f)} returned shape {shape}",
                "Ask about a scalar function of it, e.g. lambda *a: np.sum(f(*a)).",
            )
        name_variables(program)
        forward = _first_forward(program)
        output = program.outputs[0]
        backward, gradient_is_finite = None, True
        if type(output) is int:
            backward = _first_backward(backward_steps(program, output, masked=False))
            inputs = {program.names[v] + "_bar" for v in program.inputs}
            gradient_is_finite = all(
                np.isfinite(step.value).all()
                for step in backward_steps(program, output)
                if step.name in inputs
            )
    return NanReport(
        name_of(f),
        bool(np.isfinite(value)),
        gradient_is_finite,
        forward,
        backward,
        backward is not None and gradient_is_finite,
    )


def _first_forward(program: Program) -> Origin | None:
    for i, steps in enumerate(forward_steps(program)):
        operands = [np.asarray(plain(x)) for x in program.constants[i]]
        for step in steps:
            y = np.asarray(plain(step.value))
            bad = ~np.isfinite(y)
            if bad.any() and all(_finite(x) for x in operands):
                index = tuple(int(k) for k in np.argwhere(bad)[0])
                into = tuple(
                    (program.names[var], operands[slot][index])
                    for slot, var in zip(program.plans[i].slots, program.operands[i])
                    if operands[slot].shape == y.shape
                )
                return Origin(step.name, step.text, index, y[index], into, step.line)
    for v in program.inputs:
        x = np.asarray(plain(program.values[v]))
        if not _finite(x):
            index = tuple(int(k) for k in np.argwhere(~np.isfinite(x))[0])
            return Origin(program.names[v], "an argument", index, x[index], (), None)
    return None


def _finite(x: np.ndarray) -> bool:
    return x.dtype.kind not in "fc" or bool(np.isfinite(x).all())


def _first_backward(steps: Any) -> Origin | None:
    for step in steps:
        value = np.asarray(step.value)
        if not np.isfinite(value).all():
            index = tuple(int(k) for k in np.argwhere(~np.isfinite(value))[0])
            return Origin(step.name, step.text, index, value[index], (), step.line)
    return None
