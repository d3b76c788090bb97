"""NumPy's functions over random shapes, axes and keyword arguments, right and wrong ones.

An example is one line of source text, which fails readably. On traced arrays it must give NumPy's
value and dtype, or NumPy's error; J* g and J t must agree with numbers and with each other.
"""

import re
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

import chainrule as cr
from tests.helpers import direction, inner, slope, weight

FEW = 40  # examples of each line of the lists below
SETTINGS = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


# ---------------------------------------------------------------- the judge


def agree(text, *operands, exact=True, **names):
    """``text`` of operands x, y, ... as on NumPy: value, dtype, error, and both derivatives."""
    code = eval(compile(f"lambda {', '.join('xyz'[: len(operands)])}: {text}", text, "eval"), {
        "np": np, **names,
    })  # fmt: skip

    def f(*xs):
        return parts(code(*xs))

    note(f"{text}   shapes {[x.shape for x in operands]}")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            want = f(*[x.copy(order="K") for x in operands])
        except Exception as error:
            with pytest.raises(type(error)):
                cr.vjp(f, *operands)
            return
        judged(text, f, operands, want, exact)


def judged(text, f, operands, want, exact):
    rng = np.random.default_rng(len(text))
    used = [np.isfinite(w) & (np.asarray(w).dtype.kind in "fc") for w in want]
    gs = [_only(direction(rng, w), u) for w, u in zip(want, used)]
    ts = [0.05 * direction(rng, x) for x in operands]  # short: kinks stay away
    narrow = "float32" in text or "'f4'" in text
    ys, pullback = cr.vjp(f, *operands)
    bars = pullback(gs)
    pushed, dys = cr.jvp(f, tuple(operands), tuple(ts))
    for values in (ys, pushed):
        for y, w in zip(values, want, strict=True):
            assert np.shape(y) == np.shape(w) and np.asarray(y).dtype == np.asarray(w).dtype
            if exact:
                assert np.array_equal(y, w, equal_nan=True), (y, w)
            close = 1e-5 if narrow else 1e-13
            np.testing.assert_allclose(y, w, rtol=close, atol=close)
    for bar, x in zip(bars, operands, strict=True):
        assert np.shape(bar) == np.shape(x) and np.asarray(bar).dtype == x.dtype
    dys = [_only(dy, u) for dy, u in zip(dys, used)]
    backward, forward = inner(bars, ts), inner(gs, dys)
    size = weight(bars, ts) + weight(gs, dys)
    assert abs(backward - forward) <= (2e-6 if narrow else 1e-12) * size + 1e-14

    def along(s):
        moved = f(*[_moved(x, s * t) for x, t in zip(operands, ts)])
        return np.array([inner(gs, [_only(y, u) for y, u in zip(moved, used)])])

    if not narrow:
        numbers = slope(along)
        assert not numbers.refutes([backward]).any(), (backward, numbers)


def _moved(x, step):
    """x + step, laid out in memory as x."""
    x = x.copy(order="K")
    x += step
    return x


def _only(y, used):
    """0 where the value is NaN, or is not differentiated at all."""
    y = np.asarray(y)
    return np.where(used, y, 0).astype(y.dtype)[()] if y.dtype.kind in "fc" else 0.0


def parts(y):
    return [p for part in y for p in parts(part)] if isinstance(y, (tuple, list)) else [y]


# ---------------------------------------------------------------- choices


class Choices:
    """Random decisions, and the text of arguments made of them."""

    def __init__(self, data):
        self.data = data

    def of(self, *options):
        return self.data.draw(st.sampled_from(options))

    def below(self, n):
        return self.data.draw(st.integers(0, max(n - 1, 0)))

    def shape(self, low=0, high=3, empty=True):
        sides = st.integers(0 if empty and self.below(6) == 0 else 1, 4)
        return tuple(self.data.draw(st.lists(sides, min_size=low, max_size=high)))

    def points(self, shape, lowest=-1.5):
        """Distinct numbers, none of them near another or near 0."""
        n = int(np.prod(shape))
        rng = np.random.default_rng(self.below(4))
        grid = lowest + 3.0 * (np.arange(n) + 0.5 + 0.3 * rng.uniform(-1, 1, n)) / max(n, 1)
        grid += np.where(grid < 0, -0.05, 0.05)
        return rng.permutation(grid).reshape(shape)

    def mask(self, shape):
        """A boolean array of this shape or one that broadcasts to it."""
        shape = tuple(n if self.below(3) else 1 for n in shape)
        return np.random.default_rng(self.below(5)).uniform(size=shape) < 0.6

    def axis(self, ndim):
        """An axis, rarely a wrong one."""
        if self.below(25) == 0:
            return self.of(ndim, -ndim - 1)
        return self.below(ndim) - self.of(0, ndim) if ndim else self.of(0, -1)

    def axes(self, ndim):
        """None, an axis, or a tuple of them in any order, rarely with one twice."""
        kind = self.of("none", "one", "some")
        if kind == "none":
            return None
        if kind == "one":
            return self.axis(ndim)
        if self.below(25) == 0:
            return (0, 0)
        order = self.data.draw(st.permutations(range(ndim)))
        return tuple(a - self.of(0, ndim) for a in order[: self.below(ndim + 1)])

    def text(self, template, ndim):
        """A template with one alternative of each ``<a|b>``, and axes for AXIS and AXES."""
        text = template
        while "<" in text:  # the inner ones first
            text = re.sub("<([^<>]*)>", lambda m: self.of(*m[1].split("|")), text)
        text = re.sub("AXES", lambda m: repr(self.axes(ndim)), text)
        return re.sub("AXIS", lambda m: repr(self.axis(ndim)), text)

    def some(self, **texts):
        """Keyword arguments as text, each given or not."""
        return "".join(f", {k}={v}" for k, v in texts.items() if v is not None and self.below(2))


def each(names):
    return pytest.mark.parametrize("name", names.split())


# ---------------------------------------------------------------- reductions

DTYPE = ("np.float64", "np.float32", "np.complex128", "float", "'f8'")


def reduction_options(c, name, shape):
    """The options of a reduction, as text."""
    options = {"keepdims": c.of("True", "False", "1")}
    if name in ("sum", "prod", "nansum", "nanprod", "mean", "nanmean"):
        options["dtype"] = c.of(*DTYPE)
    if name in ("sum", "prod", "nansum", "nanprod", "max", "min", "nanmax", "nanmin"):
        options["initial"] = c.of("0.3", "2", "-1.0", "np.float32(0.5)")
    if name in ("std", "var", "nanstd", "nanvar"):
        options["ddof"] = c.of("0", "1", "0.5")
    if name not in ("ptp", "median", "nanmedian"):
        options["where"] = "m"
    return c.some(**options)


@each("sum prod mean std var max min ptp median nansum nanprod nanmean nanstd nanvar nanmax nanmin "
      "nanmedian")  # fmt: skip
@SETTINGS
@given(st.data())
def test_reductions(name, data):
    c = Choices(data)
    shape = c.shape()
    x = c.points(shape)
    if name.startswith("nan"):
        x = np.where(np.random.default_rng(c.below(5)).uniform(size=shape) < 0.2, np.nan, x)
    options = c.some(axis=repr(c.axes(len(shape)))) + reduction_options(c, name, shape)
    is_method = hasattr(np.ndarray, name) and c.below(3) == 0
    text = f"x.{name}({options[2:]})" if is_method else f"np.{name}(x{options})"
    exact = name not in ("mean", "std", "var", "nanmean", "nanstd", "nanvar")
    agree(text, x, exact=exact and "complex" not in text and "initial" not in text, m=c.mask(shape))


@each("cumsum cumprod nancumsum nancumprod cumulative_sum cumulative_prod")
@SETTINGS
@given(st.data())
def test_cumulative(name, data):
    c = Choices(data)
    shape = c.shape()
    options = c.some(axis=c.axis(len(shape)), dtype=c.of(*DTYPE))
    if name.startswith("cumulative"):
        options += c.some(include_initial=c.of("True", "False"))
    text = (
        f"x.{name}({options[2:]})"
        if name[:3] == "cum" and "_" not in name and c.below(3) == 0
        else ""
    )
    agree(text or f"np.{name}(x{options})", c.points(shape))


@each("quantile nanquantile percentile nanpercentile")
@SETTINGS
@given(st.data())
def test_quantiles(name, data):
    c = Choices(data)
    shape = c.shape(low=1, empty=False)
    q = c.of("0.3", "[0.2, 0.9]", "np.array([[0.15], [0.62]])", "0.0", "1.0", "[]", "2.0")
    q = q if "quantile" in name else f"np.asarray({q}) * 100"
    method = c.of("'linear'", "'hazen'", "'weibull'", "'lower'", "'nearest'", "'median_unbiased'",
                  "'inverted_cdf'", "'midpoint'", "'averaged_inverted_cdf'")  # fmt: skip
    axes = c.axes(len(shape)) or None  # NumPy's shape for axis=() is that of no rule
    options = c.some(axis=repr(axes), method=method, keepdims="True")
    agree(f"np.{name}(x, {q}{options})", c.points(shape), exact=False)


@SETTINGS
@given(st.data())
def test_average(data):
    c = Choices(data)
    shape = c.shape(empty=False)
    axis = c.axis(len(shape)) if shape else None
    options = c.some(axis=axis, keepdims="True", returned="True")
    if c.below(2):
        agree(f"np.average(x{options})", c.points(shape), exact=False)
    else:
        weights = c.points(shape, lowest=0.5)
        agree(f"np.average(x, weights=y{options})", c.points(shape), weights, exact=False)


@SETTINGS
@given(st.data())
def test_norms(data):
    c = Choices(data)
    shape = c.shape(low=1, empty=False)
    order = c.of("2", "1", "np.inf", "-np.inf", "'fro'", "'nuc'", "3", "0.5", "-2", "None")
    options = c.some(ord=order, axis=repr(c.axes(len(shape))), keepdims="True")
    agree(f"np.linalg.norm(x{options})", c.points(shape), exact=False)


# ---------------------------------------------------------------- ufuncs

UNARY = "sin exp tanh arctan expm1 square cbrt absolute negative reciprocal sinh arcsinh rint"
BINARY = "add subtract multiply divide maximum minimum hypot arctan2 logaddexp fmax copysign"


@each(UNARY)
@SETTINGS
@given(st.data())
def test_unary_ufuncs(name, data):
    c = Choices(data)
    shape = c.shape()
    options = c.some(dtype=c.of("np.float64", "np.float32", "np.longdouble"), casting="'same_kind'")
    options += c.some(where="m, out=np.full(s, 0.25)")
    agree(f"np.{name}(x{options})", c.points(shape), m=c.mask(shape), s=shape)


@each(BINARY)
@SETTINGS
@given(st.data())
def test_binary_ufuncs(name, data):
    c = Choices(data)
    shape = c.shape()
    x, y = c.points(shape), c.points(shape, lowest=-1.47)
    if y.size:
        y = y[tuple(c.of(slice(None), slice(0, 1)) for _ in shape)]
        y = y.reshape(y.shape[c.below(2) * (y.ndim > 0 and y.shape[0] == 1) :])
    x, y = (x, y) if c.below(2) else (y, x)
    form = c.of("call", "call", "outer", "numbers")
    if form == "outer":
        return agree(f"np.{name}.outer(x, y)", x, y)
    if form == "numbers":
        return agree(f"np.{name}(x, {c.of('2', '0.37', 'np.float32(1.3)', 'True')})", x)
    options = c.some(dtype=c.of("np.float64", "np.float32"))
    options += c.some(where="m, out=np.full(s, 0.25)")
    m = c.mask(shape)
    return agree(f"np.{name}(x, y{options})", x, y, m=m, s=np.broadcast_shapes(x.shape, y.shape))


@each("add multiply maximum minimum logaddexp fmax hypot")
@SETTINGS
@given(st.data())
def test_ufunc_methods(name, data):
    c = Choices(data)
    shape = c.shape(low=1)
    x = c.points(shape)
    axis = c.axis(len(shape))
    method = c.of("reduce", "accumulate", "reduceat")
    if method == "reduce":
        options = c.some(axis=axis, keepdims="True", initial="0.7", where="m")
        return agree(f"np.{name}.reduce(x{options})", x, m=c.mask(shape), exact=False)
    if method == "accumulate":
        return agree(f"np.{name}.accumulate(x{c.some(axis=axis)})", x, exact=False)
    places = c.of("[0]", "[0, 2]", "[1, 0, 1]", "[]")
    return agree(f"np.{name}.reduceat(x, {places}, axis={axis})", x, exact=False)


@SETTINGS
@given(st.data())
def test_clip_and_where(data):
    c = Choices(data)
    shape = c.shape()
    low, high = c.of("-0.5", "None", "y"), c.of("0.7", "None", "y + 0.9")
    text = c.of(
        f"np.clip(x, {low}, {high})",
        f"x.clip({low}, {high})",
        f"np.clip(x, min={low}, max={high})",
        "np.where(m, x, y)",
        "np.where(m, x * y, 2.0)",
        "np.select([m, ~m], [x, y], 0.5)",
        "np.choose(m.astype(int), [x, y])",
        "np.nan_to_num(x * y)",
        "np.piecewise(x, [x > 0.2], [lambda t: t * t, lambda t: -t]) * y",
    )
    agree(text, c.points(shape), c.points(shape, lowest=-1.43), m=c.mask(shape))


# ---------------------------------------------------------------- shapes

ORDER = "<'C'|'F'|'A'|'K'>"
SHAPED = f"""
np.reshape(x, <-1|(1, -1)|(-1, 2)|x.shape[::-1]|(2, 3)><|, order={ORDER}>)
np.ravel(x<|, order={ORDER}>)
x.flatten({ORDER})
np.copy(x, order={ORDER}) * 2
np.array(x<|, ndmin=2|, ndmin=4><|, order={ORDER}><|, dtype=float|, dtype=np.float32>)
x.astype(<float|'f4'|np.complex128><|, order={ORDER}><|, copy=False>)
<x.T|np.transpose(x)|x.transpose(AXIS, AXIS)|np.transpose(x, (1, 0, 2))|np.matrix_transpose(x)>
np.moveaxis(x, AXIS, AXIS)
np.swapaxes(x, AXIS, AXIS)
np.rollaxis(x, AXIS<|, AXIS>)
np.squeeze(x<|, axis=AXES>)
np.expand_dims(x, <0|-1|(0, 2)|(-1, 1)|7>)
np.atleast_<1|2|3>d(x)
np.flip(x<|, axis=AXES>)
np.rot90(x, <-1|0|1|2|5><|, axes=(0, 1)|, axes=(1, 0)|, axes=(-1, 0)>)
np.roll(x, <1|-2|7|(1, 2)><|, axis=AXES>)
np.repeat(x, <2|0|[1, 2]|[1, 0, 3]><|, axis=AXIS>)
np.tile(x, <2|(2, 1)|(1, 2, 1)|0|()>)
np.resize(x, <3|(2, 5)|()|0>)
np.broadcast_to(x, <(2, *x.shape)|x.shape|(3, 1, *x.shape)|(2, 2)>)
np.diagonal(x<|, offset=1|, offset=-3><|, axis1=AXIS, axis2=AXIS>)
np.trace(x<|, offset=1|, offset=-3><|, axis1=AXIS, axis2=AXIS>)
np.<diag|diagflat|tril|triu>(x, <-1|0|2>)
np.take(x, <[0, 0, 2]|-1|[[1, 0]]|5|[]><|, axis=AXIS><|, mode='wrap'|, mode='clip'>)
np.compress([True, False, True], x<|, axis=AXIS>)
np.delete(x, <0|[0, -1]|slice(0, 2)|[]><|, axis=AXIS>)
np.insert(x, <0|[0, 1]|-1>, 0.5<|, axis=AXIS>)
np.append(x, x * 2<|, axis=AXIS>)
np.pad(x, <1|(0, 2)|((1, 2),)>, <'edge'|'reflect'|'symmetric'|'wrap'>)
np.pad(x, <1|(0, 2)|((1, 2),)>, <'mean'|'maximum'|'median'|'minimum'><|, stat_length=2>)
np.pad(x, <1|(0, 2)>, <'linear_ramp', end_values=0.3|'constant', constant_values=0.5>)
np.pad(x, <1|(0, 2)>, <'reflect'|'symmetric'>, reflect_type='odd')
np.concatenate([x, 2 * x]<|, axis=AXIS|, axis=None><|, dtype=np.float32|, dtype=complex>)
np.stack([x, x * x]<|, axis=AXIS|, axis=-1>)
np.<vstack|hstack|dstack|column_stack>([x, 3 * x])
np.block([[x, x], [2 * x, x * x]])
np.split(x, <2|[1]|[1, 3]|1><|, axis=AXIS>)
np.array_split(x, <2|3|[2]><|, axis=AXIS>)
np.unstack(x<|, axis=AXIS>)
np.lib.stride_tricks.sliding_window_view(x, <2|1|(2, 1)|5><|, axis=AXES>)
""".strip().splitlines()


@pytest.mark.parametrize("template", SHAPED)
@settings(SETTINGS, max_examples=FEW)
@given(st.data())
def test_shapes(template, data):
    c = Choices(data)
    x = c.points(c.shape())
    x = c.of(x, x.copy(order="F"), x[::-1] if x.ndim else x, x.T)
    if "unstack" in template and not hasattr(np, "unstack"):
        pytest.skip("NumPy 2.1")
    agree(c.text(template, x.ndim), x, exact="np.pad" not in template)


INDICES = ("0", "-1", "...", "None", "::2", "::-1", "1:", "[0, 0]", "[[0], [-1]]", "True", "m",
           "np.array([], int)", "7")  # fmt: skip


@SETTINGS
@given(st.data())
def test_reads_and_writes(data):
    c = Choices(data)
    shape = c.shape(low=1)
    index = ", ".join(c.of(*INDICES) for _ in range(1 + c.below(len(shape))))
    m = c.mask(shape[:1]) if shape[0] != 1 else np.array([True])
    text = c.of(
        f"x[{index}]",
        f"[y := x * 1, y.__setitem__(np.s_[{index}], y[{index}] * 2), y][-1]",
        f"[y := np.zeros(x.shape), y.__setitem__(np.s_[{index}], x[{index}] ** 2), y][-1]",
        f"[y := x * 1, np.add.at(y, np.s_[{index}], x[{index}]), y][-1]",
    )
    agree(text, c.points(shape), m=m, exact="add.at" not in text)


# ---------------------------------------------------------------- sorting and differences

ORDERED = """
np.sort(x<|, axis=AXIS|, axis=None><|, kind='stable'|, kind='heapsort'>)
[y := x * 1, y.sort(<|axis=AXIS>), y][-1]
np.take_along_axis(x, np.argsort(x, axis=-1), -1)
np.partition(x, <0|1|-1|(0, 2)><|, axis=AXIS|, axis=None>)
np.unique(x * 1<|, axis=AXIS>)
np.diff(x<|, n=0|, n=2|, n=5><|, axis=AXIS><|, prepend=0.3><|, append=-0.7>)
np.ediff1d(x<|, to_begin=[0.5]><|, to_end=1.5>)
np.gradient(x<|, 0.5><|, axis=AXIS><|, edge_order=2>)
np.trapezoid(x<|, dx=0.5><|, axis=AXIS>)
np.unwrap(x * 4<|, axis=AXIS><|, period=3.0>)
np.cov(x<|, rowvar=False><|, bias=True|, ddof=0>)
np.corrcoef(x<|, rowvar=False>)
np.interp(x, [-1.1, 0.04, 1.2], [0.5, 2.0, -1.0]<|, left=3.0><|, right=0.1><|, period=1.7>)
""".strip().splitlines()
ROUNDED = ("interp", "cov", "corrcoef", "gradient", "trapezoid", "unwrap")


@pytest.mark.parametrize("template", ORDERED)
@settings(SETTINGS, max_examples=FEW)
@given(st.data())
def test_order_and_differences(template, data):
    c = Choices(data)
    shape = c.shape(low=1)
    exact = not any(name in template for name in ROUNDED)
    agree(c.text(template, len(shape)), c.points(shape), exact=exact)


# ---------------------------------------------------------------- products


@SETTINGS
@given(st.data())
def test_matmul(data):
    c = Choices(data)
    lead = c.shape(high=2)
    n, k, m = (1 + c.below(3) for _ in range(3))
    x = c.points(c.of((k,), (n, k), (*lead, n, k)))
    y = c.points(c.of((k,), (k, m), (*lead, k, m), (k + 1, m)), lowest=-1.2)
    agree(c.of("np.matmul(x, y)", "x @ y", "np.dot(x, y)", "x.dot(y)"), x, y, exact=False)


@SETTINGS
@given(st.data())
def test_einsum(data):
    """Random subscripts: letters repeated within an operand, summed, kept or broadcast."""
    c = Choices(data)
    sizes = {"i": 2, "j": 3, "k": 1 + c.below(3), "l": 2}
    words = ["".join(c.of(*sizes) for _ in range(c.below(4))) for _ in range(1 + c.below(3))]
    letters = sorted(set("".join(words)))
    out = [a for a in letters if c.below(2)]
    arrow = c.of("", "->" + "".join(c.data.draw(st.permutations(out))))
    operands = [c.points(tuple(sizes[a] for a in word)) for word in words]
    text = f"np.einsum('{','.join(words)}{arrow}', {', '.join('xyz'[: len(words)])}"
    agree(text + c.some(optimize=c.of("True", "False", "'greedy'")) + ")", *operands, exact=False)


CONTRACTIONS = """
np.tensordot(x, y, axes=<0|1|2|([0], [0])|(-1, 0)|((0, -1), (0, -1))>)
np.<inner|outer|kron|vdot>(x, y)
np.vecdot(x, y<|, axis=0|, axis=-1><|, keepdims=True>)
np.<convolve|correlate>(x, y<|, mode='full'|, mode='same'|, mode='valid'>)
""".strip().splitlines()


@pytest.mark.parametrize("template", CONTRACTIONS)
@settings(SETTINGS, max_examples=FEW)
@given(st.data())
def test_contractions(template, data):
    c = Choices(data)
    s = c.shape(low=1, high=1 if "mode" in template else 3, empty=False)
    x, y = c.points(s), c.points(c.of(s, s[::-1], s[-1:]), lowest=-1.2)
    agree(c.text(template, x.ndim), x, y, exact=False)


@SETTINGS
@given(st.data())
def test_cross(data):
    c = Choices(data)
    n = 1 + c.below(3)
    x, y = c.points((n, 3)), c.points(c.of((3,), (n, 3), (3, n)), lowest=-1.2)
    axes = c.some(axis=c.of(0, -1), axisa=-1, axisb=c.of(0, -1), axisc=c.of(0, -1))
    agree(f"np.cross(x, y{axes})", x, y, exact=False)


# ---------------------------------------------------------------- Fourier transforms


@each("fft ifft rfft irfft hfft ihfft")
@settings(SETTINGS, max_examples=FEW)
@given(st.data())
def test_fft(name, data):
    c = Choices(data)
    shape = c.shape(low=1, empty=False)
    options = c.some(n=c.of(1, 3, 6, 0), axis=c.axis(len(shape)), norm=c.of(*NORMS))
    twist = c.of("", " * (1 + 0.5j)")
    agree(f"np.fft.{name}(x{twist}{options})", c.points(shape), exact=False)


NORMS = ("None", "'ortho'", "'forward'", "'backward'")


@each("fftn ifftn rfftn irfftn fft2 rfft2 irfft2 fftshift ifftshift")
@settings(SETTINGS, max_examples=FEW)
@given(st.data())
def test_fft_of_several_axes(name, data):
    c = Choices(data)
    shape = c.shape(low=1, empty=False)
    axes = c.axes(len(shape))
    if name.endswith("shift"):
        return agree(f"np.fft.{name}(x{c.some(axes=repr(axes))})", c.points(shape))
    axes = axes if isinstance(axes, tuple) or axes is None else (axes,)
    options = c.some(axes=repr(axes), s=c.of("(2, 4)", "(3,)", "(2, -1)"), norm=c.of(*NORMS))
    return agree(f"np.fft.{name}(x{options})", c.points(shape), exact=False)
