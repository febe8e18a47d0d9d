"""A sweep on disk: a Zarr v3 group whose chunks appear whole, and are checked when read.

A new store is built aside and renamed into place, so that half a store never exists. A chunk's
``status`` is written last, so what has a status is complete; whatever is missing reads as not run
(-1). Every chunk carries a CRC-32C and a digest bound to its array, its place and its store,
everything else a sha256 in the manifest. A design is kept as what it is drawn from; its values are
written with the chunks they were used for, and beforehand only where they are a table.
"""

import asyncio
import contextlib
import json
import logging
import shutil
import warnings
from collections import Counter
from collections.abc import Awaitable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.api import asynchronous
from zarr.codecs import Crc32cCodec, ZstdCodec

from ketasim.files.whole import aside_of, drop_asides, put_folder, sweep_up
from ketasim.results import manifest as sealed
from ketasim.results.claims import Claims
from ketasim.results.failures import named
from ketasim.results.files import DurableStore, belongs, intact
from ketasim.results.manifest import HOME, Manifest
from ketasim.results.problems import StoreError, refuse_mixing
from ketasim.results.schema import SCHEMA_VERSION, Column, Layout

if TYPE_CHECKING:
    import xarray as xr

Rows = NDArray[np.float64]
DESIGN_CHUNK = 16_384  # rows of a table written and read at once
AT_ONCE = 100_000  # members counted, or numbered in a coordinate, at once
INDEXED = 10_000_000  # members up to which they are numbered in a coordinate, 8 bytes each
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
    blocks: Iterable[Rows] | None,
) -> None:
    """Make an empty store.

    ``blocks`` are the rows of a table, ``DESIGN_CHUNK`` at a time, or None where a design's values
    follow from its description. When another process makes the same store meanwhile, theirs is
    kept.

    Raises
    ------
    StoreError
        When something that is no store is at ``path``.
    OSError
        When the file system refuses; nothing is left behind then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep_up(path.parent, deep=False)  # stores that died while being made
    aside = aside_of(path)
    try:
        _fill(aside, layout, identity, attributes, chunk, blocks)
        if not put_folder(aside, path) and not is_store(path):
            raise StoreError(f"{path}: something else is there. Use -o a new folder.")
    except FileExistsError:
        raise StoreError(f"{path}: something else is there. Use -o a new folder.") from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _fill(
    folder: Path,
    layout: Layout,
    identity: Mapping[str, str],
    attributes: Mapping[str, Any],
    chunk: int,
    blocks: Iterable[Rows] | None,
) -> None:
    coordinates = " ".join(column.name for column in layout.given)
    told = {**attributes, "schema_version": SCHEMA_VERSION, "format": sealed.FORMAT}
    plain = json.loads(json.dumps({**told, "coordinates": coordinates}, default=_plain))
    filled = layout.written if blocks is not None else (*layout.given, *layout.written)
    made = Manifest(
        members=layout.members,
        chunk=chunk,
        identity=dict(identity),
        columns=tuple((c.name, c.role) for c in filled),
        names=tuple(c.name for c in layout.given),
        units=tuple(c.units for c in layout.given),
        fixed={},
    )
    store = DurableStore(folder, of=made.id)
    # One event loop for all arrays, in a thread of its own, as the caller's may run one already.
    with ThreadPoolExecutor(1) as alone:
        alone.submit(asyncio.run, _written(store, layout, plain, chunk, blocks)).result()
    fixed = [one for one in folder.rglob("*") if one.is_file()]
    sealed.write(folder, replace(made, fixed=sealed.hashes(folder, fixed)))


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
    store: DurableStore,
    layout: Layout,
    attributes: Any,
    chunk: int,
    blocks: Iterable[Rows] | None,
) -> None:
    group = await asynchronous.open_group(store, mode="w", zarr_format=3, attributes=attributes)
    await group.create_group(HOME)
    table = blocks is not None
    arrays = await _all(
        _array(group, c, layout, DESIGN_CHUNK if table and c.role == "design" else chunk)
        for c in layout.columns
    )
    await _axes(group, layout)
    given = [a for a, c in zip(arrays, layout.columns, strict=True) if c.role == "design"]
    start = 0
    for block in blocks or ():
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
    axes: dict[str, tuple[range | NDArray[Any], dict[str, str]]] = {}
    if layout.members <= INDEXED:
        axes["member"] = range(layout.members), {"long_name": "member"}
    if layout.has_times:
        axes["time"] = (np.array(layout.times), {"units": "h", "long_name": "time"})
    for name, (values, labels) in axes.items():
        one = await group.create_array(
            name,
            shape=(len(values),),
            chunks=(min(len(values), AT_ONCE),),
            dtype=np.asarray(values[:1]).dtype,
            dimension_names=(name,),
            compressors=[ZstdCodec(level=1), Crc32cCodec()],
            attributes=labels,
            config=ALWAYS,
        )
        for start in range(0, len(values), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            await one.setitem(part, np.asarray(values[part]))


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
        """Remove what an interrupted attempt left of a chunk, written or half written."""
        for name in reversed(self.names):
            file = self.file(name, k)
            file.unlink(missing_ok=True)
            if k in self.claims.inherited:
                drop_asides(file)

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
