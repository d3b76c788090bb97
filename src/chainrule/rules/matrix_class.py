"""``np.bmat`` and ``np.asmatrix`` of traced values: the old class where ``*`` is a matrix product.

What stands for such a matrix knows its algebra, its indexing and its reductions; for everything
else it asks for a plain array, because NumPy's functions give other shapes for matrices.
"""

import functools
import sys
from typing import Any

import numpy as np

from chainrule.base import tree
from chainrule.base.errors import NonDifferentiableError
from chainrule.core.array import _any_traced
from chainrule.core.lift import replace
from chainrule.core.primitive import FUNCTIONS
from chainrule.core.trace import Tracer, is_traced, plain, refuse
from chainrule.rules.joins import operand

FOR_MATRICES = ("shape", "size", "dtype", "ndim")
REDUCTIONS = ("sum", "mean", "prod", "max", "min", "std", "var", "ptp")
OF_THE_ARRAY = {
    np.ravel: lambda m: m.A1,
    np.diag: lambda m, k=0: np.diag(m.A, k),
    np.shape: lambda m: m.shape,
    np.ndim: lambda m: 2,
    np.size: lambda m, axis=None: np.size(m.A, axis),
    np.iscomplexobj: lambda m: m.dtype.kind == "c",
    np.linalg.det: lambda m: np.linalg.det(m.A),
    np.linalg.slogdet: lambda m: np.linalg.slogdet(m.A),
    np.linalg.norm: lambda m, *args: np.linalg.norm(m.A, *args),
    np.linalg.eigvalsh: lambda m, *args: np.linalg.eigvalsh(m.A, *args),
}
OF_THE_MATRIX = {
    np.transpose: lambda m: m.T,
    np.real: lambda m: m.real,
    np.imag: lambda m: m.imag,
    np.linalg.inv: lambda m: m.I,
    np.linalg.matrix_power: lambda m, n: m**n,
    np.dot: lambda a, b: Matrix(a if isinstance(a, Matrix) else array_of(a)) * b,
    np.copy: lambda m: m.A.copy(),
}


def array_of(x: Any) -> Any:
    return x.A if isinstance(x, Matrix) else operand(x)


def constant(x: Any) -> Any:
    """NumPy's own matrix of a constant one."""
    if isinstance(x, Matrix):
        return np.asmatrix(np.array(plain(x.A)))
    if type(x) in (list, tuple):
        return type(x)(map(constant, x))
    return plain(x)


def any_traced_matrix(x: Any) -> bool:
    if type(x) in (list, tuple):
        return any(map(any_traced_matrix, x))
    return is_traced(array_of(x)) if isinstance(x, (Matrix, Tracer)) else False


def two_axes(x: Any) -> Any:
    """As ``np.matrix`` reads it: a vector is a row."""
    x = array_of(x)
    return x if np.ndim(x) == 2 else x.reshape(1, -1)


def matrix_or_scalar(x: Any) -> Any:
    return Matrix(x) if np.ndim(x) == 2 else x


class Matrix:
    """A traced two-dimensional array ``A`` that multiplies as ``np.matrix`` does."""

    __array_priority__ = np.matrix.__array_priority__
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, x: Any):
        self.A = two_axes(x)

    A1 = property(lambda self: self.A.reshape(-1))
    T = property(lambda self: Matrix(self.A.T))
    H = property(lambda self: Matrix(np.conj(self.A.T)))
    I = property(lambda self: Matrix(np.linalg.inv(self.A)))
    real = property(lambda self: Matrix(self.A.real))
    imag = property(lambda self: Matrix(self.A.imag))
    transpose = getT = lambda self: self.T
    getA = lambda self: self.A
    getA1 = lambda self: self.A1
    getH = lambda self: self.H
    getI = lambda self: self.I
    copy = lambda self: Matrix(self.A.copy())
    __neg__ = lambda self: Matrix(-self.A)
    __pos__ = lambda self: Matrix(+self.A)
    __abs__ = lambda self: Matrix(abs(self.A))
    __len__ = lambda self: len(self.A)
    __iter__ = lambda self: (self[i] for i in range(len(self.A)))

    def __mul__(self, other):
        if np.ndim(plain(array_of(other))) == 0:
            return Matrix(self.A * array_of(other))
        return Matrix(self.A @ two_axes(other))

    def __rmul__(self, other):
        if np.ndim(plain(array_of(other))) == 0:
            return Matrix(array_of(other) * self.A)
        return Matrix(two_axes(other) @ self.A)

    __matmul__, __rmatmul__ = __mul__, __rmul__

    def __pow__(self, n):
        return Matrix(np.linalg.matrix_power(self.A, n))

    def __getitem__(self, index):
        part = self.A[index]
        if np.ndim(part) != 1:
            return matrix_or_scalar(part)
        is_column = isinstance(index, tuple) and len(index) > 1 and np.ndim(index[1]) == 0
        is_column = is_column and not isinstance(index[1], slice)
        return Matrix(part.reshape(-1, 1) if is_column else part)

    def __setitem__(self, index, value):
        self.A[index] = array_of(value)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        if not any(is_traced(array_of(x)) for x in inputs):
            return getattr(ufunc, method)(*map(constant, inputs), **kwargs)
        if ufunc is np.multiply and not isinstance(inputs[0], Matrix) and np.ndim(inputs[0]):
            # array * matrix, a matrix product, and np.multiply(array, matrix) both come here
            raise asks_for_an_array("the product of an array and a matrix, in this order")
        if method != "__call__" or kwargs or ufunc.nout > 1 or ufunc.signature:
            if ufunc is np.matmul and method == "__call__" and not kwargs:
                return Matrix(array_of(inputs[0])) * inputs[1]
            raise asks_for_an_array(f"np.{ufunc.__name__}")
        return matrix_or_scalar(ufunc(*map(array_of, inputs)))

    def __array_function__(self, function, types, args, kwargs):
        if not any_traced_matrix((args, tuple(kwargs.values()))):
            return function(*constant(args), **{k: constant(x) for k, x in kwargs.items()})
        if function in OF_THE_ARRAY:
            return OF_THE_ARRAY[function](*args, **kwargs)
        if function in OF_THE_MATRIX:
            return OF_THE_MATRIX[function](*args, **kwargs)
        name = getattr(function, "__name__", str(function))
        if name in REDUCTIONS and args and args[0] is self:
            return getattr(self, name)(*args[1:], **kwargs)
        raise asks_for_an_array(f"np.{name}")

    def __chainrule_array__(self):
        """What lifted ``np.asarray`` and its kin take."""
        return self.A

    def __array__(self, dtype=None, copy=None):
        if is_traced(self.A):
            raise asks_for_an_array("code that reads the elements")
        return np.array(plain(self.A), dtype)

    def __getattr__(self, name):
        if name in FOR_MATRICES:
            return getattr(self.A, name)
        if name[:2] != "__" and hasattr(np.matrix, name):
            if not is_traced(self.A):
                return getattr(constant(self), name)
            raise asks_for_an_array(f"np.matrix.{name}")
        raise AttributeError(name)


def asks_for_an_array(what: str) -> NonDifferentiableError:
    return refuse(
        NonDifferentiableError(
            f"an np.matrix of traced values does not go into {what}",
            "Take the plain array, m.A or np.asarray(m).",
        )
    )


def _operator(name):
    reverse = f"__r{name[2:]}"

    def forward(self, other):
        return matrix_or_scalar(getattr(np, UFUNCS[name])(self.A, array_of(other)))

    def backward(self, other):
        return matrix_or_scalar(getattr(np, UFUNCS[name])(array_of(other), self.A))

    setattr(Matrix, name, forward)
    setattr(Matrix, reverse, backward)


def _comparison(name):
    def compare(self, other):
        return getattr(np, name)(np.asmatrix(plain(self.A)), plain(array_of(other)))

    return compare


for _sign, _name in {
    "__eq__": "equal",
    "__ne__": "not_equal",
    "__lt__": "less",
    "__le__": "less_equal",
    "__gt__": "greater",
    "__ge__": "greater_equal",
}.items():
    setattr(Matrix, _sign, _comparison(_name))


UFUNCS = {"__add__": "add", "__sub__": "subtract", "__truediv__": "divide"}
for _name in UFUNCS:
    _operator(_name)


def _reduction(name):
    def reduce(self, axis=None):
        if axis is None:
            return getattr(np, name)(self.A)
        return Matrix(getattr(np, name)(self.A, axis=axis, keepdims=True))

    reduce.__name__ = name
    setattr(Matrix, name, reduce)


for _name in REDUCTIONS:
    _reduction(_name)


# ---------------------------------------------------------------- where they are born and end


@functools.wraps(np.bmat)
def bmat(obj, ldict=None, gdict=None):
    if isinstance(obj, str):
        frame = sys._getframe(1)
        names = {**frame.f_globals, **frame.f_locals} if gdict is None else {**gdict, **ldict}
        obj = [[names[n] for n in row.replace(",", " ").split()] for row in obj.split(";")]
    if isinstance(obj, (Tracer, Matrix)):
        return Matrix(obj)
    rows = [row if isinstance(row, (list, tuple)) else None for row in obj]
    if rows and all(row is None for row in rows):
        rows = [list(obj)]
    rows = [[two_axes(part) for part in row] for row in rows]
    if not _any_traced([part for row in rows for part in row]):
        return np.bmat([[plain(part) for part in row] for row in rows])
    return Matrix(np.concatenate([np.concatenate(row, axis=-1) for row in rows], axis=0))


@functools.wraps(np.asmatrix)
def asmatrix(data, dtype=None):
    if isinstance(data, Matrix):
        return data
    if isinstance(data, Tracer) or _any_traced((data,)):
        return Matrix(operand(data) if dtype is None else operand(data).astype(dtype))
    return np.asmatrix(plain(data), dtype)


for _original, _ours in ((np.bmat, bmat), (np.asmatrix, asmatrix)):
    FUNCTIONS[_original] = _ours
    replace(_original, _ours)


tree.EXACT[Matrix] = array_of  # a function that returns one returns its plain array
