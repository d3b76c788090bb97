"""Products that sum: values are NumPy's, derivatives are right for all shapes, complex too."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.base.errors import NoRuleError
from tests.test_rules_shapes import check


def rand(*shape, seed=3, is_complex=False):
    rng = np.random.default_rng(seed + sum(shape))
    x = rng.normal(size=shape)
    return (x + 1j * rng.normal(size=shape) if is_complex else x)[()]


MATMUL_SHAPES = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 4)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 4)),
    ((6, 5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((5, 2, 3), (1, 3, 4)),
    ((6, 1, 2, 3), (5, 3, 4)),
    ((2, 0), (0, 3)),
    ((0, 2), (2, 3)),
    ((3,), (6, 5, 3, 4)),
    ((6, 5, 4, 3), (3,)),
    ((1, 1), (1, 1)),
]
DOT_SHAPES = [
    ((), ()),
    ((), (3,)),
    ((2, 3), ()),
    ((3,), (3,)),
    ((2, 3), (3, 4)),
    ((2, 3), (3,)),
    ((3,), (3, 4)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (6, 3, 4)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 4)),
]
KINDS = [(False, False), (True, False), (False, True), (True, True)]


@pytest.mark.parametrize("kinds", KINDS, ids=str)
@pytest.mark.parametrize("shapes", MATMUL_SHAPES, ids=str)
def test_matmul(shapes, kinds):
    a, b = (rand(*s, is_complex=k) for s, k in zip(shapes, kinds))
    check(np.matmul, a, b, exact=False, second=kinds != (True, False))
    check(lambda a: a @ b, a, exact=False, second=False)
    check(lambda b: a @ b, b, exact=False, second=False)


@pytest.mark.parametrize("kinds", KINDS[::3], ids=str)
@pytest.mark.parametrize("shapes", DOT_SHAPES, ids=str)
def test_dot(shapes, kinds):
    a, b = (rand(*s, is_complex=k) for s, k in zip(shapes, kinds))
    check(np.dot, a, b, exact=False)
    check(lambda a: np.dot(a, b), a, exact=False, second=False)


INNER_SHAPES = [((), (3,)), ((3,), (3,)), ((2, 3), (3,)), ((2, 3), (4, 3)), ((5, 2, 3), (4, 3))]


@pytest.mark.parametrize("kinds", KINDS[::3], ids=str)
@pytest.mark.parametrize("shapes", INNER_SHAPES, ids=str)
def test_inner(shapes, kinds):
    check(np.inner, *(rand(*s, is_complex=k) for s, k in zip(shapes, kinds)), exact=False)


TENSORDOT = [
    ((3, 4, 5), (4, 5, 2), 2),
    ((3, 4), (5, 6), 0),
    ((3, 4, 5), (5, 3, 2), ((0, 2), (1, 0))),
    ((3, 4, 5), (5, 3, 2), ([2, 0], [0, 1])),
    ((3, 4, 5), (2, 4), (1, -1)),
    ((4, 3, 5, 2), (5, 2, 4), ((-2, 0), (0, 2))),
    ((3, 4), (3, 4), 2),
    ((3,), (3,), 1),
    ((2, 3, 4), (4, 2, 3), ((0, 1, 2), (1, 2, 0))),
]


@pytest.mark.parametrize("is_complex", [False, True])
@pytest.mark.parametrize("a, b, axes", TENSORDOT, ids=str)
def test_tensordot(a, b, axes, is_complex):
    a, b = rand(*a, is_complex=is_complex), rand(*b, is_complex=is_complex)
    check(lambda a, b: np.tensordot(a, b, axes), a, b, exact=False)


EINSUM = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)),
    ("ba,cb", (2, 3), (4, 2)),
    ("i,i->", (3,), (3,)),
    ("i,j->ij", (3,), (2,)),
    ("ij->ji", (2, 3)),
    ("ij->j", (2, 3)),
    ("ij->", (2, 3)),
    ("ii", (3, 3)),
    ("ii->i", (3, 3)),
    ("iij->ji", (3, 3, 2)),
    ("iii->i", (2, 2, 2)),
    ("iij,ij->j", (3, 3, 2), (3, 2)),
    ("ijj,i", (2, 3, 3), (2,)),
    ("...ij,...jk->...ik", (5, 2, 3), (3, 4)),
    ("...ij,...jk", (5, 2, 3), (1, 3, 4)),
    ("i...,i...->...", (3, 2), (3,)),
    ("...,...", (2, 3), (3,)),
    ("...ii->...i", (2, 3, 3)),
    ("ij,kl->il", (2, 3), (4, 5)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
    ("ij,jk,ki->", (2, 3), (3, 4), (4, 2)),
    ("a,b,c,d->abcd", (2,), (2,), (3,), (2,)),
    (",ij->ij", (), (2, 3)),
    (",", (), ()),
    ("ij,ij->ij", (1, 3), (2, 3)),
    ("ij,jk->ik", (2, 1), (3, 4)),
    ("i j , j k -> i k", (2, 3), (3, 4)),
    ("ij,j->i", (2, 0), (0,)),
    ("bhqd,bhkd->bhqk", (2, 2, 3, 2), (2, 2, 4, 2)),
]


@pytest.mark.parametrize("is_complex", [False, True])
@pytest.mark.parametrize("text, shapes", [(t, s) for t, *s in EINSUM], ids=str)
def test_einsum(text, shapes, is_complex):
    operands = [rand(*s, is_complex=is_complex) for s in shapes]
    check(lambda *xs: np.einsum(text, *xs), *operands, exact=False)


@pytest.mark.parametrize(
    "optimize", [True, "greedy", "optimal", ["einsum_path", (0, 1), (0, 1)]], ids=str
)
def test_einsum_optimize(optimize):
    operands = rand(2, 3), rand(3, 4), rand(4, 2)
    check(lambda *xs: np.einsum("ij,jk,kl->il", *xs, optimize=optimize), *operands, exact=False)


def test_einsum_sublists():
    a, b = rand(2, 3), rand(3, 4)
    check(lambda a, b: np.einsum(a, [0, 1], b, [1, 2], [2, 0]), a, b, exact=False)
    check(lambda a, b: np.einsum(a, [1, 0], b, [0, 2]), a, b, exact=False)
    check(lambda a, b: np.einsum(a, [Ellipsis, 1], b, [1, 2], [Ellipsis, 2]), a, b, exact=False)


def test_einsum_with_dtype_and_constant_operand():
    a = rand(2, 3)
    check(lambda a: np.einsum("ij,jk", a, np.ones((3, 2))), a, exact=False)
    check(lambda a: np.einsum("ij,j", a, np.arange(3)), a, exact=False)
    check(lambda a: np.einsum("ij->i", a, dtype=complex), a, exact=False)


@pytest.mark.parametrize(
    "text",
    ["iij->j", "ij,jk->ik", "ij->ijk", "ijk->i", "ij->ii", "ij->k", "i$->i", "...->", "ij,->ij"],
)
def test_einsum_errors_are_numpys(text):
    x = rand(2, 3)
    with pytest.raises(Exception) as expected:
        np.einsum(text, x)
        raise NoRuleError("numpy accepts this")
    with pytest.raises(type(expected.value)):
        cr.vjp(lambda x: np.einsum(text, x), x)


OTHERS = {
    "vecdot": (np.vecdot, rand(2, 3), rand(2, 3, seed=5)),
    "vecdot broadcast": (np.vecdot, rand(5, 1, 3), rand(2, 3)),
    "vecdot complex": (np.vecdot, rand(2, 3, is_complex=True), rand(3, is_complex=True)),
    "vecdot axis": (lambda a, b: np.vecdot(a, b, axis=0), rand(3, 2), rand(3, 2, seed=5)),
    "vecdot keepdims": (lambda a, b: np.vecdot(a, b, keepdims=True), rand(2, 3), rand(3)),
    "linalg.vecdot": (lambda a, b: np.linalg.vecdot(a, b, axis=0), rand(3, 2), rand(3, 2, seed=5)),
    "matmul axes": (
        lambda a, b: np.matmul(a, b, axes=[(0, 1), (0, 1), (1, 0)]),
        rand(2, 3, 4),
        rand(3, 5, 4),
    ),
    "linalg.matmul": (np.linalg.matmul, rand(2, 3), rand(3, 4)),
    "rmatmul": (lambda a: np.arange(6.0).reshape(2, 3) @ a, rand(3, 2)),
    "imatmul": (lambda a: _imatmul(a), rand(3, 3)),
    "list @": (lambda a: [[1.0, 2.0, 3.0]] @ a, rand(3, 2)),
    "@ list": (lambda a: a @ [[1, 2], [3, 4], [5, 6]], rand(2, 3)),
    "int @": (lambda a: np.arange(6).reshape(2, 3) @ a, rand(3, 2)),
    "@ itself": (lambda a: a @ a.T @ a, rand(2, 3)),
    "outer": (np.outer, rand(2, 3), rand(4)),
    "outer complex": (np.outer, rand(3, is_complex=True), rand(2)),
    "linalg.outer": (np.linalg.outer, rand(3), rand(2)),
    "multiply.outer": (np.multiply.outer, rand(2, 3), rand(2)),
    "vdot": (np.vdot, rand(2, 3), rand(3, 2)),
    "vdot complex": (np.vdot, rand(3, is_complex=True), rand(3, seed=8, is_complex=True)),
    "kron": (np.kron, rand(2, 3), rand(3, 2)),
    "kron ndim": (np.kron, rand(2), rand(3, 2, 2)),
    "kron 0-d": (np.kron, rand(), rand(2, 2)),
    "cross": (np.cross, rand(4, 3), rand(3)),
    "cross axis": (lambda a, b: np.cross(a, b, axis=0), rand(3, 2), rand(3, 2, seed=6)),
    "cross axes": (lambda a, b: np.cross(a, b, 0, 1, 0), rand(3, 2), rand(2, 3)),
    "linalg.cross": (np.linalg.cross, rand(3), rand(3, seed=6)),
    "multi_dot 2": (lambda *xs: np.linalg.multi_dot(xs), rand(2, 3), rand(3, 4)),
    "multi_dot 3": (lambda *xs: np.linalg.multi_dot(xs), rand(2, 3), rand(3, 4), rand(4)),
    "multi_dot 4": (
        lambda *xs: np.linalg.multi_dot(xs),
        rand(2),
        rand(2, 3),
        rand(3, 4),
        rand(4, 2),
    ),
    "multi_dot scalar": (lambda *xs: np.linalg.multi_dot(xs), rand(2), rand(2, 3), rand(3)),
    "polyval": (np.polyval, rand(4), rand(3, 2)),
    "polyval scalar": (np.polyval, rand(4), rand()),
    "polyval list": (lambda x: np.polyval([1, 2.0, 3], x), rand(3)),
    "real": (np.real, rand(3, is_complex=True)),
    "imag": (np.imag, rand(3, is_complex=True)),
    "real of real": (lambda x: np.real(x) * np.imag(x) + x, rand(3)),
    "real attribute": (lambda z: z.real * z.imag, rand(3, is_complex=True)),
    "conj": (lambda z: np.conj(z) * z, rand(3, is_complex=True)),
    "conj method": (lambda z: z.conj() * z.real, rand(3, is_complex=True)),
    "conjugate real": (np.conjugate, rand(3)),
    "angle": (np.angle, rand(3, is_complex=True)),
    "angle degrees": (lambda z: np.angle(z, deg=True), rand(3, is_complex=True)),
    "angle of real": (lambda x: np.angle(x) + x, rand(3)),
    "abs": (np.abs, rand(3, is_complex=True)),
    "abs scalar": (abs, np.complex128(0.3 - 2j)),
    "complex from parts": (lambda x, y: (x + 1j * y) ** 2, rand(3), rand(3, seed=9)),
}
if hasattr(np, "matvec"):
    OTHERS |= {
        "matvec": (np.matvec, rand(5, 2, 3), rand(3)),
        "matvec complex": (np.matvec, rand(2, 3, is_complex=True), rand(4, 3, is_complex=True)),
        "vecmat": (np.vecmat, rand(5, 2), rand(2, 3)),
        "vecmat complex": (np.vecmat, rand(2, is_complex=True), rand(2, 3, is_complex=True)),
    }


def _imatmul(a):
    y = a * 1
    y @= a
    return y


@pytest.mark.parametrize(
    "f, operands", [pytest.param(v[0], v[1:], id=k) for k, v in OTHERS.items()]
)
def test_others(f, operands):
    check(f, *operands, exact=False, second=True)


@pytest.mark.parametrize("is_complex", [False, True])
@pytest.mark.parametrize("function", [np.convolve, np.correlate])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize(
    "sizes",
    [(5, 3), (3, 5), (5, 2), (2, 5), (4, 4), (6, 4), (4, 6), (1, 4), (4, 1), (7, 4), (4, 7)],
)
def test_convolution(function, mode, sizes, is_complex):
    a, v = (rand(n, is_complex=is_complex) for n in sizes)
    check(lambda a, v: function(a, v, mode), a, v, exact=False, second=sizes in ((5, 3), (4, 6)))
    check(lambda v: function(a, v, mode), v, exact=False, second=False)


PLANE_CROSS = np.lib.NumpyVersion(np.__version__) < "2.5.0.dev0"


@pytest.mark.skipif(not PLANE_CROSS, reason="NumPy 2.5 refuses vectors in the plane")
def test_cross_of_plane_vectors():
    a, b = rand(2), rand(3)
    with pytest.warns(DeprecationWarning):
        expected = np.cross(a, b)
    with pytest.warns(DeprecationWarning):
        value, _ = cr.vjp(lambda a: np.cross(a, b), a)
    np.testing.assert_allclose(value, expected)


@pytest.mark.skipif(PLANE_CROSS, reason="deprecated before NumPy 2.5")
def test_cross_of_plane_vectors_is_numpys_error():
    with pytest.raises(ValueError, match="3-dimensional"):
        cr.vjp(lambda a: np.cross(a, rand(3)), rand(2))


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x @ x,
        lambda x: np.dot(x, x),
        lambda x: np.inner(x, x.T),
        lambda x: np.tensordot(x, x, 1),
        lambda x: np.tensordot(x, x.T, (0, 5)),
        lambda x: np.matmul(x, 2.0),
        lambda x: np.linalg.cross(x, x[0]),
        lambda x: np.linalg.multi_dot([x]),
        lambda x: np.convolve(x, x),
        lambda x: np.convolve(x[0], x[0, :0]),
        lambda x: np.vdot(x, x[0]),
    ],
)
def test_errors_are_numpys(call):
    x = rand(3, 4)
    with pytest.raises(Exception) as expected:
        call(x)
    with pytest.raises(type(expected.value)):
        cr.vjp(call, x, lift=False)


def test_matmul_pullback_is_two_matmuls():
    """No reshapes, copies or conjugates for two real matrices."""
    from chainrule.core.trace import Recording

    x, w, g = rand(2, 3), rand(3, 4), rand(2, 4)
    with Recording() as trace:
        y = trace.input(x) @ trace.input(w)
        assert y.shape == (2, 4)
    plan, residuals = trace.program.plans[0], trace.program.residuals[0]
    with Recording() as backward:
        plan.pullback(backward.input(g), None, residuals, {})
    assert [p.primitive.name for p in backward.program.plans] == ["matmul", "matmul"]


@pytest.mark.parametrize("point", [0j, 1 + 2j, -3 + 0j])
def test_gradient_of_abs_squared_is_twice_the_point(point):
    assert cr.grad(lambda z: np.abs(z) ** 2)(point) == pytest.approx(2 * point)
    assert cr.grad(lambda z: np.real(z * np.conj(z)))(point) == pytest.approx(2 * point)


def test_abs_of_complex_zero_has_slope_zero():
    assert cr.grad(lambda z: np.abs(z))(0j) == 0
    assert cr.jvp(np.abs, (0j,), (1 + 1j,))[1] == 0
