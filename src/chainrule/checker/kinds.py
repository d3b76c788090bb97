"""Other derivatives than gradients, each reduced to slopes of scalar functions, which are judged.

vjp    the gradient of <u, f(x)> for random u
jac    the same: u^T J
jvp    the slope of <u, f(x + t v)> at t = 0, for random u and v
hess   as jac, hvp as jvp: of the claimed gradient, once that has passed; without one
       u^T H v from second differences of f
dot    <u, J v> = <J^T u, v>, where both a vjp and a jvp are claimed
"""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule import numeric
from chainrule.base import tree
from chainrule.base.arguments import Selection, Wrt, select
from chainrule.base.errors import ChainruleError, InputError, MismatchError
from chainrule.checker.compare import RESOLUTION
from chainrule.checker.judge import Mode
from chainrule.checker.limits import OutOfTime
from chainrule.checker.purity import Call, copied
from chainrule.checker.report import Finding, Report, Verdict, merged
from chainrule.checker.witness import judged
from chainrule.core.lift import lift
from chainrule.numeric.points import Point
from chainrule.transforms.forward import jvp as own_jvp
from chainrule.transforms.reverse import vjp as own_vjp

_DRAWS = 2  # random cotangents, and directions
_EXACT = 1e-9  # two sides of an identity agree so well, relative to the size of its terms
_ROWS = 64  # values of f that are told apart when something is wrong
_DENSE = 24  # arguments of a Hessian whose entries are all measured when something is wrong


@dataclass(frozen=True)
class Options:
    """What every check takes."""

    wrt: Wrt = 0
    seed: int = 0
    tol: float = 1e-6
    mode: Mode = "auto"

    def for_judge(self) -> dict[str, Any]:
        return {"wrt": self.wrt, "seed": self.seed, "tol": self.tol, "mode": self.mode}


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
    case = _Case(f, args, options)
    reports = [case.judge(kind, claim, grad) for kind, claim in claims.items()]
    if {"vjp", "jvp"} <= claims.keys() and not any(r.verdict == "inconclusive" for r in reports):
        reports.append(case.dot_test(claims["vjp"], claims["jvp"]))
    return reports


class _Case:
    """f at a point: its value as a vector, and random vectors on both sides."""

    def __init__(self, f: Callable, args: tuple, options: Options):
        self.f, self.args, self.options = f, args, options
        self.selection = select(f, args, {}, options.wrt)
        selection = self.selection
        self.x = selection.values[0] if selection.single else tuple(selection.values)
        self.point = Point(self.x, selection.names[0] if selection.single else "")
        self.call = Call(f, selection)
        self.value = self.call(copied(self.x))
        self.rng = np.random.default_rng(options.seed)

    def judge(self, kind: str, claim: Callable, grad: Any) -> Report:
        """The report on one claim; what the claim raises, or gives in a wrong shape, is a fail."""
        calls = _Counting(claim)
        try:
            report: Report = getattr(self, f"_{kind}")(calls, grad)
        except OutOfTime:
            report = self._plain("inconclusive", "nothing is known")
        except _ClaimError as wrong:
            report = self._plain("fail", str(wrong), error=wrong.error)
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
        case = self if f is self.f else _Case(f, self.args, self.options)
        matrix = _Matrix(claim(*copied(self.args)), case)

        def bars(*args: Any, g: Any) -> Any:
            return case.tree_of(_Matrix(claim(*args), case).transposed_times(g))

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
        H = np.asarray(_dense(claim(*copied(self.args))))
        if H.size != self.point.size**2:
            shape = np.shape(self.point.leaves[0])
            raise _ClaimError(f"the Hessian has shape {H.shape}, and x has {shape}")
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
            return self._plain("fail", reason, calls)
        if worst <= RESOLUTION:
            digits = -np.log10(max(worst, self.options.tol))
            reason = f"u^T H v verified for random u and v, to {digits:.1f} digits or more"
            return self._plain("pass", reason, calls, coverage=1.0)
        reason = "second differences of f are too noisy: claim the gradient too, with grad="
        return self._plain("inconclusive", reason, calls)

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
                return replace(self._plain("fail", reason), kind="dot test")
        reason = "<u, J v> = <J^T u, v> for random u and v"
        return replace(self._plain("pass", reason, coverage=1.0), kind="dot test")

    # --- vectors

    def cotangents(self) -> Iterator[np.ndarray]:
        """Random real vectors for the values, each value counting by its own size."""
        vector = self.value_vector(self.value)
        scale = Point(np.where(np.isfinite(vector), vector, 0.0)).scale
        return iter([_signs(self.rng, len(vector)) / scale for _ in range(_DRAWS)])

    def directions(self) -> Iterator[np.ndarray]:
        size = self.point.size
        return iter([_signs(self.rng, size) * self.point.scale for _ in range(_DRAWS)])

    def value_vector(self, y: Any) -> np.ndarray:
        return tree.ravel(y, "f(x)")[0].astype(float)

    def like_value(self, u: np.ndarray) -> Any:
        return tree.ravel(self.value)[1](u)

    def unit(self, i: int) -> Any:
        vector = self.value_vector(self.value)
        return self.like_value(np.where(np.arange(len(vector)) == i, 1.0, 0.0))

    def tree_of(self, v: np.ndarray) -> Any:
        return self.point.at(v)

    def tangent_vector(self, dy: Any) -> np.ndarray:
        y = self.value_vector(self.value)
        try:
            leaves = tree.leaves_like(tree.flatten(self.value)[1], dy, "the tangent")
        except MismatchError as mismatch:
            raise _ClaimError(mismatch.what) from None
        for leaf, like in zip(leaves, tree.flatten(self.value)[0]):
            if np.shape(leaf) != np.shape(like):
                shapes = f"{np.shape(leaf)}, and f(x) has {np.shape(like)}"
                raise _ClaimError(f"the tangent has shape {shapes}")
            if np.iscomplexobj(leaf) and not np.iscomplexobj(like):
                raise _ClaimError("the tangent is complex, and f(x) is real")
        complexes = [np.iscomplexobj(like) for like in tree.flatten(self.value)[0]]
        parts = [np.asarray(x, complex if c else float) for x, c in zip(leaves, complexes)]
        vector = tree.ravel(parts)[0].astype(float)
        assert vector.shape == y.shape
        return vector

    def bars(self, claimed: Any) -> Any:
        """What a vjp gave; a tuple of one is its entry where one argument was asked for."""
        single = self.selection.single and not isinstance(self.x, tuple)
        if single and isinstance(claimed, tuple) and len(claimed) == 1:
            return claimed[0]
        return claimed

    def vector_of(self, claimed: Any) -> np.ndarray:
        from chainrule.checker.claim import claimed_vector

        try:
            return claimed_vector(self.bars(claimed), self.point)
        except MismatchError as mismatch:
            raise _ClaimError(mismatch.what) from None

    def exact(self, tolerance: float) -> float:
        """The tolerance of an identity; wider where numbers are stored in float32."""
        leaves = [*self.point.leaves, *tree.flatten(self.value)[0]]
        eps = max([float(np.finfo(tree.float_dtype(leaf)).eps) for leaf in leaves], default=0.0)
        return max(tolerance, 1e4 * eps if eps > 1e-10 else 0.0)

    # --- functions to judge

    def weighted(self, u: np.ndarray) -> Callable:
        @functools.wraps(self.f)
        def f(*args: Any) -> float:
            return float(u @ self.value_vector(self.f(*args)))

        return f

    def values(self, x: Any) -> np.ndarray:
        return self.value_vector(self.call(x))

    def plain(self, vector: np.ndarray) -> Any:
        return self.call(self.point.at(vector))

    def along(self, values: Callable, v: np.ndarray, u: np.ndarray, claimed: float) -> Report:
        """The slope of <u, values(x + t v)> at t = 0."""
        start = self.point.vector
        options = {**self.options.for_judge(), "wrt": 0, "mode": "coordinates"}
        return judged(
            lambda t: float(u @ values(self.point.at(start + float(t) * v))),
            0.0,
            grad=lambda t: claimed,
            **options,
        )

    # --- which entry

    def with_entry(
        self,
        report: Report,
        row: Callable[[int], np.ndarray],
        letter: str = "J",
        stored: Callable[[int, int], bool] = lambda i, j: True,
    ) -> Report:
        """The report with the wrong entry of the column where a combination was wrong."""
        j = self._column(report)
        if j is None:
            return report
        v = np.where(np.arange(self.point.size) == j, 1.0, 0.0)
        found = numeric.directional(self.values, self.x, self.tree_of(v))
        faults = []
        for i in range(min(len(found.value), _ROWS)):
            claimed = float(row(i)[j])
            tolerated = 2 * found.error[i] + self.options.tol * abs(claimed)
            if not abs(claimed - found.value[i]) <= tolerated and np.isfinite(found.error[i]):
                outside = "" if stored(i, j) else " (not in the sparse pattern)"
                faults.append(
                    f"{letter}[{i}, {j}]: claimed {claimed:.8g}{outside}, numeric "
                    f"{found.value[i]:.8g} ± {found.error[i]:.1e}"
                )
        if not faults:
            return report
        more = f" and {len(faults) - 1} more in this column" if len(faults) > 1 else ""
        return replace(report, fault=faults[0] + more)

    def _column(self, report: Report) -> int | None:
        if report.worst is None:
            return None
        return next(
            (j for j in range(self.point.size) if self.point.name(j) == report.worst.name), None
        )

    def with_value(self, report: Report, v: np.ndarray, tangent: np.ndarray) -> Report:
        """The report of a wrong tangent with the values that are wrong."""
        found = numeric.directional(self.values, self.x, self.tree_of(v))
        gap = np.abs(found.value - tangent)
        wrong = np.flatnonzero(gap > 2 * found.error + self.options.tol * np.abs(tangent))
        reason = f"along a random direction: {report.reason}"
        if not wrong.size:
            return replace(report, reason=reason)
        i = int(wrong[0])
        fault = (
            f"{wrong.size} of {len(tangent)} values have a wrong tangent, as value {i}: claimed "
            f"{tangent[i]:.8g}, numeric {found.value[i]:.8g} ± {found.error[i]:.1e}"
        )
        return replace(report, reason=reason, fault=fault)

    def _plain(self, verdict: Verdict, reason: str, calls: int = 0, **others: Any) -> Report:
        return Report(verdict, reason, calls, 0, self.options.seed, self.options.tol, **others)


class _ClaimError(Exception):
    """A claim raised, or gave something that cannot be its derivative."""

    def __init__(self, text: str, error: Exception | None = None):
        super().__init__(text)
        self.error = error


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
            raise _ClaimError(text, error) from error


class _Matrix:
    """A claimed Jacobian, dense, sparse or a tree of blocks, as (values, numbers of x)."""

    def __init__(self, claimed: Any, case: _Case):
        self.case = case
        y = np.asarray(case.value)
        self.rows, self.is_complex = y.size, y.dtype.kind == "c"
        if hasattr(claimed, "tocsr"):
            self.sparse = claimed.tocsr()
            blocks = [claimed]
        else:
            self.sparse = None
            blocks = self._leaves(case.bars(claimed))
        self.blocks = []
        for block, leaf, path in zip(blocks, case.point.leaves, case.point.paths):
            wanted = (y.size, np.size(leaf))
            full = y.shape + np.shape(leaf)
            shape = block.shape if hasattr(block, "tocsr") else np.shape(block)
            if shape not in (full, wanted):
                hint = " (is it transposed?)" if shape == wanted[::-1] else ""
                text = f"the Jacobian by {path} has shape {shape}, expected {full}{hint}"
                raise _ClaimError(text)
            dense = hasattr(block, "tocsr")
            self.blocks.append(block.tocsr() if dense else np.asarray(block).reshape(wanted))

    def _leaves(self, claimed: Any) -> list[Any]:
        try:
            return tree.leaves_like(self.case.point.treedef, claimed, "the Jacobian")
        except MismatchError as mismatch:
            raise _ClaimError(mismatch.what) from None

    def transposed_times(self, g: Any) -> np.ndarray:
        """The cotangents of the numbers of x for ``g``; see the page on conventions for complex."""
        g = np.asarray(g).reshape(-1)
        parts = []
        for block, dtype in zip(self.blocks, self.case.point.dtypes):
            part = np.asarray((block.conj() if self.is_complex else block).T @ g).reshape(-1)
            parts.append(part.astype(complex).view(float) if dtype.kind == "c" else part.real)
        return np.concatenate(parts).astype(float)

    def row(self, i: int) -> np.ndarray:
        return self.transposed_times(self.case.unit(i))

    def stored(self, i: int, j: int) -> bool:
        """Whether a sparse matrix has this entry; a dense one has all."""
        return self.sparse is None or j in self.sparse[[i]].indices


def _dense(matrix: Any) -> Any:
    return matrix.toarray() if hasattr(matrix, "tocsr") else matrix


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


def _signs(rng: np.random.Generator, size: int) -> np.ndarray:
    """Signs and sizes of few bits, none of them small: points on the line are exact."""
    return rng.choice([-1.0, 1.0], size) * rng.integers(4, 13, size) / 8


__all__ = ["Finding", "Options", "Own", "copied", "examine", "own_claims"]
