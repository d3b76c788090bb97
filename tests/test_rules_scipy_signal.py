"""``scipy.signal`` in plain user code: convolutions, filters, and what is SciPy's code, lifted."""

import numpy as np
import pytest
from scipy import signal

import chainrule as cr
from tests.agreement import agree

RNG = np.random.default_rng(2)
X, V, EVEN = RNG.normal(size=12), RNG.normal(size=5), RNG.normal(size=4)
IMAGE, KERNEL, WIDE = RNG.normal(size=(5, 6)), RNG.normal(size=(3, 2)), RNG.normal(size=(2, 5))
B, A = np.array([0.3, 0.5, 0.2]), np.array([1.5, -0.4, 0.1, 0.05])
FIR = np.array([2.0])
ZI = RNG.normal(size=3)
SOS = signal.butter(4, 0.3, output="sos")


MODES = ("full", "same", "valid")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("method", ["auto", "direct", "fft"])
def test_convolve(mode, method):
    for f in (signal.convolve, signal.correlate):
        for a, v in ((X, V), (X, EVEN), (V, X), (EVEN, X), (IMAGE, KERNEL), (KERNEL, IMAGE)):
            agree(lambda a, v, f=f: f(a, v, mode, method), a, v)
    agree(lambda a, v: signal.convolve(a * (1 + 2j), v * (0.5 - 1j), mode, method), X, V)
    agree(lambda a, v: signal.correlate(a * (1 + 2j), v * (0.5 - 1j), mode, method), X, EVEN)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("f", [signal.fftconvolve, signal.oaconvolve])
def test_by_transform(f, mode):
    agree(lambda a, v: f(a, v, mode), X, V)
    agree(lambda a, v: f(a, v, mode), IMAGE, KERNEL)
    agree(lambda a, v: f(a, v, mode, axes=1), IMAGE, IMAGE[:, :3])
    agree(lambda a, v: f(a, v, mode, axes=[-1]), IMAGE, IMAGE[:1, :3])
    agree(lambda a: f(a, np.arange(3.0), mode), X)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("boundary", ["fill", "wrap", "symm"])
def test_in_two_dimensions(mode, boundary):
    for f in (signal.convolve2d, signal.correlate2d):
        for a, v in ((IMAGE, KERNEL), (IMAGE, WIDE), (KERNEL, IMAGE), (IMAGE, IMAGE[:4, :4])):
            agree(lambda a, v, f=f: f(a, v, mode, boundary), a, v)
    agree(lambda a: signal.convolve2d(a, KERNEL, mode, boundary, fillvalue=1.5), IMAGE)
    agree(lambda a, v: signal.correlate2d(a * 1j, v * (1 + 1j), mode, boundary), IMAGE, WIDE)


FILTERS = {
    "lfilter": lambda b, a, x: signal.lfilter(b, a, x),
    "lfilter of rows": lambda b, a, x: signal.lfilter(b, a, x.reshape(3, 4)),
    "lfilter of columns": lambda b, a, x: signal.lfilter(b, a, x.reshape(4, 3), axis=0),
    "lfilter, one coefficient": lambda b, a, x: signal.lfilter(b, a[:1], x),
    "lfilter, a number": lambda b, a, x: signal.lfilter(b[0], a, x),
    "lfilter, short signal": lambda b, a, x: signal.lfilter(b, a, x[:2]),
    "lfilter, complex": lambda b, a, x: signal.lfilter(b * 1j, a, x * (1 + 1j)),
    "lfilter with states": lambda b, a, x: signal.lfilter(b, a, x, zi=x[:3]),
    "lfilter with states, short": lambda b, a, x: signal.lfilter(b, a, x[:2], zi=x[:3]),
    "lfilter with states of rows": lambda b, a, x: signal.lfilter(
        b, a, x.reshape(3, 4), zi=x[:9].reshape(3, 3)
    ),
    "lfilter with states, no feedback": lambda b, a, x: signal.lfilter(b, a[:1], x, zi=x[:2]),
    "deconvolve": lambda b, a, x: signal.deconvolve(x, a),
    "filtfilt": lambda b, a, x: signal.filtfilt(b, a, x, padlen=5),
    "filtfilt even": lambda b, a, x: signal.filtfilt(b, a, x, padtype="even", padlen=3),
    "freqz": lambda b, a, x: signal.freqz(b, a, worN=8)[1],
    "lfilter_zi": lambda b, a, x: signal.lfilter_zi(b, a),
    "lfilter_zi of a longer b": lambda b, a, x: signal.lfilter_zi(x[:5], a[:2]),
    "upfirdn": lambda b, a, x: signal.upfirdn(b, x, up=3, down=2),
    "upfirdn of columns": lambda b, a, x: signal.upfirdn(b, x.reshape(4, 3), 2, axis=0),
}


@pytest.mark.parametrize("name", FILTERS)
def test_filters(name):
    agree(FILTERS[name], B, A, X)


SIGNALS = {
    "sosfilt": lambda x: signal.sosfilt(SOS, x),
    "sosfilt with states": lambda x: signal.sosfilt(SOS, x, zi=x[:4].reshape(2, 2)),
    "sosfiltfilt": lambda x: signal.sosfiltfilt(SOS, x, padlen=4),
    "hilbert": lambda x: signal.hilbert(x),
    "envelope": lambda x: np.abs(signal.hilbert(x)),
    "detrend": lambda x: signal.detrend(x),
    "detrend constant": lambda x: signal.detrend(x, type="constant"),
    "resample": lambda x: signal.resample(x, 7),
    "resample_poly": lambda x: signal.resample_poly(x, 3, 2),
    "decimate": lambda x: signal.decimate(x, 2, n=2, ftype="fir"),
    "periodogram": lambda x: signal.periodogram(x)[1],
    "welch": lambda x: signal.welch(x, nperseg=6)[1],
    "csd": lambda x: signal.csd(x, x[::-1], nperseg=6)[1],
    "stft": lambda x: signal.stft(x, nperseg=4)[2],
}


@pytest.mark.parametrize("name", SIGNALS)
def test_signals(name):
    agree(SIGNALS[name], X)


def test_sections_are_differentiable():
    def f(c):
        return signal.sosfilt(np.array([[c[0], c[1], c[2], 1.0, c[3], c[4]]] * 2), X)

    agree(f, np.array([0.3, 0.4, 0.1, -0.2, 0.1]))


def test_dtypes_and_numbers():
    y, pullback = cr.vjp(lambda a: signal.convolve(a, V.astype("f4")), X.astype("f4"))
    assert y.dtype == np.float32 and pullback(np.ones_like(y))[0].dtype == np.float32
    assert cr.grad(lambda a: signal.convolve(a, 3.0))(np.float64(2.0)) == 3.0


def test_errors_are_scipys():
    for call in (
        lambda a: signal.convolve(a, IMAGE),
        lambda a: signal.convolve(a, V, "wrong"),
        lambda a: signal.fftconvolve(a, V, axes=3),
        lambda a: signal.convolve2d(a, V),
        lambda a: signal.lfilter([], [1.0], a),
    ):
        with pytest.raises(ValueError) as want:
            call(X)
        with pytest.raises(ValueError, match=str(want.value)[:20]):
            cr.grad(lambda a, call=call: call(a).sum())(X)
    with pytest.raises(cr.NoRuleError, match="upfirdn"):
        cr.grad(lambda a: signal.upfirdn(V, a, mode="symmetric").sum())(X)
