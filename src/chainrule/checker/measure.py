"""Slopes along coordinates: cheaply where that is enough, again where it is not."""

from collections.abc import Sequence

import numpy as np

from chainrule.checker.compare import Claim, Measured, columns
from chainrule.numeric.lines import FIRST, Coordinate, Direction, Line, Rescaled
from chainrule.numeric.partials import in_chunks
from chainrule.numeric.points import Function
from chainrule.numeric.rungs import Quotients, Rungs
from chainrule.numeric.slopes import Slopes, slopes
from chainrule.numeric.stencils import RATIO

RTOL = 1e-9  # bound at which a slope is sharp enough
_FACTORS = (0.71875, 0.546875, 0.40625)  # on the first step, when measured again: other rungs
_SIGNIFICANT = 20  # a slope from large steps, in units of its bound: else f may be anything between
_APPEALS = 20
_PAIRS = 4  # of kinks that are moved together
_NEARLY = 1e-3  # relative error of a claim that gets the benefit of the doubt
_COARSE = 1e-5  # treads so high, relative to the values, may be meant: single precision's are not


def measure(
    function: Function,
    indices: Sequence[int],
    noise: np.ndarray,
    claim: Claim,
    measured: Measured | None = None,
    more: int = len(_FACTORS),
) -> Measured:
    """The slopes of these coordinates, noted in ``measured``.

    What is not verified at first is measured again, at other steps and as well as can be, up to
    ``more`` times until it is settled. What looks wrong must look wrong twice, and stand an appeal.
    Call inside ``quiet()``.
    """
    measured = measured or Measured(function.point.size)
    add(function, measured, indices, noise)
    verified = measured.verified(claim)
    open_ = np.array([i for i in indices if not verified[i]], int)
    tables = [measured.table[:, open_].copy()]
    # what is wrong at natural steps needs no larger ones
    hiding = np.where(measured.wrong(claim), 0.0, measured.noise)
    for factor in _FACTORS[:more]:
        if not open_.size:
            break
        lines = [_line(function, i, factor, hiding[i], claim) for i in open_.tolist()]
        table = columns(in_chunks(slopes, function, lines, noise, None))
        large = np.array([isinstance(line, Rescaled) for line in lines])
        hidden = large & ~(np.abs(table[0]) > _SIGNIFICANT * table[1])
        table[1] = np.where(hidden, np.inf, table[1])
        tables.append(table)
        measured.table[:, open_], confirmed = _reconciled(np.stack(tables))
        _give_the_benefit(measured, open_, tables, claim)
        alone = measured.wrong(claim)[open_] & ~confirmed
        measured.bound[open_[alone]] = np.inf
        known = measured.verified(claim) | (measured.wrong(claim) & ~_nearly_right(measured, claim))
        disputed = ~_agree(tables[0], tables[1])
        left = ~known[open_] | disputed
        open_, tables = open_[left], [table[:, left] for table in tables]
    _hear(function, measured, noise, claim)
    return measured


def add(function: Function, measured: Measured, indices: Sequence[int], noise: np.ndarray) -> None:
    """Measure these coordinates once."""
    lines = [Coordinate(function.point, i) for i in indices]
    measured.take(indices, in_chunks(_to_rtol, function, lines, noise, None))


def _to_rtol(function: Function, lines: Sequence[Line], noise: np.ndarray) -> Slopes:
    return slopes(function, lines, noise, RTOL)


def _line(function: Function, i: int, factor: float, noise: float, claim: Claim) -> Line:
    """The line along a coordinate with other steps; so large ones, if need be, that what ought to
    be visible is not lost in the noise."""
    line = Coordinate(function.point, i, factor)
    first = FIRST * line.scale
    wanted = 8 * noise / claim.visible[i]
    if not first / RATIO**2 < wanted < np.inf:
        return line
    rungs = 3 + np.ceil(np.log(wanted / first) / np.log(RATIO))
    return Rescaled(line, first * float(RATIO**rungs))


def _reconciled(tables: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sharpest of several measurements (k, 5, n) that another one confirms, narrowed to what
    all that agree with it have in common; where there is none, the sharpest of all with its bound
    widened until it covers the others. And which ones were confirmed."""
    count, _, n = tables.shape
    confirmed = np.zeros((count, n), bool)
    for a in range(count):
        for b in range(a):
            agree = _agree(tables[a], tables[b])
            confirmed[a] |= agree
            confirmed[b] |= agree
    bounds = np.where(confirmed | ~confirmed.any(axis=0), tables[:, 1], np.inf)
    best = np.take_along_axis(tables, np.argmin(bounds, axis=0)[None, None], 0)[0]
    agreed = confirmed & (np.abs(tables[:, 0] - best[0]) <= tables[:, 1] + best[1])
    agreed &= np.isnan(tables[:, 2]) & np.isnan(best[2])
    low = np.max(np.where(agreed, tables[:, 0] - tables[:, 1], -np.inf), axis=0)
    high = np.min(np.where(agreed, tables[:, 0] + tables[:, 1], np.inf), axis=0)
    shared = agreed.any(axis=0) & (low <= high)
    best[0] = np.where(shared, (low + high) / 2, best[0])
    best[1] = np.where(shared, np.maximum((high - low) / 2, best[1] / 2), best[1])
    for other in tables:
        gap = np.abs(best[0] - other[0]) - other[1]
        met_stairs = other[4] > 8 * best[4]  # and knows more than those that saw one tread of them
        doubted = ~confirmed.any(axis=0) | met_stairs
        widened = np.isfinite(gap) & np.isnan(best[2]) & doubted
        best[1] = np.where(widened, np.maximum(best[1], gap), best[1])
    return best, np.asarray(confirmed.any(axis=0))


def _agree(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Whether two measurements (5, n) are within their bounds, and see the same kinks."""
    near = np.abs(one[0] - other[0]) <= one[1] + other[1]
    finite = np.isfinite(one[1]) & np.isfinite(other[1])
    return near & finite & (np.isnan(one[2]) == np.isnan(other[2]))


def _give_the_benefit(
    measured: Measured, indices: np.ndarray, tables: list[np.ndarray], claim: Claim
) -> None:
    """What is nearly right must look wrong with each of the measurements."""
    for table in tables:
        close = (measured.wrong(claim) & _nearly_right(measured, claim))[indices]
        measured.table[:, indices] = np.where(close, table, measured.table[:, indices])


# --- appeals


def _hear(function: Function, measured: Measured, noise: np.ndarray, claim: Claim) -> None:
    """Let claims that look wrong appeal, the worst first, until one of them is wrong indeed."""
    for _ in range(_APPEALS):
        excess = measured.excess(claim)
        excess[measured.kink | ~np.isfinite(claim.gradient)] = 0.0
        i = int(np.argmax(excess))
        if not excess[i] > 1:
            return
        line, gap = Coordinate(function.point, i), measured.gap(claim.gradient)[i]
        coarse = measured.noise[i] > _COARSE * claim.size
        if not (coarse or _nearly_right(measured, claim)[i]):
            return
        claimed = float(claim.gradient[i])
        meant = coarse and _is_right_on_a_tread(function, line, claimed, gap)
        fine = not coarse and _is_right_closer(function, line, claimed, gap, noise)
        if not (meant or fine):
            return
        measured.bound[i], measured.appealed[i] = gap, coarse


def _nearly_right(measured: Measured, claim: Claim) -> np.ndarray:
    return measured.gap(claim.gradient) <= _NEARLY * np.abs(measured.value)


def _is_right_closer(
    function: Function, line: Line, claimed: float, gap: float, noise: np.ndarray
) -> bool:
    """Whether quotients on both sides enclose the claim, at steps just large enough to tell.

    What the search's probe at a tiny step tolerates can be fine structure, the pieces of a table.
    """
    rungs = _rungs_to_tell(function, line, gap, noise)
    if rungs is None:
        return False
    sides = rungs.sides * float(np.ravel(function.unit)[0])
    inside = (sides.min(axis=0) - gap / 4 < claimed) & (claimed < sides.max(axis=0) + gap / 4)
    return bool(inside.all())


def _is_right_on_a_tread(function: Function, line: Line, claimed: float, gap: float) -> bool:
    """Whether both quotients agree with the claim at steps that only rounding makes noisy."""
    rungs = _rungs_to_tell(function, line, gap, 4 * function.eps * np.abs(function.base))
    if rungs is None:
        return False
    apart = np.abs(rungs.sides * float(np.ravel(function.unit)[0]) - claimed)
    return bool((apart < gap / 4).all())


def _rungs_to_tell(
    function: Function, line: Line, gap: float, noise: np.ndarray
) -> Quotients | None:
    """Two rungs at whose steps a gap between slopes is well above the noise."""
    unit = float(np.ravel(function.unit)[0])
    step = max(16 * float(noise[0]) * unit / gap, 64 * line.smallest)
    if not RATIO * step < FIRST * line.scale:
        return None
    first = RATIO * 2.0 ** np.ceil(np.log2(step))
    rungs, one = Rungs(function, [Rescaled(line, first)]), np.array([0])
    for k in range(2):
        rungs.evaluate(k, one)
    return rungs.of(one)


# --- kinks


def tied(function: Function, measured: Measured, noise: np.ndarray, claim: Claim) -> str:
    """How the claim contradicts the slope along coordinates that share a kink; "" if it does not.

    At a tie of ``max`` each coordinate alone has a kink, but moving all of them together meets
    none, and the slope is no sum of theirs: there subgradients have no choice. (Where it is that
    sum, kinks are independent, and each may have been given a slope by a rule of its own.)
    """
    kinks = np.flatnonzero(measured.kink)
    if len(kinks) < 2:
        return ""
    point, groups = function.point, [kinks, *(kinks[k : k + 2] for k in range(_PAIRS))]
    for group in (g for g in groups if len(g) > 1):
        v = np.zeros(point.size)
        v[group] = np.min(point.scale[group])
        found = slopes(function, [Direction(point, v)], noise)
        slope, bound = float(found.value[0, 0]), float(found.bound[0, 0])
        sides = [float(v[group] @ side[group]) for side in (measured.right, measured.left)]
        slack = float(v[group] @ measured.margin[group]) + bound
        apart = min(abs(side - slope) for side in sides)
        if found.special.any() or not apart > 4 * slack + 1e-3 * abs(slope):
            continue
        terms = v[group] * claim.gradient[group]
        tolerated = 2 * bound + (claim.tol + 8 * claim.eps) * float(np.sum(np.abs(terms)))
        if abs(float(np.sum(terms)) - slope) > tolerated:
            names = ", ".join(point.name(int(i)) for i in group[:3])
            more = f" and {len(group) - 3} more" if len(group) > 3 else ""
            numbers = (
                f"claimed {np.sum(terms) / v[group[0]]:.6g}, numeric {slope / v[group[0]]:.6g}"
            )
            return f"{names}{more}, which share a kink, moved together: {numbers}"
    return ""
