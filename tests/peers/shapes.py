"""Shapes, splits and joins of PyTorch's test database as plain NumPy: name -> function."""

import itertools

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from tests.peers.reductions import cast

# ---------------------------------------------------------------- shapes


def expand(x, shape):
    shape = [m if n == -1 else n for n, m in zip(shape, (0,) * (len(shape) - x.ndim) + x.shape)]
    return np.broadcast_to(x, shape)


def flatten(x, start_dim=0, end_dim=-1):
    if x.ndim == 0:
        return x.reshape(1)
    start, end = start_dim % x.ndim, end_dim % x.ndim
    return x.reshape(x.shape[:start] + (-1 if x.size else 0,) + x.shape[end + 1 :])


def unflatten(x, dim, sizes):
    dim = dim % x.ndim
    return x.reshape(x.shape[:dim] + tuple(sizes) + x.shape[dim + 1 :])


def squeeze(x, dim=None):
    if dim is None:
        return np.squeeze(x)
    dims = [dim] if isinstance(dim, int) else list(dim)
    return np.squeeze(x, tuple(d for d in dims if x.ndim and x.shape[d] == 1))


def transpose(x, dim0, dim1):
    return x.swapaxes(dim0, dim1) if x.ndim else x + 0


def sum_to_size(x, *shape):
    shape = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    extra = x.ndim - len(shape)
    x = x.sum(axis=tuple(range(extra)))
    wide = tuple(i for i, (n, m) in enumerate(zip(x.shape, shape)) if m == 1 != n)
    return x.sum(axis=wide, keepdims=True)


def view_as_real(z):
    return np.stack([z.real, z.imag], axis=-1)


def strided(x, size, stride, storage_offset=0):
    """The samples are contiguous, and their strides are counted in elements."""
    start = x.ravel()[storage_offset or 0 :]
    return as_strided(start, size, [s * x.itemsize for s in stride])


def unfold(x, dim, size, step):
    if x.ndim == 0:
        return x.reshape(1)[:size]
    windows = sliding_window_view(x, size, axis=dim)
    at = [slice(None)] * windows.ndim
    at[dim % x.ndim] = slice(None, None, step)
    return windows[tuple(at)]


def pad(mode):
    """Widths come for the last axis first; a negative one cuts off what was padded."""

    def run(x, pad, *more, value=None):
        if more:
            value = more[-1] if not isinstance(more[-1], str) else value
        pairs = [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)][::-1]
        pairs = [(0, 0)] * (x.ndim - len(pairs)) + pairs
        widths = [(max(a, 0), max(b, 0)) for a, b in pairs]
        if mode == "wrap":
            cut = tuple(slice(max(-a, 0), n - max(-b, 0)) for (a, b), n in zip(pairs, x.shape))
            return np.pad(x[cut], widths, mode)
        cut = tuple(slice(-min(a, 0), min(b, 0) or None) for a, b in pairs)
        kwargs = {"constant_values": value or 0} if mode == "constant" else {}
        return np.pad(x, widths, mode, **kwargs)[cut]

    return run


# ---------------------------------------------------------------- splits and joins


def split(x, size, dim=0):
    n = x.shape[dim]
    if isinstance(size, (list, tuple)):
        return np.split(x, np.cumsum(size)[:-1], axis=dim)
    return np.split(x, list(range(size, n, size)), axis=dim)


def chunk(x, chunks, dim=0):
    return split(x, -(-x.shape[dim] // chunks) or 1, dim)


def tensor_split(x, sections, dim=0):
    sections = sections if np.ndim(sections) == 0 else list(sections)
    return np.array_split(x, int(sections) if np.ndim(sections) == 0 else sections, axis=dim)


def unbind(x, dim=0):
    return [np.take(x, i, axis=dim) for i in range(x.shape[dim])]


def cat(xs, dim=0):
    xs = [x for x in xs if x.shape != (0,)] or xs
    return np.concatenate(xs, axis=dim)


def block_diag(*xs):
    xs = [np.atleast_2d(x) for x in xs]
    rows, columns = sum(x.shape[0] for x in xs), sum(x.shape[1] for x in xs)
    y = np.zeros((rows, columns), np.result_type(*[x.dtype for x in xs]))
    i = j = 0
    for x in xs:
        y[i : i + x.shape[0], j : j + x.shape[1]] = x
        i, j = i + x.shape[0], j + x.shape[1]
    return y


def cartesian_prod(*xs):
    if len(xs) == 1:
        return xs[0]
    return np.stack([a.ravel() for a in np.meshgrid(*xs, indexing="ij")], axis=-1)


def combinations(x, r=2, with_replacement=False):
    pick = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    return x[np.array(list(pick(range(len(x)), r)), int).reshape(-1, r)]


def meshgrid(*xs, indexing="ij"):
    xs = xs[0] if isinstance(xs[0], (list, tuple)) else xs
    return np.meshgrid(*xs, indexing=indexing)


def diag_embed(x, offset=0, dim1=-2, dim2=-1):
    n = x.shape[-1] + abs(offset)
    y = np.zeros(x.shape[:-1] + (n, n), x.dtype)
    i = np.arange(x.shape[-1])
    y[..., i + max(-offset, 0), i + max(offset, 0)] = x
    return np.moveaxis(y, (-2, -1), (dim1, dim2))


def diagonal(x, offset=0, dim1=0, dim2=1):
    return np.diagonal(x, offset, dim1, dim2)


def diagonal_scatter(x, src, offset=0, dim1=0, dim2=1):
    y = np.moveaxis(x, (dim1, dim2), (-2, -1)).copy()
    i = np.arange(src.shape[-1])
    y[..., i + max(-offset, 0), i + max(offset, 0)] = src
    return np.moveaxis(y, (-2, -1), (dim1, dim2))


def seq(xs):
    return xs[0] if len(xs) == 1 and isinstance(xs[0], (list, tuple)) else xs


def repeat_interleave(x, repeats, dim=None, **kwargs):
    return np.repeat(x, repeats, axis=dim if x.ndim else None)


def to(x, *args, **kwargs):
    """Another dtype, or that of another array; devices and layouts do not matter here."""
    for like in (*args, kwargs.get("dtype")):
        dtype = like.dtype if isinstance(like, np.ndarray) else like
        if isinstance(dtype, (type, np.dtype)) and dtype is not bool:
            return cast(x, dtype)
    return x.copy()


def copied(x, *args, **kwargs):
    return x.copy()


SHAPES = {
    "alias_copy": copied,
    "clone": copied,
    "contiguous": lambda x, *args, **kwargs: np.ascontiguousarray(x).reshape(x.shape),
    "double": lambda x, **kwargs: cast(x, np.float64),
    "float": lambda x, **kwargs: cast(x, np.float32),
    "cdouble": lambda x, **kwargs: cast(x, np.complex128),
    "cfloat": lambda x, **kwargs: cast(x, np.complex64),
    "to": to,
    "atleast_1d": lambda *xs: np.atleast_1d(*seq(xs)),
    "atleast_2d": lambda *xs: np.atleast_2d(*seq(xs)),
    "atleast_3d": lambda *xs: np.atleast_3d(*seq(xs)),
    "broadcast_tensors": np.broadcast_arrays,
    "broadcast_to": np.broadcast_to,
    "expand": expand,
    "expand_copy": lambda x, shape: expand(x, shape).copy(),
    "expand_as": lambda x, other: np.broadcast_to(x, other.shape),
    "flatten": flatten,
    "unflatten": unflatten,
    "squeeze": squeeze,
    "squeeze_copy": squeeze,
    "unsqueeze": np.expand_dims,
    "unsqueeze_copy": np.expand_dims,
    "ravel": np.ravel,
    "reshape": np.reshape,
    "reshape_as": lambda x, other: x.reshape(other.shape),
    "view": np.reshape,
    "view_copy": np.reshape,
    "view_as": lambda x, other: x.reshape(other.shape),
    "movedim": np.moveaxis,
    "permute": np.transpose,
    "permute_copy": np.transpose,
    "transpose": transpose,
    "transpose_copy": transpose,
    "t": np.transpose,
    "t_copy": np.transpose,
    "T": lambda x: x.T,
    "H": lambda x: np.conj(x.T),
    "mT": lambda x: x.mT,
    "mH": lambda x: np.conj(x.mT),
    "sum_to_size": sum_to_size,
    "view_as_real": view_as_real,
    "view_as_complex": lambda x: x[..., 0] + 1j * x[..., 1],
    "as_strided": strided,
    "as_strided_copy": strided,
    "unfold": unfold,
    "unfold_copy": unfold,
    "constant_pad_nd": pad("constant"),
    "nn.functional.pad.constant": pad("constant"),
    "nn.functional.pad.reflect": pad("reflect"),
    "nn.functional.pad.replicate": pad("edge"),
    "nn.functional.pad.replicate_negative": pad("edge"),
    "nn.functional.pad.circular": pad("wrap"),
    "roll": lambda x, shifts, dims=None: np.roll(x, shifts, dims or None if dims != 0 else 0),
    "rot90": lambda x, k=1, dims=(0, 1): np.rot90(x, k, dims),
    "flip": lambda x, dims: np.flip(x, dims),
    "fliplr": np.fliplr,
    "flipud": np.flipud,
    "repeat": np.tile,
    "tile": np.tile,
    "repeat_interleave": repeat_interleave,
    "split": split,
    "split.list_args": split,
    "split_with_sizes": split,
    "split_with_sizes_copy": split,
    "unsafe_split": split,
    "chunk": chunk,
    "unsafe_chunk": chunk,
    "tensor_split": tensor_split,
    "hsplit": lambda x, s: np.hsplit(x, s),
    "vsplit": lambda x, s: np.vsplit(x, s),
    "dsplit": lambda x, s: np.dsplit(x, s),
    "unbind": unbind,
    "unbind_copy": unbind,
    "cat": cat,
    "stack": lambda xs, dim=0: np.stack(xs, axis=dim),
    "hstack": np.hstack,
    "vstack": np.vstack,
    "dstack": np.dstack,
    "column_stack": np.column_stack,
    "block_diag": block_diag,
    "cartesian_prod": cartesian_prod,
    "combinations": combinations,
    "meshgrid": meshgrid,
    "diag": lambda x, diagonal=0: np.diag(x, diagonal),
    "diagflat": lambda x, offset=0: np.diagflat(x, offset),
    "diag_embed": diag_embed,
    "diagonal": diagonal,
    "diagonal_copy": diagonal,
    "diagonal_scatter": diagonal_scatter,
    "tril": lambda x, diagonal=0: np.tril(x, diagonal),
    "triu": lambda x, diagonal=0: np.triu(x, diagonal),
    "trace": np.trace,
    "fill": lambda x, value: np.full_like(x, value) + 0 * x,
}
