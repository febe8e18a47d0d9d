"""One scenario for many values: an order, carried out or only planned."""

import json
import warnings
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ketasim.config import Setup, dump
from ketasim.core.scenario import Scenario
from ketasim.engines.contract import MEMBER, Limits, Settings
from ketasim.errors import ConfigError, KetasimWarning, suggest
from ketasim.results.store import Store
from ketasim.studies import designs
from ketasim.studies import sweep as sweeps
from ketasim.studies.cautions import cautions_of, kept
from ketasim.studies.designs.blocks import MECHANISMS, Groups
from ketasim.studies.designs.choice import Vary
from ketasim.studies.designs.columns import Columns
from ketasim.studies.designs.design import Design
from ketasim.studies.sweep.estimate import Estimate, estimate
from ketasim.studies.sweep.job import DRAWN, as_design, drawn, prepare
from ketasim.studies.sweep.run import filled
from ketasim.studies.sweep.workers import Bar, Listener
from ketasim.verbs.run import Question, Tell, setup_of, warned

if TYPE_CHECKING:
    import xarray as xr

SAMPLES = {
    "sobol": "sobol:1024",
    "morris": "random:64",
    "prcc": "lhs:4096",
    "derivative": "sobol:512",
    "shapley": "sobol:1024",
}
CHUNK = 4608  # members at once: half as many take twice the files, 1,024 more take 40 MB more
POINTS: dict[str, Any] = {"sobol": "sobol", "lhs": "latin_hypercube", "random": "random"}


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
        ``engine``, ``method``, ``rtol``, ``chunk``, ``memory``, ``limits``, ``allow_looser``.
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
        keep_design: bool = True,
        client: Any = None,
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
                keep_design=keep_design,
                client=client,
                **self.keep,
                **self.how,
            )

    def fill(
        self,
        store: Path,
        *,
        threads: int,
        shard: tuple[int, int] | None = None,
        progress: Listener | None = None,
        client: Any = None,
    ) -> Store:
        """Compute what a store lacks and return it, unread: see :func:`ketasim.sweep`.

        Cautions are not said: whoever wrote the order has heard them.
        """
        how = dict(self.how)
        of = ("engine", "method", "rtol", "limits", "allow_looser")
        settings = Settings(**{name: how.pop(name) for name in of if name in how})
        job = prepare(
            self.scenario, self.design, settings=settings, threads=threads, **how, **self.keep
        )
        return filled(
            job, store, threads, progress=progress, shard=shard, attributes=self.attributes,
            client=client,
        )  # fmt: skip

    def plan(self, *, threads: int | None = None) -> Estimate:
        """Return what carrying it out would take."""
        asked = {**self.keep, **self.how}
        return estimate(self.scenario, self.design, threads=threads, **asked)


def sweep(
    what: Question,
    design: Any,
    *,
    sets: Iterable[str] = (),
    modules: Iterable[str] = (),
    store: str | Path | None = None,
    record: Iterable[str] = (),
    summaries: str | Iterable[str] = (),
    seed: Any = 0,
    threads: int | None = None,
    engine: str | None = None,
    method: str | None = None,
    rtol: float | None = None,
    chunk: int | None = None,
    memory: str | float | None = None,
    limits: Limits = MEMBER,
    allow_looser: bool = False,
    progress: bool | Listener | None = None,
    shard: tuple[int, int] | None = None,
    client: Any = None,
    attributes: Mapping[str, Any] | None = None,
    keep_design: bool = True,
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
    modules
        Modules beside those it asks for: ``["safety"]``; ``ks.list_modules()`` shows all.
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
        engine, and the engine's own tolerance (8e-7 ensemble, 1e-7 reference). It is never
        loosened, unless ``allow_looser`` adds a last attempt at 100 times as much, told in the
        variable ``rtol``.
    chunk
        Members computed and stored together; no number depends on it.
    memory
        The most that all threads may take, such as ``"2 GB"``; by default half of what is free.
    limits
        What one attempt at one member may spend.
    progress
        True shows a bar, in a terminal or in a notebook; or a function called with
        :class:`~ketasim.studies.sweep.workers.Progress` after every chunk and several times a
        second; when it returns True, chunks in hand are finished and the sweep stops.
    shard
        ``(i, n)`` computes every n-th chunk only, for batch jobs that share one store.
    client
        A ``distributed.Client``, whose workers then compute; they must all see the store.
    attributes
        Told by the result beside its own attributes.
    keep_design
        Whether a result in memory has the design's values as coordinates, 8 bytes a value: those
        of all that is uncertain take 1.2 kB a member. A store always has them, on disk.
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
    setup = setup_of(what, sets=sets, modules=modules)
    table = as_design(design, setup.scenario, seed)
    order = _ordered(what, setup, table, store, tell)
    how = {
        "engine": engine or setup.engine or "ensemble",
        "method": method or setup.method,
        "rtol": setup.rtol if rtol is None else rtol,
        "chunk": chunk,
        "memory": memory,
        "limits": limits,
        "allow_looser": allow_looser,
    }
    order = replace(
        order,
        keep={"summaries": summaries, "record": record},
        how=how,
        attributes={**order.attributes, **(attributes or {})},
    )
    with listening(progress) as listener:
        return order.carry_out(
            threads=threads, shard=shard, progress=listener, keep_design=keep_design, client=client
        )


def _ordered(
    what: Question, setup: Setup, design: Design, store: str | Path | None, tell: Tell
) -> Order:
    """Return an order of a scenario and a design, its cautions said and kept."""
    cautions = cautions_of(
        setup.scenario, Columns(setup.scenario, design), doses=not setup.allow_unusual_dose
    )
    for caution in cautions:
        tell(caution)
    told = {} if isinstance(what, Scenario) else {"scenario": dump(setup)}
    if isinstance(what, str | Path):
        told["config"] = Path(what).name
    told["cautions"] = kept(cautions)
    place = None if store is None else Path(store)
    return Order(setup.scenario, design, place, {}, {}, told)


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
    modules: Iterable[str] = (),
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
    setup = setup_of(what, sets=sets, modules=modules)
    keep = {"summaries": summaries, "record": record}
    chosen = engine or setup.engine or "ensemble"
    how = {"engine": chosen, "method": setup.method, "rtol": setup.rtol}
    table = as_design(design, setup.scenario, seed)
    return Order(setup.scenario, table, None, keep, how).plan(threads=threads)


def sensitivity_order(
    what: Question,
    readouts: str | Iterable[str] = (),
    *,
    method: str = "sobol",
    sample: str | None = None,
    vary: Vary | None = None,
    groups: Groups | str | None = None,
    levels: int = 4,
    sets: Iterable[str] = (),
    modules: Iterable[str] = (),
    store: str | Path | None = None,
    seed: int = 0,
    engine: str | None = None,
    rtol: float | None = None,
    limits: Limits = MEMBER,
    tell: Tell = warned,
) -> Order:
    """Return the sweep that :func:`sensitivity` with the same arguments would carry out."""
    setup = setup_of(what, sets=sets, modules=modules)
    scenario = setup.scenario
    design = _sensitivity_design(scenario, method, sample, vary, groups, levels, seed)
    order = _ordered(what, setup, design, store, tell)
    texts = [readouts] if isinstance(readouts, str) else list(readouts)
    how = {
        "engine": engine or setup.engine or "ensemble",
        "method": setup.method,
        "rtol": setup.rtol if rtol is None else rtol,
        "chunk": CHUNK,
        "limits": limits,
    }
    keep = {"summaries": texts or [f"{name}.change" for name in headlines(scenario)]}
    return replace(order, keep=keep, how=how)


def design_of(store: Store) -> Design:
    """Return a store's design as it was given, to the last bit."""
    manifest = store.manifest
    if store.is_recipe:
        return designs.from_description(json.loads(manifest.identity["design"]))
    return Design(
        names=manifest.names,
        units=manifest.units,
        size=manifest.members,
        source=store,
        description=json.loads(manifest.identity["design"]),
        limits=(None,) * len(manifest.names),
    )


def headlines(scenario: Scenario) -> list[str]:
    """Return what a scenario records, by its short name, or else all that have one."""
    model = scenario.model
    shorts = {full: short for short, full in model.short_names.items()}
    wanted = scenario.record or tuple(shorts) or sorted(model.recordable)
    return [shorts.get(name, name) for name in wanted]


def _sensitivity_design(
    scenario: Scenario,
    method: str,
    sample: str | None,
    vary: Vary | None,
    groups: Groups | str | None,
    levels: int,
    seed: int,
) -> Design:
    """Return the design of a method; raises ConfigError when there is no such thing."""
    if method not in SAMPLES:
        raise ConfigError(
            f'method "{method[:40]}": no such method.{suggest(method, SAMPLES)} '
            f"Choose one of {', '.join(SAMPLES)}."
        )
    kind, n = drawn(sample or SAMPLES[method])
    if groups and method in ("morris", "prcc", "derivative"):
        raise ConfigError(f"{method} takes parameters one at a time; groups need sobol or shapley.")
    if method in ("prcc", "derivative"):
        return DRAWN[kind](scenario, n, vary=vary, seed=seed)
    if method == "morris":
        if kind != "random":
            raise ConfigError(f"--sample {sample}: Morris walks are random; write random:{n}.")
        return designs.morris(scenario, n, vary=vary, seed=seed, levels=levels)
    if method == "sobol":
        return designs.saltelli(
            scenario, n, vary=vary, groups=groups, seed=seed, points=POINTS[kind]
        )
    found = groups or MECHANISMS
    return designs.walks(scenario, n, vary=vary, groups=found, seed=seed, points=POINTS[kind])
