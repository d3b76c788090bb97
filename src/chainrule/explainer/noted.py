"""Values that note what is done with them: duck arrays on which everything runs as usual.

Every NumPy function, operator, method, read and write is noted by the ``Log`` they belong to. Rules
are plain NumPy code, so they need not know: run on noted values, the sweep of an inner trace notes
the derivative, comparisons, masks and indices included. Where a value leaves for Python (``if``,
``int``, a C function), it is noted which value steered: a guard.
"""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.core.primitive import Primitive, masked_product
from chainrule.core.trace import NOTED, Tracer
from chainrule.explainer.calls import Ref, public_name

if TYPE_CHECKING:
    from chainrule.explainer.log import Log

# Of these only shapes and dtypes matter: nothing is noted.
_STRUCTURAL = {
    np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.may_share_memory, np.common_type,
    np.shares_memory, np.iscomplexobj, np.isrealobj, np.min_scalar_type, np.array_repr,
    np.array_str, np.array2string,
}  # fmt: skip
_MAKERS = {np.zeros_like: "zeros", np.ones_like: "ones", np.empty_like: "empty"}
_OPERATORS = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide, "pow": np.power,
    "matmul": np.matmul, "mod": np.remainder, "floordiv": np.floor_divide, "and": np.bitwise_and,
    "or": np.bitwise_or, "xor": np.bitwise_xor, "lshift": np.left_shift, "rshift": np.right_shift,
}  # fmt: skip
_COMPARISONS = {
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
    "eq": np.equal, "ne": np.not_equal,
}  # fmt: skip
_UNARY = {
    "neg": np.negative, "pos": np.positive, "abs": np.absolute, "invert": np.invert,
}  # fmt: skip
_METHODS = (
    "all any argmax argmin argpartition argsort astype clip compress conj conjugate copy cumprod "
    "cumsum diagonal dot flatten max mean min nonzero prod ptp ravel repeat reshape round "
    "searchsorted squeeze std sum swapaxes take trace transpose var view"
).split()
_WRITERS = {"fill", "partition", "put", "sort"}


class Noted:
    """A value whose uses are noted: an array or a NumPy scalar of any dtype."""

    __slots__ = ("_log", "bare", "number")
    __hash__ = None  # type: ignore[assignment]
    __array_priority__ = 2000.0

    def __init__(self, bare: Any, log: "Log", var: int):
        self.bare = bare
        self._log = log
        self.number = var

    @property  # type: ignore[misc]
    def __class__(self):
        return type(self.bare)

    def as_constant(self) -> Any:
        """Floats as a handle, which traced values may be stored into; others as they are."""
        return self._log.constant(self) if self.bare.dtype.kind in "fc" else self

    def as_handle(self) -> Any:
        return self._log.constant(self)

    def bind(self, primitive: Primitive, operands: Sequence[Any], params: dict[str, Any]) -> Any:
        """A primitive applied to plain values: in the sweep, what comes back is plain as well."""
        run = self._log.apply if self._log.backward else self._log.process
        return run(primitive, list(operands), params)

    shape = property(lambda self: self.bare.shape)
    dtype = property(lambda self: self.bare.dtype)
    ndim = property(lambda self: self.bare.ndim)
    size = property(lambda self: self.bare.size)
    nbytes = property(lambda self: self.bare.nbytes)
    itemsize = property(lambda self: self.bare.itemsize)
    strides = property(lambda self: self.bare.strides)
    flags = property(lambda self: self.bare.flags)
    base = property(lambda self: self.bare.base)

    # -- NumPy's protocols

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        out = kwargs.pop("out", None)
        if any(isinstance(x, Tracer) for x in (*inputs, *(out or ()))):
            return NotImplemented
        name = public_name(ufunc)
        if method == "at":
            target, *rest = inputs
            return self._log.written(f"{name}.at", target, rest, lambda x, *v: ufunc.at(x, *v))
        if method != "__call__":
            name, run = f"{name}.{method}", getattr(ufunc, method)
        else:
            run = ufunc
        y = self._log.call("call", name, run, inputs, kwargs)
        if out is None:
            return y
        for target, part in zip(out, y if type(y) is tuple else (y,)):
            if target is not None:
                target[...] = part
        return out[0] if len(out) == 1 else out

    def __array_function__(self, function, types, args, kwargs):
        if any(issubclass(t, Tracer) for t in types):
            return NotImplemented
        if function in _STRUCTURAL:
            return function(*bare_of(args), **bare_of(kwargs))
        if function in _MAKERS:
            return self._log.made(_MAKERS[function], function(*bare_of(args), **bare_of(kwargs)))
        out = kwargs.pop("out", None)
        if function is np.copyto:
            return self._log.set(args[0], ..., args[1])
        if function in (np.put_along_axis, np.place, np.putmask, np.put, np.fill_diagonal):
            target, *rest = args
            run = lambda x, *v: function(x, *v, **kwargs)
            return self._log.written(public_name(function), target, rest, run, kwargs)
        y = self._log.call("call", public_name(function), function, args, kwargs)
        if out is None:
            return y
        out[...] = y
        return out

    # -- methods and attributes

    def __getattr__(self, name: str) -> Any:
        if name in _WRITERS:
            log = self._log
            return lambda *args, **kwargs: log.written(
                f".{name}", self, args, lambda x, *v: getattr(x, name)(*v, **kwargs), kwargs
            )
        if name.startswith("__") or not hasattr(self.bare, name):
            raise AttributeError(f"{type(self.bare).__name__!r} object has no attribute {name!r}")
        raise self._log.cannot(self, f"x.{name}")

    def item(self, *index: Any) -> Any:
        return self[index if len(index) > 1 else index[0]] if index else self._scalar()

    def _scalar(self) -> Any:
        return self if isinstance(self.bare, np.generic) else self[(0,) * self.ndim]

    def tolist(self) -> Any:
        return [x.tolist() for x in self] if self.ndim else self._scalar()

    def __getitem__(self, index):
        return self._log.call("get", "", element, (self, index), {})

    def __setitem__(self, index, value):
        self._log.set(self, index, value)

    def __iadd__(self, other):
        if isinstance(self.bare, np.generic) or isinstance(other, Tracer):
            return self + other
        return self._log.add_to(self, other)

    def __len__(self):
        return len(self.bare)

    def __iter__(self):
        return (self[i] for i in range(len(self.bare)))

    def __contains__(self, x):
        return bool((self == x).any())

    # -- what leaves for Python

    def _left(self, convert: Any, how: str) -> Any:
        seen = convert(self.bare)
        if seen is True and sys._getframe(2).f_code is masked_product.__code__:
            return True  # all products are finite: elsewhere the program gives NaN, not a wrong 0
        return self._log.guard(self, seen, how)

    def __bool__(self):
        if self._is_steering():
            return self._left(bool, "a branch")
        return bool(self != 0)

    def __int__(self):
        if self._is_steering():
            return self._left(int, "int(x)")
        return int(np.trunc(self).astype(int))

    def __floor__(self):
        return int(np.floor(self).astype(int))

    def __ceil__(self):
        return int(np.ceil(self).astype(int))

    def __round__(self, digits=None):
        return int(np.rint(self).astype(int)) if digits is None else np.round(self, digits)

    def _is_steering(self) -> bool:
        """Whether a guard may ask for this very number: no derivative goes through it."""
        return not (self.bare.dtype.kind in "fc" and self._log.calls.is_active(self.number))

    def __index__(self):
        return self._left(lambda x: x.__index__(), "an index or a count")

    def __float__(self):
        return self._left(float, "float(x), or C code that calls it,")

    def __complex__(self):
        return self._left(complex, "complex(x)")

    def __array__(self, dtype=None, copy=None):
        self._left(np.copy, "code that NumPy's protocols do not reach")
        return np.array(self.bare, dtype)

    def __repr__(self):
        return repr(self.bare)

    def __format__(self, spec):
        return format(self.bare, spec)


def element(x: Any, index: Any) -> Any:
    return x[index]


def _install() -> None:
    def binary(ufunc):
        def operator(self, other):
            return NotImplemented if isinstance(other, Tracer) else ufunc(self, other)

        def reflected(self, other):
            return NotImplemented if isinstance(other, Tracer) else ufunc(other, self)

        return operator, reflected

    for name, ufunc in _OPERATORS.items():
        operator, reflected = binary(ufunc)
        setattr(Noted, f"__{name}__", operator)
        setattr(Noted, f"__r{name}__", reflected)
    for name, ufunc in _COMPARISONS.items():
        setattr(Noted, f"__{name}__", binary(ufunc)[0])
    for name, ufunc in _UNARY.items():
        setattr(Noted, f"__{name}__", lambda self, _ufunc=ufunc: _ufunc(self))
    for name in _METHODS:

        def method(self, *args, _name=name, **kwargs):
            run = lambda x, *a, **k: getattr(x, _name)(*a, **k)
            return self._log.call("method", _name, run, (self, *args), kwargs)

        setattr(Noted, name, method)
    for name in ("T", "mT", "real", "imag"):

        def attribute(self, _name=name):
            return self._log.call("attribute", _name, lambda x: getattr(x, _name), (self,), {})

        def write(self, value, _name=name):
            getattr(self, _name)[...] = value

        setattr(Noted, name, property(attribute, write))


_install()
NOTED.add(Noted)


def bare_of(x: Any) -> Any:
    if type(x) is Noted:
        return x.bare
    if type(x) in (tuple, list):
        return type(x)(map(bare_of, x))
    if type(x) is dict:
        return {k: bare_of(v) for k, v in x.items()}
    if type(x) is slice:
        return slice(bare_of(x.start), bare_of(x.stop), bare_of(x.step))
    return x


def frozen(x: Any) -> Any:
    """Arguments as they are kept: variables as references, arrays as copies of now."""
    if type(x) is Noted:
        return Ref(x.number)
    if type(x) is np.ndarray:
        return x if x.size and not any(x.strides) else x.copy()  # one number, broadcast
    if type(x) is range:
        return np.array(x)
    if type(x) in (tuple, list):
        return type(x)(map(frozen, x))
    if type(x) is slice:
        return slice(frozen(x.start), frozen(x.stop), frozen(x.step))
    return x
