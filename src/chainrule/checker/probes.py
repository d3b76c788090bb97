"""Probes: intermediate values of a hand-written backprop, and the cotangents it claims for them.

The claimed cotangents are judged one by one, from the end of the computation backwards, by
differences of the rest of f. The first that is wrong, after ones that are right, is the fault.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.base.where import Line, user_line
from chainrule.checker.judge import judged
from chainrule.checker.report import Finding, Report
from chainrule.checker.steps import Steps, place
from chainrule.core.trace import Tracer, plain

_FEW = 64  # numbers in an intermediate that are all measured; of more, directions
_CANDIDATES = 4  # variables with the registered value that are tried


@dataclass(frozen=True, eq=False)
class Record:
    """One call of ``probe``: the value as it was, the claimed cotangent, and the line."""

    name: str
    value: Any
    cotangent: Any
    line: Line | None


class Recorder:
    """Collects probes while a function runs; values in ``replace`` take the place of seen ones."""

    def __init__(self, replace: dict[tuple[str, int], Any] | None = None):
        self.records: list[Record] = []
        self.replace = replace or {}
        self._counts: dict[str, int] = {}

    def see(self, name: str, value: Any, cotangent: Any) -> Any:
        if isinstance(value, Tracer):
            return value
        count = self._counts[name] = self._counts.get(name, -1) + 1
        bar = None if cotangent is None else np.array(plain(cotangent))
        self.records.append(Record(name, np.array(value), bar, user_line(2)))
        new = self.replace.get((name, count))
        if new is None:
            return value
        if isinstance(value, np.ndarray) and value.flags.writeable and value.shape == new.shape:
            value[...] = new  # so that ``probe("h", h)`` works as a statement
            return value
        return new if isinstance(value, np.ndarray) else new[()]


_recorder: ContextVar[Recorder | None] = ContextVar("chainrule_probes", default=None)


def probe(name: str, value: Any, cotangent: Any = None) -> Any:
    """The value; and ``check`` sees it, with its cotangent where it is in a backward pass.

    In a hand-written gradient, ``probe("h", h, h_bar)`` says: the derivative of the value of f by
    ``h`` is ``h_bar``. When the gradient is wrong, ``check`` finds the first wrong cotangent in
    backward order. In f, ``probe("h", h)`` marks where ``h`` is made; it is needed only where f
    is nothing that chainrule can trace. Outside of ``check`` it does nothing.

    >>> from chainrule.checker import check
    >>> def f(x):
    ...     return np.sum(np.tanh(x) ** 2)
    >>> def gradient(x):
    ...     h = np.tanh(x)
    ...     h_bar = 2 * h
    ...     probe("h", h, h_bar)
    ...     return h_bar * (1 - h**3)  # the square is meant
    >>> print(check(f, np.array([0.5, 1.0]), grad=gradient).fault)
    the cotangents of all probes are right: the fault is between 'h' and the gradient
    """
    recorder = _recorder.get()
    return value if recorder is None else recorder.see(name, value, cotangent)


@contextmanager
def _recording(replace: dict[tuple[str, int], Any] | None = None) -> Iterator[Recorder]:
    recorder = Recorder(replace)
    token = _recorder.set(recorder)
    try:
        yield recorder
    finally:
        _recorder.reset(token)


# --- judging what was recorded


@dataclass(frozen=True, eq=False)
class Node:
    """A probe that has been found in f: how late it is there, and f as a function of its value."""

    record: Record
    position: float
    rests: list[Callable[[Any], Any]]
    used_at: str = ""
    other: Any = None  # the value f has under this name, where that is not the probe's


def examine(
    f: Callable[[], Any], grad: Callable[[], Any], steps: Steps | None, seed: int, tol: float
) -> tuple[str, list[Finding]]:
    """``(fault, findings)`` of the probes that ``grad`` shows; f and grad are at the point.

    steps : of f, where it can be traced.   ("", []) if there are no probes.
    """
    with _recording() as seen:
        grad()
    shown = [record for record in seen.records if record.cotangent is not None]
    if not shown:
        return "", []
    with _recording() as seen:
        f()
    findings: list[Finding] = []
    nodes = []
    stale = []
    for record in shown:
        node = _in_f(f, record, seen.records) or _in_steps(record, steps)
        if node is not None:
            nodes.append(node)
        else:
            findings.append(Finding(record.name, "inconclusive", _not_found(record, seen, steps)))
            stale += [] if steps is None else [record.name]
    nodes.sort(key=lambda node: -node.position)
    right: Node | None = None
    for node in nodes:
        verdict, text = _judged(node, seed, tol)
        findings.insert(nodes.index(node), Finding(node.record.name, verdict, text))
        if verdict == "fail":
            also = f"; f never has the value of {stale[0]!r}" if stale else ""
            return _fault(node, right, text) + also, findings
        right = node if verdict == "pass" else right
    if right is None:
        return "", findings
    return (
        f"the cotangents of all probes are right: the fault is between {right.record.name!r} and "
        "the gradient",
        findings,
    )


def _fault(node: Node, right: Node | None, text: str) -> str:
    name = node.record.name
    after = "the end" if right is None else repr(right.record.name)
    if node.other is not None:
        return f"the value of {name!r} is wrong: {text}"
    sentence = f"the cotangent of {name!r} is wrong ({text})"
    if right is not None:
        sentence += f", and that of {right.record.name!r} is right"
    sentence += f": look at the backward step from {after} to {name!r}"
    if node.used_at:
        sentence += f"; forward, {name!r} is used in {node.used_at}"
    return sentence


def _in_f(f: Callable[[], Any], record: Record, seen: list[Record]) -> Node | None:
    """The probe of this name and value in f itself."""
    counts: dict[str, int] = {}
    for position, other in enumerate(seen):
        count = counts[other.name] = counts.get(other.name, -1) + 1
        if other.name != record.name or not _equal(other.value, record.value):
            continue

        def rest(value: Any, key: tuple[str, int] = (other.name, count)) -> Any:
            with _recording({key: np.asarray(value)}):
                return f()

        return Node(record, position, [rest])
    return None


def _in_steps(record: Record, steps: Steps | None) -> Node | None:
    """The variables of f that have this value; the last one if it is a copy of others."""
    if steps is None or steps.output < 0:
        return None
    found = [v for v, value in steps.values.items() if _equal(value, record.value)]
    if not found:
        return _by_name(record, steps)
    found = found[::-1][:_CANDIDATES]
    uses = steps.uses(found[0])
    lines = dict.fromkeys(place(steps.line(i)) for i in uses)
    # the same value may be made twice, each time for some of its uses
    rests = [steps.rest(*found), *(steps.rest(v) for v in found if len(found) > 1)]
    views = [rest for v in found if (rest := steps.rest_through_base(v)) is not None]
    rests = [*rests, *views] if uses else [*views, *rests]
    return Node(record, found[0], rests, " and ".join(list(lines)[:3]))


def _by_name(record: Record, steps: Steps) -> Node | None:
    """The variable of f that has this name, but another value."""
    for v in reversed(steps.values):
        name = steps.name(v)
        base, _, number = name.rpartition("_")
        if record.name in (name, base if number.isdigit() else name):
            if np.shape(steps.values[v]) == np.shape(record.value):
                return Node(record, v, [], other=steps.values[v])
    return None


def _not_found(record: Record, seen: Recorder, steps: Steps | None) -> str:
    if any(other.name == record.name for other in seen.records):
        return "its value in grad is not the one it has in f: the forward passes differ"
    if steps is None:
        return f'f cannot be traced: mark the value there, probe("{record.name}", ...)'
    return "no intermediate of f has this value: another forward pass, or a stale value"


def _judged(node: Node, seed: int, tol: float) -> tuple[Any, str]:
    """The verdict on one cotangent, and a few words on it."""
    record = node.record
    if node.other is not None:
        gap = np.abs(record.value - node.other)
        i = np.unravel_index(int(np.argmax(gap)), gap.shape)
        name = f"{record.name}[{', '.join(str(int(k)) for k in i)}]" if i else record.name
        values = f"{record.value[i]:.8g} in grad, and {np.asarray(node.other)[i]:.8g} in f"
        return "fail", f"{name} is {values}: the forward passes differ"
    if record.cotangent.shape != record.value.shape:
        shapes = f"{record.cotangent.shape}, the value has {record.value.shape}"
        return "fail", f"it has shape {shapes}"
    mode: Any = "coordinates" if record.value.size <= _FEW else "directions"
    text = ""
    for rest in node.rests:
        report = judged(
            rest, record.value, grad=lambda _: record.cotangent, seed=seed, tol=tol, mode=mode
        )
        if report.verdict == "pass":
            return "pass", ""
        patterns = [row.pattern for row in report.arguments if row.pattern]
        text = text or (patterns[0] if patterns else _numbers(report, record.name))
        if report.verdict == "inconclusive":
            return "inconclusive", report.reason
    return "fail", text


def _numbers(report: Report, name: str) -> str:
    """The worst number, under the name of the probe."""
    if report.worst is None:
        return report.reason
    return str(replace(report.worst, argument=name))


def _equal(a: Any, b: Any) -> bool:
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.dtype.kind not in "fc" or b.dtype.kind not in "fc":
        return False
    with np.errstate(all="ignore"):
        size = float(np.max(np.abs(b), initial=0.0))
        eps = max(float(np.finfo(a.dtype).eps), float(np.finfo(b.dtype).eps))
        return bool(np.all(np.abs(a - b) <= 64 * eps * size))
