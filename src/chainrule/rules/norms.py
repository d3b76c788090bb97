"""Norms of vectors and matrices, and condition numbers: ``np.linalg.norm`` and its relatives.

Conventions: a norm has slope 0 at 0, values that tie share the cotangent. The Euclidean norm has a
second rule (``jvp=``) because transposing the first took 1.6 to 2 times as long.
"""

import math

import numpy as np

from chainrule.base.errors import NoRuleError
from chainrule.core.primitive import apply, composite, general
from chainrule.core.trace import is_traced, plain
from chainrule.rules.matrices import array
from chainrule.rules.repeated import is_positive


def _spread(g, axis, keepdims):
    """A reduced cotangent with the axes that were summed, of length one."""
    return g if axis is None or keepdims else np.expand_dims(g, axis)


def euclidean_norm(x, *, axis=None, keepdims=False):
    return np.linalg.norm(x, None, axis, keepdims)


def _norm_jvp(tangents, y, x, *, axis=None, keepdims=False):
    products = np.conj(x) * tangents[0] if x.dtype.kind == "c" else x * tangents[0]
    along = np.sum(np.real(products), axis=axis, keepdims=keepdims)
    if not y.shape:
        return along / y if y != 0 else 0.0 * along
    zero = plain(y) == 0
    return np.where(zero, 0.0, along / np.where(zero, 1.0, y))


@general(euclidean_norm, name="norm", jvp=_norm_jvp)
def norm(g, y, x, *, axis=None, keepdims=False):
    """x_bar = g x / |x|, and 0 at x = 0."""
    if not y.shape:
        return x * (g / y if y != 0 else 0.0 * g)
    zero = plain(y) == 0
    return x * _spread(np.where(zero, 0.0, g / np.where(zero, 1.0, y)), axis, keepdims)


def power_norm(x, *, p, axis=None, keepdims=False):
    return np.linalg.norm(x, p, axis, keepdims)


@general(power_norm)
def _power_norm_rule(g, y, x, *, p, axis=None, keepdims=False):
    """y = (sum |x|^p)^(1/p):   x_bar = g sign(x) (|x| / y)^(p - 1), and 0 where x is 0."""
    y, g = _spread(y, axis, keepdims), _spread(g, axis, keepdims)
    at_zero = (plain(x) == 0) | (plain(y) == 0)
    size = np.where(at_zero, 1.0, np.abs(x))
    slope = (size / np.where(plain(y) == 0, 1.0, y)) ** (p - 1)
    return g * np.where(at_zero, 0.0, x / size * slope)


def _singular_norm(x, axes, reduce):
    """Of the singular values; those that are 0 to rounding have slope 0, in both modes."""
    x = np.moveaxis(x, axes, (-2, -1))
    s = np.linalg.svd(x, compute_uv=False)
    positive = is_positive(s, x.shape)
    return reduce(s if positive.all() else np.where(positive, s, plain(s)), axis=-1)


def _vector_norm(x, order, axis, keepdims):
    if order is None or order == 2:
        return apply(norm, x, axis=axis, keepdims=keepdims)
    if isinstance(order, str):
        raise ValueError(f"Invalid norm order '{order}' for vectors")
    if order == np.inf:
        return _largest(np.abs(x), axis, keepdims)
    if order == -np.inf:
        return np.min(np.abs(x), axis=axis, keepdims=keepdims)
    if order == 1:
        return np.sum(np.abs(x), axis=axis, keepdims=keepdims)
    if order == 0:  # counts: piecewise constant
        return np.linalg.norm(plain(x), 0, axis, keepdims)
    return apply(_power_norm_rule, x, p=order, axis=axis, keepdims=keepdims)


def _largest(x, axis, keepdims=False):
    """The maximum, or 0 of nothing."""
    return (
        np.max(x, axis=axis, keepdims=keepdims)
        if x.size
        else np.sum(x, axis=axis, keepdims=keepdims)
    )


def _matrix_norm(x, order, axis, keepdims):
    row, column = (int(i) % x.ndim if -x.ndim <= i < x.ndim else i for i in axis)
    if order in (None, "fro", "f"):
        return apply(norm, x, axis=(row, column), keepdims=keepdims)
    if order == "nuc":
        y = _singular_norm(x, (row, column), np.sum)
    elif order == 2:
        y = _singular_norm(x, (row, column), _largest)
    elif order == -2:
        y = _singular_norm(x, (row, column), np.min)
    else:
        along, across = (row, column) if abs(order) == 1 else (column, row)
        sums = np.sum(np.abs(x), axis=along)
        across -= across > along
        y = _largest(sums, across) if order > 0 else np.min(sums, axis=across)
    return np.expand_dims(y, (row, column)) if keepdims else y


@composite(np.linalg.norm)
def _norm_call(x, ord=None, axis=None, keepdims=False):
    x = array(x)
    if is_traced(ord):
        raise NoRuleError(
            "np.linalg.norm has no derivative rule for ord", "Write np.sum(np.abs(x)**p)**(1/p)."
        )
    ord = plain(ord)
    if axis is None:
        if ord is None or (ord == 2 and x.ndim == 1):
            return apply(norm, x, keepdims=keepdims)
        axis = tuple(range(x.ndim))
    elif not isinstance(axis, tuple):
        axis = (int(axis),)
    if len(axis) == 1:
        return _vector_norm(x, ord, axis[0], keepdims)
    if len(axis) != 2 or axis[0] % x.ndim == axis[1] % x.ndim or not _is_matrix_order(ord):
        np.linalg.norm(plain(x), ord, axis)  # NumPy's own error
    return _matrix_norm(x, ord, axis, keepdims)


def _is_matrix_order(order):
    return order in (None, "fro", "f", "nuc", 1, -1, 2, -2, np.inf, -np.inf)


@composite(np.linalg.matrix_norm)
def matrix_norm(x, /, *, keepdims=False, ord="fro"):
    return np.linalg.norm(array(x), ord, axis=(-2, -1), keepdims=keepdims)


@composite(np.linalg.vector_norm)
def vector_norm(x, /, *, axis=None, keepdims=False, ord=2):
    """Over several axes: those axes are made one in front."""
    x = array(x)
    if axis is not None and not isinstance(axis, tuple):
        return np.linalg.norm(x, ord, axis=axis, keepdims=keepdims)
    axes = tuple(range(x.ndim)) if axis is None else axis
    rest = _rest(x.shape, axes)
    n = math.prod(x.shape[a] for a in axes)
    rows = np.moveaxis(x, axes, range(len(axes))).reshape(n, *rest)
    y = np.linalg.norm(rows, ord, axis=0)
    return np.expand_dims(y, axes) if keepdims else y


def _rest(shape, axes):
    gone = {a % len(shape) for a in axes}
    return [n for i, n in enumerate(shape) if i not in gone]


# ---------------------------------------------------------------- condition numbers


@composite(np.linalg.cond)
def cond(x, p=None):
    """The norm times that of the inverse; inf where the matrix is singular, as in NumPy."""
    x = array(x)
    if not x.size or (p not in (None, 2, -2) and x.shape[-1] != x.shape[-2]):
        np.linalg.cond(plain(x), p)  # NumPy's own error
    with np.errstate(all="ignore"):
        if p is None or p in (2, -2):
            s = np.linalg.svd(x, compute_uv=False)
            first, last = s[..., 0], s[..., -1]
            return _infinite_for_nan(last / first if p == -2 else first / last, x)
        y = np.linalg.norm(x, p, axis=(-2, -1)) * _norm_of_inverse(x, p)
        return _infinite_for_nan(y.astype(x.real.dtype, copy=False), x)


def _norm_of_inverse(x, p):
    """In double precision, not rounded to single; inf where there is no inverse."""
    wide = x.astype(np.result_type(x.dtype, np.float64))
    try:
        return np.linalg.norm(np.linalg.inv(wide), p, axis=(-2, -1))
    except np.linalg.LinAlgError:
        singular = ~np.isfinite(
            np.linalg.cond(plain(x), p)
        )  # NumPy's own error for the nuclear norm
    stack = np.broadcast_to(singular[..., None, None], x.shape)
    inverse = np.linalg.inv(np.where(stack, np.eye(x.shape[-1]), wide))
    return np.where(singular, np.inf, np.linalg.norm(inverse, p, axis=(-2, -1)))


def _infinite_for_nan(y, x):
    nan = np.isnan(plain(y)) & ~np.isnan(plain(x)).any(axis=(-2, -1))
    return np.where(nan, np.inf, y).astype(y.dtype) if nan.any() else y
