"""Who computes which chunk, when several processes share one store.

A claim is a file that only one process can create. It outlives its owner when that is killed; then
it is broken, at once on the same machine, after a while on another.
"""

import contextlib
import json
import os
import socket
import time
from pathlib import Path
from typing import Any

from ketasim.results.durable import alive

STALE = 900.0  # a claim from another machine that was not renewed for so long is broken [s]
RENEW = 60.0
ATTEMPTS = 1000  # at a claim whose folder others remove; each fails only if one did meanwhile


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
