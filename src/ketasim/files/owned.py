"""Is a folder this user's alone? What others can write is not believed, and never run."""

import os
import stat
from pathlib import Path

PRIVATE = 0o700
_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def fault(path: Path) -> str:
    """Return in words why what is at ``path`` is not believed, or '' where this user alone writes.

    Raises
    ------
    OSError
        When there is nothing there, or it cannot be looked at.
    """
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        return "is a link"
    if not hasattr(os, "geteuid"):
        return ""
    if found.st_uid != os.geteuid():
        return f"belongs to user {found.st_uid}, not to you"
    if found.st_mode & _OTHERS:
        return f"can be written by others (mode {stat.S_IMODE(found.st_mode):04o})"
    return ""


def make_private(folder: Path) -> str:
    """Make a folder for this user alone, or return why the one that is there is not used.

    Raises
    ------
    OSError
        When it cannot be made.
    """
    real = folder.resolve()  # a link to a folder of one's own is fine; what counts is its end
    real.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    if not real.is_dir():
        return "is not a folder"
    return fault(real)
