"""One scenario for many values: an order, carried out or only planned."""

import warnings
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ketasim.config import dump
from ketasim.core.scenario import Scenario
from ketasim.engines.contract import MEMBER, Limits
from ketasim.errors import KetasimWarning
from ketasim.studies import sweep as sweeps
from ketasim.studies.cautions import cautions_of, kept
from ketasim.studies.designs.design import Design
from ketasim.studies.sweep.estimate import Estimate, estimate
from ketasim.studies.sweep.job import as_design
from ketasim.studies.sweep.workers import Bar, Listener
from ketasim.verbs.run import Question, Tell, setup_of, warned

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Order:
    """A sweep read and checked.

    Parameters
    ----------
    scenario, design
        What each member starts from, and what it gets.
    store
        A folder for the result, or None for memory.
    keep
        ``summaries`` and ``record``.
    how
        ``engine``, ``method``, ``rtol``, ``chunk``, ``limits``, ``allow_looser``.
    attributes
        Told by the result beside its own; the scenario's text lets a store be resumed.
    """

    scenario: Scenario
    design: Design
    store: Path | None
    keep: Mapping[str, Any]
    how: Mapping[str, Any]
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def carry_out(
        self,
        *,
        threads: int | None = None,
        shard: tuple[int, int] | None = None,
        progress: Listener | None = None,
    ) -> "xr.Dataset":
        """Compute what is lacking and return the result; see :func:`ketasim.sweep`.

        Cautions are not said: whoever wrote the order has heard them.
        """
        with warnings.catch_warnings(action="ignore", category=KetasimWarning):
            return sweeps.sweep(
                self.scenario,
                self.design,
                store=self.store,
                threads=threads,
                shard=shard,
                progress=progress,
                attributes=self.attributes,
                **self.keep,
                **self.how,
            )

    def plan(self, *, threads: int | None = None) -> Estimate:
        """Return what carrying it out would take."""
        asked = {**self.keep, **self.how}
        return estimate(self.scenario, self.design, threads=threads, **asked)


def sweep(
    what: Question,
    design: Any,
    *,
    sets: Iterable[str] = (),
    store: str | Path | None = None,
    record: Iterable[str] = (),
    summaries: str | Iterable[str] = (),
    seed: Any = 0,
    threads: int | None = None,
    engine: str | None = None,
    method: str | None = None,
    rtol: float | None = None,
    chunk: int | None = None,
    limits: Limits = MEMBER,
    allow_looser: bool = False,
    progress: bool | Listener | None = None,
    shard: tuple[int, int] | None = None,
    attributes: Mapping[str, Any] | None = None,
    tell: Tell = warned,
) -> "xr.Dataset":
    """Run one scenario for every member of a design.

    Parameters
    ----------
    what
        A configuration's name, a TOML file, a Setup or a Scenario; its times [h] are the output
        times. A store made from a name, a file or a Setup can be resumed from the command line.
    design
        From :mod:`ketasim.studies.designs`; or a mapping of names to values (a grid),
        ``'sobol:4096'``, or a table (CSV path, DataFrame, Dataset).
    sets
        Changes to a file or named configuration, such as ``"output.until=3 d"``.
    store
        A folder for a chunked Zarr store. The same call again resumes it. Without one the result
        is kept in memory.
    record
        Names whose full time courses are kept, at the scenario's times.
    summaries
        Read-outs such as ``"spines.peak"`` or ``"fold = spines@24h / spines@0h"``, taken of the
        solution whatever the times; see :mod:`ketasim.readouts`. With neither, the scenario's
        recorded courses are kept, or the peaks of everything when it names none.
    seed
        For a design given as text; a member's draw depends on it and on its index only.
    threads
        How many chunks are computed at once; by default one a core. No number depends on it.
    engine
        ``'ensemble'`` (compiled) or ``'reference'`` (SciPy, with ``method``); by default what the
        configuration says, else the ensemble engine.
    method, rtol
        What the configuration says when not given; where it says nothing, LSODA for the reference
        engine, and the engine's own tolerance (1e-6 ensemble, 1e-7 reference). It is never
        loosened, unless ``allow_looser`` adds a last attempt at 100 times as much, told in the
        variable ``rtol``.
    chunk
        Members computed and stored together; no number depends on it.
    limits
        What one attempt at one member may spend.
    progress
        True shows a bar, in a terminal or in a notebook; or a function called with
        :class:`~ketasim.studies.sweep.workers.Progress` after every chunk and several times a
        second; when it returns True, chunks in hand are finished and the sweep stops.
    shard
        ``(i, n)`` computes every n-th chunk only, for batch jobs that share one store.
    attributes
        Told by the result beside its own attributes.
    tell
        Hears each caution, such as an unusual dose; a KetasimWarning by default.

    Returns
    -------
    xarray.Dataset
        One row a member: design values as coordinates, summaries ``(member)``, time courses
        ``(member, time)``, ``steps`` and ``status``; NaN where a member has no value.

    Raises
    ------
    ConfigError, ModelError, UnitError, ProtocolError
        When something cannot be carried out; nothing has been integrated then.
    StoreError
        When the store was made otherwise, is damaged, or cannot be written.
    """
    setup = setup_of(what, sets=sets)
    table = as_design(design, setup.scenario, seed)
    cautions = cautions_of(setup.scenario, table, doses=not setup.allow_unusual_dose)
    for caution in cautions:
        tell(caution)
    told = {} if isinstance(what, Scenario) else {"scenario": dump(setup)}
    if isinstance(what, str | Path):
        told["config"] = Path(what).name
    told["cautions"] = kept(cautions)
    order = Order(
        scenario=setup.scenario,
        design=table,
        store=None if store is None else Path(store),
        keep={"summaries": summaries, "record": record},
        how={
            "engine": engine or setup.engine or "ensemble",
            "method": method or setup.method,
            "rtol": setup.rtol if rtol is None else rtol,
            "chunk": chunk,
            "limits": limits,
            "allow_looser": allow_looser,
        },
        attributes={**told, **(attributes or {})},
    )
    with listening(progress) as listener:
        return order.carry_out(threads=threads, shard=shard, progress=listener)


def listening(progress: bool | Listener | None) -> "Bar | nullcontext[Listener | None]":  # noqa: FBT001
    """Return a context that yields what a sweep reports to: a bar for True, nothing for False."""
    if progress is True:
        return Bar()
    return nullcontext(None if progress is False else progress)


def plan(
    what: Question,
    design: Any,
    *,
    sets: Iterable[str] = (),
    record: Iterable[str] = (),
    summaries: str | Iterable[str] = (),
    seed: Any = 0,
    threads: int | None = None,
    engine: str | None = None,
) -> Estimate:
    """Return what :func:`sweep` with the same arguments would take.

    A kernel is compiled where none is at hand, and the first members are run for about a second.

    Raises
    ------
    ConfigError, ModelError, UnitError, ProtocolError
        When the sweep could not be carried out.
    """
    setup = setup_of(what, sets=sets)
    keep = {"summaries": summaries, "record": record}
    chosen = engine or setup.engine or "ensemble"
    how = {"engine": chosen, "method": setup.method, "rtol": setup.rtol}
    table = as_design(design, setup.scenario, seed)
    return Order(setup.scenario, table, None, keep, how).plan(threads=threads)
