"""Which steps carry an effect: hold one at its drug-free course and see what is lost.

The share of a node is the part of the effect that vanishes when everything that reads the node gets
its drug-free value while the drug does all else it does. Shares of successive steps of one path do
not add up (each may be the whole), parallel paths may share, and a share may pass 100 % or fall
below 0 where a step works against the effect. A node that rests without the drug is clamped to
a constant; one that moves, as while an animal recovers, follows an undrugged copy of the model.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ketasim.core.declare import Read
from ketasim.core.model import Model
from ketasim.core.protocol import Dose
from ketasim.core.scenario import Scenario
from ketasim.core.system import System
from ketasim.engines.contract import ALONE, Batch, Settings
from ketasim.engines.run import run
from ketasim.engines.status import Status
from ketasim.errors import ConfigError, SolverError
from ketasim.readouts import Ledger, Lookup, Reading, Readout, parse
from ketasim.studies.cuts import cut, undrugged_of, with_constants, with_undrugged

Array = NDArray[np.float64]
Course = Mapping[str, Array]
DRUG = "drug"
RESTS = 1e-6  # of its size: a node that moves less without the drug rests
MOVES = 1e-4  # of its size: a node that moves less with the drug carries nothing
NOTHING = 1e-5  # of its size: a smaller effect is none


@dataclass(frozen=True)
class Share:
    """A node, or an arrow ``source -> into``, with the share of the effect lost without it."""

    source: str
    into: str
    share: float
    left: float

    @property
    def label(self) -> str:
        """Return the node's name, or the arrow as text."""
        return f"{self.source} -> {self.into}" if self.into else self.source


@dataclass(frozen=True)
class Explanation:
    """An effect, and the share of it that each node and each arrow carries, largest first."""

    readout: str
    unit: str
    with_drug: float
    without_drug: float
    nodes: tuple[Share, ...]
    arrows: tuple[Share, ...]

    @property
    def effect(self) -> float:
        """Return the effect in the read-out's unit."""
        return self.with_drug - self.without_drug


def explain(scenario: Scenario, effect: str, *, nodes: Sequence[str] = ()) -> Explanation:
    """Return which steps carry a drug effect.

    Parameters
    ----------
    scenario
        What is done, drug included; its doses and baths are what is taken away for comparison.
    effect
        A read-out: ``"spines.density@24h"`` or ``"glutamate.relative.peak"``.
    nodes
        States or quantities to cut; when none is given, every step between drug and read-out.

    Raises
    ------
    ConfigError
        When the effect cannot be read, there is none, or a node asked for cannot be cut.
    ModelError
        When a name is not in the model.
    """
    asked = parse(effect, scenario.resolved_model, where="--effect")
    return _Study(scenario, asked).explanation(nodes)


class _Study:
    """One scenario with and without its drug, and the cuts between; it lives for one call."""

    def __init__(self, scenario: Scenario, asked: Readout) -> None:
        self.model, self.asked = scenario.resolved_model, asked
        self.scenario = replace(
            scenario, model=self.model, times=_times(scenario, asked), record=()
        )
        self.bare = replace(self.scenario, protocol=scenario.protocol.undrugged)
        if self.bare.protocol == scenario.protocol:
            raise ConfigError("--effect: the configuration gives no drug, so there is no effect.")
        self.treated, with_drug = self._run(self.scenario, self.model)
        self.free, self.before = self._run(self.bare, self.model)
        self.effect = with_drug - self.before

    def explanation(self, nodes: Sequence[str]) -> Explanation:
        size = max(abs(self.before), abs(self.before + self.effect))
        if abs(self.effect) <= NOTHING * size or not np.isfinite(self.effect):
            raise ConfigError(
                f"--effect {self.asked.text}: the drug has no effect on it there "
                f"({self.effect:.2g}); nothing can be explained."
            )
        self._check_nodes(nodes)
        own = list(nodes) or self._steps()
        return Explanation(
            readout=self.asked.text,
            unit=self.asked.unit,
            with_drug=self.before + self.effect,
            without_drug=self.before,
            nodes=_largest(self._share([one], None, one, "") for one in own),
            arrows=_largest(self._arrow(a, b, names) for (a, b), names in self._links().items()),
        )

    def _check_nodes(self, nodes: Sequence[str]) -> None:
        for one in nodes:
            role = self.model.role(one)
            if role not in ("state", "quantity") or one.partition(".")[0] in self.model.carriers:
                steps = ", ".join(self._steps()[:3]) or "no step lies there"
                raise ConfigError(
                    f"--node {one}: a state or quantity between the drug and {self.asked.text} is "
                    f"needed: {steps}."
                )

    def rests(self, name: str) -> bool:
        """Return whether a node keeps still without the drug."""
        course = self.free[name]
        return bool(np.ptp(course) <= RESTS * max(np.abs(course).max(), 1e-3))

    def moved(self, name: str) -> bool:
        """Return whether the drug moves a node."""
        away = np.abs(self.treated[name] - self.free[name]).max()
        return bool(away > MOVES * max(np.abs(self.free[name]).max(), 1e-3))

    def _ancestors(self) -> list[str]:
        """Return what the drug moves on its way to the read-out, in the model's order."""
        parents = _parents(self.model)
        found, waiting = set(), list(self.asked.names)
        while waiting:
            for one in parents.get(waiting.pop(), ()):
                if one not in found:
                    found.add(one)
                    waiting.append(one)
        known = (*self.model.states, *(str(one.name) for one in self.model.quantities))
        carriers = self.model.carriers
        rest = {n for n in known if n.partition(".")[0] in carriers} | {*self.asked.names}
        return [name for name in known if name in found - rest and self.moved(name)]

    def _steps(self) -> list[str]:
        """Return the states on the way, and what mechanisms hand to one another."""
        handed = {r.of for m in self.model.mechanisms for r in m.reads}
        wanted = handed | set(self.model.states)
        return [name for name in self._ancestors() if name in wanted]

    def _links(self) -> dict[tuple[str, str], list[str]]:
        """Return what each mechanism reads of each other one, and of the drug."""
        relevant = {name.partition(".")[0] for name in (*self._ancestors(), *self.asked.names)}
        found: dict[tuple[str, str], list[str]] = {}
        for mechanism in self.model.mechanisms:
            if mechanism.name in self.model.carriers or mechanism.name not in relevant:
                continue
            for read in mechanism.reads:
                if self._carries(read):
                    source = read.of.partition(".")[0]
                    key = (DRUG if source in self.model.carriers else source, mechanism.name)
                    found.setdefault(key, []).append(read.of)
        return found

    def _carries(self, read: Read) -> bool:
        role = self.model.role(read.of) if read.default is None else ""
        return role in ("state", "quantity") and self.moved(read.of)

    def _arrow(self, source: str, into: str, names: Sequence[str]) -> Share:
        return self._share(names, into, source, into)

    def _share(self, names: Sequence[str], reader: str | None, source: str, into: str) -> Share:
        readers = None if reader is None else (reader,)
        if all(map(self.rests, names)):
            levels = {name: float(self.free[name][0]) for name in names}
            whole, instead = with_constants(self.model, levels)
        else:
            whole, instead = self._with_undrugged, {name: undrugged_of(name) for name in names}
        clamped = cut(whole, instead, readers=readers)
        left = self._run(replace(self.scenario, model=clamped), clamped)[1] - self.before
        return Share(source, into, 1.0 - left / self.effect, left / self.effect)

    @cached_property
    def _with_undrugged(self) -> Model:
        levels = {
            name: float(course[0])
            for name, course in self.free.items()
            if name.partition(".")[0] in self.model.carriers
        }
        return with_undrugged(self.model, levels)

    def _run(self, scenario: Scenario, model: Model) -> tuple[Course, float]:
        """Return every course of a run, canonical, and the read-out in its unit."""
        names, reductions = model.recordable, self.asked.reductions
        batch = Batch(
            model=model,
            parameters=System(model).default_parameters[None, :],
            schedules=scenario.schedule,
            times=np.array(scenario.times),
            record=names,
            reductions=reductions,
        )
        found = run(batch, Settings("reference", rtol=1e-8, limits=ALONE))
        status = Status(int(found.status[0]))
        if not status.ok:
            raise SolverError(found.stories.get(0, f"a run stopped: {status.sentence}."))

        def lookup(one: Lookup) -> Array:
            if isinstance(one, Reading):
                return found.reduced[:, reductions.index(one.reduction)]
            if isinstance(one, Ledger):
                return np.array([model.value(one.name)])
            return np.array([scenario.schedule.delivered.sum()])

        course = dict(zip(names, found.values[0], strict=True))
        return course, float(np.ravel(self.asked.evaluate(lookup))[0])


def _times(scenario: Scenario, asked: Readout) -> tuple[float, ...]:
    """Return times as far as the read-out needs them, or all where it is of the whole course."""
    if not asked.moments:
        return scenario.times
    ends = [e.start + e.over for e in scenario.protocol.events if isinstance(e, Dose)]
    begin, last = min(scenario.times[0], *asked.moments, 0.0), max([*asked.moments, *ends]) + 1.0
    grid = np.concatenate([np.linspace(begin, min(last, 6.0), 61), np.linspace(begin, last, 61)])
    return tuple(sorted({*grid.round(9).tolist(), *asked.moments}))


def _parents(model: Model) -> dict[str, set[str]]:
    """Return what each state and quantity depends on directly."""
    found: dict[str, set[str]] = {}
    for wire in model.quantities:
        found.setdefault(str(wire.name), set()).update(map(str, wire.arguments))
    for wire in model.flows:
        for end in (wire.into, wire.out_of):
            if end is not None:
                found.setdefault(end, set()).update(map(str, wire.arguments))
    return found


def _largest(shares: Iterable[Share]) -> tuple[Share, ...]:
    return tuple(sorted(shares, key=lambda one: -abs(one.share)))
