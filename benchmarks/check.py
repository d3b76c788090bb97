"""Today's gradient checkers on the corpus of tests/check: what they accept, reject, and cost.

``make bench-check``; add ``quick`` for a tenth of the bugs. Each tool as its users call it: torch's
gradcheck and JAX's check_grads by their defaults, on a function with the claimed gradient as its
backward; SciPy's check_grad, which leaves the tolerance to the user, with 1e-5; numdifftools, which
gives no verdict, within ten times its own error estimate and up to 400 numbers.
"""

import importlib.metadata
import importlib.util
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.optimize import check_grad

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.check.corpus import HARD, HUGE, MANY, ORDINARY
from tests.check.corpus.base import Pair, leaves
from tests.check.corpus.probed import PROBED
from tests.check.judging import blamed, guilty, verdict

from chainrule.checker import check

PASS, FAIL, OPEN, OUT = "pass", "fail", "inconclusive", "skipped"
LARGE = 400  # numbers, beyond which the slowest is not asked


class Vector:
    """A pair as a function of one real vector, with its evaluations counted."""

    def __init__(self, pair: Pair, gradient: Callable):
        self.pair, self.claimed, self.calls = pair, gradient, 0
        self.shapes = [np.shape(arg) for arg in pair.args]
        self.x = np.concatenate([np.ravel(np.asarray(arg, float)) for arg in pair.args])

    def args(self, x: np.ndarray) -> list:
        ends = np.cumsum([int(np.prod(shape)) for shape in self.shapes])[:-1]
        parts = np.split(np.array(x, float), ends)
        return [part.reshape(shape)[()] for part, shape in zip(parts, self.shapes)]

    def f(self, x: np.ndarray) -> float:
        self.calls += 1
        return float(self.pair.f(*self.args(x)))

    def gradient(self, x: np.ndarray) -> np.ndarray:
        claimed = leaves(self.claimed(*self.args(x)), len(self.shapes))
        return np.concatenate([np.ravel(c) for c in claimed]).astype(float)


# --- the tools: a verdict on a vector


def by_chainrule(v: Vector) -> str:
    report = verdict(v.pair, v.claimed)
    v.calls = report.evaluations
    return report.verdict


def by_torch(v: Vector, fast: bool = False) -> str:
    import torch

    class Claim(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.x = x.detach().numpy().copy()
            return torch.tensor(v.f(ctx.x), dtype=torch.float64)

        @staticmethod
        def backward(ctx, g):
            return g * torch.from_numpy(v.gradient(ctx.x))

    x = torch.tensor(v.x, dtype=torch.float64, requires_grad=True)
    ok = torch.autograd.gradcheck(Claim.apply, (x,), fast_mode=fast, raise_exception=False)
    return PASS if ok else FAIL


def by_torch_fast(v: Vector) -> str:
    return by_torch(v, fast=True)


def by_jax(v: Vector) -> str:
    import jax
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    scalar = jax.ShapeDtypeStruct((), np.float64)
    vector = jax.ShapeDtypeStruct(v.x.shape, np.float64)

    @jax.custom_vjp
    def f(x):
        return jax.pure_callback(lambda x: np.float64(v.f(np.asarray(x))), scalar, x)

    def backward(x, g):
        return (g * jax.pure_callback(lambda x: v.gradient(np.asarray(x)), vector, x),)

    f.defvjp(lambda x: (f(x), x), backward)
    try:
        check_grads(f, (v.x,), order=1, modes=["rev"])
    except AssertionError:
        return FAIL
    return PASS


def by_scipy(v: Vector) -> str:
    return PASS if check_grad(v.f, v.gradient, v.x) < 1e-5 else FAIL


def by_numdifftools(v: Vector) -> str:
    import numdifftools

    if v.x.size > LARGE:
        return OUT
    found = numdifftools.Gradient(v.f, full_output=True)(v.x)
    numeric = np.ravel(found.estimate)
    bound = 10 * np.ravel(found.error_estimate) + 1e-12 * np.abs(numeric)
    gap = np.abs(numeric - v.gradient(v.x))
    if not np.all(np.isfinite(bound) & np.isfinite(gap)):
        return OPEN
    return PASS if np.all(gap <= bound) else FAIL


TOOLS = {
    "chainrule check": (by_chainrule, ""),
    "torch gradcheck": (by_torch, "torch"),
    "torch, fast_mode": (by_torch_fast, "torch"),
    "jax check_grads": (by_jax, "jax"),
    "scipy check_grad": (by_scipy, "scipy"),
    "numdifftools": (by_numdifftools, "numdifftools"),
}


def answer(tool: Callable, pair: Pair, gradient: Callable) -> tuple[str, float]:
    """(verdict, evaluations)."""
    if any(np.iscomplexobj(arg) for arg in pair.args) and tool is not by_chainrule:
        return OUT, 0.0
    v = Vector(pair, gradient) if tool is not by_chainrule else _uncounted(pair, gradient)
    try:
        return tool(v), v.calls
    except (ArithmeticError, IndexError, RuntimeError, ValueError):  # f, where the tool stepped
        return OPEN, v.calls


def _uncounted(pair: Pair, gradient: Callable) -> Vector:
    v = Vector.__new__(Vector)
    v.pair, v.claimed, v.calls = pair, gradient, 0
    return v


# --- the tables


def share(verdicts: list[str], counted: str) -> str:
    asked = [verdict for verdict in verdicts if verdict != OUT]
    return f"{asked.count(counted)}/{len(asked)}"


def row(name: str, tool: Callable, every: int) -> str:
    start = time.perf_counter()
    right = {
        key: [answer(tool, pair, pair.gradient) for pair in pairs]
        for key, pairs in (("ordinary", ORDINARY), ("hard", HARD), ("many", MANY))
    }
    wrong: dict[str, list[str]] = {"gross": [], "tiny": [], "hard": [], "many": []}
    for key, pairs in (("gross", ORDINARY), ("hard", HARD), ("many", MANY)):
        bugs = [(pair, bug) for pair in pairs for bug in pair.bugs]
        for pair, bug in [b for k, b in enumerate(bugs) if k % every == 0 or b[1].tiny]:
            wrong["tiny" if bug.tiny else key].append(answer(tool, pair, bug.gradient)[0])
    seconds = time.perf_counter() - start
    small = [
        calls / max(pair.size, 1)
        for pair, (_, calls) in zip(ORDINARY + HARD, right["ordinary"] + right["hard"])
        if calls
    ]
    verdicts = {key: [verdict for verdict, _ in found] for key, found in right.items()}
    open_ = sum(found.count(OPEN) for found in verdicts.values())
    cells = [
        *(share(verdicts[key], FAIL) for key in ("ordinary", "hard", "many")),
        str(open_),
        *(share(wrong[key], PASS) for key in ("gross", "tiny", "hard", "many")),
        f"{statistics.median(small):.1f}",
        str(max(calls for _, calls in right["many"])),
        f"{seconds:.0f}",
    ]
    return f"{name:<17}" + "".join(f"{cell:>10}" for cell in cells)


def compare(every: int) -> None:
    groups = ("false rejects", 3), ("left", 1), ("false accepts", 4), ("evaluations", 2), ("", 1)
    print(f"{'':<17}" + "".join(f"{group:>{10 * cells}}" for group, cells in groups))
    heads = "ordinary hard N=3000 open gross tiny hard N=3000 a-number N=3000 seconds"
    print(f"{'':<17}" + "".join(f"{head:>10}" for head in heads.split()))
    for name, (tool, module) in TOOLS.items():
        if module and importlib.util.find_spec(module) is None:
            print(f"{name:<17} is not installed")
            continue
        print(row(name, tool, every), flush=True)


def localisation(every: int) -> None:
    """What the report says of where the fault is."""
    bugs = [(p, b) for p in ORDINARY for b in p.bugs if not b.tiny and p.size <= LARGE][::every]
    exact = pattern = fault = either = 0
    for pair, bug in bugs:
        report = check(pair.f, *pair.args, grad=bug.gradient, wrt=pair.wrt)
        sure, possible = guilty(pair, bug)
        exact += sure <= blamed(report) <= possible
        named = any(argument.pattern for argument in report.arguments)
        pattern, fault = pattern + named, fault + bool(report.fault)
        either += bool(named or report.fault)
    n = len(bugs)
    print(f"\nwhere the fault is: arguments right {exact}/{n}, a pattern {pattern}/{n},")
    print(f"the step named {fault}/{n}, a pattern or the step {either}/{n}", end="; ")
    probed = PROBED[::every]
    hits = 0
    for made in probed:
        args = made.pair.args
        report = check(made.pair.f, *args, grad=made.gradient, wrt=made.pair.wrt)
        wanted = f"of {made.fault!r} is wrong" if made.fault else "all probes are right"
        hits += wanted in report.fault
    print(f"with probes, the first wrong one {hits}/{len(probed)}", flush=True)


def million() -> None:
    for pair in HUGE:
        start = time.perf_counter()
        report = verdict(pair)
        seconds = time.perf_counter() - start
        print(
            f"\nN = 1e6: {report.verdict}, {report.reason}; {report.evaluations} evaluations",
            end="",
        )
        print(f", {seconds:.1f} s")
        for bug in pair.bugs:
            report = verdict(pair, bug.gradient)
            print(f"  {bug}: {report.verdict}, {report.evaluations} evaluations")


def main() -> None:
    quick = "quick" in sys.argv[1:]
    every = 10 if quick else 1
    modules = [m for m in ("numpy", "scipy", "torch", "jax", "numdifftools") if _has(m)]
    print(", ".join(f"{m} {importlib.metadata.version(m)}" for m in modules))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        compare(every)
        localisation(10 if quick else 4)
        million()


def _has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


if __name__ == "__main__":
    main()
