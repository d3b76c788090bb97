"""``check_jax``: JAX's derivatives, or those of your own custom_vjp and custom_jvp, by numbers."""

import inspect
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from time import monotonic
from typing import Any

import numpy as np

from chainrule.base.arguments import select
from chainrule.base.errors import ArgumentError, InputError
from chainrule.base.where import Line, is_internal
from chainrule.checker.judge import judged
from chainrule.checker.limits import Budget
from chainrule.checker.report import Finding, Report, merged
from chainrule.interop.adapters import Late, Options, judged_by_name, signs, summary, word

jax: Any = Late("jax")

_PATIENCE = 20.0  # seconds for a look at the equations of a wrong function
_INSIDE = ("jit", "pjit", "closed_call", "core_call", "checkpoint", "remat", "remat2")
_DIRECTIONS = 2


def check_jax(
    f: Callable,
    *args: Any,
    wrt: Any = None,
    seed: int = 0,
    tol: float = 1e-6,
    mode: Any = "auto",
    seconds: float | None = None,
    evaluations: int | None = None,
) -> Report:
    """Compare JAX's derivatives of ``f``, in both modes, with certified numerical slopes.

    f : of pytrees; it runs in float64 (``jax.enable_x64`` for this call only), and so do its
    arguments.   wrt : positions or names of arguments; by default all. Leaves that are no floats
    are fixed. Values that are not one number are multiplied by a random cotangent. The report has
    parts for the vjp, the jvp and the dot test between them; forward mode is left out where a
    custom_vjp does not have it. The other options are those of ``check``. Where a derivative is
    wrong, the equations of the jaxpr are checked one by one, and ``report.fault`` names the first
    wrong one in backward order.
    """
    options = {"seed": seed, "tol": tol, "mode": mode}
    with _float64():
        target = _Target(f, args, wrt, seed)
        reports = list(target.judged(options, Budget(seconds, evaluations)))
        report = merged("derivatives", reports) if len(reports) > 1 else reports[0]
        if report.verdict == "fail":
            report = _localised(report, target, options)
    call = f"chainrule.check_jax({', '.join([word(f), *target.names])}, seed={seed})"
    return replace(
        report,
        claimed_by="JAX",
        numeric_from=f"differences of {_title(f)} in float64",
        reproduce=call,
        warnings=(*report.warnings, *target.notes),
    )


class _Target:
    """f with its arguments, as a scalar function of named arrays."""

    def __init__(self, f: Callable, args: tuple, wrt: Any, seed: int):
        self.f, self.seed = f, seed
        self.names = _names(f, len(args))
        chosen = set(range(len(args))) if wrt is None else set(select(f, args, {}, wrt).keys)
        with_paths, self.structure = jax.tree_util.tree_flatten_with_path(args)
        self.leaves = [_wide(leaf) for _, leaf in with_paths]
        self.places = {}
        for i, (path, _) in enumerate(with_paths):
            if path[0].idx in chosen and _is_float(self.leaves[i]):
                name = self.names[path[0].idx] + jax.tree_util.keystr(path[1:])
                self.places[name] = i
        if not self.places:
            what = f"{_title(f)} has no float argument to differentiate."
            raise ArgumentError(what, "Give arrays of floats, and choose them with wrt=.")
        self.values = {name: np.asarray(self.leaves[i]) for name, i in self.places.items()}
        self.cotangents: list[Any] | None = None
        self.notes: list[str] = []

    # --- the function

    def outputs(self, *leaves: Any) -> list[Any]:
        """The float leaves of the value, as a function of the float leaves that were chosen."""
        every = list(self.leaves)
        for i, leaf in zip(self.places.values(), leaves):
            every[i] = leaf
        found = self.f(*jax.tree_util.tree_unflatten(self.structure, every))
        ys = [y for y in jax.tree_util.tree_leaves(found) if _is_float(y)]
        if not ys:
            what = f"{_title(self.f)} returned no array of floats, but a {type(found).__name__}."
            raise InputError(what, "Return an array, or a pytree of arrays.")
        return ys

    def value(self, values: dict[str, np.ndarray]) -> Any:
        """The value, or the sum of all values times fixed random cotangents."""
        ys = [np.asarray(y) for y in self.outputs(*self.arrays(values))]
        if self.is_scalar(ys):
            return ys[0][()]
        return self.weighted(ys)

    def weighted(self, ys: list[Any]) -> float:
        pairs = zip(self.weights(ys), ys)
        return float(sum(np.sum(np.real(np.conj(u) * np.asarray(y))) for u, y in pairs))

    def weights(self, ys: list[Any]) -> list[np.ndarray]:
        if self.is_scalar(ys):
            return [np.ones(())]
        if self.cotangents is None:
            rng = np.random.default_rng(self.seed)
            self.cotangents = [signs(rng, np.shape(y), _is_complex(y)) for y in ys]
        return self.cotangents

    @staticmethod
    def is_scalar(ys: list[Any]) -> bool:
        return len(ys) == 1 and np.ndim(ys[0]) == 0 and not _is_complex(ys[0])

    def arrays(self, values: dict[str, np.ndarray]) -> list[Any]:
        return [
            jax.numpy.asarray(values[name], self.leaves[i].dtype) for name, i in self.places.items()
        ]

    # --- what JAX claims

    def gradient(self, values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """By reverse mode. JAX's cotangents of complex arrays are the conjugates of ours."""
        ys, pullback = jax.vjp(lambda *xs: self.outputs(*xs), *self.arrays(values))
        us = [jax.numpy.asarray(np.conj(u), y.dtype) for u, y in zip(self.weights(ys), ys)]
        return {name: np.conj(np.asarray(g)) for name, g in zip(self.places, pullback(us))}

    def slope(self, v: dict[str, np.ndarray]) -> float:
        """By forward mode, of the weighted value along v."""
        tangents = tuple(self.arrays(v))
        _, dys = jax.jvp(lambda *xs: self.outputs(*xs), tuple(self.arrays(self.values)), tangents)
        return self.weighted(dys)

    # --- the judgement

    def judged(self, options: Options, budget: Budget | None = None) -> Iterator[Report]:
        """Reports on reverse mode, forward mode and the dot test."""
        reverse = judged_by_name(self.value, self.gradient, self.values, options, budget)
        yield replace(reverse, kind="vjp")
        if reverse.verdict == "inconclusive" or reverse.error is not None:
            return
        rng = np.random.default_rng(self.seed)
        slopes = []
        try:
            for _ in range(_DIRECTIONS):
                v = self.direction(rng)
                slopes.append((v, self.slope(v)))
        except TypeError as error:
            if "custom_vjp" not in str(error):
                raise
            self.notes.append("a custom_vjp has no forward mode: the jvp is not checked")
            return
        yield self.forward(slopes, options)
        yield self.dot_test(slopes, options)

    def direction(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        return {
            name: signs(rng, x.shape, _is_complex(x)) * _scale(x) for name, x in self.values.items()
        }

    def forward(self, slopes: list, options: Options) -> Report:
        reports = []
        for v, claimed in slopes:
            along = lambda t, v=v: self.value({n: x + t * v[n] for n, x in self.values.items()})
            reports.append(judged(along, 0.0, grad=lambda t, s=claimed: s, **options))
        worst = next((r for r in reports if not r.ok), reports[0])
        reason = f"{len(reports)} slopes along random directions verified"
        if not worst.ok:
            reason = f"along a random direction: {worst.reason}"
        calls = sum(r.evaluations for r in reports)
        return replace(worst, kind="jvp", reason=reason, evaluations=calls, arguments=())

    def dot_test(self, slopes: list, options: Options) -> Report:
        plain = lambda verdict, reason: Report(
            verdict, reason, 0, 0, options["seed"], options["tol"], kind="dot test", coverage=1.0
        )
        gradient = self.gradient(self.values)
        for v, claimed in slopes:
            terms = [np.sum(np.real(np.conj(v[n]) * gradient[n])) for n in v]
            size = sum(np.sum(np.abs(v[n] * gradient[n])) for n in v) + abs(claimed)
            if not abs(sum(terms) - claimed) <= 1e-9 * size:
                numbers = f"{claimed:.10g}, but <J^T u, v> = {sum(terms):.10g}"
                return plain("fail", f"<u, J v> = {numbers}: the modes differ")
        return plain("pass", "<u, J v> = <J^T u, v> for random u and v")


# --- which equation


def _localised(report: Report, whole: _Target, options: Options) -> Report:
    """The report with the first wrong equation in backward order."""
    try:
        closed = jax.make_jaxpr(lambda *xs: whole.outputs(*xs))(*whole.arrays(whole.values))
        findings, fault = _examined(list(_equations(closed, whole.arrays(whole.values))), options)
    except Exception as error:
        text = f"the search for the wrong equation stopped: {type(error).__name__}: {error}"
        return replace(report, warnings=(*report.warnings, text))
    return replace(report, fault=fault, findings=tuple(findings))


_Step = tuple[Any, Callable, list[Any]]  # equation, as a function, values of its operands


def _equations(closed: Any, inputs: list[Any]) -> Iterator[_Step]:
    """The equations in order with the values they met; those inside jit instead of the jit."""
    values: dict[Any, Any] = dict(zip(closed.jaxpr.constvars, closed.consts))
    values.update(zip(closed.jaxpr.invars, inputs))
    for equation in closed.jaxpr.eqns:
        variables = _variables(equation)
        operands = [values[v] for v in variables]
        alone = _alone(closed, equation, variables)
        inner = equation.params.get("jaxpr")
        if equation.primitive.name in _INSIDE and hasattr(inner, "consts"):
            read = lambda atom: atom.val if hasattr(atom, "val") else values[atom]
            yield from _equations(inner, [read(atom) for atom in equation.invars])
        else:
            yield equation, alone, operands
        values.update(zip(equation.outvars, alone(*operands)))


def _variables(equation: Any) -> list[Any]:
    """The operands that are no literals, each once."""
    return list(dict.fromkeys(v for v in equation.invars if not hasattr(v, "val")))


def _alone(closed: Any, equation: Any, variables: list[Any]) -> Callable[..., list[Any]]:
    """One equation as a function of its variables."""
    core = Late("jax.extend.core")
    outputs = list(equation.outvars)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that the names of arguments are gone
        single = closed.jaxpr.replace(
            constvars=[], invars=variables, outvars=outputs, eqns=[equation], debug_info=None
        )
        return core.jaxpr_as_fun(core.ClosedJaxpr(single, ()))


def _examined(steps: list[_Step], options: Options) -> tuple[list[Finding], str]:
    findings, fault, seen = [], "", set()
    start = monotonic()
    for equation, alone, operands in reversed(steps):
        where = _where(equation)
        shapes = tuple((np.shape(x), str(x.dtype)) for x in operands if _is_float(x))
        if not shapes or (where, shapes) in seen:
            continue
        seen.add((where, shapes))
        if monotonic() - start > _PATIENCE:
            findings.append(Finding(where, "inconclusive", "not examined: out of time"))
            continue
        if not any(_is_float(y) for y in alone(*operands)):
            continue
        part = _Target(alone, tuple(operands), None, options["seed"])
        report = merged(where, list(part.judged(options)))
        text = ""
        if report.verdict == "fail":
            kind = next(r for r in report.parts if r.verdict == "fail")
            text = f"its {kind.kind} is wrong: {summary(kind)}"
            fault = fault or f"the derivative of {where} is wrong ({text})"
        elif report.verdict == "inconclusive":
            text = report.reason
        findings.append(Finding(where, report.verdict, text))
    return findings, fault


def _where(equation: Any) -> str:
    """``f (custom_vjp) in model.py:12 y = f(x)``."""
    name, params = equation.primitive.name, equation.params
    if name.startswith("custom_"):
        inner = params.get("call_jaxpr") or params.get("fun_jaxpr")
        info = getattr(getattr(inner, "jaxpr", inner), "debug_info", None)
        called = getattr(info, "func_name", "") or params.get("name", "")
        name = f"{called} ({name.removesuffix('_call')})" if called else name
    line = _line(equation)
    return f"{name} in {' '.join(str(line).split())}" if line else name


def _line(equation: Any) -> Line | None:
    """The user's line that made the equation."""
    traceback = getattr(equation.source_info, "traceback", None)
    folder = os.path.dirname(jax.__file__) + os.sep
    for frame in getattr(traceback, "frames", ()):
        if not frame.file_name.startswith(folder) and not is_internal(frame.file_name):
            return Line(frame.file_name, frame.line_num, frame.function_name)
    return None


# --- leaves


def _wide(leaf: Any) -> Any:
    """Floats in float64, complex numbers in complex128, everything else as it is."""
    if not _is_float(leaf):
        return leaf
    return jax.numpy.asarray(leaf, complex if _is_complex(leaf) else float)


def _is_float(x: Any) -> bool:
    if isinstance(x, (float, complex)):
        return True
    dtype = getattr(x, "dtype", None)
    return dtype is not None and jax.numpy.issubdtype(dtype, jax.numpy.inexact)


def _is_complex(x: Any) -> bool:
    return isinstance(x, complex) or (hasattr(x, "dtype") and np.dtype(x.dtype).kind == "c")


def _scale(x: np.ndarray) -> np.ndarray:
    size = np.abs(x)
    typical = float(np.median(size[size > 0])) if (size > 0).any() else 1.0
    return np.exp2(np.round(np.log2(np.maximum(size, typical / 64))))


def _names(f: Callable, count: int) -> list[str]:
    try:
        found = [p.name for p in inspect.signature(f).parameters.values() if p.kind < 2]
    except (ValueError, TypeError):
        found = []
    return found[:count] + [f"argument_{i}" for i in range(len(found), count)]


def _title(f: Callable) -> str:
    return getattr(f, "__name__", type(f).__name__)


@contextmanager
def _float64() -> Iterator[None]:
    """64-bit numbers for this call only."""
    late = jax if hasattr(jax, "enable_x64") else Late("jax.experimental")  # before 0.8
    with late.enable_x64(True):
        yield
