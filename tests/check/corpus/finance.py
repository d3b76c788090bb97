"""Finance: calibration of option prices, yield curves, portfolios, simulated pay-offs."""

import numpy as np
from scipy.special import ndtr, wofz

from tests.check.corpus.base import pair, sigmoid, softmax, softplus

rng = np.random.default_rng(15)


def normal(*shape, scale=1.0):
    return scale * rng.standard_normal(shape)


# --- implied volatility: a parabola in log strike, fitted to call prices

SPOT, RATE, EXPIRY = 100.0, 0.02, 0.75
STRIKES = np.array([80.0, 90.0, 95.0, 100.0, 105.0, 110.0, 125.0])
MARKET = np.array([22.3, 13.9, 10.4, 7.6, 5.3, 3.6, 1.2])
MONEYNESS = np.log(STRIKES / SPOT)


def call(vol, cdf):
    root = vol * np.sqrt(EXPIRY)
    d1 = (RATE * EXPIRY - MONEYNESS) / root + root / 2
    return SPOT * cdf(d1) - STRIKES * np.exp(-RATE * EXPIRY) * cdf(d1 - root)


def calibration(c, cdf=ndtr):
    vol = c[0] + c[1] * MONEYNESS + c[2] * MONEYNESS**2
    return 0.5 * np.mean((call(vol, cdf) - MARKET) ** 2)


def calibration_exact(c):
    """The normal distribution function of complex numbers, by Faddeeva's w."""
    return calibration(c, lambda z: 1 - 0.5 * np.exp(-z * z / 2) * wofz(1j * z / np.sqrt(2)))


def calibration_gradient(c):
    vol = c[0] + c[1] * MONEYNESS + c[2] * MONEYNESS**2
    root = vol * np.sqrt(EXPIRY)
    d1 = (RATE * EXPIRY - MONEYNESS) / root + root / 2
    vega = SPOT * np.sqrt(EXPIRY) * np.exp(-0.5 * d1**2) / np.sqrt(2 * np.pi)
    dvol = (call(vol, ndtr) - MARKET) * vega / len(STRIKES)
    return np.array([dvol.sum(), dvol @ MONEYNESS, dvol @ MONEYNESS**2])


CALIBRATION = pair(
    calibration,
    calibration_gradient,
    np.array([0.22, -0.1, 0.3]),
    exact=calibration_exact,
    bugs={
        "d2 for d1": ("np.exp(-0.5 * d1**2)", "np.exp(-0.5 * (d1 - root) ** 2)"),
        "strike for spot": ("vega = SPOT *", "vega = STRIKES *"),
        "root of time forgotten": ("SPOT * np.sqrt(EXPIRY) *", "SPOT *"),
        "distribution for density": ("np.exp(-0.5 * d1**2) / np.sqrt(2 * np.pi)", "ndtr(d1)"),
        "half in the exponent": ("np.exp(-0.5 * d1**2)", "np.exp(-(d1**2))"),
        "drift forgotten": ("(RATE * EXPIRY - MONEYNESS) / root", "-MONEYNESS / root"),
        "mean forgotten": (" / len(STRIKES)", ""),
        "slope for curvature": (
            "dvol @ MONEYNESS, dvol @ MONEYNESS**2",
            "dvol @ MONEYNESS**2, dvol @ MONEYNESS",
        ),
    },
    tiny={
        "density's constant with four digits": ("/ np.sqrt(2 * np.pi)", "* 0.39894"),
        "pi with five digits": ("np.sqrt(2 * np.pi)", "np.sqrt(2 * 3.1415)"),
    },
)


# --- a yield curve by Nelson and Siegel, bond prices weighted by duration

TERMS = np.array([0.5, 1, 2, 3, 5, 7, 10, 20.0])
YIELDS = np.array([1.1, 1.3, 1.7, 2.0, 2.4, 2.6, 2.8, 2.9])


def nelson_siegel(b, logt):
    s = TERMS / np.exp(logt)
    e = np.exp(-s)
    slope = (1 - e) / s
    return np.mean((b[0] + b[1] * slope + b[2] * (slope - e) - YIELDS) ** 2)


def nelson_siegel_gradient(b, logt):
    s = TERMS / np.exp(logt)
    e = np.exp(-s)
    slope = (1 - e) / s
    r = b[0] + b[1] * slope + b[2] * (slope - e) - YIELDS
    dr = 2 * r / len(r)
    db = np.array([dr.sum(), dr @ slope, dr @ (slope - e)])
    dslope = e / s - (1 - e) / s**2
    ds = dr * (b[1] * dslope + b[2] * (dslope + e))
    return db, -ds @ s


CURVE = pair(
    nelson_siegel,
    nelson_siegel_gradient,
    np.array([3.1, -2.2, 0.4]),
    0.6,
    bugs={
        "quotient rule: first term": ("e / s - (1 - e) / s**2", "-(1 - e) / s**2"),
        "quotient rule: second term": ("e / s - (1 - e) / s**2", "e / s"),
        "quotient rule: sign": ("e / s - (1 - e) / s**2", "e / s + (1 - e) / s**2"),
        "hump: exponential forgotten": ("b[2] * (dslope + e)", "b[2] * dslope"),
        "hump: sign": ("b[2] * (dslope + e)", "b[2] * (dslope - e)"),
        "scale's sign": ("-ds @ s", "ds @ s"),
        "scale: chain": ("-ds @ s", "-ds @ np.ones_like(s)"),
        "factor 2": ("2 * r / len(r)", "r / len(r)"),
    },
)


# --- a portfolio: softmax weights, Sharpe ratio, smoothed trading costs

HISTORY = normal(24, 4, scale=0.04) + np.array([0.01, 0.008, 0.012, 0.004])
HELD = np.array([0.4, 0.3, 0.2, 0.1])
COST = 2e-2


def sharpe(z):
    w = softmax(z)
    r = HISTORY @ w
    mean = r.mean()
    trade = np.sum(np.sqrt((w - HELD) ** 2 + 1e-4))
    return -mean / np.sqrt(np.mean((r - mean) ** 2)) + COST * trade


def sharpe_gradient(z):
    w = softmax(z)
    r = HISTORY @ w
    mean = r.mean()
    s = np.sqrt(np.mean((r - mean) ** 2))
    dr = -(1 / s - mean * (r - mean) / s**3) / len(r)
    d = w - HELD
    dw = HISTORY.T @ dr + COST * d / np.sqrt(d**2 + 1e-4)
    return w * (dw - w @ dw)


SHARPE = pair(
    sharpe,
    sharpe_gradient,
    normal(4),
    bugs={
        "deviation detached": ("- mean * (r - mean) / s**3", "+ 0 * r"),
        "deviation: power": ("/ s**3", "/ s**2"),
        "deviation: sign": ("(1 / s - mean", "(1 / s + mean"),
        "softmax: sum": ("w * (dw - w @ dw)", "w * dw"),
        "softmax: diagonal": ("w * (dw - w @ dw)", "w * (1 - w) * dw"),
        "costs forgotten": (" + COST * d / np.sqrt(d**2 + 1e-4)", ""),
        "costs: not smoothed": ("d / np.sqrt(d**2 + 1e-4)", "np.sign(d)"),
        "sign": ("dr = -(1 / s", "dr = (1 / s"),
    },
    tiny={"smoothing of the costs": ("np.sqrt(d**2 + 1e-4)", "np.sqrt(d**2 + 1.1e-4)")},
)


# --- an Asian option by simulated paths: pathwise Greeks of a smoothed pay-off

SHOCKS = normal(40, 6)
STEP = 1 / 12


def asian(spot, vol, rate):
    paths = np.cumsum((rate - 0.5 * vol**2) * STEP + vol * np.sqrt(STEP) * SHOCKS, axis=1)
    average = np.mean(spot * np.exp(paths), axis=1)
    return np.exp(-rate * 6 * STEP) * np.mean(softplus(average - 100.0))


def asian_gradient(spot, vol, rate):
    paths = np.cumsum((rate - 0.5 * vol**2) * STEP + vol * np.sqrt(STEP) * SHOCKS, axis=1)
    prices = spot * np.exp(paths)
    average = prices.mean(axis=1)
    discount = np.exp(-rate * 6 * STEP)
    value = discount * np.mean(softplus(average - 100.0))
    dprices = (discount * sigmoid(average - 100.0) / 40)[:, None] * prices / 6
    times = STEP * np.arange(1, 7)
    walk = np.sqrt(STEP) * np.cumsum(SHOCKS, axis=1)
    dspot = dprices.sum() / spot
    dvol = np.sum(dprices * (walk - vol * times))
    return dspot, dvol, np.sum(dprices * times) - 6 * STEP * value


ASIAN = pair(
    asian,
    asian_gradient,
    101.0,
    0.25,
    0.03,
    bugs={
        "rho: discount forgotten": (" - 6 * STEP * value", ""),
        "rho: drift forgotten": ("np.sum(dprices * times) - 6", "-6"),
        "vega: drift forgotten": ("(walk - vol * times)", "walk"),
        "vega: half of the drift": ("(walk - vol * times)", "(walk - 0.5 * vol * times)"),
        "vega: steps not summed": ("np.cumsum(SHOCKS, axis=1)", "SHOCKS"),
        "times off by one": ("np.arange(1, 7)", "np.arange(6)"),
        "pay-off not smoothed": ("sigmoid(average - 100.0)", "(average > 100.0)"),
        "not discounted": ("(discount * sigmoid", "(sigmoid"),
    },
)

PAIRS = [CALIBRATION, CURVE, SHARPE, ASIAN]
