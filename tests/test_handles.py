"""Aliasing, views and in-place writes: a traced array behaves as the array it stands for.

Each function runs on plain NumPy and on handles; values are equal, derivatives agree with numbers.
"""

import copy

import numpy as np
import pytest

import chainrule as cr
from chainrule.base.errors import ChainruleError
from chainrule.core.trace import Recording
from chainrule.transforms.door import enter
from tests.helpers import assert_as_numpy

X = np.array([0.7, -1.3, 2.1, 0.4, 1.6])
M = np.array([[0.7, -1.3, 2.1], [0.4, 1.6, -0.8]])


def program_of(f, x):
    """The tape of ``f`` at ``x``."""
    with Recording() as trace:
        f(*enter(trace, f, (x,), {}, 0).args)
    return trace.program


# ---------------------------------------------------------------- names of one array


def test_in_place_addition_is_seen_through_another_name():
    def f(x):
        a = x * 2
        b = a
        b += 1
        return a * b

    assert_as_numpy(f, X)


def test_in_place_addition_changes_the_differentiated_argument_inside_only():
    def f(x):
        b = x
        b *= x
        x[0] = 3.0
        return b * x

    assert_as_numpy(f, X)


def test_scalar_in_place_addition_rebinds():
    def f(x):
        s = x[0]
        r = s
        s += 1
        s *= x[1]
        return s * r

    assert_as_numpy(f, X)


def test_sum_is_a_scalar_and_rebinds():
    def f(x):
        s = x.sum()
        r = s
        s -= 2.0
        return s * r

    assert_as_numpy(f, X)


def test_in_place_addition_with_itself():
    def f(x):
        y = x * 1.0
        y += y
        y *= y
        y -= y[::-1]
        return y

    assert_as_numpy(f, X)


def test_write_into_itself():
    def f(x):
        y = x * x
        y[:] = y
        y[...] = y * y
        y[1:3] = y[1:3]
        y[1:3] *= 2
        return y

    assert_as_numpy(f, X)


def test_swap_of_elements():
    def f(x):
        y = x * x
        y[0], y[1] = y[1], y[0]
        return y * np.arange(5.0)

    assert_as_numpy(f, X)


def test_swap_of_rows_aliases_as_in_numpy():
    def f(x):
        y = x * x
        y[0], y[1] = y[1], y[0]  # both are views: row 0 is lost
        return y

    assert_as_numpy(f, M)


def test_copy_is_not_an_alias():
    def f(x):
        y = x * x
        z = y.copy()
        w = copy.copy(y)
        v = copy.deepcopy(y)
        y *= 3
        z[0] = 1.0
        return y + 2 * z * w + v

    assert_as_numpy(f, X)


def test_positive_is_a_copy():
    def f(x):
        y = x * x
        z = +y
        z[0] = 1.0
        return y * z

    assert_as_numpy(f, X)


def test_same_array_twice_as_operand_after_write():
    def f(x):
        y = x * 1.0
        z = y * y
        y[1] = x[0] * z[2]
        return z + y * y

    assert_as_numpy(f, X)


# ---------------------------------------------------------------- views


def test_view_sees_later_write_to_base():
    def f(x):
        y = x * x
        v = y[1:4]
        y[2] = x[0]
        y *= 2
        return v * v

    assert_as_numpy(f, X)


def test_write_through_view_reaches_base():
    def f(x):
        y = x * x
        v = y[1:4]
        v[0] = x[4]
        v *= x[:3]
        return y

    assert_as_numpy(f, X)


def test_write_through_view_of_view_reaches_base():
    def f(x):
        y = x * x
        v = y[1:]
        w = v[::2]
        w[1] = x[0]
        w += 1
        return y * y

    assert_as_numpy(f, X)


def test_two_overlapping_views():
    def f(x):
        y = x * x
        a, b = y[:3], y[2:]
        a *= 2
        b[0] += x[0]
        a[1] = b[1]
        return y * np.arange(1.0, 6.0)

    assert_as_numpy(f, X)


def test_negative_strides():
    def f(x):
        y = x * x
        r = y[::-1]
        r[0] = x[0]
        r[1:3] *= x[1:3]
        return y + 2 * r

    assert_as_numpy(f, X)


def test_reversed_reversed():
    def f(x):
        y = x * 1.0
        y[::-1][::-2][0] = x[3]
        return y * y

    assert_as_numpy(f, X)


@pytest.mark.parametrize(
    "view",
    [
        lambda y: y.T,
        lambda y: y.transpose(),
        lambda y: y.transpose(1, 0),
        lambda y: y.transpose((1, 0)),
        lambda y: y.swapaxes(0, -1),
        lambda y: np.transpose(y),
        lambda y: np.swapaxes(y, 0, 1),
        lambda y: y.reshape(3, 2),
        lambda y: y.reshape((-1, 2)),
        lambda y: np.reshape(y, (3, 2)),
        lambda y: y.reshape(-1),
        lambda y: y.ravel(),
        lambda y: np.ravel(y),
        lambda y: y[None],
        lambda y: y[:, None, 1:],
        lambda y: y[...],
        lambda y: y[::-1, ::-1].T,
        lambda y: y.T.reshape(-1),  # a copy
        lambda y: y.T.ravel(),  # a copy
        lambda y: y.T.ravel(order="F"),
        lambda y: y.reshape(-1, order="F"),  # a copy
        lambda y: y.T.reshape(2, 3, order="F"),
        lambda y: y.flatten(),  # a copy
        lambda y: y[None].squeeze(),
        lambda y: y.T[1:].T,
        lambda y: y[0].reshape(3, 1),
        lambda y: y[:, 1],
        lambda y: y.view(),
        lambda y: np.asarray(y),
        lambda y: y.real,
        lambda y: np.broadcast_to(y, (2, 2, 3))[0] * 1.0,
        lambda y: y.diagonal() * 1.0,
        lambda y: np.expand_dims(y, 0),
        lambda y: np.squeeze(y[None]),
        lambda y: np.moveaxis(y, 0, 1),
        lambda y: np.atleast_3d(y),
        lambda y: np.split(y, 3, axis=1)[1],
        lambda y: np.flip(y),
        lambda y: np.rot90(y),
    ],
)
def test_view_or_copy_as_numpy_decides(view):
    def f(x):
        y = x * x
        v = view(y)
        v *= 3
        y[0, 0] = x[1, 1]
        v[0] = x[0, 2]
        y += 1
        return np.sum(v * v) * y

    assert_as_numpy(f, M)


def test_ravel_of_strided_view_is_a_copy():
    def f(x):
        y = x * x
        v = y[:, :1].ravel()  # reshape(-1) would be a view
        v += 1
        return y * v[0]

    assert_as_numpy(f, M)


def test_copy_is_in_c_order():
    def f(x):
        y = x.T.copy()
        v = y.ravel()  # a view, of np.copy(x.T) it would be a copy
        v *= 3
        return y * v[1]

    assert_as_numpy(f, M)


def test_layout_of_written_array_stays_that_of_numpy():
    def f(x):
        y = x.T * 2.0  # in Fortran order, as x.T
        z = np.exp(y)
        y[0, 0] = x[1, 1]  # the buffer is kept by nobody, z's rule keeps z
        v = y.ravel(order="F")
        v += z[0, 0]
        w = y.ravel()
        w += 1
        return y * w[0]

    assert_as_numpy(f, M)
    assert_as_numpy(f, np.asfortranarray(M))


def test_scalar_is_its_own_copy():
    def f(x):
        s = x.sum()
        a, b = s.copy(), s[...]
        b += a
        return s[()] * b

    assert_as_numpy(f, X)


def test_zero_dimensional_view_is_written_through():
    def f(x):
        y = x * x
        v = y[2, ...]
        v[...] = x[0]
        v += x[1]
        return y * v

    assert_as_numpy(f, X)


def test_zero_dimensional_arrays():
    def f(x):
        a = x.reshape(())
        b = a * a  # NumPy: a scalar
        c = np.zeros_like(a)
        c[()] = b
        c += a
        return c * x

    assert_as_numpy(f, np.array([1.7]))


def test_zero_dimensional_argument():
    def f(x):
        y = x[()]
        z = x
        z += 1
        return y * z

    assert_as_numpy(f, np.array(1.7))


def test_iteration_gives_views_of_rows():
    def f(x):
        y = x * x
        for i, row in enumerate(y):
            row *= i + 2
            row[0] += x[i, 1]
        return y

    assert_as_numpy(f, M)


def test_unpacked_elements_are_scalars():
    def f(x):
        a, b, *rest = x
        a += b
        return a * b * rest[1]

    assert_as_numpy(f, X)


def test_flat_iterates_reads_and_writes():
    def f(x):
        y = x * x
        y.flat[1] = x[0, 0]
        y.flat[::2] = y.flat[1]
        return y * sum(v for v in y.flat)

    assert_as_numpy(f, M)


def test_view_of_root_that_was_replaced_in_place():
    def f(x):
        y = x * x
        v = y[1:3]
        y *= y
        w = v * 1.0
        y += 1
        v[0] = w[1]
        return y * w[0]

    assert_as_numpy(f, X)


def test_view_outlives_its_base():
    def f(x):
        y = x * x
        v = y[1:3]
        y[1] = x[0]
        del y
        v += 1
        return v * v

    assert_as_numpy(f, X)


# ---------------------------------------------------------------- overlap and repetition


def test_shift_within_one_array():
    def f(x):
        y = x * x
        y[1:] = y[:-1]
        return y

    assert_as_numpy(f, X)


def test_in_place_addition_of_an_overlapping_slice():
    def f(x):
        y = x * x
        y[1:] += y[:-1]
        y[:-1] *= y[1:]
        return y

    assert_as_numpy(f, X)


def test_reverse_in_place():
    def f(x):
        y = x * x
        y[:] = y[::-1]
        y[::-1] += y
        return y * np.arange(5.0)

    assert_as_numpy(f, X)


def test_transpose_added_in_place():
    def f(x):
        y = x[:, :2] * x[:, 1:]
        y += y.T
        y[...] = y.T
        return y

    assert_as_numpy(f, M)


def test_repeated_index_last_write_wins():
    def f(x):
        y = x * x
        y[[0, 0]] = x[:2]
        y[[2, 3, 2]] = x[[1, 2, 3]]
        return y

    bar = assert_as_numpy(f, X)
    assert bar.shape == X.shape


def test_repeated_index_in_two_dimensions_last_write_wins():
    def f(x):
        y = x * x
        y[[0, 0, 1], [1, 1, 2]] = x[0]
        y[[1, 1]] = x * 3
        return y

    assert_as_numpy(f, M)


def test_repeated_index_of_a_broadcast_value():
    def f(x):
        y = x * x
        y[[1, 1, 2]] = x[0]
        return y

    assert_as_numpy(f, X)


def test_repeated_index_reads_add_up():
    assert_as_numpy(lambda x: x[[0, 0, 2, -5]] * x[[1, 1, 1, 1]], X)


def test_repeated_index_in_place_addition_is_buffered():
    def f(x):
        y = x * x
        y[[0, 0]] += x[1]  # once, as in NumPy
        return y

    assert_as_numpy(f, X)


# ---------------------------------------------------------------- indexing of every kind


@pytest.mark.parametrize(
    "index",
    [
        1,
        -1,
        np.int64(1),
        (1, 2),
        (0, slice(None)),
        slice(1, None),
        slice(None, None, -1),
        (slice(None), slice(2, 0, -1)),
        Ellipsis,
        (..., 1),
        (1, ...),
        (None, 1),
        (slice(None), None, 1),
        [1, 0],
        [0, 1, 1],
        (slice(None), [2, 0]),
        ([1, 0], [2, 2]),
        ([[1], [0]], [2, 0]),
        (1, [0, 2]),
        (slice(None), np.array([[0, 1], [2, 2]])),
        ([0, 1], None, slice(1, None)),
        M > 0,
        ([True, False], slice(None)),
        (slice(None), np.array([True, False, True])),
        (1, np.array([True, False, True])),
        True,
        False,
        np.zeros((2, 3), bool),
        np.array([], int),
        [],
        [[]],
        (),
        np.array(1),
        np.ix_([1, 0], [0, 2]),
    ],
    ids=repr,
)
class TestEveryIndex:
    def test_read(self, index):
        assert_as_numpy(lambda x: x[index] * 2, M)

    def test_write_scalar(self, index):
        def f(x):
            y = x * x
            y[index] = x[0, 1]
            return y

        assert_as_numpy(f, M)

    def test_write_array(self, index):
        def f(x):
            y = x * x
            y[index] = x[index] * 3
            return y

        assert_as_numpy(f, M)

    def test_write_constant(self, index):
        def f(x):
            y = x * x
            y[index] = 1.5
            return y

        assert_as_numpy(f, M)

    def test_in_place(self, index):
        def f(x):
            y = x * x
            y[index] *= x[index]
            return y

        assert_as_numpy(f, M)

    def test_in_place_through_view(self, index):
        def f(x):
            y = x * x
            v = y[::-1, ::-1]
            v[index] += x[index]
            return y

        assert_as_numpy(f, M)

    def test_write_into_zeros(self, index):
        def f(x):
            y = np.zeros_like(x)
            y[index] = x[index] * x[index]
            return y

        assert_as_numpy(f, M)


def test_boolean_mask_of_traced_comparison():
    def f(x):
        y = x * x
        y[y > 1] = 0
        y[x < 0] *= x[x < 0]
        return y

    assert_as_numpy(f, X)


def test_index_by_traced_integer_arrays():
    def f(x):
        order = np.argsort(x)
        return x[order] * x[np.argmax(x)] + x[order[0]]

    assert_as_numpy(f, X)


def test_assignment_broadcasts_and_drops_leading_ones():
    def f(x):
        y = np.zeros_like(x)
        y[:] = x[0]
        y[0] = x[1:2]  # (1, 3) into (3,)
        y[:, 1] = x[0, 2]
        return y * y

    assert_as_numpy(f, M)


def test_assignment_of_a_list_of_traced_values():
    def f(x):
        y = x * 1.0
        y[:2] = [x[1] * x[2], 3.0]
        y[3:] = (x[0], x[0])
        return y

    assert_as_numpy(f, X)


def test_index_array_may_change_later():
    def f(x):
        i = np.array([0, 1])
        y = x[i]
        z = x * 1.0
        z[i] = 0.0
        i[:] = 4
        return np.sum(y) * z

    assert_as_numpy(f, X)


def test_mask_may_change_later():
    def f(x):
        mask = np.array([True, False, True, False, False])
        z = x * 1.0
        z[mask] = x[mask] * 2
        mask[:] = True
        return z

    assert_as_numpy(f, X)


# ---------------------------------------------------------------- residuals


def test_result_kept_for_the_backward_sweep_is_safe_from_later_writes():
    def f(x):
        y = np.exp(x)
        y += 1
        z = np.tanh(y)
        z[2] = x[0]
        z *= 2
        return y * z

    assert_as_numpy(f, X)


def test_operand_kept_for_the_backward_sweep_is_safe_from_later_writes():
    def f(x):
        y = x * 1.0
        z = y * y
        y[0] = 5.0
        w = np.sin(y)
        y[:] = x[::-1]
        return z + w * y

    assert_as_numpy(f, X)


def test_view_kept_for_the_backward_sweep_is_safe_from_writes_to_its_base():
    def f(x):
        y = x * x
        v = y[1:4]
        z = v * v
        y[2] = 100.0
        w = v * 3.0
        y *= w.sum()
        return z.sum() * y

    assert_as_numpy(f, X)


def test_write_through_view_after_view_was_used():
    def f(x):
        y = x * x
        v = y[1:4]
        z = np.exp(v)
        v[1] = x[0]
        v += z
        return y

    assert_as_numpy(f, X)


def test_captured_constant_may_change_later():
    def f(x):
        c = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
        y = x * c
        c[:] = 100.0
        return y

    assert_as_numpy(f, X)


def test_constant_written_into_may_change_later():
    def f(x):
        c = np.array([1.0, 2.0])
        y = x * x
        y[:2] = c
        c *= 10
        return y * c[0]

    assert_as_numpy(f, X)


def test_workspace_used_again_and_again():
    def f(x):
        work = np.zeros_like(x)
        total = np.zeros_like(x)
        for i in range(4):
            work[:] = x * i
            work[i] = x[i] ** 2
            total += work * work
        return total

    assert_as_numpy(f, X)


# ---------------------------------------------------------------- as NumPy refuses


@pytest.mark.parametrize(
    "action",
    [
        lambda y: y[7],
        lambda y: y[-9],
        lambda y: y[0, 0],
        lambda y: y[[0, 9]],
        lambda y: y[np.ones(4, bool)],
        lambda y: y[1.5],
        lambda y: y["a"],
        lambda y: y.reshape(2, 2),
        lambda y: y.transpose(1, 0),
        lambda y: y.swapaxes(0, 3),
        lambda y: y + np.ones(3),
        lambda y: y.__setitem__(7, 1.0),
        lambda y: y.__setitem__(slice(0, 2), y[:3]),
        lambda y: y.__setitem__(slice(0, 2), [1.0, 2.0, 3.0]),
        lambda y: y.__setitem__(0, y),
        lambda y: y.__setitem__([0, 9], y[0]),
        lambda y: y.__iadd__(np.ones((5, 5))),
        lambda y: y.__iadd__(np.ones(3)),
        lambda y: y.__iadd__(1j),
        lambda y: y.__imul__(y * 1j),
        lambda y: y.squeeze(0),
        lambda y: hash(y),
        lambda y: len(y[0]),
        lambda y: iter(y[0]),
        lambda y: bool(y),
        lambda y: y[0].__setitem__(0, 1.0),
        lambda y: y[0].__setitem__((), 1.0),
    ],
)
def test_errors_are_numpys(action):
    with pytest.raises(Exception) as plain:
        action(X * X)
    with pytest.raises(plain.type) as traced:
        cr.grad(lambda x: action(x * x))(X)
    assert type(traced.value) is plain.type or isinstance(traced.value, ChainruleError)
    if plain.type in (IndexError, np.exceptions.AxisError):
        assert str(traced.value) == str(plain.value)


def test_a_failed_write_leaves_the_array_as_it_was():
    def f(x):
        y = x * x
        for bad in (lambda: y.__setitem__(9, x[0]), lambda: y.__iadd__(np.ones(3))):
            with pytest.raises((IndexError, ValueError)):
                bad()
        return y

    assert_as_numpy(f, X)


def test_integer_array_cannot_hold_a_derivative():
    def f(x):
        y = np.zeros_like(x, dtype=int)
        y[0] = x[0]
        return y.sum()

    with pytest.raises(ChainruleError, match="array of integers"):
        cr.grad(f)(X)


def test_in_place_keeps_float32():
    def f(x):
        y = x * np.float32(2)
        y += np.ones(3)  # float64 is cast back, as in NumPy
        y[0] = x[1] * np.float64(3)
        return y

    x = np.array([1.0, 2.0, 3.0], np.float32)
    y, pullback = cr.vjp(f, x)
    assert y.dtype == np.float32 and np.array_equal(y, f(x))
    (bar,) = pullback(np.ones(3, np.float32))
    assert bar.dtype == np.float32 and bar.tolist() == [0.0, 5.0, 2.0]


def test_complex_array_with_real_values_written_into():
    def f(x):
        z = np.zeros_like(x, dtype=complex)
        z[:2] = x[:2]
        z[2:] = x[2:] * 1j
        z *= z
        return np.real(z * (1 + 2j))

    assert_as_numpy(f, X)


# ---------------------------------------------------------------- what handles answer


def test_handles_answer_like_arrays():
    seen = {}

    def f(x):
        s, v, z = x.sum(), x[1:], x[2, ...]
        seen.update(
            array=isinstance(x, np.ndarray),
            view=isinstance(v, np.ndarray),
            zero=isinstance(z, np.ndarray),
            scalar=isinstance(s, float),
            generic=isinstance(s, np.floating),
            not_scalar=isinstance(x, float),
            hashed=len({s: 1, x[0]: 2}),
            shape=(x.shape, v.shape, z.shape, s.shape),
            dtype=(x.dtype, s.dtype),
            ndim=(x.ndim, s.ndim),
            size=(x.size, v.size, s.size),
            length=len(v),
            text=(repr(v), str(s), f"{s:.3f}"),
            truth=bool(s > 1) and 0.4 in x,
            strides=x[::-1].strides,
            nbytes=x.nbytes,
            compared=(x > 0).tolist(),
            contains=np.shape(x),
        )
        return s

    cr.grad(f)(X)
    v = X[1:]
    assert seen == {
        "array": True,
        "view": True,
        "zero": True,
        "scalar": True,
        "generic": True,
        "not_scalar": False,
        "hashed": 2,
        "shape": ((5,), (4,), (), ()),
        "dtype": (np.dtype(float), np.dtype(float)),
        "ndim": (1, 0),
        "size": (5, 4, 1),
        "length": 4,
        "text": (repr(v), str(X.sum()), f"{X.sum():.3f}"),
        "truth": True,
        "strides": (-8,),
        "nbytes": 40,
        "compared": (X > 0).tolist(),
        "contains": (5,),
    }


def test_value_of_handle_printed_after_write_is_the_new_one():
    seen = []

    def f(x):
        y = x * 1.0
        v = y[:2]
        y[0] = 9.0
        seen.append((str(y), str(v)))
        return y.sum()

    cr.grad(f)(X)
    assert seen == [("[ 9.  -1.3  2.1  0.4  1.6]", "[ 9.  -1.3]")]


# ---------------------------------------------------------------- cost


@pytest.mark.parametrize("n", [50, 100])
def test_recurrence_in_an_array_costs_a_constant_number_of_equations_a_step(n):
    def f(x):
        y = np.zeros_like(x)
        y[0] = x[0]
        for i in range(1, n):
            y[i] = 0.9 * y[i - 1] + x[i] * x[i]
        return y.sum()

    assert len(program_of(f, np.ones(n))) <= 7 * n


def test_slice_of_a_slice_of_a_slice_is_one_step_from_the_base():
    paths = []

    def f(x):
        total = 0.0
        while len(x):
            total = total + x[0] * x[-1]
            x = x[1:]
            paths.append(len(getattr(x, "_path", "1")))
        return total

    assert_as_numpy(f, X)
    assert set(paths[-5:]) == {1}


@pytest.mark.parametrize(
    "first", [slice(1, 4), slice(None, None, -1), slice(3, 0, -2), slice(2, 2)]
)
@pytest.mark.parametrize(
    "second", [slice(1, None), slice(None, None, -1), slice(-1, None, -1), slice(5, 9)]
)
def test_slices_of_slices(first, second):
    def f(x):
        y = x * x
        v = y[first][second]
        v *= x[first][second]
        w = y[first]
        w[second] *= 3
        return y

    assert_as_numpy(f, X)


def test_reads_of_a_written_array_do_not_copy_it():
    """``y[i]`` keeps nothing of the size of y alive: a tape of n steps holds O(n) numbers."""

    def f(x):
        y = x * 1.0
        for i in range(1, 200):
            y[i] = y[i] * y[i - 1]
        return y.sum()

    program = program_of(f, np.ones(200))
    held = {id(r): r.nbytes for rs in program.residuals for r in rs if isinstance(r, np.ndarray)}
    assert sum(held.values()) <= 20 * 200 * 8


def test_workspace_is_not_copied_when_nothing_keeps_it():
    buffers = set()

    def f(x):
        y = np.zeros_like(x)
        for i in range(5):
            y[i] = x[i]
            buffers.add(id(y._value))
        return y.sum()

    cr.grad(f)(X)
    assert len(buffers) == 1
