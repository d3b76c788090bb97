"""Recording with the calls that led to each equation, to tell statements, calls and loops apart."""

import bisect
import dis
import functools
import sys
from dataclasses import dataclass
from types import CodeType, FrameType

from chainrule.base.where import is_internal
from chainrule.core.trace import Recording
from chainrule.transforms.tracing import record


@dataclass(frozen=True, slots=True)
class Call:
    """One function of the user's on the way to an equation, and how far it was.

    ``frame`` tells the running calls of one function apart; later ones may have it again.
    """

    code: CodeType
    instruction: int
    frame: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where an equation was computed: the user's calls, outermost first.

    ``inside`` tells the equations apart that one instruction of the user's computes.
    """

    calls: tuple[Call, ...]
    inside: int


class Observing(Recording):
    """A full recording that keeps one ``Place`` an equation."""

    __slots__ = ("places",)

    def __init__(self) -> None:
        super().__init__(full=True)
        self.places: list[Place] = []

    def process(self, primitive, operands, params):
        y = super().process(primitive, operands, params)
        self._keep_place()
        return y

    def write(self, array, index, value, primitive) -> None:
        super().write(array, index, value, primitive)
        self._keep_place()

    def _keep_place(self) -> None:
        new = len(self.program) - len(self.places)
        if new:
            self.places += [_place(sys._getframe(2))] * new


# Comprehensions are frames of their own up to Python 3.11; their statement is the caller's.
_COMPREHENSIONS = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})


def instruction_at(code: CodeType, lasti: int) -> int:
    """The start of the instruction; a specialised one is left at the end of its cache."""
    starts = _starts(code)
    return starts[bisect.bisect_right(starts, lasti) - 1]


@functools.cache
def _starts(code: CodeType) -> list[int]:
    return [i.offset for i in dis.get_instructions(code)]


def _place(frame: FrameType | None) -> Place:
    calls: list[Call] = []
    inside: list[tuple[CodeType, int]] = []
    while frame is not None and frame.f_code is not record.__code__:
        code = frame.f_code
        if not is_internal(code.co_filename) and code.co_name not in _COMPREHENSIONS:
            calls.append(Call(code, instruction_at(code, frame.f_lasti), id(frame)))
        elif not calls:
            inside.append((code, frame.f_lasti))
        frame = frame.f_back
    if not calls:  # f is a library's function
        calls.append(Call(*inside[-1], 0))
    return Place(tuple(reversed(calls)), hash(tuple(inside)))
