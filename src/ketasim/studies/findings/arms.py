"""Arms of an experiment: the treated one, and the same one without the drug."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf

from ketasim.core.model import Model
from ketasim.core.protocol import Bath, Dose, Event, Hold, Protocol
from ketasim.core.scenario import Scenario, Subject


@dataclass(frozen=True)
class Arm:
    """A subject, what is done to it, and what of that remains in the undrugged control.

    ``control`` keeps stress, knock-outs and antagonists, and leaves out doses, baths and whatever
    stands for the drug; ``values`` are parameters in which this arm's subject differs.
    """

    subject: Subject
    treated: Protocol
    control: Protocol
    values: Mapping[str, str | float] = field(default_factory=dict)

    @property
    def conditions(self) -> tuple[str, ...]:
        """Return the inputs that are held and the drugs that are given, each once."""
        return tuple(dict.fromkeys(_name(one) for one in self.treated.events))

    @property
    def undrugged(self) -> "Arm":
        """Return the same arm when the drug is never given."""
        return replace(self, treated=self.control)

    def scaled(self, name: str, factor: float, *, most: float = inf) -> "Arm":
        """Return the same arm with one condition at so many times its level, at most ``most``.

        A dose, a concentration or the level of an input is multiplied.
        """
        treated, control = (
            Protocol(tuple(_times(e, factor, most) if _name(e) == name else e for e in one.events))
            for one in (self.treated, self.control)
        )
        return replace(self, treated=treated, control=control)

    def scenario(self, model: Model, *, begin: float, end: float, drug: bool = True) -> Scenario:
        """Return this arm as a scenario of a model, with or without the drug.

        It lasts from ``begin`` [h], or its first event where that comes before, to ``end`` [h], or
        its last dose where that goes on beyond.
        """
        protocol = self.treated if drug else self.control
        last = max((one.stop for one in protocol.doses), default=end)
        return Scenario(
            model.with_values(self.values) if self.values else model,
            protocol,
            (begin, max(end, last)),
            self.subject,
            name="treated" if drug else "control",
        )


def _name(one: Event) -> str:
    return one.knob if isinstance(one, Hold) else one.drug


def _times(one: Event, factor: float, most: float) -> Event:
    if isinstance(one, Dose):
        return replace(one, amount=one.amount * factor)
    if isinstance(one, Bath):
        return replace(one, concentration=one.concentration * factor)
    if isinstance(one.value, str):
        number, _, unit = one.value.partition(" ")
        return replace(one, value=f"{min(float(number) * factor, most)!r} {unit}".strip())
    return replace(one, value=min(one.value * factor, most))
