"""The model before what was published, and which of its steps carry an effect."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ketasim.config.findings import candidates as proposals
from ketasim.config.findings import load_checks, load_findings
from ketasim.core.model import Model
from ketasim.errors import ConfigError
from ketasim.models.antidepressant import antidepressant
from ketasim.models.rivals import hypothesis
from ketasim.reports.explanation import as_text, write
from ketasim.reports.text import Text
from ketasim.results.folder import prepare
from ketasim.studies import mediation
from ketasim.studies.findings.finding import Finding
from ketasim.studies.findings.scorecard import Verdict, score
from ketasim.studies.mediation import Explanation
from ketasim.verbs.run import Question, Tell, setup_of, warned

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def check(
    *,
    only: Iterable[int] = (),
    model: str | Model | None = None,
    checks: str | Path | None = None,
) -> list[Verdict]:
    """Score a model against the published record.

    Parameters
    ----------
    only
        Numbers of checks; all when empty.
    model
        A Model, or the name of a hypothesis or null such as ``"null-no-memory"``; the default model
        when not given.
    checks
        A folder of checks; the packaged ones when not given.

    Returns
    -------
    list of Verdict
        A finding, its predictions, and whether each agrees, fails or was not computed.

    Raises
    ------
    ConfigError
        When a file cannot be read, or there is no check or hypothesis of that name.
    """
    known = load_checks(None if checks is None else Path(checks))
    numbers = {one.number or 0 for one in known}
    wanted = set(only)
    for number in sorted(wanted - numbers):
        span = f"{min(numbers)} to {max(numbers)}"
        raise ConfigError(f"only {number}: no such check. Checks here: {span}.")
    own = antidepressant() if not isinstance(model, Model) else model
    if isinstance(model, str):
        own = hypothesis(model).model(own)
    return score([one for one in known if not wanted or one.number in wanted], own)


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

        place = prepare(Path(out))
        kinds = ("png", *formats) if self.explanation.arrows else ()
        pictures = [place / f"pathway.{kind}" for kind in kinds]
        for one in pictures:
            draw(self.explanation, self.order, one)
        return [*pictures, *write(self.explanation, place)]


def explain(
    what: Question,
    effect: str,
    *,
    nodes: Sequence[str] = (),
    sets: Iterable[str] = (),
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
    tell
        Hears each caution, such as an unusual dose; a KetasimWarning by default.

    Raises
    ------
    ConfigError
        When the effect cannot be read, there is none, or a node asked for cannot be held.
    ModelError
        When a name is not in the model.
    """
    setup = setup_of(what, sets=sets)
    for caution in setup.cautions:
        tell(caution)
    scenario = setup.scenario
    found = mediation.explain(scenario, effect, nodes=nodes)
    return Explained(found, tuple(one.name for one in scenario.model.mechanisms))
