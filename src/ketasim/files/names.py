"""Names that a user wrote, which need not be any that a disk takes."""

from contextlib import suppress
from pathlib import Path


def is_file(path: Path) -> bool:
    """Say whether there is a file of this name; False where no file can have it."""
    with suppress(OSError, ValueError):
        return path.is_file()
    return False


def exists(path: Path) -> bool:
    """Say whether there is anything of this name; False where nothing can have it."""
    with suppress(OSError, ValueError):
        return path.exists()
    return False
