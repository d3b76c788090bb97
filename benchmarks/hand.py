"""Pullbacks as a careful person writes them: ``hand.f(*operands)(g)``.

What is outside the inner function the forward sweep has kept. Results are arrays of their own.
"""

import numpy as np
import scipy.special

# ---------------------------------------------------------------- elementwise


def arctan2(a, b):
    def back(g):
        scaled = g / (a * a + b * b)
        return scaled * b, -scaled * a

    return back


def maximum(x, y):
    def back(g):
        first = x > y
        return g * first, g * ~first

    return back


def minimum(x, y):
    def back(g):
        first = x < y
        return g * first, g * ~first

    return back


def modulus(z):
    y = np.abs(z)
    return lambda g: g / y * z


def complex_exp(z):
    y = np.exp(z)
    return lambda g: g * y.conj()


# ---------------------------------------------------------------- along an axis


def var(x):
    d = x - x.mean(axis=1, keepdims=True)
    return lambda g: (g * (2 / x.shape[1]))[:, None] * d


def std(x):
    d = x - x.mean(axis=1, keepdims=True)
    y = np.sqrt((d * d).mean(axis=1))
    return lambda g: (g / (y * x.shape[1]))[:, None] * d


def max_of(x):
    y = x.max(axis=1, keepdims=True)
    chosen = x == y
    ties = chosen.sum(axis=1, keepdims=True)
    return lambda g: np.where(chosen, g[:, None] / ties, 0.0)


def min_of(x):
    y = x.min(axis=1, keepdims=True)
    chosen = x == y
    ties = chosen.sum(axis=1, keepdims=True)
    return lambda g: np.where(chosen, g[:, None] / ties, 0.0)


def prod(x):
    y = x.prod(axis=1)
    return lambda g: (g * y)[:, None] / x


def cumprod(x):
    y = np.cumprod(x, axis=1)
    return lambda g: np.cumsum((g * y)[:, ::-1], axis=1)[:, ::-1] / x


def norm(x):
    y = np.linalg.norm(x, axis=1)
    return lambda g: (g / y)[:, None] * x


def norm_3(x):
    y = np.linalg.norm(x, 3, axis=1)
    return lambda g: (g / y**2.0)[:, None] * (np.sign(x) * np.abs(x) ** 2.0)


def logsumexp(x):
    y = scipy.special.logsumexp(x, axis=1)
    return lambda g: g[:, None] * np.exp(x - y[:, None])


def logsumexp_weighted(x, b):
    y = scipy.special.logsumexp(x, 1, b)

    def back(g):
        b_bar = g[:, None] * np.exp(x - y[:, None])
        return b_bar * b, b_bar

    return back


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    y = e / e.sum(axis=1, keepdims=True)
    return lambda g: y * (g - (g * y).sum(axis=1, keepdims=True))


def softmax_in_steps(x):
    """The steps of softmax written in NumPy one by one; one formula for all: a compiler's."""
    top = np.max(x, axis=1, keepdims=True)
    e = np.exp(x - top)
    total = np.sum(e, axis=1, keepdims=True)
    y = e / total

    def back(g):
        e_bar = g / total
        e_bar += np.sum(-g * y, axis=1, keepdims=True) / total
        x_bar = e_bar * e
        top_bar = -np.sum(x_bar, axis=1, keepdims=True)
        chosen = x == top
        x_bar += np.where(chosen, top_bar / np.sum(chosen, axis=1, keepdims=True), 0.0)
        return x_bar

    return back


def log_softmax(x):
    y = scipy.special.log_softmax(x, axis=1)
    return lambda g: g - np.exp(y) * g.sum(axis=1, keepdims=True)


def sort(x):
    order = np.argsort(x, axis=1)

    def back(g):
        x_bar = np.empty_like(g)
        np.put_along_axis(x_bar, order, g, 1)
        return x_bar

    return back


def median(x):
    n = x.shape[1]
    middle = np.argsort(x, axis=1)[:, (n - 1) // 2 : n // 2 + 1]

    def back(g):
        x_bar = np.zeros_like(x)
        share = np.broadcast_to(g[:, None] / middle.shape[1], middle.shape)
        np.put_along_axis(x_bar, middle, share, 1)
        return x_bar

    return back


def diff(x):
    def back(g):
        x_bar = np.zeros_like(x)
        x_bar[:, 1:] = g
        x_bar[:, :-1] -= g
        return x_bar

    return back


# ---------------------------------------------------------------- moving elements


def inner(x):
    def back(g):
        x_bar = np.zeros_like(x)
        x_bar[2:-2] = g
        return x_bar

    return back


def assigned(x, v):
    def back(g):
        x_bar = g.copy()
        x_bar[2:-2] = 0.0
        return x_bar, g[2:-2].copy()

    return back


def every_third(x):
    def back(g):
        x_bar = np.zeros_like(x)
        x_bar[: 3 * len(g) : 3] = g
        return x_bar

    return back


def windows(x):
    def back(g):
        x_bar = np.zeros_like(x)
        for k in range(3):
            x_bar[k : k + len(g)] += g[:, k]
        return x_bar

    return back


def gather(index):
    return lambda x: lambda g: np.bincount(index, g, len(x))


def rows(index):
    def operand(x):
        def back(g):
            x_bar = np.zeros_like(x)
            np.add.at(x_bar, index, g)
            return x_bar

        return back

    return operand


def filtered(mask):
    def operand(x):
        def back(g):
            x_bar = np.zeros_like(x)
            x_bar[mask] = g
            return x_bar

        return back

    return operand


def along(order):
    def operand(x):
        def back(g):
            x_bar = np.zeros_like(x)
            np.put_along_axis(x_bar, order, g, 1)
            return x_bar

        return back

    return operand


def interp(at, points):
    def operand(values):
        right = np.clip(np.searchsorted(points, at), 1, len(points) - 1)
        weight = (at - points[right - 1]) / (points[right] - points[right - 1])
        weight = np.clip(weight, 0.0, 1.0)

        def back(g):
            n = len(values)
            return np.bincount(right, g * weight, n) + np.bincount(right - 1, g * (1 - weight), n)

        return back

    return operand


# ---------------------------------------------------------------- transforms


def rfft(x):
    """Of real x of even length: each coefficient but the first and last stands for two."""

    def back(g):
        g = g * (len(x) / 2)
        g[[0, -1]] *= 2
        return np.fft.irfft(g, len(x))

    return back


def irfft(z):
    """To an odd length n: each coefficient but the first stands for two."""
    n = 2 * len(z) - 1

    def back(g):
        z_bar = np.fft.rfft(g) * (2 / n)
        z_bar[0] *= 0.5
        return z_bar

    return back


# ---------------------------------------------------------------- special functions


def wofz(z):
    y = scipy.special.wofz(z)
    return lambda g: g * np.conj(2j / np.sqrt(np.pi) - 2 * z * y)


def voigt_profile(x, sigma, gamma):
    """The real part of w((x + i gamma) / (sigma sqrt 2)), and V is homogeneous of degree -1."""
    y = scipy.special.voigt_profile(x, sigma, gamma)

    def back(g):
        z = (x + 1j * gamma) / (sigma * np.sqrt(2))
        slope = 2j / np.sqrt(np.pi) - 2 * z * scipy.special.wofz(z)
        slope /= 2 * np.sqrt(np.pi) * sigma * sigma
        by_x, by_gamma = slope.real, -slope.imag
        by_sigma = -(y + x * by_x + gamma * by_gamma) / sigma
        return g * by_x, g * by_sigma, g * by_gamma

    return back


def kelvin(x):
    be, ke, be_slope, ke_slope = scipy.special.kelvin(x)

    def back(gs):
        terms = [
            gs[0] * np.conj(be_slope),
            gs[1] * np.conj(ke_slope),
            gs[2] * np.conj(1j * be - be_slope / x),
            gs[3] * np.conj(1j * ke - ke_slope / x),
        ]
        return sum(terms[1:], terms[0]).real

    return back
