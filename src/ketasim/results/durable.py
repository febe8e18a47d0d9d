"""Files that appear whole or not at all: written aside, forced to disk, then renamed."""

import asyncio
import itertools
import os
import socket
import time
from pathlib import Path

import google_crc32c
from zarr.core.buffer import Buffer
from zarr.storage import LocalStore

SUFFIX = ".partial"
STALE = 3600.0  # a partial file from another machine is taken for abandoned after this long [s]
_count = itertools.count()


def write_whole(path: Path, data: bytes | bytearray | memoryview) -> None:
    """Write a file so that whoever looks finds the old one, the new one, or none.

    Raises
    ------
    OSError
        When the file system refuses; nothing is left behind then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = f"{socket.gethostname()}-{os.getpid()}-{next(_count)}"
    aside = path.with_name(f".{path.name}.{writer}{SUFFIX}")
    try:
        with aside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Force a folder's list of names to disk, where the system can."""
    if os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def alive(pid: int) -> bool:
    """Say whether a process of this machine is running."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def sweep_up(root: Path) -> int:
    """Remove files that died while being written; returns how many."""
    # Unlike Path.rglob, os.walk passes over a folder that another process removes meanwhile.
    found = (Path(folder, name) for folder, _, names in os.walk(root) for name in names)
    partial = (path for path in found if path.name[0] == "." and path.name.endswith(SUFFIX))
    return sum(_remove_if_dead(path) for path in partial)


def _remove_if_dead(path: Path) -> bool:
    """Remove one file written aside, when its writer is gone."""
    mark = f".{socket.gethostname()}-"
    numbers = path.name.removesuffix(SUFFIX).rpartition(mark)[2].split("-")
    mine = mark in path.name and numbers[0].isdigit()
    try:
        old = time.time() - path.stat().st_mtime > STALE
        if old or (mine and os.name != "nt" and not alive(int(numbers[0]))):
            path.unlink()
            return True
    except FileNotFoundError:
        pass
    return False


def sound(path: Path) -> bool:
    """Say whether a chunk file is there and its checksum agrees."""
    try:
        return intact(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return False


def intact(data: bytes) -> bool:
    """Say whether a chunk's CRC-32C, its last four bytes, is that of the rest."""
    if len(data) < 5:
        return False
    computed: int = google_crc32c.value(data[:-4])
    return int.from_bytes(data[-4:], "little") == computed


class DurableStore(LocalStore):
    """A Zarr store in a folder whose every write is whole or absent."""

    async def set(self, key: str, value: Buffer) -> None:
        """Write one key."""
        self._check_writable()
        path, data = self.root / key, value.to_bytes()
        await asyncio.to_thread(write_whole, path, data)

    def set_sync(self, key: str, value: Buffer) -> None:
        """Write one key, without a loop."""
        self._check_writable()
        write_whole(self.root / key, value.to_bytes())
