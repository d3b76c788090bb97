"""Arithmetic of sparse matrices with traced values or traced partners, in place of SciPy's methods.

Each method asks SciPy's own for the format of its result (``kind_of``), and then adds up or
multiplies values on coordinates.
"""

import operator
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

from chainrule.core.array import OPERANDS, as_constant
from chainrule.core.lift_views import seen_object
from chainrule.core.primitive import apply
from chainrule.core.trace import current, plain
from chainrule.rules.joins import operand
from chainrule.rules.scipy_sparse import (
    KINDS,
    LISTS,
    Pool,
    Sparse,
    _plain_like,
    _put,
    assembled,
    bare,
    canonical,
    coordinates,
    entries,
    filled,
    forward,
    involves,
    name_of,
    of_format,
    original_of,
    refusal,
    replay,
    seen,
    stand_for,
    taken,
    traced,
    values_of,
)
from chainrule.rules.scipy_sparse_dense import Matrix
from chainrule.rules.scipy_sparse_products import (
    MATMUL,
    Pattern,
    frozen,
    same_bits,
    same_structure,
    sums,
    with_data,
)


def is_array(s: Sparse) -> bool:
    """Of the classes whose ``*`` multiplies elements (csr_array), not of matrices (csr_matrix)."""
    return isinstance(s._original, sparse.sparray)


def is_scalar(x: Any) -> bool:
    return not isinstance(x, (Sparse, Matrix, list, tuple)) and np.ndim(plain(x)) == 0


def dense(s: Sparse, y: Any) -> Any:
    """A dense result of two axes, as the class of ``s`` returns it."""
    return y if is_array(s) or np.ndim(plain(y)) < 2 else Matrix(y)


def like(y: Any, s: Sparse, *sources: Sparse) -> Any:
    """The entries of ``s`` as SciPy's own result ``y`` has them, in format and order.

    Where SciPy has left out entries that happen to be zero, ours stay.
    """
    padded = any(source._padded for source in sources)
    if y.format not in LISTS:
        keys, wanted = _keys(s._original)[0], _keys(y)
        slots = np.searchsorted(keys, wanted[0])
        found = (slots < len(keys)) & wanted[1]
        found[found] = keys[slots[found]] == wanted[0][found]
        if len(np.unique(slots[found])) == len(keys) and found.sum() == len(keys):
            places = np.where(found, slots + 1, 0).reshape(y.data.shape)
            return stand_for(y, taken(values_of(s), places), padded)
    target = type(y)
    blocks = {"blocksize": y.blocksize} if y.format == "bsr" else {}
    made = replay(lambda m: target(m, **blocks) if blocks else target(m.asformat(y.format)), s)
    _put(made, "_padded", padded or y.format not in LISTS)
    return made


def _keys(m: Any) -> tuple[np.ndarray, np.ndarray]:
    """A number for each place, and which are in the matrix at all."""
    rows, columns, inside = coordinates(m)
    keys = rows.astype(np.int64) * max(1, m.shape[-1]) + columns
    return keys, np.ones(len(keys), bool) if inside is None else inside


# ---------------------------------------------------------------- products with dense arrays


KEPT_UP_TO = 2**21  # values
_kept: dict[int, tuple[weakref.ref, Pattern]] = {}  # by id of SciPy's matrix


def factor(s: Sparse) -> tuple[Any, Pattern]:
    """The values and the pattern of a matrix as an operand of a primitive, safe from changes.

    A copy is made once and then compared with the matrix, which costs less than the product.
    """
    if s._original.format in LISTS:
        s = s.tocsr()
    original, values = s._original, values_of(s)
    held = s._frozen or _kept_of(original)
    if traced(s):
        if held is None or not same_structure(held._matrix, original):
            held = Pattern(frozen(original))
        _put(s, "_frozen", held)
        return values, held
    data = plain(values)
    if held is None or not (
        same_bits(held._matrix.data, data) and same_structure(held._matrix, original)
    ):
        held = Pattern(frozen(with_data(original, data)))
        if s._values is None and data.size <= KEPT_UP_TO:
            key = id(original)
            _kept[key] = weakref.ref(original, lambda _: _kept.pop(key, None)), held
    _put(s, "_frozen", held)
    return constant(held._matrix.data), held


def _kept_of(original: Any) -> Pattern | None:
    """The copy that an earlier derivative made of the same matrix; perhaps it has changed since."""
    reference, held = _kept.get(id(original), (None, None))
    return held if reference is not None and reference() is original else None


def constant(data: np.ndarray) -> Any:
    """An array that is ours and that nobody changes: equations need not copy it."""
    trace = current()
    return data if trace is None else trace.constant(data)


def times_dense(s: Sparse, x: Any) -> Any:
    """S @ x of a dense x."""
    if not traced(s) and not involves(x):
        return as_constant(bare(s) @ bare(x))
    if isinstance(x, np.matrix):
        return Matrix(times_dense(s, x._array if type(x) is Matrix else np.asarray(x)))
    x = operand(x)
    if s.ndim == 1:
        row = s.reshape(1, -1)
        return times_dense(row, x[:, None])[0, 0] if x.ndim == 1 else times_dense(row, x)[0]
    values, pattern = factor(s)
    return apply(MATMUL, values, x, pattern=pattern)


def matmul(s: Sparse, other: Any) -> Any:
    if isinstance(other, Sparse) or sparse.issparse(other):
        return times_sparse(s, as_sparse(other))
    if is_scalar(other):
        raise ValueError("Scalar operands are not allowed, use '*' instead")
    return times_dense(s, other)


def rmatmul(s: Sparse, other: Any) -> Any:
    """x S = (S^T x^T)^T."""
    if is_scalar(other):
        raise ValueError("Scalar operands are not allowed, use '*' instead")
    if not traced(s) and not involves(other):
        return as_constant(bare(other) @ bare(s))
    return from_left(operand(other), *factor(s if s.ndim == 2 else s.reshape(-1, 1)), s.ndim)


def from_left(x: Any, values: Any, pattern: Pattern, ndim: int = 2) -> Any:
    y = apply(MATMUL, values, x.T, pattern=pattern.T).T
    return y if ndim == 2 else y[..., 0]


def dot(s: Sparse, other: Any) -> Any:
    return mul(s, other) if is_scalar(other) else matmul(s, other)


def as_sparse(x: Any) -> Sparse:
    return x if isinstance(x, Sparse) else stand_for(x)


# ---------------------------------------------------------------- of two sparse matrices


def binary(s: Sparse, other: Sparse, method: Callable, run: Callable) -> Any:
    """SciPy's method where nothing is traced; else ``run``, in the format SciPy has."""
    y = method(bare(s), bare(other))
    if not (traced(s) or traced(other)):
        return seen(y)
    return like(y, run(s, other), s, other)


def times_sparse(s: Sparse, other: Sparse) -> Any:
    if s.ndim != 2 or other.ndim != 2:
        return matmul(s, other.toarray())
    return binary(s, other, operator.matmul, _times_sparse)


def _times_sparse(s: Sparse, other: Sparse) -> Sparse:
    """C_ij = sum_k A_ik B_kj: all pairs of an entry of A and one of B with the same k."""
    a, rows, inner = entries(s)
    other = of_format(canonical(other), "csr")
    b, indptr, columns = values_of(other), other._original.indptr, other._original.indices
    count = (indptr[1:] - indptr[:-1])[inner]
    left = np.repeat(np.arange(len(inner)), count)
    first = np.cumsum(count) - count
    right = np.arange(len(left)) - np.repeat(first - indptr[:-1][inner], count)
    shape = (s.shape[0], other.shape[1])
    return assembled(a[left] * b[right], rows[left], columns[right], s._original, shape)


def _add_sparse(sign: int) -> Callable[[Sparse, Sparse], Sparse]:
    def run(s, other):
        a, rows, columns = entries(s)
        b, rows_b, columns_b = entries(other)
        values = np.concatenate([a, b if sign > 0 else -b])
        coords = np.concatenate([rows, rows_b]), np.concatenate([columns, columns_b])
        return assembled(values, *coords, s._original)

    return run


_plus, _minus = _add_sparse(1), _add_sparse(-1)


def _multiply_sparse(s: Sparse, other: Sparse) -> Sparse:
    """Entries at the same place; a single row or column is repeated."""
    shape = np.broadcast_shapes(s.shape, other.shape)
    if other.shape != shape:
        return multiply_dense(s, other.toarray())
    if s.shape != shape:
        return multiply_dense(other, s.toarray())
    (a, *places_a), (b, *places_b) = (entries(canonical(m)) for m in (s, other))
    width = max(1, shape[-1])
    keys = [rows.astype(np.int64) * width + columns for rows, columns in (places_a, places_b)]
    _, i, k = np.intersect1d(*keys, assume_unique=True, return_indices=True)
    rows, columns = places_a
    return assembled(a[i] * b[k], rows[i], columns[i], s._original)


# ---------------------------------------------------------------- elements


def with_values(s: Sparse, values: Any) -> Sparse:
    """The same structure with other values."""
    original = frozen(s._original)
    return stand_for(with_data(original, _plain_like(values)), values, s._padded)


def elements(f: Callable[[Any], Any], linear: bool = False) -> Callable[..., Any]:
    """A method that changes each value, with f(0) = 0."""

    def run(s: Sparse) -> Any:
        if s._original.format in LISTS:
            return of_format(run(s.tocsr()), s._original.format)
        s = s if linear else canonical(s)
        return with_values(s, f(values_of(s)))

    return run


def multiply_dense(s: Sparse, d: Any) -> Any:
    """S * d of a dense d."""
    if np.broadcast_shapes(s.shape, d.shape) != s.shape:
        raise refusal("a sparse row or column that is multiplied to a larger array")
    values, rows, columns = entries(s)
    d = np.broadcast_to(d, s.shape)
    factors = d[columns] if s.ndim == 1 else d[rows, columns]
    return assembled(values * factors, rows, columns, s._original)


def multiply(s: Sparse, other: Any) -> Any:
    if isinstance(other, Sparse) or sparse.issparse(other):
        return binary(s, as_sparse(other), lambda a, b: a.multiply(b), _multiply_sparse)
    if not traced(s) and not involves(other):
        return forward(s, "multiply", (other,), {})
    if is_scalar(other):
        return elements(lambda v: v * other, linear=True)(s)
    other = other._array if type(other) is Matrix else operand(other)
    return like(bare(s).multiply(plain(other)), multiply_dense(s, other), s)


def mul(s: Sparse, other: Any) -> Any:
    """``*``: of elements for arrays, of matrices for matrices."""
    if is_array(s) or is_scalar(other):
        return multiply(s, other)
    return matmul(s, other)


def rmul(s: Sparse, other: Any) -> Any:
    return multiply(s, other) if is_array(s) or is_scalar(other) else rmatmul(s, other)


def divide(s: Sparse, other: Any) -> Any:
    if isinstance(other, Sparse):
        if traced(s) or traced(other):
            raise refusal("S / T of two sparse matrices")
        return forward(s, "__truediv__", (other,), {})
    if not traced(s) and not involves(other):
        return forward(s, "__truediv__", (other,), {})
    if is_scalar(other):
        return elements(lambda v: v * (1 / other), linear=True)(s)
    return multiply(s, 1 / operand(other))


def power(s: Sparse, n: Any, dtype: Any = None) -> Any:
    if not traced(s) and not involves(n):
        return forward(s, "power", (n,), {} if dtype is None else {"dtype": dtype})
    y = elements(lambda v: v**n)(s)
    return y if dtype is None else y.astype(dtype)


def matrix_power(s: Sparse, n: Any, modulo: Any = None) -> Any:
    if is_array(s):
        return power(s, n)
    if not traced(s):
        return forward(s, "__pow__", (n,), {})
    y = seen_object(sparse.eye(s.shape[0], format="csr"))
    for _ in range(n):
        y = matmul(s, y)
    return y


# ---------------------------------------------------------------- sums


def add(s: Sparse, other: Any) -> Any:
    if isinstance(other, Sparse) or sparse.issparse(other):
        return binary(s, as_sparse(other), operator.add, _plus)
    if is_scalar(other) or not (traced(s) or involves(other)):
        return _no_scalar(s, other, "__add__")
    return dense(s, s.toarray() + operand(other))


def sub(s: Sparse, other: Any) -> Any:
    if isinstance(other, Sparse) or sparse.issparse(other):
        return binary(s, as_sparse(other), operator.sub, _minus)
    if is_scalar(other) or not (traced(s) or involves(other)):
        return _no_scalar(s, other, "__sub__")
    return dense(s, s.toarray() - operand(other))


def rsub(s: Sparse, other: Any) -> Any:
    if is_scalar(other) or not (traced(s) or involves(other)):
        return _no_scalar(s, other, "__rsub__")
    return dense(s, operand(other) - s.toarray())


def _no_scalar(s: Sparse, other: Any, name: str) -> Any:
    """SciPy's own, or its error: of numbers only a plain 0 may be added."""
    if not traced(s) and not involves(other):
        return forward(s, name, (other,), {})
    getattr(bare(s), name)(plain(other))  # raises where the number is not 0
    if involves(other):
        raise refusal("adding a traced number to a sparse matrix")
    return -s if name == "__rsub__" else s.copy()


def sum_(s: Sparse, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """Sums by axis are products with ones."""
    if not traced(s):
        return forward(s, "sum", (), {"axis": axis, "dtype": dtype, "out": out})
    if out is not None:
        raise refusal(name_of(s, "sum(out=)"), "Leave out= away.")
    value = bare(s).sum(axis=axis, dtype=bare(dtype))  # SciPy's errors
    values, rows, columns = entries(s)
    axis = axis[0] if isinstance(axis, tuple) and len(axis) == 1 else axis
    if np.ndim(value) == 0:
        total = np.sum(values)
    else:
        m, n = s.shape
        total = sums(values, columns, n) if axis % 2 == 0 else sums(values, rows, m)
        total = dense(s, total.reshape(value.shape))
    return total if dtype is None else total.astype(value.dtype)


def mean(s: Sparse, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    if not traced(s):
        return forward(s, "mean", (), {"axis": axis, "dtype": dtype, "out": out})
    total = sum_(s, axis, dtype, out)
    count = s.shape[axis] if total.ndim else int(np.prod(s.shape))
    return Matrix(total._array / count) if type(total) is Matrix else total / count


def trace(s: Sparse, offset: int = 0) -> Any:
    return np.sum(s.diagonal(k=offset))


def astype(s: Sparse, dtype: Any, casting: str = "unsafe", copy: bool = True) -> Any:
    if s._values is None and not traced(s):
        return forward(s, "astype", (dtype, casting, copy), {})
    dtype = np.dtype(bare(dtype))
    if s.dtype == dtype:
        return s.copy() if copy else s
    return elements(lambda v: v.astype(dtype, casting=casting), linear=True)(s)


# ---------------------------------------------------------------- what only moves values


def moves(name: str) -> Callable[..., Any]:
    def run(s: Sparse, *args: Any, **kwargs: Any) -> Any:
        if s._values is None and not traced(s):
            return forward(s, name, args, kwargs)
        if kwargs.get("out") is not None:
            raise refusal(name_of(s, f"{name}(out=)"), "Leave out= away.")
        args, kwargs = bare(args), bare(kwargs)
        return replay(lambda m: getattr(m, name)(*args, **kwargs), s)

    run.__name__ = name
    return run


def converts(name: str) -> Callable[..., Any]:
    """Changes of format: what is in that format already comes back as it is."""
    move = moves(name)

    def run(s: Sparse, *args: Any, **kwargs: Any) -> Any:
        form = bare(args[0] if name == "asformat" else name[2:])
        if not kwargs.get("copy") and s._original.format == (form or s._original.format):
            if len(args) < 2 and "blocksize" not in kwargs:
                return s
        return move(s, *args, **kwargs)

    return run


def copied(s: Sparse) -> Any:
    if s._places is not None:
        return filled(s._original.copy(), s._places.copy(), s._pool, s._padded)
    if s._values is None and not traced(s):
        return forward(s, "copy", (), {})
    return with_values(s, values_of(s).copy())


def getitem(s: Sparse, index: Any) -> Any:
    if s._places is not None:
        position = s._places[bare(index)]
        if np.ndim(position) == 0 and not sparse.issparse(position):
            return s._pool.one(int(position)) if position else s._original.dtype.type(0)
    return _getitem(s, index)


_getitem = moves("__getitem__")


def rows_of(s: Sparse) -> Any:
    if not traced(s) or s._original.format == "dok":
        return map(seen, forward(s, "__iter__", (), {}))
    return (s[i] for i in range(s.shape[0]))


# ---------------------------------------------------------------- in place


def become(s: Sparse, other: Sparse) -> None:
    """``s``, and SciPy's object that it stands for, as ``other`` is; the class stays."""
    for name, value in vars(other._original).items():
        if name != "maxprint":
            setattr(s._original, name, value)
    for name in ("_values", "_places", "_pool", "_frozen", "_padded", "_single"):
        _put(s, name, getattr(other, name))
    original_of(s)


def in_place(name: str) -> Callable[..., Any]:
    def run(s: Sparse, *args: Any, **kwargs: Any) -> Any:
        if s._values is None and not traced(s):
            return forward(s, name, args, kwargs)
        args, kwargs = bare(args), bare(kwargs)

        def changed(m):
            m = m.copy()
            getattr(m, name)(*args, **kwargs)
            return m

        return become(s, replay(changed, s))

    run.__name__ = name
    return run


def assigns(name: str) -> Callable[..., Any]:
    """``S[i, j] = v`` and ``S.setdiag(v, k)``: SciPy assigns the positions of new values."""

    def run(s: Sparse, *args: Any, **kwargs: Any) -> Any:
        form = s._original.format
        if name == "setdiag":
            args = (kwargs.pop("values"), *args) if "values" in kwargs else args
            value, rest = args[0], bare(args[1:])
        else:
            value, rest = args[1], bare(args[:1])
        if s._values is None and not traced(s) and not involves(value):
            return forward(s, name, args, kwargs)
        _fits(s, value)
        if form not in LISTS:
            return become(s, _assigned(s, value, name, rest, bare(kwargs)))
        if s._places is None:
            _put(s, "_pool", Pool(np.array(s._original.tocoo().data)))
            numbered = s._original.tocoo()
            numbered.data = np.arange(1, len(numbered.data) + 1)
            _put(s, "_places", numbered.asformat(form))
        if isinstance(value, Sparse) or sparse.issparse(value):
            value = as_sparse(value).toarray()
        value = operand(value) if not is_scalar(value) else value
        _call(s._places, name, rest, s._pool.add(value), kwargs)
        _call(s._original, name, rest, plain(value), kwargs)
        return None

    return run


def _call(m: Any, name: str, rest: tuple, value: Any, kwargs: dict[str, Any]) -> None:
    if name == "__setitem__":
        m[rest[0]] = value
    else:
        m.setdiag(value, *rest, **kwargs)


def _assigned(s: Sparse, value: Any, name: str, rest: tuple, kwargs: dict[str, Any]) -> Sparse:
    def changed(m, positions):
        m = m.copy()
        _call(m, name, rest, positions, kwargs)
        return m

    return replay(changed, s, value)


def _fits(s: Sparse, value: Any) -> None:
    """Refuse to store what the dtype of the matrix would lose."""
    if involves(value) and not np.can_cast(_dtype(value), s.dtype, "same_kind"):
        raise refusal(
            f"storing a traced value of dtype {_dtype(value)} into a sparse matrix of dtype "
            f"{s.dtype}",
            "Make the matrix of floats: dtype=float.",
        )


def _dtype(x: Any) -> np.dtype:
    return x.dtype if hasattr(x, "dtype") else np.asarray(plain(x)).dtype


def imul(s: Sparse, other: Any) -> Any:
    if not is_scalar(other):
        return mul(s, other)
    return _scaled(s, other, "__imul__", lambda v: v * other)


def itruediv(s: Sparse, other: Any) -> Any:
    if not is_scalar(other):
        return divide(s, other)
    return _scaled(s, other, "__itruediv__", lambda v: v * (1 / other))


def _scaled(s: Sparse, other: Any, name: str, f: Callable) -> Any:
    if s._original.format in LISTS:
        if not (traced(s) or involves(other)):
            return forward(s, name, (other,), {})
        become(s, elements(f, linear=True)(s))
        return s
    if s._values is None and not (traced(s) or involves(other)):
        return forward(s, name, (other,), {})
    values = values_of(s)
    values[...] = f(values)
    return s


# ---------------------------------------------------------------- the methods

_ELEMENTS = (
    "sin tan arcsin arctan sinh tanh arcsinh arctanh rint sign expm1 log1p deg2rad rad2deg floor "
    "ceil trunc sqrt"
)


def _unless_constant(name: str, run: Callable[..., Any]) -> Callable[..., Any]:
    """Ours where values are ours; SciPy's else."""

    def method(s: Sparse, *args: Any, **kwargs: Any) -> Any:
        if s._values is None and not traced(s) and not (args and involves(args)):
            return forward(s, name, args, kwargs)
        return run(s, *args, **kwargs)

    method.__name__ = name
    return method


def _part(name: str) -> property:
    run = elements(getattr(np, name), linear=True)

    def read(s: Sparse) -> Any:
        constant = s._values is None and not traced(s)
        return seen(getattr(s._original, name)) if constant else run(s)

    return property(read)


_METHODS: dict[str, Callable[..., Any]] = {
    "__matmul__": matmul,
    "__rmatmul__": rmatmul,
    "dot": dot,
    "__mul__": mul,
    "__rmul__": rmul,
    "multiply": multiply,
    "__truediv__": divide,
    "power": power,
    "__pow__": matrix_power,
    "__add__": add,
    "__radd__": add,
    "__sub__": sub,
    "__rsub__": rsub,
    "__imul__": imul,
    "__itruediv__": itruediv,
    "sum": sum_,
    "mean": mean,
    "trace": trace,
    "astype": astype,
    "copy": copied,
    "__iter__": rows_of,
    "__getitem__": getitem,
    "__setitem__": assigns("__setitem__"),
    "setdiag": assigns("setdiag"),
    **{n: moves(n) for n in "transpose getrow getcol reshape diagonal toarray todense".split()},
    **{n: moves(n) for n in "sorted_indices _getrow _getcol".split()},
    **{n: in_place(n) for n in "sort_indices eliminate_zeros prune resize sum_duplicates".split()},
    **{n: converts(n) for n in "tocsr tocsc tocoo tobsr todia tolil todok asformat".split()},
    "__neg__": _unless_constant("__neg__", elements(np.negative, linear=True)),
    "__abs__": _unless_constant("__abs__", elements(np.abs)),
    "conj": _unless_constant("conj", lambda s, copy=True: elements(np.conj, linear=True)(s)),
    "conjugate": _unless_constant("conj", lambda s, copy=True: elements(np.conj, linear=True)(s)),
    "getH": lambda s: s.conj().transpose(),
    **{n: _unless_constant(n, elements(getattr(np, n))) for n in _ELEMENTS.split()},
    **{
        n: (lambda name: lambda s, *args: forward(s, name, args, {}))(n)
        for n in "__len__ __bool__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __contains__ "
        "__delitem__ __round__".split()
    },
}
for _name, _method in _METHODS.items():
    setattr(Sparse, _name, _method)
Sparse.T = property(lambda s: s.transpose())
for _name in ("real", "imag"):
    setattr(Sparse, _name, _part(_name))


def _from_left(ufunc: Any, x: Any, m: Any) -> Any:
    """``x @ m`` of a handle and SciPy's own object, which lifting has not reached."""
    product = ufunc is np.matmul or (ufunc is np.multiply and not isinstance(m, sparse.sparray))
    if not product or x.ndim == 0 or m.ndim != 2:
        return NotImplemented
    return rmatmul(stand_for(m), x)


OPERANDS.update(dict.fromkeys(KINDS, _from_left))
