"""Does what a user types about data of their own end well, or with a sentence?"""

import csv
import json
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from ketasim.cli.main import group, main

FREE = ("--free", "pk_r.clearance_70 = loguniform(30, 300) L/h")


FINDING = """schema = 1
title = "Spines of my own"
species = "rat"
preparation = "slice"
rows = ["K1"]
references = ["Zanos2017"]
grade = "B"
contested = false

[arms.low]
dosing = [{ drug = "ketamine", route = "ip", amount = "3 mg/kg" }]

[finding]
value = "low.spines.density.at(24 h)"
observed = 1.2
error = 0.1
"""


def typed(*words):
    return CliRunner().invoke(group, list(words), standalone_mode=False)


def test_data_that_is_sound_is_summed_up():
    done = typed("data", "check", "plasma", "spines")
    assert done.exception is None
    assert "plasma.csv: 45 values in 2 arms, no fault." in done.output
    assert "spines.csv: 5 values in 1 arm, no fault." in done.output


def test_data_that_is_not_exits_2_with_every_fault(tmp_path, capsys):
    path = tmp_path / "own.csv"
    path.write_text("time [h],readout,value,error,arm\n1,spines.densty,2,0,rat_10\n")
    with pytest.raises(SystemExit) as end:
        main(["data", "check", str(path)])
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert said.count("own.csv line 2: ") == 2
    assert "Traceback" not in said


def test_a_fit_prints_verdicts_and_writes_a_folder_to_go_on_in(tmp_path):
    words = ("fit", "plasma", *FREE, "--starts", "2", "-o", str(tmp_path / "fit"))
    first, again = typed(*words), typed(*words)
    assert first.exception is None
    assert "identified: " in first.output
    assert first.output == again.output
    found = json.loads((tmp_path / "fit" / "fit.json").read_text(encoding="utf-8"))
    assert found["parameters"][0]["name"] == "pk_r.clearance_70"
    other = typed(*words, "--seed", "2")
    assert "Mixing would be wrong" in str(other.exception)


def test_more_starts_in_a_fits_folder_give_what_they_give_alone(tmp_path):
    free = ("--free", "pk_s.clearance_70, disposition.q_slow_70", "--profile", "pk_s.clearance_70")

    def fitted(starts, folder):
        out = tmp_path / folder
        words = ("fit", "plasma", *free, "--starts", starts, "--seed", "2", "-o", str(out))
        assert typed(*words).exception is None
        return (out / "fit.json").read_bytes()

    few = fitted("2", "grown")
    grown = fitted("4", "grown")
    assert grown == fitted("4", "alone")
    best = [json.loads(one)["loss"] for one in (few, grown)]
    assert best[1] < best[0], "the best is another, so that older profiles are not its own"


def test_a_finding_that_is_not_there_is_said(tmp_path):
    done = typed("fit", "plasma", *FREE, "--findings", "rat_glutamat_10", "-o", str(tmp_path))
    assert 'Did you mean "rat_glutamate_10"?' in str(done.exception)


def test_a_posterior_prints_a_table_and_writes_a_folder(tmp_path):
    done = typed("posterior", "plasma", *FREE, "--particles", "128", "-o", str(tmp_path))
    assert done.exception is None
    assert "narrowed" in done.output
    assert (tmp_path / "posterior.png").is_file()


def test_a_posterior_without_a_result_says_what_is_missing(tmp_path):
    more = (
        "--free",
        "disposition.v_slow_70, pk_s.clearance_70",
        "--particles",
        "16",
        "-o",
        str(tmp_path),
    )
    done = typed("posterior", "plasma", *FREE, *more)
    assert "posterior: no result." in str(done.exception)
    assert done.output == ""


def test_values_are_drawn_over_a_run_of_their_arm(tmp_path):
    (tmp_path / "own.csv").write_text(
        "# assay blot: scale\ntime [h],readout,value,error,unit,arm,assay\n"
        "1,spines.density,1.1,0.1,1,rat_10,\n2,bdnf.free,180,10,%,rat_10,blot\n"
    )
    own = ("--data", str(tmp_path / "own.csv"))
    done = typed("run", "rat_10", *own, "-o", str(tmp_path / "out"))
    assert done.exception is None
    assert "lie on no curve: 1 of the values" in done.stderr
    done = typed("compare", "rat_10", "ketamine_nbqx", *own, "-o", str(tmp_path / "both"))
    assert done.exception is None
    done = typed("run", "rat_30", *own, "-o", str(tmp_path / "out"))
    assert 'no value of "rat_30". Arms there: rat_10' in str(done.exception)


def test_values_are_drawn_over_a_fan_of_their_arm(tmp_path):
    (tmp_path / "own.csv").write_text(
        "time [h],readout,value,error,unit,arm\n1,spines.density,1.1,0.1,1,rat_10\n"
    )
    store, own = str(tmp_path / "s.zarr"), str(tmp_path / "own.csv")
    sweep = ("sweep", "rat_10", "--sample", "random:8", "--record", "spines.density", "-o", store)
    assert typed(*sweep, "--set", "output.until=4 h").exception is None
    out = ("-o", str(tmp_path / "fan.png"))
    plain = typed("plot", store, "--kind", "fan", *out)
    assert plain.exception is None
    before = (tmp_path / "fan.png").read_bytes()
    assert typed("plot", store, "--kind", "fan", "--data", own, *out).exception is None
    assert (tmp_path / "fan.png").read_bytes() != before
    other = typed("plot", store, "--kind", "fan", "--data", "plasma", *out)
    assert "no value of" in str(other.exception)


@pytest.mark.slow
def test_a_posterior_that_was_killed_goes_on_to_the_same_files(tmp_path):
    words = ("posterior", "plasma", *FREE, "--free", "pk_s.clearance_70, disposition.v_slow_70",
             "--particles", "256")  # fmt: skip
    whole = typed(*words, "-o", str(tmp_path / "whole"))
    assert whole.exception is None
    out = tmp_path / "killed"
    one = subprocess.Popen(
        [sys.executable, "-m", "ketasim", *words, "-o", str(out)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while not (out / "run0.npz").is_file() and one.poll() is None:
        time.sleep(0.005)
    assert one.poll() is None
    one.kill()
    one.wait()
    assert not (out / "posterior.json").exists()
    again = typed(*words, "-o", str(out))
    assert again.exception is None
    for name in ("posterior.json", "draws.csv", "bands.csv"):
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.filterwarnings("ignore:.*outside its plausible bounds")  # the prior is wider
def test_bands_of_a_posterior_lie_on_the_figure_of_a_run(tmp_path):
    out = tmp_path / "posterior"
    assert (
        typed("posterior", "plasma", *FREE, "--particles", "128", "-o", str(out)).exception is None
    )
    run = ("run", "human_healthy_iv", "--set", "output.until=3 h", "-o", str(tmp_path / "run"))
    done = typed(*run, "--posterior", str(out))
    assert done.exception is None
    assert "200 draws of" in done.output
    with (tmp_path / "run" / "bands.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    low, middle, high = (
        np.array([float(row[f"pk_r.plasma {share} [uM]"]) for row in rows])
        for share in ("5%", "50%", "95%")
    )
    assert (low <= middle).all()
    assert (middle <= high).all()
    assert (high[-1] - low[-1]) > 0.01 * middle[-1] > 0.0
    swept = typed("sweep", "human_healthy_iv", "--table", str(out / "draws.csv"), "--summary",
                  "outcome.mood.peak", "-o", str(tmp_path / "sweep"))  # fmt: skip
    assert "256 ok" in swept.output
    none = typed(*run, "--posterior", str(tmp_path))
    assert "no such file. Give the folder of a posterior" in str(none.exception)


def test_findings_as_files_are_fitted_beside_data_and_petab(tmp_path):
    pytest.importorskip("petab.v2", reason="petab is in the extra petab")
    (tmp_path / "own.toml").write_text(FINDING, encoding="utf-8")
    place = tmp_path / "problem" / "problem.yaml"
    assert typed("export", "petab", "spines", "--free", "spines.k_retire", "-o",
                 str(place.parent)).exception is None  # fmt: skip
    done = typed("fit", "plasma", str(place), *FREE, "--free", "spines.k_retire", "--findings",
                 str(tmp_path / "own.toml"), "--starts", "2", "--no-profiles", "-o",
                 str(tmp_path / "fit"))  # fmt: skip
    assert done.exception is None
    assert "observations: 51" in done.output


def test_curves_are_counted_by_study_and_drawn(tmp_path):
    done = typed("curves", "mice", "-o", str(tmp_path / "curves"))
    assert done.exception is None
    assert "Shao2021" in done.output
    assert "43 (" in done.output
    assert {one.name for one in (tmp_path / "curves").iterdir()} == {
        "curves.png", "points.csv", "studies.csv", "curves.json",
    }  # fmt: skip
    told = json.loads(typed("curves", "mice", "--json", "-o", str(tmp_path / "again")).stdout)
    assert len(told["points"]) == 43
    assert told["share"] == sum(one["met"] for one in told["points"]) / 43


def test_a_study_is_left_out_of_a_posterior(tmp_path):
    place = tmp_path / "posterior"
    place.mkdir()
    values = np.random.default_rng(1).lognormal(np.log(0.00486), 0.2, 40)
    (place / "draws.csv").write_text(
        "spines.k_eliminate [1/h]\n" + "".join(f"{one:.6f}\n" for one in values)
    )
    (place / "posterior.json").write_text('{"data": [{"file": "mice.csv"}]}')
    done = typed("curves", "mice", "--posterior", str(place), "-o", str(tmp_path / "curves"))
    assert done.exception is None
    assert "in 90%, left out" in done.output
    assert "lie in their range" in done.output
    (place / "posterior.json").unlink()
    assert "posterior's folder" in str(typed("curves", "mice", "--posterior", str(place)).exception)


def test_the_packaged_posterior_gives_bands_and_says_when_the_model_has_moved(
    tmp_path, monkeypatch
):
    from ketasim.config import packaged
    from ketasim.models import antidepressant

    place = tmp_path / "posterior"
    monkeypatch.setattr(packaged, "folder", lambda: tmp_path)
    with pytest.raises(Exception, match="no posterior comes with this package"):
        packaged.posterior(antidepressant())
    place.mkdir()
    (place / "draws.csv").write_text("spines.k_eliminate [1/h]\n0.004\n0.006\n")
    model, drawn = antidepressant(), ["spines.k_eliminate"]
    for made, says in (("other", True), (packaged.hangs_on(model, drawn), False)):
        told = {"model": "0123", "hangs on": made}
        (place / "posterior.json").write_text(json.dumps(told))
        found, caution = packaged.posterior(model)
        assert found == place
        assert ("make it again" in caution) is says


def test_draws_hang_on_bounds_and_on_what_is_not_drawn_and_on_no_value_of_their_own():
    from ketasim.config.packaged import hangs_on
    from ketasim.models import antidepressant

    model, drawn = antidepressant(), ["spines.k_eliminate", "outcome.most"]
    own = hangs_on(model, drawn)
    assert hangs_on(model.with_values({"outcome.most": 2.0}), drawn) == own
    assert hangs_on(model, drawn[:1]) != own
    outcome = next(one for one in model.mechanisms if one.name == "outcome")
    most = next(one for one in outcome.parameters if one.name == "most")
    wider = replace(most, bounds=(most.bounds[0], 2.0 * most.bounds[1]))
    parameters = tuple(wider if one is most else one for one in outcome.parameters)
    moved = replace(outcome, parameters=parameters)
    changed = replace(
        model, mechanisms=tuple(moved if one is outcome else one for one in model.mechanisms)
    )
    assert hangs_on(changed, drawn) != own
