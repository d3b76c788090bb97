"""Numba's compiled functions: with a traced value the Python function they were made from runs."""

from chainrule.core.lift import LATE_MAKERS, MAKERS
from chainrule.core.lift_compiled import Compiled


def _load() -> None:
    from numba.core.registry import CPUDispatcher

    MAKERS[CPUDispatcher] = lambda f, map: Compiled(f, map(f.py_func))


def _load_ufuncs() -> None:
    import numpy as np
    from numba.np.ufunc.dufunc import DUFunc

    def make(f, map):
        function = map(f._dispatcher.py_func)
        return Compiled(f, lambda *args: map(np.vectorize)(function)(*args))

    MAKERS[DUFunc] = make


LATE_MAKERS["numba.core.registry"] = _load
LATE_MAKERS["numba.np.ufunc.dufunc"] = _load_ufuncs
