"""All values and cotangents of a program, by how often they are made: what may be mixed up."""

from collections.abc import Hashable, Iterator
from typing import Any, NamedTuple

import numpy as np

from chainrule.checker.search import Search
from chainrule.checker.words import named, operand


class Entry(NamedTuple):
    """words : what it is called.   values, bars : one for each round; no bars for constants."""

    words: str
    values: list[Any]
    bars: list[Any]


def values(search: Search) -> dict[int, list[Entry]]:
    """Every operand and result that holds floats, by the number of rounds."""
    steps = search.steps
    table: dict[Hashable, list[tuple[int, Any]]] = {}
    for e in steps.equations:
        for slot, (kind, x) in enumerate(e.operands):
            value = steps.values[x] if kind == "var" else x
            if is_float(value):
                table.setdefault((steps.instruction(e.index), slot), []).append((e.index, value))
        if len(e.results) == 1 and is_float(steps.values[e.results[0]]):
            row = e.index, steps.values[e.results[0]]
            table.setdefault((steps.instruction(e.index), -1), []).append(row)
    pool: dict[int, list[Entry]] = {}
    for (_, slot), rows in table.items():  # type: ignore[misc]
        words = value_words(search, rows[-1][0], slot)
        pool.setdefault(len(rows), []).append(Entry(words, [v for _, v in rows], []))
    return pool


def cotangents(search: Search) -> dict[int, list[Entry]]:
    """Every variable that reaches the output, by the number of rounds."""
    steps, bars, dtypes = search.steps, search.sweep.bars, search.steps.program.dtypes
    table: dict[Hashable, list[int]] = {v: [v] for v in steps.program.inputs}
    for e in steps.equations:
        if len(e.results) == 1:
            table.setdefault(steps.instruction(e.index), []).append(e.results[0])
    pool: dict[int, list[Entry]] = {}
    for variables in table.values():
        if all(v in bars and dtypes[v].kind == "f" for v in variables):
            found = [steps.values[v] for v in variables], [bars[v] for v in variables]
            pool.setdefault(len(variables), []).append(Entry(named(steps, variables[-1]), *found))
    return pool


def same_rounds(pool: dict[int, list[Entry]], rounds: int) -> Iterator[Entry]:
    """What is made as often, and what is made once, for every round."""
    yield from pool.get(rounds, [])
    if rounds > 1:
        for words, found, bars in pool.get(1, []):
            yield Entry(words, found * rounds, bars * rounds)


def is_float(value: Any) -> bool:
    return (
        isinstance(value, (np.ndarray, np.generic, float)) and np.asarray(value).dtype.kind == "f"
    )


def value_words(search: Search, i: int, slot: int) -> str:
    """What operand ``slot`` of equation ``i`` is called; its result for -1."""
    steps = search.steps
    return operand(steps, i, slot) if slot >= 0 else named(steps, steps.equations[i].results[0])
