"""Are slopes, searches and profiles right on the engine itself, through real data?"""

import sys
import warnings
from dataclasses import replace

import numpy as np
import pytest

from ketasim.config.findings import load_checks, load_data, load_findings
from ketasim.engines.contract import Limits
from ketasim.engines.status import Status
from ketasim.errors import ConfigError, MissingExtra
from ketasim.models.antidepressant import antidepressant
from ketasim.studies.fit import slopes as ways
from ketasim.studies.fit.likelihood import problem
from ketasim.studies.fit.search import Found, descend, start_points
from ketasim.studies.gradients import gradient
from ketasim.verbs.fit import fit
from ketasim.verbs.posterior import posterior

MODEL = antidepressant()
FREE = ["pk_s.clearance_70", "disposition.v_slow_70", "disposition.q_fast_70",
        "disposition.cl_norketamine_70",
        "pk_r.clearance_70", "disposition.to_norketamine"]  # fmt: skip
SLOW = ["spines.reached", "spines.k_eliminate", "spines.k_mature", "bdnf.k_clear",
        "glutamate.k_uptake"]  # fmt: skip


@pytest.mark.parametrize(("name", "free"), [("plasma", FREE), ("spines", SLOW[:3])])
def test_slopes_are_those_of_tighter_differences(name, free, monkeypatch):
    asked = problem(MODEL, free, data=[load_data(name)])
    low, high = asked.bounds
    points = low + (high - low) * np.random.default_rng(1).uniform(0.2, 0.8, (1, len(low)))
    points[0, :2] = low[0], high[1]
    slopes, failed = asked.slopes(points)
    monkeypatch.setattr(ways, "STEP", 3e-4)
    tight = replace(asked, predictor=replace(asked.predictor, rtol=1e-11))
    exact, _ = tight.slopes(points)
    assert not failed.any()
    assert np.abs(exact).max() > 0.1
    assert np.abs(slopes - exact).max() < 1e-4 * np.abs(exact).max()


OWN = """# assay blot: scale
# assay low: log-normal
time [h],readout,value,error,unit,arm,assay
0.5,pk_s.plasma,1.2,0.2,uM,rat_10,
6,pk_s.plasma,<0.02,0.005,uM,rat_10,
,spines.density.peak,1.3,0.1,1,rat_10,
24,effect(spines.density@t),0.2,0.1,1,human_depressed_iv,
1,effect(bdnf.extracellular@t) / bdnf.extracellular@t,0.2,0.1,1,rat_10,
1,pk_s.plasma@t / parameter(disposition.v_slow_70),0.006,0.002,uM/L,rat_10,low
0.5,pk_s.plasma_norketamine,182,9,%,rat_10,blot
2,pk_s.plasma_norketamine,65,9,%,rat_10,blot
"""


@pytest.mark.parametrize("name", ["plasma", "spines", "own", "findings"])
def test_the_reverse_mode_gives_the_slopes_of_differences(name, tmp_path):
    free = dict.fromkeys([*FREE[:3], *SLOW[:2], "spines.k_prune"])
    free["pk_s.clearance_70"] = "lognormal(80, 1.5) L/h"
    data, findings = [], []
    if name == "findings":
        findings = load_findings()[:6]
    elif name == "own":
        (tmp_path / "own.csv").write_text(OWN, encoding="utf-8")
        data = [load_data(tmp_path / "own.csv")]
    else:
        data = [load_data(name)]
    asked = problem(MODEL, free, data=data, findings=findings)
    low, high = asked.bounds
    point = low + (high - low) * np.random.default_rng(2).uniform(0.3, 0.7, len(low))
    slopes, _ = ways.differences(asked, point[None, :])
    backward, failed = ways.rows(asked, point[None, :])
    assert not failed.any()
    size = np.abs(slopes).max()
    assert size > 0.1
    assert np.abs(backward - slopes).max() < 1e-4 * size
    loss, gradient, _ = ways.summed(asked, point)
    residuals = asked.at(point[None, :]).residuals[0]
    assert loss == pytest.approx(residuals @ residuals)
    exact = 2.0 * residuals @ slopes[0]
    assert np.abs(gradient - exact).max() < 1e-4 * max(np.abs(exact).max(), size)


def test_every_way_leads_to_the_same_optimum():
    free = dict.fromkeys(FREE[:2])
    found = [fit("plasma", free=free, starts=2, profile=False, slopes=one)
             for one in ("differences", "rows", "summed")]  # fmt: skip
    losses = [one.best.loss for one in found]
    assert losses == pytest.approx([losses[0]] * 3, abs=1e-2)
    assert [one.best.status for one in found] == ["converged"] * 3
    assert ways.way_for(20) == "differences"
    assert ways.way_for(100) == "summed"
    with pytest.raises(ConfigError, match="choose one of auto, differences, rows, summed"):
        fit("plasma", free=free, slopes="complex")


def test_a_run_that_fails_on_the_way_down_is_stepped_back_from_and_counted(monkeypatch):
    free = dict.fromkeys(FREE) | {"pk_s.clearance_70": "loguniform(20, 300) L/h"}
    asked = problem(MODEL, free, data=[load_data("plasma")])
    start = start_points(asked, 2, 2)[1]  # one way down leads to another optimum from some
    whole, calls = descend(asked, start, slopes="summed"), []
    exact = ways.summed

    def failing(one, point):
        calls.append(point)
        if len(calls) in (3, 4):
            return float("nan"), np.zeros(len(point)), int(Status.MAX_STEPS)
        return exact(one, point)

    monkeypatch.setattr(ways, "summed", failing)
    found = descend(asked, start, slopes="summed")
    assert len(calls) > 6
    assert (found.status, found.not_computed) == ("converged", 2)
    assert found.loss == pytest.approx(whole.loss, abs=1e-2)
    assert np.isfinite(found.point).all()


def test_data_and_findings_are_fitted_together():
    findings = [one for one in load_findings() if one.name in ("rat_glutamate_2h", "bdnf_rat_10")]
    both = problem(MODEL, FREE[:2], data=[load_data("plasma")], findings=findings)
    alone = problem(MODEL, FREE[:2], findings=findings)
    data = problem(MODEL, FREE[:2], data=[load_data("plasma")])
    at = both.guess[None, :]
    assert len(both.findings) >= 2
    parts = np.hstack([data.at(at).residuals, alone.at(at).residuals])
    assert both.at(at).residuals == pytest.approx(parts)


def test_a_finding_without_an_observation_does_not_count():
    checks = [one for one in load_checks() if one.number == 1]
    with pytest.raises(Exception, match="nothing to fit to"):
        problem(MODEL, FREE[:1], findings=checks)


def test_a_run_that_spends_too_much_is_a_failure_and_no_number():
    asked = problem(MODEL, FREE[:1], data=[load_data("spines")], limits=Limits(steps=3))
    found = asked.at(asked.guess[None, :])
    assert np.isnan(found.residuals).all()
    assert not found.fine[0]


def test_a_fit_gives_the_same_numbers_whoever_works_on_it(tmp_path):
    one = fit("plasma", free=FREE[:2], starts=3, workers=1, profile=FREE[:1])
    two = fit("plasma", free=FREE[:2], starts=3, workers=3, profile=FREE[:1], out=tmp_path)
    assert (one.found, one.profiles) == (two.found, two.profiles)
    again = fit("plasma", free=FREE[:2], starts=3, profile=FREE[:1], out=tmp_path)
    assert (one.found, one.profiles) == (again.found, again.profiles)


def test_a_fit_writes_what_it_found_and_arms_that_run(tmp_path):
    import ketasim as ks

    found = fit("plasma", free=FREE[:2], starts=2, profile=FREE[:1])
    files = {one.name for one in found.save(tmp_path)}
    assert {"data.png", "starts.png", "profiles.png", "fit.json", "predictions.csv", "best.csv",
            "best_ketamine.toml", "best_esketamine.toml"} == files  # fmt: skip
    run = ks.run(tmp_path / "best_ketamine.toml")
    at = found.problem.at(np.array([found.best.point]))
    row = next(i for i, p in enumerate(found.problem.observations)
               if (p.arm, p.text, p.time) == ("ketamine", "pk_s.plasma", 3.0))  # fmt: skip
    course = run.dataset["pk_s.plasma"].isel(member=0)
    assert float(course.interp(time=3.0)) == pytest.approx(at.values[0, row], rel=1e-4)


def test_a_posterior_agrees_with_the_profile_where_both_must(tmp_path):
    wide = {"pk_r.clearance_70": "loguniform(30, 300) L/h"}
    one = fit("plasma", free=wide, starts=2, level=0.9).profiles[0]
    found = posterior("plasma", free=wide, particles=256, readouts=["outcome.mood"])
    assert found.missing == ()
    low, high = np.quantile(found.values["pk_r.clearance_70"], (0.05, 0.95))
    width = one.high - one.low
    assert [low, high] == pytest.approx([one.low, one.high], abs=0.15 * width)
    files = {path.name for path in found.save(tmp_path)}
    assert files == {"posterior.json", "posterior.png", "draws.csv", "bands.csv", "posterior.nc"}
    tree = found.tree
    assert set(tree.children) == {"posterior", "sample_stats", "log_likelihood",
                                  "posterior_predictive", "observed_data"}  # fmt: skip
    each = tree["log_likelihood"]["value"].sum("datum").to_numpy()
    assert each == pytest.approx(tree["sample_stats"]["lp"].to_numpy())
    seen, again = tree["observed_data"]["value"], tree["posterior_predictive"]
    apart = np.log(again["value"] / again["mean"]).std(("chain", "draw")).to_numpy()
    errors = [np.sqrt(np.log1p((p.error / p.value) ** 2)) for p in found.problem.observations]
    assert {one.model for one in found.problem.assays.values()} == {"log-normal"}
    assert apart == pytest.approx(np.array(errors), rel=0.15)
    assert seen.sizes["datum"] == len(errors)
    assert ("ketamine", "outcome.mood") in found.bands


def test_a_posterior_whose_diagnostics_fail_is_no_result(tmp_path):
    found = posterior("plasma", free=FREE, particles=16, replicates=2)
    assert any("fewer than the 100" in one for one in found.missing)
    assert repr(found).startswith("no result: ")
    for what in ("values", "table", "bands", "figure", "tree"):
        with pytest.raises(Exception, match="posterior: no result"):
            getattr(found, what)
    assert [path.name for path in found.save(tmp_path)] == ["posterior.json"]
    assert "parameters" not in (tmp_path / "posterior.json").read_text(encoding="utf-8")


SCALED = """# assay blot: {words}
time [h],readout,value,error,unit,arm,assay
0.5,pk_s.plasma,182,9,% of vehicle,rat_10,blot
1,pk_s.plasma,120,9,% of vehicle,rat_10,blot
2,pk_s.plasma,65,9,% of vehicle,rat_10,blot
4,pk_s.plasma,31,9,% of vehicle,rat_10,blot
"""


@pytest.mark.parametrize("words", ["scale", "scale, offset", "scale, log-normal"])
def test_a_scale_computed_at_every_point_is_as_good_as_one_that_is_fitted(words, tmp_path):
    free = {"pk_s.clearance_70": "loguniform(10, 1000) L/h"}
    found = []
    for how in ("", " free"):
        path = tmp_path / "own.csv"
        path.write_text(SCALED.format(words=words.replace("scale", f"scale{how}")))
        found.append(fit(path, free=free, starts=6))
    assert "blot.scale" not in found[0].values
    assert found[1].values["blot.scale"] > 1.0
    assert found[0].best.loss == pytest.approx(found[1].best.loss, abs=1e-2)
    ends = [[np.nan if end is None else end for end in (each.profiles[0].low,
             each.profiles[0].high)] for each in found]  # fmt: skip
    assert ends[0] == pytest.approx(ends[1], rel=2e-2, nan_ok=True)


def test_one_name_for_two_assays_is_refused(tmp_path):
    for k, words in enumerate(("scale", "scale, offset")):
        (tmp_path / f"{k}.csv").write_text(SCALED.format(words=words))
    with pytest.raises(ConfigError, match='assay "blot" is one thing in one file'):
        fit([tmp_path / "0.csv", tmp_path / "1.csv"], free=FREE[:1])


def test_profiles_are_made_again_from_a_better_fit_that_one_of_them_found(tmp_path, monkeypatch):
    free = {
        "pk_r.clearance_70": "loguniform(30, 300) L/h",
        "disposition.v_slow_70": "loguniform(50, 500) L",
    }
    whole = fit("plasma", free=free, starts=2)

    def cut_short(asked, **_):
        return Found((descend(asked, asked.guess, evaluations=2),))

    monkeypatch.setattr("ketasim.verbs.fit.multistart", cut_short)
    one = fit("plasma", free=free, starts=1, out=tmp_path)
    assert one.found.starts[0].loss > whole.best.loss + 1.0
    assert one.deeper <= 0.1
    assert [p.low for p in one.profiles] == pytest.approx([p.low for p in whole.profiles], rel=1e-3)
    assert (tmp_path / "profiles1.jsonl").is_file()


def test_draws_are_handed_to_arviz(monkeypatch):
    free = {"pk_r.clearance_70": "loguniform(30, 300) L/h"}
    found = posterior("plasma", free=free, particles=128)
    monkeypatch.setitem(sys.modules, "arviz", None)
    with pytest.raises(MissingExtra, match=r"ketasim\[fit\]"):
        found.to_arviz()
    monkeypatch.undo()
    arviz = pytest.importorskip("arviz", reason="ArviZ is in the extra fit")
    handed = found.to_arviz()
    assert handed["posterior"]["pk_r.clearance_70"].shape == (2, 128)
    assert float(arviz.rhat(handed)["pk_r.clearance_70"]) < 1.2
    with warnings.catch_warnings(action="ignore"):
        assert np.isfinite(float(arviz.loo(handed).p_loo if hasattr(arviz, "InferenceData")
                                 else arviz.loo(handed).p))  # fmt: skip


@pytest.mark.parametrize("name", ["plasma", "spines"])
def test_slopes_are_those_of_the_reverse_mode(name):
    free = FREE[:3] if name == "plasma" else SLOW[:3]
    asked = problem(MODEL, free, data=[load_data(name)])
    point = asked.guess[None, :]
    slopes, _ = asked.slopes(point)
    values = asked.at(point).values[0]
    for i, one in list(enumerate(asked.observations))[::4]:
        arm = asked.data[0].arms[one.arm]
        scenario = arm.scenario(MODEL, begin=0.0, end=one.time + 1.0)
        text = one.text if "@" in one.text else f"{one.text}@t"
        found = gradient(scenario, text.replace("@t", f"@{one.time:g}h"), by=free)
        by_log = np.nan_to_num(found["elasticity"].to_numpy()[0]) * values[i]
        spread = one.error
        if asked.assays[one.assay].model == "log-normal":
            spread = values[i] * np.sqrt(np.log1p((one.error / one.value) ** 2))
        assert slopes[0, i] == pytest.approx(by_log / spread, abs=1e-4 * np.abs(slopes).max())
