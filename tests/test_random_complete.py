"""Every function that has a derivative stands in a line of the random tests, or in a table here.

A function is a rule or a composition of the registry, or NumPy's own code run lifted, under its
public name. What the lines call is read from their text, with each alternative once.
"""

import re

import numpy as np
import pytest
import scipy.fft
import scipy.linalg
import scipy.signal
import scipy.spatial.distance
import scipy.special

from chainrule.core.primitive import FUNCTIONS
from tests import test_surface
from tests.lines import collect
from tests.random_lines import recent_only
from tests.random_operands import INNERMOST
from tests.test_random_lines import MODULES
from tests.test_random_special import NAMES as SPECIAL_UFUNCS

pytestmark = recent_only

SCIPY = (scipy.linalg, scipy.signal, scipy.spatial, scipy.spatial.distance, scipy.fft)

# reason -> module -> names that are in no line
EXCEPTIONS = {
    "of counts, shapes and memory: no floats come in": {
        "numpy": "empty may_share_memory shares_memory",
        "numpy.polynomial.chebyshev": "chebgauss chebpts1 chebpts2",
        "numpy.polynomial.legendre": "leggauss",
        "numpy.polynomial.hermite": "hermgauss",
        "numpy.polynomial.hermite_e": "hermegauss",
        "numpy.polynomial.laguerre": "laggauss",
    },
    "text and files": {
        "numpy": "save savetxt savez savez_compressed",
        "numpy.polynomial": "set_default_printstyle",
        "numpy.polynomial.polyutils": "format_float",
    },
    "classes and loops: tests/test_lift_containers.py, tests/test_lift_objects.py": {
        "numpy": "flatiter nested_iters",
    },
    "np.matrix, which is refused where it counts: tests/test_surface.py": {
        "numpy": "asmatrix bmat",
    },
    "deprecated": {"numpy": "row_stack"},
    "refused: the slopes in a parameter have no closed form": {
        "scipy.special": "jacobi sh_jacobi lmbda roots_jacobi j_roots roots_sh_jacobi js_roots",
    },
    "SciPy's own noise is larger than what a judge may overlook": {
        "scipy.special": "ncfdtrinc nctdtrinc",
    },
}


def excused(library):
    """The names of a library in the table of exceptions."""
    return {
        name for lists in EXCEPTIONS.values() for name in lists.get(library.__name__, "").split()
    }


def first_of_each(line):
    """The line with the first alternative everywhere."""
    while found := INNERMOST.search(line):
        line = line[: found.start()] + found[1].split("|")[0] + line[found.end() :]
    return line


def alternatives(line):
    """The line with each alternative once; beside it, the first of the others."""
    found = INNERMOST.search(line)
    if not found:
        return [line]
    first, *others = (line[: found.start()] + a + line[found.end() :] for a in found[1].split("|"))
    return [*alternatives(first), *map(first_of_each, others)]


def named(text):
    """The objects whose dotted names stand in a text."""
    for dotted in re.findall(r"\b\w+(?:\.\w+)+", text):
        root, *rest = dotted.split(".")
        found = {"np": np, **MODULES}.get(root)
        for name in rest:
            found = getattr(found, name, None)
            if found is not None:
                yield found


CALLED = {
    id(f): f for _, line, _, _ in collect() for text in alternatives(line) for f in named(text)
}


def claimed(library):
    """The public functions of a library that have a derivative."""
    if library in SCIPY:
        for name in library.__all__:
            f = getattr(library, name)
            run = FUNCTIONS.get(f) if callable(f) else None
            is_refusal = "refus" in getattr(run, "__qualname__", "")
            if run and not is_refusal and test_surface.registered(f) != "constant":
                yield name, f
    else:
        for name, f in test_surface.public(library):
            if test_surface.classified(library, name, f) in ("rule", "composite"):
                yield name, f


@pytest.mark.parametrize(
    "library", [*test_surface.LIBRARIES, *SCIPY], ids=lambda library: library.__name__
)
def test_every_function_is_in_a_line(library):
    without = [
        name
        for name, f in claimed(library)
        if id(f) not in CALLED and not (library is scipy.special and name in SPECIAL_UFUNCS)
    ]
    missing = set(without) - excused(library)
    assert not missing, (
        f"no line of tests/lines calls {', '.join(sorted(missing))} of {library.__name__}. "
        "Add one, or give the reason in EXCEPTIONS."
    )
    needless = {name for name in excused(library) - set(without) if hasattr(library, name)}
    assert not needless, f"of {library.__name__} these are in a line by now: {needless}"
