"""The phases of complex eigenvectors and singular vectors, which LAPACK makes definite.

One entry of each vector is real: the first (eigh of the lower triangle; V of a tall matrix, U of a
wide one), the last (eigh of the upper triangle) or the largest (eig). Tangents of the vectors keep
it real. Where the numbers are not so, results that depend on the phases are refused.
"""

import numpy as np

from chainrule.base.errors import NoRuleError
from chainrule.core.trace import plain
from chainrule.rules.matrices import column_scale, columns, loose


def anchor(v, row):
    """Where each vector has the entry that LAPACK makes real: a mask, or None if it has not."""
    if v.dtype.kind != "c" or not v.shape[-1]:
        return None
    v = plain(v)
    mask = np.zeros(v.shape, bool)
    mask[..., row, :] = True
    return _if_real(v, mask)


def largest(v):
    """As ``anchor``, for the largest entry of each vector that is real."""
    if v.dtype.kind != "c" or not v.shape[-1]:
        return None
    v = plain(v)
    size = np.where(v.imag == 0, np.abs(v), -1.0)
    mask = np.zeros(v.shape, bool)
    np.put_along_axis(mask, size.argmax(-2)[..., None, :], True, axis=-2)
    return _if_real(v, mask)


def _if_real(v, mask):
    rounding = 8 * v.shape[-2] * np.finfo(v.dtype).eps
    return mask if np.all(np.abs(v.imag[mask]) <= rounding) else None


def _at(mask, v):
    """The anchored entries of the vectors, (..., n); 1 for one that is too small to hold on to."""
    entry = np.real(np.sum(np.where(mask, v, 0.0), axis=-2))
    small = np.abs(plain(entry)) <= loose(entry)
    return np.where(small, 1.0, entry), small


def with_phase(dv, v, mask):
    """dV - i V diag(theta), with theta such that the anchored entries stay real."""
    if mask is None:
        return dv
    entry, small = _at(mask, v)
    theta = np.where(small, 0.0, np.imag(np.sum(np.where(mask, dv, 0.0), axis=-2)) / entry)
    return dv - columns(v, theta) * 1j


def pulled_phase(g, v, mask, name):
    """The transpose of ``with_phase``; an error where the phases matter and are not known."""
    if v.dtype.kind != "c":
        return g
    c = np.imag(np.sum(np.conj(g) * v, axis=-2))
    if mask is None:
        _refuse_phases(name, c, g, True)
        return g
    entry, small = _at(mask, v)
    _refuse_phases(name, c, g, small)
    return g + _on(mask, np.where(small, 0.0, c / entry))


def _on(mask, c):
    """i c at the anchored entries: the cotangent of the imaginary parts there."""
    return np.where(mask, c[..., None, :] * 1j, 0.0)


def _refuse_phases(name, c, g, unknown):
    size = column_scale(g)[..., 0, :]
    if np.any((np.abs(plain(c)) > loose(c) * size) & unknown):
        raise NoRuleError(
            f"np.linalg.{name}: the result depends on the phases of complex vectors, which LAPACK "
            "chooses here in a way that has no derivative",
            "Use functions that do not depend on them, such as abs(v)**2 or v @ v.conj().T.",
        )


def _held(u, v):
    """Which of U and V has a real first row, and where: V of a tall matrix, U of a wide one."""
    mask = anchor(v, 0)
    return (mask, False) if mask is not None else (anchor(u, 0), True)


def with_phases(du, dv, u, v, positive):
    """As ``with_phase`` for the pairs (u_i, v_i) of s_i > 0, which turn together."""
    mask, is_u = _held(u, v)
    if mask is None:
        return du, dv
    entry, small = _at(mask, u if is_u else v)
    moved = np.imag(np.sum(np.where(mask, du if is_u else dv, 0.0), axis=-2))
    theta = np.where(small | ~positive, 0.0, moved / entry)
    return du - columns(u, theta) * 1j, dv - columns(v, theta) * 1j


def pulled_phases(g_u, g_v, u, v, positive):
    """The transpose of ``with_phases``."""
    if u.dtype.kind != "c":
        return g_u, g_v
    c = np.imag(np.sum(np.conj(g_u) * u, axis=-2) + np.sum(np.conj(g_v) * v, axis=-2))
    mask, is_u = _held(u, v)
    both = np.concatenate([plain(g_u), plain(g_v)], axis=-2)
    if mask is None:
        _refuse_phases("svd", c, both, positive)
        return g_u, g_v
    entry, small = _at(mask, u if is_u else v)
    _refuse_phases("svd", c, both, small & positive)
    bars = _on(mask, np.where(small | ~positive, 0.0, c / entry))
    return (g_u + bars, g_v) if is_u else (g_u, g_v + bars)
