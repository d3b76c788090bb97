"""What a numerical derivative is: a value, and how far it can be trusted."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.base import tree


@dataclass(frozen=True, eq=False)
class Estimate:
    """A numerical derivative: the true one is within ``error`` of ``value``, nearly always.

    value, error : like the argument (gradient), or arrays.   step : the smallest step used, for
    each number of the value (0 where it came from a complex step).   evaluations : of the function.
    notes : what the numbers do not say, as that a value is the slope on one side only.
    """

    value: Any
    error: Any
    step: Any
    evaluations: int
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        error = f"{self.worst_error:.1e}"
        return f"Estimate({_short(self.value)}, error={error}, evaluations={self.evaluations})"

    def __str__(self) -> str:
        rows = zip(tree.paths(self.value), *(tree.flatten(t)[0] for t in (self.value, self.error)))
        lines = [f"{path + ' = ' if path else ''}{_with_error(v, e)}" for path, v, e in rows]
        return "\n".join([*lines, *self.notes, f"{self.evaluations} evaluations"])

    @property
    def worst_error(self) -> float:
        """The largest error of all numbers of the value."""
        return max((float(np.max(e, initial=0.0)) for e in tree.flatten(self.error)[0]), default=0)


def _short(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."


def _with_error(value: Any, error: Any) -> str:
    if np.ndim(value) == 0:
        digits = 16
        if 0 < abs(error) < abs(value):
            digits = int(np.clip(np.ceil(np.log10(abs(value) / error)) + 1, 2, 17))
        return (
            f"{complex(value) if np.iscomplexobj(value) else float(value):.{digits}g} ± {error:.1e}"
        )
    return f"{np.array2string(np.asarray(value), threshold=20)} ± {np.max(error, initial=0.0):.1e}"
