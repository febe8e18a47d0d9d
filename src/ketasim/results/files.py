"""A store's files: each is whole or absent, and says what it is.

A chunk's file ends with a digest over its bytes, the store it belongs to, its array and its index,
in a frame that readers of Zstandard pass over, and with the CRC-32C of all that. A chunk of another
store, array or place is therefore no chunk here; and whoever knows Zarr only can still read it.
"""

import asyncio
import json
import os
import re
import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import google_crc32c
from zarr.abc.store import ByteRequest
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import LocalStore

from ketasim.files.seal import seal
from ketasim.files.whole import write_whole
from ketasim.results.problems import StoreError, differences, refuse_mixing

_CHUNK = re.compile(r"[^/]+/c/\d+(/0)?$")  # an array may be of one axis or two
_FRAME = (0x184D2A5B).to_bytes(4, "little") + (32).to_bytes(4, "little")  # RFC 8878, 3.1.2
_TAIL = len(_FRAME) + 32 + 4


def intact(data: bytes) -> bool:
    """Say whether a chunk's CRC-32C, its last four bytes, is that of the rest."""
    return len(data) > 4 and data[-4:] == _crc(data[:-4])


def _crc(data: bytes) -> bytes:
    computed: int = google_crc32c.value(data)
    return computed.to_bytes(4, "little")


def bound(data: bytes, of: str, key: str) -> bytes:
    """Return a chunk's bytes (with their CRC) as they are kept under ``key`` of a store."""
    body = data[:-4]
    whole = body + _FRAME + seal(f"{of}/{key}", body)
    return whole + _crc(whole)


def belongs(data: bytes, of: str, key: str) -> bool:
    """Say whether a chunk is whole, and was kept in this store under this key."""
    if not intact(data) or data[-_TAIL : -_TAIL + len(_FRAME)] != _FRAME:
        return False
    return data[-36:-4] == seal(f"{of}/{key}", data[:-_TAIL])


class DurableStore(LocalStore):
    """A Zarr store in a folder whose every write is whole or absent.

    ``of`` names the store that its chunks are bound to; None where they are not (format 1).
    """

    def __init__(self, root: Path, *, of: str | None = None, read_only: bool = False) -> None:
        super().__init__(root, read_only=read_only)
        self.of = of

    def with_read_only(self, read_only: bool = False) -> "DurableStore":  # noqa: FBT001, FBT002
        """Return the same store, to be read only or written too."""
        return DurableStore(self.root, of=self.of, read_only=read_only)

    async def set(self, key: str, value: Buffer) -> None:
        """Write one key."""
        await asyncio.to_thread(self.set_sync, key, value)

    def set_sync(self, key: str, value: Buffer) -> None:
        """Write one key, without a loop."""
        self._check_writable()
        data = value.to_bytes()
        if self.of is not None and _CHUNK.match(key):
            data = bound(data, self.of, key)
        write_whole(self.root / key, data)

    async def get(
        self,
        key: str,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """Return what is kept under a key; raises StoreError when it was kept as something else."""
        found = await super().get(key, prototype, byte_range)
        self._check(key, found, byte_range)
        return found

    def get_sync(
        self,
        key: str,
        *,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """Return what is kept under a key, without a loop."""
        found = super().get_sync(key, prototype=prototype, byte_range=byte_range)
        self._check(key, found, byte_range)
        return found

    def _check(self, key: str, found: Buffer | None, part: ByteRequest | None) -> None:
        """Raise StoreError for a chunk that is whole, but not the one that belongs here."""
        if found is None or part is not None or self.of is None or not _CHUNK.match(key):
            return
        data = found.to_bytes()
        if intact(data) and not belongs(data, self.of, key):
            raise StoreError(
                f"{self.root}/{key}: this chunk belongs elsewhere: it was copied from another "
                f'place, array or store. "ketasim resume {self.root.name}" recomputes it.'
            )


class Rows:
    """A file of JSON rows after a first one that says what made them; each is whole or not there.

    A row is forced to disk before :meth:`add` returns, so that a crash loses only what was under
    way; half a last row is cut off at the next opening.
    """

    def __init__(
        self, path: Path, made: Mapping[str, str], *, what: str = "fit", anew: Collection[str] = ()
    ) -> None:
        """Open or make the file; ``what`` it is of, for who meets one made otherwise.

        Where it differs only in what ``anew`` names, its rows are dropped, and it begins anew.

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
        moved = differences(json.loads(whole[0]), made) if whole else {}
        if not whole or (moved and moved.keys() <= {*anew}):
            whole = [_row(dict(made))]
        else:
            refuse_mixing(path.name, json.loads(whole[0]), made, what=what)
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
