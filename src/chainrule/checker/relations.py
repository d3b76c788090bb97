"""What the wrong gradient of one argument has to do with other arguments."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from chainrule.checker.evidence import differs
from chainrule.checker.report import ArgumentReport, Evidence

Function = Callable[[np.ndarray], np.ndarray]


def related(rows: Sequence[ArgumentReport]) -> list[ArgumentReport]:
    """The rows, with a sentence for those that only the others explain."""
    named = []
    for row in rows:
        text = row.pattern
        if row.wrong and row.evidence is not None and row.evidence.claimed.shape == row.shape:
            others = [r for r in rows if r is not row and r.evidence is not None]
            with np.errstate(all="ignore"):
                if not text or _is_bare(text):
                    text = _by_values(row, others) or text
                text = text or _taken(row, others)
        named.append(row if text == row.pattern else replace(row, pattern=text))
    return named


def _is_bare(text: str) -> bool:
    """A ratio, or ratios, that nothing is said about."""
    return (text.startswith("claimed = ") and ":" not in text) or "factor of its own" in text


# --- another argument's gradient


def _taken(row: ArgumentReport, others: Sequence[ArgumentReport]) -> str:
    """It is another gradient, or that is added to it, or it lacks a multiple of that."""
    a = row.evidence
    assert a is not None
    known = np.isfinite(a.numeric)
    if row.size < 3 or not known.all():
        return ""
    for other in others:
        b = other.evidence
        assert b is not None
        if b.numeric.shape != a.numeric.shape or not np.isfinite(b.numeric).all():
            continue
        for words, f in _MADE:
            made, bound = f(b.numeric), f(b.bound)
            if made.shape == a.claimed.shape and np.any(made):
                if not differs(a.claimed, made, np.abs(bound)).any():
                    return f"it is the gradient of {other.name}{words}"
                rest = a.numeric - a.claimed
                factor = float(np.sum(rest * made) / np.sum(made * made))
                slack = a.bound + np.abs(factor * bound) + 1e-6 * np.abs(rest)
                if factor and not differs(a.claimed, a.numeric - factor * made, slack).any():
                    return f"the gradient of {other.name}{words} times {factor:.4g} is missing"
    return ""


_MADE: tuple[tuple[str, Function], ...] = (
    ("", lambda v: v),
    (", transposed", lambda v: v.T if v.ndim == 2 else np.zeros(0)),
    (", with the sign flipped", lambda v: -v),
)


# --- another argument's value

_FUNCTIONS: tuple[tuple[str, Function], ...] = (
    ("{}", lambda v: v),
    ("{}**2", lambda v: v * v),
    ("exp({})", np.exp),
    ("exp({}) squared", lambda v: np.exp(2 * v)),
    ("sqrt({})", np.sqrt),
)


def _by_values(row: ArgumentReport, others: Sequence[ArgumentReport]) -> str:
    """The factor between claim and gradient is the value of an argument; or that is missing."""
    a = row.evidence
    assert a is not None
    known = np.isfinite(a.numeric)
    if not known.all() or row.size == 0:
        return ""
    for name, value in _values(row, others):
        try:
            wide = np.broadcast_to(value, a.claimed.shape)
        except ValueError:
            continue
        for text, f in _FUNCTIONS:
            words, factor = text.format(name), f(wide)
            if not np.isfinite(factor).all() or not np.any(factor) or np.all(factor == 1):
                continue
            if not differs(a.claimed * factor, a.numeric, a.bound).any():
                return f"the factor {words} is missing"
            if not differs(a.claimed, a.numeric * factor, a.bound * np.abs(factor)).any():
                return f"the factor {words} is too much"
    return ""


def _values(
    row: ArgumentReport, others: Sequence[ArgumentReport]
) -> Iterator[tuple[str, np.ndarray]]:
    if row.size == 1 and row.evidence is not None:
        yield row.name, row.evidence.x
    for other in others:
        if other.evidence is not None and other.evidence.claimed.shape == other.shape:
            yield other.name, other.evidence.x


# --- changed places


def swapped(rows: Sequence[ArgumentReport]) -> str:
    """A sentence on two arguments whose gradients have changed places, or nothing."""
    wrong = [row for row in rows if row.wrong and row.evidence is not None]
    for a, b in itertools.combinations(wrong, 2):
        if a.shape == b.shape and _fits(a.evidence, b.evidence) and _fits(b.evidence, a.evidence):
            return f"the gradients of {a.name} and {b.name} have changed places"
    return ""


def _fits(a: Evidence | None, b: Evidence | None) -> bool:
    """Whether what is claimed for a is what was measured for b."""
    assert a is not None and b is not None
    known = np.isfinite(b.numeric)
    return bool(known.any()) and not differs(a.claimed, b.numeric, b.bound)[known].any()
