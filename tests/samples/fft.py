"""Samples of ``rules/fft.py``: odd, even and shortest lengths, all norms, cut and padded."""

import numpy as np

from tests.samples import sample

RNG = np.random.default_rng(0)
R5, R6, R1, M = (RNG.normal(size=s) for s in (5, 6, 1, (3, 4)))
C4, C3, C1, CM = (RNG.normal(size=s) + 1j * RNG.normal(size=s) for s in (4, 3, 1, (3, 4)))
NORMS = (None, "backward", "ortho", "forward")


def every_norm(f, x):
    return [sample(lambda x, norm=norm: f(x, norm=norm), x) for norm in NORMS]


def cut_and_padded(f, x):
    return [sample(lambda x, n=n: f(x, n=n), x) for n in (1, 2, 3, 7, 8)]


def along_axes(f, x):
    return [
        sample(lambda x: f(x, axis=0), x),
        sample(lambda x: f(x, 5, -2), x),
        sample(lambda x: f(x), x[:0]),
    ]


def all_of(f, vectors, matrix):
    samples = [sample(f, x) for x in vectors]
    samples += [s for x in vectors[:2] for s in (*every_norm(f, x), *cut_and_padded(f, x))]
    return samples + along_axes(f, matrix)


SAMPLES = {
    "fft": [*all_of(np.fft.fft, (R5, C4, R1), CM), sample(np.fft.fftn, M, complex=True)],
    "fft_adjoint": [*all_of(np.fft.ifft, (R5, C4, R1), CM), sample(np.fft.ifft2, M)],
    "rfft": [*all_of(np.fft.rfft, (R5, R6, R1), M), sample(np.fft.ihfft, R5)],
    "rfft_adjoint": [sample(np.fft.rfft, R5), sample(np.fft.rfft, R6)],
    "irfft": [*all_of(np.fft.irfft, (C4, C3, R6), CM), sample(np.fft.hfft, C4)],
    "irfft_adjoint": [sample(np.fft.irfft, C4), sample(lambda x: np.fft.irfft(x, 5), C4)],
}
