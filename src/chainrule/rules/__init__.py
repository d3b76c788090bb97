"""The derivative of each operation, stated once. Importing this package declares NumPy's rules.

SciPy's rules are declared when SciPy is imported by someone, or first needed (``scipy_lazy``).
"""

from chainrule.rules import (  # noqa: F401
    choosing,
    complexparts,
    contraction,
    creation,
    differences,
    elementwise,
    emath,
    factorizations,
    fft,
    indexing,
    joins,
    least_squares,
    lifting,
    lifting_iterators,
    lifting_numba,
    lifting_objects,
    linalg,
    matrix_class,
    nanreductions,
    nondiff,
    norms,
    polynomials,
    quantiles,
    reductions,
    scipy_lazy,
    shapes,
    sorting,
    spectral,
    statistics,
    strides,
    ufunc_methods,
)
