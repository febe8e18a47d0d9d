"""A sampler's stages as files: what was killed goes on from the last stage to the same numbers."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ketasim.files.whole import write_whole
from ketasim.results.problems import StoreError, refuse_mixing
from ketasim.studies.posterior.proposal import Arrays


@dataclass(frozen=True)
class Kept:
    """Where one run of a sampler is kept, a file that is whole or the one before.

    ``made`` says what its numbers depend on; a file that was made otherwise is refused.
    """

    path: Path
    made: Mapping[str, str] = field(default_factory=dict)

    def save(self, arrays: Arrays, told: Mapping[str, Any]) -> None:
        """Keep a stage: arrays, and what JSON can hold."""
        text = json.dumps({"made": dict(self.made), "told": dict(told)})
        held = io.BytesIO()
        np.savez(held, allow_pickle=False, told=np.array(text), **arrays)
        write_whole(self.path, held.getvalue())

    def load(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
        """Return the last stage that was kept, or None.

        Raises
        ------
        StoreError
            When it was made otherwise, with a line for each difference, or cannot be read.
        """
        if not self.path.is_file():
            return None
        try:
            with np.load(self.path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            whole = json.loads(str(arrays.pop("told")))
        except (OSError, ValueError, KeyError, BadZipFile):
            raise StoreError(
                f"{self.path}: not a stage of a sampler, or damaged. Remove it, or choose another "
                "folder with -o."
            ) from None
        refuse_mixing(self.path.name, whole["made"], self.made, what="posterior")
        return arrays, whole["told"]
