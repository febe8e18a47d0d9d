"""Compiled kernels, kept in the user's cache folder under the hash of their content.

A kernel's name is the hash of its text, of the code that turns it into instructions, and of the
versions involved, so nothing stale can be found. Entries appear whole, are never rewritten, and
are sealed: a damaged one, or one that somebody else could have written, is not read but compiled
again, and that is said. What is kept is an object file beside its text: nothing in it is
interpreted, unpickled or imported.

Run as a program, this module compiles one kernel that waits in the folder and ends.
"""

import contextlib
import hashlib
import json
import logging
import os
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ketasim.compile.entry import Entry
from ketasim.compile.kernel import Plan, module_of, plan_of
from ketasim.compile.machine import Code, compiled
from ketasim.compile.target import target
from ketasim.compile.writer import Observer
from ketasim.errors import ModelError
from ketasim.files import owned
from ketasim.files.seal import seal
from ketasim.files.whole import sweep_up, write_whole

LOG = logging.getLogger("ketasim.kernels")
_ONE_AT_A_TIME = threading.Lock()  # two threads need not compile the same kernel
_LOADED: dict[str, Code] = {}  # by name; machine code stays in memory once it is there
TEXT, CODE = "text", "o"  # endings of an entry's two files
ABANDONED = 3600.0  # seconds after which a kernel that another process makes is made anew
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
    return Entry(folder() / _here(name))


def _here(name: str) -> str:
    return f"{name}-{_processor()}"


def _processor() -> str:
    """Return a hash of what machine code depends on besides its text: one home, many machines."""
    made_for = target()
    told = (made_for.triple, made_for.cpu, made_for.features)
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:8]


def is_kept(name: str) -> bool:
    """Return whether the kernel of this name was compiled before, and can be believed."""
    if _here(name) in _LOADED:
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


def load(name: str, text: str) -> tuple[Code, str]:
    """Return the code of a kernel of this name, compiled now from its text or before, and a note.

    The note says so when the kernel cannot be kept. ``text`` may be empty where it is kept.

    Raises
    ------
    LookupError
        When it is not kept and there is no text.
    """
    with _ONE_AT_A_TIME:
        here = _here(name)
        if here in _LOADED:
            return _LOADED[here], ""
        note = trouble()
        if note:
            LOG.warning(note)
        kept = {} if note else _sound(name)
        if kept:
            try:
                _LOADED[here] = Code(kept[f"{name}.{CODE}"])
            except (RuntimeError, KeyError, ModelError) as error:
                LOG.warning(f"{entry(name).path} does not load ({error}); it is compiled again")
                entry(name).discard()
                text = text or kept.get(f"{name}.{TEXT}", b"").decode()
            else:
                return _LOADED[here], ""
        if not text:
            raise LookupError(name)
        made = compiled(text)
        if not note:
            with contextlib.suppress(OSError):  # a full disk; it is compiled again another time
                sweep_up(folder(), deep=False)
                entry(name).keep({f"{name}.{TEXT}": text.encode(), f"{name}.{CODE}": made})
        _LOADED[here] = Code(made)
        return _LOADED[here], note


def forget(name: str) -> None:
    """Let a kernel be looked for on disk again; what is in use stays in memory."""
    _LOADED.pop(_here(name), None)


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
