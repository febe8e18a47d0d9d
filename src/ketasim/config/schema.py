"""What a configuration file may hold: every key, its type, and its default."""

from math import inf, isfinite
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, model_validator
from pydantic_core import PydanticCustomError

from ketasim.errors import suggest

MAX_DOSES = 10_000
MAX_WINDOWS = 1_000
MAX_TIMES = 200_000
EXAMPLES = {
    "amount": "0.5 mg/kg", "concentration": "10 uM", "weight": "70 kg", "every": "10 min",
    "until": "7 d", "from": "-30 min", "at": "0 h", "start": "0 h", "duration": "40 min",
}  # fmt: skip


def complaint(text: str) -> PydanticCustomError:
    """Return an error whose text is written for the reader, verbatim."""
    return PydanticCustomError("ketasim", "{text}", {"text": text})


def _quantity(value: Any) -> str | float:
    """Accept what TOML has for a quantity: text with a unit, or a number."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = inf
        if not isfinite(number):
            raise complaint(f" = {str(value)[:60]}: a finite number is needed.")
        return number
    raise complaint(': write a number and its unit in quotes, e.g. "0.5 mg/kg" or "40 min".')


Quantity = Annotated[str | float, PlainValidator(_quantity)]


class Table(BaseModel):
    """A TOML table: no key that is not known, nothing converted, nothing changed later."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: Any) -> Any:
        known = {field.alias or name for name, field in cls.model_fields.items()}
        for key in data if isinstance(data, dict) else ():
            if key not in known:
                hint = suggest(key, known)
                raise complaint(
                    f".{key[:60]}: unknown key.{hint} Keys here: {', '.join(sorted(known))}."
                )
        return data


def _as_names(value: Any) -> Any:
    """Accept one name, or a list of them."""
    return (value,) if isinstance(value, str) else _as_tuple(value)


Modules = Annotated[
    tuple[str, ...], BeforeValidator(_as_names), Field(alias="with", max_length=100)
]


class ModelTable(Table):
    """``[model]``: which model, with which modules, and parameters that differ from its ledger."""

    name: str = "antidepressant"
    with_: Modules = ()
    parameters: dict[str, Quantity] = {}


class SubjectTable(Table):
    """``[subject]``: a species, and a body weight when it is not the usual one."""

    species: Literal["human", "rat", "mouse", "monkey"] = "human"
    weight: Quantity | None = None


class Moments(Table):
    """``at``: one time, a list of times, or a start, an interval and a number of times."""

    moments: tuple[Quantity, ...] | None = Field(None, max_length=MAX_DOSES)
    start: Quantity = 0.0
    every: tuple[Quantity, ...] | None = Field(None, max_length=100)
    times: int | None = Field(None, ge=1, le=MAX_DOSES)

    @model_validator(mode="after")
    def _one_way(self) -> "Moments":
        if (self.every is None) != (self.times is None):
            raise complaint(': write both, as in { start = "0 d", every = "1 d", times = 8 }.')
        return self


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _rows(value: Any) -> Any:
    """Refuse a list far too long before each of its entries is complained about."""
    if isinstance(value, list) and len(value) > MAX_DOSES:
        raise complaint(f": {len(value):,} entries; at most {MAX_DOSES:,}.")
    return _as_tuple(value)


def _as_moments(value: Any) -> Any:
    if not isinstance(value, dict):
        return {"moments": tuple(value) if isinstance(value, list) else (value,)}
    every = value.get("every")
    return value if every is None else {**value, "every": _one_or_many(every)}


def _one_or_many(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else (value,)


class DosingTable(Table):
    """``[[dosing]]``: a drug by a route, once or repeatedly."""

    drug: str = "ketamine"
    amount: Quantity
    route: str
    duration: Quantity = 0.0
    at: Annotated[Moments, BeforeValidator(_as_moments)] = Moments(moments=(0.0,))
    s_fraction: float | None = Field(None, ge=0.0, le=1.0)


class InterventionTable(Table):
    """``[[intervention]]``: a knob held at a level, or blocked by a share, over a window."""

    target: str
    level: Quantity | None = None
    block: float | None = Field(None, ge=0.0, le=1.0)
    from_: Quantity = Field(0.0, alias="from")
    until: Quantity | None = None

    @model_validator(mode="after")
    def _one_setting(self) -> "InterventionTable":
        if (self.level is None) == (self.block is None):
            raise complaint(": write either level = ... or block = ... (0 to 1).")
        return self


class BathTable(Table):
    """``[[bath]]``: a drug around the tissue at a concentration, as over a slice."""

    drug: str = "ketamine"
    concentration: Quantity
    from_: Quantity = Field(0.0, alias="from")
    until: Quantity | None = None


class OutputTable(Table):
    """``[output]``: when to look, and at what; everything is recorded unless named."""

    from_: Quantity | None = Field(None, alias="from")
    until: Quantity | None = None
    every: Quantity | None = None
    times: Annotated[tuple[Quantity, ...] | None, BeforeValidator(_as_tuple)] = Field(
        None, min_length=2, max_length=MAX_TIMES
    )
    observables: Annotated[tuple[str, ...], BeforeValidator(_rows)] = Field((), max_length=1000)

    @model_validator(mode="after")
    def _one_grid(self) -> "OutputTable":
        if self.times is not None and (self.from_, self.until, self.every) != (None, None, None):
            raise complaint(".times: give either times, or until and every.")
        return self


class EngineTable(Table):
    """``[engine]``: how to integrate; unnamed, ensemble, or for one run what is ready."""

    name: Literal["reference", "ensemble"] | None = None
    method: Literal["LSODA", "BDF", "Radau"] = "LSODA"
    rtol: float | None = Field(None, ge=1e-12, le=1e-2)


def _as_subject(value: Any) -> Any:
    return {"species": value} if isinstance(value, str) else value


class Config(Table):
    """One file, one question to the model."""

    schema_: Literal[1] = Field(alias="schema")
    name: str | None = Field(None, max_length=200)
    allow_unusual_dose: bool = False
    model: ModelTable = ModelTable()
    subject: Annotated[SubjectTable, BeforeValidator(_as_subject)] = SubjectTable()
    dosing: Annotated[tuple[DosingTable, ...], BeforeValidator(_rows)] = Field(
        (), max_length=MAX_DOSES
    )
    intervention: Annotated[tuple[InterventionTable, ...], BeforeValidator(_rows)] = Field(
        (), max_length=MAX_WINDOWS
    )
    bath: Annotated[tuple[BathTable, ...], BeforeValidator(_rows)] = Field(
        (), max_length=MAX_WINDOWS
    )
    output: OutputTable = OutputTable()
    engine: EngineTable = EngineTable()
