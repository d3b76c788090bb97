"""What a gradient costs, in evaluations of the function, by the clock."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from time import perf_counter
from typing import Any

import numpy as np

from chainrule import numeric
from chainrule.base import tree
from chainrule.cli.demo.subject import Subject, example
from chainrule.transforms.reverse import value_and_grad

Tick = Callable[[], None]


@dataclass(frozen=True)
class Backprop:
    """Value and gradient by the chain rule."""

    value: float
    gradient: np.ndarray  # flat, (N,)
    seconds: float  # the fastest call
    seconds_f: float  # the fastest plain evaluation of the function

    @property
    def evaluations(self) -> float:
        """The cost of one call, in evaluations of the function."""
        return self.seconds / self.seconds_f


def backprop(subject: Subject, repeats: int = 25, tick: Tick = lambda: None) -> Backprop:
    value_and_gradient = value_and_grad(subject.digits.loss)
    value, gradient = value_and_gradient(*subject.point)
    calls = [partial(g, *subject.point) for g in (value_and_gradient, subject.digits.loss)]
    seconds, seconds_f = fastest(calls, repeats, tick)
    return Backprop(float(value), tree.ravel(gradient)[0], seconds, seconds_f)


@dataclass(frozen=True)
class Differences:
    """The gradient by finite differences, every coordinate on its own."""

    gradient: np.ndarray  # flat, (N,)
    evaluations: int
    seconds: float


def differences(subject: Subject) -> Differences:
    """Of the plain function: nothing of the chain rule takes part."""
    loss = lambda params: subject.digits.loss(params, subject.X, subject.Y)
    start = perf_counter()
    estimate = numeric.gradient(loss, subject.params, method="central")
    seconds = perf_counter() - start
    return Differences(tree.ravel(estimate.value)[0], estimate.evaluations, seconds)


@dataclass(frozen=True)
class Scaling:
    """Cost against the number of parameters, in evaluations of the function."""

    parameters: list[int]
    backprop: list[float]

    @property
    def differences(self) -> list[int]:
        """Central differences evaluate the function twice a parameter; no clock is needed."""
        return [2 * n for n in self.parameters]


def scaling(subject: Subject, hidden: list[int], tick: Tick = lambda: None) -> Scaling:
    """The same network with more and more hidden units, on a few of the images."""
    digits = example("digits")
    X, Y = subject.X[:300], subject.Y[:300]
    value_and_gradient = value_and_grad(digits.loss)
    sizes, ratios = [], []
    for units in hidden:
        arguments = (digits.init(units), X, Y)
        calls = [partial(value_and_gradient, *arguments), partial(digits.loss, *arguments)]
        (first, _) = fastest(calls, 1)
        seconds, seconds_f = fastest(calls, repeats=int(np.clip(0.3 / first, 5, 50)))
        sizes.append(sum(array.size for array in arguments[0].values()))
        ratios.append(seconds / seconds_f)
        tick()
    return Scaling(sizes, ratios)


def fastest(
    calls: Sequence[Callable[[], Any]], repeats: int, tick: Tick = lambda: None
) -> list[float]:
    """The seconds of each call at its best, when nothing else kept the machine busy.

    The calls take turns. Best and not median, because on a busy machine long calls are interrupted
    and short ones slip through: that would distort the ratio.
    """
    best = [inf] * len(calls)
    for _ in range(repeats):
        for k, call in enumerate(calls):
            start = perf_counter()
            call()
            best[k] = min(best[k], perf_counter() - start)
        tick()
    return best
