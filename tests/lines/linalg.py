"""``numpy.linalg``. Vectors enter by what does not depend on their signs and phases."""

RCOND = "<|, rcond=1e-9>"
LINES = {
    "x: * n n regular c": """
np.linalg.<inv|det|slogdet>(x)
np.linalg.slogdet(x)[1]
np.linalg.matrix_power(x, <2|-2|0|1|3>)
np.linalg.cond(x<|, p=<None|2|-2|1|-1|np.inf|'fro'>>)
np.linalg.<trace|diagonal>(x<|, offset=<1|-1>>)
np.linalg.matrix_transpose(x)
<x.mT|np.matrix_transpose(x)>
np.linalg.tensorinv(x<|, ind=<1|2>>)
np.linalg.pinv(x<|, rcond=1e-9|, rtol=1e-9>)
""",
    "x: * n n regular c, y: * n k c": """
np.linalg.solve(x, y)
np.linalg.solve(x, y[..., 0])
np.linalg.tensorsolve(x, y[..., 0])
""",
    "x: n n regular c, y: n c": """
np.linalg.<solve|tensorsolve>(x, y)
np.linalg.solve(x, <[1.0] * len(x)|i>)
""",
    "x: * n n spd c": """
np.linalg.cholesky(x<|, upper=True>)
np.linalg.eigvalsh(x<|, UPLO=<'U'|'l'|'x'>>)
np.abs(np.linalg.eigh(x<|, UPLO='U'>).eigenvectors) ** 2
np.linalg.<svdvals>(x)
np.linalg.svd(x, hermitian=True, compute_uv=False)
np.linalg.svd(x, hermitian=True).S
np.linalg.pinv(x, hermitian=True)
np.linalg.inv(x @ x)
""",
    "x: * n n spread": """
np.linalg.<eigvals>(x)
np.linalg.eig(x)[0]
np.abs(np.linalg.eig(x).eigenvectors) ** 2
""",
    "x: * n k c": """
np.linalg.svd(x<|, full_matrices=<True|False>>)[1]
np.linalg.<svdvals>(x)
np.linalg.svd(x, compute_uv=False)
(lambda u, s, v: ((u * s) @ v, np.abs(u) ** 2, np.abs(v) ** 2))(\
*np.linalg.svd(x, full_matrices=False))
np.linalg.norm(x<|, ord=<2|1|np.inf|-np.inf|'fro'|3|0.5|-2|None>><|, axis=AXES><|, keepdims=True>)
np.linalg.norm(x, <2|-2|'nuc'|'fro'|1|-1|np.inf|3>, axis=(-2, -1)<|, keepdims=True>)
np.linalg.matrix_norm(x<|, ord=<2|-2|'nuc'|'fro'|1|-1|np.inf>><|, keepdims=True>)
np.linalg.vector_norm(x<|, ord=<2|1|np.inf|-np.inf|3|0.5|-2|0>><|, axis=AXES><|, keepdims=True>)
""",
    "x: n k": """
np.linalg.qr(x, mode=<'reduced'|'complete'|'r'>)
np.linalg.pinv(x)
np.linalg.lstsq(x, <i|x[:, 0] * 1|np.ones((len(x), 2))>, rcond=<None|1e-9|-1>)[0]
""",
    "x: n k c, y: n m c": """
np.linalg.lstsq(x, y, rcond=None)[0]
np.linalg.lstsq(x, y[:, 0]<|, rcond=1e-9>)
np.linalg.qr(x)[1]
np.linalg.multi_dot([x.T, y])
""",
}
