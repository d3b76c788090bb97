"""Numerical differentiation that knows its own error, and nothing of the analytic engine."""

from chainrule.numeric.derivative import (
    Estimate,
    derivative,
    directional,
    gradient,
    hessian,
    jacobian,
)

__all__ = ["Estimate", "derivative", "directional", "gradient", "hessian", "jacobian"]
