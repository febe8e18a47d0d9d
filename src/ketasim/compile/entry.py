"""One kept kernel: a folder that appears whole, read only when sound and written by this user.

Whoever loads machine code runs what is in it. So nothing is run from where it is kept: every file
is read, its owner looked at, the digest of all of them compared with the seal, and only those very
bytes are handed on.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ketasim.files import owned
from ketasim.files.seal import seal_of_files
from ketasim.files.whole import aside_of, put_folder, sync_folder

SEAL = "seal.json"
MOST = 200_000_000  # bytes; nothing of ours is as long


@dataclass(frozen=True)
class Entry:
    """A kernel's place, by the name of its module and of the machine that runs it."""

    path: Path

    def read(self) -> tuple[dict[str, bytes], str]:
        """Return its files by name, or none and why not; ('{}', '') where there is none."""
        try:
            told = owned.fault(self.path)
            found = {} if told else self._bytes()
            sealed = found.pop(SEAL, b"")
        except FileNotFoundError:
            return ({}, "is not whole") if self.path.is_dir() else ({}, "")
        except (OSError, _Foreign) as error:
            return {}, str(error)
        if told:
            return {}, told
        if _seal(self.path.name, found) != sealed:
            return {}, "is damaged: its digest is not that of its files"
        return found, ""

    def _bytes(self) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for one in sorted(self.path.iterdir()):
            if one.is_dir() or one.lstat().st_size > MOST:
                raise _Foreign(f"holds {one.name[:60]}, which was not kept here")
            told = owned.fault(one)
            if told:
                raise _Foreign(f"holds {one.name[:60]}, which {told}")
            found[one.name] = one.read_bytes()
        return found

    def keep(self, files: Mapping[str, bytes]) -> None:
        """Keep these files, unless somebody else has meanwhile.

        Raises
        ------
        OSError
            When the file system refuses; nothing is left behind then.
        """
        aside = aside_of(self.path)
        try:
            aside.mkdir(mode=owned.PRIVATE)
            write_private(aside, {**files, SEAL: _seal(self.path.name, files)})
            put_folder(aside, self.path)
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def discard(self) -> None:
        """Remove what is there, where that can be done."""
        with contextlib.suppress(OSError):
            aside = aside_of(self.path)
            self.path.rename(aside)  # at once, so that nobody finds half of it
            if aside.is_dir() and not aside.is_symlink():
                shutil.rmtree(aside, ignore_errors=True)
            else:
                aside.unlink()


class _Foreign(Exception):
    """Something in an entry was not put there by this program."""


def _seal(name: str, files: Mapping[str, bytes]) -> bytes:
    return (json.dumps({"of": name, "sha256": seal_of_files(name, files)}) + "\n").encode()


def write_private(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files that this user alone can read, forced to disk."""
    for name, data in files.items():
        descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    sync_folder(folder)
