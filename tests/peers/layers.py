"""Layers of PyTorch's test database as plain NumPy: name -> function."""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tests.peers.reductions import softmax


def spatial(n, x):
    """One number, or one for each axis, as a tuple for n axes."""
    return (x,) * n if np.ndim(x) == 0 else tuple(x) if len(x) == n else tuple(x) * n


def windows(x, size, stride, dilation, padding=None, fill=0.0):
    """(N, C, *positions, *size): what a kernel sees at each position of the last axes of x."""
    n = len(size)
    if padding is not None:
        widths = [(0, 0)] * (x.ndim - n) + [(p, p) for p in padding]
        x = np.pad(x, widths, constant_values=fill)
    span = [d * (k - 1) + 1 for k, d in zip(size, dilation)]
    seen = sliding_window_view(x, span, axis=tuple(range(x.ndim - n, x.ndim)))
    at = (..., *(slice(None, None, s) for s in stride), *(slice(None, None, d) for d in dilation))
    return seen[at]


# ---------------------------------------------------------------- convolutions


def conv(n):
    def run(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
        if x.ndim == n + 1:
            return run(x[None], weight, bias, stride, padding, dilation, groups)[0]
        stride, dilation = spatial(n, stride), spatial(n, dilation)
        size = weight.shape[2:]
        if padding == "valid":
            padding = 0
        if padding == "same":
            total = [d * (k - 1) for k, d in zip(size, dilation)]
            x = np.pad(x, [(0, 0), (0, 0)] + [(t // 2, t - t // 2) for t in total])
            padding = 0
        seen = windows(x, size, stride, dilation, spatial(n, padding))
        parts = [
            np.tensordot(a, w, axes=([1, *range(n + 2, 2 * n + 2)], [1, *range(2, n + 2)]))
            for a, w in zip(np.split(seen, groups, axis=1), np.split(weight, groups))
        ]
        y = np.moveaxis(np.concatenate(parts, axis=-1), -1, 1)
        return y if bias is None else y + bias.reshape(-1, *[1] * n)

    return run


def conv_transpose(n):
    def run(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
        if x.ndim == n + 1:
            return run(x[None], weight, bias, stride, padding, output_padding, groups, dilation)[0]
        stride, dilation = spatial(n, stride), spatial(n, dilation)
        padding, more = spatial(n, padding), spatial(n, output_padding)
        size = weight.shape[2:]
        full = [
            (m - 1) * s + d * (k - 1) + 1 + o
            for m, s, d, k, o in zip(x.shape[2:], stride, dilation, size, more)
        ]
        outputs = []
        for a, w in zip(np.split(x, groups, axis=1), np.split(weight, groups)):
            y = np.zeros((len(x), w.shape[1], *full), np.result_type(x, w))
            for k in np.ndindex(*size):
                where = tuple(
                    slice(d * i, d * i + s * (m - 1) + 1, s)
                    for i, d, s, m in zip(k, dilation, stride, x.shape[2:])
                )
                y[(..., *where)] += np.moveaxis(np.tensordot(a, w[(..., *k)], (1, 0)), -1, 1)
            outputs.append(y)
        y = np.concatenate(outputs, axis=1)
        y = y[(..., *(slice(p, m - p) for p, m in zip(padding, full)))]
        return y if bias is None else y + bias.reshape(-1, *[1] * n)

    return run


def unfold(x, kernel_size, dilation=1, padding=0, stride=1):
    if x.size == 0:
        return NotImplemented
    if x.ndim == 3:
        return unfold(x[None], kernel_size, dilation, padding, stride)[0]
    size = spatial(2, kernel_size)
    seen = windows(x, size, spatial(2, stride), spatial(2, dilation), spatial(2, padding))
    seen = np.moveaxis(seen, (4, 5), (2, 3))
    return seen.reshape(len(x), x.shape[1] * math.prod(size), -1)


# ---------------------------------------------------------------- pools


def pooled_length(m, k, s, p, d, ceil_mode):
    steps = m + 2 * p - d * (k - 1) - 1
    length = (-(-steps // s) if ceil_mode else steps // s) + 1
    return length - 1 if ceil_mode and (length - 1) * s >= m + p else length


def max_pool(n):
    def run(
        x,
        kernel_size,
        stride=None,
        padding=0,
        dilation=1,
        ceil_mode=False,
        return_indices=False,
    ):
        size, dilation = spatial(n, kernel_size), spatial(n, dilation)
        stride = size if stride in (None, (), []) else spatial(n, stride)
        padding = spatial(n, padding)
        shape = [
            pooled_length(m, k, s, p, d, ceil_mode)
            for m, k, s, p, d in zip(x.shape[-n:], size, stride, padding, dilation)
        ]
        widths = [(0, 0)] * (x.ndim - n) + [
            (p, p + s * k) for p, s, k in zip(padding, stride, size)
        ]
        x = np.pad(x, widths, constant_values=-np.inf)
        seen = windows(x, size, stride, dilation)
        seen = seen[(..., *(slice(m) for m in shape), *[slice(None)] * n)]
        return np.max(seen, axis=tuple(range(-n, 0)))

    return run


def avg_pool(n):
    def run(
        x,
        kernel_size,
        stride=None,
        padding=0,
        ceil_mode=False,
        count_include_pad=True,
        divisor_override=None,
    ):
        size = spatial(n, kernel_size)
        stride = size if stride in (None, (), []) else spatial(n, stride)
        padding, ones = spatial(n, padding), spatial(n, 1)
        shape = [
            pooled_length(m, k, s, p, 1, ceil_mode)
            for m, k, s, p in zip(x.shape[-n:], size, stride, padding)
        ]
        lead = [(0, 0)] * (x.ndim - n)

        def sums(y, *more):
            y = np.pad(y, lead + list(more))
            seen = windows(y, size, stride, ones)
            return seen[(..., *(slice(m) for m in shape), *[slice(None)] * n)].sum(
                axis=tuple(range(-n, 0))
            )

        widths = [(p, p + s * k) for p, s, k in zip(padding, stride, size)]
        if divisor_override:
            return sums(x, *widths) / divisor_override
        if count_include_pad:
            inside = np.pad(np.ones(x.shape), lead + [(p, p) for p in padding], constant_values=1)
            beyond = [(0, s * k) for s, k in zip(stride, size)]
            return sums(x, *widths) / sums(inside, *beyond)
        return sums(x, *widths) / sums(np.ones(x.shape), *widths)

    return run


def adaptive(n, reduce):
    def run(x, output_size, return_indices=False):
        out = output_size if isinstance(output_size, (tuple, list)) else (output_size,) * n
        shape = [m if o is None else o for o, m in zip(out, x.shape[-n:])]
        y = np.zeros((*x.shape[:-n], *shape), x.dtype)
        for k in np.ndindex(*shape):
            where = tuple(
                slice(i * m // o, -(-(i + 1) * m // o)) for i, m, o in zip(k, x.shape[-n:], shape)
            )
            y[(..., *k)] = reduce(x[(..., *where)], axis=tuple(range(-n, 0)))
        return y

    return run


def max_unpool(n):
    def run(x, indices, kernel_size, stride=None, padding=0, output_size=None):
        size = spatial(n, kernel_size)
        stride = size if stride is None else spatial(n, stride)
        shape = [
            (m - 1) * s - 2 * p + k
            for m, s, p, k in zip(x.shape[-n:], stride, spatial(n, padding), size)
        ]
        shape = shape if output_size is None else list(output_size)[-n:]
        lead = x.shape[:-n]
        y = np.zeros((*lead, math.prod(shape)), x.dtype)
        np.put_along_axis(y, indices.reshape(*lead, -1), x.reshape(*lead, -1), axis=-1)
        return y.reshape(*lead, *shape)

    return run


# ---------------------------------------------------------------- normalisation


def batch_norm(x, mean, var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    axes = (0, *range(2, x.ndim))
    shape = (1, -1, *[1] * (x.ndim - 2)) if x.ndim > 1 else (-1,)
    if training or mean is None:
        mean, var = np.mean(x, axis=axes), np.var(x, axis=axes)
    y = (x - mean.reshape(shape)) / np.sqrt(var.reshape(shape) + eps)
    y = y if weight is None else y * weight.reshape(shape)
    return y if bias is None else y + bias.reshape(shape)


def native_batch_norm(x, weight, bias, mean, var, training, momentum, eps):
    y = batch_norm(x, mean, var, weight, bias, training, momentum, eps)
    if not training:
        return (y,)
    axes = (0, *range(2, x.ndim))
    return y, np.mean(x, axis=axes), 1 / np.sqrt(np.var(x, axis=axes) + eps)


def instance_norm(
    x,
    running_mean=None,
    running_var=None,
    weight=None,
    bias=None,
    use_input_stats=True,
    momentum=0.1,
    eps=1e-5,
):
    if not use_input_stats:
        return batch_norm(x, running_mean, running_var, weight, bias, False, momentum, eps)
    axes, shape = tuple(range(2, x.ndim)), (1, -1, *[1] * (x.ndim - 2))
    y = (x - x.mean(axis=axes, keepdims=True)) / np.sqrt(x.var(axis=axes, keepdims=True) + eps)
    y = y if weight is None else y * weight.reshape(shape)
    return y if bias is None else y + bias.reshape(shape)


def group_norm(x, num_groups, weight=None, bias=None, eps=1e-5):
    if x.size == 0:
        return NotImplemented
    parts = x.reshape(len(x), num_groups, -1)
    mean, var = parts.mean(axis=-1, keepdims=True), parts.var(axis=-1, keepdims=True)
    y = ((parts - mean) / np.sqrt(var + eps)).reshape(x.shape)
    shape = (1, -1, *[1] * (x.ndim - 2))
    y = y if weight is None else y * weight.reshape(shape)
    return y if bias is None else y + bias.reshape(shape)


def layer_norm(x, normalized_shape, weight=None, bias=None, eps=1e-5):
    axes = tuple(range(-len(normalized_shape), 0))
    y = (x - x.mean(axis=axes, keepdims=True)) / np.sqrt(x.var(axis=axes, keepdims=True) + eps)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def rms_norm(x, normalized_shape, weight=None, eps=None):
    axes = tuple(range(-len(normalized_shape), 0))
    eps = np.finfo(x.dtype).eps if eps is None else eps
    y = x / np.sqrt(np.mean(x**2, axis=axes, keepdims=True) + eps)
    return y if weight is None else y * weight


def local_response_norm(x, size, alpha=1e-4, beta=0.75, k=1.0):
    if x.size == 0:
        return x
    widths = [(0, 0), (size // 2, (size - 1) // 2)] + [(0, 0)] * (x.ndim - 2)
    near = sliding_window_view(np.pad(x * x, widths), size, axis=1).mean(axis=-1)
    return x / (alpha * near + k) ** beta


def normalize(x, p=2.0, dim=1, eps=1e-12):
    if x.ndim == 0:
        return x / np.maximum(np.abs(x), eps)
    return x / np.maximum(np.linalg.vector_norm(x, axis=dim, ord=p, keepdims=True), eps)


def native_layer_norm(x, normalized_shape, weight, bias, eps):
    axes = tuple(range(-len(normalized_shape), 0))
    mean, var = np.mean(x, axis=axes, keepdims=True), np.var(x, axis=axes, keepdims=True)
    return layer_norm(x, normalized_shape, weight, bias, eps), mean, 1 / np.sqrt(var + eps)


def native_group_norm(x, weight, bias, N, C, HxW, groups, eps):
    if x.size == 0:
        return NotImplemented
    parts = x.reshape(N, groups, -1)
    rstd = 1 / np.sqrt(parts.var(axis=-1) + eps)
    return group_norm(x, groups, weight, bias, eps), parts.mean(axis=-1), rstd


# ---------------------------------------------------------------- the rest


def embedding(weight, index, **kwargs):
    return weight[index]


def attention(
    q, k, v, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False
):
    if dropout_p:
        return NotImplemented
    if enable_gqa:
        k, v = (np.repeat(x, q.shape[-3] // x.shape[-3], axis=-3) for x in (k, v))
    scores = q @ k.mT * (1 / np.sqrt(q.shape[-1]) if scale is None else scale)
    if is_causal:
        scores = np.where(np.tri(*scores.shape[-2:], dtype=bool), scores, -np.inf)
    if attn_mask is not None:
        boolean = attn_mask.dtype == bool
        scores = np.where(attn_mask, scores, -np.inf) if boolean else scores + attn_mask
    return softmax(scores, -1) @ v


def pixel_shuffle(x, upscale_factor):
    r = upscale_factor
    *batch, c, h, w = x.shape
    n = len(batch)
    x = x.reshape(*batch, c // r**2, r, r, h, w)
    x = x.transpose(*range(n), n, n + 3, n + 1, n + 4, n + 2)
    return x.reshape(*batch, c // r**2, h * r, w * r)


def pixel_unshuffle(x, downscale_factor):
    r = downscale_factor
    *batch, c, h, w = x.shape
    n = len(batch)
    x = x.reshape(*batch, c, h // r, r, w // r, r)
    x = x.transpose(*range(n), n, n + 2, n + 4, n + 1, n + 3)
    return x.reshape(*batch, c * r**2, h // r, w // r)


def channel_shuffle(x, groups):
    parts = x.reshape(len(x), groups, -1, *x.shape[2:])
    return parts.swapaxes(1, 2).reshape(x.shape)


LAYERS = {
    **{f"nn.functional.conv{n}d": conv(n) for n in (1, 2, 3)},
    **{f"nn.functional.conv_transpose{n}d": conv_transpose(n) for n in (1, 2, 3)},
    **{f"nn.functional.max_pool{n}d": max_pool(n) for n in (1, 2, 3)},
    **{f"nn.functional.avg_pool{n}d": avg_pool(n) for n in (1, 2, 3)},
    **{f"nn.functional.adaptive_avg_pool{n}d": adaptive(n, np.mean) for n in (1, 2, 3)},
    **{f"nn.functional.adaptive_max_pool{n}d": adaptive(n, np.max) for n in (1, 2, 3)},
    **{f"nn.functional.max_unpool{n}d.grad": max_unpool(n) for n in (1, 2, 3)},
    "nn.functional.unfold": unfold,
    "nn.functional.batch_norm": batch_norm,
    "native_batch_norm": native_batch_norm,
    "native_layer_norm": native_layer_norm,
    "native_group_norm": native_group_norm,
    "nn.functional.instance_norm": instance_norm,
    "nn.functional.group_norm": group_norm,
    "nn.functional.layer_norm": layer_norm,
    "nn.functional.rms_norm": rms_norm,
    "nn.functional.local_response_norm": local_response_norm,
    "nn.functional.normalize": normalize,
    "nn.functional.embedding": embedding,
    "nn.functional.scaled_dot_product_attention": attention,
    "nn.functional.pixel_shuffle": pixel_shuffle,
    "nn.functional.pixel_unshuffle": pixel_unshuffle,
    "nn.functional.channel_shuffle": channel_shuffle,
}
