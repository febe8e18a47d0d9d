"""Who computes which chunk: a claim is a file that only one process can create.

A claim is a lease. Its owner renews it while it works; when the owner is gone it is broken, at once
where that can be seen (the same machine and the same space of process numbers), and else when the
lease has run out. The disk's own clock decides, not this machine's. A lease that is broken too
early costs a chunk computed twice, with the same bits, and nothing else.
"""

import contextlib
import json
import os
import secrets
import socket
import threading
import time
import weakref
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ketasim.files.process import alive, began, place
from ketasim.files.whole import aside_of

LEASE = 300.0  # a claim that was not renewed for so long is broken [s]
RENEW = 30.0
ATTEMPTS = 1000  # at a claim whose folder others remove; each fails only if one did meanwhile
_LIVING: "weakref.WeakValueDictionary[str, Claims]" = weakref.WeakValueDictionary()
UNSIGNED = 5.0  # a claim without an owner is of somebody who died in making it [s]


@dataclass(frozen=True)
class Holder:
    """Who holds a chunk: host, process, since when (UTC), and when the lease ends [s]."""

    host: str
    pid: int
    since: str
    left: float

    def __str__(self) -> str:
        """Return it in words."""
        return (
            f"host {self.host}, process {self.pid}, started {self.since}, "
            f"lease ends in {max(0.0, self.left):.0f} s"
        )


class Claims:
    """The claims on one store's chunks, as this process sees them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mine: set[int] = set()
        self.inherited: set[int] = set()  # taken over from somebody who is gone
        self.token = secrets.token_hex(8)
        _LIVING[self.token] = self
        self.renewed = time.monotonic()
        self._lock = threading.Lock()

    def path(self, k: int) -> Path:
        """Return where the claim on a chunk is."""
        return self.folder / f"{k}.json"

    def take(self, k: int) -> bool:
        """Claim a chunk; False when another process is at it."""
        for _ in range(3):
            if self._create(k):
                with self._lock:
                    self.mine.add(k)
                return True
            judged = self._text(k)
            if not self._stale(k) or not self._break(k, judged):
                return False
            self.inherited.add(k)
        return False

    def held(self, k: int) -> bool:
        """Say whether somebody who is alive holds a chunk."""
        return k in self.mine or (self.path(k).exists() and not self._stale(k))

    def release(self, k: int) -> None:
        """Give a chunk up, done or not; a claim that has gone to another is left alone."""
        if k in self.mine:
            with self._lock:
                self.mine.discard(k)
            if (self.owner(k) or {}).get("token") == self.token:
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
        """Show others, now and then, that this process is still alive."""
        if time.monotonic() - self.renewed > RENEW:
            self.renewed = time.monotonic()
            with self._lock:
                mine = tuple(self.mine)
            for k in mine:
                with contextlib.suppress(OSError):
                    os.utime(self.path(k))

    def count(self) -> int:
        """Return how many chunks somebody who is alive holds."""
        return sum(map(self.held, self._found()))

    def holder(self, k: int) -> Holder | None:
        """Return who holds a chunk, or None when nobody does."""
        owner = self.owner(k)
        if owner is None or not self.held(k):
            return None
        host, pid, since = (owner.get(one) for one in ("host", "pid", "since"))
        left = LEASE - self._age(k)
        return Holder(f"{host}"[:60], pid if isinstance(pid, int) else 0, f"{since}"[:40], left)

    def clear_stale(self) -> int:
        """Remove claims whose owner is gone; returns how many."""
        found = self._found()
        texts = {k: self._text(k) for k in found}
        return sum(self._stale(k) and self._break(k, texts[k]) for k in found)

    def owner(self, k: int) -> dict[str, Any] | None:
        """Return what a claim says about its owner; None when there is none to read."""
        try:
            found = json.loads(self._text(k))
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None

    def _found(self) -> list[int]:
        """Return the chunks that have a claim, good or stale; none when the folder is gone."""
        try:
            paths = list(self.folder.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [int(one.stem) for one in paths if one.suffix == ".json" and _is_number(one.stem)]

    def _create(self, k: int) -> bool:
        try:
            handle = self._opened(self.path(k))
        except FileExistsError:
            return False
        owner = {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "began": began(os.getpid()),
            "place": place(),
            "token": self.token,
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(owner, file)
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

    def _text(self, k: int) -> str:
        try:
            return self.path(k).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def _age(self, k: int) -> float:
        """Return how long ago a claim was renewed [s], by the clock of the disk it is on."""
        try:
            renewed = self.path(k).stat().st_mtime
        except OSError:
            return float("inf")
        probe = aside_of(self.folder / "now")
        try:
            probe.touch()
            now = probe.stat().st_mtime
            probe.unlink()
        except OSError:  # a disk that can only be read: nobody breaks a claim there
            return time.time() - renewed
        return now - renewed

    def _stale(self, k: int) -> bool:
        if not self.path(k).exists():
            return True
        owner = self.owner(k)
        if owner is None:
            return self._age(k) > UNSIGNED
        pid = owner.get("pid")
        if owner.get("place") != place() or os.name == "nt" or not isinstance(pid, int):
            return self._age(k) > LEASE
        if pid == os.getpid():
            other = _LIVING.get(str(owner.get("token")))
            return other is None or k not in other.mine
        return not alive(pid) or began(pid) != owner.get("began")

    def _break(self, k: int, judged: str) -> bool:
        """Move a stale claim aside; a claim that is newer than the one judged is put back."""
        aside = aside_of(self.path(k))
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


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 12
