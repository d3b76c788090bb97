"""Statistics: generalised linear models, survival, ordinal and count data, time series."""

import numpy as np
from scipy.special import digamma, gammaln, loggamma

from tests.check.corpus.base import logsumexp, pair, sigmoid, softplus

rng = np.random.default_rng(11)
X = rng.standard_normal((15, 3))
PENALTY, RIDGE = 1e-5, 1e-4


def normal(*shape, scale=1.0):
    return scale * rng.standard_normal(shape)


# --- Cox: partial likelihood by Breslow, with ties and censoring

TIMES = np.array([5, 3, 8, 3, 9, 1, 7, 2, 6, 4, 10, 2, 12, 11, 5])
DIED = rng.random(15) < 0.7
AT_RISK = TIMES[:, None] <= TIMES  # [i, j]: j is at risk when i dies


def cox(b):
    s = X @ b
    return -np.sum(DIED * (s - logsumexp(np.where(AT_RISK, s, -1e9)))) + 0.5 * RIDGE * b @ b


def cox_gradient(b):
    s = X @ b
    weights = np.where(AT_RISK, np.exp(s), 0)
    mean = weights @ X / weights.sum(axis=1, keepdims=True)
    return -np.sum(DIED[:, None] * (X - mean), axis=0) + RIDGE * b


COX = pair(
    cox,
    cox_gradient,
    normal(3),
    bugs={
        "censored counted as deaths": ("DIED[:, None] * (X - mean)", "(X - mean)"),
        "risk set: later ones excluded": (
            "np.where(AT_RISK, np.exp(s), 0)",
            "np.where(AT_RISK.T, np.exp(s), 0)",
        ),
        "ties left out of the risk set": (
            "np.where(AT_RISK,",
            "np.where(TIMES > TIMES[:, None] - np.eye(15),",
        ),
        "unweighted mean": ("np.where(AT_RISK, np.exp(s), 0)", "AT_RISK * 1.0"),
        "mean forgotten": ("(X - mean)", "X"),
        "sign": ("return -np.sum", "return np.sum"),
        "sum over everybody": (
            "weights @ X / weights.sum(axis=1, keepdims=True)",
            "weights @ X / weights.sum()",
        ),
        "censored left out of the risk set": (
            "np.where(AT_RISK, np.exp(s), 0)",
            "np.where(AT_RISK & DIED, np.exp(s), 0)",
        ),
    },
    tiny={"ridge forgotten": (" + RIDGE * b", "")},
)


# --- Weibull, accelerated failure times with right censoring

LIFE = TIMES / 3.0


def weibull(b, logk):
    k = np.exp(logk)
    z = k * (np.log(LIFE) - X @ b)
    return -np.sum(DIED * (logk + z - np.log(LIFE)) - np.exp(z))


def weibull_gradient(b, logk):
    k = np.exp(logk)
    z = k * (np.log(LIFE) - X @ b)
    dz = np.exp(z) - DIED
    return -k * X.T @ dz, dz @ z - DIED.sum()


WEIBULL = pair(
    weibull,
    weibull_gradient,
    normal(3, scale=0.5),
    0.2,
    bugs={
        "censoring ignored": ("np.exp(z) - DIED", "np.exp(z) - 1"),
        "hazard of the dead only": ("np.exp(z) - DIED", "DIED * (np.exp(z) - 1)"),
        "shape: chain through the log": ("dz @ z - DIED.sum()", "dz @ z / k - DIED.sum()"),
        "shape: Jacobian forgotten": ("dz @ z - DIED.sum()", "dz @ z"),
        "shape: everybody counted": ("- DIED.sum()", "- len(DIED)"),
        "scale forgotten": ("-k * X.T", "-X.T"),
        "sign": ("-k * X.T", "k * X.T"),
    },
)


# --- Poisson regression with exposure, and negative binomial with its dispersion

COUNTS = rng.poisson(2.0, 15)
EXPOSURE = rng.random(15) + 0.5


def negative_binomial(b, loga):
    r = np.exp(-loga)
    m = EXPOSURE * np.exp(X @ b)
    ll = gammaln(COUNTS + r) - gammaln(r) - gammaln(COUNTS + 1)
    return -np.sum(ll + r * np.log(r / (r + m)) + COUNTS * np.log(m / (r + m)))


def negative_binomial_exact(b, loga):
    r = np.exp(-loga)
    m = EXPOSURE * np.exp(X @ b)
    ll = loggamma(COUNTS + r) - loggamma(r) - gammaln(COUNTS + 1)
    return -np.sum(ll + r * np.log(r / (r + m)) + COUNTS * np.log(m / (r + m)))


def negative_binomial_gradient(b, loga):
    r = np.exp(-loga)
    m = EXPOSURE * np.exp(X @ b)
    db = -X.T @ (r * (COUNTS - m) / (r + m))
    dr = digamma(COUNTS + r) - digamma(r) + np.log(r / (r + m)) + (m - COUNTS) / (r + m)
    return db, r * dr.sum()


BINOMIAL = pair(
    negative_binomial,
    negative_binomial_gradient,
    normal(3, scale=0.4),
    -0.3,
    exact=negative_binomial_exact,
    bugs={
        "Poisson's residual": ("r * (COUNTS - m) / (r + m)", "(COUNTS - m)"),
        "exposure forgotten": ("m = EXPOSURE * np.exp(X @ b)", "m = np.exp(X @ b)"),
        "digamma of r forgotten": (" - digamma(r)", ""),
        "quotient's term": (" + (m - COUNTS) / (r + m)", ""),
        "dispersion: sign of the log": ("r * dr.sum()", "-r * dr.sum()"),
        "dispersion: chain": ("r * dr.sum()", "dr.sum()"),
        "variance of the mean": ("/ (r + m))\n", "/ (r + m * m))\n"),
    },
    tiny={
        "digamma by a difference": ("- digamma(r)", "- (gammaln(r + 1e-6) - gammaln(r)) / 1e-6"),
    },
)


# --- ordered logit: thresholds t1 < t2 as t1, log of the gap

GRADES = rng.integers(0, 3, 15)


def ordered_logit(b, first, gap):
    s, t = X @ b, np.stack([first, first + np.exp(gap)])
    low = np.where(GRADES == 0, 0.0, sigmoid(t[np.maximum(GRADES - 1, 0)] - s))
    high = np.where(GRADES == 2, 1.0, sigmoid(t[np.minimum(GRADES, 1)] - s))
    return -np.sum(np.log(high - low))


def ordered_logit_gradient(b, first, gap):
    s, t = X @ b, np.stack([first, first + np.exp(gap)])
    low = np.where(GRADES == 0, 0.0, sigmoid(t[np.maximum(GRADES - 1, 0)] - s))
    high = np.where(GRADES == 2, 1.0, sigmoid(t[np.minimum(GRADES, 1)] - s))
    dhigh = -high * (1 - high) / (high - low)
    dlow = low * (1 - low) / (high - low)
    d1 = np.sum(dhigh * (GRADES == 0)) + np.sum(dlow * (GRADES == 1))
    d2 = np.sum(dhigh * (GRADES == 1)) + np.sum(dlow * (GRADES == 2))
    return -X.T @ (dhigh + dlow), d1 + d2, d2 * np.exp(gap)


ORDERED = pair(
    ordered_logit,
    ordered_logit_gradient,
    normal(3),
    -0.5,
    0.1,
    bugs={
        "first threshold: its effect on the second": ("d1 + d2,", "d1,"),
        "gap: chain through exp": ("d2 * np.exp(gap)", "d2"),
        "lower threshold forgotten": ("-X.T @ (dhigh + dlow)", "-X.T @ dhigh"),
        "lower threshold's sign": ("dlow = low", "dlow = -low"),
        "not divided by the probability": (
            "-high * (1 - high) / (high - low)",
            "-high * (1 - high)",
        ),
        "classes off by one": ("np.sum(dhigh * (GRADES == 1))", "np.sum(dhigh * (GRADES == 2))"),
        "sign": ("return -X.T", "return X.T"),
    },
)


# --- gamma regression by deviance with a log link; quantile loss, smoothed

POSITIVE = np.exp(normal(15, scale=0.6))
TAU, WIDTH = 0.8, 0.05


def quantile(b, c):
    r = np.log(POSITIVE) - X @ b - c
    return np.mean(TAU * r + WIDTH * softplus(-r / WIDTH)) + PENALTY * b @ b


def quantile_gradient(b, c):
    r = np.log(POSITIVE) - X @ b - c
    dr = (TAU - sigmoid(-r / WIDTH)) / len(r)
    return -X.T @ dr + 2 * PENALTY * b, -dr.sum()


QUANTILE = pair(
    quantile,
    quantile_gradient,
    normal(3, scale=0.5),
    0.1,
    bugs={
        "the other quantile": ("TAU - sigmoid", "1 - TAU - sigmoid"),
        "width in the slope": ("sigmoid(-r / WIDTH)", "WIDTH * sigmoid(-r / WIDTH)"),
        "sign of the step": ("sigmoid(-r / WIDTH)", "sigmoid(r / WIDTH)"),
        "not smoothed": ("sigmoid(-r / WIDTH)", "(r < 0)"),
        "sum": (" / len(r)", ""),
        "intercept's sign": (", -dr.sum()", ", dr.sum()"),
    },
    tiny={
        "penalty forgotten": (" + 2 * PENALTY * b", ""),
        "penalty's factor 2": ("2 * PENALTY", "PENALTY"),
        "penalty of the intercept": ("-dr.sum()", "-dr.sum() + 2 * PENALTY * c"),
    },
)


def gamma_deviance(b):
    m = np.exp(X @ b)
    return 2 * np.sum(POSITIVE / m - 1 - np.log(POSITIVE / m))


def gamma_deviance_gradient(b):
    m = np.exp(X @ b)
    return 2 * X.T @ (1 - POSITIVE / m)


GAMMA = pair(
    gamma_deviance,
    gamma_deviance_gradient,
    normal(3),
    bugs={
        "factor 2": ("2 * X.T", "X.T"),
        "Poisson's residual": ("1 - POSITIVE / m", "m - POSITIVE"),
        "identity link": ("(1 - POSITIVE / m)", "((1 - POSITIVE / m) / m)"),
        "inverse link": ("(1 - POSITIVE / m)", "((POSITIVE - m) * m)"),
        "averaged": ("2 * X.T @ (1 - POSITIVE / m)", "2 * X.T @ (1 - POSITIVE / m) / 15"),
    },
)

# --- ARMA(1, 1) by conditional sum of squares

SERIES = np.cumsum(normal(20, scale=0.5)) * 0.5 + normal(20, scale=0.3)


def arma(c, phi, theta):
    e, loss = 0.0, 0.0
    for t in range(1, 20):
        e = SERIES[t] - c - phi * SERIES[t - 1] - theta * e
        loss = loss + 0.5 * e**2
    return loss


def arma_gradient(c, phi, theta):
    es = [0.0]
    for t in range(1, 20):
        es.append(SERIES[t] - c - phi * SERIES[t - 1] - theta * es[-1])
    dc = dphi = dtheta = de = 0.0
    for t in range(19, 0, -1):
        de = es[t] - theta * de
        dc -= de
        dphi -= de * SERIES[t - 1]
        dtheta -= de * es[t - 1]
    return dc, dphi, dtheta


ARMA = pair(
    arma,
    arma_gradient,
    0.1,
    0.6,
    0.35,
    bugs={
        "errors detached from earlier ones": ("de = es[t] - theta * de", "de = es[t]"),
        "sign of the moving average": ("de = es[t] - theta * de", "de = es[t] + theta * de"),
        "off by one: series": ("de * SERIES[t - 1]", "de * SERIES[t]"),
        "off by one: errors": ("dtheta -= de * es[t - 1]", "dtheta -= de * es[t]"),
        "first step lost": ("range(19, 0, -1)", "range(19, 1, -1)"),
        "forward in time": ("range(19, 0, -1)", "range(1, 20)"),
        "autoregressive part for the moving average": ("es[t] - theta * de", "es[t] - phi * de"),
    },
)


# --- GARCH(1, 1) likelihood: log omega, alpha, beta

RETURNS = normal(25)


def garch(logw, alpha, beta):
    s, loss = 1.0, 0.0
    for r in RETURNS:
        loss = loss + 0.5 * (np.log(s) + r**2 / s)
        s = np.exp(logw) + alpha * r**2 + beta * s
    return loss / len(RETURNS)


def garch_gradient(logw, alpha, beta):
    """Forward sensitivities: ds is the derivative of s by (omega, alpha, beta)."""
    s, ds, d = 1.0, np.zeros(3), np.zeros(3)
    for r in RETURNS:
        d += 0.5 * (1 / s - (r / s) ** 2) * ds
        ds = np.array([1.0, r**2, s]) + beta * ds
        s = np.exp(logw) + alpha * r**2 + beta * s
    d = d / len(RETURNS)
    return d[0] * np.exp(logw), d[1], d[2]


GARCH = pair(
    garch,
    garch_gradient,
    -1.5,
    0.15,
    0.7,
    bugs={
        "recursion forgotten": (" + beta * ds", ""),
        "variance of the next day": (
            "ds = np.array([1.0, r**2, s]) + beta * ds\n"
            "        s = np.exp(logw) + alpha * r**2 + beta * s",
            "s = np.exp(logw) + alpha * r**2 + beta * s\n"
            "        ds = np.array([1.0, r**2, s]) + beta * ds",
        ),
        "determinant forgotten": ("(1 / s - (r / s) ** 2)", "-((r / s) ** 2)"),
        "return for its square": ("[1.0, r**2, s]", "[1.0, r, s]"),
        "chain through the log": ("d[0] * np.exp(logw)", "d[0]"),
        "half": ("d += 0.5 * (1", "d += (1"),
        "alpha and beta swapped": ("d[1], d[2]\n", "d[2], d[1]\n"),
    },
)

PAIRS = [COX, WEIBULL, BINOMIAL, ORDERED, QUANTILE, GAMMA, ARMA, GARCH]
