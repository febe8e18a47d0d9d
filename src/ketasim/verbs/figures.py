"""Time courses drawn again from what was kept: a run, its folder, a netCDF file, or several."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr

from ketasim.config import loads
from ketasim.errors import ConfigError
from ketasim.results import folder
from ketasim.results.summary import observables
from ketasim.verbs.run import Run, Tell, run, values_of, warned

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ketasim.plots.style import Style
    from ketasim.studies.fit.data import Data, Point

Kept = Run | xr.Dataset | str | Path
Several = Kept | Mapping[str, Kept] | Sequence[Kept]
HDF5, CDF = b"\x89HDF", b"CDF"


def timecourse(
    what: Several,
    path: str | Path | None = None,
    *,
    panels: Iterable[str] = (),
    ax: "Axes | None" = None,
    width: str | None = None,
    style: "Style | None" = None,
    data: "str | Path | Data | None" = None,
    control: bool = False,
    log: bool = False,
    member: int = 0,
    names: Iterable[str] = (),
    seen: Sequence["Point"] = (),
    bands: xr.Dataset | None = None,
    tell: Tell = warned,
) -> "Figure":
    """Draw runs from drug to mood, and save the figure when a path is given.

    Parameters
    ----------
    what
        A run, a result, the folder ``ketasim run`` wrote, its ``result.nc``, or several of them (a
        list, or by label), which are laid over one another.
    path
        Ends in ``.png``, ``.svg`` or ``.pdf``; every number drawn goes beside it as ``.csv``.
    panels
        Recorded names (``"spines.density"``, or short ``"spines"``) or mechanisms; by default all
        that tell the story. ``names`` is the same.
    ax
        Axes of one's own for one panel of one run.
    width
        Of the printed figure, such as ``"85mm"`` or ``"178mm"``; 85 mm by default.
    data
        Values of one's own to draw over the curves; see :func:`ketasim.load_data`.
    control
        Whether to draw the run less the same run without the drug.
    log
        Whether panels of positive values over a wide range have a logarithmic axis.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, or the one that ``ax`` belongs to.

    Raises
    ------
    ConfigError
        When there is nothing to draw, a name was not recorded, or a file cannot be read or written.
    """
    from ketasim.plots.style import COLUMN, save, style_of_width
    from ketasim.plots.timecourse import draw, draw_onto

    runs = opened(what)
    chosen = _full([*panels, *names], next(iter(runs.values())))
    points = {label: tuple(seen) for label in runs} if seen else _seen(data, runs, tell)
    if control:
        runs = {label: less_control(one) for label, one in runs.items()}
    size = style or (COLUMN if width is None else style_of_width(width))
    if ax is not None:
        if len(runs) > 1:
            raise ConfigError("ax: one run fits on axes of one's own.")
        draw_onto(ax, next(iter(runs.values())), chosen, member=member)
        figure: Any = ax.get_figure()
        return figure  # type: ignore[no-any-return]
    if len(runs) == 1:
        ((label, one),) = runs.items()
        figure = draw(
            one, names=chosen, member=member, style=size, seen=points.get(label, ()), bands=bands,
            log=log,
        )  # fmt: skip
    else:
        from ketasim.plots.overlay import draw as overlay

        figure = overlay(runs, names=chosen, member=member, style=size, seen=points, log=log)
    if path is not None:
        save(figure, path, numbers=True, style=size)
    return figure  # type: ignore[no-any-return]


def opened(what: Several) -> dict[str, xr.Dataset]:
    """Return results by label.

    Raises
    ------
    ConfigError
        When a path is no run that was kept.
    """
    if isinstance(what, Mapping) and not isinstance(what, xr.Dataset):
        return {label: _opened(one) for label, one in what.items()}
    many = [what] if isinstance(what, Run | xr.Dataset | str | Path) else list(what)
    found: dict[str, xr.Dataset] = {}
    for one in many:
        dataset = _opened(one)
        label = str(dataset.attrs.get("scenario_name", "")) or "run"
        place = Path(one).name if isinstance(one, str | Path) else ""
        if label in found and place and place not in found:
            label = place
        count = sum(name.partition(" #")[0] == label for name in found)
        found[f"{label} #{count + 1}" if count else label] = dataset
    if not found:
        raise ConfigError("nothing to draw: give a run, its folder, or a netCDF file.")
    return found


def is_run(path: Path) -> bool:
    """Return whether a path is the folder of a run, or a netCDF file."""
    file = path / folder.DATASET if path.is_dir() else path
    if not file.is_file():
        return False
    with file.open("rb") as stream:
        return stream.read(4).startswith((HDF5, CDF))


def _opened(one: Kept) -> xr.Dataset:
    if isinstance(one, Run):
        return one.drawn
    if isinstance(one, xr.Dataset):
        return one
    path = Path(one)
    if not is_run(path):
        raise ConfigError(
            f"{path}: no run is kept here. Give the folder that ketasim run wrote (it holds "
            f"{folder.DATASET}), a netCDF file, or a sweep's store."
        )
    file = path / folder.DATASET if path.is_dir() else path
    try:
        with xr.open_dataset(file) as stored:
            return stored.load()
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file}: cannot be read ({error}).") from None


def _full(names: Sequence[str], dataset: xr.Dataset) -> tuple[str, ...]:
    """Return recorded names for short ones; any other stays as it is."""
    from ketasim.models.antidepressant import antidepressant

    shorts, have = antidepressant().short_names, observables(dataset)
    return tuple(shorts[n] if n not in have and shorts.get(n) in have else n for n in names)


def less_control(dataset: xr.Dataset) -> xr.Dataset:
    """Return a run less the same run without doses and baths.

    Raises
    ------
    ConfigError
        When the result does not say what was asked, as one of a model of one's own.
    """
    question = str(dataset.attrs.get("scenario", ""))
    if not question.strip() or question.startswith("#"):
        raise ConfigError(
            "control: this result does not say what was done, so the same without the drug cannot "
            "be run; give ketasim.compare both."
        )
    from dataclasses import replace

    setup = loads(question, source="the result's own scenario")
    asked = replace(
        setup.scenario,
        times=tuple(map(float, dataset["time"].to_numpy())),
        protocol=setup.scenario.protocol.undrugged,
        record=observables(dataset),
    )
    bare = run(replace(setup, scenario=asked, cautions=()), tell=lambda _: None).dataset
    found = dataset.copy()
    for name in observables(dataset):
        found[name] = dataset[name] - bare[name].to_numpy()
        found[name].attrs = {**dataset[name].attrs, "difference": "drug minus control"}
    return found.assign_attrs(difference="drug minus control")


def _seen(
    data: "str | Path | Data | None", runs: Mapping[str, xr.Dataset], tell: Tell
) -> dict[str, tuple["Point", ...]]:
    if data is None:
        return {}
    from dataclasses import replace

    scenarios = []
    for label, one in runs.items():
        question = str(one.attrs.get("scenario", ""))
        if not question.strip():
            raise ConfigError("data: this result does not say of which arm it is.")
        scenarios.append(replace(loads(question).scenario, name=label))
    return values_of(data, scenarios, tell)
