"""``numerical``: a function nobody can look into, differentiated on purpose by differences.

The derivatives of f at a point are tensors, each measured when a sweep first asks for it, and each
an operation whose own derivative is the next::

    y = f(x)     J = D1(x)  (m, N)     H = D2(x)  (m, N, N)     ...
    dy = J dx    x_bar = g J           dJ = H dx                x_bar = J_bar . H

so that every mode and order follows. One directional derivative needs no J, and makes none.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule import numeric
from chainrule.base.errors import NonDifferentiableError
from chainrule.base.where import Line, user_line
from chainrule.core.primitive import General, Plan
from chainrule.core.trace import Tracer, bind, plain
from chainrule.numeric import Estimate
from chainrule.numeric.lines import Direction
from chainrule.numeric.noise import noise_level
from chainrule.numeric.partials import Method, in_chunks
from chainrule.numeric.points import Function, quiet
from chainrule.numeric.slopes import curvatures
from chainrule.transforms.opaque import (
    Application,
    Call,
    Opaque,
    Outcome,
    own,
    refuse_in_place,
    zeros_for_none,
)

_MANY = 2000  # coordinates from which on two evaluations each must do
_USELESS = 0.1  # an error as large as this part of the derivative


class Numerical(Opaque):
    """A function differentiated by differences. Made by ``numerical``."""

    def __init__(
        self,
        f: Callable[..., Any],
        name: str | None = None,
        method: Method = "auto",
        nondiff: Iterable[str] = (),
    ):
        super().__init__(f, name, nondiff)
        self._method = method
        self._title = f"numerical({self._title})"
        self.last: Estimate | None = None  # what was measured last

    @property
    def error(self) -> float:
        """The largest error bound of the derivative measured last; NaN before there was one."""
        return float("nan") if self.last is None else self.last.worst_error

    def _equation(self, call: Call, outcome: Outcome) -> Application:
        def run(xs):
            return self._run(call, [own(x) for x in xs])

        measured = Measured(self, call, run, len(outcome.values))
        return Application(self._title, run, outcome, measured.pull, measured.push)

    def _examine(self, call: Call, outcome: Outcome, before: list, given: list) -> None:
        refuse_in_place(self._title, call, before, given)

    def _recipe(self) -> tuple:
        return self.f, self.__name__, self._method, tuple(self._signature.nondiff)


class Measured:
    """The derivatives of one call, with respect to its traced operands."""

    def __init__(self, wrapper: Numerical, call: Call, run: Callable[..., Outcome], results: int):
        self.wrapper = wrapper
        self.active = [i for i, wanted in enumerate(call.traced) if wanted]
        rows = zip(call.operands, call.traced)
        self.rest = [None if wanted else own(plain(x)) for x, wanted in rows]
        self.run = run
        self.several = results != 1
        self.tensors: list[Tensor] = []
        self.at: Line | None = user_line()
        self.runs = 0

    def tensor(self, order: int) -> "Tensor":
        while len(self.tensors) < order:
            self.tensors.append(Tensor(self, len(self.tensors) + 1))
        return self.tensors[order - 1]

    # -- the rules of y = f(x)

    def pull(self, g: Any, y: Any, *operands: Any) -> list[Any]:
        xs = [operands[i] for i in self.active]
        ys = y if self.several else (y,)
        gs = zeros_for_none(g if self.several else (g,), ys)
        jacobian = bind(self.tensor(1), xs, {})
        bars: list[Any] = [None] * len(operands)
        for i, bar in zip(self.active, from_vector(np.matmul(to_vector(gs, ys), jacobian), xs)):
            bars[i] = bar
        return bars

    def push(self, tangents: Sequence[Any], y: Any, *operands: Any) -> Any:
        xs = [operands[i] for i in self.active]
        dxs = zeros_for_none([tangents[i] for i in self.active], xs)
        ys = list(y) if self.several else [y]
        if any(isinstance(x, Tracer) for x in (*xs, *dxs)):
            dy = np.matmul(bind(self.tensor(1), xs, {}), to_vector(dxs, xs))
        else:
            dy = self.directional(xs, dxs)
        dys = from_vector(dy, ys)
        return tuple(dys) if self.several else dys[0]

    # -- measurements

    def values(self, reals: Sequence[Any]) -> np.ndarray:
        """All results as one real vector, at active operands given as real arrays."""
        self.runs += 1
        operands = list(self.rest)
        for i, x in zip(self.active, reals):
            operands[i] = x
        values = self.run(operands).values
        return to_vector(values, values)

    def around(self, xs: Sequence[Any]) -> tuple[Callable, list[np.ndarray]]:
        """f near xs as a function of real float64 arrays, one per active operand."""
        xs = [np.asarray(plain(x)) for x in xs]

        def f(reals):
            return self.values([_complex(r) if _is_complex(x) else r for r, x in zip(reals, xs)])

        return f, [_real(x) for x in xs]

    def directional(self, xs: Sequence[Any], dxs: Sequence[Any]) -> np.ndarray:
        f, point = self.around(xs)
        vs = [_real(np.asarray(dx)) for dx in dxs]
        if not any(v.any() for v in vs):
            return np.zeros_like(f(point))
        return self.told(numeric.directional(f, point, vs), 1, f, point)

    def jacobian(self, xs: Sequence[Any]) -> np.ndarray:
        """(m, N): 10 to 20 runs of f a coordinate, 2 where there are many."""
        f, point = self.around(xs)
        size = sum(x.size for x in point)
        method: Method = self.wrapper._method
        if method == "auto":  # no complex step: C code takes floats
            method = "ladder" if size <= _MANY else "central"
        found = numeric.jacobian(f, point, method)
        return self.told(_in_one_table(found), 1, f, point)

    def hessian(self, xs: Sequence[Any]) -> np.ndarray:
        """(m, N, N) from curvatures along s_i e_i + s_j e_j: about 5 N^2 runs of f."""
        f, point = self.around(xs)
        return self.told(second_differences(f, point), 2, f, point)

    def higher(self, xs: Sequence[Any], order: int) -> np.ndarray:
        """Differences of second differences: as many digits as are left."""
        before = self.tensor(order - 1)
        f, point = self.around(xs)

        def below(reals):
            like = [_complex(r) if _is_complex(x) else r for r, x in zip(reals, xs)]
            return before.measure(like).reshape(-1)

        runs = self.runs
        table = _in_one_table(numeric.jacobian(below, point, "ladder"))
        shape = (-1, *(table.value.shape[1],) * order)
        value, error = table.value.reshape(shape), table.error.reshape(shape)
        return self.told(
            replace(table, value=value, error=error, evaluations=self.runs - runs), order, f, point
        )

    def told(
        self, found: Estimate, order: int, f: Callable, point: Sequence[np.ndarray]
    ) -> np.ndarray:
        """The value, its estimate kept; NonDifferentiableError if it says nothing."""
        self.wrapper.last = found
        value, error = np.asarray(found.value), np.asarray(found.error)
        if not value.size:
            return value
        worst = float(np.max(error))
        if np.isfinite(value).all() and worst <= _USELESS * float(np.max(np.abs(value))):
            return value
        if found.notes and np.isfinite(value).all():  # a kink: the mean of both slopes
            return value
        if np.isfinite(value).all() and np.isfinite(worst):
            y = np.max(np.abs(f(point)), initial=0.0)
            sizes = np.concatenate([np.abs(x).reshape(-1) for x in point])
            reach = max(float(np.max(sizes, initial=0.0)), 1e-300)
            if worst <= 1e-3 * y / reach**order or worst <= 1e-3:
                return value
        raise NonDifferentiableError(
            f"differences of {self.wrapper._title} give no derivative of order {order} here: its "
            f"largest value is {np.max(np.abs(value)):.3g}, with an error of {worst:.1e}",
            "The function is noisy or not smooth at this point; state a rule for it "
            "(chainrule.primitive), or ask for a lower order.",
            self.at,
        )


class Tensor(General):
    """The derivative of some order as an operation on the active operands; its derivative is the
    next."""

    kind = "numerical"

    def __init__(self, measured: Measured, order: int):
        kind = {1: "jacobian", 2: "hessian"}.get(order, f"derivative{order}")
        self.name = f"{kind}({measured.wrapper._title})"
        self.measured = measured
        self.order = order
        self.fun = self.measure
        self.plans = {}
        self.vjp_rule = self.pull
        self.jvp_rule = self.push
        self._known: tuple[list[np.ndarray], np.ndarray] | None = None

    def measure(self, *operands: Any) -> np.ndarray:
        xs = [np.array(x) for x in (operands[0] if type(operands[0]) is list else operands)]
        known = self._known
        if known is not None and all(map(np.array_equal, known[0], xs)):
            return known[1]
        if self.order == 1:
            found = self.measured.jacobian(xs)
        elif self.order == 2:
            found = self.measured.hessian(xs)
        else:
            found = self.measured.higher(xs, self.order)
        found.flags.writeable = False  # given to whoever asks again
        self._known = xs, found
        return found

    def pull(self, g: Any, y: Any, *xs: Any) -> list[Any]:
        following = bind(self.measured.tensor(self.order + 1), xs, {})
        return from_vector(np.tensordot(g, following, self.order + 1), xs)

    def push(self, tangents: Sequence[Any], y: Any, *xs: Any) -> Any:
        following = bind(self.measured.tensor(self.order + 1), xs, {})
        return np.matmul(following, to_vector(zeros_for_none(tangents, xs), xs))

    def _make_plan(self, mask: int, is_complex: bool) -> Plan:
        plan = Plan(self, mask, range(mask.bit_length()))
        plan.capture = lambda v, y: tuple(v)

        def pullback(g, mul, xs, params):
            bars = self.pull(g, None, *xs)
            return [bars[i] for i in plan.slots]

        plan.pullback = pullback
        return plan


def _in_one_table(found: Estimate) -> Estimate:
    """A Jacobian in blocks, one for each operand, as one matrix (m, N)."""
    value, error, step = (
        np.concatenate([b.reshape(len(b), int(np.prod(b.shape[1:]))) for b in blocks], axis=1)
        for blocks in (found.value, found.error, found.step)
    )
    return replace(found, value=value, error=error, step=step)


def second_differences(f: Callable, point: Sequence[np.ndarray]) -> Estimate:
    """All second derivatives (m, N, N) of a vector function, as ``numeric.hessian`` of a scalar."""
    function = Function(f, list(point))
    where, m = function.point, len(function.base)
    n, scale = where.size, where.scale
    rows, columns = np.tril_indices(n)
    lines = []
    for i, j in zip(rows, columns):
        v = np.zeros(n)
        v[i], v[j] = scale[i], scale[j]
        lines.append(Direction(where, v))
    with quiet():
        found = in_chunks(curvatures, function, lines, noise_level(function), None)
    curvature, bound, step = np.zeros((3, m, n, n))
    for tensor, entries in ((curvature, found.value), (bound, found.bound), (step, found.step)):
        tensor[:, rows, columns] = tensor[:, columns, rows] = entries.T
    # along s_i e_i + s_j e_j the curvature is  s_i^2 H_ii + 2 s_i s_j H_ij + s_j^2 H_jj
    diagonal = np.arange(n)
    straight, margin = curvature[:, diagonal, diagonal], bound[:, diagonal, diagonal]
    value = (curvature - straight[:, :, None] - straight[:, None, :]) / 2
    error = (bound + margin[:, :, None] + margin[:, None, :]) / 2
    value[:, diagonal, diagonal] = straight
    error[:, diagonal, diagonal] = margin
    unit = np.outer(scale, scale)
    return Estimate(value / unit, error / unit, step * scale, function.evaluations)


# ---------------------------------------------------------------- one real vector for all leaves


def _is_complex(x: Any) -> bool:
    return plain(x).dtype.kind == "c"


def _real(x: np.ndarray) -> np.ndarray:
    """float64, complex numbers as pairs along a last axis."""
    return np.stack([x.real, x.imag], -1).astype(float) if _is_complex(x) else x.astype(float)


def _complex(pairs: np.ndarray) -> Any:
    return (pairs[..., 0] + 1j * pairs[..., 1])[()]


def _real_part(x: Any) -> Any:
    return np.real(x) if _is_complex(x) else x


def to_vector(xs: Sequence[Any], like: Sequence[Any]) -> Any:
    """Numbers and arrays (traced or not) strung into one real vector, as ``like`` is complex."""
    parts = [
        np.stack([np.real(x), np.imag(x)], -1) if _is_complex(a) else _real_part(x)
        for x, a in zip(xs, like)
    ]
    flat = [part if np.ndim(plain(part)) == 1 else np.reshape(part, (-1,)) for part in parts]
    return flat[0] if len(flat) == 1 else np.concatenate(flat)


def from_vector(vector: Any, like: Sequence[Any]) -> list[Any]:
    """The vector taken apart again."""
    parts, start = [], 0
    for x in like:
        shape = np.shape(plain(x))
        size = int(np.prod(shape, dtype=int)) * (2 if _is_complex(x) else 1)
        part = vector if len(like) == 1 else vector[start : start + size]
        start += size
        if _is_complex(x):
            pairs = np.reshape(part, (*shape, 2))
            parts.append(pairs[..., 0] + 1j * pairs[..., 1])
        elif not shape:
            parts.append(part[0])
        else:
            parts.append(part if len(shape) == 1 else np.reshape(part, shape))
    return parts


# ---------------------------------------------------------------- public


def numerical(
    f: Callable[..., Any] | None = None,
    name: str | None = None,
    method: Method = "auto",
    nondiff: Iterable[str] = (),
) -> Any:
    """``f``, differentiated by certified differences: for C code, a simulator, a remote service.

    Floats and float arrays among the arguments (trees too) are differentiated, all else is handed
    on as it is; f gets plain float64 copies and must not write to them. Every mode and order works,
    mixed with exact derivatives; ``trace`` and ``explain`` show the step as ``numerical(f)``.
    Cost: forward mode about 20 runs of f a direction, whatever the size; reverse mode a Jacobian,
    10 to 20 runs for each of N numbers (2 with method="central", or from 2000 numbers on; the
    Jacobian is measured once and kept for all pullbacks of this call); second order about 5 N^2.
    ``.last`` is the latest measurement (numeric.Estimate), ``.error`` its largest error bound.
    Raises NonDifferentiableError where no derivative can be measured, or its error says that it
    means nothing.

    >>> from chainrule import grad
    >>> @numerical
    ... def simulate(x):
    ...     return float(np.sin(x[0]) * x[1])
    >>> g = grad(lambda x: simulate(x) ** 2)(np.array([1.0, 2.0]))
    >>> bool(np.allclose(g, [4 * np.sin(2.0), 4 * np.sin(1.0) ** 2])), simulate.error < 1e-9
    (True, True)
    """
    if f is None:
        return lambda f: Numerical(f, name, method, nondiff)
    return Numerical(f, name, method, nondiff)
