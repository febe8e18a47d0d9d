"""Files and folders that appear whole or not at all: written aside, forced to disk, renamed."""

import contextlib
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

from ketasim.files.process import is_dead, mark

SUFFIX = ".partial"
_STOPPING = tuple(getattr(signal, one) for one in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1")
                  if hasattr(signal, one))  # fmt: skip


def aside_of(path: Path) -> Path:
    """Return where something is written before it is put at ``path``: a name nobody else uses."""
    return path.with_name(f".{path.name}.{mark()}{SUFFIX}")


def write_whole(path: Path, data: bytes | bytearray | memoryview) -> None:
    """Write a file so that whoever looks finds the old one, the new one, or none.

    Raises
    ------
    OSError
        When the file system refuses; nothing is left behind then.
    """
    for attempt in (1, 2):
        try:
            with whole_file(path) as aside, aside.open("xb") as file:
                file.write(data)
            return
        except FileNotFoundError:  # somebody whose clock jumped took what we wrote for abandoned
            if attempt == 2:
                raise


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield where to write what is then put at ``path``, if nothing goes wrong.

    Raises
    ------
    OSError
        When the file system refuses; what was at ``path`` before is still there then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = aside_of(path)
    try:
        yield aside
        _to_disk(aside)
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


@contextlib.contextmanager
def whole_files(folder: Path, *, last: str = "") -> Iterator[Path]:
    """Yield a folder to write files in, which then are put into ``folder``, if nothing goes wrong.

    They are moved by name, one of them ``last``, and no signal is heard meanwhile.

    Raises
    ------
    OSError
        When the file system refuses; what was in ``folder`` before is still there then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sweep_up(folder, deep=False)
    aside = aside_of(folder / "files")
    aside.mkdir()
    try:
        yield aside
        made = sorted(aside.iterdir(), key=lambda one: (one.name == last, one.name))
        for one in made:
            _to_disk(one)
        with uninterrupted():
            for one in made:
                one.replace(folder / one.name)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    sync_folder(folder)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold back the signals that would stop this process between two renames."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are heard by the main thread, and this one goes on
        return
    arrived: list[int] = []
    before = {one: signal.signal(one, lambda n, _: arrived.append(n)) for one in _STOPPING}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
        for one in arrived:
            signal.raise_signal(one)


def _to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Force a folder's list of names to disk, where the system can."""
    if os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def put_folder(aside: Path, path: Path) -> bool:
    """Rename a folder into place; False, and nothing done, where one is already."""
    try:
        aside.rename(path)
    except OSError:
        if path.is_dir():
            return False
        raise
    sync_folder(path.parent)
    return True


def sweep_up(root: Path, *, deep: bool = True) -> int:
    """Remove what died while being written; returns how many files and folders."""
    removed = 0
    # Unlike Path.rglob, os.walk passes over a folder that another process removes meanwhile.
    for folder, inside, names in os.walk(root):
        found = [Path(folder, name) for name in (*names, *inside) if _is_partial(name)]
        for path in found:
            removed += is_dead(path) and _remove(path)
        inside[:] = [name for name in inside if deep and not _is_partial(name)]
    return removed


def drop_asides(path: Path) -> None:
    """Remove what died while it was written aside for one place."""
    for aside in path.parent.glob(f".{path.name}.*{SUFFIX}"):
        if is_dead(aside):
            _remove(aside)


def _is_partial(name: str) -> bool:
    return name[0] == "." and name.endswith(SUFFIX)


def _remove(path: Path) -> bool:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return True
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
        return True
    return False
