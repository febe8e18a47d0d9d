"""``ketasim sweep CONFIG --vary ...``: many members into one store."""

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ketasim.config import Setup
    from ketasim.core.scenario import Scenario
    from ketasim.verbs.sweep import Order

FAILED = 3  # exit code when more than MOST of the members failed
MOST = 0.01


@click.command(short_help="Run one configuration for many values.")
@click.argument("config")
@click.option(
    "--vary",
    multiple=True,
    help='"dosing[0].amount = logspace(0.05, 5, 41) mg/kg"; with --sample also a name, or a group: '
    "uncertain, exponents, gains, body, subject, everything, nmda, measured.",
)
@click.option(
    "--sample",
    help="Draw instead of a grid: sobol:4096, lhs:1000 or random:1000; what is uncertain, unless "
    "--vary says what.",
)
@click.option("--table", type=click.Path(path_type=Path), help="A CSV file, a row a member.")
@click.option("--summary", "summaries", multiple=True, help='"spines.peak, glutamate.auc(0h,4h)"')
@click.option("--record", multiple=True, help="A name whose full time course is kept.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Store; else out/CONFIG.zarr.")
@click.option("--set", "sets", multiple=True, help='Change a number: "nmda.k_s=0.5 uM".')
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--threads", type=click.IntRange(1), help="Chunks at once; else one a core.")
@click.option("--engine", help="ensemble or reference; else the file's, else ensemble.")
@click.option(
    "--rtol", help="Relative tolerance, 1e-12 to 1e-2; else 1e-7 (reference), 1e-6 (ensemble)."
)
@click.option("--chunk", type=click.IntRange(1), help="Members computed and stored together.")
@click.option("--max-steps", type=click.IntRange(1), default=100_000, show_default=True)
@click.option("--max-seconds", type=click.FloatRange(0.0, min_open=True), default=10.0)
@click.option("--allow-looser", is_flag=True, help="A last attempt at 100 x the tolerance.")
@click.option("--shard", help="i/n: only every n-th chunk, for batch jobs on one store.")
@click.option("--plan", "only_plan", is_flag=True, help="Say what it will take, and stop.")
@click.option("--resume", is_flag=True, help="Refuse to start a new store.")
def command(config: str, **options: Any) -> None:
    """Run CONFIG for many values; the same command again resumes what was stopped."""
    from ketasim.config import load
    from ketasim.errors import ConfigError
    from ketasim.reports.stores import planned
    from ketasim.results.store import is_store

    asked = Options(config, **options)
    tolerance = [f"engine.rtol={asked.rtol}"] if asked.rtol else []
    setup = load(config, sets=[*asked.sets, *tolerance])
    order, count, shard = _order(asked, setup), threads(asked.threads), _shard(asked.shard)
    if asked.only_plan:
        click.echo(planned(order.plan(threads=count)))
        return
    if asked.resume and not is_store(asked.store):
        raise ConfigError(f"--resume: there is no store at {asked.store}.")
    carry_out(order, threads=count, shard=shard)


@dataclass(frozen=True)
class Options:
    """The options of one command line."""

    config: str
    vary: tuple[str, ...]
    sample: str | None
    table: Path | None
    summaries: tuple[str, ...]
    record: tuple[str, ...]
    out: Path | None
    sets: tuple[str, ...]
    seed: int
    threads: int | None
    engine: str | None
    rtol: str | None
    chunk: int | None
    max_steps: int
    max_seconds: float
    allow_looser: bool
    shard: str | None
    only_plan: bool
    resume: bool

    @property
    def store(self) -> Path:
        """Return where the result goes."""
        return self.out or Path("out", f"{Path(self.config).stem}.zarr")


def _order(asked: Options, setup: "Setup") -> "Order":
    from ketasim.cli.run import say
    from ketasim.cli.varied import design_of
    from ketasim.config import dump
    from ketasim.engines.contract import Limits
    from ketasim.studies.cautions import cautions_of, kept
    from ketasim.verbs.sweep import Order

    scenario = setup.scenario
    design = design_of(scenario, asked.vary, asked.sample, asked.table, asked.seed)
    keep: dict[str, Any] = {
        "summaries": asked.summaries,
        "record": [name.strip() for text in asked.record for name in text.split(",")],
    }
    if not keep["summaries"] and not keep["record"]:
        shown = _headlines(scenario)
        keep["summaries"] = [f"{name}.{one}" for name in shown for one in ("peak", "t_peak")]
    how = {
        "engine": asked.engine or setup.engine or "ensemble",
        "method": setup.method,
        "rtol": setup.rtol,
        "chunk": asked.chunk,
        "limits": Limits(asked.max_steps, asked.max_seconds),
        "allow_looser": asked.allow_looser,
    }
    cautions = cautions_of(scenario, design, doses=not setup.allow_unusual_dose)
    for caution in cautions:
        say(caution)
    attributes = {
        "scenario": dump(setup),
        "config": Path(asked.config).name,
        "cautions": kept(cautions),
    }
    return Order(scenario, design, asked.store, keep, how, attributes)


def _headlines(scenario: "Scenario") -> Iterable[str]:
    model = scenario.model
    shorts = {full: short for short, full in model.short_names.items()}
    wanted = scenario.record or tuple(shorts) or sorted(model.recordable)
    return [shorts.get(name, name) for name in wanted]


def _shard(text: str | None) -> tuple[int, int] | None:
    from ketasim.errors import ConfigError

    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if match is None or int(match[1]) >= int(match[2]):
        raise ConfigError(f"--shard {text[:20]}: write i/n with i from 0 to n - 1, e.g. 0/100.")
    return int(match[1]), int(match[2])


def threads(asked: int | None) -> int:
    """Return the number of threads to use, and say so when it is fewer than asked for."""
    from ketasim.studies.sweep.job import cores

    most = cores()
    if asked is not None and asked > most:
        noun = "core" if most == 1 else "cores"
        click.echo(f"--threads {asked}: this machine has {most} {noun}; using {most}.", err=True)
    return min(asked or most, most)


def carry_out(order: "Order", *, threads: int, shard: tuple[int, int] | None = None) -> None:
    """Carry out a sweep with a progress line, say how it went, exit 3 when over 1 % failed."""
    from ketasim.cli.progress import STOPPED, listener, prompt_stop
    from ketasim.reports.stores import ended
    from ketasim.results import failures

    store = Path(str(order.store))
    again = f'Give the same command again, or "ketasim resume {store}", to go on.'
    try:
        with prompt_stop(again) as wish, listener(wish) as progress:
            dataset = order.carry_out(threads=threads, shard=shard, progress=progress)
    except KeyboardInterrupt:
        click.echo(f"stopped. {again}", err=True)
        sys.exit(STOPPED)
    if wish.finish:
        click.echo(f"stopped after the chunks in hand. {again}", err=True)
        sys.exit(STOPPED)
    click.echo(ended(dataset, store))
    if failures.share(dataset) > MOST:
        sys.exit(FAILED)
