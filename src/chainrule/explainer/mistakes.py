"""Where a gradient by hand goes wrong: the first value that is not what it should be."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chainrule.explainer.derivation import Bar
from chainrule.explainer.hand_written import Computed
from chainrule.explainer.matching import Match, Quantity, is_gradient_name, related, stem


@dataclass(frozen=True, eq=False)
class Row:
    """One value that they computed, and what it is of ours; None if it is nothing of ours."""

    computed: Computed
    match: Match | None

    @property
    def verdict(self) -> str:
        if self.match is None:
            return "no counterpart" if np.any(self.computed.value) else "zero"
        if self.match.exact:
            return "agrees"
        return "other sign" if self.match.factor == -1 else f"{self.match.factor:.6g} times ours"


@dataclass(frozen=True, eq=False)
class Culprit:
    """The first statement that goes wrong, and what it should have computed."""

    row: Row
    expected: Quantity | None

    def __str__(self) -> str:
        made = self.row.computed
        where = str(made.line).partition("   ")[0]
        text = f"{made.name} ({where}) is where it goes wrong: {made.text}"
        if self.expected is None:
            text = f"{made.name} ({where}) is the first value that is none of ours: {made.text}"
            text += "\n  it, or what is made from it, goes wrong"
        if self.row.match is not None:
            text += f"\n  it is {self.row.match}"
        if self.expected is not None:
            text += f"\n  expected {self.expected.name} = {self.expected.text}"
        return text


def culprit_of(
    rows: Sequence[Row], ours: Sequence[Quantity], by_leaf: dict[int | None, Bar]
) -> Culprit | None:
    """The first value that is wrong while what it was computed from is right."""
    right = _right_ones(rows)
    candidates = []
    for row in rows:
        if id(row.computed) not in right and all(id(x) in right for x in row.computed.uses):
            candidates.append(Culprit(row, _expected(row, rows, ours, by_leaf)))
    for wanted in (lambda c: c.expected is not None, lambda c: True):
        for candidate in candidates:
            if wanted(candidate):
                return _earlier(candidate, rows, ours)
    return None


def _right_ones(rows: Sequence[Row]) -> set[int]:
    """Values that are ours, or that something right was computed from; and where sums begin."""
    right = {id(row.computed) for row in rows if is_exact(row)}
    for row in reversed(rows):
        if id(row.computed) in right and np.any(row.computed.value):
            right.update(id(x) for x in row.computed.uses)
    return right | {id(row.computed) for row in rows if _is_start(row.computed)}


def is_exact(row: Row) -> bool:
    return row.match is not None and row.match.exact


def _is_start(made: Computed) -> bool:
    """Zeros that something is going to be added to."""
    return made.returned is None and not np.any(made.value)


def _expected(
    row: Row, rows: Sequence[Row], ours: Sequence[Quantity], by_leaf: dict[int | None, Bar]
) -> Quantity | None:
    """The cotangent that a wrong value should have been."""
    made = row.computed
    bars = [q for q in ours if q.kind == "cotangent"]
    if made.returned in by_leaf:
        name = by_leaf[made.returned].name
        return next(q for q in bars if q.name == name)
    if row.match is not None and row.match.ours.kind == "cotangent":
        return row.match.ours
    exact = [r.match.ours for r in rows if r.match is not None and r.match.exact]
    known = {q.name for q in exact}
    used = _names_of([r for r in rows if r.computed in made.uses], bars)
    best, score = None, 0
    for q in bars:
        fits = np.squeeze(q.value).shape == np.squeeze(made.value).shape
        if q.name in known | used or not (fits or q.value.T.shape == made.value.shape):
            continue
        called = is_gradient_name(made.name) and related(made.name, q.name)
        points = 4 * called + 2 * bool(q.bars & used) + fits
        if points > score:
            best, score = q, points
    return best if score > 1 else None


def _names_of(rows: Sequence[Row], bars: Sequence[Quantity]) -> set[str]:
    """The cotangents that values are, or are terms of; some have the same value: h_bar = r_bar."""
    found = [r.match.ours for r in rows if r.match is not None and r.match.exact]
    alike = {b.name for b in bars for q in found if np.array_equal(b.value, q.value)}
    return alike | {q.of or q.name for q in found}


def _earlier(c: Culprit, rows: Sequence[Row], ours: Sequence[Quantity]) -> Culprit:
    """The mistake may be in what was used: a value of ours, but not the one that is needed."""
    bars = [q for q in ours if q.kind == "cotangent"]
    by_name = {q.name: q for q in bars}
    row_of = {id(row.computed): row for row in rows}
    trusted = {id(x) for row in rows if is_exact(row) for x in row.computed.uses}
    for _ in range(len(rows)):
        made, expected = c.row.computed, c.expected
        used = [row_of[id(x)] for x in made.uses if id(x) in row_of]
        if expected is None or not used:
            return c
        if made.returned is not None and made.text.split(": ")[-1].isidentifier():
            if _is_own(used[-1]):  # right, but returned in the wrong place
                return c
            c = Culprit(used[-1], expected)
            continue
        there = _names_of([r for r in used if r.match is None or not r.match.ours.of], bars)
        missing = [by_name[b] for b in expected.bars - there if by_name[b].value.size > 1]
        suspects = [r for r in used if _is_cotangent(r)]
        if len(suspects) != 1 or id(suspects[0].computed) in trusted:
            return c
        found = [(r, q) for q in missing for r in suspects if _in_place_of(r, q, expected)]
        if not found:
            return c
        c = Culprit(*found[-1])
    return c


def _in_place_of(row: Row, missing: Quantity, expected: Quantity) -> bool:
    """Whether a value that was used stands where the missing cotangent should."""
    made, match = row.computed, row.match
    if np.squeeze(made.value).shape != np.squeeze(missing.value).shape:
        return False
    if match is None or not match.exact:
        return True
    return match.ours.name not in expected.bars and not _is_own(row)


def _is_cotangent(row: Row) -> bool:
    """Whether a value is one of our cotangents, or called like one."""
    match = row.match
    return stem(row.computed.name) != row.computed.name or (
        match is not None and match.ours.kind != "value"
    )


def _is_own(row: Row) -> bool:
    """Whether a value is what it is called after: dh is h_bar."""
    return (
        row.match is not None
        and row.match.exact
        and related(row.computed.name, row.match.ours.name)
    )
