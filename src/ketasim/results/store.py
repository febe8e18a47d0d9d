"""A sweep on disk: a Zarr v3 group whose chunks appear whole, and are checked when read.

A new store is built aside and renamed into place, so that half a store never exists. A chunk's
``status`` is written last, so what has a status is complete; whatever is missing reads as not run
(-1). Every chunk carries a CRC-32C, everything else a sha256 in ``ketasim.json``.
"""

import asyncio
import contextlib
import json
import logging
import os
import shutil
import socket
import warnings
from collections.abc import Awaitable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.api import asynchronous
from zarr.codecs import Crc32cCodec, ZstdCodec

from ketasim.results import manifest as sealed
from ketasim.results.files import Claims, DurableStore, alive, sound, sweep_up, sync_folder
from ketasim.results.manifest import Manifest
from ketasim.results.problems import StoreError, refuse_mixing
from ketasim.results.schema import SCHEMA_VERSION, Column, Layout

if TYPE_CHECKING:
    import xarray as xr

Rows = NDArray[np.float64]
DESIGN_CHUNK = 16_384  # rows of the design written and read at once
ALWAYS = {"write_empty_chunks": True}  # a chunk that is not there must mean "not run"
Array = NDArray[Any]
LOG = logging.getLogger("ketasim.store")
QUARANTINE = "quarantine"


def create(
    path: Path,
    layout: Layout,
    identity: Mapping[str, str],
    attributes: Mapping[str, Any],
    chunk: int,
    blocks: Iterable[Rows],
) -> None:
    """Make an empty store with its design written out.

    ``blocks`` are the design's rows, ``DESIGN_CHUNK`` at a time. When another process makes the
    same store meanwhile, theirs is kept.

    Raises
    ------
    StoreError
        When something that is no store is at ``path``.
    OSError
        When the file system refuses; nothing is left behind then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    clear_abandoned(path)
    aside = path.with_name(f".{path.name}.{socket.gethostname()}-{os.getpid()}.new")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        _fill(aside, layout, identity, attributes, chunk, blocks)
        _into_place(aside, path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _into_place(aside: Path, path: Path) -> None:
    try:
        aside.rename(path)
    except OSError:
        if not (path / sealed.NAME).is_file():
            if path.exists():
                raise StoreError(f"{path}: something else is there. Use -o a new folder.") from None
            raise
    sync_folder(path.parent)


def clear_abandoned(path: Path) -> None:
    """Remove stores that died while being made."""
    mark = f".{path.name}.{socket.gethostname()}-"
    for left in path.parent.glob(f"{mark}*.new"):
        number = left.name.removeprefix(mark).removesuffix(".new")
        if number.isdigit() and os.name != "nt" and not alive(int(number)):
            shutil.rmtree(left, ignore_errors=True)


def _fill(
    folder: Path,
    layout: Layout,
    identity: Mapping[str, str],
    attributes: Mapping[str, Any],
    chunk: int,
    blocks: Iterable[Rows],
) -> None:
    coordinates = " ".join(column.name for column in layout.given)
    told = {**attributes, "schema_version": SCHEMA_VERSION, "format": sealed.FORMAT}
    plain = json.loads(json.dumps({**told, "coordinates": coordinates}, default=_plain))
    # One event loop for all arrays, in a thread of its own, as the caller's may run one already.
    with ThreadPoolExecutor(1) as alone:
        alone.submit(asyncio.run, _written(folder, layout, plain, chunk, blocks)).result()
    fixed = [one for one in folder.rglob("*") if one.is_file()]
    sealed.write(
        folder,
        Manifest(
            members=layout.members,
            chunk=chunk,
            identity=dict(identity),
            columns=tuple((c.name, c.role) for c in layout.written),
            names=tuple(c.name for c in layout.given),
            units=tuple(c.units for c in layout.given),
            fixed=sealed.hashes(folder, fixed),
        ),
    )


async def _written(*what: Any) -> None:
    """Write, and when that fails let what is under way end before the loop does."""
    try:
        await _write(*what)
    finally:
        under_way = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*under_way, return_exceptions=True)


async def _all(doing: Iterable[Awaitable[Any]]) -> list[Any]:
    """Return what each gives, once all have ended.

    Raises
    ------
    Exception
        The first that any of them raised.
    """
    found = await asyncio.gather(*doing, return_exceptions=True)
    for one in found:
        if isinstance(one, BaseException):
            raise one
    return found


async def _write(
    folder: Path, layout: Layout, attributes: Any, chunk: int, blocks: Iterable[Rows]
) -> None:
    store = DurableStore(folder)
    group = await asynchronous.open_group(store, mode="w", zarr_format=3, attributes=attributes)
    arrays = await _all(
        _array(group, column, layout, DESIGN_CHUNK if column.role == "design" else chunk)
        for column in layout.columns
    )
    await _axes(group, layout)
    given = [a for a, c in zip(arrays, layout.columns, strict=True) if c.role == "design"]
    start = 0
    for block in blocks:
        rows = slice(start, start + len(block))
        await _all(a.setitem(rows, v) for a, v in zip(given, block.T, strict=True))
        start += len(block)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # consolidated metadata is not yet in the specification
        await asynchronous.consolidate_metadata(store)


async def _array(group: Any, column: Column, layout: Layout, rows: int) -> Any:
    shape = layout.shape(column)
    return await group.create_array(
        column.name,
        shape=shape,
        chunks=(min(rows, layout.members), *shape[1:]),
        dtype=column.dtype,
        fill_value=column.empty,
        dimension_names=column.dims,
        compressors=[ZstdCodec(level=1), Crc32cCodec()],
        attributes=json.loads(json.dumps(layout.attributes(column), default=_plain)),
        config=ALWAYS,
    )


async def _axes(group: Any, layout: Layout) -> None:
    axes: dict[str, tuple[NDArray[Any], dict[str, str]]] = {
        "member": (np.arange(layout.members), {"long_name": "member"})
    }
    if layout.has_times:
        axes["time"] = (np.array(layout.times), {"units": "h", "long_name": "time"})
    for name, (values, labels) in axes.items():
        one = await group.create_array(
            name,
            shape=values.shape,
            chunks=(min(len(values), 1_000_000),),
            dtype=values.dtype,
            dimension_names=(name,),
            compressors=[ZstdCodec(level=1), Crc32cCodec()],
            attributes=labels,
            config=ALWAYS,
        )
        await one.setitem(slice(None), values)


def _plain(value: Any) -> Any:
    """Return NumPy numbers as JSON has them."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be kept in a store's attributes")


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
        self.claims = Claims(path / "claims")

    def check_identity(self, now: Mapping[str, str]) -> None:
        """Raise StoreError, with a diff, when the store was made otherwise."""
        refuse_mixing(self.path.name, self.manifest.identity, now)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the variables a chunk fills, in the order of writing."""
        return tuple(name for name, _ in self.manifest.columns)

    @cached_property
    def _arrays(self) -> Mapping[str, Any]:
        group: Any = zarr.open_group(DurableStore(self.path), mode="r+")
        return {name: group[name].with_config(ALWAYS) for name in self.names}

    def file(self, name: str, k: int) -> Path:
        """Return the file of a variable's chunk ``k``."""
        tail = "0" if self._over_time[name] else None
        return self.path.joinpath(name, "c", str(k), *([tail] if tail else []))

    @cached_property
    def _read(self) -> Any:
        return zarr.open_group(DurableStore(self.path, read_only=True), mode="r")

    @cached_property
    def _over_time(self) -> Mapping[str, bool]:
        group = self._read
        return {name: group[name].ndim == 2 for name in self.names}

    def has(self, k: int) -> bool:
        """Say whether chunk ``k`` is complete."""
        return self.file("status", k).is_file()

    def done(self) -> list[int]:
        """Return the complete chunks, in order."""
        folder = self.path / "status" / "c"
        try:
            found = [int(one.name) for one in folder.iterdir() if one.name.isdigit()]
        except FileNotFoundError:
            return []
        return sorted(k for k in found if k < self.manifest.chunks)

    def put(self, k: int, data: Mapping[str, Array]) -> None:
        """Write chunk ``k``, its status last.

        Raises
        ------
        OSError
            When the file system refuses; the chunk then counts as not run.
        """
        start, stop = self.manifest.span(k)
        for name in self.names:
            self._arrays[name][start:stop] = data[name]

    def clear(self, k: int) -> None:
        """Remove what an interrupted attempt left of a chunk."""
        for name in reversed(self.names):
            self.file(name, k).unlink(missing_ok=True)

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
            if not all(sound(self.file(name, k)) for name in self.names):
                yield k

    def set_damaged_aside(self) -> list[int]:
        """Move damaged chunks to ``quarantine/``, so that they read as not run."""
        found = [k for k in self.damaged() if k not in self.claims.mine]
        for k in found:
            first, stop = self.manifest.span(k)
            self._quarantine(k)
            LOG.warning(
                '%s chunk %d (runs %s-%s) failed its checksum; moved to %s/%s/. "ketasim resume '
                '%s" recomputes it.',
                *(self.path.name, k, f"{first:,}", f"{stop - 1:,}"),
                *(self.path.name, QUARANTINE, self.path.name),
            )
        return found

    def _quarantine(self, k: int) -> None:
        folder = self.path / QUARANTINE
        n = 0
        while (aside := folder / f"{k}-{n}").exists():
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

    def blocks(self) -> Iterator[NDArray[np.float64]]:
        """Yield all design values, a block at a time."""
        for start in range(0, self.manifest.members, DESIGN_CHUNK):
            yield self.rows(start, min(start + DESIGN_CHUNK, self.manifest.members))

    def status(self) -> NDArray[np.int8]:
        """Return how every member ended, -1 for those not run, shape (n_members,)."""
        group = self._read
        return np.asarray(group["status"][:], dtype=np.int8)

    def dataset(self) -> "xr.Dataset":
        """Return the store as a Dataset that reads from disk when asked for values."""
        import xarray as xr

        found: xr.Dataset = xr.open_zarr(DurableStore(self.path, read_only=True), chunks=None)
        variables = found.variables
        given = [*self.manifest.names, *(one for one in ("member", "time") if one in variables)]
        ordered = xr.Dataset(
            {name: variables[name] for name in self.names},
            {name: variables[name] for name in given},
            found.attrs,
        )
        return ordered


def is_store(path: Path) -> bool:
    """Say whether a folder holds a store."""
    return (path / sealed.NAME).is_file()


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
