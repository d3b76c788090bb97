"""``scipy.sparse.linalg``: solving and norms.

A linear system is one primitive in the values of the matrix and the right-hand side, whatever
solves it (a factorisation, a triangle, an iteration); the solver is also what the backward sweep
uses, so a factorisation is made once.
"""

import functools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse import linalg

from chainrule.core.array import as_constant
from chainrule.core.lift import MAKERS, replace
from chainrule.core.primitive import apply, existing, general, linear
from chainrule.core.trace import plain
from chainrule.rules.joins import operand
from chainrule.rules.scipy_sparse import (
    Sparse,
    bare,
    canonical,
    construct,
    entries,
    involves,
    refusal,
    seen,
)
from chainrule.rules.scipy_sparse_algebra import constant, factor
from chainrule.rules.scipy_sparse_building import replace_all
from chainrule.rules.scipy_sparse_dense import Matrix
from chainrule.rules.scipy_sparse_products import (
    SAMPLED,
    Pattern,
    conj,
    same_bits,
)

# ---------------------------------------------------------------- one linear system


class Solver:
    """How A x = b and A^H x = b are solved for the values of A: ``solve(A, b, adjoint)``."""

    read: Any = None  # which values are read, or None: all

    def __init__(self, pattern: Pattern):
        self.pattern = pattern

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.pattern}>"

    def solve(self, data: np.ndarray, b: np.ndarray, adjoint: bool) -> Any:
        raise NotImplementedError


class Factors(Solver):
    """SuperLU's factors of the values seen last, for both sweeps; of A^T if A is stored by rows."""

    def __init__(self, pattern: Pattern, factorise: Callable[[Any], Any]):
        super().__init__(pattern)
        self.factorise = factorise
        self.data: Any = None
        self.lu: Any = None
        self.by_rows = False

    def of(self, data: np.ndarray) -> Any:
        if self.lu is None or not same_bits(self.data, data):
            matrix = self.pattern.matrix(data).copy()  # SuperLU sorts it
            self.by_rows = matrix.format == "csr"
            self.lu, self.data = self.factorise(matrix.T if self.by_rows else matrix), data
        return self.lu

    def solve(self, data, b, adjoint):
        dtype = np.promote_types(data.dtype, b.dtype)
        try:
            lu = self.of(data.astype(dtype, copy=False))
        except RuntimeError:  # singular; spsolve warns and has no answer
            warnings.warn("Matrix is exactly singular", linalg.MatrixRankWarning, stacklevel=2)
            return np.full_like(b, np.nan, dtype=dtype)
        b = np.asarray(b, dtype)
        if not self.by_rows:
            return lu.solve(b, "H" if adjoint else "N")
        return conj(lu.solve(conj(b))) if adjoint else lu.solve(b, "T")


def sparse_solve(data, b, *, solver, adjoint):
    return solver.solve(data, b, adjoint)


@general(sparse_solve)
def SOLVE(g, x, data, _b, *, solver, adjoint):
    """A x = b.   dx = A^-1 (db - dA x)   =>   b_bar = A^-H g,   A_bar = -b_bar x^H where A has
    values.   [Giles 2008, sec. 2.3]      With A^H in place of A:   A_bar = -x b_bar^H."""
    b_bar = apply(SOLVE, data, g, solver=solver, adjoint=not adjoint)

    def data_bar():
        left, right = (x, b_bar) if adjoint else (b_bar, x)
        bar = -apply(SAMPLED, left, conj(right), pattern=solver.pattern)
        return bar if solver.read is None else np.where(solver.read, bar, 0.0)

    return data_bar, b_bar


def solved(solver: Solver, values: Any, b: Any) -> Any:
    return apply(SOLVE, values, b, solver=solver, adjoint=False)


# ---------------------------------------------------------------- factorisations


class Inverse:
    """A^-1 of factors that were made of constants."""

    def __init__(self, lu: Any):
        self.lu = lu

    def run(self, b, adjoint):
        return self.lu.solve(b, "H" if adjoint else "N")


def sparse_operator(b, *, operator, adjoint):
    return operator.run(b, adjoint)


@linear(sparse_operator)
def OPERATOR(g, shapes, slots, *, operator, adjoint):
    """What is known by its products only: y = L b  =>  b_bar = L^H g."""
    return [apply(OPERATOR, g, operator=operator, adjoint=not adjoint)]


class Factorised:
    """A SuperLU object as lifted code sees it; of a matrix with traced values, ours."""

    def __init__(self, lu: Any, solver: Factors | None = None, values: Any = None):
        self._lu, self._solver, self._values = lu, solver, values

    @property
    def __class__(self):
        return linalg.SuperLU

    def solve(self, rhs, trans="N"):
        if not involves(self._values) and not involves(rhs):
            return as_constant(self._lu.solve(bare(rhs), trans))
        self._lu.solve(bare(rhs), trans)  # SuperLU's errors
        b = operand(rhs)
        if trans == "T":
            return conj(self._solve(conj(b), True))
        return self._solve(b, trans == "H")

    def _solve(self, b, adjoint):
        if self._solver is None:
            return apply(OPERATOR, b, operator=Inverse(self._lu), adjoint=adjoint)
        return apply(SOLVE, self._values, b, solver=self._solver, adjoint=adjoint)

    __call__ = solve

    def __getattr__(self, name):
        if self._values is not None and name not in ("shape", "nnz", "perm_r", "perm_c"):
            raise refusal(f"splu(A).{name} of a matrix A with traced values")
        return seen(getattr(self._lu, name))


def _factorised(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(A, *args, **kwargs):
        if not involves(A):
            return _seen_factor(function(bare(A), *bare(args), **bare(kwargs)))
        if function is linalg.spilu:
            raise refusal("spilu(A)", "Use splu, or treat the values as constant.")
        A = _columns(A)

        def factorise(matrix):
            return linalg.splu(matrix, *bare(args), **bare(kwargs))

        values, pattern = factor(A)
        values = values if values.dtype.kind in "fc" else values.astype(float)
        solver = Factors(pattern, factorise)
        return Factorised(solver.of(np.array(plain(values))), solver, values)

    return call


def _seen_factor(y: Any) -> Any:
    return Factorised(y) if isinstance(y, linalg.SuperLU) else _seen_solve(y)


def _seen_solve(f: Callable[..., Any]) -> Any:
    """The function that ``factorized`` returns: SuperLU's bound method."""
    owner = getattr(f, "__self__", None)
    return Factorised(owner) if isinstance(owner, linalg.SuperLU) else f


def _columns(A: Any) -> Sparse:
    """A square matrix in csc format, as SuperLU wants it."""
    s = A if isinstance(A, Sparse) else construct(sparse.csc_array, A)
    return _tidied(s if s.format == "csc" else canonical(s).tocsc())


def _tidied(s: Sparse) -> Sparse:
    """The matrix, with duplicates added up and indices sorted in place, as SciPy does it."""
    s.sum_duplicates()
    return s


# ---------------------------------------------------------------- spsolve and its kin


def _spsolve(A, b, permc_spec=None, use_umfpack=True):
    if isinstance(b, Sparse):
        raise refusal("spsolve with a sparse right-hand side", "Pass b.toarray().")
    s = A if isinstance(A, Sparse) else construct(sparse.csc_array, A)
    s = _tidied(s if s.format in ("csr", "csc") else canonical(s).tocsc())
    b = operand(b)
    _check_system(s.shape, b.shape)
    if b.dtype.kind not in "fc":
        b = as_constant(np.asarray(b, float))
    values, pattern = factor(s)
    options = {} if permc_spec is None else {"permc_spec": permc_spec}
    solver = Factors(pattern, lambda matrix: linalg.splu(matrix, **options))
    if values.dtype.kind not in "fc":
        values = constant(np.asarray(plain(values), float))
    return solved(solver, values, b.reshape(-1) if b.ndim == 2 and b.shape[1] == 1 else b)


def _check_system(shape: tuple[int, ...], b: tuple[int, ...]) -> None:
    """SciPy's errors."""
    if shape[0] != shape[1]:
        raise ValueError(f"matrix must be square (has shape {shape})")
    if shape[0] != b[0]:
        raise ValueError(f"matrix - rhs dimension mismatch ({shape} - {b[0]})")


class Triangle(Solver):
    """``spsolve_triangular``."""

    def __init__(self, pattern: Pattern, lower: bool, unit_diagonal: bool):
        super().__init__(pattern)
        self.lower, self.unit_diagonal = lower, unit_diagonal
        rows, columns, _ = pattern.places
        self.read = (rows != columns).reshape(pattern.data_shape) if unit_diagonal else None

    def solve(self, data, b, adjoint):
        matrix = self.pattern.matrix(data)
        matrix = matrix.conj().T if adjoint else matrix
        lower = self.lower != adjoint
        return linalg.spsolve_triangular(
            matrix.tocsr(), b, lower=lower, unit_diagonal=self.unit_diagonal
        )


def _spsolve_triangular(
    A, b, lower=True, overwrite_A=False, overwrite_b=False, unit_diagonal=False
):
    s = canonical(A if isinstance(A, Sparse) else construct(sparse.csr_array, A)).tocsr()
    values, pattern = factor(s)
    return solved(Triangle(pattern, lower, unit_diagonal), values, operand(b))


class Iteration(Solver):
    """A Krylov method: to its tolerance, both ways."""

    def __init__(self, pattern: Pattern, method: Callable[..., Any], options: dict[str, Any]):
        super().__init__(pattern)
        self.method, self.options = method, options
        self.info: Any = None

    def solve(self, data, b, adjoint):
        x, info = iterate(self.method, self.pattern.matrix(data), b, self.options, adjoint)
        self.info = self.info if adjoint else info
        return x


class Iterated:
    """The same of a constant matrix or operator."""

    def __init__(self, matrix: Any, method: Callable[..., Any], options: dict[str, Any]):
        self.matrix, self.method, self.options = matrix, method, options
        self.info: Any = None

    def run(self, b, adjoint):
        x, info = iterate(self.method, self.matrix, b, self.options, adjoint)
        self.info = self.info if adjoint else info
        return x


_HERMITIAN = (linalg.cg, linalg.minres)  # for matrices whose adjoint they are


def iterate(method, matrix, b, options, adjoint):
    if not adjoint:
        return method(matrix, b, **options)
    options = {k: v for k, v in options.items() if k not in ("x0", "callback")}
    if method not in _HERMITIAN:
        matrix = matrix.H if isinstance(matrix, linalg.LinearOperator) else matrix.conj().T
        for name in ("M", "M1", "M2"):
            if options.get(name) is not None:
                options[name] = linalg.aslinearoperator(options[name]).H
    x, info = method(matrix, b, **options)
    if info:
        warnings.warn(f"{method.__name__} did not converge in the backward sweep", stacklevel=2)
    return x, info


_METHODS = "cg cgs bicg bicgstab gmres lgmres minres qmr gcrotmk tfqmr"


def _iterative(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(A, b, x0=None, **options):
        options = {"x0": None if x0 is None else bare(x0), **bare(options)}
        b = operand(b).reshape(-1)
        if involves(A):
            s = A if isinstance(A, Sparse) else construct(sparse.csr_array, A)
            values, pattern = factor(canonical(s))
            solver = Iteration(pattern, method, options)
            return solved(solver, values, b), solver.info
        operator = Iterated(_unchanging(bare(A)), method, options)
        return apply(OPERATOR, b, operator=operator, adjoint=False), operator.info

    return call


def _unchanging(A: Any) -> Any:
    """The caller may change the matrix before the backward sweep."""
    return A if isinstance(A, linalg.LinearOperator) else A.copy()


# ---------------------------------------------------------------- the exponential


class Exponential:
    """exp(A) of a constant matrix, by its products."""

    def __init__(self, matrix: Any, trace_of: Any):
        self.matrix, self.trace = matrix, trace_of

    def run(self, b, adjoint):
        if not adjoint:
            return linalg.expm_multiply(self.matrix, b, traceA=self.trace)
        matrix = self.matrix
        matrix = matrix.H if isinstance(matrix, linalg.LinearOperator) else matrix.conj().T
        trace = None if self.trace is None else np.conj(self.trace)
        return linalg.expm_multiply(matrix, b, traceA=trace)


def _expm_multiply(A, B, start=None, stop=None, num=None, endpoint=None, traceA=None):
    if involves(A) or (start, stop, num, endpoint) != (None,) * 4 or involves(traceA):
        raise refusal(
            "scipy.sparse.linalg.expm_multiply of a traced matrix or with a grid of times",
            "Use scipy.linalg.expm(A.toarray()) @ B.",
        )
    operator = Exponential(_unchanging(bare(A)), traceA)
    return apply(OPERATOR, operand(B), operator=operator, adjoint=False)


# ---------------------------------------------------------------- norms, and what is replaced


def _norm(x, ord=None, axis=None):
    if axis is None and ord in (None, "fro"):
        values, _, _ = entries(canonical(x))
        return np.linalg.norm(values)
    if axis is None and ord in (1, np.inf):
        total = abs(x).sum(axis=0 if ord == 1 else 1)
        return np.max(total.A if type(total) is Matrix else total)
    raise refusal(f"scipy.sparse.linalg.norm with ord={ord}, axis={axis}", "Use S.toarray().")


_RULES: dict[Callable, Callable] = {
    linalg.norm: _norm,
    linalg.spsolve: _spsolve,
    linalg.spsolve_triangular: _spsolve_triangular,
    linalg.expm_multiply: _expm_multiply,
    **{f: _iterative(f) for f in existing(_METHODS, linalg)},
}
for _f in (linalg.splu, linalg.spilu, linalg.factorized):
    replace(_f, _factorised(_f))
replace_all(linalg, _RULES, besides={linalg.aslinearoperator})
MAKERS[linalg.SuperLU] = lambda lu, map: Factorised(lu)
