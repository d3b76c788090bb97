"""NumPy calls as Python expressions, the way a person writes them: operators, ``.T``, ``x**2``."""

import re
from typing import Any

import numpy as np

from chainrule.base.errors import ProgramError
from chainrule.explainer.calls import Call, Calls, Ref, constant_key
from chainrule.explainer.literals import dtype_text, identifier, number, quoted, short_array
from chainrule.explainer.turns import Gathered, Item, Step

ATOM = 10
DATA = 400_000  # bytes of constants in one file

_INFIX = {
    "np.add": ("+", 4), "np.subtract": ("-", 4), "np.multiply": ("*", 5), "np.divide": ("/", 5),
    "np.matmul": ("@", 5), "np.remainder": ("%", 5), "np.floor_divide": ("//", 5),
    "np.greater": (">", 0), "np.greater_equal": (">=", 0), "np.less": ("<", 0),
    "np.less_equal": ("<=", 0), "np.equal": ("==", 0), "np.not_equal": ("!=", 0),
    "np.bitwise_and": ("&", 2), "np.bitwise_or": ("|", 1),
}  # fmt: skip
_PREFIX = {"np.negative": "-", "np.invert": "~", "np.logical_not": "~"}
_REDUCTIONS = {
    "np.add.reduce": "np.sum", "np.multiply.reduce": "np.prod", "np.maximum.reduce": "np.max",
    "np.minimum.reduce": "np.min", "np.logical_and.reduce": "np.all",
    "np.logical_or.reduce": "np.any", "np.add.accumulate": "np.cumsum",
    "np.multiply.accumulate": "np.cumprod",
}  # fmt: skip
_REDUCTIONS.update({name: name for name in (*_REDUCTIONS.values(), "np.mean")})
_DEFAULTS = {"keepdims": False, "where": True, "dtype": None, "order": "K"}
_SPECIAL_POWERS = (-1, 0, 0.5, 1, 2)  # x**2 is np.square, and so on: not np.power bit for bit

Text = tuple[str, int]  # an expression and how tightly its outermost operator binds


class Expressions:
    """Texts of calls and their arguments. ``names`` are given by whoever writes statements."""

    def __init__(self, table: Calls, taken: set[str]):
        self.table = table
        self.taken = taken
        self.names: dict[int, str] = {}
        self.inlined: dict[int, Call] = {}
        self.constants: dict[Any, tuple[str, np.ndarray]] = {}
        self.lists: dict[Gathered, str] = {}
        self.counter: tuple[str, Step] | None = None  # of the loop that is being written
        self.imports: set[str] = set()

    def name(self, var: int) -> str:
        return self.names[var]

    def new_name(self, wanted: str) -> str:
        """The wanted name, or one like it that nothing else has; t1, t2, ... if none is wanted."""
        base = wanted or "t"
        name, n = wanted or "t1", 1
        while name in self.taken:
            n += 1
            name = f"{base}_{n}" if wanted else f"t{n}"
        self.taken.add(name)
        return name

    # -- arguments

    def text(self, x: Any, level: int = 0, call: Call | None = None) -> str:
        """An argument, in parentheses if it binds less tightly than ``level``."""
        if type(x) is Ref:
            if x.var in self.inlined:
                text, own = self.expression(self.inlined[x.var])
                return text if own >= level else f"({text})"
            return self.name(x.var)
        if type(x) is Step:
            text = self.step(x)
            return f"({text})" if " " in text and level > 4 else text
        if isinstance(x, Verbatim):
            return x
        if type(x) is Item:
            shift = x.of.start is not None
            at = Step(x.at.scale, x.at.offset + shift) if type(x.at) is Step else x.at + shift
            return f"{self.lists[x.of]}[{self.text(at)}]"
        text = self.value(x, call)
        return f"({text})" if text.startswith("-") and level > 6 else text

    def step(self, x: Step) -> str:
        """An integer that grows with the turn, in terms of the loop's own counter."""
        assert self.counter is not None
        name, own = self.counter
        factor, rest = divmod(x.scale, own.scale)
        assert rest == 0
        offset = x.offset - factor * own.offset
        text = {1: name, -1: f"-{name}"}.get(factor, f"{factor} * {name}")
        if factor == -1 and offset > 0:
            return f"{offset} - {name}"
        return text if not offset else f"{text} {'+' if offset > 0 else '-'} {abs(offset)}"

    def value(self, x: Any, call: Call | None = None) -> str:
        """A constant argument."""
        if isinstance(x, np.ndarray):
            return self.constant(x, call) if x.shape else self.scalar(x[()], call)
        if isinstance(x, np.generic):
            return self.scalar(x, call)
        if isinstance(x, float):
            return number(x)
        if isinstance(x, complex):
            return f"complex({number(x.real)}, {number(x.imag)})"
        if isinstance(x, (np.dtype, type)):
            return dtype_text(x)
        if isinstance(x, (tuple, list)):
            inside = ", ".join(self.text(v) for v in x)
            if type(x) is list:
                return f"[{inside}]"
            return f"({inside},)" if len(x) == 1 else f"({inside})"
        if isinstance(x, slice):
            return f"slice({self.text(x.start)}, {self.text(x.stop)}, {self.text(x.step)})"
        if x is Ellipsis:
            return "..."
        if isinstance(x, str):
            return quoted(x)
        if x is None or isinstance(x, (int, bool)):
            return repr(x)
        raise ProgramError(
            f"a derivative cannot be written down: an argument is a {type(x).__name__}",
            "Only numbers, text and arrays can stand in a file.",
            None if call is None else call.line,
        )

    def scalar(self, x: Any, call: Call | None = None) -> str:
        if x.dtype.kind in "bi":
            return repr(x.item())
        text = number(x.item()) if x.dtype.kind == "f" else self.value(x.item())
        dtypes = {self.table.dtypes[v] for v in call.refs()} if call is not None else set()
        plain = dtypes == {x.dtype} or (x.dtype == np.float64 and dtypes == {np.dtype(complex)})
        return text if plain else f"{dtype_text(x.dtype)}({text})"

    def constant(self, x: np.ndarray, call: Call | None = None) -> str:
        """A short array as it is, a longer one by a name at the end of the file."""
        key = constant_key(x)
        if key in self.constants:
            return self.constants[key][0]
        name = self.table.constants.get(key)
        text = short_array(x)
        if text is not None and len(text) <= (24 if name else 40):
            return text
        turned = self.constants.get(constant_key(x.T)) if x.ndim == 2 else None
        if turned is not None:
            return f"{turned[0]}.T"
        used = sum(array.nbytes for _, array in self.constants.values())
        if used + x.nbytes > DATA:
            raise ProgramError(
                f"a constant array of shape {x.shape} is too large for a file",
                "Make it an argument of the function: arguments are not written down.",
                None if call is None else call.line,
            )
        self.constants[key] = self.new_name(identifier(name or "data")), x
        return self.constants[key][0]

    # -- calls

    def expression(self, call: Call) -> Text:
        """The right-hand side of a call, and how tightly its outermost operator binds."""
        name, args = call.name, call.args
        if call.kind == "make":
            shape, dtype = args
            return self._making(name, shape, dtype, self.table.scalars[call.results[0]])
        if call.kind == "get":
            return f"{self.text(args[0], 9)}[{self.index(args[1])}]", 9
        if call.kind == "attribute":
            return f"{self.text(args[0], 9)}.{name}", 9
        if call.kind == "method":
            return self._method(call)
        plain = not call.kwargs
        if name == "np.not_equal" and self._is_inexact(args[0]) and args[0] == args[1]:
            return f"np.isnan({self.text(args[0])})", ATOM
        if name == "np.equal" and self._is_inexact(args[0]) and args[0] == args[1]:
            return f"~np.isnan({self.text(args[0])})", 6
        if plain and len(args) == 2 and name in _INFIX and _some_array(args):
            sign, level = _INFIX[name]
            a, b = map(_short_number, args) if level in (4, 5) and self._are_floats(args) else args
            apart = level == 0 or (level == 5 and self._is_product(a, sign != "@"))
            left = self.text(a, level + apart, call)
            right = self.text(b, level + (sign not in "&|"), call)
            return f"{left} {sign} {right}", level
        if plain and len(args) == 1 and name in _PREFIX:
            if name == "np.negative" or self._is_bool(args[0]):
                return _PREFIX[name] + self.text(args[0], 6), 6
        if plain and name in ("np.square", "np.power") and (power := self._power(call)):
            return power
        if name in _REDUCTIONS and len(args) == 1:
            return self._reduction(call)
        if name == "np.copy" and not self.table.scalars[call.results[0]] and len(args) == 1:
            return f"{self.text(args[0], 9)}.copy()", 9
        return self.call({"np.absolute": "np.abs"}.get(name, name), args, call), ATOM

    def call(self, name: str, args: Any, call: Call) -> str:
        package = name.rpartition(".")[0]
        if package.startswith("scipy"):
            self.imports.add(package)
        kwargs = {k: v for k, v in call.kwargs.items() if v is not np._NoValue}
        inside = [self.text(x, 0, call) for x in args]
        inside += [f"{k}={self.text(v, 0, call)}" for k, v in kwargs.items()]
        return f"{name}({', '.join(inside)})"

    def _is_product(self, x: Any, of_matrices: bool) -> bool:
        """Whether an operand is a matrix product, or any other one: (a * b) @ c, (a @ b) * c."""
        made = self.inlined.get(x.var) if type(x) is Ref else None
        return made is not None and (made.name == "np.matmul") == of_matrices

    def _are_floats(self, args: tuple) -> bool:
        return all(self.table.dtypes[x.var].kind in "fc" for x in args if type(x) is Ref)

    def _is_inexact(self, x: Any) -> bool:
        return type(x) is Ref and self.table.dtypes[x.var].kind in "fc"

    def _is_bool(self, x: Any) -> bool:
        return type(x) is Ref and self.table.dtypes[x.var].kind == "b"

    def _power(self, call: Call) -> Text | None:
        x = call.args[0]
        if type(x) is not Ref or self.table.scalars[x.var] or not self.table.shapes[x.var]:
            return None  # Python's power of NumPy's scalars is another function
        exponent = 2 if call.name == "np.square" else call.args[1]
        if type(exponent) not in (int, float) or exponent < 0:
            return None
        if call.name == "np.power" and exponent in _SPECIAL_POWERS:
            return None
        base = self.text(x, 8)
        simple = re.fullmatch(r"[\w.]+", base)
        return f"{base}**{exponent!r}" if simple else f"{base} ** {exponent!r}", 7

    def _reduction(self, call: Call) -> Text:
        kwargs = {k: v for k, v in call.kwargs.items() if v is not np._NoValue}
        shown = {k: v for k, v in kwargs.items() if k not in _DEFAULTS or v is not _DEFAULTS[k]}
        if call.name.endswith((".reduce", ".accumulate")):
            shown.setdefault("axis", 0)  # NumPy's default for these, None for the functions
        axis = shown.get("axis")
        if axis is None:
            shown.pop("axis", None)
        elif type(axis) is tuple and len(axis) == 1:
            shown["axis"] = axis[0]
        name, x = _REDUCTIONS[call.name], call.args[0]
        inside = [f"{k}={self.text(v)}" for k, v in shown.items()]
        text = self.text(x)
        if re.fullmatch(r"[^\W\d][\w.]*", text) and type(x) is Ref and self.table.shapes[x.var]:
            return f"{text}.{name[3:]}({', '.join(inside)})", 9
        return f"{name}({', '.join([text, *inside])})", ATOM

    def _method(self, call: Call) -> Text:
        x, *rest = call.args
        head = self.text(x, 9)
        kwargs = {
            k: v for k, v in call.kwargs.items()
            if not (k in _DEFAULTS and v is _DEFAULTS[k]) and v is not np._NoValue
            and (k, v) != ("order", "K")
        }  # fmt: skip
        if call.name == "transpose" and len(rest) <= 1 and not kwargs:
            axes = rest[0] if rest else None
            if axes is None or tuple(axes) == tuple(range(len(axes)))[::-1]:
                return f"{head}.T", 9
        if call.name in ("reshape", "transpose") and len(rest) == 1 and type(rest[0]) is tuple:
            if rest[0]:
                rest = list(rest[0])
        inside = [self.text(v) for v in rest] + [f"{k}={self.text(v)}" for k, v in kwargs.items()]
        return f"{head}.{call.name}({', '.join(inside)})", 9

    def _making(self, name: str, shape: tuple, dtype: np.dtype, scalar: bool) -> Text:
        if scalar:
            return f"{dtype_text(dtype)}({0.0 if name == 'np.zeros' else 1.0})", ATOM
        size = self.value(shape if len(shape) != 1 else (shape[0],))
        size = size[1:-2] if len(shape) == 1 else size
        return f"{name}({size}{'' if dtype.name == 'float64' else ', ' + dtype_text(dtype)})", ATOM

    def index(self, index: Any) -> str:
        """What stands between the brackets."""
        if isinstance(index, tuple):
            if not index:
                return "()"
            return ", ".join(map(self.index, index)) + ("," if len(index) == 1 else "")
        if isinstance(index, slice):
            parts = ["" if p is None else self.text(p) for p in (index.start, index.stop)]
            simple = all(re.fullmatch(r"-?[\w.]*", part) for part in parts)
            text = ":".join(parts) if simple else " : ".join(parts).strip()
            return text if index.step is None else f"{text}:{self.text(index.step)}"
        return self.text(index)

    def path(self, target: str, call: Call) -> str:
        """What a write into a view writes to: y.reshape(-1)[2:]."""
        for parent, step in call.path:
            before, self.names[parent] = self.names.get(parent), target
            hidden = self.inlined.pop(parent, None)
            target = self.expression(step)[0]
            del self.names[parent]
            if before is not None:
                self.names[parent] = before
            if hidden is not None:
                self.inlined[parent] = hidden
        return target


def _short_number(x: Any) -> Any:
    """2 for 2.0 among floats."""
    whole = type(x) is float and x.is_integer() and abs(x) < 1e6 and str(x) != "-0.0"
    return int(x) if whole else x


class Verbatim(str):
    """Text that stands for itself among arguments."""


def _some_array(args: tuple) -> bool:
    return any(type(x) in (Ref, Item) for x in args)
