"""PyTorch's operator database, ``op_db``, read for NumPy: samples, gradients, their comparison.

An operator's samples are arguments of the operator; those that require a gradient are the operands
here. The function of ``tests/peers`` that stands for the operator is called with the same arguments
as arrays.
"""

import functools
import random
from typing import Any

import numpy as np
import torch

import chainrule as cr
from tests.peers.linear_algebra import svd_by

DTYPES = (torch.float64, torch.complex128)
LARGE = 2000  # numbers in a sample's operands: beyond, it takes seconds and shows nothing more
PREPARED = ("hermitian", "triangular", "ctc")  # operators whose tests prepare their arguments


@functools.cache
def operators() -> dict[str, list]:
    """The operators with a derivative by name, and by name and variant."""
    from torch.testing._internal.common_methods_invocations import op_db

    found: dict[str, list] = {}
    for op in op_db:
        if op.supports_autograd:
            for name in {op.name, full_name(op)}:
                found.setdefault(name, []).append(op)
    return found


def full_name(op) -> str:
    return op.name + "." * bool(op.variant_test_name) + op.variant_test_name


def samples(op, dtype):
    """The database's samples, the same in every run."""
    torch.manual_seed(0)
    random.seed(0)
    for sample in op.sample_inputs("cpu", dtype, requires_grad=True):
        size = sum(t.numel() for t in operands(sample))
        if 0 < size < LARGE or (size == 0 and operands(sample)):
            yield sample


# ---------------------------------------------------------------- between the two libraries


def map_tensors(f, tree: Any) -> Any:
    if isinstance(tree, torch.Tensor):
        return f(tree)
    if isinstance(tree, (torch.Size, tuple)):
        return tuple(map_tensors(f, x) for x in tree)
    if isinstance(tree, list):
        return [map_tensors(f, x) for x in tree]
    if isinstance(tree, dict):
        return {k: map_tensors(f, x) for k, x in tree.items()}
    if isinstance(tree, torch.dtype):
        return numpy_dtype(tree)
    return tree


def numpy_dtype(dtype):
    from torch.testing._internal.common_utils import torch_to_numpy_dtype_dict

    return torch_to_numpy_dtype_dict.get(dtype, dtype)


def array(tensor) -> np.ndarray:
    return tensor.detach().resolve_conj().resolve_neg().numpy(force=True)


def tensor(x):
    return torch.from_numpy(np.asarray(x))


def operands(sample) -> list:
    """The tensors of a sample that require a gradient, each once."""
    found: dict[int, Any] = {}

    def see(t):
        if t.requires_grad:
            found.setdefault(id(t), t)

    map_tensors(see, [sample.input, sample.args, sample.kwargs])
    return list(found.values())


def leaves(y: Any) -> list:
    if isinstance(y, (list, tuple)):
        return [leaf for part in y for leaf in leaves(part)]
    return [] if y is None else [y]


def outputs(op, sample) -> list:
    """What PyTorch computes of a sample: the tensors among it, made as its own tests make them."""
    wrapper = op.gradcheck_wrapper
    is_prepared = any(word in getattr(wrapper, "__name__", "") for word in PREPARED)
    run = functools.partial(wrapper, op) if is_prepared else op
    y = sample.output_process_fn_grad(run(sample.input, *sample.args, **sample.kwargs))
    return [t for t in leaves(y) if isinstance(t, torch.Tensor)]


def as_function(function, sample, tensors, places):
    """The stand-in as a function of the operands only; of its results those at ``places``.

    None where it does not take this sample.
    """
    numbers = {id(t): k for k, t in enumerate(tensors)}

    def call(values):
        def put(t):
            return values[numbers[id(t)]] if id(t) in numbers else array(t)

        args = map_tensors(put, sample.args)
        return function(map_tensors(put, sample.input), *args, **map_tensors(put, sample.kwargs))

    if function is svd_by:
        function = svd_by(sample.output_process_fn_grad.__name__)
    y = call([array(t) for t in tensors])
    if y is NotImplemented:
        return None
    places = [k for k in places if k < len(leaves(y))]
    return (lambda *values: tuple(leaves(call(values))[k] for k in places)), places


# ---------------------------------------------------------------- the comparison


def noise(rng, like):
    """Random numbers of the shape and dtype of an array."""
    x = rng.normal(size=np.shape(like))
    is_complex = np.iscomplexobj(like)
    return np.asarray(x + 1j * rng.normal(size=x.shape) if is_complex else x, np.result_type(like))


def inner(xs, ys):
    return sum(np.sum(np.real(np.conj(x) * y)) for x, y in zip(xs, ys))


def assert_close(ours, theirs, what, rtol):
    """Relative to the largest number; where one of them has no number, neither needs one."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape, (what, ours.shape, theirs.shape)
    size = np.max(np.abs(theirs), initial=1.0, where=np.isfinite(theirs))
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=0.1 * rtol * size, err_msg=what)


def compare(op, function, sample, second=False):
    """Value, reverse, forward and, if wanted, reverse over reverse; False if nothing compares."""
    tensors = operands(sample)
    results = outputs(op, sample)
    places = [k for k, t in enumerate(results) if t.requires_grad]
    found = as_function(function, sample, tensors, places) if places else None
    if found is None or not found[1]:
        return False
    f, places = found
    xs, results = [array(t) for t in tensors], [results[k] for k in places]
    single = any(x.dtype.itemsize // (1 + np.iscomplexobj(x)) < 8 for x in (*xs, *f(*xs)))
    # some operators have operands in single precision, and PyTorch's sums cancel there
    rtol = 1e-3 if single else 1e-7

    y, pullback = cr.vjp(f, *xs)
    real = [np.isrealobj(part) for part in y]  # PyTorch's complex results with no imaginary part
    results = [t.real if r and t.is_complex() else t for t, r in zip(results, real)]
    for k, (ours, theirs) in enumerate(zip(y, results)):
        assert_close(ours, array(theirs), f"value {k}", rtol)

    rng = np.random.default_rng(0)
    gs = [noise(rng, array(t)) for t in results]
    x_bars = pullback(tuple(g.astype(part.dtype) for g, part in zip(gs, y)))
    theirs = torch.autograd.grad(
        results, tensors, [tensor(g) for g in gs], allow_unused=True, retain_graph=second
    )
    for k, (ours, t, x) in enumerate(zip(x_bars, theirs, xs)):
        assert (ours.shape, ours.dtype) == (x.shape, x.dtype)
        assert_close(ours, np.zeros_like(x) if t is None else array(t), f"gradient {k}", rtol)

    dxs = [noise(rng, x) for x in xs]
    _, dy = cr.jvp(f, tuple(xs), tuple(dxs))
    forward, reverse = inner(gs, dy), inner(x_bars, dxs)
    if np.isfinite(forward) or np.isfinite(reverse):
        scale = sum(np.sum(np.abs(g * d)) for g, d in zip(gs, dy))
        assert abs(forward - reverse) <= rtol * (scale + 1e-3), ("forward", forward, reverse)
    if second and op.supports_gradgrad:
        compare_second(f, xs, gs, tensors, results, rng, 10 * rtol)
    return True


def compare_second(f, xs, gs, tensors, results, rng, rtol):
    """Gradients of <v, J* g> in the operands and in the cotangents g."""
    vs = [noise(rng, x) for x in xs]
    cotangents = [tensor(g).requires_grad_() for g in gs]
    try:
        bars = torch.autograd.grad(
            results, tensors, cotangents, allow_unused=True, create_graph=True
        )
        pairs = [(tensor(np.conj(v)), bar) for v, bar in zip(vs, bars) if bar is not None]
        total = sum((v * bar).real.sum() for v, bar in pairs)
        theirs = torch.autograd.grad(total, [*tensors, *cotangents], allow_unused=True)
    except (RuntimeError, NotImplementedError, AttributeError, TypeError):
        return  # PyTorch has no second derivative of it, or it is zero by structure

    n = len(xs)

    def h(*values):
        return inner(vs, cr.vjp(f, *values[:n])[1](values[n:]))

    ours = cr.grad(h, wrt=tuple(range(n + len(gs))))(*xs, *gs)
    for k, (mine, t, x) in enumerate(zip(ours, theirs, [*xs, *gs])):
        known = np.zeros_like(x) if t is None else array(t)
        # PyTorch says NaN for results of no elements, chainrule 0: nothing leads there
        mine = np.where(np.isnan(known), np.nan, mine)
        assert_close(mine, known, f"second derivative {k}", rtol)
