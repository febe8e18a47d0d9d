"""What a store says about its making, sealed so that a changed byte is noticed."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ketasim.results.files import write_whole
from ketasim.results.problems import StoreError

FORMAT = 1
NAME = "ketasim.json"


@dataclass(frozen=True)
class Manifest:
    """Members, chunk size, what decides the numbers, the columns, and hashes of what never changes.

    ``columns`` are (name, role) of what chunks fill, in the order of writing; ``names`` and
    ``units`` those of the design; ``fixed`` maps files to their sha256.
    """

    members: int
    chunk: int
    identity: Mapping[str, str]
    columns: tuple[tuple[str, str], ...]
    names: tuple[str, ...]
    units: tuple[str, ...]
    fixed: Mapping[str, str]
    format: int = FORMAT

    @property
    def chunks(self) -> int:
        """Return the number of chunks."""
        return -(-self.members // self.chunk)

    def span(self, k: int) -> tuple[int, int]:
        """Return the members of chunk ``k``, the last one excluded."""
        return k * self.chunk, min((k + 1) * self.chunk, self.members)


def write(folder: Path, manifest: Manifest) -> None:
    """Write the manifest, with a seal over its own text."""
    write_whole(folder / NAME, _sealed(asdict(manifest)))


def read(folder: Path) -> Manifest:
    """Read and check the manifest of a store.

    Raises
    ------
    StoreError
        When the folder is no store, was changed, or is of a newer format.
    """
    path = folder / NAME
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
    if body["format"] != FORMAT:
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
