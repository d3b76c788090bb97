"""One line of NumPy code on random operands: NumPy's value or error, and derivatives by numbers.

``agree("np.sum(x, axis=0)", {"x": x})``. On traced operands the line must give NumPy's value and
dtype, or raise NumPy's error; the pullback and the pushforward must agree with numbers and with
each other. In float32 the judge is the same line in float64.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import scipy
from hypothesis import currently_in_test_context, note
from numpy.lib import NumpyVersion

import chainrule as cr
from tests.helpers import direction, inner, slope, weight

recent_only = pytest.mark.skipif(
    NumpyVersion(np.__version__) < "2.3.0" or NumpyVersion(scipy.__version__) < "1.16.0",
    reason="dtypes and errors in rare cases are those of recent NumPy and SciPy",
)
NARROW = "float32", "complex64", "'f4'"


@dataclass(frozen=True)
class Line:
    """``f`` of a list of operands, and its values there, the ones that are not differentiated too.

    size : of the directions; short ones keep kinks away.
    """

    f: Any
    operands: list
    values: list
    size: float = 0.05

    @property
    def used(self):
        return [np.isfinite(w) & (np.asarray(w).dtype.kind in "fc") for w in self.values]


def agree(text, operands, exact=False, **names):
    """``text`` of operands by name as on NumPy: value, dtype, error, and both derivatives."""
    code = eval(compile(f"lambda {', '.join(operands)}: {text}", text, "eval"), names | {"np": np})
    xs = list(operands.values())
    if currently_in_test_context():
        note(f"{text}   {', '.join(f'{n}: {x.dtype}{x.shape}' for n, x in operands.items())}")
    narrow = any(word in text for word in NARROW)

    def f(*xs):
        return parts(code(*xs))

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            values = f(*[copy(x) for x in xs])
        except Exception as error:
            with pytest.raises(type(error)):
                cr.vjp(f, *xs)
            return
        line = Line(f, xs, values)
        given = [copy(x) for x in xs]
        if narrow or not any(x.dtype in (np.float32, np.complex64) for x in xs):
            judged(line, exact, narrow)
        else:
            judged(line, exact, narrow=True)
            as_wide(line)
        assert all(np.array_equal(x, g) for x, g in zip(xs, given)), "an operand was changed"


def judged(line, exact, narrow):
    """Values as NumPy's; the two derivatives adjoint; the numbers agree."""
    rng = np.random.default_rng(len(line.operands))
    gs = [_only(direction(rng, w), u) for w, u in zip(line.values, line.used)]
    ts = [line.size * direction(rng, x) for x in line.operands]
    ys, pullback = cr.vjp(line.f, *line.operands)
    bars = pullback(gs)
    pushed, dys = cr.jvp(line.f, tuple(line.operands), tuple(ts))
    for values in (ys, pushed):
        for y, w in zip(values, line.values, strict=True):
            _as_numpy(y, w, exact, narrow)
    for bar, x in zip(bars, line.operands, strict=True):
        assert np.shape(bar) == np.shape(x) and np.asarray(bar).dtype == x.dtype
    dys = [_only(dy, u) for dy, u in zip(dys, line.used)]
    backward, forward = inner(bars, ts), inner(gs, dys)
    size = weight(bars, ts) + weight(gs, dys)
    close = 2e-5 * size + 1e-6 if narrow else 1e-11 * size + 1e-13
    assert abs(backward - forward) <= close, f"reverse {backward}, forward {forward}"

    def along(s):
        moved = line.f(*[_moved(x, s * t) for x, t in zip(line.operands, ts)])
        return np.array([inner(gs, [_only(y, u) for y, u in zip(moved, line.used)])])

    if not narrow:
        numbers = slope(along)
        assert not numbers.refutes([backward]).any(), (backward, numbers)


def as_wide(line):
    """The pullback in float32 is that of float64 to 3 digits."""
    rng = np.random.default_rng(0)
    gs = [_only(direction(rng, w), u) for w, u in zip(line.values, line.used)]
    wide = [x.astype(np.promote_types(x.dtype, float)) for x in line.operands]
    values, pullback = cr.vjp(line.f, *wide)
    want = pullback([g.astype(np.asarray(v).dtype)[()] for g, v in zip(gs, values)])
    got = cr.vjp(line.f, *line.operands)[1](gs)
    for bar, w in zip(got, want, strict=True):
        scale = np.max(np.abs(w), initial=1e-3, where=np.isfinite(w))
        np.testing.assert_allclose(bar, w, rtol=1e-3, atol=1e-3 * scale)


def _as_numpy(y, w, exact, narrow):
    assert np.shape(y) == np.shape(w), (np.shape(y), np.shape(w))
    assert np.asarray(y).dtype == np.asarray(w).dtype, (np.asarray(y).dtype, np.asarray(w).dtype)
    if exact:
        assert np.array_equal(y, w, equal_nan=np.asarray(w).dtype.kind in "fc"), (y, w)
    elif np.asarray(w).dtype.kind in "fc":
        close = 1e-5 if narrow else 1e-13
        scale = np.max(np.abs(w), initial=1.0, where=np.isfinite(w))
        np.testing.assert_allclose(y, w, rtol=close, atol=close * scale)
    else:
        np.testing.assert_array_equal(y, w)


def copy(x):
    """x once more, laid out in memory as x: steps of any sign and size."""
    return _moved(x, 0)


def _moved(x, step):
    """x + step with the strides of x."""
    if not x.size or 0 in x.strides:
        return x + step
    low = sum(min(0, s * (n - 1)) for s, n in zip(x.strides, x.shape))
    high = sum(max(0, s * (n - 1)) for s, n in zip(x.strides, x.shape)) + x.itemsize
    memory = np.zeros(high - low, np.uint8)
    y = np.ndarray(x.shape, x.dtype, memory, -low, x.strides)
    y[...] = x + step
    return y


def _only(y, used):
    """0 where the value is NaN, or is not differentiated at all."""
    y = np.asarray(y)
    return np.where(used, y, 0).astype(y.dtype if y.dtype.kind in "fc" else float)[()]


def parts(y):
    return [p for part in y for p in parts(part)] if isinstance(y, (tuple, list)) else [y]
