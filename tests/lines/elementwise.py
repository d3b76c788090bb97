"""Ufuncs with ``out``, ``where``, ``dtype``, ``casting``, and their methods."""

OPTIONS = "<|, dtype=<np.float64|np.float32|np.longdouble>><|, where=m, out=np.full(s, 0.25)>"
PAIR = "<|, dtype=<np.float64|np.float32>>"
LINES = {
    "x: ? c": """
np.<sin|cos|exp|exp2|expm1|square|negative|positive|conj|conjugate|absolute|abs|arctan|atan\
|sinh|cosh|tanh|arcsinh|asinh|reciprocal|sqrt|log|log10|log2|log1p>(x)
np.<sin|cos|tan|exp|tanh|arctan|square|negative|reciprocal|conj|sqrt\
|log>(x, out=np.full(s, <0.25|1j>)<|, where=m>)
np.<real|imag|angle|sinc|nan_to_num|sign|real_if_close>(x)
np.angle(x, deg=True)
x.<real|imag|conj()|conjugate()|T>
np.emath.<sqrt|log|log2|log10|arctanh|arcsin|arccos>(x)
np.emath.logn(<2|3.5>, x)
np.emath.power(x, <2|0.5|-1>)
<x ** 2|x ** -1|2 ** x|-x|+x|abs(x)|1 / x|x ** 0.5|x ** i|x * i|i / x|i ** x>
np.nan_to_num(np.where(m, x, <np.nan|np.inf|-np.inf>)<|, nan=0.5>, posinf=2.0, neginf=-2.0<\
|, copy=False>)
""",
    "x: ?": f"""
np.<sin|cos|exp|expm1|tanh|arctan|square|cbrt|fabs|absolute|negative|reciprocal|sinh|arcsinh\
|rint|deg2rad|rad2deg|degrees|radians|exp2>(x{OPTIONS}<|, casting='same_kind'>)
np.<sin|cos|exp|square>(x, <np.zeros(s)|np.zeros((2, *s))>)
np.<modf|frexp>(x)
np.<ldexp>(x, <2|i|-1>)
np.<i0|cbrt|fabs|deg2rad|rad2deg>(x)
np.piecewise(x, [x.astype(float).__gt__(0.2)], [lambda t: t * t, lambda t: -t])
np.<round|around>(x, 1) * x
np.vectorize(lambda t: t * t + 1)(x)
np.vectorize(lambda t, u: t * u<|, otypes=[float]>)(x, <2.0|i>)
np.<heaviside|floor_divide>(x, 0.7) * x
""",
    "x: ? pos": """
np.<sqrt|log|log2|log10|log1p>(x<|, out=np.zeros(s)|, dtype=np.float32>)
np.arccosh(x + 1)
np.acosh(x + 1<|, where=m, out=np.ones(s)>)
np.kaiser(4, np.sum(x))
x ** <x|2.5|i|0>
np.emath.<log|sqrt>(-x)
""",
    "x: ? unit c": """
np.<arcsin|arccos|arctanh|asin|acos|atanh|tan>(x<|, where=m, out=np.zeros(s)>)
""",
    "x: ? c, y: ~ c": """
np.<add|subtract|multiply|divide|true_divide>(x, y<|, out=np.zeros(s)\
|, where=m, out=np.full(s, 0.3)>)
np.<maximum|minimum|fmax|fmin>(x, y)
<x + y|x - y|x * y|y / x|x * y * x>
np.<add|subtract|multiply|divide>.outer(x, y)
np.where(m, <x, y|x * y, 2.0|y, x|i, x>)
np.select([m, ~m], [x, y]<|, 0.5|, x>)
np.choose(m.astype(int), [x, y]<|, mode='wrap'|, mode='clip'>)
np.choose(i, [x, y, y * x<|, x, y>]<|, mode='wrap'|, mode='clip'>)
np.broadcast_arrays(x, y)
np.<isclose|equal|not_equal>(x, y) * x
[z := x * 1, np.copyto(z, y<|, where=m><|, casting='same_kind'>), z][-1]
np.<multiply|add>(x, y, dtype=<complex|np.complex64|np.clongdouble>)
""",
    "x: ?, y: ~": f"""
np.<add|subtract|multiply|divide|maximum|minimum|hypot|arctan2|atan2|logaddexp|logaddexp2|fmax\
|fmin|copysign|nextafter>(x, y{PAIR}<|, where=m, out=np.full(s, 0.25)>)
np.<hypot|logaddexp|arctan2|copysign|fmod|remainder>.outer(x, y)
np.<fmod|remainder|mod>(x, y<|, where=m, out=np.zeros(s)>)
np.divmod(x, y)
<x % y|divmod(x, y)|np.divmod(y, x)[1]>
np.<add|multiply|hypot|maximum>(x, <2|0.37|np.float32(1.3)|True|i|[1.5]>)
np.clip(x, y, y + <0.9|i>)
np.clip(x, <min=y|max=y|a_min=y, a_max=None>)
x.clip(<y|None>, <y + 1|2.0>)
""",
    "x: ? pos, y: ~ pos": """
np.<power|float_power|pow|logaddexp|hypot|fmod|remainder>(x, y<|, where=m, out=np.ones(s)>)
np.<power|float_power>(x, <2|-0.5|i>)
np.power.outer(x, y)
<x ** y|x ** -y|pow(x, y)>
np.emath.power(-x, y)
""",
    "x: n k": """
np.<add|multiply|maximum|minimum|logaddexp|logaddexp2|fmax|fmin|hypot>.reduce(x<|, axis=AXIS><\
|, keepdims=True><|, initial=0.7><|, where=m>)
np.<add|multiply|maximum|minimum|fmax>.reduce(x, axis=<None|(0, 1)|()><|, dtype=np.float64>)
np.<add|multiply|maximum|minimum|logaddexp|fmax|fmin|hypot|subtract|divide>.accumulate(x<\
|, axis=AXIS>)
np.<add|multiply|maximum|minimum|logaddexp|fmax|hypot>.reduceat(x, <[0]|[0, 2]|[1, 0, 1]\
|[]>, axis=AXIS)
np.<subtract|divide>.reduce(x<|, axis=AXIS>)
np.frompyfunc(lambda t: t * t + 1, 1, 1)(x).astype(float)
np.<add|multiply>.reduce(x, out=np.zeros(s[1:]))
""",
    "x: n k full": """
[z := x * 1, np.<add|subtract|multiply|divide|maximum>.at(z, <0|[0, 0]|[-1]>, <x[0]|2.0>), z][-1]
[z := x * 1, np.<add|subtract|multiply|divide|minimum>.at(z, (0, [0, -1]), <x[0, 0]|2.0\
|x[:1, :2]>), z][-1]
""",
}
