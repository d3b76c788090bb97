"""Robots and cameras: arms, reprojection, pose graphs, trajectories."""

import numpy as np

from tests.check.corpus.base import pair, sigmoid, softplus

rng = np.random.default_rng(14)


def normal(*shape, scale=1.0):
    return scale * rng.standard_normal(shape)


# --- a planar arm: angles between links, the hand wanted somewhere, an obstacle, comfort

LENGTHS = np.array([1.0, 0.8, 0.6, 0.3])
GOAL = np.array([0.7, 1.3])
OBSTACLE = np.array([0.9, 0.4])
COMFORT = 3e-5


def arm(q):
    a = np.cumsum(q)
    joints = np.cumsum(LENGTHS * np.stack([np.cos(a), np.sin(a)]), axis=1)
    near = np.sum((joints - OBSTACLE[:, None]) ** 2, axis=0)
    reach = 0.5 * np.sum((joints[:, -1] - GOAL) ** 2)
    return reach + 0.1 * np.sum(np.exp(-near)) + 0.5 * COMFORT * q @ q


def arm_gradient(q):
    a = np.cumsum(q)
    joints = np.cumsum(LENGTHS * np.stack([np.cos(a), np.sin(a)]), axis=1)
    apart = joints - OBSTACLE[:, None]
    dj = -0.2 * np.exp(-np.sum(apart**2, axis=0)) * apart
    dj[:, -1] += joints[:, -1] - GOAL
    dlinks = np.cumsum(dj[:, ::-1], axis=1)[:, ::-1]
    da = LENGTHS * (-np.sin(a) * dlinks[0] + np.cos(a) * dlinks[1])
    return np.cumsum(da[::-1])[::-1] + COMFORT * q


ARM = pair(
    arm,
    arm_gradient,
    normal(4, scale=0.7),
    bugs={
        "angles summed the wrong way": ("np.cumsum(da[::-1])[::-1]", "np.cumsum(da)"),
        "angles not summed": ("np.cumsum(da[::-1])[::-1]", "da"),
        "links summed the wrong way": (
            "np.cumsum(dj[:, ::-1], axis=1)[:, ::-1]",
            "np.cumsum(dj, axis=1)",
        ),
        "links not summed": ("np.cumsum(dj[:, ::-1], axis=1)[:, ::-1]", "dj"),
        "sign of the sine": ("(-np.sin(a) * dlinks", "(np.sin(a) * dlinks"),
        "sine and cosine swapped": (
            "-np.sin(a) * dlinks[0] + np.cos(a) * dlinks[1]",
            "np.cos(a) * dlinks[0] - np.sin(a) * dlinks[1]",
        ),
        "lengths forgotten": ("da = LENGTHS *", "da = 1.0 *"),
        "obstacle's sign": ("-0.2 * np.exp", "0.2 * np.exp"),
        "obstacle's factor 2": ("-0.2 * np.exp", "-0.1 * np.exp"),
        "goal overwrites the obstacle": ("dj[:, -1] += joints", "dj[:, -1] = joints"),
        "relative angles": ("-np.sin(a) * dlinks[0]", "-np.sin(q) * dlinks[0]"),
    },
    tiny={
        "comfort forgotten": (" + COMFORT * q", ""),
        "comfort's factor": ("+ COMFORT * q", "+ 2 * COMFORT * q"),
    },
)


# --- bundle adjustment: rotation vector, translation, focal length, points

WORLD = normal(6, 3) + np.array([0, 0, 6.0])
SEEN = WORLD[:, :2] / WORLD[:, 2:] * 1.5 + normal(6, 2, scale=0.05)


def cross_matrix(w):
    return np.stack(
        [
            np.stack([0 * w[0], -w[2], w[1]]),
            np.stack([w[2], 0 * w[0], -w[0]]),
            np.stack([-w[1], w[0], 0 * w[0]]),
        ]
    )


def reprojection(w, t, focal):
    """Cayley's rotation (I - [w])^-1 (I + [w]); Cauchy's robust loss."""
    W = cross_matrix(w)
    R = np.linalg.solve(np.eye(3) - W, np.eye(3) + W)
    p = WORLD @ R.T + t
    r = focal * p[:, :2] / p[:, 2:] - SEEN
    return np.sum(np.log1p(np.sum(r**2, axis=1)))


def reprojection_gradient(w, t, focal):
    I, W = np.eye(3), cross_matrix(w)
    R = np.linalg.solve(I - W, I + W)
    p = WORLD @ R.T + t
    u = p[:, :2] / p[:, 2:]
    r = focal * u - SEEN
    dr = 2 * r / (1 + np.sum(r**2, axis=1, keepdims=True))
    dfocal = np.sum(dr * u)
    dp = np.zeros_like(p)
    dp[:, :2] = focal * dr / p[:, 2:]
    dp[:, 2] = -focal * np.sum(dr * u, axis=1) / p[:, 2]
    dR = dp.T @ WORLD
    dW = np.linalg.solve((I - W).T, dR) @ (I + R.T)
    dw = np.array([dW[2, 1] - dW[1, 2], dW[0, 2] - dW[2, 0], dW[1, 0] - dW[0, 1]])
    return dw, dp.sum(axis=0), dfocal


REPROJECTION = pair(
    reprojection,
    reprojection_gradient,
    normal(3, scale=0.1),
    normal(3, scale=0.2),
    1.6,
    bugs={
        "depth detached": ("dp[:, 2] = -focal", "dp[:, 2] = 0 * focal"),
        "depth: sign": ("dp[:, 2] = -focal", "dp[:, 2] = focal"),
        "depth: power": ("axis=1) / p[:, 2]\n", "axis=1) / p[:, 2] ** 2\n"),
        "focal length forgotten": ("dp[:, :2] = focal * dr", "dp[:, :2] = dr"),
        "robust weight forgotten": ("2 * r / (1 + np.sum(r**2, axis=1, keepdims=True))", "2 * r"),
        "robust weight per coordinate": ("np.sum(r**2, axis=1, keepdims=True)", "r**2"),
        "rotation transposed": ("dR = dp.T @ WORLD", "dR = WORLD.T @ dp"),
        "rotation of small angles": ("np.linalg.solve((I - W).T, dR) @ (I + R.T)", "2 * dR"),
        "one use of the cross matrix": ("@ (I + R.T)", "@ R.T"),
        "antisymmetric half": (
            "np.array([dW[2, 1] - dW[1, 2], dW[0, 2] - dW[2, 0], dW[1, 0] - dW[0, 1]])",
            "np.array([dW[2, 1], dW[0, 2], dW[1, 0]])",
        ),
        "translation: mean": ("dp.sum(axis=0)", "dp.mean(axis=0)"),
        "solve not transposed": ("(I - W).T", "(I - W)"),
    },
)


# --- shooting: controls of a pendulum for 15 steps, with a soft limit of the torque

DT = 0.1


def shooting(u):
    q, v, cost = 0.3, 0.0, 0.0
    for torque in u:
        v = v + DT * (torque - np.sin(q) - 0.1 * v)
        q = q + DT * v
        cost = cost + 0.01 * torque**2
    limit = np.sum(softplus(20 * (u - 1)) + softplus(20 * (-u - 1))) / 20
    return cost + (q - 1) ** 2 + 0.5 * v**2 + 0.1 * limit


def shooting_gradient(u):
    q, v, qs = 0.3, 0.0, []
    for torque in u:
        qs.append(q)
        v = v + DT * (torque - np.sin(q) - 0.1 * v)
        q = q + DT * v
    dq, dv = 2 * (q - 1), v
    du = 0.02 * u + 0.1 * (sigmoid(20 * (u - 1)) - sigmoid(20 * (-u - 1)))
    for k in reversed(range(len(u))):
        dv = dv + DT * dq
        du[k] += DT * dv
        dq = dq - DT * np.cos(qs[k]) * dv
        dv = dv * (1 - 0.1 * DT)
    return du


SHOOTING = pair(
    shooting,
    shooting_gradient,
    normal(15),
    bugs={
        "damping forgotten": ("dv = dv * (1 - 0.1 * DT)", "dv = dv * 1.0"),
        "gravity's sign": ("dq = dq - DT * np.cos", "dq = dq + DT * np.cos"),
        "explicit for semi-implicit": (
            "        dv = dv + DT * dq\n        du[k] += DT * dv\n"
            "        dq = dq - DT * np.cos(qs[k]) * dv",
            "        du[k] += DT * dv\n        dv, dq = dv + DT * dq, dq - DT * np.cos(qs[k]) * dv",
        ),
        "controls reversed": ("du[k] += DT * dv", "du[len(u) - 1 - k] += DT * dv"),
        "time step forgotten": ("du[k] += DT * dv", "du[k] += dv"),
        "cost overwritten": ("du[k] += DT * dv", "du[k] = DT * dv"),
        "last speed forgotten": ("dq, dv = 2 * (q - 1), v", "dq, dv = 2 * (q - 1), 0.0"),
        "limit's lower side": ("- sigmoid(20 * (-u - 1))", "+ sigmoid(20 * (-u - 1))"),
        "limit's slope": ("0.1 * (sigmoid", "2.0 * (sigmoid"),
    },
    tiny={"gravity after the step": ("np.cos(qs[k])", "np.cos((qs + [q])[k + 1])")},
)

PAIRS = [ARM, REPROJECTION, SHOOTING]
