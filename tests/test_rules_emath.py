"""``np.emath`` at the edge of the domain, and complex functions on both sides of their cuts."""

import numpy as np
import pytest

import chainrule as cr
from tests.helpers import slope

ON_CUTS = [
    *((np.arcsin, complex(x, s)) for x in (1.8, -1.8) for s in (0.0, -0.0)),
    *((np.arccos, complex(x, s)) for x in (1.8, -1.8) for s in (0.0, -0.0)),
    *((np.arccosh, complex(x, s)) for x in (-1.8, 0.5) for s in (0.0, -0.0)),
    *((np.arctanh, complex(x, s)) for x in (1.8, -1.8) for s in (0.0, -0.0)),
    *((np.arcsinh, complex(s, y)) for y in (1.8, -1.8) for s in (0.0, -0.0)),
    *((np.arctan, complex(s, y)) for y in (1.8, -1.8) for s in (0.0, -0.0)),
    *((f, complex(-1.8, s)) for f in (np.sqrt, np.log, np.log1p) for s in (0.0, -0.0)),
]


@pytest.mark.parametrize(("function", "z"), ON_CUTS)
def test_on_a_cut_the_derivative_is_that_of_its_side(function, z):
    """Along the cut the function is smooth: numbers, taken at the same sign of zero, say how."""
    along_imaginary = function in (np.arcsinh, np.arctan)

    def line(s):
        y = function(
            np.complex128(
                complex(z.real, z.imag + s) if along_imaginary else complex(z.real + s, z.imag)
            )
        )
        return np.array([y.real, y.imag])

    t = 1j if along_imaginary else 1.0
    _, dy = cr.jvp(function, (np.complex128(z),), (np.complex128(t),))
    estimate = slope(line)
    assert not estimate.refutes([dy.real, dy.imag]).any(), (dy, estimate)


def test_dtypes_and_what_stays_real():
    x = np.array([0.5, 1.0], "f4")
    for f in (np.emath.sqrt, np.emath.log, np.emath.arcsin):
        for z in (x, -3 * x):
            y = cr.vjp(f, z)[0]
            assert y.dtype == f(z).dtype and np.array_equal(y, f(z))
    assert cr.jvp(np.emath.sqrt, (0.0,), (1.0,))[1] == np.inf
