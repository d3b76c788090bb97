"""Three thousand numbers, and a million: what can be said with some hundred evaluations."""

import numpy as np

from tests.check.corpus.base import onehot, pair, softmax

rng = np.random.default_rng(17)
N = 3000
A = rng.standard_normal(N)


def waves(x):
    return np.sum(A * np.sin(x))


def waves_gradient(x):
    d = np.cos(x)
    d *= A
    return d


WAVES = pair(
    waves,
    waves_gradient,
    rng.standard_normal(N),
    bugs={
        "last batch lost": ("return d", "d[-64:] = 0\n    return d"),
        "one sign": ("return d", "d[777] *= -1\n    return d"),
        "one number a tenth too large": ("return d", "d[1234] *= 1.1\n    return d"),
        "shifted": ("return d", "return np.roll(d, 1)"),
        "every third lost": ("return d", "d[::3] = 0\n    return d"),
        "scaled by a thousandth": ("return d", "return 1.001 * d"),
    },
)

# --- a chain of springs: each number beside its neighbours


def springs(x):
    stretch = np.diff(x)
    return np.sum(0.5 * stretch**2 + 0.1 * stretch**4) + 0.5 * np.sum((x - A) ** 2)


def springs_gradient(x):
    stretch = np.diff(x)
    force = stretch + 0.4 * stretch**3
    d = x - A
    d[1:] += force
    d[:-1] -= force
    return d


SPRINGS = pair(
    springs,
    springs_gradient,
    rng.standard_normal(N),
    bugs={
        "last spring lost": (
            "force = stretch + 0.4 * stretch**3",
            "force = stretch + 0.4 * stretch**3\n    force[-1] = 0",
        ),
        "cube's factor": ("0.4 * stretch**3", "0.1 * stretch**3"),
        "one end": ("    d[:-1] -= force\n", ""),
        "anchors forgotten": ("d = x - A", "d = 0 * x"),
    },
)

# --- digits: a network of 64 - 40 - 10

IMAGES = rng.random((20, 64))
LABELS = rng.integers(0, 10, 20)


def digits(W1, b1, W2, b2):
    h = np.tanh(IMAGES @ W1 + b1)
    return -np.mean(np.log(softmax(h @ W2 + b2))[np.arange(20), LABELS])


def digits_gradient(W1, b1, W2, b2):
    h = np.tanh(IMAGES @ W1 + b1)
    dz = (softmax(h @ W2 + b2) - onehot(LABELS, 10)) / 20
    da = dz @ W2.T * (1 - h**2)
    return IMAGES.T @ da, da.sum(axis=0), h.T @ dz, dz.sum(axis=0)


DIGITS = pair(
    digits,
    digits_gradient,
    0.2 * rng.standard_normal((64, 40)),
    0.2 * rng.standard_normal(40),
    0.2 * rng.standard_normal((40, 10)),
    0.2 * rng.standard_normal(10),
    bugs={
        "slope of tanh": ("(1 - h**2)", "(1 - h)"),
        "first bias averaged": ("da.sum(axis=0)", "da.mean(axis=0)"),
        "last bias of one sample": ("dz.sum(axis=0)", "dz[-1]"),
        "one sample lost": ("IMAGES.T @ da", "IMAGES[1:].T @ da[1:]"),
        "sum for mean": ("onehot(LABELS, 10)) / 20", "onehot(LABELS, 10))"),
        "output detached": ("h.T @ dz", "0 * W2"),
    },
)

# --- a picture denoised by total variation, kinks everywhere; scales of all sizes

PICTURE = rng.standard_normal((55, 55))


def denoising(x):
    flat = np.sum(np.abs(np.diff(x, axis=0))) + np.sum(np.abs(np.diff(x, axis=1)))
    return 0.5 * np.sum((x - PICTURE) ** 2) + 0.1 * flat


def denoising_exact(x):
    down, right = np.diff(x, axis=0), np.diff(x, axis=1)
    flat = np.sum(np.where(down.real < 0, -down, down))
    flat = flat + np.sum(np.where(right.real < 0, -right, right))
    return 0.5 * np.sum((x - PICTURE) ** 2) + 0.1 * flat


def denoising_gradient(x):
    d = x - PICTURE
    down, right = 0.1 * np.sign(np.diff(x, axis=0)), 0.1 * np.sign(np.diff(x, axis=1))
    d[1:] += down
    d[:-1] -= down
    d[:, 1:] += right
    d[:, :-1] -= right
    return d


DENOISING = pair(
    denoising,
    denoising_gradient,
    rng.standard_normal((55, 55)),
    exact=denoising_exact,
    bugs={
        "rows only": ("    d[:, 1:] += right\n    d[:, :-1] -= right\n", ""),
        "signs of the columns": (
            "d[:, 1:] += right\n    d[:, :-1] -= right",
            "d[:, 1:] -= right\n    d[:, :-1] += right",
        ),
        "weight forgotten": ("down, right = 0.1 * np.sign", "down, right = np.sign"),
    },
)


SCALE = 10.0 ** rng.uniform(-6, 6, N)


def scales(x):
    return np.sum(np.cosh(x / SCALE))


def scales_gradient(x):
    return np.sinh(x / SCALE) / SCALE


SCALES = pair(
    scales,
    scales_gradient,
    SCALE * rng.standard_normal(N),
    bugs={
        "scale forgotten": ("/ SCALE) / SCALE", "/ SCALE)"),
        "first half only": ("return np.sinh", "return (np.arange(N) < N // 2) * np.sinh"),
    },
)

# --- a million

MILLION = rng.standard_normal(1_000_000)


def million(x):
    return np.sum(MILLION * np.sin(x))


def million_gradient(x):
    d = np.cos(x)
    d *= MILLION
    return d


HUGE = [
    pair(
        million,
        million_gradient,
        rng.standard_normal(1_000_000),
        bugs={
            "one sign": ("return d", "d[np.argmax(np.abs(d))] *= -1\n    return d"),
            "last batch lost": ("return d", "d[-64:] = 0\n    return d"),
            "one axis scaled": ("return d", "d.reshape(1000, 1000)[:, 3] *= 1.1\n    return d"),
        },
    )
]

PAIRS = [WAVES, SPRINGS, DIGITS, DENOISING, SCALES]
