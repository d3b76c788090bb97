"""Random operands by a short description: ``"x: * n n spd c, y: * n"``.

Of each operand the dimensions, then words. A letter is a random side, the same wherever it comes
again; ``*`` stands for leading axes, which broadcast against those of the other operands; ``?`` for
any shape at all, the same for all operands with a ``?``, and ``~`` for one that broadcasts to it.

    spd, regular, lower   matrices: positive definite, well conditioned, of a lower triangle
    spread                with eigenvalues apart, real ones
    pos, unit, rising     numbers in (0.5, 3.5), in (0, 1), in rising order along the last axis
    c                     at times complex
    double                float64 always: the call multiplies rounding errors
    short                 no long doubles, which much of SciPy casts or refuses
    full                  no side is empty
"""

import re

import numpy as np
from hypothesis import strategies as st

SIDES = (1, 2, 3, 3, 4)


class Choices:
    """Random decisions, and the text of arguments made of them."""

    def __init__(self, data):
        self.data = data

    def of(self, *options):
        return self.data.draw(st.sampled_from(options))

    def below(self, n):
        return self.data.draw(st.integers(0, max(n - 1, 0)))

    def seldom(self, n):
        """True once in n times, and not in the simplest example."""
        return self.below(n) == n - 1

    def shape(self, low=0, high=3, empty=True):
        sides = (*SIDES, 0) if empty and self.seldom(6) else SIDES
        return tuple(self.of(*sides) for _ in range(low + self.below(high - low + 1)))

    def order(self, n):
        """The numbers below n in any order."""
        return self.data.draw(st.permutations(range(n)))

    def generator(self):
        return np.random.default_rng(self.below(50))

    def mask(self, shape):
        """A boolean array of this shape or one that broadcasts to it."""
        shape = tuple(n if self.below(3) else 1 for n in shape)
        return self.generator().uniform(size=shape) < 0.6

    def axis(self, ndim):
        """An axis, rarely a wrong one."""
        if self.seldom(25):
            return self.of(ndim, -ndim - 1)
        return self.below(ndim) - self.of(0, ndim) if ndim else self.of(0, -1)

    def axes(self, ndim):
        """None, an axis, or a tuple of them in any order, rarely with one twice."""
        kind = self.of("none", "one", "some")
        if kind == "none":
            return None
        if kind == "one":
            return self.axis(ndim)
        if self.seldom(25):
            return (0, 0)
        return tuple(a - self.of(0, ndim) for a in self.order(ndim)[: self.below(ndim + 1)])

    def text(self, template, ndim):
        """A template with one alternative of each ``<a|b>``, and axes for AXIS and AXES."""
        text = template
        while found := INNERMOST.search(text):
            text = text[: found.start()] + self.of(*found[1].split("|")) + text[found.end() :]
        text = re.sub("AXES", lambda m: repr(self.axes(ndim)), text)
        text = re.sub("AXIS", lambda m: repr(self.axis(ndim)), text)
        return text.replace("(, ", "(")


INNERMOST = re.compile("<([^<>]*)>")


# ---------------------------------------------------------------- numbers


def points(rng, shape, low=-1.5, high=1.5):
    """Distinct numbers, none of them near another or near 0."""
    n = int(np.prod(shape))
    grid = low + (high - low) * (np.arange(n) + 0.5 + 0.3 * rng.uniform(-1, 1, n)) / max(n, 1)
    grid += np.where(grid < 0, -0.05, 0.05)
    return rng.permutation(grid).reshape(shape)


def _eye(x):
    return np.eye(x.shape[-1])


def _spd(x):
    return x @ np.conj(np.swapaxes(x, -1, -2)) + _eye(x)


def _spread(rng, x):
    n = x.shape[-1]
    return 0.2 * x + np.diag(rng.permutation(np.arange(1.0, n + 1) * 1.5))


KINDS = {
    "spd": lambda rng, x: _spd(x),
    "regular": lambda rng, x: x + 3 * _eye(x),
    "lower": lambda rng, x: np.tril(x) + 3 * _eye(x),
    "spread": _spread,
    "pos": lambda rng, x: points(rng, x.shape, 0.5, 3.5),
    "unit": lambda rng, x: points(rng, x.shape, 0.02, 0.85),
    "rising": lambda rng, x: np.sort(x, axis=-1),
}
LAYOUTS = {
    "C": lambda x: x,
    "F": lambda x: x.copy(order="F"),
    "reversed": lambda x: x[..., ::-1].copy()[..., ::-1],
    "strided": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "swapped": lambda x: np.swapaxes(np.swapaxes(x, 0, -1).copy(), 0, -1),
}
DTYPES = {
    "float64": float,
    "float32": np.float32,
    "longdouble": np.longdouble,
    "complex": complex,
}


def operands(c: Choices, description: str) -> dict[str, np.ndarray]:
    """The operands by name."""
    sides: dict[str, tuple[int, ...]] = {}
    described = [part.split(":") for part in description.split(",")]
    words = {name.strip(): text.split() for name, text in described}
    dtype = _dtype(c, words)
    return {
        name: _operand(c, np.random.default_rng([c.below(50), k]), some, sides, dtype)
        for k, (name, some) in enumerate(words.items())
    }


def _dtype(c, words):
    """One for all operands; of several at times a float64 comes with it."""
    every = set.intersection(*map(set, words.values()))
    if "double" in every:
        return "float64"
    names = ["float64"] * 3 + ["float32"] + ["longdouble"] * ("short" not in every)
    return c.of(*names, *["complex"] * 2 * ("c" in every))


def _operand(c, rng, words, sides, dtype):
    shape = tuple(n for word in words for n in _sides(c, word, sides))
    if "full" in words:
        shape = tuple(max(n, 1) for n in shape)
    kinds = [word for word in words if word in KINDS]
    x = points(rng, shape)
    if dtype == "complex" and not c.seldom(5):
        x = x + 1j * points(rng, shape)
    for kind in kinds:
        x = KINDS[kind](rng, x)
    if dtype in ("float32", "longdouble") and not c.seldom(4):
        x = x.astype(DTYPES[dtype])
    return LAYOUTS[c.of(*LAYOUTS)](x) if x.ndim else x


def _sides(c, word, sides):
    """The sides of the axes that one word of a description stands for."""
    if word.isdigit():
        return (int(word),)
    if word in ("?", "~"):
        shape = sides.setdefault("?", c.shape()) if word == "~" or "?" in sides else None
        if shape is None:
            shape = sides["?"] = c.shape()
        return shape if word == "?" else broadcasting(c, shape)
    if word == "*":
        first = "*" not in sides
        lead = sides.setdefault("*", () if c.below(2) else c.shape(high=2))
        return lead if first else broadcasting(c, lead)
    if word in KINDS or word in ("c", "double", "short", "full"):
        return ()
    if word not in sides:
        sides[word] = (0,) if c.seldom(20) else (c.of(*SIDES),)
    return sides[word]


def broadcasting(c, shape):
    """A shape that broadcasts to this one."""
    shape = tuple(n if c.below(3) else 1 for n in shape)
    return shape[c.below(len(shape) + 1) :] if c.seldom(3) else shape
