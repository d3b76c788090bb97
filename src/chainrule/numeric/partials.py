"""All partial derivatives of a function at a point, by the method that suits it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from chainrule.base.errors import InputError
from chainrule.base.progress import track
from chainrule.numeric.complex_step import complex_slopes
from chainrule.numeric.lines import Coordinate, Line
from chainrule.numeric.noise import noise_level
from chainrule.numeric.points import Function, quiet
from chainrule.numeric.slopes import Slopes, slopes

Method: TypeAlias = Literal["auto", "complex", "ladder", "central"]

_MANY = 2000  # coordinates from which on work shows its progress, and "auto" becomes "central"
_CHUNK = 2**18  # numbers a rung of a chunk of lines holds at most
_SAMPLES = 12  # coordinates from which "central" learns its step
_RELATIVE_STEPS = 2.0 ** -np.arange(4.0, 27.0, 2.0)  # those it chooses from


@dataclass(frozen=True, eq=False)
class Partials:
    """value, error, step : (N, m); step is 0 for a complex step."""

    value: np.ndarray
    error: np.ndarray
    step: np.ndarray
    notes: tuple[str, ...] = ()


def partials(function: Function, method: Method, progress: bool | None) -> Partials:
    """The partial derivatives of all values with respect to all coordinates."""
    n, m = function.point.size, len(function.base)
    if method not in ("auto", "complex", "ladder", "central"):
        what = f"method={method!r} is unknown."
        raise InputError(what, "Choose 'auto', 'complex', 'ladder' or 'central'.")
    if not np.isfinite(function.base).all():
        what = "f(x) is not finite: there is no derivative at such a point."
        raise InputError(what, "Give a point in the domain of f.")
    if not n or not m:
        empty = np.zeros((n, m))
        return Partials(empty, empty, empty)
    with quiet():
        if method in ("auto", "complex"):
            found = complex_slopes(function, watched(range(n), "complex steps", progress))
            if found is not None:
                unit = function.unit
                return Partials(found.value * unit, found.bound * unit, np.zeros((n, m)))
            if method == "complex":
                what = "f does not take complex points, or is not analytic at this one."
                raise InputError(what, "Use method='auto'.")
        noise = noise_level(function)
        if method == "central" or (method == "auto" and n > _MANY):
            return _central(function, noise, progress)
        lines = [Coordinate(function.point, i) for i in range(n)]
        found_slopes = in_chunks(slopes, function, lines, noise, progress)
    names = [function.point.name(i) for i in range(n)] if found_slopes.special.any() else []
    return Partials(
        found_slopes.value, found_slopes.bound, found_slopes.step, notes(found_slopes, names)
    )


def watched(items: Sequence, description: str, progress: bool | None) -> Iterable:
    """The items, behind a progress bar if asked for or if there are many."""
    if progress or (progress is None and len(items) > _MANY):
        return track(items, description)
    return items


def in_chunks(
    search: Callable,
    function: Function,
    lines: Sequence[Line],
    noise: np.ndarray,
    progress: bool | None,
) -> Slopes:
    """The search over all lines, some hundred at a time: bounded memory, and news for the bar."""
    size = int(np.clip(_CHUNK // max(len(noise), 1), 1, 256))
    chunks = [lines[k : k + size] for k in range(0, len(lines), size)]
    shown = progress if progress is not None else len(lines) > _MANY
    parts = [search(function, chunk, noise) for chunk in watched(chunks, "differences", shown)]
    return Slopes.join(parts, len(noise))


def notes(found: Slopes, names: Sequence[str]) -> tuple[str, ...]:
    """What is special, in sentences; at most five names of a kind."""
    kinds = (
        (found.kink, "kink at the point, the value is the mean of both slopes"),
        (found.edge, "defined on one side only, the value is the slope there"),
        (~np.isfinite(found.bound), "no slope can be measured"),
    )
    sentences = []
    for mask, text in kinds:
        where = [name for name, special in zip(names, mask) if special.any()]
        if where:
            more = f" and {len(where) - 5} more" if len(where) > 5 else ""
            sentences.append(f"{', '.join(where[:5])}{more}: {text}")
    return tuple(sentences)


# --- one step for all


def _central(function: Function, noise: np.ndarray, progress: bool | None) -> Partials:
    """Central differences at one step relative to the scale of each coordinate.

    The error of a coordinate is its noise, and for truncation what is the worst of the samples,
    relative to the slope or, where that is small, to a thousandth of the largest slope.
    """
    point = function.point
    h, truncation, noise = _learn_step(function, noise)
    step = h * point.scale
    rows = watched(range(point.size), "central differences", progress)
    value = _quotients(function, rows, step)
    size = np.abs(value)
    error = 2 * truncation * np.maximum(size, 1e-3 * np.max(size, axis=0)) + noise / step[:, None]
    unit, steps = function.unit, np.repeat(step[:, None], len(noise), axis=1)
    return Partials(value * unit, error * unit, steps, ("one step for all: errors are typical",))


def _learn_step(function: Function, noise: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """The relative step with the least error, its relative truncation (m,) and the noise (m,) that
    some samples met.

    At a step where the slopes of the samples are known, the difference tells the truncation there;
    it goes with the square of the step, and the noise with its inverse.
    """
    point, probe = function.point, 2.0**-8
    n = point.size
    sample = np.sort(np.random.default_rng(0).choice(n, min(_SAMPLES, n), replace=False)).tolist()
    known = slopes(function, [Coordinate(point, i) for i in sample], noise)
    truth = known.value / function.unit
    rough = _quotients(function, sample, probe * point.scale)
    usable = np.isfinite(known.bound) & np.isfinite(rough)
    if not usable.any():
        what = "No sampled coordinate has a slope: method 'central' cannot learn its step."
        raise InputError(what, "Use method='ladder'.")
    noise = np.maximum(noise, np.max(known.noise / function.unit, axis=0))
    size = np.abs(truth)
    typical = max(float(np.max(size, where=usable, initial=0.0)), 1e-300)
    relative = np.abs(rough - truth) / np.maximum(size, 1e-3 * typical)
    worst = np.max(relative, axis=0, where=usable, initial=0.0)
    truncation = worst * (_RELATIVE_STEPS[:, None] / probe) ** 2
    rounding = noise / (_RELATIVE_STEPS[:, None] * np.median(point.scale[sample]) * typical)
    best = int(np.argmin(np.max(truncation + rounding, axis=1)))
    return float(_RELATIVE_STEPS[best]), truncation[best], noise


def _quotients(function: Function, rows: Iterable[int], step: np.ndarray) -> np.ndarray:
    """Central quotients (rows, m), each at the step of its coordinate."""
    widths: list[float] = []

    def points() -> Iterator[np.ndarray]:
        for i in rows:
            moves = [function.point.move(i, t) for t in (step[i], -step[i])]
            widths.append(moves[0][1] - moves[1][1])
            yield from (vector for vector, _ in moves)

    values = np.stack(function.many(points()))
    return (values[::2] - values[1::2]) / np.array(widths)[:, None]
