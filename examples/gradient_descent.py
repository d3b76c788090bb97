"""Gradient descent, in full. It uses a gradient; where the gradient comes from is not its business.

That is all there is to it, and it is one method of many: SciPy's BFGS takes the same two functions
below and needs a few dozen of them where gradient descent needs thousands.
"""

import numpy as np
from scipy.optimize import minimize

import chainrule as cr


def gradient_descent(value_and_gradient, x, rate, steps):
    """``x`` after so many steps against the gradient, and the value at each step."""
    values = []
    for _ in range(steps):
        value, gradient = value_and_gradient(x)
        values.append(value)
        x = x - rate * gradient
    return x, values


def rosenbrock(x):
    """The banana valley, lowest at (1, 1)."""
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


if __name__ == "__main__":
    x0 = np.array([-1.2, 1.0])
    value_and_gradient = cr.value_and_grad(rosenbrock)

    x, values = gradient_descent(value_and_gradient, x0, rate=1e-3, steps=5_000)
    print(f"gradient descent: {len(values):6,} gradients, arrives at {x}")

    res = minimize(value_and_gradient, x0, jac=True, method="BFGS")
    print(f"BFGS:             {res.njev:6,} gradients, arrives at {res.x}")
