"""Which step of a program is wrong: a rule of ours, or a step of somebody's hand-written backprop.

Our own: each equation's rule is judged alone, by differences of that equation. By hand: the
backward pass is repeated with one slip somewhere, a term left out, a factor, a transpose; if that
gives the claimed gradient number by number, this is the slip. Else what is right and what is wrong
tells the steps that come into question.
"""

from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import Any

import numpy as np

from chainrule.base.errors import ChainruleError
from chainrule.checker import operands, otherwise, parts, products, slips
from chainrule.checker.judge import judged
from chainrule.checker.region import region
from chainrule.checker.report import Finding
from chainrule.checker.search import Guess, Search
from chainrule.checker.steps import Steps, inner, random_cotangents

_PATIENCE = 5.0  # seconds for our own rules
_SAME = 2  # equations of one line, primitive and shape that are examined: loops repeat themselves
_FEW = 64
_ANY_FACTOR = 4.0  # cost of a factor that no one would guess: only if there is nothing better
_SAME_COST = 1e-9
_ENOUGH = 8  # explanations that are equally good
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

Family = Callable[[Search], Iterable[Guess]]

# What is likelier comes first, and what is found there is not looked for any further. Each with
# the work it may take: 100 are about a millisecond.
_SIMPLE: tuple[Family, ...] = (
    slips.overwritten,
    slips.scaled,
    slips.overlaid,
    slips.reads,
    slips.local,
)
_OTHERS: tuple[Family, ...] = (operands.mistaken, parts.slices, parts.rounds, parts.exchanged)
_TIERS: tuple[tuple[int, bool, tuple[Family, ...]], ...] = (
    (30_000, False, _SIMPLE),
    (25_000, True, (slips.scaled_rounds, slips.local)),
    (20_000, False, (*_OTHERS, slips.reads, parts.turned, parts.mixed_up)),
    (20_000, False, (products.factors, products.branches)),
    (10_000, False, (otherwise.skipped,)),
    (10_000, False, (slips.pairs,)),
    (25_000, True, (operands.mistaken, slips.reads, parts.turned, parts.mixed_up)),
)


def explain_claim(steps: Steps, claimed: Sequence[Any], known: str = "") -> str:
    """A sentence on the one slip in the backward pass that gives the claimed gradient.

    claimed : cotangents of the program's inputs.   known : what has been said of the fault; if
    nothing, and no slip is found, the sentence says in which steps one fault would make these
    gradients wrong and leave the others right.
    """
    inputs, shapes = steps.program.inputs, steps.program.shapes
    if steps.output < 0 or [np.shape(c) for c in claimed] != [shapes[v] for v in inputs]:
        return ""
    with np.errstate(all="ignore"):
        search = Search(steps, claimed)
        if not search.wrong or not search.sweep.is_right():
            return ""
        found: list[Guess] = []
        for work, is_serial, families in _TIERS:
            search.limit = search.work + work
            guesses = (guess for family in families for guess in family(search))
            found += _tried(search, guesses) if is_serial else _sifted(search, guesses)
            if found and min(found).cost < _ANY_FACTOR:
                break
        return _told(found) if found else "" if known else region(search)


def _sifted(search: Search, guesses: Iterable[Guess]) -> list[Guess]:
    """The likeliest of those that hold: most are out at the first look."""
    likely = []
    for guess in guesses:
        if search.is_over:
            break
        if not guess.is_serial and search.is_likely(guess):
            likely.append(guess)
    found: list[Guess] = []
    for guess in sorted(likely):
        if found and (guess.cost > found[0].cost + _SAME_COST or len(found) == _ENOUGH):
            break
        if search.holds(guess):
            found.append(guess)
    return found


def _tried(search: Search, guesses: Iterable[Guess]) -> list[Guess]:
    """The first of those that hold: each costs a pass."""
    for guess in guesses:
        if search.is_over:
            break
        if guess.is_serial and search.holds(guess):
            return [guess]
    return []


def _told(found: list[Guess]) -> str:
    best = min(found).cost
    texts = list(dict.fromkeys(guess.text for guess in found if guess.cost <= best + _SAME_COST))
    others = len(texts) - _LISTED
    more = "" if others <= 0 else f", or {others} other{'s' * (others > 1)}"
    return "it is what results when " + ", or when ".join(texts[:_LISTED]) + more


def traced(f: Callable, args: tuple, wrt: tuple) -> Steps | None:
    """The steps of ``f``; None where it cannot be traced."""
    try:
        return Steps(f, args, wrt)
    except (ChainruleError, ArithmeticError, ValueError, TypeError):
        return None
