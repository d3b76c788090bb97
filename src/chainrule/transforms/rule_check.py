"""Is a user's rule the derivative of its function? One random direction tells.

First two runs of f and a central difference: a right rule agrees, and that was all. Otherwise the
slope is measured with a certified error; only what lies beyond that error is called wrong, so that
kinks, jumps and noise never condemn a rule.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule import numeric
from chainrule.base.errors import ChainruleError, RuleError
from chainrule.numeric.points import Point, quiet

_STEP = 2.0**-17  # of the scale of the point
_AGREE = 1e-6
_SINGLE_STEP, _SINGLE_AGREE = 2.0**-8, 2e-3  # where float32 is involved
_CERTAIN = 10.0  # a gap of so many error bounds is a mistake
_SHOWN = 5  # arguments that an error tells about


@dataclass(frozen=True, eq=False)
class Claims:
    """One call of a function and what its rules say there.

    operands, values : of the call.   run(operands) -> values.   pull(g, y, *operands) and
    push(tangents, y, *operands) : the rules, None if not stated.   traced : the operands that a
    derivative is asked for; the others stay where they are.
    """

    title: str
    paths: Sequence[str]
    traced: Sequence[bool]
    operands: Sequence[Any]
    values: Sequence[Any]
    run: Callable[[Sequence[Any]], Sequence[Any]]
    pull: Callable[..., Any] | None
    push: Callable[..., Any] | None


def verify(claims: Claims) -> str:
    """What was found, in words; RuleError with the numbers if a rule is wrong."""
    state = np.random.get_state()  # f may draw: the caller's stream goes on where it was
    try:
        return _verify(claims)
    finally:
        np.random.set_state(state)


def _verify(claims: Claims) -> str:
    active = [i for i, wanted in enumerate(claims.traced) if wanted]
    try:
        point = Point([claims.operands[i] for i in active])
        values = Point(list(claims.values))
    except ChainruleError:
        return "inconclusive: a value is not finite"
    rng = np.random.default_rng(0)
    direction = _random(rng, point.size) * point.scale
    weights = values.at(_random(rng, values.size) / values.scale)
    line = _Line(claims, active, point, direction, weights)
    claimed = line.claimed(direction)
    try:
        if line.agrees(claimed):
            return "agrees"
        slope, error = line.measured(direction)
    except Exception as failure:  # f at other points: nothing about the rule
        return f"inconclusive: {type(failure).__name__} near the point"
    wrong = {name: x for name, x in claimed.items() if _contradicts(x, slope, error)}
    if not wrong:
        return "agrees" if np.isfinite(error) else "inconclusive: no slope can be measured"
    raise RuleError(
        line.complaint(wrong, slope, error),
        "Correct the rule. If it is meant to differ from the derivative (straight-through, "
        "clipping), pass check=False.",
    )


def _random(rng: np.random.Generator, size: int) -> np.ndarray:
    """Signs and sizes of few bits, none of them small: points on the line are exact."""
    return rng.choice([-1.0, 1.0], size) * rng.integers(4, 9, size) / 8


def _contradicts(claimed: float, slope: float, error: float) -> bool:
    if not np.isfinite(error):
        return False
    tolerance = _CERTAIN * error + 1e-8 * max(abs(slope), abs(claimed))
    return not abs(claimed - slope) <= tolerance


def inner(a: Sequence[Any], b: Sequence[Any]) -> float:
    """Re sum conj(a) b over all leaves; None is zero."""
    pairs = [(x, y) for x, y in zip(a, b) if x is not None and y is not None]
    return float(sum(np.sum(np.real(np.conj(x) * y), dtype=float) for x, y in pairs))


class _Line:
    """The line x + t v, and the weighted sum of the values of f along it."""

    def __init__(
        self, claims: Claims, active: list[int], point: Point, v: np.ndarray, weights: list
    ):
        self.claims, self.active = claims, active
        self.point, self.v, self.weights = point, v, weights

    def weighted(self, xs: Sequence[Any]) -> float:
        operands = list(self.claims.operands)
        for i, x in zip(self.active, xs):
            operands[i] = x
        return inner(self.weights, self.claims.run(operands))

    def claimed(self, v: np.ndarray) -> dict[str, float]:
        """The slope along v that each rule says."""
        c, vs = self.claims, self.point.at(v)
        several = len(c.values) != 1
        y = tuple(c.values) if several else c.values[0]
        found = {}
        if c.pull is not None:
            bars = c.pull(tuple(self.weights) if several else self.weights[0], y, *c.operands)
            found["vjp"] = inner([bars[i] for i in self.active], vs)
        if c.push is not None:
            tangents: list[Any] = [None] * len(c.operands)
            for i, dx in zip(self.active, vs):
                tangents[i] = dx
            dys = c.push(tangents, y, *c.operands)
            found["jvp"] = inner(self.weights, dys if several else (dys,))
        return found

    def agrees(self, claimed: dict[str, float]) -> bool:
        """Whether a central difference, for two runs of f, is what the rules say."""
        single = [x for x in (*self.claims.operands, *self.claims.values) if _is_single(x)]
        h, tolerance = (_SINGLE_STEP, _SINGLE_AGREE) if single else (_STEP, _AGREE)
        with quiet():
            ahead, behind = (
                self.weighted(self.point.at(self.point.vector + t * self.v)) for t in (h, -h)
            )
        slope = (ahead - behind) / (2 * h)
        gaps = [abs(x - slope) - tolerance * max(abs(x), abs(slope)) for x in claimed.values()]
        return all(gap <= 0 for gap in gaps)

    def measured(self, v: np.ndarray) -> tuple[float, float]:
        """The slope along v and a bound on its error, infinite at a kink."""
        xs = self.point.at(self.point.vector)
        found = numeric.directional(self.weighted, xs, self.point.at(v))
        if found.notes or not np.isfinite(found.value):
            return 0.0, np.inf
        return float(found.value), float(found.error)

    def complaint(self, wrong: dict[str, float], slope: float, error: float) -> str:
        """What is wrong, and for which arguments."""
        title = self.claims.title
        told = " and ".join(f"its {name} gives {x:.10g}" for name, x in wrong.items())
        text = (
            f"the rule of {title} is wrong: along a random direction {told}, "
            f"differences of {title} give {slope:.10g} ± {error:.1e}"
        )
        rows = []
        paths = [self.claims.paths[i] for i in self.active]
        for path, (start, end) in list(zip(paths, self.point.ranges()))[:_SHOWN]:
            v = np.zeros_like(self.v)
            v[start:end] = self.v[start:end]
            slope, error = self.measured(v) if v.any() else (0.0, np.inf)
            for name, x in self.claimed(v).items():
                if name in wrong and _contradicts(x, slope, error):
                    gap = f"{name} {x:.10g}, differences {slope:.10g} ± {error:.1e}"
                    rows.append(f"\n    {path} alone: {gap}")
        return text + ("".join(rows) if len(paths) > 1 else "")


def _is_single(x: Any) -> bool:
    return np.finfo(np.asarray(x).dtype).eps > 1e-10 if np.asarray(x).dtype.kind in "fc" else False
