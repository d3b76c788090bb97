"""Program: inputs, equations, outputs in SSA form. The eager tape is one of these.

Kept as parallel lists, an entry per equation or per variable, and few containers: the cyclic
collector walks whatever can hold a reference, and a tape has a million equations.
Variables are numbers; an equation's result is the next one (or several, if the primitive has
several).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any

import numpy as np

from chainrule.base.errors import ProgramError
from chainrule.base.where import Line, line_of
from chainrule.core.primitive import Plan, Primitive


@dataclass(frozen=True, slots=True)
class Equation:
    """One line of a program, put together for reading: results = primitive(operands, **params).

    An operand is ``("var", number)`` or ``("const", value)``.
    """

    index: int
    primitive: Primitive
    operands: list[tuple[str, Any]]
    params: dict[str, Any]
    results: list[int]
    line: Line


class Program:
    """Inputs, equations and outputs; every variable is assigned once, before it is used.

    ``full`` programs also keep the constant operands, so that they can be printed and evaluated;
    the tape of ``grad`` keeps only the residuals its rules name.
    """

    __slots__ = (
        "codes",
        "constants",
        "dtypes",
        "full",
        "inputs",
        "instructions",
        "names",
        "operands",
        "outputs",
        "params",
        "plans",
        "residuals",
        "results",
        "shapes",
        "structure",
        "values",
    )

    def __init__(self, full: bool = False):
        self.full = full
        # one entry an equation
        self.plans: list[Plan] = []
        self.operands: list[tuple[int, ...]] = []  # the traced ones, in the order of plan.slots
        self.params: list[dict[str, Any]] = []
        self.residuals: list[tuple] = []
        self.results: list[Any] = []  # a variable, or a tuple of them
        self.codes: list[CodeType] = []  # with instructions: the user's line
        self.instructions: list[int] = []
        self.constants: list[list[Any]] = []  # full programs: the operands that are not traced
        # one entry a variable
        self.shapes: list[tuple[int, ...]] = []
        self.dtypes: list[np.dtype] = []
        self.values: list[Any] = []  # full programs: the value seen
        self.names: dict[int, str] = {}
        self.inputs: list[int] = []
        self.outputs: list[Any] = []  # variables, or ("const", value)
        self.structure: Any = None  # how the outputs make up the function's result

    def __len__(self) -> int:
        return len(self.plans)

    def new_variable(self, value: Any) -> int:
        self.shapes.append(value.shape)
        self.dtypes.append(value.dtype)
        if self.full:
            self.values.append(value)
        return len(self.shapes) - 1

    def line(self, i: int) -> Line:
        """The user's line of equation ``i``."""
        return line_of(self.codes[i], self.instructions[i])

    def equation(self, i: int) -> Equation:
        plan = self.plans[i]
        result = self.results[i]
        operands: list[tuple[str, Any]]
        if self.full:
            operands = [("const", c) for c in self.constants[i]]
        else:
            operands = [("const", None)] * (max(plan.slots, default=-1) + 1)
        for slot, var in zip(plan.slots, self.operands[i]):
            operands[slot] = ("var", var)
        results = [result] if type(result) is int else list(result)
        return Equation(i, plan.primitive, operands, self.params[i], results, self.line(i))

    def equations(self) -> Iterator[Equation]:
        return (self.equation(i) for i in range(len(self)))

    def same(self, a: int, b: int) -> bool:
        """Whether two variables are the same one, or the same element read twice."""
        if a == b:
            return True
        if a in self.inputs or b in self.inputs:
            return False
        i, j = self.results.index(a), self.results.index(b)
        return (
            self.plans[i] is self.plans[j]
            and self.plans[i].write == "read"
            and self.operands[i] == self.operands[j]
            and repr(self.params[i]) == repr(self.params[j])
        )

    def verify(self) -> "Program":
        """Check single assignment, order, operand counts and shapes; returns the program itself.

        Raises ProgramError with the equation that breaks a rule.
        """
        n = len(self.shapes)
        defined = bytearray(n)
        for v in self.inputs:
            _require(0 <= v < n and not defined[v], f"input {v} is assigned twice or out of range")
            defined[v] = 1
        for i, plan in enumerate(self.plans):
            name = plan.primitive.name
            _require(
                len(plan.slots) == len(self.operands[i]),
                f"{name} has a wrong number of operands",
                i,
            )
            for v in self.operands[i]:
                _require(
                    0 <= v < n and bool(defined[v]),
                    f"{name} uses variable {v} before it is assigned",
                    i,
                )
            result = self.results[i]
            for v in (result,) if type(result) is int else result:
                _require(0 <= v < n and not defined[v], f"{name} assigns variable {v} again", i)
                defined[v] = 1
                _require(
                    self.dtypes[v].kind in "fc", f"{name} has a result of dtype {self.dtypes[v]}", i
                )
        _require(all(defined), "a variable is never assigned")
        for out in self.outputs:
            if type(out) is int:
                _require(0 <= out < n, f"output {out} is not a variable")
        lengths = {
            len(x) for x in (self.operands, self.params, self.residuals, self.results, self.codes)
        }
        _require(lengths == {len(self.plans)}, "lists of different lengths")
        return self

    def evaluate(self, *inputs: Any) -> list[Any]:
        """The outputs for other inputs, equation by equation; full programs only.

        The path taken through ``if`` and ``while`` is the one of the traced point.
        """
        if not self.full:
            raise ProgramError(
                "this tape keeps no constants", "Make the program with chainrule.trace."
            )
        if len(inputs) != len(self.inputs):
            raise ProgramError(f"the program has {len(self.inputs)} inputs, not {len(inputs)}")
        value: dict[int, Any] = {v: np.asarray(x)[()] for v, x in zip(self.inputs, inputs)}
        for eq in self.equations():
            operands = [value[x] if kind == "var" else x for kind, x in eq.operands]
            y = eq.primitive.fun(*operands, **eq.params)
            for v, part in zip(
                eq.results, y if len(eq.results) > 1 or eq.primitive.multiple else (y,)
            ):
                value[v] = part
        return [value[o] if type(o) is int else o[1] for o in self.outputs]

    def name(self, var: int) -> str:
        return self.names.get(var) or f"v{var}"

    def __str__(self) -> str:
        from chainrule.core.printing import format_program

        return format_program(self)

    def __repr__(self) -> str:
        counts = f"{len(self.inputs)} inputs, {len(self)} equations, {len(self.outputs)} outputs"
        return f"<Program: {counts}>"


def _require(condition: bool, what: str, equation: int | None = None) -> None:
    if not condition:
        where = "" if equation is None else f"equation {equation}: "
        raise ProgramError(where + what, at=None)


def depends_on(program: Program, variables: Sequence[int]) -> set[int]:
    """The variables that depend on the given ones."""
    reached = set(variables)
    for operands, result in zip(program.operands, program.results):
        if not reached.isdisjoint(operands):
            reached.update((result,) if type(result) is int else result)
    return reached
