"""``--dask`` and ``submit --slurm``: what is typed, and what is refused before anything runs."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from ketasim.cli.cluster import client_of, script
from ketasim.cli.main import group, main
from ketasim.errors import ConfigError

SWEEP = ["sweep", "human_healthy_iv", "--sample", "sobol:4096", "-o", "my store.zarr"]


def typed(*words):
    return CliRunner().invoke(group, [str(word) for word in words])


def test_the_script_is_one_that_bash_understands(tmp_path):
    out = tmp_path / "sweep.sh"
    found = typed("submit", "--slurm", 100, "--cpus", 4, "--time", "2:00:00", "-o", out, *SWEEP)
    assert found.exit_code == 0, found.output
    assert found.output == f"{out}: 100 jobs of 4 cores. Type: sbatch {out}\n"
    text = out.read_text()
    assert "#SBATCH --array=0-99\n" in text
    assert "#SBATCH --signal=B:USR1@120\n" in text
    assert text.splitlines()[-1] == (
        "exec ketasim sweep human_healthy_iv --sample sobol:4096 -o 'my store.zarr' "
        '--threads "$SLURM_CPUS_PER_TASK" --shard "$SLURM_ARRAY_TASK_ID/100"'
    )
    if bash := shutil.which("bash"):
        assert subprocess.run([bash, "-n", str(out)]).returncode == 0


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_every_job_of_the_script_asks_for_its_own_shard(tmp_path):
    """Carried out by bash with a ``ketasim`` that says what it was asked."""
    fake = tmp_path / "ketasim"
    fake.write_text('#!/bin/bash\nprintf "%s\\n" "$@"\n')
    fake.chmod(0o755)
    odd = (*SWEEP, "--set", "a=$(touch CANARY); `x` 'y' \"z\"")
    text = script(odd, jobs=7, cpus=2, limit="1:00", memory="2G", partition=None)
    (tmp_path / "job.sh").write_text(text)
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    env |= {"SLURM_CPUS_PER_TASK": "2", "SLURM_ARRAY_TASK_ID": "3"}
    done = subprocess.run(
        ["bash", "job.sh"], cwd=tmp_path, env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [*odd, "--threads", "2", "--shard", "3/7"]
    assert not (tmp_path / "CANARY").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run", "human_healthy_iv"], 'submit: "run": write sweep CONFIG'),
        ([*SWEEP, "--shard", "0/3"], "leave --shard out"),
        ([*SWEEP, "--threads=3"], "leave --threads out"),
        ([*SWEEP, "--dask", "local:2"], "leave --dask out"),
    ],
)
def test_what_every_job_would_refuse_is_refused_now(words, told, tmp_path):
    found = typed("submit", "--slurm", 3, "-o", tmp_path / "x.sh", *words)
    assert isinstance(found.exception, ConfigError)
    assert told in str(found.exception)
    assert not (tmp_path / "x.sh").exists()


@pytest.mark.parametrize(
    "words",
    [("--time", "soon"), ("--memory", "2 GB"), ("--partition", "a b")],
)
def test_what_slurm_would_refuse_is_refused_now(words, tmp_path):
    found = typed("submit", "--slurm", 3, *words, "-o", tmp_path / "x.sh", *SWEEP)
    assert isinstance(found.exception, ConfigError)


def test_an_unknown_option_of_the_sweep_is_told(tmp_path):
    found = typed("submit", "--slurm", 3, "-o", tmp_path / "x.sh", *SWEEP, "--smaple", "x")
    assert found.exit_code == 2
    assert "--smaple" in found.output


@pytest.mark.parametrize("where", ["local", "local:0", "nowhere", "$(x):80", "local:-1", ""])
def test_what_is_no_cluster_is_refused(where):
    with pytest.raises(ConfigError, match="write the address"), client_of(where):
        pass


@pytest.mark.filterwarnings("ignore")
def test_nobody_answering_is_told(monkeypatch):
    distributed = pytest.importorskip("distributed")
    honest = distributed.Client
    monkeypatch.setattr(distributed, "Client", lambda where, timeout: honest(where, timeout="1s"))
    with pytest.raises(ConfigError, match="no scheduler answers there"), client_of("127.0.0.1:9"):
        pass


def test_a_cluster_and_a_shard_are_not_given_together(capsys):
    with pytest.raises(SystemExit) as left:
        main([*SWEEP, "--dask", "local:2", "--shard", "0/2"])
    assert left.value.code == 2
    assert "--dask and --shard: give one" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_sweep_on_workers_of_ones_own(tmp_path, capsys):
    pytest.importorskip("distributed")
    stores = [tmp_path / "a.zarr", tmp_path / "b.zarr"]
    for path, more in zip(stores, ([], ["--dask", "local:2"]), strict=True):
        with pytest.raises(SystemExit) as left:
            main(["sweep", "human_healthy_iv", "--sample", "sobol:64", "--chunk", "8",
                  "--set", "output.until=6 h", "-o", str(path), *more])  # fmt: skip
        assert left.value.code in (None, 0)
    files = [sorted(one.relative_to(p) for one in p.rglob("*") if one.is_file())
             for p in stores]  # fmt: skip
    assert files[0] == files[1]
    for one in files[0]:
        assert (stores[0] / one).read_bytes() == (stores[1] / one).read_bytes(), one


@pytest.mark.slow
def test_workers_of_a_cluster_draw_the_same_posterior(tmp_path):
    pytest.importorskip("distributed")
    words = ["posterior", "spines", "--free", "spines.reached, spines.k_mature",
             "--particles", "128", "--replicates", "1"]  # fmt: skip
    for name, more in (("here", []), ("there", ["--dask", "local:2"])):
        words_of = [sys.executable, "-m", "ketasim", *words, "-o", str(tmp_path / name), *more]
        done = subprocess.run(words_of, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    with (
        np.load(tmp_path / "here" / "run0.npz") as one,
        np.load(tmp_path / "there" / "run0.npz") as other,
    ):
        assert set(one.files) == set(other.files)
        for key in one.files:
            np.testing.assert_array_equal(one[key], other[key])


@pytest.mark.parametrize("command", ["fit", "posterior", "check", "judge"])
def test_what_takes_many_runs_can_be_spread(command):
    told = CliRunner().invoke(group, [command, "--help"])
    assert "--dask" in told.output
