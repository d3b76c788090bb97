"""The program of a function, step by step: each equation alone, and the rest after any variable.

Forward runs use the NumPy functions themselves; only ``Step.pullback`` asks a derivative rule.
"""

from collections.abc import Callable, Mapping, Sequence
from types import CodeType
from typing import Any

import numpy as np

from chainrule.base.where import Line
from chainrule.core.indexing import assign
from chainrule.core.program import Equation, Program
from chainrule.explainer.names import name_variables
from chainrule.transforms.reverse import pull
from chainrule.transforms.tracing import record


class Steps:
    """The equations of ``f`` at a point, with all values; ``names`` are the user's where known."""

    def __init__(self, f: Callable, args: tuple, wrt: tuple):
        self.program: Program = record(f, args, {}, wrt)[0]
        name_variables(self.program)
        self.equations: list[Equation] = list(self.program.equations())
        self.values: dict[int, Any] = {}
        for var in self.program.inputs:
            self.values[var] = self.program.values[var]
        self._run(self.values, range(len(self.equations)))
        self._makers = {v: e.index for e in self.equations for v in e.results}
        self._uses: dict[int, list[int]] = {}
        for i, operands in enumerate(self.program.operands):
            for v in dict.fromkeys(operands):
                self._uses.setdefault(v, []).append(i)
        self._texts: dict[tuple[CodeType, int], str] = {}

    @property
    def output(self) -> int:
        """The variable of the only output; -1 if it is a constant or not the only one."""
        outputs = self.program.outputs
        return outputs[0] if len(outputs) == 1 and type(outputs[0]) is int else -1

    def name(self, var: int) -> str:
        return self.program.name(var)

    def operands(self, i: int) -> list[int]:
        """The variables that equation ``i`` reads, each once."""
        return list(dict.fromkeys(self.program.operands[i]))

    def uses(self, var: int) -> list[int]:
        """The equations that read ``var``."""
        return self._uses.get(var, [])

    def maker(self, var: int) -> int | None:
        """The equation that computes ``var``; None for an input."""
        return self._makers.get(var)

    def line(self, i: int) -> Line:
        return self.equations[i].line

    def instruction(self, i: int) -> tuple[CodeType, int]:
        """The instruction of the user's code: the same one for every round of a loop."""
        return self.program.codes[i], self.program.instructions[i]

    def text(self, i: int) -> str:
        """``tanh in model.py:12 h = np.tanh(z)``."""
        key = self.instruction(i)
        if key not in self._texts:
            self._texts[key] = place(self.line(i))
        return f"{self.equations[i].primitive.name} in {self._texts[key]}"

    def slot(self, i: int, var: int) -> int:
        """Where equation ``i`` reads ``var``: its place among all operands, constants too."""
        return self.program.plans[i].slots[self.program.operands[i].index(var)]

    def matrices(self, i: int) -> list[np.ndarray] | None:
        """The two matrices that equation ``i`` multiplies; None where it does something else."""
        equation = self.equations[i]
        if equation.primitive.name != "matmul" or len(set(self.program.operands[i])) != len(
            self.program.operands[i]
        ):
            return None
        found = [self.values[x] if kind == "var" else x for kind, x in equation.operands]
        return found if all(np.ndim(x) == 2 for x in found) else None

    # --- forward

    def value_at(self, inputs: Sequence[Any]) -> Any:
        """The output for other inputs, along the path that was taken at these."""
        values = dict(zip(self.program.inputs, inputs))
        self._run(values, range(len(self.equations)))
        return values[self.output]

    def rest(self, *given: int) -> Callable[[Any], Any]:
        """The output as a function of the common value of these variables.

        What does not depend on them is fixed.
        """
        reached, after = set(given), []
        for equation, operands in zip(self.equations, self.program.operands):
            if not reached.isdisjoint(operands) and not reached.issuperset(equation.results):
                reached.update(equation.results)
                after.append(equation.index)

        def f(value: Any) -> Any:
            values = {**self.values, **dict.fromkeys(given, value)}
            self._run(values, after)
            return values[self.output]

        return f

    def rest_through_base(self, var: int) -> Callable[[Any], Any] | None:
        """The same for a view, by writing to what it is a view of: other views of it see that.

        None where ``var`` is none. A view of a view reads from the first base, not from the view.
        """
        i = self.maker(var)
        if i is None or self.equations[i].primitive.name != "getitem":
            return None
        base, index = self.operands(i)[0], self.equations[i].params["index"]
        rest = self.rest(base)

        def f(value: Any) -> Any:
            changed = np.array(self.values[base])
            assign(changed, index, value)
            return rest(changed)

        return f

    def alone(self, i: int) -> Callable[[Sequence[Any]], list[Any]]:
        """Equation ``i`` as a function of the values of its operands."""

        def f(xs: Sequence[Any]) -> list[Any]:
            values = dict(zip(self.operands(i), xs))
            self._run(values, [i])
            return [values[v] for v in self.equations[i].results]

        return f

    def _run(self, values: dict[int, Any], indices: Sequence[int] | range) -> None:
        for i in indices:
            equation = self.equations[i]
            operands = [values[x] if kind == "var" else x for kind, x in equation.operands]
            y = equation.primitive.fun(*operands, **equation.params)
            several = len(equation.results) > 1 or equation.primitive.multiple
            for var, part in zip(equation.results, y if several else (y,)):
                values[var] = part

    # --- backward

    def pullback(self, i: int, bars: Mapping[int, Any]) -> list[Any]:
        """Cotangents of ``operands(i)`` from those of its results, by the equation's rule alone."""
        return pull(self._single(i), dict(bars), self.operands(i))

    def _single(self, i: int) -> Program:
        whole, alone = self.program, Program()
        alone.shapes, alone.dtypes = whole.shapes, whole.dtypes
        for name in ("plans", "operands", "params", "residuals", "results"):
            setattr(alone, name, [getattr(whole, name)[i]])
        return alone


def place(line: Line) -> str:
    """``model.py:12 h = np.tanh(z)``."""
    return " ".join(str(line).split())


def random_cotangents(steps: Steps, i: int, rng: np.random.Generator) -> dict[int, Any]:
    """One random cotangent for each result of equation ``i``."""
    bars = {}
    for var in steps.equations[i].results:
        shape, dtype = steps.program.shapes[var], steps.program.dtypes[var]
        g = rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape)
        if dtype.kind == "c":
            g = g + 1j * rng.uniform(0.5, 1.5, shape)
        bars[var] = np.asarray(g, dtype)[()]
    return bars


def inner(a: Sequence[Any], b: Sequence[Any]) -> float:
    """Re sum conj(a) b over all arrays."""
    return float(sum(np.sum(np.real(np.conj(x) * y), dtype=float) for x, y in zip(a, b)))
