"""Can a kept kernel be made to crash, to run somebody else's code, or to give other numbers?"""

import json
import os
import pickle
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import little
import toy
from ketasim.compile import cache, former, kernel
from ketasim.compile.entry import SEAL
from ketasim.core.system import System
from ketasim.engines.ensemble import compile_kernel
from ketasim.verbs import trials

POSIX = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no owners and modes here")
ROOT = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("KETASIM_CACHE_DIR", str(tmp_path / "kernels"))
    return tmp_path / "kernels"


class Kept:
    """One kernel that this test has compiled, and that is then read again."""

    def __init__(self, factor):
        self.factor, self.text = factor, little.text(factor)
        self.name = kernel.module_of(self.text)
        assert self.run() == 2.0 * factor
        self.path = cache.entry(self.name).path

    def run(self, text=None):
        cache.forget(self.name)
        code, note = cache.load(self.name, self.text if text is None else text)
        assert note == ""
        cache.forget(self.name)
        return little.multiplied(code)

    def file(self, ending):
        (found,) = (one for one in self.path.iterdir() if one.name.endswith(ending))
        return found


@pytest.fixture
def kept(folder):
    return Kept(3.25)


def test_a_sound_kernel_is_read_and_not_compiled(kept, monkeypatch, caplog):
    monkeypatch.setattr(cache, "compiled", lambda _: pytest.fail("compiled"))
    assert kept.run(text="") == 6.5
    assert caplog.records == []


@pytest.mark.parametrize("ending", [".o", ".text", SEAL])
@pytest.mark.parametrize("harm", ["cut", "flip", "empty", "gone"])
def test_a_damaged_kernel_is_compiled_again_with_a_sentence(kept, ending, harm, caplog):
    file = kept.file(ending)
    data = bytearray(file.read_bytes())
    if harm == "gone":
        file.unlink()
    else:
        data[len(data) // 2] ^= 4
        whole = file.read_bytes()
        harmed = {"cut": whole[: len(whole) // 2], "flip": data, "empty": b""}
        file.write_bytes(harmed[harm])
    assert kept.run() == 6.5
    assert "compiled again" in caplog.text
    caplog.clear()
    assert kept.run(text="") == 6.5  # and it is whole now
    assert caplog.records == []


def test_every_flipped_bit_is_found(kept):
    random = np.random.default_rng(11)
    files = [one for one in kept.path.iterdir() if one.is_file()]
    for _ in range(300):
        file = files[random.integers(len(files))]
        data = bytearray(file.read_bytes())
        data[random.integers(len(data))] ^= 1 << int(random.integers(8))
        before = file.read_bytes()
        file.write_bytes(data)
        assert cache.entry(kept.name).read()[0] == {}
        file.write_bytes(before)
    assert cache.entry(kept.name).read()[0]


class Bomb:
    """A pickle that leaves a mark when it is read."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (Path(self.mark),)


@pytest.mark.parametrize("ending", [".o", ".text"])
def test_a_pickle_put_there_is_not_read(kept, tmp_path, ending):
    mark = tmp_path / "ran"
    kept.file(ending).write_bytes(pickle.dumps(Bomb(mark)))
    assert kept.run() == 6.5
    assert not mark.exists()


def test_code_put_beside_a_kernel_is_not_run(kept, tmp_path):
    mark = tmp_path / "ran"
    (kept.path / f"{kept.name}.text").write_text(f"open({str(mark)!r}, 'w'); run = abs")
    assert kept.run() == 6.5
    assert not mark.exists()
    (cache.folder() / f"{kept.name}.order").write_text(f"open({str(mark)!r}, 'w')")
    cache.main(kept.name)
    assert not mark.exists()


def test_a_kernel_does_not_pass_for_another(kept):
    other = Kept(4.25)
    for one in other.path.iterdir():
        one.unlink()
    for one in kept.path.iterdir():
        (other.path / one.name.replace(kept.name, other.name)).write_bytes(one.read_bytes())
    for one in other.path.iterdir():
        one.chmod(0o600)
    assert other.run() == 8.5


@POSIX
def test_what_is_kept_is_for_this_user_alone(kept, folder):
    for one in (folder, kept.path, *kept.path.iterdir()):
        assert stat.S_IMODE(one.stat().st_mode) & 0o077 == 0, one


@POSIX
@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_can_write_is_not_read(kept, caplog, mode):
    kept.file(".o").chmod(mode)
    assert kept.run() == 6.5
    assert "can be written by others" in caplog.text


@POSIX
@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_a_folder_that_others_can_write_is_refused_with_what_to_type(kept, folder, mode, caplog):
    folder.chmod(mode)
    cache.forget(kept.name)
    assert not cache.is_kept(kept.name)
    code, note = cache.load(kept.name, kept.text)
    cache.forget(kept.name)
    assert little.multiplied(code) == 6.5
    assert f"chmod go-w {folder}" in note
    assert "KETASIM_CACHE_DIR" in note
    assert note in caplog.text


@ROOT
def test_somebody_elses_files_are_not_read(kept, folder, caplog):
    os.chown(kept.file(".o"), 12345, -1)
    assert kept.run() == 6.5
    assert "belongs to user 12345" in caplog.text
    os.chown(folder, 12345, -1)
    code, note = cache.load(kept.name, kept.text)
    cache.forget(kept.name)
    assert little.multiplied(code) == 6.5
    assert "belongs to user 12345, not to you" in note


@POSIX
def test_a_link_is_not_followed(kept, tmp_path, caplog):
    elsewhere = tmp_path / "elsewhere"
    kept.path.rename(elsewhere)
    kept.path.symlink_to(elsewhere)
    assert kept.run() == 6.5
    assert "is a link" in caplog.text
    assert (elsewhere / SEAL).exists()


def test_a_plan_is_believed_only_whole(folder):
    made = compile_kernel(System(toy.model()))
    plan, key = made.plan(general=False), made._name(general=False)
    folder.mkdir(mode=0o700, exist_ok=True)
    cache.remember(key, plan)
    here = cache._here(plan.module)
    cache._LOADED[here] = None  # as if it were compiled
    try:
        assert cache.recalled(key).scales == plan.scales
        path = cache._plan_file(key)
        sealed = path.read_bytes()
        random = np.random.default_rng(3)
        for _ in range(200):
            data = bytearray(sealed)
            data[random.integers(len(data))] ^= 1 << int(random.integers(8))
            path.write_bytes(data)
            assert cache.recalled(key) is None
        path.write_bytes(json.dumps({"module": plan.module}).encode())
        assert cache.recalled(key) is None
        cache.remember(key, plan)
        assert cache.recalled(key) is not None
    finally:
        del cache._LOADED[here]


def test_a_sweep_survives_a_truncated_kernel(tmp_path):
    """The whole road, in the user's words: what used to print ``stopped.`` for ever."""
    small = little.text(1.0)
    code = (
        "import logging; logging.basicConfig(format='%(message)s')\n"
        "import little\n"
        f"print(little.multiplied(little.load({small!r})[0]))\n"
    )
    words = [sys.executable, "-c", code]
    road = os.pathsep.join([str(Path(little.__file__).parent), *sys.path])
    env = {**os.environ, "KETASIM_CACHE_DIR": str(tmp_path / "kernels"), "PYTHONPATH": road}
    for _ in range(2):
        done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
        assert done.stdout == "2.0\n", done.stderr
        (index,) = (tmp_path / "kernels").glob("*/*.o")
        index.write_bytes(index.read_bytes()[:100])
    assert "compiled again" in done.stderr


FORMER = "kernel_" + "0a" * 12


def former_kernels(folder):
    """Write what numba left there, in both namings; return the files and their bytes."""
    own = folder / f"{FORMER}-b4877ba8"
    (folder / "__pycache__").mkdir()
    own.mkdir(mode=0o700)
    files = [
        folder / f"{FORMER}.py",
        folder / "__pycache__" / f"{FORMER}.run-10332.py311.nbi",
        folder / "__pycache__" / f"{FORMER}.run-10332.py311.1.nbc",
        folder / "__pycache__" / f"{FORMER}.cpython-311.pyc",
        own / f"{FORMER}.py",
        own / f"{FORMER}.run-5984.py311.nbi",
        own / "seal.json",
    ]
    for one in files:
        one.write_bytes(b"12345")
        one.chmod(0o600)
    return files


def test_kernels_of_former_versions_are_removed_and_nothing_else(kept, folder, monkeypatch):
    files = former_kernels(folder)
    others = [
        folder / "kernel_mine.py",
        folder / "__pycache__" / "theirs.cpython-311.pyc",
        folder / f"{FORMER[:-2]}11-b4877ba8" / f"{FORMER}.py",
        folder / f"{FORMER[:-2]}11-b4877ba8" / "notes.txt",
    ]
    others[2].parent.mkdir()
    for one in others:
        one.write_bytes(b"1")
    (folder / f"{FORMER[:-2]}22.py").symlink_to(others[0])
    with monkeypatch.context() as here:
        here.setattr(former.owned, "fault", lambda path: "" if path.is_dir() else "is theirs")
        assert former.clear(folder) == (0, 0)
    assert all(one.exists() for one in files)
    assert former.clear(folder) == (len(files), 5 * len(files))
    assert not any(one.exists() for one in files)
    assert all(one.exists() for one in others)
    assert not files[-1].parent.exists()
    assert (folder / f"{FORMER[:-2]}22.py").is_symlink()
    assert kept.run(text="") == 6.5
    assert former.clear(folder) == (0, 0)


def test_the_doctor_removes_and_tells_them(folder):
    folder.mkdir(mode=0o700)
    files = former_kernels(folder)
    told = trials._cache(None)
    assert f"{len(files)} files of kernels that former versions kept are removed, 35 bytes" in told
    assert "removed" not in trials._cache(None)
