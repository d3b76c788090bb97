"""Products that sum: matmul, dot, tensordot, einsum, convolve, and what is made of them.

Each is linear in each operand; the rules give the transposes, with conjugates for complex operands.
"""

import math

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from chainrule.base.errors import NoRuleError
from chainrule.core.array import store_out
from chainrule.core.primitive import (
    FUNCTIONS,
    UFUNCS,
    Multilinear,
    Plan,
    composite,
    existing,
    multilinear,
)
from chainrule.core.trace import bind, plain
from chainrule.rules.joins import operand


def conj(x):
    """The conjugate of a complex array; a real one is its own."""
    if type(x) in (list, tuple):
        x = np.asarray(x)
    return np.conjugate(x) if x.dtype.kind == "c" else x


def mT(x):
    return x.swapaxes(-1, -2)


# ---------------------------------------------------------------- matmul


def matmul_left(g, b, ndim):
    """a_bar = g b^T."""
    b = conj(b)
    if ndim == 2 and b.ndim == 2:
        return g @ b.T
    if b.ndim == 1:
        return g[..., None] * b if ndim > 1 else g * b
    if ndim == 1:
        return b @ g if b.ndim == 2 else (b @ g[..., None])[..., 0]
    return g @ mT(b)


def matmul_right(g, a, ndim):
    """b_bar = a^T g."""
    a = conj(a)
    if ndim == 2:
        if a.ndim == 2:
            return a.T @ g
        if a.ndim == 1:
            return a[:, None] * g
        rows = math.prod(a.shape[:-1])  # one product for all batches
        return a.reshape(rows, a.shape[-1]).T @ g.reshape(rows, g.shape[-1])
    if a.ndim == 1:
        return a * g if ndim == 1 else a[:, None] * g[..., None, :]
    if ndim == 1:
        return g @ a if a.ndim == 2 else g.reshape(-1) @ a.reshape(math.prod(g.shape), a.shape[-1])
    return mT(a) @ g


class Matmul(Multilinear):
    """As any bilinear operation; the transposes are also told how many axes their result has."""

    def _make_plan(self, mask, is_complex):
        plan = Plan(self, mask, [k for k in (0, 1) if mask >> (1 - k) & 1])
        left, right = self.transposes
        if mask == 1:
            plan.capture = lambda v, y: (v[1], v[0].ndim)
            plan.pullback = lambda g, mul, r, params: (left(g, r[0], r[1]),)
        elif mask == 2:
            plan.capture = lambda v, y: (v[0], v[1].ndim)
            plan.pullback = lambda g, mul, r, params: (right(g, r[0], r[1]),)
        else:
            plan.capture = lambda v, y: (v[0], v[1])
            plan.pullback = lambda g, mul, r, params: (
                left(g, r[1], r[0].ndim),
                right(g, r[0], r[1].ndim),
            )
        return plan


UFUNCS[np.matmul] = Matmul("matmul", np.matmul, [matmul_left, matmul_right])


@composite(np.matmul, np.linalg.matmul)
def matmul(x1, x2, /, *, axes=None, axis=None, keepdims=False):
    """The matrix product; ``axes`` says where the matrices are."""
    if axis is not None or keepdims:
        raise TypeError("matmul does not support axis= and keepdims=")
    if axes is None:
        return bind(UFUNCS[np.matmul], (x1, x2), {})
    x1, x2 = operand(x1), operand(x2)
    if x1.ndim < 2 or x2.ndim < 2:
        raise NoRuleError(
            "np.matmul with axes= and a vector has no derivative rule", "Use np.moveaxis."
        )
    return np.moveaxis(
        np.moveaxis(x1, axes[0], (-2, -1)) @ np.moveaxis(x2, axes[1], (-2, -1)), (-2, -1), axes[2]
    )


# ---------------------------------------------------------------- vectors in the last axis


def _vector_product(ufunc, **transposes):
    """A gufunc sum over the last axis, with ``axis=`` and ``keepdims=`` where NumPy has them."""
    primitive = multilinear(ufunc, **transposes)

    def call(x1, x2, /, *, axis=None, keepdims=False, axes=None):
        if axes is not None:
            raise NoRuleError(
                f"np.{primitive.name} with axes= has no derivative rule", "Use np.moveaxis."
            )
        if axis is not None and axis != -1:
            x1, x2 = np.moveaxis(operand(x1), axis, -1), np.moveaxis(operand(x2), axis, -1)
        y = bind(primitive, (x1, x2), {})
        return np.expand_dims(y, -1 if axis is None else axis) if keepdims else y

    FUNCTIONS[ufunc] = call
    return call


# sum conj(a) b: conj-linear in a
composite(np.linalg.vecdot)(
    _vector_product(
        np.vecdot,
        a=lambda g, b: np.conjugate(g)[..., None] * b,
        b=lambda g, a: g[..., None] * a,
    )
)
for _ufunc in existing("matvec"):
    _vector_product(
        _ufunc,
        a=lambda g, v: g[..., :, None] * conj(v)[..., None, :],
        v=lambda g, a: np.matvec(mT(conj(a)), g),
    )
for _ufunc in existing("vecmat"):  # sum_i conj(v_i) a_ij
    _vector_product(
        _ufunc,
        v=lambda g, a: np.matvec(a, conj(g)),
        a=lambda g, v: v[..., :, None] * g[..., None, :],
    )


# ---------------------------------------------------------------- tensordot, dot, inner, outer


def _tensordot_left(g, b, *, axes):
    """a_bar: g times b, summed over the axes that only b has."""
    in_a, in_b = _axes_lists(axes)
    n = len(in_b)
    in_b = [i % b.ndim for i in in_b]
    free_b = [i for i in range(b.ndim) if i not in in_b]
    free = g.ndim - len(free_b)
    in_a = [i % (free + n) for i in in_a]
    t = np.tensordot(g, conj(b), axes=(tuple(range(free, g.ndim)), tuple(free_b)))
    places = [i for i in range(free + n) if i not in in_a] + [in_a[p] for p in np.argsort(in_b)]
    return np.transpose(t, np.argsort(places).tolist())


def _tensordot_right(g, a, *, axes):
    """b_bar: a times g, summed over the axes that only a has."""
    in_a, in_b = _axes_lists(axes)
    n = len(in_a)
    in_a = [i % a.ndim for i in in_a]
    free_a = [i for i in range(a.ndim) if i not in in_a]
    free = g.ndim - len(free_a)
    in_b = [i % (free + n) for i in in_b]
    t = np.tensordot(conj(a), g, axes=(tuple(free_a), tuple(range(len(free_a)))))
    places = [in_b[p] for p in np.argsort(in_a)] + [i for i in range(free + n) if i not in in_b]
    return np.transpose(t, np.argsort(places).tolist())


def _axes_lists(axes):
    if np.iterable(axes):
        return tuple([*x] if np.iterable(x) else [x] for x in axes)
    return list(range(-axes, 0)), list(range(axes))


TENSORDOT = multilinear(np.tensordot, a=_tensordot_left, b=_tensordot_right)


@composite(np.tensordot, np.linalg.tensordot)
def tensordot(a, b, axes=2):
    """The sum of products over pairs of axes."""
    axes = plain(axes)
    if np.iterable(axes):
        axes = tuple(tuple(int(i) for i in x) if np.iterable(x) else (int(x),) for x in axes)
    return bind(TENSORDOT, (operand(a), operand(b)), {"axes": axes})


# the last axis of a with the last but one of b
DOT = multilinear(
    np.dot,
    a=lambda g, b: _tensordot_left(g, b, axes=(-1, max(b.ndim - 2, 0))),
    b=lambda g, a: _tensordot_right(g, a, axes=(-1, max(g.ndim - a.ndim, 0))),
)


@composite(np.dot)
def dot(a, b, out=None):
    """Product of scalars, vectors, matrices; the last axis of a with the last but one of b."""
    if out is not None:
        return store_out(out, dot(a, b))
    a, b = operand(a), operand(b)
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    if a.ndim <= 2 and b.ndim <= 2 and a.shape[-1] == b.shape[0]:
        return bind(UFUNCS[np.matmul], (a, b), {})
    return bind(DOT, (a, b), {})


@composite(np.inner)
def inner(a, b, /):
    """The last axes summed over."""
    a, b = operand(a), operand(b)
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    if a.shape[-1] != b.shape[-1]:
        np.inner(plain(a), plain(b))  # NumPy's own error
    return dot(a, mT(b) if b.ndim > 1 else b)


@composite(np.vdot)
def vdot(a, b, /):
    """sum conj(a) b over all elements."""
    return dot(conj(operand(a)).reshape(-1), operand(b).reshape(-1))


@composite(np.outer)
def outer(a, b, out=None):
    """All products of an element of a and one of b."""
    a, b = operand(a), operand(b)
    a, b = (x if x.ndim == 1 else x.reshape(-1) for x in (a, b))
    y = bind(UFUNCS[np.matmul], (a[:, None], b[None]), {})
    return y if out is None else store_out(out, y, broadcast=True)


@composite(np.linalg.outer)
def linalg_outer(x1, x2, /):
    """The outer product of two vectors."""
    x1, x2 = operand(x1), operand(x2)
    return outer(x1, x2) if x1.ndim == x2.ndim == 1 else np.linalg.outer(plain(x1), plain(x2))


@composite(np.kron)
def kron(a, b):
    """Blocks of b multiplied by the elements of a."""
    a, b = operand(a), operand(b)
    n = max(a.ndim, b.ndim)
    a = a.reshape((1,) * (n - a.ndim) + a.shape)
    b = b.reshape((1,) * (n - b.ndim) + b.shape)
    left = a.reshape([p for s in a.shape for p in (s, 1)])
    right = b.reshape([p for s in b.shape for p in (1, s)])
    return (left * right).reshape([p * q for p, q in zip(a.shape, b.shape)])


@composite(np.cross)
def cross(a, b, axisa=-1, axisb=-1, axisc=-1, axis=None):
    """The vector product in three dimensions; a missing third component is zero."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a = np.moveaxis(operand(a), axisa, -1)
    b = np.moveaxis(operand(b), axisb, -1)
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        np.cross(plain(a), plain(b))  # NumPy's own error or warning
    a, b = ([x[..., i] for i in range(x.shape[-1])] for x in (a, b))
    z = a[0] * b[1] - a[1] * b[0]
    if len(a) == len(b) == 2:
        return z
    if len(a) == 2:
        x, y = a[1] * b[2], -(a[0] * b[2])
    elif len(b) == 2:
        x, y = -(a[2] * b[1]), a[2] * b[0]
    else:
        x, y = a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2]
    return np.stack([x, y, z], normalize_axis_index(axisc, np.ndim(z) + 1))


@composite(np.linalg.cross)
def linalg_cross(x1, x2, /, *, axis=-1):
    """The vector product in three dimensions."""
    x1, x2 = operand(x1), operand(x2)
    if x1.shape[axis] != 3 or x2.shape[axis] != 3:
        return np.linalg.cross(plain(x1), plain(x2), axis=axis)  # NumPy's own error
    return cross(x1, x2, axis=axis)


@composite(np.linalg.multi_dot)
def multi_dot(arrays):
    """The product of a chain of matrices, in the order with the fewest multiplications."""
    arrays = [operand(a) for a in arrays]
    if len(arrays) < 2 or any(a.ndim != 2 for a in arrays[1:-1]):
        return np.linalg.multi_dot(plain(arrays))  # NumPy's own error
    is_row, is_column = arrays[0].ndim == 1, arrays[-1].ndim == 1
    arrays[0] = np.atleast_2d(arrays[0])
    arrays[-1] = arrays[-1][:, None] if is_column else arrays[-1]
    sizes = [a.shape[0] for a in arrays] + [arrays[-1].shape[1]]
    y = _chain(arrays, _best_splits(sizes), 0, len(arrays) - 1)
    return y[(0,) * is_row + (slice(None),) * (2 - is_row - is_column) + (0,) * is_column]


def _best_splits(sizes):
    """Where to split each subchain (i, j) for the fewest multiplications. [Cormen et al., 15.2]"""
    n = len(sizes) - 1
    cost = {(i, i): 0 for i in range(n)}
    split = {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            choices = [
                (cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k)
                for k in range(i, j)
            ]
            cost[i, j], split[i, j] = min(choices)
    return split


def _chain(arrays, split, i, j):
    if i == j:
        return arrays[i]
    k = split[i, j]
    return dot(_chain(arrays, split, i, k), _chain(arrays, split, k + 1, j))


# ---------------------------------------------------------------- convolution


def _convolve(a, v, *, mode):
    return np.convolve(a, v, mode)


class Convolve(Multilinear):
    """As any bilinear operation; the transposes are also told the length of their result."""

    def _make_plan(self, mask, is_complex):
        plan = Plan(self, mask, [k for k in (0, 1) if mask >> (1 - k) & 1])
        slots = plan.slots
        plan.capture = lambda v, y: (
            *(v[i].size for i in slots),
            *(v[1 - i] for i in slots),
        )
        n = len(slots)
        plan.pullback = lambda g, mul, r, params: [
            _convolve_transpose(g, r[n + k], r[k], **params) for k in range(n)
        ]
        return plan


def _convolve_transpose(g, other, n, *, mode):
    """y_i = sum_k x_k v_{i+o-k}   =>   x_bar_k = sum_i g_i conj(v_{i+o-k}), a correlation.

    o is where the mode begins within the full convolution.
    """
    if type(other) in (list, tuple):
        other = np.asarray(other)
    m = other.size
    if mode == "full":
        return np.correlate(g, other, "valid")
    begin = m - 1 - ((min(m, n) - 1) // 2 if mode == "same" else min(m, n) - 1)
    return np.correlate(g, other, "full")[begin : begin + n]


CONVOLVE = Convolve("convolve", _convolve, [_convolve_transpose, _convolve_transpose])


@composite(np.convolve)
def convolve(a, v, mode="full"):
    """The discrete convolution of two vectors."""
    a, v = np.atleast_1d(operand(a)), np.atleast_1d(operand(v))
    return bind(CONVOLVE, (a, v), {"mode": _mode(mode)})


def _mode(mode):
    return mode if isinstance(mode, str) else ("valid", "same", "full")[mode]


@composite(np.correlate)
def correlate(a, v, mode="valid"):
    """sum_n a_{n+k} conj(v_n): the convolution with the reversed conjugate."""
    a, v, mode = operand(a), operand(v), _mode(mode)
    if v.size > a.size:  # NumPy computes it the other way round and turns the result
        return convolve(conj(v), a[::-1], mode)[::-1]
    return convolve(a, conj(v)[::-1], mode)


# ---------------------------------------------------------------- einsum


class Einsum(Multilinear):
    """``fun(*operands, subscripts=, optimize=)`` without ellipses or repeated labels in an operand.

    One primitive for each number of operands; the first one carries the name.
    """

    def with_operands(self, n):
        if n not in _EINSUMS:
            other = object.__new__(Einsum)
            other.name, other.fun, other.plans = self.name, self.fun, {}
            other.transposes = [_einsum_slot(i) for i in range(n)]
            _EINSUMS[n] = other
        return _EINSUMS[n]


def _einsum(*operands, subscripts, optimize=False):
    if not all(x.size for x in operands):
        inputs, output = subscripts.split("->")
        pairs = [p for t, x in zip(inputs.split(","), operands) for p in zip(t, x.shape)]
        sizes = {c: n for c, n in pairs if n != 1}
        shape = tuple(sizes.get(c, 1) for c in output)
        if 0 in shape:  # np.einsum writes a number behind the memory of an empty result
            return np.zeros(shape, np.result_type(*operands))
    return np.einsum(subscripts, *operands, optimize=optimize)


def _einsum_slot(i):
    def transpose(g, *others, subscripts, optimize=False):
        """einsum of g and the others to the labels of x; labels only x has are repeated."""
        inputs, output = subscripts.split("->")
        inputs = inputs.split(",")
        mine = inputs.pop(i)
        known = set(output).union(*inputs)
        kept = "".join(c for c in mine if c in known)
        sizes = {c: n for t, x in zip([output, *inputs], [g, *others]) for c, n in zip(t, x.shape)}
        is_large = len(kept) < len(sizes) and math.prod(sizes.values()) > LARGE  # and a sum
        if optimize is not False or len(others) > 1 or is_large:
            optimize = True  # as matrix products
        y = einsum_sum([g, *map(conj, others)], f"{','.join([output, *inputs])}->{kept}", optimize)
        if kept == mine:
            return y
        # the sweep's project repeats along the new axes
        return y.reshape([y.shape[kept.index(c)] if c in known else 1 for c in mine])

    return transpose


LARGE = 30_000  # products; below, looking for a better order costs more than it gains
_EINSUMS: dict[int, Einsum] = {}
EINSUM = Einsum("einsum", _einsum, [_einsum_slot(0), _einsum_slot(1)])
_EINSUMS[2] = EINSUM


def einsum_sum(operands, subscripts, optimize):
    """A traced einsum over normalised subscripts."""
    return bind(
        EINSUM.with_operands(len(operands)),
        operands,
        {"subscripts": subscripts, "optimize": optimize},
    )


@composite(np.einsum)
def einsum(*operands, optimize=False, dtype=None, order="K", casting="safe"):
    """The sum of products named by labels; ellipses and repeated labels are resolved first."""
    text, arrays = _text_and_arrays(operands)
    parsed = _parse(text, arrays)
    if parsed is None or dtype is not None:
        np.einsum(text, *plain(arrays), dtype=dtype, casting=casting)  # NumPy's own errors
        if parsed is None:
            raise NoRuleError(
                f"np.einsum({text!r}) has no derivative rule", "Write the output subscripts out."
            )
        arrays = [a.astype(dtype, copy=False) for a in arrays]
    terms, output = parsed
    terms, arrays = zip(*map(_without_repeats, terms, arrays))
    if len(arrays) == 1 and sorted(terms[0]) == sorted(output):  # no sum: a view, as in NumPy
        return np.transpose(arrays[0], [terms[0].index(c) for c in output])
    return einsum_sum(arrays, f"{','.join(terms)}->{output}", optimize)


_SYMBOLS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"  # sorted, as implicit outputs are


def _text_and_arrays(operands):
    """The subscripts as text, also of the form einsum(a, [0, 1], b, [1, 2], [0, 2])."""
    if isinstance(operands[0], str):
        return operands[0].replace(" ", ""), [operand(a) for a in operands[1:]]
    n = len(operands) // 2
    text = ",".join(map(_letters, operands[1 : 2 * n : 2]))
    if len(operands) % 2:
        text += "->" + _letters(operands[-1])
    return text, [operand(a) for a in operands[: 2 * n : 2]]


def _letters(labels):
    return "".join("..." if i is Ellipsis else _SYMBOLS[i] for i in labels)


def _parse(text, arrays):
    """Labels of operands and result, ellipses written out; None if something is wrong."""
    inputs, arrow, output = text.partition("->")
    terms = inputs.split(",")
    if len(terms) != len(arrays):
        return None
    widths = [a.ndim - len(t.replace("...", "")) for t, a in zip(terms, arrays)]
    if any(n < 0 or (n > 0 and "..." not in t) for t, n in zip(terms, widths)):
        return None
    width = max(widths)
    if not arrow:
        letters = inputs.replace(".", "").replace(",", "")
        once = sorted(c for c in set(letters) if letters.count(c) == 1)
        output = "..." * ("..." in inputs) + "".join(once)
    if width and "..." not in output:
        return None
    dots = "".join([c for c in _SYMBOLS if c not in text][:width])
    terms = [t.replace("...", dots[width - n :]) for t, n in zip(terms, widths)]
    output = output.replace("...", dots)
    if any(len({(c, n) for c, n in zip(t, a.shape)}) != len(set(t)) for t, a in zip(terms, arrays)):
        return None  # a repeated label with two sizes
    if len(set(output)) != len(output) or not set(output) <= set("".join(terms)) <= set(_SYMBOLS):
        return None
    return terms, output


def _without_repeats(term, x):
    """Repeated labels replaced by one: ``ii`` of a matrix is ``i`` of its diagonal."""
    for c in term:
        while term.count(c) > 1:
            p = term.index(c)
            q = term.index(c, p + 1)
            rest = term[:p] + term[p + 1 : q] + term[q + 1 :]
            term, x = rest + c, np.diagonal(x, 0, p, q)
    return term, x
