"""Which of our quantities a value of somebody else's is: by the numbers in it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from chainrule.core.trace import plain
from chainrule.explainer.derivation import Derivation
from chainrule.explainer.expressions import bar_name, constant, equation_node, text_of, variable
from chainrule.explainer.operations import backward_steps
from chainrule.explainer.steps import constant_labels, results_of

FEW = 3  # numbers that tell nothing when they agree up to a factor


@dataclass(frozen=True, eq=False)
class Quantity:
    """A value of the derivation. ``kind`` is "value", "cotangent" or "term" of one.

    ``bars`` are the cotangents that a cotangent is computed from.
    """

    name: str
    text: str
    value: np.ndarray
    kind: str
    order: int
    bars: frozenset[str] = frozenset()
    of: str = ""  # the cotangent that it is a term of


@dataclass(frozen=True)
class Match:
    """Their value is ``factor`` times ours, perhaps transposed or in another shape."""

    ours: Quantity
    factor: float = 1.0
    change: str = ""  # "transposed", "reshaped"

    @property
    def exact(self) -> bool:
        return self.factor == 1.0

    @property
    def is_simple(self) -> bool:
        """A factor that somebody may have written, or the length of an axis: -2, 3/4, 1/1297."""
        factor = abs(self.factor)
        near = Fraction(factor).limit_denominator(60)
        if near == 0:
            near = Fraction(1, max(1, round(1 / factor)))
        return abs(float(near) - factor) < 1e-9 * factor

    def __str__(self) -> str:
        name = self.ours.name
        if self.change == "transposed":
            name = f"{name}.T" if name.isidentifier() else f"({name}).T"
        elif self.change:
            name = f"{name}, reshaped"
        if self.factor == -1:
            return f"-{name}"
        return name if self.exact else f"{_number(self.factor)} * {name}"


def _number(factor: float) -> str:
    inverse = 1 / factor
    if abs(factor) < 1 and abs(inverse - round(inverse)) < 1e-7 * abs(inverse):
        return f"1/{round(inverse)}" if inverse > 0 else f"-1/{-round(inverse)}"
    return f"{factor:.6g}"


def quantities(d: Derivation) -> list[Quantity]:
    """Everything that the derivation computes, each once, cotangents before their parts."""
    return list(_all_quantities(d))


def _all_quantities(d: Derivation) -> Iterator[Quantity]:
    order = iter(range(1_000_000))
    shown = {x.var for s in d.forward for x in s.definitions}
    for x in d.inputs:
        yield Quantity(x.name, x.name, _array(x.value), "value", next(order))
    for name, value in _constants(d).items():
        yield Quantity(name, name, value, "value", next(order))
    texts = _written_out(d, shown)
    for v, text in texts.items():
        name = d.program.names[v] if v in shown else text
        yield Quantity(name, text, _array(d.program.values[v]), "value", next(order))
    bars = {}
    for b in d.backward:
        used = [leaf.var for leaf in b.node.leaves() if leaf.op == "bar"]
        names = frozenset(bar_name(d.program.names[v]) for v in used)
        bars[b.name] = b
        yield Quantity(b.name, b.text, _array(b.value), "cotangent", next(order), names)
        if len(b.terms) > 1:
            for t in b.terms:
                value = _array(t.value)
                yield Quantity(t.text, t.text, value, "term", next(order), of=b.name)
    output = d.program.outputs[0]
    if type(output) is int:
        for step in backward_steps(d.program, output):
            if step.name not in bars:
                name = f"the cotangent of {step.name.removesuffix('_bar')}"
                yield Quantity(step.text, name, _array(step.value), "term", next(order))


def _constants(d: Derivation) -> dict[str, np.ndarray]:
    """Arrays that the program reads and does not differentiate by."""
    found = {}
    for i, values in enumerate(d.program.constants):
        for k, name in constant_labels(d.program, i).items():
            found[name] = _array(values[k])
    return found


def _written_out(d: Derivation, shown: set[int]) -> dict[int, str]:
    """Each variable's right-hand side in variables that the derivation shows."""
    program, known = d.program, {x.var: x.node for x in d.inputs}
    for i in range(len(program)):
        labels = constant_labels(program, i)
        values = program.constants[i]
        operands = [constant(plain(c), labels.get(k, "")) for k, c in enumerate(values)]
        for slot, var in zip(program.plans[i].slots, program.operands[i]):
            operands[slot] = variable(program, var) if var in shown else known[var]
        for k, v in enumerate(results_of(program, i)):
            known[v] = equation_node(program, i, operands, k)
    inputs = set(program.inputs)
    return {v: text_of(x, program.name) for v, x in known.items() if v not in inputs}


def _array(value: Any) -> np.ndarray:
    return np.asarray(plain(value))


# ---------------------------------------------------------------- numbers


class Matcher:
    """Finds the quantity that a value is, among those of one derivation."""

    def __init__(self, ours: Sequence[Quantity]):
        self.ours = [q for q in ours if q.value.dtype.kind in "fc" and q.value.size]
        self.by_size: dict[int, list[Quantity]] = {}
        for q in self.ours:
            self.by_size.setdefault(q.value.size, []).append(q)

    def find(self, name: str, value: np.ndarray) -> Match | None:
        found = []
        for q in self.by_size.get(value.size, ()):
            match = compared(value, q)
            if match is not None and self._tells_enough(name, match):
                found.append(match)
        return min(found, key=lambda m: self._rank(name, m), default=None)

    def _tells_enough(self, name: str, match: Match) -> bool:
        """Zeros, ones and single numbers are alike by chance."""
        q = match.ours
        if q.value.size > 1 and np.ptp(np.abs(q.value)) > 0:
            if match.exact:
                return True
            likely = match.is_simple or related(name, q.name)
            return q.kind == "cotangent" and q.value.size >= FEW and likely
        if related(name, q.name):
            return match.exact or (q.kind == "cotangent" and q.value.size > 1)
        return match.exact and q.value.size == 1 and q.value.reshape(-1)[0] not in (0, 1)

    def _rank(self, name: str, match: Match) -> tuple:
        q = match.ours
        wants = "value" if not is_gradient_name(name) else "cotangent"
        kinds = {wants: 0, "value": 1, "cotangent": 1, "term": 2}
        return (
            not match.exact,
            not related(name, q.name),
            kinds[q.kind],
            match.change != "",
            abs(match.factor) != 1,
            q.order,
        )


def compared(theirs: np.ndarray, q: Quantity) -> Match | None:
    """How one value is another one's multiple, transpose or reshaped self."""
    ours = q.value
    if ours.shape == theirs.shape:
        changes = [("", ours)]
        if ours.ndim == 2 and ours.shape[0] == ours.shape[1] and len(ours) > 1:
            changes.append(("transposed", ours.T))
    elif ours.ndim == 2 and ours.T.shape == theirs.shape and min(ours.shape) > 1:
        changes = [("transposed", ours.T)]
    elif np.squeeze(ours).shape == np.squeeze(theirs).shape or ours.ndim != theirs.ndim:
        changes = [("reshaped", ours.reshape(theirs.shape))]
    else:
        return None
    for change, turned in changes:
        factor = _factor(theirs, turned)
        if factor is not None:
            return Match(q, factor, change)
    return None


def _factor(a: np.ndarray, b: np.ndarray) -> float | None:
    """c of a = c b, up to rounding; None if there is no such c."""
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return None
    small = 1e-4 if min(a.dtype.itemsize, b.dtype.itemsize) < 8 else 1e-8
    largest = np.max(np.abs(b))
    if np.max(np.abs(a - b)) <= small * largest:
        return 1.0
    if not largest or np.max(np.abs(a)) == 0:
        return None
    c = np.vdot(b, a) / np.vdot(b, b)
    if abs(c.imag) > small * abs(c) or c == 0:
        return None
    c = float(c.real)
    if np.max(np.abs(a - c * b)) > small * abs(c) * largest:
        return None
    return float(round(c)) if abs(c - round(c)) < 1e-7 * abs(c) else c


# ---------------------------------------------------------------- names


_MARKS = re.compile(r"^(d_?|grad_?|g_?|delta_?|D_?|bar_?)(?=\w)|(_bar|_grad|_g|bar|grad|_d)$")


def is_gradient_name(name: str) -> bool:
    """Whether a variable is called as people call derivatives: dZ, grad_W, delta."""
    name = re.split(r"[\[.]", name)[0]
    return name in ("delta", "grad", "g", "result") or stem(name) != name


def stem(name: str) -> str:
    """Z of dZ, of grad_Z and of Z_bar; W1 of result['W1']."""
    key = re.search(r"\[['\"](\w+)['\"]\]$", name)
    if key is not None:
        name = key[1]
    return _MARKS.sub("", re.split(r"[\[.(]", name)[0]) or name


def related(theirs: str, ours: str) -> bool:
    """Whether the names say that one is about the other."""
    return stem(theirs).lower() == re.sub(r"_\d+$", "", stem(ours)).lower()
