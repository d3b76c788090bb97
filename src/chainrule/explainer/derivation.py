"""``explain``: the derivation of a gradient, written down as a person would do it by hand.

Forward, one line an operation. Backward, one line a variable: its cotangent ``h_bar`` is the
derivative of the result by ``h``, the sum of what comes from each use of h.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.base.errors import NotScalarError
from chainrule.base.where import Line
from chainrule.core.primitive import Plan, masked_product
from chainrule.core.printing import ATOM, constant_text, expression, type_text
from chainrule.core.program import Program
from chainrule.core.project import project
from chainrule.core.trace import Recording, Tracer, plain
from chainrule.explainer.names import name_variables, operand_texts
from chainrule.transforms.tracing import record


@dataclass(frozen=True)
class Step:
    """One line: ``name = text``, its shape, and where it comes from.

    Backward steps have one term per use of the variable; ``text`` is their sum.
    """

    name: str
    text: str
    shape: tuple[int, ...]
    dtype: np.dtype
    line: Line | None
    value: Any
    terms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Derivation:
    """The steps of a derivation. ``print`` it; ``forward`` and ``backward`` are the steps."""

    title: str
    program: Program
    inputs: tuple[Step, ...]
    forward: tuple[Step, ...]
    backward: tuple[Step, ...]
    result: str

    def __str__(self) -> str:
        return format_derivation(self)

    def __repr__(self) -> str:
        steps = f"{len(self.forward)} forward steps, {len(self.backward)} backward"
        return f"<Derivation of {self.title}: {steps}>"


def explain(
    f: Callable, *args: Any, wrt: Any = None, lift: bool = True, **kwargs: Any
) -> Derivation:
    """The derivation of the gradient of scalar ``f`` at ``args``, to print.

    wrt : the differentiated arguments; default all that hold floats.
    Raises NotScalarError if f is not scalar.

    >>> def f(x):
    ...     y = np.sin(x)
    ...     return np.sum(x * y)
    >>> print(explain(f, np.ones(3)))  # doctest: +ELLIPSIS
    f(x) = 2.52441...
    ...
    """
    program, value = record(f, args, kwargs, wrt, lift)
    if np.shape(value) != () or len(program.outputs) != 1:
        raise NotScalarError(
            f"explain writes down a gradient, and {_name(f)} returned shape {np.shape(value)}",
            "Explain a scalar function of it, e.g. lambda *a: np.sum(f(*a)).",
        )
    name_variables(program)
    name = program.names.__getitem__
    constants = [_constant_names(program, i) for i in range(len(program))]
    inputs = tuple(_step(program, v, "", None) for v in program.inputs)
    forward = tuple(
        _step(program, v, _right_side(program, i, constants[i]), program.line(i))
        for i in range(len(program))
        for v in _results(program, i)
    )
    output = program.outputs[0]
    result = name(output) if type(output) is int else constant_text(output[1])[0]
    backward = tuple(_backward(program, output, constants)) if type(output) is int else ()
    arguments = ", ".join(dict.fromkeys(name(v) for v in program.inputs))
    title = f"{_name(f)}({arguments}) = {_number(value)}"
    return Derivation(title, program, inputs, forward, backward, result)


def _name(f: Any) -> str:
    return getattr(f, "__name__", type(f).__name__)


def _number(value: Any) -> str:
    return f"{plain(value):.10g}" if np.isrealobj(value) else f"{value}"


def _results(program: Program, i: int) -> tuple[int, ...]:
    result = program.results[i]
    return (result,) if type(result) is int else result


def _step(program: Program, v: int, text: str, line: Line | None) -> Step:
    return Step(
        program.names[v], text, program.shapes[v], program.dtypes[v], line, program.values[v]
    )


def _constant_names(program: Program, i: int) -> dict[int, str]:
    """What the user calls the arrays among the constant operands of an equation."""
    plan, values = program.plans[i], program.constants[i]
    wanted = [k for k in range(len(values)) if k not in plan.slots and np.ndim(plain(values[k]))]
    if not wanted:
        return {}
    texts = operand_texts(program.codes[i], program.instructions[i], len(values))
    return {k: text for k in wanted if (text := texts[k]) is not None}


def _operand_texts(program: Program, i: int, constants: dict[int, str]) -> list[tuple[str, int]]:
    plan = program.plans[i]
    texts = [
        (constants[k], ATOM) if k in constants else constant_text(c)
        for k, c in enumerate(program.constants[i])
    ]
    for slot, var in zip(plan.slots, program.operands[i]):
        texts[slot] = (program.names[var], ATOM)
    return texts


def _right_side(program: Program, i: int, constants: dict[int, str]) -> str:
    plan = program.plans[i]
    return expression(
        plan.primitive.name, _operand_texts(program, i, constants), program.params[i]
    )[0]


# ---------------------------------------------------------------- backward


def _backward(program: Program, output: int, constants: list[dict[int, str]], masked: bool = True):
    """Steps of the sweep: a variable's line stands where all its uses have been passed.

    ``masked=False`` leaves 0 times inf as it is, to see where NaN comes from.
    """
    terms: dict[int, list[tuple[str, int, int]]] = {output: [("1", ATOM, -1)]}
    bars: dict[int, Any] = {output: np.ones((), program.dtypes[output])[()]}
    for i in reversed(range(len(program))):
        results = _results(program, i)
        if not any(v in bars for v in results):
            continue
        for v in results:
            if v in bars:
                yield _bar(program, v, terms[v], bars[v], program.line(i))
        for var, text, bar in _pulled(program, i, constants[i], bars, masked):
            terms.setdefault(var, []).append((*text, i))
            bars[var] = bar if var not in bars else bars[var] + bar
    for v in program.inputs:
        if v in bars:
            yield _bar(program, v, terms[v], bars[v], None)
        else:
            yield Step(
                program.names[v] + "_bar", "0", program.shapes[v], program.dtypes[v], None,
                np.zeros(program.shapes[v]), ("0",),
            )  # fmt: skip


def _bar(
    program: Program, v: int, terms: list[tuple[str, int, int]], bar: Any, line: Line | None
) -> Step:
    text = " + ".join(f"({t})" if level < 4 and len(terms) > 1 else t for t, level, _ in terms)
    parts = tuple(t for t, _, _ in terms)
    return Step(
        program.names[v] + "_bar", text, program.shapes[v], program.dtypes[v], line, bar, parts
    )


def _pulled(
    program: Program, i: int, constants: dict[int, str], bars: dict[int, Any], masked: bool
):
    """(operand, text, value) of each cotangent that equation i sends back.

    The equation's pullback runs on tracers of its own operands, so that what it computes is a small
    program in the user's names.
    """
    plan: Plan = program.plans[i]
    params = program.params[i]
    results = _results(program, i)
    with Recording(full=True) as local, np.errstate(all="ignore"):
        names = local.program.names
        values = list(program.constants[i])
        for k, called in constants.items():
            values[k] = local.input(plain(values[k]), called)
        for slot, var in zip(plan.slots, program.operands[i]):
            values[slot] = local.input(program.values[var], program.names[var])
        ys = [local.input(program.values[v], program.names[v]) for v in results]
        gs = [
            local.input(bars[v], program.names[v] + "_bar") if v in bars else None for v in results
        ]
        several = plan.primitive.multiple
        residuals = plan.capture(values, tuple(ys) if several else ys[0])
        out = plan.pullback(tuple(gs) if several else gs[0], operator.mul, residuals, params)
        safe = out
        if masked and not all(b is None or np.isfinite(plain(b)).all() for b in out):
            g = plain(tuple(gs) if several else gs[0])
            safe = plan.pullback(g, masked_product, plain(residuals), plain(params))
        found = []
        for var, bar, value in zip(program.operands[i], out, safe):
            if bar is not None:
                bar = project(bar, program.shapes[var], program.dtypes[var])
                value = project(plain(value), program.shapes[var], program.dtypes[var])
                found.append((var, bar, value))
    for var, bar, value in found:
        traced = isinstance(bar, Tracer) and bar._var >= 0
        text = _inline(local.program, bar._var, names) if traced else constant_text(plain(bar))
        yield var, text, value


def _inline(program: Program, var: int, names: dict[int, str]) -> tuple[str, int]:
    """A variable of a small program as one expression of its inputs."""
    if var in names:
        return names[var], ATOM
    for i in range(len(program)):
        if var in _results(program, i):
            break
    eq = program.equation(i)
    operands = [
        _inline(program, x, names) if kind == "var" else constant_text(x) for kind, x in eq.operands
    ]
    text, level = expression(eq.primitive.name, operands, eq.params)
    if len(eq.results) > 1:
        return f"{text}[{eq.results.index(var)}]", ATOM
    return text, level


# ---------------------------------------------------------------- text


def format_derivation(d: Derivation, limit: int = 120) -> str:
    """The derivation as plain text in aligned columns."""
    rows = [("input", s.name, "", s) for s in d.inputs]
    rows += [("forward", s.name, s.text, s) for s in d.forward]
    rows += [("backward", s.name, s.text, s) for s in d.backward]
    left = [f"  {name} = {text}" if text else f"  {name}" for _, name, text, _ in rows]
    width = min(max(map(len, left), default=20), 66)
    types = [type_text(s.shape, s.dtype) for *_, s in rows]
    type_width = max(map(len, types), default=8)
    out = [d.title]
    titles = {
        "input": "inputs",
        "forward": "forward: the operations in order",
        "backward": f"backward: v_bar is the derivative of {d.result} by v; "
        "a sum has one term per use of v",
    }
    for part, title in titles.items():
        chosen = [k for k, row in enumerate(rows) if row[0] == part]
        out += ["", title]
        for n, k in enumerate(chosen):
            if limit // 2 <= n < len(chosen) - limit // 2:
                if n == limit // 2:
                    out.append(f"  ... {len(chosen) - 2 * (limit // 2)} more lines ...")
                continue
            line = rows[k][3].line
            where = "" if line is None else str(line)
            out.append(f"{left[k]:<{width}}  {types[k]:<{type_width}}  {where}".rstrip())
    return "\n".join(out)
