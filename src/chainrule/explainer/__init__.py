"""Derivations written down."""

from chainrule.explainer.derivation import Derivation, Step, explain
from chainrule.explainer.nan import NanReport, Origin, explain_nan

__all__ = ["Derivation", "NanReport", "Origin", "Step", "explain", "explain_nan"]
