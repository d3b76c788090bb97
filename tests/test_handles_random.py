"""Random programs of views, aliases and in-place writes run the same on NumPy and on handles.

A program is source text, made one line at a time beside an execution on plain NumPy, so that every
line is valid. It uses analytic operations only: complex steps judge its gradient exactly.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.base.errors import NonDifferentiableError
from chainrule.core.indexing import has_repeats

SIZES = [(3,), (5,), (2, 3), (3, 2), (4, 1), (2, 2)]
SMALL = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
    ],
)
LARGE = settings(SMALL, max_examples=4000)


# ---------------------------------------------------------------- programs


class Choices:
    """Decisions taken from a list of numbers, 0 when it is used up: Hypothesis shrinks the list."""

    def __init__(self, numbers):
        self.numbers = iter(numbers)

    def below(self, n):
        return next(self.numbers, 0) % n

    def of(self, *options):
        return options[self.below(len(options))]


def slices(c, n):
    start, stop = (c.of("", *range(-n, n + 1)) for _ in range(2))
    return f"{start}:{stop}:{c.of('', -1, 2, -2)}"


def basic_item(c, n):
    return c.of(slices(c, n), c.below(n) - c.of(0, n)) if n and c.below(3) == 0 else slices(c, n)


def fancy_item(c, n):
    if c.below(3) == 0:
        return f"np.array({[bool(c.below(2)) for _ in range(n)]}, bool)"
    return str([c.below(n) - c.of(0, n) for _ in range(c.below(4) + 1)]) if n else "[]"


def index_text(c, shape, fancy):
    """The text of an index of an array of this shape."""
    if not shape:
        return c.of("...", "()", "None")
    items = []
    for n in shape[: len(shape) - c.below(len(shape))]:
        items.append(fancy_item(c, n) if fancy and c.below(2) else basic_item(c, n))
    for extra in ("...", "None"):
        if c.below(5) == 4:
            items.insert(c.below(len(items) + 1), extra)
    return ", ".join(map(str, items))


def statement(c, env):
    """A line that may or may not be valid: the caller tries it on NumPy."""
    names = list(env)
    kind = c.below(len(KINDS))
    a, b = names[-1 - c.below(len(names))], c.of(*names)
    shape = np.shape(env[a])
    number = c.of("0.5", "-1.25", "2", "np.float64(0.75)", "0.0")
    return KINDS[kind].format(
        a=a,
        b=b,
        new=f"v{len(names)}",
        i=index_text(c, shape, fancy=False),
        k=index_text(c, shape, fancy=False),
        j=index_text(c, shape, fancy=True),
        op=c.of("+", "-", "*"),
        n=number,
        o=c.of(b, f"{b}[{index_text(c, np.shape(env[b]), fancy=True)}]", number),
        axes=", ".join(map(str, sorted(range(len(shape)), key=lambda axis: c.below(3)))),
        sizes=c.of("-1,", "1, -1", "-1, 1", "2, -1", "-1, 2", "3, -1", ""),
    )


KINDS = [
    "{new} = {a}[{i}]",
    "{a} {op}= {o}",
    "{a}[{i}] = {o}",
    "{a}[{j}] = {o}",
    "{a}[{i}] {op}= {o}",
    "{a}[{j}] {op}= {o}",
    "{new} = {a} {op} {o}",
    "{new} = {a}",
    "{new} = {a}[{i}]",
    "{new} = {a}[{j}]",
    "{new} = {a}.transpose({axes})",
    "{new} = {a}.T",
    "{new} = {a}.reshape(({sizes}))",
    "{new} = {a}.reshape(({sizes}), order='F')",
    "{new} = {a}.ravel()",
    "{new} = {a}.flatten()",
    "{new} = {a}.squeeze()",
    "{new} = {a}.swapaxes(0, -1)",
    "{new} = {a}.copy()",
    "{new} = {a}.sum()",
    "{new} = {a}.sum(axis=0)",
    "{new} = np.sin({a})",
    "{new} = np.zeros_like({a})",
    "{new} = {a} @ {b}",
    "{a} {op}= {a}[::-1]",
    "{a} **= 2",
    "{a}[{j}] = {a}[{j}] {op} {o}",
    "{a}[{i}] = {a}[{k}]",
    "{a}[...] = np.sin({a})",
    "{a}, {b} = {b}, {a}",
    "for row in {a}: row {op}= {o}",
    "{a}.flat[::2] = {n}",
    "np.multiply({a}, {o}, out={a})",
    "np.add.at({a}, np.s_[{j}], {o})",
    "{new} = np.add({a}, {o}, where=np.indices(np.shape({a})).sum(axis=0) % 2 > 0, out={a})",
    "{new} = [row {op} {n} for row in {a}][-1]",
    # arrays of constants, and copies NumPy makes without asking the traced array
    "{new} = np.zeros(np.shape({a}))",
    "{new} = np.ones({a}.shape[:1])",
    "{new} = np.array([{a}, {b}])",
    "{new} = np.array({a})",
    "{new} = np.asarray({a})",
    "{new} = np.full((2, 3), {a}.sum())",
    "{new} = np.concatenate([{a}, {b}])",
    "{new} = np.array([{a}.sum(), {n}, {b}.sum()])",
    "{new} = CONSTANT[{i}]",
    "{new} = CONSTANT.copy()",
    "{a}[{i}] = CONSTANT[0]",
    "{a} {op}= CONSTANT",
    "{new} = PART",
    "PART[{j}] = {o}",
    "PART[...] {op}= {o}",
]
FIXED = np.array([[0.3, -0.7, 1.1], [0.2, 0.9, -0.4]])


def captured(dtype):
    """Globals of a program: arrays of the caller, one a view of another, that it may write into."""
    constant = FIXED.astype(dtype)
    return {"FIXED": FIXED, "CONSTANT": constant, "PART": constant[:, ::2]}


@st.composite
def programs(draw):
    """(source lines, x): lines that run on NumPy and stay of moderate size."""
    shape = draw(st.sampled_from(SIZES))
    x = np.linspace(-0.9, 1.1, 6)[: int(np.prod(shape))].reshape(shape)
    lines, env = [], {"x": x.copy()}
    for numbers in draw(st.lists(st.lists(st.integers(0, 999), max_size=30), max_size=9)):
        line = statement(Choices(numbers), env)
        trial = _run([*lines, line], x)
        if trial is not None and all(
            np.size(v) <= 24 and np.all(np.abs(v) < 8) for v in trial.values()
        ):
            lines.append(line)
            env = trial
    return lines, x


def _run(lines, x):
    """The variables after the lines, on plain NumPy; None if NumPy refuses them."""
    env = {"x": np.array(x, complex)}  # complex: nothing may refuse a complex step later
    try:
        exec("\n".join(lines), {"np": COMPLEX, **captured(complex)}, env)
    except (ValueError, TypeError, IndexError, AttributeError):
        return None
    return {k: v for k, v in env.items() if k != "row"}


def _complex(make):
    return lambda *args: np.array(make(*args), complex)


# NumPy whose new arrays can hold a complex step.
COMPLEX = SimpleNamespace(**vars(np))
COMPLEX.zeros, COMPLEX.ones = _complex(np.zeros), _complex(np.ones)


def function(lines, names, numpy=np):
    """The program as a function of x; it returns all its variables."""
    first = "CONSTANT[...] = FIXED"  # what an earlier call wrote into it must not matter
    body = "\n    ".join([first, *lines, f"return ({', '.join(names)},)"])
    source = f"def f(x):\n    {body}"
    scope = {"np": numpy, **captured(float if numpy is np else complex)}
    exec(source, scope)
    return scope["f"], source


# ---------------------------------------------------------------- the laws


def check(program):
    lines, x = program
    names = list(_run(lines, x))
    f, source = function(lines, names)
    stepped, _ = function(lines, names, COMPLEX)
    want = [v.copy() for v in f(x.copy())]  # some lie in CONSTANT, which the next call overwrites
    weights = [
        np.cos(1.0 + k + np.arange(np.size(v))).reshape(np.shape(v)) for k, v in enumerate(want)
    ]

    def total(z, f=f):
        return sum(np.sum(w * v) + 0.3 * np.sum(v * v) for w, v in zip(weights, f(z)))

    before = x.copy()
    try:
        got, _ = cr.vjp(f, x)
    except (
        NonDifferentiableError
    ) as e:  # np.float64(1)[...] is an array that nobody sees being made
        assume("a plain array of shape ()" not in str(e))
        raise
    forward, _ = cr.jvp(f, (x,), (np.ones_like(x),))
    for name, p, q, r in zip(names, want, got, forward):
        for mode, v in (("vjp", q), ("jvp", r)):
            assert np.shape(p) == np.shape(v), f"{mode}: shape of {name} {np.shape(v)}\n{source}"
            assert np.array_equal(p, v), f"{mode}: {name} is {v}, not {p}\n{source}"
            assert isinstance(p, np.ndarray) == isinstance(v, np.ndarray), (
                f"{mode}: {type(v)} {name}\n{source}"
            )

    def complex_step(z):
        g = np.empty(z.shape)
        for i in np.ndindex(*z.shape):
            e = np.zeros(z.shape, complex)
            e[i] = 1e-30j
            g[i] = total(z + e, stepped).imag / 1e-30
        return g

    gradient = cr.grad(total)
    numbers = complex_step(x)
    _equal("grad", gradient(x), numbers, 1e-11, source)
    t = np.sin(2.0 + np.arange(x.size)).reshape(x.shape)
    _equal("jvp", cr.jvp(total, (x,), (t,))[1], np.sum(numbers * t), 1e-11, source)
    curve = cr.jvp(gradient, (x,), (t,))[1]
    h = 4e-4  # five points, error h^4: the gradients are exact
    near = complex_step(x + h * t) - complex_step(x - h * t)
    far = complex_step(x + 2 * h * t) - complex_step(x - 2 * h * t)
    _equal("jvp of grad", curve, (8 * near - far) / (12 * h), 1e-6, source)
    _equal("vjp of grad", cr.vjp(gradient, x)[1](t)[0], curve, 1e-10, source)
    mixed = cr.grad(lambda z: cr.jvp(total, (z,), (t,))[1])(x)
    _equal("grad of jvp", mixed, curve, 1e-10, source)
    assert np.array_equal(x, before), f"x was changed\n{source}"


def _equal(mode, got, want, rtol, source):
    scale = 1 + np.max(np.abs(want), initial=0.0)
    assert np.shape(got) == np.shape(want), f"{mode}: {np.shape(got)}\n{source}"
    assert np.max(np.abs(got - want), initial=0.0) <= rtol * scale, (
        f"{mode}: {got}, not {want}\n{source}"
    )


quiet = pytest.mark.filterwarnings("ignore::chainrule.base.errors.IndependentOutputWarning")


@quiet
@SMALL
@given(programs())
def test_programs_run_as_on_numpy(program):
    check(program)


@quiet
@pytest.mark.slow
@LARGE
@given(programs())
def test_many_programs_run_as_on_numpy(program):
    check(program)


@SMALL
@given(st.data())
def test_repeats_of_an_index(data):
    """``has_repeats`` against counting."""
    shape = data.draw(st.sampled_from([(3,), (2, 3), (2, 3, 2)]))
    choices = Choices(data.draw(st.lists(st.integers(0, 999), max_size=40)))
    index = eval(f"np.index_exp[{index_text(choices, shape, fancy=True)}]", {"np": np})
    x = np.arange(int(np.prod(shape))).reshape(shape)
    try:
        picked = x[index].ravel()
    except IndexError:
        return
    assert has_repeats(index, shape) == (np.unique(picked).size < picked.size) or picked.size == 0
