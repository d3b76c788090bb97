"""Sorted values, sets, differences, integrals of samples, histograms, interpolation."""

EXACT = {
    "x: ?": """
np.sort(x<|, axis=AXIS|, axis=None><|, kind='stable'|, kind='heapsort'|, stable=True>)
[z := x * 1, z.sort(<|axis=AXIS>), z][-1]
np.partition(x, <0|1|-1|(0, 2)><|, axis=AXIS|, axis=None>)
np.unique(x * 1<|, axis=AXIS><|, return_index=True><|, return_inverse=True><\
|, return_counts=True>)
np.unique_<all|counts|inverse|values>(x)
np.union1d(x, <x|[0.1, 0.2]|2 * x>)
np.intersect1d(x, <x|np.r_[x.ravel()[1:], 0.3]><|, return_indices=True>)
np.setdiff1d(x, <[0.1]|x.ravel()[:1]>)
np.setxor1d(x, <[0.1]|x.ravel()[:1]>)
""",
    "x: n k": """
[z := x * 1, z.partition(1<|, axis=AXIS>), z][-1]
""",
    "x: ? c": """
np.diff(x<|, n=<0|2|5|-1>><|, axis=AXIS><|, prepend=0.3><|, append=-0.7>)
np.ediff1d(x<|, to_begin=<[0.5]|[[1.0]]>><|, to_end=1.5>)
np.sort_complex(x)
""",
}
LINES = {
    "x: ? c": """
np.gradient(x<|, 0.5><|, axis=<AXIS|(0, 1)>><|, edge_order=2>)
np.trapezoid(x<|, dx=0.5><|, axis=AXIS>)
integrate.<trapezoid|simpson|cumulative_trapezoid>(x<|, dx=0.5><|, axis=AXIS>)
integrate.cumulative_trapezoid(x<|, dx=0.5><|, axis=AXIS>, initial=0)
""",
    "x: ?": """
np.unwrap(x * 4<|, axis=AXIS><|, period=3.0><|, discont=4.0>)
np.interp(x, [-1.1, 0.04, 1.2], [0.5, 2.0, -1.0]<|, left=3.0><|, right=0.1><|, period=1.7>)
integrate.cumulative_simpson(x<|, dx=0.5><|, axis=AXIS><|, initial=0>)
np.<digitize|searchsorted>(<x, [0.0, 1.0]|[0.0, 1.0], x>) * np.sum(x)
""",
    "x: n k c": """
np.cov(x<|, rowvar=False><|, bias=True|, ddof=0><|, fweights=i[0]><|, aweights=1.5 * i[0]>)
np.corrcoef(x<|, rowvar=False>)
np.<cov|corrcoef>(x, <x[0]|2 * x ** 2>)
""",
    "x: * n, y: n rising": """
np.trapezoid(x, y<|, axis=-1>)
np.gradient(x, y<|, axis=-1><|, edge_order=2>)
integrate.<trapezoid|simpson|cumulative_trapezoid|cumulative_simpson>(x, x=y)
integrate.<cumulative_trapezoid|cumulative_simpson>(x, x=y, initial=0)
np.interp(0.3 * x, y, <np.arange(y.size)|y * y><|, period=9.0>)
""",
    "x: n, y: n": """
np.histogram(x, bins=<3|[-1.0, 0.0, 0.7]><|, weights=y><|, density=True><|, range=(-2, 2)>)
np.histogram2d(x, y, bins=3<|, weights=x * y><|, density=True>)
np.histogramdd((x, y), bins=(3, 5)<|, weights=y>)
np.histogram_bin_edges(x, bins=<4|[0.0, 0.5]><|, range=(-1, 2)>)
np.cov(x, y<|, ddof=0>)
np.interp(x, <[-1.0, 0.3, 1.0]>, [0.0, 1.0, y[0]])
""",
    "x: 3 n": """
integrate.romb(np.concatenate([x, x[:2]]), <dx=0.5|1.0>, axis=0)
integrate.fixed_quad(lambda t: t * x[0, 0], 0.0, x[1, 0]<|, n=3>)[0]
""",
}
