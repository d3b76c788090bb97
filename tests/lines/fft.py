"""Fourier, cosine and sine transforms of NumPy and SciPy."""

NORM = "<|, norm=<None|'ortho'|'forward'|'backward'>>"
AXIS = "<|, n=<1|3|6|0>><|, axis=AXIS>"
SEVERAL = "<|, s=<(2, 4)|(3,)|(2, -1)>><|, axes=<(0,)|(-1, 0)|(0, 1)|(0, 0)|None>>"
SCIPY = "<|, overwrite_x=True><|, workers=1>"
LINES = {
    "x: ? c": f"""
np.fft.<fft|ifft|irfft|hfft>(x{AXIS}{NORM})
scipy.fft.<fft|ifft|irfft|hfft>(x{AXIS}{NORM}{SCIPY})
np.fft.<fftn|ifftn|irfftn|fft2|ifft2|irfft2>(x{SEVERAL}{NORM})
scipy.fft.<fftn|ifftn|irfftn|fft2|ifft2|irfft2|hfftn|hfft2>(x{SEVERAL}{NORM}{SCIPY})
np.fft.<fftshift|ifftshift>(x<|, axes=AXES>)
scipy.fft.<fftshift|ifftshift>(x<|, axes=AXES>)
scipy.fft.<dct|dst|idct|idst>(x<|, type=<1|2|3|4>>{AXIS}{NORM}{SCIPY})
""",
    "x: ?": f"""
np.fft.<rfft|ihfft>(x{AXIS}{NORM})
scipy.fft.<rfft|ihfft>(x{AXIS}{NORM}{SCIPY})
np.fft.<rfftn|rfft2>(x{SEVERAL}{NORM})
scipy.fft.<rfftn|rfft2|ihfftn|ihfft2>(x{SEVERAL}{NORM}{SCIPY})
scipy.fft.<dctn|dstn|idctn|idstn>(x<|, type=<1|2|3|4>>{SEVERAL}{NORM}{SCIPY})
scipy.fft.<dct|dst|idct|idst>(x, orthogonalize=<True|False>{NORM})
np.fft.<fftfreq|rfftfreq>(4, d=np.sum(x) + 9)
np.fft.<fft|ifft|rfft|irfft|hfft|ihfft|fftn|rfftn>(np.atleast_1d(x), norm='other')
np.fft.fft(x, out=np.zeros(s, complex)<|, axis=AXIS>)
""",
}
