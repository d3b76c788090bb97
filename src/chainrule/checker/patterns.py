"""The mistakes that leave a mark: what a wrong gradient has to do with the right one."""

from collections.abc import Callable

import numpy as np

from chainrule.checker.evidence import SHARP, Numbers, differs
from chainrule.checker.moves import blocks, every_move
from chainrule.checker.places import place_of
from chainrule.checker.structure import each_its_own, law, outer, spread, symmetry, trend
from chainrule.checker.terms import FACTORS, TERMS, Term

_FAMILIAR = {-1.0: "the sign is flipped", 0.5: "half of it is missing", 2.0: "twice too large"}
_TOLERANCE = 1e-4


def pattern(claimed: np.ndarray, numeric: np.ndarray, bound: np.ndarray, x: np.ndarray) -> str:
    """A sentence on the claimed gradient of one array beside the measured one, or nothing.

    All have the shape of the array; ``numeric`` is NaN where it was not measured. The simplest
    relation that gives every number of the claim, to the error bound, is the one that is told; if
    there is none, a law that the right gradient obeys and the claimed one breaks.
    """
    a = Numbers(claimed, numeric, bound, x)
    if not np.isfinite(claimed).all():
        return "not finite where the function has a slope" if a.known.any() else ""
    if not a.wrong.any():
        return ""
    with np.errstate(all="ignore"):
        return next((sentence for look in _looks() if (sentence := look(a))), "")


def _looks() -> tuple[Callable[[Numbers], str], ...]:
    """From simple to less simple."""
    return (
        _ratio,
        _zeros,
        _moved,
        _missing_term,
        _rounded,
        _signs,
        _factor,
        spread,
        each_its_own,
        _masked,
        _ratio_there,
        outer,
        _affine,
        symmetry,
        _few,
        law,
        trend,
    )


# --- factors


def _ratio(a: Numbers) -> str:
    used = a.known & (np.abs(a.n) > SHARP * a.b)
    ratios, slack = (a.c / a.n)[used], _TOLERANCE + (a.b / np.abs(a.n))[used]
    if not ratios.size or not a.wrong[used].any() or (ratios.size == 1 and used.size > 1):
        return ""
    ratio = float(np.median(ratios))
    if ratio == 0 or np.any(np.abs(ratios - ratio) > slack * abs(ratio)):
        return ""
    return f"claimed = {ratio:.5g} × numeric" + _meaning(ratio, a)


def _meaning(ratio: float, a: Numbers) -> str:
    near = lambda value: abs(ratio - value) < 1e-3 * abs(value)
    for familiar, words in _FAMILIAR.items():
        if near(familiar):
            return f": {words}"
    for axis, length in enumerate(a.c.shape):
        for factor, words in ((length, "a sum where a mean is meant"), (1 / length, "the reverse")):
            if length > 2 and near(factor):
                return f": the length of axis {axis}, or its inverse ({words})"
    sizes = ((float(np.linalg.norm(a.n)), "norm"), (float(np.abs(a.n).max()), "largest number"))
    for value, words in sizes:
        if a.c.size > 1 and value and near(1 / value) and not near(1.0):
            return f": divided by its {words}"
    whole = round(ratio) if abs(ratio) > 1 else round(1 / ratio)
    if 3 <= whole <= 1e6 and abs(max(ratio, 1 / ratio) - whole) < 1e-5 * whole:
        size = "large" if ratio > 1 else "small"
        return f": {whole} times too {size}, as a sum for a mean or the reverse"
    return ""


def _factor(a: Numbers) -> str:
    """A factor that depends on the argument: the derivative of a transformation of it."""
    if len(np.unique(a.x[a.known])) < 3:
        return ""
    for words, f in FACTORS:
        factor = f(a.x)
        if np.isfinite(factor[a.known]).all():
            size = np.abs(factor)
            if np.all(factor[a.known]) and a.is_claimed(a.n / factor, a.b / size):
                return f"the factor {words} is missing"
            if a.is_claimed(a.n * factor, a.b * size):
                return f"the factor {words} is too much"
    return ""


# --- zeros, signs, digits


def _zeros(a: Numbers) -> str:
    if np.all(a.c[a.wrong] == 0):
        return f"zero where it is not: {place_of(a.wrong)}"
    if np.all(np.abs(a.n[a.wrong]) <= 2 * a.b[a.wrong]):
        return f"not zero where it should be: {place_of(a.wrong)}"
    return ""


def _rounded(a: Numbers) -> str:
    """Numbers that were stored in fewer bits on their way."""
    c, n, b = a.c[a.known], a.n[a.known], a.b[a.known]
    for words, stored, absolute, relative in (
        ("integers", np.rint, 0.5, 0.0),
        ("float16", _half, 2.0**-25, 2.0**-11),
    ):
        near = np.abs(c - n) <= absolute + relative * np.abs(n) + 2 * b
        if near.all() and np.array_equal(stored(c), c) and np.any(c):
            return f"rounded to {words}"
    return ""


def _half(a: np.ndarray) -> np.ndarray:
    return a.astype(np.float16).astype(float)


def _signs(a: Numbers) -> str:
    """Right sizes, wrong signs; sizes that were cut off."""
    if not differs(np.abs(a.c), np.abs(a.n), a.b)[a.known].any():
        if a.known.sum() > 2 and np.all(a.c[a.known] >= 0):
            return "the absolute value: the sign is lost"
        return f"the sign is flipped at {place_of(a.wrong)}" if a.wrong.sum() > 1 else ""
    limit = float(np.max(np.abs(a.c[a.known])))
    count = int(np.sum(np.abs(a.c[a.known]) == limit))
    if 2 <= count < a.known.sum() and a.is_claimed(np.clip(a.n, -limit, limit)):
        return f"clipped to ±{limit:.4g}"
    return ""


# --- wrong places


def _moved(a: Numbers) -> str:
    if not a.known.all() or a.c.size < 3:
        return ""
    for words, move in every_move(a.c.shape):
        if a.is_claimed(move(a.n), np.abs(move(a.b))):
            return words
    if np.ptp(a.n) <= np.max(a.b):
        return ""
    words = blocks(a.c, a.n, a.b)
    if words:
        return words
    same = not differs(np.sort(a.c, axis=None), np.sort(a.n, axis=None), float(np.max(a.b))).any()
    return "permuted: the right numbers in the wrong places" if same else ""


# --- missing terms


def _missing_term(a: Numbers) -> str:
    """A regulariser that was forgotten, or counted twice; a constant too much."""
    if a.visible.sum() < 2:
        return ""
    for term in TERMS:
        value = term.of(a.x)
        if value is None or not np.isfinite(value[a.known]).all() or not _varies(value, term, a):
            continue
        use = a.visible & (value != 0)
        factor = float(np.median(a.rest[use] / value[use])) if use.sum() >= 2 else 0.0
        if factor and a.is_claimed(a.n - factor * value, a.b + 1e-6 * np.abs(a.rest)):
            return term.words.format(factor=f"{factor:.4g}", minus=f"{-factor:.4g}")
    return ""


def _varies(value: np.ndarray, term: Term, a: Numbers) -> bool:
    """Whether the numbers tell the term from a constant."""
    return term.is_constant or len(np.unique(value[a.known & (value != 0)])) > 1


def _affine(a: Numbers) -> str:
    """The derivative of a square around some centre: two constants, so five numbers at least."""
    if a.visible.sum() < 5 or len(np.unique(a.x[a.visible])) < 5:
        return ""
    columns = np.stack([a.x[a.known], np.ones(int(a.known.sum()))], axis=1)
    slope, offset = np.linalg.lstsq(columns, a.rest[a.known], rcond=None)[0]
    if slope and a.is_claimed(a.n - slope * a.x - offset, a.b + 1e-6 * np.abs(a.rest)):
        return f"the term {slope:.4g} × (argument - {-offset / slope:.4g}) is missing: a prior?"
    return ""


# --- some places


def _masked(a: Numbers) -> str:
    """Wrong on one branch of the argument."""
    branches = (
        ("negative", a.x < 0),
        ("positive", a.x > 0),
        ("zero", a.x == 0),
        ("larger than 1 in size", np.abs(a.x) > 1),
        ("smaller than 1 in size", np.abs(a.x) < 1),
    )
    for words, where in branches:
        inside, outside = a.known & where, a.known & ~where
        if min(inside.sum(), outside.sum()) >= 2 and np.array_equal(a.wrong, inside):
            return f"wrong exactly where the argument is {words}"
    return ""


def _ratio_there(a: Numbers) -> str:
    """One factor, or one offset, but only at some places."""
    if a.wrong.sum() < 3 or a.wrong.all():
        return ""
    for words, values in (
        ("claimed = {:.5g} × numeric", a.c / a.n),
        ("off by the constant {:.4g}", a.c - a.n),
    ):
        there = values[a.wrong]
        middle = float(np.median(there))
        noise = np.where(np.abs(a.n) > 0, a.b / np.abs(a.n), 0.0)[a.wrong]
        if not np.isfinite(there).all() or not middle:
            continue
        if np.all(np.abs(there - middle) <= _TOLERANCE * abs(middle) + noise):
            return f"{words.format(middle)} at {place_of(a.wrong)}, and right elsewhere"
    return ""


def _few(a: Numbers) -> str:
    place = place_of(a.wrong)
    if a.wrong.sum() <= max(1, a.known.sum() // 2):
        return f"wrong only at {place}"
    if a.known.all() and not a.wrong.all() and not place.endswith("places"):
        return f"wrong at {place}, and right elsewhere"
    return ""
