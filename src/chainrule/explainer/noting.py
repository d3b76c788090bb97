"""Derivatives as NumPy calls: the sweeps of ``transforms``, run with a ``Log`` below them."""

import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.base import tree
from chainrule.base.arguments import select
from chainrule.base.errors import MismatchError
from chainrule.core.number import as_number
from chainrule.core.program import Program
from chainrule.core.trace import Recording, Tracer, plain
from chainrule.explainer.calls import Calls, Ref
from chainrule.explainer.follow import Follower
from chainrule.explainer.log import Log
from chainrule.explainer.noted import Noted
from chainrule.transforms.door import differentiable, enter, run, strip
from chainrule.transforms.forward import Forward
from chainrule.transforms.reverse import _scalar, all_finite, sweep

_PYTHON = (float, complex, int)


@dataclass
class Leaf:
    """One number or array among the arguments: the argument ``key``, and from there ``path``."""

    path: str  # ['W'], or nothing
    key: Any  # a position or a name
    value: Any
    var: int = -1  # of the calls; -1 where it is fixed
    wanted: bool = False  # differentiated


@dataclass
class Derivative:
    """The calls of a derivative with what goes in and what comes out.

    Results are references to variables, or constants; ``tangents`` and ``seeds`` more inputs.
    """

    of: str
    calls: Calls
    arguments: "Arguments"
    program: Program | None = None
    value: Any = None  # a tree of results; of "hvp" the gradient, one a wanted leaf
    results: list[Any] = field(
        default_factory=list
    )  # one a wanted leaf; of "jvp" one a leaf of value
    tangents: list[int] = field(default_factory=list)  # one a wanted leaf
    seeds: list[int] = field(default_factory=list)  # of a pullback: one a leaf of the value
    numbers: list[np.ndarray] = field(default_factory=list)  # what value and results were


class Arguments:
    """The call's arguments with every array and float an input of the log."""

    def __init__(self, log: Log, f: Callable, args: tuple, kwargs: dict, wrt: Any, fixed: bool):
        chosen = select(f, args, kwargs, wrt)
        _, kwargs = chosen.rebuild(chosen.values)  # with the defaults that wrt names
        self.single, self.keys = chosen.single, chosen.keys
        every = (*range(len(args)), *kwargs)
        self.every = select(f, args, kwargs, every) if every else chosen
        self.leaves: list[Leaf] = []
        values = []
        for key, value in zip(self.every.keys, self.every.values):
            leaves, structure = tree.flatten(value)
            paths = tree.paths(value)
            handles = []
            for leaf, path in zip(leaves, paths):
                entry = Leaf(path, key, leaf, wanted=key in chosen.keys)
                self.leaves.append(entry)
                handles.append(_input(log, entry, fixed))
            values.append(tree.unflatten(structure, handles))
        self.args, self.kwargs = self.every.rebuild(values)
        self.wanted = [leaf for leaf in self.leaves if leaf.wanted]
        self.wanted.sort(key=lambda leaf: chosen.keys.index(leaf.key))  # stable
        self.names = dict(zip(self.every.keys, self.every.names))

    def name(self, leaf: Leaf) -> str:
        """The shortest name of a leaf: W of params['W'], W of params.W."""
        path = self.names[leaf.key] + leaf.path
        inside = path.rpartition("[")[2].strip("]'\"") if path.endswith("]") else ""
        if inside.isidentifier():
            return inside
        return re.sub(r"\W+", "_", path.rpartition(".")[2]).strip("_")


def _input(log: Log, leaf: Leaf, fixed: bool) -> Any:
    value = leaf.value
    if leaf.wanted:
        value = differentiable(value)
    elif fixed or not _is_data(value):
        return value
    value = value if isinstance(value, np.ndarray) else np.asarray(value)[()]
    handle = log.input(value, active=leaf.wanted)
    leaf.var = plain(handle).number
    return as_number(handle) if type(leaf.value) in _PYTHON else handle


def _is_data(value: Any) -> bool:
    """Whether an argument that is not differentiated may change from call to call."""
    if isinstance(value, Tracer):
        return False
    if type(value) in (float, complex) or isinstance(value, np.inexact):
        return True
    return type(value) is np.ndarray and value.dtype.kind in "fciub"


# ---------------------------------------------------------------- naming the sweep


class _Plan:
    """A plan that says when it is pulled back: the calls of its rule belong to its equation."""

    __slots__ = ("_begin", "_plan", "mask", "primitive", "write")

    def __init__(self, plan: Any, begin: Callable):
        self._plan, self._begin = plan, begin
        self.mask, self.primitive, self.write = plan.mask, plan.primitive, plan.write

    def pullback(self, g, mul, residuals, params):
        self._begin(g)
        return self._plan.pullback(g, mul, tuple(map(_lowered, residuals)), params)


def _lowered(x: Any) -> Any:
    """Values of the log itself as rules see plain ones."""
    return plain(x) if isinstance(x, Tracer) and type(x._trace) is Log else x


class _Watched(list):
    """The plans of a program, read backwards by the sweep, which tells the log where it is."""

    def __init__(self, plans: list, log: Log, program: Program, names: dict[int, str]):
        super().__init__(plans)
        self.log, self.program, self.names = log, program, names

    def __reversed__(self) -> Iterator[Any]:
        log, program = self.log, self.program
        for i in range(len(self) - 1, -1, -1):
            log.equation = i
            log.place = program.codes[i], program.instructions[i]
            yield _Plan(self.followed(i), lambda g, i=i: self.begin(i, g))

    def followed(self, i: int) -> Any:
        """The plan with rules that SciPy does not take out of sight."""
        plan, result = self[i], self.program.results[i]
        first = result if type(result) is int else result[0]
        is_complex = self.program.dtypes[first].kind == "c"
        return self.log.follow.primitive(plan.primitive).plan(plan.mask, is_complex)

    def begin(self, i: int, g: Any) -> None:
        """Name the cotangent that is complete now after its variable."""
        result = self.program.results[i]
        pairs = zip(result, g) if isinstance(result, tuple) else [(result, g)]
        for v, bar in pairs:
            name = self.names.get(v)
            if name is not None:
                name_of(self.log, bar, f"{name}_bar")


def name_of(log: Log, x: Any, name: str) -> None:
    value = plain(x) if isinstance(x, Tracer) else x
    if type(value) is Noted:
        log.calls.names.setdefault(value.number, name)


class _Remembering(Recording):
    """A tape that knows what the log calls its variables."""

    __slots__ = ("log", "names")

    def __init__(self, log: Log):
        super().__init__()
        self.log = log
        self.names: dict[int, str] = {}
        log.inner = self.program

    def process(self, primitive, operands, params):
        y = super().process(primitive, operands, params)
        for part in y if primitive.multiple else (y,):
            if isinstance(part, Tracer) and part._trace is self and part._var >= 0:
                value = plain(part._value)
                if type(value) is Noted and value.number in self.log.calls.names:
                    self.names[part._var] = self.log.calls.names[value.number]
        return y


def _masked(g: Any, partial: Any) -> Any:
    """``masked_product`` without a question: 0 where g is 0 and the product is not finite."""
    product = g * partial
    return np.where((plain(g) == 0) & ~np.isfinite(plain(product)), 0.0, product)


def _swept(log: Log, program: Program, names: dict, seeds: dict[int, Any]) -> list[Any]:
    plans = program.plans
    program.plans = _Watched(plans, log, program, names)
    log.backward = True
    try:
        with np.errstate(all="ignore"):
            start = len(log.calls.calls)
            bars = sweep(program, dict(seeds), program.inputs, operator.mul)
            if not all(b is None or all_finite(_bare(b)) for b in bars):
                del log.calls.calls[start:]
                bars = sweep(program, dict(seeds), program.inputs, _masked)
    finally:
        log.backward = False
        program.plans = plans
    return bars


def _bare(x: Any) -> Any:
    value = plain(x)
    return value.bare if type(value) is Noted else value


def _result(x: Any, found: Derivative) -> Any:
    """What a result is in terms of the calls: a reference or a constant."""
    value = plain(x)
    found.numbers.append(np.array(_bare(x)))
    return Ref(value.number) if type(value) is Noted else value


# ---------------------------------------------------------------- the derivatives


def note(
    f: Callable,
    args: tuple,
    kwargs: dict,
    wrt: Any,
    of: str,
    lift: bool = True,
    fixed: bool = False,
) -> Derivative:
    """The calls of f's ``value``, ``grad``, ``jvp``, ``hvp`` or ``vjp`` at the arguments."""
    with Log() as log:
        log.follow = Follower(log)
        arguments = Arguments(log, f, args, kwargs, wrt, fixed)
        found = Derivative(of, log.calls, arguments)
        _NOTES[of](log, f, arguments, lift, found)
    return found


def _note_value(log: Log, f: Any, a: Arguments, lift: bool, found: Derivative) -> None:
    with _Remembering(log) as trace:
        entered = enter(trace, f, a.args, a.kwargs, a.keys)
        out = run(trace, f, lift, entered)
        leaves, structure = tree.flatten(out)
        found.value = tree.unflatten(structure, [_result(strip(trace, x), found) for x in leaves])
        found.program = trace.program


def _note_grad(log: Log, f: Any, a: Arguments, lift: bool, found: Derivative) -> None:
    value, bars, found.program = _gradient(log, f, a, lift, a.args, a.kwargs)
    found.value = _result(value, found)
    for leaf, bar in zip(a.wanted, bars):
        name_of(log, bar, f"{a.name(leaf)}_bar")
    found.results = [_result_like(bar, leaf, found) for bar, leaf in zip(bars, a.wanted)]


def _gradient(log: Log, f: Any, a: Arguments, lift: bool, args: tuple, kwargs: dict) -> Any:
    with _Remembering(log) as trace:
        entered = enter(trace, f, args, kwargs, a.keys)
        for leaf, var in zip(a.wanted, trace.program.inputs):
            trace.names[var] = a.name(leaf)
        out = run(trace, f, lift, entered)
        value, var = _scalar(f, out, trace)
    program = trace.take_program()
    log.inner = program
    if var < 0:
        return value, [None] * len(entered.leaves), program
    return value, _swept(log, program, trace.names, {var: log.one(value.dtype)}), program


def _result_like(bar: Any, leaf: Leaf, found: Derivative) -> Any:
    return _result(np.zeros_like(differentiable(leaf.value))[()] if bar is None else bar, found)


class _Pushing(Forward):
    """Forward mode that names tangents after their variables."""

    __slots__ = ("log",)

    def __init__(self, log: Log):
        super().__init__()
        self.log = log

    def process(self, primitive, operands, params):
        y = super().process(self.log.follow.primitive(primitive), operands, params)
        for part in y if primitive.multiple else (y,):
            if isinstance(part, Tracer) and part._trace is self and part._var is not None:
                value = plain(part._value)
                name = self.log.calls.names.get(getattr(value, "number", -1))
                if name is not None:
                    name_of(self.log, part._var, f"d{name}")
        return y

    def write(self, array, index, value, primitive):
        super().write(array, index, value, primitive)
        names, buffer, tangent = self.log.calls.names, plain(array._value), plain(array._var)
        if type(buffer) is type(tangent) is Noted and buffer.number in names:
            names[tangent.number] = f"d{names[buffer.number]}"


def _tangent_inputs(log: Log, a: Arguments, found: Derivative) -> list[Any]:
    tangents = []
    for leaf in a.wanted:
        like = differentiable(leaf.value)
        handle = log.input(np.ones_like(like)[()], f"d{a.name(leaf)}", active=False)
        found.tangents.append(plain(handle).number)
        tangents.append(handle)
    return tangents


def _note_jvp(log: Log, f: Any, a: Arguments, lift: bool, found: Derivative) -> None:
    tangents = _tangent_inputs(log, a, found)
    with _Pushing(log) as trace:
        entered = enter(
            trace, f, a.args, a.kwargs, a.keys, lambda x, i: trace.handle(x, tangents[i])
        )
        out = run(trace, f, lift, entered)
        leaves, structure = tree.flatten(out)
        values = [strip(trace, x) for x in leaves]
        dys = [_tangent_of(trace, x, y) for x, y in zip(leaves, values)]
    found.value = tree.unflatten(structure, [_result(x, found) for x in values])
    found.results = [_result(x, found) for x in dys]


def _tangent_of(trace: Any, x: Any, y: Any) -> Any:
    if isinstance(x, Tracer) and x._trace is trace and x._var is not None:
        return x._var
    return np.zeros_like(_bare(y))[()]


def _note_hvp(log: Log, f: Any, a: Arguments, lift: bool, found: Derivative) -> None:
    tangents = _tangent_inputs(log, a, found)
    with _Pushing(log) as trace:
        entered = enter(
            trace, f, a.args, a.kwargs, a.keys, lambda x, i: trace.handle(x, tangents[i])
        )
        args, kwargs = entered.args, entered.kwargs
        _, bars, found.program = _gradient(log, f, a, lift, args, kwargs)
        found.value, tangents = [], []  # the gradient, and its derivative
        for leaf, bar in zip(a.wanted, bars):
            moved = None
            if isinstance(bar, Tracer) and bar._trace is trace:
                moved = bar._var
                name_of(log, bar, f"{a.name(leaf)}_bar")
                name_of(log, moved, f"d{a.name(leaf)}_bar")
            found.value.append(_result_like(bar, leaf, found))
            tangents.append(moved)
        found.results = [_result_like(x, leaf, found) for x, leaf in zip(tangents, a.wanted)]


def _note_vjp(log: Log, f: Any, a: Arguments, lift: bool, found: Derivative) -> None:
    with _Remembering(log) as trace:
        entered = enter(trace, f, a.args, a.kwargs, a.keys)
        out = run(trace, f, lift, entered)
        if not isinstance(out, Tracer):
            raise MismatchError(
                "the Jacobian of a function that returns no array cannot be written down",
                "Return one array, e.g. np.concatenate of the parts.",
            )
        var = out._var if out._trace is trace else -1
        value = strip(trace, out)
    program = trace.take_program()
    log.inner = found.program = program
    found.value = _result(value, found)
    seed = log.input(np.ones_like(_bare(value))[()], "g", active=False)
    found.seeds = [plain(seed).number]
    bars = [None] * len(a.wanted)
    if var >= 0:
        bars = _swept(log, program, trace.names, {var: plain(seed)})
    for leaf, bar in zip(a.wanted, bars):
        name_of(log, bar, f"{a.name(leaf)}_bar")
    found.results = [_result_like(bar, leaf, found) for bar, leaf in zip(bars, a.wanted)]


_NOTES: dict[str, Callable[..., None]] = {
    "value": _note_value,
    "grad": _note_grad,
    "jvp": _note_jvp,
    "hvp": _note_hvp,
    "vjp": _note_vjp,
}
