"""The mistakes that leave a mark: what a wrong gradient has to do with the right one."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from chainrule.checker.report import ArgumentReport, Evidence

_FAMILIAR = {-1.0: "the sign is flipped", 0.5: "half of it is missing", 2.0: "twice too large"}
_TOLERANCE = 1e-4


def pattern(claimed: np.ndarray, numeric: np.ndarray, bound: np.ndarray, x: np.ndarray) -> str:
    """A sentence on the claimed gradient of one array beside the measured one, or nothing.

    All have the shape of the array; ``numeric`` is NaN where it was not measured.
    """
    known = np.isfinite(numeric) & np.isfinite(claimed)
    if not np.isfinite(claimed).all():
        return "not finite where the function has a slope" if known.any() else ""
    if known.sum() < 1:
        return ""
    for look in _LOOKS:
        sentence = look(claimed, numeric, bound, x, known)
        if sentence:
            return sentence
    return ""


def _differs(claimed: np.ndarray, numeric: np.ndarray, bound: np.ndarray) -> np.ndarray:
    tolerance = 2 * bound + 1e-6 * np.abs(numeric)
    with np.errstate(all="ignore"):
        return ~(np.abs(claimed - numeric) <= tolerance)


def _ratio(c: np.ndarray, n: np.ndarray, b: np.ndarray, x: np.ndarray, known: np.ndarray) -> str:
    with np.errstate(all="ignore"):
        used = known & (np.abs(n) > 1e3 * b)
        ratios = (c / n)[used]
        slack = _TOLERANCE + (b / np.abs(n))[used]
    if not ratios.size or not np.any(_differs(c, n, b)[used]):
        return ""
    ratio = float(np.median(ratios))
    if ratio == 0 or np.any(np.abs(ratios - ratio) > slack * abs(ratio)):
        return ""
    if ratios.size == 1 and used.size > 1:
        return ""
    text = f"claimed = {ratio:.5g} × numeric"
    for familiar, words in _FAMILIAR.items():
        if abs(ratio - familiar) < 1e-3 * abs(familiar):
            return f"{text}: {words}"
    for axis, length in enumerate(c.shape):
        for factor, words in ((length, "a sum where a mean is meant"), (1 / length, "the reverse")):
            if length > 2 and abs(ratio - factor) < 1e-3 * factor:
                return f"{text}: the length of axis {axis}, or its inverse ({words})"
    return text


def _zeros(c: np.ndarray, n: np.ndarray, b: np.ndarray, x: np.ndarray, known: np.ndarray) -> str:
    wrong = known & _differs(c, n, b)
    if not wrong.any():
        return ""
    if np.all(c[wrong] == 0):
        return f"zero where it is not: {_place(wrong)}"
    with np.errstate(all="ignore"):
        if np.all(np.abs(n[wrong]) <= 2 * b[wrong]):
            return f"not zero where it should be: {_place(wrong)}"
    return ""


def _moved(c: np.ndarray, n: np.ndarray, b: np.ndarray, x: np.ndarray, known: np.ndarray) -> str:
    if not known.all() or c.size < 3:
        return ""
    for words, move in _moves(c.shape):
        if not _differs(c, move(n), move(b)).any():
            return words
    if not _differs(np.sort(c, axis=None), np.sort(n, axis=None), np.max(b)).any():
        return "permuted: the right numbers in the wrong places"
    return ""


def _moves(shape: tuple[int, ...]) -> Iterator[tuple[str, Callable[[np.ndarray], np.ndarray]]]:
    """Ways to put the right numbers in wrong places."""
    axes = range(len(shape))
    for i, j in itertools.combinations(axes, 2):
        if shape[i] == shape[j]:
            words = "transposed" if len(shape) == 2 else f"axes {i} and {j} are exchanged"
            yield words, partial(np.swapaxes, axis1=i, axis2=j)
    if len(shape) > 1:
        words = "flattened in the other order (C for Fortran, or the reverse)"
        yield words, lambda a: a.reshape(-1, order="F").reshape(shape)
        yield words, lambda a: a.reshape(-1).reshape(shape, order="F")
    for axis in axes:
        along = f" along axis {axis}" if len(shape) > 1 else ""
        yield f"reversed{along}", partial(np.flip, axis=axis)
        for by in (1, -1):
            words = f"shifted by {by:+d}{along}"
            yield words, partial(np.roll, shift=by, axis=axis)
            yield f"{words}, with zeros at the end", partial(_shifted, by=by, axis=axis)


def _shifted(a: np.ndarray, by: int, axis: int) -> np.ndarray:
    moved = np.moveaxis(np.roll(a, by, axis), axis, 0).copy()
    moved[0 if by > 0 else -1] = 0
    return np.moveaxis(moved, 0, axis)


def _rounded(c: np.ndarray, n: np.ndarray, b: np.ndarray, x: np.ndarray, known: np.ndarray) -> str:
    """Numbers that were stored in fewer bits on their way."""
    c, n, b = c[known], n[known], b[known]
    kinds = (("integers", np.rint, 0.5, 0.0), ("float16", _half, 2.0**-25, 2.0**-11))
    with np.errstate(all="ignore"):
        for words, stored, absolute, relative in kinds:
            near = np.abs(c - n) <= absolute + relative * np.abs(n) + 2 * b
            if near.all() and np.array_equal(stored(c), c) and np.any(c):
                return f"rounded to {words}"
    return ""


def _half(a: np.ndarray) -> np.ndarray:
    return a.astype(np.float16).astype(float)


def _signs(c: np.ndarray, n: np.ndarray, b: np.ndarray, x: np.ndarray, known: np.ndarray) -> str:
    """Right sizes, wrong signs; sizes that were cut off."""
    c, n, b = (np.where(known, v, 0.0) for v in (c, n, b))
    flipped = _differs(c, n, b)
    if not _differs(np.abs(c), np.abs(n), b).any():
        if known.sum() > 2 and np.all(c >= 0):
            return "the absolute value: the sign is lost"
        return f"the sign is flipped at {_place(flipped)}" if flipped.sum() > 1 else ""
    limit = float(np.max(np.abs(c)))
    cut = np.clip(n, -limit, limit)
    count = int(np.sum(np.abs(c) == limit))
    if 2 <= count < known.sum() and not _differs(c, cut, b).any():
        return f"clipped to ±{limit:.4g}"
    return ""


def _missing_term(
    c: np.ndarray, n: np.ndarray, b: np.ndarray, x: np.ndarray, known: np.ndarray
) -> str:
    """A regulariser that was forgotten, or counted twice; a constant too much."""
    rest = n - c
    used = known & (np.abs(rest) > 1e3 * b)
    if used.sum() < 2 or not np.all(used | ~known | (np.abs(x) < 1e-3 * np.max(np.abs(x)))):
        return ""
    terms = (("argument", x), ("sign(argument)", np.sign(x)))
    for words, term in terms:
        with np.errstate(all="ignore"):
            quotient = (rest / term)[used & (term != 0)]
        if quotient.size >= 2 and len(np.unique(term[used])) > 1:
            factor = float(np.median(quotient))
            if np.all(np.abs(quotient - factor) <= 1e-3 * abs(factor)):
                return f"the term {factor:.4g} × {words} is missing: a regulariser?"
    offset = float(np.median(rest[used]))
    if np.all(np.abs(rest[used] - offset) <= 1e-3 * abs(offset)):
        return f"off by the constant {-offset:.4g}"
    return ""


def _factor(c: np.ndarray, n: np.ndarray, b: np.ndarray, x: np.ndarray, known: np.ndarray) -> str:
    """A factor that depends on the argument: the derivative of a transformation of it."""
    with np.errstate(all="ignore"):
        factors = (
            ("argument", x),
            ("2 × argument", 2 * x),
            ("argument²", x * x),
            ("1 / argument", 1 / x),
            ("exp(argument)", np.exp(x)),
            ("exp(-argument)", np.exp(-x)),
        )
        for words, factor in factors:
            used = known & np.isfinite(factor)
            if used.sum() < 3 or len(np.unique(x[used])) < 3:
                continue
            if not _differs(c * factor, n, b + 1e-6 * np.abs(n))[used].any():
                return f"the factor {words} is missing"
            if not _differs(c, n * factor, b * np.abs(factor) + 1e-6 * np.abs(c))[used].any():
                return f"the factor {words} is too much"
    return ""


def _along(c: np.ndarray, n: np.ndarray, b: np.ndarray, x: np.ndarray, known: np.ndarray) -> str:
    """Something that happened to whole rows or columns."""
    if c.ndim < 2 or not known.all():
        return ""
    for axis, length in enumerate(c.shape):
        if length < 2:
            continue
        spread = np.ptp(c, axis=axis).max()
        if spread <= 1e-12 * np.max(np.abs(c)) and np.ptp(n, axis=axis).max() > np.max(b):
            for words, made in (("sum", n.sum(axis)), ("mean", n.mean(axis))):
                if np.allclose(np.take(c, 0, axis), made, rtol=1e-6):
                    return f"the same everywhere along axis {axis}: the {words} over it"
            return f"the same everywhere along axis {axis}: broadcast?"
    for axis in range(c.ndim):
        others = tuple(k for k in range(c.ndim) if k != axis)
        if np.sum(np.any(_differs(c, n, b), axis=others)) < 2:
            continue
        with np.errstate(all="ignore"):
            ratio = np.where(np.abs(n) > 1e3 * b, c / n, np.nan)
        if np.isfinite(ratio).all() and np.ptp(ratio, axis=others).max() <= _TOLERANCE * np.max(
            np.abs(ratio)
        ):
            return f"each index of axis {axis} has a wrong factor of its own"
    return ""


def _masked(c: np.ndarray, n: np.ndarray, b: np.ndarray, x: np.ndarray, known: np.ndarray) -> str:
    """Wrong on one branch of the argument."""
    wrong = known & _differs(c, n, b)
    branches = (
        ("negative", x < 0),
        ("positive", x > 0),
        ("zero", x == 0),
        ("larger than 1 in size", np.abs(x) > 1),
        ("smaller than 1 in size", np.abs(x) < 1),
    )
    for words, where in branches:
        inside, outside = known & where, known & ~where
        if min(inside.sum(), outside.sum()) >= 2 and np.array_equal(wrong, inside):
            return f"wrong exactly where the argument is {words}"
    return ""


def _few(c: np.ndarray, n: np.ndarray, b: np.ndarray, x: np.ndarray, known: np.ndarray) -> str:
    wrong = known & _differs(c, n, b)
    if not wrong.any() or wrong.sum() > max(1, known.sum() // 2):
        return ""
    return f"wrong only at {_place(wrong)}"


_LOOKS = (
    _ratio,
    _zeros,
    _moved,
    _missing_term,
    _rounded,
    _signs,
    _factor,
    _along,
    _masked,
    _few,
)


# --- where


def _place(where: np.ndarray) -> str:
    """``[3]``, ``index 4 of axis 0``, ``the last 2 of axis 1``, ``the diagonal``, ``5 places``."""
    indices = np.argwhere(where)
    if len(indices) == 1:
        return "[" + ", ".join(str(int(i)) for i in indices[0]) + "]"
    if where.all():
        return "everywhere"
    for axis in range(where.ndim):
        others = tuple(k for k in range(where.ndim) if k != axis)
        used = np.any(where, axis=others, keepdims=True).reshape(-1)
        if np.array_equal(np.all(where, axis=others, keepdims=True).reshape(-1), used):
            words = _run(np.flatnonzero(used), len(used))
            if words:
                return words + (f" of axis {axis}" if where.ndim > 1 else "")
    for axis in range(where.ndim):
        if where.ndim > 1 and len(set(indices[:, axis].tolist())) == 1:
            return f"index {int(indices[0, axis])} of axis {axis}"
    return _shape_of(where) or f"{len(indices)} places"


def _run(indices: np.ndarray, length: int) -> str:
    """Neighbouring indices in words."""
    first, last, count = int(indices[0]), int(indices[-1]), len(indices)
    if last - first + 1 != count:
        return ""
    if count == 1:
        return f"index {first}"
    if first == 0:
        return f"the first {count}"
    return f"the last {count}" if last == length - 1 else f"indices {first} to {last}"


def _shape_of(where: np.ndarray) -> str:
    if where.ndim != 2:
        return ""
    rows, columns = np.indices(where.shape)
    edge = (rows == 0) | (columns == 0)
    edge |= (rows == where.shape[0] - 1) | (columns == where.shape[1] - 1)
    shapes = (
        ("the diagonal", rows == columns),
        ("everywhere but the diagonal", rows != columns),
        ("the upper triangle", rows < columns),
        ("the lower triangle", rows > columns),
        ("the border", edge),
    )
    return next((words for words, shape in shapes if np.array_equal(where, shape)), "")


def swapped(rows: Sequence[ArgumentReport]) -> str:
    """A sentence on two arguments whose gradients have changed places, or nothing."""
    wrong = [row for row in rows if row.wrong and row.evidence is not None]
    for a, b in itertools.combinations(wrong, 2):
        if a.shape == b.shape and _fits(a.evidence, b.evidence) and _fits(b.evidence, a.evidence):
            return f"the gradients of {a.name} and {b.name} have changed places"
    return ""


def _fits(a: Evidence | None, b: Evidence | None) -> bool:
    """Whether what is claimed for a is what was measured for b."""
    assert a is not None and b is not None
    known = np.isfinite(b.numeric)
    return bool(known.any()) and not _differs(a.claimed, b.numeric, b.bound)[known].any()
