"""Samples of Bessel, Airy, Kelvin, Struve, elliptic functions, and of polynomials' parameters."""

import numpy as np
from scipy import special

import chainrule.rules.scipy_special  # noqa: F401
from chainrule.core.primitive import FUNCTIONS
from tests.samples import sample

X = np.array([-2.3, -0.6, 0.4, 1.7])
POSITIVE = np.array([[0.2, 0.9], [1.6, 4.5]])
UNIT = np.array([0.05, 0.3, 0.6, 0.93])
ROW, COLUMN = np.array([0.4, 1.3, 2.2]), np.array([[0.7], [1.9]])
EMPTY = np.zeros(0)


def _unary(points, *functions, complex=False):
    """Each function at an array, at one of its numbers, and at an empty array."""
    return {
        f.__name__: [
            sample(f, points, complex=complex),
            sample(f, float(points.flat[1])),
            sample(f, EMPTY),
        ]
        for f in functions
    }


def _orders(points, *functions, orders=(1.3,), complex=False):
    """Functions of an order and a number."""
    return {
        f.__name__: [
            sample(lambda x, f=f, v=v: f(v, x), x, complex=complex and np.ndim(x) > 0)
            for v in orders
            for x in (points, float(points.flat[1]), EMPTY)
        ]
        for f in functions
    }


def _derivatives(points, *functions):
    """Functions of an order, a number and the number of derivatives."""
    return {
        f.__name__: [sample(lambda x, f=FUNCTIONS[f], n=n: f(1.3, x, n), points) for n in (0, 2)]
        for f in functions
    }


def _spherical(*functions):
    return {
        f.__name__: [
            sample(lambda x, f=FUNCTIONS[f], n=n, d=d: f(n, x, d), POSITIVE)
            for n in (0, 2)
            for d in (False, True)
        ]
        for f in functions
    }


def _degrees(f):
    """In the degree too, whose slope of the slope in x is that of Gegenbauer's: unknown."""
    note = "no second derivative in the degree"
    return [
        sample(lambda x: f(2.3, x), UNIT),
        sample(lambda n: f(n, UNIT), 2.3),
        sample(f, 3, UNIT),
        sample(f, 2.3, UNIT, smooth=False, note=note),
    ]


def _mathieu(x, *functions):
    """In float64: SciPy's float32 results are NaN."""
    return {f.__name__: [sample(lambda x, f=f: f(2, 0.8, x.astype(float)), x)] for f in functions}


SAMPLES = {
    **_orders(POSITIVE, special.jve, special.yve),
    **_orders(POSITIVE, special.hankel1e, special.hankel2e, complex=True),
    **_derivatives(POSITIVE, special.jvp, special.yvp, special.ivp, special.kvp),
    **_derivatives(POSITIVE, special.h1vp, special.h2vp),
    **_spherical(
        special.spherical_jn, special.spherical_yn, special.spherical_in, special.spherical_kn
    ),
    **_unary(X, special.ber, special.bei, special.berp, special.beip),
    **_unary(POSITIVE, special.ker, special.kei, special.kerp, special.keip, special.kelvin),
    **_unary(POSITIVE, special.airye),
    **_unary(POSITIVE, special.itj0y0, special.iti0k0, special.it2j0y0, special.it2i0k0),
    "itairy": [
        sample(special.itairy, POSITIVE / 3, smooth=False, note="SciPy's value has seven digits"),
        sample(special.itairy, EMPTY),
    ],
    **_unary(POSITIVE, special.itstruve0, special.it2struve0, special.itmodstruve0),
    **_orders(POSITIVE, special.struve, special.modstruve, orders=(0.0, 1.3)),
    "besselpoly": [sample(lambda a: special.besselpoly(a, 0.7, 1.4), POSITIVE)],
    # ------------------------------------------------------------ elliptic
    **_unary(UNIT, special.ellipkm1),
    "ellipkinc": [
        sample(special.ellipkinc, X, 0.4),
        sample(special.ellipkinc, 0.8, UNIT),
        sample(special.ellipkinc, COLUMN, -ROW),
    ],
    "ellipeinc": [
        sample(special.ellipeinc, X, 0.4),
        sample(special.ellipeinc, 0.8, UNIT),
        sample(special.ellipeinc, COLUMN, -ROW),
    ],
    "agm": [sample(special.agm, COLUMN, ROW), sample(special.agm, 1.3, 1.3)],
    "ellipj": [
        sample(special.ellipj, COLUMN, UNIT),
        sample(special.ellipj, -0.7, 0.3),
        sample(special.ellipj, EMPTY, 0.3),
    ],
    "elliprc": [
        sample(special.elliprc, COLUMN, ROW, complex=True),
        sample(special.elliprc, 1.3, -0.6),
        sample(special.elliprc, 1.3, 1.3),
    ],
    "elliprf": [sample(special.elliprf, COLUMN, ROW, 0.6, complex=True)],
    "elliprg": [
        sample(special.elliprg, COLUMN, ROW, 0.6, complex=True),
        sample(lambda y, z: special.elliprg(0.0, y, z), COLUMN, ROW),
    ],
    "elliprd": [
        sample(special.elliprd, COLUMN, ROW, 0.6, complex=True),
        sample(special.elliprd, 1.3, 1.3, 1.3),
        sample(lambda y, z: special.elliprd(0.0, y, z), COLUMN, ROW),
    ],
    "elliprj": [
        sample(special.elliprj, COLUMN, ROW, 0.6, 1.1, complex=True),
        sample(special.elliprj, 1.3, 1.3, 1.3, 1.3),
        sample(special.elliprj, 1.3, 0.7, 2.1, -0.9, smooth=False, note="a principal value"),
    ],
    # ------------------------------------------------------------ with their slopes
    **_orders(POSITIVE / 2, special.pbdv, special.pbvv, special.pbwa),
    **_mathieu(np.array([10.0, 70.0]), special.mathieu_cem, special.mathieu_sem),
    **_mathieu(np.array([0.3, 0.8]), special.mathieu_modcem1, special.mathieu_modcem2),
    **_mathieu(np.array([0.3, 0.8]), special.mathieu_modsem1, special.mathieu_modsem2),
    # ------------------------------------------------------------ polynomials
    "eval_chebyc": _degrees(special.eval_chebyc),
    "eval_chebys": _degrees(special.eval_chebys),
    "eval_chebyt": [*_degrees(special.eval_chebyt), sample(special.eval_chebyt, 2.3, 1.7)],
    "eval_chebyu": _degrees(special.eval_chebyu),
    "eval_sh_chebyt": _degrees(special.eval_sh_chebyt),
    "eval_sh_chebyu": _degrees(special.eval_sh_chebyu),
    "eval_sh_legendre": [
        sample(lambda x, n=n: special.eval_sh_legendre(n, x), UNIT) for n in (0, 3)
    ],
    "eval_sh_jacobi": [
        sample(lambda p, q, x, n=n: special.eval_sh_jacobi(n, p, q, x), COLUMN + 1, 0.6, UNIT)
        for n in (0, 3)
    ],
    "eval_jacobi": [
        sample(lambda a, b, x, n=n: special.eval_jacobi(n, a, b, x), COLUMN, 0.6, UNIT)
        for n in (0, 3, np.array([1, 2, 0, 4]))
    ],
    "eval_gegenbauer": [
        sample(lambda a, x, n=n: special.eval_gegenbauer(n, a, x), COLUMN, UNIT) for n in (0, 3)
    ],
    "eval_genlaguerre": [
        sample(lambda a, x, n=n: special.eval_genlaguerre(n, a, x), COLUMN, X) for n in (0, 3)
    ],
    "lpmv": [sample(lambda x, m=m: special.lpmv(m, 2.3, x), UNIT) for m in (0, 1)],
}
