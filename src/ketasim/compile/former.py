"""What versions before this one kept in the cache folder, which nothing reads any more.

They had numba compile kernels: a module's text, and numba's index and code beside it or in a folder
of their own. Only what is named so, and is this user's alone, is removed.
"""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from ketasim.files import owned

_NAME = r"kernel_[0-9a-f]{24}"
_TEXT = re.compile(rf"{_NAME}\.py")
_CODE = re.compile(rf"{_NAME}(?:\.[\w.-]+\.nb[ic]|\.cpython-[\w.-]+\.pyc)")
_FOLDER = re.compile(rf"{_NAME}-[0-9a-f]{{8}}")
_SEAL = "seal.json"


def clear(folder: Path) -> tuple[int, int]:
    """Remove kernels of former versions; returns how many files, and of how many bytes."""
    files = size = 0
    for one in list(_found(folder)):
        with contextlib.suppress(OSError):
            bytes_ = one.lstat().st_size
            one.unlink()
            files, size = files + 1, size + bytes_
    for one in {folder / "__pycache__", *folder.glob("kernel_*-*")}:
        with contextlib.suppress(OSError):
            if not owned.fault(one) and not any(one.iterdir()):
                one.rmdir()
    return files, size


def _found(folder: Path) -> Iterator[Path]:
    """Yield the files."""
    for one in _inside(folder):
        if _TEXT.fullmatch(one.name):
            yield one
        elif _FOLDER.fullmatch(one.name):
            kept = list(_inside(one))
            names = {each.name for each in kept}
            if names - {_SEAL} and all(map(_is_former, names - {_SEAL})):
                yield from kept
    yield from (one for one in _inside(folder / "__pycache__") if _CODE.fullmatch(one.name))


def _is_former(name: str) -> bool:
    return bool(_TEXT.fullmatch(name) or _CODE.fullmatch(name))


def _inside(folder: Path) -> Iterator[Path]:
    """Yield what is in a folder and this user's alone; nothing where the folder is not."""
    with contextlib.suppress(OSError):
        if not owned.fault(folder):
            yield from (one for one in folder.iterdir() if not owned.fault(one))
