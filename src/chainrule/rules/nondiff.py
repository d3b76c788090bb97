"""Functions without a derivative to lose: shapes, dtypes, truth, order, counts and printing.

What they return steers the program (it chooses, counts or prints) and is locally constant, so plain
values come back and nothing is recorded.
"""

import numpy as np

from chainrule.core.lift_text import leaves_in_file
from chainrule.core.primitive import composite, existing, piecewise_constant
from chainrule.core.trace import Tracer, plain

# ---------------------------------------------------------------- shape, dtype, kind

piecewise_constant(
    np.shape,
    np.ndim,
    np.size,
    np.result_type,
    np.can_cast,
    np.min_scalar_type,
    np.common_type,
    np.iscomplexobj,
    np.isrealobj,
    np.einsum_path,
    np.diag_indices_from,
    np.tril_indices_from,
    np.triu_indices_from,
)


def _of_memory(function):
    """Of the arrays that the handles stand for: a small read is a copy here, a view for NumPy."""

    def run(a, b, /, max_work=None):
        return function(*[x._peek() if isinstance(x, Tracer) else x for x in (a, b)], max_work)

    return run


for _function in (np.may_share_memory, np.shares_memory):
    composite(_function)(_of_memory(_function))

# ---------------------------------------------------------------- truth

piecewise_constant(
    np.all,
    np.any,
    np.isclose,
    np.allclose,
    np.array_equal,
    np.array_equiv,
    np.isin,
    *existing("in1d"),
    np.iscomplex,
    np.isreal,
    np.isneginf,
    np.isposinf,
)

# ---------------------------------------------------------------- order, places and counts

piecewise_constant(
    np.argmax,
    np.argmin,
    np.nanargmax,
    np.nanargmin,
    np.argsort,
    np.argpartition,
    np.lexsort,
    np.searchsorted,
    np.nonzero,
    np.flatnonzero,
    np.argwhere,
    np.count_nonzero,
    np.digitize,
    np.packbits,
    np.unpackbits,
    np.ravel_multi_index,
    np.unravel_index,
    np.busday_count,
    np.busday_offset,
    np.is_busday,
    np.datetime_as_string,
)

# ---------------------------------------------------------------- printing and saving

piecewise_constant(np.array_repr, np.array_str, np.array2string)


def _saving(function):
    def save(*args, **kwargs):
        for x in (*args, *kwargs.values()):
            leaves_in_file(x, f"np.{function.__name__}")
        return function(*plain(args), **plain(kwargs))

    save.__name__ = save.__qualname__ = function.__name__
    return save


for _function in (np.save, np.savez, np.savez_compressed, np.savetxt):
    composite(_function)(_saving(_function))

# ---------------------------------------------------------------- rounding: steps, slope 0 between

piecewise_constant(np.round, np.around, np.fix)
