"""The commands as a user types them: what is printed, what is written, how they end."""

import csv
import hashlib
import json
import re
import subprocess
import sys
import time

import pytest
import xarray as xr

from cli.texts import SINGLE_IV, changed
from ketasim.cli import main
from ketasim.config import load
from ketasim.models import antidepressant

QUICK = ["--set", "output.until=1 d", "--set", 'output.observables=["spines", "mtor"]']


@pytest.fixture
def type_in(capsys, monkeypatch, tmp_path):
    """Return a function that types a line in an empty folder: exit code, output, messages."""
    monkeypatch.chdir(tmp_path)

    def typed(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            main(words)
        said = capsys.readouterr()
        return int(caught.value.code or 0), said.out, said.err

    return typed


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "single_iv.toml"
    path.write_text(SINGLE_IV)
    return path


def test_run_writes_a_folder_and_says_so(type_in, config, tmp_path):
    code, out, err = type_in("run", str(config), *QUICK)
    assert (code, err) == (0, "")
    last = out.splitlines()[-1]
    assert re.fullmatch(
        r"delivered 35\.0 mg of 35\.0 mg - solver ok - \d+\.\d\d s - out/single_iv/", last
    )
    names = {one.name for one in (tmp_path / "out" / "single_iv").iterdir()}
    assert names == {
        "figure.png", "timecourse.csv", "summary.csv", "result.nc", "scenario.toml",
        "provenance.json",
    }  # fmt: skip


def test_run_again_from_its_own_scenario_gives_the_same_bytes(type_in, config, tmp_path):
    type_in("run", str(config), "-o", "one", *QUICK, "--rtol", "1e-5", "--method", "BDF")
    code, _, _ = type_in("run", "one/scenario.toml", "-o", "two")
    assert code == 0
    for name in ("timecourse.csv", "summary.csv", "scenario.toml", "figure.png"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert load(tmp_path / "two" / "scenario.toml").method == "BDF"


def test_every_column_has_its_unit_and_every_file_its_hash(type_in, config, tmp_path):
    type_in("run", str(config), "-o", "o", *QUICK)
    with (tmp_path / "o" / "timecourse.csv").open() as file:
        header, first, *_ = csv.reader(file)
    assert header == ["time [h]", "spines.density [1]", "translation.mtorc1 [1]"]
    assert [float(one) for one in first] == pytest.approx([0.0, 1.0, 1.0])
    told = json.loads((tmp_path / "o" / "provenance.json").read_text())
    assert set(told["sha256"]) == {one.name for one in (tmp_path / "o").iterdir()} - {
        "provenance.json"
    }
    for name, digest in told["sha256"].items():
        assert hashlib.sha256((tmp_path / "o" / name).read_bytes()).hexdigest() == digest
    assert {"versions", "machine", "run", "made", "command"} <= set(told)


def test_the_dataset_on_disk_carries_its_question(type_in, config, tmp_path):
    type_in("run", str(config), "-o", "o", *QUICK)
    with xr.open_dataset(tmp_path / "o" / "result.nc") as run:
        assert run["spines.density"].dims == ("member", "time")
        assert run["spines.density"].attrs["units"] == "1"
        assert run.attrs["scenario"] == (tmp_path / "o" / "scenario.toml").read_text()
        assert int(run["status"][0]) == 0


def test_more_formats_on_request(type_in, config, tmp_path):
    code, _, _ = type_in(
        "run", str(config), "-o", "o", *QUICK, "--format", "pdf", "--format", "svg"
    )
    assert code == 0
    assert (tmp_path / "o" / "figure.pdf").read_bytes().startswith(b"%PDF")
    assert b"<svg" in (tmp_path / "o" / "figure.svg").read_bytes()


def test_a_caution_is_said_on_the_error_stream(type_in, config):
    words = ["run", str(config), *QUICK, "--set", "dosing[0].amount=10 mg/kg"]
    code, out, err = type_in(*words)
    assert code == 0
    assert err.startswith('warning: 10 mg/kg iv with subject = "human" is 20 times')
    assert "delivered 700.0 mg of 700.0 mg" in out


def test_doses_are_counted(type_in):
    words = ["--set", "output.until=26 d", "--set", 'output.observables=["spines"]']
    code, out, _ = type_in("run", "twice_weekly", *words)
    assert code == 0
    assert "delivered 280.0 mg of 280.0 mg in 8 doses - solver ok" in out


def test_a_mistake_is_one_line_and_exit_code_two(type_in, config):
    config.write_text(changed("amount", "amonut"))
    code, out, err = type_in("run", str(config))
    assert (code, out) == (2, "")
    assert err.startswith('single_iv.toml: dosing[0].amonut: unknown key. Did you mean "amount"?')
    assert "Traceback" not in err


def test_solver_failure_names_time_state_and_cause(type_in, config):
    wild = ("--set", "disposition.k_brain_70=1e200 1/h", "--engine", "reference")
    code, _, err = type_in("run", str(config), *wild)
    assert code == 2
    assert re.fullmatch(
        r'run stopped at t = \S+ h: .* \(state ".*" grew to .*\)\. Usually a rate is too large: '
        r"disposition\.k_brain_70 = 1e\+200 1/h is \S+ x its default\. "
        r"Reproduce: ketasim run out/single_iv/scenario\.toml --debug",
        err.splitlines()[-1],
    )
    assert "Traceback" not in err


def test_debug_shows_where(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config.write_text("schema = ")
    from ketasim.errors import ConfigError

    with pytest.raises(ConfigError, match="at its end: this is not a value"):
        main(["run", str(config), "--debug"])


def test_a_fault_of_our_own_is_admitted(type_in, config, monkeypatch):
    def broken(*_args: object, **_named: object) -> None:
        raise KeyError("oops")

    monkeypatch.setattr("ketasim.config.load", broken)
    code, _, err = type_in("run", str(config))
    assert code == 1
    assert err.startswith(
        "ketasim stopped because of a fault of its own (KeyError: 'oops'). Please"
    )
    assert "Traceback" not in err


def test_stopping_is_not_a_fault(type_in, config, monkeypatch):
    def stopped(*_args: object, **_named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ketasim.config.load", stopped)
    code, out, err = type_in("run", str(config))
    assert (code, out, err.strip()) == (130, "", "stopped.")


def test_a_folder_that_cannot_be_written_is_refused_before_the_run(type_in, config, tmp_path):
    (tmp_path / "taken").write_text("a file")
    code, out, err = type_in("run", str(config), "-o", "taken")
    assert (code, out) == (2, "")
    assert err == "taken: cannot be written (it is a file). Choose another folder with -o.\n"
    assert type_in("run", str(config), "-o", "taken/deeper")[0] == 2


def test_demo_needs_no_file(type_in, tmp_path):
    code, out, err = type_in("demo")
    assert (code, err) == (0, "")
    assert "delivered 35.0 mg of 35.0 mg - solver ok - " in out
    assert (tmp_path / "out" / "demo" / "figure.png").stat().st_size > 50_000


def test_compare_tells_what_is_identical_and_what_is_not(type_in, tmp_path):
    code, out, _ = type_in("compare", "rat_10", "ketamine_rapamycin", "-o", "c")
    assert code == 0
    (sentence,) = [line for line in out.splitlines() if line.startswith("identical: ")]
    for same in ("plasma.venous", "nmda.interneuron_block", "glutamate.relative"):
        assert same in sentence
    assert "translation.mtorc1" not in sentence
    assert "spines.density" not in sentence
    assert (tmp_path / "c" / "compare.png").exists()
    assert load(tmp_path / "c" / "rat_10" / "scenario.toml").scenario.name == "rat_10"


def test_compare_writes_only_under_its_folder(type_in, config, tmp_path):
    for i, name in enumerate(("../../evil", "/abs", "..")):
        text = f'name = "{name}"\n' + changed('"7 d"', '"1 d"\nobservables = ["spines"]')
        (tmp_path / f"{i}.toml").write_text(text)
    before = {one.name for one in tmp_path.parent.iterdir()}
    code, _, _ = type_in("compare", "0.toml", "1.toml", "2.toml", "-o", "c")
    assert code == 0
    assert {one.name for one in tmp_path.parent.iterdir()} == before
    top = {one.name for one in tmp_path.iterdir()}
    assert top == {"0.toml", "1.toml", "2.toml", "c", config.name}


def test_one_configuration_cannot_be_compared(type_in):
    assert type_in("compare", "rat_10")[2] == "compare: give at least two configurations.\n"


@pytest.mark.parametrize(
    ("kind", "telling"),
    [
        ("targets", "translation.inhibited = 1 - (1 - local)"),
        ("parameters", "measured"),
        ("states", "spines.density"),
        ("drugs", "esketamine"),
        ("routes", "intranasal"),
        ("configs", "human_depressed_iv"),
    ],
)
def test_lists(type_in, kind, telling):
    code, out, _ = type_in("list", kind)
    assert code == 0
    assert telling in out


def test_parameters_are_counted_by_kind_of_evidence(type_in):
    _, out, _ = type_in("list", "parameters")
    counts = re.findall(r"(\d+) (measured|fitted|derived|assumed)", out.splitlines()[-1])
    assert sum(int(count) for count, _ in counts) == len(antidepressant().parameters)


def test_describe_shows_story_equations_and_sources(type_in):
    code, out, _ = type_in("describe", "trkb")
    assert code == 0
    assert "internalised" in out
    assert "d internal/dt = internalise - recycle" in out
    assert re.search(r"k_internalise +\S+ +1/h +15 to 40 +derived: ", out)


@pytest.mark.parametrize("mechanism", [one.name for one in antidepressant().mechanisms])
def test_every_mechanism_can_be_described(type_in, mechanism):
    code, out, err = type_in("describe", mechanism)
    assert (code, err) == (0, "")
    assert "Equations" in out


def test_doctor(type_in):
    code, out, _ = type_in("doctor")
    assert code == 0
    assert re.search(r"engine reference +SciPy LSODA: a day in \d\.\d\d s, ok", out)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["rnu"], '"rnu": no such command. Did you mean "run"?'),
        (["describe", "nmd"], '"nmd": no such mechanism. Did you mean "nmda"?'),
        (["run", "human_healty_iv"], 'no such file. Did you mean "human_healthy_iv"?'),
        (["run", "x", "--format", "gif"], "is not one of"),
    ],
)
def test_what_is_not_there_is_answered_with_what_is(type_in, words, message):
    code, _, err = type_in(*words)
    assert code == 2
    assert message in err


def test_help_is_immediate_and_loads_nothing_heavy():
    heavy = ("numpy", "scipy", "xarray", "matplotlib", "pydantic", "llvmlite", "pint")
    code = (
        "import sys\nfrom ketasim.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert time.perf_counter() - began < 5.0  # 0.1 s on a quiet machine


@pytest.mark.parametrize("command", ["run", "explain", "export sbml"])
def test_every_command_says_what_is_far_from_usual(type_in, tmp_path, command):
    text = 'schema = 1\n[[dosing]]\namount = "5 mg/kg"\nroute = "iv"\n[output]\nuntil = "2 h"\n'
    (tmp_path / "much.toml").write_text(text)
    if command == "export sbml":
        pytest.importorskip("libsbml")
    more = ["--effect", "glutamate.relative@1h"] if command == "explain" else []
    code, _, err = type_in(*command.split(), "much.toml", *more)
    assert code == 0
    assert err.count('5 mg/kg iv with subject = "human" is 10 times the usual 0.5 mg/kg') == 1
    if command == "run":
        kept = xr.open_dataset(tmp_path / "out" / "much" / "result.nc").attrs["cautions"]
        assert kept.startswith("5 mg/kg iv")
