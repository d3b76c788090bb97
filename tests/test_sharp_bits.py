"""What users of other systems trip over: plain NumPy code, and the derivative must be right.

The items are named by where the limit was seen: A autograd, J JAX, P PyTorch, T Tangent, C CasADi,
M mygrad, Z Zygote, Y PyTensor, O ADOL-C, N numdifftools. Every item is a test with its name, or
waits in ``WAITING`` (also for a part of it) with the reason. ``test_peer_...`` are values that came
back from another system and were wrong.
"""

import copy
import logging
import math
import pickle
import re
import types
import warnings
from dataclasses import dataclass

import numpy as np
import pytest
import scipy.integrate
import scipy.interpolate
import scipy.special

import chainrule as cr
from tests.helpers import assert_as_numpy, numeric_gradient

ITEMS = "A1-24 J1-39 P1-20 T1-5 C1-14 M1-4 Z1-6 Y1 O1 N1"
WAITING = {  # not tested, or only in part
    "J2": "guards on globals: the compiled mode",
    "J7": "a compiled method whose object changes: the compiled mode",
    "J11": "random numbers under batching",
    "J12": "branches and loops on values: the compiled mode",
    "J20": "the note that a function is piecewise constant, on request",
    "J22": "compiled and eager values to the last digits: the compiled mode",
    "J23": "time to compile linear in the length of a loop: the compiled mode",
    "J26": "derivatives through odeint and its callback: refused so far, by its name",
    "J35": "nested compilation: the compiled mode",
    "P2": "derivatives inside a batched function: batching",
    "P3": "list.pop() inside a batched function: batching",
    "P4": "writes of batched values into an array that is not: batching",
    "P5": "out= under batching",
    "P6": "if and while on batched values: batching",
    "P7": "item() under batching",
    "P8": "masks under batching",
    "P9": "random numbers under batching",
    "P19": "the count of traces and guards: the compiled mode",
    "C13": "branches that end early in compiled code: the compiled mode",
    "O1": "the guard that a branch has changed: the compiled mode",
}

X = np.array([0.7, -1.3, 2.1, 0.4])
A = np.array([[2.0, 0.3, -0.5], [0.1, 1.5, 0.4], [-0.2, 0.6, 1.8]])
INF = np.inf


def items(text):
    """The names a list of ranges stands for: "A1-3 Y1" is A1, A2, A3, Y1."""
    for part in text.split():
        first, _, last = part[1:].partition("-")
        yield from (f"{part[0]}{i}" for i in range(int(first), int(last or first) + 1))


def test_every_item_is_tested_or_waits():
    listed = set(items(ITEMS))
    found = {m[1] for name in globals() if (m := re.match(r"test_([A-Z]\d+)_", name))}
    assert listed - found <= set(WAITING), "neither tested nor waiting"
    assert found | set(WAITING) <= listed, "not in the list"


def gradient_is(f, x, expected, exact=True):
    """The gradient of the scalar function, in reverse and forward mode."""
    x = np.asarray(x, float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cr.IndependentOutputWarning)
        g = cr.grad(f)(x)
    forward = [cr.jvp(f, (x,), (e.reshape(x.shape),))[1] for e in np.eye(x.size)]
    compare = np.testing.assert_array_equal if exact else np.testing.assert_allclose
    compare(g, expected)
    compare(np.ravel(g), forward)


def refused(f, *text, x=X):
    """The error and its text."""
    with pytest.raises(cr.ChainruleError) as e:
        cr.grad(f)(x)
    for part in text:
        assert part in str(e.value)
    assert "test_sharp_bits.py" in str(e.value)


def table(*rows):
    """A test for every row (name, function[, argument])."""
    return pytest.mark.parametrize(
        "f, x", [(r[1], (*r, X)[2]) for r in rows], ids=[r[0] for r in rows]
    )


# ================================================================ A: autograd


def test_A1_assign_into_zeros_block():
    def f(A):
        B = np.zeros((4, 4))
        B[:2, :2] = A
        return B.sum()

    gradient_is(f, np.eye(2), np.ones((2, 2)))


def test_A2_in_place_addition_of_a_traced_array():
    def f(x):
        a = x * 2
        b = a
        a += x**2
        return a * b

    assert_as_numpy(f, X)


def test_A2_in_place_addition_to_a_constant():
    def f(x):
        a = np.zeros(4)
        b = a
        a += x**2
        b *= 3
        return a * b

    assert_as_numpy(f, X)


@table(
    ("dot", lambda A: A.dot(A)),
    ("copy", lambda A: A.copy() * A),
    ("real", lambda A: A.real * A),
    ("imag", lambda A: (A * (1 + 2j)).imag * A),
    ("conj", lambda A: (A * (1 + 2j)).conj().imag * A),
    ("flat", lambda A: np.array([v**2 for v in A.flat])),
    ("flat index", lambda A: A.flat[3] * A.flat[1:4]),
    ("mT", lambda A: A.mT @ A),
    ("take", lambda A: A.take([0, 0, 5]) ** 2),
    ("item", lambda A: A[1, 1].item() * A.item(0)),
    ("tolist", lambda A: sum(v * v for v in A.ravel().tolist())),
    ("view", lambda A: A.view() ** 2),
)
def test_A3_methods(f, x):
    assert_as_numpy(f, A)


@table(
    ("sum", lambda x: np.sum([x[0], x[1] * 2])),
    ("max", lambda x: np.max((x[0], 0.5))),
    ("nested", lambda x: np.array([[x[0], 1.0], [2.0, x[1]]]) ** 2),
    ("lists in functions", lambda x: np.mean([[x[0], 1.0], [2.0, x[1]]], axis=0) * x[2]),
    ("list of arrays", lambda x: np.sum([x, x**2], axis=0)),
)
def test_A4_lists_are_stacked(f, x):
    assert_as_numpy(f, X)


def test_A5_isinstance_in_user_code():
    def f(x, t):
        if not (isinstance(x, np.ndarray) and isinstance(t, tuple)):
            raise TypeError
        return x.sum() * t[0] if isinstance(t[0], float) else 0.0

    assert cr.grad(f)(X, (2.0, 3.0)).tolist() == [2.0] * 4
    assert cr.grad(f, wrt="t")(X, (2.0, 3.0)) == (X.sum(), 0.0)


def test_A6_constant_changed_after_its_use():
    def f(x):
        c = np.ones(4)
        y = x * c
        c[:] = 100
        return y.sum()

    gradient_is(f, X, np.ones(4))


@table(
    ("2", lambda x: np.linalg.norm(x)),
    ("1", lambda x: np.linalg.norm(x, 1)),
    ("inf", lambda x: np.linalg.norm(x, np.inf)),
    ("-inf", lambda x: np.linalg.norm(x, -np.inf)),
    ("3", lambda x: np.linalg.norm(x, 3)),
    ("nuc", lambda A: np.linalg.norm(A, "nuc"), A),
    ("matrix 2", lambda A: np.linalg.norm(A, 2), A),
    ("matrix -2", lambda A: np.linalg.norm(A, -2), A),
    ("matrix 1", lambda A: np.linalg.norm(A, 1), A),
    ("matrix inf", lambda A: np.linalg.norm(A, np.inf), A),
    ("fro", lambda A: np.linalg.norm(A, "fro"), A),
)
def test_A7_norms(f, x):
    assert_as_numpy(f, x)


def test_A7_ties_in_norms_are_finite():
    gradient_is(lambda x: np.linalg.norm(x, np.inf), [1.0, -1.0, 0.5], [0.5, -0.5, 0.0])
    assert np.isfinite(cr.grad(lambda A: np.linalg.norm(A, "nuc"))(np.eye(3))).all()
    assert np.isfinite(cr.grad(lambda A: np.linalg.norm(A, 2))(np.eye(3))).all()


def test_A8_full_like_of_a_traced_value():
    gradient_is(lambda x: np.full_like(np.ones(3), x).sum(), 2.0, 3.0)
    gradient_is(lambda x: np.full(3, x).sum(), 2.0, 3.0)


@table(
    ("trace", lambda A: np.einsum("ii", A)),
    ("diagonal", lambda A: np.einsum("ii->i", A)),
    ("ellipsis", lambda A: np.einsum("...j,...j", A, A)),
    ("repeated", lambda A: np.einsum("ij,jj,kk->ki", A, A, A)),
    ("optimize", lambda A: np.einsum("ij,jk,kl", A, A, A, optimize=True)),
    ("sublists", lambda A: np.einsum(A, [0, 1], A, [1, 2])),
)
def test_A9_einsum(f, x):
    assert_as_numpy(f, A)


@pytest.mark.parametrize(
    "mode",
    "constant edge linear_ramp maximum mean median minimum reflect symmetric wrap".split(),
)
def test_A10_pad(mode):
    assert_as_numpy(lambda x: np.pad(x, (2, 1), mode=mode), X)
    assert_as_numpy(lambda x: np.pad(x.reshape(2, 2), ((1, 0), (1, 1)), mode=mode), X, second=False)


def test_A10_pad_with_no_values():
    gradient_is(lambda x: np.pad(x, 2, mode="empty")[2:-2] @ X, X, X)
    for mode in ("constant", "empty", "mean"):
        with pytest.raises(ValueError, match="unsupported keyword"):
            cr.grad(lambda x: np.pad(x, 2, mode=mode, reflect_type="odd").sum())(X)


@table(
    ("broadcast_to", lambda x: np.broadcast_to(x, (3, 4)) ** 2),
    ("diagonal", lambda x: x.reshape(2, 2).diagonal() ** 2),
    ("trapezoid", lambda x: np.trapezoid(x**2, dx=0.1)),
    ("trapezoid in x", lambda x: np.trapezoid(X, np.sort(x))),
    ("interp in fp", lambda x: np.interp([0.5, 1.7], np.arange(4.0), x**2)),
    ("interp in x", lambda x: np.interp(x, [-2.0, 0.1, 3.0], [1.0, 5.0, 2.0])),
    ("median", lambda x: np.median(x**2)),
    ("cumprod", lambda x: np.cumprod(x)),
    ("take_along_axis", lambda x: np.take_along_axis(x, np.array([3, 3, 0]), 0) ** 2),
)
def test_A10_functions_missing_there(f, x):
    assert_as_numpy(f, X)


def test_A11_integer_argument_is_read_as_float():
    g = cr.grad(lambda x: x**2)(3)
    assert g == 6.0 and isinstance(g, float)


def test_A12_sqrt_at_zero_is_inf_with_a_warning():
    with pytest.warns(cr.NonFiniteGradientWarning):
        assert cr.grad(np.sqrt)(0.0) == INF


def test_A13_prod_with_a_zero():
    gradient_is(np.prod, [0.0, 2.0, 3.0], [6, 0, 0])


def test_A14_deviation_of_a_constant():
    gradient_is(np.std, [3.0, 3.0, 3.0], [0, 0, 0])
    gradient_is(np.var, [3.0, 3.0, 3.0], [0, 0, 0])


def test_A15_logsumexp_of_minus_infinity():
    gradient_is(lambda x: scipy.special.logsumexp(x), [-INF, -INF], [0.5, 0.5])
    gradient_is(lambda x: np.logaddexp(x[0], x[1]), [-INF, -INF], [0.5, 0.5])


def test_A16_sinc_and_arctan2_at_zero():
    gradient_is(lambda x: np.sinc(x).sum(), [0.0, 1.0], [0.0, -1.0], exact=False)
    gradient_is(lambda x: np.arctan2(x[0], x[1]), [0.0, 0.0], [0, 0])
    assert np.isclose(cr.grad(cr.grad(np.sinc))(0.0), -(np.pi**2) / 3)


def full_svd(A):
    """What does not depend on the choice of vectors."""
    u, s, vh = np.linalg.svd(A, full_matrices=True)
    return np.sum(u[:, :2] * s @ vh[:2]) + np.sum(s**3) + np.sum(u[0, :2] ** 2)


LINALG = table(
    ("svd full", full_svd, A[:, :2].copy()),
    ("qr", lambda A: np.sum(np.linalg.qr(A)[0] * A) + np.sum(np.linalg.qr(A)[1] ** 3)),
    ("qr r", lambda A: np.linalg.qr(A, mode="r")),
    ("lstsq", lambda A: np.linalg.lstsq(A[:, :2], A[:, 2], rcond=None)[0]),
    ("eigvals", lambda A: np.sort(np.linalg.eigvals(A).real)),
    ("eigvalsh", lambda A: np.linalg.eigvalsh(A + A.T)),
    ("matrix_power", lambda A: np.linalg.matrix_power(A, 3)),
    ("matrix_power -2", lambda A: np.linalg.matrix_power(A, -2)),
    ("cond", lambda A: np.linalg.cond(A)),
    ("tensorsolve", lambda A: np.linalg.tensorsolve(A.reshape(3, 3), A[0])),
    ("det", lambda A: np.linalg.det(A)),
    ("slogdet", lambda A: np.linalg.slogdet(A)[1]),
    ("inv", lambda A: np.linalg.inv(A)),
    ("pinv", lambda A: np.linalg.pinv(A[:, :2])),
    ("solve", lambda A: np.linalg.solve(A, A[0])),
    ("eigh", lambda A: np.linalg.eigh(A @ A.T)[0] + np.linalg.eigh(A @ A.T)[1][0] ** 2),
    ("svd", lambda A: np.linalg.svd(A)[1] + np.linalg.svd(A)[0][0] ** 2),
    ("cholesky", lambda A: np.linalg.cholesky(A @ A.T)),
    ("fft", lambda A: np.abs(np.fft.fft(A, n=4)) ** 2),
    ("rfft2", lambda A: np.fft.rfft2(A).imag),
    ("irfft", lambda A: np.fft.irfft(A * (1 + 2j), n=5)),
)


@LINALG
def test_A17_linear_algebra(f, x):
    x = A if x is X else x
    _, pullback = cr.vjp(f, x)
    w = np.cos(np.arange(np.size(f(x)))).reshape(np.shape(f(x)))[()]
    numbers = numeric_gradient(lambda z: np.sum(f(z) * w), x)
    np.testing.assert_allclose(pullback(w)[0], numbers, rtol=1e-7, atol=1e-9)


@LINALG
def test_A18_forward_mode_of_linear_algebra(f, x):
    x = A if x is X else x
    t = np.sin(np.arange(x.size)).reshape(x.shape)
    w = np.cos(np.arange(np.size(f(x)))).reshape(np.shape(f(x)))[()]
    numbers = numeric_gradient(lambda s: np.sum(f(x + s * t) * w), np.array(0.0))
    assert np.isclose(np.sum(cr.jvp(f, (x,), (t,))[1] * w), numbers, rtol=1e-7, atol=1e-9)


def test_A19_nan_of_the_branch_not_taken():
    with np.errstate(invalid="ignore"):
        gradient_is(lambda x: np.where(x >= 0, x, np.sqrt(-x)), 1.0, 1.0)


def test_A20_long_loops_need_no_recursion():
    def f(x):
        y = x
        for _ in range(20_000):
            y = y * 1.0001
        return y

    assert np.isclose(cr.grad(f)(1.0), 1.0001**20_000)


def test_A21_pickle_and_copy_a_gradient():
    for g in (cr.grad(np.prod), cr.value_and_grad(np.prod)):
        for other in (pickle.loads(pickle.dumps(g)), copy.deepcopy(g)):
            assert str(other(X)) == str(g(X))


def test_A22_output_that_does_not_depend_on_the_input_names_the_line():
    def f(x):
        y = x * x
        n = np.floor(y)
        return n.sum()

    with pytest.warns(cr.IndependentOutputWarning, match=r"n = np.floor\(y\)|y = x \* x"):
        assert cr.grad(f)(X).tolist() == [0.0] * 4


def test_A23_vector_output_says_which_function_to_use():
    refused_text = r"shape \(4,\)[\s\S]*jacobian"
    with pytest.raises(cr.NotScalarError, match=refused_text):
        cr.grad(lambda x: x * x)(X)


@pytest.mark.parametrize("f", [scipy.special.iv, scipy.special.ive, scipy.special.jn])
def test_A24_order_of_bessel_functions_is_never_zero(f):
    try:
        g = cr.grad(lambda v: f(v, 1.7))(0.8)
    except cr.NoRuleError as e:
        assert "has no derivative with respect to" in str(e) and "constant(" in str(e)
    else:
        assert np.isclose(g, numeric_gradient(lambda v: f(v, 1.7), np.array(0.8)), rtol=1e-6)
    assert np.isclose(
        cr.grad(lambda x: f(2, x))(1.7),
        numeric_gradient(lambda x: f(2, x), np.array(1.7)),
        rtol=1e-7,
    )


# ================================================================ J: JAX


def test_J1_printing_and_logging_happen_at_every_call(capsys, caplog):
    def f(x):
        print(f"x is {x[0]:.1f}")
        logging.getLogger("user").warning("sum %s", x.sum())
        return x.sum()

    g = cr.grad(f)
    g(X)
    g(X + 1)
    assert capsys.readouterr().out == "x is 0.7\nx is 1.7\n"
    assert [r.getMessage() for r in caplog.records] == ["sum 1.9", "sum 5.9"]


SCALE = 2.0


def test_J2_global_that_changed_is_read_again(monkeypatch):
    g = cr.grad(lambda x: SCALE * x.sum())
    assert g(X)[0] == 2.0
    monkeypatch.setitem(globals(), "SCALE", 5.0)
    assert g(X)[0] == 5.0


LAST = None


def test_J3_traced_value_in_a_global_or_attribute_is_plain_afterwards():
    box, calculator = types.SimpleNamespace(), Calculator(1.0)

    def f(x):
        global LAST
        LAST = x * 2
        box.value = x.sum()
        calculator.mul = x[0]
        return (LAST * box.value).sum()

    g = cr.grad(f)(X)
    assert type(LAST) is np.ndarray and LAST.tolist() == (X * 2).tolist()
    assert type(box.value) is np.float64 and box.value == X.sum()
    assert type(calculator.mul) is np.float64
    np.testing.assert_allclose(g, numeric_gradient(f, X), rtol=1e-7)


def test_J4_iterators_inside_loops():
    def f(x):
        rest = iter(x)
        total = next(rest) ** 2
        for i, v in enumerate(rest):
            total += i * v * next(rest, 1.0)
        return total

    assert_as_numpy(f, X)


def test_J5_alias_semantics_are_numpys():
    def f(x):
        a = x * 1.0
        b = a
        b += 1
        b[0] = x[1] ** 2
        a[1:] *= b[:-1]
        return a

    assert_as_numpy(f, X)


def written(write):
    """The function that changes a copy of x in place and returns it."""

    def f(x):
        y = x * 1.0
        write(y, x)
        return y * x

    return f


WRITES = {
    "sort": lambda y, x: y.sort(),
    "fill": lambda y, x: y.fill(x[0] ** 2),
    "put": lambda y, x: np.put(y, [0, 1], x[2:] ** 2),
    "putmask": lambda y, x: np.putmask(y, [True, False, True, False], x**2),
    "place": lambda y, x: np.place(y, np.array([True, False, True, True]), x[:2] ** 2),
    "copyto": lambda y, x: np.copyto(y, x**2, where=x > 0.5),
    "fill_diagonal": lambda y, x: np.fill_diagonal(y.reshape(2, 2), x[:2] ** 2),
    "put_along_axis": lambda y, x: np.put_along_axis(y, np.array([2, 0]), x[:2] ** 2, 0),
    "out": lambda y, x: np.multiply(x, x, out=y),
    "where": lambda y, x: np.multiply(x, x, out=y, where=x > 0),
    "add.at": lambda y, x: np.add.at(y, [0, 0, 2], x[:3] ** 2),
    "reduceat": lambda y, x: y.__setitem__(slice(0, 2), np.add.reduceat(x**2, [0, 3])),
    "partition": lambda y, x: y.partition(2),
    "setitem mask": lambda y, x: y.__setitem__(x > 0.5, x[x > 0.5] ** 2),
}


@pytest.mark.parametrize("name", WRITES)
def test_J6_functions_that_write(name):
    assert_as_numpy(written(WRITES[name]), X)


class Calculator:
    def __init__(self, mul):
        self.mul = mul

    def calc(self, y):
        return self.mul * y.sum()


def test_J7_method_after_its_object_changed():
    c = Calculator(2.0)
    g = cr.grad(c.calc)
    assert g(X)[0] == 2.0
    c.mul = 5.0
    assert g(X)[0] == 5.0


def test_J8_out_of_bounds_raises():
    for f in (lambda x: x[7], lambda x: x[np.array([0, 7])].sum(), lambda x: np.take(x, 7)):
        with pytest.raises(IndexError, match="out of bounds"):
            cr.grad(f)(X)

    def writes(x):
        y = x * 1.0
        y[7] = x[0]
        return y.sum()

    with pytest.raises(IndexError, match="out of bounds"):
        cr.grad(writes)(X)


def test_J9_duplicate_indices_accumulate_and_last_write_wins():
    gradient_is(lambda x: x[[-1, 3, 0]].sum(), X, [1, 0, 0, 2])

    def f(x):
        y = np.zeros(2)
        y[[0, 0, -2]] = x[:3]
        return y.sum()

    gradient_is(f, X, [0, 0, 1, 0])


def test_J10_lists_are_arrays():
    gradient_is(lambda x: np.sum([1, 2, 3]) * x[0] + np.dot([1, 2, 3, 4], x), X, [7, 2, 3, 4])


def test_J11_random_numbers_are_reparameterised_and_reproducible():
    def f(x, seed):
        rng = np.random.default_rng(seed)
        return np.sum(rng.normal(x[0], x[1] ** 2, 5)) + rng.uniform() * x[2]

    np.testing.assert_allclose(
        cr.grad(f)(X, 3), numeric_gradient(lambda x: f(x, 3), X), rtol=1e-7, atol=1e-9
    )
    rng, other = np.random.default_rng(1), np.random.default_rng(1)
    draws = lambda x: rng.normal(x[0], 1.0)
    first, second = (cr.value_and_grad(draws)(X)[0] for _ in range(2))
    assert [first, second] == [other.normal(X[0], 1.0) for _ in range(2)]


def test_J12_branches_and_loops_on_values():
    def f(x):
        y = x[0] * 1.0
        while y < 50:
            y = y * (1 + abs(x[2]))
            if y > 20:
                y = y + x[1]
        for i in range(int(x[2])):
            y = y * x[i]
        return y

    assert_as_numpy(f, X)


def test_J13_truth_of_traced_scalars():
    def f(x):
        a, b, c, _ = x
        if (a and b) or not c:
            a = a * 2
        if 0 < a < 3 and not (b > 0 or c < 0):
            a = a * c
        return a and b * a

    assert_as_numpy(f, X)


@table(
    ("mask", lambda x: x[x > 0] ** 2),
    ("nonzero", lambda x: x[np.nonzero(x > 0)] ** 2),
    ("unique", lambda x: np.unique(x) ** 2),
    ("arange", lambda x: np.arange(int(x[2])) * x[0]),
    ("arange of the value", lambda x: np.arange(np.floor(x[2])) * x[0]),
    ("slice", lambda x: x[: int(x[2])] ** 2),
)
def test_J14_shapes_that_depend_on_values(f, x):
    assert_as_numpy(f, X)


def test_J15_source_of_nan_and_inf_is_found():
    with np.errstate(all="ignore"):
        forward = cr.explain_nan(lambda x: np.sum(np.log(x - 1) * x), np.array([0.5, 2.0]))
        backward = cr.explain_nan(lambda x: np.sum(np.sqrt(x)), np.array([0.0, 4.0]))
    assert "log" in str(forward.forward) and "test_sharp_bits.py" in str(forward.forward)
    assert forward.forward.index == (0,)
    assert backward.value_is_finite and not backward.gradient_is_finite
    assert backward.backward.index == (0,)


def test_J16_double_precision_end_to_end():
    x = np.float64(1) + 2.0**-50
    value, g = cr.value_and_grad(lambda x: x * x)(x)
    assert value == x * x and g == 2 * x and value.dtype == g.dtype == np.float64


@table(
    ("uint8", lambda x: np.arange(254.0, 258.0).astype("uint8") * x),
    ("int8 and float", lambda x: np.array([100, 100, 1, 1], np.int8) * x),
    ("int overflow", lambda x: (np.array([127, 1, 1, 1], np.int8) + np.int8(1)) * x),
    ("float32", lambda x: np.ones(4, np.float32) * x),
    ("bool", lambda x: (x > 0) * x),
    ("integer division", lambda x: (np.arange(4) // 3) * x),
)
def test_J17_promotion_is_numpys(f, x):
    with np.errstate(over="ignore", invalid="ignore"):
        assert_as_numpy(f, X)


def test_J17_single_precision_stays():
    x = X.astype(np.float32)
    for f in (lambda x: np.sum(x * 2.0 + 1), lambda x: np.mean(x**2), lambda x: x[0] * 3):
        value, g = cr.value_and_grad(f)(x)
        assert value == f(x) and value.dtype == g.dtype == np.float32
    assert cr.value_and_grad(lambda x: np.sum(x * np.ones(4)))(x)[0].dtype == np.float64


def test_J18_subnormals_are_kept():
    tiny = 5e-324
    value, g = cr.value_and_grad(lambda x: x * tiny)(1.0)
    assert value == g == tiny


def test_J19_nan_of_the_branch_not_taken_in_second_order_and_forward():
    f = lambda x: np.where(x >= 0, x**3, np.sqrt(-x))
    with np.errstate(all="ignore"):
        assert cr.grad(cr.grad(f))(1.0) == 6.0
        assert cr.jvp(f, (1.0,), (1.0,))[1] == 3.0
        assert cr.jvp(cr.grad(f), (1.0,), (1.0,))[1] == 6.0
        assert cr.grad(lambda x: cr.jvp(f, (x,), (1.0,))[1])(1.0) == 6.0


def test_J20_step_functions_have_slope_zero():
    zeros = np.zeros(4)
    for f in (
        lambda x: np.sum(x > 0) * 1.0,
        lambda x: float(np.argmax(x)),
        lambda x: np.round(x).sum(),
        lambda x: np.sign(x).sum(),
        lambda x: np.argsort(x)[0] * 1.0,
    ):
        gradient_is(f, X, zeros)
    gradient_is(lambda x: np.sort(x)[-1] - x[np.argmax(x)] + np.floor(x).sum(), X, zeros)


def test_J21_ties():
    gradient_is(np.max, [3.0, 1.0, 3.0], [0.5, 0, 0.5])
    gradient_is(np.min, [1.0, 1.0, 1.0], [1 / 3] * 3)
    gradient_is(lambda x: np.maximum(x[0], x[1]), [1.0, 1.0], [0.5, 0.5])
    gradient_is(lambda x: np.sort(x)[0], [1.0, 1.0], [0.5, 0.5])
    gradient_is(lambda x: max(x[0], x[1]), [1.0, 1.0], [1.0, 0.0])


@table(
    ("float", lambda x: float(x[0]) ** 2),
    ("asarray", lambda x: np.asarray(x) ** 2),
    ("asarray of floats", lambda x: np.asarray([float(v) for v in x], dtype=float) ** 2),
    ("math", lambda x: math.sin(x[0]) * math.exp(x[1])),
    ("fsum", lambda x: math.fsum(v * v for v in x)),
    ("map", lambda x: sum(map(math.sin, x))),
    ("isclose steers", lambda x: x[0] if math.isclose(x[0], 0.7, abs_tol=2) else x[1]),
    ("int and bool steer", lambda x: x[int(x[2])] * bool(x[0] > 0)),
)
def test_J24_conversions_carry_the_derivative(f, x):
    assert_as_numpy(f, X)


def test_J24_conversions_that_cannot_are_refused_with_the_line():
    with pytest.raises(cr.NonDifferentiableError, match=r"test_sharp_bits.py[\s\S]*float\(x\[0\]"):
        cr.grad(lambda x: float(x[0]) ** 2, lift=False)(X)
    refused(lambda x: x.astype(object)[0] * 2, "x.astype(object)[0]", "chainrule.constant")


def test_J24_formatted_text_is_numpys():
    texts = []

    def f(x):
        texts.append(f"{x[0]:.2f} {x} {x[1]!r}" + format(x[2], ".2f"))
        return x.sum()

    f(X)
    cr.grad(f)(X)
    assert texts[0] == texts[1]


def test_J25_item_carries_the_derivative():
    gradient_is(lambda x: x[0].item() * x.item(2), X, [X[2], 0, X[0], 0])
    assert cr.grad(lambda x: x.item() ** 2, lift=False)(np.array(3.0)) == 6.0


def test_J26_callback_of_an_integrator_is_never_silently_constant():
    def f(x):
        return scipy.integrate.odeint(lambda y, t: -x[0] * y, 1.0, [0.0, 1.0])[-1, 0]

    refused(f, "odeint")


def test_J27_results_are_there_when_the_call_returns():
    value, g = cr.value_and_grad(lambda x: np.sum(x * x))(X)
    assert type(value) is np.float64 and type(g) is np.ndarray and g.flags.writeable


def test_J28_buffers_may_be_used_again():
    buffer = np.empty(4)

    def f(x):
        y = np.multiply(x, x, out=buffer)
        z = y * x
        np.multiply(x, 3.0, out=buffer)
        return z + buffer * x

    assert_as_numpy(f, X)


def test_J29_arguments_by_name():
    f = lambda x, y: x * y**2
    assert cr.grad(f, argnums=1)(2.0, 3.0) == cr.grad(f, wrt="y")(2.0, 3.0) == 12.0
    assert cr.grad(f, argnums="y")(2.0, y=3.0) == 12.0
    assert cr.grad(f, wrt=("x", "y"))(2.0, y=3.0) == (9.0, 12.0)
    assert cr.grad(f)(x=2.0, y=3.0) == 9.0


def test_J30_unique():
    assert_as_numpy(lambda x: np.unique(np.concatenate([x, x])) ** 2, X, second=False)


def test_J30_division_of_polynomials():
    assert_as_numpy(lambda x: np.polydiv(x, x[:2])[0], X)
    assert_as_numpy(lambda x: np.polydiv(x, x[:2])[1], X)


def test_J31_unknown_function_offers_a_numerical_rule():
    refused(
        lambda x: scipy.interpolate.CubicSpline(np.arange(4.0), x)(1.5),
        "scipy.interpolate.CubicSpline",
        "chainrule.numerical",
    )
    spline = cr.numerical(lambda x: scipy.interpolate.CubicSpline(np.arange(4.0), x)(1.5))
    assert_as_numpy(lambda x: spline(x) ** 2, X, second=False)


def test_J32_abs_at_zero():
    gradient_is(lambda x: np.abs(x).sum(), [0.0, 2.0], [0, 1])


def test_J33_spectra_with_equal_values():
    I = np.eye(3)
    gradient_is(lambda A: np.linalg.eigvalsh(A).sum(), I, I, exact=False)
    gradient_is(lambda A: np.linalg.svd(A, compute_uv=False).sum(), I, I, exact=False)

    def f(A):
        w, v = np.linalg.eigh(A)
        return np.sum(v * np.exp(w) @ v.T * I)

    np.testing.assert_allclose(cr.grad(f)(I), np.e * I, atol=1e-12)
    refused(lambda A: np.linalg.eigh(A)[1][0, 1], "arbitrary", x=I)  # depends on the vectors chosen


def test_J34_loop_with_an_early_end():
    def f(x):
        y = x[0]
        for i in range(100):
            y = y * x[2] + x[1] * i
            if y > 30:
                break
        else:
            y = y * 0
        return y

    assert_as_numpy(f, X)


def takes_a_list_index(x):
    rows = [x, x**2, x**3]
    return rows[int(x[2])].sum()


def collects(x):
    seen = []

    def inner(v):
        seen.append(v * v)
        return v

    for v in x:
        inner(v)
    return sum(seen)


@table(
    ("shape from a value", lambda x: np.ones(int(x[2])) * x[0]),
    ("axis from a value", lambda x: np.sum(x.reshape(2, 2), axis=int(x[0])) ** 2),
    ("boolean index", lambda x: x[x > 0].sum()),
    ("mask by where", lambda x: np.where(x > 0, x, 0).sum()),
    ("plain function", lambda x: np.sin(x).sum()),
    ("index into an array", lambda x: np.arange(5.0)[int(x[2])] * x[0]),
    ("truth", lambda x: x[0] ** 2 if x[0] > 0 else x[1]),
    ("range", lambda x: sum(x[0] * i for i in range(int(x[2]) + 2))),
    ("list index", takes_a_list_index),
    ("side effects", collects),
    ("reused random numbers", lambda x: np.random.default_rng(0).normal(size=4) * x),
    ("static and traced arguments", lambda x: np.clip(x, -1, x[2]) ** 2),
    ("names of types", lambda x: np.sum(x, dtype="float64") ** 2),
)
def test_J36_programs_of_the_documented_errors_work(f, x):
    assert_as_numpy(f, X)


def test_J37_at_is_no_attribute_as_in_numpy():
    with pytest.raises(AttributeError, match="at"):
        cr.grad(lambda x: x.at[0].set(1.0).sum())(X)


def test_J38_hash_and_equality_are_numpys():
    def f(x):
        first = x[0]
        names = {first: 1.0}
        assert first in names and len({first, x[1]}) == 2
        assert (x == x).all() and x[0] == x[0]
        with pytest.raises(TypeError, match="unhashable"):
            hash(x)
        return names[first] * first

    gradient_is(f, X, [1, 0, 0, 0])


def test_J39_leaked_value():
    leaked = []

    def leaks(x):
        leaked.append(x)
        return (x**2).sum()

    cr.grad(leaks, lift=False)(X)
    (old,) = leaked
    np.testing.assert_array_equal(np.asarray(old), X)
    np.testing.assert_array_equal(old + 1, X + 1)
    with pytest.raises(cr.LeakedTracerError, match=r"test_sharp_bits.py") as e:
        cr.grad(lambda x: (x * old).sum(), lift=False)(X)
    assert "x * old" in str(e.value) and "of leaks (test_sharp_bits.py:" in str(e.value)


# ================================================================ P: PyTorch

COUNT = 0


def test_P1_global_is_assigned_inside():
    def f(x):
        global COUNT
        COUNT += 1
        return x.sum() * COUNT

    assert cr.grad(f)(X)[0] == 1.0
    assert cr.grad(f)(X)[0] == 2.0 and COUNT == 2


def test_P2_derivatives_inside_derivatives():
    inner = lambda x: cr.grad(lambda z: np.sum(z**3 * x[0]))(x * 2.0)
    f = lambda x: np.sum(inner(x) * x)
    _, dy = cr.jvp(lambda x: cr.grad(f)(x), (X,), (np.ones(4),))
    plain = lambda x: np.sum(3 * (2 * x) ** 2 * x[0] * x)
    want = numeric_gradient(lambda s: cr.grad(plain)(X + s * np.ones(4)).sum(), np.array(0.0))
    assert np.isclose(dy.sum(), want, rtol=1e-7)


def test_P10_saved_value_is_changed_afterwards():
    def f(x):
        y = np.exp(x)
        y += 1
        return y.sum()

    gradient_is(f, X, np.exp(X))


def test_P11_write_into_the_differentiated_argument():
    x, other = X.copy(), np.ones(4)

    def f(x, other):
        x[0] = 3.0
        other[1] = 7.0
        return np.sum(x**2 * other)

    assert cr.grad(f)(x, other).tolist() == [0.0, *(2 * X * [1, 7, 1, 1])[1:]]
    assert x.tolist() == X.tolist() and other.tolist() == [1, 7, 1, 1]


def test_P12_array_of_traced_scalars():
    gradient_is(lambda x: np.array([x, x]).sum() * x, 1.0, 4.0)


def test_P13_pullback_twice():
    _, pullback = cr.vjp(lambda x: x**2, X)
    for _ in range(2):
        np.testing.assert_array_equal(pullback(np.ones(4))[0], 2 * X)


def test_P14_integer_array():
    g = cr.grad(lambda x: (x * x).sum())(np.array([1, 2]))
    assert g.dtype == np.float64 and g.tolist() == [2.0, 4.0]


def test_P15_complete_qr_of_a_tall_matrix():
    tall = A[:, :2].copy()
    f = lambda A: np.linalg.qr(A, mode="complete")[0]
    w = np.cos(np.arange(9.0)).reshape(3, 3)
    numbers = numeric_gradient(lambda z: np.sum(f(z) * w), tall)
    np.testing.assert_allclose(cr.vjp(f, tall)[1](w)[0], numbers, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(
    "f, x",
    [
        (scipy.special.j0, 1.0),
        (scipy.special.j1, 1.0),
        (scipy.special.y0, 1.0),
        (scipy.special.y1, 1.0),
        (scipy.special.i0, 1.0),
        (scipy.special.i0e, 1.0),
        (scipy.special.i1, 1.0),
        (scipy.special.i1e, 1.0),
        (scipy.special.k0, 1.0),
        (scipy.special.k0e, 1.0),
        (scipy.special.k1, 1.0),
        (scipy.special.k1e, 1.0),
        (lambda a: scipy.special.gammainc(a, 1.3), 0.8),
        (lambda a: scipy.special.gammaincc(a, 1.3), 0.8),
        (lambda a: scipy.special.betainc(a, 0.7, 0.4), 1.2),
        (lambda b: scipy.special.betainc(1.2, b, 0.4), 0.7),
        (lambda s: scipy.special.zeta(s, 1.5), 2.5),
        (lambda s: scipy.special.zeta(s), 2.5),
        (lambda v: scipy.special.kv(v, 1.5), 0.5),
        (lambda v: scipy.special.jv(v, 1.5), 0.5),
        (lambda n: scipy.special.struve(n, 1.5), 0.5),
    ],
)
def test_P16_special_functions_are_never_silently_zero(f, x):
    want = numeric_gradient(f, np.array(x))
    assert abs(want) > 1e-3
    try:
        g = cr.grad(f)(x)
    except cr.NoRuleError:
        return
    assert np.isclose(g, want, rtol=1e-7)


@table(
    ("abs", lambda x: np.abs(x).sum(), [0.0]),
    ("relu", lambda x: np.maximum(x, 0).sum(), [0.0]),
    ("norm", lambda x: np.linalg.norm(x), [0.0, 0.0]),
    ("clip", lambda x: np.clip(x, 0, 1).sum(), [1.0]),
    ("sign", lambda x: (np.sign(x) * x).sum(), [0.0]),
)
def test_P17_slopes_at_kinks_are_between_the_one_sided_ones(f, x):
    g = cr.grad(f)(np.array(x))
    assert np.isfinite(g).all() and (np.abs(g) <= 1).all()


@pytest.mark.parametrize(
    "f, x, verdict",
    [
        (lambda x: np.sum(np.tanh(x)), X.astype(np.float32), "pass"),
        (lambda x: np.sum(x**2), np.broadcast_to(1.5, (3,)), "pass"),
        (lambda x: np.sum(np.abs(x)), np.array([0.0, 1.0]), "pass"),
        (lambda x: np.sum(np.sqrt(np.abs(x))), np.array([0.0, 1.0]), "inconclusive"),
        (lambda x: np.sum(x**2), np.zeros(0), "pass"),
        (lambda x: np.sum(x**2), np.ones(20_000), "pass"),
        (lambda x: np.abs(np.sum(np.exp(1j * x))) ** 2, X, "pass"),
    ],
)
def test_P18_checker_gives_a_verdict(f, x, verdict):
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert cr.check(f, x).verdict == verdict


def test_P18_function_that_is_not_deterministic():
    rng = np.random.default_rng(0)
    report = cr.check(lambda x: np.sum(x * rng.normal(size=4)), X)
    assert report.verdict != "pass"


LAYOUTS = {
    "every second": lambda: np.repeat(X, 2)[::2],
    "reversed": lambda: X[::-1],
    "Fortran": lambda: np.asfortranarray(A),
    "transposed": lambda: A.T,
    "0-d": lambda: np.array(0.7),
    "empty": lambda: np.zeros((0, 3)),
    "broadcast": lambda: np.broadcast_to(X, (2, 4)),
    "middle": lambda: A[1:, ::-2],
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_P20_arrays_of_every_layout(name):
    x = LAYOUTS[name]()
    f = lambda x: np.sum(np.sin(x) * x.T.T + x.ravel().sum())
    g = cr.grad(f)(x)
    assert g.shape == x.shape and g.flags.writeable
    n = x.size
    want = np.cos(x) * x + np.sin(x) + n
    np.testing.assert_allclose(g, want, rtol=1e-12)


# ================================================================ T: Tangent


class Model:
    weights = np.array([1.0, 2.0, 3.0, 4.0])

    def __call__(self, x, *rest, power=2, **more):
        return np.sum(self.weights * x**power) + sum(rest) + more.get("bias", 0.0)


def scopes(x):
    calls = 0

    def count():
        nonlocal calls
        calls += 1
        return calls

    class Local:
        k = 2.0

        def apply(self, v):
            return v * self.k * count()

    double = lambda v: 2 * v
    return Local().apply(double(x)) + count() * x


def flow(x):
    total = 0.0
    for v in x:
        if v < -5:
            break
        if v < 0:
            continue
        total += v**2
    else:
        total *= x[0]
    try:
        total += 1 / 0
    except ZeroDivisionError as e:
        total += len(str(e)) * x[1]
    finally:
        total *= 2
    with np.errstate(all="ignore"):
        total -= x[2]
    return total


def generated(x):
    def squares():
        for v in x:
            yield v * v

    first, *middle, last = squares()
    return first * last + sum(m for m in middle) + sum({k: 2 * v for k, v in enumerate(x)}.values())


def operators(x):
    if (n := len(x)) > 3 and 3 in [1, 2, 3] and n not in (7,):
        y = x if x[0] > 0 else -x
    y = +y // 0.3 + y % 0.3 + (y.reshape(2, 2) @ y.reshape(2, 2)).ravel()
    mask = ~(y > 0) | (x > 0) & (x < 2) ^ (x > 3)
    z: float = y[mask].sum()
    del y
    return z * (n << 1) + x[0]


def arguments(x):
    from math import sin

    options = {"power": 3, "bias": sin(x[0])}
    return Model()(x, *[x[1], x[2]], **options) + f"{x[0]:.1f}".count("0") * x[3]


def matches(x):
    match [x[0], x[1]]:
        case [a, b] if a > b:
            return a * b
        case _:
            return x[3]


@pytest.mark.parametrize("f", [scopes, flow, generated, operators, arguments, matches])
def test_T1_all_of_the_language(f):
    assert_as_numpy(f, X)


def test_T2_lists_of_arrays_grow_in_loops():
    def f(x):
        states, box = [x], {"n": 0, "last": x}
        for _ in range(4):
            states.append(np.tanh(states[-1]) + 0.1 * box["last"])
            box["n"] += 1
            box["last"] = states.pop(0)
        return np.stack(states).sum(axis=0) * box["n"]

    assert_as_numpy(f, X)


def test_T3_functions_without_source():
    names = {}
    exec("import numpy as np\ndef f(x):\n    y = np.zeros(4)\n    y[0] = x[1]\n    return y", names)
    assert_as_numpy(lambda x: names["f"](x) ** 2, X)
    assert_as_numpy(eval("lambda x: sum(v * v for v in x)"), X)
    gradient_is(np.sum, X, np.ones(4))


@pytest.mark.parametrize("f", [scopes, flow, generated, operators, arguments, matches])
def test_T4_readable_program(f):
    program = cr.trace(f)(X)
    program.verify()
    text = str(program)
    assert "test_sharp_bits.py" in text or len(text.splitlines()) > 3
    assert str(cr.explain(lambda x: np.sum(f(x)), X))


def test_T5_hook_on_a_cotangent():
    seen = []

    def look_and_clip(g, y, x):
        seen.append(g)
        return np.clip(g, -1.0, 1.0)

    watched = cr.primitive(lambda x: x, vjp=look_and_clip, check=False)
    g = cr.grad(lambda x: np.sum(3.0 * watched(x) ** 2))(X)
    np.testing.assert_allclose(seen[0], 6.0 * X)
    np.testing.assert_allclose(g, np.clip(6.0 * X, -1.0, 1.0))


# ================================================================ C: CasADi


def test_C1_truth_of_a_condition():
    gradient_is(lambda x: x[0] ** 2 if x[0] > x[1] else x[1], X, [2 * X[0], 0, 0, 0])


@pytest.mark.parametrize("shape", [(), (4,), (1, 4), (4, 1), (2, 2, 1), (0,)])
def test_C2_shapes_are_kept(shape):
    x = np.ones(shape)
    g = cr.grad(lambda x: np.sum(x * x))(x)
    assert np.shape(g) == shape
    y, pullback = cr.vjp(np.sin, x)
    assert np.shape(y) == shape and np.shape(pullback(np.ones(shape))[0]) == shape


def test_C3_column_times_row():
    assert_as_numpy(lambda x: x[:, None] * x[None, :2], X)


def test_C4_iteration_over_a_matrix():
    assert_as_numpy(lambda A: sum(row * row[0] for row in A), A)


def test_C5_boolean_lists_are_masks():
    assert_as_numpy(lambda x: x[[True, False, True, False]] ** 2, X)


def test_C6_index_lists_are_pairs():
    assert_as_numpy(lambda A: A[[0, 1], [1, 2]] ** 2, A)
    assert_as_numpy(lambda A: A[np.ix_([0, 1], [1, 2])] ** 2, A)


def test_C7_complex_numbers():
    assert_as_numpy(lambda x: np.abs(np.exp(1j * x[:2]) * (x[2:] + 2j)) ** 2, X)
    assert cr.grad(lambda z: np.abs(z) ** 2)(1 + 2j) == 2 + 4j


def test_C8_special_functions():
    s = scipy.special
    assert_as_numpy(lambda x: s.gammaln(x**2) + s.erf(x) + s.expit(x) + s.digamma(x**2 + 1), X)


def test_C9_expression_into_zeros():
    def f(x):
        y = np.zeros(4)
        for i in range(4):
            y[i] = x[i] * x[i - 1]
        return y

    assert_as_numpy(f, X)


def test_C10_constants_and_traced_values_mix():
    def f(x):
        parts = [np.ones(2), x[:2], np.array([x[2], 3.0])]
        return np.concatenate(parts) * np.concatenate(parts[::-1])

    assert_as_numpy(f, X)


def test_C11_numbers_of_any_shape_need_no_declaration():
    gradient_is(lambda A: A[2, 2] * 3, np.zeros((3, 3)), 3 * np.outer([0, 0, 1], [0, 0, 1]))


def test_C12_results_are_plain_arrays():
    value, g = cr.value_and_grad(lambda x: np.sum(x**2))(X)
    assert type(value) is np.float64 and type(g) is np.ndarray
    y, pullback = cr.vjp(lambda x: x**2, X)
    assert type(y) is np.ndarray and type(pullback(X)[0]) is np.ndarray
    assert type(cr.jvp(np.sin, (X,), (X,))[1]) is np.ndarray
    assert type(cr.hessian(lambda x: np.sum(x**2))(X)) is np.ndarray


def test_C14_nan_of_the_branch_not_taken():
    with np.errstate(all="ignore"):
        f = lambda x: np.where(x > 0, np.log(x), 0.0).sum() + np.select([x > 0], [x**0.5]).sum()
        gradient_is(f, [-1.0, 4.0], [0.0, 0.5])


# ================================================================ M: mygrad


@table(
    ("copy", lambda x: x.copy() * 2),
    ("astype", lambda x: x.astype(float) ** 2),
    ("astype int and back", lambda x: x.astype(int) * x),
    ("np.copy", lambda x: np.copy(x) ** 2),
    ("np.array", lambda x: np.array(x, copy=True, dtype=np.float64) ** 2),
    ("deepcopy", lambda x: copy.deepcopy(x) ** 2),
)
def test_M1_copies_keep_the_derivative(f, x):
    assert_as_numpy(f, X)


def test_M2_outputs_that_are_no_scalars():
    J = cr.jacobian(lambda x: np.outer(x, x))(X)
    I = np.eye(4)
    want = np.einsum("ik,j->ijk", I, X) + np.einsum("i,jk->ijk", X, I)
    np.testing.assert_array_equal(J, want)


def test_M3_float_inside():
    gradient_is(lambda x: float(x[0]) * float(np.sum(x)), X, X[0] + np.eye(4)[0] * X.sum(), False)


def test_M4_nothing_stays_locked_after_an_error():
    x, c = X.copy(), np.ones(4)

    def f(x):
        y = x * c
        c[0] = y[0] * 0 + 2.0
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        cr.grad(f)(x)
    assert x.flags.writeable and c.flags.writeable and c[0] == 2.0
    x[0] = 5.0
    gradient_is(lambda x: x.sum(), X, np.ones(4))


# ================================================================ Z, Y, O, N


def test_Z1_try_and_except_inside():
    def f(x):
        try:
            y = x[9]
        except IndexError:
            y = x[0] ** 2
        return y * x

    assert_as_numpy(f, X)


def test_Z2_library_code_that_writes():
    def f(x):
        y = x.reshape(2, 2) * 1.0
        np.fill_diagonal(y, x[0] ** 2)
        return np.apply_along_axis(np.cumsum, 0, y)

    assert_as_numpy(f, X)


def test_Z3_names_that_are_bound_again():
    def f(x):
        fs = []
        for i in range(3):
            fs.append(lambda v: v * i)
        k = x[0]
        g = lambda: k * 2
        k = x[1] * 3
        return fs[0](x) + g()

    assert_as_numpy(f, X)


def test_Z4_second_derivatives_of_common_rules():
    f = lambda x: np.sum(np.tanh(x) ** 2 * np.exp(-x)) + np.linalg.norm(x) * np.prod(x) + np.std(x)
    H = cr.hessian(f)(X)
    want = np.stack([numeric_gradient(lambda x, i=i: cr.grad(f)(x)[i], X) for i in range(4)])
    np.testing.assert_allclose(H, want, rtol=1e-6, atol=1e-8)


def fails_here(x):
    return np.ones(3) @ x  # the line of the user


def test_Z5_error_names_the_line_of_the_user():
    with pytest.raises(ValueError, match="mismatch") as e:
        cr.grad(lambda x: fails_here(x) * 2)(X)
    assert any("fails_here" in str(entry) for entry in e.traceback)


@dataclass
class State:
    position: np.ndarray
    steps: int = 0


def test_Z6_objects_that_change():
    def f(x):
        s = State(x * 1.0)
        for _ in range(3):
            s.position = s.position + 0.1 * np.sin(s.position)
            s.position[0] *= 2
            s.steps += 1
        return s.position * s.steps

    assert_as_numpy(f, X)


BODY = types.SimpleNamespace(position=np.array([1.0, 2.0, 3.0, 4.0]), inner=State(np.ones(4)))


def test_Z6_arrays_of_objects_that_are_written_in_place():
    def f(x):
        BODY.position[:] = x**2
        BODY.position[1:] += BODY.position[:-1]
        BODY.inner.position *= 0.0
        BODY.inner.position += BODY.position * x
        return BODY.inner.position.copy()

    assert_as_numpy(f, X)
    assert type(BODY.position) is np.ndarray
    np.testing.assert_array_equal(BODY.inner.position, f(X))


def test_Y1_shape_errors_and_disconnected_inputs():
    def f(x, y):
        return np.sum(x) + np.ones((2, 3)).sum()

    gx, gy = cr.grad(f, wrt=(0, 1))(X, np.ones(2))
    assert gx.tolist() == [1.0] * 4 and gy.tolist() == [0.0, 0.0]
    with pytest.warns(cr.IndependentOutputWarning):
        assert cr.grad(f, wrt="y")(X, np.ones(2)).tolist() == [0.0, 0.0]
    with pytest.raises(ValueError, match="broadcast"):
        cr.grad(lambda x: np.sum(x + np.ones(3)))(X)


def test_O1_branch_that_changes_between_calls():
    g = cr.grad(lambda x: x[0] ** 2 if x[0] > 0 else -3 * x[1])
    np.testing.assert_array_equal(g(X), [2 * X[0], 0, 0, 0])
    np.testing.assert_array_equal(g(-X), [0, -3, 0, 0])


def test_N1_functions_that_are_hard_for_differences():
    noise = lambda x: hash(float(x[0])) % 1000 / 1000  # another number next to every number
    noisy = lambda x: np.sum(x**2) + 1e-6 * noise(x)
    assert cr.check(noisy, X, grad=lambda x: 2 * x).verdict != "fail"
    assert cr.check(noisy, X, grad=lambda x: 2.1 * x).verdict == "fail"
    estimate = cr.numeric.gradient(noisy, X)
    assert (np.abs(estimate.value - 2 * X) <= estimate.error).all()
    one_sided = cr.numeric.gradient(lambda x: np.sum(x**1.5), np.array([0.0, 1.0]))
    np.testing.assert_allclose(one_sided.value, [0, 1.5], atol=1e-4)
    assert "one side" in str(one_sided)
    no_slope = cr.numeric.gradient(lambda x: np.sum(np.sqrt(x)), np.array([0.0, 1.0]))
    assert np.isnan(no_slope.value[0]) and "no slope" in str(no_slope)
    for f, x in ((np.abs, [0.3, -0.2]), (np.maximum.reduce, [0.3, -0.2])):  # not analytic
        g = lambda x, f=f: np.sum(f(x))
        value = cr.numeric.gradient(g, np.array(x)).value
        np.testing.assert_allclose(value, cr.grad(g)(np.array(x)), atol=1e-9)


@pytest.mark.parametrize(
    "f, x",
    [(np.cbrt, [0.0, 1.0]), (lambda x: np.sqrt(np.abs(x)), [0.0, 1.0]), (np.sqrt, [0.0, 1.0])],
)
def test_N1_infinite_slope_is_not_called_wrong(f, x):
    with np.errstate(all="ignore"):
        assert cr.check(lambda x: np.sum(f(x)), np.array(x)).verdict == "inconclusive"
    nan = np.array([np.nan, 3.0])
    report = cr.check(lambda x: np.sum(x**3), np.array(x), grad=lambda x: nan)
    assert report.verdict == "fail"


# ================================================================ silent errors of others


@table(
    ("autograd full_like", lambda x: np.full_like(np.ones(3), x[0])),
    ("autograd norm inf", lambda x: np.linalg.norm(x, np.inf)),
    ("autograd imag", lambda x: np.imag(x * (1 + 2j))),
    ("jax item", lambda x: x[0].item() ** 2),
    ("jax unique", lambda x: np.unique(x) ** 2),
    ("jax sort", written(WRITES["sort"])),
    ("mygrad copy then write", lambda x: [y := x.copy(), y.__setitem__(0, x[1] ** 2), y][-1]),
    ("mygrad astype", lambda x: x.astype(float) ** 2),
    ("mygrad iadd on copy", lambda x: [y := x.copy(), y.__iadd__(x**2), y][-1]),
    ("mygrad imul view", lambda x: [y := x.copy(), v := y[1:3], v.__imul__(3.0), y][-1]),
    ("mygrad float", lambda x: float(x[0]) ** 2),
    ("mygrad polyval", lambda x: np.polynomial.polynomial.polyval(x[:2], x[2:])),
    ("mygrad chebval", lambda x: np.polynomial.chebyshev.chebval(x[:2], x[2:])),
    ("torch tensor of tensors", lambda x: np.array([x[0], x[0]]).sum() * x[0]),
    ("torch j0", lambda x: scipy.special.j0(x)),
)
def test_peer_silent_errors(f, x):
    assert_as_numpy(f, X)
