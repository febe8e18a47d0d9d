"""Both arms, papers, the stand-in for runs, and model recovery, on numbers known by hand."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import logsumexp
from scipy.stats import norm

from ketasim.studies.findings.observed import TWO_SIDED, VAGUE
from ketasim.studies.judge.guide import fit
from ketasim.studies.judge.likelihood import (
    DIRECTION,
    NUMBER,
    PRESENT,
    SHARE,
    SHARED,
    Data,
    by_paper,
    simulated,
)
from ketasim.studies.judge.scores import bank, model_recovery


def data(*rows, outlier=0.05):
    """Return data from (paper, kind, row, whole_row, seen, error, least)."""
    papers = tuple(dict.fromkeys(row[0] for row in rows))
    codes = [[papers.index(row[0]) for row in rows], list(range(len(rows)))]
    codes += [[row[k] for row in rows] for k in (1, 2, 3)]
    paper, finding, kind, row, whole = (np.array(one, dtype=np.int64) for one in codes)
    seen, error, least = (np.array([r[k] for r in rows], dtype=float) for k in (4, 5, 6))
    names = tuple(f"d{i}" for i in range(len(rows)))
    chances = np.full(len(rows), outlier)
    return Data(papers, names, paper, finding, kind, row, whole, seen, error, least, chances)


def total(what, *columns):
    return by_paper(what, np.array(columns, dtype=float).T).sum(axis=0)


def test_one_number_is_gaussian_with_the_chance_of_a_worthless_report():
    found = total(data(("a", NUMBER, 0, -1, 1.0, 0.5, 1.0)), [1.0], [2.0], [1e6])
    sure = np.exp(-0.5 * np.array([0.0, 2.0, np.inf]) ** 2)
    assert np.exp(found) == pytest.approx(0.95 * sure + 0.05 / VAGUE)


def test_two_numbers_of_a_paper_share_an_error():
    what = data(("a", NUMBER, 0, -1, 0.0, 1.0, 1.0), ("a", NUMBER, 1, -1, 0.0, 1.0, 1.0), outlier=0)
    alike, apart = total(what, [1.0, 1.0], [1.0, -1.0])
    own = np.sqrt(1.0 - SHARED)

    def both(x, y):
        def at(u):
            shift = np.sqrt(SHARED) * u
            parts = [norm.pdf(v + shift, 0, own) * np.sqrt(2 * np.pi) for v in (x, y)]
            return parts[0] * parts[1] * norm.pdf(u)

        return np.log(quad(at, -8, 8)[0])

    assert alike == pytest.approx(both(1.0, 1.0), abs=0.02)
    assert apart == pytest.approx(both(1.0, -1.0), abs=0.02)
    assert alike > apart


def test_no_effect_in_either_arm_costs_one_datum_and_no_division():
    what = data(
        ("a", SHARE, 0, 1, 0.1, 0.2, 0.25), ("a", PRESENT, 1, -1, 1.0, 1.0, 0.25), outlier=0.1
    )
    nothing, right, wrong = total(what, [0.0, 0.0], [0.1, 1.0], [1.0, 1.0])
    assert right > nothing > -7.0
    assert right > wrong
    several = data(
        ("a", SHARE, 0, 1, 0.1, 0.2, 0.25), ("a", SHARE, 2, 1, 0.1, 0.2, 0.25),
        ("a", PRESENT, 1, -1, 1.0, 1.0, 0.25), outlier=0.1,
    )  # fmt: skip
    assert total(several, [0.0, 0.0, 0.0])[0] > nothing - 1.0  # the effect is missed once


def test_a_whole_paper_can_be_worthless():
    rows = [("a", NUMBER, k, -1, 0.0, 1.0, 1.0) for k in range(6)]
    far = total(data(*rows), [50.0] * 6)[0]
    apart = [(f"p{k}", *row[1:]) for k, row in enumerate(rows)]
    assert far > total(data(*apart), [50.0] * 6)[0] + 10.0


@pytest.mark.parametrize("kind", [NUMBER, DIRECTION, PRESENT])
def test_chances_of_all_outcomes_are_whole(kind):
    what = data(("a", kind, 0, -1, 0.0, 1.0, 1.0))
    if kind == NUMBER:
        wide = VAGUE * np.sqrt(2 * np.pi) / 2  # what a worthless report may say
        grid = np.linspace(0.3 - wide, 0.3 + wide, 4001)
        heights = [np.exp(total(replace(what, seen=np.array([s])), [0.3])[0]) for s in grid]
        assert np.trapezoid(heights, grid) / np.sqrt(2 * np.pi) == pytest.approx(1.0, abs=2e-3)
        return
    outcomes = (-1.0, 0.0, 1.0) if kind == DIRECTION else (0.0, 1.0)
    sums = sum(np.exp(total(replace(what, seen=np.array([s])), [0.3])[0]) for s in outcomes)
    assert sums == pytest.approx(1.0)


def test_simulated_outcomes_are_as_frequent_as_they_are_likely():
    what = data(("a", DIRECTION, 0, -1, 1.0, 1.0, 1.0), ("a", PRESENT, 1, -1, 1.0, 1.0, 1.0))
    values = np.repeat([[0.8], [0.9]], 40_000, axis=1)
    seen = simulated(what, values, np.random.default_rng(1))
    for k, size in enumerate((0.8, 0.9)):
        up = norm.cdf(TWO_SIDED * (size - 1.0))
        lost = 1 - 0.95**2
        vague = (1 / 3, 2 / 3)[k]
        assert (seen[k] == 1.0).mean() == pytest.approx((1 - lost) * up + lost * vague, abs=0.01)


def test_the_stand_in_knows_what_is_smooth_and_says_where_it_is_not():
    rng = np.random.default_rng(2)
    at = rng.standard_normal((200, 6))
    smooth = 1.0 + at[:, 0] - 0.5 * at[:, 1] * at[:, 2]
    values = np.array([smooth, np.sign(np.sin(40.0 * at[:, 3]))])
    values[0, 0] = np.nan
    found = fit(at, values)
    new = rng.standard_normal((500, 6))
    truth = 1.0 + new[:, 0] - 0.5 * new[:, 1] * new[:, 2]
    off = found.values(new)[0] - truth
    assert np.sqrt((off**2).mean()) < 0.15
    assert found.blur[0] < 0.25
    assert found.blur[1] > 0.8


def banked(centre, what, seed):
    """Return the bank of a hypothesis that predicts numbers about ``centre``."""
    rng = np.random.default_rng(seed)
    values = rng.normal(centre, 0.3, (1, 400))
    logs = by_paper(what, values).sum(axis=0)
    evidence = float(np.log(np.exp(logs).mean()))
    chosen = rng.choice(400, 200, p=np.exp(logs) / np.exp(logs).sum())
    return bank((values, logs), (values[:, chosen], logs[chosen]), evidence), evidence


def test_a_bank_stands_for_the_prior():
    what = data(("a", NUMBER, 0, -1, 0.0, 0.5, 1.0))
    found, evidence = banked(0.4, what, 3)
    logs = by_paper(what, found.values).sum(axis=0) + found.log_weights
    assert np.log(np.exp(logs).sum()) == pytest.approx(evidence, abs=0.05)


def test_recovery_tells_what_differs_and_confuses_what_does_not():
    what = data(("a", NUMBER, 0, -1, 0.0, 0.5, 1.0), outlier=0.02)
    banks = [banked(c, what, k)[0] for k, c in enumerate((0.0, 0.1, 4.0))]
    found = model_recovery(["a", "b", "c"], banks, what, seed=1, repeats=60)
    assert not found.separable("a", "b")
    assert found.confused()[0] == ("a", "b")
    assert found.named.sum(axis=1) == pytest.approx([1.0, 1.0, 1.0])


def exact(what, centre, seen, n=20_000):
    """Return the log evidence of data under a hypothesis, from as many draws as it takes."""
    values = np.random.default_rng(99).normal(centre, 0.3, (1, n))
    logs = by_paper(replace(what, seen=seen), values).sum(axis=0)
    return float(np.log(np.exp(logs - logs.max()).mean()) + logs.max())


CENTRES = {"a": 0.0, "b": 0.2, "c": 1.6, "d": 4.0}


def several(n=3):
    """Return data of several papers on one number, and a bank of each hypothesis."""
    what = data(*((f"p{k}", NUMBER, 0, -1, 0.0, 0.5, 1.0) for k in range(n)), outlier=0.02)
    return what, [banked(c, what, k)[0] for k, c in enumerate(CENTRES.values())]


def test_pairs_called_separable_are_told_apart_by_an_independent_judge():
    what, banks = several()
    names = list(CENTRES)
    found = model_recovery(names, banks, what, seed=3, repeats=100)
    pairs = [(x, y) for x in names for y in names if x != y]
    separable = [pair for pair in pairs if found.separable(*pair)]
    assert separable
    assert len(separable) < len(pairs)
    rng = np.random.default_rng(11)
    for truth, other in separable:
        bank_of = banks[names.index(truth)]
        draws = rng.choice(bank_of.posterior, 100)
        seen = simulated(what, bank_of.values[:, draws], rng)
        right = [
            exact(what, CENTRES[truth], one) >= exact(what, CENTRES[other], one) for one in seen.T
        ]
        assert np.mean(right) >= 0.85, (truth, other)  # 90 of 100, less what 100 repeats leave open


def test_data_from_draws_that_no_bank_holds_are_attributed():
    what, banks = several()
    rng = np.random.default_rng(12)
    for name, centre in CENTRES.items():
        if name in "ab":  # too much alike
            continue
        fresh = rng.normal(centre, 0.3, (1, 100))  # never among the draws of a bank
        seen = simulated(what, fresh, rng)
        named = [
            int(np.argmax([_log_evidence(what, one, column) for one in banks])) for column in seen.T
        ]
        assert np.mean(np.array(named) == list(CENTRES).index(name)) >= 0.9, name


def _log_evidence(what, one, seen):
    return logsumexp(by_paper(replace(what, seen=seen), one.values).sum(axis=0) + one.log_weights)


def test_how_far_data_put_a_hypothesis_behind():
    what, banks = several()
    found = model_recovery(list(CENTRES), banks, what, seed=3, repeats=50)
    assert found.as_far("a", "d", 0.0) <= 0.1
    assert found.as_far("a", "b", -1e9) == 1.0
    assert found.as_far("a", "b", 0.0) == pytest.approx(
        1.0 - found.pairs[0, 1], abs=0.5 / 50 + (found.leads[0, 1] == 0.0).mean()
    )
    assert found.leads[1, 1] == pytest.approx(np.zeros(50))
