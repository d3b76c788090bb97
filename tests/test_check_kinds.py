"""Jacobians, vjps, jvps, Hessians and their products: right ones pass, wrong ones are named."""

import numpy as np
import pytest
from scipy import sparse

import chainrule as cr
from chainrule import check
from chainrule.base.errors import InputError

rng = np.random.default_rng(3)
A = rng.standard_normal((3, 4))
X = np.array([0.3, -1.2, 2.0, 0.7])


def f(x):
    return np.tanh(A @ x) * x[:3]


def jacobian(x):
    y = np.tanh(A @ x)
    return ((1 - y**2) * x[:3])[:, None] * A + np.diag(y) @ np.eye(3, 4)


def vjp(x, g):
    return jacobian(x).T @ g


def jvp(x, v):
    return jacobian(x) @ v


def kinds(report):
    return {part.kind: part.verdict for part in report.parts}


# --- one claim, right and wrong


@pytest.mark.parametrize("claim", [{"jac": jacobian}, {"vjp": vjp}, {"jvp": jvp}])
def test_right_claims_pass(claim):
    report = check(f, X, **claim)
    assert report.ok, str(report)
    assert report.kind == next(iter(claim))
    assert report.gradient_evaluations > 0


def test_a_wrong_entry_of_a_jacobian_is_named():
    def wrong(x):
        J = jacobian(x)
        J[2, 1] *= -1
        return J

    report = check(f, X, jac=wrong)
    assert report.verdict == "fail"
    assert report.fault.startswith("J[2, 1]: claimed")
    assert report.worst.index == (1,)


def test_a_transposed_jacobian_is_told_by_its_shape():
    report = check(f, X, jac=lambda x: jacobian(x).T)
    assert (report.verdict, report.kind) == ("fail", "jac")
    assert "(4, 3), expected (3, 4) (is it transposed?)" in report.reason


def test_a_wrong_vjp_and_jvp_are_named():
    def wrong(x, g):
        bar = vjp(x, g)
        bar[3] += g[1] * 0.1
        return bar

    report = check(f, X, vjp=wrong)
    assert report.verdict == "fail"
    assert "J[1, 3]: claimed" in report.fault

    def wrong_jvp(x, v):
        dy = jvp(x, v)
        dy[2] *= 1.001
        return dy

    report = check(f, X, jvp=wrong_jvp)
    assert report.verdict == "fail"
    assert "1 of 3 values have a wrong tangent, as value 2" in report.fault


def test_a_vjp_that_is_not_linear_fails():
    report = check(f, X, vjp=lambda x, g: vjp(x, g) + 1e-7 * np.sum(g**2))
    assert report.verdict == "fail"


def test_claims_of_wrong_shape_and_claims_that_raise_fail():
    report = check(f, X, jvp=lambda x, v: jvp(x, v)[:2])
    assert (report.verdict, "shape (2,), and f(x) has (3,)" in report.reason) == ("fail", True)
    report = check(f, X, vjp=lambda x, g: vjp(x, g)[:2])
    assert report.verdict == "fail"
    report = check(f, X, hvp=lambda x, v: 1 / 0) if False else check(f, X, vjp=lambda x, g: [][0])
    assert report.verdict == "fail"
    assert "IndexError" in report.reason
    assert isinstance(report.error, IndexError)


# --- both modes


def test_the_dot_test_joins_both_modes():
    report = check(f, X, vjp=vjp, jvp=jvp)
    assert kinds(report) == {"vjp": "pass", "jvp": "pass", "dot test": "pass"}
    report = check(f, X, vjp=vjp, jvp=lambda x, v: 2 * jvp(x, v))
    assert kinds(report) == {"vjp": "pass", "jvp": "fail", "dot test": "fail"}
    # wrong alike: the dot test is blind, numbers are not
    report = check(f, X, vjp=lambda x, g: 2 * vjp(x, g), jvp=lambda x, v: 2 * jvp(x, v))
    assert kinds(report) == {"vjp": "fail", "jvp": "fail", "dot test": "pass"}


def test_without_a_claim_our_own_modes_are_checked():
    report = check(f, X)
    assert kinds(report) == {"vjp": "pass", "jvp": "pass", "dot test": "pass"}
    assert report.claimed_by == "chainrule"

    def with_buffer(x, y):
        out = np.zeros(2)
        out[0] = float(x[0]) * y
        out[1] = np.sin(x[1])
        return out

    assert check(with_buffer, X, 2.0).ok
    assert check(with_buffer, X, 2.0, wrt="y").ok
    assert check(with_buffer, X, 2.0, wrt=(0, 1)).ok


# --- sparse Jacobians


def difference(x):
    return np.diff(x) ** 2


def test_sparse_jacobians_and_their_patterns():
    x = rng.standard_normal(30)

    def right(x):
        d = 2 * np.diff(x)
        return sparse.diags([-d, d], [0, 1], shape=(29, 30))

    report = check(difference, x, jac=right)
    assert report.ok, str(report)

    def missing(x):
        J = right(x).tolil()
        J[4, 5] = 0
        return sparse.csr_matrix(J)

    report = check(difference, x, jac=missing)
    assert report.verdict == "fail"
    assert report.fault.startswith("J[4, 5]: claimed 0 (not in the sparse pattern), numeric")


def test_large_jacobians_cost_some_hundred_evaluations():
    x = rng.standard_normal(3000)

    def right(x):
        d = 2 * np.diff(x)
        return sparse.diags([-d, d], [0, 1], shape=(2999, 3000), format="csr")

    report = check(difference, x, jac=right)
    assert report.ok, str(report)
    assert report.evaluations < 700


# --- trees and several arguments


def test_trees_and_several_arguments():
    def g(p, t):
        return p["a"] * np.outer(t, p["b"])

    p, t = {"a": 2.0, "b": X}, np.array([1.0, -3.0])
    assert check(g, p, t).ok
    assert check(g, p, t, jac=cr.jacobian(g)).ok
    assert check(g, p, t, wrt=(0, 1), jac=cr.jacobian(g, wrt=(0, 1))).ok
    one = lambda p, t, c: {"a": np.sum(c * np.outer(t, p["b"])), "b": p["a"] * (t @ c)}
    assert check(g, p, t, vjp=one).ok
    assert check(g, p, t, vjp=lambda p, t, c: (one(p, t, c),)).ok
    assert check(g, p, t, vjp=lambda p, t, c: {**one(p, t, c), "a": 0.0}).verdict == "fail"


def test_values_that_are_trees():
    def g(x):
        return {"s": np.sum(x**2), "x": (np.sin(x), 3.0)}

    def back(x, c):
        return 2 * x * c["s"] + np.cos(x) * c["x"][0]

    assert check(g, X, vjp=back).ok
    assert check(g, X, vjp=lambda x, c: back(x, c) + c["x"][1]).verdict == "fail"


# --- complex numbers


Z = np.array([1 + 2j, 0.5 - 1j, -0.3 + 0.1j])


def test_complex_jacobians_mean_holomorphic_functions():
    assert check(lambda z: z**2 * 1j, Z, jac=lambda z: np.diag(2j * z)).ok
    assert check(lambda z: z**2 * 1j, Z, jac=lambda z: np.diag(-2j * z)).verdict == "fail"
    assert check(lambda z: z.conj(), Z, jac=lambda z: np.eye(3)).verdict == "fail"
    assert check(lambda x: np.exp(1j * x), X, jac=lambda x: np.diag(1j * np.exp(1j * x))).ok
    assert check(lambda z: np.abs(z) ** 2, Z, jac=lambda z: np.diag(2 * z)).ok


def test_complex_vjps_and_jvps():
    square = lambda z: z**2
    assert check(square, Z, vjp=lambda z, g: np.conj(2 * z) * g, jvp=lambda z, v: 2 * z * v).ok
    assert check(square, Z, vjp=lambda z, g: 2 * z * g).verdict == "fail"
    assert check(np.conj, Z, vjp=lambda z, g: np.conj(g)).ok
    assert check(np.abs, Z).ok
    assert check(lambda z: z * np.abs(z), Z).ok


# --- second derivatives


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def gradient(x):
    from scipy.optimize import rosen_der

    return rosen_der(x)


def hessian(x):
    from scipy.optimize import rosen_hess

    return rosen_hess(x)


def product(x, v):
    return hessian(x) @ v


@pytest.mark.parametrize("grad", [None, gradient])
def test_hessians_and_products_with_and_without_a_gradient(grad):
    report = check(rosenbrock, X, grad=grad, hess=hessian, hvp=product)
    assert report.ok, str(report)
    for wrong in (lambda x: 2 * hessian(x), lambda x: hessian(x) * (1 - np.eye(4))):
        assert check(rosenbrock, X, grad=grad, hess=wrong).verdict == "fail"
        report = check(rosenbrock, X, grad=grad, hvp=lambda x, v, H=wrong: H(x) @ v)
        assert report.verdict == "fail"


@pytest.mark.parametrize("grad", [None, gradient])
def test_a_wrong_entry_of_a_hessian_is_named(grad):
    def wrong(x):
        H = hessian(x)
        H[1, 2] = 0
        return H

    report = check(rosenbrock, X, grad=grad, hess=wrong)
    part = report.parts[-1] if report.parts else report
    assert part.verdict == "fail"
    assert "H[1, 2]: claimed 0, numeric" in part.fault


def test_a_hessian_product_that_is_not_symmetric_fails():
    def wrong(x, v):
        Hv = product(x, v)
        Hv[0] += 0.3 * v[2]
        return Hv

    assert check(rosenbrock, X, grad=gradient, hvp=wrong).verdict == "fail"


def test_a_wrong_gradient_is_not_used_to_judge_its_hessian():
    report = check(rosenbrock, X, grad=lambda x: 2 * gradient(x), hess=lambda x: 2 * hessian(x))
    assert kinds(report) == {"gradient": "fail", "hess": "fail"}


def test_a_hessian_that_is_zero():
    zero = lambda x: np.zeros((4, 4))
    assert check(lambda x: 3 * x.sum(), X, hess=zero).ok
    assert check(lambda x: 3 * x.sum(), X, grad=lambda x: 3 + 0 * x, hess=zero).ok
    assert check(lambda x: 3 * x.sum(), X, hess=lambda x: zero(x) + 0.01).verdict == "fail"
    assert check(rosenbrock, X, hess=zero).verdict == "fail"


def test_our_own_hessians():
    assert check(rosenbrock, X, hess=cr.hessian(rosenbrock)).ok
    assert check(rosenbrock, X, hvp=lambda x, v: cr.hvp(rosenbrock, x, v)).ok
    tree = {"a": X, "b": 2.0}
    g = lambda p: np.sum(np.sin(p["a"])) * p["b"] ** 3
    assert check(g, tree, hvp=lambda p, v: cr.hvp(g, p, v)).ok


# --- the conventions of others


def test_value_and_gradient_in_one_function():
    def loss_and_gradient(theta):
        return rosenbrock(theta), gradient(theta)

    report = check(loss_and_gradient, X, grad=True)
    assert report.ok
    assert report.reproduce == "chainrule.check(loss_and_gradient, theta, grad=True, seed=0)"
    wrong = lambda theta: (rosenbrock(theta), gradient(theta)[::-1])
    report = check(wrong, X, grad=True)
    assert report.arguments[0].pattern == "reversed"
    with pytest.raises(InputError, match="the pair"):
        check(rosenbrock, X, grad=True)


def test_options_that_are_no_functions_are_refused():
    with pytest.raises(InputError, match="jac="):
        check(f, X, jac=jacobian(X))
    with pytest.raises(InputError, match="grad="):
        check(rosenbrock, X, grad=gradient(X))


# --- SciPy


def test_the_arguments_of_minimize():
    from scipy.optimize import rosen_hess_prod
    from scipy.sparse.linalg import aslinearoperator

    from chainrule.interop.scipy_optimize import check as check_scipy

    fun = lambda x, a: a * rosenbrock(x)
    jac = lambda x, a: a * gradient(x)
    hess = lambda x, a: a * hessian(x)
    hessp = lambda x, p, a: a * rosen_hess_prod(x, p)
    report = check_scipy(fun, X, args=(2.0,), jac=jac, hess=hess, hessp=hessp)
    assert kinds(report) == {"gradient": "pass", "hess": "pass", "hvp": "pass"}
    assert check_scipy(fun, list(X), 2.0, jac=jac).ok
    assert check_scipy(fun, X, 2.0, jac=jac, hess=lambda x, a: aslinearoperator(hess(x, a))).ok
    assert check_scipy(lambda x: (rosenbrock(x), gradient(x)), X, jac=True).ok
    assert check_scipy(fun, X, 2.0, jac="2-point").ok  # then it is ours
    assert check_scipy(fun, X, 2.0, jac=lambda x, a: gradient(x)).verdict == "fail"
    assert check_scipy(fun, X, 2.0, jac=jac, hessp=lambda x, p, a: hessp(x, p, 1)).verdict == "fail"


def test_the_arguments_of_least_squares():
    from chainrule.interop.scipy_optimize import check as check_scipy

    assert check_scipy(f, X, jac=jacobian).ok
    assert check_scipy(difference, X, jac=lambda x: sparse.csr_matrix(np.zeros((3, 4)))).verdict
    report = check_scipy(f, X, jac=lambda x: jacobian(x) * 1.01)
    assert (report.kind, report.verdict) == ("jac", "fail")


def test_functions_that_are_objects():
    class Model:
        _f = _budget = _calls = failure = None  # names that a wrapper might want

        def __init__(self, scale):
            self._f = self._calls = scale
            self.scale = scale

        def __call__(self, x):
            return self.scale * rosenbrock(x)

        def grad(self, x):
            return self.scale * gradient(x)

    model = Model(2.0)
    assert check(model, X, grad=model.grad).ok
    assert check(model, X).ok
    assert check(model.__call__, X, grad=model.grad).claimed_by.endswith("Model.grad")
