"""The equations of a program as the statements, calls and loops of the user's code.

A statement that calls a function of the user's has the function's statements inside it. A loop has
one list of statements for each round.
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from chainrule.base.where import Line, is_internal, line_of
from chainrule.explainer.names import Statement, is_returned, statement_at, target_at, unpacked_at
from chainrule.explainer.observing import Call, Place


@dataclass(eq=False)
class Block:
    """One statement, as it was carried out once: its own equations and the calls it made."""

    text: str
    line: Line
    statement: Statement | None
    equations: list[int] = field(default_factory=list)
    calls: list["CallBlock"] = field(default_factory=list)


@dataclass(eq=False)
class CallBlock:
    """One call of a function of the user's."""

    name: str
    body: list["Block | LoopBlock"] = field(default_factory=list)


@dataclass(eq=False)
class LoopBlock:
    """A loop: its header (``for x in X``) and its rounds."""

    text: str
    line: Line
    rounds: list[list["Block | LoopBlock"]]


Item = Block | LoopBlock


def outline(places: Sequence[Place]) -> list[Item]:
    """The statements of the outermost function, in the order in which they were carried out."""
    return _body(places, range(len(places)), 0)


def all_blocks(items: Sequence[Item]) -> Iterator[Block]:
    """Every statement: those of a call before the one that made it."""
    for item in items:
        if isinstance(item, LoopBlock):
            for one in item.rounds:
                yield from all_blocks(one)
        else:
            for call in item.calls:
                yield from all_blocks(call.body)
            yield item


def targets(places: Sequence[Place]) -> list[str | None]:
    """The user's name for the result of each equation.

    What a function returns is called what the caller calls it.
    """
    found: list[str | None] = []
    element = 0  # of an array that is being unpacked
    for k, place in enumerate(places):
        element = element + 1 if k and places[k - 1] == place else 0
        name = None
        names = unpacked_at(place.calls[-1].code, place.calls[-1].instruction)
        if element < len(names):
            found.append(names[element])
            continue
        following = places[k + 1] if k + 1 < len(places) else None
        if following is None or following.calls != place.calls or following.inside == place.inside:
            for call in reversed(place.calls):
                name = target_at(call.code, call.instruction)
                if name is not None or not is_returned(call.code, call.instruction):
                    break
        found.append(name)
    return found


# ---------------------------------------------------------------- statements and calls


def _body(places: Sequence[Place], equations: Sequence[int], depth: int) -> list[Item]:
    blocks: list[Block] = []
    first: Any = None  # how the current statement began
    inner: list[int] = []  # equations of a call that it is making
    reached = 0  # the last instruction: it grows while a statement is carried out once
    for i in equations:
        calls = places[i].calls
        here = calls[depth]
        statement = statement_at(here.code, here.instruction)
        key = (here.frame, statement or (here.code, line_of(here.code, here.instruction)))
        began = _signature(places[i], depth)
        as_first = first is not None and began == first[1] and not _makes_several(calls[-1])
        if first is None or first[0] != key or _again(statement, as_first, here, reached):
            _close(places, blocks, inner, depth)
            first = (key, began)
            blocks.append(_block(here, statement))
        reached = here.instruction
        if len(calls) > depth + 1:
            if inner and _other_call(places, inner, i, depth):
                _close(places, blocks, inner, depth)
            inner.append(i)
        else:
            _close(places, blocks, inner, depth)
            blocks[-1].equations.append(i)
    _close(places, blocks, inner, depth)
    return _loops(blocks, 0)


def _close(places: Sequence[Place], blocks: list[Block], inner: list[int], depth: int) -> None:
    if inner:
        called = places[inner[0]].calls[depth + 1].code.co_name
        blocks[-1].calls.append(CallBlock(called, _body(places, tuple(inner), depth + 1)))
        inner.clear()


def _block(here: Call, statement: Statement | None) -> Block:
    line = line_of(here.code, here.instruction)
    if is_internal(here.code.co_filename):  # f is a library's function
        return Block("", line, None)
    return Block(line.text if statement is None else statement.text, line, statement)


def _signature(place: Place, depth: int) -> Any:
    return tuple((c.code, c.instruction) for c in place.calls[depth:]), place.inside


def _again(statement: Statement | None, as_first: bool, here: Call, reached: int) -> bool:
    """Whether a statement that was under way has begun once more: in the next round of a loop.

    as_first : whether the equation is like the first one. reached : the instruction before.
    """
    if statement is None or not statement.loops or statement.repeats:
        return False
    return here.instruction < reached or as_first


def _makes_several(call: Call) -> bool:
    """Whether one instruction may make several values in one go."""
    statement = statement_at(call.code, call.instruction)
    return statement is not None and (statement.unpacks or statement.repeats)


def _other_call(places: Sequence[Place], inner: list[int], i: int, depth: int) -> bool:
    """Whether equation i belongs to another call than the ones before it."""
    before, now = places[inner[-1]].calls, places[i].calls
    if before[depth].instruction != now[depth].instruction:
        return True
    if before[depth + 1].frame != now[depth + 1].frame:
        return True
    start = places[inner[0]]
    if _signature(start, depth) != _signature(places[i], depth) or _makes_several(now[-1]):
        return False
    statement = statement_at(start.calls[depth + 1].code, start.calls[depth + 1].instruction)
    return statement is None or not statement.loops


# ---------------------------------------------------------------- loops


def _loops(blocks: Sequence[Block], level: int) -> list[Item]:
    """Runs of statements inside the same loop, as one loop."""
    items: list[Item] = []
    k = 0
    while k < len(blocks):
        loop = _loop_of(blocks[k], level)
        if loop is None:
            items.append(blocks[k])
            k += 1
            continue
        stop = k
        while stop < len(blocks) and _loop_of(blocks[stop], level) is loop:
            stop += 1
        items.append(_loop(loop, blocks[k:stop], level))
        k = stop
    return items


def _loop_of(block: Block, level: int) -> ast.AST | None:
    loops = block.statement.loops if block.statement is not None else ()
    return loops[level] if level < len(loops) else None


def _loop(loop: ast.AST, blocks: Sequence[Block], level: int) -> LoopBlock:
    rounds: list[list[Block]] = []
    last = None
    for block in blocks:
        part = _part_of(loop, block, level)
        restart = last is None or part[0] < last[0] or (part[0] == last[0] and not part[1])
        if restart or _other_arm(rounds[-1][-1], block):
            rounds.append([])
        rounds[-1].append(block)
        last = part
    header = ast.unparse(loop).partition("\n")[0].rstrip(":")
    line = blocks[0].line._replace(number=loop.lineno)  # type: ignore[attr-defined]
    items = [_loops(r, level + 1) for r in rounds]
    if len(items) == 1 and len(items[0]) == 1 and isinstance(items[0][0], LoopBlock):
        # nothing but an inner loop: where one round of the outer ends cannot be seen
        inner = items[0][0]
        return LoopBlock(f"{header}: {inner.text}", line, inner.rounds)
    return LoopBlock(header, line, items)


def _other_arm(before: Block, now: Block) -> bool:
    """Whether two statements are in different arms of one ``if``: not in the same round."""
    assert before.statement is not None and now.statement is not None
    arms = before.statement.arms
    return any(arms.get(node, arm) != arm for node, arm in now.statement.arms.items())


def _part_of(loop: ast.AST, block: Block, level: int) -> tuple[tuple[int, int], bool]:
    """The statement of the loop's body that a block is (part of), and whether that is a loop."""
    assert block.statement is not None
    deeper = block.statement.loops[level + 1 :]
    node = deeper[0] if deeper else block.statement.node
    return (node.lineno, node.col_offset), bool(deeper)  # type: ignore[attr-defined]
