"""``check_jax``: both modes against numbers; wrong custom rules are named with their line."""

import numpy as np
import pytest

jax = pytest.importorskip("jax")
jnp = jax.numpy

import chainrule as cr  # noqa: E402
from chainrule.base.errors import ArgumentError, InputError  # noqa: E402
from chainrule.interop.jax import check_jax  # noqa: E402

X = np.array([0.3, -1.2, 2.0], np.float32)


def custom_vjp(factor):
    @jax.custom_vjp
    def square(x):
        return x * x

    square.defvjp(lambda x: (x * x, x), lambda x, g: (factor * x * g,))
    return square


def custom_jvp(factor):
    @jax.custom_jvp
    def cube(x):
        return x**3

    cube.defjvp(lambda xs, dxs: (xs[0] ** 3, factor * xs[0] ** 2 * dxs[0]))
    return cube


def parts(report):
    return {part.kind: part.verdict for part in report.parts}


def test_a_right_function_passes_in_both_modes():
    report = check_jax(lambda x: jnp.sum(jnp.sin(x) ** 2), X)
    assert report.ok, str(report)
    assert parts(report) == {"vjp": "pass", "jvp": "pass", "dot test": "pass"}
    assert cr.check_jax is check_jax


def test_x64_is_on_for_the_call_only():
    seen = []

    def f(x):
        seen.append(x.dtype)
        return jnp.sum(x**2)

    before = jax.config.jax_enable_x64
    assert check_jax(f, X).ok
    assert set(seen) == {np.dtype(float)}
    assert jax.config.jax_enable_x64 == before
    assert jnp.ones(2).dtype == (np.float64 if before else np.float32)


def test_a_right_custom_vjp_passes_without_forward_mode():
    square = custom_vjp(2.0)
    report = check_jax(lambda x: jnp.sum(square(x)), X)
    assert report.ok
    assert any("no forward mode" in text for text in report.warnings)


def test_a_wrong_custom_vjp_is_named_with_its_line():
    square = custom_vjp(3.0)

    @jax.jit
    def layer(x):
        return jnp.tanh(square(x))

    def f(x):
        return jnp.sum(layer(x) * 2)

    report = check_jax(f, X)
    assert report.verdict == "fail"
    assert "square (custom_vjp)" in report.fault
    assert "test_check_jax.py" in report.fault
    assert "jnp.tanh(square(x))" in report.fault
    assert "1.5 × numeric" in report.fault
    verdicts = [finding.verdict for finding in report.findings]
    assert verdicts.count("fail") == 1
    assert "tanh" in "".join(f.where for f in report.findings if f.verdict == "pass")


def test_a_wrong_custom_jvp_is_wrong_in_both_modes():
    cube = custom_jvp(2.0)
    report = check_jax(lambda x: jnp.sum(cube(x)), X)
    assert parts(report) == {"vjp": "fail", "jvp": "fail", "dot test": "pass"}
    assert "cube (custom_jvp)" in report.fault
    assert check_jax(lambda x: jnp.sum(custom_jvp(3.0)(x)), X).ok


def test_pytrees_have_their_paths():
    params = {"W": jnp.ones((2, 3)), "layers": [jnp.ones(2)]}

    def f(params, x, name):
        return {"a": params["W"] @ x, "b": (params["layers"][0] * 2, name)}

    report = check_jax(f, params, X, 3)
    assert report.ok, str(report)
    names = [row.name for row in report.parts[0].arguments]
    assert names == ["params['W']", "params['layers'][0]", "x"]
    report = check_jax(f, params, X, 3, wrt="x")
    assert [row.name for row in report.parts[0].arguments] == ["x"]


def test_complex_functions():
    z = jnp.array([1 + 2j, 0.5 - 1j])
    assert check_jax(lambda z: jnp.sum(jnp.abs(z) ** 2), z).ok
    assert check_jax(lambda z: jnp.exp(z) * jnp.conj(z), z).ok
    assert check_jax(jnp.fft.fft, X).ok


def test_loops_and_branches():
    def f(x):
        y = jax.lax.fori_loop(0, 3, lambda i, y: jnp.sin(y) + i, x)
        return jax.lax.cond(y[0] > 0, lambda y: y**2, lambda y: -y, y)

    report = check_jax(f, X)
    assert report.ok, str(report)


def test_what_raises_is_told():
    def f(x):
        raise RuntimeError("not yet written")

    report = check_jax(f, X)
    assert report.verdict == "inconclusive"
    assert "not yet written" in report.reason

    @jax.custom_vjp
    def broken(x):
        return x

    broken.defvjp(lambda x: (x, None), lambda _, g: 1 / 0)
    report = check_jax(lambda x: jnp.sum(broken(x)), X)
    assert report.verdict == "fail"
    assert "ZeroDivisionError" in report.reason
    with pytest.raises(InputError, match="no array of floats"):
        check_jax(lambda x: None, X)
    with pytest.raises(ArgumentError, match="no float argument"):
        check_jax(lambda n: n, 3)
