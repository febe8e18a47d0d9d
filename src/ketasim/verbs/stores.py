"""A sweep's store, later: how far it is, going on with it, what failed, one member again."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ketasim.config import loads
from ketasim.engines.contract import METHODS, Limits
from ketasim.engines.status import Status
from ketasim.readouts import split_list
from ketasim.reports.stores import again, failure_table
from ketasim.reports.text import Table, columns
from ketasim.results import failures as failing
from ketasim.results.problems import StoreError
from ketasim.results.store import Store, open_dataset
from ketasim.studies.designs.design import Design
from ketasim.studies.sweep.workers import Listener
from ketasim.verbs.sweep import Order, design_of, listening

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, repr=False)
class StoreStatus:
    """How much of a sweep is there: chunks done of all, chunks being computed, and a sentence."""

    store: Path
    done: int
    total: int
    held: int
    sentence: str

    def __repr__(self) -> str:
        """Return what ``ketasim status`` prints."""
        lines = [f"{self.store}: {self.done:,}/{self.total:,} chunks. {self.sentence}"]
        if self.held:
            noun = "chunks are" if self.held > 1 else "chunk is"
            lines.append(f"{self.held} {noun} being computed now.")
        elif self.done < self.total:
            lines.append(f"To go on: ketasim resume {self.store}")
        return "\n".join(lines)


def status(store: str | Path) -> StoreStatus:
    """Return how much of a store is there; raises StoreError when it is none."""
    path = Path(store)
    opened = Store(path)
    opened.set_damaged_aside()
    found = opened.ended()
    where = failing.region(opened.dataset()) if failing.lost(found) else ""
    return StoreStatus(
        store=path,
        done=len(opened.done()),
        total=opened.manifest.chunks,
        held=opened.claims.count(),
        sentence=failing.told(found, where),
    )


def resume(
    store: str | Path, *, threads: int | None = None, progress: bool | Listener | None = None
) -> "xr.Dataset":
    """Compute what a store lacks; nothing that is there is computed again.

    Raises
    ------
    StoreError
        When it is no store, or was made from a Scenario: then call ``ks.sweep`` as before.
    """
    order = reopen(store)
    with listening(progress) as listener:
        return order.carry_out(threads=threads, progress=listener)


def failures(store: str | Path) -> Table:
    """Return the members that failed, with status and design values; raises StoreError."""
    return failure_table(open_dataset(Path(store)))


@dataclass(frozen=True, repr=False)
class Again:
    """One member three times: as kept, as computed now, and by the reference engine."""

    design: Design
    kept: "xr.Dataset"
    now: "xr.Dataset"
    reference: "xr.Dataset"

    def __repr__(self) -> str:
        """Return what ``ketasim rerun`` prints."""
        said = [columns(self.given.items()), f"{self.table}"]
        status = Status(int(self.now["status"][0]))
        if not status.ok:
            said.append(f"{status.name.lower()}: {status.sentence}.")
        return "\n".join([*said, self.verdict])

    @property
    def given(self) -> Mapping[str, str]:
        """Return the member's design values by name, with units, to the last digit."""
        one = self.design
        row = zip(one.names, one.units, one.rows(0, 1)[0], strict=True)
        return {name: f"{float(value)!r} {unit}" for name, unit, value in row}

    @property
    def table(self) -> Table:
        """Return kept row, row computed now, the reference's, and the relative difference."""
        return again(self.kept, self.now, self.reference)

    @property
    def was_run(self) -> bool:
        """Return whether the store had this member."""
        return int(self.kept["status"][0]) != Status.NOT_RUN

    @property
    def same(self) -> bool:
        """Return whether the row computed now is the one kept, bit for bit."""
        alike = all(
            np.array_equal(self.kept[n].to_numpy(), self.now[n].to_numpy(), equal_nan=True)
            for n in self.now.data_vars
            if self.now[n].dtype.kind == "f"
        )
        return alike and int(self.kept["status"][0]) == int(self.now["status"][0])

    @property
    def verdict(self) -> str:
        """Return in a sentence whether the row is still what the store says."""
        if not self.was_run:
            return "kept: this member has not been run yet."
        if self.same:
            return "again = kept, bit for bit."
        return "again differs from what is kept: another processor or version made the store."


def rerun(store: str | Path, member: int) -> Again:
    """Run one member of a store again, exactly, and once more with the reference engine.

    Raises
    ------
    StoreError
        When it is no store, or was made from a Scenario.
    ConfigError
        When it has no such member.
    """
    order = reopen(store)
    alone = order.design.member(member)
    kept = Store(Path(store)).dataset().isel(member=[member]).load()
    by = {engine: _alone(order, alone, engine) for engine in (order.how["engine"], "reference")}
    return Again(alone, kept, by[order.how["engine"]], by["reference"])


def _alone(order: Order, design: Design, engine: str) -> "xr.Dataset":
    how = {**order.how, "chunk": 1, "engine": engine}
    return replace(order, design=design, store=None, how=how, attributes={}).carry_out(threads=1)


def reopen(store: str | Path) -> Order:
    """Return what a store was ordered with.

    Raises
    ------
    StoreError
        When it is no store, or was made by a Python script, which then is the way to go on.
    """
    path = Path(store)
    opened = Store(path)
    attributes = opened.attributes
    text = attributes.get("scenario")
    if not isinstance(text, str):
        raise StoreError(
            f"{path}: made from Python, so its question is not in it. Run the same script again."
        )
    setup = loads(text, source=f"{path.name}: scenario")
    identity = opened.manifest.identity
    return Order(
        scenario=setup.scenario,
        design=design_of(opened),
        store=path,
        keep={
            "summaries": split_list(identity["summaries"]),
            "record": split_list(identity["record"]),
        },
        how=_how(identity, opened.manifest.chunk),
        attributes={
            name: attributes[name] for name in ("scenario", "config") if name in attributes
        },
    )


def _how(identity: Mapping[str, Any], chunk: int) -> dict[str, Any]:
    ran = identity["method"]
    steps, seconds = re.findall(r"\d[\d.e+-]*", identity["limits"])
    return {
        "engine": identity["engine"],
        "method": ran if ran in METHODS else METHODS[0],
        "rtol": float(identity["rtol"]),
        "chunk": chunk,
        "limits": Limits(int(steps), float(seconds)),
        "allow_looser": identity["allow_looser"] == "True",
    }
