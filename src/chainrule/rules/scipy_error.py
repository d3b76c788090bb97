"""``scipy.special``: error functions, the normal distribution, Voigt's profile, Kolmogorov."""

import numpy as np
from scipy import special

from chainrule.core.primitive import elementwise, together
from chainrule.rules.scipy_parameters import PARAMETER, above, horner, pick

SQRT_PI = float(np.sqrt(np.pi))
SQRT_2PI = float(np.sqrt(2.0 * np.pi))
SQRT_2 = float(np.sqrt(2.0))
TWO_OVER_SQRT_PI = 2.0 / SQRT_PI

elementwise(special.erf, x=lambda x: TWO_OVER_SQRT_PI * np.exp(-x * x))
elementwise(special.erfc, x=lambda x: -TWO_OVER_SQRT_PI * np.exp(-x * x))
elementwise(special.erfcx, x=lambda x, y: _erfcx_slope(x, y))
elementwise(special.erfi, x=lambda x: TWO_OVER_SQRT_PI * np.exp(x * x))
elementwise(special.dawsn, x=lambda x, y: _dawsn_slope(x, y))
elementwise(special.wofz, z=lambda z, y: 1j * TWO_OVER_SQRT_PI - 2 * z * y)
elementwise(special.erfinv, x=lambda y: SQRT_PI / 2 * np.exp(y * y))
elementwise(special.erfcinv, x=lambda y: -SQRT_PI / 2 * np.exp(y * y))
elementwise(special.ndtr, x=lambda x: np.exp(-0.5 * x * x) / SQRT_2PI)
elementwise(special.log_ndtr, x=lambda x: _mills(x))
elementwise(special.ndtri, x=lambda y: SQRT_2PI * np.exp(0.5 * y * y))
elementwise(special.ndtri_exp, x=lambda y: 1 / _mills(y))
elementwise(
    special.owens_t,
    h=lambda h, a: -np.exp(-0.5 * h * h) * special.erf(a * h / SQRT_2) / (2 * SQRT_2PI),
    a=lambda h, a: np.exp(-0.5 * h * h * (1 + a * a)) / (2 * np.pi * (1 + a * a)),
)

# U(1, 1/2, z) ~ (1/z) sum_k (3/2)_k (-1/z)^k, to rounding for z > 100
_TAIL = [float(np.prod(-1.5 - np.arange(k))) for k in range(14)]


def _erfcx_slope(x, y):
    """2 x y - 2/sqrt(pi), whose terms cancel for large x: there -U(1, 1/2, x^2) / sqrt(pi)."""
    if x.dtype.kind == "c":
        return 2 * x * y - TWO_OVER_SQRT_PI

    def tail():
        far = 1 / above(x, 10.0) ** 2
        return -far * horner(far, _TAIL) / SQRT_PI

    return pick(x > 10, tail, lambda: 2 * x * y - TWO_OVER_SQRT_PI, x, y)


def _dawsn_slope(x, y):
    """1 - 2 x y, and its expansion for large |x|."""
    if x.dtype.kind == "c":
        return 1 - 2 * x * y

    def tail():
        far = 1 / above(np.abs(x), 10.0) ** 2
        return -0.5 * far * horner(-far, _TAIL)

    return pick(np.abs(x) > 10, tail, lambda: 1 - 2 * x * y, x, y)


def _mills(x):
    """pdf(x) / cdf(x) of the normal distribution, by erfcx: no cancellation in the lower tail."""
    return SQRT_2 / SQRT_PI / special.erfcx(x / -SQRT_2)


# ---------------------------------------------------------------- Voigt's profile

together(
    special.voigt_profile,
    lambda slots, x, sigma, gamma, y: _voigt_partials(slots, x, sigma, gamma, y),
    x=lambda x, sigma, gamma: _voigt_slopes(x, sigma, gamma)[0],
    sigma=lambda x, sigma, gamma, y: _voigt_width(x, sigma, gamma, y),
    gamma=lambda x, sigma, gamma: _voigt_slopes(x, sigma, gamma)[1],
)
_CURVE = [(k + 1) * float(np.prod(1.5 + np.arange(k))) for k in range(14)]


def _voigt_places(x, sigma, gamma):
    """c = x + i gamma; whether |c| is so large that expansions in sigma / c hold; z and w' else.

    V = Re w(z) / (sigma sqrt(2 pi)), z = c / (sigma sqrt 2), w = e^(-z^2) + i z^-1 / sqrt(pi) + ...
    """
    c = x + 1j * gamma
    far = np.abs(c) > 14.2 * sigma
    width = np.where(far, 1.0, sigma)
    z = np.where(far, 0.0, c) / (width * SQRT_2)
    return np.where(far, c, 1.0), far, width, z, 1j * TWO_OVER_SQRT_PI - 2 * z * special.wofz(z)


def _voigt_partials(slots, x, sigma, gamma, y):
    """All of them with one evaluation of w."""
    places = _voigt_places(x, sigma, gamma)
    by_x, by_gamma = _voigt_slopes(x, sigma, gamma, places)
    return [
        _voigt_width(x, sigma, gamma, y, places) if i == 1 else (by_x, None, by_gamma)[i]
        for i in slots
    ]


def _voigt_slopes(x, sigma, gamma, places=None):
    """Slopes in x and gamma, Re and Re i of w'(z) / (2 sigma^2 sqrt(pi)), w' = 2i/sqrt(pi) - 2 z w,
    whose terms cancel for large z: there -i / (pi c^2) sum_k (3/2)_k (2 sigma^2 / c^2)^k."""
    c, far, width, _z, w_slope = places or _voigt_places(x, sigma, gamma)

    def tail():
        return -1j * horner(-2 * sigma * sigma / (c * c), _TAIL) / (np.pi * c * c)

    operands = x, sigma, gamma
    slope = pick(far, tail, lambda: w_slope / (2 * width * width * SQRT_PI), *operands)
    gauss = far & (gamma == 0)
    real = pick(gauss, lambda: _gauss_slope(x, sigma), lambda: np.real(slope) + 0.0, *operands)
    return real, -np.imag(slope)


def _gauss_slope(x, sigma):
    width = np.where(sigma == 0, 1.0, sigma)
    return np.where(
        sigma == 0, 0.0, -x * np.exp(-0.5 * (x / width) ** 2) / (SQRT_2PI * width * width * width)
    )


def _voigt_width(x, sigma, gamma, y, places=None):
    """The profile solves the heat equation, dV/dsigma = sigma d^2V/dx^2."""
    c, far, width, z, w_slope = places or _voigt_places(x, sigma, gamma)

    def beyond():
        tail = 2j * sigma * horner(2 * sigma * sigma / (c * c), _CURVE) / (np.pi * c * c * c)
        gauss = y * ((x / sigma) ** 2 - 1) / sigma
        return np.where((gamma == 0) & (y > 0), gauss, np.real(tail))

    def near():
        return -y / width - np.real(z * w_slope) / (width * width * SQRT_2PI)

    return pick(far, beyond, near, x, sigma, gamma, y)


# ---------------------------------------------------------------- Kolmogorov and Smirnov

elementwise(special.kolmogorov, x=lambda x: _kolmogorov_slope(x))
elementwise(special.kolmogi, p=lambda y: 1 / _kolmogorov_slope(y))
elementwise(special.smirnov, n=PARAMETER, d=lambda n, d: special._ufuncs._smirnovp(n, d))
elementwise(special.smirnovi, n=PARAMETER, p=lambda n, y: 1 / special._ufuncs._smirnovp(n, y))


def _kolmogorov_slope(x):
    """Of 2 sum (-1)^(k-1) e^(-2 k^2 x^2), and for small x of its theta transform
    1 - sqrt(2 pi) / x sum_(k odd) e^(-k^2 pi^2 / (8 x^2))."""

    def below():
        small = above(np.where(x < 1, x, 1.0), 0.03)
        total = 0.0
        for k in range(1, 6):
            q = ((2 * k - 1) * np.pi / (2 * small)) ** 2
            total = total - np.exp(-q / 2) * (q - 1)
        return SQRT_2PI * total / (small * small)

    def beyond():
        large = above(x, 1.0)
        terms = [(-1) ** k * k * k * np.exp(-2 * (k * large) ** 2) for k in range(1, 6)]
        return 8 * large * sum(terms)

    return pick(x < 1, below, beyond, x)
