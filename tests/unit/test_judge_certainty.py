"""How sure a judgement says it is, and what it remembers when it was stopped."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import ketasim as ks
from ketasim.config.findings import load_findings
from ketasim.models.rivals import LHB, RESTING
from ketasim.results.shelf import Folder
from ketasim.studies.judge import court
from ketasim.studies.judge.court import Court, Sampled
from ketasim.studies.judge.judgement import CLEAR, Judgement
from ketasim.studies.judge.record import dataset, record, tree_of
from ketasim.studies.judge.scores import ModelRecovery, Score
from ketasim.studies.posterior.evidence import Evidence
from ketasim.studies.posterior.smc import Posterior, Stage

PAPERS = ("One2001", "Two2002")


def posterior(log_evidence, effective=20.0):
    stage = Stage("likelihood", 1.0, 0.5, 8, 0, 0.0, 1.0, 1.0)
    return Posterior(np.zeros((4, 2)), np.zeros(4), log_evidence, (stage,), effective, 4, (1, 0))


def scored(name, evidence, papers, spread=0.1):
    each = tuple(posterior(evidence + spread * k) for k in (-1, 0, 1))
    return Score(name, Evidence(each), np.array(papers), np.full(2, 40.0), np.zeros(1), evidence,
                 0.1)  # fmt: skip


def judgement(rows, pairs, leads=0.0):
    """Return a judgement of (name, log evidence, paper shares) with shares told apart."""
    names = tuple(name for name, *_ in rows)
    n = len(rows)
    recovery = ModelRecovery(names, np.eye(n), np.array(pairs), np.full((n, n, 10), leads))
    return Judgement(
        (), tuple(SimpleNamespace(name=name) for name in names),
        tuple(scored(*row) for row in rows), PAPERS, np.zeros(0, dtype=bool), recovery, (), (), (),
        0.1, SimpleNamespace(name="mouse"), {},
    )  # fmt: skip


APART = [[1.0, 0.98], [0.97, 1.0]]


def test_a_hypothesis_alone_in_front_stands():
    found = judgement([("a", -10.0, [-2, -2]), ("b", -30.0, [-12, -12])], APART)
    assert found.verdict == "a stands: every other hypothesis is clearly behind it."
    assert found.certainty == (
        "b: 20.0 ± 0.4 log units behind a, clearly so; simulated data of the two are told apart "
        "in 97 of 100.",
    )


def test_the_paper_that_carries_a_conclusion_is_named():
    found = judgement([("a", -10.0, [-2, -2]), ("b", -30.0, [-21, -3])], APART)
    assert found.certainty[0].endswith("; not clear without One2001 alone.")
    assert found.verdict.startswith("a stands")


def test_far_behind_but_mistaken_is_not_called_alike():
    found = judgement([("a", -10.0, [-2, -2]), ("b", -84.0, [-40, -40])], [[1.0, 1.0], [0.4, 1.0]])
    assert "not told apart" not in found.verdict
    assert found.verdict == (
        "a is ahead by evidence, but not for sure: simulated data of b are mistaken too often."
    )
    assert "74.0 ± 0.4 log units behind a, clearly so by evidence" in found.certainty[0]
    assert (
        "are told apart only in 40 of 100, though 0 of 100 made by b put it so far behind"
        in (found.certainty[0])
    )
    assert found.chosen is None


def test_what_the_evidence_leaves_open_is_left_open():
    rows = [("a", -10.0, [-2, -2]), ("b", -11.0, [-2, -2]), ("c", -84.0, [-40, -40])]
    pairs = np.ones((3, 3))
    pairs[2, 0] = 0.3
    found = judgement(rows, pairs)
    assert found.verdict == "Not chosen between a and b: the evidence does not tell them apart."
    assert f"which is not clear (20 to 1 is {CLEAR:.1f})" in found.certainty[0]
    assert found.contenders == (0, 1, 2)
    assert found.open == (1,)
    assert found.in_question == (0, 1)  # what is far behind is no question, however mistaken


def test_nothing_is_sure_where_there_is_no_result():
    rows = [("a", -10.0, [-2, -2], 3.0), ("b", -30.0, [-12, -12])]
    found = judgement(rows, APART)
    assert found.verdict.startswith("No result yet. ")
    assert found.certainty == ()
    assert found.chosen is None


def test_what_was_sampled_comes_back_as_it_was(tmp_path):
    found = Sampled(Evidence((posterior(-3.5, 7.25), posterior(-4.0))), np.eye(3), 12, 1)
    shelf = Folder(tmp_path)
    shelf.put("key", found.arrays())
    again = Sampled.of(shelf.get("key"))
    assert again.found.each.tolist() == [-3.5, -4.0]
    assert again.found.replicates[0].stages == found.found.replicates[0].stages
    assert again.found.effective == 27.25
    assert np.array_equal(again.values, found.values)
    assert (again.tried, again.failed) == (12, 1)


def test_what_was_sampled_is_refused_where_a_part_is_missing():
    found = Sampled(Evidence((posterior(-3.5, 7.25), posterior(-4.0))), np.eye(3), 12, 1).arrays()
    with pytest.raises(ValueError, match="shorter"):
        Sampled.of({**found, "stages": found["stages"][:1]})


def test_a_broken_or_missing_file_is_sampled_again(tmp_path):
    shelf = Folder(tmp_path)
    assert shelf.get("key") is None
    shelf.put("key", {"a": np.zeros(3)})
    path = next(tmp_path.iterdir())
    path.write_bytes(path.read_bytes()[:40])
    assert shelf.get("key") is None


def test_a_judgement_that_was_stopped_goes_on_to_the_same_numbers(tmp_path, monkeypatch):
    how = {"candidates": [], "quick": True, "draws": 16, "store": tmp_path}
    some = load_findings()[:6]
    resting = ks.models.rivals.RESTING
    sampled, asked = Court._sampled, []

    def stopping(self, case, *rest):
        asked.append(case.space.hypothesis.name)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return sampled(self, case, *rest)

    monkeypatch.setattr(Court, "_sampled", stopping)
    with pytest.raises(KeyboardInterrupt):
        ks.judge([LHB, resting], some, **how)
    found = ks.judge([LHB, resting], some, **how)
    assert asked == ["lhb", "resting", "resting"]  # what was finished was not sampled again
    fresh = ks.judge([LHB, resting], some, **{**how, "store": None})
    assert record(found) == record(fresh)
    other = ks.judge([LHB], some, **{**how, "seed": 2})
    assert asked[-1] == "lhb"  # another seed is another question
    assert other.scores[0].evidence != found.scores[0].evidence


def test_replicates_are_added_where_draws_are_worth_too_little():
    found = ks.judge([RESTING], load_findings()[:6], candidates=[], quick=True, draws=16)
    assert len(found.scores[0].found.replicates) > court.QUICK.replicates
    assert len({one.seed for one in found.scores[0].found.replicates}) == len(
        found.scores[0].found.replicates
    )


def test_draws_go_to_arviz_as_a_tree(monkeypatch):
    found = ks.judge([LHB], load_findings()[:4], candidates=[], quick=True, draws=16)
    if found.missing:
        with pytest.raises(ks.errors.SolverError, match="no result"):
            tree_of(found, "lhb")
    monkeypatch.setattr(Judgement, "missing", property(lambda _: ()))
    tree = tree_of(found, "lhb")
    runs = len(found.scores[0].found.replicates)
    assert tree["posterior"].sizes["chain"] == runs
    assert tree["posterior_predictive"]["value"].sizes == {"chain": runs, "draw": 16, "finding": 4}
    assert np.array_equal(
        tree["posterior_predictive"]["value"].to_numpy().reshape(-1, 4).T,
        found.hypotheses[0].drawn, equal_nan=True,
    )  # fmt: skip
    with pytest.raises(ks.errors.ConfigError, match=r'"lbh" was not judged\. Did you mean "lhb"'):
        tree_of(found, "lbh")


def test_hypotheses_with_more_draws_than_others_fit_one_dataset():
    found = judgement([("a", -10.0, [-2, -2]), ("b", -30.0, [-12, -12])], APART)
    heard = tuple(
        SimpleNamespace(name=name, drawn=np.ones((0, n)), gains=np.full(n, 0.5))
        for name, n in (("a", 3), ("b", 5))
    )
    told = dataset(replace(found, hypotheses=heard, about={"model_digest": "x"}))
    assert told["gain"].sizes == {"hypothesis": 2, "draw": 5}
    assert np.isfinite(told["gain"].sel(hypothesis="a")).sum() == 3
