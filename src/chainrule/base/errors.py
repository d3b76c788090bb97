"""Every exception and warning of chainrule: what happened, where (the user's line), what to do.

Each subclasses the built-in a NumPy user would expect in its place. Messages are built by
``message`` so that all of them read alike::

    NonDifferentiableError: np.argsort has no derivative, and its result reached the output.
      at model.py:41   order = np.argsort(x)
      Index with it (x[order] is differentiable), or treat it as constant:
      chainrule.constant(order).
"""

from collections.abc import Callable
from typing import Any, ClassVar

from chainrule.base.where import Line, user_line

_HERE = Line("", 0, "")  # default of `at`: look for the user's line now


def message(what: str, remedy: str = "", at: Line | None = _HERE) -> str:
    """The text of an error: what happened, the user's line under it, and the remedy."""
    line = user_line(2) if at is _HERE else at
    parts = [what]
    if line is not None:
        parts.append(f"  at {line}")
    if remedy:
        parts.append(f"  {remedy}")
    return "\n".join(parts)


class ChainruleError(Exception):
    """Base of all exceptions: ``what`` happened, ``at`` which line, and the ``remedy``."""

    def __init__(self, what: str, remedy: str = "", at: Line | None = _HERE):
        line = user_line(2) if at is _HERE else at
        super().__init__(message(what, remedy, line))
        self.what = what
        self.at = line
        self.remedy = remedy

    def __reduce__(self):
        return _rebuild, (type(self), self.what, self.remedy, self.at)


def _rebuild(kind, what, remedy, at):
    return kind(what, remedy, at)


class NotScalarError(ChainruleError, TypeError):
    """``grad`` was asked for the gradient of a function whose value is not a scalar."""


class ArgumentError(ChainruleError, TypeError):
    """``wrt`` names no argument, or an argument cannot be differentiated (a string, an object)."""


class MismatchError(ChainruleError, ValueError):
    """A tangent, cotangent or claimed gradient has the wrong shape or structure."""


class Refusal(ChainruleError, TypeError):
    """A derivative cannot go on here. The live trace remembers it and raises it at its end, because
    code between here and the user may swallow exceptions (``except Exception``,
    ``np.iterable``)."""

    remember: ClassVar[Callable[["Refusal"], Any]] = staticmethod(
        lambda refusal: None
    )  # by core.trace

    def __init__(self, what: str, remedy: str = "", at: Line | None = _HERE):
        super().__init__(what, remedy, at)
        Refusal.remember(self)


class NoRuleError(Refusal):
    """A traced value reached an operation that has no derivative rule."""


class NonDifferentiableError(Refusal):
    """A traced value reached a place for plain numbers, where its derivative would be lost."""


class LeakedTracerError(ChainruleError, RuntimeError):
    """A traced value was used after its trace had ended, or in another thread."""


class ProgramError(ChainruleError, ValueError):
    """A program breaks the rules of SSA form (``Program.verify``)."""


class RuleError(ChainruleError, TypeError):
    """A derivative rule is declared wrongly or returned something that is not a cotangent."""


class InputError(ChainruleError, ValueError):
    """A file, function, array or option given to the command line or the checker is unusable."""


class IndependentOutputWarning(UserWarning):
    """The value does not depend on the differentiated argument: its derivative is zero."""


class NonFiniteGradientWarning(RuntimeWarning):
    """A gradient holds inf or NaN although it was not asked for at such a point."""
