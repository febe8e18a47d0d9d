"""``ketasim sensitivity`` as a user types it: runs, files, going on, and mistakes."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import ketasim as ks
from ketasim.cli.main import group
from ketasim.errors import KetasimError
from ketasim.results.store import Store

FEW = ["--vary", "nmda.k_s", "--vary", "nmda.k_r = loguniform(1, 5) uM", "--set", "output.until=1d"]
READ = ["--summary", "spines@24h, nmda_block.peak", "--threads", "1"]
ASK = ["sensitivity", "human_healthy_iv", *FEW, *READ, "--sample", "sobol:16"]


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def typed(*words):
    found = CliRunner().invoke(group, [str(word) for word in words], standalone_mode=False)
    if found.exception is not None:
        raise found.exception
    return found.stdout


def test_it_runs_writes_and_says_what_matters(place):
    said = typed(*ASK)
    out = place / "sensitivity" / "human_healthy_iv"
    names = {"runs.zarr", "tornado.png", "heatmap.png", "indices.csv", "indices.json"}
    assert {one.name for one in out.iterdir()} == names
    assert "64 runs: 64 ok." in said
    assert "Sobol' indices of 2 read-outs by 2 factors: 64 runs in 16 blocks, none failed." in said
    lines = (out / "indices.csv").read_text().splitlines()
    assert lines[0] == "readout,unit,factor,columns,index,value,low,high"
    assert len(lines) == 1 + 2 * 2 * 2
    assert json.loads((out / "indices.json").read_text())["blocks"] == 16


def test_the_same_command_goes_on_where_it_stopped(place):
    first = typed(*ASK, "-o", "here")
    store = Store(place / "here" / "runs.zarr")
    before = store.file("status", 0).stat().st_mtime_ns
    assert typed(*ASK, "-o", "here").partition("Sobol")[2] == first.partition("Sobol")[2]
    assert store.file("status", 0).stat().st_mtime_ns == before
    store.file("status", 0).unlink()
    typed(*ASK, "-o", "here")
    assert store.file("status", 0).stat().st_mtime_ns > before


def test_a_store_is_read_without_running_anything(place):
    typed(*ASK, "-o", "here")
    csv = place / "here" / "indices.csv"
    before = csv.read_text()
    csv.unlink()
    said = typed("sensitivity", "here/runs.zarr", "--summary", "spines@24h")
    assert "of 1 read-out by 2 factors" in said
    assert csv.read_text().splitlines() == [
        line for line in before.splitlines() if "nmda_block" not in line
    ]


def test_a_store_has_its_runs_and_takes_no_others(place):
    typed(*ASK, "-o", "here")
    with pytest.raises(KetasimError, match="holds its runs already, so --method, --set cannot be"):
        typed("sensitivity", "here/runs.zarr", "--method", "morris", "--set", "output.until=2d")
    with pytest.raises(KetasimError, match=r"here/runs\.zarr holds its runs .*so vary cannot"):
        ks.sensitivity("here/runs.zarr", vary="nmda")
    with pytest.raises(KetasimError, match="Mixing would be wrong") as caught:
        typed(*ASK[:-1], "sobol:32", "-o", "here")
    assert caught.value.exit_code == 2


def test_a_plain_sweep_gives_rank_correlations(place):
    typed("sweep", "human_healthy_iv", *FEW, *READ, "--sample", "lhs:40", "-o", "lhs.zarr")
    said = typed("sensitivity", "lhs.zarr", "-o", "prcc", "--format", "pdf")
    assert "Partial rank correlations of 2 read-outs by 2 factors: 40 runs, none failed." in said
    assert (place / "prcc" / "tornado.pdf").is_file()


def test_a_failed_member_ends_it_with_where_to_look(place):
    few = ["--vary", "nmda.k_s = uniform(-1, 3) uM"]
    words = ["sensitivity", "human_healthy_iv", *few, *READ, "--set", "output.until=1d"]
    with pytest.raises(KetasimError, match=r"must be >= 0"):
        typed(*words, "-o", "low")
    words = [*ASK, "-o", "here"]
    typed(*words)
    store = Store(place / "here" / "runs.zarr")
    values = {name: store.dataset()[name].to_numpy().copy() for name in store.names}
    values["status"][5] = 2
    values["spines@24h"][5] = values["nmda_block.peak"][5] = np.nan
    store.put(0, values)
    with pytest.raises(KetasimError) as caught:
        typed(*words)
    assert "1 of 64 members failed (max_steps 1)" in str(caught.value)
    assert '"ketasim failures here/runs.zarr"' in str(caught.value)
    assert "1 of 16 blocks dropped" in typed(*words, "--failed", "drop")


def test_groups_and_other_methods_are_typed_so(place):
    said = typed(*ASK[:-1], "sobol:32", "--method", "shapley", "--group", "left = nmda.k_s")
    assert "Shapley effects of 2 read-outs by 2 factors" in said
    assert "others" in said
    assert "mu_star (90%)" in typed(
        *ASK[:-1], "random:8", "--method", "morris", "--level", "0.9", "-o", "m"
    )
    assert "runs" in typed(*ASK, "--plan", "-o", "no")
    assert not (place / "no").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--method", "sobl"], 'method "sobl": no such method. Did you mean "sobol"?'),
        (["--failed", "ignore"], 'failed = "ignore": no such rule.'),
        (["--group", "nmda"], '--group nmda: write "NAME = nmda, ampa"'),
        (["--vary", "nmda.k_x"], "nmda.k_x"),
        (["--sample", "sobol"], "write the number of members"),
        (["--method", "morris", "--levels", "3"], "write random:16"),
        (["--summary", "spinse.peak"], "spinse"),
    ],
)
def test_a_mistake_is_named_before_anything_runs(place, words, told):
    with pytest.raises(KetasimError) as caught:
        typed(*ASK, *words)
    assert told in str(caught.value)
    assert caught.value.exit_code == 2
    assert list(place.iterdir()) == []
