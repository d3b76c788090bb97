"""Calls of functions nobody looks into: arguments taken apart, run on plain values, put together.

What ``custom`` and ``numerical`` share. The arrays and floats among the arguments are the operands
of one equation, made for this call; everything else is handed on as it is::

    f(params, "cg", n=3)  ->  leaves [W, b | "cg", 3]  ->  f on copies  ->  bind(equation, [W, b])
"""

import functools
import inspect
import sys
from collections.abc import Callable, Iterable, Sequence
from types import MethodType
from typing import Any

import numpy as np

from chainrule.base import tree
from chainrule.base.errors import ArgumentError, MismatchError, NonDifferentiableError, RuleError
from chainrule.core.array import as_constant
from chainrule.core.primitive import General, Plan
from chainrule.core.trace import Tracer, bind, current, is_traced, plain

# ---------------------------------------------------------------- arguments


def is_operand(leaf: Any) -> bool:
    """Whether a derivative may flow through this leaf: floats and complex numbers, and arrays of
    them."""
    if isinstance(leaf, Tracer) or type(leaf) is np.ndarray:
        return leaf.dtype.kind in "fc"
    return type(leaf) in (float, complex) or isinstance(leaf, (np.floating, np.complexfloating))


def is_discrete(leaf: Any) -> bool:
    """Whether this leaf of a result can hold no derivative: integers, text, dates."""
    dtype = getattr(leaf, "dtype", None)
    if isinstance(dtype, np.dtype):
        return dtype.kind in "iubSUMm"
    return isinstance(leaf, (int, str, bytes)) or callable(leaf)


def _described(leaf: Any) -> str:
    dtype = getattr(leaf, "dtype", None)
    return type(leaf).__name__ + (f" of dtype {dtype}" if isinstance(dtype, np.dtype) else "")


class Signature:
    """How the arguments of a call line up with the parameters of ``f``, however they are passed."""

    def __init__(self, f: Callable[..., Any], nondiff: Iterable[str]):
        self.nondiff = frozenset((nondiff,) if isinstance(nondiff, str) else nondiff)
        try:
            self.signature: inspect.Signature | None = inspect.signature(f)
        except (ValueError, TypeError):  # C code that does not say
            self.signature = None
            return
        parameters = self.signature.parameters
        usual = all(p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters.values())
        self._names = tuple(parameters) if usual else None
        unknown = sorted(self.nondiff - set(parameters))
        if unknown:
            raise ArgumentError(
                f"nondiff={unknown[0]!r} is no parameter of {getattr(f, '__name__', f)}",
                f"Choose from {', '.join(parameters)}.",
            )

    def arguments(
        self, args: tuple, kwargs: dict[str, Any]
    ) -> tuple[list[tuple[str, Any, bool]], frozenset[str]]:
        """(name, value, whether passed by keyword) of each argument, and which are defaults."""
        if self.signature is None:
            named = [(f"argument {i}", x, False) for i, x in enumerate(args)]
            return named + [(name, x, True) for name, x in kwargs.items()], frozenset()
        if self._names is not None and not kwargs and len(args) == len(self._names):
            return [(name, x, False) for name, x in zip(self._names, args)], frozenset()
        bound = self.signature.bind(*args, **kwargs)
        passed = set(bound.arguments)
        bound.apply_defaults()
        found: list[tuple[str, Any, bool]] = []
        for name, parameter in self.signature.parameters.items():
            value = bound.arguments[name]
            if parameter.kind is parameter.VAR_POSITIONAL:
                found += [(f"{name}[{i}]", x, False) for i, x in enumerate(value)]
            elif parameter.kind is parameter.VAR_KEYWORD:
                found += [(key, x, True) for key, x in value.items()]
            else:
                found.append((name, value, parameter.kind is parameter.KEYWORD_ONLY))
        return found, frozenset(bound.arguments).difference(passed)


class Call:
    """One call: leaves of all arguments in a row, some of them operands (``slots``)."""

    def __init__(self, title: str, signature: Signature, args: tuple, kwargs: dict[str, Any]):
        self.title = title
        self.names: list[str] = []
        self.leaves: list[Any] = []
        self.slots: list[int] = []
        self._by_keyword: list[bool] = []
        self._structures: list[tree.TreeDef] = []
        self._ends: list[int] = []
        arguments, self.defaults = signature.arguments(args, kwargs)
        for name, value, by_keyword in arguments:
            leaves, treedef = tree.flatten(value)
            wanted = name.partition("[")[0] not in signature.nondiff
            for leaf in leaves:
                if wanted and is_operand(leaf):
                    self.slots.append(len(self.leaves))
                elif is_traced(leaf):
                    raise NonDifferentiableError(
                        f"a derivative reaches {name!r} of {title}, which is declared as nondiff",
                        f"Pass chainrule.constant({name}) if its derivative is not wanted.",
                    )
                self.leaves.append(leaf)
            self.names.append(name)
            self._by_keyword.append(by_keyword)
            self._structures.append(treedef)
            self._ends.append(len(self.leaves))
        self.operands = [self.leaves[i] for i in self.slots]
        self.traced = [is_traced(x) for x in self.operands]
        for i, x in enumerate(self.leaves):  # the tape lives long: it keeps no operand twice
            self.leaves[i] = plain(x)
        for i in self.slots:
            self.leaves[i] = None

    def with_operands(
        self, operands: Sequence[Any], room: float = 0, named: frozenset[str] | None = frozenset()
    ) -> tuple[tuple, dict[str, Any]]:
        """``(args, kwargs)`` with these operands.

        Defaults that nobody passed are left out where they can be: those by keyword unless
        ``named`` (None: all), those by position while more than ``room``.
        """
        leaves = list(self.leaves)
        for i, x in zip(self.slots, operands):
            leaves[i] = x
        args, kwargs = [], {}
        for name, x, by_keyword in zip(self.names, self._trees(leaves), self._by_keyword):
            if not by_keyword:
                args.append(x)
            elif named is None or name in named or name not in self.defaults:
                kwargs[name] = x
        while len(args) > room and self.names[len(args) - 1] in self.defaults:
            args.pop()
        return tuple(args), kwargs

    def like_arguments(self, operands: Sequence[Any]) -> tuple:
        """One tree per argument with these operands; None elsewhere and for other arguments."""
        leaves: list[Any] = [None] * len(self.leaves)
        for i, x in zip(self.slots, operands):
            leaves[i] = x
        return tuple(x if n else None for x, n in zip(self._trees(leaves), self.operand_counts()))

    def operand_counts(self) -> list[int]:
        """How many operands each argument holds."""
        starts = [0, *self._ends[:-1]]
        return [sum(a <= i < b for i in self.slots) for a, b in zip(starts, self._ends)]

    def of_arguments(self, trees: Sequence[Any], what: str) -> list[Any]:
        """The leaves at the operands in trees like the arguments (None is zero)."""
        leaves: list[Any] = []
        for x, treedef, name in zip(trees, self._structures, self.names):
            leaves += tree.leaves_or_none(treedef, x, f"{what} of {name}")
        return [leaves[i] for i in self.slots]

    def paths(self) -> list[str]:
        """What each operand is called: ``params['W']``."""
        trees = self._trees([0.0] * len(self.leaves))
        found = [path for x, name in zip(trees, self.names) for path in tree.paths(x, name)]
        return [found[i] for i in self.slots]

    def is_like(self, i: int, x: Any) -> bool:
        """Whether ``x`` can be the cotangent of argument ``i``: a leaf, or the same container."""
        treedef = self._structures[i]
        if treedef.is_leaf():
            return type(x) not in (tuple, dict)
        kind = type(tree.unflatten(treedef, [0.0] * treedef.num_leaves))
        return type(x) is kind and (kind is not tuple or len(x) == treedef.num_children)

    def _trees(self, leaves: list[Any]) -> list[Any]:
        starts = [0, *self._ends[:-1]]
        rows = zip(self._structures, starts, self._ends)
        return [tree.unflatten(treedef, leaves[a:b]) for treedef, a, b in rows]

    def key(self) -> tuple:
        """What two calls must share to be alike: structures, shapes, dtypes, other values."""
        shapes = tuple((np.shape(x), getattr(x, "dtype", None)) for x in map(plain, self.operands))
        atoms = (str, int, bool, type(None))
        rest = tuple((type(x), x if type(x) in atoms else None) for x in self.leaves)
        return (*self._structures, shapes, tuple(self.traced), rest)


# ---------------------------------------------------------------- results


class Outcome:
    """What f returned: a tree whose floats and float arrays (``values``, owned) are results."""

    def __init__(self, title: str, result: Any):
        leaves, self.treedef = tree.flatten(result)
        self.slots = [i for i, x in enumerate(leaves) if is_operand(x)]
        for i, x in enumerate(leaves):
            if i not in self.slots and not is_discrete(x):
                raise NonDifferentiableError(
                    f"{title} returned a {_described(x)}, and nobody sees what in it is a "
                    "differentiable number",
                    "Return numbers and float arrays, in dicts, tuples or dataclasses.",
                )
        if any(map(is_traced, leaves)):
            raise NonDifferentiableError(
                f"{title} used a traced value that is none of its arguments",
                "Its rule covers arguments only: pass the value as one.",
            )
        self.values = [own(plain(leaves[i])) for i in self.slots]
        self.leaves = [None if i in self.slots else plain(x) for i, x in enumerate(leaves)]
        self.multiple = len(self.slots) != 1

    def rebuild(self, values: Sequence[Any], rest: bool = True) -> Any:
        """The result with these values; without ``rest`` what is no float is None."""
        leaves: list[Any] = list(self.leaves) if rest else [None] * len(self.leaves)
        for i, x in zip(self.slots, values):
            leaves[i] = x
        return tree.unflatten(self.treedef, leaves)

    def leaves_of(self, like: Any, what: str) -> list[Any]:
        """The leaves at the values in a tree like the result (None is zero)."""
        leaves = tree.leaves_or_none(self.treedef, like, what)
        return [leaves[i] for i in self.slots]


def own(x: Any) -> Any:
    """A copy nobody else can write to; numbers become NumPy scalars."""
    return np.array(x)[()] if not isinstance(x, Tracer) else x


def zeros_for_none(xs: Sequence[Any], like: Sequence[Any]) -> list[Any]:
    return [np.zeros_like(plain(y))[()] if x is None else x for x, y in zip(xs, like)]


# ---------------------------------------------------------------- the equation


class Application(General):
    """The primitive of one call: its operands and results are those of this call.

    It is in no table: it goes when the program goes that it is an equation of.
    """

    kind = "user's"

    def __init__(
        self,
        name: str,
        run: Callable[..., Outcome],
        outcome: Outcome,
        vjp_rule: Callable[..., Any] | None,
        jvp_rule: Callable[..., Any] | None,
    ):
        self.name = name
        self.fun = self._values
        self.plans = {}
        self.multiple = outcome.multiple
        self.vjp_rule = vjp_rule
        self.jvp_rule = jvp_rule
        self._run = run
        self._structure = outcome.treedef
        self._first: list[Any] | None = outcome.values  # f has run once: that was enough

    def _values(self, *operands: Any) -> Any:
        values, self._first = self._first, None
        if values is None:
            again = self._run(operands)
            if again.treedef != self._structure:
                raise MismatchError(f"the structure of what {self.name} returns has changed")
            values = again.values
        return tuple(values) if self.multiple else values[0]

    def _make_plan(self, mask: int, is_complex: bool) -> Plan:
        plan = Plan(self, mask, range(mask.bit_length()))
        plan.capture = lambda v, y: (y, *v)

        def pullback(g, mul, residuals, params):
            rule = self.vjp_rule or self.derive_vjp
            bars = rule(g, *residuals)
            return [bars[i] for i in plan.slots]

        plan.pullback = pullback
        return plan


class Opaque:
    """A function that is one operation to chainrule. Subclasses say what its derivative is."""

    def __init__(self, f: Callable[..., Any], name: str | None, nondiff: Iterable[str]):
        kind = type(self).__name__.lower()
        if not callable(f):
            raise ArgumentError(f"a function is needed, not {f!r}", f"Write {kind}(f)(x).")
        self.__name__: str = type(f).__name__
        functools.update_wrapper(self, f)
        if name is not None:
            self.__name__ = name
        self.f = f
        self._title = name or self.__name__
        self._signature = Signature(f, nondiff)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<{self._title}: {type(self).__doc__.partition('.')[0].lower()}>"  # type: ignore[union-attr]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if current() is None:
            return self.f(*args, **kwargs)
        call = Call(self._title, self._signature, args, kwargs)
        before = [plain(x) for x in call.operands]
        given = [own(x) for x in before]
        outcome = self._run(call, given)
        if not any(call.traced) or not outcome.values:
            return outcome.rebuild([as_constant(x) for x in outcome.values])
        results = bind(self._equation(call, outcome), call.operands, {})
        self._examine(call, outcome, before, given)
        return outcome.rebuild(results if outcome.multiple else (results,))

    def _run(self, call: Call, operands: Sequence[Any]) -> Outcome:
        args, kwargs = call.with_operands(operands)
        return Outcome(self._title, self.f(*args, **kwargs))

    def _equation(self, call: Call, outcome: Outcome) -> Application:
        raise NotImplementedError

    def _examine(self, call: Call, outcome: Outcome, before: list, given: list) -> None:
        """Called after the first run: ``given`` are the copies f had of ``before``."""

    # -- pickling by name where there is one, else by what it was made of

    def _recipe(self) -> tuple:
        raise NotImplementedError

    def __reduce__(self) -> Any:
        found: Any = sys.modules.get(getattr(self, "__module__", ""))
        for part in getattr(self, "__qualname__", "").split("."):
            found = getattr(found, part, None)
        return self.__qualname__ if found is self else (type(self), self._recipe())


def refuse_in_place(title: str, call: Call, before: Sequence[Any], given: Sequence[Any]) -> None:
    """RuleError if f has written to an argument: it had copies, and the caller sees nothing."""
    for path, old, new in zip(call.paths(), before, given):
        if not np.array_equal(old, new, equal_nan=True):
            raise RuleError(
                f"{title} writes to its argument {path}, and has no derivative that way",
                "Let it return a new array: inside a derivative it works on copies.",
            )
