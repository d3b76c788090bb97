"""Sums, products and powers as formulas."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from chainrule.core.trace import plain
from chainrule.explainer.expressions import Node
from chainrule.explainer.latex_parts import (
    ATOM,
    BIG,
    FUNCTION,
    HADAMARD,
    POWER,
    PRODUCT,
    SUM,
    Form,
    Print,
    Setting,
    Tex,
    in_hadamard,
    is_scalar,
    matched,
    side_by_side,
    transposed,
    wrap,
)


def _add(f: Setting, node: Node, tex: Print) -> Tex:
    a, b = (matched(x, node, tex) for x in node.operands)
    right = wrap(b, BIG)
    if b.level == SUM and not b.text.startswith("-"):
        right = b.text
    return Tex(f"{a.text} + {right}", SUM)


def _subtract(f: Setting, node: Node, tex: Print) -> Tex:
    a, b = (matched(x, node, tex) for x in node.operands)
    return Tex(f"{a.text} - {wrap(b, BIG)}", SUM)


def _negative(f: Setting, node: Node, tex: Print) -> Tex:
    return Tex(f"-{wrap(tex(node.operands[0]), BIG)}", SUM)


def _factors(node: Node) -> list[Node]:
    """The factors of a product, those of products inside it too."""
    found = []
    for x in node.operands:
        inner = x.op == "multiply" and x.shape in ((), node.shape)
        found += _factors(x) if inner else [x]
    return found


def _multiply(f: Setting, node: Node, tex: Print) -> Tex:
    """The sign, numbers, scalars, and then the arrays."""
    sign, factors = "", []
    for x in _factors(node):
        if x.op == "negative":
            sign, x = "" if sign else "-", x.operands[0]
        elif _is_number(x) and plain(x.value) < 0:
            sign, x = "" if sign else "-", replace(x, value=-plain(x.value))
        if not (_is_number(x) and plain(x.value) == 1):
            factors.append(x)
    numbers = [x for x in factors if _is_number(x)]
    scalars = [x for x in factors if is_scalar(x.shape) and x not in numbers]
    arrays = [x for x in factors if not is_scalar(x.shape)]
    inner = _product([*numbers, *scalars], arrays, node, tex)
    return Tex("-" + wrap(inner, BIG), SUM) if sign else inner


def _is_number(x: Node) -> bool:
    return x.op == "const" and not x.label and np.ndim(plain(x.value)) == 0 and np.isreal(x.value)


def _product(scalars: Sequence[Node], arrays: Sequence[Node], node: Node, tex: Print) -> Tex:
    front = ""
    for k, x in enumerate(scalars):
        last = k == len(scalars) - 1 and not arrays
        front = side_by_side(front, wrap(tex(x), BIG if last else PRODUCT))
    if not arrays:
        return Tex(front or "1", BIG if scalars and tex(scalars[-1]).level == BIG else PRODUCT)
    whole = arrays[0].shape == node.shape or len(arrays) > 1
    parts = [matched(x, node, tex) if whole else tex(x) for x in arrays]
    if len(parts) == 1:
        one = parts[0]
        text = side_by_side(front, wrap(one, BIG))
        return Tex(text, min(one.level, PRODUCT)) if one.level != SUM else Tex(text, PRODUCT)
    return Tex(side_by_side(front, r" \odot ".join(map(in_hadamard, parts))), HADAMARD)


def _divide(f: Setting, node: Node, tex: Print) -> Tex:
    a, b = node.operands
    above, below = matched(a, node, tex), matched(b, node, tex)
    if is_scalar(b.shape):
        below = tex(b)
        if above.level == BIG or (above.level == SUM and len(above.text) > 40):
            return Tex(rf"\frac{{ 1 }}{{ {below.text} }}\,{wrap(above, BIG)}", BIG)
    return Tex(rf"\frac{{ {above.text} }}{{ {below.text} }}", FUNCTION)


def _power(f: Setting, node: Node, tex: Print) -> Tex:
    a, b = node.operands
    dot = "" if is_scalar(node.shape) else r"\odot "
    return Tex(f"{wrap(tex(a), ATOM)}^{{{dot}{tex(b).text}}}", POWER)


def _square(f: Setting, node: Node, tex: Print) -> Tex:
    dot = "" if is_scalar(node.shape) else r"\odot "
    return Tex(f"{wrap(tex(node.operands[0]), ATOM)}^{{{dot}2}}", POWER)


def matmul(f: Setting, node: Node, tex: Print) -> Tex:
    a, b = node.operands
    left, right = tex(a), tex(b)
    if len(a.shape) == 1 and len(b.shape) == 1:
        left = _row(a, tex)
    elif len(a.shape) == 1:
        left, right = transposed(right), left
    return Tex(side_by_side(wrap(left, PRODUCT), wrap(right, PRODUCT)), PRODUCT)


def _row(x: Node, tex: Print) -> Tex:
    """A vector lying down; x @ W is x^T W then."""
    if x.op == "matmul" and len(x.operands[0].shape) == 1 and len(x.operands[1].shape) == 2:
        vector, matrix = x.operands
        text = side_by_side(_row(vector, tex).text, wrap(tex(matrix), PRODUCT))
        return Tex(text, PRODUCT)
    return transposed(tex(x))


def _outer(f: Setting, node: Node, tex: Print) -> Tex:
    a, b = node.operands
    return Tex(side_by_side(wrap(tex(a), PRODUCT), transposed(tex(b)).text), PRODUCT)


ARITHMETIC: dict[str, Form] = {
    "add": _add,
    "subtract": _subtract,
    "negative": _negative,
    "multiply": _multiply,
    "divide": _divide,
    "power": _power,
    "square": _square,
    "matmul": matmul,
    "outer": _outer,
}
