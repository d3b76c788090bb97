"""Random numbers in lifted code: the same stream, arrays that can be written, traced parameters.

A distribution with location and scale is drawn in its standard form and shifted and scaled, which
is how NumPy makes it: the numbers are NumPy's and differentiable in the parameters. So are those
that NumPy makes of one exponential or uniform number. Others refuse.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.base.errors import NonDifferentiableError
from chainrule.core.array import _any_traced, as_constant
from chainrule.core.lift import MAKERS, replace
from chainrule.core.primitive import FUNCTIONS
from chainrule.core.trace import Tracer, plain, refuse
from chainrule.rules.joins import operand


class Draws:
    """A generator as lifted code sees it; its state is the original's."""

    def __init__(self, rng: Any):
        self.__dict__["_rng"] = rng

    @property
    def __class__(self):
        return type(self._rng)

    def __getattr__(self, name):
        value = getattr(self._rng, name)
        return _drawing(value, name) if callable(value) and name[0] != "_" else value

    def __setattr__(self, name, value):
        setattr(self._rng, name, value)

    def __repr__(self):
        return repr(self._rng)

    def __reduce__(self):
        return self._rng.__reduce__()


def _drawing(method: Callable, name: str) -> Callable:
    @functools.wraps(method)
    def draw(*args, **kwargs):
        if name == "shuffle" and isinstance(args[0], Tracer):
            return _shuffle(method, *args, **kwargs)
        if _any_traced(args) or _any_traced(kwargs.values()):
            run = _TRACED.get(name)
            if run is None:
                raise refuse(
                    NonDifferentiableError(
                        f"the random numbers of {name}() have no derivative in its parameters",
                        "Draw with fixed parameters and transform the numbers, or treat the "
                        "parameters as "
                        "constant: chainrule.constant(x).",
                    )
                )
            return run(method, *args, **kwargs)
        out = kwargs.get("out")
        if isinstance(out, Tracer):
            method(*plain(args), **{**plain(kwargs), "out": out._exposed()})
            return out
        return as_constant(method(*plain(args), **plain(kwargs)))

    return draw


def _shifted(standard: tuple[float, float], combine: Callable) -> Callable:
    def run(draw, a=None, b=None, size=None, **names):
        a, b = (x if x is not None else default for x, default in zip((a, b), standard))
        (a, b), size = _named(names, (a, b), size)
        size = np.broadcast_shapes(np.shape(a), np.shape(b)) or None if size is None else size
        return combine(a, b, draw(*standard, size))

    return run


_PARAMETERS = ({"loc", "low", "mean"}, {"scale", "high", "sigma"})


def _named(names: dict[str, Any], values: tuple, size: Any) -> tuple[list[Any], Any]:
    chosen = list(values)
    for name, value in names.items():
        place = next((k for k, known in enumerate(_PARAMETERS) if name in known), None)
        if place is None:
            raise TypeError(f"unexpected keyword argument {name!r}")
        chosen[place] = value
    return chosen, size


def _scaled(draw, scale=1.0, size=None):
    return scale * draw(1.0, np.shape(scale) or None if size is None else size)


def _size(size, *parameters):
    return np.broadcast_shapes(*map(np.shape, parameters)) or None if size is None else size


def _gamma(draw, shape, scale=1.0, size=None):
    if _any_traced((shape,)):
        raise _no_derivative("gamma() in its shape")
    return operand(scale) * draw(plain(shape), 1.0, _size(size, shape, scale))


def _of_one(number, transform):
    """A power law: ``number`` undoes it for the exponent 1, ``transform`` makes it for another."""

    def run(draw, a, size=None):
        a = operand(a)
        if np.any(plain(a) <= 0):
            draw(plain(a))  # NumPy's error
        return transform(number(draw(1.0, _size(size, a))), a)

    return run


def _triangular(draw, left, mode, right, size=None):
    """The inverse of its cumulative distribution."""
    left, mode, right = map(operand, (left, mode, right))
    size = _size(size, left, mode, right)
    draw(plain(left), plain(mode), plain(right), (0, *np.atleast_1d(size or ())))
    u = np.square(draw(0.0, 1.0, 1.0, size))
    base = right - left
    below = u <= plain((mode - left) / base)
    rising = left + np.sqrt(np.where(below, u * base * (mode - left), 1.0))
    falling = right - np.sqrt(np.where(below, 1.0, (1 - u) * base * (right - mode)))
    return np.where(below, rising, falling)


def _multivariate_normal(draw, mean, cov, size=None, *args, **kwargs):
    if _any_traced((cov,)):
        raise _no_derivative("multivariate_normal() in its covariance")
    return operand(mean) + draw(np.zeros(len(mean)), plain(cov), size, *args, **kwargs)


def _no_derivative(what):
    return refuse(
        NonDifferentiableError(
            f"the random numbers of {what} have no derivative",
            "Draw standard numbers and transform them, or treat the parameter as constant: "
            "chainrule.constant(x).",
        )
    )


def _shuffle(draw, x, *args, **kwargs):
    order = np.arange(len(x))
    draw(order)
    if args or kwargs:
        raise refuse(
            NonDifferentiableError(
                "shuffle(axis=) of a traced array", "Use x.take(rng.permutation(n), axis)."
            )
        )
    x[...] = x[order]


def _permutation(draw, x):
    return FUNCTIONS[np.array](x)[draw(len(x))]


def _choice(draw, a, size=None, replace=True, p=None):
    if p is not None:
        p = plain(p) if not _any_traced((p,)) else _refuse_p()
    return FUNCTIONS[np.array](a)[draw(len(a), size, replace, p)]


def _refuse_p():
    raise refuse(
        NonDifferentiableError(
            "choice() has no derivative in p", "Pass chainrule.constant(p) as p."
        )
    )


_LINEAR = _shifted((0.0, 1.0), lambda loc, scale, z: loc + scale * z)
_TRACED: dict[str, Callable] = {
    **dict.fromkeys(("normal", "laplace", "logistic", "gumbel"), _LINEAR),
    "uniform": _shifted((0.0, 1.0), lambda low, high, u: low + (high - low) * u),
    "lognormal": _shifted((0.0, 1.0), lambda mean, sigma, y: np.exp(mean + sigma * np.log(y))),
    "exponential": _scaled,
    "rayleigh": _scaled,
    "gamma": _gamma,
    "weibull": _of_one(lambda e: e, lambda e, a: e ** (1 / a)),
    "pareto": _of_one(np.log1p, lambda e, a: np.expm1(e / a)),
    "power": _of_one(lambda u: u, lambda u, a: u ** (1 / a)),
    "triangular": _triangular,
    "multivariate_normal": _multivariate_normal,
    "permutation": _permutation,
    "choice": _choice,
}


def _default_rng(seed=None):
    return Draws(np.random.default_rng(seed))


class _DrawsOf(type):
    """Answers as the class of generators does; what it makes is seen by lifted code."""

    original: type

    def __call__(cls, *args, **kwargs):
        return Draws(cls.original(*plain(args), **plain(kwargs)))

    def __getattr__(cls, name):
        return getattr(cls.original, name)

    def __instancecheck__(cls, x):
        return isinstance(x, cls.original)

    def __subclasscheck__(cls, kind):
        return issubclass(kind, cls.original)

    def __eq__(cls, other):
        return other is cls or other is cls.original

    def __hash__(cls):
        return hash(cls.original)


for _kind in (np.random.Generator, np.random.RandomState):
    MAKERS[_kind] = lambda rng, map: Draws(rng)
    replace(_kind, _DrawsOf(_kind.__name__, (), {"original": _kind}))
replace(np.random.default_rng, _default_rng)
