"""How people, rats or mice differ: each trait a distribution with its source, as one frozen table.

Names of traits are those of the model (``subject.weight``, ``outcome.score_episode``), names of
factors that scale several parameters (``clearance``), or ``person.NAME`` for what is no number of
the model: covariates, and how a person answers a visit and a rating.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import log, sqrt

from ketasim.core.evidence import Evidence
from ketasim.core.model import Model
from ketasim.errors import ConfigError, suggest
from ketasim.studies.designs.distributions import Distribution
from ketasim.studies.designs.draw import Seed, key_of
from ketasim.studies.designs.patients import Crowd, Scaled, Values, correlation
from ketasim.units import unit

PERSON = "person."
WEIGHT = "subject.weight"


@dataclass(frozen=True)
class Trait:
    """One way in which people differ.

    ``spread`` is a coefficient of variation about the ledger's own value, cut off at its bounds,
    for a parameter that has no ``values`` of its own; ``scales`` are the parameters that a factor
    multiplies.
    """

    name: str
    evidence: Evidence
    values: Values | None = None
    spread: float | None = None
    scales: tuple[str, ...] = ()


@dataclass(frozen=True)
class Effect:
    """What a covariate does: ``ratio`` for each ``per`` above ``origin``, on some parameters."""

    of: str
    scales: tuple[str, ...]
    ratio: float
    origin: float
    per: float
    evidence: Evidence


@dataclass(frozen=True)
class Pair:
    """Two traits that go together: the correlation of their normal scores."""

    first: str
    second: str
    r: float
    evidence: Evidence


@dataclass(frozen=True)
class People:
    """A species' traits, what covariates do, and which go together."""

    species: str
    title: str
    traits: tuple[Trait, ...]
    effects: tuple[Effect, ...] = ()
    pairs: tuple[Pair, ...] = ()

    def crowd(self, model: Model, n: int, seed: Seed = 0) -> Crowd:
        """Return ``n`` of them, to be drawn.

        Raises
        ------
        ConfigError
            When a name is not the model's, or the correlations are not possible together.
        """
        traits = tuple((one.name, _values(one, model)) for one in self.traits)
        names = [name for name, _ in traits]
        effects = tuple(_scaled(self.effects, names))
        multiplies = tuple((one.name, name) for one in self.traits for name in one.scales)
        moved = [name for _, name in multiplies] + [one.column for one in effects]
        own = [name for name in names if name == WEIGHT or name in model.parameters]
        columns = tuple(dict.fromkeys((*own, *moved)))
        base = tuple(_base(model, name) for name in columns if name not in own)
        pairs = {(one.first, one.second): one.r for one in self.pairs}
        crowd = Crowd(
            key_of(seed), n, traits, columns, base, multiplies, effects, correlation(names, pairs)
        )
        _check_possible(crowd, model)
        return crowd


def _values(one: Trait, model: Model) -> Values:
    """Return what a trait is drawn from, its name checked."""
    if one.name.startswith(PERSON) or one.scales:
        if one.values is None:
            raise ConfigError(f"{one.name}: write its values; the ledger knows none.")
        return _factor(one) if one.scales else one.values
    if one.name != WEIGHT:
        _known(model, one.name)
    if one.values is None:
        return _about(model, one)
    wanted = "kg" if one.name == WEIGHT else model.parameters[one.name].unit
    if unit(one.values.unit).dimension != unit(wanted).dimension:
        raise ConfigError(f'{one.name}: values in "{one.values.unit}"; "{wanted}" is needed.')
    return one.values


def _factor(one: Trait) -> Values:
    if one.values is None or one.values.unit != "1" or not one.values.support[0] >= 0.0:
        raise ConfigError(f"{one.name}: a factor has no unit and is never below 0; cut it off.")
    return one.values


def _about(model: Model, one: Trait) -> Distribution:
    """Return a log-normal spread about the ledger's value, within its bounds."""
    parameter = model.parameters[one.name]
    value = model.value(one.name) / unit(parameter.unit).factor
    low, high = parameter.bounds
    if one.spread is None or not (value > 0.0 and low < high and one.spread > 0.0):
        raise ConfigError(f"{one.name}: write values, or spread = 0.2 where bounds leave room.")
    gsd = 2.718281828459045 ** sqrt(log(1.0 + one.spread**2))
    return Distribution("lognormal", value, gsd, parameter.unit, low, high)


def _base(model: Model, name: str) -> tuple[str, float, str]:
    _known(model, name)
    own = model.parameters[name].unit
    return name, model.value(name) / unit(own).factor, own


def _known(model: Model, name: str) -> None:
    if name not in model.parameters:
        raise ConfigError(
            f'"{name[:60]}": no such parameter.{suggest(name, model.parameters)} Traits of the '
            'person are "person.NAME"; a factor has scales = [...].'
        )


def _scaled(effects: Iterable[Effect], names: list[str]) -> Iterable[Scaled]:
    for one in effects:
        if one.of not in names:
            raise ConfigError(f'effects: "{one.of}" is no trait.{suggest(one.of, names)}')
        if not (one.ratio > 0.0 and one.per > 0.0):
            raise ConfigError(f"effects of {one.of}: ratio and per must be > 0.")
        for name in one.scales:
            yield Scaled(name, one.of, one.ratio, one.origin, one.per)


def _check_possible(crowd: Crowd, model: Model) -> None:
    """Refuse a table in which traits together could ask for what no parameter can be."""
    for column, (low, high) in zip(crowd.columns, crowd.extremes, strict=True):
        parameter = model.parameters.get(column)
        if parameter is None:
            continue
        most = parameter.grounds.most
        if high > most or (parameter.bounds[0] >= 0.0 and low < 0.0):
            raise ConfigError(
                f"{column}: traits and effects together reach {low:.3g} to {high:.3g} "
                f"{parameter.unit}, which cannot be (at most {most:g}). Cut a distribution off."
            )


def sources(people: People) -> Mapping[str, Evidence]:
    """Return the evidence of every line: traits, effects and pairs, by what they say."""
    found = {one.name: one.evidence for one in people.traits}
    found |= {f"{one.of} on {', '.join(one.scales)}": one.evidence for one in people.effects}
    return found | {f"{one.first} with {one.second}": one.evidence for one in people.pairs}
