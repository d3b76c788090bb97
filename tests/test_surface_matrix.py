"""``np.bmat`` and ``np.asmatrix`` of traced values: the algebra, indexing and sums of np.matrix."""

import numpy as np
import pytest

import chainrule as cr
from tests.helpers import slope

pytestmark = pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")

X = np.array([[2.3, 0.4, -0.6], [0.1, 1.9, 0.7], [-0.2, 0.5, 2.8]])
B = np.array([[0.3, -1.1, 0.8], [1.4, 0.2, -0.5], [0.6, 0.9, 1.2]])
CASES = {
    "bmat": lambda x: np.ravel(np.bmat([[x, x]])),
    "bmat with plain blocks": lambda x: np.asarray(np.bmat([[x, B], [B, x]])),
    "bmat of a row": lambda x: np.bmat([x, B]).A,
    "bmat of a text": lambda x: np.bmat("x, y; y, x", {"x": x, "y": B}, {}).A,
    "product": lambda x: (np.asmatrix(x) * np.asmatrix(x).T).A,
    "product with an array": lambda x: (np.asmatrix(x) * B).A,
    "product of arrays of NumPy and a matrix": lambda x: (np.asmatrix(B) * np.asmatrix(x)).A,
    "@": lambda x: (np.asmatrix(x) @ np.asmatrix(B)).A,
    "scalars": lambda x: (2 * np.asmatrix(x) * x[0, 0] / 3 + 1).A,
    "sum and difference": lambda x: (np.asmatrix(x) + B - np.asmatrix(x).H).A,
    "an array less a matrix": lambda x: (B - np.asmatrix(x)).A,
    "power": lambda x: (np.asmatrix(x) ** 3).A,
    "inverse": lambda x: np.asmatrix(x).I.A,
    "np.linalg.inv": lambda x: np.linalg.inv(np.asmatrix(x)).A,
    "determinant": lambda x: np.linalg.det(np.asmatrix(x)),
    "quadratic form": lambda x: (np.asmatrix(x[0]) * np.asmatrix(x) * np.asmatrix(x[0]).T)[0, 0],
    "element": lambda x: np.asmatrix(x)[1, 2] ** 2,
    "row by column": lambda x: (np.asmatrix(x)[1] * np.asmatrix(x)[:, 2]).A,
    "part": lambda x: np.asmatrix(x)[1:, :2].A ** 2,
    "rows": lambda x: sum((row.A for row in np.asmatrix(x) * 2), np.zeros((1, 3))),
    "sum": lambda x: np.asmatrix(x).sum() ** 2,
    "sum along columns": lambda x: np.sum(np.asmatrix(x), 0).A ** 2,
    "mean along rows": lambda x: np.asmatrix(x).mean(1).A ** 2,
    "ufunc": lambda x: np.sin(np.asmatrix(x)).A1,
    "elementwise product": lambda x: np.multiply(np.asmatrix(x), B).A,
    "as an array again": lambda x: np.array(np.asmatrix(x)) * x,
}


def written(x):
    m = np.asmatrix(x).copy()
    m[0, 1] = m[2, 2] * 3
    return (m * m).A


CASES["assignment"] = written


@pytest.mark.parametrize("name", CASES)
def test_matrices(name):
    f = CASES[name]
    y, pullback = cr.vjp(f, X)
    np.testing.assert_allclose(y, f(X), rtol=1e-13)
    w = np.cos(np.arange(np.size(y))).reshape(np.shape(y))
    along = slope(lambda s: np.array([np.sum(w * f(X + s * B))]))
    assert along.knows().all()
    assert not along.refutes(np.sum(pullback(w)[0] * B)).any()
    assert not along.refutes(np.sum(w * cr.jvp(f, (X,), (B,))[1])).any()


def test_a_matrix_as_result_is_its_plain_array():
    y, pullback = cr.vjp(lambda x: np.asmatrix(x) * 2, X)
    assert type(y) is np.ndarray
    np.testing.assert_array_equal(pullback(np.ones_like(y))[0], np.full_like(X, 2))
    np.testing.assert_array_equal(
        cr.jvp(lambda x: np.bmat([[x, x]]), (X,), (B,))[1], np.hstack([B, B])
    )
    with pytest.raises(cr.NotScalarError):
        cr.grad(lambda x: np.asmatrix(x))(X)


MEMORY = {
    "require": lambda memory: np.require(memory, requirements="C")[1:4],
    "frombuffer": lambda memory: np.frombuffer(memory, float, 3, 8),
    "from_dlpack": lambda memory: np.from_dlpack(memory)[1:4],
    "asmatrix": lambda memory: np.asmatrix(memory)[0, 1:4],
    "as_strided": lambda memory: np.lib.stride_tricks.as_strided(memory[1:], (3,), (8,)),
}


@pytest.mark.parametrize("name", MEMORY)
def test_what_shares_memory_sees_what_is_written_later(name):
    """An array of zeros is constant until a traced value goes into it."""

    def f(x):
        memory = np.zeros(5)
        shared = MEMORY[name](memory)
        memory[:] = x**2
        return np.sum(np.asarray(shared) * np.arange(1.0, 4))

    x = np.array([0.4, 1.3, -0.7, 2.1, 0.9])
    value, gradient = cr.value_and_grad(f)(x)
    np.testing.assert_allclose(value, f(x), rtol=1e-14)
    np.testing.assert_allclose(gradient, 2 * x * [0, 1, 2, 3, 0], rtol=1e-14)
