"""Differential equations: discrete adjoints of explicit, implicit and neural ones."""

import numpy as np

from tests.check.corpus.base import pair

rng = np.random.default_rng(9)


def normal(*shape, scale=1.0):
    return scale * rng.standard_normal(shape)


# --- Lotka-Volterra by Runge-Kutta 4, fitted to data at each fifth step

STEP = 0.1
DATA = np.abs(normal(4, 2)) + 0.5


def rate(y, p):
    a, b, c, d = p
    return np.stack([a * y[0] - b * y[0] * y[1], d * y[0] * y[1] - c * y[1]])


def runge_kutta(p, y):
    loss = 0.0
    for n in range(20):
        k1 = rate(y, p)
        k2 = rate(y + STEP / 2 * k1, p)
        k3 = rate(y + STEP / 2 * k2, p)
        k4 = rate(y + STEP * k3, p)
        y = y + STEP / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        if n % 5 == 4:
            loss = loss + 0.5 * np.sum((y - DATA[n // 5]) ** 2)
    return loss


def rate_vjp(y, p, g):
    """Cotangents of y and p for the cotangent g of the rate."""
    a, b, c, d = p
    u, v = y
    dy = np.array([g[0] * (a - b * v) + g[1] * d * v, -g[0] * b * u + g[1] * (d * u - c)])
    return dy, np.array([g[0] * u, -g[0] * u * v, -g[1] * v, g[1] * u * v])


def runge_kutta_gradient(p, y):
    tape = []
    for n in range(20):
        k1 = rate(y, p)
        k2 = rate(y + STEP / 2 * k1, p)
        k3 = rate(y + STEP / 2 * k2, p)
        k4 = rate(y + STEP * k3, p)
        tape.append((y, k1, k2, k3))
        y = y + STEP / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        if n % 5 == 4:
            tape[-1] += (y - DATA[n // 5],)
    dp, dy = np.zeros(4), np.zeros(2)
    for y, k1, k2, k3, *residual in reversed(tape):
        dy = dy + sum(residual)
        d4, p4 = rate_vjp(y + STEP * k3, p, STEP / 6 * dy)
        d3, p3 = rate_vjp(y + STEP / 2 * k2, p, STEP / 3 * dy + STEP * d4)
        d2, p2 = rate_vjp(y + STEP / 2 * k1, p, STEP / 3 * dy + STEP / 2 * d3)
        d1, p1 = rate_vjp(y, p, STEP / 6 * dy + STEP / 2 * d2)
        dp += p1 + p2 + p3 + p4
        dy = dy + d1 + d2 + d3 + d4
    return dp, dy


RUNGE = pair(
    runge_kutta,
    runge_kutta_gradient,
    np.array([0.9, 0.6, 0.8, 0.5]),
    np.array([1.2, 0.7]),
    bugs={
        "data term at every step but the last": (
            "dy = dy + sum(residual)",
            "dy = sum(residual) if residual else dy",
        ),
        "parameters: first stage only": ("dp += p1 + p2 + p3 + p4", "dp += p1"),
        "parameters: last step only": ("dp += p1 + p2 + p3 + p4", "dp = p1 + p2 + p3 + p4"),
        "stage weights as Euler's": (
            "d1, p1 = rate_vjp(y, p, STEP / 6 * dy",
            "d1, p1 = rate_vjp(y, p, STEP * dy",
        ),
        "stages detached from each other": ("STEP / 3 * dy + STEP * d4", "STEP / 3 * dy"),
        "half step for a whole one": ("STEP / 3 * dy + STEP * d4", "STEP / 3 * dy + STEP / 2 * d4"),
        "carry forgotten": ("dy = dy + d1 + d2", "dy = d1 + d2"),
        "last stage forgotten": ("d1 + d2 + d3 + d4", "d1 + d2 + d3"),
        "swept forwards": ("in reversed(tape)", "in tape"),
        "stage at a stale point": (
            "rate_vjp(y + STEP / 2 * k2, p,",
            "rate_vjp(y + STEP / 2 * k1, p,",
        ),
        "stage at the start": ("rate_vjp(y + STEP * k3, p,", "rate_vjp(y, p,"),
    },
)


# --- heat equation by implicit Euler: conductivity per cell and source; adjoint solves

CELLS = 8
FINAL = np.sin(np.linspace(0, 3, CELLS))
D = np.diff(np.eye(CELLS + 1), axis=0)[:, :CELLS]  # (cells, cells): difference to the right
DT = 0.3


def heat(logk, u):
    A = np.eye(CELLS) + DT * D.T @ (np.exp(logk)[:, None] * D)
    for _ in range(4):
        u = np.linalg.solve(A, u)
    return 0.5 * np.sum((u - FINAL) ** 2) / CELLS


def heat_gradient(logk, u):
    A = np.eye(CELLS) + DT * D.T @ (np.exp(logk)[:, None] * D)
    us = [u]
    for _ in range(4):
        us.append(np.linalg.solve(A, us[-1]))
    dk = np.zeros(CELLS)
    du = (us[-1] - FINAL) / CELLS
    for n in range(4, 0, -1):
        du = np.linalg.solve(A.T, du)
        dk -= DT * (D @ du) * (D @ us[n])
    return dk * np.exp(logk), du


HEAT = pair(
    heat,
    heat_gradient,
    normal(CELLS, scale=0.5),
    normal(CELLS),
    bugs={
        "sign of the adjoint": ("dk -= DT", "dk += DT"),
        "state before the step": ("(D @ us[n])", "(D @ us[n - 1])"),
        "adjoint before its solve": (
            "        du = np.linalg.solve(A.T, du)\n        dk -= DT * (D @ du) * (D @ us[n])",
            "        dk -= DT * (D @ du) * (D @ us[n])\n        du = np.linalg.solve(A.T, du)",
        ),
        "time step forgotten": ("dk -= DT * (D @ du)", "dk -= (D @ du)"),
        "multiplied for solved": ("du = np.linalg.solve(A.T, du)", "du = A.T @ du"),
        "explicit adjoint": ("du = np.linalg.solve(A.T, du)", "du = 2 * du - A.T @ du"),
        "chain through the log": ("return dk * np.exp(logk), du", "return dk, du"),
        "one step lost": ("range(4, 0, -1)", "range(4, 1, -1)"),
        "difference transposed": ("(D @ du)", "(D.T @ du)"),
        "cells forgotten": ("- FINAL) / CELLS", "- FINAL)"),
    },
)


# --- neural differential equation by Euler, tanh field, weights shared by all steps

START, END = normal(3, 2), normal(3, 2)


def neural_field(W1, W2):
    y = START
    for _ in range(8):
        y = y + 0.125 * np.tanh(y @ W1) @ W2
    return 0.5 * np.sum((y - END) ** 2)


def neural_field_gradient(W1, W2):
    ys = [START]
    for _ in range(8):
        ys.append(ys[-1] + 0.125 * np.tanh(ys[-1] @ W1) @ W2)
    a = ys.pop() - END
    dW1, dW2 = np.zeros_like(W1), np.zeros_like(W2)
    for y in reversed(ys):
        h = np.tanh(y @ W1)
        dW2 += 0.125 * h.T @ a
        dz = 0.125 * a @ W2.T * (1 - h**2)
        dW1 += y.T @ dz
        a = a + dz @ W1.T
    return dW1, dW2


NEURAL = pair(
    neural_field,
    neural_field_gradient,
    normal(2, 5),
    normal(5, 2, scale=0.5),
    bugs={
        "adjoint of a constant": ("a = a + dz @ W1.T", "a = a"),
        "adjoint with the wrong sign": ("a = a + dz @ W1.T", "a = a - dz @ W1.T"),
        "step forgotten": ("dW2 += 0.125 * h.T @ a", "dW2 += h.T @ a"),
        "adjoint after the step": (
            "        dW1 += y.T @ dz\n        a = a + dz @ W1.T",
            "        a = a + dz @ W1.T\n        dz = 0.125 * a @ W2.T * (1 - h**2)\n"
            "        dW1 += y.T @ dz",
        ),
        "states not stored: run backwards": (
            "for y in reversed(ys):\n        h = np.tanh(y @ W1)",
            "y = ys[-1]\n    for _ in ys:\n        h = np.tanh(y @ W1)\n"
            "        y = y - 0.125 * h @ W2",
        ),
        "slope at the input": ("(1 - h**2)", "(1 - (y @ W1) ** 2)"),
        "one step for all": ("reversed(ys)", "[ys[-1]] * 8"),
    },
)

PAIRS = [RUNGE, HEAT, NEURAL]
