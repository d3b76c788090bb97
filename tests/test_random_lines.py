"""Every function that has a derivative, over random shapes, axes, dtypes and keyword arguments."""

import pytest
import scipy
import scipy.fft
import scipy.integrate
import scipy.linalg
import scipy.signal
import scipy.spatial.distance
import scipy.special
import scipy.stats
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.lines import collect
from tests.random_lines import agree, recent_only
from tests.random_operands import Choices, operands

MODULES = {
    "scipy": scipy,
    "linalg": scipy.linalg,
    "special": scipy.special,
    "signal": scipy.signal,
    "distance": scipy.spatial.distance,
    "stats": scipy.stats,
    "integrate": scipy.integrate,
}
pytestmark = recent_only
TABLE = [pytest.param(*rest, id=f"{family}: {rest[0]}") for family, *rest in collect()]
SETTINGS = settings(
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow],
)


def run(data, line, description, exact):
    c = Choices(data)
    given = operands(c, description)
    x = given["x"]
    names = {"m": c.mask(x.shape), "i": c.generator().integers(1, 4, x.shape), "s": x.shape}
    agree(c.text(line, x.ndim), given, exact, **names, **MODULES)


@pytest.mark.parametrize(("line", "description", "exact"), TABLE)
@settings(SETTINGS, max_examples=12)
@given(st.data())
def test_line(line, description, exact, data):
    run(data, line, description, exact)


@pytest.mark.slow
@pytest.mark.parametrize(("line", "description", "exact"), TABLE)
@settings(SETTINGS, max_examples=150)
@given(st.data())
def test_line_widely(line, description, exact, data):
    run(data, line, description, exact)
