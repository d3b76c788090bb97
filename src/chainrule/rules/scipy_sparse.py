"""``scipy.sparse``: matrices that lifted code can follow, with traced values or traced partners.

Lifted code sees a sparse matrix as a ``Sparse``, which stands for the object of SciPy. As long as
nothing is traced, SciPy's own method runs on SciPy's own object. Where only the partner is traced,
the product is a primitive. Where the values are traced, they are one array beside the structure:

* What moves values about (formats, slices, stacking, diagonals, assignment) is done by SciPy, on a
  matrix that holds the *positions* 1, 2, 3 ... in place of the values; what comes back says which
  value goes where (``replay``).
* What adds values up or multiplies them is a few lines on coordinates (``scipy_sparse_algebra``).

A position is never 0: a value that happens to be zero keeps its place and its derivative. Where
SciPy would drop such an entry, an explicit zero stays.
"""

import sys
from bisect import bisect_right
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

from chainrule.base.errors import NonDifferentiableError
from chainrule.core.array import as_constant
from chainrule.core.lift import _MAPPERS, MAKERS, _itself, replace
from chainrule.core.lift_code import opcode_at
from chainrule.core.lift_compiled import GIVEN
from chainrule.core.lift_containers import unlifted
from chainrule.core.lift_views import _READS_ATTRIBUTE, live_lifter, seen_object, unview
from chainrule.core.settle import UNVIEW
from chainrule.core.trace import Tracer, current, is_traced, plain, refuse
from chainrule.rules.joins import operand
from chainrule.rules.lifting import _NumberLike
from chainrule.rules.scipy_sparse_dense import Matrix
from chainrule.rules.scipy_sparse_products import (
    frozen,
    places,
    same_structure,
    sums,
    with_data,
)

KINDS = [
    getattr(sparse, f"{form}_{kind}")
    for form in ("csr", "csc", "coo", "bsr", "dia", "lil", "dok")
    for kind in ("matrix", "array")
]
LISTS = frozenset({"lil", "dok"})  # formats whose values are no array

# ---------------------------------------------------------------- classes and objects


class SparseClass(type):
    """The classes of ``scipy.sparse`` as lifted code sees them."""

    _cr_class: type

    def __call__(cls, *args, **kwargs):
        return construct(cls._cr_class, *args, **kwargs)

    def __instancecheck__(cls, x):
        if type(type(x)) is SparseClass:
            return issubclass(type(x)._cr_class, cls._cr_class)
        return isinstance(unview(x), cls._cr_class)

    def __subclasscheck__(cls, other):
        return issubclass(unview(other), cls._cr_class)

    def __getattr__(cls, name):
        return getattr(cls._cr_class, name)

    def __repr__(cls):
        return repr(cls._cr_class)


class Sparse:
    """A sparse matrix as lifted code sees it.

    The values are those of the SciPy object, or, once they are ours, ``_values``: an array like its
    ``data``. Formats of lists have theirs in ``_pool``, at the positions that ``_places`` holds.
    ``_padded``: there are zeros, or sums, where SciPy would have other entries.
    """

    __slots__ = (
        "__weakref__",
        "_frozen",
        "_original",
        "_padded",
        "_places",
        "_pool",
        "_registered",
        "_single",
        "_values",
    )
    __array_priority__ = sparse.csr_array.__array_priority__
    __hash__ = None  # type: ignore[assignment]

    _original: Any

    @property  # type: ignore[misc]
    def __class__(self):
        """The class that makes such objects where code reads it, SciPy's where C asks."""
        kind = type(self)
        return kind if opcode_at(sys._getframe(1)) in _READS_ATTRIBUTE else kind._cr_class

    def __getattr__(self, name):
        return attribute(self, name)

    def __setattr__(self, name, value):
        if name == "data" and self._original.format not in LISTS:
            _put(self, "_values", operand(value))
            original_of(self)  # which gets them when the trace has ended
        else:
            settled_for_change(self)
            setattr(self._original, name, bare(value))

    def __copy__(self):
        return self.copy()

    def __deepcopy__(self, memo):
        return self.copy()

    def __reduce_ex__(self, protocol):
        return bare(self).__reduce_ex__(protocol)

    def __repr__(self):
        return repr(bare(self))

    def __str__(self):
        return str(bare(self))


_put = object.__setattr__
CLASSES: dict[type, Any] = {
    kind: SparseClass(
        kind.__name__,
        (Sparse,),
        {
            "__slots__": (),
            "_cr_class": kind,
            "__module__": kind.__module__,
            "__doc__": kind.__doc__,
        },
    )
    for kind in KINDS
}


def stand_for(original: Any, values: Any = None, padded: bool = False) -> Any:
    """The matrix that lifted code sees; ``values`` are the array in place of the data."""
    made = object.__new__(CLASSES[type(original)])
    for name in Sparse.__slots__[1:]:
        _put(made, name, None)
    _put(made, "_original", original)
    _put(made, "_values", values)
    _put(made, "_padded", padded)
    return made


def filled(original: Any, places_of: Any, pool: "Pool", padded: bool) -> Any:
    """A matrix of lists with values at positions."""
    made = stand_for(original, padded=padded)
    _put(made, "_places", places_of)
    _put(made, "_pool", pool)
    return made


def original_of(s: Sparse) -> Any:
    """SciPy's object, for what lies outside of lifted code; it comes back as ``s``."""
    lifter = live_lifter()
    if lifter is None:
        _settle(s)
    elif not s._registered:
        _put(s, "_registered", True)
        lifter.seen[id(s._original)] = (s._original, s)
        lifter.trace.at_end.append(lambda: _settle(s))
    return s._original


def _settle(s: Sparse) -> None:
    if s._values is not None:
        s._original.data = np.array(plain(s._values))


UNVIEW[SparseClass] = original_of

# ---------------------------------------------------------------- what is in a matrix


def values_of(s: Sparse) -> Any:
    """The values of a matrix in an array format, of the shape of its ``data``."""
    return s._values if s._values is not None else seen_object(s._original.data)


def traced(s: Sparse) -> bool:
    if s._places is not None:
        return True
    if s._original.format in LISTS:
        return False
    return is_traced(values_of(s))


def involves(x: Any) -> bool:
    """Whether a derivative may flow through something in ``x``."""
    if isinstance(x, Tracer):
        return is_traced(x)
    if isinstance(x, Sparse):
        return traced(x)
    if isinstance(x, Matrix):
        return True
    if isinstance(x, (list, tuple)):
        return any(map(involves, x))
    if type(x) is np.ndarray and x.dtype == object:
        return any(map(involves, x.flat))
    return isinstance(x, dict) and any(map(involves, x.values()))


def bare(x: Any) -> Any:
    """What SciPy's own code is given: its own objects, plain arrays and numbers."""
    if isinstance(x, Sparse):
        if x._values is None:
            return x._original
        # a copy, because SciPy sorts indices and adds up duplicates of what it is given
        return with_data(frozen(x._original), np.array(plain(x._values)))
    if isinstance(x, Tracer):
        return plain(x)
    if isinstance(x, type):
        return x.dtype if isinstance(x, _NumberLike) else unview(x)
    if isinstance(x, (list, tuple)):
        x = unlifted(x)
        return type(x)(map(bare, x)) if type(x) in (list, tuple) else x
    if type(x) is np.ndarray and x.dtype == object:
        return np.array([bare(v) for v in x.flat] + [None], object)[:-1].reshape(x.shape)
    if type(x) is dict:
        return {k: bare(v) for k, v in x.items()}
    return plain(unview(x))


def seen(y: Any) -> Any:
    """A result of SciPy's as lifted code sees it."""
    if type(y) is np.ndarray:
        return as_constant(y) if y.base is None else seen_object(y)
    return seen_object(y)


def refusal(what: str, remedy: str = "") -> NonDifferentiableError:
    return refuse(
        NonDifferentiableError(
            f"{what} has no derivative in chainrule where its values are traced",
            remedy
            or "Write it with @, +, -, *, multiply, slices, formats, stacking, sums, spsolve; use "
            "S.toarray(); or treat the values as constant: chainrule.constant(x).",
        )
    )


def name_of(s: Sparse, name: str) -> str:
    return f"scipy.sparse.{type(s).__name__}.{name}"


_OF_STRUCTURE = frozenset(
    "shape ndim nnz format size indices indptr row col coords offsets blocksize rows maxprint "
    "has_canonical_format has_sorted_indices _shape _shape_as_2d".split()
)
_OF_ENTRIES = frozenset("data indices indptr row col coords nnz size getnnz rows".split())
_PLAIN = frozenset(
    "getnnz get_shape getformat getmaxprint count_nonzero nonzero check_format argmax argmin "
    "__len__ __bool__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __contains__".split()
)


_DENSE_OR_TURNED: dict[str, Callable[[Any], Any]] = {  # of spmatrix, in older SciPy
    "A": lambda s: s.toarray(),
    "H": lambda s: s.conj().T,
}


def attribute(s: Sparse, name: str) -> Any:
    """What is no method of ours: of the structure, or SciPy's if nothing is traced."""
    original = s._original
    if s._padded and name in _OF_ENTRIES:
        raise refusal(
            f"{name_of(s, name)} of a matrix where SciPy adds up or leaves out entries",
            "Use the matrix as a whole (products, sums, S.toarray()); if entries are there twice, "
            "call S.sum_duplicates() before.",
        )
    if name == "data" and original.format not in LISTS:
        return values_of(s)
    if name == "dtype":
        return values_of(s).dtype if s._values is not None else original.dtype
    if name in _OF_STRUCTURE:
        held = s._places if s._places is not None else original
        return seen_object(getattr(held, name))
    value = getattr(original, name)
    if name in _DENSE_OR_TURNED:
        return _DENSE_OR_TURNED[name](s)
    if callable(value):
        return lambda *args, **kwargs: forward(s, name, args, kwargs)
    if traced(s):
        raise refusal(name_of(s, name))
    return seen(value)


def forward(s: Sparse, name: str, args: tuple, kwargs: dict[str, Any]) -> Any:
    """SciPy's own method on SciPy's own object."""
    if name not in _PLAIN and (traced(s) or involves(args) or involves(kwargs)):
        raise refusal(name_of(s, name))
    kwargs = {k: _writable(v) if k == "out" else bare(v) for k, v in kwargs.items()}
    y = getattr(bare(s), name)(*map(bare, args), **kwargs)
    return s if y is s._original else seen(y)


def _writable(out: Any) -> Any:
    return out._exposed() if isinstance(out, Tracer) else out


def settled_for_change(s: Sparse) -> None:
    if traced(s):
        raise refusal(f"changing the structure of a {type(s).__name__}")


# ---------------------------------------------------------------- positions


class Pool:
    """Values of a matrix that is filled piece by piece: position k + 1 is the k-th of them."""

    def __init__(self, first: Any):
        self.parts = [first]
        self.starts = [0]
        self.size = first.size

    def add(self, values: Any) -> Any:
        """Positions of new values, in their shape."""
        n, shape = int(np.size(plain(values))), np.shape(plain(values))
        self.parts.append(values.copy() if isinstance(values, Tracer) else np.array(values))
        self.starts.append(self.size)
        self.size += n
        return np.arange(self.size - n + 1, self.size + 1).reshape(shape)[()]

    def joined(self) -> Any:
        if len(self.parts) > 1:
            self.parts = [np.concatenate([np.reshape(p, -1) for p in self.parts])]
            self.starts = [0]
        return self.parts[0]

    def one(self, position: int) -> Any:
        """The value at a position, without joining all."""
        k = bisect_right(self.starts, position - 1) - 1
        part = self.parts[k]
        return np.reshape(part, -1)[position - 1 - self.starts[k]]


def taken(pool: Any, positions: Any) -> Any:
    """The values at positions; 0 at position 0."""
    positions = np.asarray(positions)
    if not positions.ndim:
        return pool[int(positions) - 1] if positions else pool.dtype.type(0)
    if positions.all():
        return pool[positions - 1]
    if not pool.size:
        return as_constant(np.zeros(positions.shape, pool.dtype))
    y = pool[np.maximum(positions, 1) - 1]
    return np.where(positions != 0, y, np.zeros((), pool.dtype))


class Positions:
    """Operands of a function of SciPy's with positions in place of their values."""

    def __init__(self, as_they_are: bool = False) -> None:
        self.as_they_are = as_they_are  # entries that are there twice are not added up before
        self.parts: list[Any] = []  # flat values
        self.size = 0
        self.sources: list[tuple[Any, Sparse]] = []

    def of(self, x: Any) -> Any:
        """The operand with positions; of lists and tuples, of what is in them."""
        if isinstance(x, Sparse):
            return self.of_sparse(x)
        if isinstance(x, (list, tuple)):
            return [self.of(v) for v in x]
        if isinstance(x, np.ndarray) and x.dtype == object:
            return np.array([self.of(v) for v in x.flat] + [None], object)[:-1].reshape(x.shape)
        if x is None:
            return None
        if sparse.issparse(x):
            return self.of_sparse(stand_for(x))
        return self.of_dense(x)

    def of_sparse(self, s: Sparse) -> Any:
        if s._original.format in LISTS:
            if s._places is None:
                s = stand_for(s._original.tocoo())
            else:
                return self.of_places(s._places, s._pool.joined())
        s = s if self.as_they_are else canonical(s)
        values = values_of(s)
        y = with_data(s._original, self.new(values))
        self.sources.append((y.data, s))
        return y

    def of_places(self, held: Any, pool: Any) -> Any:
        moved = held.tocoo()
        moved.data = moved.data + self.size
        self.new(pool)
        return moved.asformat(held.format)

    def of_dense(self, x: Any) -> Any:
        positions = self.new(x)
        if not isinstance(x, Tracer):  # zeros of constants are no entries
            positions = np.where(np.asarray(x) != 0, positions, 0)
        return positions if positions.ndim else positions[()]

    def new(self, values: Any) -> np.ndarray:
        shape = np.shape(plain(values))
        n = int(np.prod(shape, dtype=int))
        self.parts.append(np.reshape(values, -1) if shape != (n,) else values)
        self.size += n
        return np.arange(self.size - n + 1, self.size + 1).reshape(shape)

    def values(self) -> Any:
        return self.parts[0] if len(self.parts) == 1 else np.concatenate(self.parts)

    def result(self, y: Any, original: Callable[[], Any]) -> Any:
        """What has positions in it, with the values instead; ``original`` makes SciPy's own."""
        if isinstance(y, np.matrix):
            return Matrix(taken(self.values(), np.asarray(y)))
        if not sparse.issparse(y):
            return taken(self.values(), y)
        padded = any(source._padded for _, source in self.sources)
        m = original()
        if y.format in LISTS:
            return filled(m, y, Pool(self.values()), padded)
        values = self.shared(y)
        if values is None:
            values = taken(self.values(), y.data)
        if m.data.shape == values.shape and same_structure(m, y):
            return stand_for(m, values, padded)
        return stand_for(with_data(y, _plain_like(values)), values, True)

    def shared(self, y: Any) -> Any:
        """The values of an operand with which the result shares its memory, or None."""
        for data, source in self.sources:
            if np.may_share_memory(data, y.data) and np.array_equal(data, y.data):
                return values_of(source)
        return None


def _plain_like(values: Any) -> np.ndarray:
    return np.array(plain(values))


class Counts(Positions):
    """Operands with ones in place of their values: a sum of several is more."""

    def new(self, values: Any) -> np.ndarray:
        return super().new(values) ** 0

    def of_places(self, held: Any, pool: Any) -> Any:
        moved = super().of_places(held, pool).tocoo()
        moved.data = moved.data**0
        return moved.asformat(held.format)


def replay(f: Callable[..., Any], *operands: Any) -> Any:
    """``f`` of operands, which only moves their values about."""
    positions = Positions(_repeats(operands) and not _adds_up(f, operands))
    moved = [positions.of(x) for x in operands]
    return positions.result(f(*moved), lambda: f(*map(bare, operands)))


def _repeats(x: Any) -> bool:
    """Whether a matrix in ``x`` has an entry twice."""
    if isinstance(x, Sparse):
        return canonical(x) is not x
    return isinstance(x, (list, tuple)) and any(map(_repeats, x))


def _adds_up(f: Callable[..., Any], operands: tuple) -> bool:
    """Whether ``f`` adds up entries at the same place: sums of positions would mean nothing."""
    counts = Counts(as_they_are=True)
    y = f(*[counts.of(x) for x in operands])
    if sparse.issparse(y):
        y = y.tocoo().data
    return bool(np.max(y, initial=0) > 1)


def is_canonical(m: Any) -> bool:
    """Whether no entry is there twice; the answer may be No of coordinates nobody has sorted."""
    if m.format == "dia":
        return len(np.unique(m.offsets)) == len(m.offsets)
    return m.has_canonical_format


def coordinates(m: Any) -> tuple[np.ndarray, np.ndarray, Any]:
    """As ``places``; a vector is one row."""
    if m.ndim == 1:
        columns = m.coords[0] if m.format == "coo" else m.indices
        return np.zeros(len(columns), int), columns, None
    if m.ndim > 2:
        raise refusal(
            f"a sparse array of {m.ndim} dimensions", "Reshape it to two dimensions before."
        )
    return places(m)


def canonical(s: Sparse) -> Sparse:
    """The matrix with the entries at one place added up."""
    original = s._original
    if s._single or original.format in LISTS or is_canonical(original):
        return s
    values, rows, columns = entries(s)
    made = assembled(values, rows, columns, original)
    if made._original.nnz < len(rows):
        return of_format(made, original.format)
    _put(s, "_single", True)
    return s


def entries(s: Any) -> tuple[Any, np.ndarray, np.ndarray]:
    """Values, rows and columns, each flat; of formats of lists, in the order of ``tocoo``."""
    if s._original.format in LISTS:
        s = s.tocoo()
    rows, columns, inside = coordinates(s._original)
    values = np.reshape(values_of(s), -1)
    if inside is not None and not inside.all():
        return values[inside], rows[inside], columns[inside]
    return values, rows, columns


def assembled(values: Any, rows: Any, columns: Any, like: Any, shape: Any = None) -> Sparse:
    """A coo matrix (or array, as ``like`` is) of entries, those at one place added up."""
    shape = like.shape if shape is None else shape
    width = max(1, shape[-1])
    keys, group = np.unique(rows.astype(np.int64) * width + columns, return_inverse=True)
    if len(keys) < len(rows):
        values = sums(values, group, len(keys))
    else:
        values = values[np.argsort(group)]
    coords = np.divmod(keys, width)
    kind = sparse.coo_array if isinstance(like, sparse.sparray) else sparse.coo_matrix
    coords = coords[1:] if len(shape) == 1 else coords
    made = kind((_plain_like(values), tuple(coords)), shape=shape)
    made.has_canonical_format = True
    return stand_for(made, values)


def of_format(s: Sparse, form: str) -> Sparse:
    if s._original.format == form:
        return s
    return replay(lambda m: m.asformat(form), s)


# ---------------------------------------------------------------- construction


def construct(kind: type, *args: Any, **kwargs: Any) -> Any:
    """``csr_matrix(...)`` and its like in lifted code."""
    if current() is None:
        return kind(*args, **kwargs)
    if args and _ours(args[0]):
        return _constructed(kind, *args, **kwargs)
    if _ours(kwargs.get("arg1")):
        return _constructed(kind, **kwargs)
    return seen_object(kind(*map(bare, args), **{k: bare(v) for k, v in kwargs.items()}))


def _ours(x: Any) -> bool:
    """Whether a matrix made of ``x`` has values of ours: traced ones, or in an array of ours."""
    if isinstance(x, Sparse):
        return x._values is not None or traced(x)
    if isinstance(x, tuple) and x and not isinstance(x[0], (int, np.integer)):
        return isinstance(x[0], Tracer) or involves(x[0])
    return involves(x)


def _constructed(
    kind: Any, arg1: Any, shape: Any = None, dtype: Any = None, copy: bool = False, **options: Any
) -> Any:
    shape, options = bare(shape), {k: bare(v) for k, v in options.items()}
    dtype = None if dtype is None else np.dtype(bare(dtype))
    if isinstance(arg1, tuple) and not isinstance(arg1, Sparse):
        made = _of_parts(kind, arg1, shape, options)
    else:
        source = arg1 if isinstance(arg1, Sparse) else operand(arg1)
        made = replay(lambda m: kind(m, shape=shape, **options), source)
    if dtype is not None and dtype != made.dtype:
        return made.astype(dtype)
    return made.copy() if copy else made


def _of_parts(kind: Any, parts: tuple, shape: Any, options: dict[str, Any]) -> Any:
    data, structure = operand(parts[0]), bare(tuple(parts[1:]))
    form = kind.__name__[:3]
    by_coordinates = len(parts) == 2 and form != "dia"
    values = data if data.ndim else data.reshape(1)
    if not by_coordinates or form == "coo":
        return _with_structure(kind, values, structure, shape, options)
    coo = sparse.coo_array if issubclass(kind, sparse.sparray) else sparse.coo_matrix
    made = canonical(_with_structure(coo, values, structure, shape, {}))
    return replay(lambda m: kind(m, **options), made)


def _with_structure(kind, values, structure, shape, options):
    def make(data):
        return kind((data, *structure), shape=shape, **options)

    positions = Positions()
    numbers = positions.new(values)
    y = make(numbers)
    if np.array_equal(y.data, numbers):
        return stand_for(make(_plain_like(values)), values)
    return positions.result(y, lambda: make(_plain_like(values)))


# ---------------------------------------------------------------- what lifted code sees

for _kind in KINDS:
    MAKERS[_kind] = lambda original, map: stand_for(original)
    replace(_kind, CLASSES[_kind])
_MAPPERS.update(dict.fromkeys(CLASSES.values(), _itself))


def _given(s: Sparse, what: str) -> Any:
    if traced(s):
        raise refusal(f"a sparse matrix as {what}", "Use S.toarray() there, or S.data.")
    return bare(s)


GIVEN.update(dict.fromkeys(CLASSES.values(), _given))
