"""What a check found, for people (text, rich) and for programs (dict)."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Verdict = Literal["pass", "fail", "inconclusive"]


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


@dataclass(frozen=True)
class Report:
    """The verdict of ``check`` and its evidence. True only for "pass".

    "pass": every coordinate is verified, or the share given by ``coverage``. "fail": claim and
    measurement differ by more than twice the measurement's own error bound. "inconclusive": the
    ``reason`` says what stands in the way.
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

    @property
    def ok(self) -> bool:
        return self.verdict == "pass"

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        return f"Report({self.verdict!r}, {self.reason!r}, evaluations={self.evaluations})"

    def __str__(self) -> str:
        rows = [f"{self.verdict.upper()}: {self.reason}"]
        if self.worst is not None:
            rows.append(f"  worst: {self.worst}")
        rows += [f"  {argument.name} {_summary(argument)}" for argument in self.arguments]
        rows += [f"  warning: {text}" for text in self.warnings]
        rows.append(f"  {self._footer()}")
        return "\n".join(rows)

    def __rich__(self) -> Any:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        colour = {"pass": "green", "fail": "red", "inconclusive": "yellow"}[self.verdict]
        rows: list[Any] = [Text(f"{self.verdict.upper()}: {self.reason}", style=f"bold {colour}")]
        if self.worst is not None:
            rows.append(Text(f"worst: {self.worst}"))
        if self.arguments:
            table = Table("argument", "shape", "verified", "wrong", "digits", "pattern")
            for a in self.arguments:
                digits = "" if a.digits is None else f"{a.digits:.1f}"
                verified = f"{a.verified} of {a.size}"
                table.add_row(a.name, str(a.shape), verified, str(a.wrong), digits, a.pattern)
            rows.append(table)
        rows += [Text(f"warning: {text}", style="yellow") for text in self.warnings]
        rows.append(Text(self._footer(), style="dim"))
        return Group(*rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists, strings and numbers, as for JSON; complex numbers as [real, imag]."""
        return {"ok": self.ok, **_plain(asdict(self))}

    def _footer(self) -> str:
        calls = f"{self.evaluations} evaluations of f, {self.gradient_evaluations} of grad"
        return f"{calls}, mode {self.mode or 'none'}, seed {self.seed}, tol {self.tol:g}"


def _summary(a: ArgumentReport) -> str:
    text = f"{a.shape}: {a.verified} of {a.size} verified"
    if a.digits is not None:
        text += f" to {a.digits:.1f} digits or more"
    if a.wrong:
        text += f", {a.wrong} wrong"
    return text + (f"; {a.pattern}" if a.pattern else "")


def _number(x: float | complex) -> str:
    return f"{x:.10g}"


def _plain(x: Any) -> Any:
    if isinstance(x, dict):
        return {key: _plain(value) for key, value in x.items()}
    if isinstance(x, (list, tuple)):
        return [_plain(value) for value in x]
    return [x.real, x.imag] if isinstance(x, complex) else x
