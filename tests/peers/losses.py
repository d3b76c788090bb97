"""Losses of PyTorch's test database as plain NumPy: name -> function."""

import numpy as np
import scipy.special as sp

from tests.peers.reductions import log_softmax


def reduced(loss, reduction):
    return {"none": lambda x: x, "mean": np.mean, "sum": np.sum}[reduction](loss)


def loss(elements):
    """A loss of input and target, element by element, and then reduced."""

    def run(input, target, *args, reduction="mean", **kwargs):
        return reduced(elements(input, target, *args, **kwargs), reduction)

    return run


def huber(a, b, delta=1.0, weight=None):
    d = np.abs(a - b)
    y = np.where(d < delta, 0.5 * d**2, delta * (d - 0.5 * delta))
    return y if weight is None else y * weight


def smooth_l1(a, b, beta=1.0):
    d = np.abs(a - b)
    return np.where(d < beta, 0.5 * d**2 / (beta or 1.0), d - 0.5 * beta)


def mse(a, b, weight=None):
    y = (a - b) ** 2
    return y if weight is None else y * weight


def binary_cross_entropy(p, t, weight=None):
    y = -(t * np.maximum(np.log(p), -100) + (1 - t) * np.maximum(np.log1p(-p), -100))
    return y if weight is None else y * weight


def bce_with_logits(x, t, weight=None, pos_weight=None):
    w = 1 if pos_weight is None else 1 + (pos_weight - 1) * t
    y = (1 - t) * x + w * np.logaddexp(0.0, -x)
    return y if weight is None else y * weight


def poisson_nll(x, t, log_input=True, full=False, eps=1e-8):
    y = np.exp(x) - t * x if log_input else x - t * np.log(x + eps)
    if not full:
        return y
    safe = np.where(t > 1, t, 1.0)
    return y + np.where(t > 1, t * np.log(safe) - t + 0.5 * np.log(2 * np.pi * safe), 0.0)


def gaussian_nll(x, t, var, full=False, eps=1e-6):
    if np.ndim(var) and var.shape != x.shape and var.shape == x.shape[:-1]:
        var = var[..., None]
    var = var * np.ones(x.shape) if np.ndim(var) == 0 else var
    var = var + np.where(var < eps, eps - np.asarray(var), 0.0) if eps else var
    y = 0.5 * (np.log(var) + (x - t) ** 2 / var)
    return y + 0.5 * np.log(2 * np.pi) if full else y


def kl_div(x, t, reduction="mean", log_target=False):
    y = np.exp(t) * (t - x) if log_target else sp.xlogy(t, t) - t * x
    return (
        np.sum(y) / len(x)
        if reduction == "batchmean" and x.ndim
        else reduced(y, "sum" if reduction == "batchmean" else reduction)
    )


def cosine_similarity(a, b, dim=1, eps=1e-8):
    a, b = np.broadcast_arrays(a, b)
    if a.ndim == 0:
        return a / np.maximum(np.abs(a), eps) * (b / np.maximum(np.abs(b), eps))
    size = [np.maximum(np.linalg.vector_norm(x, axis=dim, keepdims=True), eps) for x in (a, b)]
    return np.sum(a / size[0] * (b / size[1]), axis=dim)


def cosine_embedding_loss(a, b, t, margin=0.0, reduction="mean"):
    def squares(x):
        return np.sum(x * x, axis=-1) + 1e-12

    cosine = np.sum(a * b, axis=-1) / np.sqrt(squares(a) * squares(b))
    y = np.where(t == 1, 1 - cosine, 0.0) + np.where(t == -1, np.maximum(cosine - margin, 0.0), 0.0)
    return reduced(y, reduction)


def hinge_embedding_loss(x, t, margin=1.0):
    return np.where(t != 1, np.maximum(margin - x, 0.0), 0.0) + np.where(t != -1, x, 0.0)


def margin_ranking_loss(a, b, t, margin=0.0, reduction="mean"):
    return reduced(np.maximum(-t * (a - b) + margin, 0.0), reduction)


def multilabel_soft_margin(x, t, weight=None):
    y = t * np.logaddexp(0.0, -x) + (1 - t) * np.logaddexp(0.0, x)
    y = y if weight is None else y * weight
    return y.mean(axis=-1)


def multi_margin_loss(x, t, p=1, margin=1.0, weight=None, reduction="mean"):
    x2, t = np.atleast_2d(x), np.atleast_1d(t)
    i = np.arange(len(t))
    y = np.maximum(margin - x2[i, t][:, None] + x2, 0.0) ** p
    y = y if weight is None else y * weight[t][:, None]
    y = np.where(np.arange(x2.shape[1]) == t[:, None], 0.0, y).sum(axis=1) / x2.shape[1]
    return reduced(y if x.ndim > 1 else y[0], reduction)


def multilabel_margin_loss(x, t, reduction="mean"):
    x2, t2 = np.atleast_2d(x), np.atleast_2d(t)
    rows = []
    for row, targets in zip(x2, t2):
        ends = np.flatnonzero(targets == -1)
        targets = targets[: ends[0]] if len(ends) else targets
        others = np.setdiff1d(np.arange(len(row)), targets)
        d = 1 - (row[targets][:, None] - row[others])
        rows.append(np.sum(np.maximum(d, 0.0)) / len(row))
    y = np.stack(rows)
    return reduced(y if x.ndim > 1 else y[0], reduction)


def nll_loss(x, t, weight=None, ignore_index=-100, reduction="mean"):
    x = x if x.ndim > 1 else x[None]
    scalar = t.ndim == 0
    t = np.atleast_1d(t)
    w = np.ones(x.shape[1]) if weight is None else weight
    kept = t != ignore_index
    safe = np.where(kept, t, 0)
    picked = np.take_along_axis(x, np.expand_dims(safe, 1), axis=1).squeeze(1)
    w = np.where(kept, w[safe], 0.0)
    y = -w * picked
    if reduction == "mean":
        return np.sum(y) / np.sum(w)
    return np.sum(y) if reduction == "sum" else y[0] if scalar else y


def cross_entropy(x, t, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    axis = 0 if x.ndim == 1 else 1
    logp = log_softmax(x, axis)
    m = x.shape[axis]
    shape = [-1 if i == axis else 1 for i in range(x.ndim)]
    w = np.ones(m) if weight is None else weight
    if t.shape == x.shape:
        t = t * (1 - label_smoothing) + label_smoothing / m
        y = -np.sum(w.reshape(shape) * t * logp, axis=axis)
        return np.sum(y) * m / x.size if reduction == "mean" else reduced(y, reduction)
    hard = nll_loss(logp, t, weight, ignore_index, reduction)
    if not label_smoothing:
        return hard
    kept = t != ignore_index
    soft = np.where(kept, -np.sum(w.reshape(shape) * logp, axis=axis), 0.0)
    if reduction == "mean":
        soft = np.sum(soft) / np.sum(np.where(kept, w[np.where(kept, t, 0)], 0.0))
    soft = np.sum(soft) if reduction == "sum" else soft
    return (1 - label_smoothing) * hard + label_smoothing / m * soft


def pairwise_distance(a, b, p=2.0, eps=1e-6, keepdim=False):
    return np.linalg.vector_norm(a - b + eps, axis=-1, ord=p, keepdims=keepdim)


def triplet_margin_loss(
    a, positive, negative, margin=1.0, p=2, eps=1e-6, swap=False, reduction="mean"
):
    near, far = pairwise_distance(a, positive, p, eps), pairwise_distance(a, negative, p, eps)
    if swap:
        far = np.minimum(far, pairwise_distance(positive, negative, p, eps))
    return reduced(np.maximum(near - far + margin, 0.0), reduction)


def ctc_loss(
    logp, targets, input_lengths, target_lengths, blank=0, reduction="mean", zero_infinity=False
):
    """-log of the sum over all alignments, by the recursion over the target with blanks between.

    PyTorch's gradient holds for normalised probabilities, and its tests normalise them.
    """
    logp = log_softmax(logp, 2)
    losses = []
    targets = np.atleast_2d(targets) if targets.ndim == 2 else targets
    start = 0
    for k, (T, L) in enumerate(zip(input_lengths, target_lengths)):
        labels = targets[k, :L] if targets.ndim == 2 else targets[start : start + L]
        start += L
        extended = np.full(2 * L + 1, blank)
        extended[1::2] = labels
        skips = np.zeros(2 * L + 1, bool)
        skips[2:] = (extended[2:] != blank) & (extended[2:] != extended[:-2])
        row = logp[0, k, extended]
        a = np.where(np.arange(2 * L + 1) < 2, row, -np.inf)
        for t in range(1, T):
            one = np.concatenate([[-np.inf], a[:-1]])
            two = np.where(
                skips, np.concatenate([[-np.inf, -np.inf], a[:-2]])[: 2 * L + 1], -np.inf
            )
            a = np.logaddexp(np.logaddexp(a, one), two) + logp[t, k, extended]
        losses.append(-np.logaddexp(a[-1], a[-2]) if L else -a[-1])
    y = np.stack(losses)
    if reduction == "mean":
        return np.mean(y / np.maximum(target_lengths, 1))
    return reduced(y, reduction)


def with_distance(
    a, positive, negative, *, distance_function=None, margin=1.0, swap=False, reduction="mean"
):
    if distance_function is not None:  # written in PyTorch
        return NotImplemented
    return triplet_margin_loss(a, positive, negative, margin, 2, 1e-6, swap, reduction)


LOSSES = {
    "nn.functional.triplet_margin_with_distance_loss": with_distance,
    "nn.functional.mse_loss": loss(mse),
    "nn.functional.l1_loss": loss(lambda a, b: np.abs(a - b)),
    "nn.functional.smooth_l1_loss": loss(smooth_l1),
    "nn.functional.huber_loss": loss(huber),
    "nn.functional.soft_margin_loss": loss(lambda x, t: np.logaddexp(0.0, -t * x)),
    "nn.functional.binary_cross_entropy": loss(binary_cross_entropy),
    "nn.functional.binary_cross_entropy_with_logits": loss(bce_with_logits),
    "nn.functional.poisson_nll_loss": loss(poisson_nll),
    "nn.functional.gaussian_nll_loss": loss(gaussian_nll),
    "nn.functional.hinge_embedding_loss": loss(hinge_embedding_loss),
    "nn.functional.multilabel_soft_margin_loss": loss(multilabel_soft_margin),
    "nn.functional.kl_div": kl_div,
    "nn.functional.cosine_similarity": cosine_similarity,
    "nn.functional.cosine_embedding_loss": cosine_embedding_loss,
    "nn.functional.margin_ranking_loss": margin_ranking_loss,
    "nn.functional.multi_margin_loss": multi_margin_loss,
    "nn.functional.multilabel_margin_loss": multilabel_margin_loss,
    "nn.functional.nll_loss": nll_loss,
    "nn.functional.cross_entropy": cross_entropy,
    "nn.functional.triplet_margin_loss": triplet_margin_loss,
    "nn.functional.pairwise_distance": pairwise_distance,
    "nn.functional.ctc_loss": ctc_loss,
}
