"""Complex numbers by their real-linear parts: real, imag, conj, angle.

Linear means with respect to <a, b> = Re sum conj(a) b; ``project`` drops the imaginary part of the
cotangent of a real operand and embeds a real cotangent of a complex one.
"""

import numpy as np

from chainrule.core.primitive import adjoint_pair, apply, composite, linear, register
from chainrule.core.trace import plain
from chainrule.rules import elementwise  # noqa: F401  (declares np.sign of real numbers)
from chainrule.rules.joins import operand, view


def _real(x):
    return x.real


def _imag(x):
    return x.imag


REAL = linear(_real, name="real")(lambda g, shapes, slots: [g])
# <g, Im z> = Re sum conj(i g) z
IMAG = linear(_imag, name="imag")(lambda g, shapes, slots: [apply(FROM_PARTS, np.zeros_like(g), g)])
# <g, conj z> = <conj g, z>
CONJ = linear(np.conjugate, name="conjugate")(lambda g, shapes, slots: [np.conjugate(g)])
register(np.conjugate, CONJ, ["x"])


def from_parts(re, im):
    """Not re + 1j * im, which is NaN where a part is infinite."""
    z = np.empty(
        np.broadcast_shapes(np.shape(re), np.shape(im)), np.result_type(re, im, np.complex64)
    )
    z.real, z.imag = re, im
    return z


@linear(from_parts)
def FROM_PARTS(g, shapes, slots):
    """<g, re + i im> = <Re g, re> + <Im g, im>."""
    return [(np.real, np.imag)[k](g) for k in slots]


def _view(x, *, to, of):
    return x.view(to)


def _view_back(g, *, to, of):
    return np.copy(g).view(of)


# pairs (Re z, Im z) of the same memory: <view z, g> = sum Re z g_0 + Im z g_1 = <z, view back of g>
adjoint_pair(_view, _view_back, name="view", partner_name="view_back")


@composite(np.real)
def real(val):
    """The real part, a view; a real array is its own."""
    val = operand(val)
    return view(val, _real, (), {}, REAL) if val.dtype.kind == "c" else val


@composite(np.imag)
def imag(val):
    """The imaginary part, a view; zeros for a real array."""
    val = operand(val)
    return (
        view(val, _imag, (), {}, IMAG) if val.dtype.kind == "c" else np.zeros_like(plain(val))[()]
    )


@composite(np.angle)
def angle(z, deg=False):
    """The argument atan2(Im z, Re z); for real z it is piecewise constant."""
    z = operand(z)
    if z.dtype.kind != "c":
        return np.angle(plain(z), deg)
    a = np.arctan2(imag(z), real(z))
    return a * (180 / np.pi) if deg else a


@composite(np.real_if_close)
def real_if_close(a, tol=100):
    """The real part if all imaginary parts are near 0, as NumPy decides on the values."""
    a = operand(a)
    return real(a) if np.isrealobj(np.real_if_close(plain(a), tol)) else a


@composite(np.sign)
def sign(x):
    """z / |z|; piecewise constant for real x."""
    x = operand(x)
    if x.dtype.kind != "c":
        return np.sign(plain(x))
    r = np.abs(x)
    return x / np.where(r == 0, 1.0, r)
