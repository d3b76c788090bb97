"""How long a check may take, and what happens when the functions under test raise.

A function that is out of time has no value any more: what was verified before stays verified, and
the verdict is "inconclusive" at worst. One call of the function is never interrupted.
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from time import monotonic
from typing import Any

from chainrule.base.errors import ChainruleError
from chainrule.numeric.points import OUT_OF_DOMAIN


@dataclass(frozen=True)
class Limit:
    """At most so many seconds and evaluations of f; None is no limit."""

    seconds: float | None = None
    evaluations: int | None = None


_limit: ContextVar[Limit | None] = ContextVar("chainrule_check_limit", default=None)


@contextmanager
def limit(seconds: float | None = None, evaluations: int | None = None) -> Iterator[None]:
    """Every ``check`` inside has this budget unless it is given one of its own."""
    token = _limit.set(Limit(seconds, evaluations))
    try:
        yield
    finally:
        _limit.reset(token)


class Budget:
    """The clock of one check."""

    def __init__(self, seconds: float | None = None, evaluations: int | None = None):
        around = _limit.get() or Limit()
        self.seconds = around.seconds if seconds is None else seconds
        self.evaluations = around.evaluations if evaluations is None else evaluations
        self.start = monotonic()
        self.calls = 0
        self.spent = 0.0  # inside the function
        self.is_over = False

    @property
    def exists(self) -> bool:
        return self.seconds is not None or self.evaluations is not None

    def take(self) -> None:
        """One more call; OutOfTime where there is none left. The first is always granted."""
        late = self.seconds is not None and monotonic() - self.start > self.seconds
        many = self.evaluations is not None and self.calls >= self.evaluations
        if self.calls and (late or many):
            self.is_over = True
            raise OutOfTime("the budget of the check is used up")
        self.calls += 1

    def __str__(self) -> str:
        """What was allowed and what it was used for."""
        allowed = []
        if self.seconds is not None:
            allowed.append(f"{self.seconds:g} s")
        if self.evaluations is not None:
            allowed.append(f"{self.evaluations} evaluations")
        each = self.spent / max(self.calls, 1)
        text = f"the budget of {' and '.join(allowed)} is used up after {self.calls} evaluations"
        return f"{text} of f, {_duration(each)} each"


def _duration(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 0.1 else f"{1000 * seconds:.3g} ms"


class OutOfTime(ValueError):
    """Raised in place of a call; differences read it as "not defined there"."""


class Guarded:
    """A function under test: counted, timed, and what it raises kept.

    ``failure`` is what the first call raised: at the point itself. Later ones are at points nearby,
    where every exception only means that the function is not defined there.
    """

    def __init__(self, f: Callable, budget: Budget | None = None):
        functools.update_wrapper(self, f)  # first: f may have attributes of the same names
        self._f = f
        self._budget = budget
        self._calls = 0
        self.failure: Exception | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._budget is not None:
            self._budget.take()
        self._calls += 1
        start = monotonic()
        try:
            return self._f(*args, **kwargs)
        except (*OUT_OF_DOMAIN, ChainruleError) as error:
            self._note(error)
            raise
        except Exception as error:
            self._note(error)
            if self._calls == 1:
                raise
            raise ValueError(f"{type(error).__name__}: {error}") from error
        finally:
            if self._budget is not None:
                self._budget.spent += monotonic() - start

    def _note(self, error: Exception) -> None:
        if self._calls == 1:
            self.failure = error
