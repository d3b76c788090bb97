"""``check``: does a gradient belong to its function? Judged by values of the function alone."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from chainrule.base import tree
from chainrule.base.arguments import Wrt, select
from chainrule.base.errors import InputError, MismatchError
from chainrule.checker.claim import claimed_vector, is_single_precision, without_value
from chainrule.checker.compare import Claim, Measured, measure, tied
from chainrule.checker.directions import cross, draw
from chainrule.checker.locate import suspects
from chainrule.checker.patterns import pattern
from chainrule.checker.purity import Call, Findings, examine
from chainrule.checker.report import ArgumentReport, Report, Verdict, Worst
from chainrule.numeric.derivative import scalar_function
from chainrule.numeric.noise import noise_level
from chainrule.numeric.points import Function, Point, quiet

Mode = Literal["auto", "coordinates", "directions"]

_FEW = 200  # coordinates that are all measured
_SINGLE = 16  # coordinates that are measured among many, where directions leave them open
_ENOUGH = 0.9  # share of many coordinates that must be verified
_SAMPLE = 24  # coordinates of a wrong array that are measured to see a pattern


def check(
    f: Callable,
    *args: Any,
    grad: Callable | None = None,
    wrt: Wrt = 0,
    seed: int = 0,
    tol: float = 1e-6,
    mode: Mode = "auto",
) -> Report:
    """Compare a claimed gradient of scalar ``f`` at ``args`` with certified numerical slopes.

    grad : called with the same arguments; gives the gradient with respect to ``wrt`` (a tuple of
    them for several), or (value, gradient). None checks chainrule's own gradient.
    mode : "coordinates" measures each number's slope, about 10 evaluations of f each;
    "directions" four random directions and what these leave open, some hundred evaluations in
    all; "auto" coordinates up to 200 numbers.   seed : of the directions.   tol : relative error
    of the claim that is tolerated.

    The report is true only if the gradient was verified; its verdict is "fail" only if the gap is
    beyond the error bound of the measurement, else "inconclusive" with the reason.

    >>> report = check(lambda x: np.sum(x**3), np.array([1.0, 2.0]), grad=lambda x: 3 * x)
    >>> report.verdict, str(report.worst)
    ('fail', 'x[1]: claimed 6, numeric 12 ± 2.9e-13')
    """
    if mode not in ("auto", "coordinates", "directions"):
        raise InputError(f"mode={mode!r} is unknown.", "Choose auto, coordinates or directions.")
    if grad is None:
        from chainrule.transforms.reverse import grad as reverse_grad

        grad = reverse_grad(f, wrt=wrt)
    selection = select(f, args, {}, wrt)
    x = selection.values[0] if selection.single else tuple(selection.values)
    call, claiming = Call(f, selection), Call(grad, selection)
    function = scalar_function(call, x, "" if not selection.single else selection.names[0])
    function.point.paths = [
        path
        for value, name in zip(selection.values, selection.names)
        for path in tree.paths(value, name)
    ]
    judge = _Judge(function, call, claiming, x, seed, tol)
    return judge.verdict(mode)


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
            claim = replace(claim, size=self.reach(value))
            if mode == "coordinates" or (mode == "auto" and self.point.size <= _FEW):
                return self.by_coordinates(claim)
            return self.by_directions(claim)

    def examined(self) -> Findings:
        signs = np.random.default_rng(self.seed).choice([-1.0, 1.0], self.point.size)
        near = self.point.at(self.point.vector + 2.0**-20 * signs * self.point.scale)
        return examine(self.call, self.claiming, self.x, near, self.point.paths)

    def claim(self, gradient: np.ndarray, findings: Findings, value: float) -> Claim:
        tol, eps = self.tol, max(2.0**-52, float(np.max(self.point.eps, initial=0.0)))
        if is_single_precision(findings.claimed):
            tol, eps = max(tol, 2e-6), max(eps, 2.0**-23)
            self.warnings.append(f"the gradient is in single precision: tol is {tol:g}")
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
            return self.by_sample(claim, np.flatnonzero(~finite), np.zeros(len(finite), bool), rng)
        crossing = cross(self.function, draw(claim, rng), self.noise, claim)
        if crossing.wrong.any():
            return self.located(claim, crossing.v[int(np.argmax(crossing.excess))], rng)
        verified = crossing.certificate <= claim.visible
        open_ = ~verified if not verified.all() else claim.gradient == 0
        return self.by_sample(claim, np.flatnonzero(open_), verified, rng)

    def by_sample(
        self, claim: Claim, open_: np.ndarray, verified: np.ndarray, rng: np.random.Generator
    ) -> Report:
        """Measure some of the coordinates that are open; the rest is as verified as before."""
        chosen = rng.permutation(open_)[:_SINGLE]
        measured = measure(self.function, sorted(chosen.tolist()), self.noise, claim)
        if measured.wrong(claim).any():
            return self.failed(claim, measured, verified)
        verified = np.where(measured.tried, measured.verified(claim), verified)
        if np.mean(verified) >= _ENOUGH and verified[measured.tried].all():
            return self.passed(claim, measured, verified)
        return self.undecided(claim, measured, verified)

    def located(self, claim: Claim, v: np.ndarray, rng: np.random.Generator) -> Report:
        """A direction contradicts the claim: find coordinates that do."""
        found, leaves = suspects(self.function, v, self.noise, claim)
        ranges = list(self.point.ranges())
        sample = [rng.permutation(np.arange(*ranges[k]))[:_SAMPLE] for k in leaves]
        chosen = sorted({*found, *(int(i) for part in sample for i in part)})
        measured = measure(self.function, chosen, self.noise, claim)
        nothing = np.zeros(self.point.size, bool)
        if measured.wrong(claim).any():
            return self.failed(claim, measured, nothing)
        reason = "a direction contradicts the gradient, but no coordinate that was measured does"
        return self.report("inconclusive", reason, claim, measured, nothing)

    # the three answers

    def passed(self, claim: Claim, measured: Measured, verified: np.ndarray) -> Report:
        share = float(np.mean(verified))
        count = f"all {len(verified)}" if share == 1 else f"{share:.1%} of {len(verified)}"
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
        worst = self.worst(claim, measured, int(np.argmax(np.nan_to_num(excess, posinf=1e300))))
        wrong, tried = int(np.sum(measured.wrong(claim))), int(np.sum(measured.tried))
        reason = f"the gradient of {worst.name} is wrong"
        if tried > 1:
            reason = f"{wrong} of {tried} measured numbers are wrong, {worst.name} most of all"
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
            why += f": f has noise of {self.noise_size():.1e}"
        reason = f"{lost.size} of {int(measured.tried.sum())} numbers cannot be verified; {why}"
        worst = self.worst(claim, measured, i)
        return self.report("inconclusive", reason, claim, measured, verified, share, worst)

    # what the report holds

    def noise_size(self) -> float:
        return float(self.noise[0] * np.ravel(self.function.unit)[0])

    def worst(self, claim: Claim, measured: Measured, i: int) -> Worst:
        k = int(np.searchsorted(self.point.ends, i, side="right"))
        start = list(self.point.ranges())[k][0]
        parts = 2 if self.point.dtypes[k].kind == "c" else 1
        index = np.unravel_index((i - start) // parts, np.shape(self.point.leaves[k]) or (1,))
        where = tuple(int(j) for j in index) if np.ndim(self.point.leaves[k]) else ()
        sides = [float(side[i]) if measured.kink[i] else None for side in measured.table[2:]]
        claimed, numeric = float(claim.gradient[i]), float(measured.value[i])
        bound = float(measured.margin[i])
        part = ("", ".real", ".imag")[parts - 1 + (i - start) % parts] if parts == 2 else ""
        return Worst(self.point.paths[k] + part, where, claimed, numeric, bound, *sides)

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
        rows: Iterable[ArgumentReport] = ()
        if claim is not None and measured is not None and verified is not None:
            rows = self.arguments(claim, measured, verified)
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
            tuple(rows),
            tuple(self.warnings),
        )

    def arguments(
        self, claim: Claim, measured: Measured, verified: np.ndarray
    ) -> Iterable[ArgumentReport]:
        wrong, excess = measured.wrong(claim), measured.excess(claim)
        with np.errstate(all="ignore"):
            digits = -np.log10(measured.resolution(claim) / np.abs(claim.gradient))
        leaves = zip(self.point.leaves, self.point.paths, self.point.dtypes, self.point.ranges())
        for leaf, path, dtype, (start, end) in leaves:
            part, shape = slice(start, end), np.shape(leaf)
            sharp = digits[part][verified[part] & measured.tried[part]]
            sharp = sharp[np.isfinite(sharp)]
            worst, text = None, ""
            if wrong[part].any():
                worst = self.worst(claim, measured, start + int(np.argmax(excess[part])))
                if dtype.kind != "c":
                    arrays = (claim.gradient, measured.value, measured.margin, self.point.vector)
                    text = pattern(*(a[part].reshape(shape or (1,)) for a in arrays))
            yield ArgumentReport(
                path,
                shape,
                end - start,
                int(measured.tried[part].sum()),
                int(verified[part].sum()),
                int(wrong[part].sum()),
                max(float(np.min(sharp)), 0.0) if sharp.size else None,
                worst,
                text,
            )


def _g(claim: Claim, i: int) -> str:
    return f"{claim.gradient[i]:.3g}"
