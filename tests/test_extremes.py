"""Elementwise slopes at subnormal, tiny and huge numbers, near poles, branch points and
saturation: NumPy's functions, forwards and backwards, once and twice, in every precision.

A slope is right where it has ten digits of mpmath's (all but four of a shorter or longer precision)
and the dtype of the operand; numbers below the smallest normal one may differ by a few units.
"""

import itertools
import warnings

import numpy as np
import pytest

import chainrule as cr
from chainrule.core.primitive import PRIMITIVES, Elementwise
from tests.extremes.numpy_tables import (
    BINARY,
    CHOICES,
    COMPLEX,
    DIFFERENCES,
    DOUBLE_INSIDE,
    UNARY,
    points,
)
from tests.extremes.truth import LONG, derivative, digits_for, exact, mp, rounded

RTOL = {np.float32: 2e-5, np.float64: 1e-10, LONG: 1e-17}
DTYPES = [np.float32, np.float64]
if np.finfo(LONG).eps < np.finfo(float).eps:
    DTYPES.append(LONG)


def backwards(f, i):
    return lambda *x: cr.grad(f, i)(*x)


def forwards(f, i):
    return lambda *x: cr.jvp(lambda t: f(*x[:i], t, *x[i + 1 :]), (x[i],), (np.ones_like(x[i]),))[1]


def is_close(got, want, rtol, spare=0.0):
    """Agreement but for rounding, and for units of the smallest number; inf only where it is."""
    dtype = np.asarray(want).dtype
    info = np.finfo(float if dtype == LONG else dtype)  # beyond doubles mpmath takes too long
    if not np.isfinite(want) or not np.isfinite(got):
        top = abs(got if np.isfinite(got) else want) > 0.999999 * info.max
        return bool(top and np.sign(got) == np.sign(want))
    return bool(abs(got - want) <= rtol * abs(want) + 16 * info.smallest_subnormal + spare)


def check(f, in_mpmath, point, slots, dtype, spare=0.0):
    """All modes of a first or second derivative at a point against mpmath's."""
    numbers = [exact(x) for x in point]
    want = rounded(derivative(in_mpmath, numbers, slots, digits_for(point)), dtype)
    for modes in (
        ([backwards], [forwards])
        if len(slots) == 1
        else (
            [backwards, backwards],
            [backwards, forwards],
        )
    ):
        slope = f
        for mode, i in zip(modes, slots):
            slope = mode(slope, i)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", cr.NonFiniteGradientWarning)
            warnings.simplefilter("ignore", cr.base.errors.IndependentOutputWarning)  # of a line
            got = slope(*point)
        said = f"{[m.__name__ for m in modes]} by {slots} at {point}: {got!r}, mpmath {want!r}"
        assert got.dtype == dtype, said
        assert is_close(got, want, RTOL[dtype], spare), said


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda t: np.dtype(t).name)
@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one_number(name, dtype):
    f, (in_mpmath, domain) = getattr(np, name), UNARY[name]
    if dtype is LONG and name in DOUBLE_INSIDE:
        pytest.skip("NumPy's value has the digits of a double")
    for x in points(domain, dtype):
        with np.errstate(all="ignore"):
            if not np.isfinite(f(x)):
                continue
            check(f, in_mpmath, (x,), (0,), dtype)
            spare = 16 * np.finfo(dtype).eps * abs(cr.grad(f)(x)) if name in DIFFERENCES else 0.0
            check(f, in_mpmath, (x,), (0, 0), dtype, spare)


def pairs(name):
    """Points where the value is finite and no tie; of many a part that is the same each time."""
    _, first, second = BINARY[name]
    chosen = list(itertools.product(first, second))
    return chosen[:: max(1, len(chosen) // 80)]


@pytest.mark.parametrize("name", BINARY)
def test_functions_of_two_numbers(name):
    f, in_mpmath = getattr(np, name), BINARY[name][0]
    for point in pairs(name):
        point = tuple(map(np.float64, point))
        with np.errstate(all="ignore"):
            if not np.isfinite(f(*point)) or ("logadd" in name and point[0] == point[1]):
                continue
            for i in (0, 1):
                check(f, in_mpmath, point, (i,), np.float64)


@pytest.mark.parametrize("name", ["hypot", "arctan2", "divide", "power", "multiply"])
def test_twice_of_two_numbers(name):
    f, in_mpmath = getattr(np, name), BINARY[name][0]
    for point in itertools.product([1e-100, 1e-5, 0.3, 7.0, 1e5, 1e100], [1e-3, 0.7, 2.0, 3.0]):
        point = tuple(map(np.float64, point))
        first = [cr.grad(f, i)(*point) for i in (0, 1)]
        for i, j in itertools.product((0, 1), (0, 1)):
            # a difference of terms of the size of slope / operand
            spare = 1e-15 * max(abs(first[i] / point[j]), abs(first[j] / point[i]))
            check(f, in_mpmath, point, (i, j), np.float64, spare)


PARTS = [0.0, -0.0, 1e-200, 1e-16, 0.3, 3.0, 20.0, 150.0, 1e16, 1e200]


def sides(z):
    """The step from z that stays on its side of a cut: the signs of zeros say which."""
    imag, real = (-1 if np.signbit(part) else 1 for part in (z.imag, z.real))
    return mp.mpc(0, imag) if z.imag == 0 else mp.mpc(real, 0)


@pytest.mark.parametrize("name", COMPLEX)
def test_complex_functions_on_their_cuts_and_far_out(name):
    f, in_mpmath = getattr(np, name), COMPLEX[name]
    for re, im in itertools.product([*PARTS, -0.3, -3.0, -1e200], [*PARTS, -0.3]):
        z = np.complex128(complex(re, im))
        with np.errstate(all="ignore"):
            if not np.isfinite(f(z)) or (z == 0 and name in ("sqrt", "log", "reciprocal")):
                continue
            digits = digits_for((re, im)) + 150
            with mp.workdps(digits):
                h = mp.mpf(10) ** -(digits // 4) * min(abs(exact(z)) or 1, 1)
                ends = [in_mpmath(exact(z) + k * h * sides(z)) for k in (1, 2, 3)]
                slope = (-5 * ends[0] + 8 * ends[1] - 3 * ends[2]) / (2 * h * sides(z))
                if abs(slope) > 1e300:
                    continue
                want = complex(mp.conj(slope))
            got = cr.vjp(f, z)[1](np.complex128(1))[0]
            pushed = cr.jvp(f, (z,), (np.complex128(1),))[1]
        for claimed in (got, np.conj(pushed)):
            assert claimed.dtype == np.complex128
            assert abs(claimed - want) <= 1e-10 * abs(want) + 1e-200, (z, claimed, want)


@pytest.mark.parametrize("scale", [1e-200, 1e-120, 1e120])
def test_det_whose_value_underflows(scale):
    """The value is 0 or subnormal (or inf), its slopes of two rows and columns are the entries."""
    a = scale * np.array([[3.0, -1.0], [2.0, 5.0]])
    want = scale * np.array([[5.0, -2.0], [1.0, 3.0]])
    np.testing.assert_allclose(cr.grad(np.linalg.det)(a), want, rtol=1e-13)
    pushed = cr.jvp(np.linalg.det, (a,), (np.eye(2),))[1]
    np.testing.assert_allclose(pushed, 8 * scale, rtol=1e-13)


@pytest.mark.parametrize("b", [np.inf, -np.inf])
def test_slopes_at_infinity_where_the_value_is_finite(b):
    both = (0, 1)
    assert cr.grad(np.arctan2, both)(2.0, b) == (0.0, 0.0)
    assert cr.grad(np.arctan2, both)(b, -2.0) == (0.0, 0.0)
    assert cr.grad(np.arctan2, both)(b, b) == (0.0, 0.0)
    assert cr.grad(np.power, both)(2.0, -np.inf) == (0.0, 0.0)
    assert cr.grad(np.logaddexp, both)(2.0, -np.inf) == (1.0, 0.0)
    assert cr.grad(np.tanh)(b) == cr.grad(np.arctan)(b) == 0.0


def test_a_new_elementwise_rule_has_extreme_points():
    numpys = {
        name
        for name, p in PRIMITIVES.items()
        if isinstance(p, Elementwise) and getattr(np, name, None) is p.fun
    }
    missing = numpys - set(UNARY) - set(BINARY) - CHOICES
    assert not missing, f"give {missing} a function of mpmath and points in tests/extremes"


@pytest.mark.parametrize("k", [-1, -2, -3.0])
def test_second_slopes_of_reciprocal_powers_do_not_overflow_early(k):
    """Of a power with a number as exponent, which is made by multiplication."""
    second = cr.grad(cr.grad(lambda x: x**k))
    for x in (1e-60, 1e-100 if k == -1 else 1e-61, 3.0, 1e60):
        want = float(k * (k - 1) * exact(np.float64(x)) ** (k - 2))
        assert second(np.float64(x)) == pytest.approx(want, rel=1e-14)
    with np.errstate(divide="ignore"):
        assert abs(second(np.float64(0.0))) == np.inf
