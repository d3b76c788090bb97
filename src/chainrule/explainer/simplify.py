"""Fewer calls for the same derivative: what a person would not write down is left out.

Ones and zeros, products of known numbers, double negation, sums that are means, what is computed
twice. The results agree with the sweep's to a few ulp. Calls are values here (``versions``), so a
rule looks at one call and at those that made its arguments; the user's named intermediate results
stay. One rule is one method or one entry of a table.
"""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.explainer.calls import Call, Calls, Ref
from chainrule.explainer.versions import (
    PURE,
    is_elementwise,
    name_after,
    prune,
    substituted,
    with_arguments,
)
from chainrule.explainer.writes import hashable, updates, whole_write


def simplify(table: Calls, calls: list[Call], outputs: list[Any]) -> tuple[list[Call], list[Any]]:
    """The simplified calls, and the outputs (references or constants) in terms of them."""
    for _ in range(6):
        work = _Rewriter(table, calls, outputs)
        calls = prune(work.run(), outputs := [substituted(x, work.new) for x in outputs])
        calls = prune(updates(calls, outputs), outputs)
        if not work.changed:
            break
    return calls, outputs


# What an operation with a known number is: (name, which operand is known, its value) -> the other
_IDENTITIES = {
    ("add", 0, 0), ("add", 1, 0), ("subtract", 1, 0),
    ("multiply", 0, 1), ("multiply", 1, 1), ("divide", 1, 1), ("power", 1, 1),
}  # fmt: skip
_NEGATIONS = {("multiply", 0, -1), ("multiply", 1, -1), ("subtract", 0, 0), ("divide", 1, -1)}


class _Rewriter:
    """One pass from first to last; ``new`` says what stands for a variable."""

    def __init__(self, table: Calls, calls: list[Call], outputs: list[Any]):
        self.table = table
        self.calls = calls
        self.new: dict[int, Any] = {}
        self.made: dict[int, Call] = {}  # the call that makes a variable
        self.uniform: dict[int, float] = {}  # variables with all elements equal to a known number
        self.seen: dict[Any, Call] = {}
        self.before: list[Call] = []  # new calls that the rewritten one needs
        self.changed = False
        self.uses = Counter(v for call in calls for v in call.refs())
        self.uses.update(x.var for x in outputs if type(x) is Ref)

    def run(self) -> list[Call]:
        out = []
        for call in self.calls:
            call = with_arguments(call, self.new)
            if call.kind != "guard":
                kept = self._one(call)
                out += self.before
                self.before.clear()
                if kept is None:
                    self.changed = True
                    continue
                self.changed |= kept is not call
                call = kept
            out.append(call)
        return out

    def _one(self, call: Call) -> Call | None:
        if len(call.results) == 1 and not call.several:
            value = self._rewritten(whole_write(self.table, call))
            if type(value) is Ref:
                self._stands_for(call.results[0], value)
                return None
            call = value
            self._note_uniform(call)
        known = None
        if self._is_shared(call) and (key := _key(call)) is not None:
            known = self.seen.setdefault(key, call)
        if known is not None and known is not call:
            for v, old in zip(call.results, known.results):
                self._stands_for(v, Ref(old))
            return None
        for v in call.results:
            self.made[v] = call
        return call

    def _is_shared(self, call: Call) -> bool:
        """Whether it may be computed once for several uses; each buffer is its own."""
        is_buffer = call.kind == "make" and not self.table.scalars[call.results[0]]
        return call.kind in PURE and not is_buffer

    def _stands_for(self, var: int, value: Ref) -> None:
        self.new[var] = value
        name_after(self.table, value.var, var)

    # -- what is known of an operand

    def _call(self, x: Any, name: str) -> Call | None:
        """The call of this name that made an operand, if the user gave it no name."""
        made = self.made.get(x.var) if type(x) is Ref else None
        if made is None or made.kind != "call" or made.name != name or self._is_users(x.var, made):
            return None
        return made

    def _product_of(self, x: Any) -> tuple[float, Any] | None:
        """(number, rest) of an operand that is a number times something."""
        inner = self._call(x, "np.multiply")
        if inner is None or not _is_number(inner.args[0]) or type(inner.args[1]) is not Ref:
            return None
        return inner.args[0], inner.args[1]

    def _times(self, number: float, x: Ref, like: Call) -> Ref:
        """A new call: number * x."""
        var = self.table.like(x.var)
        self.table.names.pop(var, None)
        call = replace(like, kind="call", name="np.multiply", args=(number, x), results=(var,))
        self.before.append(call)
        self.made[var] = call
        return Ref(var)

    def _is_users(self, var: int, made: Call) -> bool:
        return var in self.table.names and not made.backward

    def _known(self, x: Any) -> Any:
        """The number that all elements of an operand are, or None."""
        if type(x) is Ref:
            return self.uniform.get(x.var)
        if isinstance(x, (float, int)) and not isinstance(x, bool):
            return x
        if isinstance(x, (np.ndarray, np.floating)) and x.size > 0 and x.dtype.kind == "f":
            first = x.flat[0]
            return first.item() if np.isfinite(first) and np.all(x == first) else None
        return None

    def _is(self, x: Any, value: int) -> bool:
        known = self._known(x)
        return known is not None and known == value and (value != 0 or not np.signbit(known))

    def _same(self, x: Any, result: int) -> bool:
        """Whether an operand may stand for the result: of its shape, dtype and kind."""
        t = self.table
        return (
            type(x) is Ref and t.shapes[x.var] == t.shapes[result]
            and t.dtypes[x.var] == t.dtypes[result] and t.scalars[x.var] == t.scalars[result]
        )  # fmt: skip

    # -- rules

    def _rewritten(self, call: Call) -> Any:
        """A reference that stands for the result, or a simpler call."""
        result = call.results[0]
        x = call.args[0] if call.args else None
        name = call.name.removeprefix("np.")
        if call.kind in ("call", "method") and name in _SAME_VALUE and self._same(x, result):
            return x
        if call.kind == "method" and name == "transpose" and type(x) is Ref:
            return self._transposed_twice(call, x)
        if name == "full":
            return self._full(call)
        if call.kind == "update":
            return self._update(call)
        if call.kind == "set" and not call.path and type(call.args[2]) is Ref:
            read = self.made.get(call.args[2].var)  # y[i] = y[i]
            if read is not None and read.kind == "get" and read.args[0] == x:
                return x if hashable(read.args[1]) == hashable(call.args[1]) else call
        if call.kind == "set" or (call.kind == "into" and name == "add.at"):
            return self._with_number(call)
        if is_elementwise(call):
            return self._elementwise(call)
        return call

    def _with_number(self, call: Call) -> Call:
        """A number is written instead of an array of it."""
        value = call.args[2] if len(call.args) > 2 else None
        known = self._known(value) if type(value) is Ref else None
        return call if known is None else replace(call, args=(*call.args[:2], known))

    def _transposed_twice(self, call: Call, x: Ref) -> Any:
        before = self.made.get(x.var)
        if before is not None and before.kind == "method" and before.name == "transpose":
            if len(call.args) == len(before.args) == 2:
                axes, inner = call.args[1], before.args[1]
                if tuple(inner[a] for a in axes) == tuple(range(len(axes))):
                    return before.args[0]
        return call

    def _full(self, call: Call) -> Call:
        shape, value = call.args
        dtype = self.table.dtypes[call.results[0]]
        known = self._known(value)
        if known in (0, 1) and not np.signbit(known):
            name = "np.ones" if known else "np.zeros"
            return replace(call, kind="make", name=name, args=(shape, dtype), kwargs={})
        if known is not None and type(value) is Ref:
            kwargs = {} if dtype == np.float64 else {"dtype": dtype}
            return replace(call, args=(shape, known), kwargs=kwargs)
        return call

    def _update(self, call: Call) -> Call:
        x, index, g = call.args
        if index is Ellipsis and not call.path and self._same(g, call.results[0]):
            if self._is(x, 0):
                return replace(call, kind="method", name="copy", args=(g,))
        inner = self._call(g, "np.negative")
        before = self.made.get(x.var) if type(x) is Ref else None
        if before is not None and before.kind == "update" and before.name == call.name:
            if self.uses[x.var] == 1 and not (before.path or call.path) and type(g) is Ref:
                if hashable(before.args[1:]) == hashable(call.args[1:]):  # x[i] += g, twice
                    return replace(call, args=(before.args[0], index, self._times(2.0, g, before)))
        if inner is not None:
            sign = "-" if call.name == "+" else "+"
            return replace(call, name=sign, args=(x, index, inner.args[0]))
        return call

    def _elementwise(self, call: Call) -> Any:
        call = self._unspread(call)
        name, args, result = call.name[3:], call.args, call.results[0]
        if len(args) == 1:
            if name != "negative":
                return call
            if product := self._product_of(args[0]):
                return replace(call, name="np.multiply", args=(-product[0], product[1]))
            inner = self._call(args[0], "np.negative")
            return inner.args[0] if inner and self._same(inner.args[0], result) else call
        if len(args) != 2:
            return call
        for k in (0, 1):
            known, other = self._known(args[k]), args[1 - k]
            if known in (0, 1, -1) and self._same(other, result):
                if (name, k, known) in _IDENTITIES and not (known == 0 and np.signbit(known)):
                    return other
                if (name, k, known) in _NEGATIONS:
                    return replace(call, name="np.negative", args=(other,))
        a, b = args
        if name in ("add", "subtract") and (inner := self._call(b, "np.negative")):
            sign = "np.subtract" if name == "add" else "np.add"
            return replace(call, name=sign, args=(a, inner.args[0]))
        if name == "add" and (inner := self._call(a, "np.negative")):
            return replace(call, name="np.subtract", args=(b, inner.args[0]))
        if name in ("add", "subtract") and (product := self._product_of(b)) and product[0] < 0:
            inner = self.made[b.var]
            sign = "np.subtract" if name == "add" else "np.add"
            return replace(call, name=sign, args=(a, self._times(-product[0], product[1], inner)))
        if name == "add" and type(a) is Ref and a == b and self._is_float(a):
            return replace(call, name="np.multiply", args=(2.0, a))
        if name == "multiply" and type(a) is Ref and a == b and self.table.shapes[a.var]:
            return replace(call, name="np.square", args=(a,))
        if name == "multiply":
            return self._product(call)
        return self._mean(call) if name == "divide" else call

    def _product(self, call: Call) -> Call:
        """Numbers come first and are multiplied here: x 2 (3 y) = 6 x y."""
        a, b = call.args
        if _is_number(b) and not _is_number(a):
            a, b = b, a
        inner = self._call(b, "np.multiply")
        if inner is not None and _is_number(inner.args[0]):
            number, rest = inner.args
            if _is_number(a):
                return replace(call, args=(a * number, rest))
        if _is_number(a) and (inner := self._call(b, "np.negative")):
            return replace(call, args=(-a, inner.args[0]))
        for x, other in ((b, a), (a, b)):  # x (1 / y) = x / y
            inner = self._call(x, "np.divide")
            if inner is not None and self._is(inner.args[0], 1) and self.uses[x.var] == 1:
                return replace(call, name="np.divide", args=(other, inner.args[1]))
        return call if (a, b) == call.args else replace(call, args=(a, b))

    def _is_float(self, x: Ref) -> bool:
        return self.table.dtypes[x.var].kind in "fc"

    def _mean(self, call: Call) -> Call:
        """A sum divided by how many numbers it adds."""
        a, n = call.args
        inner = self._call(a, "np.add.reduce") or self._call(a, "np.sum")
        if inner is None or not _is_number(n) or type(inner.args[0]) is not Ref:
            return call
        t, x, y = self.table, inner.args[0].var, call.results[0]
        size, count = np.prod(t.shapes[x], dtype=int), np.prod(t.shapes[y], dtype=int)
        kwargs = {k: v for k, v in inner.kwargs.items() if k in ("axis", "keepdims")}
        plain = all(v in (None, np._NoValue, True) for k, v in inner.kwargs.items()
                    if k not in kwargs)  # fmt: skip
        if inner.name == "np.add.reduce":
            kwargs.setdefault("axis", 0)
        if not plain or count * n != size or t.dtypes[x] not in _MEAN_LIKE_SUM:
            return call
        return replace(call, name="np.mean", args=(inner.args[0],), kwargs=kwargs)

    def _unspread(self, call: Call) -> Call:
        """Operands that only repeat a number or a smaller array give way to it."""
        shape = self.table.shapes[call.results[0]]
        for k, x in enumerate(call.args):
            small = self._small(x)
            if small is None:
                continue
            args = (*call.args[:k], small, *call.args[k + 1 :])
            shapes = [self._shape(v) for v in args]
            if np.broadcast_shapes(*shapes) == shape and self._keeps_dtype(call, args):
                call = replace(call, args=args)
        return call

    def _small(self, x: Any) -> Any:
        known = None if _is_number(x) else self._known(x)
        if known is not None or type(x) is not Ref:
            return known
        made = self.made.get(x.var)
        if made is not None and made.name == "np.broadcast_to":
            return made.args[0]
        if made is not None and made.name == "np.full" and not made.kwargs:
            return made.args[1]
        return None

    def _keeps_dtype(self, call: Call, args: tuple) -> bool:
        refs = [self.table.dtypes[x.var] for x in args if type(x) is Ref]
        refs += [x.dtype for x in args if isinstance(x, np.ndarray)]
        if not any(type(x) is Ref for x in args):
            return False
        result = self.table.dtypes[call.results[0]]
        return result.kind == "b" or np.result_type(*refs) == result

    def _shape(self, x: Any) -> tuple[int, ...]:
        return self.table.shapes[x.var] if type(x) is Ref else np.shape(x)

    def _note_uniform(self, call: Call) -> None:
        result = call.results[0]
        if self.table.dtypes[result].kind != "f" or 0 in self.table.shapes[result]:
            return
        known = None
        if call.kind == "make" and call.name != "np.empty":
            known = float(call.name == "np.ones")
        elif is_elementwise(call):
            values = [self._known(x) for x in call.args]
            if all(v is not None for v in values):
                with np.errstate(all="ignore"):
                    dtype = self.table.dtypes[result].type
                    known = getattr(np, call.name[3:])(*map(dtype, values)).item()
        elif call.name in _SPREADING or call.kind == "get":
            known = self._known(call.args[call.name == "np.full"])
        if type(known) is float and np.isfinite(known):
            self.uniform[result] = known


_SAME_VALUE = {"copy", "astype", "reshape", "squeeze", "positive", "broadcast_to", "ravel"}
_SPREADING = {"reshape", "transpose", "copy", "np.broadcast_to", "np.full", "np.copy"}
_MEAN_LIKE_SUM = (np.dtype(float), np.dtype(np.float32), np.dtype(complex))


def _is_number(x: Any) -> bool:
    return type(x) in (float, int)


def _key(call: Call) -> Any:
    """Equal for calls that compute the same; None where that cannot be told."""
    try:
        key = (call.kind, call.name, hashable(call.args), hashable(tuple(call.kwargs.items())))
        hash(key)
    except TypeError:
        return None
    return key
