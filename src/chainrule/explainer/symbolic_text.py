"""Formulas typed by a person: read with ``ast``, and refused unless they are formulas only.

Allowed are names, numbers, operators, indices, ``.T`` and its like, and calls of the functions in
the tables below by their NumPy names, with or without ``np.``. Nothing else is ever executed.
"""

import ast
import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.base.errors import InputError

ELEMENTWISE = frozenset(
    "abs absolute arccos arccosh arcsin arcsinh arctan arctan2 arctanh cbrt clip conj conjugate "
    "cos cosh deg2rad divide exp exp2 expm1 fabs fmax fmin hypot imag log log10 log1p log2 "
    "logaddexp maximum minimum multiply negative positive power rad2deg real reciprocal sign sin "
    "sinc sinh sqrt square subtract add tan tanh where".split()
)
REDUCTIONS = frozenset("amax amin max mean median min prod std sum var".split())
ALIKE = frozenset("copy cumprod cumsum flip ones_like roll sort tril triu zeros_like".split())
CONTRACTIONS = frozenset("dot inner matmul outer vdot".split())
MATRICES = frozenset("cholesky det inv norm slogdet solve".split())  # of np.linalg
OTHERS = frozenset(
    "average concatenate convolve cross diag diff einsum eye hstack kron ravel repeat reshape "
    "squeeze stack swapaxes tensordot tile trace transpose vstack".split()
)
SPECIAL = frozenset(
    "digamma erf erfc expit gammaln i0 i1 j0 j1 log_expit log_ndtr log_softmax logit logsumexp "
    "ndtr psi softmax xlog1py xlogy".split()
)
METHODS = (
    REDUCTIONS
    | frozenset(
        "conj copy cumprod cumsum diagonal dot ravel reshape swapaxes trace transpose".split()
    )
) - frozenset(("amax", "amin", "median"))
ATTRIBUTES = frozenset(("T", "real", "imag", "shape", "size", "ndim"))
CONSTANTS = {"pi": np.pi, "inf": np.inf}

_FUNCTIONS = ELEMENTWISE | REDUCTIONS | ALIKE | CONTRACTIONS | MATRICES | OTHERS | SPECIAL | {"len"}
_INSTEAD = {
    "sigmoid": "expit(x), or 1 / (1 + exp(-x))",
    "relu": "maximum(x, 0)",
    "ln": "log(x)",
    "logdet": "slogdet(A)[1]",
    "tr": "trace(A)",
}
_NODES = (
    ast.BinOp, ast.UnaryOp, ast.Compare, ast.Subscript, ast.Slice, ast.Tuple, ast.List, ast.Name,
    ast.Constant, ast.Call, ast.Attribute, ast.Load, ast.operator, ast.unaryop, ast.cmpop,
    ast.keyword,
)  # fmt: skip
_WORDS = {
    ast.Lambda: "a lambda", ast.IfExp: "a choice by value (write where(condition, a, b))",
    ast.BoolOp: "and/or (write & and |)", ast.ListComp: "a comprehension",
    ast.GeneratorExp: "a comprehension", ast.JoinedStr: "a string", ast.Starred: "a star",
    ast.NamedExpr: "an assignment inside an expression",
}  # fmt: skip


@dataclass(frozen=True)
class Formula:
    """Assignments and the expression at the end; ``symbols`` are the names nothing assigns."""

    text: str
    assignments: tuple[tuple[str, ast.expr], ...]
    result: ast.expr
    symbols: tuple[str, ...]

    def function(self, file: str) -> tuple[Callable[..., Any], str]:
        """The formula as a function of its symbols, and the source of that."""
        lines = [f"def f({', '.join(self.symbols)}):"]
        lines += [f"    {name} = {ast.unparse(value)}" for name, value in self.assignments]
        lines.append(f"    return {ast.unparse(self.result)}")
        source = "\n".join(lines) + "\n"
        scope = {"__builtins__": {}, "__name__": "formula", **_scope()}
        exec(compile(source, file, "exec"), scope)  # only what ``read`` has let through
        return scope["f"], source


def read(text: str) -> Formula:
    """The formula in a text; raises InputError at whatever is not part of one."""
    lines = [line.strip() for line in text.strip().splitlines()]
    try:
        module = ast.parse("\n".join(line for line in lines if line))
    except (SyntaxError, ValueError) as error:
        what = f"This is no formula: {getattr(error, 'msg', error)}."
        raise InputError(what, "Write it as in Python: sum((y - X @ w)**2).", at=None) from None
    assignments: list[tuple[str, ast.expr]] = []
    for statement in module.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            _check(statement.value)
            assignments += [(_assigned(t), statement.value) for t in statement.targets]
        elif isinstance(statement, ast.Expr) and statement is module.body[-1]:
            _check(statement.value)
            assignments.append(("", statement.value))
        else:
            remedy = "Write assignments like h = tanh(X @ W), and a scalar expression at the end."
            _refuse(statement, f"the statement {_shown(statement)}", remedy)
    if not assignments:
        raise InputError("There is no formula.", "Write one: sum((y - X @ w)**2).", at=None)
    *first, (name, result) = assignments
    if name:
        first, result = assignments, ast.Name(name, ast.Load())
    symbols = _symbols(assignments)
    for name in {*symbols, *(name for name, _ in assignments)} & _called(module):
        raise InputError(f"{name} is a function and a variable here.", "Rename one.", at=None)
    return Formula(text.strip(), tuple(first), result, symbols)


def function_name(node: ast.expr) -> str | None:
    """The function that a call names: sum of np.sum; None for a method."""
    if isinstance(node, ast.Name):
        return node.id
    parts = ast.unparse(node).split(".")
    modules = ("np", "numpy", "linalg", "scipy", "special", "sp")
    return parts[-1] if all(p in modules for p in parts[:-1]) else None


def _scope() -> dict[str, Any]:
    """What the names of functions stand for."""
    import scipy.special

    found: dict[str, Any] = {"np": np, "numpy": np, "scipy": _Names(special=scipy.special)}
    for name in SPECIAL:
        found[name] = getattr(scipy.special, name)
    for name in _FUNCTIONS - SPECIAL - {"len"}:
        found[name] = getattr(np.linalg if name in MATRICES else np, name)
    return {**found, **CONSTANTS, "len": len, "linalg": np.linalg, "special": scipy.special,
            "sp": _Names(special=scipy.special, **{n: found[n] for n in SPECIAL})}  # fmt: skip


class _Names:
    def __init__(self, **names: Any):
        self.__dict__.update(names)


# ---------------------------------------------------------------- what is let through


def _check(node: ast.AST) -> None:
    if not isinstance(node, _NODES):
        words = _WORDS.get(type(node), f"{_shown(node)}")
        _refuse(node, words)
    if isinstance(node, ast.Constant):
        if not isinstance(node.value, (int, float, complex, type(None), type(...))):
            _refuse(node, f"the text {node.value!r}")
        return
    if isinstance(node, ast.Name) and node.id.startswith("__"):
        _refuse(node, f"the name {node.id}")
    if isinstance(node, ast.Call):
        _check_call(node)
        return
    if isinstance(node, ast.Attribute):
        if node.attr == "pi" and function_name(node) is not None:
            return
        if node.attr not in ATTRIBUTES:
            _refuse(node, f"the attribute .{node.attr}", _close(node.attr, ATTRIBUTES))
    for child in ast.iter_child_nodes(node):
        _check(child)


def _check_call(node: ast.Call) -> None:
    name = function_name(node.func) if isinstance(node.func, (ast.Name, ast.Attribute)) else None
    if name is None:
        if not isinstance(node.func, ast.Attribute):
            _refuse(node, f"the call {_shown(node)}")
        assert isinstance(node.func, ast.Attribute)
        if node.func.attr not in METHODS:
            _refuse(node, f"the method .{node.func.attr}()", _close(node.func.attr, METHODS))
        _check(node.func.value)
    elif name not in _FUNCTIONS:
        instead = f"Write {_INSTEAD[name]}." if name in _INSTEAD else _close(name, _FUNCTIONS)
        _refuse(node, f"the function {ast.unparse(node.func)}", instead)
    if name in REDUCTIONS and len(node.args) > 1:
        both = {"max": "maximum", "min": "minimum"}.get(name, "")
        remedy = (
            f"Write {both}(a, b), or {name}(x, axis=0)." if both else f"Write {name}(x, axis=0)."
        )
        _refuse(node, f"a second argument of {name}", remedy)
    for k, argument in enumerate(node.args):
        is_text = isinstance(argument, ast.Constant) and isinstance(argument.value, str)
        if not (is_text and k == 0 and name == "einsum"):
            _check(argument)
    for keyword in node.keywords:
        if keyword.arg is None:
            _refuse(node, "a star")
        _check(keyword.value)


def _refuse(node: ast.AST, what: str, remedy: str = "") -> None:
    line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
    place = f"column {column + 1}" + (f" of line {line}" if line > 1 else "")
    usual = "A formula has names, numbers, operators, indices and NumPy's functions."
    raise InputError(f"A formula cannot hold {what} ({place}).", remedy or usual, at=None)


def _close(name: str, known: frozenset[str]) -> str:
    found = difflib.get_close_matches(name, sorted(known), 1)
    return f"Did you mean {found[0]}?" if found else ""


def _shown(node: ast.AST) -> str:
    text = ast.unparse(node).partition("\n")[0]
    return text if len(text) <= 40 else text[:39] + "…"


def _assigned(target: ast.expr) -> str:
    if not isinstance(target, ast.Name):
        _refuse(target, f"an assignment to {_shown(target)}", "Assign to names: h = tanh(X @ W).")
    assert isinstance(target, ast.Name)
    return target.id


# ---------------------------------------------------------------- names


def _symbols(assignments: list[tuple[str, ast.expr]]) -> tuple[str, ...]:
    """The names that are used before anything assigns them, in order."""
    known: set[str] = set()
    found: dict[str, None] = {}
    for name, value in assignments:
        found.update((n, None) for n in names_in(value) if n not in known)
        known.add(name)
    return tuple(found)


def _called(module: ast.Module) -> set[str]:
    calls = [node.func for node in ast.walk(module) if isinstance(node, ast.Call)]
    return {f.id for f in calls if isinstance(f, ast.Name)}


def names_in(node: ast.AST) -> Iterator[str]:
    """The symbols in an expression: not the functions, modules and constants."""
    if isinstance(node, ast.Call):
        if function_name(node.func) is None and isinstance(node.func, ast.Attribute):
            yield from names_in(node.func.value)
        for part in (*node.args, *(k.value for k in node.keywords)):
            yield from names_in(part)
    elif isinstance(node, ast.Attribute) and node.attr == "pi":
        return
    elif isinstance(node, ast.Name):
        if node.id not in CONSTANTS:
            yield node.id
    else:
        for child in ast.iter_child_nodes(node):
            yield from names_in(child)
