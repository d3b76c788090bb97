"""Jacobians, Hessians and Hessian-vector products, made of the two sweeps."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.base import tree
from chainrule.base.errors import MismatchError, NoRuleError
from chainrule.core.trace import Recording, Tracer, plain
from chainrule.transforms.door import Transformed, chosen_wrt, enter, results, run, strip
from chainrule.transforms.forward import jvp
from chainrule.transforms.reverse import grad, pull


@dataclass(frozen=True, eq=False)
class jacobian(Transformed):
    """A function that gives all first derivatives of ``f``, of shape value + argument.

    wrt : position, name, or a tuple of them. If the value or the argument is a tree, so is the
    result: a tree of values, each leaf a tree of arguments. f runs once. Cost: as many sweeps as
    the value or the argument has elements, whichever is fewer.

    >>> jacobian(lambda x: x**2)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """

    f: Callable[..., Any]
    wrt: Any = 0
    argnums: Any = None
    lift: bool = True

    def __call__(self, *args, **kwargs):
        with Recording() as trace:
            entered = enter(trace, self.f, args, kwargs, self.wrt)
            out = run(trace, self.f, self.lift, entered)
            leaves, treedef = results(out, self.f)
            variables = [
                x._var if isinstance(x, Tracer) and x._trace is trace else -1 for x in leaves
            ]
            values = [strip(trace, x) for x in leaves]
            values = [v if hasattr(v, "dtype") else np.asarray(v)[()] for v in values]
        program = trace.take_program()
        columns = sum(np.size(plain(x)) for x in entered.leaves)
        blocks = []
        for value, var in zip(values, variables):
            rows = by_rows if np.size(plain(value)) <= columns else by_columns
            blocks.append(entered.gather(rows(program, var, value, entered.leaves)))
        return tree.unflatten(treedef, blocks)


def by_rows(program: Any, var: int, value: Any, leaves: list[Any]) -> list[Any]:
    """One backward sweep per element of the value; two if it is complex, for Re and Im."""
    rows: list[list[Any]] = [[] for _ in leaves]
    for e in one_hots(value):
        bars = _pulled(program, var, e, leaves)
        if e.dtype.kind == "c":
            turned = _pulled(program, var, e * 1j, leaves)
            bars = [
                np.conj(_holomorphic(a, b)) if is_complex(x) else a + 1j * b
                for a, b, x in zip(bars, turned, leaves)
            ]
        for row, bar in zip(rows, bars):
            row.append(bar)
    return [
        _stacked(row, np.shape(plain(value)) + np.shape(plain(x)), value, x)
        for row, x in zip(rows, leaves)
    ]


def _pulled(program: Any, var: int, g: Any, leaves: list[Any]) -> list[Any]:
    bars = pull(program, {var: g}, program.inputs) if var >= 0 else [None] * len(leaves)
    return [np.zeros_like(plain(x)) if b is None else b for b, x in zip(bars, leaves)]


def by_columns(program: Any, var: int, value: Any, leaves: list[Any]) -> list[Any]:
    """One sweep per element of the argument, over the recorded pullback: J is the transpose of g
    -> g J. Two sweeps if the argument is complex, for Re and Im.
    """
    shape = np.shape(plain(value))
    if var < 0:
        return [_stacked([], shape + np.shape(plain(x)), value, x) for x in leaves]
    with Recording() as trace, np.errstate(all="ignore"):
        g = trace.input(np.ones_like(plain(value))[()])
        bars = pull(program, {var: g}, program.inputs)

    def pushed(bar, e):
        dy = None
        if isinstance(bar, Tracer) and bar._trace is trace:
            (dy,) = pull(trace.program, {bar._var: e}, trace.program.inputs)
        return np.zeros_like(plain(value)) if dy is None else dy

    columns = []
    for bar, leaf in zip(bars, leaves):
        part = []
        for e in one_hots(leaf):
            dy = pushed(bar, e)
            if e.dtype.kind == "c":
                turned = pushed(bar, e * 1j)
                dy = _holomorphic(dy, turned) if is_complex(value) else dy + 1j * turned
            part.append(dy)
        stacked = _stacked(part, np.shape(plain(leaf)) + shape, value, leaf)
        order = (*range(np.ndim(plain(leaf)), stacked.ndim), *range(np.ndim(plain(leaf))))
        columns.append(np.transpose(stacked, order))
    return columns


def is_complex(x: Any) -> bool:
    return np.iscomplexobj(plain(x))


def _holomorphic(a: Any, b: Any) -> Any:
    """``a``, the derivative along 1, if ``b``, the one along i, is i times that."""
    difference = np.abs(plain(b) - 1j * plain(a))
    if not np.all(difference <= 1e-6 * (np.abs(plain(a)) + np.abs(plain(b)))):
        raise MismatchError(
            "a complex value that is not holomorphic in a complex argument has no complex Jacobian",
            "Differentiate its real and imaginary parts (np.real(y), np.imag(y)), or use "
            "chainrule.jvp or chainrule.vjp.",
        )
    return a


def one_hots(like: Any) -> Iterator[Any]:
    """Arrays like ``like`` with one 1."""
    like = plain(like)
    for index in np.ndindex(np.shape(like)):
        e = np.zeros_like(like)
        e[index] = 1
        yield e[()]


def _stacked(parts: list[Any], shape: tuple[int, ...], value: Any, leaf: Any) -> Any:
    if not parts:
        complex_ = is_complex(value) or is_complex(leaf)
        real = np.asarray(plain(value) if complex_ else plain(leaf))
        stacked = np.zeros(shape, np.result_type(real.real, 1j) if complex_ else real.dtype)
    elif any(isinstance(p, Tracer) for p in parts):
        return np.reshape(np.stack(parts), shape)
    else:
        stacked = np.array(parts).reshape(shape)
    return stacked if isinstance(plain(leaf), np.ndarray) else stacked[()]  # of a scalar: a scalar


def hessian(
    f: Callable, wrt: Any = 0, *, argnums: Any = None, lift: bool = True
) -> Callable[..., Any]:
    """A function that gives the second derivatives of scalar ``f``: shape of the argument twice.

    Cost: one gradient and as many sweeps as the argument has elements.

    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0]))
    array([[4., 2.],
           [2., 0.]])
    """
    wrt = chosen_wrt(wrt, argnums)
    return _Hessian(grad(f, wrt, lift=lift), wrt, lift=lift)


@dataclass(frozen=True, eq=False)
class _Hessian(jacobian):
    """The Jacobian of a gradient, by forward mode where a second reverse sweep has no rule."""

    def __call__(self, *args, **kwargs):
        try:
            return super().__call__(*args, **kwargs)
        except NoRuleError as refusal:
            wrt = self.wrt
            x = args[wrt] if type(wrt) is int and -len(args) <= wrt < len(args) else None
            if not isinstance(x, np.ndarray) or x.dtype.kind != "f":
                raise
            try:
                return self._by_columns(x, wrt % len(args), args, kwargs)
            except NoRuleError:
                raise refusal from None

    def _by_columns(self, x, wrt, args, kwargs):
        """Symmetric, so that its columns are its rows."""

        def gradient(z):
            return self.f(*args[:wrt], z, *args[wrt + 1 :], **kwargs)

        rows = [jvp(gradient, (x,), (e,), lift=self.lift)[1] for e in one_hots(x)]
        return _stacked(rows, x.shape + x.shape, x, x)


def hvp(f: Callable, x: Any, v: Any, *, lift: bool = True) -> Any:
    """Product of the Hessian of scalar ``f`` at ``x`` with ``v``; the Hessian is never formed.

    x, v : arrays (n,), or nested containers of equal structure.   returns : like x.
    Cost about 4 evaluations of f, memory as one gradient. Raises NotScalarError if f(x) is not a
    scalar.

    >>> hvp(lambda x: x @ x, np.array([1.0, 2.0]), np.array([0.0, 1.0]))
    array([0., 2.])
    """
    return jvp(grad(f, lift=lift), (x,), (v,), lift=False)[1]
