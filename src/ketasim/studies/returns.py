"""Draws left alone, and then given a dose: rest is exact and stable, and states come back.

What is not back is told by the state that takes part in the slowest way back, with how long that
takes.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import nan

import numpy as np

from ketasim.core.model import Model
from ketasim.core.scenario import Scenario
from ketasim.core.system import System
from ketasim.engines.contract import MEMBER, Limits
from ketasim.engines.status import Status, usable
from ketasim.errors import KetasimWarning
from ketasim.studies.designs.design import Design
from ketasim.studies.rest import Answers, Array, impossible, members
from ketasim.studies.sweep.run import sweep

NOUGHT = 1e-3  # a value before below this share of the scale counts as 0
TAKES = 0.05  # share of the most that a state moves in a way back, from which on it takes part


@dataclass(frozen=True)
class Draw:
    """What became of one draw that was left alone, and then given a dose.

    ``drift`` is the largest slope at rest, in scales an hour; ``slowest`` the largest real part of
    an eigenvalue [1/h], those of conserved pools apart. ``late`` holds what is left of a change in
    states that are not back, ``slow`` the one of them that takes part in the slowest way back,
    ``lifetime`` how long that takes [h]: a compartment that empties in a day takes weeks where most
    of what it loses comes back.
    ``possible`` says whether there is a rest at all, ``why_not`` the state or rate by which there
    is none; ``computed`` whether its run succeeded, ``status`` how it ended.
    """

    possible: bool
    computed: bool
    drift: float
    slowest: float
    late: Mapping[str, float]
    slow: str = ""
    lifetime: float = nan
    why_not: str = ""
    status: str = ""


def left_alone(
    model: Model,
    design: Design,
    scenario: Scenario,
    *,
    near: float = 0.05,
    limits: Limits = MEMBER,
) -> list[Draw]:
    """Return for every draw whether rest is exact and stable, and what is not back after a dose.

    Parameters
    ----------
    model
        Whose parameters are drawn.
    design
        The draws.
    scenario
        A dose; its first and last time are compared.
    near
        What counts as back, as a share of the state's value before, or of its scale if that was 0.
    limits
        What one run may spend; a draw that takes more is not computed.

    Raises
    ------
    ConfigError, ModelError
        When the design names something the model does not have.
    """
    answers, drawn = Answers(model), members(model, design)
    names = tuple(model.states)
    with warnings.catch_warnings(action="ignore", category=KetasimWarning):  # of unusual values
        run = sweep(scenario, design, record=names, limits=limits, keep_design=False)
    codes = run["status"].to_numpy()
    fine = usable(codes)
    courses = np.stack([run[name].to_numpy()[:, [0, -1]] for name in names], axis=1)
    unread = {names[one] for one, _ in answers.left}
    found = []
    told = [Status(int(code)).name.lower() for code in codes]
    for one, is_fine, status, course in zip(drawn, fine.tolist(), told, courses, strict=True):
        gaps = _gaps(answers.system, course) if is_fine else np.zeros(len(names))
        late = {
            n: g for n, g in zip(names, gaps.tolist(), strict=True) if g > near and n not in unread
        }
        found.append(replace(_draw(answers, one, late, computed=is_fine), status=status))
    return found


def _gaps(system: System, course: Array) -> Array:
    before, after = course.T
    size = np.where(np.abs(before) > NOUGHT * system.scales, np.abs(before), system.scales)
    found: Array = np.abs(after - before) / size
    return found


def _draw(
    answers: Answers, parameters: Array, late: Mapping[str, float], *, computed: bool
) -> Draw:
    system = answers.system
    if why := impossible(system, parameters):
        return Draw(possible=False, computed=computed, drift=nan, slowest=nan, late={}, why_not=why)
    values = system.prepare(parameters, system.neutral_knobs)
    rest = system.rest(values)
    drift = float((np.abs(np.array(system.slopes(values, rest))) / system.scales).max())
    roots, ways = np.linalg.eig(system.jacobian(values, rest))
    order = np.argsort(-roots.real)[len(system.model.conserved) :]
    sizes = np.where(rest > 0.0, rest, system.scales)
    lasts = _lasts(roots.real[order], np.abs(ways[:, order]) / sizes[:, None])
    alone = answers.lifetimes(parameters) if late else {}
    names = system.state_names
    lifetimes = {name: float(lasts[names.index(name)]) for name in late}
    slow = max(late, key=lambda name: (lifetimes[name], alone.get(name, 0.0)), default="")
    return Draw(
        possible=True,
        computed=computed,
        drift=drift,
        slowest=float(roots.real[order[0]]),
        late=late,
        slow=slow,
        lifetime=lifetimes.get(slow, nan),
    )


def _lasts(roots: Array, ways: Array) -> Array:
    """Return how long the slowest way back takes in which a state takes part [h], (n_states,).

    ``roots`` (n_ways,) are in order, the slowest first; ``ways`` (n_states, n_ways) say how far
    each state moves in each, of its size.
    """
    with np.errstate(all="ignore"):
        taken = ways / ways.max(axis=0) >= TAKES
        found: Array = -1.0 / roots[taken.argmax(axis=1)]
    return found
