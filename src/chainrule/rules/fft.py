"""``np.fft``: four linear maps along an axis, each with its transpose, and loops of them over axes.

The transform F of length n has entries exp(-2 pi i j k / n), times 1, n^-1/2 or 1/n by ``norm``;
its adjoint is the inverse with the scale of F itself. Half transforms count the frequencies that
stand for two of the full one twice. Cutting and padding to another length are steps of their own.
"""

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from chainrule.core.primitive import adjoint_pair, composite
from chainrule.core.trace import bind, plain
from chainrule.rules.joins import operand

# `norm` says which direction is scaled: the same scale for the other direction
OPPOSITE = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}


def opposite(norm):
    if norm not in OPPOSITE:
        np.fft.hfft(np.zeros(2), norm=norm)  # NumPy's error
    return OPPOSITE[norm]


# ---------------------------------------------------------------- the four maps


def fft(x, *, axis, norm):
    return np.fft.fft(x, None, axis, norm)


def fft_adjoint(g, *, axis, norm):
    return np.fft.ifft(g, None, axis, opposite(norm))


def rfft(x, *, axis, norm):
    return np.fft.rfft(x, None, axis, norm)


def rfft_adjoint(g, *, shape, axis, norm):
    """Re F^H of g padded with zeros; irfft adds the conjugate frequencies, so half of each."""
    n = shape[axis]
    return np.fft.irfft(g * _doubles(g, n, axis, 0.5), n, axis, opposite(norm))


def irfft(x, *, n, axis, norm):
    return np.fft.irfft(x, n, axis, norm)


def irfft_adjoint(g, *, n, axis, norm):
    """Each frequency that stands for two counts twice; the imaginary part of the others is lost."""
    y = np.fft.rfft(g, None, axis, opposite(norm))
    return y * _doubles(y, n, axis, 2.0)


def _doubles(y, n, axis, weight):
    """``weight`` at the frequencies of ``y`` that stand for two of the n, and 1 at the others."""
    k = np.arange(y.shape[axis])
    w = np.where((k == 0) | (2 * k == n), 1.0, weight).astype(y.real.dtype)
    return w.reshape((-1,) + (1,) * (y.ndim - 1 - axis))


FFT = adjoint_pair(fft, fft_adjoint)
RFFT = adjoint_pair(rfft, rfft_adjoint)
IRFFT = adjoint_pair(irfft, irfft_adjoint)

# ---------------------------------------------------------------- along one axis


def resized(x, n, axis):
    """x cut, or padded with zeros, to n elements along an axis."""
    m = x.shape[axis]
    if n == m:
        return x
    if n < m:
        return x[(slice(None),) * axis + (slice(n),)]
    return np.pad(x, [(0, n - m) if i == axis else (0, 0) for i in range(x.ndim)])


def along(a, n, axis, half=False):
    """The array, cut or padded, and the axis as a number >= 0, or NumPy's error.

    ``half``: n is the length of the result, of which a holds about half the frequencies.
    """
    a, axis = operand(a), plain(axis)
    if n is None:
        n = 2 * (a.shape[axis] - 1) if half else a.shape[axis]
    axis = normalize_axis_index(axis, a.ndim)
    n = int(plain(n))
    if n < 1:
        np.fft.fft(np.zeros(1), n)  # NumPy's error
    return resized(a, n // 2 + 1 if half else n, axis), n, axis


@composite(np.fft.fft)
def _fft(a, n=None, axis=-1, norm=None):
    a, n, axis = along(a, n, axis)
    return bind(FFT, (a,), {"axis": axis, "norm": norm})


@composite(np.fft.ifft)
def _ifft(a, n=None, axis=-1, norm=None):
    a, n, axis = along(a, n, axis)
    return bind(FFT.transpose, (a,), {"axis": axis, "norm": opposite(norm)})


@composite(np.fft.rfft)
def _rfft(a, n=None, axis=-1, norm=None):
    a, n, axis = along(a, n, axis)
    return bind(RFFT, (a,), {"axis": axis, "norm": norm})


@composite(np.fft.irfft)
def _irfft(a, n=None, axis=-1, norm=None):
    a, n, axis = along(a, n, axis, half=True)
    return bind(IRFFT, (a,), {"n": n, "axis": axis, "norm": norm})


@composite(np.fft.hfft)
def _hfft(a, n=None, axis=-1, norm=None):
    return _irfft(np.conjugate(operand(a)), n, axis, opposite(norm))


@composite(np.fft.ihfft)
def _ihfft(a, n=None, axis=-1, norm=None):
    return np.conjugate(_rfft(a, n, axis, opposite(norm)))


# ---------------------------------------------------------------- along several axes


def _lengths(a, s, axes):
    """One length and axis for each transform, as NumPy reads them, or its errors and warnings."""
    s, axes = plain(s), plain(axes)
    if s is not None:
        np.fft.fftn(np.zeros((1,) * a.ndim), s, axes)
        axes = range(-len(s), 0) if axes is None else axes
        return [(None if n == -1 else n, axis) for n, axis in zip(s, axes)]
    axes = range(a.ndim) if axes is None else axes
    np.take(a.shape, list(axes))  # NumPy's error
    return [(None, axis) for axis in axes]


def over_axes(step, a, lengths, norm):
    for n, axis in reversed(lengths):
        a = step(a, n, axis, norm)
    return a


@composite(np.fft.fftn)
def _fftn(a, s=None, axes=None, norm=None):
    a = operand(a)
    return over_axes(_fft, a, _lengths(a, s, axes), norm)


@composite(np.fft.ifftn)
def _ifftn(a, s=None, axes=None, norm=None):
    a = operand(a)
    return over_axes(_ifft, a, _lengths(a, s, axes), norm)


@composite(np.fft.rfftn)
def _rfftn(a, s=None, axes=None, norm=None):
    a = operand(a)
    *others, (n, axis) = _lengths(a, s, axes) or np.fft.rfftn(plain(a), s, axes)  # its error
    others = [(a.shape[i] if n is None else n, i) for n, i in others]  # an axis may come twice
    return over_axes(_fft, _rfft(a, n, axis, norm), others, norm)


@composite(np.fft.irfftn)
def _irfftn(a, s=None, axes=None, norm=None):
    a = operand(a)
    *others, (n, axis) = _lengths(a, s, axes) or np.fft.irfftn(plain(a), s, axes)  # its error
    if s is not None and n is None:  # -1 is the length of the operand
        n = a.shape[axis]
    for m, other in others:
        a = _ifft(a, m, other, norm)
    return _irfft(a, n, axis, norm)


def _in_two(run):
    return lambda a, s=None, axes=(-2, -1), norm=None: run(a, s, axes, norm)


for _two, _run in (
    (np.fft.fft2, _fftn),
    (np.fft.ifft2, _ifftn),
    (np.fft.rfft2, _rfftn),
    (np.fft.irfft2, _irfftn),
):
    composite(_two)(_in_two(_run))

# ---------------------------------------------------------------- order of the frequencies


def _shift(direction):
    def shifted(x, axes=None):
        x = operand(x)
        axes = tuple(range(x.ndim)) if axes is None else plain(axes)
        each = axes if isinstance(axes, (tuple, list)) else (axes,)
        by = [direction(x.shape[i]) for i in each]
        return np.roll(x, by, axes) if by or not x.ndim else np.copy(x)  # of a number: its error

    return shifted


composite(np.fft.fftshift)(_shift(lambda n: n // 2))
composite(np.fft.ifftshift)(_shift(lambda n: -(n // 2)))
