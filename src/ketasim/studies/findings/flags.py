"""Which measures of a scorecard tell little, and why.

A measure is flagged when

- a **null** passes it: a model that leaves out a part of the story, or one in which nothing answers
  the drug;
- it is an **input** again: a level of its own protocol, a parameter, or in proportion to one
  parameter and moved by no other;
- its verdict **flips** when a condition that the file calls assumed is 30 % less or more.

None of them counts as a pass, and a check that holds one of the latter two does not pass. What a
null passes may still be asked (a null without memory has the same surge of glutamate); such a check
passes by a measure that no null can answer.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import isclose

import numpy as np
from numpy.typing import NDArray

from ketasim.core.model import Model
from ketasim.core.protocol import Hold
from ketasim.core.system import System
from ketasim.engines.contract import Limits
from ketasim.models.rivals import NULLS, Hypothesis
from ketasim.studies.findings.finding import Finding
from ketasim.studies.findings.predict import predictor
from ketasim.studies.findings.scorecard import (
    AGREES,
    ASSUMED,
    FAILS,
    INPUT,
    NULL,
    Flag,
    Verdict,
    score,
    scorecard,
)
from ketasim.units import unit

Array = NDArray[np.float64]
NO_RESPONSE = "no response"
FACTORS = (0.7, 1.3)  # of an assumed condition
STEP = 0.01  # of a parameter, for what moves a measure
STILL = 1e-6  # a measure that moves less, as a share of itself, does not move
SAME = 1e-3  # a slope so close to 1, in logarithms, is in proportion


def without_response(one: Finding) -> Finding:
    """Return a finding in which every arm is read as if the drug had never been given."""
    return replace(one, arms={name: arm.undrugged for name, arm in one.arms.items()})


def flagged(
    findings: Sequence[Finding],
    model: Model,
    *,
    nulls: Sequence[Hypothesis] = NULLS,
    limits: Limits | None = None,
) -> list[Verdict]:
    """Return the verdict of a model on each finding, with what is wrong with its measures.

    Parameters
    ----------
    findings
        Those with an acceptance interval are judged.
    model
        The model to score.
    nulls
        Models that leave out something a measure might be about, as edits of this one.
    limits
        What one run may spend.

    Raises
    ------
    ModelError
        When a formula, or a null, asks for a name the model does not have.
    """
    plain = score(findings, model, limits=limits)
    chosen = [one.finding for one in plain]
    passing = {one.name: score(chosen, one.model(model), limits=limits) for one in nulls}
    passing[NO_RESPONSE] = score([without_response(one) for one in chosen], model, limits=limits)
    inputs = _inputs(chosen, model, limits)
    flips = _flips(plain, model, limits)
    return [
        replace(verdict, flags=tuple(map(tuple, _gathered(i, verdict, passing, inputs, flips))))
        for i, verdict in enumerate(plain)
    ]


def _gathered(
    i: int,
    verdict: Verdict,
    passing: dict[str, list[Verdict]],
    inputs: list[list[list[Flag]]],
    flips: list[list[list[Flag]]],
) -> list[list[Flag]]:
    found: list[list[Flag]] = []
    for j, readout in enumerate(verdict.finding.readouts):
        own: list[Flag] = []
        if readout.judged:
            own += [_null(name) for name, each in passing.items() if each[i].words[j] == AGREES]
            own += inputs[i][j] + flips[i][j]
        found.append(own)
    return found


def _null(name: str) -> Flag:
    told = "a model in which nothing answers the drug" if name == NO_RESPONSE else name
    return Flag(NULL, name, f"{told} passes it too")


def _inputs(
    findings: Sequence[Finding], model: Model, limits: Limits | None
) -> list[list[list[Flag]]]:
    """Return, for each read-out, the inputs that it is nothing but."""
    names = [name for name, one in model.parameters.items() if model.value(name) != 0.0]
    order = list(model.parameters)
    base = System(model).default_parameters
    draws = np.repeat(base[None, :], len(names) + 1, axis=0)
    for row, name in enumerate(names, start=1):
        draws[row, order.index(name)] *= 1.0 + STEP
    predicted = predictor(findings, model, limits=limits).predict(draws)
    return [
        [
            _own_inputs(one, values, names, model) if readout.judged else []
            for readout, values in zip(one.readouts, found.values, strict=True)
        ]
        for one, found in zip(findings, predicted, strict=True)
    ]


def _own_inputs(one: Finding, values: Array, names: list[str], model: Model) -> list[Flag]:
    value = float(values[0])
    if not np.isfinite(value) or value == 0.0:
        return []
    with np.errstate(all="ignore"):
        slopes = np.log(np.abs(values[1:] / value)) / np.log1p(STEP)
    moved = np.flatnonzero(~(np.abs(slopes) <= STILL / STEP))
    alone = len(moved) == 1 and isclose(abs(slopes[moved[0]]), 1.0, abs_tol=SAME)
    found = [Flag(INPUT, names[moved[0]], f"it is {names[moved[0]]} again")] if alone else []
    if not found and not len(moved):
        found = [
            Flag(INPUT, e.knob, f"it is the level of {e.knob} again")
            for arm in one.arms.values()
            for e in arm.treated.events
            if isinstance(e, Hold) and isclose(abs(value), _level(e, model), rel_tol=STILL)
        ][:1]
    return found


def _level(one: Hold, model: Model) -> float:
    if not isinstance(one.value, str):
        return abs(float(one.value)) or np.nan
    number, _, own = one.value.partition(" ")
    factor = unit(own).factor / unit(model.knobs[one.knob].unit).factor if own else 1.0
    return abs(float(number) * factor) or np.nan


def _flips(plain: Sequence[Verdict], model: Model, limits: Limits | None) -> list[list[list[Flag]]]:
    """Return, for each read-out, the assumed conditions that its verdict hangs on."""
    changed = [
        (i, name, factor, with_assumed(one.finding, name, factor, model))
        for i, one in enumerate(plain)
        for name in one.finding.assumed
        for factor in FACTORS
    ]
    found: list[list[list[Flag]]] = [[[] for _ in one.finding.readouts] for one in plain]
    if not changed:
        return found
    card = scorecard([one for *_, one in changed], model, limits=limits)
    for (i, name, factor, _), verdict in zip(changed, card.verdicts(), strict=True):
        words = zip(plain[i].words, verdict.words, strict=True)
        for j, (before, after) in enumerate(words):
            if before != after and {before, after} == {AGREES, FAILS}:
                if any(flag.what == name for flag in found[i][j]):
                    continue
                value = verdict.predictions[j]
                told = f"{after} ({value:.3g}) with {name} at {factor:g} of what was assumed"
                found[i][j].append(Flag(ASSUMED, name, told))
    return found


def with_assumed(one: Finding, name: str, factor: float, model: Model) -> Finding:
    """Return a finding with one of the conditions it assumes at ``factor`` of what is assumed."""
    most = model.knobs[name].bounds[1] if name in model.knobs else np.inf
    arms = {key: arm.scaled(name, factor, most=most) for key, arm in one.arms.items()}
    return replace(one, arms=arms)
