"""Experiments that could be made: every drug, dose and input that anybody used, with every other.

What is held in more than half of all arms (stress) is held in all. What findings and proposals of a
species give and hold besides is combined; doses are also tried at a third and at three times of
what was given, up to the largest that was given by that route.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from math import inf, log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.core.protocol import Bath, Dose, Event, Hold, Protocol
from ketasim.core.scenario import Subject, clock
from ketasim.readouts import Lookup, Reading
from ketasim.studies.findings.arms import Arm
from ketasim.studies.findings.finding import Finding
from ketasim.studies.findings.observed import TWO_SIDED, Direction
from ketasim.studies.findings.reading import Formula
from ketasim.studies.judge.prepare import question

Array = NDArray[np.float64]
SCALES = (1.0, 1 / 3, 3.0)  # of doses that were given
CLOSE = log(1.6)  # doses nearer than this ratio are one


class Plan(NamedTuple):
    """What is done to whom: a drug at a dose, and what is held in both groups besides."""

    species: str
    drug: str
    held: str
    arm: Arm

    @property
    def name(self) -> str:
        """Return ``'mouse, ketamine 10 mg/kg ip, ampa.antagonist 1 from -30 min'``."""
        return ", ".join(part for part in (self.species, self.drug, self.held) if part)


def plans(findings: Sequence[Finding]) -> tuple[Plan, ...]:
    """Return every arm that what findings do can be combined to."""
    arms = [arm for one in findings for arm in one.arms.values() if not arm.values]
    always = _always(arms)
    subjects: dict[str, Subject] = {}
    drugs: dict[str, dict[tuple[Event, ...], None]] = {}
    helds: dict[str, dict[tuple[Event, ...], None]] = {}
    for arm in arms:
        kind, kept = arm.subject.species, set(arm.control.events)
        drug = tuple(one for one in arm.treated.events if one not in kept)
        if any(isinstance(one, Bath) for one in arm.treated.events):
            continue
        subjects.setdefault(kind, arm.subject)
        helds.setdefault(kind, {(): None})[
            tuple(one for one in arm.control.events if one not in always)
        ] = None
        if drug:
            drugs.setdefault(kind, {})[drug] = None
    return tuple(
        Plan(kind, _told(drug), _told(held), _arm(subjects[kind], always, held, drug))
        for kind, given in drugs.items()
        for drug, held in product(_doses(list(given)), helds[kind])
        if not _knobs(drug) & _knobs(held)
    )


def _always(arms: Sequence[Arm]) -> tuple[Event, ...]:
    """Return what is held in more than half of all arms."""
    seen = Counter(one for arm in arms for one in arm.control.events)
    return tuple(one for one, count in seen.items() if 2 * count > len(arms))


def _arm(
    subject: Subject, always: tuple[Event, ...], held: tuple[Event, ...], drug: tuple[Event, ...]
) -> Arm:
    return Arm(subject, Protocol((*drug, *always, *held)), Protocol((*always, *held)))


def _doses(given: Sequence[tuple[Event, ...]]) -> Iterator[tuple[Event, ...]]:
    """Yield what was given, and single doses at a third and at three times that too.

    None exceeds the largest that was given by that route.
    """
    most: dict[tuple[str, bool], float] = {}
    for dose in (event for drug in given for event in drug if isinstance(event, Dose)):
        way = dose.route, dose.per_weight
        most[way] = max(most.get(way, 0.0), dose.amount)
    known: dict[tuple[object, ...], list[float]] = {}
    for scale in SCALES:
        for drug in given:
            one = drug[0]
            if len(drug) > 1 or not isinstance(one, Dose):
                if scale == 1.0:
                    yield drug
                continue
            amount = one.amount * scale
            if amount > most[one.route, one.per_weight]:
                continue
            near = known.setdefault((one.drug, one.route, one.per_weight, one.s_fraction), [])
            if scale == 1.0 or all(abs(log(amount / other)) > CLOSE for other in near):
                near.append(amount)
                yield (replace(one, amount=amount),)


def _knobs(events: tuple[Event, ...]) -> set[str]:
    return {one.knob for one in events if isinstance(one, Hold)}


def _told(events: tuple[Event, ...]) -> str:
    """Return events as text: ``'ketamine 10 mg/kg ip'``, ``'opioid.naltrexone 1 from -45 min'``."""
    found = []
    for one in events:
        if isinstance(one, Dose):
            amount = f"{one.amount:.3g} {'mg/kg' if one.per_weight else 'mg'}"
            when = f" at {clock(one.start)}" if one.start else ""
            found.append(f"{one.drug} {amount} {one.route}{when}")
        elif isinstance(one, Hold):
            since = "" if one.start == -inf else f" from {clock(one.start) if one.start else 0}"
            level = one.value if isinstance(one.value, str) else f"{one.value:g}"
            found.append(f"{one.knob} {level}{since}")
    return " and ".join(found)


def errors_of(
    findings: Sequence[Finding], model: Model, *, threads: int | None = None
) -> dict[str, float]:
    """Return the median error that findings state for the effect on each name, canonical.

    A finding counts that reads one name alone, at a moment. A direction's error is what would be
    called an effect over 1.96; a share's is in parts of the effect that the model as it stands
    shows.
    """
    simple = [one for one in findings if _effect_of(one.formulas[0])]
    if not simple:
        return {}
    asked = question(simple, model, threads=threads)
    found: dict[str, list[float]] = {}
    for one, place in zip(simple, asked.places, strict=True):
        name, scale = _effect_of(one.formulas[0])[0]
        what = one.observed
        error = what.least / TWO_SIDED if isinstance(what, Direction) else what.error
        if place.whole >= 0:
            scale = abs(float(asked.default[place.whole]))
        size = error * scale if place.whole >= 0 else error / scale
        if np.isfinite(size) and size > 0.0:
            found.setdefault(name, []).append(size)
    return {name: float(np.median(sizes)) for name, sizes in sorted(found.items())}


def read_in(findings: Sequence[Finding]) -> dict[str, set[str]]:
    """Return for each species the names of which an effect was, or could be, read there."""
    found: dict[str, set[str]] = {}
    for one in findings:
        for formula in one.formulas:
            for name, _ in _effect_of(formula):
                kinds = {arm.subject.species for arm in one.arms.values()}
                for kind in kinds:
                    found.setdefault(kind, set()).add(name)
    return found


def _effect_of(formula: Formula) -> list[tuple[str, float]]:
    """Return the one name whose effect at a moment is read, and the factor on it; or nothing."""
    lookups = formula.part.lookups
    if len(lookups) != 1 or not isinstance(one := lookups[0], Reading):
        return []
    if not one.effect or one.reduction.kind != "at":
        return []
    once, twice = (float(formula.part.evaluate(_constant(x))) for x in (1.0, 2.0))
    straight = abs(twice - 2.0 * once) < 1e-9 * abs(once)
    return [(one.reduction.name, abs(once))] if straight and once else []


def _constant(value: float) -> Callable[[Lookup], Array]:
    return lambda _: np.asarray(value)
