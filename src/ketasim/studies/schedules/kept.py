"""What was computed so far, by the point it was computed at; in a file, where there is one.

A search asks for values at points, and which points follow from the values. So a search that was
stopped asks for the same ones again, finds them here, and goes on to the same end.
"""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ketasim.results.files import Rows

Array = NDArray[np.float64]


class Kept:
    """Arrays by a key of text and points, of which a file of rows keeps a copy."""

    def __init__(self, rows: Rows | None = None) -> None:
        self.rows = rows
        found = [] if rows is None else rows.found
        self._known = {str(one["key"]): _read(one["values"]) for one in found}
        self.found, self.computed = len(self._known), 0

    def get(self, key: str) -> Array | None:
        """Return what is known under a key."""
        return self._known.get(key)

    def put(self, key: str, values: Array) -> None:
        """Keep values under a key, on disk too where there is a file."""
        self._known[key] = values
        self.computed += 1
        if self.rows is not None:
            plain: Any = [[_plain(x) for x in row] for row in values.tolist()]
            self.rows.add({"key": key, "values": plain})


def key_of(text: str, points: Array) -> str:
    """Return the key of values at points, the same on every machine."""
    digest = hashlib.sha256(np.ascontiguousarray(points, dtype="<f8").tobytes())
    return f"{text} {digest.hexdigest()[:24]}"


def _plain(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _read(rows: Any) -> Array:
    return np.array([[np.nan if x is None else x for x in row] for row in rows], dtype=float)
