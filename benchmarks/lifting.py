"""What lifting costs: constants inside a trace, and gradients of other people's code.

Constants-only code inside a live trace, in units of the same code outside; then value and gradient
in units of the plain value for a SciPy log-density, a Gaussian process written as a class, and
likelihoods of scikit-learn and statsmodels where they are installed.
"""

import math
import statistics
import time

import numpy as np
import scipy.stats
from timing import medians, versions

import chainrule as cr

A4, A1000 = np.linspace(0.1, 1.0, 4), np.linspace(0.1, 1.0, 1000)
SQUARE = np.linspace(0.1, 1.0, 2500).reshape(50, 50)


def arithmetic_4():
    a = A4
    for _ in range(300):
        a * 0.5 + a


def arithmetic_1000():
    a = A1000
    for _ in range(300):
        a * 0.5 + a


def matmul_and_eye():
    for _ in range(100):
        SQUARE @ SQUARE + np.eye(50)


def elements():
    k = np.zeros((10, 30))
    for i in range(10):
        for j in range(1, 30):
            k[i, j] = k[i, j - 1] * 0.5 + i * j


def reductions():
    for _ in range(300):
        np.sum(A1000), np.max(A1000), np.dot(A1000, A1000)


def tiny_arrays():
    for _ in range(300):
        np.zeros(5), np.array([1.0, 2.0, 3.0])


def bare_math():
    total = 0.0
    for i in range(300):
        total += math.sin(float(i))


def python_only():
    total = 0
    for i in range(3000):
        total += i * i


def seconds(f, rounds=15):
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        f()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def inside(f):
    """Median seconds of f inside a live trace."""
    seen = []

    def traced(x):
        seen.append(seconds(f))
        return np.sum(x)

    cr.grad(traced)(np.ones(2))
    return seen[0]


class GaussianProcess:
    """The log-likelihood people write: kernels as methods, the matrix changed in place."""

    def __init__(self, n=40):
        self.x = np.linspace(0, 1, n)[:, None]
        self.y = np.sin(6 * self.x[:, 0])

    def kernel(self, theta):
        distance = (self.x - self.x.T) / np.exp(theta[1])
        return np.exp(theta[0]) * np.exp(-0.5 * distance**2)

    def loss(self, theta):
        k = self.kernel(theta)
        k[np.diag_indices(len(self.y))] += np.exp(theta[2])
        factor = np.linalg.cholesky(k)
        alpha = np.linalg.solve(factor.T, np.linalg.solve(factor, self.y))
        return 0.5 * self.y @ alpha + np.sum(np.log(np.diag(factor)))


def norm_logpdf():
    data = np.linspace(-2, 2, 50)
    return lambda t: np.sum(scipy.stats.norm.logpdf(data, t[0], np.exp(t[1]))), np.zeros(2)


def own_gaussian_process():
    return GaussianProcess().loss, np.zeros(3)


def scikit_learn_gaussian_process():
    from sklearn.gaussian_process import GaussianProcessRegressor, kernels

    x = np.linspace(0, 1, 40)[:, None]
    kernel = kernels.ConstantKernel(1.0) * kernels.RBF(0.3) + kernels.WhiteKernel(0.1)
    model = GaussianProcessRegressor(kernel, optimizer=None).fit(x, np.sin(6 * x[:, 0]))
    return model.log_marginal_likelihood, model.kernel_.theta + 0.1


def statsmodels_negative_binomial():
    from statsmodels.api import NegativeBinomial

    x = np.column_stack([np.ones(60), np.linspace(-1, 1, 60)])
    return NegativeBinomial(np.arange(60) % 5, x).loglike, np.array([0.5, 0.1, 0.6])


def main():
    print(versions(np, scipy, cr))
    for f in (
        arithmetic_4, arithmetic_1000, matmul_and_eye, elements, reductions, tiny_arrays, bare_math,
        python_only,
    ):  # fmt: skip
        print(f"constants: {f.__name__:<16} {inside(f) / seconds(f):5.1f}x", flush=True)
    for make in (
        norm_logpdf, own_gaussian_process, scikit_learn_gaussian_process,
        statsmodels_negative_binomial,
    ):  # fmt: skip
        try:
            f, x = make()
        except ImportError as error:
            print(f"{make.__name__}: skipped, {error}")
            continue
        g = cr.value_and_grad(f)
        start = time.perf_counter()
        g(x)
        first = time.perf_counter() - start
        plain, both = medians(lambda f=f, x=x: f(x), lambda g=g, x=x: g(x))
        print(
            f"{make.__name__:<32} plain {plain * 1e6:6.0f} us   value and gradient "
            f"{both / plain:5.1f}x   first call {first * 1e3:5.1f} ms",
            flush=True,
        )


if __name__ == "__main__":
    main()
