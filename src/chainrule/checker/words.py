"""How the steps, variables and constants of a program are called in a sentence."""

import ast
import re
from functools import cache
from types import CodeType
from typing import Any

import numpy as np

from chainrule.checker.steps import Steps
from chainrule.explainer.names import node_at

_SHORT = 50
_MADE_UP = re.compile(r"t\d+$")


def named(steps: Steps, var: int) -> str:
    """The user's name of a variable, without the number of the round; else its expression, else
    "the result of exp"."""
    maker = steps.maker(var)
    name = steps.name(var)
    if maker is None:
        return name
    if not _MADE_UP.match(name):
        base, _, number = name.rpartition("_")
        return base if number.isdigit() and base else name
    return expression(steps, maker) or f"the result of {steps.equations[maker].primitive.name}"


@cache
def _unparsed(code: CodeType, instruction: int) -> str:
    node = node_at(code, instruction)
    text = "" if node is None or isinstance(node, ast.AugAssign) else ast.unparse(node)
    return f"`{text}`" if 0 < len(text) <= _SHORT else ""


def expression(steps: Steps, i: int) -> str:
    """The user's source of what equation ``i`` computes; "" where it is long or not known."""
    return _unparsed(*steps.instruction(i))


def operand(steps: Steps, i: int, slot: int) -> str:
    """What stands in an operand of equation ``i``, variable or constant."""
    kind, x = steps.equations[i].operands[slot]
    if kind == "var":
        return named(steps, x)
    if np.ndim(x) == 0:
        return f"{np.asarray(x)[()]:.6g}" if np.asarray(x).dtype.kind in "fiu" else str(x)
    return _source(*steps.instruction(i), slot) or "a constant"


@cache
def _source(code: CodeType, instruction: int, slot: int) -> str:
    node = node_at(code, instruction)
    parts: list[Any] = []
    if isinstance(node, ast.BinOp):
        parts = [node.left, node.right]
    elif isinstance(node, ast.Call):
        parts = list(node.args)
        if slot >= len(parts) and isinstance(node.func, ast.Attribute):
            parts.insert(0, node.func.value)
    if slot >= len(parts) or isinstance(parts[slot], ast.Starred):
        return ""
    text = ast.unparse(parts[slot])
    if len(text) > _SHORT:
        return ""
    return text if text.isidentifier() else f"`{text}`"
