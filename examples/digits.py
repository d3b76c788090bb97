"""A two-layer network that reads handwritten digits, in plain NumPy.

This is the kind of file a scientist already has: it imports NumPy and nothing else, and it knows
nothing of chainrule. ``loss`` is the objective; ``loss_grad`` is its gradient worked out by hand,
the way it was done before automatic differentiation; ``loss_grad_buggy`` is the same with one
realistic slip in it.

Run as a script it writes ``digits-point.npz``, a point at which the gradients can be checked::

    python examples/digits.py
    chainrule check examples/digits.py:loss --at digits-point.npz
    chainrule check examples/digits.py:loss --at digits-point.npz \\
                    --grad examples/digits.py:loss_grad_buggy
"""

from pathlib import Path

import numpy as np

DATA = Path(__file__).resolve().parents[1] / "src" / "chainrule" / "data" / "digits.npz"
DECAY = 1e-3


def load(path=DATA, held_out=500, seed=0):
    """X and Y to train on, then held-out ones. X is (n, 64) in 0..1, Y is (n, 10), one-hot."""
    with np.load(path, allow_pickle=False) as file:
        X = file["images"] / 16.0
        Y = np.eye(10)[file["labels"]]
    order = np.random.default_rng(seed).permutation(len(X))
    test, train = order[:held_out], order[held_out:]
    return X[train], Y[train], X[test], Y[test]


def init(hidden=32, seed=0):
    """Random weights, small enough that no unit starts out saturated."""
    rng = np.random.default_rng(seed)
    return {
        "W1": rng.normal(size=(64, hidden)) / 8,
        "b1": np.zeros(hidden),
        "W2": rng.normal(size=(hidden, 10)) / np.sqrt(hidden),
        "b2": np.zeros(10),
    }


def predict(params, X):
    """The ten scores of each image, (n, 10); the largest one is the digit read."""
    H = np.tanh(X @ params["W1"] + params["b1"])
    return H @ params["W2"] + params["b2"]


def loss(params, X, Y):
    """Cross-entropy of the scores, averaged over the images, plus a little weight decay."""
    Z = predict(params, X)
    top = np.max(Z, axis=1, keepdims=True)  # so that exp cannot overflow
    log_total = top + np.log(np.sum(np.exp(Z - top), axis=1, keepdims=True))
    cross_entropy = np.mean(np.sum(Y * (log_total - Z), axis=1))
    decay = DECAY / 2 * (np.sum(params["W1"] ** 2) + np.sum(params["W2"] ** 2))
    return cross_entropy + decay


def accuracy(params, X, Y):
    """The fraction of images read correctly."""
    return np.mean(np.argmax(predict(params, X), axis=1) == np.argmax(Y, axis=1))


def loss_grad(params, X, Y):
    """The gradient of ``loss`` by hand: backpropagation, written out line by line."""
    H = np.tanh(X @ params["W1"] + params["b1"])
    Z = H @ params["W2"] + params["b2"]
    P = np.exp(Z - np.max(Z, axis=1, keepdims=True))
    P /= np.sum(P, axis=1, keepdims=True)

    dZ = (P - Y) / len(X)
    dH = dZ @ params["W2"].T
    dA = dH * (1 - H**2)
    return {
        "W1": X.T @ dA + DECAY * params["W1"],
        "b1": np.sum(dA, axis=0),
        "W2": H.T @ dZ + DECAY * params["W2"],
        "b2": np.sum(dZ, axis=0),
    }


def loss_grad_buggy(params, X, Y):
    """The same with a slip in one line. Nothing crashes: training just ends up worse."""
    H = np.tanh(X @ params["W1"] + params["b1"])
    Z = H @ params["W2"] + params["b2"]
    P = np.exp(Z - np.max(Z, axis=1, keepdims=True))
    P /= np.sum(P, axis=1, keepdims=True)

    dZ = (P - Y) / len(X)
    dH = dZ @ params["W2"].T
    dA = dH * (1 - H)  # the slip: the derivative of tanh is 1 - tanh**2
    return {
        "W1": X.T @ dA + DECAY * params["W1"],
        "b1": np.sum(dA, axis=0),
        "W2": H.T @ dZ + DECAY * params["W2"],
        "b2": np.sum(dZ, axis=0),
    }


if __name__ == "__main__":
    X, Y, X_test, Y_test = load()
    params = init()
    read = accuracy(params, X_test, Y_test)
    print(f"Untrained: loss {loss(params, X, Y):.4f}, {read:.1%} of the held-out digits read.")
    point = {f"params.{name}": array for name, array in params.items()}
    np.savez("digits-point.npz", **point, X=X[:200], Y=Y[:200])
    print("Wrote digits-point.npz.")
