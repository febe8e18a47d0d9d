"""Files for the user, all new or none: what was there before stays when anything goes wrong."""

import errno
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ketasim.errors import ConfigError
from ketasim.files.whole import whole_files
from ketasim.results.problems import FULL, StoreWriteError

SCARCE = 1_000_000  # bytes left on a disk that is taken for full when a library says only "error"


class Full(StoreWriteError):
    """A disk has no room for an answer; what was there before is still there."""


@contextmanager
def files_in(folder: Path, *, last: str = "", name: Path | None = None) -> Iterator[Path]:
    """Yield where to write an answer's files, which then are put into ``folder``, all or none.

    ``last`` is put there after the others: it tells that they are whole. ``name`` is what is said
    not to be written where the system does not say.

    Raises
    ------
    ConfigError
        When the folder cannot be written; Full (exit code 4) when the disk has no room.
    """
    aside = folder
    try:
        with whole_files(folder, last=last) as aside:
            yield aside
    except (OSError, RuntimeError, ConfigError) as error:
        cause = _refused(error, folder)
        if cause is None:
            raise
        told = str(cause.filename or name or folder).replace(str(aside), str(folder))
        if cause.errno in FULL:
            raise Full(
                f"{told}: the disk is full. What was there before is unchanged: make room and give "
                "the same command again."
            ) from error
        raise ConfigError(f"{told}: cannot be written ({cause.strerror or cause}).") from error


@contextmanager
def file_at(path: Path) -> Iterator[Path]:
    """Yield where to write one file, which then is put at ``path``; see :func:`files_in`."""
    if path.is_dir():
        raise ConfigError(f"{path}: cannot be written (it is a folder).")
    with files_in(path.parent, name=path) as aside:
        yield aside / path.name


def put_in(folder: Path, files: Iterable[Path]) -> list[Path]:
    """Return where files are that were written aside for ``folder``."""
    return [folder / one.name for one in files]


def _refused(error: BaseException | None, folder: Path) -> OSError | None:
    """Return what the file system refused, or None for an error of another kind."""
    whole = error
    while error is not None:
        if isinstance(error, OSError) and error.errno is not None:
            return error
        error = error.__cause__ or error.__context__
    if isinstance(whole, RuntimeError) and "NetCDF" in str(whole):
        free = shutil.disk_usage(folder).free
        code = errno.ENOSPC if free < SCARCE else errno.EIO
        return OSError(code, str(whole), str(folder))
    return None
