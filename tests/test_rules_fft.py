"""``np.fft``: conventions, memory, dtypes and errors; the transforms themselves are samples."""

import numpy as np
import pytest

import chainrule as cr
from tests.agreement import agree

X = np.array([0.7, -1.3, 0.45, 1.9, 0.2])
M = X[:4].reshape(2, 2)


def test_the_gradient_is_the_adjoint_transform():
    """<g, F x> = <F^H g, x>, and F^H is n times the inverse; of a real x only the real part."""
    g = np.array([1 + 2j, 0.5, -1j, 0.3, 2.0])
    _, pullback = cr.vjp(np.fft.fft, X + 0j)
    np.testing.assert_allclose(pullback(g)[0], 5 * np.fft.ifft(g), rtol=1e-14)
    _, pullback = cr.vjp(np.fft.fft, X)
    np.testing.assert_allclose(pullback(g)[0], (5 * np.fft.ifft(g)).real, rtol=1e-14)


def test_parseval():
    """The sum of |F x|^2 is n |x|^2: gradient 2 n x, second derivative 2 n."""

    def power(x):
        return np.sum(np.abs(np.fft.fft(x)) ** 2)

    np.testing.assert_allclose(cr.grad(power)(X), 10 * X, rtol=1e-13)
    np.testing.assert_allclose(cr.hvp(power, X, X[::-1]), 10 * X[::-1], rtol=1e-13)


def test_what_a_half_transform_ignores_has_slope_zero():
    """irfft does not look at the imaginary parts of the first and, of an even length, the last."""
    z = np.array([1 + 2j, 0.5 - 1j, 2 + 1j])
    for n, ends in ((4, [0, 2]), (5, [0])):
        bar = cr.vjp(lambda z, n=n: np.fft.irfft(z, n), z)[1](np.arange(float(n)))[0]
        assert not bar[ends].imag.any() and bar[1].imag != 0


def test_filters_by_transform():
    agree(lambda x: np.fft.irfft(np.fft.rfft(x, 8) * np.fft.rfft(x[:2], 8)), X)
    agree(lambda x: np.fft.ifft2(np.fft.fft2(x) * (1 + 2j)), M)
    agree(lambda x: np.fft.fftshift(np.fft.fft(np.exp(1j * x)), axes=0), X)


def test_out():
    def f(x):
        out = np.zeros(5, complex)
        assert np.fft.fft(x, out=out) is out
        return out

    agree(f, X)


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft", "fftn", "rfftn"])
def test_float32_stays_float32(name):
    f = getattr(np.fft, name)
    y, pullback = cr.vjp(f, X.astype("f4"))
    assert y.dtype == f(X.astype("f4")).dtype and pullback(np.ones_like(y))[0].dtype == "f4"


ERRORS = [
    lambda x: np.fft.fft(x, 0),
    lambda x: np.fft.irfft(x[:1]),
    lambda x: np.fft.fft(x, axis=1),
    lambda x: np.fft.fft(x, norm="wrong"),
    lambda x: np.fft.hfft(x, norm="wrong"),
    lambda x: np.fft.fft2(x),
    lambda x: np.fft.fftn(x, s=(1, 2), axes=(0,)),
    lambda x: np.fft.rfft(x + 0j),
]


@pytest.mark.parametrize("call", ERRORS)
def test_errors_are_numpys(call):
    with pytest.raises((ValueError, IndexError, TypeError)) as want:
        call(X)
    with pytest.raises(type(want.value)) as got:
        cr.grad(lambda x: np.sum(np.abs(call(x))))(X)
    assert str(got.value).split("\n")[0] == str(want.value)


def test_deprecations_are_numpys():
    with pytest.warns(DeprecationWarning, match="axes"):
        cr.vjp(lambda x: np.fft.fftn(x, s=(2,)), M)
