"""Reductions and the like as a careful person pushes a tangent forward:
``hand_forward.f(operands, tangents)``, value and tangent.
"""

import numpy as np
import scipy.special


def var(xs, ts):
    x, dx = *xs, *ts
    d = x - x.mean(axis=1, keepdims=True)
    return np.var(x, axis=1), 2 * (d * dx).mean(axis=1)


def std(xs, ts):
    x, dx = *xs, *ts
    y = np.std(x, axis=1)
    d = x - x.mean(axis=1, keepdims=True)
    return y, (d * dx).mean(axis=1) / y


def max_of(xs, ts):
    x, dx = *xs, *ts
    y = x.max(axis=1)
    chosen = x == y[:, None]
    return y, np.sum(chosen * dx, axis=1) / chosen.sum(axis=1)


def min_of(xs, ts):
    x, dx = *xs, *ts
    y = x.min(axis=1)
    chosen = x == y[:, None]
    return y, np.sum(chosen * dx, axis=1) / chosen.sum(axis=1)


def prod(xs, ts):
    x, dx = *xs, *ts
    y = x.prod(axis=1)
    return y, y * (dx / x).sum(axis=1)


def cumprod(xs, ts):
    x, dx = *xs, *ts
    y = np.cumprod(x, axis=1)
    return y, y * np.cumsum(dx / x, axis=1)


def sort(xs, ts):
    order = np.argsort(*xs, axis=1)
    return tuple(np.take_along_axis(x, order, 1) for x in (*xs, *ts))


def median(xs, ts):
    n = xs[0].shape[1]
    middle = np.argsort(*xs, axis=1)[:, (n - 1) // 2 : n // 2 + 1]
    return np.median(*xs, axis=1), np.take_along_axis(*ts, middle, 1).mean(axis=1)


def norm(xs, ts):
    y = np.linalg.norm(*xs, axis=1)
    return y, np.sum(xs[0] * ts[0], axis=1) / y


def norm_of_all(xs, ts, norm=np.linalg.norm):
    y = norm(*xs)
    return y, np.vdot(xs[0], ts[0]) / y


def norm_3(xs, ts):
    x, dx = *xs, *ts
    y = np.linalg.norm(x, 3, axis=1)
    return y, np.sum(np.sign(x) * np.abs(x) ** 2.0 * dx, axis=1) / y**2.0


def logsumexp(xs, ts, value=scipy.special.logsumexp):
    y = value(*xs, axis=1)
    return y, np.sum(np.exp(xs[0] - y[:, None]) * ts[0], axis=1)


def softmax(xs, ts):
    y = scipy.special.softmax(*xs, axis=1)
    return y, y * (ts[0] - np.sum(y * ts[0], axis=1, keepdims=True))


def log_softmax(xs, ts):
    y = scipy.special.log_softmax(*xs, axis=1)
    return y, ts[0] - np.sum(np.exp(y) * ts[0], axis=1, keepdims=True)
