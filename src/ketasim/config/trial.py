"""``ketasim trial``: arms, visits, and what goes wrong on the way, from a file."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from ketasim.config.files import parse, read_file
from ketasim.config.messages import located, validated
from ketasim.config.packaged import packaged_library
from ketasim.config.people import found
from ketasim.config.population import parted
from ketasim.config.protocol import time_of
from ketasim.config.published import SettingTable, dosed
from ketasim.config.schema import DosingTable, Quantity, Table, complaint
from ketasim.core.describe import Described, some
from ketasim.core.scenario import clock
from ketasim.errors import ConfigError
from ketasim.studies.patients.reading import Setting
from ketasim.studies.trial.plan import Blinding, Dropout, Plan, Rescue, TrialArm

ROOM = "trials"
MOST_PATIENTS, MOST_VISITS = 100_000, 100


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


class TrialArmTable(Table):
    """``[arms.NAME]``: what is given, and the arm's share of those randomised."""

    share: float = Field(1.0, gt=0.0)
    dosing: Annotated[tuple[DosingTable, ...], BeforeValidator(_as_tuple)] = ()


class BlindingTable(Table):
    """``[blinding]``: how the arm is found out, and what that does to expectation."""

    kept: bool = False
    half: float = Field(6.0, ge=0.0, le=84.0)
    width: float = Field(2.5, gt=0.0, le=84.0)
    believed: float = Field(1.3, ge=0.0, le=5.0)
    doubted: float = Field(0.7, ge=0.0, le=5.0)


class DropoutTable(Table):
    """``[dropout]``: shares lost by the last visit, and how much more of those who are worse."""

    share: float = Field(0.0, ge=0.0, lt=1.0)
    lack: float = Field(0.0, ge=-2.0, le=2.0)
    adverse: float = Field(0.0, ge=0.0, lt=1.0)


class RescueTable(Table):
    """``[rescue]``: from which score and when on, and by how much it lowers later scores."""

    least: float = Field(ge=0.0, le=60.0)
    start: Quantity = Field(0.0, alias="from")
    gain: float = Field(ge=0.0, le=60.0)


class AnalysisTable(Table):
    """``[analysis]``: how the effect at the last visit is told."""

    method: Literal["mixed", "locf", "observed"] = "mixed"
    estimand: Literal["policy", "hypothetical"] = "policy"
    alpha: float = Field(0.05, gt=0.0, lt=0.5)
    whole_points: bool = True


class PowerTable(Table):
    """``[power]``: sizes to be tried, how many trials of each, and which power is wanted."""

    sizes: Annotated[tuple[int, ...], BeforeValidator(_as_tuple)] = Field(max_length=50)
    trials: int = Field(500, ge=10, le=100_000)
    wanted: Annotated[tuple[float, ...], BeforeValidator(_as_tuple)] = (0.8, 0.9)

    @model_validator(mode="after")
    def _possible(self) -> "PowerTable":
        if any(not 8 <= one <= MOST_PATIENTS for one in self.sizes):
            raise complaint(f".sizes: 8 to {MOST_PATIENTS:,} patients, of all arms together.")
        if any(not 0.0 < one < 1.0 for one in self.wanted):
            raise complaint(".wanted: shares between 0 and 1, such as [0.8, 0.9].")
        return self


class TrialFile(Table):
    """One trial before it begins."""

    schema_: Literal[1] = Field(alias="schema")
    title: str = Field("", max_length=200)
    population: str = "trials"
    patients: int = Field(200, ge=8, le=MOST_PATIENTS)
    seed: int = Field(1, ge=0)
    least: float = Field(0.0, ge=0.0, le=60.0)
    most: float = Field(60.0, ge=0.0, le=60.0)
    remission: float = Field(12.0, ge=0.0, le=60.0)
    setting: SettingTable
    visits: Annotated[tuple[Quantity, ...], BeforeValidator(_as_tuple)] = Field(
        min_length=1, max_length=MOST_VISITS
    )
    arms: dict[str, TrialArmTable] = Field(min_length=2, max_length=20)
    blinding: BlindingTable = BlindingTable()
    dropout: DropoutTable = DropoutTable()
    rescue: RescueTable | None = None
    analysis: AnalysisTable = AnalysisTable()
    power: PowerTable | None = None

    @model_validator(mode="after")
    def _controlled(self) -> "TrialFile":
        if not any(arm.dosing for arm in self.arms.values()):
            raise complaint("arms: none of them is given anything; write dosing in one.")
        if all(arm.dosing for arm in self.arms.values()):
            raise complaint("arms: one is needed that is given nothing, to compare with.")
        return self


@dataclass(frozen=True, repr=False)
class TrialAsked(Described):
    """A trial read and checked, its population, and changes to the model of that."""

    plan: Plan
    population: str
    sets: tuple[str, ...] = ()

    def _told(self) -> tuple[str, list[tuple[str, str]]]:
        plan = self.plan
        return f"Trial {plan.name}", [
            ("about", plan.title),
            ("arms", some([one.name for one in plan.arms])),
            ("patients", f"{plan.patients:,} of population {self.population}"),
            ("visits", some([clock(one) for one in plan.visits])),
            ("changed", some(list(self.sets)) or "nothing"),
        ]


def load_trial(name: str | Path, *, sets: Iterable[str] = ()) -> TrialAsked:
    """Return a trial by the name of a packaged file, or from a file.

    Parameters
    ----------
    sets
        Changes of its own numbers and tables, such as ``"patients=120"`` or
        ``'analysis.method="locf"'``; all others are of the model.

    Raises
    ------
    ConfigError
        When there is no such file, or it says something that cannot be understood.
    """
    path = found(str(name), ROOM)
    table = parse(read_file(path), path.name)
    keys, others = parted(sets, TrialFile)
    beside = [one for one in others if not _put(table, one)]
    asked = validated(TrialFile, table | keys, path.name)
    with located(f"{path.name}: "):
        return TrialAsked(_plan(asked, path.stem), asked.population, tuple(beside))


def _put(table: dict[str, object], text: str) -> bool:
    """Change a key of one of the trial's own tables, ``blinding.kept=true``; False for others."""
    name, equals, value = (part.strip() for part in text.partition("="))
    head, dot, tail = name.partition(".")
    if not (equals and dot) or head not in TrialFile.model_fields or "." in tail:
        return False
    try:
        read = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        read = value
    own = table.setdefault(head, {})
    if not isinstance(own, dict):
        raise ConfigError(f"{text[:60]}: {head} is not a table.")
    own[tail] = read
    return True


def _plan(asked: TrialFile, name: str) -> Plan:
    library = packaged_library()
    arms = []
    for own, one in asked.arms.items():
        with located(f"arms.{own}."):
            arms.append(TrialArm(own, dosed(one.dosing, library), one.share))
    visits = tuple(time_of(one, f"visits[{i}]") for i, one in enumerate(asked.visits))
    if list(visits) != sorted(set(visits)) or visits[0] <= 0.0:
        raise ConfigError("visits: times after 0 h, each later than the one before.")
    if asked.least >= asked.most:
        raise ConfigError("least: must be below most, or nobody may enter.")
    rescue, power = asked.rescue, asked.power
    how = asked.analysis
    return Plan(
        name=name,
        title=asked.title or name,
        arms=tuple(arms),
        visits=visits,
        patients=asked.patients,
        setting=Setting(asked.setting.expectation, asked.setting.care),
        least=asked.least,
        most=asked.most,
        remission=asked.remission,
        blinding=Blinding(**asked.blinding.model_dump()),
        dropout=Dropout(**asked.dropout.model_dump()),
        rescue=Rescue()
        if rescue is None
        else Rescue(rescue.least, time_of(rescue.start, "rescue.from"), rescue.gain),
        method=how.method,
        estimand=how.estimand,
        alpha=how.alpha,
        whole=how.whole_points,
        seed=asked.seed,
        sizes=() if power is None else tuple(sorted(power.sizes)),
        trials=500 if power is None else power.trials,
        wanted=(0.8, 0.9) if power is None else power.wanted,
    )
