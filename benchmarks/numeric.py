"""Numerical derivatives: digits, honesty of the error bounds, evaluations; against SciPy.

Truth comes from mpmath. ``hard`` are the functions of tests/test_numeric.py; the other rows are
random functions that lost digits: to cancellation, float32, rounding, tolerances.
"""

import sys
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import mpmath as mp
import numpy as np
import scipy
from scipy.differentiate import derivative as scipy_derivative
from timing import versions

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.numeric_corpus import Case, drawn
from tests.test_numeric import CASES, true_slope

import chainrule as cr

ROUNDS = 60  # about nine random functions in each


class Result(NamedTuple):
    value: float
    error: float
    evaluations: int


class Score(NamedTuple):
    digits: float
    honest: bool
    nearly: bool  # the error is within ten times the bound
    evaluations: int


def ladder(f: Callable, x: float) -> Result:
    estimate = cr.numeric.derivative(f, x, "ladder")
    return Result(estimate.value, estimate.error, estimate.evaluations)


def auto(f: Callable, x: float) -> Result:
    estimate = cr.numeric.derivative(f, x)
    return Result(estimate.value, estimate.error, estimate.evaluations)


def scipy_differentiate(f: Callable, x: float) -> Result:
    found = scipy_derivative(np.vectorize(f, otypes=[float]), x)
    return Result(float(found.df), float(found.error), int(found.nfev))


def central(f: Callable, x: float) -> Result:
    h = 2.0**-17 * max(abs(x), 1.0)
    return Result(float((f(x + h) - f(x - h)) / (2 * h)), np.inf, 2)


METHODS = (ladder, auto, scipy_differentiate, central)


def hard() -> Iterable[Case]:
    for name, f, x, precise, _ in CASES:
        yield Case("hard", name, f, x, true_slope(name, x, precise))


def score(method: Callable, case: Case) -> Score:
    value, bound, evaluations = method(case.f, case.x)
    if not np.isfinite(value):
        return Score(0.0, not bound < np.inf, not bound < np.inf, evaluations)
    error = abs(mp.mpf(value) - case.slope)
    spare = 4 * 2.0**-52 * abs(case.slope)
    relative = float(error / abs(case.slope)) if case.slope else float(error > 0)
    digits = min(16.0, max(0.0, -np.log10(max(relative, 1e-16))))
    return Score(digits, error <= bound + spare, error <= 10 * bound + spare, evaluations)


def main():
    print(versions(np, scipy))
    print(f"{'functions':<16}{'method':<21}{'count':>6}{'median':>8}{'worst':>7}", end="")
    print(f"{'< 3 digits':>12}{'honest':>9}{'x10':>7}{'evaluations':>13}")
    families: dict[str, list[Case]] = {}
    for case in [*hard(), *drawn(ROUNDS)]:
        families.setdefault(case.family, []).append(case)
    families["all that lost"] = [c for name, cs in families.items() if name != "hard" for c in cs]
    for family, cases in families.items():
        for method in METHODS:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                table = np.array([score(method, case) for case in cases], float)
            digits, honest, nearly, evaluations = table.T
            claims = f"{np.mean(honest):>9.1%}{np.mean(nearly):>7.1%}"
            claims = f"{'-':>9}{'-':>7}" if method is central else claims
            row = f"{family:<16}{method.__name__:<21}{len(cases):>6}{np.median(digits):>8.1f}"
            row += f"{np.min(digits):>7.1f}{np.sum(digits < 3):>12}{claims}"
            print(f"{row}{np.median(evaluations):>13.0f}", flush=True)


if __name__ == "__main__":
    main()
