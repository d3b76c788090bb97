"""A model with its gradient by hand, and the mistakes one can make in it.

A bug is a pair of texts: what the gradient says, and what somebody wrote instead. The wrong
gradient is compiled from the source of the right one with the one text in the place of the other,
so that the models stay free of bugs and each bug reads as a line of a diff.
"""

import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Diff = tuple[str, ...]  # (old, new) or (old, new, old, new, ...)


@dataclass(frozen=True, eq=False)
class Bug:
    """tiny : an error of about 1e-5 of the gradient, not a gross one."""

    name: str
    gradient: Callable
    tiny: bool = False
    diff: Diff = ()

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, eq=False)
class Pair:
    """f(*args), a scalar, and its gradient(*args): an array for one argument, else a tuple.

    exact : f as it is meant, for complex step where f itself does not take complex numbers.
    tol : how exactly the gradient is meant, relative to its largest number.
    kinks : some arguments are at a kink of f, and the gradient is one of many there.
    """

    name: str
    f: Callable
    gradient: Callable
    args: tuple[Any, ...]
    bugs: tuple[Bug, ...] = ()
    exact: Callable | None = None
    tol: float = 1e-9
    kinks: bool = False

    def __str__(self) -> str:
        return self.name

    @property
    def wrt(self) -> Any:
        return 0 if len(self.args) == 1 else tuple(range(len(self.args)))

    @property
    def size(self) -> int:
        return sum(np.size(arg) for arg in self.args)


def pair(
    f: Callable,
    gradient: Callable,
    *args: Any,
    bugs: Mapping[str, Diff] | None = None,
    tiny: Mapping[str, Diff] | None = None,
    name: str = "",
    more: tuple[Bug, ...] = (),
    **how: Any,
) -> Pair:
    """The pair with its bugs compiled; ``how`` are fields of ``Pair``."""
    wrong = [
        Bug(words, mutated(gradient, diff), near, diff)
        for near, table in ((False, bugs), (True, tiny))
        for words, diff in (table or {}).items()
    ]
    return Pair(name or f.__name__.replace("_", " "), f, gradient, args, (*wrong, *more), **how)


def mutated(function: Callable, diff: Diff, last: str = "", **names: Any) -> Callable:
    """The function with each old text of the diff, found once in its source, replaced by the new.

    last : lines put in before the last ``return``, which may use ``names``.
    """
    source = textwrap.dedent(inspect.getsource(function))
    for old, new in zip(diff[::2], diff[1::2]):
        found = source.count(old)
        if found != 1:
            raise ValueError(f"{function.__name__} has {old!r} {found} times, not once")
        source = source.replace(old, new)
    body, end = source.rsplit("    return ", 1)
    source = body + textwrap.indent(last, "    ") + "    return " + end
    made: dict[str, Callable] = {}
    title = f"<{function.__name__}: {diff}>"
    exec(compile(source, title, "exec"), {**function.__globals__, **names}, made)
    return made[function.__name__]


def leaves(gradient: Any, count: int) -> list[np.ndarray]:
    """The gradient as one array an argument."""
    return [np.asarray(leaf) for leaf in ([gradient] if count == 1 else gradient)]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    """Along the last axis."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def logsumexp(z, axis=-1):
    top = z.max(axis=axis, keepdims=True)
    return np.squeeze(top, axis) + np.log(np.sum(np.exp(z - top), axis=axis))


def softplus(z):
    return np.log1p(np.exp(z))


def onehot(labels, count):
    return np.eye(count)[labels]
