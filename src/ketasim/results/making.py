"""A new store: built aside, all its arrays empty, and put in its place whole."""

import asyncio
import json
import shutil
import warnings
from collections.abc import Awaitable, Coroutine, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from zarr.api import asynchronous
from zarr.codecs import Crc32cCodec, ZstdCodec

from ketasim.files.whole import aside_of, put_folder, sweep_up
from ketasim.results import manifest as sealed
from ketasim.results.files import DurableStore
from ketasim.results.manifest import HOME, Manifest
from ketasim.results.problems import StoreError
from ketasim.results.schema import SCHEMA_VERSION, Column, Layout

Rows = NDArray[np.float64]
DESIGN_CHUNK = 16_384  # rows of a table written and read at once
AT_ONCE = 100_000  # members numbered in a coordinate, or counted, at once
INDEXED = 10_000_000  # members up to which they are numbered, 8 bytes each
ALWAYS = {"write_empty_chunks": True}  # a chunk that is not there must mean "not run"


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
        if not put_folder(aside, path) and not sealed.is_there(path):
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
    apart(_written(store, layout, plain, chunk, blocks))
    fixed = [one for one in folder.rglob("*") if one.is_file()]
    sealed.write(folder, replace(made, fixed=sealed.hashes(folder, fixed)))


async def _written(*what: Any) -> None:
    """Write, and when that fails let what is under way end before the loop does."""
    try:
        await _write(*what)
    finally:
        under_way = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*under_way, return_exceptions=True)


def apart(doing: Coroutine[Any, Any, Any]) -> None:
    """Run one event loop for all arrays, in a thread of its own: the caller's may run another."""
    with ThreadPoolExecutor(1) as alone:
        alone.submit(asyncio.run, doing).result()


async def together(doing: Iterable[Awaitable[Any]]) -> list[Any]:
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
    arrays = await together(
        _array(group, c, layout, DESIGN_CHUNK if table and c.role == "design" else chunk)
        for c in layout.columns
    )
    await _axes(group, layout)
    given = [a for a, c in zip(arrays, layout.columns, strict=True) if c.role == "design"]
    start = 0
    for block in blocks or ():
        rows = slice(start, start + len(block))
        await together(a.setitem(rows, v) for a, v in zip(given, block.T, strict=True))
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
