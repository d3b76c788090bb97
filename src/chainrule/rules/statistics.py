"""Covariances and correlations, as NumPy defines them; weights may be traced too."""

import numpy as np

from chainrule.core.trace import plain
from chainrule.rules.reductions import operand, unless_constant


@unless_constant(np.cov)
def cov(m, y=None, rowvar=True, bias=False, ddof=None, fweights=None, aweights=None, *, dtype=None):
    """X (w X^H) / fact of the centred rows X; fact is n - ddof, or what NumPy makes of weights."""
    arrays = [operand(a) for a in (m, y) if a is not None]
    # copies: np.cov multiplies fweights of floats by aweights in place
    weights = [operand(w).astype(float) for w in (fweights, aweights) if w is not None]
    few = arrays[0].size < 2 or min(arrays[0].shape) < 2
    if weights or few or ddof is not None or max(a.ndim for a in arrays) > 2:
        values = plain((m, y, rowvar, bias, ddof, fweights, aweights))
        with np.errstate(all="ignore"):
            np.cov(*values)  # NumPy's errors and warnings
    x = _observations(arrays, rowvar, dtype or np.result_type(*(a.dtype for a in arrays), float))
    if x.shape[0] == 0:
        return np.zeros_like(x, shape=(0, 0), dtype=float)
    ddof = ddof if ddof is not None else 1 - bool(bias)
    w = weights[0] * weights[1] if len(weights) == 2 else weights[0] if weights else None
    x = x - np.expand_dims(np.average(x, axis=1, weights=w), 1)
    right = x if w is None else x * w
    fact = _degrees(x, w, ddof, None if aweights is None else weights[-1])
    c = x @ np.conj(right).T * np.true_divide(1, fact)
    return np.squeeze(c) if c.dtype == x.dtype else np.squeeze(c.astype(x.dtype))


def _observations(arrays, rowvar, dtype):
    """One variable a row, those of the second array below those of the first."""
    parts = []
    for a in arrays:
        x = np.atleast_2d(a if a.dtype == dtype else a.astype(dtype))
        turned = a.ndim != 1 if not parts else x.shape[0] != 1
        parts.append(x if rowvar or not turned else x.T)
        if parts[0].shape[0] == 0:
            return parts[0]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=0)


def _degrees(x, w, ddof, aweights):
    """What the sum of products is divided by."""
    if w is None:
        return max(x.shape[1] - ddof, 0.0)
    total = np.sum(w)
    if ddof == 0:
        fact = total
    elif aweights is None:
        fact = total - ddof
    else:
        fact = total - ddof * np.sum(w * aweights) / total
    return fact if plain(fact) > 0 else 0.0


@unless_constant(np.corrcoef)
def corrcoef(x, y=None, rowvar=True, *, dtype=None):
    """c_ij / (s_i s_j), each part clipped to [-1, 1]."""
    c = cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    s = np.sqrt(np.diag(c).real)
    c = c / s[:, None] / s
    if c.dtype.kind != "c":
        return np.clip(c, -1, 1)
    return np.clip(c.real, -1, 1) + 1j * np.clip(c.imag, -1, 1)
