"""``scipy.linalg.solve_triangular``, which the rules of factors use too."""

import numpy as np
import scipy.linalg

from chainrule.core.primitive import apply, composite, general
from chainrule.rules.matrices import H, as_columns, as_given, checked, mT, tri


def solve_triangles(a, b, *, trans=0, lower=False, unit_diagonal=False):
    return scipy.linalg.solve_triangular(a, b, trans, lower, unit_diagonal, check_finite=False)


_TRANS = {"N": 0, "T": 1, "C": 2}


def _triangular_jvp(tangents, y, a, _b, *, trans=0, lower=False, unit_diagonal=False):
    da, right = tangents
    vector = y.ndim < a.ndim
    right = None if right is None else as_columns(right, vector)
    if da is not None:
        read = da * (tri(da, -unit_diagonal) if lower else tri(da, -unit_diagonal).T)
        read = (read, mT(read), H(read))[trans] if trans else read
        moved = read @ as_columns(y, vector)
        right = -moved if right is None else right - moved
    options = {"trans": trans, "lower": lower, "unit_diagonal": unit_diagonal}
    return as_given(apply(triangular_rule, a, right, **options), vector)


@general(solve_triangles, name="solve_triangular", jvp=_triangular_jvp)
def triangular_rule(g, y, a, _b, *, trans=0, lower=False, unit_diagonal=False):
    """As for ``solve``, by the same triangle; a unit diagonal is not read."""
    vector = y.ndim < a.ndim
    options = {"lower": lower, "unit_diagonal": unit_diagonal}
    held = np.conj(a) if trans == 1 else a
    b_bar = apply(triangular_rule, held, as_columns(g, vector), trans=0 if trans else 2, **options)

    def a_bar():
        full = -(b_bar @ H(as_columns(y, vector)))
        full = (full, mT(full), H(full))[trans] if trans else full
        return full * (tri(full, -unit_diagonal) if lower else tri(full, -unit_diagonal).T)

    return a_bar, as_given(b_bar, vector)


@composite(scipy.linalg.solve_triangular)
def solve_triangular(
    a, b, trans=0, lower=False, unit_diagonal=False, overwrite_b=False, check_finite=True
):
    options = {"lower": bool(lower), "unit_diagonal": bool(unit_diagonal)}
    trans = _TRANS.get(trans, trans)
    a, b = checked(a, check_finite), checked(b, check_finite)
    return apply(triangular_rule, a, b, trans=trans, **options)
