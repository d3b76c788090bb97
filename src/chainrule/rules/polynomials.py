"""``np.poly*`` and ``np.roots``; what ``numpy.polynomial`` has is NumPy's own code, lifted.

Coefficients stand highest power first. A ``poly1d`` in gives a ``poly1d`` out, as in NumPy.
"""

import sys

import numpy as np

from chainrule.core.lift import lift
from chainrule.core.primitive import FUNCTIONS, LATE, composite, general
from chainrule.core.trace import bind, plain
from chainrule.rules.joins import operand

# ---------------------------------------------------------------- operands and results


def _series(p):
    """The coefficients of a ``poly1d``, or the array they are given as."""
    return p.coeffs if isinstance(p, np.poly1d) else np.atleast_1d(operand(p))


def _as(given, y):
    """A ``poly1d`` if one was given."""
    return np.poly1d(y) if any(isinstance(p, np.poly1d) for p in given) else y


# ---------------------------------------------------------------- arithmetic


def _aligned(a1, a2):
    """Both with the length of the longer one."""
    a, b = _series(a1), _series(a2)
    n = max(len(a), len(b))
    return [np.concatenate([np.zeros_like(x, shape=n - len(x)), x]) for x in (a, b)]


@composite(np.polyadd)
def polyadd(a1, a2):
    a, b = _aligned(a1, a2)
    return _as((a1, a2), a + b)


@composite(np.polysub)
def polysub(a1, a2):
    a, b = _aligned(a1, a2)
    return _as((a1, a2), a - b)


@composite(np.polymul)
def polymul(a1, a2):
    a, b = (np.poly1d(_series(a)).coeffs for a in (a1, a2))
    return _as((a1, a2), np.convolve(a, b))


@composite(np.polydiv)
def polydiv(u, v):
    """Quotient and remainder by long division; how long the remainder is, its values decide."""
    r, divisor = _series(u) + 0.0, _series(v) + 0.0
    r, n = r.astype(np.result_type(r, divisor)), len(divisor)
    quotient = []
    for k in range(len(r) - n + 1):
        d = 1.0 / divisor[0] * r[k]
        quotient.append(d)
        r = np.concatenate([r[:k], r[k : k + n] - d * divisor, r[k + n :]])
    if not quotient:
        quotient = [np.zeros_like(r[0] + divisor[0])]
    first = int(np.argmin([np.allclose(c, 0, rtol=1e-14) for c in [*plain(r)[:-1], 1.0]]))
    return _as((u, v), np.stack(quotient)), _as((u, v), r[first:])


# ---------------------------------------------------------------- values, slopes, integrals


@composite(np.polyval)
def polyval(p, x):
    """The polynomial at numbers, or at another polynomial, by Horner's scheme."""
    p = _series(p)
    if isinstance(x, np.poly1d):
        y = 0
    else:
        x = operand(x)
        y = np.zeros_like(x)
    for c in p:
        y = y * x + c
    return y


@composite(np.polyder)
def polyder(p, m=1):
    m = int(plain(m))
    if m < 0:
        np.polyder([1.0], m)  # NumPy's error
    y = _series(p)
    for _ in range(m):
        y = y[:-1] * np.arange(len(y) - 1, 0, -1)
    return _as((p,), y)


@composite(np.polyint)
def polyint(p, m=1, k=None):
    m, y = int(plain(m)), _series(p)
    k = np.zeros(max(m, 0)) if k is None else np.atleast_1d(operand(k))
    np.polyint(np.ones(1), m, plain(k))  # NumPy's errors
    k = np.broadcast_to(k, m) if len(k) == 1 else k
    for i in range(m):
        y = np.concatenate([y / np.arange(len(y), 0, -1), k[i : i + 1]])
    return _as((p,), y)


# ---------------------------------------------------------------- roots


@general(np.roots)
def ROOTS(g, y, p):
    """p(r) = 0   =>   dr = -sum_k dp_k r^(n-k) / p'(r). A multiple root has an infinite slope."""
    slope = np.polyval(np.polyder(p), y)
    return np.matmul(-g / np.conj(slope), np.conj(np.vander(y, len(p))))


@composite(np.roots)
def roots(p):
    p = _series(p)
    if p.ndim != 1 or not np.any(plain(p)):
        return np.roots(plain(p))  # NumPy's error, or no roots
    return bind(ROOTS, (p,), {})


def characteristic_polynomial(a):
    return np.poly(a)


@general(characteristic_polynomial)
def CHARACTERISTIC(g, y, a):
    """det(t - A) = sum_k c_k t^(n-k)   =>   dc_k = -tr(M_k dA),  M_1 = 1,  M_(k+1) = A M_k + c_k.

    So it has a derivative where eigenvalues are equal, and they have none.
    [Faddeev and Faddeeva, Computational methods of linear algebra, sec. 47]
    """
    one = m = np.eye(len(a), dtype=a.dtype)
    a_bar = -g[1] * one
    for k in range(1, len(a)):
        m = a @ m + y[k] * one
        a_bar = a_bar - g[k + 1] * np.conj(m.T)
    return a_bar


@composite(np.poly)
def poly(seq_of_zeros):
    """The product of the factors t - z; of a matrix, its characteristic polynomial."""
    zeros = np.atleast_1d(operand(seq_of_zeros))
    if zeros.ndim == 2 and zeros.shape[0] == zeros.shape[1] != 0:
        return bind(CHARACTERISTIC, (zeros,), {})
    if zeros.ndim != 1 or zeros.size == 0:
        return np.poly(plain(zeros))  # NumPy's error, or 1.0
    y = one = np.ones_like(zeros, shape=1)
    for z in zeros:
        y = np.convolve(y, np.concatenate([one, -z[None]]))
    return y.real.copy() if y.dtype.kind == "c" and np.isrealobj(np.poly(plain(zeros))) else y


# ---------------------------------------------------------------- fits


@composite(np.polyfit)
def polyfit(x, y, deg, rcond=None, full=False, w=None, cov=False):
    """The least squares fit, of columns scaled to length one."""
    value = np.polyfit(*plain((x, y, deg, rcond, full, w, cov)))  # and NumPy's errors
    x, y = operand(x) + 0.0, operand(y) + 0.0
    order = int(plain(deg)) + 1
    rcond = len(x) * np.finfo(x.dtype).eps if rcond is None else plain(rcond)
    left, right = np.vander(x, order), y
    if w is not None:
        w = operand(w) + 0.0
        left = left * w[:, None]
        right = right * (w if y.ndim == 1 else w[:, None])
    scale = np.sqrt(np.sum(left * left, axis=0))
    left = left / scale
    c, residuals, rank, s = np.linalg.lstsq(left, right, rcond)
    c = (c.T / scale).T
    if full:
        return c, residuals, rank, s, value[4]
    if not cov:
        return c
    base = np.linalg.inv(left.T @ left) / np.outer(scale, scale)
    base = base if y.ndim == 1 else base[:, :, None]
    return c, base if cov == "unscaled" else base * (residuals / (len(x) - order))


# ---------------------------------------------------------------- numpy.polynomial


def _lifted(function):
    """NumPy's Python code behind a dispatched function, lifted."""

    def run(*args, **kwargs):
        return lift(function.__wrapped__)(*args, **kwargs)

    FUNCTIONS[function] = run


def _load() -> bool:
    """Some of it is dispatched, from NumPy 2.4; ``import numpy`` does not import it."""
    if "numpy.polynomial" not in sys.modules:
        return False
    for function in vars(np.polynomial.polynomial).values():
        if type(function) is type(np.polyval):
            _lifted(function)
    return True


LATE.append(_load)
