"""What lifting must know before it runs a function: its origin and what its code writes."""

import dis
import inspect
import os
import sys
import sysconfig
from types import CodeType, FrameType
from typing import NamedTuple

# ---------------------------------------------------------------- what may be lifted

_NEVER = frozenset(
    "chainrule numpy scipy torch jax jaxlib tensorflow pandas numba matplotlib casadi "
    "autograd pytest "
    "_pytest optree rich typer hypothesis dask cupy sympy mpmath".split()
)
_LIFTED_INSIDE = (
    "numpy.polynomial",
    "scipy.optimize",
    "scipy.stats",
    "scipy.integrate",
    "scipy.signal",
    "scipy.sparse.linalg._interface",
    "scipy._lib",  # SciPy's array-API layer, in two places of two versions
    "scipy._external",
    "functools",
    "statistics",
    "torch.testing",  # NumPy references of its operators
)
_STDLIB = os.path.abspath(sysconfig.get_paths()["stdlib"]) + os.sep
_may_lift: dict[str, bool] = {}


def may_lift(module: str | None) -> bool:
    """Whether Python code of this module runs lifted: no standard library, no array packages."""
    module = module or ""  # code run by exec in a dict without a __name__ has none
    known = _may_lift.get(module)
    if known is None:
        top = module.partition(".")[0]
        known = module.startswith(_LIFTED_INSIDE) or not (top in _NEVER or _is_stdlib(top))
        _may_lift[module] = known
    return known


def _is_stdlib(top: str) -> bool:
    """By file where there is one: a user's own file may be called ``test.py`` or ``signal.py``."""
    if top not in sys.stdlib_module_names or top == "__main__":
        return False
    file = getattr(sys.modules.get(top), "__file__", None)
    return file is None or os.path.abspath(file).startswith(_STDLIB)


# ---------------------------------------------------------------- what a code object does


def opcode_at(frame: FrameType) -> int:
    """The opcode that a frame runs. A call that Python 3.11 and 3.12 make without C in between
    leaves the frame at the caches behind it.
    """
    code, at = frame.f_code.co_code, frame.f_lasti
    while code[at] == _CACHE:
        at -= 2
    return code[at]


_CALLS = {"PRECALL": 1, "CALL": 0, "CALL_KW": 0, "CALL_FUNCTION_EX": 0}  # what they leave, at least
_LEAVE_THE_STACK = frozenset({"CACHE", "NOP", "EXTENDED_ARG", "KW_NAMES", "RESUME"})
_called: dict[tuple[int, int], tuple[CodeType, bool]] = {}  # with the code object kept alive


def is_about_to_call(frame: FrameType) -> bool:
    """Whether what the frame is looking up is called at once: ``np.float64(x)``."""
    code, at = frame.f_code, frame.f_lasti
    known = _called.get((id(code), at))
    if known is None:
        known = _called[id(code), at] = (code, _finds_call(code, at))
    return known[1]


def _finds_call(code: CodeType, at: int) -> bool:
    """Follow the stack to the instruction that takes the value away: a call?"""
    depth = 1  # of the stack from the value upwards
    for instruction in dis.get_instructions(code):
        if instruction.offset <= at or instruction.opname in _LEAVE_THE_STACK:
            continue
        if depth == 1 and instruction.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            return False
        depth += dis.stack_effect(instruction.opcode, instruction.arg, jump=False)
        if depth <= 1:  # as an argument, the value goes with what lies below it
            return depth >= _CALLS.get(instruction.opname, 2)
    return False


class Facts(NamedTuple):
    """Names that a code object, or code in it, writes; and those that class bodies in it read."""

    stored: frozenset[str]  # globals
    deleted: frozenset[str]  # globals
    cells: frozenset[str]
    class_names: frozenset[str]  # looked up without asking ``__missing__``
    generator: bool


_CACHE = dis.opmap["CACHE"]
_CELL_OPS = frozenset(dis.opmap[n] for n in ("STORE_DEREF", "DELETE_DEREF"))
_STORE, _DELETE = (dis.opmap[n] for n in ("STORE_GLOBAL", "DELETE_GLOBAL"))
_NAME_OPS = frozenset(  # the second, from 3.12: in annotations and type parameters of a class
    dis.opmap[n] for n in ("LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS") if n in dis.opmap
)
_NOTEWORTHY = _CELL_OPS | _NAME_OPS | {_STORE, _DELETE}
_known: dict[int, tuple[CodeType, Facts]] = {}  # by id, with the code object kept alive


def facts(code: CodeType) -> Facts:
    """Found out once a process and code object; ``dis`` runs only where a raw opcode says so."""
    known = _known.get(id(code))
    if known is None:
        known = _known[id(code)] = (code, _find_out(code))
    return known[1]


def _find_out(code: CodeType) -> Facts:
    stored: set[str] = set()
    deleted: set[str] = set()
    cells: set[str] = set()
    names: set[str] = set()
    if not _NOTEWORTHY.isdisjoint(code.co_code[::2]):
        for instruction in dis.get_instructions(code):
            if instruction.opcode == _STORE:
                stored.add(instruction.argval)
            elif instruction.opcode == _DELETE:
                deleted.add(instruction.argval)
            elif instruction.opcode in _NAME_OPS:
                names.add(instruction.argval)
            elif instruction.opcode in _CELL_OPS:
                cells.add(instruction.argval)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            known = facts(inner)
            stored |= known.stored
            deleted |= known.deleted
            cells |= known.cells
            names |= known.class_names
    generator = bool(code.co_flags & inspect.CO_GENERATOR)
    return Facts(
        frozenset(stored | deleted),
        frozenset(deleted),
        frozenset(cells),
        frozenset(names),
        generator,
    )
