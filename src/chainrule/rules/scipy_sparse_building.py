"""Functions of ``scipy.sparse`` that build matrices of others: stacking, diagonals, Kronecker."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

from chainrule.core.lift import REPLACEMENTS, replace
from chainrule.core.trace import plain
from chainrule.rules.scipy_sparse import (
    Sparse,
    assembled,
    bare,
    canonical,
    construct,
    entries,
    involves,
    refusal,
    replay,
    seen,
    stand_for,
)
from chainrule.rules.scipy_sparse_algebra import like


def _moving(name: str, **options: Any) -> Callable[..., Any]:
    """A function of SciPy's that moves the values of its first parameter about."""

    def rule(function):
        def run(*args, **kwargs):
            dtype = kwargs.pop("dtype", None)
            first = args[0] if args else kwargs.pop(name)
            rest, kwargs = bare(args[1:]), bare(kwargs)
            y = replay(lambda x: function(x, *rest, **kwargs, **options), first)
            return y if dtype is None else y.astype(dtype)

        return run

    return rule


def _kron(A, B, format=None):
    a, b = (x if isinstance(x, Sparse) else construct(sparse.coo_array, x) for x in (A, B))
    target = sparse.kron(bare(A), bare(B), format)
    (u, rows_u, columns_u), (v, rows_v, columns_v) = entries(a), entries(b)
    values = (u[:, None] * v).reshape(-1)
    rows = (rows_u[:, None].astype(np.int64) * b.shape[0] + rows_v).reshape(-1)
    columns = (columns_u[:, None].astype(np.int64) * b.shape[1] + columns_v).reshape(-1)
    return like(target, assembled(values, rows, columns, target, target.shape), a, b)


def _kronsum(A, B, format=None):
    a, b = (x if isinstance(x, Sparse) else construct(sparse.coo_array, x) for x in (A, B))
    target = sparse.kronsum(bare(A), bare(B), format)
    one_a, one_b = (stand_for(sparse.eye_array(x.shape[0])) for x in (a, b))
    total = (_kron(one_b, a) + _kron(b, one_a)).tocoo()
    return like(target, assembled(*entries(total), target, target.shape), a, b)


def _find(A):
    values, rows, columns = entries(canonical(A).tocoo())
    kept = plain(values) != 0
    return rows[kept], columns[kept], values[kept]


_BUILDING = {
    **dict.fromkeys(("diags", "diags_array"), _moving("diagonals", dtype=np.int64)),
    "spdiags": _moving("data"),
    **dict.fromkeys(("hstack", "vstack", "bmat", "block_array"), _moving("blocks")),
    "block_diag": _moving("mats"),
    **dict.fromkeys(("tril", "triu", "expand_dims", "swapaxes", "permute_dims"), _moving("A")),
}
_RULES: dict[Callable, Callable] = {
    **{
        getattr(sparse, name): rule(getattr(sparse, name))
        for name, rule in _BUILDING.items()
        if hasattr(sparse, name)
    },
    sparse.kron: _kron,
    sparse.kronsum: _kronsum,
    sparse.find: _find,
}


def _seen_function(function: Callable, rule: Callable | None) -> Callable[..., Any]:
    """SciPy's own where nothing is traced; a rule, or a refusal by name, where something is."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        if not (involves(args) or involves(kwargs)):
            y = function(*map(bare, args), **bare(kwargs))
            return tuple(map(seen, y)) if type(y) is tuple else seen(y)
        if rule is None:
            raise refusal(f"{function.__module__.partition('._')[0]}.{function.__name__}")
        return rule(*args, **kwargs)

    return call


def _of_structure(function: Callable[..., Any]) -> Callable[..., Any]:
    """A question that SciPy's own object answers."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        return function(*map(bare, args), **bare(kwargs))

    return call


def replace_all(library: Any, rules: dict[Callable, Callable], besides: Any = ()) -> None:
    """Let lifted code see the functions of a module with their rules."""
    for name in dir(library):
        f = getattr(library, name)
        if not callable(f) or isinstance(f, type) or f in besides or f in REPLACEMENTS:
            continue
        asks = name.startswith(("is", "get_")) or name == "spbandwidth"
        replace(f, _of_structure(f) if asks else _seen_function(f, rules.get(f)))


replace_all(sparse.csgraph, {})
replace_all(sparse, _RULES)
