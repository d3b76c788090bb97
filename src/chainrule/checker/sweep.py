"""The backward pass of a scalar program, laid open: what each step sends, and what changes if it
sends something else.

An edge is a step and one of the places where it reads a variable. The cotangent of a variable is
the sum of what its edges send. Everything upstream of an edge is linear in what it sends, so a
change is followed alone, without the rest; and against the tangent of the variable along a
direction of the inputs, it tells at once what becomes of the gradient in this direction.
"""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from chainrule.base.errors import ChainruleError
from chainrule.checker.steps import Steps
from chainrule.core.indexing import add_at, assign, stored
from chainrule.core.primitive import masked_product
from chainrule.core.project import match, project

Edge = tuple[int, int]  # equation, place among the variables that it reads
Change = Callable[[Any, Any], Any]  # of (g, bar), what is sent; g is the cotangent of the result

# what a rule may raise that is given what it was not made for
FAILS = (
    ArithmeticError,
    AttributeError,
    ChainruleError,
    IndexError,
    TypeError,
    ValueError,
    np.linalg.LinAlgError,
)

_DIRECTIONS = 8


class Sweep:
    """All cotangents of the program of ``steps``, along each edge.

    g : of the results of each equation, None where it does not reach the output.   sent : along
    each edge.   bars : of each variable.   gradient : of the inputs, zeros where nothing arrives.
    work : equations that were pulled back so far.   To be used inside ``np.errstate``.
    """

    def __init__(self, steps: Steps):
        self.steps = steps
        self.program = steps.program
        self.work = 0
        self._product: Callable = operator.mul
        self._fill()
        if not all(np.isfinite(bar).all() for bar in self.gradient):
            self._product = masked_product  # 0 times inf
            self._fill()

    def _fill(self) -> None:
        program, output = self.program, self.steps.output
        self.bars: dict[int, Any] = {output: np.ones((), program.dtypes[output])}
        self.g: list[Any] = [None] * len(program)
        self.sent: dict[Edge, Any] = {}
        for i in reversed(range(len(program))):
            self.g[i] = self.of_results(i, self.bars)
            for k, bar in enumerate(self.pulled(i, self.g[i])):
                if bar is not None:
                    self.sent[i, k] = bar
                    _add(self.bars, program.operands[i][k], bar)
        self.gradient = [self._full(v, self.bars.get(v)) for v in program.inputs]

    def _full(self, var: int, bar: Any) -> np.ndarray:
        return np.zeros(self.program.shapes[var]) if bar is None else np.asarray(bar)

    def of_results(self, i: int, bars: Mapping[int, Any]) -> Any:
        """The entry of the result; a tuple for several; None if there is none."""
        results = self.program.results[i]
        if type(results) is int:
            return bars.get(results)
        found = tuple(bars.get(v) for v in results)
        return None if all(g is None for g in found) else found

    def pulled(self, i: int, g: Any, residuals: tuple | None = None) -> list[Any]:
        """What equation ``i`` sends along its edges for a cotangent ``g`` of its result.

        residuals : in place of those that its forward pass kept.
        """
        program = self.program
        plan, operands = program.plans[i], program.operands[i]
        if g is None:
            return [None] * len(operands)
        self.work += 1
        kept = program.residuals[i] if residuals is None else residuals
        bars: Sequence[Any]
        if plan.write == "read":
            bars = [self._scattered(operands[0], g, program.params[i]["index"])]
        elif plan.write == "write":
            bars = self._split(plan.mask, g, program.params[i]["index"])
        else:
            bars = plan.pullback(g, self._product, kept, program.params[i])
        shapes, dtypes = program.shapes, program.dtypes
        return [
            None if bar is None else project(np.asarray(bar), shapes[v], dtypes[v])
            for v, bar in zip(operands, bars)
        ]

    def _scattered(self, var: int, g: Any, index: Any) -> Any:
        """Of ``y = x[index]``: these two keep no residuals."""
        bar = np.zeros(self.program.shapes[var], self.program.dtypes[var])
        add_at(bar, index, g)
        return bar

    def _split(self, mask: int, g: Any, index: Any) -> list[Any]:
        """Of ``y = x with x[index] = v``: what x gets, and v."""
        rest = np.array(g)
        assign(rest, index, 0.0)
        return [rest] * (mask & 1) + [stored(g, index, np.shape(g))] * (mask >> 1 & 1)

    # --- changes

    def changed(self, slip: Mapping[Edge, Change]) -> list[Any] | None:
        """The gradient if these edges send something else; None where that makes no sense."""
        delta: dict[int, Any] = {}
        slipped = {i for i, _ in slip}
        for i in range(max(slipped), -1, -1):
            d = self.of_results(i, delta)
            if d is None and i not in slipped:
                continue
            parts = self.pulled(i, d)
            for k, part in enumerate(parts):
                if (i, k) in slip and (i, k) in self.sent:
                    bar = self.sent[i, k]
                    wrong = slip[i, k](_sum(self.g[i], d), bar if part is None else bar + part)
                    if wrong is None:
                        return None
                    part = wrong - bar
                if part is not None:
                    _add(delta, self.program.operands[i][k], part)
        return [
            right if v not in delta else right + delta[v]
            for v, right in zip(self.program.inputs, self.gradient)
        ]

    def is_right(self) -> bool:
        """Whether the gradient is that of the program, by a difference along one direction."""
        program, steps = self.program, self.steps
        rng = np.random.default_rng(0)
        along = [rng.choice([-1.0, 1.0], program.shapes[v]) for v in program.inputs]
        sizes = [1e-6 * np.maximum(np.abs(steps.values[v]), 1e-3) for v in program.inputs]
        moves = [size * sign for size, sign in zip(sizes, along)]
        values = [
            steps.value_at([steps.values[v] + s * d for v, d in zip(program.inputs, moves)])
            for s in (1, -1)
        ]
        terms = [np.real(np.conj(g) * d) for g, d in zip(self.gradient, moves)]
        size = sum(float(np.sum(np.abs(t))) for t in terms)
        slope = sum(float(np.sum(t)) for t in terms)
        gap = abs((values[0] - values[1]) / 2 - slope)
        return bool(gap <= 1e-2 * size + 1e-12 * abs(values[0]))

    # --- directions

    def tangents(self, seed: int = 0) -> dict[int, np.ndarray]:
        """Of every variable along random directions of the inputs, (directions, *shape).

        As many directions as the inputs have numbers, up to a few.
        """
        program = self.program
        rng = np.random.default_rng(seed)
        size = sum(max(1, int(np.prod(program.shapes[v]))) for v in program.inputs)
        count = min(size, _DIRECTIONS)
        found: dict[int, np.ndarray] = {}
        for v in program.inputs:
            rows = rng.standard_normal((count, *program.shapes[v]))
            if program.dtypes[v].kind == "c":
                rows = rows + 1j * rng.standard_normal(rows.shape)
            found[v] = rows.astype(program.dtypes[v])
        for equation in self.steps.equations:
            self._push(equation, found, count)
        return found

    def _push(self, equation: Any, found: dict[int, np.ndarray], count: int) -> None:
        values = self.steps.values
        xs = [values[x] if kind == "var" else x for kind, x in equation.operands]
        several = len(equation.results) > 1 or equation.primitive.multiple
        ys = tuple(values[v] for v in equation.results)
        rows = []
        for row in range(count):
            dxs = [found[x][row] if kind == "var" else None for kind, x in equation.operands]
            dy = equation.primitive.jvp(dxs, xs, ys if several else ys[0], equation.params)
            rows.append(dy if several else (dy,))
        for place, (v, y) in enumerate(zip(equation.results, ys)):
            parts = [np.zeros_like(y) if r[place] is None else match(r[place], y) for r in rows]
            found[v] = np.stack(parts)


def against(bar: Any, rows: np.ndarray) -> np.ndarray:
    """Re <bar, row> for each row."""
    flat = rows.reshape(len(rows), -1)
    return np.real(flat @ np.conj(np.reshape(bar, -1)))


def reached_from(steps: Steps) -> list[int]:
    """For each variable the inputs it depends on, as bits."""
    program = steps.program
    masks = [0] * len(program.shapes)
    for bit, v in enumerate(program.inputs):
        masks[v] |= 1 << bit
    for equation, operands in zip(steps.equations, program.operands):
        mask = 0
        for v in operands:
            mask |= masks[v]
        for v in equation.results:
            masks[v] = mask
    return masks


def is_serial(steps: Steps, edges: Iterable[Edge]) -> bool:
    """Whether what one of the edges sends flows through another one of them."""
    edges = list(edges)
    equations = {i for i, _ in edges}
    if len(equations) < 2:
        return False
    after: set[int] = set()
    operands, first, last = steps.program.operands, min(equations), max(equations)
    for i in range(first, last + 1):
        own = [operands[i][k] for k in range(len(operands[i])) if (i, k) in edges]
        if i in equations and not after.isdisjoint(own):
            return True
        if i in equations or not after.isdisjoint(operands[i]):
            after.update(steps.equations[i].results)
    return False


def _sum(a: Any, b: Any) -> Any:
    if b is None or a is None:
        return a if b is None else b
    if isinstance(a, tuple):
        return tuple(_sum(x, y) for x, y in zip(a, b))
    return a + b


def _add(bars: dict[int, Any], var: int, bar: Any) -> None:
    bars[var] = bars[var] + bar if var in bars else bar


def differs(a: Sequence[Any], b: Sequence[Any], tolerance: float) -> list[bool]:
    """For each pair of arrays whether they are farther apart than ``tolerance`` of the largest."""
    found = []
    for x, y in zip(a, b):
        if np.shape(x) != np.shape(y):
            found.append(True)
            continue
        with np.errstate(all="ignore"):
            size = float(np.max(np.abs(x), initial=0.0)) + float(np.max(np.abs(y), initial=0.0))
            found.append(not np.all(np.abs(np.asarray(x) - y) <= tolerance * size))
    return found
