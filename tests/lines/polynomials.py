"""Polynomials in six bases, their classes, and the old functions of NumPy."""

BASES = {
    "polynomial": ("poly", "Polynomial"),
    "chebyshev": ("cheb", "Chebyshev"),
    "legendre": ("leg", "Legendre"),
    "hermite": ("herm", "Hermite"),
    "hermite_e": ("herme", "HermiteE"),
    "laguerre": ("lag", "Laguerre"),
}


def each(lines, bases=tuple(BASES)):
    """The lines for each basis: M.F_val its module's val (polyval, chebval, ...), P.C its class."""
    for basis in bases:
        functions, name = BASES[basis]
        for line in lines.strip().splitlines():
            line = line.replace("M.F_", f"P.{basis}.{functions}")
            yield line.replace("P.C", f"P.{name}").replace("P.", "np.polynomial.")


def joined(*parts):
    return "\n".join(line for part in parts for line in part)


OTHERS = tuple(basis for basis in BASES if basis != "polynomial")
LINES = {
    "x: n full c": joined(
        each("""
M.F_val(x, <[1.0, -0.5, 2.0]|x|[0.3]>)
M.F_<add|sub|mul|div>(x, [0.5, 1.0<|, 0.7>])
M.F_<der|int>(x<|, m=<0|1|2>><|, scl=2.0>)
M.F_int(x, k=[0.3]<|, lbnd=0.2>)
M.F_pow(x, <0|1|2|3>)
M.F_mulx(x)
M.F_line(x[0], x[-1])
M.F_vander(x, <0|1|3>)
M.F_fromroots(x)
M.F_trim(x<|, tol=1e-5>)
"""),
        (
            f"np.polynomial.{basis}.<poly2{BASES[basis][0]}|{BASES[basis][0]}2poly>(x)"
            for basis in OTHERS
        ),
        """
np.polynomial.polyutils.<as_series([x])|trimseq(x)|trimcoef(x)|getdomain(x)>
np.polynomial.polyutils.mapdomain(x, [0.0, <1.0|x[0]>], [-1.0, 2.0])
np.polynomial.polyutils.mapparms([0.0, x[0]], [-1.0, 2.0])
np.polyval(x, <0.7|[1.0, -0.5]|x>)
np.<polyadd|polysub|polymul>(x, [0.5, 1.0])
np.polyder(x<|, 2|, 0>)
np.polyint(x<|, 2|, 2, [0.5, 0.7]>)
np.poly(x)
np.poly1d(x)(<0.7|x>)
np.poly1d(x).<deriv()|integ()>.coeffs
""".strip().splitlines(),
    ),
    "x: n full": joined(
        each("""
M.F_vander2d(x, x, [1, 2])
M.F_valnd((x, 2 * x), [[1.0, -0.5], [0.3, 2.0]])
M.F_vander3d(x, x, x, [1, 0, 1])
M.F_companion(np.r_[x, 1.5, 2.0])
M.F_roots([1.0, -3.5, x[0] * 0.1, 1.0])
M.F_fit(np.arange(5.0), np.r_[x[0], 1, 2, x[0] ** 2, 1], <2|[0, 2]><|, w=[1, 2, 1, 2, 1.5]>)
"""),
        each("M.F_weight(x * 0.3)", OTHERS),
        """
np.polynomial.polynomial.polyvalfromroots(<x, [0.3, 0.4]|0.7, x>)
np.polynomial.chebyshev.chebinterpolate(lambda t: t * x[0], 3)
np.roots(np.r_[1.0, -3.5, 0.1 * x[0], 1.0])
np.polyfit(np.arange(5.0), np.r_[x[0], 1, 2, x[0] ** 2, 1], 2<|, w=[1, 2, 1, 2, 1.5]><\
|, cov=True>)
""".strip().splitlines(),
    ),
    "x: n k full": joined(
        each("""
M.F_val(<x[0], x|0.3, x|x, x>)
M.F_val(x[:, 0], x, tensor=True)
M.F_<val2d|grid2d>(x[0], 2 * x[0], x)
M.F_<val3d|grid3d>(x[0], 2 * x[0], 0.3 * x[0], x[:, :, None] * [1.0, 2.0])
M.F_<der|int>(x<|, m=2><|, axis=AXIS>)
"""),
    ),
    "x: n full double": joined(
        each("""
P.C(x<|, domain=[-2, 3]><|, window=[-1, 2]>)(0.4)
(P.C(x) <+|-|*> P.C(x[::-1])).coef
P.C(x).<deriv(1)|integ(1)|integ(2, k=[0.5], lbnd=0.1)|copy()|truncate(2)|cutdeg(1)>.coef
P.C(x).linspace(3)
P.C.fit([0.1, 0.5, 0.7, 1.2], np.r_[x[:1], 1, x[:1], 2], 2).coef
(P.C(x) ** 2)(np.array([0.1, x[0]]))
(P.C(x) // P.C([1.0, 2.0])).coef
P.C(x).convert(kind=np.polynomial.Polynomial).coef
P.C(x).mapparms()
"""),
        ["np.polydiv(<x, [2.0, 1.0]|[1.0, 2.0, 3.0, 4.0], x>)"],
    ),
    "x: 3": "np.polydiv(x, [2.0, 1.0])",
}
