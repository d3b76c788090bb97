"""Samples of ``rules/linalg.py``. Vectors of eigen- and singular value problems enter by functions
that do not depend on their signs and phases."""

import numpy as np

from chainrule.core.trace import bind
from chainrule.rules import linalg as rules
from chainrule.rules import repeated
from tests.samples import sample

L = np.linalg

M = np.array([[3.0, 0.7, -0.4], [0.2, 2.1, 0.9], [-0.6, 0.5, 1.7]])
N = np.array([[1.2, -2.0, 0.3], [0.8, 0.4, 2.2], [-1.5, 0.9, 0.6]])
STACK = np.stack([M, N])
TALL = np.array([[1.3, 0.2], [-0.4, 0.9], [0.7, -1.1], [0.5, 0.6]])
WIDE = TALL.T.copy()
SPD = M @ M.T + np.eye(3)
SPDS = np.stack([SPD, N @ N.T + np.eye(3)])
SINGULAR = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.5], [0.5, 1.0, -1.0]])  # rank 2
RANK1 = np.outer([1.0, 2.0, -0.5], [0.3, 1.0, 2.0])
SPREAD = M + np.diag([6.0, 0.0, -5.0])  # real eigenvalues, also nearby
b = np.array([0.7, -1.2, 0.4])
B = np.array([[0.7, 1.0], [-1.2, 0.3], [0.4, -0.8]])
EMPTY = np.zeros((0, 0))


def _pair(w, v):
    """Eigenvalues, and the squares of the vectors' entries."""
    return w, np.real(v) ** 2 + np.imag(v) ** 2


def _projector(v):
    return v @ np.conj(np.swapaxes(v, -1, -2))


def _svd(a, full=True):
    """What depends on all of U, S and V^H but not on signs, phases and bases of the null spaces."""
    u, s, vh = L.svd(a, full_matrices=full)
    k = s.shape[-1]
    v = np.conj(np.swapaxes(vh, -1, -2))
    rest = (_projector(u[..., k:]), _projector(v[..., k:])) if full else ()
    return (u[..., :k] * s[..., None, :] ** 2) @ vh[..., :k, :], _projector(u[..., :1]), *rest


def _bound(primitive):
    return lambda *xs: bind(primitive, xs, {})


SAMPLES = {
    "inv": [
        sample(L.inv, M, complex=True),
        sample(L.inv, STACK, complex=True),
        sample(L.inv, np.array([[2.5]])),
        sample(L.inv, EMPTY),
    ],
    "solve": [
        sample(L.solve, M, b, complex=True),
        sample(L.solve, M, B, complex=True),
        sample(L.solve, STACK, b),
        sample(L.solve, STACK, B, complex=True),
        sample(L.solve, M, np.stack([B, 2 * B])),
        sample(L.solve, STACK[:, None], np.stack([B, 2 * B, -B])),
        sample(lambda x: L.solve([[2.0, 1.0], [0.5, 3.0]], x), np.array([1.0, -2.0])),
        sample(L.solve, np.zeros((0, 3, 3)), B),
    ],
    "tensorinv": [
        sample(
            lambda a: L.tensorinv(a.reshape(2, 2, 4)),
            np.arange(16.0).reshape(4, 4) ** 1.5 % 7.0 + 4 * np.eye(4),
        ),
        sample(
            lambda a: L.tensorinv(a.reshape(4, 2, 2), ind=1),
            np.eye(4) * 3 + np.arange(16.0).reshape(4, 4) / 9,
        ),
    ],
    "tensorsolve": [
        sample(
            lambda a, b: L.tensorsolve(a.reshape(4, 2, 2), b),
            np.eye(4) * 3 + np.arange(16.0).reshape(4, 4) / 9,
            np.array([1.0, -0.5, 0.3, 2.0]),
        ),
        sample(
            lambda a, b: L.tensorsolve(a.reshape(2, 4, 2), b, axes=(0,)),
            np.cos(np.arange(16.0) ** 2).reshape(4, 4),
            np.array([1.0, -0.5, 0.3, 2.0]),
        ),
    ],
    "matrix_power": [
        sample(lambda a, n=n: L.matrix_power(a, n), M, complex=True) for n in (1, 2, 3, 5, -1, -4)
    ]
    + [sample(lambda a: L.matrix_power(a, 6), STACK)],
    "det": [
        sample(L.det, M, complex=True),
        sample(L.det, STACK, complex=True),
        sample(L.det, SINGULAR, complex=True),
        sample(L.det, RANK1),
        sample(L.det, np.eye(3)),
        sample(L.det, np.zeros((2, 2))),
        sample(L.det, np.array([[0.0]])),
        sample(L.det, EMPTY),
    ],
    "cofactors": [
        sample(_bound(rules.COFACTORS), M, complex=True),
        sample(_bound(rules.COFACTORS), np.stack([M, SINGULAR])[:1]),
        sample(
            _bound(rules.COFACTORS),
            SINGULAR,
            smooth=False,
            note="no third derivative of det where singular",
        ),
        sample(
            _bound(rules.COFACTORS),
            RANK1,
            smooth=False,
            note="no third derivative of det where singular",
        ),
    ],
    "cofactors_at_singular": [
        sample(lambda e: bind(rules.SINGULAR, (SINGULAR, e), {}), N, complex=True),
        sample(lambda e: bind(rules.SINGULAR, (RANK1, e), {}), N),
    ],
    "slogdet": [
        sample(L.slogdet, M, complex=True),
        sample(L.slogdet, STACK, complex=True),
        sample(lambda a: L.slogdet(a).logabsdet, -M),
        sample(L.slogdet, EMPTY),
    ],
    "cholesky": [
        sample(L.cholesky, SPD),
        sample(L.cholesky, SPDS),
        sample(lambda a: L.cholesky(a, upper=True), SPD),
        sample(lambda a: L.cholesky(a + np.conj(a.T) + 4 * np.eye(3)), M, complex=True),
        sample(lambda a: L.cholesky(a + np.conj(a.T) + 4 * np.eye(3), upper=True), M, complex=True),
        sample(L.cholesky, np.array([[2.5]])),
        sample(L.cholesky, EMPTY),
    ],
    "qr": [
        sample(L.qr, M, complex=True),
        sample(L.qr, TALL, complex=True),
        sample(L.qr, WIDE, complex=True),
        sample(L.qr, STACK),
        sample(lambda a: L.qr(a, mode="r"), TALL),
        sample(lambda a: L.qr(a).Q, TALL),
        sample(lambda a: L.qr(a, mode="complete"), WIDE),
    ],
    "qr_complete": [
        sample(lambda a: L.qr(a, mode="complete"), TALL, complex=True),
        sample(lambda a: L.qr(a, mode="complete").Q, np.stack([TALL, TALL[::-1]])),
    ],
    "eigh": [
        sample(lambda a: _pair(*L.eigh(a)), SPD, complex=True),
        sample(lambda a: _pair(*L.eigh(a, UPLO="U")), SPD, complex=True),
        sample(lambda a: _pair(*L.eigh(a)), SPDS),
        sample(lambda a: _projector(L.eigh(a)[1][..., :1]), SPDS, complex=True),
        sample(lambda a: L.eigh(a).eigenvalues, SPD),
        sample(lambda a: _pair(*L.eigh(a)), np.array([[2.5]])),
        sample(L.eigh, EMPTY),
    ],
    "eigh_phases": [
        sample(L.eigh, SPD + 1j * (M - M.T)),
        sample(lambda a: L.eigh(a, UPLO="U"), SPD + 1j * (M - M.T)),
        sample(L.eigh, SPDS),
    ],
    "from_values": [
        sample(
            lambda u, d, v: bind(repeated.SPREAD, (u, d, v), {"same": np.eye(2, dtype=bool)}),
            TALL,
            np.array([1.5, -0.5]),
            TALL[::-1],
        )
    ],
    "steady_values": [],  # refuses every derivative in reverse: see test_repeated_values
    "eigvalsh": [
        sample(L.eigvalsh, SPD, complex=True),
        sample(lambda a: L.eigvalsh(a, "U"), SPDS, complex=True),
        sample(L.eigvalsh, EMPTY),
    ],
    "eig": [
        sample(lambda a: _pair(*L.eig(a)), SPREAD, complex=True),
        sample(lambda a: L.eig(a).eigenvalues, N),
        sample(lambda a: _pair(*L.eig(a)), N),
        sample(lambda a: _pair(*L.eig(a)), np.stack([N, 2 * N])),
        sample(lambda a: L.eig(a), SPREAD, complex=True),  # with the phases LAPACK gives
        sample(lambda a: L.eig(a).eigenvectors, N),
    ],
    "eigvals": [
        sample(L.eigvals, SPREAD, complex=True),
        sample(L.eigvals, N),
        sample(L.eigvals, np.stack([N, -N])),
    ],
    "svd": [
        sample(_svd, M, complex=True),
        sample(_svd, TALL, complex=True),
        sample(_svd, WIDE, complex=True),
        sample(lambda a: _svd(a, full=False), TALL, complex=True),
        sample(lambda a: _svd(a, full=False), WIDE, complex=True),
        sample(lambda a: _svd(a, full=False), STACK),
        sample(lambda a: L.svd(a).S, TALL),
        sample(lambda a: L.svd(a, full_matrices=False), M, complex=True),  # with LAPACK's phases
        sample(lambda a: L.svd(a, full_matrices=False), TALL, complex=True),
        sample(lambda a: L.svd(a, full_matrices=False), WIDE, complex=True),
        sample(lambda a: L.svd(a, full_matrices=False).U, np.stack([WIDE, 2 * WIDE])),
    ],
    "svd_hermitian": [
        sample(lambda a: np.abs(L.svd(a, hermitian=True)[2]) ** 2, SPD),
        sample(lambda a: L.svd(a - 3 * np.eye(3), compute_uv=False, hermitian=True), M),
    ],
    "svdvals": [
        sample(L.svdvals, M, complex=True),
        sample(L.svdvals, STACK, complex=True),
        sample(lambda a: L.svd(a, compute_uv=False), WIDE, complex=True),
    ],
    "pinv": [
        sample(L.pinv, TALL, complex=True),
        sample(L.pinv, WIDE, complex=True),
        sample(L.pinv, STACK, complex=True),
        sample(lambda x, y: L.pinv(np.outer(x, y), rcond=1e-8), b, np.array([1.0, 0.5])),
        sample(lambda a: L.pinv(a, hermitian=True), SPD, complex=True),
        sample(lambda a: L.pinv(a, rtol=1e-9), TALL),
    ],
    "lstsq": [
        sample(
            lambda a, y: L.lstsq(a, y, rcond=None)[0],
            TALL,
            np.array([1.0, -0.3, 0.8, 0.2]),
            complex=True,
        ),
        sample(
            lambda a, y: L.lstsq(a, y, rcond=None),
            TALL,
            np.outer([1.0, -0.3, 0.8, 0.2], [1.0, 2.0]) + TALL,
        ),
        sample(lambda a, y: L.lstsq(a, y)[0], WIDE, np.array([1.0, -0.3])),
        sample(lambda a, y: L.lstsq(a, y)[0], M, b),
        sample(
            lambda a, y: L.lstsq(a, y)[0],
            np.eye(3),
            b,
            smooth=False,
            note="repeated singular values: a forward derivative of a forward one refuses",
        ),
    ],
    "norm": [
        sample(L.norm, b, complex=True),
        sample(L.norm, STACK, complex=True),
        sample(lambda x: L.norm(x, axis=-1), STACK, complex=True),
        sample(lambda x: L.norm(x, axis=(0, 2), keepdims=True), STACK, complex=True),
        sample(lambda x: L.norm(x, "fro"), M),
        sample(lambda x: L.norm(x, 2, 0, True), M),
        sample(
            lambda x: L.norm(x, axis=1),
            np.array([[0.0, 0.0], [3.0, 4.0]]),
            smooth=False,
            note="slope 0 at 0",
        ),
        sample(L.norm, np.zeros(3), smooth=False, note="slope 0 at 0"),
        sample(L.norm, np.zeros(0)),
        sample(L.vector_norm, M),
        sample(lambda x: L.vector_norm(x, axis=(0, -1), keepdims=True), STACK),
        sample(L.matrix_norm, STACK),
    ],
    "norm_of_any_order": [
        sample(lambda x: L.norm(x, 1), b, complex=True),
        sample(lambda x: L.norm(x, np.inf, axis=1), M, complex=True),
        sample(lambda x: L.norm(x, -np.inf, axis=1, keepdims=True), M),
        sample(lambda x: L.norm(x, np.inf), np.array([1.0, -1.0, 0.5]), smooth=False, note="a tie"),
        *(
            sample(lambda x, p=p: L.norm(x, p), M, complex=True)
            for p in (1, -1, np.inf, -np.inf, 2, -2, "nuc")
        ),
        *(
            sample(lambda x, p=p: L.norm(x, p, (2, 0), True), STACK)
            for p in (1, -1, np.inf, -np.inf, 2, "nuc", None)
        ),
    ],
    "power_norm": [
        sample(lambda x: L.norm(x, 3), b, complex=True),
        sample(lambda x: L.norm(x, 0.5, axis=0), M),
        sample(lambda x: L.norm(x, -1.5, axis=-1, keepdims=True), M, complex=True),
        sample(lambda x: L.vector_norm(x, ord=2.5), M),
        sample(
            lambda x: L.norm(x, 3), np.array([0.0, 1.0, -2.0]), smooth=False, note="an entry at 0"
        ),
        sample(lambda x: L.norm(x, 3), np.zeros(2), smooth=False, note="slope 0 at 0"),
    ],
    "cond": [sample(lambda a, p=p: L.cond(a, p), M) for p in (None, 2, -2, 1, "fro", np.inf)]
    + [sample(L.cond, STACK)],
}
