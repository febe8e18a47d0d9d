"""The store: whole chunks or none, every changed byte noticed, the same bytes however made."""

import errno
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from ketasim.core.protocol import dose
from ketasim.files import process
from ketasim.files.whole import write_whole
from ketasim.results import claims, failures, files, making, manifest
from ketasim.results.claims import Claims
from ketasim.results.files import intact
from ketasim.results.problems import FROM, StoreError, StoreWriteError, differences, writing
from ketasim.results.store import Store, open_dataset
from ketasim.studies import designs
from ketasim.studies.sweep import sweep
from shelf import CHUNK, SIZE, WARD, bytes_of, run

CHUNKS = SIZE // CHUNK


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "done.zarr"
    run(path)
    return path


@pytest.fixture
def copy(finished, tmp_path):
    import shutil

    path = tmp_path / "copy.zarr"
    shutil.copytree(finished, path)
    return path


def test_a_store_opens_with_xarray_and_says_what_it_is(finished):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = xr.open_zarr(finished, chunks=None)
    assert dict(found.sizes) == {"member": SIZE, "time": 7}
    assert "body.k_el" in found.coords
    assert found["body.plasma.peak"].attrs["units"] == "uM"
    assert found.attrs["model_digest"] == WARD.resolved_model.digest
    assert found.attrs["format"] == 2
    assert found["status"].dtype == np.int8
    assert "not_run" in found["status"].attrs["flag_meanings"]
    assert not (finished / "ketasim" / "claims").exists()


def test_a_store_holds_what_memory_would(finished):
    design = designs.sobol(WARD.model, SIZE, seed=5)
    kept = sweep(
        WARD, design, engine="reference", summaries=["body.plasma.peak"], record=["receptor.bound"]
    )
    stored = open_dataset(finished).load()
    assert set(kept.variables) == set(stored.variables)
    assert [n for n in kept.coords if n != "member"] == [n for n in stored.coords if n != "member"]
    for name in kept.variables:
        np.testing.assert_array_equal(kept[name].to_numpy(), stored[name].to_numpy())


def stop_after(n):
    return lambda now: now.computed >= n * CHUNK


@pytest.mark.parametrize("threads", [1, 2])
def test_a_resumed_store_has_the_same_bytes(finished, tmp_path, threads):
    path = tmp_path / "again.zarr"
    for _ in range(CHUNKS + 1):
        run(path, threads=threads, progress=stop_after(1))
    assert bytes_of(path) == bytes_of(finished)


def test_what_is_not_run_reads_as_not_run(tmp_path):
    path = tmp_path / "part.zarr"
    run(path, progress=stop_after(1))
    part = open_dataset(path)
    left = part["status"].to_numpy() == -1
    assert 0 < left.sum() < SIZE
    assert np.isnan(part["body.plasma.peak"].to_numpy()[left]).all()
    assert np.array_equal(np.isnan(part["body.k_el"].to_numpy()), left)
    assert "not run" in failures.sentence(part)
    assert failures.share(failures.counts(part)) == 0.0


def test_a_finished_store_computes_nothing(finished, monkeypatch):
    from ketasim.studies.sweep.chunk import Work

    monkeypatch.setattr(Work, "compute", lambda *_: pytest.fail("computed again"))
    assert (run(finished)["status"] == 0).all()


def test_shards_together_make_the_whole(finished, tmp_path):
    path = tmp_path / "shards.zarr"
    for i in (2, 0, 1):
        run(path, shard=(i, 3))
    assert bytes_of(path) == bytes_of(finished)
    with pytest.raises(Exception, match="counts from 0"):
        run(path, shard=(3, 3))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"rtol": 1e-8}, "was made with rtol 1e-7; now 1e-8. Mixing would be wrong. Use -o a new"),
        ({"chunk": 5}, "was made with chunk 4; now 5"),
        ({"summaries": ["body.plasma.trough"]}, "body.plasma.peak"),
        ({"method": "BDF"}, "was made with method LSODA; now BDF"),
    ],
)
def test_another_question_is_refused_with_the_difference(finished, options, told):
    before = bytes_of(finished)
    with pytest.raises(StoreError, match=told):
        run(finished, **options)
    assert bytes_of(finished) == before


def made_as(copy, **identity):
    """Make a store say that it was made otherwise; a value of None was not told at all."""
    made = manifest.read(copy)
    changed = {**made.identity, **identity}
    told = {name: value for name, value in changed.items() if value is not None}
    manifest.write(copy, replace(made, identity=told))


def test_a_store_of_the_ensemble_engine_once_named_a_method_that_never_ran():
    made = {"engine": "ensemble", "method": "LSODA", "rtol": "1e-6"}
    now = {**made, "method": "Rodas5P"}
    assert differences(made, now) == {}
    assert differences({**made, "method": "BDF"}, now) == {}
    assert differences({**made, "method": "Other"}, now) == {"method": ("Other", "Rodas5P")}
    by_reference = {**made, "engine": "reference"}
    other = {**by_reference, "method": "BDF"}
    assert differences(by_reference, other) == {"method": ("LSODA", "BDF")}
    assert set(differences(by_reference, now)) == {"engine", "method"}


def test_peaks_of_the_output_grid_are_not_mixed_with_those_of_the_solution(copy):
    made_as(copy, **{FROM: None})
    before = bytes_of(copy)
    told = "copy.zarr was made with peaks and areas of the output grid; now the solution. Mixing"
    with pytest.raises(StoreError, match=told):
        run(copy)
    assert bytes_of(copy) == before


def test_an_old_store_of_moments_and_courses_is_gone_on_with(tmp_path):
    path = tmp_path / "old.zarr"
    asked = {"summaries": ["body.plasma.at(2h)"]}
    run(path, progress=stop_after(1), **asked)
    assert FROM not in manifest.read(path).identity
    assert (run(path, **asked)["status"] == 0).all()


def test_a_store_keeps_its_chunks_and_labels_when_nobody_asks_for_others(tmp_path):
    path = tmp_path / "old.zarr"
    run(path, progress=stop_after(1), summaries=["body.plasma.peak(0 h, 2 h)"])
    found = run(path, chunk=None, summaries=["body.plasma.peak(0h,120 min)"])
    assert manifest.read(path).chunk == CHUNK
    assert "body.plasma.peak(0h,2h)" not in found
    assert (found["body.plasma.peak(0 h,2 h)"] > 0.0).all()
    for other in ("body.plasma.peak(0 h, 3 h)", "x = body.plasma.peak(0 h, 2 h)"):
        with pytest.raises(StoreError, match="summaries"):
            run(path, summaries=[other])


def test_another_version_is_refused_in_the_words_of_the_manual(copy, monkeypatch):
    made = manifest.read(copy)
    identity = {**made.identity, "ketasim_version": "0.3.1"}
    manifest.write(copy, replace(made, identity=identity))
    with pytest.raises(StoreError) as caught:
        run(copy, rtol=1e-8)
    assert str(caught.value) == (
        "copy.zarr was made with ketasim 0.3.1 and rtol 1e-7; now 0.1.0 and 1e-8. Mixing would be "
        "wrong. Use -o a new folder, or pip install ketasim==0.3.1."
    )


def test_another_model_protocol_or_design_is_refused(finished):
    def again(scenario, seed=5):
        sweep(
            scenario,
            designs.sobol(scenario.model, SIZE, seed=seed),
            store=finished,
            engine="reference",
            chunk=CHUNK,
            summaries=["body.plasma.peak"],
            record=["receptor.bound"],
        )

    again(WARD)
    with pytest.raises(StoreError, match='"seed": 6'):
        again(WARD, seed=6)
    with pytest.raises(StoreError, match="model"):
        again(replace(WARD, model=WARD.model.with_values({"body.k_el": "0.3 1/h"})))
    with pytest.raises(StoreError, match="protocol"):
        again(WARD.with_protocol(dose("2 mg/kg", route="iv", drug="drug", over="30 min")))


def test_something_else_in_the_way_is_left_alone(tmp_path):
    path = tmp_path / "thesis"
    path.mkdir()
    (path / "chapter.txt").write_text("dear to me")
    with pytest.raises(StoreError, match="something else is there"):
        run(path)
    assert (path / "chapter.txt").read_text() == "dear to me"
    assert [one.name for one in tmp_path.iterdir()] == ["thesis"]
    with pytest.raises(StoreError, match="not a ketasim store"):
        open_dataset(path)


def chunk_files(path):
    store = Store(path)
    return [store.file(name, k) for name in store.names for k in range(CHUNKS)]


def test_every_flipped_bit_and_truncation_of_a_chunk_is_noticed(finished):
    random = np.random.default_rng(7)
    chunks = [file.read_bytes() for file in chunk_files(finished)]
    assert all(map(intact, chunks))
    for _ in range(10_000):
        data = bytearray(chunks[random.integers(len(chunks))])
        if random.random() < 0.8:
            data[random.integers(len(data))] ^= 1 << int(random.integers(8))
        else:
            del data[int(random.integers(len(data))) :]
        assert not intact(bytes(data))


@pytest.mark.parametrize("victim", ["status", "steps", "body.plasma.peak", "receptor.bound"])
@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "remove"])
def test_a_damaged_chunk_is_set_aside_and_computed_again(finished, copy, victim, harm, caplog):
    file = Store(copy).file(victim, 2)
    data = bytearray(file.read_bytes())
    if harm == "remove":
        file.unlink()
    else:
        data[len(data) // 2] ^= 8
        file.write_bytes({"flip": data, "cut": data[:-3], "empty": b""}[harm])
    with caplog.at_level("WARNING", logger="ketasim"):
        rest = open_dataset(copy)
    status = rest["status"].to_numpy()
    assert (status[8:12] == -1).all()
    assert (np.delete(status, slice(8, 12)) == 0).all()
    assert rest["body.plasma.peak"].to_numpy()[:8].all()
    if not (victim == "status" and harm == "remove"):
        assert (
            "copy.zarr chunk 2 (runs 8-11) failed its checksum; moved to "
            'copy.zarr/ketasim/quarantine/. "ketasim resume copy.zarr" recomputes it.'
        ) in caplog.text
        assert (copy / "ketasim" / "quarantine" / "2-0").is_dir()
    run(copy)
    assert bytes_of(copy) == bytes_of(finished)


def test_xarray_alone_refuses_a_damaged_chunk(copy):
    file = Store(copy).file("body.plasma.peak", 0)
    data = bytearray(file.read_bytes())
    data[5] ^= 1
    file.write_bytes(data)
    with pytest.raises(ValueError, match="checksum"):
        xr.open_zarr(copy, chunks=None)["body.plasma.peak"].to_numpy()


def test_what_never_changes_is_sealed(copy):
    random = np.random.default_rng(3)
    fixed = [copy / name for name in manifest.read(copy).fixed] + [copy / manifest.NAME]
    assert copy / "zarr.json" in fixed
    assert copy / "body.k_el" / "zarr.json" in fixed
    for file in fixed:
        whole = file.read_bytes()
        for _ in range(20):
            data = bytearray(whole)
            data[random.integers(len(data))] ^= 1 << int(random.integers(8))
            file.write_bytes(data)
            with pytest.raises(StoreError):
                Store(copy)
        file.write_bytes(whole[:-1])
        with pytest.raises(StoreError):
            Store(copy)
        file.write_bytes(whole)
    Store(copy)


def test_a_newer_format_is_not_guessed_at(copy):
    manifest.write(copy, replace(manifest.read(copy), format=3))
    with pytest.raises(StoreError, match="format 3; this ketasim reads 2"):
        Store(copy)


def refusal(path):
    try:
        run(path)
    except StoreWriteError as error:
        return error
    return None


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES])
def test_a_disk_that_refuses_any_one_write_costs_nothing_written(
    finished, tmp_path, monkeypatch, code
):
    path = tmp_path / "tight.zarr"
    honest, calls = files.write_whole, [0]
    for n in range(400):
        calls[0] = 0

        def refusing(target, data, n=n):
            calls[0] += 1
            if calls[0] == n + 1:
                raise OSError(code, os.strerror(code), str(target))
            honest(target, data)

        monkeypatch.setattr(files, "write_whole", refusing)
        error = refusal(path)
        if error is None:
            break
        assert error.exit_code == 4
        assert "written so far is whole" in str(error)
        if code == errno.ENOSPC:
            assert re.search(r"the disk is full; about .* more are needed", str(error))
        if (path / manifest.NAME).is_file():
            assert not list(Store(path).damaged())
            n_done = len(Store(path).done())
            assert n_done <= CHUNKS
    assert bytes_of(path) == bytes_of(finished)
    assert not list(tmp_path.glob(".*"))


def test_a_real_full_disk_stops_with_exit_code_4(tmp_path):
    pytest.importorskip("resource")
    script = textwrap.dedent(
        """
        import resource, signal, sys
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
        sys.path[:0] = sys.argv[2:]
        import test_store
        try:
            test_store.run(__import__("pathlib").Path(sys.argv[1]))
        except test_store.StoreWriteError as error:
            print(error)
            sys.exit(error.exit_code)
        """
    )
    path = tmp_path / "full.zarr"
    done = subprocess.run(
        [sys.executable, "-c", script, str(path), *paths()], capture_output=True, text=True
    )
    assert done.returncode == 4, done.stderr
    assert "the disk is full" in done.stdout
    run(path)
    assert (open_dataset(path)["status"] == 0).all()


def paths():
    import ketasim

    here = Path(__file__).parent
    return [str(here), str(here.parent), str(Path(ketasim.__file__).parents[1])]


def test_written_aside_means_whole_or_absent(tmp_path, monkeypatch):
    target = tmp_path / "x"
    write_whole(target, b"first")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(errno.EIO, "broken")))
    with pytest.raises(OSError, match="broken"):
        write_whole(target, b"second")
    assert target.read_bytes() == b"first"
    assert [one.name for one in tmp_path.iterdir()] == ["x"]
    with pytest.raises(StoreWriteError), writing(tmp_path, 1e9):
        raise OSError(errno.ENOSPC, "no space")


@pytest.mark.parametrize(
    ("error", "told"), [(OSError(errno.EIO, "broken"), "broken"), (OSError("odd"), "odd")]
)
def test_what_a_file_system_refuses_is_told_by_its_own_words(tmp_path, error, told):
    with (
        pytest.raises(StoreWriteError, match=rf"cannot be written \({told}\)\."),
        writing(tmp_path, 1),
    ):
        raise error


def dead_process():
    done = subprocess.Popen([sys.executable, "-c", "pass"])
    done.wait()
    return done.pid


def test_what_the_dead_left_is_swept_up(copy):
    folder, chance = copy / "status" / "c", "0123456789ab"
    left = folder / f".0.{process.place()}-{dead_process()}-{chance}.partial"
    own = folder / f".0.{process.place()}-{os.getpid()}-{chance}.partial"
    elsewhere = folder / f".0.{'0' * 12}-{dead_process()}-{chance}.partial"
    for one in (left, own, elsewhere):
        one.write_bytes(b"half")
    assert Store(copy).recover() == (1, [])
    assert own.exists()
    assert elsewhere.exists()
    assert not left.exists()
    old = time.time() - 2 * process.ABANDONED
    os.utime(elsewhere, (old, old))
    assert Store(copy).recover() == (1, [])
    assert not elsewhere.exists()


def test_a_store_that_another_makes_meanwhile_is_kept(finished, tmp_path, monkeypatch):
    path, honest = tmp_path / "twice.zarr", making.put_folder

    def late(aside, place):
        monkeypatch.setattr(making, "put_folder", honest)
        run(place)  # as another process would
        return honest(aside, place)

    monkeypatch.setattr(making, "put_folder", late)
    assert (run(path)["status"] == 0).all()
    assert bytes_of(path) == bytes_of(finished)


def test_claims_are_exclusive_and_outlive_nobody(tmp_path):
    first, second = Claims(tmp_path / "c"), Claims(tmp_path / "c")
    assert first.take(3)
    claim = json.loads(first.path(3).read_text())
    assert claim["pid"] == os.getpid()
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        alive = {**claim, "pid": sleeper.pid, "began": process.began(sleeper.pid)}
        first.path(3).write_text(json.dumps(alive))
        assert not second.take(3)
        assert second.held(3)
        first.path(3).write_text(json.dumps({**alive, "began": "another life"}))
        assert not second.held(3)
        first.path(3).write_text(json.dumps({**alive, "place": "elsewhere"}))
        assert not second.take(3)
        old = time.time() - 2 * claims.LEASE
        os.utime(first.path(3), (old, old))
        assert second.take(3)
    finally:
        sleeper.kill()
        sleeper.wait()
    second.release_all()
    assert not (tmp_path / "c").exists()


def test_a_claim_that_changed_hands_is_not_broken(tmp_path):
    own = Claims(tmp_path)
    own.path(1).write_text("the new owner")
    assert not own._break(1, "the old owner")
    assert own.path(1).read_text() == "the new owner"


def test_a_claim_that_a_disk_keeps_is_neither_broken_nor_inherited(tmp_path, monkeypatch):
    def refused(*_):
        raise PermissionError("read-only")

    own = Claims(tmp_path)
    own.path(1).write_text("nobody's")
    old = time.time() - 2 * claims.UNSIGNED
    os.utime(own.path(1), (old, old))
    with monkeypatch.context() as disk:
        disk.setattr(Path, "rename", refused)
        assert own.clear_stale() == 0
        assert not own.take(1)
    assert own.inherited == set()
    assert own.take(1)
    assert own.inherited == {1}


def test_two_at_one_chunk_never_leave_it_with_a_status_and_without_a_file(finished, tmp_path):
    """Whoever comes second, a claim broken too early, begins; the first has ended meanwhile."""
    path = tmp_path / "both.zarr"
    shutil.copytree(finished, path)
    second = Store(path)
    second.claims.inherited.add(1)
    second.clear(1)  # as it begins, having looked before the first wrote its status
    assert not list(Store(path).damaged())
    assert bytes_of(path) == bytes_of(finished)


CLAIMANT = """
import sys
path, k, *sys.path[:0] = sys.argv[1:]
from pathlib import Path
from ketasim.results.claims import Claims
claims = Claims(Path(path))
for _ in range(1000):
    claims.clear_stale()
    assert claims.take(int(k))
    claims.release_all()
"""


def test_a_claim_outlives_others_that_remove_the_folder(tmp_path):
    """Everybody removes the empty folder; whoever is about to put a claim in it makes it again."""
    command = [sys.executable, "-c", CLAIMANT, str(tmp_path / "claims")]
    started = [
        subprocess.Popen([*command, str(k), *paths()], stderr=subprocess.PIPE) for k in range(3)
    ]
    assert [one.communicate()[1].decode() for one in started] == [""] * 3
    assert not (tmp_path / "claims").exists()


WORKER = """
import sys
path, *sys.path[:0] = sys.argv[1:]
import test_store
from pathlib import Path
seen = []
test_store.run(Path(path), progress=lambda now: seen.append(now.computed), chunk=1)
print(max(seen, default=0))
"""


@pytest.mark.parametrize("n", [3, pytest.param(8, marks=pytest.mark.slow)])
def test_processes_share_one_store_without_doing_anything_twice(tmp_path, n):
    path = tmp_path / "shared.zarr"
    command = [sys.executable, "-c", WORKER, str(path), *paths()]
    with ThreadPoolExecutor(n) as pool:
        ended = list(pool.map(lambda _: subprocess.run(command, capture_output=True), range(n)))
    assert [one.stderr.decode() for one in ended if one.returncode] == []
    assert sum(int(one.stdout) for one in ended) == SIZE
    alone = tmp_path / "alone.zarr"
    run(alone, chunk=1)
    assert bytes_of(path) == bytes_of(alone)
    assert not (path / "ketasim" / "claims").exists()
    assert not list(tmp_path.glob(".*"))


def test_failures_name_the_region_they_share():
    values = np.linspace(0.0, 1.0, 200)
    status = np.where(values > 0.95, 2, 0).astype(np.int8)
    flags = {"flag_values": [0, 2], "flag_meanings": "ok max_steps"}
    dataset = xr.Dataset(
        {"status": ("member", status, flags)},
        {"a.rate": ("member", values, {"units": "1/h"}), "a.noise": ("member", values[::-1] % 0.1)},
    )
    assert failures.sentence(dataset) == (
        "200 runs: 190 ok, 10 failed (5 %): max_steps 10. All failed runs have a.rate >= 0.955 1/h."
    )
    header, *rows = failures.rows(dataset)
    assert header == ["member", "status", "a.rate [1/h]", "a.noise [1]"]
    assert [row[0] for row in rows] == list(range(190, 200))
    assert failures.share(failures.counts(dataset)) == 0.05
