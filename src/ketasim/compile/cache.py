"""Compiled kernels, kept in the user's cache folder under the hash of their content.

A module's name is the hash of its text, of the code that turns programs into instructions, and of
the versions involved, so nothing stale can be found. Files appear whole, are never rewritten, and
carry a constant time stamp, so that processes that compile the same kernel at once agree.

Run as a program, this module compiles one kernel that waits in the folder and ends.
"""

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from ketasim.compile.kernel import Plan, plan_of
from ketasim.compile.writer import Observer

_ONE_AT_A_TIME = threading.Lock()  # a module half executed must not be found by another thread
ABANDONED = 3600.0  # seconds after which a kernel that another process makes is made anew
STAMP = 1_000_000_000  # numba compares time stamps; equal content must have an equal one


def folder() -> Path:
    """Return where kernels are kept: KETASIM_CACHE_DIR, or the platform's cache folder."""
    chosen = os.environ.get("KETASIM_CACHE_DIR")
    if chosen:
        return Path(chosen)
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local")) / "ketasim"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "ketasim"
    return Path(os.environ.get("XDG_CACHE_HOME", home / ".cache")) / "ketasim"


def is_kept(name: str) -> bool:
    """Return whether the kernel of this name was compiled before."""
    return name in sys.modules or any(folder().glob(f"__pycache__/{name}.*.nbi"))


def recalled(key: str) -> Plan | None:
    """Return a plan written before, without its text, or None where none is known and compiled."""
    try:
        told = json.loads((folder() / f"{plan_of(key)}.json").read_text(encoding="utf-8"))
        observers = {
            name: Observer(place, exact, *(tuple(one) for one in needs))
            for name, (place, exact, *needs) in told.pop("observers").items()
        }
        lists: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in told.items()}
        found = Plan(**lists, observers=observers, text="")
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return found if is_kept(found.module) else None


def remember(key: str, plan: Plan) -> None:
    """Keep a plan beside its module, so that the next process need not write it again."""
    told = {k: v for k, v in asdict(replace(plan, observers={})).items() if k != "text"}
    told["observers"] = {
        name: (one.place, one.exact, one.states, one.laws, one.constants)
        for name, one in plan.observers.items()
    }
    path = folder() / f"{plan_of(key)}.json"
    if path.exists():
        return
    try:
        handle, draft = tempfile.mkstemp(dir=folder(), suffix=".part")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(told, file)
        Path(draft).replace(path)
    except OSError:
        return


def load(name: str, text: str) -> tuple[ModuleType, str]:
    """Return the module of a name, compiled now from its text or before, and a note.

    The note says so when the kernel cannot be kept. ``text`` may be empty where it is kept.
    """
    with _ONE_AT_A_TIME:
        if name in sys.modules:
            return sys.modules[name], ""
        try:
            path = folder() / f"{name}.py" if not text else _keep(folder(), name, text)
            return _execute(name, path), ""
        except OSError as error:
            note = f"compiled kernels cannot be kept in {folder()} ({error.strerror})"
        with tempfile.TemporaryDirectory() as place:
            return _execute(name, _keep(Path(place), name, text)), note


def make_in_background(plan: Plan) -> bool:
    """Have another process compile a kernel, for later; return whether one was started.

    Whoever asks first makes it. A process that dies leaves its mark, which counts for an hour.
    """
    mark = folder() / f"{plan.module}.making"
    try:
        _keep(folder(), plan.module, plan.text)
        if mark.exists() and time.time() - mark.stat().st_mtime > ABANDONED:
            mark.unlink()
        mark.touch(exist_ok=False)
    except OSError:
        return False
    words = [sys.executable, "-m", "ketasim.compile.cache", plan.module]
    silent = subprocess.DEVNULL
    child = subprocess.Popen(
        words, stdin=silent, stdout=silent, stderr=silent, start_new_session=True
    )
    threading.Thread(target=child.wait, daemon=True).start()  # so that somebody has waited for it
    return True


def _keep(place: Path, name: str, text: str) -> Path:
    """Write a module if it is not there yet, so that it appears whole or not at all."""
    (place / "__pycache__").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=place / "__pycache__"):
        pass  # numba needs to write here
    path = place / f"{name}.py"
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return path
    handle, draft = tempfile.mkstemp(dir=place, suffix=".part")
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    os.utime(draft, (STAMP, STAMP))
    Path(draft).replace(path)
    return path


def _execute(name: str, path: Path) -> ModuleType:
    """Run a module; it is registered first, or numba would not cache what it compiles."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise OSError(f"{path} cannot be read as a module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def main(name: str) -> None:
    """Compile the kernel of this name into the cache folder, politely."""
    with contextlib.suppress(AttributeError, OSError):
        os.nice(10)
    try:
        load(name, "")
    finally:
        (folder() / f"{name}.making").unlink(missing_ok=True)


if __name__ == "__main__":
    main(sys.argv[1])
