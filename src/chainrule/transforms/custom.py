"""``primitive`` and ``custom_rule``: functions whose derivative the user states.

One vjp or one jvp is stated; the engine derives the other by transposition, and higher orders by
differentiating the rule itself, which is lifted NumPy code for that purpose.
"""

import inspect
from collections.abc import Callable, Iterable, Sequence
from types import BuiltinFunctionType, FunctionType
from typing import Any

import numpy as np

from chainrule.base.errors import NoRuleError, RuleError
from chainrule.base.where import user_line
from chainrule.core.lift import MAKERS, REPLACEMENTS, Lifter, replace
from chainrule.core.primitive import FUNCTIONS, UFUNCS
from chainrule.core.trace import Tracer, current, plain
from chainrule.transforms import transpose as _transpose  # noqa: F401  (derives the other rule)
from chainrule.transforms.opaque import (
    Application,
    Call,
    Opaque,
    Outcome,
    own,
    refuse_in_place,
    zeros_for_none,
)
from chainrule.transforms.rule_check import Claims, verify

Rule = Callable[..., Any]

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Custom(Opaque):
    """A function with a derivative of its own. Made by ``primitive`` and ``custom_rule``."""

    def __init__(
        self,
        f: Callable[..., Any],
        vjp: Rule | None = None,
        jvp: Rule | None = None,
        name: str | None = None,
        check: bool = True,
        nondiff: Iterable[str] = (),
    ):
        super().__init__(f, name, nondiff)
        self._vjp = vjp
        self._jvp = jvp
        self._check = check
        self._checked: dict[Any, str] = {}  # by signature of the call -> what the check found

    def vjp(self, rule: Rule) -> Rule:
        """Decorator: ``rule(g, y, *args)`` gives the cotangents of the arguments."""
        self._vjp = rule
        self._checked.clear()
        return rule

    def jvp(self, rule: Rule) -> Rule:
        """Decorator: ``rule(tangents, y, *args)`` gives the tangent of the value."""
        self._jvp = rule
        self._checked.clear()
        return rule

    def _equation(self, call: Call, outcome: Outcome) -> Application:
        rules = Rules(self._title, call, outcome, self._vjp, self._jvp)
        pull: Rule | None = rules.pull if self._vjp is not None else None
        push: Rule | None = rules.push if self._jvp is not None else None
        if pull is None and push is None:
            pull = push = self._missing()
        return Application(
            self._title, lambda xs: self._run(call, [own(x) for x in xs]), outcome, pull, push
        )

    def _missing(self) -> Rule:
        """In place of a rule where there is none: whoever asks for it learns the user's line."""
        at = user_line()

        def missing(*_):
            raise NoRuleError(
                f"{self._title} has no derivative rule",
                f"State one (@{self._title}.vjp or @{self._title}.jvp), or let "
                "chainrule.numerical differentiate it by differences.",
                at,
            )

        return missing

    def _examine(self, call: Call, outcome: Outcome, before: list, given: list) -> None:
        if not self._check or (self._vjp is None and self._jvp is None):
            return
        key = call.key()
        if key in self._checked:
            return
        refuse_in_place(self._title, call, before, given)
        rules = Rules(self._title, call, outcome, self._vjp, self._jvp)
        claims = Claims(
            self._title,
            call.paths(),
            call.traced,
            before,
            outcome.values,
            lambda xs: self._run(call, [own(x) for x in xs]).values,
            None if self._vjp is None else rules.pull,
            None if self._jvp is None else rules.push,
        )
        self._checked[key] = verify(claims)

    def _recipe(self) -> tuple:
        nondiff = tuple(self._signature.nondiff)
        return self.f, self._vjp, self._jvp, self._title, self._check, nondiff


class Rules:
    """The user's rules for one call, between trees (theirs) and flat operands (the engine's)."""

    def __init__(
        self, title: str, call: Call, outcome: Outcome, vjp: Rule | None, jvp: Rule | None
    ):
        self.title, self.call = title, call
        self.outcome = outcome
        self.vjp, self.jvp = vjp, jvp

    def pull(self, g: Any, y: Any, *operands: Any) -> tuple:
        """Cotangents of the operands."""
        several = self.outcome.multiple
        ys = list(y) if several else [y]
        gs = zeros_for_none(list(g) if several else [g], ys)
        made = self._run(self.vjp, self.outcome.rebuild(_copies(gs), rest=False), ys, operands)
        bars = self.call.of_arguments(self._per_argument(made), "the cotangent")
        return tuple(self._fitted(bar, x, i) for i, (bar, x) in enumerate(zip(bars, operands)))

    def push(self, tangents: Sequence[Any], y: Any, *operands: Any) -> Any:
        """Tangents of the results."""
        several = self.outcome.multiple
        ys = list(y) if several else [y]
        dxs = zeros_for_none(tangents, operands)
        made = self._run(self.jvp, self.call.like_arguments(_copies(dxs)), ys, operands)
        dys = self.outcome.leaves_of(made, "the tangent")
        fitted = [self._fitted(dy, v, None) for dy, v in zip(dys, ys)]
        return tuple(fitted) if several else fitted[0]

    def _run(self, rule: Any, first: Any, ys: list, operands: Sequence[Any]) -> Any:
        """The rule on its arguments: as it is on plain values, lifted on traced ones."""
        wanted = _mentioned(rule) if self.call.defaults else ()
        args, kwargs = self.call.with_operands(_copies(operands), *wanted)
        y = self.outcome.rebuild(_copies(ys))
        trace = current()
        if trace is None:
            return rule(first, y, *args, **kwargs)
        try:
            return Lifter.of(trace).call(rule, (first, y, *args), kwargs)
        except Exception as error:
            error.add_note(
                f"  This happened in the rule of {self.title} while it was differentiated (for "
                "the other mode, or a higher order).\n  Write it in NumPy code, and what that "
                "cannot say as a chainrule.primitive; or state both a vjp and a jvp."
            )
            raise

    def _per_argument(self, made: Any) -> list[Any]:
        """What a vjp returned as one entry per argument."""
        names, counts = self.call.names, self.call.operand_counts()
        wanted = [i for i, n in enumerate(counts) if n]
        entries: list[Any] = [None] * len(names)
        count = len(made) if type(made) is tuple else -1
        if len(wanted) == 1 and self.call.is_like(wanted[0], made):
            entries[wanted[0]] = made
        elif type(made) is dict and made and set(made) <= set(names):
            for name, bar in made.items():
                entries[names.index(name)] = bar
        elif count == len(names):
            entries = list(made)
        elif count == len(wanted):
            for i, bar in zip(wanted, made):
                entries[i] = bar
        elif made is not None:
            given = count if count >= 0 else f"a {type(made).__name__}"
            raise RuleError(
                f"the vjp of {self.title} must return {len(wanted)} cotangents, not {given}",
                f"One for each of {', '.join(names[i] for i in wanted)}, as a tuple; None is zero.",
            )
        for name, bar, n in zip(names, entries, counts):
            if not n and bar is not None:
                raise RuleError(
                    f"the vjp of {self.title} returns a cotangent for {name!r}, "
                    "which is not differentiable",
                    "Return None there, or leave it out.",
                )
        return entries

    def _fitted(self, bar: Any, like: Any, operand: int | None) -> Any:
        """The rule's number or array checked: shapes may differ as broadcasting makes them."""
        if bar is None:
            return None
        if not isinstance(bar, Tracer):
            bar = np.asarray(bar)[()]
            if bar.dtype.kind not in "fciub":
                raise RuleError(f"{self._what(operand)} is no array of numbers")
            if bar.dtype.kind not in "fc":
                bar = bar.astype(float)
        shape = np.shape(plain(like))
        if bar.shape == shape or _stretches(shape, bar.shape):
            return bar
        if _stretches(bar.shape, shape):
            return np.broadcast_to(bar, shape)
        raise RuleError(
            f"{self._what(operand)} has shape {bar.shape}, and should have shape {shape}"
        )

    def _what(self, operand: int | None) -> str:
        of = (
            "tangent of the value"
            if operand is None
            else f"cotangent of {self.call.paths()[operand]}"
        )
        return f"the rule of {self.title}: the {of}"


def _mentioned(rule: Any) -> tuple[float, frozenset[str] | None]:
    """How many arguments of f the rule takes by position, and which by name (None: all)."""
    try:
        parameters = list(inspect.signature(rule).parameters.values())
    except (ValueError, TypeError):
        return np.inf, None
    kinds = {p.kind for p in parameters}
    room = sum(p.kind in _POSITIONAL for p in parameters) - 2
    return (
        np.inf if inspect.Parameter.VAR_POSITIONAL in kinds else room,
        None if inspect.Parameter.VAR_KEYWORD in kinds else frozenset(p.name for p in parameters),
    )


def _stretches(small: tuple[int, ...], large: tuple[int, ...]) -> bool:
    """Whether ``small`` broadcasts to ``large``."""
    return len(small) <= len(large) and all(
        a in (1, b) for a, b in zip(reversed(small), reversed(large))
    )


def _copies(xs: Sequence[Any]) -> list[Any]:
    """The rule's own: it may write to what it is given."""
    return [x.copy() if type(x) is np.ndarray else x for x in xs]


# ---------------------------------------------------------------- public


def primitive(
    f: Callable[..., Any] | None = None,
    vjp: Rule | None = None,
    jvp: Rule | None = None,
    name: str | None = None,
    check: bool = True,
    nondiff: Iterable[str] = (),
) -> Any:
    """``f`` as one operation with a derivative of its own, whatever runs inside: SciPy, C, a file.

    vjp : ``vjp(g, y, *args)``, from the cotangent g of the value y to the cotangents of the
    arguments: a tuple with one per argument (a single one as it is); None is zero, and arguments
    that are no floats may be left out. Or a dict by name.
    jvp : ``jvp(tangents, y, *args)``, from one tangent per argument (None for one that is no
    float) to the tangent of y. One of the two is enough; also as decorators ``@f.vjp``, ``@f.jvp``.
    Arguments and values may be trees; g, cotangents and tangents are like them. Strings, integers,
    functions and objects are handed on as they are, and so are the parameters named by ``nondiff``.
    check : compare the rule with differences of f when a signature (shapes, dtypes) is first
    differentiated, along one random direction: 2 to 4 more runs of f; RuleError if it is wrong.

    f and its rules get copies and must return new arrays. For higher orders, or the mode that is
    not stated, the rule itself is differentiated: then it must be NumPy code.

    >>> from chainrule import grad
    >>> @primitive
    ... def log_add(x, y):
    ...     return float(np.logaddexp(x, y))
    >>> @log_add.vjp
    ... def log_add_vjp(g, value, x, y):
    ...     return g * np.exp(x - value), g * np.exp(y - value)
    >>> grad(log_add)(0.0, 0.0)
    np.float64(0.5)
    """
    if f is None:
        return lambda f: Custom(f, vjp, jvp, name, check, nondiff)
    return Custom(f, vjp, jvp, name, check, nondiff)


def custom_rule(
    f: Callable[..., Any] | None = None,
    vjp: Rule | None = None,
    jvp: Rule | None = None,
    name: str | None = None,
    check: bool = True,
    nondiff: Iterable[str] = (),
) -> Any:
    """Replace the derivative of ``f`` by a rule; arguments and rules are those of ``primitive``.

    As a decorator it makes the function one operation. Called with a function that exists and its
    rule, ``custom_rule(package.function, vjp=rule)``, it also holds wherever lifted code reaches
    that function under its own name, as inside its package.
    Raises RuleError if chainrule has a rule for f already.

    >>> from chainrule import grad
    >>> @custom_rule(vjp=lambda g, y, x: g / (1 + np.exp(-x)))
    ... def softplus(x):
    ...     return np.log(1 + np.exp(x))
    >>> grad(softplus)(np.float64(0.0))
    np.float64(0.5)
    """
    if f is None:
        return lambda f: Custom(f, vjp, jvp, name, check, nondiff)
    custom = Custom(f, vjp, jvp, name, check, nondiff)
    if vjp is not None or jvp is not None:
        _take_the_place_of(f, custom)
    return custom


def _take_the_place_of(f: Any, custom: Custom) -> None:
    """Let code inside a derivative that reaches ``f`` find ``custom``."""
    known = REPLACEMENTS.get(f)
    if f in UFUNCS or f in FUNCTIONS or (known is not None and not isinstance(known, Custom)):
        if not isinstance(FUNCTIONS.get(f), Custom):
            raise RuleError(
                f"chainrule has a rule for {custom.__name__} already",
                "Give the new rule to a function of your own that calls it.",
            )
    if isinstance(f, (np.ufunc, type(np.concatenate))):
        FUNCTIONS[f] = custom
        return
    replace(f, custom)
    if not isinstance(f, (FunctionType, BuiltinFunctionType, type)):  # a kind lifting knows not
        MAKERS.setdefault(type(f), lambda x, _: REPLACEMENTS.get(x, x))
