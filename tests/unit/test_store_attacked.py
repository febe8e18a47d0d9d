"""Can a store be made to pass one thing for another, or two machines to harm each other?"""

import json
import os
import shutil
import subprocess
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

import ketasim
from ketasim.files import process
from ketasim.files.whole import write_whole
from ketasim.results import claims, manifest
from ketasim.results.claims import Claims
from ketasim.results.files import belongs, intact
from ketasim.results.problems import StoreError
from ketasim.results.store import Store, open_dataset
from ketasim.studies import designs
from shelf import CHUNK, SIZE, bytes_of, run


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "done.zarr"
    run(path)
    return path


@pytest.fixture(scope="module")
def another(tmp_path_factory):
    path = tmp_path_factory.mktemp("other") / "other.zarr"
    run(path, seed=6)
    return path


@pytest.fixture
def copy(finished, tmp_path):
    path = tmp_path / "copy.zarr"
    shutil.copytree(finished, path)
    return path


def chunks(path):
    store = Store(path)
    return [store.file(name, k) for name in store.names for k in range(SIZE // CHUNK)]


def test_a_copied_chunk_is_found_and_computed_again(copy, finished):
    peaks = copy / "body.plasma.peak" / "c"
    shutil.copyfile(peaks / "0", peaks / "3")
    assert intact((peaks / "3").read_bytes())  # its own checksum has nothing to say
    with pytest.raises(StoreError, match="belongs elsewhere"):
        Store(copy).dataset()["body.plasma.peak"].to_numpy()
    assert (open_dataset(copy)["status"].to_numpy()[12:16] == -1).all()
    run(copy)
    assert bytes_of(copy) == bytes_of(finished)


def test_swaps_and_copies_between_chunks_arrays_and_stores_are_all_found(copy, another):
    """Two hundred of them; a copy of equal bytes is the chunk itself, and no attack."""
    random = np.random.default_rng(17)
    mine, theirs = chunks(copy), chunks(another)
    kept = {file: file.read_bytes() for file in (*mine, *theirs)}
    tried = 0
    while tried < 200:
        to = mine[random.integers(len(mine))]
        of = (*mine, *theirs)[random.integers(len(mine) + len(theirs))]
        if of == to:
            continue
        tried += 1
        to.write_bytes(kept[of])
        swapped = of in mine and random.random() < 0.5
        if swapped:
            of.write_bytes(kept[to])
        damaged = set(Store(copy).damaged())
        assert int(to.parent.name if to.name == "0" and to.parent.name != "c" else to.name) in (
            damaged
        )
        for file in (to, of):
            file.write_bytes(kept[file])
    assert list(Store(copy).damaged()) == []


def test_a_chunk_says_of_which_store_it_is(finished, another):
    store = Store(finished)
    data, key = store.file("status", 0).read_bytes(), "status/c/0"
    assert belongs(data, store.manifest.id, key)
    assert not belongs(data, store.manifest.id, "status/c/1")
    assert not belongs(data, store.manifest.id, "steps/c/0")
    assert not belongs(data, Store(another).manifest.id, key)


def test_equal_sweeps_have_equal_names_and_others_others(finished, another, tmp_path):
    again = tmp_path / "again.zarr"
    run(again)
    assert manifest.read(again).id == manifest.read(finished).id != manifest.read(another).id
    assert bytes_of(again) == bytes_of(finished)


def test_a_store_of_format_1_is_still_read(finished, tmp_path):
    """Its chunks are bound to nothing, its manifest lies beside them, its design beforehand."""
    old = tmp_path / "old.zarr"
    shutil.copytree(finished, old)
    made = manifest.read(old)
    for file in chunks(old):
        data = file.read_bytes()[: -claims_tail()]
        file.write_bytes(data + crc(data))
    shutil.rmtree(old / "ketasim")
    fixed = {k: v for k, v in made.fixed.items() if not k.startswith("ketasim/")}
    columns = tuple((n, role) for n, role in made.columns if role != "design")
    design = [one for name in made.names for one in (old / name / "c").iterdir()]
    fixed |= manifest.hashes(old, design)
    manifest.write(old, replace(made, format=1, fixed=fixed, columns=columns))
    assert (old / "ketasim.json").is_file()
    assert np.array_equal(
        open_dataset(old)["body.plasma.peak"], open_dataset(finished)["body.plasma.peak"]
    )
    assert (run(old)["status"] == 0).all()


def claims_tail():
    from ketasim.results.files import _TAIL

    return _TAIL


def crc(data):
    import google_crc32c

    return int(google_crc32c.value(data)).to_bytes(4, "little")


def test_readers_of_zarr_alone_hear_no_warning(finished):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for how in (None, True, False):
            found = xr.open_zarr(finished, chunks=None, consolidated=how)
            assert dict(found.sizes) == {"member": SIZE, "time": 7}
            assert (found["status"].to_numpy() == 0).all()
        zarr.open_group(finished, mode="r", use_consolidated=False).members()


def test_other_values_drawn_for_the_same_design_are_not_mixed(copy, monkeypatch):
    store = Store(copy)
    store.file("status", 3).unlink()
    honest = designs.draw.Drawn.rows
    monkeypatch.setattr(designs.draw.Drawn, "rows", lambda *a: np.nextafter(honest(*a), 1e9))
    with pytest.raises(StoreError, match="draws other values"):
        run(copy)


@pytest.mark.parametrize(
    "name", ["odd name", "a\nb", "-rf", "\u202etxt", "con", ".hidden", "x" * 200]
)
def test_odd_files_and_folders_in_a_store_harm_nothing(copy, finished, name):
    for place in (copy, copy / "status" / "c", copy / "ketasim"):
        (place / name).write_bytes(b"odd")
        (place / f"{name}.d").mkdir()
    (copy / "status" / "c" / "9999999999999999999999").write_bytes(b"")
    (copy / "status" / "c" / "\u0663").write_bytes(b"")
    (copy / "ketasim" / "claims").mkdir()
    (copy / "ketasim" / "claims" / "\u00b2.json").write_bytes(b"")
    (copy / "ketasim" / "claims" / "7.json").mkdir()
    assert (open_dataset(copy)["status"].to_numpy() == 0).all()
    assert (run(copy)["status"] == 0).all()


def test_a_folder_where_a_chunk_belongs_is_set_aside(copy, finished):
    file = Store(copy).file("steps", 1)
    file.unlink()
    file.mkdir()
    assert (open_dataset(copy)["status"].to_numpy()[4:8] == -1).all()
    run(copy)
    assert bytes_of(copy) == bytes_of(finished)


def test_a_dead_writer_of_another_container_is_not_judged_by_its_number(tmp_path):
    """A number that runs nowhere here may well run where the claim was made."""
    own = Claims(tmp_path / "c")
    assert own.take(0)
    claim = json.loads(own.path(0).read_text())
    dead = subprocess.Popen([sys.executable, "-c", "pass"])
    dead.wait()
    own.path(0).write_text(json.dumps({**claim, "pid": dead.pid, "place": "0" * 12}))
    other = Claims(tmp_path / "c")
    assert other.held(0)
    assert not other.take(0)
    told = str(other.holder(0))
    assert f"process {dead.pid}, started 20" in told
    assert "lease ends in 300 s" in told or "lease ends in 299 s" in told
    old = time.time() - claims.LEASE - 1.0
    os.utime(own.path(0), (old, old))
    assert other.take(0)
    own.release(0)  # it has gone to another meanwhile, and stays theirs
    assert other.path(0).exists()
    other.release_all()


def test_two_sweeps_in_one_process_do_not_take_each_others_chunks(tmp_path):
    first, second = Claims(tmp_path / "c"), Claims(tmp_path / "c")
    assert first.take(1)
    assert not second.take(1)
    assert second.held(1)
    del first
    assert second.take(1)


def test_a_clock_that_jumps_breaks_no_lease(tmp_path, monkeypatch):
    own = Claims(tmp_path / "c")
    assert own.take(0)
    claim = json.loads(own.path(0).read_text())
    own.path(0).write_text(json.dumps({**claim, "place": "0" * 12}))
    monkeypatch.setattr(time, "time", lambda: 4e9)
    assert Claims(tmp_path / "c").held(0)
    own.release_all()


def test_whoever_waits_says_for_whom(copy, caplog, monkeypatch):
    from ketasim.studies.sweep import stored

    store = Store(copy)
    store.file("status", 2).unlink()
    own = Claims(store.claims.folder)
    assert own.take(2)
    claim = json.loads(own.path(2).read_text())
    own.path(2).write_text(json.dumps({**claim, "host": "node7", "place": "0" * 12}))
    monkeypatch.setattr(claims, "LEASE", 2.0)
    monkeypatch.setattr(stored, "WAIT", 0.05)
    with caplog.at_level("INFO", logger="ketasim"):
        assert (run(copy)["status"] == 0).all()
    assert "waiting for host node7, process" in caplog.text
    assert "lease ends in" in caplog.text
    own.release_all()


def test_what_a_jumping_clock_swept_up_is_written_again(tmp_path, monkeypatch):
    from ketasim.files import whole

    honest, taken = whole._to_disk, []

    def swept(path):
        honest(path)
        if not taken:
            taken.append(path)
            path.unlink()

    monkeypatch.setattr(whole, "_to_disk", swept)
    write_whole(tmp_path / "x", b"data")
    assert (tmp_path / "x").read_bytes() == b"data"


def test_places_differ_by_name_space(monkeypatch):
    here = process.place()
    assert here == process.place()
    process.place.cache_clear()
    monkeypatch.setattr(process, "_proc", Path("/nowhere"))
    try:
        assert process.place() != here or not Path("/proc/self").exists()
    finally:
        process.place.cache_clear()


WORKER = """
import sys
path, *sys.path[:0] = sys.argv[1:]
import test_store_attacked as me
from pathlib import Path
found = me.run(Path(path), chunk=1)
assert (found["status"] == 0).all()
"""


def may_unshare():
    words = ["unshare", "-pf", "--mount-proc", "true"]
    try:
        return subprocess.run(words, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def paths():
    here = Path(__file__).parent
    return [str(here), str(here.parent), str(Path(ketasim.__file__).parents[1])]


@pytest.mark.parametrize(
    ("containers", "rounds"), [(2, 1), pytest.param(4, 20, marks=pytest.mark.slow)]
)
def test_containers_with_one_host_name_share_a_new_store(tmp_path, containers, rounds):
    if not may_unshare():
        pytest.skip("unshare -pf --mount-proc is not permitted here, so no containers can be made")
    alone = tmp_path / "alone.zarr"
    run(alone, chunk=1)
    inside = ["unshare", "-pf", "--mount-proc", sys.executable, "-c", WORKER]
    for i in range(rounds):
        path = tmp_path / f"shared{i}.zarr"
        started = [
            subprocess.Popen([*inside, str(path), *paths()], stderr=subprocess.PIPE)
            for _ in range(containers)
        ]
        said = [one.communicate()[1].decode() for one in started]
        assert [one.returncode for one in started] == [0] * containers, said
        assert bytes_of(path) == bytes_of(alone)
        assert list(tmp_path.glob(".*")) == []


DIES = """
import os, sys
from pathlib import Path
from ketasim.files.whole import aside_of
from ketasim.results.store import Store
store = Store(Path(sys.argv[1]))
assert store.claims.take(4)
aside_of(store.file("body.k_el", 4)).write_bytes(b"half")
os._exit(9)
"""


def test_what_a_killed_writer_left_half_written_goes_when_its_chunk_is_taken_over(tmp_path):
    """By a process that opened the store before, and so looked for such things too early."""
    path = tmp_path / "open.zarr"
    run(path, progress=lambda now: True)
    store = Store(path)
    words = [sys.executable, "-c", DIES, str(path)]
    env = {**os.environ, "PYTHONPATH": str(Path(ketasim.__file__).parents[1])}
    assert subprocess.run(words, check=False, env=env).returncode == 9
    (left,) = path.rglob("*.partial")
    store.clear(3)
    assert left.exists()
    assert store.claims.take(4)
    store.clear(4)
    assert not left.exists()
