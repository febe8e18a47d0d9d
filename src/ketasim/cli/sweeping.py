"""What ``sweep`` and ``resume`` share: an order made into a job, carried out, and summed up."""

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import xarray as xr

from ketasim.cli.progress_line import duration, listener
from ketasim.cli.stopping import STOPPED, prompt_stop
from ketasim.cli.varied import design_of, expanded
from ketasim.config import Setup, dump, load
from ketasim.core.scenario import Scenario
from ketasim.engines.limits import Limits
from ketasim.errors import ConfigError
from ketasim.results import failures
from ketasim.results.problems import size
from ketasim.results.store import is_store
from ketasim.studies.designs.design import Design
from ketasim.studies.job import cores
from ketasim.studies.plan import Plan, plan
from ketasim.studies.sweep import sweep

FAILED = 3  # exit code when more than MOST of the members failed
MOST = 0.01


@dataclass(frozen=True)
class Order:
    """The options of one command line."""

    config: str
    vary: tuple[str, ...] = ()
    sample: str | None = None
    table: Path | None = None
    summaries: tuple[str, ...] = ()
    record: tuple[str, ...] = ()
    out: Path | None = None
    sets: tuple[str, ...] = ()
    seed: int = 0
    threads: int | None = None
    engine: str = "ensemble"
    rtol: str | None = None
    chunk: int | None = None
    max_steps: int = 100_000
    max_seconds: float = 10.0
    allow_looser: bool = False
    shard: str | None = None
    only_plan: bool = False
    resume: bool = False

    @property
    def store(self) -> Path:
        """Return where the result goes."""
        return self.out or Path("out", f"{Path(self.config).stem}.zarr")


@dataclass(frozen=True)
class Ready:
    """An order read and checked: what :func:`ketasim.sweep` is called with."""

    scenario: Scenario
    design: Design
    store: Path
    threads: int
    keep: dict[str, Any]
    how: dict[str, Any]
    attributes: dict[str, Any] = field(default_factory=dict)
    shard: tuple[int, int] | None = None


def carry_out(order: Order) -> None:
    """Do what a command line asks, and exit 3 when too much of it failed."""
    tolerance = [f"engine.rtol={order.rtol}"] if order.rtol else []
    setup = load(order.config, sets=[*order.sets, *tolerance])
    for caution in setup.cautions:
        click.echo(caution, err=True)
    ready = _ready(order, setup)
    if order.only_plan:
        asked = {**ready.keep, **ready.how, "threads": ready.threads}
        click.echo(told(plan(ready.scenario, ready.design, **asked)))
        return
    if order.resume and not is_store(order.store):
        raise ConfigError(f"--resume: there is no store at {order.store}.")
    run(ready)


def _ready(order: Order, setup: Setup) -> Ready:
    scenario = setup.scenario
    design = design_of(scenario, order.vary, order.sample, order.table, order.seed)
    keep: dict[str, Any] = {
        "summaries": [expanded(text, scenario) for text in order.summaries],
        "record": [_full(name, scenario) for text in order.record for name in text.split(",")],
    }
    if not keep["summaries"] and not keep["record"]:
        shown = _headlines(scenario)
        keep["summaries"] = [f"{name}.{one}" for name in shown for one in ("peak", "t_peak")]
    how = {
        "engine": order.engine,
        "method": setup.method,
        "rtol": setup.rtol,
        "chunk": order.chunk,
        "limits": Limits(order.max_steps, order.max_seconds),
        "allow_looser": order.allow_looser,
    }
    attributes = {"scenario": dump(setup), "config": Path(order.config).name}
    return Ready(
        scenario=scenario,
        design=design,
        store=order.store,
        threads=threads(order.threads),
        keep=keep,
        how=how,
        attributes=attributes,
        shard=_shard(order.shard),
    )


def threads(asked: int | None) -> int:
    """Return the number of threads to use, and say so when it is fewer than asked for."""
    most = cores()
    if asked is not None and asked > most:
        noun = "core" if most == 1 else "cores"
        click.echo(f"--threads {asked}: this machine has {most} {noun}; using {most}.", err=True)
    return min(asked or most, most)


def _headlines(scenario: Scenario) -> Iterable[str]:
    model = scenario.model
    return scenario.record or tuple(model.short_names.values()) or sorted(model.recordable)


def _full(name: str, scenario: Scenario) -> str:
    return scenario.model.full_name(name.strip())


def _shard(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if match is None or int(match[1]) >= int(match[2]):
        raise ConfigError(f"--shard {text[:20]}: write i/n with i from 0 to n - 1, e.g. 0/100.")
    return int(match[1]), int(match[2])


def run(ready: Ready) -> None:
    """Carry out a sweep with a progress line, and say how it went."""
    again = f'Give the same command again, or "ketasim resume {ready.store}", to go on.'
    try:
        with prompt_stop(again) as wish, listener(wish) as progress:
            dataset = sweep(
                ready.scenario,
                ready.design,
                store=ready.store,
                threads=ready.threads,
                shard=ready.shard,
                progress=progress,
                attributes=ready.attributes,
                **ready.keep,
                **ready.how,
            )
    except KeyboardInterrupt:
        click.echo(f"stopped. {again}", err=True)
        sys.exit(STOPPED)
    if wish.finish:
        click.echo(f"stopped after the chunks in hand. {again}", err=True)
        sys.exit(STOPPED)
    conclude(dataset, ready.store)


def conclude(dataset: xr.Dataset, store: Path) -> None:
    """Print the last line of a sweep; exit 3 when more than 1 % of it failed."""
    told = failures.sentence(dataset)
    if len(failures.failed(dataset)):
        told += f" Rows are kept as NaN with status; list: ketasim failures {store}"
    click.echo(f"{told} - {store}/" if told.endswith(".") else told)
    if failures.share(dataset) > MOST:
        sys.exit(FAILED)


def told(found: Plan) -> str:
    """Return a plan in one line."""
    kept = "summaries only" if not found.recorded else "with time courses"
    line = (
        f"{found.members:,} runs, {found.chunks:,} chunk{_s(found.chunks)}, "
        f"about {duration(found.seconds)} on {found.threads} thread{_s(found.threads)}, "
        f"{size(found.bytes)} on disk ({kept})"
    )
    if not found.recorded:
        line += f"; full trajectories would be {size(found.trajectory_bytes)}"
    return line + "."


def _s(n: int) -> str:
    return "" if n == 1 else "s"
