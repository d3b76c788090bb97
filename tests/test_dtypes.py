"""Precision and realness pass through every function: the value has NumPy's dtype, the gradient
that of the argument, the tangent that of the value. The cases are those of ``tests/surface``."""

import warnings

import numpy as np
import pytest

import chainrule as cr
from tests.surface.cases import CASES, MORE, REFUSED
from tests.test_surface_cases import X, parts

DTYPES = (np.float32, np.float64, np.longdouble, np.complex64, np.complex128, np.clongdouble)
TABLE = {
    f"{group}: {name}": REFUSED.get(f"{group}: {name}") or text
    for group, part in (CASES | MORE).items()
    for name, text in part.items()
}


def function(text):
    """x -> the list of arrays in the value of a case."""
    code = compile(f"lambda x, M, S: {text}", f"<{text}>", "eval")
    expression = eval(code, {"np": np})

    def f(x):
        M = x.reshape(4, 4) + 2 * np.eye(4, dtype=x.dtype)
        return parts(expression(x, M, M @ M.T))

    return f


def point(dtype):
    x = X.astype(dtype)
    return x + np.array(0.3j, dtype) * x[::-1] if x.dtype.kind == "c" else x


def ones_like(y):
    return np.ones_like(y)[()] if np.asarray(y).dtype.kind in "fc" else np.zeros(np.shape(y))[()]


def dtypes(ys):
    return [(np.shape(y), np.asarray(y).dtype) for y in ys]


def is_inexact(y):
    return np.asarray(y).dtype.kind in "fc"


# Where NumPy makes Python objects of the numbers, or refuses a dtype that is harmless here.
LENIENT = {
    "functions of functions: frompyfunc",
    "functions of functions: vectorize otypes",
    "ndarray attribute/method: round()",
    "attributes and methods: take out",
    "attributes and methods: dot out",
    "ufunc methods: dtype",
}
NEWER = {"differences and histograms: clip keywords"}  # which NumPy refuses before 2.1


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda t: np.dtype(t).name)
@pytest.mark.parametrize("name", TABLE)
def test_dtypes(name, dtype):
    f, x = function(TABLE[name]), point(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        try:
            want = f(x.copy())
        except np.exceptions.ComplexWarning:
            return  # NumPy drops imaginary parts: nothing to agree with
        except (TypeError, ValueError, AttributeError) as error:
            if name not in LENIENT | NEWER:
                with pytest.raises(type(error)):
                    cr.vjp(f, x)
            return
        if name in LENIENT and (dtype is not np.float64 or np.asarray(want[0]).dtype == object):
            return
        ys, pullback = cr.vjp(f, x)
        (x_bar,) = pullback([ones_like(y) for y in ys])
        pushed, dys = cr.jvp(f, (x,), (np.ones_like(x),))
    assert dtypes(ys) == dtypes(want)
    assert dtypes(pushed) == dtypes(want)
    assert dtypes([x_bar]) == dtypes([x])
    of_arrays = [dy for y, dy in zip(ys, dys) if type(y) is not int]  # its tangent is a float
    assert dtypes(filter(is_inexact, of_arrays)) == dtypes(filter(is_inexact, ys))
    for y, w in zip(ys, map(np.asarray, want), strict=True):
        if is_inexact(w):
            # some steps are made in the precision of x, or in double for longer ones
            eps = max(np.finfo(t).eps for t in (w.dtype, x.dtype, float))
            size = np.max(np.abs(w), initial=0, where=np.isfinite(w))
            close = (np.abs(y - w) <= 512 * eps * size) | (y == w) | (np.isnan(w) & np.isnan(y))
            assert np.all(close), (y, w)
        else:
            assert np.array_equal(y, w)
