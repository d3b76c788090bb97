"""Wrong factors: what an edge sends is a cotangent times values of the program, but the wrong ones.

All products of one shape are tried at once: a table of factors times the tangents.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from chainrule.checker.pools import Entry, cotangents, same_rounds, values
from chainrule.checker.search import Group, Guess, Search
from chainrule.checker.slips import instead
from chainrule.checker.sweep import Change, Edge

_FEW = 3  # numbers that some product always explains
_MOST = 300_000  # numbers in a table of factors
_PLAIN = 2  # functions that are tried for every cotangent, not only for the step's own
_OWN = 3.1
_TIMES = (
    (1.0, ""),
    (-1.0, "-"),
    (2.0, "2 * "),
    (0.5, "0.5 * "),
    (-2.0, "-2 * "),
    (-0.5, "-0.5 * "),
)

_FUNCTIONS: tuple[tuple[str, float, Callable[[np.ndarray], np.ndarray]], ...] = (
    ("{}", 0.0, lambda v: v),
    ("1 / {}", 0.1, lambda v: 1 / v),
    ("1 - {}**2", 0.1, lambda v: 1 - v * v),
    ("{0} * (1 - {0})", 0.1, lambda v: v * (1 - v)),
    ("1 - {}", 0.1, lambda v: 1 - v),
    ("{}**2", 0.2, lambda v: v * v),
    ("1 / {}**2", 0.2, lambda v: 1 / (v * v)),
    ("({} > 0)", 0.2, lambda v: (v > 0) * 1.0),
    ("({} < 0)", 0.2, lambda v: (v < 0) * 1.0),
    ("({} == 0)", 0.3, lambda v: (v == 0) * 1.0),
    ("(|{}| < 1)", 0.3, lambda v: (np.abs(v) < 1) * 1.0),
    ("sign({})", 0.3, np.sign),
    ("|{}|", 0.3, np.abs),
    ("1 + {}", 0.3, lambda v: 1 + v),
    ("sqrt({})", 0.3, lambda v: np.sqrt(np.abs(v))),
    ("1 / sqrt({})", 0.3, lambda v: 1 / np.sqrt(np.abs(v))),
    ("exp({})", 0.3, np.exp),
    ("exp(-{})", 0.3, lambda v: np.exp(-v)),
    ("{}**3", 0.3, lambda v: v**3),
    ("cos({})", 0.3, np.cos),
    ("sin({})", 0.3, np.sin),
    ("1 / (1 + exp(-{}))", 0.3, lambda v: 1 / (1 + np.exp(-v))),
    ("log({})", 0.4, lambda v: np.log(np.abs(v))),
    ("1 / (1 + {})", 0.4, lambda v: 1 / (1 + v)),
)


class Base(NamedTuple):
    """A cotangent that may have been multiplied; ``text`` has room for the {factor}."""

    text: str
    cost: float
    numbers: np.ndarray


class _Table:
    """Factors for one number of rounds and shape: (words, cost), and a row of numbers each.

    The first ``plain`` ones are values of the program themselves, and their inverses.
    """

    def __init__(self, pool: dict[int, list[Entry]], rounds: int, shape: tuple[int, ...]):
        rows = [np.ones(rounds * int(np.prod(shape)))]
        self.words: list[tuple[str, float]] = [("1", 0.0)]
        spread = [(e.words, _spread(e.values, shape)) for e in same_rounds(pool, rounds)]
        for n, (text, cost, f) in enumerate(_FUNCTIONS):
            if n == _PLAIN:
                self.plain = len(rows)
            for words, value in spread:
                row = value if value is None else f(value)
                if row is None or len(rows) * row.size > _MOST:
                    continue
                if np.isfinite(row).all() and np.ptp(row) > 0:  # constants are found elsewhere
                    rows.append(row)
                    self.words.append((text.format(words), 0.2 + cost))
        self.rows = np.stack(rows)


def _spread(found: list[Any], shape: tuple[int, ...]) -> np.ndarray | None:
    try:
        return np.stack([np.broadcast_to(v, shape) for v in found]).reshape(-1)
    except ValueError:
        return None


def factors(search: Search) -> Iterator[Guess]:
    """A factor too much or missing; a wrong slope; the cotangent of something else."""
    pool, bars = values(search), cotangents(search)
    tables: dict[Any, _Table] = {}
    for group in [*search.groups, *search.wholes]:
        tangents = _tangents(search, group)
        if tangents is None or search.is_over or search.numbers(group.mask) < _FEW:
            continue
        shape = np.shape(search.sweep.sent[group.last])
        rounds = _rounds(group)
        if (rounds, shape) not in tables:
            tables[rounds, shape] = _Table(pool, rounds, shape)
        table = tables[rounds, shape]
        wanted = search.target + search.contribution(group.edges)
        for base in _bases(search, group, shape, bars):
            rows = table.rows[: table.plain] if base.cost > _OWN else table.rows
            search.compared += rows.size / 5000 + len(rows) / 200
            weighted = base.numbers * tangents
            first = (rows @ weighted[0])[:, None]
            for times, sign in _TIMES:
                # one direction for all, and all directions for what it leaves
                for place in np.flatnonzero(search.is_near(times * first, wanted[:1])):
                    row = times * rows[int(place)]
                    if not search.is_near(weighted @ row, wanted):
                        continue
                    words, cost = table.words[int(place)]
                    cost += base.cost + 0.1 * (times != 1)
                    text, row = _written(base.text, sign, words), row * base.numbers
                    yield _guess(search, group, cost, text, row.reshape(rounds, *shape))


def _written(text: str, sign: str, words: str) -> str:
    """The factor in its place: "has the factor 1 / s too much" is "lacks the factor s"."""
    if sign + words == "1":
        return text.replace("{factor} times ", "")
    too_much, inverse = " has the factor {factor} too much", words.removeprefix("1 / ")
    if inverse != words and " + " not in inverse and too_much in text:
        return text.replace(too_much, f" lacks the factor {sign}{inverse}")
    return text.replace("{factor}", _product(sign, words))


def _product(sign: str, words: str) -> str:
    if words != "1":
        return sign + words
    return "-1" if sign == "-" else sign.removesuffix(" * ")


def _guess(search: Search, group: Group, cost: float, text: str, rows: np.ndarray) -> Guess:
    text = text.replace("{step}", search.step(group)).replace("{operand}", search.operand(group))
    edges = list(group.edges)
    slip: dict[Edge, Change]
    if group.is_whole:
        slip = instead(edges, rows[0])
    else:
        slip = {edge: _sends(row) for edge, row in zip(edges, rows)}
    return Guess(cost, text, slip)


def _sends(row: np.ndarray) -> Change:
    return lambda g, bar: row


# --- cotangents that are multiplied


def _rounds(group: Group) -> int:
    return 1 if group.is_whole else len(group.edges)


def _tangents(search: Search, group: Group) -> np.ndarray | None:
    """(directions, numbers) of the variables; None where the group cannot be multiplied at once."""
    edges = group.edges[:1] if group.is_whole else group.edges
    found = [search.tangents[search.variable(edge)] for edge in edges]
    if group.is_serial or len({t.shape for t in found}) > 1 or found[0].dtype.kind != "f":
        return None
    return np.stack(found, axis=1).reshape(len(found[0]), -1)


def _bases(
    search: Search, group: Group, shape: tuple[int, ...], bars: dict[int, list[Entry]]
) -> Iterator[Base]:
    yield from _own(search, group, shape)
    for words, found, sent in bars.get(_rounds(group), []):
        if all(np.shape(bar) == shape for bar in sent):
            G, y = np.stack(sent), np.stack(found)
            yield Base(
                f"{{factor}} times the cotangent of {words} is sent to {{operand}} by {{step}}",
                3.0,
                G.reshape(-1),
            )
            for text, made in _reduced(G, y):
                text = text.format(G=f"the cotangent of {words}", y=words)
                yield Base(
                    f"{{factor}} times ({text}) is sent to {{operand}} by {{step}}",
                    3.3,
                    made.reshape(-1),
                )


def _own(search: Search, group: Group, shape: tuple[int, ...]) -> Iterator[Base]:
    sweep = search.sweep
    bars = np.stack([sweep.sent[edge] for edge in group.edges])
    if group.is_whole:
        text = "the cotangent of {operand} has the factor {factor} too much"
        yield Base(text, 2.5, bars.sum(axis=0).reshape(-1))
        return
    gs = [sweep.g[i] for i, _ in group.edges]
    if all(isinstance(g, (np.ndarray, np.generic)) and g.shape == shape for g in gs):
        if all(np.isrealobj(g) for g in gs):
            text = "the slope of {step} by {operand} is taken as {factor}"
            yield Base(text, 2.0, np.stack(gs).reshape(-1))
    text = "{operand}'s cotangent from {step} has the factor {factor} too much"
    yield Base(text, 2.5, bars.reshape(-1))


def _reduced(G: np.ndarray, y: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """A cotangent summed or centred, as softmax and normalisations do; the first axis is rounds."""
    axes: list[Any] = list(range(1, G.ndim))
    for axis in [*axes, tuple(axes)] if len(axes) > 1 else axes:
        where = f"axis {axis - 1}" if isinstance(axis, int) else "all axes"
        total, mean = G.sum(axis=axis, keepdims=True), G.mean(axis=axis, keepdims=True)
        weighted = (G * y).sum(axis=axis, keepdims=True)
        part = y * (G * y).mean(axis=axis, keepdims=True)
        yield f"the sum of {{G}} over {where}", 0 * G + total
        yield f"{{G}}, less its sum over {where}", G - total
        yield f"{{G}}, less its mean over {where}", G - mean
        yield f"{{G}}, less the sum of its product with {{y}} over {where}", G - weighted
        yield f"{{G}}, less {{y}} times the mean of their product over {where}", G - part
        both = f"{{G}}, less its mean and {{y}} times the mean of their product over {where}"
        yield both, G - mean - part
        yield f"the sum of {{G}} times {{y}} over {where}", 0 * G + weighted


# --- two factors


def branches(search: Search) -> Iterator[Guess]:
    """One factor on each side of a condition, as of a leak or a mask."""
    pool = values(search)
    for group in search.groups:
        tangents = _tangents(search, group)
        if tangents is None or search.is_over or search.numbers(group.mask) < 2 * _FEW:
            continue
        shape = np.shape(search.sweep.sent[group.last])
        wanted = search.target + search.contribution(group.edges)
        for words, found, _ in pool.get(len(group.edges), []):
            if any(np.shape(v) != shape for v in found):
                continue
            value = np.stack(found).reshape(-1)
            for condition, inside in (
                (f"{words} > 0", value > 0),
                (f"|{words}| < 1", np.abs(value) < 1),
            ):
                if not 2 <= inside.sum() <= inside.size - 2:
                    continue
                for base in _own(search, group, shape):
                    search.compared += value.size * len(tangents) / 2500 + 2
                    sides = [tangents @ (base.numbers * side) for side in (inside, ~inside)]
                    made = np.stack(sides, axis=1)
                    a, b = np.linalg.lstsq(made, wanted, rcond=None)[0]
                    if (
                        abs(a - b) > 1e-6
                        and _is_round(a, b)
                        and search.is_near(made @ [a, b], wanted)
                    ):
                        text = _written(
                            base.text, "", f"{a:.3g} where {condition}, {b:.3g} elsewhere"
                        )
                        row = np.where(inside, a, b) * base.numbers
                        shaped = row.reshape(len(group.edges), *shape)
                        yield _guess(search, group, base.cost + 0.6, text, shaped)


def _is_round(*numbers: float) -> bool:
    """Numbers that a person would write: of two digits."""
    return all(abs(x - float(f"{x:.2g}")) < 1e-6 * max(abs(x), 1.0) for x in numbers)
