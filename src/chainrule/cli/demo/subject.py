"""What the demo works on: the example file a scientist could have written, and the digits."""

from dataclasses import dataclass
from functools import lru_cache
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from chainrule.base.errors import InputError

_PACKAGE = Path(__file__).resolve().parents[2]
DATA = _PACKAGE / "data" / "digits.npz"
# In the wheel the examples are inside the package; in a checkout they are at its root.
_EXAMPLES = (_PACKAGE / "examples", _PACKAGE.parents[1] / "examples")


@lru_cache
def example(name: str) -> ModuleType:
    """The file ``examples/<name>.py`` as a module of its own, not one of chainrule."""
    for folder in _EXAMPLES:
        path = folder / f"{name}.py"
        if path.exists():
            break
    else:
        remedy = "Install chainrule again; its wheel contains the examples."
        raise InputError(f"The example {name}.py is missing.", remedy, at=None)
    loader = SourceFileLoader(name, str(path))
    spec = spec_from_file_location(name, path, loader=loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Subject:
    """The objective with its data, and where to start."""

    digits: ModuleType
    X: np.ndarray
    Y: np.ndarray
    X_test: np.ndarray
    Y_test: np.ndarray
    params: dict[str, np.ndarray]

    @property
    def point(self) -> tuple[Any, ...]:
        """The arguments of ``loss``."""
        return self.params, self.X, self.Y

    @property
    def size(self) -> int:
        """N, the number of parameters."""
        return sum(array.size for array in self.params.values())

    def accuracy(self, params: dict[str, np.ndarray]) -> float:
        """The fraction of the held-out images that is read correctly."""
        return float(self.digits.accuracy(params, self.X_test, self.Y_test))


def load(hidden: int) -> Subject:
    """A network with so many hidden units and random weights."""
    digits = example("digits")
    X, Y, X_test, Y_test = digits.load(DATA)
    return Subject(digits, X, Y, X_test, Y_test, digits.init(hidden))
