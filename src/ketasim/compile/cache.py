"""Compiled kernels, kept in the user's cache folder under the hash of their content.

A module's name is the hash of its text, of the code that turns programs into instructions, and of
the versions involved, so nothing stale can be found. Entries appear whole, are never rewritten, and
are sealed: a damaged one, or one that somebody else could have written, is not read but compiled
again, and that is said.

Run as a program, this module compiles one kernel that waits in the folder and ends.
"""

import contextlib
import hashlib
import importlib.util
import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from ketasim.compile.entry import Entry, read_all, write_private
from ketasim.compile.kernel import Plan, module_of, plan_of
from ketasim.compile.writer import Observer
from ketasim.files import owned
from ketasim.files.process import mark
from ketasim.files.seal import seal
from ketasim.files.whole import SUFFIX, sweep_up, write_whole

LOG = logging.getLogger("ketasim.kernels")
_ONE_AT_A_TIME = threading.Lock()  # a module half executed must not be found by another thread
ABANDONED = 3600.0  # seconds after which a kernel that another process makes is made anew
STAMP = 1_000_000_000  # numba may compare time stamps; equal content must have an equal one
MOST_PLAN = 50_000_000  # bytes


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


def trouble() -> str:
    """Return in a sentence why the cache folder is not used, or '' when it is."""
    place = folder()
    try:
        told = owned.make_private(place)
    except OSError as error:
        return f"compiled kernels cannot be kept in {place} ({error.strerror})"
    if not told:
        return ""
    cure = f"chmod go-w {place}, " if "others" in told else ""
    return (
        f"compiled kernels are neither read from nor kept in {place}: it {told}. Type {cure}or set "
        "KETASIM_CACHE_DIR to a folder of your own."
    )


def entry(name: str) -> Entry:
    """Return the place of a module's kernel on this machine."""
    return Entry(folder() / f"{name}-{_processor()}")


@cache
def _processor() -> str:
    """Return a hash of what machine code depends on besides its text: one home, many machines."""
    from llvmlite import binding

    told = [
        binding.get_process_triple(),
        binding.get_host_cpu_name(),
        binding.get_host_cpu_features().flatten(),
        *sorted(f"{k}={v}" for k, v in os.environ.items() if k.startswith("NUMBA_")),
    ]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:8]


def is_kept(name: str) -> bool:
    """Return whether the kernel of this name was compiled before, and can be believed."""
    if name in sys.modules:
        return True
    return not trouble() and bool(_sound(name))


def _sound(name: str) -> dict[str, bytes]:
    """Return a kept kernel's files; none where there is none, or it was damaged and is removed."""
    found, told = entry(name).read()
    if told:
        LOG.warning(f"the compiled kernel {entry(name).path} {told}; it is compiled again")
        entry(name).discard()
    return found


def recalled(key: str) -> Plan | None:
    """Return a plan written before, without its text, or None where none is known and compiled."""
    if trouble():
        return None
    try:
        told = _unsealed(_plan_file(key))
        observers = {
            name: Observer(place, exact, *(tuple(one) for one in needs))
            for name, (place, exact, *needs) in told.pop("observers").items()
        }
        lists: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in told.items()}
        found = Plan(**lists, observers=observers, text="")
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return found if is_kept(found.module) else None


def remember(key: str, plan: Plan) -> None:
    """Keep a plan beside its module, so that the next process need not write it again."""
    told = {k: v for k, v in asdict(replace(plan, observers={})).items() if k != "text"}
    told["observers"] = {
        name: (one.place, one.exact, one.states, one.laws, one.constants)
        for name, one in plan.observers.items()
    }
    path, body = _plan_file(key), json.dumps(told).encode()
    with contextlib.suppress(OSError):
        if not trouble():
            write_whole(path, seal(path.name, body).hex().encode() + b"\n" + body)


def _plan_file(key: str) -> Path:
    return folder() / f"{plan_of(key)}.json"


def _unsealed(path: Path) -> dict[str, Any]:
    """Return a plan; raises ValueError where it is damaged or could be somebody else's."""
    if owned.fault(path) or path.lstat().st_size > MOST_PLAN:
        raise ValueError(f"{path} is not this user's alone")
    sealed, _, body = path.read_bytes().partition(b"\n")
    if sealed != seal(path.name, body).hex().encode():
        raise ValueError(f"{path} is damaged")
    found: dict[str, Any] = json.loads(body)
    return found


def load(name: str, text: str) -> tuple[ModuleType, str]:
    """Return the module of a name, compiled now from its text or before, and a note.

    The note says so when the kernel cannot be kept. ``text`` may be empty where it is kept.

    Raises
    ------
    LookupError
        When it is not kept and there is no text.
    """
    with _ONE_AT_A_TIME:
        if name in sys.modules:
            return sys.modules[name], ""
        note = trouble()
        if note:
            LOG.warning(note)
        kept = {} if note else _sound(name)
        if kept:
            try:
                return _run(name, kept, keep=True), ""
            except Exception as error:
                LOG.warning(f"{entry(name).path} does not load ({error}); it is compiled again")
                entry(name).discard()
                text = text or kept[f"{name}.py"].decode()
        if not text:
            raise LookupError(name)
        return _run(name, {f"{name}.py": text.encode()}, keep=not note), note


def _run(name: str, files: dict[str, bytes], *, keep: bool) -> ModuleType:
    """Run a module in a folder of this process's own, and keep what numba made of it."""
    with _own_folder() as own, _numba_beside():
        (own / "__pycache__").mkdir()
        path = own / f"{name}.py"
        write_private(own, {path.name: files[path.name]}, stamp=STAMP)
        compiled = {one: data for one, data in files.items() if one != path.name}
        write_private(own / "__pycache__", compiled, stamp=STAMP)
        module = _execute(name, path)
        made = read_all((own, own / "__pycache__"))
        if keep and _by_numba(made) != _by_numba(files):
            if _by_numba(files):
                entry(name).discard()  # numba had no use for what was kept
            with contextlib.suppress(OSError):  # a full disk; it is compiled again another time
                entry(name).keep(made)
        return module


def _by_numba(files: dict[str, bytes]) -> dict[str, bytes]:
    return {one: data for one, data in files.items() if one.endswith((".nbi", ".nbc"))}


@contextlib.contextmanager
def _own_folder() -> Iterator[Path]:
    """Yield a folder for this process alone, in the cache folder where that can be."""
    with contextlib.ExitStack() as stack:
        try:
            sweep_up(folder(), deep=False)
            own = tempfile.TemporaryDirectory(
                dir=folder(),
                prefix=".work.",
                suffix=f".{mark()}{SUFFIX}",
                ignore_cleanup_errors=True,
            )
        except OSError:
            own = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        yield Path(stack.enter_context(own))


@contextlib.contextmanager
def _numba_beside() -> Iterator[None]:
    """Have numba keep its files beside the module, whatever its own settings say."""
    from numba.core import config

    before = {one: getattr(config, one, "") for one in ("CACHE_DIR", "CACHE_LOCATOR_CLASSES")}
    for one in before:
        setattr(config, one, "")
    try:
        yield
    finally:
        for one, value in before.items():
            setattr(config, one, value)


def make_in_background(plan: Plan) -> bool:
    """Have another process compile a kernel, for later; return whether one was started.

    Whoever asks first makes it. A process that dies leaves its mark, which counts for an hour.
    """
    if trouble():
        return False
    making = folder() / f"{plan.module}.making"
    try:
        write_whole(_order(plan.module), plan.text.encode())
        if making.exists() and time.time() - making.stat().st_mtime > ABANDONED:
            making.unlink()
        making.touch(mode=0o600, exist_ok=False)
    except OSError:
        return False
    words = [sys.executable, "-m", "ketasim.compile.cache", plan.module]
    silent = subprocess.DEVNULL
    child = subprocess.Popen(
        words, stdin=silent, stdout=silent, stderr=silent, start_new_session=True
    )
    threading.Thread(target=child.wait, daemon=True).start()  # so that somebody has waited for it
    return True


def _order(name: str) -> Path:
    return folder() / f"{name}.order"


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
        text = "" if owned.fault(_order(name)) else _order(name).read_text(encoding="utf-8")
        if module_of(text) == name:  # the name is the text's own hash: nothing else is run
            load(name, text)
    finally:
        for one in (_order(name), folder() / f"{name}.making"):
            one.unlink(missing_ok=True)


if __name__ == "__main__":
    main(sys.argv[1])
