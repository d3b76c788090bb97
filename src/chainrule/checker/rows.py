"""The numbers of a check as rows of its report: one an array, and the worst coordinate of all."""

from collections.abc import Iterator

import numpy as np

from chainrule.checker.compare import Claim, Measured
from chainrule.checker.patterns import pattern
from chainrule.checker.relations import related
from chainrule.checker.report import ArgumentReport, Evidence, Worst


def rows(claim: Claim, measured: Measured, verified: np.ndarray) -> list[ArgumentReport]:
    """For each array of the point: what was measured, what is wrong, and how it is wrong."""
    return related(list(_rows(claim, measured, verified)))


def _rows(claim: Claim, measured: Measured, verified: np.ndarray) -> Iterator[ArgumentReport]:
    point = claim.point
    wrong, excess = measured.wrong(claim), measured.excess(claim)
    with np.errstate(all="ignore"):
        digits = -np.log10(measured.resolution(claim) / np.abs(claim.gradient))
    arrays = claim.gradient, measured.value, measured.margin, point.vector
    leaves = zip(point.leaves, point.paths, point.dtypes, point.ranges())
    for leaf, path, dtype, (start, end) in leaves:
        part, shape, is_complex = slice(start, end), np.shape(leaf), dtype.kind == "c"
        sharp = digits[part][verified[part]]
        sharp = sharp[np.isfinite(sharp)]
        worst, text = None, ""
        if wrong[part].any():
            worst = worst_of(claim, measured, start + int(np.argmax(excess[part])))
            if not is_complex:
                text = pattern(*(a[part].reshape(shape or (1,)) for a in arrays))
        numbers = (*shape, 2) if is_complex else shape
        yield ArgumentReport(
            path,
            shape,
            end - start,
            int(measured.tried[part].sum()),
            int(verified[part].sum()),
            int(wrong[part].sum()),
            max(float(np.min(sharp)), 0.0) if sharp.size else None,
            worst,
            text,
            Evidence(*(a[part].reshape(numbers).copy() for a in arrays)),
        )


def worst_of(claim: Claim, measured: Measured, i: int) -> Worst:
    """Coordinate ``i`` with its path, its index, and both numbers."""
    point = claim.point
    k = int(np.searchsorted(point.ends, i, side="right"))
    start = list(point.ranges())[k][0]
    parts = 2 if point.dtypes[k].kind == "c" else 1
    index = np.unravel_index((i - start) // parts, np.shape(point.leaves[k]) or (1,))
    where = tuple(int(j) for j in index) if np.ndim(point.leaves[k]) else ()
    sides = [
        float(side[i]) if measured.kink[i] else None for side in (measured.left, measured.right)
    ]
    claimed, numeric = float(claim.gradient[i]), float(measured.value[i])
    part = (".real", ".imag")[(i - start) % 2] if parts == 2 else ""
    return Worst(point.paths[k] + part, where, claimed, numeric, float(measured.margin[i]), *sides)
