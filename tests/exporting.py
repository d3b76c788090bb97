"""Shared by the tests of exported source: run a file's text, compare what it gives with truth."""

import contextlib
import io
from typing import Any

import numpy as np

import chainrule as cr
from chainrule.base import tree


def exported(text: str) -> tuple[Any, dict[str, Any]]:
    """The one function of an exported file, and the file's namespace."""
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(compile(text, "<exported>", "exec"), namespace)
    kinds = ("_value_and_grad", "_value", "_jvp", "_hvp", "_jacobian")
    (function,) = [v for k, v in namespace.items() if k.endswith(kinds)]
    return function, namespace


def export(f, *args, **options) -> Any:
    """The exported function; the file has passed its own test."""
    text = cr.source(f, *args, **options)
    function, namespace = exported(text)
    with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
        namespace["self_test"]()
    return function


def leaves(x: Any) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in tree.flatten(x)[0]]


def assert_same_bits(got: Any, want: Any) -> None:
    for a, b in zip(leaves(got), leaves(want), strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        np.testing.assert_array_equal(a, b)


def assert_close(got: Any, want: Any, ulp: float = 64) -> None:
    """Equal to some ulp of the largest element: sums in another order differ by that much."""
    for a, b in zip(leaves(got), leaves(want), strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        eps = np.finfo(b.dtype).eps if b.dtype.kind in "fc" else 0.0
        size = np.max(np.abs(b), initial=0.0, where=np.isfinite(b))
        np.testing.assert_allclose(a, b, rtol=ulp * eps, atol=ulp * eps * size)
