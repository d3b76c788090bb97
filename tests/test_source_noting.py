"""The log below the sweeps: what it follows, and that ordinary gradients know nothing of it."""

import math

import numpy as np
import pytest
import scipy.linalg
import scipy.signal
import scipy.spatial.distance
import scipy.special

import chainrule as cr
from chainrule.core.trace import NOTED, is_watched, peek, plain
from chainrule.explainer.log import Log
from chainrule.explainer.noted import Noted
from tests.exporting import assert_close, export, exported

POINT = np.array([0.4, 1.3, 0.7])


# ---------------------------------------------------------------- values


def test_noted_values_answer_as_arrays_and_are_seen_by_peek():
    with Log() as log:
        handle = log.input(np.ones(3))
        value = plain(handle)
        assert type(value) is Noted and isinstance(value, np.ndarray)
        assert value.shape == (3,) and value.dtype == float and len(value) == 3
        assert type(peek(handle)) is np.ndarray
        assert type(peek([handle, 1.0])[0]) is np.ndarray
        assert is_watched(handle) and not is_watched(np.ones(3))


def test_calls_are_noted_in_order_with_their_guards():
    with Log() as log:
        x = plain(log.input(np.array([1.0, -2.0])))
        y = np.where(x > 0, x, -x)
        assert bool((y > 0).all())
        y[0] = 5.0
    noted = [(c.kind, c.name) for c in log.calls.calls]
    assert noted == [
        ("call", "np.greater"), ("call", "np.negative"), ("call", "np.where"),
        ("call", "np.greater"), ("method", "all"), ("guard", "a branch"), ("set", ""),
    ]  # fmt: skip


def test_views_share_the_memory_of_what_they_are_part_of():
    with Log() as log:
        x = plain(log.input(np.ones((2, 3))))
        view, copy = x.T[1], x[[0, 1]]
    memory = log.calls.memory
    assert memory[view.number] == x.number and memory[copy.number] == copy.number


def test_gradients_are_the_same_with_and_without_the_kind_registered():
    f = lambda x: np.sum(np.array([x[0], math.sin(x[1])]) * x[:2])
    before = set(NOTED)
    with_it = cr.grad(f)(POINT)
    NOTED.clear()
    try:
        np.testing.assert_array_equal(cr.grad(f)(POINT), with_it)
    finally:
        NOTED.update(before)


def test_gradients_inside_an_exported_function_are_exported():
    f = lambda x: np.sum(cr.grad(lambda v: np.sum(v**3))(x) * x)
    assert_close(export(f, POINT)(2 * POINT)[1], 9 * (2 * POINT) ** 2)


# ---------------------------------------------------------------- what does not ask the protocols


S, V = scipy.linalg, scipy.spatial.distance
FUNCTIONS = {
    "math": lambda x: math.log(x[0]) * math.atan2(x[1], x[2]) + math.pow(x[0], 2.0),
    "float": lambda x: float(x[0]) * float(np.sum(x)) ** 2,
    "array": lambda x: np.sum(np.array([[x[0], 1.0], [x[1], x[2]]]) @ np.array([x[0], 2.0])),
    "asarray": lambda x: np.sum(np.asarray([x, 2 * x], dtype=float) ** 2),
    "full": lambda x: np.sum(np.full(3, x[0]) * x),
    "item": lambda x: x[0].item() * x.max().item(),
    "norm": lambda x: S.norm(x) + S.norm(np.outer(x, x) + np.eye(3)),
    "lfilter": lambda x: np.sum(scipy.signal.lfilter([1.0, x[0]], [1.0, 0.5], x) ** 2),
    "cdist": lambda x: np.sum(V.cdist(x[:, None], x[:2, None])),
    "pdist": lambda x: np.sum(V.pdist(np.outer(x, x))),
    "squareform": lambda x: np.sum(V.squareform(x) @ x),
    "logsumexp": lambda x: scipy.special.logsumexp(x, b=[1.0, -0.1, 1.0]),
    "softmax": lambda x: np.sum(scipy.special.softmax(x) * x),
    "lu": lambda x: np.sum(S.lu(np.outer(x, x) + np.diag([3.0, 4.0, 5.0]))[2]),
    "cho_solve": lambda x: x @ S.cho_solve(S.cho_factor(np.outer(x, x) + np.eye(3)), x),
    "solve": lambda x: x @ S.solve(np.outer(x, x) + np.eye(3), x),
    "solve_triangular": lambda x: np.sum(S.solve_triangular(np.outer(x, x) + np.eye(3), x)),
    "expm": lambda x: np.trace(S.expm(np.outer(x, x))),
    "lstsq": lambda x: np.sum(S.lstsq(np.vander(x), x**2)[0] ** 2),
    "sinc": lambda x: np.sum(np.sinc(x)),
    "einsum": lambda x: np.einsum("i,j,ij->", x, x, np.eye(3) + 1.0),
    "interp": lambda x: np.sum(np.interp([0.2, 0.9], [0.0, 0.5, 1.0], x)),
    "sort": lambda x: np.sort(x) @ np.arange(3.0) + np.median(x),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("simplify", [False, True])
def test_function_is_followed(name, simplify):
    f = FUNCTIONS[name]
    function = export(f, POINT, simplify=simplify)
    for x in (POINT, POINT + 0.01):
        assert_close(function(x), cr.value_and_grad(f)(x), ulp=1e4)


def test_data_in_lists_and_math_stays_data():
    f = lambda w, a, b: np.sum(np.array([a, 2.0 * b]) * w[:2]) + math.exp(b) * w[2]
    function = export(f, POINT, 1.0, 2.0)
    assert_close(function(POINT, 3.0, 0.5), cr.value_and_grad(f)(POINT, 3.0, 0.5))


def test_ranges_and_lists_as_indices():
    f = lambda x: np.sum(np.outer(x, x)[range(3), [2, 1, 0]])
    assert_close(export(f, POINT)(2 * POINT), cr.value_and_grad(f)(2 * POINT))


# ---------------------------------------------------------------- loops


def lines_of(text):
    return text[text.index("\ndef ") :].partition("\n\n\n")[0].count("\n")


def test_the_length_of_a_loop_does_not_change_the_length_of_the_file():
    def f(x):
        y = np.zeros(len(x))
        for i in range(1, len(x)):
            y[i] = 0.9 * y[i - 1] + np.sin(x[i])
        return np.sum(y)

    short, long = (cr.source(f, np.linspace(0, 1, n)) for n in (20, 400))
    assert lines_of(short) == lines_of(long) < 40
    assert "for i in range(2, 400):" in long  # y[0] is 0: the first turn is shorter
    x = np.linspace(1, 2, 400)
    assert_close(exported(long)[0](x), cr.value_and_grad(f)(x), ulp=1e4)


def test_a_loop_over_parameters_is_the_users_loop():
    def f(params, x):
        for w, b in params:
            x = np.tanh(w @ x + b)
        return np.sum(x)

    rng = np.random.default_rng(0)
    params = [(rng.normal(size=(3, 3)), rng.normal(size=3)) for _ in range(8)]
    text = cr.source(f, params, POINT)
    assert "for w, b in params:" in text and "w_bars" in text
    assert_close(exported(text)[0](params, POINT), cr.value_and_grad(f)(params, POINT), ulp=1e4)


def test_a_loop_over_data_keeps_its_numbers():
    data = np.random.default_rng(0).normal(size=50)

    def f(x):
        total = 0.0
        for d in data:
            total = total + np.exp(-((d - x[0]) ** 2)) * x[1]
        return total

    text = cr.source(f, POINT)
    assert lines_of(text) < 45
    assert_close(exported(text)[0](2 * POINT), cr.value_and_grad(f)(2 * POINT), ulp=1e4)
