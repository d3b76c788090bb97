"""The public door: arguments become handles of a trace, results become plain values again."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule.base import tree
from chainrule.base.arguments import Selection, select
from chainrule.base.errors import ArgumentError
from chainrule.core.foreign import check_hidden
from chainrule.core.handle import Array
from chainrule.core.lift import Lifter
from chainrule.core.lift_compiled import GIVEN
from chainrule.core.lift_objects import outside
from chainrule.core.lift_views import unview
from chainrule.core.number import Number, as_number
from chainrule.core.trace import Trace, Tracer, is_traced, own_buffer, plain

_RESULTS = (Tracer, np.ndarray, np.generic, int, float, complex, str, bytes)
_PYTHON = frozenset({float, int, complex, Number})


def chosen_wrt(wrt: Any, argnums: Any) -> Any:
    """``argnums`` is accepted as another name of ``wrt``."""
    if argnums is None:
        return wrt
    if not (type(wrt) is int and wrt == 0):
        raise ArgumentError("both wrt= and argnums= were given", "They mean the same: give one.")
    return argnums


def differentiable(leaf: Any, name: str = "") -> Any:
    """The leaf as a float or complex array or scalar; ArgumentError if it has no derivative."""
    if type(leaf) is np.ndarray and leaf.dtype.kind in "fc":
        return leaf
    if isinstance(leaf, Tracer):
        value = leaf.snapshot() if is_traced(leaf) else plain(leaf)
        return value if value.dtype.kind in "fc" else value.astype(float)
    if isinstance(leaf, np.ma.MaskedArray) or type(leaf).__name__ == "matrix":
        raise _refused(leaf, name, "Pass a plain array: x.filled(0.0) or np.asarray(x).")
    if isinstance(leaf, (float, complex, int, np.generic, np.ndarray)) and not isinstance(
        leaf, bool
    ):
        value = np.asarray(leaf)
        if value.dtype.kind in "iu":
            value = value.astype(float)
        if value.dtype.kind in "fc":
            return value if isinstance(leaf, np.ndarray) else value[()]
    elif hasattr(leaf, "__array_ufunc__") and getattr(leaf, "dtype", np.dtype(object)).kind in "fc":
        return leaf  # another array library, through NumPy's protocols
    raise _refused(leaf, name)


def _refused(leaf: Any, name: str, remedy: str = "") -> ArgumentError:
    kind = type(leaf).__name__
    if isinstance(leaf, (np.ndarray, np.generic)):
        kind = f"{kind} of dtype {leaf.dtype}"
    return ArgumentError(
        f"cannot differentiate with respect to {name or 'this argument'}: it is a {kind}",
        remedy or "Choose arguments of numbers with wrt=.",
    )


class Entered:
    """The chosen arguments as leaves, and the call with handles in their place."""

    __slots__ = ("args", "defs", "handles", "kwargs", "leaves", "single")

    def __init__(self, trace: Trace, selection: Selection, make: Callable[..., Any]):
        self.single = selection.single
        self.leaves: list[Any] = []
        self.handles: list[Any] = []  # of the leaves
        self.defs = []
        values = []
        for k, value in enumerate(selection.values):
            given, treedef = tree.flatten(value)
            try:
                leaves = [differentiable(leaf) for leaf in given]
            except ArgumentError:  # once more, with names
                root = selection.names[k]
                for leaf, path in zip(given, tree.paths(value, root)):
                    differentiable(leaf, path)
            handles = [make(leaf, len(self.leaves) + i) for i, leaf in enumerate(leaves)]
            for i, leaf in enumerate(given):
                if type(leaf) in _PYTHON:
                    handles[i] = as_number(handles[i])
            self.leaves += leaves
            self.handles += handles
            self.defs.append((treedef, len(leaves)))
            values.append(tree.unflatten(treedef, handles))
        self.args, self.kwargs = selection.rebuild(values)

    def gather(self, results: Sequence[Any]) -> Any:
        """Results, one a leaf, in the form of the chosen arguments: a tree, or a tuple of them."""
        trees, start = [], 0
        for treedef, n in self.defs:
            trees.append(tree.unflatten(treedef, results[start : start + n]))
            start += n
        return trees[0] if self.single else tuple(trees)


def own(leaf: Any) -> Any:
    """The argument as it is now: its owner may change the array before the backward sweep."""
    return leaf.copy(order="K") if type(leaf) is np.ndarray else leaf


def enter(
    trace: Trace, f: Callable, args: tuple, kwargs: dict, wrt: Any, make: Callable | None = None
) -> Entered:
    selection = select(f, args, kwargs, wrt)
    return Entered(trace, selection, make or (lambda leaf, i: trace.input(own(leaf))))


def leave(trace: Trace, x: Any) -> Any:
    """A result without the handles of ``trace``: plain values, or handles of the outer trace."""
    leaves, treedef = tree.flatten(outside(x) if trace.outer is None else x)
    return tree.unflatten(treedef, [strip(trace, leaf) for leaf in leaves])


def strip(trace: Trace, x: Any) -> Any:
    if type(x) in GIVEN:
        return GIVEN[type(x)](x, "a result of the differentiated function")
    if not isinstance(x, Tracer) or x._trace is not trace:
        return x
    if isinstance(x._value, Tracer):
        return x._value.snapshot()
    return own_buffer(x, None) if isinstance(x, Array) else x._value


def run(trace: Trace, f: Callable, lift: bool, entered: Entered) -> Any:
    """Call ``f`` on the handles, lifted or as it is. Once: the handles are not kept."""
    args, kwargs = entered.args, entered.kwargs
    entered.args, entered.kwargs = (), {}
    trace.code = getattr(f, "__code__", None)
    if not lift:
        return _seen(trace, f(*args, **kwargs))
    lifter = Lifter.of(trace)
    for leaf, handle in zip(entered.leaves, entered.handles):
        if type(leaf) is np.ndarray:
            lifter.input(leaf, handle)
    entered.handles = []
    y = lifter.call(f, args, kwargs)
    if lifter.aliased:
        lifter.check_aliases()
    return _seen(trace, y)


def _seen(trace: Trace, y: Any) -> Any:
    """The result, if nothing in it was read from memory where derivatives are lost."""
    if trace.hidden:
        check_hidden(trace, y)
    return y


def results(out: Any, function: Any) -> tuple[list[Any], Any]:
    """The leaves of a result and its structure; ArgumentError if one is an object of its own."""
    leaves, treedef = tree.flatten(out)
    for leaf in leaves:
        if not isinstance(leaf, _RESULTS) and not hasattr(leaf, "dtype"):
            raise ArgumentError(
                f"{getattr(function, '__name__', function)} returned an object of class "
                f"{type(unview(leaf)).__name__}, into which chainrule does not look",
                "Return its arrays: in a tuple, list, dict or dataclass.",
            )
    return leaves, treedef


class _Wrapped:
    """The function below, for ``inspect.signature`` and ``help``; the class itself wraps none."""

    def __get__(self, instance, owner=None):
        if instance is None:
            raise AttributeError("__wrapped__")
        return instance.f


class Transformed:
    """A function made from a function: keeps its name and signature, and pickles if it does."""

    f: Callable[..., Any]
    wrt: Any

    def __post_init__(self):
        name = type(self).__name__
        if not callable(self.f):
            raise ArgumentError(
                f"{name} needs a function, not {self.f!r}",
                f"Write {name}(f)(x): {name}(f) is a function like f.",
            )
        if hasattr(self, "argnums"):
            object.__setattr__(self, "wrt", chosen_wrt(self.wrt, self.argnums))
            object.__setattr__(self, "argnums", None)

    __wrapped__ = _Wrapped()

    @property
    def __name__(self):
        return f"{type(self).__name__}({getattr(self.f, '__name__', repr(self.f))})"

    def __get__(self, instance, owner=None):
        from types import MethodType

        return self if instance is None else MethodType(self, instance)  # type: ignore[arg-type]
