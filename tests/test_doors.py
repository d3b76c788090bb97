"""The ways by which a number can leave the tape: they carry the derivative, or refuse."""

import array
import ctypes
import fractions
import importlib
import io
import math
import pickle
import statistics
import struct
import threading

import numpy as np
import pytest

import chainrule as cr
from tests.helpers import numeric_gradient

ERF = np.frompyfunc(math.erf, 1, 1)
X = np.array([0.3, 0.7, 0.4])
SETS_SHAPE = pytest.mark.filterwarnings("ignore:Setting the shape")  # deprecated in NumPy 2.5


def swallow(use):
    """What a worker thread does with a traced value, whose error nobody sees."""

    def f(x):
        out = []

        def work():
            try:
                out.append(use(x))
            except Exception:
                out.append(1.0)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        return out[0] + x[1]

    return f


def save_and_load(x):
    file = io.BytesIO()
    np.save(file, x)
    file.seek(0)
    return np.load(file)[0] + x[1]


def look_up(x):
    return {0.3: 5.0}.get(x[0], 1.0) * x[1]


def memo_of_equal_values(x):
    memo = {}

    def square(v):
        if v not in memo:
            memo[v] = v**2
        return memo[v]

    return square(x[0]) + square(2 * x[0] - 0.3)  # equal values, other derivatives


REFUSED = {
    "str": lambda x: float(str(x[0])) + x[1],
    "format": lambda x: float(f"{x[0]:.3f}") + x[1],
    "percent": lambda x: float("%.2f" % x[0]) + x[1],  # noqa: UP031
    "repr": lambda x: eval(repr(x[0])) + x[1],
    "complex of text": lambda x: abs(complex(str(x[0]))) + x[1],
    "fromstring": lambda x: np.fromstring(str(x[0]), sep=" ")[0] + x[1],
    "save and load": save_and_load,
    "thread": swallow(lambda x: np.sin(x[0])),
    "thread that makes an array": swallow(lambda x: np.asarray(x)[0]),
    "thread that makes a float": swallow(lambda x: struct.pack("d", x[0])[0]),
    "key of a dict": look_up,
    "memo": memo_of_equal_values,
    "set": lambda x: len({x[0], 2 * x[0] - 0.3}) * x[1],
    "pickle": lambda x: pickle.loads(pickle.dumps(x))[0] + x[1],
    "ctypes array": lambda x: (ctypes.c_double * 3)(*x)[0] + x[1],
    "ctypes of the memory": lambda x: x.ctypes.data + x[1],
    "memory": lambda x: x.data[0] + x[1],
    "frombuffer": lambda x: np.frombuffer(x)[0] + x[1],
    "bytes": lambda x: x.tobytes()[0] + x[1],
    "file": lambda x: x.tofile("unused") or x[1],
    "dlpack": lambda x: np.from_dlpack(x)[0] + x[1],
    "bits": lambda x: x.view(np.int64)[0] + x[1],
    "array module": lambda x: array.array("d", x)[0] + x[1],
    "struct": lambda x: struct.pack("d", x[0])[0] + x[1],
    "fraction": lambda x: float(fractions.Fraction(x[0])) + x[1],
    "object array": lambda x: np.array([x[0], None], dtype=object)[0] * x[1],
    "cast to objects": lambda x: x.astype(object).sum() * x[0],
    "cast to text": lambda x: float(x.astype(str)[0]) * x[0],
    "text among numbers": lambda x: float(np.array([x[0], "a"])[0]) + x[1],
    "masked array": lambda x: np.ma.array(x, mask=[0, 1, 0]).sum(),
    "subclass": lambda x: x.view(np.recarray).sum(),
    "vectorized before": lambda x: ERF(x).sum(),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("derive", [cr.grad, lambda f: lambda x: cr.jvp(f, (x,), (x,))[1]])
def test_way_out_is_refused_by_name_and_line(name, derive):
    with pytest.raises(cr.ChainruleError) as e:
        derive(REFUSED[name])(X)
    assert "test_doors.py" in str(e.value)


@pytest.mark.parametrize("name", ["memoryview", "hash of an array", "bytes"])
def test_way_out_is_a_type_error(name):
    way = {
        "memoryview": lambda x: memoryview(x * 1)[0] + x[1],
        "hash of an array": lambda x: {x: 1.0}[x] + x[1],
        "bytes": lambda x: bytes(x)[0] + x[1],
    }[name]
    with pytest.raises(TypeError):
        cr.grad(way)(X)


def print_and_save(x):
    print(x, f"{x[0]:.3f}", "%.3f" % x[0], file=io.StringIO())  # noqa: UP031
    np.savetxt(io.StringIO(), x)
    np.testing.assert_allclose(x, x)
    return float("0.25") * x[0] * float("%d" % 3)  # noqa: UP031


def memo(x):
    known = {}

    def square(v):
        if v not in known:
            known[v] = v**2
        return known[v]

    return square(x[0]) + square(x[0]) + square(x[1])


def shape_in_place(x):
    y = np.zeros(6)
    y[:3] = x
    y.shape = (2, 3)
    y[0] *= 2
    y.shape = -1
    return (y * y).sum()


def flat_in_place(x):
    y = np.zeros((2, 3))
    y.flat = x
    return (y**3).sum()


def bound_changed_later(x):
    n = np.array(2)
    y, z = x[:n], np.outer(x, x)[:n, 1]
    n -= 1
    return (y * z * y).sum()


def by_index(x):
    it, total = np.nditer(x, flags=["multi_index"]), 0.0
    while not it.finished:
        total = total + x[it.multi_index] ** 2 * it.multi_index[0]
        it.iternext()
    return total


def in_place_by_nditer(x):
    y = x.reshape(3, 1) * np.ones(2)
    for v in np.nditer(y, op_flags=["readwrite"]):
        v[...] = v * v
    return (y[:, 0] * y[:, 1]).sum()


def new_by_nditer(x):
    with np.nditer([x, np.arange(3.0), None]) as it:
        for a, b, c in it:
            c[...] = a * b
        return (it.operands[2] ** 2).sum()


def parts_of_complex_numbers(x):
    z = x * (1 + 2j)
    parts = z.view(float)
    parts[0] = x[1]
    return (np.abs(z) ** 3).sum() + parts.view(complex)[2].imag


def workspace_filled_by_a_generator(x):
    rng, buffer = np.random.default_rng(0), np.zeros(3)
    rng.random(out=buffer)
    y = (x * x * buffer).sum()
    rng.random(out=buffer)
    return y + (x**3 * buffer).sum()


CARRIED = {
    "print and save": print_and_save,
    "memo": memo,
    "shape": shape_in_place,
    "flat": flat_in_place,
    "slice": bound_changed_later,
    "nditer": by_index,
    "nditer in place": in_place_by_nditer,
    "nditer into new": new_by_nditer,
    "ndenumerate": lambda x: sum(v**2 * i[0] for i, v in np.ndenumerate(x)),
    "ndindex": lambda x: sum(x[i] ** 2 * i[0] for i in np.ndindex(x.shape)),
    "complex as pairs": parts_of_complex_numbers,
    "workspace of a generator": workspace_filled_by_a_generator,
    "vectorize over C": lambda x: np.vectorize(math.erf)(x).sum(),
    "vectorize with a signature": lambda x: (
        np.vectorize(lambda a, b: (a @ b) * b, signature="(n),(n)->(n)")(np.outer(x, x), x) ** 2
    ).sum(),
    "vectorize with two results": lambda x: np.vectorize(
        lambda a, b: (a.sum() * b, a), signature="(n),()->(),(n)"
    )(np.outer(x, x), x)[0].sum(),
    "frompyfunc": lambda x: (np.frompyfunc(lambda v, w: v * w**2, 2, 1)(x, x[0])).sum(),
    "__import__": lambda x: __import__("math").dist(x, [0.0, 0.0, 1.0]),
    "import_module": lambda x: importlib.import_module("math").exp(x[0]) * x[1],
    "is_integer": lambda x: x[0] * (2 if x[0].is_integer() else 3),
    "sorted": lambda x: sorted(x)[1] ** 2,
}


@SETS_SHAPE
@pytest.mark.parametrize("name", CARRIED)
def test_derivative_is_carried(name):
    f = CARRIED[name]
    value, gradient = cr.value_and_grad(f)(X)
    assert value == pytest.approx(float(f(X)), rel=1e-14)
    np.testing.assert_allclose(gradient, numeric_gradient(f, X), rtol=1e-6, atol=1e-8)
    assert cr.jvp(f, (X,), (X,))[1] == pytest.approx(gradient @ X)


@pytest.mark.parametrize(
    "name",
    "mean fmean geometric_mean harmonic_mean variance stdev pvariance pstdev median median_low "
    "median_high".split(),
)
def test_statistics_of_traced_values(name):
    function = getattr(statistics, name)

    def f(x):
        return function(list(x))

    assert cr.value_and_grad(f)(X)[0] == pytest.approx(f(X))
    np.testing.assert_allclose(cr.grad(f)(X), numeric_gradient(f, X), rtol=1e-6, atol=1e-8)


def test_statistics_of_too_few_values_raises_as_it_does():
    with pytest.raises(statistics.StatisticsError):
        cr.grad(lambda x: statistics.stdev([x[0]]))(X)


def test_scalars_hash_as_their_values():
    seen = {}

    def f(x):
        seen["hash"] = hash(x[0]), hash(float(X[0]))
        return {0.3: 1.0}.get(x[1], 2.0) * x[0]  # another value: the default, as NumPy's

    assert cr.grad(f)(X)[0] == 2.0
    assert seen["hash"][0] == seen["hash"][1]


@SETS_SHAPE
def test_shape_of_an_array_with_views_is_refused():
    def f(x):
        y = x * 1
        part = y[1:]
        y.shape = (3, 1)
        return part.sum()

    with pytest.raises(cr.NonDifferentiableError, match="has views"):
        cr.grad(f)(X)


@SETS_SHAPE
def test_impossible_shape_raises_as_numpy_does():
    def f(x):
        y = x * 1
        y.shape = (2, 2)
        return y.sum()

    with pytest.raises(ValueError, match="reshape"):
        cr.grad(f)(X)


BUFFER = bytearray(24)
FIRST, SECOND = np.frombuffer(BUFFER), np.frombuffer(BUFFER)
WIDE = np.zeros(5)
WINDOWS = np.lib.stride_tricks.sliding_window_view(WIDE, 3)


def write_first(x):
    FIRST[:] = x
    return SECOND.sum()


def write_under_windows(x):
    WIDE[:3] = x
    return WINDOWS.sum()


@pytest.mark.parametrize("f", [write_first, write_under_windows])
def test_memory_shared_in_ways_no_base_shows(f):
    with pytest.raises(cr.NonDifferentiableError, match="memory is"):
        cr.grad(f)(X)


def test_memory_shared_in_ways_no_base_shows_may_be_read():
    def f(x):
        return (x * FIRST).sum() + (x * SECOND).sum() + WINDOWS[0] @ x

    expected = FIRST + SECOND + WINDOWS[0]
    np.testing.assert_array_equal(cr.grad(f)(X), expected)


NUMBERS = np.zeros(3)
SEEN = memoryview(NUMBERS)


def test_memory_read_while_its_numbers_have_derivatives():
    def f(x):
        NUMBERS[:2] = x[:2] ** 2
        return SEEN[0] + SEEN[2] + NUMBERS.sum() + x[2]  # SEEN is C's: it would be a constant

    with pytest.raises(cr.NonDifferentiableError, match="where its derivative is lost"):
        cr.grad(f)(X)
    np.testing.assert_allclose(NUMBERS[:2], X[:2] ** 2)  # the numbers are back


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.complex128])
def test_memory_read_by_its_address(kind):
    def f(x):
        b = np.zeros(3, kind)
        address = b.ctypes.data
        b[:] = x * x
        seen = (ctypes.c_char * b.nbytes).from_address(address)
        return {"there": np.sum(np.frombuffer(seen, b.dtype) * 2 + 1), "here": b @ x}

    with pytest.raises(cr.NonDifferentiableError, match="read by its address"):
        cr.jacobian(f)(X)


def test_a_result_that_is_not_a_number_is_not_taken_for_such_a_reading():
    def f(x):
        NUMBERS[:2] = x[:2] ** 2
        return np.sum(np.log(NUMBERS[:2] - 5)) + x[2]

    with np.errstate(all="ignore"):
        assert np.isnan(cr.value_and_grad(f)(X)[0])


HANDED_OUT = {
    "data": lambda b: b.data,
    "array of data": lambda b: np.asarray(b.data),
    "bytes of data": lambda b: b.data.cast("B"),
    "ndarray over data": lambda b: np.ndarray((3,), float, b.data),
    "ctypes": lambda b: b.ctypes.data_as(ctypes.c_void_p),
    "masked array": lambda b: np.ma.array(b, copy=False),
    "masked array's data": lambda b: np.ma.masked_array(b, mask=[0, 0, 1]).data,
    "of a view": lambda b: b[1:].data,
}


@pytest.mark.parametrize("hand_out", HANDED_OUT.values(), ids=HANDED_OUT)
def test_memory_handed_out_before_a_traced_write(hand_out):
    """Who holds it would see numbers without derivatives."""

    def f(x):
        b = np.zeros(3)
        held = hand_out(b)
        b[:] = x
        return b.sum() + (held is None)

    with pytest.raises(cr.NonDifferentiableError, match="handed out before"):
        cr.grad(f)(X)

    def in_place(x):
        b = np.zeros(3)
        held = hand_out(b)
        b += x
        return b.sum() + (held is None)

    with pytest.raises(cr.NonDifferentiableError, match="handed out before"):
        cr.grad(in_place)(X)


@pytest.mark.parametrize(
    "name", sorted(HANDED_OUT.keys() - {"array of data"})
)  # followed to the end
def test_memory_handed_out_and_given_back(name):
    def f(x):
        b = np.ones(3)
        HANDED_OUT[name](b)
        y = x @ b
        b[:] = x**2
        return y + b @ x

    np.testing.assert_allclose(cr.grad(f)(X), 1 + 3 * X**2)


def test_memory_handed_out_shows_and_takes_constants():
    def f(x):
        b = np.zeros(3)
        held = np.asarray(b.data)
        y = b @ x
        b[0] = 3.0
        y = y + 10 * (held @ x)
        held[1] = 5.0
        return y + 100 * (b @ x)

    np.testing.assert_array_equal(cr.grad(f)(X), [330.0, 500.0, 0.0])
