"""A step limit is forced on the runs: no verdict, share, fit or score may call that refuted."""

import json

import numpy as np
import pytest

import ketasim as ks
from ketasim.cli import main
from ketasim.config.findings import load_checks, load_findings, reference_effect
from ketasim.engines import run as door
from ketasim.engines.contract import Limits, Try
from ketasim.errors import ConfigError
from ketasim.models.antidepressant import antidepressant
from ketasim.studies.findings import predict
from ketasim.studies.findings.robustness import pass_shares
from ketasim.studies.findings.scorecard import score

pytestmark = pytest.mark.science
MODEL = antidepressant()
RIVALS = ("resting", "lhb")
DRUGGED = (2, 3, 5, 6, 7, 9, 13, 14, 15)  # checks of which no run is without a drug or stress
FEW = 100  # enough to settle, and too few for a day


@pytest.fixture
def steps(monkeypatch):
    """Return a function that limits the steps of every run of a finding, each tried once."""
    monkeypatch.setattr(door, "ATTEMPTS", {"ensemble": (Try(is_retry=False),)})
    return lambda most: monkeypatch.setattr(predict, "LIMITS", Limits(steps=most, seconds=10.0))


@pytest.fixture
def type_in(capsys):
    """Return a function that types a line: exit code and output."""

    def typed(*words):
        with pytest.raises(SystemExit) as caught:
            main(words)
        return int(caught.value.code or 0), capsys.readouterr().out

    return typed


def test_check_says_not_computed_and_never_fail(type_in, steps):
    steps(FEW)
    drugged = [word for number in DRUGGED for word in ("--only", str(number))]
    code, out = type_in("check", *drugged)
    assert code == 3
    assert "FAIL" not in out
    assert "not computed: max_steps" in out
    assert f"{len(DRUGGED)} not computed; 0 hard checks fail." in out
    code, out = type_in("check", "--json", "--only", "14")
    (told,) = json.loads(out)["checks"]
    assert code == 3
    assert (told["passed"], told["verdict"]) == (None, "not computed: max_steps")
    assert {one["verdict"] for one in told["measures"]} == {"not computed: max_steps"}


def test_a_check_that_rests_on_no_run_keeps_its_verdict(type_in, steps):
    steps(FEW)
    code, out = type_in("check", "--only", "23")  # affinities of the ledger
    assert code == 0
    assert "pass" in out


def test_a_hard_check_that_fails_is_still_told(type_in, steps, tmp_path):
    steps(FEW)
    (tmp_path / "wrong.toml").write_text(
        'schema = 1\nnumber = 1\ntitle = "wrong"\nhard = true\n[arms.a]\n'
        'dosing = [{ amount = "0.5 mg/kg", route = "iv" }]\n'
        '[[measure]]\nname = "k"\nvalue = "parameter(nmda.k_s)"\nunit = "uM"\nat_least = 100\n'
        '[[measure]]\nname = "m"\nvalue = "a.outcome.mood.peak"\nunit = "1"\nat_least = 0\n'
    )
    code, out = type_in("check", "--checks", str(tmp_path))
    assert code == 1
    assert "1 hard checks fail." in out


def test_verdicts_that_were_computed_stay_as_they_are():
    whole = {one.finding.number: one for one in score(load_checks(), MODEL)}
    some = score(load_checks(), MODEL, limits=Limits(steps=200, seconds=10.0))
    lost = [one for one in some if not one.computed]
    assert 0 < len(lost) < len(some)
    for one in some:
        if one.computed:
            assert one.word == whole[one.finding.number].word


def test_shares_are_of_the_draws_that_were_computed():
    checks = [one for one in load_checks() if one.number in (23, 14)]
    onset, ledger = pass_shares(checks, MODEL, draws=8, limits=Limits(steps=20, seconds=10.0))
    assert (ledger.share, ledger.not_computed) == (1.0, 0)
    assert np.isnan(onset.share)
    assert onset.not_computed == 8


def judged(findings=None, draws=64):
    return ks.judge(RIVALS, findings, candidates=[], draws=draws, quick=True)


def test_a_judgement_leaves_out_what_failed_and_says_so(steps):
    steps(160)
    found = judged()
    assert found.left_out
    assert len(found.left_out) + len(found.findings) == len(load_findings())
    said = " ".join(found.remarks)
    assert f"because runs failed: {', '.join(found.left_out)}." in said
    for name, count in found.not_computed.items():
        assert f"{name}: in {count} draws a run failed; they count as impossible." in said


def test_when_no_finding_can_be_computed_that_is_said(steps):
    steps(FEW)
    with pytest.raises(ConfigError, match=r"not computed: max_steps"):
        judged()
    with pytest.raises(ConfigError, match=r"no hypothesis can be judged"):
        ks.judge(RIVALS, candidates=[], reference=reference_effect("human"), draws=16)
