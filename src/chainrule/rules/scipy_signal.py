"""``scipy.signal``: convolutions and linear filters; the rest of it is SciPy's own code, lifted.

All convolutions and correlations are one bilinear operation, whole or where the operands overlap
entirely ("valid"); filters are one operation of coefficients and signal.
"""

import numpy as np
from scipy import signal

from chainrule.base.errors import NoRuleError
from chainrule.core.primitive import apply, composite, general, multilinear
from chainrule.core.trace import bind, plain
from chainrule.rules.contraction import conj
from chainrule.rules.joins import operand

# ---------------------------------------------------------------- one bilinear operation


def convolve_nd(a, v, *, valid, method, axes):
    mode = "valid" if valid else "full"
    if method == "plane":
        return signal.convolve2d(a, v, mode)
    if method == "oa":
        return signal.oaconvolve(a, v, mode, axes)
    if axes is not None:
        return signal.fftconvolve(a, v, mode, axes)
    return signal.convolve(a, v, mode, method)


def _flip(x, axes):
    return x[tuple(slice(None, None, -1 if axes is None or i in axes else 1) for i in _range(x))]


def _range(x):
    return range(len(x.shape))


def _pull(g, other, *, valid, method, axes):
    """y_i = sum_k x_k v_(i-k)   =>   x_bar_k = sum_i g_i conj(v_(i-k)), whole where y is valid."""
    return apply(CONVOLVE, g, _flip(conj(other), axes), valid=not valid, method=method, axes=axes)


def _pull_kernel(g, a, *, valid, method, axes):
    """As for the other operand, unless valid: there v_bar_k = sum_i g_i conj(a_(i+m-1-k))."""
    if not valid:
        return _pull(g, a, valid=valid, method=method, axes=axes)
    y = apply(CONVOLVE, conj(a), _flip(g, axes), valid=True, method=method, axes=axes)
    return _flip(y, axes)


CONVOLVE = multilinear(convolve_nd, a=_pull, v=_pull_kernel)


def _convolved(a, v, mode, method="auto", axes=None):
    """In the three modes; "valid" has the larger operand first, "same" is around that of a."""
    params = {"valid": mode == "valid", "method": method, "axes": axes}
    along = range(a.ndim) if axes is None else axes
    if mode == "valid" and any(v.shape[i] > a.shape[i] for i in along):
        a, v = v, a
    y = bind(CONVOLVE, (a, v), params)
    return _centre(y, [a.shape[i] if i in along else n for i, n in enumerate(y.shape)], mode)


def _centre(y, shape, mode):
    if mode != "same":
        return y
    starts = [(n - m) // 2 for n, m in zip(y.shape, shape)]
    return y[tuple(slice(s, s + m) for s, m in zip(starts, shape))]


MODES = ("full", "same", "valid")


def _ordinary(a, v, mode):
    """Arrays of equal dimension with something in them, and a mode that exists."""
    return a.ndim == v.ndim > 0 and a.size and v.size and mode in MODES


@composite(signal.convolve)
def convolve(in1, in2, mode="full", method="auto"):
    a, v = operand(in1), operand(in2)
    if a.ndim == v.ndim == 0:
        return a * v
    if not _ordinary(a, v, mode) or method not in ("auto", "direct", "fft"):
        return signal.convolve(plain(a), plain(v), mode, method)  # SciPy's errors
    return _convolved(a, v, mode, method)


@composite(signal.correlate)
def correlate(in1, in2, mode="full", method="auto"):
    """The convolution with the conjugate of the second operand, turned round."""
    a, v = operand(in1), operand(in2)
    if a.ndim == v.ndim == 0:
        return a * conj(v)
    if not _ordinary(a, v, mode) or method not in ("auto", "direct", "fft"):
        return signal.correlate(plain(a), plain(v), mode, method)  # SciPy's errors
    return _convolved(a, _flip(conj(v), None), mode, method)


def _by_transform(function, method):
    @composite(function)
    def run(in1, in2, mode="full", axes=None):
        a, v = operand(in1), operand(in2)
        if a.ndim == v.ndim == 0:
            return a * v
        if not _ordinary(a, v, mode):
            return function(plain(a), plain(v), mode, axes)  # SciPy's errors
        if axes is not None:
            function(np.ones_like(plain(a)), np.ones_like(plain(v)), mode, axes)  # SciPy's errors
            axes = tuple(i % a.ndim for i in np.atleast_1d(plain(axes)).tolist())
        if mode == "valid":  # SciPy broadcasts along an axis where either has length 1
            along = range(a.ndim) if axes is None else axes
            axes = tuple(i for i in along if a.shape[i] != 1 != v.shape[i])
            if not axes:
                return a * v
        return _convolved(a, v, mode, method, axes)


_by_transform(signal.fftconvolve, "fft")
_by_transform(signal.oaconvolve, "oa")

# ---------------------------------------------------------------- in two dimensions


_BOUNDARY = {"fill": "constant", "wrap": "wrap", "symm": "symmetric"}


def _padded(a, v, mode, boundary, fillvalue):
    """a with what the kernel reaches beyond its edges; then everything overlaps entirely."""
    if mode == "valid":
        return a
    kwargs = {"constant_values": fillvalue} if boundary == "fill" else {}
    return np.pad(a, [(m - 1, m - 1) for m in v.shape], _BOUNDARY[boundary], **kwargs)


def _in_two(function, turn, centre):
    @composite(function)
    def run(in1, in2, mode="full", boundary="fill", fillvalue=0):
        a, v = operand(in1), operand(in2)
        if not _ordinary(a, v, mode) or a.ndim != 2 or boundary not in _BOUNDARY:
            return function(plain(a), plain(v), mode, boundary)  # SciPy's errors
        y = _convolved(_padded(a, v, mode, boundary, fillvalue), turn(v), "valid", "plane")
        if turn is not _same and mode == "valid" and any(np.less(a.shape, v.shape)):
            y = conj(y)  # SciPy has exchanged the operands, and conjugated the other one
        if mode == "same":
            starts = [centre(m) for m in v.shape]
            y = y[tuple(slice(s, s + n) for s, n in zip(starts, a.shape))]
        return y


def _same(v):
    return v


_in_two(signal.convolve2d, _same, lambda m: (m - 1) // 2)
_in_two(signal.correlate2d, lambda v: _flip(conj(v), None), lambda m: m // 2)

# ---------------------------------------------------------------- filters


def linear_filter(b, a, x):
    return signal.lfilter(b, a, x)


def _filtered(b, a, x):
    return bind(LFILTER, (b, a, x), {})


def _backwards(b, a, x):
    """The transpose of the filter: the signal runs backwards through the conjugate filter."""
    return _filtered(conj(b), conj(a), x[..., ::-1])[..., ::-1]


def _lagged(w, x, n):
    """sum_t w_t conj(x_(t-k)) for k < n, over all signals."""
    t = x.shape[-1]
    parts = [np.sum(w[..., k:] * conj(x)[..., : max(t - k, 0)]) for k in range(n)]
    return np.stack(parts)


def _filter_jvp(tangents, y, b, a, x):
    db, da, dx = tangents
    one = np.ones_like(a, shape=1)
    sources = [] if dx is None else [_filtered(b, one, dx)]
    sources += [] if db is None else [_filtered(db, one, x)]
    sources += [] if da is None else [-_filtered(da, one, y)]
    return _filtered(one, a, sum(sources[1:], sources[0]))


@general(linear_filter, jvp=_filter_jvp)
def LFILTER(g, y, b, a, x):
    """sum_k a_k y_(t-k) = sum_k b_k x_(t-k), a * y = b * x:  a * dy = b * dx + db * x - da * y.

    With w the transpose of 1 / a applied to g: x_bar is the transpose of b applied to w, b_bar and
    a_bar are the correlations of w with x and with -y.
    """
    one = np.ones_like(a, shape=1)
    w = _backwards(one, a, g)
    return (
        lambda: _lagged(w, x, b.size),
        lambda: -_lagged(w, y, a.size),
        lambda: _backwards(b, one, w),
    )


@composite(signal.lfilter)
def lfilter(b, a, x, axis=-1, zi=None):
    """The filter along an axis; with initial states zi also the final ones."""
    signal.lfilter(*plain((b, a, x, axis, zi)))  # SciPy's errors
    b, a, x = np.atleast_1d(operand(b)), np.atleast_1d(operand(a)), operand(x)
    x = np.moveaxis(x, axis, -1)
    if zi is None:
        return np.moveaxis(_filtered(b, a, x), -1, axis)
    states = np.moveaxis(operand(zi), axis, -1)
    states = np.broadcast_to(states, (*x.shape[:-1], max(b.size, a.size) - 1))
    y, final = _with_states(b, a, x, states)
    return np.moveaxis(y, -1, axis), np.moveaxis(final, -1, axis)


def _with_states(b, a, x, states):
    """The states enter the output one after the other, filtered by 1 / a; those after the end are
    what would follow if the signal went on with zeros and the output were not fed back.
    """
    k, n = states.shape[-1], x.shape[-1]
    if k == 0:
        return _filtered(b, a, x), states
    late = np.zeros_like(x, shape=(*x.shape[:-1], k))
    entering = np.concatenate([states, np.zeros_like(x)], axis=-1)
    y = _filtered(b, a, x) + _filtered(a[:1], a, entering[..., :n])
    one = np.ones_like(a, shape=1)
    without_feedback = _filtered(b, one, np.concatenate([x, late], axis=-1))
    fed_back = _filtered(
        np.concatenate([np.zeros_like(one), a[1:]]), one, np.concatenate([y, late], axis=-1)
    )
    return y, ((without_feedback - fed_back) / a[0] + entering)[..., n:]


@composite(signal.lfilter_zi)
def lfilter_zi(b, a):
    """The states at which a constant signal 1 comes out constant: z_k = z_(k+1) + b_k - a_k y."""
    signal.lfilter_zi(plain(b), plain(a))  # SciPy's errors
    b, a = np.atleast_1d(operand(b)), np.atleast_1d(operand(a))
    a = a[int(np.argmax(plain(a) != 0)) :]
    n = max(a.size, b.size)
    b, a = (
        np.concatenate([x / a[0], np.zeros_like(x, shape=n - x.size, dtype=float)]) for x in (b, a)
    )
    step = np.eye(n - 1) - np.eye(n - 1, k=1) + a[1:, None] * np.eye(1, n - 1)
    return np.linalg.solve(step, b[1:] - a[1:] * b[0])


@composite(signal.sosfilt)
def sosfilt(sos, x, axis=-1, zi=None):
    """One filter of second order after the other."""
    signal.sosfilt(*plain((sos, x, axis, zi)))  # SciPy's errors
    sos, y = operand(sos), operand(x)
    if zi is None:
        for section in sos:
            y = lfilter(section[:3], section[3:], y, axis)
        return y
    finals = []
    for section, state in zip(sos, operand(zi)):
        y, final = lfilter(section[:3], section[3:], y, axis, state)
        finals.append(final)
    return y, np.stack(finals)


@composite(signal.upfirdn)
def upfirdn(h, x, up=1, down=1, axis=-1, mode="constant", cval=0):
    """Zeros put in between, the filter h, and every ``down``-th of the results."""
    if mode != "constant" or cval != 0:
        raise NoRuleError(
            f"scipy.signal.upfirdn with mode={mode!r} and cval={cval!r} has no derivative rule",
            "Pad the signal with np.pad before.",
        )
    signal.upfirdn(*plain((h, x, up, down, axis)))  # SciPy's errors
    h, x = operand(h), np.moveaxis(operand(x), axis, -1)
    n = x.shape[-1]
    spread = np.zeros_like(x, shape=(*x.shape[:-1], n, up))
    spread = np.concatenate([x[..., None], spread[..., 1:]], axis=-1)
    spread = spread.reshape((*x.shape[:-1], n * up))[..., : (n - 1) * up + 1]
    kernel = h.reshape((1,) * (x.ndim - 1) + (h.size,))
    return np.moveaxis(_convolved(spread, kernel, "full", "direct")[..., ::down], -1, axis)
