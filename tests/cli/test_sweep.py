"""Sweeps from the command line: resumable at every instant, stopped in time, told in full."""

import hashlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

import ketasim
from ketasim.cli.main import group
from ketasim.engines.contract import Settings
from ketasim.errors import KetasimError
from ketasim.results.store import Store, open_dataset
from ketasim.studies.sweep.job import prepare
from ketasim.verbs.sweep import Order

CONFIG = """
schema = 1
[[dosing]]
amount = "0.5 mg/kg"
route = "iv"
duration = "40 min"
[output]
until = "2 h"
every = "30 min"
"""
VARY = ["--vary", "dosing[0].amount = logspace(0.05, 5, 6) mg/kg"]
DONE = SimpleNamespace(path=Path("s.zarr"), ended=lambda: {"ok": 1})  # a store that is filled
KEEP = ["--summary", "nmda_block.peak, glutamate.auc(0h,1h)"]
SOURCE = str(Path(ketasim.__file__).parents[1])
TESTS = str(Path(__file__).parents[1])


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "question.toml"
    path.write_text(CONFIG)
    return path


def call(*words, code=0):
    found = CliRunner().invoke(group, [str(word) for word in words], standalone_mode=False)
    if isinstance(found.exception, SystemExit):
        assert found.exception.code == code
    elif found.exception is not None:
        raise found.exception
    else:
        assert code == 0
    return found.output


def sweep(config, *words, code=0):
    return call("sweep", config, *words, "--engine", "reference", "--threads", 1, code=code)


def test_a_sweep_resumes_lists_and_repeats(config, tmp_path):
    store = tmp_path / "s.zarr"
    told = sweep(config, *VARY, *KEEP, "-o", store, "--chunk", 2)
    assert f"6 runs: 6 ok. - {store}/" in told
    found = xr.open_zarr(store, chunks=None)
    assert found["nmda_block.peak"].to_numpy()[5] > 0.1
    assert (np.diff(found["nmda_block.peak"]) > 0).all()
    again = sweep(config, *VARY, *KEEP, "-o", store, "--chunk", 2, "--resume")
    assert "found 3/3 chunks (6 runs), 0 partial files removed, 0 corrupt" in again
    assert "config, model and version match; continuing with 0" in again
    assert "3/3 chunks. 6 runs: 6 ok." in call("status", store)
    Store(store).file("status", 1).unlink()
    assert f"To go on: ketasim resume {store}" in call("status", store)
    assert "found 2/3 chunks (4 runs)" in call("resume", store)
    assert "6 runs: 6 ok." in call("failures", store)
    told = call("rerun", store, "--member", 4)
    assert "again = kept, bit for bit." in told
    assert "reference" in told


def test_failed_members_are_listed_and_the_exit_code_says_so(config, tmp_path):
    table = tmp_path / "values.csv"
    table.write_text("nmda.k_s [uM],nmda.k_r [uM]\n0.3,0.3\n-1,0.3\n0.4,\n0.5,0.4\n")
    store = tmp_path / "s.zarr"
    told = sweep(config, "--table", table, *KEEP, "-o", store, code=3)
    assert "4 runs: 2 ok, 2 failed (50 %): bad_parameter 2." in told
    assert f"Rows are kept as NaN with status; list: ketasim failures {store}" in told
    listed = call("failures", store)
    assert re.search(r"^1 +bad_parameter +-1 +0.3$", listed, re.MULTILINE)
    assert re.search(r"^2 +bad_parameter +0.4 +nan$", listed, re.MULTILINE)
    assert f"ketasim rerun {store} --member 1" in listed
    out = tmp_path / "failures.csv"
    assert "2 rows" in call("failures", store, "-o", out)
    assert out.read_text().splitlines()[0] == "member,status,nmda.k_s [uM],nmda.k_r [uM]"
    assert "bad_parameter: a value is outside its domain" in call("rerun", store, "--member", 1)


def test_a_plan_says_what_it_takes_and_makes_nothing(config, tmp_path):
    told = sweep(config, "--sample", "random:500", *KEEP, "-o", tmp_path / "s.zarr", "--plan")
    assert re.search(
        r"500 runs, 16 chunks, about .* on 1 thread, .* on disk \(summaries only\); full "
        r"trajectories would be .*\.",
        told,
    )
    assert sorted(one.name for one in tmp_path.iterdir()) == ["question.toml"]


def test_a_sample_says_what_it_draws_and_leaves_alone(config, tmp_path):
    told = sweep(config, "--sample", "sobol:2", *KEEP, "-o", tmp_path / "a.zarr")
    assert "sobol:2 draws 147 uncertain parameters; leaves 1 exponent, 7 driver gains" in told
    words = ["--sample", "lhs:3", "--vary", "nmda", "--vary", "subject.weight"]
    told = sweep(config, *words, *KEEP, "-o", tmp_path / "b.zarr")
    assert "lhs:3 draws 26 uncertain parameters, 1 trait of the body; leaves 121 uncertain" in told
    found = xr.open_zarr(tmp_path / "b.zarr", chunks=None)
    assert {"nmda.k_s", "subject.weight"} < set(found.coords)
    assert 40.0 <= found["subject.weight"].min() < found["subject.weight"].max() <= 140.0
    assert found.attrs["cautions"] == ""


def test_what_is_far_from_usual_is_said_once_and_kept(config, tmp_path):
    store = tmp_path / "s.zarr"
    vary = ["--vary", "dosing[0].amount = [0.5, 500] mg/kg", "--vary", "nmda.k_s = 320 uM"]
    told = sweep(config, *vary, *KEEP, "-o", store)
    slip = "nmda.k_s = 320 uM lies outside its plausible bounds 0.2 to 0.6 uM."
    assert told.count("is 1e+03 times the usual 0.5 mg/kg") == told.count(slip) == 1
    said = xr.open_zarr(store, chunks=None).attrs["cautions"].splitlines()
    assert [one.startswith(("500 mg/kg iv", slip)) for one in said] == [True, True]
    meant = tmp_path / "meant.toml"
    meant.write_text(CONFIG.replace("schema = 1", "schema = 1\nallow_unusual_dose = true"))
    told = sweep(meant, *vary, *KEEP, "-o", tmp_path / "m.zarr")
    assert "times the usual" not in told
    assert slip in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--vary", "nmda.k_s = 1:5:0.5 uM"], r"--vary nmda.k_s = 1:5:0.5 uM: write linspace"),
        (["--sample", "sobol:8", "--vary", "nmdaa"], 'no such parameter or group. Did you mean "n'),
        (["--vary", "spines.k_matre = 1"], "--vary spines.k_matre: no such parameter. Did you me"),
        (["--vary", "nmda.k_s"], "without values it needs --sample"),
        (["--vary", "= 3"], "write NAME = VALUES"),
        (["--vary", "nmda.k_s = 1"], '--vary nmda.k_s: a unit is needed, e.g. "uM"'),
        ([], 'nothing is varied: add --vary "dosing\\[0\\].amount'),
        (["--sample", "sobol"], "write the number of members, e.g. sobol:4096"),
        (["--sample", "sobl:8"], 'no such design. Did you mean "sobol"'),
        (["--sample", "sobol:8", "--vary", "dosing[0].amount"], "give a distribution"),
        (["--table", "nowhere.csv"], "--table nowhere.csv: no such file"),
        ([*VARY, "--summary", "spines.peek"], 'Did you mean "peak"'),
        ([*VARY, "--shard", "3/2"], "--shard 3/2: write i/n"),
        ([*VARY, "--resume"], "--resume: there is no store"),
        ([*VARY, "--engine", "reference2"], 'Did you mean "reference"'),
        ([*VARY, "--rtol", "7"], "rtol"),
    ],
)
def test_mistakes_are_told_before_anything_runs(config, tmp_path, words, told, monkeypatch):
    monkeypatch.chdir(tmp_path)
    engine = [] if "--engine" in words else ["--engine", "reference"]
    with pytest.raises(KetasimError, match=told) as caught:
        call("sweep", config, *words, *engine)
    assert caught.value.exit_code == 2
    assert sorted(one.name for one in tmp_path.iterdir()) == ["question.toml"]


def test_a_changed_config_is_refused_with_the_difference(config, tmp_path):
    store = tmp_path / "s.zarr"
    sweep(config, *VARY, *KEEP, "-o", store)
    config.write_text(CONFIG.replace("40 min", "50 min"))
    with pytest.raises(KetasimError, match=r"(?s)another sweep.*protocol.*Use -o a new folder"):
        sweep(config, *VARY, *KEEP, "-o", store)


def test_more_threads_than_cores_is_said(config, tmp_path):
    told = call(
        "sweep", config, *VARY, "--engine", "reference", "--threads", 640, "-o", tmp_path / "s.zarr"
    )
    assert re.search(r"--threads 640: this machine has \d+ cores?; using \d+\.", told)


def test_what_is_asked_for_unless_something_is_has_short_names(config, tmp_path):
    sweep(config, *VARY, "-o", tmp_path / "s.zarr")
    kept = xr.open_zarr(tmp_path / "s.zarr", chunks=None)
    assert {"spines.peak", "spines.t_peak", "plasma.peak"} < set(kept.data_vars)
    assert kept["plasma.peak"].attrs["units"] == "ng/mL"


@pytest.mark.parametrize(
    ("said", "words", "runs"),
    [
        ('name = "reference"', [], ("reference", "BDF")),
        ('name = "reference"', ["--engine", "ensemble"], ("ensemble", "Rodas5P")),
        ("", ["--engine", "reference"], ("reference", "BDF")),
        ("", [], ("ensemble", "Rodas5P")),
    ],
)
def test_the_engine_that_the_file_names_runs_and_what_ran_is_kept(
    tmp_path, said, words, runs, monkeypatch
):
    seen = {}
    path = tmp_path / "question.toml"
    path.write_text(f'{CONFIG}\n[engine]\n{said}\nmethod = "BDF"\n')
    monkeypatch.setattr(Order, "fill", lambda order, *_, **__: seen.update(order=order) or DONE)
    call("sweep", path, *VARY, *words, "-o", tmp_path / "s.zarr")
    order = seen["order"]
    names = ("engine", "method", "rtol", "limits", "allow_looser")
    settings = Settings(**{name: order.how[name] for name in names})
    job = prepare(order.scenario, order.design, summaries=["spines.peak"], settings=settings)
    for told in (job.identity, job.attributes):
        assert (told["engine"], told["method"]) == runs
    assert ('name = "reference"' in order.attributes["scenario"]) == bool(said)


def environment():
    return {**os.environ, "PYTHONPATH": os.pathsep.join([SOURCE, TESTS, TESTS + "/unit"])}


def start(*words):
    code = "from ketasim.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(condition, seconds=60.0):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_within_two_seconds_and_nothing_is_lost(config, tmp_path, number):
    store = tmp_path / "s.zarr"
    words = ["--sample", "random:4000", *KEEP, "-o", store, "--chunk", 2]
    run = start("sweep", config, *words, "--engine", "reference")
    chunks = store / "status" / "c"
    wait_for(lambda: chunks.is_dir() and any(chunks.iterdir()))
    began = time.monotonic()
    run.send_signal(number)
    _, told = run.communicate(timeout=10)
    assert time.monotonic() - began < 2.0
    assert run.returncode == 130
    assert f'"ketasim resume {store}", to go on' in told
    assert not list(Store(store).damaged())
    assert not (store / "ketasim" / "claims").exists()


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="no such signal here")
def test_sigusr1_finishes_the_chunks_in_hand(config, tmp_path):
    store = tmp_path / "s.zarr"
    words = ["--sample", "random:4000", *KEEP, "-o", store, "--chunk", 3]
    run = start("sweep", config, *words, "--engine", "reference", "--threads", 1)
    chunks = store / "status" / "c"
    wait_for(lambda: chunks.is_dir() and any(chunks.iterdir()))
    held = [int(one.stem) for one in (store / "ketasim" / "claims").glob("*.json")]
    run.send_signal(signal.SIGUSR1)
    _, told = run.communicate(timeout=30)
    assert run.returncode == 130
    assert "stopped after the chunks in hand" in told
    assert all(Store(store).has(k) for k in held)


KILLED = """
import sys
import test_store
from pathlib import Path
test_store.run(Path(sys.argv[1]), threads=2, chunk=1)
"""


def content(path):
    return {
        one.relative_to(path).as_posix(): hashlib.sha256(one.read_bytes()).hexdigest()
        for one in sorted(path.rglob("*"))
        if one.is_file() and "claims" not in one.relative_to(path).parts
    }


def killing(folder, times, seed):
    """Kill the same sweep again and again at random instants, then let it finish."""
    path, random = folder / "killed.zarr", np.random.default_rng(seed)
    command = [sys.executable, "-c", KILLED]
    whole = folder / "whole.zarr"
    began = time.monotonic()
    subprocess.run([*command, str(whole)], env=environment(), check=True)
    lasts = time.monotonic() - began
    for _ in range(times):
        run = subprocess.Popen([*command, str(path)], env=environment())
        time.sleep(random.uniform(0.3, 1.0) * lasts)
        before = len(Store(path).done()) if (path / "ketasim" / "manifest.json").is_file() else 0
        run.kill()
        run.wait()
        if (path / "ketasim" / "manifest.json").is_file():
            store = Store(path)
            assert not list(store.damaged())
            assert len(store.done()) >= before
            if len(store.done()) == store.manifest.chunks:
                for k in range(0, store.manifest.chunks, 2):
                    store.file("status", k).unlink()
    subprocess.run([*command, str(path)], env=environment(), check=True)
    assert content(path) == content(whole)
    assert (open_dataset(path)["status"] == 0).all()
    assert sorted(one.name for one in folder.iterdir()) == ["killed.zarr", "whole.zarr"]


def test_killed_at_ten_random_instants_the_result_has_the_same_bytes(tmp_path):
    killing(tmp_path, 10, seed=1)


@pytest.mark.slow
def test_killed_at_two_hundred_random_instants_the_result_has_the_same_bytes(tmp_path):
    killing(tmp_path, 200, seed=2)
