"""Formulas as a person writes them, read off the source text of rules; for docs/rules.py."""

import ast
import inspect
import re
import types
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.core import primitive as core

Cell = tuple[str, int]  # text, and how tightly it holds together
SUM, PRODUCT, POWER, ATOM = range(4)

CONSTANTS = {
    "ln(2)": np.log(2), "ln(10)": np.log(10), "π": np.pi, "(π/180)": np.pi / 180, "√2": np.sqrt(2),
    "√π": np.sqrt(np.pi), "√(2π)": np.sqrt(2 * np.pi), "(2/√π)": 2 / np.sqrt(np.pi), "∞": np.inf,
    "ln(2π)": np.log(2 * np.pi),
}  # fmt: skip
TRANSPARENT = {
    "_exact",
    "_float",
    "plain",
    "_plain",
    "asarray",
    "as_array",
}  # f(x) is x for a reader
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉"
WORDS = {
    ast.Eq: "=", ast.NotEq: "≠", ast.Lt: "<", ast.LtE: "≤", ast.Gt: ">", ast.GtE: "≥",
    ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in", ast.BitAnd: "and",
    ast.BitOr: "or", ast.And: "and", ast.Or: "or", ast.Mod: "mod", ast.MatMult: "",
    ast.FloorDiv: "//", ast.USub: "-", ast.UAdd: "", ast.Not: "not ", ast.Invert: "not ",
}  # fmt: skip


class Printer:
    """Python expressions as a person writes them: ``2 x²`` for ``2 * x * x``.

    ``helpers`` collects the functions of the rules that the text mentions.
    """

    def __init__(self, function: Callable[..., Any]):
        known = inspect.getclosurevars(function)
        self.scope = {**known.globals, **known.nonlocals}
        self.helpers: list[Callable[..., Any]] = []

    def text(self, node: ast.expr, least: int = SUM) -> str:
        text, tightness = self._print(node)
        return text if tightness >= least else f"({text})"

    def _print(self, node: ast.expr) -> Cell:
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        return method(node) if method else (ast.unparse(node), ATOM)

    # ------------------------------------------------ names and numbers

    def _constant(self, node: ast.Constant) -> Cell:
        value = node.value
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return f"{value:.12g}" if is_number else str(value).replace("1j", "i"), ATOM

    def _name(self, node: ast.Name) -> Cell:
        value = self.scope.get(node.id)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return _constant_name(value) or f"{value:.12g}", ATOM
        if isinstance(value, core.Primitive):
            return value.name, ATOM
        return node.id.strip("_") or node.id, ATOM

    def _attribute(self, node: ast.Attribute) -> Cell:
        if node.attr in ("T", "real", "imag", "shape", "ndim", "dtype", "n"):
            return self.text(node.value, ATOM) + {"T": "ᵀ"}.get(node.attr, f".{node.attr}"), ATOM
        value = getattr(np, node.attr, None) if _last_name(node.value) == "np" else None
        is_number = isinstance(value, float)
        return (_constant_name(value) if is_number else None) or node.attr.strip("_"), ATOM

    def _subscript(self, node: ast.Subscript) -> Cell:
        index = node.slice
        of = self.text(node.value, ATOM)
        if isinstance(index, ast.Constant) and index.value in range(10):
            return of + SUBSCRIPTS[index.value], ATOM
        return f"{of}[{ast.unparse(index).strip('()')}]", ATOM

    def _tuple(self, node: ast.Tuple) -> Cell:
        return "(" + ", ".join(self.text(v) for v in node.elts) + ")", ATOM

    def _starred(self, node: ast.Starred) -> Cell:
        return "*" + self.text(node.value), ATOM

    # ------------------------------------------------ operators

    def _unaryop(self, node: ast.UnaryOp) -> Cell:
        if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.BinOp):
            return self._print(ast.BinOp(ast.Constant(-1), ast.Mult(), node.operand))
        return WORDS[type(node.op)] + self.text(node.operand, PRODUCT), SUM

    def _binop(self, node: ast.BinOp) -> Cell:
        if isinstance(node.op, (ast.Mult, ast.Div)):
            return self._product(node)
        if isinstance(node.op, ast.Pow):
            return self._power(node.left, node.right)
        if isinstance(node.op, (ast.Add, ast.Sub)):
            minus, right = isinstance(node.op, ast.Sub), node.right
            if minus and isinstance(right, ast.UnaryOp) and isinstance(right.op, ast.USub):
                minus, right = False, right.operand  # x - -1 keeps the sign of a zero
            join = " - " if minus else " + "
            return self.text(node.left) + join + self.text(right, PRODUCT), SUM
        word = WORDS[type(node.op)]
        parts = (self.text(node.left, PRODUCT), word, self.text(node.right, PRODUCT))
        return " ".join(p for p in parts if p), SUM if word else PRODUCT

    def _power(self, base: ast.expr, exponent: ast.expr) -> Cell:
        text = self.text(base, ATOM)
        if isinstance(exponent, ast.Constant) and exponent.value in range(10):
            return text + str(exponent.value).translate(SUPERSCRIPTS), POWER
        return f"{text}^{self.text(exponent, ATOM)}", POWER

    def _product(self, node: ast.BinOp) -> Cell:
        """Signs in front, equal factors as powers, a quotient as it stands."""
        if isinstance(node.op, ast.Div):
            above = self.text(node.left) if _is_signed(node.left) else self.text(node.left, PRODUCT)
            return f"{above} / {self.text(node.right, POWER)}", (
                SUM if above.startswith("-") else PRODUCT
            )
        sign, merged = "", []
        for factor in sorted(_factors(node), key=lambda f: not _is_imaginary(f)):
            while _is_minus(factor):
                sign = "" if sign else "-"
                factor = factor.operand if isinstance(factor, ast.UnaryOp) else None
            if factor is None:
                continue
            text = self.text(factor, PRODUCT if not merged and _is_quotient(factor) else POWER)
            if text.startswith("-"):
                sign, text = ("" if sign else "-"), text[1:]
            if merged and merged[-1][0] == text:
                merged[-1][1] += 1
            else:
                merged.append([text, 1])
        powers = [t if n == 1 else t + str(n).translate(SUPERSCRIPTS) for t, n in merged]
        return sign + " ".join(powers), SUM if sign else PRODUCT

    def _compare(self, node: ast.Compare) -> Cell:
        text = self.text(node.left)
        for op, right in zip(node.ops, node.comparators):
            text += f" {WORDS[type(op)]} {self.text(right)}"
        return text, SUM

    def _boolop(self, node: ast.BoolOp) -> Cell:
        return f" {WORDS[type(node.op)]} ".join(self.text(v) for v in node.values), SUM

    def _ifexp(self, node: ast.IfExp) -> Cell:
        return self._choice(node.test, node.body, node.orelse)

    def _choice(self, test: ast.expr, yes: ast.expr, no: ast.expr) -> Cell:
        return f"{self.text(yes)} where {self.text(test)}, else {self.text(no)}", SUM

    # ------------------------------------------------ calls

    def _call(self, node: ast.Call) -> Cell:
        name = _last_name(node.func)
        arguments = [a for a in node.args if not self._is_order(a)]
        if name == "where" and len(arguments) == 3:
            return self._choice(*arguments)
        if name in ("abs", "absolute", "fabs"):
            return f"|{self.text(arguments[0])}|", ATOM
        if name in ("power", "float_power"):
            return self._power(arguments[0], arguments[1])
        if name == "square":
            return self._power(arguments[0], ast.Constant(2))
        if name in TRANSPARENT:
            return self._print(arguments[0])
        if name == "apply" and arguments:
            node = ast.Call(arguments[0], arguments[1:], [])
            name, arguments = self.text(arguments[0]), arguments[1:]
        if name == "_is_real":
            return f"{self.text(arguments[0])} is real", SUM
        function = self.scope.get(name) if isinstance(node.func, ast.Name) else None
        if isinstance(function, types.FunctionType):
            name = function.__name__  # what an alias such as _j stands for
            if is_helper(function) and function not in self.helpers:
                self.helpers.append(function)
        texts = [self.text(a) for a in arguments]
        texts += [f"{k.arg}={self.text(k.value)}" for k in node.keywords if k.arg]
        text = name.strip("_") if name else self.text(node.func, ATOM)
        return f"{text}({', '.join(texts)})", ATOM

    def _is_order(self, node: ast.expr) -> bool:
        """An argument that is a pair of comparisons: a name of its own says which."""
        value = self.scope.get(node.id) if isinstance(node, ast.Name) else None
        return isinstance(value, tuple) and all(callable(v) for v in value)


def _constant_name(value: float) -> str | None:
    return next((name for name, v in CONSTANTS.items() if abs(v) == value), None)


def _is_minus(node: Any) -> bool:
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.USub)
    return isinstance(node, ast.Constant) and node.value == -1


def _is_imaginary(node: Any) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, complex)


def _is_signed(node: ast.expr) -> bool:
    return _is_minus(node) or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult))


def _is_quotient(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)


def _factors(node: ast.expr) -> Iterator[Any]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        yield from _factors(node.left)
        yield from _factors(node.right)
    else:
        yield node


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def is_helper(function: Any) -> bool:
    """A function of the rules, rather than an operation that has a rule."""
    if not isinstance(function, types.FunctionType):
        return False
    return (function.__module__ or "").startswith("chainrule.rules")


# ---------------------------------------------------------------- source text


@cache
def _tree(file: str) -> ast.Module:
    return ast.parse(Path(file).read_text())


def source(function: Any) -> ast.Lambda | ast.FunctionDef | None:
    """The node of a function in the text of its file, also of lambdas that share a line."""
    code = getattr(function, "__code__", None)
    if code is None or not Path(code.co_filename).exists():
        return None
    spans = {p for p in code.co_positions() if None not in p}
    arguments = list(code.co_varnames[: code.co_argcount])
    for node in ast.walk(_tree(code.co_filename)):
        if isinstance(node, ast.FunctionDef) and node.name == code.co_name:
            if min([node.lineno, *(d.lineno for d in node.decorator_list)]) == code.co_firstlineno:
                return node
        if isinstance(node, ast.Lambda) and code.co_name == "<lambda>":
            body = node.body
            at = (body.lineno, body.end_lineno, body.col_offset, body.end_col_offset)
            if at in spans and [a.arg for a in node.args.args] == arguments:
                return node
    return None


def expression(function: Any) -> ast.expr | None:
    """What a lambda, or a function of one statement, returns."""
    node = source(function)
    if isinstance(node, ast.FunctionDef):
        body = [s for s in node.body if not _is_text(s)]
        only = body[0] if len(body) == 1 else None
        return only.value if isinstance(only, ast.Return) else None
    return node.body if node else None


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def first_paragraph(function: Any) -> str:
    """The first paragraph of the docstring as one line, without the full stop at its end; with
    the second one if the first breaks off before a formula."""
    text = inspect.cleandoc(getattr(function, "__doc__", None) or "")
    first, *more = text.split("\n\n")
    breaks_off = first.rstrip().endswith(("with", "follows", ":")) and more
    text = " ".join((f"{first} {more[0]}" if breaks_off else first).split())
    return text[:-1] if text.endswith(".") and not text.endswith("..") else text


# ---------------------------------------------------------------- the formula of a primitive


class Formulas:
    """Formulas of a table, and the helpers they mention, to be explained once below it."""

    def __init__(self):
        self.helpers: dict[str, str] = {}

    def of(self, primitive: core.Primitive) -> str:
        """The derivative of a primitive in one cell of a table."""
        partials = getattr(primitive, "partials", None) or getattr(primitive, "slopes", None)
        if partials:
            return self._partials(primitive.operands, partials)
        if isinstance(primitive, core.Linear):
            return self._linear(primitive)
        if isinstance(primitive, core.Joint):
            return self._said_or_shown("linear", [primitive.transpose])
        if isinstance(primitive, core.Multilinear):
            return self._said_or_shown("product", primitive.transposes)
        rules = [getattr(primitive, n, None) for n in ("vjp_rule", "jvp_rule")]
        for rule in (*rules, primitive.fun):
            if is_helper(rule) and first_paragraph(rule):
                return escaped(first_paragraph(rule))
        return f"a rule, in `{_file_of(rules[0] or rules[1])}`"

    def _linear(self, primitive: core.Linear) -> str:
        partner = primitive.transpose
        if partner is primitive:
            return "its own transpose"
        said = first_paragraph(partner.fun) if is_helper(partner.fun) else ""
        said = re.sub(r"^The transpose of [^:]+: ", "", said)
        return "backwards " + (escaped(_lower(said)) if said else f"`{partner.name}`")

    def _said_or_shown(self, kind: str, rules: Iterable[Any]) -> str:
        cells = []
        for name, rule in zip("abc", rules):
            node = expression(rule)
            said = first_paragraph(rule) or first_paragraph(self._one_call(rule, node))
            if said:
                cells.append(escaped(said))
            elif node is not None and not isinstance(node, ast.ListComp):
                node = node.elts[0] if isinstance(node, ast.List) else node
                bar = "" if kind == "linear" else f"{name}̄ = "
                cells.append(bar + code(Printer(rule).text(node)))
        cells = list(dict.fromkeys(cells))
        if kind == "linear":
            return f"backwards {_lower(cells[0])}" if cells else "backwards the parts of g"
        return "<br>".join(cells)

    # ------------------------------------------------ partials

    def _partials(self, operands: list[str], partials: list[Any]) -> str:
        cells = []
        for k, p in enumerate(partials):
            cells.append(self._repeated(p, partials[:k]) or self.partial(p))
        if len(set(cells)) == 1:
            return cells[0] if len(operands) == 1 else f"each: {cells[0]}"
        names = [n.rstrip("_") if n.rstrip("_") not in operands else n for n in operands]
        return "<br>".join(f"*{n}*: {c}" for n, c in zip(names, cells))

    def partial(self, p: Any) -> str:
        """dy/dx of one operand."""
        if isinstance(p, core.Unknown):
            return "no formula"
        if not callable(p):
            return "0" if p is None else f"`{_number(p)}`"
        node = expression(p)
        helper = self._one_call(p, node)
        if helper is not None:
            return escaped(first_paragraph(helper))
        if first_paragraph(p):
            return escaped(first_paragraph(p))
        if node is None:
            return self._call_of(p)
        printer = Printer(p)
        text = code(printer.text(node))
        for function in printer.helpers:
            self._explain(function)
        return text

    def _call_of(self, p: Callable[..., Any]) -> str:
        self._explain(p)
        return code(f"{p.__name__.strip('_')}({', '.join(core.positional_names(p))})")

    def _one_call(self, p: Any, node: ast.expr | None) -> Any:
        """The helper, where a partial is one call of it under its own names and it says what it
        computes."""
        helper, given = _call(p, node)
        if helper is None or not first_paragraph(helper):
            return None
        names = core.positional_names(helper)
        same = all(n == a or (a and a.isupper()) for n, a in zip(names, given))
        return helper if same else None

    def _repeated(self, p: Any, earlier: list[Any]) -> str | None:
        """``the same, a and b exchanged``: the helper of an earlier operand on other operands."""
        if not callable(p):
            return None
        helper, given = _call(p, expression(p))
        for q in earlier:
            node = expression(q) if callable(q) else None
            if helper is None or self._one_call(q, node) is not helper:
                continue
            pairs = [(a, b) for a, b in zip(_call(q, node)[1], given) if a != b]
            if sorted(pairs) == sorted((b, a) for a, b in pairs):
                names = [f"`{(a or '').strip('_')}`" for a, _ in pairs]
                return f"the same, {' and '.join(names)} exchanged"
            if len(pairs) == 1:
                return f"the same with `{pairs[0][1]}` for `{pairs[0][0]}`"
        return None

    def _explain(self, helper: Callable[..., Any]) -> None:
        name = f"{helper.__name__.strip('_')}({', '.join(core.positional_names(helper))})"
        if name in self.helpers:
            return
        self.helpers[name] = ""  # a helper may call itself
        said, node = first_paragraph(helper), expression(helper)
        if said:
            self.helpers[name] = escaped(said)
        elif node is not None:
            printer = Printer(helper)
            self.helpers[name] = code(printer.text(node))
            for inner in printer.helpers:
                self._explain(inner)
        if not self.helpers[name]:
            self.helpers[name] = f"in `{_file_of(helper)}`"


def _call(p: Any, node: ast.expr | None) -> tuple[Any, list[str | None]]:
    """The helper and the names of the arguments, where an expression is one call of a helper."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return None, []
    helper = Printer(p).scope.get(node.func.id)
    if not is_helper(helper):
        return None, []
    return helper, [_last_name(a) or None for a in node.args]


def _file_of(function: Any) -> str:
    return function.__module__.removeprefix("chainrule.").replace(".", "/") + ".py"


def _number(p: float) -> str:
    """Degrees and their parts as fractions of π."""
    for text, unit in (("π/{d}", np.pi), ("{n}/π", 1 / np.pi)):
        f = Fraction(p / unit).limit_denominator(1_000_000)
        if f and float(f) * unit == p and p != int(p):
            return text.format(n=f.numerator, d=f.denominator)
    return f"{p:.12g}"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:] if re.match(r"[A-Z][a-z]{2}|A ", text) else text


# ---------------------------------------------------------------- Markdown

SIGNS = [
    (r"([A-Za-z])_bar", "\\1̄"), (r"\^-1\b", "⁻¹"), (r"\^-T\b", "⁻ᵀ"), (r"\^-H\b", "⁻ᴴ"),
    (r"\^T\b", "ᵀ"), (r"\^H\b", "ᴴ"), (r"\^\+", "⁺"), (r"\^2\b", "²"), (r"\^3\b", "³"),
    (r"=>", "⇒"), (r"->", "→"), (r"<=", "≤"), (r">=", "≥"), (r" == ", " = "), (r"\bsum_", "Σ_"),
]  # fmt: skip


def escaped(text: str) -> str:
    """Text of a docstring for Markdown: what looks like markup in its formulas is not."""
    for pattern, sign in SIGNS:
        text = re.sub(pattern, sign, text)
    parts = re.split(r"(`+[^`]+`+)", text)
    return "".join(
        code(p.strip("`").lstrip("_")) if p[:1] == "`" else re.sub(r"([_*|<>\[\]#])", r"\\\1", p)
        for p in parts
    )


def code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"
