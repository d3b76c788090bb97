"""What the registry does not say of NumPy's and SciPy's public callables: a class and its reason.

``CLASSES`` : class -> reason -> names. The classes are those of ``tests/test_surface.py``.
"""

PLAIN = "plain"  # no floats come in, or nothing that depends on their values comes out
REFUSED = "refused"
LATER = "later"
COMPOSITE = "composite"

NUMPY = {
    PLAIN: {
        "settings and information": "printoptions get_printoptions set_printoptions seterr geterr "
        "seterrcall geterrcall errstate setbufsize getbufsize get_include show_config show_runtime "
        "info test busdaycalendar",
        "of dtypes and types": "datetime_data promote_types isdtype issubdtype mintypecode "
        "typename isscalar iterable dtype finfo iinfo",
        "of integers and shapes": "base_repr binary_repr broadcast_shapes diag_indices "
        "triu_indices tril_indices mask_indices indices ndindex isfortran",
        "windows: of a count": "bartlett hamming blackman hanning",
        "read from files, text and memory": "frombuffer fromstring fromfile genfromtxt load "
        "loadtxt fromregex",
        "classes of scalars: they make plain numbers, and say so of traced ones": "generic number "
        "integer signedinteger unsignedinteger inexact floating complexfloating flexible character",
    },
    COMPOSITE: {
        "NumPy's own code": "row_stack poly1d trapz",
        "iteration, by elements of our own": "nditer nested_iters ndenumerate "
        "frompyfunc fromiter flatiter",
    },
    REFUSED: {
        "classes of arrays that mean something else by * or by a read": "matrix recarray record "
        "memmap",
        "C code that reads the memory": "from_dlpack ndarray broadcast ufunc",
        "text of numbers, which cannot hold a derivative": "format_float_scientific "
        "format_float_positional",
    },
}
LINALG: dict[str, dict[str, str]] = {}
FFT = {COMPOSITE: {"of a count and a spacing": "fftfreq rfftfreq"}}

SPECIAL = {
    PLAIN: {
        "settings": "seterr geterr errstate",
        "tables of numbers, of counts and orders": "ai_zeros bi_zeros bei_zeros beip_zeros "
        "ber_zeros berp_zeros kei_zeros keip_zeros ker_zeros kerp_zeros kelvin_zeros erf_zeros "
        "fresnel_zeros fresnelc_zeros fresnels_zeros jn_zeros jnp_zeros yn_zeros ynp_zeros "
        "jnyn_zeros jnjnp_zeros y0_zeros y1_zeros y1p_zeros bernoulli euler stirling2",
        "polynomials and quadratures of an integer degree": "legendre chebyt chebyu chebyc chebys "
        "laguerre hermite hermitenorm sh_legendre sh_chebyt sh_chebyu roots_legendre roots_chebyt "
        "roots_chebyu roots_chebyc roots_chebys roots_laguerre roots_hermite roots_hermitenorm "
        "roots_sh_legendre roots_sh_chebyt roots_sh_chebyu p_roots t_roots u_roots c_roots s_roots "
        "l_roots h_roots he_roots ps_roots ts_roots us_roots",
        "of integers": "factorialk",
        "piecewise constant": "round",
    },
    LATER: {
        "quadratures by their parameters": "jacobi genlaguerre gegenbauer sh_jacobi roots_jacobi "
        "roots_genlaguerre roots_gegenbauer roots_sh_jacobi j_roots la_roots cg_roots js_roots",
        "several orders at once": "lqmn lqn mathieu_even_coef mathieu_odd_coef obl_cv_seq "
        "pro_cv_seq pbdn_seq pbdv_seq pbvv_seq riccati_jn riccati_yn lmbda assoc_laguerre "
        "legendre_p_all assoc_legendre_p_all sph_legendre_p_all sph_harm_y_all",
        "degrees of freedom as results": "chndtridf ncfdtridfd ncfdtridfn nctdtridf",
        "spheroidal, ellipsoidal and Mathieu functions": "mathieu_a mathieu_b obl_ang1 obl_ang1_cv "
        "obl_cv obl_rad1 obl_rad1_cv obl_rad2 obl_rad2_cv pro_ang1 pro_ang1_cv pro_cv pro_rad1 "
        "pro_rad1_cv pro_rad2 pro_rad2_cv ellip_harm ellip_harm_2 ellip_normal",
        "Legendre functions and spherical harmonics": "legendre_p assoc_legendre_p sph_legendre_p "
        "sph_harm_y",
        "factorials of floats": "factorial2",
        "gone from newer SciPy": "btdtr btdtri sph_harm lpmn clpmn lpn",
    },
}
