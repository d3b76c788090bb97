"""The derivation written down: the user's names, lines and shapes, and right numbers in each
step.
"""

import numpy as np
import pytest

import chainrule as cr

X = np.linspace(-1, 1, 12).reshape(4, 3)


def loss(params, X, target):
    h = np.tanh(X @ params["W1"] + params["b1"])
    out = h @ params["W2"]
    reg = (h * h).sum()
    r = out - target
    return (r * r).sum() + 0.1 * reg


def point():
    rng = np.random.default_rng(0)
    params = {"W1": rng.normal(size=(3, 2)), "b1": np.zeros(2), "W2": rng.normal(size=(2, 5))}
    return params, X, rng.normal(size=(4, 5))


def step(steps, name):
    return next(s for s in steps if s.name == name)


def test_names_shapes_and_lines_are_the_users():
    d = cr.explain(loss, *point(), wrt=0)
    h = step(d.forward, "h")
    assert h.text.startswith("tanh(") and h.shape == (4, 2)
    assert h.line.text == 'h = np.tanh(X @ params["W1"] + params["b1"])'
    assert [s.name for s in d.inputs] == ["W1", "W2", "b1"]
    assert step(d.forward, "out").text == "h @ W2"
    assert "X @ W1" in {s.text for s in d.forward}, "a constant is called what the user calls it"


def test_cotangents_of_several_uses_are_the_sum_they_are():
    d = cr.explain(loss, *point(), wrt=0)
    h_bar = step(d.backward, "h_bar")
    assert len(h_bar.terms) == 3  # h * h twice, h @ W2 once
    assert h_bar.text == " + ".join(h_bar.terms)
    assert any("W2" in term for term in h_bar.terms)


def test_each_step_has_its_true_value():
    args = point()
    d = cr.explain(loss, *args, wrt=0)
    gradient = cr.grad(loss)(*args)
    for name in ("W1", "W2", "b1"):
        np.testing.assert_allclose(step(d.backward, f"{name}_bar").value, gradient[name])
    np.testing.assert_array_equal(
        step(d.forward, "h").value, np.tanh(X @ args[0]["W1"] + args[0]["b1"])
    )
    # an inner cotangent, from a function of it alone
    h = step(d.forward, "h").value
    rest = lambda h: np.sum((h @ args[0]["W2"] - args[2]) ** 2) + 0.1 * np.sum(h * h)
    numeric = cr.numeric.gradient(rest, h)
    np.testing.assert_allclose(step(d.backward, "h_bar").value, numeric.value, rtol=1e-7)


def test_text_has_one_line_a_step():
    d = cr.explain(loss, *point(), wrt=0)
    lines = str(d).splitlines()
    assert lines[0].startswith("loss(W1, W2, b1) = ")
    assert sum(line.startswith("  ") for line in lines) == len(d.inputs) + len(d.forward) + len(
        d.backward
    )


def test_assignments_and_loops_keep_the_name_with_numbers():
    def f(x):
        y = np.zeros(3)
        for i in range(3):
            y[i] = x[i] * x[0]
        return y.sum()

    d = cr.explain(f, np.array([1.0, 2.0, 3.0]))
    names = [s.name for s in d.forward]
    assert [n for n in names if n.startswith("y")] == ["y", "y_2", "y_3"]
    np.testing.assert_array_equal(
        step(d.backward, "x_bar").value, cr.grad(f)(np.array([1.0, 2, 3]))
    )


def test_a_long_derivation_is_shortened_in_print_only():
    def f(x):
        for _ in range(500):
            x = np.sin(x)
        return x.sum()

    d = cr.explain(f, np.ones(2))
    assert len(d.forward) == 501
    assert len(str(d).splitlines()) < 300 and "more lines" in str(d)


def test_functions_without_source_get_made_up_names():
    namespace = {"np": np}
    exec("def f(x):\n    y = np.sin(x)\n    return y.sum()", namespace)
    d = cr.explain(namespace["f"], np.ones(2))
    assert [s.text for s in d.forward] == ["sin(x)", "sum(t1)"]


def test_only_a_scalar_has_a_gradient_to_explain():
    with pytest.raises(cr.NotScalarError, match="shape"):
        cr.explain(lambda x: x * 2, np.ones(3))


def test_masked_slopes_are_zero_in_the_steps_too():
    d = cr.explain(lambda x: np.where(x > 0, np.sqrt(x), 0.0).sum(), np.array([0.0, 4.0]))
    np.testing.assert_array_equal(step(d.backward, "x_bar").value, [0, 0.25])


# ---------------------------------------------------------------- programs


def test_a_program_is_verified_printed_and_evaluated_elsewhere():
    params, X, target = point()
    program = cr.trace(loss)(params, X, target).verify()
    text = str(program)
    assert "tanh" in text and "params['W1']: float64[3,2]" in text
    other = [v + 0.1 for v in (params["W1"], params["W2"], params["b1"], X, target)]
    named = {"W1": other[0], "W2": other[1], "b1": other[2]}
    assert program.evaluate(*other) == [loss(named, other[3], other[4])]


def test_verify_finds_a_variable_used_before_it_is_assigned():
    program = cr.trace(lambda x: np.sin(x) * x)(np.ones(2))
    program.operands[0] = (2,)
    with pytest.raises(cr.ProgramError, match="before it is assigned"):
        program.verify()


def test_verify_finds_a_double_assignment():
    program = cr.trace(lambda x: np.sin(x) * x)(np.ones(2))
    program.results[1] = 1
    with pytest.raises(cr.ProgramError, match="again"):
        program.verify()


def test_evaluate_needs_as_many_inputs_as_there_are():
    with pytest.raises(cr.ProgramError, match="1 inputs, not 2"):
        cr.trace(np.sin)(1.0).evaluate(1.0, 2.0)


# ---------------------------------------------------------------- NaN


def root_or_zero(x):
    y = np.where(x > 0, np.sqrt(x), 0.0)
    return np.sum(y)


def test_the_branch_not_taken_is_named_as_the_cause():
    report = cr.explain_nan(root_or_zero, np.array([4.0, -1.0]))
    assert not report and report.value_is_finite and report.gradient_is_finite
    assert report.forward.text == "sqrt(x)" and report.forward.index == (1,)
    assert report.forward.operands == (("x", -1.0),)
    assert report.masked and "branch not taken" in str(report)
    np.testing.assert_array_equal(cr.grad(lambda x: root_or_zero(abs(x)))(np.array([4.0])), 0.25)


def test_the_first_statement_with_inf_is_named():
    def f(x):
        z = x - 1.0
        r = np.log(z)
        return np.sum(r * r)

    report = cr.explain_nan(f, np.array([3.0, 1.0]))
    assert report and not report.value_is_finite
    assert (report.forward.name, report.forward.index) == ("r", (1,))
    assert report.forward.line.text == "r = np.log(z)"


def test_an_infinite_slope_is_told_from_a_masked_one():
    report = cr.explain_nan(lambda x: np.sqrt(np.sum(x * x)), np.zeros(2))
    assert report and report.value_is_finite and not report.gradient_is_finite
    assert not report.masked and "infinite" in str(report)


def test_nothing_to_report():
    report = cr.explain_nan(root_or_zero, np.array([1.0, 2.0]))
    assert not report and report.forward is None and report.backward is None
