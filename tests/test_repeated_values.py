"""Repeated eigenvalues and singular values: what has a derivative is right, the rest is refused.

The truth is in closed form: functions of the matrix are polynomials in it, f(A) = A^3 - 2 A.
"""

import warnings

import mpmath as mp
import numpy as np
import pytest
import scipy.linalg

import chainrule as cr
from chainrule.base.errors import NoRuleError
from tests.helpers import inner, numeric_gradient

L = np.linalg
RNG = np.random.default_rng(3)


def adjoint(a):
    return np.conj(a.T)


def hermitian(a):
    return (a + adjoint(a)) / 2


def unitary(n, is_complex):
    return L.qr(direction(is_complex, (n, n)))[0]


def values(w, is_complex):
    q = unitary(4, is_complex)
    return hermitian((q * np.array(w)) @ adjoint(q))


def direction(is_complex, shape=(4, 4)):
    t = RNG.normal(size=shape)
    return t + 1j * RNG.normal(size=shape) if is_complex else t


POINTS = {
    f"{name}, {'complex' if is_complex else 'real'}": (a, direction(is_complex))
    for is_complex in (False, True)
    for name, a in {
        "identity": np.eye(4, dtype=complex if is_complex else float),
        "two pairs": values([2.0, 2.0, 5.0, 5.0], is_complex),
        "three of four": values([2.0, 2.0, 2.0, 5.0], is_complex),
    }.items()
}
at_points = pytest.mark.parametrize(("a", "t"), POINTS.values(), ids=POINTS)


@pytest.fixture(autouse=True)
def silent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def f(w):
    return w**3 - 2 * w


def by_vectors(a):
    """f(A) = V f(w) V^H."""
    w, v = L.eigh(hermitian(a))
    return (v * f(w)) @ adjoint(v)


def slope_of_f(a, e):
    return e @ a @ a + a @ e @ a + a @ a @ e - 2 * e


SUMS = {
    "eigvalsh": lambda a: np.sum(f(L.eigvalsh(hermitian(a)))),
    "eigh": lambda a: np.sum(f(L.eigh(hermitian(a)).eigenvalues)),
    "trace": lambda a: np.real(np.trace(by_vectors(a))),
}


@pytest.mark.parametrize("phi", SUMS.values(), ids=SUMS)
@at_points
def test_trace_of_a_function(a, t, phi):
    gradient = 3 * a @ a - 2 * np.eye(4)
    e = hermitian(t)
    curved = 3 * (a @ e + e @ a)
    np.testing.assert_allclose(cr.grad(phi)(a), gradient, atol=1e-12)
    np.testing.assert_allclose(cr.jvp(phi, (a,), (t,))[1], inner([gradient], [e]), atol=1e-11)
    np.testing.assert_allclose(cr.hvp(phi, a, t), curved, atol=1e-11)
    if a.dtype.kind == "f":
        h = cr.hessian(phi)(a)
        np.testing.assert_allclose(np.tensordot(h, t, 2), curved, atol=1e-11)


@at_points
def test_function_of_the_matrix_forward(a, t):
    dy = cr.jvp(by_vectors, (a,), (t,))[1]
    np.testing.assert_allclose(dy, slope_of_f(a, hermitian(t)), atol=1e-11)


@at_points
def test_function_of_the_matrix_is_refused_in_reverse(a, t):
    with pytest.raises(NoRuleError, match="forward mode"):
        cr.grad(lambda a: np.real(np.sum(t * by_vectors(a))))(a)


@at_points
def test_sum_of_the_largest_values(a, t):
    """Its gradient is the projector P on their space, and the derivative of that is known."""
    if np.ptp(L.eigvalsh(a)) == 0:
        pytest.skip("nothing is the largest")
    k = int(np.sum(L.eigvalsh(a) < 3))
    v = L.eigh(a)[1][:, k:]
    p = v @ adjoint(v)
    q, e = np.eye(4) - p, hermitian(t)
    moved = (p @ e @ q + q @ e @ p) / 3.0  # the gap
    for phi in (
        lambda a: np.sum(L.eigvalsh(hermitian(a))[k:]),
        lambda a: np.sum(L.eigh(hermitian(a))[0][k:]),
    ):
        np.testing.assert_allclose(cr.grad(phi)(a), p, atol=1e-13)
        np.testing.assert_allclose(cr.hvp(phi, a, t), moved, atol=1e-13)
        np.testing.assert_allclose(cr.vjp(cr.grad(phi), a)[1](t)[0], moved, atol=1e-13)


@at_points
def test_projector_on_the_space_of_a_value(a, t):
    """With X = Q E P / gap and X2 = (QEQ X - X PEP) / gap the projector moves by
    t (X + X^H) + t^2 (X X^H - X^H X + X2 + X2^H)."""
    if np.ptp(L.eigvalsh(a)) == 0:
        pytest.skip("one space only")
    k = int(np.sum(L.eigvalsh(a) < 3))
    weights = hermitian(direction(a.dtype.kind == "c"))

    def phi(a):
        v = L.eigh(hermitian(a)).eigenvectors[:, :k]
        return np.real(np.sum(np.conj(weights) * (v @ adjoint(v))))

    v = L.eigh(a)[1][:, :k]
    p = v @ adjoint(v)
    q, e, gap = np.eye(4) - p, hermitian(t), -3.0
    x = q @ e @ p / gap
    x2 = (q @ e @ x - x @ e @ p) / gap
    first = inner([weights], [x + adjoint(x)])
    second = 2 * inner([weights], [x @ adjoint(x) - adjoint(x) @ x + x2 + adjoint(x2)])
    np.testing.assert_allclose(inner([cr.grad(phi)(a)], [t]), first, atol=1e-12)
    np.testing.assert_allclose(cr.jvp(phi, (a,), (t,))[1], first, atol=1e-12)
    np.testing.assert_allclose(inner([cr.hvp(phi, a, t)], [t]), second, atol=1e-12)


@at_points
def test_single_vectors_have_no_derivative(a, t):
    with pytest.raises(NoRuleError, match="has no derivative"):
        cr.grad(lambda a: np.sum(np.abs(L.eigh(a)[1] + t) ** 4))(a)


def test_vectors_of_other_values_do():
    a = values([2.0, 2.0, 5.0, 7.0], False)

    def phi(a):
        return L.eigh(a)[1][0, 2] ** 2 + L.eigh(a)[0][3] * L.eigh(a)[1][1, 3] ** 2

    np.testing.assert_allclose(cr.grad(phi)(a), numeric_gradient(phi, a), atol=1e-9)


def test_second_sweeps_that_would_need_more_are_refused():
    a = np.eye(3)
    gradient = cr.grad(lambda a: np.sum(f(L.eigvalsh(a))))
    _, pullback = cr.vjp(gradient, a)
    with pytest.raises(NoRuleError, match="hvp"):
        pullback(np.ones((3, 3)))
    with pytest.raises(NoRuleError, match="hvp"):
        cr.grad(lambda a: cr.jvp(lambda a: np.sum(f(L.eigvalsh(a))), (a,), (SKEW + SKEW.T,))[1])(a)


SKEW = np.array([[0.0, 1.0, 2.0], [0.0, 0.0, 0.5], [0.0, 0.0, 0.0]])


def test_largest_value_where_all_are_equal_shares():
    g = cr.grad(lambda a: L.eigvalsh(a)[-1])(np.eye(3))
    np.testing.assert_allclose(g, np.eye(3) / 3)


def test_forward_slopes_of_repeated_values_are_one_sided():
    e = np.array([[0.0, 1.0], [1.0, 0.0]])
    _, dy = cr.jvp(L.eigvalsh, (np.eye(2),), (e,))
    np.testing.assert_allclose(dy, [-1.0, 1.0])
    _, v = cr.jvp(L.eigh, (np.eye(2),), (e,))[0]
    np.testing.assert_allclose(np.abs(v), np.full((2, 2), 0.5**0.5))  # the limit of the vectors


def test_stacks_with_one_repeated_matrix():
    a = np.stack([np.eye(3), np.diag([1.0, 2.0, 4.0])])
    t = np.cos(np.arange(18.0)).reshape(2, 3, 3)
    got = cr.hvp(lambda a: np.sum(f(L.eigvalsh((a + np.swapaxes(a, 1, 2)) / 2))), a, t)
    for x, e, h in zip(a, t, got):
        np.testing.assert_allclose(h, 3 * (x @ hermitian(e) + hermitian(e) @ x), atol=1e-12)


def test_all_zero_cotangents_at_a_repeated_value_warn():
    """The logarithm at 1: V log(w) V^H = 0, and so is all that reaches eigh; its slope is 1."""

    def entry(a):
        w, v = L.eigh(a)
        return ((v * np.log(w)) @ v.T)[1, 0]

    with pytest.warns(RuntimeWarning, match="may still have a derivative"):
        cr.grad(entry)(np.eye(2))
    slope = cr.jvp(entry, (np.eye(2),), (np.array([[0.0, 1.0], [1.0, 0.0]]),))[1]
    np.testing.assert_allclose(slope, 1.0)


# ---------------------------------------------------------------- singular values


def with_singular_values(s, shape, is_complex=False):
    k = len(s)
    u, v = unitary(shape[0], is_complex)[:, :k], unitary(shape[1], is_complex)[:, :k]
    return (u * np.array(s)) @ adjoint(v)


SINGULAR = {
    f"{s} {shape} {'complex' if is_complex else 'real'}": (
        with_singular_values(s, shape, is_complex),
        direction(is_complex, shape),
    )
    for is_complex in (False, True)
    for shape in ((3, 3), (5, 3), (3, 5))
    for s in ([2.0, 2.0, 5.0], [2.0, 2.0, 2.0], [2.0, 2.0, 0.0], [4.0, 0.0, 0.0], [3.0, 1.0, 0.0])
}
at_singular = pytest.mark.parametrize(("a", "t"), SINGULAR.values(), ids=SINGULAR)


@at_singular
def test_sums_of_powers_of_singular_values(a, t):
    for phi in (
        lambda a: np.sum(L.svdvals(a) ** 4),
        lambda a: np.sum(L.svd(a, full_matrices=False).S ** 4),
    ):
        np.testing.assert_allclose(cr.grad(phi)(a), 4 * a @ adjoint(a) @ a, atol=1e-11)
        curved = t @ adjoint(a) @ a + a @ adjoint(t) @ a + a @ adjoint(a) @ t
        np.testing.assert_allclose(cr.hvp(phi, a, t), 4 * curved, atol=1e-11)
    np.testing.assert_allclose(cr.grad(lambda a: np.sum(L.svdvals(a) ** 2))(a), 2 * a, atol=1e-13)
    np.testing.assert_allclose(cr.hvp(lambda a: np.sum(L.svdvals(a) ** 2), a, t), 2 * t, atol=1e-12)


@at_singular
def test_odd_functions_of_singular_values_forward(a, t):
    def cube(a):
        u, s, vh = L.svd(a, full_matrices=False)
        return (u * s**3) @ vh

    want = t @ adjoint(a) @ a + a @ adjoint(t) @ a + a @ adjoint(a) @ t
    np.testing.assert_allclose(cr.jvp(cube, (a,), (t,))[1], want, atol=1e-11)


@at_singular
def test_reconstruction_is_refused_in_reverse(a, t):
    def itself(a):
        u, s, vh = L.svd(a, full_matrices=False)
        return np.real(np.sum(np.conj(t) * ((u * s) @ vh)))

    with pytest.raises(NoRuleError, match="forward mode"):
        cr.grad(itself)(a)


@pytest.mark.parametrize("is_complex", [False, True])
def test_nuclear_norm_and_polar_factor_of_a_multiple_of_a_unitary_matrix(is_complex):
    q, t = unitary(3, is_complex), direction(is_complex, (3, 3))
    along = adjoint(q) @ t
    turned = q @ (along - adjoint(along)) / 4.0
    np.testing.assert_allclose(cr.grad(lambda a: L.norm(a, "nuc"))(2 * q), q, atol=1e-13)
    for mode in (cr.hvp, lambda phi, x, t: cr.vjp(cr.grad(phi), x)[1](t)[0]):
        got = mode(lambda a: L.norm(a, "nuc"), 2 * q, t)
        np.testing.assert_allclose(got, turned, atol=1e-12)

    def polar(a):
        u, _, vh = L.svd(a)
        return u @ vh

    np.testing.assert_allclose(cr.jvp(polar, (2 * q,), (t,))[1], turned, atol=1e-12)
    bar = cr.vjp(polar, 2 * q)[1](t)[0]
    np.testing.assert_allclose(bar, turned, atol=1e-12)  # it is its own transpose


def test_singular_values_have_slope_zero_at_zero_in_reverse():
    g = cr.grad(lambda a: L.norm(a, "nuc"))(np.diag([2.0, 0.0]))
    assert np.array_equal(g, np.diag([1.0, 0.0]))


def test_leading_part_of_a_matrix_of_low_rank():
    """The null space is repeated and not used: nothing is refused."""
    a = with_singular_values([3.0, 1.0], (4, 4))
    t = direction(False)

    def leading(a):
        u, s, vh = L.svd(a)
        return np.sum(t * ((u[:, :2] * s[:2]) @ vh[:2]))

    np.testing.assert_allclose(cr.grad(leading)(a), numeric_gradient(leading, a), atol=1e-8)


def test_bases_of_null_spaces_have_no_derivative():
    a = with_singular_values([3.0, 1.0], (4, 2))
    with pytest.raises(NoRuleError, match="arbitrary within the space"):
        cr.grad(lambda a: L.svd(a)[0][0, 3])(a)


# ---------------------------------------------------------------- other matrices


def test_symmetric_functions_of_eigenvalues_that_are_not_of_a_hermitian_matrix():
    s = L.inv(np.array([[1.0, 0.3, 0.0], [0.2, 1.0, -0.4], [0.0, 0.5, 1.0]]))
    a = s @ np.diag([2.0, 2.0, 3.0]) @ L.inv(s)

    def phi(a):
        return np.real(np.sum(L.eigvals(a) ** 3))

    np.testing.assert_allclose(cr.grad(phi)(a), 3 * (a @ a).T, atol=1e-11)
    t = np.cos(np.arange(9.0)).reshape(3, 3)
    np.testing.assert_allclose(cr.jvp(phi, (a,), (t,))[1], 3 * np.sum((a @ a).T * t), atol=1e-11)


@pytest.mark.parametrize(
    "phi",
    [
        lambda a: np.abs(L.eigvals(a)[0]),
        lambda a: np.sum(np.abs(L.eig(a)[1]) ** 4),
        lambda a: cr.grad(lambda a: np.real(np.sum(L.eigvals(a) ** 3)))(a)[0, 1],
    ],
)
def test_what_has_none_there_is_refused(phi):
    with pytest.raises(NoRuleError, match="repeated eigenvalues"):
        cr.grad(phi)(np.eye(2))


def test_defective_matrices_are_refused():
    with pytest.raises(NoRuleError, match="repeated eigenvalues"):
        cr.grad(lambda a: np.real(np.sum(L.eigvals(a))))(np.array([[1.0, 1.0], [0.0, 1.0]]))


# ---------------------------------------------------------------- values that are nearly equal


WEIGHT = np.array([[0.3, 1.2, -0.7], [0.4, -1.1, 0.6], [1.5, 0.2, 0.9]])


def nearly_equal(gap):
    q = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))[0]
    return q @ np.diag([1.0, 1.0 + gap, 2.0]) @ q.T


@pytest.mark.parametrize("gap", [1e-3, 1e-4, 1e-5])
def test_a_matrix_function_of_nearly_equal_values(gap):
    def by_values(a):
        w, v = np.linalg.eigh((a + a.T) / 2)
        return np.sum(WEIGHT * ((v * np.exp(w)) @ v.T))

    def whole(a):
        return np.sum(WEIGHT * scipy.linalg.expm((a + a.T) / 2))

    a, t = nearly_equal(gap), np.random.default_rng(6).normal(size=(3, 3))
    np.testing.assert_allclose(cr.grad(by_values)(a), cr.grad(whole)(a), atol=1e-12 / gap)
    atol = 1e-14 / gap**2  # what rounding leaves of terms of that size
    np.testing.assert_allclose(cr.hvp(by_values, a, t), cr.hvp(whole, a, t), rtol=1e-9, atol=atol)


@pytest.mark.parametrize("gap", [1e-7, 1e-10])
def test_second_derivatives_without_digits_are_refused(gap):
    def by_values(a):
        w, v = np.linalg.eigh(a)
        return np.sum(WEIGHT * ((v * np.exp(w)) @ v.T))

    a, t = nearly_equal(gap), np.eye(3)[::-1]
    assert np.isfinite(cr.grad(by_values)(a)).all()
    with pytest.raises(NoRuleError, match="nearly equal"):
        cr.hvp(by_values, a, t)


def test_second_derivatives_of_one_vector_of_two_nearly_equal_values():
    """They are large, and right: compared with 60 digits."""
    a, t = nearly_equal(1e-8), np.array([[0.3, 1.0, 0.2], [1.0, -0.4, 0.5], [0.2, 0.5, 0.1]])

    def exact(s):
        values, vectors = mp.eigsy(mp.matrix(((a + a.T) / 2).tolist()) + s * mp.matrix(t.tolist()))
        return vectors[0, min(range(3), key=lambda i: values[i])] ** 2

    with mp.workdps(60):
        want = float(mp.diff(exact, 0, 2, h=mp.mpf(10) ** -25))
    got = np.sum(cr.hvp(lambda a: np.linalg.eigh(a)[1][0, 0] ** 2, a, t) * t)
    np.testing.assert_allclose(got, want, rtol=1e-5)
