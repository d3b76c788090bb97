"""Every public callable of NumPy and ``scipy.special`` has a class; a new one fails by its name.

    rule        a primitive with a derivative of its own
    composite   NumPy code of such primitives: ours, or NumPy's own, lifted
    constant    piecewise constant: plain values come back and the tape stays whole
    plain       nothing that depends on the values of floats comes out
    refused     an error says so, with the remedy
    later       an error says that there is no rule yet

The registry says the first three; ``tests/surface/classes.py`` says the others.
"""

from types import ModuleType

import numpy as np
import numpy.polynomial as P
import pytest
import scipy.special

import chainrule as cr
from chainrule.core.array import _is_discrete
from chainrule.core.lift import MAKERS, REPLACEMENTS
from chainrule.core.lift_code import may_lift
from chainrule.core.primitive import FUNCTIONS, UFUNCS, entry, existing, load_late
from chainrule.core.trace import Tracer, is_traced
from tests.surface.classes import FFT, LINALG, NUMPY, SPECIAL

load_late()
BASES = (P.polynomial, P.chebyshev, P.legendre, P.hermite, P.hermite_e, P.laguerre, P.polyutils)
LIBRARIES: dict[ModuleType, dict] = {
    np: NUMPY,
    np.linalg: LINALG,
    np.fft: FFT,
    np.emath: {},
    P: {},
    **{module: {} for module in BASES},
    scipy.special: SPECIAL,
}
SCALARS_AND_ERRORS = (np.number, np.bool, np.character, np.void, np.object_, Exception, Warning)
TIMES = (np.datetime64, np.timedelta64)


def public(library):
    """The public callables by name; dtypes' classes and exceptions are not functions."""
    for name in sorted(getattr(library, "__all__", dir(library))):  # NumPy makes it of sets
        f = getattr(library, name, None)
        if callable(f) and not name.startswith("_"):
            if isinstance(f, type) and issubclass(f, (*SCALARS_AND_ERRORS, *TIMES)):
                continue
            yield name, f


def listed(library):
    return {
        name: kind
        for kind, reasons in LIBRARIES[library].items()
        for names in reasons.values()
        for name in names.split()
    }


# where the two kinds of entries of the registry were made
RULE = entry(np.sin, UFUNCS[np.sin], ["x"]).__code__
CONSTANT = FUNCTIONS[np.floor].__code__


def registered(f):
    """What the registry says of a function, or None."""
    if _is_discrete(f):
        return "constant"
    run = FUNCTIONS.get(f)
    if run is None:
        return "rule" if UFUNCS.get(f) else None
    code = getattr(run, "__code__", None)
    return {RULE: "rule", CONSTANT: "constant"}.get(code, "composite")


def classified(library, name, f):
    kind = registered(f) or listed(library).get(name)
    if kind is None and (
        f in REPLACEMENTS or f in MAKERS or may_lift(getattr(f, "__module__", "numpy"))
    ):
        kind = "composite"  # lifted code sees ours in its place, or it is lifted itself
    return kind


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda m: m.__name__)
def test_every_public_callable_has_a_class(library):
    unknown = [name for name, f in public(library) if classified(library, name, f) is None]
    assert not unknown, (
        f"{library.__name__} has functions that nobody classified: {', '.join(unknown)}. Give each "
        "a rule, or a class and its reason in tests/surface/classes.py."
    )


# ---------------------------------------------------------------- piecewise constant

X = np.array([0.3, 1.7, -0.6, 2.4])
CALLS = {
    "allclose": lambda x: np.allclose(x, X),
    "argpartition": lambda x: np.argpartition(x, 2),
    "array_equal": lambda x: np.array_equal(x, X),
    "array_equiv": lambda x: np.array_equiv(x, X),
    "can_cast": lambda x: np.can_cast(x.dtype, np.float32),
    "common_type": lambda x: np.common_type(x, X),
    "diag_indices_from": lambda x: np.diag_indices_from(x.reshape(2, 2)),
    "digitize": lambda x: np.digitize(x, [0.0, 1.0]),
    "digitize by traced bins": lambda x: np.digitize(X, np.sort(x)),
    "einsum_path": lambda x: np.einsum_path("i,i", x, x)[0],
    "floor_divide": lambda x: x // 0.7,
    "heaviside": lambda x: np.heaviside(x, 0.5),
    "isclose": lambda x: np.isclose(x, X),
    "isin": lambda x: np.isin(x, X[:2]),
    "lexsort": lambda x: np.lexsort((x, x[::-1])),
    "may_share_memory": lambda x: np.may_share_memory(x, x[::2]),
    "result_type": lambda x: np.result_type(x, np.float32),
    "searchsorted": lambda x: np.searchsorted(X[:2], x),
    "searchsorted in traced knots": lambda x: np.searchsorted(np.sort(x), 1.0),
    "shares_memory": lambda x: np.shares_memory(x, x[::2]),
    "tril_indices_from": lambda x: np.tril_indices_from(x.reshape(2, 2)),
    "triu_indices_from": lambda x: np.triu_indices_from(x.reshape(2, 2)),
    "packbits": lambda x: np.packbits(x > 0),
    "unpackbits": lambda x: np.unpackbits((x > 0).view(np.uint8)),
    "ravel_multi_index": lambda x: np.ravel_multi_index(np.nonzero(x), x.shape),
    "unravel_index": lambda x: np.unravel_index(np.argmax(x), x.shape),
    "ldexp's exponent": lambda x: np.frexp(x)[1],
    "trunc of a scalar": lambda x: int(x[0]),
    "comparison": lambda x: (x > 0) & (x < 1),
    "size": lambda x: x.size + len(x),
}
for _in1d in existing("in1d"):  # before NumPy 2.4
    CALLS["in1d"] = lambda x: _in1d(x, X[:2])
NOT_OF_FLOATS = (
    "save savez savez_compressed savetxt busday_count busday_offset is_busday datetime_as_string "
    "packbits unpackbits ravel_multi_index unravel_index isnat"
).split()


def constants():
    """The calls of the table, and f(x) or f(x, X) of the piecewise constant functions not in it."""
    yield from CALLS.items()
    for library in (np, np.linalg, np.fft, scipy.special):
        for name, f in public(library):
            if registered(f) != "constant" or name in CALLS or name in NOT_OF_FLOATS:
                continue
            if isinstance(f, np.ufunc):
                if any(t.startswith("d" * f.nin + "->") for t in f.types):
                    more = [X] * (f.nin - 1)
                    yield name, lambda x, f=f, more=more: f(x, *more)
            else:
                yield name, lambda x, f=f: f(x)


def plain_leaves(y):
    if isinstance(y, (tuple, list)):
        return [leaf for part in y for leaf in plain_leaves(part)]
    return [y]


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:`in1d` is deprecated:DeprecationWarning")
@pytest.mark.parametrize(("name", "call"), [pytest.param(n, c, id=n) for n, c in constants()])
def test_piecewise_constant(name, call):
    """Plain values come back, and another use of x on the same tape has the right gradient."""
    seen = []

    def f(x):
        y = call(x)
        seen.extend(plain_leaves(y))
        return np.sum(x**3)

    np.testing.assert_allclose(cr.grad(f)(X), 3 * X**2, rtol=1e-14)
    assert not any(is_traced(y) for y in seen), f"{name} gave a traced value"
    for got, want in zip(seen, plain_leaves(call(X)), strict=True):
        got = np.asarray(got) if isinstance(got, Tracer) else got
        assert np.all(got == want) and type(got) is type(want), (name, got, want)


def test_integers_steer():
    """They index, choose and branch, and what they choose keeps its derivative."""

    def f(x):
        order = np.argsort(x)
        bins = np.digitize(x, [0.0, 1.0])
        best = x[np.argmax(x)] if np.any(x > 2) else 0.0
        return (
            np.sum(x[order] * np.arange(4.0)) + np.sum(np.array([1.0, 2.0, 3.0])[bins] * x) + best
        )

    def by_hand(x):
        return np.argsort(np.argsort(x)) + np.digitize(x, [0.0, 1.0]) + 1.0 + (x == x.max())

    np.testing.assert_allclose(cr.grad(f)(X), by_hand(X))


@pytest.mark.parametrize("x", [5e-324, -1e-310, 1e-200])
def test_slopes_at_tiny_numbers(x):
    """sinc(x) = 1 - (pi x)^2 / 6 and i0(x) = 1 + x^2 / 4, to the last digit there."""
    np.testing.assert_allclose(cr.grad(np.sinc)(x), -(np.pi**2) / 3 * x, rtol=1e-12, atol=1e-323)
    np.testing.assert_allclose(cr.grad(np.i0)(x), x / 2, rtol=1e-12, atol=1e-323)
    np.testing.assert_allclose(cr.grad(cr.grad(np.sinc))(x), -(np.pi**2) / 3, rtol=1e-12)
    np.testing.assert_allclose(cr.grad(cr.grad(np.i0))(x), 0.5, rtol=1e-12)


# ---------------------------------------------------------------- refused

REFUSALS = {
    "matrix": lambda x: np.matrix(x),
    "a product of an array and a matrix": lambda x: X * np.asmatrix(x).T,
    "a function of a matrix": lambda x: np.concatenate([np.asmatrix(x), np.asmatrix(x)]),
    "a method of a matrix": lambda x: np.asmatrix(x).trace(),
    "a matrix as an array of NumPy": lambda x: np.linalg.solve(np.eye(1), np.asmatrix(x)),
    "broadcast": lambda x: np.broadcast(x, X),
    "format_float_positional": lambda x: np.format_float_positional(x[0]),
    "from_dlpack": lambda x: np.from_dlpack(x),
    "choose of a plain array": lambda x: np.array([0, 1]).choose([x[:2], x[2:]]),
}


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize("name", REFUSALS)
def test_refused(name):
    with pytest.raises(cr.NonDifferentiableError, match=r"np\.|numpy\.|float|__dlpack__"):
        cr.grad(lambda x: np.sum(x) + np.sum(REFUSALS[name](x)))(X)
