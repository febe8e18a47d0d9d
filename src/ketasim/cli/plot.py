"""``ketasim plot``: a run, several, or a sweep as a picture, with its numbers beside it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ketasim.plots.style import Style
    from ketasim.studies.fit.data import Point

KINDS = ("response", "map", "fan", "spaghetti")


@click.command(short_help="Draw a run, several, or a sweep.")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--panels", help='Of a run: names or mechanisms, "glutamate,bdnf,spines".')
@click.option("--width", help="Printed width: 85mm, 178mm; else 85mm.")
@click.option("--data", help="A CSV of your own, drawn over the curves; or plasma, spines.")
@click.option("--control", is_flag=True, help="Of a run: drug minus the same without the drug.")
@click.option("--log", is_flag=True, help="Of a run: logarithmic axes where values span decades.")
@click.option(
    "--format", "formats", multiple=True, type=click.Choice(["png", "svg", "pdf"]),
    help="Kind of file, one or more; else that of --out, or png.",
)  # fmt: skip
@click.option("--kind", type=click.Choice(KINDS), help="Of a sweep: else what fits it.")
@click.option("--show", "name", help="Of a sweep: the summary or time course; else the first.")
@click.option("--x", help="Of a sweep: the varied value across.")
@click.option("--y", help="Of a sweep: the varied value up, for a map.")
@click.option("--style", help="column or page; the same as --width 85mm and 178mm.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="File; else beside SOURCE.")
def command(
    sources: tuple[Path, ...],
    panels: str | None,
    width: str | None,
    data: str | None,
    control: bool,  # noqa: FBT001  (click passes by name)
    log: bool,  # noqa: FBT001
    formats: tuple[str, ...],
    kind: str | None,
    name: str | None,
    x: str | None,
    y: str | None,
    style: str | None,
    out: Path | None,
) -> None:
    """Draw SOURCES: the folder of a run, its result.nc, or the store of a sweep.

    Several runs are laid over one another. Every number drawn is written beside the picture.

    \b
    Examples:
      ketasim run human_depressed_iv -o out/one
      ketasim plot out/one --panels glutamate,bdnf,spines --width 85mm --format pdf
      ketasim plot out/one --control --width 178mm
    """  # noqa: D301  (click's mark for lines kept as they are)
    from ketasim.verbs.figures import is_run

    size = _size(width, style)
    if all(is_run(one) for one in sources):
        _refuse({"--kind": kind, "--show": name, "--x": x, "--y": y}, "a sweep")
        chosen = [one.strip() for one in (panels or "").split(",") if one.strip()]
        how = {"panels": chosen, "data": data, "control": control, "log": log}
        figure = _runs(sources, size, how)
    elif len(sources) == 1:
        given = {"--panels": panels, "--control": control, "--log": log}
        _refuse(given, "a run")
        figure = _sweep(sources[0], size, data, kind=kind, name=name, x=x, y=y)
    else:
        from ketasim.errors import ConfigError

        odd = next(one for one in sources if not is_run(one))
        raise ConfigError(f"{odd}: is no run; several sources must all be runs that were kept.")
    _write(figure, out or _beside(sources[0]), formats, size)


def _beside(source: Path) -> Path:
    return source / "figure.png" if source.is_dir() and source.suffix != ".zarr" else source


def _write(figure: "Figure", out: Path, formats: Sequence[str], size: "Style") -> None:
    """Write a figure in each format, and its numbers once."""
    from ketasim.plots.style import FORMATS, save
    from ketasim.results.output import file_at, put_in

    own = out.suffix.lower().removeprefix(".")
    kinds = list(dict.fromkeys(formats)) or [own if own in FORMATS else "png"]
    known = own in (*FORMATS, "zarr", "nc")
    for k, one in enumerate(kinds):
        target = out.with_suffix(f".{one}") if known or not own else out
        with file_at(target) as place:
            files = save(figure, place, numbers=not k, style=size)
        for path in put_in(target.parent, files):
            click.echo(str(path))


def _size(width: str | None, style: str | None) -> "Style":
    from ketasim.plots.style import style_named, style_of_width

    if width is not None and style is not None:
        from ketasim.errors import ConfigError

        raise ConfigError("give either --width or --style.")
    return style_of_width(width) if width is not None else style_named(style or "column")


def _refuse(given: dict[str, Any], of: str) -> None:
    """Refuse options that say nothing of what is drawn."""
    from ketasim.errors import ConfigError

    for option, value in given.items():
        if value:
            raise ConfigError(f"{option}: is for {of}, which this is not.")


def _runs(sources: Sequence[Path], size: "Style", how: dict[str, Any]) -> "Figure":
    from ketasim.cli.run import say
    from ketasim.verbs.figures import timecourse

    return timecourse(list(sources), style=size, tell=say, **how)


def _sweep(
    store: Path, size: "Style", data: str | None, *, kind: str | None, name: str | None,
    x: str | None, y: str | None,
) -> "Figure":  # fmt: skip
    from ketasim.plots import sweeps
    from ketasim.plots.fan import draw_fan
    from ketasim.results.store import open_dataset

    dataset = open_dataset(store)
    if kind is None:
        kind = _fitting(dataset, name)
    if kind == "response":
        return sweeps.draw_response(dataset, name, x=x, style=size)
    if kind == "map":
        return sweeps.draw_map(dataset, name, x=x, y=y, style=size)
    scenario = dataset.attrs.get("scenario")
    return draw_fan(
        dataset, name, kind="spaghetti" if kind == "spaghetti" else "fan", style=size,
        seen=seen_in(scenario, data), done=done_in(scenario),
    )  # fmt: skip


def _fitting(dataset: Any, name: str | None) -> str:
    """Return the kind of picture that fits a sweep: of a draw with a course, its fan."""
    from ketasim.plots import sweeps
    from ketasim.results.failures import varied

    known, timed = sweeps.summaries(dataset), sweeps.courses(dataset)
    drawn = str(dataset.attrs.get("design", "")) not in ("", "grid")
    if name in timed or not known or (timed and drawn and name is None):
        return "fan"
    return "response" if len(varied(dataset)) == 1 else "map"


def done_in(scenario: str | None) -> Any:
    """Return what a sweep's own scenario does, to be shaded; nothing where it does not say."""
    from ketasim.config import loads
    from ketasim.plots.panels import NOTHING, marks
    from ketasim.studies.simulate import done

    return NOTHING if not scenario else marks(done(loads(scenario).scenario))


def seen_in(scenario: str | None, data: str | None) -> "Sequence[Point]":
    """Return the values to draw over a sweep's own scenario.

    Raises
    ------
    ConfigError
        When data have a fault, or the sweep was made in Python and does not say of what.
    """
    from ketasim.cli.run import say
    from ketasim.config import loads
    from ketasim.errors import ConfigError
    from ketasim.verbs.run import values_of

    if data is None:
        return ()
    if scenario is None:
        raise ConfigError("--data: this sweep was made in Python and does not say of which arm.")
    asked = loads(scenario).scenario
    return values_of(data, [asked], say)[asked.name]
