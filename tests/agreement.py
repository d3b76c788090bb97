"""One function in every mode against numbers, where its value may differ in the last digits."""

from collections.abc import Callable
from typing import Any

import numpy as np

import chainrule as cr
from tests.helpers import slope


def agree(f: Callable[..., Any], *xs: Any) -> None:
    """``f(*xs)`` is NumPy's or SciPy's to rounding, with its shapes and dtypes; jvp and vjp agree
    with numbers and each other, and so does the second derivative, forward over reverse.

    f returns an array or a tuple or list of them; complex ones are their two real parts.
    """
    xs = tuple(np.asarray(x, float)[()] for x in xs)
    ts = tuple(np.sin(2.0 + np.arange(x.size)).reshape(x.shape)[()] for x in xs)
    want = real_parts(f(*xs))
    weights = np.cos(1.0 + np.arange(want.size))
    size = 1.0 + np.abs(want).max(initial=0.0)

    def flat(*zs):
        return real_parts(f(*zs))

    def phi(*zs):
        y = flat(*zs)
        return np.sum(weights * y + 0.2 * y * y)

    def moved(s):
        return [x + s * t for x, t in zip(xs, ts)]

    _same_kinds(cr.vjp(f, *xs)[0], f(*xs))
    value, pullback = cr.vjp(flat, *xs)
    np.testing.assert_allclose(value, want, rtol=1e-11, atol=1e-13 * size)
    dy = cr.jvp(flat, xs, ts)[1]
    along = slope(lambda s: flat(*moved(s)))
    assert not along.refutes(dy).any(), ("jvp", dy, along)
    backward = sum(np.sum(bar * t) for bar, t in zip(pullback(weights), ts))
    np.testing.assert_allclose(backward, np.sum(dy * weights), rtol=1e-9, atol=1e-10 * size)

    gradient = cr.grad(phi, wrt=tuple(range(len(xs))))
    along = slope(lambda s: joined(gradient(*moved(s))))
    second = cr.jvp(lambda *zs: joined(gradient(*zs)), xs, ts)[1]
    assert not along.refutes(second).any(), ("jvp of grad", second, along)


def _same_kinds(got: Any, want: Any) -> None:
    for a, b in zip(leaves(got), leaves(want), strict=True):
        kinds = [(np.shape(y), np.asarray(y).dtype) for y in (a, b)]
        assert kinds[0] == kinds[1], kinds


def leaves(y: Any) -> list:
    return [leaf for part in y for leaf in leaves(part)] if isinstance(y, (tuple, list)) else [y]


def real_parts(y: Any) -> Any:
    parts = [p for a in leaves(y) for p in ((a.real, a.imag) if np.iscomplexobj(a) else (a,))]
    return joined(parts)


def joined(arrays: Any) -> Any:
    return np.concatenate([np.ravel(a) for a in arrays])
