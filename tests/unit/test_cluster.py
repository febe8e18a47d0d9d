"""A sweep on Dask: the same bytes as alone, whoever dies; tasks are few and carry no rows."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from concurrent.futures import CancelledError
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import ketasim
import shelf
from ketasim.engines.contract import Settings
from ketasim.errors import ClusterError, ConfigError
from ketasim.results.store import Store, open_dataset
from ketasim.studies import designs
from ketasim.studies.sweep import cluster, present, sweep
from ketasim.studies.sweep.job import prepare
from shelf import WARD, bytes_of

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("ignore")  # Dask's own, about ports and event loops

HERE = Path(__file__).parent
PATHS = [str(HERE), str(HERE.parent), str(Path(ketasim.__file__).parents[1])]
SIZE, CHUNK = 24, 3
ASKED = {"summaries": ["body.plasma.peak"], "record": ["receptor.bound"]}


def run(path, size=SIZE, **options):
    return shelf.run(path, size=size, **{"chunk": CHUNK, **options})


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    path = tmp_path_factory.mktemp("alone") / "alone.zarr"
    run(path)
    return path


@pytest.fixture(scope="module")
def crew():
    """Return a client with two workers, each a process of one thread that finds the toy model."""
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        patch.setenv("PYTHONPATH", os.pathsep.join(PATHS))
        with (
            distributed.LocalCluster(
                n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
            ) as local,
            distributed.Client(local) as client,
        ):
            yield client


def test_the_same_bytes_as_alone(crew, alone, tmp_path):
    path = tmp_path / "spread.zarr"
    seen = []
    found = run(path, client=crew, progress=lambda now: seen.append(now.done) or False)
    assert (found["status"] == 0).all()
    assert bytes_of(path) == bytes_of(alone)
    assert seen[-1] == SIZE
    assert not (path / "ketasim" / "claims").exists()


def test_what_was_begun_alone_is_gone_on_with_and_the_other_way_round(crew, alone, tmp_path):
    path = tmp_path / "both.zarr"
    run(path, progress=lambda now: now.computed >= 2 * CHUNK)
    done = len(Store(path).done())
    assert 0 < done < SIZE // CHUNK
    run(path, client=crew)
    assert bytes_of(path) == bytes_of(alone)
    run(path)
    run(path, client=crew)


def test_whoever_wants_to_stop_stops_and_can_go_on(crew, alone, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "EACH", 1)
    path = tmp_path / "stopped.zarr"
    run(path, client=crew, progress=lambda now: True)
    run(path, client=crew)
    assert bytes_of(path) == bytes_of(alone)


def test_a_worker_that_is_killed_costs_its_chunks_one_more_try(crew, alone, tmp_path):
    path = tmp_path / "killed.zarr"
    killed = []

    def kill(now):
        if now.done >= CHUNK and not killed:
            pids = list(crew.run(os.getpid).values())
            os.kill(pids[0], signal.SIGKILL)
            killed.append(pids[0])
        return False

    assert (run(path, client=crew, progress=kill)["status"] == 0).all()
    assert killed
    assert bytes_of(path) == bytes_of(alone)
    crew.wait_for_workers(2, timeout=30)


@pytest.mark.parametrize("lost", ["closed", "cancelled"])
def test_a_scheduler_that_is_gone_is_told_and_other_faults_stay(lost):
    from distributed.comm.core import CommClosedError

    gone = CommClosedError("reset") if lost == "closed" else CancelledError("connection dropped")
    with (
        pytest.raises(ClusterError, match="Go on"),
        cluster.answering(0, "Go on"),
    ):
        raise gone
    with pytest.raises(PermissionError), cluster.answering(0, "Go on"):
        raise PermissionError("a worker's disk")


@pytest.mark.slow
def test_a_scheduler_that_is_killed_loses_nothing(tmp_path):
    """Scheduler and worker are processes; what the worker wrote stays, and the rest is added."""
    plain, path = tmp_path / "plain.zarr", tmp_path / "left.zarr"
    run(plain, size=240)
    words = [
        sys.executable,
        "-m",
        "distributed.cli.dask_scheduler",
        "--no-dashboard",
        "--port",
        "0",
    ]
    place = tmp_path / "scheduler.json"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(PATHS)}
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": env}
    scheduler = subprocess.Popen(
        [*words, "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(place)], **silent
    )
    words = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(place)]
    worker = subprocess.Popen([*words, "--nthreads", "1", "--no-dashboard"], **silent)
    try:
        while not place.exists():
            time.sleep(0.1)
        with (
            distributed.Client(scheduler_file=str(place)) as client,
            pytest.raises(ClusterError, match="ketasim resume"),
        ):
            run(path, size=240, client=client, progress=lambda now: _killed(scheduler, now))
    finally:
        for one in (scheduler, worker):
            one.kill()
            one.wait()
    found = Store(path).done()
    assert found
    assert len(found) < 240 // CHUNK
    ours = {k: Store(path).file("status", k).stat().st_mtime_ns for k in found}
    run(path, size=240)
    assert bytes_of(path) == bytes_of(plain)
    again = {k: Store(path).file("status", k).stat().st_mtime_ns for k in found}
    assert again == ours, "nothing was computed twice"


def _killed(process, now):
    """Kill a process once something is done; a listener that never wants to stop."""
    if now.done:
        process.kill()
    return False


def test_a_store_is_needed_that_all_see(crew):
    with pytest.raises(ConfigError, match="client: give a store"):
        sweep(WARD, "sobol:4", client=crew)


def test_any_batch_is_carried_out_by_workers_with_the_same_bits(crew):
    from ketasim.engines import run as door
    from ketasim.verbs.cluster import on_cluster

    sent = []
    design = designs.sobol(WARD.model, 300, seed=5)
    how = {"engine": "reference", "threads": 1, "chunk": 300, **ASKED}
    here = sweep(WARD, design, **how)
    with on_cluster(crew):
        honest, parts = door._CARRIERS[-1]
        door._CARRIERS[-1] = (lambda many: sent.append(len(many)) or honest(many), parts)
        there = sweep(WARD, design, **how)
    assert door._CARRIERS == []
    assert sent
    assert sent[0] == 4
    for name in here.variables:
        assert np.array_equal(here[name].to_numpy(), there[name].to_numpy(), equal_nan=True), name


class Quiet:
    """A client without workers, to count tasks."""

    def __init__(self, workers):
        self.workers = workers

    def ncores(self):
        return {f"tcp://10.0.0.{i}:1": 1 for i in range(self.workers)}


@pytest.mark.parametrize("members", [1, 100, 100_000, 1_000_000_000])
@pytest.mark.parametrize("workers", [1, 16, 500])
def test_tasks_are_few_and_cover_every_chunk_once(members, workers):
    from ketasim.results.manifest import Manifest
    from ketasim.studies.sweep.stored import Pending

    made = Manifest(members, 32, {}, (), (), (), {})
    done = frozenset(range(1, made.chunks, 7)) if made.chunks < 10_000 else frozenset({1})
    crew = cluster._Crew.__new__(cluster._Crew)
    crew.client = Quiet(workers)
    crew.store = type("Held", (), {"manifest": made})
    groups = crew.groups(Pending(range(made.chunks), done, made))
    assert len(groups) <= cluster.MOST_TASKS
    assert len(groups) >= 0.8 * min(workers, made.chunks - len(done))
    assert all(isinstance(one, range) for one in groups)
    edges = [(one.start, one.stop) for one in groups]
    assert all(b <= c for (_, b), (c, _) in pairwise(edges))
    if made.chunks < 10_000:
        covered = {k for one in groups for k in one}
        assert set(range(made.chunks)) - done <= covered


def test_a_job_travels(tmp_path):
    import pickle

    design = designs.sobol(WARD.model, 1_000_000, seed=5)
    job = prepare(WARD, design, settings=Settings("ensemble", "LSODA", None), **ASKED)
    sent = pickle.dumps(job)
    assert len(sent) < 1_000_000
    again = pickle.loads(sent)  # noqa: S301
    assert again.identity == job.identity
    assert np.array_equal(again.design.rows(5, 9), design.rows(5, 9))


MURDER = """
import os
from ketasim.studies.sweep import chunk
honest = chunk.Work.compute

def compute(self, rows):
    if (rows[:, 0] == {bad!r}).any():
        os.kill(os.getpid(), 9)
    return honest(self, rows)

chunk.Work.compute = compute
"""


@pytest.mark.slow
def test_a_member_that_kills_is_set_aside(alone, tmp_path, monkeypatch):
    design = designs.sobol(WARD.model, SIZE, seed=5)
    bad = float(design.rows(10, 11)[0, 0])
    (tmp_path / "murder.py").write_text(textwrap.dedent(MURDER.format(bad=bad)))
    monkeypatch.syspath_prepend(tmp_path)  # which workers are told of
    import dask

    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=None,
            silence_logs=50,
            preload=["murder"],
        ) as local,
        distributed.Client(local) as client,
    ):
        path = tmp_path / "bad.zarr"
        found = run(path, client=client)
        status = found["status"].to_numpy()
    assert status[10] == 8
    assert (np.delete(status, 10) == 0).all()
    kept, whole = (open_dataset(one)["body.plasma.peak"].to_numpy() for one in (path, alone))
    assert np.array_equal(np.delete(kept, 10), np.delete(whole, 10))


class Blamed:
    """Stands for a client's tasks: all that are sent together die if one of them kills."""

    def __init__(self, job, killer):
        self.job, self.killer, self.together, self.looked = job, killer, [], False

    def rows_of(self, start, stop):
        if self.looked:
            self.together, self.looked = [], False
        self.together.append((start, stop))
        return SimpleNamespace(
            together=self.together, result=lambda: cluster.compute_rows(self.job, start, stop)
        )

    def was_killed(self, future):
        self.looked = True
        return any(start <= self.killer < stop for start, stop in future.together)


def test_a_member_that_ran_beside_one_that_kills_is_not_set_aside_with_it(
    crew, tmp_path, monkeypatch
):
    design = designs.sobol(WARD.model, SIZE, seed=5)
    settings = Settings("reference", "LSODA", None)
    job = prepare(WARD, design, settings=settings, chunk=CHUNK, **ASKED)
    job, store, _, tally = cluster.begin(job, tmp_path / "beside.zarr", None, None, {})
    one, fate = cluster._Crew(job, store, crew, tally), Blamed(job, killer=1)
    monkeypatch.setattr(one, "rows_of", fate.rows_of)
    monkeypatch.setattr(one, "was_killed", fate.was_killed)
    one.rescue(0)
    assert open_dataset(store.path)["status"].to_numpy()[:CHUNK].tolist() == [0, 8, 0]


def test_a_cluster_whose_workers_are_gone_is_waited_for_aloud(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(present, "LOOK", 0.2)
    monkeypatch.setattr(present, "PATIENCE", 0.5)
    with (
        distributed.LocalCluster(
            n_workers=0, processes=False, dashboard_address=None, silence_logs=50
        ) as local,
        distributed.Client(local) as own,
        pytest.raises(ClusterError, match="gone and have not come back"),
    ):
        run(tmp_path / "own.zarr", client=own)
    assert "no worker is at the scheduler" in caplog.text
    assert not list((tmp_path / "own.zarr" / "status").rglob("c/*"))


def test_workers_that_join_later_do_what_waited_for_them(tmp_path, monkeypatch, alone, caplog):
    monkeypatch.setattr(present, "LOOK", 0.2)
    monkeypatch.setattr(present, "PATIENCE", 0.5)
    with (
        distributed.LocalCluster(
            n_workers=0, processes=False, threads_per_worker=1, dashboard_address=None,
            silence_logs=50,
        ) as local,
        distributed.Client(local.scheduler_address) as guest,  # somebody else's
    ):  # fmt: skip
        threading.Timer(2.0, local.scale, (1,)).start()
        run(tmp_path / "late.zarr", client=guest)
    assert caplog.text.count("no worker is at the scheduler") == 1
    assert bytes_of(tmp_path / "late.zarr") == bytes_of(alone)


WORKER = """
import sys
path, *sys.path[:0] = sys.argv[1:]
import test_cluster as me
me.run(me.Path(path), size=240)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kills", [20])
def test_killed_at_random_beside_a_cluster(crew, tmp_path, kills):
    """Plain processes are killed again and again on the store that a cluster fills."""
    plain = tmp_path / "plain.zarr"
    run(plain, size=240)
    path = tmp_path / "shared.zarr"
    chance = np.random.default_rng(1)
    words = [sys.executable, "-c", WORKER, str(path), *PATHS]
    for _ in range(kills):
        one = subprocess.Popen(words, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.5, 3.0))
        one.kill()
        one.wait()
    run(path, size=240, client=crew)
    assert bytes_of(path) == bytes_of(plain)
