"""Derivatives of the NumPy functions you already wrote.

>>> import numpy as np
>>> import chainrule as cr
>>> cr.grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
array([2., 4.])
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from chainrule import rules as _rules  # noqa: F401
from chainrule.base.errors import (
    ArgumentError,
    ChainruleError,
    IndependentOutputWarning,
    InputError,
    LeakedTracerError,
    MismatchError,
    NonDifferentiableError,
    NonFiniteGradientWarning,
    NoRuleError,
    NotScalarError,
    ProgramError,
    RuleError,
)
from chainrule.core.lift import lift
from chainrule.core.program import Program
from chainrule.transforms.constant import constant
from chainrule.transforms.forward import jvp
from chainrule.transforms.jacobian import hessian, hvp, jacobian
from chainrule.transforms.reverse import grad, value_and_grad, vjp
from chainrule.transforms.tracing import trace

if TYPE_CHECKING:
    from chainrule import interop, math, numeric, numpy, scipy, testing
    from chainrule.checker import Report, check, probe
    from chainrule.explainer.compare import Comparison, compare
    from chainrule.explainer.costs import Cost, cost
    from chainrule.explainer.derivation import Derivation, explain
    from chainrule.explainer.nan import explain_nan
    from chainrule.explainer.numpy_source import source
    from chainrule.explainer.symbolic import derive
    from chainrule.interop.jax import check_jax
    from chainrule.interop.torch import check_torch
    from chainrule.transforms.custom import custom_rule, primitive
    from chainrule.transforms.numerical import numerical

__version__ = "0.1.0"

__all__ = [
    "ArgumentError",
    "ChainruleError",
    "Comparison",
    "Cost",
    "Derivation",
    "IndependentOutputWarning",
    "InputError",
    "LeakedTracerError",
    "MismatchError",
    "NoRuleError",
    "NonDifferentiableError",
    "NonFiniteGradientWarning",
    "NotScalarError",
    "Program",
    "ProgramError",
    "Report",
    "RuleError",
    "check",
    "check_jax",
    "check_torch",
    "compare",
    "constant",
    "cost",
    "custom_rule",
    "derive",
    "explain",
    "explain_nan",
    "grad",
    "hessian",
    "hvp",
    "interop",
    "jacobian",
    "jvp",
    "lift",
    "math",
    "numeric",
    "numerical",
    "numpy",
    "primitive",
    "probe",
    "scipy",
    "source",
    "testing",
    "trace",
    "value_and_grad",
    "vjp",
]

_LATE = {  # imported when first used: most programs only need gradients
    "numeric": ("chainrule.numeric", None),
    "numpy": ("chainrule.numpy", None),
    "scipy": ("chainrule.scipy", None),
    "math": ("chainrule.math", None),
    "interop": ("chainrule.interop", None),
    "testing": ("chainrule.testing", None),
    "check": ("chainrule.checker", "check"),
    "check_jax": ("chainrule.interop.jax", "check_jax"),
    "check_torch": ("chainrule.interop.torch", "check_torch"),
    "probe": ("chainrule.checker", "probe"),
    "Report": ("chainrule.checker", "Report"),
    "explain": ("chainrule.explainer.derivation", "explain"),
    "explain_nan": ("chainrule.explainer.nan", "explain_nan"),
    "Derivation": ("chainrule.explainer.derivation", "Derivation"),
    "source": ("chainrule.explainer.numpy_source", "source"),
    "compare": ("chainrule.explainer.compare", "compare"),
    "Comparison": ("chainrule.explainer.compare", "Comparison"),
    "cost": ("chainrule.explainer.costs", "cost"),
    "Cost": ("chainrule.explainer.costs", "Cost"),
    "derive": ("chainrule.explainer.symbolic", "derive"),
    "primitive": ("chainrule.transforms.custom", "primitive"),
    "custom_rule": ("chainrule.transforms.custom", "custom_rule"),
    "numerical": ("chainrule.transforms.numerical", "numerical"),
}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _LATE[name]
    found = import_module(module)
    value = found if attribute is None else getattr(found, attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
