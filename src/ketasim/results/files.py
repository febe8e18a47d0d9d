"""Files that several processes share: each is whole or absent, and one claim is one process's.

Files are written aside, forced to disk, then renamed. A claim on a chunk is a file that only one
process can create. It outlives its owner when that is killed; then it is broken, at once on the
same machine, after a while on another.
"""

import asyncio
import contextlib
import itertools
import json
import os
import socket
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import google_crc32c
from zarr.core.buffer import Buffer
from zarr.storage import LocalStore

from ketasim.results.problems import refuse_mixing

SUFFIX = ".partial"
ABANDONED = 3600.0  # a partial file from another machine is taken for abandoned after this long [s]
_count = itertools.count()
STALE = 900.0  # a claim from another machine that was not renewed for so long is broken [s]
RENEW = 60.0
ATTEMPTS = 1000  # at a claim whose folder others remove; each fails only if one did meanwhile


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
        old = time.time() - path.stat().st_mtime > ABANDONED
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


def started(pid: int) -> str:
    """Return when a process of this machine began, where that can be told; else ''."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


class Claims:
    """The claims on one store's chunks, as this process sees them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mine: set[int] = set()
        self.renewed = time.monotonic()

    def path(self, k: int) -> Path:
        """Return where the claim on a chunk is."""
        return self.folder / f"{k}.json"

    def take(self, k: int) -> bool:
        """Claim a chunk; False when another process is at it."""
        for _ in range(3):
            if self._create(k):
                self.mine.add(k)
                return True
            judged = self._text(k)
            if not self._stale(k) or not self._break(k, judged):
                return False
        return False

    def held(self, k: int) -> bool:
        """Say whether somebody who is alive holds a chunk."""
        return k in self.mine or (self.path(k).exists() and not self._stale(k))

    def release(self, k: int) -> None:
        """Give a chunk up, done or not."""
        if k in self.mine:
            self.mine.discard(k)
            self.path(k).unlink(missing_ok=True)

    def release_all(self) -> None:
        """Give everything up, and remove the folder when nobody else needs it."""
        for k in sorted(self.mine):
            with contextlib.suppress(OSError):
                self.release(k)
        self.tidy()

    def tidy(self) -> None:
        """Remove the folder when it is empty."""
        with contextlib.suppress(OSError):
            self.folder.rmdir()

    def renew(self) -> None:
        """Show other machines, now and then, that this process is still alive."""
        if time.monotonic() - self.renewed > RENEW:
            self.renewed = time.monotonic()
            for k in tuple(self.mine):
                with contextlib.suppress(OSError):
                    os.utime(self.path(k))

    def count(self) -> int:
        """Return how many chunks somebody who is alive holds."""
        return sum(map(self.held, self._found()))

    def clear_stale(self) -> int:
        """Remove claims whose owner is gone; returns how many."""
        found = self._found()
        texts = {k: self._text(k) for k in found}
        return sum(self._stale(k) and self._break(k, texts[k]) for k in found)

    def _found(self) -> list[int]:
        """Return the chunks that have a claim, good or stale; none when the folder is gone."""
        try:
            paths = list(self.folder.iterdir())
        except FileNotFoundError:
            return []
        return [int(p.stem) for p in paths if p.suffix == ".json" and p.stem.isdigit()]

    def _create(self, k: int) -> bool:
        owner = {"host": socket.gethostname(), "pid": os.getpid(), "began": started(os.getpid())}
        try:
            handle = self._opened(self.path(k))
        except FileExistsError:
            return False
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({**owner, "time": time.time()}, file)
        return True

    def _opened(self, path: Path) -> int:
        """Open a new claim, in a folder that another process may remove until the claim is in it.

        Raises
        ------
        FileExistsError
            When the chunk is claimed.
        OSError
            When the store is gone or cannot be written.
        """
        for left in reversed(range(ATTEMPTS)):
            with contextlib.suppress(FileExistsError):
                self.folder.mkdir()  # exist_ok would look twice, and fail when it goes in between
            try:
                return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
            except FileNotFoundError:
                if not left:
                    raise
        raise FileNotFoundError(path)

    def owner(self, k: int) -> dict[str, Any] | None:
        """Return what a claim says about its owner; None when there is none to read."""
        try:
            found = json.loads(self._text(k))
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    def _text(self, k: int) -> str:
        try:
            return self.path(k).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def _stale(self, k: int) -> bool:
        try:
            age = time.time() - self.path(k).stat().st_mtime
        except OSError:
            return True
        owner = self.owner(k)
        if owner is None:
            return age > 5.0  # killed between creating the claim and signing it
        if owner.get("host") != socket.gethostname():
            return age > STALE
        pid = owner.get("pid")
        if os.name == "nt":
            return age > STALE  # no harmless way to ask for a process there
        if not isinstance(pid, int) or (pid == os.getpid() and k not in self.mine):
            return True
        return not alive(pid) or started(pid) != owner.get("began")

    def _break(self, k: int, judged: str) -> bool:
        """Move a stale claim aside; a claim that is newer than the one judged is put back."""
        aside = self.folder / f".{k}.{socket.gethostname()}-{os.getpid()}.broken"
        try:
            self.path(k).rename(aside)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        newer = aside.read_text(encoding="utf-8", errors="replace") != judged
        if newer:
            with contextlib.suppress(OSError):
                os.link(aside, self.path(k))
        aside.unlink(missing_ok=True)
        return not newer


class Rows:
    """A file of JSON rows after a first one that says what made them; each is whole or not there.

    A row is forced to disk before :meth:`add` returns, so that a crash loses only what was under
    way; half a last row is cut off at the next opening.
    """

    def __init__(self, path: Path, made: Mapping[str, str]) -> None:
        """Open or make the file.

        Raises
        ------
        StoreError
            When it was made otherwise, with a line for each difference.
        OSError
            When the file system refuses.
        """
        self.path, self._lock = path, threading.Lock()
        lines = path.read_bytes().split(b"\n") if path.is_file() else []
        whole = [one for one in lines if _is_row(one)]
        if whole:
            refuse_mixing(path.name, json.loads(whole[0]), made, what="fit")
        else:
            whole = [_row(dict(made))]
        if b"\n".join([*whole, b""]) != b"\n".join(lines):
            write_whole(path, b"\n".join([*whole, b""]))
        self.found: list[dict[str, Any]] = [json.loads(one) for one in whole[1:]]

    def add(self, row: Mapping[str, Any]) -> None:
        """Append one row."""
        with self._lock, self.path.open("ab") as file:
            file.write(_row(row) + b"\n")
            file.flush()
            os.fsync(file.fileno())
            self.found.append(dict(row))


def _row(what: Mapping[str, Any]) -> bytes:
    return json.dumps(what, ensure_ascii=False, allow_nan=False).encode()


def _is_row(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
