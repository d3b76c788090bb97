"""Shapes, joins, parts, repetition, padding, views, and arrays made of traced numbers."""

ORDER = "<'C'|'F'|'A'|'K'>"
LINES = {
    "x: ? c": f"""
np.pad(x, <1|(0, 2)>, <'linear_ramp', end_values=0.3|'constant', constant_values=0.5|'constant'>)
np.pad(x, <1|(0, 2)|5>, <'reflect'|'symmetric'>, reflect_type='odd')
np.<linspace|geomspace>(x, x + 2<|, num=4><|, endpoint=False><|, retstep=True><|, axis=<0|-1>>)
np.logspace(x, 1<|, num=3><|, base=2.5><|, endpoint=False><|, axis=-1>)
np.full(<(2, *s)|s>, x<|, dtype=complex>)
np.full_like(x, x<|, dtype=complex>)
np.array([x, <x|2 * x|i>]<|, dtype=complex>)
np.meshgrid(x, <x|[1.0, 2.0]><|, indexing='ij'><|, sparse=True><|, copy=False>)
np.<asarray|asanyarray|array|ascontiguousarray|asfortranarray|asarray_chkfinite|require>(x) * 1
np.<asarray|array>(x<|, order={ORDER}><|, dtype=<complex|np.float32|np.longdouble>>)
np.<zeros_like|ones_like>(x<|, dtype=float><|, shape=(2, 2)>) * np.sum(x) * 0
[z := np.empty_like(x), z.__setitem__(..., x), z][-1]
np.astype(np.asarray(x), <complex|np.complex64|np.clongdouble>)
""",
    "x: n": """
np.<vander>(x<|, 3><|, increasing=True>)
np.diag(x<|, 1|, -2>)
np.tri(3) * np.sum(x)
np.r_[x, <0.5|x, 1.0|'0,2', x>]
np.c_[x, x * x]
np.ix_(x, x)
np.arange(x[0], x[0] + 3.3, <1|0.7>)
np.<fromiter>((t * t for t in x), float<|, count=-1>)
np.fromfunction(lambda a, b: a * x[0] + b, (2, 3))
np.array(<[t * 2 for t in x]|list(x)|tuple(x)|[x, x]|[[t, 1.0] for t in x]>)
np.extract(<m|m[:2]>, x)
[z := np.zeros(3), np.put(z, [0, 2], x<|, mode='wrap'>), z][-1]
[z := x * 1, np.<place|putmask>(z, m, <[0.5, 0.7]|x * 2|[]>), z][-1]
np.trim_zeros(np.concatenate([[0.0], x, [0.0]])<|, 'f'|, 'b'>)
np.block([[x, x], [2 * x, x * x]])
np.block([x, <1.0|x[:1]>])
np.poly1d(x)(0.7)
""",
    "x: n k full c": """
np.pad(x, <1|(0, 2)|((1, 2),)|0>, <'mean'|'median'|'maximum'|'minimum'><|, stat_length=2>)
np.<array|asarray|asanyarray>(x, order=<'C'|'F'|'K'>).ravel(order='K')
np.<ascontiguousarray|asfortranarray|copy>(x).ravel(order='K')
np.copy(x, order=<'C'|'F'|'A'|'K'>).ravel(order='K')
""",
    "x: n k": """
[z := x * 1, np.fill_diagonal(z, <0.5|x[0]|[1.0, 2.0]><|, wrap=True>), z][-1]
[z := x * 1, np.put_along_axis(z, np.argsort(x, axis=0), <x|2.0>, 0), z][-1]
np.take_along_axis(x, np.argsort(x, axis=AXIS), AXIS)
np.<fliplr|flipud|diagflat|hsplit|vsplit|dsplit>(x<|, 1|, [1]>)
np.<hsplit|vsplit>(x, <1|[1]|2>)
np.dsplit(x[None], [1])
np.<tril|triu>(x<|, 1|, -1|, k=2>)
np.identity(3) * np.sum(x)
np.eye(<2|3, 4>) * np.mean(x)
np.permute_dims(x, <None|(1, 0)|(0, 0)|(-1, 0)>)
np.transpose(x, <None|(1, 0)|[-1, 0]>)
x.transpose(<|1, 0|(1, 0)|None>)
np.matrix_transpose(x)
""",
    "x: n full": """
np.bincount(i, <weights=x|x><|, minlength=5>)
""",
    "x: 2 n": """
np.<vstack|hstack|dstack|column_stack|concatenate|concat|stack>(<x|list(x)|(x, 2 * x)\
|[x[0], x[1] * x[0]]>)
np.<concatenate|concat>(<x|(x, x)><|, axis=<0|1|-1|None>><|, dtype=<np.float32\
|complex>, casting='same_kind'>)
np.<ndenumerate>(x).next()[1] * 1
np.array([v * 2 for _, v in np.ndenumerate(x)])
np.array([v * 2 for v in x.flat])
np.array([v * v for v in np.nditer(np.array(x, order=<'C'|'F'>), ['refs_ok'])])
""",
}
EXACT = {
    "x: n k double full": """
x.tolist()
np.compress([True, False, True], x<|, axis=AXIS>)
x[:1, :1].item()
x.take(<[0, -1]|1><|, axis=AXIS><|, mode='clip'>)
""",
    "x: 2 3 double": """
np.lib.stride_tricks.as_strided(np.array(x), <(2, 2)|(1, 3)>, <(8, 8)|(0, 8)|(16, 8)>)
""",
    "x: ? c": f"""
np.reshape(x, <-1|(1, -1)|(-1, 2)|s[::-1]|(2, 3)><|, order={ORDER}><|, copy=True>)
x.reshape(<-1|1, -1|(2, -1)|s><|, order={ORDER}>)
np.ravel(x<|, order={ORDER}>)
x.flatten({ORDER})
np.copy(x, order={ORDER}) * 2
np.array(x<|, ndmin=2|, ndmin=4><|, order={ORDER}>)
x.astype(<np.complex128|np.clongdouble><|, order={ORDER}><|, copy=False>)
<x.T|np.transpose(x)|x.transpose(AXIS, AXIS)|np.transpose(x, (1, 0, 2))|np.matrix_transpose(x)>
np.moveaxis(x, <AXIS, AXIS|[0, 1], [1, 0]|(0, -1), (-1, 0)>)
np.swapaxes(x, AXIS, AXIS)
np.rollaxis(x, AXIS<|, AXIS>)
np.squeeze(x<|, axis=AXES>)
x.squeeze(<|AXIS>)
np.expand_dims(x, <0|-1|(0, 2)|(-1, 1)|7|(0, 0)>)
np.atleast_<1|2|3>d(x<|, 2 * x>)
np.flip(x<|, axis=AXES>)
np.rot90(x, <-1|0|1|2|5><|, axes=(0, 1)|, axes=(1, 0)|, axes=(-1, 0)|, axes=(0, 0)>)
np.roll(x, <1|-2|7|(1, 2)|0><|, axis=AXES>)
np.repeat(x, <2|0|[1, 2]|[1, 0, 3]><|, axis=AXIS>)
np.tile(x, <2|(2, 1)|(1, 2, 1)|0|()>)
np.resize(x, <3|(2, 5)|()|0>)
np.broadcast_to(x, <(2, *s)|s|(3, 1, *s)|(2, 2)>)
np.diagonal(x<|, offset=1|, offset=-3><|, axis1=AXIS, axis2=AXIS>)
np.<diag|diagflat|tril|triu>(x, <-1|0|2>)
np.take(x, <[0, 0, 2]|-1|[[1, 0]]|5|[]><|, axis=AXIS><|, mode='wrap'|, mode='clip'>)
np.delete(x, <0|[0, -1]|slice(0, 2)|[]|[True, False]|np.s_[::2]|5><|, axis=AXIS>)
np.insert(x, <0|[0, 1]|-1|[1, 1]|slice(0, 2)|9>, <0.5|[0.5, 0.7]><|, axis=AXIS>)
np.append(x, <x * 2|0.5><|, axis=AXIS>)
np.pad(x, <1|(0, 2)|((1, 2),)|0|7>, <'edge'|'reflect'|'symmetric'|'wrap'>)
np.concatenate([x, 2 * x]<|, axis=AXIS|, axis=None><|, dtype=complex>)
np.stack([x, x * x]<|, axis=AXIS|, axis=-1>)
np.<vstack|hstack|dstack|column_stack>([x, 3 * x])
np.block([[x, x], [2 * x, x * x]])
np.split(x, <2|[1]|[1, 3]|1|[]><|, axis=AXIS>)
np.array_split(x, <2|3|[2]><|, axis=AXIS>)
np.unstack(x<|, axis=AXIS>)
np.lib.stride_tricks.sliding_window_view(x, <2|1|(2, 1)|5><|, axis=AXES>)
""",
}
