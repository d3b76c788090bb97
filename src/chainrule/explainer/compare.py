"""``compare``: a gradient written by hand beside the derivation, statement by statement."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.base import tree
from chainrule.base.errors import MismatchError
from chainrule.core.trace import plain
from chainrule.explainer.derivation import Bar, Derivation, explain
from chainrule.explainer.hand_written import Computed, observe
from chainrule.explainer.matching import (
    Match,
    Matcher,
    compared,
    quantities,
)
from chainrule.explainer.mistakes import Culprit, Row, culprit_of
from chainrule.explainer.operations import name_of


@dataclass(frozen=True)
class Part:
    """One part of the gradient: the largest difference, relative to the largest number of ours."""

    name: str
    difference: float
    ok: bool


@dataclass(frozen=True, eq=False)
class Comparison:
    """Their statements beside our derivation. ``print`` it; ``ok`` if the gradients agree."""

    name: str
    rows: tuple[Row, ...]
    gradient: tuple[Part, ...]
    culprit: Culprit | None
    derivation: Derivation

    @property
    def ok(self) -> bool:
        return all(part.ok for part in self.gradient)

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        verdict = "agrees" if self.ok else "differs"
        return f"<Comparison of {self.name} with {self.derivation.function}: {verdict}>"

    def __str__(self) -> str:
        from chainrule.explainer.side_by_side import text_lines

        return "\n".join(text_lines(self))

    def __rich__(self) -> Any:
        from chainrule.explainer.side_by_side import rich_table

        return rich_table(self)

    def _repr_html_(self) -> str:
        from chainrule.explainer.side_by_side import html_table

        return html_table(self)


def compare(
    f: Callable, by_hand: Callable, *args: Any, wrt: Any = None, tol: float = 1e-6
) -> Comparison:
    """Sets ``by_hand(*args)``, a gradient of scalar f written by hand, beside our derivation.

    by_hand : gives the gradient, or (value, gradient); its statements are observed as it runs, and
    each array that they compute is looked up among our values and cotangents.
    wrt : as in ``explain``; default the arguments that the gradient has parts for.
    tol : of the difference, relative to the largest number of a part of the gradient.

    >>> def f(x):
    ...     return np.sum(np.tanh(x) ** 2)
    >>> def gradient(x):
    ...     y = np.tanh(x)
    ...     dy = 2 * y
    ...     return dy * (1 - y**2)
    >>> compare(f, gradient, np.ones(3))
    <Comparison of gradient with f: agrees>
    """
    result, computed = observe(by_hand, args)
    d, parts = _both(f, result, args, wrt)
    ours = quantities(d)
    matcher = Matcher(ours)
    rows = []
    by_leaf: dict[int | None, Bar] = dict(parts)
    for made in computed:
        bar = by_leaf.get(made.returned) if made.returned is not None else None
        found = matcher.find(made.name, made.value)
        if bar is not None:
            found = _only(found, matcher, made, bar)
        rows.append(Row(made, found))
    gradient = tuple(_parts(result, parts, tol))
    culprit = None
    if not all(part.ok for part in gradient):
        culprit = culprit_of(rows, ours, by_leaf)
    return Comparison(name_of(by_hand), tuple(rows), gradient, culprit, d)


def _only(found: Match | None, matcher: Matcher, made: Computed, bar: Bar) -> Match | None:
    """A part of the result is compared with its own cotangent only."""
    if found is not None and found.ours.name == bar.name:
        return found
    own = next((q for q in matcher.ours if q.name == bar.name), None)
    match = None if own is None else compared(made.value, own)
    return match if match is not None and (match.is_simple or made.value.size > 1) else None


# ---------------------------------------------------------------- the result


def _both(
    f: Callable, result: Any, args: Sequence[Any], wrt: Any
) -> tuple[Derivation, list[tuple[int, Bar]]]:
    """The derivation, and for leaves of the result the cotangents that they should be."""
    leaves, paths = tree.flatten(result)[0], tree.paths(result)
    tried = []
    for chosen in (wrt,) if wrt is not None else (None, 0):
        d = explain(f, *args, wrt=chosen)
        found = _paired(leaves, paths, d)
        if found is not None:
            return d, found
        tried.append([x.text for x in d.inputs])
    shapes = ", ".join(str(np.shape(x)) for x in leaves[:8])
    raise MismatchError(
        f"the gradient by hand has parts of shapes {shapes}, and none of that fits "
        f"{' or '.join(', '.join(names) for names in tried)}",
        "Say which arguments it is by, in its order: wrt='W', or wrt=('W', 'b').",
    )


def _paired(leaves: list, paths: list[str], d: Derivation) -> list[tuple[int, Bar]] | None:
    numbers = list(range(len(leaves)))
    if len(leaves) == len(d.inputs) + 1 and np.ndim(leaves[0]) == 0:  # (value, gradient)
        numbers = numbers[1:]
    if len(numbers) != len(d.inputs):
        return None
    pairs = []
    for position, bar in enumerate(d.input_bars):
        path = d.inputs[position].text
        named = [k for k in numbers if paths[k].endswith("]") and path.endswith(_key(paths[k]))]
        k = named[0] if len(named) == 1 else numbers[position]
        if np.size(leaves[k]) != np.prod(bar.shape, dtype=int):
            return None
        pairs.append((k, bar))
    return pairs


def _key(path: str) -> str:
    """['W1'] of result['layers']['W1']; numbers of positions tell nothing."""
    key = path[path.rfind("[") :]
    return key if "'" in key else "\n"


def _parts(result: Any, pairs: Sequence[tuple[int, Bar]], tol: float) -> Iterator[Part]:
    leaves = tree.flatten(result)[0]
    largest = max((np.max(np.abs(_plain(bar)), initial=0.0) for _, bar in pairs), default=0.0)
    for k, bar in pairs:
        theirs, ours = np.asarray(leaves[k]), _plain(bar)
        if np.shape(np.squeeze(theirs)) != np.shape(np.squeeze(ours)):
            yield Part(bar.name, np.inf, False)
            continue
        scale = max(np.max(np.abs(ours), initial=0.0), 1e-3 * largest)
        apart = np.max(np.abs(np.squeeze(theirs) - np.squeeze(ours)), initial=0.0)
        relative = float(apart / scale) if scale else float(apart)
        yield Part(bar.name, relative, bool(relative <= tol))


def _plain(bar: Bar) -> np.ndarray:
    return np.asarray(plain(bar.value))
