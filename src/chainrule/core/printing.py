"""Programs as text a person can read: one line an equation, operators as in Python."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule.core.indexing import Path, index_text
from chainrule.core.program import Equation, Program

ATOM = 10
_INFIX = {
    "add": ("+", 4),
    "subtract": ("-", 4),
    "multiply": ("*", 5),
    "divide": ("/", 5),
    "matmul": ("@", 5),
    "remainder": ("%", 5),
    "power": ("**", 7),
}

Text = tuple[str, int]  # an expression and how tightly its outermost operator binds


def expression(name: str, operands: Sequence[Text], params: dict[str, Any]) -> Text:
    """The application of a primitive to operand texts: ``("a + b", 4)``."""
    if name in _INFIX and len(operands) == 2 and not params:
        sign, level = _INFIX[name]
        right_tighter = name in ("subtract", "divide", "matmul", "remainder")
        left = _wrap(operands[0], level + (name == "power"))
        right = _wrap(operands[1], level + right_tighter)
        return f"{left} {sign} {right}" if level < 7 else f"{left}**{right}", level
    if name == "negative":
        return "-" + _wrap(operands[0], 6), 6
    if name == "square":
        return _wrap(operands[0], 8) + "**2", 7
    if name == "getitem":
        index = params["index"]
        text = repr(index) if type(index) is Path else f"[{index_text(index)}]"
        return _wrap(operands[0], 9) + text, 9
    if name == "transpose":
        axes = params.get("axes")
        if axes is None or tuple(axes) == tuple(range(len(axes)))[::-1]:
            return _wrap(operands[0], 9) + ".T", 9
    if name == "copy":
        return operands[0]
    if name == "setitem":
        index = params["index"]
        place = repr(index) if type(index) is Path else f"[{index_text(index)}]"
        return f"{operands[0][0]} with {place} = {operands[1][0]}", 0
    inside = [t for t, _ in operands] + [f"{k}={param_text(v)}" for k, v in params.items()]
    return f"{name}({', '.join(inside)})", ATOM


def _wrap(operand: Text, level: int) -> str:
    text, own = operand
    return text if own >= level else f"({text})"


def constant_text(value: Any) -> Text:
    """A constant operand: numbers as they are, arrays by dtype and shape."""
    if isinstance(value, (list, tuple)) and len(value) <= 4:
        return repr(value), ATOM
    shape = np.shape(value)
    if shape == () and isinstance(value, (int, float, complex, np.generic, np.ndarray)):
        number = value.item() if hasattr(value, "item") else value
        text = repr(number)
        return text, ATOM if not text.startswith("-") else 6
    return f"const:{type_text(shape, getattr(value, 'dtype', None))}", ATOM


def param_text(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.size > 6:
        return type_text(value.shape, value.dtype)
    return index_text(value) if isinstance(value, (np.ndarray, slice)) else repr(value)


def type_text(shape: Sequence[int], dtype: Any) -> str:
    """``float64[3,4]``; a scalar is ``float64``."""
    name = "" if dtype is None else str(dtype)
    return f"{name}[{','.join(map(str, shape))}]" if len(shape) else name


def equation_text(eq: Equation, name: Callable[[int], str]) -> str:
    """The right-hand side of one equation."""
    operands = [(name(x), ATOM) if kind == "var" else constant_text(x) for kind, x in eq.operands]
    return expression(eq.primitive.name, operands, eq.params)[0]


def format_program(program: Program, limit: int = 200) -> str:
    """Inputs, one line per equation with its type and the user's line, outputs."""
    typed = [
        f"{program.name(v)}: {type_text(program.shapes[v], program.dtypes[v])}"
        for v in program.inputs
    ]
    rows = []
    count = len(program)
    for i in range(count):
        if limit // 2 <= i < count - limit // 2:
            if i == limit // 2:
                rows.append((f"  ... {count - limit + limit % 2} more equations ...", ""))
            continue
        eq = program.equation(i)
        names = ", ".join(
            f"{program.name(v)}: {type_text(program.shapes[v], program.dtypes[v])}"
            for v in eq.results
        )
        at = str(eq.line).partition(" ")[0]
        rows.append((f"  {names} = {equation_text(eq, program.name)}", at))
    width = min(max((len(text) for text, _ in rows), default=0), 72)
    lines = [f"{text:<{width}}  # {at}" if at else text for text, at in rows]
    outputs = ", ".join(
        program.name(o) if type(o) is int else constant_text(o[1])[0] for o in program.outputs
    )
    return "\n".join([", ".join(typed) + " ->", *lines, f"-> {outputs}"])
