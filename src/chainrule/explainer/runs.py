"""Evenly spaced parts of lists: ``params[8:0:-1]``, ``reversed(hs)``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chainrule.explainer.calls import Ref
from chainrule.explainer.literals import quoted
from chainrule.explainer.turns import Gathered, Item


@dataclass(frozen=True)
class Leaf:
    """Where an array is among the arguments: the parameter, its value, and the keys from there."""

    parameter: str
    value: Any
    keys: tuple[Any, ...]

    @property
    def text(self) -> str:
        return self.parameter + keys_text(self.keys)


@dataclass(frozen=True)
class Run:
    """Elements of a list among the arguments, or entry ``last`` of each, which has ``width``."""

    text: str
    last: Any
    width: int


def keys_text(keys: Sequence[Any]) -> str:
    return "".join(f"[{quoted(k) if isinstance(k, str) else repr(k)}]" for k in keys)


def run_of(values: list[Any], leaves: dict[int, Leaf]) -> Run | None:
    """The run that the values are; None if they are none."""
    found = [leaves.get(x.var) if type(x) is Ref else None for x in values]
    first, second = found[0], found[1]
    if first is None or second is None or len(first.keys) != len(second.keys):
        return None
    moving = [i for i, (a, b) in enumerate(zip(first.keys, second.keys)) if a != b]
    if len(moving) != 1 or len(first.keys) - moving[0] > 2:
        return None
    at = moving[0]
    prefix, tail = first.keys[:at], first.keys[at + 1 :]
    numbers = []
    for leaf in found:
        if leaf is None or leaf.parameter != first.parameter:
            return None
        key = leaf.keys[at] if at < len(leaf.keys) else None
        if leaf.keys != (*prefix, key, *tail) or type(key) is not int:
            return None
        numbers.append(key)
    container = first.value
    for k in prefix:
        container = container[k]
    text = sliced(first.parameter + keys_text(prefix), numbers, len(container))
    if text is None or not isinstance(container, (list, tuple)):
        return None
    if not tail:
        return Run(text, None, 0)
    if not all(isinstance(container[k], (list, tuple)) for k in numbers):
        return None
    widths = {len(container[k]) for k in numbers}
    return Run(text, tail[0], widths.pop()) if len(widths) == 1 else None


def sliced(name: str, numbers: list[int], length: int) -> str | None:
    """The elements of a list at these places, if they are evenly spaced."""
    first, count = numbers[0], len(numbers)
    step = numbers[1] - first if count > 1 else 1
    if step == 0 or numbers != list(range(first, first + step * count, step)):
        return None
    if count == length:
        return name if step == 1 else f"reversed({name})"
    end = first + step * (count - 1) + (1 if step > 0 else -1)
    start = "" if first == (0 if step > 0 else length - 1) else first
    stop = "" if end in (length, -1) else end
    return f"{name}[{start}:{stop}{'' if step == 1 else f':{step}'}]"


def listed(children: list[Any], names: dict[Gathered, str], text: Any) -> list[str]:
    """The elements of a list display; runs over what a loop gathered are ``*zip(ws, bs)``."""
    out: list[str] = []
    at = 0
    while at < len(children):
        end = at + 1
        while end < len(children) and _runs(children[at : end + 1]):
            end += 1
        if end - at >= 3 and _runs(children[at:end]):
            out.append(_starred(children[at:end], names))
        else:
            end = at + 1
            out.append(text(children[at]))
        at = end
    return out


def _columns(children: list[Any]) -> list[tuple]:
    is_flat = all(type(child) is tuple for child in children)
    rows = children if is_flat else [(child,) for child in children]
    return list(zip(*rows)) if len({len(row) for row in rows}) == 1 else []


def _runs(children: list[Any]) -> bool:
    columns = _columns(children)
    return bool(columns) and all(
        all(type(x) is Item and x.of is column[0].of and type(x.at) is int for x in column)
        and sliced("", [x.at for x in column], 0) is not None
        for column in columns
    )


def _starred(children: list[Any], names: dict[Gathered, str]) -> str:
    parts = []
    for column in _columns(children):
        of = column[0].of
        shift = of.start is not None
        places = [x.at + shift for x in column]
        parts.append(sliced(names[of], places, of.turns + shift) or "")
    if type(children[0]) is not tuple:
        return f"*{parts[0]}"
    return f"*zip({', '.join(parts)})"
