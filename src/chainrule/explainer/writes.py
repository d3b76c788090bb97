"""Writes as a person writes them: a filled buffer is its value, y[i] = y[i] + g is y[i] += g."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.explainer.calls import Call, Calls, Ref


def whole_writes(table: Calls, calls: list[Call]) -> list[Call]:
    """A buffer that is filled as a whole is the value it is filled with. No bit changes: arrays in
    another order of elements, on which the last bits of sums depend, stay."""
    out = []
    for call in calls:
        value = call.args[2] if call.kind == "set" else None
        if type(value) is Ref and table.shapes[value.var]:
            y = call.results[0]
            is_same = table.shapes[value.var] == table.shapes[y]
            if not (is_same and table.contiguous[value.var] and table.contiguous[y]):
                out.append(call)
                continue
        out.append(whole_write(table, call))
    return out


def whole_write(table: Calls, call: Call) -> Call:
    if call.kind != "set" or call.path or call.args[1] is not Ellipsis:
        return call
    value, y = call.args[2], call.results[0]
    shape, dtype = table.shapes[y], table.dtypes[y]
    if type(value) is Ref and table.shapes[value.var]:
        is_same = table.shapes[value.var] == shape
        if table.dtypes[value.var] == dtype:
            name, kind = ("copy", "method") if is_same else ("np.broadcast_to", "call")
            args = (value,) if is_same else (value, shape)
            return replace(call, kind=kind, name=name, args=args, path=())
        if not is_same:
            return call
        return replace(call, kind="method", name="astype", args=(value, dtype), path=())
    if isinstance(value, np.ndarray) and value.ndim:
        return call
    kwargs: dict[str, Any] = {"dtype": dtype}
    if dtype == np.float64 and (type(value) is Ref and table.dtypes[value.var] == dtype):
        kwargs = {}
    if dtype == np.float64 and type(value) in (int, float):
        value, kwargs = float(value), {}
    return replace(call, kind="call", name="np.full", args=(shape, value), kwargs=kwargs, path=())


def updates(calls: list[Call], outputs: list[Any]) -> list[Call]:
    """``t = y[i]; u = t + g; y[i] = u`` as one call: y[i] += g."""
    uses = Counter(v for call in calls for v in call.refs())
    uses.update(x.var for x in outputs if type(x) is Ref)
    makers = {v: call for call in calls for v in call.results}
    dropped: set[int] = set()
    out = []
    for call in calls:
        merged = _update(call, makers, uses)
        if merged is not None:
            call, parts = merged
            dropped.update(map(id, parts))
        out.append(call)
    return [c for c in out if id(c) not in dropped]


def _update(call: Call, makers: dict[int, Call], uses: Counter) -> Any:
    if call.kind != "set" or call.path or type(call.args[2]) is not Ref:
        return None
    x, index, value = call.args
    total = makers.get(value.var)
    if total is None or total.name not in ("np.add", "np.subtract") or uses[value.var] != 1:
        return None
    part, g = total.args
    read = makers.get(part.var) if type(part) is Ref else None
    if read is None or read.kind != "get" or uses[part.var] != 1:
        return None
    if read.args[0] != x or hashable(read.args[1]) != hashable(index):
        return None
    sign = "+" if total.name == "np.add" else "-"
    return replace(call, kind="update", name=sign, args=(x, index, g)), (read, total)


def hashable(x: Any) -> Any:
    """A key of an argument: arrays by their contents."""
    if type(x) in (tuple, list):
        return (type(x).__name__, *map(hashable, x))
    if type(x) is slice:
        return ("slice", hashable(x.start), hashable(x.stop), hashable(x.step))
    if isinstance(x, np.ndarray):
        return (x.shape, x.dtype.str, x.tobytes())
    return (type(x), repr(x) if type(x) is float else x)  # -0.0 is not 0.0
