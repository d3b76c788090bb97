"""Functions whose derivations the tests of the explainer's views look at."""

import linecache
from functools import cache

import numpy as np

import chainrule as cr

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(50, 6)), np.eye(3)[RNG.integers(0, 3, 50)]


def predict(params, X):
    H = np.tanh(X @ params["W1"] + params["b1"])
    return H @ params["W2"] + params["b2"]


def loss(params, X, Y):
    Z = predict(params, X)
    top = np.max(Z, axis=1, keepdims=True)
    log_total = top + np.log(np.sum(np.exp(Z - top), axis=1, keepdims=True))
    cross_entropy = np.mean(np.sum(Y * (log_total - Z), axis=1))
    decay = 1e-3 * (np.sum(params["W1"] ** 2) + np.sum(params["W2"] ** 2))
    return cross_entropy + decay


PARAMS = {
    "W1": RNG.normal(size=(6, 30)),
    "b1": np.zeros(30),
    "W2": RNG.normal(size=(30, 3)),
    "b2": np.zeros(3),
}


def steps(x, A, count):
    v = np.zeros(4)
    for t in range(count):  # noqa: B007
        a = A @ x
        v = 0.9 * v + np.tanh(a)
        r = np.sin(v) * 0.1
        x = x - r
    return np.sum(x**2)


def ragged(x, count):
    """The same operations as in a loop that cannot be rolled up."""
    t = 0
    while t < count:
        x = np.sin(x) * 0.9 + x * 0.1
        if t % 2:
            x = x + np.tanh(x)
        else:
            y = np.cos(x)
            x = x * y
        t = t + 1
    return np.sum(x)


def hostile(params):
    a = params["</script><img src=x onerror=alert(1)>"]  # </script><b onclick="x">&amp;'
    ünïcode = np.sin(a) * len("</style>&<!--\u2028")
    return np.sum(ünïcode * params['"&quot;'])


HOSTILE = {"</script><img src=x onerror=alert(1)>": np.ones(3), '"&quot;': np.arange(3.0)}


@cache
def network():
    return cr.explain(loss, PARAMS, X, Y, wrt="params")


@cache
def loop(count=290):
    """About 7 equations a round."""
    return cr.explain(steps, np.ones(4), 0.1 * RNG.normal(size=(4, 4)), count, wrt=("x", "A"))


@cache
def unrolled(count=360):
    """About 5.5 equations a round."""
    return cr.explain(ragged, np.full(30, 0.3), count, wrt="x")


@cache
def attacked():
    return cr.explain(hostile, HOSTILE)


@cache
def chain(count, seed=0):
    """A function of ``count`` statements, and which earlier statement each one uses."""
    rng = np.random.default_rng(seed)
    uses = {k: (k - 1, int(rng.integers(max(0, k - 8), k))) for k in range(1, count)}
    lines = [f"    v{k} = v{a} * 0.5 + np.tanh(v{b})" for k, (a, b) in uses.items()]
    text = "\n".join(
        ["def f(x):", "    v0 = np.sin(x)", *lines, f"    return np.sum(v{count - 1})"]
    )
    name = f"<chain {count} {seed}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    scope = {"np": np}
    exec(compile(text, name, "exec"), scope)
    return cr.explain(scope["f"], np.ones(4)), uses


def softened(z):
    top = np.max(z)
    return top + np.log(np.sum(np.exp(z - top)))


def filtered(a, s):
    """A loop whose statement computes before and after the call that it makes."""
    for t in range(5):
        a = softened(a[:, None] + a) + s[t]
    return np.sum(a)


@cache
def interrupted():
    return cr.explain(filtered, np.arange(3.0), np.ones((5, 3)))


def power(x, n):
    y = np.sin(x)
    return y if n == 0 else power(y, n - 1) * x


@cache
def recursive(depth=60):
    return cr.explain(power, 0.7, depth, wrt="x")


def broken_lines(x):
    def inner(z):
        return z * z

    y = (
        np.sin(x)
        + inner(x)
    )  # fmt: skip
    return np.sum(y)


@cache
def nested_function():
    return cr.explain(broken_lines, np.ones(3))
