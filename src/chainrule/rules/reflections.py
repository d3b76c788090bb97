"""``np.linalg.qr(a, mode="raw")``: Householder's reflections, column by column as LAPACK does."""

import numpy as np

from chainrule.base.errors import NoRuleError
from chainrule.core.trace import plain


def reflections(a):
    """(h, tau):  H_k = 1 - tau_k v_k v_k^H,  H_k^H .. H_1^H a = R.

    R is in the upper triangle and v_k, whose first element is 1, below it; h is the transpose.
    """
    m, n = a.shape[-2:]
    dtype = a.dtype
    a = a.astype(np.result_type(dtype, float))  # a copy, in LAPACK's precision
    taus = [np.zeros_like(a, shape=(*a.shape[:-2], 0))]
    for k in range(min(m, n)):
        v, tau, beta = reflection(a[..., k:, k], k)
        rest = a[..., k:, k + 1 :]
        moved = np.conj(tau)[..., None, None] * v[..., None] * (np.conj(v)[..., None, :] @ rest)
        a[..., k:, k + 1 :] = rest - moved
        a[..., k, k] = beta
        a[..., k + 1 :, k] = v[..., 1:]
        taus.append(tau[..., None])
    return a.swapaxes(-1, -2).astype(dtype), np.concatenate(taus, axis=-1).astype(dtype)


def reflection(x, k):
    """v, tau and beta of the reflection that takes x to beta e_1, with beta real."""
    first, tail = x[..., 0], x[..., 1:]
    none = np.all(plain(tail) == 0, axis=-1) & (np.imag(plain(first)) == 0)
    if tail.shape[-1] and np.any(none):
        raise NoRuleError(
            f"np.linalg.qr with mode='raw' jumps where column {k} is zero below the diagonal",
            "Use mode='reduced' or 'r', or move the point.",
        )
    size = np.linalg.vector_norm(np.where(none[..., None], 1.0, x), axis=-1)
    beta = np.where(none, first, np.where(np.real(plain(first)) < 0, size, -size))
    gap = np.where(none, 1.0, first - beta)
    tau = np.where(none, 0.0, -gap / np.where(none, 1.0, beta))
    one = np.ones_like(plain(x[..., :1]))
    return np.concatenate([one, tail / gap[..., None]], axis=-1), tau, beta
