"""What a long study has finished so far, on disk: arrays under the name of a question."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import ketasim
from ketasim.files.whole import write_whole

ENDING = ".npz"


class Folder:
    """A folder of arrays by key; other versions of the package and broken files are not read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def get(self, key: str) -> Mapping[str, NDArray[Any]] | None:
        """Return what was put under a key by this version, or None."""
        try:
            held = io.BytesIO(self._file(key).read_bytes())
            with np.load(held, allow_pickle=False) as found:
                return {name: found[name] for name in found.files}
        except (OSError, ValueError, zipfile.BadZipFile, EOFError, KeyError):
            return None

    def put(self, key: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write arrays under a key, whole or not at all.

        Raises
        ------
        OSError
            When the folder cannot be written.
        """
        held = io.BytesIO()
        np.savez_compressed(held, allow_pickle=False, **arrays)
        write_whole(self._file(key), held.getvalue())

    def _file(self, key: str) -> Path:
        return self.path / f"{key}-{ketasim.__version__}{ENDING}"
