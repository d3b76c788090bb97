"""Indexing and products of PyTorch's test database as plain NumPy: name -> function."""

import numpy as np

# ---------------------------------------------------------------- indexing


def at(x, dim, index):
    """The index of places along one axis."""
    return (slice(None),) * (dim % max(x.ndim, 1)) + (index,)


def index_select(x, dim, index):
    return x + 0 if x.ndim == 0 else np.take(x, np.atleast_1d(index), axis=dim)


def changed(x, where, value):
    y = x.copy()
    y[where] = value
    return y


def index_fill(x, dim, index, value):
    return changed(x, at(x, dim, index), value) if x.ndim else np.full_like(x, value)


def index_copy(x, dim, index, source):
    return changed(x, at(x, dim, index), source) if x.ndim else source.reshape(()) + 0 * x


def index_add(x, dim, index, source, *, alpha=1):
    y = np.atleast_1d(x).copy()
    np.add.at(y, at(y, dim, np.atleast_1d(index)), alpha * np.atleast_1d(source))
    return y.reshape(x.shape)


def index_put(x, indices, values, accumulate=False):
    if not accumulate:
        return changed(x, tuple(indices), values)
    y = x.copy()
    np.add.at(y, tuple(indices), values)
    return y


def gather(x, dim, index):
    if x.ndim == 0 or index.ndim == 0:
        return np.take(x, index)
    if index.size == 0:
        return np.zeros(index.shape, x.dtype) * x.sum()
    return x[along(x, dim, index)]


def along(x, dim, index):
    """The places (.., index, ..) of an index that may be smaller than x in the other axes."""
    grid = list(np.indices(index.shape, sparse=True))
    grid[dim % x.ndim] = index
    return tuple(grid)


def scatter(x, dim, index, src, *, reduce=None):
    if np.ndim(src):
        src = src[tuple(slice(n) for n in index.shape)]
    if x.ndim == 0:
        src, index = np.reshape(src, -1)[:1], np.atleast_1d(index)
    y = np.atleast_1d(x).copy()
    where = along(y, dim, index)
    if reduce is None:
        y[where] = src
    else:
        {"add": np.add, "multiply": np.multiply}[reduce].at(y, where, src)
    return y.reshape(x.shape)


REDUCED = {
    "sum": (np.add, 0.0),
    "mean": (np.add, 0.0),
    "prod": (np.multiply, 1.0),
    "amax": (np.maximum, -np.inf),
    "amin": (np.minimum, np.inf),
}


def reduced_at(x, where, src, reduce, include_self):
    """x with the elements of src reduced into it at the places."""
    ufunc, identity = REDUCED[reduce.replace("multiply", "prod")]
    y = x.copy()
    if not include_self:
        y[where] = identity
    ufunc.at(y, where, src)
    if reduce == "mean":
        count = np.ones(x.shape)
        if not include_self:
            count[where] = 0
        np.add.at(count, where, 1)
        y /= np.maximum(count, 1)
    return y


def scatter_reduce(x, dim, index, src, reduce, *, include_self=True):
    src = np.atleast_1d(src)[tuple(slice(n) for n in np.atleast_1d(index).shape)]
    y, index = np.atleast_1d(x), np.atleast_1d(index)
    return reduced_at(y, along(y, dim, index), src, reduce, include_self).reshape(x.shape)


def index_reduce(x, dim, index, source, reduce, *, include_self=True):
    y, source = np.atleast_1d(x), np.atleast_1d(source)
    where = at(y, dim, np.atleast_1d(index))
    return reduced_at(y, where, source, reduce, include_self).reshape(x.shape)


def segment_reduce(x, reduce, *, lengths=None, offsets=None, axis=0, unsafe=False, initial=None):
    """Of consecutive rows, as many as the lengths say."""
    if lengths is not None:
        ends = np.cumsum(lengths, axis=-1)
        starts = ends - lengths
    else:
        starts, ends = offsets[..., :-1], offsets[..., 1:]
    if starts.ndim > 1:
        parts = [
            segment_reduce(a, reduce, offsets=np.append(i, j[-1:]), initial=initial)
            for a, i, j in zip(x, starts, ends)
        ]
        return np.stack(parts)
    name = {"max": "amax", "min": "amin"}.get(reduce, reduce)
    ufunc, identity = REDUCED[name]
    identity = np.nan if name == "mean" and initial is None else identity
    identity = identity if initial is None else initial
    rows = []
    for i, j in zip(starts, ends):
        if i == j:
            rows.append(np.full(x.shape[1:], identity))
        elif reduce == "mean":
            rows.append((x[i:j].sum(axis=0) + (initial or 0.0)) / (j - i))
        else:
            start = {} if initial is None else {"initial": initial}
            rows.append(ufunc.reduce(x[i:j], axis=0, **start))
    return np.stack(rows)


def scatter_add(x, dim, index, src):
    return scatter(x, dim, index, src, reduce="add")


def masked_scatter(x, mask, source):
    x, mask = np.broadcast_arrays(x, mask)
    y = x.copy()
    y[mask] = source.ravel()[: np.count_nonzero(mask)]
    return y


def masked_select(x, mask):
    x, mask = np.broadcast_arrays(x, mask)
    return x[mask]


def put(x, index, source, accumulate=False):
    y = x.ravel().copy()
    if accumulate:
        np.add.at(y, index.ravel() % max(y.size, 1), source.ravel())
    else:
        y[index.ravel()] = source.ravel()
    return y.reshape(x.shape)


def select_scatter(x, src, dim, index):
    return changed(x, at(x, dim, index), src)


def slice_scatter(x, src, dim=0, start=None, end=None, step=1):
    return changed(x, at(x, dim, slice(start, end, step)), src)


def take_along_dim(x, index, dim=None):
    return np.take_along_axis(
        x, index if dim is not None or index.ndim == 1 else index.ravel(), dim
    )


def masked_index(x, mask, indices, fill):
    """x[indices] where the mask says so; other places are not read."""
    safe = tuple(None if i is None else np.where(mask, i, 0) for i in indices)
    return np.where(mask, x[tuple(slice(None) if i is None else i for i in safe)], fill)


def masked_put_accumulate(x, mask, indices, values):
    y = x.copy()
    safe = tuple(slice(None) if i is None else np.where(mask, i, 0) for i in indices)
    np.add.at(y, safe, np.where(mask, values, 0))
    return y


# ---------------------------------------------------------------- products


def matmul_added(c, a, b, *, beta=1, alpha=1):
    return beta * c + alpha * (a @ b)


def cross(a, b, dim=None):
    if dim is None:
        shape = np.broadcast_shapes(a.shape, b.shape)
        dim = shape.index(3)
    a, b = np.broadcast_arrays(a, b)
    return np.cross(a, b, axis=dim)


def einsum(xs, equation):
    if "..." in equation and "..." not in equation.split("->")[-1]:  # PyTorch sums over them
        return NotImplemented
    return np.einsum(equation, *xs)


def tensordot(a, b, dims=2):
    if not isinstance(dims, int) and (a.size == 1 or b.size == 1):  # PyTorch broadcasts them
        return NotImplemented
    return np.tensordot(a, b, dims)


def linear(x, weight, bias=None):
    y = x @ weight.T
    return y if bias is None else y + bias


def bilinear(x1, x2, weight, bias=None):
    y = np.einsum("...i,kij,...j->...k", x1, weight, x2)
    return y if bias is None else y + bias


def cdist(a, b, p=2.0, compute_mode=None):
    d = np.abs(a[..., :, None, :] - b[..., None, :, :])
    return np.linalg.vector_norm(d, axis=-1, ord=p)


def pdist(x, p=2):
    i, j = np.triu_indices(len(x), 1)
    return np.linalg.vector_norm(x[i] - x[j], axis=-1, ord=p)


def narrow(x, dim, start, length):
    start = int(start) % x.shape[dim] if x.shape[dim] else 0
    return x[at(x, dim, slice(start, start + length))]


INDEXING = {
    "__getitem__": lambda x, index: x[index],
    "index_select": index_select,
    "index_fill": index_fill,
    "index_copy": index_copy,
    "index_add": index_add,
    "index_put": index_put,
    "gather": gather,
    "scatter": scatter,
    "scatter_add": scatter_add,
    "scatter_reduce": scatter_reduce,
    "index_reduce": index_reduce,
    "_segment_reduce": segment_reduce,
    "masked_scatter": masked_scatter,
    "masked_select": masked_select,
    "narrow": narrow,
    "narrow_copy": narrow,
    "select": lambda x, dim, index: x[at(x, dim, index)],
    "select_scatter": select_scatter,
    "slice": lambda x, dim=0, start=None, end=None, step=1: x[at(x, dim, slice(start, end, step))],
    "slice_scatter": slice_scatter,
    "put": put,
    "take": lambda x, index: np.take(x, index),
    "take_along_dim": take_along_dim,
    "_unsafe_masked_index": masked_index,
    "_unsafe_masked_index_put_accumulate": masked_put_accumulate,
    # products
    "dot": np.dot,
    "vdot": np.vdot,
    "inner": np.inner,
    "outer": np.outer,
    "kron": np.kron,
    "mv": np.dot,
    "mm": np.matmul,
    "bmm": np.matmul,
    "matmul": np.matmul,
    "__rmatmul__": lambda a, b: b @ a,
    "einsum": einsum,
    "tensordot": tensordot,
    "cross": cross,
    "addmm": matmul_added,
    "addmv": matmul_added,
    "baddbmm": matmul_added,
    "addbmm": lambda c, a, b, *, beta=1, alpha=1: beta * c + alpha * (a @ b).sum(axis=0),
    "addr": lambda c, a, b, *, beta=1, alpha=1: beta * c + alpha * np.outer(a, b),
    "cdist": cdist,
    "nn.functional.pdist": pdist,
    "nn.functional.linear": linear,
    "nn.functional.bilinear": bilinear,
}
