"""Gradients with probes in them: the cotangents of what lies on the way from argument to value.

``PROBED`` : the models, each with its bugs; put in before the last line, where each is complete.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from chainrule.checker import probe
from tests.check.corpus import (
    attention,
    conv,
    dense,
    factorisation,
    finance,
    gp,
    norm,
    physics,
    robotics,
    variational,
)
from tests.check.corpus.base import Diff, Pair, mutated

# The intermediate values v whose cotangents are called dv, from the last one backwards.
NAMES = {
    dense.TANH: "y h z",
    dense.RELU: "a",
    dense.GELU: "r h a",
    dense.GATED: "h z u",
    conv.CONV2D: "h parts a",
    norm.BATCH: "z a",
    norm.LAYER: "z",
    norm.RMS: "z",
    attention.CAUSAL_HEAD: "p v k q",
    attention.CROSS: "p v k q",
    attention.TIED: "h",
    factorisation.RECOMMENDER: "R",
    factorisation.AUTOENCODER: "q h",
    factorisation.CONTRASTIVE: "S",
    gp.BILEVEL: "w",
    variational.VAE: "z m logv",
    variational.BAYES: "w",
    physics.RESIDUAL: "r h",
    robotics.REPROJECTION: "r p R W",
    finance.CALIBRATION: "vol",
    finance.CURVE: "r s",
    finance.SHARPE: "r w",
}


class Probed(NamedTuple):
    """One bug of a model with probes.

    gradient : the wrong one, with probes.   fault : the first probe that is wrong; "" if the
    cotangents of all are right.
    """

    pair: Pair
    bug: str
    gradient: Callable
    fault: str


def with_probes(pair: Pair, diff: Diff = (), probe: Callable = probe) -> Callable:
    last = "".join(f'probe("{name}", {name}, d{name})\n' for name in NAMES[pair].split())
    return mutated(pair.gradient, diff, last, probe=probe)


def seen(pair: Pair, diff: Diff = ()) -> dict[str, tuple[Any, Any]]:
    """What the probes see: value and cotangent by name."""
    found: dict[str, tuple[Any, Any]] = {}
    with_probes(pair, diff, lambda name, *both: found.update({name: both}))(*pair.args)
    return found


def first_wrong(pair: Pair, diff: Diff) -> str:
    right, wrong = seen(pair), seen(pair, diff)
    for name in right:
        for a, b in zip(right[name], wrong[name]):
            if np.shape(a) != np.shape(b) or np.linalg.norm(a - b) > 1e-7 * np.linalg.norm(a):
                return name
    return ""


PROBED = [
    Probed(pair, bug.name, with_probes(pair, bug.diff), first_wrong(pair, bug.diff))
    for pair in NAMES
    for bug in pair.bugs
    if not bug.tiny
]
