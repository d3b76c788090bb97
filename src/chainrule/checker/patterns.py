"""The mistakes that leave a mark: what a wrong gradient has to do with the right one."""

import numpy as np

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
    for look in (_ratio, _zeros, _moved, _missing_term, _few):
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
    moves = []
    if c.ndim == 2 and c.shape[0] == c.shape[1]:
        moves.append(("transposed", n.T, b.T))
    for axis in range(c.ndim):
        along = f" along axis {axis}" if c.ndim > 1 else ""
        moves.append((f"reversed{along}", np.flip(n, axis), np.flip(b, axis)))
        for by in (1, -1):
            moves.append((f"shifted by {by:+d}{along}", np.roll(n, by, axis), np.roll(b, by, axis)))
    for words, numeric, bound in moves:
        if not _differs(c, numeric, bound).any():
            return words
    if not _differs(np.sort(c, axis=None), np.sort(n, axis=None), np.max(b)).any():
        return "permuted: the right numbers in the wrong places"
    return ""


def _missing_term(
    c: np.ndarray, n: np.ndarray, b: np.ndarray, x: np.ndarray, known: np.ndarray
) -> str:
    rest = n - c
    used = known & (np.abs(rest) > 1e3 * b)
    if used.sum() < 2 or not np.all(used | ~known | (np.abs(x) < 1e-3 * np.max(np.abs(x)))):
        return ""
    with np.errstate(all="ignore"):
        quotient = (rest / x)[used & (x != 0)]
    if quotient.size >= 2:
        factor = float(np.median(quotient))
        if np.all(np.abs(quotient - factor) <= 1e-3 * abs(factor)):
            return f"the term {factor:.4g} × argument is missing: a regulariser?"
    offset = float(np.median(rest[used]))
    if np.all(np.abs(rest[used] - offset) <= 1e-3 * abs(offset)):
        return f"off by the constant {-offset:.4g}"
    return ""


def _few(c: np.ndarray, n: np.ndarray, b: np.ndarray, x: np.ndarray, known: np.ndarray) -> str:
    wrong = known & _differs(c, n, b)
    if not wrong.any() or wrong.sum() > max(1, known.sum() // 2):
        return ""
    return f"wrong only at {_place(wrong)}"


def _place(where: np.ndarray) -> str:
    """``[3]``, ``index 4 of axis 0``, ``5 places``."""
    indices = np.argwhere(where)
    if len(indices) == 1:
        return "[" + ", ".join(str(int(i)) for i in indices[0]) + "]"
    for axis in range(where.ndim):
        if where.ndim > 1 and len(set(indices[:, axis].tolist())) == 1:
            return f"index {int(indices[0, axis])} of axis {axis}"
    return "everywhere" if where.all() else f"{len(indices)} places"
