"""Products with sparse matrices and sparse linear systems."""

import numpy as np
from scipy import sparse
from scipy.sparse import linalg

from chainrule.core.primitive import apply
from chainrule.rules.scipy_sparse_linalg import (
    OPERATOR,
    SOLVE,
    Exponential,
    Factors,
    Inverse,
    Iterated,
    Triangle,
)
from chainrule.rules.scipy_sparse_products import MATMUL, SAMPLED, Pattern
from tests.samples import sample

INDPTR, INDICES = np.array([0, 2, 3, 5]), np.array([3, 0, 1, 2, 1])  # row 0 is not sorted
DATA = np.array([1.5, -2.0, 0.5, 3.0, -1.0])
X, XX = np.array([0.5, -1.0, 2.0, 1.0]), np.arange(8.0).reshape(4, 2) / 4 - 0.7
I3, J3 = np.array([0, 1, 2, 1, 0]), np.array([1, 2, 0, 2, 0])  # (1, 2) is there twice
B3, B32 = np.array([1.0, -0.5, 2.0]), np.array([[1.0, 0.5], [-0.5, 2.0], [2.0, 0.3]])
EYE = sparse.eye_array(3, format="csc")
INVERSE = Inverse(
    linalg.splu(sparse.csc_array([[4.0, 1j, 0.0], [0.0, 3.0, 1.0 - 1j], [2.0, 0.0, 5.0]]))
)
SYMMETRIC = sparse.csr_array([[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 5.0]])


def rows(data):
    return sparse.csr_array((data, INDICES, INDPTR), shape=(3, 4))


def diagonals(data):
    return sparse.dia_array((data, [0, -1, 2]), shape=(3, 4))


def blocks(data):
    return sparse.bsr_array((data, [1, 0], [0, 1, 2]), shape=(4, 4))


def system(data):
    return sparse.coo_array((data, (I3, J3)), shape=(3, 3)).tocsc() + 7.0 * EYE


CSR, DIA = Pattern(rows(DATA)), Pattern(diagonals(np.ones((3, 4))))
BSR, SYSTEM = Pattern(blocks(np.ones((2, 2, 2)))), system(DATA)
BY_COLUMNS = Factors(Pattern(SYSTEM), linalg.splu)
BY_ROWS = Factors(Pattern(SYSTEM.tocsr()), linalg.splu)
LOWER = sparse.tril(SYSTEM).tocsr()


def product(pattern):
    return lambda data, x: apply(MATMUL, data, x, pattern=pattern)


def solution(solver, adjoint=False):
    return lambda data, b: apply(SOLVE, data, b, solver=solver, adjoint=adjoint)


def operator(run, adjoint=False):
    return lambda b: apply(OPERATOR, b, operator=run, adjoint=adjoint)


SAMPLES = {
    "sparse_matmul": [
        sample(product(CSR), DATA, X, complex=True),
        sample(product(CSR.T), DATA, X[:3], complex=True),
        sample(product(CSR), DATA, XX, complex=True),
        sample(product(DIA), np.arange(12.0).reshape(3, 4) - 3.0, X, complex=True),
        sample(product(DIA.T), np.arange(12.0).reshape(3, 4) - 3.0, X[:3]),
        sample(product(BSR), np.arange(8.0).reshape(2, 2, 2) - 3.0, X),
        sample(lambda x: apply(MATMUL, DATA, x, pattern=CSR), np.zeros((4, 0))),
    ],
    "sparse_sampled": [
        sample(lambda g, x: apply(SAMPLED, g, x, pattern=CSR), B3, X, complex=True),
        sample(lambda g, x: apply(SAMPLED, g, x, pattern=CSR.T), X, B3, complex=True),
        sample(lambda g, x: apply(SAMPLED, g, x, pattern=CSR), B32, XX, complex=True),
        sample(lambda g, x: apply(SAMPLED, g, x, pattern=DIA), B3, X),
    ],
    "sparse_solve": [
        sample(solution(BY_COLUMNS), SYSTEM.data, B3, complex=True),
        sample(solution(BY_COLUMNS, True), SYSTEM.data, B32, complex=True),
        sample(solution(BY_ROWS), SYSTEM.tocsr().data, B32, complex=True),
        sample(solution(BY_ROWS, True), SYSTEM.tocsr().data, B3, complex=True),
        sample(solution(Triangle(Pattern(LOWER), True, False)), LOWER.data, B3, complex=True),
        sample(solution(Triangle(Pattern(LOWER), True, True)), LOWER.data, B32),
    ],
    "sparse_operator": [
        sample(operator(INVERSE), B3, complex=True),
        sample(operator(INVERSE, True), B32, complex=True),
        sample(operator(Iterated(SYMMETRIC, linalg.cg, {"rtol": 1e-14})), B3),
        sample(operator(Exponential(0.1 * SYMMETRIC + 0.2 * EYE, None)), B32),
    ],
}
