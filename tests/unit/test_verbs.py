"""Does Python ask for everything the command line does, and get the same answer?"""

import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import matplotlib.figure
import numpy as np
import pytest
from click.testing import CliRunner

import ketasim as ks
from ketasim.cli.main import COMMANDS, group
from ketasim.errors import ConfigError, KetasimWarning
from ketasim.reports.text import Table
from ketasim.results.problems import StoreError

DAY = ["output.until=1 d", 'output.observables=["spines", "mtor"]']
SETS = [word for one in DAY for word in ("--set", one)]
DOSES = {"dosing[0].amount": ["0.25 mg/kg", "0.5 mg/kg"]}


def typed(*words):
    """Type a line and return what it said."""
    done = CliRunner().invoke(group, [str(word) for word in words], standalone_mode=False)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.stdout


def test_every_command_has_a_verb():
    same = {"demo": "run", "list": "list_parameters", "experiments": "list_experiments",
            "data": "load_data", "submit": "sweep"}  # fmt: skip
    assert [name for name in COMMANDS if not hasattr(ks, same.get(name, name))] == []


def test_the_package_is_a_command():
    words = [sys.executable, "-m", "ketasim", "--version"]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert ks.__version__ in said


def test_a_run_is_what_the_command_prints_and_writes(tmp_path):
    said = typed("run", "human_depressed_iv", "-o", tmp_path / "typed", *SETS)
    run = ks.run("human_depressed_iv", sets=DAY)
    assert said.startswith(repr(run))
    files = run.save(tmp_path / "called")
    assert {one.name for one in files} == {one.name for one in (tmp_path / "typed").iterdir()}
    for name in ("timecourse.csv", "summary.csv", "scenario.toml", "figure.png"):
        written = (tmp_path / "typed" / name).read_bytes()
        assert (tmp_path / "called" / name).read_bytes() == written
    assert run.readouts["spines.density"].peak == float(run.dataset["spines.density"].max())
    assert isinstance(run.figure, matplotlib.figure.Figure)


def test_a_run_takes_a_scenario_or_a_setup_and_how_to_integrate():
    setup = ks.config.load("human_healthy_iv", sets=DAY)
    of_setup = ks.run(setup, method="BDF", rtol=1e-5)
    assert of_setup.dataset.attrs["method"] == "BDF"
    of_scenario = ks.run(setup.scenario)
    assert of_scenario.dataset.equals(ks.simulate(setup.scenario))
    with pytest.raises(ConfigError, match="change files and named configurations only"):
        ks.run(setup.scenario, sets=DAY)


def test_a_model_that_no_file_can_name_runs_and_is_written(tmp_path):
    scenario = ks.config.load("human_healthy_iv", sets=DAY).scenario
    own = replace(scenario, model=replace(scenario.model, name="mine"))
    ks.run(own).save(tmp_path)
    assert "Made in Python" in (tmp_path / "scenario.toml").read_text()
    assert (tmp_path / "figure.png").exists()


def test_a_caution_is_a_warning():
    much = [*DAY, "dosing[0].amount=10 mg/kg"]
    with pytest.warns(KetasimWarning, match="10 mg/kg iv") as caught:
        ks.run("human_healthy_iv", sets=much)
    assert caught[0].filename == __file__
    heard = []
    with warnings.catch_warnings():
        ks.run("human_healthy_iv", sets=much, tell=heard.append)
    assert heard[0].startswith("warning: ")


def test_a_comparison_is_what_the_command_prints(tmp_path):
    files = {}
    for name in ("rat_10", "ketamine_rapamycin"):
        files[name] = tmp_path / f"{name}.toml"
        files[name].write_text(ks.config.dump(ks.config.load(name, sets=["output.until=4 h"])))
    found = ks.compare(*files.values())
    said = typed("compare", *files.values(), "-o", tmp_path / "typed")
    assert said.startswith(f"{found}\nfigure: ")
    assert set(found.runs) == {"rat_10", "ketamine_rapamycin"}
    assert found.save(tmp_path / "called")[0].name == "compare.png"
    assert "plasma.venous" in found.identical


def test_a_sweep_of_a_name_can_be_looked_at_and_resumed(tmp_path):
    store = tmp_path / "store.zarr"
    how = {"store": store, "engine": "reference", "summaries": "spines.density.peak"}
    half = ks.sweep("human_healthy_iv", DOSES, sets=DAY, chunk=1, shard=(0, 2), threads=1, **how)
    assert half["status"].to_numpy().tolist() == [0, -1]
    assert (ks.status(store).done, ks.status(store).total) == (1, 2)
    assert repr(ks.status(store)) == typed("status", store).rstrip()
    whole = ks.resume(store, threads=1)
    assert whole["status"].to_numpy().tolist() == [0, 0]
    memory = ks.sweep(
        ks.config.load("human_healthy_iv", sets=DAY).scenario, DOSES, threads=1,
        engine="reference", summaries="spines.density.peak",
    )  # fmt: skip
    assert np.array_equal(whole["spines.density.peak"], memory["spines.density.peak"])
    assert "dosing[0].amount" in memory.coords
    bare = ks.sweep("human_healthy_iv", DOSES, sets=DAY, threads=1, engine="reference",
                    summaries="spines.density.peak", keep_design=False)  # fmt: skip
    assert "dosing[0].amount" not in bare.coords
    assert len(ks.failures(store)) == 0
    again = ks.rerun(store, 1)
    assert (again.same, again.was_run) == (True, True)
    assert again.given == {"dosing[0].amount": "0.5 mg/kg"}
    assert repr(again) == typed("rerun", store, "--member", 1).rstrip()


def test_a_row_that_was_changed_is_told(tmp_path):
    store = tmp_path / "store.zarr"
    ks.sweep("human_healthy_iv", DOSES, sets=DAY, store=store, engine="reference", threads=1,
             summaries="spines.density.peak")  # fmt: skip
    again = ks.rerun(store, 0)
    moved = again.kept.assign({"spines.density.peak": again.kept["spines.density.peak"] + 1e-9})
    assert not replace(again, kept=moved).same
    assert replace(again, kept=moved).verdict.startswith("again differs")


def test_a_store_from_a_scenario_says_how_to_go_on(tmp_path):
    scenario = ks.config.load("human_healthy_iv", sets=DAY).scenario
    ks.sweep(scenario, DOSES, store=tmp_path / "s.zarr", engine="reference", threads=1)
    with pytest.raises(StoreError, match="Run the same script again"):
        ks.resume(tmp_path / "s.zarr")


def test_progress_is_a_bar_or_whoever_listens(capsys):
    scenario = ks.config.load("human_healthy_iv", sets=DAY).scenario
    heard = []
    ks.sweep(scenario, DOSES, engine="reference", threads=1, progress=heard.append)
    assert heard[-1].done == heard[-1].total == 2
    assert capsys.readouterr().err == ""
    ks.sweep(scenario, DOSES, engine="reference", threads=1, progress=True)
    assert "2/2" in capsys.readouterr().err
    ks.sweep(scenario, DOSES, engine="reference", threads=1, progress=False)
    assert capsys.readouterr().err == ""


def test_a_plan_counts_members():
    how = {"engine": "reference", "threads": 1}
    plan = ks.plan("human_healthy_iv", {"dosing[0].amount": "1, 2, 3 mg/kg"}, sets=DAY, **how)
    assert (plan.members, plan.threads) == (3, 1)
    assert plan.seconds > 0.0


@pytest.mark.parametrize("kind", ["targets", "parameters", "states", "drugs", "routes", "configs"])
def test_a_list_is_what_the_command_prints(kind):
    found = getattr(ks, f"list_{kind}")()
    assert repr(found) == typed("list", kind).rstrip()
    if isinstance(found, Table):
        assert len([*found]) == len(found) == found._repr_html_().count("<tr>") - 1


def test_a_list_can_be_of_one_mechanism():
    rows = [*ks.list_parameters(of="nmda")]
    assert {row["parameter"].partition(".")[0] for row in rows} == {"nmda"}
    with pytest.raises(ConfigError, match="no such mechanism"):
        ks.list_targets(of="nmdb")


def test_a_mechanism_or_the_model_is_described():
    assert ks.describe("trkb") == typed("describe", "trkb").removesuffix("\n")
    assert ks.describe() == typed("describe", "--all")
    assert ks.describe(format="latex").startswith("\\documentclass")


def test_doctor_tries_a_run():
    told = {row["what"]: row["which"] for row in ks.doctor()}
    assert told["ketasim"] == ks.__version__
    tried = ("engine reference", "engine ensemble", "cache", "store")
    assert all(told[one].endswith("ok") for one in tried)


def test_a_check_is_scored():
    (verdict,) = ks.check(only=[1])
    assert verdict.finding.number == 1
    with pytest.raises(ConfigError, match="only 999: no such check"):
        ks.check(only=[999])


def test_an_effect_is_explained(tmp_path):
    words = ("human_healthy_iv", "--effect", "ampa.current@1h", "--node", "circuit.gaba")
    said = typed("explain", *words, *SETS, "-o", tmp_path / "typed")
    found = ks.explain("human_healthy_iv", "ampa.current@1h", nodes=["circuit.gaba"], sets=DAY)
    assert said.startswith(repr(found))
    assert isinstance(found.figure, matplotlib.figure.Figure)
    names = {one.name for one in found.save(tmp_path / "called")}
    assert names == {one.name for one in (tmp_path / "typed").iterdir()}


def test_findings_and_proposals_are_listed():
    assert all(one.done for one in ks.list_experiments())
    assert not any(one.done for one in ks.list_experiments(candidates=True))


def test_every_picture_has_a_name():
    found = ks.sweep("human_healthy_iv", DOSES, sets=DAY, engine="reference", threads=1,
                     summaries="spines.density.peak", record=["spines.density"])  # fmt: skip
    run = ks.run("human_healthy_iv", sets=DAY).dataset
    drawn = [
        ks.plot.timecourse(run),
        ks.plot.compare({"a": run, "b": run}),
        ks.plot.response(found),
        ks.plot.fan(found),
    ]
    assert all(isinstance(one, matplotlib.figure.Figure) for one in drawn)
    assert [name for name in ks.plot.__all__ if not callable(getattr(ks.plot, name))] == []
    homes = {Path(sys.modules[getattr(ks.plot, n).__module__].__file__).parent.name
             for n in ks.plot.__all__}  # fmt: skip
    assert homes == {"plots", "verbs"}  # a time course is opened first, wherever it was kept
