"""Derivations carried out: every line of one is evaluated on the values of the other lines."""

from typing import Any

import numpy as np

from chainrule.core.indexing import assign
from chainrule.core.primitive import PRIMITIVES
from chainrule.core.trace import plain
from chainrule.explainer.derivation import Derivation
from chainrule.explainer.expressions import Node

_OWN = {
    "outer": lambda a, b: np.multiply.outer(a, b),
    "expand": lambda x, *, index: x[index],
    "sign": np.sign,
}
_COMPARED = {
    "==": np.equal, ">": np.greater, "<": np.less, ">=": np.greater_equal, "<=": np.less_equal
}  # fmt: skip


def evaluated(node: Node, values: dict[int, Any], bars: dict[int, Any]) -> Any:
    """The number or array that the tree stands for."""
    if node.op == "var":
        return values[node.var]
    if node.op == "bar":
        return bars[node.var]
    if node.op == "const":
        return plain(node.value)
    operands = [evaluated(x, values, bars) for x in node.operands]
    params = {k: v for k, v in node.params.items() if k != "label"}
    if node.op == "result":
        return operands[0][params["k"]]
    if node.op == "chosen":
        a, b, x, y = operands
        return np.where(_COMPARED[params["sign"]](a, b), x, y)
    if node.op == "setitem":
        y = np.array(operands[0])
        assign(y, params["index"], operands[1])
        return y
    if node.op in _OWN:
        return _OWN[node.op](*operands, **params)
    return _FUNCTIONS[node.op](*operands, **params)


_FUNCTIONS = {p.name: p.fun for p in PRIMITIVES.values() if p is not None}


def assert_lines_hold(d: Derivation) -> None:
    """Each definition and each cotangent is what its right-hand side says."""
    _FUNCTIONS.update({plan.primitive.name: plan.primitive.fun for plan in d.program.plans})
    values = dict(enumerate(d.program.values))
    bars = {bar.var: bar.value for bar in d.backward}
    lines = [x for s in d.forward for x in s.definitions] + list(d.backward)
    for line in lines:
        with np.errstate(all="ignore"):
            value = evaluated(line.node, values, bars)
        scale = np.max(np.abs(line.value), initial=0.0) or 1.0
        np.testing.assert_allclose(
            np.broadcast_to(value, line.shape), line.value, rtol=1e-9, atol=1e-12 * scale,
            err_msg=f"{line.name} = {line.text}",
        )  # fmt: skip
