"""The plugin for pytest: a budget for gradient checks, and pages for those that fail.

@pytest.mark.gradient_budget(seconds=2)     every check in this test has two seconds
pytest --gradient-html=pages                a page with pictures for each failed assertion
"""

import re
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

_MARKER = "gradient_budget(seconds=None, evaluations=None): what each chainrule check may use"


def pytest_addoption(parser: Any) -> None:
    group = parser.getgroup("chainrule")
    text = "write a page for every failed assert_gradient into this folder"
    group.addoption("--gradient-html", metavar="DIR", default=None, help=text)


def pytest_configure(config: Any) -> None:
    config.addinivalue_line("markers", _MARKER)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: Any) -> Generator[None, Any, Any]:
    marker = item.get_closest_marker("gradient_budget")
    if marker is None:
        return (yield)
    from chainrule.checker.limits import limit

    with limit(*marker.args, **marker.kwargs):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: Any, call: Any) -> Generator[None, Any, Any]:
    result = yield
    folder = item.config.getoption("--gradient-html")
    report: Any = getattr(getattr(call.excinfo, "value", None), "report", None)
    if folder is not None and hasattr(report, "to_html"):
        name = re.sub(r"[^\w.-]+", "_", item.nodeid).strip("_")
        path = Path(folder) / f"{name}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        report.to_html(path)
        result.sections.append(("gradient check", f"pictures: {path}"))
    return result
