"""The model, with modules or without, against the published record."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from ketasim.config import packaged
from ketasim.config.findings import load_checks
from ketasim.config.hypotheses import load_hypothesis
from ketasim.core.model import Model
from ketasim.errors import ConfigError
from ketasim.models.antidepressant import antidepressant
from ketasim.models.modules import module
from ketasim.studies.findings.finding import Finding
from ketasim.studies.findings.flags import flagged
from ketasim.studies.findings.scorecard import Verdict


def check(
    *,
    only: Iterable[int] = (),
    model: str | Model | None = None,
    modules: Iterable[str] = (),
    checks: str | Path | None = None,
) -> list[Verdict]:
    """Score a model against the published record.

    Parameters
    ----------
    only
        Numbers of checks; all when empty.
    model
        A Model, or the name or file of a hypothesis or null such as ``"null-no-memory"``; the
        default model when not given.
    modules
        Modules of the default model beside those that the checks ask for; none for a Model, which
        has its own.
    checks
        A folder of checks; the packaged ones when not given.

    Returns
    -------
    list of Verdict
        A finding, its predictions, whether each agrees, fails or was not computed, and ``flags``:
        why an agreement does not count.

    Raises
    ------
    ConfigError
        When a file cannot be read, there is no check or hypothesis of that name, or a Model is
        given modules.
    """
    known = load_checks(None if checks is None else Path(checks))
    kept = _only(known, only)
    if not isinstance(model, Model):
        return flagged(kept, model_for(kept, hypothesis=model, modules=modules))
    if list(modules):
        raise ConfigError(
            'modules: a Model has its own; build it with ks.models.antidepressant("safety").'
        )
    return flagged(kept, model)


def _only(known: Sequence[Finding], only: Iterable[int]) -> list[Finding]:
    numbers = {one.number or 0 for one in known}
    wanted = set(only)
    for number in sorted(wanted - numbers):
        span = f"{min(numbers)} to {max(numbers)}"
        raise ConfigError(f"only {number}: no such check. Checks here: {span}.")
    return [one for one in known if not wanted or one.number in wanted]


def model_for(
    findings: Iterable[Finding], *, hypothesis: str | None = None, modules: Iterable[str] = ()
) -> Model:
    """Return the default model with the modules that findings need and others, under a hypothesis.

    Raises
    ------
    ConfigError, ModelError
        When there is no such hypothesis or module.
    """
    needed = dict.fromkeys([name for one in findings for name in one.modules])
    base = antidepressant(*needed, *modules)
    return load_hypothesis(hypothesis).model(base) if hypothesis else base


def check_modules(
    modules: Iterable[str] = (), *, only: Iterable[int] = (), model: str | None = None
) -> dict[str, tuple[list[Verdict], Model]]:
    """Score the checks of modules, each on the model with what its checks need.

    Parameters
    ----------
    modules
        Names; every module that has checks when empty.
    only
        Numbers of checks; all when empty.
    model
        The name of a hypothesis or null to apply.

    Returns
    -------
    dict
        For each module the verdicts, flagged as :func:`check` does but for the null models of the
        chain from dose to mood, and the model they are of.

    Raises
    ------
    ConfigError, ModelError
        When there is no such module, check or hypothesis, or a module has no checks.
    """
    found = {}
    for name in modules or checked_modules():
        kept = _only(module_checks(name), only)
        own = model_for(kept, hypothesis=model)
        found[name] = (flagged(kept, own, nulls=()), own)
    return found


def module_checks(name: str) -> list[Finding]:
    """Return the checks of a module, by number.

    Raises
    ------
    ConfigError, ModelError
        When there is no such module, or it has no checks.
    """
    place = packaged.folder() / "modules" / module(name).name
    if not place.is_dir():
        raise ConfigError(f'"{name}": has no checks. Modules with some: {_listed()}.')
    return load_checks(place)


def checked_modules() -> tuple[str, ...]:
    """Return the modules that have checks, by name."""
    place = packaged.folder() / "modules"
    return tuple(sorted(one.name for one in place.iterdir() if one.is_dir()))


def _listed() -> str:
    return ", ".join(checked_modules())
