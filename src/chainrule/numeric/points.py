"""The point and the function as the differences see them: a real vector in, a real vector out.

Every evaluation gets arguments of its own, so a function that writes to them harms nothing.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from chainrule.base import tree
from chainrule.base.errors import ArgumentError, InputError

# What a function may raise where it is not defined; at a probing point that is an answer: NaN.
OUT_OF_DOMAIN = (ArithmeticError, ValueError)


class Point:
    """The tree ``x`` as a float64 vector, with what each coordinate can resolve.

    vector : (N,), complex leaves as pairs of real and imaginary part.
    eps : (N,) spacing of floats around 1 in the dtype of the coordinate's leaf.
    scale : (N,) power of two to start differences from: the size of the coordinate, but not much
    less than its neighbours in the leaf, and 1 where everything is zero.
    """

    def __init__(self, x: Any, root: str = "x"):
        self.leaves, self.treedef = tree.flatten(x)
        self.paths = tree.paths(x, root)
        vector, self._unravel = tree.ravel(x, root)
        self.vector = vector.astype(float)
        self.dtypes = dtypes = [tree.float_dtype(leaf) for leaf in self.leaves]
        self.is_real = all(dtype.kind == "f" for dtype in dtypes)
        reals = [np.empty(0, dtype).real.dtype for dtype in dtypes]
        parts = [2 if dtype.kind == "c" else 1 for dtype in dtypes]
        sizes = [np.size(leaf) * part for leaf, part in zip(self.leaves, parts)]
        self.ends = np.cumsum(sizes, dtype=int)
        self.eps = np.repeat([max(float(np.finfo(d).eps), 2.0**-52) for d in reals], sizes)
        self._real = np.repeat(np.array(reals, dtype=object), sizes)
        self.scale = np.ones(self.size)
        for start, end in self.ranges():
            self.scale[start:end] = _natural_scale(self.vector[start:end])
        self._check_finite()

    @property
    def size(self) -> int:
        return len(self.vector)

    @property
    def storage(self) -> np.ndarray:
        """(N,) relative error that storing a number in the leaf's dtype adds to float64."""
        return np.where(self.eps > 2.0**-52, self.eps / 2, 0.0)

    def ranges(self) -> Iterator[tuple[int, int]]:
        """Where the leaves begin and end in the vector."""
        return zip([0, *self.ends[:-1].tolist()], self.ends.tolist())

    def at(self, vector: np.ndarray) -> Any:
        """A new tree of arguments with these numbers."""
        return self._unravel(vector)

    def tree_of(self, values: np.ndarray) -> Any:
        """A tree like x from one number a coordinate, each leaf in its own dtype."""
        return self._unravel(values)

    def move(self, i: int, by: float) -> tuple[np.ndarray, float]:
        """The vector with coordinate ``i`` moved, and how far it went after rounding."""
        vector = self.vector.copy()
        vector[i] = moved = float(self._real[i].type(vector[i] + by))
        return vector, moved - float(self.vector[i])

    def name(self, i: int) -> str:
        """``params['W'][0, 1]``: the coordinate as a person would write it."""
        leaf = int(np.searchsorted(self.ends, i, side="right"))
        start = int(self.ends[leaf - 1]) if leaf else 0
        index, part = i - start, ""
        if self.dtypes[leaf].kind == "c":
            index, part = index // 2, (".real", ".imag")[index % 2]
        shape = np.shape(self.leaves[leaf])
        where = ", ".join(str(int(k)) for k in np.unravel_index(index, shape)) if shape else ""
        return self.paths[leaf] + (f"[{where}]" if where else "") + part

    def _check_finite(self) -> None:
        bad = np.flatnonzero(~np.isfinite(self.vector))
        if bad.size:
            i = int(bad[0])
            what = f"{self.name(i)} is {self.vector[i]}: there is no derivative at such a point."
            raise InputError(what, "Give a finite point.")


def _natural_scale(x: np.ndarray) -> np.ndarray:
    size = np.abs(x)
    nonzero = size[size > 0]
    typical = np.median(nonzero) if nonzero.size else 1.0
    return np.exp2(np.floor(np.log2(np.maximum(size, typical / 64))))


class Function:
    """``f`` around a point, as a map of vectors; it counts its evaluations.

    base : (m,) value at the point, complex values as pairs.   shape, dtype : of the value.
    unit : (m,) powers of two all values are divided by, so that differences of values near the end
    of the floating-point range do not overflow. The value at the point is computed under the
    caller's error state and its exceptions pass; those at other points become NaN.
    """

    def __init__(self, f: Callable, x: Any, root: str = "x"):
        self._f = f
        self.point = Point(x, root)
        self.evaluations = 1
        y = as_array(f(self.point.at(self.point.vector)))
        self.shape, self.dtype = y.shape, y.dtype
        self.eps = float(np.finfo(y.dtype).eps) if y.dtype.kind in "fc" else 2.0**-52
        self.failure: Exception | None = None
        self.unit: np.ndarray | float = 1.0
        base = self._flat(y)
        with np.errstate(all="ignore"):
            large = np.abs(base) > 1e100
            if large.any():
                exponent = np.frexp(np.where(large & np.isfinite(base), base, 1.0))[1]
                self.unit = np.exp2(exponent.astype(float))
        self.base = base / self.unit

    def __call__(self, vector: np.ndarray) -> np.ndarray:
        """The value (m,) at another point; NaN where f is not defined. Call inside ``quiet()``."""
        self.evaluations += 1
        try:
            y = as_array(self._f(self.point.at(vector)))
        except OUT_OF_DOMAIN as failure:
            self.failure = failure
            return np.full(self.base.shape, np.nan)
        if y.shape != self.shape:
            what = f"The shape of the value depends on the point: {self.shape}, then {y.shape}."
            raise InputError(what, "Differences need a value of constant shape.")
        return self._flat(y) / self.unit

    def complex_value(self, vector: np.ndarray) -> Any:
        """What f gives at a complex vector, as it is; exceptions pass."""
        self.evaluations += 1
        return self._f(self.point.at(vector))

    def _flat(self, y: np.ndarray) -> np.ndarray:
        if self.dtype.kind == "c":
            y = np.ascontiguousarray(y, complex).reshape(-1).view(float)
        return y.reshape(-1).astype(float)


def as_array(y: Any) -> np.ndarray:
    """The value of a function as an array of numbers; ArgumentError for anything else."""
    array = np.asarray(y)
    if array.dtype.kind in "fciub":
        return array
    what = f"The function returned a {type(y).__name__}: differences need a number or an array."
    raise ArgumentError(what, "Return one number or one array of numbers.")


@contextmanager
def quiet() -> Iterator[None]:
    """Probing points may overflow or leave the domain: that is no news for the caller."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield
