"""Marks of a wrong gradient in the structure of an array: rows, ranks, symmetries, laws."""

import numpy as np

from chainrule.checker.evidence import SHARP, Numbers, differs
from chainrule.checker.places import place_of

_MANY = 5  # numbers that do not agree by chance


# --- whole rows and columns


def spread(a: Numbers) -> str:
    """The same number all along an axis."""
    for axis in range(a.c.ndim if a.known.all() and a.c.ndim > 1 else 0):
        flat = np.ptp(a.c, axis=axis).max() <= 1e-12 * np.max(np.abs(a.c))
        if a.c.shape[axis] < 2 or not flat or np.ptp(a.n, axis=axis).max() <= np.max(a.b):
            continue
        for words, made in (("sum", a.n.sum(axis)), ("mean", a.n.mean(axis))):
            if np.allclose(np.take(a.c, 0, axis), made, rtol=1e-6):
                return f"the same everywhere along axis {axis}: the {words} over it"
        return f"the same everywhere along axis {axis}: broadcast?"
    return ""


def each_its_own(a: Numbers) -> str:
    """For each row (or column) a factor, an offset or a multiple of the argument of its own."""
    if a.c.ndim < 2 or not a.known.all():
        return ""
    for axis, length in enumerate(a.c.shape):
        others = tuple(k for k in range(a.c.ndim) if k != axis)
        if np.any(a.wrong, axis=others).sum() < 2 or a.c.size // length < 2:
            continue
        for words, goal, basis in (
            ("each index of axis {} has a wrong factor of its own", a.c, a.n),
            (
                "off by a constant, another one for each index of axis {}: is a mean left out?",
                a.rest,
                np.ones_like(a.n),
            ),
            (
                "a multiple of the argument is missing, another one for each index of axis {}: is "
                "the norm or the scale taken for a constant?",
                a.rest,
                a.x,
            ),
        ):
            weight = np.sum(basis * basis, axis=others, keepdims=True)
            factor = np.sum(goal * basis, axis=others, keepdims=True) / weight
            made = factor * basis if goal is a.c else a.n - factor * basis
            if np.isfinite(factor).all() and a.is_claimed(made, a.b + np.abs(factor) * a.b):
                return words.format(axis)
    return ""


# --- matrices


def outer(a: Numbers) -> str:
    """A difference, or a claim, of lower rank than it may have."""
    if a.c.ndim != 2 or not a.known.all() or min(a.c.shape) < 3:
        return ""
    if min(np.any(a.wrong, axis=axis).sum() for axis in (0, 1)) < 2:
        return ""  # a row or a column has rank 1 anyway
    noise = 1e2 * (np.linalg.norm(a.b) + 1e-9 * np.linalg.norm(a.n))
    rank = lambda m: int(np.sum(np.linalg.svd(m, compute_uv=False) > noise))
    if rank(a.rest) == 1:
        text = "what is missing is an outer product (rank 1), as of one sample or step that is lost"
        return f"{text} or counted twice"
    if 0 < rank(a.c) < rank(a.n):
        return (
            f"of rank {rank(a.c)} where the gradient has rank {rank(a.n)}: samples or steps lost?"
        )
    if rank(a.n) < rank(a.c):
        return f"of rank {rank(a.c)} where the gradient has rank {rank(a.n)}"
    return ""


def symmetry(a: Numbers) -> str:
    """Right but for what a square matrix loses or gains by its transpose."""
    if a.c.ndim != 2 or a.c.shape[0] != a.c.shape[1] or not a.known.all():
        return ""
    slack = 2 * (a.b + a.b.T) + 1e-6 * float(np.max(np.abs(a.n)))
    even, odd = a.n + a.n.T, a.n - a.n.T
    if not np.any(np.abs(odd) > slack):
        if np.any(np.abs(a.c - a.c.T) > 10 * slack):
            return "the right gradient is symmetric, the claimed one is not"
    elif not differs(a.c - a.c.T, odd, slack).any():
        return "only the antisymmetric part is right"
    if np.any(np.abs(even) > slack) and not differs(a.c + a.c.T, even, slack).any():
        return "only the symmetric part is right: the wrong one of two transposes?"
    return ""


# --- laws


def law(a: Numbers) -> str:
    """A law that the right gradient obeys, and the claimed one does not."""
    if not a.known.all() or a.c.size < 3:
        return ""
    zero, absent = np.abs(a.n) <= 2 * a.b, (a.c == 0) & (np.abs(a.n) > SHARP * a.b)
    present = zero & (np.abs(a.c) > 1e-6 * np.max(np.abs(a.n)) + 4 * a.b)
    if present.any() and not zero.all():
        return f"not zero where it should be, at {place_of(present)}: is a mask left out?"
    if absent.any() and not absent.all():
        return f"zero where it is not, at {place_of(absent)}"
    for axis in [None, *range(a.c.ndim)] if a.c.ndim > 1 else [None]:
        if axis is not None and a.c.shape[axis] < 2:
            continue
        where = "" if axis is None else f" along axis {axis}"
        if _vanishes(a.n, a.b, axis, 1e-7) and not _vanishes(a.c, a.b, axis, 1e-2):
            return (
                f"the right gradient sums to zero{where}, the claimed one does not: is a "
                "normalisation (a mean, a sum) left out?"
            )
        bound = a.b * np.abs(a.x)
        if _vanishes(a.n * a.x, bound, axis, 1e-4) and not _vanishes(a.c * a.x, bound, axis, 5e-2):
            return (
                f"the right gradient is orthogonal to the argument{where} (its scale does not "
                "matter to f), the claimed one is not: is a norm taken for a constant?"
            )
    return ""


def _vanishes(v: np.ndarray, b: np.ndarray, axis: int | None, share: float) -> bool:
    total, size = np.abs(np.sum(v, axis=axis)), np.sum(np.abs(v), axis=axis)
    return bool(np.all(total <= 2 * np.sum(b, axis=axis) + share * size) and np.any(size))


def trend(a: Numbers) -> str:
    """All too large, or too small, or of the wrong sign: too little to say which factor."""
    used = a.known & (np.abs(a.n) > SHARP * a.b)
    ratios = (a.c / a.n)[used]
    if ratios.size < _MANY or not a.wrong[used].all():
        return ""
    low, high = float(ratios.min()), float(ratios.max())
    factors = f"by factors from {low:.3g} to {high:.3g}"
    hint = "does a factor differ from sample to sample, as a slope or a weight?"
    if low > 1:
        return f"no sign is wrong, and every number is too large, {factors}: {hint}"
    if low > 0 and high < 1:
        return f"no sign is wrong, and every number is too small, {factors}: {hint}"
    return f"every sign is wrong, {factors}: is a term subtracted for added?" if high < 0 else ""
