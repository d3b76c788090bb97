"""Filters and spectra of ``scipy.signal``; its convolutions are with the products."""

LINES = {
    "x: n k full short": """
signal.lfilter([0.3, 0.5, 0.2], <[1.5, -0.4]|2.0|[2.0]>, x<|, axis=AXIS>)
signal.lfilter([0.3, 0.5], [1.5, -0.4], x[:, 0], zi=<[0.2]|x[0, :1]>)
signal.lfilter_zi([0.3, 0.5, x[0, 0]], [1.5, -0.4, 0.1])
signal.sosfilt(signal.butter(4, 0.3, output='sos'), x<|, axis=AXIS>)
signal.<detrend>(x<|, axis=AXIS><|, type=<'linear'|'constant'>>)
""",
    "x: 12 short": """
signal.<filtfilt>([0.3, 0.5], [1.5, -0.4], x<|, padlen=3>)
signal.hilbert(x)
signal.welch(x, nperseg=6)[1]
signal.resample(x, <6|15>)
signal.decimate(x, 2<|, ftype='fir'>)
""",
    "x: 3 c short, y: 2 c short": """
signal.lfilter(x, np.r_[3.0, y], [1.0, 0.5, -0.7, 0.2])
signal.freqz(x, np.r_[3.0, y], worN=4)[1]
""",
}
