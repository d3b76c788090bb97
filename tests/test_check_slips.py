"""The slip that gives a wrong gradient: each kind is found, with its step; none is made up."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from chainrule.checker.blame import explain_claim, traced
from chainrule.checker.search import Search
from chainrule.checker.sweep import Sweep, against

rng = np.random.default_rng(7)
X = rng.normal(size=(6, 3))
W, V, b = rng.normal(size=(3, 3)), rng.normal(size=(3, 3)), rng.normal(size=3)


def network(W, b, V):
    z = X @ W + b
    h = np.tanh(z)
    y = h @ V
    return np.sum(np.sin(y)) / 6


def right(W, b, V):
    """Cotangents by name, in the order in which they are computed."""
    z = X @ W + b
    h = np.tanh(z)
    y = h @ V
    dy = np.cos(y) / 6
    dh = dy @ V.T
    dz = dh * (1 - h**2)
    return SimpleNamespace(z=z, h=h, y=y, dy=dy, dh=dh, dz=dz)


def explained(f, args, claimed):
    steps = traced(f, args, tuple(range(len(args))))
    return explain_claim(steps, claimed)


def network_with(change):
    """What is said of a gradient (W, b, V) that ``change`` makes of the right intermediates."""
    return explained(network, (W, b, V), change(right(W, b, V)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda r: (X.T @ r.dh, r.dh.sum(axis=0), r.h.T @ r.dy),
            r"the factor of tanh in .* is left out \(taken as 1\)",
        ),
        (
            lambda r: (X.T @ r.dz, r.dz.sum(axis=0), r.z.T @ r.dy),
            r"the derivative of matmul in .* by V is computed with z in the place of h",
        ),
        (
            lambda r: (X.T @ r.dz, r.dz.sum(axis=0), 6 * r.h.T @ r.dy),
            "V's cotangent from matmul in .* is multiplied by 6",
        ),
        (
            lambda r: (X.T @ r.dz, -r.dz.sum(axis=0), r.h.T @ r.dy),
            "the sign of b's cotangent from add in .* is flipped",
        ),
        (
            lambda r: (X[1:].T @ r.dz[1:], r.dz.sum(axis=0), r.h.T @ r.dy),
            "the first index of axis 0 is lost in what .* sends to",
        ),
        (
            lambda r: (X.T @ r.dz, r.dz.sum(axis=0), r.h[:-1].T @ r.dy[1:]),
            "made from|starts from its own cotangent|shifted|lost|if one step is wrong",
        ),
        (
            lambda r: (r.h.T @ r.dy, r.dz.sum(axis=0), X.T @ r.dz),
            "the cotangents of . and . have changed places",
        ),
        (
            lambda r: (X.T @ r.dz, r.dy.sum(axis=0), r.h.T @ r.dy),
            "add in .* sends to b what comes from the cotangent of y",
        ),
        (
            lambda r: (X.T @ r.dz, r.dz.sum(axis=0), np.tril(r.h.T @ r.dy)),
            "V's cotangent from matmul in .* is the lower triangle alone",
        ),
        (
            lambda r: (
                X.T @ (r.dh * (r.h > 0)),
                (r.dh * (r.h > 0)).sum(axis=0),
                r.h.T @ r.dy,
            ),
            r"the slope of tanh in .* by z is taken as \(. > 0\)",
        ),
        (
            lambda r: (
                X.T @ (r.dh * np.where(r.z > 0, 1, 0.1)),
                (r.dh * np.where(r.z > 0, 1, 0.1)).sum(axis=0),
                r.h.T @ r.dy,
            ),
            r"the slope of tanh in .* is taken as 1 where . > 0, 0\.1 elsewhere",
        ),
    ],
)
def test_slips_of_a_network(change, words):
    text = network_with(change)
    assert re.search(words, text), text


def test_a_slip_of_every_round_of_a_loop():
    def f(U, h):
        for x in X:
            h = np.tanh(U @ h + x)
        return np.sum(h)

    def gradient(U, h, slope):
        states = [h]
        for x in X:
            states.append(np.tanh(U @ states[-1] + x))
        bar, dU = np.ones(3), np.zeros((3, 3))
        for before, after in zip(states[-2::-1], states[:0:-1]):
            dz = bar * slope(after)
            dU += np.outer(dz, before)
            bar = U.T @ dz
        return dU, bar

    U, h = 0.5 * rng.normal(size=(3, 3)), rng.normal(size=3)
    assert explained(f, (U, h), gradient(U, h, lambda y: 1 - y**2)) == ""
    text = explained(f, (U, h), gradient(U, h, np.ones_like))
    assert re.search("the factor of tanh in .* is left out", text), text


def test_only_some_rounds_of_a_loop():
    def f(w):
        total = 0.0
        for x in X:
            total = total + np.tanh(x @ w)
        return total

    w = rng.normal(size=3)
    terms = (1 - np.tanh(X @ w) ** 2)[:, None] * X
    text = explained(f, (w,), [terms[:-2].sum(axis=0)])
    assert "the last 2" in text and "of 6 rounds" in text, text


def test_reads_undone_by_assignment_over_other_uses():
    index = np.array([0, 1, 1])

    def f(E):
        return np.sum(E**2) + np.sum(np.sin(E[index]))

    E = rng.normal(size=3)
    claimed = 2 * E
    claimed[index] = np.cos(E[index])
    assert "by assignment over what other steps have sent" in explained(f, (E,), [claimed])


def test_a_backward_pass_of_another_forward_pass():
    seen = np.tril(np.ones((3, 3), bool))
    aim = rng.normal(size=(3, 3))

    def probabilities(s):
        e = np.exp(s)
        return e / e.sum(axis=1, keepdims=True)

    def f(s):
        return np.sum(aim * probabilities(np.where(seen, s, -30.0)))

    s = rng.normal(size=(3, 3))
    p = probabilities(s)  # the mask forgotten
    text = explained(f, (s,), [p * (aim - np.sum(aim * p, axis=1, keepdims=True))])
    assert "the backward pass has a forward pass without where in" in text, text


def test_two_slips_at_once():
    r = right(W, b, V)
    text = explained(network, (W, b, V), (-X.T @ r.dz, r.dz.sum(axis=0), 0 * V))
    assert "and" in text and text.count("cotangent") + text.count("derivative") >= 2, text


# --- what is not found


def test_the_steps_that_come_into_question_are_named():
    r = right(W, b, V)
    odd = r.dh * (1 - r.h**3 + 0.3 * r.z)
    text = explained(network, (W, b, V), (X.T @ odd, odd.sum(axis=0), r.h.T @ r.dy))
    assert text.startswith("the gradient of V is right: if one step is wrong, it is in ")
    assert "h = np.tanh(z)" in text
    assert "z = X @ W + b" not in text
    steps = traced(network, (W, b, V), (0, 1, 2))
    claimed = (X.T @ odd, odd.sum(axis=0), r.h.T @ r.dy)
    assert explain_claim(steps, claimed, known="something") == ""


def test_where_everything_is_wrong():
    text = explained(network, (W, b, V), (W**2, b**2, V**2))
    assert text.startswith(
        "all gradients are wrong: if it is one step, look backwards from the end"
    )


@pytest.mark.parametrize("seed", range(20))
def test_random_gradients_have_no_slip(seed):
    random = np.random.default_rng(seed)
    claimed = [random.normal(size=np.shape(a)) for a in (W, b, V)]
    assert not explained(network, (W, b, V), claimed).startswith("it is what results")


@pytest.mark.parametrize("seed", range(20))
def test_random_gradients_of_few_numbers_have_no_slip(seed):
    def f(x, s):
        return np.exp(s) * np.tanh(x) + s * np.log1p(x * x) + np.sin(x * s)

    random = np.random.default_rng(seed)
    text = explained(f, (np.float64(0.7), np.float64(0.3)), list(random.normal(size=2)))
    assert not text.startswith("it is what results"), text


def test_the_answer_is_always_the_same():
    r = right(W, b, V)
    claimed = (X.T @ r.dz, r.dz.sum(axis=0), r.h.T @ r.dy * 1.5)
    texts = {explained(network, (W, b, V), claimed) for _ in range(3)}
    assert len(texts) == 1
    assert "is multiplied by 1.5" in texts.pop()


# --- the backward pass laid open


def test_cotangents_along_edges_and_tangents_belong_together():
    sweep = Sweep(traced(network, (W, b, V), (0, 1, 2)))
    r = right(W, b, V)
    for made, wanted in zip(sweep.gradient, (X.T @ r.dz, r.dz.sum(axis=0), r.h.T @ r.dy)):
        np.testing.assert_allclose(made, wanted, rtol=1e-12)
    tangents = sweep.tangents()
    inputs, output = sweep.program.inputs, sweep.steps.output
    slopes = sum(against(g, tangents[v]) for g, v in zip(sweep.gradient, inputs))
    np.testing.assert_allclose(slopes, tangents[output], rtol=1e-12)
    for var, bar in sweep.bars.items():  # every cotangent, too: it is what its variable sends on
        arriving = [e for e in sweep.sent if sweep.program.operands[e[0]][e[1]] == var]
        if arriving:
            np.testing.assert_allclose(bar, sum(sweep.sent[e] for e in arriving), rtol=1e-12)


def test_a_change_is_followed_to_the_inputs():
    search = Search(traced(network, (W, b, V), (0, 1, 2)), (W, b, V))
    edge = next(e for e in search.sweep.sent if search.steps.name(search.variable(e)) == "z")
    r = right(W, b, V)
    made = search.sweep.changed({edge: lambda g, bar: 3 * bar})
    for got, wanted in zip(made, (3 * X.T @ r.dz, 3 * r.dz.sum(axis=0), r.h.T @ r.dy)):
        np.testing.assert_allclose(got, wanted, rtol=1e-12)
