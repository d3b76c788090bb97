"""Samples of rules/shapes.py, joins.py, indexing.py and complexparts.py."""

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from chainrule.core.primitive import FUNCTIONS
from tests.samples import sample

array = FUNCTIONS[np.array]  # np.array itself reaches us through lifting only
strided = FUNCTIONS[as_strided]

S = 0.85
V = np.array([0.35, -1.2, 0.8, 2.1])
M = np.array([[0.7, -1.3, 0.45, 1.9], [1.1, 0.6, -0.9, -0.25], [-2.2, 1.7, 0.3, 0.55]])
T = np.linspace(-1.1, 1.3, 24).reshape(2, 3, 4)
EMPTY = np.zeros((0, 4))
Z = M[0] + 1j * M[1]


def with_real_part(z, x):
    y = z * (1 + 2j)
    y.real = x * x
    return y


def with_imaginary_part(z, x):
    y = z * (1 + 2j)
    y.imag = x * x
    return y


SAMPLES = {
    "transpose": [
        sample(np.transpose, M, complex=True),
        sample(lambda x: np.transpose(x, (1, -1, 0)), T, complex=True),
        sample(lambda x: x.T * 2, V),
        sample(lambda x: x.mT, T),
        sample(lambda x: np.moveaxis(x, 0, -1), T),
        sample(np.transpose, EMPTY),
        sample(lambda x: np.einsum("ijk->kij", x), T),
    ],
    "reshape": [
        sample(lambda x: np.reshape(x, (4, -1)), M, complex=True),
        sample(lambda x: x.reshape(1, 1), S),
        sample(lambda x: np.reshape(x, (2, 6), order="F"), M),
        sample(np.ravel, T),
        sample(lambda x: np.reshape(x.T, -1), M),
        sample(lambda x: np.expand_dims(x, (0, 2)), V),
        sample(np.squeeze, M[:1]),
        sample(lambda x: x.reshape(0, 2), EMPTY),
    ],
    "broadcast_to": [
        sample(lambda x: np.broadcast_to(x, (2, 3, 4)), M[:, :1], complex=True),
        sample(lambda x: np.broadcast_to(x, 3), S),
        sample(lambda x: np.broadcast_to(x, (5, 0, 4)), EMPTY),
        sample(lambda x: np.broadcast_to(x, x.shape), M),
        sample(lambda x: np.tile(x, (2, 1, 2)), M),
        sample(lambda x: np.repeat(x, 2, axis=-1), M, complex=True),
    ],
    "windows": [
        sample(lambda x: sliding_window_view(x, 2), M[0], complex=True),
        sample(lambda x: sliding_window_view(x, (2, 3)), M),
        sample(lambda x: sliding_window_view(x, 2, axis=-1), M),
        sample(lambda x: sliding_window_view(x, (2, 2), axis=(1, 1)), M),
    ],
    "overlap_add": [sample(lambda x: sliding_window_view(x, 2), M[0])],
    "roll": [
        sample(lambda x: np.roll(x, 2), M, complex=True),
        sample(lambda x: np.roll(x, (1, -2), (0, -1)), M),
        sample(lambda x: np.roll(x, 7, axis=-1), T),
        sample(lambda x: np.roll(x, 1), np.array(S)),
        sample(lambda x: np.roll(x, 1, axis=1), EMPTY),
    ],
    "pad": [
        sample(lambda x: np.pad(x, ((1, 2), (0, 1))), M, complex=True),
        sample(lambda x: np.pad(x, 2), V),
        sample(lambda x, c: np.pad(x + 0 * c, 1, constant_values=c), M, S),
        sample(lambda x: np.pad(x, (1, 2), constant_values=(2.0, -1.0)), M),
        sample(lambda x: np.pad(x, 1), EMPTY),
        sample(lambda x: np.pad(x, 0), V),
    ],
    "diagonal": [
        sample(np.diagonal, M, complex=True),
        sample(lambda x: np.diagonal(x, -1), M),
        sample(lambda x: np.diagonal(x, 1, 0, -1), T, complex=True),
        sample(lambda x: np.diagonal(x, 9) * 1, M),
        sample(lambda x: np.trace(x, axis1=1, axis2=2), T),
        sample(lambda x: np.diag(x, 1), M),
    ],
    "embed_diagonal": [
        sample(np.diag, V, complex=True),
        sample(lambda x: np.diag(x, -2), V),
        sample(lambda x: np.diagflat(x, 1), M[:2, :2]),
    ],
    "tril": [
        sample(np.tril, M, complex=True),
        sample(lambda x: np.tril(x, 1), T),
        sample(lambda x: np.tril(x, -1), V, note="a vector is broadcast to a matrix"),
        sample(np.tril, EMPTY),
    ],
    "triu": [
        sample(np.triu, M, complex=True),
        sample(lambda x: np.triu(x, -1), T),
        sample(np.triu, V),
    ],
    "astype": [
        sample(lambda x: x.astype(complex), M),
        sample(lambda x: x.astype(np.complex128), S),
        sample(lambda x: np.astype(x, np.complex128), T),
        sample(lambda x: x.astype(np.complex128), EMPTY),
    ],
    "copy": [
        sample(np.copy, M, complex=True),
        sample(np.copy, S),
        sample(lambda x: x.copy(), EMPTY),
        sample(lambda x: x.flatten(), T),
    ],
    "array": [
        sample(lambda a, x: array([a, 2.0, x[0], a]), S, V, complex=True),
        sample(lambda a, x: array([[a, 1, x[1], 0.5], x]), S, V),
        sample(lambda x: array([[x, x], [x * 2, np.zeros(4)]]), V, complex=True),
        sample(lambda a, b: array([np.array(1.5), a, b], ndmin=2), S, 2.5),
        sample(lambda x: array([x, x]), EMPTY),
    ],
    "concatenate": [
        sample(lambda x, y: np.concatenate([x, y, x]), M, M[:1], complex=True),
        sample(lambda x, y: np.concatenate((x, y), axis=-1), M, M[:, :2]),
        sample(lambda x, y: np.concatenate((x, y), axis=None), M, S, complex=True),
        sample(lambda x: np.concatenate([np.ones(2), x, [3, 4]]), V),
        sample(lambda x, y: np.concatenate([x, y]), EMPTY, M),
        sample(lambda x: np.concatenate([x, x], dtype=complex), V),
        sample(lambda x, y: np.hstack([x, y]), V, S),
        sample(lambda x, y: np.vstack([x, y]), V, M, complex=True),
        sample(lambda x, y: np.block([[x, np.ones((3, 1))], [y, 1.0]]), M, V),
        sample(lambda x, y: np.insert(x, [0, 2], y), V, S),
        sample(lambda x: np.pad(x, 1, "linear_ramp", end_values=(1.0, 2.0)), V),
    ],
    "stack": [
        sample(lambda x, y: np.stack([x, y, x]), M, 2 * M, complex=True),
        sample(lambda x, y: np.stack([x, y], axis=-1), M, M + 1),
        sample(lambda x, y: np.stack([x, y, 2.0]), S, 0.1),
        sample(lambda x: np.stack([x, x], 1), EMPTY),
        sample(lambda x: np.vander(x, 4), V),
    ],
    "take_along_axis": [
        sample(
            lambda x: np.take_along_axis(x, np.array([[0, 0], [1, 3], [2, 2]]), 1), M, complex=True
        ),
        sample(lambda x: np.take_along_axis(x, np.array([[0, 2, 1, 1]]), -2), M),
        sample(lambda x: np.take_along_axis(x, np.array([7, 7, 1]), None), M),
        sample(lambda x: np.take_along_axis(x, np.zeros((0, 1), int), 1), EMPTY),
        sample(lambda x: np.take_along_axis(x, np.argsort(x, axis=0), 0), M),
    ],
    "add_along_axis": [
        sample(lambda x: np.take_along_axis(x, np.array([2, 2, -1]), 0), V, complex=True),
        sample(lambda x: np.take_along_axis(x, np.array([[[1], [0], [1]]]), 2), T),
    ],
    "getitem": [
        sample(lambda x: np.take(x, [3, 1, 1, -1]), M, complex=True),
        sample(lambda x: np.take(x, [[0, 2], [2, 2]], axis=-1), M),
        sample(lambda x: np.take(x, 1, axis=0), M),
        sample(lambda x: np.take(x, [5, -7], mode="wrap"), V),
        sample(lambda x: np.compress([True, False, True], x, axis=0), M),
        sample(lambda x: np.delete(x, 1, axis=1), M),
        sample(lambda x: np.pad(x, 3, "reflect"), V),
        sample(lambda x: np.resize(x, (3, 5)), M),
        sample(lambda x: np.rot90(x, 1), M, complex=True),
        sample(lambda x: np.repeat(x, [2, 0, 1], axis=0), M),
        sample(lambda x: np.split(x, 2, axis=1), M),
    ],
    "real": [
        sample(np.real, Z),
        sample(lambda z: z.real, Z.reshape(2, 2)),
        sample(np.real, Z[0]),
    ],
    "imag": [
        sample(np.imag, Z),
        sample(lambda z: z.imag * z.real, Z),
        sample(np.imag, Z[0]),
        sample(lambda z: z.imag, EMPTY + 0j),
        sample(np.angle, Z),
    ],
    "as_strided": [
        sample(lambda x: strided(x, (2, 3), (x.strides[0],) * 2), V, complex=True),
        sample(lambda x: strided(x, (3,), (sum(x.strides),)), M),
        sample(lambda x: strided(x.T, (3, 2), (x.strides[0], 0)), M, complex=True),
        sample(lambda x: strided(x, (0, 2), (8, 8)), V),
    ],
    "add_places": [sample(lambda x: strided(x, (2, 3), (x.strides[0],) * 2), M[0])],
    "from_parts": [
        sample(with_real_part, Z, M[0]),
        sample(with_real_part, Z, 0.7),
        sample(with_imaginary_part, Z, M[0]),
        sample(with_imaginary_part, EMPTY + 0j, M[0]),
    ],
    "conjugate": [
        sample(np.conj, M, complex=True),
        sample(lambda z: np.conj(z) * z, Z),
        sample(np.conjugate, Z[1]),
        sample(np.conjugate, S),
        sample(np.conjugate, EMPTY, complex=True),
    ],
}
