"""Samples of rules/contraction.py: all combinations of vectors, matrices and stacks of them."""

import numpy as np

from tests.samples import sample


def values(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def matrices(f, *pairs):
    return [sample(f, values(*a), values(*b, seed=1), complex=True) for a, b in pairs]


A, B, C = values(2, 3), values(3, 4), values(4, 2)


SAMPLES = {
    "matmul": [
        *matrices(
            np.matmul,
            ((3,), (3,)),
            ((2, 3), (3,)),
            ((3,), (3, 4)),
            ((2, 3), (3, 4)),
            ((5, 2, 3), (3,)),
            ((3,), (5, 3, 4)),
            ((6, 5, 2, 3), (3, 4)),
            ((5, 2, 0), (0, 4)),
            ((5, 2, 0), (0,)),
            ((2, 3), (5, 3, 4)),
            ((5, 2, 3), (1, 3, 4)),
            ((2, 1, 2, 3), (5, 3, 4)),
            ((2, 0), (0, 3)),
            ((0, 2), (2, 3)),
        ),
        sample(lambda a: a @ a.T @ a, A, complex=True),
        sample(lambda a: [[1.0, 2.0]] @ a, A),
        sample(lambda a: np.arange(6).reshape(3, 2) @ a, A),
        sample(lambda a, b: np.dot(a, b), A, B),
        sample(lambda a, b: np.vdot(a, b), A, values(2, 3, seed=1), complex=True),
        sample(lambda a, b: np.inner(a, b), B[:, 0], B[:, 1]),
    ],
    "vecdot": [
        *matrices(np.vecdot, ((2, 3), (2, 3)), ((5, 1, 3), (2, 3)), ((3,), (3,)), ((2, 0), (0,))),
        sample(lambda a, b: np.vecdot(a, b, axis=0), A, values(2, 3, seed=1)),
        sample(lambda a, b: np.linalg.vecdot(a, b), A, values(3), complex=True),
    ],
    "tensordot": [
        sample(lambda a, b: np.tensordot(a, b), values(3, 4, 5), values(4, 5, 2), complex=True),
        sample(lambda a, b: np.tensordot(a, b, 0), A, values(2)),
        sample(
            lambda a, b: np.tensordot(a, b, ((0, 2), (1, 0))),
            values(3, 4, 5),
            values(5, 3, 2),
            complex=True,
        ),
        sample(lambda a, b: np.tensordot(a, b, (1, -1)), values(3, 4, 5), values(2, 4)),
        sample(
            lambda a, b: np.tensordot(a, b, ((0, 1, 2), (1, 2, 0))),
            values(2, 3, 4),
            values(4, 2, 3),
        ),
    ],
    "dot": [
        *matrices(np.dot, ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((5, 2, 3), (6, 3, 4))),
        *matrices(np.dot, ((5, 2, 3), (3,)), ((3,), (5, 3, 4)), ((2, 1, 0), (0, 3))),
        *matrices(np.inner, ((5, 2, 3), (4, 3)), ((2, 3), (4, 5, 3))),
    ],
    "convolve": [
        sample(lambda a, v: np.convolve(a, v), values(5), values(3), complex=True),
        sample(lambda a, v: np.convolve(a, v, "same"), values(4), values(6), complex=True),
        sample(lambda a, v: np.convolve(a, v, "same"), values(6), values(3)),
        sample(lambda a, v: np.convolve(a, v, "valid"), values(3), values(6), complex=True),
        sample(lambda a, v: np.convolve(a, v, "valid"), values(4), values(4, seed=1)),
        sample(lambda a, v: np.correlate(a, v), values(5), values(2), complex=True),
        sample(lambda a, v: np.correlate(a, v, "full"), values(3), values(4), complex=True),
        sample(lambda a, v: np.correlate(a, v, "same"), values(4), values(6), complex=True),
        sample(lambda a: np.convolve(a, [1, 0, -1]), values(4)),
    ],
    "einsum": [
        sample(lambda a, b: np.einsum("ij,jk->ik", a, b), A, B, complex=True),
        sample(lambda a, b: np.einsum("ij,jk", a, b), A, B),
        sample(lambda a: np.einsum("ij->j", a), A, complex=True),
        sample(lambda a: np.einsum("ij->", a), A),
        sample(lambda a: np.einsum("ii", a), B[:, :3], complex=True),
        sample(lambda a, b: np.einsum("iij,ij->j", a, b), values(3, 3, 2), values(3, 2)),
        sample(lambda a, b: np.einsum("...ij,...jk", a, b), values(5, 2, 3), values(1, 3, 4)),
        sample(lambda a, b: np.einsum("i...,i...->...", a, b), values(3, 2), values(3)),
        sample(lambda a, b: np.einsum("ij,kl->il", a, b), A, B, complex=True),
        sample(lambda a, b, c: np.einsum("ij,jk,kl->il", a, b, c), A, B, C, complex=True),
        sample(lambda a, b, c: np.einsum("ij,jk,ki->", a, b, c, optimize=True), A, B, C),
        sample(lambda a, b, c, d: np.einsum("a,b,c,d->dba", a, b, c, d), *(values(2),) * 4),
        sample(lambda a, b: np.einsum(",ij->ij", a, b), 0.7, A),
        sample(lambda a, b: np.einsum("ij,ij->ij", a, b), A[:1], A),
        sample(lambda a, b: np.einsum("ij,j->i", a, b), np.zeros((2, 0)), np.zeros(0)),
        sample(lambda a, b: np.einsum(a, [0, 1], b, [1, 2], [2, 0]), A, B, complex=True),
    ],
}
if hasattr(np, "matvec"):  # from NumPy 2.2
    SAMPLES |= {
        "matvec": matrices(np.matvec, ((2, 3), (3,)), ((5, 1, 2, 3), (4, 3)), ((2, 0), (0,))),
        "vecmat": matrices(np.vecmat, ((3,), (3, 4)), ((5, 3), (1, 3, 2)), ((0,), (0, 2))),
    }
