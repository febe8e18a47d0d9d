"""``ketasim data check``, ``ketasim fit``: values of one's own, and what they say of parameters."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ketasim.cli.cluster import spread

if TYPE_CHECKING:
    from ketasim.studies.findings.finding import Finding
    from ketasim.studies.fit.data import Data

_DATA = click.argument("data", nargs=-1)
_FREE = click.option(
    "--free", multiple=True, required=True, metavar="NAME[=DISTRIBUTION]",
    help='A parameter or group to fit: "pk_s.clearance_70", "pk_s", "fitted"; or with limits of '
         'your own: "pk_s.clearance_70 = loguniform(30, 200) L/h". Repeat it, or write commas.',
)  # fmt: skip
_FINDINGS = click.option(
    "--findings", "--experiments", "own", multiple=True, type=click.Path(path_type=Path),
    help="Findings to fit to as well: a folder, a file, or the name of a published one.",
)  # fmt: skip
_SEED = click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
_FORMAT = click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(["pdf", "svg"]),
    help="Figures in it too.",
)


@click.group(short_help="Check data of your own.")
def data() -> None:
    """Read data of your own (a CSV) and say what is in it, or every fault of it."""


@data.command()
@click.argument("files", nargs=-1, required=True)
def check(files: tuple[str, ...]) -> None:
    """Check FILES: every fault is named with its line and what to type."""
    from ketasim.config.findings import load_data
    from ketasim.errors import ConfigError

    faults = []
    for one in files:
        try:
            click.echo(described(load_data(one)))
        except ConfigError as error:
            faults.append(str(error))
    if faults:
        raise ConfigError("\n".join(faults))


@click.command(short_help="Fit parameters to data of your own and to findings.")
@_DATA
@_FREE
@_FINDINGS
@click.option("--starts", type=click.IntRange(min=1), default=20, show_default=True)
@_SEED
@click.option("--profile", "profiled", multiple=True, help="Profile this parameter only.")
@click.option("--no-profiles", is_flag=True, help="Values only: no intervals, no verdicts.")
@click.option("--level", type=float, default=0.9, show_default=True, help="Of the intervals.")
@click.option(
    "--slopes",
    type=click.Choice(["auto", "differences", "rows", "summed"]),
    default="auto",
    help="Of what: runs moved to both sides, or in reverse mode every prediction, or the loss as a "
    "whole. By default the last beyond 40 free numbers, the first up to them.",
)
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("out", "fit"))
@_FORMAT
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@spread
def command(
    data: tuple[str, ...],
    free: tuple[str, ...],
    own: tuple[Path, ...],
    starts: int,
    seed: int,
    profiled: tuple[str, ...],
    no_profiles: bool,  # noqa: FBT001
    level: float,
    slopes: str,
    out: Path,
    formats: tuple[str, ...],
    as_json: bool,  # noqa: FBT001
) -> None:
    r"""Fit parameters to DATA: CSV files of your own, or packaged ones (plasma, spines).

    Least squares from many starts, then the likelihood profile of every parameter and a verdict in
    words. Each start is kept in the folder as it ends: give the same command again to go on.

    \b
    ketasim data check plasma
    ketasim fit plasma --free pk_s.clearance_70 --free disposition.q_fast_70 -o out/fit
    """
    import json

    from ketasim.verbs.fit import fit

    with listening(f"Go on: the same command again, or other starts in another folder than {out}."):
        found = fit(
            data, free=parted(free), findings=findings_of(own), starts=starts, seed=seed,
            profile=profiled or not no_profiles, level=level, slopes=slopes, out=out,
            progress=True,
        )  # fmt: skip
    files = found.save(out, formats=formats)
    text = json.dumps(found.record, indent=1, ensure_ascii=False, default=float)
    click.echo(text if as_json else found)
    click.echo(f"{files[0]} and {len(files) - 1} more files in {out}", err=as_json)


@click.command(short_help="What is known of parameters after data of your own.")
@_DATA
@_FREE
@_FINDINGS
@click.option("--show", multiple=True, help="A read-out more to draw a band of: outcome.mood.")
@click.option("--particles", type=int, default=256, show_default=True, help="Draws a run.")
@click.option("--replicates", type=click.IntRange(min=1), default=2, show_default=True)
@_SEED
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("out", "posterior"))
@_FORMAT
@spread
def posterior(
    data: tuple[str, ...],
    free: tuple[str, ...],
    own: tuple[Path, ...],
    show: tuple[str, ...],
    particles: int,
    replicates: int,
    seed: int,
    out: Path,
    formats: tuple[str, ...],
) -> None:
    r"""Draw parameters from what DATA leave of their priors, with bands for any read-out.

    Nothing is shown as a result when a diagnostic of the sampler fails; it says what is missing.
    Each stage is kept in the folder as it ends: give the same command again to go on. Bands on
    every figure of a run: ketasim run CONFIG --posterior FOLDER.

    \b
    ketasim posterior plasma --free pk_s.clearance_70,disposition.v_slow_70 --show outcome.mood
    """
    from ketasim.verbs.posterior import posterior as draw

    with listening(f"Go on: the same command again, or another posterior elsewhere than {out}."):
        found = draw(
            data, free=parted(free), findings=findings_of(own), readouts=parted(show),
            particles=particles, replicates=replicates, seed=seed, out=out, progress=True,
        )  # fmt: skip
    files = found.save(out, formats=formats)
    click.echo(found.sound())
    click.echo(f"{files[0]} and {len(files) - 1} more files in {out}")


@click.command(short_help="The model over whole published curves, study by study.")
@_DATA
@click.option("--posterior", help="Leave each study out of the draws of this posterior's folder.")
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("out", "curves"))
@_FORMAT
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def curves(
    data: tuple[str, ...],
    posterior: str | None,
    out: Path,
    formats: tuple[str, ...],
    as_json: bool,  # noqa: FBT001
) -> None:
    r"""Say which points of DATA the model meets: your files, or the published ones of the package.

    A point is met within two standard deviations of its error and of what the model leaves out,
    which is stated for each kind of read-out. A file of your own needs a column of studies.

    \b
    ketasim curves
    ketasim curves mood mice -o out/curves
    """
    import json

    from ketasim.verbs.curves import curves as asked

    found = asked(data, posterior=posterior)
    files = found.save(out, formats=formats)
    text = json.dumps(found.record, indent=1, ensure_ascii=False, default=float)
    click.echo(text if as_json else found)
    click.echo(f"{files[0]} and {len(files) - 1} more files in {out}", err=as_json)


def parted(texts: tuple[str, ...]) -> list[str]:
    """Return what is separated by commas outside brackets, each alone."""
    from ketasim.readouts import split_list

    return [part for text in texts for part in split_list(text)]


def findings_of(places: tuple[Path, ...]) -> "list[Finding]":
    """Return the findings of folders and files, and published ones by name.

    Raises
    ------
    ConfigError
        When there is none there.
    """
    from ketasim.config.findings import load_findings
    from ketasim.files.names import exists

    names = {str(one) for one in places if not exists(one)}
    own = load_findings([one for one in places if exists(one)], packaged=False)
    if not names:
        return own
    published = {one.name: one for one in load_findings()}
    for name in sorted(names - set(published)):
        _unknown(name, list(published))
    return [*own, *(published[name] for name in sorted(names))]


def _unknown(name: str, known: list[str]) -> None:
    from ketasim.errors import ConfigError, suggest

    raise ConfigError(
        f'"{name[:60]}": no such folder, file or finding.{suggest(name, known)} '
        f'"ketasim experiments list" shows all {len(known)}.'
    )


@contextmanager
def listening(note: str) -> Iterator[None]:
    """Stop at once when asked to, with a last ``note``."""
    from ketasim.cli.progress import prompt_stop

    with prompt_stop(note):
        yield


def described(data: "Data") -> str:
    """Return what a file holds: a line an arm and read-out, and what its assays are."""
    from ketasim.cli.text import columns
    from ketasim.reports.text import plural

    groups: dict[tuple[str, str, str], list[float]] = {}
    for one in data.points:
        groups.setdefault((one.arm, one.text, one.assay), []).append(one.time)
    rows = [["arm", "read-out", "values", "from", "to", "assay"]]
    for (arm, text, assay), times in groups.items():
        span = [f"{min(times):g} h", f"{max(times):g} h"] if times[0] == times[0] else ["-", "-"]
        rows.append([arm, text, str(len(times)), *span, assay if assay != text else "-"])
    told = []
    for name, assay_of in data.assays.items():
        words = [assay_of.model]
        words += [w for w in ("scale", "offset") if getattr(assay_of, w)]
        hidden = sum(bool(p.censored) for p in data.points if p.assay == name)
        words += [f"{hidden} beyond detection"] * bool(hidden)
        if assay_of.scale or assay_of.offset:
            words.append("fitted like parameters" if assay_of.free else "computed at every point")
        told.append(f"{name}: {', '.join(words)}.")
    unused = f" Columns not used: {', '.join(data.unused)}." if data.unused else ""
    values, arms = len(data.points), len(data.arms)
    counted = f"{values} value{plural(values)} in {arms} arm{plural(arms)}"
    head = f"{data.source}: {counted}, no fault.{unused}"
    return "\n".join([head, columns(rows), *told])
