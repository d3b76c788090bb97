"""Derivatives of any order from values on a circle in the complex plane, after Cauchy.

The values at ``x + r exp(2 pi i l / N)`` are a Fourier series with the coefficients ``a_j r^j``,
a_j those of the Taylor series: nothing cancels. If f is not analytic inside the circle, its series
has negative powers too; they turn up as the last of the N coefficients, where an analytic f has
nothing but noise.   [Lyness and Moler 1967; Bornemann 2011]
"""

from dataclasses import replace
from math import factorial

import numpy as np

from chainrule.numeric.complex_step import complex_values
from chainrule.numeric.higher import High
from chainrule.numeric.points import Function

_POINTS = 32
_LAST = slice(24, None)  # coefficients that should have vanished
_RADII = 5  # that are tried
_TELLING = 1e-3  # relative error of real differences that can contradict a circle


def improved(function: Function, order: int, real: High) -> High:
    """The better of real differences and a circle, where that is not contradicted by them.

    Step 0 says that a value is the circle's. Call inside ``quiet()``.
    """
    known = np.isfinite(real.bound)
    if not known.any() or function.dtype.kind == "c":
        return real
    found = by_circle(function, order, float(np.min(real.reach[known])))
    if found is None:
        return real
    value, bound = found
    # to agree is a confirmation where real differences have some digits
    natural = factorial(order) * np.abs(function.base) / np.where(known, real.reach, 1.0) ** order
    telling = real.bound <= _TELLING * np.maximum(np.abs(real.value), natural)
    agrees = np.abs(value - real.value) <= real.bound + bound
    better = known & telling & agrees & (bound < real.bound)
    value, bound, step = (
        np.where(better, new, old)
        for new, old in ((value, real.value), (bound, real.bound), (0.0, real.step))
    )
    return replace(real, value=value, bound=bound, step=step)


def by_circle(
    function: Function, order: int, radius: float
) -> tuple[np.ndarray, np.ndarray] | None:
    """The derivative (m,) of this order and a bound on its error; None where f takes no complex
    points. About 17 evaluations for each of up to five radii, doubled or halved from ``radius``.

    Says nothing about what happens beside the circle: compare with real differences. Call inside
    ``quiet()``.
    """
    best, factor = None, 0.5
    for _ in range(_RADII):
        found = _on_circle(function, order, radius)
        if found is None and best is not None:
            break
        if found is not None:
            value, bound, is_noise = found
            if best is None:
                factor = 2.0 if is_noise else 0.5
            elif not np.sum(bound) < np.sum(best[1]) / 2:
                break
            best = value, bound
            if is_noise and factor < 1:
                break
        radius *= factor
    return best


def _on_circle(
    function: Function, order: int, radius: float
) -> tuple[np.ndarray, np.ndarray, bool] | None:
    """Value, bound, and whether the bound is mostly noise, which a larger circle would lessen."""
    angle = 2 * np.pi * np.arange(_POINTS // 2 + 1) / _POINTS
    points = radius * np.exp(1j * angle)
    vectors = [function.point.vector + point for point in points]
    probe = complex_values(function, vectors[1:2])  # usually a refusal is one at once
    others = None if probe is None else complex_values(function, vectors[:1] + vectors[2:])
    if probe is None or others is None:
        return None
    half = np.concatenate([others[:1], probe, others[1:]])
    values = np.concatenate([half, half[-2:0:-1].conj()])  # f(conj z) = conj f(z)
    coefficients = np.fft.fft(values, axis=0).real / _POINTS
    eps = max(function.eps, float(function.point.eps[0]))
    powers = np.arange(_POINTS // 2)[:, None]
    moved = np.sum(powers * np.abs(coefficients[: _POINTS // 2]), axis=0)
    noise = eps * (4 * np.max(np.abs(values), axis=0) + moved)
    rest = np.max(np.abs(coefficients[_LAST]), axis=0)
    unit = factorial(order) / radius**order
    return coefficients[order] * unit, (2 * rest + noise) * unit, bool((rest <= 4 * noise).all())
