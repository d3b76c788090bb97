"""Derivatives from values of the function alone, each with an error that can be trusted.

Nothing here knows any calculus of operations: that is what makes it a judge of code that does.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.base import tree
from chainrule.base.errors import ArgumentError, InputError, MismatchError, NotScalarError
from chainrule.numeric.blocks import hessian_blocks, jacobian_blocks, like_point, like_value
from chainrule.numeric.circle import improved
from chainrule.numeric.estimate import Estimate
from chainrule.numeric.higher import MOST, by_differences
from chainrule.numeric.lines import Coordinate, Direction
from chainrule.numeric.noise import noise_level
from chainrule.numeric.partials import Method, in_chunks, notes, partials
from chainrule.numeric.points import Function, quiet
from chainrule.numeric.runners import Serial, runner
from chainrule.numeric.slopes import curvatures, slopes


def derivative(
    f: Callable,
    x: Any,
    method: Method = "auto",
    order: int = 1,
    workers: Any = None,
    vectorized: bool = False,
) -> Estimate:
    """The derivative of ``f`` at the number ``x``; the value of f may be an array of any shape.

    Costs 8 evaluations where f takes complex numbers, else about 20 and up to 70 where it is hard.
    For complex x, f must be real: see ``gradient``. workers, vectorized: see there.

    order : up to 10, InputError beyond. From 2 on it costs 50 to 200 evaluations of real points,
    and 18 to 90 on circles in the complex plane where f takes them (method "auto"; "ladder" does
    without, "complex" insists). 14 to 11 digits on a circle, for orders 2 to 6; 12 to 7 from real
    points. NaN with an infinite error and a note where nothing converges, as at the edge of a
    domain.

    >>> print(derivative(np.exp, 1.0))
    2.718281828459045 ± 4.8e-15
    8 evaluations
    >>> estimate = derivative(np.sin, 1.0, order=6)
    >>> abs(estimate.value + np.sin(1.0)) < estimate.error < 1e-11
    True
    """
    if np.ndim(x) != 0 or isinstance(x, (dict, list, tuple, str)):
        what = f"derivative needs a number, and x is {_described(x)}."
        raise ArgumentError(what, "Use numeric.gradient(f, x) or numeric.jacobian(f, x).")
    if isinstance(order, bool) or not isinstance(order, (int, np.integer)):
        raise ArgumentError(f"order={order!r} is not a whole number.", "Give one from 1 to 10.")
    if not 1 <= order <= MOST:
        what = f"order={order}: derivatives of order 1 to {MOST} can be measured."
        raise InputError(what, "Take derivatives of an exact derivative beyond.")
    if order == 1:
        estimate = jacobian(f, x, method, None, workers, vectorized)
    else:
        with runner(workers, vectorized) as run:
            estimate = _of_order(Function(f, x, run=run), int(order), method)
    if np.ndim(estimate.value) == 0 and not np.iscomplexobj(estimate.value):
        value, error, step = map(float, (estimate.value, estimate.error, estimate.step))
        return replace(estimate, value=value, error=error, step=step)
    return estimate


def _of_order(function: Function, order: int, method: Method) -> Estimate:
    if method not in ("auto", "complex", "ladder"):
        what = f"method={method!r} is not for derivatives of order {order}."
        raise InputError(what, "Choose 'auto', 'complex' or 'ladder'.")
    if not function.point.is_real:
        what = f"x is complex: only real x has a derivative of order {order} here."
        raise ArgumentError(what, "Give f the real part, the imaginary part held fixed.")
    if not np.isfinite(function.base).all():
        what = "f(x) is not finite: there is no derivative at such a point."
        raise InputError(what, "Give a point in the domain of f.")
    with quiet():
        slope = slopes(function, [Coordinate(function.point, 0)], noise_level(function))
        real = by_differences(function, order, slope.noise[0] / function.unit)
        found = real if method == "ladder" else improved(function, order, real)
    if method == "complex" and not (found.step == 0).all():
        what = "f does not take complex points, or is not analytic around this one."
        raise InputError(what, "Use method='auto'.")
    stored = np.where(np.isfinite(found.value), function.point.storage * np.abs(found.value), 0.0)
    unit, lost = function.unit, ~np.isfinite(found.bound)
    value, error, step = (
        like_value(function, part)[()]
        for part in (found.value * unit, (found.bound + stored) * unit, found.step + 0 * lost)
    )
    sentence = f"no derivative of order {order} can be measured"
    return Estimate(
        value,
        _real_error(error),
        np.real(step),
        function.evaluations,
        (sentence + (" for some values" if not lost.all() else ""),) if lost.any() else (),
    )


def gradient(
    f: Callable,
    x: Any,
    method: Method = "auto",
    progress: bool | None = None,
    workers: Any = None,
    vectorized: bool = False,
) -> Estimate:
    """The gradient of scalar ``f`` at ``x``, an array or a tree of arrays; value and error like x.

    For complex x it is ∂f/∂Re x + i ∂f/∂Im x, the direction of steepest ascent.

    method "complex": f is evaluated at complex points, N + 14 times; 15 digits; InputError where f
    does not take them or they disagree with real differences.   "ladder": real differences with a
    certified step for each coordinate, about 10 to 20 evaluations each.   "central": 2 evaluations
    each, at one step relative to the scale of the coordinate, learnt from twelve coordinates; 7 to
    10 digits, and the error is what those twelve suggest.   "auto": complex where it works, else
    ladder, central from 2000 coordinates on.
    progress : show a bar on a terminal; by default from 2000 coordinates on.

    workers : evaluates up to 512 points at once, with the same result. A number is that of threads
    (-1: one a core), for an f that waits or computes without the interpreter, as NumPy on large
    arrays does. A pool is anything with ``submit`` or ``map``: a ``ProcessPoolExecutor`` for an f
    of a module, a ``dask.distributed.Client``; InputError if it cannot run f. What f raises comes
    through, with a note saying at which point.
    vectorized : f takes leaves with a new first axis, (k, *shape), and returns (k,) values (or
    (k, *value shape)), each as for its point alone; MismatchError otherwise. One call a level of
    steps instead of 2N, as long as the stack has at most 512 points and 2^24 numbers; each of its
    points counts as an evaluation.

    >>> gradient(lambda p: p["a"] @ p["a"] * p["b"], {"a": np.array([1.0, 2.0]), "b": 3.0}).value
    {'a': array([ 6., 12.]), 'b': 5.0}
    >>> gradient(lambda x: np.sum(x**2, axis=-1), np.array([1.0, 2.0]), vectorized=True).value
    array([2., 4.])
    """
    with runner(workers, vectorized) as run:
        function = scalar_function(f, x, run=run)
        table = partials(function, method, progress)
    value = table.value[:, 0]
    stored = np.where(np.isfinite(value), function.point.storage * np.abs(value), 0.0)
    error = table.error[:, 0] + stored
    return Estimate(
        like_point(function, value),
        like_point(function, error, is_error=True),
        like_point(function, table.step[:, 0], is_error=True),
        function.evaluations,
        table.notes,
    )


def jacobian(
    f: Callable,
    x: Any,
    method: Method = "auto",
    progress: bool | None = None,
    workers: Any = None,
    vectorized: bool = False,
) -> Estimate:
    """The Jacobian of array-valued ``f`` at ``x``: like x, leaves of ``f(x).shape + leaf.shape``.

    Costs as the gradient does, whatever the number of values; the other arguments as there.
    >>> jacobian(lambda x: np.array([x[0] * x[1], x[1]]), np.array([2.0, 3.0])).value
    array([[3., 2.],
           [0., 1.]])
    """
    with runner(workers, vectorized) as run:
        function = Function(f, x, run=run)
        if not function.point.is_real and function.dtype.kind == "c":
            what = "Both x and f(x) are complex: their Jacobian follows no one convention."
            raise ArgumentError(what, "Differentiate with respect to real and imaginary parts.")
        table = partials(function, method, progress)
    return Estimate(
        jacobian_blocks(function, table.value),
        jacobian_blocks(function, table.error, is_error=True),
        jacobian_blocks(function, table.step, is_error=True),
        function.evaluations,
        table.notes,
    )


def directional(
    f: Callable, x: Any, v: Any, workers: Any = None, vectorized: bool = False
) -> Estimate:
    """The derivative of ``f(x + t v)`` for t at 0: of the shape of f(x), for about 20 evaluations.

    workers, vectorized : as for the gradient; a level of steps has two points.
    >>> print(directional(lambda x: x @ x, np.array([1.0, 2.0]), np.array([0.0, 1.0])).value)
    4.0
    """
    with runner(workers, vectorized) as run:
        function = Function(f, x, run=run)
        point = function.point
        tree.leaves_like(point.treedef, v, "v")
        vector = tree.ravel(v, "v")[0].astype(float)
        if vector.shape != point.vector.shape:
            what = f"v has {vector.size} numbers, and x has {point.size}."
            raise MismatchError(what, "Give v the structure, the shapes and the dtypes of x.")
        with quiet():
            found = slopes(function, [Direction(point, vector)], noise_level(function))
    value, error, step = (
        like_value(function, table[0])[()] for table in (found.value, found.bound, found.step)
    )
    return Estimate(
        value,
        _real_error(error),
        np.real(step),
        function.evaluations,
        notes(found, ["x + t v"]),
    )


def hessian(
    f: Callable,
    x: Any,
    progress: bool | None = None,
    workers: Any = None,
    vectorized: bool = False,
) -> Estimate:
    """The matrix of second derivatives of scalar ``f``, from second differences of its values.

    x : array (n,) gives (n, n); of any shape gives ``x.shape + x.shape``; a tree gives a tree of
    trees. About 5 N^2 evaluations, and 7 to 10 digits: second differences lose twice as many as
    first ones. A Hessian of more digits is the Jacobian of a gradient. workers, vectorized : as for
    the gradient.

    >>> hessian(lambda x: x[0] ** 2 * x[1], np.array([3.0, 2.0])).value.round(6)
    array([[4., 6.],
           [6., 0.]])
    """
    with runner(workers, vectorized) as run:
        function = scalar_function(f, x, run=run)
        point = function.point
        if not point.is_real:
            what = "x is complex: only a function of real arguments has this Hessian."
            raise ArgumentError(what, "Give f the real and the imaginary part as two arguments.")
        n, scale = point.size, point.scale
        rows, columns = np.tril_indices(n)
        with quiet():
            lines = [Direction(point, _pair(scale, *pair)) for pair in zip(rows, columns)]
            found = in_chunks(curvatures, function, lines, noise_level(function), progress)
    curvature, bound, step = np.zeros((3, n, n))
    for matrix, entries in ((curvature, found.value), (bound, found.bound), (step, found.step)):
        matrix[rows, columns] = matrix[columns, rows] = entries[:, 0]
    # along s_i e_i + s_j e_j the curvature is  s_i^2 H_ii + 2 s_i s_j H_ij + s_j^2 H_jj
    straight, margin = np.diag(curvature), np.diag(bound)
    value = (curvature - straight[:, None] - straight) / 2
    error = (bound + margin[:, None] + margin) / 2
    np.fill_diagonal(value, straight)
    np.fill_diagonal(error, margin)
    unit = np.outer(scale, scale)
    return Estimate(
        hessian_blocks(function, value / unit),
        hessian_blocks(function, error / unit),
        hessian_blocks(function, step * scale),
        function.evaluations,
    )


def scalar_function(f: Callable, x: Any, root: str = "x", run: Serial | None = None) -> Function:
    """``f`` at ``x``; NotScalarError unless its value is one real number."""
    function = Function(f, x, root, run)
    if function.shape != ():
        what = f"f(x) has shape {function.shape}, and only a scalar has a gradient."
        raise NotScalarError(what, "Use numeric.jacobian(f, x), or reduce the value with .sum().")
    if function.dtype.kind == "c":
        what = "f(x) is complex, and only a real scalar has a gradient."
        raise NotScalarError(what, "Return its real part, or use numeric.jacobian(f, x).")
    return function


def _real_error(error: Any) -> Any:
    """Of a complex value: the bounds of both parts together."""
    return np.abs(np.real(error)) + np.abs(np.imag(error))


def _pair(scale: np.ndarray, i: Any, j: Any) -> np.ndarray:
    v = np.zeros(len(scale))
    v[i], v[j] = scale[i], scale[j]
    return v


def _described(x: Any) -> str:
    return f"an array of shape {x.shape}" if isinstance(x, np.ndarray) else f"a {type(x).__name__}"
