"""A function as it runs: each statement of it, and copies of the values that it computed.

The interpreter reports each line that the function, and functions of the user's that it calls, is
about to carry out (``sys.settrace``). Nothing of the function is changed or run twice.
"""

import ast
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np

from chainrule.base import tree
from chainrule.base.where import Line, is_internal, line_of
from chainrule.explainer.names import Statement, statement_at

MOST = 20_000  # values that are kept
_WITHOUT_STATEMENTS = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>", "<lambda>"})


@dataclass(eq=False)
class Computed:
    """A value that a statement computed: ``name`` is what it was assigned to.

    ``uses`` are the values it was computed from, as far as they have names.
    """

    name: str
    text: str
    line: Line
    value: np.ndarray
    key: Any  # the same for the same place in each round of a loop
    uses: list["Computed"] = field(default_factory=list)
    returned: int | None = None  # which leaf of the result it is


def observe(f: Callable, args: Sequence[Any]) -> tuple[Any, list[Computed]]:
    """The result of ``f``, and what its statements computed, in order."""
    watch = _Watch(f)
    before = sys.gettrace()
    sys.settrace(watch.call)
    try:
        result = f(*args)
    finally:
        sys.settrace(before)
    watch.found += watch.returned(result)
    return result, watch.found


@dataclass(eq=False)
class _Running:
    """A call that is going on: its current statement, and who computed its variables."""

    statement: Statement | None = None
    line: Line | None = None
    instruction: int = -1
    latest: dict[str, list[Computed]] = field(default_factory=dict)


class _Watch:
    def __init__(self, f: Callable):
        self.code = getattr(f, "__code__", None)
        self.found: list[Computed] = []
        self.frames: dict[FrameType, _Running] = {}
        self.last: tuple[_Running, Statement, Line] | None = None  # the return of f itself

    def call(self, frame: FrameType, event: str, arg: Any) -> Any:
        code = frame.f_code
        if is_internal(code.co_filename) or code.co_name in _WITHOUT_STATEMENTS:
            return None
        self.frames[frame] = _Running()
        return self.step

    def step(self, frame: FrameType, event: str, arg: Any) -> Any:
        running = self.frames.get(frame)
        if running is None or event not in ("line", "return"):
            return self.step
        if event == "return":
            self._finish(frame, running)
            if frame.f_code is self.code and running.statement is not None:
                assert running.line is not None
                self.last = (running, running.statement, running.line)
            del self.frames[frame]
            return None
        statement = statement_at(frame.f_code, frame.f_lasti)
        again = frame.f_lasti <= running.instruction
        if statement is not running.statement or again:
            self._finish(frame, running)
            running.statement = statement
            running.line = line_of(frame.f_code, frame.f_lasti)
            running.instruction = frame.f_lasti
        return self.step

    def _finish(self, frame: FrameType, running: _Running) -> None:
        """Keep what the statement that is over has assigned."""
        statement = running.statement
        if statement is None or len(self.found) > MOST:
            return
        assert running.line is not None
        node, uses = statement.node, _used(statement.node, running)
        for target in _targets(node):
            name = _base(target)
            before = running.latest.get(name)
            made = [
                Computed(path, statement.text, running.line, leaf, (id(node), path), list(uses))
                for path, leaf in _leaves(_value_of(target, frame.f_locals), ast.unparse(target))
                if not isinstance(node, ast.Expr) or _changed(leaf, before)
            ]
            self.found += made
            kept = [] if before is None or isinstance(target, ast.Name) else before
            if made:
                running.latest[name] = kept + made

    # -- the result

    def returned(self, result: Any) -> list[Computed]:
        """The leaves of the result, each with its part of the last ``return``."""
        if self.last is None:
            return []
        running, statement, line = self.last
        node = statement.node
        value = node.value if isinstance(node, ast.Return) else None
        texts = list(_parts(value)) if value is not None else []
        found = []
        leaves = list(_leaves(result, ""))
        for k, (path, leaf) in enumerate(leaves):
            part, text, at = value, statement.text, line
            if len(texts) == len(leaves):
                label, part = texts[k]
                text = f"{label}{ast.unparse(part)}"
                at = line._replace(number=part.lineno)
            uses = _used(part, running) if part is not None else []
            name = f"result{path}" if path else "result"
            found.append(Computed(name, text, at, leaf, (id(node), k), uses, k))
        return found


# ---------------------------------------------------------------- statements


def _targets(node: ast.AST) -> Iterator[ast.expr]:
    """What a statement assigns to, or may write into."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
    elif isinstance(node, (ast.AugAssign, ast.AnnAssign)):
        yield node.target
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):  # np.add.at(g, i, x)
        yield from (x for x in node.value.args if isinstance(x, ast.Name))


def _changed(now: np.ndarray, before: list[Computed] | None) -> bool:
    return before is not None and not np.array_equal(before[-1].value, now, equal_nan=True)


def _base(node: ast.AST) -> str:
    while isinstance(node, (ast.Subscript, ast.Attribute, ast.Starred)):
        node = node.value
    return ast.unparse(node)


def _value_of(target: ast.AST, names: dict[str, Any]) -> Any:
    """The value of a target; of g[i] with an index that is not simple, that of g."""
    if isinstance(target, ast.Name):
        return names.get(target.id)
    if isinstance(target, ast.Subscript):
        inner = _value_of(target.value, names)
        if isinstance(target.slice, (ast.Constant, ast.Name)):
            index = target.slice
            key = index.value if isinstance(index, ast.Constant) else names.get(index.id)
            try:
                return inner[key]
            except (TypeError, KeyError, IndexError):
                return None
        return inner
    if isinstance(target, ast.Attribute):
        return getattr(_value_of(target.value, names), "__dict__", {}).get(target.attr)
    return None


def _used(node: ast.AST, running: _Running) -> list[Computed]:
    """The values of the variables that an expression reads."""
    read = [n for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    names = dict.fromkeys(n.id for n in read)
    if isinstance(node, ast.AugAssign):
        names[_base(node.target)] = None
    return [made for name in names for made in running.latest.get(name, ())[-50:]]


def _leaves(value: Any, name: str) -> Iterator[tuple[str, np.ndarray]]:
    """Copies of the arrays and numbers in a value, with the paths to them."""
    if value is None or isinstance(value, (str, bool, int)) or callable(value):
        return
    try:
        leaves, paths = tree.flatten(value)[0], tree.paths(value, name)
    except (TypeError, ValueError):
        return
    for path, leaf in zip(paths, leaves[:50]):
        if isinstance(leaf, (float, complex, np.ndarray, np.generic)):
            array = np.array(leaf)
            if array.dtype.kind in "fc" and array.size:
                yield path, array


def _parts(node: ast.AST, label: str = "") -> Iterator[tuple[str, ast.expr]]:
    """The parts of a returned tuple, list or dictionary, each with its key."""
    if isinstance(node, (ast.Tuple, ast.List)):
        for element in node.elts:
            yield from _parts(element, label)
    elif isinstance(node, ast.Dict) and all(node.keys):
        pairs = [(k, v) for k, v in zip(node.keys, node.values) if k is not None]
        for key, value in sorted(pairs, key=lambda pair: _key_order(pair[0])):
            yield from _parts(value, f"{ast.unparse(key)}: ")
    elif isinstance(node, ast.expr):
        yield label, node


def _key_order(key: ast.AST) -> str:
    """Dictionaries are flattened in the order of their keys."""
    return str(key.value) if isinstance(key, ast.Constant) else ast.unparse(key)
