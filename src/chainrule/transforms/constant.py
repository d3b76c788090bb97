"""``constant``: a value whose derivative is not wanted."""

from typing import Any

import numpy as np

from chainrule.base import tree
from chainrule.core.trace import Tracer, current, plain


def constant(x: Any) -> Any:
    """``x`` with derivative zero: what is computed from it does not depend on the arguments.

    Trees are accepted. Outside a derivative x comes back as it is.

    >>> from chainrule import grad
    >>> grad(lambda x: x * constant(x))(3.0)
    np.float64(3.0)
    """
    if isinstance(x, Tracer):
        value = plain(x)
        trace = current()
        if type(value) is np.ndarray:
            value = value.copy()
        return value if trace is None or type(value) is not np.ndarray else trace.constant(value)
    if isinstance(x, (list, tuple, dict)):
        return tree.map(lambda leaf: constant(leaf) if isinstance(leaf, Tracer) else leaf, x)
    return x
