"""The table: every primitive x sample x dtype, in every mode, against NumPy and against numbers.

Adding a rule and its samples adds rows here and no test code. A row is one (sample, dtype); its
modes are the tests below. A failure names primitive, sample, mode and the two numbers.
"""

import zlib
from dataclasses import dataclass
from functools import cache
from itertools import chain

import numpy as np
import pytest

import chainrule as cr
from chainrule.core.primitive import PRIMITIVES
from chainrule.core.trace import Recording, Tracer
from chainrule.transforms.door import enter
from tests.helpers import direction, flat, inner, one_sided, slope, weight
from tests.samples import Sample, collect

SAMPLES = collect()
DTYPES = {"f8": np.float64, "f4": np.float32, "c16": np.complex128}


# ---------------------------------------------------------------- rows


@dataclass(frozen=True, eq=False)
class Row:
    """A sample at operands of one dtype. ``active``: the operands that are differentiated."""

    name: str
    number: int
    sample: Sample
    dtype: str

    def __str__(self):
        return f"{self.name}-{self.number}-{self.dtype}"

    @property
    def rng(self):
        return np.random.default_rng(zlib.crc32(f"{self.name}-{self.number}".encode()))

    @property
    def active(self) -> list[int]:
        return [i for i, x in enumerate(self.sample.operands) if _is_inexact(x)]

    def operands(self, rng) -> list:
        """The operands in the row's dtype. Complex ones leave the real line by a small angle."""
        out = []
        for x in self.sample.operands:
            if not _is_inexact(x):
                out.append(x)
                continue
            x = np.array(x, copy=True)[()]
            if self.dtype == "c16" and x.dtype.kind != "c":
                x = x + 1j * (0.4 * np.abs(x) + 0.1) * rng.uniform(0.5, 1.0, x.shape)
            elif self.dtype == "f4":
                x = x.astype(np.complex64 if x.dtype.kind == "c" else np.float32)
            out.append(x)
        return out


def _is_inexact(x) -> bool:
    return (
        isinstance(x, (float, complex, np.ndarray, np.generic)) and np.asarray(x).dtype.kind in "fc"
    )


def _rows(*dtypes: str) -> list:
    rows = []
    for name, samples in sorted(SAMPLES.items()):
        for number, sample in enumerate(samples):
            has_complex = any(np.iscomplexobj(x) for x in sample.operands if _is_inexact(x))
            for dtype in dtypes:
                if dtype == "c16" and (has_complex or not sample.complex):
                    continue
                rows.append(pytest.param(row := Row(name, number, sample, dtype), id=str(row)))
    return rows


every = pytest.mark.parametrize("row", _rows("f8", "f4", "c16"))
exact = pytest.mark.parametrize("row", _rows("f8", "c16"))
double = pytest.mark.parametrize("row", _rows("f8"))
single = pytest.mark.parametrize("row", _rows("f4"))


class Call:
    """The function of the chosen operands alone; its value is always a tuple of arrays."""

    def __init__(self, row: Row, operands: list, active: list[int]):
        self.row, self.operands, self.active = row, operands, active
        self.x = [operands[i] for i in active]

    def __call__(self, *xs):
        full = list(self.operands)
        for i, x in zip(self.active, xs):
            full[i] = x
        y = self.row.sample.f(*full)
        return tuple(y) if isinstance(y, (tuple, list)) else (y,)

    def along(self, ts, shape=lambda ys: flat(ys)):
        """s -> the value at x + s t, as one vector."""
        return lambda s: shape(self(*_moved(self.x, ts, s)))


def _moved(xs, ts, s):
    return [x + s * t for x, t in zip(xs, ts)]


def _calls(row: Row, operands: list) -> list[Call]:
    """All operands together, and each one with the others constant: other masks, other plans."""
    active = row.active
    sets = [active] + ([[i] for i in active] if len(active) > 1 else [])
    return [Call(row, operands, chosen) for chosen in sets]


@cache
def _point(row: Row):
    """Operands, and for each call a tangent, the value and a cotangent: the same in all modes."""
    rng = row.rng
    operands = row.operands(rng)
    out = []
    with np.errstate(all="ignore"):
        for call in _calls(row, operands):
            ts = [direction(rng, x) for x in call.x]
            ys = call(*call.x)
            out.append((call, ts, ys, [_cotangent(rng, y) for y in ys]))
    return out


def _cotangent(rng, y):
    return direction(rng, y) if np.asarray(y).dtype.kind in "fc" else np.zeros(np.shape(y))[()]


def _pull(call, gs, xs=None):
    with np.errstate(all="ignore"):
        ys, pullback = cr.vjp(call, *(call.x if xs is None else xs))
        return ys, pullback(tuple(gs))


def _push(call, ts, xs=None):
    with np.errstate(all="ignore"):
        return cr.jvp(call, tuple(call.x if xs is None else xs), tuple(ts))


def _complain(row, call, mode, got, want, **more):
    what = "".join(f"\n  {k}: {v}" for k, v in more.items())
    note = f"\n  note: {row.sample.note}" if row.sample.note else ""
    return (
        f"{row.name}, sample {row.number} ({row.dtype}), operands {call.active}, {mode}:"
        f"\n  chainrule {got}\n  expected  {want}{what}{note}"
    )


# ---------------------------------------------------------------- samples


def test_every_primitive_has_a_sample():
    ours = {n for n, p in PRIMITIVES.items() if _is_ours(p)}
    missing = sorted(ours - set(SAMPLES))
    assert not missing, f"primitives without a sample in tests/samples: {', '.join(missing)}"


def _is_ours(primitive) -> bool:
    module = getattr(primitive.fun, "__module__", None) or "numpy"
    return module.split(".")[0] in ("chainrule", "numpy", "scipy")


@double
def test_sample_binds_its_primitive(row):
    """Filed under the right name: the primitive is in the program of f, or of its derivative."""
    if row.name not in PRIMITIVES:
        pytest.skip("a composite: no primitive of its own")
    call = _point(row)[0][0]
    with np.errstate(all="ignore"), Recording() as trace:
        ys = call(*enter(trace, call, tuple(call.x), {}, tuple(range(len(call.x)))).args)
    bound = {plan.primitive.name for plan in trace.program.plans}
    trace.program.verify()
    if row.name not in bound:
        with np.errstate(all="ignore"), Recording() as backward:
            ys, pullback = cr.vjp(call, *call.x)
            pullback(tuple(backward.input(g) for g in (_cotangent(row.rng, y) for y in ys)))
        bound |= {plan.primitive.name for plan in backward.program.plans}
    assert row.name in bound, f"sample {row.number} of {row.name} binds only {sorted(bound)}"


# ---------------------------------------------------------------- first order


@every
def test_value_and_dtype_are_numpys(row):
    for call, ts, ys, gs in _point(row):
        got, bars = _pull(call, gs)
        pushed, dys = _push(call, ts)
        for mode, values in (("value under vjp", got), ("value under jvp", pushed)):
            for a, b in zip(values, ys, strict=True):
                assert not isinstance(a, Tracer)
                assert np.shape(a) == np.shape(b), _complain(
                    row, call, mode, np.shape(a), np.shape(b)
                )
                same = np.asarray(a).dtype == np.asarray(b).dtype
                assert same, _complain(row, call, mode, np.asarray(a).dtype, np.asarray(b).dtype)
                assert np.array_equal(a, b, equal_nan=True), _complain(row, call, mode, a, b)
        for mode, derived, primals in (("cotangent", bars, call.x), ("tangent", dys, ys)):
            for a, b in zip(derived, primals, strict=True):
                assert np.shape(a) == np.shape(b), _complain(
                    row, call, mode, np.shape(a), np.shape(b)
                )
                kinds = np.asarray(a).dtype, np.asarray(b).dtype
                assert kinds[0] == kinds[1] or kinds[1].kind not in "fc", _complain(
                    row, call, mode, *kinds
                )


@exact
def test_first_order(row):
    """jvp and vjp against numbers, each other's adjoint, the vjp linear in the cotangent."""
    for call, ts, _, gs in _point(row):
        dys = _push(call, ts)[1]
        with np.errstate(all="ignore"):
            _, pullback = cr.vjp(call, *call.x)
            bars = pullback(tuple(gs))
        _check_numbers(row, call, ts, gs, dys, bars)
        _check_adjoint(row, call, ts, gs, dys, bars)
        _check_linear(row, call, gs, bars, pullback)


def _check_numbers(row, call, ts, gs, dys, bars):
    """J t entry by entry, and <g, J t> which is <vjp(g), t>, from the same values."""
    got = np.append(flat(dys), inner(bars, ts))
    modes = [f"jvp, entry {i}" for i in range(got.size - 1)] + ["<vjp(g), t>"]
    F = call.along(ts, lambda ys: np.append(flat(ys), inner(gs, ys)))
    _judge(row, call, modes, got, F)


def _judge(row, call, modes, got, F):
    estimate = slope(F)
    finite = np.isfinite(got)
    wrong, known = estimate.refutes(got) & finite, estimate.knows()
    assert not np.isnan(got).any(), _complain(row, call, "nan", got, estimate.value)
    if not row.sample.smooth and np.any(wrong | ~known):
        return _judge_kink(row, call, modes, got, F)
    if wrong.any():
        i = int(np.argmax(wrong))
        pytest.fail(
            _complain(row, call, modes[i], got[i], estimate.value[i], error=estimate.error[i])
        )
    if not row.sample.smooth:
        return None
    assert finite.all(), _complain(row, call, "not finite", got, estimate.value)
    hint = "the judge cannot tell: choose a point further from a kink or an edge, or smooth=False"
    assert known.all(), _complain(row, call, hint, got, estimate.value, error=estimate.error)
    return None


def _judge_kink(row, call, modes, got, F):
    """At a kink the derivative lies between the slopes of the two sides, where both exist."""
    right, left = one_sided(F, 1), one_sided(F, -1)
    slack = 8 * (right.error + left.error) + 1e-6 * (1 + np.abs(right.value) + np.abs(left.value))
    low = np.minimum(left.value, right.value) - slack
    high = np.maximum(left.value, right.value) + slack
    bad = right.knows() & left.knows() & ~((low <= got) & (got <= high))
    if bad.any():
        i = int(np.argmax(bad))
        between = f"between {left.value[i]} and {right.value[i]}"
        pytest.fail(_complain(row, call, modes[i], got[i], between))


def _check_adjoint(row, call, ts, gs, dys, bars):
    """<J t, g> = <t, J* g> to rounding."""
    forward, backward = inner(gs, dys), inner(ts, bars)
    if not (np.isfinite(forward) and np.isfinite(backward)):
        return  # only where the sample is not smooth: `_judge` has looked
    size = weight(gs, dys) + weight(ts, bars)
    wrong = abs(forward - backward) > 1e-12 * size + 1e-300
    assert not wrong, _complain(row, call, "<t, J* g> = <J t, g>", backward, forward, size=size)


def _check_linear(row, call, gs, bars, pullback):
    """J* (2 g - 3 h) = 2 J* g - 3 J* h, and a pullback may be called again."""
    rng = np.random.default_rng(1)
    hs = [_cotangent(rng, g) for g in gs]
    with np.errstate(all="ignore"):
        others = pullback(tuple(hs))
        both = pullback(tuple(2.0 * g - 3.0 * h for g, h in zip(gs, hs)))
        again = pullback(tuple(gs))
    for p, q, r, s in zip(bars, others, both, again):
        same = np.array_equal(p, s, equal_nan=True)
        assert same, _complain(row, call, "second pullback", s, p)
        size = np.max(np.abs(p), initial=0.0) + np.max(np.abs(q), initial=0.0)
        if np.isfinite(size):
            want = 2.0 * p - 3.0 * q
            close = np.max(np.abs(r - want), initial=0.0) <= 1e-12 * size
            assert close, _complain(row, call, "J*(2g - 3h)", r, want)


@single
def test_float32_agrees_with_float64(row):
    """In float32 as in float64 at the same numbers, up to float32 rounding."""
    for call, ts, _, gs in _point(row):
        wide = Call(row, [_wide(x) for x in call.operands], call.active)
        results = (
            ("vjp", _pull(call, gs)[1], _pull(wide, [_wide(g) for g in gs])[1]),
            ("jvp", _push(call, ts)[1], _push(wide, [_wide(t) for t in ts])[1]),
        )
        for mode, narrow, reference in results:
            for a, b in zip(narrow, reference, strict=True):
                if np.asarray(b).dtype.kind not in "fc":
                    continue
                size = np.max(np.abs(b), initial=0.0, where=np.isfinite(b))
                close = np.abs(a - b) <= 1e-3 * np.abs(b) + 2e-4 * size + 1e-30
                fine = close | ~np.isfinite(b)
                assert np.all(fine), _complain(row, call, f"float32 {mode}", a, b)


def _wide(x):
    if not _is_inexact(x):
        return x
    return np.asarray(x).astype(np.complex128 if np.iscomplexobj(x) else np.float64)[()]


# ---------------------------------------------------------------- memory


@double
def test_memory(row):
    """Neither the layout of the operands matters, nor what becomes of them afterwards."""
    point = _point(row)
    _check_layouts(row, *point[0])
    for call, _, _, gs in point:
        _check_later_changes(row, call, gs)


def _check_layouts(row, call, ts, ys, gs):
    """Strided, reversed and transposed operands give what contiguous ones give."""
    if not any(np.ndim(x) for x in call.operands):
        return
    reference = (*_pull(call, gs)[1], *_push(call, ts)[1])
    for name, arrange in LAYOUTS.items():
        operands = [arrange(x) if _is_inexact(x) and np.ndim(x) else x for x in call.operands]
        other = Call(row, operands, call.active)
        got = (*_pull(other, gs)[1], *_push(other, ts)[1])
        for a, b in zip(got, reference):
            size = np.max(np.abs(b), initial=0.0, where=np.isfinite(b))
            same = np.allclose(a, b, rtol=1e-11, atol=1e-11 * size, equal_nan=True)
            assert same, _complain(row, call, f"{name} operands", a, b)


def _check_later_changes(row, call, gs):
    """The gradient is the one at the values seen, whatever happens to the caller's arrays later."""
    operands = [np.array(x)[()] if _is_inexact(x) else x for x in call.operands]
    mine = Call(row, operands, call.active)
    with np.errstate(all="ignore"):
        ys, pullback = cr.vjp(mine, *mine.x)
        want = pullback(tuple(gs))
        for x in chain(operands, ys):
            if isinstance(x, np.ndarray) and x.dtype.kind in "fc" and x.flags.writeable:
                x[...] = 17.25
        got = pullback(tuple(gs))
    for a, b in zip(got, want):
        same = np.array_equal(a, b, equal_nan=True)
        assert same, _complain(row, call, "after changing operands", a, b)


def _strided(x):
    wide = np.full([2 * n for n in x.shape], np.nan, x.dtype)
    part = wide[tuple(slice(None, None, 2) for _ in x.shape)]
    part[...] = x
    return part


def _reversed(x):
    back = tuple(slice(None, None, -1) for _ in x.shape)
    return x[back].copy()[back]


LAYOUTS = {
    "strided": _strided,
    "reversed": _reversed,
    "transposed": lambda x: x.T.copy().T,
}


# ---------------------------------------------------------------- second order


def _scalar_of(call, ys, gs):
    """phi = Re <g, q> + |q|^2 / 2, q the value brought to size one: curved for linear f too."""
    size = max([1e-3, *(float(np.max(np.abs(y), initial=0.0)) for y in ys)])

    def phi(*xs):
        total = 0.0
        for y, g in zip(call(*xs), gs):
            if np.asarray(g).dtype.kind == "c":
                q = y * (1 / size)
                total = total + np.sum(
                    np.real(np.conj(g) * q) + 0.5 * (np.real(q) ** 2 + np.imag(q) ** 2)
                )
            elif np.any(g) or not np.size(g):
                q = y * (1 / size)
                total = total + np.sum(g * q + 0.5 * q * q)
        return total

    return phi


@exact
@pytest.mark.filterwarnings("ignore::chainrule.base.errors.IndependentOutputWarning")
def test_second_order(row):
    """Forward over reverse against numbers; equal to reverse over reverse, reverse over forward."""
    if not row.sample.smooth:
        pytest.skip(row.sample.note or "not smooth")
    call, ts, ys, gs = _point(row)[0]
    if not any(np.asarray(y).dtype.kind in "fc" for y in ys):
        pytest.skip("integers come out")
    phi = _scalar_of(call, ys, gs)
    gradient = cr.grad(phi, wrt=tuple(range(len(call.x))))
    with np.errstate(all="ignore"):
        _, over = cr.jvp(gradient, tuple(call.x), tuple(ts))
        got = flat(over)
        modes = [f"jvp of grad, entry {i}" for i in range(got.size)]
        _judge(row, call, modes, got, lambda s: flat(gradient(*_moved(call.x, ts, s))))

        _, pullback = cr.vjp(gradient, *call.x)
        twice = pullback(tuple(ts))
        mixed = cr.grad(
            lambda *xs: cr.jvp(phi, xs, tuple(ts))[1], wrt=tuple(range(len(call.x)))
        )(*call.x)  # fmt: skip
    for mode, other in (("reverse over reverse", twice), ("reverse over forward", mixed)):
        for a, b in zip(other, over, strict=True):
            size = np.max(np.abs(flat(over)), initial=0.0)
            same = np.allclose(a, b, rtol=1e-8, atol=1e-9 * size + 1e-12)
            assert same, _complain(row, call, f"{mode} and forward over reverse", a, b)
