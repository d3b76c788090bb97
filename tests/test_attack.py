"""Programs that once gave a wrong derivative or a bare traceback, each reduced to a few lines."""

import dataclasses
from collections import namedtuple
from fractions import Fraction

import numpy as np
import pytest

import chainrule as cr
from chainrule.base.errors import MismatchError, NonDifferentiableError

# ---------------------------------------------------------------- infinite slopes


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_an_infinite_slope_elsewhere_does_not_change_the_second_derivative():
    f = lambda x: np.sum((np.sqrt(x) - 1) ** 2)  # at 1 the cotangent of the root is 0
    H = cr.hessian(f)(np.array([0.0, 1.0]))
    assert H[1, 1] == 0.5 and H[0, 1] == H[1, 0] == 0
    f = lambda x: cr.jvp(lambda y: np.sum(np.sqrt(y)), (np.array([0.0, 4.0]),), (x,))[1]
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(cr.grad(f)(np.zeros(2))[1], 0.25)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_jacobian_by_columns_beside_an_infinite_slope():
    J = cr.jacobian(lambda x: np.concatenate([np.sqrt(x), x]))(np.array([0.0, 1.0]))
    np.testing.assert_array_equal(J, [[np.inf, 0], [0, 0.5], [1, 0], [0, 1]])


def test_mixed_second_derivative_of_a_power_at_exponent_zero():
    H = cr.hessian(lambda v: v[0] ** v[1])(np.array([2.0, 0.0]))
    np.testing.assert_allclose(H, [[0, 0.5], [0.5, np.log(2) ** 2]])
    assert cr.grad(lambda a, b: a**b)(0.0, 0.0) == 0


def test_gradients_of_scalars_are_scalars_after_a_masked_sweep():
    with np.errstate(all="ignore"):
        g = cr.grad(lambda a, b: a**b + 0 * b, wrt=(0, 1))(0.0, 0.0)
    assert all(type(x) is np.float64 for x in g)


# ---------------------------------------------------------------- who owns a result


def test_gradients_of_two_arguments_are_two_arrays():
    f = lambda x, y: np.sum((x + y) * np.array([1.0, 2.0]))
    gx, gy = cr.grad(f, wrt=(0, 1))(np.ones(2), np.ones(2))
    gx += 100
    np.testing.assert_array_equal(gy, [1, 2])


def test_inner_gradients_of_two_arguments_are_two_arrays():
    def f(a):
        gx, gy = cr.grad(lambda x, y: np.sum((x + y) ** 2), wrt=(0, 1))(a, 2 * a)
        gx *= 2
        return np.sum(gx) + 10 * np.sum(gy)

    value, gradient = cr.value_and_grad(f)(np.ones(2))
    assert value == 144
    np.testing.assert_array_equal(gradient, [72, 72])


def test_the_result_of_a_pullback_is_not_the_traced_cotangent_itself():
    def f(t):
        _, pullback = cr.vjp(lambda x: x, np.ones(2))
        (g,) = pullback(t)
        g *= 3
        return np.sum(t) + np.sum(g)

    np.testing.assert_array_equal(cr.grad(f)(np.ones(2)), [4, 4])


# ---------------------------------------------------------------- arrays changed later


@pytest.mark.parametrize(
    "index", [np.array([3, 4]), np.array([False, False, False, True, True, False])]
)
def test_an_index_changed_after_a_write_through_a_view(index):
    def f(x, index):
        y = np.zeros(6)
        y[::-1][index] = x
        index[...] = index[::-1].copy() if index.dtype == bool else 0
        return np.sum(y * np.arange(6.0))

    np.testing.assert_array_equal(cr.grad(f)(np.ones(2), index.copy()), [2, 1])


class Box:
    """An object with attributes."""


SHARED = np.array([1.0, 2.0])


@pytest.fixture
def box():
    SHARED[:] = 1.0, 2.0
    box = Box()
    box.w = SHARED
    return box


@pytest.mark.parametrize("read", [np.asarray, np.atleast_1d, np.ravel, np.squeeze])
def test_an_attribute_read_through_numpy_is_the_same_memory(box, read):
    def captured(x):
        y = read(box.w) * x
        box.w[:] = 100.0
        return np.sum(y)

    def written(x):
        w = read(box.w)
        w[0] = 7.0
        return np.sum(box.w * x)

    assert cr.grad(captured)(2.0) == 3
    SHARED[:] = 1.0, 2.0
    assert cr.grad(written)(2.0) == 9
    np.testing.assert_array_equal(SHARED, [7, 2])


def test_a_view_of_a_global_sees_writes_by_an_attribute(box):
    def f(x):
        v = SHARED[:1]
        before = np.sum(v * x)
        box.w[0] = 5.0
        return before + np.sum(v * x)

    value, gradient = cr.value_and_grad(f)(2.0)
    assert (value, gradient) == (12, 6)


def test_astype_without_copy_is_the_same_array():
    def f(x):
        y = x * 1.0
        z = y.astype(float, copy=False)
        z[0] = 7.0
        return np.sum(y * y)

    np.testing.assert_array_equal(cr.grad(f)(np.arange(3.0)), [0, 2, 4])


def test_a_cotangent_added_to_an_empty_view_of_a_number():
    f = lambda x: np.sum(np.ediff1d(np.asarray(x) ** 2) ** 2) + x**3
    assert cr.grad(lambda x: cr.grad(f)(x))(2.0) == 12
    g = lambda x: np.sum(np.reshape(np.asarray(x) * 1, -1)[1:] ** 2) + x**3
    x = np.array(2.0)
    assert cr.jvp(cr.grad(g), (x,), (x / 2,))[1] == 12


# ---------------------------------------------------------------- calls as NumPy takes them


@pytest.mark.parametrize(
    "call, shape",
    [
        (lambda x, out: np.dot(np.outer(x, x), x, out), 3),
        (lambda x, out: np.outer(x, x, out), (3, 3)),
        (lambda x, out: np.take(x, [1, 0], 0, out), 2),
        (lambda x, out: np.take(x, [4, 0], 0, out, "wrap"), 2),
        (lambda x, out: np.compress([True, False, True], x, 0, out), 2),
        (lambda x, out: x.compress([True, False, True], 0, out), 2),
        (lambda x, out: np.trace(np.outer(x, x), 0, 0, 1, None, out), ()),
        (lambda x, out: np.stack([x, x * x], 0, out), (2, 3)),
        (lambda x, out: np.concatenate([x, x * x], 0, out), 6),
    ],
)
def test_out_given_by_position(call, shape):
    def f(x):
        out = np.zeros(shape)
        assert call(x, out) is out
        return np.sum(out * np.arange(1.0, 1 + out.size).reshape(out.shape))

    x = np.array([0.5, -1.5, 2.0])
    np.testing.assert_allclose(cr.grad(f)(x), cr.numeric.gradient(f, x).value, rtol=1e-7)


def test_comparison_with_what_is_no_number():
    assert cr.grad(lambda x: x * 2 if x != "auto" else 0.0)(1.0) == 2
    np.testing.assert_array_equal(
        cr.grad(lambda x: np.sum(x) if not np.any(x == "auto") else 0.0)(np.ones(2)), [1, 1]
    )


def test_numbers_that_numpy_does_not_know_are_refused_by_name():
    for f in (lambda x: x * Fraction(1, 3), lambda x: np.sum(x * np.array([1, 2], dtype=object))):
        with pytest.raises(NonDifferentiableError, match="Fraction"):
            cr.grad(f)(1.0)
        with pytest.raises(NonDifferentiableError, match="Fraction"):
            cr.jvp(f, (1.0,), (1.0,))


# ---------------------------------------------------------------- complex numbers


def test_jacobian_of_real_values_by_a_complex_argument():
    """By rows and by columns it is d/dRe + i d/dIm, as the gradient."""
    z = 1.0 + 2.0j
    parts = lambda z: np.stack([z.real, z.imag, abs(z) ** 2])
    np.testing.assert_allclose(cr.jacobian(parts)(z), [1, 1j, 2 * z])
    np.testing.assert_allclose(cr.jacobian(lambda z: parts(z)[2])(z), 2 * z)


def test_jacobian_of_complex_values_by_a_real_argument():
    w = np.array([1j, 2.0])
    np.testing.assert_allclose(cr.jacobian(lambda x: x * w)(1.0), w)
    np.testing.assert_allclose(cr.jacobian(lambda x: np.sum(x * w))(np.ones(2)), w)


def test_jacobian_of_complex_values_by_a_complex_argument():
    z = 1.0 + 2.0j
    np.testing.assert_allclose(cr.jacobian(lambda z: z**2)(z), 2 * z)
    np.testing.assert_allclose(cr.jacobian(lambda z: np.stack([z**2, z**3]))(z), [2 * z, 3 * z**2])
    for f in (np.conj, lambda z: np.stack([z, np.conj(z)])):
        with pytest.raises(MismatchError, match="holomorphic"):
            cr.jacobian(f)(z)


def test_complex_directions_of_real_things_are_refused():
    with pytest.raises(MismatchError, match="complex"):
        cr.jvp(np.sin, (1.0,), (1j,))
    _, pullback = cr.vjp(np.sin, 1.0)
    with pytest.raises(MismatchError, match="complex"):
        pullback(1j)


# ---------------------------------------------------------------- what outlives the trace

Pair = namedtuple("Pair", "p q")


@dataclasses.dataclass(slots=True)
class Slotted:
    a: object = 1.0
    b: object = None


BOX = Box()


def test_objects_of_globals_hold_plain_values_afterwards():
    def f(x):
        y = x * BOX.slotted.a
        BOX.slotted.a, BOX.slotted.b, BOX.last = x, Pair(x, [x]), x * 2
        return y

    BOX.slotted = Slotted()
    assert cr.grad(f)(2.0) == 1
    assert type(BOX.slotted.a) is type(BOX.last) is type(BOX.slotted.b.p) is np.float64
    assert type(BOX.slotted.b) is Pair and type(BOX.slotted.b.q[0]) is np.float64
    assert cr.grad(f)(3.0) == 2


def test_a_long_linked_list_is_settled_without_recursion():
    class Model:
        def loss(self, x):
            self.last = x
            return x * x

    model = node = Model()
    for _ in range(5000):
        node.next = Box()
        node = node.next
    node.next = None
    assert cr.grad(model.loss)(3.0) == 6
    assert type(model.last) is np.float64
