"""``check``: does a derivative belong to its function? The door to the judge."""

import contextlib
import functools
import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.base import tree
from chainrule.base.arguments import Wrt, select
from chainrule.base.errors import ArgumentError, ChainruleError, InputError
from chainrule.base.where import Line, is_internal
from chainrule.checker import blame, kinds, probes
from chainrule.checker.curve import Case
from chainrule.checker.judge import Mode, judged
from chainrule.checker.limits import Budget, Guarded, OutOfTime
from chainrule.checker.relations import swapped
from chainrule.checker.report import Finding, Report, merged
from chainrule.transforms.reverse import grad as reverse_grad


def check(
    f: Callable,
    *args: Any,
    grad: Callable | bool | None = None,
    vjp: Callable | None = None,
    jvp: Callable | None = None,
    jac: Callable | None = None,
    hess: Callable | None = None,
    hvp: Callable | None = None,
    wrt: Wrt = 0,
    seed: int = 0,
    tol: float = 1e-6,
    mode: Mode = "auto",
    seconds: float | None = None,
    evaluations: int | None = None,
) -> Report:
    """Compare claimed derivatives of ``f`` at ``args`` with certified numerical slopes.

    What is claimed is a function of the same arguments, followed by the vector if there is one:

    grad(*args) : gradient of scalar f with respect to ``wrt`` (a tuple for several), or (value,
    gradient). True says that f itself returns (value, gradient).
    jac(*args) : Jacobian, of shape value + argument; for one array also a SciPy sparse matrix.
    vjp(*args, g) : cotangent of the argument, from ``g`` like the value.
    jvp(*args, v) : tangent of the value, from ``v`` like the argument.
    hess(*args), hvp(*args, v) : Hessian of scalar f, and its product with ``v``.
    Nothing claimed: chainrule's own gradient is checked; its vjp and jvp where f is not scalar.

    mode : "coordinates" measures each number's slope, about 10 evaluations of f each;
    "directions" four random directions and what these leave open, some hundred evaluations in
    all; "auto" coordinates up to 200 numbers.   seed : of the directions.   tol : relative error
    of the claim that is tolerated.   seconds, evaluations : a budget; what is verified when it is
    used up is in the report.

    The report is true only if the derivative was verified; its verdict is "fail" only if the gap is
    beyond the error bound of the measurement, else "inconclusive" with the reason. Where a gradient
    is wrong, ``report.fault`` names the step, if it can be told: see ``probe``.

    >>> report = check(lambda x: np.sum(x**3), np.array([1.0, 2.0]), grad=lambda x: 3 * x)
    >>> report.verdict, str(report.worst)
    ('fail', 'x[1]: claimed 6, numeric 12 ± 2.9e-13')
    """
    _check_options(f, seed, tol, seconds, evaluations)
    budget = Budget(seconds, evaluations)
    options = kinds.Options(wrt, seed, tol, mode)
    every = {"vjp": vjp, "jvp": jvp, "jac": jac, "hess": hess, "hvp": hvp}
    claims = {kind: claim for kind, claim in every.items() if claim is not None}
    both = grad is True
    if both:
        f, grad = _first(f), _second(f)
    elif grad is False or (grad is not None and not callable(grad)):
        raise InputError(f"grad={grad!r} is no function.", "Give a function, or True.")
    for kind, claim in claims.items():
        if not callable(claim):
            raise InputError(f"{kind}={claim!r} is no function.", "Give a function of the args.")
    if not claims and grad is None and _is_array_valued(f, args):
        claims = kinds.own_claims(f, wrt)
    parts = []
    if grad is not None or not claims:
        parts.append(_gradient(f, args, grad, options, budget))
    passed = grad if parts and parts[0].ok else None
    parts += kinds.examine(Guarded(f, budget), args, claims, passed, options)
    report = parts[0] if len(parts) == 1 else merged("derivatives", parts)
    if budget.is_over and not report.ok:
        report = replace(report, reason=f"{report.reason}; {budget}")
    given = {"grad": both or grad, **claims} if grad is not None else claims
    return _signed(report, f, given, args, options)


def _check_options(f: Any, seed: Any, tol: Any, seconds: Any, evaluations: Any) -> None:
    if not callable(f):
        raise InputError(f"f={f!r} is no function.", "Give a function of the arguments.")
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"seed={seed!r} is no seed.", "Give a whole number, 0 or more.")
    if not (isinstance(tol, (int, float, np.number)) and 0 <= tol < 1):
        raise InputError(f"tol={tol!r} is no relative error.", "Give a number from 0 to 1.")
    for name, given in (("seconds", seconds), ("evaluations", evaluations)):
        if given is not None and not (isinstance(given, (int, float, np.number)) and given >= 0):
            raise InputError(f"{name}={given!r} is no budget.", "Give a number, 0 or more.")


# --- the gradient


def _gradient(
    f: Callable, args: tuple, grad: Callable | None, options: kinds.Options, budget: Budget
) -> Report:
    values = select(f, args, {}, options.wrt).values
    guarded = Guarded(_with_one_value(f), budget)
    own = reverse_grad(f, wrt=options.wrt)
    claiming: Any = own if grad is None else Guarded(_with_arrays(grad, values))
    try:
        report = judged(guarded, *args, grad=claiming, **options.for_judge())
    except OutOfTime:
        return Report("inconclusive", "nothing is known", 1, 0, options.seed, options.tol)
    except Exception as error:
        if error is guarded.failure and not isinstance(error, ChainruleError):
            return _raised("inconclusive", "f", error, options)
        if grad is not None and error is claiming.failure:
            return _raised("fail", "grad", error, options)
        raise
    report = replace(report, case=Case.of(f, args, options.wrt))
    if report.verdict == "fail":
        report = _diagnosed(report, f, args, grad, options)
    return report


def _raised(verdict: Any, which: str, error: Exception, options: kinds.Options) -> Report:
    line = _line_of(error)
    where = f", at {line}" if line else ""
    reason = f"{which} raised {type(error).__name__}: {error}{where}"
    calls = (1, 0) if which == "f" else (1, 1)
    return Report(verdict, reason, *calls, options.seed, options.tol, error=error)


def _line_of(error: Exception) -> Line | None:
    """The innermost line of the user's code that the error passed through."""
    line, step = None, error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        if not is_internal(code.co_filename):
            line = Line(code.co_filename, step.tb_lineno, code.co_name)
        step = step.tb_next
    return line


def _diagnosed(
    report: Report, f: Callable, args: tuple, grad: Callable | None, options: kinds.Options
) -> Report:
    """The report with the step that is wrong, if it can be told; never worse than before."""
    selection = select(f, args, {}, options.wrt)
    steps = blame.traced(f, args, tuple(selection.keys))
    copies = lambda: kinds.copied(args)
    seed, tol = options.seed, options.tol

    def by_rules() -> tuple[str, list[Finding]]:
        return ("", []) if steps is None else blame.examine_rules(steps, seed, tol)

    def by_probes() -> tuple[str, list[Finding]]:
        assert grad is not None
        return probes.examine(lambda: f(*copies()), lambda: grad(*copies()), steps, seed, tol)

    def by_slips() -> tuple[str, list[Finding]]:
        if steps is None or report.worst is None:
            return "", []
        assert grad is not None
        claimed = _claimed(grad(*copies()), selection.single)
        return blame.explain_claim(steps, claimed, known=report.fault), []

    def by_exchange() -> tuple[str, list[Finding]]:
        return swapped(report.arguments), []

    for search in (by_rules,) if grad is None else (by_probes, by_exchange, by_slips):
        try:
            fault, findings = search()
        except Exception as error:
            text = f"the search for the wrong step stopped: {type(error).__name__}: {error}"
            report = replace(report, warnings=(*report.warnings, text))
            continue
        fault = "; ".join(text for text in (report.fault, fault) if text)
        report = replace(report, fault=fault, findings=(*report.findings, *findings))
    return report


def _claimed(claimed: Any, single: bool) -> list[Any]:
    """The leaves of the claimed gradient, without the value."""
    if isinstance(claimed, tuple) and len(claimed) == 2 and single and np.ndim(claimed[0]) == 0:
        claimed = claimed[1]
    return [np.asarray(leaf) for leaf in tree.flatten(claimed)[0]]


# --- functions that return more, or other things


def _with_one_value(f: Callable) -> Callable:
    @functools.wraps(f)
    def value(*args: Any, **kwargs: Any) -> Any:
        y = f(*args, **kwargs)
        if isinstance(y, (tuple, dict)):
            what = f"{title(f)} returned a {type(y).__name__}, and only a number has a gradient."
            remedy = "Return one number; if it returns (value, gradient), say grad=True."
            raise ArgumentError(what, remedy)
        return y

    return value


def _with_arrays(grad: Callable, values: list[Any]) -> Callable:
    """A gradient that may also return a list of numbers for an array, as SciPy's may.

    values : the arguments to differentiate.
    """
    if len(values) != 1 or not isinstance(values[0], np.ndarray):
        return grad
    shape = values[0].shape

    @functools.wraps(grad)
    def gradient(*args: Any) -> Any:
        g = grad(*args)
        if isinstance(g, list):
            with contextlib.suppress(ValueError):
                array = np.array(g)
                return array if array.shape == shape else g
        return g

    return gradient


def _first(f: Callable) -> Callable:
    def value(*args: Any) -> Any:
        return _pair(f, f(*args))[0]

    return _named(value, f)


def _second(f: Callable) -> Callable:
    def gradient(*args: Any) -> Any:
        return _pair(f, f(*args))[1]

    return _named(gradient, f)


def _named(wrapper: Callable, f: Callable) -> Callable:
    """The wrapper under the name and the signature of f; unlike functools.wraps it hides f."""
    wrapper.__name__ = wrapper.__qualname__ = title(f)
    with contextlib.suppress(ValueError, TypeError):
        wrapper.__signature__ = inspect.signature(f)  # type: ignore[attr-defined]
    return wrapper


def _pair(f: Callable, y: Any) -> Any:
    if isinstance(y, (tuple, list)) and len(y) == 2:
        return y
    what = f"grad=True, but {title(f)} returned a {type(y).__name__}."
    raise InputError(what, "It must return the pair (value, gradient).")


def _is_array_valued(f: Callable, args: tuple) -> bool:
    try:
        return np.ndim(f(*kinds.copied(args))) > 0
    except Exception:  # whatever it is, the check will meet it again
        return False


# --- what the report says of itself


def title(f: Any) -> str:
    """A name for the function: ``loss``, ``Model.loss``, ``a lambda``."""
    name = getattr(f, "__qualname__", None) or getattr(f, "__name__", None)
    if name is None:
        inner = getattr(f, "func", None)
        return title(inner) if inner is not None else type(f).__name__
    name = name.rpartition("<locals>.")[2]
    return "a lambda" if name == "<lambda>" else name


def _signed(
    report: Report, f: Callable, claims: dict[str, Any], args: tuple, options: kinds.Options
) -> Report:
    own = {kind for kind, claim in claims.items() if isinstance(claim, kinds.Own)}
    names = [title(f if claim is True else claim) for k, claim in claims.items() if k not in own]
    return replace(
        report,
        claimed_by=", ".join(dict.fromkeys(names)) or "chainrule",
        numeric_from=f"differences of {title(f)}",
        reproduce=_call(f, {k: c for k, c in claims.items() if k not in own}, args, options),
    )


def _call(f: Callable, claims: dict[str, Any], args: tuple, options: kinds.Options) -> str:
    """``chainrule.check(loss, w, X, grad=gradient, seed=3)``."""
    try:
        names = [p.name for p in inspect.signature(f).parameters.values()][: len(args)]
    except (ValueError, TypeError):
        names = []
    names += [f"argument_{k}" for k in range(len(names), len(args))]
    words = [f"{kind}={_word(claim)}" for kind, claim in claims.items()]
    words += [] if options.wrt == 0 else [f"wrt={options.wrt!r}"]
    words += [f"seed={options.seed}"]
    words += [] if options.tol == 1e-6 else [f"tol={options.tol:g}"]
    words += [] if options.mode == "auto" else [f"mode={options.mode!r}"]
    return f"chainrule.check({', '.join([_word(f), *names, *words])})"


def _word(f: Any) -> str:
    if f is True:
        return "True"
    name = title(f)
    return "..." if " " in name else name
