"""Functions of an argument that gradients are often off by: regularisers, Jacobians, priors."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

Function = Callable[[np.ndarray], np.ndarray]


class Term(NamedTuple):
    """``words`` with room for the {factor}.   of(x) : None where it makes no sense."""

    words: str
    of: Callable[[np.ndarray], np.ndarray | None]
    is_constant: bool = False


def _softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _curvature(x: np.ndarray) -> np.ndarray | None:
    """The gradient of half the sum of squared differences of neighbours."""
    if x.ndim != 1 or x.size < 4:
        return None
    made, step = np.zeros_like(x), np.diff(x)
    made[1:] += step
    made[:-1] -= step
    return made


def _missing(words: str, meaning: str = "") -> str:
    return f"the term {{factor}} × {words} is missing" + (f": {meaning}" if meaning else "")


TERMS: tuple[Term, ...] = (
    Term(_missing("argument", "a regulariser?"), lambda x: x),
    Term(_missing("sign(argument)", "a regulariser?"), np.sign),
    Term("off by the constant {minus}", np.ones_like, is_constant=True),
    Term(_missing("1 / argument", "the derivative of a logarithm?"), lambda x: 1 / x),
    Term(_missing("exp(argument)", "the derivative of a scale?"), np.exp),
    Term(_missing("exp(-argument)"), lambda x: np.exp(-x)),
    Term(_missing("exp(2 × argument)"), lambda x: np.exp(2 * x)),
    Term(_missing("exp(-2 × argument)"), lambda x: np.exp(-2 * x)),
    Term(_missing("argument³"), lambda x: x**3),
    Term(_missing("argument²"), lambda x: x**2),
    Term(_missing("softmax(argument)", "the normalisation?"), _softmax),
    Term(_missing("sigmoid(argument)"), lambda x: 1 / (1 + np.exp(-x))),
    Term(_missing("(differences of neighbours)", "a smoothness penalty?"), _curvature),
)

FACTORS: tuple[tuple[str, Function], ...] = (
    ("argument", lambda x: x),
    ("2 × argument", lambda x: 2 * x),
    ("argument²", lambda x: x * x),
    ("1 / argument", lambda x: 1 / x),
    ("exp(argument)", np.exp),
    ("exp(-argument)", lambda x: np.exp(-x)),
    ("2 × exp(2 × argument)", lambda x: 2 * np.exp(2 * x)),
    ("-argument", lambda x: -x),
    ("sign(argument)", np.sign),
    ("|argument|", np.abs),
    ("1 - argument²", lambda x: 1 - x * x),
    ("1 - tanh(argument)²", lambda x: 1 - np.tanh(x) ** 2),
    ("sigmoid(argument)", lambda x: 1 / (1 + np.exp(-x))),
    ("cos(argument)", np.cos),
    ("1 / (2 × sqrt(argument))", lambda x: 0.5 / np.sqrt(x)),
)
