"""What must hold before numbers can be compared: the same point gives the same value, every time,
and calling changes nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.base import tree
from chainrule.base.arguments import Selection
from chainrule.numeric.points import OUT_OF_DOMAIN, as_array, quiet


class Call:
    """``f`` as a function of the chosen arguments alone, with the others fixed; counts its calls.

    The other arguments are copied once, so that nothing of the caller's can change.
    """

    def __init__(self, f: Callable, selection: Selection):
        self._f = f
        self._selection = selection
        self.single = selection.single
        args, kwargs = selection.rebuild([0.0] * len(selection.keys))
        self._args, self._kwargs = copied((args, kwargs))
        self.calls = 0

    def __call__(self, x: Any) -> Any:
        """The value at x: the chosen argument, or the tuple of them."""
        self.calls += 1
        args, kwargs = list(self._args), dict(self._kwargs)
        for key, value in zip(self._selection.keys, [x] if self.single else x):
            if isinstance(key, int):
                args[key] = value
            else:
                kwargs[key] = value
        return self._f(*args, **kwargs)


def copied(x: Any) -> Any:
    """The tree with its own arrays."""
    return tree.map(lambda leaf: leaf.copy() if isinstance(leaf, np.ndarray) else leaf, x)


@dataclass
class Findings:
    """What was seen at the point.

    value : f(x).   claimed : the tree grad gave, copied at once.   impure : what is wrong with f.
    wrong : what is wrong with grad.   spread : how much values at the same point differ.
    """

    value: Any
    claimed: Any
    spread: float = 0.0
    impure: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def examine(f: Call, grad: Call, x: Any, elsewhere: Any, names: list[str]) -> Findings:
    """Call f four times and grad three, at x and elsewhere in turn, and compare what must be equal.

    elsewhere : a point near x.   Four and three calls.
    """
    given = copied(x)
    first = as_array(f(given))
    changed_by_f = _changed(x, given, names)
    given = copied(x)
    live = grad(given)
    claimed = copied(live)
    findings = Findings(first, claimed)
    changed_by_grad = _changed(x, given, names)
    if changed_by_f:
        findings.impure.append(f"f changes its argument {changed_by_f}")
    if changed_by_grad:
        findings.wrong.append(f"grad changes its argument {changed_by_grad}")
    _try(f, elsewhere)
    values = [first, as_array(f(copied(x)))]
    _try(grad, elsewhere)
    if not _equal(live, claimed):
        findings.wrong.append("grad returns a buffer that its next call overwrites")
    again = copied(grad(copied(x)))
    values.append(as_array(f(copied(x))))
    findings.spread = _spread(values)
    size = float(np.max(np.abs(first), initial=0.0))
    if findings.spread > 64 * 2.0**-52 * size:
        findings.impure.append(
            f"f gave values that differ by {findings.spread:.1e} at the same point: it is random, "
            "or it keeps a state"
        )
    elif not _close(again, claimed):
        findings.wrong.append("grad gave two gradients at the same point: it keeps a state")
    return findings


def _try(call: Call, x: Any) -> None:
    with quiet():
        try:
            call(copied(x))
        except OUT_OF_DOMAIN:
            return


def _changed(x: Any, given: Any, names: list[str]) -> str:
    """The path of the first leaf that is not what it was; empty where all are."""
    leaves, others = tree.flatten(x)[0], tree.flatten(given)[0]
    if len(leaves) != len(others):
        return names[0]
    for name, leaf, other in zip(names, leaves, others):
        if isinstance(leaf, np.ndarray) and leaf.tobytes() != other.tobytes():
            return name
    return ""


def _spread(values: list[np.ndarray]) -> float:
    if len({value.shape for value in values}) > 1:
        return float("inf")
    stacked = np.stack(values)
    with np.errstate(all="ignore"):
        spread = np.max(np.abs(stacked - stacked[0]), initial=0.0)
    same = all(np.array_equal(value, values[0], equal_nan=True) for value in values)
    return 0.0 if same else float(spread)


def _equal(a: Any, b: Any) -> bool:
    pairs = zip(tree.flatten(a)[0], tree.flatten(b)[0])
    return all(np.asarray(x).tobytes() == np.asarray(y).tobytes() for x, y in pairs)


def _close(a: Any, b: Any) -> bool:
    if not tree.structure_equal(a, b):
        return False
    for x, y in zip(*(map(np.asarray, tree.flatten(t)[0]) for t in (a, b))):
        if x.shape != y.shape or x.dtype.kind not in "fciub" or y.dtype.kind not in "fciub":
            return x.shape == y.shape
        eps = float(np.finfo(x.dtype).eps) if x.dtype.kind in "fc" else 2.0**-52
        finite = np.isfinite(x)
        size = np.max(np.abs(x), where=finite, initial=0.0)
        if np.any(finite != np.isfinite(y)):
            return False
        if np.any(np.abs(x[finite] - y[finite]) > 1e3 * eps * size):
            return False
    return True
