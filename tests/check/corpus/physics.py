"""Physics: residuals of networks, molecules, structures, orbits, lattices."""

import numpy as np

from tests.check.corpus.base import pair

rng = np.random.default_rng(13)


def normal(*shape, scale=1.0):
    return scale * rng.standard_normal(shape)


# --- physics-informed: u = v . tanh(w x + b), u'' + u = sin 2x at points, u(0) = 0

AT = np.linspace(0.1, 3, 9)
FORCE = np.sin(2 * AT)
EDGE = 2.0


def residual_loss(w, b, v):
    h = np.tanh(np.outer(AT, w) + b)
    r = (-2 * h * (1 - h**2) * w**2 + h) @ v - FORCE
    return np.mean(r**2) + EDGE * (np.tanh(b) @ v) ** 2


def residual_loss_gradient(w, b, v):
    h = np.tanh(np.outer(AT, w) + b)
    s = 1 - h**2
    r = (-2 * h * s * w**2 + h) @ v - FORCE
    edge = np.tanh(b) @ v
    dr = 2 * r / len(AT)
    dv = (-2 * h * s * w**2 + h).T @ dr + 2 * EDGE * edge * np.tanh(b)
    dh = np.outer(dr, v) * ((6 * h**2 - 2) * w**2 + 1)
    da = dh * s
    dw = AT @ da - 4 * w * v * (dr @ (h * s))
    db = da.sum(axis=0) + 2 * EDGE * edge * v * (1 - np.tanh(b) ** 2)
    return dw, db, dv


RESIDUAL = pair(
    residual_loss,
    residual_loss_gradient,
    normal(6),
    normal(6),
    normal(6),
    bugs={
        "w inside u'' forgotten": (" - 4 * w * v * (dr @ (h * s))", ""),
        "w inside u'': factor 2": ("- 4 * w * v", "- 2 * w * v"),
        "w squared forgotten": ("(6 * h**2 - 2) * w**2 + 1", "(6 * h**2 - 2) * w + 1"),
        "third derivative of tanh": ("(6 * h**2 - 2)", "(2 * h**2 - 2)"),
        "third derivative forgotten": ("((6 * h**2 - 2) * w**2 + 1)", "1"),
        "second slope forgotten": ("da = dh * s", "da = dh"),
        "boundary forgotten in b": (" + 2 * EDGE * edge * v * (1 - np.tanh(b) ** 2)", ""),
        "boundary's weight": ("2 * EDGE * edge * np.tanh(b)", "2 * edge * np.tanh(b)"),
        "boundary's sign": ("+ 2 * EDGE * edge * np.tanh(b)", "- 2 * EDGE * edge * np.tanh(b)"),
        "points summed": ("2 * r / len(AT)", "2 * r"),
        "points forgotten": ("AT @ da", "da.sum(axis=0)"),
    },
)


# --- atoms: Lennard-Jones with a smooth cut-off, and charges

LATTICE = np.stack(np.meshgrid([0, 1.1, 2.2], [0, 1.2, 2.3], indexing="ij"), -1).reshape(9, 2)
CHARGE = np.where(np.arange(9) % 2, 1.0, -1.0)
KAPPA = 0.8
PAIRS_OF = np.triu_indices(9, 1)
COULOMB = 0.3


def molecule(R):
    d = R[PAIRS_OF[0]] - R[PAIRS_OF[1]]
    r2 = np.sum(d * d, axis=1)
    q = 1 / r2**3
    r = np.sqrt(r2)
    charge = CHARGE[PAIRS_OF[0]] * CHARGE[PAIRS_OF[1]]
    return np.sum(4 * (q**2 - q) + COULOMB * charge * np.exp(-KAPPA * r) / r)


def molecule_gradient(R):
    i, j = PAIRS_OF
    d = R[i] - R[j]
    r2 = np.sum(d * d, axis=1)
    q = 1 / r2**3
    r = np.sqrt(r2)
    screened = COULOMB * CHARGE[i] * CHARGE[j] * np.exp(-KAPPA * r) / r
    slope = 24 * (q - 2 * q**2) / r2 - screened * (KAPPA + 1 / r) / r
    force = slope[:, None] * d
    g = np.zeros_like(R)
    np.add.at(g, i, force)
    np.add.at(g, j, -force)
    return g


MOLECULE = pair(
    molecule,
    molecule_gradient,
    LATTICE + normal(9, 2, scale=0.05),
    bugs={
        "reaction forgotten": ("    np.add.at(g, j, -force)\n", ""),
        "action for reaction": ("np.add.at(g, j, -force)", "np.add.at(g, j, force)"),
        "force overwritten": ("np.add.at(g, i, force)", "g[i] = force"),
        "force added once": ("np.add.at(g, j, -force)", "g[j] -= force"),
        "exponent 12": ("24 * (q - 2 * q**2)", "24 * (q - q**2)"),
        "distance for its square": ("(q - 2 * q**2) / r2", "(q - 2 * q**2) / r"),
        "screening: quotient rule": ("(KAPPA + 1 / r)", "KAPPA"),
        "screening forgotten": ("(KAPPA + 1 / r)", "(1 / r)"),
        "unit vector forgotten": ("(KAPPA + 1 / r) / r", "(KAPPA + 1 / r)"),
        "charges forgotten": ("screened = COULOMB * CHARGE[i] * CHARGE[j]", "screened = COULOMB"),
        "sign: the force": ("return g", "return -g"),
    },
    tiny={
        "softened in the force only": (
            "slope = 24 * (q - 2 * q**2) / r2",
            "slope = 24 * (q - 2 * q**2) / (r2 + 1e-5)",
        )
    },
)


# --- a chain of bars: compliance by densities to the power 3 (topology optimisation), adjoint-free

LOAD = np.linspace(1, 2, 7)


def stiffness(k):
    K = np.zeros((7, 7), k.dtype)
    for e in range(7):
        K[e, e] += k[e]
        if e:
            K[e - 1, e - 1] += k[e]
            K[e, e - 1] -= k[e]
            K[e - 1, e] -= k[e]
    return K


def compliance(rho):
    u = np.linalg.solve(stiffness(3e-6 + rho**3), LOAD)
    return LOAD @ u + 0.5 * np.sum(rho) ** 2


def compliance_gradient(rho):
    u = np.linalg.solve(stiffness(3e-6 + rho**3), LOAD)
    stretch = np.diff(u, prepend=0.0)
    return -3 * rho**2 * stretch**2 + np.sum(rho)


COMPLIANCE = pair(
    compliance,
    compliance_gradient,
    rng.random(7) * 0.7 + 0.3,
    bugs={
        "sign of the sensitivity": ("-3 * rho**2", "3 * rho**2"),
        "penalty's exponent": ("-3 * rho**2", "-(rho**2)"),
        "penalty's power": ("-3 * rho**2", "-3 * rho**3"),
        "displacement for stretch": ("np.diff(u, prepend=0.0)", "u"),
        "off by one element": ("np.diff(u, prepend=0.0)", "np.diff(u, append=0.0)"),
        "stretch not squared": ("stretch**2 +", "stretch +"),
        "volume forgotten": (" + np.sum(rho)", ""),
        "volume of the element": ("+ np.sum(rho)", "+ rho"),
        "twice: as if the load were fixed twice": ("-3 * rho**2 *", "-6 * rho**2 *"),
    },
    tiny={"rest stiffness forgotten": ("stiffness(3e-6 + rho**3)", "stiffness(rho**3)")},
)


# --- orbit by leapfrog, the start chosen so that the end is met

MU = 1 + 1 / 22903  # the sun and Uranus
MEET = np.array([-0.5, 0.8])


def pull(q):
    return -MU * q / (q @ q) ** 1.5


def orbit(q, v):
    for _ in range(25):
        v = v + 0.04 * pull(q)
        q = q + 0.08 * v
        v = v + 0.04 * pull(q)
    return 0.5 * np.sum((q - MEET) ** 2) + 0.01 * v @ v


def pull_vjp(q, g):
    r2 = q @ q
    return -MU * (g / r2**1.5 - 3 * (q @ g) * q / r2**2.5)


def orbit_gradient(q, v):
    qs = [q]
    for _ in range(25):
        v = v + 0.04 * pull(q)
        q = q + 0.08 * v
        v = v + 0.04 * pull(q)
        qs.append(q)
    dq, dv = q - MEET, 0.02 * v
    for k in range(25, 0, -1):
        dq = dq + 0.04 * pull_vjp(qs[k], dv)
        dv = dv + 0.08 * dq
        dq = dq + 0.04 * pull_vjp(qs[k - 1], dv)
    return dq, dv


ORBIT = pair(
    orbit,
    orbit_gradient,
    np.array([1.0, 0.1]),
    np.array([0.2, 0.9]),
    bugs={
        "second kick at the old place": ("pull_vjp(qs[k], dv)", "pull_vjp(qs[k - 1], dv)"),
        "one kick": ("        dq = dq + 0.04 * pull_vjp(qs[k - 1], dv)\n", ""),
        "position and velocity swapped": ("return dq, dv", "return dv, dq"),
        "one step lost": ("range(25, 0, -1)", "range(25, 1, -1)"),
        "kinetic term's factor": ("0.02 * v", "0.01 * v"),
        "run forwards": ("range(25, 0, -1)", "range(1, 26)"),
        "step halved": ("dv = dv + 0.08 * dq", "dv = dv + 0.04 * dq"),
        "velocity's goal": ("dq, dv = q - MEET, 0.02 * v", "dq, dv = q - MEET, 0 * v"),
    },
    tiny={
        "mass of the planet": (
            "dq = dq + 0.04 * pull_vjp(qs[k - 1], dv)",
            "dq = dq + 0.04 * pull_vjp(qs[k - 1], dv) / MU",
        )
    },
)

PAIRS = [RESIDUAL, MOLECULE, COMPLIANCE, ORBIT]
