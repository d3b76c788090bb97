"""Forward mode: tangents are pushed along with the values, and nothing is kept."""

import sys
from collections.abc import Callable
from threading import get_ident
from typing import Any

import numpy as np

from chainrule.base import tree
from chainrule.base.errors import MismatchError
from chainrule.core.indexing import assign
from chainrule.core.project import match
from chainrule.core.trace import (
    Trace,
    Tracer,
    _as_operand,
    _like,
    _live,
    adopt,
    as_numpy,
    bind,
    from_outside,
    leaked,
    not_of_numpy,
    own_buffer,
    plain,
    refuse_lossy_store,
    weak,
)
from chainrule.transforms import transpose as _transpose  # noqa: F401  (gives general rules their jvp)
from chainrule.transforms.door import enter, results, run, strip

_OBJECT = np.dtype(object)


class Forward(Trace):
    """A trace whose variables are tangents: arrays like the value, or ``None`` for zero."""

    __slots__ = ()
    no_variable = None

    def is_constant(self, var):
        return var is None

    def same(self, a, b):
        return a is b or bool(plain(a) == plain(b))

    def process(self, primitive, operands, params):
        if self.owner != get_ident():
            self.check(primitive, operands)
            return primitive.fun(*plain(operands), **plain(params))
        values: list[Any] = []
        tangents: list[Any] = []
        for x in operands:
            if not isinstance(x, Tracer):
                if type(x) in (list, tuple):
                    return bind(primitive, list(map(_as_operand, operands)), params)
                values.append(x if type(x) is np.ndarray else from_outside(x))
                tangents.append(None)
            elif x._trace is self:
                values.append(x._value)
                tangents.append(x._var)
            else:
                values.append(self.lower(x))
                tangents.append(None)
        used = weak(operands, values) if primitive.promotes else values
        y = bind(primitive, used, params)
        if all(t is None for t in tangents):
            if primitive.multiple:
                return _like(y, [self.handle(p, None) for p in y])
            return self.handle(y, None) if isinstance(y, (np.ndarray, np.generic, Tracer)) else y
        if not primitive.multiple and getattr(y, "dtype", _OBJECT).kind == "O":
            raise not_of_numpy(primitive)
        if self.outer is not None:
            values = [as_numpy(v) for v in values]
        # tangents are values of the outer trace: so are arrays rules make
        token = _live.set(self.outer)
        try:
            with np.errstate(all="ignore"):
                if primitive.turn is not None:
                    y = primitive.turn(tangents, y, *values, **params)
                dy = primitive.jvp(tangents, values, y, params)
                if primitive.multiple:
                    parts = [
                        self.handle(p, None if d is None else match(d, p)) for p, d in zip(y, dy)
                    ]
                    return _like(y, parts)
                return self.handle(y, None if dy is None else match(dy, y))
        finally:
            _live.reset(token)

    def write(self, array, index, value, primitive):
        """``array[index] = value``: value and tangent are both assigned."""
        if self.owner != get_ident():
            self.check(primitive, ())
            raise leaked(self, "an assignment")
        v, dv = value, None
        if isinstance(value, Tracer):
            v, dv = (
                (value._value, value._var) if value._trace is self else (self.lower(value), None)
            )
        adopt(self, array)
        if dv is not None or isinstance(v, Tracer):
            refuse_lossy_store(array, v)
        buffer = own_buffer(array, v)
        assign(buffer, index, v)
        array._value = buffer
        array._version += 1
        if dv is None and array._var is None:
            return
        if array._var is None:
            array._var = np.zeros_like(plain(buffer))
        elif not isinstance(
            array._var, np.ndarray
        ):  # of a 0-d array: a scalar, which nothing is written into
            tangent, array._var = array._var, np.zeros_like(plain(buffer))
            if isinstance(tangent, Tracer):
                array._var = tangent._trace.constant(array._var)
            array._var[...] = tangent
        elif sys.getrefcount(array._var) > 2 or array._var.base is not None:
            array._var = array._var.copy()  # kept by someone, or a view of what is
        if isinstance(dv, Tracer) and not isinstance(array._var, Tracer):
            array._var = dv._trace.constant(array._var)
        assign(array._var, index, 0.0 if dv is None else dv)


def jvp(f: Callable, args: Any, tangents: Any, *, lift: bool = True) -> tuple[Any, Any]:
    """Value of ``f(*args)`` and its derivative along ``tangents``: (y, J t).

    args, tangents : tuples, one tangent per argument, of equal structure and shapes. Cost about two
    evaluations of f, memory of none. Raises MismatchError if a tangent does not fit its argument.

    >>> jvp(np.sin, (0.0,), (2.0,))
    (np.float64(0.0), np.float64(2.0))
    """
    args, tangents = _as_tuple(args, "args"), _as_tuple(tangents, "tangents")
    if len(args) != len(tangents):
        raise MismatchError(
            f"{len(args)} arguments and {len(tangents)} tangents",
            "jvp(f, (x, y), (dx, dy)) takes one tangent per argument.",
        )
    flat = [
        t
        for a, t in zip(args, tangents)
        for t in tree.leaves_like(tree.flatten(a)[1], t, "tangent")
    ]
    with Forward() as trace:
        entered = enter(
            trace,
            f,
            args,
            {},
            tuple(range(len(args))),
            lambda x, i: trace.handle(x, _tangent(x, flat[i])),
        )
        out = run(trace, f, lift, entered)
        leaves, treedef = results(out, f)
        values = [strip(trace, x) for x in leaves]
        dys = [_tangent_of(trace, x, y) for x, y in zip(leaves, values)]
    return tree.unflatten(treedef, values), tree.unflatten(treedef, dys)


def _as_tuple(x: Any, name: str) -> tuple:
    if not isinstance(x, (tuple, list)):
        raise MismatchError(
            f"{name} of jvp must be a tuple, not {type(x).__name__}", "Write jvp(f, (x,), (dx,))."
        )
    return tuple(x)


def _tangent(x: Any, t: Any) -> Any:
    if np.shape(t) != np.shape(x):
        raise MismatchError(
            f"a tangent has shape {np.shape(t)}, its argument {np.shape(x)}",
            "A tangent has the shape of its argument.",
        )
    t = t.snapshot() if isinstance(t, Tracer) else np.array(t)[()]
    if t.dtype.kind == "c" and x.dtype.kind != "c":
        raise MismatchError(
            "a tangent is complex, its argument is real",
            "Pass its real and imaginary parts to two calls, or a complex argument.",
        )
    return match(t, x)


def _tangent_of(trace: Trace, x: Any, y: Any) -> Any:
    if isinstance(x, Tracer) and x._trace is trace and x._var is not None:
        if isinstance(x._var, Tracer):
            return x._var.snapshot()
        if type(x._var) is np.ndarray and x._var.shape and x._var.base is None:
            if sys.getrefcount(x._var) <= 2:  # nothing but the handle refers to it
                return x._var
        return np.array(x._var)[()]
    return (
        np.zeros_like(plain(y))[()]
        if getattr(y, "dtype", None) is not None
        else np.zeros(np.shape(y))[()]
    )
