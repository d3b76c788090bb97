"""``derive``: the derivation of a formula's gradient, with symbols in place of values and sizes.

The formula is explained twice, at random points whose axes have different prime lengths. Numbers
that are alike in both derivations stay; the others must be lengths, or have lengths in them, and
become letters. Where the two differ in anything else, the derivation is not one for all lengths.
"""

import linecache
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from chainrule.base.errors import ArgumentError, ChainruleError, InputError
from chainrule.explainer.derivation import Derivation, explain
from chainrule.explainer.symbolic_letters import Lettering, Sizes
from chainrule.explainer.symbolic_shapes import LETTERS, Length, Lengths, choose
from chainrule.explainer.symbolic_text import Formula, read

_PRIMES = ((13, 19, 29, 37, 47, 59, 67, 79), (17, 23, 31, 41, 53, 61, 71, 83))


def derive(formula: str, wrt: Any = None, shapes: Mapping[str, Any] | None = None) -> Derivation:
    """The derivation of a formula's gradient, with symbols in place of values and sizes.

    formula : an expression in NumPy's functions, perhaps after assignments: "h = X @ w; sum(h**2)".
    wrt : the name to differentiate by, or several; default all.
    shapes : e.g. {"X": "n,d", "y": "n"}; what is not given is inferred from the formula: capital
    letters are matrices, others vectors or numbers, and what was assumed is said at the top.
    Nothing of the formula is executed but NumPy's functions; anything else is refused by name.

    >>> print(derive("sum((y - X @ w)**2)", wrt="w"))  # doctest: +ELLIPSIS
    f(y, X, w) = sum((y - X @ w)**2)
    with y [n], X [n,d], w [d]   (inferred; shapes= says otherwise)
    ...
         w_bar = -t1_bar @ X                     [d]      from 1 by - @
    ...
    """
    parsed = read(formula)
    wanted = _wanted(parsed, wrt)
    given = _given(parsed, shapes or {})
    axes, lengths, letters = choose(parsed, given)
    letters = _letters(parsed, axes, lengths, letters)
    first, second = [
        _at_sizes(parsed, axes, lengths, dict(zip(letters, primes)))
        for primes in _primes(len(letters))
    ]
    sizes = Sizes(
        tuple((letter, a, b) for letter, a, b in zip(letters.values(), *_primes(len(letters))))
    )
    assumed = "" if len(given) == len(parsed.symbols) else "   (inferred; shapes= says otherwise)"
    return Lettering(parsed, first, second, sizes, wanted).derivation(assumed)


def _wanted(formula: Formula, wrt: Any) -> set[str]:
    names = formula.symbols if wrt is None else (wrt,) if isinstance(wrt, str) else tuple(wrt)
    unknown = [name for name in names if name not in formula.symbols]
    if unknown or not names:
        what = f"{unknown[0]!r} is no symbol of the formula" if unknown else "there is no symbol"
        raise ArgumentError(what, f"Choose from {', '.join(formula.symbols) or 'none'}.")
    return set(names)


def _given(formula: Formula, shapes: Mapping[str, Any]) -> dict[str, tuple[str | int, ...]]:
    found: dict[str, tuple[str | int, ...]] = {}
    for name, shape in shapes.items():
        if name not in formula.symbols:
            raise ArgumentError(
                f"shapes names {name!r}, which the formula does not use",
                f"Choose from {', '.join(formula.symbols)}.",
            )
        words = shape.split(",") if isinstance(shape, str) else list(shape)
        words = [w.strip() if isinstance(w, str) else w for w in words]
        words = [w for w in words if w != ""]
        for w in words:
            if not (isinstance(w, int) or w.isdigit() or w.isidentifier()):
                raise ArgumentError(f"{w!r} is no length of an axis", 'Write {"X": "n,d"}.')
        found[name] = tuple(int(w) if not isinstance(w, str) or w.isdigit() else w for w in words)
    return found


def _letters(
    formula: Formula, axes: Mapping[str, Sequence[Length]], lengths: Lengths, given: dict[int, str]
) -> dict[int, str]:
    """A letter for each class of equal lengths, in the order in which they are seen."""
    taken = {*formula.symbols, *(name for name, _ in formula.assignments), *given.values()}
    free = (x for x in [*LETTERS, *(f"n{k}" for k in range(100))] if x not in taken)
    found: dict[int, str] = {}
    for shape in sorted(axes.values(), key=len, reverse=True):  # those of the matrices first
        for axis in shape:
            root, _ = lengths.find(axis)
            if lengths.known(axis) is None and root not in found:
                found[root] = given[root] if root in given else next(free)
    return found


def _primes(count: int) -> list[tuple[int, ...]]:
    if count > len(_PRIMES[0]):
        raise InputError("The formula has too many different lengths.", "Split it.", at=None)
    return [primes[:count] for primes in _PRIMES]


def _at_sizes(
    formula: Formula,
    axes: Mapping[str, Sequence[Length]],
    lengths: Lengths,
    numbers: Mapping[int, int],
) -> Derivation:
    def length(axis: Length) -> int:
        known = lengths.known(axis)
        root, added = lengths.find(axis)
        return numbers[root] + added if known is None else known

    shapes = {name: tuple(map(length, shape)) for name, shape in axes.items()}
    f, source = formula.function(file := f"<formula {abs(hash(formula.text)):x}>")
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    point = _point(f, shapes, 'Say which are meant: shapes={"X": "n,d"}.')
    try:
        with np.errstate(all="ignore"):
            return explain(f, *point.values())
    except ChainruleError as error:
        raise type(error)(error.what, error.remedy, at=None) from None


def _point(f: Callable, shapes: Mapping[str, tuple], remedy: str) -> dict[str, Any]:
    """Values at which the formula is finite, if some are found: of both signs where it can be."""
    rng = np.random.default_rng(0)
    normal = {name: rng.normal(size=shape)[()] for name, shape in shapes.items()}
    positive = {name: rng.uniform(0.2, 0.8, size=shape)[()] for name, shape in shapes.items()}
    points = [normal, *({**normal, name: positive[name]} for name in shapes), positive]
    points += [{name: x + 1 for name, x in positive.items()}]
    points += [{n: _definite(x) for n, x in p.items()} for p in (normal, positive)]
    failed: Exception | None = None
    for point in points:
        try:
            with np.errstate(all="ignore"):
                value = f(*point.values())
        except (ValueError, TypeError, IndexError, np.linalg.LinAlgError) as error:
            failed = failed or error
            continue
        if np.ndim(value) == 0 and np.isfinite(value):
            return point
        if np.ndim(value):
            raise InputError(f"The formula has shape {np.shape(value)}.", "Sum it up.", at=None)
    if failed is not None:
        raise InputError(f"No shapes fit the formula: {failed}.", remedy, at=None) from None
    return normal


def _definite(x: Any) -> Any:
    """Square matrices made positive definite."""
    square = np.ndim(x) == 2 and len(x) == len(x.T)
    return x @ x.T + len(x) * np.eye(len(x)) if square else x
