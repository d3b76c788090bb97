"""Reductions, indices, choices and what else has a sign of its own in formulas."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.core.trace import plain
from chainrule.explainer.expressions import Node, narrowed, place_text, shown_params
from chainrule.explainer.latex_arithmetic import matmul
from chainrule.explainer.latex_names import code
from chainrule.explainer.latex_parts import (
    ATOM,
    BIG,
    FUNCTION,
    HADAMARD,
    POWER,
    PRODUCT,
    Form,
    Print,
    Setting,
    Tex,
    is_scalar,
    matched,
    parenthesised,
    repeated,
    side_by_side,
    transposed,
    wrap,
)


def _sum(f: Setting, node: Node, tex: Print) -> Tex | None:
    x = node.operands[0]
    if not x.shape:
        return tex(x)
    if node.params.keys() - {"axis", "keepdims"}:
        return None
    if x.op == "diagonal" and len(x.operands[0].shape) == 2 and not x.params.get("offset"):
        return Tex(r"\operatorname{tr}" + parenthesised(tex(x.operands[0]).text), FUNCTION)
    if x.op == "square" and is_scalar(node.shape) and f.is_real and len(x.shape) <= 2:
        norm = "_F" if len(x.shape) == 2 else ""
        inside = tex(x.operands[0]).text
        return Tex(rf"\left\lVert {inside} \right\rVert{norm}^{{2}}", POWER)
    return _over(r"\sum", f, node, tex)


def _over(sign: str, f: Setting, node: Node, tex: Print) -> Tex | None:
    x = node.operands[0]
    if not x.shape or node.params.keys() - {"axis", "keepdims"}:
        return None
    if x.op == node.op and is_scalar(node.shape) and x.params.keys() <= {"axis", "keepdims"}:
        return _over(sign, f, Node(node.op, x.operands, {}, node.shape), tex)
    below, place = f.axes(node)
    inside = tex(x)
    plain_symbol = inside.level == ATOM and not set("_[\\^'") & set(inside.text.removeprefix("\\"))
    summand = inside.text if plain_symbol else rf"\left[{inside.text}\right]"
    return Tex(rf"{sign}_{{{below}}} {summand}_{{{place}}}", BIG)


def _mean(f: Setting, node: Node, tex: Print) -> Tex | None:
    inside = _over(r"\sum", f, node, tex)
    if inside is None:
        return None
    x = node.operands[0]
    axis = node.params.get("axis")
    axes = range(len(x.shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    count = r"\,".join(str(x.shape[a]) for a in axes)
    count = (
        count if r"\," not in count or not count[0].isdigit() else count.replace(r"\,", r" \cdot ")
    )
    return Tex(rf"\frac{{ 1 }}{{ {count} }}\,{inside.text}", BIG)


def _spread(f: Setting, node: Node, tex: Print) -> Tex:
    thin = narrowed(node)
    own = tex(node.operands[0])
    found = repeated(own, thin.shape, node.shape) if len(node.shape) else own
    return found or Tex(r"\operatorname{broadcast}" + parenthesised(own.text), FUNCTION)


def _expand(f: Setting, node: Node, tex: Print) -> Tex | None:
    """x[:, None] is the column x, x[None] the row x^T."""
    x = node.operands[0]
    if not _adds_axes(node.params.get("index")):
        return None
    if len(x.shape) == 0:
        return tex(x)
    if len(x.shape) == 1 and len(node.shape) == 2:
        return transposed(tex(x)) if node.shape[0] == 1 and node.shape[1] != 1 else tex(x)
    return Tex(f"{wrap(tex(x), ATOM)}_{{{code(place_text(node.params['index']))}}}", POWER)


def _adds_axes(index: Any) -> bool:
    """Whether an index does nothing else."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(k is None or k is Ellipsis or (type(k) is slice and k == slice(None)) for k in parts)


def _getitem(f: Setting, node: Node, tex: Print) -> Tex | None:
    label = node.params.get("label")
    if not label:
        expanded = _expand(f, node, tex)
        if expanded is not None:
            return expanded
    text = label or place_text(node.params["index"])
    if re.match(r"\.[a-z]", text):  # of a view of a view
        return Tex(wrap(tex(node.operands[0]), ATOM) + code(text), FUNCTION)
    return _at(tex(node.operands[0]), _place(node))


def _at(x: Tex, place: str) -> Tex:
    plain_symbol = x.level == ATOM and "_" not in x.text and "[" not in x.text
    base = x.text if plain_symbol else rf"\left[{x.text}\right]"
    return Tex(f"{base}_{{ {place} }}", ATOM)


def _place(node: Node) -> str:
    """The index of a read or a write, as it stands below a symbol."""
    text = node.params.get("label") or place_text(node.params["index"])
    if re.fullmatch(r"[-\d,: ]+|[a-z]", text):
        return text.replace(", ", ",")
    return code(text)


def _scatter(f: Setting, node: Node, tex: Print) -> Tex:
    x = node.operands[0]
    index = node.params.get("index")
    if _adds_axes(index) and len(x.shape) == 2 and len(node.shape) == 1:
        own = tex(x)
        return transposed(own) if x.shape[0] == 1 != x.shape[1] and own.level != BIG else own
    if type(index) is int and len(node.shape) == 1:  # so much in the direction of one axis
        return Tex(side_by_side(wrap(tex(x), PRODUCT), f"e_{{ {index} }}"), PRODUCT)
    if type(index) is int and len(node.shape) == 2:
        return Tex(side_by_side(f"e_{{ {index} }}", transposed(tex(x)).text), PRODUCT)
    name = rf"\operatorname{{scatter}}_{{ {_place(node)} }}"
    return Tex(name + parenthesised(tex(x).text), FUNCTION)


def _setitem(f: Setting, node: Node, tex: Print) -> Tex:
    x, value = node.operands
    place = rf"{_place(node)} \leftarrow {tex(value).text}"
    return Tex(rf"{wrap(tex(x), FUNCTION)}\big|_{{{place}}}", POWER)


def _transpose(f: Setting, node: Node, tex: Print) -> Tex | None:
    axes = node.params.get("axes")
    if axes is not None and tuple(axes) != tuple(range(len(axes)))[::-1]:
        return None
    x = node.operands[0]
    if x.op == "matmul" and all(len(part.shape) == 2 for part in x.operands):
        turned = [Node("transpose", (part,), {}, part.shape[::-1]) for part in x.operands[::-1]]
        return matmul(f, Node("matmul", tuple(turned), {}, node.shape), tex)
    return transposed(tex(x))


def _inv(f: Setting, node: Node, tex: Print) -> Tex:
    return Tex(f"{wrap(tex(node.operands[0]), ATOM)}^{{-1}}", POWER)


def _solve(f: Setting, node: Node, tex: Print) -> Tex | None:
    if len(node.operands) != 2 or shown_params(node.params):
        return None
    a, b = (tex(x) for x in node.operands)
    left = wrap(a, ATOM) + "^{-1}"
    if a.level == POWER and a.text.endswith(r"^{\top}"):
        left = a.text.removesuffix(r"^{\top}") + r"^{-\top}"
    return Tex(side_by_side(left, wrap(b, PRODUCT)), PRODUCT)


def _reshape(f: Setting, node: Node, tex: Print) -> Tex:
    if is_scalar(node.shape) and is_scalar(node.operands[0].shape):
        return tex(node.operands[0])
    size = r" \times ".join(map(str, node.shape))
    inside = parenthesised(tex(node.operands[0]).text)
    return Tex(rf"\operatorname{{reshape}}_{{{size}}}{inside}", FUNCTION)


def _sqrt(f: Setting, node: Node, tex: Print) -> Tex:
    return Tex(rf"\sqrt{{{tex(node.operands[0]).text}}}", FUNCTION)


def _absolute(f: Setting, node: Node, tex: Print) -> Tex:
    return Tex(rf"\left\lvert {tex(node.operands[0]).text} \right\rvert", FUNCTION)


def _norm(f: Setting, node: Node, tex: Print) -> Tex | None:
    x = node.operands[0]
    if shown_params(node.params) or len(x.shape) > 2:
        return None
    below = "_F" if len(x.shape) == 2 else ""
    return Tex(rf"\left\lVert {tex(x).text} \right\rVert{below}", FUNCTION)


def _where(f: Setting, node: Node, tex: Print) -> Tex | None:
    if "condition" in node.params:
        condition = np.asarray(plain(node.params["condition"]))
        if condition.all() or not condition.any():  # a case that does not occur here
            return matched(node.operands[0 if condition.all() else 1], node, tex)
        label = node.params.get("label")
        said = _said(f, label) if label else r"\mathtt{mask}"
        return _choice(said, node.operands, node, tex)
    if len(node.operands) == 3:
        return _choice(tex(node.operands[0]).text, node.operands[1:], node, tex)
    return None


def _said(f: Setting, condition: str) -> str:
    """A condition as the user wrote it: x > 0, or the opposite of that."""
    no = condition.startswith("~(")
    found = re.fullmatch(r"(\w+) ([<>=]=?) (\w+|-?[\d.]+)", condition[2:-1] if no else condition)
    if found is None:
        return code(condition)
    a, sign, b = found.groups()
    a, b = (x if x[-1].isdigit() and not x.isidentifier() else f.names(x) for x in (a, b))
    sign = _OPPOSITE.get(sign, sign) if no else sign
    return f"{a} {_SIGNS.get(sign, sign)} {b}"


_OPPOSITE = {">": "<=", ">=": "<", "<": ">=", "<=": ">", "==": "!="}
_SIGNS = {"!=": r"\ne", "==": "=", ">=": r"\ge", "<=": r"\le"}


def _chosen(f: Setting, node: Node, tex: Print) -> Tex:
    a, b, *rest = node.operands
    sign = node.params["sign"]
    sides = [tex(x) if x.shape == () else matched(x, node, tex) for x in (a, b)]
    return _choice(f"{sides[0].text} {_SIGNS.get(sign, sign)} {sides[1].text}", rest, node, tex)


def _choice(condition: str, branches: Sequence[Node], node: Node, tex: Print) -> Tex:
    yes, no = branches
    if no.op == "const" and not no.label and not np.any(plain(no.value)):
        one = rf"\mathbf{{1}}\left[{condition}\right]"
        own = tex(yes)
        if own.text == "1":
            return Tex(one, FUNCTION)
        if is_scalar(yes.shape):
            return Tex(side_by_side(wrap(own, PRODUCT), one), PRODUCT)
        own = matched(yes, node, tex)
        left = (
            own.text if own.level in (HADAMARD, FUNCTION, POWER, ATOM) else parenthesised(own.text)
        )
        return Tex(rf"{left} \odot {one}", HADAMARD)
    rows = rf"{tex(yes).text} & \text{{if }} {condition} \\ {tex(no).text} & \text{{otherwise}}"
    return Tex(rf"\begin{{cases}} {rows} \end{{cases}}", FUNCTION)


def _result(f: Setting, node: Node, tex: Print) -> Tex:
    return _at(Tex(tex(node.operands[0]).text, FUNCTION), str(node.params["k"]))


def _conjugate(f: Setting, node: Node, tex: Print) -> Tex:
    own = tex(node.operands[0])
    return own if f.is_real else Tex(wrap(own, ATOM) + "^{*}", POWER)


def _broadcast_to(f: Setting, node: Node, tex: Print) -> Tex | None:
    return repeated(tex(node.operands[0]), node.operands[0].shape, node.shape)


def _array(f: Setting, node: Node, tex: Print) -> Tex:
    inside = ", ".join(tex(x).text for x in node.operands[1:])
    return Tex(rf"\left[{inside}\right]", ATOM)


def _of(sign: str) -> Form:
    return lambda f, node, tex: _over(sign, f, node, tex)


OPERATIONS: dict[str, Form] = {
    "sum": _sum,
    "mean": _mean,
    "prod": _of(r"\prod"),
    "max": _of(r"\max"),
    "min": _of(r"\min"),
    "spread": _spread,
    "expand": _expand,
    "getitem": _getitem,
    "scatter": _scatter,
    "setitem": _setitem,
    "transpose": _transpose,
    "inv": _inv,
    "solve": _solve,
    "reshape": _reshape,
    "sqrt": _sqrt,
    "absolute": _absolute,
    "norm": _norm,
    "where": _where,
    "chosen": _chosen,
    "conjugate": _conjugate,
    "broadcast_to": _broadcast_to,
    "result": _result,
    "array": _array,
}
