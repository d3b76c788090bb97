"""Shapes, joins, indexing, creation: values and dtypes are NumPy's, derivatives are right."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.base.errors import NonDifferentiableError
from chainrule.core.primitive import FUNCTIONS
from tests.helpers import assert_as_numpy


def parts_of(y):
    return list(y) if isinstance(y, (tuple, list)) else [y]


def flat(y):
    return np.concatenate([np.ravel(p) for p in parts_of(y)])


def inner(a, b):
    """<a, b> = Re sum conj(a) b over matching parts."""
    return sum(np.real(np.vdot(p, q)) for p, q in zip(a, b))


def random_like(rng, x):
    x = np.asarray(x)
    t = rng.normal(size=x.shape)
    return (t + 1j * rng.normal(size=x.shape) if x.dtype.kind == "c" else t).astype(x.dtype)[()]


def check(f, *xs, exact=True, second=True, seed=0):
    """Value and dtype as NumPy's; jvp against differences; vjp adjoint to it; second order."""
    rng = np.random.default_rng(seed)
    xs = tuple(np.asarray(x)[()] for x in xs)
    expected = f(*xs)
    value, pullback = cr.vjp(f, *xs)
    assert type(value) is type(expected)
    for v, e in zip(parts_of(value), parts_of(expected), strict=True):
        assert type(v) is type(e) and v.shape == e.shape and v.dtype == e.dtype
        if exact:
            np.testing.assert_array_equal(v, e)
        else:
            np.testing.assert_allclose(v, e, rtol=1e-13, atol=1e-13)
    ts = tuple(random_like(rng, x) for x in xs)
    dy = cr.jvp(f, xs, ts)[1]
    h = 1e-6
    ahead, behind = f(*(x + h * t for x, t in zip(xs, ts))), f(*(x - h * t for x, t in zip(xs, ts)))
    numeric = (flat(ahead) - flat(behind)) / (2 * h)
    np.testing.assert_allclose(
        flat(dy), numeric, rtol=1e-6, atol=1e-6 * (1 + np.abs(numeric).max(initial=0))
    )
    g = (
        type(expected)(random_like(rng, e) for e in expected)
        if isinstance(expected, (tuple, list))
        else (random_like(rng, expected))
    )
    bars = pullback(g)
    for bar, x in zip(bars, xs):
        assert bar.shape == x.shape and bar.dtype == x.dtype
    np.testing.assert_allclose(
        inner(bars, ts), inner(parts_of(g), parts_of(dy)), rtol=1e-9, atol=1e-9
    )
    if second:
        check_second_order(f, xs, ts, rng)


def check_second_order(f, xs, ts, rng):
    """Gradient of sum |f|^4 / 4 along ts: jvp of grad, grad of grad, and differences of grad."""

    def objective(*xs):
        return sum(np.sum(np.real(p * np.conj(p)) ** 2) for p in parts_of(f(*xs))) / 4

    wrt = tuple(range(len(xs)))
    gradient = cr.grad(objective, wrt=wrt)
    h = 1e-6
    ahead = gradient(*(x + h * t for x, t in zip(xs, ts)))
    behind = gradient(*(x - h * t for x, t in zip(xs, ts)))
    numeric = [(a - b) / (2 * h) for a, b in zip(ahead, behind)]
    forward = cr.jvp(gradient, xs, ts)[1]

    def slope(*xs):
        return sum(np.sum(np.real(np.conj(t) * g)) for t, g in zip(ts, gradient(*xs)))

    reverse = cr.grad(slope, wrt=wrt)(*xs)
    for a, b, n in zip(forward, reverse, numeric):
        scale = 1 + np.abs(n).max(initial=0)
        np.testing.assert_allclose(a, n, rtol=1e-5, atol=1e-5 * scale)
        np.testing.assert_allclose(b, n, rtol=1e-5, atol=1e-5 * scale)


def rand(*shape, seed=1):
    return np.random.default_rng(seed + len(shape)).normal(size=shape)


x0, x1, x2, x3 = 0.7, rand(4), rand(3, 4), rand(2, 3, 4)
UNSTACK = getattr(np, "unstack", lambda x, axis=0: tuple(np.moveaxis(x, axis, 0)))
z2 = rand(3, 4) + 1j * rand(3, 4, seed=9)

SHAPES = {
    "transpose": (np.transpose, x3),
    "transpose axes": (lambda x: np.transpose(x, (1, -1, 0)), x3),
    "transpose 0-d": (np.transpose, np.float64(0.5)),
    "T of a 1-d": (lambda x: x.T * 2, x1),
    "mT": (lambda x: x.mT * 1, x3),
    "permute_dims": (lambda x: np.permute_dims(x, (2, 0, 1)), x3),
    "matrix_transpose": (np.linalg.matrix_transpose, x3),
    "swapaxes": (lambda x: np.swapaxes(x, 0, -1), x3),
    "moveaxis": (lambda x: np.moveaxis(x, [0, 1], [-1, 0]), x3),
    "rollaxis": (lambda x: np.rollaxis(x, 2, 0), x3),
    "rollaxis back": (lambda x: np.rollaxis(x, 0, 3), x3),
    "reshape": (lambda x: np.reshape(x, (4, -1)), x2),
    "reshape F": (lambda x: np.reshape(x, (4, 3), order="F"), x2),
    "reshape to scalar shape": (lambda x: np.reshape(x, ()), rand(1, 1)),
    "reshape 0-d": (lambda x: np.reshape(x, (1, 1)), x0),
    "reshape of transposed": (lambda x: np.reshape(x.T, -1), x2),
    "reshape empty": (lambda x: np.reshape(x, (0, 5)), np.ones((3, 0))),
    "ravel": (np.ravel, x2),
    "ravel F": (lambda x: np.ravel(x, "F"), x2),
    "ravel K of transposed": (lambda x: np.ravel(x.T, "K"), x2),
    "ravel method K": (lambda x: x.T.ravel("K"), x2),
    "flatten": (lambda x: x.T.flatten("K") * x.T.flatten("A") * x.T.flatten("F"), x2),
    "squeeze": (np.squeeze, rand(1, 3, 1)),
    "squeeze axis": (lambda x: np.squeeze(x, -1), rand(1, 3, 1)),
    "expand_dims": (lambda x: np.expand_dims(x, (0, -1)), x2),
    "expand_dims 0-d": (lambda x: np.expand_dims(x, 0), x0),
    "atleast_1d": (lambda x, y: np.atleast_1d(x, y), x0, x2),
    "atleast_2d": (lambda x, y: np.atleast_2d(x, y), x0, x1),
    "atleast_3d": (lambda x, y, z: np.atleast_3d(x, y, z), x0, x1, x2),
    "broadcast_to": (lambda x: np.broadcast_to(x, (2, 3, 4)), rand(3, 1)),
    "broadcast_to 0-d": (lambda x: np.broadcast_to(x, 3), x0),
    "broadcast_arrays": (lambda x, y: np.broadcast_arrays(x, y), x1, rand(3, 1)),
    "flip": (np.flip, x2),
    "flip axis": (lambda x: np.flip(x, (0, -1)), x3),
    "fliplr": (np.fliplr, x2),
    "flipud": (np.flipud, x2),
    "rot90": (lambda x: np.rot90(x, 1), x2),
    "rot90 3": (lambda x: np.rot90(x, -1, (1, 2)), x3),
    "rot90 2": (lambda x: np.rot90(x, 2), x2),
    "rot90 0": (lambda x: np.rot90(x, 4), x2),
    "roll": (lambda x: np.roll(x, 2), x2),
    "roll axes": (lambda x: np.roll(x, (1, -2), (0, 1)), x2),
    "roll array shift": (lambda x: np.roll(x, np.array([1, 2]), axis=(1, 1)), x2),
    "repeat": (lambda x: np.repeat(x, 3), x2),
    "repeat axis": (lambda x: np.repeat(x, 2, axis=-1), x2),
    "repeat each": (lambda x: np.repeat(x, [2, 0, 1], axis=0), x2),
    "repeat zero": (lambda x: np.repeat(x, 0, axis=0), x2),
    "repeat one in list": (lambda x: np.repeat(x, [2], axis=0), x2),
    "repeat 0-d": (lambda x: np.repeat(x, 2), x0),
    "repeat method": (lambda x: x.repeat(2, axis=1), x2),
    "tile": (lambda x: np.tile(x, (2, 1, 3)), x2),
    "tile short": (lambda x: np.tile(x, 2), x2),
    "tile 0-d": (lambda x: np.tile(x, (2, 2)), x0),
    "tile once": (lambda x: np.tile(x, 1), x1),
    "tile never": (lambda x: np.tile(x, 0), x1),
    "resize": (lambda x: np.resize(x, (3, 7)), x2),
    "resize smaller": (lambda x: np.resize(x, 5), x2),
    "delete": (lambda x: np.delete(x, 1, axis=1), x2),
    "delete slice": (lambda x: np.delete(x, slice(1, 3)), x2),
    "delete list": (lambda x: np.delete(x, [0, -1], axis=0), x2),
    "insert": (lambda x, v: np.insert(x, 1, v, axis=0), x2, x1),
    "insert axis 1": (lambda x, v: np.insert(x, [1, 3], v, axis=1), x2, rand(3, 2)),
    "insert flat": (lambda x, v: np.insert(x, [0, 2, 2], v), x1, x0),
    "append": (lambda x, v: np.append(x, v), x2, x0),
    "append axis": (lambda x, v: np.append(x, v, axis=-1), x2, rand(3, 1)),
    "trim_zeros": (lambda x: np.trim_zeros(np.concatenate([np.zeros(2), x, np.zeros(1)])), x1),
    "trim_zeros front": (lambda x: np.trim_zeros(x * [0, 1, 1, 0], "f"), x1),
    "trim_zeros all": (lambda x: np.trim_zeros(x * 0), x1),
    "diag": (np.diag, x1),
    "diag k": (lambda x: np.diag(x, -2), x1),
    "diag of matrix": (lambda x: np.diag(x, 1), x2),
    "diagflat": (lambda x: np.diagflat(x, 1), rand(2, 2)),
    "diagonal": (lambda x: np.diagonal(x), x2),
    "diagonal k": (lambda x: np.diagonal(x, -1), x2),
    "diagonal outside": (lambda x: np.diagonal(x, 7) * 1, x2),
    "diagonal transposed": (lambda x: np.diagonal(x.T, 1), x2),
    "diagonal swapped axes": (lambda x: np.diagonal(x, 1, 1, 0), x2),
    "diagonal tall": (lambda x: np.diagonal(x, -1), rand(4, 2)),
    "diagonal 3-d": (lambda x: np.diagonal(x, 1, 0, 2), x3),
    "diagonal method": (lambda x: x.diagonal(1), x2),
    "linalg.diagonal": (lambda x: np.linalg.diagonal(x, offset=1), x3),
    "trace": (lambda x: np.trace(x, 1), x2),
    "trace 3-d": (lambda x: np.trace(x, axis1=0, axis2=-1), x3),
    "linalg.trace": (np.linalg.trace, x3),
    "tril": (lambda x: np.tril(x, 1), x3),
    "triu": (lambda x: np.triu(x, -1), x2),
    "tril 1-d": (np.tril, x1),
    "vander": (lambda x: np.vander(x, 4), x1),
    "vander increasing": (lambda x: np.vander(x, increasing=True), x1),
    "vander 1": (lambda x: np.vander(x, 1) + x[:, None], x1),
    "pad": (lambda x: np.pad(x, ((1, 2), (0, 1))), x2),
    "pad traced constant": (lambda x, c: np.pad(x, 1, constant_values=c), x2, x0),
    "pad constant pairs": (
        lambda x: np.pad(x, (1, 2), constant_values=((1.0, 2.0), (3.0, 4.0))),
        x2,
    ),
    "pad traced pairs": (lambda x, c: np.pad(x, 1, constant_values=(c, 2 * c)), x2, x0),
    "pad edge": (lambda x: np.pad(x, 2, "edge"), x2),
    "pad reflect": (lambda x: np.pad(x, ((3, 1), (2, 5)), "reflect"), x2),
    "pad symmetric": (lambda x: np.pad(x, 2, "symmetric"), x2),
    "pad wrap": (lambda x: np.pad(x, (0, 5), mode="wrap"), x2),
    "pad maximum": (lambda x: np.pad(x, 1, "maximum"), x2),
    "pad minimum": (lambda x: np.pad(x, (2, 0), "minimum", stat_length=2), x2),
    "pad mean": (lambda x: np.pad(x, 1, "mean", stat_length=((2, 1), (1, 3))), x2),
    "pad median": (lambda x: np.pad(x, 1, "median"), x2),
    "pad linear_ramp": (lambda x, e: np.pad(x, (2, 3), "linear_ramp", end_values=e), x2, x0),
    "complex shapes": (lambda z: np.roll(np.pad(np.tile(z.T, (1, 2)), 1), 1), z2),
}

JOINS = {
    "concatenate": (lambda x, y: np.concatenate([x, y, x]), x2, rand(1, 4)),
    "concatenate axis": (lambda x, y: np.concatenate((x, y), axis=-1), x2, rand(3, 1)),
    "concatenate flat": (lambda x, y: np.concatenate((x, y), axis=None), x2, x0),
    "concatenate constant": (lambda x: np.concatenate([np.ones(2), x, [3, 4]]), x1),
    "concatenate lists": (lambda x: np.concatenate([x, [x[0], 1.0, x[1] * x[2]]]), x1),
    "concatenate dtype": (lambda x: np.concatenate([x, x], dtype=np.complex128), x1),
    "concatenate complex": (lambda x, z: np.concatenate([x, z], 1), x2, z2),
    "concatenate empty": (lambda x: np.concatenate([x, np.zeros(0)]), x1),
    "concatenate of array": (lambda x: np.concatenate(x, axis=1), x3),
    "stack": (lambda x, y: np.stack([x, y], axis=-1), x2, x2 + 1),
    "stack scalars": (lambda x, y: np.stack([x, y, 2.0]), x0, x0),
    "stack dtype": (lambda x: np.stack([x, x], 1, dtype=np.float64), x1),
    "vstack": (lambda x, y: np.vstack([x, y]), x1, x2),
    "hstack": (lambda x, y: np.hstack([x, y]), x0, x1),
    "hstack 2-d": (lambda x, y: np.hstack([x, y]), x2, rand(3, 2)),
    "dstack": (lambda x, y: np.dstack([x, y]), x2, x3[0]),
    "column_stack": (lambda x, y: np.column_stack([x, y]), rand(3), x2),
    "block": (lambda x, y: np.block([[x, np.zeros((3, 1))], [y, 1.0]]), x2, x1),
    "block flat": (lambda x, y: np.block([x, y, 1]), x1, x0),
    "block single": (lambda x: np.block(x), x2),
    "array of scalars": (lambda x, y: np.stack([x, y * 2, x * y]), x0, x0 + 1),
    "array_split": (lambda x: np.array_split(x, 3), x1),
    "array_split axis": (lambda x: np.array_split(x, [1, 3], axis=-1), x2),
    "split": (lambda x: np.split(x, 2, axis=1), x2),
    "hsplit": (lambda x: np.hsplit(x, 2), x2),
    "hsplit 1-d": (lambda x: np.hsplit(x, [1]), x1),
    "vsplit": (lambda x: np.vsplit(x, [1, 1, 2]), x2),
    "dsplit": (lambda x: np.dsplit(x, 2), x3),
    "unstack": (lambda x: UNSTACK(x), x2),
    "unstack axis": (lambda x: UNSTACK(x, axis=-1), x2),
    "meshgrid": (lambda x, y: np.meshgrid(x, y), x1, rand(3)),
    "meshgrid ij": (lambda x, y, z: np.meshgrid(x, y, z, indexing="ij"), x1, rand(3), x0),
    "meshgrid sparse": (lambda x, y: np.meshgrid(x, y, sparse=True), x1, rand(3)),
    "copy": (np.copy, x2),
    "astype complex": (lambda x: x.astype(complex), x2),
    "astype same": (lambda x: np.astype(x, float), x2),
}

INDEXING = {
    "take": (lambda x: np.take(x, [3, 1, 1, -1]), x2),
    "take axis": (lambda x: np.take(x, [[0, 2], [2, 2]], axis=-1), x2),
    "take scalar": (lambda x: np.take(x, 1, axis=0), x2),
    "take scalar flat": (lambda x: np.take(x, 1), x2),
    "take wrap": (lambda x: np.take(x, [5, -7], mode="wrap"), x1),
    "take clip": (lambda x: x.take([5, -7], mode="clip"), x1),
    "take empty": (lambda x: np.take(x, np.zeros(0, int), axis=1), x2),
    "take_along_axis": (lambda x: np.take_along_axis(x, np.array([[0, 0], [1, 3], [2, 2]]), 1), x2),
    "take_along_axis broadcast": (lambda x: np.take_along_axis(x, np.array([[0, 2, 1, 1]]), 0), x2),
    "take_along_axis flat": (lambda x: np.take_along_axis(x, np.array([7, 7, 1]), None), x2),
    "compress": (lambda x: np.compress([True, False, True], x, axis=0), x2),
    "compress flat": (lambda x: x.compress([True, False, True]), x2),
    "extract": (lambda x: np.extract(x > 0, x), x2),
    "apply_along_axis": (lambda x: np.apply_along_axis(lambda v: v * v.sum(), 1, x), x3),
    "apply_along_axis scalar": (lambda x: np.apply_along_axis(np.sum, 0, x), x2),
    "apply_along_axis matrix": (lambda x: np.apply_along_axis(np.diag, -1, x), x2),
    "apply_over_axes": (lambda x: np.apply_over_axes(np.sum, x, [0, -1]), x3),
}

CREATION = {
    "full_like": (lambda x, c: np.full_like(x, c) * x, x2, x0),
    "full_like row": (lambda x, c: np.full_like(x, c), x2, x1),
    "full like=": (lambda x: np.ones((2, 3), like=x) * x, rand(3)),
    "linspace": (lambda a, b: np.linspace(a, b, 7), 0.3, 2.1),
    "linspace open": (lambda a, b: np.linspace(a, b, 5, endpoint=False), 0.3, 2.1),
    "linspace step": (lambda a, b: np.linspace(a, b, 5, retstep=True), 0.3, 2.1),
    "linspace one": (lambda a: np.linspace(a, 1.0, 1), 0.3),
    "linspace none": (lambda a: np.linspace(a, 1.0, 0), 0.3),
    "linspace arrays": (lambda a, b: np.linspace(a, b, 3, axis=-1), x1, x0),
    "linspace axis": (lambda a, b: np.linspace(a, b, 4, axis=1), x2, x1),
    "linspace no step": (lambda a: np.linspace(a, a, 4), 0.3),
    "logspace": (lambda a, b: np.logspace(a, b, 5), 0.3, 1.1),
    "logspace base": (lambda a, c: np.logspace(a, 1.0, 5, base=c), 0.3, 3.0),
    "geomspace": (lambda a, b: np.geomspace(a, b, 5), 0.3, 9.0),
    "geomspace negative": (lambda a, b: np.geomspace(-a, -b, 4, endpoint=False), 0.3, 9.0),
    "geomspace arrays": (lambda a, b: np.geomspace(a, b, 3, axis=1), np.abs(x1), x0),
}


def cases(table):
    return [pytest.param(*v[:1], v[1:], id=k) for k, v in table.items()]


@pytest.mark.parametrize("f, operands", cases(SHAPES | JOINS | INDEXING))
def test_values_and_derivatives(f, operands):
    check(f, *operands)


@pytest.mark.parametrize("f, operands", cases(CREATION))
def test_creation(f, operands):
    check(f, *operands, exact=False)


@pytest.mark.parametrize("f, operands", cases(SHAPES | JOINS | INDEXING | CREATION))
def test_float32_stays(f, operands):
    operands = [np.asarray(x).astype("F" if np.iscomplexobj(x) else "f")[()] for x in operands]
    expected = parts_of(f(*operands))
    value, pullback = cr.vjp(f, *operands)
    for v, e in zip(parts_of(value), expected, strict=True):
        assert v.dtype == e.dtype
        np.testing.assert_allclose(v, e, rtol=3e-6, atol=1e-6)
    assert [b.dtype for b in pullback(f(*operands))] == [x.dtype for x in operands]


# ---------------------------------------------------------------- conventions, views and writes


def test_casts_to_integers_are_plain_and_constant():
    def f(x):
        n = x.astype(int)
        assert type(n) is np.ndarray
        return np.sum(x * n)

    np.testing.assert_array_equal(cr.grad(f)(np.array([1.5, 2.5])), [1, 2])


def test_cast_to_float32_and_back():
    x = rand(3)
    value, pullback = cr.vjp(lambda x: np.astype(x, np.float32), x)
    assert value.dtype == np.float32
    assert pullback(np.ones(3, np.float32))[0].dtype == np.float64


@pytest.mark.parametrize(
    "make",
    [
        lambda a, x: [a, 2.0, a * a],
        lambda a, x: [[a, 1], [x[0], x[1] * a]],
        lambda a, x: [x, x * a, np.ones(4)],
        lambda a, x: ([1, 2.5, a, 3], x),
        lambda a, x: [[x, x], [x * 2, [a, 0, a, 1]]],
        lambda a, x: [np.stack([x]), [x]],
        lambda a, x: a,
        lambda a, x: x,
        lambda a, x: [x[:0], x[:0]],
    ],
)
@pytest.mark.parametrize("keywords", [{}, {"ndmin": 3}, {"dtype": complex}])
def test_array_of_nested_lists(make, keywords):
    check(lambda a, x: np.array(make(a, x), **keywords) * 1.0, x0, x1)


def test_array_of_many_scalars_is_one_equation():
    from chainrule.core.trace import Recording

    with Recording() as trace:
        xs = [trace.input(np.float64(i)) for i in range(1000)]
        y = FUNCTIONS[np.array]([xs, xs])
    assert y.shape == (2, 1000)
    assert len(trace.program) == 1


def test_array_second_order():
    def f(x):
        y = np.array([[x[0] * x[1], 1.0], [x[1] ** 3, x[0]]])
        return np.sum(y**2)

    def plain_f(x):
        return (x[0] * x[1]) ** 2 + x[1] ** 6 + x[0] ** 2

    x = np.array([0.7, -1.2])
    for a, b in zip(cr.jvp(cr.grad(f), (x,), (x,)), cr.jvp(cr.grad(plain_f), (x,), (x,))):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_array_of_ragged_lists_raises_as_numpy():
    with pytest.raises(ValueError, match="inhomogeneous"):
        cr.grad(lambda x: np.sum(np.array([x, [x[0]]])))(x1)


def test_array_of_integers_is_plain():
    def f(x):
        assert type(np.array([x[0], 2.7], dtype=int)) is np.ndarray
        return x[0]

    np.testing.assert_array_equal(cr.grad(f)(x1), [1, 0, 0, 0])


def test_array_copies_and_asarray_does_not():
    def f(x):
        y = np.asarray(x)
        assert y is x
        z = np.array(x)
        z[0] = 0.0
        return np.sum(x * z)

    np.testing.assert_array_equal(cr.grad(f)(np.array([3.0, 4.0])), [0, 8])


def test_object_array_is_refused():
    with pytest.raises(NonDifferentiableError, match="object array"):
        cr.grad(lambda x: np.array([x[0], None])[0])(x1)


VIEWS = {
    "transpose": lambda y: np.transpose(y),
    "T": lambda y: y.T,
    "swapaxes": lambda y: np.swapaxes(y, 0, 1),
    "moveaxis": lambda y: np.moveaxis(y, 0, -1),
    "reshape": lambda y: np.reshape(y, (2, 6)),
    "ravel": np.ravel,
    "squeeze": lambda y: np.squeeze(y[None]),
    "expand_dims": lambda y: np.expand_dims(y, 0)[0],
    "atleast_3d": np.atleast_3d,
    "flip": np.flip,
    "rot90": np.rot90,
    "rot90 3": lambda y: np.rot90(y, 3),
    "rot90 4": lambda y: np.rot90(y, 4),
    "split": lambda y: np.split(y, [1], axis=1)[1],
    "hsplit": lambda y: np.hsplit(y, 2)[0],
    "atleast_1d": np.atleast_1d,
    "trim_zeros": lambda y: np.trim_zeros(y[0]),
    "einsum": lambda y: np.einsum("ij->ji", y),
    "einsum diagonal": lambda y: np.einsum("ii->i", y[:, :3]),
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_writing_to_a_view_reaches_the_base(view):
    def f(x):
        y = x * 2
        v = view(y)
        v[0] = v[0] * v[0]
        return y * y

    check(f, x2 + 3)


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_a_view_sees_what_is_written_to_the_base(view):
    def f(x):
        y = x * 2
        v = view(y)
        y[...] = y * y
        y[0, 1] = 5.0
        return v * v

    check(f, x2 + 3)


COPIES = {
    "ravel of transposed": lambda y: np.ravel(y.T),
    "reshape of transposed": lambda y: np.reshape(y.T, -1),
    "concatenate": lambda y: np.concatenate([y]),
    "roll": lambda y: np.roll(y, 1),
    "repeat": lambda y: np.repeat(y, 1, axis=0),
    "tile": lambda y: np.tile(y, 1),
    "take": lambda y: np.take(y, 1, axis=0),
    "copy": np.copy,
    "astype": lambda y: y.astype(float),
    "pad": lambda y: np.pad(y, 0),
    "flatten": lambda y: y.flatten(),
}


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES.keys())
def test_a_copy_is_its_own(copy):
    def f(x):
        y = x * 2
        c = copy(y)
        c[0] = 7.0
        y[1] = y[1] * y[0]
        return np.concatenate([np.ravel(y), np.ravel(c) ** 2])

    check(f, x2)


def write_all(x, v):
    y = np.zeros_like(x)
    np.copyto(y, x)
    np.copyto(y, v[:1], where=x > 0)
    np.put(y, [0, -1, 5], v)
    np.put(y, [30, 2], x[0] * x[1], mode="wrap")
    np.place(y, np.arange(12).reshape(3, 4) % 5 == 1, v[:2] * 2)
    np.putmask(y, np.arange(12).reshape(3, 4) % 4 == 1, v * v)
    np.put_along_axis(y, np.array([[1], [0], [3]]), v[1] * x[:, :1], 1)
    np.fill_diagonal(y, v[2] * 3)
    return y * y


def test_functions_that_write():
    check(write_all, x2, x1)


@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize("shape", [(5, 2), (2, 5), (3, 3, 3)])
def test_fill_diagonal(shape, wrap):
    def f(x, v):
        y = np.copy(x)
        np.fill_diagonal(y, v, wrap)
        return y * y

    check(f, rand(*shape), x1)


def test_writing_traced_values_into_a_plain_array_is_refused():
    target = np.zeros(4)
    for write in (
        lambda x: np.copyto(target, x),
        lambda x: np.put(target, [0, 1], x),
        lambda x: np.putmask(target, target == 0, x),
    ):
        with pytest.raises(NonDifferentiableError):
            cr.grad(lambda x, write=write: write(x) or x[0], lift=False)(x1)
    np.testing.assert_array_equal(target, 0)


@pytest.mark.parametrize(
    "make",
    [
        np.zeros_like,
        np.ones_like,
        np.empty_like,
        lambda x: np.full_like(x, 2),
        lambda x: np.zeros(4, like=x),
    ],
)
def test_arrays_made_like_traced_ones_can_be_written(make):
    def f(x):
        y = make(x)
        y[:2] = x[2:] ** 2
        y[2:] = 1.0
        return np.sum(y * y)

    x = np.arange(4.0)
    np.testing.assert_allclose(cr.grad(f)(x), [0, 0, 32, 108])


def test_like_functions_keep_dtype_and_shape():
    def f(x):
        for make in (np.zeros_like, np.ones_like, np.empty_like):
            assert make(x, dtype=np.float32).dtype == np.float32
            assert make(x, shape=(2, 5)).shape == (2, 5)
            assert type(make(x, dtype=int)[0]) is np.int64
        assert np.full_like(x, x[0], shape=(2,)).shape == (2,)
        return x[0]

    cr.grad(f)(x1)


def test_arange_with_traced_ends():
    def f(a, b):
        return np.arange(a, 5.0, b)

    a, b = 0.3, 0.7
    y, pullback = cr.vjp(f, a, b)
    np.testing.assert_allclose(y, np.arange(a, 5.0, b), rtol=1e-15)
    np.testing.assert_allclose(pullback(np.ones(7)), (7, 21))


def test_full_with_traced_fill():
    y, pullback = cr.vjp(lambda c: np.full((2, 3), c), 1.5)
    np.testing.assert_array_equal(y, np.full((2, 3), 1.5))
    assert pullback(np.ones((2, 3))) == (6,)


def test_vectorize_of_traced_elements():
    vectorized = FUNCTIONS[np.vectorize](lambda a, b: a * b if a > b else a + b)
    y, pullback = cr.vjp(lambda a, b: vectorized(a, b), np.array([1.0, 3.0]), 2.0)
    np.testing.assert_array_equal(y, [3, 6])
    a_bar, b_bar = pullback(np.array([1.0, 10.0]))
    np.testing.assert_array_equal(a_bar, [1, 20])
    assert b_bar == 31


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.transpose(x, (0, 0)),
        lambda x: np.transpose(x, (0, 5)),
        lambda x: np.reshape(x, (5, 5)),
        lambda x: np.swapaxes(x, 0, 4),
        lambda x: np.moveaxis(x, 0, 7),
        lambda x: np.moveaxis(x, [0, 1], [0]),
        lambda x: np.squeeze(x, 0),
        lambda x: np.expand_dims(x, 9),
        lambda x: np.broadcast_to(x, (2, 2)),
        lambda x: np.concatenate([x, x[0]]),
        lambda x: np.concatenate([x, x[:2]], axis=1),
        lambda x: np.concatenate([x], axis=3),
        lambda x: np.stack([x, x[0]]),
        lambda x: np.stack([x, x], axis=8),
        lambda x: np.split(x, 2),
        lambda x: np.dsplit(x, 2),
        lambda x: np.hsplit(x[0, 0], 2),
        lambda x: np.block([[x], x]),
        lambda x: np.roll(x, 1, axis=2),
        lambda x: np.repeat(x, [1, 2], axis=0),
        lambda x: np.repeat(x, -1),
        lambda x: np.delete(x, 9, axis=0),
        lambda x: np.insert(x, 9, 1.0, axis=0),
        lambda x: np.pad(x, ((1, 2, 3),)),
        lambda x: np.pad(x, -1),
        lambda x: np.diagonal(x, axis1=0, axis2=0),
        lambda x: np.diagonal(x[0]),
        lambda x: np.diag(x[None]),
        lambda x: np.vander(x),
        lambda x: np.rot90(x, 1, (0, 0)),
        lambda x: np.fliplr(x[0]),
        lambda x: np.flip(x, 2),
        lambda x: np.take(x, 99),
        lambda x: np.take(x, np.array([0.5])),
        lambda x: np.take_along_axis(x, np.array([0]), 0),
        lambda x: np.compress([[True]], x),
        lambda x: np.meshgrid(x[0], indexing="zz"),
        lambda x: np.linalg.outer(x, x),
        lambda x: np.copyto(np.zeros_like(x, dtype=np.float32), x, casting="no"),
    ],
)
def test_errors_are_numpys(call):
    with pytest.raises(Exception) as expected:
        call(x2)
    with pytest.raises(type(expected.value)) as ours:
        cr.vjp(call, x2, lift=False)
    assert str(ours.value) == str(expected.value)


def _frame_of_means(line, width, axis, kwargs):
    before, after = width
    mean = line[before : line.size - after].mean()
    line[:before] = mean * kwargs.get("factor", 1.0)
    if after:
        line[-after:] = mean * (axis + 2)


def test_padding_by_a_function():
    assert_as_numpy(lambda x: np.pad(x, 1, _frame_of_means), x1)
    assert_as_numpy(lambda x: np.pad(x, ((1, 2), (0, 3)), _frame_of_means, factor=3.0), x2)


@pytest.mark.parametrize("mode", ["reflect", "symmetric"])
def test_odd_padding(mode):
    assert_as_numpy(lambda x: np.pad(x, 2, mode, reflect_type="odd"), x2)
    assert_as_numpy(lambda x: np.pad(x, (0, 1), mode, reflect_type="odd"), x1)
    # several periods are a sum of several terms, in another order than NumPy's: small integers
    assert_as_numpy(lambda x: np.pad(x, (7, 9), mode, reflect_type="odd"), np.arange(3.0) ** 2)
    assert_as_numpy(lambda x: np.pad(x[:1], 2, mode, reflect_type="odd"), x1)


def test_indices_are_copied():
    where = np.array([0, 2])
    _, pullback = cr.vjp(lambda x: np.take(x, where) * np.take_along_axis(x, where, 0), x1)
    where[:] = 1
    np.testing.assert_allclose(pullback(np.ones(2))[0], 2 * x1 * [1, 0, 1, 0])


def test_nan_outside_a_triangle_stays_outside():
    x = np.array([[1.0, np.nan], [2.0, 3.0]])
    np.testing.assert_array_equal(cr.grad(lambda x: np.sum(np.tril(x) ** 2))(x), [[2, 0], [4, 6]])


@pytest.mark.parametrize("dtype", [None, int, complex])
def test_array_without_traced_values(dtype):
    def f(x):
        for nested in ([], [[], []], [1, 2], [[1.5], [2]], 3, np.ones(2, np.float32), range(3)):
            y, expected = np.array(nested, dtype=dtype), make(nested, dtype=dtype)
            assert y.dtype == expected.dtype
            assert (y == expected).all()
        y = np.array([0.0, 0.0])
        y[1] = x[0] ** 2
        return y[1]

    make = np.array
    np.testing.assert_allclose(cr.grad(f)(x1), 2 * x1 * [1, 0, 0, 0])


def test_writing_through_real_and_imag_reaches_the_complex_array():
    def f(z, x):
        y = z * 2
        y.real[0] = x[0]
        y.imag[1:] = x[1:] * y.real[:-1]
        y.imag += 1.0
        r = np.real(y)
        r *= r
        return y * y

    check(f, z2[0], x1, exact=False)


def test_a_view_by_real_sees_what_is_written_later():
    def f(z):
        y = z * 2
        r, i = y.real, y.imag
        y[0] = 3 * y[1]
        y[1] = 1 + 2j
        return r * i

    check(f, z2[0])


def test_a_diagonal_sees_what_is_written_later():
    def f(x):
        y = x * 2
        d = np.diagonal(y, 1)
        y[0] = y[1] * y[2]
        return d * d

    check(f, x2)


def test_scatter_of_a_chain_of_views_second_order():
    def f(z):
        y = z * z
        return y.T.imag[1:, ::2] * y.real.T[1:, ::2]

    check(f, z2)


def test_sign_of_complex_numbers():
    check(np.sign, z2, exact=False)
    check(lambda z: z * np.sign(z), z2, exact=False)


def test_writing_to_a_view_leaves_the_tangent_of_a_copy_alone():
    """The copy a transposed reshape makes has a tangent of its own, also where it is a view."""

    def f(x):
        y = x.reshape((-1, 1), order="F")
        v = y.reshape(-1)
        v[4:6] = v[4:6] + 2
        y[...] = np.sin(y)
        return x * y.reshape(x.shape)

    check(f, x2)
