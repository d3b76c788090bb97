"""``scipy.sparse`` inside derivatives: constant matrices, traced values, solving, what is refused.

Each case is plain SciPy code; its value is SciPy's, its derivatives those of finite differences, in
forward and reverse mode and once more (``agree``).
"""

import types

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse import linalg

import chainrule as cr
from chainrule.base.errors import ChainruleError
from tests.agreement import agree

RNG = np.random.default_rng(7)
FORMATS = ("csr", "csc", "coo", "bsr", "dia", "lil", "dok")


def random_array(shape, density, seed):
    rng = np.random.default_rng(seed)
    return sparse.csr_array(np.where(rng.random(shape) < density, rng.random(shape), 0.0))


S, Q = random_array((6, 4), 0.5, seed=1), random_array((4, 4), 0.6, seed=2)
X4 = RNG.normal(size=4) + 2.0
X6 = RNG.normal(size=6) + 2.0
M43 = RNG.normal(size=(4, 3))
V4 = RNG.normal(size=4)
V6 = RNG.normal(size=6)
D46 = RNG.normal(size=(4, 6))
I6, J6 = np.array([0, 1, 3, 0, 2, 1]), np.array([2, 0, 3, 1, 2, 0])  # (1, 0) is there twice
INDPTR = np.array([0, 2, 3, 5, 6])
INDICES = np.array([2, 0, 1, 3, 2, 1])  # not sorted in row 0


def kinds(form):
    return [getattr(sparse, f"{form}_{kind}") for kind in ("matrix", "array")]


ALL_KINDS = [kind for form in FORMATS for kind in kinds(form)]


def by_name(kind):
    return kind.__name__


# ---------------------------------------------------------------- constant matrices


@pytest.mark.parametrize("kind", ALL_KINDS, ids=by_name)
def test_products_of_a_constant_matrix_in_every_format(kind):
    A = kind(S)
    agree(lambda x: A @ x, X4)
    agree(lambda x: A.dot(x), X4)
    agree(lambda X: A @ X, M43)
    agree(lambda x: A @ x[:, None], X4)
    agree(lambda x: x @ A, X6)
    agree(lambda x: A.T @ x, X6)
    agree(lambda X: X @ A, D46[:3, :])
    agree(lambda x: A.transpose().tocsr() @ np.sin(x), X6)
    agree(lambda x: A[1:4] @ x if A.format not in ("coo", "dia", "bsr") else A @ x, X4)


@pytest.mark.parametrize("kind", ALL_KINDS, ids=by_name)
def test_elements_of_a_constant_matrix_times_a_traced_array(kind):
    A = kind(Q)
    agree(lambda x: A.multiply(x).toarray(), X4)
    agree(lambda x: A.multiply(x[:, None]).toarray(), X4)
    agree(lambda X: A.multiply(X).sum(axis=None), D46[:, :4])
    agree(lambda x: (A * x[0]) @ x, X4)
    agree(lambda x: (x[1] * A) @ V4, X4)
    agree(lambda x: (A / x[1]) @ V4, X4)
    if A.format not in ("lil", "dok"):
        agree(lambda x: (A / x).toarray(), X4)
    agree(lambda X: np.asarray(A + X), D46[:, :4])
    agree(lambda X: np.asarray(A - X), D46[:, :4])
    agree(lambda X: np.asarray(X - A), D46[:, :4])


def test_star_is_a_matrix_product_for_matrices_and_of_elements_for_arrays():
    A, B = sparse.csr_matrix(Q), sparse.csr_array(Q)
    agree(lambda x: A * x, X4)
    agree(lambda x: x * A, X4)
    agree(lambda x: (B * x).toarray(), X4)
    agree(lambda x: (x * B).toarray(), X4)
    agree(lambda x: (A**2) @ x, X4)
    agree(lambda x: (B**2) @ x, X4)


class Model:
    def __init__(self):
        self.A = Q
        self.parts = [Q, Q.T]

    def __call__(self, x):
        return self.A @ x + self.parts[1] @ x


def test_a_matrix_is_reached_wherever_it_is():
    A = Q
    agree(lambda x: Q @ x, X4)  # a global
    agree(lambda x: A @ x, X4)  # a cell
    agree(lambda x, B=Q: B @ x, X4)  # a default
    agree(Model(), X4)
    agree(lambda x: sparse.eye_array(4, format="csr") @ x + sparse.csr_matrix(Q).T @ x, X4)
    np.testing.assert_allclose(
        cr.grad(lambda x, B: np.sum(B @ x))(X4, Q), Q.toarray().sum(0), rtol=1e-14
    )
    holder = types.SimpleNamespace(A=Q)
    np.testing.assert_allclose(
        cr.grad(lambda x: np.sum(holder.A @ x))(X4), Q.toarray().sum(0), rtol=1e-14
    )


@pytest.mark.parametrize("dtype", [np.int64, np.int32, bool, np.float32, np.complex128])
def test_matrices_of_other_dtypes(dtype):
    A = sparse.csr_array((Q.toarray() * 9).astype(dtype))
    agree(lambda x: A @ x, X4)
    agree(lambda x: x @ A.T, X4)
    agree(lambda x: A.multiply(x).toarray(), X4)
    x = X4.astype(np.float32)
    assert cr.vjp(lambda x: A @ x, x)[0].dtype == (A @ x).dtype
    assert cr.grad(lambda x: np.sum(np.abs(A @ x) ** 2))(x).dtype == np.float32


def test_complex_values_and_operands():
    A = Q + 0.3j * Q.T
    agree(lambda x, y: A @ (x + 1j * y), X4, V4)
    agree(lambda x, y: A.conj().T @ (x + 1j * y), X4, V4)
    agree(lambda x, y: (sparse.diags_array(x) + 1j * sparse.diags_array(y) + A) @ x, X4, V4)
    agree(lambda x, y: linalg.spsolve((A + 1j * sparse.diags_array(x)).tocsc(), y), X4, V4)
    agree(
        lambda x, y: linalg.splu((A + 3j * sparse.eye_array(4)).tocsc()).solve(x + 1j * y), X4, V4
    )


def test_empty_matrices_and_explicit_zeros():
    empty = sparse.csr_array((3, 4))
    agree(lambda x: empty @ x, X4)
    agree(lambda x: sparse.csr_array((0, 4)) @ x, X4)
    zeros = sparse.csr_array((np.array([0.0, 1.0]), np.array([1, 2]), np.array([0, 1, 2])), (2, 4))
    agree(lambda x: zeros @ x, X4)
    agree(lambda x: sparse.csr_array((x, (I6, J6)), shape=(4, 4)) @ V4, np.zeros(6))


def test_the_users_matrices_stay_as_they_are():
    A = sparse.csr_matrix((V6.copy(), INDICES.copy(), INDPTR.copy()), shape=(4, 4))
    before = A.copy()
    cr.grad(lambda x: np.sum((A @ x) ** 2) + np.sum(linalg.spsolve(A + Q, x)))(X4)
    assert type(A.data) is np.ndarray
    for name in ("data", "indices", "indptr"):
        np.testing.assert_array_equal(getattr(A, name), getattr(before, name))


def test_a_matrix_changed_after_the_product_does_not_change_the_gradient():
    A = Q.copy()

    def f(x):
        y = A @ x
        A.data[:] *= 2.0
        return np.sum(y * y)

    want = 2 * Q.T @ (Q @ X4)
    np.testing.assert_allclose(cr.grad(f)(X4), want, rtol=1e-13)
    np.testing.assert_array_equal(A.data, 2 * Q.data)


def test_traced_values_written_into_the_data_of_a_matrix():
    def f(x):
        A = sparse.csr_array((np.ones(6), INDICES, INDPTR), shape=(4, 4))
        A.data[:] = x
        A.data[1] *= x[2]
        return A @ V4

    agree(f, X6)

    def g(x):
        A = Q.copy()
        A.data = A.data * x[0]
        A *= x[1]
        A /= x[2]
        return A @ x

    agree(g, X4)


# ---------------------------------------------------------------- traced values

CONSTRUCTED = {
    **{
        f"{kind.__name__} of coordinates": lambda x, kind=kind: kind((x, (I6, J6)), shape=(4, 4))
        for kind in ALL_KINDS
        if kind.__name__[:3] in ("csr", "csc", "coo", "bsr")
    },
    **{
        f"{kind.__name__} of indices": lambda x, kind=kind: kind((x, INDICES, INDPTR), shape=(4, 4))
        for kind in (*kinds("csr"), *kinds("csc"))
    },
    "bsr_array of blocks": lambda x: sparse.bsr_array(
        (np.reshape(np.concatenate([x, x[:2]]), (2, 2, 2)), [1, 0], [0, 1, 2])
    ),
    "dia_matrix": lambda x: sparse.dia_matrix(
        (np.stack([x[:4], x[1:5], x[2:]]), [0, 1, -2]), shape=(4, 4)
    ),
    "dense": lambda x: sparse.csr_matrix(np.outer(x[:4], x[2:])),
    "nested list": lambda x: sparse.coo_array([[x[0], 0, 1.0, x[1]], [0, 0, x[2], 0]] * 2),
    "diags of one": lambda x: sparse.diags(x[:4]),
    "diags of several": lambda x: sparse.diags([x[:4], x[1:4], x[3:6]], [0, -1, 1]),
    "diags with numbers": lambda x: sparse.diags([x[0], -2.0, x[1]], [-1, 0, 1], shape=(4, 4)),
    "diags_array": lambda x: sparse.diags_array([x[:4], np.ones(3)], offsets=[0, 1], format="csr"),
    "spdiags": lambda x: sparse.spdiags(np.stack([x[:4], x[2:]]), [0, -1], 4, 4),
    "eye times a number": lambda x: sparse.eye(4) * x[0],
    "a number times identity": lambda x: x[0] * sparse.identity(4, format="csr"),
    "sum": lambda x: sparse.diags(x[:4]) + sparse.csr_matrix(Q) * x[4],
    "difference": lambda x: sparse.csr_array((x, (I6, J6)), shape=(4, 4)) - Q,
    "cancelling": lambda x: sparse.diags_array(x[:4]) - sparse.diags_array(x[:4][::-1]),
    "product": lambda x: sparse.diags_array(x[:4]) @ Q @ sparse.diags_array(x[2:]),
    "product of general ones": lambda x: sparse.csr_array((x, INDICES, INDPTR), (4, 4)) @ Q,
    "product with itself": lambda x: sparse.coo_array((x, (I6, J6)), shape=(4, 4)) ** 2,
    "matrix power": lambda x: sparse.csr_matrix((x, (I6, J6)), shape=(4, 4)) ** 3,
    "of elements": lambda x: sparse.csr_array((x, (I6, J6)), shape=(4, 4)).multiply(Q),
    "of elements, dense": lambda x: sparse.csr_array((x, (I6, J6)), (4, 4)).multiply(x[:4]),
    "kron": lambda x: sparse.kron(sparse.diags(x[:2]), [[1.0, x[3]], [0.0, 2.0]]),
    "kronsum": lambda x: sparse.kronsum(sparse.diags(x[:2]), sparse.csr_array(np.ones((2, 2)))),
    "block_diag": lambda x: sparse.block_diag([sparse.diags(x[:2]), np.ones((1, 1)), x[3] * EYE1]),
    "bmat": lambda x: sparse.bmat([[sparse.diags(x[:2]), None], [EYE2 * x[2], EYE2]]),
    "block_array": lambda x: sparse.block_array([[EYE2, EYE2 * x[0]], [None, EYE2]], format="csr"),
    "vstack": lambda x: sparse.vstack([sparse.csr_matrix(Q)[:2], sparse.diags(x[:4]).tocsr()[2:]]),
    "hstack": lambda x: sparse.hstack([sparse.diags(x[:4]), Q], format="csr")[:, [0, 2, 4, 7]],
    "tril": lambda x: sparse.tril(sparse.csr_array((x, (I6, J6)), shape=(4, 4))),
    "triu": lambda x: sparse.triu(sparse.csr_array((x, (I6, J6)), shape=(4, 4)), k=1),
    "transposed": lambda x: sparse.csr_array((x, INDICES, INDPTR), (4, 4)).T,
    "elementwise": lambda x: abs(-sparse.csr_array((x, (I6, J6)), (4, 4)).power(2)).sqrt().sin(),
    "divided": lambda x: sparse.csr_array((x, (I6, J6)), (4, 4)) / x[0],
    "copied": lambda x: sparse.csr_array(sparse.coo_array((x, (I6, J6)), (4, 4)), copy=True),
    "permuted": lambda x: sparse.csr_array((x, (I6, J6)), (4, 4))[[3, 1, 0, 2]][:, [1, 0, 3, 2]],
    "reshaped": lambda x: sparse.coo_array((x, (I6, J6)), (4, 4)).reshape(2, 8).reshape(4, 4),
}
EYE1, EYE2 = sparse.eye_array(1), sparse.eye_array(2)


@pytest.mark.parametrize("make", CONSTRUCTED.values(), ids=CONSTRUCTED)
def test_a_matrix_with_traced_values(make):
    agree(lambda x: make(x) @ V4, X6)
    agree(lambda x: make(x) @ np.stack([V4, x[:4]], axis=1), X6)
    agree(lambda x: x[:4] @ make(x), X6)
    agree(lambda x: make(x).toarray(), X6)
    agree(lambda x: (make(x).tocsc()[1:, :3].sum(), make(x).diagonal(), make(x).trace()), X6)
    agree(lambda x: linalg.spsolve(make(x).tocsc() + 9 * sparse.eye_array(4), x[:4]), X6)
    assert_same_format(make)


def assert_same_format(make):
    """Class and shape are SciPy's."""
    kept = []
    cr.grad(lambda x: (kept.append(make(x)), np.sum(x))[1])(X6)
    want = make(X6)
    assert type(kept[0]) is type(want)
    assert kept[0].shape == want.shape
    np.testing.assert_allclose(kept[0].toarray(), want.toarray(), rtol=1e-13)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("other", FORMATS)
def test_changes_of_format(form, other):
    def f(x):
        A = sparse.coo_array((x, (I6, J6)), shape=(4, 4)).asformat(form)
        return A.asformat(other) @ V4, getattr(A, f"to{other}")().toarray()

    agree(f, X6)


@pytest.mark.parametrize("kind", [*kinds("lil"), *kinds("dok"), *kinds("csr")], ids=by_name)
@pytest.mark.filterwarnings("ignore:Changing the sparsity structure")
def test_filling_a_matrix_element_by_element(kind):
    def f(x):
        A = kind((4, 4))
        for i in range(4):
            A[i, i] = x[i]
            A[i, i] += 2.0
        for i, j, v in zip(I6, J6, x):
            A[i, j] += v * v
        A[0, 1] = 5.0
        A[2, [0, 3]] = x[:2]
        A[3, 0] = A[0, 0]
        return A @ V4, A.tocsc() @ V4, A[0, 0], A[1, 3], A.toarray()

    agree(f, X6)


@pytest.mark.filterwarnings("ignore:Changing the sparsity structure")
def test_assigning_to_rows_blocks_and_diagonals():
    def f(x):
        A = sparse.lil_matrix(Q)
        A[1, :] = x[:4]
        A[2:, 2:] = np.outer(x[:2], x[2:4])
        A[[0, 0], [1, 2]] = x[:2]
        B = sparse.csr_array(Q)
        B.setdiag(x[:4])
        B.setdiag(x[0], k=1)
        return A.toarray(), B.toarray(), A.tocsr() @ V4, B @ V4

    agree(f, X6)


def test_sums_and_means():
    def f(x):
        A = sparse.csr_array((x, (I6, J6)), shape=(4, 4))
        B = sparse.csr_matrix(A)
        return (
            A.sum(),
            A.sum(axis=0),
            A.sum(axis=1),
            A.mean(axis=-1),
            A.mean(),
            B.sum(),
            np.asarray(B.sum(axis=1)).ravel(),
            np.array(B.sum(axis=0)),
            B.mean(axis=1).A1,
            np.ravel(B.todense()),
            linalg.norm(A),
            linalg.norm(B, 1),
        )

    agree(f, X6)


def test_attributes_keep_their_meaning():
    def f(x):
        A = sparse.csr_matrix((x, (I6, J6)), shape=(4, 4))
        assert sparse.issparse(A)
        assert isinstance(A, sparse.csr_matrix)
        assert isinstance(A, sparse.spmatrix)
        assert not isinstance(A, sparse.csc_matrix)
        assert type(A) is sparse.csr_matrix
        assert A.format == "csr" and A.shape == (4, 4) and A.nnz == 5 and A.ndim == 2
        assert A.dtype == np.float64
        B = type(A)((A.data * 2, A.indices, A.indptr), shape=A.shape)
        C = A.tocoo()
        i, j, v = sparse.find(A)
        return B @ V4, A.__class__(B).data, C.data * C.row + C.col, v * i + j

    agree(f, X6)


def test_data_is_shared_where_scipy_shares_it():
    def f(x):
        values = x * 1.0
        A = sparse.csr_array((values, INDICES, INDPTR), shape=(4, 4))
        B = A.T
        C = A.copy()
        values[0] = 3.0 * x[1]
        A.data[2] *= x[3]
        return A @ V4, B @ V4, C @ V4

    agree(f, X6)


def test_a_matrix_kept_in_an_object_is_scipys_afterwards():
    class Holder:
        pass

    holder, kept = Holder(), []

    def f(x):
        holder.A = sparse.diags_array(x) + Q
        kept.append(holder.A)
        return np.sum((holder.A @ x) ** 2)

    agree(f, X4)
    cr.grad(f)(X4)
    assert type(holder.A) is type(sparse.diags_array(X4) + Q)
    assert type(kept[-1]) is type(holder.A)
    np.testing.assert_allclose(holder.A.toarray(), np.diag(X4) + Q.toarray())
    assert type(holder.A.data) is np.ndarray


def test_float32_stays():
    def f(x):
        A = sparse.csr_array((x, (I6, J6)), shape=(4, 4))
        return (A @ x[:4]), (A + A).toarray(), A.sum(axis=0), (A @ A).toarray(), 2 * A @ x[2:]

    x = X6.astype(np.float32)
    for got, want in zip(cr.vjp(f, x)[0], f(x), strict=True):
        assert got.dtype == want.dtype == np.float32
    assert cr.grad(lambda x: np.sum(f(x)[1]))(x).dtype == np.float32


def test_rows_vectors_and_iteration():
    try:
        Q[1]
    except NotImplementedError:
        pytest.skip("SciPy before 1.14 has no sparse vectors as rows")

    def f(x):
        A = sparse.csr_array((x, (I6, J6)), shape=(4, 4))
        row = A[1]
        total = sum(k * r.sum() for k, r in enumerate(A))
        return row @ V4, row.toarray(), row.multiply(V4).sum(), A[:, 1].sum(), total, A[2, 2]

    agree(f, X6)
    row = sparse.coo_array(V4)
    agree(lambda x: row @ x, X4)


def test_bound_methods_and_imports_inside_the_function():
    times = Q.dot

    def f(x):
        from scipy.sparse import coo_array
        from scipy.sparse.linalg import spsolve

        A = coo_array((x, (I6, J6)), shape=(4, 4))
        return times(x[:4]) + A.dot(V4) + spsolve(A.tocsc() + 9 * sparse.eye_array(4), V4)

    agree(f, X6)


def test_data_set_by_the_function_stays_set():
    A = Q.copy()

    def f(x):
        A.data = Q.data * x[0]
        return np.sum(A @ V4)

    np.testing.assert_allclose(cr.grad(f)(X4)[0], np.sum(Q @ V4), rtol=1e-13)
    assert type(A.data) is np.ndarray
    np.testing.assert_array_equal(A.data, Q.data * X4[0])


def test_the_values_lie_where_scipy_has_them():
    """Sums and products of matrices that are not sorted have an order of their own."""

    def f(x):
        A = sparse.csr_array((x, INDICES, INDPTR), shape=(4, 4))
        sums, product = A + A.T.tocsr() * 2.0, A @ Q
        return sums.data, product.data, sums.data * sums.indices, A.tocsc().data, A.tobsr().data

    def twice(x):
        A = sparse.csr_array((x[:4], [1, 1, 0, 2], [0, 2, 3, 4, 4]), shape=(4, 4))
        B = sparse.coo_array((x, (I6, J6)), shape=(4, 4))
        return abs(A @ V4), A.tocsc().data, B.T.data, B.tocsr().data, sparse.coo_matrix(B).data

    agree(f, X6)
    agree(twice, X6)


def test_an_order_that_scipy_would_not_have_is_refused():
    def cancelled(x):
        A = sparse.diags_array(x, format="csr")
        return (A - A.copy()).data.sum()

    with pytest.raises(ChainruleError, match="adds up or leaves out"):
        cr.grad(cancelled)(X4)


def test_a_sparse_matrix_is_no_result():
    for transform in (cr.jacobian, lambda f: lambda x: cr.vjp(f, x)):
        with pytest.raises(ChainruleError, match="toarray"):
            transform(lambda x: sparse.diags(x))(X4)
    (_, aux), _ = cr.value_and_grad(lambda x: (x @ x, sparse.diags(x)), has_aux=True)(X4)
    assert type(aux) is sparse.dia_matrix
    np.testing.assert_array_equal(aux.diagonal(), X4)


def test_the_hessian_of_a_sparse_quadratic_form():
    H = cr.hessian(lambda x: x @ Q @ x + np.sum(sparse.diags(x) @ x))(X4)
    np.testing.assert_allclose(H, (Q + Q.T).toarray() + 2 * np.eye(4), rtol=1e-13)


# ---------------------------------------------------------------- linear systems


def system(x):
    return sparse.csc_matrix((x, (I6, J6)), shape=(4, 4)) + 9.0 * sparse.eye(4, format="csc")


CONSTANT = system(X6)


@pytest.mark.parametrize("make", [system, lambda x: CONSTANT], ids=["traced", "constant"])
def test_solving(make):
    agree(lambda x: linalg.spsolve(make(x), x[:4]), X6)
    agree(lambda x: linalg.spsolve(make(x).tocsr(), V4 * x[0]), X6)
    agree(lambda x: linalg.spsolve(make(x), np.outer(x[:4], x[2:4])), X6)
    agree(lambda x: linalg.spsolve(make(x), x[:4, None]), X6)
    agree(lambda x: linalg.splu(make(x)).solve(x[:4]), X6)
    agree(lambda x: linalg.splu(make(x)).solve(x[:4], "T"), X6)
    agree(lambda x: linalg.splu(make(x)).solve(np.outer(x[:4], x[2:]), trans="H"), X6)
    agree(lambda x: linalg.factorized(make(x))(x[:4]) ** 2, X6)
    agree(lambda x: linalg.spsolve(make(x), V4) + x[:4], X6)


def test_factors_made_outside():
    lu, solve, ilu = linalg.splu(CONSTANT), linalg.factorized(CONSTANT), linalg.spilu(CONSTANT)
    agree(lambda x: lu.solve(np.sin(x)), X4)
    agree(lambda x: lu.solve(x, "T"), X4)
    agree(lambda x: solve(x * x), X4)
    agree(lambda x: ilu.solve(x), X4)


def test_the_matrix_of_a_system_need_not_be_sorted():
    def f(x):
        data = np.concatenate([[9.0], x[:1], [9.0], x[1:3], [9.0, 9.0]])
        A = sparse.csc_array((data, [0, 3, 1, 3, 0, 2, 3], [0, 2, 3, 6, 7]), shape=(4, 4))
        lu = linalg.splu(A)
        return linalg.spsolve(A, x[:4]), lu.solve(x[2:]), A @ x[:4], A.data * A.indices

    agree(f, X6)


@pytest.mark.filterwarnings("ignore:Matrix is exactly singular")
def test_a_singular_matrix_has_no_solution():
    value, bar = cr.value_and_grad(
        lambda x: np.sum(linalg.spsolve(sparse.diags_array(x).tocsc(), V4))
    )(np.array([1.0, 0.0, 1.0, 1.0]))
    assert np.isnan(value)
    assert np.isnan(bar).any()


def test_products_with_the_exponential():
    agree(lambda x: linalg.expm_multiply(0.3 * Q, x), X4)
    agree(lambda X: linalg.expm_multiply(Q, np.sin(X)), M43)


def test_one_factorisation_serves_both_sweeps(monkeypatch):
    calls = []
    splu = linalg.splu
    monkeypatch.setattr(linalg, "splu", lambda *args, **kw: calls.append(1) or splu(*args, **kw))
    cr.grad(lambda x: np.sum(linalg.spsolve(system(x), x[:4])))(X6)
    assert len(calls) == 1


def test_triangles():
    def f(x, unit):
        A = sparse.tril(system(x)).tocsr()
        lower = linalg.spsolve_triangular(A, x[:4], lower=True, unit_diagonal=unit)
        return lower, linalg.spsolve_triangular(A.T.tocsr(), np.outer(x[:4], x[1:3]), lower=False)

    agree(lambda x: f(x, False), X6)
    agree(lambda x: f(x, True)[0], X6)


@pytest.mark.parametrize("name", "cg bicg bicgstab gmres minres lgmres cgs qmr tfqmr".split())
def test_iterations_have_the_derivative_of_the_solution(name):
    method = getattr(linalg, name)
    B = sparse.csr_array(CONSTANT + CONSTANT.T)
    options = {"rtol": 1e-13} | ({} if name == "minres" else {"atol": 0.0})

    def f(x):
        A = (system(x) + system(x).T).tocsr()
        return method(A, x[:4], **options)[0], method(B, np.sin(x[:4]), **options)[0]

    def exact(x):
        A = (system(x) + system(x).T).toarray()
        return np.linalg.solve(A, x[:4]), np.linalg.solve(B.toarray(), np.sin(x[:4]))

    for k in range(2):
        want = cr.jacobian(lambda x: exact(x)[k])(X6)
        np.testing.assert_allclose(cr.jacobian(lambda x: f(x)[k])(X6), want, rtol=1e-8, atol=1e-10)


def test_operators():
    operator = linalg.aslinearoperator(Q)
    agree(lambda x: operator @ x, X4)
    agree(lambda x: linalg.aslinearoperator(Q).T @ x + operator.dot(x), X4)
    agree(lambda x: linalg.aslinearoperator(sparse.diags_array(x)).matvec(x), X4)
    product = linalg.LinearOperator((4, 4), matvec=lambda v: CONSTANT @ v, rmatvec=None)
    agree(lambda x: product @ x, X4)


# ---------------------------------------------------------------- without lifting, and refusals


def test_without_lifting_the_right_factor_may_be_sparse():
    for A in (sparse.csr_array(S), sparse.coo_matrix(S)):
        got = cr.grad(lambda x: np.sum((x @ A) ** 2), lift=False)(X6)
        np.testing.assert_allclose(got, 2 * S @ (S.T @ X6), rtol=1e-13)
        with pytest.raises(ChainruleError, match="lift"):
            cr.grad(lambda x: np.sum(A @ x), lift=False)(X4)


REFUSED = {
    "svds": lambda x: np.sum(linalg.svds(sparse.diags(x), k=1)[1]),
    "eigsh": lambda x: np.sum(linalg.eigsh(sparse.diags(x), k=1)[0]),
    "inv": lambda x: linalg.inv(sparse.diags(x).tocsc()).sum(),
    "max": lambda x: sparse.diags(x).tocsr().max(),
    "maximum": lambda x: (sparse.diags(x).maximum(Q)).sum(),
    "sparse right-hand side": lambda x: linalg.spsolve(CONSTANT, sparse.diags(x).tocsc()).sum(),
    "quotient": lambda x: np.sum(sparse.diags(x).tocsr() / Q),
    "np.matrix": lambda x: np.sum(np.asarray(sparse.csr_matrix(Q).multiply(x).sum(axis=0) * 2)),
    "exponential": lambda x: np.sum(linalg.expm_multiply(sparse.diags(x).tocsr(), V4)),
    "subclass": lambda x: np.sum(Own(Q) @ x),
    "larger": lambda x: sparse.csr_array(Q[:1]).multiply(np.outer(x, x)).sum(),
    "swallowed": lambda x: _swallowing(x),
    "integers": lambda x: _into_integers(x).sum(),
    "compiled": lambda x: sparse.csgraph.shortest_path(sparse.diags(x).tocsr()).sum(),
}


class Own(sparse.csr_array):
    pass


def _swallowing(x):
    try:
        return sparse.diags(x).tocsr().max()
    except Exception:
        return x[0]


def _into_integers(x):
    A = sparse.lil_array((4, 4), dtype=int)
    A[0, 0] = x[0]
    return A


@pytest.mark.parametrize("f", REFUSED.values(), ids=REFUSED)
@pytest.mark.filterwarnings("ignore")
def test_what_has_no_rule_is_refused(f):
    with pytest.raises(ChainruleError):
        cr.grad(f)(X4)


def test_what_scipy_computes_with_constants_stays():
    """Functions without a rule see SciPy's own objects."""

    def f(x):
        n, labels = sparse.csgraph.connected_components(sparse.csr_array(Q))
        largest = linalg.eigsh(sparse.csr_array(CONSTANT + CONSTANT.T), k=1)[0]
        return n * x + largest[0] + sparse.csr_matrix(Q).max() + labels

    agree(f, X4)
