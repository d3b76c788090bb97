"""What an exported file checks: shapes, branches, counts; otherwise it raises, never lies."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.base.errors import ProgramError
from tests.exporting import assert_close, export, exported


def test_a_shape_it_was_not_made_for_is_refused_by_name():
    function = export(lambda w, b: np.sum(w * b), np.ones(3), np.ones(3))
    with pytest.raises(ValueError, match=r"b has shape \(4,\); this file holds for \(3,\)"):
        function(np.ones(3), np.ones(4))


def test_shapes_inside_containers_are_checked():
    params = [(np.ones((2, 2)), np.ones(2)) for _ in range(4)]

    def f(params):
        h = np.ones(2)
        for w, b in params:
            h = np.tanh(w @ h + b)
        return np.sum(h)

    function = export(f, params)
    wrong = [*params[:3], (np.ones((2, 2)), np.ones(3))]
    with pytest.raises(ValueError, match=r"params\[3\]\[1\] has shape \(3,\)"):
        function(wrong)
    with pytest.raises(ValueError, match="length"):
        function(params[:3])


def test_integers_are_read_as_floats_and_complex_numbers_refused():
    function = export(lambda x: np.sum(x**2), np.ones(2))
    assert_close(function(np.array([1, 2]))[1], np.array([2.0, 4.0]))
    with pytest.raises(TypeError):
        function(np.array([1j, 2.0]))


def branching(x):
    if np.sum(x) > 0:
        return np.sum(x**2)
    return np.sum(np.exp(x))


def test_another_branch_raises_with_the_users_line():
    function = export(branching, np.array([1.0, 2.0]))
    assert_close(function(np.array([3.0, 1.0])), cr.value_and_grad(branching)(np.array([3.0, 1.0])))
    with pytest.raises(ValueError, match=r"if np.sum\(x\) > 0"):
        function(np.array([-3.0, 1.0]))


@pytest.mark.parametrize("simplify", [False, True])
def test_other_numbers_of_turns_raise(simplify):
    def newton(x):
        r = x
        while abs(r * r - x) > 1e-8:
            r = 0.5 * (r + x / r)
        return r

    function = export(newton, 2.0, simplify=simplify)
    assert function(2.1)[1] == pytest.approx(0.5 / 2.1**0.5)
    with pytest.raises(ValueError, match="while"):
        function(2e5)


def test_masks_of_other_sizes_raise():
    f = lambda x: np.sum(x[x > 0] * np.arange(2.0))
    function = export(f, np.array([1.0, -1.0, 2.0]))
    assert_close(function(np.array([-1.0, 4.0, 2.0]))[1], np.array([0.0, 0.0, 1.0]))
    with pytest.raises(ValueError, match=r"\(3,\) here, but this file holds for \(2,\)"):
        function(np.array([1.0, 4.0, 2.0]))


def test_masks_of_the_same_size_may_select_others():
    f = lambda x: np.sum(x[x > 0] ** 2)
    function = export(f, np.array([1.0, -1.0, 2.0]))
    assert_close(function(np.array([-1.0, 4.0, 3.0]))[1], np.array([0.0, 8.0, 6.0]))


def test_a_counter_made_of_a_number_is_a_guard():
    f = lambda x: np.sum(x[: int(x[0])])
    function = export(f, np.array([2.5, 3.0, 4.0]))
    assert_close(function(np.array([2.9, 1.0, 7.0]))[1], np.array([1.0, 1.0, 0.0]))
    with pytest.raises(ValueError, match=r"int\(x\[0\]\)"):
        function(np.array([1.5, 3.0, 4.0]))


def test_python_truth_of_a_number_is_a_guard():
    f = lambda x: np.sum(x**2) if x[0] else np.sum(x)
    function = export(f, np.array([2.0, 3.0]))
    with pytest.raises(ValueError, match=r"if x\[0\]"):
        function(np.array([0.0, 3.0]))


def test_ties_in_max_that_were_none_raise_or_are_right():
    f = lambda x: np.max(x)
    function = export(f, np.array([1.0, 3.0, 2.0]))
    assert_close(function(np.array([5.0, 3.0, 2.0]))[1], np.array([1.0, 0.0, 0.0]))
    tied = np.array([3.0, 3.0, 2.0])
    try:
        got = function(tied)[1]
    except ValueError:
        return
    assert_close(got, cr.grad(f)(tied))


def test_fixed_arguments_are_checked():
    f = lambda x, n, how: np.sum(x**n) if how == "sum" else np.prod(x)
    function = export(f, np.ones(3), 3, "sum")
    function(np.ones(3), 3, "sum")
    with pytest.raises(ValueError, match="n"):
        function(np.ones(3), 4, "sum")
    with pytest.raises(ValueError, match="how"):
        function(np.ones(3), 3, "product")


def test_what_cannot_be_followed_names_the_statement():
    def f(x):
        a = np.sin(x)
        return np.sum(a) * float(str(np.array(1.0))) + cr.numerical(lambda v: v @ v)(a)

    with pytest.raises(ProgramError) as raised:
        cr.source(f, np.ones(3))
    assert "cr.numerical" in str(raised.value) or "cannot be written" in str(raised.value)


def test_functions_errors_are_the_functions_own():
    def f(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        cr.source(f, np.ones(3))


def test_a_program_that_does_not_repeat_and_is_long_is_refused_with_its_size():
    def f(x):
        for i in range(300):
            x = np.sin(x) if bin(i).count("1") % 2 else np.cos(x) * x
        return np.sum(x)

    with pytest.raises(ProgramError, match="NumPy operations long"):
        cr.source(f, np.ones(3), limit=200)


def test_large_constants_are_refused_with_the_remedy():
    data = np.random.default_rng(0).normal(size=(300, 300))
    with pytest.raises(ProgramError, match="argument of the function"):
        cr.source(lambda x: np.sum((data @ x) ** 2), np.ones(300))


def test_large_arguments_leave_the_test_to_the_caller():
    f = lambda x: np.sum(np.sin(x))
    x = np.linspace(0, 1, 60_000)
    function, namespace = exported(cr.source(f, x))
    with pytest.raises(SystemExit, match="call self_test"):
        namespace["self_test"]()
    namespace["self_test"](x)
    assert_close(function(x)[1], np.cos(x))
