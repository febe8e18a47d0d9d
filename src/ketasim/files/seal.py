"""Digests bound to what is kept and where, so that nothing passes for what it was not kept as."""

import hashlib
from collections.abc import Mapping


def seal(where: str, *parts: bytes) -> bytes:
    """Return the digest (32 bytes) of bytes kept as ``where``; no two lists of parts share one."""
    found = hashlib.sha256(b"ketasim\0")
    for part in (where.encode(), *parts):
        found.update(len(part).to_bytes(8, "little"))
        found.update(part)
    return found.digest()


def seal_of_files(where: str, files: Mapping[str, bytes]) -> str:
    """Return one digest, as text, of files by their names."""
    listed = [part for name in sorted(files) for part in (name.encode(), files[name])]
    return seal(where, *listed).hex()
