"""What a store says about its making, sealed so that a changed byte is noticed."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ketasim.files.whole import write_whole
from ketasim.results.problems import StoreError

FORMAT = 2
READS = (1, 2)
HOME = "ketasim"  # a group of its own within the store, so that readers of Zarr know what it is
NAME = f"{HOME}/manifest.json"
FORMER = "ketasim.json"  # of format 1


@dataclass(frozen=True)
class Manifest:
    """Members, chunk size, what decides the numbers, the columns, and hashes of what never changes.

    ``columns`` are (name, role) of what chunks fill, in the order of writing; ``names`` and
    ``units`` those of the design; ``fixed`` maps files to their sha256. With format 2 a chunk is
    bound to its place and its store.
    """

    members: int
    chunk: int
    identity: Mapping[str, str]
    columns: tuple[tuple[str, str], ...]
    names: tuple[str, ...]
    units: tuple[str, ...]
    fixed: Mapping[str, str]
    format: int = FORMAT

    @cached_property
    def id(self) -> str | None:
        """Return what chunks are bound to: equal for stores that hold equal numbers."""
        if self.format < 2:
            return None
        plain = {**asdict(self), "fixed": None}
        text = json.dumps(plain, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def chunks(self) -> int:
        """Return the number of chunks."""
        return -(-self.members // self.chunk)

    def span(self, k: int) -> tuple[int, int]:
        """Return the members of chunk ``k``, the last one excluded."""
        return k * self.chunk, min((k + 1) * self.chunk, self.members)


def write(folder: Path, manifest: Manifest) -> None:
    """Write the manifest, with a seal over its own text."""
    name = FORMER if manifest.format < 2 else NAME
    write_whole(folder / name, _sealed(asdict(manifest)))


def is_there(folder: Path) -> bool:
    """Say whether a folder holds a store's manifest."""
    return any((folder / one).is_file() for one in (NAME, FORMER))


def read(folder: Path) -> Manifest:
    """Read and check the manifest of a store.

    Raises
    ------
    StoreError
        When the folder is no store, was changed, or is of a newer format.
    """
    path = folder / (FORMER if (folder / FORMER).is_file() else NAME)
    if not path.is_file():
        raise StoreError(f"{folder}: not a ketasim store (it has no {NAME}).")
    try:
        raw = path.read_bytes()
        body: dict[str, Any] = json.loads(raw.decode("utf-8"))
        del body["seal"]
        fine = raw == _sealed(body)
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        fine = False
    if not fine:
        raise StoreError(
            f"{path}: this file was changed after the store was made. Restore it from a copy, or "
            "use -o a new folder."
        )
    if body["format"] not in READS:
        raise StoreError(
            f"{folder}: this store has format {body['format']}; this ketasim reads {FORMAT}. "
            "pip install --upgrade ketasim"
        )
    body["columns"] = tuple((name, role) for name, role in body["columns"])
    return Manifest(**{**body, "names": tuple(body["names"]), "units": tuple(body["units"])})


def _sealed(body: Mapping[str, Any]) -> bytes:
    text = json.dumps(body, sort_keys=True, ensure_ascii=False)
    seal = hashlib.sha256(text.encode()).hexdigest()
    whole = {**body, "seal": seal}
    return (json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def hashes(folder: Path, files: Iterable[Path]) -> dict[str, str]:
    """Return the sha256 of files, by their path within the store."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(files)
    }


def check_fixed(folder: Path, manifest: Manifest) -> None:
    """Raise StoreError when a file that never changes was changed or lost."""
    for name, digest in manifest.fixed.items():
        path = folder / name
        try:
            fine = hashlib.sha256(path.read_bytes()).hexdigest() == digest
        except OSError:
            fine = False
        if not fine:
            raise StoreError(
                f"{path}: this file was changed or lost after the store was made. Restore it from "
                "a copy, or use -o a new folder."
            )
