"""The user's names: from an equation's instruction to the expression and the variable it was in.

Python keeps the source position of every instruction. The syntax tree of the file tells which
expression stands there and whether it is what a statement assigns to a name. Reading only: where
there is no source, equations get made-up names.
"""

import ast
import dis
import functools
import linecache
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import CodeType

from chainrule.base.where import is_internal
from chainrule.core.program import Program

_Place = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Statement:
    """One statement of a function, or the body of a lambda, as its source has it."""

    node: ast.AST
    text: str  # of compound statements the header only: "for x in X"
    loops: tuple[ast.AST, ...]  # the loops of the same function around it, outermost first
    arms: dict[ast.AST, str]  # of each "if" around it, the arm it is in
    repeats: bool  # whether an expression in it may be evaluated several times
    unpacks: bool  # whether one instruction makes several values


@dataclass
class _Source:
    """Expressions of a file by place, what each is assigned to, and the statements around them."""

    nodes: dict[_Place, ast.AST] = field(default_factory=dict)
    targets: dict[_Place, str] = field(default_factory=dict)
    unpacked: dict[_Place, tuple[str | None, ...]] = field(default_factory=dict)
    returned: set[_Place] = field(default_factory=set)
    statements: list[tuple[_Place, Statement]] = field(default_factory=list)


_sources: dict[str, tuple[int, _Source]] = {}


def _source(filename: str) -> _Source:
    # Of text given to exec; under that name Python 3.13 keeps the text of ``python -c``.
    text = "" if filename == "<string>" else "".join(linecache.getlines(filename))
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
        if isinstance(node, (ast.Return, ast.Lambda)):
            returned = node.value if isinstance(node, ast.Return) else node.body
            if returned is not None and (returned_place := _place(returned)) is not None:
                source.returned.add(returned_place)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            value_place = _place(node.value)
            if value_place is not None:
                source.unpacked[value_place] = tuple(
                    t.id if isinstance(t, ast.Name) else None for t in node.targets[0].elts
                )
        for target, value in _assignments(node):
            value_place = _place(value)
            if value_place is not None:
                source.targets[value_place] = target
    _read_statements(source, module, (), {}, text)
    return source


_LOOPS = (ast.For, ast.While, ast.AsyncFor)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def _read_statements(source: _Source, node: ast.AST, loops: tuple, arms: dict, text: str) -> None:
    for arm, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST):
                continue
            inner, inner_arms = loops, arms
            if isinstance(node, ast.If) and arm != "test":
                inner_arms = {**arms, node: arm}
            if isinstance(child, (ast.stmt, ast.Lambda)):
                place = _place(child)
                if place is not None:
                    header = _header(child, text)
                    repeats = any(isinstance(n, _COMPREHENSIONS) for n in _own_nodes(child))
                    unpacks = isinstance(child, ast.Assign) and any(
                        isinstance(t, (ast.Tuple, ast.List)) for t in child.targets
                    )
                    statement = Statement(child, header, loops, inner_arms, repeats, unpacks)
                    source.statements.append((place, statement))
                if isinstance(child, _FUNCTIONS):
                    inner, inner_arms = (), {}
                elif isinstance(child, _LOOPS):
                    inner = (*loops, child)
            _read_statements(source, child, inner, inner_arms, text)


def _own_nodes(statement: ast.AST) -> Iterator[ast.AST]:
    """The expressions of a statement, without the statements inside it."""
    for child in ast.iter_child_nodes(statement):
        if not isinstance(child, (ast.stmt, ast.Lambda)):
            yield child
            yield from _own_nodes(child)


def _header(node: ast.AST, text: str) -> str:
    if isinstance(node, ast.Lambda):
        return _segment(node.body, text)
    if isinstance(node, (ast.For, ast.AsyncFor)):
        return f"for {ast.unparse(node.target)} in {_segment(node.iter, text)}"
    if isinstance(node, (ast.While, ast.If)):
        word = "while" if isinstance(node, ast.While) else "if"
        return f"{word} {_segment(node.test, text)}"
    if isinstance(node, (ast.With, ast.AsyncWith)):
        return "with " + ", ".join(ast.unparse(item) for item in node.items)
    if isinstance(node, _FUNCTIONS) or hasattr(node, "body"):
        return ast.unparse(node).partition("\n")[0]
    return _segment(node, text)


def _segment(node: ast.AST, text: str) -> str:
    """The source of a node on one line."""
    place = _place(node)
    if place is None or place[0] != place[1]:
        return ast.unparse(node)
    line = _lines(text)[place[0] - 1].encode()
    return line[place[2] : place[3]].decode()


@functools.lru_cache(maxsize=8)
def _lines(text: str) -> list[str]:
    return text.splitlines()


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
    if is_internal(code.co_filename):
        return None
    positions = _positions(code)
    position = positions[instruction // 2] if instruction // 2 < len(positions) else (None,)
    return None if None in position else position  # type: ignore[return-value]


@functools.cache
def _positions(code: CodeType) -> tuple:
    return tuple(code.co_positions())


@functools.cache
def statement_at(code: CodeType, instruction: int) -> Statement | None:
    """The innermost statement, or lambda, that the instruction belongs to."""
    place = _position(code, instruction)
    if place is None:
        return None
    is_lambda = code.co_name == "<lambda>"
    best: tuple[_Place, Statement] | None = None
    for where, statement in _source(code.co_filename).statements:
        first, last = (where[0], where[2]), (where[1], where[3])
        if not first <= (place[0], place[2]) <= (place[1], place[3]) <= last:
            continue
        if isinstance(statement.node, ast.Lambda) != is_lambda:
            continue
        if best is None or (best[0][0], best[0][2]) <= first:
            best = where, statement
    return None if best is None else best[1]


def is_returned(code: CodeType, instruction: int) -> bool:
    """Whether the value computed by the instruction is what the function returns."""
    place = _position(code, instruction)
    return place is not None and place in _source(code.co_filename).returned


def node_at(code: CodeType, instruction: int) -> ast.AST | None:
    """The expression whose value the instruction computes."""
    place = _position(code, instruction)
    return None if place is None else _source(code.co_filename).nodes.get(place)


def target_at(code: CodeType, instruction: int) -> str | None:
    """The name that the value computed by the instruction is assigned to, if it is."""
    place = _position(code, instruction)
    source = None if place is None else _source(code.co_filename)
    if is_internal(code.co_filename):
        return None
    if place is None or source is None or not source.nodes:
        return _stored_next(code, instruction)
    return source.targets.get(place)


def unpacked_at(code: CodeType, instruction: int) -> list[str | None]:
    """The names that the instruction unpacks an array to, one element each; [] if it does not."""
    node = node_at(code, instruction)
    if not isinstance(node, (ast.Tuple, ast.List)) or not isinstance(node.ctx, ast.Store):
        return []
    return [t.id if isinstance(t, ast.Name) else None for t in node.elts]


def targets_at(code: CodeType, instruction: int, count: int) -> tuple[str | None, ...]:
    """The names that the ``count`` results of the instruction are unpacked to."""
    place = _position(code, instruction)
    names = () if place is None else _source(code.co_filename).unpacked.get(place, ())
    return names if len(names) == count else (None,) * count


@functools.cache
def _stored_next(code: CodeType, instruction: int) -> str | None:
    """The same for code without source: the name that the next instruction stores to."""
    for i in dis.get_instructions(code):
        if i.offset > instruction:
            stores = i.opname in ("STORE_FAST", "STORE_NAME", "STORE_GLOBAL", "STORE_DEREF")
            return i.argval if stores else None
    return None


_SHORT = 24  # characters of an operand that is quoted as the user wrote it


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
    return [_quoted(p) for p in parts[:count]]


def index_label(code: CodeType, instruction: int) -> str:
    """How the user wrote an index or condition; "" where that cannot be told or is long."""
    node = node_at(code, instruction)
    if isinstance(node, ast.Subscript):
        return _quoted(node.slice, tuple_allowed=True) or ""
    if isinstance(node, ast.Call) and len(node.args) == 3:
        return _quoted(node.args[0]) or ""
    return ""


def _quoted(node: ast.AST, tuple_allowed: bool = False) -> str | None:
    if isinstance(node, ast.Tuple) and not tuple_allowed:
        return None
    text = ast.unparse(node)
    text = text[1:-1] if isinstance(node, ast.Tuple) and text[0] == "(" else text
    return text if len(text) <= _SHORT else None


def name_variables(
    program: Program, targets: Sequence[str | None] | None = None, taken: Iterable[str] = ()
) -> None:
    """Give every variable of the program a name: the user's where there is one, else t1, t2, ...

    A name that is assigned again gets a number: h, h_2, h_3. ``targets`` are the user's names, one
    an equation, where the caller knows better than ``target_at``; names ``taken`` are left alone.
    """
    if targets is None:
        targets = [target_at(*place) for place in zip(program.codes, program.instructions)]
    names, used = program.names, set(taken)
    for v, name in zip(program.inputs, short_names(program)):
        names[v] = name
        used.add(name)
    counts: dict[str, int] = dict.fromkeys(used, 1)
    for i, result in enumerate(program.results):
        results = (result,) if type(result) is int else result
        wanted = (targets[i],) * len(results)
        if len(results) > 1:
            wanted = targets_at(program.codes[i], program.instructions[i], len(results))
        for v, target in zip(results, wanted):
            name = target or f"t{counts.setdefault('', 1)}"
            while name in used:
                key = target or ""
                counts[key] = counts.get(key, 1) + 1
                name = f"{target}_{counts[key]}" if target else f"t{counts[key]}"
            used.add(name)
            names[v] = name


def short_names(program: Program) -> list[str]:
    """A name for each input: W of params['W'], unless another one ends alike."""
    paths = [program.names.get(v, "x") for v in program.inputs]
    short = [
        p.rpartition("[")[2].strip("]'\"") if p.endswith("]") else p.rpartition(".")[2]
        for p in paths
    ]
    return [
        last if last.isidentifier() and short.count(last) == 1 else path
        for path, last in zip(paths, short)
    ]
