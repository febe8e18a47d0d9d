"""What a draw varies: names and groups of a model's parameters, and the traits of its subject."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import get_args

from ketasim.core.evidence import Kind
from ketasim.core.model import Model
from ketasim.core.scenario import Scenario
from ketasim.errors import ConfigError, suggest
from ketasim.models.subjects import Trait, traits
from ketasim.studies.designs.design import Design
from ketasim.studies.designs.distributions import (
    Distribution,
    lognormal,
    plausible,
    read_distribution,
    truncated,
)

Source = Model | Scenario
Vary = str | Iterable[str] | Mapping[str, "Distribution | str | None"]

ROLES = {
    "uncertain": "",
    "exponents": "exponent",
    "gains": "gain",
    "body": "body",
    "settings": "setting",
}
NOUNS = {
    "": ("uncertain parameter", "uncertain parameters"),
    "exponent": ("exponent", "exponents"),
    "gain": ("driver gain", "driver gains"),
    "body": ("trait of the body", "traits of the body"),
    "setting": ("setting", "settings"),
}
SUBJECT = "subject"
WORDS = (*ROLES, SUBJECT, "everything", *get_args(Kind))
_EVENT = re.compile(r"(dosing|intervention|bath)\[")


@dataclass(frozen=True)
class Drawable:
    """One column of a draw: its distribution, and under which name its shares are drawn.

    Of two columns alike the one of higher ``rank`` counts: a name outranks a group.
    """

    distribution: Distribution
    shares: str
    rank: int = 0


def chosen(source: Source, vary: Vary | None) -> dict[str, Drawable]:
    """Return the columns of a draw in order; what is uncertain when nothing is named.

    Raises
    ------
    ConfigError, ModelError
        When nothing is left to vary, or a name has neither bounds nor a distribution.
    """
    many = "uncertain" if vary is None else vary
    given = [many] if isinstance(many, str) else many
    wishes = given if isinstance(given, Mapping) else dict.fromkeys(given)
    found: dict[str, Drawable] = {}
    for name, wish in wishes.items():
        own = read_distribution(wish, name) if isinstance(wish, str) else wish
        for column, one in _asked(source, name, own):
            if column not in found or one.rank > found[column].rank:
                found[column] = one
    if not found:
        raise ConfigError("nothing is varied; name a parameter whose bounds leave room.")
    return found


def in_a_line(design: Design, source: Source) -> str:
    """Return what a draw varies and what it leaves alone, as one sentence."""
    model = _model(source)
    names = {model.weight if name == "subject.weight" else name for name in design.names}
    drawn, left = [], []
    for role, nouns in NOUNS.items():
        members = [n for n in model.parameters if _room(model, n) and _role(model, n) == role]
        inside = len(names.intersection(members))
        drawn += [_counted(inside, nouns)] if inside else []
        left += [_counted(len(members) - inside, nouns)] if inside < len(members) else []
    others = [name for name in design.names if name not in model.parameters]
    told = f"draws {', '.join([*drawn, *(one for one in others if one != 'subject.weight')])}"
    if design.together:
        told += f" ({'; '.join(', '.join(group) for group in design.together)} move together)"
    if left:
        told += f"; leaves {', '.join(left)} alone (--vary exponents, gains, subject, everything)"
    return f"{told}."


def _counted(n: int, nouns: tuple[str, str]) -> str:
    return f"{n} {nouns[n != 1]}"


def _asked(source: Source, name: str, own: Distribution | None) -> Iterator[tuple[str, Drawable]]:
    """Yield the columns that one name or group stands for."""
    head, _, tail = name.partition(".")
    if not tail and own is not None:
        raise ConfigError(f"{name}: a group takes no distribution; name its parameters.")
    weight = _model(source).weight
    if head == SUBJECT or name == weight:
        yield from _of_subject(source, "weight" if name == weight else tail, name, own)
    elif own is not None:
        yield name, Drawable(own, name, 3)
    elif _EVENT.match(name):
        raise ConfigError(f'{name}: give a distribution, e.g. "{name} = uniform(0, 1) mg/kg".')
    elif tail:
        yield name, Drawable(_from_ledger(_model(source), name), name, 2)
    else:
        yield from _of_group(source, name)


def _of_group(source: Source, word: str) -> Iterator[tuple[str, Drawable]]:
    model = _model(source)
    known = {*WORDS, *(one.name for one in model.mechanisms)}
    if word not in known:
        raise ConfigError(
            f'"{word[:60]}": no such parameter or group.{suggest(word, known)} '
            f"Groups: {', '.join(WORDS)}, or a mechanism."
        )
    members = [
        name for name in model.parameters if _room(model, name) and _is_in(model, name, word)
    ]
    if not members:
        raise ConfigError(
            f'"{word}": nothing in it is uncertain with bounds that leave room; name a parameter, '
            'or "exponents", "gains" or "everything".'
        )
    for name in members:
        if name == model.weight and traits(_species(source)):
            yield from _of_subject(source, "weight", "subject.weight", None)
        elif name not in _set_by_subject(source):
            yield name, Drawable(plausible(model.parameters[name]), name)


def _is_in(model: Model, name: str, word: str) -> bool:
    one, role = model.parameters[name], _role(model, name)
    if word == "everything" or (word in ROLES and ROLES[word] == role):
        return True
    return role == "" and word in (name.rpartition(".")[0], one.evidence.kind)


def _role(model: Model, name: str) -> str:
    """Return what a parameter is for; a weight is one trait of the body."""
    role = model.parameters[name].role
    return "body" if role == "weight" else role


def _room(model: Model, name: str) -> bool:
    low, high = model.parameters[name].bounds
    return low < high


def _of_subject(
    source: Source, tail: str, name: str, own: Distribution | None
) -> Iterator[tuple[str, Drawable]]:
    """Yield the columns of one trait of the subject, or of all."""
    model, species = _model(source), _species(source)
    if name in ("subject.weight", model.weight) and own is not None:
        yield name, Drawable(own, name, 3)
        return
    here = {key: one for key, one in traits(species).items() if _is_known(model, one)}
    if not here or (tail and tail not in here):
        there = f"Traits here: {', '.join(here)}." if here else "No trait here has one."
        raise ConfigError(
            f"{name}: no distribution for a {species} in this model.{suggest(tail, here)} {there}"
        )
    for key, trait in here.items():
        if not tail:
            yield from _of_trait(model, trait, f"subject.{key}", None)
        elif key == tail:
            yield from _of_trait(model, trait, name, own)


def _of_trait(
    model: Model, trait: Trait, name: str, own: Distribution | None
) -> Iterator[tuple[str, Drawable]]:
    rank = 1 if own is None else 3
    one = own or distribution_of(trait)
    if not trait.scales:
        yield name, Drawable(one, name, rank)
    if trait.scales and one.unit != "1":
        raise ConfigError(f"{name}: it multiplies {trait.scales[0]}, so it has no unit.")
    for full in trait.scales:
        number, text = model.edits.get(full, (model.parameters[full].value, model.unit(full)))
        yield full, Drawable(one.scaled(number, text), name, rank)


def distribution_of(trait: Trait) -> Distribution:
    """Return how a trait is distributed."""
    low, high = (f"{end!r} {trait.unit}" for end in trait.within)
    return truncated(lognormal(f"{trait.median!r} {trait.unit}", cv=trait.cv), low, high)


def _is_known(model: Model, trait: Trait) -> bool:
    return all(name in model.parameters for name in trait.scales)


def _from_ledger(model: Model, name: str) -> Distribution:
    model.value(name)  # refuses what is no parameter, with a suggestion
    if not _room(model, name):
        raise ConfigError(f"{name}: its bounds leave no room; give it a distribution.")
    return plausible(model.parameters[name])


def _model(source: Source) -> Model:
    return source.resolved_model if isinstance(source, Scenario) else source


def _species(source: Source) -> str:
    return source.subject.species if isinstance(source, Scenario) else "human"


def _set_by_subject(source: Source) -> Mapping[str, str | float]:
    return source.own_values if isinstance(source, Scenario) else {}
