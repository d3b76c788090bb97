"""Functions without a derivative to lose: shapes, dtypes, truth, order, counts and printing.

What they return steers the program (it chooses, counts or prints) and is locally constant, so plain
values come back and nothing is recorded.
"""

import numpy as np

from chainrule.core.primitive import piecewise_constant

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
    np.may_share_memory,
    np.shares_memory,
    np.einsum_path,
    np.diag_indices_from,
    np.tril_indices_from,
    np.triu_indices_from,
)

# ---------------------------------------------------------------- truth

piecewise_constant(
    np.all,
    np.any,
    np.isclose,
    np.allclose,
    np.array_equal,
    np.array_equiv,
    np.isin,
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
piecewise_constant(np.save, np.savez, np.savez_compressed, np.savetxt)

# ---------------------------------------------------------------- rounding: steps, slope 0 between

piecewise_constant(np.round, np.around, np.fix)
