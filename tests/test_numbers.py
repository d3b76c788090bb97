"""Python numbers, traced: they behave as Python's, where those differ from NumPy's scalars."""

import cmath
import math

import numpy as np
import pytest
from numpy import float64

import chainrule as cr
from tests.helpers import numeric_gradient

X = 0.53
SINGLE = np.linspace(0.5, 2.0, 4, dtype=np.float32)


def guarded(x):
    try:
        return 1 / (x - X)
    except ZeroDivisionError:
        return 7.0 * x


FUNCTIONS = {
    "type": lambda x: x**2 if type(x) is float else 0 * x,
    "type of results": lambda x: x**2 if type(x * x + 1 / x - (-x)) is float else 0 * x,
    "type from math": lambda x: x**2 if type(math.sin(x)) is float else 0 * x,
    "type from numpy": lambda x: x**2 if type(np.sin(x)) is np.float64 else 0 * x,
    "type of a complex power": lambda x: x**2 if type((x - 1) ** 0.3) is complex else 0 * x,
    "float of a NumPy scalar": lambda x: x**2 if type(float(np.sin(x))) is float else 0 * x,
    "item": lambda x: x**2 if type(np.sin(x).item()) is float else 0 * x,
    "tolist": lambda x: x**2 if type((x * np.ones(2)).tolist()[0]) is float else 0 * x,
    "no attributes of arrays": lambda x: 0 * x if hasattr(x, "shape") else x**2,
    "comparison": lambda x: x**2 if (x > 0) is True and (x == 2) is False else 0 * x,
    "zero division": guarded,
    "cube root of a negative number": lambda x: abs((x - 1) ** (1 / 3)),
    "complex": lambda x: complex(x, 2 * x).imag * (x + 2j * x).conjugate().real,
    "cmath": lambda x: abs(cmath.sqrt(x - 1)) + cmath.exp(1j * x).imag,
    "powers": lambda x: 2**x + x**2 + x**0.5 + x**x + pow(x, 3),
    "remainders": lambda x: (x % 0.3) * (x // 0.2) + divmod(x, 0.2)[1] + 2.0 % x,
    "rounding": lambda x: round(x, 1) * x + round(x) * x + int(3 * x) * x,
    "builtins": lambda x: sum([x, x * x, 1]) + max(x, 0.2) * min(x, 0.7) + abs(-x),
    "mixed": lambda x: np.sin(x) * x + x / np.sin(x) + np.arctan2(x, 2.0) ** x,
    "single precision": lambda x: (
        (x * x * SINGLE).sum() if (x * x * SINGLE + 1.5 * x).dtype == np.float32 else 0 * x
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_numbers_are_pythons(name):
    f = FUNCTIONS[name]
    value, slope = cr.value_and_grad(f)(X)
    assert value == pytest.approx(f(X), rel=1e-6 if name == "single precision" else 1e-14)
    if name == "zero division":
        assert slope == 7.0
        return
    tolerance = 1e-3 if name == "single precision" else 1e-7  # the value has 7 digits there
    step = 1e-2 if name == "single precision" else 1e-5
    expected = (f(X + step) - f(X - step)) / (2 * step)
    assert slope == pytest.approx(expected, rel=tolerance)
    assert cr.jvp(f, (X,), (1.0,))[1] == pytest.approx(slope)


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - {"zero division", "single precision"}))
def test_second_derivatives_of_numbers(name):
    f = FUNCTIONS[name]
    outer = cr.grad(lambda x: 3.0 * cr.grad(f)(x) + x)
    slopes = numeric_gradient(lambda x: 3.0 * cr.grad(f)(float(x[0])) + x[0], np.array([X]))
    assert outer(X) == pytest.approx(slopes[0], rel=1e-6, abs=1e-8)


def test_numpy_scalars_stay_numpy_scalars():
    def f(x):
        assert type(x) is np.float64 and hasattr(x, "shape")
        return 1 / x if type(1 / x) is np.float64 else 0 * x

    assert cr.grad(f)(np.float64(0.5)) == -4.0
    with np.errstate(divide="ignore"):
        assert cr.value_and_grad(f)(np.float64(0.0))[0] == np.inf


@pytest.mark.parametrize(
    "f, error",
    [
        (lambda x: 1 / (x - X), ZeroDivisionError),
        (lambda x: x % (x - X), ZeroDivisionError),
        (lambda x: (x - X) ** -1, ZeroDivisionError),
        (lambda x: (1e200 * x) ** 2, OverflowError),
        (lambda x: math.log(-x), ValueError),
    ],
)
def test_pythons_errors(f, error):
    with pytest.raises(error):
        f(X)
    with pytest.raises(error):
        cr.grad(f)(X)


def test_numbers_in_trees_of_arguments():
    def f(p):
        return p["a"] * p["b"] ** 2 if type(p["a"]) is float else 0.0 * p["a"]

    assert cr.grad(f)({"a": 2.0, "b": 3}) == {"a": 9.0, "b": 12.0}


class Settings:
    kind = np.float64


SCALAR_TYPES = {
    "scalar": lambda x: np.float64(x[0]) ** 2,
    "number": lambda x: x[0] * (type(np.float64(float(x[0]))) is np.float64),
    "array": lambda x: (np.float64(x) ** 2).sum(),
    "list": lambda x: np.float64([x[0], 2.0]).sum() + np.float64([1.0, 2.0])[1] * x[1],
    "name": lambda x: float64(x[0]) ** 2 + float64("2.5") * x[1],
    "single": lambda x: x[0] * (np.float32(x[0]).dtype == np.float32),
    "complex": lambda x: abs(np.complex128(x[0]) * 2j) ** 2,
    "argument of a call": lambda x: np.zeros(3, np.float64).sum() + x.astype(np.float64).sum(),
    "keyword": lambda x: (x * np.ones(3, dtype=float64)).sum(),
    "method": lambda x: np.float64.fromhex("0x1p-1") * x[0],
    "starred": lambda x: np.float64(*[x[0]]) ** 2,
    "identity": lambda x: x[0] * (x.dtype.type is np.float64) * (x.dtype.type is float64),
    "isinstance": lambda x: x[0] * isinstance(x[0], np.float64) * (x.dtype == np.float64),
    "key": lambda x: x[0] * {np.float64: 2, np.float32: 3}[x.dtype.type],
    "attribute": lambda x: x[0] * (Settings.kind is np.float64),
}


@pytest.mark.parametrize("name", SCALAR_TYPES)
def test_scalar_types_convert_when_called_and_are_themselves_otherwise(name):
    f, x = SCALAR_TYPES[name], np.array([0.5, 0.3, 0.7])
    value, gradient = cr.value_and_grad(f)(x)
    assert value == pytest.approx(float(f(x)), rel=1e-14)
    np.testing.assert_allclose(gradient, numeric_gradient(f, x), rtol=1e-6, atol=1e-8)
