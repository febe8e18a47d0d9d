"""Does what a user types about data of their own end well, or with a sentence?"""

import json

import pytest
from click.testing import CliRunner

from ketasim.cli.main import group, main

FREE = ("--free", "pk_r.clearance_70 = loguniform(30, 300) L/h")


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
