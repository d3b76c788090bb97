"""The NumPy calls a derivative is made of, in order: what ``source`` prints and ``cost`` counts."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

import numpy as np

from chainrule.base.where import Line, line_of


class Ref:
    """A variable in the arguments of a call."""

    __slots__ = ("var",)

    def __init__(self, var: int):
        self.var = var

    def __eq__(self, other: object) -> bool:
        return type(other) is Ref and other.var == self.var

    def __hash__(self) -> int:
        return hash(("Ref", self.var))

    def __repr__(self) -> str:
        return f"Ref({self.var})"


@dataclass(slots=True, eq=False)
class Call:
    """One NumPy call. ``kind`` says how it is written; ``name`` is what is called.

    call     name(*args, **kwargs)            method     args[0].name(*args[1:], **kwargs)
    get      args[0][args[1]]                 set        args[0][args[1]] = args[2]
    attribute   args[0].name                  guard      args[0] must be args[1]
    make     name(shape, dtype): an array that does not depend on anything
    """

    kind: str
    name: str
    args: tuple
    kwargs: dict[str, Any]
    results: tuple[int, ...]
    place: tuple[CodeType, int] | None  # the user's code; for the sweep, that of its equation
    equation: int  # of f's program; -1 before and between
    backward: bool
    writes: int = -1  # the variable whose memory is written
    several: bool = False  # the results are a tuple
    path: tuple[Any, ...] = ()  # of a write into a view: the steps to it (explainer.versions)

    @property
    def line(self) -> Line | None:
        return None if self.place is None else line_of(*self.place)

    def refs(self) -> Iterator[int]:
        yield from refs_in(self.args)
        yield from refs_in(tuple(self.kwargs.values()))
        for parent, step in self.path:
            yield from (v for v in step.refs() if v != parent)


def refs_in(x: Any) -> Iterator[int]:
    if type(x) is Ref:
        yield x.var
    elif type(x) in (tuple, list):
        for v in x:
            yield from refs_in(v)
    elif type(x) is slice:
        yield from refs_in((x.start, x.stop, x.step))


@dataclass
class Calls:
    """The calls of one derivative, and what is known of each variable."""

    calls: list[Call] = field(default_factory=list)
    shapes: list[tuple[int, ...]] = field(default_factory=list)
    dtypes: list[np.dtype] = field(default_factory=list)
    scalars: list[bool] = field(default_factory=list)  # immutable, as np.float64
    contiguous: list[bool] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)  # the variable whose memory this one is part of
    active: list[bool] = field(default_factory=list)  # depends on what is differentiated
    names: dict[int, str] = field(default_factory=dict)  # the user's, or one made from it
    inputs: list[int] = field(default_factory=list)
    constants: dict[Any, str] = field(default_factory=dict)  # arrays (their contents) -> name

    def new(self, value: Any, active: bool, memory: int = -1) -> int:
        var = len(self.shapes)
        self.shapes.append(value.shape)
        self.dtypes.append(value.dtype)
        self.scalars.append(isinstance(value, np.generic))
        self.contiguous.append(bool(getattr(value.flags, "c_contiguous", True)))
        self.memory.append(var if memory < 0 else memory)
        self.active.append(active)
        return var

    def like(self, var: int) -> int:
        """A new variable that is like another one, with memory of its own."""
        new = len(self.shapes)
        columns: tuple[list[Any], ...] = (
            self.shapes, self.dtypes, self.scalars, self.contiguous, self.active
        )  # fmt: skip
        for column in columns:
            column.append(column[var])
        self.memory.append(new)
        if var in self.names:
            self.names[new] = self.names[var]
        return new

    def is_active(self, var: int) -> bool:
        return self.active[var] or self.active[self.memory[var]]


def constant_key(x: np.ndarray) -> Any:
    """Equal for arrays of equal contents."""
    return x.shape, x.dtype.str, x.tobytes()


# The last is where scipy.stats had ufuncs of its own before SciPy 1.15.
UFUNC_HOMES = ("numpy", "scipy.special", "scipy.special._ufuncs", "scipy.stats._boost")


def public_name(function: Any) -> str:
    """How a program that imports numpy as np calls the function; "" if it cannot."""
    name = getattr(function, "__name__", "")
    if isinstance(function, np.ufunc):
        for home in UFUNC_HOMES:
            if getattr(sys.modules.get(home), name, None) is function:
                return f"{home.replace('numpy', 'np')}.{name}"
        return ""
    module = ".".join(
        p for p in (getattr(function, "__module__", None) or "").split(".") if p[:1] != "_"
    )
    parts = module.split(".")
    for k in range(len(parts), 0, -1):
        home = ".".join(parts[:k])
        if parts[0] in ("numpy", "scipy") and home in sys.modules:
            if getattr(sys.modules[home], name, None) is function:
                return f"{home.replace('numpy', 'np', 1)}.{name}"
    return ""
