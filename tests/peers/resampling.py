"""Resampling layers of PyTorch's test database as plain NumPy: name -> function."""

import itertools

import numpy as np

from tests.peers.layers import adaptive, spatial


def linear_weights(m, out, scale, align_corners):
    """Rows of interpolation weights: out positions from m samples."""
    if align_corners:
        at = np.arange(out) * ((m - 1) / (out - 1) if out > 1 else 0.0)
    else:
        ratio = 1 / scale if scale else m / out
        at = np.maximum((np.arange(out) + 0.5) * ratio - 0.5, 0)
    left = np.minimum(np.floor(at).astype(int), m - 1)
    right = np.minimum(left + 1, m - 1)
    W = np.zeros((out, m))
    np.add.at(W, (np.arange(out), left), 1 - (at - left))
    np.add.at(W, (np.arange(out), right), at - left)
    return W


def cubic_weights(m, out, scale, align_corners):
    if align_corners:
        at = np.arange(out) * ((m - 1) / (out - 1) if out > 1 else 0.0)
    else:
        at = (np.arange(out) + 0.5) * (1 / scale if scale else m / out) - 0.5
    W = np.zeros((out, m))
    first = np.floor(at).astype(int)
    for k in range(-1, 3):
        d = np.abs(at - (first + k))
        near = (1.25 * d - 2.25) * d * d + 1
        far = ((-0.75 * d + 3.75) * d - 6) * d + 3
        np.add.at(W, (np.arange(out), np.clip(first + k, 0, m - 1)), np.where(d <= 1, near, far))
    return W


def interpolate(
    x,
    size=None,
    scale_factor=None,
    mode="nearest",
    align_corners=None,
    recompute_scale_factor=None,
    antialias=False,
):
    n = x.ndim - 2
    scales = [None] * n if scale_factor is None else spatial(n, scale_factor)
    if size is None:
        shape = [int(m * s) for m, s in zip(x.shape[2:], scales)]
    else:
        shape = spatial(n, size)
    if recompute_scale_factor:
        scales = [None] * n
    if mode == "area":
        return adaptive(n, np.mean)(x, shape)
    for axis, (m, out, scale) in enumerate(zip(x.shape[2:], shape, scales), 2):
        if mode in ("nearest", "nearest-exact"):
            half = 0.5 if mode == "nearest-exact" else 0.0
            ratio = 1 / scale if scale else m / out
            at = np.minimum(((np.arange(out) + half) * ratio).astype(int), m - 1)
            x = np.take(x, at, axis=axis)
        else:
            weights = cubic_weights if mode == "bicubic" else linear_weights
            W = weights(m, out, scale, align_corners)
            x = np.moveaxis(np.tensordot(x, W, axes=(axis, 1)), -1, axis)
    return x


def upsample(mode, **options):
    def run(x, size=None, scale_factor=None):
        return interpolate(x, size, scale_factor, mode, **options)

    return run


def grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False):
    """x at the places of grid, which are differentiable too; its last axis is (x, y, z)."""
    n = x.ndim - 2
    sizes = x.shape[2:][::-1]
    at = []
    for k, m in enumerate(sizes):
        p = grid[..., k]
        p = (p + 1) / 2 * (m - 1) if align_corners else ((p + 1) * m - 1) / 2
        if padding_mode == "border":
            p = np.clip(p, 0, m - 1)
        if padding_mode == "reflection":
            low, high = (0, m - 1) if align_corners else (-0.5, m - 0.5)
            span = high - low
            d = np.abs(p - low) % (2 * span) if span else 0 * p
            p = np.clip(low + np.where(d > span, 2 * span - d, d), 0, m - 1)
        at.append(p)
    if mode == "nearest":
        return looked_up(x, [np.rint(p).astype(int) for p in at], 1.0)
    if mode == "bicubic":
        return NotImplemented
    first = [np.floor(p).astype(int) for p in at]
    total = 0.0
    for corner in itertools.product((0, 1), repeat=n):
        weight = 1.0
        for c, p, f in zip(corner, at, first):
            weight = weight * ((p - f) if c else 1 - (p - f))
        total = total + looked_up(x, [f + c for f, c in zip(first, corner)], weight)
    return total


def looked_up(x, places, weight):
    """x[:, :, .., places] for each batch, zero outside, times the weight."""
    sizes = x.shape[2:][::-1]
    inside = np.all([(p >= 0) & (p < m) for p, m in zip(places, sizes)], axis=0)
    places = [np.clip(p, 0, m - 1) for p, m in zip(places, sizes)]
    batch = np.arange(len(x)).reshape(-1, *[1] * (places[0].ndim - 1))
    values = x[(batch, slice(None), *places[::-1])]  # (N, *positions, C)
    return np.moveaxis(values * (inside * weight)[..., None], -1, 1)


def sampler(x, grid, interpolation_mode, padding_mode, align_corners):
    mode = ("bilinear", "nearest", "bicubic")[interpolation_mode]
    return grid_sample(
        x, grid, mode, ("zeros", "border", "reflection")[padding_mode], align_corners
    )


RESAMPLING = {
    **{
        f"nn.functional.interpolate.{mode}": interpolate
        for mode in "nearest nearest-exact linear bilinear bicubic trilinear area".split()
    },
    "nn.functional.upsample_bilinear": upsample("bilinear", align_corners=True),
    "nn.functional.upsample_nearest": upsample("nearest"),
    "nn.functional.grid_sample": grid_sample,
    "grid_sampler_2d": sampler,
    "grid_sampler_3d": sampler,
}
