"""The judge on the corpus: no wrong gradient passes, no right one fails, few remain open."""

import warnings
from functools import cache

import numpy as np
import pytest

from chainrule.checker import blame, check, probes
from tests.check.corpus import FAMILIES, HARD, HUGE, MANY, ORDINARY
from tests.check.corpus.base import Bug, Pair, leaves
from tests.check.corpus.probed import NAMES, PROBED, Probed, with_probes
from tests.check.judging import blamed, guilty, verdict, verdict_on_right

ALL = ORDINARY + HARD + MANY


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


# --- right gradients


@pytest.mark.parametrize("pair", ORDINARY + MANY, ids=str)
def test_right_gradient_passes(pair):
    report = verdict_on_right(pair)
    assert report.verdict == "pass", str(report)


@pytest.mark.parametrize("pair", HARD, ids=str)
def test_right_gradient_does_not_fail(pair):
    report = verdict_on_right(pair)
    assert report.verdict != "fail", str(report)
    assert report.ok or report.reason


def test_at_most_three_right_gradients_in_56_remain_open():
    open_ = [pair.name for pair in HARD if verdict_on_right(pair).verdict == "inconclusive"]
    assert len(open_) <= 3, open_


# --- wrong gradients


@pytest.mark.parametrize("pair", [pair for pair in ALL if pair.bugs], ids=str)
def test_bugs_fail_and_the_wrong_arguments_are_named(pair):
    """Gross errors, and those near 1e-5."""
    for bug in pair.bugs:
        report = verdict(pair, bug.gradient)
        assert report.verdict == "fail", f"{bug}: {report}"
        if not pair.kinks:
            sure, possible = guilty(pair, bug)
            assert sure <= blamed(report) <= possible, f"{bug}: {report}"


# --- what it costs


def test_about_a_dozen_evaluations_a_number():
    costs = [verdict_on_right(pair).evaluations / max(pair.size, 1) for pair in ORDINARY + HARD]
    assert np.median(costs) <= 20


@pytest.mark.parametrize("seed", range(3))
def test_three_thousand_numbers_take_at_most_300_evaluations(seed):
    for pair in MANY:
        report = verdict(pair, seed=seed)
        assert report.ok, f"{pair}: {report}"
        assert report.evaluations <= 300, f"{pair}: {report.evaluations}"


@pytest.mark.slow
def test_a_million_numbers_take_at_most_150_evaluations():
    assert verdict_on_right(HUGE[0]).evaluations <= 150


def test_a_million_numbers_pass_with_the_coverage_stated():
    report = verdict_on_right(HUGE[0])
    assert report.ok
    assert 0.9 <= report.coverage < 1
    assert f"{report.coverage:.1%}" in report.reason


@pytest.mark.slow
def test_one_wrong_sign_among_a_million_fails():
    pair = HUGE[0]
    (bug,) = (bug for bug in pair.bugs if bug.name == "one sign")
    report = verdict(pair, bug.gradient)
    assert report.verdict == "fail"
    wrong = np.flatnonzero(bug.gradient(*pair.args) != pair.gradient(*pair.args))
    assert report.worst.index == tuple(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("family", FAMILIES)
def test_other_seeds_give_the_same_verdicts(family, seed):
    for pair in FAMILIES[family]:
        assert verdict(pair, seed=seed).ok, pair.name
        for bug in pair.bugs:
            assert verdict(pair, bug.gradient, seed).verdict == "fail", f"{pair}: {bug}"


# --- where it is


GROSS = [(pair, bug) for pair in ORDINARY for bug in pair.bugs if not bug.tiny]


@cache
def explained(pair: Pair, bug: Bug) -> str:
    """What ``check`` says of the step, without the rest of ``check``; "" if f cannot be traced."""
    steps = blame.traced(pair.f, pair.args, tuple(range(len(pair.args))))
    claimed = leaves(bug.gradient(*pair.args), len(pair.args))
    return "" if steps is None else blame.explain_claim(steps, claimed)


@pytest.mark.slow
def test_a_pattern_is_named_in_over_half():
    reports = [verdict(pair, bug.gradient) for pair, bug in GROSS[::3]]
    named = [any(argument.pattern for argument in report.arguments) for report in reports]
    assert np.mean(named) > 0.5, np.mean(named)


@pytest.mark.slow
def test_the_slip_is_found_in_two_of_three():
    texts = [explained(pair, bug) for pair, bug in GROSS[::5]]
    slips = [text.startswith("it is what results when") for text in texts]
    assert np.mean(slips) > 2 / 3, np.mean(slips)


@pytest.mark.slow
def test_the_step_is_narrowed_down_in_nine_of_ten():
    texts = [explained(pair, bug) for pair, bug in GROSS[::5]]
    assert np.mean([bool(text) for text in texts]) > 0.9


@pytest.mark.parametrize("pair", ORDINARY, ids=str)
def test_right_gradients_have_no_slip(pair):
    steps = blame.traced(pair.f, pair.args, tuple(range(len(pair.args))))
    if steps is not None:
        claimed = leaves(pair.gradient(*pair.args), len(pair.args))
        assert blame.explain_claim(steps, claimed) == ""


def assert_first_wrong_probe_is_named(made: Probed) -> None:
    """What ``check`` says of probes, without the rest of ``check``."""
    f, args = made.pair.f, made.pair.args
    steps = blame.traced(f, args, tuple(range(len(args))))
    fault, findings = probes.examine(lambda: f(*args), lambda: made.gradient(*args), steps, 0, 1e-6)
    if not made.fault:
        assert "all probes are right" in fault, f"{made.bug}: {fault}"
    elif f"the cotangent of {made.fault!r} is wrong" not in fault:
        open_ = [found.where for found in findings if found.verdict == "inconclusive"]
        assert made.fault in open_, f"{made.bug}: {fault}"


@pytest.mark.parametrize("pair", NAMES, ids=str)
def test_the_first_wrong_probe_is_named(pair):
    for made in [made for made in PROBED if made.pair is pair][:3]:
        assert_first_wrong_probe_is_named(made)


@pytest.mark.slow
def test_the_first_wrong_probe_is_named_in_nine_of_ten():
    missed = []
    for made in PROBED:
        try:
            assert_first_wrong_probe_is_named(made)
        except AssertionError as error:
            missed.append(f"{made.pair}: {error}")
    assert len(missed) <= len(PROBED) // 10, missed


@pytest.mark.slow
@pytest.mark.parametrize("pair", NAMES, ids=str)
def test_check_itself_says_so(pair):
    assert check(pair.f, *pair.args, grad=with_probes(pair), wrt=pair.wrt).ok
    for made in [made for made in PROBED if made.pair is pair and made.fault][:1]:
        report = check(pair.f, *pair.args, grad=made.gradient, wrt=pair.wrt)
        assert report.verdict == "fail"
        assert repr(made.fault) in report.fault
