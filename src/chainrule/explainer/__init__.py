"""Derivations written down."""

from chainrule.explainer.derivation import Derivation, Step, explain

__all__ = ["Derivation", "Step", "explain"]
