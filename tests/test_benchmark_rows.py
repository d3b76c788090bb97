"""The derivatives written by hand in ``benchmarks/`` agree with ours, on small operands; each
primitive has a row there."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from tests.random_lines import recent_only

pytestmark = recent_only
BENCHMARKS = str(Path(__file__).resolve().parent.parent / "benchmarks")
sys.path.insert(0, BENCHMARKS)
try:
    rules = importlib.import_module("rules")
finally:
    sys.path.remove(BENCHMARKS)

ROWS = rules.table(1200, 12)
# one triangle is read: only the sum of a cotangent and its transpose has a meaning
SYMMETRIC = set("cholesky eigh eigvalsh pinvh eigh_generalized".split())


def _parts(values):
    return [np.asarray(v) for v in (values if isinstance(values, tuple) else (values,))]


def _agree(ours, hand, name):
    for a, b in zip(_parts(ours), _parts(hand), strict=True):
        if a.ndim == 2 and name.removeprefix("scipy_") in SYMMETRIC:
            a, b = a + a.T, b + b.T
        scale = np.max(np.abs(b), initial=0.0)  # a hand's formula may cancel where ours does not
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-8 * scale, err_msg=name)


@pytest.mark.parametrize("row", [r for r in ROWS if r.vjp], ids=lambda row: row.name)
def test_pullback_by_hand_agrees(row):
    y, pullback = cr.vjp(row.f, *row.operands)
    g = rules.like(y)
    _agree(pullback(g), row.vjp(*row.operands)(g), row.name)


@pytest.mark.parametrize("row", [r for r in ROWS if r.jvp], ids=lambda row: row.name)
def test_pushforward_by_hand_agrees(row):
    tangents = rules.like(row.operands)
    ours = cr.jvp(row.f, row.operands, tangents)
    for a, b in zip(ours, row.jvp(row.operands, tangents), strict=True):
        _agree(a, b, "" if "cholesky" in row.name or "eigh" in row.name else row.name)


def test_each_primitive_has_a_row():
    assert rules.without_a_row(ROWS) == []


def test_names_are_unique():
    assert len({row.name for row in ROWS}) == len(ROWS)
