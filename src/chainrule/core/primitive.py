"""Primitives: a NumPy callable plus its derivative, stated once.

A derivative is stated in its most natural form and the engine derives the rest::

    elementwise    partials of each operand           -> vjp, jvp
    adjoint_pair   two linear maps, each the other's transpose
    multilinear    the transpose in each slot         -> product-rule jvp
    general        one vjp or one jvp                 -> the other by transposition
    composite      plain NumPy code                   -> everything

``Primitive.plan(mask)`` answers what the tape must keep when the operands of ``mask`` are traced,
and how a cotangent is pulled back to them; plans are made once and cached.
Rules are plain ``np.`` code: on arrays they compute a gradient, on tracers they record one.
"""

import inspect
import operator
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

import numpy as np

from chainrule.base.errors import NoRuleError, RuleError
from chainrule.core.products import is_surely_finite, masked_product, selected

Rule = Callable[..., Any]

UFUNCS: dict[Any, "Primitive"] = {}  # ufunc -> primitive
FUNCTIONS: dict[Any, Callable[..., Any]] = {}  # NumPy function -> what runs on traced arguments
PRIMITIVES: dict[str, "Primitive"] = {}  # every primitive by name, for the test table

# Rules of libraries that chainrule does not import. ``load()`` declares them and says so, once
# someone has imported the library; it is asked when a lookup misses.
LATE: list[Callable[[], bool]] = []


def load_late() -> bool:
    """Whether rules were declared just now: then look again."""
    loaded = [load for load in LATE if load()]
    for load in loaded:
        LATE.remove(load)
    return bool(loaded)


class Plan:
    """What one equation keeps and how it is pulled back, for one set of traced operands.

    capture(values, y)                          -> tuple of residuals
    pullback(g, mul, residuals, params)         -> cotangents of the traced operands, None is zero
    ``mul(g, partial)`` is the product to use where a partial may be infinite.
    """

    __slots__ = ("capture", "kept", "mask", "primitive", "pullback", "slots", "write")

    def __init__(self, primitive: "Primitive", mask: int, kept: Sequence[int]):
        self.primitive = primitive
        self.mask = mask
        self.slots = [i for i in range(mask.bit_length()) if mask >> i & 1]
        self.kept = tuple(kept)  # operands whose values are residuals
        self.capture: Callable[..., tuple]
        self.pullback: Callable[..., Sequence[Any]]
        # The sweep may change an owned cotangent in place for these two, and needs no residuals:
        #   "read"   x_bar[index] += g          "write"   v_bar = g[index]; g[index] = 0; x_bar = g
        self.write = primitive.in_place


class Primitive:
    """An operation with a name, a NumPy callable ``fun(*operands, **params)`` and a derivative."""

    kind = "abstract"
    in_place: str | None = None
    multiple = False  # several results, as a tuple
    promotes = False  # ufuncs of several operands: Python numbers do not decide the dtype
    # ``turn(tangents, y, *operands, **params)``: the results as forward mode has them, where the
    # value leaves a choice open that the direction makes (vectors of repeated eigenvalues)
    turn: Rule | None = None

    def __init__(self, name: str, fun: Callable[..., Any]):
        if name in PRIMITIVES:
            raise RuleError(f"a primitive named {name!r} exists already", at=None)
        self.name = name
        self.fun = fun
        self.plans: dict[Any, Plan] = {}
        PRIMITIVES[name] = self

    def __repr__(self) -> str:
        return f"<{self.kind} primitive {self.name}>"

    def plan(self, mask: int, is_complex: bool) -> Plan:
        """The plan for the operands in the bits of ``mask``, for a complex or a real result."""
        key = mask + mask + is_complex
        plan = self.plans.get(key)
        if plan is None:
            plan = self.plans[key] = self._make_plan(mask, is_complex)
        return plan

    def _make_plan(self, mask: int, is_complex: bool) -> Plan:
        raise NotImplementedError

    def jvp(self, tangents: Sequence[Any], values: Sequence[Any], y: Any, params: dict) -> Any:
        """Tangent of the result for tangents of the operands (None is zero)."""
        raise NotImplementedError


# ---------------------------------------------------------------- elementwise


class Unknown:
    """The partial of an operand that has no formula: to trace that operand is an error."""

    def __init__(self, remedy: str = ""):
        self.remedy = remedy


class Elementwise(Primitive):
    """Partials as expressions of operands and output; a number stands for a constant partial,
    ``Unknown(remedy)`` for one that nobody can write down."""

    kind = "elementwise"

    def __init__(self, name: str, fun: Callable[..., Any], partials: dict[str, Any]):
        super().__init__(name, fun)
        self.operands = list(partials)
        self.promotes = len(self.operands) > 1 and isinstance(fun, np.ufunc)
        self.partials = list(partials.values())
        for p in self.partials:
            for used in _parameters(p):
                if used not in self.operands and used != "y":
                    raise RuleError(
                        f"the partial of {name} names {used!r}, which is no operand", at=None
                    )

    def _make_plan(self, mask: int, is_complex: bool) -> Plan:
        slots = [i for i in range(len(self.operands)) if mask >> i & 1]
        self._refuse_unknown(slots)
        names = {u: None for i in slots for u in _parameters(self.partials[i])}
        kept = [self.operands.index(n) for n in names if n != "y"]
        plan = Plan(self, mask, kept)
        place = {n: k for k, n in enumerate(names)}
        source = {n: "y" if n == "y" else f"v[{self.operands.index(n)}]" for n in names}
        plan.capture = _compile("v, y", list(source.values()), {})
        terms, scope = [], {"conj": np.conj}
        for i in slots:
            p = self.partials[i]
            if callable(p):
                call = f"p{i}({', '.join(f'r[{place[n]}]' for n in _parameters(p))})"
                scope[f"p{i}"] = p
                terms.append(f"mul(g, {f'conj({call})' if is_complex else call})")
            elif p is None:
                terms.append("None")
            else:
                terms.append({1: "g", -1: "-g"}.get(p, f"g * {p!r}"))
        plan.pullback = _compile("g, mul, r, params", terms, scope)
        return plan

    def _refuse_unknown(self, slots: Sequence[int]) -> None:
        for i in slots:
            p = self.partials[i]
            if isinstance(p, Unknown):
                raise NoRuleError(
                    f"{self.name} has no derivative with respect to {self.operands[i]!r}",
                    p.remedy or "Treat it as constant: chainrule.constant(x).",
                )

    def jvp(self, tangents, values, y, params):
        self._refuse_unknown([i for i, dx in enumerate(tangents) if dx is not None])
        named = dict(zip(self.operands, values))
        named["y"] = y
        terms = []  # tangents with their partials
        for dx, p in zip(tangents, self.partials):
            if dx is not None and p is not None:
                terms.append((dx, p(*[named[n] for n in _parameters(p)]) if callable(p) else p))
        return _pushed_sum(terms, y) if terms else None


def _pushed_sum(terms: Sequence[tuple], y: Any) -> Any:
    """Tangents times partials, added up. One look at the sum tells whether all are finite."""
    varying = any(hasattr(p, "dtype") for _, p in terms)
    if not varying or all(type(dx) is np.ndarray and dx.dtype.kind == "f" for dx, _ in terms):
        total = _sum_of_products(terms)
        is_plain = type(total) is np.ndarray and total.dtype.kind == "f"
        if not varying or (is_plain and is_surely_finite(total)):
            return total
    return _sum([_pushed(dx, p, y) if hasattr(p, "dtype") else dx * p for dx, p in terms])


def _sum_of_products(terms: Sequence[tuple]) -> Any:
    total = None
    for dx, p in terms:
        if not hasattr(p, "dtype") and p in (1, -1):
            if total is not None:
                total = total + dx if p == 1 else total - dx
            else:
                total = dx if p == 1 else -dx
        else:
            total = dx * p if total is None else total + dx * p
    return total


def _sum(terms: Sequence[Any]) -> Any:
    return sum(terms[1:], terms[0])


def _pushed(dx: Any, partial: Any, y: Any) -> Any:
    if np.iscomplexobj(dx) and not np.iscomplexobj(y):
        return masked_product(dx, np.conj(partial)).real
    return masked_product(dx, partial)


class Together(Elementwise):
    """Elementwise, with partials that share work or are masks.

    ``partials_of(slots, *named)`` gives those of the operands in ``slots`` as arrays of their own:
    the same numbers as ``partials``, which are how one reads them and serve one operand alone. With
    ``masks`` they may be boolean and say where an operand is the result: the others get 0 from any
    cotangent.
    """

    def __init__(
        self,
        name: str,
        fun: Callable[..., Any],
        partials: dict[str, Any],
        partials_of: Callable[..., Sequence[Any]],
        masks: bool,
    ):
        super().__init__(name, fun, partials)
        self.partials_of = partials_of
        self.named = positional_names(partials_of)[1:]
        self.masks = masks
        self.promotes = len(partials) > 1  # as ufuncs do

    def _make_plan(self, mask: int, is_complex: bool) -> Plan:
        slots = [i for i in range(len(self.operands)) if mask >> i & 1]
        if len(slots) == 1 and not self.masks:
            return super()._make_plan(mask, is_complex)
        plan = Plan(self, mask, [self.operands.index(n) for n in self.named if n != "y"])
        source = ["y" if n == "y" else f"v[{self.operands.index(n)}]" for n in self.named]
        plan.capture = _compile("v, y", source, {})
        partials_of = self.partials_of

        def pullback(g, mul, r, params):
            products = []
            for p in partials_of(slots, *r):
                if p.dtype == bool:
                    products.append(selected(p, g))
                elif mul is operator.mul and _is_alike(p, g):
                    p *= g  # the partial is ours, and memory that is at hand is faster than new
                    products.append(p)
                else:
                    products.append(mul(g, np.conj(p) if is_complex else p))
            return products

        plan.pullback = pullback
        return plan

    def jvp(self, tangents, values, y, params):
        slots = [i for i, dx in enumerate(tangents) if dx is not None]
        if len(slots) == 1 and not self.masks:
            return super().jvp(tangents, values, y, params)
        named = dict(zip(self.operands, values), y=y)
        partials = self.partials_of(slots, *[named[n] for n in self.named])
        pairs = [(tangents[i], p) for i, p in zip(slots, partials)]
        if not any(p.dtype == bool for p in partials):
            return _pushed_sum(pairs, y)
        return _sum([selected(p, t) if p.dtype == bool else _pushed(t, p, y) for t, p in pairs])


def _is_alike(p: Any, g: Any) -> bool:
    """Whether both are plain real arrays of one shape and dtype."""
    plain_arrays = type(p) is np.ndarray and type(g) is np.ndarray
    return plain_arrays and p.shape == g.shape and p.dtype is g.dtype and p.dtype.kind == "f"


def _parameters(partial: Any) -> list[str]:
    return positional_names(partial) if callable(partial) else []


def positional_names(function: Any) -> list[str]:
    """The positional parameters of a Python function, in order."""
    code = function.__code__
    return list(code.co_varnames[: code.co_argcount])


def _compile(arguments: str, terms: Sequence[str], scope: dict[str, Any]) -> Callable[..., Any]:
    """``lambda arguments: (terms,)``: one call frame fewer for each operand of each equation."""
    return eval(f"lambda {arguments}: ({''.join(t + ', ' for t in terms)})", scope)


# ---------------------------------------------------------------- linear


class Linear(Primitive):
    """Linear in its first operand; ``transpose`` is the partner primitive.

    One of the two takes ``shape=`` (that of the other's operand): the one that maps backwards.
    """

    kind = "adjoint_pair"

    def __init__(self, name: str, fun: Callable[..., Any], needs_shape: bool):
        super().__init__(name, fun)
        self.needs_shape = needs_shape  # this one is given shape=
        self.transpose: Linear

    def _make_plan(self, mask: int, is_complex: bool) -> Plan:
        plan = Plan(self, mask, ())
        partner = self.transpose
        if partner.needs_shape:
            # The shape itself, not in a tuple: the collector forgets flat tuples at once, nested
            # ones late.
            plan.capture = lambda v, y: v[0].shape
            plan.pullback = lambda g, mul, r, params: (apply(partner, g, shape=r, **params),)
        else:
            plan.capture = lambda v, y: ()
            plan.pullback = lambda g, mul, r, params: (
                apply(partner, g, **{k: v for k, v in params.items() if k != "shape"}),
            )
        return plan

    def jvp(self, tangents, values, y, params):
        return apply(self, tangents[0], **params)


class Joint(Primitive):
    """Linear in all its operands together (concatenate, where, assignment), however many there are.

    ``transpose(g, shapes, slots, **params)`` gives the cotangents of the operands in ``slots``.
    """

    kind = "linear"

    def __init__(self, name: str, fun: Callable[..., Any], transpose: Rule):
        super().__init__(name, fun)
        self.transpose = transpose

    def _make_plan(self, mask: int, is_complex: bool) -> Plan:
        plan = Plan(self, mask, ())
        plan.capture = lambda v, y: (tuple([getattr(x, "shape", None) or np.shape(x) for x in v]),)
        transpose, slots = self.transpose, plan.slots
        plan.pullback = lambda g, mul, r, params: transpose(g, r[0], slots, **params)
        return plan

    def jvp(self, tangents, values, y, params):
        full = [np.zeros_like(v) if t is None else t for t, v in zip(tangents, values)]
        return apply(self, *full, **params)


def apply(primitive: Primitive, *operands: Any, **params: Any) -> Any:
    """Run a primitive from within a rule, on arrays or tracers."""
    from chainrule.core.trace import bind

    return bind(primitive, operands, params)


# ---------------------------------------------------------------- multilinear


class Multilinear(Primitive):
    """Linear in each operand by itself; one transpose a slot: ``slot(g, *others, **params)``."""

    kind = "multilinear"

    def __init__(self, name: str, fun: Callable[..., Any], transposes: Sequence[Rule]):
        super().__init__(name, fun)
        self.transposes = list(transposes)

    def _make_plan(self, mask: int, is_complex: bool) -> Plan:
        n = len(self.transposes)
        slots = [i for i in range(n) if mask >> i & 1]
        others = {i: [k for k in range(n) if k != i] for i in slots}
        kept = sorted({k for i in slots for k in others[i]})
        plan = Plan(self, mask, kept)
        values = [f"v[{k}]" if k in kept else "None" for k in range(n)]
        plan.capture = _compile("v, y", values, {})
        rules = [(self.transposes[i], others[i]) for i in slots]

        def pullback(g, mul, r, params):
            return [rule(g, *[r[k] for k in rest], **params) for rule, rest in rules]

        plan.pullback = pullback
        return plan

    def jvp(self, tangents, values, y, params):
        total = None
        for i, dx in enumerate(tangents):
            if dx is not None:
                term = apply(self, *values[:i], dx, *values[i + 1 :], **params)
                total = term if total is None else total + term
        return total


# ---------------------------------------------------------------- general


class General(Primitive):
    """One vjp ``rule(g, y, *operands, **params)``; names with a leading underscore are not kept.

    A rule returns one cotangent per operand (not in a tuple if there is one operand), ``None``
    for zero, or a function of no arguments that makes it, called only where that operand is
    traced. With several results g and y are tuples, and entries of g may be None.
    ``jvp_rule(tangents, y, *operands, **params)`` is a second rule where it is measured to be
    faster, or the only one; what is missing is derived by transposition
    (``transforms.transpose``).
    """

    kind = "general"
    derive_jvp: Callable[..., Any]  # set by transforms.transpose
    derive_vjp: Callable[..., Any]

    def __init__(self, name, fun, vjp_rule=None, jvp_rule=None, multiple=False):
        super().__init__(name, fun)
        self.multiple = multiple
        self.vjp_rule = vjp_rule
        self.jvp_rule = jvp_rule
        rule = vjp_rule or jvp_rule
        if rule is None:
            raise RuleError(f"{name} needs a vjp or a jvp", at=None)
        positional = positional_names(rule)
        self.operands = [n.lstrip("_") for n in positional[2:]]
        self.keeps_y = not positional[1].startswith("_") or vjp_rule is None
        self.keeps = [not n.startswith("_") or vjp_rule is None for n in positional[2:]]

    def _make_plan(self, mask: int, is_complex: bool) -> Plan:
        keeps = self.keeps
        plan = Plan(self, mask, [i for i, k in enumerate(keeps) if k])
        y = ["y" if self.keeps_y else "None"]
        operands = [f"v[{i}]" if k else "None" for i, k in enumerate(keeps)]
        plan.capture = _compile("v, y", y + operands, {})
        slots = plan.slots
        rule = self.vjp_rule or self.derive_vjp

        def pullback(g, mul, r, params):
            bars = rule(g, *r, **params)
            if len(keeps) == 1:
                bars = (bars,) if not isinstance(bars, tuple) else bars
            elif not isinstance(bars, tuple) or len(bars) != len(keeps):
                raise RuleError(f"the rule of {self.name} must return {len(keeps)} cotangents")
            return [_force(bars[i]) for i in slots]

        plan.pullback = pullback
        return plan

    def jvp(self, tangents, values, y, params):
        if self.jvp_rule is not None:
            return self.jvp_rule(tangents, y, *values, **params)
        return self.derive_jvp(tangents, values, y, params)


def _force(cotangent: Any) -> Any:
    return cotangent() if type(cotangent) is FunctionType else cotangent


# ---------------------------------------------------------------- declarations


def existing(names: str, library: Any = np) -> list[Any]:
    """The functions of these names that the installed NumPy (or other library) has: a newer
    one is declared with ``@composite(*existing("unstack"))`` or ``for f in existing("matvec"):``.
    """
    return [getattr(library, name) for name in names.split() if hasattr(library, name)]


def elementwise(fun: Any, /, *, name: str = "", **partials: Any) -> Elementwise:
    """Declare partials: ``elementwise(np.multiply, a=lambda b: b, b=lambda a: a)``.

    The keywords are the operands in order. A partial names the operands it needs and ``y``, the
    output; nothing else is kept. A number is a constant partial, ``None`` a zero one.
    For a real result of a complex operand the partial p is the gradient: dy = Re(conj(p) dx).
    """
    primitive = Elementwise(name or fun.__name__, fun, partials)
    register(fun, primitive, primitive.operands)
    return primitive


def together(
    fun: Any, partials_of: Callable[..., Sequence[Any]], /, *, masks: bool = False, **partials: Any
) -> Together:
    """As ``elementwise``, with the partials of several operands computed by one function."""
    primitive = Together(fun.__name__.strip("_"), fun, partials, partials_of, masks)
    register(fun, primitive, primitive.operands)
    return primitive


def adjoint_pair(fun: Any, partner: Any, /, *, name: str = "", partner_name: str = "") -> Linear:
    """Declare two linear maps as each other's transpose: ``fun(x, **params)`` and
    ``partner(g, shape=, **params)`` (``shape=`` is that of x, and may be left out of both)."""
    takes_shape = isinstance(partner, FunctionType) and "shape" in partner.__code__.co_varnames
    forward = Linear(name or fun.__name__, fun, needs_shape=False)
    if partner is fun:
        forward.transpose = forward
    else:
        backward = Linear(partner_name or partner.__name__, partner, needs_shape=takes_shape)
        forward.transpose, backward.transpose = backward, forward
        register(partner, backward, None)
    register(fun, forward, None)
    return forward


def multilinear(fun: Any, /, *, name: str = "", **transposes: Rule) -> Multilinear:
    """Declare the transpose in each slot: ``multilinear(np.matmul, a=lambda g, b: ..., b=...)``."""
    primitive = Multilinear(name or fun.__name__, fun, list(transposes.values()))
    register(fun, primitive, list(transposes))
    return primitive


def linear(fun: Any, /, *, name: str = "") -> Callable[[Rule], Joint]:
    """Declare a map linear in all operands together by its transpose, as ``Joint`` takes it."""

    def declare(transpose: Rule) -> Joint:
        return Joint(name or fun.__name__, fun, transpose)

    return declare


def general(
    fun: Any,
    /,
    *,
    name: str = "",
    jvp: Rule | None = None,
    multiple: bool = False,
    turn: Rule | None = None,
) -> Callable[[Rule], General]:
    """Declare one vjp: ``@general(np.linalg.inv) def inv(g, y, _a): return -mT(y) @ g @ mT(y)``."""

    def declare(rule: Rule) -> General:
        primitive = General(name or fun.__name__, fun, rule, jvp, multiple)
        primitive.turn = turn
        register(fun, primitive, primitive.operands)
        return primitive

    return declare


def general_jvp(
    fun: Any, /, *, name: str = "", multiple: bool = False
) -> Callable[[Rule], General]:
    """Declare one jvp, ``rule(tangents, y, *operands, **params)``; the vjp is its transpose."""

    def declare(rule: Rule) -> General:
        primitive = General(name or fun.__name__, fun, None, rule, multiple)
        register(fun, primitive, primitive.operands)
        return primitive

    return declare


def composite(*functions: Any) -> Callable[[Rule], Rule]:
    """Declare that these NumPy functions are, on traced arguments, the decorated NumPy code."""

    def declare(code: Rule) -> Rule:
        for fun in functions:
            FUNCTIONS[fun] = code
        return code

    return declare


def piecewise_constant(*functions: Any) -> None:
    """Declare functions whose derivative is zero wherever it exists: plain values come back."""
    from chainrule.core.trace import plain

    for fun in functions:

        def run(*args, _fun=fun, **kwargs):
            from chainrule.core.array import as_constant

            return as_constant(_fun(*plain(args), **plain(kwargs)))

        FUNCTIONS[fun] = run
        if isinstance(fun, np.ufunc):
            UFUNCS[fun] = None  # type: ignore[assignment]  # no primitive: evaluate on plain values


def register(fun: Any, primitive: Primitive, operands: Sequence[str] | None) -> None:
    """Let calls of ``fun`` on traced arguments bind ``primitive``."""
    if isinstance(fun, np.ufunc):
        UFUNCS[fun] = primitive
    FUNCTIONS[fun] = entry(fun, primitive, operands)


def entry(fun: Any, primitive: Primitive, operands: Sequence[str] | None) -> Callable[..., Any]:
    """``fun``'s own calling convention in front of ``bind``: operands, then parameters."""
    from chainrule.core.trace import bind

    count = 1 if operands is None else len(operands)
    names: list[str] = []  # of all parameters; found when a call first needs them

    def find_names() -> None:
        try:
            names[:] = inspect.signature(fun).parameters
        except (ValueError, TypeError):  # a C function without a signature
            names[:] = operands or ["x"]

    def call(*args, **kwargs):
        if len(args) != count:
            if not names:
                find_names()
            if len(args) < count:  # operands given by keyword
                args += tuple(kwargs.pop(n) for n in names[len(args) : count])
            else:
                kwargs.update(zip(names[count:], args[count:]))
                args = args[:count]
        return bind(primitive, args, kwargs)

    call.__name__ = call.__qualname__ = primitive.name
    return call
