"""The functions of ``scipy.special`` that are no ufuncs: sums of exponentials, orders, counts."""

LINES = {
    "x: n k full c short": """
special.logsumexp(x<|, axis=AXIS>, return_sign=True)
""",
    "x: ? c short": """
special.logsumexp(x<|, axis=AXES><|, keepdims=True>)
special.logsumexp(x<|, axis=AXES>, b=<i|2.0|x.real>)
""",
    "x: ? short": """
special.<softmax|log_softmax>(x<|, axis=AXES>)
special.logsumexp(np.where(m, x, -np.inf)<|, axis=AXES>)
special.softplus(x)
special.diric(x, <3|4>)
special.comb(4, x + 1.6)
special.comb(x + 3, <2|i>)
special.<spherical_jn|spherical_in>(<2|i>, x<|, derivative=True>)
""",
    "x: ? pos short": """
special.<polygamma|zeta>(<1|2|i>, x + 1)
special.multigammaln(x + 2, <1|2|3>)
special.<spherical_yn|spherical_kn>(<2|i>, x<|, derivative=True>)
special.<jvp|yvp|kvp|ivp|h1vp|h2vp>(<2|0.5>, x, <0|1|2>)
special.<factorial>(x)
special.lambertw(x<|, k=<0|1|-1>><|, tol=1e-9>)
special.perm(x + 3, <2|i>)
special.zeta(x + 1<|, 2.0>)
special.ndtri_exp(-x)
special.<eval_hermite|eval_hermitenorm>(3, x)
special.factorial2(x, extend='complex')
special.factorialk(x, 3, extend='complex')
""",
    "x: ? short, y: ~ pos short": """
special.logsumexp(x, b=y<|, axis=-1><|, keepdims=True>)
special.<xlogy|xlog1py>(y, y)
special.huber(y, x)
""",
}
