"""A function of any tree of arrays, as the functions of one vector that SciPy's minimisers call.

SciPy is not imported here, and nothing here minimises: a `Problem` computes values, gradients and
Hessian-vector products, and whoever receives it decides what to do with them::

    import scipy.optimize
    from chainrule.interop.scipy_optimize import problem

    p = problem(loss, params, images, labels)
    res = p.result(scipy.optimize.minimize(**p, method="L-BFGS-B"))
    res.x["W1"]  # the tree again

    scipy.optimize.minimize(**p, hessp=p.hessp, method="Newton-CG")

``check`` takes what the minimisers and ``least_squares`` take, and judges the derivatives in it.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from chainrule.base import tree
from chainrule.base.errors import ArgumentError
from chainrule.checker import Report
from chainrule.checker import check as check_any
from chainrule.transforms.forward import jvp
from chainrule.transforms.reverse import grad, value_and_grad


def problem(f: Callable, x0: Any, *args: Any) -> "Problem":
    """The problem of minimising ``f(x, *args)`` over ``x``, starting at ``x0``, for scipy.optimize.

    x0 : an array, a number, or a tree of them (dict, list, tuple, dataclass); integers count as
    floats, a complex number as two unknowns.   args : passed on, constant.

    >>> def loss(params, t, y):
    ...     return np.sum((params["slope"] * t + params["offset"] - y) ** 2)
    >>> t = np.linspace(0, 1, 5)
    >>> p = problem(loss, {"slope": 0.0, "offset": 0.0}, t, 3 * t + 1)
    >>> from scipy.optimize import minimize
    >>> res = p.result(minimize(**p, method="BFGS"))
    >>> round(res.x["slope"], 6), round(res.x["offset"], 6)
    (3.0, 1.0)
    """
    return Problem(f, x0, args)


def check(
    fun: Callable,
    x0: Any,
    args: Any = (),
    jac: Any = None,
    hess: Callable | None = None,
    hessp: Callable | None = None,
    **options: Any,
) -> Report:
    """Compare the derivatives you hand to SciPy with numbers: as ``chainrule.check``.

    The arguments are those of ``scipy.optimize.minimize`` and ``least_squares``: ``jac`` gives a
    gradient, or where ``fun`` has many values their Jacobian; True says that ``fun`` gives (value,
    gradient). Without a function in ``jac``, chainrule's own derivative of ``fun`` is checked.
    options : seed, tol, mode, seconds, evaluations.

    >>> from scipy.optimize import rosen, rosen_der, rosen_hess_prod
    >>> check(rosen, np.array([1.3, 0.7, 0.8]), jac=rosen_der, hessp=rosen_hess_prod).verdict
    'pass'
    """
    args = args if isinstance(args, tuple) else (args,)
    x0 = np.array(x0) if isinstance(x0, list) else x0
    claims: dict[str, Any] = {}
    if jac is True:
        claims["grad"] = True
    elif callable(jac):
        many = np.ndim(fun(tree.map(np.copy, x0), *args)) > 0
        claims["jac" if many else "grad"] = jac
    if hess is not None:
        claims["hess"] = lambda x, *args: _as_matrix(hess(x, *args), np.size(x0))
    if hessp is not None:
        claims["hvp"] = lambda x, *rest: hessp(x, rest[-1], *rest[:-1])
    return check_any(fun, x0, *args, **claims, **options)


def _as_matrix(H: Any, n: int) -> Any:
    """A LinearOperator as a matrix."""
    return H @ np.eye(n) if hasattr(H, "matmat") else H


class Problem(Mapping):
    """``fun``, ``jac``, ``fun_and_jac`` and ``hessp`` of a flat float64 vector, and ways back.

    As a mapping it holds the keywords ``fun``, ``x0`` and ``jac``, for ``minimize(**problem)``.
    ``hessp`` is left out because SciPy warns when a method has no use for it.

    ``fun(x)`` and ``jac(x)`` at the same x cost one forward and one backward sweep together,
    whichever is asked for first. ``sweeps`` counts those, ``products`` counts ``hessp``.
    """

    def __init__(self, f: Callable, x0: Any, args: tuple = ()):
        vector, self._unravel = tree.ravel(x0, "x0")
        self.f = f
        self.args = args
        self.x0 = vector.astype(float)
        if self.x0.size == 0:
            raise ArgumentError("x0 holds no numbers, so there is nothing to minimise over.")
        self.sweeps = 0
        self.products = 0
        self._value_and_grad = value_and_grad(f)
        self._grad = grad(f)
        self._last: tuple[np.ndarray, float, np.ndarray] | None = None  # replaced as a whole

    # --- what SciPy calls

    def fun(self, x: np.ndarray) -> float:
        """The value of f."""
        return self._at(x)[1]

    def jac(self, x: np.ndarray) -> np.ndarray:
        """The gradient of f, (n,)."""
        return self._at(x)[2].copy()

    def fun_and_jac(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Both at once, as ``minimize(problem.fun_and_jac, problem.x0, jac=True)`` takes them."""
        _, value, gradient = self._at(x)
        return value, gradient.copy()

    def hessp(self, x: np.ndarray, v: np.ndarray) -> np.ndarray:
        """The Hessian at x times v, (n,), forward over reverse: the matrix is never formed."""
        x, v = np.asarray(x, float), np.asarray(v, float)
        gradient = lambda x: self._grad(x, *self.args)
        _, product = jvp(gradient, (self.unravel(x),), (self.unravel(v),), lift=False)
        self.products += 1
        return self.ravel(product)

    def _at(self, x: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
        """(x, value, gradient), from the last call where that was at the same numbers.

        x is compared by content and kept as a copy: SciPy's minimisers write into their x.
        """
        x = np.asarray(x, float)
        last = self._last
        if last is None or not np.array_equal(last[0], x):
            value, gradient = self._value_and_grad(self.unravel(x), *self.args)
            last = (x.copy(), float(value), self.ravel(gradient))
            self._last = last
            self.sweeps += 1
        return last

    # --- between the vector and the tree

    def unravel(self, x: np.ndarray) -> Any:
        """The tree with the numbers of the flat vector ``x``; new arrays, dtypes as in x0."""
        return self._unravel(x)

    def ravel(self, x: Any) -> np.ndarray:
        """The flat float64 vector of a tree like x0."""
        return tree.ravel(x)[0].astype(float, copy=False)

    def callback(self, user: Callable) -> Callable:
        """``user`` as a callback for minimize, called with trees where SciPy has flat vectors.

        Both of SciPy's conventions: ``user(intermediate_result)``, or ``user(x)`` (with the state
        as a second argument for trust-constr). What it returns or raises goes back to SciPy.
        """
        if set(inspect.signature(user).parameters) == {"intermediate_result"}:

            def with_result(intermediate_result):
                return user(intermediate_result=self.result(intermediate_result))

            return with_result

        def with_x(x, *state):
            return user(self.unravel(x), *map(self.result, state))

        return with_x

    def result(self, res: Any) -> Any:
        """A copy of SciPy's OptimizeResult in which ``x`` and the gradient are trees like x0."""
        res = type(res)(res)
        for name in ("x", "jac", "grad"):
            flat = res.get(name)
            if isinstance(flat, np.ndarray) and flat.shape == self.x0.shape:
                res[name] = self.unravel(flat)
        return res

    # --- keywords of minimize

    _KEYWORDS = ("fun", "x0", "jac")

    def __getitem__(self, keyword: str) -> Any:
        if keyword not in self._KEYWORDS:
            raise KeyError(keyword)
        return getattr(self, keyword)

    def __iter__(self) -> Iterator[str]:
        return iter(self._KEYWORDS)

    def __len__(self) -> int:
        return len(self._KEYWORDS)

    __eq__ = object.__eq__  # two mappings of arrays have no truth value
    __hash__ = object.__hash__

    def __repr__(self) -> str:
        name = getattr(self.f, "__name__", type(self.f).__name__)
        return f"<Problem: {name} over {self.x0.size} numbers, sweeps: {self.sweeps}>"
