"""Other derivatives than gradients, each reduced to slopes of scalar functions, which are judged.

vjp    the gradient of <u, f(x)> for random u
jac    the same: u^T J
jvp    the slope of <u, f(x + t v)> at t = 0, for random u and v
hess   as jac, hvp as jvp: of the claimed gradient, once that has passed; without one
       u^T H v from second differences of f
dot    <u, J v> = <J^T u, v>, where both a vjp and a jvp are claimed
"""

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule import numeric
from chainrule.base.arguments import Selection, Wrt, select
from chainrule.base.errors import ChainruleError, InputError
from chainrule.checker.case import Case, ClaimError, Options
from chainrule.checker.compare import RESOLUTION
from chainrule.checker.judge import judged
from chainrule.checker.limits import OutOfTime
from chainrule.checker.matrices import Matrix, dense
from chainrule.checker.purity import Call, copied
from chainrule.checker.report import Report, merged
from chainrule.core.lift import lift
from chainrule.transforms.forward import jvp as own_jvp
from chainrule.transforms.reverse import vjp as own_vjp

_EXACT = 1e-9  # two sides of an identity agree so well, relative to the size of its terms
_DENSE = 24  # arguments of a Hessian whose entries are all measured when something is wrong


class Own:
    """A derivative that chainrule itself claims."""

    def __init__(self, claim: Callable):
        self.claim = claim

    def __call__(self, *args: Any) -> Any:
        return self.claim(*args)


def own_claims(f: Callable, wrt: Wrt) -> dict[str, Callable]:
    """The vjp and the jvp of chainrule, as functions of the arguments and a vector."""
    lifted = lift(f)

    def with_vector(args: tuple) -> tuple[Selection, Callable, Any]:
        *args, vector = args  # type: ignore[assignment]
        selection = select(f, args, {}, wrt)

        def of_chosen(*xs: Any) -> Any:
            args, kwargs = selection.rebuild(xs)
            return lifted(*args, **kwargs)

        return selection, of_chosen, vector

    def vjp(*args: Any) -> Any:
        selection, of_chosen, g = with_vector(args)
        bars = own_vjp(of_chosen, *selection.values, lift=False)[1](g)
        return bars[0] if selection.single else bars

    def jvp(*args: Any) -> Any:
        selection, of_chosen, v = with_vector(args)
        tangents = (v,) if selection.single else tuple(v)
        return own_jvp(of_chosen, tuple(selection.values), tangents, lift=False)[1]

    return {"vjp": Own(vjp), "jvp": Own(jvp)}


def examine(
    f: Callable, args: tuple, claims: dict[str, Callable], grad: Any, options: Options
) -> list[Report]:
    """A report for each claim, and for the dot test where it can be made.

    grad : a gradient that has passed, or None.
    """
    if not claims:
        return []
    case = _Claims(f, args, options)
    reports = [case.judge(kind, claim, grad) for kind, claim in claims.items()]
    if {"vjp", "jvp"} <= claims.keys() and not any(r.verdict == "inconclusive" for r in reports):
        reports.append(case.dot_test(claims["vjp"], claims["jvp"]))
    return reports


class _Claims(Case):
    """The claims, each as slopes of scalar functions."""

    def judge(self, kind: str, claim: Callable, grad: Any) -> Report:
        """The report on one claim; what the claim raises, or gives in a wrong shape, is a fail."""
        calls = _Counting(claim)
        try:
            report: Report = getattr(self, f"_{kind}")(calls, grad)
        except OutOfTime:
            report = self.plain_report("inconclusive", "nothing is known")
        except ClaimError as wrong:
            report = self.plain_report("fail", str(wrong), error=wrong.error)
        return replace(report, kind=kind, gradient_evaluations=calls.count)

    # --- the claims

    def _vjp(self, claim: "_Counting", grad: Any) -> Report:
        reports = []
        for u in self.cotangents():
            g = self.like_value(u)
            reports.append(
                judged(
                    self.weighted(u),
                    *self.args,
                    grad=functools.wraps(self.f)(lambda *args, g=g: self.bars(claim(*args, g))),
                    **self.options.for_judge(),
                )
            )
        report = _worst(reports, "a random combination of the values: ")
        if report.verdict == "fail":
            row = lambda i: self.vector_of(claim(*copied(self.args), self.unit(i)))
            return self.with_entry(report, row)
        return self._linear(report, claim) if report.ok else report

    def _linear(self, report: Report, claim: "_Counting") -> Report:
        """The vjp of 2 u + w against those of u and w."""
        u, w = self.cotangents()
        of = lambda u: self.vector_of(claim(*copied(self.args), self.like_value(u)))
        left, first, second = of(2 * u + w), of(u), of(w)
        size = np.abs(2 * first) + np.abs(second)
        gap = np.abs(left - 2 * first - second)
        if np.all(gap <= self.exact(_EXACT) * np.maximum(size, np.max(size, initial=0.0) * 1e-6)):
            return report
        reason = "vjp is not linear in the cotangent: vjp(2 u + w) is not 2 vjp(u) + vjp(w)"
        return replace(report, verdict="fail", reason=reason)

    def _jac(self, claim: "_Counting", grad: Any) -> Report:
        return self._matrix(claim, self.f, self.value, "J")

    def _matrix(self, claim: "_Counting", f: Callable, value: Any, letter: str) -> Report:
        case = self if f is self.f else Case(f, self.args, self.options)
        matrix = Matrix(claim(*copied(self.args)), case)

        def bars(*args: Any, g: Any) -> Any:
            return case.tree_of(Matrix(claim(*args), case).transposed_times(g))

        reports = [
            judged(
                case.weighted(u),
                *self.args,
                grad=functools.wraps(self.f)(functools.partial(bars, g=case.like_value(u))),
                **self.options.for_judge(),
            )
            for u in case.cotangents()
        ]
        report = _worst(reports, f"a random combination of the rows of {letter}: ")
        if report.verdict == "fail":
            report = case.with_entry(report, matrix.row, letter, matrix.stored)
        return report

    def _jvp(self, claim: "_Counting", grad: Any) -> Report:
        reports = []
        for v in self.directions():
            dy = claim(*copied(self.args), self.tree_of(v))
            tangent = self.tangent_vector(dy)
            for u in self.cotangents():
                reports.append(self.along(self.values, v, u, float(u @ tangent)))
                if reports[-1].verdict == "fail":
                    return self.with_value(reports[-1], v, tangent)
        return _on_lines(reports)

    def _hvp(self, claim: "_Counting", grad: Any) -> Report:
        product = lambda v: self.vector_of(claim(*copied(self.args), self.tree_of(v)))
        if grad is None:
            return self._second(product)
        claimed = Call(grad, self.selection)
        reports = []
        for v in self.directions():
            Hv = product(v)
            for u in self.directions():
                gradient = lambda x: self.vector_of(_without_value(claimed(x), self.x))
                reports.append(self.along(gradient, v, u, float(u @ Hv)))
        report = _on_lines(reports)
        return self._symmetric(report, product) if report.ok else report

    def _symmetric(self, report: Report, product: Callable) -> Report:
        u, v = self.directions()
        left, right = v * product(u), u * product(v)
        size = np.sum(np.abs(left)) + np.sum(np.abs(right))
        if abs(np.sum(left) - np.sum(right)) <= self.exact(1e-7) * size:
            return report
        return replace(report, verdict="fail", reason="hvp is not symmetric: <u, H v> ≠ <v, H u>")

    def _hess(self, claim: "_Counting", grad: Any) -> Report:
        if len(self.point.leaves) != 1:
            what = "hess needs one array to differentiate by."
            raise InputError(what, "Check its products with hvp=, which takes trees.")
        if grad is not None:
            gradient = functools.wraps(self.f)(
                lambda *args: np.asarray(self.bars(_without_value(grad(*args), self.x)))
            )
            return self._matrix(claim, gradient, None, "H")
        H = np.asarray(dense(claim(*copied(self.args))))
        if H.size != self.point.size**2:
            shape = np.shape(self.point.leaves[0])
            raise ClaimError(f"the Hessian has shape {H.shape}, and x has {shape}")
        H = H.reshape(self.point.size, self.point.size)
        report = self._second(lambda v: H @ v)
        if report.verdict == "fail" and self.point.size <= _DENSE:
            return self._with_hessian_entry(report, H)
        return report

    # --- second derivatives from f alone

    def _second(self, product: Callable) -> Report:
        """u^T H v against second differences of f, for random u and v."""
        texts, worst, calls = [], 0.0, 0
        small = max(1e-4 * abs(float(np.ravel(self.value)[0])), 1e-300)  # of no account
        for v in self.directions():
            Hv = product(v)
            for u in self.directions():
                plane = lambda p, u=u, v=v: self.plain(self.point.vector + p[0] * u + p[1] * v)
                found = numeric.hessian(plane, np.zeros(2))
                calls += found.evaluations
                claimed, measured = float(u @ Hv), float(found.value[0, 1])
                error = float(found.error[0, 1])
                tolerated = 2 * error + self.options.tol * float(np.sum(np.abs(u * Hv)))
                gap = abs(claimed - measured)
                if np.isfinite(error) and not gap <= tolerated:
                    texts.append(f"claimed {claimed:.8g}, numeric {measured:.8g} ± {error:.1e}")
                size = max(abs(claimed), float(np.sum(np.abs(u * Hv))) / 50, small)
                worst = max(worst, 2 * error / size)
        if texts:
            reason = f"u^T H v for random u and v is wrong: {texts[0]}"
            return self.plain_report("fail", reason, calls)
        if worst <= RESOLUTION:
            digits = -np.log10(max(worst, self.options.tol))
            reason = f"u^T H v verified for random u and v, to {digits:.1f} digits or more"
            return self.plain_report("pass", reason, calls, coverage=1.0)
        reason = "second differences of f are too noisy: claim the gradient too, with grad="
        return self.plain_report("inconclusive", reason, calls)

    def _with_hessian_entry(self, report: Report, H: np.ndarray) -> Report:
        found = numeric.hessian(lambda z: self.plain(z), self.point.vector)
        excess = np.abs(H - found.value) / (2 * found.error + 1e-6 * np.abs(H) + 1e-300)
        i, j = np.unravel_index(int(np.argmax(np.where(np.isfinite(excess), excess, 0))), H.shape)
        wrong = int(np.sum(excess > 1))
        if not wrong:
            return report
        fault = (
            f"{wrong} of {H.size} entries are wrong, most of all H[{i}, {j}]: claimed "
            f"{H[i, j]:.8g}, numeric {found.value[i, j]:.8g} ± {found.error[i, j]:.1e}"
        )
        if np.allclose(H, H.T, rtol=1e-9, atol=1e-300):
            return replace(report, fault=fault)
        return replace(report, fault=f"{fault}; and it is not symmetric")

    # --- the dot test

    def dot_test(self, vjp: Callable, jvp: Callable) -> Report:
        """<u, J v> = <J^T u, v>: forward and backward belong to each other. No evaluation of f."""
        for u, v in zip(self.cotangents(), self.directions()):
            dy = self.tangent_vector(jvp(*copied(self.args), self.tree_of(v)))
            bar = self.vector_of(vjp(*copied(self.args), self.like_value(u)))
            left, right = float(u @ dy), float(bar @ v)
            size = float(np.sum(np.abs(u * dy)) + np.sum(np.abs(bar * v)))
            if not abs(left - right) <= self.exact(_EXACT) * size:
                reason = f"<u, J v> = {left:.10g}, but <J^T u, v> = {right:.10g}: not adjoint"
                return replace(self.plain_report("fail", reason), kind="dot test")
        reason = "<u, J v> = <J^T u, v> for random u and v"
        return replace(self.plain_report("pass", reason, coverage=1.0), kind="dot test")


class _Counting:
    """A claim, with its calls counted and its exceptions told from others."""

    def __init__(self, claim: Callable):
        self._claim = claim
        self.count = 0

    def __call__(self, *args: Any) -> Any:
        self.count += 1
        try:
            return self._claim(*args)
        except ChainruleError:
            raise
        except Exception as error:
            text = f"the claim raised {type(error).__name__}: {error}"
            raise ClaimError(text, error) from error


def _without_value(claimed: Any, x: Any) -> Any:
    if isinstance(claimed, tuple) and len(claimed) == 2 and not isinstance(x, tuple):
        return claimed[1]
    return claimed


def _worst(reports: list[Report], words: str) -> Report:
    """One report of several on the same claim."""
    report = merged("", reports)
    first = next(part for part in reports if part.verdict == report.verdict)
    reason = first.reason if report.ok else words + first.reason
    return replace(
        report,
        reason=reason,
        parts=(),
        arguments=first.arguments,
        warnings=first.warnings,
        findings=(),
    )


def _on_lines(reports: list[Report]) -> Report:
    """One report of slopes along random directions, whose single number says little."""
    report = _worst(reports, "along a random direction: ")
    if report.ok:
        report = replace(report, reason=f"{len(reports)} slopes along random directions verified")
    return replace(report, arguments=())


__all__ = ["Options", "Own", "copied", "examine", "own_claims"]
