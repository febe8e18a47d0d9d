"""Experiments as text."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from ketasim.cli.text import columns
from ketasim.config.experiments import candidates, load_experiments, load_folder
from ketasim.config.packaged import folder
from ketasim.errors import ConfigError, suggest
from ketasim.studies.judge.experiment import Experiment


def listed(experiments: Sequence[Experiment]) -> str:
    """Return one line for each experiment, and the counts."""
    rows = [["name", "species", "observed", "grade", "title"]]
    for one in experiments:
        grade = (one.grade or "-") + (" contested" if one.contested else "")
        rows.append([one.name, one.species, _seen(one), grade, one.title])
    contested = sum(one.contested for one in experiments)
    done = sum(one.done for one in experiments)
    return (
        f"{columns(rows)}\n{done} findings, {len(experiments) - done} proposals; "
        f"{contested} contested."
    )


def _seen(one: Experiment) -> str:
    return one.outcome.told if one.unit == "1" else f"{one.outcome.told} {one.unit}"


def shown(name: str, own: Iterable[Path]) -> str:
    """Return everything known of one experiment, its file included.

    Raises
    ------
    ConfigError
        When there is none of that name.
    """
    known = {one.name: one for one in (*load_experiments(own), *candidates())}
    if name not in known:
        raise ConfigError(
            f'"{name[:60]}": no such experiment.{suggest(name, known)} '
            f'"ketasim experiments list" shows all {len(known)}.'
        )
    one = known[name]
    doubt = f"{one.doubt:.0%} chance that it says nothing about its read-out"
    trust = f"grade {one.grade or '-'}{', contested' if one.contested else ''}; {doubt}"
    facts = [
        ["title", one.title],
        ["preparation", f"{one.species}; {one.preparation}"],
        ["observed", _seen(one) if one.done else "nothing yet: a proposal"],
        ["trusted", trust],
        ["evidence", ", ".join(one.rows) or "-"],
        ["references", ", ".join(one.references) or "-"],
        ["note", one.note or "-"],
    ]
    return f"{columns(facts)}\n\n{one.written.rstrip()}"


def checked(folders: Sequence[Path]) -> str:
    """Return that all files can be read; every fault of every file is said before that fails.

    Raises
    ------
    ConfigError
        With a line for each file that cannot be read.
    """
    places = folders or [folder() / "experiments", folder() / "candidates"]
    faults, count = [], 0
    for place in places:
        files = sorted(place.glob("*.toml")) if place.is_dir() else [place]
        if not files:
            faults.append(f"{place}: no experiment files (*.toml) here.")
        for one in files:
            try:
                count += len(load_folder(one))
            except ConfigError as error:
                faults.append(str(error))
    if faults:
        raise ConfigError(
            "\n".join([*faults, f"{count} experiments are sound, {len(faults)} not."])
        )
    return f"{count} experiments are sound."
