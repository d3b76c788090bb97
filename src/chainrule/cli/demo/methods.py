"""The same gradient given to four methods that use one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np

from chainrule.cli.demo.subject import Subject, example
from chainrule.interop.scipy_optimize import Problem, problem

Tick = Callable[[int], None]  # told how many gradients have been used


@dataclass
class Run:
    """One method's way down."""

    name: str
    params: dict[str, np.ndarray] = field(repr=False)
    loss: float
    accuracy: float
    gradients: int  # each with the value of f
    products: int  # of the Hessian with a vector
    seconds: float
    used: list[int] = field(repr=False)  # gradients and products, when a value was found
    losses: list[float] = field(repr=False)  # the lowest value so far


class Meter:
    """A problem whose evaluations are counted and whose values are written down."""

    def __init__(self, problem: Problem, budget: int, tick: Tick):
        self.problem = problem
        self.budget = budget
        self.tick = tick
        self.used: list[int] = []
        self.losses: list[float] = []

    @property
    def spent(self) -> int:
        return self.problem.sweeps + self.problem.products

    def fun(self, x: np.ndarray) -> float:
        value = self.problem.fun(x)
        best = min(value, self.losses[-1]) if self.losses else value
        self.used.append(self.spent)
        self.losses.append(best)
        self.tick(min(self.spent, self.budget))
        return value

    def fun_and_jac(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        return self.fun(x), self.problem.jac(x)

    def stop(self, x: np.ndarray) -> None:
        """A callback: SciPy stops where it raises StopIteration."""
        if self.spent >= self.budget:
            raise StopIteration


def gradient_descent(meter: Meter) -> np.ndarray:
    descend = example("gradient_descent").gradient_descent
    x, _ = descend(meter.fun_and_jac, meter.problem.x0, rate=1.0, steps=meter.budget)
    return x


def scipy_method(name: str, with_products: bool = False) -> Callable[[Meter], np.ndarray]:
    def run(meter: Meter) -> np.ndarray:
        from scipy.optimize import minimize

        hessp = {"hessp": meter.problem.hessp} if with_products else {}
        options = {"maxiter": 10 * meter.budget}
        keywords = {**meter.problem, "fun": meter.fun, **hessp}
        return minimize(**keywords, method=name, callback=meter.stop, options=options).x

    return run


METHODS: dict[str, Callable[[Meter], np.ndarray]] = {
    "gradient descent": gradient_descent,
    "CG": scipy_method("CG"),
    "L-BFGS-B": scipy_method("L-BFGS-B"),
    "Newton-CG": scipy_method("Newton-CG", with_products=True),
}


def run(name: str, subject: Subject, budget: int, tick: Tick = lambda used: None) -> Run:
    """What ``name`` makes of ``budget`` gradients and Hessian-vector products from the start."""
    p = problem(subject.digits.loss, *subject.point)
    meter = Meter(p, budget, tick)
    start = perf_counter()
    params: Any = p.unravel(METHODS[name](meter))
    seconds = perf_counter() - start
    return Run(
        name,
        params,
        loss=float(subject.digits.loss(params, subject.X, subject.Y)),
        accuracy=subject.accuracy(params),
        gradients=p.sweeps,
        products=p.products,
        seconds=seconds,
        used=meter.used,
        losses=meter.losses,
    )
