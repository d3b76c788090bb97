"""Judging gradients by numbers: chainrule's own, those written by hand, those of other systems."""

from chainrule.checker.judge import check
from chainrule.checker.report import Report

__all__ = ["Report", "check"]
