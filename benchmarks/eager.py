"""Value and gradient, eager with lifting on, in units of the plain NumPy function.

tiny      240 operations on 10 numbers: the overhead per operation
mlp       10 layers, 8x16
mlp big   10 layers, batch 1024, width 512: matrix products dominate
by hand   the hand-written backprop of the same network
loop      y[i] = f(y[i-1]): microseconds a step at n = 1e3 and 1e5, forward and backward
"""

import sys

import numpy as np
from timing import medians, versions

import chainrule as cr


def tiny(np):
    def f(x):
        y = x
        for _ in range(30):
            y = np.sin(y) * x + y * 0.5
            y = np.exp(-(y * y)) + x
        return np.sum(y)

    return f


def mlp(np):
    def f(params, x):
        h = x
        for w, b in params:
            h = np.tanh(h @ w + b)
        return np.sum(h * h)

    return f


def mlp_by_hand(params, x):
    hs = [x]
    for w, b in params:
        hs.append(np.tanh(hs[-1] @ w + b))
    value = np.sum(hs[-1] * hs[-1])
    g = 2 * hs[-1]
    grads = []
    for (w, _), h, y in zip(reversed(params), reversed(hs[:-1]), reversed(hs)):
        g = g * (1 - y * y)
        grads.append((h.T @ g, g.sum(axis=0)))
        g = g @ w.T
    return value, grads[::-1]


def layers(width, scale, count=10):
    rng = np.random.default_rng(0)
    return [
        (rng.normal(size=(width, width)) * scale, rng.normal(size=width) * 0.1)
        for _ in range(count)
    ]


def recurrence(n):
    x = np.random.default_rng(0).normal(size=n)

    def f(x):
        y = np.zeros(n)
        y[0] = x[0]
        for i in range(1, n):
            y[i] = 0.9 * y[i - 1] + x[i] * x[i]
        return np.sum(y)

    return f, x


def peers():
    """(name, value-and-gradient maker) of the other systems that are installed."""
    found = []
    try:
        import autograd
        import autograd.numpy as anp

        found.append(
            ("autograd", lambda make, args: lambda g=autograd.value_and_grad(make(anp)): g(*args))
        )
    except ImportError:
        pass
    try:
        import torch

        torch.set_num_threads(max(1, torch.get_num_threads()))

        def run(make, args):
            def tensors(tree):
                if isinstance(tree, (list, tuple)):
                    return type(tree)(tensors(t) for t in tree)
                return torch.tensor(tree)

            args = [tensors(a) for a in args]
            leaves = [t for p in args[0] for t in p] if isinstance(args[0], list) else [args[0]]
            f = make(torch)

            def call():
                for t in leaves:
                    t.requires_grad_(True)
                    t.grad = None
                f(*args).backward()

            return call

        found.append(("torch eager", run))
    except ImportError:
        pass
    return found


def row(name, make, args, rounds=15, by_hand=None):
    functions = [lambda f=make(np): f(*args), lambda g=cr.value_and_grad(make(np)): g(*args)]
    names = ["chainrule"]
    if by_hand is not None:
        names.append("by hand")
        functions.append(lambda: by_hand(*args))
    for peer, run in peers():
        names.append(peer)
        functions.append(run(make, args))
    plain, *times = medians(*functions, rounds=rounds)
    cells = "  ".join(f"{n} {t / plain:5.1f}x" for n, t in zip(names, times))
    line = f"{name:<8} numpy {plain * 1e6:9.0f} us   {cells}"
    if "autograd" in names:
        line += f"   chainrule/autograd {times[0] / times[names.index('autograd')]:.2f}"
    print(line, flush=True)


def main():
    print(versions(np, cr))
    row("tiny", tiny, (np.random.default_rng(0).uniform(size=10),))
    small = np.random.default_rng(1).normal(size=(8, 16))
    row("mlp", mlp, (layers(16, 0.3), small), by_hand=mlp_by_hand)
    big = np.random.default_rng(1).normal(size=(1024, 512))
    row("mlp big", mlp, (layers(512, 0.05), big), rounds=7, by_hand=mlp_by_hand)
    steps = {}
    for n in (1_000, 10_000, 100_000):
        f, x = recurrence(n)
        g = cr.value_and_grad(f)
        plain, both = medians(lambda f=f, x=x: f(x), lambda g=g, x=x: g(x), rounds=5)
        steps[n] = both / n * 1e6
        print(
            f"loop n={n:<7} {steps[n]:.1f} us a step, {both / plain:.0f}x the plain loop",
            flush=True,
        )
    print(f"loop: a step at 1e5 costs {steps[100_000] / steps[1_000]:.2f} times one at 1e3")


if __name__ == "__main__":
    sys.exit(main())
