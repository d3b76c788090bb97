"""Right-hand sides as trees of operations: what is printed as text, LaTeX and HTML.

Leaves are variables of the program, their cotangents, and constants. ``simplify`` does what a
person does who writes the formula down; it changes how a derivative looks, never what is computed.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from chainrule.core.printing import ATOM, Text, constant_text, expression, param_text
from chainrule.core.program import Program
from chainrule.core.trace import plain


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One operation on operands; ``op`` is the primitive's name, or that of a leaf.

    Leaves: "var" and "bar" (the cotangent) of variable ``var``, "const" with a ``value`` and what
    the user calls it, "name" with a ``label`` only.
    """

    op: str
    operands: tuple["Node", ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    shape: tuple[int, ...] = ()
    var: int = -1
    value: Any = None
    label: str = ""

    def leaves(self) -> Iterator["Node"]:
        if not self.operands:
            yield self
        for operand in self.operands:
            yield from operand.leaves()


def variable(program: Program, var: int) -> Node:
    return Node("var", shape=program.shapes[var], var=var)


def cotangent(program: Program, var: int) -> Node:
    return Node("bar", shape=program.shapes[var], var=var)


def constant(value: Any, label: str = "") -> Node:
    return Node("const", shape=np.shape(value), value=value, label=label)


MANY = 40  # terms in one chain; more are chains of chains, for the sake of recursion


def total(nodes: Sequence[Node]) -> Node:
    """The sum of the nodes; equal terms are counted."""
    if len(nodes) > MANY:
        nodes = _same_places(nodes)
        step = max(MANY, -(-len(nodes) // MANY))
        nodes = [total(nodes[k : k + step]) for k in range(0, len(nodes), step)]
    nodes = [x for x in nodes if not _is_zero(x)] or nodes[:1]
    if len(nodes) == 1:
        return nodes[0]
    nodes = _same_places(nodes)
    terms: dict[str, list[Node]] = {}
    for node in nodes:
        factors = node.operands if node.op == "multiply" else (node,)
        terms.setdefault(" * ".join(sorted(text_of(x, str) for x in factors)), []).append(node)
    parts = [same[0] if len(same) == 1 else _times(len(same), same[0]) for same in terms.values()]
    result = parts[0]
    for part in parts[1:]:
        if part.op == "negative":
            result = Node("subtract", (result, part.operands[0]), {}, result.shape)
        else:
            result = Node("add", (result, part), {}, result.shape)
    return result


def _is_zero(node: Node) -> bool:
    if node.op in ("scatter", "spread", "reshape"):
        return _is_zero(node.operands[0])
    return _number(node) == 0


def _same_places(nodes: Sequence[Node]) -> list[Node]:
    """Scatters to the same index as one scatter of their sum."""
    places: dict[str, list[Node]] = {}
    for k, node in enumerate(nodes):
        index = node.params.get("label") or place_text(node.params.get("index"))
        places.setdefault(index if node.op == "scatter" else f"#{k}", []).append(node)
    return [
        same[0]
        if len(same) == 1
        else replace(same[0], operands=(total([x.operands[0] for x in same]),))
        for same in places.values()
    ]


def equation_node(program: Program, i: int, operands: Sequence[Node], k: int | None = None) -> Node:
    """The operation of equation ``i`` on these operands; its result ``k`` if it has several."""
    result = program.results[i]
    var = result if type(result) is int else result[k or 0]
    node = simple(program.plans[i].primitive.name, operands, program.params[i], program.shapes[var])
    return node if type(result) is int else Node("result", (node,), {"k": k}, program.shapes[var])


def tree_of(program: Program, var: int, leaves: Mapping[int, Node]) -> Node:
    """A variable of a small program as one tree of its inputs."""
    if var in leaves:
        return leaves[var]
    for i in range(len(program)):
        result = program.results[i]
        several = type(result) is not int
        if var == result or (several and var in result):
            break
    operands = [
        tree_of(program, x, leaves) if kind == "var" else constant(plain(x))
        for kind, x in program.equation(i).operands
    ]
    return equation_node(program, i, operands, result.index(var) if several else None)


def substituted(node: Node, leaf: Callable[[Node], Node]) -> Node:
    """The tree with each leaf replaced."""
    if not node.operands:
        return leaf(node)
    operands = tuple(substituted(x, leaf) for x in node.operands)
    if all(a is b for a, b in zip(operands, node.operands)):
        return node
    if node.op == "result":
        return replace(node, operands=operands)
    return simple(node.op, operands, node.params, node.shape)


# ---------------------------------------------------------------- as a person writes it


def simple(op: str, operands: Sequence[Node], params: Mapping[str, Any], shape: tuple) -> Node:
    """``Node(op, operands, params, shape)``, or what is the same and shorter."""
    node = Node(op, tuple(operands), params, shape)
    rule = _SIMPLER.get(op)
    found = rule(node) if rule is not None else None
    return node if found is None else found


def _number(node: Node) -> Any:
    """The value of a constant number; None if the node is none."""
    if node.op != "const" or node.label or node.shape:
        return None
    value = plain(node.value)
    value = value.item() if isinstance(value, (np.generic, np.ndarray)) else value
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _scaled(node: Node) -> tuple[Any, Node]:
    """(2, x) of 2 * x, and (1, x) of x."""
    if node.op == "multiply" and not node.params:
        for a, b in (node.operands, node.operands[::-1]):
            if (number := _number(a)) is not None:
                return number, b
    if node.op == "divide" and (number := _number(node.operands[1])) not in (None, 0):
        inner, rest = _scaled(node.operands[0])
        return inner / number, rest
    if node.op == "negative":
        number, rest = _scaled(node.operands[0])
        return -number, rest
    return 1, node


def _times(number: Any, x: Node) -> Node:
    if number == 1:
        return x
    if number == -1:
        return Node("negative", (x,), {}, x.shape)
    if isinstance(number, float) and 0 < abs(number) < 1 and _is_reciprocal(number):
        divided = Node("divide", (x, constant(round(1 / abs(number)))), {}, x.shape)
        return divided if number > 0 else Node("negative", (divided,), {}, x.shape)
    if isinstance(number, float) and number == int(number) and abs(number) < 1e6:
        number = int(number)
    return Node("multiply", (constant(number), x), {}, x.shape)


def _is_reciprocal(number: float) -> bool:
    n = round(1 / abs(number))
    return 2 < n < 1e7 and 1 / n == abs(number) and len(repr(abs(number))) > 5


def _multiply(node: Node) -> Node | None:
    if node.params:
        return None
    a, b = (_unspread(x, node) for x in node.operands)
    for x, y in ((a, b), (b, a)):
        number = _number(x)
        if number is not None and y.shape == node.shape:
            inner, rest = _scaled(y)
            if rest.op == "spread":
                scaled = simple("multiply", (constant(number * inner), rest.operands[0]), {},
                                rest.operands[0].shape)  # fmt: skip
                return replace(rest, operands=(scaled,))
            return _times(number * inner, rest)
    for x, y in ((a, b), (b, a)):
        if y.op == "divide" and _number(y.operands[0]) == 1:
            return simple("divide", (x, y.operands[1]), {}, node.shape)
    first, x = _scaled(a)
    second, y = _scaled(b)
    if first != 1 or second != 1:
        product = simple("multiply", (x, y), {}, node.shape)
        return _times(first * second, product)
    if a.op == b.op == "var" and a.var == b.var:
        return Node("square", (a,), {}, node.shape)
    if len(node.shape) == 2:
        column, row = _as_column(a), b
        if column is not None and len(row.shape) == 1:
            return Node("outer", (column, row), {}, node.shape)
    return replace(node, operands=(a, b))


def _as_column(node: Node) -> Node | None:
    """The vector that is written as a column: x of x[:, None]."""
    index = node.params.get("index")
    if node.op not in ("expand", "getitem") or len(node.operands[0].shape) != 1:
        return None
    return node.operands[0] if index in ((slice(None), None), (Ellipsis, None)) else None


def _divide(node: Node) -> Node | None:
    a, b = (_unspread(x, node) for x in node.operands)
    number = _number(b)
    if number not in (None, 0) and a.shape == node.shape:
        inner, x = _scaled(a)
        return _times(inner / number, x)
    number, x = _scaled(a)
    if number == -1:
        return Node("negative", (Node("divide", (x, b), {}, node.shape),), {}, node.shape)
    return replace(node, operands=(a, b))


def _negative(node: Node) -> Node | None:
    x = node.operands[0]
    number, rest = _scaled(x)
    if number != 1:
        return _times(-number, rest)
    if x.op == "subtract":
        return replace(x, operands=x.operands[::-1])
    if x.op == "spread":
        return replace(x, operands=(simple("negative", x.operands, {}, x.operands[0].shape),))
    return None


def _add(node: Node) -> Node | None:
    a, b = (_unspread(x, node) for x in node.operands)
    if b.op == "negative":
        return Node("subtract", (a, b.operands[0]), {}, node.shape)
    if a.op == "negative":
        return Node("subtract", (b, a.operands[0]), {}, node.shape)
    return replace(node, operands=(a, b))


def _subtract(node: Node) -> Node | None:
    a, b = (_unspread(x, node) for x in node.operands)
    if b.op == "negative":
        return Node("add", (a, b.operands[0]), {}, node.shape)
    return replace(node, operands=(a, b))


def _unspread(x: Node, parent: Node) -> Node:
    """A repeated operand without the repetition, where broadcasting does it anyway."""
    if x.op != "spread" or x.params.get("where", True) is not True:
        return x
    others = [y.shape for y in parent.operands if y is not x]
    narrow = narrowed(x)
    try:
        if np.broadcast_shapes(narrow.shape, *others) == parent.shape:
            return narrow
    except ValueError:
        pass
    return x


def narrowed(x: Node) -> Node:
    """What a spread repeats, with axes of length 1 where it repeats."""
    source, shape = x.operands[0], x.shape
    axis = x.params.get("axis")
    if axis is None or not source.shape or x.params.get("keepdims"):
        return source
    axes = {a % len(shape) for a in (axis if isinstance(axis, tuple) else (axis,))}
    if max(axes) < len(shape) - len(source.shape):
        return source
    index = tuple(None if k in axes else slice(None) for k in range(len(shape)))
    wide = tuple(1 if k in axes else n for k, n in enumerate(shape))
    return Node("expand", (source,), {"index": index}, wide)


def _operand_if_same_shape(node: Node) -> Node | None:
    x = node.operands[0]
    return x if x.shape == node.shape else None


def _spread(node: Node) -> Node | None:
    x = node.operands[0]
    if x.shape == node.shape:
        return x
    if x.op == "spread" and not x.operands[0].shape and node.params.get("where", True) is True:
        return Node("spread", x.operands, {}, node.shape)
    return None


def _sum(node: Node) -> Node | None:
    x = node.operands[0]
    number, rest = _scaled(x)
    if number == 1 or rest.shape != x.shape:
        return None
    return _times(number, Node("sum", (rest,), node.params, node.shape))


def _getitem(node: Node) -> Node | None:
    x, index = node.operands[0], node.params["index"]
    if x.op == "spread" and not x.operands[0].shape and not node.shape:
        return x.operands[0]
    if x.op == "getitem" and type(index) is int and not node.shape:
        inner = x.params["index"]
        if isinstance(inner, np.ndarray) and inner.ndim == 1 and inner.dtype.kind == "i":
            return simple("getitem", x.operands, {"index": int(inner[index])}, ())
    return None


def _operand(node: Node) -> Node | None:
    return node.operands[0]


def _transpose(node: Node) -> Node | None:
    x = node.operands[0]
    if x.op == "transpose" and not node.params.get("axes") and not x.params.get("axes"):
        return x.operands[0]
    return x if len(node.shape) < 2 else None


_SIMPLER: dict[str, Callable[[Node], Node | None]] = {
    "multiply": _multiply,
    "divide": _divide,
    "negative": _negative,
    "add": _add,
    "subtract": _subtract,
    "spread": _spread,
    "sum": _sum,
    "getitem": _getitem,
    "reshape": _operand_if_same_shape,
    "broadcast_to": _operand_if_same_shape,
    "copy": _operand,
    "positive": _operand,
    "transpose": _transpose,
}

# ---------------------------------------------------------------- text


def text_of(node: Node, name: Callable[[Any], str]) -> str:
    """The tree as Python writes it; ``name`` gives the name of a leaf's variable."""
    return _text(node, name)[0]


def bar_name(name: str) -> str:
    """h_bar of h, W_bar[0] of W[0], h_bar_{t} of h_{t}."""
    end = re.search(r"(?<=\w)(\[|\.|_\{)", name)
    return f"{name}_bar" if end is None else f"{name[: end.start()]}_bar{name[end.start() :]}"


def _text(node: Node, name: Callable[[Any], str]) -> Text:
    if node.op == "var":
        return name(node.var), ATOM
    if node.op == "bar":
        return bar_name(name(node.var)), ATOM
    if node.op == "name" or node.label:
        return node.label, ATOM
    if node.op == "const":
        return number_text(node.value)
    operands = [_text(x, name) for x in node.operands]
    special = _SPECIAL_TEXT.get(node.op)
    if special is not None and (found := special(node, operands)) is not None:
        return found
    return expression(node.op, operands, shown_params(node.params))


def number_text(value: Any) -> Text:
    """A constant; long numbers with six digits."""
    value = plain(value)
    if isinstance(value, (float, np.floating)) and len(repr(float(value))) > 9:
        text = f"{float(value):.6g}"
        return text, ATOM if text[0] != "-" else 6
    return constant_text(value)


def shown_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters a reader wants to see."""
    shown = {}
    for key, value in params.items():
        if key != "index" and (value is None or value is False or (key, value) == ("where", True)):
            continue
        if key == "axis" and isinstance(value, tuple) and len(value) == 1:
            value = value[0]
        shown[key] = value
    return shown


def _wrap(text: Text, level: int) -> str:
    return text[0] if text[1] >= level else f"({text[0]})"


def _text_spread(node: Node, operands: list[Text]) -> Text:
    narrow = narrowed(node)
    inside = operands[0][0]
    if narrow.op == "expand":
        inside = f"{_wrap(operands[0], 9)}[{_expand_text(narrow)}]"
    return f"broadcast({inside}, {param_text(node.shape)})", ATOM


def _text_expand(node: Node, operands: list[Text]) -> Text:
    return f"{_wrap(operands[0], 9)}[{_expand_text(node)}]", 9


def _expand_text(node: Node) -> str:
    return ", ".join("None" if k is None else ":" for k in node.params["index"])


def _text_scatter(node: Node, operands: list[Text]) -> Text:
    index = node.params.get("label") or place_text(node.params["index"])
    return f"scatter({operands[0][0]}, at [{index}])", ATOM


def _text_getitem(node: Node, operands: list[Text]) -> Text | None:
    label = node.params.get("label")
    return (f"{_wrap(operands[0], 9)}[{label}]", 9) if label else None


def place_text(index: Any) -> str:
    text = expression("getitem", [("", ATOM)], {"index": index})[0]
    return text[1:-1] if text.startswith("[") else text


def _text_reshape(node: Node, operands: list[Text]) -> Text:
    return f"{_wrap(operands[0], 9)}.reshape({', '.join(map(str, node.shape))})", 9


def _text_where(node: Node, operands: list[Text]) -> Text | None:
    if "condition" not in node.params:
        return None
    label = node.params.get("label") or param_text(node.params["condition"])
    return f"where({label}, {', '.join(t for t, _ in operands)})", ATOM


def _text_chosen(node: Node, operands: list[Text]) -> Text:
    (a, _), (b, _), *rest = operands
    sign = node.params["sign"]
    return f"where({a} {sign} {b}, {', '.join(t for t, _ in rest)})", ATOM


def _text_result(node: Node, operands: list[Text]) -> Text:
    return f"{operands[0][0]}[{node.params['k']}]", 9


def _text_array(node: Node, operands: list[Text]) -> Text:
    return f"array([{', '.join(t for t, _ in operands[1:])}])", ATOM


_SPECIAL_TEXT: dict[str, Callable[[Node, list[Text]], Text | None]] = {
    "spread": _text_spread,
    "expand": _text_expand,
    "scatter": _text_scatter,
    "getitem": _text_getitem,
    "reshape": _text_reshape,
    "where": _text_where,
    "chosen": _text_chosen,
    "result": _text_result,
    "array": _text_array,
}
