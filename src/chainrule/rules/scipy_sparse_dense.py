"""``np.matrix`` with traced values, which the ``*_matrix`` classes of ``scipy.sparse`` return."""

from typing import Any

import numpy as np

from chainrule.base.errors import NonDifferentiableError
from chainrule.core.lift_containers import AS_ARRAY
from chainrule.core.trace import refuse


class Matrix:
    """A traced ``np.matrix``, which spmatrix classes return: only to be made an array of."""

    __slots__ = ("_array",)
    ndim = 2

    def __init__(self, array: Any):
        self._array = array if array.ndim == 2 else array.reshape(1, -1)

    @property  # type: ignore[misc]
    def __class__(self):
        return np.matrix

    A = property(lambda self: self._array)
    A1 = property(lambda self: self._array.reshape(-1))
    T = property(lambda self: Matrix(self._array.T))
    shape = property(lambda self: self._array.shape)
    size = property(lambda self: self._array.size)
    dtype = property(lambda self: self._array.dtype)

    def __array_function__(self, function, types, args, kwargs):
        if function in (np.ravel, np.asarray, np.array, np.copy):
            args = tuple(x._array if type(x) is Matrix else x for x in args)
            return function(*args, **kwargs)
        raise _no_matrix(f"np.{function.__name__}")

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        raise _no_matrix(f"np.{ufunc.__name__}")

    def __array__(self, dtype=None, copy=None):
        raise _no_matrix("this use")

    def __len__(self):
        return len(self._array)

    def __getitem__(self, index):
        part = self._array[index]
        return Matrix(part) if part.ndim else part

    def __getattr__(self, name):
        getattr(np.matrix, name)  # raises as it does
        raise _no_matrix(f".{name}")

    def sum(self, axis=None):
        total = self._array.sum(axis, keepdims=axis is not None)
        return total if axis is None else Matrix(total)


def _no_matrix(what: str) -> NonDifferentiableError:
    return refuse(
        NonDifferentiableError(
            f"{what} of a traced np.matrix, which scipy.sparse's *_matrix classes return",
            "Make an array of it first, np.asarray(m), or use the *_array classes.",
        )
    )


def _refusing_operator(name: str) -> Any:
    def operator(self, *others):
        raise _no_matrix(name)

    return operator


for _name in "add sub mul truediv matmul pow mod floordiv".split():
    for _prefix in ("__", "__r", "__i"):
        setattr(Matrix, f"{_prefix}{_name}__", _refusing_operator(f"{_prefix}{_name}__"))
for _name in "neg pos abs float int bool lt le gt ge eq ne iter".split():
    setattr(Matrix, f"__{_name}__", _refusing_operator(f"__{_name}__"))
Matrix.__hash__ = None  # type: ignore[assignment]
AS_ARRAY[Matrix] = lambda m: m.A
