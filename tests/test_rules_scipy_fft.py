"""``scipy.fft`` in plain user code: all transforms, types, norms, lengths and axes."""

import numpy as np
import pytest
from scipy import fft

import chainrule as cr
from tests.agreement import agree

RNG = np.random.default_rng(4)
X, M = RNG.normal(size=6), RNG.normal(size=(3, 4))
NORMS = (None, "ortho", "forward")


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
def test_along_one_axis(name):
    f = getattr(fft, name)
    for norm in NORMS:
        for n in (None, 1, 4, 5, 9):
            agree(lambda x, n=n, norm=norm: f(x, n, norm=norm), X)
    agree(lambda x: f(x, 5, 0, overwrite_x=True, workers=1), M)


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
def test_along_several_axes(name):
    for f in (getattr(fft, name + "2"), getattr(fft, name + "n")):
        agree(lambda x, f=f: f(x), M)
        agree(lambda x, f=f: f(x, (2, 5), norm="ortho"), M)
        agree(lambda x, f=f: f(x, axes=(1, 0)), M)
    agree(lambda x: getattr(fft, name + "n")(x, 5), M)
    agree(lambda x: getattr(fft, name + "n")(x, axes=0), M)
    agree(lambda x: getattr(fft, name + "n")(x, (-1, 3), norm="forward"), M)


@pytest.mark.parametrize("name", ["dct", "idct", "dst", "idst"])
@pytest.mark.parametrize("type", [1, 2, 3, 4])
def test_cosines_and_sines(name, type):
    f, several = getattr(fft, name), getattr(fft, name + "n")
    for norm in (*NORMS, "backward"):
        for orthogonalize in (None, False, True):
            agree(
                lambda x, k=(norm, orthogonalize): f(x, type, None, -1, k[0], orthogonalize=k[1]), X
            )
        agree(lambda x, norm=norm: f(x * (1 + 2j), type, norm=norm), X)
    agree(lambda x: f(x * (1 + 2j), type, norm="ortho", orthogonalize=False), X)
    for n in (2, 3, 9):
        agree(lambda x, n=n: f(x, type, n), X)
    agree(lambda x: f(x, type, axis=0), M)
    agree(lambda x: several(x, type), M)
    agree(lambda x: several(x, type, (2, 5), norm="ortho"), M)


def test_shifts_and_frequencies():
    for f in (fft.fftshift, fft.ifftshift):
        agree(lambda x, f=f: f(x), M)
        agree(lambda x, f=f: f(x, axes=1), M)
        agree(lambda x, f=f: f(x, axes=[0, 1]), M)
    agree(lambda x: x[: fft.next_fast_len(5)] * fft.fftfreq(5, 0.5), X[:5])


def test_operands_are_not_overwritten():
    x = X + 0j
    cr.vjp(lambda z: fft.fft(z, overwrite_x=True), x)
    assert np.array_equal(x, X)


def test_dtypes():
    for f in (fft.fft, fft.rfft, fft.irfft, fft.dct, fft.dst):
        x = X.astype("f4")
        y, pullback = cr.vjp(f, x)
        assert y.dtype == f(x).dtype and pullback(np.ones_like(y))[0].dtype == np.float32


def test_errors_are_scipys():
    for call in (
        lambda x: fft.dct(x, 7),
        lambda x: fft.dct(x, norm="wrong"),
        lambda x: fft.fft(x, norm="wrong"),
        lambda x: fft.fft(x, 0),
        lambda x: fft.rfft2(x),
    ):
        with pytest.raises(ValueError):
            call(X)
        with pytest.raises(ValueError):
            cr.grad(lambda x, call=call: abs(call(x)).sum())(X)
    with pytest.raises(NotImplementedError):
        cr.grad(lambda x: abs(fft.fft(x, plan=object())).sum())(X)
