"""``np.poly*``, ``poly1d`` and all of ``numpy.polynomial`` on traced coefficients and points."""

import numpy as np
import numpy.polynomial as P
import pytest
from numpy.polynomial import polyutils

import chainrule as cr
from tests.agreement import agree

X = np.linspace(0.2, 0.9, 6)
T = np.arange(6.0)
Y = np.array([1.2, 0.4, -0.3, 0.9, 2.0, 1.1])
W = np.linspace(1.0, 2.0, 6)
MATRIX = np.array([[1.0, 0.3, -0.2], [0.1, 2.0, 0.4], [0.5, -0.3, 0.7]])

OLD = {
    "polyadd": lambda x: np.polyadd(x[:2], x),
    "polysub": lambda x: np.polysub(x, x[:2] ** 2),
    "polymul": lambda x: np.polymul(x[:2], x),
    "polymul with leading zeros": lambda x: np.polymul([0.0, 0.0, 1.0], x),
    "polydiv": lambda x: np.polydiv(x, x[:3]),
    "polydiv of a shorter one": lambda x: np.polydiv(x[:2], x),
    "polydiv of numbers": lambda x: np.polydiv(x, 2.0),
    "polydiv of a constant": lambda x: np.polydiv([1.0, 2.0, 3.0], x[:2]),
    "polydiv without remainder": lambda x: np.polydiv(np.polymul(x[:3], [1.0, 2.0]), [1.0, 2.0])[0],
    "polyval": lambda x: np.polyval(x[:3], x),
    "polyval of a matrix": lambda x: np.polyval(x, x.reshape(2, 3)),
    "polyval of integers": lambda x: np.polyval(x, 3),
    "polyval of a poly1d": lambda x: np.polyval(x[:3], np.poly1d([1.0, 2.0])).coeffs,
    "polyder": lambda x: np.polyder(x),
    "polyder twice": lambda x: np.polyder(x, 2),
    "polyder to nothing": lambda x: np.append(np.polyder(x[:2], 3), x),
    "polyint": lambda x: np.polyint(x),
    "polyint twice": lambda x: np.polyint(x, 2, k=[1.0, 2.0]),
    "polyint with one traced constant": lambda x: np.polyint(x, 2, k=x[0]),
    "poly": lambda x: np.poly(x),
    "poly of complex pairs": lambda x: np.poly([x[0] + 1j * x[1], x[0] - 1j * x[1], x[2]]),
    "poly of complex roots": lambda x: np.poly(x[:3] + 1j * x[3:]),
    "poly of a matrix": lambda x: np.poly(x[:4].reshape(2, 2)),
    "roots": lambda x: np.roots(x[:4]),
    "roots with leading and trailing zeros": lambda x: np.roots([0.0, *x[:3], 0.0]),
    "polyfit": lambda x: np.polyfit(T, x, 2),
    "polyfit of the points": lambda x: np.polyfit(x, Y, 2),
    "polyfit with weights": lambda x: np.polyfit(T, Y, 2, w=x),
    "polyfit full": lambda x: np.polyfit(x, Y, 1, full=True)[:2],
    "polyfit cov": lambda x: np.polyfit(x, Y * x, 1, cov=True),
    "polyfit cov unscaled": lambda x: np.polyfit(x, Y, 1, w=W, cov="unscaled"),
    "polyfit of columns": lambda x: np.polyfit(T, np.stack([x, x**2], 1), 1, w=W, cov=True),
    "poly1d": lambda x: np.poly1d(x)(x),
    "poly1d of roots": lambda x: np.poly1d(x, r=True)(0.3),
    "poly1d product": lambda x: (np.poly1d(x[:3]) * np.poly1d(x[3:]) * 2.0).coeffs,
    "poly1d sum": lambda x: (np.poly1d(x[:3]) + np.poly1d(x[2:]) - x[0]).coeffs,
    "poly1d quotient": lambda x: (np.poly1d(x) / x[0]).coeffs,
    "poly1d power": lambda x: (np.poly1d(x[:3]) ** 3).coeffs,
    "poly1d slope and integral": lambda x: np.poly1d(x).deriv()(x) + np.poly1d(x).integ(2, 1.0)(x),
    "poly1d roots": lambda x: np.abs(np.poly1d(x[:4]).r),
    "poly1d of poly1d": lambda x: np.poly1d(x[:3])(np.poly1d(x[3:])).coeffs,
    "poly1d items": lambda x: np.poly1d(x)[2] * x,
    "functions of poly1d": lambda x: np.polymul(np.poly1d(x[:3]), x[3:]).coeffs,
}


@pytest.mark.parametrize("name", OLD)
def test_functions(name):
    agree(OLD[name], X)


def test_a_trailing_zero_is_a_root_that_moves():
    """The root at 0 of 1 t^2 - 3 t + c moves by dc / 3."""
    jacobian = cr.jacobian(lambda c: np.roots(np.stack([c * 0 + 1.0, c * 0 - 3.0, c])))(0.0)
    assert jacobian.tolist() == pytest.approx([-1 / 3, 1 / 3])


def test_equal_eigenvalues_have_a_smooth_characteristic_polynomial():
    jacobian = cr.jacobian(np.poly)(np.eye(2))
    assert np.array_equal(jacobian[1], -np.eye(2)) and np.array_equal(jacobian[2], np.eye(2))


def test_errors_are_numpys():
    for call in (
        lambda x: np.polyder(x, -1),
        lambda x: np.polyint(x, 2, k=[1.0, 2.0, 3.0][:0]),
        lambda x: np.roots(x[None]),
        lambda x: np.poly(x[None]),
        lambda x: np.polyfit(x, Y, -1),
    ):
        with pytest.raises(ValueError) as want:
            call(X)
        with pytest.raises(ValueError, match=str(want.value)[:20].replace("(", r"\(")):
            cr.grad(lambda x, call=call: call(x).sum())(X)


# ---------------------------------------------------------------- numpy.polynomial

CLASSES = {
    "call": lambda C, x: C(x)(x),
    "on a domain": lambda C, x: C(x, domain=[0, 2])(x),
    "on a traced domain": lambda C, x: C(x, domain=[x[0], 3.0])(0.7),
    "sum": lambda C, x: (C(x[:3]) + C(x) - 2.0).coef,
    "product": lambda C, x: (C(x[:3]) * C(x[3:])).coef,
    "quotient": lambda C, x: [p.coef for p in divmod(C(x), C(x[3:]))],
    "power": lambda C, x: (C(x[:3]) ** 3).coef,
    "deriv": lambda C, x: C(x).deriv(2).coef,
    "integ": lambda C, x: C(x).integ(2, k=[1, 2], lbnd=x[0]).coef,
    "fit": lambda C, x: C.fit(T, x, 2)(1.3),
    "fit of the points": lambda C, x: C.fit(x, Y, 2)(0.5),
    "roots": lambda C, x: np.abs(C(x[:4]).roots()),
    "fromroots": lambda C, x: C.fromroots(x[:3])(1.3),
    "convert": lambda C, x: C(x).convert(kind=P.Polynomial).coef,
    "linspace": lambda C, x: C(x).linspace(5)[1],
    "trim": lambda C, x: C(x).trim(1e-9).coef,
    "truncate": lambda C, x: C(x).truncate(2).coef,
    "of another": lambda C, x: C(x[:3])(C(x[3:]))(0.3),
}
KINDS = ("Polynomial", "Chebyshev", "Legendre", "Hermite", "HermiteE", "Laguerre")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CLASSES)
def test_classes(kind, name):
    f, C = CLASSES[name], getattr(P, kind)
    agree(lambda x: f(C, x), X)


MODULES = {
    "poly": P.polynomial,
    "cheb": P.chebyshev,
    "leg": P.legendre,
    "herm": P.hermite,
    "herme": P.hermite_e,
    "lag": P.laguerre,
}
SERIES = {
    "add": lambda f, x: f(x[:2], x),
    "sub": lambda f, x: f(x[:2], x),
    "mul": lambda f, x: f(x[:2], x),
    "mulx": lambda f, x: f(x),
    "div": lambda f, x: f(x, x[:3]),
    "pow": lambda f, x: f(x, 2),
    "val": lambda f, x: [f(x[:3], x), f(x[:3], x.reshape(2, 3), tensor=False)],
    "val2d": lambda f, x: f(x[:3], x[3:], x.reshape(2, 3)),
    "val3d": lambda f, x: f(x[:3], x[3:], x[:3], x.reshape(2, 3, 1)),
    "grid2d": lambda f, x: f(x[:3], x[3:], x.reshape(2, 3)),
    "grid3d": lambda f, x: f(x[:3], x[3:], x[:3], x.reshape(2, 3, 1)),
    "der": lambda f, x: [f(x, 2, scl=x[0]), f(x.reshape(3, 2), axis=0)],
    "int": lambda f, x: [f(x, 2, k=[1, x[0]], lbnd=x[1]), f(x.reshape(2, 3), axis=1)],
    "fit": lambda f, x: [f(T, x, 2), f(x, Y, [0, 2], w=x), f(T, x * Y, 2, full=True)[1][0]],
    "fromroots": lambda f, x: f(x),
    "roots": lambda f, x: [np.abs(f(x[:4])), f(x[:2])],
    "vander": lambda f, x: f(x, 3),
    "vander2d": lambda f, x: f(x, x**2, [1, 2]),
    "vander3d": lambda f, x: f(x, x**2, x**3, [1, 2, 1]),
    "companion": lambda f, x: f(x),
    "trim": lambda f, x: f(x),
    "line": lambda f, x: f(x[0], x[1]),
}


@pytest.mark.parametrize("prefix", MODULES)
@pytest.mark.parametrize("name", SERIES)
def test_series(prefix, name):
    function = getattr(MODULES[prefix], prefix + name)
    agree(lambda x: SERIES[name](function, x), X)


@pytest.mark.parametrize("prefix", [p for p in MODULES if p != "poly"])
def test_conversions_and_weights(prefix):
    module = MODULES[prefix]
    agree(lambda x: getattr(module, "poly2" + prefix)(x), X)
    agree(lambda x: getattr(module, prefix + "2poly")(x), X)
    agree(lambda x: getattr(module, prefix + "weight")(x / 2), X)


def test_what_only_some_have():
    agree(lambda x: P.polynomial.polyvalfromroots(x[:3], x[3:]), X)
    agree(lambda x: P.chebyshev.chebinterpolate(lambda t: np.sin(t * x[0]), 4), X)
    agree(lambda x: P.Chebyshev.interpolate(lambda t: np.sin(t * x[0]), 4)(0.2), X)
    agree(lambda x: P.Polynomial.cast(P.Chebyshev(x)).coef, X)


def test_utilities():
    agree(lambda x: polyutils.mapdomain(x, [0, x[0]], [1, x[1] + 3]), X)
    agree(lambda x: polyutils.mapparms([0, x[0]], [1, x[1] + 3]), X)
    agree(lambda x: polyutils.getdomain(x), X)
    agree(lambda x: polyutils.trimcoef(x), X)
    agree(lambda x: polyutils.as_series([x, x[:2]]), X)
