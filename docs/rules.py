"""Writes docs/rules.md: the derivative of every function, read off the declarations themselves.

``python docs/rules.py`` rewrites the page (and the pictures, with ``pictures``); with ``-`` it
prints the page. A test compares the page with what the code says now.
"""

import ast
import contextlib
import dis
import importlib
import sys
import types
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import formulas
import numpy as np
from formulas import Formulas

import chainrule as cr
from chainrule.core import primitive as core

HERE = Path(__file__).parent
LIBRARIES = """
    numpy numpy.linalg numpy.fft numpy.polynomial.polynomial numpy.lib.scimath
    numpy.lib.stride_tricks scipy.special scipy.linalg scipy.fft scipy.signal
    scipy.spatial.distance scipy.spatial scipy.stats scipy.integrate scipy.interpolate
    scipy.optimize scipy.sparse scipy.sparse.linalg scipy.ndimage statistics
""".split()

HEAD = """# The derivative of every function

Made from the declarations by `python docs/rules.py`, with NumPy {numpy} and SciPy {scipy}; a test
compares this page with the code. What follows is all the calculus that chainrule knows: the chain
rule does the rest. Each line is checked against finite differences, forwards and backwards, at
ordinary and at hard points (`tests/test_primitives.py`).

**How to read it.** `y` is the value of the function, a prefix `d` a small change, so `dy` is the
change of `y` when the operands change by `dx`. Backwards, `g` is the derivative of the final result
by `y`, and x̄ its derivative by `x`; reverse mode computes x̄ from `g`.

- *Elementwise* functions: the table gives dy/dx. Then dy = dy/dx · dx and x̄ = dy/dx · g (with the
  conjugate of dy/dx for complex numbers). Of several operands each has its line.
- *Linear* functions are their own derivative, dy = f(dx); backwards runs the transpose.
- *Products*, linear in each operand, follow the product rule.
- *Rules* (solve, eigenvalues, ...): the formula as the books have it, with its source.
- *Made of others*: plain NumPy code, so the chain rule gives the derivative. What stands there is
  what the function computes, or the operations in it.
- *Constant*: the derivative is 0 wherever it exists; what comes back is an ordinary array.

*Building blocks* are the steps that rules and compositions share; printed programs name them.

Where a value is infinite or two nearly equal numbers would be subtracted, the code has a form that
keeps its digits; the formula here is the same function of the same numbers.
"""

CONVENTIONS = """## Where the slope does not exist

At a kink, a tie or an edge a derivative is a matter of convention. These are ours; the answers are
computed as this page is made. `docs/conventions.md` gives the reasons.

| where | you write | answer |
|---|---|---|
{rows}

{pictures}
"""

# ---------------------------------------------------------------- conventions

POINTS = [
    ("abs at 0", "grad(np.abs)(0.0)"),
    ("norm at 0", "grad(np.linalg.norm)(np.zeros(2))"),
    ("hypot at (0, 0)", "grad(np.hypot, wrt=(0, 1))(0.0, 0.0)"),
    ("std of equal numbers", "grad(np.std)(np.ones(3))"),
    ("sqrt at 0", "grad(np.sqrt)(0.0)"),
    ("sqrt at 0, multiplied by 0", "grad(lambda x: 0 * np.sqrt(x))(0.0)"),
    ("cbrt at 0", "grad(np.cbrt)(0.0)"),
    ("x**0", "grad(lambda x: x**0.0)(0.0)"),
    ("0**p by p, p > 0", "grad(lambda p: 0.0**p)(2.0)"),
    ("x**1.5 at 0", "grad(lambda x: x**1.5)(0.0)"),
    ("maximum at a tie", "grad(np.maximum, wrt=(0, 1))(1.0, 1.0)"),
    ("relu at 0", "grad(lambda x: np.maximum(x, 0))(0.0)"),
    ("clip on a bound", "grad(lambda x: np.clip(x, 0, 1))(1.0)"),
    ("maximum with a NaN, which wins", "grad(np.maximum, wrt=(0, 1))(np.nan, 1.0)"),
    ("fmax with a NaN, which loses", "grad(np.fmax, wrt=(0, 1))(np.nan, 1.0)"),
    ("max with ties", "grad(np.max)(np.array([3.0, 1.0, 3.0]))"),
    (
        "running maximum, last element",
        "grad(lambda x: np.maximum.accumulate(x)[-1])(np.array([2.0, 2.0]))",
    ),
    ("smallest of a sort with ties", "grad(lambda x: np.sort(x)[0])(np.array([1.0, 1.0, 2.0]))"),
    ("median with ties", "grad(np.median)(np.array([1.0, 1.0, 2.0]))"),
    ("median of an even number", "grad(np.median)(np.array([1.0, 2.0, 3.0, 4.0]))"),
    ("Python's max at a tie: the one it returns", "grad(lambda x, y: max(x, y), (0, 1))(1.0, 1.0)"),
    ("where, NaN in the other branch", "grad(lambda x: np.where(x > 0, x, np.log(x)))(0.0)"),
    ("where, inf in the other branch", "grad(lambda x: np.where(x > 0, np.sqrt(x), x))(0.0)"),
    ("logaddexp(-inf, -inf)", "grad(np.logaddexp, wrt=(0, 1))(-np.inf, -np.inf)"),
    ("arctan2(0, 0)", "grad(np.arctan2, wrt=(0, 1))(0.0, 0.0)"),
    ("arctan2 on its cut", "grad(np.arctan2, wrt=(0, 1))(0.0, -1.0)"),
    ("sinc at 0", "grad(np.sinc)(0.0)"),
    ("second derivative of sinc at 0: -π²/3", "grad(grad(np.sinc))(0.0)"),
    ("mod on a jump", "grad(np.mod, wrt=(0, 1))(4.0, 2.0)"),
    ("floor, round, sign: constants", "grad(lambda x: x * np.floor(x))(2.5)"),
    ("interp at a knot: the interval to its right", "grad(np.interp)(1.0, [0, 1, 2], [0, 1, 5])"),
    ("product with zeros", "grad(np.prod)(np.array([0.0, 2.0, 3.0]))"),
    ("product with two zeros", "grad(np.prod)(np.array([0.0, 0.0, 3.0]))"),
    ("repeated assignment: the last one counts", "grad(repeated)(np.array([1.0, 2.0]))"),
    ("complex argument: df/dRe z + i df/dIm z", "grad(lambda z: np.abs(z) ** 2)(1 + 2j)"),
    ("abs of a complex 0", "grad(np.abs)(0j)"),
    ("cholesky: the lower triangle is read", "grad(lambda A: np.linalg.cholesky(A)[1, 0])(A)"),
    (
        "eigvalsh: the lower triangle is read",
        "grad(lambda A: np.linalg.eigvalsh(A).sum())(A)",
    ),
    (
        "equal eigenvalues share",
        "grad(lambda A: np.linalg.eigvalsh(A)[0])(np.eye(2))",
    ),
    ("det of a singular matrix: exact", "grad(np.linalg.det)(np.ones((2, 2)))"),
    ("float32 stays float32", "grad(np.tanh)(np.float32(0.5))"),
]

PICTURES = """
    abs relu maximum clip sign mod sqrt cbrt hypot sort median where sinc arctan2 interp
""".split()


def repeated(v):
    """y[[0, 0]] = v writes twice into the same place."""
    y = np.zeros(1)
    y[[0, 0]] = v
    return y[0]


def conventions() -> str:
    names = {"np": np, "grad": cr.grad, "repeated": repeated, "A": np.array([[2.0, 1], [1, 2]])}
    rows = []
    for where, code in POINTS:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            answer = _shown(eval(code, names))
        rows.append(
            f"| {formulas.escaped(where)} | `{code.replace('|', chr(92) + '|')}` | `{answer}` |"
        )
    pictures = [f"![{name}: value and slope](rules/{name}.png)" for name in PICTURES]
    return CONVENTIONS.format(rows="\n".join(rows), pictures="\n".join(pictures))


def _shown(x: Any) -> str:
    if isinstance(x, tuple):
        return ", ".join(_shown(v) for v in x)
    if isinstance(x, np.ndarray):
        return "[" + ", ".join(_shown(v) for v in x) + "]"
    if isinstance(x, np.float32):
        return f"np.float32({x:.6g})"
    x = x + 0  # no -0
    return f"{x:.6g}"


# ---------------------------------------------------------------- families

KINDS = {
    "elementwise": "elementwise",
    "several": "elementwise",
    "adjoint_pair": "linear",
    "linear": "linear",
    "multilinear": "product",
    "general": "rule",
}
CONSTANT = "Functions whose derivative is zero"
FAMILIES = [
    ("Elementwise functions", "elementwise choosing complexparts emath"),
    ("Sums, extrema, products", "reductions nanreductions ufunc_methods"),
    ("Sorting, quantiles, statistics", "sorting quantiles statistics"),
    ("Products of arrays", "contraction"),
    ("Shapes, joining, indexing, creation", "shapes joins indexing creation"),
    ("Differences, integrals, interpolation, histograms", "differences"),
    ("Linear algebra", "linalg matrices factorizations spectral norms least_squares repeated"),
    ("Fourier transforms", "fft"),
    ("Polynomials", "polynomials"),
    (CONSTANT, "nondiff"),
    ("scipy.special: elementary functions", "scipy_special"),
    ("scipy.special: gamma, beta, zeta", "scipy_gamma scipy_parameters"),
    ("scipy.special: error functions", "scipy_error"),
    ("scipy.special: Bessel functions and their kin", "scipy_bessel"),
    ("scipy.special: hypergeometric functions", "scipy_hypergeometric"),
    ("scipy.special: elliptic integrals", "scipy_elliptic"),
    ("scipy.special: orthogonal polynomials", "scipy_orthogonal"),
    ("scipy.special: distribution functions", "scipy_distributions scipy_noncentral"),
    ("scipy.special: logsumexp", "scipy_logsumexp"),
]  # other files of rules follow, each under the first words of its docstring


# ---------------------------------------------------------------- the names users write


@cache
def public_names() -> dict[int, list[str]]:
    """id of a function -> the names it has in NumPy and SciPy."""
    names: dict[int, list[str]] = {}
    for library in LIBRARIES:
        module = importlib.import_module(library)
        prefix = library.replace("numpy", "np", 1) if library.startswith("numpy") else library
        prefix = {"np.lib.scimath": "np.emath"}.get(prefix, prefix)
        for name in dir(module):
            value = getattr(module, name, None)
            if callable(value) and not name.startswith("_"):
                names.setdefault(id(value), []).append(f"{prefix}.{name}")
    return names


def name_of(function: Any) -> str | None:
    """np.tanh, scipy.special.erf, np.add.reduce; None for what users do not call."""
    if isinstance(function, tuple):
        return f"{name_of(function[0])}.{function[1]}"
    found = public_names().get(id(function))
    if found:
        own = [n for n in found if n.rpartition(".")[2] == getattr(function, "__name__", "")]
        return (own or found)[0]
    if isinstance(function, types.MethodDescriptorType):
        owner = {np.ufunc: "ufunc", np.ndarray: "x"}.get(function.__objclass__)
        return f"{owner}.{function.__name__}" if owner else None
    return None


def titled(function: Any, name: str) -> str:
    """The name and its other names in the same module."""
    module = name.rpartition(".")[0]
    others = [n for n in public_names().get(id(function), []) if n != name]
    others = [n for n in others if n.rpartition(".")[0] == module]
    return ", ".join(f"`{n}`" for n in [name, *others])


# ---------------------------------------------------------------- what a composition is made of


def closure(function: types.FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):  # an empty cell
            yield cell.cell_contents


def loaded(function: Any) -> Iterator[Any]:
    """What a function's code can reach by name: its closure first, then globals it loads."""
    if not isinstance(function, types.FunctionType):
        return
    yield from closure(function)
    for instruction in dis.get_instructions(function):
        if instruction.opname == "LOAD_GLOBAL" and instruction.argval in function.__globals__:
            yield function.__globals__[instruction.argval]


def parts(function: Any, depth: int = 2) -> list[core.Primitive]:
    """The primitives, other than elementwise ones, that a composition binds by name."""
    found: dict[str, core.Primitive] = {}
    for value in loaded(function):
        if isinstance(value, core.Primitive) and not hasattr(value, "partials"):
            found.setdefault(value.name, value)
        elif formulas.is_helper(value) and depth:
            found.update({p.name: p for p in parts(value, depth - 1)} | found)
    return list(found.values())


def calls(function: Any) -> list[str]:
    """The differentiated NumPy functions that the text of a composition calls, in order."""
    found: dict[str, None] = {}
    for f in [function, *filter(formulas.is_helper, loaded(function))]:
        for part in ast.walk(formulas.source(f) or ast.Module()):
            if isinstance(part, ast.Attribute) and _last(part.value) in ("np", "numpy"):
                if _is_differentiated(getattr(np, part.attr, None)):
                    found.setdefault(f"np.{part.attr}")
    return list(found)


def _last(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


MAKERS = (np.asarray, np.array, np.zeros_like, np.broadcast_to, np.full, np.empty, np.zeros)


def _is_differentiated(function: Any) -> bool:
    if not isinstance(function, (np.ufunc, types.FunctionType, type(np.sum))):
        return False
    run = core.FUNCTIONS.get(function)
    return run is not None and function not in MAKERS and not is_constant(run)


def is_constant(run: Any) -> bool:
    """Declared by ``piecewise_constant``."""
    return getattr(run, "__qualname__", "").startswith("piecewise_constant")


def own_text(run: Any, function: Any) -> str:
    """The docstring of a composition, or of the code that a wrapper holds."""
    for f in [run, *filter(formulas.is_helper, closure(run))]:
        text = formulas.first_paragraph(f)
        if text and f.__doc__ != getattr(function, "__doc__", None):
            return text
    return ""


# ---------------------------------------------------------------- tables


@dataclass
class Table:
    """Rows of one family: functions users call, building blocks, and constants."""

    rows: dict[str, tuple[str, str]] = field(default_factory=dict)  # name: (kind, derivative)
    blocks: dict[str, tuple[str, str]] = field(default_factory=dict)
    constants: list[str] = field(default_factory=list)
    formulas: Formulas = field(default_factory=Formulas)

    def text(self) -> str:
        out = []
        for heads, rows in (("function", self.rows), ("building block", self.blocks)):
            if rows:
                lines = [f"| {heads} | kind | derivative, or what it is made of |", "|---|---|---|"]
                lines += [f"| {name} | {kind} | {cell} |" for name, (kind, cell) in rows.items()]
                out.append("\n".join(lines))
        if self.formulas.helpers:
            notes = [f"- `{name}`: {text}" for name, text in self.formulas.helpers.items()]
            out.append("In these formulas:\n\n" + "\n".join(notes))
        if self.constants:
            out.append("Constant: " + ", ".join(f"`{name}`" for name in self.constants) + ".")
        return "\n\n".join(out)


def tables() -> dict[str, Table]:
    """The title of a family -> its table."""
    found: dict[str, Table] = {title: Table() for title, _ in FAMILIES}
    family = {m: title for title, modules in FAMILIES for m in modules.split()}
    shown: set[str] = set()
    homes = homes_of_primitives()
    direct = {id(p.fun): p for p in core.PRIMITIVES.values()}
    rows = []
    for function, run in core.FUNCTIONS.items():
        primitive = direct.get(id(function))
        module = homes[primitive.name] if primitive else home_of(run)
        rows.append((module, name_of(function), function, run, primitive))
    order = {module: i for i, module in enumerate(family)}
    rows.sort(key=lambda row: order.get(row[0], 99))
    for module, name, function, run, primitive in rows:
        if name is None:
            continue
        table = found.setdefault(family.get(module) or _title(module), Table())
        if is_constant(run):
            found[CONSTANT].constants.append(name)
        elif primitive:
            shown.add(primitive.name)
            table.rows[titled(function, name)] = KINDS[primitive.kind], table.formulas.of(primitive)
        else:
            table.rows[titled(function, name)] = composition(name, function, run, table, shown)
    for primitive in core.PRIMITIVES.values():
        if primitive.name not in shown:
            module = homes[primitive.name]
            table = found.setdefault(family.get(module) or _title(module), Table())
            table.blocks[f"`{primitive.name}`"] = (
                KINDS[primitive.kind],
                table.formulas.of(primitive),
            )
    return found


def refusal(run: Any) -> str | None:
    """The remedy that a function without a rule gives in its error."""
    node = formulas.source(run)
    if not isinstance(node, ast.FunctionDef) or not isinstance(node.body[-1], ast.Raise):
        return None
    return next((v for v in closure(run) if isinstance(v, str) and v.endswith(".")), "")


def composition(
    name: str, function: Any, run: Any, table: Table, shown: set[str]
) -> tuple[str, str]:
    """What the docstring says, and the formula of the primitive that bears the same name."""
    if (remedy := refusal(run)) is not None:
        return "none: an error", formulas.escaped(remedy)
    own = name.rpartition(".")[2]
    is_function = isinstance(run, types.FunctionType)
    said = formulas.escaped(own_text(run, function)) if is_function else ""
    bound = parts(run)
    same = [p for p in bound if p.name in (own, f"scipy_{own}", own.removeprefix("a"))]
    if same:
        shown.add(same[0].name)
        formula = table.formulas.of(same[0])
        return KINDS[same[0].kind], f"{said}. {formula}" if said and formula != said else formula
    if not said:
        used = [f"`{p.name}`" for p in bound] or [f"`{c}`" for c in calls(run) if c != name]
        said = ", ".join(used[:8]) or "other functions of this page"
    return "made of others", said


def homes_of_primitives() -> dict[str, str]:
    """The file of rules of each primitive; one that does not show it follows its predecessor."""
    homes: dict[str, str] = {}
    last = "indexing"
    for primitive in core.PRIMITIVES.values():
        rules = [getattr(primitive, n, None) for n in ("vjp_rule", "jvp_rule", "transpose", "fun")]
        for n in ("partials", "slopes", "transposes"):
            rules += getattr(primitive, n, [])
        modules = [m for m in map(_module, rules) if m]
        is_numpys = (
            isinstance(primitive.fun, np.ufunc) and (name_of(primitive.fun) or "")[:3] == "np."
        )
        last = modules[0] if modules else "elementwise" if is_numpys else last
        homes[primitive.name] = last
    return homes


def home_of(run: Any) -> str:
    """The file of rules of a composition: of the code that a wrapper holds, if it is one."""
    inner = closure(run) if isinstance(run, types.FunctionType) else ()
    inside = [v for v in inner if isinstance(v, types.FunctionType)]
    modules = [m for m in map(_module, [*inside, run]) if m]
    return modules[0] if modules else "elementwise"


def _module(function: Any) -> str:
    module = getattr(function, "__module__", None) or ""
    is_ours = module.startswith(("chainrule.rules.", "chainrule.core.indexing"))
    return module.rpartition(".")[2] if is_ours else ""


def _title(module: str) -> str:
    """The first words of a file of rules that FAMILIES does not name."""
    for package in ("chainrule.rules", "chainrule.core"):
        with contextlib.suppress(ImportError):
            text = formulas.first_paragraph(importlib.import_module(f"{package}.{module}"))
            return text.partition(". ")[0].replace("``", "").replace("`", "")
    return module


# ---------------------------------------------------------------- the page


def page() -> str:
    load()
    out = [HEAD.format(numpy=_version(np), scipy=_version(importlib.import_module("scipy")))]
    out.append(conventions())
    for title, table in sorted(tables().items(), key=lambda item: item[0].startswith("scipy")):
        if text := table.text():
            out.append(f"## {title}\n\n{text}\n")
    return "\n".join(out)


def _version(module: types.ModuleType) -> str:
    return ".".join(module.__version__.split(".")[:2])


def load() -> None:
    """Declare the rules of all libraries."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for library in LIBRARIES:
            importlib.import_module(library)
    while core.load_late():
        pass
    assert not core.LATE, "LIBRARIES lacks one that has rules"


if __name__ == "__main__":
    if "-" in sys.argv:
        sys.stdout.write(page())
    else:
        (HERE / "rules.md").write_text(page())
        print("wrote rules.md", file=sys.stderr)
