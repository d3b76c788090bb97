"""``np.ndenumerate`` and ``np.nditer`` over traced arrays, element by element."""

import functools
from typing import Any

import numpy as np

from chainrule.base.errors import NonDifferentiableError
from chainrule.core.array import _any_traced, as_constant, as_operand
from chainrule.core.handle import Array
from chainrule.core.lift import replace
from chainrule.core.trace import Tracer, plain


@functools.wraps(np.ndenumerate, updated=())
def _ndenumerate(arr):
    """Pairs of index and element."""
    arr = as_operand(arr) if type(arr) in (list, tuple) else arr
    if not isinstance(arr, Tracer):
        return np.ndenumerate(arr)
    return ((index, arr[index]) for index in np.ndindex(arr.shape))


_SUPPORTED = frozenset(
    "multi_index c_index f_index refs_ok zerosize_ok reduce_ok copy_if_overlap buffered "
    "delay_bufalloc growinner".split()
)


def _in_memory(x):
    """The values, laid out as NumPy's: the order of the loop follows the memory."""
    return x._peek() if isinstance(x, Array) else plain(x)


class _Nditer:
    """The elements of several arrays, broadcast, as 0-d views; in NumPy's order for the values."""

    def __init__(self, op: Any, flags: Any = (), op_flags: Any = None, order: str = "K"):
        if not _SUPPORTED.issuperset(flags):
            unknown = sorted(set(flags) - _SUPPORTED)
            raise NonDifferentiableError(
                f"np.nditer with flags {unknown} of a traced value",
                "Loop over np.ndindex(x.shape), or write the loop with array operations.",
            )
        ops = list(op) if type(op) in (list, tuple) else [op]
        shape = np.broadcast_shapes(*[np.shape(plain(x)) for x in ops if x is not None])
        ops = [as_constant(np.zeros(shape)) if x is None else x for x in ops]
        self.operands = tuple(as_operand(x) if type(x) in (list, tuple) else x for x in ops)
        self.shape, self.ndim = shape, len(shape)
        values = [np.broadcast_to(_in_memory(x), shape) for x in self.operands]
        allowed = {"zerosize_ok", "reduce_ok"}.intersection(flags)
        places = np.nditer(values, ["multi_index", "refs_ok", *allowed], order=order)
        self._places = [places.multi_index for _ in places]
        self.itersize = len(self._places)
        self.has_multi_index = "multi_index" in flags
        self.has_index = "c_index" in flags or "f_index" in flags
        self._order = "F" if "f_index" in flags else "C"
        self.iterindex = 0

    @property
    def finished(self):
        return self.iterindex >= self.itersize

    @property
    def multi_index(self):
        return self._places[self.iterindex]

    @property
    def index(self):
        return int(np.ravel_multi_index(self.multi_index, self.shape, order=self._order))

    def __getitem__(self, k):
        x = self.operands[k]
        shape = np.shape(plain(x))
        place = self.multi_index[self.ndim - len(shape) :]
        index = tuple(0 if n == 1 else i for n, i in zip(shape, place))
        return x[(*index, ...)] if shape else x

    def __len__(self):
        return len(self.operands)

    @property
    def value(self):
        elements = tuple(self[k] for k in range(len(self)))
        return elements[0] if len(elements) == 1 else elements

    def iternext(self):
        self.iterindex += 1
        return not self.finished

    def reset(self):
        self.iterindex = 0

    def __iter__(self):
        while not self.finished:
            yield self.value
            self.iterindex += 1

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def close(self):
        pass


@functools.wraps(np.nditer, updated=())
def _nditer(op, flags=(), op_flags=None, op_dtypes=None, order="K", *args, **kwargs):
    ops = op if type(op) in (list, tuple) else [op]
    if not any(isinstance(x, Tracer) for x in ops) and not _any_traced(ops):
        return np.nditer(op, flags, op_flags, op_dtypes, order, *args, **kwargs)
    if op_dtypes is not None or args or kwargs:
        raise NonDifferentiableError(
            "np.nditer with op_dtypes=, casting=, op_axes= or itershape= of a traced value",
            "Loop over np.ndindex(x.shape), or write the loop with array operations.",
        )
    return _Nditer(op, flags, op_flags, order)


replace(np.ndenumerate, _ndenumerate)
replace(np.nditer, _nditer)
