"""Full disks, disks that can only be read, signals: the good file of before, or the new one."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import ketasim
from ketasim.errors import ConfigError
from ketasim.files import whole
from ketasim.files.whole import whole_files
from ketasim.results.output import Full, file_at, files_in

SOURCE = str(Path(ketasim.__file__).parents[1])
SMALL = ["--set", "output.until=6 h"]


def ketasim_says(*words, before="", **options):
    """Run a command line in a process of its own, after some Python ``before`` it."""
    code = f"{before}\nfrom ketasim.cli import main; main({list(map(str, words))!r})"
    env = {**os.environ, "PYTHONPATH": SOURCE}
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=env, **options,
    )  # fmt: skip


def ended(process):
    said = process.communicate()
    return process.returncode, said[0], said[1]


def held(folder):
    return {one.name: one.read_bytes() for one in folder.rglob("*") if one.is_file()}


LIMIT = (
    "import resource, signal\n"
    "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    "resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0}))"
)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """Return a folder with the answers of a run and an export, made before anything went wrong."""
    place = tmp_path_factory.mktemp("good")
    code, _, said = ended(ketasim_says("run", "human_healthy_iv", "-o", place / "run", *SMALL))
    assert code == 0, said
    code, _, said = ended(
        ketasim_says("export", "sbml", "human_healthy_iv", "-o", place / "run" / "model.xml")
    )
    assert code == 0, said
    return place / "run"


@pytest.fixture
def copy(good, tmp_path):
    import shutil

    return Path(shutil.copytree(good, tmp_path / "out"))


@pytest.mark.parametrize("limit", [0, 60_000])
def test_a_full_disk_leaves_the_run_of_before(copy, limit):
    pytest.importorskip("resource")
    before = held(copy)
    code, _, said = ended(
        ketasim_says(
            "run", "human_healthy_iv", "-o", copy, "--set", "output.until=9 h",
            before=LIMIT.format(limit),
        )
    )  # fmt: skip
    assert code == 4, said
    assert said.count("\n") == 1
    assert "the disk is full. What was there before is unchanged" in said
    assert "fault of its own" not in said
    assert held(copy) == before


def test_a_full_disk_leaves_the_export_of_before(copy):
    pytest.importorskip("resource")
    before = held(copy)
    for kind in ([], ["--omex"]):
        code, _, said = ended(
            ketasim_says(
                "export", "sbml", "human_healthy_iv", "-o", copy / "model.xml", *kind,
                before=LIMIT.format(1_000),
            )
        )  # fmt: skip
        assert code == 4, said
        assert "model.xml: the disk is full" in said
        assert held(copy) == before


def test_a_real_disk_that_is_full(copy):
    """A small disk of memory, where one may be made."""
    small = copy.parent / "small"
    small.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)]
    if not hasattr(os, "geteuid") or os.geteuid() or subprocess.run(words).returncode:
        pytest.skip("only root may make a small disk")
    try:
        code, _, said = ended(ketasim_says("run", "human_healthy_iv", "-o", small / "x", *SMALL))
        assert code == 4, said
        assert "the disk is full" in said
        assert held(small) == {}
    finally:
        subprocess.run(["umount", str(small)], check=False)


def test_a_disk_that_can_only_be_read(copy):
    words = ["mount", "--bind", str(copy), str(copy)]
    again = ["mount", "-o", "remount,bind,ro", str(copy)]
    if not hasattr(os, "geteuid") or os.geteuid() or subprocess.run(words).returncode:
        pytest.skip("only root may make a disk read-only")
    try:
        subprocess.run(again, check=True)
        sbml = ["export", "sbml", "human_healthy_iv", "-o", copy / "model.xml"]
        for words in (["run", "human_healthy_iv", "-o", copy], sbml):
            code, _, said = ended(ketasim_says(*words))
            assert code == 2, said
            assert "cannot be written (Read-only file system)" in said
    finally:
        subprocess.run(["umount", str(copy)], check=False)


def stopped_at(moment, words):
    """Return how a command ended that got SIGTERM so long after its start [s]."""
    process = ketasim_says(*words)
    time.sleep(moment)
    process.send_signal(signal.SIGTERM)
    return ended(process)


@pytest.mark.skipif(os.name == "nt", reason="no such signal")
@pytest.mark.parametrize("n", [2, pytest.param(50, marks=pytest.mark.slow)])
def test_a_signal_at_any_moment_leaves_all_of_before_or_all_of_now(copy, n):
    before, whole_now = held(copy), set()
    chance = random.Random(n)
    words = ["run", "human_healthy_iv", "-o", copy, "--set", "output.until=9 h"]
    began = time.monotonic()
    assert ended(ketasim_says(*words[:2], "-o", copy.parent / "new", *words[4:]))[0] == 0
    took = time.monotonic() - began
    now = held(copy.parent / "new")
    for _ in range(n):
        code, _, said = stopped_at(took * chance.uniform(0.2, 1.0), words)
        assert code in (0, 130, -signal.SIGTERM), said
        found = held(copy)
        kept = {name: found[name] == before[name] for name in before}
        if found["result.nc"] == before["result.nc"]:
            assert all(kept.values()), kept
        else:
            whole_now.add(code)
            assert found["timecourse.csv"] == now["timecourse.csv"]
            assert found["figure.png"] == now["figure.png"]
        assert [one for one in copy.iterdir() if one.name.endswith(".partial")] == [] or code < 0
        for name, data in before.items():
            (copy / name).write_bytes(data)


def test_files_come_together_or_not_at_all(tmp_path):
    (tmp_path / "a").write_text("old")
    with pytest.raises(ZeroDivisionError), files_in(tmp_path) as place:
        (place / "a").write_text(f"new {1 / 0}")
    assert held(tmp_path) == {"a": b"old"}
    with files_in(tmp_path) as place:
        (place / "a").write_text("new")
        (place / "b").write_text("new")
        assert (tmp_path / "a").read_text() == "old"
    assert held(tmp_path) == {"a": b"new", "b": b"new"}
    with pytest.raises(ConfigError, match="it is a folder"), file_at(tmp_path):
        pass


def test_a_library_that_says_only_error_is_asked_for_the_disk(tmp_path, monkeypatch):
    from ketasim.results import output

    with pytest.raises(ConfigError, match="cannot be written"), files_in(tmp_path):
        raise RuntimeError("NetCDF: HDF error")
    monkeypatch.setattr(output, "SCARCE", 1e30)
    with pytest.raises(Full, match="the disk is full"), files_in(tmp_path):
        raise RuntimeError("NetCDF: HDF error")
    with pytest.raises(RuntimeError, match="another"), files_in(tmp_path):
        raise RuntimeError("another fault")


def write(folder, *names):
    for name in names:
        (folder / name).write_text("new")


def test_signals_wait_between_two_renames(tmp_path, monkeypatch):
    (tmp_path / "a").write_text("old")
    (tmp_path / "b").write_text("old")
    honest = Path.replace

    def signalled(one, target):
        os.kill(os.getpid(), signal.SIGINT)
        return honest(one, target)

    monkeypatch.setattr(Path, "replace", signalled)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background
    try:
        with pytest.raises(KeyboardInterrupt), whole_files(tmp_path) as place:
            write(place, "a", "b")
    finally:
        signal.signal(signal.SIGINT, before)
    assert held(tmp_path) == {"a": b"new", "b": b"new"}


def test_what_a_killed_run_left_is_swept_up_by_the_next(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", "pass"])
    dead.wait()
    from ketasim.files.process import place

    left = tmp_path / f".files.{place()}-{dead.pid}-0123456789ab.partial"
    left.mkdir()
    (left / "half").write_text("")
    with whole.whole_files(tmp_path) as aside:
        (aside / "x").write_text("")
    assert [one.name for one in tmp_path.iterdir()] == ["x"]
