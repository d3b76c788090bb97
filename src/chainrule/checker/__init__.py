"""Judging derivatives by numbers: ours, those written by hand, those of other systems."""

from chainrule.checker.entry import check
from chainrule.checker.limits import limit
from chainrule.checker.probes import probe
from chainrule.checker.report import Report

__all__ = ["Report", "check", "limit", "probe"]
