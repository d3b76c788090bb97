"""Dicts, lists and tuples of arguments and results, as text."""

from collections.abc import Iterator
from typing import Any

from chainrule.base import tree
from chainrule.base.errors import ProgramError
from chainrule.explainer.literals import quoted
from chainrule.explainer.loops import Program
from chainrule.explainer.runs import listed
from chainrule.explainer.turns import Item


def refuse_objects(value: Any) -> None:
    """Arguments are read and gradients built as dicts, lists and tuples only."""
    if isinstance(value, dict):
        children: Iterator[Any] = iter(value.values())
    elif type(value) in (list, tuple):
        children = iter(value)
    else:
        leaves = tree.flatten(value)[0]
        if value is not None and (len(leaves) != 1 or leaves[0] is not value):
            raise ProgramError(
                f"a file cannot build arguments of class {type(value).__name__}",
                "Pass dicts, lists, tuples, arrays and numbers.",
                at=None,
            )
        return
    for child in children:
        refuse_objects(child)


def has_empty(value: Any) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    return isinstance(value, (list, tuple)) and (not value or any(map(has_empty, value)))


def is_literal(x: Any) -> bool:
    """Whether a fixed argument can be written down and compared."""
    return x is None or type(x) in (int, bool, str)


def display(x: Any, writer: Program | None = None) -> str:
    """A tree of texts as an expression."""
    if isinstance(x, str):
        return x
    if isinstance(x, Item):
        assert writer is not None
        return writer.text(x)
    if isinstance(x, dict):
        rows = [(quoted(k) if isinstance(k, str) else repr(k), v) for k, v in x.items()]
        return f"{{{', '.join(f'{k}: {display(v, writer)}' for k, v in rows)}}}"
    if isinstance(x, list):
        if len(x) > 2 and len({repr(v) for v in x}) == 1:
            return f"[{display(x[0], writer)}] * {len(x)}"
        lists = {} if writer is None else writer.lists
        return f"[{', '.join(listed(x, lists, lambda v: display(v, writer)))}]"
    if isinstance(x, tuple):
        return f"({', '.join(display(v, writer) for v in x)}{',' * (len(x) == 1)})"
    return "None"
