"""The outermost trace, which runs everything and notes it: see ``noted`` for its values."""

import ast
import sys
from collections.abc import Sequence
from types import CodeType, FrameType
from typing import Any

import numpy as np

from chainrule.base.errors import ProgramError
from chainrule.base.where import is_internal, line_of
from chainrule.core.indexing import Path, assign
from chainrule.core.primitive import Primitive
from chainrule.core.trace import (
    Trace,
    Tracer,
    _like,
    current,
    own_copies,
    peek,
    plain,
    user_frame_above,
)
from chainrule.explainer.calls import Call, Calls, Ref, constant_key, public_name, refs_in
from chainrule.explainer.names import node_at, target_at, targets_at
from chainrule.explainer.noted import Noted, bare_of, element, frozen

# What these return has as many elements as the numbers in their arguments say.
_SHAPE_OF_DATA = {
    "argwhere", "bincount", "compress", "delete", "extract", "flatnonzero", "intersect1d",
    "nonzero", "repeat", "setdiff1d", "setxor1d", "trim_zeros", "union1d", "unique", "unique_all",
    "unique_counts", "unique_inverse", "unique_values",
}  # fmt: skip


class Log(Trace):
    """The outermost trace: runs everything, and notes it."""

    __slots__ = ("backward", "calls", "equation", "follow", "inner", "inside", "place")

    def __init__(self) -> None:
        super().__init__()
        self.calls = Calls()
        self.follow: Any = None  # explainer.follow.Follower
        self.inner: Any = None  # the program being recorded on top of this, if any
        self.backward = False
        self.inside = False  # a composition of ours
        self.equation = -1
        self.place: tuple[CodeType, int] | None = None

    # -- what a trace does

    def input(self, value: Any, name: str = "", active: bool = True) -> Any:
        value = np.array(value)[()] if isinstance(value, np.generic) else np.array(value)
        var = self.calls.new(value, active)
        self.calls.inputs.append(var)
        self.calls.names[var] = name
        return self.constant(Noted(value, self, var))

    def followed(self, composition):
        run = self.follow.map(composition)

        def whole(*args: Any, **kwargs: Any) -> Any:
            """Of all that the composition computes, its result has the user's name."""
            outer, self.inside = self.inside, True
            try:
                y = run(*args, **kwargs)
            finally:
                self.inside = outer
            if isinstance(y, Tracer):
                self._name([plain(y)])
            return y

        return whole

    def is_constant(self, var):
        return var < 0

    def same(self, a, b):
        return False

    def process(self, primitive: Primitive, operands: Sequence[Any], params: dict[str, Any]) -> Any:
        values = [plain(x) for x in operands]
        own_copies(operands, values, range(len(values)))
        y = self.apply(primitive, values, plain(params))
        ys = y if primitive.multiple else (y,)
        if current() is not self:  # else a rule of forward mode: not the user's
            self._name(ys)
        handles = [self.constant(part) for part in ys]
        if not primitive.multiple:
            return handles[0]
        return _like(y, handles)

    def _name(self, ys: Any, written: bool = False) -> None:
        if self.backward or self.inside:
            return
        place = self._place()
        names = targets_at(*place, len(ys)) if len(ys) > 1 else (_target(*place, written),)
        for name, y in zip(names, ys):
            if name and type(y) is Noted:
                self.calls.names.setdefault(y.number, name)

    def apply(self, primitive: Primitive, values: list[Any], params: dict[str, Any]) -> Any:
        if primitive.name == "array":
            return self._array(*values, **params)
        if primitive.name == "getitem" and type(values[0]) is not Noted:
            if type(index := params["index"]) is not Path:
                return self.call("get", "", element, (values[0], index), {})
        if primitive.name == "embed_diagonal":
            return self._embedded(*values, **params)
        name = public_name(primitive.fun)
        if name:
            return self.call("call", name, primitive.fun, tuple(values), params)
        return self.follow.primitive(primitive).fun(*values, **params)

    def _embedded(self, g: Any, shape: tuple, offset: int, axis1: int, axis2: int) -> Any:
        """A diagonal among zeros; NumPy's own diagonal is a view that may not be written."""
        y = self.made("zeros", np.zeros(shape, g.dtype))
        moved = np.moveaxis(y, (axis1, axis2), (-2, -1)) if y.ndim > 2 or axis1 else y
        k = np.arange(g.shape[-1])
        moved[..., k + max(-offset, 0), k + max(offset, 0)] = g
        return y

    def _array(self, template: Any, *leaves: Any, starts: Any) -> Any:
        """np.array of nested lists with noted values inside."""
        size = max(leaf.size for leaf in leaves)
        sizes = {leaf.size for leaf in leaves}
        flat = np.array(bare_of(template)).reshape(-1)
        if sizes == {1} and not any(leaf.ndim for leaf in leaves):
            elements: list[Any] = flat.tolist()
            for start, leaf in zip(starts.tolist(), leaves):
                elements[start] = leaf
            nested = _nest(elements, template.shape)
        elif len(sizes) == 1 and len({leaf.shape for leaf in leaves}) == 1:
            shape = template.shape[: template.ndim - leaves[0].ndim]
            rows: list[Any] = list(flat.reshape(-1, size))
            rows = [row.reshape(leaves[0].shape) for row in rows]
            for start, leaf in zip(starts.tolist(), leaves):
                rows[start // size] = leaf
            nested = _nest(rows, shape)
        else:
            y = self.made("zeros", np.zeros(template.shape, template.dtype))
            y[...] = flat.reshape(template.shape)
            for start, leaf in zip(starts.tolist(), leaves):
                y.reshape(-1)[start : start + leaf.size] = leaf.reshape(-1)
            return y
        kwargs = {} if template.dtype == float else {"dtype": template.dtype}
        return self.call("call", "np.array", np.array, (nested,), kwargs)

    def write(self, array: Any, index: Any, value: Any, primitive: Primitive) -> None:
        v, buffer = plain(value), plain(array._value)
        index = plain(index)
        if type(buffer) is not Noted:
            if type(v) is not Noted and not _has_noted(index):
                buffer = buffer.copy()
                assign(buffer, index, v)
                array._value = buffer
                array._version += 1
                return
            buffer = self._started(buffer)
        else:
            buffer = self.call("method", "copy", lambda x: x.copy(order="K"), (buffer,), {})
        assign(buffer, index, v)
        self._name([buffer], written=True)
        array._value = buffer
        array._version += 1

    def _started(self, buffer: Any) -> Noted:
        """A buffer of constants that noted values are about to be written into."""
        if not buffer.any():
            return self.made("zeros", np.zeros_like(buffer))
        return self.copied(buffer)

    def copied(self, array: Any) -> Any:
        """A noted copy of an array of constants."""
        return self.call("call", "np.array", np.array, (array,), {})

    # -- noting

    def call(self, kind: str, name: str, run: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
        y = run(*bare_of(args), **bare_of(kwargs))
        if not self.owner:
            return y
        several = type(y) in (tuple, list) or hasattr(y, "_fields")
        parts = list(y) if several else [y]
        arrays = [
            p if isinstance(p, (np.ndarray, np.generic)) else self._number(p, name) for p in parts
        ]
        results = self._note(kind, name, args, kwargs, arrays, several)
        if not several and not self.backward and _asked_by_user(sys._getframe(1)):
            self._name(results)
        # Python's own numbers and None leave for Python: a rank, an answer
        given = [
            None if p is None else self.guard(x, p, "a number") if type(p) in (int, bool) else x
            for x, p in zip(results, parts)
        ]
        if not several:
            scalar: Any = {float: np.float64, complex: np.complex128}.get(type(parts[0]))
            if scalar is None:
                return given[0]
            return self.call("call", f"np.{scalar.__name__}", scalar, (given[0],), {})
        return type(y)(*given) if hasattr(y, "_fields") else type(y)(given)

    def _number(self, x: Any, name: str) -> Any:
        """A number of Python's as NumPy's; nothing, among several results, as an empty array."""
        if x is not None and not isinstance(x, (int, float, complex)):
            raise self.cannot(None, name or "a function")
        return np.zeros(0) if x is None else np.asarray(x)[()]

    def _note(self, kind, name, args, kwargs, ys, several) -> list[Noted]:
        if not name and kind != "get":
            raise self.cannot(None, "a function that has no public name")
        kept, named = frozen(args), {k: frozen(v) for k, v in kwargs.items()}
        if not self.backward:
            self._name_constants((kept, *named.values()))
        used = {*refs_in(kept), *refs_in(tuple(named.values()))}
        active = any(map(self.calls.is_active, used))
        results = []
        for y in ys:
            results.append(Noted(y, self, self.calls.new(y, active, self._memory(y, args))))
        self._append(kind, name, kept, named, tuple(r.number for r in results), several=several)
        if self._has_shape_of_data(kind, name, kept):
            for r in results:
                self._append("guard", "shape", (Ref(r.number), r.shape), {}, ())
        return results

    def _name_constants(self, args: Any) -> None:
        """Remember what the user calls the arrays among the arguments."""
        for x in args:
            if type(x) in (tuple, list):
                self._name_constants(x)
            elif isinstance(x, np.ndarray) and x.ndim and x.size:
                key = constant_key(x)
                if key not in self.calls.constants:
                    name = _name_in(user_frame_above(sys._getframe(3)), x)
                    self.calls.constants[key] = name

    def _has_shape_of_data(self, kind: str, name: str, args: tuple) -> bool:
        """Whether the numbers in the arguments decide how many numbers come back."""
        if kind == "get":
            return any(self.calls.dtypes[v].kind == "b" for v in refs_in(args[1]))
        name = name.rpartition(".")[2]
        return name in _SHAPE_OF_DATA or (name == "where" and len(args) == 1)

    def _memory(self, y: Any, args: Any) -> int:
        """The variable whose memory a result is a view of."""
        if isinstance(y, np.ndarray):
            for x in args:
                if type(x) is Noted and isinstance(x.bare, np.ndarray):
                    if y is x.bare or np.may_share_memory(y, x.bare):
                        return self.calls.memory[x.number]
                elif type(x) in (tuple, list) and (found := self._memory(y, x)) >= 0:
                    return found
        return -1

    def made(self, name: str, value: Any) -> Any:
        """An array of zeros or ones, which may be written to."""
        if type(value) is not np.ndarray or not self.owner:
            return value
        return self._made(name, value)

    def one(self, dtype: np.dtype) -> Any:
        """The cotangent the sweep starts with: 1."""
        self.backward, self.place, self.equation = True, None, -1
        start = self._made("ones", np.ones((), dtype)[()])
        self.backward = False
        return start

    def _made(self, name: str, value: Any) -> Noted:
        var = self.calls.new(value, False)
        self._append("make", f"np.{name}", (value.shape, value.dtype), {}, (var,))
        return Noted(value, self, var)

    def set(self, target: Any, index: Any, value: Any) -> None:
        value = self._own(value)
        index = plain(index)
        if type(value) is Noted and _is_part(value.bare, target.bare, bare_of(index)):
            return  # x[i] += g assigns the view it has just changed
        target.bare[bare_of(index)] = bare_of(value)
        args = (target, index, value)
        self._append("set", "", frozen(args), {}, (), writes=target.number)

    def add_to(self, target: Noted, value: Any) -> Noted:
        """``target += value``"""
        if not target.bare.flags.writeable:
            return target + value
        target.bare += bare_of(value)
        self._append("update", "+", frozen((target, ..., value)), {}, (), writes=target.number)
        return target

    def _own(self, value: Any) -> Any:
        if isinstance(value, Tracer):
            if value._trace is not self:
                raise self.cannot(None, "an assignment into a constant array")
            return plain(value)
        return value

    def written(self, name: str, target: Any, args: Any, run: Any, kwargs: Any = None) -> None:
        """A function that writes into a noted array."""
        args = [self._own(plain(a)) for a in args]
        if type(target) is not Noted:
            raise self.cannot(None, name)
        run(target.bare, *bare_of(args))
        kind = "method" if name.startswith(".") else "call"
        kept = frozen((target, *args))
        named = {k: frozen(v) for k, v in (kwargs or {}).items()}
        self._append(kind, name.lstrip("."), kept, named, (), writes=target.number)

    def guard(self, x: Noted, seen: Any, how: str) -> Any:
        """A value that leaves for Python: the program holds while it is the same."""
        if self.owner:
            if x.bare.dtype.kind in "fc" and self.calls.is_active(x.number):
                raise self.cannot(x, how)
            value = np.copy(x.bare) if isinstance(x.bare, np.ndarray) else x.bare
            self._append("guard", how, (Ref(x.number), value), {}, ())
        return seen

    def cannot(self, x: Any, how: str) -> ProgramError:
        at = line_of(*self._place()) if not self.backward or self.place is None else None
        where = at or (line_of(*self.place) if self.place else None)
        return ProgramError(
            f"a derivative cannot be written as NumPy calls: {how} uses the numbers of a value "
            "in a way that cannot be followed",
            "Write this statement with NumPy functions, or export the part of the function "
            "without it.",
            where,
        )

    def _place(self) -> tuple[CodeType, int]:
        frame = user_frame_above(sys._getframe(2))
        return frame.f_code, frame.f_lasti

    def _append(self, kind, name, args, kwargs, results, writes=-1, several=False) -> None:
        if not self.owner:
            return
        if writes >= 0 and any(map(self.calls.is_active, refs_in(args))):
            self.calls.active[self.calls.memory[writes]] = True
        if self.backward:
            place, equation = self.place, self.equation
        else:
            place = self._place()
            equation = len(self.inner) if self.inner is not None else -1
        self.calls.calls.append(
            Call(kind, name, args, kwargs, results, place, equation, self.backward, writes, several)
        )


def _target(code: CodeType, instruction: int, written: bool) -> str | None:
    """What the user assigns a result to; an array written to is not its element."""
    node = node_at(code, instruction)
    if not written and isinstance(getattr(node, "target", node), ast.Subscript):
        if isinstance(node, (ast.AugAssign, ast.Subscript)) and not _is_read(node):
            return None
    return target_at(code, instruction)


def _is_read(node: ast.AST) -> bool:
    return isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load)


def _name_in(frame: FrameType, x: np.ndarray) -> str:
    """The name under which the user's code knows an array; "" if there is none."""
    space = getattr(frame.f_globals, "original", frame.f_globals)
    local = dict(frame.f_locals)
    found = [(name, value) for name, value in local.items() if not name.startswith(("_", "."))]
    for name in frame.f_code.co_names:
        found.append((name, space.get(name)))
        found += [(name, _attribute(value, name)) for value in local.values()]
    for name, value in found:
        value = peek(value) if isinstance(value, (Tracer, np.ndarray)) else None
        if isinstance(value, np.ndarray) and value.shape == x.shape and value.dtype == x.dtype:
            if np.array_equal(value, x):
                return name
    return ""


def _attribute(x: Any, name: str) -> Any:
    try:
        return vars(x).get(name)
    except TypeError:
        return None


def _is_part(value: Any, x: Any, index: Any) -> bool:
    if not isinstance(value, np.ndarray) or not np.may_share_memory(value, x):
        return False
    part = x[index]
    return (
        isinstance(part, np.ndarray)
        and part.__array_interface__ == value.__array_interface__
    )  # fmt: skip


def _asked_by_user(frame: Any) -> bool:
    """Whether the user's own code uses the value: at most an operator's frame is in between."""
    between = 0
    while frame is not None and is_internal(frame.f_code.co_filename):
        between += frame.f_code.co_filename != __file__
        frame = frame.f_back
    return between <= 1


def _has_noted(index: Any) -> bool:
    return any(True for _ in refs_in(frozen(index)))


def _nest(elements: list[Any], shape: tuple[int, ...]) -> Any:
    for n in reversed(shape[1:]):
        elements = [elements[i : i + n] for i in range(0, len(elements), n)]
    return elements if shape else elements[0]
