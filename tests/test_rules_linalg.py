"""Conventions of ``np.linalg``: triangles that are read, singular and repeated values, errors."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.base.errors import NoRuleError
from tests.helpers import assert_as_numpy, numeric_gradient

L = np.linalg
M = np.array([[3.0, 0.7, -0.4], [0.2, 2.1, 0.9], [-0.6, 0.5, 1.7]])
SPD = M @ M.T + np.eye(3)


# ---------------------------------------------------------------- values, dtypes, errors


CALLS = {
    "solve": lambda a: L.solve(a, a[..., :2] if a.ndim > 2 else a[0]),
    "solve list": lambda a: L.solve(a, [1.0, 2.0, 3.0]),
    "inv": L.inv,
    "det": L.det,
    "slogdet": lambda a: L.slogdet(a)[1],
    "cholesky": L.cholesky,
    "cholesky upper": lambda a: L.cholesky(a, upper=True),
    "eigh": lambda a: L.eigh(a)[0],
    "eigh U": lambda a: L.eigh(a, UPLO="u")[0],
    "eigvalsh": L.eigvalsh,
    "svd": lambda a: L.svd(a)[1],
    "svd values": lambda a: L.svd(a, compute_uv=False),
    "svd hermitian": lambda a: L.svd(a, hermitian=True).S,
    "pinv": L.pinv,
    "pinv hermitian": lambda a: L.pinv(a, hermitian=True),
    "qr": lambda a: L.qr(a)[1],
    "power": lambda a: L.matrix_power(a, -2),
    "cond": L.cond,
    "norm": L.norm,
    "norm axis": lambda a: L.norm(a, axis=-1, keepdims=True),
    "norm p": lambda a: L.norm(a, 3, -1),
    "nuc": lambda a: L.norm(a, "nuc", (-2, -1), keepdims=True),
    "matrix_norm": lambda a: L.matrix_norm(a, ord=-2, keepdims=True),
    "vector_norm": lambda a: L.vector_norm(a, axis=(0, -1), ord=1),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128, np.complex64])
@pytest.mark.parametrize("name", CALLS)
def test_values_and_dtypes_are_numpys(name, dtype):
    f = CALLS[name]
    for a in (SPD.astype(dtype), np.stack([SPD, SPD + np.eye(3)]).astype(dtype)):
        want = f(a)
        got, pullback = cr.vjp(f, a)
        assert np.array_equal(got, want)
        assert got.dtype == want.dtype
        (bar,) = pullback(np.ones_like(want)[()])
        assert bar.dtype == a.dtype
        assert bar.shape == a.shape
        assert np.isfinite(bar).all()


@pytest.mark.parametrize("f", [L.eigh, L.svd, L.slogdet, L.qr, L.eig])
def test_several_results_come_in_numpys_named_tuples(f):
    seen = []
    cr.grad(lambda a: seen.append(f(a)) or np.real(seen[0][0]).sum() + np.sum(a))(SPD)
    assert type(seen[0]) is type(f(SPD))


@pytest.mark.parametrize("f", CALLS.values(), ids=CALLS)
def test_derivatives_against_numbers(f):
    x = SPD + 0.1 * M
    second = f is not CALLS["norm p"]
    assert_as_numpy(lambda a: f(a), x, second)


def test_errors_are_numpys():
    def raises(f, x):
        with pytest.raises(Exception) as expected:
            f(x)
        with pytest.raises(expected.type, match=r".*"):
            cr.vjp(f, x)

    raises(L.inv, np.ones((2, 3)))
    raises(L.inv, np.ones((2, 2)))
    raises(lambda a: L.solve(a, np.ones(4)), M)
    raises(L.cholesky, -SPD)
    raises(lambda a: L.norm(a, "fro"), np.ones(3))
    raises(lambda a: L.norm(a, 3), M)
    raises(lambda a: L.norm(a, axis=(0, 0)), M)
    raises(lambda a: L.norm(a, axis=5), M)
    raises(lambda a: L.norm(a, axis=(0, 1, 2)), np.ones((2, 2, 2)))
    raises(lambda a: L.norm(a, 2), np.ones((2, 2, 2)))
    raises(lambda a: L.eigh(a, UPLO="x"), M)
    raises(lambda a: L.matrix_power(a, 1.5), M)
    raises(lambda a: L.tensorsolve(a, np.ones(2)), M)


def test_refusals_name_the_remedy():
    with pytest.raises(NoRuleError, match="linearly dependent"):
        cr.grad(lambda a: np.sum(L.qr(a).Q))(np.ones((3, 2)))
    with pytest.raises(NoRuleError, match="zero below the diagonal"):
        cr.grad(lambda a: np.sum(L.qr(a, mode="complete").Q))(np.eye(3, 2))
    with pytest.raises(NoRuleError, match="ord"):
        cr.grad(lambda p: L.norm(np.ones(3), p))(3.0)


def test_rank_is_constant():
    with pytest.warns(cr.base.errors.IndependentOutputWarning):
        assert np.array_equal(cr.grad(L.matrix_rank)(M), 0 * M)
    (_, _, rank, _), _ = cr.vjp(lambda a: L.lstsq(a, np.ones(3)), M)
    assert rank == 3
    assert isinstance(rank, np.int32)


# ---------------------------------------------------------------- systems


def test_a_vector_has_one_axis_whatever_the_stack():
    a = np.stack([M, M.T, SPD])
    assert_as_numpy(lambda b: L.solve(a, b), np.array([1.0, -2.0, 0.5]))
    assert_as_numpy(lambda b: L.solve(a, b), np.cos(np.arange(9.0)).reshape(3, 3))
    assert_as_numpy(lambda b: L.solve(a[:, None], b), np.cos(np.arange(12.0)).reshape(2, 3, 2))


def test_solve_of_integers_and_mixed_precision():
    b = np.array([1.0, 2.0], np.float32)
    y, pullback = cr.vjp(lambda b: L.solve(np.array([[2, 1], [1, 3]]), b), b)
    assert pullback(np.ones_like(y))[0].dtype == np.float32


def test_least_squares_of_all_shapes_and_ranks():
    rng = np.random.default_rng(0)
    for shape in ((4, 2), (2, 4), (3, 3)):
        a, b = rng.normal(size=shape), rng.normal(size=(shape[0], 2))
        assert_as_numpy(lambda a, b=b: L.lstsq(a, b, rcond=None)[0], a)
        assert_as_numpy(lambda b, a=a: L.lstsq(a, b, rcond=None)[0], b)
    x, y = rng.normal(size=4), rng.normal(size=3)

    def rank1(x):
        return L.lstsq(np.multiply.outer(x, y), np.arange(4.0), rcond=1e-10)[0]

    g = cr.grad(lambda x: np.sum(rank1(x)))(x)
    np.testing.assert_allclose(g, numeric_gradient(lambda x: np.sum(rank1(x)), x), rtol=1e-7)


# ---------------------------------------------------------------- determinants


@pytest.mark.parametrize("rank", [0, 1, 2, 3])
def test_det_at_any_rank_has_right_first_and_second_derivatives(rank):
    rng = np.random.default_rng(1)
    a = rng.normal(size=(3, rank)) @ rng.normal(size=(rank, 3))

    def expanded(a):  # Sarrus
        return sum(
            a[0, i]
            * (a[1, (i + 1) % 3] * a[2, (i + 2) % 3] - a[1, (i + 2) % 3] * a[2, (i + 1) % 3])
            for i in range(3)
        )

    t = rng.normal(size=(3, 3))
    np.testing.assert_allclose(cr.grad(L.det)(a), cr.grad(expanded)(a), atol=1e-13)
    got, want = (cr.jvp(cr.grad(f), (a,), (t,))[1] for f in (L.det, expanded))
    np.testing.assert_allclose(got, want, atol=1e-13)
    got, want = (cr.vjp(cr.grad(f), a)[1](t)[0] for f in (L.det, expanded))
    np.testing.assert_allclose(got, want, atol=1e-13)


def test_det_of_a_stack_with_one_singular_matrix():
    a = np.stack(
        [M, np.ones((3, 3)), np.outer([1.0, 2.0, 3.0], [1.0, 0.0, 1.0]) + np.diag([0.0, 0.0, 2.0])]
    )
    assert_as_numpy(L.det, a)


def test_slogdet_of_a_singular_matrix_is_as_the_logarithm_of_zero():
    (sign, logabs), pullback = cr.vjp(L.slogdet, np.diag([2.0, 0.0]))
    assert (sign, logabs) == (0.0, -np.inf)
    bar = pullback(type(L.slogdet(M))(np.float64(0.0), np.float64(1.0)))[0]
    assert np.array_equal(bar, [[0.0, 0.0], [0.0, np.inf]])


def test_third_derivative_of_det_at_a_singular_matrix_is_refused():
    second = cr.grad(lambda a: cr.grad(L.det)(a)[0, 0])
    with pytest.raises(NoRuleError, match="third derivative"):
        cr.grad(lambda a: second(a)[1, 1])(np.ones((3, 3)))


@pytest.mark.parametrize("p", [None, 2, -2, 1, "fro", np.inf])
def test_condition_number_of_singular_and_empty_matrices_is_numpys(p):
    for a in (np.ones((2, 2)), np.zeros((2, 2)), np.stack([M, np.ones((3, 3))])):
        assert np.array_equal(cr.vjp(lambda a: L.cond(a, p), a)[0], L.cond(a, p))
    with pytest.raises(L.LinAlgError, match="empty"):
        cr.vjp(lambda a: L.cond(a, p), np.zeros((0, 0)))


# ---------------------------------------------------------------- what is read


@pytest.mark.parametrize(
    "f",
    [
        L.cholesky,
        lambda a: L.cholesky(a, upper=True),
        L.eigvalsh,
        lambda a: L.eigvalsh(a, UPLO="U"),
        lambda a: L.eigh(a).eigenvectors ** 2,
        lambda a: L.pinv(a, hermitian=True),
    ],
)
def test_only_the_triangle_that_is_read_has_a_slope(f):
    bar = assert_as_numpy(f, SPD)
    upper, lower = bar[np.triu_indices(3, 1)], bar[np.tril_indices(3, -1)]
    assert np.all(upper == 0) != np.all(lower == 0)


# ---------------------------------------------------------------- norms


@pytest.mark.parametrize("order", [None, 1, 2, 3, 2.5, np.inf])
def test_vector_norms_have_slope_zero_at_zero(order):
    x = np.zeros(3)
    with np.errstate(all="raise"):
        assert np.array_equal(cr.grad(lambda x: L.norm(x, order))(x), x)
        assert cr.jvp(lambda x: L.norm(x, order), (x,), (np.ones(3),))[1] == 0
        h = cr.grad(lambda x: np.sum(cr.grad(lambda x: L.norm(x, order) ** 3)(x)))(x)
    assert np.array_equal(h, x)


def test_rows_of_zeros_do_not_disturb_the_others():
    x = np.array([[0.0, 0.0], [3.0, 4.0]])
    g = cr.grad(lambda x: np.sum(L.norm(x, axis=1)))(x)
    np.testing.assert_allclose(g, [[0, 0], [0.6, 0.8]], rtol=1e-15)


def test_ties_of_the_infinity_norm_share():
    g = cr.grad(lambda x: L.norm(x, np.inf))(np.array([2.0, -2.0, 1.0]))
    assert np.array_equal(g, [0.5, -0.5, 0.0])


def test_counting_norm_is_constant():
    y, pullback = cr.vjp(lambda x: L.norm(x, 0) * x[0], np.array([3.0, 0.0, 1.0]))
    assert y == 6
    assert np.array_equal(pullback(np.float64(1.0))[0], [2.0, 0.0, 0.0])


def test_norm_of_large_and_small_numbers():
    for scale in (1e150, 1e-150):
        x = scale * np.array([3.0, 4.0])
        np.testing.assert_allclose(cr.grad(L.norm)(x), [0.6, 0.8], rtol=1e-15)
        np.testing.assert_allclose(cr.grad(lambda x: L.norm(x, 2.0))(x), [0.6, 0.8], rtol=1e-15)
