"""What ``--vary``, ``--sample`` and ``--table`` say, as a design."""

from collections.abc import Iterable
from pathlib import Path

import click

from ketasim.config.messages import located
from ketasim.core.scenario import Scenario
from ketasim.errors import ConfigError
from ketasim.studies import designs
from ketasim.studies.designs.columns import Columns
from ketasim.studies.designs.design import Design
from ketasim.studies.sweep.job import DRAWN, drawn


def design_of(
    scenario: Scenario, vary: Iterable[str], sample: str | None, table: Path | None, seed: int
) -> Design:
    """Return the design a command line asks for, judged against the scenario.

    Raises
    ------
    ConfigError
        When nothing is varied, or an option cannot be read.
    """
    pairs = [_pair(text) for text in vary]
    if table is not None and (pairs or sample):
        raise ConfigError("--table stands alone: it already says what each member gets.")
    if table is not None:
        with located("--table "):
            found = designs.table(table)
            Columns(scenario, found)
        return found
    if not pairs and sample is None:
        raise ConfigError(
            'nothing is varied: add --vary "dosing[0].amount = logspace(0.05, 5, 41) mg/kg", '
            "--sample sobol:4096, or --table FILE.csv."
        )
    with located("--vary "):
        found = _grid(pairs) if sample is None else _draw(scenario, pairs, sample, seed)
        Columns(scenario, found)
    if sample is not None:
        click.echo(f"{sample} {designs.in_a_line(found, scenario)}", err=True)
    return found


def _pair(text: str) -> tuple[str, str]:
    name, _, value = (part.strip() for part in text.partition("="))
    if not name:
        raise ConfigError(f'--vary {text[:60]}: write NAME = VALUES, e.g. "nmda.k_s = 1, 2 uM".')
    return name, value


def wishes(vary: Iterable[str]) -> dict[str, str | None] | None:
    """Return what is to be drawn, by name, with its distribution where one is given."""
    return {name: value or None for name, value in map(_pair, vary)} or None


def _grid(pairs: list[tuple[str, str]]) -> Design:
    empty = [name for name, value in pairs if not value]
    if empty:
        raise ConfigError(
            f'{empty[0]}: write values, e.g. "{empty[0]} = linspace(1, 2, 5) 1/h"; without values '
            "it needs --sample sobol:1024, which draws from the ledger's bounds."
        )
    return designs.grid(dict(pairs))


def _draw(scenario: Scenario, pairs: list[tuple[str, str]], sample: str, seed: int) -> Design:
    kind, n = drawn(sample)
    wished = {name: value or None for name, value in pairs}
    return DRAWN[kind](scenario, n, vary=wished or None, seed=seed)
