"""Reverse mode: the backward sweep over a program, and ``vjp``, ``grad``, ``value_and_grad`` on it.

The sweep walks the equations from last to first. Each takes the cotangent of its result and adds to
those of its operands; what has several uses collects a sum. On arrays this computes a gradient,
on tracers it records one, which is all there is to higher derivatives.
"""

import operator
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from sys import getrefcount
from typing import Any

import numpy as np

from chainrule.base import tree
from chainrule.base.errors import (
    IndependentOutputWarning,
    MismatchError,
    NonFiniteGradientWarning,
    NotScalarError,
    message,
)
from chainrule.base.where import Line, user_line
from chainrule.core.indexing import add_at, assign, stored
from chainrule.core.products import is_surely_finite, masked_product
from chainrule.core.program import Program
from chainrule.core.project import project
from chainrule.core.trace import Recording, Tracer, is_traced, plain
from chainrule.transforms.door import Transformed, enter, leave, results, run, strip


class Cotangents:
    """One cotangent a variable; ``None`` is zero. Buffers of our own are added to in place."""

    __slots__ = ("bars", "dtypes", "owned", "shapes")

    def __init__(self, program: Program):
        n = len(program.shapes)
        self.bars: list[Any] = [None] * n
        self.owned = bytearray(n)
        self.shapes = program.shapes
        self.dtypes = program.dtypes

    def add(self, var: int, bar: Any) -> None:
        if bar.shape != self.shapes[var] or bar.dtype is not self.dtypes[var]:
            bar = project(bar, self.shapes[var], self.dtypes[var])
        old = self.bars[var]
        if old is None:
            self.bars[var] = bar
        elif type(bar) is np.ndarray and (
            self.owned[var] or (getrefcount(old) <= ALONE and _may_be_changed(old))
        ):
            old += bar
        else:
            self.bars[var] = total = old + bar
            self.owned[var] = type(total) is np.ndarray

    def buffer(self, var: int, g: Any) -> Any:
        """The variable's cotangent as a buffer of our own, zeros if there was none."""
        bar = self.bars[var]
        if bar is None:
            bar = np.zeros_like(g, shape=self.shapes[var], dtype=self.dtypes[var])
        elif not self.owned[var]:
            bar = own_array(bar)
        if isinstance(g, Tracer) and not isinstance(bar, Tracer):
            bar = g._trace.constant(bar)
        self.bars[var] = bar
        self.owned[var] = 1
        return bar

    def read(self, x: int, g: Any, index: Any) -> None:
        """Pull back ``y = x[index]``, at a cost of the index."""
        if self.owned[x] and type(index) is int and not isinstance(g, Tracer):
            self.bars[x][index] += g
            return
        fresh = self.bars[x] is None
        add_at(self.buffer(x, g), index, g, fresh)

    def write(self, plan: Any, operands: tuple, result: int, g: Any, index: Any) -> None:
        """Pull back ``y = x with x[index] = v``: x gets the buffer, cleared at the index."""
        if plan.mask & 2:
            self.add(operands[-1], stored(g, index, self.shapes[result]))
        if plan.mask & 1:
            x = operands[0]
            buffer = g if self.owned[result] else own_array(g)
            assign(buffer, index, 0.0)
            if self.bars[x] is None:
                self.bars[x] = buffer
                self.owned[x] = 1
            else:
                self.add(x, buffer)


def _count_alone() -> int:
    """What getrefcount says of an array in a list of cotangents that nothing else refers to."""
    bars = [np.empty(1)]
    old = bars[0]
    return getrefcount(old)


ALONE = _count_alone()


def _may_be_changed(x: Any) -> bool:
    return type(x) is np.ndarray and x.base is None and x.flags.writeable


def own_array(g: Any) -> Any:
    """A copy of ``g`` that may be written to."""
    if not isinstance(g, Tracer) or not is_traced(g):
        return np.copy(plain(g))
    if isinstance(g, np.ndarray):
        return g.copy()
    y = g._trace.constant(np.zeros_like(plain(g), shape=()))  # a scalar as a 0-d array
    y[...] = g
    return y


def sweep(program: Program, seeds: dict[int, Any], wanted: list[int], mul: Callable) -> list[Any]:
    """Cotangents of the ``wanted`` inputs for the seeds at the outputs; ``None`` is zero."""
    cotangents = Cotangents(program)
    for var, g in seeds.items():
        cotangents.add(var, g)
    bars, add = cotangents.bars, cotangents.add
    shapes, dtypes = program.shapes, program.dtypes
    for plan, operands, params, residuals, result in zip(
        reversed(program.plans),
        reversed(program.operands),
        reversed(program.params),
        reversed(program.residuals),
        reversed(program.results),
    ):
        if type(result) is int:
            g = bars[result]
            if g is None:
                continue
            bars[result] = None
            if plan.write is not None:
                if plan.write == "read":
                    cotangents.read(operands[0], g, params["index"])
                else:
                    cotangents.write(plan, operands, result, g, params["index"])
                continue
        else:
            g = tuple(bars[r] for r in result)
            if all(x is None for x in g):
                continue
            for r in result:
                bars[r] = None
        for var, bar in zip(operands, plan.pullback(g, mul, residuals, params)):
            if bar is None:
                continue
            if bars[var] is None and bar.shape == shapes[var] and bar.dtype is dtypes[var]:
                bars[var] = bar
            else:
                add(var, bar)
    return [bars[v] for v in wanted]


def pull(program: Program, seeds: dict[int, Any], wanted: list[int]) -> list[Any]:
    """``sweep``, and once more with masked products if 0 times inf made the result NaN.

    A NaN cannot disappear on its way to the inputs (rules are linear in g), so checking the result
    costs one pass over it instead of one over every product.
    """
    with np.errstate(all="ignore"):
        bars = list(map(compact, sweep(program, seeds, wanted, operator.mul)))
        if not all(bar is None or all_finite(bar) for bar in bars):
            bars = sweep(program, seeds, wanted, masked_product)
    return bars


def compact(bar: Any) -> Any:
    """A copy of an array that is spread out or repeated in memory, over which passes are slow."""
    return bar.copy() if type(bar) is np.ndarray and not bar.flags.forc else bar


def all_finite(x: Any) -> bool:
    """Whether there is no inf or NaN."""
    x = plain(x)
    return (type(x) is np.ndarray and is_surely_finite(x)) or bool(np.isfinite(x).all())


def zeros_for(leaf: Any) -> Any:
    return np.zeros_like(plain(leaf))[()]


def public(bar: Any, leaf: Any) -> Any:
    """A cotangent as it leaves: zeros for None, never a buffer shared with anything else."""
    if bar is None:
        return zeros_for(leaf)
    if isinstance(bar, Tracer):
        return bar.snapshot()
    if isinstance(bar, np.ndarray):
        if not isinstance(leaf, np.ndarray):
            return bar[()]  # of a scalar: a scalar
        if not bar.flags.owndata or not bar.flags.writeable:
            return bar.copy()
    elif isinstance(leaf, np.ndarray):
        return np.array(bar)
    return bar


def published(bars: list[Any], leaves: list[Any]) -> list[Any]:
    """All cotangents as they leave; arguments that are alike do not get one array together."""
    results = [public(bar, leaf) for bar, leaf in zip(bars, leaves)]
    if len(results) > 1 and len(set(map(id, results))) < len(results):
        seen: set[int] = set()
        for i, x in enumerate(results):
            if id(x) in seen and isinstance(x, np.ndarray):
                results[i] = x.copy()
            seen.add(id(x))
    return results


# ---------------------------------------------------------------- vjp


def vjp(f: Callable, *args: Any, lift: bool = True) -> tuple[Any, "Pullback"]:
    """Value of ``f(*args)`` and its pullback, from a cotangent of the value to those of the args.

    All arguments may be trees, and so may the value. ``pullback(cotangent)`` gives a tuple, one
    entry per argument, and may be called again. Cost of a pullback: a few evaluations of f.

    >>> y, pullback = vjp(lambda x: x**2, np.array([1.0, 3.0]))
    >>> pullback(np.array([1.0, 10.0]))
    (array([ 2., 60.]),)
    """
    with Recording() as trace:
        entered = enter(trace, f, args, {}, tuple(range(len(args))))
        out = run(trace, f, lift, entered)
        leaves, treedef = results(out, f)
        outputs = [x._var if isinstance(x, Tracer) and x._trace is trace else -1 for x in leaves]
        values = [strip(trace, x) for x in leaves]
    return tree.unflatten(treedef, values), Pullback(
        trace.take_program(), entered, outputs, values, treedef
    )


class Pullback:
    """Maps a cotangent of the value to a tuple of cotangents of the arguments."""

    def __init__(self, program: Program, entered: Any, outputs: list, values: list, treedef: Any):
        self.program = program
        self._entered = entered
        self._outputs = outputs
        self._shapes: list[Any] = [(np.shape(v), getattr(v, "dtype", None)) for v in values]
        self._treedef = treedef

    def __call__(self, cotangent: Any) -> tuple:
        gs = tree.leaves_like(self._treedef, cotangent, "cotangent")
        seeds: dict[int, Any] = {}
        for g, var, (shape, dtype) in zip(gs, self._outputs, self._shapes):
            if np.shape(g) != shape:
                raise MismatchError(
                    f"the cotangent has shape {np.shape(g)}, the value has shape {shape}",
                    "A cotangent has the shape of the value of the function.",
                )
            if var >= 0:
                g = g.snapshot() if isinstance(g, Tracer) else np.asarray(g)[()]
                if g.dtype.kind == "c" and dtype.kind != "c":
                    raise MismatchError(
                        "a cotangent is complex, the value is real",
                        "Pass its real and imaginary parts to two calls.",
                    )
                g = project(g, shape, dtype)
                seeds[var] = seeds[var] + g if var in seeds else g
        bars = pull(self.program, seeds, self.program.inputs)
        return self._entered.gather(published(bars, self._entered.leaves))


# ---------------------------------------------------------------- grad


@dataclass(frozen=True, eq=False)
class value_and_grad(Transformed):
    """A function that gives the value of scalar ``f`` and its gradient, in one sweep each way.

    wrt : position, name, or a tuple of them (``argnums`` is another name); default the first
    argument.
    The gradient has the structure, shapes and dtypes of the argument (a tuple if wrt is one).
    has_aux : f returns (value, aux), and the result is ((value, aux), gradient).
    lift : differentiate plain NumPy code the array protocols cannot see (``np.zeros``, ``float``).
    For complex arguments the gradient is df/dRe z + i df/dIm z, the direction of steepest ascent.
    Raises NotScalarError if f is not scalar. Cost: a few evaluations of f, whatever the size.

    >>> f = lambda x, y: np.sum(x * y)
    >>> value_and_grad(f, wrt="y")(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    (np.float64(11.0), array([1., 2.]))
    """

    f: Callable[..., Any]
    wrt: Any = 0
    has_aux: bool = False
    argnums: Any = None
    lift: bool = True

    def __call__(self, *args, **kwargs):
        with Recording() as trace:
            entered = enter(trace, self.f, args, kwargs, self.wrt)
            out = run(trace, self.f, self.lift, entered)
            aux = None
            if self.has_aux:
                out, aux = _value_and_aux(out)
                aux = leave(trace, aux)
            value, var = _scalar(self.f, out, trace)
        program = trace.take_program()
        if var < 0:
            _warn_independent(self.f, program, plain(value))
            bars: list[Any] = [None] * len(entered.leaves)
        else:
            bars = pull(program, {var: _one(value)}, program.inputs)
            if all(b is None for b in bars):
                _warn_independent(self.f, program, plain(value))
        bars = published(bars, entered.leaves)
        _warn_not_finite(bars, value)
        gradient = entered.gather(bars)
        return ((value, aux), gradient) if self.has_aux else (value, gradient)


class grad(value_and_grad):
    """A function that gives the gradient of scalar ``f`` with respect to ``wrt``.

    As ``value_and_grad`` without the value; with ``has_aux`` the result is (gradient, aux).

    >>> grad(lambda x: np.sum(np.sin(x)))(np.array([0.0, np.pi]))
    array([ 1., -1.])
    >>> grad(grad(lambda x: x**3))(2.0)
    np.float64(12.0)
    """

    def __call__(self, *args, **kwargs):
        value, gradient = super().__call__(*args, **kwargs)
        return (gradient, value[1]) if self.has_aux else gradient


def _value_and_aux(out: Any) -> tuple[Any, Any]:
    if not isinstance(out, tuple) or len(out) != 2:
        raise MismatchError(
            f"has_aux=True needs a function that returns (value, aux), not {_described(out)}",
            "Return a pair, or drop has_aux.",
        )
    return out


def _scalar(f: Any, out: Any, trace: Recording) -> tuple[Any, int]:
    """The plain value of a scalar result and its variable (negative: it is a constant)."""
    shape = getattr(out, "shape", None)
    if isinstance(out, Tracer):
        if shape == ():
            if out.dtype.kind == "c":
                raise NotScalarError(
                    f"the gradient needs a real value; {_name(f)} returned a complex one",
                    "Differentiate a real function of it (np.real(y), abs(y)**2), or use "
                    "chainrule.vjp.",
                )
            mine = out._trace is trace
            return strip(trace, out), out._var if mine else -1
    elif isinstance(out, (float, int, np.floating, np.integer, np.bool)) or shape == ():
        return out, -1
    raise NotScalarError(
        f"the gradient needs a scalar value; {_name(f)} returned {_described(out)}",
        "Reduce it (np.sum, np.mean), or use chainrule.jacobian for all its derivatives, "
        "chainrule.vjp for a weighted sum of them, has_aux=True for (value, aux).",
    )


def _described(out: Any) -> str:
    if isinstance(out, (np.ndarray, Tracer)):
        return f"an array of shape {out.shape}"
    if isinstance(out, (tuple, list)):
        return f"a {type(out).__name__} of {len(out)}"
    return "None" if out is None else f"a {type(out).__name__}"


def _name(f: Any) -> str:
    return getattr(f, "__name__", type(f).__name__)


def _one(value: Any) -> Any:
    value = plain(value)
    return np.ones((), value.dtype)[()]


def _warn_independent(f: Any, program: Program, value: Any) -> None:
    at: Line | None
    if len(program):
        at = program.line(len(program) - 1)
        what = (
            f"the value of {_name(f)} does not depend on the differentiated argument: "
            "its derivative is 0"
        )
        remedy = "The last operation that did is the line above: what follows uses constants only."
    else:
        at = user_line()
        what = f"{_name(f)} does not use the differentiated argument: its derivative is 0"
        remedy = "If that is meant, silence chainrule.IndependentOutputWarning; else check wrt=."
    warnings.warn(message(what, remedy, at), IndependentOutputWarning, stacklevel=3)


def _warn_not_finite(bars: list[Any], value: Any) -> None:
    """NumPy's own way with inf and NaN: warn, raise or be silent as np.errstate says."""
    with np.errstate(all="ignore"):
        if all(map(all_finite, bars)) or not np.isfinite(plain(value)):
            return
    if any(isinstance(b, Tracer) for b in bars):
        return  # an inner derivative: the outer one will say so if it matters
    mode = np.geterr()["divide"]
    text = message(
        "the value is finite, its gradient is not (inf or nan)",
        "chainrule.explain_nan(f, *args) says where it comes from.",
        user_line(),
    )
    if mode == "raise":
        raise FloatingPointError(text)
    if mode == "warn":
        warnings.warn(text, NonFiniteGradientWarning, stacklevel=3)
