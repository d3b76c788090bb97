"""Reductions, scans and statistics of PyTorch's test database as plain NumPy: name -> function."""

import numpy as np


def axes(dim):
    """PyTorch's dim as NumPy's axis; an empty list means all of them."""
    if isinstance(dim, (list, tuple)):
        return tuple(dim) or None
    return dim


def reduction(function):
    """A NumPy reduction under PyTorch's argument names."""

    def reduce(x, dim=None, keepdim=False, *, dtype=None):
        x = x if dtype is None else x.astype(dtype)
        x, dim = (x.reshape(1), None) if x.ndim == 0 else (x, axes(dim))
        if keepdim and x.ndim == 0:
            return function(x)
        return function(x, axis=dim, keepdims=keepdim)

    return scalars_too(reduce)


def scalars_too(reduce):
    """PyTorch lets a 0-d array have an axis 0; the result is 0-d again."""

    def run(x, *args, **kwargs):
        if np.ndim(x):
            return reduce(x, *args, **kwargs)
        kwargs.pop("keepdim", None)
        kwargs.pop("dim", None)
        args = [a for a in args if isinstance(a, type)]
        return reduce(x, None, **kwargs)

    return run


def extremum(function):
    """(values, indices) along an axis, or one value."""

    def run(x, dim=None, keepdim=False):
        if x.ndim == 0:
            return x + 0
        return function(x, axis=dim, keepdims=keepdim)

    return run


def aminmax(x, *, dim=None, keepdim=False):
    axis = dim if x.ndim else None
    return np.min(x, axis=axis, keepdims=keepdim), np.max(x, axis=axis, keepdims=keepdim)


def spread(function):
    """np.var or np.std; PyTorch divides by n - 1 unless told otherwise."""

    def run(x, dim=None, unbiased=True, keepdim=False, *, correction=None):
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        ddof = correction if correction is not None else int(unbiased)
        return function(x, axis=axes(dim) if x.ndim else None, ddof=ddof, keepdims=keepdim)

    return run


def with_mean(function):
    run = spread(function)

    def both(x, dim=None, unbiased=True, keepdim=False, *, correction=None):
        y = run(x, dim, unbiased, keepdim, correction=correction)
        dim = None if isinstance(dim, bool) or not x.ndim else axes(dim)
        return y, np.mean(x, axis=dim, keepdims=keepdim)

    return both


def order_statistic(x, k, dim, keepdim):
    y = np.take(np.partition(x, k, axis=dim), k, axis=dim)
    return np.expand_dims(y, dim) if keepdim else y


def kthvalue(x, k, dim=-1, keepdim=False):
    return x + 0 if x.ndim == 0 else order_statistic(x, k - 1, dim, keepdim)


def median(x, dim=None, keepdim=False):
    """The lower of the two in the middle."""
    if x.ndim == 0:
        return x + 0
    if dim is None:
        x, dim = x.ravel(), 0
    return order_statistic(x, (x.shape[dim] - 1) // 2, dim, keepdim)


def nanmedian(x, dim=None, keepdim=False):
    """The samples have NaN in them or not; numbers come first in a sorted array."""
    if x.ndim == 0:
        return x + 0
    if dim is None:
        x, dim = x.ravel(), 0
    k = np.expand_dims((np.sum(~np.isnan(x), axis=dim) - 1) // 2, dim)
    y = np.take_along_axis(np.sort(x, axis=dim), k, axis=dim)
    return y if keepdim else np.squeeze(y, dim)


def quantile(function):
    def run(x, q, dim=None, keepdim=False, *, interpolation="linear"):
        dim = dim if x.ndim else None
        return function(x, q, axis=dim, keepdims=keepdim and x.ndim > 0, method=interpolation)

    return run


def mode(x, dim=-1, keepdim=False):
    """The value that is there most often, the smallest of them if several are."""
    if x.ndim == 0:
        return x + 0
    ordered = np.sort(x, axis=dim)
    repeats = np.sum(
        np.expand_dims(ordered, dim) == np.expand_dims(ordered, dim % x.ndim + 1), dim % x.ndim + 1
    )
    y = np.take_along_axis(ordered, np.expand_dims(np.argmax(repeats, dim), dim), dim)
    return y if keepdim else np.squeeze(y, dim)


def logsumexp(x, dim, keepdim=False):
    dim = axes(dim) if x.ndim else None
    top = np.max(x.real, axis=dim, keepdims=True)
    y = np.log(np.sum(np.exp(x - top), axis=dim, keepdims=True)) + top
    return y if keepdim or not x.ndim else np.squeeze(y, dim)


def logcumsumexp(x, dim):
    if x.ndim == 0:
        return x + 0
    if np.iscomplexobj(x):  # NumPy's logaddexp is real
        return NotImplemented
    return np.logaddexp.accumulate(x, axis=dim)


def scan(function):
    def run(x, dim=0, *, dtype=None):
        return function(x.astype(dtype) if dtype else x, axis=dim if x.ndim else None).reshape(
            x.shape
        )

    return run


def running(ufunc):
    return lambda x, dim: ufunc.accumulate(x, axis=dim) if x.ndim else x + 0


def cast(x, dtype):
    """To another dtype; PyTorch takes the real part without a word."""
    if dtype is None:
        return x
    return (x.real if np.dtype(dtype).kind == "f" else x).astype(dtype)


def softmax(x, dim, dtype=None, sign=1):
    x = sign * cast(x, dtype)
    if x.size == 0:
        return x
    e = np.exp(x - np.max(x.real, axis=dim if x.ndim else None, keepdims=True))
    return e / np.sum(e, axis=dim if x.ndim else None, keepdims=True)


def log_softmax(x, dim, dtype=None):
    x = cast(x, dtype)
    if x.size == 0:
        return x
    return x - logsumexp(x, dim, keepdim=True)


def trapezoid(y, x=None, dim=-1, dx=1.0):
    return np.trapezoid(y, x, dx=dx, axis=dim)


def cumulative_trapezoid(y, x=None, dim=-1, dx=1.0):
    y = np.moveaxis(y, dim, -1)
    if x is not None:
        dx = np.diff(x) if x.ndim == 1 else np.diff(np.moveaxis(x, dim, -1))
    return np.moveaxis(np.cumsum((y[..., 1:] + y[..., :-1]) / 2 * dx, axis=-1), -1, dim)


def norm(x, p="fro", dim=None, keepdim=False, *, dtype=None):
    x = x if dtype is None else x.astype(dtype)
    if p == "nuc":
        return np.linalg.norm(x, "nuc", axis=axes(dim), keepdims=keepdim)
    p = 2 if p in ("fro", None) else p
    if x.ndim == 0:
        return np.abs(x) if p != 0 else 1.0 * (x != 0)
    return np.linalg.vector_norm(x, axis=axes(dim), ord=p, keepdims=keepdim)


def renorm(x, p, dim, maxnorm):
    """Slices along an axis, scaled down to that norm where theirs is larger."""
    others = tuple(i for i in range(x.ndim) if i != dim % x.ndim)
    size = np.linalg.vector_norm(x, axis=others, ord=p, keepdims=True)
    return x * np.where(size > maxnorm, maxnorm / (size + 1e-7), 1.0)


def cov(x, *, correction=1, fweights=None, aweights=None):
    return np.cov(x, ddof=correction, fweights=fweights, aweights=aweights)


def diff(x, n=1, dim=-1, prepend=None, append=None):
    more = {"prepend": prepend, "append": append}
    return np.diff(x, n, axis=dim, **{k: v for k, v in more.items() if v is not None})


def gradient(x, *, spacing=None, dim=None, edge_order=1):
    dims = tuple(range(x.ndim)) if dim is None else dim
    if isinstance(dims, int):
        dims = (dims,)
    if spacing is None:
        spacing = [1.0]
    elif not isinstance(spacing, (list, tuple)):
        spacing = [spacing]
    if len(spacing) == 1 and np.ndim(spacing[0]) == 0:
        spacing = list(spacing) * len(dims)
    return np.gradient(x, *spacing, axis=dims, edge_order=edge_order)


def sort(x, dim=-1, descending=False, stable=False):
    if x.ndim == 0:
        return x + 0
    y = np.sort(x, axis=dim, stable=True)
    return np.flip(y, dim) if descending else y


def topk(x, k, dim=-1, largest=True, sorted=True):
    if x.ndim == 0:
        return x + 0
    y = np.sort(x, axis=dim)
    y = np.flip(y, dim) if largest else y
    return np.take(y, np.arange(k), axis=dim)


# ---------------------------------------------------------------- masked


def masked(function, fill):
    """A reduction of the elements that a mask leaves."""

    def run(x, dim=None, keepdim=False, *, mask=None, dtype=None, **kwargs):
        x = x if dtype is None else x.astype(dtype)
        if mask is not None:
            x = np.where(mask, x, fill)
        return function(x, axis=axes(dim) if x.ndim else None, keepdims=keepdim, **kwargs)

    return run


def masked_mean(x, dim=None, keepdim=False, *, mask=None, dtype=None):
    where = True if mask is None else np.broadcast_to(mask, x.shape)
    return np.mean(x, axis=axes(dim) if x.ndim else None, keepdims=keepdim, where=where)


def masked_spread(function):
    def run(x, dim=None, unbiased=None, keepdim=False, *, mask=None, dtype=None, correction=None):
        where = True if mask is None else np.broadcast_to(mask, x.shape)
        ddof = correction if correction is not None else int(unbiased is not False)
        return function(
            x, axis=axes(dim) if x.ndim else None, ddof=ddof, keepdims=keepdim, where=where
        )

    return run


def masked_scan(function, fill):
    def run(x, dim, *, mask=None, dtype=None):
        x = x if mask is None else np.where(mask, x, fill)
        return function(x, axis=dim if x.ndim else None).reshape(x.shape)

    return run


def masked_median(x, dim=None, keepdim=False, *, mask=None, dtype=None):
    return nanmedian(x if mask is None else np.where(mask, x, np.nan), dim, keepdim)


def masked_norm(x, ord, dim=None, keepdim=False, *, mask=None, dtype=None):
    fill = np.inf if ord is not None and ord < 0 else 0.0
    x = x if mask is None else np.where(mask, x, fill)
    return norm(x, ord, dim, keepdim)


def masked_softmax(transform, sign=1):
    def run(x, dim, *, mask=None, dtype=None):
        x = sign * x
        return transform(x if mask is None else np.where(mask, x, -np.inf), dim)

    return run


def masked_normalize(x, ord, dim, *, eps=1e-12, mask=None, dtype=None):
    x = x if mask is None else np.where(mask, x, 0.0)
    return x / np.maximum(norm(x, ord, dim if x.ndim else None, keepdim=bool(x.ndim)), eps)


def masked_logsumexp(x, dim=None, keepdim=False, *, mask=None, dtype=None):
    x = x if mask is None else np.where(mask, x, -np.inf)
    if np.iscomplexobj(x):
        return np.log(
            np.sum(
                np.where(mask if mask is not None else True, np.exp(x), 0),
                axes(dim),
                keepdims=keepdim,
            )
        )
    return np.logaddexp.reduce(x, axis=axes(dim) if x.ndim else None, keepdims=keepdim)


def masked_logaddexp(a, b, *, input_mask=None, other_mask=None):
    a = a if input_mask is None else np.where(input_mask, a, -np.inf)
    b = b if other_mask is None else np.where(other_mask, b, -np.inf)
    return np.logaddexp(a, b)


REDUCTIONS = {
    "sum": reduction(np.sum),
    "nansum": reduction(np.nansum),
    "mean": reduction(np.mean),
    "nanmean": reduction(np.nanmean),
    "prod": reduction(np.prod),
    "amax": reduction(np.max),
    "amin": reduction(np.min),
    "aminmax": aminmax,
    "max.reduction_with_dim": extremum(np.max),
    "max.reduction_no_dim": extremum(np.max),
    "min.reduction_with_dim": extremum(np.min),
    "min.reduction_no_dim": extremum(np.min),
    "std": spread(np.std),
    "var": spread(np.var),
    "std_mean": with_mean(np.std),
    "var_mean": with_mean(np.var),
    "kthvalue": kthvalue,
    "median": median,
    "nanmedian": nanmedian,
    "quantile": quantile(np.quantile),
    "nanquantile": quantile(np.nanquantile),
    "mode": mode,
    "logsumexp": logsumexp,
    "softmax": softmax,
    "nn.functional.softmin": lambda x, dim, dtype=None: softmax(x, dim, dtype, -1),
    "log_softmax": log_softmax,
    "cumsum": scan(np.cumsum),
    "cumprod": scan(np.cumprod),
    "cummax": running(np.maximum),
    "cummin": running(np.minimum),
    "logcumsumexp": logcumsumexp,
    "trapz": trapezoid,
    "trapezoid": trapezoid,
    "cumulative_trapezoid": cumulative_trapezoid,
    "norm": norm,
    "dist": lambda a, b, p=2: norm(a - b, p),
    "renorm": renorm,
    "cov": cov,
    "corrcoef": np.corrcoef,
    "diff": diff,
    "gradient": gradient,
    "sort": sort,
    "msort": lambda x: np.sort(x, axis=0),
    "topk": topk,
    "masked.sum": masked(np.sum, 0),
    "masked.prod": masked(np.prod, 1),
    "masked.amax": masked(np.max, -np.inf),
    "masked.amin": masked(np.min, np.inf),
    "masked.mean": masked_mean,
    "masked.std": masked_spread(np.std),
    "masked.var": masked_spread(np.var),
    "masked.cumsum": masked_scan(np.cumsum, 0),
    "masked.cumprod": masked_scan(np.cumprod, 1),
    "masked.median": masked_median,
    "masked.norm": masked_norm,
    "masked.softmax": masked_softmax(softmax),
    "masked.softmin": masked_softmax(softmax, -1),
    "masked.log_softmax": masked_softmax(log_softmax),
    "masked.normalize": masked_normalize,
    "masked.logsumexp": masked_logsumexp,
    "masked.logaddexp": masked_logaddexp,
}
