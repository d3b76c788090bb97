"""Does a gradient belong to its scalar function? Judged by values of the function alone."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import zip_longest
from typing import Any, Literal

import numpy as np

from chainrule.base import tree
from chainrule.base.arguments import Wrt, select
from chainrule.base.errors import InputError, MismatchError
from chainrule.checker.claim import claimed_vector, in_single_precision, without_value
from chainrule.checker.compare import Claim, Measured
from chainrule.checker.directions import Crossing, cross, draw
from chainrule.checker.measure import add, measure, tied
from chainrule.checker.purity import Call, Findings, examine
from chainrule.checker.report import ArgumentReport, Report, Verdict, Worst
from chainrule.checker.rows import rows, worst_of
from chainrule.checker.suspects import suspects
from chainrule.numeric.derivative import scalar_function
from chainrule.numeric.noise import noise_level
from chainrule.numeric.points import Function, Point, quiet

Mode = Literal["auto", "coordinates", "directions"]

_FEW = 200  # coordinates that are all measured
_ENOUGH = 0.9  # share of many coordinates that must be verified
_SINGLE = 16  # coordinates that are measured among many, where directions leave them open
_NEARLY_ALL, _SINGLE_FEW = 0.99, 6  # and where they leave almost none
_SAMPLE = 24  # coordinates of a wrong array that are measured to see a pattern
_BATCH = 4  # of them at a time
_ALL_TOLD, _SAMPLING = 160, 24  # evaluations until when, or at least, what is open is sampled
_LOCATING = 600  # evaluations to find what is wrong
_LARGE, _LOCATING_LARGE = 100_000, 200  # and for so many numbers


def judged(
    f: Callable,
    *args: Any,
    grad: Callable,
    wrt: Wrt = 0,
    seed: int = 0,
    tol: float = 1e-6,
    mode: Mode = "auto",
) -> Report:
    """The verdict on ``grad``, called with the same arguments; see ``check`` for the rest.

    The report is true only if the gradient was verified; its verdict is "fail" only if the gap is
    beyond the error bound of the measurement, else "inconclusive" with the reason.
    """
    if mode not in ("auto", "coordinates", "directions"):
        raise InputError(f"mode={mode!r} is unknown.", "Choose auto, coordinates or directions.")
    selection = select(f, args, {}, wrt)
    x = selection.values[0] if selection.single else tuple(selection.values)
    call, claiming = Call(f, selection), Call(grad, selection)
    function = scalar_function(call, x, "" if not selection.single else selection.names[0])
    function.point.paths = [
        path
        for value, name in zip(selection.values, selection.names)
        for path in tree.paths(value, name)
    ]
    return _Judge(function, call, claiming, x, seed, tol).verdict(mode)


class _Judge:
    """One check: what is known so far, and what to say about it."""

    def __init__(
        self, function: Function, call: Call, claiming: Call, x: Any, seed: int, tol: float
    ):
        self.function = function
        self.point: Point = function.point
        self.call = call
        self.claiming = claiming
        self.x = x
        self.seed = seed
        self.tol = tol
        self.mode = ""
        self.noise = np.zeros(1)
        self.warnings: list[str] = []

    def verdict(self, mode: Mode) -> Report:
        value = float(self.function.base[0] * np.ravel(self.function.unit)[0])
        if not np.isfinite(value):
            return self.report("inconclusive", f"f(x) is {value}: there is nothing to compare with")
        findings = self.examined()
        try:
            findings.claimed = without_value(findings.claimed, self.point, value)
            gradient = claimed_vector(findings.claimed, self.point)
        except MismatchError as mismatch:
            return self.report("fail", mismatch.what.rstrip("."))
        if findings.wrong:
            return self.report("fail", "; ".join(findings.wrong))
        if findings.impure:
            return self.report("inconclusive", "; ".join(findings.impure))
        claim = self.claim(gradient, findings, value)
        if not self.point.size:
            return self.report("pass", "there is nothing to differentiate", coverage=1.0)
        with quiet():
            self.noise = np.maximum(noise_level(self.function), findings.spread)
            claim = replace(claim, size=self.reach(value), noise=self.noise_size())
            by_each = mode == "coordinates" or (mode == "auto" and self.point.size <= _FEW)
            report = self.by_coordinates(claim) if by_each else self.by_directions(claim)
            if not report.ok and self.has_changed():
                reason = "f at the same point is not what it was before: it keeps a state"
                return replace(report, verdict="inconclusive", reason=reason)
            return report

    def has_changed(self) -> bool:
        """Whether f gives another value at the point than at first, beyond its noise."""
        change = np.abs(self.function(self.point.vector) - self.function.base)
        return bool((change > 64 * self.noise).any())

    def examined(self) -> Findings:
        signs = np.random.default_rng(self.seed).choice([-1.0, 1.0], self.point.size)
        near = self.point.at(self.point.vector + 2.0**-20 * signs * self.point.scale)
        return examine(self.call, self.claiming, self.x, near, self.point.paths)

    def claim(self, gradient: np.ndarray, findings: Findings, value: float) -> Claim:
        tol, eps = self.tol, max(2.0**-52, float(np.max(self.point.eps, initial=0.0)))
        single = in_single_precision(findings.claimed, self.point)
        if single:
            tol, eps = max(tol, 2e-6), max(eps, 2.0**-23)
            self.warnings.append(f"the gradient of {single} is in single precision: tol is {tol:g}")
        return Claim(self.point, gradient, tol, eps, abs(value))

    def reach(self, value: float) -> float:
        """|f(x)|, or how far f gets when all coordinates move by their scale, if that is more."""
        signs = np.random.default_rng(self.seed).choice([-1.0, 1.0], self.point.size)
        there = self.function(self.point.vector + signs * self.point.scale)
        change = float(np.abs(there - self.function.base)[0] * np.ravel(self.function.unit)[0])
        return max(abs(value), change) if np.isfinite(change) else abs(value)

    # the two ways

    def by_coordinates(self, claim: Claim) -> Report:
        """Every coordinate, each with its own certified slope."""
        self.mode = "coordinates"
        measured = measure(self.function, range(self.point.size), self.noise, claim)
        verified = measured.verified(claim)
        if measured.wrong(claim).any():
            return self.failed(claim, measured, verified)
        contradiction = tied(self.function, measured, self.noise, claim)
        if contradiction:
            return self.report("fail", contradiction, claim, measured, verified)
        if verified.all():
            return self.passed(claim, measured, verified)
        return self.undecided(claim, measured, verified)

    def by_directions(self, claim: Claim) -> Report:
        """Four directions for all; single coordinates for what they leave open."""
        self.mode = "directions"
        finite = np.isfinite(claim.gradient)
        rng = np.random.default_rng(self.seed)
        if not finite.all():
            nothing, unknown = np.zeros(len(finite), bool), np.full(len(finite), np.inf)
            return self.by_sample(claim, np.flatnonzero(~finite), nothing, rng, nothing, unknown)
        zero = self.point.vector == 0
        crossing = cross(self.function, draw(claim, rng), self.noise, claim)
        at_zeros = bool(crossing.kink.any() and zero.any() and not crossing.wrong.any())
        if at_zeros:  # as |x| has: these stay out, and some of them are measured alone
            directions = np.where(zero, 0.0, draw(claim, rng))
            crossing = cross(self.function, directions, self.noise, claim)
        if crossing.wrong.any():
            return self.located(claim, crossing, rng)
        verified = crossing.certificate <= claim.visible
        open_ = ~verified if not verified.all() else claim.gradient == 0
        free = zero if at_zeros else np.zeros(len(zero), bool)
        return self.by_sample(
            claim, np.flatnonzero(open_), verified, rng, free, crossing.certificate
        )

    def by_sample(
        self,
        claim: Claim,
        open_: np.ndarray,
        verified: np.ndarray,
        rng: np.random.Generator,
        free: np.ndarray,
        certificate: np.ndarray,
    ) -> Report:
        """Measure some of the coordinates that are open; the rest is as verified as before.

        free : coordinates at kinks, of which a sample is enough.   certificate : of the directions.
        """
        count = _SINGLE if np.mean(verified) < _NEARLY_ALL else _SINGLE_FEW
        chosen = rng.permutation(open_)[:count].tolist()
        measured = Measured(self.point.size)
        measured.certificate = certificate
        last = max(_ALL_TOLD, self.function.evaluations + _SAMPLING)
        while chosen and self.function.evaluations < last:
            measure(self.function, chosen[:_BATCH], self.noise, claim, measured, more=1)
            chosen = chosen[_BATCH:]
        if measured.wrong(claim).any():
            return self.failed(claim, measured, verified)
        verified = np.where(measured.tried, measured.verified(claim), verified)
        left = free & ~measured.tried
        if left.any():
            name = self.point.name(int(np.flatnonzero(left)[0]))
            self.warnings.append(
                f"{int(left.sum())} numbers, as {name}, are zero, f has kinks there, and they were "
                f"not measured: {int(np.sum(free & measured.tried))} like them were"
            )
        self.warn_of_the_open(claim, measured, verified | left)
        if np.mean(verified | left) >= _ENOUGH:
            return self.passed(claim, measured, verified)
        return self.undecided(claim, measured, verified)

    def warn_of_the_open(self, claim: Claim, measured: Measured, verified: np.ndarray) -> None:
        lost = np.flatnonzero(~verified & measured.tried & np.isfinite(measured.bound))
        if lost.size:
            error = float(np.min(measured.resolution(claim)[lost]))
            name, count = self.point.name(int(lost[0])), int(np.sum(~verified))
            self.warnings.append(
                f"{count} slopes, as that along {name}, are too small to be told from the noise of "
                f"f ({self.noise_size():.1e}): errors below {error:.1e} would not show"
            )

    def located(self, claim: Claim, crossing: Crossing, rng: np.random.Generator) -> Report:
        """A direction contradicts the claim: find coordinates that do."""
        most = _LOCATING if self.point.size <= _LARGE else _LOCATING_LARGE
        last = self.function.evaluations + most
        found = suspects(self.function, crossing, self.noise, claim, most // 3)
        ranges = list(self.point.ranges())
        samples = [rng.permutation(np.arange(*ranges[k]))[:_SAMPLE] for k in found.leaves]
        others = [int(i) for turn in zip_longest(*samples) for i in turn if i is not None]
        chosen = found.coordinates or others[:_SAMPLE]
        measured = measure(self.function, chosen, self.noise, claim)
        others = [i for i in others if not measured.tried[i]]
        while others and self.function.evaluations < last:
            add(self.function, measured, others[:_BATCH], self.noise)
            others = others[_BATCH:]
        nothing = np.zeros(self.point.size, bool)
        if measured.wrong(claim).any():
            return self.failed(claim, measured, nothing)
        text = f"claimed {crossing.claims[-1]:.8g}, numeric {crossing.slope[-1]:.8g}"
        text = f"along a random direction: {text} ± {crossing.bound[-1]:.1e}"
        refuted = measured.verified(claim)[found.coordinates].any()
        again = cross(self.function, draw(claim, rng), self.noise, claim)
        if again.wrong.any() and not refuted:
            reason = f"{text}; the slope of no single number is sharp enough to say which"
            return self.report("fail", reason, claim, measured, nothing)
        reason = f"{text}, but no number that was measured is wrong"
        return self.report("inconclusive", reason, claim, measured, nothing)

    # the three answers

    def passed(self, claim: Claim, measured: Measured, verified: np.ndarray) -> Report:
        share = float(np.mean(verified))
        count = f"all {len(verified)}"
        if share < 1:
            part = f"{share:.1%}" if share < 0.9995 else str(int(np.sum(verified)))
            count = f"{part} of {len(verified)}"
        numbers = "the number is" if len(verified) == 1 else f"{count} numbers are"
        kinks = measured.kink & measured.tried
        if kinks.any():
            name = self.point.name(int(np.flatnonzero(kinks)[0]))
            self.warnings.append(
                f"{int(kinks.sum())} at a kink, as {name}: there the gradient is one of many "
                "subgradients"
            )
        return self.report("pass", f"{numbers} verified", claim, measured, verified, share)

    def failed(self, claim: Claim, measured: Measured, verified: np.ndarray) -> Report:
        excess = measured.excess(claim)
        worst = worst_of(claim, measured, int(np.argmax(np.nan_to_num(excess, posinf=1e300))))
        wrong, tried = int(np.sum(measured.wrong(claim))), int(np.sum(measured.tried))
        reason = f"the gradient of {worst.name} is wrong"
        if tried > 1:
            reason = f"{wrong} of {tried} measured numbers are wrong, {worst.name} most of all"
        if tried < len(verified):
            reason += f" ({tried} of {len(verified)} were looked at)"
        verified = np.where(measured.tried, measured.verified(claim), verified)
        return self.report("fail", reason, claim, measured, verified, worst=worst)

    def undecided(self, claim: Claim, measured: Measured, verified: np.ndarray) -> Report:
        lost = np.flatnonzero(~verified & measured.tried)
        share = float(np.mean(verified))
        if not lost.size:
            reason = f"only {share:.1%} of the numbers are verified"
            return self.report("inconclusive", reason, claim, measured, verified, share)
        i = int(lost[0])
        name = self.point.name(i)
        if not np.isfinite(measured.bound[i]):
            why = f"no slope can be measured along {name}: is f defined and smooth there?"
            if self.function.failure is not None:
                why += f" Near the point f raised {self.function.failure!r}"
        else:
            known = (
                measured.resolution(claim) if np.isfinite(claim.gradient[i]) else measured.margin
            )
            error = float(known[i])
            why = f"the slope along {name} is known only to ± {error:.1e}, claimed {_g(claim, i)}"
            size = float(measured.noise[i])
            why += f": f has noise of {size:.1e}"
            if measured.appealed[i]:
                why = f"along {name} f goes in steps of {size:.1e}, as if rounded: {_g(claim, i)} "
                why += f"is the slope between two of them, {measured.value[i]:.3g} over many"
        reason = f"{lost.size} of {int(measured.tried.sum())} numbers cannot be verified; {why}"
        worst = worst_of(claim, measured, i)
        return self.report("inconclusive", reason, claim, measured, verified, share, worst)

    # what the report holds

    def noise_size(self) -> float:
        return float(self.noise[0] * np.ravel(self.function.unit)[0])

    def report(
        self,
        verdict: Verdict,
        reason: str,
        claim: Claim | None = None,
        measured: Measured | None = None,
        verified: np.ndarray | None = None,
        coverage: float = 0.0,
        worst: Worst | None = None,
    ) -> Report:
        found: Iterable[ArgumentReport] = ()
        if claim is not None and measured is not None and verified is not None:
            found = rows(claim, measured, verified)
        return Report(
            verdict,
            reason,
            self.call.calls,
            self.claiming.calls,
            self.seed,
            self.tol if claim is None else claim.tol,
            self.mode,
            coverage,
            self.noise_size(),
            worst,
            tuple(found),
            tuple(self.warnings),
        )


def _g(claim: Claim, i: int) -> str:
    return f"{claim.gradient[i]:.3g}"
