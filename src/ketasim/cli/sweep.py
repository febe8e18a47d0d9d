"""Many members into one store: ``ketasim sweep CONFIG --vary ...``, ``ketasim sensitivity``."""

import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ketasim.cli.lean import local
from ketasim.cli.modules import WITH, named

if TYPE_CHECKING:
    from ketasim.config import Setup
    from ketasim.results.store import Store
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
@WITH
@click.option("--summary", "summaries", multiple=True, help='"spines.peak, glutamate.auc(0h,4h)"')
@click.option("--record", multiple=True, help="A name whose full time course is kept.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Store; else out/CONFIG.zarr.")
@click.option("--set", "sets", multiple=True, help='Change a number: "nmda.k_s=0.5 uM".')
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--threads", type=click.IntRange(1), help="Chunks at once; else one a core.")
@click.option("--engine", help="ensemble or reference; else the file's, else ensemble.")
@click.option(
    "--rtol", help="Relative tolerance, 1e-12 to 1e-2; else 1e-7 (reference), 8e-7 (ensemble)."
)
@click.option("--chunk", type=click.IntRange(1), help="Members computed and stored together.")
@click.option("--memory", help='The most to take, e.g. "2 GB"; else half of what is free.')
@click.option("--max-steps", type=click.IntRange(1), default=100_000, show_default=True)
@click.option("--max-seconds", type=click.FloatRange(0.0, min_open=True), default=10.0)
@click.option("--allow-looser", is_flag=True, help="A last attempt at 100 x the tolerance.")
@click.option("--dask", help="On a cluster: a scheduler's ADDRESS, or local:N workers here.")
@click.option("--shard", help="i/n: only every n-th chunk, for batch jobs on one store.")
@click.option("--plan", "only_plan", is_flag=True, help="Say what it will take, and stop.")
@click.option("--resume", is_flag=True, help="Refuse to start a new store.")
def command(config: str, **options: Any) -> None:
    """Run CONFIG for many values; the same command again resumes what was stopped."""
    from ketasim.config import load
    from ketasim.errors import ConfigError

    with local():
        from ketasim.reports.stores import planned
        from ketasim.results.store import is_store

    asked = Options(config, **options)
    tolerance = [f"engine.rtol={asked.rtol}"] if asked.rtol else []
    setup = load(config, sets=[*asked.sets, *tolerance], modules=named(asked.modules))
    order, count, shard = _order(asked, setup), threads(asked.threads), _shard(asked.shard)
    if asked.only_plan:
        click.echo(planned(order.plan(threads=count)))
        return
    if asked.resume and not is_store(asked.store):
        raise ConfigError(f"--resume: there is no store at {asked.store}.")
    if asked.dask and shard is not None:
        raise ConfigError("--dask and --shard: give one; a cluster shares the chunks out itself.")
    carry_out(order, threads=count, shard=shard, dask=asked.dask)


@dataclass(frozen=True)
class Options:
    """The options of one command line."""

    config: str
    vary: tuple[str, ...]
    sample: str | None
    table: Path | None
    modules: tuple[str, ...]
    summaries: tuple[str, ...]
    record: tuple[str, ...]
    out: Path | None
    sets: tuple[str, ...]
    seed: int
    threads: int | None
    engine: str | None
    rtol: str | None
    chunk: int | None
    memory: str | None
    max_steps: int
    max_seconds: float
    allow_looser: bool
    dask: str | None
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
    from ketasim.studies.designs.columns import Columns
    from ketasim.verbs.sweep import Order, headlines

    scenario = setup.scenario
    design = design_of(scenario, asked.vary, asked.sample, asked.table, asked.seed)
    keep: dict[str, Any] = {
        "summaries": asked.summaries,
        "record": [name.strip() for text in asked.record for name in text.split(",")],
    }
    if not keep["summaries"] and not keep["record"]:
        shown = headlines(scenario)
        keep["summaries"] = [f"{name}.{one}" for name in shown for one in ("peak", "t_peak")]
    how = {
        "engine": asked.engine or setup.engine or "ensemble",
        "method": setup.method,
        "rtol": setup.rtol,
        "chunk": asked.chunk,
        "memory": asked.memory,
        "limits": Limits(asked.max_steps, asked.max_seconds),
        "allow_looser": asked.allow_looser,
    }
    cautions = cautions_of(scenario, Columns(scenario, design), doses=not setup.allow_unusual_dose)
    for caution in cautions:
        say(caution)
    attributes = {
        "scenario": dump(setup),
        "config": Path(asked.config).name,
        "cautions": kept(cautions),
    }
    return Order(scenario, design, asked.store, keep, how, attributes)


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


def carry_out(
    order: "Order",
    *,
    threads: int,
    shard: tuple[int, int] | None = None,
    dask: str | None = None,
) -> None:
    """Carry out a sweep with a progress line, say how it went, exit 3 when over 1 % failed."""
    from ketasim.results import failures

    store = _carried_out(order, threads=threads, shard=shard, dask=dask)
    if failures.share(store.ended()) > MOST:
        sys.exit(FAILED)


def _carried_out(
    order: "Order",
    *,
    threads: int,
    shard: tuple[int, int] | None = None,
    dask: str | None = None,
) -> "Store":
    """Carry out a sweep with a progress line and say how it went; exits when stopped."""
    from ketasim.cli.cluster import client_of
    from ketasim.cli.progress import STOPPED, listener, prompt_stop
    from ketasim.reports.stores import ended

    store = Path(str(order.store))
    again = f'Give the same command again, or "ketasim resume {store}", to go on.'
    try:
        with prompt_stop(again) as wish, listener(wish) as progress, client_of(dask) as client:
            filled = order.fill(
                store, threads=threads, shard=shard, progress=progress, client=client
            )
    except KeyboardInterrupt:
        click.echo(f"stopped. {again}", err=True)
        sys.exit(STOPPED)
    if wish.finish:
        click.echo(f"stopped after the chunks in hand. {again}", err=True)
        sys.exit(STOPPED)
    click.echo(ended(filled))
    return filled


@click.command(short_help="Which inputs matter: Sobol', Morris, PRCC, Shapley.")
@click.argument("config")
@click.option(
    "--summary", "--readout", "summaries", multiple=True,
    help='"spines@24h, score.change"; else the largest departure from start of every headline.',
)  # fmt: skip
@click.option(
    "--method",
    help="sobol (first and total order; the default), morris (elementary effects), prcc (rank "
    "correlation), shapley (effects of groups) or derivative (bounds on total order).",
)
@click.option(
    "--sample",
    help="How points are drawn and how many: sobol:1024 (sobol, shapley), random:64 (morris), "
    "lhs:4096 (prcc), sobol:512 (derivative).",
)
@click.option(
    "--vary",
    multiple=True,
    help='What is uncertain in the model, unless a name, a group, or "nmda.k_s = '
    'loguniform(0.1, 1) uM" says what.',
)
@click.option(
    "--group",
    "groups",
    multiple=True,
    help='"receptors = nmda, ampa": these are one factor, all others another; "mechanisms".',
)
@click.option("--levels", type=int, default=4, show_default=True, help="Of Morris' grid.")
@click.option(
    "--failed",
    default="refuse",
    show_default=True,
    help="What members without a value mean: refuse, or drop the blocks they belong to.",
)
@click.option("--level", type=float, default=0.95, show_default=True, help="Of the intervals.")
@click.option("--resamples", type=int, default=1000, show_default=True, help="Of the bootstrap.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Else sensitivity/CONFIG.")
@click.option("--set", "sets", multiple=True, help='Change a number: "nmda.k_s=0.5 uM".')
@WITH
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--threads", type=click.IntRange(1), help="Chunks at once; else one a core.")
@click.option("--engine", help="ensemble or reference; else the file's, else ensemble.")
@click.option("--rtol", help="Relative tolerance, 1e-12 to 1e-2.")
@click.option("--dask", help="On a cluster: a scheduler's ADDRESS, or local:N workers here.")
@click.option("--plan", "only_plan", is_flag=True, help="Say what it will take, and stop.")
@click.option(
    "--format", "formats", multiple=True, type=click.Choice(["pdf", "svg"]), help="Figures more."
)
def sensitivity(config: str, **options: Any) -> None:
    """Say which inputs of CONFIG matter to read-outs, by how much, and how sure that is.

    The runs go to OUT/runs.zarr; the same command again resumes them. CONFIG may be such a store:
    then nothing is run. Writes tornado, heat map, CSV and JSON into OUT.
    """
    from ketasim.reports.stores import planned
    from ketasim.results.folder import prepare
    from ketasim.results.store import is_store
    from ketasim.studies.indices import Asked
    from ketasim.verbs.evidence import check_none_given, sensitivity_of
    from ketasim.verbs.gradient import screened_order

    of = ("failed", "level", "resamples", "seed")
    asked = Asked(*(options[name] for name in of))
    store = Path(config)
    out = options["out"] or (
        store.parent if is_store(store) else Path("sensitivity", Path(config).stem)
    )
    names = [name.strip() for text in options["summaries"] for name in text.split(",")]
    if is_store(store):
        new = ("method", "sample", "vary", "groups", "sets", "modules", "only_plan")
        check_none_given(
            store, {f"--{_TYPED.get(name, name)}": bool(options[name]) for name in new}
        )
    else:
        order, count = _sensitivity_order(config, out, options), threads(options["threads"])
        if options["only_plan"]:
            click.echo(planned(order.plan(threads=count)))
            return
        if options["method"] != "derivative":
            _carried_out(order, threads=count, dask=options["dask"])
        store, names = Path(str(order.store)), []
    if options["method"] == "derivative":
        found = screened_order(order, asked, progress=sys.stderr.isatty())
    else:
        found = sensitivity_of(store, names, asked=asked, progress=sys.stderr.isatty())
    prepare(out)
    files = found.save(out, formats=options["formats"])
    click.echo(found)
    click.echo(f"written: {', '.join(str(one) for one in files)}")


def _sensitivity_order(config: str, out: Path, options: dict[str, Any]) -> "Order":
    """Return the sweep that indices are to be of."""
    from ketasim.cli.run import say
    from ketasim.cli.varied import wishes
    from ketasim.config import load
    from ketasim.config.messages import located
    from ketasim.studies import designs
    from ketasim.verbs.sweep import sensitivity_order

    tolerance = [f"engine.rtol={options['rtol']}"] if options["rtol"] else []
    own = named(options["modules"])
    setup = load(config, sets=[*options["sets"], *tolerance], modules=own)
    with located("--vary "):
        vary = wishes(options["vary"])
    taken = ("sample", "levels", "seed", "engine")
    method = options["method"] or "sobol"
    order = sensitivity_order(
        setup,
        options["summaries"],
        method=method,
        vary=vary,
        groups=_groups(options["groups"]),
        store=out / "runs.zarr",
        tell=say,
        **{name: options[name] for name in taken},
    )
    click.echo(f"{method} {designs.in_a_line(order.design, setup.scenario)}", err=True)
    return replace(order, attributes={**order.attributes, "config": Path(config).name})


_TYPED = {"groups": "group", "sets": "set", "modules": "with", "only_plan": "plan"}


def _groups(texts: tuple[str, ...]) -> "dict[str, list[str]] | str | None":
    """Read ``'receptors = nmda, ampa'``, or the one word ``mechanisms``."""
    from ketasim.errors import ConfigError
    from ketasim.studies.designs.blocks import MECHANISMS

    if texts == (MECHANISMS,):
        return MECHANISMS
    found: dict[str, list[str]] = {}
    for text in texts:
        name, _, inside = (part.strip() for part in text.partition("="))
        members = [one.strip() for one in inside.split(",") if one.strip()]
        if not name or not members:
            raise ConfigError(f'--group {text[:60]}: write "NAME = nmda, ampa", or {MECHANISMS}.')
        found[name] = [*found.get(name, []), *members]
    return found or None
