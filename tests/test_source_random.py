"""Random programs with writes, views and loops: exported, and run at other points than the traced.

Each program is a list of statements of NumPy code, run by ``exec``; truth is the eager gradient.
"""

import random

import numpy as np
import pytest

import chainrule as cr
from tests.exporting import assert_close, assert_same_bits, exported

STATEMENTS = [
    "y = np.sin(y) + x",
    "y = y * w",
    "z = y.copy()",
    "z = y",
    "y = z * 0.5 + y",
    "y[1:] += z[:-1] * 0.3",
    "y[0] = np.sum(z) * 0.1",
    "y[{k}] *= x[{j}]",
    "v = y[::2]; v[0] = x[{k}]",
    "v = y[1:3]; y[{k}] = 2 * v[0]; y = y + v[1]",
    "m = np.outer(y, x); m[{j}] = y; y = m.T @ w",
    "m = np.zeros((4, 4)); m[:, {k}] = y; m.T[{j}] -= x; y = m.sum(axis=0)",
    "y = np.where(y > 0.2, y, y * y)",
    "y = np.concatenate([y[:{k}], x[{k}:]])",
    "y = np.sort(y)[::-1] + x",
    "y = y - y.mean()",
    "for i in range(1, 4): y[i] = 0.5 * y[i - 1] + x[i] * y[i]",
    "for i in range(4): z = np.tanh(z * w[i] + y)",
    "for i in range(3):\n        y[i] += z[i + 1] * x[i]\n        z = z * 0.9 + y",
    "for a, b in zip(x, w): y = y * a + b * z",
    "s = 0.0\n    for i in range(4): s = s + y[i] * z[i]\n    y = y + 0.1 * s",
    "p, q = y, w\n    for i in range(3): p, q = q * x, p + q * 0.5 + y\n    y = p + q",
    "k = [y]\n    for i in range(4): k.append(np.cos(k[-1]) * w + k[0])\n    y = k[2] + k[4]",
    "y = y / (1 + np.linalg.norm(y))",
    "y, z = z * 1.0, y + x[{k}]",
    "y = y.reshape(2, 2); y[{b}] += x[:2]; y = y.ravel()",
    "np.add.at(y, [0, 0, {k}], x[:3])",
]


def program(seed):
    draw = random.Random(seed)
    lines = []
    for _ in range(draw.randint(3, 8)):
        text = draw.choice(STATEMENTS)
        lines.append(text.format(k=draw.randrange(4), j=draw.randrange(4), b=draw.randrange(2)))
    return (
        "def f(x, w):\n    y, z = x * 1.0, w * x\n    "
        + "\n    ".join(lines)
        + "\n    return np.sum(y * w) + np.sum(z)\n"
    )


@pytest.mark.parametrize("seed", range(120))
def test_random_program_is_right_here_and_elsewhere(seed):
    text = program(seed)
    space = {"np": np}
    exec(text, space)
    f = space["f"]
    rng = np.random.default_rng(seed)
    args = rng.uniform(0.3, 0.9, 4), rng.uniform(0.3, 0.9, 4)
    with np.errstate(all="ignore"):
        want = cr.value_and_grad(f, wrt=(0, 1))
        exact, _ = exported(cr.source(f, *args, wrt=(0, 1), simplify=False))
        short, _ = exported(cr.source(f, *args, wrt=(0, 1)))
        assert_close(exact(*args), want(*args), ulp=512)
        assert_close(short(*args), want(*args), ulp=1e5)
        for scale in (1.001, 1.3):
            point = [a * scale for a in args]
            for function in (exact, short):
                try:
                    got = function(*point)
                except ValueError:
                    continue  # another branch: said so
                assert_close(got, want(*point), ulp=1e5)


@pytest.mark.parametrize("seed", range(0, 120, 6))
def test_random_program_forwards_and_twice(seed):
    space = {"np": np}
    exec(program(seed), space)
    f = space["f"]
    rng = np.random.default_rng(seed)
    x, w, dx = rng.uniform(0.3, 0.9, 4), rng.uniform(0.3, 0.9, 4), rng.normal(size=4)
    of_x = lambda x: f(x, w)
    with np.errstate(all="ignore"):
        jvp, _ = exported(cr.source(f, x, w, of="jvp"))
        assert_close(jvp(x, w, dx), cr.jvp(of_x, (x,), (dx,)), ulp=1e5)
        hvp, _ = exported(cr.source(f, x, w, of="hvp"))
        want = cr.jvp(cr.grad(of_x), (x,), (dx,))
        assert_close(hvp(x, w, dx), want, ulp=1e7)  # rounding of two derivatives


def test_a_wrong_rolling_would_be_noticed():
    """The comparison has teeth: the same program with one number changed differs."""
    space = {"np": np}
    exec(program(3), space)
    x, w = np.full(4, 0.5), np.full(4, 0.6)
    function, _ = exported(cr.source(space["f"], x, w))
    with pytest.raises(AssertionError):
        assert_same_bits(function(x, w)[1], cr.grad(lambda x: space["f"](x, w * 1.01))(x))
