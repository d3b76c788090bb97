"""Recurrent cells by backpropagation through time: Elman, LSTM, GRU, leaky integrators."""

import numpy as np

from tests.check.corpus.base import onehot, pair, sigmoid, softmax

rng = np.random.default_rng(5)
STEPS = 6
INPUTS = rng.standard_normal((STEPS, 3))
TARGETS = rng.standard_normal((STEPS, 2))
LABELS = rng.integers(0, 3, STEPS)


def normal(*shape, scale=0.5):
    return scale * rng.standard_normal(shape)


# --- Elman: h_t = tanh(x_t W + h_(t-1) U + b), an output at each step

H0 = normal(4)


def elman(W, U, b, V):
    h, loss = H0, 0.0
    for x, y in zip(INPUTS, TARGETS):
        h = np.tanh(x @ W + h @ U + b)
        loss = loss + 0.5 * np.sum((h @ V - y) ** 2)
    return loss / STEPS


def elman_gradient(W, U, b, V):
    hs = [H0]
    for x in INPUTS:
        hs.append(np.tanh(x @ W + hs[-1] @ U + b))
    dW, dU, db, dV = (np.zeros_like(p) for p in (W, U, b, V))
    dh = np.zeros(4)
    for t in reversed(range(STEPS)):
        dy = (hs[t + 1] @ V - TARGETS[t]) / STEPS
        dV += np.outer(hs[t + 1], dy)
        dh = dh + V @ dy
        da = dh * (1 - hs[t + 1] ** 2)
        dW += np.outer(INPUTS[t], da)
        dU += np.outer(hs[t], da)
        db += da
        dh = U @ da
    return dW, dU, db, dV


ELMAN = pair(
    elman,
    elman_gradient,
    normal(3, 4),
    normal(4, 4),
    normal(4),
    normal(4, 2),
    bugs={
        "recurrent weights transposed": ("dh = U @ da", "dh = U.T @ da"),
        "off by one in time: recurrent weights": ("np.outer(hs[t], da)", "np.outer(hs[t + 1], da)"),
        "off by one in time: output": ("np.outer(hs[t + 1], dy)", "np.outer(hs[t], dy)"),
        "off by one in time: slope": ("1 - hs[t + 1] ** 2", "1 - hs[t] ** 2"),
        "future forgotten": ("dh = dh + V @ dy", "dh = V @ dy"),
        "forward in time": ("in reversed(range(STEPS))", "in range(STEPS)"),
        "first step lost": ("in reversed(range(STEPS))", "in reversed(range(1, STEPS))"),
        "last step only": ("dV += np.outer", "dV = np.outer"),
        "length of the sequence forgotten": ("- TARGETS[t]) / STEPS", "- TARGETS[t])"),
        "inputs in the order of the sweep": ("INPUTS[t], da", "INPUTS[STEPS - 1 - t], da"),
        "slope forgotten in the state only": ("dh = U @ da", "dh = U @ dh"),
    },
)


def elman_last_gradient(W, U, b, V):
    """The same; the part of the state is passed on to each step before it."""
    hs = [H0]
    for x in INPUTS:
        hs.append(np.tanh(x @ W + hs[-1] @ U + b))
    dW, dU, db, dV = (np.zeros_like(p) for p in (W, U, b, V))
    for end in range(STEPS):
        dy = (hs[end + 1] @ V - TARGETS[end]) / STEPS
        dV += np.outer(hs[end + 1], dy)
        dh = V @ dy
        for t in range(end, -1, -1):
            da = dh * (1 - hs[t + 1] ** 2)
            dW += np.outer(INPUTS[t], da)
            dU += np.outer(hs[t], da)
            db += da
            dh = U @ da
    return dW, dU, db, dV


TRUNCATED = pair(
    elman,
    elman_last_gradient,
    normal(3, 4),
    normal(4, 4, scale=0.08),
    normal(4),
    normal(4, 2),
    name="elman, short memory",
    bugs={
        "truncated after one step": ("range(end, -1, -1)", "range(end, end - 1, -1)"),
        "truncated after two steps": ("range(end, -1, -1)", "range(end, max(end - 2, -1), -1)"),
        "weights transposed": ("dh = U @ da", "dh = U.T @ da"),
    },
    tiny={
        "truncated after four steps": ("range(end, -1, -1)", "range(end, max(end - 4, -1), -1)"),
    },
)


# --- LSTM: gates i, f, o and candidate g in one matrix; classification at each step


def lstm(W, b, V):
    """W : (inputs + state, 4 gates x 2)."""
    h, c, loss = np.zeros(2), np.zeros(2), 0.0
    for x, label in zip(INPUTS, LABELS):
        a = np.concatenate([x, h]) @ W + b
        i, f, o, g = sigmoid(a[:2]), sigmoid(a[2:4]), sigmoid(a[4:6]), np.tanh(a[6:])
        c = f * c + i * g
        h = o * np.tanh(c)
        loss = loss - np.log(softmax(h @ V))[label]
    return loss


def lstm_gradient(W, b, V):
    h, c, tape = np.zeros(2), np.zeros(2), []
    for x in INPUTS:
        u = np.concatenate([x, h])
        a = u @ W + b
        i, f, o, g = sigmoid(a[:2]), sigmoid(a[2:4]), sigmoid(a[4:6]), np.tanh(a[6:])
        before = c
        c = f * c + i * g
        h = o * np.tanh(c)
        tape.append((u, i, f, o, g, before, c, h))
    dW, db, dV = np.zeros_like(W), np.zeros_like(b), np.zeros_like(V)
    dh, dc = np.zeros(2), np.zeros(2)
    for t in reversed(range(STEPS)):
        u, i, f, o, g, before, c, h = tape[t]
        dz = softmax(h @ V) - onehot(LABELS[t], 3)
        dV += np.outer(h, dz)
        dh = dh + V @ dz
        do = dh * np.tanh(c)
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        di, df, dg = dc * g, dc * before, dc * i
        da = np.concatenate([di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g**2)])
        dW += np.outer(u, da)
        db += da
        dh = W[3:] @ da
        dc = dc * f
    return dW, db, dV


LSTM = pair(
    lstm,
    lstm_gradient,
    normal(5, 8),
    normal(8),
    normal(2, 3, scale=1.0),
    bugs={
        "cell: future forgotten": ("dc = dc + dh * o", "dc = dh * o"),
        "cell not passed through the forget gate": ("dc = dc * f\n", "dc = dc\n"),
        "cell through the input gate": ("dc = dc * f\n", "dc = dc * i\n"),
        "cell after instead of before": ("dc * before", "dc * c"),
        "tanh of the cell twice": ("(1 - np.tanh(c) ** 2)", "(1 - np.tanh(np.tanh(c)) ** 2)"),
        "slope of tanh(c) at c": ("(1 - np.tanh(c) ** 2)", "(1 - c**2)"),
        "output gate without tanh": ("do = dh * np.tanh(c)", "do = dh * c"),
        "candidate with the sigmoid's slope": ("dg * (1 - g**2)", "dg * g * (1 - g)"),
        "gates in another order": (
            "[di * i * (1 - i), df * f * (1 - f),",
            "[df * f * (1 - f), di * i * (1 - i),",
        ),
        "state: rows of the input": ("W[3:] @ da", "W[:2] @ da"),
        "state forgotten": ("dh = W[3:] @ da", "dh = np.zeros(2)"),
        "hidden: future forgotten": ("dh = dh + V @ dz", "dh = V @ dz"),
        "input and candidate swapped": (
            "di, df, dg = dc * g, dc * before, dc * i",
            "di, df, dg = dc * i, dc * before, dc * g",
        ),
    },
)


# --- GRU, the last state wanted

WANTED = normal(3)


def gru(W, U, b):
    """W : (inputs, 9), U : (state, 9), b : (9,) for update z, reset r, candidate n."""
    h = np.zeros(3)
    for x in INPUTS:
        a, k = x @ W + b, h @ U
        z, r = sigmoid(a[:3] + k[:3]), sigmoid(a[3:6] + k[3:6])
        n = np.tanh(a[6:] + r * k[6:])
        h = z * h + (1 - z) * n
    return 0.5 * np.sum((h - WANTED) ** 2)


def gru_gradient(W, U, b):
    h, tape = np.zeros(3), []
    for x in INPUTS:
        a, k = x @ W + b, h @ U
        z, r = sigmoid(a[:3] + k[:3]), sigmoid(a[3:6] + k[3:6])
        n = np.tanh(a[6:] + r * k[6:])
        tape.append((x, h, k[6:], z, r, n))
        h = z * h + (1 - z) * n
    dW, dU, db = np.zeros_like(W), np.zeros_like(U), np.zeros_like(b)
    dh = h - WANTED
    for x, h, kn, z, r, n in reversed(tape):
        dz = dh * (h - n) * z * (1 - z)
        dn = dh * (1 - z) * (1 - n**2)
        dr = dn * kn * r * (1 - r)
        da = np.concatenate([dz, dr, dn])
        dk = np.concatenate([dz, dr, dn * r])
        dW += np.outer(x, da)
        dU += np.outer(h, dk)
        db += da
        dh = dh * z + U @ dk
    return dW, dU, db


GRU = pair(
    gru,
    gru_gradient,
    normal(3, 9),
    normal(3, 9),
    normal(9),
    bugs={
        "update gate: sign": ("dh * (h - n)", "dh * (n - h)"),
        "update gate: old state only": ("dh * (h - n)", "dh * h"),
        "carry forgotten": ("dh = dh * z + U @ dk", "dh = U @ dk"),
        "carry with 1 - z": ("dh = dh * z +", "dh = dh * (1 - z) +"),
        "reset gate forgotten at the candidate": (
            "dk = np.concatenate([dz, dr, dn * r])",
            "dk = np.concatenate([dz, dr, dn])",
        ),
        "reset applied to the input too": (
            "da = np.concatenate([dz, dr, dn])",
            "da = np.concatenate([dz, dr, dn * r])",
        ),
        "reset gate: state in the place of the product": ("dn * kn * r", "dn * h * r"),
        "slope of the gates forgotten": ("dr = dn * kn * r * (1 - r)", "dr = dn * kn"),
        "stale state": (
            "tape.append((x, h, k[6:], z, r, n))\n        h = z * h + (1 - z) * n",
            "h = z * h + (1 - z) * n\n        tape.append((x, h, k[6:], z, r, n))",
        ),
        "slope of tanh": ("(1 - n**2)", "(1 - n)"),
    },
)

PAIRS = [ELMAN, TRUNCATED, LSTM, GRU]
