"""The numbers of one array of a wrong gradient, and when two of them count as different."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

SHARP = 1e3  # bounds that a number must be away from zero for a ratio of it


@dataclass(frozen=True, eq=False)
class Numbers:
    """One array: claimed, measured with its error bound, the point; NaN where not measured."""

    c: np.ndarray
    n: np.ndarray
    b: np.ndarray
    x: np.ndarray

    @cached_property
    def known(self) -> np.ndarray:
        return np.isfinite(self.n) & np.isfinite(self.c)

    @cached_property
    def wrong(self) -> np.ndarray:
        return self.known & differs(self.c, self.n, self.b)

    @cached_property
    def rest(self) -> np.ndarray:
        """What is missing."""
        return np.where(self.known, self.n - self.c, 0.0)

    @cached_property
    def visible(self) -> np.ndarray:
        """Where what is missing is much more than the error bound."""
        return self.known & (np.abs(self.rest) > SHARP * self.b)

    def is_claimed(self, made: np.ndarray, bound: np.ndarray | None = None) -> bool:
        """Whether the claim is this, within the error bound, wherever it is known."""
        return not differs(self.c, made, self.b if bound is None else bound)[self.known].any()


def differs(claimed: np.ndarray, numeric: np.ndarray, bound: np.ndarray | float) -> np.ndarray:
    """Where two numbers are farther apart than twice the bound, and 1e-6 of their size."""
    with np.errstate(all="ignore"):
        return ~(np.abs(claimed - numeric) <= 2 * bound + 1e-6 * np.abs(numeric))
