"""Slopes of ``scipy.special`` at the ends of the range of numbers, against mpmath.

Ten digits are asked for wherever SciPy's own value has twelve.
"""

import itertools
import warnings

import numpy as np
import pytest
from scipy import special

import chainrule as cr
from chainrule.core.primitive import PRIMITIVES, Elementwise, load_late
from tests.extremes.special_tables import ELSEWHERE, FIXED, SLOW, SPECIAL, WITHOUT_TRUTH
from tests.extremes.truth import derivative, exact, mp
from tests.test_extremes import backwards, forwards, is_close

NAMES = [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in SPECIAL]


def sample_of(name):
    points = list(itertools.product(*SPECIAL[name][1]))
    return points[:: max(1, len(points) // 50)]


def value_is_good(f, in_mpmath, point):
    value = f(*point)
    with mp.workdps(60):
        want = float(mp.re(in_mpmath(*map(exact, point))))
    return np.isfinite(value) and abs(value - want) <= 1e-12 * abs(want) < np.inf


@pytest.mark.parametrize("name", NAMES)
def test_slopes(name):
    f, in_mpmath = getattr(special, name), SPECIAL[name][0]
    checked = 0
    for point in sample_of(name):
        point = tuple(map(np.float64, point))
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", cr.NonFiniteGradientWarning)
            if not value_is_good(f, in_mpmath, point):
                continue
            largest = max(abs(np.log10(abs(x))) for x in (*point, 10.0) if x)
            digits = 350 + int(5 * largest)
            for i in set(range(len(point))) - set(FIXED.get(name, ())):
                real = lambda *x: mp.re(in_mpmath(*x))
                want = np.float64(float(derivative(real, [exact(x) for x in point], (i,), digits)))
                for mode in (backwards, forwards):
                    got = mode(lambda *x: f(*x), i)(*point)
                    said = f"{name}, {mode.__name__} by {i} at {point}: {got!r}, mpmath {want!r}"
                    assert is_close(got, want, 1e-10), said
                checked += 1
    assert checked > 3


def test_a_new_rule_has_extreme_points():
    load_late()
    names = {
        p.fun.__name__
        for p in PRIMITIVES.values()
        if isinstance(p, Elementwise)
        and getattr(special, getattr(p.fun, "__name__", "none"), None) is p.fun
    }
    # sinc is NumPy's
    missing = names - {"sinc"} - set(SPECIAL) - ELSEWHERE - WITHOUT_TRUTH
    assert not missing, f"give {missing} a function of mpmath and points in tests/extremes"
