"""How one time course becomes one number: the table of reducers, and a reducer with its arguments.

What is computed is said here and nowhere else; how an engine computes it from its solution is the
engine's affair. A level or a drop is held in the canonical unit of its dimension, times in h.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ketasim.core.model import Model
from ketasim.errors import ConfigError
from ketasim.units import unit

Kind = Literal[
    "at", "start", "peak", "t_peak", "trough", "t_trough", "change", "t_change", "auc", "area",
    "mean", "above", "below", "above_half", "time_to", "time_to_fall", "t_half",
]  # fmt: skip
Window = tuple[float, float]


@dataclass(frozen=True)
class Reducer:
    """What a reducer takes, what unit it has, and what it means.

    ``argument`` comes first and must be given; a window may follow where ``windowed``. The unit is
    that of the value, of a time (h), or of the value times h.
    """

    meaning: str
    argument: Literal["", "moment", "level", "drop"] = ""
    windowed: bool = True
    measures: Literal["value", "time", "integral"] = "value"

    def example(self, kind: str, units: str) -> str:
        """Return how it is written for a name in ``units``: ``'above(1.1, 0 h, 24 h)'``."""
        level = "1.1" if units == "1" else f"1.1 {units}"
        first = {"": [], "moment": ["24 h"]}.get(self.argument, [level])
        inside = ", ".join([*first, *(["0 h", "24 h"] if self.windowed else [])])
        return f"{kind}({inside})" if inside else kind


KINDS: Mapping[Kind, Reducer] = {
    "at": Reducer("value at a moment", argument="moment", windowed=False),
    "start": Reducer(
        "value just before time 0, or at the beginning of a run that begins later", windowed=False
    ),
    "peak": Reducer("largest value"),
    "t_peak": Reducer(
        "time of the largest value, the first of several; none where nothing changes",
        measures="time",
    ),
    "trough": Reducer("smallest value"),
    "t_trough": Reducer(
        "time of the smallest value, the first of several; none where nothing changes",
        measures="time",
    ),
    "change": Reducer("largest departure from start in either direction, with its sign"),
    "t_change": Reducer(
        "time of the largest departure from start; none where nothing changes", measures="time"
    ),
    "auc": Reducer("integral of the value", measures="integral"),
    "area": Reducer("integral of the departure from start", measures="integral"),
    "mean": Reducer("integral of the value over the time it spans"),
    "above": Reducer("time spent above a level", argument="level", measures="time"),
    "below": Reducer("time spent below a level", argument="level", measures="time"),
    "above_half": Reducer("time spent beyond half of change", measures="time"),
    "time_to": Reducer(
        "time at which a level is first reached, from whichever side the course starts",
        argument="level",
        measures="time",
    ),
    "time_to_fall": Reducer(
        "time at which it has first fallen by so much from start", argument="drop", measures="time"
    ),
    "t_half": Reducer(
        "time at which half of change is first reached; none where nothing changes",
        measures="time",
    ),
}


@dataclass(frozen=True)
class Reduction:
    """One number of one time course, as an engine computes it.

    Parameters
    ----------
    kind
        What is computed; see ``KINDS``.
    name
        Full name of a state or quantity.
    moment
        Time of ``at`` [h].
    level
        Level of ``above``, ``below`` and ``time_to``, or drop of ``time_to_fall``, in the
        canonical unit of the name's dimension.
    window
        Beginning and end [h]; the whole run when none is given. In a window, ``start`` is the
        value at its beginning.

    Raises
    ------
    ConfigError
        When the kind is unknown, an argument is missing or not taken, or the window is empty.
    """

    kind: Kind
    name: str
    moment: float | None = None
    level: float | None = None
    window: Window | None = None

    def __post_init__(self) -> None:
        """Refuse arguments that the kind does not take, and the lack of those it needs."""
        if self.kind not in KINDS:
            raise ConfigError(f'{self.name}: no reducer "{self.kind}"; one of {", ".join(KINDS)}.')
        reducer = KINDS[self.kind]
        needs = (reducer.argument == "moment", reducer.argument in ("level", "drop"))
        if needs != (self.moment is not None, self.level is not None):
            raise ConfigError(
                f"{self.name}.{self.kind}: takes {reducer.argument or 'neither moment nor level'}."
            )
        if self.window is not None and not reducer.windowed:
            raise ConfigError(f"{self.name}.{self.kind}: takes no window.")
        if self.window is not None and not self.window[0] < self.window[1]:
            raise ConfigError(f"{self.name}.{self.kind}: its window is empty, {self.window} h.")

    @property
    def moments(self) -> tuple[float, ...]:
        """Return the times [h] that a run must reach."""
        return self.window or (() if self.moment is None else (self.moment,))

    def declared_unit(self, model: Model) -> str:
        """Return the unit people see: an auc of ``ng/mL`` is ``ng*h/mL``.

        Raises
        ------
        ModelError
            When the name is not in the model.
        """
        own = model.unit(self.name)
        measures = KINDS[self.kind].measures
        if measures == "integral":
            return composed("*", own, "h")
        return "h" if measures == "time" else own

    def canonical_unit(self, model: Model) -> str:
        """Return the unit in which an engine hands the number over; see ``declared_unit``."""
        return unit(self.declared_unit(model)).canonical

    def written(self, model: Model) -> str:
        """Return its text in canonical units; read with ``bare="refuse"`` it is the same."""
        parts = [] if self.moment is None else [_hours(self.moment)]
        if self.level is not None:
            parts.append(with_unit(self.level, unit(model.unit(self.name)).canonical))
        parts += map(_hours, self.window or ())
        inside = ", ".join(parts)
        return f"{self.name}.{self.kind}" + (f"({inside})" if inside else "")


def with_unit(value: float, units: str) -> str:
    """Return a number to its last digit with its unit, ``'0.5 umol/L'``."""
    return repr(float(value)) if units == "1" else f"{float(value)!r} {units}"


def _hours(value: float) -> str:
    return with_unit(value, "h")


def product(mark: str, left: str, right: str, where: str = "unit") -> str:
    """Return the unit of ``left * right`` or ``left / right``, canonical where neither serves.

    Raises
    ------
    UnitError
        When the unit is too large, too small or too high a power to be written.
    """
    if right == "1":
        return left
    if mark == "/" and left == right:
        return "1"
    if mark == "*" and left == "1":
        return right
    a, b = unit(left, where), unit(right, where)
    power = 1 if mark == "*" else -1
    joined = type(a)(
        "", 1.0, tuple(x + power * y for x, y in zip(a.dimension, b.dimension, strict=True))
    )
    return unit(joined.canonical, where).text


def composed(mark: str, left: str, right: str) -> str:
    """Return the unit of a product or quotient spelled from both, ``ng/mL * h`` as ``ng*h/mL``.

    A number in it is the product or quotient of the two numbers, whatever units they are in.
    """
    above, below = _spelled(left)
    if mark == "*":
        more, fewer = _spelled(right)
    else:
        fewer, more = _spelled(right)
    above, below = above + more, below + fewer
    common = above & below
    top, bottom = above - common, below - common
    return "/".join(["*".join(top.elements()) or "1", *bottom.elements()])


def tidy(text: str) -> str:
    """Return a unit as the grammar reads it after a number: no blanks, powers with ``^``."""
    return text.replace(" ", "").replace("**", "^")


def _spelled(text: str) -> tuple["Counter[str]", "Counter[str]"]:
    """Return what stands above and below the bar of a unit."""
    top, *bottom = (part.split("*") for part in tidy(text).split("/"))
    above, below = Counter(top), Counter(one for part in bottom for one in part)
    del above["1"], below["1"]
    return above, below
