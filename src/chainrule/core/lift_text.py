"""Numbers that leave as text or in a file, and come back: the derivative cannot, so it is refused.

Printing and saving a traced value is fine, and so common that it must work. What is guarded is the
way back, inside the same derivative: ``float(str(x))``, ``np.load`` after ``np.save``.
"""

from decimal import Decimal, InvalidOperation
from typing import Any

from chainrule.base.errors import NonDifferentiableError
from chainrule.core.trace import Tracer, current, is_traced

_LONGEST = 64  # of a number's text; printed arrays are longer, and nothing reads them back
_MOST = 100_000


class Left:
    """What traced values of one outermost trace have left as."""

    __slots__ = ("files", "texts", "values")

    def __init__(self) -> None:
        self.texts: set[str] = set()  # from str, repr, format
        self.values: set[float] = set()  # from the % operator, which does not show us the text
        self.files = False


def left_of(trace: Any) -> Left | None:
    """Of a trace that is lifted; without lifting nobody would see the number come back."""
    while trace.outer is not None:
        trace = trace.outer
    return None if trace.lifter is None else trace.lifter.left


def leaves_as_text(x: Tracer, text: str) -> str:
    if len(text) <= _LONGEST and is_traced(x):
        left = left_of(x._trace)
        if left is not None and len(left.texts) < _MOST:
            left.texts.add(text.strip())
    return text


def leaves_formatted(x: Tracer, value: float) -> float:
    left = left_of(x._trace)
    if left is not None and len(left.values) < _MOST:
        left.values.add(value)
    return value


def leaves_in_file(x: Any, name: str) -> None:
    """Refused without lifting, where reading the file would not be noticed."""
    trace = current()
    if trace is None or not is_traced(x):
        return
    left = left_of(trace)
    if left is None:
        raise NonDifferentiableError(
            f"{name} writes a traced value into a file, where its derivative is lost",
            "If the file is only a record, write the plain value: chainrule.constant(x).",
        )
    left.files = True


def comes_back_as_text(text: str, name: str) -> None:
    trace = current()
    left = None if trace is None else left_of(trace)
    if left is None or not (left.texts or left.values):
        return
    if text.strip() in left.texts or _is_near(text, left.values):
        raise NonDifferentiableError(
            f"{name}({text!r}) reads the text of a traced number, which has no derivative",
            "Use the number itself; for a rounded one, np.round(x, digits).",
        )


def _is_near(text: str, values: set[float]) -> bool:
    """Whether the text is one of the values, to the decimals it has."""
    if not values or "." not in text:
        return False
    try:
        number = Decimal(text.strip())
        exponent = number.as_tuple().exponent
    except InvalidOperation:
        return False
    if not isinstance(exponent, int):
        return False
    half = 0.5000001 * 10.0**exponent
    return any(abs(v - float(number)) <= half for v in values)


def comes_back_from_file(name: str) -> None:
    trace = current()
    left = None if trace is None else left_of(trace)
    if left is not None and left.files:
        raise NonDifferentiableError(
            f"{name} reads a file after a traced value was written into one; what it reads has no "
            "derivative",
            "Read what is constant before, outside the function; hand on values in variables.",
        )
