"""Writes as values: ``y[i] = v`` makes a new version of y, and every later read reads that one.

Calls as they were noted share memory: views see what is written. In the program made here a call
depends on its arguments alone, so calls may be shared, dropped and repeated like formulas. Which
version may take the memory of the one before is found out again when the program is written down
(``roots`` says what shares memory).
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.explainer.calls import Call, Calls, Ref

PURE = ("call", "method", "get", "attribute", "make")
WRITES = ("set", "update", "into", "into method")


def versioned(table: Calls, calls: Iterable[Call], outputs: list[Any]) -> tuple[list, list]:
    """The calls with writes as values, and the outputs in terms of them."""
    work = _Versions(table)
    new = [made for call in calls for made in work.one(call)]
    tail: list[Call] = []
    outputs = [Ref(work.now(x.var, tail)) if type(x) is Ref else x for x in outputs]
    return new + tail, outputs


class _Versions:
    def __init__(self, table: Calls):
        self.table = table
        self.current: dict[int, int] = {}  # root -> its newest version
        self.count: dict[int, int] = {}  # root -> how often it was written
        self.makers: dict[int, Call] = {}  # of views, as they were noted
        self.seen: dict[int, tuple[int, int]] = {}  # view -> (count of its root, who stands for it)

    def one(self, call: Call) -> list[Call]:
        out: list[Call] = []
        memory = self.table.memory
        if call.writes < 0:
            new = self._with_arguments(call, out)
            for v in call.results:
                if memory[v] != v:
                    self.makers[v] = call
                    self.seen[v] = (self.count.get(memory[v], 0), v)
            return [*out, new]
        root = memory[call.writes]
        path = self._path(call.writes, out)
        rest = [self._argument(x, out) for x in call.args[1:]]
        before = self.current.get(root, root)
        after = self.table.like(before)
        self.current[root] = after
        self.count[root] = self.count.get(root, 0) + 1
        kind = {"call": "into", "method": "into method"}.get(call.kind, call.kind)
        if kind in ("set", "update") and path and rest[0] is Ellipsis and path[-1][1].kind == "get":
            rest[0] = path[-1][1].args[1]  # v = y[i]; v[...] = g
            path = path[:-1]
        kwargs = {k: self._argument(v, out) for k, v in call.kwargs.items()}
        made = replace(
            call, kind=kind, args=(Ref(before), *rest), kwargs=kwargs, results=(after,), writes=-1,
            path=tuple(path),
        )  # fmt: skip
        return [*out, made]

    def now(self, var: int, out: list[Call]) -> int:
        """What stands for a variable after the writes so far; views are taken again."""
        memory = self.table.memory
        root = memory[var]
        if root == var:
            return self.current.get(var, var)
        count, known = self.seen.get(var, (0, var))
        if count == self.count.get(root, 0) or var not in self.makers:
            return known
        again = self._with_arguments(self.makers[var], out)
        results = tuple(self.table.like(v) for v in again.results)
        for v, new in zip(again.results, results):
            self.table.memory[new] = self.now(root, out)
            self.seen[v] = (self.count[root], new)
        out.append(replace(again, results=results))
        return self.seen[var][1]

    def _path(self, var: int, out: list[Call]) -> list[tuple[int, Call]]:
        """The steps from the root of a view to it, each with the variable it starts at."""
        steps: list[tuple[int, Call]] = []
        memory = self.table.memory
        while memory[var] != var:
            call = self.makers[var]
            parent = next(v for v in call.refs() if memory[v] == memory[var])
            rest = replace(
                call,
                args=tuple(
                    x if type(x) is Ref and x.var == parent else self._argument(x, out)
                    for x in call.args
                ),
            )
            steps.append((parent, rest))
            var = parent
        return steps[::-1]

    def _with_arguments(self, call: Call, out: list[Call]) -> Call:
        args = tuple(self._argument(x, out) for x in call.args)
        kwargs = {k: self._argument(x, out) for k, x in call.kwargs.items()}
        return replace(call, args=args, kwargs=kwargs)

    def _argument(self, x: Any, out: list[Call]) -> Any:
        if type(x) is Ref:
            return Ref(self.now(x.var, out))
        if type(x) in (tuple, list):
            return type(x)(self._argument(v, out) for v in x)
        if type(x) is slice:
            return slice(*(self._argument(v, out) for v in (x.start, x.stop, x.step)))
        return x


# ---------------------------------------------------------------- what shares memory


# Views, or views where the layout allows one: to write into the result may change the operand.
_VIEWS = set(
    "reshape ravel transpose swapaxes squeeze view diagonal T mT real imag moveaxis expand_dims "
    "broadcast_to broadcast_arrays atleast_1d atleast_2d atleast_3d asarray rollaxis split "
    "array_split hsplit vsplit dsplit flip fliplr flipud rot90 matrix_transpose permute_dims "
    "unstack lib.stride_tricks.sliding_window_view".split()
)


def roots(table: Calls, calls: Iterable[Call]) -> dict[int, int]:
    """For every variable the one whose memory it may be part of; its own if it has its own."""
    found: dict[int, int] = {}
    for call in calls:
        for v in call.results:
            source = -1
            shared = table.memory[v] != v or call.name.rpartition(".")[2] in _VIEWS
            if call.kind in WRITES or call.kind == "make" or table.scalars[v]:
                shared = False
            elif call.kind == "get":
                shared = table.memory[v] != v
            if shared:
                source = next(iter(call.refs()), -1)
            found[v] = found.get(source, source) if source >= 0 else v
    return found


def prune(calls: list[Call], outputs: Iterable[Any]) -> list[Call]:
    """The calls that the outputs and the guards need."""
    live = {x.var for x in outputs if type(x) is Ref}
    kept = []
    for call in reversed(calls):
        if call.kind == "guard" or not live.isdisjoint(call.results):
            kept.append(call)
            live.update(call.refs())
    kept.reverse()
    return kept


def substituted(x: Any, new: dict[int, Any]) -> Any:
    if type(x) is Ref:
        return new.get(x.var, x)
    if type(x) in (tuple, list):
        return type(x)(substituted(v, new) for v in x)
    if type(x) is slice:
        return slice(*(substituted(v, new) for v in (x.start, x.stop, x.step)))
    return x


def with_arguments(call: Call, new: dict[int, Any]) -> Call:
    """The call with other references or numbers in place of some variables."""
    if not any(v in new for v in call.refs()):
        return call
    path = []
    for parent, step in call.path:
        inner = {k: v for k, v in new.items() if k != parent}
        path.append((parent, with_arguments(step, inner)))
    kwargs = {k: substituted(v, new) for k, v in call.kwargs.items()}
    return replace(call, args=substituted(call.args, new), kwargs=kwargs, path=tuple(path))


def without_copies(table: Calls, calls: list[Call], outputs: list[Any], bitwise: bool) -> Any:
    """Copies are the same value; ``bitwise`` keeps those in another order of the elements, on
    which the last bits of sums and products depend."""
    new: dict[int, Any] = {}
    kept = []
    for call in calls:
        call = with_arguments(call, new)
        x = call.args[0] if call.args else None
        is_copy = (call.kind, call.name) in (("method", "copy"), ("call", "np.copy"))
        if is_copy and isinstance(x, np.ndarray) and (x.flags.c_contiguous or not bitwise):
            new[call.results[0]] = x
            continue
        if is_copy and type(x) is Ref:
            y = call.results[0]
            if table.scalars[x.var] == table.scalars[y] and (
                not bitwise or table.contiguous[x.var] == table.contiguous[y]
            ):
                new[y] = x
                name_after(table, x.var, y)
                continue
        kept.append(call)
    return kept, [substituted(x, new) for x in outputs]


def name_versions(table: Calls, calls: list[Call]) -> None:
    """An array has one name from when it is made, also if only its last version was given one."""
    for call in reversed(calls):
        if call.kind in WRITES and type(call.args[0]) is Ref:
            name_after(table, call.args[0].var, call.results[0])


def name_after(table: Calls, var: int, other: int) -> None:
    """What stands for a variable takes its name, if it has none and is no argument."""
    if other in table.names and var not in table.inputs:
        table.names.setdefault(var, table.names[other])


def is_elementwise(call: Call) -> bool:
    if call.kind != "call" or not call.name.startswith("np.") or call.kwargs:
        return False
    ufunc = getattr(np, call.name[3:], None)
    return isinstance(ufunc, np.ufunc) and ufunc.signature is None and ufunc.nout == 1
