"""The words a mechanism is written in: states, parameters, laws, and the wires between them."""

import inspect
import keyword
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from math import inf
from typing import Any, Literal

from ketasim.core.evidence import UNREAD, Evidence, Grounds
from ketasim.errors import ModelError

Law = Callable[..., Any]
Use = Literal["", "weight", "body", "setting", "gain", "exponent"]
CHOSEN: tuple[Use, ...] = ("weight", "body", "setting", "gain")  # set by who asks, not believed


@dataclass(frozen=True)
class Parameter:
    """One number of the ledger: value in its source's unit, plausible bounds, evidence.

    ``role`` says what the number is when it is not simply uncertain: the ``weight`` that follows
    the subject's, another trait of the subject's ``body``, a ``setting`` that is chosen, the
    ``gain`` of a hypothesis, an ``exponent``. Designs draw only what is uncertain unless asked for
    more. ``grounds`` say what the bounds rest on (:mod:`ketasim.core.bounds`).
    """

    name: str
    value: float
    unit: str
    bounds: tuple[float, float]
    evidence: Evidence
    meaning: str = ""
    role: Use = ""
    grounds: Grounds = UNREAD


@dataclass(frozen=True)
class State:
    """One unknown of the differential equations.

    ``initial`` is its healthy, drug-free value: a number, or the name of one of the mechanism's
    own parameters or derived parameters. ``scale`` is the size at which a change matters (for the
    absolute tolerance), ``within`` the interval it cannot leave. ``short`` is what people call it,
    ``panel`` the panel of a figure that shows it, ``identifiers`` what it is in public registries
    (``'uniprot/P23560'``).
    """

    name: str
    initial: float | str
    unit: str
    meaning: str
    scale: float = 1.0
    within: tuple[float, float] = (0.0, inf)
    short: str = ""
    panel: str = ""
    identifiers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Read:
    """A value that another mechanism owns, under the name used here.

    When ``default`` is given the other mechanism may be absent: the coupling is then neutral.
    """

    name: str
    unit: str
    of: str
    default: float | None = None


@dataclass(frozen=True)
class Knob:
    """An input an experimenter holds at a value over a window; ``neutral`` means untouched.

    ``short`` is what people call it: a word, or several.
    """

    name: str
    neutral: float
    unit: str
    bounds: tuple[float, float]
    meaning: str
    short: str | tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Let one word stand for a tuple of one."""
        if isinstance(self.short, str):
            object.__setattr__(self, "short", (self.short,) if self.short else ())


@dataclass(frozen=True)
class Derived:
    """A parameter that is a law of others, evaluated once a member before it starts."""

    law: Law
    unit: str
    meaning: str
    name: str = ""
    using: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Take the law's name when none is given."""
        object.__setattr__(self, "name", self.name or self.law.__name__)


@dataclass(frozen=True)
class Quantity:
    """Algebra at a time: a law of states, parameters, knobs and reads.

    ``short``, ``panel`` and ``identifiers`` are those of :class:`State`.
    """

    law: Law
    unit: str
    meaning: str
    name: str = ""
    using: Mapping[str, str] = field(default_factory=dict)
    short: str = ""
    panel: str = ""
    identifiers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Take the law's name when none is given."""
        object.__setattr__(self, "name", self.name or self.law.__name__)


@dataclass(frozen=True)
class Flow:
    """A rate that adds to one state and takes from another; either end may be the outside."""

    law: Law
    into: str | None = None
    out_of: str | None = None
    using: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Inlet:
    """Where a dose of a substance by a route arrives: a state, or a knob for ``route="bath"``."""

    substance: str
    route: str
    into: str


@dataclass(frozen=True)
class Substance:
    """A drug as it is prescribed: its molar mass and the share of each enantiomer it holds."""

    name: str
    molar_mass: float
    parts: tuple[tuple[str, float], ...]
    meaning: str


@cache
def arguments(law: Law) -> tuple[str, ...]:
    """Return the argument names of a law, in order."""
    return tuple(inspect.signature(law).parameters)


def story_of(doc: str | None) -> str:
    """Return a module docstring as a mechanism's story."""
    return inspect.cleandoc(doc or "")


@dataclass(frozen=True)
class Mechanism:
    """A story, its laws, and its ledger.

    ``role`` is ``'drug'`` where the mechanism carries the drug rather than answers to it;
    ``reading`` are own names that people read first, where these are not in order of declaration.

    Raises
    ------
    ModelError
        When two things share a name, or a name cannot be written in a law.
    """

    name: str
    story: str
    states: tuple[State, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    reads: tuple[Read, ...] = ()
    knobs: tuple[Knob, ...] = ()
    derived: tuple[Derived, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    flows: tuple[Flow, ...] = ()
    inlets: tuple[Inlet, ...] = ()
    conserved: tuple[tuple[str, ...], ...] = ()
    role: Literal["", "drug"] = ""
    reading: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse names that clash or cannot be written."""
        seen: set[str] = set()
        for one in self.names:
            if not one.isidentifier() or keyword.iskeyword(one):
                raise ModelError(f'{self.name}: "{one}" cannot be used as a name in a law.')
            if one in seen:
                raise ModelError(f'{self.name}: the name "{one}" is declared twice.')
            seen.add(one)

    @property
    def names(self) -> tuple[str, ...]:
        """Return every name a law of this mechanism may ask for."""
        groups = (
            self.states,
            self.parameters,
            self.reads,
            self.knobs,
            self.derived,
            self.quantities,
        )
        return tuple(one.name for group in groups for one in group)

    @property
    def courses(self) -> tuple[State | Quantity, ...]:
        """Return everything with a time course: states, then quantities."""
        return (*self.states, *self.quantities)

    def unnamed(self) -> "Mechanism":
        """Return a copy that nobody calls by a short name, sees in a panel or weighs."""
        return replace(
            self,
            states=tuple(replace(one, short="", panel="") for one in self.states),
            quantities=tuple(replace(one, short="", panel="") for one in self.quantities),
            knobs=tuple(replace(one, short=()) for one in self.knobs),
            parameters=tuple(
                replace(one, role="body") if one.role == "weight" else one
                for one in self.parameters
            ),
        )
