"""The point and the function as the differences see them: a real vector in, a real vector out.

Every evaluation gets arguments of its own, so a function that writes to them harms nothing.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import numpy as np

from chainrule.base import tree
from chainrule.base.errors import ArgumentError, InputError
from chainrule.numeric.runners import OUT_OF_DOMAIN, Raised, Serial

__all__ = ["OUT_OF_DOMAIN", "Function", "Point", "as_array", "quiet"]

_AT_ONCE = 2**24  # numbers in the points that are given away together, at most


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
        for leaf, path in zip(self.leaves, self.paths):
            if isinstance(leaf, np.ma.MaskedArray) or hasattr(leaf, "tocsr"):
                what = f"{path} is a {type(leaf).__name__}: differences need plain arrays."
                raise ArgumentError(what, "Give the numbers to differentiate by as an array.")
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
    typical = np.median(nonzero) if nonzero.size else 64.0
    return np.exp2(np.floor(np.log2(np.maximum(size, typical / 64))))


class Function:
    """``f`` around a point, as a map of vectors; it counts its evaluations.

    base : (m,) value at the point, complex values as pairs.   shape, dtype : of the value.
    unit : (m,) powers of two all values are divided by, so that differences of values near the end
    of the floating-point range do not overflow. The value at the point is computed under the
    caller's error state and its exceptions pass; those at other points become NaN.
    """

    def __init__(self, f: Callable, x: Any, root: str = "x", run: Serial | None = None):
        self._f = f
        self._run = run or Serial()
        self.point = Point(x, root)
        self.evaluations = 1
        y = as_array(self._run.first(f, self.point.at(self.point.vector)))
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
        return self.many([vector])[0]

    def many(self, vectors: Iterable[np.ndarray]) -> list[np.ndarray]:
        """The values (m,) at these points, in this order; evaluated together where f is."""
        return [self._value(outcome, vector) for vector, outcome in self._outcomes(vectors, False)]

    def complex_many(self, vectors: Iterable[np.ndarray]) -> Iterator[Any]:
        """What f gives at complex vectors, as it is; exceptions pass."""
        for _, outcome in self._outcomes(vectors, True):
            if isinstance(outcome, Raised):
                raise outcome.error
            yield outcome

    @property
    def batch(self) -> int:
        """How many points it is best to ask for at once."""
        return max(1, min(self._run.batch, _AT_ONCE // max(self.point.size, 1)))

    def _outcomes(
        self, vectors: Iterable[np.ndarray], is_complex: bool
    ) -> Iterator[tuple[np.ndarray, Any]]:
        waiting = iter(vectors)
        while batch := list(islice(waiting, self.batch)):
            points = [self.point.at(vector) for vector in batch]
            outcomes, evaluations = self._run.outcomes(self._f, points, is_complex)
            self.evaluations += evaluations
            yield from zip(batch, outcomes)

    def _value(self, outcome: Any, vector: np.ndarray) -> np.ndarray:
        if isinstance(outcome, Raised):
            if not isinstance(outcome.error, OUT_OF_DOMAIN):
                outcome.error.add_note(f"f was evaluated at {_short(self.point.at(vector))}")
                raise outcome.error
            self.failure = outcome.error
            return np.full(self.base.shape, np.nan)
        y = as_array(outcome)
        if y.shape != self.shape:
            what = f"The shape of the value depends on the point: {self.shape}, then {y.shape}."
            raise InputError(what, "Differences need a value of constant shape.")
        return self._flat(y) / self.unit

    def _flat(self, y: np.ndarray) -> np.ndarray:
        if self.dtype.kind == "c":
            y = np.ascontiguousarray(y, complex).reshape(-1).view(float)
        return y.reshape(-1).astype(float)


def as_array(y: Any) -> np.ndarray:
    """The value of a function as an array of numbers; ArgumentError for anything else."""
    array = np.asarray(y)
    if array.dtype.kind == "b":
        return array.astype(float)
    if array.dtype.kind in "fciu":
        return array
    is_array = isinstance(y, np.ndarray)
    name = f"an array of {y.dtype}" if is_array else f"a {type(y).__name__}"
    what = f"The function returned {name}: differences need a number or an array."
    raise ArgumentError(what, "Return one number or one array of numbers.")


def _short(x: Any) -> str:
    text = " ".join(repr(x).split())
    return text if len(text) <= 200 else text[:197] + "..."


@contextmanager
def quiet() -> Iterator[None]:
    """Probing points may overflow or leave the domain: that is no news for the caller."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield
