"""Each rule's backward and forward derivative in units of the plain operation, and of a hand's.

vjp   one pullback, after the forward sweep
jvp   value and tangent together
hand  what a person would write for either, where one would (``rows.py``)

Without what a derivative costs that does nothing (``eager.py`` measures that). At the end stand the
primitives that no row measures. ``rules.py NAME ...`` measures single rows.
"""

import gc
import sys

import numpy as np
import rows_arrays
import rows_distributions
import rows_elementwise
import rows_linalg
import rows_special
import scipy
from rows import Row
from timing import medians, versions

import chainrule as cr
from chainrule.core.primitive import PRIMITIVES, Linear

# Marked: times the derivative written by hand, unless that is a small part of the operation;
# without one, times the operation.
SLOW, SMALL_PART, COSTLY = 1.3, 0.25, 5.0

# Why a marked row is not within the bound.
REASONS = {
    "the formula by hand loses digits": """powm1; beta; betaln; poch; ellipkm1; ellipeinc;
        _binom_cdf; _binom_sf; _nbinom_cdf; _nbinom_sf""",
    "looks for ties and zeros": "clip; huber; power_norm; absolute of complex; norm of all",
    "looks for repeated values": """eigvalsh; svdvals; svd; pinvh; lstsq; scipy_lstsq;
        scipy_eigvalsh; scipy_svdvals""",
    "jvp looks for 0 * inf in each product": """divide; square; x**2; x**-1; power; cbrt; log; log2;
        log1p; multiply of complex; scipy_norm; logsumexp; softmax in NumPy; matvec; outer;
        lfilter of x; values of sparse @""",
    "jvp copies its results, which may be views": """reshape; array; tile; repeat; concatenate;
        transpose; pad; diagonal; diag; as_strided; view; broadcast_to; take; bincount of weights;
        y.real = x; sparse @ vector""",
    "the formula by hand needs no array of all products": "row times column",
    "a quadrature or a series": """agm; elliprc; elliprd; elliprj; zeta of Riemann; zetac; rgamma;
        log_wright_bessel; gammainc in both; gammaincc in both; chdtr in both; chdtrc in both;
        gdtr in all; gdtrc in all; betainc in all; betaincinv in all; betainccinv in all; btdtria;
        btdtrib; fdtr in all; fdtrc in all; fdtri in all; fdtridfd; stdtr in both; stdtrit in both;
        bdtrik; nbdtrik; nbdtrin; eval_gegenbauer in a; eval_genlaguerre in a; eval_jacobi in a, b;
        eval_sh_jacobi in p, q""",
    "solves several systems": "polar; lu; qr_complete; expm_frechet; poly of a matrix",
}


def reason(name: str) -> str:
    for why, names in REASONS.items():
        if name in (part.strip() for part in names.split(";")):
            return why
    return "slow"


# Parts of rules, which are measured with the rules that use them.
PARTS = set(
    "psi_step gammainc_order betainc_order stdtr_order spherical_bessel bessel_i cofactors"
    " cofactors_at_singular from_values steady_values root tied group_means put_back"
    " sparse_sampled".split()
)


def table(n: int = 200_000, m: int = 150) -> list[Row]:
    """All rows: of vectors of about n numbers (fewer where each is costly), and in linear algebra
    of matrices of about m rows."""
    by_number = [
        *rows_elementwise.rows(n),
        *rows_arrays.rows(n),
        *rows_special.rows(n // 10),
        *rows_distributions.rows(n // 10),
    ]
    return by_number + rows_linalg.rows(m)


# ---------------------------------------------------------------- measuring


def like(y):
    """Normal numbers of the shape and dtype of y, in a tuple where y is one."""
    if isinstance(y, tuple):
        return tuple(like(part) for part in y)
    rng, y = np.random.default_rng(3), np.asarray(y)
    parts = rng.normal(size=(2, *y.shape))
    return (parts[0] + 1j * parts[1] if y.dtype.kind == "c" else parts[0]).astype(y.dtype)[()]


def keep_memory():
    """After one large array glibc no longer gives memory back between calls: what comes then costs
    arithmetic, and not page faults."""
    np.empty(4_000_000).fill(0.0)


def nothing(*xs):
    return xs[0].reshape(-1)[:1]


def measure(row: Row, rounds: int = 7) -> str:
    f, xs = row.f, row.operands
    y, pullback = cr.vjp(f, *xs)
    g, ts = like(y), like(xs)
    none, pull_nothing = cr.vjp(nothing, *xs)
    functions = {
        "plain": lambda: f(*xs),
        "vjp": lambda: pullback(g),
        "no vjp": lambda: pull_nothing(none),
        "jvp": lambda: cr.jvp(f, xs, ts),
        "no jvp": lambda: cr.jvp(nothing, xs, ts),
    }
    if row.vjp is not None:
        back = row.vjp(*xs)
        functions["vjp by hand"] = lambda: back(g)
    if row.jvp is not None:
        functions["jvp by hand"] = lambda: row.jvp(xs, ts)
    times = dict(zip(functions, medians(*functions.values(), rounds=rounds, seconds=0.02)))
    return line(row, times)


def line(row, times):
    plain, slow = times["plain"], False
    sizes = ", ".join("x".join(map(str, np.shape(x))) or "1" for x in row.operands)
    text = f"{row.name:<26}{sizes:<22}{plain * 1e6:9.0f} us"
    for mode in ("vjp", "jvp"):
        ours, hand = max(times[mode] - times[f"no {mode}"], 0.0), times.get(f"{mode} by hand")
        text += f"  {mode} {ours / plain:5.2f}x"
        text += f" {ours / hand:5.2f} hand" if hand else " " * 11
        slow |= ours > (max(SLOW * hand, SMALL_PART * plain) if hand else COSTLY * plain)
    return text + (f"   <-- {reason(row.name)}" if slow else "")


# ---------------------------------------------------------------- is it complete?


def without_a_row(rows: list[Row]) -> list[str]:
    """The primitives that are in no row's program."""
    used = set()
    for row in rows:
        for equation in cr.trace(row.f)(*row.operands).equations():
            used.add(equation.primitive.name)
            if isinstance(equation.primitive, Linear):
                used.add(equation.primitive.transpose.name)
    ours = {name for name, primitive in PRIMITIVES.items() if _is_ours(primitive)}
    return sorted(ours - used - PARTS)


def _is_ours(primitive) -> bool:
    module = getattr(primitive.fun, "__module__", None) or "numpy"
    return module.split(".")[0] in ("chainrule", "numpy", "scipy")


def main(names=()):
    print(versions(np, scipy, cr))
    keep_memory()
    gc.freeze()  # what is loaded is not collected again between measurements
    for row in table():
        if not names or row.name in names:
            print(measure(row), flush=True)
    if not names:
        missing = without_a_row(table(1200, 12))
        print("without a row:", ", ".join(missing) or "none")


if __name__ == "__main__":
    main(sys.argv[1:])
