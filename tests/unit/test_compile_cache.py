"""Are compiled kernels found again, never stale, and never in the way?"""

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import little
import toy
from ketasim.compile import cache, kernel
from ketasim.compile.machine import assembled
from ketasim.compile.target import target
from ketasim.core.protocol import bolus
from ketasim.core.scenario import Scenario, Subject
from ketasim.core.system import System
from ketasim.engines.ensemble import compile_kernel, run_members

RECORD = ("body.plasma", "receptor.bound")
HERE = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
CHILD = """
import os
from ketasim.compile import cache
import little
code, note = cache.load({name!r}, {text!r})
print(little.multiplied(code), note or "kept")
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("KETASIM_CACHE_DIR", str(tmp_path / "kernels"))
    return tmp_path / "kernels"


def asked():
    return Scenario(
        toy.model(), bolus("10 mg", drug="drug", at="1 h"), (0.0, 1.0, 5.0), Subject("human", 70.0)
    )


def child(text, folder):
    environment = {**os.environ, "KETASIM_CACHE_DIR": str(folder), "PYTHONPATH": HERE}
    done = subprocess.run(
        [sys.executable, "-c", CHILD.format(name=kernel.module_of(text), text=text)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_a_name_follows_from_content(folder):
    assert kernel.module_of("a") == kernel.module_of("a") != kernel.module_of("b")


def test_another_emitter_has_other_names(monkeypatch):
    before = kernel.module_of("a")
    monkeypatch.setitem(kernel._TEXTS, "emit.py", "# changed")
    kernel.versions.cache_clear()
    try:
        assert kernel.module_of("a") != before
    finally:
        kernel.versions.cache_clear()


def test_a_kernel_is_found_again_by_another_process(folder):
    text = little.text(3.5)
    assert not cache.is_kept(kernel.module_of(text))
    assert child(text, folder) == ["7.0", "kept"]
    assert cache.is_kept(kernel.module_of(text))
    kept = {path: path.stat().st_mtime_ns for path in folder.rglob("*.o")}
    assert kept
    assert child(text, folder) == ["7.0", "kept"]
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.o")} == kept


def test_processes_that_compile_at_once_agree(folder):
    text = little.text(4.5)
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: child(text, folder), range(3)))
    assert found == [["9.0", "kept"]] * 3
    assert not list(folder.rglob("*.partial"))
    assert cache.is_kept(kernel.module_of(text))


def test_an_unwritable_folder_is_told_and_survived(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("a file where a folder should be")
    monkeypatch.setenv("KETASIM_CACHE_DIR", str(blocked))
    code, note = little.load(little.text(5.5))
    assert little.multiplied(code) == 11.0
    assert str(blocked) in note


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_a_folder_without_permission(tmp_path, monkeypatch):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    monkeypatch.setenv("KETASIM_CACHE_DIR", str(tmp_path / "kernels"))
    assert little.load(little.text(6.5))[1]


def test_a_model_compiles_and_runs_from_its_own_cache(folder):
    one = asked()
    mine = compile_kernel(System(one.model), record=RECORD, schedules=one.schedule)
    assert not mine.is_compiled()
    found = run_members(
        mine, System(one.model).default_parameters, one.schedule, np.array(one.times)
    )
    assert mine.is_compiled()
    assert found.notes == ()
    assert len(list(folder.glob("kernel_*"))) == 1
    assert found.status[0] == 0
    assert found.values[0, 0, 0] == 0.0 < found.values[0, 0, 2] < found.values[0, 0, 1]
    code = target().machine().emit_assembly(assembled(mine.plan(general=False).text))
    assert "%zmm" in code or "%ymm" in code or "%v" in code


def test_the_folder_is_the_platforms_own(monkeypatch):
    monkeypatch.delenv("KETASIM_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    monkeypatch.setattr(sys, "platform", "linux")
    assert cache.folder() == Path("/somewhere/ketasim")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache.folder().parts[-3:] == ("Library", "Caches", "ketasim")
