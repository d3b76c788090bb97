"""``scipy.stats``: densities, probabilities, quantiles, and summaries along axes."""

DENSITY = "<logpdf|pdf|cdf|sf|logcdf|logsf>"
LINES = {
    "x: ? pos short, y: ~ pos short": f"""
stats.norm.{DENSITY}(x, y<|, 1.3|, scale=y>)
stats.<expon|rayleigh|halfnorm|logistic|laplace|cauchy|gumbel_r>.{DENSITY}(x<|, loc=0.2\
|, scale=y|, 0.1, y>)
stats.<gamma|lognorm|weibull_min|invgamma|chi2>.{DENSITY}(x + 0.2, y<|, scale=1.5|, 0.1>)
stats.<t|genpareto>.{DENSITY}(x, y<|, 0.2, 1.3>)
stats.uniform.{DENSITY}(x, -0.5, y + 5)
stats.pareto.{DENSITY}(x + 1, y)
stats.f.{DENSITY}(x, 3.0, y)
stats.<skewnorm|loggamma>.<logpdf|pdf>(x, y)
stats.poisson.<logpmf|pmf|cdf|sf>(i, y)
stats.invgauss.<logpdf|pdf|cdf>(x, y)
stats.genextreme.{DENSITY}(x, -0.2, y * 0.1)
stats.truncnorm.<logpdf|pdf|cdf>(x, -1.0, 5.0 + y)
stats.johnsonsu.{DENSITY}(x, 0.5, y)
""",
    "x: ? unit short, y: ~ unit short": f"""
stats.beta.{DENSITY}(x, 2.0 + y, <1.5|y + 1>)
stats.<norm|expon|logistic|laplace|cauchy>.<ppf|isf>(x<|, y|, scale=y + 1>)
stats.<gamma|t|chi2|lognorm|weibull_min>.<ppf|isf>(x, y + 2)
stats.<bernoulli|geom>.<logpmf|pmf>(1, x)
stats.binom.<logpmf|pmf|cdf>(i, 7, x)
stats.nbinom.<logpmf|pmf>(i, 4.5, x)
stats.betabinom.<logpmf|pmf>(i, 7, x + 1, y + 1)
""",
    "x: n k full double": """
stats.<zscore|gzscore>(np.abs(x)<|, axis=<0|-1>><|, ddof=1>)
stats.<gmean|hmean>(np.abs(x)<|, axis=<0|-1|None>>)
stats.<skew|kurtosis|sem|variation>(x<|, axis=<0|-1>>)
stats.<moment>(x, <2|3><|, axis=<0|-1>>)
stats.entropy(np.abs(x)<|, axis=<0|-1>><|, base=2>)
""",
    "x: 3 short, y: 3 3 spd short": """
stats.multivariate_normal.<logpdf|pdf>([0.3, 0.2, 0.1], x, y)
stats.multivariate_normal(x, y).logpdf(np.ones((2, 3)))
stats.multivariate_t.<logpdf|pdf>([0.3, 0.2, 0.1], x, y, 3.5)
""",
}
