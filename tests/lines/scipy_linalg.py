"""``scipy.linalg``. Vectors enter by what does not depend on their signs and phases."""

CHECK = "<|, check_finite=<True|False>>"
OVER = "<|, overwrite_a=True>"
LINES = {
    "x: * n n full regular c short": f"""
linalg.inv(x{OVER}{CHECK})
linalg.det(x{OVER}{CHECK})
linalg.lu(x{CHECK})
linalg.lu(x, <permute_l=True|p_indices=True>)<[-1]|[-2]>
linalg.lu_factor(x{OVER}{CHECK})[0]
linalg.sqrtm(x)
linalg.<expm|cosm|sinm|tanm|sinhm|coshm|tanhm>(0.2 * x)
linalg.<svdvals>(x{CHECK})
""",
    "x: n n full regular c short": f"""
linalg.sqrtm(x)
linalg.<expm|cosm|sinm|tanm|sinhm|coshm|tanhm>(0.2 * x)
linalg.expm_frechet(0.2 * x, x.T<|, compute_expm=False><|, method='SPS'>)
linalg.fractional_matrix_power(x, <0.4|2|-1>)
linalg.polar(x<|, side=<'left'|'right'>>)
linalg.lu_solve(linalg.lu_factor(x), <np.ones(len(x))|x[0]|x.T><|, trans=<0|1|2>>)
linalg.<pinv>(x<|, rtol=1e-9><|, return_rank=True>{CHECK})
""",
    "x: * n n full regular c short, y: * n m full c short": f"""
linalg.solve(x, y<|, transposed=True>{OVER}<|, overwrite_b=True>{CHECK})
linalg.solve(x, y<|, assume_a=<'gen'|'general'>>)
""",
    "x: n n full regular c short, y: n m full c short": f"""
linalg.solve(x, y[:, 0]<|, transposed=True>{OVER}<|, overwrite_b=True>{CHECK})
linalg.solve_sylvester(x, np.triu(x.T) + np.eye(len(x)), x + 1)
linalg.solve_continuous_lyapunov(x, x.T)
linalg.solve_discrete_lyapunov(0.1 * x, x.T<|, method=<'direct'|'bilinear'>>)
linalg.orthogonal_procrustes(x, x @ x)
""",
    "x: n n full lower c short, y: n m full c short": f"""
linalg.solve_triangular(x, y<|[:, 0]><|, lower=True><|, trans=<0|1|2|'N'|'T'|'C'>><\
|, unit_diagonal=True>{CHECK})
linalg.solve(x, y, assume_a='lower triangular')
linalg.solve(x.T, y, assume_a='upper triangular')
""",
    "x: n n full spd c short, y: n m full c short": f"""
linalg.solve(x, y<|[:, 0]>, assume_a=<'pos'|'her'|'positive definite'><|, lower=True>)
linalg.cho_solve(linalg.cho_factor(x<|, lower=True>{CHECK}), y<|[:, 0]>)
linalg.cho_solve((linalg.cholesky(x, lower=True), True), y)
linalg.eigh(x<|, lower=<True|False>>, eigvals_only=True<|, subset_by_index=(0, 0)><\
|, driver=<'ev'|'evd'|'evr'>>)
linalg.eigh(x, linalg.cholesky(x) @ linalg.cholesky(x).conj().T, eigvals_only=True)
""",
    "x: * n n full spd c short": f"""
linalg.cholesky(x<|, lower=True>{OVER}{CHECK})
linalg.eigvalsh(x<|, lower=<True|False>>)
np.abs(linalg.eigh(x<|, lower=False>)[1]) ** 2
linalg.pinvh(x<|, lower=False><|, return_rank=True>)
linalg.sqrtm(x)
""",
    "x: n n full spread double": """
linalg.eigvals(x)
np.abs(linalg.eig(x<|, overwrite_a=True>)[1]) ** 2
linalg.eig(x, right=False)
""",
    "x: n k full c short": f"""
linalg.svd(x<|, full_matrices=<True|False>><|, lapack_driver=<'gesdd'|'gesvd'>>{CHECK})[1]
linalg.svd(x, compute_uv=False)
(lambda u, s, v: ((u * s) @ v, np.abs(u) ** 2, np.abs(v) ** 2))(*linalg.svd(x, full_matrices=False))
linalg.<pinv>(x<|, rtol=1e-9><|, return_rank=True>)
(lambda n: n @ n.conj().T)(linalg.<orth|null_space>(x))
linalg.polar(x)
linalg.diagsvd(x[0], len(x[0]), <4|len(x[0])>)
""",
    "x: n k full short": """
linalg.qr(x<|, mode=<'full'|'economic'|'r'>><|, pivoting=True><|, overwrite_a=True>)
""",
    "x: n full c short": """
linalg.<circulant|toeplitz|hankel|fiedler|companion>(x)
linalg.toeplitz(x, <x[::-1]|[1.0, 2.0]>)
linalg.leslie(np.r_[x, 0.3], x)
""",
    "x: 3 n full short, y: n full short": """
linalg.solve_banded((1, 1), x + [[0], [9], [0]], y<|, overwrite_ab=True><|, check_finite=False>)
linalg.solve_banded((0, 2), x + [[0], [0], [9]], y)
linalg.solveh_banded(x + [[0], [0], [9]], y<|, check_finite=False>)
linalg.solveh_banded(x + [[9], [0], [0]], y, lower=True)
""",
    "x: n k full double": """
linalg.lstsq(x, <i|x[:, 0]|np.ones((len(x), 2))><|, lapack_driver=<'gelsy'|'gelsd'|'gelss'>>)[0]
""",
    # in single precision SciPy's dtype depends on the layout in memory
    "x: n k full double c": """
linalg.norm(x<|, <2|1|np.inf|'fro'|'nuc'>><|, axis=<0|-1|(0, 1)>><|, keepdims=True>)
""",
    "x: n n full double c": """
linalg.norm(x<|, <'fro'|2|1|-1|np.inf|'nuc'>><|, axis=(0, 1)><|, keepdims=True>)
""",
    # of other matrices SciPy has fewer digits than the judge asks for
    "x: n n full spd double": "linalg.logm(x)",
}
