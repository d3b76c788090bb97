"""What a check found, for people (text, rich, HTML) and for programs (dict, JSON)."""

import json
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

Verdict = Literal["pass", "fail", "inconclusive"]

_SHOWN = 12  # findings that the text lists


@dataclass(frozen=True)
class Worst:
    """The coordinate where claim and measurement are farthest apart, measured in bounds.

    error_bound : how wrong ``numeric`` can be.   left, right : the slopes beside a kink.
    """

    argument: str
    index: tuple[int, ...]
    claimed: float | complex
    numeric: float | complex
    error_bound: float
    left: float | None = None
    right: float | None = None

    @property
    def name(self) -> str:
        """``params['W'][0, 1]``."""
        where = ", ".join(str(i) for i in self.index)
        return f"{self.argument}[{where}]" if where else self.argument

    def __str__(self) -> str:
        text = f"{self.name}: claimed {_number(self.claimed)}, numeric {_number(self.numeric)}"
        text += f" ± {self.error_bound:.1e}"
        if self.left is not None and self.right is not None:
            text += f" (a kink: {_number(self.left)} on the left, {_number(self.right)} right)"
        return text


@dataclass(frozen=True, eq=False)
class Evidence:
    """The numbers behind the row of one array, each of the array's shape; NaN: not measured.

    bound : on the error of ``numeric``.   x : the point.
    """

    claimed: np.ndarray
    numeric: np.ndarray
    bound: np.ndarray
    x: np.ndarray


@dataclass(frozen=True)
class ArgumentReport:
    """One array of the arguments.

    measured : coordinates whose own slope was taken.   verified : those certified to two digits,
    alone or in a direction.   wrong : those that disagree.   digits : certified for the least
    certain of the verified ones.
    """

    name: str
    shape: tuple[int, ...]
    size: int
    measured: int
    verified: int
    wrong: int
    digits: float | None
    worst: Worst | None = None
    pattern: str = ""
    evidence: Evidence | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Finding:
    """One step of the computation, examined alone: a probe, an equation, a module.

    ``where`` names it, ``verdict`` judges its own derivative, ``text`` says what was seen.
    """

    where: str
    verdict: Verdict
    text: str = ""


@dataclass(frozen=True)
class Report:
    """The verdict of ``check`` and its evidence. True only for "pass".

    "pass": every coordinate is verified, or the share given by ``coverage``. "fail": claim and
    measurement differ by more than twice the measurement's own error bound. "inconclusive": the
    ``reason`` says what stands in the way. ``fault`` is a sentence on the step that is wrong, where
    one could be singled out; ``findings`` are the steps that were looked at, from the last one
    backwards. Several derivatives checked in one call give one report with a part for each.
    """

    verdict: Verdict
    reason: str
    evaluations: int
    gradient_evaluations: int
    seed: int
    tol: float
    mode: str = ""
    coverage: float = 0.0
    noise: float = 0.0
    worst: Worst | None = None
    arguments: tuple[ArgumentReport, ...] = ()
    warnings: tuple[str, ...] = field(default=())
    kind: str = "gradient"
    claimed_by: str = ""
    numeric_from: str = ""
    fault: str = ""
    findings: tuple[Finding, ...] = ()
    parts: tuple["Report", ...] = ()
    reproduce: str = ""
    error: Exception | None = field(default=None, repr=False, compare=False)
    case: Any = field(default=None, repr=False, compare=False)  # a Case: to draw the V-curve

    @property
    def ok(self) -> bool:
        return self.verdict == "pass"

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        return f"Report({self.verdict!r}, {self.reason!r}, evaluations={self.evaluations})"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "case": None}  # functions may not pickle; the findings do

    # --- for people

    def __str__(self) -> str:
        rows = [f"{self.verdict.upper()}: {self.reason}"]
        rows += [f"  {text}" for text in self._body()]
        rows += [f"  {argument.name} {_summary(argument)}" for argument in self.arguments]
        rows += [f"  {text}" for text in self._found()]
        for part in self.parts:
            rows += [f"  {part.kind}: {line}" if i == 0 else f"  {line}" for i, line in part._lines]
        rows += [f"  warning: {text}" for text in self.warnings]
        rows += [f"  {text}" for text in self._footer()]
        return "\n".join(rows)

    @property
    def _lines(self) -> list[tuple[int, str]]:
        return list(enumerate(replace(self, claimed_by="", reproduce="").__str__().splitlines()))

    def __rich__(self) -> Any:
        from rich.console import Group
        from rich.padding import Padding
        from rich.table import Table
        from rich.text import Text

        colour = {"pass": "green", "fail": "red", "inconclusive": "yellow"}[self.verdict]
        rows: list[Any] = [Text(f"{self.verdict.upper()}: {self.reason}", style=f"bold {colour}")]
        rows += [Text(text) for text in self._body()]
        if self.arguments:
            table = Table("argument", "shape", "verified", "wrong", "digits", "pattern")
            for a in self.arguments:
                digits = "" if a.digits is None else f"{a.digits:.1f}"
                verified = f"{a.verified} of {a.size}"
                table.add_row(
                    *map(Text, (a.name, str(a.shape), verified, str(a.wrong), digits, a.pattern))
                )
            rows.append(table)
        rows += [Text(text) for text in self._found()]
        for part in self.parts:
            rows += [Text(f"{part.kind}:"), Padding(part.__rich__(), (0, 0, 0, 2))]
        rows += [Text(f"warning: {text}", style="yellow") for text in self.warnings]
        rows += [Text(text, style="dim") for text in self._footer()]
        return Group(*rows)

    def _body(self) -> list[str]:
        rows = [f"fault: {self.fault}"] if self.fault else []
        return rows + ([f"worst: {self.worst}"] if self.worst and not self.parts else [])

    def _found(self) -> list[str]:
        if not self.findings:
            return []
        rows = [
            f"{finding.verdict:>12}  {finding.where}{': ' if finding.text else ''}{finding.text}"
            for finding in self.findings[:_SHOWN]
        ]
        more = len(self.findings) - _SHOWN
        rows += [f"{'':>12}  and {more} more"] if more > 0 else []
        return ["steps, from the last one backwards:", *rows]

    def _footer(self) -> list[str]:
        calls = f"{self.evaluations} evaluations of f, {self.gradient_evaluations} of grad"
        rows = [f"{calls}, mode {self.mode or 'none'}, seed {self.seed}, tol {self.tol:g}"]
        if self.claimed_by:
            rows.insert(0, f"claimed: {self.claimed_by}; numeric: {self.numeric_from}")
        return rows + ([f"again: {self.reproduce}"] if self.reproduce else [])

    # --- for programs

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists, strings and numbers, as for JSON; complex numbers as [real, imag]."""
        return {"ok": self.ok, **_plain(self)}

    def to_json(self, indent: int | None = 2) -> str:
        """``to_dict`` as strict JSON: NaN and infinities are the strings "nan", "inf", "-inf"."""
        return json.dumps(_finite(self.to_dict()), indent=indent, allow_nan=False)

    # --- for browsers and notebooks

    def to_html(self, path: str | Path | None = None) -> str:
        """One page with pictures that needs no network; written to ``path`` if one is given.

        Draws the error against the step for the worst coordinate, for which f is evaluated some 50
        times more (two seconds at most).
        """
        from chainrule.checker.html import page

        text = page(self)
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    def _repr_html_(self) -> str:
        from chainrule.checker.html import fragment

        return fragment(self)


def merged(kind: str, parts: list[Report]) -> Report:
    """One report of several: the worst verdict counts."""
    order: list[Verdict] = ["fail", "inconclusive", "pass"]
    first = min(parts, key=lambda part: order.index(part.verdict))
    names = ", ".join(part.kind for part in parts)
    reason = f"{names}: all verified" if first.ok else f"{first.kind}: {first.reason}"
    return replace(
        first,
        kind=kind,
        reason=reason,
        evaluations=sum(part.evaluations for part in parts),
        gradient_evaluations=sum(part.gradient_evaluations for part in parts),
        coverage=min(part.coverage for part in parts),
        arguments=(),
        findings=(),
        warnings=(),
        parts=tuple(parts),
    )


def _summary(a: ArgumentReport) -> str:
    text = f"{a.shape}: {a.verified} of {a.size} verified"
    if a.digits is not None:
        text += f" to {a.digits:.1f} digits or more"
    if a.wrong:
        text += f", {a.wrong} wrong"
    return text + (f"; {a.pattern}" if a.pattern else "")


def _number(x: float | complex) -> str:
    return f"{x:.10g}"


_HIDDEN = ("case", "evidence")


def _plain(x: Any) -> Any:
    if isinstance(x, (Report, ArgumentReport, Worst, Finding)):
        return {f.name: _plain(getattr(x, f.name)) for f in fields(x) if f.name not in _HIDDEN}
    if isinstance(x, dict):
        return {key: _plain(value) for key, value in x.items()}
    if isinstance(x, (list, tuple)):
        return [_plain(value) for value in x]
    if isinstance(x, Exception):
        return f"{type(x).__name__}: {x}"
    if isinstance(x, np.generic):
        x = x.item()
    return [x.real, x.imag] if isinstance(x, complex) else x


def _finite(x: Any) -> Any:
    if isinstance(x, dict):
        return {key: _finite(value) for key, value in x.items()}
    if isinstance(x, list):
        return [_finite(value) for value in x]
    return str(x) if isinstance(x, float) and not np.isfinite(x) else x
