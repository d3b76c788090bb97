"""For tests of your own derivatives: an assertion, points to test at, a plugin for pytest."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chainrule.checker.limits import limit
    from chainrule.testing.assertion import GradientError, assert_gradient
    from chainrule.testing.places import points

__all__ = ["GradientError", "assert_gradient", "limit", "points"]

_LATE = {  # the plugin is loaded by every pytest that finds it: nothing else is before its use
    "GradientError": "chainrule.testing.assertion",
    "assert_gradient": "chainrule.testing.assertion",
    "limit": "chainrule.checker.limits",
    "points": "chainrule.testing.places",
}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATE[name]), name)
