"""The model before what was published, what carries an effect, and which inputs matter."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ketasim.config.findings import candidates as proposals
from ketasim.config.findings import load_findings
from ketasim.engines.contract import MEMBER, Limits
from ketasim.errors import ConfigError, MissingValues
from ketasim.reports.explanation import as_text, write
from ketasim.reports.stores import indices_text, write_indices
from ketasim.reports.text import Text
from ketasim.results.folder import prepare
from ketasim.results.output import files_in, put_in
from ketasim.results.store import Store, is_store, open_dataset
from ketasim.studies import mediation
from ketasim.studies.designs.blocks import Groups, factors_of
from ketasim.studies.designs.choice import Vary
from ketasim.studies.designs.design import Design
from ketasim.studies.findings.finding import Finding
from ketasim.studies.indices import Asked
from ketasim.studies.mediation import Explanation
from ketasim.studies.sensitivity import (
    Reading,
    analyse,
    blocks_of,
    chosen_readouts,
)
from ketasim.studies.sweep.workers import Listener
from ketasim.verbs.gradient import screened_order
from ketasim.verbs.run import Question, Tell, setup_of, warned
from ketasim.verbs.sweep import design_of, listening, sensitivity_order

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure


def list_experiments(
    folders: Iterable[str | Path] = (), *, candidates: bool = False
) -> list[Finding]:
    """Return the published findings and those of folders, or the packaged proposals.

    Raises
    ------
    ConfigError
        When a file cannot be read.
    """
    return list(proposals() if candidates else load_findings([Path(one) for one in folders]))


@dataclass(frozen=True, repr=False)
class Explained:
    """Which steps carry an effect: shares as numbers, as text, as a picture, as files."""

    explanation: Explanation
    order: tuple[str, ...]

    def __repr__(self) -> str:
        """Return the tables that ``ketasim explain`` prints."""
        return self.text

    @property
    def text(self) -> Text:
        """Return the shares as two tables, the largest first."""
        return as_text(self.explanation)

    @cached_property
    def figure(self) -> "Figure":
        """Return the pathway, its arrows as wide as what they carry."""
        from ketasim.plots.pathway import draw

        return draw(self.explanation, self.order)

    def save(self, out: str | Path, *, formats: Iterable[str] = ()) -> list[Path]:
        """Write pathway, CSV and JSON; return the files.

        Raises
        ------
        ConfigError
            When one cannot be written.
        """
        from ketasim.plots.pathway import draw

        kinds = ("png", *formats) if self.explanation.arrows else ()
        with files_in(prepare(Path(out))) as place:
            pictures = [place / f"pathway.{kind}" for kind in kinds]
            for one in pictures:
                draw(self.explanation, self.order, one)
            files = [*pictures, *write(self.explanation, place)]
        return put_in(Path(out), files)


def explain(
    what: Question,
    effect: str,
    *,
    nodes: Sequence[str] = (),
    sets: Iterable[str] = (),
    modules: Iterable[str] = (),
    tell: Tell = warned,
) -> Explained:
    """Hold one step at a time at its drug-free course and say what of an effect is lost.

    Parameters
    ----------
    what
        A configuration's name, a TOML file, a Setup or a Scenario, drug included.
    effect
        A read-out: ``"spines.density@24h"`` or ``"glutamate.relative.peak"``.
    nodes
        States or quantities to hold; when none is given, every step between drug and read-out.
    sets
        Changes to a file or named configuration.
    modules
        Modules beside those it asks for: ``["safety"]``; ``ks.list_modules()`` shows all.
    tell
        Hears each caution, such as an unusual dose; a KetasimWarning by default.

    Raises
    ------
    ConfigError
        When the effect cannot be read, there is none, or a node asked for cannot be held.
    ModelError
        When a name is not in the model.
    """
    setup = setup_of(what, sets=sets, modules=modules)
    for caution in setup.cautions:
        tell(caution)
    scenario = setup.scenario
    found = mediation.explain(scenario, effect, nodes=nodes)
    return Explained(found, tuple(one.name for one in scenario.model.mechanisms))


@dataclass(frozen=True, repr=False)
class Sensitivity:
    """Which inputs matter to which read-outs: as numbers, as text, as pictures, as files.

    Parameters
    ----------
    indices
        Dimensions ``(readout, factor)``; see :func:`ketasim.studies.sensitivity.analyse`.
    runs
        The sweep that they are of, one row a member.
    design
        What each member was given.
    """

    indices: "xr.Dataset"
    runs: "xr.Dataset"
    design: Design

    def __repr__(self) -> str:
        """Return the tables that ``ketasim sensitivity`` prints."""
        return self.text

    @property
    def text(self) -> Text:
        """Return the factors that matter most to each read-out."""
        return indices_text(self.indices)

    @cached_property
    def figure(self) -> "Figure":
        """Return the longest bars of each read-out, with intervals."""
        from ketasim.plots.sensitivity import draw_tornado

        return draw_tornado(self.indices)

    @cached_property
    def heat_map(self) -> "Figure":
        """Return factors by read-outs, in colours."""
        from ketasim.plots.sensitivity import draw_heat_map

        return draw_heat_map(self.indices)

    def save(self, out: str | Path, *, formats: Iterable[str] = ()) -> list[Path]:
        """Write tornado, heat map, CSV and JSON; return the files.

        Raises
        ------
        ConfigError
            When one cannot be written.
        """
        from ketasim.plots.style import PAGE, save

        with files_in(prepare(Path(out))) as place:
            files = []
            for name, figure in (("tornado", self.figure), ("heatmap", self.heat_map)):
                for kind in ("png", *formats):
                    files += save(figure, place / f"{name}.{kind}", style=PAGE)
            files += write_indices(self.indices, place)
        return put_in(Path(out), files)

    def to_salib(self, readout: str) -> dict[str, Any]:
        """Return ``problem``, ``sample`` and ``outputs`` for SALib's ``analyze`` functions.

        ``outputs`` has shape (n_members,), in SALib's own order, without what was dropped. The
        sample (n_members, n_factors) holds places in each range, from 0 to 1; for PRCC, values.

        Raises
        ------
        ConfigError
            When there is no such read-out.
        """
        source, factors = blocks_of(self.design), factors_of(self.design)
        reading = Reading(self.runs, chosen_readouts(self.runs, [readout]), source)
        kept = np.repeat(reading.survey.fine[readout], reading.width)
        places = [self.design.names.index(inside[0]) for inside in factors.values()]
        if source is None:
            sample = self.design.rows(0, len(self.design))[:, places]
            ends = zip(sample.min(axis=0).tolist(), sample.max(axis=0).tolist(), strict=True)
            bounds = [[low, high] for low, high in ends]
        else:
            sample, bounds = source.places(0, source.blocks), [[0.0, 1.0] for _ in places]
        outputs = reading.values(readout, 0, reading.blocks).ravel()
        problem = {"num_vars": len(factors), "names": list(factors), "bounds": bounds}
        return {"problem": problem, "sample": sample[kept], "outputs": outputs[kept]}


def sensitivity(
    what: Question,
    readouts: str | Iterable[str] = (),
    *,
    method: str | None = None,
    sample: str | None = None,
    vary: Vary | None = None,
    groups: Groups | str | None = None,
    levels: int = 4,
    sets: Iterable[str] = (),
    modules: Iterable[str] = (),
    store: str | Path | None = None,
    failed: str = "refuse",
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
    threads: int | None = None,
    engine: str | None = None,
    rtol: float | None = None,
    limits: Limits = MEMBER,
    progress: bool | Listener | None = None,
    client: Any = None,
    tell: Tell = warned,
) -> Sensitivity:
    """Say which inputs matter to read-outs, by how much, and how sure that is.

    Parameters
    ----------
    what
        A configuration's name, a TOML file, a Setup or a Scenario; or the store of a sweep made
        for this, whose indices are then computed again with no run.
    readouts
        Such as ``"spines@24h"``; when there are none, the largest departure from start of every
        headline. Of a store, its labels.
    method
        ``"sobol"`` (first and total order; the default), ``"morris"`` (elementary effects),
        ``"prcc"`` (partial rank correlation), ``"shapley"`` (Shapley effects, of mechanisms or of
        ``groups``) or ``"derivative"`` (upper bounds on total order, from gradients).
    sample
        How points are drawn, and how many: ``"sobol:1024"``, ``"lhs:4096"``, ``"random:64"``.
        Sobol' indices take so many times the number of factors and two as runs, walks (Morris,
        Shapley) so many times the number of factors and one.
    vary
        What is uncertain in the model when not given; as in :func:`ketasim.designs.random`.
    groups
        Names of groups to what is in them, for Sobol' and Shapley; ``"mechanisms"`` for a group
        each. What is in none becomes ``others``.
    levels
        Of Morris' grid.
    store
        A folder for the runs, as in :func:`ketasim.sweep`; the same call again resumes it.
    failed
        ``"refuse"`` when a member failed or has no number, or ``"drop"`` the blocks it is in.
    level, resamples
        Of the bootstrap intervals (Fisher's, for rank correlations).
    seed
        Of points, walks and resamples.
    sets, modules, threads, engine, rtol, limits, progress, client, tell
        As in :func:`ketasim.sweep`.

    Returns
    -------
    Sensitivity
        ``.indices``, ``.text``, ``.figure``, ``.heat_map``, ``.save(folder)`` and ``.to_salib()``.

    Raises
    ------
    MissingValues
        When members without a value stand in the way.
    ConfigError, ModelError, UnitError, ProtocolError, StoreError
        As :func:`ketasim.sweep` does.
    """
    asked = Asked(failed, level, resamples, seed)
    shown = progress is True
    if isinstance(what, str | Path) and is_store(Path(what)):
        texts = [readouts] if isinstance(readouts, str) else list(readouts)
        new = {"method": method, "sample": sample, "vary": vary, "groups": groups, "sets": sets,
               "modules": modules}  # fmt: skip
        check_none_given(what, {name: bool(one) for name, one in new.items()})
        return sensitivity_of(what, texts, asked=asked, progress=shown)
    order = sensitivity_order(
        what, readouts, method=method or "sobol", sample=sample, vary=vary, groups=groups,
        levels=levels, sets=sets, modules=modules, store=store, seed=seed, engine=engine,
        rtol=rtol, limits=limits, tell=tell,
    )  # fmt: skip
    if method == "derivative":
        return screened_order(order, asked, progress=shown)
    with listening(progress) as listener:
        runs = order.carry_out(threads=threads, progress=listener, keep_design=False, client=client)
    bar = _bar if shown else None
    return Sensitivity(analyse(runs, order.design, asked=asked, bar=bar), runs, order.design)


def check_none_given(store: str | Path, given: Mapping[str, bool]) -> None:
    """Raise ConfigError when something is asked of new runs where a store has its own."""
    asked = [name for name, is_given in given.items() if is_given]
    if asked:
        raise ConfigError(
            f"{store} holds its runs already, so {', '.join(asked)} cannot be chosen; give a "
            "configuration for new ones."
        )


def sensitivity_of(
    store: str | Path,
    readouts: Iterable[str] = (),
    *,
    asked: Asked | None = None,
    progress: bool = False,
) -> Sensitivity:
    """Return the indices of a sweep that is in a store; raises as :func:`sensitivity` does."""
    runs, design = open_dataset(Path(store)), design_of(Store(Path(store)))
    bar = _bar if progress else None
    try:
        found = analyse(runs, design, tuple(readouts), asked=asked, bar=bar)
    except MissingValues as error:
        raise MissingValues(str(error).replace("STORE", str(store))) from None
    return Sensitivity(found, runs, design)


def _bar(parts: Iterator[Any], total: int) -> Iterator[Any]:
    """Show how far reading has come."""
    from tqdm.auto import tqdm

    yield from tqdm(parts, total=total, desc="indices", leave=False)
