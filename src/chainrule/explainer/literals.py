"""Pieces of program text: names, numbers, arrays, and lines broken as formatters break them."""

import base64
import builtins
import keyword
import re
import textwrap
import unicodedata
import zlib
from typing import Any

import numpy as np

LITERAL, LENGTH = 32, 200  # numbers of an array that are written one by one, their characters


def identifier(wanted: str) -> str:
    """A valid name like the wanted one that hides no keyword and no builtin."""
    text = unicodedata.normalize("NFKC", re.sub(r"\W+", "_", wanted)).strip("_") or "x"
    if text[0].isdigit():
        text = f"x{text}"
    if keyword.iskeyword(text) or keyword.issoftkeyword(text) or hasattr(builtins, text):
        text += "_"
    return text if text.isidentifier() else "x"


def number(x: float) -> str:
    if x != x:
        return "np.nan"
    return repr(x) if abs(x) != np.inf else ("np.inf" if x > 0 else "-np.inf")


def quoted(text: str) -> str:
    """A string as formatters write it: in double quotes where that needs no more escapes."""
    plain = repr(text)
    if plain[0] == "'" and '"' not in text:
        return '"' + plain[1:-1].replace("\\'", "'") + '"'
    return plain


def dtype_text(dtype: Any) -> str:
    dtype = np.dtype(dtype)
    return "bool" if dtype.kind == "b" else f"np.{dtype.type.__name__}"


def short_array(x: np.ndarray) -> str | None:
    """An array that a few words can say, or None."""
    kind = "" if x.dtype in (np.dtype(float), np.dtype(int)) else f", {dtype_text(x.dtype)}"
    shape = repr(x.shape) if x.ndim > 1 else str(x.size)
    if x.size == 0:
        return f"np.zeros({shape}, {dtype_text(x.dtype)})"
    first = x.flat[0]
    if x.size > 2 and x.dtype.kind in "fi" and (x == first).all() and np.isfinite(first):
        if first in (0, 1) and not np.signbit(first):
            what = "np.ones" if first else "np.zeros"
            return f"{what}({shape}{', int' if x.dtype == int else kind})"
        return f"np.full({shape}, {first.item()!r}{kind})"
    if x.size > 2 and x.ndim == 1 and x.dtype.kind == "i" and (np.diff(x) == 1).all():
        start = "" if first == 0 else f"{first}, "
        return f"np.arange({start}{first + x.size}{kind and ', dtype=' + kind[2:]})"
    if x.ndim == 2 and x.shape[0] == x.shape[1] > 1 and np.array_equal(x, np.eye(len(x))):
        return f"np.eye({len(x)}{kind and ', dtype=' + kind[2:]})"
    text = f"np.array({_nested(x.tolist())}{kind})" if x.size <= LITERAL else ""
    return text if 0 < len(text) <= LENGTH else None


def _nested(x: Any) -> str:
    if isinstance(x, list):
        return f"[{', '.join(map(_nested, x))}]"
    if isinstance(x, complex):
        return complex_number(x)
    return number(x) if isinstance(x, float) else repr(x)


def complex_number(x: complex) -> str:
    """2.0 - 1.5j; by its parts where an operator would change the sign of a zero, or make NaN."""
    if not np.isfinite(x) or (np.signbit(x.imag) and x.imag == 0):
        return f"complex({number(x.real)}, {number(x.imag)})"
    return f"{x.real!r} {'-' if x.imag < 0 else '+'} {abs(x.imag)!r}j"


def packed(x: np.ndarray) -> list[str]:
    """The bytes of an array as lines of text; ``_array`` of the file reads them."""
    data = base64.b85encode(zlib.compress(np.ascontiguousarray(x).tobytes(), 9)).decode()
    return [data[i : i + 80] for i in range(0, len(data), 80)]


def array_lines(name: str, x: np.ndarray, indent: int = 0) -> list[str]:
    """The statement ``name = array``."""
    text = short_array(x)
    if text is not None:
        return [laid_out(f"{name} = {text}", indent)]
    space = " " * indent
    lines = [f"{space}{name} = _array("]
    lines += [f"{space}    {quoted(part)}" for part in packed(x)]
    lines[-1] += ","
    lines += [f"{space}    {x.shape!r},", f"{space}    {quoted(x.dtype.str)},", f"{space})"]
    return lines


def laid_out(text: str, indent: int) -> str:
    """A statement on one line, or on several where it is too long, as formatters break it."""
    space = " " * indent
    if len(text) + indent <= 100 or text[-1] not in ")]}":
        return space + text
    start = _opening(text)
    head, inside, end = text[: start + 1], text[start + 1 : -1], text[-1]
    items = _split(inside)
    if not items:
        return space + text
    is_call = end == ")" and re.search(r"[\w\])]$", head[:-1]) is not None
    if len(items) == 1 and end == ")" and is_call:
        return "\n".join([space + head, laid_out(inside, indent + 4), space + end])
    if is_call and len(inside) + indent + 4 <= 100:
        return f"{space}{head}\n{space}    {inside}\n{space}{end}"
    rows = [laid_out(item, indent + 4) + "," for item in items]
    return "\n".join([space + head, *rows, space + end])


def _code(text: str) -> list[tuple[int, str]]:
    """The characters outside strings, with their places."""
    found, quote, at = [], "", 0
    while at < len(text):
        c = text[at]
        if quote:
            if c == "\\":
                at += 1
            elif c == quote:
                quote = ""
        elif c in "\"'":
            quote = c
        else:
            found.append((at, c))
        at += 1
    return found


def _opening(text: str) -> int:
    """The bracket that the last one closes."""
    opened = []
    start = 0
    for at, c in _code(text):
        if c in "([{":
            opened.append(at)
        elif c in ")]}":
            start = opened.pop()
    return start


def _split(text: str) -> list[str]:
    """The text at its outermost commas."""
    parts, depth, last = [], 0, 0
    for at, c in _code(text):
        depth += (c in "([{") - (c in ")]}")
        if c == "," and depth == 0:
            parts.append(text[last:at].strip())
            last = at + 1
    tail = text[last:].strip()
    return parts + [tail] * bool(tail)


def wrapped(text: str, indent: int) -> list[str]:
    """A comment, on several lines where it is too long for one."""
    space = " " * indent
    parts = textwrap.wrap(" ".join(text.split()), 98 - indent, break_long_words=False)
    return [f"{space}# {parts[0]}", *[f"{space}#   {part}" for part in parts[1:]]]
