"""The judge on the corpus, and what its reports should say."""

from collections.abc import Callable
from functools import cache

import numpy as np

from chainrule.checker.judge import judged
from chainrule.checker.report import Report
from tests.check.corpus.base import Bug, Pair, leaves
from tests.check.truth import true_gradient

truth = cache(true_gradient)


def verdict(pair: Pair, gradient: Callable | None = None, seed: int = 0) -> Report:
    """``check`` without its search for the wrong step, which takes seconds.

    gradient : None for the right one.
    """
    gradient = gradient or pair.gradient
    return judged(pair.f, *pair.args, grad=gradient, wrt=pair.wrt, seed=seed)


@cache
def verdict_on_right(pair: Pair) -> Report:
    return verdict(pair)


def blamed(report: Report) -> set[int]:
    """The arguments in which the report found wrong numbers."""
    return {k for k, argument in enumerate(report.arguments) if argument.wrong}


def guilty(pair: Pair, bug: Bug) -> tuple[set[int], set[int]]:
    """The arguments that are wrong beyond doubt, and those with any difference worth the name."""
    both = list(zip(leaves(bug.gradient(*pair.args), len(pair.args)), truth(pair)))
    relative = [np.max(np.abs(c - t), initial=0.0) / (np.max(np.abs(t)) or 1.0) for c, t in both]
    sure = {k for k, gap in enumerate(relative) if gap > 3e-6}
    return sure, {k for k, gap in enumerate(relative) if gap > 1e-7}
