"""Which coordinates are wrong, when a direction says that some are."""

import numpy as np

from chainrule.checker.compare import Claim
from chainrule.checker.directions import cross
from chainrule.numeric.points import Function

_SLOPES = 120  # taken at most
_FOUND = 4  # enough of them


def suspects(
    function: Function, v: np.ndarray, noise: np.ndarray, claim: Claim
) -> tuple[list[int], list[int]]:
    """``(coordinates, leaves)``: some that are probably wrong, and the arrays that hold them.

    v : (N,) a direction whose slope contradicts the claim. One slope an array, then halves of the
    worst, O(log N) slopes a coordinate.
    """
    queue = [(start, end) for start, end in claim.point.ranges() if end > start]
    excess = _excess(function, v, queue, noise, claim)
    leaves = [k for k, e in enumerate(excess) if e > 1]
    # worst last, because the last one is taken
    stack = [queue[k] for k in sorted(leaves, key=lambda k: excess[k])]
    found: list[int] = []
    taken = len(queue)
    while stack and len(found) < _FOUND and taken < _SLOPES:
        start, end = stack.pop()
        if end - start == 1:
            found.append(start)
            continue
        middle = (start + end) // 2
        halves = [(start, middle), (middle, end)]
        pair = _excess(function, v, halves, noise, claim)
        taken += 2
        order = sorted(range(2), key=lambda k: pair[k])
        stack += [halves[k] for k in order if pair[k] > 1]
    return found, leaves


def _excess(
    function: Function,
    v: np.ndarray,
    ranges: list[tuple[int, int]],
    noise: np.ndarray,
    claim: Claim,
) -> list[float]:
    rows = np.zeros((len(ranges), len(v)))
    for row, (start, end) in zip(rows, ranges):
        row[start:end] = v[start:end]
    return cross(function, rows, noise, claim).excess.tolist()
