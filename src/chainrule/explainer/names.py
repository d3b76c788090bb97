"""The user's names: from an equation's instruction to the expression and the variable it was in.

Python keeps the source position of every instruction. The syntax tree of the file tells which
expression stands there and whether it is what a statement assigns to a name. Reading only: where
there is no source, equations get made-up names.
"""

import ast
import linecache
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import CodeType

from chainrule.core.program import Program

_Place = tuple[int, int, int, int]


@dataclass
class _Source:
    """Expressions of a file by place, and what each is assigned to."""

    nodes: dict[_Place, ast.AST] = field(default_factory=dict)
    targets: dict[_Place, str] = field(default_factory=dict)


_sources: dict[str, tuple[int, _Source]] = {}


def _source(filename: str) -> _Source:
    text = "".join(linecache.getlines(filename))
    known = _sources.get(filename)
    if known is None or known[0] != hash(text):
        known = _sources[filename] = (hash(text), _read(text))
    return known[1]


def _read(text: str) -> _Source:
    source = _Source()
    try:
        module = ast.parse(text)
    except SyntaxError:
        return source
    for node in ast.walk(module):
        place = _place(node)
        if place is not None:
            source.nodes.setdefault(place, node)
        for target, value in _assignments(node):
            value_place = _place(value)
            if value_place is not None:
                source.targets[value_place] = target
    return source


def _assignments(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """(name, the node at whose place its value is made) for the names a statement assigns."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Name):
                yield target.id, node.value
            elif isinstance(target, ast.Subscript):
                yield ast.unparse(_base(target)), target
            elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                for t, v in zip(target.elts, node.value.elts):
                    if isinstance(t, ast.Name):
                        yield t.id, v
    elif isinstance(node, ast.AugAssign):
        name = ast.unparse(_base(node.target))
        yield name, node
        if isinstance(node.target, ast.Subscript):
            yield name, node.target
    elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and isinstance(node.target, ast.Name):
        if node.value is not None:
            yield node.target.id, node.value


def _base(node: ast.AST) -> ast.AST:
    while isinstance(node, ast.Subscript):
        node = node.value
    return node


def _place(node: ast.AST) -> _Place | None:
    line = getattr(node, "lineno", None)
    if line is None:
        return None
    return (line, node.end_lineno, node.col_offset, node.end_col_offset)  # type: ignore[attr-defined]


def _position(code: CodeType, instruction: int) -> _Place | None:
    for i, position in enumerate(code.co_positions()):
        if i * 2 == instruction:
            return None if None in position else position  # type: ignore[return-value]
    return None


def node_at(code: CodeType, instruction: int) -> ast.AST | None:
    """The expression whose value the instruction computes."""
    place = _position(code, instruction)
    return None if place is None else _source(code.co_filename).nodes.get(place)


def target_at(code: CodeType, instruction: int) -> str | None:
    """The name that the value computed by the instruction is assigned to, if it is."""
    place = _position(code, instruction)
    return None if place is None else _source(code.co_filename).targets.get(place)


def operand_texts(code: CodeType, instruction: int, count: int) -> list[str | None]:
    """How the user wrote each of ``count`` operands, where that can be told and is short."""
    node = node_at(code, instruction)
    parts: list[ast.AST] = []
    if isinstance(node, ast.BinOp):
        parts = [node.left, node.right]
    elif isinstance(node, ast.AugAssign):
        parts = [node.target, node.value]
    elif isinstance(node, ast.Call):
        parts = list(node.args)
        if len(parts) == count - 1 and isinstance(node.func, ast.Attribute):
            parts.insert(0, node.func.value)
    if len(parts) < count:
        return [None] * count
    return [
        ast.unparse(p) if isinstance(p, (ast.Name, ast.Attribute)) else None for p in parts[:count]
    ]


def name_variables(program: Program) -> None:
    """Give every variable of the program a name: the user's where there is one, else t1, t2, ...

    A name that is assigned again gets a number: h, h_2, h_3.
    """
    paths = [program.names.get(v, "x") for v in program.inputs]
    short = [
        p.rpartition("[")[2].strip("]'\"") if p.endswith("]") else p.rpartition(".")[2]
        for p in paths
    ]
    names = program.names
    used: set[str] = set()
    for v, path, last in zip(program.inputs, paths, short):
        plain = last.isidentifier() and short.count(last) == 1
        names[v] = last if plain else path
        used.add(names[v])
    counts: dict[str, int] = dict.fromkeys(used, 1)
    made_up = 0
    for code, instruction, result in zip(program.codes, program.instructions, program.results):
        target = target_at(code, instruction)
        for v in (result,) if type(result) is int else result:
            if target is None:
                made_up += 1
                name = f"t{made_up}"
                while name in used:
                    made_up += 1
                    name = f"t{made_up}"
            else:
                name = target
                while name in used:
                    counts[target] = counts.get(target, 1) + 1
                    name = f"{target}_{counts[target]}"
            used.add(name)
            names[v] = name
