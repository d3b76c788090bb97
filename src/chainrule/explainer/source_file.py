"""The file around an exported function: header, data, helpers, its own test. It is run once."""

import re
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.base import tree
from chainrule.base.errors import ProgramError
from chainrule.explainer.body import OF, Body
from chainrule.explainer.literals import array_lines
from chainrule.explainer.self_check import helpers_in, test_lines

AMBIGUOUS = re.compile(r"\b[lOI]\b")  # names that linters take for 1 and 0


def assemble(body: Body) -> str:
    """The text of the file, the mathematics first and the data last."""
    function = "\n".join(body.lines())
    constants = [array_lines(name, x) for name, x in body.writer.constants.values()]
    short = "\n".join(lines[0] for lines in constants if _is_short(lines))
    data = "\n".join("\n".join(lines) for lines in constants if not _is_short(lines))
    program = "\n".join([short, data, function])
    _compare(body, _run(body, program, np.ones_like))
    test = "\n".join(test_lines(body, _expected(_run(body, program, _tangent))))
    helpers = helpers_in("\n".join([program, test]), body)
    unpack = helpers.pop("_array", "")
    sections = [function, *helpers.values(), test, unpack, data]
    sections.append('if __name__ == "__main__":\n    self_test()\n')
    start = [*_header(body), ""]
    start += ["# ruff: noqa: E741", ""] if AMBIGUOUS.search(function) else []
    start += ["import base64", "import zlib", ""] if unpack else []
    start += ["import numpy as np"]
    start += [f"import {package}" for package in sorted(body.writer.imports)]
    start += ["", short] if short else []
    text = "\n\n\n".join(["\n".join(start), *filter(None, sections)])
    return text.replace(f"\n\n\n{data}\n\n\n", f"\n\n\n{data}\n\n") if data else text


def _is_short(lines: list[str]) -> bool:
    return len(lines) == 1 and "\n" not in lines[0]


def _header(body: Body) -> list[str]:
    table, version = body.table, sys.modules["chainrule"].__version__
    rows = []
    for leaf in body.arguments.leaves:
        if leaf.var >= 0:
            shape = ", ".join(map(str, table.shapes[leaf.var]))
            what = f"{table.dtypes[leaf.var]}{f'[{shape}]' if shape else ''}"
        else:
            what = f"fixed: {' '.join(repr(leaf.value).split())}"
        rows.append((body.path(leaf), what[:60]))
    width = max((len(path) for path, _ in rows), default=0)
    wanted = " and ".join(body.parameters[key] for key in body.arguments.keys)
    by = "" if body.of == "value" else f" with respect to {wanted}"
    usage = f"{OF[body.of][1]} = {body.name}({body.signature})"
    lines = [f'"""{body.summary}{by}.', "", f"    {usage}", ""]
    lines += [f"    {path:<{width}}  {what}" for path, what in rows]
    lines += [
        "",
        "It holds for arguments of these shapes that take the branches taken when it was written,",
        f"by chainrule {version}; it checks both. Run this file to test it.",
        '"""',
    ]
    return [line.replace("\\", "/") if len(line) <= 100 else line[:97] + "..." for line in lines]


def _run(body: Body, program: str, tangent: Callable) -> Any:
    """What the exported function returns at the point it was made at."""
    lines = ["import base64, zlib", "import numpy as np"]
    lines += [f"import {package}" for package in sorted(body.writer.imports)]
    lines += helpers_in(program, body).values()
    namespace: dict[str, Any] = {}
    exec(compile("\n".join([*lines, program]), "<exported>", "exec"), namespace)
    values = dict(zip(body.parameters, body.arguments.every.values))
    tangents = [tree.map(tangent, values[key]) for key in body.tangents]
    with np.errstate(all="ignore"):
        return namespace[body.name](*values.values(), *tangents)


def _in_order(x: Any) -> list[np.ndarray]:
    """The leaves as the file's own ``_leaves`` finds them: dicts in their own order."""
    if isinstance(x, dict):
        x = list(x.values())
    if isinstance(x, (list, tuple)):
        return [leaf for part in x for leaf in _in_order(part)]
    return [] if x is None else [np.asarray(x)]


def _compare(body: Body, results: Any) -> None:
    """The numbers of the file against those of the sweep it was made from; all tangents are 1."""
    found, table = body.found, body.table
    first, *second = tree.flatten(results)[0] if body.of == "value" else _parts(results)
    if body.of == "jacobian":  # the sweep started with ones: the sum over the value's elements
        axes = tuple(range(np.ndim(first)))
        second = [np.sum(J, axis=axes) for J in second]
    # a * b of complex scalars is rounded otherwise than np.multiply
    scalars = any(s and d.kind == "c" for s, d in zip(table.scalars, table.dtypes))
    exact = not body.simplified and body.of in ("grad", "value") and not scalars
    for mine, seen in zip([first, *second], found.numbers, strict=True):
        eps = np.finfo(seen.dtype).eps if seen.dtype.kind in "fc" else 0.0
        size = np.max(np.abs(seen), initial=0.0, where=np.isfinite(seen))
        near = {"rtol": 0, "atol": 0} if exact else {"rtol": 1e4 * eps, "atol": 1e4 * eps * size}
        if not np.allclose(mine, seen, equal_nan=True, **near):
            raise ProgramError(
                "the exported function does not give the numbers of the derivative it was made "
                "from: this is a bug in chainrule",
                "simplify=False may help; please report it.",
            )


def _parts(results: Any) -> list[Any]:
    return [leaf for part in results for leaf in tree.flatten(part)[0]]


def _tangent(x: Any) -> Any:
    return np.cos(np.arange(np.size(x)) + 1.0).reshape(np.shape(x))


def _expected(results: Any) -> list[Any]:
    """Weighted sums of the results, by which the file's test recognises them."""
    return [np.sum(np.cos(np.arange(x.size)) * x.ravel()).item() for x in _in_order(results)]
