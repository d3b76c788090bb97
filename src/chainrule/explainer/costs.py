"""``cost``: floating-point operations, bytes and evaluations of a function and its derivatives.

Counted on the NumPy calls that the derivative is made of (``noting``), from their shapes: why a
gradient costs a few evaluations of f, and differences cost one for each number of the argument.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.base import tree
from chainrule.base.errors import ChainruleError
from chainrule.base.where import Line
from chainrule.core.trace import Recording, plain
from chainrule.explainer.body import title_of
from chainrule.explainer.calls import Call, Calls, Ref
from chainrule.explainer.noting import Derivative
from chainrule.explainer.numpy_source import noted
from chainrule.explainer.versions import WRITES, prune, versioned, without_copies
from chainrule.transforms.door import enter, run

CHEAP, DIVIDE, TRANSCENDENTAL, SPECIAL = 1, 4, 20, 40  # flops for an element, by kind of function
_DIVISIONS = set("divide sqrt reciprocal remainder fmod floor_divide cbrt hypot".split())
_TRANSCENDENTAL = set(
    "exp exp2 expm1 log log2 log10 log1p logaddexp logaddexp2 sin cos tan arcsin arccos arctan "
    "arctan2 sinh cosh tanh arcsinh arccosh arctanh power float_power sinc i0".split()
)
_MOVES = set(  # no arithmetic
    "copy array astype broadcast_to full zeros ones empty concatenate stack take take_along_axis "
    "put_along_axis repeat tile roll flip pad moveaxis swapaxes expand_dims fill".split()
)
_PRODUCTS = {"matmul", "dot", "inner", "vdot", "tensordot", "outer", "convolve", "correlate"}
_FACTORISATIONS: dict[str, Callable[[int, int], float]] = {  # of a matrix m x n, n <= m
    "inv": lambda m, n: 2 * n**3,
    "det": lambda m, n: 2 / 3 * n**3,
    "slogdet": lambda m, n: 2 / 3 * n**3,
    "lu_factor": lambda m, n: 2 / 3 * n**3,
    "lu": lambda m, n: 2 / 3 * n**3,
    "cholesky": lambda m, n: n**3 / 3,
    "cho_factor": lambda m, n: n**3 / 3,
    "qr": lambda m, n: 2 * m * n**2 - 2 / 3 * n**3,
    "eigh": lambda m, n: 9 * n**3,
    "eigvalsh": lambda m, n: 4 / 3 * n**3,
    "eig": lambda m, n: 25 * n**3,
    "eigvals": lambda m, n: 10 * n**3,
    "svd": lambda m, n: 14 * m * n**2 + 8 * n**3,
    "pinv": lambda m, n: 16 * m * n**2 + 8 * n**3,
    "lstsq": lambda m, n: 14 * m * n**2 + 8 * n**3,
    "expm": lambda m, n: 30 * n**3,
}
_SOLVES: dict[str, Callable[[int, int], float]] = {  # n equations, k right-hand sides
    "solve": lambda n, k: 2 / 3 * n**3 + 2 * n**2 * k,
    "solve_triangular": lambda n, k: n**2 * k,
    "cho_solve": lambda n, k: 2 * n**2 * k,
    "lu_solve": lambda n, k: 2 * n**2 * k,
}


@dataclass(frozen=True)
class Row:
    """One way to compute something: NumPy operations, flops and bytes moved."""

    name: str
    operations: int
    flops: float
    bytes: float


@dataclass(frozen=True)
class Kept:
    """What the backward sweep needs of one statement."""

    line: Line
    bytes: int
    arrays: int


@dataclass(frozen=True)
class Cost:
    """Counts for f and its derivatives. ``print`` it; ``rows`` and ``residuals`` are the numbers.

    The last rows are finite differences: evaluations of f, one (or two) for each parameter.
    """

    title: str
    parameters: int
    rows: tuple[Row, ...]
    residuals: tuple[Kept, ...]

    def __getitem__(self, name: str) -> Row:
        """The row of this name: cost["gradient"].flops."""
        return next(row for row in self.rows if row.name == name)

    @property
    def memory(self) -> int:
        """Bytes the tape of a gradient holds."""
        return sum(kept.bytes for kept in self.residuals)

    def __str__(self) -> str:
        return format_cost(self)

    def __repr__(self) -> str:
        counts = ", ".join(f"{row.name} {row.flops:.3g}" for row in self.rows)
        return f"<Cost of {self.title} in flops: {counts}>"


def cost(f: Callable, *args: Any, wrt: Any = 0, lift: bool = True, **kwargs: Any) -> Cost:
    """Flops, bytes and operations of f, its gradient, a JVP, a Hessian-vector product and finite
    differences, and the memory a gradient holds statement by statement.

    Counted from shapes at this point. An addition or comparison is one flop, a division or root 4,
    a transcendental function 20, one of scipy.special 40; matrices by the usual formulas (matmul
    2mnk, solve 2/3 n^3); what moves or views data none. Four times as much if complex.
    If f is not scalar, the gradient is one row of the Jacobian and there is no Hessian.

    >>> counted = cost(lambda x: np.sum(x * x), np.ones(100))
    >>> [counted[name].flops for name in ("value", "finite differences")]
    [200.0, 20200.0]
    """
    found = noted(f, args, kwargs, wrt, "value", lift)
    scalar = type(found.value) is Ref and found.calls.shapes[found.value.var] == ()
    ways = [("gradient", "grad" if scalar else "vjp"), ("jvp", "jvp"), ("hvp", "hvp")]
    rows = [count("value", found)]
    for name, of in ways if scalar else ways[:2]:
        try:
            rows.append(count(name, noted(f, args, kwargs, wrt, of, lift)))
        except ChainruleError:
            if name == "gradient":
                raise  # a second derivative may have no rule
    n = sum(_numbers(found.calls, leaf.var) for leaf in found.arguments.wanted)
    f_row = rows[0]
    for name, times in (("finite differences", n + 1), ("central differences", 2 * n)):
        rows.append(
            Row(name, times * f_row.operations, times * f_row.flops, times * f_row.bytes)
        )  # fmt: skip
    return Cost(title_of(f), n, tuple(rows), residuals(f, args, kwargs, wrt, lift))


def _numbers(table: Calls, var: int) -> int:
    return math.prod(table.shapes[var]) * (1 + (table.dtypes[var].kind == "c"))


# ---------------------------------------------------------------- counting


def count(name: str, found: Derivative) -> Row:
    """All calls that compute something the results need."""
    table = found.calls
    outputs = [*tree.flatten(found.value)[0], *found.results]
    calls, outputs = versioned(table, table.calls, outputs)
    calls, outputs = without_copies(table, prune(calls, outputs), outputs, bitwise=False)
    calls = prune(calls, outputs)
    calls = [c for c in calls if c.kind not in ("guard", "make") and not _is_view(c, table)]
    return Row(
        name,
        len(calls),
        float(sum(flops(c, table) for c in calls)),
        float(sum(moved(c, table) for c in calls)),
    )


def _is_view(call: Call, table: Calls) -> bool:
    return bool(call.results) and all(table.memory[v] != v for v in call.results)


def moved(call: Call, table: Calls) -> int:
    """Bytes read and written: of a part that is read or written, not of the array around it."""
    if call.kind == "get":
        return 2 * _bytes(table, call.results[0])
    if call.kind in WRITES and len(call.args) > 1:
        value = call.args[-1]
        size = _bytes(table, value.var) if type(value) is Ref else np.asarray(value).nbytes
        return (2 if call.kind == "set" else 3) * size
    return sum(_bytes(table, v) for v in (*call.refs(), *call.results))


def _bytes(table: Calls, var: int) -> int:
    return math.prod(table.shapes[var]) * table.dtypes[var].itemsize


def flops(call: Call, table: Calls) -> float:
    """Floating-point operations of one call, from shapes."""
    if call.kind in ("set", "get", "attribute"):
        return 0.0
    shapes = [table.shapes[v] for v in call.refs()]
    result = table.shapes[call.results[0]] if call.results else (shapes[0] if shapes else ())
    used = (*call.refs(), *call.results)
    factor = 4.0 if any(table.dtypes[v].kind == "c" for v in used) else 1.0
    name, method = _base_name(call.name)
    if call.kind in WRITES:
        value = call.args[-1]
        shape = table.shapes[value.var] if type(value) is Ref else np.shape(value)
        return factor * math.prod(shape) if call.kind == "update" or method == "at" else 0.0
    views = ("reshape", "transpose", "ravel")
    if name in _MOVES or (call.kind == "method" and name in views):
        return 0.0
    first = shapes[0] if shapes else ()
    if name in _PRODUCTS or name == "einsum":
        return factor * _product(name, call, table, shapes, result)
    if name in _FACTORISATIONS and len(first) >= 2:
        m, n = max(first[-2:]), min(first[-2:])
        return factor * math.prod(first[:-2]) * _FACTORISATIONS[name](m, n)
    if name in _SOLVES and shapes:
        matrix = max(shapes, key=len)
        n = matrix[-1] if matrix else 1
        return factor * math.prod(matrix[:-2]) * _SOLVES[name](n, max(1, math.prod(result) // n))
    if "fft" in call.name:
        n = max(math.prod(first), math.prod(result), 2)
        return 5.0 * n * math.log2(n)
    if name in ("sort", "argsort", "partition", "argpartition", "unique"):
        n = max(math.prod(first), 2)
        return n * math.log2(n)
    size = max([math.prod(result), *(math.prod(s) for s in shapes)])
    return factor * size * _weight(name, call)


def _base_name(name: str) -> tuple[str, str]:
    """("add", "reduce") of np.add.reduce."""
    parts = name.split(".")
    if parts[-1] in ("reduce", "accumulate", "at", "outer", "reduceat") and len(parts) > 2:
        return parts[-2], parts[-1]
    return parts[-1], ""


def _weight(name: str, call: Call) -> int:
    if call.name.startswith("scipy.special"):
        return SPECIAL
    if name in _TRANSCENDENTAL:
        return TRANSCENDENTAL
    return DIVIDE if name in _DIVISIONS else CHEAP


def _product(
    name: str, call: Call, table: Calls, shapes: list[tuple[int, ...]], result: tuple[int, ...]
) -> float:
    operands = [
        table.shapes[x.var] if type(x) is Ref else np.shape(plain(x))
        for x in call.args
        if type(x) is Ref or isinstance(x, np.ndarray)
    ]
    if name == "einsum" and type(call.args[0]) is str:
        labels: dict[str, int] = {}
        for text, shape in zip(call.args[0].partition("->")[0].split(","), operands):
            labels.update(zip(reversed(text.replace("...", "")), reversed(shape)))
        return float(max(len(operands), 1) * math.prod(labels.values()))
    a, b = (*operands, (), ())[:2]
    if name in ("matmul", "dot", "inner", "vdot"):
        return 2.0 * math.prod(result) * (a[-1] if a else 1)
    if name in ("convolve", "correlate"):
        return 2.0 * math.prod(a) * math.prod(b)
    if name == "outer":
        return float(math.prod(result))
    inner = math.sqrt(math.prod(a) * math.prod(b) / max(1, math.prod(result)))  # tensordot
    return 2.0 * math.prod(result) * inner


# ---------------------------------------------------------------- memory


def residuals(f: Callable, args: tuple, kwargs: dict, wrt: Any, lift: bool) -> tuple[Kept, ...]:
    """What the tape of a gradient holds, by the user's line, the largest first."""
    with Recording() as trace:
        out = run(trace, f, lift, enter(trace, f, args, kwargs, wrt))
        program = trace.take_program()
    del out
    seen: dict[int, Any] = {}  # by memory; the arrays themselves, so that no number is used again
    lines: dict[Line, list[int]] = {}
    for i, kept in enumerate(program.residuals):
        for x in _values(kept):
            root = x
            while isinstance(root.base, np.ndarray):
                root = root.base
            if id(root) not in seen:
                seen[id(root)] = root
                lines.setdefault(program.line(i), []).append(root.nbytes)
    found = [Kept(line, sum(sizes), len(sizes)) for line, sizes in lines.items()]
    return tuple(sorted(found, key=lambda kept: -kept.bytes))


def _values(x: Any) -> list[Any]:
    """The arrays and NumPy scalars among residuals."""
    x = plain(x)
    if isinstance(x, (tuple, list)):
        return [a for part in x for a in _values(part)]
    return [x] if isinstance(x, (np.ndarray, np.generic)) else []


# ---------------------------------------------------------------- text


def format_cost(c: Cost, limit: int = 12) -> str:
    """The counts as a table, and the statements that hold memory."""
    base = c.rows[0]
    notes = {
        "finite differences": f"  {c.parameters + 1} evaluations",
        "central differences": f"  {2 * c.parameters} evaluations",
    }
    s = "" if c.parameters == 1 else "s"
    lines = [f"cost of {c.title}, {c.parameters} parameter{s}", ""]
    lines.append(f"{'':<22}{'operations':>12}{'flops':>12}{'bytes':>12}{'times f':>10}")
    for row in c.rows:
        ratio = row.flops / base.flops if base.flops else math.nan
        lines.append(
            f"{row.name:<22}{row.operations:>12,}{_short(row.flops):>12}{_short(row.bytes):>12}"
            f"{ratio:>10.1f}{notes.get(row.name, '')}"
        )
    lines += ["", f"a gradient holds {_short(c.memory)}B for its backward sweep"]
    for kept in c.residuals[:limit]:
        lines.append(f"{_short(kept.bytes) + 'B':>10}  {kept.line}")
    if len(c.residuals) > limit:
        rest = sum(kept.bytes for kept in c.residuals[limit:])
        lines.append(f"{_short(rest) + 'B':>10}  {len(c.residuals) - limit} more lines")
    return "\n".join(lines)


def _short(x: float) -> str:
    """1234567 as 1.23 M."""
    for unit in ("", "k", "M", "G", "T"):
        if abs(x) < 1000 or unit == "T":
            break
        x /= 1000
    return f"{x:.0f} {unit}" if x >= 100 or not unit else f"{x:.3g} {unit}"
