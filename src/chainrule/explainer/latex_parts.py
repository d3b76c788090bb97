"""What formulas are put together from: signs, brackets, numbers, repeated rows and columns."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from chainrule.core.trace import plain
from chainrule.explainer.expressions import Node
from chainrule.explainer.latex_names import Names, code

# How tightly a formula holds together: an operand looser than its place allows gets parentheses.
SUM, BIG, HADAMARD, PRODUCT, FUNCTION, POWER, ATOM = range(7)

# BIG is a sum or a fraction in front of something; it may stand in a sum as it is.


class Tex(NamedTuple):
    text: str
    level: int


class Setting:
    """What the formulas of a page have in common: names, and letters for axes."""

    def __init__(self, names: Names, is_real: bool = True, letters: str = "ijklmpqrs"):
        self.names = names
        self.is_real = is_real
        self.letters = letters or "ijk"

    def axes(self, node: Node) -> tuple[str, str]:
        """Under the sum sign and under the summand of a reduction over ``axis``."""
        shape = node.operands[0].shape
        axis = node.params.get("axis")
        all_axes = tuple(range(len(shape)))
        axes = all_axes if axis is None else axis if isinstance(axis, tuple) else (axis,)
        letters = {a % len(shape): self.letters[a % len(shape) % len(self.letters)] for a in axes}
        places = [letters.get(k, ":") for k in all_axes]
        join = "" if len(letters) == len(shape) else ","
        return ",".join(letters.values()), join.join(places)


Print = Callable[[Node], Tex]
Form = Callable[[Setting, Node, Print], Tex | None]


def parenthesised(text: str) -> str:
    return rf"\left({text}\right)"


def wrap(x: Tex, level: int) -> str:
    return x.text if x.level >= level else parenthesised(x.text)


def is_scalar(shape: Sequence[int]) -> bool:
    return all(n == 1 for n in shape)


def number(value: Any) -> Tex:
    value = plain(value)
    if np.ndim(value):
        array = np.asarray(value)
        if array.size <= 4 and array.ndim == 1:
            inside = ", ".join(number(x).text for x in array.tolist())
            return Tex(rf"\left[{inside}\right]", ATOM)
        return Tex(code(f"array{list(map(int, array.shape))}"), ATOM)
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, bool) or not isinstance(value, (int, float, complex)):
        return Tex(code(str(value)), ATOM)
    if isinstance(value, complex):
        return Tex(parenthesised(f"{value.real:g} + {value.imag:g}i".replace("+ -", "- ")), ATOM)
    if not np.isfinite(value):
        text = r"\infty" if abs(value) == np.inf else r"\mathrm{NaN}"
        return Tex("-" + text, SUM) if value == -np.inf else Tex(text, ATOM)
    if value in _CONSTANTS:
        return Tex(_CONSTANTS[value], ATOM)
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    digits, _, power = text.partition("e")
    if power:
        digits = "" if digits == "1" else rf"{digits} \cdot "
        return Tex(f"{digits}10^{{{int(power)}}}", PRODUCT)
    return Tex(text, SUM if text[0] == "-" else ATOM)


_CONSTANTS = {np.pi: r"\pi", -np.pi: r"-\pi", 2 * np.pi: r"2\pi"}


def repeated(x: Tex, shape: tuple[int, ...], target: tuple[int, ...]) -> Tex | None:
    """A number, row or column as broadcasting repeats it; None where there is no name for that."""
    if is_scalar(shape):
        if x.text == "1":
            return Tex(r"\mathbf{1}", ATOM)
        return Tex(rf"{wrap(x, BIG)}\,\mathbf{{1}}", min(PRODUCT, x.level))
    if len(target) == 2 and len(shape) == 1:
        return Tex(rf"\mathbf{{1}}\,{transposed(x).text}", PRODUCT)
    if len(target) == 2 and shape[0] == 1:
        return Tex(rf"\mathbf{{1}}\,{wrap(x, PRODUCT)}", PRODUCT)
    if len(target) == 2 and shape[1] == 1:
        return Tex(rf"{wrap(x, PRODUCT)}\,\mathbf{{1}}^{{\top}}", PRODUCT)
    return None


def transposed(x: Tex) -> Tex:
    for old, new in ((r"^{\top}", ""), ("^{-1}", r"^{-\top}"), (r"^{-\top}", "^{-1}")):
        if x.level == POWER and x.text.endswith(old):
            return Tex(x.text.removesuffix(old) + new, POWER if new else ATOM)
    return Tex(wrap(x, ATOM) + r"^{\top}", POWER)


def matched(x: Node, node: Node, tex: Print) -> Tex:
    """An operand in the shape of the result."""
    own = tex(x)
    if x.shape == node.shape or is_scalar(node.shape):
        return own
    if is_scalar(x.shape) and len(node.shape) > 2:
        return own
    return repeated(own, x.shape, node.shape) or own


def in_hadamard(x: Tex) -> str:
    return x.text if x.level == HADAMARD or x.level >= FUNCTION else parenthesised(x.text)


def side_by_side(a: str, b: str) -> str:
    if not a or not b:
        return a or b
    return f"{a} \\cdot {b}" if b[0].isdigit() else f"{a}\\,{b}"
