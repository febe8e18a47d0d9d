"""A new store, built aside and renamed into place, so that half a store never exists."""

import asyncio
import json
import os
import shutil
import socket
import warnings
from collections.abc import Awaitable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from zarr.api import asynchronous
from zarr.codecs import Crc32cCodec, ZstdCodec

from ketasim.results import manifest as sealed
from ketasim.results.columns import Column, Layout
from ketasim.results.durable import DurableStore, alive, sync_folder
from ketasim.results.manifest import Manifest
from ketasim.results.problems import StoreError
from ketasim.results.schema import SCHEMA_VERSION

Array = NDArray[np.float64]
DESIGN_CHUNK = 16_384  # rows of the design written and read at once
ALWAYS = {"write_empty_chunks": True}  # a chunk that is not there must mean "not run"


def create(
    path: Path,
    layout: Layout,
    identity: Mapping[str, str],
    attributes: Mapping[str, Any],
    chunk: int,
    blocks: Iterable[Array],
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
    blocks: Iterable[Array],
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
    folder: Path, layout: Layout, attributes: Any, chunk: int, blocks: Iterable[Array]
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
