"""The ufuncs of ``scipy.special`` over shapes, layouts, dtypes and ``out=``.

Around the points of ``tests/test_scipy_special_slots.py``, in any of the arguments that have a
slope there. Without ``where=``: SciPy 1.17's own loops leave numbers out under a mask, and
overwrite memory, chainrule or not.
"""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from chainrule.base.errors import NoRuleError
from tests.random_lines import agree
from tests.random_operands import LAYOUTS, Choices, broadcasting, points
from tests.test_random_lines import SETTINGS
from tests.test_scipy_special_slots import NOISY, TABLE
from tests.test_scipy_special_slots import _claimed as claimed_slope

INEXACT = NOISY | {"nctdtrinc": 1e-6}  # SciPy's iterations stop early
NAMES = [
    name
    for name in TABLE
    if isinstance(getattr(special, name, None), np.ufunc) and name not in INEXACT
]


@functools.cache
def with_rules(name):
    """The arguments that have a derivative rule."""
    return [
        int(i) for i in TABLE[name][1] if not isinstance(claimed_slope(name, int(i)), NoRuleError)
    ]


def around(c, value, shape, dtype):
    """Numbers within 3 percent of a value, in a shape that broadcasts, in any layout."""
    shape = broadcasting(c, shape)
    x = (value * (1 + 0.02 * points(c.generator(), shape))).astype(dtype)
    return LAYOUTS[c.of(*LAYOUTS)](x) if x.ndim else x


def run(name, data):
    c = Choices(data)
    point, smooth = TABLE[name][0], with_rules(name)
    if not smooth:
        return
    first = c.of(*smooth)  # there is at least this one
    traced = [i for i in smooth if i == first or c.below(2)]
    shape = c.shape(high=2)
    dtype = c.of(float, float, np.float32)
    xs = {f"x{i}": around(c, point[i], shape, dtype) for i in traced}
    texts = [f"x{i}" if i in traced else repr(value) for i, value in enumerate(point)]
    full = np.broadcast_shapes(*[x.shape for x in xs.values()])
    f = getattr(special, name)
    options = c.of("", "", ", out=np.zeros(s)") if f.nout == 1 else ""
    agree(f"special.{name}({', '.join(texts)}{options})", xs, special=special, s=full)


@pytest.mark.parametrize("name", NAMES)
@settings(SETTINGS, max_examples=6)
@given(st.data())
def test_ufunc(name, data):
    run(name, data)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@settings(SETTINGS, max_examples=80)
@given(st.data())
def test_ufunc_widely(name, data):
    run(name, data)
