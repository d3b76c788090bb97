"""``scipy.fft``: the Fourier transforms are NumPy's rules, the sine and cosine ones a linear map.

Options about memory and threads (``overwrite_x``, ``workers``) are accepted and do nothing: an
operand is never overwritten.
"""

import numpy as np
from scipy import fft as scipy_fft

from chainrule.core.lift import MAKERS, REPLACEMENTS
from chainrule.core.primitive import adjoint_pair, composite
from chainrule.core.trace import bind, plain
from chainrule.rules import fft
from chainrule.rules.joins import operand

# The functions are objects of uarray, which is all that lifted code need know about them.
MAKERS[type(scipy_fft.fft)] = lambda original, map: REPLACEMENTS.get(original, original)

# ---------------------------------------------------------------- Fourier transforms


def _of_one_axis(name):
    run = getattr(fft, "_" + name)
    function = getattr(scipy_fft, name)

    @composite(function)
    def call(x, n=None, axis=-1, norm=None, overwrite_x=False, workers=None, *, plan=None):
        _check(plan, norm)
        n = 1 if name in ("hfft", "irfft") and n == 0 else plain(n)  # as SciPy reads it
        return run(x, n, plain(axis), norm)


for _name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"):
    _of_one_axis(_name)


def _check(plan, norm):
    if plan is not None or norm is not None:
        scipy_fft.fft(np.ones(1), norm=norm, plan=plan)  # SciPy's errors


def _lengths(x, s, axes):
    """One length and axis for each transform, as SciPy reads them, or its errors."""
    scipy_fft.fftn(np.ones((1,) * x.ndim), s, axes)
    s = None if s is None else np.atleast_1d(plain(s)).tolist()
    if axes is None:
        axes = range(x.ndim) if s is None else range(x.ndim - len(s), x.ndim)
    else:
        axes = np.atleast_1d(plain(axes)).astype(int).tolist()
    lengths = [None] * len(axes) if s is None else s
    return [(x.shape[axis] if n == -1 else n, axis) for n, axis in zip(lengths, axes)]


def _fftn(x, lengths, norm):
    return fft.over_axes(fft._fft, x, lengths, norm)


def _ifftn(x, lengths, norm):
    return fft.over_axes(fft._ifft, x, lengths, norm)


def _rfftn(x, lengths, norm):
    *others, (n, axis) = lengths
    return _fftn(fft._rfft(x, n, axis, norm), others, norm)


def _irfftn(x, lengths, norm):
    *others, (n, axis) = lengths
    return fft._irfft(_ifftn(x, others, norm), _even(x, n, axis), axis, norm)


def _even(x, n, axis):
    """The length of a signal of half its frequencies: with one of them it is 1 here, not 0."""
    return (2 * (x.shape[axis] - 1) or 1) if n is None else n


def _hfftn(x, lengths, norm):
    *others, (n, axis) = lengths
    return fft._hfft(_fftn(x, others, norm), _even(x, n, axis), axis, norm)


def _ihfftn(x, lengths, norm):
    return np.conjugate(_rfftn(x, lengths, fft.opposite(norm)))


def _of_several_axes(name, run, default):
    function = getattr(scipy_fft, name)

    @composite(function)
    def call(x, s=None, axes=default, norm=None, overwrite_x=False, workers=None, *, plan=None):
        _check(plan, norm)
        x = operand(x)
        lengths = _lengths(x, s, axes)
        if not lengths:
            return x if run in (_fftn, _ifftn) else function(plain(x), s, axes)  # SciPy's error
        return run(x, lengths, norm)


for _name, _run in (
    ("fft", _fftn),
    ("ifft", _ifftn),
    ("rfft", _rfftn),
    ("irfft", _irfftn),
    ("hfft", _hfftn),
    ("ihfft", _ihfftn),
):
    _of_several_axes(_name + "n", _run, None)
    _of_several_axes(_name + "2", _run, (-2, -1))


@composite(scipy_fft.fftshift)
def fftshift(x, axes=None):
    return np.fft.fftshift(operand(x), axes)


@composite(scipy_fft.ifftshift)
def ifftshift(x, axes=None):
    return np.fft.ifftshift(operand(x), axes)


# ---------------------------------------------------------------- cosine and sine transforms


def trigonometric(x, *, kind, type, axis, norm, orthogonalize):
    transform = scipy_fft.dct if kind == "cos" else scipy_fft.dst
    return transform(x, type, None, axis, norm, orthogonalize=orthogonalize)


def trigonometric_adjoint(g, *, kind, type, axis, norm, orthogonalize):
    """Type 2 and 3 are each other's transpose, 1 and 4 their own, but for the ends of the axis:

    the term that stands there once, and for type 1 its mirror image, counts half in the sums of
    type 3 and 1. Orthogonal ones have it scaled on both sides alike.
    """
    n = g.shape[axis]
    before = after = 1.0
    if not orthogonalize:
        half = (
            _halves(kind, type, n).reshape((-1,) + (1,) * (g.ndim - 1 - axis)).astype(g.real.dtype)
        )
        before = 1.0 / half if type == 2 or (type == 1 and kind == "cos") else 1.0
        after = half if type == 3 or (type == 1 and kind == "cos") else 1.0
    partner = {2: 3, 3: 2}.get(type, type)
    y = trigonometric(
        g * before, kind=kind, type=partner, axis=axis, norm=norm, orthogonalize=orthogonalize
    )
    return y * after


def _halves(kind, type, n):
    half = np.ones(n)
    ends = [0, -1] if type == 1 else [0] if kind == "cos" else [-1]
    half[ends] = 0.5
    return half


TRIGONOMETRIC = adjoint_pair(trigonometric, trigonometric_adjoint)


def _transformed(kind, inverse, x, type, n, axis, norm, orthogonalize):
    scipy_fft.dct(np.zeros(2), type, norm=norm)  # SciPy's errors
    x, n, axis = fft.along(x, n, axis)
    if inverse:
        type, norm = {2: 3, 3: 2}.get(type, type), fft.opposite(norm)
    # SciPy does not look at `orthogonalize` where the operand is complex
    default = orthogonalize is None or x.dtype.kind == "c"
    params = {
        "kind": kind,
        "type": type,
        "axis": axis,
        "norm": norm,
        "orthogonalize": norm == "ortho" if default else bool(orthogonalize),
    }
    return bind(TRIGONOMETRIC, (x,), params)


def _trigonometric(kind, inverse):
    name = ("i" if inverse else "") + {"cos": "dct", "sin": "dst"}[kind]
    several = getattr(scipy_fft, name + "n")

    @composite(getattr(scipy_fft, name))
    def one(
        x, type=2, n=None, axis=-1, norm=None, overwrite_x=False, workers=None, orthogonalize=None
    ):
        return _transformed(kind, inverse, x, type, n, axis, norm, orthogonalize)

    @composite(several)
    def over_axes(
        x, type=2, s=None, axes=None, norm=None, overwrite_x=False, workers=None, *,
        orthogonalize=None,
    ):  # fmt: skip
        x = operand(x)
        for n, axis in reversed(_lengths(x, s, axes)):
            x = _transformed(kind, inverse, x, type, n, axis, norm, orthogonalize)
        return x


for _kind in ("cos", "sin"):
    for _inverse in (False, True):
        _trigonometric(_kind, _inverse)
