"""How a function is run at many points: one after the other, by workers, or all in one call.

Each way gives the same numbers; what differs is who waits for whom.
"""

import os
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.base import tree
from chainrule.base.errors import ArgumentError, InputError, MismatchError

# What a function may raise where it is not defined; at a probing point that is an answer: NaN.
OUT_OF_DOMAIN = (ArithmeticError, ValueError)


@dataclass(frozen=True)
class Raised:
    """What came instead of a value."""

    error: Exception


class Serial:
    """One point after the other, in the thread of the caller."""

    batch = 1  # points that are wanted at once

    def first(self, f: Callable, x: Any) -> Any:
        """The value at the point itself; exceptions pass."""
        return f(x)

    def outcomes(self, f: Callable, points: Sequence, is_complex: bool) -> tuple[Iterable, int]:
        """The value at each point, or what was raised; and how often f was evaluated."""
        return [_outcome(f, x) for x in points], len(points)


class Pool(Serial):
    """By anything with ``submit``, as executors and dask's clients, or with ``map``."""

    batch = 512

    def __init__(self, pool: Any):
        self.pool = pool

    def outcomes(self, f: Callable, points: Sequence, is_complex: bool) -> tuple[Iterable, int]:
        if len(points) == 1:  # nothing to share
            return super().outcomes(f, points, is_complex)
        task = _Task(f, is_complex)
        try:
            if hasattr(self.pool, "submit"):
                waiting = [self.pool.submit(task, x) for x in points]
                return [future.result() for future in waiting], len(points)
            return list(self.pool.map(task, points)), len(points)
        except Exception as failure:  # exceptions of f come as values: this is the pool's own
            what = f"The pool {type(self.pool).__name__} could not run f: {failure}"
            fix = "Processes need an f of a module (no lambda); threads take any: workers=4."
            raise InputError(what, fix) from failure


@dataclass(frozen=True)
class _Task:
    """f in a worker: there, floating-point warnings are no news either."""

    f: Callable
    is_complex: bool

    def __call__(self, x: Any) -> Any:
        with np.errstate(all="ignore"):
            if threading.current_thread() is not threading.main_thread():
                return _outcome(self.f, x)  # filters of warnings are those of the caller
            with warnings.catch_warnings():  # a process of its own
                warnings.simplefilter("ignore", RuntimeWarning)
                if self.is_complex:
                    warnings.simplefilter("error", np.exceptions.ComplexWarning)
                return _outcome(self.f, x)


class Stacked(Serial):
    """All in one call of an f that takes points along a new first axis."""

    batch = 512

    def first(self, f: Callable, x: Any) -> Any:
        return _rows(f(_stack([x])), 1)[0]

    def outcomes(self, f: Callable, points: Sequence, is_complex: bool) -> tuple[Iterable, int]:
        found = _outcome(f, _stack(points))
        if not isinstance(found, Raised):
            return _rows(found, len(points)), len(points)
        if len(points) == 1 or is_complex or not isinstance(found.error, OUT_OF_DOMAIN):
            return [found] * len(points), len(points)
        alone = [self.outcomes(f, [x], is_complex)[0] for x in points]  # which is to blame?
        return [outcome for one in alone for outcome in one], 2 * len(points)


def _outcome(f: Callable, x: Any) -> Any:
    try:
        return f(x)
    except Exception as error:
        return Raised(error)


def _stack(points: Sequence) -> Any:
    return tree.map(lambda *leaves: np.stack(leaves), *points)


def _rows(y: Any, count: int) -> Any:
    rows = np.asarray(y)
    if rows.ndim and len(rows) == count:
        return rows
    what = f"For a stack of {count} points f gave a value of shape {rows.shape}."
    raise MismatchError(what, f"vectorized=True wants one of ({count}, ...): a value for each.")


@contextmanager
def runner(workers: Any = None, vectorized: bool = False) -> Iterator[Serial]:
    """The way that is meant by these two arguments of the public functions."""
    if workers is None or workers is False:
        yield Stacked() if vectorized else Serial()
    elif vectorized:
        what = "workers and vectorized=True: who shall call f, and with what?"
        raise ArgumentError(what, "Choose one: a stack of points is one call.")
    elif hasattr(workers, "submit") or hasattr(workers, "map"):
        yield Pool(workers)
    elif isinstance(workers, (int, np.integer)) and (workers > 0 or workers == -1):
        count = int(workers) if workers > 0 else os.cpu_count() or 1
        if count == 1:
            yield Serial()
            return
        with ThreadPoolExecutor(count) as pool:
            yield Pool(pool)
    else:
        what = f"workers={workers!r} is neither a number nor a pool."
        raise ArgumentError(what, "Give a number of threads (-1: one a core), or an executor.")
