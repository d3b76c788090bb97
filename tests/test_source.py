"""Exported source: the programs people write, at the point of export and at others.

Truth at other points is the eager gradient, which the test table checks against numbers; every
exported file also runs its own test (finite differences) here.
"""

import math
import sys
from dataclasses import dataclass

import numpy as np
import pytest
import scipy.linalg
import scipy.special

import chainrule as cr
from chainrule.base.errors import ProgramError
from tests.exporting import assert_close, assert_same_bits, export, exported
from tests.test_real_code import CASES

rng = np.random.default_rng(5)
X = rng.normal(size=(20, 4))
y = rng.integers(0, 3, 20)
LARGE = rng.normal(size=(40, 3))


# ---------------------------------------------------------------- code people wrote

# 2500 operations in loops whose inner lengths differ from turn to turn
UNROLLED = {"gaussian_process"}


@pytest.mark.parametrize(("f", "x"), [c for c in CASES if c.id not in UNROLLED])
def test_real_code_is_the_eager_result_to_the_last_bit(f, x):
    with np.errstate(all="ignore"):
        want = cr.value_and_grad(f)(x)
        function, _ = exported(cr.source(f, x, simplify=False))
        assert_same_bits(function(x), want)


@pytest.mark.parametrize(("f", "x"), CASES)
def test_simplified_real_code_is_a_few_ulp_away_and_passes_its_own_test(f, x):
    with np.errstate(all="ignore"):
        want = cr.value_and_grad(f)(x)
        assert_close(export(f, x)(x), want, ulp=4096)  # long recurrences add up rounding


# ---------------------------------------------------------------- programs, at other points too


def network(params, X, y):
    h = np.tanh(X @ params["W1"] + params["b1"])
    z = h @ params["W2"] + params["b2"]
    z = z - z.max(axis=1, keepdims=True)
    logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -logp[np.arange(len(y)), y].mean() + 1e-3 * np.sum(params["W1"] ** 2)


def weights(rng):
    return {
        "W1": rng.normal(size=(4, 5)),
        "b1": rng.normal(size=5),
        "W2": rng.normal(size=(5, 3)),
        "b2": rng.normal(size=3),
    }


def recurrence(x):
    h = np.zeros(len(x))
    h[0] = x[0]
    for i in range(1, len(x)):
        h[i] = 0.9 * h[i - 1] + np.sin(x[i]) * h[i - 1]
    return np.sum(h**2)


def in_place(x):
    a = np.zeros((3, 4))
    a[0] = x
    a[1:] += 2 * x
    a[:, ::2] *= x[::2]
    view = a.T
    view[1] -= a[2, 1]
    return np.sum(a * a * a)


def masks(x):
    big = np.abs(x) > 0.5
    z = np.where(big, x, x**2)
    z[z > 0] *= 2
    return np.sum(z) + np.sum(x[np.argsort(np.abs(x))][:2]) + np.sort(x)[1] * x[[0, 0, 2]].prod()


def linear_algebra(A, b):
    S = A @ A.T + 4 * np.eye(len(b))
    L = np.linalg.cholesky(S)
    w = np.linalg.eigh(S)[0]
    s = np.linalg.svd(A, compute_uv=False)
    x = np.linalg.solve(S, b)
    return x @ b + np.sum(np.log(np.diag(L))) + np.sum(w**2) * np.sum(s) + np.linalg.slogdet(S)[1]


def special(x):
    f = scipy.special
    return np.sum(f.gammaln(x) * f.erf(x) + f.expit(x) - f.xlogy(x, x + 1) + f.logsumexp(x))


def fourier(x):
    spectrum = np.fft.rfft(x)
    return np.sum(np.abs(spectrum) ** 2 * np.arange(len(spectrum))) + np.real(np.fft.ifft(x)[1])


def complex_valued(z):
    return np.sum(np.abs(z * np.exp(1j * z)) ** 2) + np.sum(np.real(z) ** 3)


def layers(params, x):
    h = x
    for w, b in params:
        h = np.tanh(h @ w + b)
    return np.sum(h * h)


def scalar_code(x):
    total = 0.0
    for i in range(len(x)):
        total += math.sin(x[i]) * float(x[0]) ** 2 + math.hypot(x[i], 1.0)
    return total / len(x)


def draw_layers(rng):
    return [(rng.normal(size=(4, 4)) / 2, rng.normal(size=4)) for _ in range(6)]


PROGRAMS = {
    "network": (network, lambda r: (weights(r), r.normal(size=(20, 4)), y)),
    "recurrence": (recurrence, lambda r: (r.normal(size=40),)),
    "in_place": (in_place, lambda r: (r.normal(size=4),)),
    "linear_algebra": (linear_algebra, lambda r: (r.normal(size=(4, 4)), r.normal(size=4))),
    "special": (special, lambda r: (r.uniform(0.5, 3, size=5),)),
    "fourier": (fourier, lambda r: (r.normal(size=8),)),
    "complex": (complex_valued, lambda r: (r.normal(size=3) + 1j * r.normal(size=3),)),
    "layers": (layers, lambda r: (draw_layers(r), r.normal(size=(3, 4)))),
    "scalar_code": (scalar_code, lambda r: (r.normal(size=5),)),
    "float32": (recurrence, lambda r: (r.normal(size=12).astype(np.float32),)),
    "scalar": (lambda x: np.sin(x) * x**2, lambda r: (r.normal(),)),
    "zero_d": (lambda x: np.exp(x) * x, lambda r: (np.array(r.normal()),)),
    "empty": (lambda x: np.sum(np.exp(x)) + 1.0, lambda r: (np.zeros(0),)),
}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("simplify", [False, True])
def test_program_holds_at_other_points(name, simplify):
    f, draw = PROGRAMS[name]
    function = export(f, *draw(np.random.default_rng(1)), simplify=simplify)
    for seed in (1, 2, 3):
        args = draw(np.random.default_rng(seed))
        assert_close(function(*args), cr.value_and_grad(f)(*args), ulp=512)


def test_masks_sorting_and_indexing_hold_at_points_of_the_same_branches():
    x = np.array([0.9, -0.2, 0.4, -1.3])
    function = export(masks, x)
    for point in (x, 1.1 * x, x + 0.01):
        assert_close(function(point), cr.value_and_grad(masks)(point))


# ---------------------------------------------------------------- other derivatives


def test_forward_mode_is_exported():
    f = lambda x: np.tanh(x @ X.T) * x[0]
    x, dx = np.array([0.3, -0.4, 0.2, 1.1]), np.array([1.0, 0.2, -0.3, 0.5])
    assert_close(export(f, x, of="jvp")(x, dx), cr.jvp(f, (x,), (dx,)))


@pytest.mark.parametrize("name", ["network", "layers", "recurrence", "special"])
def test_hessian_vector_product_is_exported(name):
    f, draw = PROGRAMS[name]
    args, tangents = draw(np.random.default_rng(1)), draw(np.random.default_rng(4))
    gradient, product = export(f, *args, of="hvp")(*args, tangents[0])
    assert_close(gradient, cr.grad(f)(*args), ulp=4096)
    rest = lambda p: f(p, *args[1:])
    want = cr.jvp(cr.grad(rest), (args[0],), (tangents[0],))[1]
    assert_close(product, want, ulp=4096)


def test_jacobian_is_exported():
    f = lambda x: np.cumsum(np.sin(x)) * x[1]
    x = np.array([0.3, -0.4, 0.2])
    value, jacobian = export(f, x, of="jacobian")(x)
    columns = [cr.jvp(f, (x,), (e,))[1] for e in np.eye(3)]
    assert_close(value, f(x))
    assert_close(jacobian, np.stack(columns, axis=1))


def test_jacobian_of_indexed_reads_starts_each_row_from_zero():
    f = lambda x: np.array([x[0] * x[1], x[1] ** 2])
    x = np.array([2.0, 3.0])
    np.testing.assert_allclose(export(f, x, of="jacobian")(x)[1], [[3.0, 2.0], [0.0, 6.0]])


def test_value_alone_is_exported():
    function = export(network, *PROGRAMS["network"][1](rng), of="value")
    args = PROGRAMS["network"][1](np.random.default_rng(9))
    assert_close(function(*args), network(*args))


def test_several_arguments_come_back_as_a_tuple():
    f = lambda a, b, c: np.sum(a * b) * c
    args = (np.ones(2), np.array([2.0, 3.0]), 0.5)
    value, (a_bar, c_bar) = export(f, *args, wrt=("a", "c"))(*args)
    np.testing.assert_allclose(a_bar, [1.0, 1.5])
    assert (value, c_bar) == (2.5, 5.0)


# ---------------------------------------------------------------- where functions come from


class Model:
    def __init__(self):
        self.scale = np.array([1.0, 2.0, 3.0])

    def loss(self, x):
        return np.sum((self.scale * x) ** 2)

    def __call__(self, x):
        return self.loss(x) + 1.0


def test_methods_callables_and_closures():
    x, model = np.array([0.1, 0.2, 0.3]), Model()
    power = 3

    def closure(x):
        return np.sum(x**power) * model.scale[1]

    for f in (model.loss, model, closure):
        assert_close(export(f, x)(2 * x), cr.value_and_grad(f)(2 * x))


def test_code_without_source():
    space = {"np": np}
    exec("def f(x):\n    t = np.sin(x)\n    return np.sum(t * t)", space)
    x = np.array([0.4, 1.2])
    assert_close(export(space["f"], x)(3 * x), cr.value_and_grad(space["f"])(3 * x))


def test_names_that_are_keywords_builtins_or_unicode():
    space = {"np": np}
    exec("def λ(θ, sum, np_):\n    max = θ * sum\n    return np.sum(max * np_)", space)
    args = (np.array([1.0, 2.0]), np.array([3.0, 4.0]), 0.5)
    assert_close(export(space["λ"], *args)(*args), cr.value_and_grad(space["λ"])(*args))


def test_names_of_the_file_itself_do_not_clash():
    def self_test(np_, _input, value):
        constant = np_ * _input
        return np.sum(constant * value)

    args = (np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.array([5.0, 6.0]))
    assert_close(export(self_test, *args)(*args), cr.value_and_grad(self_test)(*args))


@dataclass
class Params:
    w: np.ndarray


def test_dicts_lists_and_defaults():
    def f(tree, *, power=2.0):
        return np.sum(tree["a"][0] * tree["a"][1] ** power) + tree["b"]

    tree = {"b": 3.0, "a": [np.array([1.0, 2.0]), np.array([3.0, 4.0])]}
    function = export(f, tree)
    assert_close(function(tree), cr.value_and_grad(f)(tree))


def test_objects_as_arguments_are_refused_with_the_remedy():
    with pytest.raises(ProgramError, match="Pass dicts, lists"):
        cr.source(lambda p: np.sum(p.w**2), Params(np.ones(3)))


# ---------------------------------------------------------------- constants


def test_data_in_globals_keeps_its_name_and_is_stored_once():
    def loss(w):
        return np.sum((X @ w - LARGE[:20]) ** 2)

    w = np.ones((4, 3))
    text = cr.source(loss, w)
    assert text.count("_array(") <= 3  # the helper, X and LARGE[:20]
    assert "X @ w" in text and "X.T @" in text
    assert_close(exported(text)[0](w), cr.value_and_grad(loss)(w))


def test_integer_data_keeps_its_name():
    text = cr.source(lambda z: -np.mean(z[np.arange(20), y]), rng.normal(size=(20, 3)))
    assert "np.arange(20), y" in text


def test_data_passed_as_arguments_may_change():
    f = lambda w, X, y: np.sum((X @ w - y) ** 2)
    function = export(f, np.ones(4), X, y)
    other = (np.full(4, 2.0), X + 1.0, y + 1)
    assert_close(function(*other), cr.value_and_grad(f)(*other))


# ---------------------------------------------------------------- the file


def test_a_file_runs_by_itself(tmp_path):
    import subprocess

    file = tmp_path / "network.py"
    file.write_text(cr.source(network, *PROGRAMS["network"][1](rng)))
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", str(file)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "agree" in done.stdout


def test_its_own_test_fails_if_the_gradient_is_changed():
    text = cr.source(lambda x: np.sum(np.sin(x)), np.array([0.3, 0.4]))
    broken = text.replace("x_bar = np.cos(x)", "x_bar = 1.01 * np.cos(x)")
    assert broken != text
    with pytest.raises(AssertionError):
        exported(broken)[1]["self_test"]()


def test_results_share_no_memory_with_arguments_or_each_other():
    x = np.array([1.0, 2.0])
    f = lambda a, b: np.sum(a * b) + np.sum(a + b)
    function = export(f, x, x + 1, wrt=(0, 1))
    g = lambda a, b: np.sum(a) + np.sum(b)
    for exporting in (function, export(g, x, x, wrt=(0, 1))):
        _, (a_bar, b_bar) = exporting(x, x)
        assert not np.shares_memory(a_bar, b_bar) and not np.shares_memory(a_bar, x)
        a_bar += 1.0  # and may be written to


def test_unknown_kinds_are_refused():
    with pytest.raises(cr.ChainruleError, match="kind is 'numpy'"):
        cr.source(np.sum, np.ones(2), kind="fortran")
    with pytest.raises(cr.ChainruleError, match="hvp"):
        cr.source(np.sum, np.ones(2), of="integral")


# ---------------------------------------------------------------- style


def _ruff(*arguments, text):
    import subprocess

    command = [sys.executable, "-m", "ruff", *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True)


def _texts():
    draws = {name: (f, draw(np.random.default_rng(1))) for name, (f, draw) in PROGRAMS.items()}
    texts = {name: cr.source(f, *args) for name, (f, args) in draws.items()}
    texts["hvp"] = cr.source(network, *draws["network"][1], of="hvp")
    texts["jacobian"] = cr.source(lambda x: np.sin(x) * x[0], np.ones(3), of="jacobian")
    texts["data"] = cr.source(lambda w: np.sum((X @ w) ** 2), np.ones(4))
    return texts


@pytest.mark.parametrize("rules", [["--isolated"], ["--config", "pyproject.toml"]])
def test_exported_files_pass_the_linter(rules):
    pytest.importorskip("ruff")
    for name, text in _texts().items():
        done = _ruff("check", *rules, "--stdin-filename", f"{name}.py", "-", text=text)
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"


def test_exported_files_are_formatted():
    pytest.importorskip("ruff")
    for name, text in _texts().items():
        done = _ruff("format", "--diff", "--config", "pyproject.toml", "-", text=text)
        assert done.returncode == 0, f"{name}: {done.stdout}"
