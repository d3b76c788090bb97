"""Products, contractions, convolutions."""

LINES = {
    "x: * n k c, y: * k m c": """
<np.matmul(x, y)|x @ y|np.linalg.matmul(x, y)>
np.matmul(x, y, <out=None|axes=[(-2, -1), (-2, -1), (-1, -2)]|dtype=np.clongdouble>)
np.einsum('...ij,...jk->...ik', x, y<|, optimize=True><|, dtype=np.clongdouble>)
np.einsum('...ij,...jk->...', x, y<|, optimize=True>)
np.einsum('...ij,...jk', x, y<|, optimize='greedy'>)
np.einsum(x, [..., 0, 1], y, [..., 1, 2]<|, [..., 2, 0]|, [...]>)
""",
    "x: n k c short, y: k m c short": """
<np.dot(x, y)|x.dot(y)>
np.linalg.multi_dot([x, y<|, y.T|, y.T, x.T>])
np.tensordot(x, y, <axes=1|1|([1], [0])|(-1, 0)|0|2>)
np.linalg.tensordot(x, y, axes=<1|0>)
np.<kron|outer>(x, y)
np.linalg.outer(x[0], y[:, 0])
""",
    "x: * n c short, y: * n c short": """
np.vecdot(x, y<|, axis=<0|-1>><|, keepdims=True>)
np.linalg.vecdot(x, y<|, axis=AXIS>)
np.<inner|vdot>(x, y)
np.dot(x, y)
np.matmul(x, y)
np.tensordot(x, y, axes=<0|([0], [0])|(-1, -1)>)
""",
    "x: * n k c short, y: * k c short": """
np.matvec(x, y)
np.matmul(x, y)
np.dot(x, y)
""",
    "x: * n c short, y: * n k c short": """
np.vecmat(x, y)
np.matmul(x, y)
""",
    "x: n 3 c short, y: n 3 c short": """
np.cross(x, y<|, axis=<0|1|-1>|, axisa=0, axisb=0|, axisc=0>)
np.linalg.cross(x, y<|, axis=<0|-1>>)
np.cross(x[0], y<|, axisb=1>)
""",
    "x: n c short, y: k c short": """
np.<convolve|correlate>(x, y<|, mode=<'full'|'same'|'valid'>>)
signal.<convolve|correlate>(x, y<|, mode=<'full'|'same'|'valid'>><|, method=<'direct'|'fft'>>)
signal.<fftconvolve|oaconvolve>(x, y<|, mode=<'full'|'same'|'valid'>><|, axes=0>)
np.<outer|kron|multiply.outer|add.outer>(x, y)
np.<polymul|polyadd|polysub>(x, y)
linalg.<toeplitz|hankel>(x<|, y>)
linalg.convolution_matrix(x, <2|5><|, mode=<'full'|'same'|'valid'>>)
""",
    "x: n k full c short, y: m l full c short": """
signal.<convolve|correlate>(x, y<|, mode=<'full'|'same'|'valid'>><|, method=<'direct'|'fft'>>)
signal.<convolve2d|correlate2d>(x, y<|, mode=<'full'|'same'|'valid'>><|, boundary=<'fill'\
|'wrap'|'symm'>><|, fillvalue=0.5>)
signal.<fftconvolve|oaconvolve>(x, y<|, mode=<'full'|'same'|'valid'>>)
np.kron(x, y)
linalg.khatri_rao(x, y)
linalg.block_diag(x, y<|, 2.0|, [1.0]>)
""",
    "x: n k full short, y: m k full short": """
linalg.khatri_rao(x, y)
signal.<fftconvolve|oaconvolve>(x, y[:1], axes=-1<|, mode='same'>)
""",
    "x: 2 5 short, y: 3 5 short": """
signal.upfirdn(x[0], y[0]<|, up=2><|, down=3>)
signal.upfirdn(x[0], y<|, up=2><|, down=3><|, axis=AXIS><|, mode='constant'>)
""",
}
