"""Models with their gradients by hand, and what goes wrong in them.

``ORDINARY`` : right gradients of the models people write, each with its bugs.
``HARD`` : right gradients that are hard to judge, with plain bugs.   ``MANY`` : of 3,000 numbers.
``HUGE`` : of a million.   ``BUGS`` : (pair, bug) of all but the huge ones.
"""

from tests.check.corpus import (
    assorted,
    attention,
    conv,
    dense,
    factorisation,
    finance,
    gp,
    hard,
    many,
    mixture,
    norm,
    ode,
    physics,
    recurrent,
    robotics,
    sequences,
    survival,
    variational,
)
from tests.check.corpus.base import Bug, Pair

FAMILIES = {
    "dense": dense.PAIRS,
    "conv": conv.PAIRS,
    "norm": norm.PAIRS,
    "attention": attention.PAIRS,
    "recurrent": recurrent.PAIRS,
    "mixture": mixture.PAIRS,
    "sequences": sequences.PAIRS,
    "gp": gp.PAIRS,
    "ode": ode.PAIRS,
    "factorisation": factorisation.PAIRS,
    "survival": survival.PAIRS,
    "variational": variational.PAIRS,
    "physics": physics.PAIRS,
    "robotics": robotics.PAIRS,
    "finance": finance.PAIRS,
    "assorted": assorted.PAIRS,
}
ORDINARY: list[Pair] = [pair for pairs in FAMILIES.values() for pair in pairs]
HARD: list[Pair] = hard.PAIRS
MANY: list[Pair] = many.PAIRS
HUGE: list[Pair] = many.HUGE
BUGS: list[tuple[Pair, Bug]] = [(pair, bug) for pair in ORDINARY + HARD + MANY for bug in pair.bugs]
