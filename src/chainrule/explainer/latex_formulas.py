"""Trees of operations as formulas of matrix calculus.

Arrays of one dimension are columns: ``x @ W`` is W^T x. Products of arrays element by element have
a dot in a circle, rows and columns that are repeated a product with the vector of ones, sums the
letter of the axis they run over.
"""

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.explainer.expressions import Node, shown_params
from chainrule.explainer.latex_arithmetic import ARITHMETIC
from chainrule.explainer.latex_names import code
from chainrule.explainer.latex_operations import OPERATIONS
from chainrule.explainer.latex_parts import (
    ATOM,
    FUNCTION,
    Print,
    Setting,
    Tex,
    number,
    parenthesised,
)


class Formulas(Setting):
    """Prints trees; ``names`` are shared by all formulas of a page."""

    def __call__(self, node: Node, name: Callable[[Any], str]) -> str:
        return self.tex(node, name).text

    def tex(self, node: Node, name: Callable[[Any], str]) -> Tex:
        if node.op == "var":
            return Tex(self.names(name(node.var)), ATOM)
        if node.op == "bar":
            return Tex(self.names.bar(name(node.var)), ATOM)
        if node.op == "name" or node.label:
            return self._label(node.label)
        if node.op == "const":
            return number(node.value)
        print_one = lambda x: self.tex(x, name)
        for table in (OPERATIONS, ARITHMETIC):
            form = table.get(node.op)
            found = form(self, node, print_one) if form is not None else None
            if found is not None:
                return found
        return self._function(node, print_one)

    def _label(self, label: str) -> Tex:
        """What the user wrote for a constant: a name or an expression."""
        if label.isidentifier() or _INDEXED.fullmatch(label):
            return Tex(self.names(label), ATOM)
        return Tex(code(label), ATOM)

    def _function(self, node: Node, tex: "Print") -> Tex:
        shown = shown_params(node.params).items()
        below = ", ".join(_param(k, v) for k, v in shown if k not in _USUAL or v != _USUAL[k])
        name = _FUNCTIONS.get(node.op, r"\operatorname{" + node.op.replace("_", r"\_") + "}")
        below = "_{" + code(below) + "}" if below else ""
        inside = ", ".join(tex(x).text for x in node.operands)
        return Tex(name + below + parenthesised(inside), FUNCTION)


_USUAL = {
    "offset": 0,
    "axis1": 0,
    "axis2": 1,
    "UPLO": "L",
    "ddof": 0,
}  # parameters not worth a word
_INDEXED = re.compile(r"[^\W\d]\w*\[(\w+|-\d+)\]")
_FUNCTIONS = {
    name: "\\" + name
    for name in "sin cos tan sinh cosh tanh exp log arcsin arccos arctan max min det".split()
} | {
    "maximum": r"\max",
    "minimum": r"\min",
    "embed_diagonal": r"\operatorname{diag}",
    "diagonal": r"\operatorname{diag}",
    "trace": r"\operatorname{tr}",
    "log2": r"\log_2",
    "log10": r"\log_{10}",
    "expit": r"\sigma",
    "erf": r"\operatorname{erf}",
}


def _param(key: str, value: Any) -> str:
    if isinstance(value, np.ndarray):
        value = f"array{list(value.shape)}"
    return value if key == "subscripts" else f"{key}={value}"
