"""The user's line: the innermost frame outside chainrule, NumPy, SciPy and the standard library."""

import linecache
import os
import sys
import sysconfig
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import NamedTuple

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_EXAMPLES = os.path.join(_PACKAGE, "examples") + os.sep  # in the wheel: user code
_STDLIB = os.path.abspath(sysconfig.get_paths()["stdlib"]) + os.sep
_INTERNAL_PACKAGES = ("numpy", "scipy", "optree")
_internal: dict[str, bool] = {}  # by file name; a file does not change sides


def is_internal(filename: str) -> bool:
    """Whether code of this file belongs to chainrule, NumPy, SciPy or the standard library."""
    known = _internal.get(filename)
    if known is None:
        known = _internal[filename] = _decide(filename)
    return known


def _decide(filename: str) -> bool:
    if filename.startswith(("<frozen", "<__array_function__")):
        return True
    if filename.startswith("<"):  # exec, the REPL, a notebook cell: the user's
        return False
    path = os.path.abspath(filename)
    if path.startswith(_PACKAGE):
        return not path.startswith(_EXAMPLES)
    if path.startswith(_STDLIB) and "site-packages" not in path:
        return True
    for name in _INTERNAL_PACKAGES:
        module = sys.modules.get(name)
        if module is not None and path.startswith(os.path.dirname(module.__file__ or "?") + os.sep):
            return True
    return False


def user_frame(depth: int = 1) -> FrameType | None:
    """The innermost frame of user code, looking outwards from ``depth`` frames above the caller."""
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None and is_internal(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def called_there() -> str:
    """The library function that the user's line called and that is running now; "" if none is.

    >>> called_there()
    ''
    """
    frame: FrameType | None = sys._getframe(1)
    name = ""
    while frame is not None and is_internal(frame.f_code.co_filename):
        module = frame.f_globals.get("__name__") or ""
        if not frame.f_code.co_filename.startswith(_PACKAGE) and not module.startswith("_pytest"):
            public = ".".join(p for p in module.split(".") if not p.startswith("_"))
            function = frame.f_code.co_qualname.replace("<locals>.", "")
            if frame.f_code.co_varnames[:1] == ("self",):  # of its class, not of a private base
                kind = type(frame.f_locals.get("self")).__name__
                function = f"{kind}.{frame.f_code.co_name}"
            name = f"{public}.{function.removesuffix('.__init__').removesuffix('.__call__')}"
        frame = frame.f_back
    return name if frame is not None else ""


class Line(NamedTuple):
    """A place in the user's code. ``str`` gives ``model.py:41   order = np.argsort(x)``."""

    file: str
    number: int
    function: str

    @property
    def text(self) -> str:
        """The source of the line, stripped; empty where there is no source."""
        return linecache.getline(self.file, self.number).strip()

    def __str__(self) -> str:
        name = os.path.basename(self.file)
        text = self.text if len(self.text) <= 100 else self.text[:99] + "…"
        return f"{name}:{self.number}   {text}".rstrip()


def line_of(code: CodeType, lasti: int) -> Line:
    """The line a frame with this code object was at; decoded late, being rarely asked for."""
    return Line(code.co_filename, _line_number(code, lasti), code.co_name)


def _line_number(code: CodeType, lasti: int) -> int:
    positions: Iterator[tuple[int, int, int | None]] = code.co_lines()
    for start, end, line in positions:
        if start <= lasti < end and line is not None:
            return line
    return code.co_firstlineno


def user_line(depth: int = 1) -> Line | None:
    """The line of user code that is being executed; None where all frames are internal."""
    frame = user_frame(depth + 1)
    return None if frame is None else line_of(frame.f_code, frame.f_lasti)
