"""The derivation written down: the user's names, lines and shapes, and right numbers in each
step.
"""

import numpy as np
import pytest

import chainrule as cr
from tests.derivations import assert_lines_hold

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


def test_statements_are_the_users():
    d = cr.explain(loss, *point(), wrt=0)
    assert [s.source for s in d.forward] == [
        'h = np.tanh(X @ params["W1"] + params["b1"])',
        'out = h @ params["W2"]',
        "reg = (h * h).sum()",
        "r = out - target",
        "return (r * r).sum() + 0.1 * reg",
    ]
    assert [s.name for s in d.forward] == ["h", "out", "reg", "r", "value"]
    assert [x.name for x in d.inputs] == ["W1", "W2", "b1"]
    assert [x.text for x in d.inputs] == ["params['W1']", "params['W2']", "params['b1']"]
    h = step(d.forward, "h")
    assert h.shape == (4, 2) and h.line.text == h.source
    assert step(h.operations, "h").text.startswith("tanh(")
    assert "X @ W1" in {s.text for s in d.operations}, "a constant is called what the user calls it"


def test_cotangents_of_several_uses_are_the_sum_they_are():
    d = cr.explain(loss, *point(), wrt=0)
    h_bar = step(d.backward, "h_bar")
    assert len(h_bar.terms) == 3  # h * h twice, h @ W2 once
    assert h_bar.text == "2 * reg_bar * h + out_bar @ W2.T"
    assert h_bar.uses == (3, 2)
    np.testing.assert_allclose(sum(t.value for t in h_bar.terms), h_bar.value)


def test_each_step_has_its_true_value():
    args = point()
    d = cr.explain(loss, *args, wrt=0)
    gradient = cr.grad(loss)(*args)
    for name in ("W1", "W2", "b1"):
        np.testing.assert_allclose(step(d.backward, f"{name}_bar").value, gradient[name])
    h = step(d.forward, "h").value
    np.testing.assert_array_equal(h, np.tanh(X @ args[0]["W1"] + args[0]["b1"]))
    # an inner cotangent, from a function of it alone
    rest = lambda h: np.sum((h @ args[0]["W2"] - args[2]) ** 2) + 0.1 * np.sum(h * h)
    numeric = cr.numeric.gradient(rest, h)
    np.testing.assert_allclose(step(d.backward, "h_bar").value, numeric.value, rtol=1e-7)


# ---------------------------------------------------------------- every line is true

A, V = np.random.default_rng(1).normal(size=(3, 3)), np.array([0.5, -1.5, 2.0])


def branches(x):
    y = np.maximum(x, 0) * np.abs(x)
    z = A @ y / (1 + np.sum(y**2))
    u = np.where(z > 0, z, 2 * z)
    return np.sum((u - u.mean()) / np.std(u) * np.sqrt(1 + x * x)) + x.max() + np.linalg.norm(x)


def writes(x):
    out = np.zeros(4)
    for i in range(3):
        out[i + 1] = out[i] * x[i] + x[i] ** 2 / 2
    a, b = out[0], out[-1]
    out[1:3] *= 2
    return b / (1 + a) + out.sum()


def spectrum(x):
    w, V = np.linalg.eigh(np.outer(x, x) + np.diag([1.0, 2.0, 4.0]))
    return np.log(w).sum() - np.linalg.slogdet(np.diag(x) + A)[1] + V[0, 0] ** 2


def layer(x, W, b):
    a = x @ W + b
    return np.tanh(a)


def layers(x):
    h = x
    for W in (A, A.T, 2 * A, A + 1):
        h = layer(h, W, x)
    return h @ h


def unpacked(x):
    a, b = x[:2], x[1:]
    s, c = np.sin(a), np.cos(b)
    return (s * c).sum() + sum([np.sum(t**2) for t in (a, b, s)])


def softmax_picked(x):
    z = np.stack([x, x**2])
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(2), [0, 2]]).mean() + np.sort(x)[0] + np.cumsum(x).prod()


def clipped(x):
    return np.sum(np.clip(x, -1, 1) * np.sign(x) + np.minimum(x, 0.7) + np.log1p(x**2))


def powers(x):
    return np.sum(x**3 - x**-2 + 2.0**x)


FUNCTIONS = [branches, writes, spectrum, layers, unpacked, softmax_picked, clipped, powers]


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_every_line_is_true(f):
    d = cr.explain(f, V)
    assert_lines_hold(d)
    np.testing.assert_allclose(step(d.backward, "x_bar").value, cr.grad(f)(V), rtol=1e-12)


def test_every_line_of_the_real_programs_is_true():
    from examples import digits

    X, Y, _, _ = digits.load()
    assert_lines_hold(cr.explain(digits.loss, digits.init(), X[:30], Y[:30], wrt="params"))
    assert_lines_hold(cr.explain(loss, *point()))


def test_the_text_can_be_evaluated():
    d = cr.explain(lambda a, b: np.sum(np.sin(a) * b / (1 + a**2)), V, V + 1)
    names = {x.name: x.value for x in d.inputs}
    names |= {x.name: x.value for s in d.forward for x in s.definitions}
    names |= {bar.name: bar.value for bar in d.backward}
    functions = {"sin": np.sin, "cos": np.cos, "sum": np.sum, "broadcast": np.broadcast_to}
    for bar in d.backward:
        value = eval(bar.text, functions, names)
        np.testing.assert_allclose(value, bar.value, err_msg=bar.text)


# ---------------------------------------------------------------- names, calls, loops


def test_a_helper_function_is_indented_and_its_result_has_the_callers_name():
    def network(x):
        h = layer(x, A, V)
        out = layer(h, A, V)
        return out.sum()

    d = cr.explain(network, V)
    text = str(d)
    assert [s.name for s in d.forward] == ["a", "h", "a_2", "out", "value"]
    assert "\n     h = layer(x, A, V)\n  1      a = x @ W + b" in text
    assert "backward through layer" in text


def test_a_loop_is_one_round():
    def rnn(W, xs):
        h = np.zeros(3)
        for t in range(len(xs)):
            h = np.tanh(W @ h + xs[t])
        return h @ h

    xs = np.random.default_rng(2).normal(size=(50, 3))
    d = cr.explain(rnn, A, xs, wrt="W")
    lines = [line.strip() for line in str(d).splitlines()]
    assert sum("np.tanh" in line for line in lines) == 1
    assert "for t in range(len(xs)):   # 50 rounds, t = 0 … 49" in lines
    assert any("h_bar_t = t" in line and "_bar_{t+1} @ W" in line for line in lines)
    assert any(line.startswith("t = 49: h_bar_t = 2 * value_bar * h_t") for line in lines)
    assert any(line.startswith("W_bar = outer(") and "+ Σ_t=1…49 outer(" in line for line in lines)
    assert len(lines) < 30 and len(d.forward) == 51
    assert_lines_hold(d)


def test_a_loop_over_a_list_of_arguments_counts_them():
    def mlp(Ws, x):
        for W in Ws:
            x = np.tanh(x @ W)
        return x.sum()

    text = str(cr.explain(mlp, [A] * 5, V, wrt="Ws"))
    assert "Ws[t+1]" in text and "t = 4: x_bar_t = broadcast(value_bar, (3,))" in text


def test_numbers_that_do_not_grow_evenly_are_left_open():
    def f(x):
        s = 0.0
        for i in range(20):
            s = s + x[i] * np.sin(x[i * 7 % 20])
        return s

    lines = [line.strip() for line in str(cr.explain(f, np.arange(20.0))).splitlines()]
    (bar,) = [line for line in lines if line.startswith("x_bar = Σ")]
    assert "at [i])" in bar and "at […])" in bar
    assert bar.count("Σ_i ") == 2, "Python's specialised instructions are the same instructions"


def test_unpacked_elements_have_their_names():
    def split(p):
        a, b, c = p
        return a * b - c

    def f(x):
        s = 0.0
        for k in range(5):
            s = s + split(x) * k
        return s

    d = cr.explain(f, V)
    assert_lines_hold(d)
    assert "for k in range(5):   # 5 rounds, k = 0 … 4" in str(d)
    assert "t1_bar_k" in str(d) and "c_bar_k = -t1_bar_k" in str(d)


def test_hundreds_of_terms_and_thousands_of_operations():
    def powers(A):
        x = V
        for _ in range(600):
            x = np.tanh(A @ x)
        return x.sum()

    def one_statement(x):
        return sum([x[i] ** 2 * x[i - 1] for i in range(1500)])

    assert_lines_hold(cr.explain(powers, A / 3))
    assert_lines_hold(cr.explain(one_statement, np.arange(1500.0) / 1500))


def test_a_function_as_result_is_no_number():
    with pytest.raises(cr.NotScalarError, match="returned a function"):
        cr.explain(lambda x: lambda: x, V)


def test_rounds_with_another_line_are_shown():
    def f(x):
        h = x
        for i in range(6):
            h = np.sin(h) if i != 3 else np.sin(h + x)
        return h.sum()

    d = cr.explain(f, V)
    assert_lines_hold(d)
    assert "i = 3: " in str(d) or "round 3" in str(d)


def test_rounds_that_differ_are_not_rolled_up():
    def f(x):
        for k in range(4):
            if k % 2:
                x = np.sin(x)
            else:
                x = x * 2
        return x.sum()

    text = str(cr.explain(f, V))
    assert text.count("# round ") == 8 and "Σ" not in text


def test_assignments_and_loops_keep_the_name_with_numbers():
    def f(x):
        y = np.zeros(3)
        for i in range(3):
            y[i] = x[i] * x[0]
        return y.sum()

    d = cr.explain(f, np.array([1.0, 2.0, 3.0]))
    assert [s.name for s in d.forward] == ["y", "y_2", "y_3", "value"]
    np.testing.assert_array_equal(
        step(d.backward, "x_bar").value, cr.grad(f)(np.array([1.0, 2, 3]))
    )


def test_two_loops_one_in_the_other():
    def f(x):
        s = 0.0
        for i in range(3):
            for j in range(3):
                s = s + x[i] * x[j] * A[i, j]
        return s

    d = cr.explain(f, V)
    assert_lines_hold(d)
    assert "for i in range(3)" in str(d) and "for j in range(3)" in str(d)


def test_recursion_and_comprehensions():
    def power(x, n):
        return x if n == 0 else x * power(x, n - 1)

    d = cr.explain(lambda x: sum([power(v, 2) for v in x]), V)
    assert_lines_hold(d)
    assert "power(…)" in str(d)


def test_a_long_derivation_is_shortened_in_print_only():
    def f(x):
        for k in range(400):
            if k % 3:
                x = np.sin(x)
            else:
                x = np.cos(x)
        return x.sum()

    d = cr.explain(f, np.ones(2))
    assert len(d.forward) == 401
    assert len(str(d).splitlines()) < 400 and "more lines" in str(d)


def test_functions_without_source_keep_the_names_of_their_variables():
    namespace = {"np": np}
    exec("def f(x):\n    y = np.sin(x)\n    return y.sum()", namespace)
    d = cr.explain(namespace["f"], np.ones(2))
    assert [(s.name, s.text) for s in d.forward] == [("y", "sin(x)"), ("value", "sum(y)")]


def test_functions_of_numpy_itself():
    d = cr.explain(np.sum, np.ones(3))
    assert "lifter" not in str(d) and step(d.backward, "a_bar").text == "broadcast(value_bar, (3,))"


def test_keywords_unicode_and_clashing_names():
    def f(λ, value, t1):
        β = np.sin(λ) * value
        h_bar = β + t1
        return np.sum(h_bar * λ)

    d = cr.explain(f, V, V, V)
    assert_lines_hold(d)
    assert len({x.name for x in (*d.inputs, *d.backward, *(s.result for s in d.forward))}) == 12


def test_complex_arguments():
    d = cr.explain(lambda z: np.sum(np.abs(z * z + 1) ** 2), np.array([1 + 2j, -0.5j]))
    assert_lines_hold(d)


def test_rules_are_cited():
    d = cr.explain(loss, *point(), wrt=0)
    rules = {r.name: r for r in d.rules}
    assert rules["tanh"].backward == ("x_bar = y_bar * (1 - y**2)",)
    assert {r for bar in d.backward for r in bar.rules} <= set(rules)
    assert step(d.backward, "h_bar").rules == ("sum", "multiply", "matmul")


def test_a_constant_function_and_a_function_of_its_argument_alone():
    d = cr.explain(lambda x: x[0] * 0 + 1.0, V)
    np.testing.assert_array_equal(step(d.backward, "x_bar").value, [0, 0, 0])
    assert step(cr.explain(lambda x: x, 2.0).backward, "x_bar").text == "1"
    assert step(cr.explain(lambda x: 3.0, 2.0).backward, "x_bar").text == "0"


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
