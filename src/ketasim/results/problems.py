"""What can go wrong with a store, and the exit code each deserves."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ketasim.errors import KetasimError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class StoreError(KetasimError, RuntimeError):
    """A store was made otherwise, is not one, or is damaged beyond one chunk."""


class StoreWriteError(StoreError):
    """A store cannot be written; everything written before is whole."""

    exit_code = 4


def size(n: float) -> str:
    """Return a number of bytes as people say it."""
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if n >= unit:
            return f"{n / unit:.3g} {name}"
    return f"{n:.0f} bytes"


@contextmanager
def writing(root: Path, needed: float) -> Iterator[None]:
    """Turn what the file system refuses into a sentence with the bytes still ``needed``."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StoreWriteError(
                f"{root}: the disk is full; about {size(needed)} more are needed. Everything "
                "written so far is whole: make room and give the same command again."
            ) from error
        raise StoreWriteError(
            f"{root}: cannot be written ({error.strerror or error}). Everything written so far is "
            "whole: when it can be written again, give the same command."
        ) from error
