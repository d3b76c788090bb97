"""``scipy.special``: logsumexp, softmax and log_softmax, with all their keywords."""

import numpy as np
from scipy import special

from chainrule.core.primitive import apply, composite, general
from chainrule.core.trace import plain
from chainrule.rules.scipy_outputs import as_array


def _shifted(a, axis):
    """a less its maximum (a constant: the result does not depend on it). Where the maximum is
    infinite: 0 where it is reached, -inf elsewhere, so that infinities share equally."""
    real = np.real(plain(a))
    top = np.max(real, axis=axis, keepdims=True, initial=-np.inf)
    finite = np.isfinite(top)
    z = a - np.where(finite, top, 0.0).astype(real.dtype)
    if finite.all():
        return z
    return np.where(finite, z, np.where(real == top, 0.0, -np.inf).astype(real.dtype))


def _kept(g, axis, keepdims, ndim):
    axes = tuple(range(ndim)) if axis is None else axis
    return g if keepdims or not ndim else np.expand_dims(g, axes)


def log_sum_exp(a, b=None, *, axis=None, keepdims=False):
    """log |sum b e^a|, NaN where the sum is negative and its sign is not asked for."""
    return special.logsumexp(a, axis=axis, b=b, keepdims=keepdims)


def log_size_sum_exp(a, b, *, axis=None, keepdims=False):
    return special.logsumexp(a, axis=axis, b=b, keepdims=keepdims, return_sign=True)[0]


@general(log_sum_exp, name="logsumexp")
def logsumexp_plain(g, y, a, *, axis=None, keepdims=False):
    """a_bar = g softmax(a), softmax(a) = e^(a - y) / sum e^(a - y).

    The sum is 1 but for the digits that a large y has lost.
    """
    top = _kept(plain(y), axis, keepdims, a.ndim)
    e = np.exp(a - top if np.isfinite(top).all() else _shifted(a, axis))
    scale = _kept(g, axis, keepdims, a.ndim) / _conj(np.sum(e, axis=axis, keepdims=True))
    return scale * _conj(e)


def _conj(x):
    return np.conj(x) if x.dtype.kind == "c" else x


def _weighted(g, y, a, b, *, axis=None, keepdims=False):
    """y = log s, or log |s| of a real s = sum b e^a:   a_bar = g b e^a / s,   b_bar = g e^a / s."""
    if a.shape != b.shape:
        a = a + 0.0 * plain(b)
    top = _kept(plain(y), axis, keepdims, a.ndim)
    e = np.exp(a - top if np.isfinite(top).all() else _shifted(a, axis))
    scale = _kept(g, axis, keepdims, a.ndim) / _conj(np.sum(b * e, axis=axis, keepdims=True))
    b_bar = scale * _conj(e)
    return lambda: _conj(b) * b_bar, b_bar


logsumexp_weighted = general(log_sum_exp, name="logsumexp_weighted")(_weighted)
logsumexp_signed = general(log_size_sum_exp, name="logsumexp_signed")(_weighted)


@composite(special.logsumexp)
def logsumexp(a, axis=None, b=None, keepdims=False, return_sign=False):
    a = as_array(a)
    if type(b) in (int, float) and a.dtype.kind in "fc":
        b = np.asarray(b, a.dtype)  # a Python number does not decide the dtype of the result
    b = b if b is None else as_array(b)
    is_complex = "c" in a.dtype.kind + ("" if b is None else b.dtype.kind)
    if b is None:
        y = apply(logsumexp_plain, a, axis=axis, keepdims=keepdims)
    else:
        signed = return_sign and not is_complex
        primitive = logsumexp_signed if signed else logsumexp_weighted
        y = apply(primitive, a, b, axis=axis, keepdims=keepdims)
    if not return_sign:
        return y
    if is_complex:
        return np.real(y), np.exp(1j * np.imag(y))
    _, sign = special.logsumexp(
        plain(a), axis=axis, b=plain(b), keepdims=keepdims, return_sign=True
    )
    return y, sign


def _softmax(x, *, axis=None):
    return special.softmax(x, axis)


def _log_softmax(x, *, axis=None):
    return special.log_softmax(x, axis)


def _softmax_jvp(tangents, y, _x, *, axis=None):
    return y * (tangents[0] - np.sum(y * tangents[0], axis=axis, keepdims=True))


@general(_softmax, name="softmax", jvp=_softmax_jvp)
def softmax_rule(g, y, _x, *, axis=None):
    """y = e^x / sum e^x:   x_bar = y (g - sum y g)."""
    y = _conj(y)
    return y * (g - np.sum(y * g, axis=axis, keepdims=True))


def _log_softmax_jvp(tangents, y, _x, *, axis=None):
    return tangents[0] - np.sum(np.exp(y) * tangents[0], axis=axis, keepdims=True)


@general(_log_softmax, name="log_softmax", jvp=_log_softmax_jvp)
def log_softmax_rule(g, y, _x, *, axis=None):
    """y = x - log sum e^x:   x_bar = g - e^y sum g."""
    return g - _conj(np.exp(y)) * np.sum(g, axis=axis, keepdims=True)


@composite(special.softmax)
def softmax(x, axis=None):
    return apply(softmax_rule, as_array(x), axis=axis)


@composite(special.log_softmax)
def log_softmax(x, axis=None):
    return apply(log_softmax_rule, as_array(x), axis=axis)
