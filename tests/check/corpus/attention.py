"""Attention and embeddings: causal and cross attention, lookups, negative samples, rotations."""

import numpy as np

from tests.check.corpus.base import onehot, pair, sigmoid, softmax, softplus

rng = np.random.default_rng(4)


def normal(*shape, scale=0.5):
    return scale * rng.standard_normal(shape)


# --- one causal head: x (time, width), squared error

CAUSAL = np.tril(np.ones((6, 6), bool))
WANTED = normal(6, 4)


def causal_attention(x, Q, K, V):
    scores = np.where(CAUSAL, (x @ Q) @ (x @ K).T / np.sqrt(4), -1e9)
    return 0.5 * np.sum((softmax(scores) @ (x @ V) - WANTED) ** 2)


def causal_attention_gradient(x, Q, K, V):
    q, k, v = x @ Q, x @ K, x @ V
    p = softmax(np.where(CAUSAL, q @ k.T / np.sqrt(4), -1e9))
    dy = p @ v - WANTED
    dv = p.T @ dy
    dp = dy @ v.T
    ds = p * (dp - np.sum(dp * p, axis=1, keepdims=True)) / np.sqrt(4)
    dq = ds @ k
    dk = ds.T @ q
    dx = dq @ Q.T + dk @ K.T + dv @ V.T
    return dx, x.T @ dq, x.T @ dk, x.T @ dv


CAUSAL_HEAD = pair(
    causal_attention,
    causal_attention_gradient,
    normal(6, 4, scale=1.0),
    normal(4, 4),
    normal(4, 4),
    normal(4, 4),
    bugs={
        "softmax: diagonal only": (
            "p * (dp - np.sum(dp * p, axis=1, keepdims=True))",
            "p * (1 - p) * dp",
        ),
        "softmax: sum forgotten": ("(dp - np.sum(dp * p, axis=1, keepdims=True))", "dp"),
        "softmax: sum over the other axis": (
            "np.sum(dp * p, axis=1, keepdims=True)",
            "np.sum(dp * p, axis=0)",
        ),
        "softmax: unweighted sum": ("np.sum(dp * p, axis=1", "np.sum(dp, axis=1"),
        "scale forgotten in backward": ("keepdims=True)) / np.sqrt(4)", "keepdims=True))"),
        "scale of the square": ("keepdims=True)) / np.sqrt(4)", "keepdims=True)) / 4"),
        "mask forgotten in backward": (
            "p = softmax(np.where(CAUSAL, q @ k.T / np.sqrt(4), -1e9))",
            "p = softmax(q @ k.T / np.sqrt(4))",
        ),
        "keys and queries swapped": (
            "dq = ds @ k\n    dk = ds.T @ q",
            "dk = ds @ k\n    dq = ds.T @ q",
        ),
        "scores not transposed": ("dk = ds.T @ q", "dk = ds @ q"),
        "attention not transposed": ("dv = p.T @ dy", "dv = p @ dy"),
        "values detached from x": (" + dv @ V.T", ""),
        "keys detached from x": (" + dk @ K.T", ""),
        "weights not transposed": ("dq @ Q.T", "dq @ Q"),
        "weights mixed up": ("dk @ K.T", "dk @ Q.T"),
        "future seen in the values": ("dv = p.T @ dy", "dv = np.ones((6, 6)).T @ dy / 6"),
    },
)


# --- two heads with output weights; keys and values from another sequence, padding masked

MEMORY = normal(5, 4, scale=1.0)
PADDING = np.array([False, False, False, True, True])
SIGNS = normal(3, 4)


def split(x):
    """(time, 2 w) -> (2, time, w)."""
    return x.reshape(len(x), 2, 2).transpose(1, 0, 2)


def joined(x):
    return x.transpose(1, 0, 2).reshape(x.shape[1], 4)


def cross_attention(x, K, V, O):
    q, k, v = split(x), split(MEMORY @ K), split(MEMORY @ V)
    scores = q @ k.transpose(0, 2, 1) / np.sqrt(2)
    p = softmax(np.where(PADDING, -1e9, scores))
    return np.sum(SIGNS * np.tanh(joined(p @ v) @ O))


def cross_attention_gradient(x, K, V, O):
    q, k, v = split(x), split(MEMORY @ K), split(MEMORY @ V)
    scores = q @ k.transpose(0, 2, 1) / np.sqrt(2)
    p = softmax(np.where(PADDING, -1e9, scores))
    h = joined(p @ v)
    da = SIGNS * (1 - np.tanh(h @ O) ** 2)
    dO = h.T @ da
    dh = split(da @ O.T)
    dv = p.transpose(0, 2, 1) @ dh
    dp = dh @ v.transpose(0, 2, 1)
    ds = p * (dp - np.sum(dp * p, axis=-1, keepdims=True)) / np.sqrt(2)
    dq = ds @ k
    dk = ds.transpose(0, 2, 1) @ q
    return joined(dq), MEMORY.T @ joined(dk), MEMORY.T @ joined(dv), dO


CROSS = pair(
    cross_attention,
    cross_attention_gradient,
    normal(3, 4, scale=1.0),
    normal(4, 4),
    normal(4, 4),
    normal(4, 4),
    bugs={
        "heads not put back in order": ("return joined(dq),", "return dq.reshape(3, 4),"),
        "heads split in the wrong order": ("split(da @ O.T)", "(da @ O.T).reshape(2, 3, 2)"),
        "scale of the whole width": (
            "keepdims=True)) / np.sqrt(2)",
            "keepdims=True)) / np.sqrt(4)",
        ),
        "padding in backward only": ("np.where(PADDING, -1e9, scores)", "scores"),
        "output weights not transposed": ("da @ O.T", "da @ O"),
        "keys and values swapped": (
            "MEMORY.T @ joined(dk), MEMORY.T @ joined(dv)",
            "MEMORY.T @ joined(dv), MEMORY.T @ joined(dk)",
        ),
        "tanh at the input": ("1 - np.tanh(h @ O) ** 2", "1 - (h @ O) ** 2"),
        "first head for both": (
            "dk = ds.transpose(0, 2, 1) @ q",
            "dk = ds[[0, 0]].transpose(0, 2, 1) @ q",
        ),
    },
)


# --- a language model of a sort: embeddings tied with the output, positions, repeated words

WORDS = np.array([3, 1, 4, 1, 5, 2, 6, 5, 3, 5])
NEXT = np.array([1, 4, 1, 5, 2, 6, 5, 3, 5, 0])


def tied_embedding(E, P):
    """E : (8 words, width), P : (10 positions, width)."""
    h = np.tanh(E[WORDS] + P)
    return -np.mean(np.log(softmax(h @ E.T))[np.arange(10), NEXT])


def tied_embedding_gradient(E, P):
    h = np.tanh(E[WORDS] + P)
    dz = (softmax(h @ E.T) - onehot(NEXT, 8)) / 10
    dh = dz @ E
    da = dh * (1 - h**2)
    dE = dz.T @ h
    np.add.at(dE, WORDS, da)
    return dE, da


TIED = pair(
    tied_embedding,
    tied_embedding_gradient,
    normal(8, 3),
    normal(10, 3),
    bugs={
        "repeated words counted once": ("np.add.at(dE, WORDS, da)", "dE[WORDS] += da"),
        "assigned for added": ("np.add.at(dE, WORDS, da)", "dE[WORDS] = da"),
        "output use only": ("    np.add.at(dE, WORDS, da)\n", ""),
        "input use only": ("dE = dz.T @ h", "dE = np.zeros_like(E)"),
        "rows of the next word": ("np.add.at(dE, WORDS", "np.add.at(dE, NEXT"),
        "positions shifted by one": ("return dE, da", "return dE, np.roll(da, 1, axis=0)"),
        "slope before tanh": ("da = dh * (1 - h**2)", "da = dh"),
        "positions summed": ("return dE, da", "return dE, da.sum(axis=0) + 0 * P"),
    },
)


# --- word vectors with negative samples

CENTRE = np.array([0, 2, 2, 4, 1])
CONTEXT = np.array([1, 3, 0, 4, 2])
NOISE = np.array([[3, 3], [1, 4], [4, 0], [2, 2], [0, 3]])


def negative_samples(U, V):
    u = U[CENTRE]
    good = np.sum(u * V[CONTEXT], axis=1)
    bad = np.einsum("nd,nkd->nk", u, V[NOISE])
    return np.sum(softplus(-good)) + np.sum(softplus(bad))


def negative_samples_gradient(U, V):
    u = U[CENTRE]
    good = np.sum(u * V[CONTEXT], axis=1)
    bad = np.einsum("nd,nkd->nk", u, V[NOISE])
    dgood = -sigmoid(-good)[:, None]
    dbad = sigmoid(bad)[..., None]
    dU, dV = np.zeros_like(U), np.zeros_like(V)
    np.add.at(dU, CENTRE, dgood * V[CONTEXT] + np.sum(dbad * V[NOISE], axis=1))
    np.add.at(dV, CONTEXT, dgood * u)
    np.add.at(dV, NOISE, dbad * u[:, None])
    return dU, dV


NEGATIVE = pair(
    negative_samples,
    negative_samples_gradient,
    normal(5, 3),
    normal(5, 3),
    bugs={
        "negative samples with the wrong sign": ("dbad = sigmoid(bad)", "dbad = -sigmoid(-bad)"),
        "positive: sigmoid of the score": ("-sigmoid(-good)", "-sigmoid(good)"),
        "one negative sample": ("np.sum(dbad * V[NOISE], axis=1)", "dbad[:, 0] * V[NOISE[:, 0]]"),
        "repeated negative samples once": (
            "np.add.at(dV, NOISE, dbad * u[:, None])",
            "dV[NOISE] += dbad * u[:, None]",
        ),
        "context and centre swapped": ("return dU, dV", "return dV, dU"),
        "context forgotten": ("    np.add.at(dV, CONTEXT, dgood * u)\n", ""),
        "negative samples averaged": (
            "np.sum(dbad * V[NOISE], axis=1)",
            "np.mean(dbad * V[NOISE], axis=1)",
        ),
    },
)


# --- rotary positions: queries and keys turned by their angle before the product

ANGLES = np.arange(5)[:, None] * np.array([1.0, 0.1])
COS, SIN = np.cos(ANGLES), np.sin(ANGLES)
LINKS = normal(5, 5)


def rotated(x):
    a, b = x[:, :2], x[:, 2:]
    return np.concatenate([a * COS - b * SIN, a * SIN + b * COS], axis=1)


def rotary_attention(q, k):
    return np.sum(LINKS * softmax(rotated(q) @ rotated(k).T))


def rotary_attention_gradient(q, k):
    rq, rk = rotated(q), rotated(k)
    p = softmax(rq @ rk.T)
    ds = p * (LINKS - np.sum(LINKS * p, axis=1, keepdims=True))

    def back(g):
        a, b = g[:, :2], g[:, 2:]
        return np.concatenate([a * COS + b * SIN, -a * SIN + b * COS], axis=1)

    return back(ds @ rk), back(ds.T @ rq)


ROTARY = pair(
    rotary_attention,
    rotary_attention_gradient,
    normal(5, 4, scale=1.0),
    normal(5, 4, scale=1.0),
    bugs={
        "turned forward again": ("a * COS + b * SIN, -a * SIN", "a * COS - b * SIN, a * SIN"),
        "not turned back": ("return back(ds @ rk),", "return ds @ rk,"),
        "keys before their rotation": ("back(ds @ rk)", "back(ds @ k)"),
        "one sign": ("-a * SIN + b * COS", "a * SIN + b * COS"),
        "softmax: sum forgotten": ("(LINKS - np.sum(LINKS * p, axis=1, keepdims=True))", "LINKS"),
    },
)

PAIRS = [CAUSAL_HEAD, CROSS, TIED, NEGATIVE, ROTARY]
