"""A checked configuration as a Scenario, with everything judged before any integration."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from ketasim.config.files import Overrides
from ketasim.config.messages import located
from ketasim.config.packaged import Library
from ketasim.config.protocol import before, even, protocol_of, time_of
from ketasim.config.schema import Config
from ketasim.core.model import Model
from ketasim.core.protocol import Protocol
from ketasim.core.scenario import Scenario, Subject, clock, fine_then_coarse
from ketasim.core.system import System
from ketasim.errors import ConfigError, KetasimError
from ketasim.studies.cautions import cautions_of
from ketasim.units import unit

DEFAULT_UNTIL = "7 d"


@dataclass(frozen=True)
class Setup:
    """A scenario, how to integrate it, and what its author should hear first.

    An ``engine`` of None was not said: the ensemble engine, or for one run what is at hand.
    """

    scenario: Scenario
    engine: str | None = None
    method: str = "LSODA"
    rtol: float | None = None
    cautions: tuple[str, ...] = ()
    allow_unusual_dose: bool = False


def build(config: Config, source: str, *, overrides: Overrides, library: Library) -> Setup:
    """Return the setup a configuration describes.

    Raises
    ------
    ConfigError
        When a name, unit, number or time cannot be carried out; the message gives the key path.
    """
    with located(f"{source}: "):
        model = library.model(config.model.name, (*config.model.with_, *overrides.modules))
        subject = library.subject(config.subject.species, config.subject.weight)
        model = _edited(model, config.model.parameters, subject)
    model = _overridden(model, dict(overrides.parameters), subject)
    with located(f"{source}: "):
        protocol = protocol_of(config, model, subject)
        scenario = _scenario(config, source, model, subject, protocol)
    return Setup(
        scenario=scenario,
        engine=config.engine.name,
        method=config.engine.method,
        rtol=config.engine.rtol,
        cautions=cautions_of(scenario, doses=not config.allow_unusual_dose),
        allow_unusual_dose=config.allow_unusual_dose,
    )


def _edited(model: Model, values: Mapping[str, str | float], subject: Subject) -> Model:
    """Return the model with the file's parameters; each complaint begins with its key path."""
    for name, value in values.items():
        try:
            model = _with_value(model, name, value, subject)
        except KetasimError as error:
            told = str(error).removeprefix(name)
            raise ConfigError(f'model.parameters."{name[:60]}"{told}') from error
    return model


def _overridden(model: Model, values: Mapping[str, Any], subject: Subject) -> Model:
    for name, value in values.items():
        with located("--set "):
            model = _with_value(model, name, value, subject)
    return model


def _with_value(model: Model, name: str, value: str | float, subject: Subject) -> Model:
    if name == model.weight or name in subject.values:
        raise ConfigError(
            f"{name} = {value}: the subject sets this; change subject.weight instead."
        )
    return model.with_values({name: value})


def _scenario(
    config: Config, source: str, model: Model, subject: Subject, protocol: Protocol
) -> Scenario:
    times = _times(config, protocol)
    scenario = Scenario(
        model=model,
        protocol=protocol,
        times=times,
        subject=subject,
        record=tuple(config.output.observables),
        name=config.name or source.removesuffix(".toml"),
    )
    with located("intervention: "):
        _ = scenario.schedule
    _check_rest(scenario)
    return scenario


def _times(config: Config, protocol: Protocol) -> tuple[float, ...]:
    output = config.output
    if output.times is not None:
        return tuple(time_of(t, f"output.times[{i}]") for i, t in enumerate(output.times))
    written = before(protocol) if output.from_ is None else output.from_
    begin = time_of(written, "output.from")
    written = DEFAULT_UNTIL if output.until is None else output.until
    end = time_of(written, "output.until")
    if not end > begin:
        raise ConfigError(
            f'output.until = "{written}" must come after output.from ({clock(begin)}).'
        )
    if output.every is not None:
        return even(begin, end, time_of(output.every, "output.every"))
    return fine_then_coarse(protocol, begin, end)


def _check_rest(scenario: Scenario) -> None:
    """Refuse values from which no resting state can be computed, before any integration."""
    with located("model.parameters: "):
        model = scenario.resolved_model
    system = System(model)
    try:
        with np.errstate(all="ignore"):
            values = system.prepare(system.default_parameters, system.neutral_knobs)
            rest = system.rest(values)
            fine = np.isfinite(rest).all() and all(isfinite(s) for s in system.slopes(values, rest))
    except (ZeroDivisionError, OverflowError):
        fine = False
    if not fine:
        raise ConfigError(_blame(model))


def _blame(model: Model) -> str:
    """Name the changed parameter that lies furthest outside its bounds."""

    def excess(name: str) -> float:
        one = model.parameters[name]
        low, high = (bound * unit(one.unit).factor for bound in one.bounds)
        value = model.value(name)
        return max(low / value if value > 0.0 else np.inf, value / high if high > 0.0 else np.inf)

    name = max(model.edits, key=excess)
    one = model.parameters[name]
    return (
        f'model.parameters."{name}" = {model.value(name) / unit(one.unit).factor:g} {one.unit}: '
        f"no resting state can be computed. Use {one.bounds[0]:g} to {one.bounds[1]:g} {one.unit}."
    )
