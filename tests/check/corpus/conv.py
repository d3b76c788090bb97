"""Convolutions: one- and two-dimensional, strided, padded, pooled, upsampled."""

import numpy as np

from tests.check.corpus.base import onehot, pair, softmax

rng = np.random.default_rng(2)


def normal(*shape, scale=0.5):
    return scale * rng.standard_normal(shape)


# --- a signal (batch, channels, length), stride 2, tanh, mean over time

SIGNAL = rng.standard_normal((3, 2, 11))
WANTED = rng.standard_normal((3, 4))
TAPS = 3
STARTS = range(0, 11 - TAPS + 1, 2)


def strided_conv1d(W, b):
    """W : (out, in, taps)."""
    h = [np.tensordot(SIGNAL[:, :, t : t + TAPS], W, ((1, 2), (1, 2))) + b for t in STARTS]
    y = np.mean(np.tanh(h), axis=0)
    return 0.5 * np.sum((y - WANTED) ** 2)


def strided_conv1d_gradient(W, b):
    h = [np.tensordot(SIGNAL[:, :, t : t + TAPS], W, ((1, 2), (1, 2))) + b for t in STARTS]
    a = np.tanh(h)
    dy = a.mean(axis=0) - WANTED
    da = (dy / len(STARTS)) * (1 - a**2)
    dW = np.zeros_like(W)
    for t, d in zip(STARTS, da):
        dW += np.einsum("no,nit->oit", d, SIGNAL[:, :, t : t + TAPS])
    return dW, da.sum(axis=(0, 1))


CONV1D = pair(
    strided_conv1d,
    strided_conv1d_gradient,
    normal(4, 2, 3),
    normal(4),
    bugs={
        "kernel flipped": (
            "SIGNAL[:, :, t : t + TAPS])\n    return",
            "SIGNAL[:, :, t : t + TAPS][:, :, ::-1])\n    return",
        ),
        "stride forgotten": ("zip(STARTS, da)", "zip(range(len(STARTS)), da)"),
        "one position only": ("dW += np", "dW = np"),
        "mean over time forgotten": ("(dy / len(STARTS))", "dy"),
        "bias summed over the batch only": ("da.sum(axis=(0, 1))", "da.sum(axis=1)[0]"),
        "bias: mean over time": ("da.sum(axis=(0, 1))", "da.sum(axis=1).mean(axis=0)"),
        "slope of tanh at the input": ("(1 - a**2)", "(1 - np.square(h))"),
        "last position lost": ("zip(STARTS, da)", "zip(STARTS[:-1], da)"),
        "off by one": ("in zip(STARTS, da):", "in zip(STARTS[1:], da):"),
    },
)


# --- images (batch, height, width, channels), padded with zeros, relu, 2 x 2 max pooling, softmax

IMAGES = rng.standard_normal((3, 6, 6, 2))
LABELS = rng.integers(0, 3, 3)
PAD = ((0, 0), (1, 1), (1, 1), (0, 0))


def windows(x):
    """(n, H, W, C) padded -> (n, H, W, 3, 3, C)."""
    x = np.pad(x, PAD)
    H, W = x.shape[1] - 2, x.shape[2] - 2
    rows = [np.stack([x[:, i : i + H, j : j + W] for j in range(3)], 3) for i in range(3)]
    return np.stack(rows, 3)


def blocks(x):
    """(n, 2h, 2w, C) -> (n, h, w, C, 4)."""
    n, H, W, C = x.shape
    x = x.reshape(n, H // 2, 2, W // 2, 2, C)
    return x.transpose(0, 1, 3, 5, 2, 4).reshape(n, H // 2, W // 2, C, 4)


def unblocked(y):
    n, h, w, C, _ = y.shape
    return y.reshape(n, h, w, C, 2, 2).transpose(0, 1, 4, 2, 5, 3).reshape(n, 2 * h, 2 * w, C)


def pooled_conv2d(K, b, W):
    a = np.tensordot(windows(IMAGES), K, 3) + b
    h = blocks(np.maximum(a, 0)).max(axis=-1)
    z = h.reshape(3, -1) @ W
    return -np.mean(np.log(softmax(z))[np.arange(3), LABELS])


def pooled_conv2d_gradient(K, b, W):
    columns = windows(IMAGES)
    a = np.tensordot(columns, K, 3) + b
    parts = blocks(np.maximum(a, 0))
    h = parts.max(axis=-1)
    z = h.reshape(3, -1) @ W
    dz = (softmax(z) - onehot(LABELS, 3)) / 3
    dW = h.reshape(3, -1).T @ dz
    dh = (dz @ W.T).reshape(h.shape)
    dparts = np.where(np.arange(4) == parts.argmax(axis=-1)[..., None], dh[..., None], 0)
    da = unblocked(dparts) * (a > 0)
    dK = np.tensordot(columns, da, ((0, 1, 2), (0, 1, 2)))
    return dK, da.sum(axis=(0, 1, 2)), dW


CONV2D = pair(
    pooled_conv2d,
    pooled_conv2d_gradient,
    normal(3, 3, 2, 2, scale=0.3),
    normal(2),
    normal(18, 3),
    bugs={
        "pooling: to all four": (
            "np.where(np.arange(4) == parts.argmax(axis=-1)[..., None], dh[..., None], 0)",
            "dh[..., None] + 0 * parts",
        ),
        "pooling: as of the mean": (
            "np.where(np.arange(4) == parts.argmax(axis=-1)[..., None], dh[..., None], 0)",
            "dh[..., None] / 4 + 0 * parts",
        ),
        "pooling: always the first": ("parts.argmax(axis=-1)[..., None]", "0"),
        "relu mask forgotten": (" * (a > 0)", " * (np.abs(a) > -1)"),
        "bias summed over the batch only": ("da.sum(axis=(0, 1, 2))", "da.sum(axis=0)[0, 0]"),
        "kernel flipped": (
            "dK = np.tensordot(columns,",
            "dK = np.tensordot(columns[:, :, :, ::-1, ::-1],",
        ),
        "height and width swapped": (
            "dK = np.tensordot(columns,",
            "dK = np.tensordot(columns.swapaxes(3, 4),",
        ),
        "batch size forgotten": ("onehot(LABELS, 3)) / 3", "onehot(LABELS, 3))"),
        "edges lost: no padding in backward": (
            "dK = np.tensordot(columns, da,",
            "dK = np.tensordot(columns[:, 1:-1, 1:-1], da[:, 1:-1, 1:-1],",
        ),
        "rows and columns of the pooling swapped": (
            "unblocked(dparts)",
            "unblocked(dparts).swapaxes(1, 2)",
        ),
    },
)


# --- an image and a kernel: upsampled twice, blurred, compared with a picture

PICTURE = rng.standard_normal((10, 8))


def upsampled_image(x, k):
    """Nearest-neighbour upsampling by 2, then correlation with a 3 x 3 kernel."""
    u = np.repeat(np.repeat(x, 2, axis=0), 2, axis=1)
    y = sum(k[i, j] * u[i : i + 10, j : j + 8] for i in range(3) for j in range(3))
    return 0.5 * np.sum((y - PICTURE) ** 2)


def upsampled_image_gradient(x, k):
    u = np.repeat(np.repeat(x, 2, axis=0), 2, axis=1)
    y = sum(k[i, j] * u[i : i + 10, j : j + 8] for i in range(3) for j in range(3))
    dy = y - PICTURE
    du, dk = np.zeros_like(u), np.zeros_like(k)
    for i in range(3):
        for j in range(3):
            du[i : i + 10, j : j + 8] += k[i, j] * dy
            dk[i, j] = np.sum(u[i : i + 10, j : j + 8] * dy)
    dx = du.reshape(6, 2, 5, 2).sum(axis=(1, 3))
    return dx, dk


UPSAMPLED = pair(
    upsampled_image,
    upsampled_image_gradient,
    normal(6, 5),
    normal(3, 3),
    bugs={
        "kernel flipped": ("+= k[i, j] * dy", "+= k[2 - i, 2 - j] * dy"),
        "kernel transposed": ("+= k[i, j] * dy", "+= k[j, i] * dy"),
        "assigned for added": ("+= k[i, j] * dy", "= k[i, j] * dy"),
        "upsampling: mean of four": (".sum(axis=(1, 3))", ".mean(axis=(1, 3))"),
        "upsampling: one of four": (".sum(axis=(1, 3))", "[:, 0, :, 0]"),
        "off by one row": ("du[i : i + 10, j", "du[2 - i : 12 - i, j"),
        "kernel: last row of the picture lost": (
            "np.sum(u[i : i + 10, j : j + 8] * dy)",
            "np.sum(u[i : i + 9, j : j + 8] * dy[:-1])",
        ),
    },
)


# --- more than 200 numbers: deblurring by FFT with a smoothed total variation

BLUR = np.exp(-0.5 * np.linspace(-2, 2, 9) ** 2)
BLUR = np.concatenate([BLUR, np.zeros(231)]) / BLUR.sum()
SEEN = np.cumsum(rng.standard_normal(240)) * 0.2
LAMBDA, SOFT = 0.05, 1e-2
_CIRCULANT = np.stack([np.roll(BLUR, i) for i in range(240)], axis=1)


def deblurring(x):
    r = np.fft.ifft(np.fft.fft(BLUR) * np.fft.fft(x)).real - SEEN
    d = np.diff(x)
    return 0.5 * r @ r + LAMBDA * np.sum(np.sqrt(d * d + SOFT))


def deblurring_exact(x):
    r = _CIRCULANT @ x - SEEN
    d = np.diff(x)
    return 0.5 * r @ r + LAMBDA * np.sum(np.sqrt(d * d + SOFT))


def deblurring_gradient(x):
    r = np.fft.ifft(np.fft.fft(BLUR) * np.fft.fft(x)).real - SEEN
    dx = np.fft.ifft(np.conj(np.fft.fft(BLUR)) * np.fft.fft(r)).real
    d = np.diff(x)
    s = LAMBDA * d / np.sqrt(d * d + SOFT)
    dx[1:] += s
    dx[:-1] -= s
    return dx


DEBLURRING = pair(
    deblurring,
    deblurring_gradient,
    normal(240, scale=1.0),
    exact=deblurring_exact,
    bugs={
        "convolution for correlation": ("np.conj(np.fft.fft(BLUR))", "np.fft.fft(BLUR)"),
        "not divided by the length": (
            "np.fft.ifft(np.conj(np.fft.fft(BLUR)) *",
            "240 * np.fft.ifft(np.conj(np.fft.fft(BLUR)) *",
        ),
        "signs of the differences": (
            "dx[1:] += s\n    dx[:-1] -= s",
            "dx[1:] -= s\n    dx[:-1] += s",
        ),
        "one end of each difference": ("    dx[:-1] -= s\n", ""),
        "root under the root": ("np.sqrt(d * d + SOFT)", "np.sqrt(np.abs(d) + SOFT)"),
        "last difference lost": (
            "dx[1:] += s\n    dx[:-1] -= s",
            "dx[1:-1] += s[:-1]\n    dx[:-2] -= s[:-1]",
        ),
        "regulariser forgotten": ("s = LAMBDA * d", "s = 0 * d"),
    },
    tiny={"softening with two digits": ("d * d + SOFT", "d * d + 1.002 * SOFT")},
)

PAIRS = [CONV1D, CONV2D, UPSAMPLED, DEBLURRING]
