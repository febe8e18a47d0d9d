"""A sweep on disk: a Zarr v3 group whose chunks appear whole, and are checked when read.

A new store is built aside and renamed into place, so that half a store never exists. A chunk's
``status`` is written last, so what has a status is complete; whatever is missing reads as not run
(-1). Every chunk carries a CRC-32C and a digest bound to its array, its place and its store,
everything else a sha256 in the manifest. A design is kept as what it is drawn from; its values are
written with the chunks they were used for, and beforehand only where they are a table.
"""

import contextlib
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import zarr
from numpy.typing import NDArray

from ketasim.files.whole import drop_asides, sweep_up
from ketasim.results import manifest as sealed
from ketasim.results.claims import Claims
from ketasim.results.failures import named
from ketasim.results.files import DurableStore, belongs, intact
from ketasim.results.making import ALWAYS, AT_ONCE, apart, together
from ketasim.results.manifest import HOME, Manifest
from ketasim.results.problems import refuse_mixing

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[Any]
LOG = logging.getLogger("ketasim.store")
QUARANTINE = "quarantine"


class Store:
    """One store, as this process sees it.

    Raises
    ------
    StoreError
        When the folder is no store, or something in it that never changes was changed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest: Manifest = sealed.read(path)
        sealed.check_fixed(path, self.manifest)
        home = path if self.manifest.format < 2 else path / HOME
        self.claims, self.aside = Claims(home / "claims"), home / QUARANTINE

    def check_identity(self, now: Mapping[str, str]) -> None:
        """Raise StoreError, with a diff, when the store was made otherwise."""
        refuse_mixing(self.path.name, self.manifest.identity, now)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the variables a chunk fills, in the order of writing."""
        return tuple(name for name, _ in self.manifest.columns)

    @cached_property
    def _arrays(self) -> Mapping[str, Any]:
        group: Any = zarr.open_group(self._durable(read_only=False), mode="r+")
        return {name: group[name].with_config(ALWAYS) for name in self.names}

    def file(self, name: str, k: int) -> Path:
        """Return the file of a variable's chunk ``k``."""
        tail = "0" if self._over_time[name] else None
        return self.path.joinpath(name, "c", str(k), *([tail] if tail else []))

    def _durable(self, *, read_only: bool = True) -> DurableStore:
        return DurableStore(self.path, of=self.manifest.id, read_only=read_only)

    @property
    def is_recipe(self) -> bool:
        """Say whether the design's values follow from its description, and come with the chunks."""
        return any(role == "design" for _, role in self.manifest.columns)

    @cached_property
    def _read(self) -> Any:
        return zarr.open_group(self._durable(), mode="r")

    @cached_property
    def _over_time(self) -> Mapping[str, bool]:
        group = self._read
        return {name: group[name].ndim == 2 for name in self.names}

    def has(self, k: int) -> bool:
        """Say whether chunk ``k`` is complete."""
        return self.path.joinpath("status", "c", str(k)).is_file()

    def done(self) -> list[int]:
        """Return the complete chunks, in order."""
        folder = self.path / "status" / "c"
        try:
            found = [int(one.name) for one in folder.iterdir() if one.name.isdigit()]
        except FileNotFoundError:
            return []
        return sorted(k for k in found if k < self.manifest.chunks)

    def put(self, k: int, data: Mapping[str, Array]) -> None:
        """Write chunk ``k``, its status last and all else at once, so that they wait for one disk.

        Raises
        ------
        OSError
            When the file system refuses; the chunk then counts as not run.
        """
        span = slice(*self.manifest.span(k))
        *others, last = self.names
        arrays = self._arrays
        apart(together(arrays[name].async_array.setitem(span, data[name]) for name in others))
        arrays[last][span] = data[last]

    def clear(self, k: int) -> None:
        """Remove what an interrupted attempt left half written of a chunk.

        What it wrote whole stays, and is replaced by the same: somebody else may be at it too (a
        lease that was broken too early), and a chunk with a status must have all its files.
        """
        if k in self.claims.inherited:
            for name in self.names:
                drop_asides(self.file(name, k))

    def failed(self, k: int) -> int:
        """Return how many members of a complete chunk have no usable values."""
        start, stop = self.manifest.span(k)
        status = np.asarray(self._arrays["status"][start:stop])
        return int(np.count_nonzero((status != 0) & (status != 1)))

    def recover(self) -> tuple[int, list[int]]:
        """Clean up after whoever died here.

        Returns
        -------
        tuple
            How many partial files were removed, and which chunks were damaged and set aside.
        """
        removed = sweep_up(self.path)
        self.claims.clear_stale()
        return removed, self.set_damaged_aside()

    def damaged(self) -> Iterator[int]:
        """Yield the complete chunks of which a file is missing or fails its checksum."""
        for k in self.done():
            if not all(self.is_sound(name, k) for name in self.names):
                yield k

    def is_sound(self, name: str, k: int) -> bool:
        """Say whether a variable's chunk is there, whole, and the one that belongs there."""
        file = self.file(name, k)
        try:
            data = file.read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return False
        of = self.manifest.id
        return intact(data) and (
            of is None or belongs(data, of, file.relative_to(self.path).as_posix())
        )

    def set_damaged_aside(self) -> list[int]:
        """Move damaged chunks to ``quarantine/``, so that they read as not run."""
        found = [k for k in self.damaged() if k not in self.claims.mine]
        for k in found:
            first, stop = self.manifest.span(k)
            self._quarantine(k)
            LOG.warning(
                '%s chunk %d (runs %s-%s) failed its checksum; moved to %s/. "ketasim resume %s" '
                "recomputes it.",
                *(self.path.name, k, f"{first:,}", f"{stop - 1:,}"),
                self.aside.relative_to(self.path.parent).as_posix(),
                self.path.name,
            )
        return found

    def _quarantine(self, k: int) -> None:
        n = 0
        while (aside := self.aside / f"{k}-{n}").exists():
            n += 1
        aside.mkdir(parents=True)
        for name in reversed(self.names):
            with contextlib.suppress(FileNotFoundError):
                self.file(name, k).replace(aside / name)

    def rows(self, start: int, stop: int) -> NDArray[np.float64]:
        """Return design values (stop - start, n_names) as they were given."""
        group = self._read
        names = self.manifest.names
        found = np.empty((stop - start, len(names)))
        for k, name in enumerate(names):
            found[:, k] = group[name][start:stop]
        return found

    def status(self) -> NDArray[np.int8]:
        """Return how every member ended, -1 for those not run, shape (n_members,)."""
        group = self._read
        return np.asarray(group["status"][:], dtype=np.int8)

    @property
    def attributes(self) -> Mapping[str, Any]:
        """Return what the store tells of itself."""
        return dict(self._read.attrs)

    def ended(self) -> Mapping[str, int]:
        """Return how many members ended in each way by its name, most frequent first."""
        kept, found = self._read["status"], Counter[int]()
        for start in range(0, self.manifest.members, AT_ONCE):
            found.update(np.asarray(kept[start : start + AT_ONCE]).tolist())
        return named(found, kept.attrs)

    def dataset(self) -> "xr.Dataset":
        """Return the store as a Dataset that reads from disk when asked for values."""
        import xarray as xr

        found: xr.Dataset = xr.open_zarr(self._durable(), chunks=None, drop_variables="member")
        variables = {str(name): one for name, one in found.variables.items()}
        if "member" in self._read:  # known without reading it, which would hold it several times
            labels, index = dict(self._read["member"].attrs), np.arange(self.manifest.members)
            variables["member"] = xr.Variable(("member",), index, labels)
        filled = [name for name, role in self.manifest.columns if role != "design"]
        given = [*self.manifest.names, *(one for one in ("member", "time") if one in variables)]
        ordered = xr.Dataset(
            {name: variables[name] for name in filled},
            {name: variables[name] for name in given},
            found.attrs,
        )
        return ordered


def is_store(path: Path) -> bool:
    """Say whether a folder holds a store."""
    return sealed.is_there(path)


def open_dataset(path: Path) -> "xr.Dataset":
    """Open a store for reading, damaged chunks set aside.

    Raises
    ------
    StoreError
        When it is no store, or is damaged beyond single chunks.
    """
    store = Store(path)
    store.set_damaged_aside()
    return store.dataset()
