"""Which step of a program is wrong: a rule of ours, or a step of somebody's hand-written backprop.

Our own: each equation's rule is judged alone, by differences of that equation. By hand: the
backward pass is repeated with one slip somewhere, a term left out, a factor, a transpose; if that
gives the claimed gradient number by number, this is the slip.
"""

from collections.abc import Callable, Iterator, Sequence
from time import monotonic
from typing import Any, NamedTuple

import numpy as np

from chainrule.base.errors import ChainruleError
from chainrule.checker.report import Finding
from chainrule.checker.steps import Steps, inner, random_cotangents
from chainrule.checker.witness import judged
from chainrule.core.indexing import assign

_PATIENCE = 5.0  # seconds
_SAME = 2  # equations of one line, primitive and shape that are examined: loops repeat themselves
_FEW = 64
_EQUAL = 1e-7  # relative
_LISTED = 2


# --- rules of ours


def examine_rules(steps: Steps, seed: int, tol: float) -> tuple[str, list[Finding]]:
    """``(fault, findings)``: every equation's vjp against differences of that equation alone."""
    rng = np.random.default_rng(seed)
    findings, faults = [], []
    counts: dict[Any, int] = {}
    start = monotonic()
    for i in reversed(range(len(steps.equations))):
        kind = _kind(steps, i)
        counts[kind] = counts.get(kind, 0) + 1
        if counts[kind] > _SAME:
            continue
        if monotonic() - start > _PATIENCE:
            findings.append(Finding("the rest", "inconclusive", "not examined: out of time"))
            break
        report = _rule_judged(steps, i, rng, seed, tol)
        text = "" if report.ok else report.reason
        patterns = [row.pattern for row in report.arguments if row.pattern]
        if report.verdict == "fail":
            text = patterns[0] if patterns else str(report.worst or report.reason)
            faults.append(f"the rule of {steps.text(i)} is wrong ({text})")
        findings.append(Finding(steps.text(i), report.verdict, text))
    return "; ".join(dict.fromkeys(faults)), findings


def _kind(steps: Steps, i: int) -> Any:
    equation = steps.equations[i]
    shapes = tuple(steps.program.shapes[v] for v in steps.operands(i))
    return equation.line, equation.primitive.name, shapes


def _rule_judged(steps: Steps, i: int, rng: np.random.Generator, seed: int, tol: float) -> Any:
    bars = random_cotangents(steps, i, rng)
    gs = [bars[v] for v in steps.equations[i].results]
    alone, operands = steps.alone(i), steps.operands(i)
    xs = tuple(steps.values[v] for v in operands)
    claimed = steps.pullback(i, bars)
    gradient = tuple(np.zeros_like(x) if bar is None else bar for bar, x in zip(claimed, xs))
    mode: Any = "coordinates" if sum(map(np.size, xs)) <= _FEW else "directions"
    return judged(
        lambda operand: inner(gs, alone(operand)),
        xs,
        grad=lambda operand: gradient,
        seed=seed,
        tol=tol,
        mode=mode,
    )


# --- slips of a hand-written backward pass


class Slip(NamedTuple):
    """What may have gone wrong with the cotangent ``bar`` that a step sends to an operand.

    wrong(g, bar) : what is sent in its place, None where the slip makes no sense; g is the
    cotangent of the step's result.   text : with {step} and {operand}.
    """

    wrong: Callable[[Any, Any], Any]
    text: str


def _if(condition: Callable[[Any, Any], bool], wrong: Callable[[Any, Any], Any]) -> Callable:
    return lambda g, bar: wrong(g, bar) if condition(g, bar) else None


def _alike(g: Any, bar: Any) -> bool:
    return np.shape(g) == np.shape(bar)


def _square(g: Any, bar: Any) -> bool:
    return np.ndim(bar) == 2 and bar.shape[0] == bar.shape[1] > 1


SLIPS = (
    Slip(lambda g, bar: 0 * bar, "the derivative of {step} by {operand} is left out"),
    Slip(_if(_alike, lambda g, bar: g), "the factor of {step} is left out (taken as 1)"),
    Slip(lambda g, bar: -bar, "the sign of {operand}'s cotangent from {step} is flipped"),
    Slip(lambda g, bar: 2 * bar, "{operand}'s cotangent from {step} is doubled"),
    Slip(lambda g, bar: bar / 2, "{operand}'s cotangent from {step} is halved"),
    Slip(_if(_square, lambda g, bar: bar.T), "{operand}'s cotangent from {step} is transposed"),
)


def explain_claim(steps: Steps, claimed: Sequence[Any]) -> str:
    """A sentence on the one slip in the backward pass that gives the claimed gradient; "" if none.

    claimed : cotangents of the program's inputs.
    """
    if steps.output < 0:
        return ""
    sweep = _Sweep(steps)
    start = monotonic()
    right = sweep.gradient()
    if _agree(right, claimed):
        return ""
    for text, places in _grouped(_slips(sweep)):
        found = []
        for place, slip in places:
            if monotonic() - start > _PATIENCE:
                return ""
            made = sweep.gradient(slip)
            if _agree(made, claimed) and not _agree(made, right):
                found.append(place)
        if found:
            found.sort(key=lambda place: place.get("operand") == "its operand")
            unique = list(dict.fromkeys(text.format(**place) for place in found))
            more = "" if len(unique) <= _LISTED else f", or {len(unique) - _LISTED} others"
            return "it is what results when " + ", or when ".join(unique[:_LISTED]) + more
    return ""


Edge = tuple[int, int]  # equation, place among its operands


class _Sweep:
    """The backward pass of a scalar program, to be repeated with changes."""

    def __init__(self, steps: Steps):
        self.steps = steps
        self.count = len(steps.equations)

    def gradient(self, slip: dict[Edge, Callable] | None = None) -> list[Any]:
        """Cotangents of the inputs; ``slip`` gives what edges send, from (g, bar)."""
        steps = self.steps
        bars: dict[int, Any] = {steps.output: np.ones((), steps.program.dtypes[steps.output])}
        for i in reversed(range(self.count)):
            results = steps.equations[i].results
            gs = {v: bars[v] for v in results if v in bars}
            if not gs:
                continue
            g = gs.get(results[0])
            for k, (var, bar) in enumerate(zip(steps.operands(i), steps.pullback(i, gs))):
                if bar is None:
                    continue
                change = None if slip is None else slip.get((i, k))
                if change is not None:
                    bar = change(g, bar)
                    if bar is None:
                        continue
                bars[var] = bars[var] + bar if var in bars else bar
        return [bars.get(v) for v in steps.program.inputs]


Place = dict[str, str]
Change = Callable[[Any, Any], Any]  # of (g, bar)


def _slips(sweep: _Sweep) -> Iterator[tuple[str, Place, dict[Edge, Change]]]:
    """(text, place, slip) of all slips; what runs in a loop slips every time."""
    steps = sweep.steps
    groups: dict[Any, list[Edge]] = {}
    for i in range(sweep.count):
        for k in range(len(steps.operands(i))):
            kind = (steps.instruction(i), steps.equations[i].primitive.name, k)
            groups.setdefault(kind, []).append((i, k))
    yield from _overwritten(steps)
    yield from _assigned(steps)
    for slip in SLIPS:
        for edges in groups.values():
            yield slip.text, _place_of(steps, edges[0]), dict.fromkeys(edges, slip.wrong)
    for text, factory in MADE_TO_MEASURE:
        for edges in groups.values():
            made = {edge: change for edge in edges if (change := factory(steps, *edge))}
            if made:
                yield text, _place_of(steps, edges[0]), made
    for factor in sorted({n for shape in steps.program.shapes for n in shape if n > 2}):
        for by, word in ((factor, "multiplied"), (1 / factor, "divided")):
            text = f"{{operand}}'s cotangent from {{step}} is {word} by {factor}"
            for edges in groups.values():
                yield text, _place_of(steps, edges[0]), dict.fromkeys(edges, _times(by))


def _place_of(steps: Steps, edge: Edge) -> Place:
    i, k = edge
    name = steps.name(steps.operands(i)[k])
    made_up = name[:1] == "t" and name[1:].isdigit()
    return {"step": steps.text(i), "operand": "its operand" if made_up else name}


# --- slips that need the values of a step


def _not_transposed(steps: Steps, i: int, k: int) -> Change | None:
    """g @ W where g @ W.T is meant, which only shows in the numbers if W is square."""
    operands = steps.matrices(i)
    if operands is None:
        return None
    slot = steps.slot(i, steps.operands(i)[k])
    other = operands[1 - slot]
    if other.shape[0] != other.shape[1]:
        return None
    return (lambda g, bar: g @ other) if slot == 0 else (lambda g, bar: other @ g)


def _one_sample(which: int) -> Callable[[Steps, int, int], Change | None]:
    """A sum over the batch of which only one term is left."""

    def factory(steps: Steps, i: int, k: int) -> Change | None:
        part = slice(0, 1) if which == 0 else slice(-1, None)
        operands, var = steps.matrices(i), steps.operands(i)[k]
        if operands is not None and steps.slot(i, var) == 1:
            return lambda g, bar: operands[0][part].T @ g[part]
        if steps.equations[i].primitive.name == "add":
            return lambda g, bar: _unlike(g, bar, part)
        return None

    return factory


def _unlike(g: Any, bar: Any, part: slice) -> Any:
    """The cotangent of a broadcast operand, from one index of the first axis alone."""
    if np.ndim(g) <= np.ndim(bar):
        return None
    reduced = np.sum(g[part], axis=tuple(range(np.ndim(g) - np.ndim(bar))))
    return reduced if np.shape(reduced) == np.shape(bar) else None


def _wrong_slope(slope: Callable[[Any, Any], Any]) -> Callable[[Steps, int, int], Change | None]:
    """Of tanh, from its argument x and its value y."""

    def factory(steps: Steps, i: int, k: int) -> Change | None:
        equation = steps.equations[i]
        if equation.primitive.name != "tanh":
            return None
        x, y = steps.values[steps.operands(i)[0]], steps.values[equation.results[0]]
        return lambda g, bar: g * slope(x, y)

    return factory


MADE_TO_MEASURE: tuple[tuple[str, Callable[[Steps, int, int], Change | None]], ...] = (
    ("the matrix that {operand} meets in {step} is not transposed", _not_transposed),
    ("only the first sample counts for {operand} in {step}", _one_sample(0)),
    ("only the last sample counts for {operand} in {step}", _one_sample(-1)),
    ("the slope of {step} is taken as 1 - y", _wrong_slope(lambda x, y: 1 - y)),
    ("the slope of {step} is taken at its argument, 1 - x²", _wrong_slope(lambda x, y: 1 - x * x)),
)


def _times(factor: float) -> Callable:
    return lambda g, bar: factor * bar


def _overwritten(steps: Steps) -> Iterator[tuple[str, Place, dict[Edge, Callable]]]:
    """``=`` where ``+=`` is meant: of several uses of a variable only one counts."""
    text = "only {step} counts for {operand}: cotangents of several uses must be added"
    for var in range(len(steps.program.shapes)):
        uses = [(i, steps.operands(i).index(var)) for i in steps.uses(var)]
        if not 2 <= len(uses) <= 64:
            continue
        for kept in uses if len(uses) <= 8 else (uses[0], uses[-1]):
            others = {edge: (lambda g, bar: 0 * bar) for edge in uses if edge != kept}
            yield text, _place_of(steps, kept), others


def _assigned(steps: Steps) -> Iterator[tuple[str, Place, dict[Edge, Callable]]]:
    """``bar[index] = g`` where an index comes twice."""
    text = "{step} is undone by assignment: where an index repeats, cotangents must be added"
    for equation in steps.equations:
        if equation.primitive.name == "getitem":
            index = equation.params["index"]

            def assigned(g: Any, bar: Any, index: Any = index) -> Any:
                made = np.zeros_like(bar)
                assign(made, index, g)
                return made

            yield text, {"step": steps.text(equation.index)}, {(equation.index, 0): assigned}


def _grouped(slips: Iterator) -> Iterator[tuple[str, list]]:
    """Slips of one kind together: several places may explain a gradient equally well."""
    kinds: dict[str, list] = {}
    for text, place, slip in slips:
        kinds.setdefault(text, []).append((place, slip))
    yield from kinds.items()


def _agree(made: Sequence[Any], claimed: Sequence[Any]) -> bool:
    for a, b in zip(made, claimed):
        a = np.zeros_like(b) if a is None else a
        if np.shape(a) != np.shape(b):
            return False
        with np.errstate(all="ignore"):
            size = float(np.max(np.abs(b), initial=0.0)) + float(np.max(np.abs(a), initial=0.0))
            if not np.all(np.abs(np.asarray(a) - b) <= _EQUAL * size):
                return False
    return True


def traced(f: Callable, args: tuple, wrt: tuple) -> Steps | None:
    """The steps of ``f``; None where it cannot be traced."""
    try:
        return Steps(f, args, wrt)
    except (ChainruleError, ArithmeticError, ValueError, TypeError):
        return None
